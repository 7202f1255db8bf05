"""Importing a text as a file, the way the command does, on a fixed day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model

from compliance.imports import Recorded, record
from compliance.models import ImportedRow, ImportLine, ImportRun, Job, ReturnedFact, Standing
from roster.facts import Change, Fact
from roster.merging import fact_models
from roster.models import FormerDetail, Officer, Rank, Shift, Unit
from roster.plans import ImportOptions, Plan, Verdict
from roster.trail import TrailLine
from tests.factories import make_agency
from training.models import Course, CourseAlias, Equivalency, LessonPlan

TODAY = date(2026, 11, 20)
#: What happened, as lines that stay: an import and its undoing add theirs like any other act.
LEDGERS = (Change, TrailLine, Job, ImportRun, ImportLine, ImportedRow, ReturnedFact)

Rows = dict[Any, dict[str, Any]]


def import_text(tmp_path: Path, kind: str, text: str, *, by: User | None = None, **options: Any) -> Recorded:
    path = tmp_path / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return import_file(path, kind, by=by, **options)


def import_file(path: Path, kind: str, *, by: User | None = None, **options: Any) -> Recorded:
    return record(
        kind, path, ImportOptions(**options), today=TODAY, agency=make_agency(), by=by, why=f"{kind} of a test"
    )


def verdicts(plan: Plan) -> list[str]:
    """The verdict of each row, in the order of the file."""
    return [str(line.verdict) for line in plan.lines()]


def counts(plan: Plan) -> tuple[int, int, int, int]:
    """New, same, changed, rejected."""
    new, same, changed, rejected = (
        plan.counts[verdict] for verdict in (Verdict.NEW, Verdict.SAME, Verdict.CHANGED, Verdict.REJECTED)
    )
    return new, same, changed, rejected


def reasons(plan: Plan) -> list[tuple[int, str, str]]:
    return [(error.line, error.column, error.reason) for error in plan.errors]


def shown() -> dict[str, list[Any]]:
    """Everything that lists, facts and answers are made of."""
    found: dict[str, list[Any]] = {}
    officers = dict(Officer.every.values_list("pk", "employee_id"))
    for model in (Unit, Officer, Rank, Shift, Course, CourseAlias, LessonPlan, Equivalency, FormerDetail):
        names = [one.attname for one in model._meta.concrete_fields if one.attname not in ("id", "until")]
        found[model.__name__] = sorted(map(str, model._default_manager.values_list(*names)))
    for kind in fact_models():
        own = ("id", "recorded_in", "voided_in", "replaces")
        names = [one.attname for one in kind._meta.concrete_fields if one.name not in own]
        found[kind.__name__] = sorted(map(str, kind.objects.known().values_list(*names)))
    rows = Standing.objects.values_list("officer_id", "requirement", "state", "start_on", "end_on", "due_on", "unit")
    found["Standing"] = sorted(str((officers[row[0]], *row[1:])) for row in rows)
    return found


def every_table() -> dict[type[Model], Rows]:
    """Every row of every table but the sessions, by its key, whether a list shows it or not."""
    return {
        model: {row[model._meta.pk.attname]: row for row in model._base_manager.values()}
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model is not Session
    }


def not_as_before(before: dict[type[Model], Rows]) -> dict[str, list[str]]:
    """What of every table is not as it was, by table: nothing, once every import since is undone.

    Nothing is erased. So facts recorded since are there and voided, and one that was voided since is said again by
    another; what was made since is there and withdrawn, where no list shows it; and the ledgers only grew. All else,
    and all that stands, is what it was, to the last value.
    """
    found: dict[str, list[str]] = {}
    for model, rows in every_table().items():
        was = before[model]
        now = {pk: row for pk, row in rows.items() if pk in was} if model in LEDGERS else rows
        then_said, now_said = (Counter(_said(model, some)) for some in (was, now))
        lost = [f"a row that is gone: {row}" for pk, row in was.items() if pk not in now and model is not Standing]
        lost += [f"no more: {row}" for row in (then_said - now_said).elements()]
        lost += [f"new: {row}" for row in (now_said - then_said).elements()]
        if lost:
            found[model._meta.label] = lost
    return found


def _said(model: type[Model], rows: Rows) -> list[str]:
    """What the rows that stand say, without the ids that differ where something is said again."""
    leave_out: tuple[str, ...] = ()
    standing = list(rows.values())
    if model is Standing:
        leave_out = ("id", "basis_id")
    elif issubclass(model, Fact):
        standing = [row for row in standing if row["voided_in_id"] is None]
        leave_out = ("id", "recorded_in_id", "replaces_id")
    elif hasattr(model, "is_withdrawn"):
        standing = [row for row in standing if not row["is_withdrawn"]]
    return [str({name: value for name, value in row.items() if name not in leave_out}) for row in standing]
