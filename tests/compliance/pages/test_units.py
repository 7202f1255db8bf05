"""A unit's page: its figures, its shifts, and its members under one requirement."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from roster.facts import Change, Via, recording
from roster.models import Assignment, Employment, Officer, Unit
from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows, refusal
from tests.factories import assign_temporarily, make_agency, make_shift, make_unit

pytestmark = pytest.mark.django_db

URL = "/units/CEN/"
AS_OF = {"as_of": DAY.isoformat()}
MEMBERS = "Members of Central District under Requirement refresher"
ALL = "Members of Patrol Bureau under Requirement refresher"
SHIFTS = "Shifts of the unit with everything below it"


def show(department: Department, role: str = "commander", url: str = URL, **query: str) -> Shown:
    return Shown(department.client(role).get(url, {**AS_OF, **query}))


def move(department: Department, name: str, on: date) -> None:
    """One of Central's goes to Eastern on a day."""
    officer = department.people[name]
    home = Assignment.objects.known().get(officer=officer)
    with recording(by=None, via=Via.COMMAND, why="transfer") as recorder:
        recorder.void([home])
        recorder.record(
            Assignment(
                officer=officer,
                unit=department.central,
                shift=home.shift,
                start_on=home.start_on,
                end_on=on.replace(day=on.day - 1),
                replaces=home,
            )
        )
        recorder.record(Assignment(officer=officer, unit=department.eastern, start_on=on))


def test_members_with_their_state_and_what_it_rests_on(department: Department) -> None:
    page = show(department)

    assert page.header(MEMBERS) == ["Officer ▴", "Id", "Shift", "Rank", "State", "Due", "Rests on"]
    assert page.rows(MEMBERS) == [
        ["Abbott, Ada", "001000", "days", "–", "✓ current", "15 Mar 2028",
         "CIT basic course, 15 Mar 2025"],
        ["Baker, Ada", "001001", "days", "–", "▲ overdue 39 months", "15 Mar 2023",
         "CIT basic course, 15 Mar 2020"],
        ["Cole, Ada", "001002", "nights", "–", "✓ current", "1 Jul 2026",
         "CIT basic course, 1 Jul 2023"],
        ["Diaz, Ada", "001003", "nights", "–", "◌ excused", "–", "no credit"],
    ]  # fmt: skip


def test_figures_show_the_count_first_for_a_few_and_the_excused_apart(department: Department) -> None:
    page = show(department)

    assert "Requirement refresher 2 of 3 66.6 % current · 1 overdue · 1 excused" in page.words
    assert page.rows(SHIFTS) == [
        ["days", "", "1 of 2 50.0 %", "–", "1"],
        ["nights", "", "1 of 1 100.0 %", "–", "–"],
    ]


def test_a_unit_holds_everything_below_it(department: Department) -> None:
    page = show(department, "chief", "/units/PB/")

    assert "60.0 % 3 of 5 current" in page.words
    assert [row[0] for row in page.rows(ALL)] == [
        "Abbott, Ada", "Baker, Ada", "Cole, Ada", "Diaz, Ada", "Evans, Ada", "Frost, Ada",
    ]  # fmt: skip
    assert page.links["Eastern District"] == "/units/EAS/?as_of=2026-06-30"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({"state": "overdue"}, ["Baker, Ada"], id="state"),
        pytest.param({"shift": "nights"}, ["Cole, Ada", "Diaz, Ada"], id="shift"),
        pytest.param({"q": "abb"}, ["Abbott, Ada"], id="name"),
        pytest.param({"q": "001002"}, ["Cole, Ada"], id="id"),
    ],
)
def test_filters(department: Department, query: dict[str, str], names: list[str]) -> None:
    assert [row[0] for row in show(department, **query).rows(MEMBERS)] == names


def test_filters_that_leave_nobody_say_so(department: Department) -> None:
    assert (
        "Nobody here is asked for this requirement on this day, or the filters leave nobody."
        in show(department, q="nobody").words
    )


@pytest.mark.parametrize("column", ["name", "employee_id", "unit", "shift", "rank", "state", "due_on", "last_credit"])
def test_members_sort_by_every_column_both_ways(department: Department, column: str) -> None:
    up, down = (
        [row[0] for row in show(department, "chief", "/units/PB/", sort=sort).rows(ALL)]
        for sort in (column, f"-{column}")
    )

    assert sorted(up) == sorted(down) == [f"{name}, Ada" for name in list(department.people)[:6]]


