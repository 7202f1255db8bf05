"""What the commands that answer questions share: as of, known at, a format, and one clear line for a wrong argument."""

from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.asking import parse_day, parse_moment
from compliance.models import Requirement
from roster.models import Agency, Officer, Unit
from roster.tree import UnitTree

Parsed = TypeVar("Parsed")


class Error(CommandError):
    """Bad arguments: one line on standard error, exit 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


def parsed(option: str, text: str, parse: Callable[[str], Parsed]) -> Parsed:
    """The value of an option, or an error that names it."""
    try:
        return parse(text)
    except ValueError as error:
        raise Error(f"{option}: {error}") from None


class PoliteCommand(BaseCommand):
    """A command that says what is wrong with its arguments in one line, without the usage (`--help` prints that)."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # The parser then raises what it finds, where it would print the usage before it and leave.
        parser.called_from_command_line = False
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            # Only of the arguments: what a command itself raises ends inside, by its own exit code.
            if "--traceback" in argv:
                raise
            self.stderr.write(str(error))
            sys.exit(2)


class AnswerCommand(PoliteCommand):
    """A command that answers for any pair of as of and known at. Subclasses give `columns` and `answer()`."""

    columns: Sequence[str] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", help="the day asked about, YYYY-MM-DD; today when left out")
        parser.add_argument("--known-at", help="as recorded by that moment; a bare date is the end of that day")
        parser.add_argument(
            "--format",
            choices=("table", "csv", "json"),
            help="table on a terminal and json elsewhere when left out",
        )
        parser.add_argument("--agency", help="which agency, where an id or code exists in several")

    def handle(self, *args: Any, **options: Any) -> None:
        # A blank one is wrong, not left out: a script whose variable is empty does not get today's answer.
        as_of = timezone.localdate() if options["as_of"] is None else parsed("--as-of", options["as_of"], parse_day)
        known_at = None if options["known_at"] is None else parsed("--known-at", options["known_at"], parse_moment)
        self.print_rows(list(self.answer(as_of, known_at, options)), options["format"])

    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        raise NotImplementedError

    def print_rows(self, rows: Sequence[Mapping[str, Any]], form: str | None) -> None:
        form = form or ("table" if self.stdout.isatty() else "json")
        if form == "json":
            self.stdout.write(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
            return
        columns = [name for name in self.columns if not rows or name in rows[0]]
        if form == "csv":
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([self.show_cell(row[name]) for name in columns] for row in rows)
            return
        cells = [columns, *([self.show_cell(row[name]) for name in columns] for row in rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        for line in cells:
            self.stdout.write("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())

    def show_cell(self, value: object) -> str:
        """A value as a table or a CSV shows it."""
        return _cell(value)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(_cell, value))
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def find_agency(code: str | None) -> Agency | None:
    """The agency with this code; None when none was named."""
    if code is None:
        return None
    agency = Agency.objects.filter(code__iexact=code).first()
    if agency is None:
        known = ", ".join(Agency.objects.values_list("code", flat=True)) or "none yet"
        raise Error(f'--agency: there is no agency "{code}". Agencies: {known}.')
    return agency


def find_officer(employee_id: str, agency: Agency | None) -> Officer:
    """The member with this employee id; an error when nobody has it or several agencies do."""
    found = Officer.objects.select_related("agency").filter(employee_id__iexact=employee_id.strip())
    if agency is not None:
        found = found.filter(agency=agency)
    return _only(list(found), f'--officer: there is no member with employee id "{employee_id}".', employee_id)


def find_unit(code: str, agency: Agency | None, tree: UnitTree) -> Unit:
    """The unit with this code; an error when there is none or several agencies have one."""
    found = [unit for unit in tree.with_code(code) if agency is None or unit.agency_id == agency.pk]
    return _only(found, f'--unit: there is no unit "{code}".', code)


Found = TypeVar("Found", Officer, Unit)


def _only(found: list[Found], none: str, code: str) -> Found:
    if not found:
        raise Error(none)
    if len(found) > 1:
        names = ", ".join(sorted(row.agency.code for row in found))
        raise Error(f'"{code}" exists in several agencies: {names}. Say which with --agency.')
    return found[0]


class Coded(Protocol):
    """A unit, a shift or a rank: something that an agency has under a code."""

    pk: int
    code: str
    agency_id: int


def refuse_ambiguous(what: str, used: Iterable[Sequence[Coded | None]]) -> None:
    """Rows are told apart by codes only: where those of several agencies look alike, ask which is meant.

    `used` are the unit, shift or rank of each row; None where the row has none. One query where it refuses.
    """
    seen: dict[tuple[str, ...], Sequence[Coded | None]] = {}
    for row in used:
        codes = tuple(part.code.upper() if part else "" for part in row)
        other = seen.setdefault(codes, row)
        alike = [(part, twin) for part, twin in zip(row, other, strict=True) if part and twin and part.pk != twin.pk]
        for part, twin in alike:
            agencies = Agency.objects.filter(pk__in=[part.agency_id, twin.agency_id])
            names = ", ".join(agencies.order_by("code").values_list("code", flat=True))
            raise Error(f'{what}: "{part.code}" exists in several agencies: {names}. Say which with --agency.')


def find_requirement(code: str) -> Requirement:
    """The requirement with this code, or an error that names those there are."""
    requirement = Requirement.objects.filter(code=code).first()
    if requirement is None:
        known = ", ".join(Requirement.objects.values_list("code", flat=True)) or "none yet"
        raise Error(f'--requirement: there is no requirement "{code}". Requirements: {known}.')
    return requirement
