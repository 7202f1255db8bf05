"""Logging completions: what a course would change before it is recorded, and the recording.

The effect is what the engine says of the same members with one completion more; nothing is written to find it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING

from compliance import coverage, engine
from compliance.explain import Use, explain
from compliance.finding import Found, find
from compliance.gather import Rules, gather_members, gather_rules, listed_courses, taken_as
from compliance.models import Requirement
from compliance.reasons import lacking
from compliance.sentences import day
from roster.facts import Via, recording
from roster.models import Assignment, AssignmentKind, Employment, Officer, open_on
from training.models import Completion, Course, Evidence, Result

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

#: The id that a completion has before it is recorded.
PROPOSED = -1

COLUMNS = (
    "officer_id",
    "course_id",
    "completed_on",
    "hours",
    "score",
    "attendance",
    "result",
    "evidence",
    "verified_on",
    "certificate_number",
    "certificate_expires_on",
    "lesson_plan",
    "class_number",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One course finished by many on one day. Not given is None or blank."""

    course: Course
    completed_on: date
    hours: Decimal | None = None
    score: Decimal | None = None
    attendance: Decimal | None = None
    evidence: str = Evidence.VERIFIED
    class_number: str = ""
    #: version of the lesson plan it was taught from
    lesson_plan: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the completion does to one member under one requirement on the day asked."""

    requirement: int
    title: str
    #: None outside the population
    before: engine.Period | None
    after: engine.Period | None

    @property
    def was(self) -> str:
        return self.before.state.value if self.before else ""

    @property
    def becomes(self) -> str:
        return self.after.state.value if self.after else ""

    @property
    def changes_state(self) -> bool:
        return self.was != self.becomes

    @property
    def words(self) -> str:
        """`overdue → current`, `current → current to 2029`."""
        was, becomes = self.was.replace("_", " "), self.becomes.replace("_", " ")
        if self.after is None or self.changes_state:
            return f"{was or 'outside'} → {becomes or 'outside'}"
        due_on, before = self.after.due_on, self.before.due_on if self.before else None
        if due_on is None:
            return f"{was} → {becomes}, no due date"
        if self.after.state is engine.State.OVERDUE:
            return f"overdue since {day(due_on + timedelta(days=1))}"
        until = day(due_on) if before and before.year == due_on.year else str(due_on.year)
        return f"{was} → {becomes} to {until}"


@dataclass(frozen=True, slots=True)
class Share:
    """Coverage of one unit's own members under one requirement, before and after."""

    requirement: int
    #: None = everybody
    unit: int | None
    before: coverage.Counts
    after: coverage.Counts


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything a proposal would change."""

    #: officer -> the requirements under which the answer or its due date changes on that day
    effects: Mapping[int, Sequence[Effect]]
    #: officer -> why nothing changes, for the others
    unchanged: Mapping[int, str]
    #: shares that change, everybody first and then by unit
    shares: Sequence[Share]


def outlook(proposal: Proposal, officer_ids: Collection[int], *, as_of: date) -> Outlook:
    """What recording this would change on that day. Twenty queries, whatever the number of members."""
    return outlook_of_each(dict.fromkeys(officer_ids, proposal), proposal.course, as_of=as_of)


def outlook_of_each(proposals: Mapping[int, Proposal], of: Course, *, as_of: date) -> Outlook:
    """The same, where each member has a day, score and attendance of their own in one course. As many queries."""
    rules = gather_rules()
    course = rules.courses.get(of.pk)
    if course is None:
        return Outlook({}, dict.fromkeys(proposals, "no requirement lists this course"), [])
    days = {proposal.completed_on for proposal in proposals.values()}
    taken = set[int]().union(*(taken_as(course, completed_on) for completed_on in days))
    listing = [
        requirement
        for requirement, editions in rules.editions.items()
        if any(listed_courses(edition) & taken for edition in editions)
    ]
    effects, unchanged = _effects(rules.for_requirements(listing), proposals, course, as_of)
    return Outlook(effects, unchanged, _shares(effects, as_of))


def _added(rules: Rules, proposal: Proposal, course: engine.Course) -> engine.Completion:
    return engine.Completion(
        key=PROPOSED,
        course=course,
        completed_on=proposal.completed_on,
        hours=None if proposal.hours is None else float(proposal.hours),
        score=None if proposal.score is None else float(proposal.score),
        attendance=None if proposal.attendance is None else float(proposal.attendance),
        evidence=engine.Evidence(proposal.evidence),
        lesson_plan=rules.lesson_plan(course.key, proposal.lesson_plan) if proposal.lesson_plan else None,
    )


def _effects(
    rules: Rules, proposals: Mapping[int, Proposal], course: engine.Course, as_of: date
) -> tuple[dict[int, list[Effect]], dict[int, str]]:
    """What changes for whom, and why nothing does for the others."""
    titles = _titles()
    effects: dict[int, list[Effect]] = {}
    unchanged: dict[int, str] = {}
    for officer, facts in gather_members(proposals, rules).items():
        proposal = proposals[officer]
        with_it = replace(facts, completions=[*facts.completions, _added(rules, proposal, course)])
        changes = _differences(rules, titles, facts, with_it, as_of)
        if told := [effect for effect in changes if effect.changes_state or effect.becomes != engine.State.OVERDUE]:
            effects[officer] = told
        elif changes:
            unchanged[officer] = "counts, still overdue today"
        else:
            unchanged[officer] = _why_unchanged(rules, proposal, with_it, as_of)
    return effects, unchanged


def _why_unchanged(rules: Rules, proposal: Proposal, facts: engine.MemberFacts, as_of: date) -> str:
    """Why a proposed completion, one of these facts, changes nothing for a member on that day, in a few words."""
    found = [explain(editions, facts, as_of) for editions in rules.editions.values()]
    answers = [(why.edition, verdict) for why in found if why for verdict in why.verdicts]
    parts = [(edition, verdict) for edition, verdict in answers if verdict.completion.key == PROPOSED]
    if not parts:
        return "not in the population today"
    if any(verdict.use is not Use.REFUSED for _, verdict in parts):
        return "counts, changes nothing today"
    lacks = [(edition, verdict.lack) for edition, verdict in parts if verdict.lack]
    refusals = {lack.why for _, lack in lacks}
    if engine.Refusal.PENDING in refusals:
        return "counts once verified"
    if engine.Refusal.BEFORE_ENTRY in refusals:
        return "needs an entry course first"
    listed = [(edition, lack) for edition, lack in lacks if lack.why is not engine.Refusal.NOT_LISTED]
    edition, lack = (listed or lacks)[0]
    row = Completion(course=proposal.course, completed_on=proposal.completed_on, result=Result.PASSED)
    return f"does not count: {lacking(lack, edition, row)}"


def _titles() -> dict[int, str]:
    return dict(Requirement.objects.values_list("pk", "title"))


def without(completion: Completion, *, as_of: date) -> list[Effect]:
    """What voiding a completion would change for its member on that day. Twenty queries; nothing is written."""
    rules = gather_rules()
    (facts,) = gather_members([completion.officer_id], rules).values()
    left = replace(facts, completions=[other for other in facts.completions if other.key != completion.pk])
    return _differences(rules, _titles(), facts, left, as_of)


def _differences(
    rules: Rules, titles: Mapping[int, str], facts: engine.MemberFacts, changed: engine.MemberFacts, as_of: date
) -> list[Effect]:
    effects: list[Effect] = []
    for requirement, editions in rules.editions.items():
        before = on_day(engine.timeline(editions, facts), as_of)
        after = on_day(engine.timeline(editions, changed), as_of)
        was = (before.state, before.due_on) if before else None
        if was != ((after.state, after.due_on) if after else None):
            effects.append(Effect(requirement, titles[requirement], before, after))
    return effects


def on_day(line: Sequence[engine.Period], asked: date) -> engine.Period | None:
    """The period of a timeline that covers a day."""
    return next(
        (part for part in line if part.start_on <= asked and (part.end_on is None or asked <= part.end_on)), None
    )


def _shares(effects: Mapping[int, Sequence[Effect]], as_of: date) -> list[Share]:
    """Where members change state: the counts before, and the counts with the changes. One query."""
    moves: dict[tuple[int, int | None], list[Effect]] = {}
    for of_member in effects.values():
        for effect in of_member:
            if effect.changes_state and effect.after is not None:
                moves.setdefault((effect.requirement, effect.after.unit), []).append(effect)
    if not moves:
        return []
    requirements = {requirement for requirement, _ in moves}
    own = coverage.counts_by_requirement(coverage.standings_on(as_of, requirement_ids=requirements))
    shares: list[Share] = []
    for requirement in sorted(requirements):
        everybody = coverage.total(counts for (key, _), counts in own.items() if key == requirement)
        moved = [effect for (key, _), part in moves.items() if key == requirement for effect in part]
        shares.append(Share(requirement, None, everybody, _moved(everybody, moved)))
        units = sorted(((unit, part) for (key, unit), part in moves.items() if key == requirement), key=_most_first)
        for unit, part in units:
            before = own.get((requirement, unit), coverage.Counts(unit=unit))
            shares.append(Share(requirement, unit, before, _moved(before, part)))
    return shares


def _most_first(of_unit: tuple[int | None, list[Effect]]) -> tuple[int, int]:
    unit, part = of_unit
    return -len(part), unit or 0


def _moved(counts: coverage.Counts, effects: Sequence[Effect]) -> coverage.Counts:
    tally = {state.value: getattr(counts, state.value) for state in engine.State}
    for effect in effects:
        tally[effect.was] -= 1
        tally[effect.becomes] += 1
    return replace(counts, **tally)


def already_recorded(proposal: Proposal, officer_ids: Collection[int]) -> dict[int, Completion]:
    """Members who have this course on this day -> the completion; of several the one of the same class. One query."""
    found: dict[int, Completion] = {}
    standing = Completion.objects.known().filter(
        officer__in=officer_ids, course=proposal.course, completed_on=proposal.completed_on
    )
    for completion in standing.order_by("pk"):
        if completion.officer_id not in found or completion.class_number == proposal.class_number:
            found[completion.officer_id] = completion
    return found


def not_employed(officer_ids: Collection[int], asked: date) -> dict[int, date]:
    """Members not employed on that day -> the day they were first hired. One query; none for who has no employment."""
    first: dict[int, date] = {}
    employed: set[int] = set()
    for officer, start_on, end_on in (
        Employment.objects.known().filter(officer__in=officer_ids).values_list("officer_id", "start_on", "end_on")
    ):
        first[officer] = min(first.get(officer, start_on), start_on)
        if start_on <= asked and (end_on is None or asked <= end_on):
            employed.add(officer)
    return {officer: start_on for officer, start_on in first.items() if officer not in employed}


def record(
    proposal: Proposal, officer_ids: Collection[int], *, by: User | None, today: date, why: str = ""
) -> frozenset[int]:
    """Record the completion for each of these members who does not have it yet, in one change; who got it.

    Standings are up to date when it returns.
    """
    with recording(by=by, via=Via.PAGE, why=why or "Log completions") as recorder:
        recorder.lock(officer_ids)
        same = Completion.objects.known().filter(
            officer__in=officer_ids,
            course=proposal.course,
            completed_on=proposal.completed_on,
            class_number=proposal.class_number,
        )
        missing = sorted(set(officer_ids) - set(same.values_list("officer_id", flat=True)))
        if missing:
            verified_on = today if proposal.evidence == Evidence.VERIFIED else None
            row = (
                proposal.course.pk,
                proposal.completed_on,
                proposal.hours,
                proposal.score,
                proposal.attendance,
                Result.PASSED.value,
                str(proposal.evidence),
                verified_on,
                "",
                None,
                "",
                proposal.class_number,
            )
            recorder.record_many(Completion, COLUMNS, ((officer, *row) for officer in missing), missing)
    return frozenset(missing)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what was pasted, judged: `officer` gets the completion, or a person decides, or nothing happens."""

    number: int
    text: str
    officer: Officer | None = None
    #: how the member was found, for people
    by: str = ""
    #: members a person may choose from
    choices: tuple[Officer, ...] = ()
    #: why a person is needed, why nothing is recorded, or what is odd
    why: str = ""
    place: tuple[str, ...] = ()
    effects: Sequence[Effect] = ()
    #: why nothing changes, where nothing does
    unchanged: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was pasted, in three heaps, and what recording the first would change."""

    found: Sequence[Row]
    #: nothing is recorded for these unless a person chooses
    unclear: Sequence[Row]
    #: nothing is recorded for these: on the list already, recorded already
    left_out: Sequence[Row]
    outlook: Outlook

    @property
    def officer_ids(self) -> list[int]:
        return [row.officer.pk for row in self.found if row.officer]


def read_sheet(
    proposal: Proposal, text: str, among: QuerySet[Officer], picks: Mapping[int, int], *, as_of: date
) -> Sheet:
    """Judge what was pasted. `picks` are choices a person made: number of the line -> id of the member.

    About thirty queries, whatever the number of lines.
    """
    rows = [_resolved(number, entry, picks) for number, entry in enumerate(find(text, among), start=1)]
    recorded = already_recorded(proposal, {row.officer.pk for row in rows if row.officer})
    found: dict[int, Row] = {}
    unclear: list[Row] = []
    left_out: list[Row] = []
    for row in rows:
        if row.officer is None:
            continue
        pk, completion = row.officer.pk, recorded.get(row.officer.pk)
        if pk in found:
            left_out.append(replace(row, why=f"on the list already, from line {found[pk].number}"))
        elif completion is None or (picks.get(row.number) == pk and completion.class_number != proposal.class_number):
            found[pk] = row
        elif completion.class_number == proposal.class_number:
            left_out.append(replace(row, why="has this completion already"))
        else:
            where = f"class {completion.class_number}" if completion.class_number else "no class number"
            why = f"has this course on this day already ({where}). Record another?"
            unclear.append(replace(row, officer=None, choices=(row.officer,), why=why))
    for row in rows:
        if row.officer is None and len(row.choices) == 1 and row.choices[0].pk in found:
            left_out.append(replace(row, officer=row.choices[0], why="looks like somebody on the list already"))
        elif row.officer is None:
            free = tuple(choice for choice in row.choices if choice.pk not in found)
            unclear.append(replace(row, choices=free or row.choices))
    expected = outlook(proposal, list(found), as_of=as_of)
    places = _places(found, as_of)
    away = not_employed(list(found), proposal.completed_on)
    listed = [
        replace(
            row,
            place=places.get(pk, ()),
            effects=expected.effects.get(pk, ()),
            unchanged=expected.unchanged.get(pk, ""),
            why=_oddity(proposal, away[pk]) if pk in away else "",
        )
        for pk, row in found.items()
    ]
    in_order = attrgetter("number")
    return Sheet(listed, sorted(unclear, key=in_order), sorted(left_out, key=in_order), expected)


def _resolved(number: int, entry: Found, picks: Mapping[int, int]) -> Row:
    picked = next((choice for choice in entry.choices if choice.pk == picks.get(number)), None)
    if picked is not None:
        return Row(number, entry.text, picked, by="chosen by you")
    return Row(number, entry.text, entry.officer, by=entry.by, choices=entry.choices, why=entry.why)


def _oddity(proposal: Proposal, hired_on: date) -> str:
    if proposal.completed_on < hired_on:
        return f"before the first day employed, {day(hired_on)}"
    return "not employed on that day"


def _places(officer_ids: Collection[int], as_of: date) -> dict[int, tuple[str, ...]]:
    """Member -> unit and shift of the home assignment on that day. One query."""
    homes = (
        Assignment.objects.known()
        .filter(open_on(as_of), officer__in=officer_ids, kind=AssignmentKind.HOME, start_on__lte=as_of)
        .select_related("unit", "shift")
    )
    return {home.officer_id: tuple(str(part) for part in (home.unit, home.shift) if part is not None) for home in homes}
