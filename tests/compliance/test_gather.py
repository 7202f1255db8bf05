"""From the database to the engine's input: every kind of fact and every parameter arrives, at a fixed cost."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import engine
from compliance.gather import NEVER_IN_FORCE, Waiting, gather_members, gather_rules, pending_evidence
from compliance.models import Edition
from roster.facts import Via, recording
from roster.models import Assignment
from tests import factories as make
from training.models import Course

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)
DAY = date(2024, 6, 1)


def test_every_parameter_of_an_edition_arrives() -> None:
    entry, refresher, recert = (make.make_course(code) for code in ("CIT-40", "REF-8", "CPR-4"))
    requirement = make.make_requirement(
        entry=(entry,),
        refresher=(refresher,),
        recert=(recert,),
        population={
            "designations": ["CIT", "fto"],
            "voluntary_only": True,
            "acting_counts": True,
            "min_service_months": 24,
        },
        refresher_stands_alone=True,
        refresher_min_tenure_months=6,
        min_hours=Decimal("1.25"),
        refresher_min_hours=2,
        min_block_hours=3,
        min_score=80,
        min_attendance=90,
        modes=["classroom"],
        hours=Decimal("16.5"),
        hours_model="rolling",
        hours_window_months=24,
        clock="cycle",
        months=48,
        years=5,
        cycle_start=date(2021, 9, 1),
        recert_before_days=30,
        recert_after_days=90,
        early="keep_anchor",
        keep_anchor_days=60,
        first_due="next_window_end",
        entry_grace_days=10,
        entry_due_on=LAST,
        leave="toll",
        leave_kinds=["Military"],
        leave_min_days=30,
        return_grace_days=14,
        break_months=36,
        effective_to=date(2030, 1, 1),
    )

    ((edition,),) = gather_rules().editions.values()

    assert edition == engine.Edition(
        key=requirement.editions.get().pk,
        effective_from=date(2015, 1, 1),
        effective_to=date(2030, 1, 1),
        population=engine.Population(
            min_service_months=24, designations=frozenset({"cit", "fto"}), voluntary_only=True, acting_counts=True
        ),
        entry_courses=frozenset({entry.pk}),
        refresher_courses=frozenset({refresher.pk}),
        refresher_stands_alone=True,
        min_hours=1.25,
        refresher_min_hours=2,
        min_block_hours=3,
        min_score=80,
        min_attendance=90,
        modes=frozenset({"classroom"}),
        clock=engine.Clock.CYCLE,
        months=48,
        years=5,
        first_due=engine.FirstDue.NEXT_WINDOW_END,
        entry_grace_days=10,
        entry_due_on=LAST,
        leave=engine.LeaveRule.TOLL,
        leave_kinds=frozenset({"military"}),
        leave_min_days=30,
        return_grace_days=14,
        requirement=requirement.pk,
        refresher_min_tenure_months=6,
        hours=16.5,
        hours_model=engine.HoursModel.ROLLING,
        hours_window_months=24,
        cycle_start=date(2021, 9, 1),
        recert_courses=frozenset({recert.pk}),
        recert_before_days=30,
        recert_after_days=90,
        early=engine.Early.KEEP_ANCHOR,
        keep_anchor_days=60,
        break_months=36,
    )


def test_every_parameter_the_engine_knows_is_a_column_of_the_same_name() -> None:
    columns = {field.name for field in (*Edition._meta.concrete_fields, *Edition._meta.many_to_many)}

    assert {field.name for field in fields(engine.Edition)} - columns == {"key"}
    assert columns - {field.name for field in fields(engine.Edition)} == {"id"}


def test_every_kind_of_fact_arrives() -> None:
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,))
    home, detail = make.make_unit("P1", function="Patrol"), make.make_unit("D1", function="detectives")
    rank, acting = make.make_rank("officer"), make.make_rank("sergeant")
    officer = make.make_officer(unit=home, rank=rank, hired_on=FIRST)
    make.assign_temporarily(officer, detail, DAY, LAST, rank=acting)
    make.take_leave(officer, DAY, LAST, kind="Military")
    make.designate(officer, "CIT", FIRST, LAST, is_voluntary=True)
    make.waive(officer, requirement, FIRST, DAY)
    make.extend(officer, requirement, LAST, DAY)
    completion = make.complete(officer, cit, DAY, certificate_expires_on=LAST)
    rules = gather_rules()

    (facts,) = gather_members([officer.pk], rules).values()

    assert facts == engine.MemberFacts(
        employments=[engine.Employment(FIRST, None, "sworn")],
        assignments=[engine.Assignment(FIRST, None, home.pk, "patrol", None, rank.pk)],
        leaves=[engine.Leave(DAY, LAST, "military")],
        completions=[
            engine.Completion(completion.pk, rules.courses[cit.pk], DAY, certificate_expires_on=LAST),
        ],
        designations=[engine.Designation(FIRST, LAST, "cit", is_voluntary=True)],
        acting=[engine.Assignment(DAY, LAST, detail.pk, "detectives", None, acting.pk)],
        waivers=[engine.Waiver(requirement.pk, FIRST, DAY)],
        extensions=[engine.Extension(requirement.pk, LAST, DAY)],
    )


def test_a_secondary_assignment_stays_out() -> None:
    make.make_requirement(entry=(make.make_course(),))
    officer = make.make_officer(hired_on=FIRST)
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record(Assignment(officer=officer, kind="secondary", unit=make.make_unit(), start_on=DAY))

    (facts,) = gather_members([officer.pk], gather_rules()).values()

    assert (facts.assignments, facts.acting) == ([], [])


def test_seen_on_a_day_later_approvals_and_completions_are_out() -> None:
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,))
    officer = make.make_officer(hired_on=FIRST)
    make.extend(officer, requirement, LAST, DAY)
    make.complete(officer, cit, DAY)

    (on_the_day,) = gather_members([officer.pk], gather_rules(), seen_on=DAY).values()
    (before,) = gather_members([officer.pk], gather_rules(), seen_on=date(2024, 5, 31)).values()

    assert (len(on_the_day.extensions), len(on_the_day.completions)) == (1, 1)
    assert (len(before.extensions), len(before.completions)) == (0, 0)


def test_known_at_sees_a_voided_waiver_and_now_does_not() -> None:
    requirement = make.make_requirement(entry=(make.make_course(),))
    officer = make.make_officer(hired_on=FIRST)
    waiver = make.waive(officer, requirement, FIRST, LAST)
    known = waiver.recorded_in.at
    with recording(by=None, via=Via.PAGE, why="another member's") as recorder:
        recorder.void([waiver])
    rules = gather_rules()

    (then,) = gather_members([officer.pk], rules, known_at=known).values()
    (now,) = gather_members([officer.pk], rules).values()

    assert (len(then.waivers), len(now.waivers)) == (1, 0)


PLANS = {
    "without-plans": ("v2019", None),
    "named": ("v2019", engine.LessonPlan(FIRST, LAST)),
    "none-named": ("", None),
    "otherwise-written": (" V2019 ", engine.LessonPlan(FIRST, LAST)),
    "as-a-sheet-shows-it": ("7.0", engine.LessonPlan(FIRST, None)),
    "a-version-the-course-never-had": ("v2020", NEVER_IN_FORCE),
}


@pytest.mark.parametrize("case", PLANS)
def test_the_lesson_plan_named_is_looked_up(case: str) -> None:
    cit = make.make_course()
    make.make_requirement(entry=(cit,))
    version, expected = PLANS[case]
    if case != "without-plans":
        make.make_lesson_plan(cit, "v2019", FIRST, LAST)
        make.make_lesson_plan(cit, "7", FIRST)
    officer = make.make_officer(hired_on=FIRST)
    make.complete(officer, cit, DAY, lesson_plan=version)

    (facts,) = gather_members([officer.pk], gather_rules()).values()

    assert facts.completions[0].lesson_plan == expected


def _title_of(course: Course) -> Course:
    return make.make_course("TITLE-1", is_from_title=True, kind="other", hours=None, same_as=course)


def test_a_title_mapped_to_a_course_has_its_lesson_plans_and_equivalencies() -> None:
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    title = _title_of(other)
    make.make_requirement(entry=(cit,))
    make.make_lesson_plan(other, "v2019", FIRST, LAST)
    make.make_equivalency(other, cit, FIRST, LAST)
    officer = make.make_officer(hired_on=FIRST)
    make.complete(officer, title, DAY, lesson_plan="v2019")

    (facts,) = gather_members([officer.pk], gather_rules()).values()

    (completion,) = facts.completions
    assert completion.course == engine.Course(
        other.pk, 40.0, "classroom", 0.0, 0.0, (engine.Equivalency(cit.pk, FIRST, LAST),)
    )
    assert completion.lesson_plan == engine.LessonPlan(FIRST, LAST)


def test_only_courses_that_can_count_are_gathered() -> None:
    cit, equivalent, chained = (make.make_course(code) for code in ("CIT-40", "CRISIS-40", "OTHER-40"))
    make.make_requirement(entry=(cit,))
    make.make_equivalency(equivalent, cit, FIRST)
    make.make_equivalency(chained, equivalent, FIRST)

    assert set(gather_rules().courses) == {cit.pk, equivalent.pk}


@pytest.mark.parametrize(
    ("completed_on", "is_pending"),
    [
        pytest.param(date(2023, 12, 31), False, id="before-the-equivalency"),
        pytest.param(FIRST, True, id="its-first-day"),
        pytest.param(LAST, True, id="its-last-day"),
        pytest.param(date(2025, 1, 1), False, id="after-it"),
    ],
)
def test_pending_evidence_of_an_equivalent_course_is_shown(completed_on: date, is_pending: bool) -> None:
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    requirement = make.make_requirement(entry=(cit,))
    make.make_equivalency(other, cit, FIRST, LAST)
    officer = make.make_officer(hired_on=date(2016, 3, 4))
    waiting = make.complete(officer, other, completed_on, evidence="pending")

    found = pending_evidence([officer.pk], gather_rules(), date(2026, 1, 1))

    said = {(officer.pk, requirement.pk): Waiting(waiting.pk, "CRISIS-40", completed_on)}
    assert found == (said if is_pending else {})


def test_of_evidence_that_waits_the_latest_is_told_and_what_was_decided_does_not_wait() -> None:
    cit = make.make_course()
    requirement = make.make_requirement(entry=(cit,))
    officer, decided = make.make_officer(hired_on=FIRST), make.make_officer(hired_on=FIRST)
    later = make.complete(officer, cit, date(2025, 3, 2), evidence="pending")
    make.complete(officer, cit, date(2025, 3, 1), evidence="pending")
    make.complete(officer, cit, date(2025, 3, 3), evidence="pending", result="failed")
    for number, decision in enumerate(("verified", "rejected")):
        make.decide(make.complete(decided, cit, date(2025, 3, 1 + number), evidence="pending"), decision)

    found = pending_evidence([officer.pk, decided.pk], gather_rules(), date(2026, 1, 1))

    assert found == {(officer.pk, requirement.pk): Waiting(later.pk, "CIT-40", date(2025, 3, 2))}


def test_gathering_costs_the_same_however_much_is_recorded(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cit, other = make.make_course(), make.make_course("CRISIS-40")
    requirement = make.make_requirement(entry=(cit,))
    officers = [make.make_officer(hired_on=FIRST) for _ in range(30)]
    # units, courses, equivalencies, lesson plans, ranks, shifts, requirements, editions, populations, courses listed 3
    for_rules = 12
    for_facts = 8  # one for each kind

    with django_assert_num_queries(for_rules):
        gather_rules()
    make.make_equivalency(other, cit, FIRST)
    make.make_lesson_plan(cit, "v2019", FIRST)
    for officer in officers:
        make.designate(officer, "CIT", FIRST)
        make.waive(officer, requirement, FIRST, LAST)
        make.extend(officer, requirement, LAST, DAY)
        make.complete(officer, other, DAY, lesson_plan="v2019")
    with django_assert_num_queries(for_rules):
        rules = gather_rules()

    for part in (officers[:1], officers):
        with django_assert_num_queries(for_facts):
            gather_members([officer.pk for officer in part], rules)
