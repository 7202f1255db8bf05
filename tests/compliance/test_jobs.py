"""Long work: claimed once, seen while it runs, ended with a sentence, asked for once, and never lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from compliance import jobs, tasks
from compliance.models import Job, JobState
from tests import factories as make
from tests.two_writers import Gate, Worker, meanwhile, wait_until

Nudges = list[str]


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> Nudges:
    """The keys that workers were told, in place of the broker; `test_worker.py` has a real one."""
    told: Nudges = []

    def nudge(job: Job) -> bool:
        told.append(str(job.key))
        return True

    monkeypatch.setattr(jobs, "nudge", nudge)
    return told


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broker that is not there."""
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{tmp_path}/nowhere.sock")


def make_job(kind: str = "work", **values: Any) -> Job:
    return Job.objects.create(kind=kind, **values)


def ran(job: Job, handler: jobs.Handler) -> Job:
    jobs.run(str(job.key), {job.kind: handler})
    return Job.objects.get(pk=job.pk)


def silence(job: Job, by: timedelta = timedelta(minutes=2)) -> None:
    """As if the worker had died that long ago."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - by)


def nothing(job: Job, progress: jobs.Progress) -> None:
    """Work of no kind."""


# --- how work ends ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_work_done_leaves_its_result_and_its_whole_count() -> None:
    def work(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
        progress(3, 7)
        return {"changed": 7}

    job = ran(make_job(), work)

    assert (job.state, job.result, job.done, job.total, job.error) == ("done", {"changed": 7}, 7, 7, "")
    assert job.finished_at is not None


def _raises(error: BaseException) -> jobs.Handler:
    def work(job: Job, progress: jobs.Progress) -> None:
        raise error

    return work


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(jobs.JobFailed("The file is empty."), "The file is empty.", id="failed"),
        pytest.param(ValidationError(["One.", "Two."]), "One. Two.", id="refused"),
        pytest.param(SoftTimeLimitExceeded(), jobs.TOO_LONG, id="too-long"),
        pytest.param(RuntimeError("Officer Reyes"), jobs.UNEXPECTED, id="unexpected"),
        pytest.param(KeyError("run"), jobs.UNEXPECTED, id="missing-argument"),
    ],
)
def test_work_that_fails_ends_with_a_sentence(error: BaseException, sentence: str) -> None:
    job = ran(make_job(), _raises(error))

    assert (job.state, job.error, job.result) == ("failed", sentence, {})
    assert job.finished_at is not None


@pytest.mark.django_db
def test_only_an_unexpected_error_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    ran(make_job(), _raises(jobs.JobFailed("The file is empty.")))
    job = ran(make_job(), _raises(RuntimeError("what went wrong")))

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"Job {job.key} of kind work failed"
    assert "what went wrong" in caplog.text


@pytest.mark.django_db
def test_trouble_with_the_database_gives_the_job_back_until_the_last_attempt() -> None:
    job = make_job()

    states = [ran(job, _raises(OperationalError("deadlock detected"))).state for _ in range(jobs.MOST_ATTEMPTS)]

    assert states == ["waiting", "waiting", "failed"]
    assert Job.objects.get(pk=job.pk).error == jobs.UNEXPECTED


@pytest.mark.django_db
def test_a_worker_leaves_alone_what_it_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    job = make_job("of-a-newer-version")

    assert jobs.run(str(job.key), {"work": nothing}) is None
    assert (Job.objects.get(pk=job.pk).state, Job.objects.get(pk=job.pk).attempts) == ("waiting", 0)
    assert "does not know" in caplog.text


def test_every_kind_has_a_handler_with_a_name_for_it() -> None:
    assert {"rebuild", "verify", "snapshot"} <= set(tasks.HANDLERS)
    assert all(len(kind) <= 40 and callable(handler) for kind, handler in tasks.HANDLERS.items())


# --- who does it -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_told_at_once_one_does_the_work() -> None:
    job, gate, done = make_job(), Gate(), []

    def work(job: Job, progress: jobs.Progress) -> None:
        gate.stop_here()
        done.append(job.attempts)

    with meanwhile(lambda: jobs.run(str(job.key), {"work": work})):
        gate.wait_for_it()
        assert Worker(lambda: jobs.run(str(job.key), {"work": work})).result() is None
        gate.open()

    assert done == [1]
    assert jobs.claim(str(job.key)) is None


@pytest.mark.django_db(transaction=True)
def test_two_claims_in_the_same_moment_one_holds() -> None:
    job = make_job()

    with transaction.atomic():
        first = jobs.claim(str(job.key))
        other = Worker(lambda: jobs.claim(str(job.key)))
        other.wait_until_blocked()

    assert first is not None
    assert other.result() is None
    assert Job.objects.get(pk=job.pk).attempts == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "attempts", "silent_for", "is_free"),
    [
        pytest.param("waiting", 0, None, True, id="waiting"),
        pytest.param("running", 1, timedelta(seconds=50), False, id="running"),
        pytest.param("running", 1, timedelta(seconds=70), True, id="silent"),
        pytest.param("running", 2, timedelta(seconds=70), True, id="silent-twice"),
        pytest.param("running", 3, timedelta(seconds=70), False, id="silent-too-often"),
        pytest.param("done", 1, timedelta(seconds=70), False, id="done"),
        pytest.param("failed", 1, timedelta(seconds=70), False, id="failed"),
    ],
)
def test_claim_takes_waiting_and_silent_jobs(
    state: str, attempts: int, silent_for: timedelta | None, is_free: bool
) -> None:
    heartbeat_at = None if silent_for is None else timezone.now() - silent_for
    job = make_job(state=state, attempts=attempts, heartbeat_at=heartbeat_at, doing="reading", done=5, total=9)

    taken = jobs.claim(str(job.key))

    assert (taken is not None) == is_free
    if taken is not None:
        assert (taken.state, taken.attempts, taken.done, taken.doing) == ("running", attempts + 1, 0, "")


@pytest.mark.django_db
@pytest.mark.parametrize("ending", [nothing, _raises(jobs.JobFailed("late")), _raises(OperationalError("late"))])
def test_a_worker_taken_for_dead_has_no_say_any_more(ending: jobs.Handler) -> None:
    def work(job: Job, progress: jobs.Progress) -> Mapping[str, Any] | None:
        silence(job)
        second = jobs.claim(str(job.key))
        assert second is not None
        jobs.note(job, {"from": "the dead"})
        return ending(job, progress)

    job = ran(make_job(), work)

    assert (job.state, job.attempts, job.error, job.result) == ("running", 2, "", {})


# --- what others see meanwhile ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_work_is_one_open_transaction() -> None:
    job, gate = make_job(), Gate()

    def work(job: Job, progress: jobs.Progress) -> None:
        with transaction.atomic():
            make.make_agency()
            progress(40, 100)
            gate.stop_here()

    def seen() -> tuple[int, int]:
        row = Job.objects.get(pk=job.pk)
        return row.done, row.total

    with meanwhile(lambda: jobs.run(str(job.key), {"work": work})):
        gate.wait_for_it()
        wait_until(lambda: seen() == (40, 100), "the progress")
        gate.open()

    assert seen() == (100, 100)


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_that_fails_is_followed_by_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection of the heartbeat is cut; the job lives on, and says so over another."""
    monkeypatch.setattr(jobs.Reporter.__init__, "__kwdefaults__", {"every": timedelta(milliseconds=20)})
    job = make_job()

    def heartbeat() -> object:
        return Job.objects.values_list("heartbeat_at", flat=True).get(pk=job.pk)

    def work(job: Job, progress: jobs.Progress) -> None:
        wait_until(lambda: _cut("UPDATE compliance_job SET heartbeat_at = now()%") > 0, "the heartbeat's connection")
        wait_until(lambda: "cannot say that it lives" in caplog.text, "the heartbeat to notice")
        cut_at = heartbeat()
        wait_until(lambda: heartbeat() != cut_at, "another heartbeat")

    assert ran(job, work).state == "done"


