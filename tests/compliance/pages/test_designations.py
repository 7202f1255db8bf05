"""Designations by form: given, ended, refused with a sentence."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from roster.models import Access, Designation
from tests.compliance.pages.cast import Cast
from tests.factories import designate

pytestmark = pytest.mark.django_db

GIVEN = {"code": "CIT", "start_on": "2026-03-01", "is_voluntary": "on"}


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def post(cast: Cast, data: dict[str, Any], role: str = "academy") -> Any:
    return cast.client(role).post(reverse("officer-designate", args=["002918"]), data)


def test_a_designation_is_given_once(cast: Cast) -> None:
    first, second = post(cast, GIVEN), post(cast, GIVEN)

    held = Designation.objects.get()
    assert (first.status_code, second.status_code) == (302, 302)
    assert (held.code, held.start_on, held.end_on, held.is_voluntary) == ("CIT", date(2026, 3, 1), None, True)
    assert held.recorded_in.by == cast.users["academy"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"code": "cit", "start_on": "2026-04-01"}, "holds CIT from 1 Mar 2026 without", id="held"),
        pytest.param({"code": " "}, "Designation: fill this in.", id="no-code"),
        pytest.param({"start_on": "2027-02-29"}, "First day: write the day as", id="no-such-day"),
        pytest.param({"end_on": "2026-02-28"}, "The last day is before the first day.", id="ends-first"),
        pytest.param({"start_on": "2226-01-01"}, "The first day, 1 Jan 2226, cannot be right.", id="far"),
    ],
)  # fmt: skip
def test_giving_says_what_is_wrong(cast: Cast, values: dict[str, str], sentence: str) -> None:
    designate(cast.amara, "CIT", date(2026, 3, 1))

    response = post(cast, {**GIVEN, **values})

    assert response.status_code == 400
    assert sentence in words(response)
    assert Designation.objects.count() == 1


def test_ending_keeps_what_it_was_before(cast: Cast) -> None:
    held = designate(cast.amara, "CIT", date(2024, 2, 1))
    data = {"act": "end", "designation": held.pk, "last_day": "2024-02-29"}

    post(cast, data, "compliance")
    again = post(cast, data, "compliance")

    assert again.status_code == 302
    stands = Designation.objects.known().get()
    assert (stands.end_on, stands.replaces, stands.recorded_in.why) == (date(2024, 2, 29), held, "Designation ended")
    page = words(cast.client("officer").get(reverse("officer-detail", args=["002918"])))
    assert "designation CIT, since 1 Feb 2024: ended on" in page


@pytest.mark.parametrize(
    ("last_day", "sentence"),
    [("2024-01-31", "began on 1 Feb 2024: the last day cannot be earlier."), ("", "Last day: fill this in.")],
    ids=["before-it-began", "no-day"],
)
def test_ending_says_what_is_wrong(cast: Cast, last_day: str, sentence: str) -> None:
    held = designate(cast.amara, "CIT", date(2024, 2, 1))

    response = post(cast, {"act": "end", "designation": held.pk, "last_day": last_day})

    assert response.status_code == 400
    assert sentence in words(response)


def test_a_designation_of_another_member_is_not_ended_here(cast: Cast) -> None:
    other = designate(cast.jonah, "CIT", date(2024, 2, 1))

    response = post(cast, {"act": "end", "designation": other.pk, "last_day": "2024-03-01"})

    assert "This designation belongs to another member." in words(response)
    assert Designation.objects.known().get().end_on is None


def test_nobody_designates_themselves(cast: Cast) -> None:
    Access.objects.create(user=cast.users["academy"], role="officer", officer=cast.amara)

    response = post(cast, GIVEN)

    assert response.status_code == 400
    assert "You are Amara Whitfield." in words(response)
