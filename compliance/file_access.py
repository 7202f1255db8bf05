"""Who may open a stored file: whoever may open what it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from compliance.class_access import classes
from roster.access import Right, Viewer
from roster.files import ChosenFile, KeptFile, StoredFile
from training.completions import latest_versions
from training.models import ClassPaper, Completion, CompletionFile, LessonPlan

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from roster.models import Officer


def one_file(viewer: Viewer, key: UUID) -> KeptFile:
    """The file with this key, or 404 for whoever may not open what it belongs to. Seven queries at most.

    One that was chosen for a form belongs to whoever chose it, and to nobody else.
    """
    stored = StoredFile.objects.filter(key=key).first()
    if stored is None:
        return get_object_or_404(ChosenFile, key=key, uploaded_by=viewer.user)
    if not _may_open(viewer, stored):
        raise Http404
    return stored


def _may_open(viewer: Viewer, stored: StoredFile) -> bool:
    return (
        _of_lesson_plan(viewer, stored) or _of_completion(viewer.officers(), stored) or _of_class_paper(viewer, stored)
    )


def _of_lesson_plan(viewer: Viewer, stored: StoredFile) -> bool:
    return viewer.may(Right.READ_MEMBERS) and LessonPlan.objects.filter(file=stored).exists()


def _of_completion(reach: QuerySet[Officer], stored: StoredFile) -> bool:
    """Whether a completion it proves is now one of a member within reach: a merge takes files to the other record."""
    proven = set(CompletionFile.objects.filter(file=stored).values_list("completion", flat=True))
    latest = set(latest_versions(proven).values()) if proven else set()
    return bool(latest) and Completion.objects.filter(pk__in=latest, officer__in=reach).exists()


def _of_class_paper(viewer: Viewer, stored: StoredFile) -> bool:
    if not viewer.may(Right.READ_CLASS_FILES):
        return False
    papers = ClassPaper.objects.filter(file=stored, session__in=classes(viewer))
    if viewer.agencies is not None:  # who sees one unit of an agency reads no class file of it
        papers = papers.filter(session__agency__in=viewer.agencies)
    return papers.exists()
