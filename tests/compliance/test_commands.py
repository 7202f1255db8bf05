"""The commands that answer: groups, known at, formats, and what they say to a wrong argument."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command, execute_from_command_line
from django.core.management.base import CommandError

from compliance import standings
from compliance.models import Population, Requirement, Standing, Waiver
from roster.facts import Via, recording
from roster.models import Assignment, Rank, Shift
from tests import factories as make
from training.models import Completion

pytestmark = pytest.mark.django_db


def ask(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--format", "json", stdout=out)
    return json.loads(out.getvalue())


def state_of(employee_id: str, day: str, *options: str) -> tuple[str, str | None] | None:
    rows = ask("standing", "--officer", employee_id, "--as-of", day, *options)
    return (rows[0]["state"], rows[0]["due_on"]) if rows else None


@pytest.fixture
def two_agencies() -> None:
    """A police department and a sheriff that both have a unit D1, a shift days and a rank officer."""
    sheriff = make.make_agency("sd", "Sheriff")
    make.make_requirement("cit", entry=(make.make_course(),))
    make.make_officer("1", unit=make.make_unit("D1"), shift=make.make_shift(), rank=make.make_rank())
    make.make_officer(
        "2",
        unit=make.make_unit("d1", agency=sheriff),
        shift=Shift.objects.create(agency=sheriff, code="days"),
        rank=Rank.objects.create(agency=sheriff, code="officer"),
    )


@pytest.mark.usefixtures("two_agencies")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param(["--by", "shift"], "days", id="shift"),
        pytest.param(["--by", "rank"], "officer", id="rank"),
        pytest.param(["--by", "unit"], "d1", id="unit"),
        pytest.param(["--by", "unit_shift"], "d1", id="unit-and-shift"),
        pytest.param(["--by", "unit", "--rollup"], "d1", id="rollup"),
    ],
)
def test_coverage_by_a_code_of_two_agencies_asks_which(options: list[str], code: str) -> None:
    arguments = ["coverage", "--requirement", "cit", "--as-of", "2026-01-01", *options]

    with pytest.raises(CommandError) as error:
        call_command(*arguments, stdout=StringIO())

    what = f'--by {options[1]}: "{code}" exists in several agencies: pd, sd. Say which with --agency.'
    assert (str(error.value).casefold(), error.value.returncode) == (what.casefold(), 2)
    assert [row["counted"] for row in ask(*arguments, "--agency", "pd")] == [1]


@pytest.mark.usefixtures("two_agencies")
def test_coverage_of_two_agencies_is_answered_where_no_code_is_in_both() -> None:
    whole = ask("coverage", "--requirement", "cit", "--as-of", "2026-01-01")
    before = ask("coverage", "--requirement", "cit", "--as-of", "2015-01-01", "--by", "unit")

    assert [row["counted"] for row in whole] == [2]
    assert before == []


def test_coverage_by_unit_and_shift_is_answered_where_the_unit_tells_whose_shift_it_is() -> None:
    make.make_requirement("cit", entry=(make.make_course(),))
    sheriff = make.make_agency("sd", "Sheriff")
    make.make_officer("1", unit=make.make_unit("D1"), shift=make.make_shift())
    watch = Shift.objects.create(agency=sheriff, code="days")
    make.make_officer("2", unit=make.make_unit("S1", agency=sheriff), shift=watch)

    rows = ask("coverage", "--requirement", "cit", "--as-of", "2026-01-01", "--by", "unit_shift")

    assert [(row["unit"], row["shift"], row["counted"]) for row in rows] == [("D1", "days", 1), ("S1", "days", 1)]


@pytest.mark.usefixtures("two_agencies")
@pytest.mark.parametrize(
    ("each", "code"), [pytest.param("unit", "d1"), pytest.param("shift", "days"), pytest.param("unit_shift", "d1")]
)
def test_goals_of_groups_that_two_agencies_name_alike_ask_which(each: str, code: str) -> None:
    make.make_goal(Requirement.objects.get(), code="watch", each=each)

    with pytest.raises(CommandError) as error:
        ask("goals", "--as-of", "2026-01-01")

    what = f'watch: "{code}" exists in several agencies: pd, sd. Say which with --agency.'
    assert (str(error.value).casefold(), error.value.returncode) == (what.casefold(), 2)
    assert [len(row["groups"]) for row in ask("goals", "--as-of", "2026-01-01", "--agency", "sd")] == [1]


def test_goals_of_one_agency_leave_the_other_out() -> None:
    cit = make.make_course()
    make.make_goal(make.make_requirement(entry=(cit,)), code="cit", target_percent=50)
    make.complete(make.make_officer("1"), cit, date(2025, 3, 3))
    make.make_officer("2", agency=make.make_agency("sd", "Sheriff"))

    def have(*options: str) -> tuple[bool, int, str]:
        (row,) = ask("goals", "--as-of", "2026-01-01", *options)
        return row["met"], row["have"], row["percent"]

    assert have() == (True, 1, "50.0")
    assert have("--agency", "pd") == (True, 1, "100.0")
    assert have("--agency", "sd") == (False, 0, "0.0")


def test_waivers_and_extensions_by_two_clocks() -> None:
    """What was not yet recorded, or not yet voided, at a moment is judged as it was then."""
    cit = make.make_course()
    requirement = make.make_requirement("cit", entry=(cit,))
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    make.complete(officer, cit, date(2023, 3, 17))
    nothing = str(Completion.objects.get().recorded_in.at)
    extension = make.extend(officer, requirement, date(2026, 9, 30), date(2026, 3, 1))
    extended = str(extension.recorded_in.at)
    waiver = make.waive(officer, requirement, date(2026, 10, 1), date(2026, 12, 31))
    waived = str(waiver.recorded_in.at)
    with recording(by=None, via=Via.COMMAND, why="another member's") as recorder:
        recorder.void([extension, waiver])

    def told(day: str, *known: str) -> list[str]:
        return [row["because"] for row in ask("standing", "--officer", "1", "--as-of", day, *known)]

    assert (
        told("2026-10-01", "--known-at", nothing)
        == told("2026-10-01")
        == ["Overdue since 18 Mar 2026: Course CIT-40 on 17 Mar 2023 carried through 17 Mar 2026 (CALEA 41.2.7)."]
    )
    assert told("2026-10-01", "--known-at", extended) == [
        "Overdue since 1 Oct 2026: Course CIT-40 on 17 Mar 2023 carried through 30 Sep 2026, as extended "
        "(CALEA 41.2.7)."
    ]
    assert told("2026-10-01", "--known-at", waived) == ["Excused: by a waiver (CALEA 41.2.7)."]
    assert state_of("1", "2026-02-28", "--known-at", waived) == ("current", "2026-03-17")
    assert state_of("1", "2026-03-01", "--known-at", waived) == ("current", "2026-09-30")
    assert standings.differences() == {}


def test_a_designation_makes_a_member_of_the_population_while_it_lasts() -> None:
    cit = make.make_course()
    make.make_requirement(
        "cit", entry=(cit,), population={"designations": ["CIT"], "voluntary_only": True}, entry_grace_days=0
    )
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    make.designate(officer, "cit", date(2024, 1, 1), date(2024, 12, 31), is_voluntary=True)
    make.designate(officer, "CIT", date(2025, 1, 1))

    assert [state_of("1", day) for day in ("2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01")] == [
        None,
        ("in_grace", "2024-01-01"),
        ("overdue", "2024-01-01"),
        None,
    ]


def test_timeline_is_the_whole_line() -> None:
    cit = make.make_course()
    make.make_requirement("cit", entry=(cit,), population={"functions": ["patrol"]})
    first, second = make.make_unit("D1", function="patrol"), make.make_unit("D2", function="patrol")
    days = make.make_shift("days")
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    with recording(by=None, via=Via.COMMAND, why="assigned") as recorder:
        recorder.record(
            Assignment(officer=officer, unit=first, shift=days, start_on=date(2020, 1, 1), end_on=date(2021, 1, 31))
        )
        recorder.record(Assignment(officer=officer, unit=second, start_on=date(2021, 2, 1)))
    make.complete(officer, cit, date(2020, 3, 1))

    line = ask("timeline", "--officer", "1", "--requirement", "cit")

    assert [[row[key] for key in ("from", "to", "state", "due_on", "unit", "shift")] for row in line] == [
        ["2020-01-01", "2020-02-29", "in_grace", "2020-06-29", "D1", "days"],
        ["2020-03-01", "2021-01-31", "current", "2023-03-01", "D1", "days"],
        ["2021-02-01", "2023-03-01", "current", "2023-03-01", "D2", None],
        ["2023-03-02", None, "overdue", "2023-03-01", "D2", None],
    ]
    assert [
        [row["state"], row["to"]]
        for row in ask("timeline", "--officer", "1", "--requirement", "cit", "--as-of", "2020-02-15")
    ] == [
        ["in_grace", "2020-06-29"],
        ["overdue", "2021-01-31"],
        ["overdue", None],
    ]


def test_timeline_joins_what_reads_the_same() -> None:
    """An edition that asks for one course more, and a promotion, change nothing that is shown of this member."""
    cit, more = make.make_course(), make.make_course("MORE")
    requirement = make.make_requirement("cit", entry=(cit,), effective_to=date(2021, 5, 31))
    following = requirement.editions.create(
        effective_from=date(2021, 6, 1), population=Population.objects.get(), clock="rolling", months=36
    )
    following.entry_courses.set([cit, more])
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    unit, rank = make.make_unit("D1"), make.make_rank("sergeant")
    with recording(by=None, via=Via.COMMAND, why="assigned") as recorder:
        recorder.record(Assignment(officer=officer, unit=unit, start_on=date(2020, 1, 1), end_on=date(2020, 8, 31)))
        recorder.record(Assignment(officer=officer, unit=unit, rank=rank, start_on=date(2020, 9, 1)))
        # Back after months away: equal to what was before, though the two do not touch.
        recorder.record(
            Waiver(officer=officer, requirement=requirement, start_on=date(2022, 1, 1), end_on=date(2022, 1, 31))
        )
    make.complete(officer, cit, date(2020, 3, 1))
    asked = ("timeline", "--officer", "1", "--requirement", "cit", "--as-of", "2022-06-01")

    line, explained = ask(*asked), ask(*asked, "--why")

    rested = "Course CIT-40 on 1 Mar 2020, renewed every 36 months (CALEA 41.2.7)."
    assert [[row["from"], row["to"], row["state"], row["because"]] for row in line[1:4]] == [
        ["2020-03-01", "2021-12-31", "current", f"Current through 1 Mar 2023: {rested}"],
        ["2022-01-01", "2022-01-31", "excused", "Excused: by a waiver (CALEA 41.2.7)."],
        ["2022-02-01", "2023-03-01", "current", f"Current through 1 Mar 2023: {rested}"],
    ]
    assert Standing.objects.filter(start_on__lte=date(2021, 12, 31), end_on__gte=date(2020, 3, 1)).count() == 3
    assert [(row["from"], row["to"]) for row in explained] == [(row["from"], row["to"]) for row in line]
    assert [[rule["from"], rule["to"]] for rule in explained[1]["why"]["rules"]] == [
        ["2015-01-01", "2021-05-31"],
        ["2021-06-01", None],
    ]
    assert explained[1]["why"]["rule"] == explained[1]["why"]["rules"][1]


def test_coverage_groups_and_rolls_up() -> None:
    cit = make.make_course()
    make.make_requirement("cit", entry=(cit,))
    bureau = make.make_unit("PATROL", function="patrol")
    north, south = make.make_unit("N", parent=bureau), make.make_unit("S", parent=bureau)
    days, nights = make.make_shift("days"), make.make_shift("nights")
    rank = make.make_rank("sergeant")
    trained = [
        make.make_officer(unit=north, shift=days, rank=rank),
        make.make_officer(unit=south, shift=nights),
        make.make_officer(unit=bureau),
    ]
    make.make_officer(unit=north, shift=nights)
    make.make_officer()
    for officer in trained:
        make.complete(officer, cit, date(2025, 1, 1))

    def groups(*options: str) -> list[list[object]]:
        rows = ask("coverage", "--requirement", "cit", "--as-of", "2026-01-01", *options)
        named = [key for key in ("unit", "shift", "rank") if rows and key in rows[0]]
        return [[*(row[key] for key in named), row["current"], row["counted"]] for row in rows]

    assert groups() == [[3, 5]]
    assert groups("--by", "unit") == [["PATROL", 1, 1], ["N", 1, 2], ["S", 1, 1], [None, 0, 1]]
    assert groups("--by", "unit", "--rollup") == [["PATROL", 3, 4], ["N", 1, 2], ["S", 1, 1], [None, 0, 1]]
    assert groups("--by", "unit", "--unit", "n") == [["N", 1, 2]]
    assert groups("--by", "unit", "--unit", "PATROL", "--rollup") == [["PATROL", 3, 4], ["N", 1, 2], ["S", 1, 1]]
    assert groups("--by", "none", "--unit", "PATROL") == [[3, 4]]
    assert groups("--by", "shift") == [["days", 1, 1], ["nights", 1, 2], [None, 1, 2]]
    assert groups("--by", "unit_shift", "--unit", "N") == [["N", "days", 1, 1], ["N", "nights", 0, 1]]
    assert groups("--by", "rank") == [["sergeant", 1, 1], [None, 2, 4]]


def test_coverage_of_nobody_is_not_a_share() -> None:
    make.make_requirement("cit", entry=(make.make_course(),))

    (row,) = ask("coverage", "--requirement", "cit")

    assert (row["counted"], row["percent"]) == (0, "n/a")


def test_deadlines_are_soonest_first_and_leave_out_what_is_past() -> None:
    cit = make.make_course()
    make.make_requirement("cit", entry=(cit,))
    for number, completed in enumerate(("2023-02-01", "2023-01-31", "2022-12-31", "2023-05-01"), start=1):
        make.complete(make.make_officer(str(number)), cit, date.fromisoformat(completed))

    rows = ask("deadlines", "--within", "31", "--as-of", "2026-01-01")

    assert [[row["employee_id"], row["due_on"], row["days"]] for row in rows] == [
        ["2", "2026-01-31", 30],
        ["1", "2026-02-01", 31],
    ]


def test_deadlines_at_the_end_of_the_calendar() -> None:
    make.complete(make.make_officer("1"), make.make_course(), date(9999, 1, 30))
    make.make_requirement(entry=(make.make_course(),), months=11)
    standings.rebuild()

    assert ask("deadlines", "--within", "36600", "--as-of", "9999-12-01")[0]["days"] == 29


def test_pending_evidence_is_a_flag_and_no_credit() -> None:
    cit = make.make_course()
    make.make_requirement("cit", entry=(cit,))
    officer = make.make_officer("1", hired_on=date(2015, 1, 1))
    make.complete(officer, cit, date(2025, 1, 1), evidence="pending")

    def flag(day: str) -> tuple[str, bool]:
        (row,) = ask("standing", "--officer", "1", "--as-of", day)
        return row["state"], row["evidence_pending"]

    assert flag("2024-12-31") == ("overdue", False)
    assert flag("2025-01-01") == ("overdue", True)


def test_known_at_a_bare_date_is_the_end_of_that_day() -> None:
    cit = make.make_course()
    make.make_requirement("cit", entry=(cit,))
    officer = make.make_officer("1", hired_on=date(2015, 1, 1))
    make.complete(officer, cit, date(2025, 1, 1))
    today = Completion.objects.get().recorded_in.at
    assert today is not None

    yesterday = (today.astimezone() - timedelta(days=2)).date().isoformat()
    tomorrow = (today.astimezone() + timedelta(days=1)).date().isoformat()
    assert ask("standing", "--officer", "1", "--as-of", "2025-06-01", "--known-at", yesterday) == []
    assert state_of("1", "2025-06-01", "--known-at", tomorrow) == ("current", "2028-01-01")


def test_csv_has_the_same_answers() -> None:
    make.make_requirement("cit", entry=(make.make_course(),))
    out = StringIO()

    call_command("coverage", "--requirement", "cit", "--format", "csv", stdout=out)

    assert list(csv.DictReader(StringIO(out.getvalue()))) == [
        {"counted": "0", "current": "0", "in_grace": "0", "overdue": "0", "excused": "0", "percent": "n/a", "ever": "0"}
    ]


def test_verify_prints_the_number_of_differences_and_ends_with_1() -> None:
    make.make_requirement("cit", entry=(make.make_course(),))
    officer = make.make_officer(hired_on=date(2020, 1, 1))
    out = StringIO()
    call_command("rebuild_standings", "--verify", stdout=out)
    assert out.getvalue().strip() == "0"

    officer.standings.filter(state="overdue").update(state="current")
    out = StringIO()
    with pytest.raises(SystemExit) as exit_:
        call_command("rebuild_standings", "--verify", stdout=out)

    assert (exit_.value.code, out.getvalue().strip()) == (1, "2")
    call_command("rebuild_standings", stderr=StringIO())
    assert standings.differences() == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["standing", "--as-of", "2026-02-30"],
            '--as-of: "2026-02-30" is not a date. Write it as YYYY-MM-DD.',
            id="a-day-that-is-none",
        ),
        pytest.param(
            ["standing", "--as-of", "20260228"],
            '--as-of: "20260228" is not a date. Write it as YYYY-MM-DD.',
            id="a-date-written-otherwise",
        ),
        pytest.param(
            ["standing", "--as-of", "2026-W01-1"],
            '--as-of: "2026-W01-1" is not a date. Write it as YYYY-MM-DD.',
            id="a-date-by-its-week",
        ),
        pytest.param(
            ["standing", "--known-at", "2026-W01-1"],
            '--known-at: "2026-W01-1" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.',
            id="known-at-by-its-week",
        ),
        pytest.param(
            ["goals", "--agency", "x"], '--agency: there is no agency "x". Agencies: pd, sd.', id="goals-unknown-agency"
        ),
        pytest.param(
            ["standing", "--known-at", "yesterday"],
            '--known-at: "yesterday" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.',
            id="known-at",
        ),
        pytest.param(
            ["standing", "--known-at", "2026-01-01T00:00:00+23:59"],
            '--known-at: "2026-01-01T00:00:00+23:59" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.',
            id="known-at-in-no-zone",
        ),
        pytest.param(
            ["standing", "--officer", "77"],
            '--officer: there is no member with employee id "77".',
            id="unknown-member",
        ),
        pytest.param(
            ["standing", "--requirement", "x"],
            '--requirement: there is no requirement "x". Requirements: cit.',
            id="unknown-requirement",
        ),
        pytest.param(
            ["coverage", "--requirement", "cit", "--unit", "Z"],
            '--unit: there is no unit "Z".',
            id="unknown-unit",
        ),
        pytest.param(
            ["coverage", "--requirement", "cit", "--rollup"], "--rollup goes with --by unit.", id="rollup-of-nothing"
        ),
        pytest.param(
            ["deadlines", "--within", "-1"], "--within: a number of days from 0 to 36600.", id="negative-days"
        ),
        pytest.param(
            ["standing", "--agency", "x"], '--agency: there is no agency "x". Agencies: pd, sd.', id="unknown-agency"
        ),
        pytest.param(
            ["standing", "--officer", "1"],
            '"1" exists in several agencies: pd, sd. Say which with --agency.',
            id="two-agencies",
        ),
        pytest.param(
            ["standing", "--as-of", ""], '--as-of: "" is not a date. Write it as YYYY-MM-DD.', id="a-day-left-blank"
        ),
        pytest.param(
            ["goals", "--known-at", ""],
            '--known-at: "" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.',
            id="known-at-left-blank",
        ),
        pytest.param(
            ["coverage", "--requirement", "cit", "--unit", ""], '--unit: there is no unit "".', id="a-unit-left-blank"
        ),
        pytest.param(["load_requirements"], "Name either a file or --presets.", id="no-file"),
        pytest.param(
            ["load_requirements", "/nowhere.toml"], "/nowhere.toml: No such file or directory.", id="no-such-file"
        ),
    ],
)
def test_a_wrong_argument_gets_one_line_and_2(arguments: list[str], sentence: str) -> None:
    make.make_requirement("cit", entry=(make.make_course(),))
    make.make_officer("1")
    make.make_officer("1", agency=make.make_agency("sd", "Sheriff"))

    with pytest.raises(CommandError) as error:
        call_command(*arguments, stdout=StringIO())

    assert (str(error.value), error.value.returncode) == (sentence, 2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(["coverage"], "Error: the following arguments are required: --requirement", id="missing"),
        pytest.param(["rebuild_standings", "--all"], "Error: unrecognized arguments: --all", id="unknown-option"),
        pytest.param(["deadlines", "--within"], "Error: argument --within: expected one argument", id="no-value"),
        pytest.param(["import_records"], "Error: the following arguments are required: kind, file", id="import"),
    ],
)
def test_arguments_that_do_not_fit_get_one_line_and_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        execute_from_command_line(["manage.py", *arguments])

    assert (exit_.value.code, capsys.readouterr()) == (2, ("", f"{line}\n"))


def test_coverage_of_a_unit_says_that_secondary_members_are_counted_too() -> None:
    officer = make.make_officer("1", unit=make.make_unit("PB"), hired_on=date(2020, 1, 1))
    make.make_requirement("cit", entry=(make.make_course(),))
    with recording(by=None, via=Via.COMMAND, why="to the crisis unit") as recorder:
        recorder.record(
            Assignment(officer=officer, kind="secondary", unit=make.make_unit("CIU"), start_on=date(2024, 1, 1))
        )

    def said(unit: str) -> str:
        err = StringIO()
        arguments = ["coverage", "--requirement", "cit", "--unit", unit, "--as-of", "2026-01-01"]
        call_command(*arguments, stdout=StringIO(), stderr=err)
        return err.getvalue()

    assert said("PB") == ""
    assert said("CIU") == (
        "Those with a secondary assignment here are counted too: sums of units may exceed the total.\n"
    )
