"""Writing facts: one door, one follower, and the order in which changes were committed.

A fact is recorded and never edited. A correction voids it and records another that `replaces` it. Every fact belongs
to the `Change` that recorded it and, once voided, to the one that voided it, so "what was known at K" is a filter.

    with recording(by=user, via=Via.PAGE, why="Sign-in sheet of 12 May") as recorder:
        recorder.lock([officer.pk])            # before reading what the new facts depend on
        recorder.record(Completion(officer=officer, ...))

Two writers: everybody who writes facts holds the RULES lock shared and the rows of the officers concerned, taken in
the order of their ids; whoever changes what facts mean (requirements, units, courses) holds RULES alone. At the end the
follower, which `compliance` registers, brings the standings of the officers up to date in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q

from roster import trail

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Advisory locks of this product; the numbers mean nothing and never change.
RULES_LOCK = 4_127_001
COMMIT_ORDER_LOCK = 4_127_002

Progress = Callable[[int, int], object]
Follower = Callable[..., object]
_followers: list[Follower] = []


def follow_with(follower: Follower) -> None:
    """Register what brings derived rows up to date: called with officer ids, inside the writing transaction.

    A long act also gives it `progress=`, to be told how far it is.
    """
    _followers[:] = [follower]


def follow(officer_ids: Collection[int], progress: Progress | None = None) -> None:
    """Bring what follows from these officers' facts up to date, inside the caller's transaction."""
    if officer_ids:
        told = {} if progress is None else {"progress": progress}
        for follower in _followers:
            follower(sorted(officer_ids), **told)


class FactRefused(ValidationError):
    """The database refused a fact; the message is a sentence for people."""


class Via(models.TextChoices):
    PAGE = "page", "page"
    IMPORT = "import", "import"
    COMMAND = "command", "command"


class Change(models.Model):
    """One act of recording: who, when, by which door and why. `at` is given last, in the order of commits."""

    at = models.DateTimeField(null=True, unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    via = models.CharField(max_length=10, choices=Via)
    why = models.TextField(blank=True)

    class Meta:
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(name="fixed", operation=pgtrigger.Update, condition=pgtrigger.Q(old__at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.get_via_display()}, {self.why or 'no reason given'}"


class FactQuerySet(models.QuerySet[Any]):
    """Facts of one kind, filtered by what was known."""

    def known(self, at: datetime | None = None) -> Self:
        """Recorded, and not yet voided, by that moment; None means now and needs no join."""
        if at is None:
            return self.filter(voided_in=None)
        return self.filter(recorded_in__at__lte=at).exclude(voided_in__at__lte=at)


class Fact(models.Model):
    """What every fact carries. Subclasses add `officer` and the fact itself, and list `ProtectedFact` triggers."""

    recorded_in = models.ForeignKey(Change, models.PROTECT, related_name="+")
    voided_in = models.ForeignKey(Change, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", db_index=False
    )

    objects = FactQuerySet.as_manager()

    officer_id: int
    #: what the trail calls facts of this kind; blank where it holds none of them
    trail_name: ClassVar[str] = ""

    class Meta:
        abstract = True
        base_manager_name = "objects"


def fact_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """No DELETE, and no UPDATE but the one that voids: `voided_in` from nothing to a change."""
    return (
        pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
        pgtrigger.ReadOnly(name="fixed", exclude=["voided_in"]),
        pgtrigger.Protect(
            name="void_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__voided_in__isnull=False)
        ),
    )


def fact_indexes(name: str) -> list[models.Index]:
    """The voided rows of a fact table by their change: known-at and undo look them up, and they are few."""
    return [models.Index("voided_in", name=f"{name}_voided_in", condition=Q(voided_in__isnull=False))]


AnyFact = TypeVar("AnyFact", bound=Fact)


def sentence_for(error: IntegrityError, model: type[models.Model]) -> str | None:
    """The sentence for people that stands at the constraint which refused a row, or None where there is none."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for constraint in model._meta.constraints:
        if constraint.name == name:
            return str(constraint.violation_error_message)
    return None


