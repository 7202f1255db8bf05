"""Boring facts for tests: sequences and fixed dates. Everything is written through the one door."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from compliance import standings
from compliance.models import Edition, Extension, Goal, Population, Requirement, Waiver
from roster.facts import Via, follow_with, recording
from roster.models import (
    Access,
    Agency,
    Assignment,
    Designation,
    Employment,
    Leave,
    Officer,
    Rank,
    Role,
    Shift,
    Unit,
)
from training.models import (
    Attendance,
    ClassSession,
    Completion,
    Course,
    CourseTest,
    Enrollment,
    Equivalency,
    EvidenceDecision,
    Instructor,
    LessonPlan,
    Meeting,
    Place,
    Teaching,
    Topic,
)

_numbers = itertools.count(1)


@contextmanager
def judged_at_the_end() -> Iterator[None]:
    """Whoever is made inside is judged once, when the block ends; each recording is a change of its own as ever."""
    touched: set[int] = set()
    with transaction.atomic():
        follow_with(touched.update)
        try:
            yield
        finally:
            follow_with(standings.rebuild)
        standings.rebuild(touched)


def make_agency(code: str = "pd", name: str = "Harbor City Police") -> Agency:
    return Agency.objects.get_or_create(code=code, defaults={"name": name})[0]


def make_unit(code: str = "", *, parent: Unit | None = None, function: str = "", name: str = "", **values: Any) -> Unit:
    code = code or f"U{next(_numbers)}"
    agency = values.pop("agency", None) or make_agency()
    return Unit.objects.create(
        agency=agency, code=code, name=name or f"{code} District", parent=parent, function=function, **values
    )


def make_rank(code: str = "officer") -> Rank:
    return Rank.objects.get_or_create(agency=make_agency(), code=code)[0]


def make_shift(code: str = "days") -> Shift:
    return Shift.objects.get_or_create(agency=make_agency(), code=code)[0]


def make_course(code: str = "CIT-40", **values: Any) -> Course:
    defaults = {"title": f"Course {code}", "title_key": f"course {code}".lower(), "hours": 40, "kind": "cit"}
    return Course.objects.get_or_create(code=code, defaults={**defaults, **values})[0]


def make_officer(
    employee_id: str = "",
    *,
    unit: Unit | None = None,
    shift: Shift | None = None,
    rank: Rank | None = None,
    hired_on: date = date(2016, 3, 4),
    assigned_on: date | None = None,
    category: str = "sworn",
    **values: Any,
) -> Officer:
    """A member, employed from `hired_on`, with a home assignment when a unit is given."""
    number = next(_numbers)
    # Longer than the ids that tests write out, and none of those is part of it: they begin with 00.
    employee_id = employee_id or f"9{100_000 + number}"
    agency = values.pop("agency", None) or (unit.agency if unit else make_agency())
    officer = Officer.objects.create(
        agency=agency,
        employee_id=employee_id,
        last_name=values.pop("last_name", f"Whitfield{number}"),
        first_name=values.pop("first_name", "Amara"),
        **values,
    )
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record(Employment(officer=officer, start_on=hired_on, category=category))
        if unit is not None:
            recorder.record(
                Assignment(officer=officer, unit=unit, shift=shift, rank=rank, start_on=assigned_on or hired_on)
            )
    return officer


def complete(officer: Officer, course: Course, completed_on: date, **values: Any) -> Completion:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(Completion(officer=officer, course=course, completed_on=completed_on, **values))


def decide(completion: Completion, decision: str, on: date | None = None) -> EvidenceDecision:
    """What somebody found who looked at the evidence."""
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(
            EvidenceDecision(
                officer_id=completion.officer_id,
                completion=completion,
                decision=decision,
                decided_on=on or completion.completed_on,
            )
        )


def take_leave(officer: Officer, start_on: date, end_on: date | None = None, kind: str = "medical") -> Leave:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(Leave(officer=officer, kind=kind, start_on=start_on, end_on=end_on))


def assign_temporarily(
    officer: Officer, unit: Unit, start_on: date, end_on: date | None = None, **values: Any
) -> Assignment:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(
            Assignment(officer=officer, kind="temporary", unit=unit, start_on=start_on, end_on=end_on, **values)
        )


def designate(
    officer: Officer, code: str, start_on: date, end_on: date | None = None, *, is_voluntary: bool = False
) -> Designation:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(
            Designation(officer=officer, code=code, start_on=start_on, end_on=end_on, is_voluntary=is_voluntary)
        )


def waive(officer: Officer, requirement: Requirement, start_on: date, end_on: date) -> Waiver:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(Waiver(officer=officer, requirement=requirement, start_on=start_on, end_on=end_on))


def extend(officer: Officer, requirement: Requirement, until_on: date, approved_on: date) -> Extension:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        return recorder.record(
            Extension(officer=officer, requirement=requirement, until_on=until_on, approved_on=approved_on)
        )


def make_lesson_plan(course: Course, version: str, start_on: date, end_on: date | None = None) -> LessonPlan:
    return LessonPlan.objects.create(course=course, version=version, start_on=start_on, end_on=end_on)


def make_topic(name: str) -> Topic:
    found, _ = Topic.objects.get_or_create(code=name.lower().replace(" ", "-"), defaults={"name": name})
    return found


def make_equivalency(course: Course, counts_as: Course, start_on: date, end_on: date | None = None) -> Equivalency:
    return Equivalency.objects.create(course=course, counts_as=counts_as, start_on=start_on, end_on=end_on)


def make_place(name: str = "Room A", **values: Any) -> Place:
    agency = values.pop("agency", None) or make_agency()
    return Place.objects.get_or_create(agency=agency, name=name, defaults=values)[0]


def make_instructor(name: str = "", *, officer: Officer | None = None, **values: Any) -> Instructor:
    """A member who teaches, or a person from outside by name."""
    agency = values.pop("agency", None) or make_agency()
    name = "" if officer else name or f"Instructor {next(_numbers)}"
    return Instructor.objects.create(agency=agency, officer=officer, name=name, **values)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """That time of the day on the clock of the agency."""
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


def make_block(session: ClassSession, starts_at: datetime, ends_at: datetime, **values: Any) -> Meeting:
    """A block in the place of its class, unless `place` names another."""
    values.setdefault("place", session.place)
    return Meeting.objects.create(session=session, starts_at=starts_at, ends_at=ends_at, **values)


def make_class(
    number: str = "", course: Course | None = None, *, days: Iterable[date] = (date(2026, 3, 2),), **values: Any
) -> ClassSession:
    """A planned class with two blocks a day, 08:00 to 12:00 and 13:00 to 17:00. It has no place unless one is given."""
    session = ClassSession.objects.create(
        number=number or f"C-{next(_numbers):04d}",
        agency=values.pop("agency", None) or make_agency(),
        course=course or make_course(),
        token=uuid4(),
        **{"capacity": 30, **values},
    )
    for day in days:
        make_block(session, at(day, 8), at(day, 12))
        make_block(session, at(day, 13), at(day, 17))
    return session


def teach(instructor: Instructor, block: Meeting) -> Teaching:
    return Teaching.objects.create(
        meeting=block, instructor=instructor, starts_at=block.starts_at, ends_at=block.ends_at
    )


def make_seat(session: ClassSession, officer: Officer | None = None, **values: Any) -> Enrollment:
    """A seat of a member, or of somebody from outside where none is given."""
    if officer is None:
        values.setdefault("outside_name", f"Okafor{next(_numbers)}, Ruth")
    return Enrollment.objects.create(session=session, officer=officer, since=timezone.now(), **values)


def attend(seat: Enrollment, *minutes: int | None, by: User | None = None) -> None:
    """Mark the blocks of the class in their order; None leaves one unmarked, the blocks beyond are attended whole."""
    blocks = list(seat.session.meetings.order_by("starts_at"))
    for block, there in itertools.zip_longest(blocks, minutes, fillvalue=-1):
        if isinstance(block, Meeting) and there is not None:
            whole = int((block.ends_at - block.starts_at).total_seconds() // 60)
            Attendance.objects.create(
                enrollment=seat, meeting=block, minutes=whole if there == -1 else there, entered_by=by
            )


def make_test(course: Course, name: str = "Written exam", pass_mark: int = 70, **values: Any) -> CourseTest:
    return CourseTest.objects.create(course=course, name=name, pass_mark=pass_mark, **values)


def make_requirement(
    code: str = "refresher",
    *,
    entry: tuple[Course, ...] = (),
    refresher: tuple[Course, ...] = (),
    recert: tuple[Course, ...] = (),
    population: dict[str, Any] | None = None,
    effective_from: date = date(2015, 1, 1),
    **values: Any,
) -> Requirement:
    """A requirement with one edition. Load it before the facts, or rebuild the standings after it."""
    requirement = Requirement.objects.create(code=code, title=f"Requirement {code}", citations=["CALEA 41.2.7"])
    who = Population.objects.create(code=f"{code}-population", title="Patrol", **(population or {}))
    edition = Edition.objects.create(
        requirement=requirement,
        population=who,
        effective_from=effective_from,
        **{"clock": "rolling", "months": 36, "entry_grace_days": 180, **values},
    )
    edition.entry_courses.set(entry)
    edition.refresher_courses.set(refresher)
    edition.recert_courses.set(recert)
    return requirement


def make_goal(requirement: Requirement, **values: Any) -> Goal:
    defaults = {
        "code": f"goal-{next(_numbers)}",
        "title": "All of patrol",
        "counts": "certified",
        "target_percent": 100,
    }
    return Goal.objects.create(requirement=requirement, **{**defaults, **values})


def make_user(role: Role | str, username: str = "", **reach: Any) -> User:
    """A user with one role; `reach` is unit=, officer= or agency=."""
    user = User.objects.create_user(username or f"{role}{next(_numbers)}", password="correct horse battery")
    Access.objects.create(user=user, role=role, **reach)
    return user
