"""Undoing a whole import: what it recorded is voided, what it ended or replaced comes back, what it made is withdrawn.

Nothing is erased and nothing that people did since is touched. In one change

- each fact that the run recorded and that still stands is voided;
- each fact that the run had ended or replaced is recorded anew, and names the one of the run it follows;
- units, members, ranks, shifts and courses that the run made, and that nothing else stands on, are withdrawn: their
  rows stay for the voided facts, and no list shows them; titles, lesson plans and equivalencies it made are removed;
- what the run changed of such rows is set back.

What was built on since stays as it is, and is named: a fact corrected, voided or decided on; a member who has something
recorded by another door, with all that the run said of them; a unit or course that something stands on; a row that
was changed again. It is undone later, once nothing stands on it any more (docs/decisions/0011-undone-imports.md).

`look` says what undoing would do and writes nothing; `undo_import` is the job that does exactly that or says that
something was recorded meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import Error, connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from compliance import jobs
from compliance.models import (
    CoverageSnapshot,
    Extension,
    ImportedRow,
    ImportRun,
    IssuedReport,
    Job,
    KnownAnswerRow,
    KnownStanding,
    MassLine,
    ReturnedFact,
    Standing,
    Waiver,
)
from compliance.record_history import named
from roster.access import own_members
from roster.facts import Fact, FactRefused, Recorder, Via, changing_rules, follow, recording
from roster.merging import fact_models
from roster.models import Access, FormerDetail, Officer, Unit
from roster.plans import in_json
from roster.trail import Act, What, note
from roster.unit_imports import officers_below
from training.course_imports import officers_with
from training.models import Completion, Course, CourseAlias, Equivalency, Evidence, EvidenceDecision, LessonPlan

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNDO = "undo_import"
#: Lines of what stays that are kept and shown; the rest is counted.
MOST_LEFT = 200
#: Facts voided by one statement: between two of them the progress is told.
SLICE = 20_000
MEANWHILE = "Something was recorded since this was looked at. Look at it again before you undo the import."
SINCE = "Something else was recorded of this member: undo that first."
NOTHING = "Nothing of this import can be undone by itself."
OWN = "Whoever undoes the import is this member: somebody else has to undo what it says of them."
#: Facts that nobody takes back or brings back of themselves.
BY_ANOTHER: tuple[type[Fact], ...] = (Completion, EvidenceDecision, Waiver, Extension)

#: What tells how things stood or follows from facts: it holds up no undo.
DERIVED = frozenset({Standing, KnownStanding, KnownAnswerRow, CoverageSnapshot, IssuedReport, MassLine, FormerDetail})
#: What is removed, since nothing has to refer to it afterwards; all else that a run makes is withdrawn.
REMOVED: dict[type[models.Model], What] = {
    CourseAlias: What.ALIAS,
    LessonPlan: What.LESSON_PLAN,
    Equivalency: What.EQUIVALENCY,
}
IN_TRAIL: dict[type[models.Model], What] = {**REMOVED, Course: What.COURSE}

#: What an undoing counts, by what things are called.
COUNTED = ("voided", "returned", "withdrawn", "set_back")

Key = tuple[type[models.Model], int]


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the run that stays, and why."""

    what: str
    why: str


@dataclass(slots=True)
class Undoing:
    """What undoing a run does: counts by what things are called, and what stays."""

    voided: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    set_back: Counter[str] = field(default_factory=Counter)
    left: list[Left] = field(default_factory=list)
    #: those that stay, listed or not
    left_count: int = 0

    @property
    def does_something(self) -> bool:
        return any((self.voided, self.returned, self.withdrawn, self.set_back))

    def stays(self, count: int, lines: Iterable[Left]) -> None:
        """Count what stays, and name as much of it as is listed."""
        self.left_count += count
        for line in lines:
            if len(self.left) >= MOST_LEFT:
                return
            self.left.append(line)

    def as_json(self) -> dict[str, Any]:
        return {
            "voided": dict(self.voided),
            "returned": dict(self.returned),
            "withdrawn": dict(self.withdrawn),
            "set_back": dict(self.set_back),
            "left": [[line.what, line.why] for line in self.left],
            "left_count": self.left_count,
        }

    def digest(self) -> str:
        """SHA-256 over all of it: two that are the same do and leave the same."""
        said = self.as_json()
        parts = [f"{name} {sorted(said[name].items())}" for name in COUNTED]
        return hashlib.sha256("\n".join([*parts, str(sorted(said["left"])), str(self.left_count)]).encode()).hexdigest()


