"""Papers of a class, read back: what they say, and that they are tagged, of letter size, dated by their data."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tracemalloc
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.class_papers import archive, attendees, certificates, class_file, keeping, sign_in
from compliance.class_papers.archive import Entry, safe_name
from compliance.class_papers.class_file import ClassFile
from roster.merging import merge
from roster.models import Agency
from tests import factories as make
from tests.compliance.taught import MONDAY, TUESDAY, Taught, keep_paper, make_planned, make_taught, reread, store
from training import finish as training_finish
from training.certificates import issue
from training.completions import correct_completion, void_completion
from training.models import (
    Attendance,
    ClassEvent,
    ClassPaper,
    ClassSession,
    Course,
    CourseTest,
    Enrollment,
    Qualification,
    TestAttempt,
)

pytestmark = pytest.mark.django_db

NOW = make.at(TUESDAY + timedelta(days=1), 8)
SITE = "https://records.example.gov"
LETTER, LANDSCAPE = (612, 792), (792, 612)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def address(token: str) -> str:
    return f"{SITE}/verify/{token}/" if token else f"{SITE}/verify/"


def pages(content: bytes) -> list[str]:
    """The text of each page, spaces squeezed."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def text_of(content: bytes) -> str:
    return " ".join(pages(content))


def tags_of(content: bytes) -> set[str]:
    """The kinds of structure a document is tagged with: headings, tables, header cells."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, pypdf.generic.DictionaryObject):
            if "/S" in node:
                found.add(str(node["/S"]))
            if "/K" in node:
                walk(node["/K"])
        elif isinstance(node, pypdf.generic.ArrayObject):
            for child in node:
                walk(child)

    root: Any = pypdf.PdfReader(io.BytesIO(content)).trailer["/Root"]
    walk(root["/StructTreeRoot"]["/K"])
    return found


def unmarked_text(page: pypdf.PageObject) -> int:
    """How many pieces of text stand outside of marked content: neither read out nor marked as an ornament."""
    depth = found = 0
    content = page.get_contents()
    assert content is not None
    for operands, operator in pypdf.generic.ContentStream(content, page.pdf).operations:
        if operator in (b"BDC", b"BMC"):
            is_told = operator == b"BMC" or "/MCID" in operands[1] or operands[0] == "/Artifact"
            assert is_told or operands[0] == "/Span", operands
            depth += 1
        elif operator == b"EMC":
            depth -= 1
        elif operator in (b"Tj", b"TJ", b"'", b'"') and depth == 0:
            found += 1
    assert depth == 0
    return found


def headless_tables(content: bytes) -> tuple[int, int]:
    """How many tables there are, and how many of them have no row of header cells that say what they head."""
    tables: list[bool] = []

    def cells(node: Any) -> list[Any]:
        node = node.get_object()
        children = node.get("/K", []) if isinstance(node, pypdf.generic.DictionaryObject) else node
        listed = children if isinstance(children, pypdf.generic.ArrayObject) else [children]
        found = [node] if isinstance(node, pypdf.generic.DictionaryObject) and node.get("/S") in ("/TH", "/TD") else []
        return found + [cell for child in listed if not isinstance(child.get_object(), int) for cell in cells(child)]

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, pypdf.generic.ArrayObject):
            for child in node:
                walk(child)
        elif isinstance(node, pypdf.generic.DictionaryObject):
            if node.get("/S") == "/Table":
                heads = [cell for cell in cells(node) if cell["/S"] == "/TH"]
                tables.append(bool(heads) and all("/Scope" in str(cell.get("/A")) for cell in heads))
            if "/K" in node:
                walk(node["/K"])

    root: Any = pypdf.PdfReader(io.BytesIO(content)).trailer["/Root"]
    walk(root["/StructTreeRoot"]["/K"])
    return len(tables), tables.count(False)


def bookmarks(content: bytes) -> list[str]:
    """The titles that a viewer lists beside the pages, the uppermost ones."""
    outline = pypdf.PdfReader(io.BytesIO(content)).outline
    return [str(item["/Title"]) for item in outline if not isinstance(item, list)]


def assert_is_paper(content: bytes, title: str, size: tuple[int, int] = LETTER) -> None:
    """Tagged as PDF/UA-1 and in every letter, in English, of letter size, with a title that viewers show."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    root: Any = reader.trailer["/Root"]
    assert reader.metadata is not None
    assert reader.metadata.title == title
    assert reader.metadata.author == "Harbor City Police"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-US"
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data().decode()
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {size}
    assert [unmarked_text(page) for page in reader.pages] == [0] * len(reader.pages)
    assert {str(page["/Tabs"]) for page in reader.pages} == {"/S"}
    links = [each.get_object() for page in reader.pages for each in page.get("/Annots", [])]
    assert all(link["/Contents"] and "/StructParent" in link for link in links)
    assert headless_tables(content)[1] == 0


