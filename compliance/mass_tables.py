"""The tables of mass acts and of the members of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import ListFilter
from compliance.grant_tables import WIDE
from compliance.models import MassAct, MassLine, Requirement
from compliance.sentences import day, name_of
from compliance.templatetags.shown import state_badge
from roster.access import Viewer

#: How far an act is: the state it is shown like, and its sign.
SHOWN_AS = {
    "looking": "in_grace",
    "looked": "in_grace",
    "recording": "in_grace",
    "recorded": "current",
    "ending": "in_grace",
    "ended": "excused",
}
COUNT = {"th": {"class": "number narrow-hide"}, "td": {"class": "number narrow-hide"}}
VERDICTS = {"granted": "current", "too_late": "overdue", "needs_none": "excused", "own": "in_grace"}


class MassFilter(ListFilter):
    q = django_filters.CharFilter(label="Why or reference", method="by_words", max_length=100)
    requirement = django_filters.ModelChoiceFilter(
        label="Requirement", queryset=Requirement.objects.all(), to_field_name="code", empty_label="Any"
    )
    kind = django_filters.ChoiceFilter(label="Kind", choices=MassAct.Kind.choices, empty_label="Any")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[choice for choice in MassAct.State.choices if choice[0] != MassAct.State.DISCARDED],
        empty_label="Any",
    )

    class Meta:
        model = MassAct
        fields: tuple[str, ...] = ()

    def by_words(self, rows: QuerySet[MassAct], name: str, value: str) -> QuerySet[MassAct]:
        return rows.filter(why__icontains=value) | rows.filter(approval__icontains=value)


class MassTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Mass extensions and waivers"
    show_caption = True
    nothing_yet = (
        "Nothing has been granted to many yet. One act grants an extension or a waiver to everybody in a population."
    )

    act = tables.Column(accessor="kind", order_by=("kind", "pk"), verbose_name="Act")
    requirement = tables.Column(
        accessor="requirement__title", verbose_name="Requirement", order_by=("requirement__order", "pk")
    )
    on_day = tables.DateColumn(format="j M Y", verbose_name="Day", attrs=NARROW)
    until_on = tables.DateColumn(format="j M Y", verbose_name="Until", attrs={"td": {"class": "narrow"}})
    members = tables.Column(accessor="counts__granted", orderable=False, verbose_name="Members", attrs=COUNT)
    why = tables.Column(attrs=WIDE)
    approval = tables.Column(verbose_name="Reference", attrs=WIDE)
    approver = tables.Column(
        order_by=("approver__last_name", "approver__username"), verbose_name="Approved by", attrs=WIDE
    )
    asked_at = tables.Column(verbose_name="Asked for", order_by=("asked_at", "pk"), attrs=WIDE)
    state = tables.Column()

    class Meta:
        default = "–"
        order_by = "-asked_at"
        empty_text = "No mass act fits these filters."

    def render_act(self, record: MassAct) -> SafeString:
        url = reverse("mass-detail", args=[record.pk])
        return format_html('<a href="{}">{}</a>', url, record.get_kind_display().capitalize())

    def value_act(self, record: MassAct) -> str:
        return str(record.kind)

    def render_approver(self, value: Any) -> str:
        return name_of(value)

    def render_asked_at(self, record: MassAct) -> str:
        return f"{day(timezone.localdate(record.asked_at))}, {name_of(record.asked_by)}"

    def value_asked_at(self, value: datetime) -> str:
        return timezone.localtime(value).isoformat()

    def render_state(self, record: MassAct) -> SafeString:
        return state_badge(SHOWN_AS[record.state], record.get_state_display())

    def value_state(self, record: MassAct) -> str:
        return str(record.state)


class MassLineTable(tables.Table):  # type: ignore[misc] # the same
    show_caption = True

    officer = tables.Column(
        accessor="officer__listed_name",
        order_by=("officer__last_name", "officer__first_name", "officer__employee_id"),
        verbose_name="Officer",
    )
    employee_id = tables.Column(accessor="officer__employee_id", verbose_name="Id", attrs=NARROW)
    unit = tables.Column(accessor="unit__name", verbose_name="Unit", attrs=WIDE)
    was = tables.Column(verbose_name="State on the day", attrs=NARROW)
    due_on = tables.Column(verbose_name="Date in force")
    becomes = tables.Column(empty_values=(), orderable=False, verbose_name="With it")
    verdict = tables.Column()

    class Meta:
        default = "–"
        order_by = "officer"
        empty_text = "Nobody: the population is empty on this day, or the filter leaves nobody."

    def __init__(self, data: Any, *, act: MassAct, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.act, self.viewer = act, viewer
        self.caption = f"Members in the population on {day(act.on_day)}"

    def render_officer(self, record: MassLine) -> SafeString:
        """Always a link: whoever reads an act reads its agencies whole."""
        url = reverse("officer-detail", args=[record.officer.employee_id])
        return format_html('<a href="{}">{}</a>', url, record.officer.listed_name)

    def value_officer(self, record: MassLine) -> str:
        return record.officer.listed_name

    def render_was(self, value: str) -> SafeString:
        return state_badge(value)

    def value_was(self, value: str) -> str:
        return value

    def render_due_on(self, value: date) -> str:
        return day(value)

    def value_due_on(self, value: date | None) -> date | None:
        return value

    def render_becomes(self, record: MassLine) -> str:
        if record.verdict != MassLine.Verdict.GRANTED:
            return "–"
        if self.act.kind == MassAct.Kind.WAIVER:
            return f"excused through {day(self.act.until_on)}"
        return day(self.act.until_on)

    def value_becomes(self, record: MassLine) -> date | None:
        return self.act.until_on if record.verdict == MassLine.Verdict.GRANTED else None

    def render_verdict(self, record: MassLine) -> SafeString:
        return state_badge(VERDICTS[record.verdict], record.get_verdict_display())

    def value_verdict(self, record: MassLine) -> str:
        return record.get_verdict_display()
