"""A roster export and a file of transcripts, imported by page and undone by page: every table is as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from compliance.standings import differences
from roster.models import Officer, Unit
from tests import waiting_jobs
from tests.e2e.conftest import People
from tests.e2e.test_every_page import violations
from tests.importing import every_table, not_as_before
from training.models import Completion, Course

pytestmark = pytest.mark.django_db(transaction=True)

PANEL = Path(settings.BASE_DIR).parent / "shared" / "data" / "city_panel"
READ = ("/officers/", "/coverage/", "/courses/", "/completions/", "/import/titles/")
ROSTER = """member_no,full_name,rank,shield_no,appt_date,command,assignment_date
900322,"MAYS, GREGG L",POLICE OFFICER,16649,1/10/2005,001 PRECINCT,3/2/2023
900529,"COMBS, KRISTEN C",SERGEANT,17133,7/14/2009,005 PRECINCT,9/27/2023
"""
TRANSCRIPTS = """member_no,date,course
900322,6/21/2024,CRISIS INTERVENTION
900322,6/22/2024,CLT-LEGAL ISSUES
900529,6/23/2024,RESPONDING TO PEOPLE IN CRISIS
900529,,CRISIS INTERVENTION
900592,6/21/2024,CRISIS INTERVENTION
"""


@pytest.fixture(scope="module")
def seeding() -> Callable[[], object]:
    return seed


def seed() -> None:
    from tests import factories as make  # noqa: PLC0415 - models are loaded after this file

    make.make_agency()
    course = make.make_course("CIT-40", title="CIT basic course", title_key="cit basic course")
    make.make_requirement("all", entry=(course,))
    # On record already, with another badge and in another unit than the files say: both change, and come back.
    known = make.make_officer("900322", unit=make.make_unit("OLD"), hired_on=date(2005, 1, 10), badge="1")
    make.complete(known, course, date(2019, 5, 3))
    make.make_user("academy", "academy")


@pytest.fixture(params=["made-up", "city-panel"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A roster export and transcripts."""
    if request.param == "city-panel":
        if not (PANEL / "training.csv").exists():
            pytest.skip("shared/data/city_panel is not beside the project")
        return PANEL / "officers.csv", PANEL / "training.csv"
    roster, transcripts = tmp_path / "officers.csv", tmp_path / "training.csv"
    roster.write_text(ROSTER)
    transcripts.write_text(TRANSCRIPTS)
    return roster, transcripts


def work(page: Page) -> None:
    """What a worker does with the jobs that wait; then the page again."""
    waiting_jobs.work()
    page.goto(page.url)


def send(page: Page, file: Path) -> None:
    page.goto("/import/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Where it comes from").fill("Panel")
    page.get_by_role("button", name="Send this file").click()


def record(page: Page) -> str:
    """Make the plan from its columns, record it, and say where it is."""
    page.get_by_role("button", name="Make the plan").click()
    work(page)
    page.get_by_role("button", name="Record").click()
    work(page)
    expect(page.get_by_text("Standings are up to date.")).to_be_visible()
    return page.url


def undo(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Undo this import").click()
    expect(page.get_by_role("row", name="Built on since: stays 0")).to_be_visible()
    page.get_by_label("Why").fill("Looked at")
    page.get_by_role("button", name="Undo this import").click()
    work(page)
    expect(page.get_by_text("undone on")).to_be_visible()


def check(page: Page) -> None:
    """axe finds nothing, at either width, and nothing is wider than a phone."""
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 860})
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    page.set_viewport_size({"width": 1280, "height": 860})


def tables(page: Page) -> list[str]:
    """What every page that lists something shows."""
    found = []
    for path in READ:
        page.goto(path)
        found.append(page.locator("main").inner_text())
    return found


def test_files_are_imported_by_page_and_undone(people: People, files: tuple[Path, Path]) -> None:
    person = people.of("academy")
    page = person.page
    roster, transcripts = files
    shown_before = tables(page)
    before = every_table()

    send(page, roster)
    expect(page.get_by_text("officers.csv · Assignments")).to_be_visible()
    page.get_by_role("button", name="Read it as units, too").click()
    runs = [record(page)]
    for kind in ("officers", "assignments"):
        page.get_by_role("button", name=f"Read it as {kind}, too").click()
        runs.append(record(page))
    send(page, transcripts)
    page.get_by_role("button", name="Make the plan").click()
    work(page)
    page.get_by_role("link", name="Say which course each is").click()
    page.get_by_label("Title holds").fill("crisis")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("All others on this page").fill("CIT basic course (CIT-40)")
    check(page)
    page.get_by_role("button", name="Remember these and plan again").click()
    work(page)
    if page.get_by_role("link", name="See whom they may be").count():
        page.get_by_role("link", name="See whom they may be").click()
        check(page)
        page.get_by_label("900529 KRISTEN C COMBS").check()
        page.get_by_role("button", name="Remember these and plan again").click()
        work(page)
    page.get_by_role("button", name="Record").click()
    work(page)
    runs.append(page.url)

    taken = Completion.objects.known().filter(course__code="CIT-40").count()
    assert taken > 1
    assert (Officer.objects.count(), Unit.objects.count()) > (1, 1)
    page.get_by_role("link", name="Undo this import").click()
    check(page)

    for address in reversed(runs):
        undo(page, address)

    assert not_as_before(before) == {}
    assert tables(page) == shown_before
    assert Course.objects.count() == 1
    assert differences() == {}
    assert person.errors == []
