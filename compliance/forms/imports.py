"""Forms of the import: the file, its columns, the filter of the plan, and titles that need a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from compliance.forms.fields import StyledForm
from compliance.import_runs import NOTHING, Title
from compliance.near_members import Offer
from roster.access import Viewer
from roster.models import Agency, Officer
from roster.plans import Import, ImportOptions
from roster.tabular import Preview, fold_header
from training.models import Course
from training.titles import title_key

COUNTS_TOWARD_NOTHING = "counts toward nothing"
#: what the form says for a member who is none of ours
NOBODY = "-"


class UploadForm(StyledForm):
    """A file and what it holds."""

    kind = forms.ChoiceField(label="What it holds", required=False)
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
        megabytes = f"{settings.UPLOAD_MAX_BYTES / (1024 * 1024):.4g}"
        self.fields["file"].help_text = f"CSV, XLSX, XLS or ODS, up to {megabytes} MB."
        if is_too_large:  # the rest of it was not received
            said = f"The file is larger than {megabytes} MB. Split it and send the parts."
            self.fields["file"].error_messages["required"] = said
        self.fields["kind"].choices = [("", "look at its columns"), *kinds]  # type: ignore[attr-defined] # ChoiceField
        agencies = Agency.objects.order_by("name")
        if viewer.agencies is not None:
            agencies = agencies.filter(pk__in=viewer.agencies)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField
        first = list(agencies[:2])
        if len(first) == 1:
            self.fields["agency"].widget = forms.HiddenInput()
            self.fields["agency"].initial = first[0]


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
            members=self.before.members,
            sheet=self.before.sheet,
        )


class PartForm(forms.Form):
    """Which part of a long list is looked at."""

    q = forms.CharField(required=False, max_length=100, error_messages={"max_length": "q: at most 100 characters."})
    page = forms.IntegerField(
        required=False, min_value=1, error_messages={"invalid": "page: give a number, as in page=2."}
    )


class PlanFilterForm(PartForm):
    """Which rows of a plan are looked at."""

    show = forms.ChoiceField(
        required=False,
        choices=[(word, word) for word in ("", "new", "same", "changed", "rejected", "skipped", "warnings")],
        error_messages={"invalid_choice": "show: there are no rows of this kind. Choose one of the counts above."},
    )


def course_words(courses: Iterable[Course]) -> dict[str, Course | str]:
    """What a person may write for a course: its code, its title with the code, or its title where one has it."""
    found: dict[str, Course | str] = {title_key(word): NOTHING for word in (NOTHING, COUNTS_TOWARD_NOTHING)}
    titles: Counter[str] = Counter()
    for course in courses:
        found[title_key(course.code)] = found[title_key(offered_as(course))] = course
        found.setdefault(title_key(course.title), course)
        titles[title_key(course.title)] += 1
    return {key: course for key, course in found.items() if titles[key] < 2}


def offered_as(course: Course) -> str:
    """`CIT basic course (CIT-40)`: how lists offer a course to whoever searches."""
    return f"{course.title} ({course.code})"


def real_courses() -> list[Course]:
    """Courses that a title can be, by title."""
    return list(Course.objects.filter(same_as=None, is_from_title=False).order_by("title"))


class CourseWordField(forms.CharField):
    """A course by code or title, searched in the page's list `courses`, or that a title counts toward nothing."""

    def __init__(self, *, words: Mapping[str, Course | str], **kwargs: Any) -> None:
        widget = forms.TextInput(
            attrs={"list": "courses", "autocomplete": "off", "placeholder": "code or title", "class": "form-control"}
        )
        super().__init__(required=kwargs.pop("required", False), widget=widget, max_length=400, **kwargs)
        self._words = words

    def clean(self, value: Any) -> Any:
        text = title_key(str(super().clean(value)))
        if text and text not in self._words:
            raise ValidationError("No course has this code or title. Choose one from the list.")
        return self._words[text] if text else ""


