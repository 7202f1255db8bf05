"""Why an answer of the engine is what it is: what it was made from, for one member, one requirement and one day.

Pure: standard library and the engine only. Nothing is decided here. A walk is taken through the engine's own steps to
the day asked, and each step says what it did: which completions count and what the others lack, how the date came
about, and what would change it. The sentences are made where they are shown, from these codes and values.

As in the engine's answers, dates that never come are None. Numbers of sections are those of `docs/rules.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from compliance.engine import (
    FOREVER,
    NEVER,
    Answer,
    Clock,
    Completion,
    Counted,
    Credit,
    Edition,
    Evidence,
    Extension,
    Kind,
    Lack,
    MemberFacts,
    NoDaysBack,
    Reason,
    Refusal,
    Span,
    State,
    Stay,
    Target,
    Walk,
    after_breaks,
    base_limit,
    clock_of,
    counted,
    credit_limit,
    day_after,
    due_after_joining,
    first_deadline,
    hours_of,
    hours_roll,
    hours_through,
    hundredths,
    judged,
    kind_of,
    leave_of_kinds,
    membership,
    not_opened,
    recert_days,
    recert_lack,
    shown,
    start_of_cycle,
    tallies,
    waived_days,
)


class Use(StrEnum):
    """What a completion is to the answer of a day."""

    CREDIT = "credit"  # it counts, as its kind says
    NO_LIMIT = "no_limit"  # it counts and carries nowhere: before the first window of a cycle
    ADDED = "added"  # its hours count toward a sum
    SUMMED = "summed"  # its hours are spent in a sum, reached on `credited_on`
    REFUSED = "refused"  # it does not count, for what it lacks


class Change(StrEnum):
    """What would change an answer."""

    ENTRY = "entry"  # any of the entry courses
    REFRESHER = "refresher"  # any of the refreshers
    RECERTIFICATION = "recertification"  # any of the short recertifications
    HOURS = "hours"  # so many more hours of entry courses or refreshers
    VERIFY = "verify"  # verifying the evidence of that completion


class Days(NamedTuple):
    """Days from the first through the last; `end_on` None when open."""

    start_on: date
    end_on: date | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one completion is to the answer (section 5)."""

    completion: Completion
    use: Use
    #: what it is looked at as; None for a course that is not listed, and for one not looked at
    kind: Kind | None
    #: why it does not count, with values; None when it does
    lack: Lack | None
    #: the day it became credit: its own, or that of the sum its hours are spent in; None when it did not
    credited_on: date | None
    #: whether the answer rests on it
    is_basis: bool


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """How the credit limit in force came about (section 6): origin, clock or printed day, leave, extension."""

    #: the completion named: of hours the one that stands for the sum
    basis: int
    credited_on: date
    #: the day it counts from: `credited_on`, or the limit before it that was kept as anchor
    origin: date
    #: whether `base_on` is printed on the certificate rather than reckoned by the clock
    is_printed: bool
    base_on: date | None
    #: the days of leave that move it
    leave: tuple[Days, ...]
    tolled_on: date | None
    #: the last day it carries to, as an extension may have stretched it
    through_on: date | None
    is_extended: bool


@dataclass(frozen=True, slots=True)
class FirstDeadline:
    """How the first deadline of the membership came about (section 6)."""

    joined_on: date
    #: by days after joining, or by the end of a year or window
    rule_on: date | None
    #: the day the edition names, where it does; the later of the two is moved by leave
    entry_due_on: date | None
    leave: tuple[Days, ...]
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Return:
    """A return from leave in this membership: the days back it gives, or why it gives none (section 6)."""

    leave: Days
    back_on: date
    due_on: date | None
    why_not: NoDaysBack | None


@dataclass(frozen=True, slots=True)
class Approval:
    """An extension approved by the day asked, with the date it acted on (section 6)."""

    extension: Extension
    #: what it acted on; None when refused: approved after the date in force, or outside membership
    target: Target | None
    #: the date then in force; None when there was none
    in_force_on: date | None
    #: whether it moved that date
    is_effective: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """The sum of hours that the edition asks for, as it stands on the day (section 5)."""

    asked: float
    #: hours that count on the day toward the next sum or, where hours roll, toward the one sum
    counted: float
    #: the day the last sum was reached, and the hours lost with it; None where hours roll
    reached_on: date | None
    surplus: float


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that would change the answer, from one day through another; None asks nothing."""

    change: Change
    from_on: date | None = None
    by_on: date | None = None
    #: of hours: how many more are missing
    hours: float | None = None
    #: the completion whose evidence waits
    completion: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of a day, and what it was made from. The fields of the answer are those of the engine's period."""

    asked_on: date
    edition: Edition
    state: State
    due_on: date | None
    reason: Reason
    basis: int | None
    has_credit: bool
    #: every completion known, by date and key
    verdicts: tuple[Verdict, ...]
    #: None where no credit gives a limit
    limit: CreditLimit | None
    first_deadline: FirstDeadline
    returns: tuple[Return, ...]
    approvals: tuple[Approval, ...]
    #: the day of the return to service that wiped what was earned before the break
    wiped_on: date | None
    #: None where hours are not added up
    hours: Hours | None
    #: the leave and the waiver that the day falls in, where they excuse
    leave: Days | None
    waiver: Days | None
    remedies: tuple[Remedy, ...]


