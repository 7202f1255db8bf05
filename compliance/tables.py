"""The lists of the reading pages, as declarations: what a column shows on the page and what it gives a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import django_tables2 as tables
from django.db.models import Case, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.asking import Asked
from compliance.models import Explanation, Standing
from compliance.sentences import day
from compliance.templatetags.shown import duration, state_badge
from roster.access import Viewer
from roster.models import Officer, Shift
from training.models import Course

NUMBER = {"th": {"class": "number"}, "td": {"class": "number"}}
NUMBER_NOT_NARROW = {"th": {"class": "number narrow-hide"}, "td": {"class": "number narrow-hide"}}
ON_WIDE = {"th": {"class": "medium-hide"}, "td": {"class": "medium-hide"}}
NOT_NARROW = {"th": {"class": "narrow-hide"}, "td": {"class": "narrow-hide"}}


class AskedTable(tables.Table):  # type: ignore[misc] # the library has no types
    """A table that knows the question it answers and which members the viewer may open."""

    caption = ""
    show_caption = True

    def __init__(self, data: Any, *, asked: Asked, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.asked, self.viewer = asked, viewer
        self._reach: set[int] | None = None

    def officers_shown(self) -> Iterable[Officer]:
        """The members on the page shown."""
        return [row.record.officer for row in self.paginated_rows]

    def open_to_viewer(self, more: Iterable[Officer] = ()) -> set[int]:
        """Those whose page the viewer may open, of the members shown and `more`, which the first call may name."""
        if self._reach is None:
            self._reach = self.viewer.openable([*self.officers_shown(), *more])
        return self._reach

    def name_of(self, officer: Officer) -> SafeString:
        """The name, as a link when the viewer may open the member's page. At most one query for a page of rows."""
        if not (self.viewer.reads_everything or officer.pk in self.open_to_viewer()):
            return format_html("{}", officer.listed_name)
        url = self.asked.link(reverse("officer-detail", args=[officer.employee_id]))
        return format_html('<a href="{}">{}</a>', url, officer.listed_name)

    def due(self, due_on: date | None) -> str:
        return day(due_on) if due_on else ""


class StandingTable(AskedTable):
    """Members under one or several requirements on a day."""

    employee_id = tables.Column(accessor="officer__employee_id", verbose_name="Id", attrs=NOT_NARROW)
    name = tables.Column(
        accessor="officer__last_name",
        verbose_name="Officer",
        order_by=("officer__last_name", "officer__first_name", "officer__employee_id"),
    )
    requirement = tables.Column(
        accessor="requirement__title", verbose_name="Requirement", order_by="requirement__order", attrs=ON_WIDE
    )
    unit = tables.Column(
        accessor="unit__name", verbose_name="Unit", order_by=("unit__code", "officer__last_name"), attrs=NOT_NARROW
    )
    shift = tables.Column(
        accessor="shift__code", verbose_name="Shift", order_by=("shift__order", "shift__code"), attrs=ON_WIDE
    )
    rank = tables.Column(
        accessor="rank__code", verbose_name="Rank", order_by=("rank__order", "rank__code"), attrs=ON_WIDE
    )
    state = tables.Column(verbose_name="State")
    due_on = tables.Column(verbose_name="Due", attrs={"td": {"class": "narrow"}})
    last_credit = tables.Column(accessor="basis__completed_on", verbose_name="Rests on", attrs=ON_WIDE, empty_values=())

    class Meta:
        fields: tuple[str, ...] = ()
        sequence: tuple[str, ...] = (
            *("name", "employee_id", "requirement", "unit", "shift", "rank", "state", "due_on"),
            "last_credit",
        )
        default = "–"
        order_by = ("name",)

    def render_name(self, record: Standing) -> SafeString:
        return self.name_of(record.officer)

    def value_name(self, record: Standing) -> str:
        return record.officer.listed_name

    def render_state(self, record: Standing) -> SafeString:
        words = ""
        if record.state == "overdue" and record.due_on:
            words = f"overdue {duration((self.asked.as_of - record.due_on).days)}"
        return state_badge(record.state, words)

    def value_state(self, record: Standing) -> str:
        return str(record.state)

    def render_due_on(self, record: Standing) -> str:
        return self.due(record.due_on) or "–"

    def value_due_on(self, record: Standing) -> date | None:
        return record.due_on

    def render_last_credit(self, record: Standing) -> str:
        if record.basis is None:
            return "no credit"
        return f"{record.basis.course.title}, {day(record.basis.completed_on)}"

    def value_last_credit(self, record: Standing) -> date | None:
        return record.basis.completed_on if record.basis else None

    def order_due_on(self, queryset: QuerySet[Standing], is_descending: bool) -> tuple[QuerySet[Standing], bool]:
        """No due date sorts last, whichever way."""
        due = F("due_on").desc(nulls_last=True) if is_descending else F("due_on").asc(nulls_last=True)
        return queryset.order_by(due, "officer__last_name", "officer__employee_id"), True


