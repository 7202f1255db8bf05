"""Jobs through a real worker, a real scheduler and a real Redis: killed, gone, told twice, and two at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from compliance import jobs, rule_changes, standings
from compliance.models import CoverageSnapshot, Edition, GoalSnapshot, Job, Requirement, Standing
from compliance.preview import changed
from compliance.requirements_toml import export_toml
from config import embedded
from config.celery import app
from roster.facts import Via, changing_rules, recording
from roster.models import Employment, Officer
from tests import factories as make
from tests.live_worker import SECONDS, Broker, CeleryWorker, Program, running_broker
from tests.two_writers import Worker, holding, wait_until

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

DAY = date(2024, 3, 17)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def _worker(broker: Broker, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[CeleryWorker]:
    """One worker for all tests: its start takes seconds."""
    program = CeleryWorker(tmp_path_factory.mktemp("worker") / "log")
    yield program
    program.kill()


@pytest.fixture
def worker(_worker: CeleryWorker, broker: Broker, transactional_db: None) -> Iterator[CeleryWorker]:
    yield _worker
    broker.wait_until_empty()  # it must not touch the tables that are emptied now


def wait_for(job: Job, state: str = "done") -> Job:
    wait_until(lambda: Job.objects.filter(pk=job.pk, state=state).exists(), f"the job to be {state}", SECONDS)
    return Job.objects.get(pk=job.pk)


def send(task: str, *arguments: str) -> None:
    """A message over a connection of its own: those that the process keeps may be from before Redis went."""
    with app.connection_for_write() as link:
        app.send_task(f"compliance.tasks.{task}", arguments, connection=link)


def ask(question: str) -> Any:
    """What the worker says of itself."""
    with app.connection_for_write() as link:
        answers = getattr(app.control.inspect(timeout=10, limit=1, connection=link), question)()
    (answer,) = (answers or {}).values()
    return answer


def silence(job: Job) -> None:
    """As if the minute had passed after which a silent job is taken for dead."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=2))


def make_members(count: int) -> list[int]:
    """That many members under one requirement, every one of them overdue."""
    make.make_requirement(entry=(make.make_course(),))
    agency = make.make_agency()
    made = Officer.objects.bulk_create(
        Officer(agency=agency, employee_id=f"J{number}", last_name="Reyes", first_name="Noor")
        for number in range(count)
    )
    ids = [officer.pk for officer in made]
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record_many(
            Employment,
            ("officer_id", "start_on", "category"),
            ((key, date(2016, 3, 4), "sworn") for key in ids),
            ids,
        )
    return ids


def stored() -> list[tuple[object, ...]]:
    return list(Standing.objects.order_by("pk").values_list())


# --- a worker --------------------------------------------------------------------------------------------------------


def test_a_rebuild_asked_for_in_a_transaction_is_done_by_a_worker(worker: CeleryWorker) -> None:
    ids = make_members(5)
    with transaction.atomic():
        Standing.objects.filter(officer=ids[0]).update(state="current")
        job = jobs.start("rebuild", {}, by=None)

    job = wait_for(job)

    assert (job.result, job.done, job.total, job.attempts) == ({"changed": 4}, 5, 5, 1)
    assert standings.differences() == {}


def test_the_same_message_delivered_twice_does_the_work_once(worker: CeleryWorker, broker: Broker) -> None:
    make_members(2)
    job = jobs.start("rebuild", {}, by=None)
    jobs.nudge(job)

    ended_at = wait_for(job).finished_at
    jobs.nudge(job)
    broker.wait_until_empty()

    job.refresh_from_db()
    assert (job.attempts, job.finished_at) == (1, ended_at)


def test_a_job_that_fails_and_a_message_for_nothing_leave_the_worker_working(worker: CeleryWorker) -> None:
    bad = jobs.start("verify", {"day": DAY.isoformat(), "first": "x", "last": "y"}, by=None)
    send("run_job", "no such key")
    good = jobs.start("rebuild", {}, by=None)

    assert wait_for(bad, "failed").error == jobs.UNEXPECTED
    assert wait_for(good).attempts == 1


