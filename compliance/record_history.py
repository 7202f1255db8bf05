"""The history of one member's record, line by line: recorded, corrected, ended, voided, merged. Nothing is left out.

A correction voids a fact and records another that replaces it: that is one line, with what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from compliance import lifeline, sentences
from compliance.models import Explanation, Extension, Waiver
from roster.facts import Change, Fact
from roster.models import (
    Assignment,
    Designation,
    Employment,
    FormerDetail,
    Leave,
    Merge,
    Officer,
)
from roster.trail import OF_EVERY_FACT, values_of
from training.models import Completion, EvidenceDecision

#: Every kind of fact, and what its words need beside its own row.
KINDS: dict[type[Fact], tuple[str, ...]] = {
    Employment: (),
    Assignment: ("unit", "shift", "rank"),
    Leave: (),
    Designation: (),
    Completion: ("course",),
    EvidenceDecision: ("completion__course",),
    Waiver: ("requirement", "approver"),
    Extension: ("requirement", "approver"),
    Explanation: ("requirement",),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    at: datetime
    #: recorded, corrected, ended, voided, moved, changed, merged, undone
    act: str
    #: the kind of fact
    kind: str
    what: str
    #: what differs, of a correction
    differs: str
    by: User | None
    via: str
    why: str

    @property
    def who(self) -> str:
        return sentences.name_of(self.by) if self.by else ""


def named(fact: Any) -> str:
    """A fact of any kind in a few words, with its days."""
    if isinstance(fact, Completion):
        return f"{fact.course.title}, {sentences.day(fact.completed_on)}"
    if isinstance(fact, EvidenceDecision):
        return f"evidence {fact.decision}: {named(fact.completion)}"
    if isinstance(fact, Explanation):
        return f"explanation of {fact.requirement.title}, overdue from {sentences.day(fact.late_from)}: {fact.text}"
    if isinstance(fact, Extension):
        until, approved_on = sentences.day(fact.until_on), sentences.day(fact.approved_on)
        return f"extension of {fact.requirement.title} until {until}, approved on {approved_on}"
    if isinstance(fact, Waiver):
        name = f"of {fact.requirement.title}"
    elif isinstance(fact, Assignment):
        name = fact.unit.name
    elif isinstance(fact, Employment):
        name = fact.category
    elif isinstance(fact, Designation):
        name = fact.code
    else:
        name = fact.kind
    return f"{fact._meta.verbose_name} {name}, {lifeline.period(fact.start_on, fact.end_on)}"


def act_of(before: Any, after: Any | None) -> str:
    """What became of a fact that was voided: voided, ended, moved to another record, or corrected."""
    if after is None:
        return "voided"
    if after.officer_id != before.officer_id:
        return "moved"
    only_ended = type(before) is not Completion and getattr(before, "end_on", None) is None and after.end_on
    return "ended" if only_ended else "corrected"


def differences(before: Fact, after: Fact) -> str:
    """`shift: days → nights; last day: blank → 2026-03-31`."""
    old, new = (values_of(fact, leave_out=OF_EVERY_FACT) for fact in (before, after))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {old.get(name) or 'blank'} → {new.get(name) or 'blank'}" for name in names)


def lines(officer: Officer, *, known_at: datetime | None = None) -> list[Line]:
    """Every line of a member's history by then, the newest first. Two queries a kind of fact, and three."""
    found: list[tuple[int, Line]] = []
    for model, related in KINDS.items():
        rows = (
            model.objects.filter(Q(officer=officer) | Q(replaces__officer=officer))
            .select_related(*related, "recorded_in__by", "voided_in__by")
            .order_by("pk")
        )
        every = {row.pk: row for row in rows}
        followers = {row.replaces_id: row for row in every.values() if row.replaces_id is not None}
        before = model.objects.select_related(*related).in_bulk(
            {row.replaces_id for row in every.values() if row.replaces_id is not None} - every.keys()
        )
        for row in every.values():
            if row.officer_id != officer.pk:
                continue
            kind = str(model._meta.verbose_name)
            replaced = every.get(row.replaces_id) or before.get(row.replaces_id)
            if replaced is None:
                found.append(_line(row.recorded_in, "recorded", kind, named(row)))
            elif replaced.officer_id != row.officer_id:
                found.append(_line(row.recorded_in, "moved", kind, named(row), "came from another record"))
            else:
                act, said = act_of(replaced, row), differences(replaced, row)
                found.append(_line(row.recorded_in, act, kind, named(row), said))
            follower = followers.get(row.pk)
            if row.voided_in is not None and (follower is None or follower.officer_id != officer.pk):
                said = "" if follower is None else "went to another record"
                found.append(_line(row.voided_in, act_of(row, follower), kind, named(row), said))
    told = [line for _, line in sorted(found, key=lambda pair: pair[0], reverse=True)]
    told = sorted([*told, *_of_person(officer)], key=lambda line: line.at, reverse=True)
    return told if known_at is None else [line for line in told if line.at <= known_at]


def _line(change: Change, act: str, kind: str, what: str, differs: str = "") -> tuple[int, Line]:
    assert change.at is not None  # noqa: S101 - every change that committed has its time
    line = Line(change.at, act, kind, what, differs, change.by, change.get_via_display(), change.why)
    return change.pk, line


def _of_person(officer: Officer) -> list[Line]:
    """Names and numbers that changed, and merges. Two queries."""
    details = [
        Line(row.until, "changed", "detail", row.field.replace("_", " "), f"until then: {row.value}", None, "", "")
        for row in FormerDetail.objects.filter(officer=officer)
    ]
    merges = []
    for row in Merge.objects.filter(Q(kept=officer) | Q(second=officer)).select_related(
        "kept", "second", "by", "undone_by", "undone_in"
    ):
        what = f"record {row.second.employee_id} into {row.kept.employee_id}"
        merges.append(Line(row.at, "merged", "record", what, "", row.by, "page", row.why))
        if row.undone_at is not None:
            why = row.undone_in.why if row.undone_in else ""
            merges.append(Line(row.undone_at, "undone", "record", what, "", row.undone_by, "page", why))
    return [*details, *merges]
