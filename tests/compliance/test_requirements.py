"""Requirements files: what loads, what is refused and in which words, and that nothing is half-loaded."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from compliance import requirements, sentences
from compliance.models import Edition, Goal, IssuedReport, Population, Requirement, Standing
from compliance.preview import preview
from compliance.requirements_file import Refused, read
from tests import factories as make
from training.models import Course

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 21)

WHOLE = """
[[population]]
code = "patrol"
title = "Patrol, officers and sergeants"
categories = ["sworn"]
functions = ["patrol"]        # of the home unit, inherited down the tree
units = []
ranks = ["officer", "sergeant"]
shifts = []
designations = []
voluntary_only = false
min_service_months = 0
acting_counts = false

[[requirement]]
code = "calea-refresher"
title = "Mental-health refresher"
citations = ["CALEA 41.2.7"]

[[requirement.edition]]
effective_from = 2015-01-01
effective_to = 2024-12-31
population = "patrol"
entry_courses = ["CIT-40"]
refresher_courses = ["CIT-REF-8"]
refresher_stands_alone = false
refresher_min_tenure_months = 0
min_hours = 0
refresher_min_hours = 0
min_score = 0
min_attendance = 0
min_block_hours = 0
modes = []
hours = 0
hours_model = "event"
hours_window_months = 36
clock = "rolling"
months = 36
years = 3
cycle_start = 2021-09-01
recert_courses = []
recert_before_days = 0
recert_after_days = 0
early = "restart"
keep_anchor_days = 0
first_due = "grace"
entry_grace_days = 180
entry_due_on = 2026-12-31
return_grace_days = 60
leave = "exclude"
leave_kinds = []
leave_min_days = 0
break_months = 0

[[requirement.edition]]
effective_from = 2025-01-01
population = "patrol"
entry_courses = ["CIT-40"]
clock = "calendar"
years = 3

