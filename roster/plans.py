"""What an import does, whatever its kind: gather the file, decide a plan, act on it.

An `Import` reads a file and the facts that stand, and decides for each row: new, same, changed, rejected or skipped.
The `Plan` it returns is what a person is shown and what is then recorded; its digest tells whether both are the same.
`compliance.imports` lists the kinds and holds the transaction.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from roster.cells import (
    CellError,
    Days,
    check_date_format,
    clean,
    read_choice,
    read_flag,
    read_id,
    read_name,
    read_number,
    read_text,
)
from roster.facts import Recorder
from roster.matching import MATCH_COLUMNS, Members, NoMember, split_name
from roster.models import Agency
from roster.tabular import Column, Row, Table, Unreadable

Value = TypeVar("Value")
#: told how many rows of about how many were read
Progress = Callable[[int, int], object]
PROGRESS_EVERY = 5_000
LONGEST_SUMMARY = 300


class Verdict(StrEnum):
    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    REJECTED = "rejected"
    #: a row that was asked to be left out
    SKIPPED = "skipped"


class Issue(NamedTuple):
    """An error or a warning: the line, their header or our column, what the cell says, and a sentence."""

    line: int
    column: str
    value: str
    reason: str

    @property
    def told(self) -> str:
        """The sentence with the column it is about."""
        return f"{self.column}: {self.reason}" if self.column else self.reason


Differs = tuple[str, str, str]


class PlanLine(NamedTuple):
    """One row of a plan. `reason` joins its errors or warnings."""

    line: int
    verdict: Verdict
    #: what the row says, in a few words
    summary: str
    reason: str
    has_warning: bool
    #: (our column, what stands, what will stand) of a changed row
    changes: tuple[Differs, ...] = ()


class UnknownMember(NamedTuple):
    """Cells that fit no member, or several: a person says who it is, for all rows that hold them."""

    #: the cells a member is found by, as one text
    key: str
    #: what the first such row says of the member, by our column
    said: dict[str, str]
    rows: int
    lines: tuple[int, ...]


class UnknownTitle(NamedTuple):
    """A course title nobody mapped: how many rows hold it, and the first lines that do."""

    title: str
    rows: int
    lines: tuple[int, ...]


class Written(NamedTuple):
    """A row that is no fact, as an import found it and as it left it: an undo of the import reads this."""

    #: `app.model`
    model: str
    row_id: int
    #: None where the import made it
    before: dict[str, Any] | None
    after: dict[str, Any]


def in_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON keeps them, so that stored and present ones compare."""
    found: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return found


def rows_now(models: Iterable[type[Model]], agency: Agency) -> dict[tuple[str, int], dict[str, Any]]:
    """The rows of these models, by model and id, of one agency where each has its own. One query each.

    For tables that hold few rows.
    """
    found = {}
    for model in models:
        names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        rows = model._base_manager.filter(**({"agency": agency} if "agency_id" in names else {}))
        for pk, *values in rows.order_by("pk").values_list("pk", *names):
            found[model._meta.label_lower, pk] = in_json(dict(zip(names, values, strict=True)))
    return found


@contextmanager
def noting(models: Sequence[type[Model]], agency: Agency, written: list[Written]) -> Iterator[None]:
    """Note in `written` what is made and changed of these models inside. Nobody else may be changing them."""
    before = rows_now(models, agency)
    yield
    for (model, pk), values in rows_now(models, agency).items():
        old = before.get((model, pk))
        if old is None:
            written.append(Written(model, pk, None, values))
        elif changed := [name for name in values if values[name] != old[name]]:
            written.append(
                Written(model, pk, {name: old[name] for name in changed}, {name: values[name] for name in changed})
            )


