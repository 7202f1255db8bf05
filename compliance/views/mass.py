"""Mass extensions and mass waivers: asked for, looked at, recorded, ended. Each is one act that stays in the list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import jobs, mass
from compliance.asking import arrange
from compliance.filters import checked
from compliance.forms.mass import EndForm, LinesForm, MassForm
from compliance.mass_tables import MassFilter, MassLineTable, MassTable
from compliance.models import JobState, MassAct, MassLine
from compliance.sentences import count
from roster.access import Right, ViewerRequest, own_members, requires

State = MassAct.State


@requires(Right.READ_ACTS)
@require_safe
def mass_list(request: ViewerRequest) -> HttpResponseBase:
    """Every mass act within reach, newest first."""
    found = MassFilter(request.GET, mass.visible(request.viewer))
    context: dict[str, Any] = {"filter": found, "may_grant": request.viewer.may(Right.GRANT)}
    if not found.form.is_valid():
        return render(request, "mass/list.html", context, status=400)
    table = MassTable(found.qs)
    file = arrange(request, table, "mass-acts")
    return file or render(request, "mass/list.html", context | {"table": table})


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def mass_new(request: ViewerRequest) -> HttpResponseBase:
    """Say what is to be granted to whom; it is looked at before anything is recorded."""
    form = MassForm(request.POST or None, viewer=request.viewer)
    if request.method == "POST" and form.is_valid():
        units = [unit.pk for unit in form.cleaned_data["units"]]
        act = mass.ask(form.act(request.viewer), units, by=request.user)
        return redirect("mass-detail", pk=act.pk)
    return render(request, "mass/new.html", {"form": form}, status=400 if form.errors else 200)


def _act(request: ViewerRequest, pk: int) -> MassAct:
    return get_object_or_404(mass.visible(request.viewer), pk=pk)


@requires(Right.READ_ACTS)
@require_safe
def mass_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """What the act is, how far it is, and what it means for each member."""
    act = _act(request, pk)
    wanted = checked(LinesForm(request.GET or None)).cleaned_data.get("show", "")
    lines = act.lines.select_related("officer", "unit")
    table = MassLineTable(lines.filter(verdict=wanted) if wanted else lines, act=act, viewer=request.viewer)
    if (file := arrange(request, table, f"mass-act-{act.pk}")) is not None:
        return file
    is_busy = act.state in (State.LOOKING, State.RECORDING, State.ENDING)
    is_open = act.job is not None and act.job.state in (JobState.WAITING, JobState.RUNNING)
    context = {
        "act": act,
        "units": list(act.units.order_by("name")),
        "table": table,
        "wanted": wanted,
        "heaps": [(verdict.value, verdict.label, act.counts.get(verdict, 0)) for verdict in MassLine.Verdict],
        "total": sum(act.counts.values()),
        "granted": act.counts.get(MassLine.Verdict.GRANTED, 0),
        "standing": mass.standing_count(act),
        "job": act.job,
        "follows": act.job is not None and jobs.visible(request.viewer).filter(pk=act.job.pk).exists(),
        "is_open": is_open,
        "is_busy": is_busy and is_open,
        "has_failed": is_busy and not is_open,
        "may_grant": request.viewer.may(Right.GRANT),
    }
    return render(request, "mass/detail.html", context)


@requires(Right.GRANT)
@require_POST
def mass_record(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Record exactly what was shown, in a job."""
    act = _act(request, pk)
    own = act.lines.filter(officer__in=own_members(request.user), verdict=MassLine.Verdict.GRANTED).first()
    if own is not None:
        messages.error(request, f"You are {own.officer.full_name}, whom this is for. Somebody else has to record it.")
    elif request.POST.get("digest") != act.digest:
        messages.warning(request, mass.CHANGED)
    elif not mass.record(act, digest=act.digest, by=request.user):
        messages.info(request, "This was asked for already.")
    return redirect("mass-detail", pk=pk)


@requires(Right.GRANT)
@require_POST
def mass_again(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Go back to looking, or to what was recorded, after a job that failed."""
    if not mass.again(_act(request, pk), by=request.user):
        messages.info(request, "This act is at work, or needs nothing.")
    return redirect("mass-detail", pk=pk)


@requires(Right.GRANT)
@require_POST
def mass_discard(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Drop an act that was not recorded."""
    if mass.discard(_act(request, pk)):
        messages.success(request, "Dropped; nothing of it was recorded.")
        return redirect("mass-list")
    messages.info(request, "This act went on already, so it cannot be dropped.")
    return redirect("mass-detail", pk=pk)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def mass_end(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Take back what the act granted, with a reason, as one act."""
    act = _act(request, pk)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not mass.end(act, why=form.cleaned_data["why"].strip(), by=request.user):
            messages.info(request, "This was asked for already, or the act was never recorded.")
        return redirect("mass-detail", pk=pk)
    if act.state != State.RECORDED:
        raise Http404
    standing = mass.standing_count(act)
    context = {"act": act, "form": form, "standing": standing, "members": count(standing, "member")}
    return render(request, "mass/end.html", context, status=400 if form.errors else 200)
