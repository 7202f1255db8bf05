"""Agencies, units, ranks, shifts, officers, and the facts of who worked where and when."""

from __future__ import annotations

from datetime import date
from typing import Self, TypeVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Func, Manager, Q, Value
from django.db.models.functions import Lower, Upper

from roster.facts import Change, Fact, fact_indexes, fact_triggers
from roster.files import ChosenFile, StoredFile
from roster.trail import TrailLine

__all__ = [
    "Access",
    "Agency",
    "Assignment",
    "Change",
    "ChosenFile",
    "Designation",
    "Employment",
    "FormerDetail",
    "Leave",
    "Merge",
    "Officer",
    "Rank",
    "Shift",
    "StaffingMinimum",
    "StoredFile",
    "TrailLine",
    "Unit",
]


def days(start: str = "start_on", end: str = "end_on") -> Func:
    """The days of a period as a range: both ends included, no end means open."""
    return Func(F(start), F(end), Value("[]"), function="daterange", output_field=DateRangeField())


def one_point(field: str) -> Func:
    """A scalar as a range of one point: exclusion constraints then need no extension."""
    return Func(F(field), F(field), Value("[]"), function="int8range")


def one_word(field: str) -> Func:
    """A text as a range of one point, by its hash: capitals and small letters are one word."""
    word = Func(Upper(field), Value(0), function="hashtextextended", output_field=models.BigIntegerField())
    return Func(word, word, Value("[]"), function="int8range")


AnyRow = TypeVar("AnyRow", bound=models.Model)


class ListedManager(models.Manager[AnyRow]):
    """Rows without those that an import made and that were withdrawn when it was undone."""

    def get_queryset(self) -> models.QuerySet[AnyRow]:
        return super().get_queryset().filter(is_withdrawn=False)


class Withdrawable(models.Model):
    """What an import may make and an undo take back: the row stays for the facts that were voided, and is not listed.

    `objects` holds what is listed. `every` holds withdrawn rows too: for answers about a moment when they stood.
    """

    is_withdrawn = models.BooleanField(default=False, db_default=False, editable=False)

    objects = ListedManager()
    every = Manager()  # noqa: DJ012 - the second manager, no field

    class Meta:
        abstract = True
        base_manager_name = "every"


#: of a natural key: that of a withdrawn row may be used again
IS_LISTED = Q(is_withdrawn=False)


def ends_after_start(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=name,
        condition=Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
        violation_error_message="The last day is before the first day.",
    )


class Agency(models.Model):
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    #: a completion is voided or corrected only when a second person accepts it
    asks_two = models.BooleanField("a second person accepts corrections", default=False)
    #: completions of one course by one member no more than so many days apart are offered as one; 0 = of one day
    near_days = models.PositiveSmallIntegerField(
        "days within which completions look like one", default=7, db_default=7, validators=[MaxValueValidator(90)]
    )
    #: members that a unit and shift keeps working on any day, where `StaffingMinimum` says nothing else; 0 = no minimum
    min_working = models.PositiveSmallIntegerField("members that stay on each unit and shift", default=0)

    class Meta:
        verbose_name_plural = "agencies"
        ordering = ("code",)
        constraints = (models.UniqueConstraint(Lower("code"), name="roster_agency_code"),)

    def __str__(self) -> str:
        return self.name


class Unit(Withdrawable):
    """A unit in the tree of an agency. Function and parent are fixed once anyone was assigned."""

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="units")
    code = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    #: patrol, investigations, ...; blank = the nearest parent's
    function = models.CharField(max_length=40, blank=True)
    opened_on = models.DateField(null=True, blank=True)
    #: the last day
    closed_on = models.DateField(null=True, blank=True)

    class Meta(Withdrawable.Meta):
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(
                "agency",
                Upper("code"),
                name="roster_unit_code",
                condition=IS_LISTED,
                violation_error_message="The agency has a unit with this code already.",
            ),
            models.CheckConstraint(
                name="roster_unit_closed_after_opened",
                condition=Q(closed_on__isnull=True) | Q(opened_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                violation_error_message="The unit closed before it opened.",
            ),
        )
        triggers = (
            pgtrigger.Trigger(
                name="fixed_once_used",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("function", "parent"),
                func="""
                    IF EXISTS (SELECT 1 FROM roster_assignment WHERE unit_id = OLD.id) THEN
                        RAISE EXCEPTION 'function and parent of a unit are fixed once anyone was assigned to it';
                    END IF;
                    RETURN NEW;
                """,
            ),
        )

    def __str__(self) -> str:
        return self.name or self.code


class _Listed(Withdrawable):
    """A word an agency uses, in its order, with the other spellings its files hold."""

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    code = models.CharField(max_length=80)
    order = models.PositiveSmallIntegerField(default=100)
    aliases = ArrayField(models.CharField(max_length=80), default=list, blank=True)

    class Meta(Withdrawable.Meta):
        abstract = True
        ordering = ("order", "code")

    def __str__(self) -> str:
        return self.code


class Rank(_Listed):
    class Meta(_Listed.Meta):
        constraints = (models.UniqueConstraint("agency", Lower("code"), name="roster_rank_code", condition=IS_LISTED),)


