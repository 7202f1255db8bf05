"""Certificates: numbered without gaps, each with a public address nobody can guess, and whether they still hold.

A certificate says what was true when it was issued and is never changed. It holds as long as the record says the same:
the completion it is of, or one that took its place and differs in nothing, as when a class is finished again or two
records of one person are merged; of a person from outside, the seat. Once the record is corrected the certificate is
*replaced*, once it is voided *not valid*.

A number is the agency's code, the year and a place in that year: `PD-2026-0031`. It is public and easy to guess, so
nothing can be looked up by it. The token is what the public address holds: 130 random bits in 26 letters and figures
without those that are easily mistaken for others.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max

from roster.models import Agency
from training.completions import TOLD, evidence_of
from training.models import (
    Certificate,
    ClassSession,
    Completion,
    Enrollment,
    Evidence,
    EvidenceDecision,
    Outcome,
    Result,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
TOKEN_LENGTH = 26
#: What people read for one of these letters, and what belongs to none.
MISTAKEN = str.maketrans("oil", "011", " -")


#: What a completion says, all of which a correction can change.
SAID = tuple("course_id" if name == "course" else name for name in TOLD)
#: With the id of an agency: whoever numbers certificates of it, to the end of the transaction.
NUMBERS_LOCK = 4_127_040


class CertificateRefused(ValidationError):
    """No certificate can be issued; the message is a sentence for people."""


class Validity(StrEnum):
    VALID = "valid"
    REPLACED = "replaced"
    NOT_VALID = "not valid"


# Numbers and tokens


def number_for(agency: Agency, year: int, serial: int) -> str:
    """`PD-2026-0031`."""
    return f"{agency.code.upper()}-{year}-{serial:04d}"


def new_token() -> str:
    """26 letters of 32 kinds: 130 bits."""
    return "".join(secrets.choice(LETTERS) for _ in range(TOKEN_LENGTH))


def token_as_typed(text: str) -> str:
    """The token that somebody typed off a certificate: capitals, spaces and hyphens do not matter."""
    return text.lower().translate(MISTAKEN)


def spoken_token(token: str) -> str:
    """`k7m2-9qtx-...`: in groups, as it is printed."""
    return "-".join(re.findall(".{1,4}", token))


# Issuing


def issue(
    agency: Agency,
    *,
    completions: Iterable[Completion] = (),
    seats: Mapping[Enrollment, date] | None = None,
    issued_on: date,
    by: User | None,
) -> list[Certificate]:
    """Number a certificate for each of these that has none which holds; those that were made, in the order given.

    For completions that passed, and for seats of people from outside with the day on which they met the last piece. It
    holds the agency's numbers to the end of the caller's transaction, so they have no gaps, also when that fails. Where
    facts are recorded it is the last thing inside `recording()`: after every other lock, before the order of commits.
    Five queries at most, whatever the number.
    """
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NUMBERS_LOCK, agency.pk % 2**31])
        made = [*_of_completions(list(completions)), *_of_seats(seats or {})]
        year = issued_on.year
        rows = Certificate.objects.filter(agency=agency, year=year)
        last = (rows.aggregate(last=Max("serial"))["last"] or 0) if made else 0
        for serial, certificate in enumerate(made, start=last + 1):
            certificate.agency, certificate.year, certificate.serial = agency, year, serial
            certificate.number, certificate.token = number_for(agency, year, serial), new_token()
            certificate.issued_on, certificate.issued_by = issued_on, by
        return Certificate.objects.bulk_create(made)


def _of_completions(completions: Sequence[Completion]) -> list[Certificate]:
    """One for each that has none which holds."""
    have = holding(completions)
    return [Certificate(completion=row, completed_on=row.completed_on) for row in completions if row.pk not in have]


def _of_seats(seats: Mapping[Enrollment, date]) -> list[Certificate]:
    """One for each whose last one does not say this day. At most one query."""
    latest = _latest_of_seats(seats) if seats else {}
    return [
        Certificate(enrollment=seat, completed_on=day)
        for seat, day in seats.items()
        if seat.pk not in latest or latest[seat.pk].completed_on != day
    ]


def issue_for(completion: Completion, *, issued_on: date, by: User) -> Certificate:
    """The certificate of a completion however it was recorded: the one it has, or a new one of the member's agency.

    `CertificateRefused` where there is nothing to certify: voided, not passed, evidence not verified, or certified by
    somebody else already.
    """
    existing = holding([completion]).get(completion.pk)
    if existing is not None:
        return existing
    reason = why_none(completion)
    if reason:
        raise CertificateRefused(reason)
    issue(completion.officer.agency, completions=[completion], issued_on=issued_on, by=by)
    return holding([completion])[completion.pk]


def why_none(completion: Completion) -> str:
    """Why no certificate can be issued for a completion; blank where one can. At most one query."""
    if completion.voided_in_id is not None:
        return "This completion was corrected or voided, so there is nothing to certify."
    if completion.result != Result.PASSED:
        return f"The result is {completion.get_result_display()}: a certificate is for those who passed."
    if completion.certificate_number:
        return f"The certificate {completion.certificate_number} was issued for it already, by whoever gave the course."
    if completion.provider:
        return f"The course was given by {completion.provider}, who certifies it."
    if evidence_of(completion) != Evidence.VERIFIED:
        return "Its evidence is not verified. Verify it first."
    return ""


def issue_of_class(session: ClassSession, *, issued_on: date, by: User | None) -> int:
    """Certificates of everybody who passed a finished class and has none that holds; how many were made.

    Of members whose completion stands with verified evidence, and of people from outside. Eight queries at most.
    """
    with transaction.atomic(savepoint=False):
        completions, outside = _to_certify(session)
        return len(issue(session.agency, completions=completions, seats=outside, issued_on=issued_on, by=by))


def lacking(session: ClassSession) -> int:
    """How many certificates `issue_of_class` would make now. Five queries at most."""
    completions, outside = _to_certify(session)
    return len(_of_completions(completions)) + len(_of_seats(outside))


def _to_certify(session: ClassSession) -> tuple[list[Completion], dict[Enrollment, date]]:
    """By name: completions of a class that can be certified, and seats of people from outside who passed it."""
    rows = session.enrollments.filter(outcome=Outcome.PASSED).select_related("completion", "officer")
    passed = sorted(rows, key=lambda seat: (seat.name.casefold(), seat.pk))
    stand = [seat.completion for seat in passed if seat.completion and seat.completion.voided_in_id is None]
    good = verified(stand)
    completions = [row for row in stand if row.pk in good and not row.certificate_number]
    return completions, {seat: seat.outcome_on for seat in passed if seat.officer_id is None and seat.outcome_on}


# Whether they hold


def validities(certificates: Collection[Certificate]) -> dict[int, Validity]:
    """Certificate -> whether it holds. At most four queries, and one for each correction of a correction.

    Give them with `completion` and `enrollment` selected.
    """
    completions = {row.completion_id: row.completion for row in certificates if row.completion is not None}
    ends = what_stands(list(completions.values()))
    good = verified([row for row in ends.values() if row is not None])
    seats = [row.enrollment for row in certificates if row.enrollment is not None]
    latest = _latest_of_seats(seats) if seats else {}
    found: dict[int, Validity] = {}
    for row in certificates:
        if row.completion is not None:
            now = ends[row.completion.pk]
            holds, is_same = now is not None and now.pk in good, now is not None and _says_the_same(row.completion, now)
        else:
            assert row.enrollment is not None  # noqa: S101 - a constraint: a certificate is of the one or the other
            holds = row.enrollment.outcome == Outcome.PASSED
            is_same = latest[row.enrollment.pk] == row and row.completed_on == row.enrollment.outcome_on
        found[row.pk] = (Validity.VALID if is_same else Validity.REPLACED) if holds else Validity.NOT_VALID
    return found


def _says_the_same(before: Completion, now: Completion) -> bool:
    return all(getattr(before, name) == getattr(now, name) for name in SAID)


def holding(completions: Sequence[Completion]) -> dict[int, Certificate]:
    """Completion -> its certificate: its own, or that of one in whose place it stands and which says the same.

    Whether it passed is not asked. One query, and one for each correction of a correction.
    """
    before: dict[int, list[Completion]] = {row.pk: [row] for row in completions}
    origins = {row.pk: row.replaces_id for row in completions if row.replaces_id is not None}
    while origins:
        earlier = Completion.objects.in_bulk(set(origins.values()))
        for key, origin in origins.items():
            before[key].append(earlier[origin])
        origins = {key: found for key, origin in origins.items() if (found := earlier[origin].replaces_id) is not None}
    same = {row.pk: key for key, chain in before.items() for row in chain if _says_the_same(row, chain[0])}
    rows = Certificate.objects.filter(completion__in=same).order_by("pk") if same else ()
    return {same[row.completion_id]: row for row in rows if row.completion_id is not None}


def _latest_of_seats(seats: Iterable[Enrollment]) -> dict[int, Certificate]:
    """Seat -> the last certificate issued for it. One query."""
    rows = Certificate.objects.filter(enrollment__in=list(seats)).order_by("pk")
    return {row.enrollment_id: row for row in rows if row.enrollment_id is not None}


def what_stands(completions: Sequence[Completion]) -> dict[int, Completion | None]:
    """Completion -> itself, or what stands in its place by now; None where nothing does.

    No query where none was voided, and one for each correction of a correction.
    """
    found: dict[int, Completion | None] = {}
    following = {row.pk: row for row in completions}
    while following:
        for first, row in following.items():
            found[first] = row if row.voided_in_id is None else None
        voided = {row.pk: first for first, row in following.items() if row.voided_in_id is not None}
        later = Completion.objects.filter(replaces__in=voided).order_by("voided_in", "pk") if voided else ()
        # that order ends with those that stand: of several, such a one wins
        following = {voided[row.replaces_id]: row for row in later if row.replaces_id is not None}
    return found


def verified(completions: Sequence[Completion]) -> set[int]:
    """Of these, the ids of those that passed and whose evidence is verified. At most one query."""
    decisions = EvidenceDecision.objects.known().filter(completion__in=completions) if completions else ()
    decided = {row.completion_id: row.decision for row in decisions}
    return {
        row.pk
        for row in completions
        if row.result == Result.PASSED and decided.get(row.pk, row.evidence) == Evidence.VERIFIED
    }
