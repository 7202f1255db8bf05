"""What follows from the facts: requirements, standings, goals, snapshots, issued reports, and long work.

Two facts live here, since they are about a requirement: `Waiver` and `Extension`.
"""

from __future__ import annotations

import uuid
from datetime import date
from enum import StrEnum

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from compliance import engine
from roster.facts import Fact, fact_indexes, fact_triggers
from roster.models import Agency, Officer, Rank, Shift, Unit, ends_after_start
from training.models import Completion, Course


def codes() -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=80), default=list, blank=True)


class Population(models.Model):
    """Who must, by name. Lists hold codes as written in the requirements file; an empty list asks nothing."""

    code = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    categories = codes()
    functions = codes()
    units = codes()
    ranks = codes()
    shifts = codes()
    designations = codes()
    #: only a designation taken up of one's own will
    voluntary_only = models.BooleanField(default=False)
    min_service_months = models.PositiveSmallIntegerField(default=0)
    #: the rank of a temporary assignment is the rank while it lasts
    acting_counts = models.BooleanField(default=False)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.title


class Requirement(models.Model):
    code = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    citations = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    #: the place in lists: the order of first loading
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order", "code")

    def __str__(self) -> str:
        return self.title

    def edition_on(self, day: date) -> Edition | None:
        """The edition in force on a day: the last that began by then, unless it has ended. One query or prefetched."""
        begun = [edition for edition in self.editions.all() if edition.effective_from <= day]
        latest = max(begun, key=lambda edition: edition.effective_from, default=None)
        if latest is None or (latest.effective_to is not None and latest.effective_to < day):
            return None
        return latest


def choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ")) for value in values]


class Edition(models.Model):
    """What a requirement asks from one day to another. Field names are the keys of the requirements file."""

    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="editions")
    effective_from = models.DateField()
    #: the last day; null = until the next edition begins, or open
    effective_to = models.DateField(null=True, blank=True)
    population = models.ForeignKey(Population, models.PROTECT, related_name="editions")
    entry_courses = models.ManyToManyField(Course, related_name="entry_of", blank=True)
    refresher_courses = models.ManyToManyField(Course, related_name="refresher_of", blank=True)
    refresher_stands_alone = models.BooleanField(default=False)
    refresher_min_tenure_months = models.PositiveSmallIntegerField(default=0)
    min_hours = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    refresher_min_hours = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    min_block_hours = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    min_score = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    min_attendance = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    modes = codes()
    #: above 0: entry and refresher courses feed one sum of hours
    hours = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    hours_model = models.CharField(max_length=20, choices=choices(engine.HoursModel), default="event")
    hours_window_months = models.PositiveSmallIntegerField(default=0)
    clock = models.CharField(max_length=20, choices=choices(engine.Clock), default="once")
    months = models.PositiveSmallIntegerField(default=0)
    years = models.PositiveSmallIntegerField(default=0)
    cycle_start = models.DateField(null=True, blank=True)
    recert_courses = models.ManyToManyField(Course, related_name="recert_of", blank=True)
    recert_before_days = models.PositiveSmallIntegerField(default=0)
    recert_after_days = models.PositiveSmallIntegerField(default=0)
    early = models.CharField(max_length=20, choices=choices(engine.Early), default="restart")
    keep_anchor_days = models.PositiveSmallIntegerField(default=0)
    first_due = models.CharField(max_length=20, choices=choices(engine.FirstDue), default="grace")
    entry_grace_days = models.PositiveIntegerField(default=0)
    entry_due_on = models.DateField(null=True, blank=True)
    leave = models.CharField(max_length=20, choices=choices(engine.LeaveRule), default="none")
    leave_kinds = codes()
    leave_min_days = models.PositiveSmallIntegerField(default=0)
    return_grace_days = models.PositiveSmallIntegerField(default=0)
    #: a separation longer than this wipes what was earned; 0 = never
    break_months = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("requirement", "effective_from")
        constraints = (
            models.UniqueConstraint(
                fields=("requirement", "effective_from"),
                name="compliance_edition_once",
                violation_error_message="The requirement has an edition from this day already.",
            ),
            models.CheckConstraint(
                name="compliance_edition_ends_after_start",
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                violation_error_message="The edition ends before it begins.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.requirement_id} from {self.effective_from}"


class Waiver(Fact):
    """Days on which a member is excused from a requirement, with an approval reference; never a reason."""

    trail_name = "waiver"

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="waivers")
    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="waivers")
    start_on = models.DateField("first day")
    end_on = models.DateField("last day")
    approval = models.CharField("approval reference", max_length=100, blank=True)
    #: who approved it, never the member; null where a file brought it
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Fact.Meta):
        constraints = (
            ends_after_start("compliance_waiver_ends_after_start"),
            models.UniqueConstraint(
                fields=("officer", "requirement", "start_on"),
                condition=Q(voided_in__isnull=True),
                name="compliance_waiver_once",
                violation_error_message="A waiver of this requirement from this day is recorded already.",
            ),
        )
        indexes = fact_indexes("compliance_waiver")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"waiver from {self.start_on}"


