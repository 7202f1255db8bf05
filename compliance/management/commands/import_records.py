"""Import records of any kind, facts about members or what gives them their meaning, from any sheet."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from django.db import transaction
from django.utils import timezone

from compliance import imports
from compliance.management.answering import Error, PoliteCommand
from roster.plans import ImportOptions, Issue, Plan, Verdict
from roster.tabular import Unreadable
from roster.unit_imports import find_agency

#: errors, warnings and titles shown one by one when people read
SHOWN = 20


class Command(PoliteCommand):
    help = "Import records from CSV, XLSX, XLS or ODS. Exit 0: all rows taken, 1: some rejected, 2: nothing was read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help=", ".join(imports.KINDS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="print the plan, row by row; record nothing")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar='"THEIR HEADER=our_column"',
            help="read their column as ours; may be given several times",
        )
        parser.add_argument(
            "--match", default="", metavar="COLUMN[,COLUMN]", help="find members by these columns, not by employee_id"
        )
        parser.add_argument(
            "--unknown-course", default="reject", metavar="reject|create|skip", help="what to do with unknown titles"
        )
        parser.add_argument("--agency", metavar="CODE", help="whose records; the only agency when left out")
        parser.add_argument("--source", default="", metavar="NAME", help="where the file comes from, for course titles")
        parser.add_argument("--errors", type=Path, metavar="OUT.csv", help="write the rejected rows to this file")
        parser.add_argument("--date-format", default="", metavar="FMT", help="how dates are written, as %%d.%%m.%%Y")
        parser.add_argument("--json", action="store_true", help="print counts, errors and warnings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = self._import(options)
        except Unreadable as error:
            raise Error(str(error)) from None
        if options["json"]:
            self._write_json(plan)
        else:
            self._tell(plan, is_dry_run=options["dry_run"])
        if plan.counts[Verdict.REJECTED]:
            sys.exit(1)

    def _import(self, options: dict[str, Any]) -> Plan:
        kind, path = options["kind"], options["file"]
        how = ImportOptions(
            mapping=_mapping(options["map"]),
            match=tuple(column.strip() for column in options["match"].split(",") if column.strip()),
            unknown_course=options["unknown_course"],
            source=options["source"].strip(),
            date_format=options["date_format"],
        )
        imports.open_table(kind, path, how)
        today = timezone.localdate()
        errors_file = _open_errors(options["errors"], path)
        try:
            if options["dry_run"]:
                with transaction.atomic():
                    # a first file makes the agency; looking at it does not
                    plan = imports.read_plan(kind, path, how, today=today, agency=find_agency(options["agency"]))
                    transaction.set_rollback(True)
            else:
                why = f"{imports.KINDS[kind].title} from {path.name}"
                agency = find_agency(options["agency"])
                plan = imports.record(kind, path, how, today=today, agency=agency, by=None, why=why).plan
            if errors_file is not None:
                imports.write_errors(plan, path, how, errors_file)
        finally:
            if errors_file is not None:
                errors_file.close()
        return plan

    def _tell(self, plan: Plan, *, is_dry_run: bool) -> None:
        if is_dry_run:
            for line in plan.lines():
                reason = f": {line.reason}" if line.reason else ""
                self.stdout.write(f"line {line.line}: {line.verdict}: {line.summary}{reason}")
        counts = [Verdict.NEW, Verdict.SAME, Verdict.CHANGED, Verdict.REJECTED]
        if plan.counts[Verdict.SKIPPED]:
            counts.append(Verdict.SKIPPED)
        said = ", ".join(f"{plan.counts[verdict]:,} {verdict}" for verdict in counts)
        self.stdout.write(f"{plan.kind}: {plan.rows:,} rows: {said}.")
        if is_dry_run:
            self.stderr.write("Nothing was recorded: this was a dry run.")
        if plan.ignored_columns:
            self.stderr.write(f"Columns ignored: {', '.join(plan.ignored_columns)}.")
        self._tell_some("error", plan.errors, len(plan.errors))
        self._tell_some("warning", plan.warnings, len(plan.warnings))
        if plan.unknown_titles:
            self.stderr.write(f"{len(plan.unknown_titles):,} course titles that nobody has mapped:")
            for title in plan.unknown_titles[:SHOWN]:
                self.stderr.write(f"  {title.title} ({title.rows:,} rows, the first on line {title.lines[0]})")
            self._tell_more(len(plan.unknown_titles))

    def _tell_some(self, what: str, issues: Iterable[Issue], count: int) -> None:
        for issue in islice(issues, SHOWN):
            about = ", ".join(part for part in (f"line {issue.line}", issue.column) if part)
            value = f' ("{issue.value}")' if issue.value else ""
            self.stderr.write(f"{what}: {about}{value}: {issue.reason}")
        self._tell_more(count)

    def _tell_more(self, count: int) -> None:
        if count > SHOWN:
            self.stderr.write(f"  and {count - SHOWN:,} more")

    def _write_json(self, plan: Plan) -> None:
        """Piece by piece: a million warnings need not be in memory as text."""
        head: dict[str, object] = {"kind": plan.kind, "rows": plan.rows}
        for verdict in (Verdict.NEW, Verdict.SAME, Verdict.CHANGED, Verdict.REJECTED):
            head[str(verdict)] = plan.counts[verdict]
        if plan.counts[Verdict.SKIPPED]:
            head[str(Verdict.SKIPPED)] = plan.counts[Verdict.SKIPPED]
        self.stdout.write(json.dumps(head)[:-1], ending="")
        for name, issues in (("errors", plan.errors), ("warnings", plan.warnings)):
            self.stdout.write(f', "{name}": [', ending="")
            for text in _json_list(issues):
                self.stdout.write(text, ending="")
            self.stdout.write("]", ending="")
        self.stdout.write("}")


def _json_list(issues: Iterable[Issue]) -> Iterator[str]:
    separator = "\n"
    for issue in issues:
        yield separator + json.dumps(issue._asdict(), ensure_ascii=False)
        separator = ",\n"


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        theirs, sign, ours = (part.strip() for part in pair.rpartition("="))
        if not (theirs and sign and ours):
            raise Unreadable(f'--map "{pair}" is not of the form "THEIR HEADER=our_column".')
        if theirs in mapping:
            raise Unreadable(f'--map names the column "{theirs}" twice.')
        mapping[theirs] = ours
    return mapping


def _open_errors(path: Path | None, source: Path) -> TextIO | None:
    """The file for rejected rows, opened before anything is recorded."""
    if path is None:
        return None
    if path.resolve() == source.resolve():
        raise Unreadable("--errors names the file that is read. Name another.")
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise Unreadable(f"--errors {path} cannot be written: {error.strerror}.") from None
