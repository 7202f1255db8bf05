"""What any address may be asked, and what every answer carries."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from compliance.urls import WORDS, urlpatterns
from tests.compliance.pages.cast import Cast
from tests.factories import make_officer, make_requirement, make_unit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/officers/%00/",
        "/officers/002918/?agency=%00",
        "/requirements/%00/",
        "/completions/?course=%00",
        "/coverage/?%00=1",
    ],
)
def test_a_nul_character_is_refused_with_a_sentence(cast: Cast, address: str) -> None:
    response = cast.client("chief").get(address)

    assert response.status_code == 400
    assert "The address holds a NUL character" in response.content.decode()


def test_within_no_days_is_today_alone(cast: Cast) -> None:
    text = cast.client("chief").get(f"{reverse('deadline-list')}?within=0").content.decode()

    assert "within 0 days" in text


@pytest.mark.parametrize("address", ["/", "/officers/", "/officers/?export=csv", "/nothing/", "/officers/?as_of=x"])
def test_no_page_of_somebody_signed_in_is_kept_by_a_browser(cast: Cast, address: str) -> None:
    response = cast.client("chief").get(address)

    assert response["Cache-Control"] == "private, no-store"


@override_settings(SECURE_SSL_REDIRECT=True)
def test_every_answer_says_what_a_page_may_load(cast: Cast) -> None:
    client = cast.client("chief")

    for response in (
        client.get("/officers/"),
        client.get("/officers/", secure=True),
        client.get("/nothing/", secure=True),
        client.get("/officers/?export=csv", secure=True),
        client.get("/officers/?as_of=x", secure=True),
        client.get("/officers/", secure=True, headers={"host": "elsewhere.example"}),
    ):
        assert "default-src 'none'" in response["Content-Security-Policy"]


def test_a_form_without_its_token_says_what_to_do(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["academy"])

    response = client.post(reverse("completion-log"), {"people": "002918"})

    assert response.status_code == 403
    assert "This form has grown old" in response.content.decode()


def test_a_code_may_be_a_word_of_addresses(cast: Cast) -> None:
    """Every word that stands in an address where a code can."""
    routes = [str(route.pattern) for route in urlpatterns]
    beside = [route.partition("<code:")[0] for route in routes if re.fullmatch(r"[a-z]+/<code:[a-z_]+>/", route)]
    words = {word for start in beside for route in routes if (word := _word_after(start, route))}
    make_requirement("add")

    page = cast.client("compliance").get(reverse("requirement-detail", args=["add"]))

    assert words <= WORDS
    assert (page.status_code, page.resolver_match.url_name) == (200, "requirement-detail")


def _word_after(start: str, route: str) -> str:
    """`add` of `requirements/add/` after `requirements/`."""
    found = re.fullmatch(rf"{start}([a-z]+)/", route)
    return found[1] if found else ""


@pytest.mark.parametrize(
    "address",
    [
        "/completions/",
        "/officers/",
        "/deadlines/",
        "/units/CEN/",
        "/waivers/",
        "/extensions/",
        "/mass/",
        "/equivalencies/",
        "/lesson-plans/",
        "/trail/",
        "/coverage/?requirement=refresher",
    ],
)
def test_filtering_keeps_the_agency_that_the_address_names(cast: Cast, address: str) -> None:
    mark = "&" if "?" in address else "?"

    without, kept = (
        re.findall(r'(?s)<form[^>]*method="get".*?</form>', cast.client("admin").get(path).content.decode())
        for path in (address, f"{address}{mark}agency=pd")
    )

    assert kept
    assert [form.count('name="agency"') for form in without] == [0] * len(kept)
    assert [form.count('name="agency" value="pd"') for form in kept] == [1] * len(kept)


@pytest.mark.parametrize("code", ["A/B", "~2F", "..", 'say "so"', "[x]:*?", "#1 100%", "Süd\\1"])
def test_a_code_may_hold_any_character(cast: Cast, code: str) -> None:
    unit = make_unit(code, name="<script>Odd</script>", parent=cast.central)
    officer = make_officer(code, last_name="=Odd", unit=unit)
    client = cast.client("commander")

    for name in ("home", "coverage", "deadline-list", "goal-list", "officer-list"):
        page = client.get(reverse(name), {"requirement": cast.requirement.code} if name == "coverage" else {})
        assert page.status_code == 200
        assert "<script>Odd" not in page.content.decode()
    for address in (reverse("unit-detail", args=[unit.code]), reverse("officer-detail", args=[officer.employee_id])):
        assert client.get(address).status_code == 200
    for kind in ("csv", "xlsx"):
        file = client.get(reverse("unit-detail", args=[unit.code]), {"export": kind})
        assert b"".join(file)
        assert "\n" not in file["Content-Disposition"]
        assert file["Content-Disposition"].count('"') in (0, 2)
