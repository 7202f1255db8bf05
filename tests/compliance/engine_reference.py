"""The standing of one member on one day, worked out the slow way.

Each function answers one sentence of `docs/rules.md` for one day by looking at every fact and, where the rules speak of
an unbroken run or of a date that moves, by stepping a day at a time. Nothing here is shared with the engine but the
types of what goes in, so that a mistake has to be made twice to go unseen. Answers are remembered, so a whole line of
days is cheapest asked in rising order.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Designation,
    Early,
    Edition,
    Employment,
    Equivalency,
    Evidence,
    Extension,
    FirstDue,
    HoursModel,
    Leave,
    LeaveRule,
    LessonPlan,
    MemberFacts,
    Reason,
    State,
    Waiver,
)

DAY = timedelta(days=1)
FOR_GOOD = date.max


class Standing(NamedTuple):
    """What a period says of each of its days."""

    state: State
    due_on: date | None
    edition: int
    unit: int | None
    shift: int | None
    rank: int | None
    basis: int | None
    has_credit: bool
    reason: Reason


class Kind(Enum):
    """What a completion can be to an edition."""

    ENTRY = auto()
    REFRESHER = auto()
    RECERTIFICATION = auto()


class Limit(NamedTuple):
    """A last day, the credit that carries to it, and whether an extension stretched it."""

    last: date
    credited_on: date
    credit: int
    is_stretched: bool


class Membership(NamedTuple):
    """Section 4, for each day."""

    edition_on: Callable[[date], Edition | None]
    home_on: Callable[[date], Assignment | None]
    is_member: Callable[[date], bool]
    joined_on: Callable[[date], date]


class Carried(NamedTuple):
    """Sections 5 and 6 under one edition and without what a break wiped, for each day."""

    has_credit: Callable[[date], bool]
    limit: Callable[[date], Limit | None]
    deadline: Callable[[date], tuple[date, Reason]]


# Section 2


@cache
def add_months(day: date, months: int) -> date:
    """Section 2.3, a month at a time."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


Row = Employment | Assignment | Leave | Designation | Waiver | Equivalency | LessonPlan


def covers(row: Row, day: date) -> bool:
    """Section 2.1."""
    return row.start_on <= day and (row.end_on is None or day <= row.end_on)


def first_of_run(holds: Callable[[date], bool]) -> Callable[[date], date]:
    """The first of the unbroken run of days, up to the day asked, for which something holds."""
    known: dict[date, date] = {}

    def first(day: date) -> date:
        back = day
        while back not in known and holds(back - DAY):
            back -= DAY
        began = known.get(back, back)
        while back <= day:
            known[back] = began
            back += DAY
        return began

    return first


# Section 4


def membership_by_day(editions: Sequence[Edition], member: MemberFacts) -> Membership:
    @cache
    def edition_on(day: date) -> Edition | None:
        begun = [edition for edition in editions if edition.effective_from <= day]
        latest = max(begun, key=lambda edition: edition.effective_from, default=None)
        if latest is None or (latest.effective_to is not None and latest.effective_to < day):
            return None
        return latest

    @cache
    def home_on(day: date) -> Assignment | None:
        begun = [row for row in member.assignments if row.start_on <= day]
        latest = max(begun, key=lambda row: row.start_on, default=None)
        return latest if latest is not None and covers(latest, day) else None

    def acting_rank_on(day: date) -> int | None:
        ranked = [(row.start_on, row.rank) for row in member.acting if row.rank is not None and covers(row, day)]
        return max(ranked)[1] if ranked else None

    def is_employed(day: date) -> bool:
        return any(covers(row, day) for row in member.employments)

    service_began = first_of_run(is_employed)

    @cache
    def is_member(day: date) -> bool:
        edition = edition_on(day)
        if edition is None or not is_employed(day):
            return False
        who = edition.population
        categories = {row.category for row in member.employments if covers(row, day)}
        if who.categories is not None and not categories & who.categories:
            return False
        if add_months(service_began(day), who.min_service_months) > day:
            return False
        home = home_on(day)
        if home is None and any(asked is not None for asked in (who.functions, who.units, who.ranks, who.shifts)):
            return False
        if home is not None:
            rank = home.rank
            if who.acting_counts and acting_rank_on(day) is not None:
                rank = acting_rank_on(day)
            for asked, held in (
                (who.functions, home.function),
                (who.units, home.unit),
                (who.ranks, rank),
                (who.shifts, home.shift),
            ):
                if asked is not None and held not in asked:
                    return False
        return who.designations is None or any(
            row.code in who.designations and (row.is_voluntary or not who.voluntary_only)
            for row in member.designations
            if covers(row, day)
        )

    return Membership(edition_on, home_on, is_member, first_of_run(is_member))


