"""What the recording forms share: how they look to people and screen readers, and days that make sense."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from compliance.sentences import day
from training.models import Course

EARLIEST = date(1930, 1, 1)
#: What Django says of a field that was left empty, which names nothing.
UNSAID = forms.Field.default_error_messages["required"]
#: A day that was written down ahead lies no further than this: a later one is a slip of the year.
MOST_YEARS_AHEAD = 10


class Styled(forms.BaseForm):
    """A form whose widgets carry Bootstrap's classes, and whose errors are known to screen readers."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if field.label and field.error_messages.get("required") == UNSAID:
                act = "choose one" if isinstance(widget, forms.Select) else "fill this in"
                field.error_messages["required"] = f"{field.label}: {act}."
            if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
                widget.attrs.setdefault("class", "form-check-input")
            elif isinstance(widget, forms.Select):
                widget.attrs.setdefault("class", "form-select")
            elif not isinstance(widget, forms.HiddenInput):
                widget.attrs.setdefault("class", "form-control")

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                widget = self.fields[name].widget
                widget.attrs["class"] = f"{widget.attrs.get('class', '')} is-invalid".strip()

    def refuse(self, error: ValidationError) -> None:
        """Show why the record refused what the form held."""
        self.add_error(None, error)


class StyledForm(Styled, forms.Form):
    """The form that every form here is."""


class TodayForm(StyledForm):
    """A form that knows the day on which it is filled in."""

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today


class PeriodForm(TodayForm):
    """A form with `start_on` and `end_on`, both included; `end_on` may be left blank where its field allows it."""

    def clean_start_on(self) -> date:
        return check_day(self.cleaned_data["start_on"], self.today, "The first day")

    def clean_end_on(self) -> date | None:
        return check_far(self.cleaned_data["end_on"], self.today, "The last day")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start_on, end_on = values.get("start_on"), values.get("end_on")
        if start_on and end_on and end_on < start_on:
            self.add_error("end_on", "The last day is before the first day.")
        return values


def day_field(label: str, *, required: bool = True, help_text: str = "", **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": f"{label}: write the day as 2026-11-20."},
        **kwargs,
    )


def why_field(label: str = "Why", *, more: str = "", kept: str = "with the record") -> forms.CharField:
    """One sentence that says why something is done, and where it is `kept`."""
    return forms.CharField(
        label=label,
        max_length=300,
        help_text=f"One sentence; it stays {kept}. {more}".strip(),
        error_messages={"required": f"Say why: the reason stays {kept}."},
    )


def percent_field(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_value=Decimal(100), max_digits=5, decimal_places=2
    )


def check_past(value: date | None, today: date, what: str) -> date | None:
    """A day that is not in the future and not absurdly long ago."""
    if value is not None and value > today:
        raise ValidationError(f"{what} is in the future. Record it once it has happened.")
    if value is not None and value < EARLIEST:
        raise ValidationError(f"{what} lies before {EARLIEST.year}. Check the year.")
    return value


def check_day(value: date, today: date, what: str) -> date:
    """A day neither absurdly long ago nor more than a year ahead."""
    if value < EARLIEST or (value - today).days > 366:
        raise ValidationError(f"{what}, {day(value)}, cannot be right. Check the year.")
    return value


def check_far(value: date | None, today: date, what: str) -> date | None:
    """A day that is not absurdly far ahead; None passes."""
    if value is not None and value.year > today.year + MOST_YEARS_AHEAD:
        raise ValidationError(f"{what} lies more than {MOST_YEARS_AHEAD} years ahead. Check the year.")
    return value


if TYPE_CHECKING:
    CourseChoice = forms.ModelChoiceField[Course]
else:
    CourseChoice = forms.ModelChoiceField


class CourseField(CourseChoice):
    """A course people chose to track; titles that an import met are not offered."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", "Choose a course")
        super().__init__(Course.objects.filter(same_as=None, is_from_title=False).order_by("title"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        hours = f"{obj.hours.normalize():f} h" if obj.hours else ""
        return str(obj.title) if obj.title.endswith(hours) else f"{obj.title}, {hours}"
