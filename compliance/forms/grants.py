"""Forms of waivers, extensions, designations and explanations. Each checks what was typed; what it feeds decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core import signing
from django.db.models import QuerySet
from django.http import QueryDict

from compliance.forms.fields import (
    PeriodForm,
    StyledForm,
    TodayForm,
    check_day,
    check_far,
    check_past,
    day_field,
    why_field,
)
from compliance.grants import Grant, Outlook, approvers_of
from compliance.models import Extension, Requirement, Waiver
from compliance.sentences import name_of
from roster.models import Officer

#: What no reason of a grant may hold.
NO_MEDICINE = "No diagnosis and no medical reason."


class ApproverField(forms.ModelChoiceField):  # type: ignore[type-arg] # not generic when run
    """Somebody who may approve, by name."""

    def label_from_instance(self, obj: User) -> str:
        return name_of(obj)


def approver_field() -> ApproverField:
    return ApproverField(
        User.objects.none(),
        label="Approved by",
        empty_label="Choose who approved it",
        help_text="Nobody approves for themselves.",
        error_messages={"required": "Say who approved it."},
    )


def reference_field() -> forms.CharField:
    return forms.CharField(
        label="Approval reference",
        max_length=100,
        help_text="A number or memo that the approval can be found by.",
        error_messages={"required": "Give the memo or number that the approval can be found by."},
    )


class LookedAtForm(TodayForm):
    """A form whose effect is shown before it is recorded: only what was shown is recorded."""

    #: what was last shown, signed
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def _said(self) -> list[str]:
        return [f"{name}={value}" for name, value in sorted(self.cleaned_data.items()) if name != "shown"]

    def seal(self, told: str) -> None:
        """Keep what is shown now with the form."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["shown"] = signing.dumps([self._said(), told], compress=True)
        self.data = data

    def was_shown(self, told: str) -> bool:
        """Whether exactly this form and this effect were shown before."""
        try:
            return bool(signing.loads(self.cleaned_data.get("shown", "")) == [self._said(), told])
        except signing.BadSignature:
            return False


def told_by(outlook: Outlook) -> str:
    """An outlook as one text: what a form that was shown is compared by."""
    return "; ".join(f"{shown} {effect.words} {effect.was} {effect.becomes}" for shown, effect in outlook.effects)


class GrantForm(LookedAtForm):
    """What waivers and extensions ask for. `grant()` is what the form says, not recorded yet."""

    requirement = forms.ModelChoiceField(
        Requirement.objects.all(),
        label="Requirement",
        empty_label="Choose a requirement",
        to_field_name="code",
        error_messages={"invalid_choice": "There is no such requirement. Choose one of the list."},
    )

    def __init__(self, *args: Any, officer: Officer, today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.officer = officer
        people: QuerySet[User] = approvers_of([officer.agency_id])
        self.fields["approver"].queryset = people  # type: ignore[attr-defined] # an ApproverField

    def grant(self) -> Grant:
        raise NotImplementedError

    def _shared(self) -> dict[str, Any]:
        values = self.cleaned_data
        return {
            "officer": self.officer,
            "requirement": values["requirement"],
            "approval": values["approval"].strip(),
            "approver": values["approver"],
        }


class WaiverForm(GrantForm, PeriodForm):
    """Days on which a member is excused."""

    start_on = day_field("First day")
    end_on = day_field("Last day", help_text="The member is excused through it.")
    why = why_field("Why it is granted", more=NO_MEDICINE)
    approval = reference_field()
    approver = approver_field()

    def grant(self) -> Waiver:
        values = self.cleaned_data
        return Waiver(**self._shared(), start_on=values["start_on"], end_on=values["end_on"])


class ExtensionForm(GrantForm):
    """More time for one member."""

    approved_on = day_field("Approved on", help_text="By the date it moves: one approved later is refused.")
    until_on = day_field("New last day", help_text="It is final: leave does not move it.")
    why = why_field("Why it is granted", more=NO_MEDICINE)
    approval = reference_field()
    approver = approver_field()

    def clean_approved_on(self) -> date | None:
        return check_past(self.cleaned_data["approved_on"], self.today, "The day of approval")

    def clean_until_on(self) -> date | None:
        return check_far(self.cleaned_data["until_on"], self.today, "The new last day")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        approved_on, until_on = values.get("approved_on"), values.get("until_on")
        if approved_on and until_on and until_on < approved_on:
            self.add_error("until_on", "The new last day is before the day of approval.")
        return values

    def grant(self) -> Extension:
        values = self.cleaned_data
        return Extension(**self._shared(), until_on=values["until_on"], approved_on=values["approved_on"])


class ExplainForm(StyledForm):
    """Why one run of overdue days came about."""

    period = forms.ChoiceField(
        label="Overdue period",
        error_messages={
            "required": "Choose the period that this explains.",
            "invalid_choice": "The member was not overdue then. Choose one of the periods listed.",
        },
    )
    text = forms.CharField(
        label="Explanation",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A sentence an assessor can follow. No diagnosis and no medical reason. It stays: to correct it, "
        "write another.",
        error_messages={"required": "Write why the date was missed."},
    )

    def __init__(self, *args: Any, periods: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = [("", "Choose a period"), *periods]  # type: ignore[attr-defined] # a ChoiceField

    def clean_text(self) -> str:
        return " ".join(self.cleaned_data["text"].split())


class DesignateForm(PeriodForm):
    """A special duty of a member."""

    code = forms.CharField(
        label="Designation",
        max_length=80,
        widget=forms.TextInput(attrs={"list": "designation-codes", "autocomplete": "off"}),
        help_text="The agency's own code, spelled as it is used in requirements and goals.",
    )
    start_on = day_field("First day")
    end_on = day_field("Last day", required=False, help_text="Blank: until it is ended.")
    is_voluntary = forms.BooleanField(label="Taken up of the member's own will", required=False)

    def clean_code(self) -> str:
        return " ".join(self.cleaned_data["code"].split())


class EndDesignationForm(TodayForm):
    last_day = day_field("Last day")
    designation = forms.IntegerField(widget=forms.HiddenInput)

    def clean_last_day(self) -> date:
        return check_day(self.cleaned_data["last_day"], self.today, "The last day")
