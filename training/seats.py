"""Seats in a class: who gets one, who waits, who is refused and why, and who moves up when one is free.

Each act locks the class's row, then the rows of the members concerned, and looks again: of two people who enrol at once
the second finds what the first left, so seats are never more than the class has, and nobody gets seats in two classes
at one time. Good names of a list enter in one transaction; the others are handed back with every reason.

A person may have a seat in spite of a missing prerequisite or a recorded leave, when somebody says why and it is not
their own seat. Nothing else is overridden: what is wrong is mended where it stands (an employment that was not
recorded, a seat in the other class), and then there is no reason left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from roster.access import own_members
from roster.facts import lock_officers
from roster.models import Employment, Leave, Officer
from roster.records import spoken
from training.models import (
    ClassEvent,
    ClassSession,
    ClassState,
    Completion,
    Course,
    Enrollment,
    Equivalency,
    EvidenceDecision,
    Meeting,
    Place,
    Result,
    SeatState,
    Teaching,
)
from training.schedule import INSTANT, last_day, too_small, when

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: The state that takes one of the seats: that of somebody who did not come is free for who waits at the door.
TAKEN = SeatState.ENROLLED
CLOSED = {
    ClassState.FINISHED: "The class is finished. Reopen it before you change its seats.",
    ClassState.CANCELLED: "The class is cancelled: nobody can have a seat in it.",
}


class Reason(StrEnum):
    """Why somebody cannot have a seat."""

    LISTED = "listed"
    BOOKED = "booked"
    TEACHES = "teaches"
    NOT_EMPLOYED = "not_employed"
    ON_LEAVE = "on_leave"
    PREREQUISITE = "prerequisite"


#: What a person may decide otherwise.
MAY_BE_OVERRIDDEN = frozenset({Reason.ON_LEAVE, Reason.PREREQUISITE})


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against a seat, as a sentence."""

    reason: Reason
    told: str

    @property
    def is_final(self) -> bool:
        return self.reason not in MAY_BE_OVERRIDDEN


@dataclass(frozen=True, slots=True)
class Outside:
    """A person whose records are kept elsewhere."""

    name: str
    agency: str = ""
    number: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.agency, self.number) if part)


@dataclass(frozen=True, slots=True)
class Refused:
    """A person who got no seat and no place on the waitlist, with every reason."""

    person: Officer | Outside
    why: tuple[Objection, ...]

    @property
    def may_be_overridden(self) -> bool:
        return not any(objection.is_final for objection in self.why)


@dataclass(slots=True)
class SeatsChanged:
    """What an act did to the list of a class, each in the order of the list."""

    seated: list[Enrollment] = field(default_factory=list)
    waiting: list[Enrollment] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    withdrawn: list[Enrollment] = field(default_factory=list)
    #: had waited, and have a seat now
    moved_up: list[Enrollment] = field(default_factory=list)
    #: come before these on the waitlist, and could not take the seat
    passed_over: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class SeatsRefused(ValidationError):
    """The list of a class cannot be changed; the message is a sentence for people."""


# --- what speaks against a seat --------------------------------------------------------------------------------------


def blocks(session: ClassSession) -> list[Meeting]:
    """The blocks of a class in their order. One query."""
    return list(Meeting.objects.filter(session=session).select_related("topic", "place").order_by("starts_at"))


def days_of(meetings: Iterable[Meeting]) -> list[date]:
    """The days of these blocks on the clock of the agency: also that on which one ends that goes over midnight."""
    found: set[date] = set()
    for block in meetings:
        found.add(timezone.localdate(block.starts_at))
        found.add(last_day(block.ends_at))
    return sorted(found)


def objections(
    session: ClassSession, officer_ids: Collection[int], *, has_seat: bool = False
) -> dict[int, list[Objection]]:
    """Member -> everything that speaks against a seat in this class; members whom nothing speaks against are left out.

    With `has_seat` it is asked of those on the list: whether they still could. At most ten queries.
    """
    ids = list(officer_ids)
    found: dict[int, list[Objection]] = {key: [] for key in ids}
    if not ids:
        return {}
    meetings = blocks(session)
    days = days_of(meetings)
    if not has_seat:
        _are_listed(session, ids, found)
    if days:
        _have_other_classes(session, meetings, ids, found)
        _teach(session, meetings, ids, found)
        _are_not_employed(days, ids, found)
        _are_on_leave(days, ids, found)
    _lack_prerequisites(session.course, days, ids, found)
    return {key: reasons for key, reasons in found.items() if reasons}


