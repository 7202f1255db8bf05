"""Long work: a row says what is to be done and how far it is; a message to a worker is only a nudge.

    job = jobs.start("plan_import", {"run": 7}, by=user)     # in the caller's transaction

The row is written with whatever the caller writes; the message leaves when that commits, and when it is lost - Redis is
away, a worker dies - the scheduler finds the waiting or silent row within a minute and sends another. A worker claims
a row by a conditional UPDATE, so a message delivered twice runs once. All moments are the database's: the clocks of
web servers and workers do not matter.

What a handler owes: to be safe when done again, since a worker can die after the work and before the row says so (let
the work commit together with what shows that it is done, and look at that first); and never to write its own job's
row inside a long transaction, since the heartbeat would wait for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from compliance.models import ImportRun, Job, JobState
from config.celery import app
from roster.access import Right, Viewer

logger = logging.getLogger(__name__)

#: A running job says every so often that it lives.
HEARTBEAT = timedelta(seconds=5)
#: One that has been silent for so long is taken for dead and given to another worker.
SILENT = timedelta(seconds=60)
#: Workers that may die over one job before it is given up.
MOST_ATTEMPTS = 3
#: Jobs nudged at a time, the oldest first: the rest waits for those anyway, and messages do not pile up.
MOST_NUDGES = 100

#: How long whoever asks for work waits for a queue that does not answer: at most some two seconds in all.
NUDGE_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 1, "max_retries": 1, "interval_start": 0}

#: Before so long, and before a twentieth is done, the rate of a job says nothing.
ENOUGH_SECONDS = timedelta(seconds=4)

START_LOCK = 4_127_010

Progress = Callable[[int, int], object]
Handler = Callable[[Job, Progress], Mapping[str, Any] | None]

#: The database or the way to it failed, not the work: deadlocks, restarts, lost connections. Worth another attempt.
PASSING = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

UNEXPECTED = "Something went wrong that was not expected. Try again, or ask whoever runs the server: the log says more."
TOO_LONG = "The work took longer than it may and was stopped. Ask whoever runs the server."
GIVEN_UP = "The work stopped three times without an answer. Ask whoever runs the server."


def visible(viewer: Viewer) -> QuerySet[Job]:
    """What somebody asked for; for administrators also what is about their agencies.

    Work on everybody, such as the nightly verification, belongs to whoever reads every agency.
    """
    own = Q(requested_by=viewer.user)
    if not viewer.may(Right.ADMINISTER):
        return Job.objects.filter(own)
    if viewer.agencies is None:
        return Job.objects.all()
    files = ImportRun.objects.filter(agency__in=viewer.agencies).values("job")
    return Job.objects.filter(
        own | Q(pk__in=files) | Q(kind="issue_report", arguments__agency__in=sorted(viewer.agencies))
    )


class JobFailed(Exception):
    """Ends a job with a sentence for the person who asked for it; it is not tried again."""


def start(kind: str, arguments: Mapping[str, Any], *, by: User | None) -> Job:
    """Ask for a piece of work, in the caller's transaction; a worker is nudged when that commits."""
    job = Job.objects.create(kind=kind, arguments=dict(arguments), requested_by=by)
    transaction.on_commit(partial(nudge, job))
    return job


def start_once(kind: str, arguments: Mapping[str, Any]) -> Job | None:
    """As `start`, for work that the clock asks for: None when this kind with these arguments was asked for before."""
    with transaction.atomic():
        hold_starts()
        if Job.objects.filter(kind=kind, arguments=dict(arguments)).exists():
            return None
        return start(kind, arguments, by=None)


