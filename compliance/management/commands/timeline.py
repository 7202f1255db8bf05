"""One member's whole line under one requirement, past and future."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from compliance import reasons, sentences, standings
from compliance.gather import gather_rules
from compliance.management.answering import AnswerCommand, find_agency, find_officer, find_requirement
from roster.models import Shift
from roster.tree import UnitTree

#: What an explained timeline has beside its own columns: in a sheet each in a cell, on a terminal each on a line.
EXPLAINED = ("rule", "used", "not_used", "dates", "changes")


class Command(AnswerCommand):
    help = "Print the periods of one member under one requirement; both days included, an open end is empty."
    columns: Sequence[str] = ("from", "to", "state", "due_on", "unit", "shift", "because")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--officer", required=True, metavar="ID")
        parser.add_argument("--requirement", required=True, metavar="CODE")
        parser.add_argument(
            "--why",
            action="store_true",
            help="with each period the rule, what counted and what did not, its dates and what would change it",
        )

    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        officer = find_officer(options["officer"], find_agency(options["agency"]))
        requirement = find_requirement(options["requirement"])
        rules = gather_rules().for_requirements([requirement.pk])
        seen_on = None if options["as_of"] is None else as_of
        line = list(standings.rows_of([officer.pk], rules, known_at=known_at, seen_on=seen_on))
        editions, bases = sentences.explanations((row.edition for row in line), (row.basis for row in line))
        units: dict[int | None, str] = {key: unit.code for key, unit in UnitTree().units.items()}
        shifts: dict[int | None, str] = dict(Shift.every.values_list("pk", "code"))
        member = None
        if options["why"]:
            member = reasons.gather_member(officer.pk, rules, known_at=known_at, seen_on=seen_on)
        for row, because in sentences.told(line, editions, bases):
            found: dict[str, Any] = {
                "from": row.start_on.isoformat(),
                "to": row.end_on and row.end_on.isoformat(),
                "state": row.state,
                "due_on": row.due_on and row.due_on.isoformat(),
                "unit": units.get(row.unit),
                "shift": shifts.get(row.shift),
                "because": because,
            }
            if member is not None:
                found["why"] = member.account(requirement.pk, row, as_of)
            yield found

    def print_rows(self, rows: Sequence[Mapping[str, Any]], form: str | None) -> None:
        """With `why`: as data in JSON, in columns of its own in CSV, on lines of their own in a table."""
        if not rows or "why" not in rows[0]:
            super().print_rows(rows, form)
            return
        form = form or ("table" if self.stdout.isatty() else "json")
        if form == "json":
            super().print_rows([{**row, "why": row["why"] and row["why"].as_data()} for row in rows], form)
        elif form == "csv":
            self.columns = (*self.columns, *EXPLAINED)
            super().print_rows([{**row, **_cells(row["why"])} for row in rows], form)
        else:
            told: list[str] = []
            for row in rows:
                account: reasons.Account | None = row["why"]
                lines = [] if account is None else account.as_lines()
                self._print_explained(row, [(title, text) for title, text in lines if text != told])
                told = lines[-1][1] if lines else told

    def _print_explained(self, row: Mapping[str, Any], parts: Iterable[tuple[str, Sequence[str]]]) -> None:
        """A period as a heading, and what explains it below; a rule is told once for the periods that it goes on."""
        place = " ".join(filter(None, (row["unit"], row["shift"])))
        due = f"due {row['due_on']}" if row["due_on"] else ""
        days = f"{row['from']} to {row['to'] or '...'}"
        self.stdout.write("  ".join(filter(None, (days, row["state"], due, place))))
        self.stdout.write(f"  {row['because']}")
        for title, lines in parts:
            self.stdout.write(f"  {title}:")
            for line in lines:
                self.stdout.write(f"    {line}")
        self.stdout.write("")


def _cells(account: reasons.Account | None) -> dict[str, str]:
    return account.as_cells() if account else dict.fromkeys(EXPLAINED, "")
