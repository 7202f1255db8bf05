"""Scans kept with a class: added, and taken out of its file with a reason. The files themselves are never removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING

from django.utils import timezone

from compliance.class_papers import gather
from roster import files
from roster.file_types import LESSON_PLANS
from roster.files import keeping
from training.models import ClassPaper, ClassSession, Meeting

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile


#: Scans, and handouts as they were written.
KINDS = LESSON_PLANS


@dataclass(frozen=True, slots=True)
class Kept:
    """A paper as the page lists it."""

    row: ClassPaper
    #: of a sign-in sheet: its block; blank for the whole class
    block: str


def keep(
    session: ClassSession, upload: UploadedFile[bytes], *, kind: str, meeting: Meeting | None, note: str, by: User
) -> ClassPaper:
    """Keep a file with a class, also after it is finished: papers come late. `FileRefused` with a sentence."""
    with keeping():
        stored = files.keep(upload, agency=session.agency, by=by, kinds=KINDS)
        return ClassPaper.objects.create(session=session, kind=kind, meeting=meeting, file=stored, note=note)


def withdraw(row: ClassPaper, *, why: str, by: User) -> bool:
    """Take a paper out of the class file; False when it was taken out before. Its file is kept."""
    values = {"withdrawn_at": timezone.now(), "withdrawn_by": by, "withdrawn_why": why}
    return bool(ClassPaper.objects.filter(pk=row.pk, withdrawn_at=None).update(**values))


def kept(session: ClassSession, blocks: Sequence[Meeting]) -> list[Kept]:
    """Every paper of a class, those taken out last. One query."""
    names = {block.pk: gather.block_name(number, block) for number, block in enumerate(blocks, start=1)}
    order = {block.pk: place for place, block in enumerate(blocks)}
    rows = list(session.papers.select_related("file__uploaded_by", "withdrawn_by"))
    rows.sort(key=lambda row: (row.withdrawn_at is not None, row.kind, order.get(row.meeting_id or 0, -1), row.pk))
    return [Kept(row, names.get(row.meeting_id or 0, "")) for row in rows]


def problems(
    session: ClassSession, papers: Iterable[ClassPaper], *, most_read: int | None = None
) -> tuple[dict[int, str], int]:
    """Stored file -> what is wrong with it, of the files in the class file that are not as they came; how many unread.

    One after the other is read, the smallest first, up to `most_read` bytes in all (None = every byte); of the rest it
    is looked at whether they are there and as large as they were.
    """
    found = [row.file for row in papers if row.withdrawn_at is None]
    if session.lesson_plan is not None and session.lesson_plan.file is not None:
        found.append(session.lesson_plan.file)
    sizes = accumulate(sorted(file.size for file in found))
    number = len(found) if most_read is None else sum(size <= most_read for size in sizes)
    whole = {file.pk for file in sorted(found, key=attrgetter("size"))[:number]}
    told = ((file.pk, files.problem_of(file, reads_all=file.pk in whole)) for file in found)
    return {key: said for key, said in told if said}, len(found) - number
