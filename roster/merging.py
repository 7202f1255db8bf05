"""Two records of one person made one, and that undone again. Nothing is erased.

The facts of the second record are voided and recorded on the one that is kept, in one change. What the kept record
contradicts or has already - a home assignment of the same days, the same completion - is left behind: it is voided with
the others, is named before anything is done, and comes back when the merge is undone. Seats, roles and whatever else
says `moves_with_officer` follow the person.

Undoing voids what the merge recorded and records it on the second record again. What was corrected on the kept record
since stays there, and is named too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from roster.facts import Fact, FactRefused, Recorder, Via, recording
from roster.models import Merge, Officer
from roster.records import following
from roster.trail import OF_EVERY_FACT, values_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MEANWHILE = "One of the two records was merged meanwhile. Look at them again."
TWO_AGENCIES = "Records of two agencies stay two: each agency keeps its own."
ITSELF = "Choose two different records."


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of a merge or of its undoing, in words."""

    kind: str
    what: str
    #: whether it goes over
    moves: bool
    #: why it does not
    why: str = ""


def fact_models() -> list[type[Fact]]:
    """Every kind of fact, those that others refer to first."""
    kinds = [model for model in apps.get_models() if issubclass(model, Fact)]
    return sorted(kinds, key=lambda model: len(_facts_referred_to(model)))


def _facts_referred_to(model: type[Fact]) -> list[Any]:
    """The fields of a kind of fact that name a fact of another kind."""
    return [
        one
        for one in model._meta.concrete_fields
        if isinstance(one, models.ForeignKey) and one.related_model is not model and issubclass(one.related_model, Fact)
    ]


def _following_models() -> Iterator[tuple[type[models.Model], str]]:
    """Rows that are no facts and follow the person: the model and its field that names the officer."""
    for model in apps.get_models():
        if getattr(model, "moves_with_officer", False):
            for one in model._meta.concrete_fields:
                if isinstance(one, models.ForeignKey) and one.related_model is Officer:
                    yield model, one.name


def _label(model: type[models.Model], name: str) -> str:
    return f"{model._meta.label}.{name}"


def told(fact: Fact) -> str:
    """A fact in words: `unit: CEN; first day: 2019-05-03`."""
    return "; ".join(f"{name}: {text}" for name, text in values_of(fact, leave_out=OF_EVERY_FACT).items())


def check(kept: Officer, second: Officer) -> None:
    """`FactRefused` where the two cannot be one."""
    if kept.pk == second.pk:
        raise FactRefused(ITSELF)
    if kept.agency_id != second.agency_id:
        raise FactRefused(TWO_AGENCIES)
    if kept.merged_into_id is not None or second.merged_into_id is not None:
        raise FactRefused(MEANWHILE)


def merge(kept: Officer, second: Officer, *, why: str, by: User | None) -> tuple[Merge, list[Line]]:
    """Make two records one; the merge, and what became of each fact of the second.

    Standings of both are up to date when it returns. `FactRefused` where they cannot be one.
    """
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([kept.pk, second.pk])
        kept.refresh_from_db()
        second.refresh_from_db()
        check(kept, second)
        lines = _move(recorder, second, kept)
        followed = {_label(model, name): _follow(model, name, second, kept) for model, name in _following_models()}
        made = Merge.objects.create(
            kept=kept,
            second=second,
            why=why,
            change=recorder.change if lines else None,
            by=by,
            followed={label: keys for label, keys in followed.items() if keys},
        )
        Officer.objects.filter(merged_into=second).update(merged_into=kept)
        Officer.objects.filter(pk=second.pk).update(merged_into=kept)
    return made, lines


def _move(recorder: Recorder, source: Officer, target: Officer) -> list[Line]:
    """Void every fact of one and record it on the other, unless that one refuses it."""
    moved: dict[tuple[type[Fact], int], Fact] = {}
    lines: list[Line] = []
    for model in fact_models():
        facts = list(model.objects.known().filter(officer=source).order_by("pk"))
        recorder.void(facts)
        lines += [_carry(recorder, fact, target, moved) for fact in facts]
    return lines


