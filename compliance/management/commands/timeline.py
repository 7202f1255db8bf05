"""One member's whole line under one requirement, past and future."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from compliance import sentences, standings
from compliance.gather import gather_rules
from compliance.management.answering import AnswerCommand, find_agency, find_officer, find_requirement
from roster.models import Shift
from roster.tree import UnitTree


class Command(AnswerCommand):
    help = "Print the periods of one member under one requirement; both days included, an open end is empty."
    columns = ("from", "to", "state", "due_on", "unit", "shift", "because")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--officer", required=True, metavar="ID")
        parser.add_argument("--requirement", required=True, metavar="CODE")

    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        officer = find_officer(options["officer"], find_agency(options["agency"]))
        requirement = find_requirement(options["requirement"])
        rules = gather_rules().for_requirements([requirement.pk])
        seen_on = as_of if options["as_of"] else None
        line = list(standings.rows_of([officer.pk], rules, known_at=known_at, seen_on=seen_on))
        editions, bases = sentences.explanations((row.edition for row in line), (row.basis for row in line))
        units: dict[int | None, str] = {key: unit.code for key, unit in UnitTree().units.items()}
        shifts: dict[int | None, str] = dict(Shift.objects.values_list("pk", "code"))
        for row in line:
            yield {
                "from": row.start_on.isoformat(),
                "to": row.end_on and row.end_on.isoformat(),
                "state": row.state,
                "due_on": row.due_on and row.due_on.isoformat(),
                "unit": units.get(row.unit),
                "shift": shifts.get(row.shift),
                "because": sentences.because(row, editions[row.edition], bases.get(row.basis)),
            }
