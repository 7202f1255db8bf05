"""Files: send one, say which column is which, look at the plan, record exactly it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import import_runs, imports
from compliance.forms.imports import ColumnsForm, PlanFilterForm, TitlesForm, UploadForm
from compliance.import_runs import MOST_TITLES
from compliance.models import ImportLine, ImportRun, Job
from compliance.sentences import count
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.tabular import Unreadable

PER_PAGE = 50
RUNS_SHOWN = 50
OPEN = ("waiting", "running")
#: What the rows of a plan can be filtered by, and the name of each.
VERDICTS = (
    ("", "All"),
    ("new", "New"),
    ("same", "Same"),
    ("changed", "Changed"),
    ("rejected", "Rejected"),
    ("skipped", "Left out"),
    ("warnings", "Warnings"),
)


def _runs(viewer: Viewer) -> QuerySet[ImportRun]:
    return import_runs.visible(viewer).select_related("job", "agency", "uploaded_by")


def _one(request: ViewerRequest, pk: int) -> ImportRun:
    return get_object_or_404(_runs(request.viewer), pk=pk)


def _is_busy(job: Job | None) -> bool:
    return job is not None and job.state in OPEN


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: ViewerRequest) -> HttpResponseBase:
    """Files sent so far, and a form to send one."""
    kinds = [(kind, found.title) for kind, found in imports.KINDS.items()]
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        viewer=request.viewer,
        kinds=kinds,
        is_too_large=getattr(request, "is_upload_too_large", False),
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            run = import_runs.keep(
                values["file"],
                kind=values["kind"],
                source=values["source"].strip(),
                agency=values["agency"],
                by=request.user,
            )
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect("import-columns", pk=run.pk)
    runs = list(_runs(request.viewer)[:RUNS_SHOWN])
    sources = sorted({str(run.options.get("source", "")) for run in runs} - {""})
    titles = dict(kinds)
    listed = [(run, titles[run.kind]) for run in runs]
    context = {"form": form, "runs": listed, "sources": sources}
    return render(request, "imports/list.html", context, status=400 if form.errors else 200)


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Which column is which."""
    run = _one(request, pk)
    if _is_busy(run.job) or run.state in ("recorded", "discarded"):
        return redirect("import-detail", pk=pk)
    try:
        found = imports.preview(run.kind, import_runs.path_of(run))
    except Unreadable as error:
        messages.error(request, import_runs.told(error, run))
        return redirect("import-list")
    form = ColumnsForm(
        request.POST or None, found=found, kind=imports.find_kind(run.kind), options=import_runs.options_of(run)
    )
    if request.method == "POST" and form.is_valid():
        try:
            options = form.options()
            imports.open_table(run.kind, import_runs.path_of(run), options)
            import_runs.start_plan(run, by=request.user, options=options)
        except Unreadable as error:
            form.add_error(None, import_runs.told(error, run))
        except ValidationError as error:
            form.refuse(error)
        else:
            return redirect("import-detail", pk=pk)
    context = {
        "run": run,
        "form": form,
        "found": found,
        "kind_title": imports.KINDS[run.kind].title,
        "needed": import_runs.needed_columns(run),
        "remembered": import_runs.remembered(run, str(run.options.get("source", "")))[1],
        "sent_before": import_runs.sent_before(run),
    }
    return render(request, "imports/columns.html", context, status=400 if form.errors else 200)


@requires(Right.IMPORT)
@require_safe
def import_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """The plan, or how far the work on it is."""
    run = _one(request, pk)
    if run.state == "uploaded" and run.job is None:
        return redirect("import-columns", pk=pk)
    wanted = PlanFilterForm(request.GET)
    if not wanted.is_valid():
        return render(request, "imports/detail.html", {"run": run, "wanted": wanted}, status=400)
    context: dict[str, Any] = {
        "run": run,
        "wanted": wanted,
        "kind_title": imports.KINDS[run.kind].title,
        "is_busy": _is_busy(run.job),
        "job": run.job,
        "remembered": import_runs.remembered(run, str(run.options.get("source", "")))[1],
        "sent_before": import_runs.sent_before(run),
    }
    if not context["is_busy"] and run.state in ("planned", "recorded"):
        context |= _plan(run, wanted.cleaned_data["show"], wanted.cleaned_data["page"] or 1)
    return render(request, "imports/detail.html", context)


