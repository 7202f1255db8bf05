"""What a person records about one member: hired, transferred, on leave, back, separated."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from compliance.forms.completions import PrefillForm
from compliance.forms.fields import StyledForm
from compliance.forms.records import HireForm, LeaveForm, ReturnForm, SeparateForm, TransferForm
from compliance.sentences import day
from roster import records
from roster.access import Right, ViewerRequest, requires
from roster.models import Leave, Officer


def address_of(officer: Officer) -> str:
    """The member's page; it names the agency where the id alone may not say which member."""
    address = reverse("officer-detail", args=[officer.employee_id])
    is_shared = Officer.objects.filter(employee_id__iexact=officer.employee_id).exclude(pk=officer.pk).exists()
    return f"{address}?{urlencode({'agency': officer.agency.code})}" if is_shared else address


def find_officer(request: ViewerRequest, employee_id: str) -> Officer:
    asked = PrefillForm(request.GET)
    return request.viewer.officer(employee_id, asked.cleaned_data["agency"] if asked.is_valid() else "")


def _page(request: ViewerRequest, template: str, form: StyledForm, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=400 if form.errors else 200)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_hire(request: ViewerRequest) -> HttpResponseBase:
    """A new member, or one who comes back."""
    form = HireForm(request.POST or None, viewer=request.viewer)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        terms: dict[str, Any] = {
            "hired_on": values["hired_on"],
            "category": values["category"],
            "place": form.place(),
            "by": request.user,
        }
        try:
            if form.known is not None:
                officer, is_new = form.known, records.rehire(form.known, **terms)
            else:
                officer, is_new = records.hire(values["agency"], form.details(), **terms), True
        except ValidationError as error:
            form.refuse(error)
        else:
            said = f"{officer.full_name} is employed from {day(values['hired_on'])}."
            messages.success(request, said if is_new else f"{said} That was recorded already.")
            return redirect(address_of(officer))
    return _page(request, "records/hire.html", form)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_transfer(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Another unit, shift or rank from a day on."""
    officer = find_officer(request, employee_id)
    last = records.open_home(officer)
    form = TransferForm(request.POST or None, officer=officer, last=last, today=request.viewer.today)
    if request.method == "POST" and form.is_valid():
        values, place = form.cleaned_data, form.place()
        assert place is not None  # noqa: S101 - the form requires a unit
        try:
            is_new = records.transfer(officer, place, start_on=values["start_on"], seen=values["seen"], by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            said = f"{officer.full_name} is assigned to {place.unit} from {day(values['start_on'])}."
            messages.success(request, said if is_new else f"{said} That was recorded already.")
            return redirect(address_of(officer))
    return _page(request, "records/transfer.html", form, officer=officer, last=last, address=address_of(officer))


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_leave(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """A leave begins, or an open one ends."""
    officer, today = find_officer(request, employee_id), request.viewer.today
    is_return = request.POST.get("act") == "return"
    form = LeaveForm(None if is_return else request.POST or None, initial={"start_on": today}, today=today)
    back = ReturnForm(request.POST if is_return else None, initial={"back_on": today}, today=today)
    if request.method == "POST" and (back if is_return else form).is_valid():
        try:
            said = _end_leave(request, officer, back) if is_return else _take_leave(request, officer, form)
        except ValidationError as error:
            (back if is_return else form).refuse(error)
        else:
            messages.success(request, said)
            return redirect(address_of(officer))
    context = {
        "officer": officer,
        "address": address_of(officer),
        "back": back,
        "open_leaves": records.open_leaves(officer),
        "kinds": _kinds(officer),
    }
    return render(
        request, "records/leave.html", {"form": form, **context}, status=400 if form.errors or back.errors else 200
    )


def _take_leave(request: ViewerRequest, officer: Officer, form: LeaveForm) -> str:
    values = form.cleaned_data
    is_new = records.take_leave(
        officer,
        kind=values["kind"],
        start_on=values["start_on"],
        end_on=values["end_on"],
        approval=values["approval"].strip(),
        by=request.user,
    )
    until = f"through {day(values['end_on'])}" if values["end_on"] else "until the return is recorded"
    said = f"{officer.full_name} is on {values['kind']} leave from {day(values['start_on'])} {until}."
    return said if is_new else f"{said} That was recorded already."


def _end_leave(request: ViewerRequest, officer: Officer, form: ReturnForm) -> str:
    leave = Leave.objects.filter(officer=officer, pk=form.cleaned_data["leave"]).first()
    if leave is None:
        raise ValidationError("This leave belongs to another member. Open the page again.")
    back_on = form.cleaned_data["back_on"]
    is_new = records.end_leave(leave, back_on=back_on, by=request.user)
    said = f"{officer.full_name} is back from {leave.kind} leave on {day(back_on)}."
    return said if is_new else f"{said} That was recorded already."


def _kinds(officer: Officer) -> list[str]:
    """Kinds of leave this agency has used: offered, so that one kind has one spelling."""
    used = Leave.objects.filter(officer__agency=officer.agency_id).order_by("kind")
    return list(used.values_list("kind", flat=True).distinct()[:50])


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_separate(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """The last day employed; it ends what is still open."""
    officer = find_officer(request, employee_id)
    ends = records.what_separation_ends(officer)
    form = SeparateForm(request.POST or None, today=request.viewer.today)
    if request.method == "POST" and form.is_valid():
        last_day = form.cleaned_data["last_day"]
        try:
            is_new = records.separate(officer, last_day=last_day, by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            said = f"{officer.full_name} is employed through {day(last_day)}."
            messages.success(request, said if is_new else f"{said} That was recorded already.")
            return redirect(address_of(officer))
    return _page(request, "records/separate.html", form, officer=officer, ends=ends, address=address_of(officer))
