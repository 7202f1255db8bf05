"""The night: every standing verified and healed, then one immutable snapshot of the day, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from compliance import coverage, goals, jobs, nightly, standings, tasks
from compliance.models import CoverageSnapshot, Edition, Goal, GoalSnapshot, Job, Requirement, Standing
from config.celery import app
from roster.models import Officer
from tests import factories as make
from tests.two_writers import Gate, Worker, meanwhile

DAY = date(2024, 3, 17)


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are run here one by one; `test_worker.py` runs them through a worker."""
    monkeypatch.setattr(jobs, "nudge", lambda job: True)


def make_department() -> tuple[Requirement, Goal, list[Officer]]:
    """Two members of patrol, one of them current on the day, and a third without a unit; a goal of half of them."""
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,))
    goal = make.make_goal(requirement, target_percent=50)
    patrol = make.make_unit("P1")
    officers = [make.make_officer(unit=patrol), make.make_officer(unit=patrol), make.make_officer()]
    make.complete(officers[0], cit, date(2023, 3, 17))
    return requirement, goal, officers


def work(*kinds: str) -> list[tuple[str, str]]:
    """Do the waiting jobs of these kinds as a worker does, and what they lead to; (kind, state) of all jobs."""
    while waiting := Job.objects.filter(state="waiting", kind__in=kinds or tuple(tasks.HANDLERS)).order_by("pk"):
        tasks.run_job(str(waiting[0].key))
    return list(Job.objects.order_by("pk").values_list("kind", "state"))


def written() -> list[Mapping[str, Any]]:
    return [*CoverageSnapshot.objects.order_by("pk").values(), *GoalSnapshot.objects.order_by("pk").values()]


def tamper(officer: Officer) -> int:
    return Standing.objects.filter(officer=officer, state="overdue").update(state="current")


# --- verification ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_night_verifies_in_slices_and_then_writes_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "SLICE", 2)
    officers = make_department()[2]

    tasks.start_nightly(DAY.isoformat())

    assert work() == [("verify", "done"), ("verify", "done"), ("snapshot", "done")]
    slices = [job.arguments for job in Job.objects.filter(kind="verify").order_by("pk")]
    assert slices == [
        {"day": "2024-03-17", "first": officers[0].pk, "last": officers[1].pk},
        {"day": "2024-03-17", "first": officers[2].pk, "last": officers[2].pk},
    ]
    assert [job.result for job in Job.objects.filter(kind="verify")] == [
        {"differences": 0, "members": 0, "ids": []}
    ] * 2


@pytest.mark.django_db
def test_a_tampered_standing_is_reported_and_healed(caplog: pytest.LogCaptureFixture) -> None:
    officers = make_department()[2]
    assert tamper(officers[1]) == 1
    Standing.objects.filter(officer=officers[2]).delete()

    nightly.start(DAY)
    work()

    job = Job.objects.get(kind="verify")
    ids = [officers[1].pk, officers[2].pk]
    assert job.result == {"differences": 4, "members": 2, "ids": ids}
    assert caplog.messages == [
        f"4 standings of 2 members differ from their facts and are rebuilt; members by id: {ids[0]}, {ids[1]}"
    ]
    assert standings.differences() == {}


@pytest.mark.django_db
def test_what_was_found_outlives_the_worker_that_dies_while_it_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    officers = make_department()[2]
    tamper(officers[1])
    nightly.start(DAY)
    heal = standings.rebuild_by_slices

    def heal_and_die(ids: Any) -> int:
        heal(ids)
        raise KeyboardInterrupt  # what a handler does not survive

    monkeypatch.setattr(standings, "rebuild_by_slices", heal_and_die)
    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.setattr(standings, "rebuild_by_slices", heal)
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    tasks.run_job(str(Job.objects.get().key))

    job = Job.objects.get(kind="verify")
    assert (job.state, job.attempts, job.result) == (
        "done",
        2,
        {"differences": 2, "members": 1, "ids": [officers[1].pk]},
    )


