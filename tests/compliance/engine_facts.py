"""Editions and facts in few words, for tests of the engine: dates are given as text, what is left out as usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

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
    Extension,
    HoursModel,
    Leave,
    LeaveRule,
    LessonPlan,
    MemberFacts,
    Population,
    State,
    Waiver,
)

CURRENT, IN_GRACE, OVERDUE, EXCUSED = State.CURRENT, State.IN_GRACE, State.OVERDUE, State.EXCUSED

CIT = Course(key=1, hours=40, mode="in_person", min_score=0, min_attendance=0)
REFRESHER = Course(key=2, hours=4, mode="in_person", min_score=0, min_attendance=0)
CPR = Course(key=3, hours=4, mode="in_person", min_score=0, min_attendance=0)
RECERT = Course(key=4, hours=2, mode="online", min_score=0, min_attendance=0)

Fact = Employment | Assignment | Leave | Completion | Designation | Waiver | Extension

EVERYONE = Population()
PATROL = Population(functions=frozenset({"patrol"}))
SWORN = Population(categories=frozenset({"sworn"}))


def d(text: str) -> date:
    return date.fromisoformat(text)


def until(text: str) -> date | None:
    return d(text) if text else None


def edition(**rules: Any) -> Edition:
    """CIT once as entry, refreshers after it, from 2000 on, asked of everyone, unless told otherwise."""
    given: dict[str, Any] = {
        "key": 1,
        "effective_from": date(2000, 1, 1),
        "effective_to": None,
        "population": EVERYONE,
        "entry_courses": frozenset({CIT.key}),
        "refresher_courses": frozenset({REFRESHER.key}),
    }
    return Edition(**given | rules)


def t36(**rules: Any) -> Edition:
    return edition(**{"clock": Clock.ROLLING, "months": 36} | rules)


def exclude(**rules: Any) -> Edition:
    return t36(**{"leave": LeaveRule.EXCLUDE, "return_grace_days": 60} | rules)


def toll(**rules: Any) -> Edition:
    return t36(**{"leave": LeaveRule.TOLL} | rules)


def keep(**rules: Any) -> Edition:
    return t36(**{"early": Early.KEEP_ANCHOR, "keep_anchor_days": 90} | rules)


def cycle(**rules: Any) -> Edition:
    return edition(**{"clock": Clock.CYCLE, "months": 48, "cycle_start": d("2021-09-01")} | rules)


def certificate(**rules: Any) -> Edition:
    given = {"clock": Clock.CERTIFICATE, "months": 36, "recert_courses": frozenset({RECERT.key})}
    return edition(**given | {"recert_before_days": 60, "recert_after_days": 90} | rules)


def hours(asked: float, **rules: Any) -> Edition:
    """So many hours of CIT or refreshers, renewed every 36 months."""
    return t36(**{"hours": asked} | rules)


def rolling(asked: float, months: int, **rules: Any) -> Edition:
    return edition(**{"hours": asked, "hours_model": HoursModel.ROLLING, "hours_window_months": months} | rules)


def same(course: Course, counts_as: Course, start: str = "2000-01-01", end: str = "") -> Course:
    """The course with an equivalency."""
    return replace(course, equivalencies=(Equivalency(counts_as.key, d(start), until(end)),))


def taught_from(course: Course, day: str, start: str, end: str, **given: Any) -> Completion:
    """A completion that names a lesson plan in force on those days."""
    return took(course, day, lesson_plan=LessonPlan(d(start), until(end)), **given)


def took(course: Course, day: str, **given: Any) -> Completion:
    key = given.pop("key", d(day).toordinal())
    return Completion(key, course, d(day), **given)


def worked(start: str, end: str = "", category: str = "sworn") -> Employment:
    return Employment(d(start), until(end), category)


def posted(start: str, end: str = "", function: str = "patrol", unit: int = 1, **given: int | None) -> Assignment:
    return Assignment(d(start), until(end), unit, function, given.get("shift", 1), given.get("rank", 1))


def away(start: str, end: str = "", kind: str = "medical") -> Leave:
    return Leave(d(start), until(end), kind)


def holds(start: str, end: str = "", code: str = "cit", is_voluntary: bool = False) -> Designation:
    return Designation(d(start), until(end), code, is_voluntary)


def waived(start: str, end: str, requirement: int = 0) -> Waiver:
    return Waiver(requirement, d(start), d(end))


def extended(until_on: str, approved_on: str, requirement: int = 0) -> Extension:
    return Extension(requirement, d(until_on), d(approved_on))


def member(*facts: Fact, acting: Sequence[Assignment] = ()) -> MemberFacts:
    """Sworn from 2020-01-01 on unless an employment is given."""
    return MemberFacts(
        employments=[fact for fact in facts if isinstance(fact, Employment)] or [worked("2020-01-01")],
        assignments=[fact for fact in facts if isinstance(fact, Assignment)],
        leaves=[fact for fact in facts if isinstance(fact, Leave)],
        completions=[fact for fact in facts if isinstance(fact, Completion)],
        designations=[fact for fact in facts if isinstance(fact, Designation)],
        acting=acting,
        waivers=[fact for fact in facts if isinstance(fact, Waiver)],
        extensions=[fact for fact in facts if isinstance(fact, Extension)],
    )
