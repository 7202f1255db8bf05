"""Importing completions the way a person does, by page, beside the same rows through django-import-export.

Theirs is a resource as its documentation writes one, with members and courses found by their codes, once as it comes
and once with its options for bulk. It records the rows and nothing else; ours plans them, keeps the plan line by line,
records, and brings the standings up to date.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tablib
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.test.utils import override_settings
from django.utils import timezone
from import_export import fields, resources, widgets

from compliance import import_runs, jobs, tasks
from compliance.models import ImportRun, Job, Standing
from config.celery import app
from roster.facts import Change, Via
from roster.models import Officer
from tests.benchmarks.database import Measured, timed
from tests.benchmarks.department import COMPLETIONS_EACH
from tests.benchmarks.measures import empty
from training.models import Completion, Course

BATCH = 1_000


def rows_of_some_members(file: Path, rows: int) -> Path:
    """All rows of as many members as have so many in all, beside the file: what a smaller city would send."""
    wanted = rows // COMPLETIONS_EACH
    part, members = file.with_name(f"{rows}.csv"), set[str]()
    with file.open() as whole, part.open("w") as out:
        out.write(next(whole))
        for line in whole:
            who = line.partition(",")[0]
            if who in members or len(members) < wanted:
                members.add(who)
                out.write(line)
    return part


def import_by_page(file: Path) -> Measured:
    """From the upload to the standings: kept, planned in a job, recorded in another, exactly as the pages ask."""
    empty(Completion._meta.db_table)
    empty(Standing._meta.db_table)
    app.conf.update(broker_url="memory://")  # the jobs are done here: nobody has to be told of them

    def act() -> Mapping[str, Any]:
        by, agency = User.objects.earliest("pk"), Officer.objects.earliest("pk").agency
        with tempfile.TemporaryDirectory() as media, override_settings(MEDIA_ROOT=media), file.open("rb") as opened:
            sent = UploadedFile(opened, name="completions.csv", size=file.stat().st_size)
            run = import_runs.keep(sent, kind="completions", source="", agency=agency, by=by)
            _work(import_runs.start_plan(run, by=by))
            run.refresh_from_db()
            _work(import_runs.start_record(run, digest=run.plan_digest, by=by))
            run.refresh_from_db()
        assert run.state == ImportRun.State.RECORDED, run.problem
        return {"rows": Completion.objects.count()}

    return timed(act)


def _work(job: Job) -> None:
    jobs.run(str(job.key), tasks.HANDLERS)


class MemberWidget(widgets.ForeignKeyWidget):  # type: ignore[misc] # the library has no types
    """A member by employee id within the agency: an index holds the two together."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        return Officer.objects.filter(agency__code="bench")


class CompletionResource(resources.ModelResource):  # type: ignore[misc] # the library has no types
    """Completions by the ids and codes of a file."""

    officer = fields.Field("officer", "employee_id", MemberWidget(Officer, "employee_id"))
    course = fields.Field("course", "course", widgets.ForeignKeyWidget(Course, "code"))

    class Meta:
        model = Completion
        fields = ("officer", "course", "completed_on", "hours", "score", "result", "class_number")
        import_id_fields = ("officer", "course", "completed_on", "class_number")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change = Change.objects.create(via=Via.COMMAND, why="benchmark", at=timezone.now())

    def init_instance(self, row: Any = None) -> Completion:
        return Completion(recorded_in=self.change)


class BulkResource(CompletionResource):
    """The same with what its documentation offers for speed."""

    class Meta(CompletionResource.Meta):
        use_bulk = True
        batch_size = BATCH
        skip_diff = True
        skip_html_diff = True
        force_init_instance = True


def import_row_by_row(file: Path) -> Measured:
    return _by_resource(CompletionResource, file)


def import_in_bulk(file: Path) -> Measured:
    return _by_resource(BulkResource, file)


def _by_resource(resource: type[CompletionResource], file: Path) -> Measured:
    empty(Completion._meta.db_table)

    def act() -> Mapping[str, Any]:
        with file.open(newline="") as opened:
            header, *rows = csv.reader(opened)
        result = resource().import_data(tablib.Dataset(*rows, headers=header), dry_run=False, raise_errors=True)
        assert not result.has_errors()
        return {"rows": Completion.objects.count()}

    return timed(act)
