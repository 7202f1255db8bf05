"""Goals: what was promised, how each stands as a whole and in each group, and who keeps it from being whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.db.models import Value
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, goals, known, sentences
from compliance.asking import Asked, ask, export_rows, in_one_transaction
from compliance.filters import population_of
from compliance.models import Counted, Each, Goal, Requirement
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Officer

MOST_NAMED = 50  # members of each goal
MOST_LINES = 25  # units of each goal


@dataclass(frozen=True)
class Line:
    """One row of a goal's groups: a unit with a group for each shift, or one group alone."""

    name: str
    url: str
    #: each column with the group that stands in it; None where a unit has nobody
    cells: list[tuple[str, goals.Group | None]]


def _how_far_behind(groups: Collection[goals.Group]) -> tuple[int, Fraction]:
    """How many a line is short of, the most first, and what it reaches of what it is asked, the least first."""
    counted = sum(group.counted for group in groups)
    return -sum(group.short for group in groups), Fraction(sum(group.have for group in groups), counted or 1)


@dataclass(frozen=True)
class Grid:
    """The groups of a goal within a viewer's reach, those furthest behind first."""

    columns: list[str]
    lines: list[Line]
    #: lines that are left to the file, and groups that are out of reach
    more: int
    hidden: int


@requires(Right.READ_MEMBERS)
@require_safe
@in_one_transaction
def goal_list(request: ViewerRequest) -> HttpResponseBase:
    """How each goal stands for the whole department; its groups and named exceptions within the viewer's reach."""
    viewer = request.viewer
    asked = ask(request, today=viewer.today)
    known.be_ready(asked.known_at, asked.as_of)
    promised = goals.promised_on(asked.as_of)
    ids = {goal.requirement_id for goal in promised}
    rows = coverage.standings_on(asked.as_of, known_at=asked.known_at, requirement_ids=ids)
    codes = goals.codes_of(promised, asked.as_of)
    tallied = goals.tallies(promised, rows, as_of=asked.as_of, known_at=asked.known_at, codes=codes)
    names = goals.Names(viewer.tree, tallied.shifts)
    results = {goal.pk: goals.result_of(goal, tallied.places[goal.pk]) for goal in promised}
    if request.GET.get("export"):
        return _export(request, promised, results, names)
    named = _named(promised, coverage.in_reach(rows, viewer), asked, codes, names)
    found = [
        {
            **_said(goal, results[goal.pk], codes.get(goal.pk, ()), asked),
            "grid": _grid(goal, results[goal.pk], names, viewer, asked),
            "named": named[goal.pk],
            "more": _missing(goals.in_reach(tallied.places[goal.pk], viewer)) - len(named[goal.pk]),
        }
        for goal in promised
    ]
    context = {
        "asked": asked,
        "population": "of each goal",
        "counts": "as each goal says",
        "goals": found,
        "links": viewer.openable(one.officer for item in found for one in item["named"]),
    }
    return render(request, "goals.html", context)


def _said(goal: Goal, result: goals.GoalResult, codes: Sequence[str], asked: Asked) -> dict[str, Any]:
    """What a goal's card says of the whole."""
    return {
        "goal": goal,
        "requirement": goal.requirement,
        "result": result,
        "counts": sentences.goal_counts(goal, codes),
        "asks": sentences.goal_asks(goal),
        "population": population_of(goal),
        "url": asked.link(reverse("coverage"), requirement=goal.requirement.code),
    }


def _missing(places: goals.Places) -> int:
    """Members at home in these places who are counted and whom the goal does not count."""
    here = goals.total(places)
    return here.counts.counted - here.own


def _in_reach(groups: Iterable[goals.Group], goal: Goal, names: goals.Names, viewer: Viewer) -> list[goals.Group]:
    """A shift of the whole department is everybody's figure; a unit's is that of who sees the unit. In order."""
    visible = None if goal.each == Each.SHIFT else viewer.visible_units()
    seen = [
        group for group in groups if visible is None or (group.unit in visible if group.unit else bool(viewer.agencies))
    ]
    return sorted(seen, key=names.place)


