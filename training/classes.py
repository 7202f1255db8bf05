"""Planning classes: planned, changed, moved, cancelled, with the real times of their blocks afterwards.

Each act locks the host agency's row and then the class, so of two people at work at once the second sees what the first
did. Whether a place or an instructor is free is decided by the database; what it refuses is told by name. Every act
leaves a `ClassEvent`. A class that is finished or cancelled is closed to all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Prefetch, ProtectedError, Q, QuerySet
from django.utils import timezone

from roster.facts import sentence_for
from roster.models import Agency, open_on
from roster.records import spoken
from training.instructors import Qualified
from training.models import (
    Attendance,
    ClassEvent,
    ClassSession,
    ClassState,
    Course,
    CourseTopic,
    Enrollment,
    Instructor,
    LessonPlan,
    Meeting,
    Place,
    SeatState,
    Teaching,
    Topic,
)
from training.schedule import Block, block_of, moved, too_small, when

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MEANWHILE = "Somebody else changed this class meanwhile. Look at it again before you save."
#: Real times are those nearest to the plan: what began further from it was another block's beginning.
HALF_A_DAY = timedelta(hours=12)
CLOSED = {
    ClassState.FINISHED: "The class is finished. Reopen it before you change it.",
    ClassState.CANCELLED: "The class is cancelled. Plan another one.",
}


@dataclass(slots=True)
class Findings:
    """What speaks against blocks: refusals with the index of their block (None = of the class), and warnings."""

    refusals: list[tuple[int | None, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class ClassRefused(ValidationError):
    """A class cannot be so; `findings` says which block each sentence is about."""

    def __init__(self, found: Findings | str) -> None:
        self.findings = Findings([(None, found)]) if isinstance(found, str) else found
        super().__init__([sentence for _, sentence in self.findings.refusals])


@dataclass(frozen=True, slots=True)
class Details:
    """What a class is, besides its course and its blocks."""

    number: str
    capacity: int
    lesson_plan: LessonPlan | None = None
    place: Place | None = None
    note: str = ""


# --- what is proposed ------------------------------------------------------------------------------------------------


def parts_of(course: Course) -> list[tuple[Topic | None, int]]:
    """The topics of a course with their minutes, and what is left of its hours without one. One query."""
    parts: list[tuple[Topic | None, int]] = [
        (row.topic, _minutes(row.hours)) for row in CourseTopic.objects.filter(course=course).select_related("topic")
    ]
    rest = _minutes(course.hours or Decimal(0)) - sum(minutes for _, minutes in parts)
    return [*parts, (None, rest)] if rest > 0 else parts


def _minutes(hours: Decimal) -> int:
    return int(hours * 60)


def propose_number(agency: Agency, course: Course, year: int) -> str:
    """The course's code, the year and the next number of the agency: `CIT-40-2026-03`. One query."""
    stem = f"{course.code[:60]}-{year}-"
    used = ClassSession.objects.filter(agency=agency, number__istartswith=stem).values_list("number", flat=True)
    numbers = [int(number[len(stem) :]) for number in used if number[len(stem) :].isdecimal()]
    return f"{stem}{max(numbers, default=0) + 1:02d}"


def plans_in_force(course: Course, first: date, last: date) -> QuerySet[LessonPlan]:
    """The course's lesson plans in force on all of these days, the newest first."""
    in_force = LessonPlan.objects.filter(open_on(last), course=course, start_on__lte=first)
    return in_force.order_by("-start_on", "-pk")


# --- what is stored --------------------------------------------------------------------------------------------------


def meetings_of(session: ClassSession) -> QuerySet[Meeting]:
    """The blocks of a class in their order, with topic, place and instructors. Two queries."""
    teaching = Teaching.objects.select_related("instructor__officer").order_by("id")
    rows = Meeting.objects.filter(session=session).select_related("topic", "place").order_by("starts_at", "id")
    return rows.prefetch_related(Prefetch("teaching", teaching))


def blocks_of(session: ClassSession) -> list[Block]:
    """The blocks of a class as they may be changed. Two queries."""
    return [block_of(row) for row in meetings_of(session)]


def version_of(session: ClassSession) -> int:
    """What a person saw of a class: any act on it but on its seats makes another. One query."""
    acts = ClassEvent.objects.filter(session=session).exclude(what=ClassEvent.What.SEATS)
    return acts.order_by("-id").values_list("id", flat=True).first() or 0


