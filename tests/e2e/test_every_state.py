"""The pages of what is granted and of rules that change, in each of their states: axe, the console, a phone's width."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance import course_rules, mass, rule_changes
from compliance.models import Edition, Job, MassAct, Requirement
from compliance.reports import issue
from compliance.reports.accreditation import Question
from compliance.requirements_toml import export_toml
from roster.facts import known_now
from roster.models import Agency, Officer, Unit
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, People, Person
from tests.e2e.test_every_page import refused, violations
from tests.waiting_jobs import work
from training.models import Certificate, Course, LessonPlan

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TODAY = timezone.localdate()
YEAR = timedelta(days=365)


def check(person: Person, path: str = "", *, heading: str = "") -> Page:
    """Open a page, or take the one that is open: nothing for axe at desktop width, and it fits a phone."""
    page = person.open(path) if path else person.page
    if heading:
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert violations(page) == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    assert width <= room, f"{page.url} is {width} wide"
    assert refused(person.errors) == []
    return page


@pytest.fixture
def compliance(people: People) -> Person:
    return people.of("compliance")


def user(name: str) -> User:
    return User.objects.get(username=name)


def asked(kind: str) -> MassAct:
    act = MassAct(
        token=uuid4(),
        kind=kind,
        requirement=Requirement.objects.get(code="patrol"),
        on_day=TODAY,
        until_on=TODAY + 3 * YEAR,
        why="The academy was flooded",
        approval="Order 7",
        approver=user("chief"),
        asked_by=user("compliance"),
    )
    return mass.ask(act, [], by=user("compliance"))


def test_a_mass_act_is_accessible_in_every_state(compliance: Person) -> None:
    act = asked("extension")
    address = f"/mass/{act.pk}/"

    check(compliance, address, heading="Being looked at")
    work()
    check(compliance, address, heading="members")
    act.refresh_from_db()
    mass.record(act, digest=act.digest, by=user("compliance"))
    check(compliance, address, heading="Being recorded")
    work()
    page = check(compliance, address)
    assert page.get_by_role("status").inner_text().startswith("Recorded for ")
    page = check(compliance, f"{address}end/")
    page.get_by_role("button", name="End it for").click()  # the browser itself asks for the reason
    page.get_by_label("Why it is ended").fill(" ")
    page.get_by_role("button", name="End it for").click()
    expect(page.get_by_text("Say why: the reason stays with the record.")).to_be_visible()
    check(compliance)
    act.refresh_from_db()
    mass.end(act, why="The academy is open again", by=user("compliance"))
    check(compliance, address, heading="Being ended")
    work()
    page = check(compliance, address)
    assert "nothing of it stands" in page.get_by_role("status").inner_text()
    check(compliance, "/mass/")


def test_a_mass_act_that_failed_is_accessible(compliance: Person) -> None:
    act = asked("waiver")
    Job.objects.filter(state="waiting").update(state="failed", error="The work stopped three times.")

    page = check(compliance, f"/mass/{act.pk}/")

    assert "The work stopped three times. Nothing of it was recorded." in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("what", ["waiver", "extension"])
def test_granting_and_voiding_are_accessible(compliance: Person, what: str) -> None:
    requirement = Requirement.objects.get(code="patrol")
    officer = make.make_officer(last_name=f"Granted {what}", unit=Unit.objects.get(code="CEN"))
    make.complete(officer, Course.objects.get(code="CIT-40"), TODAY - YEAR)
    row: Any
    if what == "waiver":
        row = make.waive(officer, requirement, TODAY, TODAY + YEAR)
        page = compliance.open(f"/officers/{officer.employee_id}/waive/?requirement=patrol")
        page.get_by_label("Last day").fill((TODAY + YEAR / 2).isoformat())
        page.get_by_label("First day").fill((TODAY - timedelta(days=3)).isoformat())
    else:
        row = make.extend(officer, requirement, TODAY + 3 * YEAR, TODAY)
        page = compliance.open(f"/officers/{officer.employee_id}/extend/?requirement=patrol")
        page.get_by_label("New last day").fill((TODAY + 4 * YEAR).isoformat())
    page.get_by_label("Why it is granted").fill("Deployed")
    page.get_by_label("Approval reference").fill("Memo 12")
    page.get_by_label("Approved by").select_option("chief")
    page.get_by_role("button", name="Look at what it changes").click()
    expect(page.get_by_role("button", name=f"Record the {what}")).to_be_visible()
    check(compliance)
    page.get_by_role("button", name=f"Record the {what}").click()
    expect(page.get_by_role("status")).to_contain_text("recorded")
    check(compliance)

    page = check(compliance, f"/{what}s/{row.pk}/void/")
    page.get_by_label("Why it is voided").fill("Entered for somebody else")
    page.get_by_role("button", name=f"Void this {what}").click()
    check(compliance, f"/{what}s/")
    check(compliance, f"/officers/{officer.employee_id}/")
    check(compliance, "/trail/")


def test_what_a_course_counts_as_is_accessible(compliance: Person) -> None:
    taken, counts_as = make.make_course("OUT-40", title="Outside course"), Course.objects.get(code="CIT-40")
    officer = make.make_officer(last_name="Outside", unit=Unit.objects.get(code="CEN"))
    make.complete(officer, taken, TODAY - YEAR)
    equivalency = make.make_equivalency(taken, counts_as, date(2015, 1, 1), date(2016, 1, 1))
    plan = make.make_lesson_plan(taken, "2019", date(2019, 1, 1), date(2024, 12, 31))

    page = check(compliance, f"/equivalencies/{equivalency.pk}/end/")
    page.get_by_label("Last day").fill("")
    page.get_by_label("Why").fill("The same hours")
    page.get_by_role("button", name="Look at what it changes").click()
    check(compliance, heading="1 member changes state today")
    page.get_by_role("button", name="Put it in force").click()
    check(compliance, heading="Put in force what a course counts as")
    work()
    check(compliance, "/equivalencies/")
    check(compliance, f"/lesson-plans/{plan.pk}/end/")
    moved = LessonPlan.objects.get(pk=plan.pk)
    moved.end_on = None
    rule = course_rules.DatedRule(moved)
    preview = course_rules.start_preview(rule, why="Accepted longer", today=TODAY, by=user("compliance"))
    check(compliance, f"/course-rules/{preview.key}/")
    check(compliance, "/lesson-plans/")


def test_an_explanation_is_accessible(compliance: Person) -> None:
    page = compliance.open("/officers/001020/explain/")
    page.get_by_label("Overdue period").select_option(index=1)
    page.get_by_label("Explanation").fill(" ")
    page.get_by_role("button", name="Record the explanation").click()
    page.get_by_label("Explanation").fill("The class was cancelled twice")
    page.get_by_role("button", name="Record the explanation").click()

    check(compliance, "/officers/001020/")
    check(compliance, "/officers/001000/explain/")


def test_a_rule_at_work_and_one_that_is_closed_are_accessible(
    compliance: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its own requirement: a report closes it, and a second one supersedes the first."""
    course = Course.objects.get(code="CIT-40")
    requirement = make.make_requirement("closed", entry=(course,), population={"units": ["EAS"]})
    day, agency = TODAY - timedelta(days=1), Agency.objects.get()
    span = issue.default_span(day)
    first = issue.issue(Question(requirement, agency, None, day, *span, known_now()), by=None)
    make.complete(Officer.objects.get(employee_id="001000"), course, day)
    second = issue.issue(Question(requirement, agency, None, day, *span, known_now()), by=None)
    monkeypatch.setattr(rule_changes, "MOST_AT_ONCE", 1)
    content = export_toml(Requirement.objects.filter(code="patrol")).replace("months = 36", "months = 24")
    job = rule_changes.start_preview(content, today=TODAY, by=user("compliance"), back="/requirements/load/")
    address = f"/requirements/previews/{job.key}/"

    check(compliance, address, heading="What changes")
    Job.objects.filter(pk=job.pk).update(state="failed", error="The work stopped three times.")
    check(compliance, address)
    check(compliance, f"/requirements/closed/editions/{Edition.objects.get(requirement=requirement).effective_from}/")
    check(compliance, "/requirements/closed/")
    check(compliance, f"/reports/{first.number}/")
    check(compliance, f"/reports/{second.number}/")


