"""Finding the member a row is about: by employee id, or by whatever else the file has. Never a guess."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from roster.cells import CellError, Days, read_id, read_name
from roster.models import Agency, Employment, Officer

#: What members can be found by.
MATCH_COLUMNS = ("employee_id", "post_id", "badge", "email", "last_name", "first_name", "hired_on")
MOST_NAMED = 5

SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})

Key = tuple[str, ...]


class NoMember(Exception):
    """Why a row fits no member, or several: a sentence, with the column and the value it is about."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def fold(text: str) -> str:
    """Text as members are compared: case, accents, punctuation and spaces do not matter."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def fold_name(text: str) -> str:
    """A name as members are compared: a suffix at its end does not matter either."""
    return fold(split_suffix(text)[0])


def split_suffix(text: str) -> tuple[str, str]:
    """`Smith Jr.` into `Smith` and `Jr.`; without a suffix the second is empty."""
    words = re.split(r"[\s,]+", text.strip())
    if len(words) > 1 and fold(words[-1]) in SUFFIXES:
        return " ".join(words[:-1]), words[-1]
    return text, ""


def split_name(text: str) -> tuple[str, str, str, str]:
    """`LAST, FIRST M., SUFFIX` into last, first, middle, suffix; `CellError` where it is nothing of the kind."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 3) or not all(parts):
        raise CellError("A name is written LAST, FIRST M., SUFFIX.")
    last, suffix = split_suffix(parts[0])
    given, after = split_suffix(parts[1])
    first, _, middle = given.partition(" ")
    return last, first, middle, parts[2] if len(parts) == 3 else after or suffix


class Members:
    """The members of an agency by what a file says of them. One query, two where the day of hiring is asked."""

    def __init__(self, agency: Agency, match: Sequence[str] = (), *, date_format: str = "") -> None:
        self._agency = agency
        self.columns = tuple(match) or ("employee_id",)
        self._days = Days(date_format)
        self.employee_ids: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._by_key: dict[Key, list[int]] = defaultdict(list)
        self._by_id: dict[str, int] | None = None
        self._by_digits: dict[str, list[int]] | None = None
        self._by_name: dict[Key, list[int]] = defaultdict(list)
        hired: dict[int, list[date]] = defaultdict(list)
        if "hired_on" in self.columns:
            employments = Employment.objects.known().filter(officer__agency=agency)
            for officer_id, start_on in employments.values_list("officer_id", "start_on"):
                hired[officer_id].append(start_on)
        fields = [column for column in self.columns if column != "hired_on"]
        place = self.columns.index("hired_on") if "hired_on" in self.columns else None
        rows = Officer.objects.filter(agency=agency).values_list(
            "id", "merged_into_id", "employee_id", "last_name", "first_name", *fields
        )
        for officer_id, kept_id, employee_id, last_name, first_name, *values in rows.iterator(chunk_size=5_000):
            if self.columns == ("employee_id",):
                # The id of a record that was merged is the member's whose record was kept.
                self._by_key[(employee_id.upper(),)].append(kept_id or officer_id)
            if kept_id is not None:
                continue
            self.employee_ids[officer_id] = employee_id
            self._names[officer_id] = f"{last_name}, {first_name}"
            if self.columns == ("employee_id",):
                continue
            folded = [self._fold(column, value) for column, value in zip(fields, values, strict=True)]
            if not all(folded):
                continue
            if place is None:
                self._by_key[tuple(folded)].append(officer_id)
                continue
            self._by_name[tuple(folded)].append(officer_id)
            for start_on in hired[officer_id]:
                self._by_key[(*folded[:place], start_on.isoformat(), *folded[place:])].append(officer_id)

    def find(self, values: Sequence[str]) -> int:
        """The id of the one member these cells fit; `NoMember` with a sentence otherwise."""
        key = tuple(self._read(column, value) for column, value in zip(self.columns, values, strict=True))
        found = self._by_key.get(key, ())
        if len(found) == 1:
            return found[0]
        column, value = self.columns[0], values[0].strip()
        if found:
            raise NoMember(column, value, f"{len(found)} members fit: {self._named(found)}. Say which by employee id.")
        if self.columns == ("employee_id",):
            raise NoMember(column, value, f"No member has this employee id.{self._alike(key[0])}")
        wanted = ", ".join(f"{column} {value.strip()}" for column, value in zip(self.columns, values, strict=True))
        near = self._by_name.get(
            tuple(part for part, column in zip(key, self.columns, strict=True) if column != "hired_on")
        )
        hint = f" Hired on another day: {self._named(near)}." if near else ""
        raise NoMember(column, value, f"No member fits {wanted}.{hint}")

    def with_id(self, employee_id: str) -> int | None:
        """The member with this very id; None where there is none."""
        if self._by_id is None:
            self._by_id = {known.upper(): officer_id for officer_id, known in self.employee_ids.items()}
        return self._by_id.get(employee_id.upper())

    def _read(self, column: str, raw: str) -> str:
        try:
            if column == "hired_on":
                day = self._days.read(raw)
                value = day.isoformat() if day else ""
            elif column == "employee_id" and len(self.columns) == 1:
                value = read_id(raw).upper()
            else:
                value = self._fold(column, read_id(raw) if column.endswith("_id") else read_name(raw, longest=254))
        except CellError as error:
            raise NoMember(column, raw.strip(), str(error)) from None
        if not value:
            raise NoMember(column, raw.strip(), f"{column} is required to find the member.")
        return value

    @staticmethod
    def _fold(column: str, value: str) -> str:
        if column == "email":
            return value.casefold()
        return fold_name(value) if column.endswith("name") else fold(value)

    def _alike(self, employee_id: str) -> str:
        """Ids that differ only in leading zeros: a spreadsheet may have eaten them, but that is for a person to say."""
        if self._by_digits is None:
            self._by_digits = defaultdict(list)
            for officer_id, known in self.employee_ids.items():
                self._by_digits[known.upper().lstrip("0")].append(officer_id)
        alike = self._by_digits.get(employee_id.lstrip("0"))
        return f" Alike: {self._named(alike)}." if alike else ""

    def _named(self, officer_ids: Sequence[int]) -> str:
        named = [f"{self.employee_ids[pk]} {self._names[pk]}" for pk in sorted(officer_ids)[:MOST_NAMED]]
        more = len(officer_ids) - len(named)
        return "; ".join(named) + (f"; and {more} more" if more else "")
