"""Attempts at tests as lines: entered for many at once, corrected, struck, and in an order that makes sense."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roster.models import Access
from tests import factories as make
from training import tests_taken
from training.class_records import EntryRefused, read
from training.models import ClassSession, ClassState, CourseTest, Enrollment, TestAttempt

pytestmark = pytest.mark.django_db

MONDAY, FRIDAY, LATER = date(2026, 4, 13), date(2026, 4, 17), date(2026, 4, 30)


@pytest.fixture
def by(db: None) -> User:
    return make.make_user("academy", "academy")


@pytest.fixture
def session(db: None) -> ClassSession:
    return make.make_class("CIT-1", days=[MONDAY, FRIDAY])


@pytest.fixture
def exam(session: ClassSession) -> CourseTest:
    return make.make_test(session.course)


@pytest.fixture
def seat(session: ClassSession) -> Enrollment:
    return make.make_seat(session, make.make_officer("000001", last_name="Whitfield"))


def enter(
    seat: Enrollment,
    test: CourseTest,
    score: str,
    *,
    by: User,
    on: date = FRIDAY,
    remedial: date | None = None,
    seen: int | None = None,
) -> tests_taken.Taken:
    """Enter one score as of what the page shows now, or as of what it showed then."""
    shown = read(seat.session).last_attempt if seen is None else seen
    return tests_taken.enter(
        seat.session,
        test,
        {seat.pk: Decimal(score)},
        taken_on=on,
        remedial_on=remedial,
        seen=shown,
        by=by,
        today=LATER,
    )


def standing(seat: Enrollment) -> list[tuple[date, str]]:
    return [(each.attempt.taken_on, str(each.attempt.score)) for each in read(seat.session).standing.get(seat.pk, ())]


def refusal(act: object, *arguments: object, **values: object) -> list[str]:
    with pytest.raises(EntryRefused) as refused:
        act(*arguments, **values)  # type: ignore[operator] # whatever function a test gives
    return refused.value.messages


def test_a_failed_test_is_taken_again_after_remedial_training(seat: Enrollment, exam: CourseTest, by: User) -> None:
    make.attend(seat)
    enter(seat, exam, "55", by=by)

    said = refusal(enter, seat, exam, "82", by=by, on=date(2026, 4, 24))
    done = enter(seat, exam, "82", by=by, on=date(2026, 4, 24), remedial=date(2026, 4, 20))

    assert said == ["Whitfield, Amara: This is a re-test of Written exam: say on which day the remedial training was."]
    assert done.written == 1
    judgement = read(seat.session).judge(seat)
    assert (judgement.completed_on, judgement.score) == (date(2026, 4, 24), Decimal("82.00"))


def test_remedial_training_is_noted_only_where_it_is_a_re_test(
    session: ClassSession, seat: Enrollment, exam: CourseTest, by: User
) -> None:
    new = make.make_seat(session)
    enter(seat, exam, "55", by=by)
    seen = read(session).last_attempt

    done = tests_taken.enter(
        session,
        exam,
        {seat.pk: Decimal(82), new.pk: Decimal(90)},
        taken_on=date(2026, 4, 24),
        remedial_on=date(2026, 4, 20),
        seen=seen,
        by=by,
        today=LATER,
    )

    assert done.written == 2
    assert list(
        TestAttempt.objects.filter(pk__gt=seen).order_by("enrollment").values_list("remedial_on", flat=True)
    ) == [
        date(2026, 4, 20),
        None,
    ]


def test_nobody_is_tested_again_after_passing(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "70", by=by)

    assert refusal(enter, seat, exam, "60", by=by, on=LATER, remedial=LATER) == [
        "Whitfield, Amara: Written exam was passed with 70 % before. Correct that attempt if it is wrong."
    ]


def test_the_course_can_ask_for_more_than_the_test(seat: Enrollment, exam: CourseTest, by: User) -> None:
    course = seat.session.course
    course.min_score = Decimal(75)
    course.save()
    enter(seat, exam, "72", by=by)

    done = enter(seat, exam, "75", by=by, on=LATER, remedial=LATER)

    assert done.written == 1


@pytest.mark.parametrize(
    ("on", "said"),
    [
        pytest.param(date(2026, 5, 1), "That day is still to come. Enter a test once it was taken.", id="future"),
        pytest.param(
            date(2026, 4, 12), "The class began on 13 Apr 2026, and the test cannot lie before it.", id="before"
        ),
    ],
)
def test_a_test_lies_between_the_first_block_and_today(
    seat: Enrollment, exam: CourseTest, by: User, on: date, said: str
) -> None:
    assert refusal(enter, seat, exam, "82", by=by, on=on) == [said]


def test_the_same_form_sent_twice_writes_once(seat: Enrollment, exam: CourseTest, by: User) -> None:
    first = enter(seat, exam, "55", by=by, seen=0)

    second = enter(seat, exam, "55", by=by, seen=0)

    assert (first.written, second.written, second.meanwhile) == (1, 0, [])
    assert TestAttempt.objects.count() == 1


def test_what_somebody_else_entered_meanwhile_is_told(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by, seen=0)

    done = enter(seat, exam, "65", by=by, seen=0)

    assert done.written == 0
    assert [tests_taken.spoken_attempt(attempt) for attempt in done.meanwhile] == ["55 % on 17 Apr 2026"]


def test_one_score_that_cannot_be_keeps_all_from_being_written(
    session: ClassSession, seat: Enrollment, exam: CourseTest, by: User
) -> None:
    new = make.make_seat(session, outside_name="Okafor, Ruth")
    enter(seat, exam, "70", by=by)

    said = refusal(
        tests_taken.enter,
        session,
        exam,
        {seat.pk: Decimal(82), new.pk: Decimal(90)},
        taken_on=LATER,
        remedial_on=None,
        seen=read(session).last_attempt,
        by=by,
        today=LATER,
    )

    assert len(said) == 1
    assert TestAttempt.objects.count() == 1


def test_nobody_enters_their_own_score(seat: Enrollment, exam: CourseTest) -> None:
    own = make.make_user("academy", "own")
    Access.objects.create(user=own, role="officer", officer=seat.officer)

    assert refusal(enter, seat, exam, "100", by=own) == [
        "Whitfield, Amara: This is your own seat. Somebody else has to enter it."
    ]


# --- corrections ------------------------------------------------------------------------------------------------------


def correct(attempt: TestAttempt, *, by: User, **values: object) -> bool:
    return tests_taken.correct(attempt, why="A slip of the pen", by=by, today=LATER, **values)  # type: ignore[arg-type]


def test_a_correction_is_a_line_that_replaces_the_wrong_one(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by)
    wrong = TestAttempt.objects.get()

    first = correct(wrong, by=by, score=Decimal("85"))
    said = refusal(correct, wrong, by=by, score=Decimal("86"))

    assert first is True
    assert said == ["Somebody else corrected this attempt meanwhile. Look at it again."]
    assert standing(seat) == [(FRIDAY, "85.00")]
    assert list(TestAttempt.objects.order_by("pk").values_list("score", "replaces", "why")) == [
        (Decimal("55.00"), None, ""),
        (Decimal("85.00"), wrong.pk, "A slip of the pen"),
    ]


def test_a_correction_that_changes_nothing_writes_nothing(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by)

    assert correct(TestAttempt.objects.get(), by=by, score=Decimal("55")) is False
    assert TestAttempt.objects.count() == 1


def test_a_corrected_attempt_keeps_its_place_among_those_of_its_day(
    seat: Enrollment, exam: CourseTest, by: User
) -> None:
    enter(seat, exam, "55", by=by)
    first = TestAttempt.objects.get()
    enter(seat, exam, "82", by=by, remedial=FRIDAY)

    correct(first, by=by, score=Decimal("60"))

    assert standing(seat) == [(FRIDAY, "60.00"), (FRIDAY, "82.00")]


def test_a_correction_must_leave_the_attempts_making_sense(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by)
    first = TestAttempt.objects.get()
    enter(seat, exam, "82", by=by, on=LATER, remedial=date(2026, 4, 20))

    assert refusal(correct, first, by=by, score=Decimal("75")) == [
        "Written exam was passed with 75 % before. Correct that attempt if it is wrong."
    ]
    assert refusal(correct, first, by=by, strike=True) == [
        "This is the first attempt at Written exam, and remedial training comes before a re-test."
    ]


def test_an_attempt_that_never_was_is_struck_once(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by)
    attempt = TestAttempt.objects.get()

    first = correct(attempt, by=by, strike=True)
    second = correct(attempt, by=by, strike=True)

    assert (first, second) == (True, False)
    assert standing(seat) == []
    assert enter(seat, exam, "71", by=by).written == 1


def test_a_finished_class_takes_no_attempts(seat: Enrollment, exam: CourseTest, by: User) -> None:
    enter(seat, exam, "55", by=by)
    ClassSession.objects.update(state=ClassState.FINISHED)
    closed = ["This class is finished. Reopen it to change what was marked."]

    assert refusal(enter, seat, exam, "82", by=by, on=LATER, remedial=LATER) == closed
    assert refusal(correct, TestAttempt.objects.get(), by=by, score=Decimal(80)) == closed


def test_a_retired_test_counts_where_somebody_of_the_class_took_it(
    session: ClassSession, seat: Enrollment, exam: CourseTest
) -> None:
    make.make_test(session.course, "Never taken", is_retired=True)
    old = make.make_test(session.course, "Old exam", is_retired=True)
    before = [test.name for test in read(session).tests]

    TestAttempt.objects.create(enrollment=seat, test=old, taken_on=FRIDAY, score=80)

    assert before == ["Written exam"]
    assert [test.name for test in read(session).tests] == ["Old exam", "Written exam"]


@pytest.mark.parametrize("people", [1, 30])
def test_entering_asks_the_same_of_the_database_for_everybody(
    session: ClassSession, exam: CourseTest, by: User, people: int
) -> None:
    scores = {make.make_seat(session).pk: Decimal(80) for _ in range(people)}

    with CaptureQueriesContext(connection) as queries:
        tests_taken.enter(session, exam, scores, taken_on=FRIDAY, remedial_on=None, seen=0, by=by, today=LATER)

    # Savepoint and its release; the class; blocks, lines, attempts, seats, tests; own members; the attempts.
    assert len(queries) == 10
    assert TestAttempt.objects.count() == people
