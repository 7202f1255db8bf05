"""The standing of one member on one day, worked out the slow way.

Each function answers one sentence of `docs/rules.md` for one day by looking at every fact and, where the rules speak of
an unbroken run, by stepping back a day at a time. Nothing here is shared with the engine but the types of what goes in,
so that a mistake has to be made twice to go unseen. Ask for days in rising order: the steps back are remembered.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Edition,
    Employment,
    Evidence,
    FirstDue,
    Leave,
    LeaveRule,
    MemberFacts,
    Reason,
    State,
)

DAY = timedelta(days=1)


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


def add_months(day: date, months: int) -> date:
    """Section 2.3, a month at a time."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def covers(row: Employment | Assignment | Leave, day: date) -> bool:
    """Section 2.1."""
    return row.start_on <= day and (row.end_on is None or day <= row.end_on)


def is_credit(edition: Edition, completion: Completion, entry: bool) -> bool:
    """Section 5, for an entry credit or else a refresher credit, the need of an entry credit left aside."""
    course = completion.course
    if course.key not in (edition.entry_courses if entry else edition.refresher_courses):
        return False
    if completion.evidence != Evidence.VERIFIED or not completion.passed:
        return False
    hours = completion.hours if completion.hours is not None else course.hours
    for least in (edition.min_block_hours, edition.min_hours if entry else edition.refresher_min_hours):
        if least and (hours is None or hours < least):
            return False
    for least in (course.min_score, edition.min_score):
        if least and (completion.score is None or completion.score < least):
            return False
    for least in (course.min_attendance, edition.min_attendance):
        if completion.attendance is not None and completion.attendance < least:
            return False
    return edition.modes is None or course.mode in edition.modes


