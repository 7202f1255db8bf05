"""Papers of the demo: lesson plans, certificates of all finished classes, and the scans of the latest."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from compliance.class_papers import attendees, gather, keeping, sign_in
from compliance.reports.paper import Data, render
from compliance.sentences import day
from roster import files
from roster.facts import changing_rules
from roster.file_types import LESSON_PLANS
from roster.models import Agency
from training.certificates import issue_of_class
from training.models import ClassPaper, ClassSession, ClassState, CourseTopic, LessonPlan, Meeting

if TYPE_CHECKING:
    from datetime import date

    from django.contrib.auth.models import User

TEMPLATE = Path(__file__).parent / "paper.typ"


def add_papers(agency: Agency, *, by: User) -> None:
    """Lesson plans with their files; certificates as finishing issues them, oldest class first; of the last class the
    roster and every signed sheet, so that nothing is missing from its file.
    """
    _write_plans(agency, by)
    classes = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan").filter(
        agency=agency, state=ClassState.FINISHED
    )
    held = sorted(((gather.blocks_of(row), row) for row in classes), key=lambda pair: pair[0][-1].ends_at)
    for blocks, session in held:
        issue_of_class(session, issued_on=gather.day_of(blocks[-1].ends_at), by=by)
    if held:
        blocks, session = held[-1]
        for number, block in enumerate(blocks, start=1):
            _keep(session, f"sheet-{number}.pdf", sign_in.sheets(session, block=number), by, meeting=block)
        _keep(session, "roster.pdf", attendees.roster(session), by)


def make_paper(data: Data, *, on: date) -> bytes:
    """A made-up paper as a tagged PDF: `title`, `author`, `facts` as pairs, `sections` of a title and lines."""
    return render(TEMPLATE, data, issued_at=timezone.make_aware(datetime.combine(on, time(12))))


def _write_plans(agency: Agency, by: User) -> None:
    with files.keeping(), changing_rules(by=by, why="Lesson plans of the academy, with their files"):
        for plan in LessonPlan.objects.filter(file=None).select_related("course").order_by("pk"):
            content = make_paper(_plan(agency, plan), on=plan.approved_on or plan.start_on)
            upload = SimpleUploadedFile(f"{plan.course.code} lesson plan {plan.version}.pdf", content)
            plan.file = files.keep(upload, agency=agency, by=by, kinds=LESSON_PLANS)
            plan.save(update_fields=["file"])


def _plan(agency: Agency, plan: LessonPlan) -> Data:
    topics = CourseTopic.objects.filter(course=plan.course).select_related("topic").order_by("topic__order")
    facts = [
        ("Course", f"{plan.course.title} ({plan.course.code})"),
        ("Version", plan.version),
        ("In force from", day(plan.start_on)),
        ("Approved by", plan.approved_by),
    ]
    return {
        "title": f"Lesson plan {plan.version}: {plan.course.title}",
        "author": agency.name,
        "facts": facts,
        "sections": [
            ("Objectives", plan.objectives.splitlines()),
            ("Topics", [f"{row.topic.name}, {row.hours.normalize():f} h" for row in topics]),
        ],
    }


def _keep(session: ClassSession, name: str, content: bytes, by: User, meeting: Meeting | None = None) -> None:
    kind = ClassPaper.Kind.ROSTER if meeting is None else ClassPaper.Kind.SIGN_IN
    upload = SimpleUploadedFile(name, content)
    keeping.keep(session, upload, kind=kind.value, meeting=meeting, note="", by=by)
