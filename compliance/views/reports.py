"""Reports to hand over: those issued, one more, and their files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance.asking import arrange
from compliance.filters import all_requirements, checked
from compliance.forms.reports import IssueForm, ReportFilterForm
from compliance.models import IssuedReport
from compliance.report_tables import ReportTable, counts_of
from compliance.reports import issue, supersede
from compliance.reports.accreditation_files import shown_moment
from roster.access import Right, Viewer, ViewerRequest, requires

logger = logging.getLogger(__name__)

#: What each file of a report is for, by how its name ends.
ABOUT = (
    (".pdf", "Report", "to read, print and hand over; tagged for screen readers"),
    (".xlsx", "Workbook", "summary, coverage, exceptions and every member"),
    ("-coverage.csv", "Coverage", "each unit with everybody below it"),
    ("-exceptions.csv", "Exceptions", "overdue, late in the span, in grace, evidence pending"),
    ("-changes.csv", "Changes", "every member whose answer changed, with who recorded what and why"),
    ("-members.csv", "Members", "every member with last credit, due date and standing"),
    (".json", "Data", "what every figure was made of; its SHA-256 is on each page"),
)


#: Changes the page lists; the workbook has all.
MOST_CHANGES = 200


def reports_within(viewer: Viewer) -> QuerySet[IssuedReport]:
    """Reports on agencies this user reads whole."""
    reports = IssuedReport.objects.select_related(
        "agency", "requirement", "unit", "issued_by", "supersedes", "superseded_by"
    )
    return reports if viewer.agencies is None else reports.filter(agency__in=viewer.agencies)


@requires(Right.READ_REPORTS)
@require_http_methods(["GET", "HEAD", "POST"])
def report_list(request: ViewerRequest) -> HttpResponseBase:
    """Issued reports, and a form to issue one."""
    requirements, form = all_requirements(), None
    if request.viewer.may(Right.ISSUE_REPORTS):
        initial = {name: request.GET.get(name) for name in ("requirement", "as_of") if request.GET.get(name)}
        form = IssueForm(request.POST or None, viewer=request.viewer, requirements=requirements, initial=initial)
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            job = issue.start(form.question(), token=form.cleaned_data["token"], by=request.user)
            return redirect("job-detail", key=job.key)
    wanted = checked(ReportFilterForm(request.GET or None, requirements=requirements))
    table = ReportTable(_filtered(request.viewer, wanted.cleaned_data))
    table.empty_text = _empty_text(request, form)
    file = arrange(request, table, "reports")
    context = {"table": table, "form": form, "filter": wanted}
    return file or render(request, "reports/list.html", context, status=400 if form and form.errors else 200)


def _filtered(viewer: Viewer, values: Mapping[str, str]) -> QuerySet[IssuedReport]:
    reports = reports_within(viewer)
    if values.get("q"):
        reports = reports.filter(number__icontains=values["q"].strip())
    if values.get("requirement"):
        reports = reports.filter(requirement__code=values["requirement"])
    return reports


def _empty_text(request: ViewerRequest, form: IssueForm | None) -> str:
    if request.GET.get("q") or request.GET.get("requirement"):
        return "No report fits these filters."
    if form is not None:
        return "No report has been issued yet. Choose a requirement and a day, and issue the first one."
    return "No report has been issued yet. A compliance officer issues them here."


@requires(Right.READ_REPORTS)
@require_safe
def report_detail(request: ViewerRequest, number: str) -> HttpResponseBase:
    """One report: what it answers, what it found, and its files with their hashes."""
    report = get_object_or_404(reports_within(request.viewer), number=number)
    begun = report.editions.select_related("population").filter(effective_from__lte=report.as_of)
    edition = begun.exclude(effective_to__lt=report.as_of).order_by("effective_from").last()
    context: dict[str, Any] = {
        "report": report,
        "counts": counts_of(report),
        "population": edition.population if edition else None,
        "edition": edition,
        "files": [{**entry, **_about(report, entry["name"])} for entry in report.files],
        "successor": getattr(report, "superseded_by", None),
    }
    if report.supersedes is not None:
        try:
            rows = list(supersede.change_rows(issue.data_of(report)))
        except issue.Altered as error:
            logger.error("Report %s: %s", report.number, error)
            context["changes_lost"] = str(error)
        else:
            context["changes"] = [_shown(row) for row in rows[:MOST_CHANGES]]
            context["more_changes"] = len(rows[MOST_CHANGES:])
    return render(request, "reports/detail.html", context)


def _shown(row: Sequence[Any]) -> dict[str, Any]:
    """A row of changes by column, its moment as people read it."""
    columns = dict(zip(supersede.CHANGE_COLUMNS, row, strict=True))
    at = columns["changed_at"]
    return {**columns, "changed_at": shown_moment(at) if at else ""}


def _about(report: IssuedReport, name: str) -> dict[str, str]:
    if name == issue.MANIFEST:
        return {"title": "Manifest", "about": "the SHA-256 of each file, for whoever receives them"}
    ending = name.removeprefix(report.number)
    return next(({"title": title, "about": about} for end, title, about in ABOUT if ending == end), {"title": name})


@requires(Right.READ_REPORTS)
@require_safe
def report_file(request: ViewerRequest, number: str, name: str) -> HttpResponseBase:
    """A file as it was issued, or a page that says it is not the same any more."""
    report = get_object_or_404(reports_within(request.viewer), number=number)
    try:
        file = issue.open_file(report, name)
    except KeyError:
        raise Http404 from None
    except issue.Altered as error:
        logger.error("Report %s: %s", report.number, error)
        return render(request, "reports/altered.html", {"report": report, "sentence": str(error)}, status=409)
    saved_as = name if name.startswith(report.number) else f"{report.number}-{name}"
    return FileResponse(file, as_attachment=True, filename=saved_as)
