"""What the addresses of the reading pages may say: forms for every filter."""

from __future__ import annotations

from typing import TypeVar

from django import forms
from django.core.exceptions import BadRequest

from compliance.engine import State
from compliance.models import Requirement
from roster.access import ViewerRequest
from roster.models import Category, Rank, Shift, Unit

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


def chosen_requirement(request: ViewerRequest) -> Requirement | None:
    """The requirement that the address names; None when it names none."""
    code = request.GET.get("requirement", "").strip()
    if not code:
        return None
    requirement = Requirement.objects.filter(code=code).first()
    if requirement is None:
        raise BadRequest(f'Requirement: there is no requirement "{code}".')
    return requirement


def chosen_unit(request: ViewerRequest) -> Unit | None:
    """The unit that the address names, within the viewer's reach; None when it names none."""
    code = request.GET.get("unit", "").strip()
    return request.viewer.unit(code, request.GET.get("agency", "")) if code else None


class _Filter(forms.Form):
    """Filters are optional; a blank one asks nothing."""

    use_required_attribute = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # whatever a form takes
        for field in self.fields.values():
            field.required = False
            is_choice = isinstance(field.widget, forms.Select)
            field.widget.attrs.setdefault("class", "form-select" if is_choice else "form-control")


class _Code(forms.CharField):
    """A code or text of the address: short, whatever it says."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(max_length=100, **kwargs)  # type: ignore[arg-type] # whatever a field takes


class DeadlineForm(_Filter):
    within = forms.IntegerField(label="Within days", min_value=0, max_value=3660)
    show = forms.ChoiceField(label="Show", choices=[("", "due soon"), ("overdue", "overdue")])
    requirement = forms.ChoiceField(label="Requirement")
    unit = _Code(label="Unit code")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement"].choices = requirement_choices("any requirement")  # type: ignore[attr-defined]


def requirement_choices(blank: str = "") -> list[tuple[str, str]]:
    found = list(Requirement.objects.values_list("code", "title"))
    return [("", blank), *found] if blank else found


class MemberForm(_Filter):
    """Filters of a unit's members."""

    requirement = forms.ChoiceField(label="Requirement")
    state = forms.ChoiceField(label="State", choices=STATES)
    shift = forms.ChoiceField(label="Shift")
    q = _Code(label="Name, id or badge")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement"].choices = requirement_choices("the first one")  # type: ignore[attr-defined]
        self.fields["shift"].choices = code_choices(Shift, "any shift")  # type: ignore[attr-defined]


class OfficerForm(_Filter):
    q = _Code(label="Name, id or badge")
    unit = _Code(label="Unit code")
    shift = forms.ChoiceField(label="Shift")
    rank = forms.ChoiceField(label="Rank")
    category = forms.ChoiceField(label="Category", choices=[("", "any category"), *Category.choices])
    requirement = forms.ChoiceField(label="Requirement")
    state = forms.ChoiceField(label="State", choices=STATES)
    serving = forms.ChoiceField(label="Employed", choices=[("", "on the day"), ("all", "ever")])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement"].choices = requirement_choices("any requirement")  # type: ignore[attr-defined]
        self.fields["shift"].choices = code_choices(Shift, "any shift")  # type: ignore[attr-defined]
        self.fields["rank"].choices = code_choices(Rank, "any rank")  # type: ignore[attr-defined]


def code_choices(model: type[Rank] | type[Shift], blank: str) -> list[tuple[str, str]]:
    codes = dict.fromkeys(model.objects.order_by("order", "code").values_list("code", flat=True))
    return [("", blank), *((code, code) for code in codes)]


class CourseForm(_Filter):
    q = _Code(label="Code or title")
    show = forms.ChoiceField(label="Show", choices=[("", "all courses"), ("unmapped", "titles nobody has mapped")])
