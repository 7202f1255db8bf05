"""The tree of units, loaded once: what lies below a unit, and the function it takes from above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from roster.models import Unit


class UnitTree:
    """All units of the given agencies, or of all. One query; everything after it is in memory.

    Withdrawn ones are there to be named and added up as they once stood; walking and looking up pass them by.
    """

    def __init__(self, agency_ids: Iterable[int] | None = None) -> None:
        units = Unit.every.select_related("agency").order_by("code")
        if agency_ids is not None:
            units = units.filter(agency__in=list(agency_ids))
        self.units: dict[int, Unit] = {unit.pk: unit for unit in units}
        self.children: dict[int | None, list[int]] = {}
        for unit in self.units.values():
            parent = unit.parent_id if unit.parent_id in self.units else None
            self.children.setdefault(parent, []).append(unit.pk)

    def below(self, unit_ids: Iterable[int]) -> frozenset[int]:
        """These units with everything below them."""
        found: set[int] = set()
        waiting = list(unit_ids)
        while waiting:
            unit = waiting.pop()
            if unit not in found:
                found.add(unit)
                waiting.extend(self.children.get(unit, ()))
        return frozenset(found)

    def above(self, unit_id: int) -> Iterator[Unit]:
        """The unit, its parent, and so on to the top."""
        unit = self.units.get(unit_id)
        while unit is not None:
            yield unit
            unit = self.units.get(unit.parent_id) if unit.parent_id else None

    def function_of(self, unit_id: int) -> str:
        """The unit's own function, or its nearest parent's; blank when none of them has one."""
        return next((unit.function for unit in self.above(unit_id) if unit.function), "")

    def tops(self) -> list[int]:
        """The units that lie below no other."""
        return [pk for pk in self.children.get(None, ()) if not self.units[pk].is_withdrawn]

    def walk(self, top: int | None = None, depth: int = 0) -> Iterator[tuple[Unit, int]]:
        """Every unit below `top` with its depth, parents first, siblings by code."""
        for unit_id in self.children.get(top, ()):
            if not self.units[unit_id].is_withdrawn:
                yield self.units[unit_id], depth
                yield from self.walk(unit_id, depth + 1)

    def walk_from(self, tops: Iterable[int]) -> Iterator[tuple[Unit, int]]:
        """Each of these units with everything below it, as `walk`; the units themselves have depth 0."""
        for top in tops:
            yield self.units[top], 0
            yield from self.walk(top, 1)

    def with_code(self, code: str) -> list[Unit]:
        """The units with this code, whatever its case: several when several agencies use it."""
        wanted = code.strip().upper()
        return [unit for unit in self.units.values() if unit.code.upper() == wanted and not unit.is_withdrawn]
