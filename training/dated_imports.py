"""Importing what holds of a course from one day to another: its lesson plans, and the courses it counts as.

Neither is a fact: a row changes what it names, and whoever has a completion of the course is judged anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from roster.cells import CellError
from roster.facts import Recorder
from roster.period_imports import span
from roster.plans import Fields, Plan, PlannedRow, RowImport, Verdict
from roster.tabular import Column
from training.course_finder import Courses, UnknownCourse
from training.course_imports import officers_with
from training.dated import save_dated
from training.models import Equivalency, LessonPlan
from training.titles import plan_key

Dated = LessonPlan | Equivalency
Key = tuple[int | str | date, ...]

COURSE = Column("course", "Course code or title", is_required=True, also=("course code", "course title"))
FIRST_DAY = Column("start_on", "First day", is_required=True, also=("start date", "from", "effective"))
LAST_DAY = Column("end_on", "Last day", also=("end date", "to", "until"))


@dataclass(slots=True)
class DatedRow(PlannedRow):
    #: the natural key as it is compared, and its columns as they are written
    key: Key = ()
    named: dict[str, Any] = field(default_factory=dict)
    #: the other columns that the row gives
    given: dict[str, Any] = field(default_factory=dict)
    #: the days as they will be
    start_on: date = date.min
    end_on: date | None = None


class DatedImport(RowImport):
    """Rows about courses, told apart by a natural key. What a row leaves blank stays as it is."""

    is_rules = True
    model: ClassVar[type[Dated]]
    #: what one of them is called in a sentence
    what: ClassVar[str]

    def gather(self) -> None:
        self.courses = Courses(self.options.source)
        self._rows: list[DatedRow] = []
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            planned = self.read_row(row.line, fields)
            if self.taken(row, planned, fields):
                self._rows.append(planned)

    def read_row(self, line: int, fields: Fields) -> DatedRow:
        raise NotImplementedError

    def key_of(self, stored: Any) -> Key:
        """The natural key of what is stored, as `read_row` makes it."""
        raise NotImplementedError

    def fits(self, row: DatedRow) -> bool:
        """Whether a row can be beside the others; an error on it where it cannot."""
        return True

    def read_course(self, fields: Fields, column: str) -> int:
        """The course of that code or title; 0, with an error, where there is none."""
        said = fields.text(column, 300, is_required=True)
        try:
            return self.courses.find(said) if said else 0
        except UnknownCourse:
            fields.wrong(column, "No course or alias has this code or title.")
        except CellError as error:
            fields.wrong(column, str(error))
        return 0

    def decide(self) -> Plan:
        self.stored: dict[Key, Any] = {self.key_of(row): row for row in self.model.objects.order_by("pk")}
        #: the first row of the file for each natural key
        self.wanted: dict[Key, DatedRow] = {}
        # in the order of their days where these tell rows apart, else in that of the file
        for row in sorted(self._rows, key=lambda row: (row.named.get("start_on", date.min), row.line)):
            self._decide_row(row)
        return self.plan(self._actions)

    def _decide_row(self, row: DatedRow) -> None:
        stored, first = self.stored.get(row.key), self.wanted.get(row.key)
        before = stored if stored is not None else self.model(**row.named)
        if first is not None:
            differing = [
                name for name, value in row.given.items() if first.given.get(name, getattr(before, name)) != value
            ]
            if differing:
                reason = f"Line {first.line} says otherwise of this {self.what}."
                self.refuse(row, differing[0], row.given[differing[0]], reason)
            return
        row.end_on = row.end_on or before.end_on
        if row.end_on is not None and row.end_on < row.start_on:
            reason = f"The last day recorded, {row.end_on}, is before this first day. Give a last day, too."
            self.refuse(row, "start_on", row.start_on, reason)
            return
        if self.fits(row):
            self.wanted[row.key] = row
            if stored is None:
                row.verdict = Verdict.NEW
            elif any(getattr(stored, name) != value for name, value in row.given.items()):
                row.verdict = Verdict.CHANGED
                for name, value in row.given.items():
                    if getattr(stored, name) != value:
                        row.differs(name, getattr(stored, name), value)

    def _actions(self) -> Iterator[str]:
        for row in self.wanted.values():
            if row.verdict is not Verdict.SAME:
                yield f"{row.key} {row.named if row.verdict is Verdict.NEW else ''} {row.given}"

    def act(self, recorder: Recorder | None) -> set[int]:
        """Officers with a completion of a course of which something else holds now."""
        judged: set[int] = set()
        for key, row in self.wanted.items():
            if row.verdict is Verdict.SAME:
                continue
            stored = self.stored.get(key) or self.model(**row.named)
            for name, value in row.given.items():
                setattr(stored, name, value)
            save_dated(stored)
            judged.add(stored.course_id)
        return officers_with(judged) if judged else set()


class LessonPlansImport(DatedImport):
    """Lesson plans by course and version. A later last day is how an old version is accepted longer."""

    kind = "lesson_plans"
    title = "Lesson plans"
    columns = (
        COURSE,
        Column("version", "Version", is_required=True, also=("lesson plan", "lesson plan version", "revision")),
        FIRST_DAY,
        LAST_DAY,
    )
    required = ((("course",),), (("version",),), (("start_on",),))
    model = LessonPlan
    writes = (LessonPlan,)
    what = "lesson plan"

    def read_row(self, line: int, fields: Fields) -> DatedRow:
        course = self.read_course(fields, "course")
        version = fields.id("version", longest=80, is_required=True)
        start_on, end_on = fields.period("start_on", "end_on")
        return DatedRow(
            line,
            f"{self.courses.codes.get(course, '')} {version} {start_on}",
            key=(course, plan_key(version)),
            named={"course_id": course, "version": version},
            given={"start_on": start_on} if end_on is None else {"start_on": start_on, "end_on": end_on},
            start_on=start_on or date.min,
            end_on=end_on,
        )

    def key_of(self, stored: LessonPlan) -> Key:
        return self.courses.stands_for[stored.course_id], plan_key(stored.version)


class EquivalenciesImport(DatedImport):
    """Courses that count as another, from a first day on. Of each pair one row holds at a time."""

    kind = "equivalencies"
    title = "Equivalencies"
    columns = (
        COURSE,
        Column("counts_as", "Counts as (code or title)", is_required=True, also=("equivalent to", "equivalent")),
        FIRST_DAY,
        LAST_DAY,
        Column("approved_by", "Approved by", also=("approval", "approver")),
    )
    required = ((("course",),), (("counts_as",),), (("start_on",),))
    model = Equivalency
    writes = (Equivalency,)
    what = "equivalency"

    def read_row(self, line: int, fields: Fields) -> DatedRow:
        course, counts_as = self.read_course(fields, "course"), self.read_course(fields, "counts_as")
        if course and course == counts_as:
            fields.wrong("counts_as", "A course does not count as itself.")
        start_on, end_on = fields.period("start_on", "end_on")
        given = {"end_on": end_on, "approved_by": fields.name("approved_by", 200)}
        codes = self.courses.codes
        return DatedRow(
            line,
            f"{codes.get(course, '')} as {codes.get(counts_as, '')} {start_on}",
            key=(course, counts_as, start_on or date.min),
            named={"course_id": course, "counts_as_id": counts_as, "start_on": start_on},
            given={name: value for name, value in given.items() if value},
            start_on=start_on or date.min,
            end_on=end_on,
        )

    def key_of(self, stored: Equivalency) -> Key:
        stands_for = self.courses.stands_for
        return stands_for[stored.course_id], stands_for[stored.counts_as_id], stored.start_on

    def fits(self, row: DatedRow) -> bool:
        others: dict[Key, Any] = {**self.stored, **self.wanted}
        for key, other in others.items():
            if key[:2] != row.key[:2] or key == row.key:
                continue
            if other.start_on <= (row.end_on or date.max) and row.start_on <= (other.end_on or date.max):
                reason = f"The course counts as this one {span(other.start_on, other.end_on)} already."
                self.refuse(row, "start_on", row.start_on, reason)
                return False
        return True
