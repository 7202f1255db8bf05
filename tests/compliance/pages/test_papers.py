"""The papers of a class on its page, certificates on others, and the public page that says whether one is valid."""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance import jobs, tasks
from compliance.class_papers import making
from compliance.models import Job
from compliance.views import class_papers
from roster.models import Access, Agency, Role
from tests import factories as make
from tests.compliance.pages.cast import Cast
from tests.compliance.taught import Taught, keep_paper, make_planned, store
from tests.uploads import PDF, sent
from training.certificates import issue
from training.completions import correct_completion, void_completion
from training.models import Certificate, ClassPaper, ClassSession, Enrollment, LessonPlan

pytestmark = pytest.mark.django_db
DONE = date(2026, 3, 6)
NUMBER = "CIT-2026-03"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def page(client: Client, name: str, *args: object, **query: str | int) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def text_of(response: Any) -> str:
    content = b"".join(response) if response.streaming else response.content
    return " ".join(" ".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(content)).pages).split())


def papers(number: str = NUMBER) -> str:
    return reverse("class-papers", args=[number])


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def certificate_of(cast: Cast) -> Certificate:
    """PD-2026-0001, of Amara's entry course."""
    return issue(cast.central.agency, completions=[cast.entry], issued_on=DONE, by=None)[0]


# What is missing


@pytest.fixture
def taught(db: None) -> Taught:
    """Taught, and nothing entered of it."""
    return make_planned()


@pytest.fixture
def academy() -> Client:
    client = Client()
    client.force_login(make.make_user(Role.ACADEMY))
    return client


