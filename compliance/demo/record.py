"""Write a made-up department through the one door, in the order a real one would be recorded.

Every change is made now: known-at cannot be back-dated, so what was known before the department was made is nothing.
The changes still follow one another - roster, old transcripts, the classes of the last year, decisions, corrections -
so the trail of each record has something to show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from compliance.demo.rows import (
    AGENCY,
    COURSES,
    DESIGNATION,
    PASS_MARKS,
    RANKS,
    SHIFTS,
    TITLES,
    CompletionRow,
    Correction,
    Decision,
    Department,
    Member,
)
from compliance.models import Goal, Requirement
from compliance.requirements import load_presets, presets
from roster.facts import Recorder, Via, changing_rules, recording
from roster.models import (
    Agency,
    Assignment,
    Change,
    Designation,
    Employment,
    FormerDetail,
    Leave,
    Officer,
    Rank,
    Shift,
    Unit,
)
from training.course_imports import map_title
from training.models import Completion, Course, EvidenceDecision
from training.titles import title_key

#: The reason of the first change. A database whose members were not recorded by such a change is somebody's own.
MARK = "Made-up department: roster carried over from the personnel system"
PRESETS = ("all-patrol", "calea-41.2.7-entry", "calea-41.2.7-refresher")
#: What this agency promised besides the shipped goals, in the keys of a requirements file: of its watches, and of who
#: is designated rather than trained.
GOALS: tuple[dict[str, Any], ...] = (
    {
        "code": "designated-20",
        "title": "One in five of each district designated CIT",
        "requirement": "all-patrol",
        "counts": "designated",
        "designation": DESIGNATION,
        "target_percent": 20,
        "each": "unit",
        "min_count": 3,
    },
    {
        "code": "every-watch",
        "title": "Crisis training at work on every watch",
        "requirement": "calea-41.2.7-refresher",
        "counts": "available",
        "target_percent": 70,
        "each": "unit_shift",
        "min_count": 1,
    },
)

#: So many of the latest classes are changes of their own, as when they are logged from sign-in sheets.
LOGGED_CLASSES = 40
#: Members whose facts are copied at a time: their rows are the memory this takes.
BLOCK = 5_000

COMPLETION_COLUMNS = (
    *("officer_id", "course_id", "completed_on", "hours", "score", "attendance", "result", "evidence", "verified_on"),
    *("certificate_number", "certificate_expires_on", "lesson_plan", "class_number"),
)
EMPLOYMENT_COLUMNS = ("officer_id", "start_on", "end_on", "category")
ASSIGNMENT_COLUMNS = ("officer_id", "kind", "unit_id", "shift_id", "rank_id", "start_on", "end_on")
LEAVE_COLUMNS = ("officer_id", "kind", "start_on", "end_on", "approval")
DESIGNATION_COLUMNS = ("officer_id", "code", "start_on", "end_on", "is_voluntary")

Say = Callable[[str], object]


def is_made_here() -> bool:
    """Whether the members in this database are the demo's. One query."""
    return Change.objects.filter(why=MARK).exists()


def record_department(
    department: Department,
    *,
    by: Mapping[str, User] | None = None,
    with_presets: Sequence[str] = PRESETS,
    say: Say = lambda text: None,
) -> Agency:
    """Write the department and load the shipped requirements, in one transaction; standings follow at its end.

    `by` names who recorded what: "academy" the facts, "compliance" the decisions. `with_presets` empty loads none.
    """
    with transaction.atomic():
        agency = _Writer(department, by or {}, say).write()
        if with_presets:
            say("Working out everybody's standing")
            load_presets(with_presets, today=department.today)
            _promise()
    with connection.cursor() as cursor:  # the planner knows nothing of tables filled a moment ago
        cursor.execute("ANALYZE")
    return agency


def _promise() -> None:
    """Set the agency's own goals on those of their requirements that are loaded."""
    requirements = {requirement.code: requirement for requirement in Requirement.objects.all()}
    for values in GOALS:
        if values["requirement"] in requirements:
            Goal.objects.create(**{**values, "requirement": requirements[values["requirement"]]})


