"""Coverage: units by requirements, one requirement in full, and what falls due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, goals, known
from compliance.asking import Asked, arrange, ask, export_rows, in_one_transaction
from compliance.engine import plus_months
from compliance.filters import (
    DeadlineForm,
    all_requirements,
    checked,
    chosen_requirement,
    chosen_unit,
    population_of,
)
from compliance.models import Each, Goal, Requirement
from compliance.tables import OverdueTable, StandingTable, standing_rows, with_explanation
from compliance.working import Place
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Shift, Unit

SOON = 90  # days


@dataclass(frozen=True)
class Line:
    """One row of the coverage table: a unit with everything below it, or one shift of it."""

    name: str
    url: str
    depth: int
    counts: coverage.Counts
    due_soon: int
    #: how many are missing for the goal; None without a goal
    short: int | None
    unit: Unit | None = None
    is_shift: bool = False

    @property
    def short_words(self) -> str:
        return f"short {self.short}"


@requires(Right.READ_MEMBERS)
@require_safe
@in_one_transaction
def coverage_page(request: ViewerRequest) -> HttpResponseBase:
    """Units by requirements; with `?requirement=` one of them in full."""
    asked = ask(request, today=request.viewer.today)
    requirements = all_requirements(population_on=asked.as_of)
    requirement = chosen_requirement(request, requirements)
    if requirement is None:
        return _overview(request, asked, list(requirements.values()))
    unit = chosen_unit(request)
    month_ago = plus_months(asked.as_of, -1)
    known.be_ready(asked.known_at, asked.as_of, month_ago)
    ids, reach = [requirement.pk], _reach(request.viewer, unit)
    before = coverage.places(
        coverage.standings_on(month_ago, known_at=asked.known_at, requirement_ids=ids), reach, "places_before"
    )
    everywhere = coverage.standings_on(asked.as_of, known_at=asked.known_at, requirement_ids=ids)
    rows = coverage.within(everywhere, reach)
    goal = requirement.goals.order_by("by", "code").first()
    parts = coverage.counts(rows, "unit_shift")
    tops = [unit.pk] if unit else _tops(request.viewer)
    promised = Promised(goal, _places(request.viewer, asked, goal, parts, everywhere, unit)) if goal else None
    due = coverage.due_counts(rows, asked.as_of, SOON)
    lines = _lines(request.viewer, asked, requirement, tops, parts, due, promised)
    if request.GET.get("export"):
        return _export(request, lines, goal)
    whole = coverage.total(parts)
    bridge = coverage.bridge(before, coverage.places(everywhere, reach, "places_after"))
    context = {
        "asked": asked,
        "population": population_of(requirement),
        "counts": "certified (current)",
        "requirement": requirement,
        "requirements": requirements.values(),
        "lines": lines,
        "whole": whole,
        "goal": goal,
        "result": goals.result_of(promised.goal, promised.places) if promised else None,
        "bridge": bridge,
        "since": month_ago,
        "points": _points(whole, bridge),
        "unit": unit,
        "soon": SOON,
    }
    return render(request, "coverage/one.html", context)


@dataclass(frozen=True)
class Promised:
    """A goal, and its members by place within the reach of the page."""

    goal: Goal
    places: goals.Places

    def short_in(self, unit: int | None, by_unit: Mapping[int | None, goals.Places]) -> int | None:
        """How many a unit is short with everything below it; None when nobody there is asked."""
        return self._short(by_unit.get(unit, {}))

    def short_on(self, unit: int, shift: int) -> int | None:
        """The same of one shift of a unit's own members; a goal about each unit is about no shift of it."""
        place = Place(unit, shift)
        found = {place: self.places[place]} if place in self.places else {}
        return self._short(found, has_groups=self.goal.each == Each.UNIT_SHIFT)

    def _short(self, places: goals.Places, *, has_groups: bool = True) -> int | None:
        short = goals.short_in(self.goal, places, has_groups=has_groups)
        return short if short or goals.total(places).counts.counted else None


def _places(
    viewer: Viewer,
    asked: Asked,
    goal: Goal,
    parts: Sequence[coverage.Counts],
    everywhere: coverage.Standings,
    unit: Unit | None,
) -> goals.Places:
    """A goal's members by place as far as the page reaches: from the parts counted, or by the queries of `tallies`."""
    if goals.is_of_standings(goal):
        return goals.of_parts(goal, parts)
    found = goals.tallies([goal], everywhere, as_of=asked.as_of, known_at=asked.known_at).places[goal.pk]
    return goals.in_reach(found, viewer) if unit is None else goals.within(found, viewer.tree.below([unit.pk]))


