"""Importing a text as a file, the way the command does, on a fixed day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from compliance.imports import Recorded, record
from compliance.models import Standing
from roster.merging import fact_models
from roster.models import FormerDetail, Officer, Rank, Shift, Unit
from roster.plans import ImportOptions, Plan, Verdict
from tests.factories import make_agency
from training.models import Course, CourseAlias, Equivalency, LessonPlan

TODAY = date(2026, 11, 20)


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
