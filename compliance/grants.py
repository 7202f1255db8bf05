"""Waivers and extensions by hand: what one would change before it is granted, the granting, and taking it back.

Nobody approves for themselves, and nobody records for themselves: neither the approver nor whoever records may be the
member concerned. Whether an extension comes in time is the engine's answer (rules.md 6). The member's row is locked
before anything is read, so of two people at work on the same member the second sees what the first did. What was
granted already, such as a form sent twice, is granted once and answers False.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Q

from compliance import engine
from compliance.approval_imports import InForce, in_force_on, own_words
from compliance.gather import gather_members, gather_rules, known_facts
from compliance.log import Effect, on_day
from compliance.models import Extension, Requirement, Waiver
from compliance.sentences import day, name_of
from roster.access import own_members
from roster.facts import FactRefused, Via, recording
from roster.models import Designation, Officer, Role

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: Roles that may approve. A member's own page and an auditor's reading give nobody a say.
APPROVING = (Role.ACADEMY, Role.COMMANDER, Role.CHIEF, Role.COMPLIANCE, Role.ADMIN)
ONE_DAY = timedelta(days=1)
NOT_ASKED = "The member is not asked for this requirement on these days: the waiver excuses nothing."

Grant = Waiver | Extension
T = TypeVar("T")


def fields_of(grant: Grant) -> dict[str, object]:
    """What tells one grant from another, by the names of its fields."""
    days = ("start_on", "end_on") if isinstance(grant, Waiver) else ("until_on", "approved_on")
    return {name: getattr(grant, name) for name in ("officer_id", "requirement_id", *days)}


def is_recorded(grant: Grant) -> bool:
    """Whether the very same waiver or extension stands already. One query."""
    return type(grant).objects.known().filter(**fields_of(grant)).exists()


def approvers_of(agency_ids: Collection[int] | None) -> QuerySet[User]:
    """Users who may approve for members of some of these agencies (None = every agency), by name."""
    found = User.objects.filter(is_active=True, access__role__in=APPROVING)
    if agency_ids is not None:
        inside = Q(access__agency__in=agency_ids) | Q(access__unit__agency__in=agency_ids)
        everywhere = Q(access__agency=None, access__unit=None)
        found = User.objects.filter(inside | everywhere, is_active=True, access__role__in=APPROVING)
    return found.distinct().order_by("last_name", "first_name", "username")


def refuse_own(officer: Officer, *, by: User | None, approver: User | None = None) -> None:
    """`FactRefused` where who records, or who approved, is the member concerned. Two queries a user."""
    if officer.pk in own_members(by):
        raise FactRefused(own_words(officer))
    if approver is not None and officer.pk in own_members(approver):
        raise FactRefused(f"{name_of(approver)} is {officer.full_name}, and nobody approves for themselves.")


def refusal_of(found: InForce, until_on: date, approved_on: date) -> str:
    """Why an extension approved on that day cannot be granted; blank where it can."""
    if found.edition is None:
        return f"No edition of the requirement was in force on {day(approved_on)}, so there is no date to extend."
    if found.has_passed and found.due_on is None:
        return f"The member was not asked on {day(approved_on)}, and no credit was running that could be extended."
    if found.has_passed and found.due_on is not None:
        return (
            f"Approved too late: the date in force was {day(found.due_on)} and had passed by {day(approved_on)}. "
            "An extension has to be approved by the date it moves."
        )
    if found.due_on is None:
        return f"There is no date to extend: {found.no_date}."
    if until_on <= found.due_on:
        return f"The date in force is {day(found.due_on)} already: an extension never shortens it. Choose a later day."
    return ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a grant would change for its member, or why it cannot be granted."""

    #: the days that tell it, each with what holds on it before and after
    effects: Sequence[tuple[date, Effect]]
    refusal: str = ""
    #: the date in force on the day of approval, for an extension
    due_on: date | None = None
    note: str = ""


