"""What waits for somebody to look at its evidence, and what was proposed, within a user's reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef

from compliance.class_access import agencies_to_run
from roster.models import Access, Role
from training.duplicates import with_alike
from training.models import ClassEvent, ClassState, Completion, CompletionFile, EvidenceDecision, ProposedCorrection

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from roster.access import Viewer


def pending(viewer: Viewer) -> QuerySet[Any]:
    """Completions that stand and whose evidence nobody decided about."""
    decided = EvidenceDecision.objects.known().filter(completion=OuterRef("pk"))
    rows = Completion.objects.known().filter(~Exists(decided), evidence="pending")
    return rows if viewer.reads_everything else rows.filter(officer__in=viewer.officers())


def pending_rows(viewer: Viewer) -> QuerySet[Any]:
    """The same for the list: who recorded each, whether that was the member, and whether it looks like another."""
    reported = Access.objects.filter(user=OuterRef("recorded_in__by"), role=Role.OFFICER, officer=OuterRef("officer"))
    given = CompletionFile.objects.filter(completion=OuterRef("pk"))
    rows = pending(viewer).select_related("officer__agency", "course", "recorded_in__by")
    return with_alike(
        rows.annotate(is_reported=Exists(reported), has_file=Exists(given), recorded_at=F("recorded_in__at"))
    )


def proposals(viewer: Viewer) -> QuerySet[ProposedCorrection]:
    """Proposed corrections of completions of the members within reach."""
    rows = ProposedCorrection.objects.select_related(
        "completion__officer__agency", "completion__course", "proposed_by", "decided_by"
    )
    return rows if viewer.reads_everything else rows.filter(completion__officer__in=viewer.officers())


def reopenings(viewer: Viewer) -> QuerySet[ClassEvent]:
    """What was asked of finished classes that this user may run, and nobody answered: to reopen them."""
    answers = (ClassEvent.What.DECLINED, ClassEvent.What.REOPENED)
    answered = ClassEvent.objects.filter(session=OuterRef("session"), pk__gt=OuterRef("pk"), what__in=answers)
    rows = ClassEvent.objects.filter(
        ~Exists(answered),
        what=ClassEvent.What.ASKED,
        session__state=ClassState.FINISHED,
        session__agency__in=agencies_to_run(viewer),
    )
    return rows.select_related("session__agency", "session__course", "by")


def for_two(viewer: Viewer) -> int:
    """How many corrections and reopenings wait for a second person. Two queries."""
    return proposals(viewer).filter(state=ProposedCorrection.State.OPEN).count() + reopenings(viewer).count()
