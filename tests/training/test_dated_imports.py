"""Importing lesson plans and equivalencies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from compliance import standings
from compliance.models import Standing
from tests import factories as make
from tests.importing import counts, import_text, reasons, verdicts
from training.models import Equivalency, LessonPlan

pytestmark = pytest.mark.django_db

DAY = date(2026, 1, 1)


def state_of(employee_id: str) -> str:
    (row,) = Standing.objects.filter(officer__employee_id=employee_id, start_on__lte=DAY).exclude(end_on__lt=DAY)
    return row.state


def test_lesson_plans(tmp_path: Path) -> None:
    cit = make.make_course()
    make.make_lesson_plan(cit, "v2019", date(2019, 1, 1), date(2024, 12, 31))
    text = (
        "course,version,start_on,end_on\n"
        "cit-40,V2019,2019-01-01,2025-06-30\n"
        "Course CIT-40,2025.0,2025-01-01,\n"
        "CIT-40,2025,2025-01-01,\n"
        "CIT-40,2025,2025-02-01,\n"
        "CIT-40,v2019,2019-01-01,2024-12-31\n"
        "CIT-41,v1,2025-01-01,\n"
        "CIT-40,,2025-01-01,\n"
        "CIT-40,v1,2025-01-01,2024-12-31\n"
        "CIT-40,v1,,\n"
    )

    first = import_text(tmp_path, "lesson_plans", text).plan
    second = import_text(tmp_path, "lesson_plans", "\n".join(text.splitlines()[:4])).plan

    assert verdicts(first) == ["changed", "new", "same", *["rejected"] * 6]
    assert reasons(first) == [
        (5, "start_on", "Line 3 says otherwise of this lesson plan."),
        (6, "end_on", "Line 2 says otherwise of this lesson plan."),
        (7, "course", "No course or alias has this code or title."),
        (8, "version", "version is required."),
        (9, "end_on", "The last day, 2024-12-31, is before the first, 2025-01-01."),
        (10, "start_on", "start_on is required."),
    ]
    assert counts(second) == (0, 3, 0, 0)
    assert list(LessonPlan.objects.order_by("start_on").values_list("version", "start_on", "end_on")) == [
        ("v2019", date(2019, 1, 1), date(2025, 6, 30)),
        ("2025", date(2025, 1, 1), None),
    ]


def test_a_first_day_after_the_last_day_recorded_is_an_error(tmp_path: Path) -> None:
    make.make_lesson_plan(make.make_course(), "v2019", date(2019, 1, 1), date(2024, 12, 31))

    plan = import_text(tmp_path, "lesson_plans", "course,version,start_on\nCIT-40,v2019,2025-01-01\n").plan

    assert reasons(plan) == [
        (2, "start_on", "The last day recorded, 2024-12-31, is before this first day. Give a last day, too.")
    ]


def test_equivalencies(tmp_path: Path) -> None:
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    make.make_equivalency(other, cit, date(2018, 1, 1), date(2019, 12, 31))
    make.make_course("TITLE-1", title="Crisis school", title_key="crisis school", is_from_title=True, same_as=other)
    text = (
        "course,counts_as,start_on,end_on,approved_by\n"
        "CRISIS-40,CIT-40,2018-01-01,2020-12-31,Training board\n"
        "Crisis School,cit-40,2021-01-01,,\n"
        "CRISIS-40,CIT-40,2022-01-01,,\n"
        "CRISIS-40,CIT-40,2017-01-01,2018-01-01,\n"
        "CIT-40,CIT-40,2020-01-01,,\n"
        "Crisis school,CRISIS-40,2020-01-01,,\n"
        "CRISIS-40,CIT-40,2021-01-01,2023-01-01,\n"
        "CRISIS-40,NONE,2020-01-01,,\n"
        "CIT-40,CRISIS-40,2020-01-01,2019-01-01,\n"
    )

    first = import_text(tmp_path, "equivalencies", text).plan
    second = import_text(tmp_path, "equivalencies", "\n".join(text.splitlines()[:3])).plan

    assert verdicts(first) == ["changed", "new", *["rejected"] * 7]
    assert reasons(first) == [
        (4, "start_on", "The course counts as this one from 2021-01-01 on already."),
        (5, "start_on", "The course counts as this one from 2018-01-01 to 2019-12-31 already."),
        (6, "counts_as", "A course does not count as itself."),
        (7, "counts_as", "A course does not count as itself."),
        (8, "end_on", "Line 3 says otherwise of this equivalency."),
        (9, "counts_as", "No course or alias has this code or title."),
        (10, "end_on", "The last day, 2019-01-01, is before the first, 2020-01-01."),
    ]
    assert counts(second) == (0, 2, 0, 0)
    assert list(
        Equivalency.objects.order_by("start_on").values_list("course__code", "counts_as__code", "end_on", "approved_by")
    ) == [
        ("CRISIS-40", "CIT-40", date(2020, 12, 31), "Training board"),
        ("CRISIS-40", "CIT-40", None, ""),
    ]


def test_a_title_that_others_count_as_is_followed_when_it_is_mapped(tmp_path: Path) -> None:
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    title = make.make_course("TITLE-1", title="Crisis school", title_key="crisis school", is_from_title=True)
    make.make_requirement(entry=(cit,), clock="once")
    make.make_equivalency(other, title, date(2020, 1, 1))
    make.complete(make.make_officer("1", hired_on=date(2015, 1, 1)), other, date(2025, 2, 10))
    before = state_of("1")

    import_text(tmp_path, "course_aliases", "title,course\nCrisis school,CIT-40\n")

    assert (before, state_of("1")) == ("overdue", "current")
    assert standings.differences() == {}


def test_a_changed_rule_of_a_course_is_followed_by_the_standings(tmp_path: Path) -> None:
    """Whoever has a completion of the course is judged anew, also under a title mapped to it."""
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    title = make.make_course("TITLE-1", is_from_title=True, same_as=other)
    make.make_requirement(entry=(cit,), clock="once")
    make.complete(make.make_officer("1", hired_on=date(2015, 1, 1)), other, date(2025, 2, 10), lesson_plan="v2019")
    make.complete(make.make_officer("2", hired_on=date(2015, 1, 1)), title, date(2025, 2, 10), lesson_plan="v2019")

    def states() -> list[str]:
        assert standings.differences() == {}
        return [state_of("1"), state_of("2")]

    before = states()
    import_text(tmp_path, "equivalencies", "course,counts_as,start_on\nCRISIS-40,CIT-40,2025-01-01\n")
    as_equivalent = states()
    import_text(tmp_path, "lesson_plans", "course,version,start_on,end_on\nCRISIS-40,v2019,2019-01-01,2024-12-31\n")
    by_an_old_plan = states()
    import_text(tmp_path, "lesson_plans", "course,version,start_on,end_on\nCRISIS-40,v2019,2019-01-01,2025-12-31\n")
    accepted_longer = states()

    assert before == ["overdue", "overdue"]
    assert as_equivalent == ["current", "current"]
    assert by_an_old_plan == ["overdue", "overdue"]
    assert accepted_longer == ["current", "current"]
