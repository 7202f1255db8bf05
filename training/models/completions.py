"""The facts of what was finished: completions, decisions on their evidence, files and certificates; and corrections
that wait for a second person.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from roster.facts import Fact, fact_indexes, fact_triggers
from roster.files import StoredFile
from roster.models import Officer
from training.models.courses import Course


class Result(models.TextChoices):
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    INCOMPLETE = "incomplete", "incomplete"


class Evidence(models.TextChoices):
    VERIFIED = "verified", "verified"
    PENDING = "pending", "pending"
    REJECTED = "rejected", "rejected"


class Completion(Fact):
    """A class finished. Its date is the day the last piece was met. `hours` is the block's; null = the course's."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="completions", db_index=False)
    course = models.ForeignKey(Course, models.PROTECT, related_name="completions")
    completed_on = models.DateField()
    hours = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    attendance = models.DecimalField("attendance, percent", max_digits=5, decimal_places=2, null=True, blank=True)
    result = models.CharField(max_length=10, choices=Result, default=Result.PASSED)
    #: as recorded; a later decision outweighs it
    evidence = models.CharField(max_length=10, choices=Evidence, default=Evidence.VERIFIED)
    verified_on = models.DateField(null=True, blank=True)
    #: who gave it, where it was not the agency: a college, another academy
    provider = models.CharField(max_length=200, blank=True, db_default="")
    certificate_number = models.CharField(max_length=80, blank=True)
    certificate_expires_on = models.DateField(null=True, blank=True)
    lesson_plan = models.CharField(max_length=80, blank=True)
    class_number = models.CharField(max_length=80, blank=True)

    class Meta(Fact.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=("officer", "course", "completed_on", "class_number"),
                condition=Q(voided_in__isnull=True),
                name="training_completion_once",
                violation_error_message="This completion is recorded already.",
            ),
        )
        indexes = (
            *fact_indexes("training_completion"),
            models.Index(fields=["completed_on", "id"], name="training_completion_by_day"),
            models.Index(
                Upper("certificate_number"),
                name="training_completion_by_number",
                condition=Q(voided_in__isnull=True) & ~Q(certificate_number=""),
            ),
            models.Index(
                fields=["completed_on"],
                name="training_completion_pending",
                condition=Q(voided_in__isnull=True, evidence="pending"),
            ),
            # the corrected ones are few
            models.Index("replaces", name="training_completion_replaces", condition=Q(replaces__isnull=False)),
        )
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"completed on {self.completed_on}"


class EvidenceDecision(Fact):
    """Somebody other than who recorded a completion looked at its evidence. The latest one holds."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="+")
    completion = models.ForeignKey(Completion, models.PROTECT, related_name="decisions")
    decision = models.CharField(max_length=10, choices=[("verified", "verified"), ("rejected", "rejected")])
    decided_on = models.DateField()
    note = models.CharField(max_length=300, blank=True)

    class Meta(Fact.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=("completion",),
                condition=Q(voided_in__isnull=True),
                name="training_evidencedecision_one",
                violation_error_message="The evidence of this completion has been decided already.",
            ),
        )
        indexes = fact_indexes("training_decision")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"{self.decision} on {self.decided_on}"


class CompletionFile(models.Model):
    """A file that proves a completion; one sheet may prove many.

    It goes with the completion's corrections: the version it was given to holds it, and those that replace that one
    show it too.
    """

    completion = models.ForeignKey(Completion, models.PROTECT, related_name="files")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="proves")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("completion", "file"),
                name="training_completionfile_once",
                violation_error_message="The completion has this file already.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"file of completion {self.completion_id}"


class KeptBoth(models.Model):
    """Two completions that look like one, and of which somebody said that they are two."""

    first = models.ForeignKey(Completion, models.PROTECT, related_name="+")
    second = models.ForeignKey(Completion, models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("first", "second"),
                name="training_keptboth_once",
                violation_error_message="Somebody decided to keep both already.",
            ),
            models.CheckConstraint(
                name="training_keptboth_in_order",
                condition=Q(first__lt=models.F("second")),
                violation_error_message="Name two completions, the older one first.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"completions {self.first_id} and {self.second_id}"


class ProposedCorrection(models.Model):
    """A void or correction that one person asked for and another has to accept, where the agency asks for two."""

    class Act(models.TextChoices):
        VOID = "void", "void"
        CORRECT = "correct", "correct"

    class State(models.TextChoices):
        OPEN = "open", "waits for a second person"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"

    completion = models.ForeignKey(Completion, models.PROTECT, related_name="proposals")
    act = models.CharField(max_length=10, choices=Act)
    #: field of the completion -> the value as text; of a correction
    changes = models.JSONField(default=dict)
    why = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("completion",),
                condition=Q(state="open"),
                name="training_proposedcorrection_one_open",
                violation_error_message="A correction of this completion waits for a second person already.",
            ),
            models.CheckConstraint(
                name="training_proposedcorrection_by_two",
                condition=~Q(state="accepted") | ~Q(decided_by=models.F("proposed_by")),
                violation_error_message="Somebody else has to accept what you proposed.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.act} of completion {self.completion_id}, {self.state}"
