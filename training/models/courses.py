"""Courses with their topics and tests, their lesson plans and equivalencies, and the titles files know them by."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from roster.files import StoredFile
from roster.models import IS_LISTED, Withdrawable, days, ends_after_start, one_point


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


class Course(Withdrawable):
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
    #: who gives it: the academy itself, a college, a vendor
    provider = models.CharField(max_length=200, blank=True)
    state_approval = models.CharField("state approval number", max_length=80, blank=True)
    #: a seat asks for a completion of each of these
    prerequisites = models.ManyToManyField("self", related_name="prerequisite_of", symmetrical=False, blank=True)
    #: made by an import for a title nobody had mapped
    is_from_title = models.BooleanField(default=False, editable=False)
    #: the course a person said this title is; completions of the one are completions of the other
    same_as = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="titles", editable=False)

    class Meta(Withdrawable.Meta):
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(
                Upper("code"),
                name="training_course_code",
                condition=IS_LISTED,
                violation_error_message="There is a course with this code.",
            ),
        )

    def __str__(self) -> str:
        return self.title


class Topic(models.Model):
    """An area that courses teach, such as de-escalation; an agency adds its own."""

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    order = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ("order", "name")
        constraints = (
            models.UniqueConstraint(
                Upper("code"), name="training_topic_code", violation_error_message="There is a topic with this code."
            ),
        )

    def __str__(self) -> str:
        return self.name


class CourseTopic(models.Model):
    """How many hours of a course a topic has."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="topics")
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="courses")
    hours = models.DecimalField(max_digits=6, decimal_places=2)

    class Meta:
        ordering = ("course", "topic__order", "topic__name")
        constraints = (
            models.UniqueConstraint(
                fields=("course", "topic"),
                name="training_coursetopic_once",
                violation_error_message="The course has this topic already.",
            ),
            models.CheckConstraint(
                name="training_coursetopic_has_hours",
                condition=Q(hours__gt=0),
                violation_error_message="A topic needs hours above 0.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic_id}: {self.hours} h"


class CourseTest(models.Model):
    """A test of a course, with its pass mark in percent. Each has to be passed."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="tests")
    name = models.CharField(max_length=120)
    pass_mark = models.DecimalField("pass mark, percent", max_digits=5, decimal_places=2, default=0)
    order = models.PositiveSmallIntegerField(default=100)
    #: given up: classes held before keep their attempts
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ("course", "order", "name")
        constraints = (
            models.UniqueConstraint(
                "course",
                Upper("name"),
                name="training_coursetest_once",
                violation_error_message="The course has a test of this name already.",
            ),
            models.CheckConstraint(
                name="training_coursetest_percent",
                condition=Q(pass_mark__gte=0, pass_mark__lte=100),
                violation_error_message="A pass mark is a percentage from 0 to 100.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CourseAlias(models.Model):
    """A title that a person mapped to a course, once. `source` blank = whatever the source."""

    title = models.CharField(max_length=300)
    title_key = models.CharField(max_length=300, editable=False)
    source = models.CharField(max_length=100, blank=True)
    course = models.ForeignKey(Course, models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name = "mapped title"
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
    #: one objective a line
    objectives = models.TextField(blank=True)
    approved_by = models.CharField(max_length=200, blank=True)
    approved_on = models.DateField(null=True, blank=True)
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="lesson_plans")

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