def standing_by_day(editions: Sequence[Edition], member: MemberFacts) -> Callable[[date], Standing | None]:
    """A function that gives the member's standing on a day, None on a day that is not one of membership."""

    # Section 4

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

    def is_employed(day: date) -> bool:
        return any(covers(row, day) for row in member.employments)

    @cache
    def service_began(day: date) -> date:
        return service_began(day - DAY) if is_employed(day - DAY) else day

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
        for listed, field in (
            (who.functions, "function"),
            (who.units, "unit"),
            (who.ranks, "rank"),
            (who.shifts, "shift"),
        ):
            if listed is not None and (home is None or getattr(home, field) not in listed):
                return False
        return True

    @cache
    def joined_on(day: date) -> date:
        return joined_on(day - DAY) if is_member(day - DAY) else day

    # Section 5

    @cache
    def counting(edition: Edition) -> list[Completion]:
        entries = [c for c in member.completions if is_credit(edition, c, entry=True)]
        refreshers = [
            c
            for c in member.completions
            if is_credit(edition, c, entry=False)
            and c.course.key not in edition.entry_courses
            and (
                edition.refresher_stands_alone
                or not edition.entry_courses
                or any(entry.completed_on <= c.completed_on for entry in entries)
            )
        ]
        return entries + refreshers

    @cache
    def credits_by(edition: Edition, day: date) -> list[Completion]:
        return [c for c in counting(edition) if c.completed_on <= day]

    # Section 6

    def carries_to(edition: Edition, completion: Completion) -> date | None:
        match edition.clock:
            case Clock.ONCE:
                return None
            case Clock.ROLLING:
                return add_months(completion.completed_on, edition.months)
            case Clock.CALENDAR:
                return date(completion.completed_on.year + edition.years, 12, 31)

    def credit_on(edition: Edition, day: date) -> Completion | None:
        """The credit that the limit on that day comes from."""
        found = credits_by(edition, day)
        if not found:
            return None
        if edition.clock == Clock.ONCE:
            earliest = min(c.completed_on for c in found)
            return min((c for c in found if c.completed_on == earliest), key=lambda c: c.key)
        furthest = max(carries_to(edition, c) or date.max for c in found)
        giving = [c for c in found if carries_to(edition, c) == furthest]
        newest = max(c.completed_on for c in giving)
        return min((c for c in giving if c.completed_on == newest), key=lambda c: c.key)

    def first_deadline(edition: Edition, day: date) -> date:
        joined = joined_on(day)
        match edition.first_due:
            case FirstDue.GRACE:
                due = joined + edition.entry_grace_days * DAY
            case FirstDue.YEAR_END:
                due = date(joined.year, 12, 31)
            case FirstDue.NEXT_YEAR_END:
                due = date(joined.year + 1, 12, 31)
        return max(due, edition.entry_due_on or due)

    @cache
    def leaves(edition: Edition) -> list[tuple[date, date | None]]:
        """Qualifying leave, each with its first and last day."""
        if edition.leave != LeaveRule.EXCLUDE:
            return []
        groups: list[list[Leave]] = []
        for row in member.leaves:
            if edition.leave_kinds is None or row.kind in edition.leave_kinds:
                near = [group for group in groups if any(is_one_leave(row, other) for other in group)]
                groups = [group for group in groups if group not in near]
                groups.append([row, *(other for group in near for other in group)])
        found: list[tuple[date, date | None]] = []
        for group in groups:
            first = min(row.start_on for row in group)
            ends = [row.end_on for row in group if row.end_on is not None]
            last = max(ends) if len(ends) == len(group) else None
            if last is None or last - first + DAY >= edition.leave_min_days * DAY:
                found.append((first, last))
        return found

    def is_one_leave(row: Leave, other: Leave) -> bool:
        return (row.end_on is None or other.start_on <= row.end_on + DAY) and (
            other.end_on is None or row.start_on <= other.end_on + DAY
        )

    def is_on_leave(edition: Edition, day: date) -> bool:
        return any(first <= day and (last is None or day <= last) for first, last in leaves(edition))

    def due_back_from_leave(edition: Edition, day: date) -> list[date]:
        found = []
        for first, last in leaves(edition):
            if last is None or not joined_on(day) <= last + DAY <= day:
                continue
            was_overdue = is_member(first) and deadline(edition, first) < first
            if not was_overdue:
                found.append(last + DAY + edition.return_grace_days * DAY)
        return found

    def limit(edition: Edition, day: date) -> date | None:
        credit = credit_on(edition, day)
        return None if credit is None else carries_to(edition, credit) or date.max

    @cache
    def deadline(edition: Edition, day: date) -> date:
        return max(limit(edition, day) or date.min, first_deadline(edition, day), *due_back_from_leave(edition, day))

    # Section 7

    def reason_for(edition: Edition, day: date) -> Reason:
        due = deadline(edition, day)
        if limit(edition, day) == due:
            return Reason.CREDIT_RAN_OUT
        return Reason.FIRST_DEADLINE if first_deadline(edition, day) == due else Reason.BACK_FROM_LEAVE

    def standing_on(day: date) -> Standing | None:
        if not is_member(day):
            return None
        edition, home = edition_on(day), home_on(day)
        assert edition is not None
        unit, shift, rank = (home.unit, home.shift, home.rank) if home else (None, None, None)
        credit = credit_on(edition, day)
        key = None if credit is None else credit.key
        has_credit = credit is not None
        if is_on_leave(edition, day):
            return Standing(State.EXCUSED, None, edition.key, unit, shift, rank, None, has_credit, Reason.ON_LEAVE)
        if credit is not None:
            until = carries_to(edition, credit)
            if until is None or day <= until:
                return Standing(State.CURRENT, until, edition.key, unit, shift, rank, key, True, Reason.CREDIT)
        due = deadline(edition, day)
        why = reason_for(edition, day)
        if day <= due:
            return Standing(State.IN_GRACE, due, edition.key, unit, shift, rank, None, has_credit, why)
        return Standing(State.OVERDUE, due, edition.key, unit, shift, rank, key, has_credit, why)

    return standing_on
