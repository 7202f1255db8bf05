"""Long work: a row says what is to be done and how far it is; a message to a worker is only a nudge.

    job = jobs.start("plan_import", {"run": 7}, by=user)     # in the caller's transaction

The row is written with whatever the caller writes; the message leaves when that commits, and when it is lost - Redis is
away, a worker dies - the scheduler finds the waiting or silent row within a minute and sends another. A worker claims
a row by a conditional UPDATE, so a message delivered twice runs once. Whatever a handler does must be safe to do again:
a worker can die after the work and before the row says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.utils import timezone

from compliance.models import Job, JobState
from config.celery import app

logger = logging.getLogger(__name__)

#: A running job says every so often that it lives.
HEARTBEAT = timedelta(seconds=5)
#: One that has been silent for so long is taken for dead and given to another worker.
SILENT = timedelta(seconds=60)
#: Workers that may die over one job before it is given up.
MOST_ATTEMPTS = 3

START_LOCK = 4_127_010

Progress = Callable[[int, int], object]
Handler = Callable[[Job, Progress], Mapping[str, Any] | None]


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
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [START_LOCK])
        if Job.objects.filter(kind=kind, arguments=dict(arguments)).exists():
            return None
        return start(kind, arguments, by=None)


def nudge(job: Job) -> None:
    """Tell a worker about a job. When the broker is away the row waits for the scheduler: nothing is lost."""
    try:
        app.send_task("compliance.tasks.run_job", [str(job.key)], retry=False)
    except Exception:
        logger.warning("The job queue does not answer; job %s waits for it.", job.key)


def pick_up(*, silent_for: timedelta = SILENT) -> int:
    """Nudge again for every job that waits or has fallen silent; give up those that killed too many workers."""
    silent = Q(state=JobState.RUNNING, heartbeat_at__lt=timezone.now() - silent_for)
    Job.objects.filter(silent, attempts__gte=MOST_ATTEMPTS).update(
        state=JobState.FAILED,
        error="The work stopped three times without an answer. Ask whoever runs the server.",
        finished_at=timezone.now(),
    )
    found = list(Job.objects.filter(Q(state=JobState.WAITING) | silent).order_by("pk"))
    for job in found:
        nudge(job)
    return len(found)


def claim(key: str, *, silent_for: timedelta = SILENT) -> Job | None:
    """Take a waiting or silent job; None when somebody else has it or it has ended. One conditional UPDATE."""
    now = timezone.now()
    free = Q(state=JobState.WAITING) | Q(state=JobState.RUNNING, heartbeat_at__lt=now - silent_for)
    taken = Job.objects.filter(free, key=key, attempts__lt=MOST_ATTEMPTS).update(
        state=JobState.RUNNING, attempts=F("attempts") + 1, heartbeat_at=now, done=0, error=""
    )
    return Job.objects.get(key=key) if taken else None


def run(key: str, handlers: Mapping[str, Handler], *, silent_for: timedelta = SILENT) -> None:
    """Claim a job and do it. Errors end in the row: a sentence for people, the details in the log."""
    job = claim(key, silent_for=silent_for)
    if job is None:
        return
    with Reporter(job) as progress:
        try:
            result = handlers[job.kind](job, progress)
        except (JobFailed, ValidationError) as error:
            sentence = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            _finish(job, state=JobState.FAILED, error=sentence)
        except Exception:
            logger.exception("Job %s of kind %s failed", job.key, job.kind)
            _finish(job, state=JobState.FAILED, error="Something went wrong here; nothing was recorded.")
        else:
            _finish(job, state=JobState.DONE, result=dict(result or {}), done=F("total"))


def _finish(job: Job, **values: Any) -> None:
    """Write the end, unless the job was taken for dead and given to another worker meanwhile."""
    Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempts=job.attempts).update(
        finished_at=timezone.now(), heartbeat_at=timezone.now(), doing="", **values
    )


class Reporter:
    """Writes how far a job is, and that it lives, over a connection of its own.

    The work itself is often one long transaction, whose writes nobody else sees until it commits.
    """

    def __init__(self, job: Job, *, every: timedelta = HEARTBEAT) -> None:
        self._job = job
        self._every = every.total_seconds()
        self._done, self._total = 0, 0
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._report, name=f"job-{job.key}", daemon=True)

    def __call__(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._changed.set()

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._changed.set()
        self._thread.join()

    def _report(self) -> None:
        own: BaseDatabaseWrapper = connection.copy()
        try:
            while not self._ended.is_set():
                with own.cursor() as cursor:
                    cursor.execute(
                        "UPDATE compliance_job SET heartbeat_at = now(), done = %s, total = %s"
                        " WHERE id = %s AND state = 'running' AND attempts = %s",
                        [self._done, self._total, self._job.pk, self._job.attempts],
                    )
                self._ended.wait(min(0.5, self._every))  # at most twice a second, however often the work reports
                self._changed.wait(self._every)
                self._changed.clear()
        finally:
            own.close()
