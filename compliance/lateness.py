"""Late and missed items: the runs of overdue days of a member, and what was said to explain each.

An explanation is a line that stays. A correction is another line after it, and the last one is read first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from compliance.gather import known_facts
from compliance.models import Explanation, Requirement
from compliance.sentences import day, name_of
from compliance.standings import Row
from roster.facts import FactRefused, Via, recording
from roster.models import Officer

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spell:
    """An unbroken run of overdue days under one requirement; `end_on` None while it goes on."""

    requirement: int
    start_on: date
    end_on: date | None
    due_on: date | None

    def holds(self, asked: date) -> bool:
        return self.start_on <= asked and (self.end_on is None or asked <= self.end_on)


def spells_of(line: Iterable[Row], as_of: date) -> list[Spell]:
    """The runs of overdue days that began by a day, in order of time; `line` is of one requirement."""
    found: list[Spell] = []
    for row in line:
        if row.state != "overdue" or row.start_on > as_of:
            continue
        if found and found[-1].end_on == row.start_on - ONE_DAY:
            found[-1] = Spell(row.requirement, found[-1].start_on, row.end_on, found[-1].due_on)
        else:
            found.append(Spell(row.requirement, row.start_on, row.end_on, row.due_on))
    return found


def explanations_of(
    officer_ids: Collection[int], known_at: datetime | None, *, requirement_ids: Collection[int] | None = None
) -> dict[int, list[Explanation]]:
    """Officer -> what was said by that moment, in the order of saying. One query."""
    found: dict[int, list[Explanation]] = {}
    known = known_facts(Explanation, officer_ids, known_at)
    rows = known.select_related("requirement", "recorded_in__by").order_by("pk")
    for row in rows if requirement_ids is None else rows.filter(requirement__in=requirement_ids):
        found.setdefault(row.officer_id, []).append(row)
    return found


def said_of(spell: Spell, explanations: Iterable[Explanation]) -> list[Explanation]:
    """What was said of one run of overdue days: the explanations of a day in it."""
    return [row for row in explanations if row.requirement_id == spell.requirement and spell.holds(row.late_from)]


def told(row: Explanation) -> str:
    """`The class was full (Ruth Osei, 3 May 2026)`: what was said, by whom and when."""
    change = row.recorded_in
    who = [name_of(change.by)] if change.by else []
    when = [day(timezone.localdate(change.at))] if change.at else []
    return f"{row.text} ({', '.join([*who, *when])})"


def explain(
    officer: Officer,
    requirement: Requirement,
    late_from: date,
    text: str,
    *,
    lines: Mapping[tuple[int, int], Sequence[Row]],
    today: date,
    by: User,
) -> bool:
    """Record why a run of overdue days came about; False where the same was said already.

    `lines` are the member's standings; what began after today, or never was, cannot be explained.
    """
    spells = spells_of(lines.get((officer.pk, requirement.pk), ()), today)
    if not any(spell.holds(late_from) for spell in spells):
        raise FactRefused(f"The member was not overdue on {day(late_from)}. Choose one of the periods listed.")
    with recording(by=by, via=Via.PAGE, why="Explained a late or missed item") as recorder:
        recorder.lock([officer.pk])
        said = {"officer": officer, "requirement": requirement, "late_from": late_from, "text": text}
        if Explanation.objects.known().filter(**said).exists():
            return False
        recorder.record(Explanation(**said))
    return True
