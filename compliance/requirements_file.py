"""The requirements file: read, and every value checked, by itself and with its neighbours in one edition.

Knows the format and nothing of the database; `requirements.py` loads what is read here.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from unicodedata import category

from compliance import engine
from compliance.models import Counted, Each
from roster.models import Category
from training.models import Mode


@dataclass(frozen=True, slots=True)
class Term:
    """A key or a value of the file within a sentence: the file says it by its name, a page by the words of its field.

    A value whose key must be named with it, in the file, is a `setting`.
    """

    key: str
    value: str = ""
    is_setting: bool = False

    def __str__(self) -> str:
        if not self.value:
            return self.key
        return f'{self.key} "{self.value}"' if self.is_setting else f'"{self.value}"'


def setting(key: str, value: str) -> Term:
    return Term(key, value, is_setting=True)


def either_of(key: str, values: Iterable[str]) -> list[str | Term]:
    """`"grace" or "year_end"`."""
    parts: list[str | Term] = []
    for value in values:
        parts += [*([" or "] if parts else []), Term(key, value)]
    return parts


class Finding(str):
    """A sentence about one key of one table, as a person who wrote the file reads it.

    A page says the same beside the field of that key, in its own words: `why` takes the words for each term.
    """

    __slots__ = ("key", "parts", "table")
    table: str
    key: str
    parts: tuple[str | Term, ...]

    @classmethod
    def of(cls, table: str, key: str, *parts: str | Term) -> Finding:
        finding = cls(f"{table}: {key}: {''.join(map(str, parts))}")
        finding.table, finding.key, finding.parts = table, key, parts
        return finding

    def why(self, words: Callable[[Term], str]) -> str:
        """The sentence without its table and key."""
        return "".join(words(part) if isinstance(part, Term) else part for part in self.parts)

    @staticmethod
    def as_plain(said: str) -> Any:
        """A sentence, a finding or not, as JSON holds it."""
        if not isinstance(said, Finding):
            return said
        return [said.table, said.key, *([*astuple(part)] if isinstance(part, Term) else part for part in said.parts)]

    @classmethod
    def from_plain(cls, plain: Any) -> str:
        if isinstance(plain, str):
            return plain
        table, key, *parts = plain
        return cls.of(table, key, *(part if isinstance(part, str) else Term(*part) for part in parts))


class Refused(Exception):
    """The file cannot be loaded; `findings` are sentences, each naming its table and key."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = list(findings)


class Invalid(Exception):
    """A value that cannot be taken; the message completes `months: ...`."""


Check = Callable[[Any], Any]


#: The longest text there is room for: of a code, and of a title.
LONGEST_CODE, LONGEST_TITLE = 80, 200


