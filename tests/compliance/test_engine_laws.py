"""Laws that every timeline obeys, tried on facts made to collide: short clocks, few days, month ends, 29 February."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from enum import Enum
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from compliance.engine import (
    Assignment,
    Clock,
    Completion,
    Course,
    Designation,
    Early,
    Edition,
    Employment,
    Equivalency,
    Evidence,
    Extension,
    FirstDue,
    HoursModel,
    Leave,
    LeaveRule,
    LessonPlan,
    MemberFacts,
    Period,
    Population,
    Reason,
    State,
    Waiver,
    timeline,
)
from tests.compliance.engine_reference import Standing, add_months, covers, membership_by_day, standing_by_day

DAY = timedelta(days=1)
FIRST = date(2023, 12, 20)  # facts begin here ...
LAST = date(2025, 1, 10)  # ... and end here or stay open
HORIZON = date(2026, 1, 5)  # days are compared from just before the first fact to here

# ENGINE_EXAMPLES=5000 tries harder than the suite has time for.
EXAMPLES = int(os.environ.get("ENGINE_EXAMPLES", "75"))
# A busy machine is no failure.
few = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(few, max_examples=EXAMPLES * 3)


def often(usual: Any, *rare: Any, times: int = 8) -> st.SearchStrategy[Any]:
    """Mostly the first."""
    return st.sampled_from([usual] * times + list(rare))


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

ENTRY, REFRESHER, BOTH, RECERT, OTHER = 1, 2, 3, 4, 5


class Who(Enum):
    """What the populations of a case ask beside employment, so that the member has facts to match."""

    ANYONE = "anyone"
    POSTED = "posted"
    ACTING = "acting"
    DESIGNATED = "designated"


def some(least: int, most: int, moments: st.SearchStrategy[date]) -> st.SearchStrategy[list[date]]:
    """Some first days: each number of them as likely as the next."""
    return st.integers(least, most).flatmap(lambda size: st.lists(moments, min_size=size, max_size=size))


@st.composite
def populations(draw: st.DrawFn, who: Who) -> Population:
    if who is Who.ANYONE:
        return Population()
    if who is Who.POSTED:
        listed: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {"categories": frozenset({"sworn"})},
                    {"functions": frozenset({"patrol"})},
                    {"functions": frozenset({"patrol", "jail"}), "categories": frozenset({"sworn"})},
                    {"units": frozenset({1, 2})},
                    {"shifts": frozenset({1})},
                    {"functions": frozenset({"patrol"}), "shifts": frozenset({1})},
                ]
            )
        )
        return Population(**listed, min_service_months=draw(often(0, 1, 3, times=3)))
    if who is Who.ACTING:
        ranks = draw(st.sampled_from([frozenset({1}), frozenset({2})]))
        return Population(ranks=ranks, acting_counts=draw(often(True, False, times=3)))
    return Population(
        designations=draw(often(frozenset({"cit"}), frozenset({"cit", "fto"}), frozenset(), times=6)),
        voluntary_only=draw(st.booleans()),
    )


@st.composite
def clocks(draw: st.DrawFn) -> dict[str, Any]:
    """How long credit lasts: the parameters that belong together."""
    clock = draw(
        st.sampled_from(
            [Clock.ONCE, *[Clock.ROLLING] * 5, Clock.CALENDAR, *[Clock.CYCLE] * 2, *[Clock.CERTIFICATE] * 3]
        )
    )
    given: dict[str, Any] = {
        "clock": clock,
        "months": draw(st.sampled_from([1, 2, 3, 4, 6, 12])),
        "early": draw(often(Early.KEEP_ANCHOR, Early.RESTART, times=3)),
        "keep_anchor_days": draw(st.sampled_from([31, 62, 400, 10])),
        "recert_courses": draw(often(frozenset({RECERT}), frozenset({RECERT, OTHER}))),
    }
    if clock is Clock.CALENDAR:
        given["years"] = draw(st.sampled_from([0, 1]))
    if draw(often(False, True, times=2)):
        given["hours"] = draw(st.sampled_from([4, 8, 8.1]))
        given["hours_window_months"] = draw(st.sampled_from([0, 1, 2, 6]))
        if clock in (Clock.ONCE, Clock.ROLLING) and draw(st.booleans()):
            given["hours_model"] = HoursModel.ROLLING
            given["hours_window_months"] = given["hours_window_months"] or 3
    else:
        given["hours_model"] = draw(often(HoursModel.EVENT, HoursModel.ROLLING))
    if clock is Clock.CERTIFICATE:
        given["recert_before_days"] = draw(st.sampled_from([10, 31, 62, 400, 0]))
        given["recert_after_days"] = draw(st.sampled_from([10, 31, 62, 400, 0]))
    if clock is Clock.CYCLE:
        given["cycle_start"] = draw(st.sampled_from([FIRST - 60 * DAY, FIRST - 1 * DAY, *PIVOTS[:4]]))
        given["first_due"] = draw(st.sampled_from([FirstDue.WINDOW_END, FirstDue.NEXT_WINDOW_END]))
    else:
        given["first_due"] = draw(often(FirstDue.GRACE, FirstDue.YEAR_END, FirstDue.NEXT_YEAR_END))
    return given


#: What an edition may ask of a completion by itself.
asked = often(
    {},
    {"min_hours": 8},
    {"refresher_min_hours": 5},
    {"min_hours": 8, "refresher_min_hours": 8},
    {"min_block_hours": 5},
    {"min_score": 80},
    {"min_attendance": 95},
    {"modes": frozenset({"in_person"})},
    {"modes": frozenset()},
    times=20,
)
lists_of_courses = often(
    {"entry_courses": frozenset({ENTRY, BOTH}), "refresher_courses": frozenset({REFRESHER, BOTH})},
    {"entry_courses": frozenset({ENTRY}), "refresher_courses": frozenset({REFRESHER, BOTH})},
    {"entry_courses": frozenset(), "refresher_courses": frozenset({REFRESHER, BOTH})},
    {"entry_courses": frozenset({ENTRY, BOTH}), "refresher_courses": frozenset()},
    {"entry_courses": frozenset(), "refresher_courses": frozenset()},
    times=12,
)
leave_rules: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "leave": st.sampled_from([LeaveRule.EXCLUDE, LeaveRule.TOLL]),
        "leave_kinds": often(None, frozenset({"medical"}), frozenset()),
        "leave_min_days": often(0, 10, 30, 31, times=2),
        "return_grace_days": st.sampled_from([0, 1, 10, 60]),
    }
)


@st.composite
def editions(draw: st.DrawFn, who: Who) -> list[Edition]:
    clock = draw(clocks())
    starts = sorted(draw(st.sampled_from([0, 0, 0, 1, 1, 2]).flatmap(lambda size: some(size, size, days))))
    found: list[Edition] = []
    for key, start in enumerate([draw(st.sampled_from([FIRST - 400 * DAY, FIRST])), *starts], start=1):
        if found and start <= found[-1].effective_from:
            continue
        found.append(
            Edition(
                key=key,
                effective_from=start,
                effective_to=draw(often(None, start + 50 * DAY, start + 300 * DAY, times=16)),
                population=draw(populations(who)),
                refresher_stands_alone=draw(often(False, True, times=3)),
                refresher_min_tenure_months=draw(st.sampled_from([0, 1, 3, 12])),
                entry_grace_days=draw(st.sampled_from([0, 60, 60, 10, 1])),
                entry_due_on=draw(often(None, date(2024, 2, 29), date(2024, 4, 30), date(2024, 12, 31))),
                break_months=draw(often(0, 1, 2, times=2)),
                **draw(lists_of_courses),
                **draw(asked),
                **(draw(leave_rules) if draw(often(True, False, times=3)) else {}),
                **(clock if draw(often(True, False, times=2)) else draw(clocks())),
            )
        )
    return found


@st.composite
def equivalencies(draw: st.DrawFn, near: date) -> tuple[Equivalency, ...]:
    start = near + draw(st.sampled_from([0, 0, -30, 1])) * DAY
    end = draw(st.sampled_from([None, near, near - DAY, near + 30 * DAY]))
    counts_as = draw(st.sampled_from([ENTRY, ENTRY, REFRESHER, RECERT, OTHER]))
    return (Equivalency(counts_as, start, end),)


#: What is odd about a completion, or about its course.
odd_completions = often(
    {},
    {"score": None},
    {"score": 69},
    {"score": 70},
    {"score": 79},
    {"score": 80},
    {"attendance": 89},
    {"attendance": 90},
    {"attendance": 94},
    {"attendance": 95},
    {"passed": False},
    {"evidence": Evidence.PENDING},
    {"evidence": Evidence.REJECTED},
    times=20,
)
odd_courses = often({}, {"min_score": 70}, {"min_attendance": 90}, {"mode": "online"})


@st.composite
def completions(
    draw: st.DrawFn,
    key: int,
    moments: st.SearchStrategy[date] = days,
    courses: Sequence[int] = (ENTRY, ENTRY, REFRESHER, BOTH, RECERT, OTHER),
) -> Completion:
    day = draw(moments)
    course = {"mode": "in_person", "min_score": 0, "min_attendance": 0} | draw(odd_courses)
    return Completion(
        key=key,
        course=Course(
            key=draw(st.sampled_from(courses)),
            hours=draw(st.sampled_from([8, 8, 4, None])),
            equivalencies=draw(equivalencies(day)) if draw(often(False, True, times=2)) else (),
            **course,
        ),
        completed_on=day,
        hours=draw(often(None, 2.7, 4, 5.4, 8, times=4)),
        certificate_expires_on=day + draw(st.one_of(lengths, st.just(-10))) * DAY
        if draw(often(False, True, times=2))
        else None,
        lesson_plan=draw(often(None, LessonPlan(FIRST, day - DAY), LessonPlan(FIRST, day), times=8)),
        **({"score": 85} | draw(odd_completions)),
    )


#: Mostly there is something to renew.
plain_entries = st.builds(
    Completion,
    key=st.sampled_from([1, 50]),
    course=st.just(Course(ENTRY, hours=8, mode="in_person", min_score=80, min_attendance=0)),
    completed_on=st.one_of(days, st.integers(0, 100).map(lambda off: FIRST + off * DAY)),
    score=st.just(90),
)


@st.composite
def runs(draw: st.DrawFn, most: int, gaps: Sequence[int]) -> list[tuple[date, date | None]]:
    """Spans of days that never overlap and often touch: one employment or home assignment at a time."""
    found: list[tuple[date, date | None]] = []
    wanted: int = draw(st.sampled_from([1, *range(1, most + 1)]))
    start: date = draw(often(FIRST, FIRST + 40 * DAY, date(2024, 2, 29), date(2024, 8, 31), times=6))
    for _ in range(wanted):
        end = start + draw(st.sampled_from([120, 200, 60, 31, 0, 1])) * DAY
        found.append((start, end))
        start = end + draw(st.sampled_from(gaps)) * DAY
    if draw(often(True, False, times=2)):
        found[-1] = (found[-1][0], None)
    return found


@st.composite
def assignments(draw: st.DrawFn, start: date, end: date | None) -> Assignment:
    return Assignment(
        start,
        end,
        unit=draw(st.integers(1, 3)),
        function=draw(often("patrol", "jail", "records")),
        shift=draw(often(1, 2, None)),
        rank=draw(often(1, 2, None, times=3)),
    )


@st.composite
def members(draw: st.DrawFn, who: Who, editions: Sequence[Edition]) -> MemberFacts:
    """A member whose facts fall about the days on which something joined, completed or added up comes due."""
    employments = [
        Employment(start, end, draw(often("sworn", "recruit")))
        for start, end in draw(runs(3, [1, 2, 31, 32, 61, 62, 63]))
    ]
    months = [0, *(edition.months for edition in editions)]
    offsets = st.sampled_from([0, 0, -1, 1, -10, 10, -31, 31, -62, 62])

    def about(moments: Sequence[date]) -> st.SearchStrategy[date]:
        later = st.builds(add_months, st.sampled_from(moments), st.sampled_from(months))
        near = st.builds(lambda day, off: day + off * DAY, later, offsets)
        return often(near, days, times=3).flatmap(lambda strategy: strategy)

    courses = [ENTRY, ENTRY, ENTRY, REFRESHER, REFRESHER, BOTH, OTHER, RECERT]
    if any(edition.clock is Clock.CERTIFICATE for edition in editions):
        courses += [RECERT] * 5
    taken = [draw(plain_entries) if draw(often(True, False, times=3)) else draw(completions(1, days, courses))]
    for key in range(2, draw(st.integers(2, 7)) + 1):
        taken.append(draw(completions(key, about([c.completed_on for c in taken]), courses)))

    def together(most: int) -> st.SearchStrategy[list[date]]:
        """First days on one day, next to one another and apart."""
        later = st.lists(st.sampled_from([0, 0, 1, 1, 2, 10, 31, 90]), min_size=1, max_size=most)
        return st.builds(lambda day, offs: [day + off * DAY for off in offs], days, later)

    due = about([*(row.start_on for row in employments), *(c.completed_on for c in taken)])
    return MemberFacts(
        employments=employments,
        assignments=[draw(assignments(start, end)) for start, end in draw(runs(4, [1, 1, 1, 2, 30]))],
        leaves=[
            Leave(start, draw(often(start + draw(lengths) * DAY, None)), draw(often("medical", "military")))
            for start in draw(some(0, 4, due))
        ],
        completions=taken,
        designations=[
            Designation(
                start,
                draw(often(None, start + draw(lengths) * DAY, times=1)),
                draw(often("cit", "fto", times=3)),
                is_voluntary=draw(st.booleans()),
            )
            for start in draw(together(3) if who is Who.DESIGNATED else st.just([]))
        ],
        acting=[
            draw(assignments(start, draw(often(None, start + draw(lengths) * DAY, times=1))))
            for start in draw(together(3) if who is Who.ACTING else st.just([]))
        ],
        waivers=[
            Waiver(draw(often(0, 1)), start, start + draw(lengths) * DAY)
            for start in draw(often(0, 1, times=2).flatmap(lambda size: some(size, size, due)))
        ],
        extensions=[
            Extension(draw(often(0, 1)), approved_on + draw(st.one_of(lengths, st.just(-10))) * DAY, approved_on)
            for approved_on in draw(some(0, 3, due).flatmap(lambda found: often(found, [*found, *found[:1]], times=2)))
        ],
    )


#: The editions of one requirement and the facts of one member.
Case = tuple[list[Edition], MemberFacts]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A requirement and a member, whose facts are of the kinds it looks at."""
    who = draw(st.sampled_from([*[Who.ANYONE] * 4, Who.POSTED, Who.ACTING, Who.DESIGNATED]))
    rules = draw(editions(who))
    return rules, draw(members(who, rules))


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
@given(cases())
def test_every_day_equals_the_reference(case: Case) -> None:
    editions, member = case
    standing_on = standing_by_day(editions, member)

    answers = by_day(timeline(editions, member))

    day = FIRST - DAY
    while day <= HORIZON:
        assert answers.get(day) == standing_on(day), day
        day += DAY


