"""The engine: one member's facts and one requirement's editions in, a timeline out.

Pure: standard library only; it reads no clock and no database. `docs/rules.md` restates the rules it decides by, and
each step of it is one function here, in the order of the rules: `membership` (section 4), `counting_credits` (5),
`credit_limit`, `first_deadline` and `deadline` (6). A `Walk` takes a member through the days on which something happens
and answers for the days between them (7), from what has happened by then: a later credit, return from leave or approval
changes nothing before it. Only toll looks ahead, at leave as it is recorded.

Inside, spans of days have a first and a last day, both included. An open span ends on FOREVER, and so does a date that
would lie beyond the calendar: days then compare without asking for None. The caller is shown None for both.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, timedelta
from enum import StrEnum
from itertools import groupby, pairwise, zip_longest
from operator import attrgetter, itemgetter
from typing import NamedTuple, TypeAlias, TypeVar


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
    CYCLE = "cycle"
    CERTIFICATE = "certificate"


class FirstDue(StrEnum):
    """How the first deadline of a membership is found."""

    GRACE = "grace"
    YEAR_END = "year_end"
    NEXT_YEAR_END = "next_year_end"
    WINDOW_END = "window_end"
    NEXT_WINDOW_END = "next_window_end"


class LeaveRule(StrEnum):
    """What leave does to a standing."""

    NONE = "none"
    EXCLUDE = "exclude"
    TOLL = "toll"


class Early(StrEnum):
    """What a credit counts from that is taken while the one before still runs (rolling only)."""

    RESTART = "restart"
    KEEP_ANCHOR = "keep_anchor"


class HoursModel(StrEnum):
    """How hours are added up where an edition asks for a number of them."""

    EVENT = "event"
    ROLLING = "rolling"


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
    CREDIT_EXTENDED = "credit_extended"  # current, or overdue since: an extension stretched the basis through due_on
    GRACE_EXTENDED = "grace_extended"  # in grace or overdue: by an extension of this membership's deadline
    ON_WAIVER = "on_waiver"  # excused


class Kind(StrEnum):
    """What a completion is looked at as, by the list its course is in, and what a credit is."""

    ENTRY = "entry"
    REFRESHER = "refresher"
    RECERTIFICATION = "recertification"
    #: a sum of hours, to which entry and refresher courses add
    HOURS = "hours"


class Refusal(StrEnum):
    """Why a completion does not count on a day."""

    AFTER_THE_DAY = "after_the_day"
    WIPED = "wiped"
    NOT_LISTED = "not_listed"
    PENDING = "pending"
    REJECTED = "rejected"
    NOT_PASSED = "not_passed"
    PLAN_NOT_IN_FORCE = "plan_not_in_force"
    SCORE_MISSING = "score_missing"
    SCORE_BELOW = "score_below"
    ATTENDANCE_BELOW = "attendance_below"
    MODE_NOT_ALLOWED = "mode_not_allowed"
    BLOCK_TOO_SHORT = "block_too_short"
    HOURS_TOO_FEW = "hours_too_few"
    BEFORE_ENTRY = "before_entry"
    BEFORE_TENURE = "before_tenure"
    NO_LIMIT_YET = "no_limit_yet"  # a short recertification without a limit to come before or after
    OUTSIDE_ITS_DAYS = "outside_its_days"  # a short recertification too long before or after the limit
    HOURS_PAST = "hours_past"  # its hours were no longer counted before they made a sum


class Target(StrEnum):
    """The date in force that an extension acts on."""

    LIMIT = "limit"
    DEADLINE = "deadline"


class NoDaysBack(StrEnum):
    """Why a return from leave gives no days back."""

    NOT_A_MEMBER = "not_a_member"
    WAS_OVERDUE = "was_overdue"
    TOO_SHORT = "too_short"


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
    designations: frozenset[str] | None = None
    #: only a designation taken up of one's own will counts
    voluntary_only: bool = False
    #: the rank of a temporary assignment is the rank while it lasts
    acting_counts: bool = False


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
    requirement: int = 0
    refresher_min_tenure_months: int = 0
    #: above 0: entry and refresher courses feed one sum of hours
    hours: float = 0
    hours_model: HoursModel = HoursModel.EVENT
    hours_window_months: int = 0
    cycle_start: date | None = None
    recert_courses: frozenset[int] = frozenset()
    recert_before_days: int = 0
    recert_after_days: int = 0
    early: Early = Early.RESTART
    keep_anchor_days: int = 0
    break_months: int = 0


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
class Designation:
    start_on: date
    end_on: date | None
    code: str
    is_voluntary: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    requirement: int
    start_on: date
    end_on: date


@dataclass(frozen=True, slots=True)
class Extension:
    requirement: int
    until_on: date
    approved_on: date


@dataclass(frozen=True, slots=True)
class Equivalency:
    """The course that has it counts as another, too, from one day to another."""

    counts_as: int
    start_on: date
    end_on: date | None


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """The days on which a lesson plan is in force."""

    start_on: date
    end_on: date | None


@dataclass(frozen=True, slots=True)
class Course:
    key: int
    hours: float | None
    mode: str
    min_score: float
    min_attendance: float
    equivalencies: tuple[Equivalency, ...] = ()


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
    #: the last day printed on the certificate
    certificate_expires_on: date | None = None
    #: None when none is named
    lesson_plan: LessonPlan | None = None


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """Everything known of one member, in any order; voided facts are left out by who gathers them.

    Waivers and extensions of every requirement may be given; an edition looks at those of its own.
    """

    employments: Sequence[Employment] = ()
    assignments: Sequence[Assignment] = ()
    leaves: Sequence[Leave] = ()
    completions: Sequence[Completion] = ()
    designations: Sequence[Designation] = ()
    #: temporary assignments: of them only the rank matters here, where a population counts acting ranks
    acting: Sequence[Assignment] = ()
    waivers: Sequence[Waiver] = ()
    extensions: Sequence[Extension] = ()


class Period(NamedTuple):
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


FOREVER = date.max
NEVER = date.min  # the limit of a member without credit, the grace of one not back from leave: before any day asked
ONE_DAY = timedelta(days=1)

T = TypeVar("T")
Span: TypeAlias = tuple[date, date]
Row: TypeAlias = tuple[date, date, T]
# A completion that counts: its day, its key, what it counts as, and itself.
Counted: TypeAlias = tuple[date, int, Kind, Completion]
# A completion, what it is looked at as, and what it lacks.
Judged: TypeAlias = tuple[Completion, Kind | None, "Lack | None"]
# A credit: the key of the completion (of a sum of hours the lowest of its day), what it is, and the last day it names.
Credit: TypeAlias = tuple[int, Kind, date | None]
# A period's fields after its days, in the order of Period: equal answers on adjacent days are one period.
Answer: TypeAlias = tuple[State, date | None, int, int | None, int | None, int | None, int | None, bool, Reason]


class Lack(NamedTuple):
    """What a completion is refused for, with what was asked and what there was (hours, percent or points).

    Or with the first and the last day on which it would have counted; None leaves them open.
    """

    why: Refusal
    asked: float | None = None
    given: float | None = None
    first_on: date | None = None
    last_on: date | None = None


NOT_LISTED = Lack(Refusal.NOT_LISTED)


class Tally(NamedTuple):
    """Hours added up on a day that brings some: in hundredths, with the completions added and those dropped on it.

    `through` is the last day on which all that are added up still count.
    """

    on: date
    added: Sequence[Counted]
    dropped: Sequence[Counted]
    total: int
    through: date
    is_reached: bool


class Stay(NamedTuple):
    """Days of membership under one edition and one home assignment, in the membership begun on `joined_on`."""

    start_on: date
    end_on: date
    edition: Edition
    home: Assignment | None
    joined_on: date


# Members that are asked for again and again, as plain names: Python 3.11 takes longer to look one up on its class than
# to call a function.
CURRENT, IN_GRACE, OVERDUE, EXCUSED = State.CURRENT, State.IN_GRACE, State.OVERDUE, State.EXCUSED
ONCE, ROLLING, CALENDAR = Clock.ONCE, Clock.ROLLING, Clock.CALENDAR
CYCLE, CERTIFICATE = Clock.CYCLE, Clock.CERTIFICATE
ENTRY, REFRESHER, RECERTIFICATION = Kind.ENTRY, Kind.REFRESHER, Kind.RECERTIFICATION
CREDIT, CREDIT_RAN_OUT, FIRST_DEADLINE = Reason.CREDIT, Reason.CREDIT_RAN_OUT, Reason.FIRST_DEADLINE
VERIFIED, KEEP_ANCHOR = Evidence.VERIFIED, Early.KEEP_ANCHOR
EXCLUDE, TOLL = LeaveRule.EXCLUDE, LeaveRule.TOLL


def timeline(editions: Sequence[Edition], member: MemberFacts) -> tuple[Period, ...]:
    """The member's whole line under one requirement, past and future, in order of time.

    The periods cover the days of membership and no others. Editions and facts may come in any order. Cost: the facts
    are sorted, then passed over once for each edition under which the member has days, and once more for each break in
    service that wipes what was earned before it.
    """
    stays = membership(editions, member)
    line: list[tuple[date, date, Answer]] = []
    for edition in {stay.edition.key: stay.edition for stay in stays}.values():
        found_overdue: dict[date, bool] = {}
        for first, last, completions in after_breaks(edition, member):
            for start, end, answer in Walk(edition, stays, member, completions, found_overdue).answers(first, last):
                if line and line[-1][2] == answer and line[-1][1] == start - ONE_DAY:
                    line[-1] = (line[-1][0], end, answer)
                else:
                    line.append((start, end, answer))
    return tuple([Period(start, shown(end), *answer) for start, end, answer in line])


# Section 2: time


def plus_days(day: date, days: int) -> date:
    return day + timedelta(days) if days <= (FOREVER - day).days else FOREVER


def day_after(day: date) -> date:
    return day + ONE_DAY if day < FOREVER else FOREVER


def plus_months(day: date, months: int) -> date:
    """Calendar months later; a day that the month lacks becomes its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    if year > MAXYEAR:
        return FOREVER
    return date(year, month, day.day if day.day <= 28 else min(day.day, monthrange(year, month)[1]))


