"""Who falls due and who is overdue."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows, refusal

pytestmark = pytest.mark.django_db

AS_OF = {"as_of": DAY.isoformat()}
SOON = "Due within 90 days, soonest first"
OVERDUE = "Overdue, longest first"


def show(department: Department, role: str = "chief", **query: str) -> Shown:
    return Shown(department.client(role).get("/deadlines/", {**AS_OF, **query}))


def test_soon_lists_who_falls_due_and_what_it_rests_on(department: Department) -> None:
    page = show(department)

    assert page.rows(SOON) == [
        ["Cole, Ada", "001002", "Requirement refresher", "Central District", "nights", "–", "✓ current", "1 Jul 2026",
         "CIT basic course, 1 Jul 2023"],
    ]  # fmt: skip


@pytest.mark.parametrize(("within", "count"), [("0", 0), ("1", 1), ("623", 1), ("624", 2)])
def test_the_span_holds_its_last_day(department: Department, within: str, count: int) -> None:
    response = department.client("chief").get("/deadlines/", {**AS_OF, "within": within})

    assert len(response.context["table"].rows) == count


def test_overdue_lists_the_longest_first(department: Department) -> None:
    names = [row[0] for row in show(department, show="overdue").rows(OVERDUE)]

    assert set(names) == {"Baker, Ada", "Frost, Ada", "Gray, Ada"}
    assert names[-1] == "Baker, Ada"


def test_a_commander_sees_their_own_only(department: Department) -> None:
    page = show(department, "commander", show="overdue")

    assert [row[0] for row in page.rows(OVERDUE)] == ["Baker, Ada"]
    assert "Frost" not in page.words
    assert department.client("commander").get("/deadlines/", {"unit": "EAS"}).status_code == 404


def test_one_requirement_and_unit(department: Department) -> None:
    page = show(department, show="overdue", requirement="refresher", unit="EAS")

    assert [row[0] for row in page.rows(OVERDUE)] == ["Frost, Ada"]
    assert "Population Patrol" in page.words


def test_nobody_due_says_so(department: Department) -> None:
    assert "Nobody falls due within 30 days." in show(department, unit="EAS", within="30").words


@pytest.mark.parametrize(
    "column", ["name", "employee_id", "requirement", "unit", "shift", "rank", "state", "due_on", "last_credit"]
)
def test_sorts_by_every_column_both_ways(department: Department, column: str) -> None:
    up, down = (
        [row[0] for row in show(department, show="overdue", sort=sort).rows(OVERDUE)] for sort in (column, f"-{column}")
    )

    assert sorted(up) == sorted(down) == ["Baker, Ada", "Frost, Ada", "Gray, Ada"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"within": "-1"}, "Within days: Ensure this value is greater than or equal to 0.", id="within"),
        pytest.param({"within": "soon"}, "Within days: Enter a whole number.", id="not-a-number"),
        pytest.param({"sort": "height"}, 'Sort: the table has no column "height" to sort by.', id="sort"),
        pytest.param({"page": "9"}, "Page: the list has 1 page.", id="past-the-end"),
        pytest.param({"page": "9" * 5000}, "Page: write a whole number.", id="thousands-of-digits"),
        pytest.param({"requirement": "none"}, 'Requirement: there is no requirement "none".', id="requirement"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    department: Department, query: dict[str, str], sentence: str
) -> None:
    assert refusal(department.client("chief").get("/deadlines/", query)) == (400, sentence)


def test_the_file_holds_every_row(department: Department) -> None:
    fill(department, 60)

    rows = csv_rows(department.client("chief").get("/deadlines/", {**AS_OF, "within": "3660", "export": "csv"}))

    assert rows[0] == ["Officer", "Id", "Requirement", "Unit", "Shift", "Rank", "State", "Due", "Rests on"]
    assert len(rows) == 1 + 3 + 60
    assert rows[1][6:] == ["current", "2026-07-01", "2023-07-01"]


# Session, user, access, units; requirements; rows counted; rows. On a past day, what a commander may open is one more.
QUERIES = 7


@pytest.mark.parametrize("query", [{}, {"requirement": "refresher"}], ids=["all", "one-requirement"])
@pytest.mark.parametrize(("role", "more"), [("chief", 0), ("commander", 1)])
def test_costs_the_same_for_one_and_for_thirty(
    department: Department,
    django_assert_num_queries: DjangoAssertNumQueries,
    role: str,
    more: int,
    query: dict[str, str],
) -> None:
    client = department.client(role)

    with django_assert_num_queries(QUERIES + more):
        one = client.get("/deadlines/", {**AS_OF, **query})
    fill(department, 30)
    with django_assert_num_queries(QUERIES + more):
        thirty = client.get("/deadlines/", {**AS_OF, **query, "within": "3660"})

    assert [len(page.context["table"].rows) >= least for page, least in ((one, 1), (thirty, 30))] == [True, True]
