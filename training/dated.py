"""Lesson plans and equivalencies: the one place where they are written, and noted in the trail."""

from __future__ import annotations

from roster.trail import What, note_saved, values_of
from training.models import Equivalency, LessonPlan


def save_dated(row: LessonPlan | Equivalency) -> None:
    """Save a lesson plan or an equivalency, new or changed, inside `changing_rules`."""
    before = None if row.pk is None else _told(type(row)._default_manager.get(pk=row.pk))
    row.save()
    if isinstance(row, LessonPlan):
        note_saved(What.LESSON_PLAN, f"{row.course.code} {row.version}", before, _told(row), about=row.pk)
    else:
        subject = f"{row.course.code} as {row.counts_as.code} from {row.start_on}"
        note_saved(What.EQUIVALENCY, subject, before, _told(row), about=row.pk)


def _told(row: LessonPlan | Equivalency) -> dict[str, str]:
    """As the trail tells it; a file by its SHA-256 too, since another may come under the same name."""
    file = row.file if isinstance(row, LessonPlan) else None
    return values_of(row) | ({"file": f"{file.name}, SHA-256 {file.sha256}"} if file is not None else {})
