"""The forms that make a requirements file: one edition with everything it asks, or a file somebody sends.

A form only words the values as the file does; `requirements_file` and `requirements` say what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from compliance import requirements
from compliance.forms.fields import StyledForm, day_field
from compliance.models import Edition, Population, Requirement
from compliance.requirements import Withdrawal
from compliance.requirements_file import EDITION, POPULATION, Finding, Refused, Term, read, read_document
from compliance.requirements_toml import edition_table, to_toml
from roster.models import Category
from training.models import Course, Mode

#: The largest file that is read: thousands of editions.
MOST_BYTES = 1_000_000
A_NEW_ONE = "+"

CLOCKS = (
    ("once", "For good: one course is enough"),
    ("rolling", "A number of months from the day of the course"),
    ("calendar", "To the end of a calendar year"),
    ("cycle", "Fixed windows of months, one after another"),
    ("certificate", "As long as the certificate says"),
)
FIRST_DUES = (
    ("", "As is usual: days after joining; with fixed windows, the end of the window"),
    ("grace", "A number of days after joining"),
    ("year_end", "The end of the year of joining"),
    ("next_year_end", "The end of the year after joining"),
    ("window_end", "The end of the window of joining"),
    ("next_window_end", "The end of the next window"),
)
LEAVES = (
    ("none", "Nothing"),
    ("exclude", "The member is excused while it lasts"),
    ("toll", "It moves the date by its days"),
)
EARLY = (("restart", "From the day of the new course"), ("keep_anchor", "From the old last day, if close to it"))
HOURS_MODELS = (
    ("event", "Counted to the number, then again from nothing"),
    ("rolling", "Held at any time within the months below"),
)


class WordsField(forms.CharField):
    """Codes or citations, apart by commas or on lines of their own, as a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "help_text": "Several are set apart by commas.", **kwargs})

    def to_python(self, value: Any) -> Any:
        words = re.split(r"[,;\n]", value or "")
        return list(dict.fromkeys(word.strip() for word in words if word.strip()))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


def _number(label: str, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        help_text=help_text,
        error_messages={"invalid": f"{label}: write a whole number."},
    )


def _decimal(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, help_text=help_text, error_messages={"invalid": f"{label}: write a number."}
    )


def _flag(label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def _choice(label: str, choices: Iterable[tuple[str, str]], help_text: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), required=False, help_text=help_text)


def _several(label: str, choices: Iterable[tuple[str, str]], help_text: str = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=list(choices),
        required=False,
        help_text=help_text,
        widget=forms.SelectMultiple(attrs={"size": "6"}),
    )


MORE = "Hold Ctrl to choose several."
STAYS = "This edition has begun, so its first day stays."
MOVES = "This edition has not begun: another day to come moves it there."
EMPTY_ASKS = "Empty asks nothing."

#: The fields in the groups that the page shows: title, what it says, and the names of the fields.
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("When", "The days on which this edition decides.", ("effective_from", "effective_to")),
    ("Who", "The members who must.", ("population",)),
    (
        "What counts",
        "Courses, and how much of them.",
        (
            "entry_courses",
            "refresher_courses",
            "refresher_stands_alone",
            "refresher_min_tenure_months",
            "min_hours",
            "refresher_min_hours",
            "min_block_hours",
            "min_score",
            "min_attendance",
            "modes",
        ),
    ),
    (
        "How long it lasts",
        "Until when a course carries.",
        (
            "clock",
            "months",
            "years",
            "cycle_start",
            "early",
            "keep_anchor_days",
            "recert_courses",
            "recert_before_days",
            "recert_after_days",
            "break_months",
        ),
    ),
    ("First due", "When somebody who joins must be current.", ("first_due", "entry_grace_days", "entry_due_on")),
    ("Leave", "What leave does.", ("leave", "leave_kinds", "leave_min_days", "return_grace_days")),
    (
        "Hours added up",
        "Only where a number of hours is asked, from several courses together.",
        ("hours", "hours_model", "hours_window_months"),
    ),
)
NEW_POPULATION = (
    "new_code",
    "new_title",
    "categories",
    "functions",
    "units",
    "ranks",
    "shifts",
    "designations",
    "voluntary_only",
    "min_service_months",
    "acting_counts",
)


