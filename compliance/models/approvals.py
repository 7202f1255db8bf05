"""What was granted or said of members under a requirement: facts, and the acts that grant to many at once."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from compliance.models.jobs import Job
from compliance.models.rules import Requirement
from roster.facts import Fact, fact_indexes, fact_triggers
from roster.models import Officer, Unit, ends_after_start


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
