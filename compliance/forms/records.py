"""Forms that hire, transfer, record leave and separate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q

from compliance.forms.fields import PeriodForm, StyledForm, TodayForm, check_day, day_field
from roster.access import Viewer
from roster.models import Agency, Assignment, Category, Officer, Rank, Shift, Unit
from roster.records import Place


class PlaceForm(StyledForm):
    """The part of a form that says unit, shift and rank."""

    unit = forms.ModelChoiceField(Unit.objects.none(), label="Unit", empty_label="Choose a unit")
    shift = forms.ModelChoiceField(Shift.objects.none(), label="Shift", required=False, empty_label="None")
    rank = forms.ModelChoiceField(Rank.objects.none(), label="Rank", required=False, empty_label="None")

    def offer(self, agencies: Iterable[int] | None, today: date) -> None:
        """Offer the units, shifts and ranks of these agencies (None = all); closed units are left out."""
        units = Unit.objects.filter(Q(closed_on=None) | Q(closed_on__gte=today)).order_by("name", "code")
        shifts, ranks = Shift.objects.order_by("order", "code"), Rank.objects.order_by("order", "code")
        if agencies is not None:
            wanted = list(agencies)
            units, shifts, ranks = (
                units.filter(agency__in=wanted),
                shifts.filter(agency__in=wanted),
                ranks.filter(agency__in=wanted),
            )
        for name, rows in (("unit", units), ("shift", shifts), ("rank", ranks)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined] # all three are ModelChoiceFields

    def place(self) -> Place | None:
        values = self.cleaned_data
        return Place(values["unit"], values["shift"], values["rank"]) if values["unit"] else None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        unit = values.get("unit")
        for name in ("shift", "rank"):
            if unit and values.get(name) and values[name].agency_id != unit.agency_id:
                self.add_error(name, f"This {name} belongs to another agency than the unit.")
        return values


class HireForm(PlaceForm):
    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", empty_label=None)
    employee_id = forms.CharField(label="Employee id", max_length=40)
    last_name = forms.CharField(label="Last name", max_length=100)
    first_name = forms.CharField(label="First name", max_length=100)
    middle_name = forms.CharField(label="Middle name", max_length=100, required=False)
    suffix = forms.CharField(label="Suffix", max_length=20, required=False)
    badge = forms.CharField(label="Badge", max_length=40, required=False)
    post_id = forms.CharField(label="State POST id", max_length=40, required=False)
    email = forms.EmailField(label="Email", required=False)
    hired_on = day_field("First day employed")
    category = forms.ChoiceField(label="Category", choices=Category.choices)
    again = forms.BooleanField(
        required=False, label="This member left and comes back: record the new employment under the same id"
    )

    DETAILS = ("employee_id", "last_name", "first_name", "middle_name", "suffix", "badge", "post_id", "email")
    field_order = ("agency", *DETAILS, "hired_on", "category", "unit", "shift", "rank", "again")

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = Agency.objects.order_by("name")
        if viewer.agencies is not None:
            agencies = agencies.filter(pk__in=viewer.agencies)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["unit"].required = False
        self.fields["unit"].empty_label = "None yet"  # type: ignore[attr-defined] # the same
        self.offer(viewer.agencies, viewer.today)
        self.today = viewer.today
        self.known: Officer | None = None
        if agencies.count() == 1:
            self.fields["agency"].widget = forms.HiddenInput()
            self.fields["agency"].initial = agencies.first()

    def clean_hired_on(self) -> date:
        return check_day(self.cleaned_data["hired_on"], self.today, "The first day")

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        agency, employee_id = values.get("agency"), values.get("employee_id")
        if values.get("unit") and agency and values["unit"].agency_id != agency.pk:
            self.add_error("unit", "This unit belongs to another agency.")
        if not values.get("unit") and (values.get("shift") or values.get("rank")):
            self.add_error("unit", "Choose the unit that the shift and rank belong to.")
        if agency and employee_id:
            self.known = Officer.objects.filter(agency=agency, employee_id__iexact=employee_id).first()
        if self.known and not values.get("again"):
            self.add_error(
                "employee_id",
                f"{self.known.full_name} has this id. If that is who comes back, tick the box below; "
                "if not, use another id.",
            )
        elif self.known and values.get("last_name", "").casefold() != self.known.last_name.casefold():
            self.add_error("last_name", f"The member with this id is {self.known.full_name}.")
        elif values.get("again") and agency and employee_id and not self.known:
            self.add_error("again", f"Nobody has had the id {employee_id}. Take the tick off to hire a new member.")
        return values

    def details(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.DETAILS}


class TransferForm(PlaceForm):
    start_on = day_field("First day there")
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, officer: Officer, last: Assignment | None, today: date, **kwargs: Any) -> None:
        initial = {"start_on": today, "seen": last.pk if last else None}
        if last is not None:
            initial |= {"unit": last.unit_id, "shift": last.shift_id, "rank": last.rank_id}
        super().__init__(*args, initial=initial, **kwargs)
        self.today = today
        self.offer([officer.agency_id], today)

    def clean_start_on(self) -> date:
        return check_day(self.cleaned_data["start_on"], self.today, "The first day")


class LeaveForm(PeriodForm):
    kind = forms.CharField(
        label="Kind of leave",
        max_length=40,
        widget=forms.TextInput(attrs={"list": "leave-kinds", "autocomplete": "off"}),
        help_text="military, medical, parental, ... A kind only, never a reason.",
    )
    start_on = day_field("First day")
    end_on = day_field("Last day", required=False, help_text="Blank: the return is not known yet.")
    approval = forms.CharField(
        label="Approval reference", max_length=100, required=False, help_text="A number or memo, never a reason."
    )

    def clean_kind(self) -> str:
        return " ".join(self.cleaned_data["kind"].split()).lower()


class ReturnForm(TodayForm):
    back_on = day_field("First day back")
    leave = forms.IntegerField(widget=forms.HiddenInput)

    def clean_back_on(self) -> date:
        return check_day(self.cleaned_data["back_on"], self.today, "The day back")


class SeparateForm(TodayForm):
    last_day = day_field("Last day employed")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, initial={"last_day": today}, **kwargs)

    def clean_last_day(self) -> date:
        return check_day(self.cleaned_data["last_day"], self.today, "The last day")
