"""Evidence: what waits for a decision, files, courses that members report for themselves, and what looks like one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import evidence, log
from compliance.asking import arrange
from compliance.chosen_files import hold
from compliance.evidence_tables import PairForm, PairTable, PendingFilter, PendingTable
from compliance.filters import checked
from compliance.forms.evidence import AttachForm, DecideManyForm, KeepBothForm, ReportForm
from compliance.forms.files import is_too_large
from compliance.sentences import count
from compliance.views.completions import visible
from roster.access import Right, ViewerRequest, requires
from roster.file_types import PAPERS
from roster.files import FileRefused, keep, keeping, take
from roster.models import Officer
from training import completions, duplicates


@requires(Right.DECIDE_EVIDENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def completion_pending(request: ViewerRequest) -> HttpResponseBase:
    """What waits for somebody to look at its evidence; several can be decided at once."""
    form = DecideManyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _decide(request, form)
        return redirect(request.get_full_path())
    found = PendingFilter(request.GET, evidence.pending_rows(request.viewer), viewer=request.viewer)
    context: dict[str, Any] = {"filter": found, "form": form}
    if not found.form.is_valid():
        return render(request, "evidence/pending.html", context, status=400)
    table = PendingTable(found.qs, viewer=request.viewer, now=timezone.now())
    if (file := arrange(request, table, "pending")) is not None:
        return file
    return render(request, "evidence/pending.html", context | {"table": table}, status=400 if form.errors else 200)


def _decide(request: ViewerRequest, form: DecideManyForm) -> None:
    """Decide about what was chosen, and say of the rest why not."""
    values = form.cleaned_data
    rows = list(evidence.pending(request.viewer).filter(pk__in=values["chosen"]).select_related("officer", "course"))
    decided, left_out = completions.decide_many(
        rows,
        decision=values["decision"],
        decided_on=request.viewer.today,
        note=values["note"].strip(),
        by=request.user,
    )
    if decided:
        messages.success(request, f"{count(decided, 'completion')} {values['decision']}. Standings are up to date.")
    by_pk = {row.pk: row for row in rows}
    for pk, why in left_out.items():
        messages.warning(request, f"{by_pk[pk].officer.listed_name}, {by_pk[pk].course.title}: {why}")
    if gone := len(set(values["chosen"])) - len(rows):
        messages.info(request, f"{count(gone, 'completion')} you chose did not wait any more.")


@requires(Right.RECORD)
@require_POST
def completion_files(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Give files to a completion that is recorded already."""
    completion = get_object_or_404(visible(request.viewer).select_related("officer__agency"), pk=pk)
    form = AttachForm(request.POST, request.FILES, is_too_large=is_too_large(request))
    if form.is_valid():
        try:
            with keeping():
                agency = completion.officer.agency
                files = [keep(one, agency=agency, by=request.user, kinds=PAPERS) for one in form.cleaned_data["papers"]]
                completions.attach(completion, files)
        except ValidationError as error:
            form.add_error("papers", error)
        else:
            messages.success(request, f"{count(len(files), 'file')} added.")
    for sentence in form.errors.get("papers", ()):
        messages.error(request, str(sentence))
    return redirect("completion-detail", pk=pk)


@requires(Right.DECIDE_EVIDENCE)
@require_safe
def duplicate_list(request: ViewerRequest) -> HttpResponseBase:
    """Stored completions that look like one, until somebody keeps both or voids one."""
    viewer = request.viewer
    form = checked(PairForm(request.GET or None, today=viewer.today))
    values = form.cleaned_data
    since = values.get("since") or form.since_unless_said
    members = None
    if values.get("q"):
        members = list(Officer.objects.search(values["q"]).values_list("pk", flat=True))
    pairs = duplicates.stored_pairs(viewer.agencies, since=since, officer_ids=members, course=values.get("course"))
    table = PairTable(pairs, request=request)
    context = {"form": form, "table": table, "since": since, "is_cut": len(pairs) == duplicates.MOST_PAIRS}
    return arrange(request, table, "look-alikes") or render(request, "evidence/duplicates.html", context)


@requires(Right.DECIDE_EVIDENCE)
@require_POST
def duplicate_keep(request: ViewerRequest) -> HttpResponseBase:
    """Remember that two completions are two."""
    form = KeepBothForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a pair of the list.")
        return redirect("duplicate-list")
    values = form.cleaned_data
    one, other = (get_object_or_404(visible(request.viewer), pk=values[name]) for name in ("first", "second"))
    try:
        if not duplicates.is_undecided(one, other):
            messages.info(request, "Nothing is to be decided about these two any more.")
        elif duplicates.keep_both(one, other, by=request.user):
            messages.success(request, "Both are kept; it is noted that they are two.")
    except ValidationError as error:
        messages.error(request, error.messages[0])
    if values["back"] in (one.pk, other.pk):
        return redirect("completion-detail", pk=values["back"])
    return redirect("duplicate-list")


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def my_report(request: ViewerRequest) -> HttpResponseBase:
    """A member reports a course taken elsewhere, with the certificate; somebody else decides about it."""
    viewer = request.viewer
    own = list(Officer.objects.filter(pk__in=viewer.own, merged_into=None).select_related("agency").order_by("pk"))
    if not own:
        raise Http404
    if request.method != "POST":
        return render(request, "evidence/report.html", {"form": ReportForm(own=own, today=viewer.today)})
    form = ReportForm(request.POST, request.FILES, own=own, today=viewer.today, is_too_large=is_too_large(request))
    form.full_clean()
    hold(form, "paper", by=request.user)
    if form.is_valid():
        return _report(request, form)
    return render(request, "evidence/report.html", {"form": form}, status=400)


def _report(request: ViewerRequest, form: ReportForm) -> HttpResponseBase:
    officer, proposal = form.cleaned_data["officer"], form.proposal()
    alike = log.look_alikes(proposal, [officer.pk]).get(officer.pk, [])
    shown = ",".join(str(twin.completion.pk) for twin in alike)
    if alike and (log.is_same(proposal, alike[0].completion) or form.cleaned_data["is_another"] != shown):
        data = request.POST.copy()
        data["is_another"] = shown
        form.data = data
        # Whose certificate a number belongs to is not told to somebody else.
        told = [twin for twin in alike if twin.completion.officer_id == officer.pk]
        own = [log.alike_words(twin, proposal.completed_on) for twin in told]
        context = {"form": form, "alike": own, "is_same": log.is_same(proposal, alike[0].completion)}
        return render(request, "evidence/report.html", context, status=400)
    try:
        with transaction.atomic():
            (paper,) = take([file.key for file in form.held], agency=officer.agency, by=request.user)
            log.report(proposal, officer, by=request.user, today=request.viewer.today, file=paper)
    except FileRefused as error:
        form.add_error("paper", error)
    except ValidationError as error:
        form.refuse(error)
    else:
        messages.success(request, "Reported. It counts once somebody else verified it; until then it is pending.")
        return redirect("my")
    return render(request, "evidence/report.html", {"form": form}, status=400)
