"""The accreditation report: one requirement, a span and a day, with the numbers and members behind each share.

`gather` reads the database once and gives the canonical data: plain JSON, the same for the same question and known-at.
Everything that is handed over is made of that data and nothing else (`accreditation_files`), so the files of one report
cannot disagree. What an assessor looks for decides what stands in it (rules 1): proof for the whole span, every
late member with dates and how it ended, and nothing that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from compliance import engine, lateness, sentences, standings
from compliance.coverage import Counts, percent, roll_up
from compliance.explain import explain
from compliance.gather import Rules, gather_members, gather_rules, listed_courses, taken_as
from compliance.models import Edition, Explanation, Requirement
from compliance.reports.paper import Data
from roster.models import Agency, Officer, Rank, Shift, Unit
from roster.tree import UnitTree
from training.models import Course

KIND = "accreditation"
TITLE = "Accreditation report"
PREFIX = "AR"

#: Exceptions first: the order of members.
ORDER = {state: place for place, state in enumerate(("overdue", "in_grace", "excused", "current"))}


@dataclass(frozen=True, slots=True)
class Question:
    """What a report answers. `known_at` is fixed before anything is read; `unit` None = the whole agency."""

    requirement: Requirement
    agency: Agency
    unit: Unit | None
    as_of: date
    span_from: date
    span_to: date
    known_at: datetime


@dataclass
class _Found:
    """What the slices add up to."""

    members: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[int | None, Counts] = field(default_factory=dict)
    through: dict[date, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class _Words:
    """Ids as the report prints them."""

    units: Mapping[int | None, Unit]
    shifts: Mapping[int | None, str]
    ranks: Mapping[int | None, str]
    courses: Mapping[int, tuple[str, str]]
    #: units the report covers; None = all of the agency
    scope: frozenset[int] | None

    def covers(self, row: standings.Row) -> bool:
        return self.scope is None or row.unit in self.scope

    def place(self, row: standings.Row) -> dict[str, Any]:
        unit = self.units.get(row.unit)
        return {
            "unit": unit.code if unit else None,
            "unit_name": str(unit) if unit else None,
            "shift": self.shifts.get(row.shift),
            "rank": self.ranks.get(row.rank),
        }

    def credit(self, completion: engine.Completion) -> dict[str, Any]:
        code, title = self.courses[completion.course.key]
        return {"on": completion.completed_on.isoformat(), "course": code, "title": title}


# Gather


def gather(question: Question, *, progress: standings.Progress | None = None) -> Data:
    """The canonical data, without the report's number: the same whenever the same question is asked again.

    All reads see one moment. About ten queries and eight more for each thousand members; members untouched since
    known-at are read from their stored standings, the others are judged by the engine.
    """
    with standings.snapshot():
        return _gather(question, progress)


def _gather(question: Question, progress: standings.Progress | None) -> Data:
    requirement = question.requirement
    rules = gather_rules().for_requirements([requirement.pk])
    tree = UnitTree([question.agency.pk])
    words = _Words(
        units={unit.pk: unit for unit in tree.units.values()},
        shifts=dict(Shift.every.values_list("pk", "code")),
        ranks=dict(Rank.every.values_list("pk", "code")),
        courses={key: (code, title) for key, code, title in Course.every.values_list("pk", "code", "title")},
        scope=None if question.unit is None else tree.below([question.unit.pk]),
    )
    found = _Found(through={day: Counts() for day in _days_through(question)})
    touched = standings.touched_since(question.known_at)
    ids = list(Officer.every.filter(agency=question.agency).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), standings.SLICE):
        part = ids[start : start + standings.SLICE]
        _add_slice(found, question, rules, words, part, touched)
        if progress is not None:
            progress(start + len(part), len(ids) + 1)
    return _data(question, rules, tree, words, found)


def _lines(
    part: Sequence[int], touched: set[int], rules: Rules, requirement: int, known_at: datetime
) -> dict[int, list[standings.Row]]:
    """Officer -> their whole line as known at that moment."""
    found: dict[int, list[standings.Row]] = {}
    stored = [officer for officer in part if officer not in touched]
    judged = [officer for officer in part if officer in touched]
    for officers, at in ((stored, None), (judged, known_at)):
        if officers:
            lines = standings.lines(officers, rules, known_at=at)
            found.update({officer: line for (officer, key), line in lines.items() if key == requirement})
    return found


def _add_slice(
    found: _Found, question: Question, rules: Rules, words: _Words, part: Sequence[int], touched: set[int]
) -> None:
    lines = _lines(part, touched, rules, question.requirement.pk, question.known_at)
    officers = Officer.every.in_bulk(list(lines))
    facts = gather_members(list(lines), rules, known_at=question.known_at)
    rows = [row for line in lines.values() for row in line]
    editions, bases = sentences.explanations((row.edition for row in rows), (row.basis for row in rows))
    by_key = {edition.key: edition for edition in rules.editions[question.requirement.pk]}
    said = lateness.explanations_of(list(lines), question.known_at, requirement_ids=[question.requirement.pk])
    for officer, line in lines.items():
        person = {"employee_id": officers[officer].employee_id, "name": officers[officer].listed_name}
        answer = standings.on_day(line, question.as_of)
        late = [
            spell
            | person
            | {"explained": _explained(line, date.fromisoformat(spell["from"]), question, said.get(officer, []))}
            for spell in _late_spells(line, question, words, bases)
        ]
        if answer is not None and words.covers(answer[0]):
            row, since = answer
            found.counts[row.unit] = found.counts.get(row.unit, Counts(unit=row.unit)) + _one(row)
            because = sentences.because(row, editions[row.edition], bases.get(row.basis))
            credits = _credits(rules.editions[question.requirement.pk], facts[officer], question.as_of)
            member = _member(question, row, since, by_key[row.edition], facts[officer], credits, words)
            explained = (
                _explained(line, question.as_of, question, said.get(officer, [])) if row.state == "overdue" else []
            )
            told = {"because": because, "explained": explained, "late_days_in_span": _total_days(late)}
            found.members.append(person | member | told)
        found.late += late
        for day, counts in found.through.items():
            held = next(
                (row for row in line if row.start_on <= day and (row.end_on is None or day <= row.end_on)), None
            )
            if held is not None and words.covers(held):
                found.through[day] = counts + _one(held)


def _one(row: standings.Row) -> Counts:
    """One member as counts."""
    ever = int(row.has_credit)
    return Counts(ever=ever, **{row.state: 1})


def _credits(editions: Sequence[engine.Edition], facts: engine.MemberFacts, as_of: date) -> list[engine.Completion]:
    """The completions that count on the day, by date: hours too that have passed out of their window since."""
    why = explain(editions, facts, as_of)
    return [
        verdict.completion
        for verdict in (why.verdicts if why else ())
        if verdict.lack is None or verdict.lack.why is engine.Refusal.HOURS_PAST
    ]


def _member(
    question: Question,
    row: standings.Row,
    since: date,
    edition: engine.Edition,
    facts: engine.MemberFacts,
    credits: Sequence[engine.Completion],
    words: _Words,
) -> dict[str, Any]:
    """A member of the population on the day: standing, the last credit, and the credits of the span."""
    listed = listed_courses(edition)
    pending = [
        completion
        for completion in sorted(facts.completions, key=lambda row: (row.completed_on, row.key))
        if completion.evidence is engine.Evidence.PENDING
        and completion.passed
        and listed & taken_as(completion.course, completion.completed_on)
        and completion.completed_on <= question.as_of
    ]
    in_span = [credit for credit in credits if question.span_from <= credit.completed_on <= question.span_to]
    return {
        **words.place(row),
        "state": row.state,
        "due_on": row.due_on and row.due_on.isoformat(),
        "since": since.isoformat(),
        "days_overdue": (question.as_of - row.due_on).days if row.state == "overdue" and row.due_on else None,
        "last_credit": words.credit(credits[-1]) if credits else None,
        "credits_in_span": [words.credit(credit) for credit in in_span],
        "evidence_pending": [words.credit(completion) for completion in pending],
    }


def _late_spells(
    line: Sequence[standings.Row],
    question: Question,
    words: _Words,
    bases: Mapping[int | None, sentences.Basis],
) -> Iterator[dict[str, Any]]:
    """Each unbroken run of days in the span on which the member was overdue in the report's units, and how it ended.

    A run that still goes on on the day asked has `to` null: facts after that day are none of this report's business.
    """
    runs: list[list[standings.Row]] = []
    for row in line:
        if row.state != "overdue" or not words.covers(row) or row.start_on > question.as_of:
            continue
        if runs and runs[-1][-1].end_on == row.start_on - timedelta(days=1):
            runs[-1].append(row)
        else:
            runs.append([row])
    for run in runs:
        start, end = run[0].start_on, run[-1].end_on
        last = question.as_of if end is None or end >= question.as_of else end
        if start > question.span_to or last < question.span_from:
            continue
        after = next((row for row in line if end is not None and row.start_on == end + timedelta(days=1)), None)
        first_in, last_in = max(start, question.span_from), min(last, question.span_to)
        yield {
            **words.place(run[-1]),
            "due_on": run[0].due_on and run[0].due_on.isoformat(),
            "from": start.isoformat(),
            "to": None if last == question.as_of else last.isoformat(),
            "days": (last_in - first_in).days + 1,
            "ended": None if last == question.as_of else _how_it_ended(after, bases),
        }


def _explained(line: Sequence[standings.Row], day: date, question: Question, said: Sequence[Explanation]) -> list[str]:
    """What was said of the run of overdue days that a day is in, in the order of saying."""
    spells = [spell for spell in lateness.spells_of(line, question.as_of) if spell.holds(day)]
    return [lateness.told(row) for spell in spells for row in lateness.said_of(spell, said)]


def _how_it_ended(after: standings.Row | None, bases: Mapping[int | None, sentences.Basis]) -> str:
    if after is None:
        return "Left the population."
    if after.state == "current" and after.basis in bases:
        basis = bases[after.basis]
        return f"{basis.title} on {sentences.day(basis.completed_on)}."
    words = {
        "excused": "Leave began; excused while it lasts.",
        "in_grace": "A new deadline began.",
        "overdue": "Moved to a unit outside this report, still overdue.",
    }
    return words.get(after.state, "Current again.")


def _total_days(spells: Iterable[Mapping[str, Any]]) -> int:
    return sum(spell["days"] for spell in spells)


def _days_through(question: Question) -> list[date]:
    """Days that show the whole span: its first and last, the day asked, and quarter or year ends between."""
    is_long = question.span_to - question.span_from > timedelta(days=2 * 366)
    ends = ((12, 31),) if is_long else ((3, 31), (6, 30), (9, 30), (12, 31))
    between = (
        date(year, month, day)
        for year in range(question.span_from.year, question.span_to.year + 1)
        for month, day in ends
    )
    inside = [day for day in between if question.span_from < day < question.span_to]
    return sorted({question.span_from, *inside, question.span_to, question.as_of})


def _data(question: Question, rules: Rules, tree: UnitTree, words: _Words, found: _Found) -> Data:
    requirement, unit = question.requirement, question.unit
    found.members.sort(key=lambda row: (ORDER[row["state"]], row["due_on"] or "", row["name"], row["employee_id"]))
    found.late.sort(key=lambda row: (row["from"], row["name"], row["employee_id"]))
    total = Counts()
    for counts in found.counts.values():
        total = total + counts
    in_force = list(engine.in_force(rules.editions[requirement.pk]))
    return {
        "kind": KIND,
        "title": TITLE,
        "agency": {"code": question.agency.code, "name": question.agency.name},
        "requirement": {
            "code": requirement.code,
            "title": requirement.title,
            "citations": list(requirement.citations),
        },
        "unit": None if unit is None else {"code": unit.code, "name": str(unit)},
        "as_of": question.as_of.isoformat(),
        "known_at": question.known_at.astimezone(timezone.get_default_timezone()).isoformat(timespec="microseconds"),
        "time_zone": timezone.get_default_timezone_name(),
        "span": {"from": question.span_from.isoformat(), "to": question.span_to.isoformat()},
        "editions": _editions(question, in_force),
        "notes": _notes(question, in_force, total),
        "totals": _figures(total),
        "coverage": _coverage(tree, words, found.counts, unit),
        "through_the_span": [{"day": day.isoformat(), **_figures(counts)} for day, counts in found.through.items()],
        "exceptions": {
            "overdue": [row["employee_id"] for row in found.members if row["state"] == "overdue"],
            "overdue_in_span": [row for row in found.late if row["to"] is not None],
            "in_grace": [row["employee_id"] for row in found.members if row["state"] == "in_grace"],
            "evidence_pending": [row["employee_id"] for row in found.members if row["evidence_pending"]],
        },
        "members": found.members,
    }


def _figures(counts: Counts) -> dict[str, Any]:
    return {
        "counted": counts.counted,
        "current": counts.current,
        "in_grace": counts.in_grace,
        "overdue": counts.overdue,
        "excused": counts.excused,
        "percent": percent(counts.current, counts.counted),
        "ever": counts.ever,
    }


def _coverage(
    tree: UnitTree, words: _Words, own: Mapping[int | None, Counts], top: Unit | None
) -> list[dict[str, Any]]:
    """Each unit that has members here or below, in the order of the tree, with everybody below it."""
    rolled = roll_up(own.values(), tree)
    walk = tree.walk() if top is None else tree.walk_from([top.pk])
    rows = [
        {"unit": unit.code, "name": str(unit), "depth": depth, **_figures(rolled[unit.pk])}
        for unit, depth in walk
        if unit.pk in rolled
    ]
    if None in rolled:
        rows.append({"unit": None, "name": "No home assignment", "depth": 0, **_figures(rolled[None])})
    return rows


def _editions(question: Question, in_force: Iterable[tuple[date, date, engine.Edition]]) -> list[dict[str, Any]]:
    """The editions in force on some day of the span or on the day asked, with everything each asks."""
    rows = Edition.objects.select_related("population", "requirement").prefetch_related(
        "entry_courses", "refresher_courses", "recert_courses"
    )
    by_id = {row.pk: row for row in rows.filter(requirement=question.requirement)}
    return [
        {
            "from": first.isoformat(),
            "to": None if last == engine.FOREVER else last.isoformat(),
            "on_the_day": first <= question.as_of <= last,
            "population": _fields(by_id[edition.key].population, leave_out=("id",)),
            "rule": sentences.rule(by_id[edition.key]),
            "parameters": _fields(
                by_id[edition.key],
                leave_out=("id", "requirement", "population", "effective_from", "effective_to"),
            ),
        }
        for first, last, edition in in_force
        if (first <= question.span_to and last >= question.span_from) or first <= question.as_of <= last
    ]


def _fields(row: Any, leave_out: Sequence[str]) -> dict[str, Any]:
    """Every stored field of a row as JSON; courses by code."""
    found: dict[str, Any] = {}
    for stored in (*row._meta.concrete_fields, *row._meta.many_to_many):
        if stored.name in leave_out:
            continue
        if stored.many_to_many:
            found[stored.name] = sorted(course.code for course in getattr(row, stored.name).all())
            continue
        value = getattr(row, stored.attname)
        if isinstance(value, Decimal):
            value = float(value)
        found[stored.name] = value.isoformat() if isinstance(value, date) else value
    return found


def _notes(question: Question, in_force: Sequence[tuple[date, date, engine.Edition]], total: Counts) -> list[str]:
    """What a reader must know before trusting a figure."""
    notes = []
    if question.as_of > timezone.localdate(question.known_at):
        notes.append(
            "The day reported lies after the moment of known at: what happens until then is not in the figures."
        )
    covered = [(first, last) for first, last, _ in in_force]
    if not covered or covered[0][0] > question.span_from:
        until = sentences.day(covered[0][0]) if covered else "any day"
        notes.append(f"No edition of this requirement was in force before {until}: nobody owed it then.")
    if covered and covered[-1][1] < max(question.span_to, question.as_of):
        notes.append(f"The last edition ended on {sentences.day(covered[-1][1])}: nobody owed it afterwards.")
    if not total.counted and not total.excused:
        notes.append("Nobody was in the population on the day reported: coverage is n/a, never 100 %.")
    return notes
