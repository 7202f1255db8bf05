"""What is missing from a class file, item by item; the number in the list is the number of items."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.class_papers import gather, missing
from compliance.class_papers.missing import What
from tests import factories as make
from tests.compliance.taught import MONDAY, TUESDAY, Taught, keep_paper, make_planned, make_taught, reread
from training.models import (
    Attendance,
    ClassPaper,
    ClassSession,
    CourseTest,
    Enrollment,
    LessonPlan,
    Meeting,
    Qualification,
    TestAttempt,
)

pytestmark = pytest.mark.django_db

#: The morning after the class.
AFTER = make.at(TUESDAY + timedelta(days=1), 8)
BEFORE = make.at(MONDAY, 7)
UNFINISHED = "The class is over and not finished yet."


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def told(session: ClassSession, now: datetime = AFTER) -> list[str]:
    """The sentences; there are as many as the list counts."""
    session = reread(session)
    found = missing.items(session, gather.blocks_of(session), gather.seats_of(session), now=now)
    assert missing.counts([session.pk], now=now)[session.pk] == len(found)
    return [item.sentence for item in found]


def test_a_class_with_everything_lacks_nothing_once_it_is_finished() -> None:
    taught = make_taught()
    ClassSession.objects.filter(pk=taught.session.pk).update(state="finished")

    assert told(taught.session) == []


def test_a_class_with_everything_lacks_only_its_finish() -> None:
    taught = make_taught()

    assert told(taught.session) == [UNFINISHED]
    assert told(taught.session, now=make.at(TUESDAY, 23, 59)) == []


def test_before_it_begins_a_planned_class_lacks_nothing_of_what_comes_of_teaching() -> None:
    assert told(make_planned().session, now=BEFORE) == []


def no_plan(taught: Taught) -> None:
    ClassSession.objects.filter(pk=taught.session.pk).update(lesson_plan=None)


def no_plan_file(taught: Taught) -> None:
    LessonPlan.objects.update(file=None)


def no_objectives(taught: Taught) -> None:
    LessonPlan.objects.update(objectives="")


def plan_nobody_approved(taught: Taught) -> None:
    LessonPlan.objects.update(approved_by="")


def plan_approved_without_a_day(taught: Taught) -> None:
    LessonPlan.objects.update(approved_on=None)


def plan_ends_on_monday(taught: Taught) -> None:
    LessonPlan.objects.update(end_on=MONDAY)


def plan_begins_on_tuesday(taught: Taught) -> None:
    LessonPlan.objects.update(start_on=TUESDAY)


def plan_of_just_these_days(taught: Taught) -> None:
    LessonPlan.objects.update(start_on=MONDAY, end_on=TUESDAY)


def nobody_teaches(taught: Taught) -> None:
    taught.blocks[2].teaching.all().delete()


def qualified_through_monday(taught: Taught) -> None:
    Qualification.objects.update(end_on=MONDAY)


def qualified_for_another_course(taught: Taught) -> None:
    Qualification.objects.update(end_on=MONDAY)
    other = make.make_course("OTHER")
    Qualification.objects.create(instructor=taught.ruth, course=other, title="Other", start_on=date(2020, 1, 1))


def renewed_for_this_course(taught: Taught) -> None:
    Qualification.objects.update(end_on=MONDAY)
    course = taught.session.course
    Qualification.objects.create(instructor=taught.ruth, course=course, title="Renewed", start_on=TUESDAY)


def never_qualified(taught: Taught) -> None:
    Qualification.objects.all().delete()


def too_many(taught: Taught) -> None:
    ClassSession.objects.filter(pk=taught.session.pk).update(capacity=2)


def just_enough_places(taught: Taught) -> None:
    ClassSession.objects.filter(pk=taught.session.pk).update(capacity=3)


def no_roster(taught: Taught) -> None:
    ClassPaper.objects.filter(kind="roster").update(withdrawn_at=timezone.now())


def a_sheet_withdrawn(taught: Taught) -> None:
    ClassPaper.objects.filter(meeting=taught.blocks[1]).update(withdrawn_at=timezone.now())


def a_sheet_of_no_block(taught: Taught) -> None:
    ClassPaper.objects.filter(meeting=taught.blocks[1]).update(meeting=None)


def no_real_times(taught: Taught) -> None:
    block = taught.blocks[0]
    block.began_at = block.ended_at = None
    block.save()


def a_late_comer(taught: Taught) -> None:
    officer = make.make_officer(last_name="Bello", first_name="Frank")
    Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())


def a_late_comer_on_the_waitlist(taught: Taught) -> None:
    officer = make.make_officer(last_name="Bello", first_name="Frank")
    Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now(), state="waitlisted")


def another_test(taught: Taught) -> None:
    CourseTest.objects.create(course=taught.session.course, name="Scenario", pass_mark=80)


def another_test_given_up(taught: Taught) -> None:
    CourseTest.objects.create(course=taught.session.course, name="Scenario", pass_mark=80, is_retired=True)


def a_score_struck(taught: Taught) -> None:
    attempt = TestAttempt.objects.get(enrollment=taught.seats[0])
    TestAttempt.objects.create(
        enrollment=taught.seats[0],
        test=taught.test,
        taken_on=TUESDAY,
        score=92,
        replaces=attempt,
        is_struck=True,
        why="Another's sheet",
    )


def a_score_corrected(taught: Taught) -> None:
    attempt = TestAttempt.objects.get(enrollment=taught.seats[0])
    TestAttempt.objects.create(
        enrollment=taught.seats[0], test=taught.test, taken_on=TUESDAY, score=90, replaces=attempt, why="Misread"
    )


def struck_for_who_did_not_finish(taught: Taught) -> None:
    a_score_struck(taught)
    Enrollment.objects.filter(pk=taught.seats[0].pk).update(outcome="incomplete")


def only_a_make_up(taught: Taught) -> None:
    """Somebody who made a block up is not marked in it for that."""
    a_late_comer(taught)
    other = make.make_class("C-OTHER", taught.session.course, days=[date(2026, 3, 9)])
    seat = Enrollment.objects.get(session=taught.session, officer__last_name="Bello")
    for block in taught.blocks:
        made_up_in = other.meetings.first() if block == taught.blocks[0] else None
        Attendance.objects.create(enrollment=seat, meeting=block, minutes=60, made_up_in=made_up_in)
    TestAttempt.objects.create(enrollment=seat, test=taught.test, taken_on=TUESDAY, score=80)


def a_test_added_after_it_was_finished(taught: Taught) -> None:
    another_test(taught)
    Enrollment.objects.filter(session=taught.session).update(outcome="passed")


def cancelled(taught: Taught) -> None:
    no_plan(taught)
    ClassSession.objects.filter(pk=taught.session.pk).update(state="cancelled")


BELLO = [f"Block {number}, {name}: attendance is not marked for Bello, Frank."
         for number, name in enumerate(("Signs", "Listening", "Distance", "Role play"), start=1)]  # fmt: skip


def test_a_block_that_ends_at_midnight_is_of_the_day_that_ends() -> None:
    taught = make_taught()
    Meeting.objects.filter(pk=taught.blocks[3].pk).update(ends_at=make.at(TUESDAY + timedelta(days=1), 0))
    plan_of_just_these_days(taught)

    assert told(taught.session, now=make.at(TUESDAY, 23, 59)) == []
    assert told(taught.session, now=make.at(TUESDAY + timedelta(days=1), 0)) == [UNFINISHED]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(no_plan, ["No lesson plan is named."], id="no-lesson-plan"),
        pytest.param(no_plan_file, ["Lesson plan v2025: its file is not here."], id="no-plan-file"),
        pytest.param(no_objectives, ["Lesson plan v2025: no objective is written down."], id="no-objectives"),
        pytest.param(
            plan_nobody_approved,
            ["Lesson plan v2025: who approved it and when is not written down."],
            id="plan-not-approved",
        ),
        pytest.param(
            plan_approved_without_a_day,
            ["Lesson plan v2025: who approved it and when is not written down."],
            id="plan-approved-without-a-day",
        ),
        pytest.param(
            plan_ends_on_monday,
            [
                "Lesson plan v2025 is not in force on every day of the class: "
                "it holds from 1 Jan 2025 to 2 Mar 2026."
            ],
            id="plan-ends-too-early",
        ),
        pytest.param(
            plan_begins_on_tuesday,
            ["Lesson plan v2025 is not in force on every day of the class: it holds from 3 Mar 2026."],
            id="plan-begins-too-late",
        ),
        pytest.param(plan_of_just_these_days, [], id="plan-of-first-and-last-day"),
        pytest.param(nobody_teaches, ["Block 3, Distance: no instructor is named."], id="no-instructor"),
        pytest.param(
            qualified_through_monday,
            ["Ruth Osei: no qualification in force on the day of blocks 3, 4."],
            id="qualification-ran-out",
        ),
        pytest.param(
            qualified_for_another_course,
            ["Ruth Osei: no qualification in force on the day of blocks 3, 4."],
            id="qualified-for-another-course",
        ),
        pytest.param(renewed_for_this_course, [], id="qualification-renewed"),
        pytest.param(never_qualified, [], id="no-qualification-entered"),
        pytest.param(
            too_many, ["More people have a seat than the class has places: it has 2."], id="capacity-exceeded"
        ),
        pytest.param(just_enough_places, [], id="capacity-reached"),
        pytest.param(no_roster, ["The approved roster is not here."], id="no-roster"),
        pytest.param(
            a_sheet_withdrawn, ["Block 2, Listening: the signed sign-in sheet is not here."], id="sheet-withdrawn"
        ),
        pytest.param(
            a_sheet_of_no_block, ["Block 2, Listening: the signed sign-in sheet is not here."], id="sheet-of-no-block"
        ),
        pytest.param(
            no_real_times, ["Block 1, Signs: when it really began and ended is not entered."], id="no-real-times"
        ),
        pytest.param(a_late_comer, [*BELLO, "Written test: no score is entered for Bello, Frank."], id="not-marked"),
        pytest.param(a_late_comer_on_the_waitlist, [], id="waitlist-is-not-asked"),
        pytest.param(another_test, ["Scenario: no score is entered."], id="no-score-of-anybody"),
        pytest.param(another_test_given_up, [], id="test-given-up"),
        pytest.param(
            a_score_struck, ["Written test: no score is entered for Whitfield, Amara."], id="score-struck"
        ),
        pytest.param(a_score_corrected, [], id="score-corrected"),
        pytest.param(struck_for_who_did_not_finish, [], id="who-did-not-finish-needs-no-score"),
        pytest.param(a_test_added_after_it_was_finished, [], id="a-test-that-was-not-asked-then"),
        pytest.param(only_a_make_up, BELLO[:1], id="make-up-is-no-mark"),
    ],
)  # fmt: skip
def test_item(change: Callable[[Taught], None], expected: list[str]) -> None:
    taught = make_taught()

    change(taught)

    assert told(taught.session) == [*expected, UNFINISHED]


def test_nothing_is_missing_from_a_cancelled_class() -> None:
    taught = make_taught()

    cancelled(taught)

    assert told(taught.session) == []


def test_a_class_without_blocks_is_told_so_and_asked_for_nothing_else() -> None:
    taught = make_planned()
    session = make.make_class("C-EMPTY", taught.session.course, days=(), lesson_plan=taught.session.lesson_plan)

    assert told(session) == ["No block is planned."]


def test_a_block_counts_from_the_minute_it_ends() -> None:
    taught = make_planned()
    first = taught.blocks[0]
    keep_paper(taught.session, "roster")

    assert told(taught.session, now=first.ends_at - timedelta(minutes=1)) == []
    assert told(taught.session, now=first.ends_at) == [
        "Block 1, Signs: the signed sign-in sheet is not here.",
        "Block 1, Signs: when it really began and ended is not entered.",
        "Block 1, Signs: attendance is not marked.",
    ]


def test_each_item_says_where_it_is_mended() -> None:
    taught = make_planned()
    session = reread(taught.session)

    found = missing.items(session, gather.blocks_of(session), gather.seats_of(session), now=AFTER)

    pages = {item.what: (item.page, dict(item.query)) for item in found}
    assert pages[What.SIGN_IN] == ("class-papers", {"kind": "sign_in", "block": 4})
    assert pages[What.ROSTER] == ("class-papers", {"kind": "roster"})
    assert {what: page for what, (page, _) in pages.items()} == {
        What.ROSTER: "class-papers",
        What.SIGN_IN: "class-papers",
        What.REAL_TIMES: "class-times",
        What.ATTENDANCE: "class-attendance",
        What.TEST: "class-tests",
        What.FINISH: "class-finish",
    }


def test_of_many_names_the_rest_is_counted() -> None:
    taught = make_taught()
    for number in range(14):
        officer = make.make_officer(last_name=f"Name{number:02d}", first_name="A")
        Enrollment.objects.create(session=taught.session, officer=officer, since=timezone.now())

    first = told(taught.session)[0]

    assert (
        first
        == "Block 1, Signs: attendance is not marked for "
        + "; ".join(f"Name{number:02d}, A" for number in range(12))
        + "; and 2 more."
    )


@pytest.mark.parametrize("classes", [1, 12])
def test_counting_is_one_query_for_any_number_of_classes(
    classes: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [
        make.make_class(f"C-{number}", make.make_course(), days=[MONDAY + timedelta(days=7 * number)]).pk
        for number in range(classes)
    ]

    with django_assert_num_queries(1):
        found = missing.counts(keys, now=make.at(date(2026, 12, 1), 8))

    assert set(found) == set(keys)
    assert set(found.values()) == {9}  # plan, 2 instructors, roster, 2 sheets, 2 real times, finish