UNKNOWN_COURSE = ("reject", "create", "skip")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file. Check with `checked` before use; `as_json` and `from_json` keep it in a row."""

    #: our column by their header
    mapping: Mapping[str, str] = field(default_factory=dict)
    #: columns that tell who a row is about, instead of employee_id
    match: tuple[str, ...] = ()
    #: reject, create or skip
    unknown_course: str = "reject"
    #: where the titles come from: aliases of that source go first
    source: str = ""
    date_format: str = ""
    #: employee ids that a person gave for cells that fit no member or several, by `UnknownMember.key`; blank = nobody
    members: Mapping[str, str] = field(default_factory=dict)
    #: of a workbook with several: the one that is read; blank = the first that holds anything
    sheet: str = ""

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "mapping": dict(self.mapping), "members": dict(self.members), "match": list(self.match)}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        match = stored.get("match") or ()
        return cls(**{**stored, "match": tuple(match)})  # type: ignore[arg-type] # what as_json wrote

    def checked(self) -> Self:
        """Itself; `Unreadable` with a sentence where an option cannot be right."""
        if self.unknown_course not in UNKNOWN_COURSE:
            raise Unreadable(
                f'Unknown courses can be told to {", ".join(UNKNOWN_COURSE)}, not "{self.unknown_course}".'
            )
        for column in self.match:
            if column not in MATCH_COLUMNS:
                raise Unreadable(f'Members cannot be found by "{column}". They can by: {", ".join(MATCH_COLUMNS)}.')
        if self.date_format:
            try:
                check_date_format(self.date_format)
            except CellError as error:
                raise Unreadable(str(error)) from None
        return self


@dataclass(slots=True)
class Plan:
    """What would be recorded, row by row. Its iterators work anew from compact rows each time they are asked."""

    kind: str
    rows: int
    counts: Counter[Verdict]
    errors: list[Issue]
    warnings: Sequence[Issue]
    #: headers that mean nothing here
    ignored_columns: list[str]
    unknown_titles: list[UnknownTitle]
    lines: Callable[[], Iterator[PlanLine]]
    #: one text for each thing that would be recorded, in a fixed order
    actions: Callable[[], Iterator[str]]
    #: whom rows are about, where no member fits or several do; most rows first
    unknown_members: list[UnknownMember] = field(default_factory=list)

    @property
    def records_something(self) -> bool:
        return bool(self.counts[Verdict.NEW] or self.counts[Verdict.CHANGED])

    def digest(self) -> str:
        """SHA-256 over what would be recorded: two plans with the same digest do the same."""
        sha = hashlib.sha256(self.kind.encode())
        for action in self.actions():
            sha.update(action.encode())
            sha.update(b"\n")
        return sha.hexdigest()


class Import(ABC):
    """One file of one kind on its way into the records of one agency.

    The caller holds the transaction: `prepare`, `gather`, lock `officer_ids`, `decide`, then `act`.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    #: groups of columns: of each group, one set must be in the file
    required: ClassVar[tuple[tuple[tuple[str, ...], ...], ...]] = ()
    #: rows are about members and can find them by other columns than employee_id
    finds_members: ClassVar[bool] = False
    #: small tables of rows that are no facts and that recording may add to or change
    writes: ClassVar[tuple[type[Model], ...]] = ()
    #: facts go through `recording`; what gives facts their meaning goes through `changing_rules`
    is_rules: ClassVar[bool] = False

    def __init__(
        self,
        sheet_table: Table,
        *,
        agency: Agency,
        options: ImportOptions,
        today: date,
        own: Collection[int] = (),
        progress: Progress | None = None,
    ) -> None:
        self.table = sheet_table
        self.agency = agency
        self.options = options
        self.today = today
        #: the members that the sender is
        self.own = frozenset(own)
        self.days = Days(options.date_format)
        self.errors: list[Issue] = []
        #: rows that are no facts, once `act` wrote them
        self.written: list[Written] = []
        self._progress = progress
        #: told how many facts of how many `act` wrote, where they can be a great many
        self.writing: Progress | None = None

    @classmethod
    def required_columns(cls, options: ImportOptions) -> list[tuple[tuple[str, ...], ...]]:
        """What the file must have, with these options."""
        groups = list(cls.required)
        if cls.finds_members:
            groups.insert(0, who_columns(options))
        elif options.match:
            raise Unreadable(f"A file of {cls.kind} is not matched with members; leave out --match.")
        return groups

    def prepare(self) -> None:  # noqa: B027 - most kinds need none
        """Locks taken before anything is read."""

    @abstractmethod
    def gather(self) -> None:
        """Read the file."""

    def officer_ids(self) -> set[int]:
        """Whose facts the plan depends on: locked before `decide`."""
        return set()

    @abstractmethod
    def decide(self) -> Plan:
        """Compare the file with what stands. Writes nothing."""

    @abstractmethod
    def act(self, recorder: Recorder | None) -> set[int]:
        """Write the plan; officers whose standings follow from changed rules, where it changes rules."""

    def unknown_members(self) -> list[UnknownMember]:
        """Whom rows are about that were not found; none in a file that is not about members."""
        return []

    def rows_written(self) -> tuple[type[Model], ...]:
        """Of `writes`, what recording with these options can touch: nobody else does meanwhile."""
        return self.writes

    def file_rows(self) -> Iterator[Row]:
        """The rows of the file that are whole; the others become errors. Tells the progress."""
        about, count = self.table.about, 0
        for row in self.table.rows():
            if row.problem:
                self.reject(row.line, "", "", row.problem)
                self.broken(row)
            else:
                yield row
            count += 1
            if self._progress is not None and count % PROGRESS_EVERY == 0:
                self._progress(count, max(about, count))
        if self._progress is not None:
            self._progress(count, count)

    @abstractmethod
    def broken(self, row: Row) -> None:
        """Count a row that could not be read at all; its error is noted already."""

    def reject(self, line: int, column: str, value: str, reason: str) -> None:
        """Note an error; `column` is ours and is named as the file names it."""
        self.errors.append(Issue(line, self.table.header_of(column), value, reason))