def explain(editions: Sequence[Edition], member: MemberFacts, day: date) -> Explanation | None:
    """Why the member's standing on a day is what it is, as of that day; None outside membership.

    Cost: as one timeline, and one more for each completion of a listed course whose evidence is pending.
    """
    stays = membership(editions, member)
    stay = next((stay for stay in stays if stay.start_on <= day <= stay.end_on), None)
    if stay is None:
        return None
    edition = stay.edition
    found_overdue: dict[date, bool] = {}
    for first, last, completions in after_breaks(edition, member):
        if day <= last:
            break
        Walk(edition, stays, member, completions, found_overdue).answers(first, last)
    seen = [completion for completion in completions if completion.completed_on <= day]
    walk = _Noted(edition, stays, member, seen, dict(found_overdue))
    _walk_to(day, walk)
    state, due_on, _, _, _, _, basis, has_credit, reason = _answer(walk, stay, day)
    hours, uses = _hours(edition, seen, day)
    verdicts = tuple(_verdicts(walk, member.completions, seen, uses, basis, day))
    return Explanation(
        asked_on=day,
        edition=edition,
        state=state,
        due_on=due_on,
        reason=reason,
        basis=basis,
        has_credit=has_credit,
        verdicts=verdicts,
        limit=_credit_limit(walk),
        first_deadline=_first_deadline(walk, stay.joined_on),
        returns=tuple(walk.returns),
        approvals=tuple(_approvals(walk, member.extensions, day)),
        wiped_on=None if first == NEVER else first,
        hours=hours,
        leave=_covering(leave_of_kinds(edition, member.leaves), day) if walk.on_leave else None,
        waiver=_covering(waived_days(edition, member.waivers), day),
        remedies=(
            *_remedies(walk, state, due_on, verdicts, day),
            *_evidence_that_waits(stays, stay, member, seen, found_overdue, walk, day),
        ),
    )


class _Given(NamedTuple):
    """A credit on its day: what it counted from, what it carried to before leave and whether that was printed."""

    on: date
    origin: date
    base: date
    is_printed: bool


class _Noted(Walk):
    """A walk that notes what each of the engine's steps does."""

    def __init__(
        self,
        edition: Edition,
        stays: Sequence[Stay],
        member: MemberFacts,
        completions: Sequence[Completion],
        found_overdue: dict[date, bool],
    ) -> None:
        self.given: dict[int, _Given] = {}
        self.refused: dict[int, Lack] = {}
        self.returns: list[Return] = []
        #: day approved -> what the extensions of that day act on, and the date then in force
        self.acted: dict[date, tuple[Target | None, date]] = {}
        super().__init__(edition, stays, member, completions, found_overdue)

    def arrive(self, day: date) -> None:
        super().arrive(day)
        if self.stays[day].joined_on == day:
            self.returns.clear()

    def limit_given(self, credit: Credit, day: date, origin: date) -> date | None:
        key, kind, expires_on = credit
        limit = super().limit_given(credit, day, origin)
        lack = recert_lack(self.edition, self.limit, day) if limit is None else None
        if lack is not None:
            self.refused[key] = lack
        else:
            is_printed = expires_on is not None and kind is not Kind.HOURS
            self.given[key] = _Given(day, origin, base_limit(self.edition, origin, expires_on), is_printed)
        return limit

    def come_back(self, day: date) -> None:
        why_not = self.no_days_back(day)
        super().come_back(day)
        self.returns.append(Return(_days(self.leaves[day]), day, None if why_not else shown(self.back_due), why_not))

    def extend(self, day: date) -> None:
        target = self.extended_date(day)
        deadline = self.deadline()[0]
        self.acted[day] = target, self.limit if target is Target.LIMIT or self.stay is None else deadline
        super().extend(day)


def _walk_to(day: date, walk: Walk) -> None:
    """Let happen everything up to and on the day."""
    for happening in sorted(walk.calendar):
        if happening > day:
            break
        walk.live(happening)


