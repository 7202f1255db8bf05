"""Coverage: the table of one requirement, the overview, what a commander sees, known at, and files of both."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.models import Edition, Population
from roster.facts import Change, Via, recording
from roster.models import Role
from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows, refusal, xlsx_rows
from tests.factories import make_agency, make_officer, make_unit, make_user

pytestmark = pytest.mark.django_db

ONE = {"requirement": "refresher", "as_of": DAY.isoformat()}
TABLE = "Requirement refresher: units with everything below them, and their shifts"
OVERVIEW = "Share of each unit, with everything below it, that is current under each requirement"


def show(department: Department, role: str = "chief", **query: str) -> Shown:
    return Shown(department.client(role).get(reverse("coverage"), {**ONE, **query}))


def test_units_come_in_the_order_of_the_tree_with_their_shifts_and_those_without_a_unit_last(
    department: Department,
) -> None:
    page = show(department)

    assert page.header(TABLE) == [
        "Unit", "Counted", "Picture of the shares", "Current", "In grace", "Overdue", "Due in 90 days", "Goal",
    ]  # fmt: skip
    assert page.rows(TABLE) == [
        ["Patrol Bureau", "5", "", "60.0 % 3 of 5", "–", "2", "1", "▲ short 2"],
        ["Central District", "3", "", "2 of 3 66.6 %", "–", "1", "1", "▲ short 1"],
        ["days", "2", "", "1 of 2 50.0 %", "–", "1", "–", "▲ short 1"],
        ["nights", "1", "", "1 of 1 100.0 %", "–", "–", "1", "✓ met"],
        ["Eastern District", "2", "", "1 of 2 50.0 %", "–", "1", "–", "▲ short 1"],
        ["Without a home assignment", "1", "", "0 of 1 0.0 %", "–", "1", "–", "▲ short 1"],
    ]


def test_the_cards_say_where_it_stands_whether_the_goal_is_met_and_why_it_changed(department: Department) -> None:
    words = show(department).words

    assert "Certified, Patrol 50.0 % 3 of 6 · ▲ 16.7 points since 30 May 2026" in words
    assert "Goal: Ninety of patrol, 90 % Not met 3 of 6 certified; 6 needed, 3 short" in words
    assert "Why it changed since 30 May 2026 +1 newly trained" in words
    assert "Excused (on leave) are listed apart: 1." in words


def test_the_line_under_the_header_says_what_is_counted(department: Department) -> None:
    response = department.client("chief").get(reverse("coverage"), ONE)

    page = Shown(response)
    assert "Population Patrol Counts certified (current)" in page.words
    assert 'name="as_of" value="2026-06-30"' in response.content.decode()


@pytest.mark.parametrize(
    ("day", "title"),
    [
        pytest.param("2014-12-31", "nobody on this day", id="day-before-the-first"),
        pytest.param("2015-01-01", "Patrol", id="first-day"),
        pytest.param("2024-12-31", "Patrol", id="day-before-the-second"),
        pytest.param("2025-01-01", "All sworn", id="second-begins"),
        pytest.param("2026-12-31", "All sworn", id="last-day"),
        pytest.param("2027-01-01", "nobody on this day", id="day-after-the-last"),
    ],
)
def test_the_population_is_that_of_the_edition_in_force_on_the_day(
    department: Department, day: str, title: str
) -> None:
    Edition.objects.create(
        requirement=department.requirement,
        population=Population.objects.create(code="sworn", title="All sworn"),
        effective_from=date(2025, 1, 1),
        effective_to=date(2026, 12, 31),
        months=36,
    )

    assert f"Population {title} Counts" in show(department, as_of=day).words


def test_links_carry_the_clocks(department: Department) -> None:
    page = show(department, known_at="2099-01-01")

    assert page.links["Central District"] == ("/units/CEN/?as_of=2026-06-30&known_at=2099-01-01&requirement=refresher")
    assert page.links["nights"].endswith("&requirement=refresher&shift=nights")


def test_a_commander_sees_only_their_units(department: Department) -> None:
    page = show(department, "commander")

    assert [row[:4] for row in page.rows(TABLE)] == [
        ["Central District", "3", "", "2 of 3 66.6 %"],
        ["days", "2", "", "1 of 2 50.0 %"],
        ["nights", "1", "", "1 of 1 100.0 %"],
    ]
    assert "66.6 % 2 of 3" in page.words
    assert "Nothing changed." in page.words
    assert "Eastern" not in page.words


def test_a_reader_of_one_agency_sees_its_members_without_a_unit_and_nobody_elses(department: Department) -> None:
    other = make_agency("so", "Bay County Sheriff")
    make_officer(last_name="Hart", unit=make_unit("SO1", name="Sheriff One", agency=other))
    make_officer(last_name="Ives", agency=other)
    department.users["pd"] = make_user(Role.CHIEF, "pd", agency=department.central.agency)

    page = show(department, "pd")

    assert [row[0] for row in page.rows(TABLE)] == [
        "Patrol Bureau", "Central District", "days", "nights", "Eastern District", "Without a home assignment",
    ]  # fmt: skip
    assert page.rows(TABLE)[-1][1] == "1"
    assert "50.0 % 3 of 6 · ▲ 16.7 points" in page.words


def test_one_unit_on_a_day(department: Department) -> None:
    page = show(department, unit="EAS")

    assert [row[0] for row in page.rows(TABLE)] == ["Eastern District"]
    assert "Coverage: Eastern District" in page.words
    assert "50.0 % 1 of 2 · ▲ 50.0 points since 30 May 2026" in page.words


def test_known_at_answers_with_a_completion_that_was_voided_since(department: Department) -> None:
    before = Change.objects.latest("pk").at
    assert before is not None
    with recording(by=None, via=Via.COMMAND, why="wrong person") as recorder:
        recorder.void([department.credits["Abbott"]])

    now, then = show(department), show(department, known_at=before.isoformat())

    assert [row[3] for row in now.rows(TABLE)][:2] == ["40.0 % 2 of 5", "1 of 3 33.3 %"]
    assert [row[3] for row in then.rows(TABLE)][:2] == ["60.0 % 3 of 5", "2 of 3 66.6 %"]
    assert "50.0 % 3 of 6" in then.words


def test_a_day_before_anybody_was_hired_says_why_it_is_empty(department: Department) -> None:
    page = show(department, as_of="2015-06-01")

    assert "Nobody within your reach is asked for this requirement on this day." in page.words
    assert "n/a Nobody is in the population on this day." in page.words


def test_overview_has_a_column_for_each_requirement(department: Department) -> None:
    page = Shown(department.client("chief").get(reverse("coverage"), {"as_of": DAY.isoformat()}))

    assert page.header(OVERVIEW) == ["Unit", "Requirement refresher"]
    assert page.rows(OVERVIEW) == [
        ["Patrol Bureau", "60.0 % 3 of 5"],
        ["Central District", "2 of 3 66.6 %"],
        ["Eastern District", "1 of 2 50.0 %"],
        ["Without a home assignment", "0 of 1 0.0 %"],
    ]


def test_overview_of_a_commander_leaves_the_rest_out(department: Department) -> None:
    page = Shown(department.client("commander").get(reverse("coverage"), {"as_of": DAY.isoformat()}))

    assert page.rows(OVERVIEW) == [["Central District", "2 of 3 66.6 %"]]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        pytest.param({"requirement": "none"}, 400, 'Requirement: there is no requirement "none".', id="requirement"),
        pytest.param({"as_of": "30 June"}, 400, 'As of: "30 June" is not a date. Write it as YYYY-MM-DD.', id="as-of"),
        pytest.param(
            {"known_at": "soon"},
            400,
            'Known at: "soon" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.',
            id="known-at",
        ),
        pytest.param({"export": "pdf"}, 400, 'Export: "pdf" is not a format. Use csv or xlsx.', id="export"),
        pytest.param(
            {"unit": "NONE"},
            404,
            "The address is wrong, or what it names is outside your reach.",
            id="unit",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    department: Department, query: dict[str, str], status: int, sentence: str
) -> None:
    response = department.client("chief").get(reverse("coverage"), {**ONE, **query})

    assert refusal(response) == (status, sentence)


def test_another_commanders_unit_is_not_there(department: Department) -> None:
    response = department.client("commander").get(reverse("coverage"), {**ONE, "unit": "EAS"})

    assert response.status_code == 404


@pytest.mark.parametrize("role", ["officer", "nobody"])
def test_coverage_is_not_there_for_those_who_may_not_read(department: Department, role: str) -> None:

    department.users["nobody"] = User.objects.create_user("nobody")

    assert department.client(role).get(reverse("coverage")).status_code == 404


HEADER = [
    "Unit", "Shift", "Counted", "Current", "In grace", "Overdue", "Excused", "Percent", "Ever", "Due in 90 days",
    "Short of the goal",
]  # fmt: skip


def test_files_hold_the_table(department: Department) -> None:
    client = department.client("chief")

    rows = csv_rows(client.get(reverse("coverage"), {**ONE, "export": "csv"}))
    book = xlsx_rows(client.get(reverse("coverage"), {**ONE, "export": "xlsx"}))

    assert rows == [
        HEADER,
        ["PB", "", "5", "3", "0", "2", "1", "60.0", "4", "1", "2"],
        ["CEN", "", "3", "2", "0", "1", "1", "66.6", "3", "1", "1"],
        ["CEN", "days", "2", "1", "0", "1", "0", "50.0", "2", "0", "1"],
        ["CEN", "nights", "1", "1", "0", "0", "1", "100.0", "1", "1", "0"],
        ["EAS", "", "2", "1", "0", "1", "0", "50.0", "1", "0", "1"],
        ["", "", "1", "0", "0", "1", "0", "0.0", "0", "0", "1"],
    ]
    assert book[0] == HEADER
    assert [[str(value) if value is not None else "" for value in row] for row in book[1:]] == rows[1:]


def test_the_overviews_file(department: Department) -> None:
    rows = csv_rows(department.client("chief").get(reverse("coverage"), {"as_of": DAY.isoformat(), "export": "csv"}))

    assert rows[0] == ["Unit", "Requirement", "Counted", "Current", "In grace", "Overdue", "Excused", "Percent"]
    assert rows[2] == ["CEN", "refresher", "3", "2", "0", "1", "1", "66.6"]


# Session, user, access, units; requirements; the goal; counts; due soon; shifts; what changed in a month.
QUERIES_ONE = 10
# Session, user, access, units; requirements; counts.
QUERIES_OVERVIEW = 6


@pytest.mark.parametrize(("query", "queries"), [(ONE, QUERIES_ONE), ({}, QUERIES_OVERVIEW)], ids=["one", "overview"])
@pytest.mark.parametrize("role", ["chief", "commander"])
def test_coverage_costs_the_same_for_one_and_for_thirty(
    department: Department,
    django_assert_num_queries: DjangoAssertNumQueries,
    query: dict[str, Any],
    queries: int,
    role: str,
) -> None:
    client = department.client(role)

    with django_assert_num_queries(queries):
        client.get(reverse("coverage"), query)
    fill(department, 30)
    for number in range(30):
        make_officer(unit=make_unit(f"X{number}", parent=department.central))
    with django_assert_num_queries(queries):
        client.get(reverse("coverage"), query)


def test_today_is_the_day_asked_unless_said(department: Department) -> None:
    response = department.client("chief").get(reverse("coverage"), {"requirement": "refresher"})

    assert response.context["asked"].as_of == timezone.localdate()
    assert response.context["asked"].as_of > date(2026, 1, 1)