class EditionForm(StyledForm):
    """One edition of a requirement, and the requirement itself where it is new; `content` is the file it makes."""

    code = forms.CharField(label="Code", max_length=80, help_text="Short, for files and addresses: cit-refresher.")
    title = forms.CharField(label="Title", max_length=200)
    citations = WordsField(label="Citations", help_text="Numbers only, set apart by commas: CALEA 41.2.7.")

    effective_from = day_field("First day in force")
    effective_to = day_field("Last day in force", required=False, help_text="Empty: until the next edition begins.")

    population = forms.ChoiceField(label="Population")
    new_code = forms.CharField(label="Code of the new population", max_length=80, required=False)
    new_title = forms.CharField(label="Title of the new population", max_length=200, required=False)
    categories = _several("Categories", Category.choices, f"{EMPTY_ASKS} {MORE}")
    functions = WordsField(label="Functions of the home unit", help_text=f"patrol, for one. {EMPTY_ASKS}")
    units = WordsField(label="Units, by code", help_text=f"With everything below them. {EMPTY_ASKS}")
    ranks = WordsField(label="Ranks", help_text=EMPTY_ASKS)
    shifts = WordsField(label="Shifts", help_text=EMPTY_ASKS)
    designations = WordsField(label="Designations", help_text=f"Any one of them. {EMPTY_ASKS}")
    voluntary_only = _flag("Only designations taken up voluntarily")
    min_service_months = _number("Months of service before it asks")
    acting_counts = _flag("An acting rank is the rank while it lasts")

    entry_courses = _several("Entry courses", (), f"Any one of them. Empty: no entry course is asked. {MORE}")
    refresher_courses = _several("Refresher courses", (), f"Besides the entry courses, which always refresh. {MORE}")
    refresher_stands_alone = _flag("A refresher counts without an entry course before it")
    refresher_min_tenure_months = _number("Months after the entry course before a refresher counts")
    min_hours = _decimal("Least hours of an entry course")
    refresher_min_hours = _decimal("Least hours of a refresher")
    min_block_hours = _decimal("Least hours of any block", "Shorter ones count for nothing.")
    min_score = _decimal("Least score")
    min_attendance = _decimal("Least attendance, in percent")
    modes = _several("Ways of teaching that count", Mode.choices, f"Empty: any. {MORE}")

    clock = _choice("How long a course carries", CLOCKS)
    months = _number("Months", "From the day, of a window, or of a certificate that names no last day.")
    years = _number("Calendar years")
    cycle_start = day_field("First day of the first window", required=False)
    early = _choice("A course taken early counts", EARLY)
    keep_anchor_days = _number("Close is at most this many days before")
    recert_courses = _several("Short recertification courses", (), f"With certificates only. {MORE}")
    recert_before_days = _number("Days before the last day on which one counts")
    recert_after_days = _number("Days after it on which one still counts")
    break_months = _number("Months away after which what was earned is lost", "0: never.")

    first_due = _choice("First due", FIRST_DUES)
    entry_grace_days = _number("Days after joining")
    entry_due_on = day_field("Not before", required=False)

    leave = _choice("What leave does", LEAVES)
    leave_kinds = WordsField(label="Kinds of leave", help_text="Empty: every kind.")
    leave_min_days = _number("Least days of a leave that counts")
    return_grace_days = _number("Days to catch up after it")

    hours = _decimal("Hours asked", "0: hours are not added up.")
    hours_model = _choice("How they are added up", HOURS_MODELS)
    hours_window_months = _number("Within so many months", "0: no limit, for hours counted to the number.")

    def __init__(
        self, *args: Any, requirement: Requirement | None, edition: Edition | None, today: date, **kwargs: Any
    ) -> None:
        """`requirement` None makes a new one; `edition` None adds one to it."""
        super().__init__(*args, **kwargs)
        self.requirement, self.edition, self.today = requirement, edition, today
        self.content = ""
        #: what is odd about it, though it loads
        self.warnings: list[str] = []
        if requirement is not None:
            for name in ("code", "title", "citations"):
                del self.fields[name]
        if edition is not None:
            is_begun = edition.effective_from <= today
            self.fields["effective_from"].disabled = is_begun
            self.fields["effective_from"].help_text = STAYS if is_begun else MOVES
        populations = [(row.code, f"{row.title} ({row.code})") for row in Population.objects.order_by("title")]
        self._choices(
            "population", [("", "Choose a population"), *populations, (A_NEW_ONE, "A new one, described below")]
        )
        listed = Q(same_as=None, is_from_title=False) | Q(entry_of__isnull=False) | Q(refresher_of__isnull=False)
        courses = Course.objects.filter(listed | Q(recert_of__isnull=False)).distinct().order_by("code")
        for key in requirements.COURSE_LISTS:
            self._choices(key, [(course.code, f"{course.code}: {course.title}") for course in courses])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def groups(self) -> Iterator[tuple[str, str, list[forms.BoundField]]]:
        for title, words, names in GROUPS:
            yield title, words, [self[name] for name in names]

    @property
    def about(self) -> list[forms.BoundField]:
        """What a new requirement is called."""
        return [self[name] for name in ("code", "title", "citations") if name in self.fields]

    @property
    def new_population(self) -> list[forms.BoundField]:
        return [self[name] for name in NEW_POPULATION]

    @property
    def describes_population(self) -> bool:
        return bool(self["population"].value() == A_NEW_ONE)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        if self.errors:
            return values
        document = self._document(values)
        try:
            proposal = requirements.propose(read_document(document), today=self.today, withdrawal=self.withdrawal)
        except Refused as error:
            for finding in error.findings:
                self._place(finding)
        else:
            self.content = to_toml(document)
            self.warnings = proposal.loaded.warnings
        return values

    @property
    def withdrawal(self) -> Withdrawal | None:
        """The first day that an edition to come no longer has; None where it keeps it."""
        start: date = self.cleaned_data["effective_from"]
        if self.edition is None or self.edition.effective_from == start:
            return None
        return Withdrawal(self.edition.requirement.code, self.edition.effective_from, start)

    def _document(self, values: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """The requirements file that these values make."""
        document: dict[str, list[dict[str, Any]]] = {}
        edition = {key: _as_written(values[key]) for key in EDITION if values.get(key) not in (None, "", [], False)}
        if values["population"] == A_NEW_ONE:
            asked = {
                key: _as_written(values[key]) for key in POPULATION if values.get(key) not in (None, "", [], False)
            }
            named = {"code": values["new_code"], "title": values["new_title"] or values["new_code"]}
            document["population"] = [{**asked, **named}]
            edition["population"] = values["new_code"]
        if self.requirement is None:
            about = {key: values[key] for key in ("code", "title", "citations")}
        else:
            about = {"code": self.requirement.code}
        document["requirement"] = [{**about, "edition": [edition]}]
        return document

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).strip()
        if Requirement.objects.filter(code__iexact=code).exists():
            raise ValidationError(
                "There is a requirement with this code. Add an edition to it, or choose another code."
            )
        return code

    def clean_new_code(self) -> str:
        code = str(self.cleaned_data["new_code"]).strip()
        if self.data.get("population") != A_NEW_ONE:
            return code
        if not code:
            raise ValidationError("Give the new population a code.")
        if Population.objects.filter(code=code).exists():
            raise ValidationError("There is a population with this code. Choose it above, or give another code.")
        return code

    def clean_effective_from(self) -> date:
        start: date = self.cleaned_data["effective_from"]
        if self.requirement is None or (self.edition is not None and self.edition.effective_from == start):
            return start
        if Edition.objects.filter(requirement=self.requirement, effective_from=start).exists():
            raise ValidationError("There is an edition from this day. Change that one, or choose another day.")
        return start

    def _place(self, finding: str) -> None:
        """Show a finding beside the field that it is about, in one sentence."""
        start: date | None = self.cleaned_data.get("effective_from")
        name = ""
        if isinstance(finding, Finding):
            name = "effective_from" if _other_edition(finding, start) else _field_of(finding)
        self.add_error(name if name in self.fields else None, in_words(finding, start))


