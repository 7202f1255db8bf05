"""Pages of classes: listed, planned in one click, changed in a table, moved, cancelled, with their real times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from roster.models import Officer
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import (
    at,
    make_agency,
    make_block,
    make_class,
    make_instructor,
    make_lesson_plan,
    make_officer,
    make_place,
    make_topic,
    make_user,
    teach,
)
from training import classes
from training.models import ClassSession, CourseTopic, Enrollment, Meeting, Place

pytestmark = pytest.mark.django_db

#: A Monday far enough ahead that nothing of it has happened, and near enough to be planned.
FIRST = timezone.localdate() + timedelta(days=28 - timezone.localdate().weekday())


def seat(session: ClassSession, officer: Officer, state: str = "enrolled") -> Enrollment:
    return Enrollment.objects.create(session=session, officer=officer, state=state, since=timezone.now())


def plan_data(cast: Cast, **values: Any) -> dict[str, Any]:
    return {
        "agency": cast.central.agency_id,
        "course": cast.basic.pk,
        "capacity": 30,
        "first_day": FIRST.isoformat(),
        "starts": "08:00",
        "lunch_at": "12:00",
        "lunch_minutes": 60,
        "on_holidays": "on",  # whatever day the tests run on
        "token": str(uuid4()),
        "act": "lay-out",
        **values,
    }


def sent_again(page: Any, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the table of blocks on this page, with some fields changed."""
    data: dict[str, Any] = {"blocks": page.context["table"].count}
    for row in page.context["table"].rows:
        for field in row:
            value = field.value()
            data[field.html_name] = (
                value if isinstance(value, list) else getattr(value, "isoformat", lambda v=value: v)()
            )
    return {name: "" if value is None or value is False else value for name, value in {**data, **changes}.items()}


# --- the list --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "minute", "missing"),
    [
        pytest.param(7, 59, "3", id="before-it-begins"),  # a lesson plan, and who teaches each block
        pytest.param(8, 0, "4", id="begun"),  # besides, the approved roster
        pytest.param(12, 0, "6", id="first-block-over"),  # and its real times and signed sheet
        pytest.param(23, 59, "8", id="both-over"),
    ],
)
def test_the_list_says_when_where_how_many_and_how_it_stands(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, hour: int, minute: int, missing: str
) -> None:
    today, room = date(2026, 3, 2), make_place("Room 2")
    past = make_class("C-1", cast.basic, days=[today - timedelta(days=9)], place=room, capacity=2)
    make_class("C-2", cast.refresher, days=[today])
    make_class("C-3", cast.basic, days=[today + timedelta(days=9)])
    make_class("C-4", cast.basic, days=[today + timedelta(days=10)], state="cancelled")
    for officer, state in ((cast.amara, "enrolled"), (cast.jonah, "waitlisted"), (make_officer(), "withdrawn")):
        seat(past, officer, state)
    monkeypatch.setattr(timezone, "now", lambda: at(today, hour, minute))

    rows = csv_rows(cast.client("academy").get(reverse("class-list"), {"export": "csv", "sort": "number"}))

    assert rows == [
        ["Number", "Course", "Days", "Place", "Seats", "State", "Missing"],
        ["C-1", "CIT basic course", "2026-02-21", "Room 2", "1", "taught, not finished", "11"],
        ["C-2", "CIT refresher", "2026-03-02", "", "0", "under way", missing],
        ["C-3", "CIT basic course", "2026-03-11", "", "0", "planned", "3"],
        ["C-4", "CIT basic course", "2026-03-12", "", "0", "cancelled", "0"],
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({}, ["C-1", "C-2", "C-3", "C-4"], id="all"),
        pytest.param({"q": "refresher"}, ["C-2"], id="course"),
        pytest.param({"q": "c-3"}, ["C-3"], id="number"),
        pytest.param({"place": "room"}, ["C-1"], id="place"),
        pytest.param({"state": "to_finish"}, ["C-1"], id="to-finish"),
        pytest.param({"state": "under_way"}, ["C-2"], id="under-way"),
        pytest.param({"state": "planned"}, ["C-3"], id="planned"),
        pytest.param({"state": "cancelled"}, ["C-4"], id="cancelled"),
        pytest.param({"since": "0"}, ["C-2", "C-3", "C-4"], id="from-today"),
        pytest.param({"until": "0"}, ["C-1", "C-2"], id="to-today"),
        pytest.param({"since": "9", "until": "9"}, ["C-3"], id="that-day"),
    ],
)
def test_the_list_is_filtered_by_the_address(cast: Cast, query: dict[str, str], numbers: list[str]) -> None:
    today = timezone.localdate()
    make_class("C-1", cast.basic, days=[today - timedelta(days=9)], place=make_place("Room 2"))
    make_class("C-2", cast.refresher, days=[today])
    make_class("C-3", cast.basic, days=[today + timedelta(days=9)])
    make_class("C-4", cast.basic, days=[today + timedelta(days=10)], state="cancelled")
    for name in {"since", "until"} & query.keys():
        query = {**query, name: str(today + timedelta(days=int(query[name])))}

    rows = csv_rows(cast.client("chief").get(reverse("class-list"), {**query, "export": "csv", "sort": "number"}))

    assert [row[0] for row in rows[1:]] == numbers


