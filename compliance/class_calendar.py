"""The calendar: which blocks a viewer sees and what they mean for them, by month, by week and as a feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from compliance.class_access import classes
from compliance.class_tables import end_of, start_of
from compliance.sentences import count
from roster.access import Right, Viewer
from training.calendar import FeedEntry
from training.models import ClassEvent, ClassSession, ClassState, Enrollment, Meeting, SeatState, Teaching
from training.schedule import holidays

ONE_DAY, ONE_WEEK = timedelta(days=1), timedelta(weeks=1)
#: A feed goes so far back; forward it has no end.
FEED_BACK = timedelta(days=90)
#: What somebody's place on the list of a class is called, by its state; the rest are no seats.
SEATS = {
    SeatState.ENROLLED: "your seat",
    SeatState.NO_SHOW: "your seat",
    SeatState.WAITLISTED: "on the waitlist",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A block as one viewer sees it."""

    meeting: Meeting
    #: `your seat`, `on the waitlist`, `you teach`; blank where the viewer has no part in it
    mine: str
    #: members of the viewer's units with a seat; None for whoever commands no unit
    members: int | None
    #: whether the viewer may open the page of the class
    is_open: bool

    @property
    def session(self) -> ClassSession:
        return self.meeting.session

    @property
    def day(self) -> date:
        return timezone.localdate(self.meeting.starts_at)

    @property
    def is_cancelled(self) -> bool:
        return self.session.state == ClassState.CANCELLED

    @property
    def instructors(self) -> str:
        return ", ".join(str(row.instructor) for row in self.meeting.teaching.all())

    @property
    def times(self) -> str:
        """`08:00–12:00`."""
        return f"{timezone.localtime(self.meeting.starts_at):%H:%M}–{timezone.localtime(self.meeting.ends_at):%H:%M}"

    @property
    def part(self) -> str:
        """What the block is for the viewer, in words; blank for nothing."""
        members = f"{count(self.members, 'member')} of yours" if self.members else ""
        return ", ".join(filter(None, [self.mine, members]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the address."""

    place: str = ""
    course: str = ""
    instructor: str = ""

    def narrow(self, rows: QuerySet[Meeting]) -> QuerySet[Meeting]:
        for word in self.place.split():
            rows = rows.filter(place__name__icontains=word)
        for word in self.course.split():
            rows = rows.filter(Q(session__course__title__icontains=word) | Q(session__course__code__icontains=word))
        if self.instructor:
            teaching = Teaching.objects.filter(meeting=OuterRef("pk"))
            for word in self.instructor.split():
                teaching = teaching.filter(
                    Q(instructor__name__icontains=word)
                    | Q(instructor__officer__last_name__icontains=word)
                    | Q(instructor__officer__first_name__icontains=word)
                )
            rows = rows.filter(Exists(teaching))
        return rows


def items(viewer: Viewer, first: date, last: date, wanted: Wanted | None = None) -> list[Item]:
    """The blocks of these days that the viewer sees, in order. Five queries at most, whatever their number.

    Whoever reads members sees the classes of their agencies; everybody sees those they have a seat in or teach.
    """
    rows = Meeting.objects.filter(starts_at__lt=end_of(last), ends_at__gt=start_of(first))
    reach = Q(session__in=own_sessions(viewer)) | Q(pk__in=own_blocks(viewer))
    if viewer.may(Right.READ_MEMBERS):
        reach |= Q(session__in=classes(viewer).values("pk"))
    return _items(viewer, (wanted or Wanted()).narrow(rows.filter(reach)))


def own_sessions(viewer: Viewer) -> QuerySet[Any]:
    """The classes in which the viewer has a seat or waits for one."""
    seats = Enrollment.objects.filter(officer__in=viewer.own, state__in=SEATS)
    return seats.values("session")


def own_blocks(viewer: Viewer) -> QuerySet[Any]:
    """The blocks that the viewer teaches."""
    return Teaching.objects.filter(instructor__officer__in=viewer.own).values("meeting")


def _items(viewer: Viewer, rows: QuerySet[Meeting]) -> list[Item]:
    teaching = Teaching.objects.select_related("instructor__officer").order_by("id")
    found = list(
        rows.select_related("session__course", "session__agency", "place", "topic")
        .prefetch_related(Prefetch("teaching", teaching))
        .order_by("starts_at", "id")
    )
    sessions = {row.session_id for row in found}
    own = _own_seats(viewer, sessions) if viewer.own else {}
    members = _members(viewer, sessions) if viewer.units else None
    agencies = _agencies(viewer)
    return [
        Item(
            row,
            _mine(row, own, viewer),
            members.get(row.session_id, 0) if members is not None else None,
            viewer.may(Right.READ_MEMBERS) and (agencies is None or row.session.agency_id in agencies),
        )
        for row in found
    ]


def _agencies(viewer: Viewer) -> set[int] | None:
    """The agencies whose classes the viewer may open; None = all."""
    if viewer.agencies is None:
        return None
    return {*viewer.agencies, *(viewer.tree.units[key].agency_id for key in viewer.units)}


def _own_seats(viewer: Viewer, sessions: Iterable[int]) -> dict[int, str]:
    seats = Enrollment.objects.filter(officer__in=viewer.own, session__in=sessions, state__in=SEATS)
    return dict(seats.values_list("session", "state"))


def _members(viewer: Viewer, sessions: Iterable[int]) -> dict[int, int]:
    """Class -> how many of the viewer's members have a seat in it."""
    seats = Enrollment.objects.filter(session__in=sessions, state__in=(SeatState.ENROLLED, SeatState.NO_SHOW))
    return dict(
        seats.filter(officer__in=viewer.officers().values("pk"))
        .order_by()
        .values_list("session")
        .annotate(number=Count("pk"))
    )


def _mine(row: Meeting, own: dict[int, str], viewer: Viewer) -> str:
    if any(one.instructor.officer_id in viewer.own for one in row.teaching.all()):
        return "you teach"
    state = own.get(row.session_id)
    return SEATS[SeatState(state)] if state else ""


# --- months and weeks ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A class on one day of a month: its blocks of that day in one line."""

    items: tuple[Item, ...]

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def times(self) -> str:
        last = timezone.localtime(self.items[-1].meeting.ends_at)
        return f"{timezone.localtime(self.first.meeting.starts_at):%H:%M}–{last:%H:%M}"

    @property
    def places(self) -> str:
        return ", ".join(dict.fromkeys(item.meeting.place.name for item in self.items if item.meeting.place))

    @property
    def part(self) -> str:
        """What it is for the viewer: `you teach` where they teach any of its blocks."""
        return next((item.part for item in self.items if item.mine == "you teach"), self.first.part)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    #: of the month asked about
    is_in: bool
    items: tuple[Item, ...]
    #: the federal holiday that it is; blank for none
    holiday: str

    @property
    def lines(self) -> list[Line]:
        by_class: dict[int, list[Item]] = {}
        for item in self.items:
            by_class.setdefault(item.session.pk, []).append(item)
        return [Line(tuple(found)) for found in by_class.values()]


def week_of(day: date) -> date:
    """The Sunday on which the week of that day begins."""
    return day - timedelta(days=day.isoweekday() % 7)


def span_of(day: date, *, is_month: bool) -> tuple[date, date]:
    """The first and the last day that a page of that month or week shows: whole weeks, Sunday to Saturday."""
    if not is_month:
        return week_of(day), week_of(day) + ONE_WEEK - ONE_DAY
    last = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
    return week_of(day.replace(day=1)), week_of(last) + ONE_WEEK - ONE_DAY


def step(day: date, by: int, *, is_month: bool) -> date:
    """A day of the month or week before (-1) or after (1)."""
    if not is_month:
        return day + by * ONE_WEEK
    return (day.replace(day=1) + timedelta(days=32 if by > 0 else -1)).replace(day=1)


def weeks(found: Iterable[Item], first: date, last: date, *, month: int | None) -> list[list[Day]]:
    """The days from first to last in rows of seven, each with its blocks; one over midnight is on its first day."""
    by_day: dict[date, list[Item]] = {}
    for item in found:
        by_day.setdefault(max(item.day, first), []).append(item)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    free = holidays(first, last)
    made = [
        Day(day, month is None or day.month == month, tuple(by_day.get(day, ())), free.get(day, "")) for day in days
    ]
    return [made[start : start + 7] for start in range(0, len(made), 7)]


# --- the feed --------------------------------------------------------------------------------------------------------


def feed_items(viewer: Viewer) -> list[Item]:
    """What the viewer's feed holds: classes of agencies read whole, classes with seats of members of their units, own.

    Never more than the calendar page shows them.
    """
    reach = Q(session__in=own_sessions(viewer)) | Q(pk__in=own_blocks(viewer))
    if viewer.agencies is None:
        reach = Q()
    elif viewer.agencies:
        reach |= Q(session__agency__in=viewer.agencies)
    since = start_of(viewer.today - FEED_BACK)
    rows = Meeting.objects.filter(ends_at__gte=since)
    if viewer.units and viewer.agencies is not None:
        theirs = Enrollment.objects.filter(
            officer__in=viewer.officers().values("pk"), state__in=(SeatState.ENROLLED, SeatState.NO_SHOW)
        )
        in_reach = classes(viewer).filter(pk__in=theirs.values("session")).values("pk")
        reach |= Q(session__in=in_reach)
    return _items(viewer, rows.filter(reach))


def feed_entries(viewer: Viewer, address_of: Callable[[ClassSession], str]) -> Iterator[FeedEntry]:
    """The entries of the viewer's feed. Six queries at most; `address_of` gives the page of a class."""
    found = feed_items(viewer)
    changes = _changes({item.session.pk for item in found})
    for item in found:
        at, sequence = changes.get(item.session.pk, (item.session.created_at, 0))
        yield _entry(item, viewer, at, sequence, address_of(item.session) if item.is_open else "")


def _changes(sessions: Iterable[int]) -> dict[int, tuple[datetime, int]]:
    """Class -> when it was last changed and how often. One query."""
    events = ClassEvent.objects.filter(session__in=sessions).order_by()
    rows = events.values_list("session").annotate(at=Max("at"), number=Count("pk"))
    return {session: (at, number) for session, at, number in rows}


def _entry(item: Item, viewer: Viewer, at: datetime, sequence: int, url: str) -> FeedEntry:
    reads_names = viewer.agencies is None or item.session.agency_id in viewer.agencies or bool(item.mine)
    words = [
        f"Class {item.session.number}, {item.session.course.title}",
        f"Instructors: {item.instructors}" if reads_names and item.instructors else "",
        item.part,
    ]
    cancelled = "Cancelled: " if item.is_cancelled else ""
    waits = "Waitlist: " if item.mine == SEATS[SeatState.WAITLISTED] else ""
    name = item.meeting.title or (item.meeting.topic.name if item.meeting.topic else "")
    title = f"{item.session.course.title}: {name}" if name else item.session.course.title
    place = item.meeting.place
    return FeedEntry(
        uid=f"{item.session.token}-{item.meeting.pk}@cit-tracker",
        starts_at=item.meeting.starts_at,
        ends_at=item.meeting.ends_at,
        summary=f"{cancelled}{waits}{title}",
        description="\n".join(filter(None, words)),
        place=", ".join(filter(None, [place.name, place.address])) if place else "",
        url=url,
        changed_at=at,
        sequence=sequence,
        is_cancelled=item.is_cancelled,
    )
