"""Importing units and officers with their employments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from roster.cells import CellError
from roster.facts import Recorder
from roster.matching import split_name
from roster.models import Agency, Assignment, Category, Employment, FormerDetail, Officer, Unit
from roster.plans import Fields, Plan, PlannedRow, RowImport, Verdict
from roster.tabular import Column, Unreadable

DEFAULT_AGENCY = "agency"
#: an officer's details, with the length each may have
DETAILS = {
    "last_name": 100,
    "first_name": 100,
    "middle_name": 100,
    "suffix": 20,
    "badge": 40,
    "post_id": 40,
    "email": 254,
}

WHO_COLUMNS = (
    Column(
        "employee_id",
        "Employee id",
        is_required=True,
        also=("member no", "member number", "employee number", "employee no", "emp id", "personnel number", "id"),
    ),
    Column("post_id", "State POST id", also=("post number", "state id", "license number")),
    Column("name", "Name (LAST, FIRST M., SUFFIX)", also=("full name", "member name", "officer name")),
    Column("last_name", "Last name", also=("surname", "last")),
    Column("first_name", "First name", also=("given name", "first")),
    Column("hired_on", "Hired on", also=("appt date", "appointment date", "hire date", "date of hire")),
    Column("badge", "Badge", also=("shield no", "badge number", "shield")),
    Column("email", "E-mail", also=("email address", "mail")),
)


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
        return _officers_below(self.agency, moved) if moved else set()

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


def _officers_below(agency: Agency, unit_ids: set[int]) -> set[int]:
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


@dataclass(slots=True)
class _OfficerRow(PlannedRow):
    employee_id: str = ""
    #: details the row gives
    given: dict[str, str] = field(default_factory=dict)
    hired_on: date | None = None
    separated_on: date | None = None
    category: str = ""


@dataclass(slots=True)
class _Job:
    """One employment as it will be: the stored fact it comes from, and the row that made it so."""

    start_on: date
    end_on: date | None
    category: str
    stored: tuple[date | None, str] | None = None
    fact_id: int | None = None
    row: _OfficerRow | None = None

    @property
    def is_changed(self) -> bool:
        return self.stored != (self.end_on, self.category)


class OfficersImport(RowImport):
    """Officers, their details, and one employment for each day of hiring."""

    kind = "officers"
    title = "Officers"
    columns = (
        *WHO_COLUMNS,
        Column("middle_name", "Middle name", also=("middle", "mi")),
        Column("suffix", "Suffix"),
        Column("category", "Category", also=("employee type", "member type")),
        Column("separated_on", "Separated on (last day employed)", also=("separation date", "termination date")),
    )
    required = ((("employee_id",),), (("last_name", "first_name"), ("name",)))

    def prepare(self) -> None:
        lock_agency(self.agency)

    def gather(self) -> None:
        self._by_employee: dict[str, list[_OfficerRow]] = defaultdict(list)
        has_name = "name" in self.table.places and "last_name" not in self.table.places
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            employee_id = fields.id("employee_id", is_required=True)
            given = self._read_details(fields, has_name=has_name)
            hired_on, separated_on = fields.period("hired_on", "separated_on", is_required=False)
            if separated_on and not hired_on and not fields.errors:
                fields.wrong("separated_on", "The last day employed needs hired_on, to tell which employment ended.")
            planned = _OfficerRow(
                row.line,
                f"{employee_id} {given.get('last_name')}, {given.get('first_name')}",
                employee_id=employee_id,
                given=given,
                hired_on=hired_on,
                separated_on=separated_on,
                category=fields.choice("category", Category.values),
            )
            if self.taken(row, planned, fields):
                self._by_employee[employee_id.upper()].append(planned)
        self._stored: dict[str, dict[str, str]] = {}
        self._ids: dict[str, int] = {}
        stored = Officer.objects.filter(agency=self.agency).values_list("id", "employee_id", *DETAILS)
        for officer_id, employee_id, *details in stored.iterator(chunk_size=5_000):
            key = employee_id.upper()
            if key in self._by_employee:
                self._ids[key] = officer_id
                self._stored[key] = dict(zip(DETAILS, details, strict=True))

    @staticmethod
    def _read_details(fields: Fields, *, has_name: bool) -> dict[str, str]:
        names = ("last_name", "first_name", "middle_name", "suffix")
        said: dict[str, str] = {}
        if has_name and (text := fields.name("name", 300, is_required=True)):
            try:
                said = dict(zip(names, split_name(text), strict=True))
            except CellError as error:
                fields.wrong("name", str(error))
            for name in said:
                if len(said[name]) > DETAILS[name]:
                    fields.wrong("name", f"Its {name} is {len(said[name])} characters long; {DETAILS[name]} fit.")
        for name in names:
            if text := fields.name(name, DETAILS[name], is_required=not has_name and name in names[:2]):
                said[name] = text
        said["badge"], said["post_id"] = fields.id("badge"), fields.id("post_id")
        said["email"] = fields.name("email", DETAILS["email"])
        if said["email"]:
            try:
                validate_email(said["email"])
            except ValidationError:
                fields.wrong("email", "This is not an e-mail address.")
        return {name: value for name, value in said.items() if value}

    def officer_ids(self) -> set[int]:
        return set(self._ids.values())

    def decide(self) -> Plan:
        self._jobs: dict[str, list[_Job]] = {key: [] for key in self._by_employee}
        key_of = {officer_id: key for key, officer_id in self._ids.items()}
        stored = Employment.objects.known().filter(officer__in=key_of).order_by("start_on")
        for pk, officer_id, start_on, end_on, category in stored.values_list(
            "pk", "officer_id", "start_on", "end_on", "category"
        ):
            self._jobs[key_of[officer_id]].append(_Job(start_on, end_on, category, (end_on, category), pk))
        #: details to write, of officers new and changed
        self._details: dict[str, dict[str, str]] = {}
        for key, rows in self._by_employee.items():
            self._decide_officer(key, sorted(rows, key=lambda row: (row.hired_on or date.min, row.line)))
        return self.plan(self._actions)

    def _decide_officer(self, key: str, rows: list[_OfficerRow]) -> None:
        taken: dict[date | None, _OfficerRow] = {}
        details: dict[str, str] = {}
        said_by: dict[str, _OfficerRow] = {}
        for row in rows:
            first = taken.get(row.hired_on)
            if first is not None:
                self._decide_repeat(row, first, self._job(key, row.hired_on))
                continue
            if row.hired_on is not None and not self._decide_job(key, row, row.hired_on):
                continue
            if row.hired_on is None and row.category:
                self.warn(row, "category", row.category, "Not recorded: a category needs hired_on.")
            taken[row.hired_on] = row
            details |= row.given
            said_by |= dict.fromkeys(row.given, row)
        if not taken:
            return
        stored = self._stored.get(key)
        if stored is None:
            self._details[key] = details
            next(iter(taken.values())).verdict = Verdict.NEW
            return
        changed = {name: value for name, value in details.items() if stored[name] != value}
        if changed:
            self._details[key] = changed
            for name in changed:
                if said_by[name].verdict is Verdict.SAME:
                    said_by[name].verdict = Verdict.CHANGED

    def _decide_repeat(self, row: _OfficerRow, first: _OfficerRow, job: _Job | None) -> None:
        """The same employment again: nothing new, or an error on this later row."""
        for name, value in row.given.items():
            if first.given.get(name) != value:
                self.refuse(row, name, value, f"Line {first.line} says otherwise of this member.")
                return
        if job is not None:
            if row.separated_on and row.separated_on != job.end_on:
                self.refuse(row, "separated_on", row.separated_on, f"Line {first.line} says otherwise.")
            elif row.category and row.category != job.category:
                self.refuse(row, "category", row.category, f"Line {first.line} says otherwise.")

    def _job(self, key: str, hired_on: date | None) -> _Job | None:
        return next((job for job in self._jobs[key] if job.start_on == hired_on), None)

    def _decide_job(self, key: str, row: _OfficerRow, hired_on: date) -> bool:
        """Make or change the employment a row tells; False where it would overlap another."""
        job = self._job(key, hired_on)
        end_on = row.separated_on or (job.end_on if job else None)
        for other in self._jobs[key]:
            if other is not job and hired_on <= (other.end_on or date.max) and other.start_on <= (end_on or date.max):
                until = f"to {other.end_on}" if other.end_on else "on, without a last day"
                self.refuse(
                    row,
                    "hired_on",
                    hired_on,
                    f"The member is employed already from {other.start_on} {until} ({other.category}).",
                )
                return False
        if job is None:
            self._jobs[key].append(_Job(hired_on, end_on, row.category or Category.SWORN, row=row))
            row.verdict = Verdict.NEW
            return True
        job.end_on, job.category = end_on, row.category or job.category
        if job.is_changed:
            job.row = row
            row.verdict = Verdict.CHANGED
        return True

    def _written(self) -> Iterator[tuple[str, _Job]]:
        for key in sorted(self._jobs):
            for job in self._jobs[key]:
                if job.is_changed:
                    yield key, job

    def _actions(self) -> Iterator[str]:
        for key, details in sorted(self._details.items()):
            yield f"{key} {sorted(details.items())}"
        for key, job in self._written():
            yield f"{key} {job.start_on} {job.end_on} {job.category} for {job.fact_id}"

    def act(self, recorder: Recorder | None) -> set[int]:
        assert recorder is not None  # noqa: S101 - employments are facts
        self._write_details()
        written = [(self._ids[key], job) for key, job in self._written()]
        if written:
            recorder.void(
                Employment(pk=job.fact_id, officer_id=officer_id) for officer_id, job in written if job.fact_id
            )
            recorder.record_many(
                Employment,
                ("officer_id", "start_on", "end_on", "category", "replaces_id"),
                [(officer_id, job.start_on, job.end_on, str(job.category), job.fact_id) for officer_id, job in written],
                {officer_id for officer_id, _ in written},
            )
        return set()

    def _write_details(self) -> None:
        """New officers and changed details; what a detail was before is kept."""
        new = [
            Officer(agency=self.agency, employee_id=self._by_employee[key][0].employee_id, **details)
            for key, details in self._details.items()
            if key not in self._ids
        ]
        for officer in Officer.objects.bulk_create(new, batch_size=5_000):
            self._ids[officer.employee_id.upper()] = officer.pk
        changed = {self._ids[key]: details for key, details in self._details.items() if key in self._stored}
        officers = Officer.objects.in_bulk(changed)
        former = [
            FormerDetail(officer=officers[pk], field=name, value=self._stored_detail(officers[pk], name))
            for pk, details in changed.items()
            for name in details
            if self._stored_detail(officers[pk], name)
        ]
        FormerDetail.objects.bulk_create(former, batch_size=5_000)
        for pk, details in changed.items():
            for name, value in details.items():
                setattr(officers[pk], name, value)
        if officers:
            Officer.objects.bulk_update(officers.values(), list(DETAILS), batch_size=1_000)

    @staticmethod
    def _stored_detail(officer: Officer, name: str) -> str:
        return str(getattr(officer, name))
