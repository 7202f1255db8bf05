"""What is written down about a class: its blocks and tests, who sat in it, what was marked, what was taken.

Lines are only added. What holds is the latest line of a cell, and of attempts those that nothing replaced or struck.
Everybody who adds lines to a class, or finishes it, holds its row first (`holding`), so they follow one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from roster.access import own_members
from training import judging
from training.models import (
    Attendance,
    ClassSession,
    ClassState,
    CourseTest,
    Enrollment,
    Meeting,
    SeatState,
    TestAttempt,
)
from training.schedule import INSTANT, last_day

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: (seat, block)
Cell = tuple[int, int]
#: States of seats whose people a class is about; the others wait or have left.
SEATED = frozenset({SeatState.ENROLLED, SeatState.NO_SHOW})

CLOSED = {
    ClassState.FINISHED: "This class is finished. Reopen it to change what was marked.",
    ClassState.CANCELLED: "This class was cancelled.",
}


class EntryRefused(ValidationError):
    """What cannot be entered about a class; the messages are sentences for people."""


@contextmanager
def holding(session: ClassSession, *others: int) -> Iterator[ClassSession]:
    """A transaction with the row of a class, locked and as it is now; `others` are ids of classes locked with it.

    Rows are taken in the order of their ids. Seats may be added meanwhile by whoever does not hold the class.
    """
    with transaction.atomic():
        rows = ClassSession.objects.select_related("agency", "course", "lesson_plan").select_for_update(
            no_key=True, of=("self",)
        )
        held = {row.pk: row for row in rows.filter(pk__in={session.pk, *others}).order_by("pk")}
        yield held[session.pk]


def refuse_closed(session: ClassSession) -> None:
    """Nothing is marked in a class that is finished or was cancelled."""
    if session.state in CLOSED:
        raise EntryRefused(CLOSED[ClassState(session.state)])


def day_of(meeting: Meeting) -> date:
    """The day that a block is called by, on the clock of the agency: that on which it begins."""
    return timezone.localdate(meeting.starts_at)


def over_on(meeting: Meeting) -> date:
    """The day on which the last minute of a block that counts was over: of one past midnight, the day after.

    As planned, or as it really was once that is known. Midnight itself belongs to the day that ends.
    """
    began_at = meeting.starts_at if meeting.began_at is None else meeting.began_at
    counted = max(timedelta(minutes=length(meeting)), INSTANT)
    return last_day(began_at.astimezone(UTC) + counted)


def minutes_between(start: datetime, end: datetime) -> int:
    """Whole minutes that pass; the difference of two times of one zone would be that of their clocks."""
    return int((end.timestamp() - start.timestamp()) // 60)


def planned_minutes(meeting: Meeting) -> int:
    """Minutes that pass, also on a day when the clock changes."""
    return minutes_between(meeting.starts_at, meeting.ends_at)


def length(meeting: Meeting) -> int:
    """The minutes that count: as planned, or as it really was where that was shorter."""
    planned = planned_minutes(meeting)
    if meeting.began_at is None or meeting.ended_at is None:
        return planned
    return min(planned, minutes_between(meeting.began_at, meeting.ended_at))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a course asks of everybody in a class, and gives for it: percentages, and the hours it counts for."""

    min_attendance: Decimal
    min_score: Decimal
    hours: Decimal | None
    state_approval: str
    tests: tuple[judging.AskedTest, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it; numbers as text."""
        return {
            "min_attendance": str(self.min_attendance),
            "min_score": str(self.min_score),
            "hours": str(self.hours) if self.hours is not None else None,
            "state_approval": self.state_approval,
            "tests": [[test.key, test.name, str(test.pass_mark)] for test in self.tests],
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Asked:
        return cls(
            Decimal(plain["min_attendance"]),
            Decimal(plain["min_score"]),
            Decimal(plain["hours"]) if plain["hours"] is not None else None,
            plain["state_approval"],
            tuple(judging.AskedTest(key, name, Decimal(mark)) for key, name, mark in plain["tests"]),
        )

    def pass_mark(self, test: judging.AskedTest) -> Decimal:
        """What passes a test, in percent: its own mark, or the course's where that is higher."""
        return max(test.pass_mark, self.min_score)


def hours_of(session: ClassSession) -> Decimal | None:
    """The hours a class counts for: of a finished one, those of its course then."""
    return Asked.of_plain(session.asked).hours if session.asked else session.course.hours


def approval_of(session: ClassSession) -> str:
    """The state approval number under which a class was given: of a finished one, that of its course then."""
    return Asked.of_plain(session.asked).state_approval if session.asked else session.course.state_approval


@dataclass(frozen=True, slots=True)
class Written:
    """An attempt with its place among those of its day: that of the line it corrects, if it corrects one."""

    attempt: TestAttempt
    order: int


@dataclass(frozen=True)
class ClassRecord:
    """Everything written down about a class. Made by `read`."""

    session: ClassSession
    blocks: list[Meeting]
    #: those the class has to pass: of the course, and given-up ones that somebody in this class took
    tests: list[CourseTest]
    #: everybody with a seat, and who left with something written down
    seats: list[Enrollment]
    #: every line, oldest first
    lines: list[Attendance]
    #: every attempt, also replaced and struck ones, oldest first
    attempts: list[TestAttempt]

    @property
    def last_line(self) -> int:
        """The id of the last line: what a page shows was true as of it."""
        return max((line.pk for line in self.lines), default=0)

    @cached_property
    def last_attempt(self) -> int:
        return max((attempt.pk for attempt in self.attempts), default=0)

    @cached_property
    def marks(self) -> dict[Cell, Attendance]:
        return self.marks_as_of(self.last_line)

    def marks_as_of(self, last_line: int) -> dict[Cell, Attendance]:
        """Cell -> the line that held when this was the last one."""
        found = (line for line in self.lines if line.made_up_in_id is None and line.pk <= last_line)
        return {(line.enrollment_id, line.meeting_id): line for line in found}

    @cached_property
    def make_ups(self) -> dict[tuple[int, int, int], Attendance]:
        """(seat, block, block it was made up in) -> the line that holds; 0 minutes were taken back."""
        found = (line for line in self.lines if line.made_up_in_id is not None)
        return {(line.enrollment_id, line.meeting_id, line.made_up_in_id): line for line in found if line.made_up_in_id}

    @cached_property
    def made_up(self) -> dict[int, list[Attendance]]:
        """Seat -> what its person made up, in the order of time."""
        found: dict[int, list[Attendance]] = {}
        for (seat, _, _), line in self.make_ups.items():
            if line.minutes:
                found.setdefault(seat, []).append(line)
        for of_seat in found.values():
            of_seat.sort(key=lambda line: (made_up_on(line), line.pk))
        return found

    @cached_property
    def minutes(self) -> dict[int, dict[int, int]]:
        """Seat -> block -> minutes there; a block that nobody marked is missing."""
        found: dict[int, dict[int, int]] = {}
        for (seat, block), line in self.marks.items():
            found.setdefault(seat, {})[block] = line.minutes
        return found

    @cached_property
    def standing(self) -> dict[int, list[Written]]:
        """Seat -> the attempts that stand, in the order in which they were taken."""
        by_id = {attempt.pk: attempt for attempt in self.attempts}
        replaced = {attempt.replaces_id for attempt in self.attempts}

        def first(attempt: TestAttempt) -> int:
            while attempt.replaces_id is not None:
                attempt = by_id[attempt.replaces_id]
            return attempt.pk

        found: dict[int, list[Written]] = {}
        for attempt in self.attempts:
            if attempt.pk not in replaced and not attempt.is_struck:
                found.setdefault(attempt.enrollment_id, []).append(Written(attempt, first(attempt)))
        for of_seat in found.values():
            of_seat.sort(key=lambda written: (written.attempt.taken_on, written.order))
        return found

    @cached_property
    def terms(self) -> judging.Terms:
        course = self.session.course
        return judging.Terms(
            blocks=tuple(judging.Block(block.pk, over_on(block), length(block)) for block in self.blocks),
            tests=tuple(judging.AskedTest(test.pk, test.name, test.pass_mark) for test in self.tests),
            min_attendance=course.min_attendance,
            min_score=course.min_score,
        )

    def seat(self, enrollment: Enrollment) -> judging.Seat:
        """What is known of one person, as it is judged."""
        return judging.Seat(
            minutes=self.minutes.get(enrollment.pk, {}),
            made_up=tuple(
                judging.MakeUp(line.meeting_id, made_up_on(line), min(line.minutes, length(line.made_up_in)))
                for line in self.made_up.get(enrollment.pk, ())
                if line.made_up_in is not None
            ),
            attempts=tuple(map(as_judged, self.standing.get(enrollment.pk, ()))),
            did_not_come=enrollment.state == SeatState.NO_SHOW,
        )

    @cached_property
    def asked(self) -> Asked:
        """What is asked of everybody: of a finished class what was asked then, whatever became of its course since."""
        if self.session.asked:
            return Asked.of_plain(self.session.asked)
        course = self.session.course
        return Asked(
            course.min_attendance, course.min_score, course.hours, course.state_approval, tuple(self.terms.tests)
        )

    def pass_mark(self, test: CourseTest) -> Decimal:
        """What passes a test of this class, in percent: the test's own mark, or the course's where that is higher.

        Of a finished class, as it was then.
        """
        own = judging.AskedTest(test.pk, test.name, test.pass_mark)
        return self.asked.pass_mark(next((each for each in self.asked.tests if each.key == test.pk), own))

    def judge(self, enrollment: Enrollment) -> judging.Judgement:
        return judging.judge(self.terms, self.seat(enrollment))

    @cached_property
    def seated(self) -> list[Enrollment]:
        """Those whom the class is about, without who left."""
        return [seat for seat in self.seats if seat.state in SEATED]


def made_up_on(line: Attendance) -> date:
    """The day on which a block was made up."""
    assert line.made_up_in is not None  # noqa: S101 - asked of make-ups only
    return over_on(line.made_up_in)


def as_judged(written: Written) -> judging.Attempt:
    attempt = written.attempt
    return judging.Attempt(attempt.test_id, attempt.taken_on, attempt.score, written.order, attempt.remedial_on)


def read(session: ClassSession) -> ClassRecord:
    """Everything written down about a class. Five queries, whatever the number of people."""
    blocks = list(Meeting.objects.filter(session=session).select_related("topic").order_by("starts_at", "id"))
    lines = list(
        Attendance.objects.filter(enrollment__session=session)
        .select_related("entered_by", "made_up_in__session")
        .order_by("pk")
    )
    attempts = list(
        TestAttempt.objects.filter(enrollment__session=session).select_related("entered_by", "test").order_by("pk")
    )
    present = {line.enrollment_id for line in lines} | {attempt.enrollment_id for attempt in attempts}
    seats = [
        seat
        for seat in Enrollment.objects.filter(session=session).select_related("officer__agency").order_by("pk")
        if seat.state in SEATED or seat.pk in present
    ]
    replaced = {attempt.replaces_id for attempt in attempts}
    taken = {each.test_id for each in attempts if each.pk not in replaced and not each.is_struck}
    tests = [
        test
        for test in CourseTest.objects.filter(course=session.course_id).order_by("order", "name")
        if not test.is_retired or test.pk in taken
    ]
    return ClassRecord(session, blocks, tests, sorted(seats, key=by_name), lines, attempts)


def by_name(seat: Enrollment) -> tuple[str, int]:
    return seat.name.casefold(), seat.pk


def same_person(seat: Enrollment) -> tuple[object, ...]:
    """What tells whether two seats are of one person: the member, or name, agency and id from outside."""
    if seat.officer_id is not None:
        return (seat.officer_id,)
    return tuple(text.casefold() for text in (seat.outside_name, seat.outside_agency, seat.outside_id))


def refuse_own(seat: Enrollment, by: User | None) -> None:
    """Nobody decides on their own record. Two queries."""
    if seat.officer_id is not None and seat.officer_id in own_members(by):
        raise EntryRefused("This is your own seat. Somebody else has to enter it.")
