"""The list of a class: who has a seat, who waits and in what order, and its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.grant_tables import WIDE
from compliance.sentences import day
from roster.access import Viewer
from roster.models import Assignment, AssignmentKind, open_on
from training.models import Enrollment, SeatState
from training.seats import Objection

STATES = [
    (SeatState.ENROLLED, "with a seat"),
    (SeatState.WAITLISTED, "on the waitlist"),
    (SeatState.WITHDRAWN, "withdrawn"),
    (SeatState.NO_SHOW, "did not come"),
]
#: The list begins with the seats; then come those who wait, in their order, and then those who are gone.
ORDER = {SeatState.ENROLLED: 0, SeatState.NO_SHOW: 0, SeatState.WAITLISTED: 1, SeatState.WITHDRAWN: 2}


def with_ahead(rows: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    """Each with how many are `ahead` of it on the waitlist; within the query."""
    before = Q(since__lt=OuterRef("since")) | Q(since=OuterRef("since"), pk__lt=OuterRef("pk"))
    earlier = Enrollment.objects.filter(before, session=OuterRef("session"), state=SeatState.WAITLISTED)
    number = earlier.order_by().values("session").annotate(number=Count("pk")).values("number")
    return rows.annotate(ahead=Coalesce(Subquery(number, output_field=IntegerField()), 0))


def state_of(row: Any) -> str:
    """`seat`, `waitlist, place 2`, `withdrawn`: of a row of `with_ahead`."""
    if row.state == SeatState.WAITLISTED:
        return f"waitlist, place {row.ahead + 1}"
    return "seat" if row.state == SeatState.ENROLLED else str(row.get_state_display())


def with_place(rows: QuerySet[Enrollment], on: date) -> QuerySet[Enrollment]:
    """Each with its place on the waitlist, its heap in the list, and unit and shift on a day; within the query."""
    home = Assignment.objects.known().filter(
        open_on(on), officer=OuterRef("officer"), kind=AssignmentKind.HOME, start_on__lte=on
    )
    heaps = [When(state=state, then=Value(heap)) for state, heap in ORDER.items()]
    return (
        with_ahead(rows)
        .annotate(
            heap=Case(*heaps, output_field=IntegerField()),
            last_name=Coalesce("officer__last_name", "outside_name"),
            unit_name=Subquery(home.values("unit__name")[:1]),
            shift_code=Subquery(home.values("shift__code")[:1]),
        )
        .select_related("officer__agency", "enrolled_by")
    )


class SeatFilter(ListFilter):
    q = django_filters.CharFilter(label="Name or id", method="by_words", max_length=100)
    state = django_filters.ChoiceFilter(label="State", choices=STATES, empty_label="any state")

    show = django_filters.ChoiceFilter(
        label="Show",
        choices=[("check", "who could no longer come"), ("lines", "what happened to the list")],
        method="by_show",
        empty_label="the list",
    )

    class Meta:
        model = Enrollment
        fields: tuple[str, ...] = ()

    def by_show(self, rows: QuerySet[Enrollment], name: str, value: str) -> QuerySet[Enrollment]:
        """Whoever is checked is still on the list; the page says beside each what speaks against the seat."""
        if value != "check":
            return rows
        return rows.filter(state__in=(SeatState.ENROLLED, SeatState.WAITLISTED))

    def by_words(self, rows: QuerySet[Enrollment], name: str, value: str) -> QuerySet[Enrollment]:
        for word in value.replace(",", " ").split():
            rows = rows.filter(
                Q(officer__employee_id__icontains=word)
                | Q(officer__last_name__icontains=word)
                | Q(officer__first_name__icontains=word)
                | Q(outside_name__icontains=word)
                | Q(outside_agency__icontains=word)
                | Q(outside_id__icontains=word)
            )
        return rows


class SeatTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Seats, then the waitlist in its order, then those who withdrew"
    show_caption = True

    tick = tables.Column(empty_values=(), orderable=False, verbose_name="Choose", exclude_from_export=True)
    name = tables.Column(accessor="last_name", order_by=("last_name", "officer__first_name", "pk"), verbose_name="Name")
    number = tables.Column(
        accessor="officer__employee_id",
        order_by=("officer__employee_id", "outside_id", "pk"),
        verbose_name="Id",
        attrs=NARROW,
        empty_values=(),
    )
    unit = tables.Column(
        accessor="unit_name",
        order_by=("unit_name", "shift_code", "pk"),
        verbose_name="Unit",
        attrs=WIDE,
        empty_values=(),
    )
    state = tables.Column(order_by=("heap", "since", "pk"), verbose_name="State")
    since = tables.Column(order_by=("since", "pk"), verbose_name="Since", attrs=WIDE)
    why = tables.Column(order_by=("why", "pk"), verbose_name="Note", attrs=NARROW, empty_values=())

    class Meta:
        default = "–"
        order_by = "state"
        empty_text = "Nobody of this kind is on the list."

    def __init__(
        self,
        data: Any,
        *,
        viewer: Viewer,
        may_run: bool,
        against: Mapping[int, Sequence[Objection]],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, exclude=() if may_run else ("tick",), **kwargs)
        self.viewer, self.against = viewer, against
        self._reach: set[int] | None = None

    def render_tick(self, record: Any) -> SafeString | str:
        if record.state not in (SeatState.ENROLLED, SeatState.WAITLISTED):
            return ""
        label = f"Choose {record.name}"
        return format_html(
            '<input class="form-check-input" type="checkbox" name="seat" value="{}" aria-label="{}">', record.pk, label
        )

    def render_name(self, record: Any) -> SafeString | str:
        if self._reach is None:
            shown = [row.record.officer for row in self.paginated_rows]
            self._reach = self.viewer.openable([officer for officer in shown if officer is not None])
        if record.officer_id not in self._reach:
            return str(record.name)
        url = reverse("officer-detail", args=[record.officer.employee_id])
        return format_html('<a href="{}">{}</a>', url, record.name)

    def value_name(self, record: Any) -> str:
        return str(record.name)

    def render_number(self, record: Any) -> str:
        return self.value_number(record) or "–"

    def value_number(self, record: Any) -> str:
        return str(record.officer.employee_id if record.officer else record.outside_id)

    def render_unit(self, record: Any) -> str:
        return self.value_unit(record) or "–"

    def value_unit(self, record: Any) -> str:
        if record.officer is None:
            return str(record.outside_agency)
        parts = [record.unit_name or "", record.shift_code or ""]
        return " ".join(part for part in parts if part)

    def render_state(self, record: Any) -> str:
        return state_of(record)

    def value_state(self, record: Any) -> str:
        return state_of(record)

    def render_since(self, record: Any) -> str:
        return day(timezone.localdate(record.since))

    def value_since(self, record: Any) -> date:
        return timezone.localdate(record.since)

    def render_why(self, record: Any) -> SafeString | str:
        told = self._objections(record)
        if not told:
            return record.why or "–"
        notes = format_html_join("", '<span class="note-warn d-block">▲ {}</span>', ((said,) for said in told))
        return format_html("{}{}", record.why, notes)

    def value_why(self, record: Any) -> str:
        return " ".join(part for part in (record.why, *self._objections(record)) if part)

    def _objections(self, record: Any) -> list[str]:
        """What would speak against a seat now, of who has one or waits for it."""
        if record.state not in (SeatState.ENROLLED, SeatState.WAITLISTED):
            return []
        return [objection.told for objection in self.against.get(record.officer_id, ())]