[[goal]]
code = "cit-30"
title = "30 % of patrol certified"
requirement = "calea-refresher"
counts = "trained"
designation = ""
target_percent = 30
each = "none"
min_count = 0
by = 2027-12-31
"""


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    make.make_course("CIT-40", title="CIT, 40 h")
    make.make_course("CIT-REF-8", title="CIT refresher, 8 h", hours=8)


def load(content: str) -> requirements.Loaded:
    return requirements.load(read(content.encode()), today=TODAY)


def test_every_key_of_the_format_loads() -> None:
    make.make_rank("officer")
    loaded = load(WHOLE)

    first, second = Edition.objects.order_by("effective_from")
    assert (loaded.populations, loaded.requirements, loaded.editions, loaded.goals) == (1, 1, 2, 1)
    assert loaded.warnings == ['population "patrol": ranks: nobody has held "sergeant" yet']
    assert Population.objects.get().ranks == ["officer", "sergeant"]
    assert Requirement.objects.get().citations == ["CALEA 41.2.7"]
    assert (first.months, first.clock, first.leave, first.return_grace_days) == (36, "rolling", "exclude", 60)
    assert (first.effective_to, second.effective_to, second.years) == (date(2024, 12, 31), None, 3)
    assert [course.code for course in first.refresher_courses.all()] == ["CIT-REF-8"]
    assert (Goal.objects.get().counts, int(Goal.objects.get().target_percent)) == ("trained", 30)
    assert sentences.rule(first) == (
        "Patrol, officers and sergeants: CIT (40 h), and after it CIT refresher (8 h) or CIT (40 h) every 36 months; "
        "first due 180 days after joining, not before 31 Dec 2026; leave is excused, with 60 days to catch up after it."
    )


def test_loading_again_changes_nothing_and_an_edition_is_updated_by_its_first_day() -> None:
    load(WHOLE)
    ids = set(Edition.objects.values_list("pk", flat=True))

    load(WHOLE.replace("months = 36\nyears", "months = 24\nyears"))

    assert set(Edition.objects.values_list("pk", flat=True)) == ids
    assert Edition.objects.order_by("effective_from")[0].months == 24


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        pytest.param(
            "months = 36\nyears = 3\n",
            "",
            'requirement "calea-refresher", edition 2015-01-01: months: clock "rolling" needs the number of months',
            id="rolling-without-months",
        ),
        pytest.param(
            'clock = "calendar"\nyears = 3',
            'clock = "calendar"',
            'requirement "calea-refresher", edition 2025-01-01: years: clock "calendar" needs the number of years',
            id="calendar-without-years",
        ),
        pytest.param(
            "min_score = 0",
            'min_score = "high"',
            'requirement "calea-refresher", edition 2015-01-01: min_score: must be a number from 0 to 100',
            id="nonsense-value",
        ),
        pytest.param(
            "min_score = 0",
            "minscore = 0",
            'requirement "calea-refresher", edition 2015-01-01: minscore: is not a key this table has',
            id="unknown-key",
        ),
        pytest.param(
            'categories = ["sworn"]',
            'categories = ["sworm"]',
            'population "patrol": categories: "sworm" is not one of '
            "sworn, recruit, telecommunicator, civilian, co_responder",
            id="unknown-category",
        ),
        pytest.param(
            'entry_courses = ["CIT-40"]\nclock',
            'entry_courses = ["CIT-41"]\nclock',
            'requirement "calea-refresher", edition 2025-01-01: entry_courses: there is no course "CIT-41"',
            id="missing-course",
        ),
        pytest.param(
            "units = []",
            'units = ["D9"]',
            'population "patrol": units: there is no unit "D9"',
            id="missing-unit",
        ),
        pytest.param(
            'population = "patrol"\nentry_courses = ["CIT-40"]\nclock',
            'population = "patrols"\nentry_courses = ["CIT-40"]\nclock',
            'requirement "calea-refresher", edition 2025-01-01: population: there is no population "patrols"',
            id="missing-population",
        ),
        pytest.param(
            "effective_to = 2024-12-31",
            "effective_to = 2025-01-31",
            'requirement "calea-refresher", edition 2015-01-01: effective_to: overlaps the edition from 2025-01-01',
            id="overlapping-editions",
        ),
        pytest.param(
            "effective_to = 2024-12-31",
            "effective_to = 2024-12-30",
            'requirement "calea-refresher", edition 2015-01-01: effective_to: '
            "leaves a gap before the edition from 2025-01-01",
            id="gap-between-editions",
        ),
        pytest.param(
            "effective_to = 2024-12-31",
            "effective_to = 2014-12-31",
            'requirement "calea-refresher", edition 2015-01-01: effective_to: is before effective_from',
            id="ends-before-it-begins",
        ),
        pytest.param(
            'requirement = "calea-refresher"\ncounts',
            'requirement = "calea"\ncounts',
            'goal "cit-30": requirement: there is no requirement "calea"',
            id="goal-of-no-requirement",
        ),
        pytest.param(
            "effective_from = 2015-01-01",
            "effective_from = 0001-01-01",
            'requirement "calea-refresher", edition 0001-01-01: effective_from: '
            "must be a date of the years 1900 to 2199",
            id="a-day-out-of-time",
        ),
        pytest.param(
            'counts = "trained"',
            'counts = "designated"',
            'goal "cit-30": designation: is missing: designated members are counted by its code',
            id="goal-without-designation",
        ),
        pytest.param(
            'code = "patrol"\n',
            "",
            "population 1: code: is missing",
            id="missing-code",
        ),
        pytest.param("[[goal]]", "[goal]", "goal: write it as [[goal]]", id="a-table-not-a-list"),
        pytest.param(
            "effective_from = 2015-01-01",
            'effective_from = "soon"',
            'requirement "calea-refresher", edition 1: effective_from: must be a date, like 2026-12-31 without quotes',
            id="a-day-in-words",
        ),
        pytest.param(
            'code = "cit-30"',
            f'code = "{81 * "x"}"',
            "goal 1: code: is 81 characters long; 80 fit",
            id="code-too-long",
        ),
        pytest.param(
            'citations = ["CALEA 41.2.7"]',
            'citations = ["CALEA\\u0000"]',
            'requirement "calea-refresher": citations: holds a line break or another control character',
            id="nothing-a-database-keeps",
        ),
        pytest.param(
            "min_hours = 0\nrefresher",
            "min_hours = 0.005\nrefresher",
            'requirement "calea-refresher", edition 2015-01-01: min_hours: must be a number with two decimals at most',
            id="finer-than-hundredths",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_loaded(old: str, new: str, finding: str) -> None:
    assert old in WHOLE

    with pytest.raises(Refused) as refused:
        load(WHOLE.replace(old, new))

    assert refused.value.findings == [finding]
    assert not Requirement.objects.exists()
    assert not Population.objects.exists()


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        pytest.param(b"", "The file has no [[population]], [[requirement]] or [[goal]].", id="empty"),
        pytest.param(b"\xff\xfe\x00", "The file is not UTF-8 text.", id="not-text"),
        pytest.param(b"[[rule]]\n", "rule: is not a table this file has", id="unknown-table"),
        pytest.param(
            b"goal = " + b"[" * 5000 + b"]" * 5000,
            "The file is nested too deeply: requirements are tables of plain values and lists.",
            id="nested-deeply",
        ),
        pytest.param(
            b".".join([b"goal"] * 100_000) + b" = 1",
            "The file is nested too deeply: requirements are tables of plain values and lists.",
            id="a-key-of-ages",
        ),
        pytest.param(
            b"goal = " + b"9" * 5000,
            "The file holds a number that is too long to be read.",
            id="a-number-of-ages",
        ),
    ],
)
def test_a_file_that_is_none(content: bytes, finding: str) -> None:
    with pytest.raises(Refused) as refused:
        read(content)

    assert refused.value.findings == [finding]


def test_a_population_in_force_keeps_its_definition() -> None:
    load(WHOLE)

    with pytest.raises(Refused) as refused:
        load(WHOLE.replace('ranks = ["officer", "sergeant"]', 'ranks = ["officer"]'))

    assert refused.value.findings == [
        'population "patrol": ranks: an edition in force uses this population; '
        "write a new population and a new edition that names it"
    ]


def test_an_edition_of_an_issued_report_is_closed_to_change() -> None:
    load(WHOLE)
    edition = Edition.objects.order_by("effective_from")[0]
    report = IssuedReport.objects.create(
        number="AR-2026-0001",
        kind="accreditation",
        agency=make.make_agency(),
        totals={},
        requirement=edition.requirement,
        as_of=TODAY,
        known_at="2026-11-21T12:00Z",
        span_from=TODAY,
        span_to=TODAY,
        data_sha256="0" * 64,
        files=[],
        issued_at="2026-11-21T12:00Z",
    )
    report.editions.add(edition)

    load(WHOLE)
    with pytest.raises(Refused) as refused:
        load(WHOLE.replace("months = 36\nyears", "months = 24\nyears"))

    assert refused.value.findings == [
        'requirement "calea-refresher", edition 2015-01-01: effective_from: '
        "an issued report used this edition, so it cannot change"
    ]


EDITION = """
[[population]]
code = "all"

