"""The made-up department: the same again, lawful facts, and districts that differ for the reasons it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from compliance import coverage, goals, standings, working
from compliance.demo import Department, make_department, record_department
from compliance.demo.record import is_made_here
from compliance.demo.rows import AssignmentRow, EmploymentRow
from compliance.demo.sign_ins import make_users
from compliance.gather import gather_rules, pending_evidence
from compliance.models import Goal, Requirement, Standing
from roster.facts import Change
from roster.models import Designation, Leave, Officer, Shift, Unit
from training.models import Completion, EvidenceDecision

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def department(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Department]:
    """Recorded once for this module, since that takes seconds; the tables are emptied at its end."""
    made = make_department(420, today=TODAY)
    with django_db_blocker.unblock():
        record_department(made, by=make_users())
    yield made
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)


def standing_in(unit: str, requirement: str) -> coverage.Standings:
    row = Requirement.objects.get(code=requirement)
    return coverage.standings_on(TODAY, requirement_ids=[row.pk]).filter(unit__in=Unit.objects.filter(code=unit))


def counts_in(unit: str, requirement: str = "all-patrol") -> coverage.Counts:
    (counts,) = coverage.counts(standing_in(unit, requirement), "none")
    return counts


# --- the values -----------------------------------------------------------------------------------------------------


def test_the_same_size_seed_and_day_give_the_same_department() -> None:
    assert make_department(60, 3, today=TODAY) == make_department(60, 3, today=TODAY)
    assert make_department(60, 3, today=TODAY) != make_department(60, 4, today=TODAY)


@pytest.mark.parametrize("officers", [20, 61, 420, 3_000])
def test_any_size_has_so_many_members_serving(officers: int) -> None:
    department = make_department(officers, today=TODAY, transcripts=False)

    assert sum(member.is_employed_on(TODAY) for member in department.members) == officers
    assert len({member.employee_id for member in department.members}) == len(department.members)
    assert all(member.employee_id.startswith("00") for member in department.members[:20])


def test_too_small_a_department_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20 members"):
        make_department(19, today=TODAY)


@pytest.mark.parametrize(
    "today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 3, 31), date(2026, 5, 30), date(2027, 12, 31)]
)
def test_facts_are_lawful_on_any_day(today: date) -> None:
    department = make_department(420, seed=7, today=today)

    for member in department.members:
        assert_apart(member.employments)
        assert_apart([row for row in member.assignments if row.kind == "home"])
        keys = [(row.course, row.completed_on, row.class_number) for row in member.completions]
        assert len(set(keys)) == len(keys)
        assert all(row.completed_on <= today for row in member.completions)
        assert all(row.verified_on is None or row.verified_on <= today for row in member.completions)
        assert all(row.start_on <= today for row in member.leaves)
    for correction in department.corrections:
        assert all(row.completed_on <= today for _, row in (*correction.void, *correction.record))
    for decision in department.decisions:
        assert decision.completion in decision.member.completions
        assert decision.completion.completed_on <= decision.decided_on <= today


def assert_apart(rows: Iterable[EmploymentRow | AssignmentRow]) -> None:
    """Periods in order that do not overlap, the last one maybe open."""
    for (start_on, end_on), (next_on, _) in pairwise([(row.start_on, row.end_on) for row in rows]):
        assert end_on is not None
        assert start_on <= end_on < next_on


# --- as recorded ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_standings_are_what_the_facts_say(department: Department) -> None:
    assert is_made_here()
    assert Officer.objects.serving_on(TODAY).count() == 420
    assert standings.differences() == {}


@pytest.mark.django_db
def test_the_goal_is_plausible_and_not_met(department: Department) -> None:
    result = goals.evaluate(Goal.objects.get(code="all-patrol"), as_of=TODAY)

    assert not result.met
    assert 0.80 <= result.have / result.counted < 0.95
    assert 280 <= result.counted <= 320


@pytest.mark.django_db
def test_coverage_grew_over_the_years(department: Department) -> None:
    requirement = Requirement.objects.get(code="all-patrol")
    shares = []
    for years in (9, 7, 5, 3):
        day = TODAY.replace(year=TODAY.year - years)
        (counts,) = coverage.counts(coverage.standings_on(day, requirement_ids=[requirement.pk]), "none")
        shares.append(counts.current / counts.counted)

    assert shares == sorted(shares)
    assert shares[0] < 0.4 < 0.75 < shares[-1]


@pytest.mark.django_db
def test_district_1_is_exemplary(department: Department) -> None:
    for requirement in ("all-patrol", "calea-41.2.7-entry", "calea-41.2.7-refresher"):
        assert counts_in("D1", requirement).percent == "100.0"


@pytest.mark.django_db
def test_district_2_lost_its_refresher_class_of_a_spring(department: Department) -> None:
    overdue = standing_in("D2", "calea-41.2.7-refresher").filter(state="overdue")
    ((due_on, together),) = Counter(overdue.values_list("due_on", flat=True)).most_common(1)

    assert counts_in("D2", "calea-41.2.7-refresher").percent < "75"
    assert together >= 10
    assert due_on is not None
    spring = f"REF-{due_on:%y}S-"
    held = set(Completion.objects.filter(class_number__startswith=spring).values_list("class_number", flat=True))
    assert held >= {f"{spring}D{number}" for number in (1, 3, 4, 5, 7, 8)}
    assert f"{spring}D2" not in held


@pytest.mark.django_db
def test_district_3_took_an_academy_class_that_is_in_grace(department: Department) -> None:
    counts = counts_in("D3")
    arrived = standing_in("D3", "all-patrol").filter(state="in_grace")

    assert counts.in_grace >= 10
    assert counts.overdue <= 2
    assert arrived.values("start_on", "due_on").distinct().count() == 1


@pytest.mark.django_db
def test_district_4_neglected_its_night_shift(department: Department) -> None:
    shifts = dict(Shift.objects.values_list("pk", "code"))
    found = {shifts[part.shift or 0]: part for part in coverage.counts(standing_in("D4", "all-patrol"), "shift")}

    assert found["nights"].current * 2 < found["nights"].counted
    assert found["days"].current * 10 >= found["days"].counted * 9
    assert found["evenings"].current * 10 >= found["evenings"].counted * 9


@pytest.mark.django_db
def test_district_5_waits_for_the_evidence_of_a_class(department: Department) -> None:
    overdue = set(standing_in("D5", "all-patrol").filter(state="overdue").values_list("officer", flat=True))
    pending = {officer for officer, _ in pending_evidence(overdue, gather_rules(), TODAY)}
    numbers = Completion.objects.known().filter(officer__in=pending, evidence="pending").values("class_number")

    assert len(pending) >= 8
    assert len(pending) >= len(overdue) - 2
    assert numbers.distinct().count() == 1


@pytest.mark.django_db
def test_district_6_had_a_wave_of_leave(department: Department) -> None:
    refresher = standing_in("D6", "calea-41.2.7-refresher")
    behind = set(refresher.filter(state__in=("in_grace", "overdue")).values_list("officer", flat=True))
    lately = Leave.objects.known().filter(officer__in=behind, end_on__gte=TODAY - timedelta(days=120))

    assert counts_in("D6").excused >= 6
    assert refresher.filter(state="in_grace", reason="back_from_leave").count() >= 3
    assert lately.values("officer").distinct().count() >= 5


@pytest.mark.django_db
def test_district_7_took_specialists_without_the_course(department: Department) -> None:
    overdue = standing_in("D7", "all-patrol").filter(state="overdue")
    came = Officer.objects.filter(
        pk__in=overdue.values_list("officer", flat=True),
        assignments__kind="home",
        assignments__unit__parent__code="INV",
    ).distinct()
    entry = standing_in("D7", "calea-41.2.7-entry").filter(officer__in=came)

    assert came.count() >= 5
    assert set(entry.values_list("state", flat=True)) == {"current"}
    assert set(overdue.filter(officer__in=came).values_list("has_credit", flat=True)) == {False}


@pytest.mark.django_db
def test_district_8_failed_part_of_a_class(department: Department) -> None:
    overdue = standing_in("D8", "all-patrol").filter(state="overdue")
    below = Completion.objects.known().filter(
        officer__in=overdue.values("officer"), course__code="CIT-40", score__lt=70
    )

    assert below.count() >= 5
    assert below.count() >= overdue.count() - 2
    assert set(below.values_list("result", flat=True)) <= {"failed", "passed"}
    assert below.values("class_number").distinct().count() == 1


@pytest.mark.django_db
def test_district_9_is_small(department: Department) -> None:
    assert 10 <= counts_in("D9").counted <= 15


@pytest.mark.django_db
def test_the_awkward_cases_are_there(department: Department) -> None:
    today = coverage.standings_on(TODAY)
    serving = Officer.objects.serving_on(TODAY)

    assert Standing.objects.filter(officer__in=serving, unit=None, start_on__lte=TODAY, end_on=None).exists()
    assert today.filter(unit=None).exists()
    assert Leave.objects.known().filter(end_on=None, kind="medical").exists()
    assert set(Leave.objects.values_list("kind", flat=True)) >= {"military", "medical", "parental"}
    assert serving.filter(assignments__kind="temporary").count() == 2
    assert serving.filter(assignments__kind="secondary").count() == 6
    assert serving.filter(employments__category="recruit").filter(employments__category="sworn").exists()
    assert [member for member in department.members if len(member.employments) > 2]
    assert Completion.objects.filter(completed_on=date(2024, 2, 29), course__kind="refresher").exists()
    assert set(Completion.objects.values_list("result", flat=True)) == {"passed", "failed", "incomplete"}
    assert EvidenceDecision.objects.filter(decision="rejected").exists()
    assert EvidenceDecision.objects.filter(decision="verified").exists()
    names = Counter(Officer.objects.values_list("last_name", "first_name", "middle_name", "suffix"))
    assert names.most_common(1)[0][1] >= 2


@pytest.mark.django_db
def test_goals_of_groups_are_met_by_some_and_not_by_others(department: Department) -> None:
    designated = goals.evaluate(Goal.objects.get(code="designated-20"), as_of=TODAY)
    watches = goals.evaluate(Goal.objects.get(code="every-watch"), as_of=TODAY)

    for result in (designated, watches):
        assert not result.met
        assert 0 < result.groups_met < len(result.groups)
    assert 0 < designated.have < goals.evaluate(Goal.objects.get(code="all-patrol"), as_of=TODAY).have
    assert designated.have == Designation.objects.known().filter(officer__standings__in=trained_today()).count()


def trained_today() -> coverage.Standings:
    requirement = Requirement.objects.get(code="all-patrol")
    return coverage.standings_on(TODAY, requirement_ids=[requirement.pk]).exclude(state="excused")


@pytest.mark.django_db
def test_a_unit_has_secondary_members_and_others_work_away(department: Department) -> None:
    units = {unit.code: unit.pk for unit in Unit.objects.all()}

    assert len(working.secondary_members([units["CIU"]], as_of=TODAY)) == 6
    assert working.presence([units["TRN"]], None, as_of=TODAY).here == 1
    assert working.presence([units["D9"]], None, as_of=TODAY).here == 1


@pytest.mark.django_db
def test_corrections_keep_what_they_correct_and_say_why(department: Department) -> None:
    academy = User.objects.get(username="academy")
    voided = Completion.objects.exclude(voided_in=None).select_related("voided_in")

    assert voided.count() == 3
    assert all(row.voided_in.why and row.voided_in.by_id == academy.pk for row in voided if row.voided_in)
    assert Completion.objects.known().filter(replaces__in=voided).count() == 1
    assert Change.objects.exclude(at=None).count() == Change.objects.count() > 20
    assert Change.objects.filter(why__startswith="Sign-in sheet of class REF-").exists()
    assert Change.objects.filter(why__contains="entered late").exists()