def _label(model: type[models.Model]) -> str:
    return str(model._meta.verbose_name_plural)


def _refer_to(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """Every model and its field that names a row of this one, without what only tells how things stood."""
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and relation.related_model not in DERIVED:
            yield relation.related_model, relation.field.name


def _standing_rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """The rows of a model that something can stand on: facts not voided, rows not withdrawn."""
    rows = model._base_manager.all()
    if issubclass(model, Fact):
        return rows.filter(voided_in=None)
    return rows.filter(is_withdrawn=False) if hasattr(model, "is_withdrawn") else rows


class _Work:
    """The undoing of one run, looked at or done, inside the caller's transaction."""

    def __init__(
        self, run: ImportRun, *, by: User | None, is_look: bool, progress: jobs.Progress | None = None
    ) -> None:
        self.run, self.change_id = run, run.change_id
        self._own_members = own_members(by)
        self.is_look, self._progress = is_look, progress
        self.found = Undoing()
        self._kinds = fact_models() if self.change_id else []
        #: facts of the run that the undoing of a later run brought back -> the one the run itself recorded
        self._brought_back: dict[type[Fact], dict[int, int]] = {}
        #: facts of the run that something else refers to
        self._built_on: dict[type[Fact], set[int]] = {}
        #: members whose facts of the run stay, and why
        self._kept: dict[int, str] = {}
        #: whoever is judged anew for what is withdrawn or set back
        self.judged: set[int] = set()
        self._undo_id: int | None = None
        #: facts to void and members to judge
        self._steps = self._members = 0
        self._journal = _collapsed(run)

    @property
    def changes_rules(self) -> bool:
        """Whether it takes back something that gives facts their meaning."""
        return any(model not in (Officer, FormerDetail) for model, _ in self._journal)

    def told_of_members(self, done: int, total: int) -> None:
        """How far the standings are, after the facts."""
        if self._progress is not None:
            self._progress(self._steps + done, self._steps + total)

    # Facts

    def facts(self, recorder: Recorder) -> None:
        """Void what the run recorded and bring back what it had ended or replaced."""
        if self.change_id is None:
            self._keep_members()
            return
        if not self.is_look:  # before anything is read that another writer may be changing
            members = self._members_of(Q(recorded_in=self.change_id) | Q(voided_in=self.change_id))
            recorder.lock(members)
            self._members = len(members)
        self._brought_back = {model: self._find_brought_back(model) for model in self._kinds}
        self._keep_members()
        for model in self._kinds:
            self._find_built_on(model)
        ended = self._members_of(Q(voided_in=self.change_id)) - self._kept.keys()
        self._undo_id = recorder.change.pk  # made here, so that a member who is refused below does not take it along
        self._kept |= self._go_back(recorder, sorted(ended))
        rows = {model: self._mine(model) for model in self._kinds}
        counts = {model: found.count() for model, found in rows.items()}
        self._steps = sum(counts.values())
        done = 0
        for model, count in counts.items():
            self.found.voided[_label(model)] += count
            if count and not self.is_look:
                self._void(recorder, rows[model], done)
            done += count
            self._count_left(model)
        self.found.voided = +self.found.voided

    def _void(self, recorder: Recorder, rows: Any, before: int) -> None:
        """Void facts slice by slice: a run copied them one after the other."""
        edges = rows.aggregate(first=models.Min("pk"), last=models.Max("pk"))
        for start in range(edges["first"], edges["last"] + 1, SLICE):
            before += recorder.void_all(rows.filter(pk__gte=start, pk__lt=start + SLICE))
            if self._progress is not None:
                self._progress(before, self._steps + self._members)

    def _find_brought_back(self, model: type[Fact]) -> dict[int, int]:
        """The run's facts that a later run ended or replaced, and that came back when that one was undone."""
        own = model.objects.filter(recorded_in=self.change_id)
        found = ReturnedFact.objects.filter(model=model._meta.label_lower, origin_id__in=own.values("pk"))
        return dict(found.values_list("fact_id", "origin_id"))

    def _own(self, model: type[Fact]) -> Q:
        """The facts of the run, those that came back among them."""
        back = self._brought_back.get(model)
        own = Q(recorded_in=self.change_id)
        return own | Q(pk__in=list(back)) if back else own

    def _is_mine(self, model: type[Fact]) -> Q:
        """What tells facts of the run that are voided: they stand, and nobody built on them.

        Asked of the row itself: leaving out a million rows by a list of them takes PostgreSQL hours.
        """
        stays = Q(officer__in=self._kept) | Q(pk__in=self._built_on.get(model, ()))
        return Q(voided_in=None) & self._own(model) & ~stays

    def _mine(self, model: type[Fact]) -> Any:
        return model.objects.filter(self._is_mine(model))

    def _members_of(self, which: Q) -> set[int]:
        found: set[int] = set()
        for model in self._kinds:
            found.update(model.objects.filter(which).values_list("officer_id", flat=True).distinct())
        return found

    def _keep_members(self) -> None:
        """Members made by the run who have something recorded by another door stay, with what the run said of them.

        So does whoever undoes it, where that is more than completions of theirs that wait for another person.
        """
        made = [pk for (model, pk), (before, _) in self._journal.items() if model is Officer and before is None]
        self._kept |= dict.fromkeys(self._decided_by_others(), OWN)
        for model, name in _refer_to(Officer) if made else ():
            why = "A user has a role as this member." if model is Access else SINCE
            rows = _standing_rows(model).filter(**{f"{name}__in": made})
            if issubclass(model, Fact):
                rows = rows.exclude(self._own(model))
            self._kept |= dict.fromkeys(rows.values_list(f"{name}_id", flat=True).distinct(), why)
        people = Officer.every.filter(pk__in=sorted(self._kept)[:MOST_LEFT])
        lines = (Left(f"{one.employee_id} {one.listed_name}", self._kept[one.pk]) for one in people)
        self.found.stays(len(self._kept), lines)

    def _decided_by_others(self) -> set[int]:
        """Of the members that the user is, those of whom the run recorded or replaced what another has to undo."""
        found: set[int] = set()
        if self._own_members and self.change_id is not None:
            for model in BY_ANOTHER:
                taken_or_said = Q(voided_in=self.change_id) | Q(voided_in=None) & self._own(model)
                rows: Any = model.objects.filter(taken_or_said & Q(officer__in=self._own_members))
                if model is Completion:
                    rows = rows.exclude(evidence=Evidence.PENDING, replaces=None, voided_in=None)
                found.update(rows.values_list("officer_id", flat=True))
        return found

    def _find_built_on(self, model: type[Fact]) -> None:
        """Facts of the run that something refers to which is not the run's: a decision, a file, a certificate."""
        mine = model.objects.known().filter(self._own(model))
        found: set[int] = set()
        for other, name in _refer_to(model):
            if other is model and name == "replaces":
                continue
            rows = _standing_rows(other).filter(**{f"{name}__in": mine.values("pk")})
            if issubclass(other, Fact):
                rows = rows.exclude(self._own(other))
            found.update(rows.values_list(f"{name}_id", flat=True))
        for one in model._meta.concrete_fields:  # and what hangs on one that stays, stays
            held = self._built_on.get(one.related_model) if isinstance(one, models.ForeignKey) else None  # type: ignore[arg-type] # a kind of fact
            if held and one.related_model is not model:
                found.update(mine.filter(**{f"{one.name}__in": held}).values_list("pk", flat=True))
        self._built_on[model] = found

    def _count_left(self, model: type[Fact]) -> None:
        back = self._brought_back[model]
        latest = {origin: pk for pk, origin in sorted(back.items())}
        earlier = (back.keys() | latest.keys()) - set(latest.values())
        gone = model.objects.filter(self._own(model), voided_in__isnull=False).exclude(pk__in=earlier)
        gone = gone.exclude(officer__in=self._kept).exclude(voided_in__in=[*self.run.undone_changes, self._undo_id])
        self._stays(gone, "It was corrected or voided since: what stands now stays.")
        held = model.objects.filter(pk__in=self._built_on[model]).exclude(officer__in=self._kept)
        self._stays(held, "A decision, a file or a certificate stands on it.")

    def _stays(self, rows: Any, why: str) -> None:
        count = rows.count()
        if count:
            related = [
                one.name for one in rows.model._meta.concrete_fields if one.is_relation and one.name != "replaces"
            ]
            listed = rows.select_related(*related).order_by("pk")[:MOST_LEFT]
            self.found.stays(count, (Left(f"{fact.officer.employee_id} {named(fact)}", why) for fact in listed))

    def _go_back(self, recorder: Recorder, members: list[int]) -> dict[int, str]:
        """Void and bring back for members of whom the run ended or replaced something; who could not, and why.

        All at once, and where the database refuses that, in halves: what one member's record has by now holds up nobody
        else.
        """
        if not members:
            return {}
        try:
            with transaction.atomic():
                voided, returned = self._bring_back(recorder, members)
        except FactRefused as refused:
            if len(members) == 1:
                why = f"What it was before cannot come back: {' '.join(refused.messages)}"
                person = Officer.every.get(pk=members[0])
                self.found.stays(1, [Left(f"{person.employee_id} {person.listed_name}", why)])
                return {members[0]: why}
            half = len(members) // 2
            return self._go_back(recorder, members[:half]) | self._go_back(recorder, members[half:])
        self.found.voided += voided
        self.found.returned += returned
        return {}

    def _bring_back(self, recorder: Recorder, members: Collection[int]) -> tuple[Counter[str], Counter[str]]:
        """Void what the run recorded of these members and record anew what it had ended or replaced."""
        voided, returned = Counter[str](), Counter[str]()
        moved: dict[type[Fact], dict[int, int]] = {}
        follows = {}
        for model in self._kinds:
            mine = self._mine(model).filter(officer__in=members)
            follows[model] = self._before(model, mine)
            voided[_label(model)] += recorder.void_all(mine)
        for model in self._kinds:
            before = list(model.objects.filter(pk__in=follows[model]).order_by("pk"))
            moved[model] = self._record_anew(recorder, model, before, follows[model], moved)
            returned[_label(model)] += len(moved[model])
        return voided, returned

    def _before(self, model: type[Fact], mine: Any) -> dict[int, int]:
        """The facts that stand again without these of the run -> the one of these that each follows.

        Each is what the run had ended or replaced; where that was of a run undone since, what that one had replaced.
        """
        own = self._brought_back[model]
        found = {own.get(pk, pk): pk for pk in mine.values_list("pk", flat=True)}
        replaced = model.objects.filter(pk__in=found, replaces__voided_in=self.change_id)
        follows = {before: found[pk] for pk, before in replaced.values_list("pk", "replaces")}
        while gone := self._undone_since(model, follows):
            for pk, before in gone.items():
                follow = follows.pop(pk)
                if before is not None:
                    follows[before] = follow
        return follows

    def _undone_since(self, model: type[Fact], facts: Collection[int]) -> dict[int, int | None]:
        """Those of these facts that a run said which was undone after this one was recorded -> what it had replaced.

        That undoing left them, since they were ended or replaced already; a member it left with all that it had said
        keeps them.
        """
        returned = ReturnedFact.objects.filter(model=model._meta.label_lower, fact_id__in=list(facts))
        origins = dict.fromkeys(facts) | dict(returned.values_list("fact_id", "origin_id"))
        copies = {origin or pk: pk for pk, origin in origins.items()}
        runs = dict(
            ImportRun.objects.filter(state=ImportRun.State.UNDONE, undone_in__gt=self.change_id or 0)
            .exclude(change=None)
            .values_list("change", "pk")
        )
        said = model.objects.filter(pk__in=copies, recorded_in__in=runs)
        made = set(
            ImportedRow.objects.filter(run__in=runs.values(), model=Officer._meta.label_lower, before=None)
            .filter(row_id__in=said.filter(officer__is_withdrawn=False).values("officer_id"))
            .values_list("run", "row_id")
        )
        return {
            copies[pk]: before
            for pk, before, change, officer in said.values_list("pk", "replaces", "recorded_in", "officer")
            if (runs[change], officer) not in made
        }

    def _record_anew(
        self,
        recorder: Recorder,
        model: type[Fact],
        before: list[Fact],
        follows: Mapping[int, int],
        moved: Mapping[type[Fact], Mapping[int, int]],
    ) -> dict[int, int]:
        """COPY facts as they were, each naming the fact of the run that it follows; new id by the old one's."""
        if not before:
            return {}
        own = ("id", "recorded_in", "voided_in", "replaces")
        columns = [one for one in model._meta.concrete_fields if one.name not in own]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [model._meta.db_table, len(before)],
            )
            ids = [pk for (pk,) in cursor.fetchall()]
        rows = []
        of_fact: dict[Any, Mapping[int, int]] = dict(moved)
        for pk, fact in zip(ids, before, strict=True):
            values = [
                of_fact.get(one.related_model, {}).get(getattr(fact, one.attname), getattr(fact, one.attname))
                for one in columns
            ]
            rows.append((pk, *values, follows[fact.pk]))
        names = ("id", *(one.attname for one in columns), "replaces_id")
        recorder.record_many(model, names, rows, {fact.officer_id for fact in before})
        label, pks = model._meta.label_lower, [int(fact.pk) for fact in before]
        earlier = dict(ReturnedFact.objects.filter(model=label, fact_id__in=pks).values_list("fact_id", "origin_id"))
        returned = dict(zip(pks, ids, strict=True))
        ReturnedFact.objects.bulk_create(
            [ReturnedFact(model=label, fact_id=pk, origin_id=earlier.get(old, old)) for old, pk in returned.items()],
            batch_size=5_000,
        )
        return returned

    # Rows that are no facts

    def rows(self) -> None:
        """Withdraw or remove what the run made, and set back what it changed."""
        mine = self._unused(self._unchanged())
        made = {key for key in mine if self._journal[key][0] is None}
        made -= {key for key in made if key[0] is FormerDetail and self._former_of(key) not in mine}
        for model, pk in sorted(mine - made, key=lambda key: (key[0]._meta.label, key[1])):
            self._set_back(model, pk)
        by_model: dict[type[models.Model], list[int]] = {}
        for model, pk in sorted(made, key=lambda key: (key[0]._meta.label, key[1])):
            by_model.setdefault(model, []).append(pk)
        for model, ids in by_model.items():
            self._judge(model, ids)
            self._note_gone(model, ids)
            rows = model._base_manager.filter(pk__in=ids)
            if model in REMOVED:
                rows.delete()
            else:
                rows.update(is_withdrawn=True)
            if model is not FormerDetail:
                self.found.withdrawn[_label(model)] += len(ids)

    def _former_of(self, key: Key) -> Key:
        """The member a former detail is of: it stays where the detail does not go back."""
        return Officer, self._journal[key][1]["officer_id"]

    def _unchanged(self) -> set[Key]:
        """Rows of the run that read as it left them; one that was changed again stays."""
        found: set[Key] = set()
        by_model: dict[type[models.Model], list[int]] = {}
        for model, pk in self._journal:
            by_model.setdefault(model, []).append(pk)
        for model, ids in by_model.items():
            names = sorted({name for pk in ids for name in self._journal[model, pk][1]})
            for pk, *values in _standing_rows(model).filter(pk__in=ids).values_list("pk", *names):
                now = in_json(dict(zip(names, values, strict=True)))
                before, after = self._journal[model, pk]
                if all(now[name] == value for name, value in after.items()):
                    found.add((model, pk))
                elif before is None or not all(now[name] == value for name, value in before.items()):
                    self._stay(model, pk, "It was changed again since.")
        return found

    def _unused(self, mine: set[Key]) -> set[Key]:
        """The same without made rows that something stands on, until none is left."""
        made = {key for key in mine if self._journal[key][0] is None}
        while True:
            used = {key for key in made if key[0] is Officer and key[1] in self._kept}
            for model in {model for model, _ in made}:
                used |= {(model, pk) for pk in self._used_of(model, {pk for one, pk in made if one is model}, made)}
            used &= made
            if not used:
                return {key for key in mine if self._journal[key][0] is not None} | made
            made -= used
            for key in sorted(used, key=lambda key: (key[0]._meta.label, key[1])):
                if key[0] is not Officer or key[1] not in self._kept:
                    self._stay(*key, "Something else stands on it.")

    def _used_of(self, model: type[models.Model], ids: set[int], made: set[Key]) -> set[int]:
        found: set[int] = set()
        for other, name in _refer_to(model):
            rows = _standing_rows(other).filter(**{f"{name}__in": ids})
            if issubclass(other, Fact) and self.change_id:
                rows = rows.exclude(self._is_mine(other))
            for pk, used in rows.values_list("pk", f"{name}_id"):
                if (other, pk) not in made:
                    found.add(used)
        return found

    def _set_back(self, model: type[models.Model], pk: int) -> None:
        before, after = self._journal[model, pk]
        assert before is not None  # noqa: S101 - a changed row
        self._judge(model, [pk])
        try:
            with transaction.atomic():
                model._base_manager.filter(pk=pk).update(**before)
        except Error:
            self._stay(model, pk, "The database does not let it go back.")
            return
        self._judge(model, [pk])
        if model in IN_TRAIL:
            was, is_now = ({name: str(value) for name, value in one.items()} for one in (after, before))
            note(IN_TRAIL[model], Act.CHANGED, self._name(model, pk), before=was, after=is_now, about=pk)
        self.found.set_back[_label(model)] += 1

    def _note_gone(self, model: type[models.Model], ids: list[int]) -> None:
        if model in IN_TRAIL and not self.is_look:
            for pk in ids[:MOST_LEFT]:
                note(IN_TRAIL[model], Act.REMOVED, self._name(model, pk))

    def _judge(self, model: type[models.Model], ids: Collection[int]) -> None:
        """Members who are judged differently once these rows are something else."""
        if self.is_look:
            return
        if model is Unit:
            self.judged |= officers_below(self.run.agency, set(ids))
            return
        courses: set[int | None] = set()
        for name in ("pk", "same_as_id") if model is Course else ("course_id", "counts_as_id"):
            if model in IN_TRAIL and (name == "pk" or any(one.attname == name for one in model._meta.concrete_fields)):
                courses.update(model._base_manager.filter(pk__in=ids).values_list(name, flat=True))
        if known := {pk for pk in courses if pk is not None}:
            self.judged |= officers_with(known)

    def _stay(self, model: type[models.Model], pk: int, why: str) -> None:
        """A row stays; it is looked up only while there is room to name it."""
        self.found.stays(1, (Left(self._name(model, one), why) for one in (pk,)))

    @staticmethod
    def _name(model: type[models.Model], pk: int) -> str:
        row = model._base_manager.get(pk=pk)
        code = getattr(row, "employee_id", "") or getattr(row, "code", "")
        return f"{model._meta.verbose_name} {code} {row}".replace(f"{code} {code}", code)