def _answer(walk: Walk, stay: Stay, day: date) -> Answer:
    """The answer of the day that the walk has come to."""
    ((_, _, answer),) = walk.states(stay.home, day, day)
    return answer


def _days(span: Span) -> Days:
    return Days(span[0], shown(span[1]))


def _covering(spans: Sequence[Span], day: date) -> Days | None:
    return next((_days(span) for span in spans if span[0] <= day <= span[1]), None)


# Section 5: what counts


def _verdicts(
    walk: _Noted,
    completions: Sequence[Completion],
    seen: Sequence[Completion],
    uses: Mapping[int, tuple[Use, date | None]],
    basis: int | None,
    day: date,
) -> Iterator[Verdict]:
    """What each completion is to the answer; `seen` are those that exist on the day, `uses` what became of hours."""
    looked_at = {completion.key: (kind, lack) for completion, kind, lack in judged(walk.edition, seen)}
    for completion in sorted(completions, key=attrgetter("completed_on", "key")):
        key, taken_on = completion.key, completion.completed_on
        if key not in looked_at:
            lack = Lack(Refusal.AFTER_THE_DAY if day < taken_on else Refusal.WIPED)
            yield Verdict(completion, Use.REFUSED, None, lack, None, is_basis=False)
            continue
        kind, lacking = looked_at[key]
        use, credited_on = uses.get(key, (Use.CREDIT, taken_on))
        if use is Use.REFUSED:
            lacking = Lack(Refusal.HOURS_PAST, last_on=_named(hours_through(walk.edition, taken_on)))
        elif key in walk.refused:
            lacking = walk.refused[key]
        elif use is Use.CREDIT and credit_limit(walk.edition, taken_on) == NEVER:
            use = Use.NO_LIMIT
        if lacking is not None:
            use, credited_on = Use.REFUSED, None
        yield Verdict(completion, use, kind, lacking, credited_on, key == basis)


def _named(day: date) -> date | None:
    """A day as shown; None for one that never was or never comes."""
    return None if day in (NEVER, FOREVER) else day


def _hours(
    edition: Edition, seen: Sequence[Completion], day: date
) -> tuple[Hours | None, dict[int, tuple[Use, date | None]]]:
    """The sum as it stands on the day, and what became of the hours of each completion that adds to one."""
    if edition.hours <= 0:
        return None, {}
    rows = [row for row in counted(edition, seen) if row[2] is not Kind.RECERTIFICATION]
    uses: dict[int, tuple[Use, date | None]] = {}
    waiting: dict[int, Counted] = {row[1]: row for row in rows} if hours_roll(edition) else {}
    reached_on, surplus = None, 0
    if not hours_roll(edition):
        for tally in tallies(edition, rows):
            waiting.update({row[1]: row for row in tally.added})
            for row in tally.dropped:
                del waiting[row[1]]
                uses[row[1]] = (Use.REFUSED, None)
            if tally.is_reached:
                reached_on, surplus = tally.on, tally.total - hundredths(edition.hours)
                uses.update(dict.fromkeys(waiting, (Use.SUMMED, tally.on)))
                waiting.clear()
    total = 0
    for taken_on, key, _, completion in waiting.values():
        is_counted = day <= hours_through(edition, taken_on)
        uses[key] = (Use.ADDED if is_counted else Use.REFUSED, None)
        total += hundredths(hours_of(completion)) if is_counted else 0
    return Hours(edition.hours, total / 100, reached_on, surplus / 100), uses


# Section 6: until when


def _leave_between(walk: Walk, first: date, base: date, moved: date) -> tuple[Days, ...]:
    """The days of leave that moved a date."""
    if walk.tolled is None or moved == base:
        return ()
    return tuple([_days(span) for span in walk.tolled.between(first, moved)])


def _credit_limit(walk: _Noted) -> CreditLimit | None:
    if walk.basis is None:
        return None
    given = walk.given[walk.basis]
    tolled = walk.tolled_limit(given.base, given.origin)
    return CreditLimit(
        basis=walk.basis,
        credited_on=given.on,
        origin=given.origin,
        is_printed=given.is_printed,
        base_on=shown(given.base),
        leave=_leave_between(walk, day_after(given.origin), given.base, tolled),
        tolled_on=shown(tolled),
        through_on=shown(walk.limit),
        is_extended=walk.is_extended,
    )


def _first_deadline(walk: Walk, joined_on: date) -> FirstDeadline:
    edition = walk.edition
    rule = due_after_joining(edition, joined_on)
    leave = _leave_between(walk, joined_on, first_deadline(edition, joined_on, None), walk.first_due)
    return FirstDeadline(joined_on, shown(rule), edition.entry_due_on, leave, shown(walk.first_due))


