"""Courses, equivalencies and lesson plans by hand: previewed, then put in force alone with the rules, in a job.

What nobody is judged by - a course without completions, its provider, its topics - is saved at once.

A preview is the row of a job: its arguments hold what was asked, its result how many members change state. It holds as
long as its `fingerprint` does, and only then is it put in force, so of two people who save at once the second is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from compliance import coverage, jobs, standings
from compliance.gather import Rules, gather_rules
from compliance.models import Job, JobState, Requirement
from compliance.preview import fingerprint
from roster.facts import Via, changing_rules, follow, sentence_for
from training import catalogue
from training.course_imports import officers_with
from training.dated import save_dated
from training.models import Course, CourseTest, CourseTopic, Equivalency, LessonPlan

PREVIEW, CHANGE = "preview_course_rule", "change_course_rule"
#: kind of rule -> the page of the list it stands in
LISTS = {"equivalency": "equivalency-list", "lesson_plan": "lesson-plan-list", "course": "course-list"}
#: Members whom a page judges itself; for more a job does.
MOST_AT_ONCE = 1000

OUTDATED = "Something was recorded, or a rule was changed, since this preview was made. Preview again."
GONE = "This was taken away meanwhile. Open the list again."
REFUSED = "The database refused it: something else stands for these days."

Dated = LessonPlan | Equivalency
MODELS: dict[str, type[LessonPlan] | type[Equivalency]] = {"lesson_plan": LessonPlan, "equivalency": Equivalency}


class Rule(Protocol):
    """What is proposed: a row, new or changed, that completions are judged by."""

    def asked(self) -> dict[str, Any]:
        """What a job is given: its kind and its plain values."""
        ...

    def save(self) -> set[int]:
        """Save it, inside `changing_rules`; the ids of the courses whose completions are judged anew."""
        ...


@dataclass(frozen=True, slots=True)
class DatedRule:
    """A lesson plan or an equivalency."""

    row: Dated

    def asked(self) -> dict[str, Any]:
        row = self.row
        own: tuple[str, ...] = ("counts_as_id", "approved_by")
        if isinstance(row, LessonPlan):
            own = ("version", "objectives", "approved_by", "approved_on", "file_id")
        values = {name: getattr(row, name) for name in ("course_id", *own, "start_on", "end_on")}
        plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
        kind = "lesson_plan" if isinstance(row, LessonPlan) else "equivalency"
        return {"kind": kind, "pk": row.pk, "values": plain}

    def save(self) -> set[int]:
        save_dated(self.row)
        return {self.row.course_id}


@dataclass(frozen=True, slots=True)
class CourseRule:
    """A course with its lists."""

    edit: catalogue.Edit

    def asked(self) -> dict[str, Any]:
        return {"kind": "course", "pk": self.edit.pk, "values": self.edit.plain()}

    def save(self) -> set[int]:
        return catalogue.save(self.edit)


def proposed(arguments: Mapping[str, Any]) -> Rule:
    """The rule as it would be; `JobFailed` where it is not there any more."""
    if arguments["kind"] == "course":
        edit = catalogue.Edit.of_plain(arguments["values"])
        if edit.pk is not None and not Course.objects.filter(pk=edit.pk).exists():
            raise jobs.JobFailed(GONE)
        return CourseRule(edit)
    model = MODELS[arguments["kind"]]
    values = dict(arguments["values"])
    for name in ("start_on", "end_on", "approved_on"):
        if name in values:
            values[name] = date.fromisoformat(values[name]) if values[name] else None
    if arguments["pk"] is None:
        return DatedRule(model(**values))
    row = model._default_manager.filter(pk=arguments["pk"]).first()
    if row is None:
        raise jobs.JobFailed(GONE)
    for name, value in values.items():
        setattr(row, name, value)
    return DatedRule(row)


class _Rollback(Exception):
    pass


def _sentence(error: IntegrityError) -> str:
    """The sentence of whichever constraint refused."""
    models = (Course, CourseTest, CourseTopic, LessonPlan, Equivalency)
    return next((said for model in models if (said := sentence_for(error, model))), REFUSED)


def rules_with(rule: Rule) -> tuple[Rules, set[int]]:
    """The rules as they would be, and the courses judged anew; `ValidationError` where it cannot be. Keeps nothing."""
    found: list[tuple[Rules, set[int]]] = []
    try:
        with transaction.atomic():
            courses = rule.save()
            found.append((gather_rules(), courses))
            raise _Rollback
    except _Rollback:
        return found[0]
    except IntegrityError as error:
        raise ValidationError(_sentence(error)) from error


def save_at_once(rule: Rule, *, why: str, by: User) -> bool:
    """Save what nobody is judged by; False, and nothing is saved, where somebody has a completion that is.

    `ValidationError` where it cannot be.
    """
    try:
        with changing_rules(by=by, via=Via.PAGE, why=why):
            if officers_with(rule.save()):
                raise _Rollback
    except _Rollback:
        return False
    except IntegrityError as error:
        raise ValidationError(_sentence(error)) from error
    return True


def start_preview(rule: Rule, *, why: str, today: date, by: User) -> Job:
    """Preview a rule, new or changed; `ValidationError` where it cannot be. At once for few members, else by a job."""
    arguments = {**rule.asked(), "why": why, "today": today.isoformat()}
    _, courses = rules_with(proposed(arguments))
    if len(officers_with(courses)) > MOST_AT_ONCE:
        with transaction.atomic():
            return jobs.start(PREVIEW, arguments, by=by)
    job = Job(kind=PREVIEW, arguments=arguments, requested_by=by)
    job.result = work_out(job, lambda done, total: None)
    job.state, job.finished_at = JobState.DONE, timezone.now()
    job.save()
    return job


def work_out(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """The job: who would change state today. Members with a completion of the course are judged, nobody else."""
    seen, today = fingerprint(), date.fromisoformat(job.arguments["today"])
    rules, courses = rules_with(proposed(job.arguments))
    ids = sorted(officers_with(courses))
    moves: Counter[tuple[int, str, str]] = Counter()
    redated: Counter[int] = Counter()
    for start in range(0, len(ids), standings.SLICE):
        part = ids[start : start + standings.SLICE]
        stored = coverage.standings_on(today).filter(officer__in=part)
        before = {
            (officer, requirement): (state, due_on)
            for officer, requirement, state, due_on in stored.values_list(
                "officer_id", "requirement_id", "state", "due_on"
            )
        }
        for after in standings.rows_of(part, rules):
            if after.holds_on(today):
                was, due_on = before.get((after.officer, after.requirement), ("", None))
                if was != after.state:
                    moves[after.requirement, was, str(after.state)] += 1
                elif due_on != after.due_on:
                    redated[after.requirement] += 1
        progress(start + len(part), len(ids))
    titles = dict(Requirement.objects.values_list("pk", "title"))
    return {
        "fingerprint": seen,
        "members": len(ids),
        "moves": [[titles[key], was, becomes, number] for (key, was, becomes), number in sorted(moves.items())],
        "redated": [[titles[key], number] for key, number in sorted(redated.items())],
    }


def problem_of(asked: Job) -> str:
    """Why a preview cannot be put in force any more; blank when it can."""
    if asked.state != JobState.DONE:
        return "The preview is not ready."
    if "changed_by" in asked.result:
        return "This was put in force already."
    return "" if fingerprint() == asked.result["fingerprint"] else OUTDATED


def start_change(asked: Job, *, by: User) -> Job:
    """The job that puts a preview in force: one for each, however often the button is pressed."""
    with transaction.atomic():
        jobs.hold_starts()
        wanted = {"preview": str(asked.key)}
        going = Job.objects.filter(kind=CHANGE, arguments=wanted).exclude(state=JobState.FAILED).first()
        if going is not None:
            return going
        if problem := problem_of(asked):
            raise ValidationError(problem)
        return jobs.start(CHANGE, wanted, by=by)


def change(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: save what was previewed and judge everybody concerned, alone with the rules, in one transaction."""
    asked = Job.objects.get(key=job.arguments["preview"])
    with changing_rules(by=job.requested_by, via=Via.PAGE, why=asked.arguments["why"]):
        asked.refresh_from_db()
        if asked.result.get("changed_by") == str(job.key):
            return {"kind": asked.arguments["kind"]}  # done before this worker died
        if problem := problem_of(asked):
            raise jobs.JobFailed(problem)
        rule = proposed(asked.arguments)
        try:
            with transaction.atomic():
                courses = rule.save()
        except IntegrityError as error:
            raise jobs.JobFailed(_sentence(error)) from error
        except ValidationError as error:
            raise jobs.JobFailed(" ".join(error.messages)) from error
        follow(officers_with(courses), progress)
        marked = {**asked.result, "changed_by": str(job.key)}
        Job.objects.filter(pk=asked.pk).update(result=marked, heartbeat_at=Now())
    return {"kind": asked.arguments["kind"]}


def named(job: Job) -> str:
    """What a preview is about: *CIT refresher counts as CIT basic course from 2026-01-01*."""
    values = job.arguments["values"]
    if job.arguments["kind"] == "course":
        return f"{values['fields']['title']} ({values['fields']['code']})"
    courses = Course.objects.in_bulk([values["course_id"], values.get("counts_as_id") or values["course_id"]])
    course = courses[values["course_id"]].title
    if job.arguments["kind"] == "equivalency":
        return f"{course} counts as {courses[values['counts_as_id']].title}"
    return f"{course}, lesson plan {values['version']}"


def proposed_days(job: Job) -> tuple[date, date | None] | None:
    """The first and the last day that a preview asks about; None for a course, which has none."""
    if job.arguments["kind"] == "course":
        return None
    start_on, end_on = (job.arguments["values"][name] for name in ("start_on", "end_on"))
    return date.fromisoformat(start_on), date.fromisoformat(end_on) if end_on else None


HANDLERS: dict[str, jobs.Handler] = {PREVIEW: work_out, CHANGE: change}
