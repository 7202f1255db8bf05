"""The list of issued reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.coverage import Counts
from compliance.models import IssuedReport
from compliance.sentences import day
from compliance.tables import NOT_NARROW, NUMBER, NUMBER_NOT_NARROW
from compliance.templatetags.shown import share


def counts_of(report: IssuedReport) -> Counts:
    """The whole of a report as it was counted then."""
    names = ("current", "in_grace", "overdue", "excused", "ever")
    return Counts(**{name: report.totals[name] for name in names})


class ReportTable(tables.Table):  # type: ignore[misc] # the library has no types
    """Issued reports, newest first."""

    number = tables.Column(order_by=("id",), attrs={"td": {"class": "narrow"}})
    requirement = tables.Column(
        accessor="requirement__title", verbose_name="Requirement", order_by=("requirement__order", "id")
    )
    scope = tables.Column(accessor="unit__name", verbose_name="Unit", empty_values=(), visible=False)
    as_of = tables.Column(verbose_name="As of", order_by=("as_of", "id"), attrs={"td": {"class": "narrow"}})
    known_at = tables.Column(verbose_name="Known at", visible=False)
    current = tables.Column(accessor="totals", verbose_name="Current", orderable=False, attrs=NUMBER)
    overdue = tables.Column(
        accessor="totals__overdue", verbose_name="Overdue", orderable=False, attrs=NUMBER_NOT_NARROW
    )
    span = tables.Column(accessor="span_from", verbose_name="Span", order_by=("span_from", "id"), visible=False)
    superseded_by = tables.Column(accessor="superseded_by__number", verbose_name="Superseded by", visible=False)
    issued = tables.Column(accessor="issued_at", verbose_name="Issued", attrs=NOT_NARROW)

    class Meta:
        model = IssuedReport
        fields: tuple[str, ...] = ()
        sequence = (
            "number",
            "requirement",
            "scope",
            "as_of",
            "known_at",
            "span",
            "current",
            "overdue",
            "superseded_by",
            "issued",
        )
        order_by = ("-number",)
        default = "–"

    caption = "Issued reports: each stays as it was handed out"
    show_caption = True

    def render_number(self, record: IssuedReport, value: str) -> SafeString:
        link = format_html('<a href="{}">{}</a>', reverse("report-detail", args=[value]), value)
        successor = getattr(record, "superseded_by", None)
        if successor is None:
            return link
        return format_html('{} <span class="quiet d-block small">superseded by {}</span>', link, successor.number)

    def value_number(self, value: str) -> str:
        return value

    def render_requirement(self, record: IssuedReport, value: str) -> SafeString:
        return format_html('{} <span class="quiet d-block small">{}</span>', value, record.unit or record.agency)

    def value_requirement(self, value: str) -> str:
        return value

    def value_scope(self, record: IssuedReport) -> str:
        return str(record.unit or record.agency)

    def render_as_of(self, record: IssuedReport) -> SafeString:
        known = day(timezone.localdate(record.known_at))
        return format_html('{} <span class="quiet d-block small">known {}</span>', day(record.as_of), known)

    def value_as_of(self, value: date) -> date:
        return value

    def render_current(self, record: IssuedReport) -> SafeString:
        return share(counts_of(record))

    def value_current(self, record: IssuedReport) -> Any:
        return record.totals["percent"] if record.totals["percent"] == "n/a" else float(record.totals["percent"])

    def value_span(self, record: IssuedReport) -> str:
        return f"{record.span_from.isoformat()} to {record.span_to.isoformat()}"

    def value_known_at(self, value: datetime) -> str:
        return timezone.localtime(value).isoformat()

    def render_issued(self, record: IssuedReport) -> SafeString:
        by = record.issued_by.username if record.issued_by else "command"
        on = day(timezone.localdate(record.issued_at))
        return format_html('{} <span class="quiet d-block small">{}</span>', on, by)

    def value_issued(self, record: IssuedReport) -> str:
        return timezone.localtime(record.issued_at).isoformat()
