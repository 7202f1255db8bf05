"""PURE. What attendance and tests come to for one person of a class: passed and when, or why not.

Standard library only. `judge()` reads no clock and no database, so whoever asks it twice gets the same answer.

Attendance is a share of the minutes of the class: of every block its planned minutes, or the minutes it really took
where it was shorter. A block that ran over asks nobody for more than was planned, and one that ended early for no more
than was taught. Minutes count up to the length of their block; a make-up counts hour for hour, up to what was missed.

A test counts by the last attempt that stands, and the score of the class is the lowest of those. The date is the day on
which the last piece was met: the last hour, make-up or test (`rules.md` section 5), so that what the completion says
was true on that day. Percentages are compared as whole numbers and printed cut off, never rounded up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the class and its length in minutes, which may be 0."""

    key: int
    held_on: date
    minutes: int


@dataclass(frozen=True, slots=True)
class MakeUp:
    """Minutes in a block of another class, for those that were missed in one of this class."""

    block: int
    held_on: date
    minutes: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One test taken. Attempts of one day follow one another in their `order`; the score is a percentage."""

    test: int
    taken_on: date
    score: Decimal
    order: int = 0
    remedial_on: date | None = None


@dataclass(frozen=True, slots=True)
class AskedTest:
    """A test of the course; its own pass mark, in percent, is raised to the course's minimum where that is higher."""

    key: int
    name: str
    pass_mark: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the class held, and what its course asks of everybody. Percentages."""

    blocks: Sequence[Block]
    tests: Sequence[AskedTest] = ()
    min_attendance: Decimal = Decimal(0)
    min_score: Decimal = Decimal(0)

    @property
    def minutes(self) -> int:
        return sum(block.minutes for block in self.blocks)

    def passes(self, test: AskedTest, score: Decimal) -> bool:
        return score >= self.pass_mark(test)

    def pass_mark(self, test: AskedTest) -> Decimal:
        return max(test.pass_mark, self.min_score)


@dataclass(frozen=True, slots=True)
class Seat:
    """What is known of one person: block -> minutes there; a block that nobody marked is missing."""

    minutes: Mapping[int, int]
    made_up: Sequence[MakeUp] = ()
    attempts: Sequence[Attempt] = ()
    #: said of the seat as a whole
    did_not_come: bool = False


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer. `why` says what is lacking, in sentences; it is empty for who passed."""

    verdict: Verdict
    #: only of who passed
    completed_on: date | None = None
    #: the lowest of the tests' scores; None while one was not taken, or where the course has none
    score: Decimal | None = None
    #: percent, cut off after two decimals; None of a class without blocks
    attendance: Decimal | None = None
    #: attended and made up
    minutes: int = 0
    why: tuple[str, ...] = ()
    #: what a person should know before accepting it, though nothing is lacking
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attended:
    """Minutes that count, and the days on which they were had."""

    there: int
    made_up: int
    last_there: date | None
    last_made_up: date | None

    @property
    def minutes(self) -> int:
        return self.there + self.made_up

    @property
    def last_on(self) -> date | None:
        return max((day for day in (self.last_there, self.last_made_up) if day), default=None)


def judge(terms: Terms, seat: Seat) -> Judgement:
    """What the class comes to for this person."""
    attended = count_minutes(terms, seat)
    attendance = percent(attended.minutes, terms.minutes)
    last = last_attempts(seat.attempts)
    score = _score(terms, last)
    if seat.did_not_come or _came_to_nothing(terms, seat, attended):
        return Judgement(Verdict.NO_SHOW, attendance=attendance, why=("Did not come.",))
    failed = _failed(terms, last)
    lacks = [*_lacks_attendance(terms, seat, attended), *_lacks_tests(terms, last)]
    if failed or lacks:
        verdict = Verdict.FAILED if failed else Verdict.INCOMPLETE
        return Judgement(verdict, None, score, attendance, attended.minutes, (*failed, *lacks))
    assert attended.last_on is not None  # noqa: S101 - who was in no block lacks attendance
    tested = [last[test.key].taken_on for test in terms.tests]
    notes = _notes(terms, attended, tested)
    return Judgement(Verdict.PASSED, max([attended.last_on, *tested]), score, attendance, attended.minutes, notes=notes)


def count_minutes(terms: Terms, seat: Seat) -> Attended:
    """Minutes up to the length of each block, and what was made up, earliest first, up to what was missed of it."""
    there = made_up = 0
    days_there: list[date] = []
    days_made_up: list[date] = []
    for block in terms.blocks:
        here = min(seat.minutes.get(block.key, 0), block.minutes)
        if here > 0:
            there += here
            days_there.append(block.held_on)
        missed = block.minutes - here
        for each in sorted((part for part in seat.made_up if part.block == block.key), key=lambda part: part.held_on):
            counted = min(each.minutes, missed)
            if counted > 0:
                missed -= counted
                made_up += counted
                days_made_up.append(each.held_on)
    return Attended(there, made_up, max(days_there, default=None), max(days_made_up, default=None))


