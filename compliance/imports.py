"""Importing files: the kinds there are, the plan of a file, and recording it. The command, pages and jobs call this.

    plan = read_plan("completions", path, options, today=today, agency=agency)     # writes nothing
    recorded = record("completions", path, options, today=today, agency=agency, by=user, why="...",
                      expected_digest=plan.digest())

`record` reads the file again under the locks that writers of facts hold, so what it decides is what is true when it is
written. With the digest of a plan that was shown it refuses when that would do something else by now. Whatever cannot
be done raises `Unreadable` with one sentence, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from django.db import IntegrityError, transaction

from compliance.approval_imports import ExtensionsImport, WaiversImport
from roster import tabular
from roster.access import own_members
from roster.cells import neutralised
from roster.facts import FactRefused, Recorder, Via, changing_rules, follow, recording
from roster.imports import OfficersImport
from roster.models import Agency
from roster.period_imports import AssignmentsImport, DesignationsImport, LeavesImport
from roster.plans import Import, ImportOptions, Plan, Progress, Written, noting
from roster.tabular import Preview, Sheet, Table, Unreadable
from roster.unit_imports import UnitsImport
from training.course_imports import CourseAliasesImport, CoursesImport
from training.dated_imports import EquivalenciesImport, LessonPlansImport
from training.imports import CompletionsImport

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: What can be imported, by the word for it. A kind has a `title`, `columns` with titles, and what is `required`.
KINDS: dict[str, type[Import]] = {
    kind.kind: kind
    for kind in (
        UnitsImport,
        OfficersImport,
        AssignmentsImport,
        LeavesImport,
        DesignationsImport,
        CoursesImport,
        CourseAliasesImport,
        LessonPlansImport,
        EquivalenciesImport,
        WaiversImport,
        ExtensionsImport,
        CompletionsImport,
    )
}
ERROR_COLUMNS = ["line", "column", "value", "reason"]


class PlanChanged(Unreadable):
    """The records changed since a plan was shown, or another person sends it: it would do something else now."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A plan that was recorded, and the change it became; None where it recorded no fact."""

    plan: Plan
    change_id: int | None
    #: rows that are no facts: made or changed
    written: list[Written] = field(default_factory=list)


def find_kind(kind: str) -> type[Import]:
    """The kind of that name; `Unreadable` with a sentence where there is none."""
    if kind not in KINDS:
        raise Unreadable(f'There is no kind "{kind}". There are: {", ".join(KINDS)}.')
    return KINDS[kind]


def preview(kind: str, path: Path, *, rows: int = 5, sheet: str = "") -> Preview:
    """Headers, first rows and a suggested mapping, for a page where a person says which column is which."""
    return tabular.preview(path, find_kind(kind).columns, rows=rows, sheet=sheet)


def sheets_of(path: Path) -> dict[str, list[str]]:
    """What each sheet of a file can be: `guesses` by its name. A file that is one sheet has the name blank."""
    first = tabular.top_of(path)
    rest = {name: guesses(tabular.top_of(path, name)) for name in first.names if name != first.name}
    found = {first.name: guesses(first), **rest}
    return {name: found[name] for name in first.names or ("",)}


def guesses(top: Sheet) -> list[str]:
    """The kinds that a sheet can be by its header: those whose needed columns all offer themselves.

    The likeliest first: of two the one that takes more of the columns.
    """
    found: list[tuple[int, int, str]] = []
    for place, kind in enumerate(KINDS.values()):
        suggested = set(tabular.preview_of(top, kind.columns, rows=1).suggested.values())
        groups = kind.required_columns(ImportOptions())
        if all(any(set(names) <= suggested for names in alternatives) for alternatives in groups):
            own = len({name for alternatives in groups for names in alternatives for name in names} & suggested)
            found.append((-len(suggested) - own, place, kind.kind))
    return [kind for *_, kind in sorted(found)]


def open_table(kind: str, path: Path, options: ImportOptions) -> Table:
    """The file with its header found and its columns told apart; `Unreadable` with a sentence where that fails."""
    found = find_kind(kind)
    required = found.required_columns(options.checked())
    return Table(tabular.open_sheet(path, options.sheet), found.columns, mapping=options.mapping, required=required)


