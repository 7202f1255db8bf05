"""The table of completions and its filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_filters.fields import ModelChoiceField

from compliance.asking import BoundedPaginator
from compliance.filters import ListFilter
from roster.access import Viewer
from roster.models import Assignment, AssignmentKind, Unit, open_on
from training.models import Completion, Course, Evidence, EvidenceDecision

SIGNS = {"verified": ("current", "✓"), "pending": ("in_grace", "?"), "rejected": ("overdue", "▲")}


def with_evidence(rows: QuerySet[Completion]) -> QuerySet[Completion]:
    """Each completion with `evidence_now`: as decided, else as recorded."""
    decided = EvidenceDecision.objects.known().filter(completion=OuterRef("pk")).values("decision")[:1]
    return rows.annotate(evidence_now=Coalesce(Subquery(decided), F("evidence")))


class _UnitField(ModelChoiceField):  # type: ignore[misc] # django-filter has no types
    """A unit by its code, found as addresses find it: `AgencyNeeded` where several agencies use the code."""

    viewer: Viewer
    agency = ""

    def to_python(self, value: Any) -> Unit | None:
        if value in self.empty_values:
            return None
        try:
            return self.viewer.unit(str(value), self.agency)
        except Http404:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class _UnitFilter(django_filters.ModelChoiceFilter):  # type: ignore[misc] # the same
    field_class = _UnitField


class CompletionFilter(ListFilter):
    """Filters of the address. Voided completions show only when asked for."""

    q = django_filters.CharFilter(label="Officer", method="by_member", max_length=100)
    course = django_filters.ModelChoiceFilter(
        label="Course", queryset=Course.objects.order_by("title"), to_field_name="code", empty_label="Any"
    )
    since = django_filters.DateFilter(
        label="From", field_name="completed_on", lookup_expr="gte", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label="To", field_name="completed_on", lookup_expr="lte", widget=forms.DateInput(attrs={"type": "date"})
    )
    evidence = django_filters.ChoiceFilter(
        label="Evidence", choices=Evidence.choices, method="by_evidence", empty_label="Any"
    )
    unit = _UnitFilter(
        label="Unit today", queryset=Unit.objects.none(), to_field_name="code", method="by_unit", empty_label="Any"
    )
    voided = django_filters.ChoiceFilter(
        label="Show", choices=[("yes", "voided and corrected")], method="by_voided", empty_label="what stands"
    )

    class Meta:
        model = Completion
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        units = Unit.objects.order_by("name", "code")
        visible = viewer.visible_units()
        self.filters["unit"].queryset = units if visible is None else units.filter(pk__in=visible)
        field: Any = self.form.fields["unit"]
        field.viewer, field.agency = viewer, self.data.get("agency", "")

    def filter_queryset(self, queryset: QuerySet[Completion]) -> QuerySet[Completion]:
        rows: QuerySet[Completion] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("voided") else rows.filter(voided_in=None)

    def by_voided(self, rows: QuerySet[Completion], name: str, value: str) -> QuerySet[Completion]:
        return rows.filter(voided_in__isnull=False)

    def by_member(self, rows: QuerySet[Completion], name: str, value: str) -> QuerySet[Completion]:
        members = self.viewer.officers().search(value)  # type: ignore[attr-defined] # OfficerQuerySet
        return rows.filter(officer__in=members)

    def by_evidence(self, rows: QuerySet[Completion], name: str, value: str) -> QuerySet[Completion]:
        # As two lists of ids, which the database hashes once: an EXISTS in an OR would be asked for every row.
        decided = EvidenceDecision.objects.known()
        undecided = ~Q(pk__in=decided.values("completion"))
        return rows.filter(
            Q(pk__in=decided.filter(decision=value).values("completion")) | (Q(evidence=value) & undecided)
        )

    def by_unit(self, rows: QuerySet[Completion], name: str, value: Unit) -> QuerySet[Completion]:
        here = Assignment.objects.known().filter(
            open_on(self.viewer.today),
            officer=OuterRef("officer"),
            kind=AssignmentKind.HOME,
            unit__in=self.viewer.tree.below([value.pk]),
            start_on__lte=self.viewer.today,
        )
        return rows.filter(Exists(here))


#: Classes of a column's header and cells: numbers to the right, and what a phone leaves out.
RIGHT = {"th": {"class": "number"}, "td": {"class": "number"}}
NARROW = {"th": {"class": "narrow-hide"}, "td": {"class": "narrow-hide"}}


class CompletionTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    completed_on = tables.DateColumn(
        format="j M Y", verbose_name="Completed", linkify=("completion-detail", {"pk": tables.A("pk")})
    )
    employee_id = tables.Column(accessor="officer__employee_id", verbose_name="Id", attrs=NARROW)
    officer = tables.Column(
        accessor="officer__listed_name",
        order_by=("officer__last_name", "officer__first_name", "officer__employee_id"),
        verbose_name="Officer",
    )
    course = tables.Column(accessor="course__title", verbose_name="Course")
    hours = tables.Column(empty_values=(), verbose_name="Hours", attrs=RIGHT)
    result = tables.Column(attrs=NARROW)
    evidence_now = tables.Column(verbose_name="Evidence")
    class_number = tables.Column(verbose_name="Class", default="–", attrs=NARROW)

    caption = "Completions, newest first"
    paginator_class = BoundedPaginator

    class Meta:
        order_by = "-completed_on"
        empty_text = (
            "No completion fits these filters. Take a filter away, or log completions when a class has been taught."
        )

    def render_hours(self, record: Completion) -> str:
        hours = record.hours if record.hours is not None else record.course.hours
        return "–" if hours is None else f"{hours.normalize():f}"

    def value_hours(self, record: Completion) -> str:
        return "" if record.hours is None and record.course.hours is None else self.render_hours(record)

    def render_evidence_now(self, value: str) -> SafeString:
        state, sign = SIGNS[value]
        return format_html('<span class="state state-{}">{} {}</span>', state, sign, value)

    def value_evidence_now(self, value: str) -> str:
        return value
