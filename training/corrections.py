"""Four eyes: where an agency asks for two, what one person wants to void or correct another has to accept.

A proposal changes nothing by itself. Whoever accepts it sees what it would change, as its proposer did; where the
completion was corrected or voided meanwhile, it can only be refused or withdrawn.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from roster.access import own_members
from roster.facts import FactRefused, hold_rules, lock_officers, sentence_for
from training.completions import MEANWHILE, TOLD, correct_completion, in_words, void_completion
from training.models import Completion, Course, ProposedCorrection

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Act, State = ProposedCorrection.Act, ProposedCorrection.State

PROPOSED = "You proposed this. Somebody else has to accept it."
OWN = "This is about your own completion. Somebody else has to accept it."
DECIDED = "Somebody decided about this proposal already."


def asks_two(completion: Completion) -> bool:
    """Whether voiding or correcting this completion takes two people. One query unless its agency is loaded."""
    return completion.officer.agency.asks_two


def waiting_for(completion: Completion) -> ProposedCorrection | None:
    """The proposal about this completion that nobody decided yet. One query."""
    open_ones = ProposedCorrection.objects.filter(completion=completion, state=State.OPEN)
    return open_ones.select_related("proposed_by").first()


def propose_void(completion: Completion, *, why: str, by: User) -> ProposedCorrection:
    return _propose(ProposedCorrection(completion=completion, act=Act.VOID, why=why, proposed_by=by))


def propose_correction(completion: Completion, *, why: str, by: User, **changes: Any) -> ProposedCorrection:
    """`changes` by field of the completion, as `correct_completion` takes them."""
    written = {name: _written(value) for name, value in changes.items()}
    return _propose(
        ProposedCorrection(completion=completion, act=Act.CORRECT, changes=written, why=why, proposed_by=by)
    )


def _propose(proposal: ProposedCorrection) -> ProposedCorrection:
    """`FactRefused` where the completion does not stand any more or another proposal waits."""
    with transaction.atomic():
        lock_officers([proposal.completion.officer_id])
        if not _stands(proposal.completion):
            raise FactRefused(MEANWHILE)
        try:
            with transaction.atomic():
                proposal.save(force_insert=True)
        except IntegrityError as error:
            raise FactRefused(sentence_for(error, ProposedCorrection) or "This cannot be proposed.") from error
    return proposal


def _stands(completion: Completion) -> bool:
    return bool(Completion.objects.known().filter(pk=completion.pk).exists())


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, models.Model):
        return str(value.pk)
    return value.isoformat() if isinstance(value, date) else str(value)


def changes_of(proposal: ProposedCorrection) -> dict[str, Any]:
    """What the proposal would change, by field of the completion. One query where the course changes."""
    found: dict[str, Any] = {}
    for name, text in proposal.changes.items():
        field = Completion._meta.get_field(name)
        if name == "course":
            found[name] = Course.objects.get(pk=text)
        else:
            found[name] = None if text is None else field.to_python(text)  # type: ignore[union-attr] # a field of its own
    return found


def differences_of(proposal: ProposedCorrection) -> list[tuple[str, str, str]]:
    """(what, as recorded, as proposed), in the order in which corrections are told."""
    changes = changes_of(proposal)
    return [
        (word, in_words(getattr(proposal.completion, name)), in_words(changes[name]))
        for name, word in TOLD.items()
        if name in changes
    ]


def bar_to_accepting(proposal: ProposedCorrection, by: User) -> str:
    """Why somebody may not accept a proposal; blank where they may. Two queries."""
    if proposal.proposed_by_id == by.pk:
        return PROPOSED
    if proposal.completion.officer_id in own_members(by):
        return OWN
    return ""


def accept(proposal: ProposedCorrection, *, by: User) -> Completion:
    """Do what was proposed, in one transaction; the completion that stands then, or the one that was voided."""
    if bar := bar_to_accepting(proposal, by):
        raise FactRefused(bar)
    completion = proposal.completion
    with transaction.atomic():
        hold_rules(shared=True)  # locks in the order that everybody takes them
        lock_officers([completion.officer_id])
        _decide(proposal, State.ACCEPTED, by=by)
        why = f"{proposal.why} (proposed by {_name(proposal.proposed_by)}, accepted by {_name(by)})"
        if proposal.act == Act.CORRECT:
            return correct_completion(completion, why=why, by=by, **changes_of(proposal))
        if not void_completion(completion, why=why, by=by):
            raise FactRefused(MEANWHILE)
    return completion


def refuse(proposal: ProposedCorrection, *, by: User, note: str = "") -> None:
    """Leave the completion as it is. Whoever proposed it withdraws it instead; the member does not decide."""
    with transaction.atomic():
        if proposal.proposed_by_id == by.pk:
            _decide(proposal, State.WITHDRAWN, by=by, note=note)
        elif bar := bar_to_accepting(proposal, by):
            raise FactRefused(bar)
        else:
            _decide(proposal, State.REFUSED, by=by, note=note)


def _decide(proposal: ProposedCorrection, state: str, *, by: User, note: str = "") -> None:
    """Give a proposal its end, once; `FactRefused` when it has one."""
    decided = ProposedCorrection.objects.filter(pk=proposal.pk, state=State.OPEN).update(
        state=state, decided_by=by, decided_at=timezone.now(), note=note
    )
    if not decided:
        raise FactRefused(DECIDED)
    proposal.refresh_from_db()


def _name(user: User) -> str:
    return user.get_full_name() or user.username