class Shift(_Listed):
    class Meta(_Listed.Meta):
        constraints = (models.UniqueConstraint("agency", Lower("code"), name="roster_shift_code", condition=IS_LISTED),)


class StaffingMinimum(models.Model):
    """Members a unit, with what is below it, keeps working on a shift while others are in class.

    `shift` null = on each of its shifts.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="minimums")
    shift = models.ForeignKey(Shift, models.CASCADE, null=True, blank=True, related_name="+")
    minimum = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("unit", "shift")
        constraints = (
            models.UniqueConstraint(
                fields=("unit", "shift"),
                nulls_distinct=False,
                name="roster_staffingminimum_once",
                violation_error_message="There is a minimum for this unit and shift already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.minimum} of unit {self.unit_id}"


class Category(models.TextChoices):
    SWORN = "sworn", "sworn"
    RECRUIT = "recruit", "recruit"
    TELECOMMUNICATOR = "telecommunicator", "telecommunicator"
    CIVILIAN = "civilian", "civilian"
    CO_RESPONDER = "co_responder", "co-responder"


class OfficerQuerySet(models.QuerySet["Officer"]):
    def serving_on(self, day: date) -> Self:
        """Employed on that day, as known now."""
        return self.filter(
            models.Exists(
                Employment.objects.known().filter(officer=models.OuterRef("pk"), start_on__lte=day).filter(open_on(day))
            )
        )

    def search(self, text: str) -> Self:
        """Whose id, badge or names, present or former, hold every word of the text."""
        found = self
        for word in text.replace(",", " ").split():
            found = found.filter(
                Q(employee_id__icontains=word)
                | Q(last_name__icontains=word)
                | Q(first_name__icontains=word)
                | Q(badge__iexact=word)
                | Q(post_id__iexact=word)
                | models.Exists(
                    FormerDetail.objects.filter(
                        officer=models.OuterRef("pk"), field__in=("last_name", "first_name", "badge")
                    ).filter(value__icontains=word)
                )
            )
        return found


def open_on(day: date) -> Q:
    """Periods without a last day, or whose last day is that day or later."""
    return Q(end_on__isnull=True) | Q(end_on__gte=day)


class Officer(Withdrawable):
    """Any member tracked, sworn or not: present names and numbers; earlier ones are kept in `FormerDetail`."""

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="officers")
    employee_id = models.CharField("employee id", max_length=40)
    post_id = models.CharField("state POST id", max_length=40, blank=True)
    last_name = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100)
    middle_name = models.CharField(max_length=100, blank=True)
    suffix = models.CharField(max_length=20, blank=True)
    badge = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    #: the record that this one turned out to be a second of; its facts were moved there by a `Merge`
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="merged"
    )

    objects = ListedManager.from_queryset(OfficerQuerySet)()  # type: ignore[misc] # the same, with questions of its own
    every = OfficerQuerySet.as_manager()  # type: ignore[misc] # the same, with questions of its own

    class Meta(Withdrawable.Meta):
        ordering = ("last_name", "first_name", "employee_id")
        constraints = (
            models.UniqueConstraint(
                "agency",
                Upper("employee_id"),
                name="roster_officer_employee_id",
                condition=IS_LISTED,
                violation_error_message="The agency has a member with this employee id already.",
            ),
        )
        indexes = (
            models.Index(F("last_name"), F("first_name"), F("employee_id"), name="roster_officer_by_name"),
            models.Index(Upper("employee_id"), name="roster_officer_by_id"),
        )

    def __str__(self) -> str:
        return self.listed_name

    @property
    def listed_name(self) -> str:
        """`Whitfield, Amara J., Jr.`: as lists print it."""
        given = " ".join(part for part in (self.first_name, self.middle_name) if part)
        return ", ".join(part for part in (self.last_name, given, self.suffix) if part)

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name, self.suffix) if part)


class Merge(models.Model):
    """Two records of one person made one: facts of the second were voided and recorded on the first, in one change."""

    kept = models.ForeignKey(Officer, models.PROTECT, related_name="merges")
    second = models.ForeignKey(Officer, models.PROTECT, related_name="+")
    why = models.CharField(max_length=300)
    #: rows that are no facts and followed the person: `model.field` -> ids
    followed = models.JSONField(default=dict)
    #: null where the second record had no facts
    change = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    undone_in = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("second",),
                condition=Q(undone_at__isnull=True),
                name="roster_merge_once",
                violation_error_message="This record was merged already.",
            ),
            models.CheckConstraint(
                name="roster_merge_of_two",
                condition=~Q(kept=F("second")),
                violation_error_message="Choose two records.",
            ),
        )
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.second_id} into {self.kept_id}"


class FormerDetail(Withdrawable):
    """A name, badge or address an officer no longer has, and until when it was the recorded one.

    One that has it again because the import that changed it was undone is withdrawn.
    """

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="former_details")
    field = models.CharField(max_length=20)
    value = models.CharField(max_length=254)
    until = models.DateTimeField(auto_now_add=True)

    class Meta(Withdrawable.Meta):
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="fixed", exclude=["is_withdrawn"]),
        )

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"


class Employment(Fact):
    """Days employed in one category. Back-to-back rows are one unbroken service."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="employments")
    start_on = models.DateField("hired on")
    end_on = models.DateField("last day employed", null=True, blank=True)
    category = models.CharField(max_length=20, choices=Category, default=Category.SWORN)

    class Meta(Fact.Meta):
        constraints = (
            ends_after_start("roster_employment_ends_after_start"),
            ExclusionConstraint(
                name="roster_employment_one_at_a_time",
                expressions=[(one_point("officer_id"), "&&"), (days(), RangeOperators.OVERLAPS)],
                condition=Q(voided_in__isnull=True),
                violation_error_message="The member is employed on some of these days already.",
            ),
        )
        indexes = fact_indexes("roster_employment")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"{self.category} from {self.start_on}"


