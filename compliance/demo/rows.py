"""What a made-up department consists of, as values: its agency, courses and titles, its members and their facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

AGENCY = ("ABPD", "Alder Bay Police Department")
RANKS = ("chief", "captain", "lieutenant", "sergeant", "officer")
SHIFTS = ("days", "evenings", "nights")
#: Code, title, kind, hours, mode. The courses of the shipped requirements come from their own catalogue.
COURSES = (
    ("REC-MH-12", "Recruit block: people in crisis, 12 h", "recruit", 12, "classroom"),
    ("FA-QUAL", "Firearms qualification", "in_service", 4, "scenario"),
    ("FAID-CPR", "First aid and CPR", "in_service", 8, "classroom"),
    ("LEGAL-2", "Legal update, 2 h", "in_service", 2, "online"),
    ("DEESC-8", "De-escalation and use of force, 8 h", "in_service", 8, "scenario"),
    ("RC-CRISIS", "Roll-call bulletin: calls about people in crisis", "roll_call", 0.25, "roll_call"),
    ("TC-CRISIS-8", "Crisis calls for telecommunicators, 8 h", "special", 8, "classroom"),
)
#: Pass marks that this agency asks of shipped courses: (score, attendance), percent.
PASS_MARKS = {"CIT-40": (70, 90)}
#: Titles that older files know a course by.
TITLES = (
    ("CRISIS INTERVENTION TEAM (40 HRS)", "CIT-40"),
    ("CIT BASIC 40HR", "CIT-40"),
    ("MENTAL HEALTH FIRST AID - PUBLIC SAFETY", "MHFA-PS"),
    ("CIT REFRESHER", "CIT-REF-8"),
)

#: Officers who are sent to people in crisis; a duty, which the course alone does not give.
DESIGNATION = "CIT"


class EmploymentRow(NamedTuple):
    start_on: date
    end_on: date | None
    category: str


class AssignmentRow(NamedTuple):
    kind: str
    unit: str
    shift: str | None
    rank: str | None
    start_on: date
    end_on: date | None = None


class LeaveRow(NamedTuple):
    kind: str
    start_on: date
    end_on: date | None
    approval: str


class DesignationRow(NamedTuple):
    code: str
    start_on: date
    end_on: date | None
    is_voluntary: bool


class CompletionRow(NamedTuple):
    course: str
    completed_on: date
    class_number: str = ""
    score: int | None = None
    attendance: int | None = None
    result: str = "passed"
    evidence: str = "verified"
    verified_on: date | None = None
    certificate_number: str = ""
    certificate_expires_on: date | None = None
    lesson_plan: str = ""


@dataclass(slots=True)
class Member:
    """One member with the facts that stand; `story` says which of the district's stories, if any, is theirs."""

    last: str
    first: str
    middle: str
    suffix: str
    story: str = ""
    employee_id: str = ""
    post_id: str = ""
    badge: str = ""
    email: str = ""
    former: tuple[str, str] | None = None  # (field, value) before a change of name
    employments: list[EmploymentRow] = field(default_factory=list)
    assignments: list[AssignmentRow] = field(default_factory=list)
    leaves: list[LeaveRow] = field(default_factory=list)
    designations: list[DesignationRow] = field(default_factory=list)
    completions: list[CompletionRow] = field(default_factory=list)

    def home_on(self, day: date) -> AssignmentRow | None:
        return next(
            (
                row
                for row in self.assignments
                if row.kind == "home" and row.start_on <= day and (row.end_on is None or row.end_on >= day)
            ),
            None,
        )

    def is_employed_on(self, day: date) -> bool:
        return any(row.start_on <= day and (row.end_on is None or row.end_on >= day) for row in self.employments)

    def is_on_leave(self, day: date) -> bool:
        return any(row.start_on <= day and (row.end_on is None or row.end_on >= day) for row in self.leaves)

    def has(self, course: str) -> bool:
        return any(row.course == course and row.result == "passed" for row in self.completions)


class Correction(NamedTuple):
    """Completions voided and recorded in one change. `record` holds (member, completion)."""

    why: str
    void: tuple[tuple[Member, CompletionRow], ...]
    record: tuple[tuple[Member, CompletionRow], ...] = ()


class Decision(NamedTuple):
    member: Member
    completion: CompletionRow
    decision: str
    decided_on: date
    note: str


class UnitRow(NamedTuple):
    code: str
    name: str
    parent: str
    function: str
    closed_on: date | None = None


@dataclass(slots=True)
class Department:
    """The whole department. `members` are in the order of their employee ids, former ones among them."""

    today: date
    units: list[UnitRow]
    members: list[Member]
    corrections: list[Correction]
    decisions: list[Decision]
    #: class number -> why it was entered late
    entered_late: dict[str, str]
