"""The two clocks in the address: which days can be asked about, on every page that takes them."""

from __future__ import annotations

import html

import pytest

from tests.compliance.pages.cast import Cast

pytestmark = pytest.mark.django_db

PAGES = (
    "/coverage/",
    "/coverage/?requirement=refresher",
    "/units/CEN/",
    "/officers/",
    "/officers/002918/",
    "/deadlines/?within=3660",
    "/goals/",
)


def asked(url: str, **query: str) -> str:
    return url + ("&" if "?" in url else "?") + "&".join(f"{name}={value}" for name, value in query.items())


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("as_of", ["1900-01-01", "9980-12-31"])
def test_the_first_and_the_last_day_are_answered_for(cast: Cast, url: str, as_of: str) -> None:
    client = cast.client("chief")

    assert client.get(asked(url, as_of=as_of)).status_code == 200
    assert client.get(asked(url, as_of=as_of, known_at="2020-01-01")).status_code == 200


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("as_of", ["0001-01-01", "1899-12-31", "9981-01-01", "9999-12-31"])
def test_a_day_beyond_them_is_refused_in_a_sentence(cast: Cast, url: str, as_of: str) -> None:
    response = cast.client("chief").get(asked(url, as_of=as_of))

    assert response.status_code == 400
    assert "As of: choose a day from 1900 to 9980." in html.unescape(response.content.decode())


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("known_at", ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59", "2026-02-30", "%00", "now"])
def test_a_moment_is_answered_for_or_refused_never_an_error(cast: Cast, url: str, known_at: str) -> None:
    assert cast.client("chief").get(asked(url, known_at=known_at)).status_code in (200, 400)
