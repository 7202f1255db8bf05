"""Forms of a class being taught and finished: the grid of attendance, make-ups, tests taken, finish and reopen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from compliance.class_sheets import ABSENT, PRESENT, Missed, cell_name, mark_text
from compliance.forms.fields import StyledForm, TodayForm, check_past, day_field, why_field
from training.attendance import spoken_block
from training.class_records import Cell, ClassRecord, day_of, planned_minutes
from training.finish import Choice, Line
from training.models import CourseTest, Enrollment, Meeting, TestAttempt

IS_MINUTES = re.compile(r"[0-9]{1,4}")
MOST_MINUTES = 1440
#: for the id of a block: all of them
EVERY_BLOCK = 0


class ActForm(forms.Form):
    """Which of the forms of a page was sent."""

    act = forms.CharField(max_length=20, required=False)


class ExportForm(forms.Form):
    export = forms.ChoiceField(choices=[("csv", "csv"), ("xlsx", "xlsx")], required=False)


class GridForm(StyledForm):
    """The grid: a text for each cell, and for a change after the day of the block one reason for all of them."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**62)
    why = forms.CharField(
        label="Why marks change after their day",
        required=False,
        max_length=300,
        help_text="Only needed to change what was marked on an earlier day. It stays with each of those marks.",
    )
    fill = forms.TypedChoiceField(
        label="Everybody not marked was present", required=False, coerce=int, empty_value=None
    )

    def __init__(self, *args: Any, record: ClassRecord, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record
        held = [block for block in record.blocks if day_of(block) <= today]
        blocks = [(block.pk, spoken_block(block)) for block in held]
        every = [(EVERY_BLOCK, f"every block held, {len(held)}")] if len(held) > 1 else []
        self.fields["fill"].choices = [("", "no block"), *blocks, *every]  # type: ignore[attr-defined] # a choice field
        self.typed: dict[Cell, str] = {}
        self.wanted: dict[Cell, int] = {}
        self.notes: dict[Cell, str] = {}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        values["why"] = values.get("why", "").strip()
        for seat in self.record.seated:
            for block in self.record.blocks:
                self._clean_cell((seat.pk, block.pk), block, fills=values.get("fill") in (block.pk, EVERY_BLOCK))
        if self.notes:
            number = len(self.notes)
            raise ValidationError(
                f"{number} {'mark cannot' if number == 1 else 'marks cannot'} be read. "
                "Write p for present, a for absent, or minutes."
            )
        return values

    def _clean_cell(self, cell: Cell, block: Meeting, *, fills: bool) -> None:
        raw = self.data.get(cell_name(cell))
        if raw is None:  # a cell that cannot be marked is not sent
            return
        text = str(raw).strip().lower()
        if not text and fills:
            text = PRESENT
        self.typed[cell] = text
        if not text:
            if mark_text(self.record.marks_as_of(self.cleaned_data.get("seen") or 0).get(cell), block):
                self.notes[cell] = "a mark cannot become blank: write a for absent"
            return
        minutes = minutes_of(text, block)
        if minutes is None:
            self.notes[cell] = "write p, a or minutes"
        else:
            self.wanted[cell] = minutes


def minutes_of(text: str, block: Meeting) -> int | None:
    """What a cell says, in minutes; None where it cannot be read."""
    if text == PRESENT:
        return planned_minutes(block)
    if text == ABSENT:
        return 0
    return int(text) if IS_MINUTES.fullmatch(text) else None


class MakeUpForm(StyledForm):
    """A missed block made up in a block of another class."""

    missed = forms.ChoiceField(label="Who missed what", error_messages={"required": "Choose what was missed."})
    made_up_in = forms.ChoiceField(
        label="Made up in",
        help_text="Blocks already held of the same course, or of the same topic.",
        error_messages={"required": "Choose the block in which it was made up."},
    )
    minutes = forms.IntegerField(
        label="Minutes",
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        help_text="Blank: hour for hour, as much as was missed.",
    )
    note = forms.CharField(label="Note", required=False, max_length=300)

    def __init__(self, *args: Any, missed: Sequence[Missed], blocks: Sequence[Meeting], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._missed = {each.key: each for each in missed}
        self._blocks = {str(block.pk): block for block in blocks}
        open_ones = [("", "Choose"), *((key, each.words) for key, each in self._missed.items() if each.left > 0)]
        self.fields["missed"].choices = open_ones  # type: ignore[attr-defined] # a choice field
        offered = [("", "Choose"), *((key, _offered(block)) for key, block in self._blocks.items())]
        self.fields["made_up_in"].choices = offered  # type: ignore[attr-defined] # the same

    @property
    def chosen(self) -> tuple[Missed, Meeting]:
        return self._missed[self.cleaned_data["missed"]], self._blocks[self.cleaned_data["made_up_in"]]


def _offered(block: Meeting) -> str:
    what = block.title or (block.topic.name if block.topic else "")
    words = f"{spoken_block(block)}, class {block.session.number}, {planned_minutes(block)} minutes"
    return f"{words}, {what}" if what else words


class TakeBackForm(StyledForm):
    """A make-up taken back."""

    line = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)
    why = why_field("Why it is taken back", kept="with the make-up")


class AbsentForm(StyledForm):
    """Somebody who did not come to the class at all, or did after all."""

    seat = forms.ChoiceField(label="Who", error_messages={"required": "Choose who did not come."})
    why = forms.CharField(label="Why, if known", required=False, max_length=300)

    def __init__(self, *args: Any, seats: Sequence[Enrollment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seats = {str(seat.pk): seat for seat in seats}
        choices = [("", "Choose"), *((key, seat.name) for key, seat in self._seats.items())]
        self.fields["seat"].choices = choices  # type: ignore[attr-defined] # a choice field

    @property
    def chosen(self) -> Enrollment:
        return self._seats[self.cleaned_data["seat"]]


class ScoresForm(TodayForm):
    """One test taken on one day: a score for each person who took it."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**62)
    test = forms.ChoiceField(label="Test", error_messages={"required": "Choose the test."})
    taken_on = day_field("Taken on")
    remedial_on = day_field(
        "Remedial training on", required=False, help_text="Needed where the test is taken again after failing."
    )

    def __init__(self, *args: Any, record: ClassRecord, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record
        self._tests = {str(test.pk): test for test in record.tests}
        names = [(key, f"{test.name}") for key, test in self._tests.items()]
        self.fields["test"].choices = names if len(names) == 1 else [("", "Choose"), *names]  # type: ignore[attr-defined] # a choice field
        self.typed: dict[int, str] = {}
        self.scores: dict[int, Decimal] = {}
        self.notes: dict[int, str] = {}

    def clean_taken_on(self) -> date | None:
        return check_past(self.cleaned_data["taken_on"], self.today, "The day of the test")

    @property
    def chosen(self) -> CourseTest:
        return self._tests[self.cleaned_data["test"]]

    @property
    def head_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("test", "taken_on", "remedial_on")]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for seat in self.record.seated:
            text = str(self.data.get(f"s-{seat.pk}", "")).strip()
            if not text:
                continue
            self.typed[seat.pk] = text
            score = score_of(text)
            if score is None:
                self.notes[seat.pk] = "write a percentage from 0 to 100"
            else:
                self.scores[seat.pk] = score
        if self.notes:
            raise ValidationError("A score is a percentage from 0 to 100, with two decimals at most.")
        if not self.scores and not self.errors:
            raise ValidationError("Write a score for at least one person.")
        return values


def score_of(text: str) -> Decimal | None:
    """A percentage with two decimals at most; a comma is taken for a point. None where it cannot be read."""
    try:
        score = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        return None
    if not score.is_finite() or not 0 <= score <= 100 or score != round(score, 2):
        return None
    return score.quantize(Decimal("0.01"))


class AttemptForm(TodayForm):
    """What an attempt should have said, or that it never was."""

    score = forms.DecimalField(
        label="Score, percent", min_value=Decimal(0), max_value=Decimal(100), max_digits=5, decimal_places=2
    )
    taken_on = day_field("Taken on")
    remedial_on = day_field("Remedial training on", required=False)
    strike = forms.BooleanField(label="This attempt never was: take it away", required=False)
    why = why_field("Why it is corrected", kept="with the attempt")

    def __init__(self, *args: Any, attempt: TestAttempt, **kwargs: Any) -> None:
        initial = {name: getattr(attempt, name) for name in ("score", "taken_on", "remedial_on")}
        super().__init__(*args, initial=initial, **kwargs)
        self.attempt = attempt

    def clean_taken_on(self) -> date | None:
        return check_past(self.cleaned_data["taken_on"], self.today, "The day of the test")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        same = all(values.get(name) == getattr(self.attempt, name) for name in ("score", "taken_on", "remedial_on"))
        if not self.errors and same and not values.get("strike"):
            raise ValidationError("Nothing is different yet. Change what is wrong, or go back.")
        return values


class CorrectedForm(forms.Form):
    """Which attempt an address asks to correct."""

    correct = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class FinishForm(StyledForm):
    """What was shown when somebody said to finish the class, and what they said of people who have one like it."""

    shown = forms.CharField(widget=forms.HiddenInput, max_length=64)
    rest = forms.ChoiceField(
        label="Everybody not decided here",
        choices=[
            ("", "is decided one by one"),
            (Choice.BOTH.value, "both were taught"),
            (Choice.LEAVE.value, "leave this one out"),
        ],
        required=False,
    )

    def __init__(self, *args: Any, asked: Sequence[Line] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked

    def pairs(self) -> list[tuple[Line, str, str]]:
        """Each person asked about, with the name of their field and what was chosen; blank = nothing yet."""
        return [(line, *self._said(line)) for line in self.asked]

    def choices(self) -> dict[int, str]:
        """Seat -> what was chosen, for each or for the rest."""
        rest = self.cleaned_data["rest"]
        said = {line.seat.pk: choice or rest for line, _, choice in self.pairs()}
        return {seat: choice for seat, choice in said.items() if choice}

    def _said(self, line: Line) -> tuple[str, str]:
        name = f"alike-{line.seat.pk}"
        value = str(self.data.get(name, ""))
        return name, value if value in list(Choice) else ""


class ReopenForm(StyledForm):
    why = why_field("Why the class is reopened", kept="with the class and every completion that is voided")