def test_a_class_that_ends_at_midnight_is_of_the_day_that_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    held, after = date(2026, 3, 2), date(2026, 3, 3)
    session = make_class("C-1", cast.basic, days=())
    make_block(session, at(held, 20), at(after, 0))
    client, row = cast.client("academy"), ["C-1", "CIT basic course", str(held), "", "0"]
    address = reverse("class-list")

    def listed(**query: str) -> list[list[str]]:
        return csv_rows(client.get(address, {**query, "export": "csv"}))[1:]

    monkeypatch.setattr(timezone, "now", lambda: at(held, 23, 59))
    before = [listed(), listed(state="to_finish"), listed(since=str(held))]
    monkeypatch.setattr(timezone, "now", lambda: at(after, 0))

    under_way, taught = [*row, "under way", "3"], [*row, "taught, not finished", "6"]
    assert before == [[under_way], [], [under_way]]
    assert [listed(), listed(state="under_way"), listed(state="to_finish")] == [[taught], [], [taught]]
    assert listed(since=str(after)) == []
    assert "2 Mar 2026 · no place yet" in Shown(client.get(reverse("class-detail", args=["C-1"]))).words
    home = Shown(client.get("/"))
    assert ("C-1" in home.links, "1 class taught and not finished" in home.words) == (False, True)


def test_one_class_and_thirty_cost_the_same_queries(cast: Cast) -> None:
    client, counts = cast.client("academy"), []
    for number in (1, 29):
        for _ in range(number):
            seat(make_class(days=[date(2026, 3, 2)]), make_officer())
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("class-list"))
        counts.append(len(queries))

    # session, user, roles, units, how many classes, the classes, what is missing from their files
    assert counts == [7, 7]


# --- planned ---------------------------------------------------------------------------------------------------------


def test_a_forty_hour_class_is_laid_out_over_five_days_by_one_click_and_planned_by_another(cast: Cast) -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    plan_ = make_lesson_plan(cast.basic, "v2025", date(2025, 1, 1))
    for name, hours in (("Mental health", 24), ("Scenarios", 16)):
        CourseTopic.objects.create(course=cast.basic, topic=make_topic(name), hours=hours)
    client = cast.client("academy")
    data = plan_data(cast, place=room.pk, instructor=ruth.pk)

    laid = client.post(reverse("class-plan"), data)
    assert (laid.status_code, ClassSession.objects.count(), laid.context["table"].count) == (200, 0, 11)
    done = client.post(reverse("class-plan"), {**data, **sent_again(laid), "act": "plan"})

    session = ClassSession.objects.get()
    assert done["Location"] == reverse("class-detail", args=[session.number])
    assert (session.number, session.lesson_plan, session.place, session.created_by) == (
        f"CIT-40-{FIRST.year}-01",
        plan_,
        room,
        cast.users["academy"],
    )
    blocks = classes.blocks_of(session)
    assert [(block.day - FIRST).days for block in blocks] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [block.name for block in blocks] == ["Mental health"] * 6 + ["Scenarios"] * 4
    assert {(block.place, block.instructors) for block in blocks} == {(room, (ruth,))}
    assert sum((block.ends_at - block.starts_at for block in blocks), timedelta()) == timedelta(hours=40)