class Recorder:
    """Collects what one change records and voids. Only `recording()` makes one."""

    def __init__(self, *, by: User | None, via: Via, why: str, progress: Progress | None = None) -> None:
        self._by, self._via, self._why, self._progress = by, via, why, progress
        self._change: Change | None = None
        self.touched: set[int] = set()
        self._in_trail: set[type[Fact]] = set()

    @property
    def change(self) -> Change:
        """The change, inserted when the first fact needs it: an act that records nothing leaves no trace."""
        if self._change is None:
            self._change = Change.objects.create(by=self._by, via=self._via, why=self._why)
        return self._change

    @property
    def change_id(self) -> int | None:
        """The id of the change, None while nothing was recorded."""
        return self._change.pk if self._change is not None else None

    def lock(self, officer_ids: Iterable[int]) -> None:
        """Lock these officers' rows in the order of their ids until the commit. One query."""
        lock_officers(officer_ids)

    @contextmanager
    def _writing(self, model: type[Fact], otherwise: str | None = None) -> Iterator[Change]:
        """A savepoint with the change to write into; `FactRefused` where a constraint forbids what is written.

        What was refused leaves nothing behind, not even the change when it was the first, so that a caller may answer
        the refusal and go on. A constraint without a sentence is told in the words of `otherwise`, or raised as it is.
        """
        before = self._change
        if model.trail_name:
            self._in_trail.add(model)
        try:
            # The driver's errors too: Django does not translate those that a COPY raises.
            with connection.wrap_database_errors, transaction.atomic():
                yield self.change
        except BaseException as error:
            self._change = before
            if isinstance(error, IntegrityError):
                sentence = sentence_for(error, model) or otherwise
                if sentence is not None:
                    raise FactRefused(sentence) from error
            raise

    def record(self, fact: AnyFact) -> AnyFact:
        """Insert one fact; `FactRefused` with a sentence where a constraint forbids it, and nothing is written."""
        with self._writing(type(fact)) as change:
            fact.recorded_in = change
            fact.save(force_insert=True)
        self.touched.add(fact.officer_id)
        return fact

    def record_many(
        self, model: type[Fact], columns: Sequence[str], rows: Iterable[Sequence[object]], officer_ids: Iterable[int]
    ) -> None:
        """COPY facts of one kind. `columns` are database columns, without `recorded_in_id`; values are Python's.

        `officer_ids` says whose they are. A constraint that forbids one row raises `FactRefused`, and none is written.
        """
        names = ", ".join(f'"{name}"' for name in (*columns, "recorded_in_id"))
        with (
            self._writing(model, "The database refused a row.") as change,
            connection.cursor() as cursor,
            cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy,
        ):
            for row in rows:
                copy.write_row((*row, change.pk))
        self.touched.update(officer_ids)

    def record_lines(
        self, model: type[Fact], columns: Sequence[str], lines: Iterable[str], officer_ids: Iterable[int]
    ) -> None:
        """As `record_many`, for rows that are COPY text already: tab-separated and escaped, without a line end.

        Making the text of a large import once, from parts that repeat, takes a fraction of adapting every value.
        """
        names = ", ".join(f'"{name}"' for name in (*columns, "recorded_in_id"))
        with (
            self._writing(model, "The database refused a row.") as change,
            connection.cursor() as cursor,
            cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy,
        ):
            end = f"\t{change.pk}\n"
            remaining = iter(lines)
            while block := list(islice(remaining, 5_000)):
                copy.write(end.join(block) + end)
        self.touched.update(officer_ids)

    def void(self, facts: Iterable[Fact]) -> None:
        """Void these facts, each once. `FactRefused` when one of them was voided meanwhile, and none is voided then.

        One query per kind.
        """
        by_model: dict[type[Fact], dict[int, int]] = {}
        for fact in facts:
            by_model.setdefault(type(fact), {})[fact.pk] = fact.officer_id
        if not by_model:
            return
        with self._writing(next(iter(by_model))) as change:
            for model, officers in by_model.items():
                if model.trail_name:
                    self._in_trail.add(model)
                count = model.objects.filter(pk__in=officers, voided_in=None).update(voided_in=change)
                if count != len(officers):
                    raise FactRefused("Somebody else corrected this record meanwhile. Look at it again.")
        self.touched.update(officer for officers in by_model.values() for officer in officers.values())

    def void_all(self, facts: FactQuerySet) -> int:
        """Void the facts of one kind that a question finds, however many; how many. Two queries, and no fact is read.

        The caller holds the officers' rows: what stands when it is asked is what is voided.
        """
        with self._writing(facts.model) as change:
            officers = set(facts.values_list("officer_id", flat=True).order_by().distinct())
            count = facts.order_by().update(voided_in=change)
        self.touched.update(officers)
        return count

    def _finish(self) -> None:
        if self._change is None:
            return
        trail.note_facts(self._change, sorted(self._in_trail, key=lambda model: model.trail_name))
        follow(self.touched, self._progress)
        _give_time(self._change)


@contextmanager
def recording(*, by: User | None, via: Via, why: str, progress: Progress | None = None) -> Iterator[Recorder]:
    """The one door for facts: one transaction, one change, and standings brought up to date before it commits.

    `progress` is told how far that last part is, of an act on many members.
    """
    with transaction.atomic():
        hold_rules(shared=True)
        recorder = Recorder(by=by, via=via, why=why, progress=progress)
        yield recorder
        recorder._finish()


@contextmanager
def changing_rules(*, by: User | None = None, via: Via = Via.COMMAND, why: str = "") -> Iterator[None]:
    """A transaction that changes what facts mean: nobody records a fact while it lasts.

    The trail notes what is changed inside under this name.
    """
    with transaction.atomic(), trail.acting(by, via, why):
        hold_rules(shared=False)
        yield


def known_now() -> datetime:
    """A moment at or before which nothing will be recorded any more: `known_at` for an answer that has to stand.

    A change gets its `at` a moment before its commit shows it, so an answer known at the clock's now could miss it and
    hold it when asked again. This waits for changes that are just committing, not for the work before that. Ask it
    before the transaction that reads, where that one reads at a single moment.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [COMMIT_ORDER_LOCK])
        try:
            # Before whatever the clock gives next, and never behind the last change, which a clock set back may be.
            cursor.execute(
                "SELECT greatest(clock_timestamp() - interval '1 microsecond', (SELECT max(at) FROM roster_change))"
            )
            (moment,) = cursor.fetchone()
        finally:
            cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [COMMIT_ORDER_LOCK])
    return cast("datetime", moment)


def hold_rules(*, shared: bool) -> None:
    """Take the RULES lock until the transaction ends."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [RULES_LOCK])


def lock_officers(officer_ids: Iterable[int]) -> None:
    """Lock officers' rows, in the order of their ids, against other writers of their facts. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM roster_officer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(set(officer_ids))]
        )


def _give_time(change: Change) -> None:
    """Set `at` as the last statement, under a lock held to the commit: known-at follows the order of commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COMMIT_ORDER_LOCK])
        cursor.execute(
            "UPDATE roster_change SET at = greatest(clock_timestamp(),"
            " (SELECT max(at) FROM roster_change) + interval '1 microsecond') WHERE id = %s RETURNING at",
            [change.pk],
        )
        (change.at,) = cursor.fetchone()
