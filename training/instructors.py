"""Who may teach what and until when: qualifications of instructors, and when they fall due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from roster.facts import sentence_for
from roster.records import spoken
from training.models import Course, Instructor, Place, Qualification

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
    instructor: Instructor, qualifications: Sequence[Qualification], *, removed: Collection[int] = ()
) -> Instructor:
    """Write an instructor and these qualifications, and remove those with these ids. `ValidationError` if it cannot.

    One that somebody else entered meanwhile stays; one that somebody else removed comes back as it is shown here.
    """
    try:
        with transaction.atomic():
            instructor.save()
            own = set(instructor.qualifications.values_list("pk", flat=True))
            instructor.qualifications.filter(pk__in=removed).delete()
            for row in qualifications:
                row.instructor = instructor
                if row.pk not in own:
                    row.pk = None  # new; nobody takes over what is somebody else's
                row.save()
    except IntegrityError as error:
        for model in (Instructor, Qualification):
            if sentence := sentence_for(error, model):
                raise ValidationError(sentence) from error
        raise
    return instructor


def save_place(place: Place) -> Place:
    """Write a place. `ValidationError` with a sentence."""
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as error:
        raise ValidationError(sentence_for(error, Place) or "The place could not be saved.") from error
    return place


class Qualified:
    """The qualifications of some instructors for one course. One query."""

    def __init__(self, instructors: Collection[Instructor], course: Course) -> None:
        self._course = course
        self._rows: dict[int, list[Qualification]] = {}
        for row in Qualification.objects.filter(instructor__in=instructors) if instructors else ():
            if row.course_id in (None, course.pk):
                self._rows.setdefault(row.instructor_id, []).append(row)

    def doubt(self, instructor: Instructor, day: date) -> Doubt | None:
        """Why this instructor should not teach the course on that day; None where a qualification is in force.

        Out of force on that day is a refusal. Where none was ever entered nobody knows, so it is only said.
        """
        rows = self._rows.get(instructor.pk, [])
        if not rows:
            return Doubt(f"{instructor} has no qualification for {self._course} entered.", is_refusal=False)
        if any(row.start_on <= day and (row.end_on is None or row.end_on >= day) for row in rows):
            return None
        before = [row.end_on for row in rows if row.end_on is not None and row.end_on < day]
        out = f"ended on {spoken(max(before))}" if before else f"begins on {spoken(min(r.start_on for r in rows))}"
        sentence = f"{instructor}'s qualification for {self._course} {out}; the block is on {spoken(day)}."
        return Doubt(sentence, is_refusal=True)
