"""Four eyes: what somebody wants to void or correct, and what a second person says to it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance import evidence, log
from compliance.asking import arrange
from compliance.evidence_tables import ProposalFilter, ProposalTable
from compliance.forms.completions import SecondForm
from roster.access import Right, ViewerRequest, requires
from training import completions, corrections
from training.models import ProposedCorrection


@requires(Right.RECORD)
@require_safe
def correction_list(request: ViewerRequest) -> HttpResponseBase:
    """What waits for a second person, and what became of the rest; classes that somebody wants reopened."""
    found = ProposalFilter(request.GET, evidence.proposals(request.viewer), viewer=request.viewer)
    if not found.form.is_valid():
        return render(request, "evidence/corrections.html", {"filter": found}, status=400)
    table = ProposalTable(found.qs)
    context = {"filter": found, "table": table, "reopenings": evidence.reopenings(request.viewer)}
    return arrange(request, table, "corrections") or render(request, "evidence/corrections.html", context)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def correction_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """One proposal: what it changes, what happened since, and the second person's answer."""
    proposal = get_object_or_404(evidence.proposals(request.viewer), pk=pk)
    form = SecondForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if form.cleaned_data["act"] == "accept":
                made = corrections.accept(proposal, by=request.user)
                messages.success(request, "Accepted and recorded. Standings are up to date.")
                return redirect("completion-detail", pk=made.pk)
            corrections.refuse(proposal, by=request.user, note=form.cleaned_data["note"].strip())
        except ValidationError as error:
            form.refuse(error)
            proposal = get_object_or_404(evidence.proposals(request.viewer), pk=pk)  # as it stands now
        else:
            messages.success(request, "The completion stays as it is.")
            return redirect("correction-list")
    return _detail(request, proposal, form)


def _detail(request: ViewerRequest, proposal: ProposedCorrection, form: SecondForm) -> HttpResponseBase:
    completion, today = proposal.completion, request.viewer.today
    waits, stands = proposal.state == corrections.State.OPEN, completion.voided_in_id is None
    effects = None
    if waits and stands and proposal.act == corrections.Act.VOID:
        effects = log.without(completion, as_of=today)
    elif waits and stands:
        effects = log.instead(completion, corrections.changes_of(proposal), as_of=today)
    context = {
        "proposal": proposal,
        "completion": completion,
        "differences": corrections.differences_of(proposal),
        "effects": effects,
        "waits": waits,
        "stands": stands,
        "since": [event for event in completions.history(completion) if event.is_after(proposal.proposed_at)],
        "is_proposer": proposal.proposed_by_id == request.user.pk,
        "bar": corrections.bar_to_accepting(proposal, request.user),
        "form": form,
    }
    return render(request, "evidence/correction.html", context, status=400 if form.errors else 200)