def test_the_page_says_what_is_missing_with_a_link_to_where_each_is_mended(academy: Client, taught: Taught) -> None:
    response = academy.get(papers())

    lacks = response.context["lacks"]
    shown = " ".join(response.content.decode().split())
    assert f"Missing from the class file: {len(lacks)}" in shown
    assert "Block 3, Distance: the signed sign-in sheet is not here." in shown
    assert f'href="{papers()}?kind=sign_in&amp;block=3#add"' in shown
    addresses = {address.replace("&amp;", "&") for address in re.findall(r'<li>[^<]+ <a href="([^"]+)"', shown)}
    assert len(addresses) == 9  # roster, four sheets, real times, attendance, tests, finish
    assert {address: academy.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def test_the_page_tells_a_kept_file_that_is_lost_or_altered(academy: Client, taught: Taught, tmp_path: Path) -> None:
    before = len(academy.get(papers()).context["lacks"])
    for note in ("lost", "altered"):
        academy.post(papers(), {"kind": "other", "note": note, "file": sent(PDF)})
    lost, altered = (row.file for row in ClassPaper.objects.order_by("pk").select_related("file"))
    (tmp_path / lost.stored_as).unlink()
    (tmp_path / altered.stored_as).write_bytes(PDF[:-1] + b"!")

    shown = page(academy, "class-papers", NUMBER)

    assert f"Missing from the class file: {before + 2}" in shown
    assert f'{lost.name} cannot be read on the server any more. <a href="#kept">Take it out and keep it again' in shown
    assert f"{altered.name} is not the file that was stored." in shown


def test_the_page_says_which_files_it_did_not_read_whole(
    academy: Client, taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    academy.post(papers(), {"kind": "other", "note": "large", "file": sent(PDF)})
    whole = page(academy, "class-papers", NUMBER)
    monkeypatch.setattr(class_papers, "MOST_READ", len(PDF) - 1)

    shown = page(academy, "class-papers", NUMBER)

    assert "looked at by size only" not in whole
    assert "1 large file kept with the class was looked at by size only." in shown


def test_a_lost_file_of_the_lesson_plan_is_told_with_the_plan(academy: Client, taught: Taught, tmp_path: Path) -> None:
    file = store(b"the plan", "plan.pdf", taught.session.agency)
    plan = make.make_lesson_plan(taught.session.course, "LOST", date(2020, 1, 1))
    LessonPlan.objects.filter(pk=plan.pk).update(file=file)
    ClassSession.objects.filter(pk=taught.session.pk).update(lesson_plan=plan)
    (tmp_path / file.stored_as).unlink()

    shown = page(academy, "class-papers", NUMBER)

    link = reverse("lesson-plan-detail", args=[plan.pk])
    assert f'Lesson plan: {file.name} cannot be read on the server any more. <a href="{link}">' in shown
    assert "Take it out and keep it again" not in shown


def test_the_link_of_a_missing_sheet_fills_the_form_in(academy: Client, taught: Taught) -> None:
    shown = page(academy, "class-papers", NUMBER, kind="sign_in", block=3)

    assert '<option value="sign_in" selected>' in shown
    assert '<option value="3" selected>Block 3, Distance' in shown


def test_who_may_only_read_sees_what_is_missing_and_can_add_nothing(taught: Taught) -> None:
    client = Client()
    client.force_login(make.make_user(Role.AUDITOR))

    shown = page(client, "class-papers", NUMBER)

    assert "Block 3, Distance: the signed sign-in sheet is not here." in shown
    assert "Keep this paper" not in shown
    assert client.post(papers(), {"kind": "roster", "file": sent(PDF)}).status_code == 404


def test_the_list_counts_what_is_missing_for_those_who_read_class_files(academy: Client, taught: Taught) -> None:
    make.make_class("CIT-2026-02", state="cancelled")
    commander = Client()
    commander.force_login(make.make_user(Role.COMMANDER, unit=make.make_unit()))

    for_academy = page(academy, "class-list")

    assert f'<a href="{papers()}">15 items</a>' in for_academy
    assert "nothing</td>" in for_academy
    assert "items</a>" not in page(commander, "class-list")
    file: Any = academy.get(reverse("class-list"), {"export": "csv"})
    rows = csv.DictReader(io.StringIO(b"".join(file).decode("utf-8-sig")))
    assert {row["Number"]: row["Missing"] for row in rows} == {NUMBER: "15", "CIT-2026-02": "0"}


@pytest.mark.parametrize("classes", [1, 30])
def test_the_list_counts_with_the_same_queries_for_any_number_of_classes(academy: Client, classes: int) -> None:
    for number in range(classes):
        make.make_class(f"C-{number}", days=[date(2026, 3, 2) + timedelta(days=number)])
    academy.get(reverse("class-list"))

    with CaptureQueriesContext(connection) as queries:
        shown = page(academy, "class-list")

    assert shown.count("items</a>") == classes
    assert len(queries) == 7  # session, user, access, units, how many, the rows, what is missing


# Scans


def test_a_scan_is_kept_with_its_block_and_taken_out_with_a_reason(academy: Client, taught: Taught) -> None:
    data = {"kind": "sign_in", "block": "2", "note": "two pages", "file": sent(PDF, "Sheet of Monday.pdf")}

    kept = academy.post(papers(), data, follow=True)

    row = ClassPaper.objects.get()
    assert (row.kind, row.meeting, row.note, row.file.name) == (
        "sign_in",
        taught.blocks[1],
        "two pages",
        "Sheet of Monday.pdf",
    )
    assert messages_of(kept) == ["Kept with the class: Sheet of Monday.pdf."]
    assert "Block 2, Listening: the signed" not in kept.content.decode()
    assert b"".join(academy.get(reverse("file", args=[row.file.key]))) == PDF
    out = reverse("class-withdraw", args=[NUMBER, row.pk])
    assert messages_of(academy.post(out, {"why": " "}, follow=True)) == ["Say why: the reason stays in the class file."]
    gone = academy.post(out, {"why": "Another class"}, follow=True)
    assert messages_of(gone) == ["Taken out of the class file: Sheet of Monday.pdf. The file itself is kept."]
    shown = " ".join(gone.content.decode().split())
    assert "Block 2, Listening: the signed" in shown
    assert ": Another class</span>" in shown
    assert messages_of(academy.post(out, {"why": "Again"}, follow=True)) == []
    row.refresh_from_db()
    assert row.withdrawn_why == "Another class"
    assert (Path(django_settings.MEDIA_ROOT) / row.file.stored_as).read_bytes() == PDF


def test_papers_that_come_late_are_kept_with_a_finished_class(academy: Client, taught: Taught) -> None:
    ClassSession.objects.update(state="finished")

    academy.post(papers(), {"kind": "roster", "block": "2", "file": sent(PDF)})

    row = ClassPaper.objects.get()
    assert (row.kind, row.meeting) == ("roster", None)  # only a sheet is of a block


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param({"kind": "sign_in", "file": PDF}, "Choose the block whose sheet this is.", id="sheet-of-no-block"),
        pytest.param({"kind": "sign_in", "block": "9", "file": PDF}, "Select a valid choice.", id="no-such-block"),
        pytest.param({"kind": "", "file": PDF}, "Choose what it is.", id="no-kind"),
        pytest.param({"kind": "roster"}, "Choose a file.", id="no-file"),
        pytest.param({"kind": "roster", "file": b""}, "is empty. Choose the file again.", id="empty"),
        pytest.param({"kind": "roster", "file": b"<html>"}, "Send PDF, PNG, JPEG, DOCX or PPTX.", id="not-a-scan"),
    ],
)
def test_what_is_no_paper_is_refused_with_a_sentence(
    academy: Client, taught: Taught, tmp_path: Path, data: dict[str, Any], sentence: str
) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    if "file" in data:
        data = {**data, "file": sent(data["file"], "scan.pdf")}

    response = academy.post(papers(), data)

    assert response.status_code == 400
    assert sentence in " ".join(response.content.decode().split())
    assert not ClassPaper.objects.exists()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_paper_of_another_class_is_not_taken_out_here(academy: Client, taught: Taught) -> None:
    row = keep_paper(make.make_class("CIT-2026-04"), "roster")

    response = academy.post(reverse("class-withdraw", args=[NUMBER, row.pk]), {"why": "Mine"})

    assert response.status_code == 404
    row.refresh_from_db()
    assert row.withdrawn_at is None


