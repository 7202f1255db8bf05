"""Importing what was approved for a member under a requirement: waivers, and extensions of the date in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from operator import attrgetter
from typing import NamedTuple, cast

from compliance import engine
from compliance.gather import gather_members, gather_rules
from compliance.models import Extension, Requirement, Waiver
from roster.imports import WHO_COLUMNS
from roster.models import Officer
from roster.period_imports import KeptFact, KeyedFactsImport, KeyedRow, span
from roster.plans import Fields, Plan, Verdict
from roster.tabular import Column, Row

#: Members whose facts are held at a time.
SLICE = 1000

REQUIREMENT = Column("requirement", "Requirement code", is_required=True, also=("requirement code", "standard"))
APPROVAL = Column("approval", "Approval reference", also=("approved by", "order", "reference"))


class ApprovalsImport(KeyedFactsImport):
    """What waivers and extensions share: rows are about a member and a requirement."""

    carried_columns = ("approver_id",)

    def gather(self) -> None:
        codes = Requirement.objects.values_list("code", "pk")
        self._requirements = {code.casefold(): pk for code, pk in codes} | dict(codes)
        self.codes = {pk: code for code, pk in codes}
        super().gather()

    def read_requirement(self, fields: Fields) -> int:
        """The requirement of that code; 0, with an error, where there is none."""
        code = fields.name("requirement", 80, is_required=True)
        found = self._requirements.get(code) or self._requirements.get(code.casefold(), 0)
        if code and not found:
            fields.wrong("requirement", "There is no requirement with this code.")
        return found

    def fits(self, wanted: KeptFact, others: Iterable[KeptFact], row: KeyedRow) -> bool:
        """Nobody records for themselves, by a file no more than by a page."""
        if row.officer_id not in self.own:
            return True
        officer = Officer.objects.get(pk=row.officer_id)
        self.refuse(row, "employee_id", officer.employee_id, own_words(officer))
        return False


def own_words(officer: Officer) -> str:
    """What is said to a member who records something for themselves."""
    return f"You are {officer.full_name}. Somebody else has to record this for you."


class WaiversImport(ApprovalsImport):
    """Waivers: a member is excused from a requirement from a first to a last day."""

    kind = "waivers"
    title = "Waivers"
    columns = (
        *WHO_COLUMNS,
        REQUIREMENT,
        Column("start_on", "First day", is_required=True, also=("start date", "from", "effective")),
        Column("end_on", "Last day", is_required=True, also=("end date", "to", "until")),
        APPROVAL,
    )
    required = ((("requirement",),), (("start_on",),), (("end_on",),))
    model = Waiver
    what = "waiver"
    key_columns = ("requirement_id", "start_on")
    value_columns = ("end_on", "approval")
    defaults = (None, "")

    def read_row(self, row: Row, fields: Fields) -> KeyedRow:
        requirement = self.read_requirement(fields)
        start_on, end_on = fields.period("start_on", "end_on", needs_end=True)
        return KeyedRow(
            row.line,
            f"{self.codes.get(requirement, '')} {start_on}",
            start_on=start_on or date.min,
            named=(requirement, start_on),
            given=(end_on, fields.name("approval", 100)),
        )

    def fits(self, wanted: KeptFact, others: Iterable[KeptFact], row: KeyedRow) -> bool:
        """Waivers may overlap; the row is taken, and says so."""
        if not super().fits(wanted, others, row):
            return False
        last = cast("date", wanted.values[0])
        for other in others:
            first, until = cast("date", other.named[1]), cast("date", other.values[0])
            if other.named[0] == wanted.named[0] and row.start_on <= until and first <= last:
                self.warn(row, "start_on", row.start_on, f"Overlaps the waiver {span(first, until)}.")
        return True


class ExtensionsImport(ApprovalsImport):
    """Extensions of a member's date in force. One approved after that date had passed is refused (rules.md 6)."""

    kind = "extensions"
    title = "Extensions"
    columns = (
        *WHO_COLUMNS,
        REQUIREMENT,
        Column("until_on", "Extended until", is_required=True, also=("until", "extended to", "new due date")),
        Column("approved_on", "Approved on", is_required=True, also=("approval date", "approved", "date approved")),
        APPROVAL,
    )
    required = ((("requirement",),), (("until_on",),), (("approved_on",),))
    model = Extension
    what = "extension"
    key_columns = ("requirement_id", "until_on", "approved_on")
    value_columns = ("approval",)
    defaults = ("",)
    day_column = "approved_on"

    def read_row(self, row: Row, fields: Fields) -> KeyedRow:
        requirement = self.read_requirement(fields)
        until_on, approved_on = fields.day("until_on", is_required=True), fields.day("approved_on", is_required=True)
        if until_on and approved_on and until_on < approved_on:
            fields.wrong("until_on", f"The extension ends before the day it was approved, {approved_on}.")
        return KeyedRow(
            row.line,
            f"{self.codes.get(requirement, '')} until {until_on}",
            start_on=approved_on or date.min,
            named=(requirement, until_on, approved_on),
            given=(fields.name("approval", 100),),
        )

    def decide(self) -> Plan:
        self._rules = gather_rules()
        return super().decide()

    def rows_by_day(self) -> Iterator[tuple[int, list[KeyedRow]]]:
        """As for every kind, with the facts of the members at hand: eight queries for each slice of them."""
        rows = super().rows_by_day()
        while part := list(islice(rows, SLICE)):
            self._members = gather_members([officer_id for officer_id, _ in part], self._rules)
            yield from part

    def fits(self, wanted: KeptFact, others: Iterable[KeptFact], row: KeyedRow) -> bool:
        """Whether it was approved in time, beside the extensions that stand and those of this file."""
        if not super().fits(wanted, others, row):
            return False
        if wanted.fact_id is not None:
            return True  # recorded before; only its reference changes
        requirement, until_on, approved_on = _as_extension(wanted)
        if approved_on > self.today:
            self.warn(row, "approved_on", approved_on, f"It is approved after today, {self.today}.")
        extensions = [engine.Extension(*_as_extension(other)) for other in others]
        facts = replace(self._members[row.officer_id], extensions=extensions)
        found = in_force_on(approved_on, self._rules.editions[requirement], facts)
        if found.edition is None:
            self.warn(row, "approved_on", approved_on, "No edition of the requirement was in force on this day.")
        elif found.has_passed and found.due_on is None:
            reason = "The member was not asked on this day, and no credit was running that could be extended."
            self.refuse(row, "approved_on", approved_on, reason)
        elif found.has_passed:
            reason = f"Approved too late: the date in force had passed, {found.due_on}."
            self.refuse(row, "approved_on", approved_on, reason)
        elif found.due_on is None or until_on <= found.due_on:
            due = (
                f"the date in force is {found.due_on} already" if found.due_on else f"there is no date, {found.no_date}"
            )
            self.warn(row, "until_on", until_on, f"It changes nothing: {due}.")
        return row.verdict is not Verdict.REJECTED