Found = dict[int, list[Objection]]


def _are_listed(session: ClassSession, ids: list[int], found: Found) -> None:
    rows = Enrollment.objects.filter(session=session, officer__in=ids).exclude(state=SeatState.WITHDRAWN)
    said = {
        SeatState.ENROLLED: "Has a seat in this class already.",
        SeatState.WAITLISTED: "Is on the waitlist of this class already.",
        SeatState.NO_SHOW: "Has a seat in this class already, and did not come.",
    }
    for officer, state in rows.values_list("officer_id", "state"):
        found[officer].append(Objection(Reason.LISTED, said[SeatState(state)]))


def _overlapping(meetings: Sequence[Meeting], prefix: str = "") -> Q:
    """Rows that are in force at any time of these blocks; back to back is no overlap."""
    overlap = Q()
    for block in meetings:
        overlap |= Q(**{f"{prefix}starts_at__lt": block.ends_at, f"{prefix}ends_at__gt": block.starts_at})
    return overlap


def _have_other_classes(session: ClassSession, meetings: Sequence[Meeting], ids: list[int], found: Found) -> None:
    """A seat in a class that is not cancelled; a place on a waitlist holds nobody."""
    rows = (
        Enrollment.objects.filter(_overlapping(meetings, "session__meetings__"), officer__in=ids)
        .filter(state=SeatState.ENROLLED)
        .exclude(session=session)
        .exclude(session__state=ClassState.CANCELLED)
        .order_by("session__meetings__starts_at")
        .values_list("officer_id", "session__number", "session__meetings__starts_at", "session__meetings__ends_at")
    )
    told: set[tuple[int, str]] = set()
    for officer, number, starts_at, ends_at in rows:
        if (officer, number) not in told:
            told.add((officer, number))
            said = f"Has a seat in class {number} on {when(starts_at, ends_at)}."
            found[officer].append(Objection(Reason.BOOKED, said))


def _teach(session: ClassSession, meetings: Sequence[Meeting], ids: list[int], found: Found) -> None:
    """Teaches at that time, this class or another."""
    rows = (
        Teaching.objects.filter(_overlapping(meetings), is_off=False, instructor__officer__in=ids)
        .order_by("starts_at")
        .values_list(
            "instructor__officer_id", "meeting__session__number", "meeting__session_id", "starts_at", "ends_at"
        )
    )
    told: set[tuple[int, int]] = set()
    for officer, number, key, starts_at, ends_at in rows:
        if (officer, key) not in told:
            told.add((officer, key))
            what = "this class" if key == session.pk else f"class {number}"
            found[officer].append(Objection(Reason.TEACHES, f"Teaches {what} on {when(starts_at, ends_at)}."))


Spans = dict[int, list[tuple[date, date | None]]]


def spans_of(facts: QuerySet[Employment] | QuerySet[Leave], first: date, last: date) -> Spans:
    """Member -> the periods of these facts that touch any day from the first to the last. One query."""
    rows = facts.filter(Q(end_on=None) | Q(end_on__gte=first), start_on__lte=last)
    found: Spans = {}
    for officer, start_on, end_on in rows.values_list("officer_id", "start_on", "end_on"):
        found.setdefault(officer, []).append((start_on, end_on))
    return found


def covers(spans: Iterable[tuple[date, date | None]], day: date) -> bool:
    """Whether one of these periods, both ends included, holds a day."""
    return any(start_on <= day and (end_on is None or day <= end_on) for start_on, end_on in spans)


def _are_not_employed(days: Sequence[date], ids: list[int], found: Found) -> None:
    employed = spans_of(Employment.objects.known().filter(officer__in=ids), days[0], days[-1])
    for officer in ids:
        day = next((day for day in days if not covers(employed.get(officer, ()), day)), None)
        if day is not None:
            found[officer].append(Objection(Reason.NOT_EMPLOYED, f"Is not employed on {spoken(day)}."))


