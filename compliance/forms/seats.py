"""Forms that fill the list of a class: who shall come, who withdraws, how many are suggested, what units keep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from compliance.filters import AddressForm
from compliance.forms.completions import IS_NUMBER
from compliance.forms.fields import StyledForm, why_field
from roster.access import Viewer
from roster.models import Agency, Shift, StaffingMinimum, Unit
from training.seats import Outside

#: More people than this in one list are a file's worth.
MOST_PEOPLE = 1000


def ticked(data: Any, name: str) -> list[int]:
    """The ids of the boxes with this name that were ticked, in their order."""
    values = data.getlist(name)[:MOST_PEOPLE] if hasattr(data, "getlist") else []
    return [int(value) for value in values if IS_NUMBER.fullmatch(value)]


class EnrolForm(StyledForm):
    """Who shall come: pasted, a unit, from outside, or ticked on another page."""

    people = forms.CharField(
        label="Members",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        max_length=40_000,
        help_text="Ids, badges or names, one a line; paste from a spreadsheet.",
    )
    unit = forms.ChoiceField(
        label="A whole unit", required=False, help_text="Everybody at home in it, and in the units below it."
    )
    outside = forms.CharField(
        label="People from outside",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        max_length=20_000,
        help_text="One a line: name; agency; id there. Agency and id may be left out.",
    )
    why = forms.CharField(
        label="Why they may come all the same",
        required=False,
        max_length=300,
        help_text="One sentence; it stays with the seat.",
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = viewer.visible_units()
        units = [(unit, depth) for unit, depth in viewer.tree.walk() if visible is None or unit.pk in visible]
        self.units = {str(unit.pk): unit for unit, _ in units}
        offered = [(str(unit.pk), f"{' · ' * depth}{unit.name or unit.code}") for unit, depth in units]
        field = self.fields["unit"]
        field.choices = [("", "None"), *offered]  # type: ignore[attr-defined] # a field of choice
        field.error_messages["invalid_choice"] = "Choose a unit of the list."
        self.chosen = [*ticked(self.data, "officer"), *self._picked()]

    def _picked(self) -> list[int]:
        """Those whom a person chose among near misses."""
        found = [(name.removeprefix("pick-"), str(value)) for name, value in self.data.items() if name[:5] == "pick-"]
        return [int(value) for line, value in found if IS_NUMBER.fullmatch(line) and IS_NUMBER.fullmatch(value)]

    def clean_outside(self) -> list[Outside]:
        found = []
        for line in self.cleaned_data["outside"].splitlines():
            parts = [" ".join(part.split()) for part in re.split(r"[;\t]", line)]
            if not any(parts):
                continue
            name, agency, number, *more = (*parts, "", "") if len(parts) < 3 else parts
            if not name or any(more):
                raise ValidationError(f'"{line.strip()[:80]}": write name; agency; id, one person a line.')
            if len(name) > 200 or len(agency) > 200 or len(number) > 80:
                raise ValidationError(f'"{name[:40]}": a name and an agency have at most 200 letters, an id 80.')
            found.append(Outside(name, agency, number))
        return found

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        named = values.get("people", "").strip() or values.get("unit") or values.get("outside") or self.chosen
        if not self.errors and not named:
            raise ValidationError("Name somebody: paste members, choose a unit, or write who comes from outside.")
        return values

    @property
    def unit_chosen(self) -> Unit | None:
        return self.units.get(self.cleaned_data["unit"])


class WithdrawForm(StyledForm):
    """Those ticked in the list leave it."""

    why = why_field("Why they withdraw", kept="with the seat")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = ticked(self.data, "seat")

    def clean(self) -> dict[str, Any]:
        if not self.chosen:
            raise ValidationError("Choose somebody in the list first.")
        return super().clean() or {}


class SuggestForm(AddressForm):
    """How many are suggested; blank is as many as there are seats left."""

    number = forms.IntegerField(label="How many", min_value=1, max_value=200)


class StaffingForm(StyledForm):
    """What the units of an agency keep while others are in class."""

    least = forms.IntegerField(
        label="Members that stay on each unit and shift",
        min_value=0,
        max_value=1000,
        help_text="Where nothing else is said below. 0 asks nothing.",
    )
    unit = forms.ChoiceField(label="Unit", required=False)
    shift = forms.ChoiceField(label="Shift", required=False)
    minimum = forms.IntegerField(label="Stay at least", required=False, min_value=0, max_value=1000)

    def __init__(
        self,
        *args: Any,
        agency: Agency,
        units: Iterable[Unit],
        shifts: Sequence[Shift],
        rows: Sequence[StaffingMinimum],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, initial={"least": agency.min_working}, **kwargs)
        self.rows = rows
        for row in rows:
            where = f"{row.unit}, {row.shift}" if row.shift else f"{row.unit}, each shift"
            self.fields[f"row-{row.pk}"] = forms.IntegerField(
                label=where,
                required=False,
                min_value=0,
                max_value=1000,
                initial=row.minimum,
                widget=forms.NumberInput(attrs={"class": "form-control", "aria-label": f"Stay at least, {where}"}),
            )
        self.units = {str(unit.pk): unit for unit in units}
        self.shifts = {str(shift.pk): shift for shift in shifts}
        offered = [("", "Choose a unit"), *((key, str(unit)) for key, unit in self.units.items())]
        self.fields["unit"].choices = offered  # type: ignore[attr-defined] # a field of choice
        shown = [("", "each shift"), *((key, shift.code) for key, shift in self.shifts.items())]
        self.fields["shift"].choices = shown  # type: ignore[attr-defined] # the same

    def lines(self) -> list[tuple[StaffingMinimum, forms.BoundField]]:
        return [(row, self[f"row-{row.pk}"]) for row in self.rows]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        has_minimum = values["minimum"] is not None
        if bool(values["unit"]) != has_minimum:
            self.add_error("minimum" if values["unit"] else "unit", "Give both a unit and how many stay.")
        elif values["unit"]:
            asked = (int(values["unit"]), int(values["shift"]) if values["shift"] else None)
            if asked in {(row.unit_id, row.shift_id) for row in self.rows}:
                self.add_error("unit", "This unit and shift is in the table already. Change it there.")
        return values

    def kept(self) -> dict[int, int | None]:
        """Id of a minimum -> the number it shall be; None takes it away."""
        return {row.pk: self.cleaned_data[f"row-{row.pk}"] for row in self.rows}

    def added(self) -> tuple[Unit, Shift | None, int] | None:
        values = self.cleaned_data
        if not values["unit"]:
            return None
        return self.units[values["unit"]], self.shifts.get(values["shift"]), values["minimum"]
