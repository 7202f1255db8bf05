"""Completions: log many at once, look them up, decide on evidence, correct and void."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import log
from compliance.asking import arrange
from compliance.chosen_files import hold
from compliance.completion_tables import CompletionFilter, CompletionTable, with_evidence
from compliance.forms.completions import CorrectForm, DecisionForm, LogForm, PrefillForm, Seal, VoidForm
from compliance.forms.evidence import AttachForm
from compliance.forms.files import is_too_large
from compliance.goals import needed_of
from compliance.models import Counted, Each, Goal, Requirement
from compliance.sentences import count, day
from roster.access import Right, Viewer, ViewerRequest, own_members, requires
from roster.files import FileRefused, take
from roster.models import Assignment, AssignmentKind, Officer, open_on
from training import completions, corrections, duplicates
from training.models import Completion, Course


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def completion_log(request: ViewerRequest) -> HttpResponseBase:
    """Paste, look up, see what it changes, record. Nothing is recorded by looking."""
    viewer = request.viewer
    if request.method != "POST":
        form = LogForm(initial=_prefilled(request), today=viewer.today)
        return render(request, "completions/log.html", {"form": form})
    form = LogForm(request.POST, request.FILES, today=viewer.today, is_too_large=is_too_large(request))
    form.full_clean()
    hold(form, "papers", by=request.user)
    if not form.is_filled:
        return render(request, "completions/log.html", {"form": form}, status=400)
    shown = form.sealed()
    if request.POST.get("act") == "record" and not form.errors:
        if shown is not None:
            return _record(request, form, shown)
        messages.warning(request, "The form changed since you looked the list up. Check it again, then record.")
    return _look_up(request, form)


def _look_up(request: ViewerRequest, form: LogForm) -> HttpResponse:
    viewer = request.viewer
    proposal = form.proposal()
    people, own = form.cleaned_data["people"], own_members(request.user)
    sheet = log.read_sheet(proposal, people, viewer.officers(), form.picks(), as_of=viewer.today, own=own)
    offered = {row.number: [choice.pk for choice in row.choices] for row in sheet.unclear if row.choices}
    data = request.POST.copy()
    data["shown"] = form.seal(sheet.officer_ids, offered, sheet.twins)
    form.data = data
    context = {
        "form": form,
        "sheet": sheet,
        "offered": bool(offered),
        "shares": _shares(sheet, viewer),
        "several_requirements": len({effect.requirement for row in sheet.found for effect in row.effects}) > 1,
        "several_agencies": len({choice.agency_id for row in sheet.unclear for choice in row.choices}) > 1,
        "tally": _tally(sheet),
    }
    return render(request, "completions/log.html", context, status=400 if form.errors else 200)


def _shares(sheet: log.Sheet, viewer: Viewer) -> list[dict[str, Any]]:
    """The shares that change, with the goals that are about everybody. Two queries."""
    shares = sheet.outlook.shares
    requirements = Requirement.objects.prefetch_related("goals").in_bulk({share.requirement for share in shares})
    return [
        {
            "share": share,
            "requirement": requirements[share.requirement],
            "unit": viewer.tree.units[share.unit] if share.unit else None,
            "goals": [
                _goal_sentence(goal, share)
                for goal in requirements[share.requirement].goals.all()
                if share.unit is None and goal.counts == Counted.CERTIFIED and goal.each == Each.NONE
            ],
        }
        for share in shares
    ]


def _goal_sentence(goal: Goal, share: log.Share) -> str:
    needed = needed_of(share.after.counted, Fraction(goal.target_percent), goal.min_count)
    if share.after.counted and share.after.current >= needed:
        return f"Goal “{goal.title}”: met{'' if share.before.current >= needed else ' with this'}."
    return f"Goal “{goal.title}”: {needed - share.after.current} short, was {needed - share.before.current}."


def _tally(sheet: log.Sheet) -> str:
    """`3 overdue become current, 12 run longer.`"""
    effects = [effect for row in sheet.found for effect in row.effects]
    became = Counter(effect.was.replace("_", " ") for effect in effects if effect.changes_state)
    parts = [f"{number} {state} become{'s' if number == 1 else ''} current" for state, number in sorted(became.items())]
    if longer := sum(not effect.changes_state for effect in effects):
        parts.append(f"{longer} run{'s' if longer == 1 else ''} longer")
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _record(request: ViewerRequest, form: LogForm, shown: Seal) -> HttpResponseBase:
    viewer, proposal = request.viewer, form.proposal()
    chosen = {pk for line, pk in form.picks().items() if pk in shown.offered.get(line, ())}
    wanted = list(viewer.officers().filter(pk__in={*shown.found, *chosen}).select_related("agency"))
    if not wanted:
        messages.warning(request, "Nobody was on the list, so nothing was recorded.")
        return _look_up(request, form)
    if proposal.certificate_number and len(wanted) > 1:
        form.refuse(ValidationError("A certificate number belongs to one member. Log them one by one."))
        return _look_up(request, form)
    try:
        with transaction.atomic():
            files = take([file.key for file in form.held], agency=wanted[0].agency, by=request.user)
            got = log.record(
                proposal,
                {officer.pk for officer in wanted},
                by=request.user,
                today=viewer.today,
                twins=shown.twins,
                files=files,
            )
            transaction.set_rollback(not got.made)  # files of nothing are not stored
    except FileRefused as error:
        form.add_error("papers", error)
        return _look_up(request, form)
    except ValidationError as error:
        form.refuse(error)
        return render(request, "completions/log.html", {"form": form}, status=400)
    return _recorded(request, proposal, got)


def _recorded(request: ViewerRequest, proposal: log.Proposal, got: log.Recorded) -> HttpResponseBase:
    """Say what was recorded, and go to the list of it."""
    if got.made:
        what = f"{proposal.course.title}, {day(proposal.completed_on)}"
        messages.success(request, f"{count(len(got.made), 'completion')} recorded: {what}.")
    if got.had:
        messages.info(
            request, f"{count(len(got.had), 'member')} had this completion already; nothing was recorded twice."
        )
    if got.alike:
        who = count(len(got.alike), "member")
        messages.warning(request, f"{who} had one like it that you were not shown and got none: look them up again.")
    on = proposal.completed_on.isoformat()
    query = urlencode({"course": proposal.course.code, "since": on, "until": on})
    return redirect(f"{reverse('completion-list')}?{query}")


def _prefilled(request: ViewerRequest) -> dict[str, Any]:
    form = PrefillForm(request.GET)
    initial: dict[str, Any] = {"completed_on": request.viewer.today}
    if not form.is_valid():
        return initial
    if form.cleaned_data["officer"]:
        officer = request.viewer.officer(form.cleaned_data["officer"], form.cleaned_data["agency"])
        initial["people"] = f"{officer.employee_id}\t{officer.last_name}, {officer.first_name}\n"
    if form.cleaned_data["course"]:
        initial["course"] = get_object_or_404(Course, code__iexact=form.cleaned_data["course"])
    return initial


def visible(viewer: Viewer) -> QuerySet[Completion]:
    """Completions of the members this user may look up; voided ones are among them."""
    rows = Completion.objects.select_related("officer", "course")
    return rows if viewer.reads_everything else rows.filter(officer__in=viewer.officers())


@requires(Right.READ_MEMBERS)
@require_safe
def completion_list(request: ViewerRequest) -> HttpResponseBase:
    """Completions that stand, newest first."""
    rows = with_evidence(visible(request.viewer))
    found = CompletionFilter(request.GET, rows, viewer=request.viewer)
    if not found.form.is_valid():
        return render(request, "completions/list.html", {"filter": found}, status=400)
    table = CompletionTable(found.qs)
    if (file := arrange(request, table, "completions")) is not None:
        return file
    context = {"filter": found, "table": table, "may_record": request.viewer.may(Right.RECORD)}
    context["may_decide"] = request.viewer.may(Right.DECIDE_EVIDENCE)
    return render(request, "completions/list.html", context)


def _one(request: ViewerRequest, pk: int) -> Completion:
    rows = visible(request.viewer).select_related("officer__agency", "course", "recorded_in__by", "voided_in__by")
    return get_object_or_404(rows, pk=pk)


@requires(Right.READ_MEMBERS)
@require_safe
def completion_detail(request: ViewerRequest, pk: int) -> HttpResponse:
    return _detail(request, _one(request, pk), DecisionForm())


def _detail(request: ViewerRequest, completion: Completion, form: DecisionForm) -> HttpResponse:
    viewer = request.viewer
    decision = completions.decision_on(completion)
    context = {
        "completion": completion,
        "decision": decision,
        "evidence": decision.decision if decision else completion.evidence,
        "events": completions.history(completion),
        "later": completions.versions(completion)[-1],
        "home": _home_on(completion.officer, completion),
        "stands": completion.voided_in_id is None,
        "may_record": viewer.may(Right.RECORD) and completion.voided_in_id is None,
        "decides": viewer.may(Right.DECIDE_EVIDENCE) and completion.voided_in_id is None,
        "bar": completions.bar_to_deciding(completion, request.user),
        "waiting": corrections.waiting_for(completion),
        "files": completions.files_of([completion.pk]).get(completion.pk, []),
        "attach": AttachForm(),
        "twins": duplicates.undecided([completion]).get(completion.pk, []) if viewer.may(Right.DECIDE_EVIDENCE) else [],
        "form": form,
    }
    return render(request, "completions/detail.html", context, status=400 if form.errors else 200)


def _home_on(officer: Officer, completion: Completion) -> Assignment | None:
    homes = Assignment.objects.known().filter(
        open_on(completion.completed_on),
        officer=officer,
        kind=AssignmentKind.HOME,
        start_on__lte=completion.completed_on,
    )
    return homes.select_related("unit", "shift", "rank").first()


@requires(Right.DECIDE_EVIDENCE)
@require_POST
def completion_evidence(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Somebody other than who recorded it verifies or rejects the evidence."""
    completion = _one(request, pk)
    form = DecisionForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            completions.decide_evidence(
                completion,
                decision=values["decision"],
                decided_on=request.viewer.today,
                note=values["note"].strip(),
                by=request.user,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"Evidence {values['decision']}. Standings are up to date.")
            return redirect("completion-detail", pk=pk)
    return _detail(request, completion, form)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def completion_void(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Take a completion back, with a reason."""
    completion = _one(request, pk)
    form = VoidForm(request.POST or None)
    asks_two = corrections.asks_two(completion)
    if request.method == "POST" and form.is_valid():
        if asks_two:
            return _proposed(request, completion, corrections.propose_void, why=form.cleaned_data["why"])
        return _void(request, completion, form.cleaned_data["why"])
    if completion.voided_in_id is not None:
        raise Http404
    effects = log.without(completion, as_of=request.viewer.today)
    context = {"completion": completion, "form": form, "effects": effects, "asks_two": asks_two}
    return render(request, "completions/void.html", context, status=400 if form.errors else 200)


def _void(request: ViewerRequest, completion: Completion, why: str) -> HttpResponseBase:
    try:
        voided = completions.void_completion(completion, why=why, by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, "Completion voided." if voided else "This completion was voided already.")
    return redirect("completion-detail", pk=completion.pk)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def completion_correct(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Record what it should have said; the old line stays in the record."""
    completion = _one(request, pk)
    if completion.voided_in_id is not None:
        messages.warning(request, "Somebody corrected or voided this completion already.")
        return redirect("completion-detail", pk=pk)
    form = CorrectForm(request.POST or None, completion=completion, today=request.viewer.today)
    asks_two, effects = corrections.asks_two(completion), None
    if request.method == "POST" and form.is_valid():
        why, changes = form.cleaned_data["why"], form.changes()
        if asks_two and request.POST.get("act") == "propose":
            return _proposed(request, completion, corrections.propose_correction, why=why, **changes)
        if asks_two:
            effects = log.instead(completion, changes, as_of=request.viewer.today)
        else:
            try:
                made = completions.correct_completion(completion, why=why, by=request.user, **changes)
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, "Completion corrected. The old line stays in the record.")
                return redirect("completion-detail", pk=made.pk)
    context = {"completion": completion, "form": form, "asks_two": asks_two, "effects": effects}
    return render(request, "completions/correct.html", context, status=400 if form.errors else 200)


def _proposed(
    request: ViewerRequest, completion: Completion, propose: Callable[..., Any], **said: Any
) -> HttpResponseBase:
    """Propose what was filled in; or say, on the completion's page, why it cannot be."""
    try:
        proposal = propose(completion, by=request.user, **said)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("completion-detail", pk=completion.pk)
    messages.success(request, "Proposed. Nothing changed yet: somebody else has to accept it.")
    return redirect("correction", pk=proposal.pk)
