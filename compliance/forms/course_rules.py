"""Forms of equivalencies and lesson plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from compliance.forms.fields import CourseField, StyledForm, day_field
from compliance.forms.grants import check_far
from training.models import Equivalency, LessonPlan

EARLIEST = date(1930, 1, 1)


def reason_field() -> forms.CharField:
    return forms.CharField(
        label="Why",
        max_length=300,
        help_text="One sentence; it stays in the trail.",
        error_messages={"required": "Say why: the reason stays in the trail."},
    )


class DatedForm(StyledForm):
    """A first and a last day that make sense together."""

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start_on, end_on = values.get("start_on"), values.get("end_on")
        try:
            for value, what in ((start_on, "The first day"), (end_on, "The last day")):
                if value:
                    check_far(value, self.today, what)
        except forms.ValidationError as error:
            self.add_error(None, error)
        if start_on and start_on < EARLIEST:
            self.add_error("start_on", f"The first day lies before {EARLIEST.year}. Check the year.")
        if start_on and end_on and end_on < start_on:
            self.add_error("end_on", "The last day is before the first day.")
        return values


class EquivalencyForm(DatedForm):
    course = CourseField(label="Course taken")
    counts_as = CourseField(label="Counts as", help_text="Not chained: what that course counts as is not followed.")
    start_on = day_field("First day", help_text="Completions from this day on count.")
    end_on = day_field("Last day", required=False, help_text="Blank: until it is ended.")
    approved_by = forms.CharField(label="Approved by", max_length=200)
    why = reason_field()

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("course") and values.get("course") == values.get("counts_as"):
            self.add_error("counts_as", "A course does not count as itself.")
        return values

    def row(self) -> Equivalency:
        values = self.cleaned_data
        names = ("course", "counts_as", "start_on", "end_on")
        return Equivalency(**{name: values[name] for name in names}, approved_by=values["approved_by"].strip())


class LessonPlanForm(DatedForm):
    course = CourseField(label="Course")
    version = forms.CharField(label="Version", max_length=80, help_text="As completions name it: v2025.")
    start_on = day_field("First day")
    end_on = day_field("Last day", required=False, help_text="Blank: until another takes its place.")
    why = reason_field()

    def row(self) -> LessonPlan:
        values = self.cleaned_data
        names = ("course", "start_on", "end_on")
        return LessonPlan(**{name: values[name] for name in names}, version=" ".join(values["version"].split()))


class LastDayForm(DatedForm):
    """Another last day: earlier to end it, later to accept an old plan longer."""

    end_on = day_field("Last day", required=False, help_text="Blank: no last day.")
    why = reason_field()

    def __init__(self, *args: Any, row: LessonPlan | Equivalency, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"end_on": row.end_on})
        super().__init__(*args, **kwargs)
        self.stored = row

    def clean_end_on(self) -> date | None:
        end_on: date | None = self.cleaned_data["end_on"]
        if end_on is not None and end_on < self.stored.start_on:
            raise forms.ValidationError("The last day is before the first day.")
        if end_on == self.stored.end_on:
            raise forms.ValidationError("That is the last day already. Choose another, or go back.")
        return end_on

    def row(self) -> LessonPlan | Equivalency:
        self.stored.end_on = self.cleaned_data["end_on"]
        return self.stored
