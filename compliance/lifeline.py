"""The lifeline: a member's assignments, leave, grants, classes and standings over the years, as a picture of boxes.

Pure geometry: facts in, shapes out, in a coordinate system of 1000 units for the whole span. The template draws them.
What does not fit is left out of the picture; the table below it has everything.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from compliance.sentences import day

#: Width of the picture, where the lanes begin, and the height of a lane.
WIDTH, LEFT, LANE, TOP = 1180, 190, 40, 30
BAR = 24
#: Between spans that share a lane's height.
GAP = 2
#: What a letter of a label is reckoned to take.
LETTER = 7.2
#: Letters that a lane's name takes in a line; it has two.
NAME = 23


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days in a lane: `kind` says how it is drawn; of `labels` the first that fits stands in it."""

    start_on: date
    end_on: date | None
    kind: str
    labels: tuple[str, ...]
    #: what a pointer or a reader of the picture is told
    title: str


@dataclass(frozen=True, slots=True)
class Point:
    """A class on a day. One that no requirement lists is drawn small, below the others, and without its label."""

    on: date
    label: str
    title: str
    is_listed: bool = True


@dataclass
class Lane:
    name: str
    spans: Sequence[Span] = ()
    points: Sequence[Point] = ()


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    kind: str
    label: str
    title: str
    height: float = BAR


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    radius: float
    label: str
    title: str


@dataclass
class Picture:
    """Everything the template draws, in its coordinates."""

    width: int
    height: int
    years: list[tuple[float, str]]
    names: list[tuple[float, str]]
    rules: list[float]
    boxes: list[Box] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    today_x: float = 0
    left: int = LEFT


def draw(lanes: Sequence[Lane], *, first: date, last: date, today: date) -> Picture:
    """The picture from the first to the last day. Spans without an end run to the edge."""
    days = max(1, (last - first).days + 1)
    scale = (WIDTH - LEFT) / days

    def x_of(on: date) -> float:
        return round(LEFT + (min(max(on, first), last) - first).days * scale, 1)

    tall = TOP + LANE * len(lanes) + 22
    step = 1 if days < 366 * 16 else 2 if days < 366 * 30 else 5
    years = [
        (x_of(date(year, 1, 1)), str(year))
        for year in range(first.year + 1, last.year + 1)
        if (year - first.year - 1) % step == 0
    ]
    picture = Picture(
        WIDTH,
        tall,
        years,
        names=[line for place, lane in enumerate(lanes) for line in _name_lines(lane.name, TOP + LANE * (place + 0.5))],
        rules=[TOP + LANE * (place + 1) for place in range(len(lanes))],
        today_x=x_of(today),
    )
    for place, lane in enumerate(lanes):
        top = TOP + LANE * place + (LANE - BAR) / 2
        for span, (row, rows) in zip(lane.spans, _stacked(lane.spans), strict=True):
            if span.start_on > last or (span.end_on is not None and span.end_on < first):
                continue
            left, right = (
                x_of(span.start_on),
                WIDTH if span.end_on is None or span.end_on >= last else x_of(span.end_on),
            )
            width = round(max(right - left - 1, 1.5), 1)
            height = round((BAR + GAP) / rows - GAP, 1)
            label = _fitting(span.labels, width - 18) if rows == 1 else ""
            y = round(top + row * (height + GAP), 1)
            picture.boxes.append(Box(left, y, width, span.kind, label, span.title, height))
        picture.dots.extend(_dots(lane.points, top + BAR / 2, x_of, first, last))
    return picture


def _stacked(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """The row of each span and the number of rows there: spans that overlap share the height of their lane."""
    found = [(0, 1)] * len(spans)
    # Those that hang together, each with its row, and the last day in each row.
    together: dict[int, int] = {}
    lasts: list[date] = []
    for place in sorted(range(len(spans)), key=lambda number: spans[number].start_on):
        start, end = spans[place].start_on, spans[place].end_on or date.max
        if all(last < start for last in lasts):
            together, lasts = {}, []
        row = next((number for number, last in enumerate(lasts) if last < start), len(lasts))
        lasts[row : row + 1] = [end]
        together[place] = row
        for member, its_row in together.items():
            found[member] = (its_row, len(lasts))
    return found


def _name_lines(name: str, y: float) -> list[tuple[float, str]]:
    """A lane's name in one line or two, around the middle of the lane; what does not fit ends in an ellipsis."""
    lines = textwrap.wrap(name, NAME, max_lines=2, placeholder="…")
    first = y + 4 if len(lines) == 1 else y - 4
    return [(first + 15 * place, line) for place, line in enumerate(lines)]


def _dots(points: Iterable[Point], y: float, x_of: Callable[[date], float], first: date, last: date) -> list[Dot]:
    """Classes in order; a label is left out where it would run into the next dot that has one."""
    seen = sorted((point for point in points if first <= point.on <= last), key=lambda point: point.on)
    listed = [point for point in seen if point.is_listed]
    found = [Dot(x_of(point.on), y + 14, 2.5, "", point.title) for point in seen if not point.is_listed]
    for place, point in enumerate(listed):
        x = x_of(point.on)
        room = (x_of(listed[place + 1].on) if place + 1 < len(listed) else WIDTH) - x - 20
        found.append(Dot(x, y - 2, 6, _fitting((point.label,), room), point.title))
    return found


def _fitting(labels: Iterable[str], room: float) -> str:
    return next((label for label in labels if len(label) * LETTER <= room), "")


def period(start_on: date, end_on: date | None) -> str:
    """`4 Mar 2016 to 10 Dec 2024`, `since 4 Mar 2016`."""
    return f"{day(start_on)} to {day(end_on)}" if end_on else f"since {day(start_on)}"
