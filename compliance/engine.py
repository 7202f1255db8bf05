"""The engine: one member's facts and one requirement's editions in, a timeline out.

Pure: standard library only; it reads no clock and no database. `docs/rules.md` restates the rules it decides by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """The one state a member has under a requirement on a day of membership."""

    CURRENT = "current"
    IN_GRACE = "in_grace"
    OVERDUE = "overdue"
    EXCUSED = "excused"


class Clock(StrEnum):
    """How long a credit lasts."""

    ONCE = "once"
    ROLLING = "rolling"
    CALENDAR = "calendar"


class FirstDue(StrEnum):
    """How the first deadline of a membership is found."""

    GRACE = "grace"
    YEAR_END = "year_end"
    NEXT_YEAR_END = "next_year_end"


class LeaveRule(StrEnum):
    """What leave does to a standing."""

    NONE = "none"
    EXCLUDE = "exclude"


class Evidence(StrEnum):
    VERIFIED = "verified"
    PENDING = "pending"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a period has its state; the sentence is made where it is shown, from this code and the period's values."""

    CREDIT = "credit"  # current: the basis carries through due_on (for good when None)
    FIRST_DEADLINE = "first_deadline"  # in grace or overdue: by the first deadline of this membership
    CREDIT_RAN_OUT = "credit_ran_out"  # overdue: the basis carried through due_on
    BACK_FROM_LEAVE = "back_from_leave"  # in grace or overdue: by the days back from leave
    ON_LEAVE = "on_leave"  # excused


@dataclass(frozen=True, slots=True)
class Population:
    """Who must. None asks nothing; an empty set is met by nobody (a listed code that matches no unit or rank yet).

    `units` holds unit keys with everything below them already added. With functions, units, ranks and shifts
    all None no home assignment is needed.
    """

    categories: frozenset[str] | None = None
    functions: frozenset[str] | None = None
    units: frozenset[int] | None = None
    ranks: frozenset[int] | None = None
    shifts: frozenset[int] | None = None
    min_service_months: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """One dated edition of a requirement; parameters are named as in the requirements file."""

    key: int
    effective_from: date
    effective_to: date | None
    population: Population
    entry_courses: frozenset[int] = frozenset()
    refresher_courses: frozenset[int] = frozenset()
    refresher_stands_alone: bool = False
    min_hours: float = 0
    refresher_min_hours: float = 0
    min_block_hours: float = 0
    min_score: float = 0
    min_attendance: float = 0
    modes: frozenset[str] | None = None
    clock: Clock = Clock.ONCE
    months: int = 0
    years: int = 0
    first_due: FirstDue = FirstDue.GRACE
    entry_grace_days: int = 0
    entry_due_on: date | None = None
    leave: LeaveRule = LeaveRule.NONE
    leave_kinds: frozenset[str] | None = None
    leave_min_days: int = 0
    return_grace_days: int = 0


@dataclass(frozen=True, slots=True)
class Employment:
    start_on: date
    end_on: date | None
    category: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A home assignment. `function` is the unit's own or its nearest parent's. Keys are database ids."""

    start_on: date
    end_on: date | None
    unit: int
    function: str
    shift: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Leave:
    start_on: date
    end_on: date | None
    kind: str


@dataclass(frozen=True, slots=True)
class Course:
    key: int
    hours: float | None
    mode: str
    min_score: float
    min_attendance: float


@dataclass(frozen=True, slots=True)
class Completion:
    """A class finished. `hours`, `score` and `attendance` are None when not given."""

    key: int
    course: Course
    completed_on: date
    hours: float | None = None
    score: float | None = None
    attendance: float | None = None
    passed: bool = True
    evidence: Evidence = Evidence.VERIFIED


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """Everything known of one member, in any order; voided facts are left out by who gathers them."""

    employments: Sequence[Employment] = ()
    assignments: Sequence[Assignment] = ()
    leaves: Sequence[Leave] = ()
    completions: Sequence[Completion] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """An unbroken run of days with one answer; both days included, `end_on` None when open."""

    start_on: date
    end_on: date | None
    state: State
    due_on: date | None
    edition: int
    unit: int | None
    shift: int | None
    rank: int | None
    basis: int | None
    has_credit: bool
    reason: Reason


def timeline(editions: Sequence[Edition], member: MemberFacts) -> tuple[Period, ...]:
    """The member's whole line under one requirement, past and future, in order of time."""
    raise NotImplementedError
