"""Equivalencies and lesson plans by form: previewed, put in force once, refused with a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import course_rules
from compliance.models import Job, Standing
from compliance.standings import differences
from roster.models import TrailLine
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import complete, make_agency, make_course, make_equivalency, make_lesson_plan, make_user
from tests.waiting_jobs import work
from training.models import Course, Equivalency, LessonPlan

pytestmark = pytest.mark.django_db(transaction=True)


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


@pytest.fixture(autouse=True)
def _day(hold_day: Callable[[date], None]) -> None:
    """A day on which a course of 29 Feb 2024 is still current."""
    hold_day(date(2026, 11, 20))


@pytest.fixture
def outside(cast: Cast) -> Course:
    """A state course that Jonah took on 29 Feb 2024 and that counts toward nothing yet."""
    course = make_course("STATE-40", title="State course", title_key="state course")
    complete(cast.jonah, course, date(2024, 2, 29))
    return course


def equivalency(cast: Cast, outside: Course, **values: Any) -> dict[str, Any]:
    said = {"approved_by": "Academy director", "why": "Same curriculum", "start_on": "2020-01-01"}
    return {"course": outside.pk, "counts_as": cast.basic.pk, **said, **values}


def preview(cast: Cast, name: str, data: dict[str, Any], *args: Any, role: str = "academy") -> str:
    response = cast.client(role).post(reverse(name, args=args), data)
    assert response.status_code == 302, words(response)
    return str(response["Location"])


def test_an_equivalency_is_previewed_and_put_in_force(cast: Cast, outside: Course) -> None:
    client = cast.client("academy")

    address = preview(cast, "equivalency-add", equivalency(cast, outside))
    page = words(client.get(address))
    saved = Equivalency.objects.count()
    client.post(address)
    work()

    assert "1 member changes state today" in page
    assert "Requirement refresher ▲ overdue → ✓ current 1" in page
    assert saved == 0
    row = Equivalency.objects.get()
    assert (row.course, row.counts_as, row.start_on, row.end_on) == (outside, cast.basic, date(2020, 1, 1), None)
    assert Standing.objects.get(officer=cast.jonah, state="current").due_on == date(2027, 2, 28)
    assert differences() == {}
    line = TrailLine.objects.get(what="equivalency")
    assert (line.by, line.via, line.why) == (cast.users["academy"], "page", "Same curriculum")


def test_put_in_force_twice_saves_once(cast: Cast, outside: Course) -> None:
    client = cast.client("academy")
    address = preview(cast, "equivalency-add", equivalency(cast, outside))

    first, second = client.post(address), client.post(address)
    work()
    third = client.post(address, follow=True)

    assert first["Location"] == second["Location"]
    assert Equivalency.objects.count() == 1
    assert third.status_code == 200
    assert Job.objects.filter(kind=course_rules.CHANGE).count() == 1


def test_a_job_done_again_saves_once(cast: Cast, outside: Course) -> None:
    cast.client("academy").post(preview(cast, "equivalency-add", equivalency(cast, outside)))
    work()
    Job.objects.filter(kind=course_rules.CHANGE).update(state="waiting", attempts=1)

    work()

    assert (Equivalency.objects.count(), Job.objects.get(kind=course_rules.CHANGE).state) == (1, "done")


def test_a_preview_that_is_outdated_is_not_put_in_force(cast: Cast, outside: Course) -> None:
    client = cast.client("academy")
    address = preview(cast, "equivalency-add", equivalency(cast, outside))
    complete(cast.amara, outside, date(2024, 5, 3))

    response = client.post(address, follow=True)

    assert course_rules.OUTDATED in words(response)
    assert Equivalency.objects.count() == 0


def test_of_two_who_save_at_once_the_second_is_told(cast: Cast, outside: Course) -> None:
    one = preview(cast, "equivalency-add", equivalency(cast, outside))
    other = preview(cast, "equivalency-add", equivalency(cast, outside), role="compliance")

    cast.client("academy").post(one)
    cast.client("compliance").post(other)
    work()

    assert Equivalency.objects.count() == 1
    failed = Job.objects.get(kind=course_rules.CHANGE, state="failed")
    assert (failed.requested_by, failed.error) == (cast.users["compliance"], course_rules.OUTDATED)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"end_on": "2019-12-31"}, "The last day is before the first day.", id="ends-first"),
        pytest.param({"start_on": "2023-02-29"}, "First day: write the day as", id="no-such-day"),
        pytest.param({"start_on": "2026-03-01"}, "counts as this one on some of these days already.", id="overlaps"),
        pytest.param({"why": ""}, "Say why", id="no-reason"),
        pytest.param({"approved_by": ""}, "Approved by: fill this in.", id="nobody-approved"),
        pytest.param({"start_on": "1900-01-01"}, "lies before 1930", id="long-ago"),
        pytest.param({"end_on": "2090-01-01"}, "more than 10 years ahead", id="far-ahead"),
    ],
)
def test_the_form_says_what_is_wrong(cast: Cast, outside: Course, values: dict[str, str], sentence: str) -> None:
    make_equivalency(outside, cast.basic, date(2026, 1, 1))

    response = cast.client("compliance").post(reverse("equivalency-add"), equivalency(cast, outside, **values))

    assert response.status_code == 400
    assert sentence in words(response)
    assert Job.objects.count() == 0


def test_a_course_does_not_count_as_itself(cast: Cast, outside: Course) -> None:
    data = equivalency(cast, outside, counts_as=outside.pk)

    response = cast.client("academy").post(reverse("equivalency-add"), data)

    assert "A course does not count as itself." in words(response)


def test_an_old_plan_is_accepted_longer_by_a_later_last_day(cast: Cast) -> None:
    plan = make_lesson_plan(cast.basic, "v2019", date(2019, 1, 1), date(2024, 12, 31))
    make_lesson_plan(cast.basic, "v2025", date(2025, 1, 1))
    complete(cast.jonah, cast.basic, date(2025, 2, 10), lesson_plan="v2019")
    assert not Standing.objects.filter(officer=cast.jonah, state="current").exists()

    address = preview(cast, "lesson-plan-end", {"end_on": "2025-02-28", "why": "Taught once more"}, plan.pk)
    page = words(cast.client("academy").get(address))
    cast.client("academy").post(address)
    work()

    assert "1 member changes state today" in page
    plan.refresh_from_db()
    assert plan.end_on == date(2025, 2, 28)
    assert Standing.objects.get(officer=cast.jonah, state="current").due_on == date(2028, 2, 10)
    line = TrailLine.objects.get(what="lesson_plan")
    assert (line.before, line.after) == ({"last day": "2024-12-31"}, {"last day": "2025-02-28"})


def test_ending_an_equivalency_takes_its_later_credit(cast: Cast, outside: Course) -> None:
    row = make_equivalency(outside, cast.basic, date(2020, 1, 1))
    complete(cast.amara, outside, date(2025, 3, 1))

    address = preview(cast, "equivalency-end", {"end_on": "2024-02-29", "why": "Curriculum changed"}, row.pk)
    cast.client("academy").post(address)
    work()

    assert not Standing.objects.filter(officer=cast.amara, basis__course=outside).exists()
    assert Standing.objects.filter(officer=cast.jonah, basis__course=outside, state="current").exists()
    assert differences() == {}


@pytest.mark.parametrize(
    ("end_on", "sentence"),
    [("2018-12-31", "before the first day"), ("2024-12-31", "That is the last day already.")],
    ids=["before-first", "same"],
)
def test_another_last_day_says_what_is_wrong(cast: Cast, end_on: str, sentence: str) -> None:
    plan = make_lesson_plan(cast.basic, "v2019", date(2019, 1, 1), date(2024, 12, 31))

    response = cast.client("academy").post(
        reverse("lesson-plan-end", args=[plan.pk]), {"end_on": end_on, "why": "because"}
    )

    assert response.status_code == 400
    assert sentence in words(response)


def test_a_lesson_plan_is_added(cast: Cast) -> None:
    data = {"course": cast.basic.pk, "version": " v2026 ", "start_on": "2026-01-01", "why": "New curriculum"}

    cast.client("compliance").post(preview(cast, "lesson-plan-add", data, role="compliance"))
    work()

    assert [(row.version, row.end_on) for row in LessonPlan.objects.all()] == [("v2026", None)]


def test_many_members_are_judged_by_a_job(cast: Cast, outside: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_rules, "MOST_AT_ONCE", 0)
    client = cast.client("academy")
    address = preview(cast, "equivalency-add", equivalency(cast, outside))

    waiting = words(client.get(address))
    work()

    assert "Waiting for its turn." in waiting
    assert "1 member changes state today" in words(client.get(address))


def test_lists_are_filtered_and_exported(cast: Cast, outside: Course) -> None:
    make_equivalency(outside, cast.basic, date(2020, 1, 1), date(2024, 2, 29))
    make_lesson_plan(cast.basic, "v2019", date(2019, 1, 1), date(2024, 2, 29))
    client = cast.client("commander")

    rows = csv_rows(client.get(reverse("equivalency-list"), {"export": "csv"}))
    after = client.get(reverse("lesson-plan-list"), {"on": "2024-03-01"})
    last = Shown(client.get(reverse("lesson-plan-list"), {"on": "2024-02-29", "q": "cit basic"}))

    assert rows == [
        ["Course", "Counts as", "First day", "Last day", "Approved by"],
        ["State course", "CIT basic course", "2020-01-01", "2024-02-29", ""],
    ]
    assert len(after.context["table"].rows) == 0
    caption = "Lesson plans, and the days on which teaching from them counts"
    assert last.rows(caption) == [["CIT basic course", "v2019", "1 Jan 2019", "29 Feb 2024"]]
    assert client.get(reverse("lesson-plan-list"), {"on": "2023-02-29"}).status_code == 400


@pytest.mark.parametrize("name", ["equivalency-list", "lesson-plan-list"])
def test_lists_cost_the_same_for_one_and_for_thirty(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, name: str
) -> None:
    client = cast.client("academy")

    def fill(number: int) -> None:
        for place in range(number):
            course = make_course(f"C{number}-{place}")
            make_equivalency(course, cast.basic, date(2020, 1, 1))
            make_lesson_plan(course, "v1", date(2020, 1, 1))

    for number in (1, 30):
        fill(number)
        with django_assert_num_queries(6):  # session, user, access, units; rows counted; rows
            client.get(reverse(name))


def test_who_reads_one_agency_of_two_changes_nothing(cast: Cast) -> None:
    sheriff = make_agency("so", "Harbor County Sheriff")
    client = Client()
    client.force_login(make_user("academy", "sheriff", agency=sheriff))

    assert client.get(reverse("equivalency-list")).status_code == 200
    assert client.get(reverse("equivalency-add")).status_code == 404
    assert client.get(reverse("lesson-plan-add")).status_code == 404