class TitlesForm(StyledForm):
    """What the titles of a file are, one field for each, and one for all those left open on the page."""

    def __init__(self, *args: Any, titles: Iterable[Title], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.titles = list(titles)
        self.courses = real_courses()
        words = course_words(self.courses)
        for title in self.titles:
            self.fields[f"title-{title.number}"] = CourseWordField(words=words, label=title.title)
            # The list may have been made anew since: the choice names its title.
            self.fields[f"name-{title.number}"] = forms.CharField(
                required=False, initial=title.title, strip=False, widget=forms.HiddenInput
            )
        self.fields["rest"] = CourseWordField(words=words, label="All others on this page")

    @property
    def offered(self) -> list[str]:
        return [COUNTS_TOWARD_NOTHING, *map(offered_as, self.courses)]

    @property
    def rows(self) -> list[tuple[Title, forms.BoundField, forms.BoundField]]:
        return [(title, self[f"title-{title.number}"], self[f"name-{title.number}"]) for title in self.titles]

    def said(self) -> list[tuple[str, Course | str]]:
        """(title, course or "nothing") for each that was decided; `ValidationError` when the list changed."""
        decided: list[tuple[str, Course | str]] = []
        for title in self.titles:
            choice = self.cleaned_data[f"title-{title.number}"] or self.cleaned_data["rest"]
            if choice and self.cleaned_data[f"name-{title.number}"] != title.title:
                raise ValidationError("The plan was made again since you opened this page. Look at it first.")
            if choice:
                decided.append((title.title, choice))
        return decided


class TitleForm(StyledForm):
    """What one title is from now on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.courses = real_courses()
        self.fields["course"] = CourseWordField(words=course_words(self.courses), label="It is", required=True)

    @property
    def offered(self) -> list[str]:
        return [COUNTS_TOWARD_NOTHING, *map(offered_as, self.courses)]


class MembersForm(StyledForm):
    """Who the members are that a file names and nobody has, one choice for each."""

    def __init__(self, *args: Any, offers: Iterable[Offer], agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers, self.agency = list(offers), agency
        for place, offer in enumerate(self.offers):
            choices = [
                ("", "decide later"),
                *((one.employee_id, f"{one.employee_id} {one.name}") for one in offer.candidates),
                (NOBODY, "none of our members"),
            ]
            self.fields[f"who-{place}"] = forms.ChoiceField(
                label=f"“{offer.member.key}” is",
                required=False,
                choices=choices,
                widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
            )
            self.fields[f"other-{place}"] = forms.CharField(
                label="Another employee id",
                required=False,
                max_length=40,
                widget=forms.TextInput(attrs={"class": "form-control form-control-sm"}),
            )
            self.fields[f"key-{place}"] = forms.CharField(
                required=False, initial=offer.member.key, strip=False, widget=forms.HiddenInput
            )

    @property
    def rows(self) -> list[tuple[Offer, forms.BoundField, forms.BoundField, forms.BoundField]]:
        return [
            (offer, self[f"who-{place}"], self[f"other-{place}"], self[f"key-{place}"])
            for place, offer in enumerate(self.offers)
        ]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for place, offer in enumerate(self.offers):
            if other := values.get(f"other-{place}"):
                found = Officer.objects.filter(agency=self.agency, employee_id__iexact=other, merged_into=None).first()
                if found is None:
                    self.add_error(f"other-{place}", "No member has this employee id.")
                else:
                    values[f"who-{place}"] = found.employee_id
            if values.get(f"who-{place}") and values.get(f"key-{place}") != offer.member.key:
                raise ValidationError("The plan was made again since you opened this page. Look at it first.")
        return values

    def said(self) -> dict[str, str]:
        """Key -> employee id, blank for nobody, of those that were decided."""
        chosen = {offer.member.key: self.cleaned_data[f"who-{place}"] for place, offer in enumerate(self.offers)}
        return {key: "" if who == NOBODY else who for key, who in chosen.items() if who}


class UndoForm(StyledForm):
    """Why an import is undone, and what was shown of it."""

    why = forms.CharField(label="Why", max_length=300)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class AlsoForm(forms.Form):
    """Another kind that the same file is read as, or another sheet of it."""

    kind = forms.ChoiceField(required=False)
    sheet = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, kinds: Iterable[tuple[str, str]], sheets: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = list(kinds)  # type: ignore[attr-defined] # a ChoiceField
        self.fields["sheet"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined] # the same

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("kind") and not values.get("sheet"):
            raise ValidationError("Choose a kind or a sheet.")
        return values