def year_end(year: int) -> date:
    return date(year, 12, 31) if year <= MAXYEAR else FOREVER


def shown(day: date) -> date | None:
    """The day as the caller sees it: None when it never comes."""
    return None if day == FOREVER else day


def join_spans(rows: Iterable[Employment | Leave | Designation | Waiver]) -> list[Span]:
    """The days that any of the rows covers, in order; rows that touch or overlap are one span."""
    spans: list[Span] = []
    for start, end in sorted([(row.start_on, row.end_on or FOREVER) for row in rows]):
        if spans and start <= day_after(spans[-1][1]):
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def one_at_a_time(rows: Sequence[tuple[date, date | None, T]]) -> Iterator[Row[T]]:
    """Rows in order of their first day, each ended by the day the next begins."""
    for (start, end, row), following in zip_longest(rows, rows[1:]):
        last = end or FOREVER
        if following is not None and following[0] <= last:
            last = following[0] - ONE_DAY
        if start <= last:
            yield start, last, row


def every_day(rows: Iterable[Row[T]]) -> list[Row[T | None]]:
    """All days in order, with the row that covers them or None; the rows come in order and free of overlaps."""
    spans: list[Row[T | None]] = []
    free_from: date | None = NEVER
    for start, end, row in rows:
        if free_from is not None and free_from < start:
            spans.append((free_from, start - ONE_DAY, None))
        spans.append((start, end, row))
        free_from = end + ONE_DAY if end < FOREVER else None
    if free_from is not None:
        spans.append((free_from, FOREVER, None))
    return spans


