"""Attendance of a class: who was in which block for how long, what was made up elsewhere, and who did not come.

Every entry is a line; the latest one of a cell holds. A page gives the id of the last line it showed, so an entry says
what its person changed, and what somebody else changed meanwhile is never overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from roster.access import own_members
from roster.records import spoken
from training.class_records import (
    SEATED,
    Cell,
    ClassRecord,
    EntryRefused,
    day_of,
    holding,
    length,
    planned_minutes,
    read,
    refuse_closed,
    refuse_own,
    same_person,
)
from training.judging import spoken_minutes
from training.models import Attendance, ClassEvent, ClassSession, Enrollment, Meeting, SeatState

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Blocks offered for a make-up reach back this many days before the class.
MADE_UP_BEFORE = 366


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """A cell that somebody else changed since the page was shown; nothing of it was written."""

    cell: Cell
    #: the line that holds now
    now: Attendance
    wanted: int


@dataclass(frozen=True, slots=True)
class Marked:
    """What an entry did."""

    written: int
    meanwhile: Sequence[Meanwhile]


def is_same(one: Attendance | None, minutes: int, block: Meeting) -> bool:
    """Whether a line says the same as so many minutes: more than the length of a block is all of it."""
    return one is not None and min(one.minutes, length(block)) == min(minutes, length(block))


def mark(
    session: ClassSession,
    wanted: Mapping[Cell, int],
    *,
    seen: int,
    by: User,
    today: date,
    why: str = "",
) -> Marked:
    """Write the cells that differ from what the page showed; `seen` is the last line it showed. Nine queries.

    A change to what was marked, made after the day of the block, needs a reason. `EntryRefused` names everything that
    cannot be, and nothing is written then.
    """
    with holding(session) as held:
        refuse_closed(held)
        record = read(held)
        blocks = {block.pk: block for block in record.blocks}
        seats = {seat.pk: seat for seat in record.seated}
        shown = record.marks_as_of(seen)
        lines: list[Attendance] = []
        meanwhile: list[Meanwhile] = []
        for cell, minutes in wanted.items():
            seat, block = seats.get(cell[0]), blocks.get(cell[1])
            if seat is None or block is None:
                raise EntryRefused("The list or the blocks of this class changed meanwhile. Look at it again.")
            before, now = shown.get(cell), record.marks.get(cell)
            if is_same(before, minutes, block) or is_same(now, minutes, block):
                continue
            if now is not None and now is not before:
                meanwhile.append(Meanwhile(cell, now, minutes))
            else:
                lines.append(Attendance(enrollment=seat, meeting=block, minutes=minutes, why=why, entered_by=by))
        _refuse(record, lines, own=own_members(by), today=today, why=why)
        Attendance.objects.bulk_create(lines)
    return Marked(len(lines), meanwhile)


def _refuse(record: ClassRecord, lines: Sequence[Attendance], *, own: Collection[int], today: date, why: str) -> None:
    """Everything that is wrong with these lines, in one refusal. One query."""
    faults: list[str] = []
    claimed = _claimed({line.meeting_id for line in lines})
    for line in lines:
        block, seat = line.meeting, line.enrollment
        where = f"{seat.name}, {spoken_block(block)}"
        if seat.officer_id is not None and seat.officer_id in own:
            faults.append(f"{where}: this is your own seat. Somebody else has to mark it.")
        if seat.state == SeatState.NO_SHOW and line.minutes:
            faults.append(f"{where}: they are down as not having come. Say first that they came.")
        if day_of(block) > today:
            faults.append(f"{where}: the block has not been held yet.")
        if line.minutes > planned_minutes(block):
            faults.append(f"{where}: the block has {planned_minutes(block)} minutes.")
        made_up_here = claimed.get((same_person(seat), block.pk), 0)
        if made_up_here and line.minutes + made_up_here > length(block):
            faults.append(
                f"{where}: {spoken_minutes(made_up_here)} of this block made up for one of another class, "
                "and the same minutes count once."
            )
        made_up = sum(each.minutes for each in record.made_up.get(seat.pk, ()) if each.meeting_id == block.pk)
        if made_up and line.minutes + made_up > length(block):
            faults.append(f"{where}: {spoken_minutes(made_up)} of it were made up. Take that back first.")
        if (seat.pk, block.pk) in record.marks and day_of(block) < today and not why:
            faults.append(f"{where}: the day is over. Say why the mark changes; the reason stays with it.")
    if faults:
        raise EntryRefused(faults)


def _claimed(blocks: Collection[int]) -> dict[tuple[tuple[object, ...], int], int]:
    """(person, block) -> minutes that the block made up for others. One query."""
    rows = Attendance.objects.filter(made_up_in__in=blocks).select_related("enrollment").order_by("pk")
    latest = {(line.enrollment_id, line.meeting_id, line.made_up_in_id): line for line in rows}
    found: dict[tuple[tuple[object, ...], int], int] = {}
    for line in latest.values():
        assert line.made_up_in_id is not None  # noqa: S101 - the filter asks for it
        key = same_person(line.enrollment), line.made_up_in_id
        found[key] = found.get(key, 0) + line.minutes
    return found


def spoken_block(block: Meeting) -> str:
    """`17 Apr 2026 13:00`."""
    return f"{spoken(day_of(block))} {timezone.localtime(block.starts_at):%H:%M}"


def offered_blocks(session: ClassSession, among: QuerySet[ClassSession], *, today: date) -> QuerySet[Meeting]:
    """Blocks in which one of this class may be made up: already held, of the same course or the same topic."""
    own = Meeting.objects.filter(session=session)
    first = own.order_by("starts_at").values_list("starts_at", flat=True).first()
    if first is None:
        return Meeting.objects.none()
    same = Q(session__course=session.course_id) | Q(topic__in=own.exclude(topic=None).values("topic"))
    since = first - timedelta(days=MADE_UP_BEFORE)
    found = Meeting.objects.filter(same, session__in=among.values("pk"), starts_at__gte=since, is_off=False)
    found = found.exclude(session=session).exclude(starts_at__date__gt=today)
    return found.select_related("session", "topic").order_by("-starts_at", "id")


def make_up(
    seat: Enrollment,
    block: Meeting,
    made_up_in: Meeting,
    *,
    minutes: int | None,
    by: User,
    today: date,
    why: str = "",
) -> int:
    """Record that a person made up a missed block in a block of another class; the minutes written, 0 if known already.

    Hour for hour: never more than was missed, never more than the other block has, and of that not what the person
    attends there for its own sake or makes up there for yet another. None for the minutes: as many as that allows.
    """
    session = seat.session
    with holding(session, made_up_in.session_id) as held:
        refuse_closed(held)
        record = read(held)
        refuse_own(seat, by)
        if seat.state not in SEATED or block.session_id != held.pk:
            raise EntryRefused("The list or the blocks of this class changed meanwhile. Look at it again.")
        if made_up_in.session_id == held.pk:
            raise EntryRefused("A block is made up in a block of another class.")
        if made_up_in.is_off or day_of(made_up_in) > today:
            raise EntryRefused("That block has not been held.")
        before = record.make_ups.get((seat.pk, block.pk, made_up_in.pk))
        most = min(_missed(record, seat, block, before), _room(seat, made_up_in, before))
        wanted = most if minutes is None else minutes
        if before is not None and before.minutes == wanted:
            return 0
        if wanted > most or wanted < 1:
            raise EntryRefused(_too_much(wanted, most))
        Attendance.objects.create(
            enrollment=seat, meeting=block, minutes=wanted, made_up_in=made_up_in, why=why, entered_by=by
        )
    return wanted


def _missed(record: ClassRecord, seat: Enrollment, block: Meeting, before: Attendance | None) -> int:
    """Minutes of a block that a person missed and has not made up elsewhere."""
    mark = record.marks.get((seat.pk, block.pk))
    if mark is None:
        raise EntryRefused(f"Mark {seat.name} in the block of {spoken_block(block)} first.")
    elsewhere = sum(
        line.minutes for line in record.made_up.get(seat.pk, ()) if line.meeting_id == block.pk and line != before
    )
    missed = length(block) - min(mark.minutes, length(block)) - elsewhere
    if missed <= 0:
        raise EntryRefused(f"{seat.name} has nothing to make up of the block of {spoken_block(block)}.")
    return missed


def _room(seat: Enrollment, made_up_in: Meeting, before: Attendance | None) -> int:
    """Minutes of the other block that this person has not had yet, there or for another block. Two queries."""
    person = same_person(seat)
    rows = Attendance.objects.filter(meeting=made_up_in, made_up_in=None).select_related("enrollment").order_by("pk")
    attended = {line.enrollment_id: line.minutes for line in rows if same_person(line.enrollment) == person}
    claimed = _claimed([made_up_in.pk]).get((person, made_up_in.pk), 0) - (before.minutes if before else 0)
    room = length(made_up_in) - min(sum(attended.values()), length(made_up_in)) - claimed
    if room <= 0:
        raise EntryRefused(f"{seat.name} attended that block already, and the same minutes count once.")
    return room


def _too_much(wanted: int, most: int) -> str:
    if wanted < 1:
        return "Give the minutes that were made up."
    return f"At most {most} minutes can be made up there, hour for hour."


def take_back(line: Attendance, *, why: str, by: User) -> bool:
    """Take a make-up back, with a reason; False where it was taken back or changed meanwhile."""
    seat = line.enrollment
    with holding(seat.session) as held:
        refuse_closed(held)
        refuse_own(seat, by)
        record = read(held)
        if record.make_ups.get((seat.pk, line.meeting_id, line.made_up_in_id or 0)) != line or not line.minutes:
            return False
        Attendance.objects.create(
            enrollment=seat, meeting_id=line.meeting_id, minutes=0, made_up_in=line.made_up_in, why=why, entered_by=by
        )
    return True


def say_absent(seat: Enrollment, *, came: bool, by: User, today: date, why: str = "") -> bool:
    """Put a person down as not having come to the class at all, or take that back; False where it is so already.

    The seat is free then for somebody who waits; whoever came after all has a seat again, also in a full class.
    """
    with holding(seat.session) as held:
        refuse_closed(held)
        refuse_own(seat, by)
        first = held.meetings.order_by("starts_at").first()
        if first is None or day_of(first) > today:
            raise EntryRefused("The class has not begun yet. Whoever cannot come withdraws.")
        was, becomes = (SeatState.ENROLLED, SeatState.NO_SHOW)[:: -1 if came else 1]
        now = Enrollment.objects.select_for_update(of=("self",)).get(pk=seat.pk)
        if now.state != was:
            return False
        if not came and any(line.minutes for line in read(held).marks.values() if line.enrollment_id == seat.pk):
            raise EntryRefused(f"{seat.name} is marked in a block of this class, so they came.")
        Enrollment.objects.filter(pk=seat.pk).update(state=becomes, why=why, since=timezone.now())
        told = f"{seat.name} {'came after all' if came else 'did not come'}"
        ClassEvent.objects.create(session=held, what=ClassEvent.What.SEATS, told=told, why=why, by=by)
    return True
