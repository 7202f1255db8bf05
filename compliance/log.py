"""Logging completions: what a course would change before it is recorded, and the recording.

The effect is what the engine says of the same members with one completion more; nothing is written to find it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from compliance import coverage, engine
from compliance.explain import Use, explain
from compliance.finding import Found, find
from compliance.gather import Rules, gather_members, gather_rules, listed_courses, taken_as
from compliance.models import Requirement
from compliance.reasons import lacking
from compliance.sentences import count, day
from roster.access import own_members
from roster.facts import Via, recording
from roster.models import Assignment, AssignmentKind, Employment, Officer, open_on
from roster.records import following
from training import duplicates
from training.completions import evidence_of
from training.duplicates import Twin
from training.models import Completion, CompletionFile, Course, Evidence, Result

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from roster.files import StoredFile

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
    "provider",
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
    #: who gave it, where that was not the agency
    provider: str = ""
    #: of one member
    certificate_number: str = ""
    certificate_expires_on: date | None = None
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
        """`overdue → current`, `current → current to 8 Aug 2029`."""
        was, becomes = self.was.replace("_", " "), self.becomes.replace("_", " ")
        if self.after is None or self.changes_state:
            return f"{was or 'outside'} → {becomes or 'outside'}"
        due_on = self.after.due_on
        if due_on is None:
            return f"{was} → {becomes}, no due date"
        if self.after.state is engine.State.OVERDUE:
            return f"overdue since {day(due_on + timedelta(days=1))}"
        return f"{was} → {becomes} to {day(due_on)}"


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


def instead(completion: Completion, changes: Mapping[str, Any], *, as_of: date) -> list[Effect]:
    """What correcting a completion would change for its member on that day. Twenty queries; nothing is written."""
    rules = gather_rules()
    (facts,) = gather_members([completion.officer_id], rules).values()
    others = [other for other in facts.completions if other.key != completion.pk]
    corrected = _seen_by_engine(rules, following(completion, **changes), evidence_of(completion))
    changed = replace(facts, completions=[*others, corrected] if corrected else others)
    return _differences(rules, _titles(), facts, changed, as_of)


def _seen_by_engine(rules: Rules, row: Completion, evidence: str) -> engine.Completion | None:
    """A completion that is not recorded, as the engine takes it; None where no requirement counts its course."""
    course = rules.courses.get(row.course_id)
    if course is None:
        return None
    return engine.Completion(
        key=PROPOSED,
        course=course,
        completed_on=row.completed_on,
        hours=None if row.hours is None else float(row.hours),
        score=None if row.score is None else float(row.score),
        attendance=None if row.attendance is None else float(row.attendance),
        passed=row.result == Result.PASSED,
        evidence=engine.Evidence(evidence),
        certificate_expires_on=row.certificate_expires_on,
        lesson_plan=rules.lesson_plan(row.course_id, row.lesson_plan) if row.lesson_plan else None,
    )


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


def look_alikes(proposal: Proposal, officer_ids: Collection[int]) -> dict[int, list[Twin]]:
    """Member -> recorded completions that this one looks like, the nearest first. One query, three with a number.

    One of the same day and class is the same, whatever else it says; it is among them and comes first.
    """
    found = {
        officer: [Twin(row) for row in sorted(rows, key=lambda row: not is_same(proposal, row))]
        for officer, rows in duplicates.near(dict.fromkeys(officer_ids, proposal.completed_on), proposal.course).items()
    }
    if proposal.certificate_number and officer_ids:
        agencies = set(Officer.objects.filter(pk__in=officer_ids).values_list("agency", flat=True))
        numbered = duplicates.with_number(agencies, proposal.certificate_number)
        for officer in officer_ids:
            known = {twin.completion.pk for twin in found.get(officer, ())}
            if more := [Twin(row, by_number=True) for row in numbered if row.pk not in known]:
                found.setdefault(officer, []).extend(more)
    return found


def is_same(proposal: Proposal, row: Completion) -> bool:
    """Whether a completion of the proposal's course and member is the one proposed: of that day and class."""
    return (row.completed_on, row.class_number) == (proposal.completed_on, proposal.class_number)


def alike_words(twin: Twin, completed_on: date) -> str:
    """`has this course on 12 May 2026 already (class C-1), 3 days before`: what is recorded, seen from a new one."""
    row = twin.completion
    if twin.by_number:
        what = f"{row.course.title}, {day(row.completed_on)}, {row.officer.listed_name}"
        return f"certificate number {row.certificate_number} is recorded already: {what}"
    where = f"class {row.class_number}" if row.class_number else "no class number"
    apart = (completed_on - row.completed_on).days
    if apart == 0:
        return f"has this course on this day already ({where})"
    side = "before" if apart > 0 else "after"
    return f"has this course on {day(row.completed_on)} already ({where}), {count(abs(apart), 'day')} {side}"


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """Who got a completion and who did not."""

    #: member -> the completion
    made: Mapping[int, int]
    #: members who had exactly this one
    had: frozenset[int]
    #: members who have one like it, which nobody was shown
    alike: frozenset[int] = frozenset()


