"""What a person says to have a report issued, and how the list of reports is filtered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from compliance.asking import parse_moment
from compliance.filters import titles
from compliance.forms.fields import StyledForm, day_field
from compliance.models import Requirement
from compliance.reports import issue
from compliance.reports.accreditation import Question
from roster.access import Viewer
from roster.models import Agency, Unit

MOST_UNITS_LISTED = 2000
#: a space that a list of choices keeps
INDENT = "\u2003"


class IssueForm(StyledForm):
    """One accreditation report. The token makes a form sent twice one report."""

    requirement = forms.ChoiceField(label="Requirement")
    as_of = day_field("As of", help_text="The day whose standings are reported.")
    span_from = day_field(
        "Span from", required=False, help_text="Members late on any day of the span are listed. Blank: four years."
    )
    span_to = day_field("Span to", required=False, help_text="Blank: the day reported.")
    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", to_field_name="code", empty_label=None)
    unit = forms.ChoiceField(label="Unit", required=False, help_text="With everything below it.")
    known_at = forms.CharField(
        label="Known at",
        required=False,
        max_length=40,
        help_text="What had been recorded by then: a day as 2026-11-20. Blank: now.",
    )
    token = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, viewer: Viewer, requirements: Mapping[str, Requirement], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._requirements = requirements
        requirement_field = self.fields["requirement"]
        assert isinstance(requirement_field, forms.ChoiceField)  # noqa: S101 - declared above
        requirement_field.choices = titles(requirements, "Choose a requirement")
        agencies = Agency.objects.all()
        if viewer.agencies is not None:
            agencies = agencies.filter(pk__in=viewer.agencies)
        field = self.fields["agency"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = agencies
        self._only = agencies[0] if len(agencies) == 1 else None
        if self._only is not None:
            del self.fields["agency"]
        visible = viewer.visible_units()
        self._units = [(unit, depth) for unit, depth in viewer.tree.walk() if visible is None or unit.pk in visible][
            :MOST_UNITS_LISTED
        ]
        unit_field = self.fields["unit"]
        assert isinstance(unit_field, forms.ChoiceField)  # noqa: S101 - declared above
        unit_field.choices = [
            ("", "The whole agency"),
            *((str(unit.pk), INDENT * depth + str(unit)) for unit, depth in self._units),
        ]
        for name, value in (("as_of", viewer.today.isoformat()), ("token", secrets.token_hex(16))):
            self.fields[name].initial = value

    def clean_known_at(self) -> datetime | None:
        text = self.cleaned_data["known_at"].strip()
        try:
            return parse_moment(text) if text else None
        except ValueError as error:
            raise ValidationError(f"Known at: {error}") from None

    def clean(self) -> None:
        values = self.cleaned_data
        as_of = values.get("as_of")
        if as_of is None or {"span_from", "span_to"} & set(self.errors):
            return
        values["span_to"] = values.get("span_to") or as_of
        values["span_from"] = values.get("span_from") or issue.default_span(values["span_to"])[0]
        wrong = issue.wrong_span(as_of, values["span_from"], values["span_to"])
        if wrong is not None:
            self.add_error(f"span_{wrong[0]}", wrong[1])
        unit, agency = self._chosen_unit(), values.get("agency")
        if unit is not None and agency is not None and unit.agency_id != agency.pk:
            self.add_error("unit", f"{unit} is not a unit of {agency}.")

    def _chosen_unit(self) -> Unit | None:
        chosen = self.cleaned_data.get("unit")
        return next((unit for unit, _ in self._units if str(unit.pk) == chosen), None)

    def question(self) -> Question:
        """What was asked; its known-at is fixed now."""
        values, unit = self.cleaned_data, self._chosen_unit()
        agency = self._only or values["agency"]
        return Question(
            requirement=self._requirements[values["requirement"]],
            agency=agency,
            unit=unit,
            as_of=values["as_of"],
            span_from=values["span_from"],
            span_to=values["span_to"],
            known_at=issue.known_by(values["known_at"]),
        )


class ReportFilterForm(forms.Form):
    """Filters of the list, from the address."""

    use_required_attribute = False
    q = forms.CharField(
        label="Number", required=False, max_length=40, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    requirement = forms.ChoiceField(
        label="Requirement", required=False, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(self, asked: QueryDict | None, *, requirements: Mapping[str, Requirement]) -> None:
        super().__init__(asked, auto_id="filter_%s")  # the page holds another form with such names
        field = self.fields["requirement"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = titles(requirements, "any requirement")
        field.error_messages["invalid_choice"] = 'there is no requirement "%(value)s".'