# Who may


CLASS_PAPERS = ("papers", "sign-in", "roster", "certificates", "file", "archive")


@pytest.mark.parametrize("reach", ["another agency", "one unit of it"])
def test_who_does_not_read_the_agency_whole_gets_no_paper_of_its_classes(taught: Taught, reach: str) -> None:
    other = Agency.objects.create(code="SO", name="Lakeside County Sheriff")
    user = make.make_user(Role.ACADEMY, agency=other)
    if reach == "one unit of it":
        Access.objects.create(user=user, role=Role.COMMANDER, unit=make.make_unit())
    client = Client()
    client.force_login(user)

    found = [client.get(reverse(f"class-{name}", args=[NUMBER])).status_code for name in CLASS_PAPERS]

    assert found == [404] * len(CLASS_PAPERS)
    assert client.post(reverse("class-certify", args=[NUMBER])).status_code == 404
    assert client.post(papers(), {"kind": "roster", "file": sent(PDF)}).status_code == 404


def test_an_officer_fetches_the_own_certificate_from_the_own_page_and_nobody_elses(cast: Cast) -> None:
    own = certificate_of(cast)
    (other,) = issue(
        cast.central.agency,
        completions=[make.complete(cast.jonah, cast.basic, DONE)],
        issued_on=DONE,
        by=None,
    )
    seat = Enrollment.objects.create(
        session=make.make_class(), outside_name="Petrov, Ivan", since=timezone.now(), outcome="passed", outcome_on=DONE
    )
    (outside,) = issue(cast.central.agency, seats={seat: DONE}, issued_on=DONE, by=None)
    client = cast.client("officer")

    shown = page(client, "my")

    address = reverse("certificate-file", args=[own.number])
    assert f'<a href="{address}">PD-2026-0001</a>' in shown
    response = client.get(address)
    assert response["Content-Type"] == "application/pdf"
    assert "Amara Whitfield" in text_of(response)
    for row in (other, outside):
        assert client.get(reverse("certificate-file", args=[row.number])).status_code == 404


@pytest.mark.parametrize(
    ("public_url", "site"),
    [
        pytest.param("", "http://testserver", id="the-host-asked"),
        pytest.param("https://records.example.gov", "https://records.example.gov", id="the-public-address"),
    ],
)
def test_certificates_name_the_public_address_where_one_is_set(
    cast: Cast, settings: Any, public_url: str, site: str
) -> None:
    settings.PUBLIC_URL = public_url
    session = make.make_class(state="finished")
    seat = Enrollment.objects.create(
        session=session, outside_name="Petrov, Ivan", since=timezone.now(), outcome="passed", outcome_on=DONE
    )
    (outside,) = issue(session.agency, seats={seat: DONE}, issued_on=DONE, by=None)
    client, own = cast.client("academy"), certificate_of(cast)

    one = text_of(client.get(reverse("certificate-file", args=[own.number])))
    many = text_of(client.get(reverse("class-certificates", args=[session.number])))

    for shown, certificate in ((one, own), (many, outside)):
        assert f"{site}/verify/{certificate.token}" in shown.replace(" ", "")


