"""What the addresses of the reading pages may say: forms for every filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import django_filters
from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Value

from compliance.asking import FIRST_DAY, LAST_DAY
from compliance.engine import State
from compliance.models import Goal, Requirement, in_force_on
from roster.access import ViewerRequest
from roster.models import Category, Rank, Shift, Unit

Choices = Sequence[tuple[str, str]]
AnyForm = TypeVar("AnyForm", bound=forms.Form)

STATES = [("", "any state"), *((state.value, state.value.replace("_", " ")) for state in State)]


def checked(form: AnyForm) -> AnyForm:
    """The form when its values can be taken; else `BadRequest` with a sentence that names the field."""
    if not form.is_bound:
        form.cleaned_data = {}
    elif not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        label = form.fields[name].label or name.replace("_", " ").capitalize() if name in form.fields else "The address"
        raise BadRequest(f"{label}: {errors[0]}")
    return form


def all_requirements(*, population_on: date | None = None) -> dict[str, Requirement]:
    """Code -> requirement, in order; with a day, each knows its population on it (`population_of`). One query."""
    found = Requirement.objects.all()
    if population_on is not None:
        title = in_force_on(population_on, "pk", "population__title")
        found = found.annotate(population_title=title)
    return {requirement.code: requirement for requirement in found}


def population_of(row: Requirement | Goal) -> str:
    """The title of the population on the day that `all_requirements` or `goals.promised_on` was asked for."""
    title: str | None = row.population_title  # type: ignore[union-attr] # annotated by both
    return "nobody on this day" if title is None else title


def chosen_requirement(request: ViewerRequest, among: Mapping[str, Requirement]) -> Requirement | None:
    """The requirement that the address names; None when it names none."""
    code = request.GET.get("requirement", "").strip()
    if not code:
        return None
    if code not in among:
        raise BadRequest(f'Requirement: there is no requirement "{code}".')
    return among[code]


def chosen_unit(request: ViewerRequest) -> Unit | None:
    """The unit that the address names, within the viewer's reach; None when it names none."""
    code = request.GET.get("unit", "").strip()
    return request.viewer.unit(code, request.GET.get("agency", "")) if code else None


def style(form: forms.BaseForm) -> None:
    """Give the widgets of a filter form Bootstrap's classes."""
    for field in form.fields.values():
        is_choice = isinstance(field.widget, forms.Select)
        field.widget.attrs.setdefault("class", "form-select" if is_choice else "form-control")


class ListFilter(django_filters.FilterSet):  # type: ignore[misc] # django-filter has no types
    """The filters of a list: what every `FilterSet` here is."""

    @property
    def form(self) -> forms.Form:
        form: forms.Form = super().form
        style(form)
        return form


class AddressForm(forms.Form):
    """Filters are optional; a blank one asks nothing."""

    use_required_attribute = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # whatever a form takes
        for field in self.fields.values():
            field.required = False
        style(self)

    def offer(self, **choices: Choices) -> None:
        """What the lists of choice hold, field by field; a code that is not among them is named in the refusal."""
        for name, offered in choices.items():
            field = self.fields[name]
            field.choices = offered  # type: ignore[attr-defined] # a field of choice
            field.error_messages["invalid_choice"] = f'there is no {name} "%(value)s".'