# Section 5


def courses_of(completion: Completion) -> set[int]:
    """Section 5: the course taken and those it counts as on the day it was completed."""
    course = completion.course
    also = {row.counts_as for row in course.equivalencies if covers(row, completion.completed_on)}
    return {course.key} | also


def hours_of(completion: Completion) -> float | None:
    return completion.hours if completion.hours is not None else completion.course.hours


def kind_of(edition: Edition, completion: Completion) -> Kind | None:
    """Section 5, all that can be said of a completion by itself: what it is credit for, if it meets every minimum."""
    course, hours = completion.course, hours_of(completion)
    if completion.evidence != Evidence.VERIFIED or not completion.passed:
        return None
    for least in (course.min_score, edition.min_score):
        if least and (completion.score is None or completion.score < least):
            return None
    for least in (course.min_attendance, edition.min_attendance):
        if completion.attendance is not None and completion.attendance < least:
            return None
    if edition.modes is not None and course.mode not in edition.modes:
        return None
    if edition.min_block_hours and (hours is None or hours < edition.min_block_hours):
        return None
    if completion.lesson_plan is not None and not covers(completion.lesson_plan, completion.completed_on):
        return None
    courses = courses_of(completion)
    if courses & edition.entry_courses:
        kind, least = Kind.ENTRY, edition.min_hours
    elif courses & edition.refresher_courses:
        kind, least = Kind.REFRESHER, edition.refresher_min_hours
    elif courses & edition.recert_courses and edition.clock == Clock.CERTIFICATE:
        kind, least = Kind.RECERTIFICATION, 0
    else:
        return None
    if least and not edition.hours and (hours is None or hours < least):
        return None
    return kind


def wiped_through(edition: Edition, member: MemberFacts, day: date) -> date | None:
    """Section 5: the last day employed before the latest separation, ended by that day, that wiped what was earned."""
    found: list[date] = []
    for back in member.employments:
        before = [row for row in member.employments if row.start_on < back.start_on]
        if not edition.break_months or back.start_on > day or not before:
            continue
        if any(covers(row, back.start_on - DAY) for row in before):
            continue
        last = max(row.end_on for row in before if row.end_on is not None)
        if back.start_on > add_months(last, edition.break_months):
            found.append(last)
    return max(found, default=None)


# Section 6


def window_of(edition: Edition, day: date) -> int | None:
    """The number of the cycle's window that a day lies in; None before the first."""
    assert edition.cycle_start is not None
    if day < edition.cycle_start:
        return None
    number = 0
    while add_months(edition.cycle_start, (number + 1) * edition.months) <= day:
        number += 1
    return number


def last_of_window(edition: Edition, number: int) -> date:
    assert edition.cycle_start is not None
    return add_months(edition.cycle_start, (number + 1) * edition.months) - DAY


def leaves_for(edition: Edition, member: MemberFacts) -> list[tuple[date, date | None]]:
    """Leave of the kinds listed with its first and last day, rows that touch or overlap as one; short ones left out."""
    rows = [row for row in member.leaves if edition.leave_kinds is None or row.kind in edition.leave_kinds]

    def is_away(day: date) -> bool:
        return any(covers(row, day) for row in rows)

    found: set[tuple[date, date | None]] = set()
    for row in rows:
        first = row.start_on
        while is_away(first - DAY):
            first -= DAY
        last: date | None = row.start_on
        while last is not None and is_away(last):
            last = None if any(other.end_on is None and covers(other, last) for other in rows) else last + DAY
        if last is None:
            found.add((first, None))
        elif (last - first).days >= edition.leave_min_days:
            found.add((first, last - DAY))
    return sorted(found, key=lambda leave: leave[0])


