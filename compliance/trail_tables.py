"""The table of the trail, its filters, and the lines of one thing on its own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.grant_tables import WIDE
from compliance.sentences import day, name_of
from roster.trail import TrailLine, What, lines_about


class TrailFilter(ListFilter):
    q = django_filters.CharFilter(label="Subject or why", method="by_words", max_length=100)
    what = django_filters.ChoiceFilter(label="What", choices=What.choices, empty_label="Anything")
    who = django_filters.CharFilter(label="Who", method="by_who", max_length=100)
    since = django_filters.DateFilter(
        label="From", field_name="at", lookup_expr="date__gte", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label="To", field_name="at", lookup_expr="date__lte", widget=forms.DateInput(attrs={"type": "date"})
    )

    class Meta:
        model = TrailLine
        fields: tuple[str, ...] = ()

    def by_words(self, rows: QuerySet[TrailLine], name: str, value: str) -> QuerySet[TrailLine]:
        return rows.filter(Q(subject__icontains=value) | Q(why__icontains=value))

    def by_who(self, rows: QuerySet[TrailLine], name: str, value: str) -> QuerySet[TrailLine]:
        for word in value.split():
            rows = rows.filter(
                Q(by__username__icontains=word) | Q(by__first_name__icontains=word) | Q(by__last_name__icontains=word)
            )
        return rows


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, from, to) of every value by its name, blank for none."""
    return [(name, before.get(name, ""), after.get(name, "")) for name in sorted({*before, *after})]


def _told(line: TrailLine) -> list[str]:
    """`months: 36 → 24` for each value; of something added or taken away, the value alone."""
    found = []
    for name, old, new in differences(line.before, line.after):
        if line.act == "changed":
            found.append(f"{name}: {old or 'blank'} → {new or 'blank'}")
        else:
            found.append(f"{name}: {new or old}")
    return found


class TrailTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Changes of rules, rights and settings"
    show_caption = True

    at = tables.Column(verbose_name="When", order_by=("pk",))
    by = tables.Column(verbose_name="Who", order_by=("by__last_name", "by__username", "pk"), empty_values=())
    via = tables.Column(verbose_name="Door", attrs=WIDE)
    what = tables.Column(verbose_name="What")
    subject = tables.Column(verbose_name="Of what", attrs=NARROW)
    act = tables.Column(verbose_name="Act", attrs=NARROW)
    values = tables.Column(accessor="pk", orderable=False, verbose_name="From → to", attrs={"td": {"class": "told"}})
    why = tables.Column(verbose_name="Why", attrs=WIDE)

    class Meta:
        default = "–"
        order_by = "-at"
        empty_text = "No change fits these filters."

    def render_at(self, value: datetime) -> str:
        at = timezone.localtime(value)
        return f"{day(at.date())}, {at:%H:%M}"

    def value_at(self, value: datetime) -> str:
        return timezone.localtime(value).isoformat()

    def render_by(self, record: TrailLine) -> str:
        return name_of(record.by) if record.by else "–"

    def value_by(self, record: TrailLine) -> str:
        return record.by.get_username() if record.by else ""

    def render_values(self, record: TrailLine) -> SafeString:
        lines = format_html_join("", "<li>{}</li>", ((text,) for text in _told(record)))
        return format_html('<ul class="plain mb-0 small">{}</ul>', lines)

    def value_values(self, record: TrailLine) -> str:
        return "; ".join(_told(record))


class OwnTrailTable(TrailTable):
    """What was changed about one thing, on its page."""

    caption = "What was changed, the latest first"
    show_caption = False

    class Meta(TrailTable.Meta):
        empty_text = "No change is noted."


def own_trail(pk: int, *whats: What, leave_out: Sequence[str]) -> OwnTrailTable:
    """The lines of one thing for its page, without columns that say nothing there. Two queries once it is shown."""
    return OwnTrailTable(lines_about(pk, *whats), exclude=leave_out)
