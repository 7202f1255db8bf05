"""Laws that every timeline obeys, tried on facts made to collide: short clocks, few days, month ends, 29 February."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Course,
    Edition,
    Employment,
    Evidence,
    FirstDue,
    Leave,
    LeaveRule,
    MemberFacts,
    Period,
    Population,
    State,
    timeline,
)
from tests.compliance.engine_reference import Standing, standing_by_day

DAY = timedelta(days=1)
FIRST = date(2023, 12, 20)  # facts begin here ...
LAST = date(2025, 1, 10)  # ... and end here or stay open
HORIZON = date(2026, 1, 5)  # days are compared from just before the first fact to here

# ENGINE_EXAMPLES=5000 tries harder than the suite has time for.
EXAMPLES = int(os.environ.get("ENGINE_EXAMPLES", "75"))
# A busy machine is no failure.
few = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(few, max_examples=EXAMPLES * 3)


def often(usual: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """Mostly the first."""
    return st.sampled_from([usual] * 8 + list(rare))


PIVOTS = [
    date(2023, 12, 31),
    date(2024, 1, 31),
    date(2024, 2, 29),
    date(2024, 4, 30),
    date(2024, 8, 31),
    date(2024, 12, 31),
]
days = st.one_of(
    st.builds(lambda pivot, off: pivot + off * DAY, st.sampled_from(PIVOTS), st.integers(-2, 2)),
    st.integers(0, (LAST - FIRST).days).map(lambda off: FIRST + off * DAY),
)
lengths = st.sampled_from([0, 1, 9, 10, 29, 30, 31, 60, 90, 120, 150, 200])

ENTRY, REFRESHER, BOTH, OTHER = 1, 2, 3, 4
courses = st.builds(
    Course,
    key=st.sampled_from([ENTRY, ENTRY, REFRESHER, REFRESHER, BOTH, OTHER]),
    hours=st.sampled_from([None, 4, 8, 8]),
    mode=often("in_person", "online"),
    min_score=often(0, 70),
    min_attendance=often(0, 90),
)


populations = st.builds(
    Population,
    categories=often(None, frozenset({"sworn"}), frozenset()),
    functions=often(None, frozenset({"patrol"}), frozenset({"patrol", "jail"})),
    units=often(None, frozenset({1, 2})),
    ranks=often(None, frozenset({1})),
    shifts=often(None, frozenset({1})),
    min_service_months=often(0, 1, 3),
)


@st.composite
def editions(draw: st.DrawFn) -> list[Edition]:
    starts = draw(st.lists(days, min_size=0, max_size=2, unique=True).map(sorted))
    found: list[Edition] = []
    for key, start in enumerate([draw(st.sampled_from([FIRST - 400 * DAY, FIRST])), *starts], start=1):
        if found and start <= found[-1].effective_from:
            continue
        found.append(
            Edition(
                key=key,
                effective_from=start,
                effective_to=draw(often(None, start + 50 * DAY, start + 300 * DAY)),
                population=draw(populations),
                entry_courses=draw(often(frozenset({ENTRY, BOTH}), frozenset({ENTRY}), frozenset())),
                refresher_courses=draw(often(frozenset({REFRESHER, BOTH}), frozenset())),
                refresher_stands_alone=draw(st.booleans()),
                min_hours=draw(often(0, 8)),
                refresher_min_hours=draw(often(0, 5)),
                min_block_hours=draw(often(0, 5)),
                min_score=draw(often(0, 80)),
                min_attendance=draw(often(0, 95)),
                modes=draw(often(None, frozenset({"in_person"}), frozenset())),
                clock=draw(st.sampled_from([Clock.ONCE, Clock.ROLLING, Clock.ROLLING, Clock.CALENDAR])),
                months=draw(st.sampled_from([1, 2, 3, 4, 6, 12])),
                years=draw(st.sampled_from([0, 0, 1])),
                first_due=draw(often(FirstDue.GRACE, FirstDue.YEAR_END, FirstDue.NEXT_YEAR_END)),
                entry_grace_days=draw(st.sampled_from([0, 0, 1, 10, 60])),
                entry_due_on=draw(st.one_of(st.none(), st.none(), st.none(), st.none(), days)),
                leave=draw(often(LeaveRule.EXCLUDE, LeaveRule.NONE)),
                leave_kinds=draw(often(None, frozenset({"medical"}), frozenset())),
                leave_min_days=draw(often(0, 10, 30)),
                return_grace_days=draw(st.sampled_from([0, 1, 10, 60])),
            )
        )
    return found


@st.composite
def completions(draw: st.DrawFn, key: int) -> Completion:
    return Completion(
        key=key,
        course=draw(courses),
        completed_on=draw(days),
        hours=draw(often(None, 4, 8)),
        score=draw(often(85, None, 70, 69)),
        attendance=draw(often(None, 89, 90, 100)),
        passed=draw(often(True, False)),
        evidence=draw(often(Evidence.VERIFIED, Evidence.PENDING, Evidence.REJECTED)),
    )


@st.composite
def runs(draw: st.DrawFn, most: int) -> list[tuple[date, date | None]]:
    """Spans of days that never overlap and often touch: one employment or home assignment at a time."""
    found: list[tuple[date, date | None]] = []
    wanted: int = draw(st.sampled_from([1, *range(1, most + 1)]))
    start: date = draw(st.one_of(st.just(FIRST), st.just(FIRST + 40 * DAY), days))
    for _ in range(wanted):
        end = start + draw(lengths) * DAY
        found.append((start, end))
        start = end + draw(st.sampled_from([1, 1, 1, 2, 30])) * DAY
    if draw(often(True, False, False)):
        found[-1] = (found[-1][0], None)
    return found


@st.composite
def members(draw: st.DrawFn) -> MemberFacts:
    return MemberFacts(
        employments=[Employment(start, end, draw(often("sworn", "recruit"))) for start, end in draw(runs(2))],
        assignments=[
            Assignment(
                start,
                end,
                unit=draw(st.integers(1, 3)),
                function=draw(often("patrol", "jail", "records")),
                shift=draw(often(1, 2, None)),
                rank=draw(often(1, 2, None)),
            )
            for start, end in draw(runs(4))
        ],
        leaves=[
            Leave(start, draw(often(start + draw(lengths) * DAY, None)), draw(often("medical", "military")))
            for start in draw(
                st.sampled_from([0, 1, 2, 3, 4]).flatmap(lambda size: st.lists(days, min_size=size, max_size=size))
            )
        ],
        completions=[draw(completions(key)) for key in range(1, draw(st.sampled_from([1, 2, 3, 4, 5, 6])) + 1)],
    )


def by_day(line: Sequence[Period], last: date = HORIZON) -> dict[date, Standing]:
    """The standing on each day of the line to that day."""
    found = {}
    for period in line:
        standing = Standing(
            period.state,
            period.due_on,
            period.edition,
            period.unit,
            period.shift,
            period.rank,
            period.basis,
            period.has_credit,
            period.reason,
        )
        end = last if period.end_on is None else min(period.end_on, last)
        for ordinal in range(period.start_on.toordinal(), end.toordinal() + 1):
            day = date.fromordinal(ordinal)
            assert day not in found, "periods overlap"
            found[day] = standing
    return found


@many
@given(editions(), members())
def test_every_day_equals_the_reference(editions: list[Edition], member: MemberFacts) -> None:
    standing_on = standing_by_day(editions, member)

    answers = by_day(timeline(editions, member))

    day = FIRST - DAY
    while day <= HORIZON:
        assert answers.get(day) == standing_on(day), day
        day += DAY


@few
@given(editions(), members())
def test_periods_are_in_order_apart_and_as_few_as_can_be(editions: list[Edition], member: MemberFacts) -> None:
    line = timeline(editions, member)

    assert all(period.end_on is not None for period in line[:-1])
    assert all(period.end_on is None or period.start_on <= period.end_on for period in line)
    for before, after in pairwise(line):
        assert before.end_on is not None
        assert before.end_on < after.start_on
        if before.end_on + DAY == after.start_on:
            assert before._replace(start_on=after.start_on, end_on=after.end_on) != after


@few
@given(editions(), members(), st.randoms(use_true_random=False))
def test_the_order_of_facts_is_irrelevant(editions: list[Edition], member: MemberFacts, random: Random) -> None:
    def shuffled(rows: Sequence[Any]) -> list[Any]:
        return random.sample(rows, len(rows))

    again = MemberFacts(
        employments=shuffled(member.employments),
        assignments=shuffled(member.assignments),
        leaves=shuffled(member.leaves),
        completions=shuffled(member.completions),
    )

    assert timeline(shuffled(editions), again) == timeline(editions, member)


@few
@given(editions(), members(), days)
def test_a_credit_changes_nothing_before_its_day(editions: list[Edition], member: MemberFacts, as_of: date) -> None:
    known = [completion for completion in member.completions if completion.completed_on <= as_of]

    before = by_day(timeline(editions, replace(member, completions=known)), as_of)

    assert by_day(timeline(editions, member), as_of) == before


@few
@given(editions(), members(), days)
def test_a_return_changes_nothing_before_the_day_back(
    editions: list[Edition], member: MemberFacts, as_of: date
) -> None:
    # The least length is asked of the leave as recorded, so it is left out here.
    editions = [replace(edition, leave_min_days=0) for edition in editions]
    still_away = [
        replace(leave, end_on=None) if leave.start_on <= as_of and leave.end_on and as_of <= leave.end_on else leave
        for leave in member.leaves
        if leave.start_on <= as_of
    ]

    before = by_day(timeline(editions, replace(member, leaves=still_away)), as_of)

    assert by_day(timeline(editions, member), as_of) == before


@few
@given(editions(), members(), days)
def test_leaving_changes_nothing_before_that_day(editions: list[Edition], member: MemberFacts, as_of: date) -> None:
    def still_there(rows: Sequence[Any]) -> list[Any]:
        return [
            replace(row, end_on=None) if row.end_on and as_of <= row.end_on else row
            for row in rows
            if row.start_on <= as_of
        ]

    unchanged = replace(
        member, employments=still_there(member.employments), assignments=still_there(member.assignments)
    )

    before = by_day(timeline(editions, unchanged), as_of)

    assert by_day(timeline(editions, member), as_of) == before


WORSE_TO_BETTER = [State.OVERDUE, State.IN_GRACE, State.CURRENT]


@few
@given(editions(), members(), completions(99))
def test_a_credit_added_never_worsens_a_day(
    editions: list[Edition], member: MemberFacts, completion: Completion
) -> None:
    without = by_day(timeline(editions, member))

    with_it = by_day(timeline(editions, replace(member, completions=[*member.completions, completion])))

    assert with_it.keys() == without.keys()
    for day, old in without.items():
        new = with_it[day]
        assert new.has_credit >= old.has_credit
        assert (new.state is State.EXCUSED) == (old.state is State.EXCUSED)
        if new.state is not State.EXCUSED:
            assert WORSE_TO_BETTER.index(new.state) >= WORSE_TO_BETTER.index(old.state), day
            if new.state is old.state:
                assert (new.due_on or date.max) >= (old.due_on or date.max), day