def moved_by_leave(leaves: Sequence[tuple[date, date | None]], first: date, last: date) -> date:
    """Section 6, `toll`: a last day moved by each day of leave from the first day on that falls on or before it."""
    day = first
    while day <= last:
        for began, ended in leaves:
            if began <= day and ended is None:
                return FOR_GOOD
            if began <= day and ended is not None and day <= ended:
                last += DAY
        day += DAY
    return last


def carried_by_day(
    edition: Edition,
    since: date | None,
    member: MemberFacts,
    membership: Membership,
    deadline_as_of: Callable[[date], date],
) -> Carried:
    """Sections 5 and 6 of one edition as if it had always been in force, over what was completed after `since`.

    `deadline_as_of` is the deadline that held on an earlier day, before anything was wiped since.
    """
    is_summed = edition.hours > 0
    is_rolling_sum = is_summed and edition.hours_model == HoursModel.ROLLING
    kinds = {c.key: kind_of(edition, c) for c in member.completions}
    known = [c for c in member.completions if kinds[c.key] is not None and (since is None or c.completed_on > since)]
    days_of_completions = sorted({c.completed_on for c in known})
    leaves = leaves_for(edition, member)
    extensions = [row for row in member.extensions if row.requirement == edition.requirement]

    # Section 5

    def refresher_counts(completion: Completion) -> bool:
        entries = [
            c.completed_on for c in known if kinds[c.key] is Kind.ENTRY and c.completed_on <= completion.completed_on
        ]
        if not entries:
            return edition.refresher_stands_alone or not edition.entry_courses
        return completion.completed_on >= add_months(min(entries), edition.refresher_min_tenure_months)

    def recertification_counts(completion: Completion) -> bool:
        day = completion.completed_on
        before = limit(day - DAY, day - DAY)
        if before is None or before.last == FOR_GOOD:
            return False
        return -edition.recert_before_days <= (day - before.last).days <= edition.recert_after_days

    def fed_on(day: date) -> list[Completion]:
        """Completions of a day whose hours are summed."""
        return [c for c in known if c.completed_on == day and kinds[c.key] in (Kind.ENTRY, Kind.REFRESHER)]

    def hours_reach(completions: Sequence[Completion]) -> bool:
        return sum(round((hours_of(c) or 0) * 100) for c in completions) >= round(edition.hours * 100)

    def is_alive(completion: Completion, day: date) -> bool:
        """Whether the hours of a completion still count on a day."""
        if edition.clock == Clock.CYCLE:
            window = window_of(edition, completion.completed_on)
            return window is not None and window == window_of(edition, day)
        months = edition.hours_window_months
        return months == 0 or day <= add_months(completion.completed_on, months)

    @cache
    def summed_on() -> list[date]:
        """Model `event`: the days on which the sum was reached."""
        found: list[date] = []
        for day in days_of_completions:
            counted = [
                c
                for earlier in days_of_completions
                if earlier <= day and not any(earlier <= credited_on for credited_on in found)
                for c in fed_on(earlier)
                if is_alive(c, day)
            ]
            if counted and hours_reach(counted):
                found.append(day)
        return found

    def rolling_sum_lasts(day: date) -> date | None:
        """Model `rolling`: the last day on which the completions up to that day reach the hours, if they do then."""

        def are_enough_on(later: date) -> bool:
            return hours_reach(
                [c for past in days_of_completions if past <= day for c in fed_on(past) if is_alive(c, later)]
            )

        last = day
        while are_enough_on(last):
            last += DAY
        return None if last == day else last - DAY

    @cache
    def credits_on(day: date) -> list[tuple[int, date | None]]:
        """The credits of a day, each with the expiry printed on it."""
        found: list[tuple[int, date | None]] = []
        for c in known:
            if c.completed_on == day:
                kind = kinds[c.key]
                if kind is Kind.RECERTIFICATION:
                    is_credit = not is_rolling_sum and recertification_counts(c)
                elif is_summed:
                    is_credit = False
                else:
                    is_credit = kind is Kind.ENTRY or refresher_counts(c)
                if is_credit:
                    found.append((c.key, c.certificate_expires_on))
        if is_summed and fed_on(day) and (rolling_sum_lasts(day) if is_rolling_sum else day in summed_on()):
            found.append((min(c.key for c in fed_on(day)), None))
        return found

    def has_credit(day: date) -> bool:
        return any(credits_on(past) for past in days_of_completions if past <= day)

    # Section 6

    def last_day(credited_on: date, printed: date | None) -> date | None:
        """The last day that a credit carries to by itself; None where it gives no limit."""
        if is_rolling_sum:
            return rolling_sum_lasts(credited_on)
        match edition.clock:
            case Clock.ONCE:
                return FOR_GOOD
            case Clock.CYCLE:
                window = window_of(edition, credited_on)
                return None if window is None else last_of_window(edition, window + 1)
            case Clock.CALENDAR:
                origin, last = credited_on, date(credited_on.year + edition.years, 12, 31)
            case Clock.CERTIFICATE:
                origin, last = credited_on, printed or add_months(credited_on, edition.months)
            case Clock.ROLLING:
                origin = anchor(credited_on)
                last = add_months(origin, edition.months)
        return moved_by_leave(leaves, origin + DAY, last) if edition.leave == LeaveRule.TOLL else last

    def anchor(credited_on: date) -> date:
        """The day that a rolling credit counts from."""
        before = limit(credited_on - DAY, credited_on - DAY)
        if edition.early != Early.KEEP_ANCHOR or before is None or before.last == FOR_GOOD:
            return credited_on
        if 0 <= (before.last - credited_on).days <= edition.keep_anchor_days:
            return before.last
        return credited_on

    @cache
    def limits_given_on(day: date) -> list[Limit]:
        found = []
        for credit, printed in credits_on(day):
            last = last_day(day, printed)
            if last is not None:
                found.append(Limit(last, day, credit, is_stretched=False))
        return found

    @cache
    def stretched_by(extension: Extension) -> Limit | None:
        """The limit that an extension makes of the one still running when it is approved."""
        approved_on = extension.approved_on
        running = limit(approved_on, approved_on - DAY)
        if running is None or not approved_on <= running.last < extension.until_on:
            return None
        return running._replace(last=extension.until_on, is_stretched=True)

    @cache
    def limit(credited_by: date, approved_by: date) -> Limit | None:
        """The limit in force after the credits up to one day and the extensions up to one day."""
        found = [given for day in days_of_completions if day <= credited_by for given in limits_given_on(day)]
        for extension in extensions:
            if extension.approved_on <= approved_by:
                stretched = stretched_by(extension)
                if stretched is not None:
                    found.append(stretched)
        if not found:
            return None
        furthest = [given for given in found if given.last == max(other.last for other in found)]
        credited = [given.credited_on for given in furthest]
        credited_on = min(credited) if edition.clock == Clock.ONCE and not is_rolling_sum else max(credited)
        return min((given for given in furthest if given.credited_on == credited_on), key=lambda given: given.credit)

    @cache
    def first_deadline(joined: date) -> date:
        if edition.clock == Clock.CYCLE:
            following = 1 if edition.first_due == FirstDue.NEXT_WINDOW_END else 0
            due = last_of_window(edition, (window_of(edition, joined) or 0) + following)
        elif edition.first_due == FirstDue.YEAR_END:
            due = date(joined.year, 12, 31)
        elif edition.first_due == FirstDue.NEXT_YEAR_END:
            due = date(joined.year + 1, 12, 31)
        else:
            due = joined + edition.entry_grace_days * DAY
        if edition.entry_due_on is not None and edition.entry_due_on > due:
            due = edition.entry_due_on
        if edition.leave == LeaveRule.TOLL and edition.clock != Clock.CYCLE:
            due = moved_by_leave(leaves, joined, due)
        return due

    @cache
    def was_overdue_on(day: date) -> bool:
        return membership.is_member(day) and deadline_as_of(day) < day

    def days_back(day: date) -> list[date]:
        """Leave `exclude`: the days given back by leave ended in this membership and by that day."""
        if edition.leave != LeaveRule.EXCLUDE:
            return []
        return [
            last + DAY + edition.return_grace_days * DAY
            for first, last in leaves
            if last is not None and membership.joined_on(day) <= last + DAY <= day and not was_overdue_on(first)
        ]

    @cache
    def stretches_grace(extension: Extension) -> bool:
        """Whether an extension finds a deadline still to come, and the credit's limit past or none."""
        approved_on = extension.approved_on
        if not membership.is_member(approved_on):
            return False
        running = limit(approved_on, approved_on - DAY)
        if running is not None and approved_on <= running.last:
            return False
        return approved_on <= max(date_of for date_of, _ in deadlines(approved_on, approved_on - DAY))

    def extended_grace(day: date, approved_by: date) -> list[date]:
        return [
            extension.until_on
            for extension in extensions
            if extension.approved_on <= approved_by
            and stretches_grace(extension)
            and membership.joined_on(extension.approved_on) == membership.joined_on(day)
        ]

    def deadlines(day: date, approved_by: date) -> list[tuple[date, Reason]]:
        """All that the deadline is the latest of, in the order in which a reason is given."""
        found = []
        running = limit(day, approved_by)
        if running is not None:
            found.append((running.last, Reason.CREDIT_EXTENDED if running.is_stretched else Reason.CREDIT_RAN_OUT))
        found.append((first_deadline(membership.joined_on(day)), Reason.FIRST_DEADLINE))
        found += [(due, Reason.BACK_FROM_LEAVE) for due in days_back(day)]
        found += [(due, Reason.GRACE_EXTENDED) for due in extended_grace(day, approved_by)]
        return found

    def deadline(day: date) -> tuple[date, Reason]:
        found = deadlines(day, day)
        return next(each for each in found if each[0] == max(due for due, _ in found))

    return Carried(has_credit, lambda day: limit(day, day), deadline)