def finish(taught: Taught) -> None:
    """As finishing leaves it: completions for members, outcomes for everybody, certificates."""
    members = [seat for seat in taught.seats if seat.officer is not None]
    for seat in members:
        assert seat.officer is not None
        seat.completion = make.complete(
            seat.officer,
            taught.session.course,
            TUESDAY,
            class_number=taught.session.number,
            lesson_plan="v2025",
            hours=Decimal(16),
            score=Decimal(92),
            attendance=Decimal(100),
        )
    for seat in taught.seats:
        seat.outcome, seat.outcome_on = "passed", TUESDAY
        seat.outcome_score, seat.outcome_attendance = Decimal(92), Decimal(100)
        seat.save()
    ClassSession.objects.filter(pk=taught.session.pk).update(state="finished")
    outside = {seat: TUESDAY for seat in taught.seats if seat.officer is None}
    completions = [seat.completion for seat in members if seat.completion is not None]
    issue(taught.session.agency, completions=completions, seats=outside, issued_on=TUESDAY, by=taught.by)


def file_rows(file: ClassFile) -> list[dict[str, str]]:
    return list(class_file.file_data(file)["attendees"])


def read(taught: Taught) -> ClassFile:
    return class_file.read(reread(taught.session), now=NOW)


# Sign-in sheets


def test_a_sign_in_sheet_has_the_block_everybody_and_room_to_write() -> None:
    taught = make_planned()

    content = sign_in.sheets(taught.session, block=3)

    assert_is_paper(content, "Sign-in sheets of class CIT-2026-03")
    (page,) = pages(content)
    for said in (
        "Sign-in sheet: Block 3, Distance",
        "CIT-2026-03, lesson plan v2025",
        "Tue 3 Mar 2026, 08:00 to 12:00, 4 h planned",
        "Place Academy, room 2, 400 Harbor Street",
        "Instructors Ruth Osei",
        "Id Printed name Agency Signature Time in Time out",
        "1 003377 Delacroix, Jonah Harbor City Police",
        "2 LS-77 Petrov, Ivan Lakeside County Sheriff",
        "3 002918 Whitfield, Amara Harbor City Police",
        "The last 6 lines are for people who come without a seat",
        "Corrections Who and which entry What it should say Corrected by Date 1 2 3",
        "Really began at Really ended at",
        "Sheet 1 of 1",
    ):
        assert said in page
    assert {"/Table", "/TH", "/TD", "/H1"} <= tags_of(content)


def test_the_sheets_of_all_blocks_are_one_file_each_numbered_for_itself() -> None:
    taught = make_planned()
    for number in range(30):
        officer = make.make_officer(last_name=f"Name{number:02d}")
        Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())

    found = pages(sign_in.sheets(taught.session))

    assert len(found) == 8
    assert ["Sheet 1 of 2" in page for page in found] == [True, False] * 4
    assert ["Sheet 2 of 2" in page for page in found] == [False, True] * 4
    assert [re.findall(r"Block (\d)", page)[0] for page in found] == list("11223344")


def test_whoever_waits_or_withdrew_is_not_on_the_sheet() -> None:
    taught = make_planned()
    Enrollment.objects.filter(pk=taught.seats[0].pk).update(state="waitlisted")
    Enrollment.objects.filter(pk=taught.seats[1].pk).update(state="withdrawn")

    text = text_of(sign_in.sheets(taught.session, block=1))

    assert "Petrov" in text
    assert "Whitfield" not in text
    assert "Delacroix" not in text


@pytest.mark.parametrize("block", [0, 5, None])
def test_a_block_that_is_not_there_has_no_sheet(block: int | None) -> None:
    taught = make_planned()
    session = taught.session if block is not None else make.make_class("C-EMPTY", days=())

    with pytest.raises(LookupError):
        sign_in.sheets(session, block=block)


def test_on_the_day_the_clock_changes_a_block_says_by_which_time_it_is_told() -> None:
    session = make.make_class("C-NIGHT", days=())
    night = date(2026, 3, 8)
    make.make_block(session, make.at(night, 0), make.at(night, 4))

    (page,) = pages(sign_in.sheets(session))

    assert "Sun 8 Mar 2026, 00:00 EST to 04:00 EDT, 3 h planned" in page


def test_letters_that_the_typefaces_lack_are_printed_by_their_code_and_the_sheet_says_so() -> None:
    taught = make_planned()
    officer = make.make_officer(last_name="王", first_name="Łucja \u202e*#[x]$\\")
    Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())

    text = text_of(sign_in.sheets(taught.session, block=1))

    assert "[U+738B], Łucja [U+202E]*#[x]$\\" in text
    assert "Letters that this document’s typefaces lack are printed by their code" in text


