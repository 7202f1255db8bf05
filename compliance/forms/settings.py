"""Forms of an agency's settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from compliance.filters import checked
from compliance.forms.fields import StyledForm
from roster.models import Agency


class AgencyChoice(forms.Form):
    """Which agency the address names."""

    agency = forms.ModelChoiceField(Agency.objects.none(), to_field_name="code", required=False)

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField

    def chosen(self) -> Agency | None:
        found: Agency | None = checked(self).cleaned_data.get("agency")
        return found


class AgencyForm(StyledForm):
    """How an agency keeps its records. The names of the fields are those of the agency."""

    asks_two = forms.BooleanField(
        label="A second person accepts what is voided or corrected",
        required=False,
        help_text="Whoever voids or corrects a completion, or reopens a finished class, proposes it; somebody else"
        " accepts or refuses it. Imports, undoing them, and merging two records are one person's, shown before.",
    )
    near_days = forms.IntegerField(
        label="Days within which completions look like one",
        min_value=0,
        max_value=90,
        help_text="Two completions of one course by one member no further apart than this are shown to a person, who"
        " keeps both or voids one. 0: only those of the same day.",
    )

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.initial = getattr(agency, name)

    def values(self) -> dict[str, Any]:
        """Field of the agency -> what it is to be."""
        return {name: self.cleaned_data[name] for name in self.fields}
