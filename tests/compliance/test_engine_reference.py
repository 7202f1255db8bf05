"""The slow reference by itself, on days worked out by hand. Numbers name `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from compliance.engine import (
    Assignment,
    Clock,
    Edition,
    Evidence,
    FirstDue,
    LeaveRule,
    MemberFacts,
    Population,
    Reason,
    State,
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
    Fact,
    away,
    certificate,
    cycle,
    d,
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
from tests.compliance.engine_reference import add_months, standing_by_day

Days = dict[str, tuple[State, str] | None]


def check(rules: Edition | Sequence[Edition], facts: MemberFacts, days: Days) -> None:
    """State and due date, the latter blank for none, on each of the days."""
    standing_on = standing_by_day([rules] if isinstance(rules, Edition) else rules, facts)
    found: Days = {}
    for day in days:
        standing = standing_on(d(day))
        found[day] = standing and (standing.state, standing.due_on.isoformat() if standing.due_on else "")
    assert found == days


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        pytest.param("2024-02-29", 36, "2027-02-28", id="leap-day"),
        pytest.param("2024-02-29", 48, "2028-02-29", id="leap-day-to-leap-day"),
        pytest.param("2023-08-31", 18, "2025-02-28", id="month-end"),
        pytest.param("2023-11-30", 3, "2024-02-29", id="into-a-leap-year"),
        pytest.param("2023-12-15", 1, "2024-01-15", id="into-the-next-year"),
        pytest.param("2023-12-15", 0, "2023-12-15", id="none"),
    ],
)
def test_months_are_added(day: str, months: int, later: str) -> None:  # 2.3
    assert add_months(d(day), months) == d(later)


RULES: list[Any] = [
    # Worked examples
    pytest.param(
        t36(),
        [took(CIT, "2023-03-17")],
        {
            "2023-03-16": (OVERDUE, "2020-01-01"),
            "2026-03-17": (CURRENT, "2026-03-17"),
            "2026-03-18": (OVERDUE, "2026-03-17"),
        },
        id="example-1",
    ),
    pytest.param(
        t36(clock=Clock.CALENDAR, years=3),
        [took(CIT, "2023-03-17")],
        {"2026-12-31": (CURRENT, "2026-12-31"), "2027-01-01": (OVERDUE, "2026-12-31")},
        id="example-2",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2024-02-29"), took(REFRESHER, "2027-02-28")],
        {"2027-02-27": (CURRENT, "2027-02-28"), "2027-02-28": (CURRENT, "2030-02-28")},
        id="example-3",
    ),
    pytest.param(
        t36(population=PATROL),
        [
            worked("2025-09-08", "2026-03-12", "recruit"),
            worked("2026-03-13"),
            posted("2026-03-13", "2026-07-02", "training"),
            posted("2026-07-03"),
            took(CIT, "2025-12-12"),
        ],
        {"2026-02-01": None, "2026-07-02": None, "2026-07-03": (CURRENT, "2028-12-12")},
        id="example-4",
    ),
    pytest.param(
        exclude(),
        [took(CIT, "2023-06-30"), away("2026-04-01", "2027-01-31")],
        {
            "2026-03-31": (CURRENT, "2026-06-30"),
            "2026-04-01": (EXCUSED, ""),
            "2026-07-15": (EXCUSED, ""),
            "2027-01-31": (EXCUSED, ""),
            "2027-02-01": (IN_GRACE, "2027-04-02"),
            "2027-04-02": (IN_GRACE, "2027-04-02"),
            "2027-04-03": (OVERDUE, "2027-04-02"),
        },
        id="example-5-exclude",
    ),
    pytest.param(
        toll(return_grace_days=60),
        [took(CIT, "2023-06-30"), away("2026-04-01", "2027-01-31")],
        {
            "2023-06-30": (CURRENT, "2027-05-02"),
            "2026-07-15": (CURRENT, "2027-05-02"),
            "2027-05-02": (CURRENT, "2027-05-02"),
            "2027-05-03": (OVERDUE, "2027-05-02"),
        },
        id="example-5-toll",
    ),
    pytest.param(
        t36(population=PATROL, entry_grace_days=180),
        [posted("2026-05-10")],
        {
            "2026-05-09": None,
            "2026-05-10": (IN_GRACE, "2026-11-06"),
            "2026-11-06": (IN_GRACE, "2026-11-06"),
            "2026-11-07": (OVERDUE, "2026-11-06"),
        },
        id="example-6",
    ),
    pytest.param(
        t36(min_attendance=90),
        [took(CIT, "2026-04-10", attendance=90)],
        {"2026-04-09": (OVERDUE, "2020-01-01"), "2026-04-10": (CURRENT, "2029-04-10")},
        id="example-9-enough",
    ),
    pytest.param(
        t36(min_attendance=100),
        [took(CIT, "2026-04-10", attendance=90)],
        {"2026-04-22": (OVERDUE, "2020-01-01")},
        id="example-9-not-enough",
    ),
    pytest.param(
        t36(min_attendance=100),
        [took(CIT, "2026-04-22", attendance=100)],
        {"2026-04-21": (OVERDUE, "2020-01-01"), "2026-04-22": (CURRENT, "2029-04-22")},
        id="example-9-made-up",
    ),
    pytest.param(
        t36(entry_courses=frozenset()),
        [took(REFRESHER, "2023-01-20")],
        {"2026-01-20": (CURRENT, "2026-01-20"), "2026-01-21": (OVERDUE, "2026-01-20")},
        id="example-10",
    ),
    pytest.param(
        t36(),
        [taught_from(CIT, "2025-02-10", "2019-01-01", "2024-12-31")],
        {"2025-02-10": (OVERDUE, "2020-01-01")},
        id="example-11",
    ),
    pytest.param(
        t36(),
        [taught_from(CIT, "2025-02-10", "2019-01-01", "2025-02-10")],
        {"2025-02-10": (CURRENT, "2028-02-10")},
        id="example-11-accepted-longer",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2023-09-30"), took(REFRESHER, "2026-03-12")],
        {"2026-03-11": (CURRENT, "2026-09-30"), "2026-03-12": (CURRENT, "2029-03-12")},
        id="example-12-restart",
    ),
    pytest.param(
        keep(),
        [took(CIT, "2023-09-30"), took(REFRESHER, "2026-03-12")],
        {"2026-03-12": (CURRENT, "2029-03-12")},
        id="example-12-too-early",
    ),
    pytest.param(
        keep(),
        [took(CIT, "2023-09-30"), took(REFRESHER, "2026-08-01")],
        {"2026-07-31": (CURRENT, "2026-09-30"), "2026-08-01": (CURRENT, "2029-09-30")},
        id="example-12-kept",
    ),
    pytest.param(
        hours(8),
        [
            took(REFRESHER, "2024-02-06", hours=2),
            took(REFRESHER, "2024-11-12", hours=2),
            took(REFRESHER, "2025-09-09", hours=4),
        ],
        {
            "2025-09-08": (OVERDUE, "2020-01-01"),
            "2025-09-09": (CURRENT, "2028-09-09"),
            "2028-09-10": (OVERDUE, "2028-09-09"),
        },
        id="example-13-event",
    ),
    pytest.param(
        rolling(8, 36),
        [
            took(REFRESHER, "2024-02-06", hours=2),
            took(REFRESHER, "2024-11-12", hours=2),
            took(REFRESHER, "2025-09-09", hours=4),
        ],
        {
            "2025-09-08": (OVERDUE, "2020-01-01"),
            "2025-09-09": (CURRENT, "2027-02-06"),
            "2027-02-07": (OVERDUE, "2027-02-06"),
        },
        id="example-13-rolling",
    ),
    # 4: who must
    pytest.param(
        t36(population=Population(designations=frozenset({"cit"}), voluntary_only=True), entry_grace_days=30),
        [
            holds("2024-01-01", "2024-01-31"),
            holds("2024-02-01", "2024-02-10", "fto", is_voluntary=True),
            holds("2024-03-01", "2024-03-31", "cit", is_voluntary=True),
        ],
        {
            "2024-01-31": None,
            "2024-02-01": None,
            "2024-02-29": None,
            "2024-03-01": (IN_GRACE, "2024-03-31"),
            "2024-03-31": (IN_GRACE, "2024-03-31"),
            "2024-04-01": None,
        },
        id="designated",
    ),
    pytest.param(
        t36(population=Population(designations=frozenset())),
        [holds("2024-01-01", is_voluntary=True)],
        {"2024-01-31": None},
        id="no-designation-matches",
    ),
    pytest.param(
        t36(population=Population(voluntary_only=True)),
        [],
        {"2024-01-31": (OVERDUE, "2020-01-01")},
        id="voluntary-only-without-designations",
    ),
    pytest.param(
        t36(population=Population(min_service_months=1)),
        [worked("2024-01-31")],
        {"2024-02-28": None, "2024-02-29": (IN_GRACE, "2024-02-29"), "2024-03-01": (OVERDUE, "2024-02-29")},
        id="months-of-service",
    ),
    # 5: what counts
    pytest.param(
        t36(),
        [took(same(CPR, CIT, "2024-01-01", "2024-06-30"), "2024-06-30")],
        {"2024-06-30": (CURRENT, "2027-06-30")},
        id="counts-as-on-the-last-day",
    ),
    pytest.param(
        t36(),
        [took(same(CPR, CIT, "2024-01-01", "2024-06-30"), "2024-07-01")],
        {"2024-07-01": (OVERDUE, "2020-01-01")},
        id="counts-as-no-more",
    ),
    pytest.param(
        t36(min_hours=8),
        [
            took(
                same(CPR, CIT),
                "2024-06-30",
            )
        ],
        {"2024-06-30": (OVERDUE, "2020-01-01")},
        id="counts-as-with-hours-of-the-course-taken",
    ),
    pytest.param(
        t36(min_hours=8, refresher_stands_alone=True),
        [
            took(
                same(REFRESHER, CIT),
                "2024-06-30",
            )
        ],
        {"2024-06-30": (OVERDUE, "2020-01-01")},
        id="a-short-entry-is-no-refresher",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2024-06-30", evidence=Evidence.PENDING), took(CIT, "2024-07-01", passed=False)],
        {"2024-07-01": (OVERDUE, "2020-01-01")},
        id="pending-and-failed",
    ),
    pytest.param(
        t36(refresher_min_tenure_months=1),
        [took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-28")],
        {"2024-02-28": (CURRENT, "2027-01-31"), "2024-03-31": (CURRENT, "2027-01-31")},
        id="day-before-tenure",
    ),
    pytest.param(
        t36(refresher_min_tenure_months=1),
        [took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-29")],
        {"2024-02-28": (CURRENT, "2027-01-31"), "2024-02-29": (CURRENT, "2027-02-28")},
        id="day-of-tenure",
    ),
    pytest.param(
        t36(refresher_min_tenure_months=1, refresher_stands_alone=True),
        [took(REFRESHER, "2024-01-30"), took(CIT, "2024-01-31"), took(REFRESHER, "2024-02-28")],
        {"2024-01-30": (CURRENT, "2027-01-30"), "2024-02-28": (CURRENT, "2027-01-31")},
        id="tenure-asks-nothing-before-the-entry",
    ),
    pytest.param(
        hours(8, hours_window_months=12),
        [took(REFRESHER, "2024-02-29", hours=4), took(REFRESHER, "2025-02-28", hours=4)],
        {"2025-02-27": (OVERDUE, "2020-01-01"), "2025-02-28": (CURRENT, "2028-02-28")},
        id="event-last-day-of-the-window",
    ),
    pytest.param(
        hours(8, hours_window_months=12),
        [took(REFRESHER, "2024-02-29", hours=4), took(REFRESHER, "2025-03-01", hours=4)],
        {"2025-03-01": (OVERDUE, "2020-01-01")},
        id="event-day-after-the-window",
    ),
    pytest.param(
        hours(8),
        [
            took(REFRESHER, "2024-01-10", hours=7.99),
            took(REFRESHER, "2024-01-20", hours=7.99),
            took(REFRESHER, "2024-01-30", hours=7.99),
            took(REFRESHER, "2024-02-10", hours=0.01),
        ],
        {
            "2024-01-19": (OVERDUE, "2020-01-01"),
            "2024-01-20": (CURRENT, "2027-01-20"),
            "2024-02-09": (CURRENT, "2027-01-20"),
            "2024-02-10": (CURRENT, "2027-02-10"),
        },
        id="event-surplus-is-lost",
    ),
    pytest.param(
        hours(0.3),
        [took(REFRESHER, "2024-01-10", hours=0.1), took(REFRESHER, "2024-01-11", hours=0.2)],
        {"2024-01-11": (CURRENT, "2027-01-11")},
        id="event-hundredths",
    ),
    pytest.param(
        hours(8, min_block_hours=2),
        [
            took(REFRESHER, "2024-01-10", hours=4, key=9),
            took(REFRESHER, "2024-01-10", hours=4, key=8),
            took(REFRESHER, "2024-01-20", hours=1.5),
            took(REFRESHER, "2024-01-20", hours=7, key=7),
        ],
        {"2024-01-10": (CURRENT, "2027-01-10"), "2024-01-20": (CURRENT, "2027-01-10")},
        id="event-one-day-without-entry-and-small-blocks",
    ),
    pytest.param(
        cycle(hours=8, months=12),
        [
            took(REFRESHER, "2021-08-31", hours=4),
            took(REFRESHER, "2021-09-01", hours=4),
            took(REFRESHER, "2022-08-31", hours=3),
            took(REFRESHER, "2022-09-01", hours=5),
            took(REFRESHER, "2023-08-31", hours=3),
        ],
        {
            "2021-09-01": (IN_GRACE, "2022-08-31"),
            "2022-08-31": (IN_GRACE, "2022-08-31"),
            "2022-09-01": (OVERDUE, "2022-08-31"),
            "2023-08-31": (CURRENT, "2024-08-31"),
            "2024-09-01": (OVERDUE, "2024-08-31"),
        },
        id="event-within-one-window-of-the-cycle",
    ),
    pytest.param(
        rolling(8, 12),
        [
            took(REFRESHER, "2024-02-29", hours=8),
            took(REFRESHER, "2024-06-01", hours=4),
            took(REFRESHER, "2025-03-01", hours=4),
        ],
        {
            "2024-06-01": (CURRENT, "2025-02-28"),
            "2025-02-28": (CURRENT, "2025-02-28"),
            "2025-03-01": (CURRENT, "2025-06-01"),
            "2025-06-02": (OVERDUE, "2025-06-01"),
        },
        id="rolling-hours-renewed",
    ),
    # 5: breaks
    pytest.param(
        t36(break_months=24),
        [worked("2020-01-01", "2022-06-30"), worked("2024-06-30"), took(CIT, "2022-06-30")],
        {"2024-06-29": None, "2024-06-30": (CURRENT, "2025-06-30")},
        id="back-in-time",
    ),
    pytest.param(
        t36(break_months=24),
        [worked("2020-01-01", "2022-06-30"), worked("2024-07-01"), took(CIT, "2022-06-30")],
        {"2022-06-30": (CURRENT, "2025-06-30"), "2024-07-01": (IN_GRACE, "2024-07-01")},
        id="back-too-late",
    ),
    pytest.param(
        t36(break_months=24),
        [worked("2020-01-01", "2022-06-30"), worked("2024-07-01"), took(CIT, "2020-02-02"), took(CIT, "2022-07-01")],
        {"2024-07-01": (CURRENT, "2025-07-01")},
        id="taken-while-away",
    ),
    pytest.param(
        t36(break_months=24),
        [
            worked("2020-01-01", "2022-06-30"),
            worked("2024-07-01"),
            took(CIT, "2020-02-02"),
            took(REFRESHER, "2024-07-05"),
        ],
        {"2024-07-05": (OVERDUE, "2024-07-01")},
        id="a-wiped-entry-opens-no-refresher",
    ),
    pytest.param(
        t36(break_months=12, leave=LeaveRule.EXCLUDE, return_grace_days=60),
        [
            worked("2020-01-01", "2022-02-28"),
            worked("2023-03-01"),
            took(CIT, "2021-05-01"),
            away("2022-02-01", "2023-03-31"),
        ],
        {"2022-01-31": (CURRENT, "2024-05-01"), "2023-04-01": (IN_GRACE, "2023-05-31")},
        id="current-when-the-leave-began-that-outlasts-the-break",
    ),
    # 6: clocks
    pytest.param(
        cycle(),
        [took(CIT, "2025-08-31")],
        {
            "2025-08-30": (IN_GRACE, "2025-08-31"),
            "2025-08-31": (CURRENT, "2029-08-31"),
            "2029-09-01": (OVERDUE, "2029-08-31"),
        },
        id="last-day-of-a-window",
    ),
    pytest.param(
        cycle(),
        [took(CIT, "2025-09-01")],
        {"2025-08-31": (IN_GRACE, "2025-08-31"), "2025-09-01": (CURRENT, "2033-08-31")},
        id="first-day-of-a-window",
    ),
    pytest.param(
        cycle(),
        [took(CIT, "2021-08-31"), took(REFRESHER, "2025-09-02")],
        {
            "2021-09-01": (IN_GRACE, "2025-08-31"),
            "2025-09-01": (OVERDUE, "2025-08-31"),
            "2025-09-02": (CURRENT, "2033-08-31"),
        },
        id="before-the-cycle-opens-refreshers-only",
    ),
    pytest.param(
        cycle(cycle_start=d("2024-02-29"), months=12),
        [took(CIT, "2028-02-28")],
        {
            "2025-02-27": (IN_GRACE, "2025-02-27"),
            "2025-02-28": (OVERDUE, "2025-02-27"),
            "2028-02-28": (CURRENT, "2029-02-27"),
        },
        id="windows-from-the-original-start",
    ),
    pytest.param(
        cycle(cycle_start=d("2024-02-29"), months=12),
        [took(CIT, "2028-02-29")],
        {"2028-02-29": (CURRENT, "2030-02-27")},
        id="a-window-that-begins-on-29-february",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), took(RECERT, "2026-04-09", certificate_expires_on=d("2031-01-01"))],
        {"2026-05-10": (CURRENT, "2026-05-10"), "2026-05-11": (OVERDUE, "2026-05-10")},
        id="recertified-a-day-too-early",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), took(RECERT, "2026-04-10")],
        {"2026-04-09": (CURRENT, "2026-05-10"), "2026-04-10": (CURRENT, "2029-04-10")},
        id="recertified-as-early-as-can-be",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), took(RECERT, "2026-08-08")],
        {"2026-08-07": (OVERDUE, "2026-05-10"), "2026-08-08": (CURRENT, "2029-08-08")},
        id="recertified-as-late-as-can-be",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), took(RECERT, "2026-08-09"), took(CIT, "2026-08-11")],
        {"2026-08-10": (OVERDUE, "2026-05-10"), "2026-08-11": (CURRENT, "2029-08-11")},
        id="recertified-a-day-too-late",
    ),
    pytest.param(
        certificate(recert_before_days=3660),
        [took(RECERT, "2023-05-10"), took(CIT, "2023-05-10", key=1), took(RECERT, "2023-05-11")],
        {"2023-05-10": (CURRENT, "2026-05-10"), "2023-05-11": (CURRENT, "2026-05-11")},
        id="no-recertification-of-nothing",
    ),
    pytest.param(
        certificate(recert_before_days=3660),
        [took(RECERT, "2023-05-10"), took(RECERT, "2023-05-11")],
        {"2023-05-11": (OVERDUE, "2020-01-01")},
        id="no-recertification-without-a-limit",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [
            took(CIT, "2023-05-10", certificate_expires_on=d("2025-12-31")),
            took(RECERT, "2025-12-01", certificate_expires_on=d("2027-01-15")),
        ],
        {"2025-11-30": (CURRENT, "2025-12-31"), "2025-12-01": (CURRENT, "2027-01-15")},
        id="printed-expiries",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), extended("2026-07-31", "2026-05-01"), took(RECERT, "2026-07-01")],
        {"2026-05-01": (CURRENT, "2026-07-31"), "2026-07-01": (CURRENT, "2029-07-01")},
        id="recertified-before-an-extended-limit",
    ),
    pytest.param(
        certificate(recert_before_days=30),
        [took(CIT, "2023-05-10"), extended("2026-07-31", "2026-05-01"), took(RECERT, "2026-06-30")],
        {"2026-06-30": (CURRENT, "2026-07-31"), "2026-08-01": (OVERDUE, "2026-07-31")},
        id="too-early-for-an-extended-limit",
    ),
    pytest.param(
        certificate(recert_before_days=30, leave=LeaveRule.TOLL),
        [took(CIT, "2023-05-10"), away("2026-05-10"), took(RECERT, "2026-05-10")],
        {"2026-05-10": (CURRENT, ""), "2030-05-10": (CURRENT, "")},
        id="a-limit-without-a-date-opens-no-days",
    ),
    # 6: kept anchors
    pytest.param(
        keep(months=12, keep_anchor_days=30),
        [took(CIT, "2024-02-29"), took(CIT, "2025-01-28")],
        {"2025-01-28": (CURRENT, "2026-01-28")},
        id="a-day-too-early-restarts",
    ),
    pytest.param(
        keep(months=12, keep_anchor_days=30),
        [took(CIT, "2024-02-29"), took(CIT, "2025-01-29"), took(CIT, "2026-02-01")],
        {"2025-01-29": (CURRENT, "2026-02-28"), "2026-02-01": (CURRENT, "2027-02-28")},
        id="kept-from-the-clamped-limit",
    ),
    pytest.param(
        keep(months=12, keep_anchor_days=30),
        [took(CIT, "2024-02-29"), took(CIT, "2025-03-01")],
        {"2025-02-28": (CURRENT, "2025-02-28"), "2025-03-01": (CURRENT, "2026-03-01")},
        id="past-the-limit-restarts",
    ),
    pytest.param(
        keep(months=12, keep_anchor_days=30, leave=LeaveRule.TOLL),
        [
            took(CIT, "2024-01-10"),
            away("2024-03-01", "2024-03-10"),
            took(CIT, "2025-01-15"),
            away("2025-01-16", "2025-01-25"),
        ],
        {"2025-01-14": (CURRENT, "2025-01-30"), "2025-01-15": (CURRENT, "2026-01-30")},
        id="kept-from-the-moved-limit-and-moved-after-it",
    ),
    pytest.param(
        keep(months=12, keep_anchor_days=30),
        [took(CIT, "2024-01-10"), extended("2025-02-20", "2025-01-10"), took(CIT, "2025-02-01")],
        {"2025-01-31": (CURRENT, "2025-02-20"), "2025-02-01": (CURRENT, "2026-02-20")},
        id="kept-from-an-extended-limit",
    ),
    # 6: toll
    pytest.param(
        toll(),
        [took(CIT, "2023-06-30"), away("2026-06-30", "2026-07-09")],
        {"2026-06-30": (CURRENT, "2026-07-10"), "2026-07-11": (OVERDUE, "2026-07-10")},
        id="leave-from-the-last-day",
    ),
    pytest.param(
        toll(),
        [took(CIT, "2023-06-30"), away("2026-07-01", "2026-07-09")],
        {"2026-06-30": (CURRENT, "2026-06-30"), "2026-07-01": (OVERDUE, "2026-06-30")},
        id="leave-from-the-day-after",
    ),
    pytest.param(
        toll(),
        [
            took(CIT, "2023-06-30"),
            away("2026-06-25", "2026-06-29"),
            away("2026-07-05", "2026-07-06"),
            away("2026-07-08", "2026-07-20"),
        ],
        {"2026-06-01": (CURRENT, "2026-07-07"), "2026-07-08": (OVERDUE, "2026-07-07")},
        id="a-moved-limit-reaches-the-next-leave",
    ),
    pytest.param(
        toll(months=12, leave_min_days=20),
        [took(CIT, "2024-01-10"), away("2024-01-01", "2024-01-20")],
        {"2024-01-10": (CURRENT, "2025-01-20")},
        id="only-the-days-after-the-credit",
    ),
    pytest.param(
        toll(months=12, leave_min_days=21),
        [took(CIT, "2024-01-10"), away("2024-01-01", "2024-01-20")],
        {"2024-01-10": (CURRENT, "2025-01-10")},
        id="too-short-to-move",
    ),
    pytest.param(
        toll(months=12, leave_kinds=frozenset({"military"})),
        [took(CIT, "2024-01-10"), away("2024-02-01", "2024-02-10"), away("2024-03-01", "2024-03-03", "military")],
        {"2024-01-10": (CURRENT, "2025-01-13")},
        id="kinds-that-move",
    ),
    pytest.param(
        toll(),
        [took(CIT, "2023-06-30"), away("2026-06-30")],
        {"2026-06-30": (CURRENT, ""), "2029-06-30": (CURRENT, "")},
        id="open-leave-leaves-no-date",
    ),
    pytest.param(
        toll(clock=Clock.CALENDAR, years=1),
        [took(CIT, "2024-06-30"), away("2024-07-01", "2024-07-10")],
        {"2025-12-31": (CURRENT, "2026-01-10"), "2026-01-11": (OVERDUE, "2026-01-10")},
        id="a-year-end-moves",
    ),
    pytest.param(
        certificate(recert_before_days=30, leave=LeaveRule.TOLL),
        [took(CIT, "2023-05-10", certificate_expires_on=d("2025-12-31")), away("2025-12-31", "2026-01-01")],
        {"2023-05-10": (CURRENT, "2026-01-02")},
        id="a-printed-expiry-moves",
    ),
    pytest.param(
        cycle(leave=LeaveRule.TOLL),
        [took(CIT, "2025-08-31"), away("2026-01-01", "2026-12-31")],
        {"2025-08-30": (IN_GRACE, "2025-08-31"), "2026-06-01": (CURRENT, "2029-08-31")},
        id="a-cycle-does-not-move",
    ),
    pytest.param(
        rolling(4, 1, leave=LeaveRule.TOLL, entry_grace_days=10),
        [worked("2024-01-01"), away("2024-01-05", "2024-01-24"), took(REFRESHER, "2024-01-03")],
        {
            "2024-01-03": (CURRENT, "2024-02-03"),
            "2024-02-04": (OVERDUE, "2024-02-03"),
            "2024-01-02": (IN_GRACE, "2024-01-31"),
        },
        id="rolling-hours-do-not-move-but-the-first-deadline-does",
    ),
    pytest.param(
        toll(entry_grace_days=180),
        [worked("2026-05-10"), away("2026-05-01", "2026-05-19")],
        {"2026-05-10": (IN_GRACE, "2026-11-16"), "2026-11-17": (OVERDUE, "2026-11-16")},
        id="the-first-deadline-moves-from-joining-on",
    ),
    pytest.param(
        toll(entry_due_on=d("2026-12-31")),
        [worked("2026-05-10"), away("2026-12-31", "2027-01-01")],
        {"2026-12-31": (IN_GRACE, "2027-01-02"), "2027-01-03": (OVERDUE, "2027-01-02")},
        id="a-fixed-first-deadline-moves",
    ),
    # 6: first deadlines
    pytest.param(
        cycle(),
        [worked("2025-08-31")],
        {"2025-08-31": (IN_GRACE, "2025-08-31"), "2025-09-01": (OVERDUE, "2025-08-31")},
        id="window-end",
    ),
    pytest.param(
        cycle(), [worked("2025-09-01")], {"2025-09-01": (IN_GRACE, "2029-08-31")}, id="window-end-of-the-next"
    ),
    pytest.param(
        cycle(first_due=FirstDue.NEXT_WINDOW_END),
        [worked("2025-08-31")],
        {"2025-08-31": (IN_GRACE, "2029-08-31"), "2029-09-01": (OVERDUE, "2029-08-31")},
        id="next-window-end",
    ),
    pytest.param(
        cycle(first_due=FirstDue.NEXT_WINDOW_END),
        [worked("2021-08-31")],
        {"2021-08-31": (IN_GRACE, "2029-08-31")},
        id="joined-before-the-first-window",
    ),
    pytest.param(
        cycle(entry_due_on=d("2025-09-10")),
        [worked("2025-08-31")],
        {"2025-08-31": (IN_GRACE, "2025-09-10"), "2025-09-11": (OVERDUE, "2025-09-10")},
        id="window-end-or-a-later-day",
    ),
    pytest.param(
        t36(first_due=FirstDue.YEAR_END),
        [worked("2025-12-31")],
        {"2025-12-31": (IN_GRACE, "2025-12-31"), "2026-01-01": (OVERDUE, "2025-12-31")},
        id="year-end",
    ),
    pytest.param(
        t36(first_due=FirstDue.NEXT_YEAR_END),
        [worked("2025-12-31")],
        {"2025-12-31": (IN_GRACE, "2026-12-31"), "2027-01-01": (OVERDUE, "2026-12-31")},
        id="next-year-end",
    ),
    # 6: leave that excuses
    pytest.param(
        exclude(leave_min_days=30),
        [took(CIT, "2023-04-10"), away("2026-04-01", "2026-04-29")],
        {"2026-04-01": (EXCUSED, ""), "2026-04-29": (EXCUSED, ""), "2026-04-30": (OVERDUE, "2026-04-10")},
        id="excused-but-too-short-for-days-back",
    ),
    pytest.param(
        exclude(leave_min_days=30),
        [took(CIT, "2023-04-10"), away("2026-04-01", "2026-04-29"), away("2026-04-30", "2026-04-30", "military")],
        {"2026-04-30": (EXCUSED, ""), "2026-05-01": (IN_GRACE, "2026-06-30")},
        id="long-enough-with-the-row-that-touches",
    ),
    pytest.param(
        exclude(),
        [took(CIT, "2023-03-31"), away("2026-04-01", "2026-04-30")],
        {"2026-05-01": (OVERDUE, "2026-03-31")},
        id="overdue-when-the-leave-began",
    ),
    # 6: extensions
    pytest.param(
        t36(),
        [took(CIT, "2023-06-30"), extended("2026-09-30", "2026-06-30"), extended("2026-12-31", "2026-06-30", 7)],
        {
            "2026-06-29": (CURRENT, "2026-06-30"),
            "2026-06-30": (CURRENT, "2026-09-30"),
            "2026-09-30": (CURRENT, "2026-09-30"),
            "2026-10-01": (OVERDUE, "2026-09-30"),
        },
        id="extended-on-the-last-day",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2023-06-30"), extended("2026-09-30", "2026-07-01")],
        {"2026-07-01": (OVERDUE, "2026-06-30")},
        id="extension-refused-a-day-late",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2023-06-30"), extended("2026-08-31", "2026-06-01"), extended("2026-07-31", "2026-06-02")],
        {"2026-06-30": (CURRENT, "2026-08-31")},
        id="an-extension-never-shortens",
    ),
    pytest.param(
        t36(),
        [took(CIT, "2023-06-30"), extended("2026-07-31", "2026-06-01"), extended("2026-09-15", "2026-07-31")],
        {"2026-07-30": (CURRENT, "2026-07-31"), "2026-07-31": (CURRENT, "2026-09-15")},
        id="extended-again",
    ),
    pytest.param(
        t36(entry_grace_days=180),
        [worked("2026-05-10"), extended("2026-12-31", "2026-11-06")],
        {
            "2026-11-05": (IN_GRACE, "2026-11-06"),
            "2026-11-06": (IN_GRACE, "2026-12-31"),
            "2027-01-01": (OVERDUE, "2026-12-31"),
        },
        id="first-deadline-extended",
    ),
    pytest.param(
        t36(entry_grace_days=180),
        [worked("2026-05-10"), extended("2026-12-31", "2026-11-07")],
        {"2026-11-07": (OVERDUE, "2026-11-06")},
        id="first-deadline-past",
    ),
    pytest.param(
        t36(entry_grace_days=180),
        [worked("2026-05-10", "2026-11-30"), worked("2026-12-02"), extended("2027-12-31", "2026-11-06")],
        {"2026-11-30": (IN_GRACE, "2027-12-31"), "2026-12-02": (IN_GRACE, "2027-05-31")},
        id="extended-grace-ends-with-the-membership",
    ),
    pytest.param(
        exclude(),
        [took(CIT, "2023-06-30"), away("2026-04-01", "2026-07-15"), extended("2026-12-31", "2026-07-01")],
        {"2026-07-16": (IN_GRACE, "2026-09-14")},
        id="past-its-date-on-leave-refused",
    ),
    pytest.param(
        exclude(),
        [took(CIT, "2023-06-30"), away("2026-04-01", "2026-07-15"), extended("2026-12-31", "2026-07-16")],
        {"2026-07-16": (IN_GRACE, "2026-12-31"), "2027-01-01": (OVERDUE, "2026-12-31")},
        id="days-back-extended-on-the-day-back",
    ),
    pytest.param(
        t36(),
        [
            worked("2020-01-01", "2026-01-31"),
            worked("2026-08-01"),
            took(CIT, "2023-06-30"),
            extended("2026-08-31", "2026-06-30"),
        ],
        {"2026-08-01": (CURRENT, "2026-08-31"), "2026-09-01": (OVERDUE, "2026-08-31")},
        id="a-running-limit-extended-outside-membership",
    ),
    pytest.param(
        t36(),
        [
            worked("2020-01-01", "2026-01-31"),
            worked("2026-08-01"),
            took(CIT, "2023-06-30"),
            extended("2026-08-31", "2026-07-01"),
        ],
        {"2026-08-01": (IN_GRACE, "2026-08-01"), "2026-08-02": (OVERDUE, "2026-08-01")},
        id="a-limit-past-not-extended-outside-membership",
    ),
    pytest.param(
        toll(),
        [took(CIT, "2023-06-30"), extended("2026-08-31", "2026-06-01"), away("2026-07-01", "2026-07-31")],
        {"2026-06-01": (CURRENT, "2026-08-31"), "2026-09-01": (OVERDUE, "2026-08-31")},
        id="leave-does-not-move-an-extension",
    ),
    pytest.param(
        toll(),
        [took(CIT, "2023-06-30"), extended("2026-07-05", "2026-06-01"), away("2026-06-01", "2026-06-10")],
        {"2026-06-01": (CURRENT, "2026-07-10"), "2026-07-11": (OVERDUE, "2026-07-10")},
        id="the-later-of-moved-and-extended",
    ),
    # 6: waivers
    pytest.param(
        t36(),
        [
            took(CIT, "2023-06-30"),
            waived("2026-06-15", "2026-07-15"),
            waived("2026-08-01", "2026-08-31", requirement=7),
        ],
        {
            "2026-06-14": (CURRENT, "2026-06-30"),
            "2026-06-15": (EXCUSED, ""),
            "2026-07-15": (EXCUSED, ""),
            "2026-07-16": (OVERDUE, "2026-06-30"),
            "2026-08-01": (OVERDUE, "2026-06-30"),
        },
        id="waived",
    ),
    pytest.param(
        exclude(),
        [took(CIT, "2023-06-30"), waived("2026-06-15", "2026-07-15"), away("2026-07-10", "2026-07-31")],
        {"2026-08-01": (OVERDUE, "2026-06-30")},
        id="overdue-under-a-waiver-when-the-leave-began",
    ),
]


@pytest.mark.parametrize(("rules", "facts", "days"), RULES)
def test_the_reference(rules: Edition, facts: list[Fact], days: Days) -> None:
    check(rules, member(*facts), days)


@pytest.mark.parametrize(
    ("acting", "days"),
    [
        pytest.param(
            [posted("2024-02-10", "2024-02-20", rank=2)],
            ["2024-02-10", "2024-02-15", "2024-02-16", "2024-02-20"],
            id="while-it-lasts",
        ),
        pytest.param([posted("2024-02-10", "2024-02-20", rank=None)], [], id="without-a-rank"),
        pytest.param(
            [posted("2024-02-10", "2024-02-20", rank=2), posted("2024-02-15", "2024-02-16", rank=1)],
            ["2024-02-10", "2024-02-20"],
            id="the-latest-to-begin",
        ),
        pytest.param(
            [posted("2024-02-10", "2024-02-20", rank=2), posted("2024-02-10", "2024-02-16", rank=3)],
            ["2024-02-20"],
            id="the-highest-of-one-day",
        ),
    ],
)
def test_an_acting_rank(acting: list[Assignment], days: list[str]) -> None:  # 4
    rules = t36(population=Population(ranks=frozenset({2}), acting_counts=True))
    standing_on = standing_by_day([rules], member(posted("2024-01-01"), acting=acting))
    asked = ["2024-02-09", "2024-02-10", "2024-02-15", "2024-02-16", "2024-02-20", "2024-02-21"]

    found = [day for day in asked if standing_on(d(day)) is not None]

    assert found == days


@pytest.mark.parametrize(
    ("rules", "facts", "day", "reason", "basis", "has_credit"),
    [
        pytest.param(
            t36(),
            [took(CIT, "2023-06-30", key=5), extended("2026-09-30", "2026-06-30")],
            "2026-07-01",
            Reason.CREDIT_EXTENDED,
            5,
            True,
            id="current-by-extension",
        ),
        pytest.param(
            t36(),
            [took(CIT, "2023-06-30", key=5), extended("2026-09-30", "2026-06-30")],
            "2026-10-01",
            Reason.CREDIT_EXTENDED,
            5,
            True,
            id="overdue-after-extension",
        ),
        pytest.param(
            t36(),
            [took(CIT, "2023-06-30", key=5), extended("2026-06-30", "2026-06-01")],
            "2026-06-30",
            Reason.CREDIT,
            5,
            True,
            id="an-extension-that-stretches-nothing",
        ),
        pytest.param(
            t36(),
            [took(CIT, "2023-06-30", key=5), extended("2027-06-01", "2026-06-01"), took(CIT, "2024-06-01", key=6)],
            "2026-06-01",
            Reason.CREDIT,
            6,
            True,
            id="a-credit-that-carries-as-far",
        ),
        pytest.param(
            t36(entry_grace_days=180),
            [worked("2026-05-10"), extended("2026-12-31", "2026-11-06")],
            "2026-12-31",
            Reason.GRACE_EXTENDED,
            None,
            False,
            id="grace-extended",
        ),
        pytest.param(
            t36(leave=LeaveRule.EXCLUDE),
            [took(CIT, "2023-06-30", key=5), waived("2026-06-01", "2026-06-30"), away("2026-06-01")],
            "2026-06-30",
            Reason.ON_WAIVER,
            None,
            True,
            id="waiver-before-leave",
        ),
        pytest.param(
            cycle(),
            [took(CIT, "2021-08-31", key=5)],
            "2025-09-01",
            Reason.FIRST_DEADLINE,
            None,
            True,
            id="credit-without-a-limit",
        ),
        pytest.param(
            hours(8),
            [
                took(REFRESHER, "2024-01-10", hours=4, key=1),
                took(REFRESHER, "2024-01-20", hours=2, key=9),
                took(REFRESHER, "2024-01-20", hours=2, key=8),
            ],
            "2024-01-20",
            Reason.CREDIT,
            8,
            True,
            id="sum-of-hours",
        ),
        pytest.param(
            rolling(8, 36),
            [took(REFRESHER, "2024-01-10", hours=4, key=1)],
            "2024-01-20",
            Reason.FIRST_DEADLINE,
            None,
            False,
            id="sum-never-reached",
        ),
        pytest.param(
            certificate(recert_before_days=30),
            [
                took(CIT, "2024-01-10", key=1, certificate_expires_on=d("2025-01-10")),
                took(CIT, "2024-01-10", key=3, certificate_expires_on=d("2026-01-10")),
                took(CIT, "2024-01-10", key=2, certificate_expires_on=d("2026-01-10")),
            ],
            "2024-01-10",
            Reason.CREDIT,
            2,
            True,
            id="printed-expiries-of-one-day",
        ),
        pytest.param(
            t36(break_months=1),
            [worked("2020-01-01", "2024-01-31"), worked("2024-03-01"), took(CIT, "2024-01-31")],
            "2024-03-02",
            Reason.FIRST_DEADLINE,
            None,
            False,
            id="wiped",
        ),
    ],
)
def test_why(rules: Edition, facts: list[Fact], day: str, reason: Reason, basis: int | None, has_credit: bool) -> None:
    standing = standing_by_day([rules], member(*facts))(d(day))

    assert standing is not None
    assert (standing.reason, standing.basis, standing.has_credit) == (reason, basis, has_credit)