def _cut(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s",
            [query],
        )
        (count,) = cursor.fetchone()
        return int(count)


@pytest.mark.django_db(transaction=True)
def test_work_whose_connection_is_cut_goes_back_and_is_done_by_the_next() -> None:
    job = make_job()

    def work(job: Job, progress: jobs.Progress) -> None:
        if job.attempts == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    states = [ran(job, work).state, ran(job, work).state]

    assert states == ["waiting", "done"]


# --- asking for it ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_told_when_the_asking_commits_and_never_when_it_is_rolled_back(nudges: Nudges) -> None:
    with transaction.atomic():
        job = jobs.start("work", {}, by=None)
        before = list(nudges)
    with transaction.atomic():
        jobs.start("work", {}, by=None)
        transaction.set_rollback(True)

    assert (before, nudges) == ([], [str(job.key)])
    assert list(Job.objects.values_list("pk", flat=True)) == [job.pk]


@pytest.mark.django_db(transaction=True)
def test_asked_once_by_two_at_once_it_is_asked_for_once(nudges: Nudges) -> None:
    def ask() -> Job | None:
        return jobs.start_once("work", {"day": "2024-03-17"})

    with transaction.atomic():
        first = ask()
        other = Worker(ask)
        other.wait_until_blocked()

    assert first is not None
    assert other.result() is None
    assert jobs.start_once("work", {"day": "2024-03-18"}) is not None
    assert len(nudges) == 2


