"""Which classes a viewer sees, and whose seats in them."""

from __future__ import annotations

from django.db.models import Max, Min, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from roster.access import Right, Viewer, only_one
from roster.models import Agency
from training.models import Certificate, ClassSession, Enrollment, Meeting


def classes(viewer: Viewer) -> QuerySet[ClassSession]:
    """Classes of the agencies this user belongs to: whoever reads members of an agency sees what it teaches.

    Each knows when its first block begins and its last one ends: `first_at` and `last_at`, None without a block.
    """
    blocks = Meeting.objects.filter(session=OuterRef("pk")).order_by().values("session")
    found = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan").annotate(
        first_at=Subquery(blocks.annotate(at=Min("starts_at")).values("at")),
        last_at=Subquery(blocks.annotate(at=Max("ends_at")).values("at")),
    )
    if viewer.agencies is None:
        return found
    agencies = viewer.agencies | {viewer.tree.units[key].agency_id for key in viewer.units}
    return found.filter(agency__in=agencies)


def one_class(viewer: Viewer, number: str, agency: str = "") -> ClassSession:
    """The class with this number, or 404; `AgencyNeeded` where several agencies have one. One query."""
    found = classes(viewer).filter(number__iexact=number)
    if agency:
        found = found.filter(agency__code__iexact=agency)
    return only_one(list(found[:10]))


def agencies_to_run(viewer: Viewer) -> QuerySet[Agency]:
    """The agencies whose classes this user may plan and run, with the right to: those read whole."""
    found = Agency.objects.all()
    return found if viewer.agencies is None else found.filter(pk__in=viewer.agencies)


def may_run(viewer: Viewer, session: ClassSession) -> bool:
    """Whether this user plans and runs this class. No query."""
    within = viewer.agencies is None or session.agency_id in viewer.agencies
    return viewer.may(Right.RUN_CLASSES) and within


def class_to_run(viewer: Viewer, number: str, agency: str = "") -> ClassSession:
    """The class with this number, or 404 for whoever may only read it. One query."""
    session = one_class(viewer, number, agency)
    if not may_run(viewer, session):
        raise Http404
    return session


def class_file(viewer: Viewer, number: str, agency: str = "") -> ClassSession:
    """The same, of the agencies this user reads whole: attendance and tests are not for whoever sees one unit of it."""
    session = one_class(viewer, number, agency)
    if viewer.agencies is not None and session.agency_id not in viewer.agencies:
        raise Http404
    return session


def seats(viewer: Viewer, session: ClassSession) -> QuerySet[Enrollment]:
    """The seats and places on the waitlist of a class that this user sees: those of members within reach.

    Whoever reads the agency whole also sees attendees from elsewhere; others see no name of another unit.
    """
    found = Enrollment.objects.filter(session=session).select_related("officer")
    if viewer.agencies is None or session.agency_id in viewer.agencies:
        return found
    return found.filter(officer__in=viewer.officers())


def certificates_within(viewer: Viewer) -> QuerySet[Certificate]:
    """Those of members whose page this user may open, the own ones among them; whoever reads class files also sees
    those that the agencies read whole issued to people from outside.
    """
    found = Q(completion__officer__in=viewer.officers()) | Q(completion__officer__merged_into__in=viewer.officers())
    if viewer.may(Right.READ_CLASS_FILES):
        issued = Q(enrollment__isnull=False)
        found |= issued if viewer.agencies is None else issued & Q(agency__in=viewer.agencies)
    return Certificate.objects.filter(found)