def who_columns(options: ImportOptions) -> tuple[tuple[str, ...], ...]:
    """The sets of columns that can tell who a row is about."""
    if not options.match:
        return (("employee_id",),)
    if {"last_name", "first_name"} <= set(options.match):
        rest = tuple(column for column in options.match if column not in ("last_name", "first_name"))
        return options.match, ("name", *rest)
    return (options.match,)


#: What a file may say of a member, and a person goes by who looks for them.
SAID_OF_MEMBERS = ("employee_id", "post_id", "badge", "name", "last_name", "first_name", "email", "hired_on")
_EXAMPLES = 5
_MOST_UNKNOWN = 10_000


def one_text(cells: Sequence[str]) -> str:
    """The cells a member is found by as one text; spaces do not tell two apart."""
    return " | ".join(" ".join(cell.split()) for cell in cells)


class Who:
    """Finds the member of each row, and remembers the answer: a file names the same people again and again."""

    def __init__(self, table: Table, agency: Agency, options: ImportOptions) -> None:
        self.members = Members(agency, options.match, date_format=options.date_format)
        columns = self.members.columns
        self._by_name = "name" in table.places and not set(columns) <= table.places.keys()
        if self._by_name:
            columns = (*(column for column in columns if column not in ("last_name", "first_name")), "name")
        self._columns = columns
        self.places = [table.places[column] for column in columns]
        self._known: dict[tuple[str, ...], int | NoMember] = {}
        self._decided = options.members
        self._said = {column: table.places[column] for column in SAID_OF_MEMBERS if column in table.places}
        #: key -> what the first row says, how many rows, and the first of their lines
        self._unknown: dict[str, tuple[dict[str, str], int, tuple[int, ...]]] = {}

    def find(self, cells: Sequence[str], line: int) -> int:
        """The officer's id; `NoMember` where the row fits nobody, or several, and nobody said who it is."""
        key = tuple([cells[place] for place in self.places])
        known = self._known.get(key)
        if known is None:
            try:
                known = self.members.find(self._values(key))
            except NoMember as error:
                known = self.members.with_id(self._decided.get(one_text(key), "")) or error
            self._known[key] = known
        if isinstance(known, NoMember):
            self._note_unknown(key, cells, line)
            raise known
        return known

    def unknown(self) -> list[UnknownMember]:
        """Whom rows are about that were not found, those with most rows first."""
        found = [UnknownMember(key, *rest) for key, rest in self._unknown.items() if key.strip(" |")]
        return sorted(found, key=lambda one: (-one.rows, one.key))

    def _note_unknown(self, key: tuple[str, ...], cells: Sequence[str], line: int) -> None:
        text = one_text(key)
        if text not in self._unknown and len(self._unknown) >= _MOST_UNKNOWN:
            return  # another agency's file: nobody decides on them one by one
        said, rows, lines = self._unknown.get(text) or (
            {column: " ".join(cells[place].split())[:100] for column, place in self._said.items()},
            0,
            (),
        )
        self._unknown[text] = said, rows + 1, lines if len(lines) == _EXAMPLES else (*lines, line)

    def _values(self, key: tuple[str, ...]) -> list[str]:
        if not self._by_name:
            return list(key)
        try:
            last, first, _, _ = split_name(clean(key[-1]))
        except CellError as error:
            raise NoMember("name", key[-1].strip(), str(error)) from None
        said = {**dict(zip(self._columns, key, strict=True)), "last_name": last, "first_name": first}
        return [said[column] for column in self.members.columns]