@pytest.mark.django_db(transaction=True)
def test_asking_works_and_does_not_hold_anybody_up_without_a_queue(
    broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    started_at = timezone.now()

    job = jobs.start("work", {}, by=None)

    assert timezone.now() - started_at < timedelta(seconds=3)
    assert Job.objects.get(pk=job.pk).state == JobState.WAITING
    assert caplog.messages == [f"The job queue does not answer; job {job.key} waits for it."]


@pytest.mark.django_db(transaction=True)
def test_without_a_queue_the_scheduler_tries_one_job_not_all(broken: None, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        make_job()

    assert jobs.pick_up() == 0
    assert len(caplog.messages) == 1


@pytest.mark.django_db
def test_pick_up_tells_of_waiting_and_silent_jobs_the_oldest_first(
    nudges: Nudges, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, silent, running, ended, last = (
        make_job(),
        make_job(state="running", attempts=1),
        make_job(state="running", attempts=1, heartbeat_at=timezone.now()),
        make_job(state="done", attempts=1, heartbeat_at=timezone.now() - timedelta(hours=1)),
        make_job(),
    )
    silence(silent)

    assert jobs.pick_up() == 3
    assert nudges == [str(job.key) for job in (waiting, silent, last)]

    nudges.clear()
    monkeypatch.setattr(jobs, "MOST_NUDGES", 2)
    assert jobs.pick_up() == 2
    assert nudges == [str(job.key) for job in (waiting, silent)]
    assert {Job.objects.get(pk=job.pk).state for job in (running, ended)} == {"running", "done"}


@pytest.mark.django_db
def test_a_job_that_killed_three_workers_is_given_up(nudges: Nudges, caplog: pytest.LogCaptureFixture) -> None:
    job = make_job()
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.pick_up() == 1
        assert jobs.claim(str(job.key)) is not None
        silence(job)

    assert jobs.pick_up() == 0

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", jobs.GIVEN_UP)
    assert job.finished_at is not None
    assert jobs.claim(str(job.key)) is None
    assert caplog.messages == [f"Job {job.key} of kind work was given up after 3 attempts"]


@pytest.mark.django_db
def test_silence_is_measured_by_the_clock_of_the_database(monkeypatch: pytest.MonkeyPatch, nudges: Nudges) -> None:
    """A worker whose clock is ahead does not take living jobs from others."""
    job = make_job()
    assert jobs.claim(str(job.key)) is not None
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=1))

    assert jobs.pick_up() == 0
    assert jobs.claim(str(job.key)) is None


@pytest.mark.django_db
@pytest.mark.parametrize("task", [tasks.run_job, tasks.pick_up_jobs, tasks.start_nightly])
def test_tasks_return_nothing_and_may_run_twice(nudges: Nudges, task: Callable[..., object]) -> None:
    arguments = [str(make_job("snapshot", arguments={"day": "2024-03-17"}).key)] if task is tasks.run_job else []

    assert [task(*arguments), task(*arguments)] == [None, None]
    assert not Job.objects.filter(attempts__gt=1).exists()
