"""The picture of one member: what lies where, and what is left out because it does not fit."""

from __future__ import annotations

from datetime import date

from compliance.lifeline import BAR, LEFT, WIDTH, Lane, Picture, Point, Span, draw, period


def picture(*lanes: Lane) -> Picture:
    return draw(lanes, first=date(2020, 1, 1), last=date(2029, 12, 31), today=date(2026, 1, 1))


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
