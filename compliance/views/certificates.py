"""Certificates: to print one, to issue one for a completion, and the public page that says whether one is valid."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from compliance.class_access import certificates_within
from compliance.class_papers import certificates as papers
from compliance.class_papers.archive import plain_name
from compliance.forms.class_papers import CheckForm
from compliance.public_address import public_address
from compliance.views.completions import visible
from roster.access import Right, ViewerRequest, requires
from training.certificates import CertificateRefused, Validity, issue_for, token_as_typed, validities
from training.models import Certificate

WHAT = ("completion__officer__agency", "completion__course", "enrollment__session__course", "agency")


@requires()
@require_safe
def certificate_file(request: ViewerRequest, number: str) -> HttpResponseBase:
    """One certificate to print; of one that does not hold any more, the page that says so."""
    found = certificates_within(request.viewer).select_related(*WHAT)
    certificate = get_object_or_404(found, number__iexact=number)
    if validities([certificate])[certificate.pk] != Validity.VALID:
        return redirect("certificate-verify", token=certificate.token)
    content = papers.one(certificate, address=lambda token: public_address(request, _address(token)))
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(False, f"certificate-{plain_name(number)}.pdf") or ""
    return response


def _address(token: str) -> str:
    return reverse("certificate-verify", args=[token]) if token else reverse("certificate-check")


@requires(Right.RECORD)
@require_POST
def completion_certificate(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Number a certificate for a completion, however it was recorded."""
    completion = get_object_or_404(visible(request.viewer).select_related("officer__agency"), pk=pk)
    try:
        made = issue_for(completion, issued_on=request.viewer.today, by=request.user)
    except CertificateRefused as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"Certificate {made.number} is issued.")
    return redirect("completion-detail", pk=completion.pk)


# For everybody, without signing in


@login_not_required
@require_safe
def certificate_check(request: HttpRequest) -> HttpResponse:
    """Asks for the code on a certificate. Not for its number: numbers are easy to guess, and this page is public."""
    form = CheckForm(request.GET or None)
    if form.is_valid():
        return _unlisted(redirect("certificate-verify", token=form.cleaned_data["code"]))
    return _unlisted(render(request, "certificates/check.html", {"form": form}, status=400 if form.errors else 200))


@login_not_required
@require_safe
def certificate_verify(request: HttpRequest, token: str) -> HttpResponse:
    """Course, date and whether the certificate is valid; nothing else of it. A token nobody was given is a 404."""
    rows = Certificate.objects.select_related(*WHAT)
    certificate = rows.filter(token=token_as_typed(token)).first()
    if certificate is None:
        return _unlisted(render(request, "certificates/unknown.html", status=404))
    return _unlisted(render(request, "certificates/verify.html", _said_of(certificate)))


def _said_of(certificate: Certificate) -> dict[str, Any]:
    completion, seat = certificate.completion, certificate.enrollment
    course = completion.course if completion else seat.session.course if seat else None
    ends_on = completion.certificate_expires_on if completion else None
    return {
        "course": course,
        "completed_on": certificate.completed_on,
        "validity": validities([certificate])[certificate.pk].value,
        "ended_on": ends_on if ends_on and ends_on < timezone.localdate() else None,
    }


def _unlisted(response: HttpResponse) -> HttpResponse:
    """No copy is kept on the way, no search engine lists it, and no other site is told its address."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
