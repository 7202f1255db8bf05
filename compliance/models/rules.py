"""What is asked: populations, requirements with dated editions, and goals."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, When

from compliance import engine
from training.models import Course


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


def in_force_on(day: date, requirement: str, value: str) -> Subquery:
    """A value of the edition in force on a day, for rows that know their requirement by this name; null where none is.

    As `Requirement.edition_on`: of the last that began by then, unless it has ended.
    """
    latest = Edition.objects.filter(requirement=OuterRef(requirement), effective_from__lte=day)
    is_in_force = Q(effective_to=None) | Q(effective_to__gte=day)
    return Subquery(latest.order_by("-effective_from").values(found=Case(When(is_in_force, then=value)))[:1])


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