# Section 7


def standing_by_day(editions: Sequence[Edition], member: MemberFacts) -> Callable[[date], Standing | None]:
    """A function that gives the member's standing on a day, None on a day that is not one of membership."""
    membership = membership_by_day(editions, member)
    under = {edition.key: edition for edition in editions}

    @cache
    def carried(key: int, since: date | None) -> Carried:
        def deadline_as_of(day: date) -> date:
            return carried(key, wiped_through(under[key], member, day)).deadline(day)[0]

        return carried_by_day(under[key], since, member, membership, deadline_as_of)

    def is_on_waiver(edition: Edition, day: date) -> bool:
        return any(row.requirement == edition.requirement and covers(row, day) for row in member.waivers)

    def is_excused_by_leave(edition: Edition, day: date) -> bool:
        """As of a day within leave the return is not known, and an open leave is long enough."""
        return edition.leave == LeaveRule.EXCLUDE and any(
            covers(row, day) for row in member.leaves if edition.leave_kinds is None or row.kind in edition.leave_kinds
        )

    def standing_on(day: date) -> Standing | None:
        if not membership.is_member(day):
            return None
        edition, home = membership.edition_on(day), membership.home_on(day)
        assert edition is not None
        unit, shift, rank = (home.unit, home.shift, home.rank) if home else (None, None, None)
        now = carried(edition.key, wiped_through(edition, member, day))
        limit, (due, why) = now.limit(day), now.deadline(day)
        ever = now.has_credit(day)
        if is_on_waiver(edition, day):
            return Standing(State.EXCUSED, None, edition.key, unit, shift, rank, None, ever, Reason.ON_WAIVER)
        if is_excused_by_leave(edition, day):
            return Standing(State.EXCUSED, None, edition.key, unit, shift, rank, None, ever, Reason.ON_LEAVE)
        if limit is not None and day <= limit.last:
            until = None if limit.last == FOR_GOOD else limit.last
            because = Reason.CREDIT_EXTENDED if limit.is_stretched else Reason.CREDIT
            return Standing(State.CURRENT, until, edition.key, unit, shift, rank, limit.credit, ever, because)
        if day <= due:
            until = None if due == FOR_GOOD else due
            return Standing(State.IN_GRACE, until, edition.key, unit, shift, rank, None, ever, why)
        basis = None if limit is None else limit.credit
        return Standing(State.OVERDUE, due, edition.key, unit, shift, rank, basis, ever, why)

    return standing_on