@few
@given(cases())
def test_periods_are_in_order_apart_and_as_few_as_can_be(case: Case) -> None:
    line = timeline(*case)

    assert all(period.end_on is not None for period in line[:-1])
    assert all(period.end_on is None or period.start_on <= period.end_on for period in line)
    for before, after in pairwise(line):
        assert before.end_on is not None
        assert before.end_on < after.start_on
        if before.end_on + DAY == after.start_on:
            assert before._replace(start_on=after.start_on, end_on=after.end_on) != after


@few
@given(cases())
def test_periods_cover_membership_exactly(case: Case) -> None:
    is_member = membership_by_day(*case).is_member

    answers = by_day(timeline(*case))

    every_day = [FIRST + off * DAY for off in range(-500, (HORIZON - FIRST).days + 1)]
    assert sorted(answers) == [day for day in every_day if is_member(day)]


@few
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_facts_is_irrelevant(case: Case, random: Random) -> None:
    editions, member = case

    def shuffled(rows: Sequence[Any]) -> list[Any]:
        return random.sample(rows, len(rows))

    again = MemberFacts(**{facts.name: shuffled(getattr(member, facts.name)) for facts in fields(MemberFacts)})

    assert timeline(shuffled(editions), again) == timeline(editions, member)


@few
@given(cases(), days)
def test_a_credit_changes_nothing_before_its_day(case: Case, as_of: date) -> None:
    editions, member = case
    known = [completion for completion in member.completions if completion.completed_on <= as_of]

    before = by_day(timeline(editions, replace(member, completions=known)), as_of)

    assert by_day(timeline(editions, member), as_of) == before


