"""The first page: for each role what it came for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, goals
from compliance.models import Goal, ImportRun, Job, JobState
from compliance.views.officers import show_officer
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Officer, Role
from training.models import Completion


@requires()
@require_safe
def home(request: ViewerRequest) -> HttpResponseBase:
    """The goals, the units that are behind, and what to do next, as far as the role goes."""
    viewer = request.viewer
    if not viewer.may(Right.READ_MEMBERS):
        return redirect("my" if viewer.own else "password")
    rows = coverage.in_units(coverage.standings_on(viewer.today), viewer.visible_units())
    context = {
        "today": viewer.today,
        "reach": ", ".join(viewer.tree.units[key].name for key in viewer.top_units()) or "the whole department",
        "goals": [_goal_card(goal, viewer) for goal in Goal.objects.select_related("requirement")],
        "behind": _behind(viewer),
        "next": _next_steps(viewer, rows),
        "is_academy": Role.ACADEMY in viewer.roles,
        "jobs": Job.objects.filter(kind="verify", state=JobState.DONE).order_by("-pk")[:1]
        if viewer.may(Right.ADMINISTER)
        else [],
    }
    return render(request, "home.html", context)


def _goal_card(goal: Goal, viewer: Viewer) -> dict[str, Any]:
    """A goal for everybody, and the same share among those within the viewer's reach."""
    rows = coverage.standings_on(viewer.today, requirement_ids=[goal.requirement_id])
    reach = viewer.visible_units()
    return {
        "goal": goal,
        "whole": goals.of_rows(goal, rows),
        "own": None if reach is None else goals.of_rows(goal, coverage.in_units(rows, reach)),
        "url": f"{reverse('coverage')}?requirement={goal.requirement.code}",
    }


def _behind(viewer: Viewer) -> list[dict[str, Any]]:
    """Units whose own members are furthest from each goal, the shortest first, at most five."""
    found: list[dict[str, Any]] = []
    reach = viewer.visible_units()
    for goal in Goal.objects.select_related("requirement"):
        rows = coverage.in_units(coverage.standings_on(viewer.today, requirement_ids=[goal.requirement_id]), reach)
        for part in coverage.counts(rows, "unit"):
            needed = goals.needed_of(part.counted, Fraction(goal.target_percent))
            short = needed - goals.have_of(goal, part)
            if part.unit and short > 0:
                unit = viewer.tree.units[part.unit]
                url = f"{reverse('unit-detail', args=[unit.code])}?requirement={goal.requirement.code}"
                found.append(
                    {
                        "goal": goal,
                        "unit": unit,
                        "counts": part,
                        "short": short,
                        "short_words": f"short {short}",
                        "url": url,
                    }
                )
    return sorted(found, key=lambda item: -item["short"])[:5]


def _next_steps(viewer: Viewer, rows: coverage.Standings) -> list[tuple[int, str, str]]:
    """(how many, what, where): what waits for this user."""
    soon = coverage.due_within(rows, viewer.today, 30).count()
    overdue = rows.filter(state="overdue").count()
    steps = [
        (overdue, "standings overdue", f"{reverse('deadline-list')}?show=overdue"),
        (soon, "due within 30 days", f"{reverse('deadline-list')}?within=30"),
    ]
    if viewer.may(Right.DECIDE_EVIDENCE):
        pending = (
            Completion.objects.known()
            .filter(evidence="pending", result="passed")
            .exclude(decisions__voided_in=None, decisions__isnull=False)
        )
        steps.append(
            (
                pending.count(),
                "completions whose evidence waits for a decision",
                f"{reverse('completion-list')}?evidence=pending",
            )
        )
    if viewer.may(Right.IMPORT):
        waiting = ImportRun.objects.filter(state=ImportRun.State.PLANNED).count()
        steps.append((waiting, "import plans waiting to be recorded", reverse("import-list")))
    return steps


@requires()
@require_safe
def my(request: ViewerRequest) -> HttpResponseBase:
    """One's own record."""
    own = list(Officer.objects.filter(pk__in=request.viewer.own).order_by("pk"))
    if not own:
        raise Http404
    return show_officer(request, own[0])
