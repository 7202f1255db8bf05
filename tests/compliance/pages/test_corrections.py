"""Four eyes: what one person proposes to void or correct, and what a second person says to it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from compliance.models import Standing
from roster.facts import FactRefused
from roster.models import Access, Agency
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_course, make_officer, make_user
from training import corrections, duplicates
from training.completions import correct_completion, history, void_completion
from training.models import Completion, KeptBoth, ProposedCorrection

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asks_two(cast: Cast) -> None:
    Agency.objects.update(asks_two=True)
    cast.users["second"] = make_user("academy", "second")


@pytest.fixture
def recent(cast: Cast) -> Completion:
    """Amara's refresher of yesterday: without it she is overdue."""
    return complete(cast.amara, cast.refresher, timezone.localdate() - timedelta(days=1))


def state_of(cast: Cast) -> str:
    today = timezone.localdate()
    return Standing.objects.filter(officer=cast.amara, start_on__lte=today).latest("start_on").state


def corrected(row: Completion, **values: Any) -> dict[str, Any]:
    """The form of a correction, filled in with what is recorded and what changes."""
    said = {"course": row.course_id, "completed_on": row.completed_on.isoformat(), "result": row.result}
    return {**said, "why": "Typing error", **values}


def propose(cast: Cast, row: Completion, act: str = "void", role: str = "academy", **values: Any) -> Any:
    data = {"why": "Another member's"} if act == "void" else corrected(row, act="propose", **values)
    return cast.client(role).post(reverse(f"completion-{act}", args=[row.pk]), data, follow=True)


def answer(cast: Cast, act: str, role: str = "second", note: str = "") -> Any:
    where = reverse("correction", args=[ProposedCorrection.objects.latest("pk").pk])
    return cast.client(role).post(where, {"act": act, "note": note}, follow=True)


def test_voiding_is_proposed_and_accepted_by_another(cast: Cast, recent: Completion) -> None:
    before = Shown(cast.client("academy").get(reverse("completion-void", args=[recent.pk])))
    proposed = Shown(propose(cast, recent))
    meanwhile = state_of(cast)
    page = Shown(cast.client("second").get(reverse("correction", args=[ProposedCorrection.objects.get().pk])))
    answer(cast, "accept")

    assert "current → overdue" in before.words
    assert "Propose to void it" in before.words
    assert "Nothing changed yet: somebody else has to accept it." in proposed.words
    assert meanwhile == "current"
    assert "current → overdue" in page.words
    recent.refresh_from_db()
    assert recent.voided_in is not None
    assert (state_of(cast), recent.voided_in.by) == ("overdue", cast.users["second"])
    assert recent.voided_in.why == "Another member's (proposed by academy, accepted by second)"
    proposal = ProposedCorrection.objects.get()
    assert (proposal.state, proposal.decided_by) == ("accepted", cast.users["second"])


def test_a_correction_is_shown_proposed_and_accepted(cast: Cast, recent: Completion) -> None:
    client, where = cast.client("academy"), reverse("completion-correct", args=[recent.pk])
    said = corrected(recent, completed_on="2020-01-02", hours="4", certificate_number="A-1")

    looked = Shown(client.post(where, {**said, "act": "look"}))
    assert not ProposedCorrection.objects.exists()
    client.post(where, {**said, "act": "propose"})
    page = Shown(cast.client("second").get(reverse("correction", args=[ProposedCorrection.objects.get().pk])))
    answer(cast, "accept")

    assert "current → overdue" in looked.words
    assert "Completed on" in page.words
    assert "→ 2 Jan 2020" in page.words
    assert "Hours blank → 4" in page.words
    assert "current → overdue" in page.words
    made = Completion.objects.known().get(course=cast.refresher)
    assert (made.completed_on, made.hours, made.certificate_number) == (date(2020, 1, 2), Decimal(4), "A-1")
    assert (made.replaces, made.recorded_in.by) == (recent, cast.users["second"])
    assert state_of(cast) == "overdue"
    assert [event.kind for event in history(made)] == ["recorded", "corrected"]