@few
@given(cases(), days)
def test_an_extension_changes_nothing_before_its_approval(case: Case, as_of: date) -> None:
    editions, member = case
    approved = [extension for extension in member.extensions if extension.approved_on <= as_of]

    before = by_day(timeline(editions, replace(member, extensions=approved)), as_of)

    assert by_day(timeline(editions, member), as_of) == before


@few
@given(cases())
def test_a_waiver_changes_its_own_days_only(case: Case) -> None:
    editions, member = case
    without = by_day(timeline(editions, replace(member, waivers=())))

    answers = by_day(timeline(editions, member))

    waived = {day for day in answers for row in member.waivers if row.requirement == 0 and covers(row, day)}
    assert {day for day, answer in answers.items() if answer.reason is Reason.ON_WAIVER} == waived
    assert {day: without[day] for day in answers if day not in waived} == {
        day: answer for day, answer in answers.items() if day not in waived
    }


@few
@given(cases(), days)
def test_a_return_changes_nothing_before_the_day_back(case: Case, as_of: date) -> None:
    editions, member = case
    # Toll alone looks at the days of leave still to come.
    editions = [
        replace(edition, leave=LeaveRule.EXCLUDE) if edition.leave is LeaveRule.TOLL else edition
        for edition in editions
    ]
    still_away = [
        replace(leave, end_on=None) if leave.start_on <= as_of and leave.end_on and as_of <= leave.end_on else leave
        for leave in member.leaves
        if leave.start_on <= as_of
    ]

    before = by_day(timeline(editions, replace(member, leaves=still_away)), as_of)

    assert by_day(timeline(editions, member), as_of) == before


