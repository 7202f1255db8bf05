"""Answers as known at an earlier moment, for more changed members than a page can wait for.

Known earlier, the engine judges everybody again of whom something was recorded since. Up to `MOST_AT_ONCE` of them a
page does it itself; beyond that a job does it once and keeps the rows, and the page shows how far it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from compliance import jobs
from compliance.gather import Rules, gather_rules
from compliance.models import Job, JobState, KnownAnswer
from compliance.standings import COLUMNS, SLICE, copy_rows, rows_of, touched_since
from roster.facts import Change

MOST_AT_ONCE = 2000
#: How long an answer is kept.
KEPT = timedelta(days=1)


class NotReady(Exception):
    """The answer must be worked out first; `start` asks for that once the request's transaction has ended."""

    def __init__(self, as_of: date, known_at: datetime) -> None:
        super().__init__("The answer must be worked out first.")
        self.as_of, self.known_at = as_of, known_at


def be_ready(known_at: datetime | None, *days: date) -> None:
    """Return when these days can be answered for at once; else `NotReady`. Known now, they always can."""
    if known_at is None or len(touched_since(known_at)) <= MOST_AT_ONCE:
        return
    rules = gather_rules()
    for day in days:
        if find_answer(day, known_at, rules) is None:
            raise NotReady(day, known_at)


def start(as_of: date, known_at: datetime, *, by: User | None) -> Job:
    """The job that works an answer out: the one that was started for it before, or a new one."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [jobs.START_LOCK])
        asked: dict[str, Any] = {"as_of": as_of, "known_at": known_at, "rules_sha256": gather_rules().digest()}
        answer = KnownAnswer.objects.select_related("job").filter(**asked).first()
        if answer is None or answer.job.state == JobState.FAILED or _is_outdated(answer):
            latest = Change.objects.aggregate(latest=Max("at"))["latest"] or known_at
            question = {"as_of": as_of.isoformat(), "known_at": known_at.isoformat(), "after": latest.isoformat()}
            job = jobs.start("known", question, by=by)
            answer, _ = KnownAnswer.objects.update_or_create(**asked, defaults={"job": job, "is_ready": False})
    return answer.job


def find_answer(as_of: date, known_at: datetime, rules: Rules) -> KnownAnswer | None:
    """What a job worked out for exactly this question by exactly these rules, unless too many changed since."""
    found = KnownAnswer.objects.select_related("job").filter(
        as_of=as_of, known_at=known_at, rules_sha256=rules.digest(), is_ready=True
    )
    answer = found.first()
    return None if answer is None or _is_outdated(answer) else answer


def missed_by(answer: KnownAnswer) -> set[int]:
    """Members of whom something was recorded since the answer was asked for: it may lack them.

    What was known of them does not change by that, but the stored standings no longer say it.
    """
    asked = answer.job.arguments
    return touched_since(datetime.fromisoformat(asked.get("after", asked["known_at"])))


def _is_outdated(answer: KnownAnswer) -> bool:
    return answer.is_ready and len(missed_by(answer)) > MOST_AT_ONCE


def work_out(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: judge every member touched since, and keep the rows that hold on the day. Safe to do again."""
    answer = KnownAnswer.objects.filter(job=job).first()
    if answer is None:
        return {"members": 0}
    rules = gather_rules()
    if rules.digest() != answer.rules_sha256:
        raise jobs.JobFailed("The rules changed meanwhile. Ask again.")
    touched = sorted(touched_since(answer.known_at))
    with transaction.atomic():
        answer.rows.all().delete()
        for start in range(0, len(touched), SLICE):
            part = touched[start : start + SLICE]
            rows = [row for row in rows_of(part, rules, known_at=answer.known_at) if row.holds_on(answer.as_of)]
            copy_rows(rows, "compliance_knownanswerrow", answer_id=answer.pk)
            progress(start + len(part), len(touched))
        KnownAnswer.objects.filter(pk=answer.pk).update(is_ready=True)
    return {"members": len(touched)}


def put_into(table: str, answer: KnownAnswer, requirement_ids: Iterable[int]) -> None:
    """Copy an answer's rows of these requirements into a table with the columns of `Standing`. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS}"  # noqa: S608 - constants
            " FROM compliance_knownanswerrow WHERE answer_id = %s AND requirement_id = ANY(%s)",
            [answer.pk, list(requirement_ids)],
        )


def forget_old() -> None:
    """Throw away the answers that have been kept long enough."""
    KnownAnswer.objects.filter(job__requested_at__lt=timezone.now() - KEPT).delete()
