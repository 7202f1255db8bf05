"""Suggested seats: the order by need and by what a credit does for a goal, and minimums that are never broken."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import suggestions, working
from compliance.gather import Waiting
from compliance.suggestions import Candidate, GroupKey, Need, Situation, Suggested, Tier, choose
from compliance.working import Place
from roster.facts import Via, recording
from roster.models import Agency, Employment, Officer, StaffingMinimum, Unit
from tests.factories import (
    assign_temporarily,
    at,
    complete,
    decide,
    designate,
    make_agency,
    make_block,
    make_class,
    make_course,
    make_equivalency,
    make_goal,
    make_instructor,
    make_officer,
    make_requirement,
    make_seat,
    make_shift,
    make_unit,
    take_leave,
    teach,
)
from training import seats
from training.models import ClassSession, Course, Enrollment

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
TODAY = date(2026, 2, 16)

# --- the choice ------------------------------------------------------------------------------------------------------

DAYS_HERE, NIGHTS_HERE, DAYS_THERE = Place(1, 1), Place(1, 2), Place(2, 1)
GOAL_HERE, GOAL_THERE = (7, 1, None), (7, 2, None)


def one(
    officer: int,
    tier: Tier = Tier.OVERDUE,
    due_on: date = date(2025, 1, 1),
    *,
    at_work: tuple[Place, ...] = (DAYS_HERE,),
    groups: tuple[GroupKey, ...] = (),
    waits: bool = False,
) -> Candidate:
    waiting = Waiting(100 + officer, "CIT-40", TODAY) if waits else None
    return Candidate(officer, Need(tier, due_on, 1, tier.name.lower()), at_work, groups, waiting)


def situation(
    working: dict[Place, int] | None = None,
    minimums: dict[Place, int] | None = None,
    short: dict[GroupKey, int] | None = None,
    days: tuple[date, ...] = (MONDAY,),
) -> Situation:
    counts = {(day, place): number for day in days for place, number in (working or {}).items()}
    return Situation(days, counts, minimums or {}, short or {})


@pytest.mark.parametrize(
    ("candidates", "where", "wanted", "picked", "skipped"),
    [
        pytest.param([], situation(), 3, [], [], id="nobody"),
        pytest.param([one(1), one(2)], situation(), 0, [], [], id="no-seat"),
        pytest.param(
            [one(1, due_on=date(2025, 3, 1)), one(2, due_on=date(2024, 3, 1)), one(3, due_on=date(2026, 3, 1))],
            situation(),
            3,
            [2, 1, 3],
            [],
            id="overdue-longest-first",
        ),
        pytest.param(
            [one(1, Tier.LATER, MONDAY), one(2, Tier.SOON, TUESDAY), one(3, Tier.OVERDUE, MONDAY)],
            situation(),
            2,
            [3, 2],
            [],
            id="overdue-then-soon-then-later",
        ),
        pytest.param(
            [one(1), one(2, groups=(GOAL_HERE,)), one(3)],
            situation(short={GOAL_HERE: 1}),
            2,
            [2, 1],
            [],
            id="of-one-date-who-helps-a-goal-first",
        ),
        pytest.param(
            [one(1, due_on=date(2024, 1, 1)), one(2, groups=(GOAL_HERE,))],
            situation(short={GOAL_HERE: 5}),
            2,
            [1, 2],
            [],
            id="a-date-outweighs-a-goal",
        ),
        pytest.param(
            [
                one(1, Tier.LATER, date(2027, 1, 1)),
                one(2, Tier.LATER, date(2028, 1, 1), groups=(GOAL_HERE,)),
                one(3, Tier.LATER, date(2028, 2, 1), groups=(GOAL_HERE,)),
                one(4, Tier.LATER, date(2028, 3, 1), groups=(GOAL_THERE,)),
            ],
            situation(short={GOAL_HERE: 1, GOAL_THERE: 1}),
            4,
            [2, 4, 1, 3],
            [],
            id="later-ones-by-what-the-goal-still-lacks",
        ),
        pytest.param(
            [
                one(1, due_on=date(2024, 1, 1), waits=True),
                one(2, due_on=date(2025, 1, 1)),
                one(3, due_on=date(2023, 1, 1), waits=True),
                one(4, Tier.SOON, TUESDAY),
            ],
            situation(),
            4,
            [2, 3, 1, 4],
            [],
            id="who-may-have-it-already-after-the-others-as-urgent",
        ),
        pytest.param(
            [
                one(1, Tier.LATER, date(2027, 1, 1), groups=(GOAL_HERE,), waits=True),
                one(2, Tier.LATER, date(2028, 1, 1)),
                one(3, Tier.LATER, date(2029, 1, 1), groups=(GOAL_HERE,)),
            ],
            situation(short={GOAL_HERE: 5}),
            3,
            [3, 2, 1],
            [],
            id="a-goal-does-not-bring-who-may-have-it-forward",
        ),
        pytest.param(
            [one(1), one(2), one(3)],
            situation({DAYS_HERE: 5}, {DAYS_HERE: 3}),
            3,
            [1, 2],
            [3],
            id="down-to-the-minimum-and-no-further",
        ),
        pytest.param(
            [one(1), one(2, at_work=(NIGHTS_HERE,)), one(3, at_work=(DAYS_THERE,))],
            situation({DAYS_HERE: 3, NIGHTS_HERE: 4, DAYS_THERE: 1}, {DAYS_HERE: 3, NIGHTS_HERE: 3}),
            3,
            [2, 3],
            [1],
            id="each-unit-and-shift-by-itself",
        ),
        pytest.param([one(1)], situation({DAYS_HERE: 1}, {DAYS_HERE: 3}), 1, [], [1], id="below-the-minimum-already"),
        pytest.param([one(1)], situation({DAYS_HERE: 1}, {DAYS_HERE: 0}), 1, [1], [], id="no-minimum"),
        pytest.param(
            [one(1, at_work=(DAYS_HERE, DAYS_THERE)), one(2, at_work=(DAYS_HERE, DAYS_HERE))],
            situation({DAYS_HERE: 3, DAYS_THERE: 2}, {DAYS_HERE: 1, DAYS_THERE: 2}, days=(MONDAY, TUESDAY)),
            2,
            [2],
            [1],
            id="on-every-day-where-they-work-that-day",
        ),
        pytest.param(
            [one(1), one(2), one(3, at_work=(NIGHTS_HERE,))],
            situation({DAYS_HERE: 2, NIGHTS_HERE: 2}, {DAYS_HERE: 2, NIGHTS_HERE: 1}),
            1,
            [3],
            [1, 2],
            id="the-next-one-takes-the-seat",
        ),
    ],
)
def test_choice(
    candidates: list[Candidate], where: Situation, wanted: int, picked: list[int], skipped: list[int]
) -> None:
    choice = choose(candidates, where, wanted)

    assert [each.candidate.officer for each in choice.picked] == picked
    assert [each.candidate.officer for each in choice.skipped] == skipped


def test_the_choice_does_not_depend_on_the_order_it_is_given() -> None:
    candidates = [one(number, Tier(number % 3), date(2025, 1, 1 + number % 5)) for number in range(1, 30)]
    where = situation({DAYS_HERE: 20}, {DAYS_HERE: 5})

    assert choose(candidates, where, 30) == choose(reversed(candidates), where, 30)


def test_a_pick_says_what_is_left_on_the_tightest_day_and_what_the_goal_lacked() -> None:
    where = Situation(
        (MONDAY, TUESDAY),
        {(MONDAY, DAYS_HERE): 9, (TUESDAY, DAYS_HERE): 5},
        {DAYS_HERE: 2},
        {GOAL_HERE: 2},
    )
    two = (DAYS_HERE, DAYS_HERE)

    picked = choose([one(n, at_work=two, groups=(GOAL_HERE,)) for n in (1, 2, 3)], where, 3).picked

    assert [(each.left.day, each.left.number) for each in picked if each.left] == [
        (TUESDAY, 4),
        (TUESDAY, 3),
        (TUESDAY, 2),
    ]
    assert [(each.group, each.short) for each in picked] == [(GOAL_HERE, 2), (GOAL_HERE, 2), (None, 0)]


# --- gathered and told -----------------------------------------------------------------------------------------------


def patrol(name: str = "CEN", title: str = "Central") -> Unit:
    return make_unit(name, name=title, function="patrol")


def rule(course: Course | None = None, **values: Any) -> Any:
    """Patrol takes the course once, 180 days after joining."""
    asked = {"clock": "once", "entry_grace_days": 180, "population": {"functions": ["patrol"]}, **values}
    return make_requirement("basic", entry=(course or make_course(),), **asked)


def suggested(
    session: ClassSession, wanted: int = 5, *, agencies: Collection[int] | None = None, today: date = TODAY
) -> list[tuple[str, str]]:
    found = suggestions.suggest(session, wanted, agencies=agencies, today=today)
    return [(each.officer.last_name, each.why) for each in found.picked]


def member(name: str, unit: Unit, hired_on: date, shift: str = "nights", **values: Any) -> Officer:
    return make_officer(last_name=name, unit=unit, shift=make_shift(shift), hired_on=hired_on, **values)


@pytest.mark.django_db
def test_each_says_why_in_one_sentence() -> None:
    central = patrol()
    requirement = rule()
    make_goal(requirement, code="half", target_percent=50, each="unit_shift")
    StaffingMinimum.objects.create(unit=central, shift=make_shift("nights"), minimum=2)
    member("Old", central, date(2024, 3, 4))
    member("Fresh", central, date(2025, 12, 1))
    member("Lately", central, date(2025, 8, 22))
    complete(member("Trained", central, date(2020, 1, 1)), make_course(), date(2020, 5, 5))

    assert suggested(make_class(days=(MONDAY, TUESDAY))) == [
        (
            "Old",
            "Overdue since 1 Sep 2024; Central nights is 1 short of its goal; "
            "leaves 3 of at least 2 on Central nights.",
        ),
        ("Lately", "Due 18 Feb 2026, before the class ends; leaves 2 of at least 2 on Central nights."),
    ]


@pytest.mark.django_db
def test_evidence_that_waits_puts_a_member_last_where_it_would_answer_the_need() -> None:
    central, basic, state = patrol(), make_course("BASIC"), make_course("STATE-40")
    rule(basic, clock="rolling", months=36, min_hours=8)
    make_equivalency(state, basic, date(2020, 1, 1))
    reported = member("Reported", central, date(2021, 1, 1))
    waiting = complete(reported, basic, date(2025, 5, 3), evidence="pending")
    complete(reported, basic, date(2025, 5, 2), evidence="pending")
    # What waits is what would answer by itself: a later block that is too short is not.
    short = member("Short", central, date(2020, 4, 1))
    complete(short, basic, date(2025, 5, 2), hours=40, evidence="pending")
    complete(short, basic, date(2025, 6, 2), hours=1, evidence="pending")
    elsewhere = complete(member("Elsewhere", central, date(2022, 1, 1)), state, date(2025, 6, 3), evidence="pending")
    # A credit of that day would have run out, too, and the others wait for nothing.
    complete(member("Stale", central, date(2020, 1, 1)), basic, date(2021, 5, 3), evidence="pending")
    complete(member("Failed", central, date(2020, 2, 1)), basic, date(2025, 5, 3), evidence="pending", result="failed")
    decided = complete(member("Refused", central, date(2020, 3, 1)), basic, date(2025, 5, 3), evidence="pending")
    decide(decided, "rejected")
    member("Nothing", central, date(2024, 1, 1))
    session = make_class(course=basic)

    found = suggestions.suggest(session, 7, agencies=None, today=TODAY).picked
    fewer = suggestions.suggest(session, 1, agencies=None, today=TODAY).picked

    assert [(each.officer.last_name, each.waits, each.waiting) for each in found] == [
        ("Stale", "", None),
        ("Failed", "", None),
        ("Refused", "", None),
        ("Short", "", None),
        ("Nothing", "", None),
        ("Reported", "BASIC of 3 May 2025 awaits a decision", waiting.pk),
        ("Elsewhere", "STATE-40 of 3 Jun 2025 awaits a decision", elsewhere.pk),
    ]
    assert [each.officer.last_name for each in fewer] == ["Stale"]


@pytest.mark.django_db
def test_hours_that_wait_are_told_though_they_complete_no_sum() -> None:
    central, evening = patrol(), make_course("EVENING", hours=4)
    make_requirement("eight", entry=(evening,), hours=8, clock="once", population={"functions": ["patrol"]})
    complete(member("Begun", central, date(2024, 1, 1)), evening, date(2025, 5, 3), evidence="pending")
    member("Untrained", central, date(2024, 2, 1))

    found = suggestions.suggest(make_class(course=evening), 5, agencies=None, today=TODAY).picked

    assert [(each.officer.last_name, each.waits) for each in found] == [
        ("Untrained", ""),
        ("Begun", "EVENING of 3 May 2025 awaits a decision"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("designation", "short", "expected"),
    [
        pytest.param("CIT ", 2, ["Peer", "Plain", "Holder"], id="named"),
        pytest.param("", 1, ["Plain", "Holder", "Peer"], id="any"),
        pytest.param("crisis", 3, ["Holder", "Peer", "Plain"], id="of-which-nobody-has-one"),
    ],
)
def test_a_goal_of_designated_members_brings_those_forward_who_can_be_designated_once_trained(
    designation: str, short: int, expected: list[str]
) -> None:
    """All joined on one day and are due on one: in the order of their numbers, but for what the goal lacks."""
    central = patrol()
    make_goal(rule(first_due="next_year_end"), counts="designated", designation=designation)
    for name, code in (("Holder", "cit"), ("Peer", "peer"), ("Plain", "")):
        officer = member(name, central, date(2026, 1, 5))
        if code:
            designate(officer, code, date(2026, 1, 5))
        designate(officer, "crisis", date(2026, 1, 5), TODAY - timedelta(days=1))

    found = suggested(make_class())

    assert [name for name, _ in found] == expected
    goal = f"Central is {short} short of its goal of designated members"
    assert found[0][1] == f"In grace, due 31 Dec 2027; {goal}."
    assert found[2][1] == ("In grace, due 31 Dec 2027." if short < 3 else found[0][1])


@pytest.mark.django_db
def test_who_is_passed_over_for_the_minimum_is_told_with_the_day() -> None:
    central = patrol()
    rule()
    Agency.objects.update(min_working=2)
    member("One", central, date(2024, 1, 1))
    member("Two", central, date(2024, 2, 1))
    take_leave(member("Away", central, date(2024, 3, 1)), TUESDAY, TUESDAY)

    found = suggestions.suggest(make_class(days=(MONDAY, TUESDAY)), 5, agencies=None, today=TODAY)

    assert [(each.officer.last_name, each.why) for each in found.skipped] == [
        ("One", "Overdue since 30 Jun 2024; would leave 1 of at least 2 on Central nights on 3 Mar 2026."),
        ("Two", "Overdue since 31 Jul 2024; would leave 1 of at least 2 on Central nights on 3 Mar 2026."),
    ]
    assert found.picked == ()


@pytest.mark.django_db
def test_seats_given_by_name_tell_what_their_shifts_keep_on_the_worst_day() -> None:
    central = patrol()
    Agency.objects.update(min_working=2)
    StaffingMinimum.objects.create(unit=central, shift=make_shift("days"), minimum=1)
    people = [member(f"M{number}", central, date(2016, 1, 1)) for number in range(4)]
    by_day = [member(f"D{number}", central, date(2016, 1, 1), "days") for number in range(2)]
    take_leave(people[3], TUESDAY, TUESDAY)
    session = make_class(days=(MONDAY, TUESDAY))
    given = [people[0], by_day[0]]
    seats.enrol(session, given, by=None, now=at(TODAY, 9))

    def short(*officers: Officer) -> list[str]:
        return suggestions.below_minimum(session, {each.pk for each in officers})

    assert short(*given) == []
    seats.enrol(session, [people[1]], by=None, now=at(TODAY, 9))
    assert short(people[1]) == ["Central nights keeps 1 of at least 2 on 3 Mar 2026"]
    seats.enrol(session, [people[2], by_day[1]], by=None, now=at(TODAY, 9))
    assert short(people[2], by_day[1]) == [
        "Central nights keeps 0 of at least 2 on 3 Mar 2026",
        "Central days keeps 0 of at least 1 on 2 Mar 2026",
    ]
    assert short() == []


def minimum_of(unit: Unit, shift: str) -> int:
    """How many stay on a unit and shift of which everybody needs the course: the first five hired are asked."""
    for number in range(5):
        member(f"M{number}", unit, date(2024, 1, 1 + number), shift)
    return 5 - len(suggested(make_class(), 9))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("of_agency", "of_unit", "of_shift", "kept"),
    [
        pytest.param(0, None, None, 0, id="none"),
        pytest.param(1, None, None, 1, id="the-agencys"),
        pytest.param(1, 3, None, 3, id="the-units-outweighs-it"),
        pytest.param(1, 3, 2, 2, id="the-shifts-outweighs-both"),
        pytest.param(4, 0, None, 0, id="a-unit-may-keep-nobody"),
    ],
)
def test_the_minimum_is_that_of_the_shift_else_the_unit_else_the_agency(
    of_agency: int, of_unit: int | None, of_shift: int | None, kept: int
) -> None:
    central = patrol()
    rule()
    Agency.objects.update(min_working=of_agency)
    for shift, minimum in ((None, of_unit), (make_shift("nights"), of_shift)):
        if minimum is not None:
            StaffingMinimum.objects.create(unit=central, shift=shift, minimum=minimum)

    assert minimum_of(central, "nights") == kept


@pytest.mark.django_db
def test_the_minimum_of_a_unit_counts_everybody_below_it_shift_by_shift() -> None:
    """Two squads of two on nights: the district keeps three, so one of the four may go, whatever the agency says."""
    district = patrol()
    squads = [make_unit(f"CEN-{number}", name=f"Squad {number}", parent=district) for number in (1, 2)]
    rule()
    Agency.objects.update(min_working=2)
    StaffingMinimum.objects.create(unit=district, minimum=3)
    for number, squad in enumerate(squads * 2):
        member(f"M{number}", squad, date(2024, 1, 1 + number))
    member("Days", squads[0], date(2024, 2, 1), "days")
    session = make_class()

    found = suggestions.suggest(session, 9, agencies=None, today=TODAY)

    assert [each.officer.last_name for each in found.picked] == ["M0"]
    assert [each.why for each in found.skipped][-2:] == [
        "Overdue since 3 Jul 2024; would leave 2 of at least 3 on Central nights on 2 Mar 2026.",
        "Overdue since 31 Jul 2024; would leave 0 of at least 3 on Central days on 2 Mar 2026.",
    ]
    seats.enrol(session, Officer.objects.filter(last_name__in=["M0", "M1"]), by=None, now=at(TODAY, 9))
    given = set(Enrollment.objects.values_list("officer_id", flat=True))
    assert suggestions.below_minimum(session, {key for key in given if key}) == [
        "Central nights keeps 2 of at least 3 on 2 Mar 2026"
    ]


@pytest.mark.django_db
def test_whoever_cannot_have_a_seat_is_not_suggested() -> None:
    central = patrol()
    rule()
    session, other = make_class("C-1"), make_class("C-2")
    names = ("Seated", "Withdrawn", "Elsewhere", "Teaches", "Away", "Free")
    of = {name: member(name, central, date(2024, 1, 1)) for name in names}
    now = at(TODAY, 9)
    (seat,) = seats.enrol(session, [of["Withdrawn"]], by=None, now=now).seated
    seats.withdraw(session, [seat.pk], why="Ill", by=None, now=now)
    seats.enrol(session, [of["Seated"]], by=None, now=now)
    seats.enrol(other, [of["Elsewhere"]], by=None, now=now)
    teach(make_instructor(officer=of["Teaches"]), other.meetings.earliest("starts_at"))
    take_leave(of["Away"], MONDAY, MONDAY)

    assert {name for name, _ in suggested(session, 9)} == {"Withdrawn", "Free"}


@pytest.mark.django_db
def test_who_has_a_seat_in_another_class_that_serves_the_same_is_not_suggested() -> None:
    central, basic, refresher, first_aid = patrol(), make_course("BASIC"), make_course("REF"), make_course("FA")
    make_requirement(
        "ref",
        entry=(basic,),
        refresher=(refresher,),
        clock="rolling",
        months=36,
        population={"functions": ["patrol"]},
    )
    for name, course, state in (
        ("Refreshes", refresher, "enrolled"),
        ("Waits", refresher, "waitlisted"),
        ("Withdrew", refresher, "withdrawn"),
        ("Bandages", first_aid, "enrolled"),
    ):
        officer = member(name, central, date(2016, 1, 1))
        complete(officer, basic, date(2020, 5, 1))
        other = make_class(course=course, days=(date(2026, 4, 6),))
        Enrollment.objects.create(session=other, officer=officer, state=state, since=at(TODAY, 9))

    assert [name for name, _ in suggested(make_class(course=basic), 9)] == ["Waits", "Withdrew", "Bandages"]


@pytest.mark.django_db
def test_a_prerequisite_is_asked_of_the_suggested_too() -> None:
    central, intro = patrol(), make_course("INTRO")
    rule()
    session = make_class()
    session.course.prerequisites.add(intro)
    complete(member("Ready", central, date(2024, 1, 1)), intro, MONDAY)
    complete(member("Late", central, date(2024, 1, 1)), intro, TUESDAY)

    assert [name for name, _ in suggested(session)] == ["Ready"]


@pytest.mark.django_db
def test_only_members_whom_the_course_serves_are_suggested() -> None:
    central, basic, refresher = patrol(), make_course("BASIC"), make_course("REF", hours=8)
    make_requirement(
        "ref",
        entry=(basic,),
        refresher=(refresher,),
        clock="rolling",
        months=36,
        refresher_min_tenure_months=24,
        population={"functions": ["patrol"]},
    )
    desk = make_unit("DESK", name="Desk", function="desk")
    for name, taken in (("Due", date(2023, 5, 1)), ("Current", date(2025, 5, 1)), ("Late", date(2020, 5, 1))):
        complete(member(name, central, date(2016, 1, 1)), basic, taken)
    complete(member("Desk", desk, date(2016, 1, 1)), basic, date(2020, 5, 1))
    member("Untrained", central, date(2016, 1, 1))

    assert suggested(make_class(course=refresher)) == [
        ("Late", "Overdue since 2 May 2023."),
        ("Due", "Due 1 May 2026."),
    ]
    assert [name for name, _ in suggested(make_class(course=basic))] == ["Untrained", "Late", "Due"]


@pytest.mark.django_db
def test_the_engine_has_the_last_word() -> None:
    """A refresher that comes before the tenure is reached serves nobody, though the standing has a credit."""
    central, basic, refresher = patrol(), make_course("BASIC"), make_course("REF", hours=8)
    make_requirement(
        "ref",
        entry=(basic,),
        refresher=(refresher,),
        clock="rolling",
        months=12,
        refresher_min_tenure_months=24,
        population={"functions": ["patrol"]},
    )
    complete(member("Soon", central, date(2016, 1, 1)), basic, date(2024, 3, 3))
    complete(member("Ready", central, date(2016, 1, 1)), basic, date(2024, 3, 2))

    assert [name for name, _ in suggested(make_class(course=refresher))] == ["Ready"]


@pytest.mark.django_db
def test_a_class_that_adds_some_of_the_hours_asked_serves_who_lacks_them() -> None:
    """Four of sixteen hours change nobody's answer; the others of the sixteen have to come from somewhere, though."""
    central, evening = patrol(), make_course("EVENING", hours=4)
    make_requirement(
        "sixteen",
        entry=(evening,),
        hours=16,
        clock="calendar",
        years=2,
        first_due="next_year_end",
        population={"functions": ["patrol"]},
    )
    done = member("Done", central, date(2023, 1, 1))
    for number in range(4):
        complete(done, evening, date(2025, 5, 1 + number))
    begun = member("Begun", central, date(2023, 2, 1))
    complete(begun, evening, date(2025, 5, 1))
    make_seat(make_class(course=evening, days=(TUESDAY,)), begun)
    member("Untrained", central, date(2024, 2, 1))

    assert suggested(make_class(course=evening)) == [
        ("Begun", "Overdue since 1 Jan 2025; adds 4 of the 16 hours asked."),
        ("Untrained", "Overdue since 1 Jan 2026; adds 4 of the 16 hours asked."),
    ]


