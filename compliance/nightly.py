"""The night's work: every standing verified against the facts and healed, then the day's figures written down.

Verification is sliced over the workers; the snapshot is asked for when the last slice has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from compliance import coverage, goals, jobs, standings
from compliance.models import CoverageSnapshot, Goal, GoalSnapshot, Job, JobState, Requirement
from roster.models import Officer

logger = logging.getLogger(__name__)

#: Members in one slice of the verification.
SLICE = 10_000


def start(day: date) -> None:
    """Ask for the night's work of one day, once however often it is called."""
    ids = list(Officer.objects.order_by("pk").values_list("pk", flat=True))
    with transaction.atomic():
        bounds = [(ids[at], ids[min(at + SLICE, len(ids)) - 1]) for at in range(0, len(ids), SLICE)]
        for first, last in bounds or [(0, 0)]:
            jobs.start_once("verify", {"day": day.isoformat(), "first": first, "last": last})


def verify(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Compare the stored standings of some members with what their facts say; report and heal what differs."""
    ids = list(
        Officer.objects.filter(pk__range=(job.arguments["first"], job.arguments["last"])).values_list("pk", flat=True)
    )
    found = standings.differences(ids, progress=progress)
    if found:
        logger.error("%s standings of %s members differed and were rebuilt", sum(found.values()), len(found))
        standings.rebuild_by_slices(sorted(found))
    _snapshot_when_last(job)
    return {"differences": sum(found.values()), "members": len(found)}


def _snapshot_when_last(job: Job) -> None:
    """Ask for the snapshot unless another slice of this night is still to be verified."""
    day = job.arguments["day"]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [jobs.START_LOCK])
        # Said here, under the lock: of two slices that end together the later one sees it.
        Job.objects.filter(pk=job.pk).update(doing="verified")
        open_slices = Job.objects.filter(
            kind="verify", arguments__day=day, state__in=(JobState.WAITING, JobState.RUNNING)
        ).exclude(doing="verified")
        if not open_slices.exists():
            jobs.start_once("snapshot", {"day": day})


def snapshot(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Write down coverage and goals as found for a day. What was written down for that day before stays as it is."""
    day = date.fromisoformat(job.arguments["day"])
    taken_at = timezone.now()
    requirements = list(Requirement.objects.all())
    with transaction.atomic():
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
                ignore_conflicts=True,
            )
            progress(done, len(requirements))
        found = [(goal, goals.evaluate(goal, as_of=day)) for goal in Goal.objects.select_related("requirement")]
        GoalSnapshot.objects.bulk_create(
            [
                GoalSnapshot(
                    day=day,
                    taken_at=taken_at,
                    goal=goal,
                    is_met=result.met,
                    have=result.have,
                    needed=result.needed,
                    counted=result.counted,
                )
                for goal, result in found
            ],
            ignore_conflicts=True,
        )
    return {"requirements": len(requirements), "goals": len(found)}
