"""Make a report to hand over: files, a manifest with the SHA-256 of each, and a number of its own."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from compliance.asking import parse_day, parse_moment
from compliance.management.answering import Error, PoliteCommand, find_agency, find_requirement, find_unit, parsed
from compliance.models import Requirement
from compliance.reports import issue
from compliance.reports.accreditation import Question
from roster.models import Agency, Unit
from roster.tree import UnitTree


class Command(PoliteCommand):
    help = (
        "Issue a report: files, a manifest with the SHA-256 of each, and its own number. What is issued never changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", metavar="KIND", help=f"one of: {', '.join(issue.KINDS)}")
        parser.add_argument("--requirement", metavar="CODE", help="the only requirement when left out")
        parser.add_argument("--as-of", help="the day reported, YYYY-MM-DD; today when left out")
        parser.add_argument("--known-at", help="as recorded by that moment; a bare date is the end of that day")
        parser.add_argument("--unit", metavar="CODE", help="only this unit and everything below it")
        parser.add_argument("--from", dest="span_from", help="first day of the span; four years when left out")
        parser.add_argument("--to", dest="span_to", help="last day of the span; the day reported when left out")
        parser.add_argument("--agency", help="which agency, where there are several")
        parser.add_argument("--out", required=True, metavar="DIR", help="where to put the files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] not in issue.KINDS:
            raise Error(f'There is no report "{options["kind"]}". Reports: {", ".join(issue.KINDS)}.')
        out = Path(options["out"])
        if out.exists() and not out.is_dir():
            raise Error(f"--out: {out} is not a directory.")
        report = issue.issue(_question(options), by=None)
        folder = issue.copy_to(report, out)
        self.stdout.write(
            json.dumps(
                {
                    "number": report.number,
                    "kind": report.kind,
                    "report_edition": report.report_edition,
                    "supersedes": report.supersedes.number if report.supersedes else None,
                    "changed": len(issue.data_of(report)["changes"]) if report.supersedes else 0,
                    "requirement": report.requirement.code,
                    "agency": report.agency.code,
                    "unit": report.unit.code if report.unit else None,
                    "as_of": report.as_of.isoformat(),
                    "known_at": timezone.localtime(report.known_at).isoformat(),
                    "from": report.span_from.isoformat(),
                    "to": report.span_to.isoformat(),
                    "totals": report.totals,
                    "data_sha256": report.data_sha256,
                    "out": str(folder),
                    "files": report.files,
                },
                ensure_ascii=False,
                indent=1,
            )
        )
        totals = report.totals
        share = totals["percent"] if totals["percent"] == "n/a" else f"{totals['percent']} %"
        self.stderr.write(
            f"Issued {report.number}: {totals['current']} of {totals['counted']} current ({share});"
            f" {len(report.files)} files in {folder}."
        )
        if report.supersedes is not None:
            self.stderr.write(f"It is edition {report.report_edition} and supersedes {report.supersedes.number}.")


def _question(options: dict[str, Any]) -> Question:
    """The question the arguments ask, or `Error` with one line."""
    as_of = timezone.localdate() if options["as_of"] is None else parsed("--as-of", options["as_of"], parse_day)
    asked = None if options["known_at"] is None else parsed("--known-at", options["known_at"], parse_moment)
    span_from, span_to = issue.default_span(as_of)
    if options["span_to"] is not None:
        span_to = parsed("--to", options["span_to"], parse_day)
        span_from = issue.default_span(span_to)[0]
    if options["span_from"] is not None:
        span_from = parsed("--from", options["span_from"], parse_day)
    wrong = issue.wrong_span(as_of, span_from, span_to)
    if wrong is not None:
        raise Error(f"--{wrong[0]}: {wrong[1]}")
    requirement = (
        find_requirement(options["requirement"]) if options["requirement"] is not None else _only_requirement()
    )
    agency, unit = _where(options["agency"], options["unit"])
    return Question(requirement, agency, unit, as_of, span_from, span_to, issue.known_by(asked))


def _only_requirement() -> Requirement:
    """The requirement there is, where nobody said which; an error that names them where there are several."""
    found = list(Requirement.objects.order_by("code")[:20])
    if not found:
        raise Error("There is no requirement yet: load one first.")
    if len(found) > 1:
        codes = ", ".join(row.code for row in found)
        raise Error(f"--requirement: there are several: {codes}. A report is about one; say which.")
    return found[0]


def _where(agency_code: str | None, unit_code: str | None) -> tuple[Agency, Unit | None]:
    """The agency and unit reported on; without a name the only agency there is."""
    agency = find_agency(agency_code)
    if unit_code is not None:
        unit = find_unit(unit_code, agency, UnitTree())
        return unit.agency, unit
    if agency is None:
        found = list(Agency.objects.all()[:20])
        if not found:
            raise Error("There is no agency yet: import units or officers first.")
        if len(found) > 1:
            names = ", ".join(row.code for row in found)
            raise Error(f"--agency: there are several: {names}. A report is about one; say which.")
        agency = found[0]
    return agency, None
