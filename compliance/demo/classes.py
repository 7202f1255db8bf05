"""When the classes of a made-up department are held: ten years of them, and the refreshers of the coming one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

#: A CIT class is held every so many days; the latest is so old.
CIT_EVERY, CIT_AGE = 90, 80


def on_weekday(day: date, weekday: int) -> date:
    """The last such weekday up to the day."""
    return day - timedelta(days=(day.weekday() - weekday) % 7)


class Classes:
    """The days of CIT classes, and of the refreshers of each group: a district, a bureau or the center."""

    def __init__(self, today: date, begin: date, area_of: Mapping[str, int], bureaus: Sequence[str]) -> None:
        self.today = today
        self.begin = begin
        self.area_of = area_of
        self.bureaus = bureaus
        self.has_areas = any(area_of.values())
        self.cit_days = self._cit_days()
        self.spring_off = self._cancelled_spring()
        self.refreshers = {group: self._refresher_classes(group) for group in (*area_of, *bureaus)}
        self.refresher_days = {group: [day for day, _ in found] for group, found in self.refreshers.items()}

    def cit_number(self, day: date, group: str) -> str:
        """The number of the CIT class that the group went to: each area of a large department holds its own."""
        number = f"CIT-{day:%Y-%m}"
        return f"{number}-A{self.area_of.get(group, 0) + 1}" if self.has_areas else number

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _cit_days(self) -> list[date]:
        days = []
        age = CIT_AGE
        while self._ago(age) > self.begin:
            days.append(on_weekday(self._ago(age), 4))
            age += CIT_EVERY
        return sorted(days)

    def _class_day(self, year: int, season: str, group: str) -> date:
        first = date(year, 3, 1) if season == "S" else date(year, 9, 1)
        place = int(group[1:]) % 9 if group in self.area_of else 9 + self.bureaus.index(group)
        return on_weekday(first + timedelta(days=6 * place + 6 + year % 3), 1 + place % 3)

    def _cancelled_spring(self) -> date:
        """The day of district 2's spring class that was cancelled: the last one at least 45 days ago."""
        day = self._class_day(self.today.year, "S", "D2")
        return day if day <= self._ago(45) else self._class_day(self.today.year - 1, "S", "D2")

    def _refresher_classes(self, group: str) -> list[tuple[date, str]]:
        """(day, class number) of the group's refreshers, also those of the coming year, in order."""
        cancelled = self.area_of.get(group) is not None and (int(group[1:]) - 1) % 9 == 1
        found = []
        for year in range(self.begin.year, self.today.year + 2):
            for season in "SF":
                day = self._class_day(year, season, group)
                if day < self.begin or (cancelled and season == "S" and year == self.spring_off.year):
                    continue
                found.append((day, f"REF-{year % 100:02d}{season}-{group}"))
            leap = _leap_day(year)
            if leap and group in self.area_of and (int(group[1:]) - 1) % 9 == 0 and self.begin < leap < self.today:
                found.append((leap, f"REF-{year % 100:02d}L-{group}"))
        return sorted(found)


def _leap_day(year: int) -> date | None:
    return date(year, 2, 29) if year % 4 == 0 and (year % 100 or year % 400 == 0) else None
