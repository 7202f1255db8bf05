"""Two people at work on one member's waivers and extensions at once."""

from __future__ import annotations

from datetime import date

import pytest

from compliance import grants
from compliance.models import Extension, Requirement, Standing
from roster.facts import FactRefused, Via, recording
from roster.models import Officer
from tests.factories import complete, make_course, make_officer, make_requirement, make_unit, make_user
from tests.two_writers import Gate, Worker

pytestmark = pytest.mark.django_db(transaction=True)


def member() -> tuple[Officer, Requirement]:
    """Credit of 3 May 2019, current through 3 May 2022."""
    course = make_course()
    requirement = make_requirement(entry=(course,))
    officer = make_officer(unit=make_unit())
    complete(officer, course, date(2019, 5, 3))
    return officer, requirement


def test_two_who_grant_the_same_extension_grant_it_once() -> None:
    officer, requirement = member()
    by, approver = make_user("compliance"), make_user("chief")
    gate = Gate()

    def extension() -> Extension:
        return Extension(
            officer=officer,
            requirement=requirement,
            until_on=date(2022, 9, 30),
            approved_on=date(2022, 5, 3),
            approver=approver,
        )

    def first() -> None:
        with recording(by=by, via=Via.PAGE, why="first") as recorder:
            recorder.lock([officer.pk])
            recorder.record(extension())
            gate.stop_here()

    one = Worker(first)
    gate.wait_for_it()
    other = Worker(lambda: grants.record(extension(), why="second", by=by))
    other.wait_until_blocked()
    gate.open()
    one.result()

    assert other.result() is False
    assert Extension.objects.known().count() == 1


def test_who_grants_sees_what_another_voided_meanwhile() -> None:
    officer, requirement = member()
    by, approver = make_user("compliance"), make_user("chief")
    completion = officer.completions.get()
    gate = Gate()

    def take_back() -> None:
        with recording(by=by, via=Via.PAGE, why="wrong member") as recorder:
            recorder.lock([officer.pk])
            recorder.void([completion])
            gate.stop_here()

    one = Worker(take_back)
    gate.wait_for_it()
    extension = Extension(
        officer=officer,
        requirement=requirement,
        until_on=date(2022, 9, 30),
        approved_on=date(2022, 5, 3),
        approver=approver,
    )
    other = Worker(lambda: grants.record(extension, why="second", by=by))
    other.wait_until_blocked()
    gate.open()
    one.result()

    with pytest.raises(FactRefused, match="Approved too late: the date in force was 31 Aug 2016"):
        other.result()
    assert set(Standing.objects.filter(officer=officer).values_list("state", flat=True)) == {"in_grace", "overdue"}


def test_a_grant_voided_twice_is_voided_once() -> None:
    officer, requirement = member()
    by = make_user("compliance")
    extension = Extension(
        officer=officer,
        requirement=requirement,
        until_on=date(2022, 9, 30),
        approved_on=date(2022, 5, 3),
        approver=make_user("chief"),
    )
    grants.record(extension, why="closed academy", by=by)

    answers = [grants.void(extension, why="not needed", by=by) for _ in range(2)]

    assert answers == [True, False]
