"""The first page of each role. It answers for today, so its figures are those of people without any credit."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import standings
from compliance.models import ImportRun, Job
from roster.models import Access
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_agency, make_class, make_goal, make_officer, make_seat, make_unit, make_user

pytestmark = pytest.mark.django_db

BEHIND = "Units that are furthest behind a goal, by how many members are missing"


@pytest.fixture
def goal(cast: Cast) -> None:
    make_goal(cast.requirement, title="All of patrol")


@pytest.mark.usefixtures("goal")
def test_a_chief_sees_the_goals_and_who_is_furthest_behind(cast: Cast) -> None:
    make_officer(last_name="Third", unit=cast.eastern)

    page = Shown(cast.client("chief").get("/"))

    assert "All of patrol 0.0 % 0 of 3 certified · goal 100 % ▲ short 3" in page.words
    assert [(row[0], row[-1]) for row in page.rows(BEHIND)] == [
        ("Eastern District All of patrol", "▲ short 2"),
        ("Central District All of patrol", "▲ short 1"),
    ]
    assert page.links["3 standings overdue"] == "/deadlines/?show=overdue"


@pytest.mark.usefixtures("goal")
def test_a_commander_sees_their_own_beside_the_whole(cast: Cast) -> None:
    page = Shown(cast.client("commander").get("/"))

    assert "All of patrol , Central District 0.0 % 0 of 1 certified · goal 100 %" in page.words
    assert "whole department 0.0 %, 0 of 2" in page.words
    assert [row[0] for row in page.rows(BEHIND)] == ["Central District All of patrol"]
    assert "Eastern" not in page.words


def test_the_header_names_as_many_units_of_a_commander_as_fit(cast: Cast) -> None:
    client, user = cast.client("commander"), cast.users["commander"]

    def header() -> str:
        return next(line for line in Shown(client.get("/")).words.split("Sign out") if "commander" in line)

    for number in range(3):
        Access.objects.create(user=user, role="commander", unit=make_unit(f"Z{number}"))
    four = header()
    Access.objects.create(user=user, role="commander", unit=make_unit("Z3"))
    five = header()

    assert "commander, Central District, Z0 District, Z1 District, Z2 District" in four
    assert "commander, Central District, Z0 District, Z1 District and 2 more" in five
    assert "Z2 District" not in five


def test_the_academy_is_offered_what_it_records(cast: Cast) -> None:
    page = Shown(cast.client("academy").get("/"))

    assert page.links["Log completions"] == "/completions/log/"
    assert page.links["Import a file"] == "/import/"
    assert "No goal is set yet." in page.words


def test_an_auditor_is_offered_nothing_to_record(cast: Cast) -> None:
    assert "Log completions" not in Shown(cast.client("auditor").get("/")).links


def test_a_stranger_signs_in_first(cast: Cast) -> None:
    from django.test import Client  # noqa: PLC0415 - only here

    assert Client().get("/").headers["Location"] == "/sign-in/?next=/"


def test_what_waits_is_counted_in_the_viewers_agencies(cast: Cast) -> None:
    sheriff = make_agency("so", "Bay County Sheriff")
    for officer in (cast.amara, make_officer("77", agency=sheriff), make_officer("78", agency=sheriff)):
        complete(officer, cast.refresher, date(2026, 1, 5), evidence="pending")
    for agency, plans in ((cast.central.agency, 1), (sheriff, 3)):
        for _ in range(plans):
            ImportRun.objects.create(
                agency=agency, kind="units", file_name="u.csv", stored_as="u", state="planned",
                uploaded_by=cast.users["academy"],
            )  # fmt: skip
    Job.objects.create(kind="verify", state="done", finished_at=timezone.now())
    cast.users["sheriff"] = make_user("admin", "sheriff", agency=sheriff)

    everywhere, there = (Shown(cast.client(role).get("/")) for role in ("admin", "sheriff"))

    assert "3 completions whose evidence waits for a decision" in everywhere.words
    assert "4 import plans waiting to be recorded" in everywhere.words
    assert "Last verification of the standings" in everywhere.words
    assert "2 completions whose evidence waits for a decision" in there.words
    assert "3 import plans waiting to be recorded" in there.words
    assert "Last verification of the standings" not in there.words


# Session, user, access, units; due soon, overdue; goals; members counted; classes.
QUERIES = 9


@pytest.mark.usefixtures("goal")
def test_costs_the_same_for_one_goal_and_for_ten(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = cast.client("chief")

    with django_assert_num_queries(QUERIES):
        client.get("/")
    for _ in range(9):
        make_goal(cast.requirement)
    for number in range(30):
        make_officer(last_name=f"More{number}", unit=cast.eastern)
        make_class(days=[date(2099, 1, 5)])
    standings.rebuild()
    with django_assert_num_queries(QUERIES):
        client.get("/")


def test_the_next_classes_are_named_with_their_seats(cast: Cast) -> None:
    make_class("OVER", days=[date(2026, 3, 2)])
    make_class("OFF", days=[date(2099, 3, 2)], state="cancelled")
    make_class("LATER", cast.refresher, days=[date(2099, 3, 9)])
    soon = make_class("SOON", cast.basic, days=[date(2099, 3, 2), date(2099, 3, 3)], capacity=2)
    for officer, state in ((cast.amara, "enrolled"), (cast.jonah, "enrolled"), (make_officer(), "waitlisted")):
        make_seat(soon, officer, state=state)

    chief, commander = (Shown(cast.client(role).get("/")) for role in ("chief", "commander"))

    caption = "Classes under way and the next ones"
    assert [row[:4] for row in chief.rows(caption)] == [
        ["SOON CIT basic course", "2 to 3 Mar 2099", "–", "2 of 2, 1 waiting"],
        ["LATER CIT refresher", "9 Mar 2099", "–", "0 of 30"],
    ]
    assert [row[3] for row in commander.rows(caption)] == [
        "2 of 2, 1 waiting 1 from your units",
        "0 of 30 0 from your units",
    ]


@pytest.mark.parametrize(
    ("address", "title"),
    [
        pytest.param("/classes/", "Classes", id="its-own-page"),
        pytest.param("/calendar/", "Classes", id="calendar"),
        pytest.param("/places/", "Classes", id="places"),
        pytest.param("/topics/", "Courses", id="topics"),
        pytest.param("/corrections/", "Completions", id="corrections"),
        pytest.param("/merges/", "Officers", id="merges"),
    ],
)
def test_the_header_says_where_a_page_belongs(cast: Cast, address: str, title: str) -> None:
    page = cast.client("academy").get(address).content.decode()

    assert re.findall(r'aria-current="page">([^<]+)<', page.partition("</nav>")[0]) == [title]