class _Code(forms.CharField):
    """A code or text of the address: short, whatever it says."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(max_length=100, **kwargs)  # type: ignore[arg-type] # whatever a field takes


class DeadlineForm(AddressForm):
    within = forms.IntegerField(label="Within days", min_value=0, max_value=3660)
    show = forms.ChoiceField(label="Show", choices=[("", "due soon"), ("overdue", "overdue")])
    requirement = forms.ChoiceField(label="Requirement")
    unit = _Code(label="Unit code")

    def __init__(self, *args: object, requirements: Mapping[str, Requirement], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.offer(requirement=titles(requirements, "any requirement"))


def titles(requirements: Mapping[str, Requirement], blank: str) -> Choices:
    return [("", blank), *((code, requirement.title) for code, requirement in requirements.items())]


class MemberForm(AddressForm):
    """Filters of a unit's members."""

    requirement = forms.ChoiceField(label="Requirement")
    state = forms.ChoiceField(label="State", choices=STATES)
    shift = forms.ChoiceField(label="Shift")
    q = _Code(label="Name, id or badge")

    def __init__(
        self, *args: object, requirements: Mapping[str, Requirement], shifts: Iterable[Shift], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)
        codes = dict.fromkeys(shift.code for shift in shifts)
        self.offer(requirement=titles(requirements, "the first one"), shift=listed(codes, "any shift"))


class OfficerForm(AddressForm):
    q = _Code(label="Name, id or badge")
    unit = _Code(label="Unit code")
    shift = forms.ChoiceField(label="Shift")
    rank = forms.ChoiceField(label="Rank")
    category = forms.ChoiceField(label="Category", choices=[("", "any category"), *Category.choices])
    requirement = forms.ChoiceField(label="Requirement")
    state = forms.ChoiceField(label="State", choices=STATES)
    serving = forms.ChoiceField(label="Employed", choices=[("", "on the day"), ("all", "ever")])

    def __init__(self, *args: object, requirements: Mapping[str, Requirement], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        codes = _shift_and_rank_codes()
        self.offer(
            requirement=titles(requirements, "any requirement"),
            shift=listed(codes["shift"], "any shift"),
            rank=listed(codes["rank"], "any rank"),
        )


def listed(codes: Iterable[str], blank: str) -> Choices:
    return [("", blank), *((code, code) for code in codes)]


def _shift_and_rank_codes() -> dict[str, list[str]]:
    """The codes of shifts and of ranks in the order of their agencies. One query for both."""
    shifts = Shift.objects.order_by().annotate(what=Value("shift")).values_list("what", "order", "code")
    ranks = Rank.objects.order_by().annotate(what=Value("rank")).values_list("what", "order", "code")
    found: dict[str, dict[str, None]] = {"shift": {}, "rank": {}}
    for what, _, code in shifts.union(ranks).order_by("order", "code"):
        found[what][code] = None
    return {what: list(codes) for what, codes in found.items()}


class CourseForm(AddressForm):
    q = _Code(label="Code or title")
    show = forms.ChoiceField(label="Show", choices=[("", "all courses"), ("unmapped", "titles nobody has mapped")])


HISTORY_KINDS = (
    ("employment", "employments"),
    ("assignment", "assignments"),
    ("leave", "leaves"),
    ("designation", "designations"),
    ("completion", "completions"),
    ("evidence decision", "decisions on evidence"),
    ("waiver", "waivers"),
    ("extension", "extensions"),
    ("explanation", "explanations"),
    ("detail", "names and numbers"),
    ("record", "merges"),
)
HISTORY_ACTS = ("recorded", "corrected", "ended", "voided", "moved", "changed", "merged", "undone")


class HistoryForm(AddressForm):
    kind = forms.ChoiceField(label="Lines about", choices=[("", "everything"), *HISTORY_KINDS])
    act = forms.ChoiceField(label="Act", choices=listed(HISTORY_ACTS, "any act"))


class LinesForm(AddressForm):
    """Which lines of what happened to a class are exported: its own, or those of its seats."""

    lines = forms.ChoiceField(label="Lines", choices=[("seats", "of the seats")])


class CalendarForm(AddressForm):
    view = forms.ChoiceField(label="View", choices=[("month", "month"), ("week", "week")], widget=forms.HiddenInput)
    day = forms.DateField(
        label="Day",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "write the day as 2026-11-20."},
    )
    place = _Code(label="Place")
    course = _Code(label="Course")
    instructor = _Code(label="Instructor")

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(f"choose a day from {FIRST_DAY.year} to {LAST_DAY.year}.")
        return day
