"""Forms about evidence: several decisions at once, files, a course that a member reports, two that look alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from compliance.forms.completions import CERTIFICATE, DecisionForm, check_expiry
from compliance.forms.fields import CourseField, TodayForm, check_past, day_field
from compliance.forms.files import FilesForm, HoldingForm, KeptFileField
from compliance.log import Proposal
from roster.file_types import PAPERS
from roster.models import Officer
from training.models import Evidence

IS_ID = re.compile(r"[0-9]{1,18}")
#: Completions decided at a time: a page of the list.
MOST_CHOSEN = 200


class IdsField(forms.Field):
    """Ids of the rows that were chosen on a list."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[int]:
        found = value or []
        if len(found) > MOST_CHOSEN or not all(IS_ID.fullmatch(str(one)) for one in found):
            raise ValidationError("Choose rows of the list.")
        return [int(one) for one in found]


class DecideManyForm(DecisionForm):
    chosen = IdsField(error_messages={"required": "Choose at least one completion of the list."})


class AttachForm(FilesForm):
    papers = KeptFileField(label="Files", kinds=PAPERS, many=True)


class KeepBothForm(forms.Form):
    first = forms.IntegerField(min_value=1, max_value=10**18)
    second = forms.IntegerField(min_value=1, max_value=10**18)
    #: the completion whose page asked; blank = the list
    back = forms.IntegerField(min_value=1, max_value=10**18, required=False)


class ReportForm(HoldingForm, TodayForm):
    """A course that a member reports for themselves. It always waits for somebody else."""

    officer = forms.ModelChoiceField(Officer.objects.none(), label="Your record at", empty_label=None)
    course = CourseField(label="Course")
    completed_on = day_field("Completed on", help_text="The day you finished it, as the certificate says.")
    provider = forms.CharField(label="Given by", max_length=200, help_text="The college, academy or agency.")
    certificate_number = forms.CharField(label="Certificate number", required=False, max_length=80)
    certificate_expires_on = day_field("Certificate expires on", required=False)
    paper = KeptFileField(label="Certificate", kinds=PAPERS, help_text="A scan or a photo of the whole page.")
    #: ids of completions like it that were shown: this is another
    is_another = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)

    def __init__(self, *args: Any, own: Sequence[Officer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["officer"]
        field.queryset = Officer.objects.filter(pk__in=[officer.pk for officer in own]).select_related("agency")
        field.label_from_instance = lambda officer: f"{officer.agency}, id {officer.employee_id}"
        if len(own) == 1:
            field.widget, field.initial = forms.HiddenInput(), own[0].pk
        self.fields["completed_on"].widget.attrs["max"] = self.today.isoformat()
        self.fields["paper"].required = not self.ticked

    def clean_completed_on(self) -> date | None:
        return check_past(self.cleaned_data["completed_on"], self.today, "The completion date")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        check_expiry(self)
        return values

    def proposal(self) -> Proposal:
        values = self.cleaned_data
        said = {name: values[name] for name in CERTIFICATE}
        return Proposal(course=values["course"], completed_on=values["completed_on"], evidence=Evidence.PENDING, **said)