def _approvals(walk: _Noted, extensions: Sequence[Extension], day: date) -> Iterator[Approval]:
    for extension in sorted(extensions, key=attrgetter("approved_on", "until_on")):
        if extension.requirement == walk.edition.requirement and extension.approved_on <= day:
            target, in_force = walk.acted[extension.approved_on]
            is_effective = target is not None and extension.until_on > in_force
            yield Approval(extension, target, _named(in_force), is_effective)


# What would change it


def _remedies(
    walk: _Noted, state: State, due_on: date | None, verdicts: Sequence[Verdict], day: date
) -> Iterator[Remedy]:
    """What would carry the member beyond the due date, or make one who is past it current."""
    if due_on is None:
        return
    edition = walk.edition
    opens = start_of_cycle(edition) if clock_of(edition) is Clock.CYCLE else NEVER
    if state is State.CURRENT and clock_of(edition) in (Clock.CALENDAR, Clock.CYCLE):
        opens = max(opens, _first_beyond(walk, day))
    closes = due_on if day <= due_on else FOREVER
    for change, counts_from, counts_through in _ways(walk, verdicts, day):
        first, last = max(counts_from, opens), min(counts_through, closes)
        if day <= last and first <= last:
            hours = _missing(edition, state, due_on, verdicts, day) if change is Change.HOURS else None
            yield Remedy(change, first if day < first else None, shown(last), hours)


def _first_beyond(walk: _Noted, day: date) -> date:
    """The first day from `day` on, through the limit in force, of which a credit carries beyond that limit.

    By the end of a year or of a window every credit of the same year or window carries to the same day.
    """
    first, last = day.toordinal(), walk.limit.toordinal()
    while first < last:
        middle = (first + last) // 2
        credited_on = date.fromordinal(middle)
        if walk.tolled_limit(credit_limit(walk.edition, credited_on), credited_on) > walk.limit:
            last = middle
        else:
            first = middle + 1
    return date.fromordinal(first)


def _ways(walk: _Noted, verdicts: Sequence[Verdict], day: date) -> Iterator[tuple[Change, date, date]]:
    """The kinds of completion that would count, each with the first and last day on which they would."""
    edition = walk.edition
    if edition.hours > 0:
        if edition.entry_courses or edition.refresher_courses:
            yield Change.HOURS, NEVER, FOREVER
    else:
        if edition.entry_courses:
            yield Change.ENTRY, NEVER, FOREVER
        entries = [v.completion.completed_on for v in verdicts if v.kind is Kind.ENTRY and v.lack is None]
        lack = not_opened(edition, min(entries, default=None), day)
        if edition.refresher_courses and (lack is None or lack.why is Refusal.BEFORE_TENURE):
            yield Change.REFRESHER, NEVER if lack is None else lack.first_on or NEVER, FOREVER
    days = recert_days(edition, walk.limit)
    if edition.recert_courses and clock_of(edition) is Clock.CERTIFICATE and days is not None:
        yield Change.RECERTIFICATION, *days


def _missing(edition: Edition, state: State, due_on: date, verdicts: Sequence[Verdict], day: date) -> float:
    """Hours missing: to a sum by the day or, where hours roll and reach it, on the day after they no longer do."""
    on = day_after(due_on) if state is State.CURRENT and hours_roll(edition) else day
    counted_then = [
        hundredths(hours_of(v.completion))
        for v in verdicts
        if v.use is Use.ADDED and on <= hours_through(edition, v.completion.completed_on)
    ]
    return (hundredths(edition.hours) - sum(counted_then)) / 100


def _evidence_that_waits(
    stays: Sequence[Stay],
    stay: Stay,
    member: MemberFacts,
    seen: Sequence[Completion],
    found_overdue: Mapping[date, bool],
    walk: Walk,
    day: date,
) -> Iterator[Remedy]:
    """The pending completions that would change the state or the due date of the day by being verified.

    `found_overdue` is what leaves found that began before the last break.
    """
    state, due_on, *_ = _answer(walk, stay, day)
    for pending in sorted(seen, key=attrgetter("completed_on", "key")):
        if pending.evidence is not Evidence.PENDING or kind_of(stay.edition, pending) is None:
            continue
        verified = [replace(row, evidence=Evidence.VERIFIED) if row is pending else row for row in seen]
        other = Walk(stay.edition, stays, member, verified, dict(found_overdue))
        _walk_to(day, other)
        if _answer(other, stay, day)[:2] != (state, due_on):
            yield Remedy(Change.VERIFY, completion=pending.key)