def _collapsed(run: ImportRun) -> dict[Key, tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Each row the run wrote, as it was before the first time and after the last."""
    found: dict[Key, tuple[dict[str, Any] | None, dict[str, Any]]] = {}
    rows = ImportedRow.objects.filter(run=run).order_by("pk").values_list("model", "row_id", "before", "after")
    for label, pk, before, after in rows.iterator(chunk_size=5_000):
        key = apps.get_model(label), pk
        if key in found:
            first, last = found[key]
            found[key] = None if first is None else {**(before or {}), **first}, {**last, **after}
        else:
            found[key] = before, after
    return found


class _Rollback(Exception):
    """Ends a look: what it tried was never there."""


class _Changed(Exception):
    """What would be undone is not what was shown."""


def _do(work: _Work, *, by: User | None, why: str) -> int | None:
    """Undo, in one change where facts are voided; its id. Whoever is concerned is judged anew before it commits."""
    with ExitStack() as stack:
        if work.changes_rules and not work.is_look:
            stack.enter_context(changing_rules(by=by, via=Via.IMPORT, why=why))
        recorder = stack.enter_context(recording(by=by, via=Via.IMPORT, why=why, progress=work.told_of_members))
        work.facts(recorder)
        work.rows()
        if work.is_look:
            raise _Rollback
        if recorder.change_id is None:
            follow(work.judged, work.told_of_members)
        recorder.touched |= work.judged
    return recorder.change_id


def look(run: ImportRun, *, by: User | None = None) -> Undoing:
    """What undoing a recorded run would do now, when `by` does it. Nothing is kept."""
    work = _Work(run, by=by, is_look=True)
    with suppress(_Rollback), transaction.atomic():
        _do(work, by=None, why="")
    return work.found


def undo_import(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: undo a run exactly as it was shown. Facts, standings and the run's state commit together."""
    key, digest = job.arguments["run"], job.arguments["digest"]
    try:
        with transaction.atomic():
            run = ImportRun.objects.select_for_update(of=("self",)).select_related("agency").get(pk=key)
            if run.undone.get("digest") == digest:
                return {"run": key}
            if run.state not in (ImportRun.State.RECORDED, ImportRun.State.UNDONE):
                raise _Changed
            work = _Work(run, by=job.requested_by, is_look=False, progress=progress)
            change_id = _do(work, by=job.requested_by, why=job.arguments["why"])
            if work.found.digest() != digest:
                raise _Changed
            _keep(run, work.found, change_id, digest=digest, by=job.requested_by, why=job.arguments["why"])
    except _Changed:
        raise jobs.JobFailed(MEANWHILE) from None
    return {"run": key}


def _keep(run: ImportRun, found: Undoing, change_id: int | None, *, digest: str, by: User | None, why: str) -> None:
    """Write down what became of the run: the counts of all its undoings, and what the last one left."""
    said = found.as_json()
    for name in COUNTED:
        said[name] = dict(Counter(run.undone.get(name, {})) + Counter(said[name]))
    run.state, run.problem = ImportRun.State.UNDONE, ""
    run.undone = {"why": why, "digest": digest, **said}
    run.undone_in_id, run.undone_by, run.undone_at = change_id or run.undone_in_id, by, timezone.now()
    if change_id is not None:
        run.undone_changes.append(change_id)
    run.save(
        update_fields=["state", "undone", "problem", "undone_in", "undone_by", "undone_at", "undone_changes"],
    )


#: The kinds of job this module does.
HANDLERS: dict[str, jobs.Handler] = {UNDO: undo_import}