def record(
    proposal: Proposal,
    officer_ids: Collection[int],
    *,
    by: User | None,
    today: date,
    why: str = "",
    twins: Collection[int] = (),
    files: Sequence[StoredFile] = (),
) -> Recorded:
    """Record the completion for each of these members who does not have it yet, in one change.

    Of `twins` a person said that this is another one, which is remembered; who else has one like it gets none. Each
    completion is proved by the same files. Their own waits for somebody else to verify it, whatever the proposal says.
    Standings are up to date when it returns.
    """
    own = own_members(by)
    with recording(by=by, via=Via.PAGE, why=why or "Log completions") as recorder:
        recorder.lock(officer_ids)
        there = look_alikes(proposal, officer_ids)
        # Of the same day and class, if there is one, comes first.
        had = {officer for officer, found in there.items() if is_same(proposal, found[0].completion)}
        alike = there.keys() - had - set(twins)
        missing = sorted(set(officer_ids) - had - alike)
        if missing:
            recorder.record_many(Completion, COLUMNS, _rows(proposal, missing, today, own), missing)
        made = dict(Completion.objects.filter(recorded_in=recorder.change_id).values_list("officer", "pk"))
        CompletionFile.objects.bulk_create(
            CompletionFile(completion_id=pk, file=file) for pk in made.values() for file in files
        )
        chosen = [(pk, twin.completion.pk) for officer, pk in made.items() for twin in there.get(officer, ())]
        duplicates.remember_both(chosen, by=by)
    return Recorded(made, frozenset(had), frozenset(alike))


def report(proposal: Proposal, officer: Officer, *, by: User, today: date, file: StoredFile) -> Recorded:
    """Record what a member reports of themselves, with its file: it waits for somebody else, whatever it says.

    That they say it is another one like it decides nothing: whoever looks at the evidence is asked.
    """
    waiting = replace(proposal, evidence=Evidence.PENDING)
    with recording(by=by, via=Via.PAGE, why="Reported by the member") as recorder:
        recorder.lock([officer.pk])
        recorder.record_many(Completion, COLUMNS, _rows(waiting, [officer.pk], today), [officer.pk])
        made = dict(Completion.objects.filter(recorded_in=recorder.change_id).values_list("officer", "pk"))
        CompletionFile.objects.create(completion_id=made[officer.pk], file=file)
    return Recorded(made, frozenset())


def _rows(
    proposal: Proposal, officer_ids: Collection[int], today: date, own: Collection[int] = ()
) -> Iterable[tuple[object, ...]]:
    """The completions as COLUMNS has them; those of `own` wait for somebody else."""
    return ((officer, *_row(proposal, today, is_own=officer in own)) for officer in officer_ids)


def _row(proposal: Proposal, today: date, *, is_own: bool) -> tuple[object, ...]:
    evidence = Evidence.PENDING if is_own and proposal.evidence == Evidence.VERIFIED else proposal.evidence
    return (
        proposal.course.pk,
        proposal.completed_on,
        proposal.hours,
        proposal.score,
        proposal.attendance,
        Result.PASSED.value,
        str(evidence),
        today if evidence == Evidence.VERIFIED else None,
        proposal.provider,
        proposal.certificate_number,
        proposal.certificate_expires_on,
        "",
        proposal.class_number,
    )


YOUR_OWN = "Your own: it counts once somebody else has verified it."


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
    #: the one choice has a completion like it: a person says whether this is another
    is_twin: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was pasted, in three heaps, and what recording the first would change."""

    found: Sequence[Row]
    #: nothing is recorded for these unless a person chooses
    unclear: Sequence[Row]
    #: nothing is recorded for these: on the list already, recorded already
    left_out: Sequence[Row]
    outlook: Outlook
    #: members who have one like it, and are shown with it: whoever is recorded has another
    twins: Sequence[int] = ()

    @property
    def officer_ids(self) -> list[int]:
        return [row.officer.pk for row in self.found if row.officer]


def read_sheet(
    proposal: Proposal,
    text: str,
    among: QuerySet[Officer],
    picks: Mapping[int, int],
    *,
    as_of: date,
    own: Collection[int] = (),
) -> Sheet:
    """Judge what was pasted. `picks` are choices a person made: number of the line -> id of the member.

    What `own` get, the members that the person is, changes nothing yet.

    About thirty queries, whatever the number of lines.
    """
    rows = [_resolved(number, entry, picks) for number, entry in enumerate(find(text, among), start=1)]
    alike = look_alikes(proposal, {row.officer.pk for row in rows if row.officer})
    found: dict[int, Row] = {}
    unclear: list[Row] = []
    left_out: list[Row] = []
    for row in rows:
        if row.officer is None:
            continue
        pk, twins = row.officer.pk, alike.get(row.officer.pk, [])
        if pk in found:
            left_out.append(replace(row, why=f"on the list already, from line {found[pk].number}"))
        elif twins and is_same(proposal, twins[0].completion):
            left_out.append(replace(row, why="has this completion already"))
        elif not twins or picks.get(row.number) == pk:
            found[pk] = row
        else:
            why = "; ".join(alike_words(twin, proposal.completed_on) for twin in twins)
            asked = replace(row, officer=None, choices=(row.officer,), why=f"{why}. Record another?", is_twin=True)
            unclear.append(asked)
    for row in rows:
        if row.officer is None and len(row.choices) == 1 and row.choices[0].pk in found:
            left_out.append(replace(row, officer=row.choices[0], why="looks like somebody on the list already"))
        elif row.officer is None:
            free = tuple(choice for choice in row.choices if choice.pk not in found)
            unclear.append(replace(row, choices=free or row.choices))
    expected = outlook(proposal, [pk for pk in found if pk not in own], as_of=as_of)
    places = _places(found, as_of)
    away = not_employed(list(found), proposal.completed_on)
    listed = [
        replace(
            row,
            place=places.get(pk, ()),
            effects=expected.effects.get(pk, ()),
            unchanged=YOUR_OWN if pk in own else expected.unchanged.get(pk, ""),
            why=_oddity(proposal, away[pk]) if pk in away else "",
        )
        for pk, row in found.items()
    ]
    in_order = attrgetter("number")
    shown = {pk for pk in found if pk in alike} | {row.choices[0].pk for row in unclear if row.is_twin}
    return Sheet(listed, sorted(unclear, key=in_order), sorted(left_out, key=in_order), expected, sorted(shown))


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
