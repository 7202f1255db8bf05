"""The papers of a class: what is missing, sheets to print, the class file, scans kept with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import jobs
from compliance.class_papers import gather, keeping, making, missing, sign_in
from compliance.class_papers.certificates import issued_in, name_on
from compliance.class_papers.making import PDF, Asked, Made
from compliance.forms.class_papers import PaperForm, PrefillPaperForm, SheetForm, WithdrawForm
from compliance.models import JobState
from compliance.public_address import public_address
from compliance.sentences import count
from compliance.templatetags.classes import class_address
from compliance.views.attendance import find_class_file
from roster.access import Right, ViewerRequest, requires
from training import certificates
from training.models import ClassSession, ClassState

#: Bytes of kept files that the page compares with what was stored; the class file reads all of them.
MOST_READ = 16 * 1024 * 1024


@requires(Right.READ_CLASS_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_papers(request: ViewerRequest, number: str) -> HttpResponseBase:
    """What is missing from the class file, what can be printed, and the scans kept with it; a form to add one."""
    session, may_run = find_class_file(request, number), request.viewer.may(Right.RUN_CLASSES)
    blocks = gather.blocks_of(session)
    if request.method != "POST":
        known = PrefillPaperForm(request.GET)
        initial = known.cleaned_data if known.is_valid() else {}
        return _show(request, session, blocks, PaperForm(blocks=blocks, initial=initial) if may_run else None)
    if not may_run:
        raise Http404
    is_too_large = getattr(request, "is_upload_too_large", False)
    form = PaperForm(request.POST, request.FILES, blocks=blocks, is_too_large=is_too_large)
    if form.is_valid():
        try:
            kept = keeping.keep(
                session,
                form.cleaned_data["file"],
                kind=form.cleaned_data["kind"],
                meeting=form.meeting,
                note=form.cleaned_data["note"],
                by=request.user,
            )
        except ValidationError as error:
            form.add_error("file", error)
        else:
            messages.success(request, f"Kept with the class: {kept.file.name}.")
            return redirect(class_address("class-papers", session, request))
    return _show(request, session, blocks, form, status=400)


def _show(
    request: ViewerRequest, session: ClassSession, blocks: list[Any], form: PaperForm | None, status: int = 200
) -> HttpResponseBase:
    seats = gather.seats_of(session)
    given = issued_in(session)
    validities = certificates.validities(given)
    papers = keeping.kept(session, blocks)
    valid = sum(validity == certificates.Validity.VALID for validity in validities.values())
    lacks = missing.items(session, blocks, seats, now=timezone.now())
    problems, unread = keeping.problems(session, [paper.row for paper in papers], most_read=MOST_READ)
    of_plan = problems.pop(session.lesson_plan.file_id or 0, "") if session.lesson_plan else ""
    context = {
        "session": session,
        "lacks": lacks,
        "problems": problems.values(),
        "problem_of_plan": of_plan,
        "unread": unread,
        "number_missing": len(lacks) + len(problems) + bool(of_plan),
        "blocks": [(number, gather.block_name(number, block), block) for number, block in enumerate(blocks, start=1)],
        "papers": papers,
        "certificates": [(row, name_on(row), validities[row.pk]) for row in given],
        "valid": valid,
        "to_issue": certificates.lacking(session) if session.state == ClassState.FINISHED else 0,
        "form": form,
        "withdraw": WithdrawForm(auto_id=False) if form is not None else None,
    }
    return render(request, "classes/papers.html", context, status=status)


@requires(Right.RUN_CLASSES)
@require_POST
def class_paper_withdraw(request: ViewerRequest, number: str, pk: int) -> HttpResponseBase:
    """Take a scan out of the class file, with a reason. The file is kept."""
    session = find_class_file(request, number)
    row = get_object_or_404(session.papers.select_related("file"), pk=pk)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["why"][0]))
    elif keeping.withdraw(row, why=form.cleaned_data["why"], by=request.user):
        messages.success(request, f"Taken out of the class file: {row.file.name}. The file itself is kept.")
    return redirect(class_address("class-papers", session, request))


@requires(Right.RUN_CLASSES)
@require_POST
def class_certificates_issue(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Number certificates for everybody who passed and has none that holds."""
    session = find_class_file(request, number)
    if session.state != ClassState.FINISHED:
        messages.error(request, "Certificates are issued once the class is finished.")
    else:
        made = certificates.issue_of_class(session, issued_on=request.viewer.today, by=request.user)
        messages.success(request, f"{count(made, 'certificate')} issued.")
    return redirect(class_address("class-papers", session, request))


# To print and to hand over


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_sign_in(request: ViewerRequest, number: str) -> HttpResponseBase:
    """The sign-in sheets of all blocks, or with `?block=3` that of one."""
    form = SheetForm(request.GET)
    if not form.is_valid():
        raise Http404
    block = form.cleaned_data["block"]
    if block is None:
        return _paper(request, number, "sign-in")
    session = find_class_file(request, number)
    try:
        content = sign_in.sheets(session, block=block)
    except LookupError:
        raise Http404 from None
    return _sent(making.named(session, f"sign-in-block-{block}", PDF, iter([content])))


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_roster(request: ViewerRequest, number: str) -> HttpResponseBase:
    return _paper(request, number, "roster")


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_certificates(request: ViewerRequest, number: str) -> HttpResponseBase:
    """Every certificate of the class that holds, a page each."""
    return _paper(request, number, "certificates")


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_file(request: ViewerRequest, number: str) -> HttpResponseBase:
    return _paper(request, number, "class-file")


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_archive(request: ViewerRequest, number: str) -> HttpResponseBase:
    return _paper(request, number, "archive")


@requires(Right.READ_CLASS_FILES)
@require_safe
def class_paper_made(request: ViewerRequest, number: str, key: UUID) -> HttpResponseBase:
    """What a job made of a large class, for whoever asked for it."""
    session = find_class_file(request, number)
    own = jobs.visible(request.viewer).filter(requested_by=request.user, kind=making.KIND, state=JobState.DONE)
    job = get_object_or_404(own, key=key, arguments__class=session.pk)
    try:
        file = making.path_of(job).open("rb")
    except OSError:
        raise Http404 from None
    return FileResponse(file, as_attachment=True, filename=job.result["name"], content_type=job.result["content_type"])


def _paper(request: ViewerRequest, number: str, paper: str) -> HttpResponseBase:
    """A paper, made now or by a job. What there is nothing of is said on the page of papers."""
    session = find_class_file(request, number)
    asked = Asked(session, paper, public_address(request, "/").rstrip("/"), timezone.now())
    if making.is_large(session):
        return redirect("job-detail", key=making.start(asked, by=request.user).key)
    try:
        return _sent(making.make(asked))
    except LookupError as error:
        messages.warning(request, str(error.args[0]))
        return redirect(class_address("class-papers", session, request))


def _sent(made: Made) -> HttpResponseBase:
    pieces: Iterable[bytes] = made.pieces
    response = StreamingHttpResponse(pieces, content_type=made.content_type)
    response["Content-Disposition"] = content_disposition_header(made.content_type != PDF, made.name) or ""
    return response
