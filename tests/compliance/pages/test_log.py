"""Log completions: paste, look up, see what it changes, record."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from compliance.models import Standing
from roster.models import Access, Officer, Role
from tests.compliance.pages.cast import Cast
from tests.factories import complete, make_agency, make_course, make_goal, make_officer, make_requirement, make_user
from training.models import Completion

pytestmark = pytest.mark.django_db


def yesterday() -> date:
    return timezone.localdate() - timedelta(days=1)


def fields(cast: Cast, people: str, **values: Any) -> dict[str, Any]:
    return {
        "course": cast.refresher.pk,
        "completed_on": yesterday().isoformat(),
        "evidence": "verified",
        "people": people,
        "act": "look",
        **values,
    }


def look(client: Client, data: dict[str, Any]) -> tuple[str, str]:
    """(the page as text, the sealed list)"""
    response = client.post(reverse("completion-log"), data)
    assert response.status_code == 200
    html = response.content.decode()
    sealed = re.search(r'name="shown" value="([^"]*)"', html)
    assert sealed is not None
    return words(html), sealed[1]


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def record(client: Client, data: dict[str, Any], shown: str, **picks: Any) -> Any:
    return client.post(reverse("completion-log"), {**data, "shown": shown, "act": "record", **picks}, follow=True)


@pytest.mark.parametrize("name", ["pick-" + "9" * 5000, "pick-²", "pick-1"])
def test_a_pick_that_is_no_number_is_ignored(cast: Cast, name: str) -> None:
    body = urlencode(fields(cast, "2918", **{name: "9" * 5000}))  # as browsers send a form without files

    response = cast.client("academy").post(
        reverse("completion-log"), body, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code == 200
    assert "Whitfield, Amara" in words(response.content.decode())


def test_log_shows_what_it_changes_and_writes_nothing(cast: Cast) -> None:
    make_goal(cast.requirement, title="Half of patrol", target_percent=50)

    text, _ = look(cast.client("academy"), fields(cast, "2918"))

    assert "1 found" in text
    assert "002918 Whitfield, Amara Central District days overdue → current" in text
    assert "Everybody Requirement refresher 0.0 → 50.0 % 0 → 1 of 2 current" in text
    assert "Goal “Half of patrol”: met with this." in text
    assert "Central District 0.0 → 100.0 % 0 → 1 of 1 current" in text
    assert "1 overdue becomes current." in text
    assert "Record 1 completion" in text
    assert Completion.objects.count() == 1


def test_log_records_and_brings_standings_up_to_date(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "2918", class_number="C-7")
    _, shown = look(client, data)

    response = record(client, data, shown)

    made = Completion.objects.get(course=cast.refresher)
    assert (made.officer, made.completed_on, made.class_number) == (cast.amara, yesterday(), "C-7")
    assert (made.evidence, made.verified_on, made.hours) == ("verified", timezone.localdate(), None)
    assert (made.recorded_in.by, made.recorded_in.via) == (cast.users["academy"], "page")
    standing = Standing.objects.filter(officer=cast.amara, start_on__lte=timezone.localdate()).latest("start_on")
    assert (standing.state, standing.basis) == ("current", made)
    assert "1 completion recorded: CIT refresher" in words(response.content.decode())
    assert response.redirect_chain[0][0].startswith(reverse("completion-list"))


def test_what_somebody_logs_for_themselves_waits_for_somebody_else(cast: Cast) -> None:
    Access.objects.create(user=cast.users["academy"], role=Role.OFFICER, officer=cast.amara)
    client, data = cast.client("academy"), fields(cast, "2918\n3377")

    text, shown = look(client, data)
    record(client, data, shown)

    assert "Your own: it counts once somebody else has verified it." in text
    rows = Completion.objects.filter(course=cast.refresher).order_by("officer__employee_id")
    assert list(rows.values_list("officer", "evidence", "verified_on")) == [
        (cast.amara.pk, "pending", None),
        (cast.jonah.pk, "verified", timezone.localdate()),
    ]


def test_log_sent_twice_records_once(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "2918\n3377")
    _, shown = look(client, data)

    record(client, data, shown)
    response = record(client, data, shown)

    assert Completion.objects.filter(course=cast.refresher).count() == 2
    assert "2 members had this completion already; nothing was recorded twice." in words(response.content.decode())


def test_log_offers_near_misses_and_records_the_chosen_one(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "3377\nWhitfeld, A")
    text, shown = look(client, data)

    assert "1 found, 1 needs you" in text
    assert "? Whitfeld, A Nobody has exactly this. Did you mean:" in text
    assert "Record 1 completion and those you choose" in text
    record(client, data, shown, **{"pick-2": cast.amara.pk})

    assert set(Completion.objects.filter(course=cast.refresher).values_list("officer", flat=True)) == {
        cast.amara.pk,
        cast.jonah.pk,
    }


def test_log_takes_no_near_miss_by_itself(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "3377\nWhitfeld, A")
    _, shown = look(client, data)

    record(client, data, shown, **{"pick-2": ""})

    assert [row.officer for row in Completion.objects.filter(course=cast.refresher)] == [cast.jonah]


def test_log_keeps_a_choice_when_looked_up_again(cast: Cast) -> None:
    text, _ = look(cast.client("academy"), fields(cast, "3377\nWhitfeld, A", **{"pick-2": cast.amara.pk}))

    assert "2 found" in text
    assert "Whitfield, Amara chosen by you: Whitfeld, A" in text


def test_log_records_only_members_who_were_offered(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "3377")
    _, shown = look(client, data)

    record(client, data, shown, **{"pick-1": cast.amara.pk, "pick-9": cast.amara.pk})

    assert [row.officer for row in Completion.objects.filter(course=cast.refresher)] == [cast.jonah]


def test_log_says_who_is_on_the_list_twice_or_has_it_already(cast: Cast) -> None:
    complete(cast.jonah, cast.refresher, yesterday())

    text, _ = look(cast.client("academy"), fields(cast, "002918\n4471\n3377\nWhitfield, Amra"))

    assert "1 found Members" in text
    assert "= 4471 Whitfield, Amara on the list already, from line 1." in text
    assert "= 3377 Delacroix, Jonah has this completion already." in text
    assert "= Whitfield, Amra Whitfield, Amara looks like somebody on the list already." in text


def test_log_asks_before_a_second_class_of_one_day(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, yesterday(), class_number="C-1")
    client, data = cast.client("academy"), fields(cast, "002918", class_number="C-2")

    text, shown = look(client, data)
    record(client, data, shown, **{"pick-1": cast.amara.pk})

    assert "has this course on this day already (class C-1). Record another?" in text
    assert Completion.objects.filter(course=cast.refresher, officer=cast.amara).count() == 2


def test_log_records_what_was_shown_or_nothing(cast: Cast) -> None:
    client = cast.client("academy")
    _, shown = look(client, fields(cast, "2918"))

    response = record(client, fields(cast, "2918\n3377"), shown)
    forged = record(client, fields(cast, "2918"), "forged")

    assert "The form changed since you looked the list up." in words(response.content.decode())
    assert "The form changed since you looked the list up." in words(forged.content.decode())
    assert not Completion.objects.filter(course=cast.refresher).exists()


@pytest.mark.parametrize(
    ("values", "people", "sentence"),
    [
        pytest.param({}, "3377", "Delacroix, Jonah Eastern District days needs an entry course first", id="no-entry"),
        pytest.param({"evidence": "pending"}, "2918", "Central District days counts once verified", id="pending"),
        pytest.param({"completed_on": "2019-08-01"}, "2918", "counts, still overdue today", id="long-ago"),
    ],
)
def test_log_says_why_nothing_changes(cast: Cast, values: dict[str, str], people: str, sentence: str) -> None:
    text, _ = look(cast.client("academy"), fields(cast, people, **values))

    assert sentence in text
    assert "No share changes today." in text


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        pytest.param({"refresher_min_hours": 9}, "does not count: 8 hours, at least 9 is asked", id="hours"),
        pytest.param({"min_score": 80}, "does not count: no score is recorded, at least 80 is asked", id="score"),
        pytest.param(
            {"refresher_min_tenure_months": 600},
            "does not count: taken before 3 May 2069, 600 months after the entry credit",
            id="tenure",
        ),
    ],
)
def test_log_says_what_a_completion_lacks(cast: Cast, rules: dict[str, int], sentence: str) -> None:
    cast.requirement.editions.update(**rules)

    text, _ = look(cast.client("academy"), fields(cast, "2918"))

    assert sentence in text


def test_log_says_that_a_short_recertification_is_outside_its_days(cast: Cast) -> None:
    short = make_course("CIT-RE-2", title="Short renewal", title_key="short renewal", hours=2, kind="refresher")
    rules: dict[str, Any] = {"clock": "certificate", "recert_before_days": 60, "recert_after_days": 90}
    make_requirement("certified", entry=(cast.basic,), recert=(short,), **rules)

    text, _ = look(cast.client("academy"), fields(cast, "2918", course=short.pk))

    assert "does not count: a short recertification counted from 4 Mar 2022 to 1 Aug 2022 only" in text


def test_log_says_that_no_requirement_lists_the_course(cast: Cast) -> None:
    other = make_course("VEH-4", title="Vehicle stops", title_key="vehicle stops")

    text, _ = look(cast.client("academy"), fields(cast, "2918", course=other.pk))

    assert "no requirement lists this course" in text


def test_log_refuses_a_day_in_the_future(cast: Cast) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)

    response = cast.client("academy").post(
        reverse("completion-log"), fields(cast, "2918", completed_on=tomorrow.isoformat())
    )

    assert response.status_code == 400
    assert "The completion date is in the future. Record it once it has happened." in words(response.content.decode())


def test_log_warns_of_a_day_before_hire(cast: Cast) -> None:
    text, _ = look(cast.client("academy"), fields(cast, "2918", completed_on="2010-05-03"))

    assert "▲ before the first day employed, 4 Mar 2016" in text
    assert "Record 1 completion" in text


def test_log_says_that_pending_evidence_counts_for_nothing_yet(cast: Cast) -> None:
    client, data = cast.client("academy"), fields(cast, "2918", evidence="pending")
    text, shown = look(client, data)

    record(client, data, shown)

    assert "counts once verified" in text
    made = Completion.objects.get(course=cast.refresher)
    assert (made.evidence, made.verified_on) == ("pending", None)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"course": ""}, "Course: choose one.", id="no-course"),
        pytest.param({"people": "  "}, "Paste at least one id, badge or name.", id="nobody"),
        pytest.param({"hours": "-1"}, "Ensure this value is greater than or equal to 0.25.", id="hours"),
        pytest.param({"score": "101"}, "Ensure this value is less than or equal to 100.", id="score"),
        pytest.param({"completed_on": "soon"}, "Completed on: write the day as 2026-11-20.", id="no-day"),
        pytest.param({"completed_on": "1019-01-01"}, "lies before 1930. Check the year.", id="long-ago"),
    ],
)
def test_log_says_what_is_wrong(cast: Cast, values: dict[str, str], sentence: str) -> None:
    response = cast.client("academy").post(reverse("completion-log"), {**fields(cast, "2918"), **values})

    assert response.status_code == 400
    assert sentence in words(response.content.decode())


def test_log_is_prefilled_from_other_pages(cast: Cast) -> None:
    response = cast.client("academy").get(reverse("completion-log"), {"officer": "002918", "course": "cit-ref-8"})

    html = response.content.decode()
    assert "002918\tWhitfield, Amara" in html
    assert f'<option value="{cast.refresher.pk}" selected>CIT refresher, 8 h</option>' in html


def test_log_records_thirty_members_within_half_a_second(cast: Cast) -> None:
    members = [make_officer(unit=cast.central) for _ in range(30)]
    for member in members:
        complete(member, cast.basic, date(2019, 5, 3))
    client, people = cast.client("academy"), "\n".join(member.employee_id for member in members)
    took = []

    for days_ago in (1, 11, 21):  # the best of three: the machine does other things too
        data = fields(cast, people, completed_on=(timezone.localdate() - timedelta(days=days_ago)).isoformat())
        _, shown = look(client, data)
        started = time.perf_counter()
        client.post(reverse("completion-log"), {**data, "shown": shown, "act": "record"})
        took.append(time.perf_counter() - started)

    assert Completion.objects.filter(course=cast.refresher).count() == 90
    assert min(took) < 0.5


def test_log_costs_the_same_queries_for_one_member_and_thirty(cast: Cast, django_assert_num_queries: Any) -> None:
    others = [make_officer(unit=cast.central).employee_id for _ in range(29)]
    client = cast.client("academy")

    # session and user 2, access and tree 2, course 1, fitting 1, recorded 1, rules 12, titles 1, facts 8, shares 1,
    # places 1, employments 1, requirements and goals 2, the course list 1, own 1
    for people in ("2918", "\n".join(["2918", *others])):
        with django_assert_num_queries(35):
            client.post(reverse("completion-log"), fields(cast, people))


def test_log_finds_nobody_outside_the_agency(cast: Cast) -> None:
    other = make_agency("so", "County Sheriff")
    make_officer("777001", agency=other, last_name="Okonkwo", first_name="Ada")
    cast.users["here"] = make_user("academy", "here", agency=cast.central.agency)

    text, _ = look(cast.client("here"), fields(cast, "777001\nOkonkwo, Ada"))

    assert "Nobody like this is within your reach." in text
    assert "Okonkwo, Ada Nobody like this" in text
    assert Officer.objects.filter(agency=other).exists()