def _grid(goal: Goal, result: goals.GoalResult, names: goals.Names, viewer: Viewer, asked: Asked) -> Grid | None:
    """Units by shifts, or one column of groups; None for a goal without groups."""
    if goal.each == Each.NONE:
        return None
    seen = _in_reach(result.groups, goal, names, viewer)
    has_units = goal.each != Each.SHIFT
    lines: dict[int | None, dict[int | None, goals.Group]] = {}
    for group in seen:
        line, column = (group.unit, group.shift) if has_units else (group.shift, None)
        lines.setdefault(line, {})[column] = group
    in_order = {group.shift: group for group in sorted(seen, key=lambda one: names.place(one)[2:])}
    shifts = list(in_order) if goal.each == Each.UNIT_SHIFT else [None]
    columns = [names.shift(shift) for shift in shifts] if goal.each == Each.UNIT_SHIFT else ["Members"]
    furthest = sorted(lines.items(), key=lambda line: _how_far_behind(line[1].values()))[:MOST_LINES]
    shown = [
        Line(
            names.unit(key) if has_units else names.shift(key),
            _unit_url(key, goal.requirement, viewer, asked) if has_units else "",
            [(column, found.get(shift)) for column, shift in zip(columns, shifts, strict=True)],
        )
        for key, found in furthest
    ]
    return Grid(columns, shown, len(lines) - len(shown), len(result.groups) - len(seen))


def _unit_url(unit: int | None, requirement: Requirement, viewer: Viewer, asked: Asked) -> str:
    if unit is None:
        return ""
    return asked.link(reverse("unit-detail", args=[viewer.tree.units[unit].code]), requirement=requirement.code)


@dataclass(frozen=True, slots=True)
class Missing:
    """A member who keeps a goal from being whole; `lacks` is what the state alone does not say."""

    officer: Officer
    place: str
    state: str
    due_on: date | None
    lacks: str


#: What is printed of a member, as the query gives it.
PRINTED = ("pk", "agency_id", "employee_id", "last_name", "first_name", "middle_name", "suffix")


def _named(
    promised: Sequence[Goal],
    rows: coverage.Standings,
    asked: Asked,
    codes: Mapping[int, Sequence[str]],
    names: goals.Names,
) -> dict[int, list[Missing]]:
    """Goal -> the first members who keep it from being whole, by name. One query for all goals."""
    parts = []
    for goal in promised:
        missing = goals.exceptions(
            goal,
            rows.filter(requirement=goal.requirement_id),
            as_of=asked.as_of,
            known_at=asked.known_at,
            codes=codes.get(goal.pk, ()),
        )
        by_name = missing.order_by("officer__last_name", "officer__first_name", "officer__employee_id")
        printed = ("goal_id", "unit_id", "shift_id", "state", "due_on", *(f"officer__{name}" for name in PRINTED))
        parts.append(by_name.annotate(goal_id=Value(goal.pk)).values_list(*printed)[:MOST_NAMED])
    if not parts:
        return {}
    found: dict[int, list[Missing]] = {goal.pk: [] for goal in promised}
    counts = {goal.pk: goal.counts for goal in promised}
    for goal_id, unit, shift, state, due_on, *values in parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]:
        officer = Officer(**dict(zip(PRINTED, values, strict=True)))
        place = " · ".join(filter(None, (names.unit(unit) if unit else "–", names.shift(shift) if shift else "")))
        found[goal_id].append(Missing(officer, place, state, due_on, _lacks(counts[goal_id], state)))
    for named in found.values():
        named.sort(key=lambda one: (one.officer.last_name, one.officer.first_name, one.officer.employee_id))
    return found


def _lacks(counts: str, state: str) -> str:
    """What a member lacks whose state alone does not say it."""
    if counts == Counted.DESIGNATED:
        return "not designated"
    return "on leave" if counts == Counted.AVAILABLE and state == "current" else ""


def _export(
    request: ViewerRequest, promised: Sequence[Goal], results: Mapping[int, goals.GoalResult], names: goals.Names
) -> HttpResponseBase:
    """A row for each goal and, below it, one for each of its groups within reach."""
    rows: list[list[Any]] = [
        [
            *("Goal", "Counts", "Target, %", "Of each", "At least", "By", "Row", "Unit", "Shift"),
            *("Percent", "Have", "Needed", "Counted", "Excused", "Short", "Met"),
        ]
    ]
    for goal in promised:
        result = results[goal.pk]
        by = sentences.day(goal.by) if goal.by else ""
        asks = [goal.title, goal.counts, goal.target_percent, goal.get_each_display(), goal.min_count, by]
        rows.append([*asks, "whole", "", "", *_figures(result)])
        for group in _in_reach(result.groups, goal, names, request.viewer):
            where = [names.code(key, getattr(group, key)) for key in ("unit", "shift")]
            rows.append([*asks, "group", *where, *_figures(group)])
    return export_rows(request, rows, "goals")


def _figures(share: goals.GoalResult | goals.Group) -> list[Any]:
    figures = [share.percent, share.have, share.needed, share.counted, share.excused, share.short]
    return [*figures, "yes" if share.met else "no"]
