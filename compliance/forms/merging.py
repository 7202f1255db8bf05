"""Forms of merges: the second record, and the yes to what was shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404

from compliance.forms.fields import StyledForm, why_field
from roster.access import AgencyNeeded, Viewer
from roster.models import Officer


class SecondForm(StyledForm):
    """Which record is the second of the same person."""

    second = forms.CharField(
        label="Employee id of the second record",
        max_length=40,
        help_text="Its facts go to this member; nothing is erased, and a merge can be undone.",
    )

    def __init__(self, *args: Any, viewer: Viewer, kept: Officer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.kept = viewer, kept

    def clean_second(self) -> Officer:
        asked = " ".join(str(self.cleaned_data["second"]).split())
        try:
            found = self.viewer.officer(asked, self.kept.agency.code)
        except (Http404, AgencyNeeded):
            raise ValidationError(f"No member within your reach has the id {asked}.") from None
        if found.pk == self.kept.pk:
            raise ValidationError("That is this record. Give the id of the other one.")
        return found


class AgreeForm(StyledForm):
    """The reason, and the yes to what stays behind where something does."""

    why = why_field(kept="in the history of both records")
    agreed = forms.BooleanField(
        label="Leave behind what stays",
        error_messages={"required": "Some facts stay behind. Tick that you have seen which, or correct them first."},
    )

    def __init__(self, *args: Any, stays: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not stays:
            del self.fields["agreed"]