def test_a_layout_says_which_days_it_leaves_out_and_that_the_place_is_small(cast: Cast) -> None:
    van = make_place("Van", capacity=6)
    data = plan_data(
        cast, first_day="2026-11-23", not_on="2026-11-27; 2026-11-28 2030-01-01", on_holidays="", place=van.pk
    )

    laid = cast.client("academy").post(reverse("class-plan"), data)

    assert "Van holds 6 people; the class has 30 seats." in Shown(laid).words
    days = [row.initial["day"] for row in laid.context["table"].rows if row.initial]
    assert list(dict.fromkeys(days)) == [date(2026, 11, day) for day in (23, 24, 25, 30)] + [date(2026, 12, 1)]
    assert "Left out: 26 Nov 2026 (Thanksgiving Day); 27 Nov 2026 (as asked)." in Shown(laid).words


def test_blocks_are_edited_before_the_class_is_planned(cast: Cast) -> None:
    client, data = cast.client("academy"), plan_data(cast, course=cast.refresher.pk, number=" R-1 ")
    laid = client.post(reverse("class-plan"), data)
    changes = {"block-0-title": " The  law ", "block-0-ends": "11:30", "block-1-gone": "on"}

    client.post(reverse("class-plan"), {**data, **sent_again(laid, **changes), "act": "plan"})

    (block,) = classes.blocks_of(ClassSession.objects.get(number="R-1"))
    assert (block.name, block.ends_at) == ("The law", at(FIRST, 11, 30))


def test_a_clash_stands_beside_its_block_before_anything_is_planned(cast: Cast) -> None:
    room = make_place("Room 2")
    make_class("C-1", cast.basic, days=[FIRST + timedelta(days=1)], place=room)

    page = cast.client("academy").post(reverse("class-plan"), plan_data(cast, place=room.pk))

    wrong = {row.number: row.notes for row in page.context["table"].rows if row.notes}
    day = f"{(FIRST + timedelta(days=1)).day} {FIRST + timedelta(days=1):%b %Y}"
    assert page.status_code == 400
    assert wrong == {
        3: [f"Room 2 is taken by class C-1 on {day}, 08:00 to 12:00."],
        4: [f"Room 2 is taken by class C-1 on {day}, 13:00 to 17:00."],
    }


def test_enter_in_the_table_checks_and_neither_plans_nor_lays_out_again(cast: Cast) -> None:
    client, data = cast.client("academy"), plan_data(cast, course=cast.refresher.pk)
    laid = client.post(reverse("class-plan"), data)

    page = client.post(reverse("class-plan"), {**data, **sent_again(laid, **{"block-0-title": "Law"}), "act": "check"})

    assert (page.status_code, ClassSession.objects.count()) == (200, 0)
    assert page.context["table"].rows[0]["title"].value() == "Law"


def test_another_block_is_added_without_losing_what_was_typed(cast: Cast) -> None:
    client, data = cast.client("academy"), plan_data(cast, course=cast.refresher.pk, first_day="")
    laid = client.post(reverse("class-plan"), plan_data(cast, course=cast.refresher.pk))

    page = client.post(reverse("class-plan"), {**data, **sent_again(laid, **{"block-0-title": "Law"}), "act": "row"})

    rows = page.context["table"].rows
    assert (len(rows), rows[0]["title"].value(), rows[3]["day"].value()) == (4, "Law", None)