class Fields:
    """The cells of one row by our column names, and what is wrong with them."""

    __slots__ = ("_cells", "_days", "_places", "errors")

    def __init__(self, cells: list[str], places: Mapping[str, int], days: Days) -> None:
        self._cells, self._places, self._days = cells, places, days
        #: our column, the value, the reason
        self.errors: list[tuple[str, str, str]] = []

    def raw(self, column: str) -> str:
        place = self._places.get(column)
        return "" if place is None else self._cells[place]

    def wrong(self, column: str, reason: str) -> None:
        self.errors.append((column, self.raw(column).strip(), reason))

    def _given(self, column: str, value: object, is_required: bool) -> None:
        if is_required and not value and not any(column == error[0] for error in self.errors):
            self.wrong(column, f"{column} is required.")

    def text(self, column: str, longest: int, *, is_required: bool = False) -> str:
        return self._read(column, lambda raw: read_text(raw, longest=longest), "", is_required)

    def name(self, column: str, longest: int, *, is_required: bool = False) -> str:
        return self._read(column, lambda raw: read_name(raw, longest=longest), "", is_required)

    def id(self, column: str, longest: int = 40, *, is_required: bool = False) -> str:
        return self._read(column, lambda raw: read_id(raw, longest=longest), "", is_required)

    def choice(self, column: str, allowed: Sequence[str], *, is_required: bool = False) -> str:
        return self._read(column, lambda raw: read_choice(raw, allowed), "", is_required)

    def number(self, column: str, highest: int) -> Decimal | None:
        return self._read(column, lambda raw: read_number(raw, highest=highest), None, False)

    def flag(self, column: str) -> bool | None:
        return self._read(column, read_flag, None, False)

    def day(self, column: str, *, is_required: bool = False, is_end: bool = False) -> date | None:
        return self._read(column, lambda raw: self._days.read(raw, is_end=is_end), None, is_required)

    def period(
        self, start: str, end: str, *, is_required: bool = True, needs_end: bool = False
    ) -> tuple[date | None, date | None]:
        """First and last day; an error of the last where it is before the first."""
        start_on = self.day(start, is_required=is_required)
        end_on = self.day(end, is_required=needs_end, is_end=True)
        if start_on and end_on and end_on < start_on:
            self.wrong(end, f"The last day, {end_on}, is before the first, {start_on}.")
        return start_on, end_on

    def _read(self, column: str, read: Callable[[str], Value], nothing: Value, is_required: bool) -> Value:
        try:
            value = read(self.raw(column))
        except CellError as error:
            self.wrong(column, str(error))
            return nothing
        self._given(column, value, is_required)
        return value


