"""Classes from planning to finish: places, instructors, blocks, seats, attendance, tests, papers and certificates.

What was entered about attendance and tests is never overwritten: each entry is a line, and the latest one holds.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Deferrable, F, Func, Q, Value
from django.db.models.functions import Upper

from roster.facts import Change
from roster.files import StoredFile
from roster.models import Agency, Officer, ends_after_start, one_point
from training.models.completions import Completion
from training.models.courses import Course, CourseTest, LessonPlan, Topic


def hours_of_day() -> Func:
    """The time from the start to the end of a block as a range; one may begin when another ends."""
    return Func(F("starts_at"), F("ends_at"), Value("[)"), function="tstzrange", output_field=DateTimeRangeField())


class Place(models.Model):
    """A room or range where classes are held."""

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="places")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=300, blank=True)
    #: people it holds; null = not known
    capacity = models.PositiveSmallIntegerField(null=True, blank=True)
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                "agency",
                Upper("name"),
                name="training_place_once",
                violation_error_message="The agency has a place of this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Instructor(models.Model):
    """Somebody who teaches: a member, or a person from outside by name."""

    #: a merge of two records takes it along
    moves_with_officer = True

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="instructors")
    officer = models.ForeignKey(Officer, models.PROTECT, null=True, blank=True, related_name="teaches_as")
    #: of a person from outside
    name = models.CharField(max_length=200, blank=True)
    employer = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "officer__last_name", "officer__first_name")
        constraints = (
            models.CheckConstraint(
                name="training_instructor_is_somebody",
                condition=Q(officer__isnull=False, name="") | (Q(officer__isnull=True) & ~Q(name="")),
                violation_error_message="Choose a member, or give the name of a person from outside.",
            ),
            models.UniqueConstraint(
                fields=("agency", "officer"),
                name="training_instructor_once",
                violation_error_message="This member is an instructor already.",
            ),
        )

    def __str__(self) -> str:
        return self.officer.full_name if self.officer is not None else self.name


class Qualification(models.Model):
    """What an instructor may teach, and until when: the instructor's own due date."""

    instructor = models.ForeignKey(Instructor, models.CASCADE, related_name="qualifications")
    #: null = any course
    course = models.ForeignKey(Course, models.PROTECT, null=True, blank=True, related_name="+")
    #: such as "State instructor certificate 4471"
    title = models.CharField(max_length=200)
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)

    class Meta:
        ordering = ("instructor", "end_on")
        constraints = (ends_after_start("training_qualification_ends_after_start"),)

    def __str__(self) -> str:
        return self.title


class ClassState(models.TextChoices):
    PLANNED = "planned", "planned"
    FINISHED = "finished", "finished"
    CANCELLED = "cancelled", "cancelled"


class ClassSession(models.Model):
    """A class: a course given once, in blocks, to the people who have seats in it."""

    number = models.CharField(max_length=80)
    #: the host
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="classes")
    course = models.ForeignKey(Course, models.PROTECT, related_name="classes")
    lesson_plan = models.ForeignKey(LessonPlan, models.PROTECT, null=True, blank=True, related_name="classes")
    place = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="classes")
    capacity = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=ClassState, default=ClassState.PLANNED)
    note = models.CharField(max_length=300, blank=True)
    #: of the form: sent twice, it makes one class
    token = models.UUIDField(unique=True, editable=False)
    #: the change that recorded its completions, of the last finish; null until then and after reopening
    finished_in = models.ForeignKey(Change, models.PROTECT, null=True, editable=False, related_name="+")
    #: what the course asked of everybody when the class was finished (`class_records.Asked`); null until then and after
    #: reopening: courses change, and what a finished class rests on does not
    asked = models.JSONField(null=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                "agency",
                Upper("number"),
                name="training_classsession_number",
                violation_error_message="The agency has a class with this number already.",
            ),
        )

    def __str__(self) -> str:
        return self.number


