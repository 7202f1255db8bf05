"""The sixteen worked examples of the rules through the commands: files in, answers out."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from compliance.models import IssuedReport
from roster.facts import Via, recording
from tests.compliance.desk import Desk, recorded_at
from training.models import Completion

pytestmark = pytest.mark.django_db

KEYS = ["employee_id", "requirement", "state", "due_on", "since", "unit", "shift", "evidence_pending", "because"]

COURSES = """code,title,kind,hours
CIT-40,CIT basic course,cit,40
CIT-REF-8,CIT refresher,refresher,8
MH-BLOCK,Academy block on mental health,recruit,12
"""


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.bring("courses", COURSES)
    return desk


def test_example_1_the_due_date_is_inclusive(desk: Desk) -> None:
    desk.hire("1")
    desk.complete("1,CIT-40,2020-05-01", "1,CIT-REF-8,2023-03-17")
    desk.require("calea", refresher_courses=["CIT-REF-8"])

    (on_day,) = desk.ask("standing", "--officer", "1", "--as-of", "2026-03-17")
    (after,) = desk.ask("standing", "--officer", "1", "--as-of", "2026-03-18")

    assert on_day == {
        "employee_id": "1",
        "requirement": "calea",
        "state": "current",
        "due_on": "2026-03-17",
        "since": "2020-05-01",
        "unit": None,
        "shift": None,
        "evidence_pending": False,
        "because": "Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed every 36 months (CALEA 41.2.7).",
    }
    assert list(on_day) == KEYS
    assert (after["state"], after["due_on"], after["since"]) == ("overdue", "2026-03-17", "2026-03-18")
    assert after["because"] == (
        "Overdue since 18 Mar 2026: CIT refresher on 17 Mar 2023 carried through 17 Mar 2026 (CALEA 41.2.7)."
    )


def test_example_2_calendar_years(desk: Desk) -> None:
    desk.hire("1")
    desk.complete("1,CIT-40,2023-03-17")
    desk.require(clock="calendar", years=3)

    assert desk.state_of("1", "2026-12-31") == ("current", "2026-12-31")
    assert desk.state_of("1", "2027-01-01") == ("overdue", "2026-12-31")


def test_example_3_the_29th_of_february(desk: Desk) -> None:
    desk.hire("1", "2")
    desk.complete("1,CIT-40,2024-02-29", "2,CIT-40,2023-08-31")
    desk.require()
    desk.require("half", months=18)
    assert desk.state_of("1", "2027-02-28", "--requirement", "cit") == ("current", "2027-02-28")
    assert desk.state_of("1", "2027-03-01", "--requirement", "cit") == ("overdue", "2027-02-28")

    desk.complete("1,CIT-40,2027-02-28")

    assert desk.state_of("1", "2027-02-28", "--requirement", "cit") == ("current", "2030-02-28")
    assert desk.state_of("2", "2025-02-28", "--requirement", "half") == ("current", "2025-02-28")
    assert desk.state_of("2", "2025-03-01", "--requirement", "half") == ("overdue", "2025-02-28")


def test_example_4_from_recruit_to_patrol(desk: Desk) -> None:
    desk.bring("units", "code,function\nACA,academy\nD1,patrol\n")
    desk.bring(
        "officers",
        "employee_id,last_name,first_name,category,hired_on,separated_on\n"
        "1,Whitfield,Amara,recruit,2025-09-08,2026-03-12\n"
        "1,Whitfield,Amara,sworn,2026-03-13,\n",
    )
    desk.assign("1,ACA,,home,2025-09-08", "1,D1,,home,2026-07-03")
    desk.complete("1,MH-BLOCK,2025-12-12")
    desk.require("patrol", who='functions = ["patrol"]', entry_courses=["MH-BLOCK"])
    desk.require("entry", entry_courses=["MH-BLOCK"], clock="once")
    desk.require("refresher", entry_courses=["MH-BLOCK"])

    assert desk.state_of("1", "2026-02-01", "--requirement", "patrol") is None
    assert desk.state_of("1", "2026-07-02", "--requirement", "patrol") is None
    assert desk.state_of("1", "2026-07-03", "--requirement", "patrol") == ("current", "2028-12-12")
    assert desk.state_of("1", "2025-12-11", "--requirement", "entry") == ("in_grace", "2026-03-07")
    assert desk.state_of("1", "2025-12-12", "--requirement", "entry") == ("current", None)
    assert desk.state_of("1", "2028-12-12", "--requirement", "refresher") == ("current", "2028-12-12")


def test_example_5_leave_under_exclude_and_under_toll(desk: Desk) -> None:
    desk.hire("1")
    desk.complete("1,CIT-40,2023-06-30")
    desk.bring("leaves", "employee_id,kind,start_on,end_on\n1,medical,2026-04-01,2027-01-31\n")
    desk.require("exclude", leave="exclude", return_grace_days=60)
    desk.require("toll", leave="toll")

    def on(day: str, requirement: str) -> tuple[str, str | None] | None:
        return desk.state_of("1", day, "--requirement", requirement)

    assert on("2026-03-31", "exclude") == ("current", "2026-06-30")
    assert on("2026-07-15", "exclude") == ("excused", None)
    assert on("2027-01-31", "exclude") == ("excused", None)
    assert on("2027-02-01", "exclude") == ("in_grace", "2027-04-02")
    assert on("2027-04-02", "exclude") == ("in_grace", "2027-04-02")
    assert on("2027-04-03", "exclude") == ("overdue", "2027-04-02")
    assert on("2026-07-15", "toll") == on("2027-05-02", "toll") == ("current", "2027-05-02")
    assert on("2027-05-03", "toll") == ("overdue", "2027-05-02")


def test_example_6_nobody_overdue_is_not_everybody_trained(desk: Desk) -> None:
    desk.bring("units", "code,function\nD1,patrol\n")
    desk.hire("1", hired_on="2026-05-10")
    desk.hire("2")
    desk.assign("1,D1,,home,2026-05-10", "2,D1,,home,2015-01-01")
    desk.complete("2,CIT-40,2020-01-01")
    desk.require("all", who='functions = ["patrol"]', goal='counts = "trained"\ntarget_percent = 100', clock="once")

    assert desk.state_of("1", "2026-05-10") == ("in_grace", "2026-11-06")
    assert desk.state_of("1", "2026-11-06") == ("in_grace", "2026-11-06")
    assert desk.state_of("1", "2026-11-07") == ("overdue", "2026-11-06")
    (counts,) = desk.ask("coverage", "--requirement", "all", "--as-of", "2026-06-01")
    assert counts == {
        "counted": 2,
        "current": 1,
        "in_grace": 1,
        "overdue": 0,
        "excused": 0,
        "percent": "50.0",
        "ever": 1,
    }
    assert told(desk, "2026-06-01") == (False, "50.0", 2, 1, 1)


def told(desk: Desk, day: str) -> tuple[bool, str, int, int, int]:
    """How the one goal stands: met, percent, needed, have, short."""
    (goal,) = desk.ask("goals", "--as-of", day)
    return goal["met"], goal["percent"], goal["needed"], goal["have"], goal["short"]


def test_example_7_one_leaves_and_the_goal_fails_with_nobody_lapsed(desk: Desk) -> None:
    everybody = [str(number) for number in range(1001, 1201)]
    desk.bring("units", "code,function\nD1,patrol\nDESK,records\n")
    desk.hire(*everybody)
    desk.assign(*(f"{officer},D1,,home,2015-01-01" for officer in everybody))
    desk.complete(*(f"{officer},CIT-40,2025-01-01" for officer in everybody[:60]))
    desk.require("cit-30", who='functions = ["patrol"]', goal="target_percent = 30")

    desk.assign("1001,DESK,,home,2026-01-01")

    assert told(desk, "2025-12-31") == (True, "30.0", 60, 60, 0)
    assert told(desk, "2026-01-01") == (False, "29.6", 60, 59, 1)
    (counts,) = desk.ask("coverage", "--requirement", "cit-30", "--as-of", "2026-01-01")
    assert (counts["current"], counts["counted"], counts["percent"]) == (59, 199, "29.6")


def test_example_8_a_secondary_unit_counts_once_in_the_department(desk: Desk) -> None:
    desk.bring("units", "code,function\nPB,patrol\nCIU,crisis_intervention\n")
    desk.hire("1")
    desk.assign("1,PB,,home,2015-01-01", "1,CIU,,secondary,2024-01-01")
    desk.complete("1,CIT-40,2025-01-01")
    desk.require()

    def counted(*options: str) -> list[list[object]]:
        rows = desk.ask("coverage", "--requirement", "cit", "--as-of", "2026-01-01", *options)
        return [[row.get("unit"), row["current"], row["counted"]] for row in rows]

    assert counted() == [[None, 1, 1]]
    assert counted("--by", "unit") == [["PB", 1, 1]]


@pytest.mark.parametrize(
    ("asked", "day", "expected"),
    [
        pytest.param(90, "2026-03-27", ("current", "2029-03-27"), id="90-percent-credit-on-the-last-day"),
        pytest.param(100, "2026-04-21", ("overdue", "2015-06-30"), id="100-percent-day-before-the-make-up"),
        pytest.param(100, "2026-04-22", ("current", "2029-04-22"), id="100-percent-completed-by-the-make-up"),
    ],
)
def test_example_9_four_of_forty_hours_missed(desk: Desk, asked: int, day: str, expected: tuple[str, str]) -> None:
    desk.hire("1")
    desk.bring("completions", "employee_id,course,completed_on,attendance\n1,CIT-40,2026-03-27,90\n")
    desk.require(min_attendance=asked)
    if asked == 100:
        desk.bring("completions", "employee_id,course,completed_on,attendance\n1,CIT-40,2026-04-22,100\n")

    assert desk.state_of("1", day) == expected


def test_example_10_a_voided_refresher(desk: Desk) -> None:
    desk.hire("1", at="2023-01-02T08:00")
    desk.complete("1,CIT-40,2023-01-20", at="2023-01-23T08:00")
    desk.complete("1,CIT-REF-8,2025-10-10", at="2025-10-15T08:00")
    desk.require(refresher_courses=["CIT-REF-8"])

    first = issue_report(desk, "--known-at", "2026-01-31")
    handed_out = {path.name: path.read_bytes() for path in Path(first["out"]).iterdir()}

    void_refresher()

    assert desk.state_of("1", "2026-01-20") == ("current", "2026-01-20")
    (row,) = desk.ask("standing", "--officer", "1", "--as-of", "2026-02-11")
    assert (row["state"], row["due_on"], row["since"]) == ("overdue", "2026-01-20", "2026-01-21")
    assert desk.state_of("1", "2026-02-11", "--known-at", "2026-02-10") == ("current", "2028-10-10")

    second = issue_report(desk)
    kept = Path(settings.MEDIA_ROOT) / "reports" / first["number"]
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == handed_out
    assert (first["report_edition"], first["supersedes"], first["totals"]["current"]) == (1, None, 1)
    assert (second["report_edition"], second["supersedes"], second["totals"]["current"]) == (2, first["number"], 0)
    assert IssuedReport.objects.get(number=first["number"]).superseded_by.number == second["number"]
    data = json.loads((Path(second["out"]) / f"{second['number']}.json").read_bytes())
    assert data["changes"] == [
        {
            "employee_id": "1",
            "name": "Whitfield1, Amara",
            "before": {"state": "current", "due_on": "2028-10-10", "unit": None, "late_days_in_span": 0},
            "after": {"state": "overdue", "due_on": "2026-01-20", "unit": None, "late_days_in_span": 11},
            "changes": [
                {
                    "at": "2026-02-11T09:30:00-05:00",
                    "by": None,
                    "via": "command",
                    "why": "Not on the sign-in sheet",
                    "recorded": [],
                    "voided": ["CIT refresher on 10 Oct 2025"],
                }
            ],
        }
    ]


def issue_report(desk: Desk, *options: str) -> Any:
    """Issue what was so on 31 January 2026; what the command prints."""
    out = StringIO()
    folder = desk.folder / "out"
    question = ("accreditation", "--requirement", "cit", "--as-of", "2026-01-31", "--from", "2026-01-01")
    call_command("issue_report", *question, *options, "--out", str(folder), stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def void_refresher() -> None:
    with recording(by=None, via=Via.COMMAND, why="Not on the sign-in sheet") as recorder:
        recorder.void([Completion.objects.get(course__code="CIT-REF-8")])
    recorded_at("2026-02-11T09:30")


def test_example_11_a_lesson_plan_out_of_force(desk: Desk) -> None:
    plans = "course,version,start_on,end_on\nCIT-40,v2019,2019-01-01,{}\nCIT-40,v2025,2025-01-01,\n"
    desk.hire("1")
    desk.bring("lesson_plans", plans.format("2024-12-31"))
    desk.bring("completions", "employee_id,course,completed_on,lesson_plan\n1,CIT-40,2025-02-10,v2019\n")
    desk.require()
    assert desk.state_of("1", "2025-02-10") == ("overdue", "2015-06-30")

    desk.bring("lesson_plans", plans.format("2025-02-09"))
    assert desk.state_of("1", "2025-02-10") == ("overdue", "2015-06-30")

    desk.bring("lesson_plans", plans.format("2025-02-10"))
    assert desk.state_of("1", "2025-02-10") == ("current", "2028-02-10")


@pytest.mark.parametrize(
    ("keys", "renewed_on", "due_on"),
    [
        pytest.param({}, "2026-03-12", "2029-03-12", id="restart"),
        pytest.param({"early": "keep_anchor", "keep_anchor_days": 90}, "2026-03-12", "2029-03-12", id="too-early"),
        pytest.param({"early": "keep_anchor", "keep_anchor_days": 90}, "2026-08-01", "2029-09-30", id="within-90-days"),
    ],
)
def test_example_12_early_renewal(desk: Desk, keys: dict[str, Any], renewed_on: str, due_on: str) -> None:
    desk.hire("1")
    desk.complete("1,CIT-40,2023-09-30", f"1,CIT-40,{renewed_on}")
    desk.require(**keys)

    assert desk.state_of("1", "2026-02-01") == ("current", "2026-09-30")
    assert desk.state_of("1", renewed_on) == ("current", due_on)


@pytest.mark.parametrize(
    ("model", "last_before", "last"),
    [
        pytest.param("event", ("overdue", "2015-06-30"), "2028-09-09", id="event"),
        pytest.param("rolling", ("overdue", "2015-06-30"), "2027-02-06", id="rolling"),
    ],
)
def test_example_13_eight_hours(desk: Desk, model: str, last_before: tuple[str, str], last: str) -> None:
    desk.hire("1")
    desk.bring(
        "completions",
        "employee_id,course,completed_on,hours\n"
        "1,CIT-REF-8,2024-02-06,2\n1,CIT-REF-8,2024-11-12,2\n1,CIT-REF-8,2025-09-09,4\n",
    )
    clock: dict[str, Any] = {"months": 36} if model == "event" else {}
    desk.require(
        entry_courses=[],
        refresher_courses=["CIT-REF-8"],
        hours=8,
        hours_model=model,
        hours_window_months=36,
        **clock,
    )

    line = desk.ask("timeline", "--officer", "1", "--requirement", "cit")

    assert desk.state_of("1", "2025-09-08") == last_before
    assert [(row["from"], row["to"], row["state"]) for row in line][2:] == [
        ("2025-09-09", last, "current"),
        (date.fromordinal(date.fromisoformat(last).toordinal() + 1).isoformat(), None, "overdue"),
    ]


def test_example_14_613_patrol_at_30_percent(desk: Desk) -> None:
    everybody = [str(number) for number in range(1001, 1614)]
    desk.hire(*everybody)
    desk.complete(*(f"{officer},CIT-40,2025-01-01" for officer in everybody[:183]), "1184,CIT-40,2025-06-01")
    desk.require(goal="target_percent = 30")

    assert told(desk, "2025-05-31") == (False, "29.8", 184, 183, 1)
    assert told(desk, "2025-06-01") == (True, "30.0", 184, 184, 0)


def test_example_15_20_percent_with_nobody_at_night(desk: Desk) -> None:
    desk.bring("units", "code,function\nD3,patrol\n")
    shifts = {"A": (18, 6), "B": (17, 4), "C": (15, 0)}
    members = {shift: [f"{shift}{number:02}" for number in range(most)] for shift, (most, _) in shifts.items()}
    desk.hire(*(officer for shift in members.values() for officer in shift))
    desk.assign(*(f"{officer},D3,{shift},home,2015-01-01" for shift in members for officer in members[shift]))
    trained = [officer for shift, (_, have) in shifts.items() for officer in members[shift][:have]]
    desk.complete(*(f"{officer},CIT-40,2025-01-01" for officer in trained))
    desk.require("whole", goal="target_percent = 20")
    desk.require("shifts", goal='target_percent = 20\neach = "unit_shift"\nmin_count = 1')

    shifts_goal, whole_goal = desk.ask("goals", "--as-of", "2026-01-01")

    assert (whole_goal["met"], whole_goal["percent"], whole_goal["needed"], whole_goal["have"]) == (
        True,
        "20.0",
        10,
        10,
    )
    assert (shifts_goal["met"], shifts_goal["percent"]) == (False, "20.0")
    assert [(row["unit"], row["shift"], row["have"], row["counted"], row["met"]) for row in shifts_goal["groups"]] == [
        ("D3", "A", 6, 18, True),
        ("D3", "B", 4, 17, True),
        ("D3", "C", 0, 15, False),
    ]


def test_example_16_two_clocks(desk: Desk) -> None:
    desk.hire("1", at="2025-09-01T08:00")
    desk.require()
    desk.complete("1,CIT-40,2025-12-18", at="2026-01-22T10:15")

    def ever(known_at: str) -> tuple[int, int]:
        (counts,) = desk.ask("coverage", "--requirement", "cit", "--as-of", "2025-12-31", "--known-at", known_at)
        return counts["current"], counts["ever"]

    assert ever("2026-01-10") == (0, 0)
    assert ever("2026-01-21") == (0, 0)
    assert ever("2026-01-22") == (1, 1)
    assert ever("2026-01-25") == (1, 1)
