"""Merging two records by page: compared, agreed to, listed, undone."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from roster.models import Employment, Merge, Officer
from tests.compliance.pages.cast import Cast
from tests.factories import complete, make_agency, make_officer

pytestmark = pytest.mark.django_db


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


@pytest.fixture
def twice(cast: Cast) -> Officer:
    """Amara a second time, employed on days that her first record has too."""
    officer = make_officer("000777", last_name="Whitfeld", first_name="Amara", badge="9", unit=None)
    complete(officer, cast.refresher, date(2021, 5, 3))
    return officer


def test_two_records_are_compared_agreed_to_and_merged(cast: Cast, twice: Officer) -> None:
    client = cast.client("academy")
    address = reverse("officer-merge", args=["002918"])

    shown = words(client.get(address, {"second": " 000777 "}))
    unsaid = client.post(address, {"second": "000777", "why": "Rehired"})
    done = client.post(address, {"second": "000777", "why": "Rehired", "agreed": "on"}, follow=True)
    old = client.get(reverse("officer-detail", args=["000777"]))

    assert "stays : The member is employed on some of these days already." in shown
    assert "completed on: 2021-05-03" in shown
    assert unsaid.status_code == 400
    assert "Some facts stay behind" in words(unsaid)
    assert "000777 is part of this record now; 1 fact went over." in words(done)
    assert "3 May 2021" in words(old)
    assert "id 002918" in words(old)
    assert Merge.objects.get().by == cast.users["academy"]
    assert "000777" not in words(client.get(reverse("officer-list"), {"serving": "all"}))


def test_a_merge_is_listed_exported_and_undone(cast: Cast, twice: Officer) -> None:
    client = cast.client("academy")
    asked = {"second": "000777", "why": "Rehired", "agreed": "on"}
    client.post(reverse("officer-merge", args=["002918"]), asked)
    made = Merge.objects.get()

    listed = words(client.get(reverse("merge-list")))
    file = b"".join(client.get(reverse("merge-list"), {"export": "csv"})).decode()
    undone = client.post(reverse("merge-undo", args=[made.pk]), {"why": "Two people"}, follow=True)
    again = client.post(reverse("merge-undo", args=[made.pk]), {"why": "Two people"}, follow=True)

    assert "Whitfield, Amara 000777" in listed
    assert '"002918 Whitfield, Amara",000777,academy,Rehired,stands' in file
    assert "000777 is a record of its own again." in words(undone)
    assert "This merge was undone already." in words(again)
    assert Employment.objects.known().filter(officer=twice).count() == 1


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        pytest.param("999999", "No member within your reach has the id 999999.", id="nobody"),
        pytest.param("002918", "That is this record.", id="itself"),
        pytest.param("", "Employee id of the second record:", id="blank"),
        pytest.param("S-1", "No member within your reach has the id S-1.", id="of-another-agency"),
    ],
)
def test_a_wrong_second_id_is_told(cast: Cast, second: str, sentence: str) -> None:
    make_officer("S-1", agency=make_agency("sheriff", "County Sheriff"))
    client = cast.client("academy")

    response = client.get(reverse("officer-merge", args=["002918"]), {"second": second, "agency": "pd"})

    assert response.status_code == 400
    assert sentence in words(response)
    assert Merge.objects.count() == 0
