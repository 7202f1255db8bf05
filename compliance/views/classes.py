"""Classes: listed, planned, changed, moved, cancelled, and the real times of their blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from compliance.asking import arrange, export_rows
from compliance.class_access import agencies_to_run, class_to_run, classes, may_run, one_class
from compliance.class_tables import ClassFilter, ClassTable, events_of, rows_of_events, with_seats
from compliance.filters import LinesForm, checked
from compliance.forms.classes import (
    BlocksForm,
    BlockTable,
    CancelForm,
    DetailsForm,
    MoveForm,
    Offered,
    PlanForm,
    TimesForm,
    offer,
    real_times,
)
from compliance.forms.completions import PrefillForm
from compliance.forms.fields import StyledForm
from compliance.sentences import count
from compliance.templatetags.classes import class_address
from roster.access import Right, ViewerRequest, requires
from roster.models import Officer
from training import classes as planning
from training import seats
from training.classes import ClassRefused, Done
from training.models import ClassSession, ClassState, Course, SeatState
from training.schedule import Block

#: Names that a warning holds.
MOST_NAMES = 5


def find_class(request: ViewerRequest, number: str, *, to_run: bool = False) -> ClassSession:
    """The class that an address names, or 404; with `to_run` also for whoever may only read it. One query."""
    asked = PrefillForm(request.GET)
    find = class_to_run if to_run else one_class
    return find(request.viewer, number, asked.cleaned_data["agency"] if asked.is_valid() else "")


@requires(Right.READ_MEMBERS)
@require_safe
def class_list(request: ViewerRequest) -> HttpResponseBase:
    """Every class of the viewer's agencies."""
    viewer = request.viewer
    found = ClassFilter(request.GET, with_seats(classes(viewer)), today=viewer.today)
    context: dict[str, Any] = {
        "filter": found,
        "may_run": viewer.may(Right.RUN_CLASSES),
        "may_read_files": viewer.may(Right.READ_CLASS_FILES),
    }
    if not found.form.is_valid():
        return render(request, "classes/list.html", context, status=400)
    table = ClassTable(found.qs, viewer=viewer, now=timezone.now())
    return arrange(request, table, "classes") or render(request, "classes/list.html", context | {"table": table})


@requires(Right.READ_MEMBERS)
@require_safe
def class_detail(request: ViewerRequest, number: str) -> HttpResponseBase:
    """One class: what it is, its blocks, and every line of what happened to it."""
    session = find_class(request, number)
    if request.GET.get("export"):
        return _lines(request, session)
    states = list(session.enrollments.values_list("state", flat=True))
    meetings = list(planning.meetings_of(session))
    agencies = request.viewer.agencies
    reads_files = request.viewer.may(Right.READ_CLASS_FILES) and (agencies is None or session.agency_id in agencies)
    context = {
        "session": session,
        "meetings": meetings,
        "reads_files": reads_files,
        "unqualified": planning.unqualified(session.course, meetings) if reads_files else (),
        "taken": states.count(SeatState.ENROLLED),
        "waiting": states.count(SeatState.WAITLISTED),
        "events": events_of(session, of_seats=False),
        "may_run": may_run(request.viewer, session) and session.state == "planned",
    }
    return render(request, "classes/detail.html", context)


