"""The rules one by one, each on the day before, the day and the day after it bites. Numbers name `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Early,
    Edition,
    Employment,
    Evidence,
    FirstDue,
    LeaveRule,
    MemberFacts,
    Period,
    Population,
    Reason,
    State,
    timeline,
)
from tests.compliance.engine_facts import (
    CIT,
    CPR,
    CURRENT,
    EXCUSED,
    IN_GRACE,
    OVERDUE,
    PATROL,
    RECERT,
    REFRESHER,
    SWORN,
    away,
    certificate,
    cycle,
    d,
    edition,
    exclude,
    extended,
    holds,
    hours,
    keep,
    member,
    posted,
    rolling,
    same,
    t36,
    taught_from,
    toll,
    took,
    waived,
    worked,
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
        pytest.param({}, taught_from(CIT, "2024-05-01", "2024-04-01", "2024-04-30"), False, id="plan-ended-day-before"),
        pytest.param({}, taught_from(CIT, "2024-05-01", "2024-04-01", "2024-05-01"), True, id="plan-ends-that-day"),
        pytest.param({}, taught_from(CIT, "2024-05-01", "2024-05-01", ""), True, id="plan-begins-that-day"),
        pytest.param({}, taught_from(CIT, "2024-05-01", "2024-05-02", ""), False, id="plan-begins-day-after"),
        pytest.param({}, took(same(CPR, CIT), "2024-05-01"), True, id="counts-as-entry"),
        pytest.param({}, took(same(CPR, CIT, "2024-05-01"), "2024-05-01"), True, id="equivalency-begins-that-day"),
        pytest.param({}, took(same(CPR, CIT, "2024-05-02"), "2024-05-01"), False, id="equivalency-begins-day-after"),
        pytest.param({}, took(same(CPR, CIT, end="2024-05-01"), "2024-05-01"), True, id="equivalency-ends-that-day"),
        pytest.param(
            {}, took(same(CPR, CIT, end="2024-04-30"), "2024-05-01"), False, id="equivalency-ended-day-before"
        ),
        pytest.param({}, took(same(CPR, same(RECERT, CIT)), "2024-05-01"), False, id="equivalencies-are-not-chained"),
        pytest.param({}, took(same(CIT, CPR), "2024-05-01"), True, id="counts-as-another-and-as-itself"),
        pytest.param({}, took(same(REFRESHER, CIT), "2024-05-01"), True, id="refresher-that-counts-as-entry"),
        pytest.param(
            {"refresher_stands_alone": True, "min_hours": 8},
            took(same(REFRESHER, CIT), "2024-05-01"),
            False,
            id="refresher-that-counts-as-entry-and-is-short",
        ),
        pytest.param({"min_hours": 40}, took(same(CPR, CIT), "2024-05-01"), False, id="hours-of-the-course-taken"),
        pytest.param(
            {"modes": frozenset({"online"})}, took(same(RECERT, CIT), "2024-05-01"), True, id="mode-of-the-course-taken"
        ),
        pytest.param(
            {}, took(same(replace(CPR, min_score=70), CIT), "2024-05-01"), False, id="minimums-of-the-course-taken"
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


@pytest.mark.parametrize(
    ("rules", "completions", "days"),
    [
        pytest.param(
            {},
            [took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-28")],
            {"2027-01-31": (CURRENT, "2027-01-31"), "2027-02-01": (OVERDUE, "2027-01-31")},
            id="day-before-the-tenure-not-then-nor-later",
        ),
        pytest.param(
            {},
            [took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-29")],
            {"2027-02-28": (CURRENT, "2027-02-28"), "2027-03-01": (OVERDUE, "2027-02-28")},
            id="day-the-tenure-is-reached",
        ),
        pytest.param(
            {},
            [took(CIT, "2024-01-31"), took(CIT, "2024-02-10"), took(REFRESHER, "2024-02-29")],
            {"2024-02-29": (CURRENT, "2027-02-28")},
            id="after-the-first-entry-credit",
        ),
        pytest.param(
            {},
            [took(CIT, "2024-01-31"), took(CIT, "2024-02-10")],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="an-entry-course-again-counts-at-any-time",
        ),
        pytest.param(
            {"refresher_stands_alone": True},
            [took(REFRESHER, "2024-01-30"), took(CIT, "2024-01-31")],
            {"2024-01-30": (CURRENT, "2027-01-30")},
            id="alone-before-any-entry",
        ),
        pytest.param(
            {"refresher_stands_alone": True},
            [took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-28")],
            {"2024-02-28": (CURRENT, "2027-01-31")},
            id="alone-after-an-entry",
        ),
        pytest.param(
            {"entry_courses": frozenset()},
            [took(REFRESHER, "2024-01-30")],
            {"2024-01-30": (CURRENT, "2027-01-30")},
            id="no-entry-asked",
        ),
    ],
)
def test_tenure(rules: dict[str, Any], completions: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(t36(**{"refresher_min_tenure_months": 1} | rules), member(*completions), days)


def test_a_lesson_plan_counts_while_in_force() -> None:  # example 11
    of_2019 = taught_from(CIT, "2025-02-10", "2019-01-01", "2024-12-31")
    of_2019_kept_on = taught_from(CIT, "2025-02-10", "2019-01-01", "2025-06-30")
    of_2025 = taught_from(CIT, "2025-02-10", "2025-01-01", "")

    standings = [
        standing(t36(), member(completion), "2025-02-10") for completion in (of_2019, of_2019_kept_on, of_2025)
    ]

    assert standings == [(OVERDUE, "2020-01-01"), (CURRENT, "2028-02-10"), (CURRENT, "2028-02-10")]


def test_a_make_up_completes_the_course() -> None:  # example 9: the completion date is the day of the last piece
    of_36_hours = took(CIT, "2026-04-17", attendance=90)
    made_up = took(CIT, "2026-04-22", attendance=100)

    assert standing(t36(min_attendance=90), member(of_36_hours), "2026-04-17") == (CURRENT, "2029-04-17")
    check(
        t36(min_attendance=100),
        member(of_36_hours, made_up),
        {"2026-04-21": (OVERDUE, "2020-01-01"), "2026-04-22": (CURRENT, "2029-04-22")},
    )


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


# Section 5: hours


def test_hours_that_add_up() -> None:  # example 13
    facts = member(
        took(REFRESHER, "2024-02-06", hours=2), took(REFRESHER, "2024-11-12", hours=2), took(REFRESHER, "2025-09-09")
    )

    check(
        hours(8),
        facts,
        {
            "2025-09-08": (OVERDUE, "2020-01-01"),
            "2025-09-09": (CURRENT, "2028-09-09"),
            "2028-09-10": (OVERDUE, "2028-09-09"),
        },
    )
    check(
        rolling(8, 36),
        facts,
        {
            "2025-09-08": (OVERDUE, "2020-01-01"),
            "2025-09-09": (CURRENT, "2027-02-06"),
            "2027-02-06": (CURRENT, "2027-02-06"),
            "2027-02-07": (OVERDUE, "2027-02-06"),
        },
    )


@pytest.mark.parametrize(
    ("rules", "completions", "days"),
    [
        pytest.param(
            hours(8),
            [took(CIT, "2024-01-10", hours=6), took(REFRESHER, "2024-02-10", hours=6), took(REFRESHER, "2024-03-10")],
            {
                "2024-02-09": (OVERDUE, "2020-01-01"),
                "2024-02-10": (CURRENT, "2027-02-10"),
                "2024-03-10": (CURRENT, "2027-02-10"),
            },
            id="surplus-is-lost",
        ),
        pytest.param(
            hours(8),
            [took(CIT, "2024-01-10", hours=8), took(REFRESHER, "2024-02-10"), took(REFRESHER, "2024-03-10")],
            {"2024-03-09": (CURRENT, "2027-01-10"), "2024-03-10": (CURRENT, "2027-03-10")},
            id="the-count-starts-again",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2024-01-10", key=1), took(REFRESHER, "2024-01-10", key=2)],
            {"2024-01-10": (CURRENT, "2027-01-10")},
            id="completions-of-one-day-together",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2024-01-10"), took(REFRESHER, "2024-02-10", hours=3.99)],
            {"2024-02-10": (OVERDUE, "2020-01-01")},
            id="a-hundredth-short",
        ),
        pytest.param(
            hours(0.8),
            [took(REFRESHER, "2024-01-10", hours=0.7), took(REFRESHER, "2024-02-10", hours=0.1)],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="exact-in-hundredths",
        ),
        pytest.param(
            hours(2.3),
            [took(REFRESHER, "2024-01-10", hours=1.15), took(REFRESHER, "2024-02-10", hours=1.15)],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="rounded-to-hundredths",
        ),
        pytest.param(
            hours(8, hours_window_months=12),
            [took(CIT, "2024-01-10"), took(REFRESHER, "2025-01-20"), took(REFRESHER, "2025-02-20")],
            {"2025-02-19": (CURRENT, "2027-01-10"), "2025-02-20": (CURRENT, "2028-02-20")},
            id="hours-of-an-earlier-sum-are-gone",
        ),
        pytest.param(
            certificate(hours=8),
            [took(CIT, "2024-02-10", hours=6), took(RECERT, "2024-02-11")],
            {"2024-02-11": (OVERDUE, "2020-01-01")},
            id="a-recertification-adds-nothing",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2024-01-10"), took(replace(REFRESHER, hours=None), "2024-02-10")],
            {"2024-02-10": (OVERDUE, "2020-01-01")},
            id="unknown-hours-add-nothing",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2024-01-10"), took(CPR, "2024-02-10")],
            {"2024-02-10": (OVERDUE, "2020-01-01")},
            id="a-course-not-listed-adds-nothing",
        ),
        pytest.param(
            hours(8, min_hours=40, refresher_min_hours=5, refresher_min_tenure_months=12),
            [took(REFRESHER, "2024-01-10"), took(CIT, "2024-02-10", hours=4)],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="no-entry-first-no-tenure-no-minimum-of-one",
        ),
        pytest.param(
            hours(8, min_block_hours=2),
            [took(REFRESHER, "2024-01-10", hours=1.99), took(REFRESHER, "2024-02-10", hours=7)],
            {"2024-02-10": (OVERDUE, "2020-01-01")},
            id="a-block-too-short-adds-nothing",
        ),
        pytest.param(
            hours(8, min_block_hours=2),
            [took(REFRESHER, "2024-01-10", hours=2), took(REFRESHER, "2024-02-10", hours=6)],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="blocks-just-long-enough",
        ),
        pytest.param(
            hours(8, hours_window_months=1),
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-02-29")],
            {"2024-02-29": (CURRENT, "2027-02-28")},
            id="last-day-of-the-months-to-add-up-in",
        ),
        pytest.param(
            hours(8, hours_window_months=1),
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-03-01")],
            {"2024-03-01": (OVERDUE, "2020-01-01")},
            id="day-after-the-months-to-add-up-in",
        ),
        pytest.param(
            hours(8, hours_window_months=1),
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-03-01"), took(REFRESHER, "2024-04-01")],
            {"2024-03-31": (OVERDUE, "2020-01-01"), "2024-04-01": (CURRENT, "2027-04-01")},
            id="the-oldest-no-longer-count",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2004-01-31"), took(REFRESHER, "2024-03-01")],
            {"2024-03-01": (CURRENT, "2027-03-01")},
            id="no-months-to-add-up-in",
        ),
        pytest.param(
            hours(8, clock=Clock.ONCE),
            [took(REFRESHER, "2024-01-10"), took(REFRESHER, "2024-02-10")],
            {"2024-02-09": (OVERDUE, "2020-01-01"), "2024-02-10": (CURRENT, "")},
            id="once",
        ),
        pytest.param(
            hours(8, clock=Clock.CALENDAR, years=1),
            [took(REFRESHER, "2024-01-10"), took(REFRESHER, "2024-02-10")],
            {"2024-02-10": (CURRENT, "2025-12-31")},
            id="calendar",
        ),
        pytest.param(
            hours(8, clock=Clock.CERTIFICATE),
            [took(REFRESHER, "2024-01-10"), took(REFRESHER, "2024-02-10", certificate_expires_on=d("2030-01-01"))],
            {"2024-02-10": (CURRENT, "2027-02-10")},
            id="a-sum-has-no-printed-expiry",
        ),
        pytest.param(
            certificate(hours=8),
            [took(CIT, "2024-02-10"), took(RECERT, "2027-02-01")],
            {"2027-01-31": (CURRENT, "2027-02-10"), "2027-02-01": (CURRENT, "2030-02-01")},
            id="a-recertification-is-no-part-of-a-sum",
        ),
        pytest.param(
            hours(8, early=Early.KEEP_ANCHOR, keep_anchor_days=90),
            [took(CIT, "2024-02-10"), took(CIT, "2027-02-01")],
            {"2027-02-01": (CURRENT, "2030-02-10")},
            id="a-sum-keeps-the-anchor",
        ),
        pytest.param(
            hours(8, clock=Clock.CYCLE, cycle_start=d("2024-01-01"), months=12, hours_window_months=1),
            [took(REFRESHER, "2024-01-01"), took(REFRESHER, "2024-12-31")],
            {"2024-12-31": (CURRENT, "2025-12-31")},
            id="cycle-first-and-last-day-of-a-window",
        ),
        pytest.param(
            hours(8, clock=Clock.CYCLE, cycle_start=d("2024-01-01"), months=12),
            [took(REFRESHER, "2024-12-31"), took(REFRESHER, "2025-01-01"), took(REFRESHER, "2025-02-01")],
            {"2025-01-31": (OVERDUE, "2024-12-31"), "2025-02-01": (CURRENT, "2026-12-31")},
            id="cycle-not-across-windows",
        ),
        pytest.param(
            hours(8, clock=Clock.CYCLE, cycle_start=d("2024-01-01"), months=12),
            [took(CIT, "2023-12-31"), took(REFRESHER, "2024-02-01")],
            {"2024-02-01": (IN_GRACE, "2024-12-31")},
            id="cycle-none-before-the-first-window",
        ),
    ],
)
def test_hours_by_event(rules: Edition, completions: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(rules, member(*completions), days)


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-06-30"), took(REFRESHER, "2025-01-31")],
            {"2025-01-30": (CURRENT, "2025-01-31"), "2025-01-31": (CURRENT, "2025-06-30")},
            id="renewed-on-the-last-day",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-06-30"), took(REFRESHER, "2025-02-02")],
            {
                "2025-01-31": (CURRENT, "2025-01-31"),
                "2025-02-01": (OVERDUE, "2025-01-31"),
                "2025-02-02": (CURRENT, "2025-06-30"),
            },
            id="renewed-after-a-day-without",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2025-01-31")],
            {
                "2025-01-30": (OVERDUE, "2020-01-01"),
                "2025-01-31": (CURRENT, "2025-01-31"),
                "2025-02-01": (OVERDUE, "2025-01-31"),
            },
            id="enough-on-one-day",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2025-02-01")],
            {"2025-02-01": (OVERDUE, "2020-01-01"), "2025-02-02": (OVERDUE, "2020-01-01")},
            id="a-day-too-late-to-add-up",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31", hours=8), took(REFRESHER, "2025-06-01")],
            {"2025-02-01": (OVERDUE, "2025-01-31"), "2025-06-01": (OVERDUE, "2025-01-31")},
            id="not-enough-again",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-06-30"), took(CIT, "2024-07-01")],
            {"2024-07-01": (CURRENT, "2025-07-01")},
            id="the-newest-alone-are-enough",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31"), took(REFRESHER, "2024-06-30", hours=7), took(REFRESHER, "2024-07-01")],
            {"2024-07-01": (CURRENT, "2025-06-30")},
            id="back-to-the-one-that-makes-the-sum",
        ),
        pytest.param(
            {},
            [took(REFRESHER, "2024-01-31", key=1), took(REFRESHER, "2024-01-31", key=2)],
            {"2024-01-31": (CURRENT, "2025-01-31")},
            id="completions-of-one-day-together",
        ),
        pytest.param(
            {"hours": 0.8},
            [took(REFRESHER, "2024-01-31", hours=0.7), took(REFRESHER, "2024-02-10", hours=0.1)],
            {"2024-02-10": (CURRENT, "2025-01-31")},
            id="exact-in-hundredths",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL, "entry_grace_days": 10},
            [worked("2024-01-01"), took(CIT, "2024-02-10"), away("2024-01-05", "2024-01-14"), away("2024-03-01")],
            {
                "2024-01-21": (IN_GRACE, "2024-01-21"),
                "2024-01-22": (OVERDUE, "2024-01-21"),
                "2024-02-10": (CURRENT, "2025-02-10"),
            },
            id="toll-moves-the-first-deadline-only",
        ),
        pytest.param(
            {},
            [took(CIT, "2024-02-10"), extended("2025-03-31", "2025-02-10")],
            {
                "2025-02-09": (CURRENT, "2025-02-10"),
                "2025-02-10": (CURRENT, "2025-03-31"),
                "2025-04-01": (OVERDUE, "2025-03-31"),
            },
            id="extended",
        ),
        pytest.param(
            {"clock": Clock.ROLLING, "early": Early.KEEP_ANCHOR, "keep_anchor_days": 400},
            [took(CIT, "2024-02-10"), took(CIT, "2024-06-10")],
            {"2024-02-10": (CURRENT, "2025-02-10"), "2024-06-10": (CURRENT, "2025-06-10")},
            id="no-clock-and-no-anchor",
        ),
        pytest.param(
            {"hours_window_months": 120},
            [took(CIT, "9995-01-01")],
            {"9999-12-31": (CURRENT, "")},
            id="past-the-calendar",
        ),
    ],
)
def test_rolling_hours(rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(rolling(**{"asked": 8, "months": 12} | rules), member(*facts), days)


@pytest.mark.parametrize(
    ("rules", "completions", "bases"),
    [
        pytest.param(
            hours(8),
            [(3, "2024-01-10"), (5, "2024-02-10"), (4, "2024-02-10")],
            {"2024-02-09": (None, False), "2024-02-10": (4, True), "2028-01-01": (4, True)},
            id="event-lowest-key-of-the-day",
        ),
        pytest.param(
            hours(8, clock=Clock.ONCE),
            [(3, "2024-01-10"), (4, "2024-02-10"), (5, "2024-03-10"), (6, "2024-04-10")],
            {"2024-02-10": (4, True), "2024-04-10": (4, True)},
            id="once-the-first-sum",
        ),
        pytest.param(
            hours(8, clock=Clock.CYCLE, cycle_start=d("2024-02-01"), months=12),
            [(3, "2024-01-10"), (4, "2024-01-20")],
            {"2024-01-20": (None, False), "2026-01-01": (None, False)},
            id="no-sum-before-the-first-window",
        ),
        pytest.param(
            rolling(8, 12),
            [(3, "2024-01-10"), (2, "2024-02-10"), (5, "2025-02-10"), (4, "2025-02-10")],
            {
                "2024-02-09": (None, False),
                "2024-02-10": (2, True),
                "2025-01-11": (2, True),
                "2025-02-10": (4, True),
                "2026-06-01": (4, True),
            },
            id="rolling-newest",
        ),
    ],
)
def test_a_sum_of_hours_rests_on(
    rules: Edition, completions: list[tuple[int, str]], bases: dict[str, tuple[int | None, bool]]
) -> None:
    facts = member(*[took(REFRESHER, day, key=key) for key, day in completions])

    periods = {day: period_on(rules, facts, day) for day in bases}

    assert {day: period and (period.basis, period.has_credit) for day, period in periods.items()} == bases


# Section 5: a break in service


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [worked("2020-01-01", "2022-02-28"), worked("2023-02-28"), took(CIT, "2021-05-01")],
            {"2023-02-28": (CURRENT, "2024-05-01")},
            id="back-on-the-last-day",
        ),
        pytest.param(
            {},
            [worked("2020-01-01", "2022-02-28"), worked("2023-03-01"), took(CIT, "2021-05-01")],
            {
                "2022-02-28": (CURRENT, "2024-05-01"),
                "2023-03-01": (IN_GRACE, "2023-03-01"),
                "2023-03-02": (OVERDUE, "2023-03-01"),
            },
            id="back-a-day-later",
        ),
        pytest.param(
            {"break_months": 0},
            [worked("2020-01-01", "2022-02-28"), worked("2029-03-01"), took(CIT, "2028-05-01")],
            {"2029-03-01": (CURRENT, "2031-05-01")},
            id="no-break-asked",
        ),
        pytest.param(
            {},
            [worked("2020-01-01", "2022-02-28"), worked("2023-03-01"), took(CIT, "2022-02-28")],
            {"2023-03-01": (IN_GRACE, "2023-03-01")},
            id="earned-on-the-last-day",
        ),
        pytest.param(
            {},
            [worked("2020-01-01", "2022-02-28"), worked("2023-03-01"), took(CIT, "2022-03-01")],
            {"2023-03-01": (CURRENT, "2025-03-01")},
            id="earned-after-the-last-day",
        ),
        pytest.param(
            {},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                took(REFRESHER, "2023-04-01"),
                took(CIT, "2023-05-01"),
            ],
            {"2023-04-30": (OVERDUE, "2023-03-01"), "2023-05-01": (CURRENT, "2026-05-01")},
            id="entry-is-wiped-too",
        ),
        pytest.param(
            {},
            [
                worked("2020-01-01", "2021-01-31", "recruit"),
                worked("2021-02-01", "2022-02-28"),
                worked("2022-12-01", "2022-12-31", "civilian"),
                worked("2023-12-31"),
                took(CIT, "2021-05-01"),
            ],
            {"2023-12-31": (CURRENT, "2024-05-01")},
            id="any-category-joins-the-service",
        ),
        pytest.param(
            {},
            [
                worked("2020-01-01", "2020-06-30"),
                worked("2022-01-01", "2022-06-30"),
                worked("2024-01-01"),
                took(CIT, "2021-05-01"),
                took(REFRESHER, "2022-05-01"),
                took(CIT, "2023-05-01"),
            ],
            {
                "2022-01-01": (CURRENT, "2024-05-01"),
                "2022-06-30": (CURRENT, "2025-05-01"),
                "2024-01-01": (CURRENT, "2026-05-01"),
            },
            id="two-breaks",
        ),
        pytest.param(
            {"hours": 8},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(REFRESHER, "2022-02-01"),
                took(REFRESHER, "2022-03-01"),
                took(REFRESHER, "2023-03-02"),
            ],
            {"2023-03-01": (IN_GRACE, "2023-03-01"), "2023-03-02": (CURRENT, "2026-03-02")},
            id="hours-are-wiped-too",
        ),
        pytest.param(
            {"early": Early.KEEP_ANCHOR, "keep_anchor_days": 3000},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                took(CIT, "2023-04-01"),
            ],
            {"2023-04-01": (CURRENT, "2026-04-01")},
            id="an-anchor-is-wiped-too",
        ),
        pytest.param(
            {},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                took(CIT, "2022-04-01"),
                extended("2026-12-31", "2022-05-01"),
            ],
            {"2023-03-01": (CURRENT, "2026-12-31")},
            id="extended-during-the-break",
        ),
        pytest.param(
            {},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                extended("2026-12-31", "2021-06-01"),
            ],
            {"2022-02-28": (CURRENT, "2026-12-31"), "2023-03-01": (IN_GRACE, "2023-03-01")},
            id="an-extension-of-what-was-wiped",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                away("2022-02-01", "2023-03-31"),
            ],
            {"2022-01-31": (CURRENT, "2024-05-01"), "2023-04-01": (IN_GRACE, "2023-05-31")},
            id="current-when-the-leave-began-that-outlasts-it",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60, "months": 6},
            [
                worked("2020-01-01", "2022-02-28"),
                worked("2023-03-01"),
                took(CIT, "2021-05-01"),
                away("2022-02-01", "2023-03-31"),
            ],
            {"2022-01-31": (OVERDUE, "2021-11-01"), "2023-04-01": (OVERDUE, "2023-03-01")},
            id="overdue-when-the-leave-began-that-outlasts-it",
        ),
    ],
)
def test_a_break(rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(t36(**{"break_months": 12} | rules), member(*facts), days)


def test_a_break_wipes_the_ever_credited_too() -> None:
    facts = member(worked("2020-01-01", "2022-02-28"), worked("2023-03-01"), took(CIT, "2021-05-01", key=1))

    assert [(p.start_on, p.state, p.basis, p.has_credit) for p in timeline([edition(break_months=12)], facts)] == [
        (d("2020-01-01"), IN_GRACE, None, False),
        (d("2020-01-02"), OVERDUE, None, False),
        (d("2021-05-01"), CURRENT, 1, True),
        (d("2023-03-01"), IN_GRACE, None, False),
        (d("2023-03-02"), OVERDUE, None, False),
    ]


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


@pytest.mark.parametrize(
    ("population", "facts", "days"),
    [
        pytest.param(
            {"designations": frozenset({"cit"})},
            [holds("2024-02-01", "2024-02-20")],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-20": True, "2024-02-21": False},
            id="holds-it",
        ),
        pytest.param(
            {"designations": frozenset({"cit"})}, [holds("2024-02-01", code="fto")], {"2024-02-01": False}, id="another"
        ),
        pytest.param(
            {"designations": frozenset({"cit", "fto"})},
            [holds("2024-02-01", "2024-02-20"), holds("2024-02-21", "2024-02-25", "fto"), holds("2024-02-27")],
            {"2024-02-20": True, "2024-02-21": True, "2024-02-26": False, "2024-02-27": True},
            id="one-of-them",
        ),
        pytest.param(
            {"designations": frozenset({"cit"}), "voluntary_only": True},
            [holds("2024-02-01"), holds("2024-03-01", is_voluntary=True)],
            {"2024-02-29": False, "2024-03-01": True},
            id="a-voluntary-one",
        ),
        pytest.param({"voluntary_only": True}, [], {"2024-02-01": True}, id="voluntary-without-a-list-asks-nothing"),
        pytest.param(
            {"designations": frozenset()}, [holds("2024-02-01")], {"2024-02-01": False}, id="no-designation-matches"
        ),
        pytest.param(
            {"designations": frozenset({"cit"}), "functions": frozenset({"patrol"})},
            [holds("2024-02-01"), posted("2024-02-01", "2024-02-20"), worked("2024-02-10")],
            {"2024-02-09": False, "2024-02-10": True, "2024-02-20": True, "2024-02-21": False},
            id="and-the-rest",
        ),
    ],
)
def test_who_must_by_designation(population: dict[str, Any], facts: list[Any], days: dict[str, bool]) -> None:
    rules = edition(population=Population(**population))

    assert {day: period_on(rules, member(*facts), day) is not None for day in days} == days


def test_a_new_designation_in_its_stead_keeps_the_membership() -> None:
    facts = member(holds("2024-02-01", "2024-02-20"), holds("2024-02-21", "2024-03-31", "fto"), holds("2024-04-02"))
    designated = edition(population=Population(designations=frozenset({"cit", "fto"})), entry_grace_days=30)

    check(designated, facts, {"2024-02-21": (IN_GRACE, "2024-03-02"), "2024-04-02": (IN_GRACE, "2024-05-02")})


@pytest.mark.parametrize(
    ("population", "facts", "acting", "days"),
    [
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", "2024-02-20", rank=2)],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-20": True, "2024-02-21": False},
            id="while-it-lasts",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=2)],
            [posted("2024-02-01", "2024-02-20", rank=3)],
            {"2024-01-31": True, "2024-02-01": False, "2024-02-20": False, "2024-02-21": True},
            id="instead-of-the-home-rank",
        ),
        pytest.param(
            {"acting_counts": False},
            [posted("2024-01-01", rank=2)],
            [posted("2024-02-01", rank=3)],
            {"2024-02-01": True},
            id="not-counted",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=2)],
            [posted("2024-02-01", rank=None)],
            {"2024-02-01": True},
            id="without-a-rank",
        ),
        pytest.param({}, [], [posted("2024-02-01", rank=2)], {"2024-02-01": False}, id="a-home-is-still-needed"),
        pytest.param(
            {"ranks": None, "units": frozenset({1})},
            [posted("2024-01-01", unit=1)],
            [posted("2024-02-01", unit=2, rank=9)],
            {"2024-02-01": True},
            id="ranks-not-asked",
        ),
        pytest.param(
            {"units": frozenset({1})},
            [posted("2024-01-01", unit=1, rank=1)],
            [posted("2024-02-01", unit=2, rank=2)],
            {"2024-01-31": False, "2024-02-01": True},
            id="the-unit-is-that-of-the-home",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", "2024-03-31", rank=2), posted("2024-02-10", "2024-02-20", rank=3)],
            {"2024-02-09": True, "2024-02-10": False, "2024-02-20": False, "2024-02-21": True, "2024-04-01": False},
            id="the-latest-to-begin",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", "2024-02-20", rank=3), posted("2024-02-10", "2024-03-31", rank=2)],
            {"2024-02-09": False, "2024-02-10": True, "2024-03-31": True, "2024-04-01": False},
            id="the-latest-to-begin-lasts-longer",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", "2024-02-20", rank=2), posted("2024-02-01", "2024-02-10", rank=3)],
            {"2024-02-01": False, "2024-02-10": False, "2024-02-11": True, "2024-02-21": False},
            id="begun-on-one-day-the-highest-rank",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [
                posted("2024-02-01", rank=2),
                posted("2024-02-05", "2024-02-20", rank=3),
                posted("2024-02-06", "2024-02-10", rank=2),
                posted("2024-02-07", "2024-02-08", rank=3),
            ],
            {
                "2024-02-05": False,
                "2024-02-06": True,
                "2024-02-08": False,
                "2024-02-09": True,
                "2024-02-11": False,
                "2024-02-21": True,
            },
            id="one-within-another",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", "2024-02-10", unit=1, rank=1), posted("2024-02-11", unit=2, rank=1)],
            [posted("2024-02-05", "2024-02-20", rank=2)],
            {"2024-02-04": False, "2024-02-05": True, "2024-02-10": True, "2024-02-11": True, "2024-02-21": False},
            id="across-two-homes",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", rank=2), posted("2024-03-01", rank=2)],
            {"2024-01-31": False, "9999-12-31": True},
            id="two-open-ones",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", rank=2), posted("2024-03-01", rank=None)],
            {"2024-02-29": True, "2024-03-01": True},
            id="a-later-one-without-a-rank",
        ),
        pytest.param(
            {},
            [posted("2024-01-01", rank=1)],
            [posted("2024-02-01", "2024-02-01", rank=2)],
            {"2024-01-31": False, "2024-02-01": True, "2024-02-02": False},
            id="of-one-day",
        ),
    ],
)
def test_an_acting_rank(
    population: dict[str, Any], facts: list[Any], acting: list[Assignment], days: dict[str, bool]
) -> None:
    asked: dict[str, Any] = {"ranks": frozenset({2}), "acting_counts": True} | population
    rules = edition(population=Population(**asked))

    assert {day: period_on(rules, member(*facts, acting=acting), day) is not None for day in days} == days


def test_the_place_shown_is_the_home_one() -> None:
    rules = edition(population=Population(ranks=frozenset({2}), acting_counts=True))
    facts = member(posted("2024-01-01", unit=1, rank=1), acting=[posted("2024-02-01", "2024-02-20", unit=5, rank=2)])

    period = period_on(rules, facts, "2024-02-01")

    assert period is not None
    assert (period.unit, period.shift, period.rank) == (1, 1, 1)


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


def test_a_secondary_unit_is_not_the_home() -> None:  # example 8: secondary assignments are not among the facts
    facts = member(posted("2024-01-01", unit=1), took(CIT, "2024-01-01"))

    assert [(p.unit, p.state) for p in timeline([edition(population=PATROL)], facts)] == [(1, CURRENT)]


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
            {
                "2026-04-30": (EXCUSED, ""),
                "2026-05-01": (OVERDUE, "2026-04-30"),
                "2026-05-30": (OVERDUE, "2026-04-30"),
            },
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
                "2026-03-31": (CURRENT, "2026-04-20"),
                "2026-04-01": (EXCUSED, ""),
                "2026-04-30": (EXCUSED, ""),
                "2026-05-01": (OVERDUE, "2026-04-20"),
            },
            id="leave-a-day-too-short-excuses-and-gives-no-days-back",
        ),
        pytest.param(
            {"leave_min_days": 30},
            [took(CIT, "2023-04-20"), away("2026-04-01", "2026-04-30"), away("2026-05-03", "2026-05-03")],
            {"2026-05-03": (EXCUSED, ""), "2026-05-04": (IN_GRACE, "2026-06-30")},
            id="a-leave-too-short-leaves-earlier-days-back",
        ),
        pytest.param(
            {"leave_min_days": 31},
            [took(CIT, "2023-04-20"), away("2026-04-01")],
            {"2026-04-01": (EXCUSED, "")},
            id="open-leave-whatever-the-length-asked",
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


# Section 6: waivers


def test_a_waiver_excuses_and_moves_no_date() -> None:
    facts = member(took(CIT, "2023-06-30"), waived("2026-06-01", "2026-07-31"))

    assert [(p.start_on, p.end_on, p.state, p.due_on, p.reason) for p in timeline([t36()], facts)][-3:] == [
        (d("2023-06-30"), d("2026-05-31"), CURRENT, d("2026-06-30"), Reason.CREDIT),
        (d("2026-06-01"), d("2026-07-31"), EXCUSED, None, Reason.ON_WAIVER),
        (d("2026-08-01"), None, OVERDUE, d("2026-06-30"), Reason.CREDIT_RAN_OUT),
    ]


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            t36(requirement=7),
            [waived("2024-05-01", "2024-05-31", requirement=8)],
            {"2024-05-01": (OVERDUE, "2020-01-01")},
            id="of-another-requirement",
        ),
        pytest.param(
            t36(requirement=7),
            [waived("2024-05-01", "2024-05-01", requirement=7)],
            {"2024-04-30": (OVERDUE, "2020-01-01"), "2024-05-01": (EXCUSED, ""), "2024-05-02": (OVERDUE, "2020-01-01")},
            id="of-one-day",
        ),
        pytest.param(
            t36(),
            [
                waived("2024-05-01", "2024-06-30"),
                waived("2024-05-10", "2024-05-20"),
                waived("2024-07-01", "2024-07-31"),
            ],
            {"2024-05-21": (EXCUSED, ""), "2024-07-31": (EXCUSED, ""), "2024-08-01": (OVERDUE, "2020-01-01")},
            id="overlapping-and-touching",
        ),
        pytest.param(
            exclude(),
            [took(CIT, "2023-03-31"), waived("2026-03-01", "2026-04-15"), away("2026-04-01", "2026-04-30")],
            {"2026-04-30": (EXCUSED, ""), "2026-05-01": (OVERDUE, "2026-03-31")},
            id="overdue-under-a-waiver-when-leave-begins",
        ),
        pytest.param(
            exclude(),
            [took(CIT, "2023-04-01"), waived("2026-03-01", "2026-05-15"), away("2026-04-01", "2026-04-30")],
            {"2026-05-15": (EXCUSED, ""), "2026-05-16": (IN_GRACE, "2026-06-30")},
            id="back-from-leave-under-a-waiver",
        ),
    ],
)
def test_a_waiver(rules: Edition, facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(rules, member(*facts), days)


def test_a_waiver_is_named_before_leave() -> None:
    facts = member(waived("2024-05-10", "2024-05-20"), away("2024-05-01", "2024-05-31"))

    periods = timeline([exclude()], facts)

    assert [(p.start_on, p.reason) for p in periods if p.state is EXCUSED] == [
        (d("2024-05-01"), Reason.ON_LEAVE),
        (d("2024-05-10"), Reason.ON_WAIVER),
        (d("2024-05-21"), Reason.ON_LEAVE),
    ]


# Section 6: the cycle


@pytest.mark.parametrize(
    ("rules", "taken", "days"),
    [
        pytest.param({}, "2021-08-31", {"2025-09-01": (OVERDUE, "2025-08-31")}, id="day-before-the-first-window"),
        pytest.param(
            {},
            "2021-09-01",
            {"2029-08-31": (CURRENT, "2029-08-31"), "2029-09-01": (OVERDUE, "2029-08-31")},
            id="first-day-of-a-window",
        ),
        pytest.param({}, "2025-08-31", {"2025-08-31": (CURRENT, "2029-08-31")}, id="last-day-of-a-window"),
        pytest.param({}, "2025-09-01", {"2025-09-01": (CURRENT, "2033-08-31")}, id="first-day-of-the-next"),
        pytest.param(
            {"cycle_start": d("2024-01-31"), "months": 1},
            "2024-02-28",
            {"2024-02-28": (CURRENT, "2024-03-30")},
            id="clamped-last-day-of-the-first",
        ),
        pytest.param(
            {"cycle_start": d("2024-01-31"), "months": 1},
            "2024-02-29",
            {"2024-02-29": (CURRENT, "2024-04-29")},
            id="clamped-first-day-of-the-second",
        ),
        pytest.param(
            {"cycle_start": d("2024-01-31"), "months": 1},
            "2024-03-30",
            {"2024-03-30": (CURRENT, "2024-04-29")},
            id="from-the-original-day-last",
        ),
        pytest.param(
            {"cycle_start": d("2024-01-31"), "months": 1},
            "2024-03-31",
            {"2024-03-31": (CURRENT, "2024-05-30")},
            id="from-the-original-day-first",
        ),
        pytest.param(
            {"cycle_start": d("9980-01-01"), "months": 120},
            "9991-01-01",
            {"9999-12-31": (CURRENT, "")},
            id="past-the-calendar",
        ),
    ],
)
def test_a_credit_lasts_through_the_next_window(
    rules: dict[str, Any], taken: str, days: dict[str, tuple[State, str] | None]
) -> None:
    check(cycle(**rules), member(took(CIT, taken)), days)


def test_entry_before_the_cycle_opens_refreshers() -> None:
    facts = member(took(CIT, "2020-05-01", key=1), took(REFRESHER, "2022-05-01", key=2))

    assert [(p.start_on, p.state, p.due_on, p.basis, p.has_credit) for p in timeline([cycle()], facts)] == [
        (d("2020-01-01"), IN_GRACE, d("2025-08-31"), None, False),
        (d("2020-05-01"), IN_GRACE, d("2025-08-31"), None, True),
        (d("2022-05-01"), CURRENT, d("2029-08-31"), 2, True),
        (d("2029-09-01"), OVERDUE, d("2029-08-31"), 2, True),
    ]


def test_a_credit_that_gives_no_limit_is_not_what_an_answer_rests_on() -> None:
    period = period_on(cycle(), member(took(CIT, "2020-05-01")), "2025-09-01")

    assert period is not None
    assert (period.state, period.basis, period.has_credit) == (OVERDUE, None, True)


def test_a_cycle_needs_its_first_day() -> None:
    with pytest.raises(ValueError, match="first window"):
        timeline([cycle(cycle_start=None)], member())


@pytest.mark.parametrize(
    ("rules", "joined", "expected"),
    [
        pytest.param({}, "2021-08-31", "2025-08-31", id="before-the-first-window"),
        pytest.param({}, "2021-09-01", "2025-08-31", id="first-day-of-a-window"),
        pytest.param({}, "2025-08-31", "2025-08-31", id="last-day-of-a-window"),
        pytest.param({}, "2025-09-01", "2029-08-31", id="first-day-of-the-next"),
        pytest.param({"first_due": FirstDue.GRACE}, "2025-09-01", "2029-08-31", id="the-default"),
        pytest.param({"first_due": FirstDue.NEXT_WINDOW_END}, "2025-08-31", "2029-08-31", id="next-window"),
        pytest.param({"first_due": FirstDue.NEXT_WINDOW_END}, "2021-08-31", "2029-08-31", id="next-to-the-first"),
        pytest.param({"entry_due_on": d("2025-08-30")}, "2025-08-31", "2025-08-31", id="due-on-earlier"),
        pytest.param({"entry_due_on": d("2025-09-01")}, "2025-08-31", "2025-09-01", id="due-on-later"),
    ],
)
def test_the_first_deadline_under_a_cycle(rules: dict[str, Any], joined: str, expected: str) -> None:
    facts = member(worked(joined))

    check(cycle(**{"first_due": FirstDue.WINDOW_END} | rules), facts, {joined: (IN_GRACE, expected)})


# Section 6: certificates


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [took(CIT, "2023-03-17")],
            {"2026-03-17": (CURRENT, "2026-03-17"), "2026-03-18": (OVERDUE, "2026-03-17")},
            id="nothing-printed",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17", certificate_expires_on=d("2025-12-31"))],
            {"2025-12-31": (CURRENT, "2025-12-31"), "2026-01-01": (OVERDUE, "2025-12-31")},
            id="printed",
        ),
        pytest.param(
            {"clock": Clock.ROLLING},
            [took(CIT, "2023-03-17", certificate_expires_on=d("2025-12-31"))],
            {"2026-03-17": (CURRENT, "2026-03-17")},
            id="printed-under-another-clock",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(REFRESHER, "2024-03-17", certificate_expires_on=d("2024-12-31"))],
            {"2024-03-17": (CURRENT, "2026-03-17")},
            id="printed-earlier-shortens-nothing",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17", certificate_expires_on=d("2023-03-10"))],
            {"2023-03-17": (OVERDUE, "2023-03-10")},
            id="printed-before-the-course",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-01-15")],
            {"2026-03-17": (CURRENT, "2026-03-17"), "2026-03-18": (OVERDUE, "2026-03-17")},
            id="recertified-a-day-too-early",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-01-16")],
            {"2026-01-15": (CURRENT, "2026-03-17"), "2026-01-16": (CURRENT, "2029-01-16")},
            id="recertified-on-the-first-day",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-06-15")],
            {"2026-06-14": (OVERDUE, "2026-03-17"), "2026-06-15": (CURRENT, "2029-06-15")},
            id="recertified-on-the-last-day",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-06-16")],
            {"2026-06-16": (OVERDUE, "2026-03-17")},
            id="recertified-a-day-too-late",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(REFRESHER, "2026-06-16")],
            {"2026-06-16": (CURRENT, "2029-06-16")},
            id="a-full-course-at-any-time",
        ),
        pytest.param(
            {"recert_before_days": 0, "recert_after_days": 0},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-17")],
            {"2026-03-17": (CURRENT, "2029-03-17")},
            id="recertified-on-the-only-day",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01", certificate_expires_on=d("2027-01-31"))],
            {"2026-03-01": (CURRENT, "2027-01-31")},
            id="printed-on-a-recertification",
        ),
        pytest.param(
            {}, [took(RECERT, "2026-03-01")], {"2026-03-01": (OVERDUE, "2020-01-01")}, id="recertified-without-a-limit"
        ),
        pytest.param(
            {},
            [took(RECERT, "2026-03-01", key=1), took(CIT, "2026-03-01", key=2, certificate_expires_on=d("2026-03-31"))],
            {"2026-04-01": (OVERDUE, "2026-03-31")},
            id="recertified-on-the-day-of-the-first-limit",
        ),
        pytest.param(
            {},
            [
                took(CIT, "2023-03-17"),
                took(REFRESHER, "2026-03-01", key=1, certificate_expires_on=d("2027-12-31")),
                took(RECERT, "2026-03-01", key=2),
            ],
            {"2026-03-01": (CURRENT, "2029-03-01")},
            id="by-the-limit-of-that-morning",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01"), took(RECERT, "2026-03-02")],
            {"2026-03-02": (CURRENT, "2029-03-01")},
            id="the-days-move-with-the-limit",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17", certificate_expires_on=date.max), took(RECERT, "9999-12-30")],
            {"9999-12-30": (CURRENT, "")},
            id="for-ever-opens-no-days",
        ),
        pytest.param(
            {"min_block_hours": 3},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01")],
            {"2026-03-18": (OVERDUE, "2026-03-17")},
            id="recertification-block-too-short",
        ),
        pytest.param(
            {"min_hours": 40, "refresher_min_hours": 40},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01")],
            {"2026-03-18": (CURRENT, "2029-03-01")},
            id="no-minimum-hours-of-its-own",
        ),
        pytest.param(
            {"clock": Clock.ROLLING},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01")],
            {"2026-03-18": (OVERDUE, "2026-03-17")},
            id="recertified-under-another-clock",
        ),
        pytest.param(
            {"recert_courses": frozenset({CPR.key})},
            [took(CIT, "2023-03-17"), took(same(RECERT, CPR), "2026-03-01")],
            {"2026-03-18": (CURRENT, "2029-03-01")},
            id="counts-as-a-recertification",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [took(CIT, "2023-03-17"), away("2024-01-01", "2024-01-10"), took(RECERT, "2026-06-25")],
            {"2026-03-27": (CURRENT, "2026-03-27"), "2026-06-25": (CURRENT, "2029-06-25")},
            id="the-limit-in-force-is-tolled",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), extended("2026-03-27", "2026-03-01"), took(RECERT, "2026-06-25")],
            {"2026-06-25": (CURRENT, "2029-06-25")},
            id="the-limit-in-force-is-extended",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-03-17"), took(RECERT, "2026-03-01"), took(REFRESHER, "2029-02-01")],
            {"2029-02-01": (CURRENT, "2032-02-01")},
            id="a-refresher-after-a-recertification",
        ),
    ],
)
def test_a_certificate(rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(certificate(**rules), member(*facts), days)


def test_a_sum_and_a_recertification_of_one_day() -> None:
    facts = member(took(CIT, "2023-03-17", key=1), took(CIT, "2026-03-01", key=3), took(RECERT, "2026-03-01", key=2))

    period = period_on(certificate(hours=8), facts, "2026-03-01")

    assert period is not None
    assert (period.basis, period.due_on) == (2, d("2029-03-01"))


def test_a_limit_for_ever_is_not_recertified() -> None:
    facts = member(took(CIT, "2023-03-17", key=1, certificate_expires_on=date.max), took(RECERT, "9999-12-31", key=2))

    period = period_on(certificate(), facts, "9999-12-31")

    assert period is not None
    assert period.basis == 1


@pytest.mark.parametrize(
    ("printed", "basis", "due"),
    [
        pytest.param({8: "2027-01-01", 7: "2026-01-01"}, 8, "2027-01-01", id="latest-of-the-day"),
        pytest.param({8: "2027-01-01", 7: "2027-01-01"}, 7, "2027-01-01", id="of-equal-ones-the-lowest-key"),
    ],
)
def test_certificates_of_one_day(printed: dict[int, str], basis: int, due: str) -> None:
    facts = member(*[took(CIT, "2024-05-01", key=key, certificate_expires_on=d(day)) for key, day in printed.items()])

    period = period_on(certificate(), facts, "2024-05-01")

    assert period is not None
    assert (period.basis, period.due_on) == (basis, d(due))


def test_a_recertification_that_does_not_count_is_no_credit() -> None:
    ever_after = certificate(recert_after_days=10**7)

    period = period_on(ever_after, member(took(RECERT, "2024-05-01")), "2024-05-01")

    assert period is not None
    assert period.has_credit is False


# Section 6: early renewal


def test_an_early_renewal() -> None:  # example 12
    early, late = [took(CIT, "2023-09-30"), took(CIT, "2026-03-12")], [took(CIT, "2023-09-30"), took(CIT, "2026-08-01")]

    assert standing(t36(), member(*early), "2026-03-12") == (CURRENT, "2029-03-12")
    assert standing(keep(), member(*early), "2026-03-12") == (CURRENT, "2029-03-12")
    assert standing(keep(), member(*late), "2026-08-01") == (CURRENT, "2029-09-30")


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param({}, [took(CIT, "2026-07-01")], {"2026-07-01": (CURRENT, "2029-07-01")}, id="a-day-too-early"),
        pytest.param(
            {"early": Early.RESTART}, [took(CIT, "2026-08-01")], {"2026-08-01": (CURRENT, "2029-08-01")}, id="restart"
        ),
        pytest.param({}, [took(CIT, "2026-07-02")], {"2026-07-02": (CURRENT, "2029-09-30")}, id="first-day-that-keeps"),
        pytest.param({}, [took(CIT, "2026-09-30")], {"2026-09-30": (CURRENT, "2029-09-30")}, id="on-the-limit"),
        pytest.param({}, [took(CIT, "2026-10-01")], {"2026-10-01": (CURRENT, "2029-10-01")}, id="day-after-the-limit"),
        pytest.param(
            {},
            [took(CIT, "2026-08-01", key=1), took(CIT, "2026-08-01", key=2)],
            {"2026-08-01": (CURRENT, "2029-09-30")},
            id="twice-on-one-day",
        ),
        pytest.param(
            {"keep_anchor_days": 1200},
            [took(CIT, "2026-08-01"), took(CIT, "2026-08-02")],
            {"2026-08-02": (CURRENT, "2032-09-30")},
            id="on-two-days",
        ),
        pytest.param(
            {"clock": Clock.CALENDAR, "years": 3, "keep_anchor_days": 400},
            [took(CIT, "2026-08-01")],
            {"2026-08-01": (CURRENT, "2029-12-31")},
            id="calendar-keeps-nothing",
        ),
        pytest.param(
            {"clock": Clock.CERTIFICATE},
            [took(CIT, "2026-08-01")],
            {"2026-08-01": (CURRENT, "2029-08-01")},
            id="certificate-keeps-nothing",
        ),
        pytest.param(
            {},
            [extended("2026-10-31", "2026-09-30"), took(CIT, "2026-10-15")],
            {"2026-10-15": (CURRENT, "2029-10-31")},
            id="an-extended-limit-is-the-anchor",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [took(CIT, "2026-08-01"), away("2026-08-15", "2026-08-24")],
            {"2026-07-31": (CURRENT, "2026-10-10"), "2026-08-01": (CURRENT, "2029-10-10")},
            id="a-tolled-limit-is-the-anchor-and-its-leave-is-spent",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [took(CIT, "2026-08-01"), away("2026-09-30", "2026-10-09"), away("2027-01-01", "2027-01-10")],
            {"2026-08-01": (CURRENT, "2029-10-20")},
            id="leave-after-the-anchor",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [took(CIT, "2026-08-01"), away("2029-10-01")],
            {"2026-08-01": (CURRENT, "2029-09-30")},
            id="leave-after-the-next-limit",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [took(CIT, "2026-08-01"), away("2026-09-01")],
            {"2026-08-01": (CURRENT, "")},
            id="for-ever-keeps-no-anchor",
        ),
    ],
)
def test_keeping_the_anchor(rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]) -> None:
    check(keep(**rules), member(took(CIT, "2023-09-30"), *facts), days)


def test_a_clamped_limit_is_the_anchor() -> None:
    facts = member(took(CIT, "2024-02-29"), took(CIT, "2027-02-01"))

    check(keep(), facts, {"2027-01-31": (CURRENT, "2027-02-28"), "2027-02-01": (CURRENT, "2030-02-28")})


# Section 6: leave under `toll`


def test_leave_moves_the_limit() -> None:  # example 5
    facts = member(took(CIT, "2023-06-30"), away("2026-04-01", "2027-01-31"))

    check(
        toll(return_grace_days=60),
        facts,
        {
            "2023-06-30": (CURRENT, "2027-05-02"),
            "2026-07-15": (CURRENT, "2027-05-02"),
            "2027-05-02": (CURRENT, "2027-05-02"),
            "2027-05-03": (OVERDUE, "2027-05-02"),
        },
    )


@pytest.mark.parametrize(
    ("rules", "facts", "expected"),
    [
        pytest.param({}, [away("2026-06-30", "2026-07-09")], "2026-07-10", id="begun-on-the-limit"),
        pytest.param({}, [away("2026-07-01", "2026-07-10")], "2026-06-30", id="begun-the-day-after-the-limit"),
        pytest.param({}, [away("2023-06-01", "2023-06-30")], "2026-06-30", id="ended-on-the-day-of-credit"),
        pytest.param({}, [away("2023-06-01", "2023-07-01")], "2026-07-01", id="ended-the-day-after-credit"),
        pytest.param({}, [away("2023-06-30", "2023-07-09")], "2026-07-09", id="begun-on-the-day-of-credit"),
        pytest.param({}, [away("2023-07-01", "2023-07-10")], "2026-07-10", id="begun-the-day-after-credit"),
        pytest.param({}, [away("2022-01-01", "2022-12-31")], "2026-06-30", id="before-credit"),
        pytest.param(
            {},
            [away("2026-06-01", "2026-06-10"), away("2026-07-10", "2026-07-11")],
            "2026-07-12",
            id="onto-the-next-leave",
        ),
        pytest.param(
            {},
            [away("2026-06-01", "2026-06-10"), away("2026-07-11", "2026-07-12")],
            "2026-07-10",
            id="short-of-the-next-leave",
        ),
        pytest.param(
            {},
            [away("2024-06-01", "2024-06-10"), away("2024-06-05", "2024-06-20")],
            "2026-07-20",
            id="overlapping-rows",
        ),
        pytest.param({"leave_min_days": 10}, [away("2024-06-01", "2024-06-10")], "2026-07-10", id="long-enough"),
        pytest.param({"leave_min_days": 11}, [away("2024-06-01", "2024-06-10")], "2026-06-30", id="a-day-too-short"),
        pytest.param(
            {"leave_min_days": 40},
            [away("2023-06-01", "2023-07-10")],
            "2026-07-10",
            id="long-enough-with-days-before-credit",
        ),
        pytest.param(
            {"leave_kinds": frozenset({"military"})},
            [away("2024-06-01", "2024-06-10")],
            "2026-06-30",
            id="kind-not-listed",
        ),
        pytest.param({}, [away("2026-06-30")], "", id="open-leave"),
        pytest.param({}, [away("2026-07-01")], "2026-06-30", id="open-leave-after-the-limit"),
        pytest.param({}, [away("2022-07-01")], "", id="open-leave-from-before-credit"),
        pytest.param(
            {"months": 0}, [away("2022-07-01")], "2023-06-30", id="open-leave-and-a-limit-on-the-day-of-credit"
        ),
        pytest.param({"leave_min_days": 10**7}, [away("2026-06-30")], "", id="open-leave-is-long-enough"),
        pytest.param({}, [away("2024-01-01", "9990-01-01")], "9992-07-01", id="leave-of-ages"),
        pytest.param({}, [away("2024-01-01", "9999-01-01")], "", id="past-the-calendar"),
        pytest.param({"clock": Clock.ONCE}, [away("2024-01-01", "2024-01-10")], "", id="once"),
        pytest.param(
            {"clock": Clock.CALENDAR, "years": 3}, [away("2026-12-31", "2027-01-09")], "2027-01-10", id="calendar"
        ),
        pytest.param(
            {"clock": Clock.CYCLE, "months": 12, "cycle_start": d("2023-01-01")},
            [away("2024-01-01", "2024-01-10")],
            "2024-12-31",
            id="not-under-a-cycle",
        ),
        pytest.param({"clock": Clock.CERTIFICATE}, [away("2024-01-01", "2024-01-10")], "2026-07-10", id="certificate"),
    ],
)
def test_toll(rules: dict[str, Any], facts: list[Any], expected: str) -> None:
    check(toll(**rules), member(took(CIT, "2023-06-30"), *facts), {"2023-06-30": (CURRENT, expected)})


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        pytest.param("2024-05-31", (CURRENT, "2024-05-31"), id="before-the-leave"),
        pytest.param("2024-06-01", (CURRENT, "2024-06-11"), id="on-its-first-day"),
        pytest.param("2023-06-30", (CURRENT, "2023-06-30"), id="on-the-day-of-credit"),
        pytest.param("2023-06-29", (OVERDUE, "2023-06-29"), id="before-the-day-of-credit"),
    ],
)
def test_a_printed_expiry_is_moved(printed: str, expected: tuple[State, str]) -> None:
    facts = member(took(CIT, "2023-06-30", certificate_expires_on=d(printed)), away("2024-06-01", "2024-06-10"))

    assert standing(certificate(leave=LeaveRule.TOLL), facts, "2023-06-30") == expected


@pytest.mark.parametrize(
    ("rules", "facts", "expected"),
    [
        pytest.param({}, [away("2026-05-10", "2026-05-19")], "2026-11-16", id="from-the-day-of-joining"),
        pytest.param({}, [away("2026-05-01", "2026-05-10")], "2026-11-07", id="through-the-day-of-joining"),
        pytest.param({}, [away("2026-05-01", "2026-05-09")], "2026-11-06", id="through-the-day-before"),
        pytest.param({}, [away("2026-11-06", "2026-11-15")], "2026-11-16", id="begun-on-the-deadline"),
        pytest.param({}, [away("2026-11-07", "2026-11-16")], "2026-11-06", id="begun-the-day-after"),
        pytest.param({}, [away("2026-11-01")], "", id="open-leave"),
        pytest.param({"entry_due_on": d("2027-01-31")}, [away("2026-12-01", "2026-12-10")], "2027-02-10", id="due-on"),
        pytest.param({"first_due": FirstDue.YEAR_END}, [away("2026-12-31", "2027-01-09")], "2027-01-10", id="year-end"),
        pytest.param({"entry_grace_days": 0}, [away("2026-05-10", "2026-05-19")], "2026-05-20", id="no-grace"),
        pytest.param(
            {"clock": Clock.CYCLE, "months": 12, "cycle_start": d("2026-01-01")},
            [away("2026-06-01", "2026-06-10")],
            "2026-12-31",
            id="not-under-a-cycle",
        ),
    ],
)
def test_toll_moves_the_first_deadline(rules: dict[str, Any], facts: list[Any], expected: str) -> None:
    joined = member(worked("2026-05-10"), *facts)

    check(toll(**{"entry_grace_days": 180} | rules), joined, {"2026-05-10": (IN_GRACE, expected)})


# Section 6: extensions


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [extended("2026-12-31", "2026-06-29")],
            {
                "2026-06-28": (CURRENT, "2026-06-30"),
                "2026-06-29": (CURRENT, "2026-12-31"),
                "2027-01-01": (OVERDUE, "2026-12-31"),
            },
            id="approved-before-the-limit",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-06-30")],
            {"2026-06-30": (CURRENT, "2026-12-31")},
            id="approved-on-the-limit",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-07-01")],
            {"2026-07-01": (OVERDUE, "2026-06-30")},
            id="approved-after-the-limit",
        ),
        pytest.param(
            {}, [extended("2026-06-01", "2026-05-01")], {"2026-06-30": (CURRENT, "2026-06-30")}, id="never-shortens"
        ),
        pytest.param(
            {"requirement": 7},
            [extended("2026-12-31", "2026-05-01", requirement=8)],
            {"2026-07-01": (OVERDUE, "2026-06-30")},
            id="of-another-requirement",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-05-01"), extended("2027-03-31", "2026-12-31")],
            {"2026-12-30": (CURRENT, "2026-12-31"), "2026-12-31": (CURRENT, "2027-03-31")},
            id="repeated-on-the-extended-limit",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-05-01"), extended("2027-03-31", "2027-01-01")],
            {"2027-01-01": (OVERDUE, "2026-12-31")},
            id="repeated-a-day-too-late",
        ),
        pytest.param(
            {},
            [extended("2027-03-31", "2026-05-01"), extended("2026-12-31", "2026-05-01")],
            {"2026-05-01": (CURRENT, "2027-03-31")},
            id="two-of-one-day",
        ),
        pytest.param(
            {},
            [extended("2030-12-31", "2026-05-01"), took(REFRESHER, "2026-06-01")],
            {"2026-06-01": (CURRENT, "2030-12-31"), "2031-01-01": (OVERDUE, "2030-12-31")},
            id="a-credit-shortens-no-extension",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-05-01"), took(REFRESHER, "2026-06-01")],
            {"2026-06-01": (CURRENT, "2029-06-01")},
            id="a-credit-past-the-extension",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-07-01"), took(REFRESHER, "2026-07-01")],
            {"2026-07-01": (CURRENT, "2029-07-01")},
            id="after-the-credit-of-its-day",
        ),
        pytest.param(
            {},
            [extended("2029-12-31", "2026-07-01"), took(REFRESHER, "2026-07-01")],
            {"2026-07-01": (CURRENT, "2029-12-31")},
            id="extends-the-credit-of-its-day",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [extended("2026-07-05", "2026-06-01"), away("2026-06-20", "2026-06-29")],
            {"2026-06-30": (CURRENT, "2026-07-10")},
            id="leave-moves-the-original-and-the-later-holds",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [extended("2026-07-15", "2026-06-01"), away("2026-06-20", "2026-06-29"), away("2026-07-12", "2026-07-14")],
            {"2026-06-30": (CURRENT, "2026-07-15"), "2026-07-16": (OVERDUE, "2026-07-15")},
            id="leave-does-not-move-the-extension",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60},
            [away("2026-06-15", "2026-07-10"), extended("2026-12-31", "2026-06-30")],
            {"2026-06-30": (EXCUSED, ""), "2026-07-11": (CURRENT, "2026-12-31")},
            id="approved-on-leave",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60},
            [away("2026-06-15", "2026-07-10"), extended("2026-12-31", "2026-07-10")],
            {"2026-07-11": (IN_GRACE, "2026-09-09"), "2026-09-10": (OVERDUE, "2026-09-09")},
            id="approved-on-leave-after-the-limit",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60},
            [away("2026-06-15", "2026-07-10"), extended("2026-12-31", "2026-07-11")],
            {"2026-07-11": (IN_GRACE, "2026-12-31"), "2027-01-01": (OVERDUE, "2026-12-31")},
            id="approved-on-the-day-back",
        ),
        pytest.param(
            {"leave": LeaveRule.EXCLUDE, "return_grace_days": 60},
            [away("2026-07-01", "2026-07-10"), extended("2026-07-15", "2026-06-30")],
            {"2026-07-11": (CURRENT, "2026-07-15"), "2026-07-16": (IN_GRACE, "2026-09-09")},
            id="keeps-a-leave-from-finding-the-member-overdue",
        ),
        pytest.param(
            {},
            [waived("2026-06-01", "2026-07-31"), extended("2026-12-31", "2026-06-30")],
            {"2026-08-01": (CURRENT, "2026-12-31")},
            id="approved-under-a-waiver",
        ),
        pytest.param(
            {},
            [waived("2026-06-01", "2026-07-31"), extended("2026-12-31", "2026-07-01")],
            {"2026-08-01": (OVERDUE, "2026-06-30")},
            id="approved-under-a-waiver-after-the-limit",
        ),
        pytest.param(
            {"clock": Clock.ONCE},
            [extended("2026-12-31", "2026-05-01")],
            {"2027-01-01": (CURRENT, "")},
            id="good-for-ever",
        ),
        pytest.param(
            {},
            [worked("2020-01-01", "2026-05-31"), worked("2026-06-10"), extended("2026-12-31", "2026-06-05")],
            {"2026-06-10": (CURRENT, "2026-12-31")},
            id="outside-membership-while-the-limit-runs",
        ),
        pytest.param(
            {},
            [worked("2020-01-01", "2026-05-31"), worked("2026-07-10"), extended("2026-12-31", "2026-07-01")],
            {"2026-07-10": (IN_GRACE, "2026-07-10"), "2026-07-11": (OVERDUE, "2026-07-10")},
            id="outside-membership-after-the-limit",
        ),
    ],
)
def test_an_extension_of_the_limit(
    rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]
) -> None:
    check(t36(**rules), member(took(CIT, "2023-06-30"), *facts), days)


@pytest.mark.parametrize(
    ("rules", "facts", "days"),
    [
        pytest.param(
            {},
            [extended("2026-12-31", "2026-06-08")],
            {
                "2026-06-07": (IN_GRACE, "2026-06-09"),
                "2026-06-08": (IN_GRACE, "2026-12-31"),
                "2027-01-01": (OVERDUE, "2026-12-31"),
            },
            id="approved-before-the-deadline",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-06-09")],
            {"2026-06-10": (IN_GRACE, "2026-12-31")},
            id="approved-on-the-deadline",
        ),
        pytest.param(
            {}, [extended("2026-12-31", "2026-06-10")], {"2026-06-10": (OVERDUE, "2026-06-09")}, id="approved-after-it"
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-05-10")],
            {"2026-05-10": (IN_GRACE, "2026-12-31")},
            id="approved-on-joining",
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-05-09")],
            {"2026-06-10": (OVERDUE, "2026-06-09")},
            id="approved-before-joining",
        ),
        pytest.param(
            {}, [extended("2026-05-31", "2026-05-10")], {"2026-06-09": (IN_GRACE, "2026-06-09")}, id="never-shortens"
        ),
        pytest.param(
            {},
            [extended("2026-12-31", "2026-06-01"), extended("2027-03-31", "2026-12-31")],
            {"2026-12-31": (IN_GRACE, "2027-03-31")},
            id="repeated-on-the-extended-deadline",
        ),
        pytest.param(
            {},
            [extended("2027-03-31", "2026-06-01"), extended("2026-12-31", "2026-06-02")],
            {"2027-03-31": (IN_GRACE, "2027-03-31")},
            id="the-later-holds",
        ),
        pytest.param(
            {"leave": LeaveRule.TOLL},
            [extended("2026-12-31", "2026-06-01"), away("2026-06-05", "2026-06-14"), away("2026-12-31", "2027-01-09")],
            {"2026-06-19": (IN_GRACE, "2026-12-31"), "2027-01-01": (OVERDUE, "2026-12-31")},
            id="leave-does-not-move-it",
        ),
        pytest.param(
            {},
            [worked("2026-05-10", "2026-07-31"), worked("2026-09-01"), extended("2026-12-31", "2026-06-01")],
            {
                "2026-07-31": (IN_GRACE, "2026-12-31"),
                "2026-09-01": (IN_GRACE, "2026-10-01"),
                "2026-10-02": (OVERDUE, "2026-10-01"),
            },
            id="ends-with-the-membership",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-06-05"), extended("2026-12-31", "2026-06-05")],
            {"2026-06-05": (CURRENT, "2026-12-31")},
            id="the-limit-comes-first",
        ),
        pytest.param(
            {},
            [took(CIT, "2023-06-05"), extended("2026-12-31", "2026-06-06")],
            {"2026-06-06": (IN_GRACE, "2026-12-31")},
            id="the-deadline-after-the-limit",
        ),
    ],
)
def test_an_extension_of_the_deadline(
    rules: dict[str, Any], facts: list[Any], days: dict[str, tuple[State, str] | None]
) -> None:
    joined = [] if any(isinstance(fact, Employment) for fact in facts) else [worked("2026-05-10")]

    check(t36(**{"entry_grace_days": 30} | rules), member(*joined, *facts), days)


def test_each_edition_evaluates_extensions_over_its_own_limits() -> None:
    rules = [
        t36(effective_to=d("2026-06-30")),
        edition(key=2, effective_from=d("2026-07-01"), clock=Clock.CALENDAR, years=3),
    ]
    facts = member(took(CIT, "2022-05-31"), extended("2026-09-30", "2025-06-01"), extended("2027-01-31", "2025-12-31"))

    check(rules, facts, {"2026-06-30": (OVERDUE, "2025-05-31"), "2026-07-01": (CURRENT, "2027-01-31")})


def test_reasons_of_extensions() -> None:
    rules = t36(entry_grace_days=30)
    facts = member(
        worked("2026-05-10"),
        extended("2026-07-31", "2026-06-01"),
        took(CIT, "2026-09-01", key=1),
        extended("2029-12-31", "2029-09-01"),
        took(REFRESHER, "2027-12-31", key=2),
    )

    assert [(p.start_on, p.state, p.due_on, p.basis, p.reason) for p in timeline([rules], facts)] == [
        (d("2026-05-10"), IN_GRACE, d("2026-06-09"), None, Reason.FIRST_DEADLINE),
        (d("2026-06-01"), IN_GRACE, d("2026-07-31"), None, Reason.GRACE_EXTENDED),
        (d("2026-08-01"), OVERDUE, d("2026-07-31"), None, Reason.GRACE_EXTENDED),
        (d("2026-09-01"), CURRENT, d("2029-09-01"), 1, Reason.CREDIT),
        (d("2027-12-31"), CURRENT, d("2030-12-31"), 2, Reason.CREDIT),
        (d("2031-01-01"), OVERDUE, d("2030-12-31"), 2, Reason.CREDIT_RAN_OUT),
    ]


@pytest.mark.parametrize(
    ("until_on", "reason"),
    [
        pytest.param("2026-06-30", Reason.CREDIT, id="extended-to-the-limit"),
        pytest.param("2026-07-01", Reason.CREDIT_EXTENDED, id="extended-by-a-day"),
    ],
)
def test_an_extension_is_named_when_it_stretches(until_on: str, reason: Reason) -> None:
    period = period_on(t36(), member(took(CIT, "2023-06-30"), extended(until_on, "2026-06-01")), "2026-06-01")

    assert period is not None
    assert period.reason is reason


@pytest.mark.parametrize(
    ("until_on", "basis", "reason"),
    [
        pytest.param("2029-11-30", 2, Reason.CREDIT, id="extended-to-less-than-a-later-credit"),
        pytest.param("2029-12-01", 2, Reason.CREDIT, id="extended-to-as-much-as-a-later-credit"),
        pytest.param("2029-12-02", 1, Reason.CREDIT_EXTENDED, id="extended-to-more-than-a-later-credit"),
    ],
)
def test_what_an_extended_limit_rests_on(until_on: str, basis: int, reason: Reason) -> None:
    facts = member(took(CIT, "2023-06-30", key=1), extended(until_on, "2026-06-01"), took(CIT, "2026-12-01", key=2))

    current, overdue = timeline([t36()], facts)[-2:]

    assert (current.basis, current.reason) == (basis, reason)
    assert overdue.reason is (Reason.CREDIT_EXTENDED if reason is Reason.CREDIT_EXTENDED else Reason.CREDIT_RAN_OUT)


@pytest.mark.parametrize(
    ("until_on", "reason"),
    [
        pytest.param("2026-06-09", Reason.FIRST_DEADLINE, id="first-deadline-and-extension-on-one-day"),
        pytest.param("2026-06-10", Reason.GRACE_EXTENDED, id="extension-a-day-later"),
    ],
)
def test_of_equal_deadlines_the_extended_is_named_last(until_on: str, reason: Reason) -> None:
    period = period_on(
        t36(entry_grace_days=30), member(worked("2026-05-10"), extended(until_on, "2026-05-20")), "2026-06-09"
    )

    assert period is not None
    assert period.reason is reason


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


def test_the_order_of_facts_is_irrelevant() -> None:
    rules = [
        certificate(
            effective_to=d("2026-12-31"),
            requirement=7,
            leave=LeaveRule.EXCLUDE,
            break_months=6,
            population=Population(ranks=frozenset({1, 2}), designations=frozenset({"cit"}), acting_counts=True),
        ),
        toll(
            key=2, effective_from=d("2027-01-01"), requirement=7, hours=8, early=Early.KEEP_ANCHOR, keep_anchor_days=60
        ),
    ]
    facts = MemberFacts(
        employments=[worked("2020-01-01", "2021-05-31"), worked("2022-01-01")],
        assignments=[posted("2020-01-01", "2023-12-31", rank=1), posted("2024-01-01", rank=3)],
        leaves=[away("2023-01-01", "2023-01-31"), away("2026-04-01", "2026-05-31"), away("2027-04-01", "2027-04-10")],
        completions=[
            took(CIT, "2020-05-01", key=5),
            took(REFRESHER, "2020-05-01", key=4),
            took(CIT, "2022-05-01", key=3, certificate_expires_on=d("2024-05-01")),
            took(RECERT, "2024-05-20", key=2),
            took(REFRESHER, "2027-02-01", key=1),
            took(REFRESHER, "2027-05-01", key=6),
            took(CIT, "2030-04-01", key=7),
        ],
        designations=[holds("2020-02-01", "2024-01-31"), holds("2024-03-01")],
        acting=[posted("2024-01-01", "2024-12-31", rank=2), posted("2024-06-01", "2024-06-30", rank=3)],
        waivers=[waived("2022-03-01", "2022-03-31", 7), waived("2026-08-01", "2026-08-31", 7)],
        extensions=[extended("2024-06-30", "2024-04-01", 7), extended("2024-07-31", "2024-06-30", 7)],
    )
    turned: dict[str, Any] = {item.name: tuple(reversed(getattr(facts, item.name))) for item in fields(facts)}
    backwards = MemberFacts(**turned)

    line = timeline(rules, facts)

    assert len(line) == 20
    assert timeline(rules[::-1], backwards) == line


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
