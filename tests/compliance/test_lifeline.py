"""The lifeline of one member: where days lie, how classes are drawn, and what is left out because it does not fit."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.lifeline import BAR, LEFT, WIDTH, Box, Lane, Picture, Point, Span, draw, period

FIRST, LAST = date(2020, 1, 1), date(2029, 12, 31)


def picture(*lanes: Lane, today: date = date(2026, 1, 1)) -> Picture:
    return draw(lanes, first=FIRST, last=LAST, today=today)


def test_a_span_over_everything_fills_its_lane() -> None:
    found = picture(
        Lane("Assignment", [Span(date(2019, 1, 1), None, "assignment", ("Central",), "Central since 2019")])
    )

    (box,) = found.boxes
    assert (box.x, box.x + box.width) == (LEFT, WIDTH - 1)
    assert box.label == "Central"


def test_spans_that_touch_do_not_overlap() -> None:
    first = Span(date(2020, 1, 1), date(2022, 12, 31), "current", ("current",), "")
    second = Span(date(2023, 1, 1), date(2024, 6, 30), "overdue", ("overdue",), "")

    left, right = picture(Lane("Refresher", [first, second])).boxes

    assert left.x + left.width <= right.x


def test_a_short_span_is_drawn_but_not_labelled() -> None:
    (box,) = picture(
        Lane("Leave", [Span(date(2024, 1, 1), date(2024, 1, 5), "excused", ("medical leave",), "x")])
    ).boxes

    assert box.width >= 1.5
    assert box.label == ""
    assert box.title == "x"


def test_what_lies_outside_the_years_is_left_out() -> None:
    gone = Span(date(2010, 1, 1), date(2012, 1, 1), "current", (), "")
    coming = Span(date(2035, 1, 1), None, "current", (), "")

    found = picture(Lane("Refresher", [gone, coming], [Point(date(2011, 1, 1), "CIT", "")]))

    assert (found.boxes, found.dots) == ([], [])


def test_a_dots_label_gives_way_to_the_next_dot() -> None:
    points = [
        Point(date(2024, 1, 1), "CIT-40", "a"),
        Point(date(2024, 3, 1), "CIT-REF-8", "b"),
        Point(date(2020, 5, 1), "MHFA", "c"),
    ]

    found = picture(Lane("Classes", points=points))

    assert [(dot.label, dot.title) for dot in found.dots] == [("MHFA", "c"), ("", "a"), ("CIT-REF-8", "b")]


def test_today_lies_between_its_years_and_lanes_lie_below_each_other() -> None:
    found = picture(Lane("One", [Span(date(2020, 1, 1), None, "current", (), "")]), Lane("Two"), Lane("Three"))

    xs = {year: x for x, year in found.years}
    assert xs["2025"] < found.today_x == xs["2026"] < xs["2027"]
    assert [name for _, name in found.names] == ["One", "Two", "Three"]
    assert found.rules == sorted(found.rules)
    assert found.rules[-1] < found.height
    assert found.boxes[0].y + BAR < found.rules[0]


def test_a_long_career_skips_years() -> None:
    found = draw([], first=date(1990, 1, 1), last=date(2029, 12, 31), today=date(2026, 1, 1))

    assert [year for _, year in found.years][:3] == ["1991", "1996", "2001"]


def test_periods_read_as_people_write_them() -> None:
    assert period(date(2016, 3, 4), date(2024, 12, 10)) == "4 Mar 2016 to 10 Dec 2024"
    assert period(date(2016, 3, 4), None) == "since 4 Mar 2016"


def test_spans_that_overlap_share_the_height_of_their_lane_without_labels() -> None:
    def waived(start_on: date, end_on: date) -> Span:
        return Span(start_on, end_on, "waiver", ("waiver",), "")

    spans = [
        waived(date(2026, 1, 1), date(2027, 12, 31)),
        waived(date(2022, 6, 1), date(2023, 12, 31)),
        waived(date(2022, 1, 1), date(2022, 12, 31)),
        waived(date(2023, 1, 1), date(2023, 6, 30)),
    ]

    alone, later, first, third = picture(Lane("Waivers", spans)).boxes

    # The third begins after the first has ended, and takes its row.
    assert (alone.label, alone.height) == ("waiver", BAR)
    assert {(box.label, box.height) for box in (first, later, third)} == {("", 11)}
    assert first.y == third.y == alone.y
    assert later.y == first.y + 13


def bar(start_on: date, end_on: date | None, *labels: str) -> Box | None:
    boxes = picture(Lane("One", [Span(start_on, end_on, "current", labels, "all of it")])).boxes
    return boxes[0] if boxes else None


def test_the_picture_runs_from_the_first_day_to_the_last() -> None:
    box = bar(FIRST, LAST)

    assert box is not None
    assert (box.x, box.x + box.width) == (LEFT, WIDTH - 1)


def test_an_open_period_runs_to_the_edge_and_the_future_is_drawn() -> None:
    box = bar(date(2025, 1, 1), None)

    assert box is not None
    assert box.x + box.width == WIDTH - 1
    assert box.x < picture(today=date(2026, 11, 21)).today_x < WIDTH


def test_today_lies_between_the_years_around_it() -> None:
    found = picture(today=date(2026, 11, 21))
    years = {year: x for x, year in found.years}

    assert years["2026"] < found.today_x < years["2027"]


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

    dots = picture(Lane("Classes", points=points)).dots

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
    assert [line for _, line in picture(Lane(name)).names] == lines
