"""Importing courses, the titles that files know them by, and completions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from compliance.models import Standing
from roster.facts import Via, recording
from roster.models import Access, Officer, TrailLine
from roster.tabular import preview
from tests.factories import complete, make_course, make_lesson_plan, make_officer, make_requirement, make_user
from tests.importing import counts, import_text, reasons, verdicts
from training.duplicates import remember_both, undecided
from training.imports import CompletionsImport
from training.models import Completion, Course, EvidenceDecision

pytestmark = pytest.mark.django_db


def stands() -> list[tuple[str, str, date]]:
    rows = Completion.objects.known().order_by("officer__employee_id", "completed_on", "course__code")
    return list(rows.values_list("officer__employee_id", "course__code", "completed_on"))


@pytest.mark.parametrize(
    "who", [pytest.param("Emp No", id="no"), pytest.param("Emp #", id="sign"), pytest.param("Emp. No.", id="stops")]
)
def test_the_headers_of_training_reports_are_known(tmp_path: Path, who: str) -> None:
    path = tmp_path / "report.csv"
    path.write_text(f"Training report\n{who},Course Name,Hrs,Date Completed\n1,CIT,40,2026-01-05\n")

    assert preview(path, CompletionsImport.columns).suggested == {
        who: "employee_id",
        "Course Name": "course",
        "Hrs": "hours",
        "Date Completed": "completed_on",
    }


# courses


def test_courses_new_same_and_changed(tmp_path: Path) -> None:
    text = (
        "code,title,kind,hours,mode,min_score,min_attendance\n"
        "CIT-40,Crisis Intervention,CIT,40,,,90%\nROLL,Roll call,Roll-call,,roll call,,\n"
    )

    first = import_text(tmp_path, "courses", text).plan
    second = import_text(tmp_path, "courses", text).plan
    third = import_text(
        tmp_path, "courses", "code,title,min_score\ncit-40,Crisis Intervention,80\nCIT-40,Crisis,80\n"
    ).plan

    assert counts(first) == (2, 0, 0, 0)
    assert counts(second) == (0, 2, 0, 0)
    assert verdicts(third) == ["changed", "rejected"]
    assert reasons(third) == [(3, "title", "Line 2 says otherwise of course CIT-40.")]
    course = Course.objects.get(code="CIT-40")
    assert (course.hours, course.min_score, course.min_attendance) == (Decimal(40), Decimal(80), Decimal(90))
    assert course.title_key == "crisis intervention"
    lines = TrailLine.objects.filter(about=course.pk, what="course").order_by("pk")
    assert [(line.act, line.before) for line in lines] == [("added", {}), ("changed", {"pass mark, percent": "0"})]


def test_courses_that_cannot_be_are_errors(tmp_path: Path) -> None:
    text = "code,title,kind,hours,mode\n,Crisis,,,\nA,,,,\nB,B,gun,,\nC,C,,10000,\nD,D,,,radio\n"

    plan = import_text(tmp_path, "courses", text).plan

    assert reasons(plan) == [
        (2, "code", "code is required."),
        (3, "title", "title is required."),
        (4, "kind", "This is none of cit, mhfa, refresher, recruit, roll_call, in_service, special, other."),
        (5, "hours", "This is not between 0 and 9999."),
        (6, "mode", "This is none of classroom, online, recorded, roll_call, scenario."),
    ]


def test_a_pass_mark_raised_by_an_import_is_followed(tmp_path: Path) -> None:
    course = make_course("CIT-40")
    make_requirement(entry=(course,), clock="once", months=0)
    officer = make_officer()
    complete(officer, course, date(2024, 5, 1), score=Decimal(75))
    before = Standing.objects.filter(state="current").count()

    import_text(tmp_path, "courses", "code,title,min_score\nCIT-40,Course CIT-40,80\n")

    assert (before, Standing.objects.filter(state="current").count()) == (1, 0)


# titles


def test_a_title_is_mapped_once_and_followed(tmp_path: Path) -> None:
    course = make_course("CIT-40")
    make_requirement(entry=(course,), clock="once", months=0)
    make_officer("1")
    completions = "employee_id,course,completed_on\n1,CRISIS  TEAM’S Training,2024-05-01\n"
    import_text(tmp_path, "completions", completions, unknown_course="create")
    before = Standing.objects.filter(state="current").count()
    aliases = "title,course\nCrisis Team's Training,cit-40\n"

    first = import_text(tmp_path, "course_aliases", aliases).plan
    second = import_text(tmp_path, "course_aliases", aliases).plan
    again = import_text(tmp_path, "completions", completions).plan

    assert (counts(first), counts(second), counts(again)) == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 0))
    assert (before, Standing.objects.filter(state="current").count()) == (0, 1)
    assert Course.objects.get(is_from_title=True).same_as == course


def test_titles_that_cannot_be_mapped_are_errors(tmp_path: Path) -> None:
    make_course("A")
    make_course("B")
    text = "title,course,source\nOne,A,\nOne,B,\nOne,B,LMS\nTwo,C,\n,A,\n"

    plan = import_text(tmp_path, "course_aliases", text).plan

    assert verdicts(plan) == ["new", "rejected", "new", "rejected", "rejected"]
    assert reasons(plan) == [
        (3, "course", "Line 2 maps this title to another course."),
        (5, "course", "There is no course with this code."),
        (6, "title", "title is required."),
    ]


def test_a_course_is_found_by_code_alias_and_title_in_that_order(tmp_path: Path) -> None:
    make_officer("1")
    make_course("CIT", title="By title", title_key="by title")
    for code in ("LMS-COURSE", "ANY-COURSE"):
        make_course(code)
    import_text(
        tmp_path, "course_aliases", "title,course,source\nWord,LMS-COURSE,LMS\nWord,ANY-COURSE,\ncit,ANY-COURSE,\n"
    )
    text = "employee_id,course,completed_on\n1,cit,2024-01-01\n1,word,2024-01-02\n1,BY  title,2024-01-03\n"

    import_text(tmp_path, "completions", text)
    plan = import_text(
        tmp_path, "completions", "employee_id,course,completed_on\n1,word,2024-01-04\n", source="lms"
    ).plan

    assert counts(plan) == (1, 0, 0, 0)
    assert [row[1] for row in stands()] == ["CIT", "ANY-COURSE", "CIT", "LMS-COURSE"]


# completions


def test_unknown_titles_are_rejected_skipped_or_made(tmp_path: Path) -> None:
    make_officer("1")
    make_course("CIT-40")
    text = (
        "employee_id,course,completed_on\n1,CIT-40,2024-01-01\n1,Knitting,2024-01-02\n1,KNITTING,\n"
        "1,CIT – 40,2024-01-03\n9,Rumour,2024-01-03\n"
    )

    rejected = import_text(tmp_path, "completions", text).plan
    skipped = import_text(tmp_path, "completions", text, unknown_course="skip").plan
    made = import_text(tmp_path, "completions", text, unknown_course="create").plan
    again = import_text(tmp_path, "completions", text, unknown_course="create").plan

    assert verdicts(rejected) == ["new", "rejected", "rejected", "rejected", "rejected"]
    assert reasons(rejected)[0] == (3, "course", "No course or alias has this title.")
    assert [(title.title, title.rows, title.lines) for title in rejected.unknown_titles] == [
        ("CIT – 40", 1, (5,)),
        ("KNITTING", 1, (4,)),
        ("Knitting", 1, (3,)),
        ("Rumour", 1, (6,)),
    ]
    assert verdicts(skipped) == ["same", "skipped", "rejected", "skipped", "rejected"]
    assert verdicts(made) == ["same", "new", "rejected", "new", "rejected"]
    assert verdicts(again) == ["same", "same", "rejected", "same", "rejected"]
    assert list(Course.objects.filter(is_from_title=True).order_by("pk").values_list("code", "title", "kind")) == [
        ("KNITTING", "Knitting", "other"),
        ("CIT-40-" + Course.objects.get(title="CIT – 40").code[7:], "CIT – 40", "other"),
    ]


def test_completions_that_cannot_be_are_errors(tmp_path: Path) -> None:
    make_officer("00123", last_name="Reyes", first_name="Ana")
    make_course("CIT-40")
    text = (
        "employee_id,course,completed_on,score,attendance,result,evidence,verified_on,certificate_expires_on\n"
        "00123,CIT-40,2026-11-20,,,,,,\n"
        "00123,CIT-40,2026-11-21,,,,,,\n"
        "123,CIT-40,2024-01-01,,,,,,\n"
        "00123,,2024-01-01,,,,,,\n"
        "00123,CIT-40,,,,,,,\n"
        "00123,CIT-40,1900-01-01,,,,,,\n"
        "00123,CIT-40,1/2/24,,,,,,\n"
        "00123,CIT-40,2024-01-02,101,,,,,\n"
        "00123,CIT-40,2024-01-03,,-1,,,,\n"
        "00123,CIT-40,2024-01-04,,,pass,,,\n"
        "00123,CIT-40,2024-01-05,,,,maybe,,\n"
        "00123,CIT-40,2024-01-06,,,,,2026-11-21,\n"
        "00123,CIT-40,2024-01-07,,,,,,2024-01-06\n"
        "00123,CIT-40,2024-01-08,,,,,,2024-01-08\n"
        "00123,=CIT,x,,,,,,\n"
    )

    plan = import_text(tmp_path, "completions", text).plan

    assert counts(plan) == (2, 0, 0, 13)
    assert reasons(plan) == [
        (3, "completed_on", "A completion cannot be after today, 2026-11-20."),
        (4, "employee_id", "No member has this employee id. Alike: 00123 Reyes, Ana."),
        (5, "course", "course is required."),
        (6, "completed_on", "completed_on is required."),
        (7, "completed_on", "1900-01-01 stands for a missing date. Leave the cell blank, or give the true date."),
        (8, "completed_on", "The year has two digits. Write all four, or say how dates are written (--date-format)."),
        (9, "score", "This is not between 0 and 100."),
        (10, "attendance", "This is not between 0 and 100."),
        (11, "result", "This is none of passed, failed, incomplete."),
        (12, "evidence", "This is none of verified, pending, rejected."),
        (13, "verified_on", "It cannot have been verified after today, 2026-11-20."),
        (14, "certificate_expires_on", "The certificate expires before the class was completed, on 2024-01-07."),
        (16, "course", "The cell holds a formula. Send the value it stands for."),
        (16, "completed_on", "This is not a date. Write YYYY-MM-DD or M/D/YYYY."),
    ]


def test_a_repeat_is_the_same_or_an_error(tmp_path: Path) -> None:
    make_officer("1")
    make_course("CIT-40")
    text = (
        "employee_id,course,completed_on,score,class_number\n"
        "1,CIT-40,2024-01-01,90,\n1,cit-40,1/1/2024,90.0,\n1,CIT-40,2024-01-01,,\n1,CIT-40,2024-01-01,91,\n"
        "1,CIT-40,2024-01-01,91,K1\n"
    )

    first = import_text(tmp_path, "completions", text).plan
    second = import_text(tmp_path, "completions", text).plan

    assert verdicts(first) == ["new", "same", "same", "rejected", "new"]
    assert reasons(first) == [(5, "score", "Line 2 says otherwise of this completion.")]
    assert verdicts(second) == ["same", "same", "same", "rejected", "same"]
    assert Completion.objects.count() == 2


def test_a_changed_row_voids_and_records_and_keeps_what_it_does_not_give(tmp_path: Path) -> None:
    officer, course = make_officer("1"), make_course("CIT-40")
    old = complete(
        officer,
        course,
        date(2024, 1, 1),
        hours=Decimal(8),
        evidence="pending",
        certificate_number=r"A\1",
        provider="College",
    )
    with recording(by=None, via=Via.PAGE, why="looked at it") as recorder:
        recorder.record(
            EvidenceDecision(officer=officer, completion=old, decision="verified", decided_on=date(2024, 2, 1))
        )

    twin = complete(officer, course, date(2024, 1, 3))
    remember_both([(old.pk, twin.pk)], by=None)

    recorded = import_text(tmp_path, "completions", "employee_id,course,completed_on,score\n1,CIT-40,2024-01-01,88\n")
    again = import_text(tmp_path, "completions", "employee_id,course,completed_on,score\n1,CIT-40,2024-01-01,88\n")

    old.refresh_from_db()
    new = Completion.objects.known().get(replaces=old)
    (decision,) = EvidenceDecision.objects.known()
    assert (counts(recorded.plan), counts(again.plan)) == ((0, 0, 1, 0), (0, 1, 0, 0))
    assert (old.voided_in_id, new.recorded_in_id, new.replaces_id) == (recorded.change_id, recorded.change_id, old.pk)
    assert (new.hours, new.score, new.evidence, new.certificate_number) == (8, 88, "pending", r"A\1")
    assert (new.provider, undecided([new, twin])) == ("College", {})
    assert (decision.completion_id, decision.decision, decision.decided_on) == (new.pk, "verified", date(2024, 2, 1))


def test_evidence_that_a_row_gives_outweighs_the_decision(tmp_path: Path) -> None:
    officer, course = make_officer("1"), make_course("CIT-40")
    old = complete(officer, course, date(2024, 1, 1), evidence="pending")
    with recording(by=None, via=Via.PAGE, why="looked at it") as recorder:
        recorder.record(
            EvidenceDecision(officer=officer, completion=old, decision="rejected", decided_on=date(2024, 2, 1))
        )

    import_text(tmp_path, "completions", "employee_id,course,completed_on,evidence\n1,CIT-40,2024-01-01,verified\n")

    (new,) = Completion.objects.known()
    assert (new.evidence, new.decisions.count()) == ("verified", 0)


OWN_WAITS = "Whoever sends this file is this member: it is recorded as pending, and counts once another verified it."
OWN_CHANGE = "Whoever sends this file is this member: somebody else has to correct or void it."
OWN_FILE = (
    "employee_id,course,completed_on,hours,evidence,verified_on\n"
    "1,CIT-40,2026-11-01,40,,\n"
    "1,CIT-40,2026-11-02,40,verified,2026-11-03\n"
    "1,CIT-40,2026-11-03,40,rejected,\n"
    "2,CIT-40,2026-11-02,40,,\n"
)


def evidence_of_all() -> list[tuple[str, int, str, bool]]:
    """Member, day, evidence, and whether a day of verifying is said."""
    rows = Completion.objects.known().order_by("officer__employee_id", "completed_on")
    found = rows.values_list("officer__employee_id", "completed_on", "evidence", "verified_on")
    return [(who, on.day, evidence, verified_on is not None) for who, on, evidence, verified_on in found]


@pytest.mark.parametrize("linked", ["role", "address"])
def test_nobody_verifies_their_own_completion_by_a_file(tmp_path: Path, linked: str) -> None:
    member = make_officer("1")
    make_officer("2")
    make_course("CIT-40")
    sender, another = make_user("academy"), make_user("academy")
    if linked == "role":
        Access.objects.create(user=sender, role="officer", officer=member)
    else:
        Officer.objects.filter(pk=member.pk).update(email="Reyes@city.example")
        User.objects.filter(pk=sender.pk).update(email="reyes@CITY.example")
        sender.refresh_from_db()

    first = import_text(tmp_path, "completions", OWN_FILE, by=sender).plan
    after_first = evidence_of_all()
    second = import_text(tmp_path, "completions", OWN_FILE, by=sender).plan
    by_another = import_text(tmp_path, "completions", OWN_FILE, by=another).plan
    after_another = evidence_of_all()
    once_more = import_text(tmp_path, "completions", OWN_FILE, by=sender).plan

    assert verdicts(first) == ["new"] * 4
    assert [tuple(warning) for warning in first.warnings] == [
        (2, "evidence", "", OWN_WAITS),
        (3, "evidence", "", OWN_WAITS),
    ]
    assert after_first == [
        ("1", 1, "pending", False),
        ("1", 2, "pending", False),
        ("1", 3, "rejected", False),
        ("2", 2, "verified", False),
    ]
    assert verdicts(second) == ["same"] * 4
    # Another's word counts where the file gives one; a blank leaves the evidence as it stands.
    assert verdicts(by_another) == ["same", "changed", "same", "same"]
    assert after_another[:2] == [("1", 1, "pending", False), ("1", 2, "verified", True)]
    # What another verified stays: the member's own file takes nothing back either.
    assert verdicts(once_more) == ["same"] * 4
    assert evidence_of_all() == after_another


@pytest.mark.parametrize("evidence", ["", "verified", "pending"])
def test_nobody_changes_their_own_completion_by_a_file(tmp_path: Path, evidence: str) -> None:
    member, other, course = make_officer("1"), make_officer("2"), make_course("CIT-40")
    complete(member, course, date(2026, 11, 1), hours=36)
    complete(other, course, date(2026, 11, 1), hours=36)
    sender = make_user("academy")
    Access.objects.create(user=sender, role="officer", officer=member)
    text = (
        f"badge,course,completed_on,hours,evidence\n7,CIT-40,2026-11-01,40,{evidence}\n"
        "8,CIT-40,2026-11-01,40,\n9,CIT-40,2026-11-01,40,\n"
    )
    Officer.objects.filter(pk=member.pk).update(badge="7")
    Officer.objects.filter(pk=other.pk).update(badge="8")

    plan = import_text(tmp_path, "completions", text, by=sender, match=("badge",)).plan

    assert verdicts(plan) == ["rejected", "changed", "rejected"]
    assert reasons(plan)[0] == (2, "employee_id", OWN_CHANGE)
    assert list(Completion.objects.known().order_by("officer__employee_id").values_list("hours", flat=True)) == [36, 40]


def test_warnings_of_late_entry_and_of_a_completion_before_hire(tmp_path: Path) -> None:
    make_officer("1", hired_on=date(2026, 10, 25))
    make_course("CIT-40")
    text = "employee_id,course,completed_on\n1,CIT-40,2026-10-25\n1,CIT-40,2026-10-21\n1,CIT-40,2026-10-20\n"

    plan = import_text(tmp_path, "completions", text).plan
    again = import_text(tmp_path, "completions", text).plan

    assert [(warning.line, warning.value, warning.reason) for warning in plan.warnings] == [
        (3, "2026-10-21", "Before the member was hired, on 2026-10-25."),
        (4, "2026-10-20", "Entered more than 30 days after the class."),
        (4, "2026-10-20", "Before the member was hired, on 2026-10-25."),
    ]
    assert [line.has_warning for line in plan.lines()] == [False, True, True]
    assert len(again.warnings) == 0


@pytest.mark.parametrize(
    ("day", "plan", "reason"),
    [
        pytest.param("2026-10-31", "v2019", None, id="its-last-day"),
        pytest.param(
            "2026-11-01",
            "V2019",
            "This lesson plan was not in force on 2026-11-01: the completion does not count.",
            id="the-day-after",
        ),
        pytest.param(
            "2026-11-01",
            "v2018",
            "The course has lesson plans, but none of this version: the completion does not count.",
            id="a-version-the-course-never-had",
        ),
        pytest.param("2026-11-01", "", None, id="none-named"),
    ],
)
def test_a_lesson_plan_that_does_not_count_is_a_warning(
    tmp_path: Path, day: str, plan: str, reason: str | None
) -> None:
    make_officer("1")
    make_lesson_plan(make_course("CIT-40"), "v2019", date(2019, 1, 1), date(2026, 10, 31))

    found = import_text(
        tmp_path,
        "completions",
        f"employee_id,course,completed_on,Plan\n1,CIT-40,{day},{plan}\n",
        mapping={"Plan": "lesson_plan"},
    ).plan

    assert list(found.warnings) == ([] if reason is None else [(2, "Plan", plan, reason)])
    assert counts(found) == (1, 0, 0, 0)


def test_rows_keep_every_cell(tmp_path: Path) -> None:
    make_officer("1")
    make_course("CIT-40")
    text = (
        "employee_id,course,completed_on,hours,score,attendance,result,evidence,verified_on,certificate_number,"
        "certificate_expires_on,lesson_plan,class_number\n"
        r"1,CIT-40,2024-01-01,7.5,88,95%,Failed,Pending,2024-02-01,C\N\t7,2027-01-01,v2019,'=K-1" + "\n"
    )

    import_text(tmp_path, "completions", text)
    plan = import_text(tmp_path, "completions", text).plan

    row = Completion.objects.get()
    columns = [field.name for field in Completion._meta.fields if not field.is_relation and field.name != "id"]
    assert {name: getattr(row, name) for name in columns} == {
        "completed_on": date(2024, 1, 1),
        "hours": Decimal("7.50"),
        "score": Decimal(88),
        "attendance": Decimal(95),
        "result": "failed",
        "provider": "",
        "evidence": "pending",
        "verified_on": date(2024, 2, 1),
        "certificate_number": r"C\N\t7",
        "certificate_expires_on": date(2027, 1, 1),
        "lesson_plan": "v2019",
        "class_number": "=K-1",
    }
    assert counts(plan) == (0, 1, 0, 0)


def test_an_expiry_at_the_end_of_time_is_none(tmp_path: Path) -> None:
    make_course("MHFA", hours=8)
    make_officer("1", hired_on=date(2015, 1, 1))

    import_text(
        tmp_path,
        "completions",
        "employee_id,course,completed_on,certificate_expires_on\n1,MHFA,2024-01-08,9999-12-31\n",
    )

    assert Completion.objects.get().certificate_expires_on is None