def _reach(viewer: Viewer, unit: Unit | None) -> Q | None:
    """Whose standings count: those within reach, or of one unit within reach with everything below it."""
    return coverage.reach_of(viewer) if unit is None else Q(unit__in=viewer.tree.below([unit.pk]))


def _tops(viewer: Viewer) -> list[int]:
    """The units a viewer's table begins with: the top of the tree, or a commander's own."""
    if viewer.visible_units() is None:
        return viewer.tree.tops()
    whole = [key for key in viewer.tree.tops() if viewer.tree.units[key].agency_id in (viewer.agencies or ())]
    below = viewer.tree.below(whole)
    return whole + [key for key in viewer.top_units() if key not in below]


def _points(whole: coverage.Counts, bridge: coverage.Bridge) -> str:
    """`▲ 2.2 points`: the difference of the two shares as they are printed."""
    if not whole.counted or not bridge.counted_before:
        return ""
    tenths = whole.current * 1000 // whole.counted - bridge.current_before * 1000 // bridge.counted_before
    sign = "▲" if tenths > 0 else "▼" if tenths < 0 else "±"
    return f"{sign} {abs(tenths) // 10}.{abs(tenths) % 10} points"


def _lines(
    viewer: Viewer,
    asked: Asked,
    requirement: Requirement,
    tops: Iterable[int],
    parts: Sequence[coverage.Counts],
    due: Mapping[tuple[int | None, int | None], int],
    promised: Promised | None,
) -> list[Line]:
    """Units in the order of the tree with their shifts below them, members without a unit last."""
    tree, shifts = viewer.tree, {shift.pk: shift for shift in Shift.every.all()}
    rolled = coverage.roll_up(parts, tree)
    of_unit: dict[int | None, list[coverage.Counts]] = {}
    for part in parts:
        of_unit.setdefault(part.unit, []).append(part)
    by_unit = goals.rolled_up(promised.places, tree) if promised else {}
    due_by_unit: dict[int | None, int] = {}
    for (key, _), number in due.items():
        for unit in tree.above(key) if key else ():
            due_by_unit[unit.pk] = due_by_unit.get(unit.pk, 0) + number
    lines = []
    for unit, depth in tree.walk_from(tops):
        if unit.pk not in rolled:
            continue
        url = asked.link(reverse("unit-detail", args=[unit.code]), requirement=requirement.code)
        counts = rolled[unit.pk]
        short = promised.short_in(unit.pk, by_unit) if promised else None
        lines.append(Line(unit.name, url, depth, counts, due_by_unit.get(unit.pk, 0), short, unit))
        own = sorted(
            (part for part in of_unit.get(unit.pk, ()) if part.shift),
            key=lambda part: (shifts[part.shift or 0].order, shifts[part.shift or 0].code),
        )
        for part in own if len(own) > 1 else ():
            shift = shifts[part.shift or 0]
            url = asked.link(reverse("unit-detail", args=[unit.code]), requirement=requirement.code, shift=shift.code)
            soon = due.get((unit.pk, shift.pk), 0)
            short = promised.short_on(unit.pk, shift.pk) if promised else None
            lines.append(Line(shift.code, url, depth + 1, part, soon, short, unit, is_shift=True))
    if None in rolled:
        soon = sum(number for (key, _), number in due.items() if key is None)
        short = promised.short_in(None, by_unit) if promised else None
        lines.append(Line("Without a home assignment", "", 0, rolled[None], soon, short))
    return lines


def _export(request: ViewerRequest, lines: Sequence[Line], goal: Goal | None) -> HttpResponseBase:
    header = [
        "Unit",
        "Shift",
        "Counted",
        "Current",
        "In grace",
        "Overdue",
        "Excused",
        "Percent",
        "Ever",
        "Due in 90 days",
    ]
    rows = [header + (["Short of the goal"] if goal else [])]
    for line in lines:
        values: list[Any] = [
            line.unit.code if line.unit else "",
            line.name if line.is_shift else "",
            line.counts.counted,
            line.counts.current,
            line.counts.in_grace,
            line.counts.overdue,
            line.counts.excused,
            line.counts.percent,
            line.counts.ever,
            line.due_soon,
        ]
        rows.append(values + ([line.short] if goal else []))
    return export_rows(request, rows, "coverage")