def overlaps(spans: Sequence[Span], rows: Sequence[Row[T]]) -> Iterator[Row[T]]:
    """The days that a span and a row have in common, with the row; both come in order and free of overlaps."""
    position = 0
    for start, end in spans:
        while position < len(rows) and rows[position][0] <= end:
            first, last, row = rows[position]
            if max(start, first) <= min(end, last):
                yield max(start, first), min(end, last), row
            if last > end:
                break
            position += 1


# Section 4: membership


def membership(editions: Sequence[Edition], member: MemberFacts) -> list[Stay]:
    """The days of membership in order, each judged by the population of the edition in force that day.

    An unbroken run of days is one membership, whatever the edition and the home assignment.
    """
    homes = home_assignments(member.assignments)
    stays: list[Stay] = []
    for first, last, edition in in_force(editions):
        population = edition.population
        if population.acting_counts and population.ranks is not None and member.acting:
            fitting = [
                (start, end, home)
                for start, end, home, asked in with_acting_rank(homes, member.acting)
                if fits(population, asked)
            ]
        else:
            fitting = [home for home in homes if fits(population, home[2])]
        for start, end, home in overlaps(asked_days(population, member), fitting):
            start_on, end_on = max(start, first), min(end, last)
            if start_on <= end_on:
                unbroken = stays and stays[-1].end_on == start_on - ONE_DAY
                stays.append(Stay(start_on, end_on, edition, home, stays[-1].joined_on if unbroken else start_on))
    return stays


def in_force(editions: Sequence[Edition]) -> Iterator[Row[Edition]]:
    """Each edition with its first and last day; one without a last day ends where the next begins."""
    ordered = sorted(editions, key=attrgetter("effective_from", "key"))
    return one_at_a_time([(edition.effective_from, edition.effective_to, edition) for edition in ordered])


def home_assignments(assignments: Sequence[Assignment]) -> list[Row[Assignment | None]]:
    """All days in order, with the home assignment held on them or None."""
    ordered = sorted(
        assignments,
        key=lambda row: (row.start_on, row.end_on or FOREVER, row.unit, row.shift or 0, row.rank or 0, row.function),
    )
    return every_day(one_at_a_time([(row.start_on, row.end_on, row) for row in ordered]))


def with_acting_rank(
    homes: Sequence[Row[Assignment | None]], acting: Sequence[Assignment]
) -> Iterator[tuple[date, date, Assignment | None, Assignment | None]]:
    """All days in order, with the home assignment and the same as a population asks that counts acting ranks."""
    ranks = list(overlaps([(start, end) for start, end, _ in homes], every_day(acting_ranks(acting))))
    homes_then = overlaps([(start, end) for start, end, _ in ranks], homes)
    for (start, end, rank), (_, _, home) in zip(ranks, homes_then, strict=True):
        yield start, end, home, home if home is None or rank is None else replace(home, rank=rank)


def acting_ranks(acting: Sequence[Assignment]) -> Iterator[Row[int]]:
    """The days of temporary assignments with a rank: of several the one that began last, then the highest rank."""
    rows = sorted([(row.start_on, row.rank, row.end_on or FOREVER) for row in acting if row.rank is not None])
    begun: list[tuple[date, int]] = []
    for (day, newest, its_end), following in zip_longest(rows, rows[1:]):
        begun.append((its_end, newest))
        first, last = day, following[0] - ONE_DAY if following else FOREVER
        while begun and first <= last:
            end, rank = begun[-1]
            if first <= end:
                yield first, min(end, last), rank
                if last <= end:
                    break
                first = end + ONE_DAY
            begun.pop()


def fits(population: Population, home: Assignment | None) -> bool:
    """Whether this home assignment is one of the population's; without lists none is needed."""
    functions, units, ranks, shifts = population.functions, population.units, population.ranks, population.shifts
    if home is None:
        return functions is None and units is None and ranks is None and shifts is None
    return (
        (functions is None or home.function in functions)
        and (units is None or home.unit in units)
        and (ranks is None or home.rank in ranks)
        and (shifts is None or home.shift in shifts)
    )


