"""How many members stay on each unit and shift while others are in class."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from compliance.forms.seats import StaffingForm
from compliance.forms.settings import AgencyChoice
from roster import agency_settings, staffing
from roster.access import Right, ViewerRequest, requires
from roster.models import Shift, StaffingMinimum


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def staffing_settings(request: ViewerRequest) -> HttpResponseBase:
    """The minimums of one agency; who administers several chooses which."""
    viewer = request.viewer
    agencies = agency_settings.agencies_of(viewer)
    agency = AgencyChoice(request.GET or None, agencies=agencies).chosen() or get_object_or_404(agencies[:1])
    rows = StaffingMinimum.objects.filter(unit__agency=agency).select_related("unit", "shift")
    form = StaffingForm(
        request.POST or None,
        agency=agency,
        units=[unit for unit, _ in viewer.tree.walk() if unit.agency_id == agency.pk],
        shifts=list(Shift.objects.filter(agency=agency)),
        rows=list(rows.order_by("unit__code", "shift__order", "shift__code")),
    )
    if request.method == "POST" and form.is_valid():
        least = form.cleaned_data["least"]
        if staffing.set_minimums(agency, least, form.kept(), form.added(), by=request.user):
            messages.success(request, f"The minimums of {agency} are saved.")
        else:
            messages.info(request, "Nothing is different, so nothing was saved.")
        return redirect(f"{reverse('staffing-settings')}?{urlencode({'agency': agency.code})}")
    context = {"agency": agency, "agencies": agencies, "form": form}
    return render(request, "settings/staffing.html", context, status=400 if form.errors else 200)
