"""Tests of a class: scores of one test and day for everybody, and corrections as lines."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from compliance.asking import export_rows
from compliance.class_sheets import attempt_file, takers
from compliance.forms.attendance import AttemptForm, CorrectedForm, ScoresForm
from compliance.sentences import count
from compliance.views.attendance import Acts, answer, back_to, find_class_file, may_enter
from roster.access import Right, ViewerRequest, own_members, requires
from training import tests_taken
from training.class_records import ClassRecord, EntryRefused, read
from training.models import ClassSession, TestAttempt


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_tests(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Tests taken: scores of one test and day for everybody, and corrections."""
    session = find_class_file(request, number)
    if request.method == "POST":
        return answer(request, session, TEST_ACTS)
    record = read(session)
    if "export" in request.GET:
        return export_rows(request, attempt_file(record), f"tests-{session.number}")
    asked = CorrectedForm(request.GET)
    pk = asked.cleaned_data["correct"] if asked.is_valid() else None
    if pk and may_enter(request, session):
        return _show_attempt(request, record, AttemptForm(attempt=_attempt(record, pk), today=request.viewer.today))
    return _show_tests(request, record, _scores_form(request, record))


def _scores_form(request: ViewerRequest, record: ClassRecord, data: Any = None) -> ScoresForm:
    initial = {"seen": record.last_attempt, "taken_on": request.viewer.today}
    return ScoresForm(data, record=record, today=request.viewer.today, initial=initial)


def _show_tests(
    request: ViewerRequest, record: ClassRecord, form: ScoresForm, *, status: int = 200
) -> HttpResponseBase:
    is_open = may_enter(request, record.session)
    own = own_members(request.user) if is_open else frozenset()
    context = {
        "session": record.session,
        "record": record,
        "rows": takers(record, own, form.typed, form.notes),
        "marks": [(test, record.pass_mark(test)) for test in record.tests],
        "is_open": is_open,
        "form": form,
    }
    return render(request, "classes/tests.html", context, status=status)


def _attempt(record: ClassRecord, pk: int) -> TestAttempt:
    """An attempt of this class that stands, or 404."""
    standing = (each.attempt for of_seat in record.standing.values() for each in of_seat)
    found = next((attempt for attempt in standing if attempt.pk == pk), None)
    if found is None:
        raise Http404
    found.enrollment = next(seat for seat in record.seats if seat.pk == found.enrollment_id)
    found.enrollment.session = record.session
    return found


def _show_attempt(
    request: ViewerRequest, record: ClassRecord, form: AttemptForm, *, status: int = 200
) -> HttpResponseBase:
    context = {"session": record.session, "form": form, "attempt": form.attempt}
    return render(request, "classes/attempt.html", context, status=status)


def _scores(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    """Save the scores of one test and day."""
    record = read(session)
    form = _scores_form(request, record, request.POST)
    if not form.is_valid():
        return _show_tests(request, record, form, status=400)
    values = form.cleaned_data
    try:
        done = tests_taken.enter(
            session,
            form.chosen,
            form.scores,
            taken_on=values["taken_on"],
            remedial_on=values["remedial_on"],
            seen=values["seen"],
            by=request.user,
            today=request.viewer.today,
        )
    except EntryRefused as refused:
        form.refuse(refused)
        return _show_tests(request, record, form, status=400)
    if done.written:
        messages.success(request, f"{count(done.written, 'attempt')} at {form.chosen.name} saved.")
    for attempt in done.meanwhile:
        name = next(seat.name for seat in record.seats if seat.pk == attempt.enrollment_id)
        said = tests_taken.spoken_attempt(attempt)
        messages.warning(request, f"{name}: somebody entered {said} meanwhile, so yours was not saved.")
    if not done.written and not done.meanwhile:
        messages.info(request, "These scores were saved already.")
    return back_to(request, "class-tests", session)


def _correct(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    """Correct one attempt, or take it away."""
    record = read(session)
    asked = CorrectedForm(request.POST)
    attempt = _attempt(record, (asked.cleaned_data["correct"] if asked.is_valid() else None) or 0)
    form = AttemptForm(request.POST, attempt=attempt, today=request.viewer.today)
    if form.is_valid():
        values = form.cleaned_data
        try:
            tests_taken.correct(
                attempt,
                score=values["score"],
                taken_on=values["taken_on"],
                remedial_on=values["remedial_on"],
                strike=values["strike"],
                why=values["why"],
                by=request.user,
                today=request.viewer.today,
            )
        except EntryRefused as refused:
            form.refuse(refused)
        else:
            messages.success(request, "Attempt corrected. The old line stays with the class.")
            return back_to(request, "class-tests", session)
    return _show_attempt(request, record, form, status=400)


TEST_ACTS: Acts = {"scores": _scores, "correct": _correct}
