"""Instructors and places: who is due, who is out of date, and what the forms take."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from roster.models import TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import (
    make_agency,
    make_block,
    make_class,
    make_instructor,
    make_officer,
    make_place,
    make_user,
    teach,
)
from training.instructors import Due, Fitness, due
from training.models import Instructor, Place, Qualification

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)


def held(course: int | None, end_on: date | None) -> Qualification:
    return Qualification(course_id=course, title="State", start_on=date(2020, 1, 1), end_on=end_on)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        pytest.param([], Due(Fitness.NONE), id="nothing-entered"),
        pytest.param([held(None, None)], Due(Fitness.IN_FORCE), id="no-last-day"),
        pytest.param([held(1, TODAY)], Due(Fitness.DUE_SOON, TODAY), id="the-last-day"),
        pytest.param(
            [held(1, TODAY - timedelta(days=1))],
            Due(Fitness.OUT_OF_DATE, TODAY - timedelta(days=1)),
            id="the-day-after",
        ),
        pytest.param(
            [held(1, TODAY + timedelta(days=90))], Due(Fitness.DUE_SOON, TODAY + timedelta(days=90)), id="in-90-days"
        ),
        pytest.param(
            [held(1, TODAY + timedelta(days=91))], Due(Fitness.IN_FORCE, TODAY + timedelta(days=91)), id="in-91-days"
        ),
        pytest.param(
            [held(1, date(2021, 1, 1)), held(1, date(2029, 1, 1))],
            Due(Fitness.IN_FORCE, date(2029, 1, 1)),
            id="renewed",
        ),
        pytest.param([held(1, date(2021, 1, 1)), held(1, None)], Due(Fitness.IN_FORCE), id="renewed-for-good"),
        pytest.param(
            [held(1, date(2029, 1, 1)), held(2, date(2021, 1, 1))],
            Due(Fitness.OUT_OF_DATE, date(2021, 1, 1)),
            id="of-two-courses-the-one-that-ended",
        ),
    ],
)
def test_when_an_instructor_is_due(rows: list[Qualification], answer: Due) -> None:
    assert due(rows, today=TODAY) == answer


def qualify(instructor: Instructor, days: int | None, **values: Any) -> None:
    end_on = None if days is None else timezone.localdate() + timedelta(days=days)
    Qualification.objects.create(
        instructor=instructor, title="State", start_on=date(2020, 1, 1), end_on=end_on, **values
    )


def test_the_list_shows_who_is_out_of_date_and_due_first_with_the_own_training_of_members(cast: Cast) -> None:
    amara = make_instructor(officer=cast.amara)
    for name, days in (("Ended", -1), ("Due", 90), ("Fine", 91), ("Open", None)):
        qualify(make_instructor(name, employer="County"), days)
    make_instructor("Gone", is_retired=True)
    qualify(amara, 400)
    client = cast.client("academy")

    rows = csv_rows(client.get(reverse("instructor-list"), {"export": "csv"}))

    assert [(row[0], row[1], row[2], row[4]) for row in rows[1:]] == [
        ("Ended", "County", "out of date", ""),
        ("Due", "County", "due soon", ""),
        ("Fine", "County", "in force", ""),
        ("Whitfield, Amara", "member", "in force", "overdue 2022-05-03"),
        ("Open", "County", "in force", ""),
    ]
    assert [row[0] for row in csv_rows(client.get("/instructors/?export=csv&fitness=out_of_date"))[1:]] == ["Ended"]
    assert [row[0] for row in csv_rows(client.get("/instructors/?export=csv&show=all&q=gone"))[1:]] == ["Gone"]
    assert "1 out of date" in Shown(client.get(reverse("instructor-list"))).links


def test_one_instructor_and_thirty_cost_the_same_queries(cast: Cast) -> None:
    client, counts = cast.client("academy"), []
    for number in (1, 29):
        for _ in range(number):
            instructor = make_instructor(officer=make_officer(unit=cast.central))
            qualify(instructor, 30)
            teach(
                instructor, make_class(days=[timezone.localdate() + timedelta(days=9)]).meetings.earliest("starts_at")
            )
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("instructor-list"))
        counts.append(len(queries))

    # session, user, roles, units, instructors, qualifications, next blocks, own standings
    assert counts == [8, 8]


def lines(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "lines": len(rows),
        **{f"line-{i}-{name}": value for i, row in enumerate(rows) for name, value in row.items()},
    }


def test_an_instructor_is_added_changed_and_loses_a_qualification(cast: Cast) -> None:
    client, agency = cast.client("academy"), cast.central.agency_id
    first = {"title": "State 4471", "course": cast.basic.pk, "start_on": "2025-01-01", "end_on": "2027-12-31"}
    data = {"agency": agency, "name": "Ruth Osei", "employer": "County", "email": "ruth@example.org"}

    added = client.post(reverse("instructor-add"), {**data, **lines(first, {"title": ""})})
    instructor = Instructor.objects.get()
    (row,) = instructor.qualifications.all()
    second = {"title": "MHFA", "course": "", "start_on": "2026-01-01", "end_on": ""}
    client.post(added["Location"], {**data, "is_retired": "on", **lines({**first, "pk": row.pk, "gone": "on"}, second)})

    instructor.refresh_from_db()
    assert (added.status_code, instructor.name, instructor.is_retired) == (302, "Ruth Osei", True)
    row = instructor.qualifications.get()
    assert (row.title, row.course, row.start_on, row.end_on) == ("MHFA", None, date(2026, 1, 1), None)


@pytest.mark.parametrize("text", ["002918", "2918", "Amara Whitfield", "4471"])
def test_a_member_is_found_by_id_badge_or_name(cast: Cast, text: str) -> None:
    cast.client("academy").post(
        reverse("instructor-add"), {"agency": cast.central.agency_id, "member": text, **lines()}
    )

    assert Instructor.objects.get().officer == cast.amara


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({}, "one of the two", id="nobody"),
        pytest.param({"member": "002918", "name": "Ruth"}, "one of the two", id="both"),
        pytest.param({"member": "999999999"}, '"999999999" is no member within your reach.', id="no-member"),
        pytest.param({"member": "Whitfield"}, "Did you mean 002918 Whitfield, Amara?", id="half-a-name"),
        pytest.param({"member": "003377"}, "This member is an instructor already.", id="twice"),
        pytest.param({"name": "Ruth", **lines({"title": "State"})}, "Give the first day.", id="no-first-day"),
        pytest.param({"name": "Ruth", **lines({"start_on": "2026-01-01"})}, "Give the name of the", id="no-title"),
        pytest.param(
            {"name": "Ruth", **lines({"title": "State", "start_on": "2026-01-02", "end_on": "2026-01-01"})},
            "The last day is before the first day.",
            id="ends-first",
        ),
        pytest.param(
            {"name": "Ruth", **lines({"title": "State", "start_on": "2026-01-02", "end_on": "2206-01-01"})},
            "Check the year.",
            id="a-slip-of-the-year",
        ),
    ],
)
def test_what_no_instructor_can_be_is_refused(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    make_instructor(officer=cast.jonah)

    refused = cast.client("academy").post(
        reverse("instructor-add"), {"agency": cast.central.agency_id, **lines(), **values}
    )

    assert refused.status_code == 400
    assert sentence in Shown(refused).words
    assert Instructor.objects.count() == 1


def test_a_qualification_that_somebody_else_entered_meanwhile_stays(cast: Cast) -> None:
    ruth = make_instructor("Ruth Osei")
    qualify(ruth, 30)

    data = {"agency": cast.central.agency_id, "name": "Ruth Osei"}
    cast.client("academy").post(reverse("instructor-detail", args=[ruth.pk]), {**data, **lines({"title": ""})})

    assert ruth.qualifications.get().title == "State"


def test_a_qualification_of_somebody_else_is_not_taken_over(cast: Cast) -> None:
    ruth, tom = make_instructor("Ruth Osei"), make_instructor("Tom Baker")
    qualify(tom, 30)
    row = tom.qualifications.get()
    data = {"agency": cast.central.agency_id, "name": "Ruth Osei"}
    line = {"pk": row.pk, "title": "State", "start_on": "2020-01-01"}

    cast.client("academy").post(reverse("instructor-detail", args=[ruth.pk]), {**data, **lines(line)})

    assert (tom.qualifications.get().pk, ruth.qualifications.get().pk == row.pk) == (row.pk, False)


def test_the_page_of_an_instructor_shows_own_training_and_blocks_to_those_who_may_not_change_it(cast: Cast) -> None:
    instructor = make_instructor(officer=cast.amara)
    qualify(instructor, -1)
    session = make_class("C-1", cast.basic, days=())
    soon = timezone.now() + timedelta(days=2)
    teach(instructor, make_block(session, soon, soon + timedelta(hours=4), title="Law"))
    client = cast.client("compliance")

    page = Shown(client.get(reverse("instructor-detail", args=[instructor.pk])))
    posted = client.post(reverse("instructor-detail", args=[instructor.pk]), {"name": "X", **lines()})

    assert page.rows("Standing of the instructor as a member, today") == [
        ["Requirement refresher", "▲ overdue", "3 May 2022"]
    ]
    assert "out of date, ended" in page.words
    assert page.links["C-1"] == "/classes/C-1/?agency=pd"
    assert (posted.status_code, "Save the instructor" in page.words) == (404, False)


def test_a_place_is_added_changed_and_listed_with_its_next_block(cast: Cast) -> None:
    client, data = cast.client("academy"), {"agency": cast.central.agency_id, "name": " Room  2 ", "capacity": 24}
    client.post(reverse("place-add"), data)
    place = Place.objects.get()
    day = timezone.localdate() + timedelta(days=9)
    make_class("C-1", days=[day], place=place)

    changed = client.post(reverse("place-detail", args=[place.pk]), {**data, "address": "12 Wharf Road"})
    rows = csv_rows(client.get(reverse("place-list"), {"export": "csv"}))

    assert changed.status_code == 302
    assert [row[:3] for row in rows[1:]] == [["Room 2", "12 Wharf Road", "24"]]
    assert rows[1][3].startswith(str(day))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"name": "room 2"}, "The agency has a place of this name already.", id="twice"),
        pytest.param({"name": ""}, "Name: fill this in.", id="no-name"),
        pytest.param({"name": "Hall", "capacity": 0}, "greater than or equal to 1", id="holds-nobody"),
    ],
)
def test_what_no_place_can_be_is_refused(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    make_place("Room 2")

    refused = cast.client("academy").post(reverse("place-add"), {"agency": cast.central.agency_id, **values})

    assert refused.status_code == 400
    assert sentence in Shown(refused).words
    assert Place.objects.count() == 1


def test_a_retired_place_and_instructor_are_offered_to_no_new_class_but_stay_where_they_are(cast: Cast) -> None:
    room, ruth = make_place("Old room", is_retired=True), make_instructor("Ruth Osei", is_retired=True)
    session = make_class("C-1", cast.basic, place=room)
    teach(ruth, session.meetings.earliest("starts_at"))
    client = cast.client("academy")

    new, present = client.get(reverse("class-plan")), client.get(reverse("class-blocks", args=["C-1"]))

    assert [word in new.content.decode() for word in ("Old room", "Ruth Osei")] == [False, False]
    assert [word in present.content.decode() for word in ("Old room", "Ruth Osei")] == [True, True]


def noted(pk: int) -> list[tuple[str, str, str, dict[str, str], dict[str, str]]]:
    rows = TrailLine.objects.filter(about=pk).order_by("pk")
    assert set(rows.values_list("by__username", "via", "agency__code")) == {("academy", "page", "pd")}
    return [(row.what, row.act, row.subject, row.before, row.after) for row in rows]


def test_whatever_is_changed_of_an_instructor_leaves_a_line_on_its_page(cast: Cast) -> None:
    client, data = cast.client("academy"), {"agency": cast.central.agency_id, "name": "Ruth Osei"}
    first = {"title": "State 4471", "course": cast.basic.pk, "start_on": "2025-01-01", "end_on": "2026-12-31"}
    address = client.post(reverse("instructor-add"), {**data, **lines(first)})["Location"]
    row = Qualification.objects.get()
    longer = {**first, "pk": row.pk, "end_on": "2028-12-31"}

    client.post(address, {**data, **lines(longer)})
    client.post(address, {**data, **lines(longer)})  # says nothing new
    client.post(address, {**data, "email": "ruth@example.org", "is_retired": "on", **lines({**longer, "gone": "on"})})

    subject, said = "Ruth Osei, State 4471", {"course": "CIT-40", "title": "State 4471", "first day": "2025-01-01"}
    assert noted(row.instructor_id) == [
        ("instructor", "added", "Ruth Osei", {}, {"agency": "pd", "name": "Ruth Osei", "teaches": "yes"}),
        ("qualification", "added", subject, {}, {**said, "last day": "2026-12-31"}),
        ("qualification", "changed", subject, {"last day": "2026-12-31"}, {"last day": "2028-12-31"}),
        ("instructor", "changed", "Ruth Osei", {"email": "", "teaches": "yes"},
         {"email": "ruth@example.org", "teaches": "no"}),
        ("qualification", "removed", subject, {**said, "last day": "2028-12-31"}, {}),
    ]  # fmt: skip
    page = Shown(cast.client("chief").get(address)).rows("What was changed, the latest first")
    assert [row[3:7] for row in page[:3]] == [
        ["qualification", subject, "taken away",
         "course: CIT-40 first day: 2025-01-01 last day: 2028-12-31 title: State 4471"],
        ["instructor", "Ruth Osei", "changed", "email: blank → ruth@example.org teaches: yes → no"],
        ["qualification", subject, "changed", "last day: 2026-12-31 → 2028-12-31"],
    ]  # fmt: skip
    file = csv_rows(client.get(address, {"export": "csv"}))
    assert [row[6] for row in file[2:4]] == [
        "email: blank → ruth@example.org; teaches: yes → no",
        "last day: 2026-12-31 → 2028-12-31",
    ]
    trail = csv_rows(cast.client("auditor").get(reverse("trail-list"), {"what": "qualification", "export": "csv"}))
    assert [row[5] for row in trail[1:]] == ["taken away", "changed", "added"]


def test_whatever_is_changed_of_a_place_leaves_a_line_on_its_page(cast: Cast) -> None:
    client, data = cast.client("academy"), {"agency": cast.central.agency_id, "capacity": 24}
    address = client.post(reverse("place-add"), {**data, "name": "Room 2"})["Location"]

    client.post(address, {**data, "name": "Room 2"})
    client.post(address, {**data, "name": "Hall", "capacity": 40, "is_retired": "on"})

    place = Place.objects.get()
    assert noted(place.pk) == [
        ("place", "added", "Room 2", {}, {"agency": "pd", "name": "Room 2", "capacity": "24", "in use": "yes"}),
        ("place", "changed", "Hall", {"name": "Room 2", "capacity": "24", "in use": "yes"},
         {"name": "Hall", "capacity": "40", "in use": "no"}),
    ]  # fmt: skip
    reader = cast.client("auditor")
    page = Shown(reader.get(address))
    assert [row[3:5] for row in page.rows("What was changed, the latest first")] == [
        ["changed", "capacity: 24 → 40 in use: yes → no name: Room 2 → Hall"],
        ["added", "agency: pd capacity: 24 in use: yes name: Room 2"],
    ]
    assert "holds 40 people · no longer used" in page.words
    assert [row[3] for row in csv_rows(reader.get(address, {"export": "csv"}))] == ["Act", "changed", "added"]
    assert (reader.post(address, data).status_code, "Save the place" in page.words) == (404, False)


def test_what_cannot_be_saved_leaves_no_line(cast: Cast) -> None:
    room, _ = make_place("Room 2"), make_place("Hall")
    ruth = make_instructor("Ruth Osei")
    client, agency = cast.client("academy"), cast.central.agency_id

    twice = client.post(reverse("place-detail", args=[room.pk]), {"agency": agency, "name": "hall"})
    wrong = client.post(
        reverse("instructor-detail", args=[ruth.pk]),
        {"agency": agency, "name": "Ruth", **lines({"title": "State", "start_on": ""})},
    )

    assert (twice.status_code, wrong.status_code, TrailLine.objects.exists()) == (400, 400, False)


def test_a_qualification_cut_short_names_the_blocks_that_are_left_without_it(cast: Cast) -> None:
    ruth = make_instructor("Ruth Osei")
    qualify(ruth, 30)
    session, soon = make_class("C-1", cast.basic, days=()), timezone.now() + timedelta(days=20)
    for days in (0, 1):
        at = soon + timedelta(days=days)
        teach(ruth, make_block(session, at, at + timedelta(hours=4)))
    row, last = ruth.qualifications.get(), timezone.localdate(soon)
    line = {"pk": row.pk, "title": "State", "start_on": "2020-01-01", "end_on": str(last)}
    address = reverse("instructor-detail", args=[ruth.pk])

    page = Shown(
        cast.client("academy").post(
            address, {"agency": cast.central.agency_id, "name": "Ruth Osei", **lines(line)}, follow=True
        )
    )

    assert "Class C-1: 1 of 2 blocks: the qualification is not in force then." in page.words
    assert page.words.count("1 of 2 blocks: the qualification is not in force then.") == 2  # once beside the class
    seen = [Shown(cast.client(role).get("/classes/C-1/")).words for role in ("academy", "commander")]
    assert [words.count("Ruth Osei ▲ qualification not in force") for words in seen] == [1, 0]


def test_a_place_that_is_made_smaller_names_the_classes_with_more_seats(cast: Cast) -> None:
    room, day = make_place("Room 2", capacity=30), timezone.localdate() + timedelta(days=9)
    for number, capacity in (("C-1", 30), ("C-2", 20), ("C-3", 25)):
        make_class(number, days=[day], capacity=capacity, place=room)
        day += timedelta(days=1)
    make_class("C-4", days=[day], capacity=30, place=room, state="cancelled").meetings.update(is_off=True)

    data = {"agency": cast.central.agency_id, "name": "Room 2", "capacity": 20}
    page = Shown(cast.client("academy").post(reverse("place-detail", args=[room.pk]), data, follow=True))

    assert "Class C-1: 30 seats, more than the place holds. 1 other class below." in page.words
    assert page.words.count("more than the place holds") == 3
    assert "C-4" not in page.words


def test_instructors_and_places_of_another_agency_are_not_there(cast: Cast) -> None:
    other = make_agency("other", "Other Police")
    room, ruth = make_place("Theirs", agency=other), make_instructor("Ruth Osei", agency=other)
    client = Client()
    client.force_login(make_user("academy", "ours", agency=cast.central.agency))

    addresses = [reverse("instructor-detail", args=[ruth.pk]), reverse("place-detail", args=[room.pk])]
    posted = client.post(reverse("place-add"), {"agency": other.pk, "name": "Sneaked in"})

    assert [client.get(address).status_code for address in addresses] == [404, 404]
    assert [
        client.post(address, {"agency": other.pk, "name": "Mine", "lines": 0}).status_code for address in addresses
    ] == [
        404,
        404,
    ]
    assert [
        word in client.get(url).content.decode() for url, word in (("/instructors/", "Osei"), ("/places/", "Theirs"))
    ] == [
        False,
        False,
    ]
    assert (posted.status_code, Place.objects.count()) == (400, 1)
