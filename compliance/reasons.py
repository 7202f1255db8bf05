"""The account of a period: the rule it was decided by, what counted and what did not, the dates, what would change it.

The explanation is the engine's (`compliance.explain`): codes and values. Here they get the names of courses and people
and become sentences, once for pages, commands and files. A period is explained as of one of its days: the day asked
about where it holds then, the last day of one that is over, the first of one to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Protocol

from django.db.models import Prefetch
from django.utils import timezone

from compliance import engine, sentences
from compliance.engine import Clock, FirstDue, Kind, NoDaysBack, Reason, Refusal, State, Target
from compliance.explain import Approval, Change, Days, Explanation, FirstDeadline, Return, Use, Verdict, explain
from compliance.gather import Rules, gather_members, listed_courses, taken_as
from compliance.models import Edition
from compliance.sentences import count, day, either, name_of
from training.models import Completion, Course, CourseKind

KINDS = {
    Kind.ENTRY: "an entry course",
    Kind.REFRESHER: "a refresher",
    Kind.RECERTIFICATION: "a short recertification",
}
#: The lists of courses that an edition has.
COURSES = ("entry_courses", "refresher_courses", "recert_courses")


class Period(Protocol):
    """A period of a timeline: what the stored rows and the engine's have in common."""

    @property
    def start_on(self) -> date: ...
    @property
    def end_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A completion and its part in the answer; `code` is the use or the refusal, or `voided` or `corrected`."""

    course: str
    completed_on: date
    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.course} on {day(self.completed_on)}: {self.words}"


@dataclass(frozen=True, slots=True)
class Rule:
    """An edition, restated in one sentence, and its days."""

    words: str
    start_on: date
    end_on: date | None

    def __str__(self) -> str:
        return f"{self.words} In force {self.in_force}."

    @property
    def in_force(self) -> str:
        """The days of the edition: `from 1 Jan 2015 to 31 Dec 2024`, `from 1 Jan 2025 on`."""
        return _from_to(self.start_on, self.end_on) if self.end_on else f"from {day(self.start_on)} on"

    def as_data(self) -> dict[str, Any]:
        to = self.end_on and self.end_on.isoformat()
        return {"words": self.words, "from": self.start_on.isoformat(), "to": to}


@dataclass(frozen=True, slots=True)
class Account:
    """Why a period is what it is, in sentences; completions are newest first."""

    #: the day of the period that is explained, and its due date
    asked_on: date
    due_on: date | None
    state: str
    #: over by the day asked about: what would change it is what would have changed it
    is_past: bool
    #: the rule of that day, and those of all days of the period in order of time
    rule: Rule
    rules: tuple[Rule, ...]
    used: tuple[Part, ...]
    not_used: tuple[Part, ...]
    dates: tuple[str, ...]
    changes: tuple[str, ...]

    @property
    def change_title(self) -> str:
        return "What would have changed it" if self.is_past else "What would change it"

    def as_data(self) -> dict[str, Any]:
        """The account as JSON holds it: days as `YYYY-MM-DD`."""

        def part(row: Part) -> dict[str, str]:
            on = row.completed_on.isoformat()
            return {"course": row.course, "completed_on": on, "code": row.code, "words": row.words}

        return {
            "asked_on": self.asked_on.isoformat(),
            "rule": self.rule.as_data(),
            "rules": [rule.as_data() for rule in self.rules],
            "used": [part(row) for row in self.used],
            "not_used": [part(row) for row in self.not_used],
            "dates": list(self.dates),
            "changes": list(self.changes),
        }

    def as_cells(self) -> dict[str, str]:
        """The account in as many cells of a sheet, each readable by itself."""
        return {
            "rule": " ".join(map(str, self.rules)),
            "used": "; ".join(map(str, self.used)),
            "not_used": "; ".join(map(str, self.not_used)),
            "dates": " ".join(self.dates),
            "changes": f"{self.change_title}: {' '.join(self.changes)}" if self.changes else "",
        }

    def as_lines(self) -> list[tuple[str, list[str]]]:
        """The account under its headings; those with nothing to say are left out."""
        found = [
            ("Counted", [str(part) for part in self.used]),
            ("Not counted", [str(part) for part in self.not_used]),
            ("Dates", list(self.dates)),
            (self.change_title, list(self.changes)),
            ("Rule", list(map(str, self.rules))),
        ]
        return [(title, lines) for title, lines in found if lines]


@dataclass(frozen=True)
class Member:
    """What the accounts of one member are made of, as known at a moment."""

    rules: Rules
    facts: engine.MemberFacts
    #: edition id -> the edition with its population and courses
    editions: Mapping[int, Edition]
    #: edition id -> its rule in one sentence
    sentences: Mapping[int, str]
    #: completion id -> the completion, those of courses that no requirement lists too, and those voided
    completions: Mapping[int, Completion]
    #: those of them that were voided or corrected by then
    voided: frozenset[int]
    #: requirement id -> the courses that any of its editions lists, and the kinds of these
    concerning: Mapping[int, tuple[frozenset[int], frozenset[str]]]

    def account(self, requirement: int, period: Period, as_of: date) -> Account | None:
        """The account of a period under one requirement; None where there is no standing. No query."""
        asked_on = day_explained(period, as_of)
        found = explain(self.rules.editions[requirement], self.facts, asked_on)
        if found is None:
            return None
        told = _Told(found, self.editions[found.edition.key], self)
        rules = tuple(
            self._rule(edition)
            for first, last, edition in engine.in_force(self.rules.editions[requirement])
            if first <= (period.end_on or date.max) and period.start_on <= last
        )
        return Account(
            asked_on=asked_on,
            due_on=found.due_on,
            state=found.state.value,
            is_past=period.end_on is not None and period.end_on < as_of,
            rule=self._rule(found.edition),
            rules=rules,
            used=tuple(told.used()),
            not_used=tuple(told.not_used(requirement)),
            dates=tuple(told.dates()),
            changes=tuple(told.changes()),
        )

    def _rule(self, edition: engine.Edition) -> Rule:
        return Rule(self.sentences[edition.key], edition.effective_from, edition.effective_to)


def day_explained(period: Period, as_of: date) -> date:
    """The day asked about where the period holds then, its last where it is over, its first where it is to come."""
    if as_of < period.start_on:
        return period.start_on
    return as_of if period.end_on is None else min(as_of, period.end_on)


def gather_member(
    officer: int, rules: Rules, *, known_at: datetime | None = None, seen_on: date | None = None
) -> Member:
    """What explains every period of one member. Fourteen queries, whatever they did and however many periods there are.

    `seen_on` leaves out what was taken or approved after that day, as in `standings.rows_of`.
    """
    (facts,) = gather_members([officer], rules, known_at=known_at, seen_on=seen_on).values()
    editions = (
        Edition.objects.filter(requirement__in=list(rules.editions))
        .select_related("population", "requirement")
        .prefetch_related(*(Prefetch(name, Course.objects.select_related("same_as")) for name in COURSES))
    )
    rows = Completion.objects.filter(officer=officer, completed_on__lte=seen_on or date.max)
    if known_at is not None:
        rows = rows.filter(recorded_in__at__lte=known_at)
    rows = rows.select_related("course__same_as", "voided_in__by").prefetch_related("replaced_by")
    completions = {row.pk: row for row in rows.order_by("pk")}
    by_key = {row.pk: row for row in editions}
    return Member(
        rules=rules,
        facts=facts,
        editions=by_key,
        sentences={key: sentences.rule(edition) for key, edition in by_key.items()},
        completions=completions,
        voided=frozenset(key for key, row in completions.items() if _is_voided(row, known_at)),
        concerning={key: _concerning(line, by_key) for key, line in rules.editions.items()},
    )


def _is_voided(row: Completion, known_at: datetime | None) -> bool:
    """Whether it was voided or corrected by that moment."""
    if row.voided_in is None:
        return False
    return known_at is None or (row.voided_in.at is not None and row.voided_in.at <= known_at)


def _concerning(
    line: Iterable[engine.Edition], editions: Mapping[int, Edition]
) -> tuple[frozenset[int], frozenset[str]]:
    """The courses that any of these editions lists, and their kinds; the kind `other` says nothing."""
    listed, kinds = set[int](), set[str]()
    for edition in line:
        listed |= listed_courses(edition)
        kinds |= {_course(course).kind for course in _courses(editions[edition.key])}
    return frozenset(listed), frozenset(kinds - {CourseKind.OTHER})


def _courses(edition: Edition) -> Iterator[Course]:
    for name in COURSES:
        yield from getattr(edition, name).all()


def _course(course: Course) -> Course:
    """The course, or the one that a person said its title is."""
    return course.same_as or course


@dataclass(frozen=True)
class _Told:
    """One explanation on its way to sentences."""

    why: Explanation
    edition: Edition
    member: Member

    # What counted, and what did not

    def used(self) -> Iterator[Part]:
        for verdict in reversed(self.why.verdicts):
            if verdict.use is not Use.REFUSED:
                rests = "; the date rests on it" if verdict.is_basis else ""
                yield self._part(verdict, verdict.use, self._use(verdict) + rests)

    def not_used(self, requirement: int) -> Iterator[Part]:
        """Completions of this requirement's courses or of their kind, newest first; none of later days."""
        verdicts = {verdict.completion.key: verdict for verdict in self.why.verdicts}
        for row in sorted(self.member.completions.values(), key=attrgetter("completed_on", "pk"), reverse=True):
            verdict = verdicts.get(row.pk)
            if self.why.asked_on < row.completed_on or (verdict and verdict.use is not Use.REFUSED):
                continue
            lack = verdict.lack if verdict and verdict.lack else engine.NOT_LISTED
            if lack.why is Refusal.NOT_LISTED and not self._concerns(row, requirement):
                continue
            if row.pk in self.member.voided:
                yield _voided(row)
            else:
                words = lacking(lack, self.why.edition, row)
                yield Part(_course(row.course).title, row.completed_on, lack.why, words)

    def _concerns(self, row: Completion, requirement: int) -> bool:
        """Whether somebody may wonder why it does not count: its course is the requirement's, or of their kind."""
        listed, kinds = self.member.concerning[requirement]
        course = self.member.rules.courses.get(row.course_id)
        taken = taken_as(course, row.completed_on) if course else set[int]()
        return bool(taken & listed) or _course(row.course).kind in kinds

    def _part(self, verdict: Verdict, code: str, words: str) -> Part:
        row = self.member.completions[verdict.completion.key]
        return Part(_course(row.course).title, row.completed_on, code, words)

    def _use(self, verdict: Verdict) -> str:
        asked, given = _number(self.why.edition.hours), _hours(engine.hours_of(verdict.completion))
        match verdict.use:
            case Use.ADDED:
                return f"adds {given} to the {asked} asked"
            case Use.SUMMED:
                on = day(verdict.credited_on) if verdict.credited_on else ""
                return f"{given} of the {asked} reached on {on}"
        counts = f"counts as {KINDS[verdict.kind]}" if verdict.kind in KINDS else "counts"
        if also := self._equivalent(verdict):
            counts += f" in place of {also}"
        return f"{counts}, but carries to no date before the first window" if verdict.use is Use.NO_LIMIT else counts

    def _equivalent(self, verdict: Verdict) -> str:
        """The course that the completion counts as by an equivalency; blank where its own is listed."""
        done, edition = verdict.completion, self.why.edition
        if verdict.kind is None or engine.listed_as(edition, done.course.key) is verdict.kind:
            return ""
        titles = {course.same_as_id or course.pk: course.title for course in _courses(self.edition)}
        also = taken_as(done.course, done.completed_on)
        return either(titles[key] for key in sorted(also) if engine.listed_as(edition, key) is verdict.kind)

    # How the dates came about

    def dates(self) -> Iterator[str]:
        why, first = self.why, self.why.first_deadline
        if why.waiver:
            yield f"A waiver {_days(why.waiver)} excuses the member."
        if why.leave:
            yield f"Leave {_days(why.leave)} is excused."
        if why.wiped_on:
            months = count(why.edition.break_months, "month")
            yield (
                f"Back in service on {day(why.wiped_on)} after a separation longer than {months}: "
                "what was completed before it no longer counts."
            )
        yield from self._sum()
        yield from self._limit()
        later = [on for on in (first.due_on, *(row.due_on for row in why.returns)) if on]
        if self._is_first_deadline_of_matter(first):
            yield from self._first(first)
        returns = [row for row in why.returns if self._is_return_of_matter(row)]
        yield from map(self._return, returns)
        yield from map(_approval, why.approvals)
        if why.state is State.CURRENT and why.due_on and any(on > why.due_on for on in later):
            yield f"After {day(why.due_on)} in grace until {day(max(later))}."
        elif why.state in (State.IN_GRACE, State.OVERDUE) and why.due_on and self._has_several(first, returns):
            yield f"Of these dates the latest holds: {day(why.due_on)}."

    def _has_several(self, first: FirstDeadline, returns: Sequence[Return]) -> bool:
        dates = [self.why.limit] if self.why.limit else []
        told = [row for row in returns if row.due_on]
        graced = [row for row in self.why.approvals if row.target is Target.DEADLINE and row.is_effective]
        return len(dates) + self._is_first_deadline_of_matter(first) + len(told) + len(graced) > 1

    def _is_first_deadline_of_matter(self, first: FirstDeadline) -> bool:
        """Whether the first deadline still protects, or is all there is."""
        is_to_come = first.due_on is None or self.why.asked_on <= first.due_on
        return is_to_come or self.why.limit is None or self.why.reason is Reason.FIRST_DEADLINE

    def _is_return_of_matter(self, row: Return) -> bool:
        if self.why.state in (State.IN_GRACE, State.OVERDUE):
            return True
        return row.due_on is not None and self.why.asked_on <= row.due_on

    def _sum(self) -> Iterator[str]:
        """The sum of hours, where hours are added up."""
        hours = self.why.hours
        if hours is None:
            return
        if hours.reached_on:
            over = f", {_hours(hours.surplus)} over, which are not carried on" if hours.surplus else ""
            yield f"The {_hours(hours.asked)} were reached on {day(hours.reached_on)}{over}."
        toward = "" if engine.hours_roll(self.why.edition) else " toward the next sum"
        on = day(self.why.asked_on)
        yield f"{_number(hours.counted)} of {_hours(hours.asked)} count on {on}{toward}."

    def _limit(self) -> Iterator[str]:
        """From the credit to the last day that it carries to."""
        limit, edition = self.why.limit, self.why.edition
        if limit is None:
            return
        yield self._base()
        yield from _moved(limit.leave, limit.base_on, limit.tolled_on)
        if limit.is_extended and limit.through_on is not None and edition.leave is engine.LeaveRule.TOLL:
            yield f"An extension carries it to {day(limit.through_on)}, which leave does not move."

    def _base(self) -> str:
        """The limit before leave and extensions: what it counts from and what is added."""
        limit, edition = self.why.limit, self.why.edition
        assert limit is not None  # noqa: S101 - asked by the caller
        row = self.member.completions[limit.basis]
        course = f"{_course(row.course).title} on {day(limit.credited_on)}"
        if edition.hours and not limit.is_printed:
            course = f"{_hours(edition.hours)} on {day(limit.credited_on)}"
        through = day(limit.base_on) if limit.base_on else ""
        if engine.hours_roll(edition):
            window = count(edition.hours_window_months, "month")
            return f"{_hours(edition.hours)} within {window} are there through {through}."
        if limit.is_printed:
            return f"{course}: its certificate names {through}."
        months = count(edition.months, "month")
        if limit.origin != limit.credited_on:
            return (
                f"{course}, at most {count(edition.keep_anchor_days, 'day')} early, counts from the limit it renewed: "
                f"{day(limit.origin)} + {months} = {through}."
            )
        match edition.clock:
            case Clock.ROLLING | Clock.CERTIFICATE:
                return f"{course} + {months} = {through}."
            case Clock.CALENDAR:
                return f"{course}: through {through}, the end of the {_year_after(edition.years)}."
            case Clock.CYCLE:
                closes = engine.window_end(edition, engine.cycle_window(edition, limit.origin))
                return f"{course}, in the window that ends on {day(closes)}: through the next window, {through}."
        return f"{course}: once, for good."

    def _first(self, first: FirstDeadline) -> Iterator[str]:
        """From the day of joining to the first deadline of the membership."""
        edition, joined, due = self.why.edition, f"Joined on {day(first.joined_on)}", _day(first.rule_on)
        ends = {
            FirstDue.YEAR_END: "the year",
            FirstDue.NEXT_YEAR_END: "the next year",
            FirstDue.NEXT_WINDOW_END: "the next window",
        }
        if engine.clock_of(edition) is Clock.CYCLE:
            yield f"{joined}: first due at the end of {ends.get(edition.first_due, 'the window')}, {due}."
        elif edition.first_due in ends:
            yield f"{joined}: first due at the end of {ends[edition.first_due]}, {due}."
        elif edition.entry_grace_days:
            yield f"{joined} + {count(edition.entry_grace_days, 'day')} = {due}."
        else:
            yield f"{joined}: first due on that day."
        named = first.entry_due_on
        is_later = named is not None and (first.rule_on is None or first.rule_on < named)
        if is_later:
            yield f"The rule asks nothing before {_day(named)}."
        yield from _moved(first.leave, named if is_later else first.rule_on, first.due_on)

    def _return(self, row: Return) -> str:
        back = f"Back on {day(row.back_on)} from leave {_days(row.leave)}"
        match row.why_not:
            case NoDaysBack.WAS_OVERDUE:
                return f"{back}: overdue already when it began, so the old date holds."
            case NoDaysBack.TOO_SHORT:
                least = count(self.why.edition.leave_min_days, "day")
                return f"{back}: shorter than {least}, so it gives no days back."
            case NoDaysBack.NOT_A_MEMBER:
                return f"{back}: not in the population on that day, so it gives no days back."
        days = count(self.why.edition.return_grace_days, "day")
        return f"{back}: {day(row.back_on)} + {days} = {_day(row.due_on)}."

    # What would change it

    def changes(self) -> Iterator[str]:
        if self.why.waiver or self.why.leave:
            yield "Nothing is asked while this lasts."
        together: dict[tuple[date | None, date | None], list[str]] = {}
        for remedy in self.why.remedies:
            if remedy.change in (Change.ENTRY, Change.REFRESHER, Change.RECERTIFICATION):
                together.setdefault((remedy.from_on, remedy.by_on), []).extend(self._titles(remedy.change))
        for (first, last), titles in together.items():
            yield f"{either(titles)}, completed{_when(first, last)}."
        for remedy in self.why.remedies:
            if remedy.change is Change.HOURS:
                titles = [*self._titles(Change.ENTRY), *self._titles(Change.REFRESHER)]
                more = "" if not self.why.hours or remedy.hours == self.why.hours.asked else " more"
                hours = f"{_hours(remedy.hours, more)} of {either(titles)}"
                yield f"{hours}, completed{_when(remedy.from_on, remedy.by_on)}."
            elif remedy.change is Change.VERIFY and remedy.completion is not None:
                row = self.member.completions[remedy.completion]
                yield f"The evidence of {_course(row.course).title} on {day(row.completed_on)}, once verified."

    def _titles(self, change: Change) -> list[str]:
        listed = {Change.ENTRY: "entry_courses", Change.REFRESHER: "refresher_courses"}.get(change, "recert_courses")
        return [course.title for course in getattr(self.edition, listed).all()]


