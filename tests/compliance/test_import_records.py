"""The import command: what it prints, how it exits, and that a plan is what is recorded."""

from __future__ import annotations

import csv
import json
import threading
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from compliance.imports import PlanChanged, read_plan, record
from roster.models import Agency, Officer
from roster.plans import ImportOptions
from tests.factories import complete, make_agency, make_course, make_officer
from tests.importing import TODAY, counts
from training.models import Completion, Course


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_records", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{error}\n"
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def completions(tmp_path: Path) -> Path:
    path = tmp_path / "training.csv"
    path.write_text(
        "Member No,course,completed_on,note\n1,CIT-40,2024-05-01,=1+1\n2,CIT-40,2024-05-01,@x\n1,CIT-40,soon,\n"
    )
    return path


@pytest.mark.django_db
def test_rejected_rows_are_mended_and_sent_again(tmp_path: Path, completions: Path) -> None:
    make_officer("1")
    make_course("CIT-40")
    errors = tmp_path / "errors.csv"
    arguments = ("--map", "Member No=employee_id", "--errors", str(errors))

    code, out, err = run("completions", str(completions), *arguments)

    assert (code, out) == (1, "completions: 3 rows: 1 new, 0 same, 0 changed, 2 rejected.\n")
    assert err == (
        "Columns ignored: note.\n"
        'error: line 3, Member No ("2"): No member has this employee id.\n'
        'error: line 4, completed_on ("soon"): This is not a date. Write YYYY-MM-DD or M/D/YYYY.\n'
        'warning: line 2, completed_on ("2024-05-01"): Entered more than 30 days after the class.\n'
    )
    assert list(csv.reader(errors.read_text().splitlines())) == [
        ["Member No", "course", "completed_on", "note", "line", "column", "value", "reason"],
        ["2", "CIT-40", "2024-05-01", "'@x", "3", "Member No", "2", "No member has this employee id."],
        ["1", "CIT-40", "soon", "", "4", "completed_on", "soon", "This is not a date. Write YYYY-MM-DD or M/D/YYYY."],
    ]

    mended = tmp_path / "mended.csv"
    mended.write_text(errors.read_text().replace("soon", "2024-06-01"))
    code, out, _ = run("completions", str(mended), *arguments)

    assert (code, out) == (1, "completions: 2 rows: 1 new, 0 same, 0 changed, 1 rejected.\n")
    assert errors.read_text().splitlines()[0] == "Member No,course,completed_on,note,line,column,value,reason"


@pytest.mark.django_db
def test_a_dry_run_prints_the_plan_and_records_nothing(completions: Path) -> None:
    Agency.objects.all().delete()
    Course.objects.create(code="CIT-40", title="CIT", title_key="cit")

    code, out, err = run("completions", str(completions), "--map", "Member No=employee_id", "--dry-run")

    assert code == 1
    first = "line 2: rejected: 1, CIT-40, 2024-05-01, =1+1: Member No: No member has this employee id."
    assert out.splitlines()[0] == first
    assert out.splitlines()[-1] == "completions: 3 rows: 0 new, 0 same, 0 changed, 3 rejected."
    assert err.splitlines()[0] == "Nothing was recorded: this was a dry run."
    assert Agency.objects.count() == 0


