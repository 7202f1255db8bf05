"""What follows from the facts: standings, answers of a known moment, and the figures kept of each day."""

from __future__ import annotations

import pgtrigger
from django.db import models

from compliance import engine
from compliance.models.jobs import Job
from compliance.models.rules import Edition, Goal, Requirement
from roster.models import Officer, Rank, Shift, Unit
from training.models import Completion


class _StandingRow(models.Model):
    """One period of one member under one requirement, split where the home assignment changes.

    The database checks none of its references row by row, which takes longer than storing them. Whoever writes
    standings holds the rules and the members they come from; the engine's laws and the nightly verification guard the
    rest. Answers of a known moment are asked only while the rules are those that they were worked out by.
    """

    officer = models.ForeignKey(Officer, models.CASCADE, related_name="%(class)ss", db_index=False, db_constraint=False)
    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    unit = models.ForeignKey(Unit, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False)
    shift = models.ForeignKey(
        Shift, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    rank = models.ForeignKey(Rank, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False)
    state = models.CharField(
        max_length=8, choices=[(state.value, state.value.replace("_", " ")) for state in engine.State]
    )
    start_on = models.DateField()
    #: the last day; null = open
    end_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    basis = models.ForeignKey(
        Completion, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    #: any counting credit up to this period
    has_credit = models.BooleanField()
    reason = models.CharField(max_length=20)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.state} from {self.start_on}"


class Standing(_StandingRow):
    """The standings as known now. Derived: `standings.rebuild` alone writes it."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("officer", "requirement", "start_on"), name="compliance_standing_once"),
        )
        indexes = (
            models.Index(
                fields=("requirement", "start_on", "end_on"),
                # All that coverage, due dates and the comparison of two days ask for: the index alone answers them.
                include=("unit", "shift", "rank", "state", "has_credit", "officer", "due_on"),
                name="compliance_standing_covering",
            ),
            models.Index(fields=("unit", "requirement"), name="compliance_standing_unit"),
        )


class KnownStanding(_StandingRow):
    """The standings that held on one day as known at an earlier moment: a temporary table of one transaction."""

    #: not looked for when an edition is withdrawn: the table is there for one answer only
    edition = models.ForeignKey(Edition, models.DO_NOTHING, related_name="+", db_index=False)

    class Meta:
        managed = False
        db_table = "known_standing"


class KnownAnswer(models.Model):
    """Everybody's standings on a day as known at a moment, worked out by a job because many members had changed since.

    Good for as long as the rules are those it was worked out by: `rules_sha256` says which. Thrown away every night.
    """

    as_of = models.DateField()
    known_at = models.DateTimeField()
    rules_sha256 = models.CharField(max_length=64)
    job = models.ForeignKey(Job, models.CASCADE, related_name="+")
    is_ready = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("as_of", "known_at", "rules_sha256"), name="compliance_knownanswer_once"),
        )

    def __str__(self) -> str:
        return f"{self.as_of} as known at {self.known_at}"


class KnownAnswerRow(_StandingRow):
    """A row of a `KnownAnswer`, of a member who had changed since."""

    answer = models.ForeignKey(KnownAnswer, models.CASCADE, related_name="rows")


class _Snapshot(models.Model):
    """A figure as it was found on a day; written once by the nightly job, never changed."""

    day = models.DateField()
    taken_at = models.DateTimeField()

    class Meta:
        abstract = True


class CoverageSnapshot(_Snapshot):
    """Coverage of one unit's own members, shift and rank under one requirement, as found on a day."""

    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", db_index=False)
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, related_name="+", db_index=False)
    rank = models.ForeignKey(Rank, models.PROTECT, null=True, related_name="+", db_index=False)
    current = models.PositiveIntegerField()
    in_grace = models.PositiveIntegerField()
    overdue = models.PositiveIntegerField()
    excused = models.PositiveIntegerField()
    ever = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("day", "requirement", "unit", "shift", "rank"),
                nulls_distinct=False,
                name="compliance_coveragesnapshot_once",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.requirement_id} on {self.day}"


class GoalSnapshot(_Snapshot):
    """How a goal stood on a day."""

    goal = models.ForeignKey(Goal, models.PROTECT, related_name="snapshots")
    is_met = models.BooleanField()
    have = models.PositiveIntegerField()
    needed = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("day", "goal"), name="compliance_goalsnapshot_once"),)
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.goal_id} on {self.day}"
