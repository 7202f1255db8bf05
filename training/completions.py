"""What a person does to one completion: decide on its evidence, correct it, void it. Nothing is erased."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from roster.facts import FactRefused, Via, recording
from roster.records import correct
from training.models import Completion, EvidenceDecision

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MEANWHILE = "Somebody else corrected or voided this completion meanwhile. Look at it again."


def decision_on(completion: Completion) -> EvidenceDecision | None:
    """The decision that holds. One query."""
    return EvidenceDecision.objects.known().filter(completion=completion).first()


def evidence_of(completion: Completion) -> str:
    """verified, pending or rejected: as decided, else as recorded. One query."""
    decision = decision_on(completion)
    return decision.decision if decision else completion.evidence


def may_decide(completion: Completion, by: User) -> bool:
    """Whoever recorded a completion does not decide on its evidence."""
    return completion.recorded_in.by_id != by.pk


def decide_evidence(completion: Completion, *, decision: str, decided_on: date, note: str, by: User) -> bool:
    """Record what somebody found who looked at the evidence; a later decision replaces an earlier one."""
    if not may_decide(completion, by):
        raise FactRefused("You recorded this completion. Somebody else has to decide on its evidence.")
    with recording(by=by, via=Via.PAGE, why=note or f"Evidence {decision}") as recorder:
        recorder.lock([completion.officer_id])
        _refuse_voided(completion)
        before = decision_on(completion)
        if before is not None and (before.decision, before.note) == (decision, note):
            return False
        made = EvidenceDecision(
            officer_id=completion.officer_id,
            completion=completion,
            decision=decision,
            decided_on=decided_on,
            note=note,
            replaces=before,
        )
        if before is not None:
            recorder.void([before])
        recorder.record(made)
    return True


def void_completion(completion: Completion, *, why: str, by: User) -> bool:
    """Take a completion back. It stays in the record, and answers of days before still see it."""
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([completion.officer_id])
        if not Completion.objects.known().filter(pk=completion.pk).exists():
            return False
        recorder.void([completion])
    return True


def correct_completion(completion: Completion, *, why: str, by: User, **changes: Any) -> Completion:
    """Record a completion that replaces this one; the old one stays in the record."""
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([completion.officer_id])
        _refuse_voided(completion)
        return correct(recorder, completion, **changes)


def _refuse_voided(completion: Completion) -> None:
    if not Completion.objects.known().filter(pk=completion.pk).exists():
        raise FactRefused(MEANWHILE)
