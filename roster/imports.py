"""Importing officers with their employments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from roster.cells import CellError
from roster.facts import Recorder
from roster.matching import split_name
from roster.models import Category, Employment, FormerDetail, Officer
from roster.plans import Fields, Plan, PlannedRow, RowImport, Verdict, Written
from roster.tabular import Column
from roster.unit_imports import lock_agency

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
        also=(
            "member no",
            "member number",
            "employee number",
            "employee no",
            "emp id",
            "emp no",
            "personnel number",
            "id",
        ),
    ),
    Column("post_id", "State POST id", also=("post number", "state id", "license number")),
    Column("name", "Name (LAST, FIRST M., SUFFIX)", also=("full name", "member name", "officer name")),
    Column("last_name", "Last name", also=("surname", "last")),
    Column("first_name", "First name", also=("given name", "first")),
    Column("hired_on", "Hired on", also=("appt date", "appointment date", "hire date", "date of hire")),
    Column("badge", "Badge", also=("shield no", "badge number", "shield")),
    Column("email", "E-mail", also=("email address", "mail")),
)


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
        has_name = "name" in self.table.places and not {"last_name", "first_name"} <= self.table.places.keys()
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
        #: ids of records that were merged -> the id of the one that was kept
        self._merged: dict[str, str] = {}
        stored = Officer.objects.filter(agency=self.agency).values_list(
            "id", "employee_id", "merged_into__employee_id", *DETAILS
        )
        for officer_id, employee_id, kept, *details in stored.iterator(chunk_size=5_000):
            key = employee_id.upper()
            if key in self._by_employee:
                if kept:
                    self._merged[key] = kept
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
        if key in self._merged:
            reason = f"This record was merged into {self._merged[key]}. Send the row under that id, or undo the merge."
            for row in rows:
                self.refuse(row, "employee_id", row.employee_id, reason)
            return
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
                said_by[name].differs(name, stored[name], changed[name])
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
            if hired_on > self.today:
                self.warn(row, "hired_on", hired_on, f"The member is hired after today, {self.today}.")
            return True
        wanted = end_on, row.category or job.category
        for name, before, after in zip(("separated_on", "category"), (job.end_on, job.category), wanted, strict=True):
            if before != after:
                row.differs(name, before, after)
        job.end_on, job.category = wanted
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
            key = officer.employee_id.upper()
            self._ids[key] = officer.pk
            self._wrote(officer, None, {"employee_id": officer.employee_id, **self._details[key]})
        changed = {self._ids[key]: details for key, details in self._details.items() if key in self._stored}
        officers = Officer.objects.in_bulk(changed)
        former = [
            FormerDetail(officer=officers[pk], field=name, value=self._stored_detail(officers[pk], name))
            for pk, details in changed.items()
            for name in details
            if self._stored_detail(officers[pk], name)
        ]
        for row in FormerDetail.objects.bulk_create(former, batch_size=5_000):
            self._wrote(row, None, {"officer_id": row.officer_id})
        for pk, details in changed.items():
            self._wrote(officers[pk], {name: self._stored_detail(officers[pk], name) for name in details}, details)
            for name, value in details.items():
                setattr(officers[pk], name, value)
        if officers:
            Officer.objects.bulk_update(officers.values(), list(DETAILS), batch_size=1_000)

    def _wrote(self, row: Officer | FormerDetail, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        self.written.append(Written(row._meta.label_lower, row.pk, before, after))

    @staticmethod
    def _stored_detail(officer: Officer, name: str) -> str:
        return str(getattr(officer, name))
