"""The tables of equivalencies and lesson plans, and their filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.grant_tables import WIDE
from roster.models import open_on
from training.models import Equivalency, LessonPlan


class DatedFilter(ListFilter):
    q = django_filters.CharFilter(label="Course", method="by_course", max_length=100)
    on = django_filters.DateFilter(
        label="In force on", method="in_force", widget=forms.DateInput(attrs={"type": "date"})
    )

    def by_course(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        found = Q(course__code__icontains=value) | Q(course__title__icontains=value)
        if rows.model is Equivalency:
            found |= Q(counts_as__code__icontains=value) | Q(counts_as__title__icontains=value)
        return rows.filter(found)

    def in_force(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows.filter(open_on(value), start_on__lte=value)


class EquivalencyFilter(DatedFilter):
    class Meta:
        model = Equivalency
        fields: tuple[str, ...] = ()


class LessonPlanFilter(DatedFilter):
    class Meta:
        model = LessonPlan
        fields: tuple[str, ...] = ()


class DatedTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    show_caption = True
    end_name = ""

    course = tables.Column(accessor="course__title", order_by=("course__title", "pk"), verbose_name="Course")
    start_on = tables.DateColumn(format="j M Y", verbose_name="First day", attrs=NARROW)
    end_on = tables.DateColumn(format="j M Y", verbose_name="Last day", attrs={"td": {"class": "narrow"}})
    act = tables.Column(accessor="pk", orderable=False, verbose_name="Act", exclude_from_export=True)

    def render_act(self, record: Any) -> SafeString:
        url = reverse(self.end_name, args=[record.pk])
        return format_html(
            '<a href="{}">Change the last day<span class="visually-hidden"> of {}, {}</span></a>',
            url,
            record.course.title,
            record,
        )


class EquivalencyTable(DatedTable):
    caption = "Courses that count as another"
    nothing_yet = "No course counts as another yet: each counts as itself only."
    end_name = "equivalency-end"
    counts_as = tables.Column(
        accessor="counts_as__title", order_by=("counts_as__title", "pk"), verbose_name="Counts as"
    )
    approved_by = tables.Column(verbose_name="Approved by", attrs=WIDE)

    class Meta:
        default = "–"
        order_by = "course"
        sequence = ("course", "counts_as", "start_on", "end_on", "approved_by", "act")
        empty_text = "No equivalency fits these filters."


class LessonPlanTable(DatedTable):
    caption = "Lesson plans, and the days on which teaching from them counts"
    nothing_yet = "No lesson plan is recorded yet. A course without any counts whatever plan is named."
    end_name = "lesson-plan-end"
    version = tables.Column(order_by=("version", "pk"), verbose_name="Version")

    class Meta:
        default = "–"
        order_by = "course"
        sequence = ("course", "version", "start_on", "end_on", "act")
        empty_text = "No lesson plan fits these filters."