[[requirement]]
code = "cit"

[[requirement.edition]]
effective_from = 2020-01-01
population = "all"
entry_courses = ["CIT-40"]
"""

HERE = 'requirement "cit", edition 2020-01-01: '


@pytest.mark.parametrize(
    ("keys", "findings"),
    [
        pytest.param('clock = "rolling"', ['months: clock "rolling" needs the number of months'], id="rolling"),
        pytest.param(
            'clock = "certificate"', ['months: clock "certificate" needs the number of months'], id="certificate"
        ),
        pytest.param(
            'clock = "cycle"\nmonths = 0\ncycle_start = 2021-09-01',
            ['months: clock "cycle" needs the number of months'],
            id="cycle-of-no-months",
        ),
        pytest.param(
            'clock = "cycle"\nmonths = 48',
            ['cycle_start: clock "cycle" needs the first day of its first window'],
            id="cycle-without-a-start",
        ),
        pytest.param(
            'hours = 8\nhours_model = "rolling"',
            ['hours_window_months: hours_model "rolling" needs the number of months'],
            id="rolling-hours-without-a-window",
        ),
        pytest.param(
            'hours = 8\nhours_model = "rolling"\nhours_window_months = 36\nclock = "calendar"\nyears = 1',
            ['clock: hours_model "rolling" has no use for "calendar"; choose "rolling"'],
            id="rolling-hours-by-another-clock",
        ),
        pytest.param(
            "hours = 8\nmin_hours = 2",
            ["min_hours: does not go with hours, which adds up what the completions hold"],
            id="min-hours-with-hours",
        ),
        pytest.param(
            'refresher_courses = ["CIT-REF-8"]\nrecert_courses = ["cit-ref-8"]\nclock = "certificate"\nmonths = 24\n'
            "recert_after_days = 90",
            ["recert_courses: cit-ref-8 is among refresher_courses too; it can be one of them"],
            id="refresher-and-recertification",
        ),
        pytest.param(
            'early = "keep_anchor"\nkeep_anchor_days = 90',
            ['early: "keep_anchor" goes with clock "rolling" only, not with "once"'],
            id="keep-anchor-by-another-clock",
        ),
        pytest.param(
            'first_due = "window_end"',
            ['first_due: "window_end" does not go with clock "once"; choose "grace" or "year_end" or "next_year_end"'],
            id="a-window-without-a-cycle",
        ),
        pytest.param(
            'first_due = "grace"\nclock = "cycle"\nmonths = 48\ncycle_start = 2021-09-01',
            ['first_due: "grace" does not go with clock "cycle"; choose "window_end" or "next_window_end"'],
            id="a-cycle-without-a-window",
        ),
        pytest.param(
            'hours_model = "both"', ["hours_model: must be one of event, rolling"], id="an-unknown-model-of-hours"
        ),
    ],
)
def test_what_an_edition_says_together_must_be_possible(keys: str, findings: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        load(EDITION + keys)

    assert refused.value.findings == [HERE + finding for finding in findings]
    assert not Requirement.objects.exists()


@pytest.mark.parametrize(
    ("keys", "stored"),
    [
        pytest.param("", {"clock": "once", "first_due": "grace", "leave": "none", "early": "restart"}, id="defaults"),
        pytest.param(
            'clock = "cycle"\nmonths = 48\ncycle_start = 2021-09-01',
            {"clock": "cycle", "first_due": "window_end", "cycle_start": date(2021, 9, 1)},
            id="a-cycle-is-first-due-at-a-window-s-end",
        ),
        pytest.param(
            'hours = 8\nhours_model = "rolling"\nhours_window_months = 36',
            {"clock": "once", "hours": 8, "hours_model": "rolling", "hours_window_months": 36, "months": 0},
            id="rolling-hours-need-no-clock",
        ),
        pytest.param(
            'clock = "certificate"\nmonths = 36\nrecert_courses = ["CIT-REF-8"]\nrecert_before_days = 60\n'
            "recert_after_days = 90\nbreak_months = 24\nrefresher_min_tenure_months = 6",
            {"recert_before_days": 60, "recert_after_days": 90, "break_months": 24, "refresher_min_tenure_months": 6},
            id="certificate",
        ),
        pytest.param(
            'clock = "rolling"\nmonths = 36\nearly = "keep_anchor"\nkeep_anchor_days = 90\nleave = "toll"',
            {"early": "keep_anchor", "keep_anchor_days": 90, "leave": "toll"},
            id="keep-anchor",
        ),
    ],
)
def test_what_loads_is_stored_as_written(keys: str, stored: dict[str, object]) -> None:
    loaded = load(EDITION + keys)

    edition = Edition.objects.get()
    assert {name: getattr(edition, name) for name in stored} == stored
    assert loaded.warnings == []


@pytest.mark.parametrize(
    ("keys", "warnings"),
    [
        pytest.param(
            'modes = ["online"]',
            [
                f"entry_courses: {requirements.NONE_COUNTS}",
                'entry_courses: CIT-40 is taught as "classroom", which modes leaves out',
            ],
            id="modes-exclude-the-entry-course",
        ),
        pytest.param(
            "min_hours = 41",
            [
                f"entry_courses: {requirements.NONE_COUNTS}",
                "entry_courses: CIT-40 has 40 hours, below min_hours; it counts only when a longer block is recorded",
            ],
            id="min-hours-exclude-the-entry-course",
        ),
        pytest.param(
            'min_hours = 41\nrefresher_courses = ["CIT-REF-8"]',
            [
                f"entry_courses: {requirements.NONE_COUNTS}",
                "entry_courses: CIT-40 has 40 hours, below min_hours; it counts only when a longer block is recorded",
            ],
            id="a-refresher-that-nobody-can-come-to",
        ),
        pytest.param(
            'min_hours = 41\nrefresher_courses = ["CIT-REF-8"]\nrefresher_stands_alone = true',
            ["entry_courses: CIT-40 has 40 hours, below min_hours; it counts only when a longer block is recorded"],
            id="a-refresher-that-stands-alone",
        ),
        pytest.param(
            'recert_courses = ["CIT-REF-8"]',
            ['recert_courses: count under clock "certificate" only'],
            id="recertification-without-certificates",
        ),
        pytest.param(
            'recert_courses = ["CIT-REF-8"]\nclock = "certificate"\nmonths = 36',
            ["recert_courses: count on the last day of the limit only: recert_before_days and recert_after_days are 0"],
            id="recertification-on-one-day",
        ),
        pytest.param(
            "hours = 8\nrefresher_min_hours = 2",
            ["refresher_min_hours: does not apply beside hours, which adds up what the completions hold"],
            id="a-minimum-beside-hours",
        ),
        pytest.param(
            'leave = "toll"\nclock = "cycle"\nmonths = 48\ncycle_start = 2021-09-01',
            ['leave: "toll" moves no date under a cycle, and excuses nobody'],
            id="toll-under-a-cycle",
        ),
        pytest.param(
            'entry_grace_days = 30\nfirst_due = "year_end"',
            ["entry_grace_days: asks nothing: the first deadline is the end of a window or a year"],
            id="days-of-grace-beside-the-end-of-the-year",
        ),
        pytest.param(
            'entry_grace_days = 30\nclock = "cycle"\nmonths = 48\ncycle_start = 2021-09-01',
            ["entry_grace_days: asks nothing: the first deadline is the end of a window or a year"],
            id="days-of-grace-under-a-cycle",
        ),
        pytest.param(
            'return_grace_days = 60\nleave = "toll"',
            ['return_grace_days: asks nothing without leave "exclude"'],
            id="days-back-under-toll",
        ),
        pytest.param(
            'leave = "exclude"\nleave_kinds = ["Militery"]',
            ['leave_kinds: nobody has had leave of the kind "Militery" yet'],
            id="a-kind-of-leave-nobody-has-had",
        ),
    ],
)
def test_what_is_odd_loads_with_a_warning(keys: str, warnings: list[str]) -> None:
    loaded = load(EDITION + keys)

    assert loaded.warnings == [HERE + warning for warning in warnings]
    assert Edition.objects.exists()


def test_a_population_with_nobody_in_it_is_a_warning_once_there_are_members() -> None:
    nobody = EDITION.replace('code = "all"', 'code = "all"\ncategories = ["recruit"]')
    before = load(nobody).warnings
    make.make_officer(hired_on=date(2020, 1, 1))

    after = load(nobody).warnings
    found = preview(requirements.propose(read(nobody.encode()), today=TODAY), days=[TODAY])

    assert before == []
    assert after == ['population "all": nobody is in it today, 2026-11-21']
    assert found.warnings == after
    assert not found.moves


def test_designations_are_asked_by_their_codes() -> None:
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    make.make_officer("2", hired_on=date(2020, 1, 1))
    make.designate(officer, "cit", date(2024, 1, 1), is_voluntary=True)

    loaded = load(EDITION.replace('code = "all"', 'code = "all"\ndesignations = ["CIT", "FTO"]\nvoluntary_only = true'))

    population = Population.objects.get()
    assert (population.designations, population.voluntary_only) == (["CIT", "FTO"], True)
    assert loaded.warnings == ['population "all": designations: nobody has held "FTO" yet']


def test_a_goal_of_groups_loads() -> None:
    load(
        EDITION
        + """
