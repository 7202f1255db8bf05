"""Which course a file means: by code, by a title that a person mapped, or by the course's own title."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict

from roster.cells import CellError
from training.models import Course, CourseAlias, CourseKind
from training.titles import title_key


class UnknownCourse(Exception):
    """A title that no course or alias has."""


class Courses:
    """Courses by what a file calls them: code, alias of the source, alias of any source, title. Two queries.

    An answer is the course a title stands for (`same_as`, or itself).
    """

    def __init__(self, source: str) -> None:
        self.codes: dict[int, str] = {}
        #: what people know them by: the code, or the title of what is no more than a title
        self.words: dict[int, str] = {}
        self.stands_for: dict[int, int] = {}
        self._by_code: dict[str, int] = {}
        by_title: dict[str, set[int]] = defaultdict(set)
        placeholders: dict[str, int] = {}
        rows = Course.objects.order_by("pk").values_list(
            "pk", "code", "title", "title_key", "same_as_id", "is_from_title"
        )
        for pk, code, title, key, same_as_id, is_from_title in rows:
            self.codes[pk] = code
            self.words[pk] = f"“{title}”" if is_from_title else code
            self.stands_for[pk] = same_as_id or pk
            self._by_code[code.upper()] = same_as_id or pk
            if is_from_title:
                placeholders[key] = same_as_id or pk
            else:
                by_title[key].add(same_as_id or pk)
        self._by_title = {**{key: {pk} for key, pk in placeholders.items()}, **by_title}
        self._by_alias: dict[tuple[str, str], int] = {}
        for key, alias_source, course_id in CourseAlias.objects.values_list("title_key", "source", "course_id"):
            self._by_alias[key, alias_source.casefold()] = self.stands_for[course_id]
        self._source = source.casefold()
        #: courses to be made, by a number below zero that stands for them until then
        self.new: dict[int, Course] = {}

    def find(self, title: str) -> int:
        """`UnknownCourse` where nothing has this title, `CellError` where several courses do."""
        known = self._by_code.get(title.upper())
        if known is not None:
            return known
        key = title_key(title)
        for source in (self._source, ""):
            known = self._by_alias.get((key, source))
            if known is not None:
                return known
        found = self._by_title.get(key, set())
        if len(found) > 1:
            codes = ", ".join(sorted(self.codes[pk] for pk in found))
            raise CellError(f"Several courses have this title: {codes}. Give the code.")
        if not found:
            raise UnknownCourse(title)
        return min(found)

    def add(self, title: str) -> int:
        """Plan a course that counts toward nothing until a person maps it. Its code is made from the title."""
        if len(title) > 300:
            raise CellError(f"This title is {len(title)} characters long; 300 fit.")
        key = title_key(title)
        code = re.sub(r"[^A-Z0-9]+", "-", title.upper()).strip("-")[:60]
        if code != title.upper():
            # not the code that somebody may give a course of their own: "CIT 40" is not CIT-40
            code = f"{code or 'TITLE'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        number = -1 - len(self.new)
        self.new[number] = Course(code=code, title=title, title_key=key, kind=CourseKind.OTHER, is_from_title=True)
        self.codes[number], self.words[number] = code, f"“{title}”"
        self._by_code[code.upper()] = number
        self._by_title[key] = {number}
        return number