def lacking(lack: engine.Lack, edition: engine.Edition, row: Completion) -> str:
    """Why a completion does not count under an edition: `score 75, at least 80 is asked`."""
    asked, given = _number(lack.asked), _number(lack.given)
    match lack.why:
        case Refusal.WIPED:
            return "completed before the break in service"
        case Refusal.NOT_LISTED:
            return "its course is not on the list of this rule"
        case Refusal.PENDING:
            return "its evidence is pending"
        case Refusal.REJECTED:
            return "its evidence was rejected"
        case Refusal.NOT_PASSED:
            return f"not passed: its result is {row.get_result_display().lower()}"
        case Refusal.PLAN_NOT_IN_FORCE:
            return _plan(row.lesson_plan, lack)
        case Refusal.SCORE_MISSING:
            return f"no score is recorded, at least {asked} is asked"
        case Refusal.SCORE_BELOW:
            return f"score {given}, at least {asked} is asked"
        case Refusal.ATTENDANCE_BELOW:
            return f"attended {given} %, at least {asked} % is asked"
        case Refusal.MODE_NOT_ALLOWED:
            return f"taught as {_course(row.course).get_mode_display()}, which this rule does not accept"
        case Refusal.BLOCK_TOO_SHORT:
            return f"a block of {_hours(lack.given)}, at least {asked} is asked"
        case Refusal.HOURS_TOO_FEW:
            return f"{_hours(lack.given)}, at least {asked} is asked"
        case Refusal.BEFORE_ENTRY:
            first = f", {day(lack.first_on)}" if lack.first_on else ""
            return f"taken before the first entry credit{first}" if first else "taken without an entry credit"
        case Refusal.BEFORE_TENURE:
            months = count(edition.refresher_min_tenure_months, "month")
            return f"taken before {_day(lack.first_on)}, {months} after the entry credit"
        case Refusal.NO_LIMIT_YET:
            return "a short recertification needs a credit to renew"
        case Refusal.OUTSIDE_ITS_DAYS:
            return f"a short recertification counted {_from_to(lack.first_on, lack.last_on)} only"
        case Refusal.HOURS_PAST if lack.last_on is None:
            return "its hours fall before the first window"
        case Refusal.HOURS_PAST:
            return f"its hours counted through {_day(lack.last_on)} only"
    return "taken after this day"