def test_members_sort_by_the_date_not_its_words(department: Department) -> None:
    names = [[row[0][0] for row in show(department, sort=sort).rows(MEMBERS)] for sort in ("due_on", "-due_on")]

    assert names == [["B", "C", "A", "D"], ["A", "C", "B", "D"]]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"sort": "height"}, 'Sort: the table has no column "height" to sort by.', id="sort"),
        pytest.param({"page": "9"}, "Page: the list has 1 page.", id="past-the-end"),
        pytest.param({"page": "first"}, "Page: write a whole number.", id="page"),
        pytest.param({"per": "7"}, "Rows a page: choose one of 25, 50, 100, 200.", id="per"),
        pytest.param({"state": "fine"}, "State: Select a valid choice. fine is not one of the available choices.",
                     id="state"),
        pytest.param({"shift": "noon"}, 'Shift: there is no shift "noon".', id="shift"),
        pytest.param({"requirement": "none"}, 'Requirement: there is no requirement "none".', id="requirement"),
        pytest.param({"as_of": "2026-02-30"}, 'As of: "2026-02-30" is not a date. Write it as YYYY-MM-DD.', id="day"),
        pytest.param({"known_at": "soon"},
                     'Known at: "soon" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.', id="known-at"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    department: Department, query: dict[str, str], sentence: str
) -> None:
    assert refusal(department.client("commander").get(URL, query)) == (400, sentence)


@pytest.mark.parametrize("code", ["EAS", "PB", "NONE"])
def test_units_out_of_reach_are_not_there(department: Department, code: str) -> None:
    assert department.client("commander").get(f"/units/{code}/").status_code == 404


def test_a_past_day_lists_who_was_there_without_a_link_to_who_left(department: Department) -> None:
    move(department, "Baker", date(2026, 7, 15))

    page = show(department)

    assert [row[0] for row in page.rows(MEMBERS)] == ["Abbott, Ada", "Baker, Ada", "Cole, Ada", "Diaz, Ada"]
    assert page.links["Abbott, Ada"] == "/officers/001000/?as_of=2026-06-30"
    assert "Baker, Ada" not in page.links
    assert "Baker, Ada" in show(department, "chief").links


def test_known_at_answers_with_a_completion_that_was_voided_since(department: Department) -> None:
    before = Change.objects.latest("pk").at
    assert before is not None
    with recording(by=None, via=Via.COMMAND, why="wrong person") as recorder:
        recorder.void([department.credits["Abbott"]])

    assert show(department).rows(MEMBERS)[0][4] != "✓ current"
    assert show(department, known_at=before.isoformat()).rows(MEMBERS)[0][4:6] == ["✓ current", "15 Mar 2028"]


def test_the_file_of_an_earlier_moment_holds_its_rows(department: Department) -> None:
    before = Change.objects.latest("pk").at
    assert before is not None
    with recording(by=None, via=Via.COMMAND, why="wrong person") as recorder:
        recorder.void([department.credits["Abbott"]])

    response = department.client("commander").get(URL, {**AS_OF, "known_at": before.isoformat(), "export": "csv"})

    assert csv_rows(response)[1] == [
        "Abbott, Ada", "001000", "days", "", "current", "2028-03-15", "2025-03-15",
    ]  # fmt: skip


def test_a_code_that_two_agencies_use_asks_which(department: Department) -> None:
    make_unit("CEN", name="Central Precinct", agency=make_agency("so", "Bay County Sheriff"))

    response = department.client("admin").get(URL, AS_OF)
    page = Shown(response)

    assert response.status_code == 300
    assert page.links["Harbor City Police"] == "/units/CEN/?as_of=2026-06-30&agency=pd"
    assert "Central Precinct" in Shown(department.client("admin").get(page.links["Bay County Sheriff"])).words
    assert department.client("commander").get(URL).status_code == 200


ELSEWHERE = "Members whose home is not where they work or are seen"


def assign_secondarily(department: Department, name: str, unit: Unit, **values: Any) -> None:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record(
            Assignment(
                officer=department.people[name], kind="secondary", unit=unit,
                **{"start_on": date(2026, 1, 5), **values},
            )
        )  # fmt: skip


