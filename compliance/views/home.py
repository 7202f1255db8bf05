"""The first page: for each role what it came for."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import coverage, evidence, goals, import_runs, jobs
from compliance.class_tables import to_finish
from compliance.coming import next_classes
from compliance.models import Goal, ImportRun, JobState
from compliance.views.officers import show_officer
from compliance.working import Place
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Officer, Role, Unit


@requires()
@require_safe
def home(request: ViewerRequest) -> HttpResponseBase:
    """The goals, the units that are behind, and what to do next, as far as the role goes."""
    viewer = request.viewer
    if not viewer.may(Right.READ_MEMBERS):
        return redirect("my" if viewer.own else "password")
    rows = coverage.in_reach(coverage.standings_on(viewer.today), viewer)
    context = {
        "today": viewer.today,
        "reach": ", ".join(viewer.tree.units[key].name for key in viewer.top_units()) or "the whole department",
        **_goals(viewer),
        "next": _next_steps(viewer, rows),
        "is_academy": Role.ACADEMY in viewer.roles,
        "classes": next_classes(viewer),
        "jobs": jobs.visible(viewer).filter(kind="verify", state=JobState.DONE).order_by("-pk")[:1]
        if viewer.may(Right.ADMINISTER)
        else [],
    }
    return render(request, "home.html", context)


def _goals(viewer: Viewer) -> dict[str, list[dict[str, Any]]]:
    """Each goal for everybody and within the viewer's reach, and the five units furthest behind."""
    promised = list(Goal.objects.select_related("requirement"))
    rows = coverage.standings_on(viewer.today, requirement_ids={goal.requirement_id for goal in promised})
    places = goals.tallies(promised, rows, as_of=viewer.today).places
    cards, behind = [], []
    for goal in promised:
        everywhere = places[goal.pk]
        seen = goals.in_reach(everywhere, viewer)
        cards.append(
            {
                "goal": goal,
                "whole": goals.result_of(goal, everywhere),
                "own": None if viewer.reads_everything else goals.result_of(goal, seen),
                "url": f"{reverse('coverage')}?requirement={goal.requirement.code}",
            }
        )
        by_unit: dict[int, dict[Place, goals.Tally]] = {}
        for place, tally in seen.items():
            if place.unit:
                by_unit.setdefault(place.unit, {})[place] = tally
        behind += [_unit_behind(goal, viewer.tree.units[unit], found) for unit, found in by_unit.items()]
    short = sorted((item for item in behind if item["short"] > 0), key=lambda item: -item["short"])
    return {"goals": cards, "behind": short[:5]}


def _unit_behind(goal: Goal, unit: Unit, places: goals.Places) -> dict[str, Any]:
    """A unit's own members under a goal, and how many are missing."""
    part, short = goals.total(places), goals.short_in(goal, places)
    url = f"{reverse('unit-detail', args=[unit.code])}?requirement={goal.requirement.code}"
    share = goals.Share(part.have, part.have + short, part.counts.counted, part.counts.excused)
    return {"goal": goal, "unit": unit, "counts": part.counts, "share": share, "short": short, "url": url}


def _next_steps(viewer: Viewer, rows: coverage.Standings) -> list[tuple[int, str, str]]:
    """(how many, what, where): what waits for this user."""
    soon = coverage.due_within(rows, viewer.today, 30).count()
    overdue = rows.filter(state="overdue").count()
    steps = [
        _step(overdue, "standing overdue", "standings overdue", f"{reverse('deadline-list')}?show=overdue"),
        (soon, "due within 30 days", f"{reverse('deadline-list')}?within=30"),
    ]
    if viewer.may(Right.DECIDE_EVIDENCE):
        waits = "completion whose evidence waits for a decision", "completions whose evidence waits for a decision"
        steps.append(_step(evidence.pending(viewer).count(), *waits, reverse("completion-pending")))
    if viewer.may(Right.RUN_CLASSES) and (taught := to_finish(viewer)):
        classes = "class taught and not finished", "classes taught and not finished"
        steps.append(_step(taught, *classes, f"{reverse('class-list')}?state=to_finish"))
    if viewer.may(Right.RECORD) and (asked := evidence.for_two(viewer)):
        both = "correction that waits for a second person", "corrections that wait for a second person"
        steps.append(_step(asked, *both, reverse("correction-list")))
    if viewer.may(Right.IMPORT):
        plans = import_runs.visible(viewer).filter(state=ImportRun.State.PLANNED).count()
        waits = "import plan waiting to be recorded", "import plans waiting to be recorded"
        steps.append(_step(plans, *waits, reverse("import-list")))
    return steps


def _step(number: int, one: str, many: str, where: str) -> tuple[int, str, str]:
    return number, one if number == 1 else many, where


@requires()
@require_safe
def my(request: ViewerRequest) -> HttpResponseBase:
    """One's own record; a list of them for somebody who has several."""
    own = list(
        Officer.objects.filter(pk__in=request.viewer.own).select_related("agency").order_by("agency__code", "pk")
    )
    if not own:
        raise Http404
    if len(own) > 1:
        return render(request, "officers/mine.html", {"own": own})
    return show_officer(request, own[0])