def asked_days(population: Population, member: MemberFacts) -> list[Span]:
    """The days on which employment, service and designations are those of the population."""
    spans = employed(population, member.employments)
    if population.designations is None:
        return spans
    return [(start, end) for start, end, _ in overlaps(spans, designated(population, member.designations))]


def employed(population: Population, employments: Sequence[Employment]) -> list[Span]:
    """The days employed in one of the population's categories, from the day the months of service are reached.

    Service runs from the first day of unbroken employment, in whatever category.
    """
    in_category = [e for e in employments if population.categories is None or e.category in population.categories]
    spans = join_spans(in_category)
    if not population.min_service_months:
        return spans
    served = [(plus_months(start, population.min_service_months), end, None) for start, end in join_spans(employments)]
    return [(start, end) for start, end, _ in overlaps(spans, served) if start < FOREVER]


def designated(population: Population, designations: Sequence[Designation]) -> list[Row[None]]:
    """The days on which one of the population's designations is held, a voluntary one if it asks for that."""
    listed = population.designations or frozenset()
    held = [row for row in designations if row.code in listed and (row.is_voluntary or not population.voluntary_only)]
    return [(start, end, None) for start, end in join_spans(held)]


# Section 5: what counts


def after_breaks(edition: Edition, member: MemberFacts) -> list[Row[Sequence[Completion]]]:
    """The completions that exist, with the days from which and through which they are all there is.

    Back later than `break_months` after the last day employed, a member has only what was completed after that day.
    """
    found: list[Row[Sequence[Completion]]] = [(NEVER, FOREVER, member.completions)]
    if edition.break_months > 0:
        for (_, left_on), (back_on, _) in pairwise(join_spans(member.employments)):
            if plus_months(left_on, edition.break_months) < back_on:
                found[-1] = (found[-1][0], back_on - ONE_DAY, found[-1][2])
                found.append((back_on, FOREVER, [done for done in member.completions if left_on < done.completed_on]))
    return found


def counting_credits(edition: Edition, completions: Sequence[Completion]) -> list[Completion]:
    """The completions that count, by date and key, each by itself and beside the others.

    Of a short recertification it is seen on its day whether the limit then in force lets it count.
    """
    return [completion for _, _, _, completion in counted(edition, completions)]


def counted(edition: Edition, completions: Sequence[Completion]) -> list[Counted]:
    """`counting_credits` with what each completion counts as."""
    rows: list[Counted] = []
    for completion, kind, lack in judged(edition, completions):
        if lack is None and kind is not None:
            rows.append((completion.completed_on, completion.key, kind, completion))
    rows.sort(key=itemgetter(0, 1))
    return rows


def judged(edition: Edition, completions: Sequence[Completion]) -> list[Judged]:
    """Each completion with what it is looked at as, and what it lacks by itself or beside the others."""
    rows: list[Judged] = []
    entered_on: date | None = None
    has_refreshers = False
    for completion in completions:
        kind = kind_of(edition, completion)
        lack = NOT_LISTED if kind is None else shortfall(edition, completion, kind)
        rows.append((completion, kind, lack))
        if kind is ENTRY and lack is None:
            entered_on = completion.completed_on if entered_on is None else min(entered_on, completion.completed_on)
        has_refreshers = has_refreshers or kind is REFRESHER
    if not has_refreshers or edition.hours > 0:
        return rows
    return [
        (completion, kind, not_opened(edition, entered_on, completion.completed_on))
        if kind is REFRESHER and lack is None
        else (completion, kind, lack)
        for completion, kind, lack in rows
    ]


def credits_by_day(edition: Edition, completions: Sequence[Completion]) -> dict[date, list[Credit]]:
    """The days of credit, each with its credits by key: under `once` the first day, one where all give one limit."""
    rows = counted(edition, completions)
    clock = clock_of(edition)
    found: dict[date, list[Credit]] = {}
    if edition.hours > 0:
        adding = [row for row in rows if row[2] is not RECERTIFICATION]
        for day, credit in sums_of_hours(edition, adding):
            found[day] = [credit]
            if clock is ONCE:
                break
        rows = [row for row in rows if row[2] is RECERTIFICATION]
    for day, key, kind, completion in rows:
        if clock is CERTIFICATE:
            found.setdefault(day, []).append((key, kind, completion.certificate_expires_on))
            found[day].sort(key=itemgetter(0))
        elif day not in found:
            found[day] = [(key, kind, None)]
            if clock is ONCE:
                break
    return found


def kind_of(edition: Edition, completion: Completion) -> Kind | None:
    """What the completion is looked at as: by its course, and by those that it counts as on its day.

    What these count as in turn is not asked.
    """
    course = completion.course
    if not course.equivalencies:
        return listed_as(edition, course.key)
    also = [row.counts_as for row in course.equivalencies if covers(row, completion.completed_on)]
    kinds = {listed_as(edition, key) for key in (course.key, *also)}
    return next((kind for kind in Kind if kind in kinds), None)


def listed_as(edition: Edition, course: int) -> Kind | None:
    """The first of the edition's lists that has the course; that of short recertifications is read under one clock."""
    if course in edition.entry_courses:
        return ENTRY
    if course in edition.refresher_courses:
        return REFRESHER
    if course in edition.recert_courses and clock_of(edition) is CERTIFICATE:
        return RECERTIFICATION
    return None


