"""Goals: how each stands, and who keeps it from being whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import standings
from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows, xlsx_rows
from tests.factories import (
    assign_temporarily,
    designate,
    make_goal,
    make_officer,
    make_requirement,
    make_shift,
    take_leave,
)

pytestmark = pytest.mark.django_db

AS_OF = {"as_of": DAY.isoformat()}
MISSING = "Members who keep Ninety of patrol from being whole"


def show(department: Department, role: str = "chief", **query: str) -> Shown:
    return Shown(department.client(role).get("/goals/", {**AS_OF, **query}))


def test_a_goal_that_is_short_says_how_many_and_who(department: Department) -> None:
    page = show(department)

    assert "▲ not met 50.0 % certified: 3 of 6; 6 needed for 90 %, 3 short, by 31 Dec 2026." in page.words
    assert "1 excused are left out" in page.words
    assert page.rows(MISSING) == [
        ["Baker, Ada", "Central District · days", "▲ overdue", "15 Mar 2023"],
        ["Frost, Ada", "Eastern District · days", "▲ overdue", "31 Aug 2016"],
        ["Gray, Ada", "–", "▲ overdue", "31 Aug 2016"],
    ]


def test_a_commander_gets_the_whole_figure_but_only_their_own_names(department: Department) -> None:
    page = show(department, "commander")

    assert "3 of 6" in page.words
    assert [row[0] for row in page.rows(MISSING)] == ["Baker, Ada"]
    assert "Frost" not in page.words


def test_trained_counts_everybody_who_ever_was(department: Department) -> None:
    make_goal(department.requirement, code="ever", title="Half ever trained", counts="trained", target_percent=60)

    page = show(department)

    assert "✓ met 66.6 % trained: 4 of 6; 4 needed for 60 %." in page.words
    assert [row[0] for row in page.rows("Members who keep Half ever trained from being whole")] == [
        "Frost, Ada",
        "Gray, Ada",
    ]


def test_more_than_fifty_are_counted_not_named(department: Department) -> None:
    for number in range(55):
        make_officer(last_name=f"Zimmer{number:02d}", unit=department.eastern)

    page = show(department)

    assert "Who is missing: the first 50, 8 more" in page.words
    assert len(page.rows(MISSING)) == 50


def test_without_a_goal_the_page_says_where_goals_come_from(department: Department) -> None:
    department.goal.delete()

    assert "No goal is set. Goals are loaded with requirements" in show(department).words


def promise(department: Department, **values: Any) -> None:
    """A goal of each unit and shift: 60 % and at least one member of each current."""
    make_goal(
        department.requirement,
        **{"code": "each", "title": "Each watch", "target_percent": 60, "each": "unit_shift", "min_count": 1, **values},
    )


GROUPS = "Units by shifts, furthest behind first: Each watch"


def test_groups_are_units_by_shifts_the_furthest_behind_first(department: Department) -> None:
    make_officer(last_name="Hull", unit=department.eastern, shift=make_shift("nights"))
    promise(department)

    page = show(department)

    assert "▲ not met 42.8 % certified: 3 of 7; 5 needed for 60 %, 4 short with its groups. 1 of 5 groups met." in (
        page.words
    )
    assert "Asked: 60 % of the whole and of each unit and shift, with at least 1 member in each." in page.words
    assert "Certified: current on this day." in page.words
    assert page.header(GROUPS) == ["Unit", "days", "nights", "no shift"]
    assert page.rows(GROUPS) == [
        ["Eastern District", "1 of 2 50.0 % ▲ short 1", "0 of 1 0.0 % ▲ short 1", "–"],
        ["without a unit", "–", "–", "0 of 1 0.0 % ▲ short 1"],
        ["Central District", "1 of 2 50.0 % ▲ short 1", "1 of 1 100.0 % ✓ met", "–"],
    ]
    assert page.links["Eastern District"] == "/units/EAS/?as_of=2026-06-30&requirement=refresher"


def test_a_group_whose_members_are_all_excused_is_na_and_short_of_the_least(department: Department) -> None:
    take_leave(department.people["Cole"], DAY)
    promise(department)

    page = show(department)

    assert page.rows(GROUPS)[0] == ["Central District", "1 of 2 50.0 % ▲ short 1", "0 of 0 n/a ▲ short 1", "–"]


def test_a_commander_sees_the_groups_of_the_own_units(department: Department) -> None:
    promise(department)

    page = show(department, "commander")

    assert [row[0] for row in page.rows(GROUPS)] == ["Central District"]
    assert "2 other groups of the department lie outside the units you see." in page.words
    assert "1 of 4 groups met" in page.words
    assert "Eastern" not in page.words


def test_shifts_of_the_department_are_everybodys_figures(department: Department) -> None:
    promise(department, each="shift")

    page = show(department, "commander")

    assert page.rows("Shifts, furthest behind first: Each watch") == [
        ["no shift", "0 of 1 0.0 % ▲ short 1"],
        ["days", "2 of 4 50.0 % ▲ short 1"],
        ["nights", "1 of 1 100.0 % ✓ met"],
    ]


def test_available_members_are_counted_where_they_work(department: Department) -> None:
    assign_temporarily(department.people["Abbott"], department.eastern, DAY)
    take_leave(department.people["Evans"], DAY, kind="vacation")
    make_goal(department.requirement, code="there", title="On duty", counts="available", target_percent=50, each="unit")

    page = show(department)

    assert page.rows("Units, each with its own members, furthest behind first: On duty") == [
        ["without a unit", "0 of 1 0.0 % ▲ short 1"],
        ["Central District", "1 of 3 33.3 % ▲ short 1"],
        ["Eastern District", "1 of 1 100.0 % ✓ met"],
    ]
    assert [row[0] for row in page.rows("Members who keep On duty from being whole")] == [
        "Baker, Ada", "Frost, Ada", "Gray, Ada",
    ]  # fmt: skip


def test_who_is_current_but_on_leave_or_not_designated_is_named_with_what_is_missing(department: Department) -> None:
    department.requirement.editions.update(leave="none")
    standings.rebuild()
    take_leave(department.people["Evans"], DAY, kind="vacation")
    designate(department.people["Baker"], "CIT", date(2020, 4, 1))
    make_goal(department.requirement, code="there", title="On duty", counts="available")
    make_goal(department.requirement, code="held", title="Named", counts="designated", designation="CIT")

    page = show(department)

    assert page.rows("Members who keep On duty from being whole")[2] == [
        "Evans, Ada", "Eastern District · days", "✓ current on leave", "10 Jun 2029",
    ]  # fmt: skip
    assert page.rows("Members who keep Named from being whole")[0] == [
        "Abbott, Ada", "Central District · days", "✓ current not designated", "15 Mar 2028",
    ]  # fmt: skip
    assert "Designated: holds the designation CIT on this day, trained or not." in page.words
    assert "14.2 % designated: 1 of 7" in page.words


def test_the_file_holds_the_goals_with_their_groups(department: Department) -> None:
    promise(department, each="unit", by=date(2026, 12, 31))

    response = department.client("chief").get("/goals/", {**AS_OF, "export": "csv"})
    book = department.client("chief").get("/goals/", {**AS_OF, "export": "xlsx"})

    rows = csv_rows(response)
    each = ["Each watch", "certified", "60.00", "unit", "1", "31 Dec 2026"]
    assert rows == [
        ["Goal", "Counts", "Target, %", "Of each", "At least", "By", "Row", "Unit", "Shift",
         "Percent", "Have", "Needed", "Counted", "Excused", "Short", "Met"],
        [*each, "whole", "", "", "50.0", "3", "4", "6", "1", "2", "no"],
        [*each, "group", "CEN", "", "66.6", "2", "2", "3", "1", "0", "yes"],
        [*each, "group", "EAS", "", "50.0", "1", "2", "2", "0", "1", "no"],
        [*each, "group", "", "", "0.0", "0", "1", "1", "0", "1", "no"],
        ["Ninety of patrol", "certified", "90.00", "none", "0", "31 Dec 2026", "whole", "", "",
         "50.0", "3", "6", "6", "1", "3", "no"],
    ]  # fmt: skip
    assert [row[0] for row in xlsx_rows(book)] == [row[0] for row in rows]


def test_the_file_of_a_commander_holds_the_groups_of_the_own_units(department: Department) -> None:
    promise(department, each="unit")

    rows = csv_rows(department.client("commander").get("/goals/", {**AS_OF, "export": "csv"}))

    assert [row[6:8] for row in rows[1:]] == [["whole", ""], ["group", "CEN"], ["whole", ""]]


# Session, user, access, units; goals with their populations; members counted, whatever is counted; who is missing.
QUERIES = 7


def test_costs_the_same_for_one_goal_and_for_thirty(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = department.client("chief")

    with django_assert_num_queries(QUERIES):
        client.get("/goals/", AS_OF)
    fill(department, 30)
    for number in range(29):
        requirement = make_requirement(f"more-{number}", entry=(department.course,))
        make_goal(requirement, code=f"more-{number}", counts=("trained", "certified")[number % 2])
    standings.rebuild()
    with django_assert_num_queries(QUERIES):
        client.get("/goals/", AS_OF)


def test_groups_and_facts_cost_the_same_for_one_goal_and_for_ten(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = department.client("chief")

    def promise_both(number: int) -> None:
        for counts in ("designated", "available"):
            promise(department, code=f"{counts}-{number}", counts=counts)

    promise_both(0)
    with django_assert_num_queries(QUERIES):
        client.get("/goals/", AS_OF)
    fill(department, 30)
    for number in range(1, 5):
        promise_both(number)
    with django_assert_num_queries(QUERIES):
        client.get("/goals/", AS_OF)
    commander = department.client("commander")
    with django_assert_num_queries(QUERIES + 1):  # whose pages a commander may open
        commander.get("/goals/", AS_OF)
