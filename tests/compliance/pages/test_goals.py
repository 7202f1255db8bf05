"""Goals: how each stands, and who keeps it from being whole."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import standings
from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import make_goal, make_officer, make_requirement

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


def test_the_file(department: Department) -> None:
    rows = csv_rows(department.client("chief").get("/goals/", {**AS_OF, "export": "csv"}))

    assert rows == [
        ["Goal", "Counts", "Target, %", "By", "Percent", "Have", "Needed", "Counted", "Short", "Met"],
        ["Ninety of patrol", "certified", "90.00", "31 Dec 2026", "50.0", "3", "6", "6", "3", "no"],
    ]


# Session, user, access, units; requirements; goals; members counted; who is missing.
QUERIES = 8


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
