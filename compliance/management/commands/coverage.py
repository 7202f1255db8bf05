"""What share of each group was current on a day."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from compliance import coverage, working
from compliance.management.answering import (
    AnswerCommand,
    Coded,
    Error,
    find_agency,
    find_requirement,
    find_unit,
    refuse_ambiguous,
)
from roster.models import Rank, Shift
from roster.tree import UnitTree


class Command(AnswerCommand):
    help = "Print coverage of one requirement on a day."
    columns = ("unit", "shift", "rank", "counted", "current", "in_grace", "overdue", "excused", "percent", "ever")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--requirement", required=True, metavar="CODE")
        parser.add_argument("--unit", metavar="CODE", help="only this unit and everything below it")
        parser.add_argument("--by", choices=("none", "unit", "shift", "unit_shift", "rank"), default="none")
        parser.add_argument("--rollup", action="store_true", help="with --by unit: add everything below each unit")

    @transaction.atomic
    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        if options["rollup"] and options["by"] != "unit":
            raise Error("--rollup goes with --by unit.")
        agency = find_agency(options["agency"])
        requirement = find_requirement(options["requirement"])
        tree = UnitTree(None if agency is None else [agency.pk])
        rows = coverage.standings_on(as_of, known_at=known_at, requirement_ids=[requirement.pk])
        scope = tree.below([find_unit(options["unit"], agency, tree).pk]) if options["unit"] is not None else None
        columns = {}
        if scope is not None:
            # A unit's own view shows those with a secondary assignment there too, each once.
            secondary = working.secondary_members(scope, as_of=as_of, known_at=known_at)
            rows = working.seen_in(rows, scope, secondary, as_of=as_of, known_at=known_at)
            columns = {"unit": "seen_unit_id", "shift": "seen_shift_id"}
            if secondary:
                self.stderr.write(
                    "Those with a secondary assignment here are counted too: sums of units may exceed the total."
                )
        if agency is not None:
            rows = rows.filter(officer__agency=agency)
        found = coverage.counts(rows, options["by"], columns)
        if options["rollup"]:
            rolled = coverage.roll_up(found, tree)
            found = [counts for unit, counts in rolled.items() if scope is None or unit in scope]
        places = {unit.pk: place for place, (unit, _) in enumerate(tree.walk())}
        named: dict[str, Mapping[int, Coded]] = {
            "unit": tree.units,
            "shift": Shift.every.in_bulk(),
            "rank": Rank.every.in_bulk(),
        }
        codes = {what: {key: row.code for key, row in rows.items()} for what, rows in named.items()}
        groups = coverage.GROUPS[options["by"]]
        refuse_ambiguous(
            f"--by {options['by']}",
            ([named[group].get(getattr(counts, group)) for group in groups] for counts in found),
        )
        found.sort(key=lambda counts: _place(counts, groups, places, codes))
        return [
            {
                **{group: codes[group].get(getattr(counts, group)) for group in groups},
                "counted": counts.counted,
                "current": counts.current,
                "in_grace": counts.in_grace,
                "overdue": counts.overdue,
                "excused": counts.excused,
                "percent": counts.percent,
                "ever": counts.ever,
            }
            for counts in found
        ]


def _place(
    counts: coverage.Counts, groups: Iterable[str], places: Mapping[int, int], codes: Mapping[str, Mapping[int, str]]
) -> list[tuple[bool, int, str]]:
    """Units as in the tree, shifts and ranks by code, members without any of them last."""
    found = []
    for group in groups:
        key = getattr(counts, group)
        found.append((key is None, places.get(key, 0) if group == "unit" else 0, codes[group].get(key, "")))
    return found
