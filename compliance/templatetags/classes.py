"""What every page of a class shares: its tabs, its days and the state it is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from compliance import sentences
from roster.access import Right, Viewer
from training.models import ClassSession, ClassState, Meeting, Outcome
from training.schedule import last_day, when

register = template.Library()


@dataclass(frozen=True)
class Tab:
    """`name` is what a page gives as `tab` when it includes the header; `right` is what the page asks for."""

    name: str
    label: str
    url_name: str
    right: Right


#: The pages of a class in their order. An address takes the number of the class and nothing else.
TABS: tuple[Tab, ...] = (
    Tab("class", "Class", "class-detail", Right.READ_MEMBERS),
    Tab("seats", "Seats", "class-seats", Right.READ_MEMBERS),
    Tab("attendance", "Attendance", "class-attendance", Right.READ_CLASS_FILES),
    Tab("tests", "Tests", "class-tests", Right.READ_CLASS_FILES),
    Tab("finish", "Finish", "class-finish", Right.READ_CLASS_FILES),
    Tab("papers", "Papers", "class-papers", Right.READ_CLASS_FILES),
)


@dataclass(frozen=True)
class Shown:
    label: str
    url: str
    is_here: bool


@register.simple_tag(takes_context=True)
def class_tabs(context: RequestContext, session: ClassSession, here: str) -> list[Shown]:
    """The pages of this class that the user may open."""
    request = context["request"]
    viewer: Viewer = request.viewer
    return [
        Shown(tab.label, class_address(tab.url_name, session, request), tab.name == here)
        for tab in TABS
        if viewer.may(tab.right)
    ]


@register.simple_tag(takes_context=True)
def class_url(context: RequestContext, url_name: str, session: ClassSession, *args: Any) -> str:
    """A page of a class; it names the agency where this address had to."""
    return class_address(url_name, session, context["request"], *args)


def class_address(url_name: str, session: ClassSession, request: Any, *args: Any) -> str:
    url = reverse(url_name, args=[session.number, *args])
    return f"{url}?{urlencode({'agency': session.agency.code})}" if request.GET.get("agency") else url


@register.filter
def class_days(session: ClassSession) -> str:
    """`2 to 6 Mar 2026`, `30 Mar to 3 Apr 2026`: of a class that `class_access.classes` gave."""
    if session.first_at is None:  # type: ignore[attr-defined] # annotated by class_access.classes
        return "no block yet"
    return days_between(*class_span(session))


def class_span(session: ClassSession) -> tuple[date, date]:
    """Its first and last day on the clock of the agency."""
    return timezone.localdate(session.first_at), last_day(session.last_at)  # type: ignore[attr-defined] # the same


def days_between(first: date, last: date) -> str:
    if first == last:
        return sentences.day(first)
    if first.year != last.year:
        return f"{sentences.day(first)} to {sentences.day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%b} to {sentences.day(last)}"
    return f"{first.day} to {sentences.day(last)}"


@register.filter
def block_time(block: Meeting) -> str:
    """`3 Mar 2026, 08:00 to 12:00`."""
    return when(block.starts_at, block.ends_at)


@register.filter
def class_state(session: ClassSession, today: date) -> str:
    """`planned`, `under way`, `taught, not finished`, `finished` or `cancelled`, on that day."""
    if session.state != ClassState.PLANNED or session.first_at is None:  # type: ignore[attr-defined] # the same
        return str(session.get_state_display())
    first, last = class_span(session)
    return "planned" if today < first else "under way" if today <= last else "taught, not finished"


@register.filter
def outcome_word(verdict: str) -> str:
    """`passed`, `failed`, `incomplete`, `did not come`."""
    return str(Outcome(str(verdict)).label)
