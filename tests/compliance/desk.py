"""Somebody who works by command alone: files in, answers out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pgtrigger
from django.core.management import call_command
from django.utils import timezone

from roster.facts import Change

#: The day on which everything is sent in: no class of the cases lies after it.
SENT_ON = date(2031, 1, 2)


class Desk:
    """Somebody who sends files in by command and asks by command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def bring(self, kind: str, text: str, *, at: str | None = None, refused: int = 0) -> None:
        """Import a file of which so many rows are refused; `at` is the moment it was recorded, where that matters."""
        before = Change.objects.count()
        path = self.folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        out, said = StringIO(), StringIO()
        with suppress(SystemExit):  # where rows are refused
            call_command("import_records", kind, str(path), "--json", stdout=out, stderr=said)
        answer = json.loads(out.getvalue())
        assert answer["rejected"] == refused, answer["errors"]
        if at is not None:
            assert Change.objects.count() == before + 1
            recorded_at(at)

    def hire(self, *officers: str, hired_on: str = "2015-01-01", at: str | None = None) -> None:
        rows = [f"{officer},Whitfield{officer},Amara,{hired_on}" for officer in officers]
        self.bring("officers", "\n".join(["employee_id,last_name,first_name,hired_on", *rows]), at=at)

    def assign(self, *rows: str) -> None:
        self.bring("assignments", "\n".join(["employee_id,unit,shift,kind,start_on", *rows]))

    def complete(self, *rows: str, at: str | None = None) -> None:
        self.bring("completions", "\n".join(["employee_id,course,completed_on", *rows]), at=at)

    def load(self, text: str) -> str:
        """Load requirements; what was said on standard error."""
        path = self.folder / "rules.toml"
        path.write_text(text, encoding="utf-8")
        said = StringIO()
        call_command("load_requirements", str(path), stderr=said)
        return said.getvalue()

    def require(self, code: str = "cit", *, who: str = "", goal: str = "", **keys: Any) -> None:
        """Load a requirement of one edition; `who` and `goal` are lines of its population and goal."""
        edition = {"entry_courses": ["CIT-40"], "clock": "rolling", "entry_grace_days": 180, **keys}
        if edition["clock"] == "rolling" and "hours_model" not in edition:
            edition.setdefault("months", 36)
        lines = [
            "[[population]]",
            f'code = "{code}-members"',
            who,
            "[[requirement]]",
            f'code = "{code}"',
            'citations = ["CALEA 41.2.7"]',
            "[[requirement.edition]]",
            "effective_from = 2015-01-01",
            f'population = "{code}-members"',
            *(f"{key} = {json.dumps(value)}" for key, value in edition.items()),
        ]
        if goal:
            lines += ["[[goal]]", f'code = "{code}"', f'requirement = "{code}"', goal]
        self.load("\n".join(lines))

    def ask(self, *arguments: str) -> Any:
        out = StringIO()
        call_command(*arguments, "--format", "json", stdout=out, stderr=StringIO())
        return json.loads(out.getvalue())

    def state_of(self, employee_id: str, day: str, *options: str) -> tuple[str, str | None] | None:
        rows = self.ask("standing", "--officer", employee_id, "--as-of", day, *options)
        return (rows[0]["state"], rows[0]["due_on"]) if rows else None


def recorded_at(moment: str) -> None:
    """Put the last change at a moment of the past, as if it had been recorded then."""
    with pgtrigger.ignore("roster.Change:fixed"):
        at = timezone.make_aware(datetime.fromisoformat(moment))
        Change.objects.filter(pk=Change.objects.latest("pk").pk).update(at=at)


def on_day(line: Sequence[dict[str, Any]], day: str) -> str:
    """What a timeline says of a day: `in grace, due 2026-11-06`, `excused`, `current, no due date`, `not asked`."""
    rows = [row for row in line if row["from"] <= day and (row["to"] is None or day <= row["to"])]
    assert len(rows) <= 1
    if not rows:
        return "not asked"
    state, due_on = rows[0]["state"].replace("_", " "), rows[0]["due_on"]
    if state == "excused":
        assert due_on is None
        return "excused"
    return f"{state}, due {due_on}" if due_on else f"{state}, no due date"
