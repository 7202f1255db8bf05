"""Classes: listed, planned, changed, cancelled."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from compliance.asking import arrange
from compliance.class_access import classes, one_class
from compliance.class_tables import ClassFilter, ClassTable, with_seats
from compliance.forms.completions import PrefillForm
from roster.access import Right, ViewerRequest, requires
from training.models import ClassSession


def find_class(request: ViewerRequest, number: str) -> ClassSession:
    """The class that an address names, or 404; `AgencyNeeded` where several agencies have one. One query."""
    asked = PrefillForm(request.GET)
    return one_class(request.viewer, number, asked.cleaned_data["agency"] if asked.is_valid() else "")


@requires(Right.READ_MEMBERS)
@require_safe
def class_list(request: ViewerRequest) -> HttpResponseBase:
    """Every class of the viewer's agencies."""
    viewer = request.viewer
    found = ClassFilter(request.GET, with_seats(classes(viewer)), today=viewer.today)
    context: dict[str, Any] = {"filter": found, "may_run": viewer.may(Right.RUN_CLASSES)}
    if not found.form.is_valid():
        return render(request, "classes/list.html", context, status=400)
    table = ClassTable(found.qs, viewer=viewer)
    return arrange(request, table, "classes") or render(request, "classes/list.html", context | {"table": table})


@requires(Right.READ_MEMBERS)
@require_safe
def class_detail(request: ViewerRequest, number: str) -> HttpResponseBase:
    """One class: its blocks."""
    session = find_class(request, number)
    blocks = session.meetings.select_related("place", "topic").order_by("starts_at")
    return render(request, "classes/detail.html", {"session": session, "blocks": blocks})


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_plan(request: ViewerRequest) -> HttpResponseBase:
    """Plan a class."""
    return render(request, "classes/plan.html")
