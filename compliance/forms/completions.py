"""Forms that log, correct, void and decide on completions. Each checks what was typed; functions it feeds decide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q

from compliance.forms.fields import (
    CourseField,
    StyledForm,
    TodayForm,
    check_past,
    day_field,
    percent_field,
    why_field,
)
from compliance.forms.files import HoldingForm, KeptFileField
from compliance.log import Proposal
from roster.file_types import PAPERS
from training.models import Completion, Course, Evidence, Result

#: a number of a line or an id; nothing longer can be one
IS_NUMBER = re.compile(r"[0-9]{1,18}")


#: What a certificate says besides its course and day.
CERTIFICATE = ("provider", "certificate_number", "certificate_expires_on")


def check_expiry(form: forms.BaseForm) -> None:
    """A certificate runs out after its course was completed."""
    completed_on, expires_on = (form.cleaned_data.get(name) for name in ("completed_on", "certificate_expires_on"))
    if completed_on and expires_on and expires_on < completed_on:
        form.add_error("certificate_expires_on", "The certificate runs out before its course was completed.")


@dataclass(frozen=True, slots=True)
class Seal:
    """What a page of completions to log last showed."""

    #: members who get the completion
    found: Sequence[int]
    #: line -> members offered on it
    offered: Mapping[int, Sequence[int]]
    #: members who have one like it, and were shown with it
    twins: frozenset[int]


class LogForm(HoldingForm, TodayForm):
    """One course and day, many members; or a certificate from outside, of one."""

    course = CourseField(label="Course")
    completed_on = day_field("Completed on", help_text="The day the last hour, make-up or re-test was met.")
    hours = forms.DecimalField(
        label="Hours",
        required=False,
        min_value=Decimal("0.25"),
        max_value=Decimal(999),
        max_digits=6,
        decimal_places=2,
        help_text="Blank: the hours of the course.",
    )
    evidence = forms.ChoiceField(
        label="Evidence",
        choices=[
            (Evidence.VERIFIED.value, "Verified: sign-in sheet seen"),
            (Evidence.PENDING.value, "Pending: somebody has to check it"),
        ],
    )
    people = forms.CharField(
        label="Officers",
        widget=forms.Textarea(attrs={"rows": 9, "spellcheck": "false"}),
        max_length=40_000,
        help_text="Ids, badges or names, one a line; paste from a spreadsheet.",
        error_messages={"required": "Paste at least one id, badge or name."},
    )
    score = percent_field("Score, percent")
    attendance = percent_field("Attendance, percent")
    class_number = forms.CharField(label="Class number", required=False, max_length=80)
    provider = forms.CharField(
        label="Given by",
        required=False,
        max_length=200,
        help_text="Of a certificate from outside: the college or academy. It waits until another person verified it.",
    )
    certificate_number = forms.CharField(
        label="Certificate number", required=False, max_length=80, help_text="Of one member."
    )
    certificate_expires_on = day_field("Certificate expires on", required=False)
    papers = KeptFileField(
        label="Evidence files",
        kinds=PAPERS,
        many=True,
        required=False,
        help_text="Kept with each of these completions.",
    )
    #: what was last looked up and shown, signed
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.fields["completed_on"].widget.attrs["max"] = today.isoformat()

    def clean_completed_on(self) -> date | None:
        return check_past(self.cleaned_data["completed_on"], self.today, "The completion date")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("provider") and values.get("evidence") == Evidence.VERIFIED:
            self.add_error("evidence", "A certificate from outside waits for another person: choose pending.")
        check_expiry(self)
        return values

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("course", "completed_on", "hours", "evidence", "papers", "people")]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("score", "attendance", "class_number")]

    @property
    def outside_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CERTIFICATE]

    @property
    def has_outside(self) -> bool:
        return any(field.value() or field.errors for field in self.outside_fields)

    @property
    def has_rare(self) -> bool:
        return any(field.value() or field.errors for field in self.rare_fields)

    @property
    def is_filled(self) -> bool:
        """Whether all is well but for files, which are judged one by one."""
        return not set(self.errors) - {"papers"}

    def proposal(self) -> Proposal:
        values = self.cleaned_data
        return Proposal(
            course=values["course"],
            completed_on=values["completed_on"],
            hours=values["hours"],
            score=values["score"],
            attendance=values["attendance"],
            evidence=values["evidence"],
            class_number=values["class_number"].strip(),
            provider=values["provider"].strip(),
            certificate_number=values["certificate_number"].strip(),
            certificate_expires_on=values["certificate_expires_on"],
        )

    def _said(self) -> list[str]:
        values = self.cleaned_data
        names = ("completed_on", "hours", "evidence", "people", "score", "attendance", "class_number", *CERTIFICATE)
        return [str(values["course"].pk), *(str(values[name] or "") for name in names)]

    def seal(self, found: Iterable[int], offered: dict[int, list[int]], twins: Iterable[int]) -> str:
        """What is shown now, so that exactly it is recorded; what the parts are, `Seal` says."""
        return signing.dumps(
            [self._said(), list(found), [[line, *pks] for line, pks in offered.items()], list(twins)], compress=True
        )

    def sealed(self) -> Seal | None:
        """What was last shown; None when the form has changed since."""
        try:
            said, found, offered, twins = signing.loads(self.cleaned_data.get("shown", ""))
        except signing.BadSignature:
            return None
        if said != self._said():
            return None
        return Seal(found, {line: pks for line, *pks in offered}, frozenset(twins))

    def picks(self) -> dict[int, int]:
        """Number of a line -> the member a person chose for it."""
        found: dict[int, int] = {}
        for name, value in self.data.items():
            line = name.removeprefix("pick-")
            if line != name and IS_NUMBER.fullmatch(line) and IS_NUMBER.fullmatch(str(value)):
                found[int(line)] = int(str(value))
        return found


class PrefillForm(forms.Form):
    """What another page may already know."""

    officer = forms.CharField(max_length=40, required=False)
    course = forms.CharField(max_length=80, required=False)
    agency = forms.CharField(max_length=40, required=False)


class CorrectForm(StyledForm):
    """What a completion should have said."""

    course = CourseField(label="Course")
    completed_on = day_field("Completed on")
    hours = forms.DecimalField(
        label="Hours", required=False, min_value=Decimal("0.25"), max_value=Decimal(999), max_digits=6, decimal_places=2
    )
    score = percent_field("Score, percent")
    attendance = percent_field("Attendance, percent")
    result = forms.ChoiceField(label="Result", choices=Result.choices)
    provider = forms.CharField(
        label="Given by", required=False, max_length=200, help_text="Where it was not the agency."
    )
    certificate_number = forms.CharField(label="Certificate number", required=False, max_length=80)
    certificate_expires_on = day_field("Certificate expires on", required=False)
    lesson_plan = forms.CharField(label="Lesson plan", required=False, max_length=80)
    class_number = forms.CharField(label="Class number", required=False, max_length=80)
    why = why_field("Why it is corrected")

    FACTS = (
        "course",
        "completed_on",
        "hours",
        "score",
        "attendance",
        "result",
        "provider",
        "certificate_number",
        "certificate_expires_on",
        "lesson_plan",
        "class_number",
    )

    def __init__(self, *args: Any, completion: Completion, today: date, **kwargs: Any) -> None:
        initial = {name: getattr(completion, name) for name in self.FACTS}
        super().__init__(*args, initial=initial, **kwargs)
        self.completion, self.today = completion, today
        courses = Course.objects.filter(Q(same_as=None, is_from_title=False) | Q(pk=completion.course_id))
        self.fields["course"].queryset = courses.order_by("title")  # type: ignore[attr-defined] # a CourseField

    def clean_completed_on(self) -> date | None:
        return check_past(self.cleaned_data["completed_on"], self.today, "The completion date")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not self.changes():
            raise ValidationError("Nothing is different yet. Change what is wrong, or go back.")
        return values

    def changes(self) -> dict[str, Any]:
        return {
            name: self.cleaned_data[name]
            for name in self.FACTS
            if self.cleaned_data[name] != getattr(self.completion, name)
        }


class VoidForm(StyledForm):
    why = why_field("Why it is voided")


class SecondForm(StyledForm):
    """What a second person says to a proposed correction."""

    act = forms.ChoiceField(choices=[("accept", "accept"), ("refuse", "refuse")], widget=forms.HiddenInput)
    note = forms.CharField(label="Note", required=False, max_length=300, help_text="Why not, where you refuse.")


class DecisionForm(StyledForm):
    decision = forms.ChoiceField(
        label="Decision",
        choices=[("verified", "Verified: the evidence shows it"), ("rejected", "Rejected: the evidence does not")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose verified or rejected."},
    )
    note = forms.CharField(label="Note", required=False, max_length=300, help_text="What you saw. Needed to reject.")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("decision") == "rejected" and not values.get("note", "").strip():
            self.add_error("note", "Say what the evidence does not show.")
        return values