class AssignmentKind(models.TextChoices):
    HOME = "home", "home"
    TEMPORARY = "temporary", "temporary"
    SECONDARY = "secondary", "secondary"


class Assignment(Fact):
    """Where a member belongs: unit, shift and rank, from a first to a last day."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=10, choices=AssignmentKind, default=AssignmentKind.HOME)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="assignments")
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    rank = models.ForeignKey(Rank, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)

    class Meta(Fact.Meta):
        constraints = (
            ends_after_start("roster_assignment_ends_after_start"),
            ExclusionConstraint(
                name="roster_assignment_one_home",
                expressions=[(one_point("officer_id"), "&&"), (days(), RangeOperators.OVERLAPS)],
                condition=Q(voided_in__isnull=True, kind="home"),
                violation_error_message="The member has a home assignment on some of these days already.",
            ),
            models.UniqueConstraint(
                fields=("officer", "kind", "start_on", "unit"),
                condition=Q(voided_in__isnull=True),
                name="roster_assignment_once",
                violation_error_message="This assignment is recorded already.",
            ),
        )
        indexes = fact_indexes("roster_assignment")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"{self.kind} from {self.start_on}"


class Leave(Fact):
    """Days away: a kind, dates and an approval reference; never a reason."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="leaves")
    kind = models.CharField(max_length=40)
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)
    approval = models.CharField("approval reference", max_length=100, blank=True)

    class Meta(Fact.Meta):
        constraints = (
            ends_after_start("roster_leave_ends_after_start"),
            models.UniqueConstraint(
                fields=("officer", "kind", "start_on"),
                condition=Q(voided_in__isnull=True),
                name="roster_leave_once",
                violation_error_message="This leave is recorded already.",
            ),
        )
        indexes = fact_indexes("roster_leave")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"{self.kind} from {self.start_on}"


class Designation(Fact):
    """Days on which a member holds a special duty, by the agency's own code: CIT officer, field training officer."""

    officer = models.ForeignKey(Officer, models.PROTECT, related_name="designations")
    code = models.CharField(max_length=80)
    start_on = models.DateField("first day")
    end_on = models.DateField("last day", null=True, blank=True)
    #: taken up of one's own will
    is_voluntary = models.BooleanField("voluntary", default=False)

    class Meta(Fact.Meta):
        constraints = (
            ends_after_start("roster_designation_ends_after_start"),
            ExclusionConstraint(
                name="roster_designation_one_at_a_time",
                expressions=[
                    (one_point("officer_id"), "&&"),
                    (one_word("code"), "&&"),
                    (days(), RangeOperators.OVERLAPS),
                ],
                condition=Q(voided_in__isnull=True),
                violation_error_message="The member holds this designation on some of these days already.",
            ),
        )
        indexes = fact_indexes("roster_designation")
        triggers = fact_triggers()

    def __str__(self) -> str:
        return f"{self.code} from {self.start_on}"


class Role(models.TextChoices):
    ACADEMY = "academy", "academy staff"
    COMMANDER = "commander", "commander"
    CHIEF = "chief", "chief"
    COMPLIANCE = "compliance", "compliance officer"
    AUDITOR = "auditor", "auditor"
    OFFICER = "officer", "officer"
    ADMIN = "admin", "administrator"


class Access(models.Model):
    """One role of one user, and how far it reaches. `roster.access` reads it."""

    #: a merge of two records takes it along
    moves_with_officer = True

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access")
    role = models.CharField(max_length=20, choices=Role)
    #: null = every agency
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    #: a commander's unit, with everything below it
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    #: whose own record an officer sees
    officer = models.ForeignKey(Officer, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "access"
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "agency", "unit", "officer"),
                nulls_distinct=False,
                name="roster_access_once",
                violation_error_message="The user has this role already.",
            ),
            models.CheckConstraint(
                name="roster_access_commander_has_unit",
                condition=~Q(role="commander") | Q(unit__isnull=False),
                violation_error_message="A commander needs a unit.",
            ),
            models.CheckConstraint(
                name="roster_access_officer_has_officer",
                condition=~Q(role="officer") | Q(officer__isnull=False),
                violation_error_message="The officer role needs the member whose record it opens.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.unit or self.officer or self.agency or 'everything'}"
