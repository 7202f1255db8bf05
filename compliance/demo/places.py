"""Where the members of a made-up department serve: its units, a place for each member, and the districts' stories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from compliance.demo.rows import RANKS, SHIFTS, UnitRow

DISTRICTS = (
    *("Harbor", "Old Town", "Riverside", "Mill Hill", "University"),
    *("Northgate", "Market", "Lakeview", "Point Alder"),
)
#: Members of a district, for a department of 420.
SIZES = (40, 38, 40, 38, 36, 34, 36, 34, 13)
SHIFT_SHARES = (36, 34, 30)
#: Units that are not districts: code, name, parent, function, members in 420.
OTHER_UNITS = (
    ("PD", "Police Department", "", "command", 3),
    ("PATROL", "Patrol Bureau", "PD", "patrol", 1),
    ("INV", "Investigations Bureau", "PD", "investigations", 0),
    ("INV-MAJ", "Major Crimes", "INV", "", 16),
    ("INV-PROP", "Property Crimes", "INV", "", 14),
    ("INV-FAM", "Family Violence", "INV", "", 8),
    ("SOD", "Special Operations", "PD", "special_operations", 2),
    ("CIU", "Crisis Intervention Unit", "SOD", "crisis_intervention", 8),
    ("TRAF", "Traffic", "SOD", "traffic", 12),
    ("MTD", "Mounted Unit", "SOD", "mounted", 0),
    ("TRN", "Training Division", "PD", "training", 8),
    ("ACAD", "Academy class", "TRN", "academy", 12),
    ("COMM", "Communications Center", "PD", "communications", 27),
)
#: Place in its area -> the stories of a district: name, share of its members in percent, only this shift.
STORIES: dict[int, tuple[tuple[str, int, str], ...]] = {
    1: (("spring", 34, ""),),
    2: (("arrived", 27, ""),),
    3: (("night", 20, "nights"),),
    4: (("pending", 24, ""),),
    5: (("on_leave", 22, ""), ("back", 12, ""), ("back_late", 6, "")),
    6: (("returned", 18, ""),),
    7: (("failed", 18, ""),),
}


class Slot(NamedTuple):
    unit: str
    shift: str | None
    rank: str | None
    category: str = "sworn"
    story: str = ""


def area_of_districts(areas: int) -> dict[str, int]:
    """District -> its area, from 0."""
    return {f"D{number + 1}": number // 9 for number in range(9 * areas)}


def units_of(areas: int, mounted_until: date) -> list[UnitRow]:
    """The units, districts last; the mounted unit was closed."""
    units = [
        UnitRow(code, name, parent, function, mounted_until if code == "MTD" else None)
        for code, name, parent, function, _ in OTHER_UNITS
    ]
    for area in range(areas):
        above = "PATROL"
        if areas > 1:
            above = f"AREA-{area + 1}"
            units.append(UnitRow(above, f"Area {area + 1}", "PATROL", ""))
        for place, name in enumerate(DISTRICTS):
            number = area * 9 + place + 1
            units.append(UnitRow(f"D{number}", f"District {number}, {name}", above, ""))
    return units


def slots_of(officers: int, areas: int) -> list[Slot]:
    """Who serves where: as many places as members."""
    weights = [*(weight for *_, weight in OTHER_UNITS), *SIZES * areas]
    # The weights of the other units are for one area; more areas have more of everything.
    weights = [weight * areas for weight in weights[: len(OTHER_UNITS)]] + weights[len(OTHER_UNITS) :]
    sizes = _shared(officers, weights)
    slots: list[Slot] = []
    for (code, *_), size in zip(OTHER_UNITS, sizes, strict=False):
        slots += _other_slots(code, size)
    for number, size in enumerate(sizes[len(OTHER_UNITS) :]):
        slots += _with_stories(number % 9, _district_slots(f"D{number + 1}", size))
    return slots


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    """`total` split by weights into whole numbers: the largest remainders get the rest."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts


def _other_slots(code: str, size: int) -> list[Slot]:
    if code == "PD":
        return [Slot(code, "days", "chief" if at == 0 else "captain") for at in range(size)]
    if code == "ACAD":
        return [Slot(code, "days", None, "recruit", "recruit") for _ in range(size)]
    if code == "COMM":
        return [
            Slot(code, SHIFTS[at % 3], None, "civilian" if at % 27 == 0 else "telecommunicator") for at in range(size)
        ]
    if code == "CIU":
        return [
            Slot(code, "days" if at % 2 else "evenings", None, "co_responder")
            if at % 8 >= 5
            else Slot(code, "days" if at % 2 else "evenings", "sergeant" if at % 8 == 0 else "officer", "sworn", "done")
            for at in range(size)
        ]
    shift = "days" if code in ("PATROL", "TRN") else None
    ranks = ("captain",) if code in ("PATROL", "SOD") else ("lieutenant", "sergeant")
    return [
        Slot(code, shift or SHIFTS[at % 2], ranks[at] if at < min(len(ranks), size - 1) or size == 1 else "officer")
        for at in range(size)
    ]


def _district_slots(unit: str, size: int) -> list[Slot]:
    """A district's places: its officers spread over the shifts, supervisors on each where it is large enough."""
    above = ["captain"] if size >= 30 else []
    above += ["lieutenant"] * (3 if size >= 30 else 1 if size >= 6 else 0)
    above += ["sergeant"] * (size // 9)
    slots = [Slot(unit, SHIFTS[at % 3], rank) for at, rank in enumerate(sorted(above, key=RANKS.index))]
    if size >= 30:  # the captain works days, and so does the first lieutenant
        slots = [slots[0], *(slot._replace(shift=SHIFTS[at % 3]) for at, slot in enumerate(slots[1:]))]
    for shift, count in zip(SHIFTS, _shared(size - len(slots), SHIFT_SHARES), strict=True):
        slots += [Slot(unit, shift, "officer")] * count
    return slots


def _with_stories(place: int, slots: list[Slot]) -> list[Slot]:
    """The same places, each story given to officers spread evenly over those it may have."""
    if place == 0:
        return [slot._replace(story="done") for slot in slots]
    size = len(slots)
    for story, share, shift in (*STORIES.get(place, ()), ("untrained", 2, "")):
        free = [
            at
            for at, slot in enumerate(slots)
            if slot.rank == "officer" and not slot.story and (not shift or slot.shift == shift)
        ]
        count = min(len(free), round(size * share / 100) or int(size > 8))
        for step in range(count):
            at = free[step * len(free) // count]
            slots[at] = slots[at]._replace(story=story)
    return slots