@pytest.mark.django_db
def test_a_course_that_counts_as_another_that_day_serves_what_that_serves() -> None:
    central, basic, state = patrol(), make_course("BASIC"), make_course("STATE")
    rule(basic)
    member("Old", central, date(2024, 1, 1))
    make_equivalency(state, basic, date(2026, 1, 1), MONDAY)

    assert [name for name, _ in suggested(make_class(course=state))] == ["Old"]
    late = suggestions.suggest(make_class(course=state, days=(TUESDAY,)), 5, agencies=None, today=TODAY)
    assert late == Suggested(nothing="No requirement in force on the last day of the class counts this course.")


@pytest.mark.django_db
def test_a_class_without_a_block_asks_nobody() -> None:
    rule()
    found = suggestions.suggest(make_class(days=()), 5, agencies=None, today=TODAY)

    assert found == Suggested(nothing="The class has no block yet: nobody can be asked to come on no day.")


@pytest.mark.django_db
def test_members_of_other_agencies_are_for_those_who_read_them() -> None:
    rule()
    other = make_agency("sheriff", "Sheriff")
    away = make_unit("S-1", name="South", function="patrol", agency=other)
    make_officer(last_name="Theirs", unit=away, hired_on=date(2024, 1, 1))
    member("Ours", patrol(), date(2024, 1, 2))
    session = make_class()

    assert [name for name, _ in suggested(session)] == ["Theirs", "Ours"]
    assert [name for name, _ in suggested(session, agencies=[make_agency().pk])] == ["Ours"]


