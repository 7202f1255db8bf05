"""Requirements and courses, to read."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.compliance.pages.district import Department
from tests.compliance.pages.reading import Shown, csv_rows, refusal
from tests.factories import make_course, make_requirement

pytestmark = pytest.mark.django_db

COURSES = "Courses, and how often each was completed"
RULES = "Requirements and the rule in force"


def test_requirements_are_restated(department: Department) -> None:
    page = Shown(department.client("auditor").get("/requirements/"))

    (row,) = page.rows(RULES)
    assert row[0] == "Requirement refresher CALEA 41.2.7"
    assert "36 months" in row[1]
    assert page.links["Requirement refresher"] == "/requirements/refresher/"


def test_one_requirement_says_who_must_and_what_counts(department: Department) -> None:
    words = Shown(department.client("auditor").get("/requirements/refresher/")).words

    assert "since 1 Jan 2015 ✓ in force" in words
    assert "Who must Patrol (refresher-population) Categories sworn" in words
    assert "Opens with CIT-40: CIT basic course Refreshes with CIT-REF-8: CIT refresher;" in words
    assert "Ninety of patrol, by 31 Dec 2026 Asked: 90 % of the whole. Counts: certified." in words


def test_a_requirement_that_is_not_there(department: Department) -> None:
    assert department.client("auditor").get("/requirements/none/").status_code == 404


def test_the_file_of_requirements(department: Department) -> None:
    rows = csv_rows(department.client("auditor").get("/requirements/", {"export": "csv"}))

    assert rows[0] == ["Code", "Title", "Citations", "Rule"]
    assert rows[1][:3] == ["refresher", "Requirement refresher", "CALEA 41.2.7"]


def test_courses_say_how_often_each_was_completed(department: Department) -> None:
    page = Shown(department.client("academy").get("/courses/"))

    assert page.rows(COURSES) == [
        ["CIT-40", "CIT basic course", "CIT", "40", "classroom", "–", "–", "–", "4"],
        ["CIT-REF-8", "CIT refresher", "refresher", "8", "classroom", "–", "–", "–", "0"],
    ]


@pytest.mark.parametrize(
    "column", ["code", "title", "kind", "hours", "mode", "min_score", "min_attendance", "same_as", "taken"]
)
def test_courses_sort_by_every_column_both_ways(department: Department, column: str) -> None:
    for sort in (column, f"-{column}"):
        page = Shown(department.client("academy").get("/courses/", {"sort": sort}))
        assert sorted(row[0] for row in page.rows(COURSES)) == ["CIT-40", "CIT-REF-8"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"sort": "colour"}, 'Sort: the table has no column "colour" to sort by.', id="sort"),
        pytest.param({"page": "3"}, "Page: the list has 1 page.", id="past-the-end"),
        pytest.param({"show": "some"}, "Show: Select a valid choice. some is not one of the available choices.",
                     id="show"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    department: Department, query: dict[str, str], sentence: str
) -> None:
    assert refusal(department.client("academy").get("/courses/", query)) == (400, sentence)


def test_courses_file_holds_every_row(department: Department) -> None:
    for number in range(60):
        make_course(f"X-{number:02d}")

    rows = csv_rows(department.client("academy").get("/courses/", {"export": "csv"}))

    assert rows[0] == [
        "Code", "Title", "Kind", "Hours", "Mode", "Pass mark, %", "Least attendance, %", "Counts as", "Completions",
    ]  # fmt: skip
    assert len(rows) == 1 + 2 + 60


# Session, user, access, units; rows counted; rows.
COURSE_QUERIES = 6
# Session, user, access, units; requirements, their editions, the courses they list in three ways.
RULE_QUERIES = 9


def test_lists_cost_the_same_for_one_and_for_thirty(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = department.client("academy")

    with django_assert_num_queries(COURSE_QUERIES):
        client.get("/courses/")
    with django_assert_num_queries(RULE_QUERIES):
        client.get("/requirements/")
    for number in range(30):
        make_requirement(f"y-{number}", entry=(make_course(f"Y-{number}"),))
    with django_assert_num_queries(COURSE_QUERIES):
        client.get("/courses/")
    with django_assert_num_queries(RULE_QUERIES):
        client.get("/requirements/")