def test_a_goal_of_each_watch_is_accessible(compliance: Person) -> None:
    requirement = Requirement.objects.get(code="patrol")
    for counts in ("trained", "designated", "available"):
        make.make_goal(
            requirement, title=f"{counts} on each watch", counts=counts, designation="CIT", each="unit_shift",
            min_count=1, target_percent=20,
        )  # fmt: skip

    check(compliance, "/goals/")


def test_a_look_alike_is_decided_by_keyboard_before_a_class_is_finished(people: People) -> None:
    """And the public page of the certificate that it gives, which is not valid once the class is reopened."""
    day = timezone.localdate() - timedelta(days=3)
    course = make.make_course("DESK-4", title="Desk course", title_key="desk course", hours=Decimal(8))
    session = make.make_class("DESK-1", course, days=[day])
    seat = make.make_seat(session, make.make_officer("001990", last_name="Twice", unit=Unit.objects.get(code="CEN")))
    make.attend(seat)
    assert seat.officer is not None
    make.complete(seat.officer, course, day - timedelta(days=1), class_number="DESK-0")
    academy, stranger = people.of("academy"), people.stranger()

    page = check(academy, "/classes/DESK-1/finish/", heading="1 has one like it already")
    page.get_by_role("button", name="Finish the class").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".field-error")).to_have_text("Say whether both were taught.")
    academy.errors.clear()  # the page was refused
    check(academy)
    page.get_by_role("radio", name="Leave this one out").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Both were taught")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Class finished: 1 completion recorded.")
    certificate = Certificate.objects.get(completion__officer=seat.officer)
    check(stranger, f"/verify/{certificate.token}/", heading="Certificate")
    check(academy, "/classes/DESK-1/reopen/", heading="Reopen the class")
    page.get_by_label("Why the class is reopened").fill("Another sheet")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Class reopened.")
    public = check(stranger, f"/verify/{certificate.token}/", heading="Certificate")
    expect(public.locator("dl.facts")).to_contain_text("not valid")
    public.context.close()