def test_a_course_without_hours_is_planned_block_by_block(cast: Cast) -> None:
    cast.basic.hours = None
    cast.basic.save()

    page = cast.client("academy").post(reverse("class-plan"), plan_data(cast))

    assert page.status_code == 400
    assert "nothing is laid out. Add blocks by hand." in Shown(page).words
    assert page.context["table"].count == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"days": 2}, "40 hours in 2 days are more than 12 hours a day.", id="too-few-days"),
        pytest.param({"course": ""}, "Course: choose one.", id="no-course"),
        pytest.param({"first_day": "2026-13-01"}, "First day: write the day as 2026-11-20.", id="no-day"),
        pytest.param({"first_day": "2090-01-02"}, "cannot be right. Check the year.", id="a-slip-of-the-year"),
        pytest.param({"place": "99999999"}, "Place: choose one of the list.", id="no-such-place"),
        pytest.param(
            {"first_day": (FIRST + timedelta(days=5)).isoformat()},
            "Saturdays are not taught. Choose another first day, or teach on weekends too.",
            id="weekend",
        ),
        pytest.param(
            {"first_day": "2026-11-26", "on_holidays": ""},
            "26 Nov 2026 is Thanksgiving Day. Choose another first day, or teach on federal holidays too.",
            id="holiday",
        ),
        pytest.param({"not_on": f"soon, {FIRST}"}, '"soon" is not a date.', id="no-day-to-leave-out"),
        pytest.param({"not_on": str(FIRST)}, "This day is to be left out.", id="the-first-day-left-out"),
    ],
)
def test_what_cannot_be_laid_out_is_said(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    page = cast.client("academy").post(reverse("class-plan"), plan_data(cast, **values))

    assert page.status_code == 400
    assert sentence in Shown(page).words


def test_a_form_sent_twice_plans_one_class(cast: Cast) -> None:
    client, data = cast.client("academy"), plan_data(cast, course=cast.refresher.pk)
    laid = client.post(reverse("class-plan"), data)
    sent = {**data, **sent_again(laid), "act": "plan"}

    first, second = client.post(reverse("class-plan"), sent), client.post(reverse("class-plan"), sent)

    assert first["Location"] == second["Location"]
    assert (ClassSession.objects.count(), Meeting.objects.count()) == (1, 2)


# --- one class -------------------------------------------------------------------------------------------------------


def test_the_page_of_a_class_shows_its_blocks_and_every_line_of_it(cast: Cast) -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    session = make_class("C-1", cast.basic, days=[date(2026, 3, 2)], place=room)
    block = session.meetings.earliest("starts_at")
    teach(ruth, block)
    seat(session, cast.jonah)
    classes.cancel(session, why="Too few", by=cast.users["academy"])

    page = Shown(cast.client("commander").get(reverse("class-detail", args=["c-1"])))

    assert page.rows("Blocks of the class in their order") == [
        ["Block", "2 Mar 2026, 08:00 to 12:00", "–", "Room 2", "Ruth Osei"],
        ["Block", "2 Mar 2026, 13:00 to 17:00", "–", "Room 2", "nobody yet"],
    ]
    assert "Too few 1 seat, 0 on the waitlist." in page.words
    assert "Change the blocks" not in page.links
    header, *rows = csv_rows(cast.client("commander").get(reverse("class-detail", args=["c-1"]), {"export": "csv"}))
    assert header == ["When", "What", "Who", "Why", "What changed"]
    assert [row[1:] for row in rows] == [["cancelled", "academy", "Too few", "1 seat, 0 on the waitlist."]]
    assert cast.client("chief").get("/classes/C-1/", {"export": "csv", "lines": "people"}).status_code == 400
    assert "<h1" in cast.client("chief").get("/classes/C-1/", {"export": ""}).content.decode()


def test_the_blocks_of_a_class_are_changed_in_a_table(cast: Cast) -> None:
    session = make_class("C-1", cast.basic, days=[FIRST])
    client, address = cast.client("academy"), reverse("class-blocks", args=["C-1"])
    page = client.get(address)
    seen = page.context["form"]["seen"].value()
    changes = {"block-0-starts": "09:00", "block-1-gone": "on", "block-2-day": FIRST.isoformat()}
    changes |= {"block-2-starts": "22:00", "block-2-ends": "02:00", "seen": seen, "why": "Snow"}

    done = client.post(address, sent_again(page, **changes))

    assert done["Location"] == reverse("class-detail", args=["C-1"])
    assert [(row.starts_at, row.ends_at) for row in classes.meetings_of(session)] == [
        (at(FIRST, 9), at(FIRST, 12)),
        (at(FIRST, 22), at(FIRST + timedelta(days=1), 2)),
    ]
    assert session.events.get().why == "Snow"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"block-0-ends": ""}, "Give the time it ends.", id="no-end"),
        pytest.param({"block-0-ends": "25:00"}, "Ends: write the time as 08:30.", id="no-time"),
        pytest.param({"block-0-ends": "07:00"}, "The block ends before it begins.", id="end-first"),
        pytest.param({"block-1-starts": "11:00"}, "This block overlaps the one of", id="overlap"),
        pytest.param({"block-0-place": "99999999"}, "Place: choose one of the list.", id="no-such-place"),
        pytest.param({"block-0-instructors": ["99999999"]}, "Instructors: choose one of the list.", id="no-instructor"),
        pytest.param({"seen": "0"}, classes.MEANWHILE, id="changed-meanwhile"),
        pytest.param({"block-0-pk": "99999999"}, classes.MEANWHILE, id="not-its-block"),
    ],
)
def test_a_wrong_table_is_refused_with_a_sentence_and_changes_nothing(
    cast: Cast, changes: dict[str, Any], sentence: str
) -> None:
    session = make_class("C-1", cast.basic, days=[FIRST])
    classes.change(session, classes.Details("C-1", 20), seen=0, by=None)
    client, address = cast.client("academy"), reverse("class-blocks", args=["C-1"])
    page = client.get(address)
    seen = page.context["form"]["seen"].value()

    refused = client.post(address, sent_again(page, **{"seen": seen, **changes}))

    assert refused.status_code == 400
    assert sentence in Shown(refused).words
    assert [row.starts_at for row in classes.meetings_of(session)] == [at(FIRST, 8), at(FIRST, 13)]


