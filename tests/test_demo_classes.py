"""The demo's classes: of every state, nobody and nothing in two places at once, the same on the same day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time

import pypdf
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Count, Max, Min, Q, Sum
from django.utils.timezone import make_aware
from pytest_django import DjangoDbBlocker

from compliance import standings
from compliance.class_papers import gather, missing
from compliance.demo import make_department, record_department
from compliance.demo.desk import lay_on_desk
from compliance.demo.papers import add_papers
from compliance.demo.sign_ins import make_users
from compliance.demo.taught import hold_classes
from roster.files import open_file
from roster.models import Merge, Officer
from training import classes, duplicates, finish
from training.certificates import lacking
from training.completions import files_of
from training.instructors import Fitness, due
from training.models import (
    Attendance,
    Certificate,
    ClassSession,
    Completion,
    CourseTest,
    Enrollment,
    Instructor,
    LessonPlan,
    Meeting,
    ProposedCorrection,
    TestAttempt,
)

#: A Sunday: no class is taught on the day itself, and yet one is under way.
TODAY = date(2026, 11, 22)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shown(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Officer]:
    """The member of the officer's sign-in, in a department with its classes; recorded once, emptied at the end."""
    department = make_department(120, today=TODAY)
    with django_db_blocker.unblock():
        users = make_users()
        agency = record_department(department, by=users)
        officer = Officer.objects.filter(agency=agency).serving_on(TODAY).latest("employee_id")
        hold_classes(department, agency, by=users["academy"], shown=officer)
        add_papers(agency, by=users["academy"])
        lay_on_desk(agency, users, today=TODAY, shown=officer)
    yield officer
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)


def test_there_is_a_class_of_every_state(shown: Officer) -> None:
    found = ClassSession.objects.annotate(first=Min("meetings__starts_at__date"), last=Max("meetings__ends_at__date"))

    under_way = found.get(state="planned", first__lt=TODAY, last__gt=TODAY)
    to_finish = found.get(state="planned", last__lt=TODAY, course__code="CIT-40")
    gaps = found.get(state="planned", last__lt=TODAY, course__code="CIT-REF-8")
    coming = found.filter(state="planned", first__gt=TODAY)

    assert Counter(row.state for row in found)["finished"] >= 2
    assert Counter(row.state for row in found)["cancelled"] == 1
    assert (under_way.course.code, under_way.meetings.filter(began_at__isnull=False).count() > 0) == ("CIT-40", True)
    assert (gaps.lesson_plan, gaps.meetings.filter(teaching=None).count()) == (None, 1)
    lines = finish.plan(to_finish, by=None, today=TODAY).lines
    assert {line.judgement.verdict for line in lines} >= {"passed", "no_show"}
    assert Attendance.objects.exclude(made_up_in=None).count() == 2
    assert sorted(row.course.code for row in coming) == ["CIT-40", "CIT-REF-8", "MHFA-PS"]


def test_finished_classes_say_what_their_completions_say(shown: Officer) -> None:
    seats = Enrollment.objects.filter(session__state="finished").select_related("completion", "session__course")

    assert seats.count() > 0
    for seat in seats:
        completion = seat.completion
        assert completion is not None
        assert (completion.officer_id, completion.class_number) == (seat.officer_id, seat.session.number)
        assert seat.outcome == completion.result
        minutes = Attendance.objects.filter(enrollment=seat).aggregate(sum=Sum("minutes"))["sum"]
        hours = completion.course.hours
        assert hours is not None
        assert minutes == int(hours * 60 * (100 if completion.attendance is None else completion.attendance) / 100)
        attempts = TestAttempt.objects.filter(enrollment=seat).values_list("score", flat=True)
        assert list(attempts) == ([] if completion.score is None else [completion.score])


def lacked(session: ClassSession) -> list[str]:
    now = make_aware(datetime.combine(TODAY, time(12)))
    return [item.what for item in missing.items(session, gather.blocks_of(session), gather.seats_of(session), now=now)]


