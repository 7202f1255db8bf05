"""What the answers say to a person, for every clock and reason; and a rule restated from its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from compliance import sentences
from compliance.engine import Reason, State
from compliance.models import Edition, Requirement
from compliance.sentences import Basis, because
from tests import factories as make

DUE = date(2026, 3, 17)
BASIS = Basis("CIT refresher", date(2023, 3, 17))
ROLLING = {"clock": "rolling", "months": 36}
TOLL = {**ROLLING, "leave": "toll"}
ROLLING_HOURS = {"hours": 8, "hours_model": "rolling", "hours_window_months": 36}


@dataclass(frozen=True)
class Stand:
    state: State
    reason: Reason
    due_on: date | None = DUE
    has_credit: bool = False
    start_on: date = date(2020, 1, 1)


def told(standing: Stand, basis: Basis | None = None, **edition: Any) -> str:
    return because(standing, Edition(requirement=Requirement(citations=["CALEA 41.2.7"]), **edition), basis)


CURRENT = Stand(State.CURRENT, Reason.CREDIT, has_credit=True)
EXTENDED = Stand(State.CURRENT, Reason.CREDIT_EXTENDED, has_credit=True)
FOR_GOOD = Stand(State.CURRENT, Reason.CREDIT, due_on=None, has_credit=True)


@pytest.mark.parametrize(
    ("standing", "basis", "edition", "sentence"),
    [
        pytest.param(
            CURRENT,
            BASIS,
            ROLLING,
            "Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed every 36 months",
            id="rolling",
        ),
        pytest.param(
            CURRENT,
            BASIS,
            {"clock": "cycle", "months": 48},
            "Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed in each window of 48 months",
            id="cycle",
        ),
        pytest.param(
            CURRENT,
            BASIS,
            {"clock": "certificate", "months": 36},
            "Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, "
            "renewed every 36 months or by the date on its certificate",
            id="certificate-without-a-date",
        ),
        pytest.param(
            CURRENT,
            Basis("MHFA", date(2023, 3, 20), DUE),
            {"clock": "certificate", "months": 36},
            "Current through 17 Mar 2026: MHFA on 20 Mar 2023, by the date on its certificate",
            id="certificate-with-a-date",
        ),
        pytest.param(
            CURRENT,
            Basis("CIT", date(2022, 12, 1)),
            TOLL,
            "Current through 17 Mar 2026: CIT on 1 Dec 2022, renewed every 36 months, moved by leave",
            id="tolled",
        ),
        pytest.param(
            CURRENT,
            BASIS,
            TOLL,
            "Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed every 36 months",
            id="toll-without-leave",
        ),
        pytest.param(
            CURRENT,
            Basis("CIT", date(2022, 12, 1)),
            {**ROLLING, "early": "keep_anchor"},
            "Current through 17 Mar 2026: CIT on 1 Dec 2022, renewed every 36 months, counted from the date it renewed",
            id="anchor-kept",
        ),
        pytest.param(
            CURRENT,
            BASIS,
            {**ROLLING, "hours": Decimal("16.5")},
            "Current through 17 Mar 2026: 16.5 hours, the last of them CIT refresher on 17 Mar 2023, "
            "renewed every 36 months",
            id="hours-by-event",
        ),
        pytest.param(
            CURRENT,
            BASIS,
            ROLLING_HOURS,
            "Current through 17 Mar 2026: 8 hours within 36 months, the last of them CIT refresher on 17 Mar 2023",
            id="rolling-hours",
        ),
        pytest.param(
            EXTENDED,
            BASIS,
            ROLLING,
            "Current through 17 Mar 2026, as extended: CIT refresher on 17 Mar 2023, renewed every 36 months",
            id="extended",
        ),
        pytest.param(FOR_GOOD, BASIS, {}, "Current for good: CIT refresher on 17 Mar 2023", id="for-good"),
        pytest.param(
            FOR_GOOD,
            BASIS,
            TOLL,
            "Current, without a date while a leave has no last day: CIT refresher on 17 Mar 2023",
            id="open-leave-that-tolls",
        ),
        pytest.param(Stand(State.EXCUSED, Reason.ON_LEAVE, None), None, {}, "Excused: on leave", id="on-leave"),
        pytest.param(Stand(State.EXCUSED, Reason.ON_WAIVER, None), None, {}, "Excused: by a waiver", id="on-waiver"),
        pytest.param(
            Stand(State.IN_GRACE, Reason.FIRST_DEADLINE),
            None,
            ROLLING,
            "In grace until 17 Mar 2026, the first deadline here; no course that counts yet",
            id="first-deadline",
        ),
        pytest.param(
            Stand(State.IN_GRACE, Reason.FIRST_DEADLINE),
            None,
            ROLLING_HOURS,
            "In grace until 17 Mar 2026, the first deadline here; fewer than 8 hours of credit yet",
            id="first-deadline-of-hours",
        ),
        pytest.param(
            Stand(State.IN_GRACE, Reason.FIRST_DEADLINE, has_credit=True),
            None,
            ROLLING,
            "In grace until 17 Mar 2026, the first deadline here; what was completed before no longer carries",
            id="first-deadline-of-another-membership",
        ),
        pytest.param(
            Stand(State.IN_GRACE, Reason.FIRST_DEADLINE, None),
            None,
            TOLL,
            "In grace without a date while a leave has no last day; no course that counts yet",
            id="first-deadline-in-an-open-leave",
        ),
        pytest.param(
            Stand(State.IN_GRACE, Reason.GRACE_EXTENDED),
            None,
            ROLLING,
            "In grace until 17 Mar 2026, as extended; no course that counts yet",
            id="grace-extended",
        ),
        pytest.param(
            Stand(State.IN_GRACE, Reason.BACK_FROM_LEAVE, has_credit=True),
            None,
            {**ROLLING, "return_grace_days": 60},
            "In grace until 17 Mar 2026: back from leave, 60 days to complete a course that counts",
            id="back-from-leave",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.CREDIT_RAN_OUT),
            BASIS,
            ROLLING,
            "Overdue since 18 Mar 2026: CIT refresher on 17 Mar 2023 carried through 17 Mar 2026",
            id="ran-out",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.CREDIT_RAN_OUT),
            BASIS,
            ROLLING_HOURS,
            "Overdue since 18 Mar 2026: 8 hours within 36 months, the last of them CIT refresher on 17 Mar 2023 "
            "carried through 17 Mar 2026",
            id="hours-ran-out",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.CREDIT_EXTENDED),
            BASIS,
            ROLLING,
            "Overdue since 18 Mar 2026: CIT refresher on 17 Mar 2023 carried through 17 Mar 2026, as extended",
            id="extended-ran-out",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.GRACE_EXTENDED),
            None,
            ROLLING,
            "Overdue since 18 Mar 2026: no course that counts by the extended deadline, 17 Mar 2026",
            id="extended-grace-ran-out",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.GRACE_EXTENDED),
            BASIS,
            ROLLING,
            "Overdue since 18 Mar 2026: CIT refresher on 17 Mar 2023 no longer carries, extended deadline 17 Mar 2026",
            id="extended-grace-of-old-credit-ran-out",
        ),
        pytest.param(
            Stand(State.OVERDUE, Reason.FIRST_DEADLINE),
            None,
            {"hours": 1},
            "Overdue since 18 Mar 2026: fewer than 1 hour of credit by the first deadline, 17 Mar 2026",
            id="first-deadline-of-hours-passed",
        ),
    ],
)
def test_because(standing: Stand, basis: Basis | None, edition: dict[str, Any], sentence: str) -> None:
    assert told(standing, basis, **edition) == f"{sentence} (CALEA 41.2.7)."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            {"clock": "once", "entry_grace_days": 0},
            "Patrol: CIT (40 h) or Refresher (8 h) once; due on joining.",
            id="once",
        ),
        pytest.param(
            {
                "clock": "cycle",
                "months": 48,
                "cycle_start": date(2021, 9, 1),
                "first_due": "next_window_end",
                "leave": "toll",
            },
            "Patrol: CIT (40 h), and after it Refresher (8 h) or CIT (40 h) in each window of 48 months "
            "from 1 Sep 2021 on; first due at the end of the window after joining.",
            id="cycle",
        ),
        pytest.param(
            {"hours": 16, "clock": "cycle", "months": 36, "cycle_start": date(2023, 7, 1), "first_due": "window_end"},
            "Patrol: 16 hours of CIT (40 h) or Refresher (8 h), in each window of 36 months from 1 Jul 2023 on; "
            "first due at the end of the window of joining.",
            id="hours-in-a-cycle",
        ),
        pytest.param(
            {"hours": 8, "hours_window_months": 24, "min_block_hours": 2, "modes": ["classroom", "roll_call"]},
            "Patrol: 8 hours of CIT (40 h) or Refresher (8 h) taken within 24 months, every 36 months "
            "with blocks of at least 2 hours and taught as classroom or roll call; first due 180 days after joining.",
            id="hours-by-event",
        ),
        pytest.param(
            {"hours": 8, "hours_model": "rolling", "hours_window_months": 36, "clock": "once", "leave": "toll"},
            "Patrol: 8 hours of CIT (40 h) or Refresher (8 h) within any 36 months; first due 180 days after joining; "
            "leave moves the first due date by its days.",
            id="rolling-hours",
        ),
        pytest.param(
            {
                "refresher_min_tenure_months": 24,
                "early": "keep_anchor",
                "keep_anchor_days": 90,
                "break_months": 36,
                "leave": "toll",
                "leave_kinds": ["military"],
                "leave_min_days": 30,
            },
            "Patrol: CIT (40 h), and after it Refresher (8 h) or CIT (40 h) every 36 months; "
            "a refresher counts from 24 months after the entry course on; "
            "renewed at most 90 days early, it counts from the limit it renews; "
            "first due 180 days after joining; leave (military) of 30 days or more moves the due date by its days; "
            "a separation longer than 36 months ends what was earned before it.",
            id="everything-a-rolling-clock-takes",
        ),
        pytest.param(
            {"clock": "certificate", "recert_before_days": 60, "recert_after_days": 90, "first_due": "next_year_end"},
            "Patrol: CIT (40 h), and after it Refresher (8 h) or CIT (40 h) every 36 months or by the date on its "
            "certificate; Online renewal renews it from 60 days before the limit to 90 days after it; "
            "first due at the end of the year after joining.",
            id="certificate",
        ),
    ],
)
def test_rule_is_one_sentence_made_of_its_parameters(values: dict[str, Any], sentence: str) -> None:
    cit = make.make_course(title="CIT, 40 h")
    refresher = make.make_course("REF-8", title="Refresher, 8 h")
    recert = make.make_course("RECERT", title="Online renewal")
    requirement = make.make_requirement(entry=(cit,), refresher=(refresher,), recert=(recert,), **values)

    assert sentences.rule(requirement.editions.get()) == sentence


def test_ordinals() -> None:
    numbers = [1, 5, 6, 11, 12, 21, 22, 33, 100]

    assert [sentences.ordinal(number) for number in numbers] == [
        "first",
        "fifth",
        "6th",
        "11th",
        "12th",
        "21st",
        "22nd",
        "33rd",
        "100th",
    ]
