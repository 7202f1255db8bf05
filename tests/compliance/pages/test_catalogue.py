"""The catalogue by form: what nobody is judged by is saved at once, what they are is previewed first."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test.utils import override_settings
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance.models import Job, Standing
from compliance.standings import differences
from roster.models import TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_agency, make_class, make_course, make_lesson_plan, make_topic, make_user
from tests.uploads import PDF, sent
from tests.waiting_jobs import work
from training.models import ClassState, Course, CourseTest, Enrollment, TestAttempt

pytestmark = pytest.mark.django_db

#: Work in a job writes its progress over a connection of its own.
in_jobs = pytest.mark.django_db(transaction=True)


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def said(course: Course | None = None, tests: tuple[dict[str, Any], ...] = (), **values: Any) -> dict[str, Any]:
    """What the form sends: a course as it is, with these values instead."""
    sent: dict[str, Any] = {"code": "NEW-8", "title": "New course", "kind": "refresher", "mode": "classroom"}
    if course is not None:
        sent = {
            name: getattr(course, name) for name in ("code", "title", "kind", "mode", "min_score", "min_attendance")
        }
        sent["hours"] = "" if course.hours is None else course.hours
    sent |= {"tests-TOTAL_FORMS": len(tests), "tests-INITIAL_FORMS": 0, "why": "Curriculum committee"}
    for number, test in enumerate(tests):
        sent |= {f"tests-{number}-{name}": value for name, value in test.items()}
    return sent | values


def test_a_course_is_added_with_topics_tests_and_prerequisites(cast: Cast) -> None:
    scenarios, health = make_topic("Scenarios"), make_topic("Mental health")
    exam = {"name": "Written  exam", "pass_mark": "80"}
    sent = said(None, (exam,), hours="8", provider="State college", prerequisites=[cast.basic.pk])

    response = cast.client("academy").post(
        reverse("course-add"), sent | {f"topic-{scenarios.pk}": "5.5", f"topic-{health.pk}": "2.5"}
    )
    page = words(cast.client("commander").get(reverse("course-detail", args=["new-8"])))

    assert response["Location"] == reverse("course-detail", args=["NEW-8"])
    course = Course.objects.get(code="NEW-8")
    assert (course.hours, course.provider, course.title_key) == (Decimal(8), "State college", "new course")
    assert list(course.prerequisites.all()) == [cast.basic]
    assert {row.topic.name: row.hours for row in course.topics.all()} == {
        "Scenarios": Decimal("5.5"),
        "Mental health": Decimal("2.5"),
    }
    assert [(test.name, test.pass_mark) for test in course.tests.all()] == [("Written exam", Decimal(80))]
    assert "Written exam (80 %)" in page
    assert "All topics 8 of 8" in page
    line = TrailLine.objects.get(what="course")
    assert (line.act, line.by, line.why) == ("added", cast.users["academy"], "Curriculum committee")
    assert line.after["topics"] == "Mental health 2.5 h; Scenarios 5.5 h"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"code": "cit-40"}, "There is a course with this code. Choose another.", id="code-taken"),
        pytest.param({"title": "cit  Basic COURSE"}, "Course CIT-40 has this title", id="title-taken"),
        pytest.param({"hours": "many"}, "write the hours as a number", id="hours-no-number"),
        pytest.param({"hours": "0"}, "greater than or equal to 0.01", id="hours-none"),
        pytest.param({"min_score": "101"}, "less than or equal to 100", id="mark-above-100"),
        pytest.param({"why": " "}, "Say why", id="no-reason"),
        pytest.param({"prerequisites": ["999999"]}, "999999 is not one of the available choices", id="no-such-course"),
        pytest.param({"tests-TOTAL_FORMS": "1", "tests-0-pass_mark": "70"}, "Name the test", id="mark-without-test"),
        pytest.param(
            {"tests-TOTAL_FORMS": "2", "tests-0-name": "Exam", "tests-1-name": "EXAM"},
            "has a test of this name already",
            id="test-twice",
        ),
        pytest.param({"tests-TOTAL_FORMS": "5000"}, "at most 20", id="too-many-tests"),
    ],
)
def test_bad_input_is_told_and_nothing_is_saved(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    before = Course.objects.count()

    response = cast.client("academy").post(reverse("course-add"), said(**values))

    assert response.status_code == 400
    assert sentence in words(response)
    assert "New course" in response.content.decode() or "title" in values
    assert Course.objects.count() == before


def test_topics_with_more_hours_than_the_course_are_refused(cast: Cast) -> None:
    topic = make_topic("Scenarios")

    response = cast.client("academy").post(reverse("course-add"), said(hours="4") | {f"topic-{topic.pk}": "4.5"})

    assert response.status_code == 400
    assert "The topics have 4.5 hours, more than the course." in words(response)


def test_what_nobody_is_judged_by_is_saved_at_once(cast: Cast) -> None:
    response = cast.client("academy").post(
        reverse("course-change", args=["CIT-40"]), said(cast.basic, state_approval="POST 4471")
    )

    assert response["Location"] == reverse("course-detail", args=["CIT-40"])
    assert Course.objects.get(code="CIT-40").state_approval == "POST 4471"
    assert Job.objects.count() == 0
    page = Shown(cast.client("chief").get(response["Location"]))
    (line,) = page.rows("What was changed, the latest first")
    assert line[1:5] == ["academy", "page", "changed", "state approval number: blank → POST 4471"]
    assert "What was changed" not in words(cast.client("commander").get(response["Location"]))


@in_jobs
def test_a_higher_pass_mark_is_previewed_and_judges_everybody_anew_once_in_force(cast: Cast) -> None:
    complete(cast.jonah, cast.basic, date(2024, 2, 29), score=75)
    client = cast.client("academy")

    answer = client.post(reverse("course-change", args=["CIT-40"]), said(cast.basic, min_score="80"))
    page = words(client.get(answer["Location"]))
    kept = Course.objects.get(code="CIT-40").min_score
    before = Standing.objects.filter(officer=cast.jonah, has_credit=True).exists()
    client.post(answer["Location"])
    work()

    assert "CIT basic course (CIT-40)" in page
    assert "change" in page
    assert (kept, before) == (Decimal(0), True)
    assert Course.objects.get(code="CIT-40").min_score == Decimal(80)
    assert not Standing.objects.filter(officer=cast.jonah, has_credit=True).exists()
    assert differences() == {}
    line = TrailLine.objects.get(what="course")
    assert (line.before, line.after) == ({"pass mark, percent": "0"}, {"pass mark, percent": "80"})


@in_jobs
def test_a_title_that_files_brought_becomes_the_course_after_a_preview(cast: Cast) -> None:
    brought = make_course("T-1", title="New course", title_key="new course", is_from_title=True)
    complete(cast.jonah, brought, date(2024, 2, 29))
    client = cast.client("academy")

    answer = client.post(reverse("course-add"), said(hours="8"))
    saved = Course.objects.filter(code="NEW-8").exists()
    client.post(answer["Location"])
    work()

    assert answer["Location"].startswith("/course-rules/")
    assert saved is False
    brought.refresh_from_db()
    assert brought.same_as == Course.objects.get(code="NEW-8")


def test_prerequisites_that_ask_for_each_other_are_refused(cast: Cast) -> None:
    middle = make_course("MID", title="Middle", title_key="middle")
    middle.prerequisites.add(cast.refresher)
    cast.basic.prerequisites.add(middle)

    response = cast.client("academy").post(
        reverse("course-change", args=["CIT-REF-8"]), said(cast.refresher, prerequisites=[cast.basic.pk])
    )

    assert response.status_code == 400
    assert "nobody could take either" in words(response)
    assert cast.refresher.prerequisites.count() == 0


def test_a_test_that_people_took_is_retired_and_never_taken_away(cast: Cast) -> None:
    taken = CourseTest.objects.create(course=cast.basic, name="Written exam")
    CourseTest.objects.create(course=cast.basic, name="Never given")
    seat = Enrollment.objects.create(
        session=make_class("C-1", cast.basic), officer=cast.amara, since="2026-01-05T08:00:00+00:00"
    )
    TestAttempt.objects.create(enrollment=seat, test=taken, taken_on=date(2026, 1, 9), score=90)

    cast.client("academy").post(reverse("course-change", args=["CIT-40"]), said(cast.basic))

    assert [(test.name, test.is_retired) for test in cast.basic.tests.all()] == [("Written exam", True)]


def test_the_code_of_a_course_stays(cast: Cast) -> None:
    cast.client("academy").post(reverse("course-change", args=["CIT-40"]), said(cast.basic, code="OTHER"))

    assert Course.objects.filter(code="CIT-40").exists()
    assert not Course.objects.filter(code="OTHER").exists()


def test_who_reads_one_agency_of_several_changes_no_course(cast: Cast) -> None:
    make_agency("sheriff", "County Sheriff")
    cast.users["local"] = make_user("academy", "local", agency=cast.central.agency)

    client = cast.client("local")

    assert client.get(reverse("course-change", args=["CIT-40"])).status_code == 404
    assert client.post(reverse("course-add"), said()).status_code == 404
    assert client.post(reverse("topic-list"), {"code": "x", "name": "X", "order": 1}).status_code == 404
    assert client.get(reverse("course-detail", args=["CIT-40"])).status_code == 200


def test_a_topic_is_added_once_and_renamed(cast: Cast) -> None:
    client = cast.client("academy")
    topic = make_topic("Partnerships")

    client.post(reverse("topic-list"), {"code": "veterans", "name": "Veterans", "order": "60"})
    twice = client.post(reverse("topic-list"), {"code": "VETERANS", "name": "Again", "order": "60"})
    client.post(reverse("topic-change", args=[topic.pk]), {"code": topic.code, "name": "Community", "order": "50"})

    assert twice.status_code == 400
    assert "There is a topic with this code." in words(twice)
    topic.refresh_from_db()
    assert topic.name == "Community"
    assert [line.act for line in TrailLine.objects.filter(what="topic").order_by("pk")] == ["added", "changed"]


def test_a_lesson_plan_says_its_objectives_and_approval(cast: Cast) -> None:
    plan = make_lesson_plan(cast.basic, "v2025", date(2025, 1, 1))
    client = cast.client("academy")
    address = reverse("lesson-plan-detail", args=[plan.pk])

    late = client.post(address, {"objectives": "", "approved_by": "Board", "approved_on": "2999-01-01"})
    client.post(address, {"objectives": " Listen \n\n Slow down", "approved_by": "Board", "approved_on": "2024-12-02"})
    page = words(client.get(address))

    assert late.status_code == 400
    plan.refresh_from_db()
    assert (plan.objectives, plan.approved_on) == ("Listen\nSlow down", date(2024, 12, 2))
    assert "Board, 2 Dec 2024" in page
    assert TrailLine.objects.get(what="lesson_plan").after["objectives"] == "Listen\nSlow down"


def test_the_file_of_a_lesson_plan_is_kept_handed_out_and_judged_by_its_content(cast: Cast, tmp_path: Path) -> None:
    plan = make_lesson_plan(cast.basic, "v2025", date(2025, 1, 1))
    client = cast.client("academy")
    address = reverse("lesson-plan-detail", args=[plan.pk])

    with override_settings(MEDIA_ROOT=str(tmp_path)):
        wrong = client.post(address, {"objectives": "Listen", "file": sent(b"<html></html>", "plan.pdf")})
        client.post(address, {"objectives": "Listen", "file": sent(PDF, "plan 2025.pdf")})
        plan.refresh_from_db()
        assert plan.file is not None
        file = cast.client("commander").get(reverse("file", args=[plan.file.key]))
        content = b"".join(file)
        refused = cast.client("officer").get(reverse("file", args=[plan.file.key]))
        before = f"plan 2025.pdf, SHA-256 {plan.file.sha256}"
        client.post(address, {"objectives": "Listen", "file": sent(PDF + b"\n", "plan 2025.pdf")})

    line = TrailLine.objects.filter(about=plan.pk).latest("pk")
    assert (line.before, line.after["file"] == before) == ({"file": before}, False)
    assert wrong.status_code == 400
    assert "Listen" in wrong.content.decode()
    assert (plan.file.name, plan.file.content_type, content) == ("plan 2025.pdf", "application/pdf", PDF)
    assert file["Content-Disposition"].startswith("attachment")
    assert refused.status_code == 404
    assert "plan 2025.pdf" in words(client.get(address))


def test_what_a_finished_class_was_taught_from_is_added_to_and_never_replaced(cast: Cast, tmp_path: Path) -> None:
    plan = make_lesson_plan(cast.basic, "v2025", date(2025, 1, 1))
    make_class("C-1", cast.basic, lesson_plan=plan, state=ClassState.FINISHED)
    client = cast.client("academy")
    address = reverse("lesson-plan-detail", args=[plan.pk])
    says = {"objectives": "Listen", "approved_by": "Board", "approved_on": "2024-12-02"}

    with override_settings(MEDIA_ROOT=str(tmp_path)):
        client.post(address, says)
        client.post(address, says | {"file": sent(PDF, "plan.pdf")})
        refused = client.post(address, says | {"objectives": "Talk", "file": sent(PDF, "other.pdf")})
        approved = client.post(address, says | {"approved_by": "Advisory board"})

    plan.refresh_from_db()
    assert plan.file is not None
    assert (plan.objectives, plan.file.name, plan.approved_by) == ("Listen", "plan.pdf", "Advisory board")
    assert (refused.status_code, approved.status_code) == (400, 302)
    page = words(refused)
    assert "Finished classes were taught from these objectives, and their class files keep it." in page
    assert "Finished classes were taught from this file, and their class files keep it." in page


def test_the_page_of_a_course_says_how_far_its_classes_are(cast: Cast) -> None:
    make_class("C-1", cast.basic, days=[date(2026, 3, 2)])
    make_class("C-2", cast.basic, days=[date(2099, 3, 2)])

    page = words(cast.client("commander").get(reverse("course-detail", args=["CIT-40"])))

    assert "C-2 2 Mar 2099 · planned C-1 2 Mar 2026 · taught, not finished" in page


def test_the_page_of_a_course_asks_the_same_number_of_queries_whatever_it_has(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client("academy")
    address = reverse("course-detail", args=["CIT-40"])
    for number in range(30):
        make_lesson_plan(cast.basic, f"v{number}", date(2020, 1, 1))
        make_class(f"C-{number}", cast.basic)

    # session, user, roles, units, course, its three lists, plans, equivalencies both ways, lists of editions (3),
    # classes, completions, whether an agency is out of reach, lines of changes counted
    with django_assert_num_queries(17):
        response = client.get(address)

    assert response.status_code == 200
