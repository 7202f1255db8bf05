"""Classes to come: those a member is going to, and the next ones of the agencies that somebody reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from compliance.class_access import classes
from compliance.class_tables import seats_of, start_of, with_seats
from compliance.seat_tables import state_of, with_ahead
from compliance.templatetags.classes import days_between
from roster.access import Right, Viewer
from roster.models import Officer
from training.models import ClassSession, ClassState, Enrollment, Meeting, SeatState

#: Classes that the first page names.
MOST_NEXT = 6


@dataclass(frozen=True, slots=True)
class Coming:
    """A member's seat in a class that is not over, or their place on its waitlist."""

    session: ClassSession
    blocks: tuple[Meeting, ...]
    is_seat: bool
    #: `seat`, `waitlist, place 2`
    state: str
    #: whether the viewer may open the page of the class
    is_open: bool

    @property
    def days(self) -> str:
        if not self.blocks:
            return "no day yet"
        first, last = (timezone.localdate(block.starts_at) for block in (self.blocks[0], self.blocks[-1]))
        return days_between(first, last)


def coming(officer: Officer, viewer: Viewer) -> list[Coming]:
    """The planned classes a member has a seat in or waits for and that are not over, the next one first.

    Two queries, of which the second asks for the blocks.
    """
    midnight = start_of(viewer.today)
    blocks = Meeting.objects.select_related("topic", "place").order_by("starts_at")
    of_class = Meeting.objects.filter(session=OuterRef("session"))
    is_ahead = Exists(of_class.filter(ends_at__gt=midnight)) | ~Exists(of_class)
    rows = (
        with_ahead(Enrollment.objects.filter(is_ahead, officer=officer, session__state=ClassState.PLANNED))
        .filter(state__in=(SeatState.ENROLLED, SeatState.WAITLISTED))
        .annotate(is_open=Exists(classes(viewer).filter(pk=OuterRef("session"))))
        .select_related("session__course", "session__place", "session__agency")
        .prefetch_related(Prefetch("session__meetings", blocks))
    )
    found = [
        Coming(
            session=row.session,
            blocks=tuple(row.session.meetings.all()),
            is_seat=row.state == SeatState.ENROLLED,
            state=state_of(row),
            is_open=viewer.may(Right.READ_MEMBERS) and row.is_open,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.blocks[0].starts_at if each.blocks else datetime.max.replace(tzinfo=UTC))


def next_classes(viewer: Viewer) -> QuerySet[ClassSession]:
    """The classes under way and the next ones, the earliest first. One query.

    Each with `within`, how many of its seats are of members in reach.
    """
    rows: QuerySet[Any] = with_seats(classes(viewer))
    ahead = rows.filter(state=ClassState.PLANNED, last_at__gt=start_of(viewer.today))
    within = seats_of(SeatState.ENROLLED, Enrollment.objects.filter(officer__in=viewer.officers()))
    found: QuerySet[ClassSession] = ahead.annotate(within=within).order_by("first_at", "pk")[:MOST_NEXT]
    return found
