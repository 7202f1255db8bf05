"""Answers as known earlier that a job works out: the same as at once, kept, and never those of other rules."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import transaction
from django.test import Client

from compliance import coverage, jobs, known, requirements
from compliance.gather import gather_rules
from compliance.models import Job, KnownAnswer, Requirement
from compliance.tasks import HANDLERS
from roster.facts import Via, recording
from roster.models import Role
from tests import factories as make
from tests.waiting_jobs import work
from training.models import Completion

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2023, 6, 1)


@pytest.fixture
def voided(monkeypatch: pytest.MonkeyPatch) -> tuple[Requirement, datetime]:
    """Two members with a completion; one of them voided after `known`."""
    cit = make.make_course()
    requirement = make.make_requirement("cit", entry=(cit,), population={"functions": ["patrol"]})
    unit = make.make_unit("D1", function="patrol")
    officers = [make.make_officer(unit=unit, hired_on=date(2020, 1, 1)) for _ in range(2)]
    completions = [make.complete(officer, cit, date(2023, 1, 20)) for officer in officers]
    with recording(by=None, via=Via.PAGE, why="wrong person") as recorder:
        recorder.void(completions[:1])
    monkeypatch.setattr(known, "MOST_AT_ONCE", 0)
    moment = completions[1].recorded_in.at
    assert moment is not None
    return requirement, moment


def test_a_page_waits_for_the_job_and_then_answers(client: Client, voided: tuple[Requirement, datetime]) -> None:
    _, moment = voided
    client.force_login(make.make_user(Role.CHIEF))
    address = f"/coverage/?requirement=cit&as_of=2023-06-01&known_at={moment.isoformat().replace('+', '%2B')}"

    first, second = client.get(address), client.get(address)
    waiting = list(Job.objects.filter(kind="known"))
    for _ in range(2):  # the day asked about, and the month before it
        work()
        answered = client.get(address)

    assert (first.status_code, first["Refresh"], second.status_code, len(waiting)) == (202, "3", 202, 1)
    assert "2 of 2" in answered.content.decode()
    assert answered.status_code == 200
    now = client.get("/coverage/?requirement=cit&as_of=2023-06-01")
    assert "1 of 2" in now.content.decode()


def test_a_kept_answer_is_the_one_the_engine_gives(voided: tuple[Requirement, datetime]) -> None:
    requirement, moment = voided
    with transaction.atomic():
        at_once = coverage.counts(coverage.standings_on(DAY, known_at=moment), "unit")
    job = known.start(DAY, moment, by=None)
    jobs.run(str(job.key), HANDLERS)

    assert known.find_answer(DAY, moment, gather_rules()) is not None
    with transaction.atomic():
        kept = coverage.counts(coverage.standings_on(DAY, known_at=moment, requirement_ids=[requirement.pk]), "unit")
    assert kept == at_once
    assert [part.current for part in kept] == [2]


@pytest.mark.parametrize(
    ("most_at_once", "is_worked_out_again"),
    [pytest.param(1, False, id="few-are-judged-at-once"), pytest.param(0, True, id="many-are-a-new-job")],
)
def test_an_answer_holds_when_more_members_change_after_it(
    voided: tuple[Requirement, datetime],
    monkeypatch: pytest.MonkeyPatch,
    most_at_once: int,
    is_worked_out_again: bool,
) -> None:
    """Stored standings answer no more for somebody whose completion is voided now, and the kept answer lacks them."""
    _, moment = voided
    first = known.start(DAY, moment, by=None)
    jobs.run(str(first.key), HANDLERS)
    with recording(by=None, via=Via.PAGE, why="wrong day") as recorder:
        recorder.void(Completion.objects.known())
    monkeypatch.setattr(known, "MOST_AT_ONCE", most_at_once)

    if is_worked_out_again:
        with pytest.raises(known.NotReady):
            known.be_ready(moment, DAY)
    again = known.start(DAY, moment, by=None)
    jobs.run(str(again.key), HANDLERS)
    known.be_ready(moment, DAY)
    with transaction.atomic():
        (part,) = coverage.counts(coverage.standings_on(DAY, known_at=moment), "unit")

    assert (again.pk != first.pk) == is_worked_out_again
    assert (part.current, part.counted) == (2, 2)


def test_an_answer_by_other_rules_is_not_taken(voided: tuple[Requirement, datetime]) -> None:
    _, moment = voided
    jobs.run(str(known.start(DAY, moment, by=None).key), HANDLERS)

    requirements.load_presets(["calea-41.2.7-entry"], today=date(2026, 11, 21))

    assert known.find_answer(DAY, moment, gather_rules()) is None
    with pytest.raises(known.NotReady):
        known.be_ready(moment, DAY)


def test_old_answers_are_thrown_away(voided: tuple[Requirement, datetime]) -> None:
    _, moment = voided
    jobs.run(str(known.start(DAY, moment, by=None).key), HANDLERS)
    Job.objects.update(requested_at="2020-01-01T00:00Z")

    known.forget_old()

    assert not KnownAnswer.objects.exists()
