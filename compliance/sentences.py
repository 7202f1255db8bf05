"""What the answers say to a person: the one place where a reason becomes a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from django.contrib.auth.models import User

from compliance.engine import (
    Clock,
    Early,
    FirstDue,
    HoursModel,
    LeaveRule,
    Reason,
    State,
    plus_months,
    year_end,
)
from compliance.models import Counted, Each, Edition, Goal
from compliance.standings import Row
from training.models import Completion

#: How titles commonly end: `CIT refresher, 8 h`.
HOURS_OF_TITLE = re.compile(r", (\d[\d.]* h)$")


def day(value: date) -> str:
    """`8 Aug 2029`."""
    return f"{value.day} {value:%b %Y}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 member`, `1,204 members`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


class Explained(Protocol):
    """Anything that has a standing's fields by id: a stored standing, or a row straight from the engine."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def start_on(self) -> date: ...
    @property
    def due_on(self) -> date | None: ...
    @property
    def has_credit(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Basis:
    """The completion a standing rests on."""

    title: str
    completed_on: date
    #: as printed on its certificate
    expires_on: date | None = None


def because(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    """Why a standing is what it is: *Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed every ...*.

    `edition` comes with its requirement. No query.
    """
    cited = f" ({', '.join(edition.requirement.citations)})" if edition.requirement.citations else ""
    explain = {
        State.EXCUSED: _excused,
        State.CURRENT: _current,
        State.IN_GRACE: _in_grace,
        State.OVERDUE: _overdue,
    }[State(standing.state)]
    return f"{explain(standing, edition, basis)}{cited}."


def told(
    line: Iterable[Row], editions: Mapping[int, Edition], bases: Mapping[int | None, Basis]
) -> list[tuple[Row, str]]:
    """A member's periods in order of time, each with its sentence; the row of a long one is that of its first days.

    Periods that touch and are equal in all that is shown of them are one line, as where an edition follows another that
    says the same of this member. Standings keep them apart.
    """
    found: list[tuple[Row, str]] = []
    for row in line:
        words = because(row, editions[row.edition], bases.get(row.basis))
        before, said = found[-1] if found else (row, "")
        is_same = said == words and _shown(before) == _shown(row)
        if is_same and before.end_on is not None and before.end_on + timedelta(days=1) == row.start_on:
            found[-1] = (before._replace(end_on=row.end_on), words)
        else:
            found.append((row, words))
    return found


def _shown(row: Row) -> tuple[str, date | None, int | None, int | None]:
    return row.state, row.due_on, row.unit, row.shift


def _excused(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    return "Excused: by a waiver" if standing.reason == Reason.ON_WAIVER else "Excused: on leave"


def _current(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    if standing.due_on is None:
        until = ", without a date while a leave has no last day" if waits_for_leave(edition) else " for good"
        return f"Current{until}: {_rests_on(edition, basis)}"
    extended = ", as extended" if standing.reason == Reason.CREDIT_EXTENDED else ""
    why = [_rests_on(edition, basis)]
    if not adds_up_rolling(edition):
        why.append(renewal(edition) if extended else _carried(standing.due_on, edition, basis))
    return f"Current through {day(standing.due_on)}{extended}: {', '.join(why)}"


def waits_for_leave(edition: Edition) -> bool:
    """Whether who is current without a due date waits for the end of a leave; else the credit is for good."""
    return edition.leave == LeaveRule.TOLL and (edition.clock != Clock.ONCE or adds_up_rolling(edition))


def _in_grace(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    until = f"In grace until {day(standing.due_on)}" if standing.due_on else "In grace without a date"
    match standing.reason:
        case Reason.BACK_FROM_LEAVE:
            back = count(edition.return_grace_days, "day")
            return f"{until}: back from leave, {back} to complete {_what_counts(edition)}"
        case Reason.GRACE_EXTENDED:
            until += ", as extended"
        case _ if standing.due_on is None:
            until += " while a leave has no last day"
        case _:
            until += ", the first deadline here"
    if basis:
        return f"{until}; {_rests_on(edition, basis)} no longer carries"
    if standing.has_credit:
        return f"{until}; what was completed before no longer carries"
    return f"{until}; {_lacking(edition)} yet"


def _overdue(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    since = f"Overdue since {day(standing.due_on + timedelta(days=1)) if standing.due_on else 'always'}"
    due = day(standing.due_on) if standing.due_on else ""
    deadline = "extended deadline" if standing.reason == Reason.GRACE_EXTENDED else "first deadline"
    match standing.reason:
        case Reason.CREDIT_RAN_OUT:
            return f"{since}: {_rests_on(edition, basis)} carried through {due}"
        case Reason.CREDIT_EXTENDED:
            return f"{since}: {_rests_on(edition, basis)} carried through {due}, as extended"
        case Reason.BACK_FROM_LEAVE:
            return f"{since}: {_lacking(edition)} within the days back from leave"
        case _ if basis:
            return f"{since}: {_rests_on(edition, basis)} no longer carries, {deadline} {due}"
        case _:
            return f"{since}: {_lacking(edition)} by the {deadline}, {due}"


def adds_up_rolling(edition: Edition) -> bool:
    """Whether it asks for hours within a window that moves along; it has no clock then."""
    return edition.hours > 0 and edition.hours_model == HoursModel.ROLLING


def _rests_on(edition: Edition, basis: Basis | None) -> str:
    """`CIT refresher on 17 Mar 2023`, or the hours of which it is the last."""
    course = f"{basis.title} on {day(basis.completed_on)}" if basis else ""
    if not edition.hours:
        return course
    within = f" within {count(edition.hours_window_months, 'month')}" if adds_up_rolling(edition) else ""
    return f"{_hours(edition)}{within}, the last of them {course}"


def _hours(edition: Edition) -> str:
    return f"{float(edition.hours):g} hour{'' if edition.hours == 1 else 's'}"


def _what_counts(edition: Edition) -> str:
    return f"{_hours(edition)} of credit" if edition.hours else "a course that counts"


def _lacking(edition: Edition) -> str:
    return f"fewer than {_hours(edition)} of credit" if edition.hours else "no course that counts"


def _carried(due_on: date, edition: Edition, basis: Basis | None) -> str:
    """How long its credit lasts, and what moved the date if something did."""
    if basis is None:
        return renewal(edition)
    words, unmoved = renewal(edition), _unmoved(edition, basis.completed_on)
    if edition.clock == Clock.CERTIFICATE and not edition.hours and basis.expires_on is not None:
        words, unmoved = "by the date on its certificate", basis.expires_on
    moved_by = []
    if due_on != unmoved:
        if edition.early == Early.KEEP_ANCHOR:
            moved_by.append("counted from the date it renewed")
        if edition.leave == LeaveRule.TOLL and edition.clock != Clock.CYCLE:
            moved_by.append("moved by leave")
    return ", ".join([words, *([" or ".join(moved_by)] if moved_by else [])])


def _unmoved(edition: Edition, completed_on: date) -> date | None:
    """The limit of a credit of that day before leave or a kept anchor moved it; None where neither can."""
    if edition.clock in (Clock.ROLLING, Clock.CERTIFICATE):
        return plus_months(completed_on, edition.months)
    return year_end(completed_on.year + edition.years) if edition.clock == Clock.CALENDAR else None


def renewal(edition: Edition) -> str:
    """`renewed every 36 months`: how long a credit of this edition lasts."""
    months = count(edition.months, "month")
    if adds_up_rolling(edition):
        return f"{_hours(edition)} within {count(edition.hours_window_months, 'month')}"
    match edition.clock:
        case Clock.ROLLING:
            return f"renewed every {months}"
        case Clock.CALENDAR:
            return f"renewed by the end of the {ordinal(edition.years)} calendar year after it"
        case Clock.CYCLE:
            return f"renewed in each window of {months}"
        case Clock.CERTIFICATE:
            return f"renewed every {months} or by the date on its certificate"
    return "good for ever"


def ordinal(number: int) -> str:
    words = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return words.get(number, f"{number}{ending}")


def explanations(
    editions: Iterable[int], completions: Iterable[int | None]
) -> tuple[Mapping[int, Edition], Mapping[int | None, Basis]]:
    """What `because` needs for many standings at once: editions by id, and bases by id. Two queries."""
    found = Edition.objects.select_related("requirement", "population").in_bulk(set(editions))
    bases: dict[int | None, Basis] = {
        key: Basis(mapped or title, completed_on, expires_on)
        for key, title, mapped, completed_on, expires_on in Completion.objects.filter(
            pk__in={key for key in completions if key is not None}
        ).values_list("pk", "course__title", "course__same_as__title", "completed_on", "certificate_expires_on")
    }
    return found, bases


def rule(edition: Edition) -> str:
    """The rule of an edition in one plain sentence, made from its parameters. Three queries unless prefetched."""
    asked = _minimums(edition)
    clauses = [
        f"{edition.population.title}: {_asked_for(edition)}{f' with {_and(asked)}' if asked else ''}",
        *_conditions(edition),
        _first_due(edition) + _leave(edition),
    ]
    if edition.break_months:
        clauses.append(
            f"a separation longer than {count(edition.break_months, 'month')} ends what was earned before it"
        )
    return "; ".join(clauses) + "."


def _asked_for(edition: Edition) -> str:
    """The courses or hours that are asked for, and how often."""
    entry = [course.title for course in edition.entry_courses.all()]
    refresher = [course.title for course in edition.refresher_courses.all()]
    if not entry and not refresher:
        return f"no course counts yet, {_every(edition)}"
    if adds_up_rolling(edition):
        within = f"within any {count(edition.hours_window_months, 'month')}"
        return f"{_hours(edition)} of {either([*entry, *refresher])} {within}"
    if edition.hours:
        window = edition.hours_window_months if edition.clock != Clock.CYCLE else 0
        within = f" taken within {count(window, 'month')}" if window else ""
        return f"{_hours(edition)} of {either([*entry, *refresher])}{within}, {_every(edition)}"
    if entry and refresher and edition.clock != Clock.ONCE:
        opens = "" if edition.refresher_stands_alone else " after it"
        return f"{either(entry)}, and{opens} {either([*refresher, *entry])} {_every(edition)}"
    return f"{either([*entry, *refresher])} {_every(edition)}"


def _conditions(edition: Edition) -> list[str]:
    """What decides whether, and from when, a credit counts, each as a clause of its own."""
    found = []
    if edition.refresher_min_tenure_months and not edition.hours:
        after = count(edition.refresher_min_tenure_months, "month")
        found.append(f"a refresher counts from {after} after the entry course on")
    recert = [course.title for course in edition.recert_courses.all()]
    if recert and edition.clock == Clock.CERTIFICATE:
        before, after = count(edition.recert_before_days, "day"), count(edition.recert_after_days, "day")
        found.append(f"{either(recert)} renews it from {before} before the limit to {after} after it")
    if edition.early == Early.KEEP_ANCHOR and not adds_up_rolling(edition):
        early = count(edition.keep_anchor_days, "day")
        found.append(f"renewed at most {early} early, it counts from the limit it renews")
    return found


def either(titles: Iterable[str]) -> str:
    """`CIT basic course (40 h), MHFA (8 h) or CIT refresher`; each title once, and no comma before its hours."""
    unique = list(dict.fromkeys(HOURS_OF_TITLE.sub(r" (\1)", title) for title in titles))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _every(edition: Edition) -> str:
    months = count(edition.months, "month")
    match edition.clock:
        case Clock.ROLLING:
            return f"every {months}"
        case Clock.CALENDAR:
            return "every calendar year" if edition.years == 1 else f"every {edition.years} calendar years"
        case Clock.CYCLE:
            start = f" from {day(edition.cycle_start)} on" if edition.cycle_start else ""
            return f"in each window of {months}{start}"
        case Clock.CERTIFICATE:
            return f"every {months} or by the date on its certificate"
    return "once"


def _minimums(edition: Edition) -> list[str]:
    asked = []
    if edition.min_hours and not edition.hours:
        asked.append(f"at least {float(edition.min_hours):g} hours on entry")
    if edition.refresher_min_hours and not edition.hours:
        asked.append(f"at least {float(edition.refresher_min_hours):g} hours to refresh")
    if edition.min_block_hours:
        asked.append(f"blocks of at least {float(edition.min_block_hours):g} hours")
    if edition.min_score:
        asked.append(f"a score of at least {float(edition.min_score):g}")
    if edition.min_attendance:
        asked.append(f"at least {float(edition.min_attendance):g} % attended")
    if edition.modes:
        asked.append(f"taught as {either([mode.replace('_', ' ') for mode in edition.modes])}")
    return asked


def _first_due(edition: Edition) -> str:
    ends = {
        FirstDue.YEAR_END: "the year of joining",
        FirstDue.NEXT_YEAR_END: "the year after joining",
        FirstDue.WINDOW_END: "the window of joining",
        FirstDue.NEXT_WINDOW_END: "the window after joining",
    }
    if edition.first_due != FirstDue.GRACE:
        text = f"first due at the end of {ends[FirstDue(edition.first_due)]}"
    elif edition.entry_grace_days:
        text = f"first due {count(edition.entry_grace_days, 'day')} after joining"
    else:
        text = "due on joining"
    return text + (f", not before {day(edition.entry_due_on)}" if edition.entry_due_on else "")


def _leave(edition: Edition) -> str:
    if edition.leave == LeaveRule.NONE or (edition.leave == LeaveRule.TOLL and edition.clock == Clock.CYCLE):
        return ""
    kinds = f" ({either([kind.replace('_', ' ') for kind in edition.leave_kinds])})" if edition.leave_kinds else ""
    length = f" of {count(edition.leave_min_days, 'day')} or more" if edition.leave_min_days else ""
    if edition.leave == LeaveRule.TOLL:
        moved = "the first due date" if adds_up_rolling(edition) or edition.clock == Clock.ONCE else "the due date"
        return f"; leave{kinds}{length} moves {moved} by its days"
    back = f", with {count(edition.return_grace_days, 'day')} to catch up after it" if edition.return_grace_days else ""
    return f"; leave{kinds}{length} is excused{back}"


def goal_counts(goal: Goal, codes: Sequence[str] = ()) -> str:
    """Which of the four facts a goal counts, in one sentence. `codes` are the designations it counts; none = any."""
    match goal.counts:
        case Counted.TRAINED:
            return "Trained: ever credited up to this day, current or not."
        case Counted.DESIGNATED:
            named = " or ".join(codes)
            held = f"the designation {named}" if named else "a designation of any kind"
            return f"Designated: holds {held} on this day, trained or not."
        case Counted.AVAILABLE:
            return (
                "Available: current, on no leave of any kind, and counted where the member works on this day; "
                "a temporary assignment goes before the home one. Those asked are counted at home, so a group may have "
                "more than it asks."
            )
        case _:
            return "Certified: current on this day."


def goal_asks(goal: Goal) -> str:
    """What a goal asks of the whole and of its groups, in one sentence."""
    target = f"{float(goal.target_percent):g} %"
    each = goal.get_each_display()
    if goal.each == Each.NONE:
        least = f", and at least {count(goal.min_count, 'member')}" if goal.min_count else ""
        return f"Asked: {target} of the whole{least}."
    least = f", with at least {count(goal.min_count, 'member')} in each" if goal.min_count else ""
    return f"Asked: {target} of the whole and of each {each}{least}."
