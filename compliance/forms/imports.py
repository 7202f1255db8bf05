"""Forms of the import: the file, its columns, the filter of the plan, and titles that need a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from compliance.forms.fields import StyledForm
from compliance.import_runs import NOTHING, Title
from roster.access import Viewer
from roster.models import Agency
from roster.plans import Import, ImportOptions
from roster.tabular import Preview, fold_header
from training.models import Course


class UploadForm(StyledForm):
    """A file and what it holds."""

    kind = forms.ChoiceField(label="What it holds")
    file = forms.FileField(
        label="File",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.xlsm,.xls,.ods"}),
        error_messages={"empty": "The file is empty.", "required": "Choose a file."},
    )
    source = forms.CharField(
        label="Where it comes from",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "sources", "autocomplete": "off"}),
        help_text="A name such as “City HR export”: columns and titles mapped for it are remembered.",
    )
    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", empty_label=None)

    def __init__(
        self,
        *args: Any,
        viewer: Viewer,
        kinds: Iterable[tuple[str, str]],
        is_too_large: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        megabytes = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
        self.fields["file"].help_text = f"CSV, XLSX, XLS or ODS, up to {megabytes} MB."
        if is_too_large:  # the rest of it was not received
            said = f"The file is larger than {megabytes} MB. Split it and send the parts."
            self.fields["file"].error_messages["required"] = said
        self.fields["kind"].choices = [("", "Choose what the file holds"), *kinds]  # type: ignore[attr-defined] # ChoiceField
        agencies = Agency.objects.order_by("name")
        if viewer.agencies is not None:
            agencies = agencies.filter(pk__in=viewer.agencies)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField
        if agencies.count() == 1:
            self.fields["agency"].widget = forms.HiddenInput()
            self.fields["agency"].initial = agencies.first()


class ColumnsForm(StyledForm):
    """Which column of a file is which of ours, and how to read it."""

    match = forms.ChoiceField(
        label="Members are found by",
        required=False,
        choices=[
            ("", "employee id"),
            ("post_id", "state POST id"),
            ("badge", "badge"),
            ("email", "email"),
            ("last_name,first_name", "last and first name"),
            ("last_name,first_name,hired_on", "last name, first name and day hired"),
        ],
    )
    unknown_course = forms.ChoiceField(
        label="Course titles nobody mapped",
        choices=[
            ("reject", "wait for a person"),
            ("create", "become courses that count toward nothing"),
            ("skip", "are left out"),
        ],
    )
    date_format = forms.ChoiceField(
        label="Dates are written",
        required=False,
        choices=[
            ("", "2026-11-20 or 11/20/2026"),
            ("%d/%m/%Y", "20/11/2026"),
            ("%d.%m.%Y", "20.11.2026"),
            ("%d-%b-%Y", "20-Nov-2026"),
            ("%m-%d-%Y", "11-20-2026"),
            ("%Y%m%d", "20261120"),
        ],
    )

    def __init__(self, *args: Any, found: Preview, kind: type[Import], options: ImportOptions, **kwargs: Any) -> None:
        initial = {
            "match": ",".join(options.match),
            "unknown_course": options.unknown_course,
            "date_format": options.date_format,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.found, self.before = found, options
        if not kind.finds_members:
            del self.fields["match"]
        if not any(column.name == "course" for column in kind.columns) or kind.kind != "completions":
            del self.fields["unknown_course"]
        known = {column.name for column in kind.columns}
        choices = [(column.name, column.title or column.name) for column in kind.columns]
        for place, header in enumerate(found.headers):
            if not header:
                continue
            own = fold_header(header)
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=header,
                required=False,
                # A column with our own name is always read: there is no "not used" for it.
                choices=choices if own in known else [("", "not used"), *choices],
                initial=options.mapping.get(header) or (own if own in known else ""),
                widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
            )

    @property
    def columns(self) -> list[tuple[forms.BoundField, list[str]]]:
        """The field of each column, with what its first rows hold."""
        return [
            (self[f"column-{place}"], [row[place] for row in self.found.rows[:3] if place < len(row) and row[place]])
            for place, header in enumerate(self.found.headers)
            if header
        ]

    @property
    def settings_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("match", "unknown_course", "date_format") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        taken: dict[str, str] = {}
        for place, header in enumerate(self.found.headers):
            ours = values.get(f"column-{place}")
            if ours and ours in taken:
                self.add_error(f"column-{place}", f"“{taken[ours]}” is read as this already. Choose one of the two.")
            elif ours:
                taken[ours] = header
        return values

    def options(self) -> ImportOptions:
        values = self.cleaned_data
        mapping = {
            header: values[f"column-{place}"]
            for place, header in enumerate(self.found.headers)
            if values.get(f"column-{place}")
        }
        return ImportOptions(
            mapping=mapping,
            match=tuple(part for part in values.get("match", "").split(",") if part),
            unknown_course=values.get("unknown_course") or "reject",
            source=self.before.source,
            date_format=values["date_format"],
        )


class PlanFilterForm(forms.Form):
    show = forms.ChoiceField(
        required=False,
        choices=[(word, word) for word in ("", "new", "same", "changed", "rejected", "skipped", "warnings")],
        error_messages={"invalid_choice": "show: there are no rows of this kind. Choose one of the counts above."},
    )
    page = forms.IntegerField(
        required=False, min_value=1, error_messages={"invalid": "page: give a number, as in page=2."}
    )


class TitlesForm(StyledForm):
    """What the titles of a file are, one choice for each."""

    def __init__(self, *args: Any, titles: Iterable[Title], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.titles = list(titles)
        courses = Course.objects.filter(same_as=None, is_from_title=False).order_by("title")
        self.courses = {str(course.pk): course for course in courses}
        choices = [
            ("", "decide later"),
            (NOTHING, "counts toward nothing"),
            *((key, course.title) for key, course in self.courses.items()),
        ]
        for title in self.titles:
            self.fields[f"title-{title.number}"] = forms.ChoiceField(
                label=title.title, required=False, choices=choices, widget=forms.Select(attrs={"class": "form-select"})
            )
            # The list may have been made anew since: the choice names its title.
            self.fields[f"name-{title.number}"] = forms.CharField(
                required=False, initial=title.title, strip=False, widget=forms.HiddenInput
            )

    @property
    def rows(self) -> list[tuple[Title, forms.BoundField, forms.BoundField]]:
        return [(title, self[f"title-{title.number}"], self[f"name-{title.number}"]) for title in self.titles]

    def said(self) -> list[tuple[str, Course | str]]:
        """(title, course or "nothing") for each that was decided; `ValidationError` when the list changed."""
        decided: list[tuple[str, Course | str]] = []
        for title in self.titles:
            choice = self.cleaned_data[f"title-{title.number}"]
            if choice and self.cleaned_data[f"name-{title.number}"] != title.title:
                raise ValidationError("The plan was made again since you opened this page. Look at it first.")
            if choice:
                decided.append((title.title, self.courses.get(choice, choice)))
        return decided