def _plan(run: ImportRun, show: str, page: int) -> dict[str, Any]:
    """The lines wanted for, and the titles that need a person."""
    counts = run.counts
    lines = ImportLine.objects.filter(run=run).order_by("line")
    if show == "warnings":
        lines = lines.filter(has_warning=True)
    elif show:
        lines = lines.filter(verdict=show)
    shown = [
        (value, name, run.rows if not value else counts.get(value, 0))
        for value, name in VERDICTS
        if not value or counts.get(value) or value in ("new", "same", "changed", "rejected")
    ]
    titles = import_runs.titles_of(run) if run.state == "planned" else []
    shown_page = Paginator(lines, PER_PAGE).get_page(page)
    return {
        "page": shown_page,
        "lines": import_runs.with_names(run, list(shown_page.object_list)),
        "show": show,
        "filters": shown,
        "titles": titles,
        "titles_form": TitlesForm(titles=titles[:MOST_TITLES]) if titles else None,
        "more_titles": max(0, len(titles) - MOST_TITLES),
        "to_record": counts.get("new", 0) + counts.get("changed", 0),
        "record_label": f"Record {_rows(counts)}",
        "recorded_label": _rows(counts),
    }


def _rows(counts: dict[str, Any]) -> str:
    """`8,412 new rows and 8 changes`."""
    new, changed = counts.get("new", 0), counts.get("changed", 0)
    parts = [count(new, "new row")] if new or not changed else []
    return " and ".join([*parts, count(changed, "change")] if changed else parts)


@requires(Right.IMPORT)
@require_POST
def import_titles(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Say which course a title is, or that it counts toward nothing; then plan again."""
    run = _one(request, pk)
    form = TitlesForm(request.POST, titles=import_runs.titles_of(run)[:MOST_TITLES])
    if not form.is_valid():
        messages.error(request, "Choose a course from the list for each title.")
        return redirect("import-detail", pk=pk)
    try:
        said = form.said()
        if not said:
            messages.warning(request, "No title was mapped: choose a course, or “counts toward nothing”.")
            return redirect("import-detail", pk=pk)
        import_runs.map_titles(run, said, by=request.user)
        import_runs.start_plan(run, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("import-detail", pk=pk)


@requires(Right.IMPORT)
@require_POST
def import_plan(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Make the plan again: the records may have changed."""
    return _started(request, pk, lambda run: import_runs.start_plan(run, by=request.user))


@requires(Right.IMPORT)
@require_POST
def import_record(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Record the plan that was shown."""
    digest = request.POST.get("digest", "")
    return _started(request, pk, lambda run: import_runs.start_record(run, digest=digest, by=request.user))


def _started(request: ViewerRequest, pk: int, start: Any) -> HttpResponseBase:
    run = _one(request, pk)
    try:
        start(run)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect("import-detail", pk=pk)


@requires(Right.IMPORT)
@require_POST
def import_discard(request: ViewerRequest, pk: int) -> HttpResponseBase:
    run = _one(request, pk)
    try:
        import_runs.discard(run)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("import-detail", pk=pk)
    messages.success(request, f"{run.file_name} was discarded; nothing of it was recorded.")
    return redirect("import-list")


@requires(Right.IMPORT)
@require_safe
def import_errors(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """The rejected rows in the file's own columns, to be mended and sent again."""
    run = _one(request, pk)
    path = import_runs.errors_path(run)
    if not path.exists():
        raise Http404
    name = f"rejected-{run.pk}.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