def test_a_place_of_another_agency_is_not_offered(cast: Cast) -> None:
    make_class("C-1", cast.basic, days=[FIRST])
    theirs = make_place("Theirs", agency=make_agency("other", "Other Police"))
    client, address = cast.client("academy"), reverse("class-blocks", args=["C-1"])
    page = client.get(address)
    seen = page.context["form"]["seen"].value()

    refused = client.post(address, sent_again(page, **{"seen": seen, "block-0-place": theirs.pk}))

    assert refused.status_code == 400
    assert "Theirs" not in refused.content.decode()


def test_a_class_is_changed_moved_and_cancelled_by_forms(cast: Cast) -> None:
    room = make_place("Room 2")
    session = make_class("C-1", cast.basic, days=[FIRST])
    client = cast.client("academy")

    def post(name: str, of: str, **values: Any) -> Any:
        address = reverse(name, args=[of])
        form = client.get(address).context["form"]
        seen = {"seen": form["seen"].value()} if "seen" in form.fields else {}
        return client.post(address, {**seen, **values})

    changed = post("class-change", "C-1", number="C-9", capacity=12, place=room.pk, lesson_plan="", note="Boots")
    moved = post("class-move", "C-9", days=-7, why="Storm")
    cancelled = post("class-cancel", "C-9", why="Too few")
    late = post("class-move", "C-9", days=7, why="Storm")

    session.refresh_from_db()
    assert (session.number, session.capacity, session.place, session.note, session.state) == (
        *("C-9", 12, room, "Boots", "cancelled"),
    )
    assert session.meetings.earliest("starts_at").starts_at == at(FIRST - timedelta(days=7), 8)
    assert [response.status_code for response in (changed, moved, cancelled, late)] == [302, 302, 302, 400]
    assert "The class is cancelled. Plan another one." in Shown(late).words


def test_a_move_says_who_of_those_with_seats_cannot_come(cast: Cast) -> None:
    session = make_class("C-1", cast.basic, days=[FIRST])
    seat(session, cast.amara)
    seat(session, cast.jonah)
    seat(make_class("C-2", cast.refresher, days=[FIRST + timedelta(days=1)]), cast.amara)
    client, address = cast.client("academy"), reverse("class-move", args=["C-1"])

    page = Shown(client.post(address, {"days": 1, "why": "Storm", "seen": 0}, follow=True))

    assert (
        "1 person with a seat is away, in another class or teaching then: Whitfield, Amara. Look at the seats."
        in page.words
    )


