"""Planning classes: what is written, what is refused and how it is told, for one person and for two at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from roster.models import Officer
from tests.factories import (
    at,
    attend,
    make_agency,
    make_block,
    make_class,
    make_course,
    make_instructor,
    make_lesson_plan,
    make_officer,
    make_place,
    make_seat,
    make_user,
    teach,
)
from tests.two_writers import Gate, meanwhile
from training import classes
from training.classes import ClassRefused, Details, Done
from training.models import (
    Attendance,
    ClassEvent,
    ClassSession,
    CourseTopic,
    Enrollment,
    Instructor,
    Meeting,
    Place,
    Qualification,
    Teaching,
    Topic,
)
from training.schedule import Block

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def morning(day: date = MONDAY, **values: object) -> Block:
    return Block(at(day, 8), at(day, 12), **values)  # type: ignore[arg-type] # the fields of a block


def plan(number: str, *blocks: Block, capacity: int = 30, place: Place | None = None) -> ClassSession:
    details = Details(number, capacity, place=place)
    return classes.plan(make_agency(), make_course(), details, blocks, token=uuid4(), by=None).session


def told(session: ClassSession) -> list[str]:
    return list(ClassEvent.objects.filter(session=session).order_by("id").values_list("told", flat=True))


def seat(session: ClassSession, officer: Officer, state: str = "enrolled") -> Enrollment:
    return Enrollment.objects.create(session=session, officer=officer, state=state, since=at(MONDAY, 8))


# --- planned ---------------------------------------------------------------------------------------------------------


def test_a_class_is_planned_with_its_blocks_and_a_line_that_says_so() -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    topic = Topic.objects.create(code="talk", name="De-escalation at the door")

    session = plan("C-1", morning(place=room, topic=topic, instructors=(ruth,)), morning(TUESDAY, title="Law"))

    (first, second) = classes.meetings_of(session)
    assert (first.name, first.place, [str(row.instructor) for row in first.teaching.all()]) == (
        "De-escalation at the door",
        room,
        ["Ruth Osei"],
    )
    assert (second.name, second.place, list(second.teaching.all())) == ("Law", None, [])
    assert told(session) == [
        "Course CIT-40, 30 seats\n"
        "2 Mar 2026, 08:00 to 12:00: De-escalation at the door, Room 2, Ruth Osei\n"
        "3 Mar 2026, 08:00 to 12:00: Law"
    ]


def test_a_form_sent_twice_plans_one_class() -> None:
    token, details = uuid4(), Details("C-1", 30)

    first = classes.plan(make_agency(), make_course(), details, [morning()], token=token, by=None)
    second = classes.plan(make_agency(), make_course(), details, [morning()], token=token, by=None)

    assert (first.is_changed, second.is_changed, second.session) == (True, False, first.session)
    assert Meeting.objects.count() == 1


def test_numbers_are_proposed_one_after_the_other_within_an_agency_and_a_year() -> None:
    agency, course = make_agency(), make_course()
    for number in ("CIT-40-2026-01", "cit-40-2026-07", "CIT-40-2026-x", "CIT-40-2025-20"):
        make_class(number)
    make_class("CIT-40-2026-30", agency=make_agency("other", "Other"))

    assert classes.propose_number(agency, course, 2026) == "CIT-40-2026-08"
    assert classes.propose_number(agency, course, 2027) == "CIT-40-2027-01"


def test_what_the_topics_leave_of_a_course_has_no_topic() -> None:
    course = make_course(hours=8)
    topic = Topic.objects.create(code="talk", name="De-escalation at the door")
    CourseTopic.objects.create(course=course, topic=topic, hours="2.5")

    assert classes.parts_of(course) == [(topic, 150), (None, 330)]


@pytest.mark.parametrize(
    ("start", "end", "is_offered"),
    [
        pytest.param(MONDAY, TUESDAY, True, id="exactly"),
        pytest.param(MONDAY, None, True, id="open"),
        pytest.param(TUESDAY, None, False, id="begins-too-late"),
        pytest.param(date(2019, 1, 1), MONDAY, False, id="ends-too-soon"),
    ],
)
def test_a_lesson_plan_is_offered_when_it_is_in_force_on_all_days(
    start: date, end: date | None, is_offered: bool
) -> None:
    make_lesson_plan(make_course(), "v1", start, end)

    assert classes.plans_in_force(make_course(), MONDAY, TUESDAY).exists() is is_offered


def test_a_number_that_is_taken_is_refused_whatever_its_case() -> None:
    make_class("C-1")

    with pytest.raises(ClassRefused, match="The agency has a class with this number already"):
        plan("c-1", morning())


def test_a_lesson_plan_out_of_force_or_of_another_course_is_refused() -> None:
    agency, course = make_agency(), make_course()
    old = make_lesson_plan(course, "v2019", date(2019, 1, 1), MONDAY)
    other = make_lesson_plan(make_course("MHFA"), "v1", date(2019, 1, 1))
    blocks = [morning(), morning(TUESDAY)]

    with pytest.raises(ClassRefused, match="Lesson plan v2019 is not in force on 3 Mar 2026"):
        classes.plan(agency, course, Details("C-1", 30, lesson_plan=old), blocks, token=uuid4(), by=None)
    with pytest.raises(ClassRefused, match="belongs to another course"):
        classes.plan(agency, course, Details("C-1", 30, lesson_plan=other), blocks, token=uuid4(), by=None)
    assert ClassSession.objects.count() == 0


def test_what_belongs_to_another_agency_is_refused() -> None:
    other = make_agency("other", "Other Police")
    room, ruth = make_place("Theirs", agency=other), make_instructor("Ruth Osei", agency=other)

    for block in (morning(place=room), morning(instructors=(ruth,))):
        with pytest.raises(ClassRefused, match="uses places and instructors of Harbor City Police"):
            plan("C-1", block)


def test_more_seats_than_the_place_holds_are_said() -> None:
    room = make_place("Room 2", capacity=20)
    details = Details("C-1", 24, place=room)

    done = classes.plan(make_agency(), make_course(), details, [morning(place=room)], token=uuid4(), by=None)

    assert done.warnings == ["Room 2 holds 20 people; the class has 24 seats."]


def test_a_block_in_a_smaller_place_is_said_when_it_is_moved_there() -> None:
    hall, van = make_place("Hall", capacity=40), make_place("Van", capacity=6)
    details = Details("C-1", 24, place=hall)
    planned = classes.plan(make_agency(), make_course(), details, [morning(place=hall)], token=uuid4(), by=None)
    (block,) = classes.blocks_of(planned.session)

    done = classes.change_blocks(
        planned.session, [replace(block, place=van)], seen=classes.version_of(planned.session), by=None
    )

    assert (planned.warnings, done.warnings) == ([], ["Van holds 6 people; the class has 24 seats."])


# --- clashes ---------------------------------------------------------------------------------------------------------


def test_a_clash_of_place_and_of_instructor_names_the_other_class_and_its_time() -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    plan("C-1", morning(place=room, instructors=(ruth,)))
    later = Block(at(MONDAY, 11), at(MONDAY, 15), place=room, instructors=(ruth,))

    with pytest.raises(ClassRefused) as refused:
        plan("C-2", morning(TUESDAY), later)

    assert refused.value.findings.refusals == [
        (1, "Room 2 is taken by class C-1 on 2 Mar 2026, 08:00 to 12:00."),
        (1, "Ruth Osei teaches class C-1 on 2 Mar 2026, 08:00 to 12:00."),
    ]
    assert ClassSession.objects.count() == 1


def test_blocks_that_touch_do_not_clash() -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    plan("C-1", morning(place=room, instructors=(ruth,)))

    plan("C-2", Block(at(MONDAY, 12), at(MONDAY, 13), place=room, instructors=(ruth,)))

    assert Teaching.objects.count() == 2


def test_a_block_over_midnight_clashes_with_the_morning_after_it() -> None:
    room = make_place("Room 2")
    plan("C-1", morning(place=room))

    with pytest.raises(ClassRefused, match="Room 2 is taken by class C-1"):
        plan("C-2", Block(at(date(2026, 3, 1), 22), at(MONDAY, 8, 1), place=room))


def test_blocks_of_one_class_that_overlap_are_refused() -> None:
    with pytest.raises(ClassRefused) as refused:
        plan("C-1", morning(), Block(at(MONDAY, 11), at(MONDAY, 13)))

    assert refused.value.findings.refusals == [(1, "This block overlaps the one of 2 Mar 2026, 08:00 to 12:00.")]


def test_a_member_who_teaches_for_another_agency_is_busy_too() -> None:
    officer = make_officer(first_name="Ruth", last_name="Osei")
    elsewhere = make_instructor(officer=officer, agency=make_agency("other", "Other Police"))
    session = make_class("O-1", agency=elsewhere.agency)
    teach(elsewhere, session.meetings.earliest("starts_at"))

    with pytest.raises(ClassRefused, match="Ruth Osei teaches class O-1 on 2 Mar 2026, 08:00 to 12:00"):
        plan("C-1", morning(instructors=(make_instructor(officer=officer),)))


@pytest.mark.parametrize(
    "twice",
    ["place", "instructor"],
)
def test_the_database_itself_refuses_a_clash(twice: str) -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    one, other = make_class("C-1", days=()), make_class("C-2", days=())
    block = make_block(one, at(MONDAY, 8), at(MONDAY, 12), place=room)
    teach(ruth, block)

    name = {"place": "training_meeting_one_in_a_place", "instructor": "training_teaching_one_at_a_time"}[twice]
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        teach(ruth, make_block(other, at(MONDAY, 11), at(MONDAY, 13), place=room if twice == "place" else None))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_place", "sentence"),
    [
        pytest.param(True, "Room 2 is taken by class C-1 on 2 Mar 2026, 08:00 to 12:00.", id="place"),
        pytest.param(False, "Ruth Osei teaches class C-1 on 2 Mar 2026, 08:00 to 12:00.", id="instructor"),
    ],
)
def test_of_two_who_plan_at_once_the_second_is_told_of_the_first(is_place: bool, sentence: str) -> None:
    block = morning(place=make_place("Room 2")) if is_place else morning(instructors=(make_instructor("Ruth Osei"),))
    gate = Gate()

    def first() -> None:
        with transaction.atomic():
            plan("C-1", block)
            gate.stop_here()

    with meanwhile(first) as one:
        gate.wait_for_it()
        with meanwhile(lambda: refusal_of(lambda: plan("C-2", block))) as two:
            two.wait_until_blocked()
            gate.open()
            one.result()
            assert two.result() == [sentence]
    assert [row.number for row in ClassSession.objects.all()] == ["C-1"]


@pytest.mark.django_db(transaction=True)
def test_a_block_that_somebody_writes_past_the_lock_is_refused_by_the_constraint_and_named() -> None:
    room, gate = make_place("Room 2"), Gate()
    one = make_class("C-1", days=())

    def write() -> None:
        with transaction.atomic():
            make_block(one, at(MONDAY, 8), at(MONDAY, 12), place=room)
            gate.stop_here()

    with meanwhile(write) as first:
        gate.wait_for_it()
        with meanwhile(lambda: refusal_of(lambda: plan("C-2", morning(place=room)))) as two:
            two.wait_until_blocked()
            gate.open()
            first.result()
            assert two.result() == ["Room 2 is taken by class C-1 on 2 Mar 2026, 08:00 to 12:00."]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_one_class_the_second_is_told_to_look_again() -> None:
    session, gate = plan("C-1", morning()), Gate()
    seen = classes.version_of(session)
    blocks = classes.blocks_of(session)

    def first() -> None:
        with transaction.atomic():
            classes.change_blocks(session, [*blocks, morning(TUESDAY)], seen=seen, by=None)
            gate.stop_here()

    with meanwhile(first) as one:
        gate.wait_for_it()
        with meanwhile(lambda: refusal_of(lambda: classes.change_blocks(session, [], seen=seen, by=None))) as two:
            two.wait_until_blocked()
            gate.open()
            one.result()
            assert two.result() == [classes.MEANWHILE]
    assert Meeting.objects.count() == 2


def refusal_of(act: Callable[[], object]) -> list[str]:
    with pytest.raises(ClassRefused) as refused:
        act()
    return refused.value.messages


# --- qualifications --------------------------------------------------------------------------------------------------


def qualify(instructor: Instructor, first: date, last: date | None, course: str | None = "CIT-40") -> None:
    Qualification.objects.create(
        instructor=instructor,
        course=make_course(course) if course else None,
        title="State certificate",
        start_on=first,
        end_on=last,
    )


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        pytest.param([(date(2025, 1, 1), MONDAY, "CIT-40")], "", id="through-the-last-day"),
        pytest.param([(MONDAY, None, None)], "", id="for-any-course"),
        pytest.param(
            [(date(2025, 1, 1), date(2026, 3, 1), "CIT-40")],
            "Ruth Osei's qualification for Course CIT-40 ended on 1 Mar 2026; the block is on 2 Mar 2026.",
            id="ended-the-day-before",
        ),
        pytest.param(
            [(TUESDAY, None, "CIT-40")],
            "Ruth Osei's qualification for Course CIT-40 begins on 3 Mar 2026; the block is on 2 Mar 2026.",
            id="begins-the-day-after",
        ),
        pytest.param(
            [(date(2019, 1, 1), date(2020, 1, 1), "CIT-40"), (date(2026, 1, 1), None, None)], "", id="renewed"
        ),
    ],
)
def test_an_instructor_whose_qualification_is_not_in_force_is_refused(
    held: list[tuple[date, date | None, str | None]], sentence: str
) -> None:
    ruth = make_instructor("Ruth Osei")
    for first, last, course in held:
        qualify(ruth, first, last, course)

    if sentence:
        assert refusal_of(lambda: plan("C-1", morning(instructors=(ruth,)))) == [sentence]
    else:
        assert plan("C-1", morning(instructors=(ruth,))).meetings.count() == 1


def test_an_instructor_without_a_qualification_for_the_course_is_said_once_and_taken() -> None:
    ruth = make_instructor("Ruth Osei")
    qualify(ruth, MONDAY, None, "MHFA")
    blocks = [morning(instructors=(ruth,)), morning(TUESDAY, instructors=(ruth,))]

    done = classes.plan(make_agency(), make_course(), Details("C-1", 30), blocks, token=uuid4(), by=None)

    assert done.warnings == ["Ruth Osei has no qualification for Course CIT-40 entered."]
    assert Teaching.objects.count() == 2


# --- changed, moved --------------------------------------------------------------------------------------------------


def test_blocks_are_changed_added_and_removed_and_each_is_told() -> None:
    room, ruth, tom = make_place("Room 2"), make_instructor("Ruth Osei"), make_instructor("Tom Baker")
    session = plan("C-1", morning(place=room, instructors=(ruth,)), morning(TUESDAY))
    first, second = classes.blocks_of(session)
    wanted = [
        Block(at(MONDAY, 9), at(MONDAY, 12), None, "Law", None, (tom,), first.pk),
        morning(date(2026, 3, 4), instructors=(ruth,)),
    ]

    done = classes.change_blocks(session, wanted, seen=classes.version_of(session), by=make_user("academy"), why="Snow")

    assert done.is_changed is True
    assert told(session)[1].splitlines() == [
        "Removed 3 Mar 2026, 08:00 to 12:00",
        "2 Mar 2026, 08:00 to 12:00: time 2 Mar 2026, 09:00 to 12:00 (was 2 Mar 2026, 08:00 to 12:00);"
        " title Law (was none); place none (was Room 2); instructors Tom Baker (was Ruth Osei)",
        "Added 4 Mar 2026, 08:00 to 12:00: Ruth Osei",
    ]
    assert [(row.pk == first.pk, row.pk == second.pk) for row in classes.meetings_of(session)] == [
        (True, False),
        (False, False),
    ]
    assert list(Teaching.objects.order_by("starts_at").values_list("instructor__name", "starts_at")) == [
        ("Tom Baker", at(MONDAY, 9)),
        ("Ruth Osei", at(date(2026, 3, 4), 8)),
    ]


def test_two_blocks_may_change_places() -> None:
    room, hall = make_place("Room 2"), make_place("Hall")
    session = plan("C-1", morning(place=room), Block(at(MONDAY, 13), at(MONDAY, 17), place=hall))
    first, second = classes.blocks_of(session)
    wanted = [
        Block(second.starts_at, second.ends_at, place=room, pk=first.pk),
        Block(first.starts_at, first.ends_at, place=hall, pk=second.pk),
    ]

    classes.change_blocks(session, wanted, seen=classes.version_of(session), by=None)

    assert [(row.pk, row.place) for row in classes.meetings_of(session)] == [(second.pk, hall), (first.pk, room)]


def test_what_changes_nothing_leaves_no_line() -> None:
    session = plan("C-1", morning())
    seen = classes.version_of(session)

    blocks = classes.change_blocks(session, classes.blocks_of(session), seen=seen, by=None)
    details = classes.change(session, Details("C-1", 30), seen=seen, by=None)

    assert (blocks.is_changed, details.is_changed, len(told(session))) == (False, False, 1)


def test_a_block_with_attendance_stays() -> None:
    session = plan("C-1", morning())
    (block,) = session.meetings.all()
    Attendance.objects.create(enrollment=seat(session, make_officer()), meeting=block, minutes=240)
    seen = classes.version_of(session)

    said = refusal_of(lambda: classes.change_blocks(session, [], seen=seen, by=None))

    assert said == ["A block cannot be removed: attendance was entered for it."]
    assert session.meetings.count() == 1


def test_a_marked_block_that_grows_is_looked_at_and_real_times_go_with_their_day() -> None:
    session = plan("C-1", morning(), morning(TUESDAY))
    first, second = classes.blocks_of(session)
    attend(seat(session, make_officer()))
    session.meetings.filter(starts_at=at(TUESDAY, 8)).update(began_at=at(TUESDAY, 8), ended_at=at(TUESDAY, 12))
    later = timedelta(days=1)
    grown, moved = (
        replace(first, ends_at=at(MONDAY, 13)),
        replace(second, starts_at=second.starts_at + later, ends_at=second.ends_at + later),
    )

    def change(*wanted: Block) -> Done:
        return classes.change_blocks(session, wanted, seen=classes.version_of(session), by=None)

    assert change(grown, second).warnings == [
        "The block of 2 Mar 2026, 08:00 to 13:00 is longer than when it was marked. Look at its attendance."
    ]
    assert refusal_of(lambda: change(grown, moved)) == [
        "It really began on 3 Mar 2026, 08:00, as entered. Take its real times away first."
    ]
    assert change(grown, replace(second, ends_at=at(TUESDAY, 11))).warnings == []


def test_a_block_of_another_class_is_not_changed_through_this_one() -> None:
    session, other = plan("C-1", morning()), plan("C-2", morning(TUESDAY))
    (theirs,) = classes.blocks_of(other)
    seen = classes.version_of(session)

    assert refusal_of(lambda: classes.change_blocks(session, [theirs], seen=seen, by=None)) == [classes.MEANWHILE]
    assert other.meetings.count() == 1


def test_a_new_place_takes_the_blocks_that_were_in_the_old_one_with_it() -> None:
    room, hall, range_ = make_place("Room 2"), make_place("Hall"), make_place("Range")
    session = plan("C-1", morning(place=room), morning(TUESDAY, place=range_), place=room)

    classes.change(
        session, Details("C-9", 24, place=hall, note="Bring boots"), seen=classes.version_of(session), by=None
    )

    assert [row.place for row in classes.meetings_of(session)] == [hall, range_]
    assert told(session)[1] == (
        "Number C-9 (was C-1); seats 24 (was 30); place Hall (was Room 2); note Bring boots (was none)"
    )


def test_a_class_is_not_made_smaller_than_the_people_in_it() -> None:
    session = plan("C-1", morning())
    for state in ("enrolled", "enrolled", "waitlisted", "withdrawn"):
        seat(session, make_officer(), state)
    seen = classes.version_of(session)

    said = refusal_of(lambda: classes.change(session, Details("C-1", 1), seen=seen, by=None))

    assert said == ["2 people have seats. Withdraw some before you make the class smaller."]
    assert classes.change(session, Details("C-1", 2), seen=seen, by=None).is_changed is True


def test_a_class_that_was_finished_once_keeps_its_number() -> None:
    session = plan("C-1", morning())
    ClassEvent.objects.create(session=session, what="finished")
    ClassEvent.objects.create(session=session, what="reopened")
    seen = classes.version_of(session)

    said = refusal_of(lambda: classes.change(session, Details("C-2", 30), seen=seen, by=None))

    assert said == ["The class was finished once: completions name it by its number, which stays."]
    assert classes.change(session, Details("C-1", 20), seen=seen, by=None).is_changed is True


def test_a_class_moves_by_days_and_keeps_its_times_of_the_day() -> None:
    ruth = make_instructor("Ruth Osei")
    session = plan("C-1", morning(date(2026, 3, 6), instructors=(ruth,)), morning(date(2026, 3, 7)))

    classes.move(session, 2, why="Storm", seen=classes.version_of(session), by=None)

    assert [row.starts_at for row in classes.meetings_of(session)] == [at(date(2026, 3, 8), 8), at(date(2026, 3, 9), 8)]
    assert Teaching.objects.get().starts_at == at(date(2026, 3, 8), 8)
    line = session.events.latest("id")
    assert (line.told, line.why) == ("Moved from 6 Mar 2026 to 8 Mar 2026, 2 days later.", "Storm")


def test_a_class_may_move_onto_its_own_days_but_not_onto_anothers() -> None:
    room = make_place("Room 2")
    session = plan("C-1", morning(place=room), morning(TUESDAY, place=room))
    plan("C-2", morning(date(2026, 3, 5), place=room))

    classes.move(session, 1, why="Storm", seen=classes.version_of(session), by=None)
    seen = classes.version_of(session)
    said = refusal_of(lambda: classes.move(session, 1, why="Storm", seen=seen, by=None))

    assert said == ["Room 2 is taken by class C-2 on 5 Mar 2026, 08:00 to 12:00."]
    assert session.meetings.earliest("starts_at").starts_at == at(TUESDAY, 8)


def test_a_moved_class_says_when_its_lesson_plan_is_out_of_force() -> None:
    plan_ = make_lesson_plan(make_course(), "v2019", date(2019, 1, 1), TUESDAY)
    details = Details("C-1", 30, lesson_plan=plan_)
    session = classes.plan(make_agency(), make_course(), details, [morning()], token=uuid4(), by=None).session

    done = classes.move(session, 2, why="Storm", seen=classes.version_of(session), by=None)

    assert done.warnings == ["Lesson plan v2019 is not in force on 4 Mar 2026. Choose one that is."]


# --- cancelled, closed, real times -----------------------------------------------------------------------------------


def test_a_cancelled_class_frees_its_place_and_its_instructors_and_says_who_had_seats() -> None:
    room, ruth = make_place("Room 2"), make_instructor("Ruth Osei")
    session = plan("C-1", morning(place=room, instructors=(ruth,)))
    for state in ("enrolled", "enrolled", "waitlisted", "withdrawn"):
        seat(session, make_officer(), state)

    freed = classes.cancel(session, why="Too few", by=None)

    assert (freed.seats, freed.waiting) == (2, 1)
    line = session.events.latest("id")
    assert (line.what, line.told, line.why) == ("cancelled", "2 seats, 1 on the waitlist.", "Too few")
    assert plan("C-2", morning(place=room, instructors=(ruth,))).meetings.count() == 1


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        pytest.param("finished", "The class is finished. Reopen it before you change it.", id="finished"),
        pytest.param("cancelled", "The class is cancelled. Plan another one.", id="cancelled"),
    ],
)
def test_a_closed_class_takes_no_change(state: str, sentence: str) -> None:
    session = plan("C-1", morning())
    ClassSession.objects.filter(pk=session.pk).update(state=state)
    seen, (block,) = classes.version_of(session), session.meetings.all()
    times = {block.pk: (at(MONDAY, 8), at(MONDAY, 12))}

    for act in (
        lambda: classes.change(session, Details("C-2", 9), seen=seen, by=None),
        lambda: classes.change_blocks(session, [], seen=seen, by=None),
        lambda: classes.move(session, 1, why="Storm", seen=seen, by=None),
        lambda: classes.cancel(session, why="Storm", by=None),
        lambda: classes.enter_real_times(session, times, now=at(TUESDAY, 8), seen=seen, by=None),
    ):
        assert refusal_of(act) == [sentence]
    assert (len(told(session)), session.meetings.get().began_at) == (1, None)


def test_real_times_are_entered_corrected_and_taken_away_each_with_a_line() -> None:
    session = plan("C-1", morning(), morning(TUESDAY))
    first, second = session.meetings.order_by("starts_at")
    now = at(TUESDAY, 8)

    def enter(times: classes.RealTimes) -> None:
        classes.enter_real_times(session, times, now=now, seen=classes.version_of(session), by=None)

    enter({first.pk: (at(MONDAY, 8, 10), at(MONDAY, 12, 5)), second.pk: None})
    enter({first.pk: (at(MONDAY, 8, 10), at(MONDAY, 12))})
    enter({first.pk: None})

    assert told(session)[1:] == [
        "2 Mar 2026, 08:00 to 12:00: really 08:10 to 12:05 (was not entered).",
        "2 Mar 2026, 08:00 to 12:00: really 08:10 to 12:00 (was 08:10 to 12:05).",
        "2 Mar 2026, 08:00 to 12:00: really not entered (was 08:10 to 12:00).",
    ]


def test_real_times_of_what_has_not_happened_or_ends_first_are_refused() -> None:
    session = plan("C-1", morning())
    (block,) = session.meetings.all()
    seen = classes.version_of(session)

    def enter(began: int, ended: int) -> list[str]:
        times = {block.pk: (at(MONDAY, began), at(MONDAY, ended))}
        return refusal_of(lambda: classes.enter_real_times(session, times, now=at(MONDAY, 11), seen=seen, by=None))

    assert enter(8, 12) == ["The block of 2 Mar 2026, 08:00 to 12:00 cannot have ended yet."]
    assert enter(10, 9) == ["Give both real times of the block, the end after the beginning."]
    assert session.meetings.get().began_at is None


def test_a_class_that_has_begun_is_not_moved_whole() -> None:
    session = plan("C-1", morning())
    session.meetings.update(began_at=at(MONDAY, 8), ended_at=at(MONDAY, 12))
    seen = classes.version_of(session)

    said = refusal_of(lambda: classes.move(session, 1, why="Storm", seen=seen, by=None))

    assert said == ["The class has begun: real times are entered. Change its blocks one by one."]


def test_a_class_in_which_somebody_is_marked_is_not_moved_whole() -> None:
    session = plan("C-1", morning())
    attend(make_seat(session), 0)

    said = refusal_of(lambda: classes.move(session, 1, why="Storm", seen=classes.version_of(session), by=None))

    assert said == ["The class has begun: attendance is marked. Change its blocks one by one."]


def test_the_lines_of_a_class_are_never_changed() -> None:
    session = plan("C-1", morning())

    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
        ClassEvent.objects.filter(session=session).update(told="nothing")


def test_planning_forty_hours_costs_the_same_queries_as_four() -> None:
    ruth, room = make_instructor("Ruth Osei"), make_place("Room 2")
    make_agency(), make_course()
    counts = []

    for number, days in (("C-1", 1), ("C-2", 20)):
        first = MONDAY + timedelta(days=100 * days)
        blocks = [morning(first + timedelta(days=day), place=room, instructors=(ruth,)) for day in range(days)]
        with CaptureQueriesContext(connection) as queries:
            plan(number, *blocks)
        counts.append(len(queries))

    assert counts[0] == counts[1]