def test_a_commander_fetches_certificates_of_own_members_only(cast: Cast) -> None:
    address = reverse("certificate-file", args=[certificate_of(cast).number])

    assert cast.client("commander").get(address).status_code == 200
    assert cast.client("elsewhere").get(address).status_code == 404


# To print


def test_the_sheet_of_one_block_is_that_block_only(academy: Client, taught: Taught) -> None:
    address = reverse("class-sign-in", args=[NUMBER])

    response = academy.get(address, {"block": "3"})

    assert response["Content-Disposition"] == 'inline; filename="sign-in-block-3-CIT-2026-03.pdf"'
    text = text_of(response)
    assert "Block 3, Distance" in text
    assert "Block 2" not in text
    assert [academy.get(address, {"block": wrong}).status_code for wrong in ("9", "0", "x")] == [404] * 3


def test_what_there_is_nothing_of_is_said_on_the_page(academy: Client, taught: Taught) -> None:
    response = academy.get(reverse("class-certificates", args=[NUMBER]), follow=True)

    assert messages_of(response) == ["Nobody has a certificate of this class."]


def test_certificates_of_a_finished_class_are_issued_to_who_has_none(academy: Client, taught: Taught) -> None:
    officer = taught.seats[0].officer
    assert officer is not None
    certify = reverse("class-certify", args=[NUMBER])
    early = academy.post(certify, follow=True)
    completion = make.complete(officer, taught.session.course, DONE, class_number=NUMBER)
    Enrollment.objects.filter(pk=taught.seats[0].pk).update(outcome="passed", outcome_on=DONE, completion=completion)
    ClassSession.objects.update(state="finished")
    assert "Issue 1 certificate</button>" in page(academy, "class-papers", NUMBER)

    done = academy.post(certify, follow=True)

    assert messages_of(early) == ["Certificates are issued once the class is finished."]
    assert messages_of(done) == ["1 certificate issued."]
    assert "PD-" in Certificate.objects.get(completion=completion).number
    assert "Issue 1 certificate</button>" not in done.content.decode()
    assert messages_of(academy.post(certify, follow=True)) == ["0 certificates issued."]


def test_a_completion_recorded_otherwise_gets_its_certificate_on_its_page(cast: Cast) -> None:
    client, address = cast.client("academy"), reverse("completion-certify", args=[cast.entry.pk])
    assert "Issue a certificate" in page(client, "completion-detail", cast.entry.pk)

    response = client.post(address, follow=True)

    (row,) = Certificate.objects.all()
    assert messages_of(response) == [f"Certificate {row.number} is issued."]
    assert "Issue a certificate" not in response.content.decode()
    assert row.number in response.content.decode()
    client.post(address)
    assert Certificate.objects.count() == 1


def test_what_cannot_be_certified_says_why_on_its_page(cast: Cast) -> None:
    pending = make.complete(cast.amara, cast.refresher, DONE, evidence="pending")
    client = cast.client("academy")

    assert "None is issued. Its evidence is not verified. Verify it first." in page(
        client, "completion-detail", pending.pk
    )
    response = client.post(reverse("completion-certify", args=[pending.pk]), follow=True)
    assert messages_of(response) == ["Its evidence is not verified. Verify it first."]


# The public page


def verified(token: str) -> str:
    return page(Client(), "certificate-verify", token)


def test_anybody_with_the_address_sees_course_date_and_validity_and_no_name(cast: Cast) -> None:
    row = certificate_of(cast)

    response = Client().get(reverse("certificate-verify", args=[row.token]))

    shown = " ".join(response.content.decode().split())
    assert "<dt>Course</dt><dd>CIT basic course</dd>" in shown
    assert "<dt>Completed on</dt><dd>3 May 2019</dd>" in shown
    assert "✓</span> valid" in shown
    for unsaid in ("Whitfield", "Amara", "002918", "PD-2026", "Central", "Harbor City"):
        assert unsaid not in shown
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex, nofollow">' in shown


def test_a_corrected_or_voided_completion_shows_at_once(cast: Cast) -> None:
    row, by = certificate_of(cast), cast.users["academy"]

    made = correct_completion(cast.entry, why="Misread", by=by, completed_on=date(2019, 5, 4))

    assert "◌</span> replaced" in verified(row.token)
    assert "3 May 2019" in verified(row.token)  # what the paper says
    file = cast.client("academy").get(reverse("certificate-file", args=[row.number]))
    assert (file.status_code, file["Location"]) == (302, reverse("certificate-verify", args=[row.token]))
    void_completion(made, why="Never happened", by=by)
    assert "▲</span> not valid" in verified(row.token)


