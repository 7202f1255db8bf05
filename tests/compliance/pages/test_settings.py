"""The settings of an agency: who changes them, and what the trail says of it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from roster.models import Agency
from roster.trail import TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import make_agency, make_user

pytestmark = pytest.mark.django_db


def test_settings_are_changed_and_noted(cast: Cast) -> None:
    client = cast.client("admin")

    page = Shown(client.post(reverse("settings"), {"asks_two": "on", "near_days": "14"}, follow=True))

    agency = Agency.objects.get()
    assert (agency.asks_two, agency.near_days) == (True, 14)
    assert "The settings of Harbor City Police are saved." in page.words
    line = TrailLine.objects.get(what="setting")
    assert (line.by, line.act, line.subject, line.agency) == (
        cast.users["admin"],
        "changed",
        "Harbor City Police",
        agency,
    )
    assert line.before == {
        "a second person accepts corrections": "no",
        "days within which completions look like one": "7",
    }
    assert line.after == {
        "a second person accepts corrections": "yes",
        "days within which completions look like one": "14",
    }


def test_settings_sent_again_are_not_noted(cast: Cast) -> None:
    page = Shown(cast.client("admin").post(reverse("settings"), {"near_days": "7"}, follow=True))

    assert "Nothing is different, so nothing was saved." in page.words
    assert not TrailLine.objects.exists()


@pytest.mark.parametrize("days", ["", "-1", "91", "soon"])
def test_settings_that_cannot_be_are_refused(cast: Cast, days: str) -> None:
    response = cast.client("admin").post(reverse("settings"), {"near_days": days})

    assert response.status_code == 400
    assert Agency.objects.get().near_days == 7


def test_an_administrator_of_an_agency_changes_its_own_only(cast: Cast) -> None:
    make_agency("so", "County Sheriff")
    cast.users["here"] = make_user("admin", "here", agency=cast.central.agency)
    client = cast.client("here")

    refused = client.post(f"{reverse('settings')}?agency=so", {"near_days": "1"})
    own = client.post(f"{reverse('settings')}?agency=pd", {"near_days": "1"})
    both = Shown(cast.client("admin").get(reverse("settings")))

    assert (refused.status_code, own.status_code) == (400, 302)
    assert dict(Agency.objects.values_list("code", "near_days")) == {"pd": 1, "so": 7}
    assert "Settings of County Sheriff" in both.words
    assert both.links["Harbor City Police"] == "/settings/?agency=pd"
