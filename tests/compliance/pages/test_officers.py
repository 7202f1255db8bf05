"""The list of officers, one officer's page, and one's own."""

from __future__ import annotations

from datetime import date

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from roster.facts import Change, Via, recording
from tests.compliance.pages.district import DAY, Department, fill
from tests.compliance.pages.reading import Shown, csv_rows, refusal, xlsx_rows
from tests.factories import complete, make_agency, make_course, make_officer, make_user, take_leave

pytestmark = pytest.mark.django_db

AS_OF = {"as_of": DAY.isoformat()}
LIST = "Members on 30 Jun 2026"
STANDING = "Standing under each requirement"


def show(department: Department, role: str = "chief", url: str = "/officers/", **query: str) -> Shown:
    return Shown(department.client(role).get(url, {**AS_OF, **query}))


def test_list_says_where_they_are_and_what_they_are_behind_on(department: Department) -> None:
    page = show(department)

    assert page.header(LIST) == [
        "Officer ▴", "Id", "Badge", "Unit", "Shift", "Rank", "Overdue", "In grace", "Next due",
    ]  # fmt: skip
    assert page.rows(LIST)[:2] == [
        ["Abbott, Ada", "001000", "–", "Central District", "days", "–", "–", "–", "15 Mar 2028"],
        ["Baker, Ada", "001001", "–", "Central District", "days", "–", "▲ 1", "–", "–"],
    ]
    assert page.links["Abbott, Ada"] == "/officers/001000/?as_of=2026-06-30"


def test_list_of_a_commander_holds_their_own_only(department: Department) -> None:
    page = show(department, "commander")

    assert [row[0] for row in page.rows(LIST)] == ["Abbott, Ada", "Baker, Ada", "Cole, Ada", "Diaz, Ada"]
    assert "Evans" not in page.words


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({"q": "evans"}, "E", id="name"),
        pytest.param({"q": "001002"}, "C", id="id"),
        pytest.param({"unit": "PB"}, "ABCDEF", id="unit-with-all-below"),
        pytest.param({"unit": "EAS"}, "EF", id="unit"),
        pytest.param({"shift": "nights"}, "CD", id="shift"),
        pytest.param({"state": "overdue"}, "BFG", id="state"),
        pytest.param({"state": "excused", "requirement": "refresher"}, "D", id="requirement"),
        pytest.param({"category": "civilian"}, "", id="category"),
        pytest.param({"as_of": "2010-01-01"}, "", id="before-they-were-hired"),
        pytest.param({"as_of": "2010-01-01", "serving": "all"}, "ABCDEFG", id="ever"),
    ],
)
def test_list_filters(department: Department, query: dict[str, str], names: str) -> None:
    response = department.client("chief").get("/officers/", {**AS_OF, **query})

    assert "".join(row.record.last_name[0] for row in response.context["table"].rows) == names


def test_an_empty_list_says_what_to_do(department: Department) -> None:
    assert (
        "No member fits these filters. Take one away, or hire or import members first."
        in show(department, q="nobody").words
    )


@pytest.mark.parametrize(
    "column", ["name", "employee_id", "badge", "unit", "shift", "rank", "overdue", "in_grace", "next_due"]
)
def test_list_sorts_by_every_column_both_ways(department: Department, column: str) -> None:
    up, down = ([row[0] for row in show(department, sort=sort).rows(LIST)] for sort in (column, f"-{column}"))

    assert sorted(up) == sorted(down) == [f"{name}, Ada" for name in department.people]


def test_list_sorts_by_number(department: Department) -> None:
    assert show(department, sort="-overdue").rows(LIST)[0][6] == "▲ 1"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"sort": "height"}, 'Sort: the table has no column "height" to sort by.', id="sort"),
        pytest.param({"page": "9"}, "Page: the list has 1 page.", id="past-the-end"),
        pytest.param({"per": "7"}, "Rows a page: choose one of 25, 50, 100, 200.", id="per"),
        pytest.param({"rank": "king"}, 'Rank: there is no rank "king".', id="rank"),
        pytest.param({"requirement": "none"}, 'Requirement: there is no requirement "none".', id="requirement"),
        pytest.param({"export": "pdf"}, 'Export: "pdf" is not a format. Use csv or xlsx.', id="export"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    department: Department, query: dict[str, str], sentence: str
) -> None:
    assert refusal(department.client("chief").get("/officers/", query)) == (400, sentence)


def test_files_hold_every_row_with_formulas_made_harmless(department: Department) -> None:
    fill(department, 60)
    make_officer(last_name="=HYPERLINK(1)", first_name="@x", unit=department.central)
    client = department.client("chief")

    rows = csv_rows(client.get("/officers/", {**AS_OF, "export": "csv", "per": "25"}))
    book = xlsx_rows(client.get("/officers/", {**AS_OF, "export": "xlsx", "page": "2"}))

    assert rows[0] == ["Officer", "Id", "Badge", "Unit", "Shift", "Rank", "Overdue", "In grace", "Next due"]
    assert len(rows) == len(book) == 1 + 7 + 60 + 1
    assert rows[1][0] == "'=HYPERLINK(1), @x"
    assert book[1][0] == "'=HYPERLINK(1), @x"
    assert rows[2][6:] == ["0", "0", "2028-03-15"]


# Session, user, access, units; requirements; codes of shifts and ranks; rows counted; rows.
QUERIES = 8