[[goal]]
code = "watch"
requirement = "cit"
counts = "designated"
designation = "CIT"
target_percent = 20
each = "unit_shift"
min_count = 1
"""
    )

    goal = Goal.objects.get()
    assert (goal.counts, goal.designation, goal.each, goal.min_count) == ("designated", "CIT", "unit_shift", 1)


def test_a_course_the_minimums_exclude_is_a_warning() -> None:
    make.make_rank("officer")
    make.make_rank("sergeant")

    loaded = load(WHOLE.replace("min_block_hours = 0", "min_block_hours = 10"))

    assert loaded.warnings == [
        'requirement "calea-refresher", edition 2015-01-01: refresher_courses: '
        "CIT-REF-8 has 8 hours, below min_block_hours; it counts only when a longer block is recorded"
    ]


def test_preview_says_who_changes_state_and_loads_nothing(tmp_path: Path) -> None:
    make.make_rank("officer")
    patrol = make.make_unit("P1", function="patrol")
    officer = make.make_officer(unit=patrol, rank=make.make_rank("officer"), hired_on=date(2016, 1, 1))
    make.complete(officer, make.make_course("CIT-40"), date(2022, 5, 1))
    load(WHOLE)
    path = tmp_path / "rule.toml"
    path.write_text(WHOLE.replace('clock = "calendar"\nyears = 3', 'clock = "calendar"\nyears = 9'))
    before = list(Standing.objects.order_by("pk").values())
    out = StringIO()

    call_command("load_requirements", str(path), "--preview", stdout=out, stderr=StringIO())

    assert out.getvalue().splitlines() == [
        "calea-refresher  P1  overdue -> current  1",
        "1 would change state today.",
    ]
    assert list(Standing.objects.order_by("pk").values()) == before


def test_a_bad_file_ends_the_command_with_2(tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_text("[[goal]]\ncode = 3\n")
    err = StringIO()

    with pytest.raises(SystemExit) as exit_:
        call_command("load_requirements", str(path), stderr=err)

    assert exit_.value.code == 2
    assert err.getvalue().splitlines() == [
        "goal 1: code: must be text",
        "goal 1: requirement: is missing",
        "goal 1: target_percent: is missing",
    ]


def test_shipped_presets_are_listed_and_load() -> None:
    out = StringIO()
    call_command("load_requirements", "--presets", stdout=out)
    call_command(
        "load_requirements",
        "--presets",
        *("all-patrol", "calea-41.2.7-entry", "calea-41.2.7-refresher"),
        stderr=StringIO(),
    )

    listed = {line.split()[0]: line.split()[1] for line in out.getvalue().splitlines()}
    assert listed == {
        "all-patrol": "on",
        "calea-33.5.1-annual": "off",
        "calea-41.2.7-entry": "on",
        "calea-41.2.7-refresher": "on",
        "calea-41.2.7-refresher-annual": "off",
        "calea-41.2.7-refresher-calendar": "off",
        "certified-cit-36": "on",
        "cit-30": "off",
        "dispatch-8": "off",
        "memphis-25": "on",
        "mhfa-8": "on",
        "mn-16-credits": "off",
        "recruit-block": "off",
        "tiered": "off",
        "tx-crisis-cycle": "on",
        "va-in-service": "off",
        "wa-annual-2h": "on",
    }
    assert [row.code for row in Requirement.objects.all()] == [
        "all-patrol",
        "calea-41.2.7-entry",
        "calea-41.2.7-refresher",
    ]
    assert Goal.objects.get().target_percent == 100


@pytest.mark.parametrize("code", sorted(requirements.presets()))
def test_every_preset_loads(code: str) -> None:
    preset = requirements.presets()[code]

    loaded = requirements.load_presets([code], today=TODAY)

    asked = [f'preset "{code}": {preset.note}'] if not preset.is_on else []
    assert [warning for warning in loaded.warnings if "nobody has held" not in warning] == asked
    assert loaded.requirements == loaded.editions == len(preset.file["requirement"])
    assert loaded.goals == len(preset.file.get("goal", ()))
    assert {course.code for course in Course.objects.all()} >= {str(course["code"]) for course in preset.courses}


def test_all_presets_load_together() -> None:
    loaded = requirements.load_presets(requirements.presets(), today=TODAY)

    codes = {row["code"] for preset in requirements.presets().values() for row in preset.file["requirement"]}
    assert {row.code for row in Requirement.objects.all()} == codes
    assert loaded.requirements == len(codes) + 2  # three readings of one refresher


def test_another_reading_replaces_the_shipped_one() -> None:
    officer = make.make_officer(hired_on=date(2016, 1, 1))
    requirements.load_presets(["calea-41.2.7-refresher"], today=TODAY)
    make.complete(officer, make.make_course("CIT-40"), date(2023, 3, 17))
    rolling = Standing.objects.get(officer=officer, start_on=date(2023, 3, 17)).due_on

    requirements.load_presets(["calea-41.2.7-refresher-calendar"], today=TODAY)

    assert rolling == date(2026, 3, 17)
    assert Standing.objects.get(officer=officer, start_on=date(2023, 3, 17)).due_on == date(2026, 12, 31)
    assert Requirement.objects.count() == 1
