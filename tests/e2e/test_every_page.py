"""Every page, at both widths: nothing for axe to find, nothing in the console, nothing wider than a phone."""

from __future__ import annotations

from datetime import date

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page

from compliance import rule_changes
from compliance.models import Requirement
from compliance.reports import issue
from compliance.reports.accreditation import Question
from roster.facts import known_now
from roster.models import Agency
from tests.e2e.conftest import DESKTOP, PHONE, People
from training.instructors import save, save_place
from training.models import Instructor, Place, Qualification

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = (
    "/",
    "/coverage/",
    "/coverage/?requirement=patrol",
    "/units/CEN/",
    "/officers/",
    "/officers/001000/",
    "/deadlines/",
    "/deadlines/?show=overdue",
    "/goals/",
    "/completions/",
    "/completions/log/",
    "/completions/pending/",
    "/completions/alike/",
    "/corrections/",
    "/courses/",
    "/courses/add/",
    "/courses/CIT-40/",
    "/courses/CIT-40/change/",
    "/topics/",
    "/classes/",
    "/classes/CIT-2026-03/",
    "/classes/CIT-2026-03/seats/",
    "/classes/CIT-2026-03/seats/enrol/",
    "/classes/CIT-2026-03/seats/suggestions/?number=5",
    "/classes/CIT-2026-02/attendance/",
    "/classes/CIT-2026-02/tests/",
    "/classes/CIT-2026-02/finish/",
    "/classes/CIT-2026-01/finish/",
    "/classes/CIT-2026-01/reopen/",
    "/classes/CIT-2026-01/papers/",
    "/classes/CIT-2026-02/papers/",
    "/verify/",
    "/verify/nobody-was-given-this/",
    "/classes/plan/",
    "/classes/CIT-2026-03/blocks/",
    "/classes/CIT-2026-03/change/",
    "/classes/CIT-2026-03/times/",
    "/classes/CIT-2026-03/cancel/",
    "/calendar/",
    "/calendar/?view=week",
    "/calendar/feed/",
    "/instructors/",
    "/instructors/add/",
    "/places/",
    "/places/add/",
    "/import/",
    "/import/titles/",
    "/requirements/",
    "/requirements/patrol/",
    "/requirements/add/",
    "/requirements/load/",
    "/requirements/patrol/editions/add/",
    "/requirements/patrol/editions/2015-01-01/",
    "/reports/",
    "/settings/",
    "/settings/staffing/",
    "/users/",
    "/password/",
    "/officers/hire/",
    "/officers/001000/transfer/",
    "/officers/001000/leave/",
    "/officers/001000/separate/",
    "/officers/001000/merge/?second=001001",
    "/merges/",
    "/officers/001000/history/",
    "/officers/001000/waive/",
    "/officers/001000/extend/",
    "/officers/001000/designations/",
    "/officers/001020/explain/",
    "/waivers/",
    "/extensions/",
    "/trail/",
    "/equivalencies/",
    "/equivalencies/add/",
    "/lesson-plans/",
    "/lesson-plans/add/",
    "/mass/",
    "/mass/new/",
    "/coverage/?as_of=never",
    "/nowhere/",
)
ON_PHONES = (
    *PAGES[:10],
    "/import/",
    "/import/titles/",
    "/reports/",
    "/requirements/",
    "/requirements/patrol/",
    "/requirements/patrol/editions/add/",
    "/officers/001000/extend/",
    "/officers/001000/designations/",
    "/waivers/",
    "/extensions/",
    "/mass/",
    "/mass/new/",
    "/lesson-plans/",
    "/courses/CIT-40/",
    "/courses/CIT-40/change/",
    "/officers/001000/history/",
    "/trail/",
    "/completions/pending/",
    "/completions/alike/",
    "/corrections/",
    "/settings/",
    "/classes/",
    "/classes/CIT-2026-03/",
    "/classes/CIT-2026-03/seats/",
    "/classes/CIT-2026-03/seats/enrol/",
    "/classes/CIT-2026-03/seats/suggestions/?number=5",
    "/classes/CIT-2026-02/attendance/",
    "/classes/CIT-2026-02/tests/",
    "/classes/CIT-2026-02/finish/",
    "/classes/CIT-2026-01/finish/",
    "/classes/CIT-2026-01/reopen/",
    "/classes/CIT-2026-01/papers/",
    "/classes/CIT-2026-02/papers/",
    "/verify/",
    "/verify/nobody-was-given-this/",
    "/classes/CIT-2026-03/blocks/",
    "/classes/CIT-2026-03/times/",
    "/classes/plan/",
    "/calendar/",
    "/calendar/?view=week",
    "/calendar/feed/",
    "/instructors/",
    "/instructors/add/",
    "/places/",
)
#: What WCAG 2.1 AA asks, and what axe counts as good practice besides. Only what is broken is worked out and sent back.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}
BROKEN = """options => axe.run(options).then(result =>
    result.violations.map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 120)}`))"""


