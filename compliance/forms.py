"""Every form with which something is recorded. Each checks what a person typed; the functions it feeds decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q

from compliance.import_runs import NOTHING, Title
from compliance.log import Proposal
from compliance.sentences import day
from roster.access import READS_ALL, Viewer
from roster.models import Access, Agency, Assignment, Category, Officer, Rank, Role, Shift, Unit
from roster.plans import Import, ImportOptions
from roster.records import Place
from roster.tabular import Preview, fold_header
from training.models import Completion, Course, Evidence, Result

EARLIEST = date(1930, 1, 1)


class Styled(forms.BaseForm):
    """A form whose widgets carry Bootstrap's classes, and whose errors are known to screen readers."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
                widget.attrs.setdefault("class", "form-check-input")
            elif isinstance(widget, forms.Select):
                widget.attrs.setdefault("class", "form-select")
            elif not isinstance(widget, forms.HiddenInput):
                widget.attrs.setdefault("class", "form-control")

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                widget = self.fields[name].widget
                widget.attrs["class"] = f"{widget.attrs.get('class', '')} is-invalid".strip()

    def refuse(self, error: ValidationError) -> None:
        """Show why the record refused what the form held."""
        self.add_error(None, error)


class StyledForm(Styled, forms.Form):
    """The form that every form here is."""


class OwnPasswordForm(Styled, PasswordChangeForm):
    """Everybody's own password."""


def day_field(label: str, *, required: bool = True, help_text: str = "", **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": f"{label}: write the day as 2026-11-20."},
        **kwargs,
    )


def percent_field(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_value=Decimal(100), max_digits=5, decimal_places=2
    )


def check_past(value: date | None, today: date, what: str) -> date | None:
    """A day that is not in the future and not absurdly long ago."""
    if value is not None and value > today:
        raise ValidationError(f"{what} is in the future. Record it once it has happened.")
    if value is not None and value < EARLIEST:
        raise ValidationError(f"{what} lies before {EARLIEST.year}. Check the year.")
    return value


if TYPE_CHECKING:
    CourseChoice = forms.ModelChoiceField[Course]
else:
    CourseChoice = forms.ModelChoiceField


