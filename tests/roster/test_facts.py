"""One door for facts: what the database refuses, what is known when, and that writers at once miss nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from compliance import standings
from compliance.models import Edition, Explanation, Extension, Requirement, Standing, Waiver
from roster import facts
from roster.facts import Change, Fact, FactRefused, Recorder, Via, changing_rules, known_now, recording
from roster.models import Assignment, Designation, Employment, Leave, Officer
from tests import factories as make
from tests.two_writers import Gate, Worker, meanwhile
from training.models import Completion, EvidenceDecision

NEW_YEAR, LATER = date(2024, 1, 1), date(2024, 3, 17)


@pytest.fixture
def officer(db: None) -> Officer:
    """At home in a unit since 4 March 2016, with one fact of every other kind."""
    member = make.make_officer(unit=make.make_unit("C1"))
    make.take_leave(member, NEW_YEAR, date(2024, 2, 1))
    completion = make.complete(member, make.make_course(), NEW_YEAR)
    with by_page() as recorder:
        recorder.record(
            EvidenceDecision(officer=member, completion=completion, decision="rejected", decided_on=NEW_YEAR)
        )
        recorder.record(_assignment(member, kind="secondary", start_on=LATER))
        recorder.record(Designation(officer=member, code="CIT", start_on=NEW_YEAR, end_on=LATER))
        recorder.record(_waiver(member, start_on=NEW_YEAR, end_on=LATER))
        recorder.record(_extension(member, until_on=LATER, approved_on=NEW_YEAR))
        recorder.record(_explanation(member))
    return member


def by_page(why: str = "test") -> AbstractContextManager[Recorder]:
    return recording(by=None, via=Via.PAGE, why=why)


# --- what the database refuses ---------------------------------------------------------------------------------------

Make = Callable[[Officer], Fact]


def _assignment(officer: Officer, **values: object) -> Assignment:
    return Assignment(officer=officer, unit=officer.assignments.get(kind="home").unit, **values)


def _requirement() -> Requirement:
    return Requirement.objects.filter(code="waived").first() or make.make_requirement("waived")


def _waiver(officer: Officer, **values: object) -> Waiver:
    return Waiver(officer=officer, requirement=_requirement(), **values)


def _extension(officer: Officer, **values: object) -> Extension:
    return Extension(officer=officer, requirement=_requirement(), **values)


def _explanation(officer: Officer) -> Explanation:
    return Explanation(officer=officer, requirement=_requirement(), late_from=LATER, text="class cancelled")


REFUSED: list[tuple[str, str, Make]] = [
    (
        "roster_employment_ends_after_start",
        "The last day is before the first day.",
        lambda officer: Employment(officer=officer, start_on=date(2010, 1, 2), end_on=date(2010, 1, 1)),
    ),
    (
        "roster_employment_one_at_a_time",
        "The member is employed on some of these days already.",
        lambda officer: Employment(officer=officer, start_on=date(2010, 1, 1), end_on=date(2016, 3, 4)),
    ),
    (
        "roster_assignment_ends_after_start",
        "The last day is before the first day.",
        lambda officer: _assignment(officer, kind="temporary", start_on=LATER, end_on=NEW_YEAR),
    ),
    (
        "roster_assignment_one_home",
        "The member has a home assignment on some of these days already.",
        lambda officer: Assignment(officer=officer, unit=make.make_unit(), start_on=LATER),
    ),
    (
        "roster_assignment_once",
        "This assignment is recorded already.",
        lambda officer: _assignment(officer, kind="secondary", start_on=LATER),
    ),
    (
        "roster_leave_ends_after_start",
        "The last day is before the first day.",
        lambda officer: Leave(officer=officer, kind="military", start_on=LATER, end_on=NEW_YEAR),
    ),
    (
        "roster_leave_once",
        "This leave is recorded already.",
        lambda officer: Leave(officer=officer, kind="medical", start_on=NEW_YEAR),
    ),
    (
        "roster_designation_ends_after_start",
        "The last day is before the first day.",
        lambda officer: Designation(officer=officer, code="FTO", start_on=LATER, end_on=NEW_YEAR),
    ),
    (
        "roster_designation_one_at_a_time",
        "The member holds this designation on some of these days already.",
        lambda officer: Designation(officer=officer, code="cit", start_on=LATER),
    ),
    (
        "compliance_waiver_ends_after_start",
        "The last day is before the first day.",
        lambda officer: _waiver(officer, start_on=LATER, end_on=NEW_YEAR),
    ),
    (
        "compliance_waiver_once",
        "A waiver of this requirement from this day is recorded already.",
        lambda officer: _waiver(officer, start_on=NEW_YEAR, end_on=NEW_YEAR),
    ),
    (
        "compliance_extension_ends_after_approval",
        "The extension ends before the day it was approved.",
        lambda officer: _extension(officer, until_on=NEW_YEAR, approved_on=LATER),
    ),
    (
        "compliance_extension_once",
        "This extension is recorded already.",
        lambda officer: _extension(officer, until_on=LATER, approved_on=NEW_YEAR),
    ),
    ("compliance_explanation_once", "This explanation is recorded already.", _explanation),
    (
        "training_completion_once",
        "This completion is recorded already.",
        lambda officer: Completion(officer=officer, course=make.make_course(), completed_on=NEW_YEAR),
    ),
    (
        "training_evidencedecision_one",
        "The evidence of this completion has been decided already.",
        lambda officer: EvidenceDecision(
            officer=officer, completion=officer.completions.get(), decision="verified", decided_on=LATER
        ),
    ),
]


def kinds() -> list[type[Fact]]:
    return [*Fact.__subclasses__()]


def test_every_constraint_of_every_kind_of_fact_is_tried_here() -> None:
    constraints = {constraint.name for kind in kinds() for constraint in kind._meta.constraints}

    assert constraints == {name for name, _, _ in REFUSED}


@pytest.mark.parametrize(("sentence", "fact_for"), [pytest.param(*rest, id=name) for name, *rest in REFUSED])
def test_a_constraint_refuses_with_its_sentence_and_leaves_nothing(
    officer: Officer, sentence: str, fact_for: Make
) -> None:
    fact = fact_for(officer)
    before = Change.objects.count(), type(fact).objects.count()

    with by_page() as recorder, pytest.raises(FactRefused) as refusal:
        recorder.record(fact)

    assert refusal.value.messages == [sentence]
    assert recorder.change_id is None
    assert (Change.objects.count(), type(fact).objects.count()) == before


TAKEN = [("military", LATER, "M-1"), ("medical", NEW_YEAR, "")]
COLUMNS = ("officer_id", "kind", "start_on", "approval")


def _copy_many(recorder: Recorder, officer: Officer) -> None:
    recorder.record_many(Leave, COLUMNS, ((officer.pk, *row) for row in TAKEN), [officer.pk])


def _copy_lines(recorder: Recorder, officer: Officer) -> None:
    lines = ("\t".join(map(str, (officer.pk, *row))) for row in TAKEN)
    recorder.record_lines(Leave, COLUMNS, lines, [officer.pk])


@pytest.mark.parametrize("copy", [_copy_many, _copy_lines])
def test_copying_facts_refuses_with_the_sentence_and_the_rest_goes_on(
    officer: Officer, copy: Callable[[Recorder, Officer], None]
) -> None:
    with by_page() as recorder:
        with pytest.raises(FactRefused) as refusal:
            copy(recorder, officer)
        recorder.record(Leave(officer=officer, kind="military", start_on=LATER, approval="M-2"))

    assert refusal.value.messages == ["This leave is recorded already."]
    assert list(officer.leaves.order_by("start_on").values_list("approval", flat=True)) == ["", "M-2"]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in kinds()])
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE {table} SET officer_id = officer_id + 1", id="update"),
        pytest.param("UPDATE {table} SET recorded_in_id = recorded_in_id + 1", id="update-change"),
        pytest.param("DELETE FROM {table}", id="delete"),
    ],
)
def test_facts_are_neither_changed_nor_deleted(officer: Officer, kind: type[Fact], statement: str) -> None:
    rows = list(kind.objects.order_by("pk").values())

    with pytest.raises(ProgrammingError, match=r"Cannot (update|delete) rows"), transaction.atomic():
        execute(statement.format(table=kind._meta.db_table))

    assert rows
    assert list(kind.objects.order_by("pk").values()) == rows


def test_every_column_of_a_fact_but_the_voiding_is_fixed() -> None:
    for kind in kinds():
        (fixed,) = (trigger for trigger in kind._meta.triggers if trigger.name == "fixed")  # type: ignore[attr-defined]  # pgtrigger's option
        assert fixed.exclude == ["voided_in"]


@pytest.mark.parametrize("statement", ["UPDATE roster_change SET why = 'else'", "DELETE FROM roster_change"])
def test_changes_are_neither_changed_nor_deleted(officer: Officer, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"Cannot (update|delete) rows"), transaction.atomic():
        execute(statement)


def test_a_voided_fact_is_not_voided_again_nor_brought_back(officer: Officer) -> None:
    leave = officer.leaves.get()
    with by_page() as recorder:
        recorder.void([leave])

    with pytest.raises(FactRefused, match="Somebody else corrected this record meanwhile"), by_page() as recorder:
        recorder.void([leave])
    for value in ("NULL", "recorded_in_id"):
        with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
            execute(f"UPDATE roster_leave SET voided_in_id = {value} WHERE id = {leave.pk}")  # noqa: S608 - constants


def test_a_refused_voiding_voids_none_of_the_facts(officer: Officer) -> None:
    leave, completion = officer.leaves.get(), officer.completions.get()
    with by_page() as recorder:
        recorder.void([leave])
    changes = Change.objects.count()

    with by_page() as recorder, pytest.raises(FactRefused):
        recorder.void([completion, leave])

    assert Completion.objects.known().filter(pk=completion.pk).exists()
    assert Change.objects.count() == changes
    assert recorder.touched == set()


def test_a_constraint_without_a_sentence_raises_as_it_is(officer: Officer) -> None:
    with pytest.raises(IntegrityError), by_page() as recorder:
        recorder.record(Employment(pk=officer.employments.get().pk, officer=officer, start_on=date(2010, 1, 1)))


# --- what a change leaves --------------------------------------------------------------------------------------------


def test_an_act_that_records_nothing_leaves_no_change(officer: Officer) -> None:
    before = Change.objects.count()

    with by_page() as recorder:
        recorder.lock([officer.pk])

    assert Change.objects.count() == before


def test_known_at_a_moment_is_what_was_recorded_and_not_voided_by_then(officer: Officer) -> None:
    leave = officer.leaves.get()
    recorded, before = leave.recorded_in.at, Change.objects.order_by("at")[0].at
    with by_page() as recorder:
        recorder.void([leave])
        after = recorder.record(Leave(officer=officer, kind="medical", start_on=NEW_YEAR, end_on=LATER, replaces=leave))

    def known(at: datetime | None) -> list[int]:
        return list(Leave.objects.known(at).filter(officer=officer).values_list("pk", flat=True))

    assert recorded is not None
    assert known(before) == []
    assert known(recorded) == [leave.pk]
    assert known(after.recorded_in.at) == [after.pk]
    assert known(None) == [after.pk]


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], bool]]:
    """What the follower was called with, and whether inside a transaction, in place of standings."""
    calls: list[tuple[list[int], bool]] = []
    monkeypatch.setattr(facts, "_followers", [lambda ids: calls.append((list(ids), connection.in_atomic_block))])
    return calls


def test_the_follower_is_called_once_with_whom_the_change_touched(
    officer: Officer, followed: list[tuple[list[int], bool]]
) -> None:
    others = [make.make_officer() for _ in range(3)]
    followed.clear()

    with by_page() as recorder:
        recorder.record_many(
            Leave,
            ("officer_id", "kind", "start_on", "approval"),
            ((other.pk, "military", LATER, "") for other in others[:2]),
            [other.pk for other in others[:2]],
        )
        recorder.void([officer.leaves.get()])
        recorder.record(Leave(officer=officer, kind="military", start_on=LATER))

    assert followed == [(sorted([officer.pk, others[0].pk, others[1].pk]), True)]


@pytest.mark.django_db(transaction=True)
def test_when_the_follower_fails_nothing_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    officer = make.make_officer()
    before = Change.objects.count()

    def fail(ids: object) -> None:
        raise RuntimeError("no standings")

    monkeypatch.setattr(facts, "_followers", [fail])

    with pytest.raises(RuntimeError, match="no standings"), by_page() as recorder:
        recorder.record(Leave(officer=officer, kind="medical", start_on=NEW_YEAR))

    assert (Change.objects.count(), Leave.objects.count()) == (before, 0)


# --- two writers at once ---------------------------------------------------------------------------------------------


@pytest.fixture
def pair(transactional_db: None) -> tuple[Officer, Officer]:
    """Two members under a requirement that two courses count for."""
    courses = (make.make_course("CIT-40"), make.make_course("CIT-8"))
    make.make_requirement(entry=courses)
    return make.make_officer("1"), make.make_officer("2")


def recorded(officer: Officer, code: str, completed_on: date, *, gate: Gate | None = None) -> datetime | None:
    with by_page() as recorder:
        recorder.lock([officer.pk])
        if gate is not None:
            gate.stop_here()
        recorder.record(Completion(officer=officer, course=make.make_course(code), completed_on=completed_on))
    return recorder.change.at


def test_two_writers_for_one_member_both_stand_and_no_standing_misses_one(pair: tuple[Officer, Officer]) -> None:
    officer, gate = pair[0], Gate()

    with meanwhile(lambda: recorded(officer, "CIT-40", date(2020, 5, 1), gate=gate)) as first:
        gate.wait_for_it()
        second = Worker(lambda: recorded(officer, "CIT-8", date(2021, 6, 2)))
        second.wait_until_blocked()
        gate.open()
        times = [first.result(), second.result()]

    assert times[0] is not None
    assert times[1] is not None
    assert times[0] < times[1]
    current = Standing.objects.filter(officer=officer, state="current").order_by("start_on")
    assert list(current.values_list("start_on", "due_on")) == [
        (date(2020, 5, 1), date(2023, 5, 1)),
        (date(2021, 6, 2), date(2024, 6, 2)),
    ]
    assert standings.differences() == {}


def test_a_writer_who_locks_nobody_is_seen_by_the_one_who_waited(pair: tuple[Officer, Officer]) -> None:
    """Both insert before either commits: the later commit brings along the standings of both."""
    officer, gates = pair[0], (Gate(), Gate())

    def record_only(code: str, completed_on: date, gate: Gate) -> None:
        with by_page() as recorder:
            recorder.record(Completion(officer=officer, course=make.make_course(code), completed_on=completed_on))
            gate.stop_here()

    with (
        meanwhile(lambda: record_only("CIT-40", date(2020, 5, 1), gates[0])),
        meanwhile(lambda: record_only("CIT-8", date(2021, 6, 2), gates[1])),
    ):
        for gate in gates:
            gate.wait_for_it()
        for gate in gates:
            gate.open()

    assert Completion.objects.known().count() == 2
    assert standings.differences() == {}


def test_overlapping_members_in_opposite_order_do_not_deadlock(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()
    ids = [officer.pk for officer in pair]

    def record_both(order: list[int], code: str, gate: Gate | None) -> None:
        with by_page() as recorder:
            recorder.lock(order)
            if gate is not None:
                gate.stop_here()
            for key in order:
                recorder.record(
                    Completion(officer_id=key, course=make.make_course(code), completed_on=date(2022, 1, 1))
                )

    with meanwhile(lambda: record_both(ids, "CIT-40", gate)):
        gate.wait_for_it()
        second = Worker(lambda: record_both(ids[::-1], "CIT-8", None))
        second.wait_until_blocked()
        gate.open()
        second.result()

    assert Completion.objects.known().count() == 4
    assert standings.differences() == {}


def test_writers_for_different_members_do_not_wait_for_one_another(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()

    with meanwhile(lambda: recorded(pair[0], "CIT-40", date(2022, 1, 1), gate=gate)):
        gate.wait_for_it()
        Worker(lambda: recorded(pair[1], "CIT-40", date(2022, 1, 1))).result()
        gate.open()

    assert standings.differences() == {}


def test_a_member_employed_by_two_writers_at_once_is_employed_once(pair: tuple[Officer, Officer]) -> None:
    officer = Officer.objects.create(agency=pair[0].agency, employee_id="3", last_name="Reyes", first_name="Noor")
    gate = Gate()

    def employ(gate: Gate | None = None) -> None:
        with by_page() as recorder:
            recorder.record(Employment(officer=officer, start_on=NEW_YEAR))
            if gate is not None:
                gate.stop_here()

    with meanwhile(lambda: employ(gate)):
        gate.wait_for_it()
        second = Worker(employ)
        second.wait_until_blocked()
        gate.open()
        with pytest.raises(FactRefused, match="employed on some of these days already"):
            second.result()

    assert officer.employments.count() == 1


def test_at_follows_the_order_of_commits_not_of_beginnings(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()

    with meanwhile(lambda: recorded(pair[0], "CIT-40", date(2022, 1, 1), gate=gate)) as first:
        gate.wait_for_it()
        early = recorded(pair[1], "CIT-40", date(2022, 1, 1))
        known = known_now()
        seen = Completion.objects.known(known).count()
        gate.open()
        late = first.result()

    assert early is not None
    assert late is not None
    assert early <= known < late
    assert (seen, Completion.objects.known(known).count()) == (1, 1)


def test_at_is_later_than_every_change_though_the_clock_was_set_back(pair: tuple[Officer, Officer]) -> None:
    ahead = datetime.fromisoformat("2100-01-01T00:00:00+00:00")
    change = Change.objects.create(via=Via.COMMAND, why="a clock that ran ahead")
    Change.objects.filter(pk=change.pk).update(at=ahead)

    times = [recorded(officer, "CIT-40", date(2022, 1, 1)) for officer in pair]

    assert [at.isoformat() for at in times if at] == [
        "2100-01-01T00:00:00.000001+00:00",
        "2100-01-01T00:00:00.000002+00:00",
    ]
    assert known_now() == times[1]


def test_known_now_waits_for_a_change_that_is_just_committing(
    pair: tuple[Officer, Officer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the answer known at that moment would lack the change today and hold it tomorrow."""
    gate, give_time = Gate(), facts._give_time

    def give_time_and_stop(change: Change) -> None:
        give_time(change)
        gate.stop_here()

    monkeypatch.setattr(facts, "_give_time", give_time_and_stop)
    with meanwhile(lambda: recorded(pair[0], "CIT-40", date(2022, 1, 1))) as writer:
        gate.wait_for_it()
        reader = Worker(known_now)
        reader.wait_until_blocked()
        gate.open()
        at = writer.result()

    assert at is not None
    assert at <= reader.result()


