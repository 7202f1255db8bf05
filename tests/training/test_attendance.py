"""Attendance as lines: what is written, what is refused, what two people do at once, and what is made up elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roster.models import Access
from tests import factories as make
from training import attendance
from training.class_records import EntryRefused, day_of, length, over_on, planned_minutes, read
from training.models import (
    Attendance,
    ClassSession,
    ClassState,
    Completion,
    Course,
    Enrollment,
    Meeting,
    SeatState,
)

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY = date(2026, 4, 13), date(2026, 4, 14)
LATER = date(2026, 4, 30)


@pytest.fixture
def by(db: None) -> User:
    return make.make_user("academy", "academy")


@pytest.fixture
def session(db: None) -> ClassSession:
    """Two days with two blocks of four hours each."""
    return make.make_class("CIT-1", days=[MONDAY, TUESDAY])


@pytest.fixture
def seat(session: ClassSession) -> Enrollment:
    return make.make_seat(session, make.make_officer("000001", last_name="Whitfield"))


def blocks_of(session: ClassSession) -> list[Meeting]:
    return list(session.meetings.order_by("starts_at"))


def mark(
    seat: Enrollment, block: int, minutes: int, *, by: User, seen: int = 0, today: date = MONDAY, why: str = ""
) -> attendance.Marked:
    cell = (seat.pk, blocks_of(seat.session)[block].pk)
    return attendance.mark(seat.session, {cell: minutes}, seen=seen, by=by, today=today, why=why)


def minutes_of(session: ClassSession) -> list[int]:
    """Every line of a class, oldest first."""
    return list(Attendance.objects.filter(enrollment__session=session).order_by("pk").values_list("minutes", flat=True))


def refusal(act: object, *arguments: object, **values: object) -> list[str]:
    with pytest.raises(EntryRefused) as refused:
        act(*arguments, **values)  # type: ignore[operator] # whatever function a test gives
    return refused.value.messages


def test_only_what_changed_becomes_a_line(session: ClassSession, seat: Enrollment, by: User) -> None:
    first, second = blocks_of(session)[:2]
    cells = {(seat.pk, first.pk): 240, (seat.pk, second.pk): 100}
    written = attendance.mark(session, cells, seen=0, by=by, today=MONDAY)
    seen = read(session).last_line

    again = attendance.mark(session, {**cells, (seat.pk, second.pk): 120}, seen=seen, by=by, today=MONDAY)

    assert (written.written, again.written) == (2, 1)
    assert minutes_of(session) == [240, 100, 120]
    assert read(session).minutes[seat.pk] == {first.pk: 240, second.pk: 120}


def test_the_same_form_sent_twice_writes_once(session: ClassSession, seat: Enrollment, by: User) -> None:
    first = mark(seat, 0, 240, by=by)

    second = mark(seat, 0, 240, by=by)

    assert (first.written, second.written, second.meanwhile) == (1, 0, [])


def test_a_cell_changed_meanwhile_is_told_and_the_others_are_saved(
    session: ClassSession, seat: Enrollment, by: User
) -> None:
    other = make.make_user("academy", "colleague")
    first, second = blocks_of(session)[:2]
    mark(seat, 0, 240, by=by)
    seen = read(session).last_line
    mark(seat, 0, 0, by=other, seen=seen)

    done = attendance.mark(
        session, {(seat.pk, first.pk): 120, (seat.pk, second.pk): 240}, seen=seen, by=by, today=MONDAY
    )

    assert done.written == 1
    assert [(each.cell, each.now.minutes, each.now.entered_by, each.wanted) for each in done.meanwhile] == [
        ((seat.pk, first.pk), 0, other, 120)
    ]
    assert minutes_of(session) == [240, 0, 240]


def test_what_a_person_did_not_touch_stays_as_somebody_else_made_it(
    session: ClassSession, seat: Enrollment, by: User
) -> None:
    mark(seat, 0, 240, by=by)
    seen = read(session).last_line
    mark(seat, 0, 0, by=by, seen=seen)

    done = mark(seat, 0, 240, by=by, seen=seen)

    assert (done.written, done.meanwhile) == (0, [])
    assert minutes_of(session) == [240, 0]


def test_a_change_after_the_day_needs_a_reason(session: ClassSession, seat: Enrollment, by: User) -> None:
    mark(seat, 0, 240, by=by, today=LATER)
    seen = read(session).last_line

    said = refusal(mark, seat, 0, 0, by=by, seen=seen, today=LATER)
    done = mark(seat, 0, 0, by=by, seen=seen, today=LATER, why="The sheet shows no signature")

    assert said == [
        "Whitfield, Amara, 13 Apr 2026 08:00: the day is over. Say why the mark changes; the reason stays with it."
    ]
    assert done.written == 1
    assert Attendance.objects.latest("pk").why == "The sheet shows no signature"


def test_a_change_on_the_day_itself_needs_no_reason(session: ClassSession, seat: Enrollment, by: User) -> None:
    mark(seat, 0, 240, by=by)

    assert mark(seat, 0, 0, by=by, seen=read(session).last_line).written == 1


@pytest.mark.parametrize(
    ("block", "minutes", "today", "said"),
    [
        pytest.param(0, 241, MONDAY, "13 Apr 2026 08:00: the block has 240 minutes.", id="longer-than-the-block"),
        pytest.param(2, 240, MONDAY, "14 Apr 2026 08:00: the block has not been held yet.", id="ahead"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(
    session: ClassSession, seat: Enrollment, by: User, block: int, minutes: int, today: date, said: str
) -> None:
    assert refusal(mark, seat, block, minutes, by=by, today=today) == [f"Whitfield, Amara, {said}"]
    assert minutes_of(session) == []


def test_nobody_marks_their_own_seat(session: ClassSession, seat: Enrollment) -> None:
    own = make.make_user("academy", "own")
    assert seat.officer is not None
    Access.objects.create(user=own, role="officer", officer=seat.officer)

    said = refusal(mark, seat, 0, 240, by=own)

    assert said == ["Whitfield, Amara, 13 Apr 2026 08:00: this is your own seat. Somebody else has to mark it."]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ClassState.FINISHED, "This class is finished. Reopen it to change what was marked."),
        (ClassState.CANCELLED, "This class was cancelled."),
    ],
)
def test_a_closed_class_takes_no_marks(
    session: ClassSession, seat: Enrollment, by: User, state: ClassState, said: str
) -> None:
    ClassSession.objects.update(state=state)

    assert refusal(mark, seat, 0, 240, by=by) == [said]


@pytest.mark.parametrize("state", [SeatState.WITHDRAWN, SeatState.WAITLISTED])
def test_only_people_with_a_seat_are_marked(seat: Enrollment, by: User, state: SeatState) -> None:
    Enrollment.objects.update(state=state)

    assert refusal(mark, seat, 0, 240, by=by) == [
        "The list or the blocks of this class changed meanwhile. Look at it again."
    ]


def test_a_block_is_as_long_as_planned_or_as_it_really_was_where_shorter(session: ClassSession) -> None:
    block = blocks_of(session)[0]

    lengths = []
    for minutes in (180, 300):
        block.began_at, block.ended_at = block.starts_at, block.starts_at + timedelta(minutes=minutes)
        lengths.append(length(block))

    assert lengths == [180, 240]


def test_on_the_night_the_clock_changes_a_block_has_the_minutes_that_pass(
    session: ClassSession, settings: object
) -> None:
    zone = str(settings.TIME_ZONE)  # type: ignore[attr-defined] # pytest-django's settings
    assert zone == "America/New_York"
    night = make.make_block(session, make.at(date(2026, 3, 7), 23), make.at(date(2026, 3, 8), 7))

    assert planned_minutes(night) == 7 * 60
    assert day_of(night) == date(2026, 3, 7)


@pytest.mark.parametrize(
    ("really", "day"),
    [
        pytest.param(None, 14, id="as-planned-past-midnight"),
        pytest.param(((13, 21), (13, 23)), 13, id="over-before-midnight"),
        pytest.param(((13, 22), (14, 0)), 13, id="midnight-belongs-to-the-day-that-ends"),
        pytest.param(((14, 0), (14, 9)), 14, id="begun-late"),
    ],
)
def test_a_block_is_over_on_the_day_of_its_last_minute_that_counts(
    session: ClassSession, really: tuple[tuple[int, int], tuple[int, int]] | None, day: int
) -> None:
    block = make.make_block(session, make.at(MONDAY, 21), make.at(TUESDAY, 5))
    if really:
        block.began_at, block.ended_at = (make.at(date(2026, 4, one), hour) for one, hour in really)

    assert (day_of(block), over_on(block)) == (MONDAY, date(2026, 4, day))


# --- make-ups ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(session: ClassSession) -> ClassSession:
    """Another class of the course, a week later."""
    return make.make_class("CIT-2", days=[date(2026, 4, 22)])


def make_up(
    seat: Enrollment, block: int, other: ClassSession, *, by: User, minutes: int | None = None, at: int = 0
) -> int:
    return attendance.make_up(
        seat, blocks_of(seat.session)[block], blocks_of(other)[at], minutes=minutes, by=by, today=LATER
    )


def test_a_make_up_counts_hour_for_hour(session: ClassSession, other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 0)

    minutes = make_up(seat, 0, other, by=by)

    assert minutes == 240
    judgement = read(session).judge(seat)
    assert (judgement.completed_on, str(judgement.attendance)) == (date(2026, 4, 22), "100.00")


def test_the_same_make_up_twice_is_written_once(other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 0)
    make_up(seat, 0, other, by=by, minutes=100)

    again = make_up(seat, 0, other, by=by, minutes=100)

    assert again == 0
    assert Attendance.objects.exclude(made_up_in=None).count() == 1


def test_never_more_is_made_up_than_was_missed(other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 200)
    assert refusal(make_up, seat, 0, other, by=by, minutes=41) == [
        "At most 40 minutes can be made up there, hour for hour."
    ]
    make_up(seat, 0, other, by=by, minutes=30)

    assert refusal(make_up, seat, 0, other, by=by, minutes=11, at=1) == [
        "At most 10 minutes can be made up there, hour for hour."
    ]
    assert make_up(seat, 0, other, by=by, at=1) == 10
    assert refusal(make_up, seat, 0, other, by=by, minutes=41) != []
    assert refusal(make_up, seat, 1, other, by=by) == [
        "Whitfield, Amara has nothing to make up of the block of 13 Apr 2026 13:00."
    ]


def test_never_more_is_made_up_than_the_other_block_has(session: ClassSession, seat: Enrollment, by: User) -> None:
    short = make.make_class("CIT-2", days=[])
    make.make_block(short, make.at(date(2026, 4, 22), 8), make.at(date(2026, 4, 22), 9))
    make.attend(seat, 0)

    assert refusal(make_up, seat, 0, short, by=by, minutes=61) == [
        "At most 60 minutes can be made up there, hour for hour."
    ]
    assert make_up(seat, 0, short, by=by) == 60


def test_the_same_minutes_count_once(session: ClassSession, other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 0, 0)
    own = make.make_seat(other, seat.officer)
    make.attend(own, 200, None)

    assert make_up(seat, 0, other, by=by) == 40
    assert refusal(make_up, seat, 1, other, by=by) == [
        "Whitfield, Amara attended that block already, and the same minutes count once."
    ]
    more = refusal(mark, own, 0, 240, by=by, seen=read(other).last_line, today=LATER, why="A slip")
    assert more == [
        "Whitfield, Amara, 22 Apr 2026 08:00: 40 min of this block made up for one of another class, "
        "and the same minutes count once."
    ]


def test_somebody_from_outside_is_the_same_person_by_name_agency_and_id(
    session: ClassSession, other: ClassSession, by: User
) -> None:
    details: dict[str, Any] = {"outside_name": "Okafor, Ruth", "outside_agency": "County", "outside_id": "77"}
    seat = make.make_seat(session, **details)
    make.attend(seat, 0)
    make.attend(make.make_seat(other, **{**details, "outside_name": "OKAFOR, Ruth"}), 240, None)

    assert refusal(make_up, seat, 0, other, by=by) == [
        "Okafor, Ruth attended that block already, and the same minutes count once."
    ]
    assert make_up(seat, 0, other, by=by, at=1) == 240


def test_a_make_up_needs_a_mark_a_block_held_and_another_class(
    session: ClassSession, other: ClassSession, seat: Enrollment, by: User
) -> None:
    ahead = make.make_class("CIT-3", days=[LATER + timedelta(days=1)])

    assert refusal(make_up, seat, 0, other, by=by) == ["Mark Whitfield, Amara in the block of 13 Apr 2026 08:00 first."]
    make.attend(seat, 0)
    assert refusal(make_up, seat, 0, ahead, by=by) == ["That block has not been held."]
    assert refusal(make_up, seat, 0, session, by=by, at=1) == ["A block is made up in a block of another class."]
    Meeting.objects.filter(session=other).update(is_off=True)
    assert refusal(make_up, seat, 0, other, by=by) == ["That block has not been held."]


def test_what_was_made_up_is_not_marked_as_attended(other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 0)
    make_up(seat, 0, other, by=by, minutes=100)
    seen = read(seat.session).last_line

    said = refusal(mark, seat, 0, 240, by=by, seen=seen, today=LATER, why="A slip")
    done = mark(seat, 0, 140, by=by, seen=seen, today=LATER, why="A slip")

    assert said == ["Whitfield, Amara, 13 Apr 2026 08:00: 1 h 40 min of it were made up. Take that back first."]
    assert done.written == 1


def test_a_make_up_is_taken_back_once_with_its_reason(other: ClassSession, seat: Enrollment, by: User) -> None:
    make.attend(seat, 0)
    make_up(seat, 0, other, by=by)
    line = Attendance.objects.get(made_up_in__isnull=False)

    first = attendance.take_back(line, why="Another officer of that name", by=by)
    second = attendance.take_back(line, why="Another officer of that name", by=by)

    assert (first, second) == (True, False)
    assert read(seat.session).made_up == {}
    assert make_up(seat, 0, other, by=by) == 240


def test_blocks_are_offered_of_the_same_course_or_topic_once_held(session: ClassSession, other: ClassSession) -> None:
    topic = make.make_topic("De-escalation")
    Meeting.objects.filter(session=session).update(topic=topic)
    refresher = make.make_class("REF-1", make.make_course("REF", hours=8), days=[date(2026, 4, 20)])
    same_topic = blocks_of(refresher)[0]
    Meeting.objects.filter(pk=same_topic.pk).update(topic=topic)
    make.make_class("CIT-3", days=[LATER + timedelta(days=1)])
    make.make_class("CIT-0", days=[MONDAY - timedelta(days=400)])

    offered = attendance.offered_blocks(session, ClassSession.objects.all(), today=LATER)

    assert list(offered) == [*reversed(blocks_of(other)), same_topic]


# --- who did not come -------------------------------------------------------------------------------------------------


def test_somebody_who_did_not_come_is_said_so_and_can_come_after_all(seat: Enrollment, by: User) -> None:
    said = attendance.say_absent(seat, came=False, by=by, today=MONDAY, why="Called in sick")
    again = attendance.say_absent(seat, came=False, by=by, today=MONDAY)

    assert (said, again) == (True, False)
    assert read(seat.session).judge(Enrollment.objects.get()).verdict == "no_show"
    assert refusal(mark, seat, 0, 240, by=by) == [
        "Whitfield, Amara, 13 Apr 2026 08:00: they are down as not having come. Say first that they came."
    ]
    assert attendance.say_absent(seat, came=True, by=by, today=MONDAY) is True
    assert mark(seat, 0, 240, by=by).written == 1
    assert list(seat.session.events.values_list("told", "by")) == [
        ("Whitfield, Amara did not come", by.pk),
        ("Whitfield, Amara came after all", by.pk),
    ]


def test_nobody_is_missing_from_a_class_that_has_not_begun(seat: Enrollment, by: User) -> None:
    before = MONDAY - timedelta(days=1)

    assert refusal(attendance.say_absent, seat, came=False, by=by, today=before) == [
        "The class has not begun yet. Whoever cannot come withdraws."
    ]


def test_somebody_who_was_in_a_block_came(seat: Enrollment, by: User) -> None:
    make.attend(seat, 1)

    assert refusal(attendance.say_absent, seat, came=False, by=by, today=MONDAY) == [
        "Whitfield, Amara is marked in a block of this class, so they came."
    ]


@pytest.mark.parametrize("people", [1, 30])
def test_marking_asks_the_same_of_the_database_for_everybody(session: ClassSession, by: User, people: int) -> None:
    seats = [make.make_seat(session) for _ in range(people)]
    wanted = {(seat.pk, block.pk): 240 for seat in seats for block in blocks_of(session)}

    with CaptureQueriesContext(connection) as queries:
        attendance.mark(session, wanted, seen=0, by=by, today=TUESDAY)

    # Savepoint and its release; the class; blocks, lines, attempts, seats, tests; own member; make-ups; the lines.
    assert len(queries) == 11
    assert Attendance.objects.count() == people * 4
    assert Completion.objects.count() == 0
    assert Course.objects.count() == 1
