"""A change of the rules as people make it: a file's text, its preview, and the job that puts it in force.

    asked = start_preview(content, today=today, by=user)     # at once for few members, else a job
    job = start_change(asked, by=user)                       # refused once the preview no longer holds

A preview is the row of a job: its arguments hold the text, its result the answer. What it says holds as long as its
`fingerprint` does, and only then can it be put in force: that is tried when the button is pressed, and again by the
job, alone with the rules, so of two people who save at once the second is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from compliance import jobs, requirements, sentences, standings
from compliance.models import Edition, Job, JobState, Requirement
from compliance.preview import Move, Preview, Reading, fingerprint, preview
from compliance.requirements import Withdrawal
from compliance.requirements_file import Finding, Refused, read
from compliance.requirements_toml import to_toml
from roster.facts import Via, changing_rules
from roster.models import Officer

PREVIEW, CHANGE = "preview_rules", "change_rules"
#: Members for whom a page works a preview out itself; for more a job does.
MOST_AT_ONCE = 3000
#: Days that a preview counts on, besides today: the first days of editions to come.
MOST_DAYS = 3

OUTDATED = "Something was recorded, or a rule was changed, since this preview was made. Preview again."
ANOTHER_DAY = "This preview was made on another day. Preview again."
TAKEN = "This change was put in force already."


def start_preview(
    content: str,
    *,
    today: date,
    by: User,
    on: date | None = None,
    back: str = "",
    withdrawal: Withdrawal | None = None,
) -> Job:
    """Preview a requirements file; `Refused` where it cannot be loaded. `on` is a further day to count on.

    `back` is the address of the page where the change was made. With a withdrawal an edition to come is taken back, or
    begins on the other day that the file gives it.
    """
    requirements.propose(read(content.encode()), today=today, withdrawal=withdrawal)
    asked: dict[str, Any] = {
        "content": content,
        "today": today.isoformat(),
        "on": on.isoformat() if on else "",
        "back": back,
    }
    if withdrawal is not None:
        to = withdrawal.to.isoformat() if withdrawal.to else ""
        asked["withdrawal"] = [withdrawal.requirement, withdrawal.start.isoformat(), to]
    if Officer.objects.count() > MOST_AT_ONCE:
        with transaction.atomic():
            return jobs.start(PREVIEW, asked, by=by)
    job = Job(kind=PREVIEW, arguments=asked, requested_by=by)
    job.result = work_out(job, lambda done, total: None)
    job.state, job.done, job.total, job.finished_at = JobState.DONE, 1, 1, timezone.now()
    job.save()
    return job


def start_withdrawal(edition: Edition, *, today: date, by: User, back: str) -> Job:
    """Preview what taking back an edition to come would change; `Refused` where it cannot be taken back."""
    code = edition.requirement.code
    content = to_toml({"requirement": [{"code": code}]})
    withdrawal = Withdrawal(code, edition.effective_from)
    return start_preview(content, today=today, by=by, back=back, withdrawal=withdrawal)


def withdrawal_of(job: Job) -> Withdrawal | None:
    """What a preview takes back or moves; None where it adds and changes only."""
    if "withdrawal" not in job.arguments:
        return None
    code, start, to = job.arguments["withdrawal"]
    return Withdrawal(code, date.fromisoformat(start), date.fromisoformat(to) if to else None)


def work_out(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """The job: the preview of a file, as plain values. Writes nothing, so it is safe to do again."""
    today = date.fromisoformat(job.arguments["today"])
    seen = fingerprint()
    proposal = proposal_of(job)
    withdrawal = withdrawal_of(job)
    begin = {edition.effective_from for edition in proposal.altered} | ({withdrawal.start} if withdrawal else set())
    coming = sorted(day for day in begin if day > today)
    on = job.arguments["on"]
    days = [today, *coming[:MOST_DAYS], *([date.fromisoformat(on)] if on else [])]
    found = preview(proposal, days=days, progress=progress)
    named = {row.pk: row for row in proposal.requirements}
    return {
        **_plain(found),
        "fingerprint": seen,
        "requirements": [
            {
                "key": key,
                "code": requirement.code,
                "title": requirement.title,
                "editions": _told(line, proposal.altered),
                "withdrawn": _told([row for row in proposal.withdrawn if row.requirement_id == key]),
                "moved_from": _moved_from(withdrawal, requirement),
                "is_new": key < 0,
            }
            for key, line in proposal.instead.items()
            for requirement in [named[key] if key in named else line[0].requirement]
        ],
        "same": [row.title for key, row in named.items() if key not in proposal.instead],
        "goals": [goal.title for goal in proposal.goals],
    }


def _told(line: Iterable[Edition], altered: Collection[Edition] | None = None) -> list[dict[str, str]]:
    """Those editions of a requirement that change (None = all), each restated."""
    return [
        {"from": edition.effective_from.isoformat(), "rule": sentences.rule(edition)}
        for edition in line
        if altered is None or edition in altered
    ]


def _moved_from(withdrawal: Withdrawal | None, requirement: Requirement) -> str:
    """The first day, until now, of the edition that begins on another; blank where none does."""
    is_moved = withdrawal is not None and withdrawal.to and withdrawal.requirement == requirement.code
    return withdrawal.start.isoformat() if withdrawal and is_moved else ""


def proposal_of(job: Job) -> requirements.Proposal:
    """What the text of a preview makes of the rules now; `JobFailed` with the reasons where it no longer can."""
    try:
        file = read(job.arguments["content"].encode())
        today = date.fromisoformat(job.arguments["today"])
        return requirements.propose(file, today=today, withdrawal=withdrawal_of(job))
    except Refused as error:
        raise jobs.JobFailed(" ".join(f"{finding}." for finding in error.findings)) from None


def _plain(found: Preview) -> dict[str, Any]:
    """A preview as JSON holds it."""
    place = {day: number for number, day in enumerate(found.days)}
    return {
        "days": [day.isoformat() for day in found.days],
        "members": found.members,
        "warnings": [Finding.as_plain(warning) for warning in found.warnings],
        "moves": [[*move._replace(day=place[move.day]), number] for move, number in found.moves.items()],  # type: ignore[arg-type] # a place in the list of days
        "sample": [[key, place[day], *states, ids] for (key, day, *states), ids in found.sample.items()],
        "redated": [[key, place[day], number] for (key, day), number in found.redated.items()],
        "readings": [
            [key, reading.key, reading.title, reading.words]
            for key, readings in found.readings.items()
            for reading in readings
        ],
    }


def preview_of(job: Job) -> Preview:
    """The preview that a job found."""
    plain = job.result
    days = tuple(date.fromisoformat(day) for day in plain["days"])
    readings: dict[int, list[Reading]] = {}
    for key, *reading in plain["readings"]:
        readings.setdefault(key, []).append(Reading(*reading))
    return Preview(
        days,
        Counter({Move(key, days[place], *rest): number for key, place, *rest, number in plain["moves"]}),
        {(key, days[place], before, after): ids for key, place, before, after, ids in plain["sample"]},
        Counter({(key, days[place]): number for key, place, number in plain["redated"]}),
        readings,
        plain["members"],
        [Finding.from_plain(warning) for warning in plain["warnings"]],
    )


def problem_of(asked: Job, *, today: date) -> str:
    """Why a preview cannot be put in force any more; blank when it can. The queries of `fingerprint`."""
    if asked.state != JobState.DONE:
        return "The preview is not ready."
    if "changed_by" in asked.result:
        return TAKEN
    if asked.arguments["today"] != today.isoformat():
        return ANOTHER_DAY
    return "" if fingerprint() == asked.result["fingerprint"] else OUTDATED


def start_change(asked: Job, *, today: date, by: User) -> Job:
    """The job that puts a previewed change in force: one for each preview, however often the button is pressed.

    `ValidationError` with a sentence when the preview no longer holds.
    """
    with transaction.atomic():
        jobs.hold_starts()
        wanted = {"preview": str(asked.key)}
        going = Job.objects.filter(kind=CHANGE, arguments=wanted).exclude(state=JobState.FAILED).first()
        if going is not None:
            return going
        problem = problem_of(asked, today=today)
        if problem:
            raise ValidationError(problem)
        return jobs.start(CHANGE, wanted, by=by)


def change(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: store what was previewed and rebuild everybody, alone with the rules, in one transaction."""
    with changing_rules(by=job.requested_by, via=Via.PAGE):
        asked = Job.objects.get(key=job.arguments["preview"])
        if asked.result.get("changed_by") == str(job.key):
            return {"requirement": asked.result["requirement"]}  # done before this worker died
        problem = problem_of(asked, today=timezone.localdate())
        if problem:
            raise jobs.JobFailed(problem)
        proposal = proposal_of(asked)
        requirements.store(proposal)
        code = proposal.requirements[0].code if len(proposal.requirements) == 1 else ""
        rows = standings.rebuild(progress=progress)
        marked = {**asked.result, "changed_by": str(job.key), "requirement": code}
        Job.objects.filter(pk=asked.pk).update(result=marked, heartbeat_at=Now())
    return {"requirement": code, "changed": rows}


HANDLERS: dict[str, jobs.Handler] = {PREVIEW: work_out, CHANGE: change}


def report_use(editions: list[Edition]) -> dict[int, list[str]]:
    """Edition id -> the numbers of the issued reports that used it. One query."""
    found: dict[int, list[str]] = {}
    for edition, number in Edition.objects.filter(
        pk__in=[edition.pk for edition in editions], reports__isnull=False
    ).values_list("pk", "reports__number"):
        found.setdefault(edition, []).append(number)
    return {key: sorted(numbers) for key, numbers in found.items()}
