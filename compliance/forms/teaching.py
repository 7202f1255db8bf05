"""Forms of instructors, their qualifications, and places."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from compliance import finding
from compliance.class_access import agencies_to_run
from compliance.forms.classes import offer_agencies, squeezed
from compliance.forms.fields import CourseField, StyledForm, TodayForm, check_far, day_field
from roster.access import Viewer
from roster.models import Agency, Officer
from training.models import Instructor, Place, Qualification

MOST_QUALIFICATIONS = 50


class OfAgencyForm(StyledForm):
    """A form about what an agency has; who runs classes of one only is not asked which."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", empty_label=None)

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        offer_agencies(self, agencies_to_run(viewer))


class PlaceForm(OfAgencyForm):
    name = forms.CharField(label="Name", max_length=120)
    address = forms.CharField(label="Address", max_length=300, required=False)
    capacity = forms.IntegerField(
        label="People it holds",
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="A class with more seats is warned of.",
    )
    is_retired = forms.BooleanField(label="No longer used", required=False)

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        names = ("name", "address", "capacity", "is_retired")
        initial = {"agency": place.agency_id, **{name: getattr(place, name) for name in names}} if place.pk else {}
        super().__init__(*args, initial=initial, **kwargs)
        self.place = place

    def row(self) -> Place:
        values = self.cleaned_data
        self.place.agency, self.place.name = values["agency"], squeezed(values["name"])
        self.place.address, self.place.capacity = squeezed(values["address"]), values["capacity"]
        self.place.is_retired = values["is_retired"]
        return self.place


class InstructorForm(OfAgencyForm):
    """A member by id, badge or whole name; or a person from outside by name."""

    member = forms.CharField(
        label="Member", required=False, max_length=200, help_text="Id, badge or whole name of a member in your reach."
    )
    name = forms.CharField(
        label="Name", required=False, max_length=200, help_text="Of a person from outside; blank for a member."
    )
    employer = forms.CharField(label="Employer", required=False, max_length=200)
    email = forms.EmailField(label="Email", required=False)
    is_retired = forms.BooleanField(label="Teaches no longer", required=False)

    def __init__(self, *args: Any, instructor: Instructor, **kwargs: Any) -> None:
        names = ("name", "employer", "email", "is_retired")
        initial = {name: getattr(instructor, name) for name in names} if instructor.pk else {}
        if instructor.pk:
            member = instructor.officer.employee_id if instructor.officer else ""
            initial |= {"agency": instructor.agency_id, "member": member}
        super().__init__(*args, initial=initial, **kwargs)
        self.instructor = instructor

    def clean_member(self) -> Officer | None:
        text = self.cleaned_data["member"].strip()
        present = self.instructor.officer
        if not text or (present is not None and text == present.employee_id):
            return present if text else None
        found = finding.find(text, self.viewer.officers())
        if len(found) == 1 and found[0].officer is not None:
            return found[0].officer
        choices = [f"{one.employee_id} {one.listed_name}" for line in found for one in line.choices]
        said = f" Did you mean {' or '.join(choices)}?" if choices else ""
        raise ValidationError(f'"{text}" is no member within your reach.{said}')

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "member" in values and bool(values["member"]) == bool(squeezed(values.get("name", ""))):
            self.add_error("name", "Give a member, or the name of a person from outside: one of the two.")
        return values

    def row(self) -> Instructor:
        values, row = self.cleaned_data, self.instructor
        row.agency, row.officer, row.is_retired = values["agency"], values["member"], values["is_retired"]
        row.name, row.employer, row.email = squeezed(values["name"]), squeezed(values["employer"]), values["email"]
        return row


class QualificationForm(TodayForm):
    """One line of what an instructor may teach; a line left blank is left out."""

    use_required_attribute = False

    pk = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    title = forms.CharField(label="Qualification", required=False, max_length=200)
    course = CourseField(label="For course", required=False, empty_label="any course")
    start_on = day_field("First day", required=False)
    end_on = day_field("Last day", required=False)
    gone = forms.BooleanField(label="Remove", required=False)

    def __init__(self, *args: Any, number: int, courses: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["course"].choices = courses  # type: ignore[attr-defined] # read once for all lines
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, line {number}"

    @property
    def is_blank(self) -> bool:
        values = self.cleaned_data
        return values["gone"] or not any(values.get(name) for name in ("pk", "title", "start_on", "end_on"))

    def clean_end_on(self) -> date | None:
        return check_far(self.cleaned_data["end_on"], self.today, "The last day")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors or self.is_blank:
            return values
        for name, what in (("title", "name of the qualification"), ("start_on", "first day")):
            if not values[name]:
                self.add_error(name, f"Give the {what}.")
        if values["end_on"] and values["start_on"] and values["end_on"] < values["start_on"]:
            self.add_error("end_on", "The last day is before the first day.")
        return values

    def row(self) -> Qualification | None:
        """What the line says; None where it is left out or removed."""
        values = self.cleaned_data
        if self.is_blank:
            return None
        names = ("pk", "course", "start_on", "end_on")
        return Qualification(title=squeezed(values["title"]), **{name: values[name] for name in names})


def qualification_lines(data: Any, rows: list[Qualification], *, today: date) -> list[QualificationForm]:
    """A line for each qualification and an empty one; of what somebody sent, as many as were sent."""
    field = CourseField()
    assert field.queryset is not None  # noqa: S101 - the field sets it
    courses = [("", "any course"), *((row.pk, field.label_from_instance(row)) for row in field.queryset)]
    text = data.get("lines", "") if data is not None else ""
    sent = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    names = ("pk", "title", "course", "start_on", "end_on")
    given = [{name: getattr(row, f"{name}_id" if name == "course" else name) for name in names} for row in rows]
    number = sent if data is not None else len(given) + 1
    return [
        QualificationForm(
            data,
            prefix=f"line-{index}",
            initial=given[index] if data is None and index < len(given) else None,
            number=index + 1,
            courses=courses,
            today=today,
        )
        for index in range(min(number, MOST_QUALIFICATIONS))
    ]
