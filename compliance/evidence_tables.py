"""The tables of what waits for a person: pending evidence, proposed corrections, completions that look like one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.engine import plus_months
from compliance.filters import AddressForm, ListFilter
from compliance.grant_tables import WIDE
from compliance.sentences import count, day, name_of
from roster.access import Right, Viewer, ViewerRequest
from roster.files import StoredFile
from training.completions import files_of
from training.duplicates import Pair
from training.models import Completion, Course, ProposedCorrection

#: Days after which what waits is waiting long.
LONG = (7, 30, 90)
#: How far back pairs are listed unless the address says.
MONTHS_LISTED = 24
#: numbers that a phone leaves out
RIGHT_NARROW = {"th": {"class": "number narrow-hide"}, "td": {"class": "number narrow-hide"}}


class _MemberFilter(ListFilter):
    """A filter with a field for the member."""

    member = "officer"

    q = django_filters.CharFilter(label="Officer", method="by_member", max_length=100)

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def by_member(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        members = self.viewer.officers().search(value)  # type: ignore[attr-defined] # OfficerQuerySet
        return rows.filter(**{f"{self.member}__in": members})


class PendingFilter(_MemberFilter):
    course = django_filters.ModelChoiceFilter(
        label="Course", queryset=Course.objects.order_by("title"), to_field_name="code", empty_label="Any"
    )
    reported = django_filters.ChoiceFilter(
        label="Recorded by",
        choices=[("yes", "the member"), ("no", "somebody else")],
        method="by_reported",
        empty_label="Anybody",
    )
    waiting = django_filters.ChoiceFilter(
        label="Waiting",
        choices=[(str(days), f"more than {days} days") for days in LONG],
        method="by_waiting",
        empty_label="However long",
    )
    file = django_filters.ChoiceFilter(
        label="File", choices=[("yes", "with a file"), ("no", "without")], method="by_file", empty_label="Any"
    )

    class Meta:
        model = Completion
        fields: tuple[str, ...] = ()

    def by_reported(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(is_reported=value == "yes")

    def by_file(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(has_file=value == "yes")

    def by_waiting(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(recorded_at__lt=timezone.now() - timedelta(days=int(value)))


class PendingTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    """Completions whose evidence waits, each with a box to choose it by."""

    chosen = tables.Column(accessor="pk", orderable=False, verbose_name="Choose", exclude_from_export=True)
    completed_on = tables.DateColumn(format="j M Y", verbose_name="Completed")
    officer = tables.Column(
        accessor="officer__listed_name",
        order_by=("officer__last_name", "officer__first_name", "officer__employee_id"),
        verbose_name="Officer",
    )
    employee_id = tables.Column(accessor="officer__employee_id", verbose_name="Id", attrs=NARROW)
    course = tables.Column(accessor="course__title", verbose_name="Course")
    certificate = tables.Column(
        accessor="certificate_number", verbose_name="Certificate", empty_values=(), orderable=False, attrs=WIDE
    )
    who = tables.Column(
        accessor="recorded_in__by", orderable=False, verbose_name="Recorded by", empty_values=(), attrs=NARROW
    )
    waiting = tables.Column(accessor="recorded_at", verbose_name="Waiting", attrs=RIGHT_NARROW)
    files = tables.Column(accessor="pk", orderable=False, verbose_name="Files", attrs=NARROW)
    is_alike = tables.Column(orderable=False, verbose_name="Looks like another", empty_values=(), attrs=NARROW)

    caption = "Completions whose evidence waits for a decision"
    show_caption = True

    class Meta:
        order_by = "waiting"
        empty_text = "Nothing waits that fits these filters. Take a filter away."

    nothing_yet = "Nothing waits: the evidence of every completion is decided."

    def __init__(self, data: Any, *, viewer: Viewer, now: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.viewer, self.now = viewer, now
        self._files: dict[int, list[StoredFile]] | None = None

    def before_render(self, request: HttpRequest) -> None:
        self._files = files_of(row.record.pk for row in self.paginated_rows)

    def render_chosen(self, record: Completion) -> SafeString:
        if record.officer_id in self.viewer.own or record.recorded_in.by_id == self.viewer.user.pk:
            return format_html('<span class="quiet">{}</span>', "not yours to decide")
        return format_html(
            '<input class="form-check-input" type="checkbox" name="chosen" value="{}" aria-label="{}">',
            record.pk,
            f"Choose {record.officer.listed_name}, {record.course.title}",
        )

    def render_completed_on(self, record: Completion) -> SafeString:
        url = reverse("completion-detail", args=[record.pk])
        return format_html('<a href="{}">{}</a>', url, day(record.completed_on))

    def value_completed_on(self, value: date) -> date:
        return value

    def render_certificate(self, record: Completion) -> str:
        parts = [record.provider, record.certificate_number]
        if record.certificate_expires_on:
            parts.append(f"until {day(record.certificate_expires_on)}")
        return ", ".join(part for part in parts if part) or "–"

    def value_certificate(self, record: Completion) -> str:
        said = self.render_certificate(record)
        return "" if said == "–" else said

    def render_who(self, record: Any) -> str:
        return "the member" if record.is_reported else self._name(record)

    def _name(self, record: Completion) -> str:
        change = record.recorded_in
        return name_of(change.by) if change.by else str(change.get_via_display())

    def render_waiting(self, record: Completion) -> str:
        return count(self.value_waiting(record), "day")

    def value_waiting(self, record: Completion) -> int:
        return (self.now - record.recorded_in.at).days if record.recorded_in.at else 0

    def render_files(self, record: Completion) -> SafeString | str:
        files = (self._files or {}).get(record.pk, [])
        return file_links(files) if files else "–"

    def value_files(self, record: Any) -> str:
        return "yes" if record.has_file else "no"

    def render_is_alike(self, record: Any) -> SafeString:
        if not record.is_alike:
            return format_html('<span class="quiet">{}</span>', "no")
        return format_html('<span class="state state-in_grace">? {}</span>', "open it and say")

    def value_is_alike(self, record: Any) -> str:
        return "yes" if record.is_alike else "no"


def file_links(files: list[StoredFile]) -> SafeString:
    found = ((reverse("file", args=[one.key]), one.name) for one in files)
    return format_html_join("", '<a class="d-block text-break file-name" href="{}">{}</a>', found)


class ProposalFilter(_MemberFilter):
    member = "completion__officer"

    state = django_filters.ChoiceFilter(
        label="Show",
        choices=[("all", "all"), *ProposedCorrection.State.choices[1:]],
        method="by_state",
        empty_label="what waits",
    )

    class Meta:
        model = ProposedCorrection
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.filter(state=ProposedCorrection.State.OPEN)

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows if value == "all" else rows.filter(state=value)


class ProposalTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    """What one person wants to void or correct and another accepts or refuses."""

    proposed_at = tables.DateColumn(format="j M Y", verbose_name="Proposed")
    act = tables.Column(verbose_name="To")
    officer = tables.Column(
        accessor="completion__officer__listed_name",
        order_by=("completion__officer__last_name", "completion__officer__first_name"),
        verbose_name="Officer",
    )
    employee_id = tables.Column(accessor="completion__officer__employee_id", verbose_name="Id", attrs=NARROW)
    course = tables.Column(accessor="completion__course__title", verbose_name="Course", attrs=NARROW)
    completed_on = tables.DateColumn(
        accessor="completion__completed_on", format="j M Y", verbose_name="Completed", attrs=NARROW
    )
    why = tables.Column(verbose_name="Why", attrs=WIDE)
    proposed_by = tables.Column(accessor="proposed_by", orderable=False, verbose_name="Proposed by")
    state = tables.Column(verbose_name="State")
    decided_by = tables.Column(accessor="decided_by", orderable=False, verbose_name="Decided by", attrs=WIDE)

    caption = "Proposed corrections, newest first"
    show_caption = True

    class Meta:
        default = "–"
        order_by = "-proposed_at"
        empty_text = "No proposal fits these filters. Take a filter away."

    nothing_yet = "Nothing waits: every proposed correction is decided."

    def render_proposed_at(self, record: ProposedCorrection) -> SafeString:
        url = reverse("correction", args=[record.pk])
        return format_html('<a href="{}">{}</a>', url, day(timezone.localdate(record.proposed_at)))

    def value_proposed_at(self, record: ProposedCorrection) -> date:
        return timezone.localdate(record.proposed_at)

    def render_proposed_by(self, record: ProposedCorrection) -> str:
        return name_of(record.proposed_by)

    def render_decided_by(self, record: ProposedCorrection) -> str:
        return name_of(record.decided_by) if record.decided_by else ""


class PairForm(AddressForm):
    q = forms.CharField(label="Officer", max_length=100)
    course = forms.ModelChoiceField(
        Course.objects.filter(same_as=None).order_by("title"), label="Course", to_field_name="code", empty_label="Any"
    )
    since = forms.DateField(label="Completed since", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].initial = self.since_unless_said = plus_months(today, -MONTHS_LISTED)


class PairTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    """Pairs of completions that look like one, and what to do about each."""

    officer = tables.Column(accessor="second__officer__listed_name", verbose_name="Officer", orderable=False)
    employee_id = tables.Column(
        accessor="second__officer__employee_id", verbose_name="Id", orderable=False, attrs=NARROW
    )
    first = tables.Column(verbose_name="Recorded first", orderable=False)
    second = tables.Column(verbose_name="Recorded later", orderable=False)
    why = tables.Column(accessor="apart", empty_values=(), verbose_name="Alike by", orderable=False, attrs=NARROW)
    act = tables.Column(accessor="second", verbose_name="Decide", orderable=False, exclude_from_export=True)

    caption = "Completions that look like one, the latest first"
    show_caption = True

    class Meta:
        empty_text = "Nothing looks like one that fits these filters. Take a filter away."

    nothing_yet = "No two completions look like one, or somebody decided about each."

    def __init__(self, data: Any, *, request: ViewerRequest, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.token = get_token(request)
        self.may_void = request.viewer.may(Right.RECORD)

    def render_officer(self, record: Pair) -> SafeString:
        row = record.second
        said = '{}<span class="quiet d-block small">{}</span>'
        return format_html(said, row.officer.listed_name, row.course.title)

    def value_officer(self, record: Pair) -> str:
        return record.second.officer.listed_name

    def render_first(self, value: Completion, record: Pair) -> SafeString:
        return self._link(value, record)

    def render_second(self, value: Completion, record: Pair) -> SafeString:
        return self._link(value, record)

    def _link(self, row: Completion, pair: Pair) -> SafeString:
        recorded = row.recorded_in
        by = name_of(recorded.by) if recorded.by else recorded.get_via_display()
        whose = row.officer.listed_name if pair.first.officer_id != pair.second.officer_id else ""
        what = row.course.title if pair.first.course_id != pair.second.course_id else ""
        return format_html(
            '<a href="{}">{}</a><span class="quiet d-block small text-break">{}</span>',
            reverse("completion-detail", args=[row.pk]),
            day(row.completed_on),
            ", ".join(part for part in (whose, what, row.class_number, row.certificate_number, by) if part),
        )

    def value_first(self, value: Completion) -> str:
        return self._written(value)

    def value_second(self, value: Completion) -> str:
        return self._written(value)

    def _written(self, row: Completion) -> str:
        parts = [row.completed_on.isoformat(), row.course.title, row.class_number, row.certificate_number]
        return ", ".join(part for part in parts if part)

    def render_why(self, record: Pair) -> str:
        if record.by_number:
            return "certificate number"
        return "the same day" if record.apart == 0 else f"{count(record.apart, 'day')} apart"

    def render_act(self, record: Pair) -> SafeString:
        keep = format_html(
            '<form method="post" action="{}" class="d-inline">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
            '<input type="hidden" name="first" value="{}"><input type="hidden" name="second" value="{}">'
            '<button class="btn btn-sm btn-outline-primary" aria-label="{}">Keep both</button></form>',
            reverse("duplicate-keep"),
            self.token,
            record.first.pk,
            record.second.pk,
            f"Keep both completions of {record.second.officer.listed_name}, {day(record.second.completed_on)}",
        )
        if not self.may_void:
            return keep
        return format_html(
            '{} <a class="d-inline-block" href="{}">Void the first</a>'
            ' <a class="d-inline-block" href="{}">Void the later</a>',
            keep,
            reverse("completion-void", args=[record.first.pk]),
            reverse("completion-void", args=[record.second.pk]),
        )
