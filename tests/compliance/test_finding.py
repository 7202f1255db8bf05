"""Who is meant by what somebody pasted."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.finding import find
from roster.models import FormerDetail, Officer
from tests.factories import make_agency

pytestmark = pytest.mark.django_db


def make(employee_id: str, last_name: str, first_name: str, **values: str) -> Officer:
    return Officer.objects.create(
        agency=make_agency(), employee_id=employee_id, last_name=last_name, first_name=first_name, **values
    )


@pytest.fixture
def cast() -> dict[str, Officer]:
    return {
        "amara": make("002918", "Whitfield", "Amara", middle_name="Jane", badge="4471"),
        "jonah": make("003377", "Delacroix", "Jonah", badge="4472"),
        "tomas": make("003401", "Mbeki", "Tomas", badge="B-77", post_id="P0001234"),
        "maria": make("002980", "García Márquez", "María", suffix="Jr."),
        "sean": make("000512", "O'Brien", "Sean"),
        "joe": make("A-0071", "Smith", "Joe"),
        "john": make("000900", "Smith", "John"),
    }


TAKEN = [
    pytest.param("002918", "amara", "by id", id="id"),
    pytest.param("  2918 ", "amara", "by id", id="leading-zeros-lost"),
    pytest.param("00002918", "amara", "by id", id="more-leading-zeros"),
    pytest.param("2918.0", "amara", "by id", id="a-spreadsheet-number"),
    pytest.param("#2918", "amara", "by id", id="a-number-sign"),
    pytest.param("4472", "jonah", "by badge", id="badge"),
    pytest.param("b77", "tomas", "by badge", id="badge-without-its-hyphen"),
    pytest.param("p0001234", "tomas", "by POST id", id="post-id-in-lower-case"),
    pytest.param("a0071", "joe", "by id", id="id-with-letters"),
    pytest.param("Whitfield, Amara", "amara", "by name", id="last-first"),
    pytest.param("WHITFIELD, AMARA J.", "amara", "by name", id="capitals-and-an-initial"),
    pytest.param("Amara Whitfield", "amara", "by name", id="first-last"),
    pytest.param("Sgt. Amara Whitfield", "amara", "by name", id="a-rank-before-it"),
    pytest.param("Garcia Marquez, Maria", "maria", "by name", id="accents-left-out"),
    pytest.param("GARCÍA MÁRQUEZ, MARÍA, JR", "maria", "by name", id="accents-and-suffix"),
    pytest.param("obrien, sean", "sean", "by name", id="apostrophe-left-out"),
    pytest.param("O’Brien\tSean", "sean", "by name", id="curly-apostrophe-in-columns"),
    pytest.param("002918\tWhitfield\tAmara\tCentral\t8\t2026-11-20", "amara", "by id", id="spreadsheet-columns"),
    pytest.param("Whitfield\tAmara\t2918\t4471", "amara", "by id", id="columns-in-another-order"),
    pytest.param("2918 Amara Whitfield", "amara", "by id", id="id-and-name"),
]


@pytest.mark.parametrize(("text", "who", "by"), TAKEN)
def test_find_takes_what_fits_one_member(cast: dict[str, Officer], text: str, who: str, by: str) -> None:
    (found,) = find(text, Officer.objects.all())

    assert (found.officer, found.by) == (cast[who], by)


OFFERED = [
    pytest.param("00298", ["amara", "maria"], "Nobody has exactly this. Did you mean:", id="a-digit-missing"),
    pytest.param("003410", ["tomas"], "Nobody has exactly this. Did you mean:", id="two-digits-swapped"),
    pytest.param("Whitfeld, A", ["amara"], "Nobody has exactly this. Did you mean:", id="a-letter-missing"),
    pytest.param("Witfield, Amara", ["amara"], "Nobody has exactly this. Did you mean:", id="a-name-misspelt"),
    pytest.param("Whitfield, Amra", ["amara"], "Nobody has exactly this. Did you mean:", id="first-name-misspelt"),
    pytest.param("Whitfield, A", ["amara"], "Only a part of the name is given. Did you mean:", id="an-initial"),
    pytest.param("Delacroix", ["jonah"], "Only a part of the name is given. Did you mean:", id="last-name-alone"),
    pytest.param("Smith, J", ["joe", "john"], "Only a part of the name is given. Did you mean:", id="two-fit"),
    pytest.param("2918 Delacroix", ["amara", "jonah"], "The number and the name do not belong together.", id="mixed"),
    pytest.param("Whitfield, Amara K", ["amara"], "Only a part of the name is given. Did you mean:", id="other-middle"),
]


@pytest.mark.parametrize(("text", "who", "why"), OFFERED)
def test_find_offers_near_misses_and_takes_none(cast: dict[str, Officer], text: str, who: list[str], why: str) -> None:
    (found,) = find(text, Officer.objects.all())

    assert (found.officer, found.why) == (None, why)
    assert set(found.choices) == {cast[name] for name in who}


def test_find_knows_nobody_of_another_name(cast: dict[str, Officer]) -> None:
    (found,) = find("Zzyzx, Q", Officer.objects.all())

    assert (found.officer, found.choices) == (None, ())
    assert found.why == "Nobody like this is within your reach."


def test_find_keeps_within_reach(cast: dict[str, Officer]) -> None:
    (found,) = find("002918", Officer.objects.exclude(pk=cast["amara"].pk))

    assert found.officer is None
    assert cast["amara"] not in found.choices


def test_find_keeps_a_badge_with_a_letter_apart_from_an_id(cast: dict[str, Officer]) -> None:
    other = make("000077", "Osei", "Ruth")

    (found,) = find("77", Officer.objects.all())

    assert found.officer == other  # B-77 is not 77


def test_find_never_chooses_between_an_id_and_a_badge() -> None:
    by_id, by_badge = make("004471", "Osei", "Ruth"), make("000001", "Whitfield", "Amara", badge="4471")

    (unclear,) = find("4471", Officer.objects.all())
    (exact,) = find("004471", Officer.objects.all())

    assert (unclear.officer, set(unclear.choices)) == (None, {by_id, by_badge})
    assert unclear.why == "Several members have this number."
    assert exact.officer == by_id


def test_find_offers_who_had_the_name_before(cast: dict[str, Officer]) -> None:
    FormerDetail.objects.create(officer=cast["amara"], field="last_name", value="Okonkwo")

    (found,) = find("Okonkwo, Amara", Officer.objects.all())

    assert (found.officer, found.choices, found.why) == (None, (cast["amara"],), "A former name of:")


def test_find_reads_many_forms_at_once(cast: dict[str, Officer]) -> None:
    text = "Employee ID\tName\n002918\tWhitfield, Amara\n\n3377, 3401;2980\r\nObrien, Sean\n"

    found = find(text, Officer.objects.all())

    assert [entry.officer for entry in found] == [cast[name] for name in ("amara", "jonah", "tomas", "maria", "sean")]


def test_find_costs_the_same_queries_for_one_line_and_thirty(cast: dict[str, Officer]) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            find(text, Officer.objects.all())
        return len(context)

    # fitting, former names, near ids, last names, members of those, members offered
    assert queries("Whitfeld, A 999") == queries("\n".join(["Whitfeld, A 999", "00298", "Delacrox, J"] * 10)) == 6


def test_find_is_fast_among_fifty_thousand() -> None:
    agency = make_agency()
    Officer.objects.bulk_create(
        [
            Officer(
                agency=agency,
                employee_id=f"{number:06d}",
                badge=str(700_000 + number),
                last_name=f"Whit{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}ford",
                first_name=f"Amara{chr(97 + number // 676 % 26)}",
            )
            for number in range(50_000)
        ],
        batch_size=5_000,
    )
    text = "\n".join(
        [*(f"{number * 7}" for number in range(25)), "0500000", "Whitzzfrd, Amara", "Whitabfordd, A", "x9", "-"]
    )

    started = time.perf_counter()
    find(text, Officer.objects.all())

    assert time.perf_counter() - started < 1.5  # about 0.3 s on a quiet machine
