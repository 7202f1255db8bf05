"""What the papers of a class are made of: its rows, in a fixed number of queries whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from compliance import sentences
from compliance.templatetags.classes import days_between
from roster.models import Assignment, AssignmentKind, Officer, open_on
from training.models import (
    ClassSession,
    ClassState,
    Enrollment,
    Meeting,
    SeatState,
    Teaching,
)
from training.schedule import last_day


def blocks_of(session: ClassSession) -> list[Meeting]:
    """The blocks in order of time, with place, topic and instructors. Two queries."""
    teaching = Teaching.objects.select_related("instructor__officer").order_by("pk")
    found = session.meetings.select_related("place", "topic").order_by("starts_at", "pk")
    return list(found.prefetch_related(Prefetch("teaching", teaching)))


def seats_of(session: ClassSession) -> list[Enrollment]:
    """Everybody on the list of the class, by name. One query."""
    return sorted(_seats(session), key=lambda seat: (seat.name.casefold(), seat.pk))


def _seats(session: ClassSession) -> QuerySet[Enrollment]:
    return session.enrollments.select_related("officer__agency", "completion")


def expected(seats: Iterable[Enrollment]) -> list[Enrollment]:
    """Those with a seat: whoever was to come, and who was then noted as not having come."""
    return [seat for seat in seats if seat.state in (SeatState.ENROLLED, SeatState.NO_SHOW)]


def homes_on(day: date, officers: Iterable[Officer]) -> dict[int, Assignment]:
    """Member -> home assignment of that day, with its unit and shift. One query."""
    rows = (
        Assignment.objects.known()
        .filter(open_on(day), officer__in=list(officers), kind=AssignmentKind.HOME, start_on__lte=day)
        .select_related("unit", "shift")
    )
    return {row.officer_id: row for row in rows}


# Words


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody with a seat is named on paper."""

    id: str
    name: str
    agency: str


def person_of(seat: Enrollment) -> Person:
    if seat.officer is None:
        return Person(seat.outside_id, seat.outside_name, seat.outside_agency)
    return Person(seat.officer.employee_id, seat.officer.listed_name, seat.officer.agency.name)


def names_of(seats: Iterable[Enrollment]) -> dict[int, str]:
    """Seat -> the name by which lines tell it; two of one name are told apart by their ids, else by their agencies."""
    listed = list(seats)
    often = Counter(seat.name.casefold() for seat in listed)
    found = {}
    for seat in listed:
        person = person_of(seat)
        own = f"id {person.id}" if person.id else person.agency
        found[seat.pk] = f"{person.name} ({own})" if own and often[seat.name.casefold()] > 1 else person.name
    return found


def notice_of(session: ClassSession) -> str:
    """What whoever holds a paper of this class has to know first; blank for most."""
    return "This class was cancelled." if session.state == ClassState.CANCELLED else ""


def day_of(at: datetime) -> date:
    """The day on the clock of the agency."""
    return timezone.localdate(at)


def days_of(blocks: Sequence[Meeting]) -> str:
    """`2 to 6 Mar 2026`; in words where there is no block."""
    if not blocks:
        return "no block is planned"
    return days_between(day_of(blocks[0].starts_at), max(last_day(block.ends_at) for block in blocks))


def moment(at: datetime) -> str:
    """`2 Mar 2026 08:05`: on the clock of the agency."""
    local = timezone.localtime(at)
    return f"{sentences.day(local.date())} {local:%H:%M}"


def span(starts_at: datetime, ends_at: datetime) -> str:
    """`Mon 2 Mar 2026, 08:00 to 12:00`; where the clock changes in between, each time says by which it is told."""
    first, last = timezone.localtime(starts_at), timezone.localtime(ends_at)
    zone = " %Z" if first.utcoffset() != last.utcoffset() else ""
    over = f"{sentences.day(last.date())}, " if last.date() != first.date() else ""
    return f"{first:%a} {sentences.day(first.date())}, {first:%H:%M{zone}} to {over}{last:%H:%M{zone}}"


def minutes_between(starts_at: datetime, ends_at: datetime) -> int:
    return int((ends_at - starts_at).total_seconds() // 60)


def length(minutes: int) -> str:
    """`4 h`, `3 h 30 min`, `45 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])


def block_name(number: int, block: Meeting) -> str:
    """`Block 3, De-escalation`: its number from 1, and what it is called."""
    called = block.title or (block.topic.name if block.topic else "")
    return f"Block {number}, {called}" if called else f"Block {number}"


def runs(numbers: Iterable[int]) -> str:
    """`1 to 3, 5`: numbers in rising order, with what follows one another drawn together."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    told = (f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in found)
    return ", ".join(told)


def instructors_of(block: Meeting) -> str:
    return ", ".join(str(row.instructor) for row in block.teaching.all())


def all_instructors(blocks: Iterable[Meeting]) -> list[str]:
    """Everybody who teaches in the class, once, in the order in which they first do."""
    return list(dict.fromkeys(str(row.instructor) for block in blocks for row in block.teaching.all()))


def place_of(session: ClassSession, block: Meeting | None = None) -> str:
    place = (block.place if block is not None else None) or session.place
    if place is None:
        return "no place yet"
    return f"{place.name}, {place.address}" if place.address else place.name


def hours(value: Decimal | None) -> str:
    """`40 h`, `7.5 h`; blank for none."""
    return f"{value.normalize():f} h" if value is not None else ""
