"""Importing waivers and extensions: what is read, and that an approval that came too late is refused."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from compliance import grants, standings
from compliance.models import Extension, Requirement, Standing, Waiver
from roster.facts import Via, recording
from roster.models import Access, Officer, Unit
from tests import factories as make
from tests.importing import counts, import_text, reasons, verdicts
from training.models import Course

pytestmark = pytest.mark.django_db

HEADER = "employee_id,requirement,until_on,approved_on,approval\n"


@pytest.fixture
def cit() -> Course:
    return make.make_course()


@pytest.fixture
def member(cit: Course) -> Officer:
    """In patrol since 2020, credited on 17 March 2023: due on 17 March 2026 by a clock of 36 months."""
    make.make_requirement("cit", entry=(cit,), population={"functions": ["patrol"]}, entry_grace_days=90)
    officer = make.make_officer("1", unit=make.make_unit("P", function="patrol"), hired_on=date(2020, 1, 1))
    make.complete(officer, cit, date(2023, 3, 17))
    return officer


def due_on(day: date) -> tuple[str, date | None]:
    row = Standing.objects.filter(start_on__lte=day).exclude(end_on__lt=day).get()
    return row.state, row.due_on


def warnings_of(tmp_path: Path, kind: str, text: str) -> list[tuple[int, str, str]]:
    plan = import_text(tmp_path, kind, text).plan
    return [(warning.line, warning.column, warning.reason) for warning in plan.warnings]


def ask_timeline(day: str) -> list[str]:
    """What the explained line says of extensions on a day."""
    out = StringIO()
    call_command(
        *("timeline", "--officer", "1", "--requirement", "cit", "--as-of", day, "--why", "--format", "json"), stdout=out
    )
    (row,) = [row for row in json.loads(out.getvalue()) if row["from"] <= day <= (row["to"] or "9999-12-31")]
    return [said for said in row["why"]["dates"] if said.startswith("Extension")]


# waivers


def test_waivers(tmp_path: Path, member: Officer) -> None:
    make.waive(member, Requirement.objects.get(), date(2026, 4, 1), date(2026, 4, 30))
    text = (
        "employee_id,requirement,start_on,end_on,approval\n"
        "1,CIT,2026-04-01,2026-05-31,GO 26-1\n"
        "1,cit,2027-01-01,2027-01-31,\n"
        "1,cit,2027-01-01,2027-02-28,\n"
        "1,cit,2026-07-01,9999-12-31,\n"
        "1,cit,2026-07-01,,\n"
        "1,cit,2026-07-01,2026-06-30,\n"
        "1,mhfa,2026-07-01,2026-07-31,\n"
        "9,cit,2026-07-01,2026-07-31,\n"
    )

    first = import_text(tmp_path, "waivers", text)
    second = import_text(tmp_path, "waivers", "\n".join(text.splitlines()[:3]))

    assert verdicts(first.plan) == ["changed", "new", *["rejected"] * 6]
    assert reasons(first.plan) == [
        (4, "start_on", "Line 3 says otherwise of this waiver."),
        (5, "end_on", "end_on is required."),
        (6, "end_on", "end_on is required."),
        (7, "end_on", "The last day, 2026-06-30, is before the first, 2026-07-01."),
        (8, "requirement", "There is no requirement with this code."),
        (9, "employee_id", "No member has this employee id."),
    ]
    assert counts(second.plan) == (0, 2, 0, 0)
    assert list(Waiver.objects.known().order_by("start_on").values_list("end_on", "approval")) == [
        (date(2026, 5, 31), "GO 26-1"),
        (date(2027, 1, 31), ""),
    ]
    assert due_on(date(2026, 5, 31)) == ("excused", None)
    assert due_on(date(2026, 6, 1)) == ("overdue", date(2026, 3, 17))
    assert standings.differences() == {}


def test_a_changed_row_keeps_who_approved(tmp_path: Path, member: Officer) -> None:
    user = make.make_user("chief")
    with recording(by=None, via=Via.PAGE, why="by hand") as recorder:
        recorder.record(
            Waiver(
                officer=member,
                requirement=Requirement.objects.get(),
                start_on=date(2026, 4, 1),
                end_on=date(2026, 4, 30),
                approver=user,
            )
        )

    import_text(tmp_path, "waivers", "employee_id,requirement,start_on,end_on\n1,cit,2026-04-01,2026-05-31\n")

    stands = Waiver.objects.known().get()
    assert (stands.end_on, stands.approver) == (date(2026, 5, 31), user)


def test_waivers_that_overlap_are_taken_and_say_so(tmp_path: Path, member: Officer) -> None:
    text = "employee_id,requirement,start_on,end_on\n1,cit,2026-01-01,2026-01-31\n1,cit,2026-01-31,2026-02-28\n"

    assert warnings_of(tmp_path, "waivers", text) == [
        (3, "start_on", "Overlaps the waiver from 2026-01-01 to 2026-01-31.")
    ]
    assert Waiver.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param(
            "waivers",
            "employee_id,requirement,start_on,end_on,approval\n{0},cit,2026-04-01,2026-04-30,\n{0},cit,2026-01-01,"
            "2026-01-31,changed\n{0},cit,2026-01-01,2026-01-31,\n2,cit,2026-04-01,2026-04-30,\n",
            id="waivers",
        ),
        pytest.param(
            "extensions",
            f"{HEADER}{{0}},cit,2026-09-30,2026-03-01,\n{{0}},cit,2026-06-30,2026-03-01,changed\n"
            "{0},cit,2026-06-30,2026-03-01,\n2,cit,2026-09-30,2026-03-01,\n",
            id="extensions",
        ),
    ],
)
@pytest.mark.parametrize("match", [(), ("badge",)], ids=["by-id", "by-badge"])
def test_nobody_imports_for_themselves(
    tmp_path: Path, member: Officer, cit: Course, kind: str, text: str, match: tuple[str, ...]
) -> None:
    Officer.objects.filter(pk=member.pk).update(badge="1", first_name="Ana", last_name="Reyes")
    other = make.make_officer("2", badge="2", unit=Unit.objects.get(), hired_on=date(2020, 1, 1))
    make.complete(other, cit, date(2023, 3, 17))
    requirement = Requirement.objects.get()
    make.waive(member, requirement, date(2026, 1, 1), date(2026, 1, 31))
    make.extend(member, requirement, date(2026, 6, 30), date(2026, 3, 1))
    sender = make.make_user("academy")
    Access.objects.create(user=sender, role="officer", officer=member)
    text = text.format("1").replace("employee_id", "badge" if match else "employee_id")
    own = "You are Ana Reyes. Somebody else has to record this for you."

    by_oneself = import_text(tmp_path, kind, text, by=sender, match=match)
    by_another = import_text(tmp_path, kind, text, by=make.make_user("academy"), match=match)

    # What stands already is no act, and what concerns others goes in.
    assert verdicts(by_oneself.plan) == ["rejected", "rejected", "same", "new"]
    assert [(line, reason) for line, _, reason in reasons(by_oneself.plan)] == [(2, own), (3, own)]
    assert verdicts(by_another.plan) == ["new", "changed", "same", "same"]


# extensions


@pytest.mark.parametrize(
    ("approved_on", "reason"),
    [
        pytest.param("2026-03-17", None, id="on-the-due-date"),
        pytest.param("2026-03-18", "Approved too late: the date in force had passed, 2026-03-17.", id="the-day-after"),
        pytest.param("2023-03-17", None, id="on-the-day-of-the-credit"),
        pytest.param("2020-03-31", None, id="on-the-first-deadline"),
        pytest.param(
            "2020-04-01", "Approved too late: the date in force had passed, 2020-03-31.", id="after-the-first-deadline"
        ),
        pytest.param(
            "2019-12-31",
            "The member was not asked on this day, and no credit was running that could be extended.",
            id="before-joining",
        ),
    ],
)
def test_an_extension_must_be_approved_by_the_date_in_force(
    tmp_path: Path, member: Officer, approved_on: str, reason: str | None
) -> None:
    plan = import_text(tmp_path, "extensions", f"{HEADER}1,CIT,2026-12-31,{approved_on},GO 7\n").plan

    assert reasons(plan) == ([] if reason is None else [(2, "approved_on", reason)])
    assert Extension.objects.count() == (reason is None)


def test_an_extension_moves_the_due_date_and_again_changes_nothing(tmp_path: Path, member: Officer) -> None:
    text = f"{HEADER}1,cit,2026-09-30,2026-03-01,GO 7\n"

    first = import_text(tmp_path, "extensions", text)
    second = import_text(tmp_path, "extensions", text)
    renamed = import_text(tmp_path, "extensions", text.replace("GO 7", "GO 8"))

    assert [counts(done.plan) for done in (first, second, renamed)] == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)]
    assert due_on(date(2026, 2, 28)) == ("current", date(2026, 3, 17))
    assert due_on(date(2026, 3, 1)) == ("current", date(2026, 9, 30))
    assert due_on(date(2026, 10, 1)) == ("overdue", date(2026, 9, 30))
    assert standings.differences() == {}


def test_extensions_of_one_file_carry_one_another(tmp_path: Path, member: Officer) -> None:
    """Approved in August, in time only because of what was approved in March, two lines below."""
    text = (
        f"{HEADER}1,cit,2026-12-31,2026-08-01,\n"
        "1,cit,2027-06-30,2027-01-01,\n"
        "1,cit,2026-09-30,2026-03-01,\n"
        "1,cit,2027-12-31,2026-12-31,\n"
    )

    plan = import_text(tmp_path, "extensions", text).plan

    assert verdicts(plan) == ["new", "new", "new", "new"]
    assert due_on(date(2027, 1, 1)) == ("current", date(2027, 12, 31))


def test_a_refused_extension_carries_none(tmp_path: Path, member: Officer) -> None:
    text = f"{HEADER}1,cit,2026-12-31,2026-08-01,\n1,cit,2026-07-31,2026-03-01,\n"

    plan = import_text(tmp_path, "extensions", text).plan

    assert reasons(plan) == [
        (2, "approved_on", "Approved too late: the date in force had passed, 2026-07-31."),
    ]
    assert Extension.objects.get().until_on == date(2026, 7, 31)


def test_extensions_that_cannot_be_are_errors(tmp_path: Path, member: Officer) -> None:
    text = (
        f"{HEADER}1,cit,2026-01-31,2026-02-01,\n"
        "1,mhfa,2026-12-31,2026-02-01,\n"
        "1,cit,,2026-02-01,\n"
        "1,cit,2026-12-31,,\n"
        "1,cit,9999-12-31,2026-02-01,\n"
    )

    plan = import_text(tmp_path, "extensions", text).plan

    assert reasons(plan) == [
        (2, "until_on", "The extension ends before the day it was approved, 2026-02-01."),
        (3, "requirement", "There is no requirement with this code."),
        (4, "until_on", "until_on is required."),
        (5, "approved_on", "approved_on is required."),
        (6, "until_on", "9999-12-31 stands for a missing date. Leave the cell blank, or give the true date."),
    ]
    assert not Extension.objects.exists()


@pytest.mark.parametrize(
    ("row", "warnings"),
    [
        pytest.param(
            "1,cit,2026-03-17,2026-01-01,",
            [("until_on", "It changes nothing: the date in force is 2026-03-17 already.")],
            id="no-later-than-the-date-in-force",
        ),
        pytest.param("1,cit,2026-03-18,2026-01-01,", [], id="one-day-later"),
        pytest.param(
            "1,cit,2029-12-31,2026-11-21,",
            [("approved_on", "It is approved after today, 2026-11-20.")],
            id="approved-tomorrow",
        ),
        pytest.param(
            "1,cit,2026-03-18,2014-12-31,",
            [("approved_on", "No edition of the requirement was in force on this day.")],
            id="before-the-first-edition",
        ),
    ],
)
def test_odd_extensions_are_taken_and_say_so(
    tmp_path: Path, member: Officer, cit: Course, row: str, warnings: list[tuple[str, str]]
) -> None:
    if "2026-11-21" in row:
        make.complete(member, cit, date(2026, 3, 1))

    assert warnings_of(tmp_path, "extensions", f"{HEADER}{row}\n") == [(2, *warning) for warning in warnings]
    assert Extension.objects.count() == 1


@pytest.mark.parametrize(
    ("approved_on", "is_taken"),
    [
        pytest.param("2026-03-17", True, id="credit-still-running"),
        pytest.param("2026-03-18", False, id="credit-run-out"),
    ],
)
@pytest.mark.parametrize("left", ["patrol", "the-department"])
def test_outside_membership_only_a_running_credit_is_extended(
    tmp_path: Path, cit: Course, left: str, approved_on: str, is_taken: bool
) -> None:
    make.make_requirement("cit", entry=(cit,), population={"functions": ["patrol"]}, break_months=12)
    patrol = make.make_unit("P", function="patrol")
    last_day = "2025-06-30"
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    import_text(tmp_path, "assignments", f"employee_id,unit,start_on,end_on\n1,{patrol.code},2020-01-01,{last_day}\n")
    make.complete(officer, cit, date(2023, 3, 17))
    if left == "the-department":
        text = f"employee_id,last_name,first_name,hired_on,separated_on\n1,A,B,2020-01-01,{last_day}\n"
        import_text(tmp_path, "officers", text)

    plan = import_text(tmp_path, "extensions", f"{HEADER}1,cit,2026-12-31,{approved_on},\n").plan

    assert counts(plan) == ((1, 0, 0, 0) if is_taken else (0, 0, 0, 1))


@pytest.mark.parametrize(
    ("leave", "approved_on", "reason"),
    [
        pytest.param("exclude", "2026-03-17", None, id="on-leave-by-the-date-in-force"),
        pytest.param(
            "exclude",
            "2026-03-18",
            "Approved too late: the date in force had passed, 2026-03-17.",
            id="on-leave-after-it",
        ),
        pytest.param("exclude", "2026-06-29", None, id="in-the-days-back"),
        pytest.param(
            "exclude",
            "2026-06-30",
            "Approved too late: the date in force had passed, 2026-06-29.",
            id="after-the-days-back",
        ),
        pytest.param("toll", "2026-06-15", None, id="tolled"),
        pytest.param(
            "toll", "2026-06-18", "Approved too late: the date in force had passed, 2026-06-17.", id="after-the-tolled"
        ),
    ],
)
def test_leave_of_the_day_is_disregarded(
    tmp_path: Path, cit: Course, leave: str, approved_on: str, reason: str | None
) -> None:
    """Away from 1 February through 30 April 2026, back with 60 days; or the same 89 days after 17 March ... tolled."""
    make.make_requirement("cit", entry=(cit,), leave=leave, return_grace_days=59)
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    make.complete(officer, cit, date(2023, 3, 17))
    make.take_leave(officer, date(2026, 1, 29), date(2026, 4, 30))
    make.waive(officer, Requirement.objects.get(), date(2026, 3, 1), date(2026, 7, 31))

    plan = import_text(tmp_path, "extensions", f"{HEADER}1,cit,2026-12-31,{approved_on},\n").plan

    assert reasons(plan) == ([] if reason is None else [(2, "approved_on", reason)])


@pytest.mark.parametrize(
    ("edition", "is_trained", "why"),
    [
        pytest.param({}, True, "a leave without a last day moves it on", id="tolled-credit"),
        pytest.param({}, False, "a leave without a last day moves it on", id="tolled-deadline"),
        pytest.param({"clock": "once", "months": 0}, True, "the credit is good for ever", id="for-good"),
        pytest.param(
            {"clock": "once", "months": 0}, False, "a leave without a last day moves it on", id="for-good-to-come"
        ),
    ],
)
def test_an_extension_where_there_is_no_date_says_why(
    tmp_path: Path, cit: Course, edition: dict[str, Any], is_trained: bool, why: str
) -> None:
    requirement = make.make_requirement("cit", entry=(cit,), leave="toll", **edition)
    officer = make.make_officer("1", hired_on=date(2026, 1, 1))
    make.take_leave(officer, date(2026, 3, 1))
    if is_trained:
        make.complete(officer, cit, date(2026, 1, 5))
    asked = Extension(officer=officer, requirement=requirement, until_on=date(2030, 1, 1), approved_on=date(2026, 4, 1))

    by_page = grants.look_at(asked, today=date(2026, 4, 1)).refusal
    by_file = warnings_of(tmp_path, "extensions", f"{HEADER}1,cit,2030-01-01,2026-04-01,\n")

    assert by_page == f"There is no date to extend: {why}."
    assert by_file == [(2, "until_on", f"It changes nothing: there is no date, {why}.")]
    page = ask_timeline("2026-04-02")
    assert page == [
        "Extension to 1 Jan 2030, approved on 1 Apr 2026: there was no date to move on that day, so it changes nothing."
    ]


def test_the_edition_in_force_on_the_day_judges(tmp_path: Path, cit: Course) -> None:
    """24 months until the end of 2025, 48 from 2026: in December the date had passed, in January it runs again."""
    requirement = make.make_requirement("cit", entry=(cit,), months=24, effective_to=date(2025, 12, 31))
    first = requirement.editions.get()
    second = requirement.editions.create(
        effective_from=date(2026, 1, 1), population=first.population, clock="rolling", months=48
    )
    second.entry_courses.add(cit)
    make.complete(make.make_officer("1", hired_on=date(2020, 1, 1)), cit, date(2023, 3, 17))
    text = f"{HEADER}1,cit,2027-12-31,2025-12-31,\n1,cit,2027-12-31,2026-01-01,\n"

    plan = import_text(tmp_path, "extensions", text).plan

    assert reasons(plan) == [(2, "approved_on", "Approved too late: the date in force had passed, 2025-03-17.")]
    assert counts(plan) == (1, 0, 0, 1)