def test_a_correction_to_another_course_is_kept_until_it_is_accepted(cast: Cast, recent: Completion) -> None:
    other = make_course("VEH-4", title="Vehicle stops", title_key="vehicle stops")

    propose(cast, recent, "correct", course=other.pk)
    page = Shown(cast.client("second").get(reverse("correction", args=[ProposedCorrection.objects.get().pk])))
    answer(cast, "accept")

    assert "Course CIT refresher → Vehicle stops" in page.words
    assert "current → overdue" in page.words
    assert Completion.objects.known().get(replaces=recent).course == other


def test_a_blank_that_is_proposed_stays_blank(cast: Cast) -> None:
    row = complete(cast.amara, cast.refresher, date(2020, 1, 2), hours=4, certificate_expires_on=date(2022, 1, 2))

    propose(cast, row, "correct")
    answer(cast, "accept")

    made = Completion.objects.known().get(replaces=row)
    assert (made.hours, made.certificate_expires_on) == (None, None)


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        pytest.param("academy", "You proposed this. Somebody else has to accept it.", id="proposer"),
        pytest.param("member", "This is about your own completion. Somebody else has to accept it.", id="member"),
    ],
)
def test_nobody_accepts_their_own(cast: Cast, recent: Completion, role: str, sentence: str) -> None:
    cast.users["member"] = make_user("academy", "member")
    Access.objects.create(user=cast.users["member"], role="officer", officer=cast.amara)
    propose(cast, recent)

    response = answer(cast, "accept", role)

    assert response.status_code == 400
    assert sentence in Shown(response).words
    assert (state_of(cast), ProposedCorrection.objects.get().state) == ("current", "open")


def test_the_database_refuses_one_person_for_two(cast: Cast, recent: Completion) -> None:
    proposal = corrections.propose_void(recent, why="x", by=cast.users["academy"])

    with pytest.raises(Error), transaction.atomic():
        ProposedCorrection.objects.filter(pk=proposal.pk).update(state="accepted", decided_by=cast.users["academy"])


def test_a_second_person_refuses(cast: Cast, recent: Completion) -> None:
    propose(cast, recent)

    page = Shown(answer(cast, "refuse", note="It is hers: the sheet says so"))

    proposal = ProposedCorrection.objects.get()
    assert "The completion stays as it is." in page.words
    assert (proposal.state, proposal.note, state_of(cast)) == ("refused", "It is hers: the sheet says so", "current")
    assert "Another member's" not in page.words
    every = Shown(cast.client("academy").get(reverse("correction-list"), {"state": "all"}))
    assert every.rows("Proposed corrections, newest first")[0][-2:] == ["refused", "second"]


def test_the_proposer_withdraws_and_proposes_again(cast: Cast, recent: Completion) -> None:
    propose(cast, recent)
    answer(cast, "refuse", "academy")

    propose(cast, recent)

    assert [row.state for row in ProposedCorrection.objects.order_by("pk")] == ["withdrawn", "open"]


def test_one_proposal_waits_at_a_time(cast: Cast, recent: Completion) -> None:
    propose(cast, recent)

    page = Shown(propose(cast, recent, "correct", "second", hours="4"))

    assert "A correction of this completion waits for a second person already." in page.words
    assert "academy proposed to void this completion: Another member's." in page.words
    assert ProposedCorrection.objects.count() == 1


