"""The history of a record: every line that was ever written, and nothing else."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import record_history
from roster.facts import known_now
from roster.merging import merge
from roster.models import FormerDetail, Officer
from roster.records import Place, open_home, transfer
from tests.compliance.pages.cast import make_cast
from tests.compliance.pages.reading import csv_rows
from tests.factories import complete, make_course, make_officer, make_unit, make_user, take_leave
from training.completions import correct_completion, decide_evidence, void_completion

pytestmark = pytest.mark.django_db


def told(officer: Officer) -> list[tuple[str, str, str]]:
    """(act, what, from and to) of every line, oldest first."""
    return [(line.act, line.what, line.differs) for line in reversed(record_history.lines(officer))]


def test_a_correction_is_one_line_that_tells_what_differs_and_a_void_another() -> None:
    officer, course, academy = make_officer(), make_course(), make_user("academy", "academy")
    first = complete(officer, course, date(2024, 2, 29), score=70)
    second = correct_completion(first, why="Misread", by=academy, completed_on=date(2024, 3, 1), score=90)
    void_completion(second, why="Of somebody else", by=academy)

    lines = record_history.lines(officer)

    assert told(officer)[1:] == [
        ("recorded", f"{course.title}, 29 Feb 2024", ""),
        ("corrected", f"{course.title}, 1 Mar 2024", "completed on: 2024-02-29 → 2024-03-01; score: 70 → 90"),
        ("voided", f"{course.title}, 1 Mar 2024", ""),
    ]
    assert [(line.who, line.why) for line in lines[:2]] == [
        ("academy", "Of somebody else"),
        ("academy", "Misread"),
    ]


def test_a_transfer_ends_one_assignment_and_records_another() -> None:
    central, eastern = make_unit("CEN", name="Central"), make_unit("EAS", name="Eastern")
    officer = make_officer(unit=central, hired_on=date(2020, 1, 1))
    home = open_home(officer)
    transfer(officer, Place(eastern), start_on=date(2026, 3, 1), seen=home.pk if home else None, by=None)

    lines = [line for line in told(officer) if "assignment" in line[1]]
    assert lines[0] == ("recorded", "assignment Central, since 1 Jan 2020", "")
    assert set(lines[1:]) == {
        ("ended", "assignment Central, 1 Jan 2020 to 28 Feb 2026", "last day: blank → 2026-02-28"),
        ("recorded", "assignment Eastern, since 1 Mar 2026", ""),
    }


def test_decisions_names_and_merges_are_lines_too() -> None:
    officer, course = make_officer("001000"), make_course()
    pending = complete(officer, course, date(2024, 2, 29), evidence="pending")
    decide_evidence(pending, decision="verified", decided_on=date(2024, 3, 4), note="", by=make_user("compliance"))
    FormerDetail.objects.create(officer=officer, field="last_name", value="Before")
    second = make_officer("000777", hired_on=date(2010, 1, 1))
    take_leave(second, date(2012, 3, 1), date(2012, 4, 1))
    merge(officer, second, why="Twice on record", by=None)

    acts = {(act, what) for act, what, _ in told(officer)}

    assert ("recorded", f"evidence verified: {course.title}, 29 Feb 2024") in acts
    assert ("changed", "last name") in acts
    assert ("moved", "leave medical, 1 Mar 2012 to 1 Apr 2012") in acts
    assert ("merged", "record 000777 into 001000") in acts
    assert ("moved", "leave medical, 1 Mar 2012 to 1 Apr 2012", "went to another record") in told(second)


def test_known_at_leaves_out_what_was_written_later() -> None:
    officer, course = make_officer(), make_course()
    complete(officer, course, date(2024, 2, 29))
    moment = known_now()
    complete(officer, course, date(2025, 2, 28))

    lines = record_history.lines(officer, known_at=moment)

    assert [line.what for line in lines] == [f"{course.title}, 29 Feb 2024", "employment sworn, since 4 Mar 2016"]


def test_the_page_filters_exports_and_costs_the_same_however_much_is_written(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    cast = make_cast()
    client = cast.client("commander")
    address = reverse("officer-history", args=["002918"])

    # session, user, roles, units, the member, two for each of nine kinds but one where nothing was replaced,
    # details, merges
    with django_assert_num_queries(16):
        client.get(address)
    for year in range(2000, 2019):
        take_leave(cast.amara, date(year, 3, 1), date(year, 3, 9))
    with django_assert_num_queries(16):
        shown = client.get(address, {"kind": "completion"})
    exported = client.get(address, {"export": "csv", "kind": "completion"})

    assert b"CIT basic course, 3 May 2019" in shown.content
    assert b"leave medical" not in shown.content
    header, line = csv_rows(exported)
    assert header == ["When", "Act", "What", "From → to", "Who", "Door", "Why"]
    assert datetime.fromisoformat(line[0]) == cast.entry.recorded_in.at
    assert line[1:] == ["recorded", "CIT basic course, 3 May 2019", "", "", "command", "test data"]
    assert client.get(address, {"kind": "nothing"}).status_code == 400
    assert cast.client("elsewhere").get(address).status_code == 404
