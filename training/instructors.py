"""Who may teach what and until when: qualifications of instructors, and when they fall due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from roster.facts import Via, sentence_for
from roster.records import spoken
from roster.trail import Act, What, acting, note, note_saved, values_of
from training.models import Course, Instructor, Place, Qualification, Teaching

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Row = TypeVar("Row", Instructor, Place)

#: Days ahead of its last day from which a qualification counts as due.
DUE_WITHIN = timedelta(days=90)


class Fitness(StrEnum):
    """Whether somebody may teach, as far as the qualifications entered say."""

    IN_FORCE = "in force"
    DUE_SOON = "due soon"
    OUT_OF_DATE = "out of date"
    NONE = "none entered"


@dataclass(frozen=True, slots=True)
class Due:
    """The first of an instructor's qualifications to end, each counted with what renews it."""

    fitness: Fitness
    #: the last day; None where none ends, or none is entered
    until: date | None = None


def due(qualifications: Iterable[Qualification], *, today: date) -> Due:
    """When the first qualification of one instructor ends. A later one for the same course renews an earlier one."""
    last_days: dict[int | None, date | None] = {}
    for row in qualifications:
        known = last_days.get(row.course_id, row.end_on)
        last_days[row.course_id] = None if known is None or row.end_on is None else max(known, row.end_on)
    if not last_days:
        return Due(Fitness.NONE)
    ends = [end for end in last_days.values() if end is not None]
    if not ends:
        return Due(Fitness.IN_FORCE)
    until = min(ends)
    if until < today:
        return Due(Fitness.OUT_OF_DATE, until)
    return Due(Fitness.DUE_SOON if until <= today + DUE_WITHIN else Fitness.IN_FORCE, until)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an instructor should not teach on a day. Only what is known to have run out is a refusal."""

    sentence: str
    is_refusal: bool


def save(
    instructor: Instructor,
    qualifications: Sequence[Qualification],
    *,
    removed: Collection[int] = (),
    by: User | None,
) -> Instructor:
    """Write an instructor and these qualifications, and remove those with these ids. `ValidationError` if it cannot.

    One that somebody else entered meanwhile stays; one that somebody else removed comes back as it is shown here.
    What differs from what was stored is in the trail.
    """
    try:
        with transaction.atomic(), acting(by, Via.PAGE):
            stored = _held(Instructor, instructor.pk)
            before = None if stored is None else _told(stored)
            instructor.save()
            _note(What.INSTRUCTOR, str(instructor), before, _told(instructor), instructor)
            own = {row.pk: row for row in instructor.qualifications.select_related("course")}
            for row in [own[pk] for pk in removed if pk in own]:
                _note(What.QUALIFICATION, f"{instructor}, {row}", _told_of(row), None, instructor)
                row.delete()
            for row in qualifications:
                was = own.get(row.pk or 0)
                row.instructor = instructor
                row.pk = was.pk if was else None  # nobody takes over what is somebody else's
                row.save()
                said = None if was is None else _told_of(was)
                _note(What.QUALIFICATION, f"{instructor}, {row}", said, _told_of(row), instructor)
    except IntegrityError as error:
        for model in (Instructor, Qualification):
            if sentence := sentence_for(error, model):
                raise ValidationError(sentence) from error
        raise
    return instructor


def _held(model: type[Row], pk: int | None) -> Row | None:
    """The stored row, locked: of two who change it at once the second notes what the first wrote. One query."""
    return model._default_manager.select_for_update().order_by("pk").filter(pk=pk).first() if pk else None


def _note(
    what: What,
    subject: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
    thing: Instructor | Place,
) -> None:
    """A line of what was added (before None), changed, or taken away (after None)."""
    if after is None:
        note(what, Act.REMOVED, subject, before=before, agency_id=thing.agency_id, about=thing.pk)
    else:
        note_saved(what, subject, before, after, agency_id=thing.agency_id, about=thing.pk)


def _told(row: Instructor | Place) -> dict[str, str]:
    """An instructor or a place as the trail tells it."""
    values = values_of(row, leave_out=("is_retired", "officer"))
    if isinstance(row, Instructor) and row.officer is not None:
        values["member"] = f"{row.officer} ({row.officer.employee_id})"
    used = "teaches" if isinstance(row, Instructor) else "in use"
    return values | {used: "no" if row.is_retired else "yes"}


def _told_of(row: Qualification) -> dict[str, str]:
    return {"course": "any course"} | values_of(row, leave_out=("instructor",))


def save_place(place: Place, *, by: User | None) -> Place:
    """Write a place, and what differs into the trail. `ValidationError` with a sentence."""
    try:
        with transaction.atomic(), acting(by, Via.PAGE):
            stored = _held(Place, place.pk)
            before = None if stored is None else _told(stored)
            place.save()
            _note(What.PLACE, place.name, before, _told(place), place)
    except IntegrityError as error:
        raise ValidationError(sentence_for(error, Place) or "The place could not be saved.") from error
    return place


def doubt(instructor: Instructor, course: Course, rows: Iterable[Qualification], day: date) -> Doubt | None:
    """Why this instructor should not teach the course on that day; None where a qualification is in force.

    Out of force on that day is a refusal. Where none was ever entered nobody knows, so it is only said.
    `rows` are the instructor's qualifications, for whatever course.
    """
    rows = [row for row in rows if row.course_id in (None, course.pk)]
    if not rows:
        return Doubt(f"{instructor} has no qualification for {course} entered.", is_refusal=False)
    if any(row.start_on <= day and (row.end_on is None or row.end_on >= day) for row in rows):
        return None
    before = [row.end_on for row in rows if row.end_on is not None and row.end_on < day]
    out = f"ended on {spoken(max(before))}" if before else f"begins on {spoken(min(r.start_on for r in rows))}"
    sentence = f"{instructor}'s qualification for {course} {out}; the block is on {spoken(day)}."
    return Doubt(sentence, is_refusal=True)


class Qualified:
    """The qualifications of some instructors for one course. One query."""

    def __init__(self, instructors: Collection[Instructor], course: Course) -> None:
        self._course = course
        self._rows: dict[int, list[Qualification]] = {}
        for row in Qualification.objects.filter(instructor__in=instructors) if instructors else ():
            self._rows.setdefault(row.instructor_id, []).append(row)

    def doubt(self, instructor: Instructor, day: date) -> Doubt | None:
        """As `doubt`, of one of these instructors."""
        return doubt(instructor, self._course, self._rows.get(instructor.pk, ()), day)


def out_of_force(instructor: Instructor, rows: Collection[Qualification], blocks: Iterable[Teaching]) -> list[Teaching]:
    """Those of these blocks of an instructor on whose day their qualification is out of force."""
    found = []
    for row in blocks:
        said = doubt(instructor, row.meeting.session.course, rows, timezone.localdate(row.starts_at))
        if said is not None and said.is_refusal:
            found.append(row)
    return found
