"""The table of titles that files brought and what each is, with its filter."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.filters import ListFilter
from training.models import Course

NOTHING = "counts toward nothing"


def titles() -> QuerySet[Course]:
    """Titles that completions can be recorded under without being a course of the catalogue."""
    standing = Count("completions", filter=Q(completions__voided_in=None))
    return Course.objects.filter(is_from_title=True).select_related("same_as").annotate(number=standing)


class TitleFilter(ListFilter):
    q = django_filters.CharFilter(label="Title", field_name="title", lookup_expr="icontains", max_length=100)
    what = django_filters.ChoiceFilter(
        label="It",
        method="by_what",
        choices=[("nothing", NOTHING), ("course", "is a course")],
        empty_label="Any",
    )

    class Meta:
        model = Course
        fields: tuple[str, ...] = ()

    def by_what(self, rows: QuerySet[Course], name: str, value: str) -> QuerySet[Course]:
        return rows.filter(same_as__isnull=value == "nothing")


class TitleTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    show_caption = True
    caption = "Titles that files brought, and what each is"
    nothing_yet = "No file brought a title that was said to count toward nothing."

    title = tables.Column(order_by=("title", "pk"), verbose_name="Title")
    same_as = tables.Column(
        accessor="same_as__title", order_by=("same_as__title", "title", "pk"), verbose_name="It is", default=NOTHING
    )
    number = tables.Column(verbose_name="Completions", attrs={"th": {"class": "text-end"}, "td": {"class": "text-end"}})
    act = tables.Column(accessor="pk", orderable=False, verbose_name="Act", exclude_from_export=True)

    class Meta:
        order_by = "title"
        empty_text = "No title fits these filters."

    def render_act(self, record: Any) -> SafeString:
        return format_html(
            '<a href="{}">Change<span class="visually-hidden"> what {} is</span></a>',
            reverse("title-change", args=[record.pk]),
            record.title,
        )