@pytest.mark.django_db
def test_of_several_requirements_the_most_urgent_is_told_with_its_name() -> None:
    central = patrol()
    rule()
    make_requirement("later", entry=(make_course(),), entry_grace_days=400, population={"functions": ["patrol"]})
    member("Both", central, date(2025, 3, 3))

    ((_, why),) = suggested(make_class())

    assert why == "Overdue since 31 Aug 2025 (Requirement basic)."


# --- who works where on the days of a class --------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_works_where_is_counted_day_by_day() -> None:
    central, eastern = patrol(), patrol("EAS", "Eastern")
    days, nights = make_shift("days"), make_shift("nights")
    here, there = Place(central.pk, nights.pk), Place(eastern.pk, days.pk)
    hired = date(2020, 1, 1)
    member("Home", central, hired)
    away, lent, moved, busy = (member(name, central, hired) for name in ("Away", "Lent", "Moved", "Busy"))
    member("Hired", central, TUESDAY)
    take_leave(away, TUESDAY)
    assign_temporarily(lent, eastern, TUESDAY, shift=days)
    assign_temporarily(moved, eastern, date(2026, 1, 1), MONDAY)

    found = working.at_work((MONDAY, TUESDAY), in_class={busy.pk: {MONDAY}})

    night_there = Place(eastern.pk, nights.pk)
    assert {key: number for key, number in found.counts.items() if number} == {
        # Monday: Home, Away, Lent; Moved is in Eastern, on nights as at home
        (MONDAY, here): 3,
        (MONDAY, night_there): 1,
        # Tuesday: Home, Moved, Busy, Hired
        (TUESDAY, here): 4,
        (TUESDAY, there): 1,
    }
    assert found.unusual == {
        away.pk: {MONDAY: here, TUESDAY: None},
        lent.pk: {MONDAY: here, TUESDAY: there},
        moved.pk: {MONDAY: night_there, TUESDAY: here},
        busy.pk: {MONDAY: None, TUESDAY: here},
    }


