"""The lifeline's geometry: where days lie, which labels are left out, and how classes are drawn."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.lifeline import LEFT, WIDTH, Box, Lane, Picture, Point, Span, draw

FIRST, LAST, TODAY = date(2020, 1, 1), date(2029, 12, 31), date(2026, 11, 21)


def picture_of(*lanes: Lane) -> Picture:
    return draw(lanes, first=FIRST, last=LAST, today=TODAY)


def bar(start_on: date, end_on: date | None, *labels: str) -> Box | None:
    boxes = picture_of(Lane("One", [Span(start_on, end_on, "current", labels, "all of it")])).boxes
    return boxes[0] if boxes else None


def test_the_picture_runs_from_the_first_day_to_the_last() -> None:
    box = bar(FIRST, LAST)

    assert box is not None
    assert (box.x, box.x + box.width) == (LEFT, WIDTH - 1)


def test_an_open_period_runs_to_the_edge_and_the_future_is_drawn() -> None:
    box = bar(date(2025, 1, 1), None)

    assert box is not None
    assert box.x + box.width == WIDTH - 1
    assert box.x < picture_of().today_x < WIDTH


def test_today_lies_between_the_years_around_it() -> None:
    picture = picture_of()
    years = {year: x for x, year in picture.years}

    assert years["2026"] < picture.today_x < years["2027"]


@pytest.mark.parametrize(
    ("end_on", "label"),
    [
        pytest.param(date(2026, 12, 31), "overdue since 4 Mar 2020", id="room-for-all"),
        pytest.param(date(2021, 3, 4), "overdue", id="room-for-a-word"),
        pytest.param(date(2020, 5, 4), "", id="no-room"),
    ],
)
def test_of_several_labels_the_first_that_fits_is_drawn(end_on: date, label: str) -> None:
    box = bar(date(2020, 3, 4), end_on, "overdue since 4 Mar 2020", "overdue")

    assert box is not None
    assert (box.label, box.title) == (label, "all of it")


def test_a_single_day_can_be_seen() -> None:
    box = bar(date(2024, 5, 5), date(2024, 5, 5))

    assert box is not None
    assert box.width == 1.5


@pytest.mark.parametrize(
    ("start_on", "end_on"),
    [(date(2010, 1, 1), date(2019, 12, 31)), (date(2030, 1, 1), None)],
    ids=["before", "after"],
)
def test_what_lies_outside_is_not_drawn(start_on: date, end_on: date | None) -> None:
    assert bar(start_on, end_on) is None


def test_classes_that_no_requirement_lists_are_small_and_take_no_room() -> None:
    points = [
        Point(date(2021, 1, 4), "CIT-40", "CIT on 4 Jan 2021"),
        Point(date(2021, 2, 4), "DRIVING", "Driving on 4 Feb 2021", is_listed=False),
        Point(date(2024, 1, 4), "REF-8", "Refresher on 4 Jan 2024"),
        Point(date(2024, 2, 4), "REF-4", "Refresher on 4 Feb 2024"),
    ]

    dots = picture_of(Lane("Classes", points=points)).dots

    assert sorted((dot.x, dot.radius, dot.label) for dot in dots) == [
        (dots[1].x, 6, "CIT-40"),
        (dots[0].x, 2.5, ""),
        (dots[2].x, 6, ""),
        (dots[3].x, 6, "REF-4"),
    ]
    assert dots[0].title == "Driving on 4 Feb 2021"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Leave", ["Leave"]),
        ("Mental-health training on entry", ["Mental-health training", "on entry"]),
        (
            "A requirement whose title goes on for as long as anybody can read",
            ["A requirement whose", "title goes on for as…"],
        ),
    ],
)
def test_a_lanes_name_takes_two_lines_at_most(name: str, lines: list[str]) -> None:
    assert [line for _, line in picture_of(Lane(name)).names] == lines
