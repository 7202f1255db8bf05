"""The trail: who changed which rule or right, when, by which door, from what to what."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.asking import arrange
from compliance.trail_tables import TrailFilter, TrailTable
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.trail import TrailLine, What

#: What belongs to one agency, or to none that an agency's own staff reads.
OF_AN_AGENCY = (What.WAIVER, What.EXTENSION, What.ROLE, What.USER, What.CALENDAR)


def visible(viewer: Viewer) -> QuerySet[TrailLine]:
    """The lines about rules, which are everybody's, and those about the viewer's agencies."""
    lines = TrailLine.objects.select_related("by")
    if viewer.agencies is None:
        return lines
    return lines.filter(Q(agency__in=viewer.agencies) | (Q(agency=None) & ~Q(what__in=OF_AN_AGENCY)))


@requires(Right.READ_TRAIL)
@require_safe
def trail_list(request: ViewerRequest) -> HttpResponseBase:
    found = TrailFilter(request.GET, visible(request.viewer))
    context: dict[str, Any] = {"filter": found}
    if not found.form.is_valid():
        return render(request, "trail.html", context, status=400)
    table = TrailTable(found.qs)
    file = arrange(request, table, "trail")
    return file or render(request, "trail.html", context | {"table": table})
