"""Certificates on paper: one, or all of a class in one file, a page each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from compliance import sentences
from compliance.class_papers import gather
from compliance.reports import paper
from compliance.reports.paper import Data
from roster.models import Officer
from training.certificates import Validity, holding, spoken_token, validities, verified, what_stands
from training.class_records import approval_of, hours_of
from training.models import Certificate, ClassSession, Completion, Course, Enrollment, Meeting

TEMPLATE = Path(__file__).with_suffix(".typ")

#: From a certificate's token to the address that is printed on it; from nothing to the page that asks for the token.
Address = Callable[[str], str]


def issued_in(session: ClassSession) -> list[Certificate]:
    """Every certificate of a class in the order of their numbers, also those that do not hold any more. Two queries."""
    rows = _rows()
    officers = session.enrollments.filter(officer__isnull=False).values("officer")
    earned = Completion.objects.filter(earned_in(session), officer__in=records_of(officers))
    found = [*rows.filter(completion__in=earned), *rows.filter(enrollment__session=session)]
    return sorted(found, key=lambda row: (row.year, row.serial, row.pk))


def earned_in(session: ClassSession) -> Q:
    """Completions of this class by course and number; of whom is asked besides: another agency may use the number."""
    return Q(course=session.course_id, class_number__iexact=session.number)


def records_of(officers: Any) -> QuerySet[Officer]:
    """These members, by id, and the records merged into theirs: what was earned under those is theirs."""
    return Officer.objects.filter(Q(pk__in=officers) | Q(merged_into__in=officers))


def of_class(seats: Sequence[Enrollment]) -> dict[int, Certificate]:
    """Seat -> its certificate, where it has one that holds; in the order of the seats. At most seven queries.

    Give the seats with `completion` selected.
    """
    ends = what_stands([seat.completion for seat in seats if seat.completion is not None])
    standing = [row for row in ends.values() if row is not None]
    good, own = verified(standing), holding(standing)
    outside = [seat for seat in seats if seat.officer_id is None]
    rows = list(_rows().filter(enrollment__in=outside)) if outside else []
    holds = validities(rows) if rows else {}
    of_outside = {row.enrollment_id: row for row in rows if holds[row.pk] == Validity.VALID}
    found: dict[int, Certificate] = {}
    for seat in seats:
        end = ends[seat.completion.pk] if seat.completion is not None else None
        certificate = own.get(end.pk) if end is not None and end.pk in good else of_outside.get(seat.pk)
        if certificate is not None:
            found[seat.pk] = certificate
    selected = {row.pk: row for row in _rows().filter(pk__in=[row.pk for row in found.values()])}
    return {key: selected[row.pk] for key, row in found.items()}


def _rows() -> QuerySet[Certificate]:
    """Certificates with what is printed on them."""
    return Certificate.objects.select_related(
        "agency",
        "completion__officer__agency",
        "completion__officer__merged_into__agency",
        "completion__course",
        "enrollment",
    )


def name_on(row: Certificate) -> str:
    """Who earned it, as lists name them."""
    if row.completion is not None:
        return _kept(row.completion.officer).listed_name
    return row.enrollment.name if row.enrollment is not None else ""


def _kept(officer: Officer) -> Officer:
    """The member: of a record that was merged into another, that one."""
    while officer.merged_into is not None:
        officer = officer.merged_into
    return officer


def all_of_class(session: ClassSession, *, address: Address) -> bytes:
    """A PDF with a page for everybody who has a certificate that holds, by name. `LookupError` where nobody has."""
    found = list(of_class(gather.seats_of(session)).values())
    if not found:
        raise LookupError("Nobody has a certificate of this class.")
    return pdf(found, {row.pk: session for row in found}, address=address)


def one(certificate: Certificate, *, address: Address) -> bytes:
    """A PDF of one page. Three queries."""
    row, session = _rows().get(pk=certificate.pk), class_of(certificate)
    return pdf([row], {row.pk: session} if session else {}, address=address)


def class_of(certificate: Certificate) -> ClassSession | None:
    """The class it was earned in; None where the completion was recorded without one. One query."""
    rows = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan")
    if certificate.enrollment_id is not None:
        return rows.get(enrollments=certificate.enrollment_id)
    completion = certificate.completion
    if completion is None or not completion.class_number:
        return None
    held = rows.filter(course=completion.course_id, number__iexact=completion.class_number)
    return held.filter(enrollments__officer__in=_records_of(completion.officer)).order_by("pk").first()


def _records_of(officer: Officer) -> list[int]:
    """The member's record and the one it was merged into."""
    return [key for key in (officer.pk, officer.merged_into_id) if key is not None]


