"""What an explanation says of each completion, of each date and of what would help; that it agrees with the timeline.

Numbers name `docs/rules.md`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Early,
    Edition,
    Evidence,
    FirstDue,
    HoursModel,
    Kind,
    Lack,
    LeaveRule,
    LessonPlan,
    MemberFacts,
    NoDaysBack,
    Population,
    Reason,
    Refusal,
    State,
    Target,
    timeline,
)
from compliance.explain import (
    Approval,
    Change,
    CreditLimit,
    Days,
    Explanation,
    FirstDeadline,
    Hours,
    Remedy,
    Return,
    Use,
    explain,
)
from tests.compliance.engine_facts import (
    CIT,
    CPR,
    CURRENT,
    EXCUSED,
    PATROL,
    RECERT,
    REFRESHER,
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


def why(rules: Edition | list[Edition], facts: MemberFacts, day: str) -> Explanation:
    explanation = explain([rules] if isinstance(rules, Edition) else rules, facts, d(day))
    assert explanation is not None
    return explanation


# Section 5: what each completion is


@pytest.mark.parametrize(
    ("rules", "completion", "use", "kind", "lack"),
    [
        pytest.param(edition(), took(CIT, "2024-05-01"), Use.CREDIT, Kind.ENTRY, None, id="entry"),
        pytest.param(
            edition(), took(CPR, "2024-05-01"), Use.REFUSED, None, Lack(Refusal.NOT_LISTED), id="course-not-listed"
        ),
        pytest.param(
            edition(),
            took(CIT, "2024-06-02"),
            Use.REFUSED,
            None,
            Lack(Refusal.AFTER_THE_DAY),
            id="after-the-day-asked",
        ),
        pytest.param(edition(), took(CIT, "2024-06-01"), Use.CREDIT, Kind.ENTRY, None, id="on-the-day-asked"),
        pytest.param(
            edition(),
            took(CIT, "2024-05-01", evidence=Evidence.PENDING),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.PENDING),
            id="pending",
        ),
        pytest.param(
            edition(),
            took(CIT, "2024-05-01", evidence=Evidence.REJECTED),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.REJECTED),
            id="rejected",
        ),
        pytest.param(
            edition(),
            took(CIT, "2024-05-01", passed=False),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.NOT_PASSED),
            id="not-passed",
        ),
        pytest.param(
            edition(),
            taught_from(CIT, "2024-05-01", "2019-01-01", "2023-12-31"),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.PLAN_NOT_IN_FORCE, first_on=d("2019-01-01"), last_on=d("2023-12-31")),
            id="plan-not-in-force",
        ),
        pytest.param(
            edition(min_score=70),
            took(replace(CIT, min_score=80), "2024-05-01"),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.SCORE_MISSING, 80),
            id="score-missing",
        ),
        pytest.param(
            edition(min_score=80),
            took(replace(CIT, min_score=70), "2024-05-01", score=75),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.SCORE_BELOW, 80, 75),
            id="score-below",
        ),
        pytest.param(
            edition(min_attendance=80),
            took(replace(CIT, min_attendance=90), "2024-05-01", attendance=85),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.ATTENDANCE_BELOW, 90, 85),
            id="attendance-below",
        ),
        pytest.param(
            edition(modes=frozenset({"online"})),
            took(CIT, "2024-05-01"),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.MODE_NOT_ALLOWED),
            id="mode-not-allowed",
        ),
        pytest.param(
            edition(min_block_hours=8),
            took(CIT, "2024-05-01", hours=7.5),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.BLOCK_TOO_SHORT, 8, 7.5),
            id="block-too-short",
        ),
        pytest.param(
            edition(min_hours=24),
            took(CIT, "2024-05-01", hours=16),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.HOURS_TOO_FEW, 24, 16),
            id="hours-too-few",
        ),
        pytest.param(
            edition(min_hours=24),
            took(same(CPR, CIT), "2024-05-01"),
            Use.REFUSED,
            Kind.ENTRY,
            Lack(Refusal.HOURS_TOO_FEW, 24, 4),
            id="counts-as-entry-with-hours-too-few",
        ),
        pytest.param(
            edition(),
            took(REFRESHER, "2024-05-01"),
            Use.REFUSED,
            Kind.REFRESHER,
            Lack(Refusal.BEFORE_ENTRY),
            id="refresher-without-entry",
        ),
        pytest.param(
            certificate(),
            took(RECERT, "2024-05-01"),
            Use.REFUSED,
            Kind.RECERTIFICATION,
            Lack(Refusal.NO_LIMIT_YET),
            id="recertification-without-a-limit",
        ),
        pytest.param(cycle(), took(CIT, "2021-08-31"), Use.NO_LIMIT, Kind.ENTRY, None, id="before-the-first-window"),
        pytest.param(cycle(), took(CIT, "2021-09-01"), Use.CREDIT, Kind.ENTRY, None, id="in-the-first-window"),
        pytest.param(hours(44), took(CIT, "2024-05-01"), Use.ADDED, Kind.ENTRY, None, id="hours-added"),
        pytest.param(hours(40), took(CIT, "2024-05-01"), Use.SUMMED, Kind.ENTRY, None, id="hours-that-made-a-sum"),
        pytest.param(rolling(40, 12), took(CIT, "2024-05-01"), Use.ADDED, Kind.ENTRY, None, id="rolling-hours"),
        pytest.param(
            rolling(8, 1),
            took(REFRESHER, "2024-04-30"),
            Use.REFUSED,
            Kind.REFRESHER,
            Lack(Refusal.HOURS_PAST, last_on=d("2024-05-30")),
            id="rolling-hours-past",
        ),
        pytest.param(
            hours(8, hours_window_months=1),
            took(REFRESHER, "2024-04-30"),
            Use.REFUSED,
            Kind.REFRESHER,
            Lack(Refusal.HOURS_PAST, last_on=d("2024-05-30")),
            id="hours-past",
        ),
        pytest.param(
            hours(8, hours_window_months=1),
            took(REFRESHER, "2024-05-01"),
            Use.ADDED,
            Kind.REFRESHER,
            None,
            id="hours-on-their-last-day",
        ),
        pytest.param(
            hours(8, clock=Clock.CYCLE, months=12, cycle_start=d("2024-05-02")),
            took(REFRESHER, "2024-05-01"),
            Use.REFUSED,
            Kind.REFRESHER,
            Lack(Refusal.HOURS_PAST),
            id="hours-before-the-first-window",
        ),
    ],
)
def test_a_verdict(rules: Edition, completion: Completion, use: Use, kind: Kind | None, lack: Lack | None) -> None:
    (verdict,) = why(rules, member(completion), "2024-06-01").verdicts

    assert (verdict.completion, verdict.use, verdict.kind, verdict.lack) == (completion, use, kind, lack)


@pytest.mark.parametrize(
    ("rules", "facts", "lacks"),
    [
        pytest.param(
            t36(),
            [
                took(REFRESHER, "2024-01-30", key=1),
                took(CIT, "2024-01-31", key=2),
                took(REFRESHER, "2024-02-10", key=3),
            ],
            {1: Lack(Refusal.BEFORE_ENTRY, first_on=d("2024-01-31")), 2: None, 3: None},
            id="refresher-before-entry",
        ),
        pytest.param(
            t36(refresher_min_tenure_months=1),
            [
                took(CIT, "2024-01-31", key=2),
                took(REFRESHER, "2024-02-28", key=3),
                took(REFRESHER, "2024-02-29", key=4),
            ],
            {2: None, 3: Lack(Refusal.BEFORE_TENURE, first_on=d("2024-02-29")), 4: None},
            id="before-tenure",
        ),
        pytest.param(
            t36(),
            [took(REFRESHER, "2024-01-30", key=1), took(CIT, "2024-06-02", key=2)],
            {1: Lack(Refusal.BEFORE_ENTRY), 2: Lack(Refusal.AFTER_THE_DAY)},
            id="an-entry-after-the-day-is-not-known-of",
        ),
        pytest.param(
            certificate(),
            [took(CIT, "2021-06-01", key=1), took(RECERT, "2024-03-01", key=2), took(RECERT, "2024-04-02", key=3)],
            {
                1: None,
                2: Lack(Refusal.OUTSIDE_ITS_DAYS, first_on=d("2024-04-02"), last_on=d("2024-08-30")),
                3: None,
            },
            id="recertification-outside-its-days",
        ),
        pytest.param(
            t36(break_months=6),
            [
                worked("2020-01-01", "2021-12-31"),
                worked("2023-01-01"),
                took(CIT, "2021-05-01", key=1),
                took(CIT, "2022-05-01", key=2),
            ],
            {1: Lack(Refusal.WIPED), 2: None},
            id="wiped-by-a-break",
        ),
    ],
)
def test_what_completions_lack(rules: Edition, facts: list[Any], lacks: dict[int, Lack | None]) -> None:
    verdicts = why(rules, member(*facts), "2024-06-01").verdicts

    assert {verdict.completion.key: verdict.lack for verdict in verdicts} == lacks


def test_the_completion_that_the_answer_rests_on() -> None:
    facts = member(took(CIT, "2020-05-01", key=1), took(REFRESHER, "2023-05-01", key=2))

    explanation = why(t36(), facts, "2024-06-01")

    assert explanation.basis == 2
    assert [(verdict.completion.key, verdict.is_basis) for verdict in explanation.verdicts] == [(1, False), (2, True)]


def test_hours_spent_and_hours_that_wait() -> None:
    facts = member(
        took(REFRESHER, "2022-01-10", key=1),
        took(REFRESHER, "2024-01-10", key=2, hours=6),
        took(REFRESHER, "2024-02-10", key=3, hours=6),
        took(REFRESHER, "2024-03-10", key=4, hours=1.5),
    )

    explanation = why(hours(8, hours_window_months=12), facts, "2024-06-01")

    assert [(v.completion.key, v.use, v.credited_on, v.is_basis) for v in explanation.verdicts] == [
        (1, Use.REFUSED, None, False),
        (2, Use.SUMMED, d("2024-02-10"), False),
        (3, Use.SUMMED, d("2024-02-10"), True),
        (4, Use.ADDED, None, False),
    ]
    assert explanation.hours == Hours(asked=8, counted=1.5, reached_on=d("2024-02-10"), surplus=4)


def test_rolling_hours_that_count_on_the_day() -> None:
    facts = member(
        took(REFRESHER, "2023-05-31", key=1), took(REFRESHER, "2024-01-10", key=2), took(CIT, "2024-02-10", key=3)
    )

    explanation = why(rolling(8, 12), facts, "2024-06-01")

    assert [(v.completion.key, v.use, v.is_basis) for v in explanation.verdicts] == [
        (1, Use.REFUSED, False),
        (2, Use.ADDED, False),
        (3, Use.ADDED, True),
    ]
    assert explanation.hours == Hours(asked=8, counted=44, reached_on=None, surplus=0)


# Section 6: how the date came about


@pytest.mark.parametrize(
    ("rules", "facts", "limit"),
    [
        pytest.param(t36(), [], None, id="no-credit"),
        pytest.param(
            t36(),
            [took(CIT, "2023-06-30", key=1)],
            CreditLimit(
                basis=1,
                credited_on=d("2023-06-30"),
                origin=d("2023-06-30"),
                is_printed=False,
                base_on=d("2026-06-30"),
                leave=(),
                tolled_on=d("2026-06-30"),
                through_on=d("2026-06-30"),
                is_extended=False,
            ),
            id="rolling",
        ),
        pytest.param(
            edition(),
            [took(CIT, "2023-06-30", key=1)],
            CreditLimit(1, d("2023-06-30"), d("2023-06-30"), False, None, (), None, None, False),
            id="for-good",
        ),
        pytest.param(
            toll(),
            [took(CIT, "2023-06-30", key=1), away("2023-06-01", "2023-07-09"), away("2026-04-01", "2027-01-31")],
            CreditLimit(
                basis=1,
                credited_on=d("2023-06-30"),
                origin=d("2023-06-30"),
                is_printed=False,
                base_on=d("2026-06-30"),
                leave=(Days(d("2023-07-01"), d("2023-07-09")), Days(d("2026-04-01"), d("2027-01-31"))),
                tolled_on=d("2027-05-11"),
                through_on=d("2027-05-11"),
                is_extended=False,
            ),
            id="tolled",
        ),
        pytest.param(
            toll(),
            [took(CIT, "2023-06-30", key=1), away("2024-01-01")],
            CreditLimit(
                basis=1,
                credited_on=d("2023-06-30"),
                origin=d("2023-06-30"),
                is_printed=False,
                base_on=d("2026-06-30"),
                leave=(Days(d("2024-01-01"), None),),
                tolled_on=None,
                through_on=None,
                is_extended=False,
            ),
            id="tolled-for-ever",
        ),
        pytest.param(
            toll(),
            [took(CIT, "2023-06-30", key=1), away("2026-07-01", "2026-07-31")],
            CreditLimit(
                1, d("2023-06-30"), d("2023-06-30"), False, d("2026-06-30"), (), d("2026-06-30"), d("2026-06-30"), False
            ),
            id="leave-after-the-limit",
        ),
        pytest.param(
            keep(leave=LeaveRule.TOLL),
            [
                took(CIT, "2021-08-31", key=1),
                took(REFRESHER, "2024-06-15", key=2),
                away("2024-05-01", "2024-05-10"),
                away("2025-01-01", "2025-01-02"),
                extended("2030-01-31", "2024-06-20"),
            ],
            CreditLimit(
                basis=2,
                credited_on=d("2024-06-15"),
                origin=d("2024-09-10"),
                is_printed=False,
                base_on=d("2027-09-10"),
                leave=(Days(d("2025-01-01"), d("2025-01-02")),),
                tolled_on=d("2027-09-12"),
                through_on=d("2030-01-31"),
                is_extended=True,
            ),
            id="anchor-toll-and-extension",
        ),
        pytest.param(
            certificate(),
            [took(CIT, "2023-06-30", key=1, certificate_expires_on=d("2025-12-31"))],
            CreditLimit(
                1, d("2023-06-30"), d("2023-06-30"), True, d("2025-12-31"), (), d("2025-12-31"), d("2025-12-31"), False
            ),
            id="printed",
        ),
        pytest.param(
            rolling(8, 12, leave=LeaveRule.TOLL),
            [
                took(REFRESHER, "2024-01-10", key=1),
                took(REFRESHER, "2024-02-10", key=2),
                away("2024-03-01", "2024-03-31"),
            ],
            CreditLimit(
                2, d("2024-02-10"), d("2024-02-10"), False, d("2025-01-10"), (), d("2025-01-10"), d("2025-01-10"), False
            ),
            id="rolling-hours",
        ),
    ],
)
def test_the_credit_limit(rules: Edition, facts: list[Any], limit: CreditLimit | None) -> None:
    assert why(rules, member(*facts), "2024-06-30").limit == limit


@pytest.mark.parametrize(
    ("rules", "facts", "first"),
    [
        pytest.param(
            t36(entry_grace_days=180),
            [],
            FirstDeadline(d("2026-05-10"), d("2026-11-06"), None, (), d("2026-11-06")),
            id="days-after-joining",
        ),
        pytest.param(
            toll(entry_grace_days=180, entry_due_on=d("2026-12-31")),
            [away("2026-05-01", "2026-05-10"), away("2027-01-01", "2027-01-31")],
            FirstDeadline(
                d("2026-05-10"),
                d("2026-11-06"),
                d("2026-12-31"),
                (Days(d("2026-05-10"), d("2026-05-10")), Days(d("2027-01-01"), d("2027-01-31"))),
                d("2027-02-01"),
            ),
            id="due-on-and-leave",
        ),
        pytest.param(
            cycle(),
            [],
            FirstDeadline(d("2026-05-10"), d("2029-08-31"), None, (), d("2029-08-31")),
            id="end-of-the-window",
        ),
    ],
)
def test_the_first_deadline(rules: Edition, facts: list[Any], first: FirstDeadline) -> None:
    assert why(rules, member(worked("2026-05-10"), *facts), "2026-05-10").first_deadline == first


def test_returns_from_leave() -> None:
    facts = member(
        worked("2020-01-01", "2020-12-31"),
        worked("2021-06-01"),
        took(CIT, "2021-06-10"),
        away("2020-03-01", "2020-03-31"),
        away("2021-05-01", "2021-06-30"),
        away("2022-01-01", "2022-01-09"),
        away("2024-07-01", "2024-07-31"),
        away("2024-09-01"),
    )

    explanation = why(exclude(leave_min_days=10), facts, "2024-08-31")

    assert explanation.returns == (
        Return(Days(d("2021-05-01"), d("2021-06-30")), d("2021-07-01"), d("2021-08-30"), None),
        Return(Days(d("2022-01-01"), d("2022-01-09")), d("2022-01-10"), None, NoDaysBack.TOO_SHORT),
        Return(Days(d("2024-07-01"), d("2024-07-31")), d("2024-08-01"), None, NoDaysBack.WAS_OVERDUE),
    )


def test_approvals() -> None:
    extensions = [
        extended("2021-12-31", "2019-12-31"),
        extended("2020-12-31", "2020-01-20"),
        extended("2020-11-30", "2020-01-20"),
        extended("2021-12-31", "2021-01-01"),
        extended("2026-06-30", "2024-06-01"),
        extended("2026-06-29", "2024-06-01"),
        extended("2026-06-29", "2024-06-02"),
        extended("2027-06-30", "2026-07-01"),
        extended("2028-06-30", "2026-07-02"),
        extended("2024-06-30", "2024-06-01", requirement=7),
    ]
    facts = member(took(CIT, "2022-03-31"), *extensions)

    explanation = why(t36(entry_grace_days=30), facts, "2026-07-01")

    assert explanation.approvals == (
        Approval(extensions[0], None, None, False),
        Approval(extensions[2], Target.DEADLINE, d("2020-01-31"), True),
        Approval(extensions[1], Target.DEADLINE, d("2020-01-31"), True),
        Approval(extensions[3], None, d("2020-12-31"), False),
        Approval(extensions[5], Target.LIMIT, d("2025-03-31"), True),
        Approval(extensions[4], Target.LIMIT, d("2025-03-31"), True),
        Approval(extensions[6], Target.LIMIT, d("2026-06-30"), False),
        Approval(extensions[7], None, d("2026-06-30"), False),
    )


def test_what_excuses() -> None:
    facts = member(
        away("2024-05-01", "2024-05-31"), away("2024-06-01", "2024-06-30"), waived("2024-06-30", "2024-07-31")
    )

    both, waiver, neither = [why(exclude(), facts, day) for day in ("2024-06-30", "2024-07-01", "2024-08-01")]

    assert (both.state, both.reason) == (EXCUSED, Reason.ON_WAIVER)
    assert (both.leave, both.waiver) == (
        Days(d("2024-05-01"), d("2024-06-30")),
        Days(d("2024-06-30"), d("2024-07-31")),
    )
    assert (waiver.leave, waiver.waiver) == (None, Days(d("2024-06-30"), d("2024-07-31")))
    assert (neither.leave, neither.waiver) == (None, None)


def test_leave_under_toll_excuses_nobody() -> None:
    assert why(toll(), member(away("2024-05-01", "2024-05-31")), "2024-05-15").leave is None


def test_the_return_that_wiped_credit() -> None:
    facts = member(worked("2020-01-01", "2021-12-31"), worked("2023-01-01"))

    assert why(t36(break_months=12), facts, "2021-12-31").wiped_on is None
    assert why(t36(break_months=12), facts, "2023-01-01").wiped_on == d("2023-01-01")


def test_a_leave_that_outlasts_a_break_and_found_the_member_current() -> None:
    facts = member(
        worked("2020-01-01", "2022-02-28"),
        worked("2023-03-01"),
        took(CIT, "2021-05-01"),
        away("2022-02-01", "2023-03-31"),
    )

    explanation = why(t36(break_months=12, leave=LeaveRule.EXCLUDE, return_grace_days=60), facts, "2023-04-01")

    assert (explanation.state, explanation.due_on) == (State.IN_GRACE, d("2023-05-31"))
    assert [back.why_not for back in explanation.returns] == [None]


def test_outside_membership_there_is_nothing_to_explain() -> None:
    assert explain([edition(population=PATROL)], member(), d("2024-06-01")) is None


def test_the_edition_of_the_day_explains() -> None:
    rules = [edition(effective_to=d("2024-05-31")), t36(key=2, effective_from=d("2024-06-01"))]

    assert [why(rules, member(), day).edition.key for day in ("2024-05-31", "2024-06-01")] == [1, 2]


# What would change it


@pytest.mark.parametrize(
    ("rules", "facts", "remedies"),
    [
        pytest.param(edition(), [], (Remedy(Change.ENTRY),), id="overdue-without-entry"),
        pytest.param(edition(), [took(CIT, "2024-05-01")], (), id="current-for-good"),
        pytest.param(
            t36(),
            [took(CIT, "2024-05-01")],
            (Remedy(Change.ENTRY, by_on=d("2027-05-01")), Remedy(Change.REFRESHER, by_on=d("2027-05-01"))),
            id="current",
        ),
        pytest.param(
            t36(),
            [took(CIT, "2021-05-01")],
            (Remedy(Change.ENTRY), Remedy(Change.REFRESHER)),
            id="overdue",
        ),
        pytest.param(
            t36(entry_courses=frozenset(), entry_grace_days=10**4),
            [],
            (Remedy(Change.REFRESHER, by_on=d("2047-05-19")),),
            id="in-grace-no-entry-asked",
        ),
        pytest.param(
            t36(refresher_min_tenure_months=12),
            [took(CIT, "2024-05-01")],
            (
                Remedy(Change.ENTRY, by_on=d("2027-05-01")),
                Remedy(Change.REFRESHER, from_on=d("2025-05-01"), by_on=d("2027-05-01")),
            ),
            id="before-tenure",
        ),
        pytest.param(
            t36(refresher_min_tenure_months=48),
            [took(CIT, "2024-05-01")],
            (Remedy(Change.ENTRY, by_on=d("2027-05-01")),),
            id="tenure-after-the-due-date",
        ),
        pytest.param(
            certificate(refresher_courses=frozenset()),
            [took(CIT, "2022-05-01")],
            (
                Remedy(Change.ENTRY, by_on=d("2025-05-01")),
                Remedy(Change.RECERTIFICATION, from_on=d("2025-03-02"), by_on=d("2025-05-01")),
            ),
            id="before-the-days-of-recertification",
        ),
        pytest.param(
            certificate(refresher_courses=frozenset()),
            [took(CIT, "2021-05-01")],
            (Remedy(Change.ENTRY), Remedy(Change.RECERTIFICATION, by_on=d("2024-07-30"))),
            id="in-the-days-of-recertification",
        ),
        pytest.param(
            certificate(refresher_courses=frozenset()),
            [took(CIT, "2020-05-01")],
            (Remedy(Change.ENTRY),),
            id="past-the-days-of-recertification",
        ),
        pytest.param(
            cycle(cycle_start=d("2025-01-01"), refresher_courses=frozenset()),
            [took(CIT, "2020-05-01")],
            (Remedy(Change.ENTRY, from_on=d("2025-01-01"), by_on=d("2028-12-31")),),
            id="before-the-first-window",
        ),
        pytest.param(
            hours(8),
            [took(REFRESHER, "2024-05-01", hours=2.5)],
            (Remedy(Change.HOURS, hours=5.5),),
            id="hours-missing",
        ),
        pytest.param(
            hours(8),
            [took(CIT, "2024-05-01"), took(REFRESHER, "2024-05-02", hours=3)],
            (Remedy(Change.HOURS, by_on=d("2027-05-01"), hours=5),),
            id="hours-for-the-next-sum",
        ),
        pytest.param(
            rolling(8, 12),
            [took(REFRESHER, "2023-10-01"), took(REFRESHER, "2024-01-01", hours=5)],
            (Remedy(Change.HOURS, by_on=d("2024-10-01"), hours=3),),
            id="rolling-hours-for-the-day-after",
        ),
        pytest.param(
            rolling(8, 12),
            [took(REFRESHER, "2023-05-01"), took(REFRESHER, "2024-01-01", hours=5)],
            (Remedy(Change.HOURS, hours=3),),
            id="rolling-hours-missing",
        ),
        pytest.param(
            hours(8, entry_courses=frozenset(), refresher_courses=frozenset()), [], (), id="no-course-would-help"
        ),
        pytest.param(
            t36(),
            [
                took(CIT, "2024-05-01", evidence=Evidence.PENDING, key=5),
                took(CPR, "2024-05-01", evidence=Evidence.PENDING),
            ],
            (Remedy(Change.ENTRY), Remedy(Change.VERIFY, completion=5)),
            id="evidence-that-waits",
        ),
        pytest.param(
            t36(min_score=80),
            [took(CIT, "2024-05-01", evidence=Evidence.PENDING)],
            (Remedy(Change.ENTRY),),
            id="evidence-that-would-not-help",
        ),
        pytest.param(exclude(), [away("2024-05-01", "2024-06-30")], (), id="excused"),
        pytest.param(
            exclude(),
            [away("2024-05-01", "2024-06-30"), took(CIT, "2024-05-01", evidence=Evidence.PENDING)],
            (),
            id="excused-whatever-is-verified",
        ),
    ],
)
def test_what_would_change_it(rules: Edition, facts: list[Any], remedies: tuple[Remedy, ...]) -> None:
    joined = [] if rules.entry_grace_days == 0 else [worked("2020-01-01")]

    assert why(rules, member(*joined, *facts), "2024-06-01").remedies == remedies


# Agreement with the timeline, over editions and facts of every kind

START = date(2020, 1, 1)
DAYS = st.integers(0, 1500).map(lambda days: START + timedelta(days))
OPEN_DAYS = st.none() | DAYS
COURSES = (
    CIT,
    REFRESHER,
    CPR,
    RECERT,
    same(CPR, CIT, "2021-01-01", "2023-01-01"),
    same(replace(CIT, key=9, hours=16), REFRESHER),
)


@st.composite
def spans(draw: st.DrawFn, latest: int = 1500) -> tuple[date, date | None]:
    start = draw(DAYS)
    length = draw(st.none() | st.integers(0, latest))
    return start, None if length is None else start + timedelta(length)


@st.composite
def editions(draw: st.DrawFn) -> list[Edition]:
    made: list[Edition] = []
    starts = [date(2019, 1, 1), *draw(st.lists(DAYS, max_size=1, unique=True))]
    for key, start in enumerate(starts, 1):
        clock = draw(st.sampled_from(Clock))
        is_cycle = clock is Clock.CYCLE
        due = (FirstDue.WINDOW_END, FirstDue.NEXT_WINDOW_END) if is_cycle else tuple(FirstDue)[:3]
        made.append(
            Edition(
                key=key,
                effective_from=start,
                effective_to=None,
                population=draw(
                    st.sampled_from(
                        [
                            Population(),
                            PATROL,
                            Population(designations=frozenset({"cit"})),
                            Population(ranks=frozenset({1}), acting_counts=True),
                        ]
                    )
                ),
                entry_courses=frozenset(draw(st.sampled_from([{1}, {1, 3}, set[int]()]))),
                refresher_courses=frozenset(draw(st.sampled_from([{2}, {2, 3}, set[int]()]))),
                recert_courses=frozenset({4}),
                refresher_stands_alone=draw(st.booleans()),
                refresher_min_tenure_months=draw(st.sampled_from([0, 0, 6])),
                min_hours=draw(st.sampled_from([0, 0, 16])),
                min_block_hours=draw(st.sampled_from([0, 0, 3])),
                min_score=draw(st.sampled_from([0, 0, 80])),
                hours=draw(st.sampled_from([0, 0, 0, 8, 20])),
                hours_model=draw(st.sampled_from(HoursModel)),
                hours_window_months=draw(st.sampled_from([6, 24])),
                clock=clock,
                months=draw(st.sampled_from([6, 12])),
                years=draw(st.sampled_from([0, 1])),
                cycle_start=draw(DAYS),
                recert_before_days=60,
                recert_after_days=draw(st.sampled_from([0, 90])),
                early=draw(st.sampled_from(Early)),
                keep_anchor_days=90,
                first_due=draw(st.sampled_from(due)),
                entry_grace_days=draw(st.sampled_from([0, 60])),
                entry_due_on=draw(st.none() | DAYS),
                leave=draw(st.sampled_from(LeaveRule)),
                leave_min_days=draw(st.sampled_from([0, 30])),
                return_grace_days=30,
                break_months=draw(st.sampled_from([0, 0, 3])),
            )
        )
    return made


@st.composite
def members(draw: st.DrawFn) -> MemberFacts:
    return MemberFacts(
        employments=[
            worked(start.isoformat(), end.isoformat() if end else "")
            for start, end in [(START, date(2021, 6, 30)), (date(2022, 1, 1), None)][draw(st.integers(0, 1)) :]
        ],
        assignments=[posted("2020-01-01", "2022-03-31"), posted("2022-05-01", rank=2)],
        acting=[
            Assignment(start, end, 1, "patrol", 1, draw(st.sampled_from([1, 2, None])))
            for start, end in draw(st.lists(spans(latest=200), max_size=2))
        ],
        designations=[
            holds(start.isoformat(), end.isoformat() if end else "")
            for start, end in draw(st.lists(spans(), max_size=2))
        ],
        leaves=[
            away(start.isoformat(), end.isoformat() if end else "")
            for start, end in draw(st.lists(spans(latest=90), max_size=3))
        ],
        completions=[
            Completion(
                key,
                draw(st.sampled_from(COURSES)),
                day,
                hours=draw(st.sampled_from([None, None, 2, 8])),
                score=draw(st.sampled_from([None, 90])),
                evidence=draw(st.sampled_from([Evidence.VERIFIED, Evidence.VERIFIED, Evidence.PENDING])),
                certificate_expires_on=draw(st.none() | DAYS),
                lesson_plan=draw(st.none() | st.builds(LessonPlan, DAYS, OPEN_DAYS)),
            )
            for key, day in enumerate(draw(st.lists(DAYS, max_size=7)), 1)
        ],
        waivers=[
            waived(start.isoformat(), (start + timedelta(20)).isoformat()) for start in draw(st.lists(DAYS, max_size=1))
        ],
        extensions=[
            extended(until_on.isoformat(), approved_on.isoformat())
            for until_on, approved_on in draw(st.lists(st.tuples(DAYS, DAYS), max_size=3))
        ],
    )


def latest(*days: date | None) -> date:
    return max([day for day in days if day is not None], default=date.min)


@settings(deadline=None, max_examples=100)
@given(editions(), members(), DAYS)
def test_an_explanation_agrees_with_the_timeline(rules: list[Edition], facts: MemberFacts, day: date) -> None:
    line = [p for p in timeline(rules, facts) if p.start_on <= day and (p.end_on is None or day <= p.end_on)]

    explanation = explain(rules, facts, day)

    if explanation is None:
        assert line == []
        return
    (period,) = line
    assert (explanation.edition.key, explanation.state, explanation.due_on, explanation.reason) == (
        period.edition,
        period.state,
        period.due_on,
        period.reason,
    )
    assert (explanation.basis, explanation.has_credit) == (period.basis, period.has_credit)
    rests_on = [verdict.completion.key for verdict in explanation.verdicts if verdict.is_basis]
    assert rests_on == ([] if period.basis is None else [period.basis])
    uses = {verdict.use for verdict in explanation.verdicts}
    assert explanation.has_credit or not uses & {Use.CREDIT, Use.NO_LIMIT, Use.SUMMED}


@settings(deadline=None, max_examples=100)
@given(editions(), members(), DAYS)
def test_the_parts_of_a_date_make_the_date(rules: list[Edition], facts: MemberFacts, day: date) -> None:
    explanation = explain(rules, facts, day)

    if explanation is None or explanation.due_on is None:
        return
    first, limit = explanation.first_deadline, explanation.limit
    if explanation.state is CURRENT:
        assert limit is not None
        assert explanation.due_on == limit.through_on
    else:
        back = [row.due_on for row in explanation.returns]
        granted = [row.extension.until_on for row in explanation.approvals if row.target is Target.DEADLINE]
        assert explanation.due_on in (limit and limit.through_on, first.due_on, *back, *granted)
    for base, leave, moved in (
        (latest(first.rule_on, first.entry_due_on), first.leave, first.due_on),
        *([(limit.base_on, limit.leave, limit.tolled_on)] if limit else []),
    ):
        if base is not None and moved is not None:
            length = sum((days.end_on - days.start_on).days + 1 for days in leave if days.end_on)
            assert base + timedelta(length) == moved
    if limit is not None and not limit.is_extended:
        assert limit.through_on == limit.tolled_on


@settings(deadline=None, max_examples=100)
@given(editions(), members(), DAYS)
def test_what_is_said_to_help_helps(rules: list[Edition], facts: MemberFacts, day: date) -> None:
    """A course without flaw on the day makes current; hours that are missing do; verifying changes the answer."""
    explanation = explain(rules, facts, day)
    if explanation is None:
        return
    listed = {
        Change.ENTRY: explanation.edition.entry_courses,
        Change.REFRESHER: explanation.edition.refresher_courses - explanation.edition.entry_courses,
        Change.RECERTIFICATION: {RECERT.key},
        Change.HOURS: explanation.edition.entry_courses | explanation.edition.refresher_courses,
    }

    for remedy in explanation.remedies:
        if remedy.change is Change.VERIFY:
            completions = [
                replace(done, evidence=Evidence.VERIFIED) if done.key == remedy.completion else done
                for done in facts.completions
            ]
        elif remedy.from_on is None and listed[remedy.change]:
            course = replace(CIT, key=min(listed[remedy.change]), hours=40)
            taken = Completion(999, course, day, hours=remedy.hours and max(remedy.hours, 3), score=100)
            completions = [*facts.completions, taken]
        else:
            continue
        changed = explain(rules, replace(facts, completions=completions), day)
        assert changed is not None
        if remedy.change is Change.VERIFY:
            assert (changed.state, changed.due_on) != (explanation.state, explanation.due_on)
        else:
            assert changed.state is State.CURRENT


@settings(deadline=None, max_examples=100)
@given(editions(), members(), DAYS)
def test_what_happens_after_the_day_explains_nothing(rules: list[Edition], facts: MemberFacts, day: date) -> None:
    """Completions and approvals after the day asked; employment, assignments and leave are known as recorded."""
    known = replace(
        facts,
        completions=[done for done in facts.completions if done.completed_on <= day],
        extensions=[row for row in facts.extensions if row.approved_on <= day],
    )

    everything, explanation = explain(rules, facts, day), explain(rules, known, day)

    if everything is not None:
        seen = tuple(v for v in everything.verdicts if v.lack is None or v.lack.why is not Refusal.AFTER_THE_DAY)
        everything = replace(everything, verdicts=seen)
    assert everything == explanation