# --- what speaks against it ------------------------------------------------------------------------------------------


def look_over(blocks: Sequence[Block], *, course: Course, agency: Agency, session: ClassSession | None) -> Findings:
    """Everything that speaks against these blocks of a class, stored or not. Four queries."""
    found = Findings()
    _blocks_overlap(blocks, found)
    _belong_elsewhere(blocks, agency, found)
    if blocks:
        _place_is_taken(blocks, session, found)
        _instructor_is_busy(blocks, session, found)
        _instructor_has_a_seat(blocks, found)
        _qualification_is_out(blocks, course, found)
    return found


def _blocks_overlap(blocks: Sequence[Block], found: Findings) -> None:
    for index, block in enumerate(blocks):
        for other in blocks[:index]:
            if block.overlaps(other.starts_at, other.ends_at):
                theirs = when(other.starts_at, other.ends_at)
                found.refusals.append((index, f"This block overlaps the one of {theirs}."))


def _belong_elsewhere(blocks: Sequence[Block], agency: Agency, found: Findings) -> None:
    for index, block in enumerate(blocks):
        used: list[Place | Instructor] = [*block.instructors, *([block.place] if block.place else [])]
        if any(row.agency_id != agency.pk for row in used):
            found.refusals.append((index, f"A class of {agency} uses places and instructors of {agency}."))


def _between(blocks: Sequence[Block]) -> Q:
    """Rows that hold at any time from the first block to the last."""
    first, last = _ends(blocks)
    return Q(is_off=False, starts_at__lt=last, ends_at__gt=first)


def _ends(blocks: Sequence[Block]) -> tuple[datetime, datetime]:
    return min(block.starts_at for block in blocks), max(block.ends_at for block in blocks)


def _place_is_taken(blocks: Sequence[Block], session: ClassSession | None, found: Findings) -> None:
    places = {block.place.pk for block in blocks if block.place}
    rows = Meeting.objects.filter(_between(blocks), place__in=places).exclude(session=session)
    others = list(rows.select_related("session", "place").order_by("starts_at")) if places else []
    for index, block in enumerate(blocks):
        for row in others:
            if block.place and row.place_id == block.place.pk and block.overlaps(row.starts_at, row.ends_at):
                theirs = when(row.starts_at, row.ends_at)
                found.refusals.append((index, f"{block.place} is taken by class {row.session.number} on {theirs}."))


def _instructor_is_busy(blocks: Sequence[Block], session: ClassSession | None, found: Findings) -> None:
    """Also where a member teaches for another agency, which no constraint of the database sees."""
    instructors = {one.pk for block in blocks for one in block.instructors}
    members = {one.officer_id for block in blocks for one in block.instructors if one.officer_id}
    who = Q(instructor__in=instructors) | Q(instructor__officer__in=members)
    rows = Teaching.objects.filter(_between(blocks), who).exclude(meeting__session=session)
    others = list(rows.select_related("meeting__session", "instructor").order_by("starts_at")) if instructors else []
    for index, block in enumerate(blocks):
        for one in block.instructors:
            for row in others:
                is_same = row.instructor_id == one.pk or (
                    one.officer_id and row.instructor.officer_id == one.officer_id
                )
                if is_same and block.overlaps(row.starts_at, row.ends_at):
                    theirs = when(row.starts_at, row.ends_at)
                    number = row.meeting.session.number
                    found.refusals.append((index, f"{one} teaches class {number} on {theirs}."))


def _instructor_has_a_seat(blocks: Sequence[Block], found: Findings) -> None:
    """Nobody sits in a class while they teach, this class or another."""
    members = {one.officer_id for block in blocks for one in block.instructors if one.officer_id}
    first, last = _ends(blocks)
    rows = (
        Enrollment.objects.filter(officer__in=members, state=SeatState.ENROLLED)
        .filter(session__meetings__is_off=False, session__meetings__starts_at__lt=last)
        .filter(session__meetings__ends_at__gt=first)
        .order_by("session__meetings__starts_at")
        .values_list("officer_id", "session__number", "session__meetings__starts_at", "session__meetings__ends_at")
    )
    seats = list(rows) if members else []
    for index, block in enumerate(blocks):
        for one in block.instructors:
            for officer, number, starts_at, ends_at in seats:
                if one.officer_id == officer and block.overlaps(starts_at, ends_at):
                    theirs = when(starts_at, ends_at)
                    found.refusals.append((index, f"{one} has a seat in class {number} on {theirs}."))


