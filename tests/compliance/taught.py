"""A class as it lies in its file: taught on two days, marked, tested, with a make-up, corrections and scans."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from roster.files import StoredFile
from roster.models import Agency
from tests import factories as make
from training.models import (
    Attendance,
    ClassEvent,
    ClassPaper,
    ClassSession,
    CourseTest,
    Enrollment,
    Instructor,
    LessonPlan,
    Meeting,
    Qualification,
    TestAttempt,
)

#: The two days of the class.
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@dataclass
class Taught:
    session: ClassSession
    blocks: list[Meeting]
    #: Amara Whitfield 002918, Jonah Delacroix 003377, and Ivan Petrov of another agency
    seats: list[Enrollment]
    test: CourseTest
    ruth: Instructor
    by: User


def store(
    content: bytes, name: str = "scan.pdf", agency: Agency | None = None, in_folder: Path | None = None
) -> StoredFile:
    """A file as uploading leaves it, below MEDIA_ROOT or this folder."""
    path = Path("files") / str(uuid4())
    full = (in_folder or Path(settings.MEDIA_ROOT)) / path
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_bytes(content)
    return StoredFile.objects.create(
        agency=agency or make.make_agency(),
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_type="application/pdf",
        stored_as=str(path),
    )


def keep_paper(
    session: ClassSession,
    kind: str,
    content: bytes = b"%PDF-1.7 a scan",
    *,
    name: str = "scan.pdf",
    in_folder: Path | None = None,
    meeting: Meeting | None = None,
) -> ClassPaper:
    file = store(content, name, session.agency, in_folder)
    return ClassPaper.objects.create(session=session, kind=kind, file=file, meeting=meeting)


def reread(session: ClassSession) -> ClassSession:
    """The class as a page gets it, with what belongs to it."""
    rows = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan__file", "finished_in")
    return rows.get(pk=session.pk)


def make_planned(number: str = "CIT-2026-03", people: int = 2) -> Taught:
    """Planned, with everything a class needs before it begins, and nothing of what comes of teaching."""
    agency = make.make_agency()
    course = make.make_course(
        "CIT-16",
        title="Crisis basics",
        title_key="crisis basics",
        hours=Decimal(16),
        min_attendance=Decimal(90),
        min_score=Decimal(75),
        state_approval="OPOTA-2291",
    )
    plan, _ = LessonPlan.objects.get_or_create(
        course=course,
        version="v2025",
        defaults={
            "start_on": date(2025, 1, 1),
            "objectives": "Name the signs of a crisis\nDe-escalate by voice",
            "approved_by": "Captain R. Osei",
            "approved_on": date(2024, 12, 2),
            "file": store(b"%PDF-1.7 lesson plan", "Plan v2025.pdf", agency),
        },
    )
    place = make.make_place("Academy, room 2", address="400 Harbor Street")
    session = make.make_class(number, course, days=(MONDAY, TUESDAY), place=place, lesson_plan=plan)
    blocks = list(session.meetings.order_by("starts_at"))
    ruth = make.make_instructor("Ruth Osei", employer="County Behavioral Health")
    Qualification.objects.create(instructor=ruth, title="State certificate 4471", start_on=date(2020, 1, 1))
    for block, title in zip(blocks, ("Signs", "Listening", "Distance", "Role play"), strict=True):
        Meeting.objects.filter(pk=block.pk).update(title=title)
        make.teach(ruth, block)
    test, _ = CourseTest.objects.get_or_create(course=course, name="Written test", pass_mark=Decimal(75))
    unit = make.make_unit(name="District 3")
    named = [("002918", "Whitfield", "Amara"), ("003377", "Delacroix", "Jonah")]
    seats = [
        Enrollment.objects.create(
            session=session,
            officer=make.make_officer(*each[:1], last_name=each[1], first_name=each[2], unit=unit),
            since=timezone.now(),
        )
        for each in named[:people]
    ]
    outside = {"outside_name": "Petrov, Ivan", "outside_agency": "Lakeside County Sheriff", "outside_id": "LS-77"}
    seats.append(Enrollment.objects.create(session=session, since=timezone.now(), **outside))
    by = make.make_user("academy")
    return Taught(reread(session), list(session.meetings.order_by("starts_at")), seats, test, ruth, by)


def make_taught(number: str = "CIT-2026-03") -> Taught:
    """Taught, marked and tested in full, every paper kept: nothing is missing but that it is finished."""
    taught = make_planned(number)
    for block in taught.blocks:
        block.began_at, block.ended_at = block.starts_at + timedelta(minutes=5), block.ends_at
        block.save()
        keep_paper(taught.session, "sign_in", f"%PDF sheet {block.title}".encode(), meeting=block, name="Sheet 1.PDF")
        for seat in taught.seats:
            Attendance.objects.create(enrollment=seat, meeting=block, minutes=235, entered_by=taught.by)
    keep_paper(taught.session, "roster", b"%PDF roster", name="roster, approved.pdf")
    for seat in taught.seats:
        TestAttempt.objects.create(
            enrollment=seat, test=taught.test, taken_on=TUESDAY, score=Decimal(92), entered_by=taught.by
        )
    ClassEvent.objects.create(session=taught.session, what="planned", told="4 blocks", by=taught.by)
    return taught
