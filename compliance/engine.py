"""The engine: one member's facts and one requirement's editions in, a timeline out.

Pure: standard library only; it reads no clock and no database. `docs/rules.md` restates the rules it decides by, and
each step of it is one function here: `membership` (section 4), `counting_credits` (5), `credit_limits`,
`first_deadline`, `deadline` and `qualifying_leave` (6), `states` (7). `walk` takes a member through the days on which
something happens, and the answer for a day rests on what has happened by then: a later credit or a later return from
leave changes nothing before it.

Inside, spans of days have a first and a last day, both included. An open span ends on FOREVER, and so does a date that
would lie beyond the calendar: days then compare without asking for None. The caller is shown None for both.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from enum import StrEnum
from itertools import zip_longest
from operator import attrgetter
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
# A period's fields after its days, in the order of Period: equal answers on adjacent days are one period.
Answer: TypeAlias = tuple[State, date | None, int, int | None, int | None, int | None, int | None, bool, Reason]


class Stay(NamedTuple):
    """Days of membership under one edition and one home assignment, in the membership begun on `joined_on`."""

    start_on: date
    end_on: date
    edition: Edition
    home: Assignment | None
    joined_on: date


def timeline(editions: Sequence[Edition], member: MemberFacts) -> tuple[Period, ...]:
    """The member's whole line under one requirement, past and future, in order of time.

    The periods cover the days of membership and no others. Editions and facts may come in any order. Cost: the facts
    are sorted, then passed over once for each edition under which the member has days.
    """
    stays = membership(editions, member)
    line: list[tuple[date, date, Answer]] = []
    for edition in {stay.edition.key: stay.edition for stay in stays}.values():
        limits = credit_limits(edition, counting_credits(edition, member.completions))
        leaves = qualifying_leave(edition, member.leaves)
        for start, end, answer in walk(edition, stays, limits, leaves):
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


def join_spans(rows: Iterable[Employment | Leave]) -> list[Span]:
    """The days that any of the rows covers, in order; rows that touch or overlap are one span."""
    spans: list[Span] = []
    for start, end in sorted([(row.start_on, row.end_on or FOREVER) for row in rows]):
        if spans and start <= day_after(spans[-1][1]):
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def one_at_a_time(rows: Sequence[tuple[date, date | None, T]]) -> Iterator[tuple[date, date, T]]:
    """Rows in order of their first day, each ended by the day the next begins."""
    for (start, end, row), following in zip_longest(rows, rows[1:]):
        last = end or FOREVER
        if following is not None and following[0] <= last:
            last = following[0] - ONE_DAY
        if start <= last:
            yield start, last, row


# Section 4: membership


def membership(editions: Sequence[Edition], member: MemberFacts) -> list[Stay]:
    """The days of membership in order, each judged by the population of the edition in force that day.

    An unbroken run of days is one membership, whatever the edition and the home assignment.
    """
    homes = home_assignments(member.assignments)
    stays: list[Stay] = []
    for first, last, edition in in_force(editions):
        population = edition.population
        fitting = [home for home in homes if fits(population, home[2])]
        for start, end, home in overlaps(employed(population, member.employments), fitting):
            start_on, end_on = max(start, first), min(end, last)
            if start_on <= end_on:
                unbroken = stays and stays[-1].end_on == start_on - ONE_DAY
                stays.append(Stay(start_on, end_on, edition, home, stays[-1].joined_on if unbroken else start_on))
    return stays


def in_force(editions: Sequence[Edition]) -> Iterator[tuple[date, date, Edition]]:
    """Each edition with its first and last day; one without a last day ends where the next begins."""
    ordered = sorted(editions, key=attrgetter("effective_from", "key"))
    return one_at_a_time([(edition.effective_from, edition.effective_to, edition) for edition in ordered])


def home_assignments(assignments: Sequence[Assignment]) -> list[tuple[date, date, Assignment | None]]:
    """All days in order, with the home assignment held on them or None."""
    ordered = sorted(
        assignments,
        key=lambda row: (row.start_on, row.end_on or FOREVER, row.unit, row.shift or 0, row.rank or 0, row.function),
    )
    spans: list[tuple[date, date, Assignment | None]] = []
    free_from: date | None = NEVER
    for start, end, row in one_at_a_time([(row.start_on, row.end_on, row) for row in ordered]):
        if free_from is not None and free_from < start:
            spans.append((free_from, start - ONE_DAY, None))
        spans.append((start, end, row))
        free_from = end + ONE_DAY if end < FOREVER else None
    if free_from is not None:
        spans.append((free_from, FOREVER, None))
    return spans


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


def overlaps(spans: Sequence[Span], rows: Sequence[tuple[date, date, T]]) -> Iterator[tuple[date, date, T]]:
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


# Section 5: what counts


def counting_credits(edition: Edition, completions: Sequence[Completion]) -> list[Completion]:
    """The completions that are entry or refresher credit, by date.

    A refresher needs an entry credit on or before its date, unless it stands alone or no entry course is asked.
    """
    entries: list[Completion] = []
    refreshers: list[Completion] = []
    for completion in completions:
        course = completion.course.key
        if course in edition.entry_courses:
            if meets(edition, completion, edition.min_hours):
                entries.append(completion)
        elif course in edition.refresher_courses and meets(edition, completion, edition.refresher_min_hours):
            refreshers.append(completion)
    if edition.entry_courses and not edition.refresher_stands_alone:
        entered_on = min([entry.completed_on for entry in entries], default=FOREVER)
        refreshers = [refresher for refresher in refreshers if entered_on <= refresher.completed_on]
    return sorted(entries + refreshers, key=attrgetter("completed_on", "key"))


def meets(edition: Edition, completion: Completion, min_hours: float) -> bool:
    """Whether the completion is verified, passed, and enough in hours, score, attendance and mode."""
    course = completion.course
    hours = course.hours if completion.hours is None else completion.hours
    min_hours = max(min_hours, edition.min_block_hours)
    min_score = max(course.min_score, edition.min_score)
    return (
        completion.evidence is Evidence.VERIFIED
        and completion.passed
        and (min_hours <= 0 or (hours is not None and hours >= min_hours))
        and (min_score <= 0 or (completion.score is not None and completion.score >= min_score))
        and (
            completion.attendance is None or completion.attendance >= max(course.min_attendance, edition.min_attendance)
        )
        and (edition.modes is None or course.mode in edition.modes)
    )


# Section 6: until when


def credit_limits(edition: Edition, credits: Sequence[Completion]) -> dict[date, tuple[date, int]]:
    """The days on which the credit limit moves, each with the limit from then on and the credit that gives it.

    Of several credits the limit is the latest that any of them gives, and of those that give it the newest is named.
    """
    limits: dict[date, tuple[date, int]] = {}
    for credit in credits:
        day = credit.completed_on
        if day in limits:
            continue
        limits[day] = (credit_limit(edition, day), credit.key)
        if edition.clock is Clock.ONCE:
            break
    return limits


def credit_limit(edition: Edition, credited_on: date) -> date:
    """The last day that a credit of that day carries to."""
    if edition.clock is Clock.ROLLING:
        return plus_months(credited_on, edition.months)
    if edition.clock is Clock.CALENDAR:
        return year_end(credited_on.year + edition.years)
    return FOREVER


def first_deadline(edition: Edition, joined_on: date) -> date:
    """The day before which nobody who joined then is overdue, credit or not."""
    if edition.first_due is FirstDue.YEAR_END:
        due = year_end(joined_on.year)
    elif edition.first_due is FirstDue.NEXT_YEAR_END:
        due = year_end(joined_on.year + 1)
    else:
        due = plus_days(joined_on, edition.entry_grace_days)
    return due if edition.entry_due_on is None else max(due, edition.entry_due_on)


def deadline(limit: date, first_due: date, back_due: date) -> tuple[date, Reason]:
    """The latest of credit limit, first deadline and days back from leave, and which it is: of equal ones the first."""
    due, reason = limit, Reason.CREDIT_RAN_OUT
    if first_due > due:
        due, reason = first_due, Reason.FIRST_DEADLINE
    if back_due > due:
        due, reason = back_due, Reason.BACK_FROM_LEAVE
    return due, reason


def qualifying_leave(edition: Edition, leaves: Sequence[Leave]) -> list[Span]:
    """The leaves that excuse: of the kinds listed, rows that touch or overlap as one, and long enough as recorded."""
    if edition.leave is not LeaveRule.EXCLUDE or not leaves:
        return []
    of_kind = [leave for leave in leaves if edition.leave_kinds is None or leave.kind in edition.leave_kinds]
    return [
        (start, end)
        for start, end in join_spans(of_kind)
        if end == FOREVER or (end - start).days + 1 >= edition.leave_min_days
    ]


# Section 7: the answer


def walk(
    edition: Edition, stays: Sequence[Stay], limits: Mapping[date, tuple[date, int]], leaves: Sequence[Span]
) -> Iterator[tuple[date, date, Answer]]:
    """The answers on the days this edition decides, from one day on which something happens to the next.

    The edition decides as if it had always been in force, so the walk passes through the days of other editions too.
    What happens on a day happens in this order: leaving, joining or moving, a credit, the return from a leave, the
    beginning of one. So a credit on the first day of leave keeps that leave from finding the member overdue.
    """
    stay_from = {stay.start_on: stay for stay in stays}
    leaving = {stay.end_on + ONE_DAY for stay in stays if stay.end_on < FOREVER}
    going = {start for start, _ in leaves}
    returning = {end + ONE_DAY for _, end in leaves if end < FOREVER}
    days = sorted({*stay_from, *leaving, *limits, *going, *returning})

    stay: Stay | None = None
    limit, basis = NEVER, None
    first_due = back_due = NEVER
    on_leave = was_overdue = False
    for day, following in zip_longest(days, days[1:]):
        if day in stay_from:
            stay = stay_from[day]
            if stay.joined_on == day:
                first_due, back_due = first_deadline(edition, day), NEVER
        elif day in leaving:
            stay = None
        if day in limits:
            limit, basis = limits[day]
        if day in returning:
            on_leave = False
            if stay is not None and not was_overdue:
                back_due = plus_days(day, edition.return_grace_days)
        due, reason = deadline(limit, first_due, back_due)
        if day in going:
            on_leave = True
            was_overdue = stay is not None and due < day
        if stay is None or stay.edition is not edition:
            continue

        last = following - ONE_DAY if following else FOREVER
        home = stay.home
        place = (home.unit, home.shift, home.rank) if home else (None, None, None)
        if on_leave:
            yield day, last, (State.EXCUSED, None, edition.key, *place, None, basis is not None, Reason.ON_LEAVE)
            continue
        for start, end, state in states(day, last, limit, due):
            if state is State.CURRENT:
                answer = (state, shown(limit), edition.key, *place, basis, True, Reason.CREDIT)
            else:
                rests_on = basis if state is State.OVERDUE else None
                answer = (state, shown(due), edition.key, *place, rests_on, basis is not None, reason)
            yield start, end, answer


def states(first: date, last: date, limit: date, due: date) -> Iterator[tuple[date, date, State]]:
    """Days off leave on which limit and deadline stand still: current, then in grace, then overdue."""
    for until, state in ((limit, State.CURRENT), (due, State.IN_GRACE), (FOREVER, State.OVERDUE)):
        if first <= until:
            yield first, min(last, until), state
            if last <= until:
                return
            first = until + ONE_DAY