def _qualification_is_out(blocks: Sequence[Block], course: Course, found: Findings) -> None:
    qualified = Qualified({one for block in blocks for one in block.instructors}, course)
    for index, block in enumerate(blocks):
        for one in block.instructors:
            doubt = qualified.doubt(one, block.day)
            if doubt is not None and doubt.is_refusal:
                found.refusals.append((index, doubt.sentence))
            elif doubt is not None and doubt.sentence not in found.warnings:
                found.warnings.append(doubt.sentence)


def unqualified(course: Course, meetings: Iterable[Meeting]) -> set[int]:
    """The ids of those `Teaching` rows of these blocks whose instructor's qualification is not in force. One query."""
    rows = [(row, block_of(meeting).day) for meeting in meetings for row in meeting.teaching.all()]
    qualified = Qualified({row.instructor for row, _ in rows}, course)
    doubts = ((row.pk, qualified.doubt(row.instructor, day)) for row, day in rows)
    return {pk for pk, doubt in doubts if doubt is not None and doubt.is_refusal}


def _out_of_force(plan: LessonPlan | None, days: Sequence[date]) -> str:
    """A sentence about the first of these days that is no day of the lesson plan; blank where all of them are."""
    for day in sorted(days):
        if plan is not None and (day < plan.start_on or (plan.end_on is not None and day > plan.end_on)):
            return f"Lesson plan {plan} is not in force on {spoken(day)}. Choose one that is."
    return ""


def _against_what_was(session: ClassSession, blocks: Sequence[Block], wanted: Sequence[Block]) -> Findings:
    """What was entered about blocks that get other times: real times that are not theirs any more, and marks that say
    less than the whole block although somebody was there throughout. Two queries.
    """
    found = Findings()
    before = {block.pk: block for block in blocks}
    real = dict(Meeting.objects.filter(session=session, began_at__isnull=False).values_list("pk", "began_at"))
    marked = set(Attendance.objects.filter(meeting__session=session).values_list("meeting_id", flat=True).distinct())
    for index, block in enumerate(wanted):
        was = before.get(block.pk)
        if was is None or (was.starts_at, was.ends_at) == (block.starts_at, block.ends_at):
            continue
        began_at = real.get(block.pk or 0)
        if began_at is not None and abs(began_at - block.starts_at) > HALF_A_DAY:
            told = f"{spoken(timezone.localdate(began_at))}, {timezone.localtime(began_at):%H:%M}"
            found.refusals.append((index, f"It really began on {told}, as entered. Take its real times away first."))
        if block.pk in marked and block.ends_at - block.starts_at > was.ends_at - was.starts_at:
            times = when(block.starts_at, block.ends_at)
            found.warnings.append(f"The block of {times} is longer than when it was marked. Look at its attendance.")
    return found


