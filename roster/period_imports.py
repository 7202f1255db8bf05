"""Importing assignments, leaves and designations: facts with days, planned in the order of their days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar, Generic, TypeVar, cast

from roster.facts import Fact, Recorder
from roster.imports import WHO_COLUMNS
from roster.matching import NoMember
from roster.models import Agency, Assignment, AssignmentKind, Designation, Employment, Leave, Rank, Shift, Unit
from roster.plans import Fields, Plan, PlannedRow, RowImport, UnknownMember, Verdict, Who
from roster.tabular import Column, Row
from roster.unit_imports import lock_agency

DAY = timedelta(days=1)


@dataclass(slots=True)
class MemberRow(PlannedRow):
    """A row about a member. The rows of one member are planned in the order of `start_on`."""

    officer_id: int = 0
    start_on: date = date.min


AnyRow = TypeVar("AnyRow", bound=MemberRow)


class MemberRowsImport(RowImport, Generic[AnyRow]):
    """What kinds share whose rows are about members and are decided member by member."""

    finds_members = True

    def gather(self) -> None:
        self._who = Who(self.table, self.agency, self.options)
        self.by_officer: dict[int, list[AnyRow]] = defaultdict(list)
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            planned = self.read_row(row, fields)
            try:
                planned.officer_id = self._who.find(row.cells, row.line)
            except NoMember as error:
                fields.errors.insert(0, (error.column, error.value, error.reason))
            if self.taken(row, planned, fields):
                planned.summary = f"{self._who.members.employee_ids[planned.officer_id]} {planned.summary}"
                self.by_officer[planned.officer_id].append(planned)

    def read_row(self, row: Row, fields: Fields) -> AnyRow:
        raise NotImplementedError

    def officer_ids(self) -> set[int]:
        return set(self.by_officer)

    def unknown_members(self) -> list[UnknownMember]:
        return self._who.unknown()

    def rows_by_day(self) -> Iterator[tuple[int, list[AnyRow]]]:
        for officer_id, rows in self.by_officer.items():
            yield officer_id, sorted(rows, key=lambda row: (row.start_on, row.line))


def span(start_on: date, end_on: date | None) -> str:
    """`from 2024-01-01 to 2024-06-30`, or `from 2024-01-01 on`."""
    return f"from {start_on} to {end_on}" if end_on else f"from {start_on} on"


@dataclass(slots=True)
class _AssignmentRow(MemberRow):
    kind: str = ""
    #: None = not given
    end_on: date | None = None
    unit: str = ""
    shift: str = ""
    rank: str = ""


@dataclass(slots=True)
class _Stay:
    """One assignment as it will be, shift and rank as words. `stored` is what the fact says, None for a new one."""

    kind: str
    start_on: date
    unit_id: int
    shift: str
    rank: str
    end_on: date | None
    stored: tuple[int, str, str, date | None] | None = None
    fact_id: int | None = None
    #: the row of this file that made or confirmed it
    row: _AssignmentRow | None = None

    @property
    def values(self) -> tuple[int, str, str, date | None]:
        return self.unit_id, self.shift, self.rank, self.end_on

    def overlaps(self, start_on: date, end_on: date | None) -> bool:
        return self.start_on <= (end_on or date.max) and start_on <= (self.end_on or date.max)


class _Words:
    """Ranks or shifts of an agency by any of their spellings; a new word is added when it is first recorded."""

    def __init__(self, model: type[Rank] | type[Shift], agency: Agency) -> None:
        self._model, self._agency = model, agency
        self._code: dict[str, str] = {}
        self._pk: dict[str, int] = {}
        for pk, code, aliases in model.objects.filter(agency=agency).values_list("pk", "code", "aliases"):
            self._pk[code] = pk
            for word in (*aliases, code):
                self._code[word.casefold()] = code

    def code(self, word: str) -> str:
        """The code of a word: as it was first written."""
        return self._code.setdefault(word.casefold(), word) if word else ""

    def pk(self, code: str) -> int | None:
        if not code:
            return None
        if code not in self._pk:
            self._pk[code] = self._model.objects.create(agency=self._agency, code=code).pk
        return self._pk[code]

    def code_of(self) -> dict[int | None, str]:
        return {None: "", **{pk: code for code, pk in self._pk.items()}}


class AssignmentsImport(MemberRowsImport[_AssignmentRow]):
    """Home, temporary and secondary assignments; a new open home row ends the one before it."""

    kind = "assignments"
    title = "Assignments"
    columns = (
        *WHO_COLUMNS,
        Column("unit", "Unit", is_required=True, also=("command", "unit code", "precinct", "district")),
        Column("shift", "Shift", also=("tour", "watch", "platoon")),
        Column("rank", "Rank", also=("title",)),
        Column("kind", "Kind (home, temporary, secondary)", also=("assignment kind", "assignment type")),
        Column("start_on", "First day", is_required=True, also=("assignment date", "start date", "from", "effective")),
        Column("end_on", "Last day", also=("end date", "to", "until")),
    )
    required = ((("unit",),), (("start_on",),))
    writes = (Rank, Shift)

    def prepare(self) -> None:
        lock_agency(self.agency)

    def gather(self) -> None:
        self._units = {
            code.upper(): (pk, code) for pk, code in Unit.objects.filter(agency=self.agency).values_list("pk", "code")
        }
        self._unit_codes = dict(self._units.values())
        self._ranks, self._shifts = _Words(Rank, self.agency), _Words(Shift, self.agency)
        super().gather()

    def read_row(self, row: Row, fields: Fields) -> _AssignmentRow:
        unit = fields.name("unit", 80, is_required=True)
        if unit and unit.upper() not in self._units:
            fields.wrong("unit", "There is no such unit. Import the units first.")
        start_on, end_on = fields.period("start_on", "end_on")
        return _AssignmentRow(
            row.line,
            f"{unit} {start_on}",
            unit=unit.upper(),
            shift=self._shifts.code(fields.name("shift", 80)),
            rank=self._ranks.code(fields.name("rank", 80)),
            kind=fields.choice("kind", AssignmentKind.values) or AssignmentKind.HOME,
            start_on=start_on or date.min,
            end_on=end_on,
        )

    def decide(self) -> Plan:
        self._stays: dict[int, list[_Stay]] = defaultdict(list)
        ranks, shifts = self._ranks.code_of(), self._shifts.code_of()
        stored = Assignment.objects.known().filter(officer__in=self.by_officer).order_by("start_on", "pk")
        for pk, officer_id, kind, unit_id, shift_id, rank_id, start_on, end_on in stored.values_list(
            "pk", "officer_id", "kind", "unit_id", "shift_id", "rank_id", "start_on", "end_on"
        ):
            values = (unit_id, shifts[shift_id], ranks[rank_id], end_on)
            self._stays[officer_id].append(_Stay(kind, start_on, *values, stored=values, fact_id=pk))
        for officer_id, rows in self.rows_by_day():
            for row in rows:
                self._decide_row(self._stays[officer_id], row)
        self._warn_of_employment()
        return self.plan(self._actions)

    def _decide_row(self, stays: list[_Stay], row: _AssignmentRow) -> None:
        unit_id = self._units[row.unit][0]
        alike = [stay for stay in stays if (stay.kind, stay.start_on) == (row.kind, row.start_on)]
        stay = next((stay for stay in alike if stay.unit_id == unit_id), alike[0] if alike else None)
        if stay is None:
            self._decide_new(stays, row, unit_id)
            return
        wanted = (unit_id, row.shift or stay.shift, row.rank or stay.rank, row.end_on or stay.end_on)
        if wanted == stay.values:
            stay.row = stay.row or row
            return
        if stay.row is not None:
            self.refuse(row, "start_on", row.start_on, f"Line {stay.row.line} says otherwise of this assignment.")
            return
        if row.kind == AssignmentKind.HOME and not self._fits(stays, row, wanted[3], besides=stay):
            return
        for name, before, after in zip(("unit", "shift", "rank", "end_on"), stay.values, wanted, strict=True):
            if before != after:
                code = self._unit_codes.get if name == "unit" else str
                row.differs(name, *(code(one) if one else one for one in (before, after)))  # type: ignore[arg-type] # a unit by its id, the rest as it is
        stay.unit_id, stay.shift, stay.rank, stay.end_on = wanted
        stay.row = row
        row.verdict = Verdict.CHANGED

    def _decide_new(self, stays: list[_Stay], row: _AssignmentRow, unit_id: int) -> None:
        row.verdict = Verdict.NEW
        if row.kind == AssignmentKind.HOME:
            before = next(
                (
                    stay
                    for stay in stays
                    if stay.kind == row.kind and stay.end_on is None and stay.start_on < row.start_on
                ),
                None,
            )
            if not self._fits(stays, row, row.end_on, besides=before):
                return
            if before is not None:
                row.differs(f"{self._unit_codes[before.unit_id]} {before.start_on}: end_on", None, row.start_on - DAY)
                before.end_on = row.start_on - DAY
                if before.fact_id is not None:
                    row.verdict = Verdict.CHANGED
        elif row.kind == AssignmentKind.SECONDARY:
            for stay in stays:
                if stay.kind == row.kind and stay.overlaps(row.start_on, row.end_on):
                    unit = self._unit_codes[stay.unit_id]
                    reason = f"Overlaps the secondary assignment to {unit} {span(stay.start_on, stay.end_on)}."
                    self.warn(row, "start_on", row.start_on, reason)
        stays.append(_Stay(row.kind, row.start_on, unit_id, row.shift, row.rank, row.end_on, row=row))

    def _fits(self, stays: Iterable[_Stay], row: _AssignmentRow, end_on: date | None, *, besides: _Stay | None) -> bool:
        """Whether no other home assignment holds any of these days; an error on the row where one does."""
        unit = f"{self._units[row.unit][1]} {span(row.start_on, end_on)}"
        for stay in stays:
            if stay is besides or stay.kind != AssignmentKind.HOME or not stay.overlaps(row.start_on, end_on):
                continue
            there = f"the home assignment to {self._unit_codes[stay.unit_id]} {span(stay.start_on, stay.end_on)}"
            if end_on is None and stay.start_on > row.start_on:
                reason = f"It starts before {there}, and needs a last day of its own."
                self.refuse(row, "end_on", None, reason)
            elif stay.start_on < row.start_on:
                self.refuse(row, "start_on", row.start_on, f"{unit} is inside {there}.")
            else:
                self.refuse(row, "end_on", end_on, f"{unit} overlaps {there}.")
            return False
        return True

    def _warn_of_employment(self) -> None:
        """Warn of what reaches outside employment: retired people keep an open last unit in real exports."""
        employed: dict[int, list[tuple[date, date]]] = defaultdict(list)
        rows = Employment.objects.known().filter(officer__in=self.by_officer).order_by("start_on")
        for officer_id, start_on, end_on in rows.values_list("officer_id", "start_on", "end_on"):
            spans = employed[officer_id]
            last = end_on or date.max
            if spans and spans[-1][1] + DAY == start_on:
                spans[-1] = (spans[-1][0], last)
            else:
                spans.append((start_on, last))
        for officer_id, stays in self._stays.items():
            for stay in stays:
                if stay.row is None or stay.row.verdict is Verdict.SAME:
                    continue
                if not any(
                    first <= stay.start_on and (stay.end_on or date.max) <= last for first, last in employed[officer_id]
                ):
                    reason = f"The assignment, {span(stay.start_on, stay.end_on)}, reaches outside employment."
                    self.warn(stay.row, "start_on", stay.row.start_on, reason)

    def _written(self) -> Iterator[tuple[int, _Stay]]:
        for officer_id in sorted(self._stays):
            for stay in self._stays[officer_id]:
                if stay.stored != stay.values:
                    yield officer_id, stay

    def _actions(self) -> Iterator[str]:
        for officer_id, stay in self._written():
            yield f"{officer_id} {stay.kind} {stay.start_on} {stay.values} for {stay.fact_id}"

    def act(self, recorder: Recorder | None) -> set[int]:
        assert recorder is not None  # noqa: S101 - assignments are facts
        written = list(self._written())
        if written:
            recorder.void(Assignment(pk=stay.fact_id, officer_id=pk) for pk, stay in written if stay.fact_id)
            recorder.record_many(
                Assignment,
                ("officer_id", "kind", "unit_id", "shift_id", "rank_id", "start_on", "end_on", "replaces_id"),
                [
                    (
                        officer_id,
                        str(stay.kind),
                        stay.unit_id,
                        self._shifts.pk(stay.shift),
                        self._ranks.pk(stay.rank),
                        stay.start_on,
                        stay.end_on,
                        stay.fact_id,
                    )
                    for officer_id, stay in written
                ],
                {officer_id for officer_id, _ in written},
            )
        return set()


@dataclass(slots=True)
class KeyedRow(MemberRow):
    """A row that tells one fact of a member."""

    #: the values of the natural key, as written
    named: tuple[object, ...] = ()
    #: the other values; None or blank = not given
    given: tuple[object, ...] = ()


@dataclass(slots=True)
class KeptFact:
    """One fact as it will be; `stored` are the values that stand, None where there is no fact yet."""

    named: tuple[object, ...]
    values: tuple[object, ...]
    stored: tuple[object, ...] | None = None
    fact_id: int | None = None
    #: the row of this file that made or confirmed it
    row: KeyedRow | None = None
    carried: tuple[object, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """The natural key as it is compared: case does not tell words apart."""
        return tuple(value.casefold() if isinstance(value, str) else value for value in self.named)


class KeyedFactsImport(MemberRowsImport[KeyedRow]):
    """Facts told apart by a natural key: a row makes one, confirms it, or changes what it says besides.

    What a row leaves blank stays as it is. A kind says how a row reads, and what beside the key forbids a fact.
    """

    model: ClassVar[type[Fact]]
    #: what one fact is called in a sentence
    what: ClassVar[str]
    #: database columns of the natural key, beside the member, and of the other values
    key_columns: ClassVar[tuple[str, ...]]
    value_columns: ClassVar[tuple[str, ...]]
    #: what a new fact says where the row gives nothing
    defaults: ClassVar[tuple[object, ...]]
    #: columns that no file gives: a fact that replaces another says the same there
    carried_columns: ClassVar[tuple[str, ...]] = ()
    #: the column that tells `MemberRow.start_on`
    day_column: ClassVar[str] = "start_on"

    def fits(self, wanted: KeptFact, others: Iterable[KeptFact], row: KeyedRow) -> bool:
        """Whether a fact can be so beside the member's others; an error on the row where it cannot."""
        return True

    def decide(self) -> Plan:
        self.facts: dict[int, dict[tuple[object, ...], KeptFact]] = defaultdict(dict)
        stored = self.model.objects.known().filter(officer__in=self.by_officer).order_by("pk")
        keys, given = len(self.key_columns), len(self.value_columns)
        columns = (*self.key_columns, *self.value_columns, *self.carried_columns)
        for pk, officer_id, *row in stored.values_list("pk", "officer_id", *columns):
            values = tuple(row[keys : keys + given])
            kept = KeptFact(tuple(row[:keys]), values, values, pk, carried=tuple(row[keys + given :]))
            self.facts[officer_id][kept.key] = kept
        for officer_id, rows in self.rows_by_day():
            for row in rows:
                self._decide_row(self.facts[officer_id], row)
        return self.plan(self._actions)

    def _decide_row(self, facts: dict[tuple[object, ...], KeptFact], row: KeyedRow) -> None:
        made = KeptFact(row.named, _merged(row.given, self.defaults), row=row)
        kept = facts.get(made.key)
        if kept is None:
            if self.fits(made, facts.values(), row):
                facts[made.key] = made
                row.verdict = Verdict.NEW
            return
        wanted = replace(kept, values=_merged(row.given, kept.values), row=row)
        if wanted.values == kept.values:
            kept.row = kept.row or row
        elif kept.row is not None:
            reason = f"Line {kept.row.line} says otherwise of this {self.what}."
            self.refuse(row, self.day_column, row.start_on, reason)
        elif self.fits(wanted, [other for other in facts.values() if other is not kept], row):
            facts[kept.key] = wanted
            row.verdict = Verdict.CHANGED
            for name, before, after in zip(self.value_columns, kept.values, wanted.values, strict=True):
                if before != after:
                    row.differs(name, before, after)

    def _written(self) -> Iterator[tuple[int, KeptFact]]:
        for officer_id in sorted(self.facts):
            for kept in self.facts[officer_id].values():
                if kept.stored != kept.values:
                    yield officer_id, kept

    def _actions(self) -> Iterator[str]:
        for officer_id, kept in self._written():
            yield f"{officer_id} {kept.named} {kept.values} for {kept.fact_id}"

    def act(self, recorder: Recorder | None) -> set[int]:
        assert recorder is not None  # noqa: S101 - these are facts
        written = list(self._written())
        nothing_carried = (None,) * len(self.carried_columns)
        if written:
            recorder.void(
                self.model(pk=kept.fact_id, officer_id=pk)  # type: ignore[misc] # the fields of every kind of fact
                for pk, kept in written
                if kept.fact_id
            )
            recorder.record_many(
                self.model,
                ("officer_id", *self.key_columns, *self.value_columns, *self.carried_columns, "replaces_id"),
                [
                    (pk, *kept.named, *kept.values, *(kept.carried or nothing_carried), kept.fact_id)
                    for pk, kept in written
                ],
                {pk for pk, _ in written},
            )
        return set()


