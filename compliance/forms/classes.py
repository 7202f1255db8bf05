"""Forms that plan and change classes: what a class is, and the table of its blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from compliance.asking import parse_day
from compliance.class_access import agencies_to_run
from compliance.forms.fields import CourseField, StyledForm, TodayForm, check_day, day_field, why_field
from roster.access import Viewer
from roster.models import Agency
from roster.records import spoken
from training import classes, schedule
from training.classes import Details, Findings
from training.models import ClassSession, Instructor, LessonPlan, Meeting, Place, Topic
from training.schedule import Block, Layout

#: The furthest that a course of the most days reaches.
LONGEST_LAYOUT = timedelta(days=200)
#: More rows than any class has.
MOST_BLOCKS = 200


def time_field(label: str, *, required: bool = True, **kwargs: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=required,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": f"{label}: write the time as 08:30."},
        **kwargs,
    )


@dataclass(frozen=True)
class Offered:
    """What every row of a table of blocks may choose, by id. Read once for all rows."""

    topics: Mapping[str, Topic]
    places: Mapping[str, Place]
    instructors: Mapping[str, Instructor]

    def choices(self, name: str, blank: str) -> list[tuple[str, str]]:
        rows: Mapping[str, Topic | Place | Instructor] = getattr(self, name)
        return [("", blank), *((key, str(row)) for key, row in rows.items())]


def offer(agencies: Iterable[Agency], session: ClassSession | None = None) -> Offered:
    """Topics, and places and instructors of these agencies; retired ones where the class has them. Three queries."""
    wanted = list(agencies)
    in_use = Q(is_retired=False)
    places = Place.objects.filter(in_use | Q(meetings__session=session) if session else in_use, agency__in=wanted)
    teachers = Instructor.objects.filter(
        in_use | Q(teaching__meeting__session=session) if session else in_use, agency__in=wanted
    )
    by_name = sorted(teachers.select_related("officer").distinct(), key=lambda row: str(row).casefold())
    return Offered(
        {str(row.pk): row for row in Topic.objects.all()},
        {str(row.pk): row for row in places.distinct()},
        {str(row.pk): row for row in by_name},
    )


class SeveralSelects(forms.SelectMultiple):
    """One list of choice for each value and an empty one more: several may be chosen with the keyboard alone."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = [str(each) for each in value or [] if each]
        attrs = {**self.attrs, **(attrs or {})}
        label, first = attrs.pop("data-label", ""), attrs.pop("id", f"id_{name}")
        each = forms.Select(choices=self.choices)
        return format_html_join(
            "",
            "{}",
            (
                (
                    each.render(
                        name,
                        key,
                        {
                            **attrs,
                            "id": first if not index else f"{first}_{index}",
                            "aria-label": f"{label} {index + 1}",
                        },
                        renderer,
                    ),
                )
                for index, key in enumerate([*chosen, ""])
            ),
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in super().value_from_datadict(data, files, name) or [] if value]

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return id_


