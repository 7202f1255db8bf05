"""Real transcripts with names replaced, imported as a person would: runs where the data is."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from roster.models import Assignment, Employment, Officer, Unit
from tests.importing import counts, import_file
from training.models import Completion, Course

PANEL = Path(settings.BASE_DIR).parent / "shared" / "data" / "city_panel"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not (PANEL / "expected.json").exists(), reason="shared/data/city_panel is not beside the project"
    ),
]

OFFICERS = {"member_no": "employee_id", "full_name": "name", "appt_date": "hired_on", "shield_no": "badge"}
ASSIGNMENTS = {"member_no": "employee_id", "command": "unit", "assignment_date": "start_on"}
TRAINING = {"member_no": "employee_id", "date": "completed_on"}


def test_the_panel_is_taken_whole_and_once() -> None:
    expected = json.loads((PANEL / "expected.json").read_text())
    officers, training = PANEL / "officers.csv", PANEL / "training.csv"

    units = import_file(officers, "units", mapping={"command": "code"}).plan
    members = import_file(officers, "officers", mapping=OFFICERS).plan
    homes = import_file(officers, "assignments", mapping=ASSIGNMENTS).plan
    taken = import_file(training, "completions", mapping=TRAINING, unknown_course="create").plan

    undated = expected["rows_without_date"]
    assert counts(units) == (156, 94, 0, 0)
    assert counts(members) == counts(homes) == (250, 0, 0, 0)
    assert counts(taken) == (expected["rows"] - undated, 0, 0, undated)
    assert len(taken.unknown_titles) == Course.objects.count() == expected["course_titles"]
    assert {error.reason for error in taken.errors} == {"completed_on is required."}
    assert Completion.objects.count() == expected["rows"] - undated
    assert (Unit.objects.count(), Officer.objects.count()) == (156, 250)
    assert (Employment.objects.count(), Assignment.objects.count()) == (250, 250)
    for day, answer in expected["as_of"].items():
        assert Officer.objects.serving_on(date.fromisoformat(day)).count() == answer["members"]

    again = [
        import_file(officers, "units", mapping={"command": "code"}),
        import_file(officers, "officers", mapping=OFFICERS),
        import_file(officers, "assignments", mapping=ASSIGNMENTS),
        import_file(training, "completions", mapping=TRAINING, unknown_course="create"),
    ]

    assert [counts(recorded.plan) for recorded in again] == [
        (0, 250, 0, 0),
        (0, 250, 0, 0),
        (0, 250, 0, 0),
        (0, expected["rows"] - undated, 0, undated),
    ]
    assert [recorded.change_id for recorded in again] == [None] * 4


def test_the_history_of_assignments_is_taken_as_far_as_it_is_dated() -> None:
    history = PANEL / "assignments.csv"
    import_file(history, "units", mapping={"command": "code"})
    import_file(PANEL / "officers.csv", "officers", mapping=OFFICERS)

    first = import_file(history, "assignments", mapping=ASSIGNMENTS).plan
    second = import_file(history, "assignments", mapping=ASSIGNMENTS)

    new, same, changed, rejected = counts(first)
    assert (new + same + changed + rejected, changed) == (835, 0)
    assert counts(second.plan) == (0, new + same, 0, rejected)
    assert second.change_id is None
    assert sum(error.reason == "start_on is required." for error in first.errors) == 310
