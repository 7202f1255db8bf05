"""Seats in a class: its list, enrolling by list, unit or suggestion, and withdrawing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import JSONObject
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from compliance import suggestions
from compliance.asking import arrange, export_rows
from compliance.class_access import may_run, seats
from compliance.class_tables import events_of
from compliance.filters import checked
from compliance.finding import Found, find
from compliance.forms.attendance import ActForm
from compliance.forms.seats import EnrolForm, SuggestForm, WithdrawForm
from compliance.seat_tables import SeatFilter, SeatTable, with_place
from compliance.sentences import count
from compliance.templatetags.classes import class_address
from compliance.views.classes import find_class
from roster.access import Right, ViewerRequest, requires
from roster.models import Assignment, AssignmentKind, Officer, Unit, open_on
from training import seats as seating
from training.models import ClassSession, ClassState, Enrollment, Place, SeatState
from training.seats import SeatsChanged, SeatsRefused

#: Members passed over that a page names.
MOST_SKIPPED = 20
#: Units and shifts below their minimum that a message names.
MOST_SHORT = 5
#: Lines of what happened to a list that its page shows, the latest first.
MOST_LINES = 30


def _is_open(request: ViewerRequest, session: ClassSession) -> bool:
    """Whether this user may change the list of this class now."""
    return may_run(request.viewer, session) and session.state == ClassState.PLANNED


def _reads_all(request: ViewerRequest, session: ClassSession) -> bool:
    agencies = request.viewer.agencies
    return agencies is None or session.agency_id in agencies


@requires(Right.READ_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def class_seats(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Who has a seat and who waits, as far as the viewer sees them; those ticked withdraw."""
    if request.method != "POST":
        return _list(request, find_class(request, number), WithdrawForm())
    session = find_class(request, number, to_run=True)
    asked = ActForm(request.POST)
    if asked.is_valid() and asked.cleaned_data["act"] == "move-up":
        return _act(request, session, lambda: seating.move_up(session, by=request.user, now=timezone.now()))
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _list(request, session, form)
    why = form.cleaned_data["why"].strip()
    return _act(
        request,
        session,
        lambda: seating.withdraw(session, form.chosen, why=why, by=request.user, now=timezone.now()),
    )


def _act(request: ViewerRequest, session: ClassSession, act: Any) -> HttpResponseBase:
    """Do it, say what was done, and go back to the list."""
    try:
        done = act()
        tell(request, done)
        _tell_minimums(request, session, done)
    except SeatsRefused as refused:
        messages.error(request, " ".join(refused.messages))
    return redirect(class_address("class-seats", session, request))


def _list(request: ViewerRequest, session: ClassSession, form: WithdrawForm) -> HttpResponseBase:
    """The list; when asked, with what speaks against each seat now, or with the lines of what happened to it."""
    viewer, is_open, reads_all = request.viewer, _is_open(request, session), _reads_all(request, session)
    on = timezone.localdate(session.first_at) if session.first_at else viewer.today  # type: ignore[attr-defined] # annotated by class_access.classes
    rows = seats(viewer, session)
    found = SeatFilter(request.GET, with_place(rows, on))
    counts, places = _counted(session, None if reads_all else rows)
    context: dict[str, Any] = {
        "session": session,
        "filter": found,
        "form": form,
        "is_open": is_open,
        "reads_all": reads_all,
        "counts": counts,
    }
    if not found.form.is_valid():
        return render(request, "classes/seats.html", context, status=400)
    show = found.form.cleaned_data["show"]
    against = {}
    if show == "check" and is_open:
        members = rows.filter(officer__isnull=False).values_list("officer", flat=True)
        against = seating.objections(session, list(members), has_seat=True)
    table = SeatTable(found.qs, viewer=viewer, may_run=is_open, against=against)
    if (file := arrange(request, table, f"seats-{session.number}")) is not None:
        return file
    shown = {
        "table": table,
        "is_checked": show == "check" and is_open,
        "has_begun": session.first_at is not None and session.first_at <= timezone.now(),  # type: ignore[attr-defined] # annotated
        "crowded": seating.crowded(session, counts["taken"], places) if session.state == ClassState.PLANNED else [],
        "shows_lines": show == "lines" and reads_all,
        "events": events_of(session, of_seats=True)[:MOST_LINES],
    }
    return render(request, "classes/seats.html", context | shown, status=400 if form.errors else 200)


def _counts(session: ClassSession) -> dict[str, int]:
    """Seats taken and free, and how many wait or did not come. One query."""
    return _counted(session, None)[0]


def _counted(session: ClassSession, seen: QuerySet[Enrollment] | None) -> tuple[dict[str, int], list[Place]]:
    """As `_counts`, with how many of the taken are among those seen; and the places of the blocks. One query.

    The places come with the seats: where nobody has one, none are asked for.
    """
    is_seen = Exists(seen.filter(pk=OuterRef("pk"))) if seen is not None else Value(True)
    places = ArraySubquery(seating.places_of(session).values(said=JSONObject(name="name", capacity="capacity")))
    rows = Enrollment.objects.filter(session=session).annotate(is_seen=is_seen, places=places)
    states = list(rows.values_list("state", "is_seen", "places"))
    taken = [is_seen for state, is_seen, _ in states if state == seating.TAKEN]
    counts = {
        "taken": len(taken),
        "free": max(session.capacity - len(taken), 0),
        "waiting": sum(state == SeatState.WAITLISTED for state, _, _ in states),
        "absent": sum(state == SeatState.NO_SHOW for state, _, _ in states),
        "own": sum(taken),
    }
    return counts, [Place(**said) for said in (states[0][2] if states else ())]