def _merged(given: Iterable[object], stands: Iterable[object]) -> tuple[object, ...]:
    """What a row gives, and what stands where it gives nothing."""
    return tuple(old if new is None or new == "" else new for new, old in zip(given, stands, strict=True))


class LeavesImport(KeyedFactsImport):
    """Leaves: a kind, days and an approval reference. Case does not tell kinds apart."""

    kind = "leaves"
    title = "Leaves"
    columns = (
        *WHO_COLUMNS,
        Column("kind", "Kind", is_required=True, also=("leave type", "type", "leave kind")),
        Column("start_on", "First day", is_required=True, also=("start date", "from")),
        Column("end_on", "Last day", also=("end date", "to", "until")),
        Column("approval", "Approval reference", also=("approved by", "order", "reference")),
    )
    required = ((("kind",),), (("start_on",),))
    model = Leave
    what = "leave"
    key_columns = ("kind", "start_on")
    value_columns = ("end_on", "approval")
    defaults = (None, "")

    def read_row(self, row: Row, fields: Fields) -> KeyedRow:
        kind = fields.name("kind", 40, is_required=True)
        start_on, end_on = fields.period("start_on", "end_on")
        return KeyedRow(
            row.line,
            f"{kind} {start_on}",
            start_on=start_on or date.min,
            named=(kind, start_on),
            given=(end_on, fields.name("approval", 100)),
        )