def test_example_8_a_member_with_a_secondary_assignment_is_shown_in_both_units(department: Department) -> None:
    assign_secondarily(department, "Evans", department.central)

    central, eastern = show(department), show(department, "chief", "/units/EAS/")
    whole = Shown(department.client("chief").get("/coverage/", {**AS_OF, "requirement": "refresher"}))

    assert central.header(MEMBERS)[:4] == ["Officer ▴", "Id", "Assignment", "Shift"]
    assert [row[:3] for row in central.rows(MEMBERS)][3:] == [
        ["Diaz, Ada", "001003", "home"],
        ["Evans, Ada secondary, home: Eastern District", "001004", "secondary, home: Eastern District"],
    ]
    assert "Requirement refresher 3 of 4 75.0 % current · 1 overdue · 1 excused" in central.words
    assert (
        "1 with a secondary assignment here is counted in the figures of this page and at home in the department's,"
        " so sums of units may exceed the department's total." in central.words
    )
    assert central.rows(ELSEWHERE) == [["Evans, Ada", "secondary, home: Eastern District", "–", "open"]]
    assert "Evans, Ada" not in central.links
    assert [row[0] for row in eastern.rows("Members of Eastern District under Requirement refresher")] == [
        "Evans, Ada", "Frost, Ada",
    ]  # fmt: skip
    assert "50.0 % 3 of 6" in whole.words


def test_a_unit_above_both_shows_a_secondary_member_once_and_unmarked(department: Department) -> None:
    assign_secondarily(department, "Evans", department.central)

    page = show(department, "chief", "/units/PB/")

    assert [row[0] for row in page.rows(ALL)].count("Evans, Ada") == 1
    assert "secondary" not in page.words


@pytest.mark.parametrize(
    ("day", "is_shown"),
    [
        pytest.param(date(2026, 6, 9), False, id="day-before"),
        pytest.param(date(2026, 6, 10), True, id="first-day"),
        pytest.param(date(2026, 6, 20), True, id="last-day"),
        pytest.param(date(2026, 6, 21), False, id="day-after"),
    ],
)
def test_a_secondary_assignment_shows_from_its_first_through_its_last_day(
    department: Department, day: date, is_shown: bool
) -> None:
    assign_secondarily(department, "Frost", department.central, start_on=date(2026, 6, 10), end_on=date(2026, 6, 20))

    page = show(department, as_of=day.isoformat())

    assert ("Frost, Ada" in page.words) is is_shown


def test_a_secondary_assignment_names_the_shift_that_the_unit_sees(department: Department) -> None:
    assign_secondarily(department, "Evans", department.central, shift=make_shift("nights"))

    page, filtered = show(department), show(department, shift="nights")

    assert page.rows(SHIFTS)[1] == ["nights", "", "2 of 2 100.0 %", "–", "–"]
    assert [(row[0].split(",")[0], row[3]) for row in filtered.rows(MEMBERS)] == [
        ("Cole", "nights"), ("Diaz", "nights"), ("Evans", "nights"),
    ]  # fmt: skip


def test_secondary_members_sort_by_the_shift_that_is_shown(department: Department) -> None:
    assign_secondarily(department, "Evans", department.central, shift=make_shift("nights"))
    assign_secondarily(department, "Gray", department.central)

    up, down = (
        [(row[0].split(",")[0], row[3]) for row in show(department, sort=sort).rows(MEMBERS)]
        for sort in ("shift", "-shift")
    )

    days, nights = (
        [("Abbott", "days"), ("Baker", "days")],
        [("Cole", "nights"), ("Diaz", "nights"), ("Evans", "nights")],
    )
    assert up == [*days, *nights, ("Gray", "–")]
    assert down == [*nights, *days, ("Gray", "–")]


def test_the_file_marks_secondary_members(department: Department) -> None:
    assign_secondarily(department, "Gray", department.central)

    rows = csv_rows(department.client("commander").get(URL, {**AS_OF, "export": "csv"}))

    assert [row[2] for row in rows] == [
        "Assignment", "home", "home", "home", "home", "secondary, no home assignment",
    ]  # fmt: skip


