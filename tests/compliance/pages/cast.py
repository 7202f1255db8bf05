"""The cast that page tests share: two districts with a member each, a course, a requirement, and one user a role."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.models import User
from django.test import Client

from compliance.models import Requirement
from roster.models import Officer, Unit
from tests.factories import (
    complete,
    judged_at_the_end,
    make_course,
    make_officer,
    make_requirement,
    make_shift,
    make_unit,
    make_user,
)
from training.models import Completion, Course


@dataclass
class Cast:
    bureau: Unit
    central: Unit
    eastern: Unit
    amara: Officer
    jonah: Officer
    basic: Course
    refresher: Course
    requirement: Requirement
    #: Amara's entry course of 2019, recorded by nobody in particular
    entry: Completion
    users: dict[str, User] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        client = Client()
        client.force_login(self.users[role])
        return client


def make_cast() -> Cast:
    """Amara Whitfield (002918) of Central, overdue since 2022; Jonah Delacroix (003377) of Eastern, untrained."""
    bureau = make_unit("PB", name="Patrol Bureau", function="patrol")
    central = make_unit("CEN", name="Central District", parent=bureau)
    eastern = make_unit("EAS", name="Eastern District", parent=bureau)
    basic = make_course("CIT-40", title="CIT basic course", title_key="cit basic course")
    refresher = make_course("CIT-REF-8", title="CIT refresher", title_key="cit refresher", hours=8, kind="refresher")
    requirement = make_requirement(entry=(basic,), refresher=(refresher,), population={"functions": ["patrol"]})
    days = make_shift()
    with judged_at_the_end():
        amara = make_officer(
            "002918", last_name="Whitfield", first_name="Amara", unit=central, shift=days, badge="4471"
        )
        jonah = make_officer("003377", last_name="Delacroix", first_name="Jonah", unit=eastern, shift=days)
        entry = complete(amara, basic, date(2019, 5, 3))
    users = {role: make_user(role, role) for role in ("academy", "chief", "compliance", "auditor", "admin")}
    users["commander"] = make_user("commander", "commander", unit=central)
    users["elsewhere"] = make_user("commander", "elsewhere", unit=eastern)
    users["officer"] = make_user("officer", "officer", officer=amara)
    return Cast(bureau, central, eastern, amara, jonah, basic, refresher, requirement, entry, users)
