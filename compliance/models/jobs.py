"""Long work, and what it leaves: imports with their plans, and issued reports."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from compliance.models.rules import Edition, Requirement
from roster.models import Agency, Unit


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
    #: when a worker last claimed it
    started_at = models.DateTimeField(null=True)
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


class ImportRun(models.Model):
    """A file somebody sent, the plan made of it, and what was recorded."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "uploaded"
        PLANNED = "planned", "planned"
        RECORDED = "recorded", "recorded"
        DISCARDED = "discarded", "discarded"
        FAILED = "failed", "failed"
        UNDONE = "undone", "undone"

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
    recorded_at = models.DateTimeField(null=True)
    #: null too where undoing it voided no fact
    undone_in = models.ForeignKey("roster.Change", models.PROTECT, null=True, related_name="+")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    #: what became of what it recorded, as counts and lines; empty until it is undone
    undone = models.JSONField(default=dict)
    #: the changes of its undoing: one, or more where what others had built on was undone later
    undone_changes = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.file_name

    @property
    def can_be_undone(self) -> bool:
        """Recorded, or undone but for what others had built on."""
        return self.state == self.State.RECORDED or bool(self.undone.get("left_count"))


class ImportedRow(models.Model):
    """A row that is no fact and that a run made or changed: a unit, a member's details, a course, a title."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="imported")
    #: `app.model` and the id of the row
    model = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    #: the values that were changed; null where the row was made
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"


class ReturnedFact(models.Model):
    """A fact that came back when an import was undone, and the one recorded by another door that it says again."""

    #: the kind of fact, `app.model`
    model = models.CharField(max_length=60)
    fact_id = models.BigIntegerField()
    #: never one that came back itself
    origin_id = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("model", "fact_id"), name="compliance_returnedfact_once"),)
        indexes = (models.Index(fields=("model", "origin_id"), name="compliance_returnedfact_origin"),)

    def __str__(self) -> str:
        return f"{self.model} {self.fact_id} of {self.origin_id}"


class ImportLine(models.Model):
    """One line of a plan as it was shown."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="lines", db_index=False)
    line = models.PositiveIntegerField()
    verdict = models.CharField(max_length=10)
    #: what the line says, in a few words, and the reason or warning
    summary = models.CharField(max_length=300)
    reason = models.TextField(blank=True)
    has_warning = models.BooleanField(default=False)
    #: [our column, what stands, what the file says] of a changed line
    changes = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "line"), name="compliance_importline_once"),)
        # Lines that a person looks for among a million.
        indexes = (
            models.Index(
                fields=("run", "verdict", "line"),
                condition=~Q(verdict__in=("new", "same")),
                name="compliance_importline_rare",
            ),
            models.Index(fields=("run", "line"), condition=Q(has_warning=True), name="compliance_importline_warned"),
        )

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