def _are_on_leave(days: Sequence[date], ids: list[int], found: Found) -> None:
    """Of whatever kind: the record says that they are away."""
    away = spans_of(Leave.objects.known().filter(officer__in=ids), days[0], days[-1])
    for officer, spans in away.items():
        day = next((day for day in days if covers(spans, day)), None)
        if day is not None:
            found[officer].append(Objection(Reason.ON_LEAVE, f"Is on leave on {spoken(day)}."))


def _lack_prerequisites(course: Course, days: Sequence[date], ids: list[int], found: Found) -> None:
    asked = list(course.prerequisites.order_by("code"))
    by_day = days[0] if days else None
    held = holders(asked, by=by_day, among=ids) if asked else {}
    for one in asked:
        until = f" by {spoken(by_day)}" if by_day else ""
        lack = Objection(Reason.PREREQUISITE, f"Has no completion of {one.title} ({one.code}){until}.")
        for officer in ids:
            if officer not in held[one.pk]:
                found[officer].append(lack)


def holders(asked: Iterable[Course], *, by: date | None, among: Collection[int] | None = None) -> dict[int, set[int]]:
    """Course -> members with a completion of it up to a day that opens what it is a prerequisite of. Three queries.

    One that is known now, passed and not rejected, whatever its score; of the course itself, of a title that was mapped
    to it, or of a course that counted as it on the day of the completion. Evidence that nobody has looked at yet is
    enough for a seat, unlike for credit. Without a day every completion is looked at.
    """
    wanted = {course.pk for course in asked}
    same = Q(counts_as__in=wanted) | Q(counts_as__same_as__in=wanted)
    equals = list(Equivalency.objects.filter(same).select_related("counts_as"))
    known = wanted | {row.course_id for row in equals}
    #: course of a completion -> the course it stands for
    stands_for = {
        key: same_as or key
        for key, same_as in Course.objects.filter(Q(pk__in=known) | Q(same_as__in=known)).values_list("pk", "same_as")
    }
    decided = EvidenceDecision.objects.known().filter(completion=OuterRef("pk")).values("decision")[:1]
    rows = (
        Completion.objects.known()
        .filter(course__in=list(stands_for), result=Result.PASSED)
        .alias(shown=Coalesce(Subquery(decided), F("evidence")))
        .exclude(shown="rejected")
    )
    if by is not None:
        rows = rows.filter(completed_on__lte=by)
    if among is not None:
        rows = rows.filter(officer__in=list(among))
    found: dict[int, set[int]] = {key: set() for key in wanted}
    for officer, course, completed_on in rows.values_list("officer_id", "course_id", "completed_on"):
        itself = stands_for[course]
        if itself in found:
            found[itself].add(officer)
        for row in equals:
            counts_as = row.counts_as.same_as_id or row.counts_as_id
            if row.course_id in (course, itself) and covers([(row.start_on, row.end_on)], completed_on):
                found[counts_as].add(officer)
    return found


def with_prerequisites(course: Course, *, by: date) -> set[int] | None:
    """Members with every prerequisite of a course by that day; None where it has none. At most four queries."""
    asked = list(course.prerequisites.all())
    return set.intersection(*holders(asked, by=by).values()) if asked else None


def in_class(days: Sequence[date]) -> dict[int, set[date]]:
    """Member -> those of these days on which they sit in a class or teach one, whichever it is. Two queries."""
    first = timezone.make_aware(datetime.combine(days[0], time.min))
    until = timezone.make_aware(datetime.combine(days[-1] + timedelta(days=1), time.min))
    seats = Enrollment.objects.filter(
        officer__isnull=False,
        state=SeatState.ENROLLED,
        session__meetings__is_off=False,
        session__meetings__starts_at__lt=until,
        session__meetings__ends_at__gt=first,
    ).values_list("officer_id", "session__meetings__starts_at", "session__meetings__ends_at")
    teaching = Teaching.objects.filter(
        is_off=False, instructor__officer__isnull=False, starts_at__lt=until, ends_at__gt=first
    ).values_list("instructor__officer_id", "starts_at", "ends_at")
    found: dict[int, set[date]] = {}
    for officer, starts_at, ends_at in [*seats, *teaching]:
        held = {timezone.localdate(starts_at), last_day(ends_at)}
        found.setdefault(officer, set()).update(held & set(days))
    return {officer: held for officer, held in found.items() if held}


