"""Finishing a class: attendance and tests become completions and standings at once; reopening takes them back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from compliance import standings
from compliance.models import Requirement, Standing
from roster import merging
from roster.models import Access, Agency
from tests import factories as make
from tests.two_writers import Worker
from training import attendance, completions, duplicates, finish
from training.class_records import EntryRefused
from training.finish import Act
from training.models import (
    Attendance,
    ClassSession,
    ClassState,
    Completion,
    CourseTest,
    Enrollment,
    EvidenceDecision,
    KeptBoth,
    Meeting,
    TestAttempt,
)

MONDAY, FRIDAY, TODAY = date(2026, 4, 13), date(2026, 4, 17), date(2026, 4, 30)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(db: None) -> User:
    return make.make_user("academy", "academy")


@pytest.fixture
def session(db: None) -> ClassSession:
    """Five days of eight hours, minimum 90 %, one exam with 70 %; a requirement that the course meets."""
    course = make.make_course(min_attendance=Decimal(90))
    make.make_requirement("crisis", entry=(course,), population={"categories": ["sworn"]})
    plan = make.make_lesson_plan(course, "v2025", date(2025, 1, 1))
    make.make_test(course)
    days = [MONDAY + timedelta(days=number) for number in range(5)]
    return ClassSession.objects.get(pk=make.make_class("CIT-1", course, days=days, lesson_plan=plan).pk)


def seat_of(session: ClassSession, name: str = "Whitfield", score: int | None = 82, **values: Any) -> Enrollment:
    """A member who attended everything and passed the exam on the last day; `score` None took no test."""
    seat = make.make_seat(session, make.make_officer(last_name=name, **values))
    make.attend(seat)
    if score is not None:
        take_exam(seat, score)
    return seat


def take_exam(seat: Enrollment, score: int, on: date = FRIDAY, remedial: date | None = None) -> None:
    exam = CourseTest.objects.get(course=seat.session.course)
    TestAttempt.objects.create(enrollment=seat, test=exam, taken_on=on, score=score, remedial_on=remedial)


def finish_it(
    session: ClassSession, by: User | None, *, today: date = TODAY, choices: dict[int, str] | None = None
) -> finish.Finished:
    """Finish what the page would show now."""
    session.refresh_from_db()
    shown = finish.plan(session, by=by, today=today).digest
    return finish.finish(session, shown=shown, by=by, today=today, choices=choices)


def refusal(session: ClassSession, by: User | None, **values: Any) -> list[str]:
    with pytest.raises(EntryRefused) as refused:
        finish_it(session, by, **values)
    return refused.value.messages


def outcome(seat: Enrollment) -> tuple[str, str]:
    seat.refresh_from_db()
    return seat.outcome, seat.outcome_why


def state_of(seat: Enrollment, on: date = TODAY) -> str:
    rows = Standing.objects.filter(officer=seat.officer_id, start_on__lte=on).order_by("-start_on")
    return rows[0].state


def test_a_class_becomes_completions_and_standings(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    before = state_of(seat)

    done = finish_it(session, by)

    session.refresh_from_db()
    completion = Completion.objects.get()
    assert (done.recorded, done.already, before, state_of(seat)) == (1, False, "overdue", "current")
    assert (session.state, session.finished_in) == (ClassState.FINISHED, completion.recorded_in)
    assert (completion.officer_id, completion.course_id, completion.completed_on) == (
        seat.officer_id,
        session.course_id,
        FRIDAY,
    )
    assert (completion.score, completion.attendance, completion.hours) == (Decimal(82), Decimal(100), Decimal(40))
    assert (completion.class_number, completion.lesson_plan) == ("CIT-1", "v2025")
    assert (completion.evidence, completion.verified_on, completion.result) == ("verified", TODAY, "passed")
    assert (completion.recorded_in.by, completion.recorded_in.why) == (by, "Class CIT-1 finished")
    assert outcome(seat) == ("passed", "")
    assert seat.completion == completion
    event = session.events.get(what="finished")
    assert (event.told, event.change, event.by) == (
        "1 passed; 1 completion recorded",
        completion.recorded_in,
        by,
    )
    assert standings.differences() == {}


def test_example_9_of_the_rules(session: ClassSession, by: User) -> None:
    """Missed 4 of 40 hours: the minimum of 90 % is met on the last day; one of 100 % with the make-up."""
    least = {}
    for number, minimum in enumerate((90, 100)):
        course = make.make_course(f"LEAST-{minimum}", min_attendance=Decimal(minimum))
        days = [MONDAY + timedelta(days=day) for day in range(5)]
        least[minimum] = make.make_class(f"L-{number}", course, days=days)
        make.attend(make.make_seat(least[minimum], make.make_officer()), 0)
    other = make.make_class("L-2", least[100].course, days=[date(2026, 4, 22)])
    short = least[100].enrollments.get()
    blocks = least[100].meetings.order_by("starts_at"), other.meetings.order_by("starts_at")
    attendance.make_up(short, blocks[0][0], blocks[1][0], minutes=None, by=by, today=TODAY)

    for each in least.values():
        finish_it(each, by)

    assert list(
        Completion.objects.order_by("completed_on").values_list("course__code", "completed_on", "attendance")
    ) == [
        ("LEAST-90", FRIDAY, Decimal("90.00")),
        ("LEAST-100", date(2026, 4, 22), Decimal("100.00")),
    ]


def test_everybody_comes_to_what_they_did(session: ClassSession, by: User) -> None:
    passed = seat_of(session, "Passed")
    failed = seat_of(session, "Failed", 60)
    untested = seat_of(session, "Untested", None)
    absent = make.make_seat(session, make.make_officer(last_name="Absent"))
    make.attend(absent, *[0] * 10)
    outside = make.make_seat(session, outside_name="Okafor, Ruth")
    make.attend(outside)
    take_exam(outside, 90)
    waiting = make.make_seat(session, make.make_officer(last_name="Waiting"), state="waitlisted")

    done = finish_it(session, by)

    assert done.recorded == 1
    assert {
        seat.name.split(",")[0]: outcome(seat) for seat in (passed, failed, untested, absent, outside, waiting)
    } == {
        "Passed": ("passed", ""),
        "Failed": ("failed", "Written exam: 60 %, and 70 % passes."),
        "Untested": ("incomplete", "Written exam: not taken."),
        "Absent": ("no_show", "Did not come."),
        "Okafor": ("passed", "Their record is kept elsewhere."),
        "Waiting": ("", ""),
    }
    assert list(Completion.objects.values_list("officer", flat=True)) == [passed.officer_id]
    assert [(seat.outcome_on, seat.outcome_score, seat.outcome_attendance) for seat in (outside, failed, absent)] == [
        (FRIDAY, Decimal(90), Decimal(100)),
        (None, Decimal(60), Decimal(100)),
        (None, None, Decimal(0)),
    ]
    assert session.events.get(what="finished").told == (
        "2 passed, 1 failed, 1 incomplete, 1 did not come; 1 completion recorded"
    )


def test_a_class_where_nobody_passes_is_finished_without_a_change(session: ClassSession, by: User) -> None:
    seat_of(session, score=10)

    finish_it(session, by)

    session.refresh_from_db()
    assert (session.state, session.finished_in) == (ClassState.FINISHED, None)


def test_finishing_twice_records_once(session: ClassSession, by: User) -> None:
    seat_of(session)
    shown = finish.plan(session, by=by, today=TODAY).digest

    first = finish.finish(session, shown=shown, by=by, today=TODAY)
    second = finish.finish(session, shown=shown, by=by, today=TODAY)

    assert (first, second) == (finish.Finished(1), finish.Finished(0, already=True))
    assert Completion.objects.count() == 1
    assert session.events.filter(what="finished").count() == 1


def test_what_changed_since_it_was_shown_is_not_finished(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    shown = finish.plan(session, by=by, today=TODAY).digest
    block = session.meetings.order_by("starts_at")[0]
    attendance.mark(session, {(seat.pk, block.pk): 0}, seen=10**9, by=by, today=TODAY, why="A slip")

    with pytest.raises(EntryRefused) as refused:
        finish.finish(session, shown=shown, by=by, today=TODAY)

    assert refused.value.messages == [finish.MEANWHILE]
    assert Completion.objects.count() == 0


def test_a_class_is_finished_once_its_last_block_was_held(session: ClassSession, by: User) -> None:
    seat_of(session)

    assert refusal(session, by, today=FRIDAY - timedelta(days=1)) == [
        "The last block ends on 17 Apr 2026. Finish the class once it was held."
    ]
    assert finish_it(session, by, today=FRIDAY).recorded == 1


def test_a_class_past_midnight_is_completed_on_the_day_on_which_it_ends(session: ClassSession, by: User) -> None:
    """The last hour was met on 1 March."""
    leap, after = date(2024, 2, 29), date(2024, 3, 1)
    night = make.make_class("NIGHT", make.make_course("SHORT", hours=8), days=())
    make.make_block(night, make.at(leap, 22), make.at(after, 6))
    seat = make.make_seat(night, make.make_officer())
    make.attend(seat)

    assert refusal(night, by, today=leap) == ["The last block ends on 1 Mar 2024. Finish the class once it was held."]
    assert finish_it(night, by, today=after).recorded == 1
    assert Completion.objects.get().completed_on == after


def test_a_class_that_ends_on_29_february_is_current_through_28_february(session: ClassSession, by: User) -> None:
    leap = date(2024, 2, 29)
    course = make.make_course("LEAP", hours=8)
    rolling = make.make_requirement(
        "rolling", entry=(course,), clock="rolling", months=36, population={"categories": ["sworn"]}
    )
    session = make.make_class("LEAP-1", course, days=[leap])
    seat = make.make_seat(session, make.make_officer())
    make.attend(seat)

    finish_it(session, by)

    assert Completion.objects.get().completed_on == leap
    current = Standing.objects.get(officer=seat.officer, requirement=rolling, state="current")
    assert (current.start_on, current.end_on, current.due_on) == (leap, date(2027, 2, 28), date(2027, 2, 28))


def test_a_class_that_held_less_than_its_course_says_so(session: ClassSession, by: User) -> None:
    assert finish.plan(session, by=by, today=TODAY).short == ""
    whole = session.meetings.earliest("starts_at")
    Meeting.objects.update(began_at=F("starts_at"), ended_at=F("ends_at") - timedelta(hours=1))

    assert finish.plan(session, by=by, today=TODAY).short == (
        "The blocks of this class really took 30 h; the course has 40 h, and so many hours each completion records."
    )
    whole.delete()
    assert finish.plan(session, by=by, today=TODAY).short == (
        "The blocks of this class come to 36 h; the course has 40 h, and so many hours each completion records."
    )


def test_a_cancelled_or_empty_class_is_not_finished(session: ClassSession, by: User) -> None:
    assert refusal(session, by) == ["Nobody has a seat in this class."]
    ClassSession.objects.update(state=ClassState.CANCELLED)
    assert refusal(session, by) == ["This class was cancelled."]
    assert refusal(make.make_class("CIT-2", days=[]), by) == ["The class has no blocks yet."]


def test_a_completion_in_the_future_is_refused(session: ClassSession, by: User) -> None:
    seat = seat_of(session, score=None)
    take_exam(seat, 82, on=TODAY + timedelta(days=1))
    other = seat_of(session, "Other")

    done = finish_it(session, by)

    assert done.recorded == 1
    assert outcome(seat) == ("passed", "The last piece is on 1 May 2026, which is still to come.")
    assert outcome(other) == ("passed", "")


def test_who_has_the_completion_already_is_the_same(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    assert seat.officer is not None
    has = make.complete(seat.officer, session.course, FRIDAY, class_number="cit-1")

    done = finish_it(session, by)

    assert done.recorded == 0
    assert outcome(seat) == ("passed", "Has this completion already.")
    assert seat.completion == has
    finish.reopen(session, why="Look at it again", by=by)
    has.refresh_from_db()
    assert has.voided_in is None


@pytest.mark.parametrize(
    ("on", "number", "said"),
    [
        pytest.param(
            date(2026, 4, 16),
            "CIT-1",
            "A completion of this class stands on 16 Apr 2026. Correct or void that one first.",
            id="of-another-day",
        ),
        pytest.param(
            FRIDAY,
            "",
            "This course is recorded on 17 Apr 2026 already, without a class number. "
            "Give that completion the number of this class, or void it.",
            id="without-a-number",
        ),
    ],
)
def test_a_completion_that_may_be_the_same_is_for_a_person_to_decide(
    session: ClassSession, by: User, on: date, number: str, said: str
) -> None:
    seat = seat_of(session)
    assert seat.officer is not None
    make.complete(seat.officer, session.course, on, class_number=number)

    done = finish_it(session, by)

    assert done.recorded == 0
    assert outcome(seat) == ("passed", said)


def test_what_a_file_brought_of_this_class_and_is_odd_is_told(session: ClassSession, by: User) -> None:
    """A file says failed, or gives no score, or brought a completion of somebody who did not pass."""
    people = {name: seat_of(session, name) for name in ("Failed", "Pending", "Same")}
    people["Short"] = seat_of(session, "Short", 55)
    brought: dict[str, dict[str, Any]] = {
        "Failed": {"result": "failed"},
        "Pending": {"evidence": "pending"},
        "Same": {"score": 82, "attendance": 100},
        "Short": {"score": 71},
    }
    for name, values in brought.items():
        officer = people[name].officer
        assert officer is not None
        make.complete(officer, session.course, FRIDAY, class_number="CIT-1", **values)

    lines = finish.plan(session, by=by, today=TODAY).lines

    assert [(line.seat.name.split(",")[0], line.act, line.why, line.notes) for line in lines] == [
        (
            "Failed",
            Act.REFUSED,
            (
                "A completion of this class stands on 17 Apr 2026 with the result failed. "
                "Correct or void that one first.",
            ),
            (),
        ),
        (
            "Pending",
            Act.SAME,
            ("Has this completion already.",),
            (
                "Its evidence is not verified, so it does not count.",
                "Its score is not given; the class comes to 82 %.",
                "Its attendance is not given; the class comes to 100 %.",
            ),
        ),
        ("Same", Act.SAME, ("Has this completion already.",), ()),
        (
            "Short",
            Act.NOTHING,
            (
                "Written exam: 55 %, and 70 % passes.",
                "A completion of this class stands all the same, on 17 Apr 2026: void it if it is wrong.",
            ),
            (),
        ),
    ]


def test_a_seat_that_a_merge_gave_to_another_record_is_looked_at_again(session: ClassSession, by: User) -> None:
    seat, kept = seat_of(session), make.make_officer()
    shown = finish.plan(session, by=by, today=TODAY).digest
    assert seat.officer is not None
    merging.merge(kept, seat.officer, why="One person", by=by)

    with pytest.raises(EntryRefused) as refused:
        finish.finish(session, shown=shown, by=by, today=TODAY)

    assert refused.value.messages == [finish.MEANWHILE]
    assert finish_it(session, by).recorded == 1
    assert Completion.objects.get().officer == kept


def test_a_class_of_another_agency_with_the_same_number_is_another_class(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    assert seat.officer is not None
    theirs = make.make_class("cit-1", session.course, agency=make.make_agency("so", "Sheriff"), days=[date(2025, 5, 5)])
    before = make.make_seat(theirs, seat.officer)
    before.completion = make.complete(seat.officer, session.course, date(2025, 5, 5), class_number="cit-1")
    before.save()

    assert finish_it(session, by).recorded == 1


def test_an_earlier_course_of_the_member_stands_in_no_way(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    assert seat.officer is not None
    make.complete(seat.officer, session.course, date(2020, 5, 1))

    assert finish_it(session, by).recorded == 1


# --- look-alikes ------------------------------------------------------------------------------------------------------


def alike(seat: Enrollment, on: date = MONDAY, **values: Any) -> Completion:
    """What the member of a seat has of the course already."""
    assert seat.officer is not None
    return make.complete(seat.officer, seat.session.course, on, **values)


@pytest.mark.parametrize(
    ("on", "values", "is_asked"),
    [
        pytest.param(FRIDAY - timedelta(days=7), {}, True, id="within-the-days"),
        pytest.param(FRIDAY - timedelta(days=8), {}, False, id="a-day-beyond"),
        pytest.param(FRIDAY + timedelta(days=7), {}, True, id="after"),
        pytest.param(FRIDAY, {"class_number": "CIT-0"}, True, id="another-class-of-the-day"),
        pytest.param(FRIDAY, {"class_number": "CIT-0", "result": "failed"}, True, id="failed-on-the-day"),
        pytest.param(FRIDAY - timedelta(days=2), {"result": "failed"}, False, id="failed-before"),
    ],
)
def test_who_has_one_like_it_is_asked_about(
    session: ClassSession, by: User, on: date, values: dict[str, str], is_asked: bool
) -> None:
    seat, other = seat_of(session), seat_of(session, "Other")
    row = alike(seat, on, **values)

    lines = {line.seat.pk: line for line in finish.plan(session, by=by, today=TODAY).lines}

    assert lines[seat.pk].twins == ((row,) if is_asked else ())
    assert (lines[seat.pk].is_asked, lines[other.pk].is_asked) == (is_asked, False)


def test_nothing_is_finished_until_each_look_alike_is_decided(session: ClassSession, by: User) -> None:
    seats = [seat_of(session, name) for name in ("Whitfield", "Delacroix")]
    for seat in seats:
        alike(seat)

    with pytest.raises(EntryRefused) as refused:
        finish_it(session, by, choices={seats[0].pk: "both"})

    said = "Say of everybody who has a completion like this one whether both were taught: Delacroix, "
    assert refused.value.messages[0].startswith(said)
    session.refresh_from_db()
    assert (session.state, Completion.objects.count()) == (ClassState.PLANNED, 2)


def test_both_are_recorded_and_remembered_or_this_one_is_left_out(session: ClassSession, by: User) -> None:
    both, left, plain = (seat_of(session, name) for name in ("Both", "Left", "Plain"))
    taught, stands = alike(both), alike(left)

    done = finish_it(session, by, choices={both.pk: "both", left.pk: "leave", plain.pk: "leave"})

    assert done.recorded == 2
    made = Completion.objects.get(officer=both.officer, class_number="CIT-1")
    assert KeptBoth.objects.values_list("first", "second", "by").get() == (taught.pk, made.pk, by.pk)
    assert list(Completion.objects.filter(officer=left.officer)) == [stands]
    assert outcome(left) == ("passed", "Left out: what is recorded on 13 Apr 2026 stands for it.")
    assert (left.completion, outcome(plain)) == (None, ("passed", ""))
    assert duplicates.undecided([made]) == {}
    assert session.events.get(what="finished").told == "3 passed; 2 completions recorded"
    assert standings.differences() == {}


def test_what_was_said_once_is_not_asked_after_reopening(session: ClassSession, by: User) -> None:
    both, left = seat_of(session, "Both"), seat_of(session, "Left")
    alike(both), alike(left)
    finish_it(session, by, choices={both.pk: "both", left.pk: "leave"})
    finish.reopen(session, why="x", by=by)
    session.refresh_from_db()

    asked = finish.plan(session, by=by, today=TODAY).asked
    finish_it(session, by, choices={left.pk: "both"})

    assert [line.seat for line in asked] == [left]
    made = Completion.objects.known().filter(class_number="CIT-1")
    assert (len(made), duplicates.undecided(made)) == (2, {})


def test_a_look_alike_recorded_meanwhile_is_shown_first(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    shown = finish.plan(session, by=by, today=TODAY).digest
    alike(seat)

    with pytest.raises(EntryRefused) as refused:
        finish.finish(session, shown=shown, by=by, today=TODAY, choices={seat.pk: "both"})

    assert refused.value.messages == [finish.MEANWHILE]


def test_of_ones_own_look_alike_somebody_else_decides(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    Access.objects.create(user=by, role="officer", officer=seat.officer)
    alike(seat)

    (line,) = finish.plan(session, by=by, today=TODAY).lines
    finish_it(session, by, choices={seat.pk: "leave"})

    assert (line.is_asked, line.notes[-1]) == (
        False,
        "Like what is recorded on 13 Apr 2026: whoever verifies it says whether it is another.",
    )
    made = Completion.objects.get(class_number="CIT-1")
    assert (made.evidence, KeptBoth.objects.exists()) == ("pending", False)
    assert list(duplicates.undecided([made])) == [made.pk]


def test_whose_own_completion_it_is_waits_for_somebody_else(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    Access.objects.create(user=by, role="officer", officer=seat.officer)

    finish_it(session, by)

    completion = Completion.objects.get()
    assert (completion.evidence, completion.verified_on) == ("pending", None)
    assert state_of(seat) == "overdue"


def test_who_was_not_employed_that_day_is_told_and_recorded(session: ClassSession, by: User) -> None:
    seat_of(session, hired_on=date(2026, 4, 20))

    (line,) = finish.plan(session, by=by, today=TODAY).lines

    assert (line.act, line.notes) == (Act.RECORD, ("Not employed on 17 Apr 2026.",))


# --- reopening --------------------------------------------------------------------------------------------------------


def test_reopening_voids_and_finishing_again_replaces(session: ClassSession, by: User) -> None:
    seat, stays = seat_of(session), seat_of(session, "Stays")
    finish_it(session, by)
    first = Completion.objects.get(officer=seat.officer)

    reopened = finish.reopen(session, why="A re-test was entered for the wrong day", by=by)
    between = (state_of(seat), Completion.objects.known().count(), outcome(seat))
    tested_again = TestAttempt.objects.get(enrollment=seat)
    TestAttempt.objects.create(
        enrollment=seat,
        test=tested_again.test,
        taken_on=date(2026, 4, 24),
        score=82,
        replaces=tested_again,
    )
    done = finish_it(session, by)

    assert reopened is True
    assert between == ("overdue", 0, ("", ""))
    assert Enrollment.objects.exclude(outcome_on=None).count() == 2
    assert done.recorded == 2
    second = Completion.objects.known().get(officer=seat.officer)
    assert (second.replaces, second.completed_on) == (first, date(2026, 4, 24))
    first.refresh_from_db()
    assert first.voided_in is not None
    assert first.voided_in.why == "Class CIT-1 reopened: A re-test was entered for the wrong day"
    assert Completion.objects.known().get(officer=stays.officer).completed_on == FRIDAY
    assert list(session.events.values_list("what", "told", "why")) == [
        ("finished", "2 passed; 2 completions recorded", ""),
        ("reopened", "2 completions voided", "A re-test was entered for the wrong day"),
        ("finished", "2 passed; 2 completions recorded", ""),
    ]
    assert standings.differences() == {}


def test_reopening_twice_voids_once(session: ClassSession, by: User) -> None:
    seat_of(session)
    finish_it(session, by)

    assert (finish.reopen(session, why="x", by=by), finish.reopen(session, why="x", by=by)) == (True, False)


def test_a_completion_of_ones_own_that_reopening_leaves_bars_nobody(session: ClassSession, by: User) -> None:
    own = seat_of(session, "Own")
    finish_it(session, by)
    completions.void_completion(Completion.objects.get(officer=own.officer), why="x", by=make.make_user("academy"))
    Access.objects.create(user=by, role="officer", officer=own.officer)

    assert finish.bar_to_reopening(session, by) == ""
    assert finish.reopen(session, why="x", by=by) is True


def test_nobody_reopens_a_class_that_gave_them_a_completion(session: ClassSession, by: User) -> None:
    seat_of(session)
    own = seat_of(session, "Own")
    finish_it(session, by)
    Access.objects.create(user=by, role="officer", officer=own.officer)
    colleague = make.make_user("academy")
    before = state_of(own), session.events.count()

    with pytest.raises(EntryRefused) as refused:
        finish.reopen(session, why="x", by=by)
    meanwhile = state_of(own), session.events.count()
    by_another = finish.reopen(session, why="x", by=colleague)

    assert refused.value.messages == [
        "This class gave you a completion, and nobody voids a completion of their own. Somebody else has to reopen it."
    ]
    assert (before, meanwhile) == (("current", 1), ("current", 1))
    assert (by_another, state_of(own)) == (True, "overdue")


def test_a_third_finish_replaces_what_the_first_recorded(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    finish_it(session, by)
    first = Completion.objects.get()
    finish.reopen(session, why="x", by=by)
    attempt = TestAttempt.objects.get()
    wrong = TestAttempt.objects.create(enrollment=seat, test=attempt.test, taken_on=FRIDAY, score=10, replaces=attempt)
    finish_it(session, by)
    finish.reopen(session, why="y", by=by)
    TestAttempt.objects.create(enrollment=seat, test=attempt.test, taken_on=FRIDAY, score=90, replaces=wrong)

    finish_it(session, by)

    assert Completion.objects.known().get().replaces == first


def test_what_was_corrected_by_hand_since_stays(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    finish_it(session, by)
    corrected = completions.correct_completion(Completion.objects.get(), why="x", by=by, score=Decimal(88))
    again = completions.correct_completion(corrected, why="y", by=by, class_number="CIT-1B")

    session.refresh_from_db()
    (undone,) = finish.what_reopening_undoes(session)
    finish.reopen(session, why="z", by=by)
    session.refresh_from_db()
    (line,) = finish.plan(session, by=by, today=TODAY).lines
    done = finish_it(session, by)

    assert undone.left == "Changed since: the completion of 17 Apr 2026 stays."
    assert (line.act, line.stands) == (Act.KEPT, again)
    assert done.recorded == 0
    assert list(Completion.objects.known()) == [again]
    assert outcome(seat) == (
        "passed",
        "What an earlier finish recorded was changed since and stands: 17 Apr 2026.",
    )


def test_what_was_voided_by_hand_is_recorded_anew_by_another_finish(session: ClassSession, by: User) -> None:
    seat_of(session)
    finish_it(session, by)
    first = Completion.objects.get()
    completions.void_completion(first, why="x", by=by)

    session.refresh_from_db()
    (undone,) = finish.what_reopening_undoes(session)
    finish.reopen(session, why="z", by=by)
    finish_it(session, by)

    assert undone.left == "Voided by hand already."
    assert Completion.objects.known().get().replaces == first


def test_a_rejection_of_the_evidence_outlasts_reopening(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    finish_it(session, by)
    other = make.make_user("compliance", "other")
    completions.decide_evidence(
        Completion.objects.get(), decision="rejected", decided_on=TODAY, note="No sheet", by=other
    )

    finish.reopen(session, why="x", by=by)
    finish_it(session, by)

    decision = EvidenceDecision.objects.known().get()
    assert (decision.decision, decision.completion) == ("rejected", Completion.objects.known().get())
    assert state_of(seat) == "overdue"
    assert standings.differences() == {}


@pytest.fixture
def asking(session: ClassSession, by: User) -> tuple[Enrollment, User]:
    """A finished class of an agency that asks for two: who has a seat in it, and a colleague of who finished it."""
    Agency.objects.update(asks_two=True)
    seat = seat_of(session)
    finish_it(session, by)
    return seat, make.make_user("academy", "colleague")


def told(session: ClassSession) -> list[tuple[str, str, str]]:
    return [(row.what, row.why, row.by.username) for row in session.events.all() if row.by]


def test_where_the_agency_asks_for_two_one_asks_and_another_reopens(
    session: ClassSession, by: User, asking: tuple[Enrollment, User]
) -> None:
    seat, colleague = asking

    with pytest.raises(EntryRefused) as alone:
        finish.reopen(session, why="x", by=by)
    finish.ask_to_reopen(session, why="A sheet turned up", by=by)
    with pytest.raises(EntryRefused) as own:
        finish.reopen(session, why="x", by=by)
    meanwhile = (state_of(seat), session.events.count())
    reopened = finish.reopen(session, why="", by=colleague)

    assert alone.value.messages == [finish.ASK_FIRST]
    assert own.value.messages == ["You asked for it. Somebody else has to accept."]
    assert (meanwhile, reopened, state_of(seat)) == (("current", 2), True, "overdue")
    assert told(session)[1:] == [
        ("asked", "A sheet turned up", "academy"),
        ("reopened", "A sheet turned up", "colleague"),
    ]
    assert session.events.last().told == "1 completion voided; asked for by academy, accepted by colleague"  # type: ignore[union-attr] # there is one
    assert Completion.objects.get().voided_in.why.endswith("accepted by colleague)")  # type: ignore[union-attr] # it was voided


def test_reopening_is_asked_for_once_and_declined_once(
    session: ClassSession, by: User, asking: tuple[Enrollment, User]
) -> None:
    _, colleague = asking
    finish.ask_to_reopen(session, why="x", by=by)

    with pytest.raises(EntryRefused) as twice:
        finish.ask_to_reopen(session, why="y", by=colleague)
    finish.decline_to_reopen(session, note="The sheet is another class's", by=colleague)
    with pytest.raises(EntryRefused) as again:
        finish.decline_to_reopen(session, note="", by=colleague)
    with pytest.raises(EntryRefused) as late:
        finish.reopen(session, by=colleague)
    finish.ask_to_reopen(session, why="z", by=colleague)
    finish.decline_to_reopen(session, note="", by=colleague)

    assert twice.value.messages == ["Somebody asked for this class to be reopened already."]
    assert again.value.messages == ["Nobody asks for this class to be reopened any more."]
    assert late.value.messages == [finish.ASK_FIRST]
    assert [row.told for row in session.events.filter(what="declined")] == ["refused", "withdrawn"]
    assert Completion.objects.known().count() == 1


def test_nobody_accepts_that_their_own_completion_is_voided(
    session: ClassSession, by: User, asking: tuple[Enrollment, User]
) -> None:
    seat, colleague = asking
    Access.objects.create(user=colleague, role="officer", officer=seat.officer)
    finish.ask_to_reopen(session, why="x", by=by)

    with pytest.raises(EntryRefused) as refused:
        finish.reopen(session, by=colleague)

    assert refused.value.messages == ["A completion of your own would be voided. Somebody else has to accept."]


def test_two_are_asked_for_where_the_agency_of_a_member_does(session: ClassSession, by: User) -> None:
    elsewhere = make.make_agency("so", "County Sheriff")
    Agency.objects.filter(pk=elsewhere.pk).update(asks_two=True)
    seat_of(session, agency=elsewhere)
    finish_it(session, by)

    with pytest.raises(EntryRefused) as refused:
        finish.reopen(session, why="x", by=by)

    assert refused.value.messages == [finish.ASK_FIRST]


def test_what_the_course_asks_for_since_is_told_before_reopening(session: ClassSession, by: User) -> None:
    seat_of(session, "Same")
    seat_of(session, "Other", 75)
    finish_it(session, by)
    session.refresh_from_db()
    before = finish.different_now(session, by=by, today=TODAY)

    CourseTest.objects.update(pass_mark=80)
    after = finish.different_now(session, by=by, today=TODAY)

    assert before == []
    assert [(line.seat.name.split(",")[0], line.judgement.verdict) for line in after] == [("Other", "failed")]


# --- many, and two at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [2, 12])
def test_finishing_asks_the_same_of_the_database_for_everybody(session: ClassSession, by: User, people: int) -> None:
    for number in range(people):
        seat_of(session, f"Name{number}")
    shown = finish.plan(session, by=by, today=TODAY).digest

    with CaptureQueriesContext(connection) as planned:
        finish.plan(session, by=by, today=TODAY)
    with CaptureQueriesContext(connection) as queries:
        finish.finish(session, shown=shown, by=by, today=TODAY)

    assert Completion.objects.count() == people
    # Blocks, lines, attempts, seats, tests; completions, employments, own member, look-alikes.
    assert len(planned) == 9
    # The plan again with look-alikes, locks, the completions, what closes the class, and the standings: rules, facts,
    # rows. For the certificates: who passed, evidence, lock, those that have one, the last number, what is written.
    assert len(queries) == 60


@pytest.mark.django_db(transaction=True)
def test_two_people_who_finish_at_once_record_once(session: ClassSession, by: User) -> None:
    seat_of(session)
    shown = finish.plan(session, by=by, today=TODAY).digest

    workers = [Worker(lambda: finish.finish(session, shown=shown, by=by, today=TODAY)) for _ in range(2)]
    done = [worker.result() for worker in workers]

    assert sorted(each.recorded for each in done) == [0, 1]
    assert sorted(each.already for each in done) == [False, True]
    assert Completion.objects.count() == 1
    assert Requirement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_finishes_while_somebody_marks_is_shown_the_class_again(session: ClassSession, by: User) -> None:
    """The mark is not committed when the finish begins: it waits, and does not record what is not true any more."""
    seat = seat_of(session)
    shown = finish.plan(session, by=by, today=TODAY).digest
    seen = Attendance.objects.latest("pk").pk
    first = session.meetings.earliest("starts_at")

    with transaction.atomic():
        attendance.mark(session, {(seat.pk, first.pk): 0}, seen=seen, by=by, today=TODAY, why="Was in court")
        worker = Worker(lambda: finish.finish(session, shown=shown, by=by, today=TODAY))
        worker.wait_until_blocked()

    with pytest.raises(EntryRefused) as refused:
        worker.result()
    assert refused.value.messages == [finish.MEANWHILE]
    assert finish_it(session, by).recorded == 1
    assert Completion.objects.get().attendance == Decimal("90.00")


@pytest.mark.django_db(transaction=True)
def test_who_marks_while_somebody_finishes_is_told_that_the_class_is_finished(session: ClassSession, by: User) -> None:
    seat = seat_of(session)
    first = session.meetings.earliest("starts_at")

    with transaction.atomic():
        finish_it(session, by)
        worker = Worker(
            lambda: attendance.mark(session, {(seat.pk, first.pk): 0}, seen=0, by=by, today=TODAY, why="Late")
        )
        worker.wait_until_blocked()

    with pytest.raises(EntryRefused) as refused:
        worker.result()
    assert refused.value.messages == ["This class is finished. Reopen it to change what was marked."]
    assert Standing.objects.get(officer=seat.officer, state="current").start_on == FRIDAY