def _carry(recorder: Recorder, fact: Fact, target: Officer, moved: dict[tuple[type[Fact], int], Fact]) -> Line:
    """Record one voided fact on another record, with what it refers to; the line that tells it."""
    kind = str(fact._meta.verbose_name)
    changes: dict[str, Any] = {"officer_id": target.pk}
    for one in _facts_referred_to(type(fact)):
        key = getattr(fact, one.attname)
        if key is not None:
            new = moved.get((one.related_model, key))
            if new is None:
                return Line(
                    kind, told(fact), moves=False, why=f"The {one.related_model._meta.verbose_name} it is about stays."
                )
            changes[one.attname] = new.pk
    try:
        moved[type(fact), fact.pk] = recorder.record(following(fact, **changes))
    except FactRefused as refused:
        return Line(kind, told(fact), moves=False, why=" ".join(refused.messages))
    return Line(kind, told(fact), moves=True)


def _follow(model: type[models.Model], name: str, source: Officer, target: Officer) -> list[int]:
    """Rows of one record that go to the other, by their ids; one that the other has already stays."""
    found: list[int] = []
    for row in model._default_manager.filter(**{name: source}).order_by("pk"):
        setattr(row, name, target)
        try:
            with transaction.atomic():
                row.save(update_fields=[name])
        except IntegrityError:
            continue
        found.append(row.pk)
    return found


def undo(made: Merge, *, why: str, by: User | None) -> list[Line]:
    """Take a merge back; what became of each fact that it recorded or left behind. `FactRefused` once undone."""
    with recording(by=by, via=Via.PAGE, why=why) as recorder:
        recorder.lock([made.kept_id, made.second_id])
        made = Merge.objects.select_for_update(of=("self",)).select_related("kept", "second").get(pk=made.pk)
        if made.undone_at is not None:
            raise FactRefused("This merge was undone already.")
        if Officer.objects.get(pk=made.kept_id).merged_into_id is not None:
            raise FactRefused("The record that was kept was merged itself since. Undo that first.")
        lines = _return(recorder, made) if made.change_id else []
        for model, name in _following_models():
            keys = made.followed.get(_label(model, name), [])
            model._default_manager.filter(pk__in=keys, **{name: made.kept}).update(**{name: made.second})
        made.undone_at, made.undone_by = timezone.now(), by
        made.undone_in = recorder.change if recorder.change_id else None
        made.save(update_fields=["undone_at", "undone_by", "undone_in"])
        Officer.objects.filter(pk=made.second_id).update(merged_into=None)
    return lines


def _return(recorder: Recorder, made: Merge) -> list[Line]:
    """Void what the merge recorded and stands, and record on the second record what it had."""
    moved: dict[tuple[type[Fact], int], Fact] = {}
    lines: list[Line] = []
    for model in fact_models():
        before = model.objects.filter(voided_in=made.change).order_by("pk")
        after = {row.replaces_id: row for row in model.objects.filter(recorded_in=made.change)}
        standing = [row for row in after.values() if row.voided_in_id is None]
        recorder.void(standing)
        for fact in before:
            new = after.get(fact.pk)
            if new is not None and new.voided_in_id is not None:
                why = "It was corrected or voided since the merge: what stands now stays."
                lines.append(Line(str(fact._meta.verbose_name), told(fact), moves=False, why=why))
            else:
                lines.append(_carry(recorder, fact, made.second, moved))
    return lines


class _Rollback(Exception):
    pass


def look(kept: Officer, second: Officer) -> list[Line]:
    """What a merge would do with each fact of the second record; nothing is kept. `FactRefused` as `merge`."""
    lines: list[Line] = []
    try:
        with transaction.atomic():
            lines = merge(kept, second, why="", by=None)[1]
            raise _Rollback
    except _Rollback:
        kept.refresh_from_db()
        second.refresh_from_db()
    return lines


def look_undone(made: Merge) -> list[Line]:
    """What undoing a merge would do with each fact; nothing is kept. `FactRefused` as `undo`."""
    lines: list[Line] = []
    try:
        with transaction.atomic():
            lines = undo(made, why="", by=None)
            raise _Rollback
    except _Rollback:
        made.refresh_from_db()
    return lines
