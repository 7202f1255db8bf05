"""The calendar and its feeds: who sees what, in which days, and what calendar programs read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from compliance import class_calendar
from roster.models import Access, TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows, refusal
from tests.factories import (
    at,
    make_agency,
    make_block,
    make_class,
    make_instructor,
    make_officer,
    make_place,
    make_user,
    teach,
)
from training import calendar, classes
from training.models import CalendarFeed, ClassSession, Enrollment

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 12, 7)


@pytest.fixture(autouse=True)
def _day(hold_day: Callable[[date], None]) -> None:
    """A day in whose feeds the classes of these tests are: they go 90 days back."""
    hold_day(date(2026, 11, 20))


@dataclass
class Held:
    """Classes of the week from Sunday 6 December: of Amara (Central), of Jonah (Eastern), of nobody, of others."""

    amaras: ClassSession
    jonahs: ClassSession
    empty: ClassSession
    others: ClassSession


@pytest.fixture
def held(cast: Cast) -> Held:
    room = make_place("Academy, room 2", address="12 Wharf Road; back door")
    found = Held(
        make_class("A-1", cast.basic, days=[MONDAY], place=room),
        make_class("J-1", cast.refresher, days=[MONDAY + timedelta(days=1)]),
        make_class("E-1", cast.basic, days=[MONDAY + timedelta(days=2)]),
        make_class("O-1", cast.basic, days=[MONDAY], agency=make_agency("other", "Other Police")),
    )
    seat(found.amaras, cast.amara)
    seat(found.jonahs, cast.jonah)
    teach(make_instructor("Ruth Osei"), found.amaras.meetings.earliest("starts_at"))
    Access.objects.filter(user=cast.users["academy"]).update(agency=cast.central.agency)
    return found


def seat(session: ClassSession, officer: Any, state: str = "enrolled") -> Enrollment:
    return Enrollment.objects.create(session=session, officer=officer, state=state, since=timezone.now())


def rows_of(client: Client, **query: str) -> list[list[str]]:
    return csv_rows(client.get(reverse("calendar"), {"day": "2026-12-07", "export": "csv", **query}))[1:]


def numbers_of(client: Client, **query: str) -> list[str]:
    return list(dict.fromkeys(row[3] for row in rows_of(client, **query)))


# --- who sees what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "numbers"),
    [
        pytest.param("academy", ["A-1", "J-1", "E-1"], id="the-agency"),
        pytest.param("admin", ["A-1", "O-1", "J-1", "E-1"], id="every-agency"),
        pytest.param("commander", ["A-1", "J-1", "E-1"], id="a-commanders-agency"),
        pytest.param("officer", ["A-1"], id="own-seats"),
    ],
)
def test_the_calendar_shows_the_classes_of_the_agency_or_ones_own(
    cast: Cast, held: Held, role: str, numbers: list[str]
) -> None:
    assert numbers_of(cast.client(role)) == numbers


@pytest.mark.parametrize(
    ("role", "parts"),
    [
        pytest.param("academy", {"A-1": "", "J-1": "", "E-1": ""}, id="academy"),
        pytest.param("commander", {"A-1": "1 member of yours", "J-1": "", "E-1": ""}, id="commander"),
        pytest.param("elsewhere", {"A-1": "", "J-1": "1 member of yours", "E-1": ""}, id="other-commander"),
        pytest.param("officer", {"A-1": "your seat"}, id="officer"),
    ],
)
def test_the_calendar_says_what_a_class_is_to_whoever_looks(
    cast: Cast, held: Held, role: str, parts: dict[str, str]
) -> None:
    assert {row[3]: row[9] for row in rows_of(cast.client(role))} == parts


def test_a_commander_sees_counts_and_no_names(cast: Cast, held: Held) -> None:
    for _ in range(2):
        seat(held.amaras, make_officer(unit=cast.central, last_name="Okafor"))
    client = cast.client("commander")

    page = client.get(reverse("calendar"), {"day": "2026-12-07"})

    assert "3 members of yours" in Shown(page).words
    assert [name for name in ("Whitfield", "Delacroix", "Okafor") if name in page.content.decode()] == []


def test_somebody_who_teaches_sees_the_blocks_they_teach(cast: Cast, held: Held) -> None:
    block = held.jonahs.meetings.latest("starts_at")
    teach(make_instructor(officer=cast.amara), block)

    rows = rows_of(cast.client("officer"))

    assert [(row[1], row[3], row[9]) for row in rows] == [
        ("08:00", "A-1", "your seat"),
        ("13:00", "A-1", "your seat"),
        ("13:00", "J-1", "you teach"),
    ]


@pytest.mark.parametrize(
    ("state", "part"),
    [
        pytest.param("enrolled", ["your seat"], id="seat"),
        pytest.param("waitlisted", ["on the waitlist"], id="waits"),
        pytest.param("withdrawn", [], id="withdrawn"),
    ],
)
def test_a_seat_is_what_it_is(cast: Cast, held: Held, state: str, part: list[str]) -> None:
    Enrollment.objects.filter(officer=cast.amara).update(state=state)

    assert list(dict.fromkeys(row[9] for row in rows_of(cast.client("officer")))) == part


def test_an_officer_is_offered_no_page_of_a_class(cast: Cast, held: Held) -> None:
    page = Shown(cast.client("officer").get(reverse("calendar"), {"day": "2026-12-07"}))

    assert "A-1" in page.words
    assert "A-1" not in page.links


# --- which days ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "is_month", "first", "last"),
    [
        pytest.param(MONDAY, False, date(2026, 12, 6), date(2026, 12, 12), id="week"),
        pytest.param(date(2026, 12, 6), False, date(2026, 12, 6), date(2026, 12, 12), id="a-sunday"),
        pytest.param(date(2026, 12, 12), False, date(2026, 12, 6), date(2026, 12, 12), id="a-saturday"),
        pytest.param(MONDAY, True, date(2026, 11, 29), date(2027, 1, 2), id="month"),
        pytest.param(date(2026, 2, 28), True, date(2026, 2, 1), date(2026, 2, 28), id="four-weeks-exactly"),
        pytest.param(date(2024, 2, 29), True, date(2024, 1, 28), date(2024, 3, 2), id="leap-day"),
    ],
)
def test_a_month_and_a_week_are_whole_weeks_from_sunday(day: date, is_month: bool, first: date, last: date) -> None:
    assert class_calendar.span_of(day, is_month=is_month) == (first, last)


@pytest.mark.parametrize(
    ("day", "by", "is_month", "there"),
    [
        pytest.param(date(2026, 1, 31), 1, True, date(2026, 2, 1), id="next-month"),
        pytest.param(date(2026, 3, 31), -1, True, date(2026, 2, 1), id="last-month"),
        pytest.param(date(2026, 12, 31), 1, True, date(2027, 1, 1), id="next-year"),
        pytest.param(date(2026, 12, 31), 1, False, date(2027, 1, 7), id="next-week"),
    ],
)
def test_earlier_and_later_go_one_month_or_week(day: date, by: int, is_month: bool, there: date) -> None:
    assert class_calendar.step(day, by, is_month=is_month) == there


def test_a_month_has_a_line_for_each_class_and_day_and_a_week_one_for_each_block(cast: Cast, held: Held) -> None:
    client = cast.client("academy")

    month = Shown(client.get(reverse("calendar"), {"day": "2026-12-07"}))
    week = Shown(client.get(reverse("calendar"), {"day": "2026-12-07", "view": "week"}))

    (monday,) = [cell for row in month.rows("Classes by day, December 2026") for cell in row if "A-1" in cell]
    assert monday == "Monday 7 Dec 08:00–17:00 A-1 CIT basic course · Academy, room 2"
    (row,) = week.rows("Classes by day, Week of 6 Dec 2026")
    assert row[1] == (
        "Monday 7 Dec 08:00–12:00 A-1 Block · Academy, room 2 · Ruth Osei 13:00–17:00 A-1 Block · Academy, room 2"
    )


def test_a_block_over_midnight_stands_on_the_day_it_begins(cast: Cast) -> None:
    session = make_class("N-1", cast.basic, days=())
    make_block(session, at(date(2026, 12, 31), 22), at(date(2027, 1, 1), 6))
    client = cast.client("academy")

    assert [row[:3] for row in rows_of(client, day="2026-12-31", view="week")] == [["2026-12-31", "22:00", "06:00"]]
    assert numbers_of(client, day="2027-01-03", view="week") == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({"place": "room 2"}, ["A-1"], id="place"),
        pytest.param({"course": "refresher"}, ["J-1"], id="course"),
        pytest.param({"course": "CIT-40"}, ["A-1", "E-1"], id="course-code"),
        pytest.param({"instructor": "osei"}, ["A-1"], id="instructor"),
        pytest.param({"instructor": "osei", "course": "refresher"}, [], id="both"),
        pytest.param({"day": "2026-11-01"}, [], id="another-month"),
    ],
)
def test_the_calendar_is_filtered_by_the_address(
    cast: Cast, held: Held, query: dict[str, str], numbers: list[str]
) -> None:
    assert numbers_of(cast.client("academy"), **query) == numbers


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"day": "tomorrow"}, "Day: write the day as 2026-11-20.", id="no-day"),
        pytest.param({"day": "9999-12-31"}, "Day: choose a day from 1900 to 9980.", id="too-far"),
        pytest.param({"view": "year"}, "Select a valid choice", id="no-view"),
        pytest.param({"export": "pdf"}, 'Export: "pdf" is not a format.', id="no-format"),
    ],
)
def test_a_bad_address_is_refused_with_a_sentence(cast: Cast, query: dict[str, str], sentence: str) -> None:
    status, said = refusal(cast.client("academy").get(reverse("calendar"), query))

    assert status == 400
    assert sentence in said


def test_the_calendar_names_federal_holidays(cast: Cast) -> None:
    page = Shown(cast.client("officer").get(reverse("calendar"), {"day": "2026-11-03"})).words

    assert [name in page for name in ("11 Nov Veterans Day", "26 Nov Thanksgiving Day", "Christmas")] == [
        True,
        True,
        False,
    ]


def test_a_cancelled_class_stays_and_says_so(cast: Cast, held: Held) -> None:
    classes.cancel(held.amaras, why="Storm", by=None)

    page = Shown(cast.client("academy").get(reverse("calendar"), {"day": "2026-12-07"}))

    assert "cancelled 08:00–17:00 A-1" in page.words


@pytest.mark.parametrize("role", ["academy", "commander", "officer"])
def test_one_class_and_thirty_cost_the_same_queries(cast: Cast, role: str) -> None:
    client, counts = cast.client(role), []
    for number in (1, 29):
        for _ in range(number):
            session = make_class(course=cast.basic, days=[MONDAY])
            seat(session, cast.amara)
            teach(make_instructor(), session.meetings.earliest("starts_at"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("calendar"), {"day": "2026-12-07"})
        counts.append(len(queries))

    # session, user, roles, units, blocks, who teaches; and own seats, or members of the own units with a seat
    assert counts == [6 if role == "academy" else 7] * 2


# --- feeds -----------------------------------------------------------------------------------------------------------


def events_of(user: User) -> dict[str, Any]:
    """Summary -> event of this user's feed, as a calendar program without a sign-in reads it."""
    made = calendar.make_feed(user)
    response = Client().get(reverse("calendar-file", args=[made.token]))
    assert (response.status_code, response["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    found = Calendar.from_ical(response.content)
    return {str(event["uid"]): event for event in found.walk("VEVENT")}


def summaries(events: dict[str, Any]) -> list[tuple[datetime, str]]:
    return [(event["dtstart"].dt, str(event["summary"])) for event in events.values()]


@pytest.fixture
def soon() -> date:
    """A day that feeds hold: they go 90 days back and have no end."""
    return timezone.localdate() + timedelta(days=7)


def test_a_feed_and_its_events_have_the_public_address_where_one_is_set(cast: Cast, soon: date, settings: Any) -> None:
    settings.PUBLIC_URL = "https://records.example.gov"
    make_block(make_class("A-1", cast.basic, days=()), at(soon, 8), at(soon, 12))

    (event,) = events_of(cast.users["academy"]).values()
    page = cast.client("academy").get(reverse("calendar-feed"))

    assert str(event["url"]) == "https://records.example.gov/classes/A-1/?agency=pd"
    assert page.context["url"].startswith("https://records.example.gov/calendar/")


def test_a_feed_holds_each_block_as_calendar_programs_read_it(cast: Cast, soon: date) -> None:
    room = make_place("Academy, room 2", address="12 Wharf Road; back door")
    session = make_class("A-1", cast.basic, days=(), place=room)
    block = make_block(session, at(soon, 8), at(soon, 12), title="Voices, part 1; the door\\window")
    teach(make_instructor("Ruth Osei"), block)

    (event,) = events_of(cast.users["academy"]).values()

    assert event["dtstart"].dt == at(soon, 8).astimezone(UTC)
    assert event["dtend"].dt == at(soon, 12).astimezone(UTC)
    assert str(event["summary"]) == "CIT basic course: Voices, part 1; the door\\window"
    assert str(event["location"]) == "Academy, room 2, 12 Wharf Road; back door"
    assert str(event["description"]) == "Class A-1, CIT basic course\nInstructors: Ruth Osei"
    assert str(event["url"]) == "http://testserver/classes/A-1/?agency=pd"
    assert (event["sequence"], str(event["status"])) == (0, "CONFIRMED")


def test_a_feed_is_well_formed_line_by_line(cast: Cast, soon: date) -> None:
    session = make_class("A-1", cast.basic, days=())
    make_block(session, at(soon, 8), at(soon, 12), title="Ängste und Krisen " * 8)
    made = calendar.make_feed(cast.users["academy"])

    content = Client().get(reverse("calendar-file", args=[made.token])).content

    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_changed_class_is_a_later_version_of_the_same_event_and_a_cancelled_one_says_so(
    cast: Cast, soon: date
) -> None:
    session = make_class("A-1", cast.basic, days=[soon])
    before = events_of(cast.users["academy"])

    classes.move(session, 1, why="Storm", seen=0, by=None)
    moved = events_of(cast.users["academy"])
    classes.cancel(session, why="Storm", by=None)
    cancelled = events_of(cast.users["academy"])

    assert before.keys() == moved.keys() == cancelled.keys()
    assert [{event["sequence"] for event in events.values()} for events in (before, moved, cancelled)] == [
        {0},
        {1},
        {2},
    ]
    assert {event["dtstart"].dt.date() for event in moved.values()} == {soon + timedelta(days=1)}
    assert {str(event["status"]) for event in cancelled.values()} == {"CANCELLED"}
    assert {str(event["summary"]) for event in cancelled.values()} == {"Cancelled: CIT basic course"}


def test_a_feed_read_again_is_the_same_file(cast: Cast, soon: date) -> None:
    make_class("A-1", cast.basic, days=[soon])
    made = calendar.make_feed(cast.users["academy"])

    first, second = (Client().get(reverse("calendar-file", args=[made.token])) for _ in range(2))
    again = Client().get(reverse("calendar-file", args=[made.token]), headers={"if-none-match": first["ETag"]})
    ClassSession.objects.update(course=cast.refresher)
    changed = Client().get(reverse("calendar-file", args=[made.token]), headers={"if-none-match": first["ETag"]})

    assert first.content == second.content
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert (changed.status_code, changed["ETag"] == first["ETag"]) == (200, False)


def test_a_block_keeps_its_hour_across_the_change_of_the_clock(cast: Cast) -> None:
    make_class("A-1", cast.basic, days=[date(2027, 3, 12), date(2027, 3, 15)])

    starts = sorted(start for start, _ in summaries(events_of(cast.users["academy"])))

    assert [f"{start:%m-%d %H:%M}" for start in starts] == ["03-12 13:00", "03-12 18:00", "03-15 12:00", "03-15 17:00"]


@pytest.mark.parametrize(
    ("role", "numbers"),
    [
        pytest.param("academy", {"A-1", "J-1", "E-1"}, id="the-agency"),
        pytest.param("admin", {"A-1", "J-1", "E-1", "O-1"}, id="every-agency"),
        pytest.param("commander", {"A-1"}, id="classes-with-own-members"),
        pytest.param("elsewhere", {"J-1"}, id="those-of-the-other-district"),
        pytest.param("officer", {"A-1"}, id="own-seats"),
    ],
)
def test_a_feed_shows_no_more_than_the_page(cast: Cast, held: Held, role: str, numbers: set[str]) -> None:
    events = events_of(cast.users[role]).values()
    on_page = set(numbers_of(cast.client(role)))

    found = {str(event["description"]).split(",")[0].removeprefix("Class ") for event in events}

    assert found == numbers
    assert found <= on_page


def test_the_feed_of_a_commander_has_counts_and_no_names(cast: Cast, held: Held) -> None:
    seat(held.amaras, make_officer(unit=cast.central, last_name="Okafor"))
    made = calendar.make_feed(cast.users["commander"])

    text = Client().get(reverse("calendar-file", args=[made.token])).content.decode()

    assert "2 members of yours" in text
    assert [name for name in ("Whitfield", "Okafor", "Osei", "J-1") if name in text] == []


def test_the_feed_of_an_instructor_has_the_blocks_they_teach(cast: Cast, held: Held) -> None:
    teach(make_instructor(officer=cast.amara), held.empty.meetings.latest("starts_at"))

    events = events_of(cast.users["officer"]).values()

    assert sorted(str(event["description"]).split("\n")[-1] for event in events) == [
        "you teach",
        "your seat",
        "your seat",
    ]


def test_a_feed_ends_with_the_right_to_sign_in(cast: Cast, held: Held) -> None:
    user = cast.users["academy"]
    address = reverse("calendar-file", args=[calendar.make_feed(user).token])
    answers = [Client().get(address).status_code]

    User.objects.filter(pk=user.pk).update(is_active=False)
    answers.append(Client().get(address).status_code)
    User.objects.filter(pk=user.pk).update(is_active=True)
    Access.objects.filter(user=user).delete()
    answers.append(Client().get(address).status_code)

    assert answers == [200, 404, 404]


def test_a_private_address_is_made_shown_renewed_and_stopped(cast: Cast) -> None:
    client = cast.client("officer")

    def shown() -> str:
        page = Shown(client.get(reverse("calendar-feed")))
        return page.links.get("Open it", "")

    none = shown()
    client.post(reverse("calendar-feed"), {"act": "make"})
    first = shown()
    client.post(reverse("calendar-feed"), {"act": "make"})
    second = shown()
    answers = [Client().get(address).status_code for address in (first, second)]
    client.post(reverse("calendar-feed"), {"act": "remove"})

    assert (none, first == second, answers) == ("", False, [404, 200])
    assert (shown(), Client().get(second).status_code, CalendarFeed.objects.count()) == ("", 404, 0)
    assert len(second) - len("/calendar/.ics") == 43  # 32 bytes of chance


def test_the_trail_says_when_a_private_address_was_made_and_stopped_and_not_what_it_was(cast: Cast) -> None:
    client = cast.client("officer")

    for act in ("make", "make", "remove", "remove"):
        client.post(reverse("calendar-feed"), {"act": act})

    rows = TrailLine.objects.order_by("pk").values_list("by__username", "what", "subject", "before", "after")
    address, before = "private address", {"private address": "made before"}
    assert [*rows] == [
        ("officer", "calendar", "officer", {address: ""}, {address: "a new one"}),
        ("officer", "calendar", "officer", before, {address: "a new one"}),
        ("officer", "calendar", "officer", before, {address: "stopped"}),
    ]


def test_a_guessed_address_is_not_there(cast: Cast) -> None:
    calendar.make_feed(cast.users["academy"])

    for token in ("x", "0" * 43, "%00", "'; --"):
        assert Client().get(f"/calendar/{token}.ics").status_code in (400, 404)
    assert Client().post(reverse("calendar-file", args=["x"])).status_code == 405


def test_the_feed_of_thirty_classes_costs_the_queries_of_one(cast: Cast, soon: date) -> None:
    made, counts = calendar.make_feed(cast.users["commander"]), []
    for number in (1, 29):
        for _ in range(number):
            session = make_class(course=cast.basic, days=[soon])
            seat(session, cast.amara)
            teach(make_instructor(), session.meetings.earliest("starts_at"))
        with CaptureQueriesContext(connection) as queries:
            Client().get(reverse("calendar-file", args=[made.token]))
        counts.append(len(queries))

    # the address with its user, roles, units, blocks, who teaches, members with a seat, lines of the classes
    assert counts == [7, 7]


def test_a_user_without_a_record_and_without_rights_has_an_empty_calendar() -> None:
    user = make_user("officer", "nobody", officer=make_officer())

    assert events_of(user) == {}
