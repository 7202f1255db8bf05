"""The trail of rules, rights and settings: who changed which, when, by which door, from what to what.

A line is written in the transaction of the act and at the one place where the thing itself is written, so that neither
stands without the other; the database refuses to change or delete one. What people may read about it is no secret: a
password is never among the values.

Whoever changes rules says so once, by `changing_rules(by=..., via=..., why=...)`, and what is written inside is noted
under that name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Facts of one change that get a line each; of more there is one line that counts them.
MOST_LINES = 200


class What(models.TextChoices):
    POPULATION = "population", "population"
    REQUIREMENT = "requirement", "requirement"
    EDITION = "edition", "edition"
    GOAL = "goal", "goal"
    WAIVER = "waiver", "waiver"
    EXTENSION = "extension", "extension"
    COURSE = "course", "course"
    TOPIC = "topic", "topic"
    ALIAS = "alias", "course title"
    MAPPING = "mapping", "title mapping"
    EQUIVALENCY = "equivalency", "equivalency"
    LESSON_PLAN = "lesson_plan", "lesson plan"
    ROLE = "role", "role"
    USER = "user", "user"
    SETTING = "setting", "setting"
    STAFFING = "staffing", "staffing minimum"
    INSTRUCTOR = "instructor", "instructor"
    QUALIFICATION = "qualification", "qualification"
    PLACE = "place", "place"
    CALENDAR = "calendar", "calendar address"


class Act(models.TextChoices):
    ADDED = "added", "added"
    CHANGED = "changed", "changed"
    REMOVED = "removed", "taken away"
    VOIDED = "voided", "voided"


class TrailLine(models.Model):
    """One thing that was added, changed or taken away. Written by `note` and never changed."""

    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    via = models.CharField(max_length=10)
    why = models.TextField(blank=True)
    what = models.CharField(max_length=20, choices=What)
    act = models.CharField(max_length=10, choices=Act)
    #: what it was done to, as people know it
    subject = models.CharField(max_length=400)
    #: id of the thing whose page shows the line, whatever it is called now: of a qualification the instructor
    about = models.PositiveBigIntegerField(null=True)
    #: name of a value -> the value as text; only what differs where something was changed
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    #: whose members or users it is about; null = everybody's
    agency = models.ForeignKey("roster.Agency", models.PROTECT, null=True, related_name="+")
    #: the change of the facts, where it is about facts
    change = models.ForeignKey("roster.Change", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["what", "-id"], name="roster_trailline_what"),
            models.Index(fields=["about"], name="roster_trailline_about", condition=Q(about__isnull=False)),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.what} {self.subject} {self.act}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which door and why; None and blank for a command."""

    by: User | None = None
    via: str = "command"
    why: str = ""


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 - an Actor is never changed


@contextmanager
def acting(by: User | None, via: str, why: str = "") -> Iterator[None]:
    """What is noted inside is noted under this name."""
    token = _actor.set(Actor(by, via, why))
    try:
        yield
    finally:
        _actor.reset(token)


def note(
    what: What,
    act: Act,
    subject: str,
    *,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
    agency_id: int | None = None,
    about: int | None = None,
) -> None:
    """Write one line, inside the caller's transaction. Of something changed only what differs is kept.

    Nothing is written where nothing differs. One query.
    """
    line = _line(_actor.get(), what, act, subject, before or {}, after or {}, agency_id)
    if line is not None:
        line.about = about
        line.save(force_insert=True)


def _line(
    actor: Actor,
    what: str,
    act: str,
    subject: str,
    before: Mapping[str, str],
    after: Mapping[str, str],
    agency_id: int | None,
) -> TrailLine | None:
    if act == Act.CHANGED:
        names = [name for name in {**before, **after} if before.get(name, "") != after.get(name, "")]
        before = {name: before.get(name, "") for name in names}
        after = {name: after.get(name, "") for name in names}
        if not names:
            return None
    else:
        # Of something whole a number that asks nothing is no news.
        before, after = ({name: text for name, text in said.items() if text != "0"} for said in (before, after))
    return TrailLine(
        by=actor.by,
        via=actor.via,
        why=actor.why,
        what=what,
        act=act,
        subject=subject[:400],
        before=dict(before),
        after=dict(after),
        agency_id=agency_id,
    )