# --- the acts --------------------------------------------------------------------------------------------------------


def enrol(
    session: ClassSession,
    officers: Iterable[Officer],
    *,
    outside: Iterable[Outside] = (),
    by: User | None,
    now: datetime,
    why: str = "",
) -> SeatsChanged:
    """Give these people seats in their order, and places on the waitlist once the class is full.

    `why` is said to override what may be overridden; it stays with the seat. Somebody who waits gets a seat that is
    free and that nobody before them could take.
    """
    members = {officer.pk: officer for officer in officers}
    done = SeatsChanged()
    with _changing(session, members) as locked:
        own = own_members(by) if why else frozenset()
        _move_up(locked, now, done)
        against = objections(locked, members)
        rows = {row.officer_id: row for row in Enrollment.objects.filter(session=locked, officer__in=members)}
        seat = _Giver(locked, by, now, why, done)
        for key, officer in members.items():
            row = rows.get(key)
            left = against.get(key, [])
            if row is not None and row.state == SeatState.WAITLISTED and seat.room:
                left = [objection for objection in left if objection.reason is not Reason.LISTED]
            is_overridden = bool(why) and key not in own and not any(objection.is_final for objection in left)
            if left and not is_overridden:
                done.refused.append(Refused(officer, tuple(left)))
            else:
                seat.give(row or Enrollment(session=locked, officer=officer), why if left else "")
        listed = _outside_rows(locked)
        for person in dict.fromkeys(outside):
            row = listed.get(_key(person))
            if row is not None and row.state != SeatState.WITHDRAWN:
                listed_already = Objection(Reason.LISTED, "Is on the list of this class already.")
                done.refused.append(Refused(person, (listed_already,)))
            else:
                made = row or Enrollment(
                    session=locked,
                    outside_name=person.name,
                    outside_agency=person.agency,
                    outside_id=person.number,
                )
                listed[_key(person)] = made
                seat.give(made, "")
        seat.write()
        _finish(locked, done, by=by, why=why)
    return done


class _Giver:
    """Gives seats while there are any, then places on the waitlist; `write` puts all of them down. Two queries."""

    def __init__(self, session: ClassSession, by: User | None, now: datetime, why: str, done: SeatsChanged) -> None:
        self.room = session.capacity - taken(session)
        self._by, self._now, self._done, self._given = by, now, done, 0

    def give(self, row: Enrollment, why: str) -> None:
        has_room = self.room > 0
        row.state = SeatState.ENROLLED if has_room else SeatState.WAITLISTED
        # One after the other: the order of the list is the order of the waitlist.
        row.why, row.enrolled_by, row.since = why, self._by, self._now + self._given * INSTANT
        self._given += 1
        self.room -= has_room
        (self._done.seated if has_room else self._done.waiting).append(row)

    def write(self) -> None:
        given = [*self._done.seated, *self._done.waiting]
        again = [row for row in given if row.pk is not None]
        Enrollment.objects.bulk_create([row for row in given if row.pk is None])
        Enrollment.objects.bulk_update(again, ["state", "why", "enrolled_by", "since"])


def withdraw(
    session: ClassSession, enrollment_ids: Collection[int], *, why: str, by: User | None, now: datetime
) -> SeatsChanged:
    """Take these people off the list, and give their seats to the first of the waitlist who can take them."""
    done = SeatsChanged()
    with _changing(session) as locked:
        rows = (
            Enrollment.objects.filter(session=locked, pk__in=enrollment_ids)
            .filter(state__in=(SeatState.ENROLLED, SeatState.WAITLISTED))
            .select_related("officer")
            .order_by("pk")
        )
        for row in rows:
            row.state, row.why, row.since = SeatState.WITHDRAWN, why, now
            row.save(update_fields=["state", "why", "since"])
            done.withdrawn.append(row)
        _move_up(locked, now, done)
        _finish(locked, done, by=by, why=why)
    return done


def move_up(session: ClassSession, *, by: User | None, now: datetime) -> SeatsChanged:
    """Give free seats to those who wait, in order: after the class was made larger, or somebody can come again."""
    done = SeatsChanged()
    with _changing(session) as locked:
        _move_up(locked, now, done)
        _finish(locked, done, by=by, why="")
    return done


