"""Importing units, officers, assignments, leaves and designations."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from roster.models import Assignment, Designation, Employment, FormerDetail, Leave, Officer, Rank, Shift, Unit
from roster.tabular import Unreadable
from tests.factories import designate, make_officer, make_rank, make_unit, take_leave
from tests.importing import TODAY, counts, import_text, reasons, verdicts

pytestmark = pytest.mark.django_db


# units


def test_units_come_in_any_order_and_twice_without_change(tmp_path: Path) -> None:
    text = (
        "code,name,parent,function,opened_on,closed_on\n"
        "D1,First District,PATROL,,2001-01-01,\n"
        "patrol,Patrol Bureau,,patrol,,\n"
        "D2,,Patrol,,,2024-12-31\n"
        "D1,,,,,\n"
    )

    first = import_text(tmp_path, "units", text).plan
    second = import_text(tmp_path, "units", text).plan

    assert verdicts(first) == ["new", "new", "new", "same"]
    assert counts(second) == (0, 4, 0, 0)
    assert list(Unit.objects.values_list("code", "name", "parent__code", "function", "closed_on")) == [
        ("D1", "First District", "patrol", "", None),
        ("D2", "D2", "patrol", "", date(2024, 12, 31)),
        ("patrol", "Patrol Bureau", None, "patrol", None),
    ]


def test_units_that_cannot_be_are_errors(tmp_path: Path) -> None:
    text = (
        "code,name,parent,opened_on,closed_on\n"
        "A,,B,,\n"
        "B,,A,,\n"
        "C,,A,,\n"
        "D,,NOWHERE,,\n"
        "E,,E,,\n"
        "F,,,2024-01-02,2024-01-01\n"
        ",Nameless,,,\n"
        "G,One,,,\n"
        "g,Two,,,\n"
        "D,,,,\n"
    )

    plan = import_text(tmp_path, "units", text).plan

    assert counts(plan) == (1, 0, 0, 9)
    assert reasons(plan) == [
        (2, "parent", "Unit A would stand above itself."),
        (3, "parent", "Unit B would stand above itself."),
        (4, "parent", "There is no such unit, here or in this file."),
        (5, "parent", "There is no such unit, here or in this file."),
        (6, "parent", "Unit E would stand above itself."),
        (7, "closed_on", "The last day, 2024-01-01, is before the first, 2024-01-02."),
        (8, "code", "code is required."),
        (10, "name", "Line 9 says otherwise of unit g."),
        (11, "code", "Line 5 of the same unit was rejected."),
    ]
    assert list(Unit.objects.values_list("code", flat=True)) == ["G"]


def test_a_unit_that_was_used_keeps_its_function_and_parent(tmp_path: Path) -> None:
    used = make_unit("D1", function="patrol", parent=make_unit("TOP"))
    make_officer(unit=used)
    make_unit("D2")

    plan = import_text(
        tmp_path, "units", "code,name,function,parent\nD1,New name,traffic,TOP\nD2,,patrol,TOP\nTOP,The top,,\n"
    ).plan

    assert verdicts(plan) == ["rejected", "changed", "changed"]
    assert reasons(plan) == [
        (2, "function", "Members were assigned to D1, so its function is fixed. Close it and open another unit.")
    ]
    assert list(Unit.objects.values_list("code", "name", "function", "parent__code")) == [
        ("D1", "D1 District", "patrol", "TOP"),
        ("D2", "D2 District", "patrol", "TOP"),
        ("TOP", "The top", "", None),
    ]


# officers


def test_officers_with_their_employments(tmp_path: Path) -> None:
    text = (
        "employee_id,name,badge,category,hired_on,separated_on,email\n"
        '00123,"WHITFIELD, AMARA J., Jr.",881,recruit,2015-01-05,2015-07-01,a@example.org\n'
        '00123,"WHITFIELD, AMARA J., Jr.",4410,,2015-07-02,9999-12-31,\n'
        '13001.0,"O’BRIEN II, PAT",,Co-Responder,1/6/2020,,\n'
        '1234e567,"NA, MIN",,,,,\n'
    )

    first = import_text(tmp_path, "officers", text)
    second = import_text(tmp_path, "officers", text)

    assert counts(first.plan) == (4, 0, 0, 0)
    assert counts(second.plan) == (0, 4, 0, 0)
    assert second.change_id is None
    assert list(
        Officer.objects.order_by("pk").values_list(
            "employee_id", "last_name", "first_name", "middle_name", "suffix", "badge"
        )
    ) == [
        ("00123", "WHITFIELD", "AMARA", "J.", "Jr.", "4410"),
        ("13001", "O'BRIEN", "PAT", "", "II", ""),
        ("1234e567", "NA", "MIN", "", "", ""),
    ]
    assert list(
        Employment.objects.order_by("start_on").values_list("officer__employee_id", "start_on", "end_on", "category")
    ) == [
        ("00123", date(2015, 1, 5), date(2015, 7, 1), "recruit"),
        ("00123", date(2015, 7, 2), None, "sworn"),
        ("13001", date(2020, 1, 6), None, "co_responder"),
    ]


def test_a_member_hired_after_today_is_taken_and_says_so(tmp_path: Path) -> None:
    header = "employee_id,last_name,first_name,hired_on\n"
    text = f"{header}1,Reyes,Ana,{TODAY}\n2,Okafor,Ada,{TODAY + timedelta(days=1)}\n"

    first, second = import_text(tmp_path, "officers", text), import_text(tmp_path, "officers", text)

    assert (counts(first.plan), counts(second.plan)) == ((2, 0, 0, 0), (0, 2, 0, 0))
    assert [(warning.line, warning.column, warning.reason) for warning in first.plan.warnings] == [
        (3, "hired_on", f"The member is hired after today, {TODAY}.")
    ]
    assert list(second.plan.warnings) == []


def test_officers_that_cannot_be_are_errors(tmp_path: Path) -> None:
    make_officer("7", hired_on=date(2016, 3, 4), last_name="Okafor", first_name="Ada")
    text = (
        "employee_id,last_name,first_name,category,hired_on,separated_on,email\n"
        ",Reyes,Ana,,2020-01-01,,\n"
        "1,,Ana,,2020-01-01,,\n"
        "2,Reyes,Ana,officer,2020-01-01,,\n"
        "3,Reyes,Ana,,2020-01-01,2019-12-31,\n"
        "4,Reyes,Ana,,,2019-12-31,\n"
        "5,Reyes,Ana,,2020-01-01,,no address\n"
        "6,Reyes,Ana,,2020-01-01,,\n"
        "6,Reyes,Anna,,2020-01-01,,\n"
        "6,Reyes,Ana,,2021-01-01,,\n"
        "6,Reyes,Ana,,2020-01-01,,\n"
        "7,Okafor,Ada,,2018-01-01,,\n"
        "1.2E+05,Reyes,Ana,,2020-01-01,,\n"
        "8,=1+1,Ana,,2020-01-01,,\n"
    )

    plan = import_text(tmp_path, "officers", text).plan

    assert counts(plan) == (1, 1, 0, 11)
    assert reasons(plan) == [
        (2, "employee_id", "employee_id is required."),
        (3, "last_name", "last_name is required."),
        (4, "category", "This is none of sworn, recruit, telecommunicator, civilian, co_responder."),
        (5, "separated_on", "The last day, 2019-12-31, is before the first, 2020-01-01."),
        (6, "separated_on", "The last day employed needs hired_on, to tell which employment ended."),
        (7, "email", "This is not an e-mail address."),
        (9, "first_name", "Line 8 says otherwise of this member."),
        (10, "hired_on", "The member is employed already from 2020-01-01 on, without a last day (sworn)."),
        (12, "hired_on", "The member is employed already from 2016-03-04 on, without a last day (sworn)."),
        (13, "employee_id", "A spreadsheet shortened this number. Send the whole id, as text."),
        (14, "last_name", "The cell holds a formula. Send the value it stands for."),
    ]


def test_officers_change_and_what_was_is_kept(tmp_path: Path) -> None:
    officer = make_officer("00123", last_name="Reyes", first_name="Ana", badge="17", hired_on=date(2016, 3, 4))
    text = (
        "employee_id,last_name,first_name,badge,category,hired_on,separated_on\n"
        "00123,Reyes-Smith,Ana,,,2016-03-04,2024-06-30\n"
        "00123,Reyes-Smith,Ana,18,civilian,2024-07-01,\n"
    )

    first = import_text(tmp_path, "officers", text)
    second = import_text(tmp_path, "officers", text)

    officer.refresh_from_db()
    assert verdicts(first.plan) == ["changed", "new"]
    assert counts(second.plan) == (0, 2, 0, 0)
    assert (officer.last_name, officer.badge) == ("Reyes-Smith", "18")
    assert set(FormerDetail.objects.values_list("field", "value")) == {("last_name", "Reyes"), ("badge", "17")}
    old, ended, civilian = Employment.objects.order_by("start_on", "pk")
    assert (old.voided_in_id, old.end_on) == (first.change_id, None)
    assert (ended.replaces_id, ended.end_on, ended.category) == (old.pk, date(2024, 6, 30), "sworn")
    assert (civilian.start_on, civilian.category) == (date(2024, 7, 1), "civilian")


def test_officers_without_any_name_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        import_text(tmp_path, "officers", "employee_id,badge\n1,2\n")

    assert str(refused.value) == (
        "The file has no column last_name and first_name, nor name. Its header, line 1, reads: employee_id, badge."
    )


# assignments


def home_rows() -> list[tuple[str, date, date | None]]:
    stays = Assignment.objects.known().filter(kind="home").order_by("start_on")
    return list(stays.values_list("unit__code", "start_on", "end_on"))


def test_a_monthly_feed_ends_the_home_before(tmp_path: Path) -> None:
    make_officer("1", hired_on=date(2016, 3, 4))
    for code in "ABC":
        make_unit(code)
    january = "employee_id,unit,start_on\n1,B,2024-01-15\n1,A,2020-01-01\n"
    february = "employee_id,unit,start_on\n1,A,2020-01-01\n1,C,2024-02-15\n"

    first = import_text(tmp_path, "assignments", january).plan
    second = import_text(tmp_path, "assignments", february).plan
    third = import_text(tmp_path, "assignments", february).plan
    fourth = import_text(tmp_path, "assignments", january).plan

    assert verdicts(first) == ["new", "new"]
    assert verdicts(second) == ["same", "changed"]
    assert verdicts(third) == ["same", "same"]
    assert verdicts(fourth) == ["same", "same"]
    assert home_rows() == [
        ("A", date(2020, 1, 1), date(2024, 1, 14)),
        ("B", date(2024, 1, 15), date(2024, 2, 14)),
        ("C", date(2024, 2, 15), None),
    ]
    assert Assignment.objects.count() == 4  # B was recorded open, and again with its end
    assert Assignment.objects.get(unit__code="B", voided_in=None).replaces.end_on is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        pytest.param(
            "1,A,2021-06-01,",
            "start_on",
            "A from 2021-06-01 on is inside the home assignment to B from 2021-01-01 to 2021-12-31.",
            id="inside-a-closed-one",
        ),
        pytest.param(
            "1,A,2020-06-01,",
            "end_on",
            "It starts before the home assignment to B from 2021-01-01 to 2021-12-31, and needs a last day of its own.",
            id="before-one-without-an-end",
        ),
        pytest.param(
            "1,A,2020-06-01,2021-01-01",
            "end_on",
            "A from 2020-06-01 to 2021-01-01 overlaps the home assignment to B from 2021-01-01 to 2021-12-31.",
            id="one-day-over",
        ),
        pytest.param(
            "1,B,2021-01-01,2023-01-01",
            "end_on",
            "B from 2021-01-01 to 2023-01-01 overlaps the home assignment to C from 2023-01-01 on.",
            id="longer-than-recorded",
        ),
        pytest.param("1,X,2024-01-01,", "unit", "There is no such unit. Import the units first.", id="unknown-unit"),
        pytest.param(
            "1,A,2022-06-01,2022-05-31",
            "end_on",
            "The last day, 2022-05-31, is before the first, 2022-06-01.",
            id="end-before-start",
        ),
        pytest.param(
            "01,A,2024-01-01,", "employee_id", "No member has this employee id. Alike: 1 Okafor, Ada.", id="alike"
        ),
        pytest.param("9,A,2024-01-01,", "employee_id", "No member has this employee id.", id="nobody"),
    ],
)
def test_assignments_that_cannot_be_are_errors(tmp_path: Path, row: str, column: str, reason: str) -> None:
    make_officer("1", last_name="Okafor", first_name="Ada")
    for code in "ABC":
        make_unit(code)
    import_text(
        tmp_path, "assignments", "employee_id,unit,start_on,end_on\n1,B,2021-01-01,2021-12-31\n1,C,2023-01-01,\n"
    )
    before = home_rows()

    plan = import_text(tmp_path, "assignments", f"employee_id,unit,start_on,end_on\n{row}\n").plan

    assert reasons(plan) == [(2, column, reason)]
    assert home_rows() == before


@pytest.mark.parametrize("row", ["1,A,2020-06-01,2020-12-31", "1,A,2022-01-01,2022-12-31"])
def test_assignments_that_touch_are_taken(tmp_path: Path, row: str) -> None:
    make_officer("1")
    for code in "ABC":
        make_unit(code)
    import_text(
        tmp_path, "assignments", "employee_id,unit,start_on,end_on\n1,B,2021-01-01,2021-12-31\n1,C,2023-01-01,\n"
    )

    plan = import_text(tmp_path, "assignments", f"employee_id,unit,start_on,end_on\n{row}\n").plan

    assert counts(plan) == (1, 0, 0, 0)


def test_shifts_and_ranks_are_made_once_and_aliases_hold(tmp_path: Path) -> None:
    rank = make_rank("sergeant")
    rank.aliases = ["SGT"]
    rank.save()
    make_unit("A")
    make_officer("1")
    make_officer("2")
    text = "employee_id,unit,start_on,shift,rank\n1,a,2024-01-01,Days,sgt\n2,A,2024-01-01,DAYS,Captain\n"

    first = import_text(tmp_path, "assignments", text).plan
    second = import_text(tmp_path, "assignments", text).plan

    assert counts(first) == (2, 0, 0, 0)
    assert counts(second) == (0, 2, 0, 0)
    assert list(Shift.objects.values_list("code", flat=True)) == ["Days"]
    assert list(Rank.objects.order_by("pk").values_list("code", flat=True)) == ["sergeant", "Captain"]


def test_a_repeat_with_other_values_is_an_error_on_the_later_line(tmp_path: Path) -> None:
    make_unit("A")
    make_unit("B")
    make_officer("1")
    text = "employee_id,unit,start_on,shift\n1,A,2024-01-01,days\n1,A,2024-01-01,\n1,B,2024-01-01,days\n"

    plan = import_text(tmp_path, "assignments", text).plan

    assert verdicts(plan) == ["new", "same", "rejected"]
    assert reasons(plan) == [(4, "start_on", "Line 2 says otherwise of this assignment.")]


def test_a_blank_changes_nothing_and_a_value_does(tmp_path: Path) -> None:
    make_unit("A")
    make_officer("1")
    import_text(tmp_path, "assignments", "employee_id,unit,start_on,shift,end_on\n1,A,2024-01-01,days,2024-06-30\n")

    blank = import_text(tmp_path, "assignments", "employee_id,unit,start_on,shift,end_on\n1,A,2024-01-01,,\n").plan
    changed = import_text(tmp_path, "assignments", "employee_id,unit,start_on,shift\n1,A,2024-01-01,nights\n").plan

    assert counts(blank) == (0, 1, 0, 0)
    assert counts(changed) == (0, 0, 1, 0)
    (stands,) = Assignment.objects.known().filter(kind="home")
    assert (str(stands.shift), stands.end_on) == ("nights", date(2024, 6, 30))


def test_warnings_of_employment_and_of_secondary_overlap(tmp_path: Path) -> None:
    make_unit("A")
    make_unit("B")
    make_officer("1", hired_on=date(2020, 1, 1))
    text = (
        "employee_id,unit,start_on,end_on,kind\n"
        "1,A,2019-12-31,,home\n"
        "1,A,2020-01-01,2020-06-30,secondary\n"
        "1,B,2020-06-30,2020-12-31,secondary\n"
        "1,B,2020-06-30,2020-12-31,temporary\n"
    )

    plan = import_text(tmp_path, "assignments", text).plan

    assert counts(plan) == (4, 0, 0, 0)
    assert [(warning.line, warning.reason) for warning in plan.warnings] == [
        (2, "The assignment, from 2019-12-31 on, reaches outside employment."),
        (4, "Overlaps the secondary assignment to A from 2020-01-01 to 2020-06-30."),
    ]


# finding members


@pytest.mark.parametrize(
    ("match", "header", "cells", "reason"),
    [
        pytest.param("post_id", "post_id", "ab 12", None, id="post-id"),
        pytest.param(
            "last_name,first_name,hired_on", "last_name,first_name,hired_on", "obrien jr,PAT,3/4/2016", None, id="name"
        ),
        pytest.param(
            "last_name,first_name,hired_on",
            "name,hired_on",
            '"O’Brien, Pat, Jr.",2016-03-04',
            None,
            id="one-name-column",
        ),
        pytest.param(
            "last_name,first_name",
            "last_name,first_name",
            "O'Brien,Pat",
            "2 members fit: 1 O'Brien, Pat; 2 OBrien, Pat. Say which by employee id.",
            id="two",
        ),
        pytest.param(
            "last_name,first_name,hired_on",
            "last_name,first_name,hired_on",
            "O'Brien,Pat,2019-01-01",
            "No member fits last_name O'Brien, first_name Pat, hired_on 2019-01-01."
            " Hired on another day: 1 O'Brien, Pat; 2 OBrien, Pat.",
            id="other-day",
        ),
        pytest.param("post_id", "post_id", "", "post_id is required to find the member.", id="blank"),
        pytest.param("post_id", "post_id", "zz", "No member fits post_id zz.", id="nobody"),
    ],
)
def test_members_are_found_and_never_guessed(
    tmp_path: Path, match: str, header: str, cells: str, reason: str | None
) -> None:
    make_unit("A")
    make_officer("1", last_name="O'Brien", first_name="Pat", post_id="AB-12", hired_on=date(2016, 3, 4))
    make_officer("2", last_name="OBrien", first_name="Pat", post_id="AB-13", hired_on=date(2017, 3, 4))

    plan = import_text(
        tmp_path, "assignments", f"{header},unit,start_on\n{cells},A,2020-01-01\n", match=tuple(match.split(","))
    ).plan

    assert [error.reason for error in plan.errors] == ([] if reason is None else [reason])
    if reason is None:
        assert [line.summary for line in plan.lines()] == ["1 A 2020-01-01"]


# leaves


def test_leaves(tmp_path: Path) -> None:
    officer = make_officer("1")
    take_leave(officer, date(2024, 1, 1), kind="Military")
    text = (
        "employee_id,kind,start_on,end_on,approval\n"
        "1,military,2024-01-01,2024-06-30,GO 24-1\n"
        "1,medical,2024-01-01,,\n"
        "1,medical,2024-01-01,2024-02-01,\n"
        "1,medical,2024-03-01,2024-02-01,\n"
        "1,,2024-03-01,,\n"
    )

    first = import_text(tmp_path, "leaves", text).plan
    second = import_text(tmp_path, "leaves", "\n".join(text.splitlines()[:3])).plan

    assert verdicts(first) == ["changed", "new", "rejected", "rejected", "rejected"]
    assert reasons(first) == [
        (4, "start_on", "Line 3 says otherwise of this leave."),
        (5, "end_on", "The last day, 2024-02-01, is before the first, 2024-03-01."),
        (6, "kind", "kind is required."),
    ]
    assert counts(second) == (0, 2, 0, 0)
    assert list(Leave.objects.known().order_by("kind").values_list("kind", "end_on", "approval")) == [
        ("Military", date(2024, 6, 30), "GO 24-1"),
        ("medical", None, ""),
    ]


# designations


def test_designations(tmp_path: Path) -> None:
    officer = make_officer("1")
    designate(officer, "CIT", date(2020, 1, 1))
    text = (
        "employee_id,code,start_on,end_on,voluntary\n"
        "1,cit,2020-01-01,2023-12-31,Yes\n"
        "1,CIT,2024-01-01,9999-12-31,x\n"
        "1,FTO,2024-01-01,,no\n"
        "1,fto,1/1/2024,2024-06-30,\n"
        "1,CIT,2025-01-01,,\n"
        "1,CIT,2023-12-31,2023-12-31,\n"
        "1,SWAT,2024-03-01,2024-02-01,\n"
        "1,SWAT,1900-01-01,,perhaps\n"
        "1,,2024-03-01,,\n"
    )

    first = import_text(tmp_path, "designations", text)
    second = import_text(tmp_path, "designations", "\n".join(text.splitlines()[:4]))

    assert verdicts(first.plan) == ["changed", "new", "new", *["rejected"] * 6]
    assert reasons(first.plan) == [
        (5, "start_on", "Line 4 says otherwise of this designation."),
        (6, "start_on", "The member holds CIT from 2024-01-01 on already."),
        (7, "start_on", "The member holds CIT from 2020-01-01 to 2023-12-31 already."),
        (8, "end_on", "The last day, 2024-02-01, is before the first, 2024-03-01."),
        (9, "start_on", "1900-01-01 stands for a missing date. Leave the cell blank, or give the true date."),
        (9, "voluntary", "This is neither yes nor no."),
        (10, "code", "code is required."),
    ]
    assert counts(second.plan) == (0, 3, 0, 0)
    assert second.change_id is None
    assert list(
        Designation.objects.known()
        .order_by("code", "start_on")
        .values_list("code", "start_on", "end_on", "is_voluntary")
    ) == [
        ("CIT", date(2020, 1, 1), date(2023, 12, 31), True),
        ("CIT", date(2024, 1, 1), None, True),
        ("FTO", date(2024, 1, 1), None, False),
    ]
    ended = Designation.objects.known().get(start_on=date(2020, 1, 1))
    assert (ended.replaces.end_on, ended.replaces.voided_in_id) == (None, first.change_id)


def test_a_designation_keeps_what_a_row_leaves_blank(tmp_path: Path) -> None:
    designate(make_officer("1"), "CIT", date(2020, 1, 1), date(2023, 12, 31), is_voluntary=True)

    plan = import_text(tmp_path, "designations", "employee_id,code,start_on\n1,CIT,2020-01-01\n").plan

    assert counts(plan) == (0, 1, 0, 0)