@contextmanager
def _telling_clashes(blocks: Sequence[Block], session: ClassSession) -> Iterator[None]:
    """A savepoint; what a constraint refuses in it is told with the class that was faster."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        stored = session if session.pk else None
        found = look_over(blocks, course=session.course, agency=session.agency, session=stored)
        if found.refusals:
            raise ClassRefused(found) from error
        for model in (ClassSession, Meeting, Teaching):
            if sentence := sentence_for(error, model):
                raise ClassRefused(sentence) from error
        raise


def _refuse(found: Findings) -> list[str]:
    if found.refusals:
        raise ClassRefused(found)
    return found.warnings


def _check_details(details: Details, course: Course, agency: Agency, days: Sequence[date]) -> None:
    """Refuse what a class cannot be."""
    plan, place = details.lesson_plan, details.place
    if plan is not None:
        if plan.course_id != course.pk:
            raise ClassRefused("The lesson plan belongs to another course.")
        if sentence := _out_of_force(plan, days):
            raise ClassRefused(sentence)
    if place is not None and place.agency_id != agency.pk:
        raise ClassRefused(f"A class of {agency} uses places of {agency}.")


def tight(blocks: Sequence[Block], place: Place | None, capacity: int) -> list[str]:
    """A warning where a place of these blocks, or of a class without any, holds fewer people than it has seats."""
    used = [block.place for block in blocks if block.place]
    return too_small(used or [place], capacity, f"the class has {capacity} seats")


# --- the acts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """A class after an act, what is odd about it, and whether anything was changed."""

    session: ClassSession
    warnings: list[str] = field(default_factory=list)
    is_changed: bool = True


def plan(
    agency: Agency, course: Course, details: Details, blocks: Sequence[Block], *, token: UUID, by: User | None
) -> Done:
    """A class with its blocks; with the token of one that was planned already, that one."""
    with transaction.atomic():
        _lock(agency)
        planned = ClassSession.objects.select_related("agency", "course").filter(token=token).first()
        if planned is not None:
            return Done(planned, is_changed=False)
        _check_details(details, course, agency, [block.day for block in blocks])
        warnings = tight(blocks, details.place, details.capacity)
        warnings += _refuse(look_over(blocks, course=course, agency=agency, session=None))
        session = ClassSession(agency=agency, course=course, token=token, created_by=by)
        _set(session, details)
        with _telling_clashes(blocks, session):
            session.save(force_insert=True)
            _write_blocks(session, [], blocks)
        told = [f"{course.title}, {details.capacity} seats", *map(_told, sorted(blocks, key=_start))]
        _note(session, ClassEvent.What.PLANNED, told, by=by)
    return Done(session, warnings)


def change(session: ClassSession, details: Details, *, seen: int, by: User | None) -> Done:
    """Another number, lesson plan, capacity, note or place; blocks in the place it had move to the new one."""
    with _changing(session, seen) as (locked, blocks):
        _check_details(details, locked.course, locked.agency, [block.day for block in blocks])
        if details.number != locked.number and locked.events.filter(what=ClassEvent.What.FINISHED).exists():
            raise ClassRefused("The class was finished once: completions name it by its number, which stays.")
        taken = Enrollment.objects.filter(session=locked, state=SeatState.ENROLLED).count()
        if details.capacity < taken:
            raise ClassRefused(f"{taken} people have seats. Withdraw some before you make the class smaller.")
        wanted = [
            replace(block, place=details.place) if _id(block.place) == locked.place_id else block for block in blocks
        ]
        told, warnings = _told_details(locked, details), tight(wanted, details.place, details.capacity)
        if not told:
            return Done(locked, warnings, is_changed=False)
        warnings += _refuse(look_over(wanted, course=locked.course, agency=locked.agency, session=locked))
        _set(locked, details)
        with _telling_clashes(wanted, locked):
            locked.save()
            _write_blocks(locked, blocks, wanted)
        _note(locked, ClassEvent.What.CHANGED, told, by=by)
    return Done(locked, warnings)


def change_blocks(session: ClassSession, wanted: Sequence[Block], *, seen: int, by: User | None, why: str = "") -> Done:
    """Blocks as they shall be; a stored one that is not among them is removed."""
    with _changing(session, seen) as (locked, blocks):
        if not {block.pk for block in wanted if block.pk} <= {block.pk for block in blocks}:
            raise ClassRefused(MEANWHILE)
        warnings = tight(wanted, locked.place, locked.capacity)
        warnings += _refuse(look_over(wanted, course=locked.course, agency=locked.agency, session=locked))
        told = _told_changes(blocks, wanted)
        if not told:
            return Done(locked, warnings, is_changed=False)
        warnings += _refuse(_against_what_was(locked, blocks, wanted))
        with _telling_clashes(wanted, locked):
            _write_blocks(locked, blocks, wanted)
        _note(locked, ClassEvent.What.CHANGED, told, why=why, by=by)
        warnings += filter(None, [_out_of_force(locked.lesson_plan, [block.day for block in wanted])])
    return Done(locked, warnings)


def move(session: ClassSession, days: int, *, why: str, seen: int, by: User | None) -> Done:
    """Every block so many calendar days later, or earlier, at the same time of the day."""
    with _changing(session, seen) as (locked, blocks):
        if Meeting.objects.filter(session=locked, began_at__isnull=False).exists():
            raise ClassRefused("The class has begun: real times are entered. Change its blocks one by one.")
        if Attendance.objects.filter(enrollment__session=locked).exists():
            raise ClassRefused("The class has begun: attendance is marked. Change its blocks one by one.")
        if not blocks or not days:
            return Done(locked, is_changed=False)
        wanted = [
            replace(block, starts_at=moved(block.starts_at, days), ends_at=moved(block.ends_at, days))
            for block in blocks
        ]
        warnings = _refuse(look_over(wanted, course=locked.course, agency=locked.agency, session=locked))
        with _telling_clashes(wanted, locked):
            _write_blocks(locked, blocks, wanted)
        first = min(blocks, key=_start).day
        told = f"Moved from {spoken(first)} to {spoken(min(wanted, key=_start).day)}, {_days(abs(days))}"
        _note(locked, ClassEvent.What.CHANGED, [f"{told} {'later' if days > 0 else 'earlier'}."], why=why, by=by)
        warnings += filter(None, [_out_of_force(locked.lesson_plan, [block.day for block in wanted])])
    return Done(locked, warnings)


@dataclass(frozen=True, slots=True)
class Freed:
    """The people who had a seat in a cancelled class, and those who waited for one."""

    seats: int
    waiting: int


def cancel(session: ClassSession, *, why: str, by: User | None) -> Freed:
    """Call a class off: its place and its instructors are free. Its seats stay as lines."""
    with _changing(session) as (locked, _):
        states = Enrollment.objects.filter(session=locked).values_list("state", flat=True)
        counts = [list(states).count(state) for state in (SeatState.ENROLLED, SeatState.WAITLISTED)]
        Teaching.objects.filter(meeting__session=locked).update(is_off=True)
        Meeting.objects.filter(session=locked).update(is_off=True)
        locked.state = ClassState.CANCELLED
        locked.save(update_fields=["state"])
        freed = Freed(*counts)
        told = f"{freed.seats} {'seat' if freed.seats == 1 else 'seats'}, {freed.waiting} on the waitlist."
        _note(locked, ClassEvent.What.CANCELLED, [told], why=why, by=by)
    return freed


RealTimes = Mapping[int, tuple[datetime, datetime] | None]


def enter_real_times(session: ClassSession, times: RealTimes, *, now: datetime, seen: int, by: User | None) -> Done:
    """When blocks really began and ended, by their ids; None takes an entry away."""
    with _changing(session, seen) as (locked, _):
        rows = {row.pk: row for row in Meeting.objects.filter(session=locked).order_by("starts_at")}
        if not times.keys() <= rows.keys():
            raise ClassRefused(MEANWHILE)
        told = []
        for row in rows.values():
            was = (row.began_at, row.ended_at)
            row.began_at, row.ended_at = times.get(row.pk, was) or (None, None)
            if (row.began_at, row.ended_at) == was:
                continue
            if row.ended_at is not None and row.ended_at > now:
                raise ClassRefused(f"The block of {_planned(row)} cannot have ended yet.")
            told.append(f"{_planned(row)}: really {_real(row.began_at, row.ended_at)} (was {_real(*was)}).")
        if told:
            with _telling_clashes([], locked):
                Meeting.objects.bulk_update(rows.values(), ["began_at", "ended_at"])
            _note(locked, ClassEvent.What.CHANGED, told, by=by)
    return Done(locked, is_changed=bool(told))


# --- how they are written --------------------------------------------------------------------------------------------


def _lock(agency: Agency) -> None:
    """Who plans for an agency follows whoever does so already; references to its row are not held up."""
    list(Agency.objects.select_for_update(no_key=True).filter(pk=agency.pk))


@contextmanager
def _changing(session: ClassSession, seen: int | None = None) -> Iterator[tuple[ClassSession, list[Block]]]:
    """The class as it stands, locked, with its blocks; refused when it is closed or is not what was seen any more."""
    with transaction.atomic():
        _lock(session.agency)
        rows = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan")
        locked = rows.select_for_update(of=("self",)).get(pk=session.pk)
        if locked.state != ClassState.PLANNED:
            raise ClassRefused(CLOSED[ClassState(locked.state)])
        if seen is not None and seen != version_of(locked):
            raise ClassRefused(MEANWHILE)
        yield locked, blocks_of(locked)


def _set(session: ClassSession, details: Details) -> None:
    session.number, session.capacity, session.note = details.number, details.capacity, details.note
    session.lesson_plan, session.place = details.lesson_plan, details.place


def _write_blocks(session: ClassSession, blocks: Sequence[Block], wanted: Sequence[Block]) -> None:
    """Make the stored blocks what is wanted: gone, changed all at once, added; then who teaches them."""
    kept = {block.pk for block in wanted if block.pk}
    try:
        Meeting.objects.filter(session=session, pk__in=[each.pk for each in blocks if each.pk not in kept]).delete()
    except ProtectedError as error:
        is_attendance = any(isinstance(row, Attendance) for row in error.protected_objects)
        said = "attendance was entered for it" if is_attendance else "papers are filed under it"
        raise ClassRefused(f"A block cannot be removed: {said}.") from error
    rows = [
        Meeting(
            pk=block.pk,
            session=session,
            starts_at=block.starts_at,
            ends_at=block.ends_at,
            topic=block.topic,
            title=block.title,
            place=block.place,
        )
        for block in wanted
    ]
    changed = ["starts_at", "ends_at", "topic", "title", "place"]
    # One statement, so that two blocks can change places.
    Meeting.objects.bulk_update([row for row in rows if row.pk], changed)
    Meeting.objects.bulk_create([row for row in rows if not row.pk])
    Teaching.objects.filter(meeting__session=session).delete()
    Teaching.objects.bulk_create(
        Teaching(meeting=row, instructor=one, starts_at=row.starts_at, ends_at=row.ends_at)
        for row, block in zip(rows, wanted, strict=True)
        for one in block.instructors
    )


def _note(
    session: ClassSession, what: ClassEvent.What, told: Sequence[str], *, by: User | None, why: str = ""
) -> ClassEvent:
    return ClassEvent.objects.create(session=session, what=what, told="\n".join(told), why=why, by=by)


# --- how they are told -----------------------------------------------------------------------------------------------


def _start(block: Block) -> datetime:
    return block.starts_at


def _id(row: Any) -> int | None:
    return row.pk if row is not None else None


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"


def _planned(row: Meeting) -> str:
    return when(row.starts_at, row.ends_at)


def _real(began_at: datetime | None, ended_at: datetime | None) -> str:
    if began_at is None or ended_at is None:
        return "not entered"
    return f"{timezone.localtime(began_at):%H:%M} to {timezone.localtime(ended_at):%H:%M}"


def _values(block: Block) -> dict[str, str]:
    """What a block says, in words."""
    return {
        "time": when(block.starts_at, block.ends_at),
        "topic": block.topic.name if block.topic else "",
        "title": block.title,
        "place": block.place.name if block.place else "",
        "instructors": " and ".join(sorted(str(one) for one in block.instructors)),
    }


def _told(block: Block) -> str:
    """`3 Mar 2026, 08:00 to 12:00: De-escalation, Room A, Ruth Osei`."""
    time, *rest = _values(block).values()
    said = ", ".join(part for part in rest if part)
    return f"{time}: {said}" if said else time


def _told_changes(blocks: Sequence[Block], wanted: Sequence[Block]) -> list[str]:
    """A line for each block that is added, removed or changed, with what it was; none where nothing changes."""
    before = {block.pk: block for block in blocks}
    kept = {block.pk for block in wanted}
    told = [f"Removed {_told(block)}" for block in blocks if block.pk not in kept]
    for block in sorted(wanted, key=_start):
        if block.pk is None:
            told.append(f"Added {_told(block)}")
        elif changes := _differences(_values(before[block.pk]), _values(block)):
            told.append(f"{when(before[block.pk].starts_at, before[block.pk].ends_at)}: {changes}")
    return told


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return "; ".join(
        f"{name} {after[name] or 'none'} (was {before[name] or 'none'})"
        for name in before
        if after[name] != before[name]
    )


def _told_details(session: ClassSession, details: Details) -> list[str]:
    def values(row: ClassSession | Details) -> dict[str, str]:
        return {
            "number": row.number,
            "seats": str(row.capacity),
            "lesson plan": str(row.lesson_plan or ""),
            "place": str(row.place or ""),
            "note": row.note,
        }

    told = _differences(values(session), values(details))
    return [told[0].upper() + told[1:]] if told else []