def pdf(certificates: Sequence[Certificate], classes: dict[int, ClassSession], *, address: Address) -> bytes:
    """Pages in the order given; `classes` says in which class a certificate was earned. Two queries for each class."""
    blocks = {session.pk: gather.blocks_of(session) for session in dict.fromkeys(classes.values())}
    pages = []
    for row in certificates:
        session = classes.get(row.pk)
        pages.append(_page(row, session, blocks[session.pk] if session else [], address))
    latest = max(row.issued_on for row in certificates)
    return paper.render(
        TEMPLATE, certificate_data(pages, address("")), issued_at=datetime.combine(latest, time(12), UTC)
    )


def certificate_data(pages: Sequence[Data], page: str) -> Data:
    first = pages[0]
    one_title = f"Certificate {first['number']}: {first['course']}"
    return {
        "title": one_title if len(pages) == 1 else f"{len(pages)} certificates: {first['course']}",
        "agency": first["agency"],
        "page": page,
        "certificates": list(pages),
    }


def _page(row: Certificate, session: ClassSession | None, blocks: Sequence[Meeting], address: Address) -> Data:
    completion = row.completion
    agency = session.agency if session is not None else row.agency
    if completion is not None:
        officer, course = _kept(completion.officer), completion.course
        name, own = officer.full_name, f"{officer.agency.name}, id {officer.employee_id}"
        hours = completion.hours if completion.hours is not None else course.hours
        plan, expires = completion.lesson_plan, completion.certificate_expires_on
    else:
        assert session is not None  # noqa: S101 - who is from outside has a certificate of a seat, which has a class
        assert row.enrollment is not None  # noqa: S101 - the same
        seat, course = row.enrollment, session.course
        name = _in_order(seat.outside_name)
        own = ", ".join(filter(None, (seat.outside_agency, seat.outside_id and f"id {seat.outside_id}")))
        hours, plan, expires = hours_of(session), "", None
    if not plan and session is not None and session.lesson_plan is not None:
        plan = session.lesson_plan.version
    return {
        "agency": agency.name,
        "name": name,
        "id": own,
        "course": course.title,
        "hours": gather.hours(hours),
        "dates": _dates(row.completed_on, blocks),
        "facts": _facts(course, session, plan, expires, gather.all_instructors(blocks)),
        "number": row.number,
        "address": address(row.token),
        "code": spoken_token(row.token),
        "issued_on": sentences.day(row.issued_on),
    }


def _in_order(name: str) -> str:
    """`Ivan Petrov` for `Petrov, Ivan`, as a list gives it."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def _dates(completed_on: date, blocks: Sequence[Meeting]) -> str:
    """When it was taught, and the day that counts where that is a later one or the only one."""
    done = f"completed on {sentences.day(completed_on)}"
    return f"held {gather.days_of(blocks)} · {done}" if blocks else done


def _facts(
    course: Course, session: ClassSession | None, plan: str, expires: date | None, instructors: Iterable[str]
) -> list[tuple[str, str]]:
    told = [
        ("Class", session.number if session else ""),
        ("Lesson plan", plan),
        ("State approval", approval_of(session) if session else course.state_approval),
        ("Place", session.place.name if session and session.place else ""),
        ("Valid through", sentences.day(expires) if expires else ""),
        ("Instructors", ", ".join(instructors)),
    ]
    return [(name, value) for name, value in told if value]