def row_tops(content: bytes) -> list[float]:
    """How high the number of each row of a sheet stands on its first page, in points."""
    found: dict[str, float] = {}

    def visit(text: str, page: list[float], line: list[float], *_: Any) -> None:
        left = line[4] * page[0] + line[5] * page[2] + page[4]
        if text.strip().isdecimal() and left < 76:
            found.setdefault(text.strip(), line[4] * page[1] + line[5] * page[3] + page[5])

    pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=visit)
    return [top for _, top in sorted(found.items(), key=lambda item: int(item[0]))]


def test_a_name_of_any_length_stays_in_its_row_and_column() -> None:
    taught = make_planned()
    word = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissen"
    outside = {
        "outside_name": f"{word}, Maximilian",
        "outside_agency": word,
        "outside_id": "LAKESIDE000000000000000123456789",
    }
    Enrollment.objects.create(session=taught.session, since=timezone.now(), **outside)

    content = sign_in.sheets(taught.session, block=1)

    tops = row_tops(content)
    heights = [round(upper - lower) for upper, lower in pairwise(tops[:10])]
    assert sorted(heights)[:7] == [22] * 7
    assert max(heights) > 22  # the row of the long name; those beside it are as they were
    (page,) = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    assert max(len(piece) for piece in re.split(r"[\s\u200b]+", page)) < 30
    assert re.sub(r"[\s\u200b]+", "", page).count(word) == 1 + 1


def test_a_sheet_and_a_roster_of_a_cancelled_class_say_so() -> None:
    taught = make_planned()
    ClassSession.objects.filter(pk=taught.session.pk).update(state="cancelled")
    session = reread(taught.session)

    made = [sign_in.sheets(session), attendees.roster(session), class_file.pdf(class_file.read(session, now=NOW))]

    assert [text_of(each).count("This class was cancelled.") for each in made] == [4, 1, 1]


# The roster


def test_the_roster_lists_attendees_and_waitlist_in_order_with_lines_to_approve_it() -> None:
    taught = make_planned()
    for number, name in enumerate(("Zeller", "Adams")):
        officer, since = make.make_officer(last_name=name), timezone.now() + timedelta(minutes=number)
        Enrollment.objects.create(session=taught.session, officer=officer, state="waitlisted", since=since)

    content = attendees.roster(taught.session)

    assert_is_paper(content, "Roster of class CIT-2026-03")
    text = text_of(content)
    assert "Attendees: 3" in text
    assert "1 003377 Delacroix, Jonah Harbor City Police District 3 enrolled" in text
    assert "2 LS-77 Petrov, Ivan Lakeside County Sheriff enrolled" in text
    assert text.index("Waitlist, first come first: 2") < text.index("Zeller") < text.index("Adams")
    assert "Withdrawn" not in text
    assert "Approved Printed name and rank Signature Date" in text
    assert "Seats 3 of 30" in text


def test_the_roster_of_an_empty_class_says_so() -> None:
    text = text_of(attendees.roster(reread(make.make_class("C-EMPTY", days=()))))

    assert "Nobody has a seat yet." in text
    assert "no block is planned" in text


# Certificates


def test_the_certificates_of_a_class_are_one_page_each_by_name() -> None:
    taught = make_taught()
    finish(taught)

    content = certificates.all_of_class(reread(taught.session), address=address)

    assert_is_paper(content, "3 certificates: Crisis basics", LANDSCAPE)
    found = pages(content)
    assert [name for page, name in zip(found, ("Jonah Delacroix", "Ivan Petrov", "Amara Whitfield"), strict=True)
            if name in page] == ["Jonah Delacroix", "Ivan Petrov", "Amara Whitfield"]  # fmt: skip
    assert bookmarks(content) == ["Jonah Delacroix", "Ivan Petrov", "Amara Whitfield"]
    token = taught.seats[0].completion.certificate.token  # type: ignore[union-attr] # finished above
    for said in (
        "Harbor City Police Certificate of completion This is to certify that Amara Whitfield",
        "Harbor City Police, id 002918",
        "has completed Crisis basics 16 h · held 2 to 3 Mar 2026 · completed on 3 Mar 2026",
        "Class CIT-2026-03",
        "Lesson plan v2025",
        "State approval OPOTA-2291",
        "Instructors Ruth Osei",
        f"To check this certificate: {SITE}/verify/{token}/",
        "Certificate PD-2026-0001 issued on 3 Mar 2026",
    ):
        assert said in found[2]
    assert "Lakeside County Sheriff, id LS-77" in found[1]


