"""Certificates: numbered without gaps also by two at once, tokens nobody can guess, and whether they still hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from roster.facts import Via, recording
from roster.models import Agency, Officer
from tests import factories as make
from tests.two_writers import Worker, meanwhile
from training import certificates
from training.certificates import CertificateRefused, Validity
from training.completions import correct_completion, decide_evidence, void_completion
from training.models import Certificate, Completion, Enrollment

pytestmark = pytest.mark.django_db
DONE = date(2026, 3, 6)
WHY = "Read the wrong line"


class Stopped(Exception):
    """An act that fails half-way."""


def completed(officer: Officer | None = None, day: date = DONE, **values: Any) -> Completion:
    return make.complete(officer or make.make_officer(), make.make_course(), day, **values)


def issued(*completions: Completion, on: date = DONE) -> list[str]:
    agency = make.make_agency()
    return [row.number for row in certificates.issue(agency, completions=completions, issued_on=on, by=None)]


def outside_seat(**values: Any) -> Enrollment:
    session = make.make_class()
    return Enrollment.objects.create(
        session=session,
        outside_name="Petrov, Ivan",
        since=timezone.now(),
        **{"outcome": "passed", "outcome_on": DONE, **values},
    )


def validity(completion: Completion | Enrollment) -> Validity:
    mine = {"enrollment" if isinstance(completion, Enrollment) else "completion": completion}
    row = Certificate.objects.select_related("completion", "enrollment").filter(**mine).earliest("pk")
    return certificates.validities([row])[row.pk]


# Numbers and tokens


def test_numbers_follow_one_another_by_agency_and_year() -> None:
    first, second, third, next_year = (completed() for _ in range(4))
    other = Agency.objects.create(code="SO", name="Lakeside County Sheriff")

    assert issued(first, second) == ["PD-2026-0001", "PD-2026-0002"]
    assert issued(third) == ["PD-2026-0003"]
    assert issued(next_year, on=date(2027, 1, 1)) == ["PD-2027-0001"]
    elsewhere = certificates.issue(other, seats={outside_seat(): DONE}, issued_on=DONE, by=None)
    assert [row.number for row in elsewhere] == ["SO-2026-0001"]


def test_issued_again_gives_the_same_certificate_and_no_number_is_spent() -> None:
    first, second, seat = completed(), completed(), outside_seat()
    issued(first)

    assert issued(first) == []
    assert issued(first, second) == ["PD-2026-0002"]
    again = [certificates.issue(make.make_agency(), seats={seat: DONE}, issued_on=DONE, by=None) for _ in range(2)]
    assert [[row.number for row in rows] for rows in again] == [["PD-2026-0003"], []]


def test_a_number_of_an_act_that_fails_is_given_to_the_next() -> None:
    first, second = completed(), completed()

    def fail_after_issuing() -> None:
        with transaction.atomic():
            assert issued(first) == ["PD-2026-0001"]
            raise Stopped

    with pytest.raises(Stopped):
        fail_after_issuing()

    assert issued(second) == ["PD-2026-0001"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_issue_at_once_the_second_waits_and_takes_the_next_number() -> None:
    agency, mine, theirs = make.make_agency(), completed(), completed()

    def issue_theirs() -> str:
        return certificates.issue(agency, completions=[theirs], issued_on=DONE, by=None)[0].number

    with transaction.atomic():
        assert issued(mine) == ["PD-2026-0001"]
        worker = Worker(issue_theirs)
        worker.wait_until_blocked()

    assert worker.result() == "PD-2026-0002"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_issue_at_once_and_the_first_fails_no_number_is_lost() -> None:
    agency, mine, theirs = make.make_agency(), completed(), completed()

    def issue_theirs() -> str:
        return certificates.issue(agency, completions=[theirs], issued_on=DONE, by=None)[0].number

    workers: list[Worker[str]] = []

    def fail_while_they_wait() -> None:
        with transaction.atomic():
            issued(mine)
            workers.append(Worker(issue_theirs))
            workers[0].wait_until_blocked()
            raise Stopped

    with pytest.raises(Stopped):
        fail_while_they_wait()

    assert workers[0].result() == "PD-2026-0001"


@pytest.mark.django_db(transaction=True)
def test_another_agency_does_not_wait() -> None:
    mine, theirs = completed(), outside_seat()
    other = Agency.objects.create(code="SO", name="Lakeside County Sheriff")

    def issue_theirs() -> str:
        return certificates.issue(other, seats={theirs: DONE}, issued_on=DONE, by=None)[0].number

    with transaction.atomic():
        issued(mine)
        with meanwhile(issue_theirs) as worker:
            assert worker.result() == "SO-2026-0001"


def test_a_token_has_more_than_128_random_bits_and_is_no_other() -> None:
    tokens = {certificates.new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", token) for token in tokens)
    assert len(certificates.LETTERS) ** certificates.TOKEN_LENGTH >= 2**128
    assert {letter for token in tokens for letter in token} == set(certificates.LETTERS)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("k7m2-9qtx-0123-4567-89ab-cdef-gh", id="as-printed"),
        pytest.param(" K7M2 9QTX 0123 4567 89AB CDEF GH ", id="capitals-and-spaces"),
        pytest.param("k7m29qtxol23456789abcdefgh", id="o-and-l-for-0-and-1"),
        pytest.param("k7m29qtxoi23456789abcdefgh", id="o-and-i-for-0-and-1"),
    ],
)
def test_a_token_is_read_as_people_type_it(typed: str) -> None:
    assert certificates.token_as_typed(typed) == "k7m29qtx0123456789abcdefgh"


def test_a_token_is_printed_in_groups() -> None:
    assert certificates.spoken_token("k7m29qtx0123456789abcdefgh") == "k7m2-9qtx-0123-4567-89ab-cdef-gh"


# On demand


def test_a_completion_recorded_otherwise_gets_a_certificate_of_the_members_agency_once() -> None:
    completion, by = completed(), make.make_user("academy")

    made = certificates.issue_for(completion, issued_on=date(2027, 2, 1), by=by)

    assert (made.number, made.completed_on, made.issued_by) == ("PD-2027-0001", DONE, by)
    assert certificates.issue_for(completion, issued_on=date(2027, 3, 1), by=by) == made


def voided(completion: Completion) -> None:
    void_completion(completion, why=WHY, by=make.make_user("academy"))


@pytest.mark.parametrize(
    ("values", "act", "sentence"),
    [
        pytest.param(
            {"result": "failed"}, None, "The result is failed: a certificate is for those who passed.", id="failed"
        ),
        pytest.param({"evidence": "pending"}, None, "Its evidence is not verified. Verify it first.", id="pending"),
        pytest.param({"evidence": "rejected"}, None, "Its evidence is not verified. Verify it first.", id="rejected"),
        pytest.param(
            {"certificate_number": "OSU-17"},
            None,
            "The certificate OSU-17 was issued for it already, by whoever gave the course.",
            id="certified-by-somebody-else",
        ),
        pytest.param(
            {"provider": "Ohio State"},
            None,
            "The course was given by Ohio State, who certifies it.",
            id="given-elsewhere",
        ),
        pytest.param(
            {}, voided, "This completion was corrected or voided, so there is nothing to certify.", id="voided"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_certified_is_refused_with_the_reason(
    values: dict[str, Any], act: Callable[[Completion], None] | None, sentence: str
) -> None:
    completion = completed(**values)
    if act is not None:
        act(completion)
        completion.refresh_from_db()

    with pytest.raises(CertificateRefused) as refused:
        certificates.issue_for(completion, issued_on=DONE, by=make.make_user("academy"))

    assert refused.value.messages == [sentence]
    assert not Certificate.objects.exists()


def test_evidence_verified_later_can_be_certified() -> None:
    completion = completed(evidence="pending")
    decide_evidence(completion, decision="verified", decided_on=DONE, note="", by=make.make_user("compliance"))

    made = certificates.issue_for(completion, issued_on=DONE, by=make.make_user("academy"))

    assert made.number == "PD-2026-0001"


# Whether they hold


def leave(completion: Completion) -> None:
    """Nothing happens to it."""


def corrected(completion: Completion) -> None:
    correct_completion(completion, why=WHY, by=make.make_user("academy"), completed_on=date(2026, 3, 5))


def corrected_to_failed(completion: Completion) -> None:
    correct_completion(completion, why=WHY, by=make.make_user("academy"), result="failed")


def corrected_twice(completion: Completion) -> None:
    by = make.make_user("academy")
    first = correct_completion(completion, why=WHY, by=by, completed_on=date(2026, 3, 5))
    correct_completion(first, why=WHY, by=by, completed_on=date(2026, 3, 4))


def corrected_and_back(completion: Completion) -> None:
    by = make.make_user("academy")
    first = correct_completion(completion, why=WHY, by=by, completed_on=date(2026, 3, 5))
    correct_completion(first, why=WHY, by=by, completed_on=DONE)


def corrected_then_voided(completion: Completion) -> None:
    by = make.make_user("academy")
    void_completion(correct_completion(completion, why=WHY, by=by, hours=36), why=WHY, by=by)


def voided_and_recorded_anew(completion: Completion) -> None:
    """As a class does that is reopened and finished again with the same outcome."""
    voided(completion)
    completed(completion.officer, class_number=completion.class_number, replaces=completion)


def voided_and_recorded_otherwise(completion: Completion) -> None:
    """The same, with another day."""
    voided(completion)
    completed(completion.officer, date(2026, 3, 9), class_number=completion.class_number, replaces=completion)


def merged(completion: Completion) -> None:
    """As merging two records of one person leaves it."""
    voided(completion)
    completed(class_number=completion.class_number, replaces=completion)


def voided_and_another_class_taken(completion: Completion) -> None:
    voided(completion)
    completed(completion.officer, class_number="C-LATER")


def rejected(completion: Completion) -> None:
    by = make.make_user("compliance")
    decide_evidence(completion, decision="rejected", decided_on=DONE, note="Not on the sheet", by=by)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(leave, Validity.VALID, id="untouched"),
        pytest.param(corrected, Validity.REPLACED, id="corrected"),
        pytest.param(corrected_twice, Validity.REPLACED, id="corrected-twice"),
        pytest.param(corrected_and_back, Validity.VALID, id="corrected-and-back"),
        pytest.param(corrected_to_failed, Validity.NOT_VALID, id="corrected-to-failed"),
        pytest.param(corrected_then_voided, Validity.NOT_VALID, id="corrected-then-voided"),
        pytest.param(voided, Validity.NOT_VALID, id="voided"),
        pytest.param(voided_and_recorded_anew, Validity.VALID, id="class-finished-again-the-same"),
        pytest.param(voided_and_recorded_otherwise, Validity.REPLACED, id="class-finished-again-otherwise"),
        pytest.param(merged, Validity.VALID, id="records-merged"),
        pytest.param(voided_and_another_class_taken, Validity.NOT_VALID, id="voided-and-another-class"),
        pytest.param(rejected, Validity.NOT_VALID, id="evidence-rejected"),
    ],
)
def test_validity_follows_the_completion(act: Callable[[Completion], None], expected: Validity) -> None:
    completion = completed(class_number="C-1")
    issued(completion)

    act(completion)

    assert validity(completion) is expected
    standing = list(Completion.objects.known())
    assert bool(certificates.holding(standing)) is (expected is Validity.VALID or act is rejected)
    assert (issued(*standing) == []) is (expected is Validity.VALID or act is rejected or not standing)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param("passed", Validity.VALID, id="passed"),
        pytest.param("failed", Validity.NOT_VALID, id="judged-anew-failed"),
        pytest.param("", Validity.NOT_VALID, id="class-reopened"),
    ],
)
def test_validity_of_a_person_from_outside_follows_the_seat(outcome: str, expected: Validity) -> None:
    seat = outside_seat()
    certificates.issue(seat.session.agency, seats={seat: DONE}, issued_on=DONE, by=None)

    Enrollment.objects.filter(pk=seat.pk).update(outcome=outcome)

    assert validity(seat) is expected


def test_a_seat_judged_anew_for_another_day_has_its_first_certificate_replaced() -> None:
    seat = outside_seat()
    for day in (DONE, date(2026, 3, 9)):
        Enrollment.objects.filter(pk=seat.pk).update(outcome_on=day)
        certificates.issue(seat.session.agency, seats={seat: day}, issued_on=DONE, by=None)

    rows = list(Certificate.objects.select_related("completion", "enrollment"))
    found = certificates.validities(rows)

    assert [(row.number, row.completed_on, found[row.pk].value) for row in rows] == [
        ("PD-2026-0001", DONE, "replaced"),
        ("PD-2026-0002", date(2026, 3, 9), "valid"),
    ]


def test_certificates_are_judged_together_in_a_fixed_number_of_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    many = [completed(class_number="C-1") for _ in range(12)]
    issued(*many)
    for completion in many[:4]:
        corrected(completion)
    for completion in many[4:8]:
        voided(completion)
    rows = list(Certificate.objects.select_related("completion", "enrollment"))

    with django_assert_max_num_queries(5):
        found = certificates.validities(rows)

    assert [found[row.pk].value for row in rows] == ["replaced"] * 4 + ["not valid"] * 4 + ["valid"] * 4


def test_issuing_for_a_class_takes_a_fixed_number_of_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    many, agency = [completed() for _ in range(30)], make.make_agency()

    with django_assert_num_queries(4):  # lock, those that have one, last number, insert
        made = certificates.issue(agency, completions=many, issued_on=DONE, by=None)

    assert [made[0].number, made[-1].number] == ["PD-2026-0001", "PD-2026-0030"]


def test_inside_recording_certificates_come_with_the_completions_or_not_at_all() -> None:
    officer, course = make.make_officer(), make.make_course()

    def fail_after_issuing() -> None:
        with recording(by=None, via=Via.PAGE, why="finished") as recorder:
            issued(recorder.record(Completion(officer=officer, course=course, completed_on=DONE)))
            raise Stopped

    with pytest.raises(Stopped):
        fail_after_issuing()

    assert (Completion.objects.count(), Certificate.objects.count()) == (0, 0)