def _overview(request: ViewerRequest, asked: Asked, requirements: Sequence[Requirement]) -> HttpResponseBase:
    viewer = request.viewer
    known.be_ready(asked.known_at, asked.as_of)
    rows = coverage.in_reach(coverage.standings_on(asked.as_of, known_at=asked.known_at), viewer)
    by_requirement: dict[int, list[coverage.Counts]] = {requirement.pk: [] for requirement in requirements}
    for (key, _), counts in coverage.counts_by_requirement(rows).items():
        by_requirement[key].append(counts)
    rolled = {key: coverage.roll_up(parts, viewer.tree) for key, parts in by_requirement.items()}
    lines = [
        {
            "unit": unit,
            "depth": depth,
            "url": asked.link(reverse("unit-detail", args=[unit.code])),
            "cells": [(requirement, rolled[requirement.pk].get(unit.pk)) for requirement in requirements],
        }
        for unit, depth in viewer.tree.walk_from(_tops(viewer))
        if any(unit.pk in found for found in rolled.values())
    ]
    if any(None in found for found in rolled.values()):
        cells = [(requirement, rolled[requirement.pk].get(None)) for requirement in requirements]
        lines.append({"unit": None, "depth": 0, "url": "", "cells": cells})
    if request.GET.get("export"):
        return _export_overview(request, lines)
    context = {
        "asked": asked,
        "population": "of each requirement",
        "counts": "certified (current)",
        "requirements": [
            (requirement, asked.link(reverse("coverage"), requirement=requirement.code)) for requirement in requirements
        ],
        "totals": [coverage.total(by_requirement[requirement.pk]) for requirement in requirements],
        "lines": lines,
    }
    return render(request, "coverage/overview.html", context)


def _export_overview(request: ViewerRequest, lines: Sequence[Mapping[str, Any]]) -> HttpResponseBase:
    rows: list[list[Any]] = [["Unit", "Requirement", "Counted", "Current", "In grace", "Overdue", "Excused", "Percent"]]
    for line in lines:
        for requirement, counts in line["cells"]:
            if counts is not None:
                code = line["unit"].code if line["unit"] else ""
                figures = (counts.counted, counts.current, counts.in_grace, counts.overdue, counts.excused)
                rows.append([code, requirement.code, *figures, counts.percent])
    return export_rows(request, rows, "coverage")


@requires(Right.READ_MEMBERS)
@require_safe
@in_one_transaction
def deadline_list(request: ViewerRequest) -> HttpResponseBase:
    """Who falls due within so many days, or is overdue, within the viewer's reach."""
    viewer = request.viewer
    asked = ask(request, today=viewer.today)
    known.be_ready(asked.known_at, asked.as_of)
    requirements = all_requirements(population_on=asked.as_of)
    form = checked(DeadlineForm(request.GET or None, requirements=requirements))
    requirement, unit = chosen_requirement(request, requirements), chosen_unit(request)
    ids = [requirement.pk] if requirement else None
    everywhere = coverage.standings_on(asked.as_of, known_at=asked.known_at, requirement_ids=ids)
    rows = coverage.within(everywhere, _reach(viewer, unit))
    given = form.cleaned_data.get("within")
    within = SOON if given is None else given
    is_overdue = form.cleaned_data.get("show") == "overdue"
    found = rows.filter(state="overdue") if is_overdue else coverage.due_within(rows, asked.as_of, within)
    listed = OverdueTable if is_overdue else StandingTable
    table = listed(
        with_explanation(standing_rows(found), asked) if is_overdue else standing_rows(found),
        asked=asked,
        viewer=viewer,
        order_by=request.GET.get("sort") or "due_on",
        empty_text="Nobody is overdue here." if is_overdue else f"Nobody falls due within {within} days.",
    )
    table.caption = "Overdue, longest first" if is_overdue else f"Due within {within} days, soonest first"
    file = arrange(request, table, "deadlines")
    context = {
        "asked": asked,
        "population": population_of(requirement) if requirement else "of each requirement",
        "counts": "members with a due date",
        "form": form,
        "table": table,
        "within": within,
        "is_overdue": is_overdue,
        "spans": (30, 60, 90, 180),
    }
    return file or render(request, "deadlines.html", context)