def test_a_certificate_of_a_completion_without_a_class_says_only_the_day() -> None:
    officer = make.make_officer("002918", last_name="Whitfield", first_name="Amara")
    course = make.make_course("MHFA", title="First aid", hours=Decimal("7.5"))
    completion = make.complete(officer, course, TUESDAY, certificate_expires_on=date(2029, 3, 3))
    (made,) = issue(officer.agency, completions=[completion], issued_on=date(2026, 5, 1), by=None)

    content = certificates.one(made, address=address)

    assert_is_paper(content, "Certificate PD-2026-0001: First aid", LANDSCAPE)
    (page,) = pages(content)
    assert "has completed First aid 7.5 h · completed on 3 Mar 2026 Valid through 3 Mar 2029" in page
    assert "held" not in page


@pytest.mark.parametrize(
    "name", ["W" * 200, " ".join(["Anastasia"] * 20), "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren"]
)
def test_a_certificate_is_one_page_whatever_its_names(name: str) -> None:
    taught = make_planned()
    Course.objects.update(title="Crisis intervention " * 14, state_approval="S" * 80)
    Agency.objects.update(name="Regional Academy of the Greater Harbor City and of the Lakeside Counties")
    for number, block in enumerate(taught.blocks):
        make.teach(make.make_instructor(f"Doctor {number} of a long name from the county's behavioral health"), block)
    seat = taught.seats[2]
    Enrollment.objects.filter(pk=seat.pk).update(
        outside_name=name, outside_agency="Lakeside " * 20, outside_id="7" * 80, outcome="passed", outcome_on=TUESDAY
    )
    (made,) = issue(taught.session.agency, seats={seat: TUESDAY}, issued_on=TUESDAY, by=None)

    found = pages(certificates.one(made, address=address))

    assert len(found) == 1
    assert name.replace(" ", "") in re.sub(r"[\s\u200b]+", "", found[0])


def test_only_a_certificate_with_codes_in_it_explains_them() -> None:
    taught = make_taught()
    Enrollment.objects.filter(pk=taught.seats[2].pk).update(outside_name="王")
    taught.seats[2].refresh_from_db()
    finish(taught)

    found = pages(certificates.all_of_class(reread(taught.session), address=address))

    assert {"[U+738B]" in page: "printed by its code" in page for page in found} == {True: True, False: False}


def test_certificates_that_do_not_hold_are_not_printed() -> None:
    taught = make_taught()
    finish(taught)
    first, second = (seat.completion for seat in taught.seats[:2])
    assert first is not None
    assert second is not None
    void_completion(first, why="Not on the sheet", by=taught.by)
    correct_completion(second, why="Misread", by=taught.by, score=Decimal(90))

    found = pages(certificates.all_of_class(reread(taught.session), address=address))

    assert len(found) == 1
    assert "Ivan Petrov" in found[0]


def test_a_class_without_certificates_prints_none() -> None:
    with pytest.raises(LookupError, match="Nobody has a certificate of this class"):
        certificates.all_of_class(make_planned().session, address=address)


# The class file


def test_the_class_file_says_everything_that_is_kept_of_a_class() -> None:
    taught = make_taught()
    finish(taught)

    content = class_file.pdf(read(taught))

    assert_is_paper(content, "Class file CIT-2026-03: Crisis basics")
    assert {"/Table", "/TH", "/TD", "/H1", "/H2", "/L", "/LI"} & tags_of(content) >= {"/Table", "/TH", "/H1"}
    text = text_of(content)
    plan = taught.session.lesson_plan
    assert plan is not None
    assert plan.file is not None
    for said in (
        "Missing from this file: 0 Nothing is missing",
        "Course Crisis basics (CIT-16), 16 h",
        "State approval OPOTA-2291",
        "Asked of everybody attendance of 90 % and a score of 75 % in every test",
        "Version v2025, in force from 1 Jan 2025",
        "Approved Captain R. Osei, 2 Dec 2024",
        f"SHA-256 {plan.file.sha256}",
        "Objectives 1. Name the signs of a crisis 2. De-escalate by voice",
        "Block 1, Signs Mon 2 Mar 2026, 08:00 to 12:00 4 h Mon 2 Mar 2026, 08:05 to 12:00 3 h 55 min Ruth Osei",
        "Ruth Osei County Behavioral Health 1 to 4 State certificate 4471, from 1 Jan 2020",
        "002918 Whitfield, Amara Harbor City Police District 3 enrolled 100.00 92 passed, 3 Mar 2026",
        "certificate PD-2026-0001",
        "Delacroix, Jonah 235 235 235 235",
        "Written test: 75 % passes.",
        "Petrov, Ivan Written test 3 Mar 2026 92 % passed",
        "Nothing was made up.",
        "Nothing was corrected.",
        "planned: 4 blocks",
        "signed sign-in sheet, block 4 Sheet 1.PDF",
    ):
        assert said in text, said
    for paper in ClassPaper.objects.select_related("file"):
        assert f"SHA-256 {paper.file.sha256}" in text


