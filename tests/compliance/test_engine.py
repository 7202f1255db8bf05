"""The rules one by one, each on the day before, the day and the day after it bites. Numbers name `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Course,
    Edition,
    Employment,
    Evidence,
    FirstDue,
    Leave,
    LeaveRule,
    MemberFacts,
    Period,
    Population,
    Reason,
    State,
    timeline,
)

CURRENT, IN_GRACE, OVERDUE, EXCUSED = State.CURRENT, State.IN_GRACE, State.OVERDUE, State.EXCUSED

CIT = Course(key=1, hours=40, mode="in_person", min_score=0, min_attendance=0)
REFRESHER = Course(key=2, hours=4, mode="in_person", min_score=0, min_attendance=0)
CPR = Course(key=3, hours=4, mode="in_person", min_score=0, min_attendance=0)

EVERYONE = Population()
PATROL = Population(functions=frozenset({"patrol"}))
SWORN = Population(categories=frozenset({"sworn"}))


def d(text: str) -> date:
    return date.fromisoformat(text)


def until(text: str) -> date | None:
    return d(text) if text else None


def edition(**rules: Any) -> Edition:
    """CIT once as entry, refreshers after it, from 2000 on, asked of everyone, unless told otherwise."""
    given: dict[str, Any] = {
        "key": 1,
        "effective_from": date(2000, 1, 1),
        "effective_to": None,
        "population": EVERYONE,
        "entry_courses": frozenset({CIT.key}),
        "refresher_courses": frozenset({REFRESHER.key}),
    }
    return Edition(**given | rules)


def t36(**rules: Any) -> Edition:
    return edition(**{"clock": Clock.ROLLING, "months": 36} | rules)


def exclude(**rules: Any) -> Edition:
    return t36(**{"leave": LeaveRule.EXCLUDE, "return_grace_days": 60} | rules)


def took(course: Course, day: str, **given: Any) -> Completion:
    key = given.pop("key", d(day).toordinal())
    return Completion(key, course, d(day), **given)


def worked(start: str, end: str = "", category: str = "sworn") -> Employment:
    return Employment(d(start), until(end), category)


def posted(start: str, end: str = "", function: str = "patrol", unit: int = 1, **given: int | None) -> Assignment:
    return Assignment(d(start), until(end), unit, function, given.get("shift", 1), given.get("rank", 1))


def away(start: str, end: str = "", kind: str = "medical") -> Leave:
    return Leave(d(start), until(end), kind)


def member(*facts: Employment | Assignment | Leave | Completion) -> MemberFacts:
    """Sworn from 2020-01-01 on unless an employment is given."""
    return MemberFacts(
        employments=[fact for fact in facts if isinstance(fact, Employment)] or [worked("2020-01-01")],
        assignments=[fact for fact in facts if isinstance(fact, Assignment)],
        leaves=[fact for fact in facts if isinstance(fact, Leave)],
        completions=[fact for fact in facts if isinstance(fact, Completion)],
    )


def period_on(rules: Edition | Sequence[Edition], facts: MemberFacts, day: str) -> Period | None:
    line = timeline([rules] if isinstance(rules, Edition) else rules, facts)
    found = [p for p in line if p.start_on <= d(day) and (p.end_on is None or d(day) <= p.end_on)]
    assert len(found) < 2
    return found[0] if found else None


def standing(rules: Edition | Sequence[Edition], facts: MemberFacts, day: str) -> tuple[State, str] | None:
    """State and due date, the latter blank for none."""
    period = period_on(rules, facts, day)
    if period is None:
        return None
    return period.state, period.due_on.isoformat() if period.due_on else ""


def check(rules: Edition | Sequence[Edition], facts: MemberFacts, days: dict[str, tuple[State, str] | None]) -> None:
    assert {day: standing(rules, facts, day) for day in days} == days


# Sections 2 and 6: how long a credit lasts


@pytest.mark.parametrize(
    ("rules", "taken", "day", "expected"),
    [
        pytest.param(t36(), "2023-03-17", "2023-03-16", (OVERDUE, "2020-01-01"), id="rolling-day-before-credit"),
        pytest.param(t36(), "2023-03-17", "2023-03-17", (CURRENT, "2026-03-17"), id="rolling-day-of-credit"),
        pytest.param(t36(), "2023-03-17", "2026-03-16", (CURRENT, "2026-03-17"), id="rolling-day-before-due"),
        pytest.param(t36(), "2023-03-17", "2026-03-17", (CURRENT, "2026-03-17"), id="rolling-day-due"),
        pytest.param(t36(), "2023-03-17", "2026-03-18", (OVERDUE, "2026-03-17"), id="rolling-day-after-due"),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=3),
            "2023-03-17",
            "2026-12-31",
            (CURRENT, "2026-12-31"),
            id="calendar-3-day-due",
        ),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=3),
            "2023-03-17",
            "2027-01-01",
            (OVERDUE, "2026-12-31"),
            id="calendar-3-day-after-due",
        ),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=0),
            "2023-12-31",
            "2024-01-01",
            (OVERDUE, "2023-12-31"),
            id="calendar-same-year",
        ),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=1),
            "2023-01-01",
            "2024-12-31",
            (CURRENT, "2024-12-31"),
            id="calendar-1-january",
        ),
        pytest.param(edition(), "2023-03-17", "2023-03-16", (OVERDUE, "2020-01-01"), id="once-day-before-credit"),
        pytest.param(edition(), "2023-03-17", "2023-03-17", (CURRENT, ""), id="once-day-of-credit"),
        pytest.param(edition(), "2023-03-17", "9999-12-31", (CURRENT, ""), id="once-last-day-there-is"),
        pytest.param(t36(), "2024-02-29", "2027-02-28", (CURRENT, "2027-02-28"), id="leap-day-due"),
        pytest.param(t36(), "2024-02-29", "2027-03-01", (OVERDUE, "2027-02-28"), id="leap-day-after-due"),
        pytest.param(t36(months=48), "2024-02-29", "2028-02-29", (CURRENT, "2028-02-29"), id="leap-day-to-leap-day"),
        pytest.param(t36(months=18), "2023-08-31", "2025-02-28", (CURRENT, "2025-02-28"), id="clamped-month-end"),
        pytest.param(t36(months=18), "2023-08-31", "2025-03-01", (OVERDUE, "2025-02-28"), id="clamped-day-after"),
        pytest.param(t36(months=1), "2023-12-15", "2024-01-15", (CURRENT, "2024-01-15"), id="into-the-next-year"),
        pytest.param(t36(months=11), "2023-01-15", "2023-12-15", (CURRENT, "2023-12-15"), id="to-december"),
        pytest.param(t36(), "9996-05-01", "9999-05-02", (OVERDUE, "9999-05-01"), id="rolling-in-the-last-year"),
        pytest.param(t36(), "9998-06-01", "9999-12-31", (CURRENT, ""), id="rolling-past-the-calendar"),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=3),
            "9998-06-01",
            "9999-12-31",
            (CURRENT, ""),
            id="years-past-the-calendar",
        ),
    ],
)
def test_a_credit_lasts(rules: Edition, taken: str, day: str, expected: tuple[State, str]) -> None:
    assert standing(rules, member(took(CIT, taken)), day) == expected


def test_a_renewal_counts_from_its_own_day() -> None:  # example 3
    facts = member(took(CIT, "2024-02-29"), took(REFRESHER, "2027-02-28"))

    check(
        t36(),
        facts,
        {
            "2027-02-27": (CURRENT, "2027-02-28"),
            "2027-02-28": (CURRENT, "2030-02-28"),
            "2030-02-28": (CURRENT, "2030-02-28"),
            "2030-03-01": (OVERDUE, "2030-02-28"),
        },
    )


def test_a_void_credit_leaves_the_one_before() -> None:  # example 10: a voided fact is not among the facts
    first, second = took(REFRESHER, "2023-01-20"), took(REFRESHER, "2025-10-10")
    rules = t36(entry_courses=frozenset())

    check(rules, member(first, second), {"2026-01-31": (CURRENT, "2028-10-10")})
    check(rules, member(first), {"2026-01-20": (CURRENT, "2026-01-20"), "2026-01-31": (OVERDUE, "2026-01-20")})


def test_a_class_counts_from_its_day_once_it_is_known() -> None:  # example 16
    rules = edition(entry_grace_days=3650)

    check(rules, member(), {"2025-12-31": (IN_GRACE, "2029-12-29")})
    check(rules, member(took(CIT, "2025-12-18")), {"2025-12-31": (CURRENT, "")})


def test_a_late_credit_makes_current_and_leaves_the_lateness() -> None:
    facts = member(took(CIT, "2020-01-01"), took(REFRESHER, "2025-05-05"))

    check(
        t36(),
        facts,
        {
            "2023-01-01": (CURRENT, "2023-01-01"),
            "2025-05-04": (OVERDUE, "2023-01-01"),
            "2025-05-05": (CURRENT, "2028-05-05"),
        },
    )


# Section 5: what counts


@pytest.mark.parametrize(
    ("rules", "completion", "counts"),
    [
        pytest.param({}, took(CIT, "2024-05-01"), True, id="entry"),
        pytest.param({}, took(CPR, "2024-05-01"), False, id="course-not-listed"),
        pytest.param({}, took(REFRESHER, "2024-05-01"), False, id="refresher-without-entry"),
        pytest.param({"refresher_stands_alone": True}, took(REFRESHER, "2024-05-01"), True, id="stands-alone"),
        pytest.param({"entry_courses": frozenset()}, took(REFRESHER, "2024-05-01"), True, id="no-entry-asked"),
        pytest.param(
            {"entry_courses": frozenset(), "refresher_courses": frozenset()},
            took(CIT, "2024-05-01"),
            False,
            id="no-courses-listed",
        ),
        pytest.param({}, took(CIT, "2024-05-01", evidence=Evidence.PENDING), False, id="pending"),
        pytest.param({}, took(CIT, "2024-05-01", evidence=Evidence.REJECTED), False, id="rejected"),
        pytest.param({}, took(CIT, "2024-05-01", passed=False), False, id="failed"),
        pytest.param({"min_score": 80}, took(CIT, "2024-05-01", score=79.9), False, id="score-below"),
        pytest.param({"min_score": 80}, took(CIT, "2024-05-01", score=80), True, id="score-reached"),
        pytest.param({"min_score": 80}, took(CIT, "2024-05-01"), False, id="score-missing"),
        pytest.param({}, took(replace(CIT, min_score=70), "2024-05-01", score=69), False, id="course-score-below"),
        pytest.param({}, took(replace(CIT, min_score=70), "2024-05-01", score=70), True, id="course-score-reached"),
        pytest.param({}, took(replace(CIT, min_score=70), "2024-05-01"), False, id="course-score-missing"),
        pytest.param(
            {"min_score": 80},
            took(replace(CIT, min_score=70), "2024-05-01", score=75),
            False,
            id="higher-score-of-edition",
        ),
        pytest.param(
            {"min_score": 70},
            took(replace(CIT, min_score=80), "2024-05-01", score=75),
            False,
            id="higher-score-of-course",
        ),
        pytest.param({}, took(CIT, "2024-05-01", score=0), True, id="score-not-asked"),
        pytest.param({"min_attendance": 90}, took(CIT, "2024-05-01", attendance=89), False, id="attendance-below"),
        pytest.param({"min_attendance": 90}, took(CIT, "2024-05-01", attendance=90), True, id="attendance-reached"),
        pytest.param({"min_attendance": 90}, took(CIT, "2024-05-01"), True, id="attendance-blank"),
        pytest.param(
            {"min_attendance": 80},
            took(replace(CIT, min_attendance=100), "2024-05-01", attendance=90),
            False,
            id="higher-attendance-of-course",
        ),
        pytest.param(
            {"min_attendance": 100},
            took(replace(CIT, min_attendance=80), "2024-05-01", attendance=90),
            False,
            id="higher-attendance-of-edition",
        ),
        pytest.param({"modes": frozenset({"in_person"})}, took(CIT, "2024-05-01"), True, id="mode-allowed"),
        pytest.param({"modes": frozenset({"online"})}, took(CIT, "2024-05-01"), False, id="mode-not-allowed"),
        pytest.param({"min_hours": 40}, took(CIT, "2024-05-01"), True, id="course-hours-reached"),
        pytest.param({"min_hours": 40.5}, took(CIT, "2024-05-01"), False, id="course-hours-below"),
        pytest.param({"min_hours": 40}, took(CIT, "2024-05-01", hours=39.5), False, id="own-hours-below"),
        pytest.param({"min_hours": 41}, took(CIT, "2024-05-01", hours=41), True, id="own-hours-before-those-of-course"),
        pytest.param({"min_hours": 1}, took(replace(CIT, hours=None), "2024-05-01"), False, id="hours-unknown"),
        pytest.param({}, took(replace(CIT, hours=None), "2024-05-01"), True, id="hours-unknown-and-not-asked"),
        pytest.param({"min_block_hours": 40}, took(CIT, "2024-05-01"), True, id="block-reached"),
        pytest.param({"min_block_hours": 41}, took(CIT, "2024-05-01"), False, id="block-below"),
        pytest.param(
            {"refresher_min_hours": 41}, took(CIT, "2024-05-01"), True, id="refresher-hours-not-asked-of-entry"
        ),
        pytest.param(
            {"entry_courses": frozenset(), "refresher_min_hours": 4},
            took(REFRESHER, "2024-05-01"),
            True,
            id="refresher-hours",
        ),
        pytest.param(
            {"entry_courses": frozenset(), "refresher_min_hours": 4.5},
            took(REFRESHER, "2024-05-01"),
            False,
            id="refresher-hours-below",
        ),
        pytest.param(
            {"entry_courses": frozenset(), "min_hours": 40},
            took(REFRESHER, "2024-05-01"),
            True,
            id="entry-hours-not-asked",
        ),
        pytest.param(
            {"entry_courses": frozenset(), "min_block_hours": 5},
            took(REFRESHER, "2024-05-01"),
            False,
            id="refresher-block",
        ),
        pytest.param(
            {"refresher_courses": frozenset({CIT.key}), "refresher_stands_alone": True, "min_hours": 40},
            took(CIT, "2024-05-01", hours=8),
            False,
            id="short-entry-counts-for-nothing",
        ),
    ],
)
def test_a_completion_counts(rules: dict[str, Any], completion: Completion, counts: bool) -> None:
    period = period_on(edition(**rules), member(completion), "2024-05-01")

    assert period is not None
    assert (period.state, period.basis, period.has_credit) == (
        (CURRENT, completion.key, True) if counts else (OVERDUE, None, False)
    )


@pytest.mark.parametrize(
    ("refreshed", "day", "expected"),
    [
        pytest.param("2024-04-30", "2024-04-30", (OVERDUE, "2020-01-01"), id="day-before-entry-not-then"),
        pytest.param("2024-04-30", "2027-05-02", (OVERDUE, "2027-05-01"), id="day-before-entry-nor-later"),
        pytest.param("2024-05-01", "2024-05-01", (CURRENT, "2027-05-01"), id="day-of-entry"),
        pytest.param("2024-05-02", "2024-05-02", (CURRENT, "2027-05-02"), id="day-after-entry"),
        pytest.param("2024-05-02", "2027-05-02", (CURRENT, "2027-05-02"), id="day-after-entry-still-due"),
    ],
)
def test_a_refresher_needs_an_entry(refreshed: str, day: str, expected: tuple[State, str]) -> None:
    facts = member(took(CIT, "2024-05-01", key=1), took(REFRESHER, refreshed, key=2))

    assert standing(t36(), facts, day) == expected


def test_a_refresher_on_the_day_of_entry_is_a_credit_too() -> None:
    facts = member(took(CIT, "2024-05-01", key=8), took(REFRESHER, "2024-05-01", key=7))

    period = period_on(t36(), facts, "2024-05-01")

    assert period is not None
    assert period.basis == 7


def test_an_entry_course_taken_again_renews() -> None:
    facts = member(took(CIT, "2021-05-01"), took(CIT, "2024-04-01"))

    check(t36(refresher_courses=frozenset()), facts, {"2024-04-01": (CURRENT, "2027-04-01")})


@pytest.mark.parametrize(
    ("rules", "completions", "basis"),
    [
        pytest.param(t36(), [(7, "2024-05-01"), (8, "2024-06-01")], 8, id="latest-limit"),
        pytest.param(t36(), [(8, "2024-05-01"), (7, "2024-05-01")], 7, id="one-day-smallest-key"),
        pytest.param(t36(months=18), [(7, "2023-08-30"), (8, "2023-08-31")], 8, id="one-limit-newest-credit"),
        pytest.param(
            edition(clock=Clock.CALENDAR, years=3),
            [(7, "2024-06-01"), (8, "2024-05-01")],
            7,
            id="one-year-newest-credit",
        ),
        pytest.param(edition(), [(7, "2024-06-01"), (8, "2024-05-01")], 8, id="once-first-credit"),
        pytest.param(edition(), [(8, "2024-05-01"), (7, "2024-05-01")], 7, id="once-first-credit-smallest-key"),
    ],
)
def test_current_rests_on(rules: Edition, completions: list[tuple[int, str]], basis: int) -> None:
    facts = member(*[took(CIT, day, key=key) for key, day in completions])

    period = period_on(rules, facts, "2024-07-01")

    assert period is not None
    assert period.basis == basis


# Section 6: first deadlines


@pytest.mark.parametrize(
    ("rules", "day", "expected"),
    [
        pytest.param({}, "2026-05-09", None, id="day-before-joining"),
        pytest.param({}, "2026-05-10", (IN_GRACE, "2026-05-10"), id="no-grace-day-of-joining"),
        pytest.param({}, "2026-05-11", (OVERDUE, "2026-05-10"), id="no-grace-day-after-joining"),
        pytest.param({"entry_grace_days": 180}, "2026-05-10", (IN_GRACE, "2026-11-06"), id="grace-day-of-joining"),
        pytest.param({"entry_grace_days": 180}, "2026-11-06", (IN_GRACE, "2026-11-06"), id="grace-day-due"),
        pytest.param({"entry_grace_days": 180}, "2026-11-07", (OVERDUE, "2026-11-06"), id="grace-day-after-due"),
        pytest.param({"first_due": FirstDue.YEAR_END}, "2026-12-31", (IN_GRACE, "2026-12-31"), id="year-end"),
        pytest.param({"first_due": FirstDue.YEAR_END}, "2027-01-01", (OVERDUE, "2026-12-31"), id="day-after-year-end"),
        pytest.param({"first_due": FirstDue.NEXT_YEAR_END}, "2027-12-31", (IN_GRACE, "2027-12-31"), id="next-year-end"),
        pytest.param(
            {"first_due": FirstDue.NEXT_YEAR_END}, "2028-01-01", (OVERDUE, "2027-12-31"), id="day-after-next-year-end"
        ),
        pytest.param(
            {"first_due": FirstDue.YEAR_END, "entry_grace_days": 900},
            "2026-06-01",
            (IN_GRACE, "2026-12-31"),
            id="year-end-only",
        ),
        pytest.param(
            {"entry_grace_days": 30, "entry_due_on": d("2026-06-08")},
            "2026-06-09",
            (IN_GRACE, "2026-06-09"),
            id="due-on-earlier",
        ),
        pytest.param(
            {"entry_grace_days": 30, "entry_due_on": d("2026-06-10")},
            "2026-06-10",
            (IN_GRACE, "2026-06-10"),
            id="due-on-later",
        ),
        pytest.param(
            {"entry_grace_days": 30, "entry_due_on": d("2026-06-10")},
            "2026-06-11",
            (OVERDUE, "2026-06-10"),
            id="after-due-on",
        ),
        pytest.param(
            {"first_due": FirstDue.YEAR_END, "entry_due_on": d("2027-02-01")},
            "2027-02-01",
            (IN_GRACE, "2027-02-01"),
            id="year-end-and-due-on",
        ),
        pytest.param({"entry_grace_days": 10**7}, "9999-12-31", (IN_GRACE, ""), id="grace-past-the-calendar"),
    ],
)
def test_the_first_deadline(rules: dict[str, Any], day: str, expected: tuple[State, str] | None) -> None:  # example 6
    assert standing(edition(**rules, population=PATROL), member(posted("2026-05-10")), day) == expected


def test_the_first_deadline_at_the_end_of_the_calendar() -> None:
    facts = member(worked("9999-05-01"))

    check(edition(first_due=FirstDue.NEXT_YEAR_END), facts, {"9999-12-31": (IN_GRACE, "")})


def test_a_credit_that_runs_out_before_the_first_deadline_leaves_grace() -> None:
    facts = member(worked("2025-01-01"), took(CIT, "2022-03-01"))

    check(
        t36(entry_grace_days=180),
        facts,
        {
            "2025-03-01": (CURRENT, "2025-03-01"),
            "2025-03-02": (IN_GRACE, "2025-06-30"),
            "2025-06-30": (IN_GRACE, "2025-06-30"),
            "2025-07-01": (OVERDUE, "2025-06-30"),
        },
    )


def test_each_membership_has_its_own_first_deadline() -> None:
    facts = member(worked("2024-01-01", "2024-06-30"), worked("2024-07-02"), took(CIT, "2020-01-01"))

    check(
        t36(entry_grace_days=30),
        facts,
        {
            "2024-01-31": (IN_GRACE, "2024-01-31"),
            "2024-06-30": (OVERDUE, "2024-01-31"),
            "2024-07-01": None,
            "2024-07-02": (IN_GRACE, "2024-08-01"),
            "2024-08-01": (IN_GRACE, "2024-08-01"),
            "2024-08-02": (OVERDUE, "2024-08-01"),
        },
    )


# Section 4: membership


@pytest.mark.parametrize(
    ("population", "facts", "days"),
    [
        pytest.param(
            {},
            [worked("2024-02-01", "2024-02-20")],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-20": True, "2024-02-21": False},
            id="employed",
        ),
        pytest.param(
            {"categories": frozenset({"sworn"})},
            [worked("2024-02-01", "2024-02-20", "recruit"), worked("2024-02-21")],
            {"2024-02-20": False, "2024-02-21": True},
            id="category",
        ),
        pytest.param(
            {"categories": frozenset()}, [worked("2024-02-01")], {"2024-02-01": False}, id="no-category-matches"
        ),
        pytest.param(
            {"functions": frozenset({"patrol"})},
            [posted("2024-02-01", "2024-02-20"), posted("2024-02-21", "", "jail")],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-20": True, "2024-02-21": False},
            id="function",
        ),
        pytest.param(
            {"functions": frozenset()}, [posted("2024-02-01")], {"2024-02-01": False}, id="no-function-matches"
        ),
        pytest.param(
            {"units": frozenset({1, 2})},
            [posted("2024-02-01", "2024-02-20", unit=2), posted("2024-02-21", unit=3)],
            {"2024-02-20": True, "2024-02-21": False},
            id="unit",
        ),
        pytest.param(
            {"ranks": frozenset({1})},
            [posted("2024-02-01", "2024-02-20", rank=2), posted("2024-02-21", rank=1)],
            {"2024-02-20": False, "2024-02-21": True},
            id="promotion",
        ),
        pytest.param(
            {"shifts": frozenset({1})},
            [posted("2024-02-01", "2024-02-20", shift=1), posted("2024-02-21", shift=None)],
            {"2024-02-20": True, "2024-02-21": False},
            id="shift",
        ),
        pytest.param(
            {"functions": frozenset({"patrol"}), "shifts": frozenset({1})},
            [posted("2024-02-01", "2024-02-20", shift=2), posted("2024-02-21", "", "jail", shift=1)],
            {"2024-02-20": False, "2024-02-21": False},
            id="all-of-the-lists",
        ),
        pytest.param(
            {"functions": frozenset({"patrol"})},
            [worked("2024-02-01", "2024-02-20"), posted("2024-01-01", "2024-12-31")],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-20": True, "2024-02-21": False},
            id="assignment-counts-while-employed",
        ),
        pytest.param({"units": frozenset({1})}, [], {"2024-02-01": False}, id="home-asked-and-none"),
        pytest.param({}, [], {"2024-02-01": True}, id="home-not-asked-and-none"),
        pytest.param(
            {"min_service_months": 24},
            [worked("2022-02-28")],
            {"2024-02-27": False, "2024-02-28": True},
            id="service-reached",
        ),
        pytest.param(
            {"min_service_months": 1},
            [worked("2024-01-31")],
            {"2024-02-28": False, "2024-02-29": True},
            id="service-to-a-shorter-month",
        ),
        pytest.param(
            {"min_service_months": 24, "categories": frozenset({"sworn"})},
            [worked("2022-02-28", "2023-06-30", "recruit"), worked("2023-07-01")],
            {"2024-02-27": False, "2024-02-28": True},
            id="service-of-back-to-back-employments",
        ),
        pytest.param(
            {"min_service_months": 24},
            [worked("2022-02-28", "2023-06-30"), worked("2023-07-02")],
            {"2024-02-28": False, "2025-07-01": False, "2025-07-02": True},
            id="service-begins-anew-after-a-gap",
        ),
        pytest.param(
            {"min_service_months": 1},
            [worked("2022-02-28", "2022-03-27"), worked("2024-01-01")],
            {"2022-03-27": False, "2022-03-28": False, "2024-02-01": True},
            id="service-never-reached",
        ),
        pytest.param({"min_service_months": 24}, [worked("9999-01-01")], {"9999-12-31": False}, id="past-the-calendar"),
    ],
)
def test_who_must(population: dict[str, Any], facts: list[Any], days: dict[str, bool]) -> None:
    rules = edition(population=Population(**population))

    assert {day: period_on(rules, member(*facts), day) is not None for day in days} == days


def test_joining_is_the_day_the_months_of_service_are_reached() -> None:
    rules = edition(population=Population(min_service_months=24), entry_grace_days=30)

    check(rules, member(worked("2022-02-28")), {"2024-02-28": (IN_GRACE, "2024-03-29")})


def test_a_new_home_or_category_keeps_the_membership() -> None:
    facts = member(
        worked("2024-01-01", "2024-01-10", "recruit"),
        worked("2024-01-11"),
        posted("2024-01-01", "2024-01-20", unit=1),
        posted("2024-01-21", unit=2),
    )

    assert timeline([edition(population=PATROL, entry_grace_days=30)], facts) == (
        Period(
            d("2024-01-01"), d("2024-01-20"), IN_GRACE, d("2024-01-31"), 1, 1, 1, 1, None, False, Reason.FIRST_DEADLINE
        ),
        Period(
            d("2024-01-21"), d("2024-01-31"), IN_GRACE, d("2024-01-31"), 1, 2, 1, 1, None, False, Reason.FIRST_DEADLINE
        ),
        Period(d("2024-02-01"), None, OVERDUE, d("2024-01-31"), 1, 2, 1, 1, None, False, Reason.FIRST_DEADLINE),
    )


def test_a_later_home_assignment_ends_the_one_before() -> None:
    facts = member(posted("2020-01-01", unit=1), posted("2024-01-01", "2024-06-30", unit=2))

    assert [(p.start_on, p.end_on, p.unit) for p in timeline([edition(entry_grace_days=10**7)], facts)] == [
        (d("2020-01-01"), d("2023-12-31"), 1),
        (d("2024-01-01"), d("2024-06-30"), 2),
        (d("2024-07-01"), None, None),
    ]


def test_home_assignments_that_share_a_day() -> None:
    facts = member(posted("2020-01-01", "2024-01-01", unit=1), posted("2024-01-01", unit=2))

    assert [(p.start_on, p.end_on, p.unit) for p in timeline([edition(entry_grace_days=10**7)], facts)] == [
        (d("2020-01-01"), d("2023-12-31"), 1),
        (d("2024-01-01"), None, 2),
    ]


def test_one_day_of_employment_assignment_edition_and_leave() -> None:
    on_patrol, at_work = posted("2024-05-01", "2024-05-01"), worked("2024-05-01", "2024-05-01")
    that_day = Period(d("2024-05-01"), d("2024-05-01"), EXCUSED, None, 1, 1, 1, 1, None, False, Reason.ON_LEAVE)
    leave = away("2024-05-01", "2024-05-01")

    assert timeline([exclude(population=PATROL)], member(on_patrol, at_work, leave)) == (that_day,)
    assert timeline(
        [exclude(effective_from=d("2024-05-01"), effective_to=d("2024-05-01"))], member(posted("2020-01-01"), leave)
    ) == (that_day,)


def test_an_employment_that_ends_on_the_first_day_of_the_assignment() -> None:
    check(
        edition(population=PATROL),
        member(worked("2024-01-01", "2024-05-01"), posted("2024-05-01")),
        {"2024-04-30": None, "2024-05-01": (IN_GRACE, "2024-05-01"), "2024-05-02": None},
    )


def test_without_employment_there_is_no_line() -> None:
    assert timeline([edition()], MemberFacts(completions=[took(CIT, "2024-01-01")])) == ()


def test_without_editions_there_is_no_line() -> None:
    assert timeline([], member()) == ()


def test_a_recruit_who_becomes_patrol() -> None:  # example 4
    facts = member(
        worked("2025-09-08", "2026-03-12", "recruit"),
        worked("2026-03-13"),
        posted("2026-03-13", "2026-07-02", "training"),
        posted("2026-07-03"),
        took(CIT, "2025-12-12"),
    )

    check(edition(population=PATROL), facts, {"2026-02-01": None, "2026-07-02": None, "2026-07-03": (CURRENT, "")})
    check(t36(population=PATROL), facts, {"2026-07-02": None, "2026-07-03": (CURRENT, "2028-12-12")})


def test_one_who_leaves_patrol_is_not_counted() -> None:  # example 7
    facts = member(posted("2024-01-01", "2026-01-31"), posted("2026-02-01", "", "detectives"), took(CIT, "2025-01-01"))

    check(edition(population=PATROL), facts, {"2026-01-31": (CURRENT, ""), "2026-02-01": None})


# Section 6: leave under `exclude`


def test_leave_excuses_and_gives_days_back() -> None:  # example 5
    facts = member(took(CIT, "2023-06-30"), away("2026-04-01", "2027-01-31"))

    check(
        exclude(),
        facts,
        {
            "2026-03-31": (CURRENT, "2026-06-30"),
            "2026-04-01": (EXCUSED, ""),
            "2026-07-15": (EXCUSED, ""),
            "2027-01-31": (EXCUSED, ""),
            "2027-02-01": (IN_GRACE, "2027-04-02"),
            "2027-04-02": (IN_GRACE, "2027-04-02"),
            "2027-04-03": (OVERDUE, "2027-04-02"),
        },
    )


def test_leave_does_nothing_unless_the_edition_says_so() -> None:
    facts = member(took(CIT, "2023-06-30"), away("2026-04-01", "2027-01-31"))

    check(
        t36(return_grace_days=60), facts, {"2026-04-01": (CURRENT, "2026-06-30"), "2027-02-01": (OVERDUE, "2026-06-30")}
    )


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [took(CIT, "2023-03-31"), away("2026-04-01", "2026-04-30")],
            {"2026-04-30": (EXCUSED, ""), "2026-05-01": (OVERDUE, "2026-03-31")},
            id="overdue-on-the-first-day-of-leave",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-01"), away("2026-04-01", "2026-04-30")],
            {"2026-04-30": (EXCUSED, ""), "2026-05-01": (IN_GRACE, "2026-06-30")},
            id="due-on-the-first-day-of-leave",
        ),
        pytest.param(
            {"return_grace_days": 0},
            [took(CIT, "2023-04-01"), away("2026-04-01", "2026-04-30")],
            {"2026-05-01": (IN_GRACE, "2026-05-01"), "2026-05-02": (OVERDUE, "2026-05-01")},
            id="no-days-back-is-the-day-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-06-20"), away("2026-04-01", "2026-04-30")],
            {
                "2026-05-01": (CURRENT, "2026-06-20"),
                "2026-06-21": (IN_GRACE, "2026-06-30"),
                "2026-07-01": (OVERDUE, "2026-06-30"),
            },
            id="current-again-then-the-days-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-07-20"), away("2026-04-01", "2026-04-30")],
            {"2026-07-20": (CURRENT, "2026-07-20"), "2026-07-21": (OVERDUE, "2026-07-20")},
            id="limit-later-than-the-days-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-31"), away("2026-04-01", "2026-04-30"), took(REFRESHER, "2026-04-10")],
            {"2026-04-10": (EXCUSED, ""), "2026-05-01": (CURRENT, "2029-04-10"), "2029-04-11": (OVERDUE, "2029-04-10")},
            id="credit-during-leave",
        ),
        pytest.param(
            {"months": 12},
            [away("2021-04-01", "2023-04-30"), took(CIT, "2021-04-02")],
            {"2023-04-30": (EXCUSED, ""), "2023-05-01": (OVERDUE, "2022-04-02")},
            id="overdue-before-credit-during-leave-ran-out",
        ),
        pytest.param(
            {"months": 12},
            [away("2021-04-01", "2023-04-30"), took(CIT, "2021-04-01")],
            {"2023-05-01": (IN_GRACE, "2023-06-30")},
            id="credit-on-the-first-day-of-leave",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-31"), away("2026-04-01", "2026-04-30"), took(REFRESHER, "2026-05-01")],
            {"2026-04-30": (EXCUSED, ""), "2026-05-01": (CURRENT, "2029-05-01")},
            id="credit-on-the-day-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-01"), away("2026-04-01")],
            {"2026-04-01": (EXCUSED, ""), "9999-12-31": (EXCUSED, "")},
            id="open-leave",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-01"), away("2026-04-01", "2026-04-30"), away("2026-06-30", "2026-07-31")],
            {
                "2026-06-29": (IN_GRACE, "2026-06-30"),
                "2026-06-30": (EXCUSED, ""),
                "2026-08-01": (IN_GRACE, "2026-09-30"),
                "2026-10-01": (OVERDUE, "2026-09-30"),
            },
            id="second-leave-on-the-last-of-the-days-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-01"), away("2026-04-01", "2026-04-30"), away("2026-07-01", "2026-07-31")],
            {
                "2026-06-30": (IN_GRACE, "2026-06-30"),
                "2026-07-01": (EXCUSED, ""),
                "2026-08-01": (OVERDUE, "2026-06-30"),
            },
            id="second-leave-after-the-days-back",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-31"), away("2026-04-01", "2026-04-30"), away("2026-05-02", "2026-05-31")],
            {"2026-05-01": (OVERDUE, "2026-03-31"), "2026-06-01": (OVERDUE, "2026-03-31")},
            id="overdue-through-two-leaves",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-30"), away("2026-04-01", "2026-04-30"), away("2026-05-01", "2026-05-31")],
            {"2026-05-01": (EXCUSED, ""), "2026-06-01": (IN_GRACE, "2026-07-31")},
            id="touching-rows-are-one-leave",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-30"), away("2026-04-01", "2026-06-30"), away("2026-05-01", "2026-05-31")],
            {"2026-06-01": (EXCUSED, ""), "2026-06-30": (EXCUSED, ""), "2026-07-01": (IN_GRACE, "2026-08-30")},
            id="a-row-inside-another",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-04-30"), away("2026-04-01"), away("2026-05-01", "2026-05-31")],
            {"2026-06-01": (EXCUSED, "")},
            id="a-row-inside-an-open-one",
        ),
        pytest.param(
            {"leave_kinds": frozenset({"medical"})},
            [took(CIT, "2023-04-30"), away("2026-04-01", "2026-04-30", "suspension")],
            {"2026-04-30": (CURRENT, "2026-04-30"), "2026-05-01": (OVERDUE, "2026-04-30")},
            id="kind-not-listed",
        ),
        pytest.param(
            {"leave_kinds": frozenset({"medical"}), "leave_min_days": 31},
            [took(CIT, "2023-04-30"), away("2026-04-01", "2026-04-30"), away("2026-05-01", "2026-05-30", "suspension")],
            {"2026-04-30": (CURRENT, "2026-04-30"), "2026-05-01": (OVERDUE, "2026-04-30")},
            id="kind-not-listed-makes-no-leave-longer",
        ),
        pytest.param(
            {"leave_kinds": frozenset({"medical", "military"}), "leave_min_days": 60},
            [took(CIT, "2023-04-30"), away("2026-04-01", "2026-04-30"), away("2026-05-01", "2026-05-30", "military")],
            {"2026-04-01": (EXCUSED, ""), "2026-05-31": (IN_GRACE, "2026-07-30")},
            id="kinds-listed-together-are-long-enough",
        ),
        pytest.param(
            {"leave_min_days": 30},
            [took(CIT, "2023-04-20"), away("2026-04-01", "2026-04-30")],
            {"2026-04-01": (EXCUSED, ""), "2026-05-01": (IN_GRACE, "2026-06-30")},
            id="leave-just-long-enough",
        ),
        pytest.param(
            {"leave_min_days": 31},
            [took(CIT, "2023-04-20"), away("2026-04-01", "2026-04-30")],
            {
                "2026-04-01": (CURRENT, "2026-04-20"),
                "2026-04-30": (OVERDUE, "2026-04-20"),
                "2026-05-01": (OVERDUE, "2026-04-20"),
            },
            id="leave-a-day-too-short",
        ),
        pytest.param(
            {"leave_min_days": 31},
            [took(CIT, "2023-04-20"), away("2026-04-01")],
            {"2026-04-01": (EXCUSED, "")},
            id="open-leave-is-long-enough",
        ),
        pytest.param(
            {"return_grace_days": 10**7},
            [took(CIT, "2023-04-20"), away("2026-04-01", "2026-04-30")],
            {"9999-12-31": (IN_GRACE, "")},
            id="days-back-past-the-calendar",
        ),
        pytest.param(
            {},
            [worked("2024-05-10"), away("2024-05-01", "2024-05-31")],
            {"2024-05-09": None, "2024-05-10": (EXCUSED, ""), "2024-06-01": (IN_GRACE, "2024-07-31")},
            id="leave-begun-before-joining",
        ),
        pytest.param(
            {},
            [worked("2024-05-10"), away("2024-05-10", "2024-05-31")],
            {"2024-05-10": (EXCUSED, ""), "2024-06-01": (IN_GRACE, "2024-07-31")},
            id="leave-begun-on-joining",
        ),
        pytest.param(
            {},
            [worked("2024-05-10"), away("2024-05-11", "2024-05-31")],
            {
                "2024-05-10": (IN_GRACE, "2024-05-10"),
                "2024-05-11": (EXCUSED, ""),
                "2024-06-01": (OVERDUE, "2024-05-10"),
            },
            id="leave-begun-the-day-after-joining",
        ),
        pytest.param(
            {},
            [worked("2024-05-10"), away("2024-05-01", "2024-05-09")],
            {"2024-05-10": (IN_GRACE, "2024-07-09"), "2024-07-10": (OVERDUE, "2024-07-09")},
            id="back-on-the-day-of-joining",
        ),
        pytest.param(
            {},
            [worked("2024-05-10"), away("2024-05-01", "2024-05-08")],
            {"2024-05-10": (IN_GRACE, "2024-05-10"), "2024-05-11": (OVERDUE, "2024-05-10")},
            id="back-the-day-before-joining",
        ),
        pytest.param(
            {},
            [worked("2024-01-01", "2024-05-10"), worked("2024-06-10"), away("2024-01-01", "2024-05-09")],
            {
                "2024-05-10": (IN_GRACE, "2024-07-09"),
                "2024-06-10": (IN_GRACE, "2024-06-10"),
                "2024-06-11": (OVERDUE, "2024-06-10"),
            },
            id="back-on-the-last-day-is-not-carried-over",
        ),
        pytest.param(
            {},
            [worked("2024-01-01", "2024-05-10"), worked("2024-06-10"), away("2024-01-01", "2024-05-10")],
            {"2024-06-10": (IN_GRACE, "2024-06-10"), "2024-06-11": (OVERDUE, "2024-06-10")},
            id="back-the-day-after-leaving",
        ),
        pytest.param(
            {},
            [worked("2024-01-01", "2024-05-10"), worked("2024-06-10"), away("2024-03-01", "2024-06-20")],
            {"2024-06-20": (EXCUSED, ""), "2024-06-21": (OVERDUE, "2024-06-10")},
            id="overdue-in-the-membership-the-leave-began-in",
        ),
        pytest.param(
            {},
            [worked("2024-01-01", "2024-05-10"), worked("2024-06-10"), away("2024-05-11", "2024-06-20")],
            {"2024-05-10": (OVERDUE, "2024-01-01"), "2024-06-21": (IN_GRACE, "2024-08-20")},
            id="leave-begun-between-memberships",
        ),
        pytest.param(
            {"entry_grace_days": 300},
            [worked("2024-01-01"), away("2024-03-01", "2024-03-31")],
            {"2024-03-01": (EXCUSED, ""), "2024-04-01": (IN_GRACE, "2024-10-27")},
            id="first-deadline-later-than-the-days-back",
        ),
    ],
)
def test_leave(rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(exclude(**rules), member(*facts), days)


# Section 6: editions


def test_each_edition_decides_its_own_days() -> None:
    rules = [
        t36(effective_to=d("2024-12-31")),
        edition(key=2, effective_from=d("2025-01-01"), clock=Clock.CALENDAR, years=1),
    ]
    facts = member(took(CIT, "2023-06-30"))

    check(rules, facts, {"2024-12-31": (CURRENT, "2026-06-30"), "2025-01-01": (OVERDUE, "2024-12-31")})


def test_an_edition_decides_over_credit_and_leave_before_it() -> None:
    rules = [
        edition(effective_to=d("2024-12-31"), entry_courses=frozenset()),
        exclude(key=2, effective_from=d("2025-01-01")),
    ]
    facts = member(took(CIT, "2021-12-20"), away("2024-12-10", "2024-12-25"))

    check(
        rules,
        facts,
        {
            "2024-12-20": (OVERDUE, "2020-01-01"),
            "2025-01-01": (IN_GRACE, "2025-02-24"),
            "2025-02-24": (IN_GRACE, "2025-02-24"),
            "2025-02-25": (OVERDUE, "2025-02-24"),
        },
    )


def test_an_edition_that_ends_during_leave() -> None:
    rules = [exclude(effective_to=d("2024-05-31")), t36(key=2, effective_from=d("2024-06-01"))]
    facts = member(took(CIT, "2021-06-15"), away("2024-05-01", "2024-06-30"))

    check(
        rules,
        facts,
        {
            "2024-05-31": (EXCUSED, ""),
            "2024-06-01": (CURRENT, "2024-06-15"),
            "2024-06-16": (OVERDUE, "2024-06-15"),
            "2024-07-01": (OVERDUE, "2024-06-15"),
        },
    )


def test_membership_runs_on_across_editions() -> None:
    rules = [
        edition(entry_grace_days=60),
        edition(key=2, effective_from=d("2024-03-01"), entry_grace_days=90, population=PATROL),
    ]
    facts = member(worked("2024-01-01"), posted("2024-02-15"))

    check(
        rules,
        facts,
        {
            "2024-02-29": (IN_GRACE, "2024-03-01"),
            "2024-03-01": (IN_GRACE, "2024-03-31"),
            "2024-04-01": (OVERDUE, "2024-03-31"),
        },
    )


def test_membership_follows_the_edition_of_each_day() -> None:
    rules = [
        edition(effective_to=d("2024-02-29"), population=PATROL),
        edition(key=2, effective_from=d("2024-03-01"), population=SWORN, entry_grace_days=30),
    ]
    jailer = member(worked("2024-01-01"), posted("2024-01-01", "", "jail"))

    check(
        rules,
        jailer,
        {"2024-02-29": None, "2024-03-01": (IN_GRACE, "2024-03-31"), "2024-04-01": (OVERDUE, "2024-03-31")},
    )


def test_a_leave_begun_outside_membership_of_its_day_finds_nobody_overdue() -> None:
    rules = [
        edition(effective_to=d("2024-02-29"), population=PATROL),
        exclude(key=2, effective_from=d("2024-03-01"), population=SWORN),
    ]
    jailer = member(worked("2023-01-01"), posted("2023-01-01", "", "jail"), away("2024-02-10", "2024-03-10"))

    check(rules, jailer, {"2024-03-10": (EXCUSED, ""), "2024-03-11": (IN_GRACE, "2024-05-10")})


@pytest.mark.parametrize(
    ("day", "edition_key"),
    [
        pytest.param("2023-12-31", None, id="day-before-the-first"),
        pytest.param("2024-01-01", 1, id="first-day-of-the-first"),
        pytest.param("2024-06-30", 1, id="last-day-of-one-without-a-last-day"),
        pytest.param("2024-07-01", 2, id="first-day-of-the-next"),
        pytest.param("2025-06-30", 2, id="last-day-of-the-last"),
        pytest.param("2025-07-01", None, id="day-after-the-last"),
    ],
)
def test_the_edition_in_force(day: str, edition_key: int | None) -> None:
    rules = [
        edition(key=2, effective_from=d("2024-07-01"), effective_to=d("2025-06-30")),
        edition(key=1, effective_from=d("2024-01-01")),
    ]

    period = period_on(rules, member(), day)

    assert (period and period.edition) == edition_key


# Section 7: the answer


def test_a_whole_line() -> None:
    facts = member(
        worked("2020-01-01", "2027-12-31"),
        posted("2020-01-01", "2026-08-31", unit=1),
        posted("2026-09-01", unit=2, shift=None),
        took(CIT, "2020-03-10", key=11),
        took(REFRESHER, "2023-06-30", key=12),
        took(REFRESHER, "2027-07-01", key=13),
        away("2026-04-01", "2026-07-31"),
    )

    assert timeline([exclude(entry_grace_days=60)], facts) == (
        Period(
            d("2020-01-01"), d("2020-03-01"), IN_GRACE, d("2020-03-01"), 1, 1, 1, 1, None, False, Reason.FIRST_DEADLINE
        ),
        Period(
            d("2020-03-02"), d("2020-03-09"), OVERDUE, d("2020-03-01"), 1, 1, 1, 1, None, False, Reason.FIRST_DEADLINE
        ),
        Period(d("2020-03-10"), d("2023-03-10"), CURRENT, d("2023-03-10"), 1, 1, 1, 1, 11, True, Reason.CREDIT),
        Period(d("2023-03-11"), d("2023-06-29"), OVERDUE, d("2023-03-10"), 1, 1, 1, 1, 11, True, Reason.CREDIT_RAN_OUT),
        Period(d("2023-06-30"), d("2026-03-31"), CURRENT, d("2026-06-30"), 1, 1, 1, 1, 12, True, Reason.CREDIT),
        Period(d("2026-04-01"), d("2026-07-31"), EXCUSED, None, 1, 1, 1, 1, None, True, Reason.ON_LEAVE),
        Period(
            d("2026-08-01"), d("2026-08-31"), IN_GRACE, d("2026-09-30"), 1, 1, 1, 1, None, True, Reason.BACK_FROM_LEAVE
        ),
        Period(
            d("2026-09-01"),
            d("2026-09-30"),
            IN_GRACE,
            d("2026-09-30"),
            1,
            2,
            None,
            1,
            None,
            True,
            Reason.BACK_FROM_LEAVE,
        ),
        Period(
            d("2026-10-01"), d("2027-06-30"), OVERDUE, d("2026-09-30"), 1, 2, None, 1, 12, True, Reason.BACK_FROM_LEAVE
        ),
        Period(d("2027-07-01"), d("2027-12-31"), CURRENT, d("2030-07-01"), 1, 2, None, 1, 13, True, Reason.CREDIT),
    )


def test_days_with_one_answer_are_one_period() -> None:
    facts = member(
        posted("2020-01-01", "2022-12-31"),
        posted("2023-01-01"),
        took(CIT, "2020-01-01", key=1),
        took(CIT, "2021-01-01", key=2),
        away("2024-01-01", "2024-02-01"),
    )

    assert timeline([edition(population=PATROL)], facts) == (
        Period(d("2020-01-01"), None, CURRENT, None, 1, 1, 1, 1, 1, True, Reason.CREDIT),
    )


def test_memberships_apart_are_periods_apart() -> None:
    facts = member(worked("2024-01-01", "2024-05-31"), worked("2024-06-02"), took(CIT, "2023-01-01", key=1))

    assert timeline([edition()], facts) == (
        Period(d("2024-01-01"), d("2024-05-31"), CURRENT, None, 1, None, None, None, 1, True, Reason.CREDIT),
        Period(d("2024-06-02"), None, CURRENT, None, 1, None, None, None, 1, True, Reason.CREDIT),
    )


def test_credit_earned_on_leave_is_seen_at_once() -> None:
    facts = member(worked("2024-01-01"), away("2024-01-01"), took(CIT, "2024-05-01"))

    assert [(p.start_on, p.state, p.has_credit) for p in timeline([exclude()], facts)] == [
        (d("2024-01-01"), EXCUSED, False),
        (d("2024-05-01"), EXCUSED, True),
    ]


@pytest.mark.parametrize(
    ("rules", "facts", "reason"),
    [
        pytest.param({"entry_grace_days": 58}, [], Reason.CREDIT_RAN_OUT, id="credit-and-first-deadline-on-one-day"),
        pytest.param({"entry_grace_days": 59}, [], Reason.FIRST_DEADLINE, id="first-deadline-a-day-later"),
        pytest.param(
            {}, [away("2024-01-01", "2024-02-23")], Reason.CREDIT_RAN_OUT, id="credit-and-days-back-on-one-day"
        ),
        pytest.param({}, [away("2024-01-01", "2024-02-24")], Reason.BACK_FROM_LEAVE, id="days-back-a-day-later"),
        pytest.param(
            {"entry_grace_days": 59},
            [away("2024-01-01", "2024-02-24")],
            Reason.FIRST_DEADLINE,
            id="first-deadline-and-days-back-on-one-day",
        ),
    ],
)
def test_why_overdue(rules: dict[str, Any], facts: list[Any], reason: Reason) -> None:
    known = member(worked("2024-01-01"), took(CIT, "2021-02-28"), *facts)  # the credit carries through 2024-02-28

    period = period_on(exclude(**{"return_grace_days": 4} | rules), known, "2024-03-15")

    assert period is not None
    assert (period.state, period.reason) == (OVERDUE, reason)
