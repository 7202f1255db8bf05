"""Standings as rows follow the facts, whatever is recorded, in one transaction, for any pair of as of and known at."""

from __future__ import annotations

from datetime import date

import pytest

from compliance import coverage, standings
from compliance.gather import gather_rules
from compliance.models import Explanation, Standing
from roster.facts import Change, Fact, Via, recording
from tests import factories as make

pytestmark = pytest.mark.django_db


def on(day: date, requirement: object) -> list[tuple[str, str, date | None]]:
    rows = coverage.standings_on(day)
    return sorted(rows.values_list("officer__employee_id", "state", "due_on"))


def test_recording_brings_standings_along() -> None:
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,), population={"functions": ["patrol"]})
    patrol = make.make_unit("P", function="patrol")
    officer = make.make_officer("1", unit=patrol, hired_on=date(2020, 1, 1))

    before = on(date(2023, 3, 17), requirement)
    make.complete(officer, cit, date(2023, 3, 17))
    after = on(date(2023, 3, 17), requirement)

    assert before == [("1", "overdue", date(2020, 6, 29))]
    assert after == [("1", "current", date(2026, 3, 17))]
    assert on(date(2026, 3, 18), requirement) == [("1", "overdue", date(2026, 3, 17))]
    assert standings.differences() == {}


def test_rebuild_writes_only_what_differs() -> None:
    cit = make.make_course()
    make.make_requirement(entry=(cit,))
    officers = [make.make_officer(hired_on=date(2020, 1, 1)) for _ in range(3)]
    make.complete(officers[0], cit, date(2023, 3, 17))
    ids = set(Standing.objects.values_list("pk", flat=True))

    assert standings.rebuild() == 0
    assert set(Standing.objects.values_list("pk", flat=True)) == ids

    Standing.objects.filter(officer=officers[1]).update(state="current")
    assert standings.differences() == {officers[1].pk: 4}
    assert standings.rebuild() == 4
    assert standings.differences() == {}


def test_known_at_sees_a_voided_completion_and_now_does_not() -> None:
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,))
    officer = make.make_officer("1", hired_on=date(2020, 1, 1))
    make.make_officer("2", hired_on=date(2020, 1, 1))
    completion = make.complete(officer, cit, date(2023, 1, 20))
    known = completion.recorded_in.at
    with recording(by=None, via=Via.PAGE, why="wrong person") as recorder:
        recorder.void([completion])

    then = coverage.standings_on(date(2023, 6, 1), known_at=known, requirement_ids=[requirement.pk])
    now = coverage.standings_on(date(2023, 6, 1), requirement_ids=[requirement.pk])

    assert coverage.counts(then, "none") == [coverage.Counts(current=1, overdue=1, ever=1, ever_counted=1)]
    assert coverage.counts(now, "none") == [coverage.Counts(overdue=2)]


def test_standings_follow_every_kind_of_fact_but_explanations_of_them() -> None:
    assert set(standings.FACTS) == set(Fact.__subclasses__()) - {Explanation}


def test_whoever_a_waiver_or_an_extension_is_about_is_touched_by_it() -> None:
    requirement = make.make_requirement(entry=(make.make_course(),))
    waived, extended, designated, _ = (make.make_officer(hired_on=date(2020, 1, 1)) for _ in range(4))
    known = Change.objects.latest("at").at
    assert known is not None
    make.waive(waived, requirement, date(2026, 1, 1), date(2026, 1, 31))
    make.extend(extended, requirement, date(2026, 9, 30), date(2020, 3, 1))
    make.designate(designated, "CIT", date(2026, 1, 1))

    assert standings.touched_since(known) == {waived.pk, extended.pk, designated.pk}


def test_gather_costs_the_same_for_one_member_and_for_thirty(django_assert_num_queries: object) -> None:
    cit = make.make_course()
    make.make_requirement(entry=(cit,))
    ids = [make.make_officer(hired_on=date(2020, 1, 1)).pk for _ in range(30)]
    rules = gather_rules()

    for part in (ids[:1], ids):
        with django_assert_num_queries(8):  # type: ignore[operator] # one for each kind of fact
            assert len(list(standings.timelines(part, rules))) == len(part)


@pytest.mark.parametrize(
    ("have", "counted", "expected"),
    [
        pytest.param(183, 613, "29.8", id="truncated-not-rounded"),
        pytest.param(417, 420, "99.2", id="three-missing-is-not-all"),
        pytest.param(0, 0, "n/a", id="nobody"),
        pytest.param(1, 1, "100.0", id="everybody"),
        pytest.param(59, 199, "29.6", id="one-left-patrol"),
    ],
)
def test_percent(have: int, counted: int, expected: str) -> None:
    assert coverage.percent(have, counted) == expected
