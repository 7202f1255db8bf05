"""Completions that look like one: asked about when they are logged, listed when they are stored, kept or voided."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse

from roster.models import Access, Agency
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_agency, make_course, make_officer, make_user
from training import duplicates
from training.completions import void_completion
from training.models import Completion, KeptBoth

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 12)
CAPTION = "Completions that look like one, the latest first"


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def pairs() -> list[tuple[int, int]]:
    return [(pair.first.pk, pair.second.pk) for pair in duplicates.stored_pairs(None, since=ago(1000))]


def look(cast: Cast, people: str, **values: Any) -> tuple[Any, dict[str, Any]]:
    """The page of what was looked up, and what to send to record it."""
    data = {"course": cast.refresher.pk, "completed_on": DAY.isoformat(), "evidence": "verified", "people": people}
    data |= values
    response = cast.client("academy").post(reverse("completion-log"), {**data, "act": "look"})
    return response, {**data, "act": "record", "shown": response.context["form"].data["shown"]}


# ---- what looks like one


@pytest.mark.parametrize(
    ("days", "values", "is_alike"),
    [
        pytest.param(0, {"class_number": "C-1"}, True, id="same-day-another-class"),
        pytest.param(7, {}, True, id="last-day-that-is-near"),
        pytest.param(-7, {}, True, id="later-by-as-much"),
        pytest.param(8, {}, False, id="day-after-that"),
        pytest.param(3, {"result": "failed"}, False, id="another-result"),
    ],
)
def test_two_of_one_course_within_the_days_of_the_agency_look_like_one(
    cast: Cast, days: int, values: dict[str, str], is_alike: bool
) -> None:
    one = complete(cast.amara, cast.refresher, ago(days), **values)
    other = complete(cast.amara, cast.refresher, DAY)

    expected = [(one.pk, other.pk)] if is_alike else []
    assert pairs() == expected
    assert set(duplicates.undecided([one, other])) == ({one.pk, other.pk} if is_alike else set())
    assert duplicates.is_undecided(one, other) is is_alike
    flagged = duplicates.with_alike(Completion.objects.filter(pk__in=[one.pk, other.pk]))
    assert [row.is_alike for row in flagged] == [is_alike, is_alike]


@pytest.mark.parametrize(("near_days", "count"), [(0, 1), (1, 2), (5, 3)])
def test_the_agency_says_what_is_near(cast: Cast, near_days: int, count: int) -> None:
    Agency.objects.update(near_days=near_days)
    for number, days in enumerate((0, 0, 1, 6)):
        complete(cast.amara, cast.refresher, ago(days), class_number=f"C-{number}")

    assert len(pairs()) == count


def test_what_is_not_alike(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, DAY)
    complete(cast.amara, cast.basic, DAY)
    complete(cast.jonah, cast.refresher, DAY)
    voided = complete(cast.amara, cast.refresher, ago(1))
    void_completion(voided, why="x", by=cast.users["academy"])

    assert pairs() == []
    assert duplicates.undecided(list(Completion.objects.all())) == {}


def test_a_title_that_was_mapped_is_its_course(cast: Cast) -> None:
    title = make_course("T-1", title="REFRESHER CIT", title_key="refresher cit", same_as=cast.refresher)
    one, other = complete(cast.amara, title, ago(1)), complete(cast.amara, cast.refresher, DAY)

    assert pairs() == [(one.pk, other.pk)]
    assert set(duplicates.undecided([one])) == {one.pk}
    assert [row.pk for row in duplicates.near({cast.amara.pk: DAY}, cast.refresher)[cast.amara.pk]] == [
        other.pk,
        one.pk,
    ]


def test_a_certificate_number_that_two_have(cast: Cast) -> None:
    one = complete(cast.amara, cast.basic, ago(900), certificate_number="sc-1")
    other = complete(cast.jonah, cast.refresher, DAY, certificate_number="SC-1")
    elsewhere = make_officer("9", agency=make_agency("so", "County Sheriff"))
    complete(elsewhere, cast.basic, DAY, certificate_number="SC-1")

    assert pairs() == [(one.pk, other.pk)]
    assert [twin.by_number for twin in duplicates.undecided([one])[one.pk]] == [True]


def test_a_number_that_many_have_is_no_certificates(cast: Cast) -> None:
    for _ in range(duplicates.MOST_OF_A_NUMBER + 1):
        complete(make_officer(), cast.basic, DAY, certificate_number="STATE-APPROVAL-7")

    assert pairs() == []
    assert duplicates.undecided(list(Completion.objects.all())) == {}
    assert duplicates.with_number([cast.central.agency_id], "state-approval-7") == []


# ---- logging


def test_logging_asks_about_one_like_it_and_remembers_the_answer(cast: Cast) -> None:
    there = complete(cast.amara, cast.refresher, ago(3), class_number="C-1")
    page, data = look(cast, "2918\n3377")

    cast.client("academy").post(reverse("completion-log"), {**data, "pick-1": cast.amara.pk})

    words = Shown(page).words
    assert "has this course on 9 Mar 2026 already (class C-1), 3 days before. Record another?" in words
    made = Completion.objects.get(officer=cast.amara, completed_on=DAY)
    kept = KeptBoth.objects.get()
    assert (kept.first, kept.second, kept.by) == (there, made, cast.users["academy"])
    assert pairs() == []


def test_logging_takes_none_like_another_by_itself(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, ago(3))
    _, data = look(cast, "2918\n3377")

    cast.client("academy").post(reverse("completion-log"), data)

    assert [row.officer for row in Completion.objects.filter(completed_on=DAY)] == [cast.jonah]


def test_one_like_it_that_came_meanwhile_is_not_recorded_twice(cast: Cast) -> None:
    _, data = look(cast, "2918\n3377")
    complete(cast.amara, cast.refresher, ago(1))

    page = Shown(cast.client("academy").post(reverse("completion-log"), data, follow=True))

    assert "1 member had one like it that you were not shown and got none: look them up again." in page.words
    assert [row.officer for row in Completion.objects.filter(completed_on=DAY)] == [cast.jonah]


def test_logging_asks_about_a_number_that_is_recorded(cast: Cast) -> None:
    complete(cast.jonah, cast.basic, ago(900), certificate_number="SC-1")

    page, _ = look(cast, "2918", evidence="pending", certificate_number="sc-1")

    said = "certificate number SC-1 is recorded already: CIT basic course, 24 Sep 2023, Delacroix, Jonah."
    assert f"{said} Record another?" in Shown(page).words


# ---- the list of those stored


def test_the_list_keeps_both(cast: Cast) -> None:
    one = complete(cast.amara, cast.refresher, ago(2), class_number="C-1")
    other = complete(cast.amara, cast.refresher, DAY)
    client = cast.client("compliance")

    page = Shown(client.get(reverse("duplicate-list")))
    theirs = Shown(cast.client("academy").get(reverse("duplicate-list")))
    kept = Shown(client.post(reverse("duplicate-keep"), {"first": other.pk, "second": one.pk}, follow=True))
    again = Shown(client.post(reverse("duplicate-keep"), {"first": one.pk, "second": other.pk}, follow=True))

    ((officer, employee_id, first, second, why, act),) = page.rows(CAPTION)
    assert (officer, employee_id, why) == ("Whitfield, Amara CIT refresher", "002918", "2 days apart")
    assert first == "10 Mar 2026 C-1, command"
    assert second == "12 Mar 2026 command"
    assert act == "Keep both"  # whoever does not record voids nothing either
    assert theirs.rows(CAPTION)[0][-1] == "Keep both Void the first Void the later"
    assert theirs.links["Void the first"] == reverse("completion-void", args=[one.pk])
    assert "Both are kept; it is noted that they are two." in kept.words
    assert "No two completions look like one, or somebody decided about each." in kept.words
    assert "Nothing is to be decided about these two any more." in again.words
    row = KeptBoth.objects.get()
    assert (row.first, row.second, row.by) == (one, other, cast.users["compliance"])


def test_the_page_of_a_completion_keeps_both(cast: Cast) -> None:
    one, other = (complete(cast.amara, cast.refresher, day) for day in (ago(2), DAY))
    data = {"first": one.pk, "second": other.pk, "back": one.pk}

    response = cast.client("academy").post(reverse("duplicate-keep"), data)

    assert response["Location"] == reverse("completion-detail", args=[one.pk])
    assert KeptBoth.objects.count() == 1


def test_nobody_decides_about_their_own(cast: Cast) -> None:
    Access.objects.create(user=cast.users["compliance"], role="officer", officer=cast.amara)
    one, other = (complete(cast.amara, cast.refresher, day) for day in (ago(2), DAY))

    page = Shown(
        cast.client("compliance").post(reverse("duplicate-keep"), {"first": one.pk, "second": other.pk}, follow=True)
    )

    assert "One of the two is your own completion. Somebody else has to decide." in page.words
    assert not KeptBoth.objects.exists()


@pytest.mark.parametrize("data", [{}, {"first": "x", "second": "1"}, {"first": "1", "second": "9" * 30}])
def test_a_pair_that_is_none_is_refused(cast: Cast, data: dict[str, str]) -> None:
    page = Shown(cast.client("compliance").post(reverse("duplicate-keep"), data, follow=True))

    assert "Choose a pair of the list." in page.words


def test_two_that_are_not_alike_are_not_kept(cast: Cast) -> None:
    other = complete(cast.jonah, cast.refresher, DAY)

    cast.client("compliance").post(reverse("duplicate-keep"), {"first": cast.entry.pk, "second": other.pk})

    assert not KeptBoth.objects.exists()


def test_the_list_ends_at_the_agency(cast: Cast) -> None:
    deputy = make_officer("9", last_name="Hart", agency=make_agency("so", "County Sheriff"))
    pair = [complete(deputy, cast.refresher, day) for day in (ago(2), DAY)]
    cast.users["pd"] = make_user("compliance", "pd", agency=cast.central.agency)
    client = cast.client("pd")

    page = Shown(client.get(reverse("duplicate-list")))
    refused = client.post(reverse("duplicate-keep"), {"first": pair[0].pk, "second": pair[1].pk})

    assert "Hart" not in page.words
    assert (refused.status_code, KeptBoth.objects.count()) == (404, 0)


def test_the_list_filters_exports_and_costs_the_same_queries_for_one_row_and_thirty(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    client, where = cast.client("compliance"), reverse("duplicate-list")
    for officer in (cast.amara, *(make_officer(unit=cast.central) for _ in range(29))):
        for day in (ago(2), DAY):
            complete(officer, cast.refresher, day)
        if officer == cast.amara:
            # session and user 2, access and tree 2, courses of the filter 1, pairs 1, completions 1
            with django_assert_num_queries(7):
                client.get(where)
    with django_assert_num_queries(7):
        client.get(where)

    assert len(client.get(where, {"q": "002918"}).context["table"].rows) == 1
    assert len(client.get(where, {"course": "CIT-REF-8"}).context["table"].rows) == 30
    assert len(client.get(where, {"course": "CIT-40"}).context["table"].rows) == 0
    assert len(client.get(where, {"since": ago(1).isoformat()}).context["table"].rows) == 30
    assert len(client.get(where, {"since": ago(-1).isoformat()}).context["table"].rows) == 0
    assert client.get(where, {"course": "NONE"}).status_code == 400
    assert client.get(where, {"since": "soon"}).status_code == 400
    lines = b"".join(client.get(where, {"export": "csv"})).decode("utf-8-sig").splitlines()
    assert lines[0] == "Officer,Id,Recorded first,Recorded later,Alike by"
    assert len(lines) == 31


def test_the_database_keeps_what_was_decided(cast: Cast) -> None:
    one, other = (complete(cast.amara, cast.refresher, day) for day in (ago(2), DAY))
    duplicates.keep_both(one, other, by=cast.users["academy"])

    for act in (KeptBoth.objects.all().delete, lambda: KeptBoth.objects.update(first=cast.entry)):
        with pytest.raises(Error), transaction.atomic():
            act()