@pytest.mark.django_db
def test_a_night_goes_on_when_a_slice_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "SLICE", 2)
    make_department()
    nightly.start(DAY)
    last = Job.objects.order_by("pk")[1]
    Job.objects.filter(pk=last.pk).update(arguments={"day": "2024-03-17", "first": "x", "last": "y"})

    assert work() == [("verify", "done"), ("verify", "failed"), ("snapshot", "done")]


@pytest.mark.django_db
def test_a_night_goes_on_when_a_slice_was_given_up() -> None:
    make_department()
    nightly.start(DAY)
    Job.objects.update(state="running", attempts=3, heartbeat_at=timezone.now() - timedelta(minutes=2))

    jobs.pick_up()
    nightly.start(DAY)

    assert work() == [("verify", "failed"), ("snapshot", "done")]


@pytest.mark.django_db
def test_asked_again_at_any_step_a_night_happens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "SLICE", 2)
    make_department()

    nightly.start(DAY)
    make.make_officer()  # moves the bounds of the last slice
    nightly.start(DAY)
    first = work("verify")[:2]
    for _ in range(3):
        nightly.start(DAY)
    everything = work()
    nightly.start(DAY)

    assert first == [("verify", "done"), ("verify", "done")]
    assert everything == work() == [("verify", "done"), ("verify", "done"), ("snapshot", "done")]


@pytest.mark.django_db
def test_a_department_without_members_has_quiet_nights() -> None:
    nightly.start(DAY)

    assert work() == [("verify", "done"), ("snapshot", "done")]
    assert written() == []


@pytest.mark.django_db(transaction=True)
def test_a_writer_at_work_makes_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    _, _, officers = make_department()
    nightly.start(DAY)
    gate = Gate()

    def write() -> None:
        with transaction.atomic():
            make.complete(officers[1], make.make_course(), DAY)
            gate.stop_here()

    with meanwhile(write):
        gate.wait_for_it()
        work()
        gate.open()

    assert Job.objects.get(kind="verify").result["differences"] == 0
    assert caplog.messages == []


@pytest.mark.django_db(transaction=True)
def test_a_rule_change_at_work_makes_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    make_department()
    nightly.start(DAY)
    gate = Gate()

    def change() -> None:
        with transaction.atomic():
            Edition.objects.update(months=12)
            standings.rebuild()
            gate.stop_here()

    with meanwhile(change):
        gate.wait_for_it()
        work()
        gate.open()

    assert Job.objects.get(kind="verify").result["differences"] == 0
    assert caplog.messages == []
    assert standings.differences() == {}


# --- snapshot --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_snapshot_holds_coverage_by_unit_and_goals_of_the_day() -> None:
    requirement, goal, officers = make_department()
    unit = officers[0].assignments.get().unit_id

    nightly.start(DAY)
    work()

    columns = ("day", "requirement", "unit", "current", "in_grace", "overdue", "excused", "ever")
    assert list(CoverageSnapshot.objects.order_by("unit").values_list(*columns)) == [
        (DAY, requirement.pk, unit, 1, 0, 1, 0, 1),
        (DAY, requirement.pk, None, 0, 0, 1, 0, 0),
    ]
    assert list(GoalSnapshot.objects.values_list("day", "goal", "is_met", "have", "needed", "counted")) == [
        (DAY, goal.pk, False, 1, 2, 3)
    ]
    assert Job.objects.get(kind="snapshot").result == {"coverage": 2, "goals": 1}