def covers(row: Equivalency | LessonPlan, day: date) -> bool:
    return row.start_on <= day and (row.end_on is None or day <= row.end_on)


def shortfall(edition: Edition, completion: Completion, kind: Kind) -> Lack | None:
    """What the completion lacks by itself: the first thing found, or None when it meets everything."""
    course, plan = completion.course, completion.lesson_plan
    if completion.evidence is not VERIFIED:
        return Lack(Refusal.PENDING if completion.evidence is Evidence.PENDING else Refusal.REJECTED)
    if not completion.passed:
        return Lack(Refusal.NOT_PASSED)
    if plan is not None and not covers(plan, completion.completed_on):
        return Lack(Refusal.PLAN_NOT_IN_FORCE, first_on=plan.start_on, last_on=plan.end_on)
    score, attendance = completion.score, completion.attendance
    if score is None:
        if edition.min_score > 0 or course.min_score > 0:
            return Lack(Refusal.SCORE_MISSING, max(edition.min_score, course.min_score))
    elif score < edition.min_score or score < course.min_score:
        return Lack(Refusal.SCORE_BELOW, max(edition.min_score, course.min_score), score)
    if attendance is not None and (attendance < edition.min_attendance or attendance < course.min_attendance):
        return Lack(Refusal.ATTENDANCE_BELOW, max(edition.min_attendance, course.min_attendance), attendance)
    if edition.modes is not None and course.mode not in edition.modes:
        return Lack(Refusal.MODE_NOT_ALLOWED)
    hours = hours_of(completion)
    if hours < edition.min_block_hours:
        return Lack(Refusal.BLOCK_TOO_SHORT, edition.min_block_hours, hours)
    least = min_hours(edition, kind)
    return Lack(Refusal.HOURS_TOO_FEW, least, hours) if hours < least else None


def hours_of(completion: Completion) -> float:
    """The hours of the block: its own, else the course's; unknown ones are none."""
    hours = completion.course.hours if completion.hours is None else completion.hours
    return 0 if hours is None else hours


def min_hours(edition: Edition, kind: Kind) -> float:
    """The hours that one completion of this kind must have; none where hours are added up."""
    if edition.hours > 0 or kind is RECERTIFICATION:
        return 0
    return edition.min_hours if kind is ENTRY else edition.refresher_min_hours


def not_opened(edition: Edition, entered_on: date | None, day: date) -> Lack | None:
    """Why a refresher of a day does not count, the first entry credit being of `entered_on`; None when it does.

    It needs an entry credit on or before its date, unless it stands alone or no entry course is asked; and after the
    first one the months of tenure.
    """
    if entered_on is None or day < entered_on:
        needs_entry = edition.entry_courses and not edition.refresher_stands_alone
        return Lack(Refusal.BEFORE_ENTRY, first_on=entered_on) if needs_entry else None
    tenure = edition.refresher_min_tenure_months
    if tenure and day < plus_months(entered_on, tenure):
        return Lack(Refusal.BEFORE_TENURE, first_on=plus_months(entered_on, tenure))
    return None


def hours_roll(edition: Edition) -> bool:
    return edition.hours > 0 and edition.hours_model is HoursModel.ROLLING


def clock_of(edition: Edition) -> Clock | None:
    """The clock that limits go by; none where hours roll."""
    return None if hours_roll(edition) else edition.clock


def hundredths(hours: float) -> int:
    """Hours as they are added up: in whole hundredths, so that sums are exact."""
    return round(hours * 100)


def tallies(edition: Edition, adding: Iterable[Counted]) -> Iterator[Tally]:
    """The hours that count on each day that adds some, the completions being given by date and key.

    Model `event`: once the sum reaches the hours asked it begins again from nothing. Model `rolling`: hours that newer
    ones make needless are dropped, being needless for good.
    """
    asked, total = hundredths(edition.hours), 0
    rolls = hours_roll(edition)
    waiting: deque[tuple[date, int, Counted]] = deque()
    for day, of_the_day in groupby(adding, key=itemgetter(0)):
        added = list(of_the_day)
        through = hours_through(edition, day)
        for row in added:
            hours = hundredths(hours_of(row[3]))
            waiting.append((through, hours, row))
            total += hours
        dropped = []
        while waiting and (waiting[0][0] < day or (rolls and asked <= total - waiting[0][1])):
            _, hours, row = waiting.popleft()
            dropped.append(row)
            total -= hours
        is_reached = total >= asked
        yield Tally(day, added, dropped, total, waiting[0][0] if waiting else NEVER, is_reached)
        if is_reached and not rolls:
            waiting.clear()
            total = 0


def hours_through(edition: Edition, taken_on: date) -> date:
    """The last day on which hours are added up with later ones: so many months later, under a cycle the window's last.

    FOREVER where no months are given; NEVER before the first window.
    """
    if clock_of(edition) is CYCLE:
        window = cycle_window(edition, taken_on)
        return NEVER if window < 0 else window_end(edition, window)
    if not edition.hours_window_months:
        return FOREVER
    return plus_months(taken_on, edition.hours_window_months)


def sums_of_hours(edition: Edition, adding: Iterable[Counted]) -> Iterator[tuple[date, Credit]]:
    """A credit on each day on which hours are added and reach those asked; rolling ones say themselves until when."""
    rolls = hours_roll(edition)
    for tally in tallies(edition, adding):
        if tally.is_reached:
            yield tally.on, (tally.added[0][1], Kind.HOURS, tally.through if rolls else None)