def text(longest: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise Invalid("must be text")
        said = value.strip()
        if len(said) > longest:
            raise Invalid(f"is {len(said)} characters long; {longest} fit")
        if any(category(letter) == "Cc" for letter in said):
            raise Invalid("holds a line break or another control character")
        return said

    return check


a_code = text(LONGEST_CODE)
a_title = text(LONGEST_TITLE)


def a_code_or_blank(value: Any) -> str:
    return "" if value == "" else str(a_code(value))


def several(check: Check) -> Check:
    def check_all(value: Any) -> list[str]:
        if not isinstance(value, list):
            raise Invalid('must be a list, like ["CIT-40"]')
        return list(dict.fromkeys(check(item) for item in value))

    return check_all


codes = several(a_code)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("must be true or false")
    return value


def a_date(value: Any) -> date:
    if type(value) is not date:
        raise Invalid("must be a date, like 2026-12-31 without quotes")
    if not 1900 <= value.year <= 2199:
        raise Invalid("must be a date of the years 1900 to 2199")
    return value


def whole(most: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise Invalid(f"must be a whole number from 0 to {most}")
        return value

    return check


def number(most: int) -> Check:
    def check(value: Any) -> Decimal:
        if type(value) not in (int, float) or not 0 <= value <= most:
            raise Invalid(f"must be a number from 0 to {most}")
        exact = Decimal(str(value))
        if exact != round(exact, 2):
            raise Invalid("must be a number with two decimals at most")
        return exact

    return check


def one_of(words: Iterable[str]) -> Check:
    allowed = [str(word) for word in words]

    def check(value: Any) -> str:
        if value not in allowed:
            raise Invalid(f"must be one of {', '.join(allowed)}")
        return str(value)

    return check


def some_of(words: Iterable[str]) -> Check:
    allowed = list(words)

    def check(value: Any) -> list[str]:
        given: list[str] = codes(value)
        for word in given:
            if word not in allowed:
                raise Invalid(f'"{word}" is not one of {", ".join(allowed)}')
        return given

    return check


POPULATION: dict[str, Check] = {
    "code": a_code,
    "title": a_title,
    "categories": some_of(Category.values),
    "functions": codes,
    "units": codes,
    "ranks": codes,
    "shifts": codes,
    "designations": codes,
    "voluntary_only": flag,
    "min_service_months": whole(1200),
    "acting_counts": flag,
}
REQUIREMENT: dict[str, Check] = {"code": a_code, "title": a_title, "citations": several(text(100))}
EDITION: dict[str, Check] = {
    "effective_from": a_date,
    "effective_to": a_date,
    "population": a_code,
    "entry_courses": codes,
    "refresher_courses": codes,
    "refresher_stands_alone": flag,
    "refresher_min_tenure_months": whole(1200),
    "min_hours": number(1000),
    "refresher_min_hours": number(1000),
    "min_score": number(100),
    "min_attendance": number(100),
    "min_block_hours": number(1000),
    "modes": some_of(Mode.values),
    "hours": number(1000),
    "hours_model": one_of(engine.HoursModel),
    "hours_window_months": whole(1200),
    "clock": one_of(engine.Clock),
    "months": whole(1200),
    "years": whole(100),
    "cycle_start": a_date,
    "recert_courses": codes,
    "recert_before_days": whole(3660),
    "recert_after_days": whole(3660),
    "early": one_of(engine.Early),
    "keep_anchor_days": whole(3660),
    "first_due": one_of(engine.FirstDue),
    "entry_grace_days": whole(36600),
    "entry_due_on": a_date,
    "return_grace_days": whole(3660),
    "leave": one_of(engine.LeaveRule),
    "leave_kinds": codes,
    "leave_min_days": whole(3660),
    "break_months": whole(1200),
}
GOAL: dict[str, Check] = {
    "code": a_code,
    "title": a_title,
    "requirement": a_code,
    "counts": one_of(Counted.values),
    "designation": a_code_or_blank,
    "target_percent": number(100),
    "each": one_of(Each.values),
    "min_count": whole(100_000),
    "by": a_date,
}

#: First deadlines by clock: windows have ends, the other clocks have none.
WINDOW_ENDS = (engine.FirstDue.WINDOW_END, engine.FirstDue.NEXT_WINDOW_END)


@dataclass(frozen=True)
class Table:
    """One table of the file, with only the keys that were given and could be read."""

    name: str
    values: dict[str, Any]


class _Reading:
    """Reads tables and keeps every finding."""

    def __init__(self) -> None:
        self.findings: list[str] = []

    def refuse(self, table: str, key: str, *why: str | Term) -> None:
        self.findings.append(Finding.of(table, key, *why))

    def table(self, name: str, raw: Any, checks: Mapping[str, Check], required: Iterable[str]) -> Table:
        values: dict[str, Any] = {}
        if not isinstance(raw, dict):
            self.findings.append(f"{name}: must be a table")
            return Table(name, values)
        for key, value in raw.items():
            if key == "edition" and checks is REQUIREMENT:
                continue
            if key not in checks:
                self.refuse(name, key[:LONGEST_CODE], "is not a key this table has")
                continue
            try:
                values[key] = checks[key](value)
            except Invalid as error:
                self.refuse(name, key, str(error))
                continue
        for key in required:
            if key not in raw:
                self.refuse(name, key, "is missing")
        return Table(name, values)


def _tables(document: Mapping[str, Any], key: str, findings: list[str]) -> list[Any]:
    raw = document.get(key, [])
    if not isinstance(raw, list):
        findings.append(f"{key}: write it as [[{key}]]")
        return []
    return raw


@dataclass
class File:
    """A requirements file, read: populations, requirements with their editions, goals."""

    populations: list[Table]
    requirements: list[tuple[Table, list[Table]]]
    goals: list[Table]


TOO_DEEP = "The file is nested too deeply: requirements are tables of plain values and lists."
#: Dots in a line: a key `a.a.a...` takes the reader time that grows with their square, hours for a file of some size.
MOST_DOTS = 300


def read(content: bytes) -> File:
    """Read a file and check each value by itself; `Refused` with every finding."""
    try:
        text_of_file = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(["The file is not UTF-8 text."]) from None
    if any(line.count(".") > MOST_DOTS and not line.lstrip().startswith("#") for line in text_of_file.splitlines()):
        raise Refused([TOO_DEEP])
    try:
        document = tomllib.loads(text_of_file)
    except tomllib.TOMLDecodeError as error:
        raise Refused([f"The file is not TOML: {error}."]) from None
    except RecursionError:
        raise Refused([TOO_DEEP]) from None
    except ValueError:  # Python takes no whole number of thousands of digits
        raise Refused(["The file holds a number that is too long to be read."]) from None
    return read_document(document)


def read_document(document: Mapping[str, Any]) -> File:
    """As `read`, of a file that was parsed already."""
    reading = _Reading()
    for key in document:
        if key not in ("population", "requirement", "goal"):
            reading.findings.append(f"{key[:LONGEST_CODE]}: is not a table this file has")

    def named(kind: str, raw: Any, place: int) -> str:
        """By its code, where that is one; else by its place in the file."""
        try:
            return f'{kind} "{a_code(raw["code"])}"'
        except (Invalid, KeyError, TypeError):
            return f"{kind} {place}"

    def read_all(kind: str, checks: Mapping[str, Check], required: Iterable[str]) -> list[tuple[Table, Any]]:
        found = []
        for place, raw in enumerate(_tables(document, kind, reading.findings), start=1):
            found.append((reading.table(named(kind, raw, place), raw, checks, required), raw))
        for code, times in Counter(table.values.get("code") for table, _ in found).items():
            if code and times > 1:
                reading.refuse(f'{kind} "{code}"', "code", "stands in the file more than once")
        return found

    populations = [table for table, _ in read_all("population", POPULATION, ("code",))]
    requirements = []
    for table, raw in read_all("requirement", REQUIREMENT, ("code",)):
        editions = []
        for place, edition in enumerate(_tables(raw, "edition", reading.findings) if isinstance(raw, dict) else [], 1):
            start = edition.get("effective_from") if isinstance(edition, dict) else None
            name = f"{table.name}, edition {start if type(start) is date else place}"
            editions.append(reading.table(name, edition, EDITION, ("effective_from", "population")))
        requirements.append((table, editions))
    goals = [table for table, _ in read_all("goal", GOAL, ("code", "requirement", "target_percent"))]
    for _, editions in requirements:
        for edition in editions:
            _check_edition(edition, reading)
    for goal in goals:
        if goal.values.get("counts") == Counted.DESIGNATED and not goal.values.get("designation"):
            reading.refuse(goal.name, "designation", "is missing: designated members are counted by its code")
    if reading.findings:
        raise Refused(reading.findings)
    if not populations and not requirements and not goals:
        raise Refused(["The file has no [[population]], [[requirement]] or [[goal]]."])
    return File(populations, requirements, goals)


def _check_edition(edition: Table, reading: _Reading) -> None:
    """What the keys of one edition say together: errors where they can never be right."""
    values = edition.values

    def refuse(key: str, *why: str | Term) -> None:
        # One finding a key: a value that cannot be read is not missing as well.
        if not any(finding.startswith(f"{edition.name}: {key}: ") for finding in reading.findings):
            reading.refuse(edition.name, key, *why)

    clock = values.get("clock", engine.Clock.ONCE)
    _check_clock(clock, values, refuse)
    first_due = values.get("first_due")
    if first_due and (first_due in WINDOW_ENDS) != (clock == engine.Clock.CYCLE):
        fitting = WINDOW_ENDS if clock == engine.Clock.CYCLE else [w for w in engine.FirstDue if w not in WINDOW_ENDS]
        named = Term("first_due", first_due)
        refuse(
            "first_due",
            named,
            " does not go with ",
            setting("clock", clock),
            "; choose ",
            *either_of("first_due", fitting),
        )
    if values.get("hours") and values.get("min_hours"):
        refuse("min_hours", "does not go with ", Term("hours"), ", which adds up what the completions hold")
    if values.get("early") == engine.Early.KEEP_ANCHOR and clock != engine.Clock.ROLLING:
        kept, rolling = Term("early", engine.Early.KEEP_ANCHOR), setting("clock", engine.Clock.ROLLING)
        refuse("early", kept, " goes with ", rolling, " only, not with ", Term("clock", clock))
    refresher = {code.upper() for code in values.get("refresher_courses", ())}
    for code in values.get("recert_courses", ()):
        if code.upper() in refresher:
            refuse("recert_courses", f"{code} is among ", Term("refresher_courses"), " too; it can be one of them")
    start, end = values.get("effective_from"), values.get("effective_to")
    if start and end and end < start:
        refuse("effective_to", "is before ", Term("effective_from"))


class Refuse(Protocol):
    def __call__(self, key: str, *why: str | Term) -> None: ...


def _check_clock(clock: str, values: Mapping[str, Any], refuse: Refuse) -> None:
    """What each clock needs. Hours that roll have a window of their own and no clock."""
    if adds_up_rolling(values):
        rolling = setting("hours_model", engine.HoursModel.ROLLING)
        if values.get("clock", engine.Clock.ROLLING) != engine.Clock.ROLLING:
            own = Term("clock", engine.Clock.ROLLING)
            refuse("clock", rolling, " has no use for ", Term("clock", clock), "; choose ", own)
        if not values.get("hours_window_months"):
            refuse("hours_window_months", rolling, " needs the number of months")
        return
    chosen = setting("clock", clock)
    if clock in ("rolling", "cycle", "certificate") and not values.get("months"):
        refuse("months", chosen, " needs the number of months")
    if clock == "calendar" and not values.get("years"):
        refuse("years", chosen, " needs the number of years")
    if clock == "cycle" and not values.get("cycle_start"):
        refuse("cycle_start", chosen, " needs the first day of its first window")


def adds_up_rolling(values: Mapping[str, Any]) -> bool:
    """Whether an edition asks for hours within a window that moves along."""
    return bool(values.get("hours")) and values.get("hours_model") == engine.HoursModel.ROLLING