def violations(page: Page) -> list[str]:
    """`rule: the first element`, for each rule broken."""
    page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(BROKEN, RULES)
    return found


def refused(errors: list[str]) -> list[str]:
    """What the console said, but for the status of a page that is meant to be refused."""
    return [error for error in errors if "the server responded with a status of 40" not in error]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible_and_keeps_to_the_policy(people: People, path: str) -> None:
    person = people.of("admin")
    page = person.open(path)

    assert violations(page) == []
    assert refused(person.errors) == []


@pytest.mark.parametrize("path", ON_PHONES)
def test_page_fits_a_phone(people: People, path: str) -> None:
    person = people.of("admin", PHONE)
    page = person.open(path)

    width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room
    assert violations(page) == []
    assert refused(person.errors) == []


def test_an_issued_report_is_accessible_at_both_widths(people: People) -> None:
    day = timezone.localdate()
    span = issue.default_span(day)
    question = Question(Requirement.objects.get(), Agency.objects.get(), None, day, *span, known_now())
    report = issue.issue(question, by=None)

    for size in (DESKTOP, PHONE):
        person = people.of("compliance", size)
        page = person.open(f"/reports/{report.number}/")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
        assert refused(person.errors) == []


#: A requirement of its own: those of the site are closed to change once another test here has issued a report.
PROPOSED = """
[[requirement]]
code = "watches"
title = "CIT on every watch"
[[requirement.edition]]
effective_from = 2015-01-01
population = "patrol-population"
entry_courses = ["CIT-40"]
clock = "rolling"
months = 36
min_block_hours = 50
"""


def test_what_was_changed_of_an_instructor_and_a_place_is_accessible_at_both_widths(people: People) -> None:
    agency, by = Agency.objects.get(), User.objects.get(username="academy")
    held = Qualification(title="State certificate", start_on=date(2020, 1, 1), end_on=timezone.localdate())
    vera = save(Instructor(agency=agency, name="Vera Lindqvist"), [held], by=by)
    annex = save_place(Place(agency=agency, name="Annex", capacity=8), by=by)

    for size in (DESKTOP, PHONE):
        person = people.of("academy", size)
        for path in (f"/instructors/{vera.pk}/", f"/places/{annex.pk}/"):
            page = person.open(path)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
            assert page.get_by_role("table", name="What was changed, the latest first").is_visible()
        assert refused(person.errors) == []


def test_a_preview_of_a_rule_change_is_accessible_at_both_widths(people: People) -> None:
    asked = rule_changes.start_preview(
        PROPOSED, today=timezone.localdate(), by=User.objects.get(username="compliance"), back="/requirements/load/"
    )

    for size in (DESKTOP, PHONE):
        person = people.of("compliance", size)
        page = person.open(f"/requirements/previews/{asked.key}/")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
        assert refused(person.errors) == []
        assert page.get_by_role("heading", name="What changes").is_visible()


@pytest.mark.parametrize("path", ["/my/", "/my/report/"])
def test_an_officers_own_page_is_accessible(people: People, path: str) -> None:
    page = people.of("officer", PHONE).open(path)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True


def test_the_sign_in_page_is_accessible(people: People) -> None:
    person = people.stranger()
    page = person.open("/sign-in/")

    assert violations(page) == []
    assert person.errors == []
    page.context.close()
