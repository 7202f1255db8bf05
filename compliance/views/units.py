"""A unit: its coverage with everything below it, its shifts, and who is missing and when."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, known, working
from compliance.asking import arrange, ask, in_one_transaction
from compliance.filters import MemberForm, all_requirements, checked, chosen_requirement, population_of
from compliance.models import Requirement
from compliance.tables import UnitTable, standing_rows
from roster.access import Right, ViewerRequest, requires
from roster.models import Shift


@requires(Right.READ_MEMBERS)
@require_safe
@in_one_transaction
def unit_detail(request: ViewerRequest, code: str) -> HttpResponseBase:
    """Figures of the unit with everything below it under each requirement, and its members under one."""
    viewer = request.viewer
    unit = viewer.unit(code, request.GET.get("agency", ""))
    asked = ask(request, today=viewer.today)
    known.be_ready(asked.known_at, asked.as_of)
    requirements = all_requirements(population_on=asked.as_of)
    shifts = {shift.pk: shift for shift in Shift.every.all()}
    form = checked(MemberForm(request.GET or None, requirements=requirements, shifts=shifts.values()))
    requirement = chosen_requirement(request, requirements) or next(iter(requirements.values()), None)
    below = viewer.tree.below([unit.pk])
    everywhere = coverage.standings_on(asked.as_of, known_at=asked.known_at)
    secondary = working.secondary_members(below, as_of=asked.as_of, known_at=asked.known_at)
    rows = working.seen_in(everywhere, below, secondary, as_of=asked.as_of, known_at=asked.known_at)
    by_shift = coverage.counts_by_shift(rows, "seen_shift_id")
    table = UnitTable(
        standing_rows(_filtered(rows.filter(requirement=requirement) if requirement else rows.none(), form, shifts)),
        asked=asked,
        viewer=viewer,
        homes=working.homes_of(secondary, viewer.tree),
        shifts=shifts,
        exclude=_left_out(len(below) > 1, bool(secondary)),
        empty_text="Nobody here is asked for this requirement on this day, or the filters leave nobody.",
    )
    table.caption = f"Members of {unit.name} under {requirement.title}" if requirement else "Members"
    file = arrange(request, table, f"unit-{unit.code}".replace(" ", "-"))
    if file:
        return file
    of_requirement = everywhere.filter(requirement=requirement) if requirement else None
    presence = working.presence(below, of_requirement, as_of=asked.as_of, known_at=asked.known_at)
    elsewhere = working.elsewhere(presence, secondary, viewer.tree, as_of=asked.as_of, known_at=asked.known_at)
    agency = request.GET.get("agency", "")
    context = {
        "asked": asked,
        "population": population_of(requirement) if requirement else "",
        "counts": "certified (current)",
        "unit": unit,
        "path": list(viewer.tree.above(unit.pk))[:0:-1],
        "children": [
            (child, asked.link(reverse("unit-detail", args=[child.code]), agency=agency))
            for child, depth in viewer.tree.walk(unit.pk)
            if depth == 0
        ],
        "requirement": requirement,
        "figures": [
            (each, coverage.total_of(by_shift, each.pk), asked.link(request.path, requirement=each.code, agency=agency))
            for each in requirements.values()
        ],
        "shifts": _shift_grid(requirement, by_shift, shifts),
        "presence": presence,
        "secondary": secondary,
        "elsewhere": elsewhere,
        "links": table.open_to_viewer(one.officer for one in elsewhere),
        "form": form,
        "table": table,
        "coverage_url": asked.link(reverse("coverage"), requirement=requirement.code if requirement else ""),
    }
    return render(request, "units/detail.html", context)


def _left_out(has_units_below: bool, has_secondary: bool) -> tuple[str, ...]:
    """The columns that would say the same in every row."""
    return ("requirement", *(() if has_units_below else ("unit",)), *(() if has_secondary else ("seen_as",)))


def _filtered(rows: Any, form: MemberForm, shifts: dict[int, Shift]) -> Any:
    values = form.cleaned_data
    if values.get("state"):
        rows = rows.filter(state=values["state"])
    if values.get("shift"):
        rows = rows.filter(seen_shift_id__in=[pk for pk, shift in shifts.items() if shift.code == values["shift"]])
    for word in values.get("q", "").replace(",", " ").split():
        rows = rows.filter(
            Q(officer__last_name__icontains=word)
            | Q(officer__first_name__icontains=word)
            | Q(officer__employee_id__icontains=word)
            | Q(officer__badge__iexact=word)
        )
    return rows


def _shift_grid(
    requirement: Requirement | None, by_shift: coverage.ByRequirement, shifts: dict[int, Shift]
) -> list[tuple[str, coverage.Counts]]:
    """Shift by shift, in the agency's order; members without a shift last."""
    found = [part for (key, _), part in by_shift.items() if requirement is not None and key == requirement.pk]
    found.sort(
        key=lambda part: (part.shift is None, shifts[part.shift].order, part.shift) if part.shift else (True, 0, 0)
    )
    return [(shifts[part.shift].code if part.shift else "no shift", part) for part in found]
