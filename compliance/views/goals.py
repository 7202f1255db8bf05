"""Goals: what was promised, how each stands as a whole and in each group, and who keeps it from being whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Value
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, goals, known, sentences
from compliance.asking import Asked, ask, export_rows, in_one_transaction
from compliance.filters import all_requirements, population_of
from compliance.models import Counted, Each, Goal, Requirement
from compliance.tables import standing_rows
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Shift

MOST_NAMED = 50  # members of each goal
MOST_LINES = 25  # units of each goal


@dataclass(frozen=True)
class Line:
    """One row of a goal's groups: a unit with a group for each shift, or one group alone."""

    name: str
    url: str
    #: each column with the group that stands in it; None where a unit has nobody
    cells: list[tuple[str, goals.Group | None]]

    @property
    def groups(self) -> list[goals.Group]:
        return [group for _, group in self.cells if group]

    @property
    def short(self) -> int:
        return sum(group.short for group in self.groups)

    @property
    def share(self) -> Fraction:
        """What the line reaches of what it is asked: the lower, the worse."""
        return Fraction(sum(group.have for group in self.groups), sum(group.counted for group in self.groups) or 1)


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
    requirements = {each.pk: each for each in all_requirements(population_on=asked.as_of).values()}
    promised = list(Goal.objects.order_by("code"))
    ids = {goal.requirement_id for goal in promised}
    rows = coverage.standings_on(asked.as_of, known_at=asked.known_at, requirement_ids=ids)
    codes = goals.codes_of(promised, asked.as_of)
    places = goals.tallies(promised, rows, as_of=asked.as_of, known_at=asked.known_at, codes=codes)
    needs_shifts = any("shift" in goals.KEYS[goal.each] for goal in promised)
    names = goals.Names(viewer.tree, {shift.pk: shift for shift in Shift.objects.all()} if needs_shifts else {})
    results = {goal.pk: goals.result_of(goal, places[goal.pk]) for goal in promised}
    if request.GET.get("export"):
        return _export(request, promised, results, names)
    named = _named(promised, coverage.in_reach(rows, viewer), asked, codes)
    found = [
        {
            **_said(goal, requirements[goal.requirement_id], results[goal.pk], codes.get(goal.pk, ()), asked),
            "grid": _grid(goal, requirements[goal.requirement_id], results[goal.pk], names, viewer, asked),
            "named": named[goal.pk],
            "more": _missing(goals.in_reach(places[goal.pk], viewer)) - len(named[goal.pk]),
        }
        for goal in promised
    ]
    context = {
        "asked": asked,
        "population": "of each goal",
        "counts": "as each goal says",
        "goals": found,
        "links": viewer.openable(row.officer for item in found for row, _ in item["named"]),
    }
    return render(request, "goals.html", context)


def _said(
    goal: Goal, requirement: Requirement, result: goals.GoalResult, codes: Sequence[str], asked: Asked
) -> dict[str, Any]:
    """What a goal's card says of the whole."""
    return {
        "goal": goal,
        "requirement": requirement,
        "result": result,
        "counts": sentences.goal_counts(goal, codes),
        "asks": sentences.goal_asks(goal),
        "population": population_of(requirement),
        "url": asked.link(reverse("coverage"), requirement=requirement.code),
    }


def _missing(places: goals.Places) -> int:
    """Members at home in these places who are counted and whom the goal does not count."""
    here = goals.total(places)
    return here.counts.counted - here.own


def _is_in_reach(group: goals.Group, goal: Goal, viewer: Viewer) -> bool:
    """A shift of the whole department is everybody's figure; a unit's is that of who sees the unit."""
    visible = viewer.visible_units()
    if visible is None or goal.each == Each.SHIFT:
        return True
    return group.unit in visible if group.unit else bool(viewer.agencies)


def _grid(
    goal: Goal,
    requirement: Requirement,
    result: goals.GoalResult,
    names: goals.Names,
    viewer: Viewer,
    asked: Asked,
) -> Grid | None:
    """Units by shifts, or one column of groups; None for a goal without groups."""
    if goal.each == Each.NONE:
        return None
    seen = sorted((group for group in result.groups if _is_in_reach(group, goal, viewer)), key=names.place)
    if goal.each == Each.SHIFT:
        columns = ["Members"]
        lines = [Line(names.shift(group.shift), "", [("Members", group)]) for group in seen]
    else:
        by_shift = {group.shift: group for group in sorted(seen, key=lambda one: names.place(one)[2:])}
        shifts = list(by_shift) if goal.each == Each.UNIT_SHIFT else [None]
        columns = [names.shift(shift) for shift in shifts] if goal.each == Each.UNIT_SHIFT else ["Members"]
        by_unit: dict[int | None, dict[int | None, goals.Group]] = {}
        for group in seen:
            by_unit.setdefault(group.unit, {})[group.shift] = group
        lines = [
            Line(
                names.unit(unit),
                _unit_url(unit, requirement, viewer, asked),
                [(column, found.get(shift)) for column, shift in zip(columns, shifts, strict=True)],
            )
            for unit, found in by_unit.items()
        ]
    lines.sort(key=lambda line: (-line.short, line.share))
    return Grid(columns, lines[:MOST_LINES], max(0, len(lines) - MOST_LINES), len(result.groups) - len(seen))


def _unit_url(unit: int | None, requirement: Requirement, viewer: Viewer, asked: Asked) -> str:
    if unit is None:
        return ""
    return asked.link(reverse("unit-detail", args=[viewer.tree.units[unit].code]), requirement=requirement.code)


def _named(
    promised: Sequence[Goal], rows: coverage.Standings, asked: Asked, codes: Mapping[int, Sequence[str]]
) -> dict[int, list[tuple[Any, str]]]:
    """Goal -> the first members who keep it from being whole, by name, with what they lack beside their state.

    Two queries for all goals: who they are, and then what is printed of those few.
    """
    parts = []
    for goal in promised:
        asked_of = rows.filter(requirement=goal.requirement_id)
        missing = goals.exceptions(
            goal, asked_of, as_of=asked.as_of, known_at=asked.known_at, codes=codes.get(goal.pk, ())
        )
        by_name = missing.order_by("officer__last_name", "officer__first_name", "officer__employee_id")
        parts.append(by_name.annotate(goal_id=Value(goal.pk)).values_list("goal_id", "pk")[:MOST_NAMED])
    if not parts:
        return {}
    first = list(parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])
    shown = {row.pk: row for row in standing_rows(rows.model.objects.filter(pk__in={pk for _, pk in first}))}
    found: dict[int, list[tuple[Any, str]]] = {goal.pk: [] for goal in promised}
    counts = {goal.pk: goal.counts for goal in promised}
    for goal_id, pk in first:
        found[goal_id].append((shown[pk], _lacks(counts[goal_id], shown[pk].state)))
    for named in found.values():
        named.sort(
            key=lambda pair: (pair[0].officer.last_name, pair[0].officer.first_name, pair[0].officer.employee_id)
        )
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
        for group in sorted(result.groups, key=names.place):
            if _is_in_reach(group, goal, request.viewer):
                where = [names.code(key, getattr(group, key)) for key in ("unit", "shift")]
                rows.append([*asks, "group", *where, *_figures(group)])
    return export_rows(request, rows, "goals")


def _figures(share: goals.GoalResult | goals.Group) -> list[Any]:
    figures = [share.percent, share.have, share.needed, share.counted, share.excused, share.short]
    return [*figures, "yes" if share.met else "no"]