@pytest.mark.django_db
def test_an_assignment_that_outlasts_the_employment_is_nobody_at_work() -> None:
    officer = member("Retired", patrol(), date(2020, 1, 1))
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.void(Employment.objects.all())
        recorder.record(Employment(officer=officer, start_on=date(2020, 1, 1), end_on=MONDAY, category="sworn"))

    counts = working.at_work((MONDAY, TUESDAY), in_class={}).counts

    assert [day for (day, _), number in counts.items() if number] == [MONDAY]


@pytest.mark.django_db
def test_thirty_members_cost_the_same_queries_as_one() -> None:
    central = patrol()
    requirement = rule()
    make_goal(requirement, code="half", target_percent=50)
    make_goal(requirement, code="designated", counts="designated")
    session = make_class(days=(MONDAY, TUESDAY))
    evening = make_class("C-2", days=())
    make_block(evening, at(MONDAY, 18), at(MONDAY, 20))
    seats.enrol(evening, [member("Busy", central, date(2024, 1, 1))], by=None, now=at(TODAY, 9))
    counts = []

    for number in (1, 30):
        for _ in range(number):
            back = member("Back", central, date(2024, 1, 1))
            take_leave(back, MONDAY - timedelta(days=9), MONDAY - timedelta(days=1))
            complete(back, session.course, date(2025, 6, 1), evidence="pending")
        with CaptureQueriesContext(connection) as queries:
            assert len(suggested(session, 40)) in (1, 31)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 50
