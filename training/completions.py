"""What a person does to one completion: decide on its evidence, correct it, void it. Nothing is erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection

from roster.access import own_members
from roster.facts import Change, FactRefused, Recorder, Via, lock_officers, recording
from roster.files import StoredFile
from roster.records import correct, spoken
from training import duplicates
from training.models import Completion, CompletionFile, Evidence, EvidenceDecision

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


OWN = "This is your own completion. Somebody else has to decide on its evidence."
RECORDED = "You recorded this completion. Somebody else has to decide on its evidence."


def bar_to_deciding(completion: Completion, by: User) -> str:
    """Why somebody may not decide on the evidence; blank where they may. Three queries."""
    return bars_to_deciding([completion], by).get(completion.pk, "")


def bars_to_deciding(completions: Iterable[Completion], by: User) -> dict[int, str]:
    """Completion -> why somebody may not decide on its evidence, for those on which they may not. Three queries.

    The member may not, nor whoever recorded the completion or a version of it that was corrected.
    """
    asked = {row.pk: row.officer_id for row in completions}
    own = own_members(by)
    earlier = earlier_versions(asked)
    bars = {pk: RECORDED for pk in asked if any(who == by.pk for _, who in earlier[pk])}
    return bars | {pk: OWN for pk, officer in asked.items() if officer in own}


def _why(decision: str, note: str) -> str:
    return note or f"Evidence {decision}"


def decide_evidence(completion: Completion, *, decision: str, decided_on: date, note: str, by: User) -> bool:
    """Record what somebody found who looked at the evidence; a later decision replaces an earlier one."""
    if bar := bar_to_deciding(completion, by):
        raise FactRefused(bar)
    with recording(by=by, via=Via.PAGE, why=_why(decision, note)) as recorder:
        recorder.lock([completion.officer_id])
        _refuse_voided(completion)
        return _decide(recorder, completion, decision_on(completion), decision, decided_on, note)


def _decide(
    recorder: Recorder,
    completion: Completion,
    before: EvidenceDecision | None,
    decision: str,
    decided_on: date,
    note: str,
) -> bool:
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


def decide_many(
    completions: Collection[Completion], *, decision: str, decided_on: date, note: str, by: User
) -> tuple[int, dict[int, str]]:
    """Decide on the evidence of several in one change: how many, and completion -> why nothing was decided about it.

    Only what still waits is decided, and nothing is verified that looks like another until a person said which it is.
    """
    left_out = bars_to_deciding(completions, by)
    decided = 0
    with recording(by=by, via=Via.PAGE, why=_why(decision, note)) as recorder:
        recorder.lock({row.officer_id for row in completions})
        asked = [row.pk for row in completions]
        stand = set(Completion.objects.known().filter(pk__in=asked).values_list("pk", flat=True))
        settled = set(
            EvidenceDecision.objects.known().filter(completion__in=stand).values_list("completion", flat=True)
        )
        alike = duplicates.undecided(completions) if decision == Evidence.VERIFIED else {}
        for row in completions:
            if row.pk not in stand:
                left_out[row.pk] = MEANWHILE
            elif row.pk in settled:
                left_out[row.pk] = "Somebody else decided about it meanwhile."
            elif row.pk in alike:
                left_out.setdefault(row.pk, "It looks like another completion. Open it and say whether it is.")
            if row.pk not in left_out:
                decided += _decide(recorder, row, None, decision, decided_on, note)
    return decided, left_out


OWN_CHANGE = "This is your own completion. Somebody else has to correct or void it."


def _refuse_own(completion: Completion, by: User) -> None:
    """Nobody changes what is on record of themselves: a later date would be verified by nobody. Two queries."""
    if completion.officer_id in own_members(by):
        raise FactRefused(OWN_CHANGE)


def void_completion(completion: Completion, *, why: str, by: User) -> bool:
    """Take a completion back. It stays in the record, and answers of days before still see it.

    `FactRefused` of one's own.
    """
    _refuse_own(completion, by)
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([completion.officer_id])
        if not Completion.objects.known().filter(pk=completion.pk).exists():
            return False
        recorder.void([completion])
    return True


def correct_completion(completion: Completion, *, why: str, by: User, **changes: Any) -> Completion:
    """Record a completion that replaces this one; the old one stays in the record.

    A decision on its evidence goes over to the new one, as in an import: a correction neither verifies nor takes a
    rejection back. `FactRefused` of one's own.
    """
    _refuse_own(completion, by)
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([completion.officer_id])
        _refuse_voided(completion)
        decision = decision_on(completion)
        made = correct(recorder, completion, **changes)
        if decision is not None:
            correct(recorder, decision, completion=made)
        duplicates.carry_over({completion.pk: made.pk})
    return made


def _refuse_voided(completion: Completion) -> None:
    if not Completion.objects.known().filter(pk=completion.pk).exists():
        raise FactRefused(MEANWHILE)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A completion that does not count for want of evidence, and what was said of it."""

    completion: Completion
    #: pending or rejected
    evidence: str
    note: str = ""


def unverified_of(officer_id: int) -> list[Unverified]:
    """What a member's evidence is missing for, newest first: it waits, or was rejected and why. Two queries."""
    rows = Completion.objects.known().filter(officer=officer_id).select_related("course")
    decided = {
        row.completion_id: row for row in EvidenceDecision.objects.known().filter(completion__officer=officer_id)
    }
    found = []
    for row in rows.order_by("-completed_on", "-pk"):
        decision = decided.get(row.pk)
        said = decision.decision if decision else row.evidence
        if said != Evidence.VERIFIED:
            found.append(Unverified(row, said, decision.note if decision else ""))
    return found


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a completion's history: what happened, and the change it belongs to."""

    what: str
    change: Change
    #: recorded, corrected, voided, or what was decided
    kind: str

    def is_after(self, moment: datetime) -> bool:
        return self.change.at is not None and self.change.at > moment

    @property
    def who(self) -> str:
        """Name of the user, or blank for a command."""
        by = self.change.by
        return (by.get_full_name() or by.username) if by else ""