@pytest.mark.parametrize("role", ["chief", "commander"])
def test_list_costs_the_same_for_one_and_for_thirty(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries, role: str
) -> None:
    client = department.client(role)

    with django_assert_num_queries(QUERIES):
        client.get("/officers/", {**AS_OF, "q": "Abbott"})
    fill(department, 30)
    with django_assert_num_queries(QUERIES):
        client.get("/officers/", AS_OF)


def test_page_says_the_standing_and_why(department: Department) -> None:
    page = show(department, url="/officers/001001/")

    assert page.rows(STANDING) == [
        ["Requirement refresher renewed every 36 months", "▲ overdue 39 months", "15 Mar 2023"],
    ]
    assert (
        "Overdue since 16 Mar 2023: CIT basic course on 15 Mar 2020 carried through 15 Mar 2023 (CALEA 41.2.7)."
        in page.words
    )
    assert page.rows("Completions, newest first")[0][:5] == [
        "15 Mar 2020",
        "CIT basic course",
        "40",
        "passed",
        "verified",
    ]


def test_hours_and_scores_are_never_rounded_up(department: Department) -> None:
    """A quarter of an hour is not 0.3 hours, and 69.95 % is not 70 %."""
    course = make_course("RC-1", hours=8)
    complete(department.people["Abbott"], course, date(2026, 6, 1), hours="0.25", score="69.95", result="failed")

    page = show(department, url="/officers/001000/")

    assert page.rows("Completions, newest first")[0][1:4] == ["Course RC-1", "0.25", "failed, 69.95 %"]


def test_page_of_an_excused_member_has_the_leave_in_words(department: Department) -> None:
    page = show(department, url="/officers/001003/")

    assert page.rows(STANDING)[0][1:] == ["◌ excused", "–"]
    assert ["Leave", "1 May 2026 to 30 Sep 2026", "medical"] in page.rows(
        "Assignments, leave, waivers, extensions and standings, newest first"
    )


def test_page_shows_what_was_voided_and_why_and_known_at_the_time_before(department: Department) -> None:
    before = Change.objects.latest("pk").at
    assert before is not None
    with recording(by=department.users["academy"], via=Via.PAGE, why="Wrong person") as recorder:
        recorder.void([department.credits["Abbott"]])

    now = show(department, url="/officers/001000/")
    then = show(department, url="/officers/001000/", known_at=before.isoformat())

    assert "CIT basic course, 15 Mar 2025: voided on" in now.words
    assert "by academy, Wrong person" in now.words
    assert "No completion is recorded." in now.words
    assert then.rows(STANDING)[0][1:] == ["✓ current", "15 Mar 2028"]


@pytest.mark.parametrize("employee_id", ["001004", "001006", "999999"])
def test_officers_out_of_a_commanders_reach_are_not_there(department: Department, employee_id: str) -> None:
    assert department.client("commander").get(f"/officers/{employee_id}/").status_code == 404


def test_an_id_that_two_agencies_use_asks_which(department: Department) -> None:
    make_officer("001000", last_name="Hart", first_name="Bo", agency=make_agency("so", "Bay County Sheriff"))

    response = department.client("admin").get("/officers/001000/", AS_OF)
    page = Shown(response)

    assert response.status_code == 300
    assert page.words.count("Several agencies use this code. Choose the one you mean.") == 1
    assert page.links["Harbor City Police"] == "/officers/001000/?as_of=2026-06-30&agency=pd"
    assert "Bo Hart" in Shown(department.client("admin").get(page.links["Bay County Sheriff"])).words
    assert department.client("commander").get("/officers/001000/").status_code == 200


def test_my_is_the_officers_own_page(department: Department) -> None:
    page = show(department, "officer", "/my/")

    assert "Ada Abbott" in page.words
    assert page.rows(STANDING)[0][1:] == ["✓ current", "15 Mar 2028"]
    files = ["CSV", "XLSX", "CSV of Requirement refresher", "XLSX of Requirement refresher"]
    above = ["Skip to the page", "CIT Tracker", "Home", "Calendar", "officer officer", "Report a course"]
    assert list(page.links) == [*above, *files]


def test_an_officer_sees_nobody_else(department: Department) -> None:
    client = department.client("officer")

    assert client.get("/officers/001000/").status_code == 200
    assert client.get("/").headers["Location"] == "/my/"
    for url in ("/officers/001001/", "/officers/", "/units/CEN/", "/coverage/", "/deadlines/", "/goals/", "/courses/"):
        assert client.get(url).status_code == 404


def test_my_is_not_there_without_an_own_record(department: Department) -> None:
    assert department.client("chief").get("/my/").status_code == 404


def test_page_costs_the_same_however_much_is_recorded(
    department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    officer, client = department.people["Diaz"], department.client("chief")
    complete(officer, department.course, date(2017, 1, 5))
    # what each kind of fact needs, twice: shown and explained; the rules, twice; history; coming classes; certificates
    counted = 56

    with django_assert_num_queries(counted):
        client.get("/officers/001003/", AS_OF)
    for year in range(2018, 2026):
        complete(officer, department.refresher, date(year, 1, 5))
        take_leave(officer, date(year, 3, 1), date(year, 3, 9))
    with django_assert_num_queries(counted):
        client.get("/officers/001003/", AS_OF)


def test_roles_that_combine_see_what_each_sees(department: Department) -> None:
    user = department.users["officer"]
    department.users["both"] = user
    other = make_user("commander", "second", unit=department.eastern)
    other.access.update(user=user)

    page = show(department, "both")

    assert [row[0] for row in page.rows(LIST)] == ["Abbott, Ada", "Evans, Ada", "Frost, Ada"]
