"""Waivers and extensions by form: looked at, recorded once, refused with a sentence, listed, voided."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.models import Extension, Standing, Waiver
from roster.models import Access, Officer
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import complete, extend, make_agency, make_officer, make_user, waive

pytestmark = pytest.mark.django_db

WAIVER = {
    "requirement": "refresher",
    "start_on": "2026-03-01",
    "end_on": "2026-08-31",
    "why": "Detached to the state task force",
    "approval": "Memo 26-114",
}
#: Amara's entry of 3 May 2019 carries to 3 May 2022.
EXTENSION = {
    "requirement": "refresher",
    "approved_on": "2022-05-03",
    "until_on": "2022-09-30",
    "why": "The academy was closed",
    "approval": "Memo 22-031",
}


def words(response: Any) -> str:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
    return text.replace("&#x27;", "'")


def hidden(response: Any) -> str:
    return str(response.context["form"]["shown"].value())


def look_and_record(client: Client, name: str, values: dict[str, Any], employee_id: str = "002918") -> Any:
    """What a person does: fill the form in, look, record."""
    address = reverse(name, args=[employee_id])
    looked = client.post(address, {**values, "act": "look"})
    assert looked.status_code == 200, words(looked)
    return client.post(address, {**values, "act": "record", "shown": hidden(looked)})


def approved(cast: Cast, values: dict[str, str], by: str = "chief") -> dict[str, Any]:
    return {**values, "approver": cast.users[by].pk}


def test_a_waiver_is_shown_before_it_is_recorded(cast: Cast) -> None:
    client, values = cast.client("compliance"), approved(cast, WAIVER)

    looked = client.post(reverse("officer-waive", args=["002918"]), {**values, "act": "look"})

    assert "1 Mar 2026 ▲ overdue due 3 May 2022 ◌ excused" in words(looked)
    assert "1 Sep 2026 ▲ overdue due 3 May 2022 ▲ overdue due 3 May 2022" in words(looked)
    assert Waiver.objects.count() == 0


def test_a_waiver_is_recorded_with_who_why_and_approval(cast: Cast) -> None:
    response = look_and_record(cast.client("compliance"), "officer-waive", approved(cast, WAIVER))

    assert response["Location"] == reverse("officer-detail", args=["002918"])
    waiver = Waiver.objects.get()
    assert (waiver.start_on, waiver.end_on, waiver.approval) == (date(2026, 3, 1), date(2026, 8, 31), "Memo 26-114")
    assert (waiver.approver, waiver.recorded_in.by) == (cast.users["chief"], cast.users["compliance"])
    assert (waiver.recorded_in.why, waiver.recorded_in.via) == ("Detached to the state task force", "page")
    states = Standing.objects.filter(officer=cast.amara, start_on=date(2026, 3, 1)).values_list("state", "end_on")
    assert list(states) == [("excused", date(2026, 8, 31))]


def test_recording_unseen_shows_it_first(cast: Cast) -> None:
    values = approved(cast, WAIVER)

    response = cast.client("academy").post(reverse("officer-waive", args=["002918"]), {**values, "act": "record"})

    assert (response.status_code, Waiver.objects.count()) == (200, 0)
    assert "What it changes is not what was shown before." in words(response)


def test_what_changed_since_it_was_shown_is_shown_again(cast: Cast) -> None:
    client, values = cast.client("academy"), approved(cast, WAIVER)
    address = reverse("officer-waive", args=["002918"])
    looked = client.post(address, {**values, "act": "look"})
    complete(cast.amara, cast.refresher, date(2026, 2, 1))

    response = client.post(address, {**values, "act": "record", "shown": hidden(looked)})

    assert (response.status_code, Waiver.objects.count()) == (200, 0)
    assert "1 Mar 2026 ✓ current due 1 Feb 2029 ◌ excused" in words(response)


@pytest.mark.parametrize(
    ("name", "values", "model"),
    [("officer-waive", WAIVER, Waiver), ("officer-extend", EXTENSION, Extension)],
    ids=["waiver", "extension"],
)
def test_sent_twice_records_once(cast: Cast, name: str, values: dict[str, str], model: type[Any]) -> None:
    client, data = cast.client("compliance"), approved(cast, values)
    address = reverse(name, args=["002918"])
    looked = client.post(address, {**data, "act": "look"})
    again = {**data, "act": "record", "shown": hidden(looked)}

    client.post(address, again)
    response = client.post(address, again, follow=True)

    assert model.objects.count() == 1
    assert "was recorded already." in words(response)


def test_an_extension_shows_the_date_it_moves_and_records(cast: Cast) -> None:
    client, values = cast.client("academy"), approved(cast, EXTENSION)

    looked = client.post(reverse("officer-extend", args=["002918"]), {**values, "act": "look"})
    response = look_and_record(client, "officer-extend", values)

    assert "The date in force on the day of approval is 3 May 2022" in words(looked)
    assert "4 May 2022 ▲ overdue due 3 May 2022 ✓ current due 30 Sep 2022" in words(looked)
    assert response.status_code == 302
    extension = Extension.objects.get()
    assert (extension.until_on, extension.approved_on) == (date(2022, 9, 30), date(2022, 5, 3))
    assert (extension.approver, extension.recorded_in.why) == (cast.users["chief"], "The academy was closed")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            {"approved_on": "2022-05-04"},
            "Approved too late: the date in force was 3 May 2022 and had passed by 4 May 2022.",
            id="day-after-the-date",
        ),
        pytest.param(
            {"until_on": "2022-05-03"}, "The date in force is 3 May 2022 already", id="does-not-reach-beyond-it"
        ),
        pytest.param(
            {"approved_on": "2014-12-31", "until_on": "2015-06-30"},
            "No edition of the requirement was in force on 31 Dec 2014",
            id="before-the-first-edition",
        ),
        pytest.param(
            {"approved_on": "2016-03-03", "until_on": "2016-06-30"},
            "The member was not asked on 3 Mar 2016, and no credit was running",
            id="before-membership",
        ),
        pytest.param({"approved_on": "2226-01-01"}, "The day of approval is in the future.", id="approved-tomorrow"),
        pytest.param(
            {"until_on": "2022-05-02"}, "The new last day is before the day of approval.", id="ends-before-approval"
        ),
        pytest.param({"until_on": "2062-05-02"}, "lies more than 10 years ahead. Check the year.", id="far-ahead"),
        pytest.param({"until_on": "2023-02-29"}, "New last day: write the day as 2026-11-20.", id="no-such-day"),
        pytest.param({"why": ""}, "Say why: the reason stays with the record.", id="no-reason"),
        pytest.param({"approval": ""}, "Give the memo or number", id="no-reference"),
        pytest.param({"approver": ""}, "Say who approved it.", id="no-approver"),
        pytest.param({"requirement": "none"}, "There is no such requirement.", id="no-requirement"),
    ],
)
def test_an_extension_says_what_is_wrong(cast: Cast, values: dict[str, str], sentence: str) -> None:
    data = {**approved(cast, EXTENSION), **values}

    response = cast.client("compliance").post(reverse("officer-extend", args=["002918"]), {**data, "act": "record"})

    assert response.status_code == 400
    assert sentence in words(response)
    assert Extension.objects.count() == 0


def test_an_extension_may_end_on_a_29_february(cast: Cast) -> None:
    values = {**approved(cast, EXTENSION), "until_on": "2024-02-29"}

    look_and_record(cast.client("compliance"), "officer-extend", values)

    rows = Standing.objects.filter(officer=cast.amara).order_by("start_on").values_list("state", "end_on")
    assert list(rows)[-2:] == [("current", date(2024, 2, 29)), ("overdue", None)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"end_on": "2026-02-28"}, "The last day is before the first day.", id="ends-first"),
        pytest.param({"start_on": "1900-01-01"}, "The first day, 1 Jan 1900, cannot be right.", id="long-ago"),
        pytest.param({"end_on": ""}, "Last day: fill this in.", id="open"),
        pytest.param({"end_on": "2027-02-29"}, "Last day: write the day as", id="no-such-day"),
    ],
)
def test_a_waiver_says_what_is_wrong(cast: Cast, values: dict[str, str], sentence: str) -> None:
    data = {**approved(cast, WAIVER), **values}

    response = cast.client("compliance").post(reverse("officer-waive", args=["002918"]), {**data, "act": "look"})

    assert response.status_code == 400
    assert sentence in words(response)


def test_a_waiver_of_who_is_not_asked_says_that_it_excuses_nothing(cast: Cast) -> None:
    make_officer("004100", category="civilian")

    response = cast.client("academy").post(
        reverse("officer-waive", args=["004100"]), {**approved(cast, WAIVER), "act": "look"}
    )

    assert "the waiver excuses nothing" in words(response)


@pytest.mark.parametrize("name", ["officer-waive", "officer-extend"])
def test_nobody_approves_for_themselves(cast: Cast, name: str) -> None:
    Access.objects.create(user=cast.users["chief"], role="officer", officer=cast.amara)
    values = WAIVER if name == "officer-waive" else EXTENSION

    response = cast.client("compliance").post(reverse(name, args=["002918"]), {**approved(cast, values), "act": "look"})

    assert response.status_code == 400
    assert "chief is Amara Whitfield, and nobody approves for themselves." in words(response)


@pytest.mark.parametrize("name", ["officer-waive", "officer-extend"])
def test_nobody_records_for_themselves(cast: Cast, name: str) -> None:
    Access.objects.create(user=cast.users["compliance"], role="officer", officer=cast.amara)
    values = WAIVER if name == "officer-waive" else EXTENSION

    response = cast.client("compliance").post(reverse(name, args=["002918"]), {**approved(cast, values), "act": "look"})

    assert response.status_code == 400
    assert "You are Amara Whitfield. Somebody else has to record this for you." in words(response)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(lambda cast: Officer.objects.filter(pk=cast.amara.pk), id="the-member-s-own"),
        pytest.param(lambda cast: User.objects.filter(username="officer"), id="that-of-the-member-s-account"),
    ],
)
def test_nobody_approves_for_themselves_by_another_account(cast: Cast, same: Callable[[Cast], Any]) -> None:
    User.objects.filter(username="chief").update(email="a.whitfield@harbor.example")
    same(cast).update(email="A.Whitfield@harbor.example")

    response = cast.client("compliance").post(
        reverse("officer-waive", args=["002918"]), {**approved(cast, WAIVER), "act": "look"}
    )

    assert response.status_code == 400
    assert "chief is Amara Whitfield, and nobody approves for themselves." in words(response)


@pytest.mark.parametrize("role", ["auditor", "officer"])
def test_who_has_no_say_is_no_approver(cast: Cast, role: str) -> None:
    data = {**approved(cast, WAIVER, by=role), "act": "look"}

    response = cast.client("compliance").post(reverse("officer-waive", args=["002918"]), data)

    assert response.status_code == 400
    assert "Select a valid choice." in words(response)


def test_a_voided_waiver_stays_as_a_line_with_its_reason(cast: Cast) -> None:
    waiver = waive(cast.amara, cast.requirement, date(2026, 1, 1), date(2026, 12, 31))
    client = cast.client("compliance")
    looked = client.get(reverse("waiver-void", args=[waiver.pk]))

    client.post(reverse("waiver-void", args=[waiver.pk]), {"why": "Granted to the wrong member"})
    client.post(reverse("waiver-void", args=[waiver.pk]), {"why": "Granted to the wrong member"})

    assert "1 Jan 2026 ◌ excused ▲ overdue due 3 May 2022" in words(looked)
    waiver.refresh_from_db()
    assert waiver.voided_in is not None
    assert (waiver.voided_in.why, waiver.voided_in.by) == ("Granted to the wrong member", cast.users["compliance"])
    row = Shown(client.get(reverse("waiver-list"))).rows("Waivers")[0]
    assert (row[0], row[3], row[4]) == ("Whitfield, Amara", "1 Jan 2026", "31 Dec 2026")
    assert re.fullmatch(r"voided \d+ \w+ \d{4} by compliance: Granted to the wrong member", row[9])
    assert not Standing.objects.filter(officer=cast.amara, state="excused").exists()
    page = words(client.get(reverse("officer-detail", args=["002918"])))
    assert "waiver of Requirement refresher, 1 Jan 2026 to 31 Dec 2026: voided on" in page


def test_voiding_needs_a_reason_and_is_not_for_oneself(cast: Cast) -> None:
    extension = extend(cast.amara, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))
    address = reverse("extension-void", args=[extension.pk])
    Access.objects.create(user=cast.users["academy"], role="officer", officer=cast.amara)

    silent = cast.client("compliance").post(address, {"why": " "})
    own = cast.client("academy").post(address, {"why": "No longer needed"})

    assert (silent.status_code, own.status_code) == (400, 400)
    assert "You are Amara Whitfield." in words(own)
    assert Extension.objects.known().count() == 1


def test_the_list_is_filtered_by_its_address(cast: Cast) -> None:
    waive(cast.amara, cast.requirement, date(2025, 1, 1), date(2025, 1, 31))
    waive(cast.jonah, cast.requirement, date(2026, 1, 1), date(2026, 1, 31))
    client = cast.client("chief")

    def names(**query: str) -> list[str]:
        response = client.get(reverse("waiver-list"), query)
        return [row.record.officer.last_name for row in response.context["table"].rows]

    assert names() == ["Delacroix", "Whitfield"]
    assert names(sort="start_on") == ["Whitfield", "Delacroix"]
    assert names(q="whitf") == ["Whitfield"]
    assert names(since="2025-02-01") == ["Delacroix"]
    assert names(until="2025-12-31") == ["Whitfield"]
    assert names(show="voided") == []
    assert names(requirement="refresher", show="stands") == ["Delacroix", "Whitfield"]
    assert client.get(reverse("waiver-list"), {"requirement": "none"}).status_code == 400
    assert client.get(reverse("waiver-list"), {"sort": "height"}).status_code == 400


@pytest.mark.parametrize("name", ["waiver-list", "extension-list"])
def test_a_commander_reads_their_own_units(cast: Cast, name: str) -> None:
    for officer in (cast.amara, cast.jonah):
        waive(officer, cast.requirement, date(2025, 1, 1), date(2025, 1, 31))
        extend(officer, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    rows = csv_rows(cast.client("commander").get(reverse(name), {"export": "csv"}))

    assert [row[0] for row in rows] == ["Officer", "Whitfield, Amara"]


def test_an_officer_sees_their_own_on_their_page(cast: Cast) -> None:
    extend(cast.amara, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    page = cast.client("officer").get(reverse("officer-detail", args=["002918"]))

    assert "Extension of Requirement refresher until 30 Sep 2022, approved on 3 May 2022" in words(page)
    assert reverse("officer-extend", args=["002918"]) not in page.content.decode()


@pytest.mark.parametrize("column", ["officer", "employee_id", "requirement", "until_on", "approved_on", "why",
                                    "approval", "approver", "recorded", "stands"])  # fmt: skip
def test_extensions_sort_by_every_column(cast: Cast, column: str) -> None:
    for officer in (cast.amara, cast.jonah):
        extend(officer, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    rows = [
        Shown(cast.client("chief").get(reverse("extension-list"), {"sort": sort})).rows("Extensions")
        for sort in (column, f"-{column}")
    ]

    assert [sorted(row[0] for row in found) for found in rows] == [["Delacroix, Jonah", "Whitfield, Amara"]] * 2


# Session, user, access, units; requirements offered; rows counted; rows. What a commander may open is one more.
QUERIES = 7


@pytest.mark.parametrize(("role", "more"), [("chief", 0), ("commander", 1)])
@pytest.mark.parametrize("name", ["waiver-list", "extension-list"])
def test_lists_cost_the_same_for_one_and_for_thirty(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, name: str, role: str, more: int
) -> None:
    client = cast.client(role)

    def grant(number: int) -> None:
        for _ in range(number):
            officer = make_officer(unit=cast.central)
            waive(officer, cast.requirement, date(2025, 1, 1), date(2025, 1, 31))
            extend(officer, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    grant(1)
    with django_assert_num_queries(QUERIES + more):
        client.get(reverse(name))
    grant(30)
    with django_assert_num_queries(QUERIES + more):
        thirty = client.get(reverse(name))

    assert len(thirty.context["table"].rows) == 31


def test_another_agencys_staff_do_not_reach_a_member(cast: Cast) -> None:
    sheriff = make_agency("so", "Harbor County Sheriff")
    client = Client()
    client.force_login(make_user("compliance", "sheriff", agency=sheriff))
    waiver = waive(cast.amara, cast.requirement, date(2025, 1, 1), date(2025, 1, 31))

    assert client.get(reverse("officer-waive", args=["002918"])).status_code == 404
    assert client.post(reverse("waiver-void", args=[waiver.pk]), {"why": "no"}).status_code == 404
    assert len(client.get(reverse("waiver-list")).context["table"].rows) == 0
