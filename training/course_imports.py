"""Importing courses, and the titles that files know them by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from roster.facts import Recorder
from roster.plans import Fields, Plan, PlannedRow, RowImport, Verdict
from roster.tabular import Column
from roster.trail import Act, What, note, note_saved, values_of
from training.models import Completion, Course, CourseAlias, CourseKind, Equivalency, Mode
from training.titles import title_key

#: What standings read of a course: when one of these changes, its completions are judged anew.
JUDGED = frozenset({"hours", "mode", "min_score", "min_attendance"})
#: What the trail does not say of a course.
NOT_TOLD = ("title_key", "is_from_title", "same_as")


def officers_with(course_ids: set[int]) -> set[int]:
    """Officers with a completion of these courses, of what counts as one, or of titles mapped to them. Two queries."""
    equivalent = Equivalency.objects.filter(counts_as__in=course_ids).values_list("course_id", flat=True)
    course_ids = course_ids.union(equivalent)
    found = Completion.objects.known().filter(course__in=course_ids) | Completion.objects.known().filter(
        course__same_as__in=course_ids
    )
    return set(found.values_list("officer_id", flat=True).distinct())


@dataclass(slots=True)
class _CourseRow(PlannedRow):
    code: str = ""
    given: dict[str, str | Decimal] = field(default_factory=dict)


class CoursesImport(RowImport):
    """Courses by code. A title that completions were recorded under before it had a course becomes this course."""

    kind = "courses"
    title = "Courses"
    is_rules = True
    columns = (
        Column("code", "Code", is_required=True, also=("course code", "course number", "course id")),
        Column("title", "Title", is_required=True, also=("course", "course title", "course name", "name")),
        Column("kind", "Kind", also=("course kind", "type")),
        Column("hours", "Hours", also=("hrs", "length", "course hours")),
        Column("mode", "Mode", also=("delivery", "delivery mode")),
        Column("min_score", "Pass mark, percent", also=("passing score", "pass mark")),
        Column("min_attendance", "Minimum attendance, percent", also=("attendance required",)),
    )
    required = ((("code",),), (("title",),))
    writes = (Course,)

    def gather(self) -> None:
        self._rows: list[_CourseRow] = []
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            code = fields.name("code", 80, is_required=True)
            said = {
                "title": fields.text("title", 300, is_required=True),
                "kind": fields.choice("kind", CourseKind.values),
                "hours": fields.number("hours", 9999),
                "mode": fields.choice("mode", Mode.values),
                "min_score": fields.number("min_score", 100),
                "min_attendance": fields.number("min_attendance", 100),
            }
            given = {name: value for name, value in said.items() if value is not None and value != ""}
            planned = _CourseRow(row.line, f"{code} {said['title']}", code=code, given=given)
            if self.taken(row, planned, fields):
                self._rows.append(planned)

    def decide(self) -> Plan:
        self._stored = {course.code.upper(): course for course in Course.objects.all()}
        self._wanted: dict[str, _CourseRow] = {}
        for row in self._rows:
            key = row.code.upper()
            first = self._wanted.get(key)
            course = self._stored.get(key)
            if first is not None:
                before = {**_course_fields(course), **first.given}
                differing = next((name for name, value in row.given.items() if before.get(name) != value), None)
                if differing:
                    reason = f"Line {first.line} says otherwise of course {row.code}."
                    self.refuse(row, differing, row.given[differing], reason)
                continue
            self._wanted[key] = row
            stored = _course_fields(course)
            if course is None:
                row.verdict = Verdict.NEW
            elif course.is_from_title or any(stored[name] != value for name, value in row.given.items()):
                row.verdict = Verdict.CHANGED
                for name, value in row.given.items():
                    if stored[name] != value:
                        row.differs(name, stored[name], value)
        return self.plan(self._actions)

    def _actions(self) -> Iterator[str]:
        for key, row in sorted(self._wanted.items()):
            if row.verdict is not Verdict.SAME:
                yield f"{key} {sorted(row.given.items())}"

    def act(self, recorder: Recorder | None) -> set[int]:
        """Officers with completions that are judged differently now."""
        judged: set[int] = set()
        for key, row in self._wanted.items():
            if row.verdict is Verdict.SAME:
                continue
            course = self._stored.get(key) or Course(code=row.code)
            before = _course_fields(course)
            was = values_of(course, leave_out=NOT_TOLD) if course.pk else None
            for name, value in row.given.items():
                setattr(course, name, value)
            course.title_key = title_key(course.title)
            course.is_from_title = False
            course.save()
            now = values_of(course, leave_out=NOT_TOLD)
            note_saved(What.COURSE, f"{course.title} ({course.code})", was, now, about=course.pk)
            linked = link_title(course.title_key, course)
            if linked or any(before[name] != getattr(course, name) for name in JUDGED):
                judged |= {course.pk, *linked}
        return officers_with(judged) if judged else set()


def _course_fields(course: Course | None) -> dict[str, object]:
    course = course or Course()
    return {name: getattr(course, name) for name in ("title", "kind", *sorted(JUDGED))}


def map_title(title: str, course: Course, *, source: str) -> set[int]:
    """Remember which course a title of a source is; the ids of courses made from the title that are it from now on.

    Inside `changing_rules`.
    """
    key = title_key(title)
    alias = CourseAlias.objects.select_related("course").filter(title_key=key, source=source).first()
    before = None if alias is None else {"course": alias.course.code}
    if alias is None:
        alias = CourseAlias(title=title, title_key=key, source=source)
    alias.course = course
    alias.save()
    note_saved(What.ALIAS, f"{title}, {source or 'any source'}", before, {"course": course.code})
    return link_title(key, course, unless_linked=bool(source))


def forget_title(made: Course) -> None:
    """Let a title count toward nothing again: no source means a course by it. Inside `changing_rules`."""
    for alias in CourseAlias.objects.select_related("course").filter(title_key=made.title_key):
        note(
            What.ALIAS,
            Act.REMOVED,
            f"{alias.title}, {alias.source or 'any source'}",
            before={"course": alias.course.code},
        )
        alias.delete()
    if made.same_as is not None:
        note(
            What.MAPPING, Act.CHANGED, f"{made.title} ({made.code})", before={"is": made.same_as.code}, after={"is": ""}
        )
        Course.objects.filter(pk=made.pk).update(same_as=None)


def link_title(key: str, course: Course, *, unless_linked: bool = False) -> set[int]:
    """Say that the course made from this title is `course`; the ids of those that were something else before."""
    found = Course.objects.filter(title_key=key, is_from_title=True).exclude(pk=course.pk).exclude(same_as=course)
    if unless_linked:
        found = found.filter(same_as=None)
    made = list(found.select_related("same_as"))
    Course.objects.filter(pk__in=[row.pk for row in made]).update(same_as=course)
    for row in made:
        before = {"is": row.same_as.code} if row.same_as else {}
        note(What.MAPPING, Act.CHANGED, f"{row.title} ({row.code})", before=before, after={"is": course.code})
    return {row.pk for row in made}


@dataclass(slots=True)
class _AliasRow(PlannedRow):
    alias_title: str = ""
    source: str = ""
    course_id: int = 0


class CourseAliasesImport(RowImport):
    """Titles mapped to courses, by a person, once. Completions recorded under a title become that course's."""

    kind = "course_aliases"
    title = "Course titles"
    is_rules = True
    columns = (
        Column("title", "Title", is_required=True, also=("course title", "course name", "alias", "their title")),
        Column("course", "Course code", is_required=True, also=("course code", "code")),
        Column("source", "Source", also=("system", "file source")),
    )
    required = ((("title",),), (("course",),))
    writes = (Course, CourseAlias)

    def gather(self) -> None:
        courses = {course.code.upper(): course for course in Course.objects.all()}
        self._codes = {course.pk: course.code for course in courses.values()}
        self._rows: list[_AliasRow] = []
        for row in self.file_rows():
            fields = Fields(row.cells, self.table.places, self.days)
            title = fields.text("title", 300, is_required=True)
            code = fields.name("course", 80, is_required=True)
            course = courses.get(code.upper())
            if code and course is None:
                fields.wrong("course", "There is no course with this code.")
            planned = _AliasRow(
                row.line,
                f"{title}: {code}",
                alias_title=title,
                source=fields.name("source", 100),
                course_id=(course.same_as_id or course.pk) if course else 0,
            )
            if self.taken(row, planned, fields):
                self._rows.append(planned)

    def decide(self) -> Plan:
        self._stored = {(alias.title_key, alias.source.casefold()): alias for alias in CourseAlias.objects.all()}
        made = Course.objects.filter(is_from_title=True).values_list("title_key", "pk", "same_as_id")
        same_as = {key: (pk, same_as_id) for key, pk, same_as_id in made}
        self._wanted: dict[tuple[str, str], _AliasRow] = {}
        for row in self._rows:
            key = title_key(row.alias_title), row.source.casefold()
            first = self._wanted.get(key)
            if first is not None:
                if first.course_id != row.course_id:
                    reason = f"Line {first.line} maps this title to another course."
                    self.refuse(row, "course", row.summary.rpartition(": ")[2], reason)
                continue
            self._wanted[key] = row
            alias = self._stored.get(key)
            made_pk, linked_to = same_as.get(key[0], (row.course_id, row.course_id))
            needs_link = linked_to != row.course_id != made_pk and (not row.source or linked_to is None)
            if alias is None:
                row.verdict = Verdict.NEW
            elif alias.course_id != row.course_id or needs_link:
                row.verdict = Verdict.CHANGED
                row.differs("course", self._codes.get(alias.course_id), self._codes.get(row.course_id))
        return self.plan(self._actions)

    def _actions(self) -> Iterator[str]:
        for key, row in sorted(self._wanted.items()):
            if row.verdict is not Verdict.SAME:
                yield f"{key} {row.course_id}"

    def act(self, recorder: Recorder | None) -> set[int]:
        """Officers with completions recorded under a title that is another course now."""
        courses = Course.objects.in_bulk({row.course_id for row in self._wanted.values()})
        judged: set[int] = set()
        for key, row in self._wanted.items():
            if row.verdict is Verdict.SAME:
                continue
            stored = self._stored.get(key)
            source = row.source if stored is None else stored.source
            judged |= map_title(row.alias_title, courses[row.course_id], source=source)
        return officers_with(judged) if judged else set()