class Extension(Fact):
    """More time for one member under a requirement, approved while the date in force had not passed."""

    trail_name = "extension"

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="extensions")
    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="extensions")
    #: the new last day; leave does not move it
    until_on = models.DateField("until")
    approved_on = models.DateField("approved on")
    approval = models.CharField("approval reference", max_length=100, blank=True)
    #: who approved it, never the member; null where a file brought it
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Fact.Meta):
        constraints = (
            models.CheckConstraint(
                name="compliance_extension_ends_after_approval",
                condition=Q(until_on__gte=F("approved_on")),
                violation_error_message="The extension ends before the day it was approved.",
            ),
            models.UniqueConstraint(
                fields=("officer", "requirement", "until_on", "approved_on"),
                condition=Q(voided_in__isnull=True),
                name="compliance_extension_once",
                violation_error_message="This extension is recorded already.",
            ),
        )
        indexes = fact_indexes("compliance_extension")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"extension until {self.until_on}"


class Explanation(Fact):
    """Why a member was late or missed a date: a text beside an overdue period. A correction is another line."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="explanations")
    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="explanations")
    #: the first overdue day of the period that it explains
    late_from = models.DateField("overdue from")
    text = models.CharField(max_length=500)

    class Meta(Fact.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=("officer", "requirement", "late_from", "text"),
                condition=Q(voided_in__isnull=True),
                name="compliance_explanation_once",
                violation_error_message="This explanation is recorded already.",
            ),
        )
        indexes = fact_indexes("compliance_explained")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return self.text


class _StandingRow(models.Model):
    """One period of one member under one requirement, split where the home assignment changes.

    References to units, shifts, ranks and completions are not checked row by row: the engine's laws and the nightly
    verification guard them.
    """

    officer = models.ForeignKey(Officer, models.CASCADE, related_name="%(class)ss", db_index=False)
    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="+", db_index=False)
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="+", db_index=False)
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
    job = models.ForeignKey("Job", models.CASCADE, related_name="+")
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


class Counted(models.TextChoices):
    """What a goal counts: four different facts."""

    TRAINED = "trained", "trained"
    CERTIFIED = "certified", "certified"
    DESIGNATED = "designated", "designated"
    AVAILABLE = "available", "available"


class Each(models.TextChoices):
    """The groups of which a goal asks its share and its minimum."""

    NONE = "none", "none"
    UNIT = "unit", "unit"
    SHIFT = "shift", "shift"
    UNIT_SHIFT = "unit_shift", "unit and shift"


class Goal(models.Model):
    """What an agency promised: a share of a requirement's population, by a day."""

    code = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="goals")
    counts = models.CharField(max_length=20, choices=Counted)
    #: of `designated`: the code that is counted
    designation = models.CharField(max_length=80, blank=True)
    target_percent = models.DecimalField(max_digits=5, decimal_places=2)
    #: the share and the minimum are asked of each of these, too
    each = models.CharField(max_length=20, choices=Each, default=Each.NONE)
    min_count = models.PositiveIntegerField(default=0)
    by = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.title


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