def test_cancelling_needs_a_reason(cast: Cast) -> None:
    session = make_class("C-1", cast.basic)

    refused = cast.client("academy").post(reverse("class-cancel", args=["C-1"]), {"why": " "})

    session.refresh_from_db()
    assert (refused.status_code, session.state) == (400, "planned")


def test_real_times_are_entered_as_planned_but_where_they_differ(cast: Cast) -> None:
    day = timezone.localdate() - timedelta(days=3)
    session = make_class("C-1", cast.basic, days=[day, FIRST])
    client, address = cast.client("academy"), reverse("class-times", args=["C-1"])
    first, *_ = session.meetings.order_by("starts_at")
    seen = client.get(address).context["form"]["seen"].value()
    times = {f"block-{first.pk}-began": "08:15", f"block-{first.pk}-ended": "12:00"}

    client.post(address, {"seen": seen, "act": "planned", **times})

    assert list(session.meetings.order_by("starts_at").values_list("began_at", "ended_at")) == [
        (at(day, 8, 15), at(day, 12)),
        (at(day, 13), at(day, 17)),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("began", "ended", "sentence"),
    [
        pytest.param("08:00", "", "Give both times, or none.", id="one-only"),
        pytest.param("12:00", "08:00", "the end after the beginning", id="end-first"),
        pytest.param("x", "12:00", "Began: write the time as 08:30.", id="no-time"),
    ],
)
def test_wrong_real_times_are_refused(cast: Cast, began: str, ended: str, sentence: str) -> None:
    session = make_class("C-1", cast.basic, days=[date(2026, 3, 2)])
    first = session.meetings.earliest("starts_at")
    address = reverse("class-times", args=["C-1"])

    refused = cast.client("academy").post(
        address, {"seen": 0, f"block-{first.pk}-began": began, f"block-{first.pk}-ended": ended}
    )

    assert refused.status_code == 400
    assert sentence in Shown(refused).words


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(cast: Cast) -> tuple[ClassSession, Client]:
    """A class of another agency, and somebody of the academy of ours alone."""
    user = make_user("academy", "ours", agency=cast.central.agency)
    client = Client()
    client.force_login(user)
    return make_class("O-1", cast.basic, agency=make_agency("other", "Other Police")), client


@pytest.mark.parametrize(
    "name", ["class-detail", "class-blocks", "class-change", "class-move", "class-times", "class-cancel"]
)
def test_a_class_of_another_agency_is_not_there(elsewhere: tuple[ClassSession, Client], name: str) -> None:
    session, client = elsewhere
    address = reverse(name, args=[session.number])

    answers = [client.get(address).status_code, client.get(f"{address}?agency=other").status_code]
    posted = client.post(address, {"why": "Storm", "seen": 0, "days": 1, "number": "X", "capacity": 1, "blocks": 0})

    session.refresh_from_db()
    assert (answers, posted.status_code in (404, 405)) == ([404, 404], True)
    assert (session.number, session.state, session.meetings.count()) == ("O-1", "planned", 2)


def test_the_list_and_the_form_hold_nothing_of_another_agency(
    cast: Cast, elsewhere: tuple[ClassSession, Client]
) -> None:
    _, client = elsewhere
    other = make_agency("other", "Other Police")
    place: Place = make_place("Theirs", agency=other)

    listed, form = client.get(reverse("class-list")), client.get(reverse("class-plan"))
    refused = client.post(reverse("class-plan"), plan_data(cast, agency=other.pk, place=place.pk))

    assert ("O-1" in listed.content.decode(), "Theirs" in form.content.decode()) == (False, False)
    assert (refused.status_code, ClassSession.objects.count()) == (400, 1)


def test_a_number_of_several_agencies_asks_which_and_keeps_the_answer(cast: Cast) -> None:
    make_class("C-1", cast.basic)
    make_class("C-1", cast.basic, agency=make_agency("other", "Other Police"))
    client = cast.client("admin")

    asked = client.get(reverse("class-detail", args=["C-1"]))
    page = Shown(client.get(f"{reverse('class-detail', args=['C-1'])}?agency=other"))

    assert asked.status_code == 300
    assert page.links["Change the blocks"] == "/classes/C-1/blocks/?agency=other"