@pytest.mark.django_db
@pytest.mark.parametrize("again", ["next night's start", "the same message", "a second job"])
def test_a_day_written_down_stays_as_it_is(again: str) -> None:
    """Also where a member has moved since, to a unit that the snapshot does not have: figures of two moments mixed."""
    _, _, officers = make_department()
    nightly.start(DAY)
    work()
    before = written()

    make.complete(officers[1], make.make_course(), DAY)
    make.make_officer(unit=make.make_unit("P2"))
    if again == "next night's start":
        nightly.start(DAY)
    elif again == "the same message":
        tasks.run_job(str(Job.objects.get(kind="snapshot").key))
    else:
        jobs.start("snapshot", {"day": DAY.isoformat()}, by=None)
    work()

    assert written() == before
    assert coverage.counts(coverage.standings_on(DAY), "none")[0].current == 2


@pytest.mark.django_db
def test_the_next_day_is_written_down_too() -> None:
    make_department()

    for day in (DAY, DAY + timedelta(days=1)):
        nightly.start(day)
        work()

    assert CoverageSnapshot.objects.filter(day=DAY).count() == 2
    assert CoverageSnapshot.objects.filter(day=DAY + timedelta(days=1)).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["compliance_coveragesnapshot", "compliance_goalsnapshot"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET day = day + 1", "DELETE FROM {}"])
def test_snapshots_are_neither_changed_nor_deleted(table: str, statement: str) -> None:
    make_department()
    nightly.start(DAY)
    work()

    with (
        pytest.raises(ProgrammingError, match="Cannot delete or update rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


@pytest.mark.django_db(transaction=True)
def test_two_snapshots_of_a_day_at_once_write_it_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker was taken for dead and lives: whoever commits first wrote the day, the other finds it written."""
    make_department()
    first, second = (Job.objects.create(kind="snapshot", arguments={"day": DAY.isoformat()}) for _ in range(2))
    gate, write_down = Gate(), nightly._write_down
    stopped: list[date] = []

    def write_down_slowly(day: date, progress: jobs.Progress) -> None:
        write_down(day, progress)
        if not stopped:
            stopped.append(day)
            gate.stop_here()

    monkeypatch.setattr(nightly, "_write_down", write_down_slowly)
    with meanwhile(lambda: tasks.run_job(str(first.key))):
        gate.wait_for_it()
        other = Worker(lambda: tasks.run_job(str(second.key)))
        other.wait_until_blocked()
        gate.open()
        other.result()
    tasks.run_job(str(second.key))

    assert list(Job.objects.values_list("state", "result")) == [("done", {"coverage": 2, "goals": 1})] * 2
    assert (CoverageSnapshot.objects.count(), GoalSnapshot.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_is_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage is counted before somebody records, goals after; both show what was before."""
    _, _, officers = make_department()
    nightly.start(DAY)
    evaluate = goals.evaluate

    def evaluate_later(goal: Goal, **values: Any) -> Any:
        Worker(lambda: make.complete(officers[1], make.make_course(), DAY)).result()
        return evaluate(goal, **values)

    monkeypatch.setattr(goals, "evaluate", evaluate_later)
    work()

    assert GoalSnapshot.objects.get().have == 1
    assert sum(CoverageSnapshot.objects.values_list("current", flat=True)) == 1
    assert standings.differences() == {}


# --- the clock -------------------------------------------------------------------------------------------------------


def test_the_schedule_follows_the_agencys_clock_and_names_tasks_that_are_there() -> None:
    schedule = app.conf.beat_schedule

    assert str(app.timezone) == settings.TIME_ZONE
    assert {entry["task"] for entry in schedule.values()} == {
        "compliance.tasks.pick_up_jobs",
        "compliance.tasks.start_nightly",
        "compliance.tasks.sweep_files",
    }
    assert all(entry["task"] in app.tasks for entry in schedule.values())
    assert schedule["pick-up-jobs"]["schedule"] == 60
    assert min(schedule["nightly"]["schedule"].hour) == 2


@pytest.mark.django_db
def test_rebuilding_on_the_command_line_heals_without_a_queue() -> None:
    officers = make_department()[2]
    tamper(officers[1])

    call_command("rebuild_standings")

    assert standings.differences() == {}