class BlockForm(StyledForm):
    """A row of the table of blocks. A row with neither day nor times nor words is left out."""

    use_required_attribute = False

    pk = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    day = day_field("Day", required=False)
    starts = time_field("Starts", required=False)
    ends = time_field("Ends", required=False)
    topic = forms.ChoiceField(label="Topic", required=False)
    title = forms.CharField(label="Title", required=False, max_length=200)
    place = forms.ChoiceField(label="Place", required=False)
    instructors = forms.MultipleChoiceField(label="Instructors", required=False, widget=SeveralSelects)
    gone = forms.BooleanField(label="Remove", required=False)

    def __init__(self, *args: Any, offered: Offered, number: int, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered, self.number, self.today = offered, number, today
        #: what speaks against the block, besides what is wrong with a field
        self.notes: list[str] = []
        self._block: Block | None = None
        for name, source, blank in (
            ("topic", "topics", "no topic"),
            ("place", "places", "no place"),
            ("instructors", "instructors", "nobody"),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - all three are
            field.choices = offered.choices(source, blank)
            field.error_messages["invalid_choice"] = f"{field.label}: choose one of the list."
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, block {number}"
        self.fields["instructors"].widget.attrs["data-label"] = f"Instructor of block {number}:"

    @property
    def is_blank(self) -> bool:
        values = self.cleaned_data
        return values["gone"] or not any(values[name] for name in ("pk", "day", "starts", "ends", "title"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors or self.is_blank:
            return values
        for name, what in (("day", "day"), ("starts", "time it starts"), ("ends", "time it ends")):
            if not values[name]:
                self.add_error(name, f"Give the {what}.")
        if self.errors:
            return values
        try:
            check_day(values["day"], self.today, "The day")
            starts_at, ends_at = schedule.span(values["day"], values["starts"], values["ends"])
        except ValidationError as error:
            self.add_error("ends", error)
            return values
        self._block = Block(
            starts_at,
            ends_at,
            self.offered.topics.get(values["topic"]),
            " ".join(values["title"].split()),
            self.offered.places.get(values["place"]),
            tuple(self.offered.instructors[key] for key in dict.fromkeys(values["instructors"])),
            values["pk"],
        )
        return values

    @property
    def block(self) -> Block | None:
        """The block of a valid row; None where it is left out or removed."""
        return self._block


class BlockTable:
    """The blocks of a class as rows to edit: filled in from blocks, or from what somebody sent."""

    def __init__(
        self,
        offered: Offered,
        *,
        today: date,
        data: MultiValueDict[str, str] | None = None,
        blocks: Sequence[Block] = (),
        spare: int = 0,
    ) -> None:
        self.data = data
        self.problems: list[str] = []
        #: what is odd about the blocks, and hinders nobody
        self.warnings: list[str] = []
        number = _rows_sent(data) if data is not None else len(blocks)
        self.rows = [
            BlockForm(
                # A row that is added to what was sent is empty, not wrong.
                data if data is not None and index < number else None,
                prefix=f"block-{index}",
                initial=_initial(blocks[index]) if data is None and index < len(blocks) else None,
                offered=offered,
                number=index + 1,
                today=today,
            )
            for index in range(min(number + spare, MOST_BLOCKS))
        ]
        #: the rows that hold a block, in the order of `blocks()`
        self._filled: list[BlockForm] = []

    @property
    def count(self) -> int:
        return len(self.rows)

    def is_valid(self) -> bool:
        for row in self.rows:
            row.full_clean()  # all of them, so that each shows what is wrong with it
        return not any(row.errors for row in self.rows)

    def blocks(self) -> list[Block]:
        """What the rows say, in their order; of a valid table."""
        self._filled = [row for row in self.rows if row.block is not None]
        return [row.block for row in self._filled if row.block is not None]

    def show(self, found: Findings) -> None:
        """Put each sentence at the row it is about; those about the class, and warnings, stand above the table."""
        self.warnings = found.warnings
        rows = self._filled or self.rows
        for index, sentence in found.refusals:
            (self.problems if index is None else rows[index].notes).append(sentence)

    @property
    def is_wrong(self) -> bool:
        return bool(self.problems) or any(row.errors or row.notes for row in self.rows)


def _rows_sent(data: MultiValueDict[str, str]) -> int:
    text = data.get("blocks", "")
    return min(int(text), MOST_BLOCKS) if text and text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _initial(block: Block) -> dict[str, Any]:
    return {
        "pk": block.pk,
        "day": block.day,
        "starts": timezone.localtime(block.starts_at).time(),
        "ends": timezone.localtime(block.ends_at).time(),
        "topic": str(block.topic.pk) if block.topic else "",
        "title": block.title,
        "place": str(block.place.pk) if block.place else "",
        "instructors": [str(one.pk) for one in block.instructors],
    }


def squeezed(text: str) -> str:
    """The text without spaces at its ends, and with one between words."""
    return " ".join(text.split())


class PlanForm(TodayForm):
    """What a class is, and how it is laid out over days."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label="Host agency", empty_label=None)
    course = CourseField(label="Course")
    number = forms.CharField(
        label="Class number", required=False, max_length=80, help_text="Blank: the next one of the course and year."
    )
    capacity = forms.IntegerField(label="Seats", min_value=1, max_value=1000, initial=30)
    place = forms.ChoiceField(label="Place", required=False)
    instructor = forms.ChoiceField(label="Instructor of every block", required=False)
    lesson_plan = forms.ChoiceField(
        label="Lesson plan", required=False, help_text="Blank: the newest in force on its days."
    )
    note = forms.CharField(label="Note", required=False, max_length=300)
    first_day = day_field("First day")
    days = forms.IntegerField(
        label="Days", required=False, min_value=1, max_value=60, help_text="Blank: days of eight hours."
    )
    starts = time_field("Each day starts", initial=time(8))
    lunch_at = time_field("Lunch at", initial=time(12))
    lunch_minutes = forms.IntegerField(
        label="Lunch, minutes", min_value=0, max_value=240, initial=60, help_text="0: no lunch."
    )
    not_on = forms.CharField(
        label="Not on these days",
        required=False,
        max_length=200,
        help_text="Left out, with commas: 2026-12-24, 2026-12-28.",
    )
    on_weekends = forms.BooleanField(label="Teach on weekends too", required=False)
    on_holidays = forms.BooleanField(label="Teach on federal holidays too", required=False)
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    what_fields = ("agency", "course", "number", "capacity", "place", "instructor", "lesson_plan", "note")
    day_fields = ("first_day", "days", "starts", "lunch_at", "lunch_minutes", "not_on", "on_weekends", "on_holidays")

    def __init__(self, *args: Any, viewer: Viewer, offered: Offered, **kwargs: Any) -> None:
        super().__init__(*args, today=viewer.today, **kwargs)
        self.offered = offered
        offer_agencies(self, agencies_to_run(viewer))
        _offer(self, "place", offered.choices("places", "No place yet"))
        _offer(self, "instructor", offered.choices("instructors", "Chosen block by block"))
        self.plans = {str(row.pk): row for row in LessonPlan.objects.filter(course__pk=_id_sent(self, "course"))}
        titles = [(key, f"{row}, from {row.start_on:%Y-%m-%d}") for key, row in self.plans.items()]
        _offer(self, "lesson_plan", [("", "The newest in force"), *titles])

    def group(self, names: Iterable[str]) -> list[forms.BoundField]:
        return [self[name] for name in names]

    def what(self) -> list[forms.BoundField]:
        return self.group(self.what_fields)

    def when(self) -> list[forms.BoundField]:
        return self.group(self.day_fields)

    def clean_first_day(self) -> date:
        return check_day(self.cleaned_data["first_day"], self.today, "The first day")

    def clean_not_on(self) -> frozenset[date]:
        try:
            return frozenset(map(parse_day, re.findall(r"[^,;\s]+", self.cleaned_data["not_on"])))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        day = values.get("first_day")
        if day is None:
            return values
        if day.weekday() >= 5 and not values.get("on_weekends"):
            said = f"{day:%A}s are not taught. Choose another first day, or teach on weekends too."
            self.add_error("first_day", said)
        elif day in values.get("not_on", ()):
            self.add_error("first_day", "This day is to be left out. Choose another first day.")
        elif name := self._holidays().get(day):
            said = f"{spoken(day)} is {name}. Choose another first day, or teach on federal holidays too."
            self.add_error("first_day", said)
        return values

    def _holidays(self) -> dict[date, str]:
        """The federal holidays on which this class is not taught."""
        first = self.cleaned_data["first_day"]
        return {} if self.cleaned_data.get("on_holidays") else schedule.holidays(first, first + LONGEST_LAYOUT)

    def left_out(self, blocks: Sequence[Block]) -> list[str]:
        """The days among those of these blocks that were left out: `26 Nov 2026 (Thanksgiving Day)`."""
        values = self.cleaned_data
        free = dict.fromkeys(values["not_on"], "as asked") | self._holidays()
        days = [block.day for block in blocks] or [values["first_day"]]
        return [
            f"{spoken(day)} ({why})"
            for day, why in sorted(free.items())
            if min(days) < day < max(days) and (day.weekday() < 5 or values["on_weekends"])
        ]

    def blocks(self) -> list[Block]:
        """The course laid out as asked; `ValidationError` with a sentence. One query."""
        values = self.cleaned_data
        names = ("first_day", "days", "starts", "lunch_at", "lunch_minutes", "on_weekends")
        without = {*values["not_on"], *self._holidays()}
        parts = classes.parts_of(values["course"])
        if not parts:
            raise ValidationError(
                "The course has no hours in the catalogue, so nothing is laid out. Add blocks by hand."
            )
        instructor = self.offered.instructors.get(values["instructor"])
        return schedule.lay_out(
            parts,
            Layout(**{name: values[name] for name in names}, without=without),
            place=self.chosen_place(),
            instructors=(instructor,) if instructor else (),
        )

    def chosen_place(self) -> Place | None:
        return self.offered.places.get(self.cleaned_data["place"])

    def details(self, blocks: Sequence[Block]) -> Details:
        """What the class shall be: the number and the lesson plan are found where they are left blank. Two queries."""
        values = self.cleaned_data
        agency, course = values["agency"], values["course"]
        days = [block.day for block in blocks] or [values["first_day"]]
        plan = self.plans.get(values["lesson_plan"])
        return Details(
            squeezed(values["number"]) or classes.propose_number(agency, course, min(days).year),
            values["capacity"],
            plan or classes.plans_in_force(course, min(days), max(days)).first(),
            self.chosen_place(),
            squeezed(values["note"]),
        )


def offer_agencies(form: StyledForm, agencies: QuerySet[Agency]) -> None:
    """Offer these agencies; where there is one only, nobody is asked. One query."""
    field = form.fields["agency"]
    field.queryset = agencies  # type: ignore[attr-defined] # a ModelChoiceField
    first = list(agencies[:2])
    if len(first) == 1:
        field.widget = forms.HiddenInput()
        form.initial.setdefault("agency", first[0].pk)


def _offer(form: StyledForm, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    field.choices = choices  # type: ignore[attr-defined] # a field of choice
    field.error_messages["invalid_choice"] = f"{field.label}: choose one of the list."


def _id_sent(form: forms.Form, name: str) -> int:
    """The id that was chosen before, or that the page began with; 0 for none."""
    value = form.data.get(name) if form.is_bound else form.initial.get(name)
    text = str(getattr(value, "pk", value))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


class SeenForm(StyledForm):
    """A form of a class: it carries what was seen of it."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class DetailsForm(SeenForm):
    number = forms.CharField(label="Class number", max_length=80)
    capacity = forms.IntegerField(label="Seats", min_value=1, max_value=1000)
    place = forms.ChoiceField(
        label="Place", required=False, help_text="Blocks that are in the place it has now move with it."
    )
    lesson_plan = forms.ChoiceField(label="Lesson plan", required=False)
    note = forms.CharField(label="Note", required=False, max_length=300)

    def __init__(self, *args: Any, session: ClassSession, offered: Offered, **kwargs: Any) -> None:
        initial = {
            "number": session.number,
            "capacity": session.capacity,
            "place": str(session.place_id or ""),
            "lesson_plan": str(session.lesson_plan_id or ""),
            "note": session.note,
            "seen": classes.version_of(session),
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.offered = offered
        self.plans = {str(row.pk): row for row in LessonPlan.objects.filter(course=session.course_id)}
        _offer(self, "place", offered.choices("places", "No place yet"))
        titles = [(key, f"{row}, from {row.start_on:%Y-%m-%d}") for key, row in self.plans.items()]
        _offer(self, "lesson_plan", [("", "None"), *titles])

    def details(self) -> Details:
        values = self.cleaned_data
        return Details(
            squeezed(values["number"]),
            values["capacity"],
            self.plans.get(values["lesson_plan"]),
            self.offered.places.get(values["place"]),
            squeezed(values["note"]),
        )


class BlocksForm(SeenForm):
    """What goes with the table of blocks."""

    why = forms.CharField(label="Why", required=False, max_length=300, help_text="It stays in the lines of the class.")


class MoveForm(SeenForm):
    days = forms.IntegerField(
        label="Calendar days", min_value=-366, max_value=366, help_text="7 is a week later, -2 two days earlier."
    )
    why = why_field(kept="in the lines of the class")

    def clean_days(self) -> int:
        days: int = self.cleaned_data["days"]
        if not days:
            raise ValidationError("Say by how many days.")
        return days


class CancelForm(StyledForm):
    why = why_field(kept="in the lines of the class")


class TimesForm(StyledForm):
    """When one block really began and ended, as clocks showed it."""

    use_required_attribute = False

    began = time_field("Began", required=False)
    ended = time_field("Ended", required=False)

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        initial = {
            "began": timezone.localtime(meeting.began_at).time() if meeting.began_at else None,
            "ended": timezone.localtime(meeting.ended_at).time() if meeting.ended_at else None,
        }
        super().__init__(*args, prefix=f"block-{meeting.pk}", initial=initial, **kwargs)
        self.meeting = meeting
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, {schedule.when(meeting.starts_at, meeting.ends_at)}"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and (values["began"] is None) != (values["ended"] is None):
            self.add_error("ended", "Give both times, or none.")
        return values

    def times(self) -> tuple[datetime, datetime] | None:
        """The moments nearest to the plan; `ValidationError` where the clock skips one."""
        values = self.cleaned_data
        if values["began"] is None:
            return None
        began_at = schedule.near(values["began"], self.meeting.starts_at)
        ended_at = schedule.near(values["ended"], self.meeting.ends_at)
        return began_at, ended_at


def real_times(rows: Sequence[TimesForm], *, as_planned: datetime | None) -> classes.RealTimes:
    """What the rows say; those left empty whose block was over by `as_planned` get its planned times."""
    found = {row.meeting.pk: row.times() for row in rows}
    for row in rows:
        if as_planned is not None and found[row.meeting.pk] is None and row.meeting.ends_at <= as_planned:
            found[row.meeting.pk] = (row.meeting.starts_at, row.meeting.ends_at)
    return found