@few
@given(cases(), days)
def test_leaving_changes_nothing_before_that_day(case: Case, as_of: date) -> None:
    editions, member = case

    def still_there(rows: Sequence[Any]) -> list[Any]:
        return [
            replace(row, end_on=None) if row.end_on and as_of <= row.end_on else row
            for row in rows
            if row.start_on <= as_of
        ]

    unchanged = replace(
        member,
        employments=still_there(member.employments),
        assignments=still_there(member.assignments),
        acting=still_there(member.acting),
        designations=still_there(member.designations),
    )

    before = by_day(timeline(editions, unchanged), as_of)

    assert by_day(timeline(editions, member), as_of) == before


WORSE_TO_BETTER = [State.OVERDUE, State.IN_GRACE, State.CURRENT]


def without_exceptions(edition: Edition) -> Edition:
    """The edition without what lets a credit more end sooner.

    A kept anchor and an emptied sum move the days that follow from, and a certificate's later limit moves the days for
    recertification. A tenure is asked from the first entry credit on, and so not of a refresher that stands alone.
    """
    if edition.clock is Clock.CERTIFICATE:
        edition = replace(edition, clock=Clock.ROLLING)
    if edition.hours_model is HoursModel.EVENT:
        edition = replace(edition, hours=0)
    if edition.refresher_stands_alone:
        edition = replace(edition, refresher_min_tenure_months=0)
    return replace(edition, early=Early.RESTART)


