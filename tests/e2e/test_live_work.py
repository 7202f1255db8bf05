"""Two people with long work, in a real browser with a real worker: a rule changed by form, and a mass extension.

The work is held at one member's row, so that a page is seen at work, loaded again, and moves on by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance import rule_changes, standings
from compliance.models import Edition, Extension
from compliance.sentences import day
from roster.facts import Via, recording
from roster.models import Access, Employment, Officer
from tests import factories as make
from tests.e2e.conftest import People
from tests.e2e.test_every_page import refused
from tests.live_worker import CeleryWorker, running_broker
from tests.two_writers import holding

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.django_db(transaction=True)]

TODAY = timezone.localdate()
#: A course of 1 January carries three years to 1 January by months and to 31 December by calendar years.
FROM = date(TODAY.year + 1, 2, 1)
TAKEN = date(FROM.year - 3, 1, 1)
#: Members of whom no requirement asks anything: the first slice of a rebuild.
OTHERS = standings.SLICE
SECONDS = 20_000


def seed_two_districts() -> None:
    """North has five members under the refresher, 000001 to 000005, all trained on one day; an edition is to come.

    South has four under first aid, 000011 to 000014: two current, one overdue, and the chief.
    """
    north = make.make_unit("NOR", name="North District")
    south = make.make_unit("SOU", name="South District")
    crisis = make.make_course("CIT-40", title="CIT basic course", title_key="cit basic course")
    aid = make.make_course("FAID", title="First aid", title_key="first aid", hours=8, kind="in_service")
    refresher = make.make_requirement("refresher", entry=(crisis,), population={"units": ["NOR"]})
    to_come = Edition.objects.create(
        requirement=refresher,
        population=refresher.editions.get().population,
        effective_from=FROM,
        clock="rolling",
        months=36,
    )
    to_come.entry_courses.set([crisis])
    make.make_requirement("first-aid", entry=(aid,), population={"units": ["SOU"]}, months=24, entry_grace_days=0)
    others = Officer.objects.bulk_create(
        Officer(agency=north.agency, employee_id=f"1{number:05d}", last_name="Reyes", first_name="Noor")
        for number in range(OTHERS)
    )
    ids = [officer.pk for officer in others]
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        columns = ("officer_id", "start_on", "category")
        recorder.record_many(Employment, columns, ((key, date(2016, 3, 4), "sworn") for key in ids), ids)
    for number in range(1, 6):
        make.complete(make.make_officer(f"{number:06d}", last_name=f"North{number}", unit=north), crisis, TAKEN)
    for number, age in ((11, 300), (12, 400), (13, 900), (14, 300)):
        officer = make.make_officer(f"{number:06d}", last_name=f"South{number}", unit=south)
        make.complete(officer, aid, TODAY - timedelta(days=age))
    make.make_user("compliance", "compliance")
    chief = make.make_user("chief", "chief")
    Access.objects.create(user=chief, role="officer", officer=officer)


@pytest.fixture(scope="module")
def seeding() -> Callable[[], object]:
    return seed_two_districts


@pytest.fixture(scope="module")
def _worker(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A worker on the site's database, gone before that is emptied."""
    with running_broker(tmp_path_factory.mktemp("broker")):
        program = CeleryWorker(tmp_path_factory.mktemp("worker") / "log")
        try:
            yield
        finally:
            program.kill()


@pytest.fixture
def page(people: People, _worker: None) -> Iterator[Page]:
    person = people.of("compliance")
    yield person.page
    assert refused(person.errors) == []


def last_of(unit: str) -> int:
    """The member whom a rebuild of this unit, or of everybody up to it, comes to last."""
    return int(Officer.objects.filter(employments__isnull=False, assignments__unit__code=unit).latest("pk").pk)


