"""Importing units, and whose records a file goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from roster.facts import Recorder
from roster.models import Agency, Assignment, Unit
from roster.plans import Fields, Plan, PlannedRow, RowImport, Verdict
from roster.tabular import Column, Unreadable

#: the code of the agency that a first file makes
DEFAULT_AGENCY = "agency"


def find_agency(code: str | None) -> Agency:
    """The agency of that code; without one the only agency, made on first use. `Unreadable` with a sentence."""
    agencies = list(Agency.objects.all())
    if code:
        for agency in agencies:
            if agency.code.casefold() == code.casefold():
                return agency
        if agencies:
            raise Unreadable(f'There is no agency "{code}". There are: {", ".join(a.code for a in agencies)}.')
    if len(agencies) > 1:
        raise Unreadable(f"Say which agency (--agency): {', '.join(agency.code for agency in agencies)}.")
    if agencies:
        return agencies[0]
    agency, _ = Agency.objects.get_or_create(code=code or DEFAULT_AGENCY, defaults={"name": code or "Agency"})
    return agency


def lock_agency(agency: Agency) -> None:
    """One import at a time adds officers, ranks and shifts to an agency. One query."""
    list(Agency.objects.select_for_update(no_key=True).filter(pk=agency.pk))


@dataclass(slots=True)
class _UnitRow(PlannedRow):
    code: str = ""
    #: what the row gives, by field; the parent as its code
    given: dict[str, str | date] = field(default_factory=dict)


class UnitsImport(RowImport):
    """Units and their tree. A parent may stand anywhere in the file."""

    kind = "units"
    title = "Units"
    is_rules = True
    columns = (
        Column("code", "Code", is_required=True, also=("unit", "command", "unit code", "precinct", "district")),
        Column("name", "Name", also=("unit name", "description")),
        Column("parent", "Parent unit", also=("parent unit", "bureau", "reports to")),
        Column("function", "Function", also=("unit function", "type")),
        Column("opened_on", "Opened on", also=("opened", "start date")),
        Column("closed_on", "Closed on (last day)", also=("closed", "end date")),
    )
    required = ((("code",),),)
    writes = (Unit,)

    def gather(self) -> None:
        self._rows: list[_UnitRow] = []
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            code = fields.name("code", 80, is_required=True)
            given: dict[str, str | date] = {}
            for column, longest in (("name", 200), ("parent", 80), ("function", 40)):
                if text := fields.name(column, longest):
                    given[column] = text
            opened_on, closed_on = fields.period("opened_on", "closed_on", is_required=False)
            if opened_on:
                given["opened_on"] = opened_on
            if closed_on:
                given["closed_on"] = closed_on
            planned = _UnitRow(row.line, code, code=code, given=given)
            if self.taken(row, planned, fields):
                self._rows.append(planned)

    def decide(self) -> Plan:
        self._stored = {
            unit.code.upper(): unit for unit in Unit.objects.filter(agency=self.agency).select_related("parent")
        }
        #: what each unit of the file will be, by key: fields with the parent as its key
        self._wanted: dict[str, dict[str, str | date | None]] = {}
        self._first: dict[str, _UnitRow] = {}
        self._repeats: dict[str, list[_UnitRow]] = defaultdict(list)
        for row in self._rows:
            self._decide_row(row)
        self._refuse_parents()
        self._refuse_fixed()
        return self.plan(self._actions)

    def _decide_row(self, row: _UnitRow) -> None:
        key = row.code.upper()
        given = {name: value.upper() if name == "parent" else value for name, value in row.given.items()}  # type: ignore[union-attr] # a parent is text
        before = self._wanted.get(key)
        if before is not None:
            differing = [name for name, value in given.items() if before[name] != value]
            if differing:
                name = differing[0]
                first = self._first[key].line
                self.refuse(row, name, row.given[name], f"Line {first} says otherwise of unit {row.code}.")
            else:
                self._repeats[key].append(row)
            return
        unit = self._stored.get(key)
        if unit is None:
            row.verdict = Verdict.NEW
            stored = dict.fromkeys(("parent", "opened_on", "closed_on")) | {"name": row.code, "function": ""}
        else:
            stored = _unit_fields(unit)
        wanted = {**stored, **given}
        opened_on, closed_on = wanted["opened_on"], wanted["closed_on"]
        if isinstance(opened_on, date) and isinstance(closed_on, date) and closed_on < opened_on:
            self.refuse(row, "closed_on", closed_on, f"The unit closed before it opened, on {opened_on}.")
            return
        if unit is not None and wanted != stored:
            row.verdict = Verdict.CHANGED
            for name in (name for name in wanted if wanted[name] != stored[name]):
                row.differs(name, stored[name], wanted[name])
        self._wanted[key], self._first[key] = wanted, row

    def _refuse_parents(self) -> None:
        """Reject rows whose parent is nowhere, or stands below them; and then the rows that needed those."""
        while True:
            refused = [key for key in self._wanted if self._refuse_parent(key)]
            if not refused:
                return
            for key in refused:
                self._drop(key)

    def _drop(self, key: str) -> None:
        """Leave out a unit whose row was rejected, and the rows that repeat it."""
        del self._wanted[key]
        for row in self._repeats[key]:
            self.refuse(row, "code", row.code, f"Line {self._first[key].line} of the same unit was rejected.")

    def _refuse_parent(self, key: str) -> bool:
        parent = self._wanted[key]["parent"]
        if parent is None:
            return False
        row = self._first[key]
        if parent not in self._wanted and parent not in self._stored:
            self.refuse(row, "parent", row.given.get("parent"), "There is no such unit, here or in this file.")
            return True
        seen: set[object] = set()
        while parent is not None and parent not in seen:
            if parent == key:
                self.refuse(row, "parent", row.given.get("parent"), f"Unit {row.code} would stand above itself.")
                return True
            seen.add(parent)
            parent = self._parent_of(str(parent))
        return False

    def _parent_of(self, key: str) -> str | None:
        if key in self._wanted:
            parent = self._wanted[key]["parent"]
            return None if parent is None else str(parent)
        unit = self._stored.get(key)
        return unit.parent.code.upper() if unit is not None and unit.parent is not None else None

    def _refuse_fixed(self) -> None:
        """Function and parent of a unit are fixed once anyone was assigned to it (rules.md 4)."""
        moved = {
            self._stored[key].pk: key
            for key, wanted in self._wanted.items()
            if key in self._stored
            and any(wanted[name] != _unit_fields(self._stored[key])[name] for name in ("function", "parent"))
        }
        used = Assignment.objects.filter(unit__in=moved).values_list("unit_id", flat=True).distinct()
        for unit_id in sorted(used):
            row = self._first[moved[unit_id]]
            before = _unit_fields(self._stored[moved[unit_id]])
            for name in ("function", "parent"):
                if self._wanted[moved[unit_id]][name] != before[name]:
                    self.refuse(
                        row,
                        name,
                        row.given.get(name),
                        f"Members were assigned to {row.code}, so its {name} is fixed. Close it and open another unit.",
                    )
            self._drop(moved[unit_id])

    def _actions(self) -> Iterator[str]:
        for key, wanted in sorted(self._wanted.items()):
            if self._first[key].verdict is not Verdict.SAME:
                yield f"{key} {wanted}"

    def act(self, recorder: Recorder | None) -> set[int]:
        """Parents are saved before their children. The officers of units whose function or place changed."""
        pks = {key: unit.pk for key, unit in self._stored.items()}
        moved: set[int] = set()
        for key in sorted(self._wanted, key=self._depth):
            row, wanted = self._first[key], self._wanted[key]
            if row.verdict is Verdict.SAME:
                continue
            unit = self._stored.get(key) or Unit(agency=self.agency, code=row.code)
            before = (unit.function, unit.parent_id)
            parent = wanted.pop("parent")
            for name, value in wanted.items():
                setattr(unit, name, value)
            unit.parent_id = None if parent is None else pks[str(parent)]
            unit.save()
            pks[key] = unit.pk
            if row.verdict is Verdict.CHANGED and before != (unit.function, unit.parent_id):
                moved.add(unit.pk)
        return officers_below(self.agency, moved) if moved else set()

    def _depth(self, key: str) -> tuple[int, str]:
        depth, parent = 0, self._parent_of(key)
        while parent is not None:
            depth, parent = depth + 1, self._parent_of(parent)
        return depth, key


def _unit_fields(unit: Unit) -> dict[str, str | date | None]:
    return {
        "parent": None if unit.parent is None else unit.parent.code.upper(),
        "opened_on": unit.opened_on,
        "closed_on": unit.closed_on,
        "name": unit.name,
        "function": unit.function,
    }


def officers_below(agency: Agency, unit_ids: set[int]) -> set[int]:
    """Officers ever assigned to these units or to any below them. Two queries."""
    children: dict[int | None, list[int]] = defaultdict(list)
    for pk, parent_id in Unit.objects.filter(agency=agency).values_list("pk", "parent_id"):
        children[parent_id].append(pk)
    below, todo = set(unit_ids), list(unit_ids)
    while todo:
        for child in children[todo.pop()]:
            if child not in below:
                below.add(child)
                todo.append(child)
    return set(Assignment.objects.known().filter(unit__in=below).values_list("officer_id", flat=True))
