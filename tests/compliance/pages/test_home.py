"""The first page of each role. It answers for today, so its figures are those of people without any credit."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import standings
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import make_goal, make_officer

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


# Session, user, access, units; due soon, overdue; goals; members counted.
QUERIES = 8


@pytest.mark.usefixtures("goal")
def test_costs_the_same_for_one_goal_and_for_ten(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = cast.client("chief")

    with django_assert_num_queries(QUERIES):
        client.get("/")
    for _ in range(9):
        make_goal(cast.requirement)
    for number in range(30):
        make_officer(last_name=f"More{number}", unit=cast.eastern)
    standings.rebuild()
    with django_assert_num_queries(QUERIES):
        client.get("/")
