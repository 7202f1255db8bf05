"""Papers of the demo's finished classes: certificates of all of them, and the scans of the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile

from compliance.class_papers import attendees, gather, keeping, sign_in
from roster.models import Agency
from training.certificates import issue_of_class
from training.models import ClassPaper, ClassSession, ClassState, Meeting

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def add_papers(agency: Agency, *, by: User) -> None:
    """Certificates as finishing issues them, oldest class first; of the last the roster and all sheets but one."""
    classes = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan").filter(
        agency=agency, state=ClassState.FINISHED
    )
    held = sorted(((gather.blocks_of(row), row) for row in classes), key=lambda pair: pair[0][-1].ends_at)
    for blocks, session in held:
        issue_of_class(session, issued_on=gather.day_of(blocks[-1].ends_at), by=by)
    if held:
        blocks, session = held[-1]
        for number, block in enumerate(blocks[:-1], start=1):
            _keep(session, f"sheet-{number}.pdf", sign_in.sheets(session, block=number), by, meeting=block)
        _keep(session, "roster.pdf", attendees.roster(session), by)


def _keep(session: ClassSession, name: str, content: bytes, by: User, meeting: Meeting | None = None) -> None:
    kind = ClassPaper.Kind.ROSTER if meeting is None else ClassPaper.Kind.SIGN_IN
    upload = SimpleUploadedFile(name, content)
    keeping.keep(session, upload, kind=kind.value, meeting=meeting, note="", by=by)
