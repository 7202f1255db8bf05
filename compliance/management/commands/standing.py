"""Who met which requirement on a day, when it is due, and why."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from compliance import sentences, standings
from compliance.gather import gather_rules, pending_evidence
from compliance.management.answering import AnswerCommand, find_agency, find_officer, find_requirement
from compliance.models import Requirement
from roster.models import Officer, Shift
from roster.tree import UnitTree


class Command(AnswerCommand):
    help = "Print each member's standing on a day."
    columns = (
        "employee_id",
        "requirement",
        "state",
        "due_on",
        "since",
        "unit",
        "shift",
        "evidence_pending",
        "because",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--officer", action="append", default=[], metavar="ID", help="only this; repeatable")
        parser.add_argument(
            "--requirement", action="append", default=[], metavar="CODE", help="only this one; repeatable"
        )

    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        agency = find_agency(options["agency"])
        officers = Officer.every.order_by("employee_id", "pk")
        if options["officer"]:
            officers = officers.filter(pk__in=[find_officer(key, agency).pk for key in options["officer"]])
        elif agency is not None:
            officers = officers.filter(agency=agency)
        rules = gather_rules()
        if options["requirement"]:
            rules = rules.for_requirements(find_requirement(code).pk for code in options["requirement"])
        ids = dict(officers.values_list("pk", "employee_id"))
        codes = dict(Requirement.objects.values_list("pk", "code"))
        units: dict[int | None, str] = {key: unit.code for key, unit in UnitTree().units.items()}
        shifts: dict[int | None, str] = dict(Shift.every.values_list("pk", "code"))
        waiting = list(ids)
        for start in range(0, len(waiting), standings.SLICE):
            part = waiting[start : start + standings.SLICE]
            pending = pending_evidence(part, rules, as_of, known_at=known_at)
            lines = standings.lines(part, rules, known_at=known_at)
            found = [
                answer
                for officer in part
                for requirement in rules.editions
                if (answer := standings.on_day(lines.get((officer, requirement), ()), as_of)) is not None
            ]
            editions, bases = sentences.explanations((row.edition for row, _ in found), (row.basis for row, _ in found))
            for row, since in found:
                yield {
                    "employee_id": ids[row.officer],
                    "requirement": codes[row.requirement],
                    "state": row.state,
                    "due_on": row.due_on and row.due_on.isoformat(),
                    "since": since.isoformat(),
                    "unit": units.get(row.unit),
                    "shift": shifts.get(row.shift),
                    "evidence_pending": (row.officer, row.requirement) in pending,
                    "because": sentences.because(row, editions[row.edition], bases.get(row.basis)),
                }
