"""The tables of waivers and extensions and their filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.models import Extension, Requirement, Waiver
from compliance.sentences import day, name_of
from roster.access import Right, Viewer

WIDE = {"th": {"class": "medium-hide"}, "td": {"class": "medium-hide"}}

STANDS = "stands"
SHOW = [(STANDS, "what stands"), ("voided", "voided and corrected")]


def day_filter(label: str, field: str, lookup: str) -> django_filters.DateFilter:
    widget = forms.DateInput(attrs={"type": "date"})
    return django_filters.DateFilter(label=label, field_name=field, lookup_expr=lookup, widget=widget)


class MemberFactFilter(ListFilter):
    """Filters of the address that lists of facts about members share."""

    q = django_filters.CharFilter(label="Officer", method="by_member", max_length=100)

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def by_member(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        members = self.viewer.officers().search(value)  # type: ignore[attr-defined] # OfficerQuerySet
        return rows.filter(officer__in=members)


class GrantFilter(MemberFactFilter):
    """What lists of waivers and extensions are filtered by; voided lines show unless they are left out."""

    requirement = django_filters.ModelChoiceFilter(
        label="Requirement", queryset=Requirement.objects.all(), to_field_name="code", empty_label="Any"
    )
    show = django_filters.ChoiceFilter(label="Show", choices=SHOW, method="by_show", empty_label="all")

    def by_show(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(voided_in__isnull=value == STANDS)


class WaiverFilter(GrantFilter):
    since = day_filter("Excused on or after", "end_on", "gte")
    until = day_filter("Excused on or before", "start_on", "lte")

    class Meta:
        model = Waiver
        fields: tuple[str, ...] = ()


class ExtensionFilter(GrantFilter):
    since = day_filter("Approved from", "approved_on", "gte")
    until = day_filter("Approved to", "approved_on", "lte")

    class Meta:
        model = Extension
        fields: tuple[str, ...] = ()


def end_of(fact: Any) -> str:
    """`voided` or `corrected` for a fact that does not stand any more, blank for one that does."""
    if fact.voided_in_id is None:
        return ""
    return "corrected" if fact.is_replaced else "voided"


class MemberFactTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    """Lines about members, each with who recorded it and why, and whether it stands."""

    caption = ""
    #: said of an empty list that no filter made empty
    nothing_yet = ""
    void_name = ""

    officer = tables.Column(
        accessor="officer__listed_name",
        order_by=("officer__last_name", "officer__first_name", "officer__employee_id"),
        verbose_name="Officer",
    )
    employee_id = tables.Column(accessor="officer__employee_id", verbose_name="Id", attrs=NARROW)
    why = tables.Column(accessor="recorded_in__why", verbose_name="Why", attrs=WIDE)
    recorded = tables.Column(
        accessor="recorded_in__at", order_by=("recorded_in__at", "pk"), verbose_name="Recorded", attrs=WIDE
    )
    stands = tables.Column(accessor="voided_in_id", order_by="voided_in_id", empty_values=(), verbose_name="Stands")

    def __init__(self, data: Any, *, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.viewer = viewer
        self._reach: set[int] | None = None

    def _openable(self) -> Iterable[int]:
        if self._reach is None:
            self._reach = self.viewer.openable([row.record.officer for row in self.paginated_rows])
        return self._reach

    def render_officer(self, record: Any) -> SafeString | str:
        if not self.viewer.reads_everything and record.officer_id not in self._openable():
            return str(record.officer.listed_name)
        url = reverse("officer-detail", args=[record.officer.employee_id])
        return format_html('<a href="{}">{}</a>', url, record.officer.listed_name)

    def value_officer(self, record: Any) -> str:
        return str(record.officer.listed_name)

    def render_recorded(self, record: Any) -> str:
        by = f", {name_of(record.recorded_in.by)}" if record.recorded_in.by else f", {record.recorded_in.via}"
        return f"{day(timezone.localdate(record.recorded_in.at))}{by}"

    def value_recorded(self, record: Any) -> str:
        return self.render_recorded(record)

    def render_stands(self, record: Any) -> SafeString:
        if word := end_of(record):
            change = record.voided_in
            by = f" by {name_of(change.by)}" if change.by else ""
            return format_html(
                '<span class="state state-excused">{}</span><span class="quiet d-block small">{}{}{}</span>',
                word,
                day(timezone.localdate(change.at)),
                by,
                f": {change.why}" if change.why else "",
            )
        if self.viewer.may(Right.GRANT) and self.void_name:
            url = reverse(self.void_name, args=[record.pk])
            return format_html('<a href="{}">Void<span class="visually-hidden"> {}</span></a>', url, record)
        return format_html("{}", "yes")

    def value_stands(self, record: Any) -> str:
        if not (word := end_of(record)):
            return "yes"
        change = record.voided_in
        by = f" by {name_of(change.by)}" if change.by else ""
        return f"{word} {timezone.localdate(change.at)}{by}{f': {change.why}' if change.why else ''}"


class GrantTable(MemberFactTable):
    requirement = tables.Column(
        accessor="requirement__title",
        verbose_name="Requirement",
        order_by=("requirement__order", "requirement__code"),
    )
    approval = tables.Column(verbose_name="Reference", attrs=NARROW)
    approver = tables.Column(
        accessor="approver",
        order_by=("approver__last_name", "approver__username"),
        attrs=WIDE,
        verbose_name="Approved by",
    )

    def render_approver(self, value: Any) -> str:
        return name_of(value)


class WaiverTable(GrantTable):
    caption = "Waivers"
    nothing_yet = "No waiver has been recorded here yet. One is granted on the page of the officer it excuses."
    void_name = "waiver-void"
    start_on = tables.DateColumn(format="j M Y", verbose_name="First day", attrs=NARROW)
    end_on = tables.DateColumn(format="j M Y", verbose_name="Last day")

    class Meta:
        default = "–"
        order_by = "-start_on"
        sequence = (
            "officer",
            "employee_id",
            "requirement",
            "start_on",
            "end_on",
            "why",
            "approval",
            "approver",
            "recorded",
            "stands",
        )
        empty_text = "No waiver fits these filters."


class ExtensionTable(GrantTable):
    caption = "Extensions"
    nothing_yet = "No extension has been recorded here yet. One is granted on the page of the officer it is for."
    void_name = "extension-void"
    approved_on = tables.DateColumn(format="j M Y", verbose_name="Approved on", attrs=NARROW)
    until_on = tables.DateColumn(format="j M Y", verbose_name="Until")

    class Meta:
        default = "–"
        order_by = "-approved_on"
        sequence = (
            "officer",
            "employee_id",
            "requirement",
            "until_on",
            "approved_on",
            "why",
            "approval",
            "approver",
            "recorded",
            "stands",
        )
        empty_text = "No extension fits these filters."
