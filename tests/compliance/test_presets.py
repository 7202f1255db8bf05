"""The shipped requirements: each gives the answers that its programme is known for, on the days where they turn."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from compliance import coverage, goals, requirements
from compliance.models import Goal, Requirement
from roster.facts import Via, recording
from roster.models import Employment, Officer, Unit
from tests import factories as make
from training.models import Course

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 21)


def load(*codes: str) -> None:
    requirements.load_presets(codes, today=TODAY)


def on(officer: Officer, requirement: str, *days: str) -> list[str]:
    """The state and the due date on each of these days: `current 2026-03-17`."""
    found = []
    for day in days:
        row = (
            coverage.standings_on(date.fromisoformat(day))
            .filter(officer=officer, requirement__code=requirement)
            .first()
        )
        found.append("not asked" if row is None else f"{row.state} {row.due_on or 'for good'}")
    return found


def finish(officer: Officer, course: str, day: str, **values: Any) -> None:
    make.complete(officer, Course.objects.get(code=course), date.fromisoformat(day), **values)


def designate(officer: Officer, code: str, start: str, end: str | None = None, *, is_voluntary: bool = False) -> None:
    last = date.fromisoformat(end) if end else None
    make.designate(officer, code, date.fromisoformat(start), last, is_voluntary=is_voluntary)


def patrol_officer(hired_on: date = date(2016, 3, 4)) -> Officer:
    unit = make.make_unit(function="patrol")
    return make.make_officer(unit=unit, hired_on=hired_on)


# CALEA


def test_calea_entry_is_met_once_by_any_entry_course_within_a_year() -> None:
    load("calea-41.2.7-entry")
    trained, untrained = make.make_officer(), make.make_officer(hired_on=date(2025, 1, 6), category="telecommunicator")
    finish(trained, "MHFA-PS", "2016-05-02")

    assert on(trained, "calea-41.2.7-entry", "2016-05-01", "2016-05-02", "2060-01-01") == [
        "in_grace 2017-03-04",
        "current for good",
        "current for good",
    ]
    assert on(untrained, "calea-41.2.7-entry", "2026-01-06", "2026-01-07") == [
        "in_grace 2026-01-06",
        "overdue 2026-01-06",
    ]


@pytest.mark.parametrize(
    ("reading", "last", "after"),
    [
        pytest.param("calea-41.2.7-refresher", "2026-03-17", "2026-03-18", id="36-months"),
        pytest.param("calea-41.2.7-refresher-calendar", "2026-12-31", "2027-01-01", id="third-calendar-year"),
        pytest.param("calea-41.2.7-refresher-annual", "2024-12-31", "2025-01-01", id="every-calendar-year"),
    ],
)
def test_calea_refresher_under_each_reading(reading: str, last: str, after: str) -> None:
    load(reading)
    officer = make.make_officer()
    finish(officer, "CIT-40", "2016-05-02")
    finish(officer, "CIT-REF-4", "2023-03-17")

    assert on(officer, "calea-41.2.7-refresher", last, after) == [f"current {last}", f"overdue {last}"]


def test_calea_refresher_gives_60_days_after_leave() -> None:
    load("calea-41.2.7-refresher")
    officer = make.make_officer()
    finish(officer, "CIT-40", "2023-06-30")
    make.take_leave(officer, date(2026, 4, 1), date(2027, 1, 31))

    assert on(officer, "calea-41.2.7-refresher", "2026-07-15", "2027-02-01", "2027-04-02", "2027-04-03") == [
        "excused for good",
        "in_grace 2027-04-02",
        "in_grace 2027-04-02",
        "overdue 2027-04-02",
    ]


def test_calea_annual_hours_add_up_within_twelve_months() -> None:
    load("calea-33.5.1-annual")
    together, apart = make.make_officer(), make.make_officer()
    finish(together, "IN-SERVICE", "2024-02-29", hours=5)
    finish(together, "IN-SERVICE", "2025-02-28", hours=3)
    finish(apart, "IN-SERVICE", "2024-02-29", hours=5)
    finish(apart, "IN-SERVICE", "2025-03-01", hours=3)

    assert on(together, "calea-33.5.1-annual", "2025-02-27", "2025-02-28", "2026-12-31", "2027-01-01") == [
        "overdue 2017-03-04",
        "current 2026-12-31",
        "current 2026-12-31",
        "overdue 2026-12-31",
    ]
    assert on(apart, "calea-33.5.1-annual", "2025-03-01") == ["overdue 2017-03-04"]


# Patrol and its volunteers


def test_all_patrol_gives_new_arrivals_180_days() -> None:
    load("all-patrol")
    officer = patrol_officer(hired_on=date(2026, 5, 10))

    assert on(officer, "all-patrol", "2026-05-09", "2026-05-10", "2026-11-06", "2026-11-07") == [
        "not asked",
        "in_grace 2026-11-06",
        "in_grace 2026-11-06",
        "overdue 2026-11-06",
    ]


def test_cit_30_asks_no_patrol_officer_to_volunteer_and_refreshes_those_who_did() -> None:
    load("cit-30")
    volunteer, sent, untrained = patrol_officer(), patrol_officer(), patrol_officer()
    for officer in (volunteer, sent):
        finish(officer, "CIT-40", "2023-01-20")
    designate(volunteer, "cit", "2023-01-20", is_voluntary=True)
    designate(sent, "cit", "2023-01-20")

    assert on(volunteer, "cit-30", "2040-01-01") == on(sent, "cit-30", "2040-01-01") == ["current for good"]
    assert on(untrained, "cit-30", "2040-01-01") == ["in_grace 2199-12-31"]
    assert on(volunteer, "cit-30-refresher", "2023-01-19", "2026-01-20", "2026-01-21") == [
        "not asked",
        "current 2026-01-20",
        "overdue 2026-01-20",
    ]
    assert on(sent, "cit-30-refresher", "2026-01-21") == ["not asked"]


def test_memphis_asks_volunteers_from_24_months_of_service_on() -> None:
    load("memphis-25")
    volunteer, appointed = (patrol_officer(hired_on=date(2024, 1, 15)) for _ in range(2))
    designate(volunteer, "cit", "2024-06-03", is_voluntary=True)
    designate(appointed, "cit", "2024-06-03")
    finish(volunteer, "CIT-40", "2024-06-07")

    assert on(volunteer, "memphis-25-in-service", "2026-01-14", "2026-01-15", "2026-06-07") == [
        "not asked",
        "current 2026-06-07",
        "current 2026-06-07",
    ]
    # joined with the 24 months on 15 January 2026: nobody is overdue before 180 days
    assert on(volunteer, "memphis-25-in-service", "2026-06-08", "2026-07-14", "2026-07-15") == [
        "in_grace 2026-07-14",
        "in_grace 2026-07-14",
        "overdue 2026-07-14",
    ]
    assert on(appointed, "memphis-25-in-service", "2026-07-15") == ["not asked"]


def test_memphis_in_service_carries_24_months() -> None:
    load("memphis-25")
    volunteer = patrol_officer()
    designate(volunteer, "cit", "2019-06-03", is_voluntary=True)
    finish(volunteer, "CIT-40", "2019-06-07")
    finish(volunteer, "CRISIS-IS", "2024-02-29", hours=2)

    assert on(volunteer, "memphis-25-in-service", "2024-02-28", "2026-02-28", "2026-03-01") == [
        "overdue 2021-06-07",
        "current 2026-02-28",
        "overdue 2026-02-28",
    ]


def test_certified_cit_lapses_after_36_months_and_is_asked_of_the_designated_only() -> None:
    load("certified-cit-36")
    officer, other = patrol_officer(), patrol_officer()
    finish(officer, "CIT-40", "2020-09-14")
    finish(officer, "CIT-REF-8", "2023-09-14")
    finish(other, "CIT-40", "2020-09-14")
    designate(officer, "cit", "2020-09-14", "2026-12-31")

    assert on(officer, "certified-cit-36", "2026-09-14", "2026-09-15", "2027-01-01") == [
        "current 2026-09-14",
        "overdue 2026-09-14",
        "not asked",
    ]
    assert on(other, "certified-cit-36", "2023-09-15") == ["not asked"]
    assert on(other, "certified-cit-36-watches", "2023-09-14", "2023-09-15") == [
        "current 2023-09-14",
        "in_grace 2199-12-31",
    ]


def test_certified_cit_asks_a_designated_officer_without_credit_at_once() -> None:
    load("certified-cit-36")
    officer = make.make_officer()
    designate(officer, "cit", "2026-02-02")

    assert on(officer, "certified-cit-36", "2026-02-01", "2026-02-02", "2026-02-03") == [
        "not asked",
        "in_grace 2026-02-02",
        "overdue 2026-02-02",
    ]


@pytest.mark.parametrize(
    ("course", "hours", "sworn", "designated"),
    [
        pytest.param("CRISIS-16", 16, "current for good", "overdue 2016-08-31", id="16-h"),
        pytest.param("CRISIS-16", 15.99, "overdue 2017-03-04", "overdue 2016-08-31", id="below-16-h"),
        pytest.param("CRISIS-16", 24, "current for good", "overdue 2016-08-31", id="24-h"),
        pytest.param("CIT-40", 40, "current for good", "current 2028-04-02", id="40-h"),
        pytest.param("CIT-40", 39.99, "current for good", "overdue 2016-08-31", id="below-40-h"),
    ],
)
def test_tiers_ask_16_hours_of_everybody_and_40_of_the_designated(
    course: str, hours: float, sworn: str, designated: str
) -> None:
    load("tiered")
    officer = make.make_officer()
    designate(officer, "cit", "2016-03-04")
    finish(officer, course, "2025-04-02", hours=hours)

    assert on(officer, "tiered-sworn", "2025-04-02") == [sworn]
    assert on(officer, "tiered-designated", "2025-04-02") == [designated]


# Certificates, cycles and years


@pytest.mark.parametrize(
    ("course", "day", "after"),
    [
        pytest.param("MHFA-PS-RECERT", "2025-03-10", "current 2028-03-10", id="on-the-last-day"),
        pytest.param("MHFA-PS-RECERT", "2025-06-08", "current 2028-06-08", id="90-days-past-it"),
        pytest.param("MHFA-PS-RECERT", "2025-06-09", "overdue 2025-03-10", id="91-days-past-it"),
        pytest.param("MHFA-PS", "2025-06-09", "current 2028-06-09", id="full-course-91-days-past-it"),
    ],
)
def test_mhfa_recertifies_until_90_days_after_the_certificate(course: str, day: str, after: str) -> None:
    load("mhfa-8")
    officer = make.make_officer()
    finish(officer, "MHFA-PS", "2022-03-10")
    finish(officer, course, day)

    assert on(officer, "mhfa-8", "2022-03-10", day) == ["current 2025-03-10", after]


def test_mhfa_goes_by_the_day_printed_on_the_certificate_and_never_counts_as_cit() -> None:
    load("mhfa-8", "all-patrol")
    officer = patrol_officer()
    finish(officer, "MHFA-PS", "2022-03-10", certificate_expires_on=date(2025, 3, 31))

    assert on(officer, "mhfa-8", "2025-03-31", "2025-04-01") == ["current 2025-03-31", "overdue 2025-03-31"]
    assert on(officer, "all-patrol", "2022-03-10") == ["overdue 2016-08-31"]


def test_mhfa_cannot_begin_with_the_short_course() -> None:
    load("mhfa-8")
    officer = make.make_officer()
    finish(officer, "MHFA-PS-RECERT", "2022-03-10")

    assert on(officer, "mhfa-8", "2022-03-10") == ["overdue 2016-08-31"]


def test_washington_asks_from_the_first_of_january_after_certification() -> None:
    load("wa-annual-2h")
    officer = make.make_officer()
    designate(officer, "peace-officer-certificate", "2025-06-15")

    assert on(officer, "wa-annual-2h", "2025-06-14", "2025-06-15", "2026-12-31", "2027-01-01") == [
        "not asked",
        "in_grace 2026-12-31",
        "in_grace 2026-12-31",
        "overdue 2026-12-31",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"score": 80}, "current 2028-12-31", id="score-80"),
        pytest.param({"score": 79.99}, "overdue 2026-12-31", id="score-79.99"),
        pytest.param({}, "overdue 2026-12-31", id="no-score"),
        pytest.param({"score": 95, "hours": 1.99}, "overdue 2026-12-31", id="below-2-h"),
    ],
)
def test_washington_asks_2_hours_and_a_score_of_80(values: dict[str, Any], expected: str) -> None:
    load("wa-annual-2h")
    officer = make.make_officer()
    designate(officer, "peace-officer-certificate", "2025-06-15")
    finish(officer, "CRISIS-2", "2027-02-03", **values)

    assert on(officer, "wa-annual-2h", "2027-02-03") == [expected]


@pytest.mark.parametrize(
    ("taken_on", "first_cycle_ends", "next_cycle_begins"),
    [
        pytest.param("2025-08-31", "current 2029-08-31", "current 2029-08-31", id="last-day-of-the-cycle"),
        pytest.param("2021-09-01", "current 2029-08-31", "current 2029-08-31", id="first-day-of-the-cycle"),
        pytest.param("2021-08-31", "in_grace 2025-08-31", "overdue 2025-08-31", id="before-the-cycle"),
    ],
)
def test_texas_cycle_runs_from_september_2021_through_august_2025(
    taken_on: str, first_cycle_ends: str, next_cycle_begins: str
) -> None:
    load("tx-crisis-cycle")
    officer = make.make_officer()
    designate(officer, "basic-certificate", "2019-01-01")
    finish(officer, "3843", taken_on)

    assert on(officer, "tx-crisis-cycle", "2025-08-31", "2025-09-01") == [first_cycle_ends, next_cycle_begins]


def test_texas_asks_until_the_intermediate_certificate_and_of_no_cycle_before_the_first() -> None:
    load("tx-crisis-cycle")
    officer = make.make_officer()
    designate(officer, "basic-certificate", "2019-01-01", "2026-02-28")
    finish(officer, "1850", "2025-09-01")

    assert on(officer, "tx-crisis-cycle", "2021-08-31", "2021-09-01", "2026-02-28", "2026-03-01") == [
        "not asked",
        "in_grace 2025-08-31",
        "current 2033-08-31",
        "not asked",
    ]


def test_minnesota_asks_of_the_first_whole_period_and_adds_up_within_one() -> None:
    load("mn-16-credits")
    new, spread = make.make_officer(), make.make_officer()
    designate(new, "peace-officer-license", "2025-02-03")
    designate(spread, "peace-officer-license", "2019-02-03")
    finish(spread, "CRISIS-IS", "2024-06-30", hours=10)
    finish(spread, "CRISIS-IS", "2024-07-01", hours=6)
    finish(spread, "CRISIS-IS", "2027-06-29", hours=9.99)
    finish(spread, "CRISIS-IS", "2027-06-30", hours=0.01)

    assert on(new, "mn-16-credits", "2025-02-03", "2027-07-01", "2030-06-30", "2030-07-01") == [
        "in_grace 2030-06-30",
        "in_grace 2030-06-30",
        "in_grace 2030-06-30",
        "overdue 2030-06-30",
    ]
    days = ("2024-06-30", "2024-07-01", "2027-06-29", "2027-06-30", "2030-06-30", "2030-07-01")
    assert on(spread, "mn-16-credits", *days) == [
        "in_grace 2024-06-30",
        "overdue 2024-06-30",
        "overdue 2024-06-30",
        "current 2030-06-30",
        "current 2030-06-30",
        "overdue 2030-06-30",
    ]


@pytest.mark.parametrize(
    ("course", "hours", "expected"),
    [
        pytest.param("IN-SERVICE", 2, "current 2028-12-31", id="2-h"),
        pytest.param("IN-SERVICE", 1.99, "in_grace 2026-12-31", id="below-2-h"),
        pytest.param("ROLL-CALL", 2, "in_grace 2026-12-31", id="roll-call"),
    ],
)
def test_virginia_counts_no_short_block_and_no_roll_call(course: str, hours: float, expected: str) -> None:
    load("va-in-service")
    roll_call = make.make_course("ROLL-CALL", kind="roll_call", mode="roll_call")
    make.make_equivalency(roll_call, Course.objects.get(code="IN-SERVICE"), date(2020, 1, 1))
    officer = make.make_officer(hired_on=date(2025, 3, 3))
    finish(officer, "IN-SERVICE", "2025-09-01", hours=38)
    finish(officer, course, "2026-11-20", hours=hours)

    assert on(officer, "va-in-service", "2026-11-20") == [expected]


@pytest.mark.parametrize(
    ("approved_on", "expected"),
    [
        pytest.param(date(2026, 12, 31), "in_grace 2027-03-31", id="asked-before-due"),
        pytest.param(date(2027, 1, 1), "overdue 2026-12-31", id="asked-too-late"),
    ],
)
def test_virginia_extends_only_before_the_due_date(approved_on: date, expected: str) -> None:
    load("va-in-service")
    officer = make.make_officer(hired_on=date(2025, 3, 3))
    make.extend(officer, Requirement.objects.get(), date(2027, 3, 31), approved_on)

    assert on(officer, "va-in-service", "2027-03-31", "2027-04-01") == [
        expected,
        expected.replace("in_grace", "overdue"),
    ]


# Dispatchers and recruits


def test_dispatchers_take_8_hours_once_and_refresh() -> None:
    load("dispatch-8")
    officer, short = (make.make_officer(category="telecommunicator") for _ in range(2))
    finish(officer, "DISPATCH-CIT-8", "2022-05-31")
    finish(officer, "DISPATCH-REF", "2024-02-29")
    finish(short, "DISPATCH-CIT-8", "2022-05-31", hours=7.5)
    sworn = make.make_officer()

    assert on(officer, "dispatch-8", "2022-05-31") == ["current for good"]
    assert on(officer, "dispatch-8-refresher", "2026-02-28", "2026-03-01") == [
        "current 2026-02-28",
        "overdue 2026-02-28",
    ]
    assert on(short, "dispatch-8", "2022-05-31") == ["overdue 2017-03-04"]
    assert on(sworn, "dispatch-8", "2022-05-31") == ["not asked"]


def test_recruits_have_the_block_before_solo_duty() -> None:
    load("recruit-block")
    trained, untrained = (make.make_officer(hired_on=date(2025, 9, 8), category="recruit") for _ in range(2))
    finish(trained, "RECRUIT-MH", "2025-12-12")
    for officer in (trained, untrained):
        _become_sworn(officer, date(2026, 3, 13))
        designate(officer, "solo-duty", "2026-07-03")

    assert on(trained, "recruit-block", "2025-12-11", "2025-12-12", "2026-03-13") == [
        "in_grace 2026-09-08",
        "current for good",
        "not asked",
    ]
    assert on(trained, "recruit-block-solo", "2026-07-02", "2026-07-03") == ["not asked", "current for good"]
    assert on(untrained, "recruit-block-solo", "2026-07-03", "2026-07-04") == [
        "in_grace 2026-07-03",
        "overdue 2026-07-03",
    ]


def _become_sworn(officer: Officer, day: date) -> None:
    with recording(by=None, via=Via.COMMAND, why="sworn in") as recorder:
        recruit = officer.employments.get()
        recorder.void([recruit])
        last = date.fromordinal(day.toordinal() - 1)
        recorder.record(
            Employment(officer=officer, start_on=recruit.start_on, end_on=last, category="recruit", replaces=recruit)
        )
        recorder.record(Employment(officer=officer, start_on=day, category="sworn"))


# Goals


def stands(code: str, day: str = "2026-01-01") -> goals.GoalResult:
    return goals.evaluate(Goal.objects.get(code=code), as_of=date.fromisoformat(day))


def staff(unit: Unit, shift: str, *, members: int) -> list[Officer]:
    on_shift = make.make_shift(shift)
    return [make.make_officer(unit=unit, shift=on_shift, hired_on=date(2016, 3, 4)) for _ in range(members)]


def test_all_patrol_is_not_claimed_while_one_is_untrained() -> None:
    load("all-patrol")
    unit = make.make_unit(function="patrol")
    trained, arrival = staff(unit, "days", members=2)
    finish(trained, "CIT-40", "2020-01-01")
    before = stands("all-patrol")
    finish(arrival, "CIT-40", "2025-12-31")

    assert (before.met, before.percent, before.short) == (False, "50.0", 1)
    assert (stands("all-patrol").met, stands("all-patrol", "2025-12-30").met) == (True, False)


def test_cit_30_is_asked_of_each_district() -> None:
    load("cit-30")
    north, south = (make.make_unit(code, function="patrol") for code in ("N", "S"))
    for officer in staff(north, "days", members=10)[:5]:
        finish(officer, "CIT-40", "2025-01-01")
    southern = staff(south, "days", members=10)
    for officer in southern[:2]:
        finish(officer, "CIT-40", "2025-01-01")
    before = stands("cit-30")
    finish(southern[2], "CIT-40", "2025-06-01")

    assert (before.met, before.percent, before.needed, before.have) == (False, "35.0", 6, 7)
    assert (stands("cit-30").met, stands("cit-30", "2025-05-31").met) == (True, False)


def test_memphis_wants_20_percent_and_somebody_on_every_shift() -> None:
    load("memphis-25")
    unit = make.make_unit(function="patrol")
    days, nights = staff(unit, "days", members=5), staff(unit, "nights", members=5)
    for officer in days[:2]:
        designate(officer, "cit", "2025-01-01", is_voluntary=True)
    finish(days[2], "CIT-40", "2025-01-01")

    assert (stands("memphis-25").met, stands("memphis-25").percent) == (True, "20.0")
    assert stands("memphis-25-shifts").met is False

    designate(nights[0], "cit", "2025-06-01", is_voluntary=True)
    assert stands("memphis-25-shifts").met is True
    assert stands("memphis-25-shifts", "2025-05-31").met is False


def test_a_watch_without_a_certified_officer_fails_when_one_lapses() -> None:
    load("certified-cit-36")
    unit = make.make_unit(function="patrol")
    (day_officer, _), (night_officer, _) = staff(unit, "days", members=2), staff(unit, "nights", members=2)
    finish(day_officer, "CIT-40", "2025-01-01")
    finish(night_officer, "CIT-40", "2023-01-01")

    assert stands("certified-cit-36", "2026-01-01").met is True
    assert stands("certified-cit-36", "2026-01-02").met is False
