"""Real transcripts with names replaced, through the commands: the answers equal the ones that came with them."""

from __future__ import annotations

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from compliance.models import Standing
from roster.models import Assignment, Employment, Officer, Unit
from training.models import Completion, Course

PANEL = Path(__file__).resolve().parents[3] / "shared" / "data" / "city_panel"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not PANEL.is_dir(), reason=f"the panel is not beside the project: {PANEL}"),
]

COURSE = "code,title,kind,hours\nCIT-40,Crisis Intervention Team Training,cit,40\n"
RULE = """
[[population]]
code = "everybody"
title = "Everybody"

[[requirement]]
code = "cit"
title = "CIT every three years"

[[requirement.edition]]
effective_from = 1990-01-01
population = "everybody"
entry_courses = ["CIT-40"]
clock = "rolling"
months = 36
"""


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--format", "json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def send(kind: str, file: Path, *options: str) -> dict[str, int]:
    out = StringIO()
    with suppress(SystemExit):  # 1 where lines were rejected
        call_command("import_records", kind, str(file), *options, "--json", stdout=out, stderr=StringIO())
    answer = json.loads(out.getvalue())
    return {name: answer[name] for name in ("rows", "new", "same", "changed", "rejected")}


def send_everything(courses: Path) -> dict[str, dict[str, int]]:
    member = "member_no=employee_id"
    return {
        "units": send("units", PANEL / "officers.csv", "--map", "command=code"),
        "officers": send(
            "officers",
            PANEL / "officers.csv",
            *("--map", member, "--map", "full_name=name", "--map", "appt_date=hired_on", "--map", "shield_no=badge"),
        ),
        "assignments": send(
            "assignments",
            PANEL / "officers.csv",
            *("--map", member, "--map", "command=unit", "--map", "assignment_date=start_on"),
        ),
        "courses": send("courses", courses),
        "completions": send(
            "completions",
            PANEL / "training.csv",
            *("--map", member, "--map", "date=completed_on", "--unknown-course", "create"),
        ),
    }


def counts() -> list[int]:
    return [model.objects.count() for model in (Unit, Officer, Employment, Assignment, Course, Completion, Standing)]


def test_the_panel_gives_the_answers_that_came_with_it(tmp_path: Path) -> None:
    expected = json.loads((PANEL / "expected.json").read_text())
    courses = tmp_path / "courses.csv"
    courses.write_text(COURSE)
    (tmp_path / "rule.toml").write_text(RULE)

    first = send_everything(courses)
    call_command("load_requirements", str(tmp_path / "rule.toml"), stderr=StringIO())

    assert first["completions"] == {
        "rows": expected["rows"],
        "new": expected["rows"] - expected["rows_without_date"],
        "same": 0,
        "changed": 0,
        "rejected": expected["rows_without_date"],
    }
    assert Course.objects.count() == expected["course_titles"]
    for day, answer in expected["as_of"].items():
        (found,) = run("coverage", "--requirement", "cit", "--as-of", day)
        assert {"current": found["current"], "ever": found["ever"], "members": found["counted"]} == answer, day
        states = [row["state"] for row in run("standing", "--requirement", "cit", "--as-of", day)]
        assert (states.count("current"), len(states)) == (answer["current"], answer["members"]), day
    by_command = {
        row["unit"]: {"current": row["current"], "ever": row["ever"], "members": row["counted"]}
        for row in run("coverage", "--requirement", "cit", "--by", "unit", "--as-of", "2024-07-02")
    }
    assert by_command == expected["by_command_2024-07-02"]

    before = counts()
    second = send_everything(courses)
    assert {kind: (answer["new"], answer["changed"]) for kind, answer in second.items()} == dict.fromkeys(
        second, (0, 0)
    )
    assert counts() == before
    out = StringIO()
    call_command("rebuild_standings", "--verify", stdout=out)
    assert out.getvalue().strip() == "0"
