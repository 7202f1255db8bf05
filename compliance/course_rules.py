"""Equivalencies and lesson plans by hand: previewed, then put in force alone with the rules, in a job.

A preview is the row of a job: its arguments hold what was asked, its result how many members change state. It holds as
long as its `fingerprint` does, and only then is it put in force, so of two people who save at once the second is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

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
from training.course_imports import officers_with
from training.dated import save_dated
from training.models import Course, Equivalency, LessonPlan

PREVIEW, CHANGE = "preview_course_rule", "change_course_rule"
#: Members whom a page judges itself; for more a job does.
MOST_AT_ONCE = 1000

OUTDATED = "Something was recorded, or a rule was changed, since this preview was made. Preview again."
GONE = "This was taken away meanwhile. Open the list again."
REFUSED = "The database refused it: something else stands for these days."

Dated = LessonPlan | Equivalency
MODELS: dict[str, type[LessonPlan] | type[Equivalency]] = {"lesson_plan": LessonPlan, "equivalency": Equivalency}


def kind_of(row: Dated) -> str:
    return "lesson_plan" if isinstance(row, LessonPlan) else "equivalency"


def _asked(row: Dated, why: str) -> dict[str, Any]:
    """What a job is given: the row as plain values."""
    own = ("version",) if isinstance(row, LessonPlan) else ("counts_as_id", "approved_by")
    values = {name: getattr(row, name) for name in ("course_id", *own, "start_on", "end_on")}
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return {"kind": kind_of(row), "pk": row.pk, "values": plain, "why": why}


def proposed(arguments: Mapping[str, Any]) -> Dated:
    """The row as it would be; `JobFailed` where it is not there any more."""
    model = MODELS[arguments["kind"]]
    values = dict(arguments["values"])
    for name in ("start_on", "end_on"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    if arguments["pk"] is None:
        return model(**values)
    row = model._default_manager.filter(pk=arguments["pk"]).first()
    if row is None:
        raise jobs.JobFailed(GONE)
    for name, value in values.items():
        setattr(row, name, value)
    return row


class _Rollback(Exception):
    pass


def rules_with(row: Dated) -> Rules:
    """The rules as they would be with the row; `ValidationError` where it cannot be. Nothing is kept."""
    found: list[Rules] = []
    try:
        with transaction.atomic():
            row.save()
            found.append(gather_rules())
            raise _Rollback
    except _Rollback:
        return found[0]
    except IntegrityError as error:
        raise ValidationError(sentence_for(error, type(row)) or REFUSED) from error


def start_preview(row: Dated, *, why: str, today: date, by: User) -> Job:
    """Preview a row, new or changed; `ValidationError` where it cannot be. At once for few members, else by a job."""
    arguments = {**_asked(row, why), "today": today.isoformat()}
    rules_with(proposed(arguments))
    if len(officers_with({row.course_id})) > MOST_AT_ONCE:
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
    row = proposed(job.arguments)
    rules = rules_with(row)
    ids = sorted(officers_with({row.course_id}))
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
        row = proposed(asked.arguments)
        try:
            with transaction.atomic():
                save_dated(row)
        except IntegrityError as error:
            raise jobs.JobFailed(sentence_for(error, type(row)) or REFUSED) from error
        follow(officers_with({row.course_id}), progress)
        marked = {**asked.result, "changed_by": str(job.key)}
        Job.objects.filter(pk=asked.pk).update(result=marked, heartbeat_at=Now())
    return {"kind": asked.arguments["kind"]}


def named(job: Job) -> str:
    """What a preview is about: *CIT refresher counts as CIT basic course from 2026-01-01*."""
    values = job.arguments["values"]
    courses = Course.objects.in_bulk([values["course_id"], values.get("counts_as_id") or values["course_id"]])
    course = courses[values["course_id"]].title
    if job.arguments["kind"] == "equivalency":
        return f"{course} counts as {courses[values['counts_as_id']].title}"
    return f"{course}, lesson plan {values['version']}"


def proposed_days(job: Job) -> tuple[date, date | None]:
    """The first and the last day that a preview asks about."""
    start_on, end_on = (job.arguments["values"][name] for name in ("start_on", "end_on"))
    return date.fromisoformat(start_on), date.fromisoformat(end_on) if end_on else None


HANDLERS: dict[str, jobs.Handler] = {PREVIEW: work_out, CHANGE: change}