# Section 6: until when


def recert_days(edition: Edition, limit: date) -> Span | None:
    """The days on which a short recertification counts: from so long before the limit in force to so long after it."""
    if limit in (NEVER, FOREVER):
        return None
    before = min(edition.recert_before_days, (limit - NEVER).days)
    return limit - timedelta(before), plus_days(limit, edition.recert_after_days)


def recert_lack(edition: Edition, limit: date, day: date) -> Lack | None:
    """Why a short recertification of a day does not count beside the limit in force; None when it does."""
    days = recert_days(edition, limit)
    if days is None:
        return Lack(Refusal.NO_LIMIT_YET)
    first, last = days
    return None if first <= day <= last else Lack(Refusal.OUTSIDE_ITS_DAYS, first_on=first, last_on=last)


def counts_from(edition: Edition, limit: date, day: date) -> date:
    """The day that a credit of `day` counts from: its own, or the limit still in force that it comes early for."""
    keeps = (
        edition.early is KEEP_ANCHOR
        and clock_of(edition) is ROLLING
        and day <= limit < FOREVER
        and (limit - day).days <= edition.keep_anchor_days
    )
    return limit if keeps else day


def base_limit(edition: Edition, origin: date, expires_on: date | None) -> date:
    """The last day that a credit carries to before leave: the one it names, else by the clock; NEVER when none."""
    return credit_limit(edition, origin) if expires_on is None else expires_on


def credit_limit(edition: Edition, origin: date) -> date:
    """The last day that a credit counted from `origin` carries to by the clock; NEVER when it gives no limit."""
    if edition.clock is ROLLING or edition.clock is CERTIFICATE:
        return plus_months(origin, edition.months)
    if edition.clock is CALENDAR:
        return year_end(origin.year + edition.years)
    if edition.clock is CYCLE:
        window = cycle_window(edition, origin)
        return NEVER if window < 0 else window_end(edition, window + 1)
    return FOREVER


def cycle_window(edition: Edition, day: date) -> int:
    """The number of the window that a day falls in, the first being 0; -1 before it."""
    start = start_of_cycle(edition)
    if day < start:
        return -1
    window = ((day.year - start.year) * 12 + day.month - start.month) // edition.months
    return window if plus_months(start, window * edition.months) <= day else window - 1


def window_end(edition: Edition, window: int) -> date:
    """The last day of a window: the day before the next, counted from the original start."""
    following = plus_months(start_of_cycle(edition), (window + 1) * edition.months)
    return following - ONE_DAY if following < FOREVER else FOREVER


def start_of_cycle(edition: Edition) -> date:
    if edition.cycle_start is None:
        raise ValueError("An edition with the clock cycle needs the day on which its first window starts")
    return edition.cycle_start


class LeaveDays:
    """Qualifying leave as a clock that stands still on its days: what a limit or a deadline is moved by under `toll`.

    Cost: linear to make, logarithmic to ask.
    """

    def __init__(self, leaves: Sequence[Span]) -> None:
        self.leaves = leaves
        self.starts = [start for start, _ in leaves]
        #: days of leave before each leave, and in all
        self.days = [0]
        #: days off leave before each leave, counted from the first day there is
        self.days_off = []
        for start, end in leaves:
            self.days_off.append(start.toordinal() - 1 - self.days[-1])
            self.days.append(self.days[-1] + (end - start).days + 1)

    def between(self, first: date, last: date) -> list[Span]:
        """The leaves, as far as they fall on these days. Cost: linear."""
        return [(max(start, first), min(end, last)) for start, end in self.leaves if start <= last and first <= end]

    def moved(self, limit: date, first: date) -> date:
        """`limit` moved by the days of leave from `first` on that fall on or before it as it moves.

        That is the day on which as many days off leave are over, from `first` on, as there are days to the limit.
        """
        if limit < first:
            return limit
        begun = bisect_left(self.starts, first)
        off = first.toordinal() - 1
        if begun:
            off = max(self.days_off[begun - 1], off - self.days[begun])
        off += (limit - first).days + 1
        day = off + self.days[bisect_left(self.days_off, off)]
        return date.fromordinal(day) if day <= FOREVER.toordinal() else FOREVER


def leave_of_kinds(edition: Edition, leaves: Sequence[Leave]) -> list[Span]:
    """The leaves of the kinds listed; rows that touch or overlap are one leave."""
    return join_spans([leave for leave in leaves if edition.leave_kinds is None or leave.kind in edition.leave_kinds])


def excusing_leave(edition: Edition, leaves: Sequence[Leave]) -> list[Span]:
    """The leave that excuses under `exclude`: of any length, since its end is not known before the day back."""
    return leave_of_kinds(edition, leaves) if edition.leave is EXCLUDE else []


def is_long_enough(edition: Edition, leave: Span) -> bool:
    """Whether a leave qualifies by its length; an open one does."""
    return leave[1] == FOREVER or (leave[1] - leave[0]).days + 1 >= edition.leave_min_days


def tolled_leave(edition: Edition, leaves: Sequence[Leave]) -> LeaveDays | None:
    """The leave that moves limits and first deadlines: qualifying leave under `toll`, though not under a cycle."""
    if edition.leave is not TOLL or clock_of(edition) is CYCLE:
        return None
    return LeaveDays([leave for leave in leave_of_kinds(edition, leaves) if is_long_enough(edition, leave)])


