"""Why a period is what it is, in words: the worked examples, each reason, random members, and the command's formats."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import reasons, standings
from compliance.gather import gather_rules
from compliance.models import Requirement
from compliance.sentences import day
from roster.facts import Change, Via, recording
from roster.models import Employment, Leave, Officer
from tests import factories as make
from training.models import Completion, Course

pytestmark = pytest.mark.django_db


def course(code: str = "CIT-40", **values: Any) -> Course:
    titles = {"CIT-40": "CIT basic course", "CIT-REF-8": "CIT refresher", "CIT-RE-2": "Short renewal"}
    kind = "cit" if code == "CIT-40" else "refresher"
    hours = 40 if code == "CIT-40" else 8
    return make.make_course(code, **{"title": titles.get(code, code), "kind": kind, "hours": hours, **values})


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("timeline", "--officer", "1", "--requirement", "cit", "--why", *options, stdout=out)
    return out.getvalue()


def why_on(asked: str, *options: str) -> dict[str, Any]:
    """The account of the period that holds on a day, asked as of that day."""
    line = json.loads(run("--as-of", asked, "--format", "json", *options))
    (row,) = [row for row in line if row["from"] <= asked and (row["to"] is None or asked <= row["to"])]
    return {"state": row["state"], "due_on": row["due_on"], **row["why"]}


def words(parts: list[dict[str, str]]) -> list[str]:
    return [f"{part['course']} {part['completed_on']}: {part['words']}" for part in parts]


@pytest.fixture
def officer() -> Officer:
    return make.make_officer("1", hired_on=date(2018, 1, 1))


# The worked examples, in words


def test_example_5_leave_excludes(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),), leave="exclude", return_grace_days=60)
    make.complete(officer, course(), date(2023, 6, 30))
    make.take_leave(officer, date(2026, 4, 1), date(2027, 1, 31))

    away, back = why_on("2026-07-15"), why_on("2027-02-01")

    assert away["dates"] == [
        "Leave from 1 Apr 2026 to 31 Jan 2027 is excused.",
        "CIT basic course on 30 Jun 2023 + 36 months = 30 Jun 2026.",
    ]
    assert away["changes"] == ["Nothing is asked while this lasts."]
    assert (back["state"], back["due_on"]) == ("in_grace", "2027-04-02")
    assert back["dates"] == [
        "CIT basic course on 30 Jun 2023 + 36 months = 30 Jun 2026.",
        "Back on 1 Feb 2027 from leave from 1 Apr 2026 to 31 Jan 2027: 1 Feb 2027 + 60 days = 2 Apr 2027.",
        "Of these dates the latest holds: 2 Apr 2027.",
    ]
    assert back["changes"] == ["CIT basic course, completed by 2 Apr 2027."]


def test_example_5_leave_tolls(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),), leave="toll")
    make.complete(officer, course(), date(2023, 6, 30))
    make.take_leave(officer, date(2026, 4, 1), date(2027, 1, 31))

    why = why_on("2026-03-01")

    assert (why["state"], why["due_on"]) == ("current", "2027-05-02")
    assert why["dates"] == [
        "CIT basic course on 30 Jun 2023 + 36 months = 30 Jun 2026.",
        "306 days of leave from 1 Apr 2026 to 31 Jan 2027 moved 30 Jun 2026 to 2 May 2027.",
    ]


@pytest.mark.parametrize(
    ("asked", "used", "not_used"),
    [
        pytest.param(
            90, ["CIT basic course 2026-03-27: counts as an entry course; the date rests on it"], [], id="90-percent"
        ),
        pytest.param(
            100, [], ["CIT basic course 2026-03-27: attended 90 %, at least 100 % is asked"], id="100-percent"
        ),
    ],
)
def test_example_9_four_of_forty_hours_missed(
    officer: Officer, asked: int, used: list[str], not_used: list[str]
) -> None:
    make.make_requirement("cit", entry=(course(),), min_attendance=asked)
    make.complete(officer, course(), date(2026, 3, 27), attendance=90)

    why = why_on("2026-04-21")

    assert (words(why["used"]), words(why["not_used"])) == (used, not_used)


def test_example_11_a_lesson_plan_out_of_force(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    plan = make.make_lesson_plan(course(), "v2019", date(2019, 1, 1), date(2024, 12, 31))
    make.complete(officer, course(), date(2025, 2, 10), lesson_plan="v2019")

    before = why_on("2025-02-10")
    plan.end_on = date(2025, 2, 10)
    plan.save()
    after = why_on("2025-02-10")

    assert words(before["not_used"]) == [
        "CIT basic course 2025-02-10: lesson plan v2019 was in force from 1 Jan 2019 to 31 Dec 2024 only"
    ]
    assert before["changes"] == ["CIT basic course, completed on any day."]
    assert (after["due_on"], words(after["used"])) == (
        "2028-02-10",
        ["CIT basic course 2025-02-10: counts as an entry course; the date rests on it"],
    )


@pytest.mark.parametrize(
    ("rules", "renewed_on", "sentence"),
    [
        pytest.param({}, date(2026, 3, 12), "CIT basic course on 12 Mar 2026 + 36 months = 12 Mar 2029.", id="restart"),
        pytest.param(
            {"early": "keep_anchor", "keep_anchor_days": 90},
            date(2026, 3, 12),
            "CIT basic course on 12 Mar 2026 + 36 months = 12 Mar 2029.",
            id="too-early-to-keep",
        ),
        pytest.param(
            {"early": "keep_anchor", "keep_anchor_days": 90},
            date(2026, 8, 1),
            "CIT basic course on 1 Aug 2026, at most 90 days early, counts from the limit it renewed: "
            "30 Sep 2026 + 36 months = 30 Sep 2029.",
            id="kept",
        ),
    ],
)
def test_example_12_early_renewal(officer: Officer, rules: dict[str, Any], renewed_on: date, sentence: str) -> None:
    make.make_requirement("cit", entry=(course(),), **rules)
    make.complete(officer, course(), date(2023, 9, 30))
    make.complete(officer, course(), renewed_on)

    assert why_on(renewed_on.isoformat())["dates"] == [sentence]


def eight_hours(officer: Officer, **rules: Any) -> None:
    make.make_requirement("cit", refresher=(course("CIT-REF-8"),), hours=8, hours_window_months=36, **rules)
    for done_on, hours in ((date(2024, 2, 6), 2), (date(2024, 11, 12), 2), (date(2025, 9, 9), 4)):
        make.complete(officer, course("CIT-REF-8"), done_on, hours=hours)


def test_example_13_eight_hours_for_each_event(officer: Officer) -> None:
    eight_hours(officer)

    before, after = why_on("2025-09-08"), why_on("2025-09-09")

    assert words(before["used"]) == [
        "CIT refresher 2024-11-12: adds 2 hours to the 8 asked",
        "CIT refresher 2024-02-06: adds 2 hours to the 8 asked",
    ]
    assert before["dates"][0] == "4 of 8 hours count on 8 Sep 2025 toward the next sum."
    assert before["changes"] == ["4 more hours of CIT refresher, completed on any day."]
    assert words(after["used"]) == [
        "CIT refresher 2025-09-09: 4 hours of the 8 reached on 9 Sep 2025; the date rests on it",
        "CIT refresher 2024-11-12: 2 hours of the 8 reached on 9 Sep 2025",
        "CIT refresher 2024-02-06: 2 hours of the 8 reached on 9 Sep 2025",
    ]
    assert after["dates"] == [
        "The 8 hours were reached on 9 Sep 2025.",
        "0 of 8 hours count on 9 Sep 2025 toward the next sum.",
        "8 hours on 9 Sep 2025 + 36 months = 9 Sep 2028.",
    ]


def test_example_13_eight_rolling_hours(officer: Officer) -> None:
    eight_hours(officer, hours_model="rolling", months=0)

    on, after = why_on("2027-02-06"), why_on("2027-02-07")

    assert on["dates"] == [
        "8 of 8 hours count on 6 Feb 2027.",
        "8 hours within 36 months are there through 6 Feb 2027.",
    ]
    assert after["dates"][0] == "6 of 8 hours count on 7 Feb 2027."
    assert words(after["not_used"]) == ["CIT refresher 2024-02-06: its hours counted through 6 Feb 2027 only"]
    assert after["changes"] == ["2 more hours of CIT refresher, completed on any day."]


# What does not count


@pytest.mark.parametrize(
    ("rules", "completion", "reason"),
    [
        pytest.param({}, {"evidence": "pending"}, "its evidence is pending", id="pending"),
        pytest.param({}, {"evidence": "rejected"}, "its evidence was rejected", id="rejected"),
        pytest.param({}, {"result": "failed"}, "not passed: its result is failed", id="failed"),
        pytest.param({"min_score": 80}, {}, "no score is recorded, at least 80 is asked", id="no-score"),
        pytest.param({"min_score": 80}, {"score": 75}, "score 75, at least 80 is asked", id="score"),
        pytest.param({"modes": ["online"]}, {}, "taught as classroom, which this rule does not accept", id="mode"),
        pytest.param({"min_block_hours": 2}, {"hours": 1}, "a block of 1 hour, at least 2 is asked", id="block"),
        pytest.param({"min_hours": 40}, {"hours": 36.5}, "36.5 hours, at least 40 is asked", id="hours"),
        pytest.param(
            {"break_months": 12, "separated": True}, {}, "completed before the break in service", id="before-a-break"
        ),
    ],
)
def test_an_entry_course_that_does_not_count(
    officer: Officer, rules: dict[str, Any], completion: dict[str, Any], reason: str
) -> None:
    if rules.pop("separated", False):
        leave_and_come_back(officer)
    make.make_requirement("cit", entry=(course(),), **rules)
    make.complete(officer, course(), date(2020, 2, 3), **completion)

    assert words(why_on("2024-01-01")["not_used"]) == [f"CIT basic course 2020-02-03: {reason}"]


def leave_and_come_back(officer: Officer) -> None:
    """Separated from 2021-01-01 on, back on 2023-06-01."""
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.void(list(Employment.objects.filter(officer=officer)))
        recorder.record(Employment(officer=officer, start_on=date(2018, 1, 1), end_on=date(2020, 12, 31)))
        recorder.record(Employment(officer=officer, start_on=date(2023, 6, 1)))


@pytest.mark.parametrize(
    ("rules", "entered_on", "reason"),
    [
        pytest.param({}, None, "taken without an entry credit", id="no-entry"),
        pytest.param({}, date(2021, 5, 5), "taken before the first entry credit, 5 May 2021", id="before-entry"),
        pytest.param(
            {"refresher_min_tenure_months": 12},
            date(2019, 6, 5),
            "taken before 5 Jun 2020, 12 months after the entry credit",
            id="before-tenure",
        ),
    ],
)
def test_a_refresher_that_does_not_count(
    officer: Officer, rules: dict[str, Any], entered_on: date | None, reason: str
) -> None:
    make.make_requirement("cit", entry=(course(),), refresher=(course("CIT-REF-8"),), **rules)
    make.complete(officer, course("CIT-REF-8"), date(2020, 2, 3))
    if entered_on:
        make.complete(officer, course(), entered_on)

    assert words(why_on("2022-01-01")["not_used"]) == [f"CIT refresher 2020-02-03: {reason}"]


def test_a_short_recertification_outside_its_days(officer: Officer) -> None:
    short = course("CIT-RE-2")
    rules: dict[str, Any] = {"clock": "certificate", "recert_before_days": 60, "recert_after_days": 90}
    make.make_requirement("cit", entry=(course(),), recert=(short,), **rules)
    make.complete(officer, course(), date(2020, 2, 3), certificate_expires_on=date(2023, 1, 31))
    make.complete(officer, short, date(2022, 11, 1))

    why = why_on("2022-11-30")

    assert words(why["not_used"]) == [
        "Short renewal 2022-11-01: a short recertification counted from 2 Dec 2022 to 1 May 2023 only"
    ]
    assert why["dates"] == ["CIT basic course on 3 Feb 2020: its certificate names 31 Jan 2023."]
    assert why["changes"] == [
        "CIT basic course, completed by 31 Jan 2023.",
        "Short renewal, completed from 2 Dec 2022 to 31 Jan 2023.",
    ]


def test_only_courses_somebody_may_wonder_about_are_listed(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    make.complete(officer, course("CIT-24", title="Short CIT course", kind="cit"), date(2020, 2, 3))
    make.complete(officer, course("DRIVING", title="Driving", kind="other"), date(2020, 2, 4))
    make.complete(officer, course("CIT-25", title="Another CIT course", kind="cit"), date(2024, 1, 2))

    assert words(why_on("2024-01-01")["not_used"]) == [
        "Short CIT course 2020-02-03: its course is not on the list of this rule"
    ]


def test_a_course_that_counts_in_place_of_another(officer: Officer) -> None:
    outside = course("ECIT-40", title="State crisis course", kind="special")
    make.make_requirement("cit", entry=(course(),))
    make.make_equivalency(outside, course(), date(2020, 1, 1))
    make.complete(officer, outside, date(2020, 2, 3))

    assert words(why_on("2021-01-01")["used"]) == [
        "State crisis course 2020-02-03: counts as an entry course in place of CIT basic course; the date rests on it"
    ]


def test_voided_and_corrected_completions_are_named_with_who_and_why_from_then_on(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    user = make.make_user(
        "academy",
        "osei",
    )
    user.first_name, user.last_name = "Ruth", "Osei"
    user.save()
    wrong = make.complete(officer, course(), date(2021, 3, 4))
    late = make.complete(officer, course(), date(2021, 5, 4))
    known_at = Change.objects.latest("at").at
    assert known_at is not None
    with recording(by=user, via=Via.PAGE, why="Not on the sign-in sheet") as recorder:
        recorder.void([wrong])
    with recording(by=user, via=Via.PAGE, why="Date on the sheet") as recorder:
        recorder.void([late])
        recorder.record(Completion(officer=officer, course=course(), completed_on=date(2021, 5, 5), replaces=late))
    voided_on = day(timezone.localdate())

    now, then = why_on("2022-01-01"), why_on("2022-01-01", "--known-at", known_at.isoformat())

    assert words(now["not_used"]) == [
        f"CIT basic course 2021-05-04: corrected on {voided_on} by Ruth Osei: Date on the sheet",
        f"CIT basic course 2021-03-04: voided on {voided_on} by Ruth Osei: Not on the sign-in sheet",
    ]
    assert [part["completed_on"] for part in now["used"]] == ["2021-05-05"]
    assert (then["not_used"], [part["completed_on"] for part in then["used"]]) == ([], ["2021-05-04", "2021-03-04"])


# Dates


def test_extensions_and_a_waiver_in_words(officer: Officer) -> None:
    requirement = make.make_requirement("cit", entry=(course(),))
    make.complete(officer, course(), date(2020, 1, 31))
    make.extend(officer, requirement, date(2023, 6, 30), date(2023, 1, 15))
    make.extend(officer, requirement, date(2023, 5, 31), date(2023, 2, 15))
    make.extend(officer, requirement, date(2024, 12, 31), date(2023, 7, 1))
    make.waive(officer, requirement, date(2024, 3, 1), date(2024, 3, 31))

    extended, overdue, waived = why_on("2023-03-01"), why_on("2023-07-01"), why_on("2024-03-01")

    assert extended["dates"] == [
        "CIT basic course on 31 Jan 2020 + 36 months = 31 Jan 2023.",
        "Extension to 30 Jun 2023, approved on 15 Jan 2023: moved the credit from 31 Jan 2023 to 30 Jun 2023.",
        "Extension to 31 May 2023, approved on 15 Feb 2023: 30 Jun 2023 was in force and stays, being no earlier.",
    ]
    assert overdue["dates"][-1] == (
        "Extension to 31 Dec 2024, approved on 1 Jul 2023 after the date had passed, 30 Jun 2023: it does not count."
    )
    assert waived["dates"][0] == "A waiver from 1 Mar 2024 to 31 Mar 2024 excuses the member."


@pytest.mark.parametrize(
    ("rules", "sentences"),
    [
        pytest.param({}, ["Joined on 1 Jan 2018 + 180 days = 30 Jun 2018."], id="grace"),
        pytest.param({"entry_grace_days": 0}, ["Joined on 1 Jan 2018: first due on that day."], id="no-grace"),
        pytest.param(
            {"first_due": "next_year_end"},
            ["Joined on 1 Jan 2018: first due at the end of the next year, 31 Dec 2019."],
            id="next-year-end",
        ),
        pytest.param(
            {"entry_due_on": date(2020, 6, 30)},
            ["Joined on 1 Jan 2018 + 180 days = 30 Jun 2018.", "The rule asks nothing before 30 Jun 2020."],
            id="named-day",
        ),
        pytest.param(
            {"clock": "cycle", "months": 48, "cycle_start": date(2017, 9, 1), "first_due": "window_end"},
            ["Joined on 1 Jan 2018: first due at the end of the window, 31 Aug 2021."],
            id="window",
        ),
    ],
)
def test_the_first_deadline_in_words(officer: Officer, rules: dict[str, Any], sentences: list[str]) -> None:
    make.make_requirement("cit", entry=(course(),), **rules)

    assert why_on("2018-01-01")["dates"] == sentences


def test_within_a_calendar_year_only_the_next_ones_carry_further(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),), clock="calendar", years=3)
    make.complete(officer, course(), date(2023, 3, 17))

    why = why_on("2023-06-01")

    assert why["dates"] == [
        "CIT basic course on 17 Mar 2023: through 31 Dec 2026, the end of the third calendar year after it."
    ]
    assert why["changes"] == ["CIT basic course, completed from 1 Jan 2024 to 31 Dec 2026."]


# A whole line


def test_each_period_is_explained_as_of_a_day_of_its_own(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    make.complete(officer, course(), date(2019, 3, 1))

    line = json.loads(run("--format", "json"))

    today = timezone.localdate().isoformat()
    assert [row["why"]["asked_on"] for row in line] == ["2018-06-30", "2019-02-28", "2022-03-01", today]
    assert [row["why"]["used"] == [] for row in line] == [True, True, False, False]
    assert line[0]["why"]["rule"] == {
        "words": "Patrol: CIT basic course every 36 months; first due 180 days after joining.",
        "from": "2015-01-01",
        "to": None,
    }


def test_without_why_the_keys_are_the_fixed_ones(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    out = io.StringIO()

    call_command("timeline", "--officer", "1", "--requirement", "cit", "--format", "json", stdout=out)

    (first, _) = json.loads(out.getvalue())
    assert list(first) == ["from", "to", "state", "due_on", "unit", "shift", "because"]


def test_csv_has_a_cell_for_each_part_and_a_table_a_line(officer: Officer) -> None:
    make.make_requirement("cit", entry=(course(),))
    make.complete(officer, course(), date(2018, 3, 1))

    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", "--as-of", "2019-01-01"))))
    table = run("--format", "table", "--as-of", "2019-01-01").splitlines()

    assert list(rows[0])[7:] == ["rule", "used", "not_used", "dates", "changes"]
    assert (rows[1]["used"], rows[1]["changes"]) == (
        "CIT basic course on 1 Mar 2018: counts as an entry course; the date rests on it",
        "What would change it: CIT basic course, completed by 1 Mar 2021.",
    )
    assert table[9:18] == [
        "2018-03-01 to 2021-03-01  current  due 2021-03-01",
        "  Current through 1 Mar 2021: CIT basic course on 1 Mar 2018, renewed every 36 months (CALEA 41.2.7).",
        "  Counted:",
        "    CIT basic course on 1 Mar 2018: counts as an entry course; the date rests on it",
        "  Dates:",
        "    CIT basic course on 1 Mar 2018 + 36 months = 1 Mar 2021.",
        "  What would change it:",
        "    CIT basic course, completed by 1 Mar 2021.",
        "",
    ]


RULES: list[dict[str, Any]] = [
    {"leave": "exclude", "return_grace_days": 60, "leave_min_days": 20},
    {"leave": "toll", "early": "keep_anchor", "keep_anchor_days": 200},
    {"clock": "calendar", "years": 2, "first_due": "next_year_end", "leave": "toll"},
    {"clock": "cycle", "months": 24, "cycle_start": date(2019, 7, 1), "first_due": "next_window_end"},
    {"clock": "certificate", "months": 24, "recert_before_days": 90, "recert_after_days": 400},
    {"clock": "once", "break_months": 6, "leave": "toll"},
    {"hours": 16, "hours_window_months": 24},
    {"hours": 16, "hours_window_months": 24, "hours_model": "rolling", "months": 0, "leave": "exclude"},
]


def anybody(number: int, random: Random, requirements: list[Requirement], courses: list[Course]) -> Officer:
    """A member with random facts."""

    def some_day() -> date:
        return date(2018, 1, 1) + timedelta(days=random.randrange(3000))

    officer = make.make_officer(f"R{number}", hired_on=date(2018, 1, 1) + timedelta(days=random.randrange(700)))
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        for place in range(random.randrange(8)):
            evidence = random.choice(["verified", "verified", "verified", "pending"])
            given = {"class_number": str(place), "hours": random.choice([None, 4, 8]), "evidence": evidence}
            recorder.record(
                Completion(officer=officer, course=random.choice(courses), completed_on=some_day(), **given)
            )
        start_on = some_day()
        for _ in range(random.randrange(3)):
            end_on = start_on + timedelta(days=random.randrange(300))
            recorder.record(Leave(officer=officer, kind="medical", start_on=start_on, end_on=end_on))
            start_on = end_on + timedelta(days=1 + random.randrange(200))
    for requirement in random.sample(requirements, 3):
        approved_on = some_day()
        make.extend(officer, requirement, approved_on + timedelta(days=random.randrange(400)), approved_on)
        waived_on = some_day()
        make.waive(officer, requirement, waived_on, waived_on + timedelta(days=random.randrange(90)))
    return officer


@pytest.mark.parametrize("seed", [1, 2])
def test_the_account_of_every_period_has_its_state_and_due_date(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - the same members each time
    basic, refresher, short = course(), course("CIT-REF-8"), course("CIT-RE-2")
    requirements = []
    for number, rules in enumerate(RULES):
        recert = (short,) if "recert_before_days" in rules else ()
        requirements.append(
            make.make_requirement(f"r{number}", entry=(basic,), refresher=(refresher,), recert=recert, **rules)
        )
    members = [anybody(number, random, requirements, [basic, refresher, short]) for number in range(12)]
    gathered, compared = gather_rules(), 0

    for officer in members:
        member = reasons.gather_member(officer.pk, gathered)
        for (_, requirement), line in standings.lines([officer.pk], gathered).items():
            for row in line:
                account = member.account(requirement, row, date(2022, 7, 1))
                assert account is not None
                assert (account.state, account.due_on) == (row.state, row.due_on), (officer, row)
                compared += 1

    assert compared > 300


def test_gathering_costs_the_same_however_much_there_is_to_explain(
    officer: Officer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    requirement = make.make_requirement("cit", entry=(course(),))
    make.complete(officer, course(), date(2018, 2, 1))
    # 8 facts; 4 editions with their courses; 1 completions, 1 what replaced them
    queries = 14

    def explain_all() -> int:
        rules, lines = gather_rules(), standings.lines([officer.pk], gather_rules())
        with django_assert_num_queries(queries):
            member = reasons.gather_member(officer.pk, rules)
            accounts = [member.account(key, row, date(2026, 1, 1)) for (_, key), rows in lines.items() for row in rows]
        return len(accounts)

    few = explain_all()
    for number in range(10):
        make.make_requirement(f"more-{number}", entry=(course(),), refresher=(course(f"C{number}"),))
        make.complete(officer, course(f"C{number}"), date(2019 + number % 5, 3, 1 + number))
    standings.rebuild()
    make.waive(officer, requirement, date(2024, 1, 1), date(2024, 2, 1))
    many = explain_all()

    assert few == 3
    assert many > 30
