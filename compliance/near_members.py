"""Whom a file may mean where no member fits what it says, or several do: offered side by side, never taken by guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from compliance.finding import MOST_CHOICES, Line, id_key, judge, line_of
from roster.cells import CellError, Days
from roster.matching import fold, split_name
from roster.models import Assignment, AssignmentKind, Employment, Officer
from roster.plans import UnknownMember

#: What is set side by side, and what it is called.
COMPARED = {
    "employee_id": "Employee id",
    "last_name": "Last name",
    "first_name": "First name",
    "badge": "Badge",
    "post_id": "POST id",
    "email": "E-mail",
    "hired_on": "Hired on",
    "unit": "Home unit",
}
_NUMBERS = ("employee_id", "post_id", "badge")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member whom the file may mean."""

    employee_id: str
    name: str
    #: what the record says, by the names of `COMPARED`
    has: Mapping[str, str]
    #: where it says otherwise than the file
    differs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody in a file who was not found, and the candidates, likeliest first."""

    member: UnknownMember
    says: Mapping[str, str]
    candidates: Sequence[Candidate]

    @property
    def lines(self) -> list[tuple[str, str, list[tuple[str, bool]]]]:
        """(what, what the file says, (what each candidate has, whether it differs)), without what nobody has."""
        return [
            (title, self.says.get(name, ""), [(one.has[name], name in one.differs) for one in self.candidates])
            for name, title in COMPARED.items()
            if self.says.get(name) or any(one.has[name] for one in self.candidates)
        ]


def offers(members: Sequence[UnknownMember], among: QuerySet[Officer], *, date_format: str = "") -> list[Offer]:
    """Candidates for each. At most nine queries, whatever the number of members."""
    said = [_said(member.said, date_format) for member in members]
    lines: list[Line] = []
    owner: list[int] = []
    for place, values in enumerate(said):
        for line in _lines_of(values):
            lines.append(line)
            owner.append(place)
    found: list[dict[int, Officer]] = [{} for _ in members]
    for place, entry in zip(owner, judge(lines, among), strict=True):
        for officer in (entry.officer, *entry.choices):
            if officer is not None and len(found[place]) < MOST_CHOICES:
                found[place].setdefault(officer.pk, officer)
    has = _records({pk: officer for entry in found for pk, officer in entry.items()})
    return [
        Offer(member, values, sorted((_candidate(one, has[one.pk], values) for one in entry.values()), key=_likeness))
        for member, values, entry in zip(members, said, found, strict=True)
    ]


def _said(values: Mapping[str, str], date_format: str) -> dict[str, str]:
    """What the file says, a name in one cell taken apart and a day as days are written here."""
    found = {name: text for name, text in values.items() if text}
    if "name" in found:
        try:
            last, first, _, _ = split_name(found["name"])
        except CellError:
            last, _, first = found["name"].rpartition(" ")[::-1]
        found.setdefault("last_name", last)
        found.setdefault("first_name", first)
    if "hired_on" in found:
        try:
            day = Days(date_format).read(found["hired_on"])
        except CellError:
            day = None
        found["hired_on"] = day.isoformat() if day else found["hired_on"]
    return found


def _lines_of(values: Mapping[str, str]) -> list[Line]:
    lines = [line_of(number=values[name]) for name in _NUMBERS if values.get(name)]
    if values.get("last_name"):
        lines.append(line_of(last=values["last_name"], given=values.get("first_name", "")))
    return lines


def _records(officers: Mapping[int, Officer]) -> dict[int, dict[str, str]]:
    """What the records of these members say. Two queries."""
    hired: dict[int, str] = {}
    employments = Employment.objects.known().filter(officer__in=officers).order_by("start_on")
    for pk, start_on in employments.values_list("officer_id", "start_on"):
        hired.setdefault(pk, start_on.isoformat())
    homes = Assignment.objects.known().filter(officer__in=officers, kind=AssignmentKind.HOME).order_by("start_on")
    units = dict(homes.values_list("officer_id", "unit__name"))
    return {
        pk: {name: str(getattr(officer, name, "")) for name in COMPARED}
        | {"hired_on": hired.get(pk, ""), "unit": units.get(pk, "")}
        for pk, officer in officers.items()
    }


def _candidate(officer: Officer, has: Mapping[str, str], says: Mapping[str, str]) -> Candidate:
    differs = frozenset(name for name in COMPARED if says.get(name) and not _is_same(name, says[name], has[name]))
    return Candidate(officer.employee_id, officer.full_name, has, differs)


def _is_same(name: str, one: str, other: str) -> bool:
    """Whether two spellings are equal for the eye: an id's leading zeros are not."""
    if name in _NUMBERS:
        return id_key(one) == id_key(other) and len(one) == len(other)
    return fold(one) == fold(other)


def _likeness(candidate: Candidate) -> tuple[int, str]:
    return len(candidate.differs), candidate.employee_id