def due_after_joining(edition: Edition, joined_on: date) -> date:
    """The day by which one who joined then must first have credit, `entry_due_on` and leave not looked at."""
    if clock_of(edition) is CYCLE:
        window = max(cycle_window(edition, joined_on), 0)
        return window_end(edition, window + 1 if edition.first_due is FirstDue.NEXT_WINDOW_END else window)
    if edition.first_due is FirstDue.YEAR_END:
        return year_end(joined_on.year)
    if edition.first_due is FirstDue.NEXT_YEAR_END:
        return year_end(joined_on.year + 1)
    return plus_days(joined_on, edition.entry_grace_days)


def first_deadline(edition: Edition, joined_on: date, tolled: LeaveDays | None) -> date:
    """The day before which nobody who joined then is overdue, credit or not."""
    due = due_after_joining(edition, joined_on)
    if edition.entry_due_on is not None:
        due = max(due, edition.entry_due_on)
    return tolled.moved(due, joined_on) if tolled else due


def deadline(limit: date, is_extended: bool, first_due: date, back_due: date, grace_due: date) -> tuple[date, Reason]:
    """The latest of credit limit, first deadline, days back from leave and extended grace; of equal ones the first."""
    due, reason = limit, Reason.CREDIT_EXTENDED if is_extended else CREDIT_RAN_OUT
    if first_due > due:
        due, reason = first_due, FIRST_DEADLINE
    if back_due > due:
        due, reason = back_due, Reason.BACK_FROM_LEAVE
    if grace_due > due:
        due, reason = grace_due, Reason.GRACE_EXTENDED
    return due, reason


def acts_on(day: date, limit: date, due: date | None) -> Target | None:
    """What an extension approved on a day acts on: the limit while it runs, else the deadline while that is to come.

    None when it is refused. `due` is None outside membership.
    """
    if day <= limit:
        return Target.LIMIT
    return Target.DEADLINE if due is not None and day <= due else None


def approvals(edition: Edition, extensions: Iterable[Extension]) -> dict[date, date]:
    """Extensions of this requirement: day approved -> the latest day that those of that day extend to."""
    found: dict[date, date] = {}
    for extension in extensions:
        if extension.requirement == edition.requirement:
            found[extension.approved_on] = max(extension.until_on, found.get(extension.approved_on, NEVER))
    return found


def waived_days(edition: Edition, waivers: Iterable[Waiver]) -> list[Span]:
    return join_spans([waiver for waiver in waivers if waiver.requirement == edition.requirement])


# Section 7: the answer


