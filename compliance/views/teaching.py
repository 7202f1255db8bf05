"""Who teaches and where: instructors with their qualifications, and places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from compliance.asking import arrange
from compliance.filters import checked
from compliance.forms.teaching import InstructorForm, PlaceForm, qualification_lines
from compliance.sentences import count
from compliance.teaching_tables import (
    Ahead,
    InstructorFilter,
    InstructorTable,
    PlaceFilter,
    PlaceTable,
    ahead,
    fitness_badge,
    instructor_rows,
    instructors,
    own_standings,
    place_rows,
    places,
    tally,
    without_qualification,
    without_room,
)
from compliance.trail_tables import own_trail
from roster.access import Right, ViewerRequest, requires
from roster.trail import What
from training.instructors import due, out_of_force, save, save_place
from training.models import Instructor, Meeting, Place, Qualification, Teaching


@requires(Right.READ_CLASS_FILES)
@require_safe
def instructor_list(request: ViewerRequest) -> HttpResponseBase:
    """Every instructor, those whose qualification has ended or soon will first."""
    viewer = request.viewer
    form = checked(InstructorFilter(request.GET or None))
    rows = instructor_rows(list(instructors(viewer)), viewer)
    table = InstructorTable(form.filtered(rows))
    context = {
        "form": form,
        "table": table,
        "may_run": viewer.may(Right.RUN_CLASSES),
        "counts": tally(rows),
    }
    return arrange(request, table, "instructors") or render(request, "teaching/instructors.html", context)


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def instructor_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """One instructor: what they may teach and until when, own training, what they teach next, what was changed."""
    instructor = get_object_or_404(instructors(request.viewer), pk=pk)
    return _instructor(request, instructor)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def instructor_add(request: ViewerRequest) -> HttpResponseBase:
    """A new instructor."""
    return _instructor(request, Instructor())


def _instructor(request: ViewerRequest, instructor: Instructor) -> HttpResponseBase:
    viewer = request.viewer
    may_run = viewer.may(Right.RUN_CLASSES)
    if request.method == "POST" and not may_run:
        raise Http404
    own_lines = (
        own_trail(instructor.pk, What.INSTRUCTOR, What.QUALIFICATION, leave_out=("why",)) if instructor.pk else None
    )
    if own_lines is not None and (file := arrange(request, own_lines, f"changes-of-instructor-{instructor.pk}")):
        return file
    held = list(instructor.qualifications.select_related("course").order_by("end_on", "pk")) if instructor.pk else []
    form = InstructorForm(request.POST or None, instructor=instructor, viewer=viewer)
    lines = qualification_lines(request.POST if request.method == "POST" else None, held, today=viewer.today)
    if request.method == "POST" and all([form.is_valid(), *(line.is_valid() for line in lines)]):
        try:
            removed = [line.cleaned_data["pk"] for line in lines if line.cleaned_data["gone"]]
            rows = [row for line in lines if (row := line.row()) is not None]
            saved = save(form.row(), rows, removed=[key for key in removed if key], by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            return _saved(request, saved)
    is_wrong = bool(form.errors) or any(line.errors for line in lines)
    context = {"form": form, "lines": lines, "may_run": may_run, "instructor": instructor, "held": held}
    context |= _about(request, instructor, held) | {"table": own_lines} if instructor.pk else {}
    return render(request, "teaching/instructor.html", context, status=400 if is_wrong else 200)


def _saved(request: ViewerRequest, instructor: Instructor) -> HttpResponseBase:
    """Say so, and which blocks to come they should not teach by what is entered now."""
    messages.success(request, f"{instructor} is saved.")
    _warn(request, _teaches(instructor, instructor.qualifications.all()))
    return redirect("instructor-detail", pk=instructor.pk)


def _warn(request: ViewerRequest, found: Iterable[Ahead]) -> None:
    """The first class that somebody has to look at, and how many more there are; the page shows each of them."""
    said = [f"Class {row.session}: {row.warning}" for row in found if row.warning]
    if said:
        more = f" {count(len(said) - 1, 'other class', 'other classes')} below." if len(said) > 1 else ""
        messages.warning(request, said[0] + more)


def _teaches(instructor: Instructor, held: Iterable[Qualification]) -> list[Ahead]:
    """The classes to come that somebody teaches in. One query."""
    rows = Teaching.objects.filter(instructor=instructor, is_off=False, ends_at__gte=timezone.now())
    related = ("meeting__session__agency", "meeting__session__course")
    teaching = list(rows.select_related(*related).order_by("starts_at", "pk"))
    outside = {row.meeting for row in out_of_force(instructor, list(held), teaching)}
    return ahead((row.meeting for row in teaching), without_qualification(outside))


def _about(request: ViewerRequest, instructor: Instructor, held: list[Any]) -> dict[str, Any]:
    """What the page of a known instructor shows besides the form. Three queries at most."""
    own = own_standings([instructor], request.viewer)
    return {
        "badge": fitness_badge(due(held, today=request.viewer.today)),
        "own": own.get(instructor.officer_id or 0, []),
        "coming": _teaches(instructor, held),
    }


@requires(Right.READ_CLASS_FILES)
@require_safe
def place_list(request: ViewerRequest) -> HttpResponseBase:
    """Every place, and when it is used next."""
    form = checked(PlaceFilter(request.GET or None))
    may_run = request.viewer.may(Right.RUN_CLASSES)
    table = PlaceTable(place_rows(request.viewer, form))
    context = {"form": form, "table": table, "may_run": may_run}
    return arrange(request, table, "places") or render(request, "teaching/places.html", context)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def place_add(request: ViewerRequest) -> HttpResponseBase:
    """A new place."""
    return _place(request, Place())


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def place_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """A place: another name, address or size, or no longer used; who is in it next, and what was changed."""
    return _place(request, get_object_or_404(places(request.viewer), pk=pk))


def _place(request: ViewerRequest, place: Place) -> HttpResponseBase:
    may_run = request.viewer.may(Right.RUN_CLASSES)
    if request.method == "POST" and not may_run:
        raise Http404
    own_lines = own_trail(place.pk, What.PLACE, leave_out=("what", "subject", "why")) if place.pk else None
    if own_lines is not None and (file := arrange(request, own_lines, f"changes-of-place-{place.pk}")):
        return file
    form = PlaceForm(request.POST or None, place=place, viewer=request.viewer)
    name = place.name
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_place(form.row(), by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{saved} is saved.")
            _warn(request, _uses(saved))
            return redirect("place-detail", pk=saved.pk)
    context: dict[str, Any] = {"form": form, "place": place, "name": name, "may_run": may_run, "table": own_lines}
    context |= {"coming": _uses(place)} if place.pk else {}
    return render(request, "teaching/place.html", context, status=400 if form.errors else 200)


def _uses(place: Place) -> list[Ahead]:
    """The classes to come in a place. One query."""
    blocks = Meeting.objects.filter(place=place, is_off=False, ends_at__gte=timezone.now())
    return ahead(blocks.select_related("session__agency").order_by("starts_at", "pk"), without_room(place))
