"""Attendance of a class, entered while it is taught; make-ups, and who did not come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from compliance.asking import export_rows
from compliance.class_access import class_file, classes, may_run
from compliance.class_sheets import grid, grid_file, missed
from compliance.forms.attendance import AbsentForm, ActForm, GridForm, MakeUpForm, TakeBackForm
from compliance.forms.completions import PrefillForm
from compliance.sentences import count
from compliance.templatetags.classes import class_address
from roster.access import Right, ViewerRequest, own_members, requires
from training import attendance
from training.attendance import Meanwhile
from training.class_records import Cell, ClassRecord, EntryRefused, day_of, read
from training.models import Attendance, ClassSession, ClassState, Enrollment, SeatState

#: Blocks offered for a make-up; the latest ones.
OFFERED = 200


def find_class_file(request: ViewerRequest, number: str) -> ClassSession:
    """The class that an address names, with what only those see who read its agency whole; else 404. One query."""
    asked = PrefillForm(request.GET)
    return class_file(request.viewer, number, asked.cleaned_data["agency"] if asked.is_valid() else "")


def may_enter(request: ViewerRequest, session: ClassSession) -> bool:
    """Whether this user may enter something about the class now."""
    return may_run(request.viewer, session) and session.state == ClassState.PLANNED


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_attendance(request: ViewerRequest, number: str) -> HttpResponseBase:
    """The grid of people by blocks, make-ups, and who did not come."""
    session = find_class_file(request, number)
    if request.method == "POST":
        return answer(request, session, ATTENDANCE_ACTS)
    record = read(session)
    if "export" in request.GET:
        return export_rows(request, grid_file(record, today=request.viewer.today), f"attendance-{session.number}")
    return _show(request, record)


Acts = dict[str, Callable[[ViewerRequest, ClassSession], HttpResponseBase]]


def answer(request: ViewerRequest, session: ClassSession, acts: Acts) -> HttpResponseBase:
    """One of the forms of a page was sent, by somebody who may run the class; the first where none is named."""
    if not may_run(request.viewer, session):
        raise Http404
    form = ActForm(request.POST)
    first = next(iter(acts))
    act = acts.get(form.cleaned_data["act"] or first) if form.is_valid() else None
    if act is None:
        raise Http404
    return act(request, session)


def _show(
    request: ViewerRequest,
    record: ClassRecord,
    *,
    status: int = 200,
    typed: dict[Cell, str] | None = None,
    notes: dict[Cell, str] | None = None,
    **forms: Any,
) -> HttpResponseBase:
    """The page of attendance, with the forms given in place of empty ones. Nine queries."""
    viewer, session = request.viewer, record.session
    is_open = may_enter(request, session)
    own = own_members(request.user) if is_open else frozenset()
    absences = missed(record) if record.blocks else []
    has_more = any(each.left > 0 for each in absences)
    context: dict[str, Any] = {
        "session": session,
        "record": record,
        "is_open": is_open,
        "grid": grid(record, today=viewer.today, is_open=is_open, own=own, typed=typed, notes=notes),
        "missed": absences,
        "form": GridForm(initial={"seen": record.last_line}, record=record, today=viewer.today),
        "make_up_form": _make_up_form(request, record) if is_open and has_more else None,
        "absent_form": AbsentForm(seats=_may_be_absent(record), prefix="absent"),
        "has_begun": bool(record.blocks) and day_of(record.blocks[0]) <= viewer.today,
        "absent": [seat for seat in record.seated if seat.state == SeatState.NO_SHOW],
        **forms,
    }
    return render(request, "classes/attendance.html", context, status=status)


def _may_be_absent(record: ClassRecord) -> list[Enrollment]:
    """People who may not have come: enrolled, and marked in no block."""
    came = {key for key, minutes in record.minutes.items() if any(minutes.values())}
    return [seat for seat in record.seated if seat.state == SeatState.ENROLLED and seat.pk not in came]


def _make_up_form(request: ViewerRequest, record: ClassRecord, data: Any = None) -> MakeUpForm:
    blocks = attendance.offered_blocks(record.session, classes(request.viewer), today=request.viewer.today)[:OFFERED]
    return MakeUpForm(data, missed=missed(record), blocks=list(blocks), prefix="makeup")


def back_to(request: ViewerRequest, url_name: str, session: ClassSession) -> HttpResponseBase:
    return redirect(class_address(url_name, session, request))


def _mark(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    """Save the grid: what this person changed, and nothing that somebody else changed meanwhile."""
    record = read(session)
    form = GridForm(request.POST, record=record, today=request.viewer.today)
    if not form.is_valid():
        return _show(request, record, status=400, form=form, typed=form.typed, notes=form.notes)
    values = form.cleaned_data
    try:
        done = attendance.mark(
            session, form.wanted, seen=values["seen"], by=request.user, today=request.viewer.today, why=values["why"]
        )
    except EntryRefused as refused:
        form.refuse(refused)
        return _show(request, record, status=400, form=form, typed=form.typed)
    if done.written:
        messages.success(request, f"{count(done.written, 'mark')} saved.")
    if done.meanwhile:
        return _show_meanwhile(request, session, form, list(done.meanwhile))
    if not done.written:
        messages.info(request, "Nothing was different, so nothing was saved.")
    return back_to(request, "class-attendance", session)


def _show_meanwhile(
    request: ViewerRequest, session: ClassSession, form: GridForm, meanwhile: list[Meanwhile]
) -> HttpResponseBase:
    """The page as it is now, with what this person typed in the cells that somebody else changed."""
    record = read(session)
    who = {each.cell: each.now.entered_by for each in meanwhile}
    names = {cell: user.get_full_name() or user.get_username() if user else "a command" for cell, user in who.items()}
    notes = {each.cell: f"{names[each.cell]} wrote {each.now.minutes} min meanwhile" for each in meanwhile}
    typed = {each.cell: form.typed[each.cell] for each in meanwhile}
    number = count(len(meanwhile), "mark")
    messages.warning(
        request,
        f"{number} changed by somebody else meanwhile: nothing of theirs was overwritten. "
        "What you typed stands in those cells; save again to put it in place of theirs.",
    )
    return _show(request, record, status=409, typed=typed, notes=notes)


def _make_up(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    record = read(session)
    form = _make_up_form(request, record, request.POST)
    if form.is_valid():
        absence, block = form.chosen
        values = form.cleaned_data
        try:
            minutes = attendance.make_up(
                absence.seat,
                absence.block,
                block,
                minutes=values["minutes"],
                by=request.user,
                today=request.viewer.today,
                why=values["note"].strip(),
            )
        except EntryRefused as refused:
            form.refuse(refused)
        else:
            said = f"{minutes} minutes made up by {absence.seat.name}." if minutes else "This make-up stands already."
            messages.success(request, said)
            return back_to(request, "class-attendance", session)
    return _show(request, record, status=400, make_up_form=form)


def _take_back(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    form = TakeBackForm(request.POST)
    if form.is_valid():
        rows = Attendance.objects.select_related("enrollment__session", "enrollment__officer", "made_up_in")
        line = get_object_or_404(rows, pk=form.cleaned_data["line"], enrollment__session=session)
        try:
            taken = attendance.take_back(line, why=form.cleaned_data["why"], by=request.user)
        except EntryRefused as refused:
            form.refuse(refused)
        else:
            messages.success(request, "Make-up taken back." if taken else "This make-up changed meanwhile.")
            return back_to(request, "class-attendance", session)
    return _show(request, read(session), status=400, take_back_form=form)


def _absent(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    record = read(session)
    came = request.POST.get("act") == "came"
    gone = [seat for seat in record.seated if seat.state == SeatState.NO_SHOW]
    form = AbsentForm(request.POST, seats=gone if came else _may_be_absent(record), prefix="absent")
    if form.is_valid():
        seat = form.chosen
        try:
            attendance.say_absent(
                seat, came=came, by=request.user, today=request.viewer.today, why=form.cleaned_data["why"].strip()
            )
        except EntryRefused as refused:
            form.refuse(refused)
        else:
            said = "is back on the list to be marked" if came else "is down as not having come"
            messages.success(request, f"{seat.name} {said}.")
            return back_to(request, "class-attendance", session)
    return _show(request, record, status=400, absent_form=form)


ATTENDANCE_ACTS: Acts = {
    "mark": _mark,
    "make_up": _make_up,
    "take_back": _take_back,
    "absent": _absent,
    "came": _absent,
}