def percent(part: int, whole: int) -> Decimal | None:
    """A share in percent, cut off after two decimals: 8,999 of 10,000 is 89.99. None of nothing."""
    return Decimal(part * 10_000 // whole).scaleb(-2) if whole else None


def reaches(part: int, whole: int, least: Decimal) -> bool:
    """Whether a share is at least so many percent; compared exactly."""
    return part * 100 >= least * whole


def last_attempts(attempts: Collection[Attempt]) -> dict[int, Attempt]:
    """Test -> the attempt that decides: the last of those that stand."""
    return {attempt.test: attempt for attempt in in_order(attempts)}


def in_order(attempts: Collection[Attempt]) -> list[Attempt]:
    return sorted(attempts, key=lambda attempt: (attempt.taken_on, attempt.order))


def fault_of(terms: Terms, test: AskedTest, attempts: Collection[Attempt]) -> str:
    """What is wrong with these attempts at one test as a sequence; blank where nothing is.

    Nobody is tested again after passing, and before a re-test comes remedial training: on the day of the failed attempt
    at the earliest, on the day of the re-test at the latest (CALEA 33.1.5).
    """
    ordered = in_order(attempts)
    for before, after in pairwise(ordered):
        if terms.passes(test, before.score):
            return f"{test.name} was passed with {plain(before.score)} % before. Correct that attempt if it is wrong."
        if after.remedial_on is None:
            return f"This is a re-test of {test.name}: say on which day the remedial training was."
        if not before.taken_on <= after.remedial_on <= after.taken_on:
            return "Remedial training comes after the failed attempt, and on the day of the re-test at the latest."
    if ordered and ordered[0].remedial_on is not None:
        return f"This is the first attempt at {test.name}, and remedial training comes before a re-test."
    return ""


def spoken_minutes(minutes: int) -> str:
    """`36 h`, `35 h 30 min`, `20 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def plain(value: Decimal) -> str:
    """`90`, `87.5`: a percentage without zeros at its end."""
    return f"{value.normalize():f}"


def _score(terms: Terms, last: Mapping[int, Attempt]) -> Decimal | None:
    if not terms.tests or any(test.key not in last for test in terms.tests):
        return None
    return min(last[test.key].score for test in terms.tests)


def _came_to_nothing(terms: Terms, seat: Seat, attended: Attended) -> bool:
    """Marked absent from every block, nothing made up, no test taken: did not come."""
    marked = all(block.key in seat.minutes for block in terms.blocks if block.minutes)
    return terms.minutes > 0 and marked and not attended.minutes and not seat.attempts


def _lacks_attendance(terms: Terms, seat: Seat, attended: Attended) -> list[str]:
    if not terms.minutes:
        return ["The class has no blocks."]
    lacks: list[str] = []
    unmarked = sum(block.key not in seat.minutes for block in terms.blocks if block.minutes)
    if unmarked:
        blocks = "1 block is" if unmarked == 1 else f"{unmarked} blocks are"
        lacks.append(f"{blocks} not marked.")
    if not attended.minutes:
        lacks.append("Was in no block.")
    elif not reaches(attended.minutes, terms.minutes, terms.min_attendance):
        share = percent(attended.minutes, terms.minutes)
        lacks.append(
            f"Attended {spoken_minutes(attended.minutes)} of {spoken_minutes(terms.minutes)}, {share} %: "
            f"the course asks for {plain(terms.min_attendance)} %."
        )
    return lacks


def _failed(terms: Terms, last: Mapping[int, Attempt]) -> list[str]:
    return [
        f"{test.name}: {plain(last[test.key].score)} %, and {plain(terms.pass_mark(test))} % passes."
        for test in terms.tests
        if test.key in last and not terms.passes(test, last[test.key].score)
    ]


def _lacks_tests(terms: Terms, last: Mapping[int, Attempt]) -> list[str]:
    if not terms.tests and terms.min_score > 0:
        return [f"The course asks for a score of {plain(terms.min_score)} % and has no test."]
    return [f"{test.name}: not taken." for test in terms.tests if test.key not in last]


def _notes(terms: Terms, attended: Attended, tested: Sequence[date]) -> tuple[str, ...]:
    """A make-up that sets the date though the minimum was met without it."""
    if attended.last_there is None or attended.last_made_up is None:
        return ()
    without = max([attended.last_there, *tested])
    if attended.last_made_up <= without or not reaches(attended.there, terms.minutes, terms.min_attendance):
        return ()
    return (
        "The make-up sets the date, though the minimum was met without it. "
        "Take the make-up back if it should not count.",
    )
