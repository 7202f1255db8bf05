"""The clock of classes: a course laid out over days, blocks over midnight, and days when the clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.factories import at
from training import schedule
from training.models import Place, Topic
from training.schedule import Block, Layout, holidays, lay_out, too_small, when

MONDAY = date(2026, 3, 2)
#: Not the hour that the clock leaves out once a year.
HOURS = st.builds(time, st.integers(3, 23), st.sampled_from([0, 15, 40]))
TALK, SCENES, LAW = Topic(name="De-escalation"), Topic(name="Scenarios"), Topic(name="Law")


def shown(blocks: list[Block]) -> list[str]:
    return [f"{when(block.starts_at, block.ends_at)} {block.name}".strip() for block in blocks]


def test_forty_hours_are_laid_out_over_five_days_around_lunch() -> None:
    blocks = lay_out([(TALK, 1200), (SCENES, 1200)], Layout(MONDAY))

    assert shown(blocks) == [
        "2 Mar 2026, 08:00 to 12:00 De-escalation",
        "2 Mar 2026, 13:00 to 17:00 De-escalation",
        "3 Mar 2026, 08:00 to 12:00 De-escalation",
        "3 Mar 2026, 13:00 to 17:00 De-escalation",
        "4 Mar 2026, 08:00 to 12:00 De-escalation",
        "4 Mar 2026, 13:00 to 17:00 Scenarios",
        "5 Mar 2026, 08:00 to 12:00 Scenarios",
        "5 Mar 2026, 13:00 to 17:00 Scenarios",
        "6 Mar 2026, 08:00 to 12:00 Scenarios",
        "6 Mar 2026, 13:00 to 17:00 Scenarios",
    ]


@pytest.mark.parametrize(
    ("minutes", "how", "days"),
    [
        pytest.param(2400, {}, {2: 480, 3: 480, 4: 480, 5: 480, 6: 480}, id="forty-hours"),
        pytest.param(1200, {}, {2: 480, 3: 480, 4: 240}, id="the-last-day-is-short"),
        pytest.param(2400, {"first_day": date(2026, 3, 5)}, {5: 480, 6: 480, 9: 480, 10: 480, 11: 480}, id="weekend"),
        pytest.param(
            2400,
            {"first_day": date(2026, 3, 5), "on_weekends": True},
            {5: 480, 6: 480, 7: 480, 8: 480, 9: 480},
            id="weekends-taught",
        ),
        pytest.param(2400, {"days": 4}, {2: 600, 3: 600, 4: 600, 5: 600}, id="four-long-days"),
        pytest.param(2400, {"days": 6}, {2: 405, 3: 405, 4: 405, 5: 405, 6: 390, 9: 390}, id="six-even-days"),
        pytest.param(100, {"days": 3}, {2: 30, 3: 30, 4: 40}, id="odd-minutes-on-the-last-day"),
        pytest.param(30, {"days": 5}, {2: 15, 3: 15}, id="more-days-than-quarters"),
        pytest.param(480, {"lunch_minutes": 0}, {2: 480}, id="no-lunch"),
        pytest.param(
            2400,
            {"without": {date(2026, 3, 4), date(2026, 3, 6), date(2026, 3, 7)}},
            {2: 480, 3: 480, 5: 480, 9: 480, 10: 480},
            id="days-left-out",
        ),
        pytest.param(960, {"first_day": date(2026, 3, 6)}, {6: 480, 9: 480}, id="over-the-change-of-the-clock"),
    ],
)
def test_every_minute_of_the_course_is_laid_out(minutes: int, how: dict[str, Any], days: dict[int, int]) -> None:
    blocks = lay_out([(None, minutes)], Layout(**{"first_day": MONDAY, **how}))

    found: dict[int, int] = {}
    for block in blocks:
        length = (block.ends_at - block.starts_at) // timedelta(minutes=1)
        found[block.day.day] = found.get(block.day.day, 0) + length
    assert found == days


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.lists(st.integers(1, 900), max_size=6),
    first_day=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    days=st.none() | st.integers(8, 20),
    starts=HOURS,
    lunch_at=HOURS,
    lunch_minutes=st.sampled_from([0, 30, 60]),
    on_weekends=st.booleans(),
)
@example(parts=[900, 900, 600], first_day=date(2026, 3, 7), days=None, starts=time(22), lunch_at=time(2, 30),
         lunch_minutes=60, on_weekends=True)  # fmt: skip
def test_a_layout_keeps_every_minute_in_order_and_never_two_blocks_at_once(parts: list[int], **how: Any) -> None:
    blocks = lay_out([(None, minutes) for minutes in parts], Layout(**how))

    lengths = [block.ends_at - block.starts_at for block in blocks]
    assert sum(lengths, timedelta()) == timedelta(minutes=sum(parts))
    assert all(length > timedelta() for length in lengths)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(blocks))


def test_topics_are_cut_at_lunch_and_at_the_end_of_the_day() -> None:
    blocks = lay_out([(TALK, 90), (SCENES, 300), (LAW, 120)], Layout(MONDAY, starts=time(9), lunch_at=time(11, 30)))

    assert shown(blocks) == [
        "2 Mar 2026, 09:00 to 10:30 De-escalation",
        "2 Mar 2026, 10:30 to 11:30 Scenarios",
        "2 Mar 2026, 12:30 to 16:30 Scenarios",
        "2 Mar 2026, 16:30 to 18:00 Law",
        "3 Mar 2026, 09:00 to 09:30 Law",
    ]


def test_a_course_without_hours_has_no_blocks() -> None:
    assert lay_out([], Layout(MONDAY)) == []
    assert lay_out([(TALK, 0)], Layout(MONDAY, days=3)) == []


def test_days_that_cannot_hold_the_course_are_refused() -> None:
    with pytest.raises(ValidationError, match="40 hours in 2 days are more than 12 hours a day"):
        lay_out([(None, 2400)], Layout(MONDAY, days=2))


def test_a_night_class_keeps_its_minutes_when_the_clock_goes_forward() -> None:
    # From 7 to 8 March 2026 the night has seven hours between 22:00 and 06:00.
    how = Layout(date(2026, 3, 7), starts=time(22), lunch_at=time(1), lunch_minutes=30, on_weekends=True)

    blocks = lay_out([(None, 480)], how)

    assert shown(blocks) == ["7 Mar 2026, 22:00 to 01:00 on 8 Mar", "8 Mar 2026, 01:30 to 07:30"]
    assert sum((block.ends_at - block.starts_at for block in blocks), timedelta()) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("day", "starts", "ends", "hours"),
    [
        pytest.param(date(2026, 3, 2), time(8), time(12), 4, id="plain"),
        pytest.param(date(2026, 3, 2), time(22), time(6), 8, id="over-midnight"),
        pytest.param(date(2026, 3, 7), time(22), time(6), 7, id="clock-goes-forward"),
        pytest.param(date(2026, 10, 31), time(22), time(6), 9, id="clock-goes-back"),
        pytest.param(date(2026, 11, 1), time(0, 30), time(1, 30), 1, id="an-hour-that-comes-twice-is-the-first"),
    ],
)
def test_a_block_lasts_as_long_as_really_passes(day: date, starts: time, ends: time, hours: int) -> None:
    starts_at, ends_at = schedule.span(day, starts, ends)

    assert ends_at - starts_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "starts", "ends", "sentence"),
    [
        pytest.param(MONDAY, time(13), time(12), "The block ends before it begins.", id="end-first"),
        pytest.param(MONDAY, time(13), time(13), "The block ends before it begins.", id="no-time-at-all"),
        pytest.param(MONDAY, time(6), time(18, 1), "A block has at most 12 hours.", id="too-long"),
        pytest.param(
            date(2026, 3, 8),
            time(2, 30),
            time(5),
            "The clock goes forward on 8 Mar 2026: there is no 02:30 on that day.",
            id="skipped-hour",
        ),
    ],
)
def test_a_block_that_cannot_be_is_refused(day: date, starts: time, ends: time, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        schedule.span(day, starts, ends)

    assert refused.value.messages == [sentence]


def test_a_moved_block_keeps_its_time_of_the_day_across_a_clock_change() -> None:
    later = schedule.moved(at(date(2026, 3, 6), 8), 7)

    assert timezone.localtime(later).replace(tzinfo=None) == datetime(2026, 3, 13, 8)  # noqa: DTZ001 - as a clock says
    assert later == datetime(2026, 3, 13, 12, tzinfo=UTC)


def test_a_move_into_the_hour_that_the_clock_skips_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no 02:15 on that day"):
        schedule.moved(at(date(2026, 3, 1), 2, 15), 7)


@pytest.mark.parametrize(
    ("planned", "told", "really"),
    [
        pytest.param(at(MONDAY, 8), time(8, 10), at(MONDAY, 8, 10), id="late"),
        pytest.param(at(MONDAY, 8), time(7, 50), at(MONDAY, 7, 50), id="early"),
        pytest.param(at(MONDAY, 23, 30), time(0, 5), at(date(2026, 3, 3), 0, 5), id="after-midnight"),
        pytest.param(at(MONDAY, 0, 10), time(23, 55), at(date(2026, 3, 1), 23, 55), id="before-midnight"),
        pytest.param(at(date(2026, 3, 9), 1), time(2, 30), at(date(2026, 3, 9), 2, 30), id="the-day-after-the-change"),
    ],
)
def test_a_real_time_is_the_one_nearest_to_the_plan(planned: datetime, told: time, really: datetime) -> None:
    assert schedule.near(told, planned) == really


@pytest.mark.parametrize(
    ("sizes", "people", "answer"),
    [
        pytest.param([], 5, [], id="no-place"),
        pytest.param([None], 5, [], id="no-place-yet"),
        pytest.param([5], 5, [], id="just-enough"),
        pytest.param([4], 5, ["Room 4 holds 4 people; so says the test."], id="one-too-few"),
        pytest.param([40, 4, 16], 5, ["Room 4 holds 4 people; so says the test."], id="the-smallest-of-several"),
        pytest.param([40, 0, 6], 5, [], id="one-of-which-nobody-knows"),
        pytest.param([0, None], 5, [], id="nobody-knows-of-any"),
    ],
)
def test_the_tightest_place_decides_how_many_fit(sizes: list[int | None], people: int, answer: list[str]) -> None:
    """A size of 0 stands for one that nobody knows, None for a block without a place."""
    places = [None if size is None else Place(name=f"Room {size}", capacity=size or None) for size in sizes]

    assert too_small(places, people, "so says the test") == answer


def test_the_federal_holidays_of_a_year() -> None:
    found = holidays(date(2026, 1, 1), date(2026, 12, 31))

    assert [f"{day:%a %m-%d} {name}" for day, name in found.items()] == [
        "Thu 01-01 New Year's Day",
        "Mon 01-19 Martin Luther King, Jr. Day",
        "Mon 02-16 Washington's Birthday",
        "Mon 05-25 Memorial Day",
        "Fri 06-19 Juneteenth",
        "Fri 07-03 Independence Day, observed",
        "Sat 07-04 Independence Day",
        "Mon 09-07 Labor Day",
        "Mon 10-12 Columbus Day",
        "Wed 11-11 Veterans Day",
        "Thu 11-26 Thanksgiving Day",
        "Fri 12-25 Christmas Day",
    ]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        pytest.param(date(2021, 12, 31), "New Year's Day, observed", id="of-the-next-year"),
        pytest.param(date(2023, 1, 2), "New Year's Day, observed", id="on-the-monday"),
        pytest.param(date(2027, 5, 31), "Memorial Day", id="the-last-day-of-the-month"),
        pytest.param(date(2027, 12, 24), "Christmas Day, observed", id="on-the-friday"),
        pytest.param(date(2026, 11, 27), None, id="the-day-after"),
    ],
)
def test_a_day_that_is_a_holiday_or_is_kept_as_one(day: date, name: str | None) -> None:
    assert holidays(day, day).get(day) == name
