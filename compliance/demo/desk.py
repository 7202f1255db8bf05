"""What lies on the academy's desk in the demo, for a person to decide: one thing of each kind.

A certificate from elsewhere, of a member whose own class is about to be finished and looks like it; a course that a
member reports; a correction that waits for a second person; completions that look like one; a merge that is done.
Nothing of it counts for anybody's standing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile

from compliance import log
from compliance.demo.papers import make_paper
from compliance.engine import plus_months
from compliance.sentences import day
from roster import files, merging
from roster.facts import Via, recording
from roster.file_types import PAPERS
from roster.models import Agency, Assignment, AssignmentKind, Employment, Officer
from training import corrections, finish
from training.models import ClassSession, ClassState, Completion, Course, Evidence
from training.schedule import ONE_DAY

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from roster.files import StoredFile

CENTER, COLLEGE = "State Crisis Training Center", "Harbor Community College"
#: of a course that no requirement lists
ORDINARY = "FAID-CPR"
#: Members whose ordinary course was written down twice.
TWICE = 3


def lay_on_desk(agency: Agency, users: Mapping[str, User], *, today: date, shown: Officer) -> None:
    """Lay everything there. `shown` is the member whose record the officer's sign-in opens."""
    agency.asks_two = True
    agency.save(update_fields=["asks_two"])
    academy = users["academy"]
    _certify_elsewhere(agency, academy, today)
    _report(agency, users["officer"], shown, today)
    _propose(agency, academy)
    _write_twice(agency, academy)
    _merge(agency, academy, shown, today)


def _scan(agency: Agency, by: User, who: Officer, title: str, proposal: log.Proposal) -> StoredFile:
    """The certificate that proves a proposal."""
    facts = [
        ("Awarded to", who.full_name),
        ("Course", title),
        ("Completed on", day(proposal.completed_on)),
        ("Number", proposal.certificate_number),
    ]
    data = {"title": "Certificate of completion", "author": proposal.provider, "facts": facts, "sections": []}
    upload = SimpleUploadedFile("certificate.pdf", make_paper(data, on=proposal.completed_on))
    return files.keep(upload, agency=agency, by=by, kinds=PAPERS)


def _certify_elsewhere(agency: Agency, by: User, today: date) -> None:
    """Of somebody who passes the class that waits to be finished: is it another course, or that one?"""
    classes = ClassSession.objects.filter(agency=agency, state=ClassState.PLANNED).select_related(
        "agency", "course", "lesson_plan"
    )
    for session in classes.order_by("number"):
        plan = finish.plan(session, by=by, today=today)
        for line in [] if plan.bar else plan.to_record:
            if line.seat.officer is None or line.judgement.completed_on is None or line.twins:
                continue
            who, on = line.seat.officer, line.judgement.completed_on - 3 * ONE_DAY
            proposal = log.Proposal(
                session.course, on, evidence=Evidence.PENDING, provider=CENTER, certificate_number="SC-20417"
            )
            with files.keeping():
                scan = _scan(agency, by, who, "Crisis Intervention Team, 40 h", proposal)
                log.record(
                    proposal, [who.pk], by=by, today=today, why="Certificate sent in by the member", files=[scan]
                )
            return


def _report(agency: Agency, by: User, shown: Officer, today: date) -> None:
    course, on = Course.objects.get(code="MHFA-PS"), today - 9 * ONE_DAY
    proposal = log.Proposal(
        course,
        on,
        provider=COLLEGE,
        certificate_number="HC-88213",
        certificate_expires_on=plus_months(on, 36),
    )
    with files.keeping():
        scan = _scan(agency, by, shown, course.title, proposal)
        log.report(proposal, shown, by=by, today=today, file=scan)


def _ordinary(agency: Agency) -> list[Completion]:
    """The latest completions of a course that nobody's standing rests on, each of another member."""
    rows = Completion.objects.known().filter(officer__agency=agency, course__code=ORDINARY, result="passed")
    found: dict[int, Completion] = {}
    for row in rows.select_related("officer__agency", "course").order_by("-completed_on", "officer__employee_id")[:50]:
        found.setdefault(row.officer_id, row)
    return list(found.values())


def _propose(agency: Agency, by: User) -> None:
    for row in _ordinary(agency)[TWICE : TWICE + 1]:
        corrections.propose_correction(row, why="The sign-in sheet shows 6 hours", by=by, hours=Decimal(6))


def _write_twice(agency: Agency, by: User) -> None:
    """As when one class comes in by a file and by its sheet, a day apart."""
    rows = _ordinary(agency)[:TWICE]
    with recording(by=by, via=Via.IMPORT, why="First aid cards, from the vendor's list") as recorder:
        recorder.lock([row.officer_id for row in rows])
        for row in rows:
            on = row.completed_on - ONE_DAY
            recorder.record(Completion(officer=row.officer, course=row.course, completed_on=on, verified_on=on))


def _merge(agency: Agency, by: User, shown: Officer, today: date) -> None:
    """A member who was entered a second time, under the id of the academy's old list, with an old completion."""
    members = Officer.objects.filter(agency=agency).serving_on(today).exclude(pk=shown.pk).order_by("-employee_id")
    kept = members.filter(employments__category="sworn").first()
    home = kept and Assignment.objects.known().filter(officer=kept, kind=AssignmentKind.HOME, end_on=None).first()
    if kept is None or not home:
        return
    second = Officer.objects.create(
        agency=agency, employee_id=f"A-{kept.employee_id}", last_name=kept.last_name, first_name=kept.first_name[:1]
    )
    course = Course.objects.get(code="LEGAL-2")
    with recording(by=by, via=Via.IMPORT, why="The academy's list of online courses") as recorder:
        recorder.lock([second.pk])
        recorder.record(Employment(officer=second, start_on=home.start_on, category="sworn"))
        recorder.record(
            Completion(officer=second, course=course, completed_on=max(home.start_on, today - 400 * ONE_DAY))
        )
    merging.merge(kept, second, why="One person: the old list had another id", by=by)