def test_a_worker_holds_no_database_connection_between_jobs(worker: CeleryWorker) -> None:
    """So a restart of the database meanwhile does not concern it."""

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            (count,) = cursor.fetchone()
            return int(count)

    wait_for(jobs.start("rebuild", {}, by=None))

    wait_until(lambda: others() == 0, "the connections of the worker and its heartbeat to end")


def test_two_writers_at_once_and_no_standing_misses_a_fact(worker: CeleryWorker) -> None:
    """A rebuild of everybody in the worker while this process records: neither undoes the other."""
    ids = make_members(300)
    cit = make.make_course()
    Standing.objects.all().delete()

    with transaction.atomic():
        jobs.start("rebuild", {}, by=None)
    for number, key in enumerate(ids[::30]):
        make.complete(Officer.objects.get(pk=key), cit, date(2023, 1, 1) + timedelta(days=number))
    wait_for(Job.objects.get())

    assert standings.differences() == {}
    assert Standing.objects.filter(state="current").count() == 10


def test_a_rebuild_after_a_rule_change_waits_for_its_commit_and_judges_by_it(worker: CeleryWorker) -> None:
    ids = make_members(3)
    for key in ids:
        make.complete(Officer.objects.get(pk=key), make.make_course(), date(2023, 1, 1))

    with changing_rules():
        job = jobs.start("rebuild", {}, by=None)
        Edition.objects.update(months=12)
    job = wait_for(job)

    assert set(Standing.objects.filter(state="current").values_list("due_on", flat=True)) == {date(2024, 1, 1)}
    assert standings.differences() == {}