def _as_extension(kept: KeptFact) -> tuple[int, date, date]:
    """Requirement, until, approved on."""
    return cast("tuple[int, date, date]", kept.named)


class InForce(NamedTuple):
    """The date in force on a day: what an extension approved on it would act on."""

    #: None where no edition was in force
    edition: engine.Edition | None
    #: None where it never comes, or for a member who was not asked
    due_on: date | None
    has_passed: bool
    #: there is no date because leave moves it and has no last day
    waits_for_leave: bool = False

    @property
    def no_date(self) -> str:
        """Why there is no date to extend, where the member is asked."""
        return "a leave without a last day moves it on" if self.waits_for_leave else "the credit is good for ever"


def in_force_on(day: date, editions: Sequence[engine.Edition], facts: engine.MemberFacts) -> InForce:
    """The due date of that day, waivers and leave disregarded (rules.md 6).

    Outside membership it is the limit of a credit that still runs. Neither the waiver nor the leave of that day has
    moved a date by then, so leaving both out disregards them; leave that tolls excuses nobody and stays.
    """
    edition = next((edition for start, end, edition in engine.in_force(editions) if start <= day <= end), None)
    if edition is None:
        return InForce(None, None, has_passed=False)
    facts = replace(facts, waivers=(), leaves=_without_leave_of(day, edition, facts.leaves))
    period = _on_day(day, editions, facts)
    if period is not None:
        return _of_period(edition, period)
    everybody = replace(edition, population=engine.Population(), effective_from=date.min, effective_to=None)
    period = _on_day(day, [everybody], replace(facts, employments=_employed_on(day, facts.employments)))
    if period is not None and period.state is engine.State.CURRENT:
        return _of_period(edition, period)
    return InForce(edition, None, has_passed=True)


def _of_period(edition: engine.Edition, period: engine.Period) -> InForce:
    is_for_good = period.state is engine.State.CURRENT and engine.clock_of(edition) is engine.Clock.ONCE
    waits = period.due_on is None and edition.leave is engine.LeaveRule.TOLL and not is_for_good
    return InForce(edition, period.due_on, period.state is engine.State.OVERDUE, waits)


def _on_day(day: date, editions: Sequence[engine.Edition], facts: engine.MemberFacts) -> engine.Period | None:
    line = engine.timeline(editions, facts)
    return next((row for row in line if row.start_on <= day and (row.end_on is None or day <= row.end_on)), None)


def _without_leave_of(day: date, edition: engine.Edition, leaves: Sequence[engine.Leave]) -> Sequence[engine.Leave]:
    """The leaves but for the one that excuses on this day, with every row that touches or overlaps it."""
    if edition.leave is not engine.LeaveRule.EXCLUDE:
        return leaves
    of_kind = [leave for leave in leaves if edition.leave_kinds is None or leave.kind in edition.leave_kinds]
    away = next((span for span in engine.join_spans(of_kind) if span[0] <= day <= span[1]), None)
    if away is None:
        return leaves
    return [leave for leave in leaves if leave not in of_kind or not away[0] <= leave.start_on <= away[1]]


def _employed_on(day: date, employments: Sequence[engine.Employment]) -> Sequence[engine.Employment]:
    """Employments that cover the day, too: the last before it goes on until then, so that no break is made or ended."""
    before = max((row for row in employments if row.start_on <= day), key=attrgetter("start_on"), default=None)
    if before is None:
        return [*employments, engine.Employment(day, day, "")]
    if before.end_on is None or before.end_on >= day:
        return employments
    return [replace(row, end_on=day) if row is before else row for row in employments]
