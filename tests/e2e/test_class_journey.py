"""A 40-hour class from its plan to its whole file, as the academy does it: by page and by keyboard, in one go."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from django.utils import timezone
from playwright.sync_api import FilePayload, Locator, Page, expect

from compliance.models import Standing
from compliance.sentences import day as spoken
from roster.models import StaffingMinimum
from tests import factories as make
from tests.e2e.conftest import People, Person
from tests.e2e.test_every_state import check
from tests.uploads import PDF
from training.models import ClassPaper, ClassSession, Completion, CourseTopic, Meeting, Qualification

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TODAY = timezone.localdate()
#: The class was taught from Monday to Friday of a week that ended more than a week ago.
MONDAY = TODAY - timedelta(days=14 + TODAY.weekday())
WEEK = [MONDAY + timedelta(days=number) for number in range(5)]
FRIDAY = WEEK[-1]
#: Then came remedial training, a block of the next class in which one was made up, and a re-test.
REMEDIAL, MADE_UP, RETEST = (MONDAY + timedelta(days=number) for number in (7, 8, 9))
NUMBER = f"CIT-40-{MONDAY.year}-01"
TOPICS = ("Mental health", "De-escalation", "Crisis communication", "Scenarios", "Partnerships")
#: Who was trained before, and when: the credit of the first ends soon after the class.
TRAINED = {name: MONDAY - timedelta(days=days) for name, days in (("Marsh", 1065), ("Nowak", 300), ("Reyes", 200))}
#: The block that one person missed, counted from 1, and one that began later than planned.
MISSED, LATE = 3, 9


def three_years_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 3)
    except ValueError:  # 29 February
        return date(day.year + 3, 2, 28)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return make.at(day, hour, minute)


def department() -> None:
    """Central: four untrained, one whose credit ends soon, two current. Eastern nights: one alone, who has to stay.

    The course has a lesson plan of which nobody kept the file, and is taught again in the week after.
    """
    bureau = make.make_unit("PB", name="Patrol Bureau", function="patrol")
    central = make.make_unit("CEN", name="Central District", parent=bureau)
    eastern = make.make_unit("EAS", name="Eastern District", parent=bureau)
    days, nights = make.make_shift("days"), make.make_shift("nights")
    course = make.make_course(
        "CIT-40", title="CIT basic course", title_key="cit basic course", min_attendance=100, min_score=70
    )
    for order, name in enumerate(TOPICS):
        topic = make.make_topic(name)
        topic.order = order
        topic.save()
        CourseTopic.objects.create(course=course, topic=topic, hours=8)
    make.make_test(course, "Written exam", pass_mark=70)
    make.make_lesson_plan(course, "v2025", date(2025, 1, 1))
    make.make_requirement("patrol", entry=(course,), population={"functions": ["patrol"]})
    StaffingMinimum.objects.create(unit=central, shift=days, minimum=2)
    StaffingMinimum.objects.create(unit=eastern, shift=nights, minimum=1)
    for number, name in enumerate(("Whitfield", "Delacroix", "Bello", "Ito", "Marsh", "Nowak", "Reyes"), start=1):
        officer = make.make_officer(
            f"00200{number}", last_name=name, unit=central, shift=days, hired_on=date(2016, number, 1)
        )
        if name in TRAINED:
            make.complete(officer, course, TRAINED[name], score=90)
    make.make_officer("002010", last_name="Osei", unit=eastern, shift=nights, hired_on=date(2015, 6, 1))
    make.make_place("Academy, room 2", address="400 Harbor Street", capacity=30)
    ruth = make.make_instructor("Ruth Okafor", employer="County Behavioral Health")
    Qualification.objects.create(instructor=ruth, title="State certificate 4471", start_on=date(2020, 1, 1))
    make.make_class("CIT-NEXT", course, days=[MADE_UP])
    make.make_user("academy", "academy")


@pytest.fixture(scope="module")
def seeding() -> Callable[[], object]:
    return department


def enter(target: Locator) -> None:
    """Press Enter on a link or button, and be on the next page."""
    with target.page.expect_navigation():
        target.press("Enter")


def tab(page: Page, name: str) -> None:
    enter(page.get_by_role("navigation", name="Pages of this class").get_by_role("link", name=name, exact=True))


def download(page: Page, path: str) -> bytes:
    answer = page.context.request.get(f"/classes/{NUMBER}/{path}")
    assert answer.status == 200
    return answer.body()


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


def rows(page: Page, caption: str) -> list[list[str]]:
    """The cells of a table, spaces squeezed."""
    found = page.get_by_role("table", name=caption).locator("tbody tr")
    return [[" ".join(cell.split()) for cell in row.locator("th, td").all_inner_texts()] for row in found.all()]


def lacks(page: Page) -> list[str]:
    """What the page of papers says is missing, without the words of the links."""
    found: list[str] = page.locator("section[aria-labelledby=missing] li").evaluate_all(
        "items => items.map(item => item.firstChild.textContent.trim())"
    )
    return found


def test_a_forty_hour_class_is_planned_filled_taught_finished_and_its_file_is_whole(people: People) -> None:
    academy = people.of("academy")

    plan(academy)
    sheets = fill_the_seats(academy)
    teach(academy)
    finish(academy)
    standings_follow(academy)
    scans = complete_the_file(academy, sheets)
    a_stranger_verifies(people, download(academy.page, "certificates.pdf"))
    the_file_reads_back(academy.page, scans)


def plan(academy: Person) -> None:
    """Laid out over five days at once, with a place and an instructor."""
    page = check(academy, "/classes/plan/?course=CIT-40", heading="Plan a class")
    page.get_by_label("Seats").fill("5")
    page.get_by_label("Place").select_option(label="Academy, room 2")
    page.get_by_label("Instructor of every block").select_option(label="Ruth Okafor")
    page.get_by_label("First day").fill(MONDAY.isoformat())
    page.get_by_label("Teach on federal holidays too").press("Space")  # whatever day the test runs on
    enter(page.get_by_role("button", name="Lay it out over days"))
    check(academy, heading="Blocks")
    enter(page.get_by_role("button", name="Plan the class"))

    expect(page.get_by_role("status")).to_have_text(f"Class {NUMBER} is planned: 10 blocks.")
    check(academy, heading=NUMBER)
    assert [
        (
            block.starts_at,
            block.ends_at,
            block.name,
            str(block.place),
            [str(row.instructor) for row in block.teaching.all()],
        )
        for block in Meeting.objects.filter(session__number=NUMBER).order_by("starts_at")
    ] == [
        (at(day, start), at(day, start + 4), topic, "Academy, room 2", ["Ruth Okafor"])
        for day, topic in zip(WEEK, TOPICS, strict=True)
        for start in (8, 13)
    ]
    session = ClassSession.objects.select_related("lesson_plan").get(number=NUMBER)
    assert (session.capacity, str(session.lesson_plan), session.state) == (5, "v2025", "planned")


def fill_the_seats(academy: Person) -> list[bytes]:
    """Those who need it most get the seats; nobody is taken from a shift that has only one. The sheets to sign."""
    page = academy.page
    tab(page, "Seats")
    check(academy, heading="0 of 5 seats taken")
    enter(page.get_by_role("link", name="Who needs it most"))
    check(academy, heading="Who needs it most")
    suggested = rows(page, "5 members suggested for 5 free seats")
    assert [(cells[1].split(",")[0], cells[3].split(";")[0]) for cells in suggested] == [
        ("Whitfield", "Overdue since 30 Jun 2016"),
        ("Delacroix", "Overdue since 31 Jul 2016"),
        ("Bello", "Overdue since 29 Aug 2016"),
        ("Ito", "Overdue since 29 Sep 2016"),
        ("Marsh", f"Due {spoken(three_years_after(TRAINED['Marsh']))}"),
    ]
    assert [cells[3].split("; ")[1] for cells in suggested][-1] == "leaves 2 of at least 2 on Central District days."
    expect(page.locator("section[aria-labelledby=kept] li")).to_have_text(
        re.compile("Osei.*would leave 0 of at least 1")
    )
    enter(page.get_by_role("button", name="Enrol those ticked"))

    expect(page.get_by_role("status")).to_have_text("5 seats given.")
    check(academy, heading="5 of 5 seats taken")
    return [one_page(sheet) for sheet in pypdf.PdfReader(io.BytesIO(download(page, "sign-in.pdf"))).pages]


def teach(academy: Person) -> None:
    """Marked by keyboard; one missed a block and made it up elsewhere, one failed and was tested again."""
    page = academy.page
    tab(page, "Attendance")
    names = [name.split(" ")[0] for name in page.locator("th.grid-name[scope=row]").all_inner_texts()]
    assert names == ["Bello,", "Delacroix,", "Ito,", "Marsh,", "Whitfield,"]
    fields = page.locator("input.mark")
    for block in range(1, 11):
        fields.nth(block - 1).focus()
        for name in names:
            page.keyboard.press("a" if (name, block) == ("Whitfield,", MISSED) else "p")
            page.keyboard.press("Enter")
    enter(page.get_by_role("button", name="Save attendance"))
    expect(page.get_by_role("status")).to_have_text("50 marks saved.")
    check(academy, heading="Missed blocks")
    page.get_by_label("Who missed what").select_option(index=1)
    page.get_by_label("Made up in").select_option(label=f"{spoken(MADE_UP)} 08:00, class CIT-NEXT, 240 minutes")
    enter(page.get_by_role("button", name="Record this make-up"))
    expect(page.get_by_role("status")).to_have_text("240 minutes made up by Whitfield, Amara.")
    missed = rows(page, "Blocks that people missed")
    assert [(cells[0], cells[1], cells[2]) for cells in missed] == [
        ("Whitfield, Amara", f"{WEEK[1]:%a} {spoken(WEEK[1])} 08:00–12:00, {TOPICS[1]}", "4 h")
    ]

    tab(page, "Tests")
    enter_scores(page, FRIDAY, {"Whitfield": "91", "Delacroix": "55", "Bello": "88", "Ito": "70", "Marsh": "100"})
    expect(page.get_by_role("status")).to_have_text("5 attempts at Written exam saved.")
    tab(page, "Finish")
    check(academy, heading="1 does not")
    assert rows(page, "Who does not pass, and why") == [
        ["Delacroix, Amara", "failed", "Written exam: 55 %, and 70 % passes."]
    ]
    tab(page, "Tests")
    enter_scores(page, RETEST, {"Delacroix": "82"})
    expect(page.locator(".alert")).to_contain_text("say on which day the remedial training was")
    check_refused(academy)
    page.get_by_label("Remedial training on").fill(REMEDIAL.isoformat())
    enter(page.get_by_role("button", name="Save these scores"))
    expect(page.get_by_role("status")).to_have_text("1 attempt at Written exam saved.")

    tab(page, "Class")
    enter(page.get_by_role("link", name="Enter real times"))
    check(academy, heading="When the blocks really began and ended")
    late = page.locator("tbody tr").nth(LATE - 1).locator("input")
    late.nth(0).fill("08:10")
    late.nth(1).fill("12:00")
    enter(page.get_by_role("button", name="The empty ones were as planned"))
    expect(page.get_by_role("status")).to_have_text("The real times are entered.")
    began = Meeting.objects.filter(session__number=NUMBER).order_by("starts_at").values_list("began_at", flat=True)
    assert list(began) == [
        at(day, start, 10 if (day, start) == (FRIDAY, 8) else 0) for day in WEEK for start in (8, 13)
    ]


def enter_scores(page: Page, day: date, scores: dict[str, str]) -> None:
    page.get_by_label("Taken on").fill(day.isoformat())
    for name, score in scores.items():
        page.get_by_label(f"Score of {name}, Amara, percent").fill(score)
    enter(page.get_by_role("button", name="Save these scores"))


def check_refused(academy: Person) -> None:
    """The page that was open says what is wrong; that it was refused is all that the console may say."""
    check(academy)
    academy.errors.clear()


#: Who completed on which day, with which score.
CAME_TO = {
    "Whitfield": (MADE_UP, 91),
    "Delacroix": (RETEST, 82),
    "Bello": (FRIDAY, 88),
    "Ito": (FRIDAY, 70),
    "Marsh": (FRIDAY, 100),
}


def finish(academy: Person) -> None:
    """One act records five completions, each on the day its last piece was met."""
    page = academy.page
    tab(page, "Finish")
    expect(page.get_by_role("heading", name="5 pass", exact=True)).to_be_visible()
    shown = {row[0].split(",")[0]: row[1:4] for row in rows(page, "Who passes, on which day")}
    assert shown == {name: [spoken(on), f"{score} %", "100.00 %"] for name, (on, score) in CAME_TO.items()}
    enter(page.get_by_role("button", name="Finish the class and record 5 completions"))

    expect(page.get_by_role("status")).to_contain_text("Class finished")
    check(academy, heading="What the class came to")
    assert {
        row.officer.last_name: (row.completed_on, row.score, row.attendance, row.hours, row.result, row.lesson_plan)
        for row in Completion.objects.filter(class_number=NUMBER).select_related("officer")
    } == {
        name: (on, Decimal(score), Decimal(100), Decimal(40), "passed", "v2025")
        for name, (on, score) in CAME_TO.items()
    }


def standings_follow(academy: Person) -> None:
    """Everybody is current from that day, for three years; whoever stayed behind is not."""
    for name, (on, _) in CAME_TO.items():
        periods = Standing.objects.filter(officer__last_name=name).order_by("start_on")
        told = [(row.start_on, row.end_on, row.state, row.due_on) for row in periods]
        due = three_years_after(on)
        assert told[-2:] == [(on, due, "current", due), (due + timedelta(days=1), None, "overdue", due)]
        # Before that everybody was overdue but one, whose credit still ran.
        assert told[-3][1:3] == (on - timedelta(days=1), "current" if name in TRAINED else "overdue")
    for number, on in (("002001", MADE_UP), ("002002", RETEST)):
        page = academy.open(f"/officers/{number}/")
        assert rows(page, "Standing under each requirement")[0][1:] == ["✓ current", spoken(three_years_after(on))]
        assert [cells[1:] for cells in rows(page, "Certificates issued by the agency")] == [
            ["CIT basic course", spoken(on), "✓ valid"]
        ]
    page = check(academy, "/officers/002010/")
    assert rows(page, "Standing under each requirement")[0][1].startswith("▲ overdue")


def complete_the_file(academy: Person, sheets: list[bytes]) -> dict[str, str]:
    """Everything the list asks for is given, until it is empty; name of each file kept -> its SHA-256."""
    page = check(academy, f"/classes/{NUMBER}/papers/", heading="Missing from the class file: 14")
    blocks = [f"Block {number}, {TOPICS[(number - 1) // 2]}" for number in range(1, 11)]
    assert lacks(page) == [
        "Lesson plan v2025: its file is not here.",
        "Lesson plan v2025: no objective is written down.",
        "Lesson plan v2025: who approved it and when is not written down.",
        "The approved roster is not here.",
        *(f"{block}: the signed sign-in sheet is not here." for block in blocks),
    ]

    enter(page.get_by_role("link", name="Write them down"))
    check(academy, heading="Lesson plan v2025")
    page.get_by_role("textbox", name="Objectives").fill("Name the signs of a crisis\nDe-escalate by voice")
    page.get_by_role("textbox", name="Approved by").fill("Captain R. Osei")
    page.get_by_label("Approved on").fill("2024-12-02")
    page.get_by_label("File").set_input_files(FilePayload(name="Plan.pdf", mimeType="application/pdf", buffer=PDF))
    enter(page.get_by_role("button", name="Save what it says"))
    academy.open(f"/classes/{NUMBER}/papers/")
    expect(page.get_by_role("heading", name="Missing from the class file: 11")).to_be_visible()

    scans = {"Plan.pdf": hashlib.sha256(PDF).hexdigest()}
    scans["Roster.pdf"] = keep(page, "The approved roster", "Roster.pdf", download(page, "roster.pdf"))
    for number, (block, sheet) in enumerate(zip(blocks, sheets, strict=True), start=1):
        scans[f"Sheet {number}.pdf"] = keep(page, f"{block}:", f"Sheet {number}.pdf", sheet)
    expect(page.locator("section[aria-labelledby=missing]")).to_contain_text("Nothing is missing.")
    check(academy, heading="Missing from the class file: 0")
    kept = ClassPaper.objects.filter(session__number=NUMBER, kind="sign_in").select_related("meeting", "file")
    assert [row.file.name for row in kept.order_by("meeting__starts_at")] == [f"Sheet {n}.pdf" for n in range(1, 11)]
    return scans


def one_page(page: Any) -> bytes:
    """A sheet by itself, as it comes from the scanner."""
    made, out = pypdf.PdfWriter(), io.BytesIO()
    made.add_page(page)
    made.write(out)
    return out.getvalue()


def keep(page: Page, lack: str, name: str, content: bytes) -> str:
    """Follow the link of an item that is missing, which knows what it asks for, and keep a scan."""
    enter(page.locator("section[aria-labelledby=missing] li", has_text=lack).get_by_role("link"))
    page.get_by_label("File", exact=True).set_input_files(
        FilePayload(name=name, mimeType="application/pdf", buffer=content)
    )
    enter(page.get_by_role("button", name="Keep this paper"))
    expect(page.get_by_role("status")).to_have_text(f"Kept with the class: {name}.")
    return hashlib.sha256(content).hexdigest()


def a_stranger_verifies(people: People, certificates: bytes) -> None:
    """Whoever holds the paper sees course, date and validity without signing in, and no more."""
    texts = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(certificates)).pages]
    assert len(texts) == 5
    for name, on in (("Whitfield", MADE_UP), ("Delacroix", RETEST)):
        (text,) = (text for text in texts if f"Amara {name}" in text)
        address = re.search(r"/verify/\w+/", text)
        assert address is not None
        stranger = people.stranger()
        page = check(stranger, address[0], heading="Certificate")
        assert page.locator("dl.facts dd").all_inner_texts() == ["CIT basic course", spoken(on), "✓ valid"]
        assert name not in page.content()
        expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
        page.context.close()


def the_file_reads_back(page: Page, scans: dict[str, str]) -> None:
    """The class file as a paper and as an archive says what was done, and nothing is missing from either."""
    paper = download(page, "class-file.pdf")
    text = text_of(paper)
    made_up, retest, remedial, friday = map(spoken, (MADE_UP, RETEST, REMEDIAL, FRIDAY))
    for said in (
        "Missing from this file: 0 Nothing is missing",
        "Version v2025, in force from 1 Jan 2025",
        "Objectives 1. Name the signs of a crisis 2. De-escalate by voice",
        f"passed, {made_up}",
        f"passed, {retest}",
        f"class CIT-NEXT, {MADE_UP:%a} {made_up}, 08:00 to 12:00",
        f"Written exam {friday} 55 % failed",
        f"{FRIDAY:%a} {friday}, 08:10 to 12:00 3 h 50 min Ruth Okafor",
        *scans.values(),
    ):
        assert said in text, said
    assert f"Written exam {retest} 82 % passed {remedial}" in text
    assert "[U+" not in text, "a letter that could not be set"

    with zipfile.ZipFile(io.BytesIO(download(page, "class-file.zip"))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["class"], manifest["state"]) == (NUMBER, "finished")
        assert (manifest["missing"], manifest["lost"]) == ([], [])
        digests = {file["name"]: file["sha256"] for file in manifest["files"]}
        assert digests == {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if name != "manifest.json"
        }
        assert archive.read("class-file.pdf") == paper
        sheets = [name for name in digests if name.startswith("sign-in/")]
        assert [name.split("-")[2] for name in sheets] == [f"{number:02d}" for number in range(1, 11)]
        assert [digests[name] for name in sheets] == [scans[f"Sheet {number}.pdf"] for number in range(1, 11)]
        assert digests["lesson-plan/Plan.pdf"] == scans["Plan.pdf"]
        attended = table(archive.read("attendance.csv"))
        tried = table(archive.read("tests.csv"))
    assert [
        (row["employee_id"], row["block"], row["minutes"], row["made_up_on"])
        for row in attended
        if row["employee_id"] == "002001" and row["block"] == str(MISSED)
    ] == [("002001", "3", "0", ""), ("002001", "3", "240", MADE_UP.isoformat())]
    assert [
        (row["taken_on"], row["score"], row["result"], row["remedial_on"])
        for row in tried
        if row["employee_id"] == "002002"
    ] == [
        (FRIDAY.isoformat(), "55", "failed", ""),
        (RETEST.isoformat(), "82", "passed", REMEDIAL.isoformat()),
    ]


def table(content: bytes) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
