"""Forms of mass extensions and mass waivers."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from compliance.forms.fields import StyledForm, check_day, check_far, check_past, day_field, why_field
from compliance.forms.grants import NO_MEDICINE, approver_field, reference_field
from compliance.grants import approvers_of
from compliance.models import MassAct, MassLine, Requirement
from roster.access import Viewer
from roster.models import Unit


class MassForm(StyledForm):
    """One act over a population. `act()` is what the form says, not asked for yet."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="What is granted",
        choices=[
            (MassAct.Kind.EXTENSION.value, "Extension: the date in force moves to the last day"),
            (MassAct.Kind.WAIVER.value, "Waiver: excused through the last day"),
        ],
    )
    requirement = forms.ModelChoiceField(
        Requirement.objects.all(), label="Requirement", empty_label="Choose a requirement", to_field_name="code"
    )
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        label="Units",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text="With everything below them. None chosen: everybody in the population. Hold Ctrl to choose several.",
    )
    on_day = day_field(
        "Day",
        help_text="Whoever is in the population on this day. An extension is approved on it, a waiver begins on it.",
    )
    until_on = day_field("Last day")
    why = why_field("Why it is granted", more=NO_MEDICINE)
    approval = reference_field()
    approver = approver_field()

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {})
        kwargs["initial"] = {"token": uuid.uuid4(), "on_day": viewer.today, **kwargs["initial"]}
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        visible = viewer.visible_units()
        units = Unit.objects.order_by("name", "code")
        self.fields["units"].queryset = units if visible is None else units.filter(pk__in=visible)  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["approver"].queryset = approvers_of(viewer.agencies)  # type: ignore[attr-defined] # the same

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        on_day, until_on, today = values.get("on_day"), values.get("until_on"), self.viewer.today
        try:
            if on_day and values.get("kind") == MassAct.Kind.EXTENSION:
                check_past(on_day, today, "The day of approval")
            elif on_day:
                check_day(on_day, today, "The first day")
        except forms.ValidationError as error:
            self.add_error("on_day", error)
        try:
            if until_on:
                check_far(until_on, today, "The last day")
        except forms.ValidationError as error:
            self.add_error("until_on", error)
        if on_day and until_on and until_on < on_day:
            self.add_error("until_on", "The last day is before the day it begins.")
        return values

    def act(self, viewer: Viewer) -> MassAct:
        values = self.cleaned_data
        names = ("token", "kind", "requirement", "on_day", "until_on", "approver")
        return MassAct(
            **{name: values[name] for name in names},
            why=values["why"].strip(),
            approval=values["approval"].strip(),
            agencies=None if viewer.agencies is None else sorted(viewer.agencies),
            asked_by=viewer.user,
        )


class EndForm(StyledForm):
    why = why_field("Why it is ended")


class LinesForm(forms.Form):
    """Which members of an act are shown."""

    show = forms.ChoiceField(required=False, choices=[("", "all"), *MassLine.Verdict.choices])
