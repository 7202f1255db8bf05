"""Three people, each doing what they came for, in a real browser; then the keyboard alone."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from compliance import jobs
from compliance.models import IssuedReport, Job
from compliance.tasks import HANDLERS
from tests.e2e.conftest import PASSWORD, PHONE, People
from tests.e2e.test_every_page import refused, violations
from tests.uploads import PDF
from training.completions import files_of
from training.models import Completion, CompletionFile, Enrollment, EvidenceDecision

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_commander_opens_the_worst_unit_and_saves_who_is_missing(people: People, tmp_path: Path) -> None:
    page = people.of("commander").open("/")

    page.get_by_role("table").get_by_role("link", name="Central District").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Central District")
    page.get_by_label("State").select_option("overdue")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("20 rows")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "unit.csv")

    rows = list(csv.DictReader((tmp_path / "unit.csv").read_text("utf-8-sig").splitlines()))
    assert [row["Id"] for row in rows] == [f"{1000 + number:06d}" for number in range(20, 40)]
    assert {row["Shift"] for row in rows} == {"nights"}
    assert {row["State"] for row in rows} == {"overdue"}


def test_compliance_picks_a_past_day_and_issues_the_report(people: People) -> None:
    page = people.of("compliance").open("/coverage/?requirement=patrol")
    day = date.today() - timedelta(days=30)  # noqa: DTZ011 - the browser and the server share the machine's day

    with page.expect_navigation():
        page.locator("#as_of").fill(day.isoformat())
    expect(page.get_by_role("row", name=re.compile("Central District"))).to_contain_text("10 of 30")
    page.goto(f"/reports/?requirement=patrol&as_of={day.isoformat()}")
    page.locator("main form[method=post]").get_by_role("button", name="Issue this report").click()
    expect(page.get_by_text("You may leave this page")).to_be_visible()
    jobs.run(str(Job.objects.latest("pk").key), HANDLERS)
    page.reload()
    page.get_by_role("link", name="See the result").click()

    report = IssuedReport.objects.get()
    expect(page.get_by_role("heading", level=1)).to_contain_text(report.number)
    expect(page.locator("main")).to_contain_text("20 of 70")
    link = page.get_by_role("link", name="Download the PDF").get_attribute("href")
    file = page.context.request.get(str(link))
    assert file.headers["content-type"] == "application/pdf"
    assert file.body().startswith(b"%PDF-")


def test_the_keyboard_alone_signs_in_and_opens_a_unit(people: People) -> None:
    page = people.stranger().open("/coverage/?requirement=patrol")
    keys = page.keyboard

    expect(page.get_by_label("User name")).to_be_focused()
    keys.type("chief")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/coverage/?requirement=patrol")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    for _ in range(20):
        keys.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Central District":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Central District")
    page.context.close()


def test_the_academy_logs_a_class_of_thirty_and_the_share_changes(people: People) -> None:
    person = people.of("academy")
    page = person.open("/coverage/?requirement=patrol")
    share = page.get_by_role("row", name=re.compile("Western District"))
    expect(share).to_contain_text("0 of 30")

    page.goto("/completions/log/")
    page.get_by_label("Course").first.select_option(
        label=page.locator("option", has_text="CIT basic course").first.inner_text()
    )
    page.locator("[name=completed_on]").fill((date.today() - timedelta(days=1)).isoformat())  # noqa: DTZ011 - as above
    page.locator("[name=people]").fill("\n".join(str(1000 + number) for number in range(69, 39, -1)))
    sheet = FilePayload(name="sign-in.pdf", mimeType="application/pdf", buffer=PDF)
    wrong = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"notes")
    page.get_by_label("Evidence files").set_input_files([sheet, wrong])
    page.get_by_role("button", name="Look them up").click()
    expect(page.locator(".field-error")).to_contain_text("notes.txt is of no type that can be kept here.")
    expect(page.get_by_role("checkbox", name="sign-in.pdf")).to_be_checked()
    assert violations(page) == []
    page.get_by_role("button", name="Look them up again").click()
    expect(page.get_by_role("heading", name="30 found")).to_be_visible()
    expect(page.locator("main")).to_contain_text("0.0 → 100.0 %")
    before = Completion.objects.count()
    page.get_by_role("button", name="Record 30 completions").click()
    expect(page.get_by_role("status")).to_contain_text("30 completions")

    assert Completion.objects.count() == before + 30
    assert CompletionFile.objects.filter(file__name="sign-in.pdf").count() == 30
    page.goto("/coverage/?requirement=patrol")
    expect(share).to_contain_text("30 of 30")
    assert refused(person.errors) == []


def test_the_keyboard_alone_marks_a_class_tests_it_and_finishes_it(people: People) -> None:
    person = people.of("academy")
    page = person.open("/classes/CIT-2026-04/attendance/")
    keys = page.keyboard
    fields = page.locator("input.mark")

    def typed() -> list[str]:
        return [field.input_value() for field in fields.all()]

    fields.first.focus()
    for key in ("p", "Enter", "P", "Enter", "a", "Enter"):
        keys.press(key)
    assert typed() == ["p", "", "p", "", "a", ""]
    save = page.get_by_role("button", name="Save attendance")
    expect(save).to_be_focused()
    fields.nth(4).focus()
    for key in ("ArrowRight", "1", "0", "0", "ArrowUp", "p", "ArrowUp", "p", "ArrowLeft", "ArrowLeft", "a", "p"):
        keys.press(key)
    assert typed() == ["p", "p", "p", "p", "a", "100"]
    save.focus()
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("6 marks saved.")

    page.get_by_role("link", name="Tests", exact=True).focus()
    keys.press("Enter")
    page.get_by_label("Taken on").fill((date.today() - timedelta(days=2)).isoformat())  # noqa: DTZ011 - the same day
    fields.first.focus()
    for key in ("8", "2", "ArrowDown", "9", "1", "Enter"):
        keys.press(key)
    page.get_by_role("button", name="Save these scores").focus()
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2 attempts at Written exam saved.")

    page.get_by_role("link", name="Finish", exact=True).focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="2 pass", exact=True)).to_be_visible()
    expect(page.get_by_role("table").nth(1)).to_contain_text("1 h 40 min of 8 h, 20.83 %: the course asks for 60 %.")
    page.get_by_role("button", name=re.compile("Finish the class and record")).focus()
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Class finished")
    assert person.errors == []
    assert Completion.objects.filter(class_number="CIT-2026-04").count() == 2


def test_the_keyboard_alone_lays_a_class_out_plans_it_and_changes_a_block(people: People) -> None:
    person = people.of("academy")
    page = person.open("/classes/plan/?course=CIT-40")
    keys = page.keyboard
    monday = date.today() + timedelta(days=77 - date.today().weekday())  # noqa: DTZ011 - as above

    page.get_by_label("Class number").fill("KEYS-1")
    page.get_by_label("Teach on federal holidays too").press("Space")  # whatever day the test runs on
    page.get_by_label("First day").fill(monday.isoformat())
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Blocks")).to_be_focused()
    expect(page.get_by_label(re.compile("^Day, block"))).to_have_count(11)
    title = page.get_by_label("Title, block 1", exact=True)
    title.focus()
    keys.type("Welcome")
    keys.press("Enter")
    expect(title).to_have_value("Welcome")
    page.get_by_role("button", name="Plan the class").focus()
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Class KEYS-1 is planned: 10 blocks.")
    blocks = page.get_by_role("table").first
    expect(blocks.get_by_role("row")).to_have_count(11)
    expect(blocks).to_contain_text("Welcome")

    page.get_by_role("link", name="Change the blocks").focus()
    keys.press("Enter")
    page.get_by_label("Remove, block 10", exact=True).focus()
    keys.press("Space")
    page.get_by_label("Why").focus()
    keys.type("Graduation")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The blocks are changed.")
    expect(page.get_by_role("table").first.get_by_role("row")).to_have_count(10)
    expect(page.locator("main")).to_contain_text("Graduation")

    page.goto(f"/calendar/?view=week&day={monday.isoformat()}")
    expect(page.get_by_role("link", name="KEYS-1")).to_have_count(9)
    assert person.errors == []


def test_the_keyboard_alone_fills_a_class_with_who_needs_it_and_takes_somebody_off(people: People) -> None:
    person = people.of("academy")
    page = person.open("/classes/CIT-2026-03/seats/")
    keys = page.keyboard

    page.get_by_role("link", name="Who needs it most").focus()
    keys.press("Enter")
    page.get_by_label("How many").fill("3")
    keys.press("Enter")
    ticks = page.get_by_role("checkbox")
    expect(ticks).to_have_count(3)
    name = (ticks.first.get_attribute("aria-label") or "").removeprefix("Enrol ")
    ticks.nth(2).focus()
    keys.press("Space")
    page.get_by_role("button", name="Enrol those ticked").focus()
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2 seats given.")
    expect(page.get_by_role("heading", name="2 of 30 seats taken")).to_be_visible()

    page.get_by_label(f"Choose {name}").focus()
    keys.press("Space")
    page.get_by_label("Why they withdraw").focus()
    keys.type("Injured")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 person withdrawn.")
    expect(page.get_by_role("row", name=re.compile(re.escape(name)))).to_contain_text("withdrawn")

    page.get_by_role("link", name="Enrol people").focus()
    keys.press("Enter")
    page.get_by_label("Members").focus()
    withdrawn = Enrollment.objects.get(session__number="CIT-2026-03", state="withdrawn")
    keys.type(f"{withdrawn.officer.employee_id}\nNobody Atall")  # type: ignore[union-attr] # a member
    page.get_by_role("button", name="Enrol them").focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Who has no seat yet")).to_be_focused()
    expect(page.locator("main")).to_contain_text("Nobody like this is within your reach.")
    assert person.errors == []
    assert Enrollment.objects.filter(session__number="CIT-2026-03", state="enrolled").count() == 2


def test_an_officer_reports_a_course_and_somebody_else_verifies_it_by_keyboard(people: People, tmp_path: Path) -> None:
    scan = tmp_path / "certificate.pdf"
    scan.write_bytes(PDF)
    mine = people.of("officer", PHONE).open("/my/")

    mine.get_by_role("link", name="Report a course").click()
    mine.get_by_label("Course").select_option(label="Refresher, 8 h")
    mine.get_by_label("Completed on").fill("2024-05-03")
    mine.get_by_label("Given by").fill("State College")
    mine.get_by_label("Certificate", exact=True).set_input_files(scan)
    mine.get_by_role("button", name="Report this course").click()
    expect(mine.get_by_role("listitem").filter(has_text="Refresher, 3 May 2024")).to_contain_text("pending")
    queue = people.of("compliance").open("/completions/pending/?reported=yes")
    queue.get_by_role("checkbox").focus()
    queue.keyboard.press("Space")
    queue.get_by_label("Verified: the evidence shows it").focus()
    queue.keyboard.press("Space")
    queue.keyboard.press("Tab")
    queue.keyboard.type("Seen")
    queue.keyboard.press("Enter")

    expect(queue.get_by_role("status")).to_contain_text("1 completion verified.")
    mine.reload()
    expect(mine.get_by_role("row", name=re.compile("3 May 2024"))).to_contain_text("verified")
    (decision,) = EvidenceDecision.objects.all()
    assert (decision.note, decision.recorded_in.by.username) == ("Seen", "compliance")
    assert [file.name for file in files_of([decision.completion_id])[decision.completion_id]] == ["certificate.pdf"]
