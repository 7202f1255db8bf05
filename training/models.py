"""Courses, their lesson plans and equivalencies, the titles files know them by, completions and their evidence."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from roster.facts import Fact, fact_indexes, fact_triggers
from roster.models import Officer, days, ends_after_start, one_point


class CourseKind(models.TextChoices):
    CIT = "cit", "CIT"
    MHFA = "mhfa", "MHFA"
    REFRESHER = "refresher", "refresher"
    RECRUIT = "recruit", "recruit"
    ROLL_CALL = "roll_call", "roll call"
    IN_SERVICE = "in_service", "in-service"
    SPECIAL = "special", "special"
    OTHER = "other", "other"


class Mode(models.TextChoices):
    CLASSROOM = "classroom", "classroom"
    ONLINE = "online", "online"
    RECORDED = "recorded", "recorded"
    ROLL_CALL = "roll_call", "roll call"
    SCENARIO = "scenario", "scenario"


class Course(models.Model):
    """A course taught here or elsewhere. One made from an unknown title counts toward nothing until it is mapped."""

    code = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    #: the title as titles are compared: case, spaces and curly quotes do not matter
    title_key = models.CharField(max_length=300, db_index=True, editable=False)
    kind = models.CharField(max_length=20, choices=CourseKind, default=CourseKind.OTHER)
    hours = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    mode = models.CharField(max_length=20, choices=Mode, default=Mode.CLASSROOM)
    min_score = models.DecimalField("pass mark, percent", max_digits=5, decimal_places=2, default=0)
    min_attendance = models.DecimalField("minimum attendance, percent", max_digits=5, decimal_places=2, default=0)
    #: made by an import for a title nobody had mapped
    is_from_title = models.BooleanField(default=False, editable=False)
    #: the course a person said this title is; completions of the one are completions of the other
    same_as = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="titles", editable=False)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(
                Upper("code"), name="training_course_code", violation_error_message="There is a course with this code."
            ),
        )

    def __str__(self) -> str:
        return self.title


class CourseAlias(models.Model):
    """A title that a person mapped to a course, once. `source` blank = whatever the source."""

    title = models.CharField(max_length=300)
    title_key = models.CharField(max_length=300, editable=False)
    source = models.CharField(max_length=100, blank=True)
    course = models.ForeignKey(Course, models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name_plural = "course aliases"
        constraints = (
            models.UniqueConstraint(
                fields=("title_key", "source"),
                name="training_coursealias_once",
                violation_error_message="This title is mapped already.",
            ),
        )

    def __str__(self) -> str:
        return self.title


class LessonPlan(models.Model):
    """A version of what a course teaches, and the days on which teaching from it counts.

    To accept an old version longer, give it a later last day.
    """

    course = models.ForeignKey(Course, models.PROTECT, related_name="lesson_plans")
    version = models.CharField(max_length=80)
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)

    class Meta:
        ordering = ("course", "start_on", "version")
        constraints = (
            ends_after_start("training_lessonplan_ends_after_start"),
            models.UniqueConstraint(
                "course",
                Upper("version"),
                name="training_lessonplan_once",
                violation_error_message="The course has a lesson plan of this version already.",
            ),
        )

    def __str__(self) -> str:
        return self.version


class Equivalency(models.Model):
    """A course whose completions count as another course too, from a first to a last day. Not chained."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="equivalencies")
    counts_as = models.ForeignKey(Course, models.PROTECT, related_name="equivalents")
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)
    approved_by = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "equivalencies"
        ordering = ("course", "counts_as", "start_on")
        constraints = (
            ends_after_start("training_equivalency_ends_after_start"),
            models.CheckConstraint(
                name="training_equivalency_of_two_courses",
                condition=~Q(course=F("counts_as")),
                violation_error_message="A course does not count as itself.",
            ),
            models.UniqueConstraint(
                fields=("course", "counts_as", "start_on"),
                name="training_equivalency_once",
                violation_error_message="The course counts as this one from this day already.",
            ),
            ExclusionConstraint(
                name="training_equivalency_one_at_a_time",
                expressions=[
                    (one_point("course_id"), "&&"),
                    (one_point("counts_as_id"), "&&"),
                    (days(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="The course counts as this one on some of these days already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.course_id} as {self.counts_as_id} from {self.start_on}"


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