def _as_written(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _field_of(finding: Finding) -> str:
    """The field of the form that a key is written in."""
    if finding.table.startswith("population "):
        return {"code": "new_code", "title": "new_title"}.get(finding.key, finding.key)
    return finding.key


def _other_edition(finding: Finding, start: date | None) -> str:
    """The first day of the edition that a finding is about, unless that is the one from `start`; else blank."""
    _, is_edition, begins = finding.table.rpartition(", edition ")
    return begins if is_edition and start is not None and begins != str(start) else ""


def in_words(finding: str, start: date | None = None) -> str:
    """A finding or a warning as a page says it: keys and values by the labels and choices of the form's fields.

    One about another edition than that from `start` names the edition.
    """
    if not isinstance(finding, Finding):
        return f"{finding[:1].upper()}{finding[1:]}."
    why = finding.why(_word)
    if other := _other_edition(finding, start):
        return f"The edition from {other} {why}."
    label = EditionForm.base_fields[name].label if (name := _field_of(finding)) in EditionForm.base_fields else ""
    return f"{label}: {why}." if label else f"{finding}."


def _word(term: Term) -> str:
    """The label of a key's field, the words of a value's choice."""
    field = EditionForm.base_fields[term.key]
    if not term.value:
        return f'"{field.label}"'
    choices = {str(value): str(words) for value, words in getattr(field, "choices", ())}
    return f'"{choices.get(term.value, term.value)}"'


def initial_of(edition: Edition, *, as_new: bool) -> dict[str, Any]:
    """What the form shows of an edition; of one that the next is made from, everything but its days."""
    found = edition_table(edition)
    if as_new:
        found.pop("effective_from")
        found.pop("effective_to", None)
    return found


def initial_of_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the form showed when it made this file."""
    (requirement,) = document["requirement"]
    found = {key: value for key, value in requirement.items() if key != "edition"}
    for edition in requirement.get("edition", ()):
        found |= edition
    for population in document.get("population", ()):
        found |= {key: value for key, value in population.items() if key not in ("code", "title")}
        found |= {"population": A_NEW_ONE, "new_code": population["code"], "new_title": population["title"]}
    return found


class RulesFileForm(StyledForm):
    """A requirements file that somebody sends."""

    file = forms.FileField(
        label="Requirements file",
        help_text="TOML, as the export gives it.",
        widget=forms.ClearableFileInput(attrs={"accept": ".toml,.txt"}),
        error_messages={"empty": "The file is empty.", "required": "Choose a file."},
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_file(self) -> str:
        """Its text, once every table of it can be loaded."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(f"The file has {file.size:,} bytes; {MOST_BYTES:,} are read at most.")
        content: bytes = file.read()
        try:
            requirements.propose(read(content), today=self.today)
        except Refused as error:
            raise ValidationError([f"{finding}." for finding in error.findings]) from None
        return content.decode("utf-8-sig")


class PreviewActForm(StyledForm):
    """What is done with a preview: counted on another day, made again, or put in force."""

    act = forms.ChoiceField(choices=[("again", "again"), ("change", "change")])
    on = day_field("Count on another day, too", required=False)


class PreviewLinkForm(StyledForm):
    """The preview whose values a form takes up again."""

    preview = forms.UUIDField(required=False)