class CourseField(CourseChoice):
    """A course people chose to track; titles that an import met are not offered."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", "Choose a course")
        super().__init__(Course.objects.filter(same_as=None, is_from_title=False).order_by("title"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.title}, {obj.hours.normalize():f} h" if obj.hours else str(obj.title)


class LogForm(StyledForm):
    """One course and day, many members."""

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
    #: what was last looked up and shown, signed
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["completed_on"].widget.attrs["max"] = today.isoformat()

    def clean_completed_on(self) -> date | None:
        return check_past(self.cleaned_data["completed_on"], self.today, "The completion date")

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("course", "completed_on", "hours", "evidence", "people")]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("score", "attendance", "class_number")]

    @property
    def has_rare(self) -> bool:
        return any(field.value() or field.errors for field in self.rare_fields)

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
        )

    def _said(self) -> list[str]:
        values = self.cleaned_data
        names = ("completed_on", "hours", "evidence", "people", "score", "attendance", "class_number")
        return [str(values["course"].pk), *(str(values[name] or "") for name in names)]

    def seal(self, found: Iterable[int], offered: dict[int, list[int]]) -> str:
        """What is shown now, so that exactly it is recorded: the members found, and those offered on each line."""
        return signing.dumps(
            [self._said(), list(found), [[line, *pks] for line, pks in offered.items()]], compress=True
        )

    def sealed(self) -> tuple[list[int], dict[int, list[int]]] | None:
        """(members found, members offered by line) as last shown; None when the form has changed since."""
        try:
            said, found, offered = signing.loads(self.cleaned_data.get("shown", ""))
        except signing.BadSignature:
            return None
        if said != self._said():
            return None
        return found, {line: pks for line, *pks in offered}

    def picks(self) -> dict[int, int]:
        """Number of a line -> the member a person chose for it."""
        found: dict[int, int] = {}
        for name, value in self.data.items():
            line = name.removeprefix("pick-")
            if line != name and line.isdecimal() and str(value).isdecimal():
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
    certificate_number = forms.CharField(label="Certificate number", required=False, max_length=80)
    certificate_expires_on = day_field("Certificate expires on", required=False)
    lesson_plan = forms.CharField(label="Lesson plan", required=False, max_length=80)
    class_number = forms.CharField(label="Class number", required=False, max_length=80)
    why = forms.CharField(
        label="Why it is corrected",
        max_length=300,
        help_text="One sentence; it stays with the record.",
        error_messages={"required": "Say why: the reason stays with the record."},
    )

    FACTS = (
        "course",
        "completed_on",
        "hours",
        "score",
        "attendance",
        "result",
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
    why = forms.CharField(
        label="Why it is voided",
        max_length=300,
        help_text="One sentence; it stays with the record.",
        error_messages={"required": "Say why: the reason stays with the record."},
    )


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


class PlaceForm(StyledForm):
    """The part of a form that says unit, shift and rank."""

    unit = forms.ModelChoiceField(Unit.objects.none(), label="Unit", empty_label="Choose a unit")
    shift = forms.ModelChoiceField(Shift.objects.none(), label="Shift", required=False, empty_label="None")
    rank = forms.ModelChoiceField(Rank.objects.none(), label="Rank", required=False, empty_label="None")

    def offer(self, agencies: Iterable[int] | None, today: date) -> None:
        """Offer the units, shifts and ranks of these agencies (None = all); closed units are left out."""
        units = Unit.objects.filter(Q(closed_on=None) | Q(closed_on__gte=today)).order_by("name", "code")
        shifts, ranks = Shift.objects.order_by("order", "code"), Rank.objects.order_by("order", "code")
        if agencies is not None:
            wanted = list(agencies)
            units, shifts, ranks = (
                units.filter(agency__in=wanted),
                shifts.filter(agency__in=wanted),
                ranks.filter(agency__in=wanted),
            )
        for name, rows in (("unit", units), ("shift", shifts), ("rank", ranks)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined] # all three are ModelChoiceFields

    def place(self) -> Place | None:
        values = self.cleaned_data
        return Place(values["unit"], values["shift"], values["rank"]) if values["unit"] else None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        unit = values.get("unit")
        for name in ("shift", "rank"):
            if unit and values.get(name) and values[name].agency_id != unit.agency_id:
                self.add_error(name, f"This {name} belongs to another agency than the unit.")
        return values


class HireForm(PlaceForm):
    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", empty_label=None)
    employee_id = forms.CharField(label="Employee id", max_length=40)
    last_name = forms.CharField(label="Last name", max_length=100)
    first_name = forms.CharField(label="First name", max_length=100)
    middle_name = forms.CharField(label="Middle name", max_length=100, required=False)
    suffix = forms.CharField(label="Suffix", max_length=20, required=False)
    badge = forms.CharField(label="Badge", max_length=40, required=False)
    post_id = forms.CharField(label="State POST id", max_length=40, required=False)
    email = forms.EmailField(label="Email", required=False)
    hired_on = day_field("First day employed")
    category = forms.ChoiceField(label="Category", choices=Category.choices)
    again = forms.BooleanField(
        required=False, label="This member left and comes back: record the new employment under the same id"
    )

    DETAILS = ("employee_id", "last_name", "first_name", "middle_name", "suffix", "badge", "post_id", "email")
    field_order = ("agency", *DETAILS, "hired_on", "category", "unit", "shift", "rank", "again")

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = Agency.objects.order_by("name")
        if viewer.agencies is not None:
            agencies = agencies.filter(pk__in=viewer.agencies)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["unit"].required = False
        self.fields["unit"].empty_label = "None yet"  # type: ignore[attr-defined] # the same
        self.offer(viewer.agencies, viewer.today)
        self.today = viewer.today
        self.known: Officer | None = None
        if agencies.count() == 1:
            self.fields["agency"].widget = forms.HiddenInput()
            self.fields["agency"].initial = agencies.first()

    def clean_hired_on(self) -> date:
        return check_day(self.cleaned_data["hired_on"], self.today, "The first day")

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        agency, employee_id = values.get("agency"), values.get("employee_id")
        if values.get("unit") and agency and values["unit"].agency_id != agency.pk:
            self.add_error("unit", "This unit belongs to another agency.")
        if not values.get("unit") and (values.get("shift") or values.get("rank")):
            self.add_error("unit", "Choose the unit that the shift and rank belong to.")
        if agency and employee_id:
            self.known = Officer.objects.filter(agency=agency, employee_id__iexact=employee_id).first()
        if self.known and not values.get("again"):
            self.add_error(
                "employee_id",
                f"{self.known.full_name} has this id. If that is who comes back, tick the box below; "
                "if not, use another id.",
            )
        elif self.known and values.get("last_name", "").casefold() != self.known.last_name.casefold():
            self.add_error("last_name", f"The member with this id is {self.known.full_name}.")
        elif values.get("again") and agency and employee_id and not self.known:
            self.add_error("again", f"Nobody has had the id {employee_id}. Take the tick off to hire a new member.")
        return values

    def details(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.DETAILS}


def check_day(value: date, today: date, what: str) -> date:
    """A day neither absurdly long ago nor more than a year ahead."""
    if value < EARLIEST or (value - today).days > 366:
        raise ValidationError(f"{what}, {day(value)}, cannot be right. Check the year.")
    return value


class TransferForm(PlaceForm):
    start_on = day_field("First day there")
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, officer: Officer, last: Assignment | None, today: date, **kwargs: Any) -> None:
        initial = {"start_on": today, "seen": last.pk if last else None}
        if last is not None:
            initial |= {"unit": last.unit_id, "shift": last.shift_id, "rank": last.rank_id}
        super().__init__(*args, initial=initial, **kwargs)
        self.today = today
        self.offer([officer.agency_id], today)

    def clean_start_on(self) -> date:
        return check_day(self.cleaned_data["start_on"], self.today, "The first day")


class LeaveForm(StyledForm):
    kind = forms.CharField(
        label="Kind of leave",
        max_length=40,
        widget=forms.TextInput(attrs={"list": "leave-kinds", "autocomplete": "off"}),
        help_text="military, medical, parental, ... A kind only, never a reason.",
    )
    start_on = day_field("First day")
    end_on = day_field("Last day", required=False, help_text="Blank: the return is not known yet.")
    approval = forms.CharField(
        label="Approval reference", max_length=100, required=False, help_text="A number or memo, never a reason."
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_kind(self) -> str:
        return " ".join(self.cleaned_data["kind"].split()).lower()

    def clean_start_on(self) -> date:
        return check_day(self.cleaned_data["start_on"], self.today, "The first day")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start_on, end_on = values.get("start_on"), values.get("end_on")
        if start_on and end_on and end_on < start_on:
            self.add_error("end_on", "The last day is before the first day.")
        return values


class ReturnForm(StyledForm):
    back_on = day_field("First day back")
    leave = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_back_on(self) -> date:
        return check_day(self.cleaned_data["back_on"], self.today, "The day back")


class SeparateForm(StyledForm):
    last_day = day_field("Last day employed")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, initial={"last_day": today}, **kwargs)
        self.today = today

    def clean_last_day(self) -> date:
        return check_day(self.cleaned_data["last_day"], self.today, "The last day")


class NewUserForm(StyledForm):
    username = forms.CharField(label="User name", max_length=150, validators=[User.username_validator])
    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    email = forms.EmailField(label="Email", required=False)
    password = forms.CharField(
        label="Temporary password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 12 characters. They change it on their password page.",
    )

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("There is a user with this name already.")
        return username

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password"):
            user = User(**{name: values.get(name, "") for name in ("username", "first_name", "last_name", "email")})
            try:
                validate_password(values["password"], user)
            except ValidationError as error:
                self.add_error("password", error)
        return values

    def create(self) -> User:
        return User.objects.create_user(**self.cleaned_data)


class PasswordResetForm(StyledForm):
    password = forms.CharField(
        label="New temporary password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 12 characters.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"], self.user)
        return str(self.cleaned_data["password"])


class AccessForm(StyledForm):
    """One role and how far it reaches."""

    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *Role.choices])
    agency = forms.ModelChoiceField(
        Agency.objects.order_by("name"), label="Agency", required=False, empty_label="Every agency"
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        label="Unit",
        required=False,
        empty_label="None",
        help_text="For a commander: this unit and everything below it.",
    )
    officer = forms.CharField(
        label="Member's employee id",
        max_length=40,
        required=False,
        help_text="For the officer role: whose own record it opens.",
    )

    def __init__(self, *args: Any, user: User, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.viewer = user, viewer
        units, agencies = Unit.objects.order_by("name", "code"), Agency.objects.order_by("name")
        if viewer.agencies is not None:
            units, agencies = units.filter(agency__in=viewer.agencies), agencies.filter(pk__in=viewer.agencies)
            self.fields["agency"].empty_label = "Choose an agency"  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["unit"].queryset = units  # type: ignore[attr-defined] # the same
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # the same

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        role, unit, officer = values.get("role"), values.get("unit"), values.get("officer", "").strip()
        if role == Role.COMMANDER and not unit:
            self.add_error("unit", "A commander needs a unit: everything below it comes with it.")
        if role == Role.OFFICER and not officer:
            self.add_error("officer", "The officer role needs the member whose record it opens.")
        if role and role != Role.COMMANDER and unit:
            self.add_error("unit", "Only a commander is tied to a unit. Leave it out for this role.")
        if role and role != Role.OFFICER and officer:
            self.add_error("officer", "Only the officer role is tied to one member. Leave it out for this role.")
        if role in (Role.COMMANDER, Role.OFFICER) and values.get("agency"):
            self.add_error("agency", "The unit or member says the agency already. Leave it at every agency.")
        if self.viewer.agencies is not None and role in READS_ALL and not values.get("agency"):
            self.add_error("agency", "Choose the agency: you administer only some of them.")
        if officer and not self.errors:
            found = list(self.viewer.officers().filter(employee_id__iexact=officer)[:2])
            if not found:
                self.add_error("officer", "No member has this employee id.")
            elif len(found) > 1:
                self.add_error("officer", "Several agencies have a member with this id. Ask whoever runs the server.")
            else:
                values["member"] = found[0]
        return values

    def row(self) -> Access:
        values = self.cleaned_data
        return Access(
            user=self.user,
            role=values["role"],
            agency=values["agency"],
            unit=values["unit"],
            officer=values.get("member"),
        )


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