class Meeting(models.Model):
    """A block of a class, planned; and when it really began and ended, once that is known.

    `place` is that of its class unless the block is held elsewhere. It and `is_off`, which repeats what the class says,
    let the database refuse two blocks in one place at a time. It looks at the end of each statement, so that two blocks
    may change places in one.
    """

    session = models.ForeignKey(ClassSession, models.CASCADE, related_name="meetings")
    title = models.CharField(max_length=200, blank=True)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="meetings")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    began_at = models.DateTimeField("really began", null=True, blank=True)
    ended_at = models.DateTimeField("really ended", null=True, blank=True)
    place = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="meetings")
    #: its class was cancelled
    is_off = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ("session", "starts_at", "id")
        constraints = (
            models.CheckConstraint(
                name="training_meeting_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="A block ends before it begins.",
            ),
            models.CheckConstraint(
                name="training_meeting_ended_after_begun",
                condition=Q(began_at__isnull=True, ended_at__isnull=True) | Q(ended_at__gt=F("began_at")),
                violation_error_message="Give both real times of the block, the end after the beginning.",
            ),
            ExclusionConstraint(
                name="training_meeting_one_in_a_place",
                expressions=[(one_point("place_id"), "&&"), (hours_of_day(), RangeOperators.OVERLAPS)],
                condition=Q(place__isnull=False, is_off=False),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="Another class is in this place at that time.",
            ),
            ExclusionConstraint(
                name="training_meeting_one_of_a_class",
                expressions=[(one_point("session_id"), "&&"), (hours_of_day(), RangeOperators.OVERLAPS)],
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="Two blocks of the class overlap.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.title or 'block'} at {self.starts_at}"

    @property
    def name(self) -> str:
        """What it is called: its title, else its topic, which should be fetched with it."""
        return self.title or (self.topic.name if self.topic is not None else "Block")


class Teaching(models.Model):
    """An instructor of a block. The times and `is_off` repeat the block's: nobody teaches two blocks at a time."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="teaching")
    instructor = models.ForeignKey(Instructor, models.PROTECT, related_name="teaching")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_off = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ("meeting", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("meeting", "instructor"),
                name="training_teaching_once",
                violation_error_message="The instructor teaches this block already.",
            ),
            ExclusionConstraint(
                name="training_teaching_one_at_a_time",
                expressions=[(one_point("instructor_id"), "&&"), (hours_of_day(), RangeOperators.OVERLAPS)],
                condition=Q(is_off=False),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="The instructor teaches another block at that time.",
            ),
        )

    def __str__(self) -> str:
        return f"instructor {self.instructor_id} of block {self.meeting_id}"


class SeatState(models.TextChoices):
    ENROLLED = "enrolled", "enrolled"
    WAITLISTED = "waitlisted", "on the waitlist"
    WITHDRAWN = "withdrawn", "withdrawn"
    NO_SHOW = "no_show", "did not come"


class Outcome(models.TextChoices):
    """What a finished class came to for one person."""

    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    INCOMPLETE = "incomplete", "incomplete"
    NO_SHOW = "no_show", "did not come"


class Enrollment(models.Model):
    """A seat of a member or of a person from outside, or a place on the waitlist (first come, first moved up)."""

    #: a merge of two records takes it along
    moves_with_officer = True

    session = models.ForeignKey(ClassSession, models.PROTECT, related_name="enrollments")
    officer = models.ForeignKey(Officer, models.PROTECT, null=True, blank=True, related_name="enrollments")
    #: of a person whose records are kept elsewhere
    outside_name = models.CharField("name", max_length=200, blank=True)
    outside_agency = models.CharField("agency", max_length=200, blank=True)
    outside_id = models.CharField("id there", max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=SeatState, default=SeatState.ENROLLED)
    #: why the state is what it is, where a person said so
    why = models.CharField(max_length=300, blank=True)
    enrolled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    #: since when it has its state: the order of the waitlist
    since = models.DateTimeField()
    #: of the last finish; blank until then and after reopening
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, editable=False)
    #: why the class gave no completion
    outcome_why = models.CharField(max_length=300, blank=True, editable=False)
    #: the day on which the last piece was met, of who passed; also of people from outside, who get no completion
    outcome_on = models.DateField(null=True, editable=False)
    #: percent; the lowest of the tests
    outcome_score = models.DecimalField(max_digits=5, decimal_places=2, null=True, editable=False)
    #: percent
    outcome_attendance = models.DecimalField(max_digits=5, decimal_places=2, null=True, editable=False)
    #: what the last finish recorded, or found; after reopening still the one that was voided, which the next replaces
    completion = models.OneToOneField(Completion, models.PROTECT, null=True, editable=False, related_name="enrollment")

    class Meta:
        ordering = ("session", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("session", "officer"),
                name="training_enrollment_once",
                violation_error_message="The member is on the list of this class already.",
            ),
            models.UniqueConstraint(
                "session",
                Upper("outside_name"),
                Upper("outside_agency"),
                Upper("outside_id"),
                condition=Q(officer__isnull=True),
                name="training_enrollment_outside_once",
                violation_error_message="This person is on the list of this class already.",
            ),
            models.CheckConstraint(
                name="training_enrollment_is_somebody",
                condition=Q(officer__isnull=False, outside_name="") | (Q(officer__isnull=True) & ~Q(outside_name="")),
                violation_error_message="Choose a member, or give the name of a person from outside.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.officer.listed_name if self.officer is not None else self.outside_name


class Attendance(models.Model):
    """Minutes that a person was in a block, or made up for it in a block of another class. The latest line holds.

    Latest for each (enrollment, meeting, made_up_in): the attendance of a block is the line without `made_up_in`, what
    was made up is one line for each block it was made up in.
    """

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="attendance")
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="attendance")
    minutes = models.PositiveSmallIntegerField()
    made_up_in = models.ForeignKey(Meeting, models.PROTECT, null=True, blank=True, related_name="made_up_here")
    why = models.CharField(max_length=300, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "attendance"
        constraints = (
            models.CheckConstraint(
                name="training_attendance_within_a_day",
                condition=Q(minutes__lte=1440),
                violation_error_message="A block has fewer minutes than that.",
            ),
            models.CheckConstraint(
                name="training_attendance_made_up_elsewhere",
                condition=Q(made_up_in__isnull=True) | ~Q(made_up_in=F("meeting")),
                violation_error_message="A block is made up in another block.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.minutes} minutes"


class TestAttempt(models.Model):
    """A test taken, with its score in percent; of a re-test also the day of the remedial training before it.

    A correction is another line that `replaces` the wrong one; one that `is_struck` only takes it away.
    """

    __test__ = False  # not for pytest

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="attempts")
    test = models.ForeignKey(CourseTest, models.PROTECT, related_name="attempts")
    taken_on = models.DateField()
    score = models.DecimalField("score, percent", max_digits=5, decimal_places=2)
    remedial_on = models.DateField("remedial training on", null=True, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    is_struck = models.BooleanField(default=False)
    why = models.CharField(max_length=300, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("taken_on", "id")
        constraints = (
            models.CheckConstraint(
                name="training_testattempt_percent",
                condition=Q(score__gte=0, score__lte=100),
                violation_error_message="A score is a percentage from 0 to 100.",
            ),
            models.CheckConstraint(
                name="training_testattempt_remedial_before",
                condition=Q(remedial_on__isnull=True) | Q(remedial_on__lte=F("taken_on")),
                violation_error_message="Remedial training comes before the re-test.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.score} on {self.taken_on}"


class ClassEvent(models.Model):
    """One line of what happened to a class: planned, changed, its seats, cancelled, finished. Never changed."""

    class What(models.TextChoices):
        PLANNED = "planned", "planned"
        CHANGED = "changed", "changed"
        #: names people: for those who read the agency whole
        SEATS = "seats", "seats"
        CANCELLED = "cancelled", "cancelled"
        FINISHED = "finished", "finished"
        REOPENED = "reopened", "reopened"
        #: where two people are asked for: one wants it reopened, and another does not or they think better of it
        ASKED = "asked", "asked to be reopened"
        DECLINED = "declined", "not reopened"

    session = models.ForeignKey(ClassSession, models.PROTECT, related_name="events")
    what = models.CharField(max_length=10, choices=What)
    #: in words: what was changed, from what to what; how many passed
    told = models.TextField(blank=True)
    why = models.CharField(max_length=300, blank=True)
    change = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.what} on {self.at}"


class ClassPaper(models.Model):
    """A file in the class file: the signed sheet of a block, a roster, tests, handouts."""

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", "signed sign-in sheet"
        ROSTER = "roster", "approved roster"
        TEST = "test", "tests"
        HANDOUT = "handout", "handout"
        OTHER = "other", "other"

    session = models.ForeignKey(ClassSession, models.PROTECT, related_name="papers")
    kind = models.CharField(max_length=10, choices=Kind)
    #: of a sign-in sheet: its block
    meeting = models.ForeignKey(Meeting, models.PROTECT, null=True, blank=True, related_name="papers")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="class_paper")
    note = models.CharField(max_length=300, blank=True)
    #: taken out of the class file; the file is kept
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_why = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ("session", "kind", "id")
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of class {self.session_id}"


class Certificate(models.Model):
    """A numbered certificate of a completion; of a person from outside, of the seat. `token` is its public address.

    What was handed out is never changed. Whether it still holds follows from its completion or seat
    (`training.certificates.validities`); a seat that was judged anew may have several, of which the last counts.
    """

    number = models.CharField(max_length=60, unique=True)
    #: whose number it is: those of an agency and year follow one another without gaps
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="certificates")
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    token = models.CharField(max_length=40, unique=True)
    completion = models.OneToOneField(Completion, models.PROTECT, null=True, related_name="certificate")
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, null=True, related_name="certificates")
    #: as printed
    completed_on = models.DateField()
    issued_on = models.DateField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                name="training_certificate_of_something",
                condition=Q(completion__isnull=False, enrollment__isnull=True)
                | Q(completion__isnull=True, enrollment__isnull=False),
            ),
            models.UniqueConstraint(fields=("agency", "year", "serial"), name="training_certificate_in_order"),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return self.number


class CalendarFeed(models.Model):
    """The private address of one person's calendar; a new one makes the old one stop."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    token = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"calendar of user {self.user_id}"
