"""Finishing a class, with everything it changes shown before; and reopening it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from compliance import log
from compliance.class_access import may_run
from compliance.forms.attendance import FinishForm, ReopenForm
from compliance.forms.completions import SecondForm
from compliance.sentences import count
from compliance.templatetags.classes import class_address
from compliance.views.attendance import back_to, find_class_file
from roster.access import Right, Viewer, ViewerRequest, requires
from training import finish
from training.class_records import EntryRefused
from training.finish import Act, Line, Plan
from training.models import ClassEvent, ClassSession, ClassState, Enrollment, Outcome

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Shown:
    """One person of the preview, with what the completion would change for them."""

    line: Line
    effects: tuple[log.Effect, ...]
    unchanged: str


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_finish(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Who passes and what that changes, before; what each person came to, afterwards."""
    session = find_class_file(request, number)
    if request.method == "POST":
        return _finish(request, session)
    if session.state == ClassState.FINISHED:
        return _show_finished(request, session)
    plan = finish.plan(session, by=request.user, today=request.viewer.today)
    return _show_plan(request, session, plan, FinishForm(asked=plan.asked))


def _show_plan(
    request: ViewerRequest, session: ClassSession, plan: Plan, form: FinishForm, *, status: int = 200
) -> HttpResponseBase:
    """The preview. About forty queries, whatever the number of people."""
    viewer = request.viewer
    context: dict[str, Any] = {
        "session": session,
        "plan": plan,
        "passing": _with_effects(plan, viewer),
        "others": [line for line in plan.lines if not line.passed],
        "form": form,
        "digest": plan.digest,
        "sure": len(plan.to_record) - len(plan.asked),
        "openable": viewer.openable([line.seat.officer for line in plan.asked if line.seat.officer]),
        "may_run": may_run(viewer, session),
    }
    return render(request, "classes/finish.html", context, status=status)


def _with_effects(plan: Plan, viewer: Viewer) -> list[Shown]:
    """Those who pass; standings are shown of members whose page this user may open."""
    lines = [line for line in plan.lines if line.passed]
    session = plan.record.session
    recorded = {line.seat.officer: line for line in lines if line.act is Act.RECORD and line.seat.officer}
    openable = viewer.openable(recorded)
    proposals = {officer.pk: _proposal(session, line) for officer, line in recorded.items() if officer.pk in openable}
    found = log.Outlook({}, {}, [])
    if proposals:
        found = log.outlook_of_each(proposals, session.course, as_of=viewer.today)
    shown = []
    for line in lines:
        key = line.seat.officer_id or 0
        shown.append(Shown(line, tuple(found.effects.get(key, ())), found.unchanged.get(key, "")))
    return shown


def _proposal(session: ClassSession, line: Line) -> log.Proposal:
    judged = line.judgement
    assert judged.completed_on is not None  # noqa: S101 - of who passed
    return log.Proposal(
        course=session.course,
        completed_on=judged.completed_on,
        hours=session.course.hours,
        score=judged.score,
        attendance=judged.attendance,
        evidence=line.evidence.value,
        class_number=session.number,
        lesson_plan=session.lesson_plan.version if session.lesson_plan else "",
    )


def _show_finished(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    """What each person came to. Four queries."""
    seats = Enrollment.objects.filter(session=session).exclude(outcome="").select_related("officer", "completion")
    rows = sorted(seats, key=lambda seat: (list(Outcome).index(Outcome(seat.outcome)), seat.name.casefold()))
    event = session.events.filter(what="finished").select_related("by").last()
    context = {
        "session": session,
        "rows": rows,
        "event": event,
        "openable": request.viewer.openable([seat.officer for seat in rows if seat.officer]),
        "may_run": may_run(request.viewer, session),
        "asked": finish.reopening_asked(session),
    }
    return render(request, "classes/finished.html", context)


def _finish(request: ViewerRequest, session: ClassSession) -> HttpResponseBase:
    if not may_run(request.viewer, session):
        raise Http404
    today = request.viewer.today
    plan = finish.plan(session, by=request.user, today=today)
    form = FinishForm(request.POST, asked=plan.asked)
    if not form.is_valid():
        return _show_plan(request, session, plan, form, status=400)
    try:
        done = finish.finish(
            session, shown=form.cleaned_data["shown"], choices=form.choices(), by=request.user, today=today
        )
    except EntryRefused as refused:
        form.refuse(refused)
        return _show_plan(request, session, plan, form, status=409)
    if done.already:
        messages.info(request, "This class was finished already; nothing was recorded twice.")
    else:
        messages.success(request, f"Class finished: {count(done.recorded, 'completion')} recorded.")
    return back_to(request, "class-finish", session)


@requires(Right.RUN_CLASSES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_reopen(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Void what the finish recorded, with a reason, so that attendance and tests can be changed.

    Where two people are asked for, one asks and another accepts.
    """
    session = find_class_file(request, number)
    if not may_run(request.viewer, session):
        raise Http404
    asks_two = finish.asks_two(session)
    asked = finish.reopening_asked(session) if asks_two else None
    form = SecondForm(request.POST or None) if asked else ReopenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            said = _reopen(session, form, asks_two=asks_two, by=request.user)
        except EntryRefused as refused:
            form.refuse(refused)
        else:
            messages.success(request, said)
            return back_to(request, "class-finish", session)
    if session.state != ClassState.FINISHED:
        return redirect(class_address("class-finish", session, request))
    undone = finish.what_reopening_undoes(session)
    context = {
        "session": session,
        "form": form,
        "voided": [each for each in undone if not each.left],
        "left": [each for each in undone if each.left],
        "different": finish.different_now(session, by=request.user, today=request.viewer.today),
        "asks_two": asks_two,
        "asked": asked,
        "is_asker": asked is not None and asked.by_id == request.user.pk,
        "bar": _bar(session, asked, request.user, asks_two=asks_two),
    }
    return render(request, "classes/reopen.html", context, status=400 if form.errors else 200)


def _bar(session: ClassSession, asked: ClassEvent | None, by: User, *, asks_two: bool) -> str:
    """Why this user may not reopen the class, or accept that it is; blank where they may, or only ask."""
    if asked is not None:
        return finish.bar_to_accepting(session, asked, by)
    return "" if asks_two else finish.bar_to_reopening(session, by)


def _reopen(session: ClassSession, form: ReopenForm | SecondForm, *, asks_two: bool, by: User) -> str:
    """Reopen the class, ask for it, or answer who asked; what was done, for people."""
    values = form.cleaned_data
    if isinstance(form, SecondForm) and values["act"] == "refuse":
        finish.decline_to_reopen(session, note=values["note"].strip(), by=by)
        return "The class stays finished."
    if asks_two and isinstance(form, ReopenForm) and session.state == ClassState.FINISHED:
        finish.ask_to_reopen(session, why=values["why"], by=by)
        return "Asked for. Nothing changed yet: somebody else has to accept it."
    reopened = finish.reopen(session, why=values.get("why", ""), by=by)
    return "Class reopened. Mend what was wrong, then finish it again." if reopened else "This class is open already."
