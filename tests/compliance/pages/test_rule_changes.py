"""Changing the rules by page: the form and its errors, the preview and when it no longer holds, and the job."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance import coverage, jobs, rule_changes, sentences, standings
from compliance.forms.requirements import GROUPS, NEW_POPULATION, EditionForm, initial_of
from compliance.models import Edition, Goal, IssuedReport, Job, Population, Requirement
from compliance.requirements_file import EDITION, POPULATION
from compliance.requirements_toml import export_toml
from compliance.tasks import HANDLERS
from roster.trail import TrailLine
from tests import factories as make
from tests.compliance.pages.cast import Cast

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
LATER = TODAY + timedelta(days=60)


@pytest.fixture(autouse=True)
def _day(hold_day: Callable[[date], None]) -> None:
    """The same day for the whole run, also where it goes past midnight."""
    hold_day(TODAY)


@pytest.fixture
def client(cast: Cast) -> Client:
    standings.rebuild()
    return cast.client("compliance")


def filled(edition: Edition | None = None, **changed: Any) -> dict[str, Any]:
    """What a browser sends of the form as it shows an edition, with some fields changed."""
    shown = {"clock": "once", **(initial_of(edition, as_new=False) if edition else {}), **changed}
    return {key: value for key, value in shown.items() if value not in (None, False)}


def sent(client: Client, path: str, data: dict[str, Any]) -> Job:
    """The preview that a form leads to."""
    response = client.post(path, data)
    assert response.status_code == 302, errors_of(response.content.decode())
    return Job.objects.get(key=response["Location"].rstrip("/").rpartition("/")[2])


def errors_of(page: str) -> list[str]:
    """What stands beside the fields, and above them."""
    found = re.findall(r'class="field-error" id="id_(\w+)_error">([^<]*)<', page)
    return [f"{name}: {text}" for name, text in found]


def change(client: Client, job: Job) -> Job:
    """Press the button, and let a worker do what it asks for."""
    response = client.post(reverse("requirement-preview", args=[job.key]), {"act": "change"})
    asked = Job.objects.get(key=response["Location"].rstrip("/").rpartition("/")[2])
    jobs.run(str(asked.key), HANDLERS)
    asked.refresh_from_db()
    return asked


def text_of(client: Client, job: Job) -> str:
    page = client.get(reverse("requirement-preview", args=[job.key])).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def states(requirement: Requirement) -> dict[str, str]:
    rows = coverage.standings_on(TODAY, requirement_ids=[requirement.pk])
    return dict(rows.values_list("officer__last_name", "state"))


def report_on(edition: Edition, as_of: date) -> None:
    report = IssuedReport.objects.create(
        number="AR-2026-0001",
        kind="accreditation",
        agency=make.make_agency(),
        totals={},
        requirement=edition.requirement,
        as_of=as_of,
        known_at=timezone.now(),
        span_from=as_of,
        span_to=as_of,
        data_sha256="0" * 64,
        files=[],
        issued_at=timezone.now(),
    )
    report.editions.add(edition)


def test_the_form_asks_for_every_key_of_an_edition_and_a_population() -> None:
    shown = {name for _, _, names in GROUPS for name in names}

    assert shown == set(EDITION)
    assert {name.removeprefix("new_") for name in NEW_POPULATION} == set(POPULATION)


def test_an_edition_is_changed_by_form_preview_and_job(cast: Cast, client: Client) -> None:
    edition = Edition.objects.get()
    before = states(cast.requirement)

    job = sent(client, reverse("edition-change", args=["refresher", "2015-01-01"]), filled(edition, months=1200))
    page = text_of(client, job)
    unchanged = states(cast.requirement)
    done = change(client, job)

    assert before == unchanged == {"Whitfield": "overdue", "Delacroix": "overdue"}
    assert "Put this edition in force from 1 Jan 2015 (1 member changes state)" in page
    assert "newly current 1 Amara Whitfield" in page
    assert (done.state, done.result["requirement"]) == ("done", "refresher")
    assert states(cast.requirement) == {"Whitfield": "current", "Delacroix": "overdue"}
    edition.refresh_from_db()
    assert edition.months == 1200


def test_an_edition_to_come_is_counted_today_and_on_its_first_day(cast: Cast, client: Client) -> None:
    form = client.get(reverse("edition-add", args=["refresher"]))
    shown = form.context["form"].initial

    job = sent(client, reverse("edition-add", args=["refresher"]), {**shown, "effective_from": LATER, "months": 1200})
    effects = client.get(reverse("requirement-preview", args=[job.key])).context["requirements"][0]["days"]
    done = change(client, job)

    assert "effective_from" not in shown
    assert shown["months"] == 36
    assert [(effect.day, effect.changed) for effect in effects] == [(TODAY, 0), (LATER, 1)]
    assert done.state == "done"
    assert [row.months for row in cast.requirement.editions.order_by("effective_from")] == [36, 1200]


def test_a_new_requirement_comes_with_its_population(cast: Cast, client: Client) -> None:
    data = filled(
        code="mhfa",
        title="MHFA for all",
        citations="State 4.2, CALEA 41.2.7",
        effective_from="2020-01-01",
        population="+",
        new_code="central",
        new_title="Central",
        units="cen",
        categories=["sworn"],
        entry_courses=["CIT-REF-8"],
        min_score="80",
    )

    job = sent(client, reverse("requirement-add"), data)
    change(client, job)

    made = Requirement.objects.get(code="mhfa")
    assert made.citations == ["State 4.2", "CALEA 41.2.7"]
    assert Population.objects.get(code="central").units == ["cen"]
    assert int(made.editions.get().min_score) == 80
    assert states(made) == {"Whitfield": "overdue"}


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        pytest.param(
            {"clock": "cycle", "months": 0, "cycle_start": "2021-09-01"},
            ["months: Months: &quot;Fixed windows of months, one after another&quot; needs the number of months."],
            id="a-cycle-of-no-months",
        ),
        pytest.param(
            {"clock": "rolling", "months": 5000},
            ["months: Months: must be a whole number from 0 to 1200."],
            id="out-of-bounds",
        ),
        pytest.param(
            {"clock": "once", "first_due": "window_end"},
            [
                "first_due: First due: &quot;The end of the window of joining&quot; does not go with "
                "&quot;For good: one course is enough&quot;; choose &quot;A number of days after joining&quot; or "
                "&quot;The end of the year of joining&quot; or &quot;The end of the year after joining&quot;."
            ],
            id="a-window-without-a-cycle",
        ),
        pytest.param(
            {"effective_to": "2014-12-31"},
            ["effective_to: Last day in force: is before &quot;First day in force&quot;."],
            id="ends-before-it-begins",
        ),
        pytest.param(
            {"hours": "8", "hours_model": "rolling", "clock": "calendar", "years": 3},
            [
                "clock: How long a course carries: &quot;Held at any time within the months below&quot; has no use for "
                "&quot;To the end of a calendar year&quot;; choose &quot;A number of months from the day of the "
                "course&quot;.",
                "hours_window_months: Within so many months: &quot;Held at any time within the months below&quot; "
                "needs the number of months.",
            ],
            id="rolling-hours-with-a-clock",
        ),
        pytest.param(
            {"early": "keep_anchor", "clock": "once"},
            [
                "early: A course taken early counts: &quot;From the old last day, if close to it&quot; goes with "
                "&quot;A number of months from the day of the course&quot; only, not with &quot;For good: one course "
                "is enough&quot;."
            ],
            id="an-anchor-kept-for-good",
        ),
        pytest.param(
            {"refresher_courses": ["CIT-REF-8"], "recert_courses": ["CIT-REF-8"]},
            [
                "recert_courses: Short recertification courses: CIT-REF-8 is among &quot;Refresher courses&quot; too; "
                "it can be one of them."
            ],
            id="a-course-in-two-lists",
        ),
        pytest.param(
            {"population": "+", "new_code": "x", "units": "D9"},
            ["units: Units, by code: there is no unit &quot;D9&quot;."],
            id="an-unknown-unit",
        ),
        pytest.param(
            {"population": "+"}, ["new_code: Give the new population a code."], id="a-population-without-code"
        ),
        pytest.param({"months": "many"}, ["months: Months: write a whole number."], id="no-number"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    cast: Cast, client: Client, changed: dict[str, Any], errors: list[str]
) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])

    response = client.post(path, filled(Edition.objects.get(), **changed))

    assert (response.status_code, errors_of(response.content.decode())) == (400, errors)
    assert not Job.objects.exists()


def test_an_edition_that_leaves_a_gap_names_the_one_before(cast: Cast, client: Client) -> None:
    Edition.objects.update(effective_to=date(2024, 12, 31))
    shown = client.get(reverse("edition-add", args=["refresher"])).context["form"].initial

    response = client.post(reverse("edition-add", args=["refresher"]), {**shown, "effective_from": "2025-02-01"})

    assert errors_of(response.content.decode()) == [
        "effective_from: The edition from 2015-01-01 leaves a gap before the edition from 2025-02-01."
    ]


def test_what_is_odd_is_said_in_the_words_of_the_form(cast: Cast, client: Client) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    content = export_toml(Requirement.objects.all()) + "return_grace_days = 30\n"

    formed = sent(client, path, filled(Edition.objects.get(), leave="none", return_grace_days=30))
    file = sent(client, reverse("requirement-load"), {"file": SimpleUploadedFile("r.toml", content.encode())})

    odd = "asks nothing without"
    assert f"Days to catch up after it: {odd} &quot;The member is excused while it lasts&quot;." in text_of(
        client, formed
    )
    where = "Requirement &quot;refresher&quot;, edition 2015-01-01"
    assert f"{where}: return_grace_days: {odd} leave &quot;exclude&quot;." in text_of(client, file)


def coming(requirement: Requirement, start: date = LATER, **values: Any) -> Edition:
    """An edition that asks for a course nearly never again, from a day to come on."""
    edition = Edition.objects.create(
        **{"requirement": requirement, "effective_from": start, "population": Population.objects.get(), **values}
    )
    edition.entry_courses.set(Edition.objects.order_by("effective_from")[0].entry_courses.all())
    return edition


def test_an_edition_to_come_is_withdrawn_after_a_preview(cast: Cast, client: Client) -> None:
    edition = coming(cast.requirement)
    standings.rebuild()

    def asked_then() -> set[str]:
        return {row.state for row in coverage.standings_on(LATER, requirement_ids=[cast.requirement.pk])}

    path = reverse("edition-withdraw", args=["refresher", LATER.isoformat()])
    before = asked_then()

    page = client.get(reverse("edition-change", args=["refresher", LATER.isoformat()])).content.decode()
    job = sent(client, path, {})
    shown, kept = text_of(client, job), Edition.objects.filter(pk=edition.pk).exists()
    effects = client.get(reverse("requirement-preview", args=[job.key])).context["requirements"][0]["days"]
    done = change(client, job)

    assert "Preview without this edition" in page
    assert f"Withdrawn: from {sentences.day(LATER)}." in shown
    assert "Withdraw this edition (1 member changes state)" in shown
    assert [(effect.day, effect.changed) for effect in effects] == [(TODAY, 0), (LATER, 1)]
    assert (kept, done.state, Edition.objects.count()) == (True, "done", 1)
    assert (before, asked_then()) == ({"current", "overdue"}, {"overdue"})
    assert standings.differences() == {}
    line = TrailLine.objects.get(what="edition", act="removed")
    assert (line.subject, line.by) == (f"refresher from {LATER}", cast.users["compliance"])
    assert (line.before["clock"], line.before["entry courses"]) == ("once", "CIT-40")
    again = client.post(reverse("requirement-preview", args=[job.key]), {"act": "again"}, follow=True)
    assert "First day in force: there is no edition from this day any more." in again.content.decode()


@pytest.mark.parametrize(("days", "changing"), [(-30, 1), (30, 1)], ids=["earlier", "later"])
def test_an_edition_to_come_is_moved_to_another_day(cast: Cast, client: Client, days: int, changing: int) -> None:
    edition = coming(cast.requirement)
    standings.rebuild()
    start = LATER + timedelta(days=days)
    path = reverse("edition-change", args=["refresher", LATER.isoformat()])

    job = sent(client, path, filled(edition, effective_from=start))
    shown = text_of(client, job)
    back = client.get(client.get(reverse("requirement-preview", args=[job.key])).context["back"])
    effects = client.get(reverse("requirement-preview", args=[job.key])).context["requirements"][0]["days"]
    done = change(client, job)

    assert f"From {sentences.day(start)}, moved from {sentences.day(LATER)}." in shown
    assert f"Move this edition to {sentences.day(start)} ({changing} member changes state)" in shown
    assert [effect.day for effect in effects] == [TODAY, *sorted([start, LATER])]
    assert back.context["form"].initial["effective_from"] == start
    assert (done.state, Edition.objects.get(pk=edition.pk).effective_from) == ("done", start)
    assert standings.differences() == {}
    line = TrailLine.objects.filter(what="edition", act="changed").get()
    assert (line.before, line.after) == (
        {"effective from": LATER.isoformat()},
        {"effective from": start.isoformat()},
    )


@pytest.mark.parametrize(
    ("change", "moved", "reason"),
    [
        pytest.param(
            {"first": {"effective_to": LATER - timedelta(days=1)}},
            LATER + timedelta(days=9),
            f"The edition from 2015-01-01 leaves a gap before the edition from {LATER + timedelta(days=9)}.",
            id="gap",
        ),
        pytest.param(
            {"first": {"effective_to": LATER - timedelta(days=1)}},
            LATER - timedelta(days=9),
            f"The edition from 2015-01-01 overlaps the edition from {LATER - timedelta(days=9)}.",
            id="overlap",
        ),
        pytest.param(
            {},
            TODAY,
            f"First day in force: an edition that has not begun can be moved to a day to come only; today is {TODAY}.",
            id="not-to-come",
        ),
        pytest.param(
            {"third": LATER + timedelta(days=30)},
            LATER + timedelta(days=30),
            "There is an edition from this day. Change that one, or choose another day.",
            id="where-another-begins",
        ),
    ],
)
def test_a_move_that_cannot_be_is_refused_in_one_sentence(
    cast: Cast, client: Client, change: dict[str, Any], moved: date, reason: str
) -> None:
    Edition.objects.update(**change.get("first", {}))
    edition = coming(cast.requirement)
    if "third" in change:
        coming(cast.requirement, change["third"])

    path = reverse("edition-change", args=["refresher", LATER.isoformat()])
    response = client.post(path, filled(edition, effective_from=moved))

    assert errors_of(response.content.decode()) == [f"effective_from: {reason}"]
    assert not Job.objects.exists()


def test_a_withdrawal_that_cannot_be_is_refused_in_one_sentence(cast: Cast, client: Client) -> None:
    first = Edition.objects.get()
    first.effective_to = LATER - timedelta(days=1)
    first.save()
    coming(cast.requirement, effective_to=LATER + timedelta(days=9))
    last = coming(cast.requirement, LATER + timedelta(days=10))
    report_on(last, TODAY)

    def said(start: date) -> list[str]:
        path = reverse("edition-withdraw", args=["refresher", start.isoformat()])
        return [str(message) for message in client.post(path, follow=True).context["messages"]]

    assert said(LATER) == [f"The edition from 2015-01-01 leaves a gap before the edition from {last.effective_from}."]
    assert said(first.effective_from) == ["First day in force: this edition has begun, so its first day stays."]
    assert said(last.effective_from) == ["First day in force: an issued report used this edition, so it cannot change."]
    assert not Job.objects.exists()
    assert (
        "Preview without this edition"
        not in client.get(reverse("edition-change", args=["refresher", "2015-01-01"])).content.decode()
    )


def test_a_requirement_may_lose_its_only_edition_to_come(cast: Cast, client: Client) -> None:
    made = Requirement.objects.create(code="later", title="Later")
    coming(made)
    standings.rebuild()

    job = sent(client, reverse("edition-withdraw", args=["later", LATER.isoformat()]), {})
    shown = text_of(client, job)
    change(client, job)

    assert "has no edition, so nobody is asked" in shown
    assert "Withdraw this edition (2 members change state)" in shown
    assert not made.editions.exists()
    assert standings.differences() == {}


def test_an_edition_of_an_issued_report_is_closed_and_says_why(cast: Cast, client: Client) -> None:
    edition = Edition.objects.get()
    report_on(edition, date(2026, 1, 31))
    path = reverse("edition-change", args=["refresher", "2015-01-01"])

    page, posted = client.get(path), client.post(path, filled(edition, months=12))
    cut = client.post(reverse("edition-add", args=["refresher"]), {**filled(edition), "effective_from": "2026-01-31"})

    assert "It was used by AR-2026-0001, so it cannot change." in page.content.decode()
    assert posted.status_code == 409
    assert errors_of(cut.content.decode()) == [
        "effective_from: First day in force: an issued report, as of 2026-01-31, used the edition that this one would "
        "end; begin after that day."
    ]
    assert not Job.objects.exists()


@pytest.mark.parametrize("what", ["fact", "rule", "goal", "day"])
def test_a_preview_that_no_longer_holds_is_not_put_in_force(cast: Cast, client: Client, what: str) -> None:
    edition = Edition.objects.get()
    job = sent(client, reverse("edition-change", args=["refresher", "2015-01-01"]), filled(edition, months=1200))
    if what == "fact":
        make.complete(cast.jonah, cast.basic, date(2026, 1, 5))
    elif what == "rule":
        Edition.objects.update(months=48)
    elif what == "goal":
        make.make_goal(cast.requirement)
    else:
        Job.objects.filter(pk=job.pk).update(arguments={**job.arguments, "today": "2026-01-01"})
    months = Edition.objects.get().months

    page = text_of(client, job)
    response = client.post(reverse("requirement-preview", args=[job.key]), {"act": "change"}, follow=True)
    again = client.post(reverse("requirement-preview", args=[job.key]), {"act": "again"})

    assert "Preview again" in page
    assert "Put this edition" not in page
    assert "Preview again." in response.content.decode()
    assert not Job.objects.filter(kind=rule_changes.CHANGE).exists()
    assert Edition.objects.get().months == months
    assert again["Location"] != reverse("requirement-preview", args=[job.key])


def test_of_two_who_save_at_once_the_second_is_told(cast: Cast, client: Client) -> None:
    edition = Edition.objects.get()
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    first, second = sent(client, path, filled(edition, months=1200)), sent(client, path, filled(edition, months=96))
    pressed = [rule_changes.start_change(job, today=TODAY, by=cast.users["compliance"]) for job in (first, second)]

    for job in pressed:
        jobs.run(str(job.key), HANDLERS)

    ended = [Job.objects.get(pk=job.pk) for job in pressed]
    assert [job.state for job in ended] == ["done", "failed"]
    assert ended[1].error == rule_changes.OUTDATED
    assert Edition.objects.get().months == 1200


def test_a_button_pressed_twice_asks_for_one_job_and_a_job_run_twice_stores_once(cast: Cast, client: Client) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    preview = sent(client, path, filled(Edition.objects.get(), months=1200))
    done = change(client, preview)

    pressed = client.post(reverse("requirement-preview", args=[preview.key]), {"act": "change"})
    again = rule_changes.change(done, lambda done, total: None)

    assert pressed["Location"] == reverse("job-detail", args=[done.key])
    assert again == {"requirement": "refresher"}
    assert rule_changes.TAKEN in text_of(client, preview)


def test_above_a_few_thousand_a_job_previews_and_shows_how_far_it_is(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_changes, "MOST_AT_ONCE", 1)
    path = reverse("edition-change", args=["refresher", "2015-01-01"])

    job = sent(client, path, filled(Edition.objects.get(), months=1200))
    waiting = text_of(client, job)
    jobs.run(str(job.key), HANDLERS)

    assert "Waiting for its turn" in waiting
    assert "newly current 1 Amara Whitfield" in text_of(client, job)


def test_a_file_is_loaded_through_the_same_preview(cast: Cast, client: Client) -> None:
    content = export_toml(Requirement.objects.all()).replace("months = 36", "months = 1200")
    content += '[[goal]]\ncode = "all"\nrequirement = "refresher"\ntarget_percent = 90\n'
    bad = content.replace("months = 1200", "months = -1")

    refused = client.post(reverse("requirement-load"), {"file": SimpleUploadedFile("r.toml", bad.encode())})
    job = sent(client, reverse("requirement-load"), {"file": SimpleUploadedFile("r.toml", content.encode())})
    change(client, job)

    assert errors_of(refused.content.decode()) == [
        "file: requirement &quot;refresher&quot;, edition 2015-01-01: months: must be a whole number from 0 to 1200."
    ]
    assert (Edition.objects.get().months, int(Goal.objects.get().target_percent)) == (1200, 90)


def test_the_form_takes_up_what_was_previewed(cast: Cast, client: Client) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    job = sent(client, path, filled(Edition.objects.get(), months=1200, leave_kinds="medical, military"))

    back = client.get(reverse("requirement-preview", args=[job.key])).context["back"]

    form = client.get(back).context["form"]
    assert isinstance(form, EditionForm)
    assert (form.initial["months"], form["leave_kinds"].value()) == (1200, "medical, military")


def test_a_day_of_ones_own_is_counted_too(cast: Cast, client: Client) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    job = sent(client, path, filled(Edition.objects.get(), months=1200))

    response = client.post(reverse("requirement-preview", args=[job.key]), {"act": "again", "on": "2019-06-01"})

    days = client.get(response["Location"]).context["requirements"][0]["days"]
    assert [day.day for day in days] == [TODAY, date(2019, 6, 1)]


def test_every_reading_of_so_many_years_stands_side_by_side(cast: Cast, client: Client) -> None:
    path = reverse("edition-change", args=["refresher", "2015-01-01"])
    job = sent(client, path, filled(Edition.objects.get(), months=1200))

    page = text_of(client, job)

    assert "The same words can mean different things" in page
    assert "1,200 months from the day chosen" in page
    assert "100 calendar years" in page
    assert "Windows of 1,200 months" in page


def test_an_officer_of_one_agency_among_several_changes_no_rule_of_all(cast: Cast) -> None:
    agency = cast.central.agency
    make.make_user("compliance", "own", agency=agency)
    own = Client()
    assert own.login(username="own", password="correct horse battery")
    alone = own.get(reverse("requirement-add")).status_code

    make.make_agency("so", "Harbor County Sheriff")

    assert alone == 200
    for name, args in (("requirement-add", ()), ("requirement-load", ()), ("edition-add", ("refresher",))):
        assert own.get(reverse(name, args=args)).status_code == 404
    assert "Add an edition" not in own.get(reverse("requirement-detail", args=["refresher"])).content.decode()


def test_the_pages_take_as_many_queries_for_one_edition_as_for_ten(cast: Cast, client: Client) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    detail, form = reverse("requirement-detail", args=["refresher"]), reverse("edition-add", args=["refresher"])
    job = sent(
        client, reverse("edition-change", args=["refresher", "2015-01-01"]), filled(Edition.objects.get(), months=24)
    )
    preview = reverse("requirement-preview", args=[job.key])
    few = [queries(path) for path in (detail, form, preview)]
    for number in range(10):
        edition = Edition.objects.create(
            requirement=cast.requirement, effective_from=date(2027 + number, 1, 1), population=Population.objects.get()
        )
        edition.entry_courses.set([cast.basic])
        make.make_goal(cast.requirement)

    many = [queries(path) for path in (detail, form, preview)]

    # Signing in and reach: 4. Detail: the requirement with 7 of what belongs to it, its reports twice. Form: as much
    # and the populations and courses. Preview: the job, who is named, and what it would need to hold still.
    assert few == many
    assert many[0] <= 14
