"""The tables of instructors and places, and what an instructor's own training has due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import django_tables2 as tables
from django import forms
from django.db.models import Min, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.completion_tables import NARROW
from compliance.filters import AddressForm
from compliance.grant_tables import WIDE
from compliance.models import Standing
from compliance.sentences import count, day
from compliance.templatetags.classes import days_between
from compliance.templatetags.shown import state_badge
from roster.access import Viewer
from roster.models import open_on
from training.instructors import Due, Fitness, due
from training.models import ClassSession, Instructor, Meeting, Place, Qualification, Teaching

#: How each answer looks: with the colours of the standings.
LOOKS = {
    Fitness.IN_FORCE: "current",
    Fitness.DUE_SOON: "in_grace",
    Fitness.OUT_OF_DATE: "overdue",
    Fitness.NONE: "excused",
}

#: What the list says of those who need somebody to act.
NEEDS = {
    Fitness.OUT_OF_DATE: "out of date",
    Fitness.DUE_SOON: "due within 90 days",
    Fitness.NONE: "without a qualification entered",
}


def instructors(viewer: Viewer) -> QuerySet[Instructor]:
    """The instructors of the agencies that this user reads whole."""
    found = Instructor.objects.select_related("officer__agency", "agency")
    return found if viewer.agencies is None else found.filter(agency__in=viewer.agencies)


def places(viewer: Viewer) -> QuerySet[Place]:
    """The places of the agencies that this user reads whole."""
    found = Place.objects.select_related("agency")
    return found if viewer.agencies is None else found.filter(agency__in=viewer.agencies)


def own_standings(found: Iterable[Instructor], viewer: Viewer) -> dict[int, list[Standing]]:
    """Member id -> standings today, soonest due first, of those whose page the viewer may open. Two queries at most."""
    members = [one.officer for one in found if one.officer is not None]
    open_to = viewer.openable(members)
    today = Standing.objects.filter(open_on(viewer.today), start_on__lte=viewer.today)
    rows = today.filter(officer__in=open_to).select_related("requirement")
    by_member: dict[int, list[Standing]] = {}
    for row in sorted(rows if open_to else (), key=lambda row: row.due_on or date.max):
        by_member.setdefault(row.officer_id, []).append(row)
    return by_member


@dataclass(frozen=True, slots=True)
class InstructorRow:
    """One line of the list."""

    instructor: Instructor
    name: str
    due: Due
    #: of a member: the standing of theirs that falls due first
    own: Standing | None
    next_at: datetime | None

    @property
    def until(self) -> date | None:
        return self.due.until

    @property
    def order(self) -> tuple[int, date, str]:
        """Who needs somebody first: out of date, due soon, nothing entered, in force."""
        rank = [Fitness.OUT_OF_DATE, Fitness.DUE_SOON, Fitness.NONE, Fitness.IN_FORCE].index(self.due.fitness)
        return rank, self.due.until or date.max, self.name.casefold()

    @property
    def own_due(self) -> date:
        return (self.own.due_on if self.own else None) or date.max


def instructor_rows(found: Sequence[Instructor], viewer: Viewer) -> list[InstructorRow]:
    """The lines of these instructors. Four queries at most, whatever their number."""
    held: dict[int, list[Qualification]] = {}
    for row in Qualification.objects.filter(instructor__in=found):
        held.setdefault(row.instructor_id, []).append(row)
    coming = Teaching.objects.filter(instructor__in=found, is_off=False, ends_at__gte=timezone.now())
    next_at = dict(coming.order_by().values_list("instructor").annotate(Min("starts_at")))
    own = own_standings(found, viewer)
    return [
        InstructorRow(
            one,
            one.officer.listed_name if one.officer else one.name,
            due(held.get(one.pk, ()), today=viewer.today),
            own.get(one.officer_id or 0, [None])[0],
            next_at.get(one.pk),
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class Ahead:
    """A class in which an instructor teaches, or that is in a place: its blocks to come."""

    session: ClassSession
    days: str
    blocks: int
    #: what somebody has to look at; blank for nothing
    warning: str


def ahead(blocks: Iterable[Meeting], warn: Callable[[list[Meeting]], str]) -> list[Ahead]:
    """The classes of these blocks, which are in order, the first to begin first. `warn` is asked of each class."""
    by_class: dict[int, list[Meeting]] = {}
    for block in blocks:
        by_class.setdefault(block.session_id, []).append(block)
    return [
        Ahead(
            found[0].session,
            days_between(timezone.localdate(found[0].starts_at), timezone.localdate(found[-1].starts_at)),
            len(found),
            warn(found),
        )
        for found in by_class.values()
    ]


def without_qualification(outside: Collection[Meeting]) -> Callable[[list[Meeting]], str]:
    """Says how many blocks of a class are among those on whose day the qualification of their instructor is out."""

    def warn(blocks: list[Meeting]) -> str:
        number = sum(block in outside for block in blocks)
        of = f"{number} of " if number < len(blocks) else ""
        return f"{of}{count(len(blocks), 'block')}: the qualification is not in force then." if number else ""

    return warn


def without_room(place: Place) -> Callable[[list[Meeting]], str]:
    """Says that a class has more seats than a place holds."""

    def warn(blocks: list[Meeting]) -> str:
        seats = blocks[0].session.capacity
        is_small = place.capacity is not None and seats > place.capacity
        return f"{count(seats, 'seat')}, more than the place holds." if is_small else ""

    return warn


def tally(rows: Iterable[InstructorRow]) -> list[tuple[int, str, str]]:
    """(how many, what, the filter's word) of those who teach and need somebody to act."""
    found = Counter(row.due.fitness for row in rows if not row.instructor.is_retired)
    return [(found[each], words, each.name.lower()) for each, words in NEEDS.items() if found[each]]


class InstructorFilter(AddressForm):
    q = forms.CharField(label="Name or employer", max_length=100)
    fitness = forms.ChoiceField(
        label="Qualification", choices=[("", "any"), *((one.name.lower(), one.value) for one in Fitness)]
    )
    show = forms.ChoiceField(label="Show", choices=[("", "who teaches"), ("all", "also who teaches no longer")])

    def filtered(self, rows: Iterable[InstructorRow]) -> list[InstructorRow]:
        values = self.cleaned_data
        words = values.get("q", "").casefold().split()
        return [
            row
            for row in rows
            if (values.get("show") or not row.instructor.is_retired)
            and (not values.get("fitness") or row.due.fitness.name.lower() == values["fitness"])
            and all(word in f"{row.name} {row.instructor.employer}".casefold() for word in words)
        ]


def fitness_badge(found: Due) -> SafeString:
    """`▲ out of date, ended 4 Mar 2026`, `▨ due 4 Mar 2026`, `✓ in force until 4 Mar 2026`."""
    words = str(found.fitness)
    if found.until is not None:
        words = {
            Fitness.OUT_OF_DATE: f"out of date, ended {day(found.until)}",
            Fitness.DUE_SOON: f"due {day(found.until)}",
        }.get(found.fitness, f"in force until {day(found.until)}")
    return state_badge(LOOKS[found.fitness], words)


class InstructorTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Instructors, those who need a renewal first"
    show_caption = True

    name = tables.Column(verbose_name="Instructor")
    employer = tables.Column(accessor="instructor__employer", verbose_name="Employer", attrs=WIDE, empty_values=())
    qualification = tables.Column(accessor="order", verbose_name="Qualification", order_by="order")
    until = tables.DateColumn(format="j M Y", verbose_name="First to end", attrs=NARROW)
    own = tables.Column(accessor="own_due", verbose_name="Own training", order_by="own_due", attrs=NARROW)
    next_at = tables.DateTimeColumn(format="j M Y, H:i", verbose_name="Teaches next", attrs=WIDE)

    class Meta:
        default = "–"
        order_by = "qualification"
        empty_text = "No instructor fits these filters. Add one with the button above."

    def render_name(self, record: InstructorRow) -> SafeString:
        url = reverse("instructor-detail", args=[record.instructor.pk])
        ended = " (teaches no longer)" if record.instructor.is_retired else ""
        return format_html('<a href="{}">{}</a>{}', url, record.name, ended)

    def value_name(self, record: InstructorRow) -> str:
        return record.name

    def render_employer(self, record: InstructorRow) -> str:
        return record.instructor.employer or ("–" if record.instructor.officer is None else "member")

    def render_qualification(self, record: InstructorRow) -> SafeString:
        return fitness_badge(record.due)

    def value_qualification(self, record: InstructorRow) -> str:
        return str(record.due.fitness)

    def render_own(self, record: InstructorRow) -> SafeString | str:
        if record.own is None:
            return "–"
        words = record.own.state.replace("_", " ")
        return state_badge(record.own.state, f"{words}, due {day(record.own.due_on)}" if record.own.due_on else words)

    def value_own(self, record: InstructorRow) -> str:
        if record.own is None:
            return ""
        return f"{record.own.state.replace('_', ' ')} {record.own.due_on or ''}".strip()


class PlaceFilter(AddressForm):
    q = forms.CharField(label="Name or address", max_length=100)
    show = forms.ChoiceField(label="Show", choices=[("", "in use"), ("all", "also no longer used")])


def place_rows(viewer: Viewer, form: PlaceFilter) -> QuerySet[Place]:
    """Each with `next_at`, when the next block in it begins."""
    coming = Meeting.objects.filter(place=OuterRef("pk"), is_off=False, ends_at__gte=timezone.now()).order_by()
    found = places(viewer).annotate(next_at=Subquery(coming.values("place").annotate(at=Min("starts_at")).values("at")))
    values = form.cleaned_data
    if not values.get("show"):
        found = found.filter(is_retired=False)
    for word in values.get("q", "").split():
        found = found.filter(name__icontains=word) | found.filter(address__icontains=word)
    return found


class PlaceTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Places where classes are held"
    show_caption = True

    name = tables.Column(order_by=("name", "pk"), verbose_name="Place")
    address = tables.Column(order_by=("address", "pk"), verbose_name="Address", attrs=WIDE)
    capacity = tables.Column(
        order_by=("capacity", "pk"),
        verbose_name="People",
        attrs={"th": {"class": "number"}, "td": {"class": "number"}},
    )
    next_at = tables.DateTimeColumn(
        format="j M Y, H:i", order_by=("next_at", "pk"), verbose_name="Next used", attrs=NARROW
    )
    is_retired = tables.BooleanColumn(
        yesno="no longer used,in use", order_by=("is_retired", "pk"), verbose_name="State", attrs=NARROW
    )

    class Meta:
        default = "–"
        order_by = "name"
        empty_text = "No place fits these filters. Add one with the button above."

    def render_name(self, record: Place) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("place-detail", args=[record.pk]), record.name)

    def value_name(self, record: Place) -> str:
        return record.name

    def render_is_retired(self, value: bool) -> str:
        return "no longer used" if value else "in use"
