"""Who would change state if the rules were changed: worked out from the facts, with nothing written and nobody held up.

The members' facts are judged by the rules as they stand in a `Proposal`, and compared with the standings that are
stored. One tally of moves holds the whole answer: every count on the page and in the command is a sum over it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max

from compliance import coverage, engine, sentences, standings
from compliance.coverage import Counts
from compliance.gather import Rules, gather_members, gather_rules
from compliance.models import Edition, Requirement
from compliance.requirements import Proposal, empty_populations
from compliance.requirements_toml import export_toml
from roster.facts import Change

#: Members named for each move: enough to recognise whom it is about.
SAMPLE = 5


class Move(NamedTuple):
    """What a rule change makes of members of one unit on one day; a state of None is outside the population."""

    requirement: int
    day: date
    #: the key of the reading that is proposed, or of another that the same words could mean
    reading: str
    unit: int | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that "every three years" can mean."""

    key: str
    title: str
    #: what it says of a credit
    words: str


@dataclass
class Preview:
    """The answer: how many make which move, and a few of each by their ids."""

    days: tuple[date, ...]
    moves: Counter[Move] = field(default_factory=Counter)
    #: (requirement, day, before, after) -> some members
    sample: dict[tuple[int, date, str | None, str | None], list[int]] = field(default_factory=dict)
    #: (requirement, day) -> members who keep their state with another due date
    redated: Counter[tuple[int, date]] = field(default_factory=Counter)
    #: requirement -> the readings its clock has, the proposed one first; only where there are several
    readings: dict[int, list[Reading]] = field(default_factory=dict)
    members: int = 0
    warnings: list[str] = field(default_factory=list)

    def of(self, requirement: int, day: date, reading: str = "") -> Counter[Move]:
        """The moves under one requirement, on one day, by one reading ("" is the proposed one)."""
        found = {move: number for move, number in self.moves.items() if move[:3] == (requirement, day, reading)}
        return Counter(found)


def changed(moves: Mapping[Move, int]) -> int:
    """How many change state, joining and leaving included."""
    return sum(number for move, number in moves.items() if move.before != move.after)


def by_unit(moves: Mapping[Move, int], side: str) -> dict[int | None, Counts]:
    """Unit -> its own members by state, `before` or `after`."""
    found: dict[int | None, Counts] = {}
    for move, number in moves.items():
        state = getattr(move, side)
        if state is not None:
            found[move.unit] = found.get(move.unit, Counts(unit=move.unit)) + Counts(**{state: number})
    return found


def preview(proposal: Proposal, *, days: Sequence[date], progress: standings.Progress | None = None) -> Preview:
    """Who would change state on these days, the first of which is today, if the proposal were stored.

    Judges every member once for each reading; memory does not grow with the department. Per slice: the eight queries
    that gather facts and one for the stored standings, in one snapshot. No lock is held between slices: who asks keeps
    `fingerprint()` from before, which tells whether something was recorded meanwhile.
    """
    rules = gather_rules(proposal.instead).for_requirements(proposal.instead)
    answer = Preview(tuple(dict.fromkeys(days)))
    variants = {"": rules}
    for requirement, editions in proposal.instead.items():
        others = _other_readings(editions, {edition.pk for edition in proposal.altered})
        if not others:
            continue
        answer.readings[requirement] = [reading for reading, _ in others]
        for reading, changes in others[1:]:
            line = tuple(
                replace(edition, **changes[edition.key]) if edition.key in changes else edition
                for edition in rules.editions[requirement]
            )
            variant = variants.get(reading.key, replace(rules, editions={}))
            variants[reading.key] = replace(variant, editions={**variant.editions, requirement: line})
    if rules.editions:
        for ids, done, total in standings.slices(None):
            with standings.snapshot():
                before = _stored(ids, rules.editions, answer.days)
                members = gather_members(ids, rules)
            for key, asked in variants.items():
                _tally(answer, key, asked, members, before)
            answer.members = total
            if progress is not None:
                progress(done, total)
    asked_today = {move.requirement for move in answer.moves if move.day == days[0] and move.after is not None}
    unchanged = {row.pk for row in proposal.requirements} - proposal.instead.keys()
    if unchanged:
        stored = coverage.standings_on(days[0], requirement_ids=unchanged).values_list("requirement_id", flat=True)
        asked_today.update(stored.distinct())
    answer.warnings = [*proposal.loaded.warnings, *empty_populations(asked_today, proposal.requirements, days[0])]
    return answer


Held = tuple[int | None, str, date | None]


