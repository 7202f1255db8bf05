"""What the worker runs. Thin: a key or a day in, one function called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from compliance import course_rules, import_runs, jobs, known, mass, nightly, rule_changes, standings, undo
from compliance.class_papers import making
from compliance.models import Job
from compliance.reports import issue
from config.celery import app
from roster import files


def rebuild(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Standings after a rule change: one transaction over everybody."""
    return {"changed": standings.rebuild(progress=progress)}


#: Every kind of job and what does it.
HANDLERS: dict[str, jobs.Handler] = {
    "rebuild": rebuild,
    nightly.VERIFY: nightly.verify,
    nightly.SNAPSHOT: nightly.snapshot,
    "known": known.work_out,
    **import_runs.HANDLERS,
    **mass.HANDLERS,
    **course_rules.HANDLERS,
    **issue.HANDLERS,
    **rule_changes.HANDLERS,
    **making.HANDLERS,
    **undo.HANDLERS,
}


@app.task(name="compliance.tasks.run_job")
def run_job(key: str) -> None:
    job = jobs.run(key, HANDLERS)
    if job is not None and job.kind == nightly.VERIFY:
        nightly.start(date.fromisoformat(job.arguments["day"]))  # the next step, once the last slice has ended


@app.task(name="compliance.tasks.pick_up_jobs")
def pick_up_jobs() -> None:
    jobs.pick_up()


@app.task(name="compliance.tasks.start_nightly")
def start_nightly(day: str = "") -> None:
    known.forget_old()
    making.forget_old(timezone.now())
    nightly.start(date.fromisoformat(day) if day else timezone.localdate())


@app.task(name="compliance.tasks.sweep_files")
def sweep_files() -> None:
    files.sweep()