def test_a_rule_change_is_previewed_and_put_in_force_by_a_worker(
    worker: CeleryWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people save at once, each from a preview of their own: the second is told, and nothing of it is stored."""
    ids = make_members(30)
    for key in ids[:10]:
        make.complete(Officer.objects.get(pk=key), make.make_course(), date(2020, 1, 1))
    user = make.make_user("compliance")
    monkeypatch.setattr(rule_changes, "MOST_AT_ONCE", 20)
    today = timezone.localdate()
    before = stored()
    content = export_toml(Requirement.objects.all())

    first, second = (
        wait_for(rule_changes.start_preview(content.replace("months = 36", f"months = {months}"), today=today, by=user))
        for months in (1200, 600)
    )
    unchanged = stored()
    pressed = [rule_changes.start_change(asked, today=today, by=user) for asked in (first, second)]
    wait_until(lambda: not Job.objects.filter(state__in=("waiting", "running")).exists(), "both to end", SECONDS)

    assert unchanged == before
    assert (first.done, first.total) == (30, 30)
    assert sorted(Job.objects.filter(kind=rule_changes.CHANGE).values_list("state", "error")) == [
        ("done", ""),
        ("failed", rule_changes.OUTDATED),
    ]
    assert {job.pk for job in pressed} == set(Job.objects.filter(kind=rule_changes.CHANGE).values_list("pk", flat=True))
    found = rule_changes.preview_of(first)
    assert changed(found.of(Requirement.objects.get().pk, today)) == 10
    assert Standing.objects.filter(state="current").count() == 10
    assert standings.differences() == {}


def test_a_night_through_the_worker_heals_reports_and_writes_down_once(worker: CeleryWorker, broker: Broker) -> None:
    ids = make_members(4)
    make.make_goal(Edition.objects.get().requirement)
    Standing.objects.filter(officer=ids[2]).update(state="excused")

    for _ in range(2):  # the message of the night, delivered twice
        send("start_nightly", DAY.isoformat())
    wait_until(lambda: Job.objects.filter(kind="snapshot", state="done").exists(), "the snapshot", SECONDS)
    before = [*CoverageSnapshot.objects.values(), *GoalSnapshot.objects.values()]
    make.make_officer(unit=make.make_unit())
    send("start_nightly", DAY.isoformat())
    broker.wait_until_empty()

    assert Job.objects.get(kind="verify").result == {"differences": 4, "members": 1, "ids": [ids[2]]}
    assert worker.said(f"4 standings of 1 members differ from their facts and are rebuilt; members by id: {ids[2]}")
    assert standings.differences() == {}
    assert Job.objects.count() == 2
    assert [*CoverageSnapshot.objects.values(), *GoalSnapshot.objects.values()] == before
    assert len(before) == 2


def test_the_worker_knows_every_task_of_the_schedule(worker: CeleryWorker) -> None:
    registered = ask("registered")

    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {*scheduled, "compliance.tasks.run_job"} <= set(registered)


def test_the_scheduler_sends_what_nobody_was_told_of(worker: CeleryWorker, broker: Broker, tmp_path: Path) -> None:
    """The real scheduler, its minute made a second; the job's own message never left."""
    job = Job.objects.create(kind="rebuild")
    words = ["beat", "--schedule", str(tmp_path / "schedule"), "--loglevel", "INFO"]
    beat = Program(
        tmp_path / "log",
        "-c",
        "from config.celery import app; "
        "app.conf.beat_schedule['pick-up-jobs']['schedule'] = 1.0; "
        f"app.start({words!r})",
    )
    try:
        wait_for(job)
        assert beat.said("Sending due task pick-up-jobs")
    finally:
        beat.kill()


# --- Redis gone and back ---------------------------------------------------------------------------------------------


def test_while_redis_is_away_work_is_asked_for_and_done_once_it_is_back(worker: CeleryWorker, broker: Broker) -> None:
    make_members(2)
    user = make.make_user("admin")
    client = Client()
    client.force_login(user)
    broker.stop()
    try:
        asked_at = time.monotonic()
        with transaction.atomic():
            job = jobs.start("rebuild", {}, by=user)
        took = time.monotonic() - asked_at
        page = client.get(f"/jobs/{job.key}/")
    finally:
        broker.start()

    assert took < 3
    assert page.status_code == 200
    assert Job.objects.get(pk=job.pk).state == "waiting"
    send("pick_up_jobs")  # what the scheduler sends every minute
    assert wait_for(job).attempts == 1


def test_a_queue_that_accepts_and_never_answers_holds_nobody_up(broker: Broker) -> None:
    pid = int((embedded.data_dir() / "redis" / "redis.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        asked_at = time.monotonic()
        job = jobs.start("rebuild", {}, by=None)
        took = time.monotonic() - asked_at
    finally:
        os.kill(pid, signal.SIGCONT)

    assert took < 3
    assert Job.objects.get(pk=job.pk).state == "waiting"


# --- a worker killed half-way ----------------------------------------------------------------------------------------


@contextmanager
def rebuild_held_at(officer_id: int) -> Iterator[Job]:
    """A rebuild that was asked for and will wait at this member, whose row is locked."""
    with holding(officer_id):
        yield Worker(lambda: jobs.start("rebuild", {}, by=None)).result()


def test_a_worker_killed_half_way_leaves_standings_as_they_were_and_the_next_one_finishes(
    worker: CeleryWorker, broker: Broker
) -> None:
    ids = make_members(standings.SLICE + 2)
    Standing.objects.filter(officer__in=(ids[0], ids[-1])).update(state="excused")
    before = stored()

    def seen() -> object:
        return Job.objects.values_list("state", "attempts", "done", "total").get()

    with rebuild_held_at(ids[-1]) as job:
        # the first slice is written in the worker's transaction, the second waits for the lock
        wait_until(lambda: seen() == ("running", 1, 1000, 1002), "the first slice", SECONDS)
        worker.kill()
    broker.forget()
    worker.start()

    assert stored() == before
    assert seen() == ("running", 1, 1000, 1002)
    assert jobs.pick_up() == 0  # not silent for long enough yet
    silence(job)
    assert jobs.pick_up() == 1
    job = wait_for(job)
    assert (job.attempts, job.done, job.result) == (2, 1002, {"changed": 8})
    assert standings.differences() == {}


def test_a_child_killed_for_its_memory_leaves_the_worker_alive_and_the_job_to_be_picked_up(
    worker: CeleryWorker, broker: Broker
) -> None:
    ids = make_members(1)

    with rebuild_held_at(ids[0]) as job:
        wait_for(job, "running")
        (child,) = ask("stats")["pool"]["processes"]
        os.kill(child, signal.SIGKILL)
        broker.wait_until_empty()  # the message is not sent again at once
    assert Job.objects.get().attempts == 1
    silence(job)
    send("pick_up_jobs")

    assert wait_for(job).attempts == 2