class DesignationsImport(KeyedFactsImport):
    """Designations by code. Of each a member holds one at a time; case does not tell codes apart."""

    kind = "designations"
    title = "Designations"
    columns = (
        *WHO_COLUMNS,
        Column("code", "Designation code", is_required=True, also=("designation", "specialty")),
        Column("start_on", "First day", is_required=True, also=("start date", "from", "designated on")),
        Column("end_on", "Last day", also=("end date", "to", "until")),
        Column("voluntary", "Voluntary (yes, no)", also=("volunteer", "is voluntary")),
    )
    required = ((("code",),), (("start_on",),))
    model = Designation
    what = "designation"
    key_columns = ("code", "start_on")
    value_columns = ("end_on", "is_voluntary")
    defaults = (None, False)

    def read_row(self, row: Row, fields: Fields) -> KeyedRow:
        code = fields.name("code", 80, is_required=True)
        start_on, end_on = fields.period("start_on", "end_on")
        return KeyedRow(
            row.line,
            f"{code} {start_on}",
            start_on=start_on or date.min,
            named=(code, start_on),
            given=(end_on, fields.flag("voluntary")),
        )

    def fits(self, wanted: KeptFact, others: Iterable[KeptFact], row: KeyedRow) -> bool:
        last = cast("date | None", wanted.values[0])
        for other in others:
            first, until = cast("date", other.named[1]), cast("date | None", other.values[0])
            if other.key[0] == wanted.key[0] and row.start_on <= (until or date.max) and first <= (last or date.max):
                held = f"The member holds {other.named[0]} {span(first, until)} already."
                self.refuse(row, "start_on", row.start_on, held)
                return False
        return True