def hold_starts() -> None:
    """Until the transaction ends nobody else decides whether work that the clock asks for was asked for before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [START_LOCK])


def nudge(job: Job) -> bool:
    """Tell a worker about a job. When the broker is away the row waits for the scheduler: nothing is lost."""
    try:
        with app.connection_for_write(transport_options=NUDGE_OPTIONS) as broker:
            app.send_task("compliance.tasks.run_job", [str(job.key)], retry=False, connection=broker)
    except Exception:
        logger.warning("The job queue does not answer; job %s waits for it.", job.key)
        return False
    return True


def _silent(silent_for: timedelta) -> Q:
    return Q(state=JobState.RUNNING, heartbeat_at__lt=Now() - silent_for)


def pick_up(*, silent_for: timedelta = SILENT) -> int:
    """Nudge again for the jobs that wait or have fallen silent; give up those that killed too many workers."""
    silent = _silent(silent_for)
    lost = Job.objects.filter(silent, attempts__gte=MOST_ATTEMPTS)
    for job in list(lost):
        if lost.filter(pk=job.pk).update(state=JobState.FAILED, error=GIVEN_UP, finished_at=Now(), doing=""):
            logger.error("Job %s of kind %s was given up after %s attempts", job.key, job.kind, job.attempts)
    count = 0
    for job in Job.objects.filter(Q(state=JobState.WAITING) | silent).order_by("pk")[:MOST_NUDGES]:
        if not nudge(job):
            break
        count += 1
    return count


def claim(key: str, *, silent_for: timedelta = SILENT) -> Job | None:
    """Take a waiting or silent job; None when somebody else has it or it has ended. One conditional UPDATE."""
    free = Q(state=JobState.WAITING) | _silent(silent_for)
    taken = Job.objects.filter(free, key=key, attempts__lt=MOST_ATTEMPTS).update(
        state=JobState.RUNNING,
        attempts=F("attempts") + 1,
        started_at=Now(),
        heartbeat_at=Now(),
        done=0,
        doing="",
        error="",
    )
    return Job.objects.get(key=key) if taken else None


def run(key: str, handlers: Mapping[str, Handler], *, silent_for: timedelta = SILENT) -> Job | None:
    """Claim a job and do it; the job as it was claimed, or None when it was not to be had.

    Errors end in the row: a sentence for people, the details in the log. One that comes from the database passing
    through trouble gives the job back for another attempt.
    """
    kind = Job.objects.filter(key=key).values_list("kind", flat=True).first()
    if kind is not None and kind not in handlers:
        # A worker of an older version, while a newer one is being brought in: the job waits for that.
        logger.error("Job %s is of kind %s, which this worker does not know", key, kind)
        return None
    job = claim(key, silent_for=silent_for)
    if job is None:
        return None
    with Reporter(job) as progress:
        try:
            result = handlers[job.kind](job, progress)
        except (JobFailed, ValidationError) as error:
            sentence = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            _finish(job, state=JobState.FAILED, error=sentence)
        except SoftTimeLimitExceeded:
            logger.exception("Job %s of kind %s took too long", job.key, job.kind)
            _finish(job, state=JobState.FAILED, error=TOO_LONG)
        except Exception as error:
            logger.exception("Job %s of kind %s failed", job.key, job.kind)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()  # so that the end can be written over a new one
            if isinstance(error, PASSING) and job.attempts < MOST_ATTEMPTS:
                _mine(job).update(state=JobState.WAITING, heartbeat_at=None)
            else:
                _finish(job, state=JobState.FAILED, error=UNEXPECTED)
        else:
            total = progress.total
            _finish(job, state=JobState.DONE, result=dict(result or {}), done=total, total=total)
    return job


def time_left(job: Job, now: datetime) -> timedelta | None:
    """How much longer a job takes at the rate it has gone so far; None while that says too little."""
    if job.state != JobState.RUNNING or job.started_at is None or not 0 < job.done <= job.total:
        return None
    gone = now - job.started_at
    if gone < ENOUGH_SECONDS or job.done * 20 < job.total:
        return None
    return gone * (job.total - job.done) / job.done


def note(job: Job, result: Mapping[str, Any]) -> None:
    """Keep what the work found so far: the next attempt reads it in `job.result` when this one dies."""
    _mine(job).update(result=dict(result))


def _mine(job: Job) -> QuerySet[Job]:
    """The row, unless the job was taken for dead and given to another worker meanwhile."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempts=job.attempts)


def _finish(job: Job, **values: Any) -> bool:
    return bool(_mine(job).update(finished_at=Now(), heartbeat_at=Now(), doing="", **values))


class Reporter:
    """Writes how far a job is, and that it lives, over a connection of its own.

    The work itself is often one long transaction, whose writes nobody else sees until it commits.
    """

    def __init__(self, job: Job, *, every: timedelta = HEARTBEAT) -> None:
        self._job = job
        self._every = every.total_seconds()
        self._done, self.total = 0, 0
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._report, name=f"job-{job.key}", daemon=True)

    def __call__(self, done: int, total: int) -> None:
        self._done, self.total = done, total
        self._changed.set()

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._changed.set()
        self._thread.join()

    def _report(self) -> None:
        own = connection.copy()
        try:
            while not self._ended.is_set():
                try:
                    with own.cursor() as cursor:
                        cursor.execute(
                            "UPDATE compliance_job SET heartbeat_at = now(), done = %s, total = %s"
                            " WHERE id = %s AND state = 'running' AND attempts = %s",
                            [self._done, self.total, self._job.pk, self._job.attempts],
                        )
                except Error:
                    # One beat is lost, not the job: the next one goes over a new connection.
                    logger.warning("Job %s cannot say that it lives", self._job.key, exc_info=True)
                    own.close()
                self._ended.wait(min(0.5, self._every))  # at most twice a second, however often the work reports
                self._changed.wait(self._every)
                self._changed.clear()
        finally:
            own.close()