def _move_up(session: ClassSession, now: datetime, done: SeatsChanged) -> None:
    """Seats for the first of the waitlist while there are any; who cannot take one keeps the place and is passed over.

    Nobody is moved up once the class has begun: who comes in late is enrolled by a person.
    """
    room = session.capacity - taken(session)
    if room <= 0 or Meeting.objects.filter(session=session, starts_at__lte=now).exists():
        return
    waiting = list(waitlist(session))
    against = objections(session, [row.officer_id for row in waiting if row.officer_id], has_seat=True)
    for row in waiting:
        if not room:
            break
        left = [objection for objection in against.get(row.officer_id or 0, ()) if objection.is_final or not row.why]
        if left and row.officer is not None:
            done.passed_over.append(Refused(row.officer, tuple(left)))
            continue
        row.state, row.since = SeatState.ENROLLED, now
        row.save(update_fields=["state", "since"])
        done.moved_up.append(row)
        room -= 1


# --- how they are kept -----------------------------------------------------------------------------------------------


@contextmanager
def _changing(session: ClassSession, officer_ids: Iterable[int] = ()) -> Iterator[ClassSession]:
    """The class as it stands, locked, and then the members concerned with those who wait; refused when it is closed."""
    with transaction.atomic():
        rows = ClassSession.objects.select_related("agency", "course", "place")
        locked = rows.select_for_update(of=("self",)).get(pk=session.pk)
        if locked.state != ClassState.PLANNED:
            raise SeatsRefused(CLOSED[ClassState(locked.state)])
        waiting = waitlist(locked).exclude(officer=None).values_list("officer_id", flat=True)
        lock_officers([*officer_ids, *(key for key in waiting if key is not None)])
        yield locked


def taken(session: ClassSession) -> int:
    """How many seats are taken. One query."""
    return Enrollment.objects.filter(session=session, state=TAKEN).count()


def waitlist(session: ClassSession) -> QuerySet[Enrollment]:
    """Those who wait for a seat, in their order."""
    rows = Enrollment.objects.filter(session=session, state=SeatState.WAITLISTED)
    return rows.select_related("officer").order_by("since", "pk")


def places_of(session: ClassSession) -> QuerySet[Place]:
    """The places that blocks of a class are in; without any, the class has its own at most."""
    return Place.objects.filter(pk__in=Meeting.objects.filter(session=session).values("place")).order_by("name")


def crowded(session: ClassSession, number: int, places: Iterable[Place]) -> list[str]:
    """A sentence where the tightest place that the class uses holds fewer people than have seats. `places_of` is it."""
    return too_small(list(places) or [session.place], number, f"{number} have seats")


def _key(person: Outside) -> tuple[str, str, str]:
    return (person.name.upper(), person.agency.upper(), person.number.upper())


def _outside_rows(session: ClassSession) -> dict[tuple[str, str, str], Enrollment]:
    rows = Enrollment.objects.filter(session=session, officer=None)
    return {_key(Outside(row.outside_name, row.outside_agency, row.outside_id)): row for row in rows}


def _finish(session: ClassSession, done: SeatsChanged, *, by: User | None, why: str) -> None:
    """Look whether the place holds them, and leave a line of what was done."""
    if done.seated or done.moved_up:
        done.warnings += crowded(session, taken(session), places_of(session))
    lines: Mapping[str, list[Enrollment]] = {
        "Withdrawn": done.withdrawn,
        "Moved up from the waitlist": done.moved_up,
        "Seats": done.seated,
        "Waitlist": done.waiting,
    }
    told = [f"{what}: {'; '.join(map(named, rows))}" for what, rows in lines.items() if rows]
    if told:
        ClassEvent.objects.create(session=session, what=ClassEvent.What.SEATS, told="\n".join(told), why=why, by=by)


def named(row: Enrollment) -> str:
    """`Whitfield, Amara (00123)`, `Pat Doe, Coast Guard`."""
    if row.officer is not None:
        return f"{row.officer.listed_name} ({row.officer.employee_id})"
    return str(Outside(row.outside_name, row.outside_agency, row.outside_id))
