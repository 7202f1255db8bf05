"""Forms of equivalencies and lesson plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from compliance.forms.fields import EARLIEST, CourseField, PeriodForm, check_far, day_field, why_field
from training.models import Equivalency, LessonPlan


def reason_field() -> forms.CharField:
    return why_field(kept="in the trail")


class DatedForm(PeriodForm):
    """Days of a rule, which may be written down long before its first."""

    def clean_start_on(self) -> date:
        start_on: date = self.cleaned_data["start_on"]
        if start_on < EARLIEST:
            raise forms.ValidationError(f"The first day lies before {EARLIEST.year}. Check the year.")
        check_far(start_on, self.today, "The first day")
        return start_on


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
        end_on = super().clean_end_on()
        if end_on is not None and end_on < self.stored.start_on:
            raise forms.ValidationError("The last day is before the first day.")
        if end_on == self.stored.end_on:
            raise forms.ValidationError("That is the last day already. Choose another, or go back.")
        return end_on

    def row(self) -> LessonPlan | Equivalency:
        self.stored.end_on = self.cleaned_data["end_on"]
        return self.stored