def note_saved(
    what: What,
    subject: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str],
    *,
    agency_id: int | None = None,
    about: int | None = None,
) -> None:
    """Write a line for something that was added (before None) or changed."""
    act = Act.ADDED if before is None else Act.CHANGED
    note(what, act, subject, before=before, after=after, agency_id=agency_id, about=about)


def lines_about(row: int, *whats: What) -> models.QuerySet[TrailLine]:
    """The lines of one thing, for its page."""
    return TrailLine.objects.filter(about=row, what__in=whats).select_related("by")


def values_of(row: models.Model, *, leave_out: Collection[str] = ()) -> dict[str, str]:
    """The stored values of a row as text, by the names people know them by; what is blank is left out."""
    found: dict[str, str] = {}
    for stored in row._meta.concrete_fields:
        if stored.primary_key or stored.name in leave_out:
            continue
        if text := told(getattr(row, stored.name)):
            found[str(stored.verbose_name)] = text
    return found


def told(value: Any) -> str:
    """A value as text: days as written in files, rows by their code or name."""
    if value is None or value == "" or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list | tuple):
        return ", ".join(told(one) for one in value)
    if isinstance(value, models.Model):
        return str(getattr(value, "code", "") or getattr(value, "username", "") or value)
    return str(value)


#: What a line about a fact leaves out: whose it is stands in the subject, the rest is the line itself.
OF_EVERY_FACT = ("officer", "recorded_in", "voided_in", "replaces")


def note_facts(change: Any, kinds: Iterable[Any]) -> None:
    """Write the lines of what a change recorded and voided of kinds of facts that are in the trail.

    Two queries for a kind, and one for the lines.
    """
    actor = Actor(change.by, change.via, change.why)
    lines: list[TrailLine | None] = []
    for model in kinds:
        related = ["officer__agency", *[row.name for row in model._meta.concrete_fields if row.is_relation]]
        made = model.objects.filter(recorded_in=change).order_by("pk")
        gone = model.objects.filter(voided_in=change, replaced_by=None).order_by("pk")
        for rows, act in ((made, Act.ADDED), (gone, Act.VOIDED)):
            found = list(rows.select_related(*related, "replaces")[: MOST_LINES + 1])
            if len(found) > MOST_LINES:
                lines.append(_many(actor, model, act, rows.count(), found[0]))
            else:
                lines += [_of_fact(actor, model, act, fact) for fact in found]
    written = [line for line in lines if line is not None]
    for line in written:
        line.change = change
    TrailLine.objects.bulk_create(written)


def _of_fact(actor: Actor, model: Any, act: Act, fact: Any) -> TrailLine | None:
    subject = f"{fact.officer.listed_name} ({fact.officer.employee_id}), {fact.requirement.code}"
    values = values_of(fact, leave_out=OF_EVERY_FACT)
    before: dict[str, str] = {}
    if act == Act.VOIDED:
        before, values = values, {}
    elif fact.replaces is not None:
        act, before = Act.CHANGED, values_of(fact.replaces, leave_out=OF_EVERY_FACT)
    return _line(actor, model.trail_name, act, subject, before, values, fact.officer.agency_id)


def _many(actor: Actor, model: Any, act: Act, number: int, sample: Any) -> TrailLine | None:
    """One line for many facts; its values are those of the first, without what is the member's own."""
    values = values_of(sample, leave_out=OF_EVERY_FACT)
    before, after = (values, {}) if act == Act.VOIDED else ({}, values)
    subject = f"{number:,} members, {sample.requirement.code}"
    return _line(actor, model.trail_name, act, subject, before, after, sample.officer.agency_id)