@contextmanager
def no_completion_readable() -> Iterator[None]:
    """Until the block ends whoever judges members waits."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE training_completion IN ACCESS EXCLUSIVE MODE")
        yield


def expect_at_work(page: Page, words: str) -> None:
    """The bar stands there with a count, and again after the page is loaded anew."""
    for _ in range(2):
        expect(page.locator("#job")).to_contain_text(words, timeout=SECONDS)
        expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
        page.reload()


def test_compliance_changes_an_edition_to_come_and_the_officer_page_says_why(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_changes, "MOST_AT_ONCE", 10)

    page.goto("/requirements/refresher/")
    page.locator(f"#from-{FROM}").get_by_role("link", name="Change, move or withdraw this edition").click()
    page.get_by_label("How long a course carries").select_option("calendar")
    page.get_by_label("Months", exact=True).fill("0")
    page.get_by_role("button", name="Preview what changes").click()
    expect(page.locator("#id_years_error")).to_contain_text("needs the number of years")
    expect(page.get_by_label("How long a course carries")).to_have_value("calendar")
    page.get_by_label("Calendar years").fill("3")
    with no_completion_readable():
        page.get_by_role("button", name="Preview what changes").click()
        expect_at_work(page, "At work")
    expect(page.get_by_role("heading", name=f"On {day(FROM)}: 5 members change state")).to_be_visible(timeout=SECONDS)

    readings = page.get_by_role("table", name=f"{day(FROM)}: members by state under each reading")
    expect(readings.get_by_role("row").nth(1)).to_contain_text("chosen")
    expect(readings.get_by_role("row")).to_have_count(4)
    expect(readings.get_by_role("row", name="36 months from the day")).to_contain_text("0 of 5")
    expect(readings.get_by_role("row", name="3 calendar years")).to_contain_text("5 of 5")
    assert Edition.objects.get(effective_from=FROM).clock == "rolling"
    with holding(last_of("SOU")):
        page.get_by_role("button", name=f"Put this edition in force from {day(FROM)} (5 members change state)").click()
        expect_at_work(page, f"{OTHERS:,} of {OTHERS + 9:,}")
    page.get_by_role("link", name="See the result").click(timeout=SECONDS)

    expect(page.locator(f"#from-{FROM}")).to_contain_text("3 calendar years")
    page.goto(f"/officers/000001/?as_of={FROM}")
    expect(page.locator("main")).to_contain_text(
        f"Current through {day(date(FROM.year, 12, 31))}: CIT basic course on {day(TAKEN)}, "
        "renewed by the end of the third calendar year after it (CALEA 41.2.7)."
    )
    assert standings.differences() == {}


def test_an_emergency_is_extended_for_many_listed_and_ended_as_one(page: Page) -> None:
    until = day(TODAY + timedelta(days=700))
    page.goto("/mass/new/")
    page.get_by_label("Requirement").select_option("first-aid")
    page.get_by_label("Last day").fill((TODAY + timedelta(days=700)).isoformat())
    page.get_by_label("Why it is granted").fill("The academy was flooded")
    page.get_by_label("Approval reference").fill("Order 7")
    page.get_by_label("Approved by").select_option("chief")
    page.get_by_role("button", name="Look at whom it is for").click()

    lines = page.get_by_role("table", name=f"Members in the population on {day(TODAY)}")
    expect(lines.get_by_role("row", name="South11")).to_contain_text("granted", timeout=SECONDS)
    expect(lines.get_by_role("row", name="South13")).to_contain_text("too late")
    expect(lines.get_by_role("row", name="South14")).to_contain_text("needs another approval")
    with holding(last_of("SOU") - 2):
        page.get_by_role("button", name="Record 2 extensions").click()
        expect_at_work(page, "At work")
    expect(page.get_by_role("status")).to_contain_text("Recorded for 2 members", timeout=SECONDS)
    officers = set(Extension.objects.values_list("officer__employee_id", flat=True))
    page.goto("/mass/?state=recorded")
    listed = page.get_by_role("row", name="The academy was flooded")
    expect(listed).to_contain_text(until)

    page.goto("/officers/000014/extend/?requirement=first-aid")
    page.get_by_label("New last day").fill((TODAY + timedelta(days=700)).isoformat())
    page.get_by_label("Why it is granted").fill("The academy was flooded")
    page.get_by_label("Approval reference").fill("Order 7")
    page.get_by_label("Approved by").select_option("chief")
    page.get_by_role("button", name="Look at what it changes").click()
    expect(page.get_by_role("alert")).to_have_text("chief is Amara South14, and nobody approves for themselves.")
    page.goto("/officers/000011/")
    expect(page.locator("main")).to_contain_text(f"Current through {until}")

    page.goto("/mass/?state=recorded")
    listed.get_by_role("link", name="Extension").click()
    page.get_by_role("link", name="End it").click()
    page.get_by_label("Why it is ended").fill("The academy is open again")
    page.get_by_role("button", name="End it for 2 members").click()
    expect(page.get_by_role("status")).to_contain_text("nothing of it stands", timeout=SECONDS)

    page.goto("/officers/000011/")
    expect(page.locator("main")).not_to_contain_text(f"Current through {until}")
    assert officers == {"000011", "000012"}
    assert not Extension.objects.known().exists()
    assert standings.differences() == {}
