"""What an agency decides about how its records are kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from compliance.forms.settings import AgencyChoice, AgencyForm
from roster import agency_settings
from roster.access import Right, ViewerRequest, requires


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: ViewerRequest) -> HttpResponseBase:
    """The settings of one agency; who administers several chooses which."""
    agencies = agency_settings.agencies_of(request.viewer)
    choice = AgencyChoice(request.GET or None, agencies=agencies)
    agency = choice.chosen() or get_object_or_404(agencies[:1])
    form = AgencyForm(request.POST or None, agency=agency)
    if request.method == "POST" and form.is_valid():
        if agency_settings.change(agency, form.values(), by=request.user):
            messages.success(request, f"The settings of {agency} are saved.")
        else:
            messages.info(request, "Nothing is different, so nothing was saved.")
        return redirect(f"{reverse('settings')}?{urlencode({'agency': agency.code})}")
    context = {"agency": agency, "agencies": agencies, "form": form}
    return render(request, "settings.html", context, status=400 if form.errors else 200)
