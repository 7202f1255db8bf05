"""Who falls due soon, soonest first."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from compliance import coverage
from compliance.management.answering import AnswerCommand, Error, find_agency, find_unit
from roster.tree import UnitTree


class Command(AnswerCommand):
    help = "Print the members whose due date comes within so many days of the day asked; overdue ones are past it."
    columns = ("employee_id", "name", "requirement", "state", "due_on", "days", "unit", "shift")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--within", required=True, type=int, metavar="DAYS")
        parser.add_argument("--unit", metavar="CODE", help="only this unit and everything below it")

    @transaction.atomic
    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        if not 0 <= options["within"] <= 36_600:
            raise Error("--within: a number of days from 0 to 36600.")
        agency = find_agency(options["agency"])
        rows = coverage.standings_on(as_of, known_at=known_at)
        if agency is not None:
            rows = rows.filter(officer__agency=agency)
        if options["unit"] is not None:
            tree = UnitTree()
            rows = coverage.in_units(rows, tree.below([find_unit(options["unit"], agency, tree).pk]))
        due = coverage.due_within(rows, as_of, options["within"])
        return [
            {
                "employee_id": row.officer.employee_id,
                "name": row.officer.listed_name,
                "requirement": row.requirement.code,
                "state": row.state,
                "due_on": row.due_on.isoformat(),
                "days": (row.due_on - as_of).days,
                "unit": row.unit and row.unit.code,
                "shift": row.shift and row.shift.code,
            }
            for row in due.select_related("officer", "requirement", "unit", "shift")
            if row.due_on is not None
        ]
