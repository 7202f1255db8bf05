"""The night's work: every standing verified against the facts and healed, then the day's figures written down.

Verification is sliced over the workers. The snapshot is asked for when the last slice has ended, however it ended: a
figure not written down that night cannot be had later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from compliance import coverage, goals, jobs, standings
from compliance.models import CoverageSnapshot, Goal, GoalSnapshot, Job, JobState, Requirement
from roster.models import Officer

logger = logging.getLogger(__name__)

VERIFY, SNAPSHOT = "verify", "snapshot"

#: Members in one slice of the verification.
SLICE = 10_000
#: Members whose differences are named, by their ids in the database.
MOST_NAMED = 20


def start(day: date) -> None:
    """Ask for the next step of a day's night: slices to verify, then the snapshot. Safe to call at any time, often."""
    with transaction.atomic():
        jobs.hold_starts()
        slices = Job.objects.filter(kind=VERIFY, arguments__day=day.isoformat())
        states = set(slices.values_list("state", flat=True))
        if not states:
            ids = list(Officer.every.order_by("pk").values_list("pk", flat=True))
            bounds = [(ids[at], ids[min(at + SLICE, len(ids)) - 1]) for at in range(0, len(ids), SLICE)]
            for first, last in bounds or [(0, 0)]:
                jobs.start(VERIFY, {"day": day.isoformat(), "first": first, "last": last}, by=None)
        elif not states & {JobState.WAITING, JobState.RUNNING}:
            jobs.start_once(SNAPSHOT, {"day": day.isoformat()})


def verify(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Compare the stored standings of some members with what their facts say; report and heal what differs."""
    ids = list(
        Officer.every.filter(pk__range=(job.arguments["first"], job.arguments["last"])).values_list("pk", flat=True)
    )
    found = standings.differences(ids, progress=progress)
    result: Mapping[str, Any] = {
        "differences": sum(found.values()),
        "members": len(found),
        "ids": sorted(found)[:MOST_NAMED],
    }
    if job.result.get("differences", 0) > result["differences"]:
        result = job.result  # an attempt that died had found more, and may have healed some of it
    if found:
        logger.error(
            "%s standings of %s members differ from their facts and are rebuilt; members by id: %s",
            sum(found.values()),
            len(found),
            ", ".join(str(key) for key in sorted(found)[:MOST_NAMED]),
        )
        jobs.note(job, result)  # before it is healed: what was found must not die with this worker
        standings.rebuild_by_slices(found)
    return result


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees one moment, and of which no two at once write the same day's figures."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        yield


def snapshot(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Write down coverage and goals as found for a day, all of one moment. A day that was written down stays as is."""
    day = date.fromisoformat(job.arguments["day"])
    with _one_moment():
        taken = CoverageSnapshot.objects.filter(day=day), GoalSnapshot.objects.filter(day=day)
        if not any(rows.exists() for rows in taken):
            _write_down(day, progress)
        return {"coverage": taken[0].count(), "goals": taken[1].count()}


def _write_down(day: date, progress: jobs.Progress) -> None:
    taken_at = timezone.now()
    requirements = list(Requirement.objects.all())
    for done, requirement in enumerate(requirements, start=1):
        rows = coverage.standings_on(day, requirement_ids=[requirement.pk])
        CoverageSnapshot.objects.bulk_create(
            [
                CoverageSnapshot(
                    day=day,
                    taken_at=taken_at,
                    requirement=requirement,
                    unit_id=part.unit,
                    shift_id=part.shift,
                    rank_id=part.rank,
                    current=part.current,
                    in_grace=part.in_grace,
                    overdue=part.overdue,
                    excused=part.excused,
                    ever=part.ever,
                )
                for part in coverage.counts(rows, "unit_shift_rank")
            ],
            batch_size=2_000,
        )
        progress(done, len(requirements))
    promised = list(Goal.objects.all())
    found = goals.evaluate_all(promised, as_of=day)
    GoalSnapshot.objects.bulk_create(
        GoalSnapshot(
            day=day,
            taken_at=taken_at,
            goal=goal,
            is_met=found[goal.pk].met,
            have=found[goal.pk].have,
            needed=found[goal.pk].needed,
            counted=found[goal.pk].counted,
        )
        for goal in promised
    )
