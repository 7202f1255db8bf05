"""Completions as an import keeps them: columns of numbers and shared texts, up to a million rows.

What a row gives besides member, course and day is one tuple (`GIVEN`), shared by all rows that say the same, and kept
as the text the database would show for it, so that rows and stored facts compare as they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, overload

from django.db import connection

from roster.plans import Issue, Verdict
from training.models import Evidence, LessonPlan, Result
from training.titles import plan_key

LATE_AFTER_DAYS = 30

#: What a row may give, in the order of the tuples here, and what a new fact says where the row gives nothing.
GIVEN = {
    "hours": None,
    "score": None,
    "attendance": None,
    "result": Result.PASSED.value,
    "evidence": Evidence.VERIFIED.value,
    "verified_on": None,
    "certificate_number": "",
    "certificate_expires_on": None,
    "lesson_plan": "",
}
EVIDENCE, VERIFIED_ON, EXPIRES, PLAN = (
    list(GIVEN).index(name) for name in ("evidence", "verified_on", "certificate_expires_on", "lesson_plan")
)
COPIED = ("officer_id", "course_id", "completed_on", "class_number", *GIVEN)
Given = tuple[str | None, ...]
Key = int | tuple[int, str]
NEW, SAME, CHANGED, REJECTED, SKIPPED = range(5)
VERDICTS = (Verdict.NEW, Verdict.SAME, Verdict.CHANGED, Verdict.REJECTED, Verdict.SKIPPED)
#: days of the calendar, for packing a natural key into one number
_DAYS = 4_000_000


@dataclass(slots=True)
class Rows:
    """The rows of the file, column by column; a rejected row keeps its line only."""

    line: array[int]
    officer: array[int]
    course: array[int]
    day: array[int]
    verdict: bytearray
    class_number: list[str]
    given: list[Given]

    @classmethod
    def empty(cls) -> Rows:
        return cls(array("I"), array("q"), array("q"), array("I"), bytearray(), [], [])

    def add(
        self,
        line: int,
        verdict: int,
        officer: int = 0,
        course: int = 0,
        day: int = 0,
        number: str = "",
        given: Given = (),
    ) -> int:
        self.line.append(line)
        self.verdict.append(verdict)
        self.officer.append(officer)
        self.course.append(course)
        self.day.append(day)
        self.class_number.append(number)
        self.given.append(given)
        return len(self.line) - 1


#: course -> version as versions are compared -> first and last day in force
Plans = Mapping[int, Mapping[str, tuple[int, int]]]


def lesson_plans(stands_for: Mapping[int, int]) -> Plans:
    """The lesson plans of every course that has any; `stands_for` as in `Courses`. One query."""
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for course, version, start_on, end_on in LessonPlan.objects.values_list(
        "course_id", "version", "start_on", "end_on"
    ):
        days = start_on.toordinal(), (end_on or date.max).toordinal()
        found.setdefault(stands_for[course], {})[plan_key(version)] = days
    return found


OWN_WAITS = "Whoever sends this file is this member: it is recorded as pending, and counts once another verified it."
OWN_CHANGE = "Whoever sends this file is this member: somebody else has to correct or void it."


class Warnings(Sequence[Issue]):
    """Warnings as numbers, four for each row at most; the sentences are made when they are read."""

    def __init__(
        self,
        rows: Rows,
        hired: Mapping[int, int],
        plans: Plans,
        headers: Sequence[str],
        waiting: Collection[int],
        today: date,
    ) -> None:
        """Look through rows that will be recorded.

        `hired`: member -> day; `headers`: of day, lesson plan and evidence; `waiting`: the sender's own rows.
        """
        self._rows, self._hired, self._plans, self._headers = rows, hired, plans, headers
        #: four times the row, plus one when it is before the member was hired, two when its plan does not count, three
        #: when it waits for another person than its sender
        self._codes = array("Q")
        long_ago = today.toordinal() - LATE_AFTER_DAYS
        for place, verdict in enumerate(rows.verdict):
            if verdict in (NEW, CHANGED):
                if rows.day[place] < long_ago and verdict == NEW:
                    self._codes.append(place * 4)
                if rows.day[place] < hired.get(rows.officer[place], 0):
                    self._codes.append(place * 4 + 1)
                if plans and self._plan_counts(place) is False:
                    self._codes.append(place * 4 + 2)
                if place in waiting:
                    self._codes.append(place * 4 + 3)

    def _plan_counts(self, place: int) -> bool | None:
        """Whether the lesson plan a row names was in force on its day; None where there is nothing to look at."""
        version, known = self._rows.given[place][PLAN], self._plans.get(self._rows.course[place])
        if not version or not known:
            return None
        first, last = known.get(plan_key(version), (0, 0))
        return first <= self._rows.day[place] <= last

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int) -> Issue: ...
    @overload
    def __getitem__(self, index: slice) -> list[Issue]: ...
    def __getitem__(self, index: int | slice) -> Issue | list[Issue]:
        if isinstance(index, slice):
            return [self._said(code) for code in self._codes[index]]
        return self._said(self._codes[index])

    def _said(self, code: int) -> Issue:
        place, kind = divmod(code, 4)
        if kind == 3:
            return Issue(self._rows.line[place], self._headers[2], "", OWN_WAITS)
        day = date.fromordinal(self._rows.day[place]).isoformat()
        if kind == 2:
            version = self._rows.given[place][PLAN] or ""
            if plan_key(version) in self._plans[self._rows.course[place]]:
                reason = f"This lesson plan was not in force on {day}: the completion does not count."
            else:
                reason = "The course has lesson plans, but none of this version: the completion does not count."
            return Issue(self._rows.line[place], self._headers[1], version, reason)
        if kind == 1:
            hired_on = date.fromordinal(self._hired[self._rows.officer[place]])
            reason = f"Before the member was hired, on {hired_on}."
        else:
            reason = f"Entered more than {LATE_AFTER_DAYS} days after the class."
        return Issue(self._rows.line[place], self._headers[0], day, reason)


def key_of(officer: int, course: int, day: int, number: str) -> Key:
    """The natural key, as one number where there is no class number. Courses to be made are below zero."""
    packed = ((officer << 32) + course) * _DAYS + day
    return (packed, number) if number else packed


def differ(given: str | None, stored: str | None) -> bool:
    """Whether a given value says otherwise; a blank one says nothing."""
    return given is not None and given != stored


def unverified(given: Given, *, says: str | None = None) -> Given:
    """The same with what it says of verified evidence left out, or with `says` in its place."""
    if given[EVIDENCE] not in (None, Evidence.VERIFIED.value):
        return given
    less = {EVIDENCE: says, VERIFIED_ON: None}
    return tuple([less.get(place, value) for place, value in enumerate(given)])


def with_defaults(given: Given) -> Iterator[str | None]:
    return (default if value is None else value for value, default in zip(given, GIVEN.values(), strict=True))


def copy_text(value: str | None) -> str:
    return "\\N" if value is None else value.replace("\\", "\\\\")


def stored_completions(officer_ids: list[int]) -> Iterator[tuple[Any, ...]]:
    """Every completion of these members that stands: id, member, course, day, class number, and GIVEN as text."""
    given = ", ".join(f"{name}::text" for name in GIVEN)
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT id, officer_id, course_id, completed_on - DATE '0001-01-01' + 1, class_number, {given}"  # noqa: S608 - constants
            " FROM training_completion WHERE voided_in_id IS NULL AND officer_id = ANY(%s)",
            [officer_ids],
        )
        while rows := cursor.fetchmany(5_000):
            yield from rows
