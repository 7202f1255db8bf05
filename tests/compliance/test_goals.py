"""Goals of the whole and of groups, through the command: worked examples, boundaries, and the four facts counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import coverage, goals, working
from compliance.models import Each, Goal, Requirement
from roster.facts import Via, recording
from roster.models import Assignment, Change, Employment, Officer, Shift, Unit
from tests import factories as make
from training.models import Completion, Course

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 30)
HIRED, TAKEN = date(2016, 3, 4), date(2025, 2, 3)


def ask(*options: str, day: date = DAY) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("goals", "--as-of", day.isoformat(), *options, "--format", "json", stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


def crew(
    unit: Unit | None, shift: Shift | None, number: int, course: Course | None = None, trained: int = 0
) -> list[Officer]:
    """So many members at one place, the first of them with a credit; recorded in one change."""
    found = []
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        for place in range(number):
            count = Officer.objects.count()
            officer = Officer.objects.create(
                agency=make.make_agency(), employee_id=f"{count:06d}", last_name=f"Hale{count}", first_name="Ann"
            )
            recorder.record(Employment(officer=officer, start_on=HIRED, category="sworn"))
            if unit is not None:
                recorder.record(Assignment(officer=officer, unit=unit, shift=shift, start_on=HIRED))
            if place < trained and course is not None:
                recorder.record(Completion(officer=officer, course=course, completed_on=TAKEN))
            found.append(officer)
    return found


@pytest.fixture
def course() -> Course:
    return make.make_course()


@pytest.fixture
def requirement(course: Course) -> Requirement:
    """CIT once, for patrol; nobody is excused by leave."""
    return make.make_requirement("cit", entry=(course,), clock="once", population={"functions": ["patrol"]})


def void_home(officer: Officer, *, moves_to: Unit, on: date) -> None:
    home = Assignment.objects.known().get(officer=officer, kind="home")
    with recording(by=None, via=Via.COMMAND, why="transfer") as recorder:
        recorder.void([home])
        last = date.fromordinal(on.toordinal() - 1)
        recorder.record(Assignment(officer=officer, unit=home.unit, start_on=home.start_on, end_on=last))
        recorder.record(Assignment(officer=officer, unit=moves_to, start_on=on))


# --- worked examples ------------------------------------------------------------------------------------------------


def test_example_7_one_of_sixty_leaves_patrol_and_thirty_percent_fails(
    course: Course, requirement: Requirement
) -> None:
    patrol, desk = make.make_unit("D1", function="patrol"), make.make_unit("DESK")
    make.make_goal(requirement, code="cit-30", target_percent=30)
    officers = crew(patrol, None, 200, course, 60)
    (before,) = ask()

    void_home(officers[0], moves_to=desk, on=date(2026, 6, 1))

    (after,) = ask()
    assert before == {
        "goal": "cit-30", "met": True, "percent": "30.0", "needed": 60, "have": 60, "short": 0, "groups": [],
    }  # fmt: skip
    assert after == {
        "goal": "cit-30", "met": False, "percent": "29.6", "needed": 60, "have": 59, "short": 1, "groups": [],
    }  # fmt: skip


def test_example_14_a_third_of_613_patrol_is_184_members(course: Course, requirement: Requirement) -> None:
    make.make_goal(requirement, code="cit-30", target_percent=30)
    crew(make.make_unit("D1", function="patrol"), None, 613, course, 183)

    assert ask() == [
        {"goal": "cit-30", "met": False, "percent": "29.8", "needed": 184, "have": 183, "short": 1, "groups": []}
    ]


def district_3(course: Course) -> Unit:
    """Ten of fifty: A 6 of 18, B 4 of 17, C none of 15."""
    unit = make.make_unit("D3", function="patrol")
    for code, number, trained in (("A", 18, 6), ("B", 17, 4), ("C", 15, 0)):
        crew(unit, make.make_shift(code), number, course, trained)
    return unit


@pytest.mark.parametrize("each", ["shift", "unit_shift"])
def test_example_15_twenty_percent_with_a_shift_that_has_nobody(
    course: Course, requirement: Requirement, each: str
) -> None:
    make.make_goal(requirement, code="memphis", target_percent=20, each=each, min_count=1)
    district_3(course)

    (found,) = ask()

    where = {"unit": "D3"} if each == "unit_shift" else {}
    assert found == {
        "goal": "memphis",
        "met": False,
        "percent": "20.0",
        "needed": 10,
        "have": 10,
        "short": 3,
        "groups": [
            {**where, "shift": "A", "met": True, "percent": "33.3", "needed": 4, "have": 6, "short": 0, "counted": 18},
            {**where, "shift": "B", "met": True, "percent": "23.5", "needed": 4, "have": 4, "short": 0, "counted": 17},
            {**where, "shift": "C", "met": False, "percent": "0.0", "needed": 3, "have": 0, "short": 3, "counted": 15},
        ],
    }


def test_example_15_of_the_whole_alone_is_met(course: Course, requirement: Requirement) -> None:
    make.make_goal(requirement, code="twenty", target_percent=20)
    district_3(course)

    assert [(row["met"], row["percent"], row["short"], row["groups"]) for row in ask()] == [(True, "20.0", 0, [])]


def test_example_8_a_secondary_assignment_counts_a_member_once(course: Course, requirement: Requirement) -> None:
    make.make_goal(requirement, code="all", each="unit")
    home, other = make.make_unit("B", function="patrol"), make.make_unit("CIU", function="patrol")
    (officer,) = crew(home, None, 1, course, 1)
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record(Assignment(officer=officer, kind="secondary", unit=other, start_on=HIRED))

    (found,) = ask()

    assert (found["have"], [(group["unit"], group["counted"]) for group in found["groups"]]) == (1, [("B", 1)])
    assert [counted(*options) for options in ((), ("--unit", "B"), ("--unit", "CIU"))] == [1, 1, 1]


def counted(*options: str) -> int:
    """Whom coverage counts on the day."""
    out = StringIO()
    call_command(
        "coverage", "--requirement", "cit", "--as-of", DAY.isoformat(), *options, "--format", "json", stdout=out
    )
    (row,) = json.loads(out.getvalue())
    number: int = row["counted"]
    return number


# --- boundaries, without the database's help -----------------------------------------------------------------------

#: Place -> (counted, excused, have).
Figures = Mapping[tuple[int | None, int | None], tuple[int, int, int]]


def tallied(figures: Figures) -> dict[working.Place, goals.Tally]:
    return {
        working.Place(unit, shift): goals.Tally(
            coverage.Counts(unit=unit, shift=shift, overdue=counted, excused=excused), have, have
        )
        for (unit, shift), (counted, excused, have) in figures.items()
    }


@pytest.mark.parametrize(
    ("asks", "figures", "met", "percent", "needed", "short"),
    [
        pytest.param({}, {(1, 1): (10, 0, 2)}, True, "20.0", 2, 0, id="whole-exactly"),
        pytest.param({}, {(1, 1): (11, 0, 2)}, False, "18.1", 3, 1, id="whole-one-short"),
        pytest.param({"min_count": 3}, {(1, 1): (10, 0, 2)}, False, "20.0", 3, 1, id="whole-below-the-least"),
        pytest.param({}, {(1, 1): (0, 4, 0)}, False, "n/a", 0, 0, id="whole-all-excused"),
        pytest.param({}, {}, False, "n/a", 0, 0, id="whole-empty"),
        pytest.param({"each": "unit"}, {}, False, "n/a", 0, 0, id="empty-without-groups"),
        pytest.param({"each": "unit", "min_count": 1}, {(1, 1): (0, 2, 0)}, False, "n/a", 0, 1, id="all-excused-least"),
        pytest.param({"target_percent": "33.33"}, {(1, 1): (10_000, 0, 3_333)}, True, "33.3", 3_333, 0,
                     id="hundredths"),
        pytest.param({"target_percent": "33.34"}, {(1, 1): (10_000, 0, 3_333)}, False, "33.3", 3_334, 1,
                     id="hundredth-more"),
        pytest.param({"target_percent": 0}, {(1, 1): (5, 0, 0)}, True, "0.0", 0, 0, id="nothing-asked"),
        pytest.param({"each": "unit"}, {(1, 1): (5, 0, 1), (2, 1): (5, 0, 1)}, True, "20.0", 2, 0, id="groups-exactly"),
        pytest.param({"each": "unit"}, {(1, 1): (5, 0, 1), (2, 1): (6, 0, 1)}, False, "18.1", 3, 1,
                     id="group-one-short"),
        pytest.param({"each": "unit"}, {(1, 1): (5, 0, 5), (2, 1): (5, 0, 0)}, False, "50.0", 2, 1,
                     id="whole-reached-group-not"),
        pytest.param({"each": "unit"}, {(1, 1): (6, 0, 1), (2, 1): (6, 0, 1), (3, 1): (6, 0, 1)}, False, "16.6", 4, 3,
                     id="groups-shorter-than-the-whole"),
        pytest.param({"each": "unit"}, {(1, 1): (5, 0, 1), (2, 1): (0, 3, 0)}, True, "20.0", 1, 0,
                     id="group-all-excused-keeps-nothing-back"),
        pytest.param({"each": "unit", "min_count": 1}, {(1, 1): (5, 0, 1), (2, 1): (0, 3, 0)}, False, "20.0", 1, 1,
                     id="group-all-excused-below-the-least"),
        pytest.param({"each": "unit", "min_count": 2}, {(1, 1): (5, 0, 2), (2, 1): (5, 0, 1)}, False, "30.0", 2, 1,
                     id="least-above-the-share"),
        pytest.param({"each": "unit_shift"}, {(1, 1): (5, 0, 2), (1, 2): (5, 0, 0)}, False, "20.0", 2, 1,
                     id="one-shift-of-a-unit"),
        pytest.param({"each": "shift"}, {(1, 1): (5, 0, 2), (2, 1): (5, 0, 0)}, True, "20.0", 2, 0,
                     id="shift-of-units"),
        pytest.param({"each": "shift"}, {(1, None): (5, 0, 1), (None, None): (5, 0, 0)}, False, "10.0", 2, 1,
                     id="no-shift-is-a-group"),
    ],
)  # fmt: skip
def test_what_a_goal_needs(
    asks: dict[str, Any], figures: Figures, met: bool, percent: str, needed: int, short: int
) -> None:
    goal = Goal(**{"code": "g", "counts": "certified", "target_percent": 20, "each": Each.NONE, **asks})

    result = goals.result_of(goal, tallied(figures))

    assert (result.met, result.percent, result.needed, result.short) == (met, percent, needed, short)


def test_members_without_a_unit_or_shift_are_a_group_with_null(course: Course) -> None:
    requirement = make.make_requirement("all", entry=(course,), clock="once")
    make.make_goal(requirement, code="all", target_percent=50, each="unit_shift")
    crew(make.make_unit("D1"), make.make_shift("days"), 2, course, 1)
    crew(make.make_unit("D2"), None, 2, course, 1)
    crew(None, None, 2, course, 0)

    (found,) = ask()

    assert [(row["unit"], row["shift"], row["met"], row["short"]) for row in found["groups"]] == [
        ("D1", "days", True, 0),
        ("D2", None, True, 0),
        (None, None, False, 1),
    ]


def test_a_unit_whose_members_are_all_excused_is_a_group(course: Course) -> None:
    requirement = make.make_requirement("all", entry=(course,), clock="once", leave="exclude")
    make.make_goal(requirement, code="each", target_percent=50, each="unit")
    make.make_goal(requirement, code="least", target_percent=50, each="unit", min_count=1)
    crew(make.make_unit("D1"), None, 2, course, 1)
    (away,) = crew(make.make_unit("D2"), None, 1)
    make.take_leave(away, date(2026, 5, 1))

    each, least = ask()

    na = {"unit": "D2", "percent": "n/a", "have": 0, "counted": 0}
    assert (each["met"], each["groups"][1]) == (True, {**na, "met": True, "needed": 0, "short": 0})
    assert (least["met"], least["groups"][1]) == (False, {**na, "met": False, "needed": 1, "short": 1})


# --- the four facts -------------------------------------------------------------------------------------------------


def have(**goal: Any) -> tuple[int, int]:
    """What a goal counts, of how many, on the day."""
    made = make.make_goal(**goal)
    result = goals.evaluate(made, as_of=DAY)
    return result.have, result.counted


@pytest.fixture
def four(course: Course) -> dict[str, Officer]:
    """Of five in patrol: one ran out, one is current, one current on leave, one untrained, all but the last designated.

    The fifth is excused: trained, designated and current otherwise.
    """
    unit = make.make_unit("D1", function="patrol")
    requirement = make.make_requirement(
        "cit", entry=(course,), months=36, leave="exclude", leave_kinds=["military"],
        population={"functions": ["patrol"], "designations": []},
    )  # fmt: skip
    names = ("ran-out", "current", "on-leave", "untrained", "excused")
    people = {name: make.make_officer(name, unit=unit) for name in names}
    make.complete(people["ran-out"], course, date(2020, 1, 6))
    for name in ("current", "on-leave", "excused"):
        make.complete(people[name], course, TAKEN)
    make.take_leave(people["on-leave"], DAY, DAY, kind="vacation")
    make.take_leave(people["excused"], date(2026, 1, 1), kind="military")
    for name in ("ran-out", "current", "excused"):
        make.designate(people[name], "CIT", date(2024, 1, 1))
    make.designate(people["untrained"], "FTO", date(2024, 1, 1))
    assert Requirement.objects.get() == requirement
    return people


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("asks", "expected"),
    [
        pytest.param({"counts": "trained"}, (3, 4), id="trained"),
        pytest.param({"counts": "certified"}, (2, 4), id="certified"),
        pytest.param({"counts": "available"}, (1, 4), id="available"),
        pytest.param({"counts": "designated", "designation": "CIT"}, (2, 4), id="designated"),
        pytest.param({"counts": "designated", "designation": " cit "}, (2, 4), id="designated-in-small-letters"),
        pytest.param({"counts": "designated", "designation": "SWAT"}, (0, 4), id="designated-by-nobody"),
        pytest.param({"counts": "designated"}, (3, 4), id="designated-with-any"),
    ],
)
def test_trained_certified_designated_and_available_are_four_facts(
    asks: dict[str, str], expected: tuple[int, int]
) -> None:
    assert have(requirement=Requirement.objects.get(), **asks) == expected


def test_designated_without_a_code_means_those_of_the_population(course: Course) -> None:
    requirement = make.make_requirement("cit", entry=(course,), population={"designations": ["CIT", "FTO"]})
    officer = make.make_officer("1")
    for code in ("CIT", "fto", "SWAT"):
        make.designate(officer, code, date(2024, 1, 1))
    make.designate(make.make_officer("2"), "SWAT", date(2024, 1, 1))

    assert have(requirement=requirement, counts="designated") == (1, 1)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 2, 28), 0, id="day-before"),
        pytest.param(date(2026, 3, 1), 1, id="first-day"),
        pytest.param(date(2026, 4, 30), 1, id="last-day"),
        pytest.param(date(2026, 5, 1), 0, id="day-after"),
    ],
)
def test_a_designation_is_held_from_its_first_through_its_last_day(course: Course, day: date, expected: int) -> None:
    goal = make.make_goal(make.make_requirement(entry=(course,)), counts="designated", designation="CIT")
    make.designate(make.make_officer("1"), "CIT", date(2026, 3, 1), date(2026, 4, 30))

    assert goals.evaluate(goal, as_of=day).have == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 2, 28), {"D1 days": 1, "D2 nights": 0}, id="day-before"),
        pytest.param(date(2026, 3, 1), {"D1 days": 0, "D2 nights": 1}, id="first-day"),
        pytest.param(date(2026, 4, 30), {"D1 days": 0, "D2 nights": 1}, id="last-day"),
        pytest.param(date(2026, 5, 1), {"D1 days": 1, "D2 nights": 0}, id="day-after"),
    ],
)
def test_available_counts_where_a_member_works_and_the_rest_at_home(
    course: Course, requirement: Requirement, day: date, expected: dict[str, int]
) -> None:
    first, second = make.make_unit("D1", function="patrol"), make.make_unit("D2", function="patrol")
    days, nights = make.make_shift("days"), make.make_shift("nights")
    (officer,) = crew(first, days, 1, course, 1)
    crew(second, nights, 1)
    make.assign_temporarily(officer, second, date(2026, 3, 1), date(2026, 4, 30), shift=nights)
    make.make_goal(requirement, code="there", counts="available", target_percent=100, each="unit_shift")

    (found,) = ask(day=day)

    groups = found["groups"]
    assert {f"{group['unit']} {group['shift']}": group["have"] for group in groups} == expected
    assert [group["counted"] for group in groups] == [1, 1]
    assert (found["have"], found["needed"]) == (1, 2)


def test_a_temporary_assignment_without_a_shift_leaves_the_shift_as_at_home(
    course: Course, requirement: Requirement
) -> None:
    first, second = make.make_unit("D1", function="patrol"), make.make_unit("D2", function="patrol")
    nights = make.make_shift("nights")
    (officer, _) = crew(first, nights, 2, course, 1)
    crew(second, nights, 1)
    make.assign_temporarily(officer, second, date(2026, 3, 1))
    make.make_goal(requirement, counts="available", each="unit_shift")

    (found,) = ask()

    assert [(group["unit"], group["shift"], group["have"]) for group in found["groups"]] == [
        ("D1", "nights", 0),
        ("D2", "nights", 1),
    ]


def test_of_several_temporary_assignments_the_one_begun_last_is_where_a_member_works(
    course: Course, requirement: Requirement
) -> None:
    units = [make.make_unit(code, function="patrol") for code in ("D1", "D2", "D3")]
    (officer, *_) = [crew(unit, None, 1, course, 1)[0] for unit in units]
    make.assign_temporarily(officer, units[2], date(2026, 4, 1))
    make.assign_temporarily(officer, units[1], date(2026, 3, 1))
    make.make_goal(requirement, counts="available", each="unit")

    (found,) = ask()

    assert [group["have"] for group in found["groups"]] == [0, 1, 2]


def test_a_member_who_works_where_nobody_is_asked_is_in_no_group(course: Course, requirement: Requirement) -> None:
    (officer, _) = crew(make.make_unit("D1", function="patrol"), None, 2, course, 2)
    make.assign_temporarily(officer, make.make_unit("DESK"), date(2026, 3, 1))
    goal = make.make_goal(requirement, counts="available", each="unit")

    result = goals.evaluate(goal, as_of=DAY)

    assert (result.have, result.counted, result.elsewhere) == (2, 2, 1)
    assert [(group.have, group.short) for group in result.groups] == [(1, 1)]
    assert (result.met, result.short) == (False, 1)


def test_any_recorded_leave_makes_unavailable_whatever_the_rule_makes_of_it(
    course: Course, requirement: Requirement
) -> None:
    (officer, _) = crew(make.make_unit("D1", function="patrol"), None, 2, course, 2)
    make.take_leave(officer, DAY, DAY, kind="light duty")
    goal = make.make_goal(requirement, counts="available")

    found = [goals.evaluate(goal, as_of=date(2026, 6, day)).have for day in (29, 30)]

    assert found == [2, 1]


def test_known_earlier_availability_and_designation_are_as_recorded_then(
    course: Course, requirement: Requirement
) -> None:
    first, second = make.make_unit("D1", function="patrol"), make.make_unit("D2", function="patrol")
    (one, _) = crew(first, None, 2, course, 2)
    (two,) = crew(second, None, 1, course, 1)
    make.make_goal(requirement, code="a", counts="available", each="unit")
    make.make_goal(requirement, code="d", counts="designated", designation="CIT")
    held = make.designate(one, "CIT", date(2026, 1, 1))
    before = Change.objects.latest("pk").at
    make.assign_temporarily(one, second, date(2026, 3, 1))
    make.take_leave(two, date(2026, 3, 1))
    with recording(by=None, via=Via.COMMAND, why="never held") as recorder:
        recorder.void([held])

    now, then = ask(), ask("--known-at", str(before))

    def said(rows: list[dict[str, Any]]) -> list[Any]:
        return [(row["have"], [group["have"] for group in row["groups"]]) for row in rows]

    assert said(then) == [(3, [2, 1]), (1, [])]
    assert said(now) == [(2, [1, 1]), (0, [])]


def test_one_agency_leaves_the_other_out_of_whole_and_groups(course: Course) -> None:
    make.make_goal(make.make_requirement(entry=(course,)), code="each", counts="available", each="unit")
    sheriff = make.make_agency("sd", "Sheriff")
    make.complete(make.make_officer("1", unit=make.make_unit("D1")), course, TAKEN)
    make.make_officer("2", unit=make.make_unit("D2", agency=sheriff))

    def units(*options: str) -> list[str]:
        return [group["unit"] for group in ask(*options)[0]["groups"]]

    assert units() == ["D1", "D2"]
    assert units("--agency", "sd") == ["D2"]


def test_the_command_prints_its_groups_in_a_table_and_a_csv(course: Course, requirement: Requirement) -> None:
    make.make_goal(requirement, code="memphis", target_percent=50, each="unit_shift")
    crew(make.make_unit("D1", function="patrol"), make.make_shift("days"), 2, course, 1)
    crew(make.make_unit("D2", function="patrol"), None, 2)
    out = StringIO()

    call_command("goals", "--as-of", DAY.isoformat(), "--format", "csv", stdout=out)

    assert out.getvalue().splitlines()[1] == ("memphis,no,25.0,2,1,1,D1 days 1 of 2 met; D2 no shift 0 of 2 short 1")


# Members counted, whatever is counted; populations of the goals that name no designation.
QUERIES = 2


def test_goals_cost_the_same_for_one_of_each_and_for_thirty(
    course: Course, requirement: Requirement, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def promise(number: int) -> None:
        for counts in ("trained", "certified", "designated", "available"):
            for _ in range(number):
                make.make_goal(requirement, counts=counts, each="unit_shift")

    def evaluate() -> None:
        goals.evaluate_all(list(Goal.objects.all()), as_of=DAY)

    promise(1)
    with django_assert_num_queries(QUERIES + 1):  # the goals themselves
        evaluate()
    promise(7)
    for number in range(10):
        crew(make.make_unit(f"D{number}", function="patrol"), make.make_shift(), 2, course, 1)
    with django_assert_num_queries(QUERIES + 1):
        evaluate()
