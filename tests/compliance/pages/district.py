"""A small department whose every figure is known, on one fixed day: what the reading pages are tested with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.models import User
from django.test import Client

from compliance.models import Goal, Requirement
from roster.models import Officer, Unit
from tests.factories import (
    complete,
    judged_at_the_end,
    make_course,
    make_goal,
    make_officer,
    make_requirement,
    make_shift,
    make_unit,
    make_user,
    take_leave,
)
from training.models import Completion, Course

#: The day that is asked about. Refreshers of 2025 are current, the entries of 2020 ran out in 2023.
DAY = date(2026, 6, 30)


@dataclass
class Department:
    bureau: Unit
    central: Unit
    eastern: Unit
    course: Course
    refresher: Course
    requirement: Requirement
    goal: Goal
    people: dict[str, Officer]
    credits: dict[str, Completion]
    users: dict[str, User] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        client = Client()
        client.force_login(self.users[role])
        return client


def make_department() -> Department:
    """Patrol Bureau over Central (days, nights) and Eastern; everybody hired in 2016.

    Central: Abbott days current (due 15 Mar 2028), Baker days overdue since 2023, Cole nights current (due 1 Jul 2026,
    so within 90 days), Diaz nights excused on leave. Eastern: Evans days current, Frost days overdue without credit.
    Gray has no unit and is overdue. So 3 of 6 are current; Central 2 of 3, Eastern 1 of 2.
    """
    bureau = make_unit("PB", name="Patrol Bureau", function="patrol")
    central = make_unit("CEN", name="Central District", parent=bureau)
    eastern = make_unit("EAS", name="Eastern District", parent=bureau)
    days, nights = make_shift("days"), make_shift("nights")
    course = make_course("CIT-40", title="CIT basic course", title_key="cit basic course")
    refresher = make_course("CIT-REF-8", title="CIT refresher", title_key="cit refresher", hours=8, kind="refresher")
    requirement = make_requirement(
        entry=(course,), refresher=(refresher,), population={"categories": ["sworn"]}, leave="exclude"
    )
    goal = make_goal(requirement, code="ninety", title="Ninety of patrol", target_percent=90, by=date(2026, 12, 31))
    where = {
        "Abbott": (central, days),
        "Baker": (central, days),
        "Cole": (central, nights),
        "Diaz": (central, nights),
        "Evans": (eastern, days),
        "Frost": (eastern, days),
        "Gray": (None, None),
    }
    with judged_at_the_end():
        people = {
            name: make_officer(f"00{1000 + number}", last_name=name, first_name="Ada", unit=unit, shift=shift)
            for number, (name, (unit, shift)) in enumerate(where.items())
        }
        credits = {
            "Baker": complete(people["Baker"], course, date(2020, 3, 15)),
            "Abbott": complete(people["Abbott"], course, date(2025, 3, 15)),
            "Cole": complete(people["Cole"], course, date(2023, 7, 1)),
            "Evans": complete(people["Evans"], course, date(2026, 6, 10)),
        }
        take_leave(people["Diaz"], date(2026, 5, 1), date(2026, 9, 30))
    users = {role: make_user(role, role) for role in ("academy", "chief", "compliance", "auditor", "admin")}
    users["commander"] = make_user("commander", "commander", unit=central)
    users["officer"] = make_user("officer", "officer", officer=people["Abbott"])
    return Department(bureau, central, eastern, course, refresher, requirement, goal, people, credits, users)


def fill(department: Department, number: int) -> Sequence[Officer]:
    """So many more members of Central's days, each with one credit that is running."""
    with judged_at_the_end():
        officers = [
            make_officer(last_name=f"Young{place:02d}", unit=department.central, shift=make_shift("days"))
            for place in range(number)
        ]
        for officer in officers:
            complete(officer, department.course, date(2025, 2, 1))
    return officers