def _lines(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    """Who changed what and when, of the class or of its seats; the latter name people, so not for every reader."""
    agencies = request.viewer.agencies
    of_seats = checked(LinesForm(request.GET)).cleaned_data["lines"] == "seats"
    if of_seats and agencies is not None and session.agency_id not in agencies:
        raise Http404
    name = f"{'seats-' if of_seats else ''}history-{session.number}"
    return export_rows(request, rows_of_events(session, of_seats=of_seats), name)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_plan(request: ViewerRequest) -> HttpResponseBase:
    """Say what and when, have it laid out over days, change what should be different, plan it."""
    viewer = request.viewer
    offered = offer(agencies_to_run(viewer))
    form = PlanForm(request.POST or None, viewer=viewer, offered=offered, initial=_prefilled(request))
    act = request.POST.get("act", "")
    if request.method != "POST":
        return _planning(request, form, None)
    sent = BlockTable(offered, today=viewer.today, data=request.POST, spare=act == "row")
    if act == "row" or not form.is_valid():
        return _planning(request, form, sent)
    if act in ("plan", "check") and sent.count:
        return _plan(request, form, sent, record=act == "plan")
    return _lay_out(request, form, offered)


def _lay_out(request: ViewerRequest, form: PlanForm, offered: Offered) -> HttpResponse:
    """The course over its days, with whatever speaks against it beside each block."""
    blocks: list[Block] = []
    try:
        blocks = form.blocks()
    except ValidationError as error:
        form.refuse(error)
    table = BlockTable(offered, today=request.viewer.today, blocks=blocks, spare=1)
    _look_over(form, table, blocks)
    return _planning(request, form, table, left_out=form.left_out(blocks))


def _look_over(form: PlanForm, table: BlockTable, blocks: list[Block]) -> None:
    values = form.cleaned_data
    found = planning.look_over(blocks, course=values["course"], agency=values["agency"], session=None)
    found.warnings += planning.tight(blocks, form.chosen_place(), values["capacity"])
    table.show(found)


def _plan(request: ViewerRequest, form: PlanForm, table: BlockTable, *, record: bool) -> HttpResponseBase:
    if not table.is_valid():
        return _planning(request, form, table)
    blocks, values = table.blocks(), form.cleaned_data
    if not record:
        _look_over(form, table, blocks)
        return _planning(request, form, table)
    details = form.details(blocks)
    try:
        done = planning.plan(
            values["agency"], values["course"], details, blocks, token=values["token"], by=request.user
        )
    except ClassRefused as refused:
        table.show(refused.findings)
        return _planning(request, form, table)
    if details.lesson_plan is None:
        done.warnings.append(f"No lesson plan of {values['course']} is in force on these days.")
    said = f"Class {done.session} is planned: {count(len(blocks), 'block')}."
    return _done(request, done, said if done.is_changed else f"Class {done.session} was planned already.")


def _planning(
    request: ViewerRequest, form: PlanForm, table: BlockTable | None, *, left_out: list[str] | None = None
) -> HttpResponse:
    """The page. `left_out` are the days that a layout leaves out; None where nothing was laid out just now."""
    is_wrong = bool(form.errors) or (table is not None and table.is_wrong)
    context = {"form": form, "table": table, "is_laid_out": left_out is not None, "left_out": left_out}
    return render(request, "classes/plan.html", context, status=400 if is_wrong else 200)


def _prefilled(request: ViewerRequest) -> dict[str, Any]:
    asked = PrefillForm(request.GET)
    code = asked.cleaned_data["course"] if asked.is_valid() else ""
    return {"course": Course.objects.filter(code__iexact=code).first()} if code else {}


def _done(request: ViewerRequest, done: Done, said: str) -> HttpResponseBase:
    """Back to the class, with what was done and what is odd about it."""
    messages.success(request, said) if done.is_changed else messages.info(request, said)
    for warning in [*done.warnings, *(_seats_in_doubt(done.session) if done.is_changed else [])]:
        messages.warning(request, warning)
    return redirect(class_address("class-detail", done.session, request))


def _seats_in_doubt(session: ClassSession) -> list[str]:
    """A warning where people with seats cannot come on the days it has now. Seven queries, whatever their number."""
    if session.state != ClassState.PLANNED:
        return []
    seated = session.enrollments.filter(state=SeatState.ENROLLED, officer__isnull=False)
    found = seats.objections(session, set(seated.values_list("officer_id", flat=True)), has_seat=True)
    away = {key for key, reasons in found.items() if any(each.reason != seats.Reason.PREREQUISITE for each in reasons)}
    if not away:
        return []
    names = [row.listed_name for row in Officer.objects.filter(pk__in=away)[:MOST_NAMES]]
    more = f" and {len(away) - len(names)} more" if len(away) > len(names) else ""
    who = count(len(away), "person with a seat is", "people with seats are")
    return [f"{who} away, in another class or teaching then: {'; '.join(names)}{more}. Look at the seats."]


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_blocks(request: ViewerRequest, number: str) -> HttpResponseBase:
    """The blocks of a class as a table to edit."""
    session = find_class(request, number, to_run=True)
    offered = offer([session.agency], session)
    form = BlocksForm(request.POST or None, initial={"seen": planning.version_of(session)})
    today, act = request.viewer.today, request.POST.get("act", "")
    if request.method != "POST":
        table = BlockTable(offered, today=today, blocks=planning.blocks_of(session), spare=1)
        return _blocks(request, session, form, table)
    table = BlockTable(offered, today=today, data=request.POST, spare=act == "row")
    if act == "row" or not all([form.is_valid(), table.is_valid()]):
        return _blocks(request, session, form, table)
    values = form.cleaned_data
    try:
        done = planning.change_blocks(
            session, table.blocks(), seen=values["seen"], by=request.user, why=values["why"].strip()
        )
    except ClassRefused as refused:
        table.show(refused.findings)
        return _blocks(request, session, form, table)
    return _done(request, done, "The blocks are changed." if done.is_changed else "Nothing was changed.")


def _blocks(request: ViewerRequest, session: ClassSession, form: BlocksForm, table: BlockTable) -> HttpResponse:
    is_wrong = bool(form.errors) or table.is_wrong
    context = {"session": session, "form": form, "table": table}
    return render(request, "classes/blocks.html", context, status=400 if is_wrong else 200)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_change(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Another number, place, capacity, lesson plan or note."""
    session = find_class(request, number, to_run=True)
    form = DetailsForm(request.POST or None, session=session, offered=offer([session.agency], session))

    def save() -> tuple[Done, str]:
        with transaction.atomic():
            done = planning.change(session, form.details(), seen=form.cleaned_data["seen"], by=request.user)
            moved = seats.move_up(session, by=request.user, now=timezone.now())
        done.warnings.extend(moved.warnings)
        names = "; ".join(map(seats.named, moved.moved_up))
        return done, f"The class is changed.{f' Moved up from the waitlist: {names}.' if names else ''}"

    return _act(request, session, form, save, "Change the class", "Save the class")


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_move(request: ViewerRequest, number: str) -> HttpResponseBase:
    """The whole class some days later or earlier."""
    session = find_class(request, number, to_run=True)
    form = MoveForm(request.POST or None, initial={"seen": planning.version_of(session), "days": 7})

    def move() -> tuple[Done, str]:
        values = form.cleaned_data
        why, seen = values["why"].strip(), values["seen"]
        return planning.move(session, values["days"], why=why, seen=seen, by=request.user), "The class is moved."

    return _act(request, session, form, move, "Move the class", "Move the class")


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_cancel(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Call the class off."""
    session = find_class(request, number, to_run=True)
    form = CancelForm(request.POST or None)

    def cancel() -> tuple[Done, str]:
        freed = planning.cancel(session, why=form.cleaned_data["why"].strip(), by=request.user)
        held = count(freed.seats, "person had a seat", "people had a seat")
        said = f"Class {session} is cancelled; its place and instructors are free. {held}, {freed.waiting} waited."
        return Done(session), said

    return _act(request, session, form, cancel, "Cancel the class", "Cancel the class", is_final=True)


def _act(
    request: ViewerRequest,
    session: ClassSession,
    form: StyledForm,
    act: Callable[[], tuple[Done, str]],
    title: str,
    button: str,
    *,
    is_final: bool = False,
) -> HttpResponseBase:
    """Do it once the form is right, and go back to the class; else the form with what is wrong."""
    if request.method == "POST" and form.is_valid():
        try:
            done, said = act()
        except ValidationError as error:
            form.refuse(error)
        else:
            return _done(request, done, said if done.is_changed else "Nothing was changed.")
    context = {"session": session, "form": form, "title": title, "button": button, "is_final": is_final}
    return render(request, "classes/form.html", context, status=400 if form.errors else 200)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_times(request: ViewerRequest, number: str) -> HttpResponseBase:
    """When each block really began and ended."""
    session = find_class(request, number, to_run=True)
    now = timezone.now()
    form = BlocksForm(request.POST or None, initial={"seen": planning.version_of(session)})
    rows = [TimesForm(request.POST or None, meeting=row) for row in planning.meetings_of(session)]
    if request.method == "POST" and all([form.is_valid(), *(row.is_valid() for row in rows)]):
        try:
            times = real_times(rows, as_planned=now if request.POST.get("act") == "planned" else None)
            done = planning.enter_real_times(session, times, now=now, seen=form.cleaned_data["seen"], by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            return _done(request, done, "The real times are entered." if done.is_changed else "Nothing was changed.")
    is_wrong = bool(form.errors) or any(row.errors for row in rows)
    context = {"session": session, "form": form, "rows": rows, "now": now}
    return render(request, "classes/times.html", context, status=400 if is_wrong else 200)
