"""Classes of a made-up department: taught and finished, being taught, planned, cancelled, one with gaps in its file.

Finished ones are the latest classes that the department's completions name, with the attendance and tests that these
completions say. The others are filled with those who need them most. The same department on the same day gives the
same classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from django.contrib.auth.models import User
from django.db.models import Count, Max
from django.utils import timezone

from compliance import suggestions
from compliance.demo.rows import Department
from compliance.engine import plus_months
from compliance.models import Standing
from roster import staffing
from roster.facts import changing_rules
from roster.models import Agency, Leave, Officer, open_on
from training import attendance, class_records, classes, instructors
from training import seats as seating
from training.classes import Details
from training.instructors import save_place
from training.models import (
    Attendance,
    ClassEvent,
    ClassSession,
    ClassState,
    Completion,
    Course,
    CourseTest,
    CourseTopic,
    Enrollment,
    Instructor,
    LessonPlan,
    Meeting,
    Outcome,
    Place,
    Qualification,
    Result,
    SeatState,
    TestAttempt,
    Topic,
)
from training.schedule import ONE_DAY, Block, Layout, lay_out

BASIC, REFRESHER, PRIMER = "CIT-40", "CIT-REF-8", "MHFA-PS"
#: The shipped topics: code, name.
TOPICS = (
    ("mental-health", "Mental health"),
    ("de-escalation", "De-escalation"),
    ("crisis-communication", "Crisis communication"),
    ("scenarios", "Scenarios"),
    ("partnerships", "Partnerships"),
)
#: Their hours, by course.
HOURS = {
    BASIC: {"mental-health": 12, "de-escalation": 10, "crisis-communication": 8, "scenarios": 8, "partnerships": 2},
    REFRESHER: {"mental-health": 2, "de-escalation": 3, "scenarios": 3},
}
TESTS = {BASIC: ("Written examination", 70), REFRESHER: ("Knowledge check", 70)}
#: Who gives these courses, and what the state approved them by.
PROVIDER = "Alder Bay Police Academy"
APPROVED = {BASIC: "AB-2291", REFRESHER: "AB-2304"}
OBJECTIVES = (
    "Recognise signs of a mental-health crisis and of what looks like one.\n"
    "Slow an encounter down with voice, distance and time.\n"
    "Name the services that take over, and how to reach them at night."
)
PLACES = (("Academy, room 1", 40), ("Academy, room 2", 24), ("Scenario house", 16))
ADDRESS = "12 Wharf Road"
#: Finished classes of each course that are kept: the latest, of so few people at least.
KEPT = {BASIC: 2, REFRESHER: 5}
FEWEST, MOST = 2, 40
#: Members that stay on each unit and shift while others are in class.
STAYING = 9


def hold_classes(department: Department, agency: Agency, *, by: User, shown: Officer) -> None:
    """Make the classes of a recorded department. `shown` is the member whose record the officer's sign-in opens."""
    _Academy(department.today, agency, by, shown).hold()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A class to make; the first place and the first two instructors who are free take it."""

    course: str
    first_day: date
    capacity: int
    #: blank = the next one of the course and year
    number: str = ""
    has_place: bool = True
    has_plan: bool = True


class _Academy:
    def __init__(self, today: date, agency: Agency, by: User, shown: Officer) -> None:
        self.today, self.agency, self.by, self.shown = today, agency, by, shown
        self.courses = {row.code: row for row in Course.objects.filter(code__in=(BASIC, REFRESHER, PRIMER))}
        self.seated: set[int] = {shown.pk}

    def hold(self) -> None:
        self._catalogue()
        self.places = [
            save_place(Place(agency=self.agency, name=name, capacity=capacity, address=ADDRESS), by=self.by)
            for name, capacity in PLACES
        ]
        self.instructors = self._instructors()
        staffing.set_minimums(self.agency, STAYING, {}, by=self.by)
        for code, number in KEPT.items():
            self._finished(code, number)
        self._with_gaps()
        self._to_finish(self._under_way())
        self._planned()

    def _catalogue(self) -> None:
        topics = {
            code: Topic.objects.get_or_create(code=code, defaults={"name": name, "order": 10 * place})[0]
            for place, (code, name) in enumerate(TOPICS, start=1)
        }
        with changing_rules(by=self.by, why="Topics, tests and lesson plans of the academy"):
            for code, hours in HOURS.items():
                course = self.courses[code]
                for topic, number in hours.items():
                    CourseTopic.objects.get_or_create(
                        course=course, topic=topics[topic], defaults={"hours": Decimal(number)}
                    )
                course.provider, course.state_approval = PROVIDER, APPROVED.get(code, "")
                course.save(update_fields=["provider", "state_approval"])
                name, mark = TESTS[code]
                CourseTest.objects.get_or_create(course=course, name=name, defaults={"pass_mark": Decimal(mark)})
                for version, start_on, end_on in self._plans():
                    LessonPlan.objects.get_or_create(
                        course=course,
                        version=version,
                        defaults={
                            "start_on": start_on,
                            "end_on": end_on,
                            "objectives": OBJECTIVES,
                            "approved_by": "Training Advisory Board",
                            "approved_on": start_on - 30 * ONE_DAY,
                        },
                    )

    def _plans(self) -> list[tuple[str, date, date | None]]:
        """Version, first and last day, as the transcripts name them: every class named one that was in force."""
        changed_on = date(plus_months(self.today, -120).year + 4, 1, 1)
        return [("2017", date(changed_on.year - 6, 1, 1), changed_on - ONE_DAY), ("2021", changed_on, None)]

    def _instructors(self) -> list[Instructor]:
        """Two members and two people from outside: in force, due within 90 days, out of date, none entered."""
        members = Officer.objects.filter(agency=self.agency).serving_on(self.today)
        teaching = list(members.exclude(pk=self.shown.pk).order_by("employee_id")[:2])
        self.seated.update(one.pk for one in teaching)
        first, second = (Instructor(agency=self.agency, officer=one) for one in teaching)
        third, fourth, fifth = (
            Instructor(agency=self.agency, name=name, employer=employer)
            for name, employer in (
                ("Ruth Osei", "Alder Bay Behavioral Health"),
                ("Daniel Kerr", "Family Alliance"),
                ("Ana Lind", "Alder Bay Behavioral Health"),
            )
        )
        begin = self.today - 3 * 365 * ONE_DAY
        for instructor, title, days in (
            (first, "State instructor certificate 4471", 400),
            (second, "State instructor certificate 5120", 45),
            (third, "Clinical faculty appointment", 200),
            (fourth, "Family-voice presenter", -20),
        ):
            held = Qualification(title=title, start_on=begin, end_on=self.today + days * ONE_DAY)
            instructors.save(instructor, [held], by=self.by)
        instructors.save(fifth, [], by=self.by)
        return [first, third, second, fourth]

    # --- one class ----------------------------------------------------------------------------------------------

    def _make(self, asked: _Asked) -> ClassSession:
        """Plan a class as a person would: laid out over days, in a place that is free, with instructors who are."""
        course = self.courses[asked.course]
        bare = lay_out(classes.parts_of(course), Layout(asked.first_day))
        place = next((one for one in self.places if self._is_free(bare, course, place=one)), None)
        place = place if asked.has_place else None
        free = [one for one in self.instructors if self._is_free(bare, course, instructor=one)]
        blocks = [
            Block(
                block.starts_at,
                block.ends_at,
                block.topic,
                place=place,
                # The first leads; the second joins them after the first morning.
                instructors=tuple(free[:1] if index < 1 else free[:2]) if asked.has_place else (),
            )
            for index, block in enumerate(bare)
        ]
        plans = classes.plans_in_force(course, blocks[0].day, blocks[-1].day)
        number = asked.number or classes.propose_number(self.agency, course, asked.first_day.year)
        details = Details(number, asked.capacity, plans.first() if asked.has_plan else None, place)
        token = uuid5(NAMESPACE_URL, f"{self.agency.code}/{number}/{asked.course}")
        return classes.plan(self.agency, course, details, blocks, token=token, by=self.by).session

    def _is_free(
        self,
        blocks: Sequence[Block],
        course: Course,
        *,
        place: Place | None = None,
        instructor: Instructor | None = None,
    ) -> bool:
        wanted = [
            Block(row.starts_at, row.ends_at, place=place, instructors=(instructor,) if instructor else ())
            for row in blocks
        ]
        return not classes.look_over(wanted, course=course, agency=self.agency, session=None).refusals

    def _seat(
        self, session: ClassSession, members: Iterable[Officer], state: SeatState = SeatState.ENROLLED
    ) -> list[Enrollment]:
        since = timezone.now()
        rows = [
            Enrollment(
                session=session,
                officer=one,
                state=state,
                enrolled_by=self.by,
                since=since + timedelta(milliseconds=place),
            )
            for place, one in enumerate(members)
        ]
        self.seated.update(row.officer_id for row in rows if row.officer_id is not None)
        return Enrollment.objects.bulk_create(rows)

    def _who_needs(self, requirement: str, number: int, day: date) -> list[Officer]:
        """Members without a seat who are due first, none of them away on that day or with evidence that waits."""
        away = Leave.objects.known().filter(open_on(self.today), start_on__lte=day)
        rows = (
            Standing.objects.filter(open_on(day), requirement__code=requirement, start_on__lte=day)
            .filter(state__in=("overdue", "in_grace", "current"), officer__agency=self.agency)
            .exclude(officer__in=away.values("officer"))
            .exclude(officer__in=self.seated)
            .exclude(officer__in=Completion.objects.known().filter(evidence="pending").values("officer"))
            .order_by("has_credit", "due_on", "officer__employee_id")
            .select_related("officer")
        )
        return [row.officer for row in rows[:number]]

    def _marks(self, seats: Sequence[Enrollment], blocks: Sequence[Meeting], missed: dict[int, int]) -> None:
        """Everybody was in every block, but for `missed`: place in the list -> place of the block missed."""
        Attendance.objects.bulk_create(
            Attendance(
                enrollment=seat,
                meeting=block,
                minutes=0 if missed.get(place) == index else _length(block),
                entered_by=self.by,
            )
            for index, block in enumerate(blocks)
            for place, seat in enumerate(seats)
        )

    # --- finished -----------------------------------------------------------------------------------------------

    def _finished(self, code: str, number: int) -> None:
        course = self.courses[code]
        found = (
            Completion.objects.known()
            .filter(course=course, completed_on__gte=self.today - 365 * ONE_DAY, completed_on__lt=self.today)
            .exclude(class_number="")
            .values("class_number")
            .annotate(day=Max("completed_on"), people=Count("pk"))
            .filter(people__gte=FEWEST, people__lte=MOST)
            .order_by("-day", "class_number")
        )
        for row in found[:number]:
            last: date = row["day"]
            # A CIT class ends on a Friday after five days; a refresher is one day.
            first = last - (4 if code == BASIC else 0) * ONE_DAY
            if first.weekday() < 5 and first.weekday() <= last.weekday():
                self._close(self._make(_Asked(code, first, MOST, row["class_number"])))

    def _close(self, session: ClassSession) -> None:
        """Seats, attendance and tests as the completions of the class say, real times as planned; finished."""
        blocks = list(session.meetings.order_by("starts_at"))
        for block in blocks:
            block.began_at, block.ended_at = block.starts_at, block.ends_at
        Meeting.objects.bulk_update(blocks, ["began_at", "ended_at"])
        completions = list(
            Completion.objects.known()
            .filter(course=session.course, class_number=session.number)
            .select_related("officer", "recorded_in")
            .order_by("officer__employee_id")
        )
        seats = self._seat(session, [row.officer for row in completions])
        self.seated.difference_update(seat.officer_id for seat in seats if seat.officer_id is not None)
        for seat, row in zip(seats, completions, strict=True):
            seat.completion, seat.outcome, seat.outcome_score = row, Outcome(row.result), row.score
            seat.outcome_on = row.completed_on if row.result == Result.PASSED else None
            seat.outcome_attendance = row.attendance if row.attendance is not None else Decimal(100)
        fields = ["completion", "outcome", "outcome_on", "outcome_score", "outcome_attendance"]
        Enrollment.objects.bulk_update(seats, fields)
        total = sum(map(_length, blocks))
        lines = []
        for seat, row in zip(seats, completions, strict=True):
            left = int(total * (row.attendance if row.attendance is not None else 100) / 100)
            for block in blocks:
                there = min(_length(block), left)
                left -= there
                lines.append(Attendance(enrollment=seat, meeting=block, minutes=there, entered_by=self.by))
        Attendance.objects.bulk_create(lines)
        test = CourseTest.objects.get(course=session.course)
        TestAttempt.objects.bulk_create(
            TestAttempt(enrollment=seat, test=test, taken_on=row.completed_on, score=row.score, entered_by=self.by)
            for seat, row in zip(seats, completions, strict=True)
            if row.score is not None
        )
        change = max((row.recorded_in for row in completions), key=lambda one: one.pk)
        passed = sum(row.result == "passed" for row in completions)
        session.state, session.finished_in = ClassState.FINISHED, change
        session.asked = class_records.read(session).asked.plain()
        session.save(update_fields=["state", "finished_in", "asked"])
        told = f"{passed} of {len(completions)} passed"
        ClassEvent.objects.create(session=session, what=ClassEvent.What.FINISHED, told=told, change=change, by=self.by)

    # --- not finished -------------------------------------------------------------------------------------------

    def _with_gaps(self) -> None:
        """A refresher taught and not finished, whose file lacks a lesson plan, an instructor, real times and tests."""
        day = _weekday(self.today - 12 * ONE_DAY, -ONE_DAY)
        session = self._make(_Asked(REFRESHER, day, 20, has_plan=False))
        blocks = list(session.meetings.order_by("starts_at"))
        blocks[-1].teaching.all().delete()
        first = blocks[0]
        first.began_at, first.ended_at = first.starts_at, first.ends_at
        first.save(update_fields=["began_at", "ended_at"])
        seats = self._seat(session, self._who_needs("calea-41.2.7-refresher", 14, day))
        self._marks(seats, blocks[:1], {})
        test = CourseTest.objects.get(course=session.course)
        TestAttempt.objects.bulk_create(
            TestAttempt(enrollment=seat, test=test, taken_on=day, score=Decimal(72 + 2 * place), entered_by=self.by)
            for place, seat in enumerate(seats[:9])
        )

    def _to_finish(self, later: ClassSession) -> None:
        """A 40-hour class to finish: one missed two blocks and made them up in the later class, one was tested again
        after remedial training, one failed, one did not come.
        """
        first = _monday(self.today - 20 * ONE_DAY)
        session = self._make(_Asked(BASIC, first, 20))
        blocks = list(session.meetings.order_by("starts_at"))
        for block in blocks:
            block.began_at, block.ended_at = block.starts_at, block.ends_at
        Meeting.objects.bulk_update(blocks, ["began_at", "ended_at"])
        seats = self._seat(session, self._who_needs("all-patrol", 12, first))
        came, absent = seats[:-1], seats[-1:]
        self._marks(came, blocks[:2], dict.fromkeys([3], 0) | {5: 1})
        self._marks(came, blocks[2:], {5: 0})
        for seat in absent:
            attendance.say_absent(seat, came=False, by=self.by, today=self.today, why="Held over on a night shift")
        if len(came) > 5:
            missed = [blocks[1], blocks[2]]
            for block, made_up_in in zip(missed, later.meetings.order_by("starts_at"), strict=False):
                attendance.make_up(came[5], block, made_up_in, minutes=None, by=self.by, today=self.today)
        test = CourseTest.objects.get(course=session.course)
        taken_on = timezone.localdate(blocks[-1].starts_at)
        scores = {seat: Decimal({2: 62, 4: 58}.get(place, 78 + 2 * place)) for place, seat in enumerate(came)}
        attempts: list[tuple[Enrollment, date, Decimal, date | None]] = [
            (seat, taken_on, score, None) for seat, score in scores.items()
        ]
        attempts += [(seat, taken_on + 4 * ONE_DAY, Decimal(81), taken_on + 3 * ONE_DAY) for seat in came[2:3]]
        TestAttempt.objects.bulk_create(
            TestAttempt(
                enrollment=seat, test=test, taken_on=day, score=score, remedial_on=remedial_on, entered_by=self.by
            )
            for seat, day, score, remedial_on in attempts
        )

    def _under_way(self) -> ClassSession:
        """A 40-hour class of which two days have been taught, full, with somebody from elsewhere and a waitlist."""
        first = self.today
        for _ in range(2):
            first = _weekday(first - ONE_DAY, -ONE_DAY)
        session = self._make(_Asked(BASIC, first, 20))
        people = self._who_needs("all-patrol", 22, first)
        seats = self._seat(session, people[:19])
        self._seat(session, people[19:], SeatState.WAITLISTED)
        seats += Enrollment.objects.bulk_create(
            [
                Enrollment(
                    session=session,
                    outside_name="Tessa Moreau",
                    outside_agency="Alder County Sheriff",
                    outside_id="2207",
                    enrolled_by=self.by,
                    since=timezone.now(),
                )
            ]
        )
        held = [row for row in session.meetings.order_by("starts_at") if _is_before(row.ends_at, self.today)]
        for block in held:
            block.began_at, block.ended_at = block.starts_at, block.ends_at
        Meeting.objects.bulk_update(held, ["began_at", "ended_at"])
        self._marks(seats, held, {4: 1})
        return session

    def _planned(self) -> None:
        """A refresher with a waitlist and the shown officer's seat, a CIT class, one without a place, one cancelled."""
        near = _weekday(self.today + 12 * ONE_DAY, ONE_DAY)
        refresher = self._make(_Asked(REFRESHER, near, 16))
        people = self._who_needs("calea-41.2.7-refresher", 18, near)
        self._seat(refresher, [self.shown, *people[:15]])
        self._seat(refresher, people[15:17], SeatState.WAITLISTED)
        later = _monday(self.today + 21 * ONE_DAY)
        basic = self._make(_Asked(BASIC, later, 24))
        found = suggestions.suggest(basic, 15, agencies=[self.agency.pk], today=self.today)
        seating.enrol(basic, [each.officer for each in found.picked], by=self.by, now=timezone.now())
        far = _weekday(self.today + 60 * ONE_DAY, ONE_DAY)
        self._make(_Asked(PRIMER, far, 30, has_place=False))
        off = _weekday(self.today + 20 * ONE_DAY, ONE_DAY)
        cancelled = self._make(_Asked(REFRESHER, off, 16))
        classes.cancel(cancelled, why="The building has no heating that week", by=self.by)


def _length(block: Meeting) -> int:
    return int((block.ends_at - block.starts_at).total_seconds()) // 60


def _is_before(moment: datetime, day: date) -> bool:
    return timezone.localdate(moment) < day


def _weekday(day: date, step: timedelta) -> date:
    """The day itself, or the next one that is taught in the direction of the step."""
    while day.weekday() >= 5:
        day += step
    return day


def _monday(day: date) -> date:
    return day + (7 - day.weekday()) % 7 * ONE_DAY