@pytest.mark.django_db
def test_json_has_counts_errors_and_warnings(completions: Path) -> None:
    make_officer("1")
    make_course("CIT-40")

    code, out, err = run("completions", str(completions), "--map", "Member No=employee_id", "--json")

    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "kind": "completions",
        "rows": 3,
        "new": 1,
        "same": 0,
        "changed": 0,
        "rejected": 2,
        "errors": [
            {"line": 3, "column": "Member No", "value": "2", "reason": "No member has this employee id."},
            {
                "line": 4,
                "column": "completed_on",
                "value": "soon",
                "reason": "This is not a date. Write YYYY-MM-DD or M/D/YYYY.",
            },
        ],
        "warnings": [
            {
                "line": 2,
                "column": "completed_on",
                "value": "2024-05-01",
                "reason": "Entered more than 30 days after the class.",
            }
        ],
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["people", "FILE"],
            'There is no kind "people". There are: units, officers, assignments, leaves, designations, courses,'
            " course_aliases, lesson_plans, equivalencies, waivers, extensions, completions.",
        ),
        (["units", "none.csv"], "There is no file none.csv."),
        (
            ["completions", "FILE"],
            "The file has no column employee_id. Its header, line 1, reads: Member No, course, completed_on, note.",
        ),
        (
            ["completions", "FILE", "--map", "Member No"],
            '--map "Member No" is not of the form "THEIR HEADER=our_column".',
        ),
        (
            ["completions", "FILE", "--match", "shoe_size"],
            'Members cannot be found by "shoe_size". They can by: employee_id, post_id, badge, email, last_name,'
            " first_name, hired_on.",
        ),
        (["units", "FILE", "--match", "post_id"], "A file of units is not matched with members; leave out --match."),
        (
            ["completions", "FILE", "--unknown-course", "guess"],
            'Unknown courses can be told to reject, create, skip, not "guess".',
        ),
        (
            ["completions", "FILE", "--date-format", "%d"],
            'The date format "%d" does not name day, month and year, as "%d.%m.%Y" does.',
        ),
        (["units", "FILE", "--map", "course=code", "--agency", "xx"], 'There is no agency "xx". There are: pd.'),
        (
            ["units", "FILE", "--map", "course=code", "--errors", "FILE"],
            "--errors names the file that is read. Name another.",
        ),
        (
            ["units", "FILE", "--map", "course=code", "--errors", "/nowhere/x.csv"],
            "--errors /nowhere/x.csv cannot be written: No such file or directory.",
        ),
    ],
)
def test_what_cannot_be_read_exits_2_with_one_line(completions: Path, arguments: list[str], sentence: str) -> None:
    make_agency()

    code, out, err = run(*(str(completions) if part == "FILE" else part for part in arguments))

    assert (code, out, err) == (2, "", f"{sentence}\n")


@pytest.mark.django_db
def test_the_agency_is_the_only_one_or_is_named(tmp_path: Path) -> None:
    path = tmp_path / "officers.csv"
    path.write_text("employee_id,last_name,first_name\n1,Reyes,Ana\n")

    assert run("officers", str(path))[0] == 0
    Agency.objects.create(code="second", name="Second")
    assert run("officers", str(path)) == (2, "", "Say which agency (--agency): agency, second.\n")
    assert run("officers", str(path), "--agency", "SECOND")[0] == 0

    assert list(Officer.objects.order_by("pk").values_list("agency__code", flat=True)) == ["agency", "second"]


@pytest.mark.django_db
def test_only_the_plan_that_was_shown_is_recorded(completions: Path) -> None:
    officer, course = make_officer("1"), make_course("CIT-40")
    options = ImportOptions(mapping={"Member No": "employee_id"})
    shown = read_plan("completions", completions, options, today=TODAY, agency=make_agency())
    same = read_plan("completions", completions, options, today=TODAY, agency=make_agency())
    complete(officer, course, date(2024, 5, 1))

    with pytest.raises(PlanChanged) as refused:
        record(
            "completions",
            completions,
            options,
            today=TODAY,
            agency=make_agency(),
            by=None,
            why="",
            expected_digest=shown.digest(),
        )

    assert shown.digest() == same.digest()
    assert str(refused.value) == (
        "Recording would do something else by now: the records changed, or another person sends the file."
        " Make the plan again and look at it."
    )
    assert Completion.objects.count() == 1


def test_options_survive_being_stored() -> None:
    options = ImportOptions(mapping={"A": "code"}, match=("post_id",), unknown_course="skip", source="LMS")

    assert ImportOptions.from_json(json.loads(json.dumps(options.as_json()))) == options


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_record_each_row_once(tmp_path: Path) -> None:
    make_officer("1")
    path = tmp_path / "training.csv"
    path.write_text(
        "employee_id,course,completed_on\n" + "".join(f"1,T{day},2024-05-{day:02}\n" for day in range(1, 29))
    )
    together = threading.Barrier(2)
    taken: list[tuple[int, int, int, int]] = []

    def send() -> None:
        try:
            together.wait()
            plan = record(
                "completions",
                path,
                ImportOptions(unknown_course="create"),
                today=TODAY,
                agency=make_agency(),
                by=None,
                why="twice at once",
            ).plan
            taken.append(counts(plan))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [(0, 28, 0, 0), (28, 0, 0, 0)]
    assert (Completion.objects.count(), Course.objects.count()) == (28, 28)