def test_a_certificate_past_the_last_day_it_names_says_so(cast: Cast) -> None:
    completion = make.complete(cast.amara, cast.refresher, date(2020, 1, 2), certificate_expires_on=date(2023, 1, 2))
    (row,) = issue(cast.central.agency, completions=[completion], issued_on=DONE, by=None)

    assert "the last day it names, 2 Jan 2023, has passed." in verified(row.token)


@pytest.mark.parametrize("token", ["nobody-was-given-this", "0" * 26, "PD-2026-0001", "%00", "'"])
def test_a_token_nobody_was_given_is_a_plain_page(cast: Cast, token: str) -> None:
    certificate_of(cast)

    response = Client().get(f"/verify/{token}/")

    assert response.status_code in (404, 400 if token == "%00" else 404)  # noqa: S105 - no password
    if token != "%00":  # noqa: S105 - the same
        assert "No such certificate" in response.content.decode()
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "write", [str, str.upper, lambda token: "-".join(token[at : at + 4] for at in range(0, 26, 4))]
)
def test_the_code_on_a_certificate_opens_it_as_people_type_it(cast: Cast, write: Any) -> None:
    row = certificate_of(cast)

    response = Client().get(reverse("certificate-check"), {"code": write(row.token)})

    assert (response.status_code, response["Location"]) == (302, reverse("certificate-verify", args=[row.token]))


@pytest.mark.parametrize("code", ["PD-2026-0001", "x", "é" * 26, ""])
def test_a_number_or_a_slip_opens_nothing(cast: Cast, code: str) -> None:
    certificate_of(cast)

    response = Client().get(reverse("certificate-check"), {"code": code})

    assert response.status_code == 400
    assert "is-invalid" in response.content.decode()


# Large classes


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(jobs, "nudge", lambda job: True)


@pytest.mark.parametrize("paper", ["sign-in", "roster", "file", "archive"])
def test_a_paper_of_a_large_class_is_made_in_a_job_for_whoever_asked(
    academy: Client, taught: Taught, large: None, paper: str
) -> None:
    asked = academy.get(reverse(f"class-{paper}", args=[NUMBER]))
    again = academy.get(reverse(f"class-{paper}", args=[NUMBER]))

    job = Job.objects.get()
    assert asked["Location"] == again["Location"] == reverse("job-detail", args=[job.key])
    jobs.run(str(job.key), tasks.HANDLERS)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 2, 2)
    made = reverse("class-paper-made", args=[NUMBER, job.key])
    assert f'href="{made}"' in page(academy, "job-detail", job.key)
    content = b"".join(academy.get(made))
    assert content.startswith(b"PK\x03\x04" if paper == "archive" else b"%PDF")
    somebody = Client()
    somebody.force_login(make.make_user(Role.ADMIN))
    assert somebody.get(made).status_code == 404


def test_a_job_that_finds_nothing_to_print_says_so(academy: Client, taught: Taught, large: None) -> None:
    academy.get(reverse("class-certificates", args=[NUMBER]))
    job = Job.objects.get()

    jobs.run(str(job.key), tasks.HANDLERS)

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "Nobody has a certificate of this class.")


def test_asked_again_after_a_change_the_paper_is_made_anew(academy: Client, taught: Taught, large: None) -> None:
    academy.get(reverse("class-roster", args=[NUMBER]))
    officer = make.make_officer()
    Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())

    academy.get(reverse("class-roster", args=[NUMBER]))

    assert Job.objects.count() == 2


def test_what_a_job_made_is_forgotten_after_a_day(academy: Client, taught: Taught, large: None) -> None:
    academy.get(reverse("class-roster", args=[NUMBER]))
    job = Job.objects.get()
    jobs.run(str(job.key), tasks.HANDLERS)
    now = timezone.now()
    made = reverse("class-paper-made", args=[NUMBER, job.key])

    assert making.forget_old(now) == 0
    os.utime(making.path_of(job), times=((now - making.KEPT).timestamp() - 1,) * 2)
    assert making.forget_old(now) == 1
    assert academy.get(made).status_code == 404