@few
@given(cases(), completions(99))
def test_a_credit_added_never_worsens_a_day(case: Case, completion: Completion) -> None:
    editions, member = [without_exceptions(edition) for edition in case[0]], case[1]
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


def asking(**rules: Any) -> Callable[[Case], Case]:
    """A case with some parameters of every edition set to what leaves a rule out."""
    return lambda case: ([replace(edition, **rules) for edition in case[0]], case[1])


def asked_of(**rules: Any) -> Callable[[Case], Case]:
    """The same for parameters of the populations."""
    return lambda case: (
        [replace(edition, population=replace(edition.population, **rules)) for edition in case[0]],
        case[1],
    )


def known(**facts: Any) -> Callable[[Case], Case]:
    return lambda case: (case[0], replace(case[1], **facts))


def completed(change: Callable[[Completion], Completion]) -> Callable[[Case], Case]:
    return lambda case: (case[0], replace(case[1], completions=[change(each) for each in case[1].completions]))


#: Rules, and what a case is without them: a rule bites in a case that has another line without it.
WITHOUT: dict[str, Callable[[Case], Case]] = {
    "acting": asked_of(acting_counts=False),
    "break": asking(break_months=0),
    "designation": asked_of(designations=None),
    "equivalency": completed(lambda each: replace(each, course=replace(each.course, equivalencies=()))),
    "extension": known(extensions=()),
    "kept anchor": asking(early=Early.RESTART),
    "leave": asking(leave=LeaveRule.NONE),
    "leave min days": asking(leave_min_days=0),
    "lesson plan": completed(lambda each: replace(each, lesson_plan=None)),
    "printed expiry": completed(lambda each: replace(each, certificate_expires_on=None)),
    "recertification": asking(recert_courses=frozenset()),
    "recertification window": asking(recert_before_days=3660, recert_after_days=3660),
    "tenure": asking(refresher_min_tenure_months=0),
    "voluntary": asked_of(voluntary_only=False),
    "waiver": known(waivers=()),
}