def read_plan(
    kind: str,
    path: Path,
    options: ImportOptions,
    *,
    today: date,
    agency: Agency,
    by: User | None = None,
    progress: Progress | None = None,
) -> Plan:
    """What recording the file would do, when `by` records it. Writes nothing and holds up nobody."""
    work = _open(kind, path, options, today=today, agency=agency, by=by, progress=progress)
    with transaction.atomic():
        work.gather()
        return work.decide()


def record(
    kind: str,
    path: Path,
    options: ImportOptions,
    *,
    today: date,
    agency: Agency,
    by: User | None,
    why: str,
    via: Via = Via.IMPORT,
    expected_digest: str | None = None,
    progress: Progress | None = None,
) -> Recorded:
    """Plan the file under the locks and record it, in one transaction, standings included.

    `PlanChanged` where the plan is not the one of `expected_digest`.
    """
    reading, writing, judging = parts(progress, 35, 15, 40)
    work = _open(kind, path, options, today=today, agency=agency, by=by, progress=reading)
    work.writing = writing
    try:
        with ExitStack() as stack:
            recorder: Recorder | None = None
            if work.is_rules:
                stack.enter_context(changing_rules(by=by, via=via, why=why))
            else:
                recorder = stack.enter_context(recording(by=by, via=via, why=why, progress=judging))
            work.prepare()
            work.gather()
            if recorder is not None:
                recorder.lock(work.officer_ids())
            plan = work.decide()
            if expected_digest is not None and plan.digest() != expected_digest:
                raise PlanChanged(
                    "Recording would do something else by now: the records changed, or another person sends the file."
                    " Make the plan again and look at it."
                )
            with noting(work.rows_written() if plan.records_something else (), agency, work.written):
                judged = work.act(recorder)
            follow(judged, judging)
        return Recorded(plan, recorder.change_id if recorder is not None else None, work.written)
    except FactRefused as error:
        raise Unreadable(f"Nothing was recorded. {' '.join(error.messages)}") from error
    except IntegrityError as error:
        raise Unreadable(
            "Nothing was recorded: somebody else recorded the same meanwhile. Send the file again."
        ) from error


def parts(progress: Progress | None, *weights: int) -> list[Progress | None]:
    """Progress of parts of work on the rows of a file, told as one: of each row, a part does its share in 100.

    So the number told never falls and its total stays the rows of the file. What is missing to 100 is never told: a
    commit, say.
    """
    if progress is None:
        return [None] * len(weights)
    told = progress
    rows = 1

    def part(before: int, weight: int) -> Progress:
        def report(done: int, total: int) -> None:
            nonlocal rows
            if before == 0:
                rows = max(total, 1)
            told(rows * (before * max(total, 1) + weight * done) // (100 * max(total, 1)), rows)

        return report

    return [part(sum(weights[:place]), weight) for place, weight in enumerate(weights)]


def write_errors(plan: Plan, path: Path, options: ImportOptions, out: TextIO) -> None:
    """The rejected rows in the file's own columns, with line, column, value and reason: to be mended and sent again."""
    table = open_table(plan.kind, path, options)
    tabular.write_csv(out, _error_rows(table, plan))


def _error_rows(table: Table, plan: Plan) -> Iterator[list[str]]:
    width = len(table.headers)
    if table.headers[-len(ERROR_COLUMNS) :] == ERROR_COLUMNS:  # a file of errors, mended only in part
        width -= len(ERROR_COLUMNS)
    yield [*map(neutralised, table.headers[:width]), *ERROR_COLUMNS]
    by_line: dict[int, list[tuple[str, str, str]]] = {}
    for error in plan.errors:
        by_line.setdefault(error.line, []).append(error[1:])
    for row in table.rows():
        errors = by_line.get(row.line)
        if errors is not None:
            said = ("; ".join(part for part in parts if part) for parts in zip(*errors, strict=True))
            cells = (cell.strip() for cell in (*row.cells[:width], str(row.line), *said))
            yield [neutralised(cell) for cell in cells]


def _open(
    kind: str,
    path: Path,
    options: ImportOptions,
    *,
    today: date,
    agency: Agency,
    by: User | None,
    progress: Progress | None,
) -> Import:
    table, own = open_table(kind, path, options), own_members(by)
    return KINDS[kind](table, agency=agency, options=options, today=today, own=own, progress=progress)
