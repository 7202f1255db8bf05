"""What is missing from the file of a class, item by item.

A class file keeps the signed sheet of each block, the approved roster, the lesson plan with its objectives, who taught
each block and when it really was, and the tests (`rules.md` section 1). What a class needs before it begins is missing
from the day it is planned, what comes of teaching once the block is over. Nothing is missing from a class that was
cancelled. The lists of classes count these very items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import TruncDate
from django.utils import timezone

from compliance import sentences
from compliance.class_papers import gather
from training.models import (
    Attendance,
    ClassPaper,
    ClassSession,
    ClassState,
    CourseTest,
    Enrollment,
    Instructor,
    Meeting,
    Qualification,
    SeatState,
    Teaching,
    TestAttempt,
)
from training.schedule import INSTANT

#: Names told one by one; of more the rest is counted.
MOST_NAMES = 12
#: Classes whose lesson plan lacks its approver or the day.
UNAPPROVED = Q(lesson_plan__approved_by="") | Q(lesson_plan__approved_on=None)


class What(StrEnum):
    """What can be missing, in the order in which it is told."""

    BLOCKS = "blocks"
    LESSON_PLAN = "lesson_plan"
    PLAN_FILE = "plan_file"
    OBJECTIVES = "objectives"
    PLAN_APPROVED = "plan_approved"
    PLAN_IN_FORCE = "plan_in_force"
    INSTRUCTOR = "instructor"
    QUALIFICATION = "qualification"
    CAPACITY = "capacity"
    ROSTER = "roster"
    SIGN_IN = "sign_in"
    REAL_TIMES = "real_times"
    ATTENDANCE = "attendance"
    TEST = "test"
    FINISH = "finish"


ORDER = {what: place for place, what in enumerate(What)}


@dataclass(frozen=True, slots=True)
class Lack:
    """One item by ids: of a block, test or instructor (0 = of the class), and of whom, or of which blocks."""

    session: int
    what: What
    subject: int
    ids: Sequence[int]


def lacks(sessions: Collection[int], *, now: datetime) -> list[Lack]:
    """What the files of these classes lack at that moment. One query, whatever their number."""
    first, *others = _asked(sessions, now)
    rows = first.union(*others, all=True)
    return [Lack(session, What(what), subject, tuple(ids)) for session, what, subject, ids in rows]


def counts(sessions: Collection[int], *, now: datetime) -> Mapping[int, int]:
    """How many items each of these classes lacks; one that lacks nothing is 0. One query."""
    return Counter(lack.session for lack in lacks(sessions, now=now)) if sessions else Counter()


def _asked(sessions: Collection[int], now: datetime) -> list[QuerySet[Any, Any]]:
    """A question for each kind of item, all with the columns of `Lack`."""
    classes = ClassSession.objects.filter(pk__in=sessions).exclude(state=ClassState.CANCELLED)
    blocks = Meeting.objects.filter(session__in=classes.values("pk"))
    return [*_of_plan(classes), *_of_blocks(blocks, now), *_of_people(classes, blocks, now)]


def _row(rows: QuerySet[Any, Any], what: What, session: str, subject: str | None = None, ids: Any = None) -> Any:
    return (
        rows.order_by()
        .annotate(
            lacks_session=F(session),
            lacks_what=Value(what.value),
            lacks_subject=F(subject) if subject else Value(0, BigIntegerField()),
            lacks_ids=Value([], ArrayField(BigIntegerField())) if ids is None else ids,
        )
        .values_list("lacks_session", "lacks_what", "lacks_subject", "lacks_ids")
    )


def _of_plan(classes: QuerySet[ClassSession]) -> list[Any]:
    """Before a class begins: blocks, an approved lesson plan in force with file and objectives, seats within the
    capacity.
    """
    own = Meeting.objects.filter(session=OuterRef("pk"))
    planned = classes.filter(lesson_plan__isnull=False)
    outside = own.annotate(last_day=TruncDate(F("ends_at") - INSTANT)).filter(
        Q(starts_at__date__lt=OuterRef("lesson_plan__start_on")) | Q(last_day__gt=OuterRef("lesson_plan__end_on"))
    )
    taken = Enrollment.objects.filter(session=OuterRef("pk"), state=SeatState.ENROLLED)
    number = taken.order_by().values("session").annotate(number=Count("pk")).values("number")
    return [
        _row(classes.exclude(Exists(own)), What.BLOCKS, "pk"),
        _row(classes.filter(lesson_plan=None), What.LESSON_PLAN, "pk"),
        _row(planned.filter(lesson_plan__file=None), What.PLAN_FILE, "pk"),
        _row(planned.filter(lesson_plan__objectives=""), What.OBJECTIVES, "pk"),
        _row(planned.filter(UNAPPROVED), What.PLAN_APPROVED, "pk"),
        _row(planned.filter(Exists(outside)), What.PLAN_IN_FORCE, "pk"),
        _row(classes.annotate(taken=Subquery(number)).filter(taken__gt=F("capacity")), What.CAPACITY, "pk"),
    ]


def _of_blocks(blocks: QuerySet[Meeting], now: datetime) -> list[Any]:
    """Instructors that are qualified, and of blocks that are over the real times and the signed sheet.

    An instructor of whom no qualification was ever entered is not counted: nobody knows of one that ran out.
    """
    entered = Qualification.objects.filter(
        Q(course=None) | Q(course=OuterRef("meeting__session__course")), instructor=OuterRef("instructor")
    )
    in_force = entered.filter(start_on__lte=OuterRef("day")).filter(
        Q(end_on__isnull=True) | Q(end_on__gte=OuterRef("day"))
    )
    unqualified = (
        Teaching.objects.filter(meeting__in=blocks.values("pk"))
        .annotate(day=TruncDate("starts_at"))
        .filter(Exists(entered))
        .exclude(Exists(in_force))
        .order_by()
        .values(lacks_session=F("meeting__session"), lacks_what=Value(What.QUALIFICATION.value))
        .annotate(lacks_subject=F("instructor"), lacks_ids=ArrayAgg("meeting"))
        .values_list("lacks_session", "lacks_what", "lacks_subject", "lacks_ids")
    )
    over = blocks.filter(ends_at__lte=now)
    signed = ClassPaper.objects.filter(meeting=OuterRef("pk"), kind=ClassPaper.Kind.SIGN_IN, withdrawn_at=None)
    return [
        _row(blocks.exclude(Exists(Teaching.objects.filter(meeting=OuterRef("pk")))), What.INSTRUCTOR, "session", "pk"),
        unqualified,
        _row(over.filter(began_at=None), What.REAL_TIMES, "session", "pk"),
        _row(over.exclude(Exists(signed)), What.SIGN_IN, "session", "pk"),
    ]


def _of_people(classes: QuerySet[ClassSession], blocks: QuerySet[Meeting], now: datetime) -> list[Any]:
    """The approved roster once a class has begun, marks of blocks that are over, and scores and finish after it."""
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    own = Meeting.objects.filter(session=OuterRef("pk"))
    approved = ClassPaper.objects.filter(session=OuterRef("pk"), kind=ClassPaper.Kind.ROSTER, withdrawn_at=None)
    begun = classes.filter(Exists(own.filter(starts_at__lte=now)))
    held = classes.filter(Exists(own)).exclude(Exists(own.filter(ends_at__gt=now)))
    past = classes.filter(Exists(own)).exclude(Exists(own.filter(ends_at__gt=midnight)))
    marks = Attendance.objects.filter(enrollment=OuterRef("pk"), meeting=OuterRef(OuterRef("pk")), made_up_in=None)
    seated = Enrollment.objects.filter(session=OuterRef("session"), state=SeatState.ENROLLED).order_by("pk")
    unmarked = ArraySubquery(seated.exclude(Exists(marks)).values("pk"))
    tests = CourseTest.objects.filter(is_retired=False, course__classes__in=held.values("pk")).annotate(
        session=F("course__classes")
    )
    taken = TestAttempt.objects.filter(
        enrollment=OuterRef("pk"), test=OuterRef(OuterRef("pk")), is_struck=False, replaced_by=None
    )
    # Once a class is finished each outcome says what it rests on, and a test that the course added since was not asked.
    untested = ArraySubquery(seated.filter(outcome="").exclude(Exists(taken)).values("pk"))
    return [
        _row(begun.exclude(Exists(approved)), What.ROSTER, "pk"),
        _row(
            blocks.filter(ends_at__lte=now).annotate(who=unmarked).exclude(who=[]),
            What.ATTENDANCE,
            "session",
            "pk",
            F("who"),
        ),
        _row(tests.annotate(who=untested).exclude(who=[]), What.TEST, "session", "pk", F("who")),
        _row(past.filter(state=ClassState.PLANNED), What.FINISH, "pk"),
    ]


# In words


#: What is done about each item, and the page of the class on which it is.
MENDED: dict[What, tuple[str, str]] = {
    What.BLOCKS: ("Add blocks", "class-blocks"),
    What.LESSON_PLAN: ("Choose one", "class-change"),
    What.PLAN_FILE: ("Add it", "lesson-plan-detail"),
    What.OBJECTIVES: ("Write them down", "lesson-plan-detail"),
    What.PLAN_APPROVED: ("Write it down", "lesson-plan-detail"),
    What.PLAN_IN_FORCE: ("Choose another", "class-change"),
    What.INSTRUCTOR: ("Name one", "class-blocks"),
    What.QUALIFICATION: ("Look at the instructor", "instructor-detail"),
    What.CAPACITY: ("Change the capacity", "class-change"),
    What.ROSTER: ("Add it", "class-papers"),
    What.SIGN_IN: ("Add it", "class-papers"),
    What.REAL_TIMES: ("Enter the times", "class-times"),
    What.ATTENDANCE: ("Mark it", "class-attendance"),
    What.TEST: ("Enter scores", "class-tests"),
    What.FINISH: ("Finish it", "class-finish"),
}


#: Those mended on the page of the lesson plan.
OF_PLAN = frozenset({What.PLAN_FILE, What.OBJECTIVES, What.PLAN_APPROVED})


@dataclass(frozen=True, slots=True)
class Item:
    """One item for people: a sentence, what to do about it, and on which page."""

    what: What
    sentence: str
    act: str
    #: the name of an address
    page: str
    #: what the address takes, where it is none of the class
    args: tuple[Any, ...] = ()
    #: what the query says besides
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_of_class(self) -> bool:
        return not self.args


def items(
    session: ClassSession, blocks: Sequence[Meeting], seats: Sequence[Enrollment], *, now: datetime
) -> list[Item]:
    """What is missing from one class, in the order of `What` and of its blocks. At most three queries."""
    found = lacks([session.pk], now=now)
    numbers = {block.pk: number for number, block in enumerate(blocks, start=1)}
    wanted = {what: [lack.subject for lack in found if lack.what == what] for what in (What.TEST, What.QUALIFICATION)}
    told = Told(
        session,
        {block.pk: gather.block_name(numbers[block.pk], block) for block in blocks},
        gather.names_of(seats),
        _by_id(CourseTest.objects.filter(pk__in=wanted[What.TEST])) if wanted[What.TEST] else {},
        _by_id(Instructor.objects.select_related("officer").filter(pk__in=wanted[What.QUALIFICATION]))
        if wanted[What.QUALIFICATION]
        else {},
        numbers,
        [seat.pk for seat in seats if seat.state == SeatState.ENROLLED],
    )
    found.sort(key=lambda lack: (ORDER[lack.what], numbers.get(lack.subject, 0), lack.subject))
    return [told.item(lack) for lack in found]


def _by_id(rows: QuerySet[Any, Any]) -> dict[int, str]:
    return {row.pk: str(row) for row in rows}


@dataclass(frozen=True, slots=True)
class Told:
    """What the sentences are made of: names by id."""

    session: ClassSession
    blocks: Mapping[int, str]
    seats: Mapping[int, str]
    tests: Mapping[int, str]
    instructors: Mapping[int, str]
    numbers: Mapping[int, int]
    #: those who are expected to have been there
    seated: Collection[int]

    def item(self, lack: Lack) -> Item:
        act, page = MENDED[lack.what]
        plan = self.session.lesson_plan_id
        args: tuple[Any, ...] = (plan,) if lack.what in OF_PLAN else ()
        if lack.what is What.QUALIFICATION:
            args = (lack.subject,)
        query: dict[str, Any] = {}
        if lack.what is What.SIGN_IN:
            query = {"kind": ClassPaper.Kind.SIGN_IN.value, "block": self.numbers[lack.subject]}
        elif lack.what is What.ROSTER:
            query = {"kind": ClassPaper.Kind.ROSTER.value}
        return Item(lack.what, self._sentence(lack), act, page, args, query)

    def _sentence(self, lack: Lack) -> str:
        block = self.blocks.get(lack.subject, "")
        plan = self.session.lesson_plan
        match lack.what:
            case What.BLOCKS:
                return "No block is planned."
            case What.LESSON_PLAN:
                return "No lesson plan is named."
            case What.PLAN_FILE:
                return f"Lesson plan {plan}: its file is not here."
            case What.OBJECTIVES:
                return f"Lesson plan {plan}: no objective is written down."
            case What.PLAN_APPROVED:
                return f"Lesson plan {plan}: who approved it and when is not written down."
            case What.PLAN_IN_FORCE:
                return f"Lesson plan {plan} is not in force on every day of the class: it holds {_days(plan)}."
            case What.INSTRUCTOR:
                return f"{block}: no instructor is named."
            case What.QUALIFICATION:
                numbers = sorted(self.numbers[key] for key in lack.ids)
                of = f"block{'' if len(numbers) == 1 else 's'} {gather.runs(numbers)}"
                return f"{self.instructors[lack.subject]}: no qualification in force on the day of {of}."
            case What.CAPACITY:
                return f"More people have a seat than the class has places: it has {self.session.capacity}."
            case What.ROSTER:
                return "The approved roster is not here."
            case What.SIGN_IN:
                return f"{block}: the signed sign-in sheet is not here."
            case What.REAL_TIMES:
                return f"{block}: when it really began and ended is not entered."
            case What.ATTENDANCE:
                return f"{block}: attendance is not marked{self._for(lack.ids)}."
            case What.TEST:
                return f"{self.tests[lack.subject]}: no score is entered{self._for(lack.ids)}."
            case What.FINISH:
                return "The class is over and not finished yet."

    def _for(self, ids: Sequence[int]) -> str:
        """` for Bello, Frank; Ito, Carmen`; nothing where it is everybody."""
        if len(ids) == len(self.seated):
            return ""
        names = sorted((self.seats[key] for key in ids), key=str.casefold)
        rest = len(names) - MOST_NAMES
        return " for " + ("; ".join(names) if rest <= 1 else f"{'; '.join(names[:MOST_NAMES])}; and {rest} more")


def _days(plan: Any) -> str:
    if plan is None:
        return ""
    since = f"from {sentences.day(plan.start_on)}"
    return f"{since} to {sentences.day(plan.end_on)}" if plan.end_on else since
