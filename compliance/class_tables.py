"""The table of classes and its filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from compliance.class_access import agencies_to_run
from compliance.class_papers.missing import counts
from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.grant_tables import WIDE
from compliance.sentences import count, name_of
from compliance.templatetags.classes import class_days, class_state
from roster.access import Right, Viewer
from training.models import ClassEvent, ClassSession, ClassState, Enrollment, SeatState

STATES = [
    ("planned", "planned"),
    ("under_way", "under way"),
    ("to_finish", "taught, not finished"),
    ("finished", "finished"),
    ("cancelled", "cancelled"),
]


def start_of(day: date) -> datetime:
    """Midnight at the beginning of that day on the clock of the agency."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    """Midnight at the end of that day."""
    return start_of(day + timedelta(days=1))


def seats_of(state: str, within: QuerySet[Enrollment]) -> Coalesce:
    """Of each class, how many of these seats are in that state."""
    rows = within.filter(session=OuterRef("pk"), state=state).order_by().values("session")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0, output_field=IntegerField())


def with_seats(found: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    """Each with `taken` and `waiting`, people with a seat or waiting for one, and whether others use its number."""
    taken, waiting = (seats_of(state, Enrollment.objects.all()) for state in (SeatState.ENROLLED, SeatState.WAITLISTED))
    twins = ClassSession.objects.filter(number__iexact=OuterRef("number")).exclude(pk=OuterRef("pk"))
    return found.annotate(taken=taken, waiting=waiting, is_shared=Exists(twins))


class ClassFilter(ListFilter):
    q = django_filters.CharFilter(label="Number or course", method="by_words", max_length=100)
    place = django_filters.CharFilter(label="Place", method="by_place", max_length=100)
    state = django_filters.ChoiceFilter(label="State", choices=STATES, method="by_state", empty_label="any state")
    since = django_filters.DateFilter(
        label="On or after", method="by_since", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label="On or before", method="by_until", widget=forms.DateInput(attrs={"type": "date"})
    )

    class Meta:
        model = ClassSession
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def by_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        for word in value.split():
            rows = rows.filter(
                Q(number__icontains=word) | Q(course__code__icontains=word) | Q(course__title__icontains=word)
            )
        return rows

    def by_place(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(place__name__icontains=value)

    def by_since(self, rows: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return rows.filter(last_at__gt=start_of(value))

    def by_until(self, rows: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return rows.filter(first_at__lt=end_of(value))

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value in (ClassState.FINISHED, ClassState.CANCELLED):
            return rows.filter(state=value)
        rows = rows.filter(state=ClassState.PLANNED)
        today, tomorrow = start_of(self.today), end_of(self.today)
        if value == "to_finish":
            return rows.filter(last_at__lte=today)
        under_way = Q(first_at__lt=tomorrow, last_at__gt=today)
        return (
            rows.filter(under_way)
            if value == "under_way"
            else rows.filter(Q(first_at=None) | Q(first_at__gte=tomorrow))
        )


def to_finish(viewer: Viewer) -> int:
    """How many classes that this user may run were taught and are not finished. One query."""
    last = ClassSession.objects.annotate(last_at=Max("meetings__ends_at"))
    rows = last.filter(state=ClassState.PLANNED, last_at__lte=start_of(viewer.today))
    return rows.filter(agency__in=agencies_to_run(viewer)).count()


class ClassTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Classes"
    show_caption = True

    number = tables.Column(order_by=("number", "pk"), verbose_name="Number")
    course = tables.Column(accessor="course__title", order_by=("course__title", "pk"), verbose_name="Course")
    days = tables.Column(accessor="first_at", order_by=("first_at", "pk"), verbose_name="Days", empty_values=())
    place = tables.Column(accessor="place__name", order_by=("place__name", "pk"), verbose_name="Place", attrs=WIDE)
    taken = tables.Column(order_by=("taken", "pk"), verbose_name="Seats", attrs=NARROW)
    state = tables.Column(order_by=("state", "first_at", "pk"), verbose_name="State", attrs=NARROW)
    missing = tables.Column(accessor="pk", orderable=False, verbose_name="Missing", attrs=WIDE)

    class Meta:
        default = "–"
        order_by = "-days"
        empty_text = "No class fits these filters. Academy staff plan one with the button above."

    def __init__(self, data: Any, *, viewer: Viewer, now: datetime, **kwargs: Any) -> None:
        """What is missing at `now` is counted for whoever reads class files."""
        super().__init__(data, exclude=() if viewer.may(Right.READ_CLASS_FILES) else ("missing",), **kwargs)
        self.viewer, self.now = viewer, now

    def _address(self, name: str, record: Any) -> str:
        url = reverse(name, args=[record.number])
        return f"{url}?{urlencode({'agency': record.agency.code})}" if record.is_shared else url

    def render_number(self, record: Any) -> SafeString:
        return format_html('<a href="{}">{}</a>', self._address("class-detail", record), record.number)

    def value_number(self, record: Any) -> str:
        return str(record.number)

    def render_days(self, record: Any) -> str:
        return class_days(record)

    def value_days(self, record: Any) -> date | None:
        return timezone.localdate(record.first_at) if record.first_at else None

    def render_taken(self, record: Any) -> str:
        waiting = f", {record.waiting} waiting" if record.waiting else ""
        return f"{record.taken} of {record.capacity}{waiting}"

    def value_taken(self, record: Any) -> int:
        return int(record.taken)

    def render_state(self, record: Any) -> str:
        return class_state(record, self.viewer.today)

    def value_state(self, record: Any) -> str:
        return class_state(record, self.viewer.today)

    @cached_property
    def lacks(self) -> Mapping[int, int]:
        """Class -> items missing from its file: of the page shown, or of every row of an export. One query."""
        page = getattr(self, "page", None)
        rows = page.object_list if page is not None else self.rows
        return counts([row.record.pk for row in rows], now=self.now)

    def render_missing(self, record: Any) -> str | SafeString:
        number = self.lacks.get(record.pk, 0)
        if not number:
            return "nothing"
        return format_html(
            '<a href="{}">{}</a>', self._address("class-papers", record), count(number, "item").replace(" ", "\u00a0")
        )

    def value_missing(self, record: Any) -> int:
        return self.lacks.get(record.pk, 0)


def events_of(session: ClassSession, *, of_seats: bool) -> QuerySet[ClassEvent]:
    """What happened to a class, or to its seats alone, the latest first."""
    lines = session.events.select_related("by").order_by("-id")
    return lines.filter(what=ClassEvent.What.SEATS) if of_seats else lines.exclude(what=ClassEvent.What.SEATS)


def rows_of_events(session: ClassSession, *, of_seats: bool) -> Iterator[list[Any]]:
    """The same as a table: a header, then a row for each line."""
    yield ["When", "What", "Who", "Why", "What changed"]
    for event in events_of(session, of_seats=of_seats).iterator():
        who = name_of(event.by) if event.by else ""
        yield [timezone.localtime(event.at).isoformat(), event.get_what_display(), who, event.why, event.told]