def test_a_rule_change_waits_for_a_writer_and_judges_the_new_fact(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()

    with meanwhile(lambda: recorded(pair[0], "CIT-40", date(2022, 1, 1), gate=gate)):
        gate.wait_for_it()
        rules = Worker(lambda: shorten(12))
        rules.wait_until_blocked()
        gate.open()
        rules.result()

    assert Standing.objects.filter(officer=pair[0], state="current").values_list("due_on", flat=True).get() == date(
        2023, 1, 1
    )
    assert standings.differences() == {}


def test_a_writer_waits_for_a_rule_change_and_is_judged_by_the_new_rule(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()

    with meanwhile(lambda: shorten(12, gate=gate)):
        gate.wait_for_it()
        writer = Worker(lambda: recorded(pair[0], "CIT-40", date(2022, 1, 1)))
        writer.wait_until_blocked()
        gate.open()
        writer.result()

    assert Standing.objects.filter(officer=pair[0], state="current").values_list("due_on", flat=True).get() == date(
        2023, 1, 1
    )
    assert standings.differences() == {}


def test_a_reader_never_sees_a_fact_without_its_standing(pair: tuple[Officer, Officer]) -> None:
    gate = Gate()

    with meanwhile(lambda: shorten(12, gate=gate)):
        gate.wait_for_it()
        assert standings.differences() == {}
        gate.open()

    assert standings.differences() == {}


def shorten(months: int, *, gate: Gate | None = None) -> None:
    with changing_rules():
        Edition.objects.update(months=months)
        if gate is not None:
            gate.stop_here()
        standings.rebuild()


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