def rules_that_bite(case: Case) -> Iterator[str]:
    """The rules without which this case has another line, and those that its line shows at work."""
    editions, member = case
    line = timeline(editions, member)
    under = {edition.key: edition for edition in editions}
    for rule, without in WITHOUT.items():
        other = without(case)
        if other != case and timeline(*other) != line:
            yield rule
            if rule == "leave":
                yield from {f"leave {edition.leave}" for edition in editions}
    for period in line:
        edition = under[period.edition]
        yield period.state
        yield period.reason
        if period.reason is Reason.FIRST_DEADLINE:
            yield edition.first_due
        if period.state is State.CURRENT:
            yield f"hours {edition.hours_model}" if edition.hours else edition.clock
        for extension in member.extensions:
            approved_then = period.start_on <= extension.approved_on <= (period.end_on or date.max)
            if approved_then and extension.requirement == 0 and period.state is State.OVERDUE:
                yield "extension refused"


def test_every_rule_bites_in_some_of_the_cases() -> None:
    """Else the laws would hold of nothing."""
    rules = {*WITHOUT, *State, *Reason, *FirstDue, *Clock, *(f"hours {model}" for model in HoursModel)}
    rules |= {"leave toll", "leave exclude", "extension refused"}
    bitten: set[str] = set()

    @settings(few, max_examples=600, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases())
    def collect(case: Case) -> None:
        bitten.update(rules_that_bite(case))

    collect()

    assert rules - bitten == set()