class Walk:
    """A member on the way through the days on which something happens, and what holds after each of them.

    The edition decides as if it had always been in force, so the walk passes through the days of other editions too.
    What happens on one day happens in the order of the list below: so a credit on the first day of leave keeps that
    leave from finding the member overdue, and an extension acts on what a credit of its day gives.

    `found_overdue` keeps for each first day of a leave whether it found the member overdue. What a break wipes later
    does not change that: the walks before and after a break share it, in this order.
    """

    __slots__ = (
        "back_due",
        "basis",
        "calendar",
        "credits",
        "edition",
        "extensions",
        "first_due",
        "found_overdue",
        "grace_due",
        "has_credit",
        "is_extended",
        "is_waived",
        "leaves",
        "limit",
        "on_leave",
        "origin",
        "stay",
        "stays",
        "tolled",
        "was_overdue",
    )

    def __init__(
        self,
        edition: Edition,
        stays: Sequence[Stay],
        member: MemberFacts,
        completions: Sequence[Completion],
        found_overdue: dict[date, bool],
    ) -> None:
        self.edition = edition
        self.found_overdue = found_overdue
        self.stays = {stay.start_on: stay for stay in stays}
        self.credits = credits_by_day(edition, completions)
        self.extensions = approvals(edition, member.extensions) if member.extensions else {}
        waived = waived_days(edition, member.waivers) if member.waivers else []
        excused = excusing_leave(edition, member.leaves) if member.leaves else []
        self.leaves = {end + ONE_DAY: (start, end) for start, end in excused if end < FOREVER}
        self.tolled = tolled_leave(edition, member.leaves) if member.leaves else None

        self.stay: Stay | None = None
        #: the credit limit in force, the day it counts from (an anchor where that was kept) and the completion it names
        self.limit = self.origin = NEVER
        self.basis: int | None = None
        self.is_extended = self.has_credit = False
        self.first_due = self.back_due = self.grace_due = NEVER
        self.on_leave = self.was_overdue = self.is_waived = False

        self.calendar: dict[date, list[Callable[[date], None]]] = {}
        self.plan(self.depart, [stay.end_on + ONE_DAY for stay in stays if stay.end_on < FOREVER])
        self.plan(self.arrive, self.stays)
        self.plan(self.earn, self.credits)
        self.plan(self.come_back, self.leaves)
        self.plan(self.extend, self.extensions)
        self.plan(self.go_on_leave, [start for start, _ in excused])
        self.plan(self.end_waiver, [end + ONE_DAY for _, end in waived if end < FOREVER])
        self.plan(self.begin_waiver, [start for start, _ in waived])

    def plan(self, happens: Callable[[date], None], days: Iterable[date]) -> None:
        calendar = self.calendar
        for day in days:
            if day in calendar:
                calendar[day].append(happens)
            else:
                calendar[day] = [happens]

    def live(self, day: date) -> None:
        """Let happen what happens on a day of the calendar; the days before it come first."""
        for happens in self.calendar[day]:
            happens(day)

    def depart(self, day: date) -> None:
        self.stay = None

    def arrive(self, day: date) -> None:
        """Joining, or another home assignment or edition in the same membership."""
        self.stay = self.stays[day]
        if self.stay.joined_on == day:
            self.first_due = first_deadline(self.edition, day, self.tolled)
            self.back_due = self.grace_due = NEVER

    def earn(self, day: date) -> None:
        """Credit: of several the latest limit that any gives stands, and of those that give it the newest is named."""
        before = self.limit
        origin = counts_from(self.edition, before, day)
        latest, basis = NEVER, None
        for credit in self.credits[day]:
            limit = self.limit_given(credit, day, origin)
            if limit is not None:
                self.has_credit = True
                if limit > latest:
                    latest, basis = limit, credit[0]
        if NEVER < latest >= before:
            self.limit, self.origin, self.basis, self.is_extended = latest, origin, basis, False

    def limit_given(self, credit: Credit, day: date, origin: date) -> date | None:
        """The limit that a credit of the day gives by itself; None when it is none, NEVER when it gives no limit."""
        _, kind, expires_on = credit
        if kind is RECERTIFICATION and recert_lack(self.edition, self.limit, day) is not None:
            return None
        return self.tolled_limit(base_limit(self.edition, origin, expires_on), origin)

    def tolled_limit(self, base: date, origin: date) -> date:
        """A limit moved by leave after the day it counts from; that of rolling hours stays."""
        if self.tolled is None or hours_roll(self.edition):
            return base
        return self.tolled.moved(base, day_after(origin))

    def come_back(self, day: date) -> None:
        """The return from a leave gives days back, if long enough and not overdue already when it began."""
        self.on_leave = False
        if self.no_days_back(day) is None:
            self.back_due = plus_days(day, self.edition.return_grace_days)

    def no_days_back(self, day: date) -> NoDaysBack | None:
        """Why the return of that day gives no days back; None when it does."""
        if self.stay is None:
            return NoDaysBack.NOT_A_MEMBER
        if self.was_overdue:
            return NoDaysBack.WAS_OVERDUE
        return None if is_long_enough(self.edition, self.leaves[day]) else NoDaysBack.TOO_SHORT

    def extend(self, day: date) -> None:
        """An extension never shortens the date that it acts on, and does nothing when it is refused."""
        until, target = self.extensions[day], self.extended_date(day)
        if target is Target.LIMIT and self.limit < until:
            self.limit, self.is_extended = until, True
        elif target is Target.DEADLINE:
            self.grace_due = max(self.grace_due, until)

    def extended_date(self, day: date) -> Target | None:
        return acts_on(day, self.limit, None if self.stay is None else self.deadline()[0])

    def go_on_leave(self, day: date) -> None:
        self.on_leave = True
        self.was_overdue = self.found_overdue.setdefault(day, self.stay is not None and self.deadline()[0] < day)

    def begin_waiver(self, day: date) -> None:
        self.is_waived = True

    def end_waiver(self, day: date) -> None:
        self.is_waived = False

    def deadline(self) -> tuple[date, Reason]:
        return deadline(self.limit, self.is_extended, self.first_due, self.back_due, self.grace_due)

    def answers(self, first: date, last: date) -> list[Row[Answer]]:
        """The answers from one day through another, as far as this edition decides them.

        These are days of leaving service and of returning to it, so that no run of days of membership has to be cut.
        """
        line: list[Row[Answer]] = []
        days = sorted(self.calendar)
        for day, following in zip_longest(days, days[1:]):
            if day > last:
                break
            self.live(day)
            if self.stay is not None and self.stay.edition is self.edition and first <= day:
                line += self.states(self.stay.home, day, following - ONE_DAY if following else FOREVER)
        return line

    def states(self, home: Assignment | None, day: date, last: date) -> Iterator[Row[Answer]]:
        """Days on which nothing happens: excused, else current, then in grace, then overdue."""
        key, basis, has_credit = self.edition.key, self.basis, self.has_credit
        unit, shift, rank = (home.unit, home.shift, home.rank) if home else (None, None, None)
        if self.is_waived or self.on_leave:
            reason = Reason.ON_WAIVER if self.is_waived else Reason.ON_LEAVE
            yield day, last, (EXCUSED, None, key, unit, shift, rank, None, has_credit, reason)
            return
        limit = self.limit
        if day <= limit:
            reason = Reason.CREDIT_EXTENDED if self.is_extended else CREDIT
            until = last if last < limit else limit
            yield day, until, (CURRENT, shown(limit), key, unit, shift, rank, basis, has_credit, reason)
            if last <= limit:
                return
            day = limit + ONE_DAY
        due, reason = self.deadline()
        if day <= due:
            until = last if last < due else due
            yield day, until, (IN_GRACE, shown(due), key, unit, shift, rank, None, has_credit, reason)
            if last <= due:
                return
            day = due + ONE_DAY
        yield day, last, (OVERDUE, shown(due), key, unit, shift, rank, basis, has_credit, reason)