def _voided(row: Completion) -> Part:
    """A completion that was voided or corrected: when, by whom and why, as its change says."""
    change = row.voided_in
    act = "corrected" if row.replaced_by.all() else "voided"
    words = act
    if change is not None:
        words += f" on {day(timezone.localdate(change.at))}" if change.at else ""
        words += f" by {name_of(change.by)}" if change.by else ""
        words += f": {change.why}" if change.why else ""
    return Part((row.course.same_as or row.course).title, row.completed_on, act, words)


def _moved(leave: Sequence[Days], base: date | None, moved: date | None) -> Iterator[str]:
    """What leave did to a date: *306 days of leave from 1 Apr 2026 to 31 Jan 2027 moved 30 Jun 2026 to 2 May 2027.*"""
    if not leave:
        return
    if moved is None or leave[-1].end_on is None:
        yield f"Leave {_days(leave[-1])} moves it on, so there is no date until the leave has a last day."
        return
    number = sum((row.end_on - row.start_on).days + 1 for row in leave if row.end_on)
    spans = [_days(row) for row in leave]
    joined = spans[0] if len(spans) == 1 else f"{', '.join(spans[:-1])} and {spans[-1]}"
    yield f"{count(number, 'day')} of leave {joined} moved {_day(base)} to {day(moved)}."