def _tally(
    answer: Preview,
    reading: str,
    rules: Rules,
    members: Mapping[int, engine.MemberFacts],
    before: Mapping[tuple[int, int, date], Held],
) -> None:
    """Add what becomes of these members by one reading."""
    for officer, facts in members.items():
        for requirement, editions in rules.editions.items():
            line = engine.timeline(editions, facts)
            for day in answer.days:
                was = before.get((officer, requirement, day))
                becomes = _on(line, day)
                if was is None and becomes is None:
                    continue
                unit, old, old_due = was or (becomes.unit if becomes else None, None, None)
                new = None if becomes is None else str(becomes.state)
                answer.moves[Move(requirement, day, reading, unit, old, new)] += 1
                if reading:
                    continue
                if old != new:
                    named = answer.sample.setdefault((requirement, day, old, new), [])
                    if len(named) < SAMPLE:
                        named.append(officer)
                elif becomes is not None and becomes.due_on != old_due:
                    answer.redated[requirement, day] += 1


def _on(line: Iterable[engine.Period], day: date) -> engine.Period | None:
    for period in line:
        if period.start_on <= day and (period.end_on is None or day <= period.end_on):
            return period
    return None


def _stored(
    officer_ids: Collection[int], requirement_ids: Iterable[int], days: Iterable[date]
) -> dict[tuple[int, int, date], Held]:
    """(officer, requirement, day) -> unit, state and due date as stored. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT officer_id, requirement_id, day, unit_id, state, due_on"
            " FROM compliance_standing CROSS JOIN unnest(%s::date[]) AS day"
            " WHERE officer_id = ANY(%s) AND requirement_id = ANY(%s)"
            " AND start_on <= day AND (end_on IS NULL OR end_on >= day)",
            [list(days), list(officer_ids), list(requirement_ids)],
        )
        return {tuple(row[:3]): tuple(row[3:]) for row in cursor.fetchall()}


Changes = dict[str, Any]


def _other_readings(editions: Sequence[Edition], proposed: Collection[int]) -> list[tuple[Reading, dict[int, Changes]]]:
    """The readings of a rule "every so many years", the proposed one first: each with what it changes, by edition.

    Empty where the last of the proposed editions has no such clock. Only proposed editions are read otherwise.
    """
    open_to_reading = [edition for edition in editions if edition.pk in proposed and years_of(edition)]
    if not open_to_reading:
        return []
    chosen = open_to_reading[-1].clock
    latest = open_to_reading[-1]
    # A cycle that names no first day begins with the year from which the requirement is asked.
    begun = latest.cycle_start or date(min(edition.effective_from.year for edition in editions), 1, 1)
    found = []
    for clock in sorted((engine.Clock.ROLLING, engine.Clock.CALENDAR, engine.Clock.CYCLE), key=lambda c: c != chosen):
        changes = {edition.pk: _read_as(clock, edition, begun) for edition in open_to_reading if edition.clock != clock}
        found.append((_reading(clock, years_of(latest), begun), changes))
    return found


def years_of(edition: Edition) -> int:
    """The years of a rule that says "every so many years"; 0 for another rule."""
    if edition.hours and edition.hours_model == engine.HoursModel.ROLLING:
        return 0
    if edition.clock == engine.Clock.CALENDAR:
        return edition.years
    if edition.clock in (engine.Clock.ROLLING, engine.Clock.CYCLE) and edition.months % 12 == 0:
        return edition.months // 12
    return 0


def _read_as(clock: engine.Clock, edition: Edition, begun: date) -> Changes:
    """What makes an engine's edition one of another clock, with the same number of years."""
    years = years_of(edition)
    first_due = engine.FirstDue(edition.first_due)
    is_window = first_due in (engine.FirstDue.WINDOW_END, engine.FirstDue.NEXT_WINDOW_END)
    if clock == engine.Clock.CYCLE:
        first_due = first_due if is_window else engine.FirstDue.WINDOW_END
    else:
        first_due = engine.FirstDue.GRACE if is_window else first_due
    changes: Changes = {"clock": clock, "months": 12 * years, "years": years, "first_due": first_due}
    if clock == engine.Clock.CYCLE:
        changes["cycle_start"] = begun
    if clock != engine.Clock.ROLLING:
        changes["early"] = engine.Early.RESTART
    return changes


def _reading(clock: engine.Clock, years: int, begun: date) -> Reading:
    months = sentences.count(12 * years, "month")
    if clock == engine.Clock.ROLLING:
        return Reading(clock, f"{months} from the day", f"A course carries {months}, to the day.")
    if clock == engine.Clock.CALENDAR:
        title = sentences.count(years, "calendar year")
        return Reading(clock, title, f"A course carries to the end of the year, {sentences.count(years, 'year')} on.")
    start = sentences.day(begun)
    words = f"A course in one window of {months} carries to the end of the next; the first begins {start}."
    return Reading(clock, f"windows of {months}", words)


def fingerprint() -> str:
    """Equal as long as nothing is recorded and no rule is changed: what a preview is good for.

    Thirty queries or so; the time of the last change to the facts, and SHA-256 of everything they are judged by.
    """
    facts = Change.objects.aggregate(last=Max("at"))["last"]
    words = export_toml(Requirement.objects.all())
    return sha256(f"{facts}\n{gather_rules().digest()}\n{words}".encode()).hexdigest()
