"""What attendance and tests come to: a table of classes with the answer written out, boundary days among them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.judging import (
    AskedTest,
    Attempt,
    Block,
    Judgement,
    MakeUp,
    Seat,
    Terms,
    Verdict,
    fault_of,
    judge,
    percent,
    spoken_minutes,
)

MONDAY, FRIDAY = date(2026, 4, 13), date(2026, 4, 17)
#: five days with two blocks of four hours each: 40 hours
WEEK = tuple(Block(number, date(2026, 4, 13 + number // 2), 240) for number in range(10))
WHOLE = dict.fromkeys(range(10), 240)
EXAM, DRILL = AskedTest(1, "Written exam", Decimal(70)), AskedTest(2, "Scenario", Decimal(80))


def without(*blocks: int, **minutes: int) -> dict[int, int]:
    """The whole week, absent from these blocks."""
    return {**WHOLE, **dict.fromkeys(blocks, 0), **{int(key[1:]): value for key, value in minutes.items()}}


def terms(least: str = "0", *tests: AskedTest, score: str = "0", blocks: tuple[Block, ...] = WEEK) -> Terms:
    return Terms(blocks, tests, min_attendance=Decimal(least), min_score=Decimal(score))


def tried(test: int, day: int, score: str, order: int = 0, *, month: int = 4, remedial: int | None = None) -> Attempt:
    remedial_on = date(2026, month, remedial) if remedial else None
    return Attempt(test, date(2026, month, day), Decimal(score), order, remedial_on)


def passed(completed_on: date, attendance: str, score: str | None = None) -> tuple[Any, ...]:
    return (Verdict.PASSED, completed_on, Decimal(attendance), Decimal(score) if score else None, ())


def lacking(verdict: Verdict, *why: str, attendance: str | None = None, score: str | None = None) -> tuple[Any, ...]:
    return (verdict, None, Decimal(attendance) if attendance else None, Decimal(score) if score else None, why)


def told(judgement: Judgement) -> tuple[Any, ...]:
    return judgement.verdict, judgement.completed_on, judgement.attendance, judgement.score, judgement.why


CASES = [
    # The worked example 9 of rules.md: missed 4 of 40 hours.
    pytest.param(terms("90"), Seat(without(4)), passed(FRIDAY, "90.00"), id="example-9-minimum-90"),
    pytest.param(
        terms("100"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)]),
        passed(date(2026, 4, 22), "100.00"),
        id="example-9-minimum-100-made-up",
    ),
    pytest.param(
        terms("100"),
        Seat(without(4)),
        lacking(Verdict.INCOMPLETE, "Attended 36 h of 40 h, 90.00 %: the course asks for 100 %.", attendance="90.00"),
        id="example-9-minimum-100-not-made-up",
    ),
    # The minimum, met exactly and missed by a minute.
    pytest.param(terms("100"), Seat(WHOLE), passed(FRIDAY, "100.00"), id="everything"),
    pytest.param(
        terms("90"),
        Seat(without(4, b0=239)),
        lacking(
            Verdict.INCOMPLETE, "Attended 35 h 59 min of 40 h, 89.95 %: the course asks for 90 %.", attendance="89.95"
        ),
        id="a-minute-short",
    ),
    pytest.param(
        terms("90", blocks=(Block(0, MONDAY, 30_000), Block(1, FRIDAY, 70_000))),
        Seat({0: 19_999, 1: 70_000}),
        lacking(
            Verdict.INCOMPLETE,
            "Attended 1499 h 59 min of 1666 h 40 min, 89.99 %: the course asks for 90 %.",
            attendance="89.99",
        ),
        id="89.999-is-not-90",
    ),
    pytest.param(
        terms("66.67", blocks=WEEK[:3]),
        Seat({0: 240, 1: 240, 2: 0}),
        lacking(Verdict.INCOMPLETE, "Attended 8 h of 12 h, 66.66 %: the course asks for 66.67 %.", attendance="66.66"),
        id="two-thirds-are-not-66.67",
    ),
    pytest.param(terms("66.66", blocks=WEEK[:3]), Seat({0: 240, 1: 240, 2: 0}), passed(MONDAY, "66.66"), id="66.66"),
    pytest.param(terms(), Seat(without(*range(1, 10), b0=1)), passed(MONDAY, "0.04"), id="no-minimum-one-minute"),
    # The day: the last hour that was attended, whatever was missed after it.
    pytest.param(terms("80"), Seat(without(8, 9)), passed(date(2026, 4, 16), "80.00"), id="missed-the-last-day"),
    pytest.param(terms("90"), Seat(without(9)), passed(FRIDAY, "90.00"), id="missed-the-last-afternoon"),
    # Make-ups: hour for hour, up to what was missed, on their own day.
    pytest.param(
        terms("95"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 120)]),
        passed(date(2026, 4, 22), "95.00"),
        id="made-up-half-of-it",
    ),
    pytest.param(
        terms("100"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 239)]),
        lacking(
            Verdict.INCOMPLETE, "Attended 39 h 59 min of 40 h, 99.95 %: the course asks for 100 %.", attendance="99.95"
        ),
        id="made-up-a-minute-short",
    ),
    pytest.param(
        terms("100"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 29), 120), MakeUp(4, date(2026, 4, 22), 120)]),
        passed(date(2026, 4, 29), "100.00"),
        id="made-up-in-two-parts",
    ),
    pytest.param(
        terms("100"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240), MakeUp(4, date(2026, 4, 29), 240)]),
        passed(date(2026, 4, 22), "100.00"),
        id="made-up-twice-counts-once",
    ),
    pytest.param(
        terms("100"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 8), 240)]),
        passed(FRIDAY, "100.00"),
        id="made-up-before-the-class",
    ),
    pytest.param(
        terms("100"),
        Seat({**WHOLE, 4: 100}, [MakeUp(4, date(2026, 4, 22), 240)]),
        passed(date(2026, 4, 22), "100.00"),
        id="made-up-the-rest-of-a-block",
    ),
    pytest.param(
        terms("100"),
        Seat(WHOLE, [MakeUp(4, date(2026, 4, 22), 240)]),
        passed(FRIDAY, "100.00"),
        id="nothing-was-missed",
    ),
    pytest.param(
        terms("90"),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)]),
        passed(date(2026, 4, 22), "100.00"),
        id="made-up-beyond-the-minimum",
    ),
    pytest.param(
        terms("10"),
        Seat(without(*range(10)), [MakeUp(4, date(2026, 4, 22), 240)]),
        passed(date(2026, 4, 22), "10.00"),
        id="made-up-alone",
    ),
    # Minutes above the length of a block, blocks of no length, marks for other blocks.
    pytest.param(terms("100"), Seat({**WHOLE, 4: 600}), passed(FRIDAY, "100.00"), id="minutes-above-the-block"),
    pytest.param(
        terms("95"),
        Seat(without(4, b5=600)),
        lacking(Verdict.INCOMPLETE, "Attended 36 h of 40 h, 90.00 %: the course asks for 95 %.", attendance="90.00"),
        id="minutes-above-a-block-make-up-for-no-other",
    ),
    pytest.param(
        terms("100", blocks=(*WEEK, Block(10, date(2026, 4, 18), 0))),
        Seat(WHOLE),
        passed(FRIDAY, "100.00"),
        id="a-block-of-no-length-needs-no-mark",
    ),
    pytest.param(
        terms("100", blocks=(*WEEK, Block(10, date(2026, 4, 18), 0))),
        Seat({**WHOLE, 10: 60}),
        passed(FRIDAY, "100.00"),
        id="a-block-of-no-length-sets-no-day",
    ),
    pytest.param(terms("100", blocks=WEEK[:2]), Seat(WHOLE), passed(MONDAY, "100.00"), id="marks-of-no-block"),
    pytest.param(
        terms(blocks=(Block(0, MONDAY, 0),)),
        Seat({0: 0}),
        lacking(Verdict.INCOMPLETE, "The class has no blocks."),
        id="only-blocks-of-no-length",
    ),
    pytest.param(terms(blocks=()), Seat({}), lacking(Verdict.INCOMPLETE, "The class has no blocks."), id="no-blocks"),
    # What nobody marked is not known, and what is not known passes nobody.
    pytest.param(
        terms(),
        Seat(dict.fromkeys(range(9), 240)),
        lacking(Verdict.INCOMPLETE, "1 block is not marked.", attendance="90.00"),
        id="one-block-not-marked",
    ),
    pytest.param(
        terms("90"),
        Seat({}),
        lacking(Verdict.INCOMPLETE, "10 blocks are not marked.", "Was in no block.", attendance="0.00"),
        id="nothing-marked",
    ),
    # Who did not come.
    pytest.param(
        terms("90", EXAM),
        Seat(without(*range(10))),
        lacking(Verdict.NO_SHOW, "Did not come.", attendance="0.00"),
        id="absent-throughout",
    ),
    pytest.param(
        terms("90", EXAM),
        Seat({}, did_not_come=True),
        lacking(Verdict.NO_SHOW, "Did not come.", attendance="0.00"),
        id="said-not-to-have-come",
    ),
    pytest.param(
        terms("0", EXAM),
        Seat(without(*range(10)), attempts=[tried(1, 17, "99")]),
        lacking(Verdict.INCOMPLETE, "Was in no block.", attendance="0.00", score="99"),
        id="took-the-test-alone",
    ),
    # Tests: the last attempt that stands, every test, the higher mark.
    pytest.param(
        terms("90", EXAM),
        Seat(WHOLE, attempts=[tried(1, 17, "70")]),
        passed(FRIDAY, "100.00", "70"),
        id="pass-mark-exactly",
    ),
    pytest.param(
        terms("90", EXAM),
        Seat(WHOLE, attempts=[tried(1, 17, "69.99")]),
        lacking(Verdict.FAILED, "Written exam: 69.99 %, and 70 % passes.", attendance="100.00", score="69.99"),
        id="pass-mark-missed",
    ),
    pytest.param(
        terms("90", EXAM, score="75"),
        Seat(WHOLE, attempts=[tried(1, 17, "74.5")]),
        lacking(Verdict.FAILED, "Written exam: 74.5 %, and 75 % passes.", attendance="100.00", score="74.5"),
        id="the-course-asks-for-more",
    ),
    pytest.param(
        terms("90", EXAM),
        Seat(WHOLE, attempts=[tried(1, 17, "55"), tried(1, 24, "82", remedial=20)]),
        passed(date(2026, 4, 24), "100.00", "82"),
        id="re-test-after-the-last-block",
    ),
    pytest.param(
        terms("90", EXAM),
        Seat(WHOLE, attempts=[tried(1, 14, "82", 2), tried(1, 14, "55", 1)]),
        passed(FRIDAY, "100.00", "82"),
        id="re-test-of-the-same-day-before-the-last-block",
    ),
    pytest.param(
        terms("90", EXAM),
        Seat(WHOLE, attempts=[tried(1, 17, "82"), tried(1, 24, "55")]),
        lacking(Verdict.FAILED, "Written exam: 55 %, and 70 % passes.", attendance="100.00", score="55"),
        id="the-last-attempt-decides",
    ),
    pytest.param(
        terms("90", EXAM, DRILL),
        Seat(WHOLE, attempts=[tried(1, 15, "91"), tried(2, 16, "80")]),
        passed(FRIDAY, "100.00", "80"),
        id="two-tests-the-lowest-score",
    ),
    pytest.param(
        terms("90", EXAM, DRILL),
        Seat(WHOLE, attempts=[tried(1, 15, "91")]),
        lacking(Verdict.INCOMPLETE, "Scenario: not taken.", attendance="100.00"),
        id="one-of-two-tests-not-taken",
    ),
    pytest.param(
        terms("90", EXAM, DRILL),
        Seat(WHOLE, attempts=[tried(1, 15, "60")]),
        lacking(Verdict.FAILED, "Written exam: 60 %, and 70 % passes.", "Scenario: not taken.", attendance="100.00"),
        id="failed-outweighs-not-taken",
    ),
    pytest.param(
        terms("90", DRILL),
        Seat(WHOLE, attempts=[tried(1, 24, "10"), tried(2, 16, "80")]),
        passed(FRIDAY, "100.00", "80"),
        id="an-attempt-at-another-test-decides-nothing",
    ),
    pytest.param(
        terms("90", score="70"),
        Seat(WHOLE),
        lacking(Verdict.INCOMPLETE, "The course asks for a score of 70 % and has no test.", attendance="100.00"),
        id="a-score-without-a-test",
    ),
    pytest.param(
        terms("100", EXAM),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)], [tried(1, 17, "55"), tried(1, 21, "82", remedial=20)]),
        passed(date(2026, 4, 22), "100.00", "82"),
        id="make-up-after-the-re-test",
    ),
    pytest.param(
        terms("100", EXAM),
        Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)], [tried(1, 17, "55"), tried(1, 24, "82", remedial=20)]),
        passed(date(2026, 4, 24), "100.00", "82"),
        id="re-test-after-the-make-up",
    ),
    pytest.param(
        terms("95", EXAM),
        Seat(without(4), attempts=[tried(1, 17, "55")]),
        lacking(
            Verdict.FAILED,
            "Written exam: 55 %, and 70 % passes.",
            "Attended 36 h of 40 h, 90.00 %: the course asks for 95 %.",
            attendance="90.00",
            score="55",
        ),
        id="everything-that-is-lacking",
    ),
]


@pytest.mark.parametrize(("asked", "seat", "expected"), CASES)
def test_a_class_comes_to(asked: Terms, seat: Seat, expected: tuple[Any, ...]) -> None:
    assert told(judge(asked, seat)) == expected


@pytest.mark.parametrize(
    ("asked", "seat", "is_told"),
    [
        pytest.param(terms("90"), Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)]), True, id="not-needed"),
        pytest.param(terms("100"), Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)]), False, id="needed"),
        pytest.param(terms("90"), Seat(without(4), [MakeUp(4, FRIDAY, 240)]), False, id="by-the-last-day"),
        pytest.param(
            terms("90", EXAM),
            Seat(without(4), [MakeUp(4, date(2026, 4, 22), 240)], [tried(1, 22, "82")]),
            False,
            id="tested-on-that-day",
        ),
    ],
)
def test_a_make_up_that_moves_the_date_without_need_is_told(asked: Terms, seat: Seat, is_told: bool) -> None:
    judgement = judge(asked, seat)

    assert judgement.verdict is Verdict.PASSED
    assert bool(judgement.notes) is is_told


@pytest.mark.parametrize(
    ("attempts", "fault"),
    [
        pytest.param([], "", id="none"),
        pytest.param([tried(1, 17, "55")], "", id="one"),
        pytest.param([tried(1, 17, "55"), tried(1, 24, "82", 1, remedial=20)], "", id="remedial-between"),
        pytest.param([tried(1, 17, "55"), tried(1, 24, "82", 1, remedial=17)], "", id="remedial-on-the-failed-day"),
        pytest.param([tried(1, 17, "55"), tried(1, 24, "82", 1, remedial=24)], "", id="remedial-on-the-same-day"),
        pytest.param([tried(1, 17, "55", 1), tried(1, 17, "82", 2, remedial=17)], "", id="all-in-one-day"),
        pytest.param(
            [tried(1, 17, "55"), tried(1, 24, "82", 1)],
            "This is a re-test of Written exam: say on which day the remedial training was.",
            id="no-remedial",
        ),
        pytest.param(
            [tried(1, 17, "55"), tried(1, 24, "82", 1, remedial=16)],
            "Remedial training comes after the failed attempt, and on the day of the re-test at the latest.",
            id="remedial-too-early",
        ),
        pytest.param(
            [tried(1, 17, "55"), tried(1, 24, "82", 1, remedial=25)],
            "Remedial training comes after the failed attempt, and on the day of the re-test at the latest.",
            id="remedial-too-late",
        ),
        pytest.param(
            [tried(1, 17, "70"), tried(1, 24, "82", 1, remedial=20)],
            "Written exam was passed with 70 % before. Correct that attempt if it is wrong.",
            id="tested-again-after-passing",
        ),
        pytest.param(
            [tried(1, 17, "55", remedial=16)],
            "This is the first attempt at Written exam, and remedial training comes before a re-test.",
            id="remedial-before-the-first",
        ),
    ],
)
def test_attempts_follow_one_another(attempts: list[Attempt], fault: str) -> None:
    assert fault_of(terms("90", EXAM), EXAM, attempts) == fault


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 min"), (20, "20 min"), (60, "1 h"), (2159, "35 h 59 min"), (2400, "40 h")]
)
def test_minutes_are_said_in_hours(minutes: int, said: str) -> None:
    assert spoken_minutes(minutes) == said


#: minutes of a block, minutes there, minutes made up
SEATS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 900), st.lists(st.integers(0, 900), max_size=3)), max_size=8
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seats=SEATS, hundredths=st.integers(0, 10_000))
def test_attendance_is_never_more_than_there_was_and_never_rounded_up(
    seats: list[tuple[int, int, list[int]]], hundredths: int
) -> None:
    least = Decimal(hundredths).scaleb(-2)
    blocks = tuple(Block(key, MONDAY, minutes) for key, (minutes, _, _) in enumerate(seats))
    there = {key: here for key, (_, here, _) in enumerate(seats)}
    made_up = [MakeUp(key, FRIDAY, part) for key, (_, _, parts) in enumerate(seats) for part in parts]

    judgement = judge(terms(str(least), blocks=blocks), Seat(there, made_up))

    # Written another way: of each block the smaller of its length and of all minutes had for it.
    expected = sum(min(minutes, here + sum(parts)) for minutes, here, parts in seats)
    whole = sum(minutes for minutes, _, _ in seats)
    if judgement.verdict is not Verdict.NO_SHOW:
        assert judgement.minutes == expected
    if whole:
        share = Fraction(expected * 100, whole)
        assert judgement.attendance is not None
        assert 0 <= share - Fraction(judgement.attendance) < Fraction(1, 100)
        assert (judgement.verdict is Verdict.PASSED) == (expected > 0 and share >= Fraction(least))


def test_a_share_of_nothing_is_no_share() -> None:
    assert percent(0, 0) is None