def look_at(grant: Grant, *, today: date) -> Outlook:
    """What granting this would change, on the days that tell it. Twenty queries; nothing is written."""
    rules = gather_rules()
    facts = gather_members([grant.officer_id], rules)[grant.officer_id]
    editions = rules.editions.get(grant.requirement_id, ())
    if isinstance(grant, Waiver):
        added = replace(facts, waivers=[*facts.waivers, _as_rule(grant)])
        days = {today, grant.start_on, grant.end_on, grant.end_on + ONE_DAY}
        effects = _effects(grant.requirement, editions, facts, added, days)
        is_asked = any(effect.before for shown, effect in effects if grant.start_on <= shown <= grant.end_on)
        return Outlook(effects, note="" if is_asked else NOT_ASKED)
    found = in_force_on(grant.approved_on, editions, facts)
    if refusal := refusal_of(found, grant.until_on, grant.approved_on):
        return Outlook((), refusal, found.due_on)
    assert found.due_on is not None  # noqa: S101 - else it was refused
    added = replace(facts, extensions=[*facts.extensions, _as_rule(grant)])
    days = {today, found.due_on + ONE_DAY, grant.until_on}
    return Outlook(_effects(grant.requirement, editions, facts, added, days), due_on=found.due_on)


def _as_rule(grant: Any) -> Any:
    """The waiver or extension as the engine takes it."""
    if isinstance(grant, Waiver):
        return engine.Waiver(grant.requirement_id, grant.start_on, grant.end_on)
    return engine.Extension(grant.requirement_id, grant.until_on, grant.approved_on)


def _effects(
    requirement: Requirement,
    editions: Sequence[engine.Edition],
    facts: engine.MemberFacts,
    changed: engine.MemberFacts,
    days: Iterable[date],
) -> list[tuple[date, Effect]]:
    before, after = engine.timeline(editions, facts), engine.timeline(editions, changed)
    return [
        (shown, Effect(requirement.pk, requirement.title, on_day(before, shown), on_day(after, shown)))
        for shown in sorted(days)
    ]


def look_without(grant: Grant, *, today: date) -> Outlook:
    """What voiding a waiver or an extension would change. Twenty queries; nothing is written."""
    rules = gather_rules()
    facts = gather_members([grant.officer_id], rules)[grant.officer_id]
    editions = rules.editions.get(grant.requirement_id, ())
    if isinstance(grant, Waiver):
        left = replace(facts, waivers=_without(facts.waivers, _as_rule(grant)))
        days = {today, grant.start_on, grant.end_on}
    else:
        left = replace(facts, extensions=_without(facts.extensions, _as_rule(grant)))
        days = {today, grant.until_on}
    return Outlook(_effects(grant.requirement, editions, facts, left, days))


def _without(rows: Sequence[T], one: T) -> list[T]:
    left = list(rows)
    if one in left:
        left.remove(one)
    return left


def record(grant: Grant, *, why: str, by: User) -> bool:
    """Grant a waiver or an extension; an extension that comes too late is refused (rules.md 6)."""
    officer = grant.officer
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([officer.pk])
        refuse_own(officer, by=by, approver=grant.approver)
        if is_recorded(grant):
            return False
        if isinstance(grant, Extension):
            rules = gather_rules()
            facts = gather_members([officer.pk], rules)[officer.pk]
            found = in_force_on(grant.approved_on, rules.editions.get(grant.requirement_id, ()), facts)
            if refusal := refusal_of(found, grant.until_on, grant.approved_on):
                raise FactRefused(refusal)
        recorder.record(grant)
    return True


@dataclass(frozen=True, slots=True)
class Granted:
    """What was granted to one member, newest first, as known at a moment."""

    waivers: Sequence[Waiver]
    extensions: Sequence[Extension]
    designations: Sequence[Designation]


def granted_to(officer: Officer, known_at: datetime | None) -> Granted:
    """Waivers, extensions and designations that stood at that moment. Three queries."""
    shown = ("requirement", "approver", "recorded_in__by")
    ids = [officer.pk]
    return Granted(
        list(known_facts(Waiver, ids, known_at).select_related(*shown).order_by("-start_on", "-pk")),
        list(known_facts(Extension, ids, known_at).select_related(*shown).order_by("-approved_on", "-pk")),
        list(known_facts(Designation, ids, known_at).select_related("recorded_in__by").order_by("-start_on", "-pk")),
    )


def void(grant: Grant, *, why: str, by: User) -> bool:
    """Take a waiver or an extension back. The line stays, and answers known before still see it."""
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([grant.officer_id])
        refuse_own(grant.officer, by=by)
        if not type(grant).objects.known().filter(pk=grant.pk).exists():
            return False
        recorder.void([grant])
    return True