def test_everybody_who_passed_has_a_certificate_and_one_class_file_is_whole(shown: Officer) -> None:
    finished = ClassSession.objects.filter(state="finished").annotate(last=Max("meetings__ends_at")).order_by("last")
    before, last = list(finished.select_related("course", "lesson_plan"))[-2:]

    assert {session.number: lacking(session) for session in finished} == {row.number: 0 for row in finished}
    assert list(Certificate.objects.order_by("pk").values_list("serial", flat=True)) == list(
        range(1, Certificate.objects.count() + 1)
    )
    assert lacked(last) == []
    assert lacked(before) == ["roster", *["sign_in"] * before.meetings.count()]


def test_every_lesson_plan_has_its_file(shown: Officer) -> None:
    plans = LessonPlan.objects.select_related("file", "course").order_by("pk")

    assert len(plans) == 4
    for plan in plans:
        assert plan.file is not None
        assert (plan.file.content_type, plan.file.name) == (
            "application/pdf",
            f"{plan.course.code} lesson plan {plan.version}.pdf",
        )
        text = pypdf.PdfReader(open_file(plan.file)).pages[0].extract_text()
        assert f"Lesson plan {plan.version}: {plan.course.title}" in text


def test_one_thing_of_each_kind_lies_on_the_desk(shown: Officer) -> None:
    outside = Completion.objects.known().get(certificate_number="SC-20417")
    reported = Completion.objects.known().get(certificate_number="HC-88213")
    session = Enrollment.objects.get(officer=outside.officer, session__state="planned").session
    asked = finish.plan(session, by=None, today=TODAY).asked
    pairs = duplicates.stored_pairs(None, since=date(2020, 1, 1))
    merge = Merge.objects.get()

    assert [(line.seat.officer, line.twins) for line in asked] == [(outside.officer, (outside,))]
    assert (outside.evidence, reported.evidence, reported.officer) == ("pending", "pending", shown)
    assert all(files_of([row.pk])[row.pk] for row in (outside, reported))
    assert reported.recorded_in.by == User.objects.get(username="officer")
    assert ProposedCorrection.objects.get().state == "open"
    assert [(pair.apart, pair.first.course.code) for pair in pairs] == [(1, "FAID-CPR")] * 3
    assert (merge.second.merged_into, merge.undone_at) == (merge.kept, None)


def test_nobody_has_two_seats_to_come_and_everybody_waiting_comes_after_a_full_class(shown: Officer) -> None:
    planned = Enrollment.objects.filter(session__state="planned", officer__isnull=False)

    assert planned.values("officer").annotate(seats=Count("pk")).filter(seats__gt=1).count() == 0
    assert planned.filter(officer=shown, state="enrolled").count() == 1
    for session in ClassSession.objects.annotate(
        taken=Count("enrollments", Q(enrollments__state="enrolled")),
        waiting=Count("enrollments", Q(enrollments__state="waitlisted")),
    ):
        assert session.taken <= session.capacity
        assert session.waiting == 0 or session.taken == session.capacity


def test_every_class_could_have_been_planned_by_hand(shown: Officer) -> None:
    for session in ClassSession.objects.exclude(state="cancelled").select_related("course", "agency"):
        blocks = classes.blocks_of(session)
        found = classes.look_over(blocks, course=session.course, agency=session.agency, session=session)
        assert found.refusals == []
        assert sum((block.ends_at - block.starts_at).total_seconds() for block in blocks) == (
            float(session.course.hours or 0) * 3600
        )


def test_the_lesson_plans_of_the_academy_change_nobodys_standing(shown: Officer) -> None:
    assert standings.differences() == {}


def test_instructors_are_in_force_due_out_of_date_and_unknown(shown: Officer) -> None:
    found = {due(one.qualifications.all(), today=TODAY).fitness for one in Instructor.objects.all()}

    assert found == set(Fitness)
    assert CourseTest.objects.count() == 2
    assert Meeting.objects.filter(session__state="planned", place=None).values("session").distinct().count() == 1