@dataclass(slots=True)
class PlannedRow:
    """A row of a file on its way to a verdict. Kinds add what the row says."""

    line: int
    summary: str
    verdict: Verdict = Verdict.SAME
    changes: list[Differs] = field(default_factory=list, kw_only=True)

    def differs(self, column: str, stands: object, wanted: object) -> None:
        """Note what the row changes."""
        self.changes.append((column, "" if stands is None else str(stands), "" if wanted is None else str(wanted)))


class RowImport(Import):
    """An import whose rows are few enough to be objects: everything but completions."""

    def __init__(
        self,
        table: Table,
        *,
        agency: Agency,
        options: ImportOptions,
        today: date,
        own: Collection[int] = (),
        progress: Progress | None = None,
    ) -> None:
        super().__init__(table, agency=agency, options=options, today=today, own=own, progress=progress)
        self._seen: list[PlannedRow] = []
        self._warnings: list[Issue] = []

    def broken(self, row: Row) -> None:
        self._seen.append(PlannedRow(row.line, summary_of(row.cells), Verdict.REJECTED))

    def taken(self, row: Row, planned: PlannedRow, fields: Fields) -> bool:
        """Add a row to the plan; False where its cells are wrong, which rejects it."""
        self._seen.append(planned)
        for column, value, reason in fields.errors:
            self.reject(row.line, column, value, reason)
        if fields.errors:
            planned.verdict = Verdict.REJECTED
            planned.summary = summary_of(row.cells)
        return not fields.errors

    def refuse(self, planned: PlannedRow, column: str, value: object, reason: str) -> None:
        """Reject a row for what it would do."""
        planned.verdict = Verdict.REJECTED
        self.reject(planned.line, column, "" if value is None else str(value), reason)

    def warn(self, planned: PlannedRow, column: str, value: object, reason: str) -> None:
        self._warnings.append(
            Issue(planned.line, self.table.header_of(column), "" if value is None else str(value), reason)
        )

    def plan(self, actions: Callable[[], Iterator[str]]) -> Plan:
        """The plan of the rows added."""
        self.errors.sort()
        self._warnings.sort()
        self._seen.sort(key=lambda planned: planned.line)
        return Plan(
            kind=self.kind,
            rows=len(self._seen),
            counts=Counter(planned.verdict for planned in self._seen),
            errors=self.errors,
            warnings=self._warnings,
            ignored_columns=self.table.ignored,
            unknown_titles=[],
            lines=self._lines,
            actions=actions,
            unknown_members=self.unknown_members(),
        )

    def _lines(self) -> Iterator[PlanLine]:
        reasons: dict[int, list[str]] = {}
        for issue in self.errors:
            reasons.setdefault(issue.line, []).append(issue.told)
        for issue in self._warnings:
            reasons.setdefault(issue.line, []).append(issue.reason)
        warned = {issue.line for issue in self._warnings}
        for planned in self._seen:
            yield PlanLine(
                planned.line,
                planned.verdict,
                planned.summary[:LONGEST_SUMMARY],
                " ".join(reasons.get(planned.line, ())),
                planned.line in warned,
                tuple(planned.changes) if planned.verdict is Verdict.CHANGED else (),
            )


def summary_of(cells: Sequence[str]) -> str:
    """A rejected row in a few words: its first cells."""
    return ", ".join(cell.strip() for cell in cells if cell.strip())[:LONGEST_SUMMARY]