class _Writer:
    def __init__(self, department: Department, by: Mapping[str, User], say: Say) -> None:
        self.department = department
        self.academy = by.get("academy")
        self.compliance = by.get("compliance")
        self.say = say
        self.ids: dict[str, int] = {}  # employee id -> officer
        self.units: dict[str, int] = {}
        self.ranks: dict[str | None, int | None] = {None: None}
        self.shifts: dict[str | None, int | None] = {None: None}
        self.courses: dict[str, int] = {}

    def write(self) -> Agency:
        department = self.department
        self.say(f"Making up {sum(m.is_employed_on(department.today) for m in department.members):,} members")
        agency = self._places()
        self._catalogue()
        self._members(agency)
        self._roster()
        self._transcripts()
        for decision in department.decisions:
            self._decide(decision)
        for correction in department.corrections:
            self._correct(correction)
        return agency

    def _places(self) -> Agency:
        code, name = AGENCY
        agency = Agency.objects.create(code=code, name=name)
        made: dict[str, Unit] = {}
        for row in self.department.units:
            made[row.code] = Unit.objects.create(
                agency=agency,
                code=row.code,
                name=row.name,
                parent=made.get(row.parent),
                function=row.function,
                closed_on=row.closed_on,
            )
        self.units = {code: unit.pk for code, unit in made.items()}
        for place, word in enumerate(RANKS):
            self.ranks[word] = Rank.objects.create(agency=agency, code=word, order=place).pk
        for place, word in enumerate(SHIFTS):
            self.shifts[word] = Shift.objects.create(agency=agency, code=word, order=place).pk
        return agency

    def _catalogue(self) -> None:
        """The shipped courses with this agency's pass marks, its own courses, and the titles older files use."""
        available = presets()
        shipped = {values["code"]: dict(values) for code in PRESETS for values in available[code].courses}
        for code, (score, attendance) in PASS_MARKS.items():
            shipped[code].update(min_score=score, min_attendance=attendance)
        for code, title, kind, hours, mode in COURSES:
            shipped[code] = {"code": code, "title": title, "kind": kind, "hours": Decimal(str(hours)), "mode": mode}
        with changing_rules():
            for code, values in shipped.items():
                course, _ = Course.objects.get_or_create(
                    code=code, defaults={**values, "title_key": title_key(values["title"])}
                )
                self.courses[code] = course.pk
            for title, code in TITLES:
                map_title(title, Course.objects.get(pk=self.courses[code]), source="")

    def _members(self, agency: Agency) -> None:
        made = Officer.objects.bulk_create(
            (
                Officer(
                    agency=agency,
                    employee_id=member.employee_id,
                    post_id=member.post_id,
                    last_name=member.last,
                    first_name=member.first,
                    middle_name=member.middle,
                    suffix=member.suffix,
                    badge=member.badge,
                    email=member.email,
                )
                for member in self.department.members
            ),
            batch_size=BLOCK,
        )
        self.ids = {officer.employee_id: officer.pk for officer in made}
        FormerDetail.objects.bulk_create(
            FormerDetail(officer_id=self._id(member), field=member.former[0], value=member.former[1])
            for member in self.department.members
            if member.former
        )

    def _id(self, member: Member) -> int:
        return self.ids[member.employee_id]

    def _roster(self) -> None:
        members, today = self.department.members, self.department.today
        new_leaves = [
            (self._id(member), *row) for member in members for row in member.leaves if row.start_on > today - YEAR
        ]
        with recording(by=self.academy, via=Via.IMPORT, why=MARK) as recorder:
            everybody = self.ids.values()
            recorder.record_many(
                Employment,
                EMPLOYMENT_COLUMNS,
                ((self._id(m), *row) for m in members for row in m.employments),
                everybody,
            )
            recorder.record_many(Assignment, ASSIGNMENT_COLUMNS, self._assignments(members), everybody)
            recorder.record_many(
                Leave,
                LEAVE_COLUMNS,
                ((self._id(m), *row) for m in members for row in m.leaves if row.start_on <= today - YEAR),
                everybody,
            )
        held = [(self._id(member), *row) for member in members for row in member.designations]
        with recording(by=self.academy, via=Via.IMPORT, why="CIT officers, from the coordinator's list") as recorder:
            recorder.record_many(Designation, DESIGNATION_COLUMNS, held, {row[0] for row in held})
        with recording(
            by=self.academy, via=Via.IMPORT, why="Leave of the last twelve months, from personnel"
        ) as recorder:
            recorder.record_many(Leave, LEAVE_COLUMNS, new_leaves, {row[0] for row in new_leaves})

    def _assignments(self, members: Iterable[Member]) -> Iterable[tuple[object, ...]]:
        for member in members:
            for row in member.assignments:
                yield (
                    *(self._id(member), row.kind, self.units[row.unit], self.shifts[row.shift], self.ranks[row.rank]),
                    *(row.start_on, row.end_on),
                )

    def _transcripts(self) -> None:
        """Old transcripts in one change, the last year's in another, each late or recent class in its own."""
        department = self.department
        since = department.today - YEAR
        replaced = {
            (member.employee_id, row) for correction in department.corrections for member, row in correction.record
        }
        extra = defaultdict(list)
        for correction in department.corrections:
            for member, row in correction.void:
                extra[member.employee_id].append(row)
        own = self._classes_of_their_own(since)
        old: list[tuple[object, ...]] = []
        new: list[tuple[object, ...]] = []
        by_class: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        with recording(
            by=self.academy, via=Via.IMPORT, why="Transcripts carried over from the training spreadsheets"
        ) as old_change:
            for member in department.members:
                for row in (*member.completions, *extra[member.employee_id]):
                    if (member.employee_id, row) in replaced:
                        continue
                    values = self._completion(member, row)
                    if row.class_number in own:
                        by_class[row.class_number].append(values)
                    else:
                        (old if row.completed_on <= since else new).append(values)
                if len(old) > 20 * BLOCK:
                    self._copy(old_change, old)
                    old.clear()
            self._copy(old_change, old)
        with recording(by=self.academy, via=Via.IMPORT, why="Training of the last twelve months") as recorder:
            self._copy(recorder, new)
        for number in own:
            why = department.entered_late.get(number, f"Sign-in sheet of class {number}")
            with recording(by=self.academy, via=Via.PAGE, why=why) as recorder:
                self._copy(recorder, by_class[number])

    def _classes_of_their_own(self, since: date) -> list[str]:
        """Classes that requirements ask for, of the last year: the latest ones in order, late ones at the end."""
        days: dict[str, date] = {}
        for member in self.department.members:
            for row in member.completions:
                if row.class_number.startswith(("CIT-", "REF-", "ACAD-")) and row.completed_on > since:
                    days[row.class_number] = row.completed_on
        late = [number for number in self.department.entered_late if number in days]
        latest = sorted(days, key=lambda number: (days[number], number))[-LOGGED_CLASSES:]
        return [*(number for number in latest if number not in late), *late]

    def _completion(self, member: Member, row: CompletionRow) -> tuple[object, ...]:
        return (
            *(self._id(member), self.courses[row.course], row.completed_on, None, row.score, row.attendance),
            *(row.result, row.evidence, row.verified_on, row.certificate_number, row.certificate_expires_on),
            *(row.lesson_plan, row.class_number),
        )

    def _copy(self, recorder: Recorder, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            recorder.record_many(Completion, COMPLETION_COLUMNS, rows, {int(str(row[0])) for row in rows})

    def _find(self, member: Member, row: CompletionRow) -> Completion:
        found: Completion = Completion.objects.known().get(
            officer=self._id(member),
            course=self.courses[row.course],
            completed_on=row.completed_on,
            class_number=row.class_number,
        )
        return found

    def _decide(self, decision: Decision) -> None:
        with recording(by=self.compliance, via=Via.PAGE, why=decision.note) as recorder:
            recorder.record(
                EvidenceDecision(
                    officer_id=self._id(decision.member),
                    completion=self._find(decision.member, decision.completion),
                    decision=decision.decision,
                    decided_on=decision.decided_on,
                    note=decision.note,
                )
            )

    def _correct(self, correction: Correction) -> None:
        with recording(by=self.academy, via=Via.PAGE, why=correction.why) as recorder:
            found = [self._find(member, row) for member, row in correction.void]
            recorder.void(found)
            for member, row in correction.record:
                values = dict(zip(COMPLETION_COLUMNS, self._completion(member, row), strict=True))
                same = next((fact for fact in found if fact.officer_id == values["officer_id"]), None)
                recorder.record(Completion(**values, replaces=same))


YEAR = timedelta(days=365)