def _approval(row: Approval) -> str:
    """What an extension did to the date in force on the day it was approved."""
    until, approved, in_force = day(row.extension.until_on), day(row.extension.approved_on), row.in_force_on
    extension = f"Extension to {until}, approved on {approved}"
    if row.target is None:
        why = f"after the date had passed, {day(in_force)}" if in_force else "with no date to extend"
        return f"{extension} {why}: it does not count."
    if in_force is None:
        return f"{extension}: there was no date to move on that day, so it changes nothing."
    if not row.is_effective:
        return f"{extension}: {day(in_force)} was in force and stays, being no earlier."
    what = "the credit" if row.target is Target.LIMIT else "the deadline"
    return f"{extension}: moved {what} from {day(in_force)} to {until}."


def _plan(version: str, lack: engine.Lack) -> str:
    """Why a lesson plan does not serve: it never was one of the course's, or was not in force on the day."""
    if lack.last_on is not None and lack.first_on is not None and lack.last_on < lack.first_on:
        return f"lesson plan {version} is not one of the course's"
    days = _from_to(lack.first_on, lack.last_on) if lack.last_on else f"from {_day(lack.first_on)} on"
    return f"lesson plan {version} was in force {days} only"


def _year_after(years: int) -> str:
    if years == 0:
        return "same calendar year"
    return f"{sentences.ordinal(years)} calendar year after it"


def _when(first: date | None, last: date | None) -> str:
    if first and last:
        return f" {_from_to(first, last)}"
    return f" from {day(first)} on" if first else f" by {day(last)}" if last else " on any day"


def _days(span: Days) -> str:
    return _from_to(span.start_on, span.end_on) if span.end_on else f"since {day(span.start_on)}"


def _from_to(first: date | None, last: date | None) -> str:
    return f"from {_day(first)} to {_day(last)}"


def _day(value: date | None) -> str:
    return day(value) if value else "no date"


def _number(value: float | None) -> str:
    return f"{value or 0:g}"


def _hours(value: float | None, more: str = "") -> str:
    """`4 hours`, `4 more hours`, `1 hour`."""
    return f"{_number(value)}{more} hour{'' if value == 1 else 's'}"
