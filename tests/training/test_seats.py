"""Seats: who gets one, who waits, who is refused and why, who moves up; for one person and for two at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roster.facts import Via, recording
from roster.models import Employment, Officer
from tests.factories import (
    at,
    complete,
    make_block,
    make_class,
    make_course,
    make_equivalency,
    make_instructor,
    make_officer,
    make_place,
    make_user,
    take_leave,
    teach,
)
from tests.two_writers import Gate, meanwhile
from training import seats
from training.models import ClassEvent, ClassSession, Enrollment, EvidenceDecision
from training.seats import Outside, SeatsChanged, SeatsRefused

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
#: a week before the class
BEFORE = at(date(2026, 2, 23), 9)


def enrol(session: ClassSession, *officers: Officer, now: datetime = BEFORE, **values: Any) -> SeatsChanged:
    values.setdefault("by", None)
    return seats.enrol(session, officers, now=now, **values)


def people(number: int) -> list[Officer]:
    return [make_officer() for _ in range(number)]


def reasons(done: SeatsChanged) -> list[tuple[object, list[str]]]:
    return [(refused.person, [objection.told for objection in refused.why]) for refused in done.refused]


def states(session: ClassSession) -> list[tuple[Officer | None, str]]:
    return [(row.officer, row.state) for row in Enrollment.objects.filter(session=session).order_by("since", "id")]


def lines(session: ClassSession) -> list[str]:
    return list(session.events.filter(what=ClassEvent.What.SEATS).order_by("id").values_list("told", flat=True))


# --- who gets one ----------------------------------------------------------------------------------------------------


def test_the_list_is_seated_in_its_order_until_the_class_is_full_and_then_waits() -> None:
    session, (first, second, third, fourth) = make_class(capacity=2), people(4)
    clerk = make_user("academy", "academy")

    done = enrol(session, third, first, fourth, second, by=clerk)

    assert [row.officer for row in done.seated] == [third, first]
    assert [row.officer for row in done.waiting] == [fourth, second]
    assert states(session) == [
        (third, "enrolled"),
        (first, "enrolled"),
        (fourth, "waitlisted"),
        (second, "waitlisted"),
    ]
    assert {row.enrolled_by for row in Enrollment.objects.all()} == {clerk}
    (line,) = lines(session)
    assert line.splitlines() == [
        f"Seats: {seats.named(done.seated[0])}; {seats.named(done.seated[1])}",
        f"Waitlist: {seats.named(done.waiting[0])}; {seats.named(done.waiting[1])}",
    ]


def test_somebody_named_twice_gets_one_seat() -> None:
    session, (officer,) = make_class(), people(1)

    done = enrol(session, officer, officer)

    assert (len(done.seated), done.refused, Enrollment.objects.count()) == (1, [], 1)


def test_a_person_from_outside_has_a_seat_by_name_once_whatever_the_case() -> None:
    session = make_class(capacity=2)
    pat = Outside("Pat Doe", "Coast Guard", "77")

    enrol(session, outside=[pat, pat])
    again = enrol(session, outside=[Outside("PAT DOE", "coast guard", "77"), Outside("Pat Doe", "Sheriff")])

    assert reasons(again) == [(Outside("PAT DOE", "coast guard", "77"), ["Is on the list of this class already."])]
    rows = Enrollment.objects.order_by("id").values_list("outside_name", "outside_agency", "outside_id", "state")
    assert list(rows) == [("Pat Doe", "Coast Guard", "77", "enrolled"), ("Pat Doe", "Sheriff", "", "enrolled")]
    assert lines(session) == ["Seats: Pat Doe, Coast Guard, 77", "Seats: Pat Doe, Sheriff"]


def test_good_ones_enter_and_the_others_are_handed_back() -> None:
    session, (good, away, listed) = make_class(), people(3)
    take_leave(away, MONDAY, MONDAY)
    enrol(session, listed)

    done = enrol(session, away, listed, good)

    assert [row.officer for row in done.seated] == [good]
    assert reasons(done) == [
        (away, ["Is on leave on 2 Mar 2026."]),
        (listed, ["Has a seat in this class already."]),
    ]


# --- refused, each with its reason -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends", "said"),
    [
        pytest.param((7, 0), (8, 0), [], id="ends-as-this-begins"),
        pytest.param((7, 0), (8, 1), ["Has a seat in class C-2 on 2 Mar 2026, 07:00 to 08:01."], id="a-minute-over"),
        pytest.param((12, 0), (13, 0), [], id="in-the-lunch-hour"),
        pytest.param((16, 59), (20, 0), ["Has a seat in class C-2 on 2 Mar 2026, 16:59 to 20:00."], id="at-the-end"),
        pytest.param((17, 0), (20, 0), [], id="begins-as-this-ends"),
    ],
)
def test_a_seat_in_another_class_at_that_time_is_named(
    starts: tuple[int, int], ends: tuple[int, int], said: list[str]
) -> None:
    session, other, (officer,) = make_class("C-1"), make_class("C-2", days=()), people(1)
    make_block(other, at(MONDAY, *starts), at(MONDAY, *ends))
    enrol(other, officer)

    assert [told for _, told in reasons(enrol(session, officer))] == ([said] if said else [])


@pytest.mark.parametrize("state", ["waitlisted", "withdrawn", "no_show"])
def test_who_holds_no_seat_in_the_other_class_is_free(state: str) -> None:
    session, other, (officer,) = make_class(), make_class(), people(1)
    Enrollment.objects.create(session=other, officer=officer, state=state, since=BEFORE)

    assert len(enrol(session, officer).seated) == 1


def test_a_cancelled_class_holds_nobody() -> None:
    session, other, (officer,) = make_class(), make_class(), people(1)
    enrol(other, officer)
    ClassSession.objects.filter(pk=other.pk).update(state="cancelled")

    assert len(enrol(session, officer).seated) == 1


def test_who_teaches_then_is_refused_and_told_which_class() -> None:
    session, other, officer = make_class("C-1"), make_class("C-2"), make_officer()
    instructor = make_instructor(officer=officer)
    teach(instructor, other.meetings.earliest("starts_at"))
    teach(instructor, session.meetings.latest("starts_at"))

    assert reasons(enrol(session, officer)) == [
        (
            officer,
            [
                "Teaches class C-2 on 2 Mar 2026, 08:00 to 12:00.",
                "Teaches this class on 2 Mar 2026, 13:00 to 17:00.",
            ],
        )
    ]


@pytest.mark.parametrize(
    ("start_on", "end_on", "said"),
    [
        pytest.param(date(2026, 2, 1), date(2026, 3, 1), [], id="back-on-the-first-day"),
        pytest.param(date(2026, 2, 1), MONDAY, ["Is on leave on 2 Mar 2026."], id="last-day-of-leave"),
        pytest.param(TUESDAY, TUESDAY, [], id="between-the-class-days"),
        pytest.param(WEDNESDAY, None, ["Is on leave on 4 Mar 2026."], id="open"),
        pytest.param(date(2026, 3, 5), None, [], id="after"),
    ],
)
def test_leave_on_a_class_day_refuses(start_on: date, end_on: date | None, said: list[str]) -> None:
    session, (officer,) = make_class(days=(MONDAY, WEDNESDAY)), people(1)
    take_leave(officer, start_on, end_on)

    assert [told for _, told in reasons(enrol(session, officer))] == ([said] if said else [])


@pytest.mark.parametrize(
    ("hired_on", "last_day", "said"),
    [
        pytest.param(MONDAY, WEDNESDAY, [], id="exactly"),
        pytest.param(TUESDAY, None, ["Is not employed on 2 Mar 2026."], id="hired-later"),
        pytest.param(date(2020, 1, 1), TUESDAY, ["Is not employed on 4 Mar 2026."], id="leaves-meanwhile"),
    ],
)
def test_who_is_not_employed_on_every_class_day_is_refused(
    hired_on: date, last_day: date | None, said: list[str]
) -> None:
    session, officer = make_class(days=(MONDAY, WEDNESDAY)), make_officer(hired_on=date(2010, 1, 1))
    (employment,) = Employment.objects.all()
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.void([employment])
        recorder.record(Employment(officer=officer, start_on=hired_on, end_on=last_day, category="sworn"))

    assert [told for _, told in reasons(enrol(session, officer))] == ([said] if said else [])


def test_a_block_over_midnight_is_of_both_days() -> None:
    session, (officer,) = make_class(days=()), people(1)
    make_block(session, at(MONDAY, 22), at(TUESDAY, 2))
    take_leave(officer, TUESDAY, TUESDAY)

    assert reasons(enrol(session, officer)) == [(officer, ["Is on leave on 3 Mar 2026."])]


def test_days_are_those_of_the_agencys_clock_when_it_changes() -> None:
    """8 Mar 2026 has 23 hours and 1 Nov 2026 has 25 where the clock changes: a late block stays on its day."""
    for day in (date(2026, 3, 8), date(2026, 11, 1)):
        session = make_class(days=())
        block = make_block(session, at(day, 0), at(day, 23, 59))

        assert seats.days_of([block]) == [day]
        assert seats.days_of([make_block(session, at(day, 23, 59), at(day + timedelta(days=1), 0))]) == [day]


BASIC_BEFORE = "Has no completion of Course BASIC (BASIC) by 2 Mar 2026."


@pytest.mark.parametrize(
    ("held", "is_enough"),
    [
        pytest.param({"completed_on": MONDAY}, True, id="on-the-first-class-day"),
        pytest.param({"completed_on": TUESDAY}, False, id="a-day-late"),
        pytest.param({"result": "failed"}, False, id="failed"),
        pytest.param({"result": "incomplete"}, False, id="incomplete"),
        pytest.param({"evidence": "pending"}, True, id="nobody-has-looked-yet"),
        pytest.param({"evidence": "rejected"}, False, id="rejected"),
        pytest.param({"score": "1"}, True, id="whatever-the-score"),
    ],
)
def test_a_prerequisite_is_a_known_passed_completion_that_was_not_rejected(
    held: dict[str, Any], is_enough: bool
) -> None:
    basic, (officer,) = make_course("BASIC"), people(1)
    session = make_class(days=(MONDAY, TUESDAY))
    session.course.prerequisites.add(basic)
    complete(officer, basic, **{"completed_on": date(2020, 1, 1), **held})

    assert reasons(enrol(session, officer)) == ([] if is_enough else [(officer, [BASIC_BEFORE])])


def test_a_decision_outweighs_what_was_recorded_of_a_prerequisite() -> None:
    basic, (good, bad, none) = make_course("BASIC"), people(3)
    session = make_class(days=(MONDAY,))
    session.course.prerequisites.add(basic)
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        for officer, decision in ((good, "verified"), (bad, "rejected")):
            row = complete(officer, basic, date(2020, 1, 1), evidence="pending")
            recorder.record(
                EvidenceDecision(officer=officer, completion=row, decision=decision, decided_on=date(2020, 1, 2))
            )

    done = enrol(session, good, bad, none)

    assert reasons(done) == [(bad, [BASIC_BEFORE]), (none, [BASIC_BEFORE])]


def test_a_course_that_counted_as_the_prerequisite_on_its_day_opens_and_is_not_chained() -> None:
    basic, state, other = make_course("BASIC"), make_course("STATE"), make_course("OTHER")
    titled = make_course("TITLED", same_as=basic, is_from_title=True)
    session = make_class()
    session.course.prerequisites.add(basic)
    make_equivalency(state, basic, date(2020, 1, 1), date(2020, 12, 31))
    make_equivalency(other, state, date(2010, 1, 1))
    first, last, late, chained, by_title = people(5)
    complete(first, state, date(2020, 1, 1))
    complete(last, state, date(2020, 12, 31))
    complete(late, state, date(2021, 1, 1))
    complete(chained, other, date(2020, 6, 1))
    complete(by_title, titled, date(2012, 1, 1))

    done = enrol(session, first, last, late, chained, by_title)

    assert [row.officer for row in done.seated] == [first, last, by_title]
    assert [refused.person for refused in done.refused] == [late, chained]


def test_every_reason_is_told_at_once() -> None:
    basic, (officer,) = make_course("BASIC"), people(1)
    session, other = make_class("C-1"), make_class("C-2")
    session.course.prerequisites.add(basic)
    Enrollment.objects.create(session=other, officer=officer, since=BEFORE)
    take_leave(officer, MONDAY)

    assert reasons(enrol(session, officer)) == [
        (
            officer,
            [
                "Has a seat in class C-2 on 2 Mar 2026, 08:00 to 12:00.",
                "Is on leave on 2 Mar 2026.",
                BASIC_BEFORE,
            ],
        )
    ]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        pytest.param("finished", "The class is finished. Reopen it before you change its seats.", id="finished"),
        pytest.param("cancelled", "The class is cancelled: nobody can have a seat in it.", id="cancelled"),
    ],
)
def test_the_list_of_a_closed_class_is_closed(state: str, sentence: str) -> None:
    session, (officer, other) = make_class(), people(2)
    (row,) = enrol(session, officer).seated
    ClassSession.objects.filter(pk=session.pk).update(state=state)

    with pytest.raises(SeatsRefused) as refused:
        enrol(session, other)
    with pytest.raises(SeatsRefused):
        seats.withdraw(session, [row.pk], why="Ill", by=None, now=BEFORE)
    with pytest.raises(SeatsRefused):
        seats.move_up(session, by=None, now=BEFORE)

    assert (refused.value.messages, states(session)) == ([sentence], [(officer, "enrolled")])


# --- overridden ------------------------------------------------------------------------------------------------------


def test_leave_and_prerequisites_are_overridden_with_a_reason_that_stays_with_the_seat() -> None:
    basic, (away, free) = make_course("BASIC"), people(2)
    session = make_class()
    session.course.prerequisites.add(basic)
    complete(free, basic, date(2020, 1, 1))
    take_leave(away, MONDAY)

    done = enrol(session, away, free, why="Comes back early, says the captain")

    assert {row.officer: row.why for row in done.seated} == {away: "Comes back early, says the captain", free: ""}
    assert ClassEvent.objects.get().why == "Comes back early, says the captain"


def test_what_cannot_be_is_not_overridden() -> None:
    session, other, (listed, booked) = make_class(), make_class("C-2"), people(2)
    teacher, gone = make_officer(), make_officer(hired_on=date(2027, 1, 1))
    enrol(session, listed)
    enrol(other, booked)
    teach(make_instructor(officer=teacher), session.meetings.earliest("starts_at"))

    done = enrol(session, listed, booked, teacher, gone, why="All the same")

    assert [(refused.person, refused.may_be_overridden) for refused in done.refused] == [
        (listed, False),
        (booked, False),
        (teacher, False),
        (gone, False),
    ]


def test_nobody_overrides_for_themselves() -> None:
    session, (own,) = make_class(), people(1)
    take_leave(own, MONDAY)
    clerk = make_user("officer", "clerk", officer=own)

    done = enrol(session, own, by=clerk, why="I am coming")

    assert [refused.person for refused in done.refused] == [own]


# --- withdrawn, moved up ---------------------------------------------------------------------------------------------


def test_a_seat_that_is_given_up_goes_to_the_first_who_waits() -> None:
    session, (first, second, third) = make_class(capacity=1), people(3)
    (row,) = enrol(session, first).seated
    enrol(session, second, now=BEFORE + timedelta(hours=1))
    enrol(session, third, now=BEFORE + timedelta(hours=2))

    done = seats.withdraw(session, [row.pk], why="Injured", by=None, now=BEFORE + timedelta(days=1))

    assert ([r.officer for r in done.withdrawn], [r.officer for r in done.moved_up]) == ([first], [second])
    assert dict(states(session)) == {first: "withdrawn", second: "enrolled", third: "waitlisted"}
    assert Enrollment.objects.get(officer=first).why == "Injured"
    line = session.events.latest("id")
    assert (line.told.splitlines(), line.why) == (
        [f"Withdrawn: {first} ({first.employee_id})", f"Moved up from the waitlist: {second} ({second.employee_id})"],
        "Injured",
    )


def test_who_cannot_come_is_passed_over_and_keeps_the_place() -> None:
    session, other, (first, booked, third) = make_class("C-1", capacity=1), make_class("C-2"), people(3)
    (row,) = enrol(session, first, booked, third).seated
    enrol(other, booked)

    done = seats.withdraw(session, [row.pk], why="Injured", by=None, now=BEFORE)

    assert [moved.officer for moved in done.moved_up] == [third]
    assert [(left.person, [each.told for each in left.why]) for left in done.passed_over] == [
        (booked, ["Has a seat in class C-2 on 2 Mar 2026, 08:00 to 12:00."])
    ]
    assert dict(states(session))[booked] == "waitlisted"


def test_who_waits_in_spite_of_leave_moves_up_in_spite_of_it() -> None:
    session, (first, away) = make_class(capacity=1), people(2)
    take_leave(away, MONDAY)
    (row,) = enrol(session, first).seated
    enrol(session, away, why="Comes back early")

    done = seats.withdraw(session, [row.pk], why="Injured", by=None, now=BEFORE)

    assert [moved.officer for moved in done.moved_up] == [away]


def test_nobody_moves_up_once_the_class_has_begun_but_may_be_enrolled_by_hand() -> None:
    session, (first, second) = make_class(capacity=1), people(2)
    (row,) = enrol(session, first, second).seated
    begun = at(MONDAY, 8)

    done = seats.withdraw(session, [row.pk], why="Left", by=None, now=begun)
    by_hand = enrol(session, second, now=begun)

    assert (done.moved_up, [seat.officer for seat in by_hand.seated]) == ([], [second])


def test_a_larger_class_moves_up_as_many_as_it_has_seats() -> None:
    session, officers = make_class(capacity=1), people(4)
    enrol(session, *officers)
    ClassSession.objects.filter(pk=session.pk).update(capacity=3)

    done = seats.move_up(session, by=None, now=BEFORE)

    assert [row.officer for row in done.moved_up] == officers[1:3]
    assert [state for _, state in states(session)].count("enrolled") == 3


def test_the_seat_of_somebody_who_did_not_come_is_free_for_who_stands_at_the_door() -> None:
    session, (gone, waits) = make_class(days=(MONDAY,), capacity=1), people(2)
    enrol(session, gone, waits)
    Enrollment.objects.filter(officer=gone).update(state="no_show")

    done = seats.enrol(session, [waits], by=None, now=at(MONDAY, 9))

    assert ([row.officer for row in done.seated], done.refused) == ([waits], [])
    assert seats.taken(session) == 1


def test_who_comes_back_goes_to_the_end_of_the_waitlist_with_the_lines_of_before_kept() -> None:
    session, (first, second, third) = make_class(capacity=1), people(3)
    enrol(session, first, second, third)
    waiting = Enrollment.objects.get(officer=second)
    seats.withdraw(session, [waiting.pk], why="Has no time", by=None, now=BEFORE + timedelta(hours=1))

    enrol(session, second, now=BEFORE + timedelta(hours=2))

    assert [row.officer for row in seats.waitlist(session)] == [third, second]
    assert (Enrollment.objects.filter(officer=second).count(), Enrollment.objects.get(officer=second).why) == (1, "")
    assert len(lines(session)) == 3


def test_an_act_that_does_nothing_leaves_no_line() -> None:
    session, (officer,) = make_class(), people(1)
    enrol(session, officer)

    enrol(session, officer)
    seats.withdraw(session, [], why="Nobody", by=None, now=BEFORE)
    seats.move_up(session, by=None, now=BEFORE)

    assert len(lines(session)) == 1


def test_seats_of_another_class_are_not_withdrawn_through_this_one() -> None:
    session, other, (officer,) = make_class(), make_class(), people(1)
    (row,) = enrol(other, officer).seated

    done = seats.withdraw(session, [row.pk], why="Wrong class", by=None, now=BEFORE)

    assert (done.withdrawn, states(other)) == ([], [(officer, "enrolled")])


def test_a_place_that_holds_fewer_is_told() -> None:
    room = make_place("Room 2", capacity=2)
    session, officers = make_class(place=room), people(3)

    assert enrol(session, *officers[:2]).warnings == []
    assert enrol(session, officers[2]).warnings == ["Room 2 holds 2 people; 3 have seats."]


def test_the_tightest_place_of_any_block_is_what_counts() -> None:
    hall, van = make_place("Hall", capacity=40), make_place("Van", capacity=1)
    session, officers = make_class(place=hall), people(2)
    block = session.meetings.latest("starts_at")
    block.place = van
    block.save()

    assert enrol(session, *officers).warnings == ["Van holds 1 person; 2 have seats."]


def test_those_on_the_list_who_could_no_longer_come_are_found() -> None:
    session, (officer, other) = make_class(), people(2)
    enrol(session, officer, other)
    take_leave(officer, MONDAY)

    found = seats.objections(session, [officer.pk, other.pk], has_seat=True)

    assert {key: [each.told for each in value] for key, value in found.items()} == {
        officer.pk: ["Is on leave on 2 Mar 2026."]
    }


def test_asking_about_thirty_costs_the_same_queries_as_one() -> None:
    session = make_class(days=(MONDAY, TUESDAY))
    session.course.prerequisites.add(make_course("BASIC"))
    counts = []

    for number in (1, 30):
        ids = [officer.pk for officer in people(number)]
        with CaptureQueriesContext(connection) as queries:
            seats.objections(session, ids)
        counts.append(len(queries))

    # the blocks; on the list; other classes, teaching, employment, leave; prerequisites, equivalencies, courses,
    # completions
    assert counts == [10, 10]


def test_enrolling_thirty_costs_the_same_queries_as_one() -> None:
    session, back = make_class(capacity=5), people(2)
    enrol(session, *back)
    seats.withdraw(session, Enrollment.objects.values_list("pk", flat=True), why="Court", by=None, now=BEFORE)
    counts = []

    for officer, number in zip(back, (1, 30), strict=True):
        with CaptureQueriesContext(connection) as queries:
            done = enrol(session, officer, *people(number))
        counts.append(len([each for each in queries if "training_enrollment" in each["sql"]]))
        assert len(done.seated) + len(done.waiting) == number + 1

    # who waits, twice, and of those who do: seats taken, twice; on the list; other classes; their rows; people from
    # outside; the new ones, and those who come back; whether the place holds them
    assert counts[0] == counts[1]
    assert Enrollment.objects.filter(state="waitlisted").count() == 28


# --- two at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_enrol_at_once_never_give_more_seats_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    session, officers = make_class(capacity=3), people(4)
    gate, finish = Gate(), seats._finish

    def slowly(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(seats, "_finish", finish)
        gate.stop_here()
        finish(*args, **kwargs)

    monkeypatch.setattr(seats, "_finish", slowly)
    with meanwhile(lambda: enrol(session, *officers[:2])) as first:
        gate.wait_for_it()
        with meanwhile(lambda: enrol(session, *officers[2:])) as second:
            second.wait_until_blocked()
            gate.open()
            done = second.result()
        first.result()

    assert ([row.officer for row in done.seated], [row.officer for row in done.waiting]) == (
        [officers[2]],
        [officers[3]],
    )
    assert [state for _, state in states(session)].count("enrolled") == 3


@pytest.mark.django_db(transaction=True)
def test_two_classes_at_one_time_never_both_take_the_same_member(monkeypatch: pytest.MonkeyPatch) -> None:
    session, other, officer = make_class("C-1"), make_class("C-2"), make_officer()
    gate, finish = Gate(), seats._finish

    def slowly(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(seats, "_finish", finish)
        gate.stop_here()
        finish(*args, **kwargs)

    monkeypatch.setattr(seats, "_finish", slowly)
    with meanwhile(lambda: enrol(session, officer)) as first:
        gate.wait_for_it()
        with meanwhile(lambda: enrol(other, officer)) as second:
            second.wait_until_blocked()
            gate.open()
            done = second.result()
        first.result()

    assert reasons(done) == [(officer, ["Has a seat in class C-1 on 2 Mar 2026, 08:00 to 12:00."])]
    assert Enrollment.objects.get().session == session