def test_the_class_file_names_what_is_missing_first() -> None:
    taught = make_planned()

    text = text_of(class_file.pdf(read(taught)))

    assert "Missing from this file: 15" in text
    assert "▲ Block 3, Distance: the signed sign-in sheet is not here." in text
    assert "Looked through on 4 Mar 2026 08:00." in text
    assert text.index("Missing from this file") < text.index("Lesson plan and objectives")
    assert "not entered" in text


def test_what_happened_to_a_class_is_told_line_by_line() -> None:
    taught = make_planned()
    told = "Crisis basics, 30 seats\n2 Mar 2026, 08:00 to 12:00: Signs\n2 Mar 2026, 13:00 to 17:00: Listening"
    ClassEvent.objects.create(session=taught.session, what="planned", told=told, by=taught.by)
    ClassEvent.objects.create(session=taught.session, what="seats", told="Seats: Whitfield, Amara (1)", by=taught.by)

    text = text_of(class_file.pdf(read(taught)))

    assert f"planned: {' '.join(told.split())}" in text
    assert text.count("Seats: Whitfield, Amara (1)") == 1
    assert "seats: Seats" not in text
    assert "[U+" not in text


def test_corrections_stand_on_lines_of_their_own_with_who_when_and_why() -> None:
    taught = make_taught()
    finish(taught)
    seat, by = taught.seats[0], taught.by
    assert seat.completion is not None
    Attendance.objects.create(
        enrollment=seat, meeting=taught.blocks[1], minutes=180, why="Left for court", entered_by=by
    )
    attempt = TestAttempt.objects.get(enrollment=seat)
    made = TestAttempt.objects.create(
        enrollment=seat, test=taught.test, taken_on=TUESDAY, score=88, replaces=attempt, why="Misread", entered_by=by
    )
    TestAttempt.objects.create(
        enrollment=seat,
        test=taught.test,
        taken_on=TUESDAY,
        score=88,
        replaces=made,
        is_struck=True,
        why="Another's sheet",
        entered_by=by,
    )
    correct_completion(seat.completion, why="Score misread", by=by, score=Decimal(88))
    paper = ClassPaper.objects.get(kind="roster")
    keeping.withdraw(paper, why="An older roster", by=by)
    file = read(taught)

    lines = class_file.corrections(file)

    who = by.username
    assert [(line.who, line.what, line.why) for line in lines] == [
        (who, "Whitfield, Amara, Block 2, Listening: 235 → 180 min", "Left for court"),
        (who, "Whitfield, Amara, Written test: 92 % on 3 Mar 2026 → 88 % on 3 Mar 2026", "Misread"),
        (who, "Whitfield, Amara, Written test: 88 % on 3 Mar 2026 → struck", "Another's sheet"),
        (who, "Completion of Whitfield, Amara on 3 Mar 2026 corrected: score 92 → 88", "Score misread"),
        (who, "Taken out of the file: roster, approved.pdf (approved roster)", "An older roster"),
    ]
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    results = [row["result"] for row in class_file.attempts(file) if row["name"] == "Whitfield, Amara"]
    assert results == ["corrected", "struck", "struck"]
    text = text_of(class_file.pdf(file))
    assert "Block 2, Listening: 235 → 180 min" in text
    assert [row["why"] for row in file_rows(file)] == ["", "", "The completion was corrected since: see Corrections."]
    assert paper.file.sha256 not in text


def test_a_finished_class_keeps_what_was_asked_of_it_though_its_course_asks_for_more_by_now() -> None:
    taught = make_taught()
    shown = training_finish.plan(taught.session, by=taught.by, today=TUESDAY).digest
    training_finish.finish(taught.session, shown=shown, by=taught.by, today=TUESDAY)
    Course.objects.update(min_score=Decimal(95), min_attendance=Decimal(100), hours=24, state_approval="NEW-1")
    CourseTest.objects.update(name="Written test of 2029")
    CourseTest.objects.create(course=taught.session.course, name="Scenario", pass_mark=80)

    file = read(taught)

    text = text_of(class_file.pdf(file))
    for said in (
        "Missing from this file: 0",
        "Crisis basics (CIT-16), 16 h",
        "State approval OPOTA-2291",
        "Asked of everybody attendance of 90 % and a score of 75 % in every test",
        "Written test: 75 % passes.",
    ):
        assert said in text, said
    assert {row["result"] for row in class_file.attempts(file)} == {"passed"}
    outside = pages(certificates.all_of_class(reread(taught.session), address=address))[1]
    assert "16 h" in outside
    assert "State approval OPOTA-2291" in outside
    training_finish.reopen(reread(taught.session), why="The sheet was misread", by=taught.by)
    assert {row["result"] for row in class_file.attempts(read(taught))} == {"failed"}


