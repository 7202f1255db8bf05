"""The pages that fill a class: its list, enrolling, suggestions, the minimums, and a member's coming classes."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roster.models import Agency, Officer, StaffingMinimum, TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows, xlsx_rows
from tests.factories import complete, make_class, make_officer, make_place, make_shift, make_user, take_leave
from training import seats
from training.models import ClassSession, Enrollment

pytestmark = pytest.mark.django_db

LIST, ENROL, SUGGEST = "/classes/C-1/seats/", "/classes/C-1/seats/enrol/", "/classes/C-1/seats/suggestions/"


def words(response: Any) -> str:
    return Shown(response).words


def coming_monday() -> date:
    today = timezone.localdate()
    return today + timedelta(days=7 - today.weekday() + 7)


@pytest.fixture
def session(cast: Cast) -> ClassSession:
    """A refresher class of one day, the Monday after the next, with three seats."""
    return make_class("C-1", cast.refresher, days=(coming_monday(),), capacity=3, place=make_place("Room 2"))


def enrol(session: ClassSession, *officers: Officer, **values: Any) -> None:
    seats.enrol(session, officers, by=None, now=timezone.now(), **values)


def states() -> dict[str, str]:
    return {row.name: row.state for row in Enrollment.objects.select_related("officer")}


# --- the list --------------------------------------------------------------------------------------------------------


def test_the_list_shows_seats_then_the_waitlist_in_its_order(cast: Cast, session: ClassSession) -> None:
    zoe, adam = make_officer(last_name="Zoe", unit=cast.central), make_officer(last_name="Adam", unit=cast.central)
    enrol(session, cast.amara, cast.jonah, outside=[seats.Outside("Pat Doe", "Coast Guard", "77")])
    enrol(session, zoe, adam)

    response = cast.client("academy").get(LIST)
    rows = csv_rows(cast.client("academy").get(LIST, {"export": "csv"}))

    assert "3 of 3 seats taken, 2 waiting" in words(response)
    assert [row[:4] for row in rows] == [
        ["Name", "Id", "Unit", "State"],
        ["Whitfield, Amara", "002918", "Central District days", "seat"],
        ["Delacroix, Jonah", "003377", "Eastern District days", "seat"],
        ["Pat Doe", "77", "Coast Guard", "seat"],
        ["Zoe, Amara", zoe.employee_id, "Central District", "waitlist, place 1"],
        ["Adam, Amara", adam.employee_id, "Central District", "waitlist, place 2"],
    ]
    assert [row[0] for row in xlsx_rows(cast.client("chief").get(LIST, {"export": "xlsx"}))] == [row[0] for row in rows]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({"q": "delacroix"}, ["Delacroix, Jonah"], id="by-name"),
        pytest.param({"q": "002918"}, ["Whitfield, Amara"], id="by-id"),
        pytest.param({"q": "coast pat"}, ["Pat Doe"], id="from-outside"),
        pytest.param({"state": "waitlisted"}, ["Delacroix, Jonah"], id="by-state"),
        pytest.param({"state": "withdrawn"}, [], id="nobody"),
    ],
)
def test_the_list_is_filtered(cast: Cast, session: ClassSession, query: dict[str, str], names: list[str]) -> None:
    ClassSession.objects.update(capacity=1)
    enrol(session, cast.amara)
    enrol(session, cast.jonah, outside=[seats.Outside("Pat Doe", "Coast Guard")])
    Enrollment.objects.filter(outside_name="Pat Doe").update(state="no_show")

    rows = csv_rows(cast.client("academy").get(LIST, {**query, "export": "csv"}))

    assert [row[0] for row in rows[1:]] == names


def test_a_bad_filter_or_sort_is_told(cast: Cast, session: ClassSession) -> None:
    client = cast.client("academy")

    assert client.get(LIST, {"state": "sleeping"}).status_code == 400
    assert client.get(LIST, {"sort": "shoe"}).status_code == 400
    assert client.get("/classes/C-9/seats/").status_code == 404


def test_the_list_warns_of_the_tightest_place_of_any_block(cast: Cast, session: ClassSession) -> None:
    block = session.meetings.latest("starts_at")
    block.place = make_place("Van", capacity=1)
    block.save()
    enrol(session, cast.amara, cast.jonah)

    (warning,) = re.findall("Van holds[^.]*", words(cast.client("academy").get(LIST)))
    ClassSession.objects.update(state="cancelled")

    assert warning == "Van holds 1 person; 2 have seats"
    assert "Van holds" not in words(cast.client("academy").get(LIST))


def test_a_commander_sees_own_members_and_counts_of_the_rest(cast: Cast, session: ClassSession) -> None:
    enrol(session, cast.amara, cast.jonah, outside=[seats.Outside("Pat Doe")])
    enrol(session, make_officer(last_name="Waits", unit=cast.eastern))

    response = cast.client("commander").get(LIST)

    text = words(response)
    assert "You see members of your units: 1 of the 3 seats is theirs." in text
    assert "3 of 3 seats taken, 1 waiting" in text
    assert [name in text for name in ("Whitfield", "Delacroix", "Pat Doe", "Waits")] == [True, False, False, False]
    assert [button in text for button in ("Withdraw those chosen", "Enrol people", "What happened")] == [False] * 3
    detail = words(cast.client("commander").get("/classes/C-1/"))
    assert "Delacroix" not in words(cast.client("commander").get(LIST, {"show": "lines"}))
    assert [name in detail for name in ("Delacroix", "Pat Doe", "Waits")] == [False] * 3
    export = {"lines": "seats", "export": "csv"}
    assert cast.client("commander").get("/classes/C-1/", export).status_code == 404
    assert cast.client("auditor").get("/classes/C-1/", export).status_code == 200


def test_the_list_costs_the_same_queries_for_one_and_for_thirty(
    cast: Cast, session: ClassSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ClassSession.objects.update(capacity=40)
    for role in ("academy", "commander"):
        client = cast.client(role)
        enrol(session, make_officer(unit=cast.central))
        # session, user, access, units; the class; who has what; rows counted; rows. For a commander also whom to open.
        expected = 8 if role == "academy" else 9
        with django_assert_num_queries(expected):
            client.get(LIST)
        enrol(session, *(make_officer(unit=cast.central) for _ in range(29)))
        with django_assert_num_queries(expected):
            client.get(LIST)


def test_who_could_no_longer_come_is_said_beside_the_name(cast: Cast, session: ClassSession) -> None:
    enrol(session, cast.amara, cast.jonah)
    day = coming_monday()
    take_leave(cast.amara, day, day)

    rows = csv_rows(cast.client("academy").get(LIST, {"show": "check", "export": "csv"}))

    said = f"Is on leave on {day.day} {day:%b %Y}."
    assert {row[0]: row[-1] for row in rows[1:]} == {"Whitfield, Amara": said, "Delacroix, Jonah": ""}


def test_those_ticked_withdraw_and_the_first_who_waits_moves_up(cast: Cast, session: ClassSession) -> None:
    ClassSession.objects.update(capacity=1)
    enrol(session, cast.amara)
    enrol(session, cast.jonah)
    row = Enrollment.objects.get(officer=cast.amara)
    client = cast.client("academy")

    nobody = client.post(LIST, {"act": "withdraw", "why": "Injured"})
    no_reason = client.post(LIST, {"act": "withdraw", "seat": [row.pk]})
    done = client.post(LIST, {"act": "withdraw", "seat": [row.pk], "why": "Injured"}, follow=True)

    assert [response.status_code for response in (nobody, no_reason)] == [400, 400]
    assert "Choose somebody in the list first." in words(nobody)
    lines = words(client.get(LIST, {"show": "lines"}))
    assert "Withdrawn: Whitfield, Amara (002918)" in lines
    address = "/classes/C-1/?lines=seats&amp;export=csv"
    assert f'<a href="{address}">CSV</a>' in client.get(LIST, {"show": "lines", "q": "a"}).content.decode()
    header, *rows = csv_rows(client.get(address.replace("&amp;", "&")))
    assert header == ["When", "What", "Who", "Why", "What changed"]
    assert rows[0][1:4] == ["seats", "academy", "Injured"]
    assert rows[0][4].startswith("Withdrawn: Whitfield, Amara (002918)")
    assert [row[1:4] for row in rows[1:]] == [["seats", "", ""]] * 2
    assert "1 person withdrawn. Moved up from the waitlist: Delacroix, Jonah (003377)." in words(done)
    assert states() == {"Whitfield, Amara": "withdrawn", "Delacroix, Jonah": "enrolled"}


def test_a_larger_class_moves_up_who_waits(cast: Cast, session: ClassSession) -> None:
    ClassSession.objects.update(capacity=1)
    enrol(session, cast.amara, cast.jonah)
    client = cast.client("academy")
    page = client.get("/classes/C-1/change/")
    sent = {
        name: "" if field.value() is None else field.value()
        for name, field in ((f.name, f) for f in page.context["form"])
    }

    done = client.post("/classes/C-1/change/", {**sent, "capacity": "2"}, follow=True)

    assert "Moved up from the waitlist: Delacroix, Jonah (003377)." in words(done)
    assert states()["Delacroix, Jonah"] == "enrolled"


def test_free_seats_are_given_by_a_button_once_somebody_can_come_again(cast: Cast, session: ClassSession) -> None:
    ClassSession.objects.update(capacity=1)
    enrol(session, cast.amara, cast.jonah)
    ClassSession.objects.update(capacity=2)
    client = cast.client("academy")

    assert "Give free seats to those who wait" in words(client.get(LIST))
    done = client.post(LIST, {"act": "move-up"}, follow=True)

    assert "Moved up from the waitlist: Delacroix, Jonah (003377)." in words(done)


def test_a_closed_class_says_so(cast: Cast, session: ClassSession) -> None:
    enrol(session, cast.amara)
    ClassSession.objects.update(state="finished")
    client = cast.client("academy")

    sent = {"act": "withdraw", "seat": [Enrollment.objects.get().pk], "why": "Late"}
    refused = client.post(LIST, sent, follow=True)

    assert "The class is finished. Reopen it before you change its seats." in words(refused)
    assert "The class is finished." in words(client.post(ENROL, {"people": "003377"}))
    assert client.get(SUGGEST).status_code == 404
    assert states() == {"Whitfield, Amara": "enrolled"}


# --- enrolling -------------------------------------------------------------------------------------------------------


def test_a_pasted_list_enters_and_comes_back_with_those_who_need_a_person(cast: Cast, session: ClassSession) -> None:
    make_officer("005511", last_name="Whitfeld", first_name="Anna")
    away = make_officer("006622", last_name="Away", unit=cast.central)
    take_leave(away, coming_monday())
    listed = make_officer("007733", last_name="Listed", unit=cast.central)
    enrol(session, listed)
    client = cast.client("academy")

    response = client.post(ENROL, {"people": "2918\nWhitfild, Anna\n006622\n007733\nNobody, Atall"})

    text = words(response)
    assert states() == {"Listed, Amara": "enrolled", "Whitfield, Amara": "enrolled"}
    assert "1 seat given." in text
    assert "Nobody has exactly this. Did you mean:" in text
    assert "Has a seat in this class already." in text
    assert f'value="{away.pk}" id="officer-{away.pk}"' in response.content.decode()
    assert "Nobody, Atall" in text


def test_who_is_ticked_comes_in_with_the_reason_and_near_misses_as_chosen(cast: Cast, session: ClassSession) -> None:
    take_leave(cast.amara, coming_monday())
    client = cast.client("academy")

    sent = {"officer": [cast.amara.pk], "pick-1": str(cast.jonah.pk), "pick-2": "", "why": "Comes back early"}
    client.post(ENROL, sent)

    assert {row.name: row.why for row in Enrollment.objects.select_related("officer")} == {
        "Whitfield, Amara": "Comes back early",
        "Delacroix, Jonah": "",
    }


def test_a_whole_unit_comes_with_all_below_it_and_more_wait(cast: Cast, session: ClassSession) -> None:
    ClassSession.objects.update(capacity=2)
    Agency.objects.update(min_working=1)
    late = make_officer(last_name="Zed", unit=cast.bureau)

    done = cast.client("academy").post(ENROL, {"unit": str(cast.bureau.pk)}, follow=True)

    assert "Below their minimum while they are in class: Central" in words(done)
    assert states() == {"Delacroix, Jonah": "enrolled", "Whitfield, Amara": "enrolled", late.listed_name: "waitlisted"}


def test_people_from_outside_come_by_name(cast: Cast, session: ClassSession) -> None:
    client = cast.client("academy")

    done = client.post(ENROL, {"outside": "Pat Doe; Coast Guard; 77\n\nDoe, Kim\n"}, follow=True)
    bad = client.post(ENROL, {"outside": "; Coast Guard"})

    assert "2 seats given." in words(done)
    assert states() == {"Pat Doe": "enrolled", "Doe, Kim": "enrolled"}
    assert (bad.status_code, "write name; agency; id, one person a line." in words(bad)) == (400, True)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"people": "  \n"}, id="blank"),
        pytest.param({"officer": ["x", "-1", "1" * 40]}, id="no-numbers"),
        pytest.param({"unit": "999999"}, id="no-such-unit"),
    ],
)
def test_naming_nobody_is_told(cast: Cast, session: ClassSession, sent: dict[str, Any]) -> None:
    response = cast.client("academy").post(ENROL, sent)

    assert (response.status_code, Enrollment.objects.count()) == (400, 0)


def test_members_beyond_reach_are_neither_found_nor_taken(cast: Cast, session: ClassSession) -> None:
    other = Agency.objects.create(code="sheriff", name="Sheriff")
    theirs = make_officer("008844", last_name="Theirs", agency=other)
    make_user("academy", "local", agency=session.agency)
    cast.users["local"] = make_user("academy", "local2", agency=session.agency)
    client = cast.client("local")

    response = client.post(ENROL, {"people": "008844", "officer": [theirs.pk]})

    assert ("Nobody like this is within your reach." in words(response), Enrollment.objects.count()) == (True, 0)


# --- suggestions -----------------------------------------------------------------------------------------------------


def test_the_suggested_are_ticked_with_a_reason_and_enrolled_by_one_button(cast: Cast, session: ClassSession) -> None:
    client = cast.client("academy")

    page = client.get(SUGGEST)
    rows = csv_rows(client.get(SUGGEST, {"export": "csv"}))
    client.post(ENROL, {"officer": [cast.amara.pk]})

    text = words(page)
    assert "1 member suggested for 3 free seats" in text
    assert "Overdue since 4 May 2022." in text
    assert "Pending" not in text
    assert rows == [
        ["Id", "Name", "Unit", "Shift", "Why", "Pending"],
        ["002918", "Whitfield, Amara", "Central District", "days", "Overdue since 4 May 2022.", ""],
    ]
    assert states() == {"Whitfield, Amara": "enrolled"}


def test_evidence_that_waits_is_told_beside_the_suggested(cast: Cast, session: ClassSession) -> None:
    waiting = complete(cast.amara, session.course, date(2026, 5, 3), evidence="pending")

    page = cast.client("academy").get(SUGGEST)
    rows = csv_rows(cast.client("academy").get(SUGGEST, {"export": "csv"}))

    said = f"{session.course.code} of 3 May 2026 awaits a decision"
    assert f"▲ Pending: {said}" in words(page)
    assert f'href="/completions/{waiting.pk}/"' in page.content.decode()
    assert rows[1][5] == said


def test_who_is_kept_by_a_minimum_is_named(cast: Cast, session: ClassSession) -> None:
    Agency.objects.update(min_working=1)

    text = words(cast.client("academy").get(SUGGEST))

    day = coming_monday()
    assert "Everybody who needs it is kept by a minimum." in text
    said = f"would leave 0 of at least 1 on Central District days on {day.day} {day:%b %Y}."
    assert f"Overdue since 4 May 2022; {said}" in text


def test_as_many_as_asked_or_as_there_are_seats(cast: Cast, session: ClassSession) -> None:
    ClassSession.objects.update(capacity=1)
    for _ in range(3):
        complete(make_officer(unit=cast.central, shift=make_shift("days")), cast.basic, date(2018, 1, 1))
    client = cast.client("academy")

    counts = [len(client.get(SUGGEST, query).context["found"].picked) for query in ({}, {"number": "3"})]
    enrol(session, cast.amara)

    assert counts == [1, 3]
    assert "Every seat is taken or waited for." in words(client.get(SUGGEST))
    assert client.get(SUGGEST, {"number": "0"}).status_code == 400


# --- the minimums ----------------------------------------------------------------------------------------------------

STAFFING = "/settings/staffing/"


def test_minimums_are_set_changed_and_taken_away_each_in_the_trail(cast: Cast) -> None:
    days = make_shift("days")
    client = cast.client("admin")
    other = StaffingMinimum.objects.create(unit=cast.eastern, minimum=4)
    sent = {"least": "2", f"row-{other.pk}": "5"}

    client.post(STAFFING, {**sent, "unit": cast.central.pk, "shift": days.pk, "minimum": "3"})
    made = StaffingMinimum.objects.get(unit=cast.central)
    again = client.post(STAFFING, {**sent, f"row-{made.pk}": "3"}, follow=True)
    client.post(STAFFING, {**sent, f"row-{other.pk}": "", f"row-{made.pk}": "0"})

    assert "Nothing is different, so nothing was saved." in words(again)
    assert (
        Agency.objects.get().min_working,
        list(StaffingMinimum.objects.values_list("unit", "shift", "minimum")),
    ) == (
        2,
        [(cast.central.pk, days.pk, 0)],
    )
    lines = TrailLine.objects.filter(what="staffing").order_by("id").values_list("act", "subject", "before", "after")
    staying = "members that stay"
    assert list(lines) == [
        ("changed", "Harbor City Police", {staying: "none"}, {staying: "2"}),
        ("changed", "Eastern District, each shift", {staying: "4"}, {staying: "5"}),
        ("added", "Central District, days", {}, {staying: "3"}),
        ("changed", "Central District, days", {staying: "3"}, {staying: "none"}),
        ("removed", "Eastern District, each shift", {staying: "5"}, {}),
    ]
    assert set(TrailLine.objects.filter(what="staffing").values_list("by__username", flat=True)) == {"admin"}


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        pytest.param({"least": "-1"}, "Ensure this value is greater than or equal to 0.", id="below-zero"),
        pytest.param({"least": ""}, "Members that stay on each unit and shift: fill this in.", id="blank"),
        pytest.param({"least": "1", "minimum": "2"}, "Give both a unit and how many stay.", id="no-unit"),
        pytest.param({"least": "1", "unit": "<central>"}, "Give both a unit and how many stay.", id="no-number"),
        pytest.param(
            {"least": "1", "unit": "<eastern>", "minimum": "1"}, "is in the table already. Change it there.", id="twice"
        ),
        pytest.param({"least": "1", "unit": "77777", "minimum": "1"}, "Select a valid choice.", id="no-such-unit"),
    ],
)
def test_a_minimum_that_cannot_be_is_told_and_nothing_is_saved(cast: Cast, sent: dict[str, str], sentence: str) -> None:
    StaffingMinimum.objects.create(unit=cast.eastern, minimum=4)
    places = {"<central>": str(cast.central.pk), "<eastern>": str(cast.eastern.pk)}
    values = {name: places.get(value, value) for name, value in sent.items()}

    response = cast.client("admin").post(STAFFING, values)

    assert (response.status_code, sentence in words(response)) == (400, True)
    assert (Agency.objects.get().min_working, StaffingMinimum.objects.count()) == (0, 1)


def test_an_agencys_administrator_sets_its_minimums_alone(cast: Cast) -> None:
    other = Agency.objects.create(code="sheriff", name="Sheriff")
    cast.users["local"] = make_user("admin", "local", agency=other)
    client = cast.client("local")

    page = client.get(STAFFING)
    refused = client.post(f"{STAFFING}?agency=pd", {"least": "9"})
    client.post(STAFFING, {"least": "9"})

    assert ("Sheriff" in words(page), "Harbor City Police" in words(page), refused.status_code) == (True, False, 400)
    assert dict(Agency.objects.values_list("code", "min_working")) == {"pd": 0, "sheriff": 9}


# --- a member's coming classes ---------------------------------------------------------------------------------------


def test_an_officer_sees_the_own_seat_with_blocks_place_and_state(cast: Cast, session: ClassSession) -> None:
    waits = make_class("C-2", cast.basic, days=(coming_monday() + timedelta(days=7),), capacity=1)
    enrol(session, cast.amara)
    enrol(waits, cast.jonah, cast.amara)
    for number, state in (("C-3", "cancelled"), ("C-4", "finished")):
        closed = make_class(number, cast.basic, days=(coming_monday() + timedelta(days=14),))
        enrol(closed, cast.amara)
        ClassSession.objects.filter(pk=closed.pk).update(state=state)
    enrol(make_class("C-5", cast.basic, days=(date(2020, 3, 2),)), cast.amara)

    text = words(cast.client("officer").get("/my/"))

    day = coming_monday()
    assert f", {day.day} {day:%b %Y}, class C-1 ✓ seat Room 2" in text
    assert f"{day.day} {day:%b %Y}, 08:00 to 12:00 Block" in text
    assert "class C-2 waitlist, place 1" in text
    assert [number in text for number in ("C-3", "C-4", "C-5")] == [False] * 3
    assert "Delacroix" not in text


def test_a_class_is_coming_until_its_last_block_is_over_that_day(cast: Cast) -> None:
    today = timezone.localdate()
    session = make_class("C-1", cast.basic, days=())
    ends = timezone.make_aware(datetime.combine(today, time(0, 1)))
    session.meetings.create(starts_at=ends - timedelta(hours=3), ends_at=ends)
    over = make_class("C-2", cast.basic, days=())
    midnight = timezone.make_aware(datetime.combine(today, time.min))
    over.meetings.create(starts_at=midnight - timedelta(hours=3), ends_at=midnight)
    for each in (session, over):
        Enrollment.objects.create(session=each, officer=cast.amara, since=timezone.now())

    text = words(cast.client("officer").get("/my/"))

    assert ("class C-1" in text, "class C-2" in text) == (True, False)


def test_a_reader_opens_the_class_from_the_officers_page(cast: Cast, session: ClassSession) -> None:
    enrol(session, cast.amara)

    shown = cast.client("commander").get("/officers/002918/").content.decode()
    own = cast.client("officer").get("/my/").content.decode()

    assert ('href="/classes/C-1/?agency=pd"' in shown, 'href="/classes/C-1/' in own) == (True, False)


def test_a_class_number_of_two_agencies_is_opened_by_its_agency(cast: Cast, session: ClassSession) -> None:
    other = Agency.objects.create(code="sheriff", name="Sheriff")
    ClassSession.objects.create(number="C-1", agency=other, course=cast.basic, capacity=9, token=uuid4())
    client = cast.client("academy")

    assert client.get(LIST).status_code == 300
    done = client.post(f"{ENROL}?agency=pd", {"people": "002918"})

    assert (done["Location"], Enrollment.objects.get().session) == (f"{LIST}?agency=pd", session)