#: What a correction can change, in words; in the order in which they are told.
TOLD = {
    "course": "course",
    "completed_on": "completed on",
    "hours": "hours",
    "score": "score",
    "attendance": "attendance",
    "result": "result",
    "evidence": "evidence",
    "provider": "provider",
    "certificate_number": "certificate number",
    "certificate_expires_on": "certificate expires on",
    "lesson_plan": "lesson plan",
    "class_number": "class number",
}


def versions(completion: Completion) -> list[Completion]:
    """This completion with those it replaced and those that replaced it, oldest first. A query for each version."""
    rows = Completion.objects.select_related("course", "recorded_in__by", "voided_in__by")
    chain = [rows.get(pk=completion.pk)]
    while chain[0].replaces_id is not None:
        chain.insert(0, rows.get(pk=chain[0].replaces_id))
    while (later := rows.filter(replaces=chain[-1].pk).first()) is not None:
        chain.append(later)
    return chain


_LATER = """
    WITH RECURSIVE later (first_id, id) AS (
        SELECT id, id FROM training_completion WHERE id = ANY(%s)
        UNION ALL
        SELECT later.first_id, next.id FROM later JOIN training_completion next ON next.replaces_id = later.id
    )
    SELECT first_id, max(id) FROM later GROUP BY first_id
"""


def latest_versions(ids: Iterable[int]) -> dict[int, int]:
    """Completion -> the last that replaced it, through every correction; itself where none did. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LATER, [sorted(ids)])
        return dict(cursor.fetchall())


_EARLIER = """
    WITH RECURSIVE earlier (asked, id, replaces_id, recorded_in_id) AS (
        SELECT id, id, replaces_id, recorded_in_id FROM training_completion WHERE id = ANY(%s)
        UNION ALL
        SELECT earlier.asked, before.id, before.replaces_id, before.recorded_in_id
        FROM earlier JOIN training_completion before ON before.id = earlier.replaces_id
    )
    SELECT earlier.asked, earlier.id, change.by_id FROM earlier
    JOIN roster_change change ON change.id = earlier.recorded_in_id
"""


def earlier_versions(ids: Iterable[int]) -> dict[int, list[tuple[int, int | None]]]:
    """Completion -> itself and what it corrected, each with the id of the user who recorded it. One query."""
    found: dict[int, list[tuple[int, int | None]]] = {pk: [] for pk in ids}
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, [sorted(found)])
        for asked, pk, by in cursor.fetchall():
            found[asked].append((pk, by))
    return found


_FILES = """
    WITH RECURSIVE earlier (asked, id, replaces_id) AS (
        SELECT id, id, replaces_id FROM training_completion WHERE id = ANY(%s)
        UNION ALL
        SELECT earlier.asked, before.id, before.replaces_id
        FROM earlier JOIN training_completion before ON before.id = earlier.replaces_id
    )
    SELECT DISTINCT earlier.asked, file.* FROM earlier
    JOIN training_completionfile given ON given.completion_id = earlier.id
    JOIN roster_storedfile file ON file.id = given.file_id ORDER BY file.id
"""


def files_of(ids: Iterable[int]) -> dict[int, list[StoredFile]]:
    """Completion -> the files that prove it, those of what it corrected too, in the order they came. One query."""
    found: dict[int, list[StoredFile]] = {}
    for file in StoredFile.objects.raw(_FILES, [sorted(ids)]):
        found.setdefault(file.asked, []).append(file)  # type: ignore[attr-defined] # a column of the query
    return found


def attach(completion: Completion, files: Iterable[StoredFile]) -> None:
    """Give files to a completion that stands; `FactRefused` where it does not any more. Inside a transaction."""
    lock_officers([completion.officer_id])
    _refuse_voided(completion)
    CompletionFile.objects.bulk_create([CompletionFile(completion=completion, file=file) for file in files])


def history(completion: Completion) -> list[Event]:
    """Everything that happened to a completion, through every correction, in the order of its recording."""
    chain = versions(completion)
    events: list[Event] = []
    for before, row in zip([None, *chain], chain, strict=False):
        if before is None:
            events.append(
                Event(f"Recorded: {row.course.title} on {spoken(row.completed_on)}", row.recorded_in, "recorded")
            )
        else:
            events.append(Event(f"Corrected: {differences(before, row) or 'nothing'}", row.recorded_in, "corrected"))
    decisions = EvidenceDecision.objects.filter(completion__in=[row.pk for row in chain])
    for decision in decisions.select_related("recorded_in__by", "replaces"):
        if decision.replaces is not None and decision.replaces.completion_id != decision.completion_id:
            continue  # went over with a correction: it is told where it was made
        note = f": {decision.note}" if decision.note else ""
        events.append(Event(f"Evidence {decision.decision}{note}", decision.recorded_in, decision.decision))
    last = chain[-1]
    if last.voided_in is not None:
        events.append(Event("Voided", last.voided_in, "voided"))
    return sorted(events, key=lambda event: event.change.pk)


def differences(before: Completion, after: Completion) -> str:
    """`hours 36 → 40; score blank → 92`."""
    parts = []
    for name, word in TOLD.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            parts.append(f"{word} {in_words(old)} → {in_words(new)}")
    return "; ".join(parts)


def in_words(value: object) -> str:
    if value is None or value == "":
        return "blank"
    if isinstance(value, date):
        return spoken(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