def test_whoever_made_a_block_up_in_this_class_is_named_in_its_file() -> None:
    taught = make_taught()
    other = make.make_class("CIT-2026-01", taught.session.course, days=[date(2026, 2, 2)])
    seat = Enrollment.objects.create(
        session=other, officer=make.make_officer("004455", last_name="Bello", first_name="Frank"), since=timezone.now()
    )
    missed, here = other.meetings.earliest("starts_at"), taught.blocks[1]
    for minutes in (120, 240):
        Attendance.objects.create(enrollment=seat, meeting=missed, minutes=minutes, made_up_in=here)
    taken_back = taught.blocks[2]
    for minutes in (240, 0):
        Attendance.objects.create(enrollment=seat, meeting=missed, minutes=minutes, made_up_in=taken_back)

    text = text_of(class_file.pdf(read(taught)))

    assert "Made up here by people of other classes" in text
    assert text.count("004455 Bello, Frank Harbor City Police CIT-2026-01") == 1
    assert "CIT-2026-01 2 240" in text


def test_two_of_one_name_are_told_apart_on_every_line() -> None:
    taught = make_taught()
    for number in ("004455", "004456"):
        officer = make.make_officer(number, last_name="Smith", first_name="John")
        seat = Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())
        Attendance.objects.create(enrollment=seat, meeting=taught.blocks[0], minutes=235)
        Attendance.objects.create(enrollment=seat, meeting=taught.blocks[0], minutes=200, why="Left early")

    data = class_file.file_data(read(taught))

    assert [row[0] for row in data["grids"][0]["rows"]] == [
        "Delacroix, Jonah",
        "Petrov, Ivan",
        "Smith, John (id 004455)",
        "Smith, John (id 004456)",
        "Whitfield, Amara",
    ]
    assert [row["what"][:23] for row in data["corrections"]] == ["Smith, John (id 004455)", "Smith, John (id 004456)"]
    assert "attendance is not marked for Smith, John (id 004455); Smith, John (id 004456)." in data["missing"][0]


def test_what_became_of_a_completion_stays_in_the_file_when_its_record_is_merged() -> None:
    taught = make_taught()
    finish(taught)
    first, by = taught.seats[1], taught.by
    assert first.completion is not None
    assert first.officer is not None
    corrected = correct_completion(first.completion, why="Misread", by=by, score=Decimal(88))
    void_completion(corrected, why="Entered on the wrong line", by=by)
    kept = make.make_officer("001111", last_name="Delacroix", first_name="Jon")

    merge(kept, first.officer, why="One person", by=by)

    lines = [line.what for line in class_file.corrections(read(taught))]
    assert lines == [
        "Completion of Delacroix, Jonah on 3 Mar 2026 corrected: score 92 → 88",
        "Completion of Delacroix, Jonah on 3 Mar 2026 voided",
    ]
    assert len(certificates.issued_in(taught.session)) == 3


def test_make_ups_and_remedial_training_are_told() -> None:
    taught = make_taught()
    seat = taught.seats[1]
    other = make.make_class("CIT-2026-04", taught.session.course, days=[date(2026, 4, 13)])
    Attendance.objects.create(enrollment=seat, meeting=taught.blocks[3], minutes=0, why="Sick", entered_by=taught.by)
    Attendance.objects.create(
        enrollment=seat, meeting=taught.blocks[3], minutes=235, made_up_in=other.meetings.first(), entered_by=taught.by
    )
    attempt = TestAttempt.objects.get(enrollment=seat)
    failed = TestAttempt.objects.create(
        enrollment=seat, test=taught.test, taken_on=TUESDAY, score=60, replaces=attempt, why="Misread"
    )
    TestAttempt.objects.create(
        enrollment=seat, test=taught.test, taken_on=date(2026, 3, 12), score=81, remedial_on=date(2026, 3, 10)
    )

    file = read(taught)

    assert failed.score == 60
    assert [(row["result"], row["score"], row["remedial"]) for row in class_file.attempts(file)[:3]] == [
        ("corrected", "92", ""),
        ("failed", "60", ""),
        ("passed", "81", "10 Mar 2026"),
    ]
    text = text_of(class_file.pdf(file))
    assert "Delacroix, Jonah 235 235 235 0 +235" in text
    assert "Block 4, Role play 235 class CIT-2026-04, Mon 13 Apr 2026, 08:00 to 12:00" in text


def test_an_instructor_out_of_date_is_marked_at_the_block() -> None:
    taught = make_taught()
    Qualification.objects.update(end_on=MONDAY)

    data = class_file.file_data(read(taught))

    assert [block["instructors"][0]["doubt"] for block in data["blocks"]] == ["", ""] + [
        "no qualification in force"
    ] * 2
    assert data["instructors"][0]["qualifications"] == ["State certificate 4471, from 1 Jan 2020 to 2 Mar 2026"]