class UnitTable(StandingTable):
    """The members of a unit's own view: those at home there, and those with a secondary assignment there."""

    seen_as = tables.Column(accessor="officer_id", verbose_name="Assignment", attrs=NOT_NARROW)
    shift = tables.Column(accessor="seen_shift_id", verbose_name="Shift", attrs=ON_WIDE)

    class Meta(StandingTable.Meta):
        sequence = (
            *("name", "employee_id", "requirement", "unit", "seen_as", "shift", "rank", "state", "due_on"),
            "last_credit",
        )

    def __init__(self, *args: Any, homes: Mapping[int, str], shifts: Mapping[int, Shift], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.homes, self.shifts = homes, shifts

    def render_shift(self, value: int) -> str:
        return self.shifts[value].code

    def value_shift(self, value: int | None) -> str:
        return self.shifts[value].code if value else ""

    def order_shift(self, queryset: QuerySet[Standing], is_descending: bool) -> tuple[QuerySet[Standing], bool]:
        """By the shift shown: of secondary members that of their assignment here. No shift sorts last."""
        ordered = sorted(self.shifts.values(), key=lambda shift: (shift.order, shift.code))
        places = [When(seen_shift_id=shift.pk, then=Value(place)) for place, shift in enumerate(ordered)]
        place = Case(*places, output_field=IntegerField())
        by_place = place.desc(nulls_last=True) if is_descending else place.asc(nulls_last=True)
        return queryset.order_by(by_place, "officer__last_name", "officer__employee_id"), True

    def render_seen_as(self, record: Standing) -> str:
        home = self.homes.get(record.officer_id)
        return f"secondary, {home}" if home else "home"

    def render_name(self, record: Standing) -> SafeString:
        """The mark stands under the name where the column of assignments has no room."""
        name = super().render_name(record)
        home = self.homes.get(record.officer_id)
        if home is None:
            return name
        return format_html('{}<span class="quiet small d-block wide-hide">secondary, {}</span>', name, home)


def standing_rows(rows: Any) -> Any:
    """Standings with everything a row of `StandingTable` prints. One query."""
    return rows.select_related("officer", "requirement", "unit", "shift", "rank", "basis__course")


class OverdueTable(StandingTable):
    """Members who are overdue, each with the latest explanation."""

    explanation = tables.Column(verbose_name="Explanation", attrs=NOT_NARROW)

    class Meta(StandingTable.Meta):
        sequence = (*StandingTable.Meta.sequence, "explanation")


def with_explanation(rows: Any, asked: Asked) -> Any:
    """Overdue standings, each with the latest `explanation` of its missed date; within the same query."""
    said = Explanation.objects.known(asked.known_at).filter(
        officer=OuterRef("officer"),
        requirement=OuterRef("requirement"),
        late_from__gt=OuterRef("due_on"),
        late_from__lte=asked.as_of,
    )
    return rows.annotate(explanation=Subquery(said.order_by("-pk").values("text")[:1]))


class OfficerTable(AskedTable):
    """Members with where they are on the day asked and how many requirements they are behind on."""

    name = tables.Column(
        accessor="last_name", verbose_name="Officer", order_by=("last_name", "first_name", "employee_id")
    )
    employee_id = tables.Column(verbose_name="Id")
    badge = tables.Column(attrs=ON_WIDE)
    unit = tables.Column(accessor="unit_name", attrs=NOT_NARROW)
    shift = tables.Column(accessor="shift_code", attrs=ON_WIDE)
    rank = tables.Column(accessor="rank_code", attrs=ON_WIDE)
    overdue = tables.Column(accessor="overdue_count", attrs=NUMBER)
    in_grace = tables.Column(
        accessor="in_grace_count", attrs={"th": {"class": "number narrow-hide"}, "td": {"class": "number narrow-hide"}}
    )
    next_due = tables.Column(accessor="next_due_on", verbose_name="Next due", attrs={"td": {"class": "narrow"}})

    class Meta:
        model = Officer
        fields: tuple[str, ...] = ()
        sequence = ("name", "employee_id", "badge", "unit", "shift", "rank", "overdue", "in_grace", "next_due")
        default = "–"
        order_by = ("name",)

    def render_name(self, record: Officer) -> SafeString:
        """Always a link: the list holds only members within reach."""
        url = self.asked.link(reverse("officer-detail", args=[record.employee_id]))
        return format_html('<a href="{}">{}</a>', url, record.listed_name)

    def value_name(self, record: Officer) -> str:
        return record.listed_name

    def render_overdue(self, value: int) -> SafeString | str:
        return state_badge("overdue", str(value)) if value else "–"

    def value_overdue(self, value: int) -> int:
        return value

    def render_in_grace(self, value: int) -> SafeString | str:
        return state_badge("in_grace", str(value)) if value else "–"

    def value_in_grace(self, value: int) -> int:
        return value

    def render_next_due(self, value: date) -> str:
        return day(value)

    def value_next_due(self, value: date | None) -> date | None:
        return value


class CourseTable(AskedTable):
    code = tables.Column()
    title = tables.Column()
    kind = tables.Column(attrs=NOT_NARROW)
    hours = tables.Column(attrs=NUMBER)
    mode = tables.Column(attrs=ON_WIDE)
    min_score = tables.Column(verbose_name="Pass mark, %", attrs=ON_WIDE)
    min_attendance = tables.Column(verbose_name="Least attendance, %", attrs=ON_WIDE)
    same_as = tables.Column(accessor="same_as__title", verbose_name="Counts as", attrs=NOT_NARROW)
    taken = tables.Column(accessor="taken_count", verbose_name="Completions", attrs=NUMBER)

    class Meta:
        model = Course
        fields: tuple[str, ...] = ()
        sequence = ("code", "title", "kind", "hours", "mode", "min_score", "min_attendance", "same_as", "taken")
        default = "–"
        order_by = ("code",)
        caption = "Courses, and how often each was completed"

    def render_title(self, value: str, record: Course) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("course-detail", args=[record.code]), value)

    def value_title(self, value: str) -> str:
        return value

    def render_hours(self, value: Any) -> str:
        return f"{float(value):g}"

    def render_min_score(self, value: Any) -> str:
        return f"{float(value):g}" if value else "–"

    def render_min_attendance(self, value: Any) -> str:
        return f"{float(value):g}" if value else "–"


class HistoryTable(tables.Table):  # type: ignore[misc] # the library has no types
    """Lines of `record_history`, the newest first."""

    caption = "Every line of the record, newest first"
    show_caption = True

    at = tables.DateTimeColumn(format="j M Y, H:i", verbose_name="When", attrs={"td": {"class": "narrow"}})
    act = tables.Column(verbose_name="Act")
    what = tables.Column(verbose_name="What")
    differs = tables.Column(verbose_name="From → to", orderable=False, attrs=NOT_NARROW)
    who = tables.Column(verbose_name="Who", attrs=NOT_NARROW)
    via = tables.Column(verbose_name="Door", attrs=ON_WIDE)
    why = tables.Column(verbose_name="Why", orderable=False, attrs=ON_WIDE)

    class Meta:
        default = "–"
        order_by = "-at"

    def value_at(self, value: datetime) -> str:
        return timezone.localtime(value).isoformat()
