"""Reports by page: who sees and issues them, a form sent twice, and files that are what was issued."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from compliance.models import IssuedReport, Job
from compliance.reports import issue
from compliance.reports.accreditation import Question
from roster.facts import known_now
from tests.compliance.pages.cast import Cast
from tests.factories import make_agency, make_officer, make_unit, make_user
from tests.waiting_jobs import work

pytestmark = pytest.mark.django_db(transaction=True)

READERS = ("chief", "compliance", "auditor", "admin")
OTHERS = ("academy", "commander", "officer")


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield tmp_path


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def make_report(cast: Cast, **values: Any) -> IssuedReport:
    day = date(2026, 1, 31)
    asked = {
        "requirement": cast.requirement,
        "agency": cast.bureau.agency,
        "unit": None,
        "as_of": day,
        "span_from": date(2025, 1, 1),
        "span_to": day,
        "known_at": known_now(),
        **values,
    }
    return issue.issue(Question(**asked), by=cast.users["compliance"])


def ask(client: Client, **values: str) -> Any:
    return client.post(
        reverse("report-list"),
        {"requirement": "refresher", "as_of": "2026-01-31", "token": "one", **values},
    )


def addresses(report: IssuedReport) -> list[str]:
    return [
        reverse("report-list"),
        reverse("report-detail", args=[report.number]),
        reverse("report-file", args=[report.number, f"{report.number}.pdf"]),
    ]


def test_who_reads_reports(cast: Cast) -> None:
    report = make_report(cast)

    def status(role: str, address: str) -> int:
        response = cast.client(role).get(address)
        response.close()
        return response.status_code

    assert {role: [status(role, address) for address in addresses(report)] for role in (*READERS, *OTHERS)} == {
        **{role: [200, 200, 200] for role in READERS},
        **{role: [404, 404, 404] for role in OTHERS},
    }


def test_who_issues_reports(cast: Cast) -> None:
    sent = {role: ask(cast.client(role)).status_code for role in (*READERS, *OTHERS)}

    assert sent == {"chief": 404, "compliance": 302, "auditor": 404, "admin": 302, **dict.fromkeys(OTHERS, 404)}
    assert "Issue this report" not in words(cast.client("auditor").get(reverse("report-list")))
    assert Job.objects.count() == 2


def test_reports_of_another_agency_are_not_there(cast: Cast) -> None:
    report = make_report(cast)
    elsewhere = make_agency("sheriff", "Harbor County Sheriff")
    client = Client()
    client.force_login(make_user("compliance", "deputy", agency=elsewhere))

    assert [client.get(address).status_code for address in addresses(report)] == [200, 404, 404]
    assert report.number not in words(client.get(reverse("report-list")))


def test_issue_goes_from_the_form_over_the_job_to_the_report(cast: Cast) -> None:
    client = cast.client("compliance")

    response = ask(client, unit=str(cast.central.pk))
    work()
    page = client.get(response.url)
    report = IssuedReport.objects.get()

    assert (report.unit, report.issued_by) == (cast.central, cast.users["compliance"])
    assert (report.as_of, report.span_from, report.span_to) == (
        date(2026, 1, 31),
        date(2022, 2, 1),
        date(2026, 1, 31),
    )
    assert reverse("report-detail", args=[report.number]) in page.content.decode()
    text = words(client.get(reverse("report-detail", args=[report.number])))
    assert f"{report.number}: Requirement refresher" in text
    assert "Central District" in text
    assert "0.0 % 0 of 1" in text
    assert "Population Patrol Edition from 1 Jan 2015" in text
    assert report.data_sha256 in text


def test_a_form_sent_twice_issues_once(cast: Cast) -> None:
    client = cast.client("compliance")

    first, second = ask(client), ask(client)
    work()
    third = ask(client)
    other = ask(client, as_of="2026-01-30")

    assert first.url == second.url == third.url
    assert other.url != first.url
    assert IssuedReport.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"requirement": ""}, "Requirement: choose one.", id="no-requirement"),
        pytest.param({"requirement": "nope"}, "Select a valid choice.", id="no-such-requirement"),
        pytest.param({"as_of": "31.1.2026"}, "As of: write the day as 2026-11-20.", id="as-of"),
        pytest.param({"span_from": "soon"}, "Span from: write the day as 2026-11-20.", id="from"),
        pytest.param({"span_from": "2026-02-01"}, "The span begins after it ends.", id="from-after-to"),
        pytest.param({"span_to": "2026-02-01"}, "The span ends after the day reported.", id="to-after-day"),
        pytest.param({"unit": "999999"}, "Select a valid choice.", id="no-such-unit"),
        pytest.param({"known_at": "yesterday"}, 'Known at: "yesterday" is not a moment.', id="known-at"),
    ],
)
def test_bad_input_gets_a_sentence_and_no_job(cast: Cast, values: dict[str, str], sentence: str) -> None:
    response = ask(cast.client("compliance"), **values)

    assert response.status_code == 400
    assert sentence in words(response).replace("&quot;", '"')
    assert not Job.objects.exists()


def test_with_several_agencies_the_unit_must_be_of_the_one_chosen(cast: Cast) -> None:
    elsewhere = make_agency("sheriff", "Harbor County Sheriff")
    theirs = make_unit("JAIL", agency=elsewhere)
    client = cast.client("compliance")

    refused = ask(client, agency="pd", unit=str(theirs.pk))
    taken = ask(client, agency="sheriff", unit=str(theirs.pk))

    assert (refused.status_code, taken.status_code) == (400, 302)
    assert "JAIL District is not a unit of Harbor City Police." in words(refused)


def test_known_at_is_fixed_when_the_form_is_sent(cast: Cast) -> None:
    before = timezone.now()

    ask(cast.client("compliance"))
    ask(cast.client("compliance"), known_at="2026-01-15", token="two")
    after = timezone.now()
    work()

    now, then = IssuedReport.objects.order_by("pk")
    assert before <= now.known_at <= after
    assert timezone.localtime(then.known_at).isoformat().startswith("2026-01-15T23:59:59.999999")


def test_each_file_downloads_as_it_was_issued(cast: Cast) -> None:
    report = make_report(cast)
    client = cast.client("auditor")

    for entry in report.files:
        response = client.get(reverse("report-file", args=[report.number, entry["name"]]))
        content = b"".join(response)
        saved_as = entry["name"] if entry["name"].startswith("AR-") else f"{report.number}-manifest.json"
        assert len(content) == entry["size"]
        assert response["Content-Disposition"] == f'attachment; filename="{saved_as}"'


def test_a_changed_file_gives_a_page_that_says_so(cast: Cast, media: Path) -> None:
    report = make_report(cast)
    (media / "reports" / report.number / f"{report.number}.pdf").write_bytes(b"%PDF-1.7 other")

    response = cast.client("compliance").get(addresses(report)[2])

    assert response.status_code == 409
    assert f"{report.number}.pdf is not the file that was issued: its SHA-256 differs." in words(response)
    assert "Content-Disposition" not in response


@pytest.mark.parametrize("name", ["nothing.pdf", "..%2f..%2fsettings.py", "%2e%2e"])
def test_only_the_reports_own_files_can_be_asked_for(cast: Cast, name: str) -> None:
    report = make_report(cast)

    assert cast.client("admin").get(f"/reports/{report.number}/{name}").status_code == 404


def test_an_empty_list_says_what_to_do(cast: Cast) -> None:
    assert "issue the first one" in words(cast.client("compliance").get(reverse("report-list")))
    assert "A compliance officer issues them here." in words(cast.client("auditor").get(reverse("report-list")))
    assert "No report fits these filters." in words(cast.client("chief").get(reverse("report-list") + "?q=AR-1"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param("requirement=nope", 'Requirement: there is no requirement "nope".', id="requirement"),
        pytest.param("sort=colour", 'Sort: the table has no column "colour" to sort by.', id="sort"),
        pytest.param("page=99", "Page: the list has 1 page.", id="page"),
        pytest.param("export=pdf", 'Export: "pdf" is not a format. Use csv or xlsx.', id="export"),
    ],
)
def test_a_bad_filter_is_named(cast: Cast, query: str, sentence: str) -> None:
    make_report(cast)

    response = cast.client("auditor").get(f"{reverse('report-list')}?{query}")

    assert response.status_code == 400
    assert sentence in words(response).replace("&quot;", '"')


def test_list_filters_sorts_and_exports(cast: Cast) -> None:
    first = make_report(cast)
    second = make_report(cast, unit=cast.central, as_of=date(2026, 2, 28))
    client = cast.client("auditor")

    newest_first = words(client.get(reverse("report-list")))
    by_day = words(client.get(reverse("report-list") + "?sort=as_of"))
    one = words(client.get(reverse("report-list") + f"?q={first.number[-4:]}"))
    exported = b"".join(client.get(reverse("report-list") + "?export=csv")).decode("utf-8-sig")

    assert newest_first.index(second.number) < newest_first.index(first.number)
    assert by_day.index(first.number) < by_day.index(second.number)
    assert second.number not in one
    lines = exported.splitlines()
    assert lines[0] == "Number,Requirement,Unit,As of,Known at,Span,Current,Overdue,Superseded by,Issued"
    assert lines[1].startswith(f"{second.number},Requirement refresher,Central District,2026-02-28,")


def test_list_costs_the_same_queries_with_one_report_and_with_thirty(cast: Cast) -> None:
    report = make_report(cast)
    client = cast.client("compliance")
    client.get(reverse("report-list"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("report-list"))
    for number in range(2, 31):
        IssuedReport.objects.create(
            **{
                field.name: getattr(report, field.name)
                for field in IssuedReport._meta.concrete_fields
                if field.name not in ("id", "number")
            },
            number=f"AR-2026-{number:04}",
        )

    with CaptureQueriesContext(connection) as thirty:
        response = client.get(reverse("report-list"))

    # session, user, access, units, agencies, requirements, count, reports
    assert len(one) == len(thirty) == 8
    assert "30 rows" in words(response)


def test_detail_costs_six_queries(cast: Cast) -> None:
    report = make_report(cast)
    client = cast.client("auditor")
    client.get(reverse("report-detail", args=[report.number]))

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("report-detail", args=[report.number]))

    assert len(queries) == 6  # session, user, access, units, the report, the edition in force


def test_the_span_offered_by_default_is_four_years_up_to_today(cast: Cast) -> None:
    ask(cast.client("compliance"), as_of=(timezone.localdate() - timedelta(days=1)).isoformat())
    work()

    report = IssuedReport.objects.get()
    assert (report.span_from, report.span_to) == issue.default_span(timezone.localdate() - timedelta(days=1))


def test_a_superseded_report_says_so_and_its_successor_lists_what_changed(cast: Cast) -> None:
    first = make_report(cast)
    officer = make_officer("0777", last_name="Zeller", unit=cast.central, hired_on=date(2025, 12, 1))
    second = make_report(cast)
    client = cast.client("auditor")

    old = words(client.get(reverse("report-detail", args=[first.number])))
    new = words(client.get(reverse("report-detail", args=[second.number])))
    listed = words(client.get(reverse("report-list")))

    assert f"Superseded by {second.number} , edition 2" in old
    assert f"edition 2, supersedes {first.number}" in new
    assert f"Changes since {first.number}" in new
    assert f"{officer.listed_name} 0777 not in the report in grace" in new
    assert "Recorded: employed as sworn from 1 Dec 2025" in new
    assert f"{first.number} superseded by {second.number}" in listed