@pytest.mark.parametrize("people", [2, 30])
def test_the_class_file_is_read_in_a_fixed_number_of_queries(
    people: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    taught = make_taught()
    for number in range(people - 2):
        officer = make.make_officer(last_name=f"Name{number:02d}")
        seat = Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())
        Attendance.objects.create(enrollment=seat, meeting=taught.blocks[0], minutes=200)
        TestAttempt.objects.create(enrollment=seat, test=taught.test, taken_on=TUESDAY, score=80)
    finish(taught)
    session = reread(taught.session)

    with django_assert_num_queries(READ):
        file = class_file.read(session, now=NOW)

    assert len(file.seats) == people + 1


#: blocks and their instructors 2, seats 1, voided completions 1, record of the class 5, homes 1, qualifications 1,
#: events 1, papers 1, certificates 5, guests 1, what is missing 1
READ = 20


# The archive


def packed(taught: Taught, now: datetime = NOW) -> bytes:
    file = class_file.read(reread(taught.session), now=now)
    found, lost = archive.entries(file, address=address)
    return b"".join(archive.stream(file, found, lost))


def opened(content: bytes) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def rows(file: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read(name).decode("utf-8-sig"))))


def test_the_archive_holds_every_part_and_a_manifest_that_names_each_with_its_hash() -> None:
    taught = make_taught()
    finish(taught)
    keep_paper(taught.session, "handout", b"slides", name="../../etc/pass wd.DOCX")

    found = opened(packed(taught))

    names = [
        "class-file.pdf",
        "roster.csv",
        "attendance.csv",
        "tests.csv",
        "blocks.csv",
        "corrections.csv",
        "certificates.pdf",
        "lesson-plan/Plan-v2025.pdf",
        "sign-in/block-01-01-Sheet-1.pdf",
        "sign-in/block-02-02-Sheet-1.pdf",
        "sign-in/block-03-03-Sheet-1.pdf",
        "sign-in/block-04-04-Sheet-1.pdf",
        "papers/05-roster-roster-approved.pdf",
        "papers/06-handout-pass-wd.docx",
    ]
    assert found.namelist() == [*names, "manifest.json"]
    manifest = json.loads(found.read("manifest.json"))
    assert [entry["name"] for entry in manifest["files"]] == names
    for entry in manifest["files"]:
        content = found.read(entry["name"])
        assert (entry["sha256"], entry["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (manifest["class"], manifest["missing"], manifest["lost"]) == ("CIT-2026-03", [], [])
    assert found.read("sign-in/block-03-03-Sheet-1.pdf") == b"%PDF sheet " + b"Distance"
    assert text_of(found.read("class-file.pdf")) == text_of(class_file.pdf(read(taught)))


def test_the_tables_of_the_archive_say_what_the_class_file_says() -> None:
    taught = make_taught()
    finish(taught)
    Enrollment.objects.filter(pk=taught.seats[2].pk).update(outside_name="=HYPERLINK(1)")
    assert taught.seats[0].completion is not None
    void_completion(taught.seats[0].completion, why="=cmd()", by=taught.by)

    found = opened(packed(taught))

    roster = {row["employee_id"]: row for row in rows(found, "roster.csv")}
    assert roster["002918"] == {
        "employee_id": "002918",
        "name": "Whitfield, Amara",
        "agency": "Harbor City Police",
        "unit": "District 3",
        "seat": "enrolled",
        "attendance": "100.00",
        "score": "92",
        "outcome": "passed",
        "completed_on": "2026-03-03",
        "certificate": "",
        "why": "The completion was voided since: see Corrections.",
    }
    assert (roster["003377"]["certificate"], roster["003377"]["why"]) == ("PD-2026-0002", "")
    assert roster["LS-77"]["name"] == "'=HYPERLINK(1)"
    attendance = rows(found, "attendance.csv")
    assert len(attendance) == 12
    assert attendance[3] == {
        "employee_id": "LS-77",
        "name": "'=HYPERLINK(1)",
        "agency": "Lakeside County Sheriff",
        "block": "4",
        "held_on": "2026-03-03",
        "planned_minutes": "240",
        "minutes_that_count": "235",
        "minutes": "235",
        "made_up_in_class": "",
        "made_up_on": "",
    }
    assert rows(found, "blocks.csv")[2] == {
        "block": "3",
        "title": "Distance",
        "topic": "",
        "starts_at": "2026-03-03T08:00-05:00",
        "ends_at": "2026-03-03T12:00-05:00",
        "really_began_at": "2026-03-03T08:05-05:00",
        "really_ended_at": "2026-03-03T12:00-05:00",
        "place": "Academy, room 2, 400 Harbor Street",
        "instructors": "Ruth Osei",
    }
    (correction,) = rows(found, "corrections.csv")
    assert (correction["what"], correction["why"]) == (
        "Completion of Whitfield, Amara on 3 Mar 2026 voided",
        "'=cmd()",
    )
    assert [(row["employee_id"], row["score"], row["result"]) for row in rows(found, "tests.csv")] == [
        ("LS-77", "92", "passed"),
        ("003377", "92", "passed"),
        ("002918", "92", "passed"),
    ]


def test_the_same_class_gives_the_same_bytes() -> None:
    taught = make_taught()
    finish(taught)

    first, second = packed(taught), packed(taught, now=NOW + timedelta(days=1400))

    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()


@pytest.mark.parametrize(
    ("most_read", "told"),
    [
        pytest.param(None, ["lost", "longer", "altered"], id="every-byte"),
        pytest.param(22, ["lost", "longer", "altered"], id="enough"),
        pytest.param(21, ["lost", "longer"], id="the-smallest-first"),
        pytest.param(0, ["lost", "longer"], id="none"),
    ],
)
def test_of_kept_files_as_many_bytes_are_read_as_asked_for(
    tmp_path: Path, most_read: int | None, told: list[str]
) -> None:
    session = make.make_class()
    rows = {name: keep_paper(session, "test", name.encode()) for name in ("lost", "longer", "altered", "whole")}
    withdrawn = keep_paper(session, "test", b"withdrawn")
    keeping.withdraw(withdrawn, why="Another class", by=make.make_user("academy"))
    (tmp_path / rows["lost"].file.stored_as).unlink()
    (tmp_path / withdrawn.file.stored_as).unlink()
    (tmp_path / rows["longer"].file.stored_as).write_bytes(b"longer!")
    (tmp_path / rows["altered"].file.stored_as).write_bytes(b"alterer")

    found, unread = keeping.problems(session, list(session.papers.order_by("pk")), most_read=most_read)

    assert list(found) == [rows[name].file_id for name in told]
    assert (unread > 0) is ("altered" not in told)


def test_a_scan_that_is_lost_or_altered_stays_out_and_the_manifest_says_so(tmp_path: Path) -> None:
    taught = make_taught()
    gone, altered = (keep_paper(taught.session, "test", content) for content in (b"gone", b"altered"))
    (tmp_path / gone.file.stored_as).unlink()
    (tmp_path / altered.file.stored_as).write_bytes(b"alterer")

    found = opened(packed(taught))

    manifest = json.loads(found.read("manifest.json"))
    assert manifest["missing"][-2:] == [row["problem"] for row in manifest["lost"]]
    assert "▲ scan.pdf is not the file that was stored." in text_of(found.read("class-file.pdf"))
    assert manifest["lost"] == [
        {
            "name": "papers/06-test-scan.pdf",
            "sha256": gone.file.sha256,
            "problem": "scan.pdf cannot be read on the server any more.",
        },
        {
            "name": "papers/07-test-scan.pdf",
            "sha256": altered.file.sha256,
            "problem": "scan.pdf is not the file that was stored.",
        },
    ]
    assert not {"papers/06-test-scan.pdf", "papers/07-test-scan.pdf"} & set(found.namelist())


def test_a_withdrawn_paper_is_not_in_the_archive() -> None:
    taught = make_taught()
    keeping.withdraw(ClassPaper.objects.get(kind="roster"), why="An older roster", by=taught.by)

    assert not [name for name in opened(packed(taught)).namelist() if "roster-" in name]


def test_the_archive_is_written_while_it_is_sent(tmp_path: Path) -> None:
    """However many scans there are, there is never more than one of them in memory."""
    taught, size = make_planned(), 4 * 1024 * 1024
    large = store(b"\0" * size, "large.pdf")
    file = read(taught)
    found = [Entry(f"{number}.pdf", large, "scan") for number in range(8)]
    most = 0

    tracemalloc.start()
    for piece in archive.stream(file, found, []):
        most = max(most, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most <= 2 * archive.PIECE
    assert peak < 3 * size


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Sheet 1.PDF", "Sheet-1.pdf", id="spaces"),
        pytest.param("../../etc/passwd", "passwd", id="path"),
        pytest.param("C:\\scans\\a.pdf", "a.pdf", id="windows-path"),
        pytest.param("a\0b\n.pdf", "a-b.pdf", id="control"),
        pytest.param(".htaccess", "file.htaccess", id="leading-dot"),
        pytest.param("....", "file", id="only-dots"),
        pytest.param("", "file", id="empty"),
        pytest.param("résumé 王.pdf", "r-sum.pdf", id="other-letters"),
        pytest.param("x" * 200 + ".pdf", "x" * 60 + ".pdf", id="long"),
        pytest.param("evil.pdf/../../x", "x", id="path-behind-the-ending"),
    ],
)
def test_names_in_the_archive_are_safe_for_every_file_system(name: str, expected: str) -> None:
    assert safe_name(name) == expected
