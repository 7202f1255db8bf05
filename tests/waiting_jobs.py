"""The jobs that wait, done in the test's own process."""

from __future__ import annotations

from compliance import jobs, tasks
from compliance.models import Job


def work() -> list[Job]:
    """Do what waits, in the order in which it was asked for, as a worker does; the jobs as they were before."""
    waiting = list(Job.objects.filter(state="waiting").order_by("pk"))
    for job in waiting:
        jobs.run(str(job.key), tasks.HANDLERS)
    return waiting
