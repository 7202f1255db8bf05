"""Waivers and extensions: granted to one member, listed, taken back; designations; why a date was missed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance import grants, lateness, lifeline, standings
from compliance.asking import arrange
from compliance.forms.completions import VoidForm
from compliance.forms.grants import (
    DesignateForm,
    EndDesignationForm,
    ExplainForm,
    ExtensionForm,
    GrantForm,
    WaiverForm,
    told_by,
)
from compliance.gather import gather_rules
from compliance.grant_tables import ExtensionFilter, ExtensionTable, GrantFilter, GrantTable, WaiverFilter, WaiverTable
from compliance.models import Extension, Requirement, Waiver
from compliance.sentences import day
from compliance.views.records import address_of, find_officer
from roster import records
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Designation, Officer

CHANGED = "What it changes is not what was shown before. Look at it, then record."


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_waive(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Excuse a member from a requirement for some days."""
    return _grant(request, employee_id, WaiverForm, "waiver", initial={"start_on": request.viewer.today})


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_extend(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Give a member more time under a requirement."""
    return _grant(request, employee_id, ExtensionForm, "extension", initial={"approved_on": request.viewer.today})


def _grant(
    request: ViewerRequest, employee_id: str, form_class: type[GrantForm], what: str, *, initial: dict[str, Any]
) -> HttpResponseBase:
    """Look, then record: nothing is recorded whose effect was not shown."""
    officer, today = find_officer(request, employee_id), request.viewer.today
    initial["requirement"] = request.GET.get("requirement", "")[:80]
    form = form_class(request.POST or None, officer=officer, today=today, initial=initial)
    outlook = None
    if request.method == "POST" and form.is_valid():
        grant = form.grant()
        try:
            if grants.is_recorded(grant):
                messages.info(request, f"This {what} was recorded already.")
                return redirect(address_of(officer))
            grants.refuse_own(officer, by=request.user, approver=grant.approver)
            outlook = grants.look_at(grant, today=today)
            if outlook.refusal:
                raise ValidationError(outlook.refusal)
            if request.POST.get("act") == "record" and form.was_shown(told_by(outlook)):
                is_new = grants.record(grant, why=form.cleaned_data["why"].strip(), by=request.user)
                said = f"{_said(grant)} for {officer.full_name}."
                messages.success(request, said if is_new else f"{said} That was recorded already.")
                return redirect(address_of(officer))
        except ValidationError as error:
            form.refuse(error)
        else:
            if request.POST.get("act") == "record":
                messages.warning(request, CHANGED)
            form.seal(told_by(outlook))
    context = {"form": form, "officer": officer, "address": address_of(officer), "outlook": outlook, "what": what}
    return render(request, "grants/grant.html", context, status=400 if form.errors else 200)


def _said(grant: Waiver | Extension) -> str:
    if isinstance(grant, Waiver):
        return f"Waiver of {grant.requirement} from {day(grant.start_on)} through {day(grant.end_on)} recorded"
    return f"Extension of {grant.requirement} until {day(grant.until_on)} recorded"


def visible(viewer: Viewer, model: type[Any]) -> QuerySet[Any]:
    """Waivers or extensions of the members this user may look up, voided ones among them; each knows its follower."""
    follower = model.objects.filter(replaces=OuterRef("pk"))
    rows: QuerySet[Any] = model.objects.annotate(is_replaced=Exists(follower)).select_related(
        "officer__agency", "requirement", "approver", "recorded_in__by", "voided_in__by"
    )
    return rows if viewer.reads_everything else rows.filter(officer__in=viewer.officers())


@requires(Right.READ_MEMBERS)
@require_safe
def waiver_list(request: ViewerRequest) -> HttpResponseBase:
    """Every waiver within reach, who granted it and why; voided ones stay as lines."""
    return _list(request, Waiver, WaiverFilter, WaiverTable, "waivers")


@requires(Right.READ_MEMBERS)
@require_safe
def extension_list(request: ViewerRequest) -> HttpResponseBase:
    """Every extension within reach, who granted it and why; voided ones stay as lines."""
    return _list(request, Extension, ExtensionFilter, ExtensionTable, "extensions")


def _list(
    request: ViewerRequest,
    model: type[Any],
    filter_class: type[GrantFilter],
    table_class: type[GrantTable],
    name: str,
) -> HttpResponseBase:
    found = filter_class(request.GET, visible(request.viewer, model), viewer=request.viewer)
    context: dict[str, Any] = {"filter": found, "name": name}
    if not found.form.is_valid():
        return render(request, "grants/list.html", context, status=400)
    table = table_class(found.qs, viewer=request.viewer)
    file = arrange(request, table, name)
    context |= {"table": table, "may_see_acts": request.viewer.may(Right.READ_ACTS)}
    return file or render(request, "grants/list.html", context)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def waiver_void(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Take a waiver back, with a reason."""
    return _void(request, get_object_or_404(visible(request.viewer, Waiver), pk=pk), "waiver")


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def extension_void(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Take an extension back, with a reason."""
    return _void(request, get_object_or_404(visible(request.viewer, Extension), pk=pk), "extension")


def _void(request: ViewerRequest, grant: Waiver | Extension, what: str) -> HttpResponseBase:
    form = VoidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            voided = grants.void(grant, why=form.cleaned_data["why"].strip(), by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The {what} is voided." if voided else f"This {what} was voided already.")
            return redirect(address_of(grant.officer))
    if grant.voided_in_id is not None:
        raise Http404
    context = {
        "form": form,
        "grant": grant,
        "what": what,
        "officer": grant.officer,
        "address": address_of(grant.officer),
        "outlook": grants.look_without(grant, today=request.viewer.today),
    }
    return render(request, "grants/void.html", context, status=400 if form.errors else 200)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_designate(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Give a member a designation, or end one."""
    officer, today = find_officer(request, employee_id), request.viewer.today
    is_end = request.POST.get("act") == "end"
    form = DesignateForm(None if is_end else request.POST or None, initial={"start_on": today}, today=today)
    ending = EndDesignationForm(request.POST if is_end else None, initial={"last_day": today}, today=today)
    if request.method == "POST" and (ending if is_end else form).is_valid():
        try:
            grants.refuse_own(officer, by=request.user)
            said = _end_designation(request, officer, ending) if is_end else _designate(request, officer, form)
        except ValidationError as error:
            (ending if is_end else form).refuse(error)
        else:
            messages.success(request, said)
            return redirect(address_of(officer))
    held = Designation.objects.known().filter(officer=officer).order_by("-start_on", "code")
    context = {
        "form": form,
        "ending": ending,
        "officer": officer,
        "address": address_of(officer),
        "held": [row for row in held if row.end_on is None or row.end_on >= today],
        "codes": Designation.objects.order_by("code").values_list("code", flat=True).distinct()[:50],
    }
    return render(request, "grants/designations.html", context, status=400 if form.errors or ending.errors else 200)


def _designate(request: ViewerRequest, officer: Officer, form: DesignateForm) -> str:
    values = form.cleaned_data
    names = ("code", "start_on", "end_on", "is_voluntary")
    is_new = records.designate(officer, **{name: values[name] for name in names}, by=request.user)
    said = f"{officer.full_name} is designated {values['code']} from {day(values['start_on'])}."
    return said if is_new else f"{said} That was recorded already."


def _end_designation(request: ViewerRequest, officer: Officer, form: EndDesignationForm) -> str:
    held = Designation.objects.filter(officer=officer, pk=form.cleaned_data["designation"]).first()
    if held is None:
        raise ValidationError("This designation belongs to another member. Open the page again.")
    last_day = form.cleaned_data["last_day"]
    is_new = records.end_designation(held, last_day=last_day, by=request.user)
    said = f"{officer.full_name} is designated {held.code} through {day(last_day)}."
    return said if is_new else f"{said} That was recorded already."


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_explain(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Say why a date was missed."""
    officer, today = find_officer(request, employee_id), request.viewer.today
    requirements = {row.pk: row for row in Requirement.objects.all()}
    lines = standings.lines([officer.pk], gather_rules())
    spells = [spell for line in lines.values() for spell in lateness.spells_of(line, today)]
    spells.sort(key=lambda spell: spell.start_on, reverse=True)
    titles = {
        f"{spell.requirement}-{spell.start_on}": f"{requirements[spell.requirement].title}, "
        f"overdue {lifeline.period(spell.start_on, spell.end_on)}"
        for spell in spells
    }
    form = ExplainForm(request.POST or None, periods=list(titles.items()), initial=_period_asked(request))
    if request.method == "POST" and form.is_valid():
        requirement, _, late_from = form.cleaned_data["period"].partition("-")
        try:
            is_new = lateness.explain(
                officer,
                requirements[int(requirement)],
                date.fromisoformat(late_from),
                form.cleaned_data["text"],
                lines=lines,
                today=today,
                by=request.user,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, "Explanation recorded." if is_new else "This explanation was recorded already.")
            return redirect(address_of(officer))
    context = {"form": form, "officer": officer, "address": address_of(officer), "spells": spells}
    return render(request, "grants/explain.html", context, status=400 if form.errors else 200)


def _period_asked(request: ViewerRequest) -> dict[str, str]:
    """The period that the address names, where another page knew it."""
    return {"period": request.GET.get("period", "")[:40]}