def test_who_is_working_here(department: Department) -> None:
    assign_temporarily(department.people["Abbott"], department.eastern, DAY, date(2026, 7, 31))
    assign_temporarily(department.people["Evans"], department.central, DAY, shift=make_shift("nights"))

    page = show(department)

    assert (
        "3 work here on 30 Jun 2026: 2 of the unit and 1 on temporary assignment from elsewhere."
        " Requirement refresher asks 3 of them, and 2 are available: certified and on no leave."
        " 1 away on temporary assignment. 1 on leave." in page.words
    )
    assert page.rows(ELSEWHERE) == [
        ["Abbott, Ada", "away on temporary assignment to Eastern District", "–", "31 Jul 2026"],
        ["Evans, Ada", "here on temporary assignment, home: Eastern District", "nights", "open"],
    ]
    assert page.links["Abbott, Ada"].startswith("/officers/001000/")
    assert "Evans, Ada" not in page.links
    assert "Evans, Ada" in show(department, "chief").links
    assert [row[0] for row in page.rows(MEMBERS)] == ["Abbott, Ada", "Baker, Ada", "Cole, Ada", "Diaz, Ada"]


@pytest.mark.parametrize(
    ("day", "working"),
    [
        pytest.param(date(2026, 6, 9), 3, id="day-before"),
        pytest.param(date(2026, 6, 10), 2, id="first-day"),
        pytest.param(date(2026, 6, 20), 2, id="last-day"),
        pytest.param(date(2026, 6, 21), 3, id="day-after"),
    ],
)
def test_a_temporary_assignment_takes_away_from_its_first_through_its_last_day(
    department: Department, day: date, working: int
) -> None:
    assign_temporarily(department.people["Baker"], department.eastern, date(2026, 6, 10), date(2026, 6, 20))

    assert f"{working} work here on" in show(department, as_of=day.isoformat()).words


def test_somebody_on_leave_is_on_leave_wherever_they_were_sent(department: Department) -> None:
    assign_temporarily(department.people["Diaz"], department.eastern, DAY)

    central, eastern = show(department), show(department, "chief", "/units/EAS/")

    assert (
        "3 work here on 30 Jun 2026: 3 of the unit. Requirement refresher asks 3 of them, and 2 are available"
        in central.words
    )
    assert "1 on leave." in central.words
    assert (
        "2 work here on 30 Jun 2026: 2 of the unit. Requirement refresher asks 2 of them, and 1 is available"
        in eastern.words
    )


def test_who_left_the_agency_works_nowhere(department: Department) -> None:
    officer = department.people["Baker"]
    hired = Employment.objects.known().get(officer=officer)
    with recording(by=None, via=Via.COMMAND, why="retired, unit left open") as recorder:
        recorder.void([hired])
        recorder.record(Employment(officer=officer, start_on=hired.start_on, end_on=date(2026, 6, 29)))

    assert "2 work here on 30 Jun 2026: 2 of the unit." in show(department).words


def test_known_earlier_a_unit_shows_who_was_recorded_as_working_there(department: Department) -> None:
    before = Change.objects.latest("pk").at
    assert before is not None
    assign_temporarily(department.people["Baker"], department.eastern, DAY)
    assign_secondarily(department, "Evans", department.central)

    then, now = show(department, known_at=before.isoformat()), show(department)

    assert ("3 work here" in then.words, "secondary" in then.words) == (True, False)
    assert ("2 work here" in now.words, "secondary" in now.words) == (True, True)


# Session, user, access, units; requirements; secondary members; shifts; figures by shift; rows counted; rows; who works
# here. What a commander may open is one more for members of their own, and so are the names of those sent elsewhere.
QUERIES = 11


@pytest.mark.parametrize(("role", "more"), [("chief", 0), ("commander", 1)])
def test_a_unit_costs_the_same_for_one_and_for_thirty(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries, role: str, more: int
) -> None:
    client = department.client(role)

    with django_assert_num_queries(QUERIES + more):
        client.get(URL, {**AS_OF, "q": "Abbott"})
    fill(department, 30)
    with django_assert_num_queries(QUERIES + more):
        client.get(reverse("unit-detail", args=["CEN"]), AS_OF)


def test_those_who_work_elsewhere_cost_the_same_for_one_and_for_ten(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = department.client("commander")

    def send(officer: Officer) -> None:
        assign_temporarily(officer, department.eastern, DAY)

    send(department.people["Baker"])
    assign_secondarily(department, "Evans", department.central)
    with django_assert_num_queries(QUERIES + 2):
        client.get(URL, AS_OF)
    for officer in fill(department, 10):
        send(officer)
    assign_secondarily(department, "Frost", department.central)
    with django_assert_num_queries(QUERIES + 2):
        client.get(URL, AS_OF)
