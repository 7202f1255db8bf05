"""Late and missed items: explained by form, read on the officer's page, in the deadlines and in the report."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.models import Explanation
from compliance.reports.accreditation import Question, gather
from compliance.reports.accreditation_files import EXCEPTION_COLUMNS, Seal, exception_rows, pdf
from roster.facts import FactRefused, Via, known_now, recording
from roster.models import Agency, Officer
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import complete, make_officer

pytestmark = pytest.mark.django_db

#: Amara's entry of 3 May 2019 carried through 3 May 2022.
FROM = "2022-05-04"


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def period(cast: Cast, start: str = FROM) -> str:
    return f"{cast.requirement.pk}-{start}"


def explain(cast: Cast, text: str = "The class was full", role: str = "academy", **values: Any) -> Any:
    data = {"period": period(cast), "text": text, **values}
    return cast.client(role).post(reverse("officer-explain", args=["002918"]), data)


def say(officer: Officer, cast: Cast, text: str, late_from: date) -> Explanation:
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        said = Explanation(officer=officer, requirement=cast.requirement, text=text, late_from=late_from)
        return recorder.record(said)


def test_an_explanation_stands_on_the_officers_page_with_who_and_when(cast: Cast) -> None:
    assert explain(cast).status_code == 302

    said = Explanation.objects.get()
    page = words(cast.client("officer").get(reverse("officer-detail", args=["002918"])))
    assert (said.late_from, said.recorded_in.by) == (date(2022, 5, 4), cast.users["academy"])
    assert re.search(r"overdue since 4 May 2022, was due 3 May 2022 The class was full academy, \d+ \w+ \d{4}", page)


def test_what_was_said_of_a_day_that_is_overdue_no_more_is_still_read(cast: Cast) -> None:
    explain(cast, "The class was full")
    complete(cast.amara, cast.basic, date(2022, 5, 3))
    address = reverse("officer-detail", args=["002918"])

    page = words(cast.client("auditor").get(address))
    before = words(cast.client("auditor").get(address, {"as_of": "2022-05-03"}))

    assert "not overdue on 4 May 2022 as the record and the rules stand now The class was full academy" in page
    assert "The class was full" not in before


def test_a_correction_is_another_line(cast: Cast) -> None:
    explain(cast, "The class was full")
    explain(cast, "The class was cancelled", "compliance")

    page = words(cast.client("auditor").get(reverse("officer-detail", args=["002918"])))

    assert [row.text for row in Explanation.objects.order_by("pk")] == ["The class was full", "The class was cancelled"]
    assert page.index("The class was full") < page.index("The class was cancelled")


def test_sent_twice_is_recorded_once(cast: Cast) -> None:
    explain(cast)
    explain(cast, "The  class was full ")

    assert Explanation.objects.count() == 1


def test_a_past_period_is_explained_too(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, date(2023, 2, 1))

    explain(cast)

    page = words(cast.client("auditor").get(reverse("officer-detail", args=["002918"])))
    assert "4 May 2022 to 31 Jan 2023, was due 3 May 2022 The class was full" in page


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"text": "  "}, "Write why the date was missed.", id="no-text"),
        pytest.param({"period": ""}, "Choose the period that this explains.", id="no-period"),
        pytest.param({"period": "1-2020-02-29"}, "The member was not overdue then.", id="not-overdue-then"),
        pytest.param({"text": "x" * 501}, "at most 500 characters", id="long"),
    ],
)
def test_the_form_says_what_is_wrong(cast: Cast, values: dict[str, str], sentence: str) -> None:
    response = explain(cast, **values)

    assert response.status_code == 400
    assert sentence in words(response)
    assert Explanation.objects.count() == 0


def test_who_was_never_overdue_has_nothing_to_explain(cast: Cast) -> None:
    make_officer("004100", category="civilian")

    response = cast.client("academy").get(reverse("officer-explain", args=["004100"]))

    assert "was never overdue, so there is nothing to explain" in words(response)


def test_an_explanation_is_not_changed_or_deleted(cast: Cast) -> None:
    from django.db import Error, transaction  # noqa: PLC0415 - what this test alone asks for

    said = say(cast.amara, cast, "The class was full", date(2022, 5, 4))

    for change in (said.delete, lambda: Explanation.objects.filter(pk=said.pk).update(text="Nothing to see")):
        with pytest.raises(Error), transaction.atomic():
            change()
    assert Explanation.objects.get().text == "The class was full"


def test_deadlines_show_the_latest_of_the_missed_date(cast: Cast) -> None:
    say(cast.amara, cast, "The class was full", date(2022, 5, 4))
    say(cast.amara, cast, "The class was cancelled", date(2022, 5, 4))
    client = cast.client("chief")

    rows = Shown(client.get("/deadlines/", {"show": "overdue"})).rows("Overdue, longest first")
    file = csv_rows(client.get("/deadlines/", {"show": "overdue", "export": "csv"}))
    before = csv_rows(client.get("/deadlines/", {"show": "overdue", "export": "csv", "known_at": "2020-01-01"}))

    assert {row[0]: row[-1] for row in rows} == {"Whitfield, Amara": "The class was cancelled", "Delacroix, Jonah": "–"}
    assert file[0][-1] == "Explanation"
    assert len(before) == 1


def test_an_explanation_of_an_earlier_miss_does_not_explain_the_later(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, date(2022, 6, 1))
    say(cast.amara, cast, "The class was full", date(2022, 5, 4))

    rows = Shown(cast.client("chief").get("/deadlines/", {"show": "overdue"})).rows("Overdue, longest first")

    assert {row[0]: row[-1] for row in rows} == {"Whitfield, Amara": "–", "Delacroix, Jonah": "–"}


# Session, user, access, units; requirements; rows counted; rows.
def test_overdue_costs_the_same_for_one_and_for_thirty(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client("chief")

    with django_assert_num_queries(7):
        client.get("/deadlines/", {"show": "overdue"})
    for _ in range(30):
        say(make_officer(unit=cast.central), cast, "The class was full", date(2016, 9, 1))
    with django_assert_num_queries(7):
        client.get("/deadlines/", {"show": "overdue"})


def test_the_report_tells_why_an_item_was_late(cast: Cast) -> None:
    complete(cast.jonah, cast.basic, date(2025, 3, 1))
    say(cast.amara, cast, "The class was full", date(2022, 5, 4))
    say(cast.jonah, cast, "Waited for a seat", date(2016, 9, 1))
    before = known_now()
    say(cast.amara, cast, "Not known yet", date(2022, 5, 4))
    span = date(2025, 1, 1), date(2025, 12, 31)

    data = gather(Question(cast.requirement, Agency.objects.get(), None, date(2025, 12, 31), *span, before))

    late = EXCEPTION_COLUMNS.index("lateness_explained")
    rows = {(row[0], row[2]): row[late] for row in exception_rows(data)}
    assert set(rows) == {("overdue", "Whitfield, Amara"), ("overdue within the span", "Delacroix, Jonah")}
    assert re.fullmatch(r"The class was full \(\d+ \w+ \d{4}\)", rows["overdue", "Whitfield, Amara"])
    assert rows["overdue within the span", "Delacroix, Jonah"].startswith("Waited for a seat (")
    data |= {"supersedes": None, "changes": [], "report_edition": 1}
    assert pdf(data, Seal("AR-2025-0001", "0" * 64, before)).startswith(b"%PDF")


def test_a_period_that_was_taken_back_meanwhile_is_refused(cast: Cast) -> None:
    from compliance import lateness  # noqa: PLC0415 - what this test alone asks for

    with pytest.raises(FactRefused, match="was not overdue on 3 May 2022"):
        lateness.explain(
            cast.amara,
            cast.requirement,
            date(2022, 5, 3),
            "The class was full",
            lines={},
            today=date(2026, 1, 1),
            by=cast.users["academy"],
        )