class JobState(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Job(models.Model):
    """A piece of long work. The row is the truth; a message to a worker is only a nudge."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    #: what a worker that claimed it is doing now, in words
    doing = models.CharField(max_length=100, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["id"], condition=Q(state__in=("waiting", "running")), name="compliance_job_open"),
        )

    def __str__(self) -> str:
        return f"{self.kind}, {self.state}"


class MassAct(models.Model):
    """Waivers or extensions for a whole population, in an emergency: looked at, recorded as one change, ended as one.

    The row is how far the act is. What it granted are facts like any others, recorded in `change`.
    """

    class Kind(models.TextChoices):
        EXTENSION = "extension", "extension"
        WAIVER = "waiver", "waiver"

    class State(models.TextChoices):
        LOOKING = "looking", "being looked at"
        LOOKED = "looked", "not recorded yet"
        RECORDING = "recording", "being recorded"
        RECORDED = "recorded", "recorded"
        ENDING = "ending", "being ended"
        ENDED = "ended", "ended"
        DISCARDED = "discarded", "discarded"

    #: of the form: sent twice, it asks for one act
    token = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="mass_acts")
    #: ids of agencies whose members it is for; null = every agency
    agencies = ArrayField(models.BigIntegerField(), null=True)
    #: with everything below them; none = everybody in the population
    units = models.ManyToManyField(Unit, related_name="+", blank=True)
    #: whoever is in the population on this day; an extension is approved on it, a waiver begins on it
    on_day = models.DateField("day")
    until_on = models.DateField("until")
    approval = models.CharField("approval reference", max_length=100)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    why = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.LOOKING)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")
    #: why the last step was not done, for a person
    problem = models.TextField(blank=True)
    #: members by verdict
    counts = models.JSONField(default=dict)
    #: of the lines that were shown: only those are recorded
    digest = models.CharField(max_length=64, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    change = models.ForeignKey("roster.Change", models.PROTECT, null=True, related_name="+")
    ended_in = models.ForeignKey("roster.Change", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="compliance_massact_ends_after_start",
                condition=Q(until_on__gte=F("on_day")),
                violation_error_message="The last day is before the first day.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} for many until {self.until_on}"


class MassLine(models.Model):
    """What a mass act means for one member, as it was shown before it was recorded."""

    class Verdict(models.TextChoices):
        GRANTED = "granted", "granted"
        TOO_LATE = "too_late", "too late"
        NEEDS_NONE = "needs_none", "needs none"
        OWN = "own", "needs another approval"

    act = models.ForeignKey(MassAct, models.CASCADE, related_name="lines", db_index=False)
    officer = models.ForeignKey(Officer, models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", db_index=False)
    verdict = models.CharField(max_length=10, choices=Verdict)
    #: the state of that day, and the date in force on it; null = none
    was = models.CharField(max_length=8)
    due_on = models.DateField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("act", "officer"), name="compliance_massline_once"),)

    def __str__(self) -> str:
        return f"{self.officer_id}: {self.verdict}"


class ImportRun(models.Model):
    """A file somebody sent, the plan made of it, and what was recorded."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "uploaded"
        PLANNED = "planned", "planned"
        RECORDED = "recorded", "recorded"
        DISCARDED = "discarded", "discarded"
        FAILED = "failed", "failed"

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    file_name = models.CharField(max_length=200)
    #: below MEDIA_ROOT
    stored_as = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    #: kind's options: mapping, source, match, unknown_course, date_format
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")
    #: counts of the plan and, for a person, what went wrong
    rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    #: of the plan that was shown: only that one is recorded
    plan_digest = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True)
    change = models.ForeignKey("roster.Change", models.PROTECT, null=True, related_name="+")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.file_name


class ImportLine(models.Model):
    """One line of a plan as it was shown."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="lines", db_index=False)
    line = models.PositiveIntegerField()
    verdict = models.CharField(max_length=10)
    #: what the line says, in a few words, and the reason or warning
    summary = models.CharField(max_length=300)
    reason = models.TextField(blank=True)
    has_warning = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "line"), name="compliance_importline_once"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.verdict}"


class IssuedReport(models.Model):
    """A report as it was handed out. Never changed; its files lie below MEDIA_ROOT."""

    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=40)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="reports")
    editions = models.ManyToManyField(Edition, related_name="reports")
    #: with everything below it; null = the whole agency
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    #: the report whose place this one takes: the same question with less known. That one stays as it is.
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")
    #: 1, or one more than that of the report it supersedes
    report_edition = models.PositiveSmallIntegerField(default=1)
    as_of = models.DateField()
    known_at = models.DateTimeField()
    span_from = models.DateField()
    span_to = models.DateField()
    #: SHA-256 of the canonical data, which is kept
    data_sha256 = models.CharField(max_length=64)
    #: members by state on the day: what lists of reports show
    totals = models.JSONField()
    #: [{"name", "sha256", "size"}]
    files = models.JSONField()
    #: the job that made it; null = a command. A job that runs again finds its report here.
    job = models.OneToOneField(Job, models.PROTECT, null=True, related_name="report")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return self.number
