"""Tests of a class: attempts with their days and scores, remedial training before a re-test, corrections as lines.

Nothing is overwritten. A correction is a line that replaces the wrong one and keeps its place among the attempts of its
day; an attempt that never was is struck by such a line. After each act the attempts of a person at a test have to make
sense together (`judging.fault_of`): a re-test follows a failed attempt, with the remedial training before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from roster.access import own_members
from roster.records import spoken
from training.class_records import (
    ClassRecord,
    EntryRefused,
    as_judged,
    day_of,
    holding,
    read,
    refuse_closed,
    refuse_own,
)
from training.judging import AskedTest, Attempt, fault_of, plain
from training.models import ClassSession, CourseTest, Enrollment, TestAttempt

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: The place of an attempt that is being entered: after every other of its day.
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Taken:
    """What an entry did: how many attempts it wrote, and people who had one entered meanwhile by somebody else."""

    written: int
    meanwhile: Sequence[TestAttempt]


def enter(
    session: ClassSession,
    test: CourseTest,
    scores: Mapping[int, Decimal],
    *,
    taken_on: date,
    remedial_on: date | None,
    seen: int,
    by: User,
    today: date,
) -> Taken:
    """Write an attempt at one test for each of these seats; `seen` is the last attempt the page showed.

    `remedial_on` goes to those for whom this is a re-test. What was entered meanwhile for a person is told, and nothing
    written for that person; the same entered twice is written once. `EntryRefused` names everything that cannot be.
    """
    with holding(session) as held:
        refuse_closed(held)
        record = read(held)
        seats = {seat.pk: seat for seat in record.seated}
        asked, own = _asked(test), own_members(by)
        _refuse_day(record, taken_on, today)
        newer: dict[int, TestAttempt] = {}
        for attempt in record.attempts:
            if attempt.pk > seen and attempt.test_id == test.pk:
                newer[attempt.enrollment_id] = attempt
        lines: list[TestAttempt] = []
        meanwhile: list[TestAttempt] = []
        faults: list[str] = []
        for key, score in scores.items():
            seat = seats.get(key)
            if seat is None:
                raise EntryRefused("The list of this class changed meanwhile. Look at it again.")
            if key in newer:
                if (newer[key].score, newer[key].taken_on) != (score, taken_on):
                    meanwhile.append(newer[key])
                continue
            before = _standing(record, seat, test)
            remedial = remedial_on if any(each.taken_on <= taken_on for each in before) else None
            fault = fault_of(record.terms, asked, [*before, Attempt(test.pk, taken_on, score, NEWEST, remedial)])
            if seat.officer_id is not None and seat.officer_id in own:
                fault = "This is your own seat. Somebody else has to enter it."
            if fault:
                faults.append(f"{seat.name}: {fault}")
            lines.append(
                TestAttempt(
                    enrollment=seat, test=test, taken_on=taken_on, score=score, remedial_on=remedial, entered_by=by
                )
            )
        if faults:
            raise EntryRefused(faults)
        TestAttempt.objects.bulk_create(lines)
    return Taken(len(lines), meanwhile)


def correct(
    attempt: TestAttempt,
    *,
    why: str,
    by: User,
    today: date,
    score: Decimal | None = None,
    taken_on: date | None = None,
    remedial_on: date | None = None,
    strike: bool = False,
) -> bool:
    """Write the line that replaces an attempt, or with `strike` takes it away; False where it says so already."""
    seat = attempt.enrollment
    with holding(seat.session) as held:
        refuse_closed(held)
        refuse_own(seat, by)
        record = read(held)
        written = next((each for each in record.standing.get(seat.pk, ()) if each.attempt == attempt), None)
        if written is None:
            if strike and TestAttempt.objects.filter(replaces=attempt, is_struck=True).exists():
                return False
            raise EntryRefused("Somebody else corrected this attempt meanwhile. Look at it again.")
        made = TestAttempt(
            enrollment=seat,
            test=attempt.test,
            taken_on=taken_on or attempt.taken_on,
            score=attempt.score if score is None else score,
            remedial_on=attempt.remedial_on if strike else remedial_on,
            replaces=attempt,
            is_struck=strike,
            why=why,
            entered_by=by,
        )
        says = (made.taken_on, made.score, made.remedial_on)
        if not strike and says == (attempt.taken_on, attempt.score, attempt.remedial_on):
            return False
        _refuse_day(record, made.taken_on, today)
        others = [each for each in record.standing[seat.pk] if each.attempt.test_id == attempt.test_id]
        rest = [as_judged(each) for each in others if each != written]
        if not strike:
            rest.append(Attempt(made.test_id, made.taken_on, made.score, written.order, made.remedial_on))
        fault = fault_of(record.terms, _asked(attempt.test), rest)
        if fault:
            raise EntryRefused(fault)
        made.save()
    return True


def _standing(record: ClassRecord, seat: Enrollment, test: CourseTest) -> list[Attempt]:
    found = record.standing.get(seat.pk, ())
    return [as_judged(written) for written in found if written.attempt.test_id == test.pk]


def _asked(test: CourseTest) -> AskedTest:
    return AskedTest(test.pk, test.name, test.pass_mark)


def _refuse_day(record: ClassRecord, taken_on: date, today: date) -> None:
    """Nobody is tested in the future, nor before the class began."""
    if taken_on > today:
        raise EntryRefused("That day is still to come. Enter a test once it was taken.")
    if not record.blocks:
        raise EntryRefused("The class has no blocks yet.")
    first = day_of(record.blocks[0])
    if taken_on < first:
        raise EntryRefused(f"The class began on {spoken(first)}, and the test cannot lie before it.")


def spoken_attempt(attempt: TestAttempt) -> str:
    """`55 % on 17 Apr 2026`."""
    return f"{plain(attempt.score)} % on {spoken(attempt.taken_on)}"
