"""A made-up department of any size: ten years of units, members, transfers, leaves and classes, the same every time.

Facts are copied in with one `Change`, past the one door: standings are what the benchmark measures.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from django.db import connection, models
from django.utils import timezone

from compliance.models import Edition, Population, Requirement
from roster.facts import Change, Via
from roster.models import Agency, Assignment, Designation, Employment, Leave, Officer, Rank, Role, Shift, Unit
from tests.factories import make_agency, make_course, make_requirement, make_unit, make_user
from training.models import Course

FIRST_DAY, LAST_DAY = date(2016, 1, 1), date(2025, 12, 31)
#: the day that pages and coverage are asked about
AS_OF = LAST_DAY
COMPLETIONS_EACH = 10
MEMBERS_IN_UNIT = 100
UNITS_IN_DISTRICT = 10
WITH_LEAVE, WITH_TRANSFER, SEPARATED, DISPATCHERS, FORMER_RECRUITS = 0.15, 0.40, 0.08, 0.05, 0.10

ONE_DAY = timedelta(days=1)
RANKS = ("officer",) * 14 + ("sergeant",) * 4 + ("lieutenant", "captain")
SHIFTS = ("days", "evenings", "nights")
FUNCTIONS = ("patrol",) * 7 + ("investigations", "traffic", "administration")
LAST_NAMES = ("Abara", "Bennett", "Castillo", "Dvorak", "Eriksen", "Fontaine", "Greene", "Haddad", "Ito", "Jankowski")
FIRST_NAMES = ("Amara", "Brian", "Carmen", "Dmitri", "Elena", "Frank", "Grace", "Hassan", "Ingrid", "Jerome", "Keiko")

# Of the codes that the shipped requirements name.
ENTRY, REFRESHER, PRIMER, DISPATCH = "CIT-40", "CIT-REF-8", "MHFA-PS", "DISPATCH-CIT-8"
ANNUAL = ("IN-SERVICE", "CRISIS-IS", "CRISIS-2", "1850")
#: designation -> the share of members who hold it
DESIGNATED = {"cit": 0.3, "peace-officer-certificate": 0.9, "peace-officer-license": 0.5, "basic-certificate": 0.4}
#: count toward no requirement
OTHERS = tuple(f"ELECTIVE-{number:02d}" for number in range(1, 18))


def load_department(officers: int) -> None:
    """Units, ranks, shifts, courses and the members with their employments, home assignments and leaves."""
    random = Random(officers)  # noqa: S311 - made-up data
    agency = make_agency("bench", "Harbor State Police")
    units = list(_make_units(agency, officers))
    ranks = [Rank.objects.get_or_create(agency=agency, code=code)[0] for code in dict.fromkeys(RANKS)]
    shifts = [Shift.objects.get_or_create(agency=agency, code=code)[0] for code in SHIFTS]
    _make_courses()
    _copy(
        Officer,
        ("agency_id", "employee_id", "post_id", "last_name", "first_name", "middle_name", "suffix", "badge", "email"),
        (
            (agency.pk, employee_id(number), "", random.choice(LAST_NAMES), random.choice(FIRST_NAMES), "", "", "", "")
            for number in range(officers)
        ),
    )
    change = Change.objects.create(via=Via.COMMAND, why="made up", at=timezone.now())
    rank_ids = {rank.code: rank.pk for rank in ranks}
    employments: list[tuple[object, ...]] = []
    assignments: list[tuple[object, ...]] = []
    leaves: list[tuple[object, ...]] = []
    designations: list[tuple[object, ...]] = []
    for officer in Officer.objects.order_by("pk").values_list("pk", flat=True):
        hired_on = _day(random, date(2005, 1, 1), date(2023, 6, 30))
        left_on = _day(random, date(2024, 1, 1), LAST_DAY) if random.random() < SEPARATED else None
        is_dispatcher = random.random() < DISPATCHERS
        employments.extend(_employments(random, officer, hired_on, left_on, is_dispatcher, change.pk))
        rank = rank_ids[random.choice(RANKS)]
        days = [max(hired_on, FIRST_DAY)]
        while random.random() < WITH_TRANSFER and len(days) < 4:
            days.append(_day(random, days[-1] + ONE_DAY, LAST_DAY))
        for start_on, following in zip(days, [*days[1:], None], strict=True):
            end_on = following - ONE_DAY if following else left_on
            if end_on is not None and end_on < start_on:
                continue
            unit, shift = random.choice(units), random.choice(shifts)
            assignments.append((officer, "home", unit.pk, shift.pk, rank, start_on, end_on, change.pk))
        if random.random() < WITH_LEAVE:
            start_on = _day(random, date(2018, 1, 1), date(2025, 6, 30))
            leaves.append((officer, "medical", start_on, start_on + timedelta(random.randint(14, 400)), "", change.pk))
        for code, share in DESIGNATED.items():
            if random.random() < share:
                designations.append((officer, code, max(hired_on, FIRST_DAY), None, random.random() < 0.5, change.pk))
    _copy(Employment, ("officer_id", "start_on", "end_on", "category", "recorded_in_id"), employments)
    _copy(Designation, ("officer_id", "code", "start_on", "end_on", "is_voluntary", "recorded_in_id"), designations)
    columns = ("officer_id", "kind", "unit_id", "shift_id", "rank_id", "start_on", "end_on", "recorded_in_id")
    _copy(Assignment, columns, assignments)
    _copy(Leave, ("officer_id", "kind", "start_on", "end_on", "approval", "recorded_in_id"), leaves)
    make_user(Role.ADMIN, "benchmark")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def employee_id(number: int) -> str:
    return f"{100_000 + number}"


def write_completions(officers: int, path: Path) -> None:
    """A file for `import_records completions`: ten rows each, in order of time, as exports come."""
    random = Random(officers + 1)  # noqa: S311 - made-up data
    rows: list[tuple[str, ...]] = []
    for number in range(officers):
        rows.extend(_completions_of(random, employee_id(number)))
    rows.sort(key=lambda row: row[2])
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("employee_id", "course", "completed_on", "hours", "score", "result", "class_number"))
        writer.writerows(rows)


def load_requirements() -> None:
    """Six requirements: the three clocks, leave that excuses, populations of every kind, and one with two editions."""
    courses = {course.code: course for course in Course.objects.all()}
    entry, refresher, primer, dispatch = (courses[code] for code in (ENTRY, REFRESHER, PRIMER, DISPATCH))
    annual = tuple(courses[code] for code in ANNUAL)
    patrol = {"categories": ["sworn"], "functions": ["patrol"]}
    make_requirement("entry", entry=(entry, primer), population=patrol, clock="once")
    make_requirement(
        "refresher",
        entry=(entry,),
        refresher=(refresher, primer),
        population={"categories": ["sworn"], "ranks": ["officer", "sergeant"]},
        leave="exclude",
        return_grace_days=60,
    )
    in_service = make_requirement(
        "in-service",
        entry=annual[:2],
        population={"categories": ["sworn"]},
        clock="calendar",
        years=1,
        first_due="next_year_end",
        leave="exclude",
        leave_min_days=30,
        return_grace_days=90,
        effective_to=date(2020, 12, 31),
    )
    second = Edition.objects.create(
        requirement=in_service,
        effective_from=date(2021, 1, 1),
        population=Population.objects.create(
            code="in-service-2021", title="Sworn, a year in", categories=["sworn"], min_service_months=12
        ),
        clock="calendar",
        years=1,
        first_due="year_end",
        leave="exclude",
        return_grace_days=60,
    )
    second.entry_courses.set(annual)
    make_requirement("certified", entry=(entry,), refresher=(refresher,), population={**patrol, "ranks": ["officer"]})
    make_requirement(
        "primer",
        entry=(primer,),
        refresher=(refresher,),
        refresher_stands_alone=True,
        population={"categories": ["sworn", "recruit", "telecommunicator"]},
        clock="calendar",
        years=3,
        entry_due_on=date(2019, 12, 31),
    )
    make_requirement(
        "dispatch", entry=(dispatch, entry), population={"categories": ["telecommunicator"]}, months=24, leave="exclude"
    )
    assert Requirement.objects.count() == 6
    # What PostgreSQL does by itself within a minute of an import.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE training_completion")


def _make_units(agency: Agency, officers: int) -> Iterator[Unit]:
    """The units that people are assigned to, in districts below one department."""
    top = make_unit("DEPT", agency=agency, name="Department")
    district = top
    for number in range(max(officers // MEMBERS_IN_UNIT, 10)):
        if number % UNITS_IN_DISTRICT == 0:
            district = make_unit(f"D{number // UNITS_IN_DISTRICT + 1}", agency=agency, parent=top)
        function = FUNCTIONS[number % len(FUNCTIONS)]
        yield make_unit(f"{district.code}-{number:04d}", agency=agency, parent=district, function=function)


def _make_courses() -> None:
    make_course(ENTRY)
    for code in (REFRESHER, PRIMER, DISPATCH, *ANNUAL, *OTHERS):
        make_course(code, hours=8, kind="in_service")


def _employments(
    random: Random, officer: int, hired_on: date, left_on: date | None, is_dispatcher: bool, change: int
) -> Iterator[tuple[object, ...]]:
    if is_dispatcher:
        yield officer, hired_on, left_on, "telecommunicator", change
    elif random.random() < FORMER_RECRUITS:
        sworn_on = hired_on + timedelta(180)
        yield officer, hired_on, sworn_on - ONE_DAY, "recruit", change
        yield officer, sworn_on, left_on, "sworn", change
    else:
        yield officer, hired_on, left_on, "sworn", change


def _completions_of(random: Random, who: str) -> Iterator[tuple[str, ...]]:
    """An entry course and what renews it every third year or later, in-service most years, and electives."""
    taken: dict[tuple[str, date], None] = {}
    day = _day(random, FIRST_DAY, date(2020, 12, 31))
    taken[random.choice((ENTRY, ENTRY, ENTRY, PRIMER, DISPATCH)), day] = None
    while (day := day + timedelta(random.randint(900, 1300))) <= LAST_DAY:
        taken[random.choice((REFRESHER, REFRESHER, PRIMER)), day] = None
    for year in random.sample(range(2016, 2026), 4):
        taken[random.choice(ANNUAL), _day(random, date(year, 1, 1), date(year, 12, 31))] = None
    while len(taken) < COMPLETIONS_EACH:
        taken[random.choice(OTHERS), _day(random, FIRST_DAY, LAST_DAY)] = None
    for course, completed_on in list(taken)[:COMPLETIONS_EACH]:
        result = "failed" if random.random() < 0.01 else ""
        score = str(random.randint(70, 100)) if course not in OTHERS else ""
        held_as = f"{course}/{completed_on:%Y-%m}" if random.random() < 0.5 else ""
        yield who, course, completed_on.isoformat(), random.choice(("", "8", "40")), score, result, held_as


def _day(random: Random, first: date, last: date) -> date:
    return first + timedelta(random.randint(0, max((last - first).days, 0)))


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{model._meta.db_table}" ({", ".join(columns)}) FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)