@pytest.mark.parametrize("act", ["void", "correct"])
def test_what_changed_meanwhile_is_told_and_not_accepted(cast: Cast, recent: Completion, act: str) -> None:
    propose(cast, recent, act, **({} if act == "void" else {"hours": "4"}))
    correct_completion(recent, why="Import", by=None, score=90)  # type: ignore[arg-type] # a command
    proposal = ProposedCorrection.objects.get()

    page = Shown(cast.client("second").get(reverse("correction", args=[proposal.pk])))
    response = answer(cast, "accept")
    answer(cast, "refuse")

    assert "Somebody corrected or voided this completion after it was proposed." in page.words
    assert "Corrected: score blank → 90" in page.words
    assert response.status_code == 400
    assert "Somebody else corrected or voided this completion meanwhile." in Shown(response).words
    proposal.refresh_from_db()
    assert (proposal.state, Completion.objects.known().filter(course=cast.refresher).count()) == ("refused", 1)


def test_evidence_decided_meanwhile_is_told(cast: Cast, recent: Completion) -> None:
    propose(cast, recent)
    cast.client("compliance").post(
        reverse("completion-evidence", args=[recent.pk]), {"decision": "rejected", "note": "Not hers"}
    )

    page = Shown(cast.client("second").get(reverse("correction", args=[ProposedCorrection.objects.get().pk])))

    assert "Since then" in page.words
    assert "Evidence rejected: Not hers, compliance" in page.words


def test_a_proposal_is_decided_once(cast: Cast, recent: Completion) -> None:
    propose(cast, recent)
    proposal = ProposedCorrection.objects.get()
    answer(cast, "accept")

    response = answer(cast, "refuse")

    assert response.status_code == 400
    assert "Somebody decided about this proposal already." in Shown(response).words
    with pytest.raises(FactRefused, match="Somebody decided"):
        corrections.accept(proposal, by=cast.users["admin"])


def test_nothing_is_proposed_about_what_was_voided(cast: Cast, recent: Completion) -> None:
    void_completion(recent, why="x", by=cast.users["admin"])

    page = Shown(propose(cast, recent))

    assert "Somebody else corrected or voided this completion meanwhile." in page.words
    assert not ProposedCorrection.objects.exists()


def test_one_person_is_enough_without_the_setting(cast: Cast, recent: Completion) -> None:
    Agency.objects.update(asks_two=False)

    page = Shown(propose(cast, recent))

    assert "Completion voided." in page.words
    assert not ProposedCorrection.objects.exists()


def test_what_was_decided_of_look_alikes_goes_over_to_a_correction(cast: Cast, recent: Completion) -> None:
    twin = complete(cast.amara, cast.refresher, recent.completed_on - timedelta(days=2))
    duplicates.keep_both(recent, twin, by=cast.users["academy"])

    made = correct_completion(recent, why="Hours", by=cast.users["academy"], hours=4)

    assert duplicates.undecided([made, twin]) == {}
    assert set(KeptBoth.objects.values_list("first", "second")) == {(recent.pk, twin.pk), (twin.pk, made.pk)}


def test_the_list_filters_and_costs_the_same_queries_for_one_row_and_thirty(
    cast: Cast, recent: Completion, django_assert_num_queries: Any
) -> None:
    propose(cast, recent)
    client, where = cast.client("second"), reverse("correction-list")

    # session and user 2, access and tree 2, count 1, rows 1, classes to reopen 1
    with django_assert_num_queries(7):
        client.get(where)
    for _ in range(29):
        row = complete(make_officer(unit=cast.central), cast.basic, date(2020, 1, 2))
        corrections.propose_void(row, why="x", by=cast.users["academy"])
    with django_assert_num_queries(7):
        client.get(where)

    assert len(client.get(where, {"q": "002918"}).context["table"].rows) == 1
    assert len(client.get(where, {"state": "refused"}).context["table"].rows) == 0
    assert client.get(where, {"state": "maybe"}).status_code == 400
    lines = b"".join(client.get(where, {"export": "csv"})).decode("utf-8-sig").splitlines()
    assert lines[0] == "Proposed,To,Officer,Id,Course,Completed,Why,Proposed by,State,Decided by"
    assert len(lines) == 31