def tell(request: ViewerRequest, done: SeatsChanged) -> None:
    """What was done to the list, as messages."""
    told = []
    if done.withdrawn:
        told.append(f"{count(len(done.withdrawn), 'person', 'people')} withdrawn.")
    if done.seated:
        told.append(f"{count(len(done.seated), 'seat')} given.")
    if done.waiting:
        told.append(f"The class is full: {count(len(done.waiting), 'person', 'people')} on the waitlist.")
    if done.moved_up:
        told.append(f"Moved up from the waitlist: {'; '.join(map(seating.named, done.moved_up))}.")
    if told:
        messages.success(request, " ".join(told))
    elif not done.refused:
        messages.info(request, "Nothing was changed.")
    for left in done.passed_over:
        reasons = " ".join(objection.told for objection in left.why)
        messages.warning(request, f"Stays on the waitlist: {left.person}. {reasons}")
    for warning in done.warnings:
        messages.warning(request, warning)


def _tell_minimums(request: ViewerRequest, session: ClassSession, done: SeatsChanged) -> None:
    """Who was named may come all the same; whoever names them should know what their shifts keep."""
    given = {row.officer_id for row in [*done.seated, *done.moved_up] if row.officer_id is not None}
    short = suggestions.below_minimum(session, given)
    if short:
        more = [f"and {len(short) - MOST_SHORT} more"] if len(short) > MOST_SHORT else []
        told = "; ".join([*short[:MOST_SHORT], *more])
        messages.warning(request, f"Below their minimum while they are in class: {told}.")


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_enrol(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Give seats to a list. Good ones enter at once; the page comes back with those who need a person."""
    session = find_class(request, number, to_run=True)
    form = EnrolForm(request.POST if request.method == "POST" else None, viewer=request.viewer)
    if request.method != "POST" or not form.is_valid():
        return _enrolling(request, session, form)
    values = form.cleaned_data
    found = find(values["people"], request.viewer.officers()) if values["people"].strip() else []
    try:
        done = seating.enrol(
            session,
            _named_by(request, session, form, found),
            outside=values["outside"],
            by=request.user,
            now=timezone.now(),
            why=values["why"].strip(),
        )
    except SeatsRefused as refused:
        form.refuse(refused)
        return _enrolling(request, session, form)
    tell(request, done)
    _tell_minimums(request, session, done)
    unclear = [(place, entry) for place, entry in enumerate(found) if entry.officer is None]
    if not done.refused and not unclear:
        return redirect(class_address("class-seats", session, request))
    again = EnrolForm(None, viewer=request.viewer)
    return _enrolling(request, session, again, done=done, unclear=unclear)


def _named_by(request: ViewerRequest, session: ClassSession, form: EnrolForm, found: Iterable[Found]) -> list[Officer]:
    """The members that a form names, within the viewer's reach: those found, those chosen, those of a unit."""
    reach = request.viewer.officers().select_related("agency")
    chosen = reach.in_bulk(form.chosen)
    named = [entry.officer for entry in found if entry.officer is not None]
    named += [chosen[key] for key in form.chosen if key in chosen]
    unit = form.unit_chosen
    return [*named, *(_at_home_in(request, session, unit) if unit else ())]


def _at_home_in(request: ViewerRequest, session: ClassSession, unit: Unit) -> Iterable[Officer]:
    """The members at home in a unit, or below it, on the first day of the class. One query."""
    on = timezone.localdate(session.first_at) if session.first_at else request.viewer.today  # type: ignore[attr-defined] # annotated
    home = Assignment.objects.known().filter(
        open_on(on), officer=OuterRef("pk"), kind=AssignmentKind.HOME, start_on__lte=on
    )
    within = home.filter(unit__in=request.viewer.tree.below([unit.pk]))
    return request.viewer.officers().filter(Exists(within)).select_related("agency")


def _enrolling(request: ViewerRequest, session: ClassSession, form: EnrolForm, **results: Any) -> HttpResponse:
    done: SeatsChanged | None = results.get("done")
    context = {
        "session": session,
        "form": form,
        "counts": _counts(session),
        "refused": [each for each in done.refused if not each.may_be_overridden] if done else [],
        "overridable": [each for each in done.refused if each.may_be_overridden] if done else [],
        **results,
    }
    return render(request, "classes/enrol.html", context, status=400 if form.errors else 200)


@requires(Right.RUN_CLASSES)
@require_safe
def class_suggestions(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Who needs the free seats most, with the reason for each, to tick and enrol."""
    session = find_class(request, number, to_run=True)
    if session.state != ClassState.PLANNED:
        raise Http404
    viewer = request.viewer
    counts = _counts(session)
    left = max(counts["free"] - counts["waiting"], 0)
    form = checked(SuggestForm(request.GET or None, initial={"number": left or None}))
    wanted = form.cleaned_data.get("number") or left
    found = suggestions.suggest(session, wanted, agencies=viewer.agencies, today=viewer.today)
    if request.GET.get("export"):
        header = ["Id", "Name", "Unit", "Shift", "Why", "Pending"]
        rows = [
            [each.officer.employee_id, each.officer.listed_name, each.unit, each.shift, each.why, each.waits]
            for each in found.picked
        ]
        return export_rows(request, [header, *rows], f"suggested-{session.number}")
    context = {
        "session": session,
        "form": form,
        "counts": counts,
        "wanted": wanted,
        "found": found,
        "skipped": found.skipped[:MOST_SKIPPED],
        "more_skipped": len(found.skipped) - MOST_SKIPPED,
        "may_administer": viewer.may(Right.ADMINISTER),
    }
    return render(request, "classes/suggestions.html", context)
