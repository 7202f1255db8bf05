"""Two records of one person made one, and two again: no fact is lost, and every answer of before still stands."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from compliance.models import Standing
from compliance.standings import differences
from roster import merging
from roster.facts import Fact, FactRefused, Via, known_now, recording
from roster.matching import Members, NoMember
from roster.models import Access, Assignment, Employment, Merge, Officer
from tests.factories import (
    complete,
    extend,
    make_agency,
    make_class,
    make_course,
    make_officer,
    make_requirement,
    make_unit,
    make_user,
    take_leave,
)
from training.completions import correct_completion, decide_evidence
from training.models import Completion, Enrollment, EvidenceDecision

pytestmark = pytest.mark.django_db

ENTRY, REFRESHED = date(2020, 2, 29), date(2023, 2, 28)


@pytest.fixture
def kept() -> Officer:
    return make_officer("001000", last_name="Whitfield", hired_on=date(2020, 1, 1), unit=make_unit("CEN"))


@pytest.fixture
def second(kept: Officer) -> Officer:
    """The same person as hired the first time, under another id."""
    made = make_officer("000777", last_name="Whitfeld", hired_on=date(2010, 1, 1), unit=None)
    with recording(by=None, via=Via.COMMAND, why="") as recorder:
        recorder.lock([made.pk])
        recorder.void(Employment.objects.known().filter(officer=made))
        recorder.record(Employment(officer=made, start_on=date(2010, 1, 1), end_on=date(2014, 6, 30)))
    return made


def standing_facts(officer: Officer) -> dict[str, list[str]]:
    """Every fact of a member that stands, in words."""
    found: dict[str, list[str]] = {}
    for model in merging.fact_models():
        facts: list[Fact] = list(model.objects.known().filter(officer=officer))
        if facts:
            found[model.__name__] = sorted(merging.told(fact) for fact in facts)
    return found


def test_facts_go_over_and_standings_follow(kept: Officer, second: Officer) -> None:
    course = make_course()
    requirement = make_requirement(entry=(course,), months=36, clock="rolling")
    complete(second, course, ENTRY)
    take_leave(second, date(2012, 3, 1), date(2012, 4, 1))
    before = Standing.objects.filter(officer=kept, state="current").exists()

    made, lines = merging.merge(kept, second, why="Rehired under another id", by=None)

    assert (before, all(line.moves for line in lines)) == (False, True)
    assert standing_facts(second) == {}
    assert set(standing_facts(kept)) == {"Employment", "Assignment", "Leave", "Completion"}
    assert Employment.objects.known().filter(officer=kept).count() == 2
    current = Standing.objects.get(officer=kept, requirement=requirement, state="current")
    assert (current.start_on, current.due_on) == (ENTRY, date(2023, 2, 28))
    assert not Standing.objects.filter(officer=second).exists()
    assert differences() == {}
    second.refresh_from_db()
    assert (second.merged_into, made.change_id is not None) == (kept, True)


def test_what_was_known_before_the_merge_stays_known(kept: Officer, second: Officer) -> None:
    course = make_course()
    complete(second, course, ENTRY)
    moment = known_now()

    merging.merge(kept, second, why="Twice on record", by=None)

    known = Completion.objects.known(moment)
    assert (known.filter(officer=second).count(), known.filter(officer=kept).count()) == (1, 0)


def test_what_the_kept_record_has_or_contradicts_stays_behind_and_is_named(kept: Officer, second: Officer) -> None:
    course = make_course()
    complete(kept, course, ENTRY)
    complete(second, course, ENTRY)
    unit = make_unit("WES")
    with recording(by=None, via=Via.COMMAND, why="") as recorder:
        recorder.lock([second.pk])
        recorder.record(Assignment(officer=second, unit=unit, start_on=date(2021, 1, 1)))

    seen = merging.look(kept, second)
    untouched = standing_facts(second)
    _, lines = merging.merge(kept, second, why="Twice on record", by=None)

    assert seen == lines
    assert set(untouched) == {"Employment", "Assignment", "Completion"}
    assert {(line.kind, line.why) for line in lines if not line.moves} == {
        ("assignment", "The member has a home assignment on some of these days already."),
        ("completion", "This completion is recorded already."),
    }
    assert Completion.objects.known().filter(officer=kept).count() == 1


def test_a_decision_goes_with_its_completion(kept: Officer, second: Officer) -> None:
    course = make_course()
    pending = complete(second, course, ENTRY, evidence="pending")
    decide_evidence(pending, decision="verified", decided_on=date(2020, 3, 5), note="", by=make_user("compliance"))

    merging.merge(kept, second, why="Twice on record", by=None)

    completion = Completion.objects.known().get(officer=kept)
    assert EvidenceDecision.objects.known().get(completion=completion).decision == "verified"
    assert completion.replaces == pending


def test_a_decision_about_a_completion_that_stays_stays_too(kept: Officer, second: Officer) -> None:
    course = make_course()
    complete(kept, course, ENTRY)
    pending = complete(second, course, ENTRY, evidence="pending")
    decide_evidence(pending, decision="verified", decided_on=date(2020, 3, 5), note="", by=make_user("compliance"))

    _, lines = merging.merge(kept, second, why="Twice on record", by=None)

    assert [line.why for line in lines if line.kind == "evidence decision"] == ["The completion it is about stays."]


def test_undone_both_records_are_as_before(kept: Officer, second: Officer) -> None:
    course = make_course()
    requirement = make_requirement(entry=(course,), months=36, clock="rolling", population={})
    pending = complete(second, course, ENTRY, evidence="pending")
    decide_evidence(pending, decision="verified", decided_on=date(2020, 3, 5), note="", by=make_user("compliance"))
    complete(kept, course, REFRESHED)
    complete(second, course, REFRESHED)
    extend(kept, requirement, date(2026, 8, 1), date(2026, 1, 5))
    facts = standing_facts(kept), standing_facts(second)
    rows = set(Standing.objects.values_list("officer", "start_on", "end_on", "state", "due_on", "has_credit"))

    made, _ = merging.merge(kept, second, why="Twice on record", by=None)
    lines = merging.undo(made, why="Two people after all", by=None)

    assert all(line.moves for line in lines)
    assert (standing_facts(kept), standing_facts(second)) == facts
    assert set(Standing.objects.values_list("officer", "start_on", "end_on", "state", "due_on", "has_credit")) == rows
    assert differences() == {}
    second.refresh_from_db()
    assert second.merged_into is None
    again, _ = merging.merge(kept, second, why="The same after all", by=None)
    assert again.pk != made.pk


def test_what_was_corrected_since_stays_with_the_kept_record(kept: Officer, second: Officer) -> None:
    course = make_course()
    complete(second, course, ENTRY)
    made, _ = merging.merge(kept, second, why="Twice on record", by=None)
    moved = Completion.objects.known().get(officer=kept)
    correct_completion(moved, why="The day was wrong", by=make_user("academy"), completed_on=date(2020, 3, 1))

    lines = merging.undo(made, why="Two people after all", by=None)

    assert [(line.kind, line.moves) for line in lines if not line.moves] == [("completion", False)]
    assert Completion.objects.known().get(officer=kept).completed_on == date(2020, 3, 1)
    assert not Completion.objects.known().filter(officer=second).exists()


def test_seats_and_roles_follow_and_come_back(kept: Officer, second: Officer) -> None:
    both, own = make_class("C-1", make_course()), make_class("C-2", make_course("REF"))
    since: Any = "2026-01-05T08:00:00+00:00"
    for session, officer in ((both, kept), (both, second), (own, second)):
        Enrollment.objects.create(session=session, officer=officer, since=since)
    user = make_user("officer", "own", officer=second)

    made, _ = merging.merge(kept, second, why="Twice on record", by=None)
    seats = set(Enrollment.objects.filter(officer=kept).values_list("session__number", flat=True))
    role = Access.objects.get(user=user).officer
    merging.undo(made, why="Two people after all", by=None)

    assert (seats, role) == ({"C-1", "C-2"}, kept)
    assert set(Enrollment.objects.filter(officer=second).values_list("session__number", flat=True)) == {"C-1", "C-2"}
    assert Access.objects.get(user=user).officer == second


def test_what_cannot_be_one_is_refused(kept: Officer, second: Officer) -> None:
    third = make_officer("003000")
    other = make_officer("004000", agency=make_agency("sheriff", "County Sheriff"))
    merging.merge(kept, second, why="Twice on record", by=None)

    for one, two, sentence in (
        (kept, kept, merging.ITSELF),
        (kept, other, merging.TWO_AGENCIES),
        (third, second, merging.MEANWHILE),
        (second, third, merging.MEANWHILE),
    ):
        with pytest.raises(FactRefused, match=sentence[:30]):
            merging.merge(one, two, why="Twice on record", by=None)
    made = Merge.objects.get()
    merging.undo(made, why="Two people after all", by=None)
    with pytest.raises(FactRefused, match="undone already"):
        merging.undo(made, why="Again", by=None)


def test_merges_are_undone_in_the_order_of_a_stack(kept: Officer, second: Officer) -> None:
    third = make_officer("003000")
    first, _ = merging.merge(kept, second, why="Twice on record", by=None)
    merging.merge(third, kept, why="Thrice on record", by=None)
    second.refresh_from_db()

    with pytest.raises(FactRefused, match="Undo that first"):
        merging.undo(first, why="Two people after all", by=None)

    assert second.merged_into == third


def test_a_file_that_names_the_second_id_means_the_kept_member(kept: Officer, second: Officer) -> None:
    merging.merge(kept, second, why="Twice on record", by=None)

    members = Members(kept.agency)

    assert members.find(["000777"]) == members.find(["001000"]) == kept.pk
    with pytest.raises(NoMember):
        Members(kept.agency, ("last_name",)).find(["Whitfeld"])


def test_every_kind_of_fact_is_carried(kept: Officer) -> None:
    names = {model.__name__ for model in merging.fact_models()}

    assert names == {
        "Assignment",
        "Completion",
        "Designation",
        "Employment",
        "EvidenceDecision",
        "Explanation",
        "Extension",
        "Leave",
        "Waiver",
    }
