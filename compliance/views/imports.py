"""Files: send one, say which column is which, look at the plan, record exactly it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import import_runs, imports, near_members, undo
from compliance.asking import export_rows
from compliance.forms.imports import (
    AlsoForm,
    ColumnsForm,
    MembersForm,
    PartForm,
    PlanFilterForm,
    TitlesForm,
    UndoForm,
    UploadForm,
)
from compliance.import_runs import MOST_MEMBERS, MOST_TITLES
from compliance.models import ImportLine, ImportRun, Job
from compliance.sentences import count
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.tabular import Unreadable

PER_PAGE = 50
#: titles that the plan's own page names
TITLES_NAMED = 5
RUNS_SHOWN = 50
OPEN = ("waiting", "running")
DONE_WITH = ("recorded", "discarded", "undone")
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
    wanted = PartForm(request.GET)
    is_right = wanted.is_valid()
    q, number = (wanted.cleaned_data["q"], wanted.cleaned_data["page"] or 1) if is_right else ("", 1)
    runs = _runs(request.viewer).filter(Q(file_name__icontains=q) | Q(options__source__icontains=q))
    titles = dict(kinds)
    if is_right and "export" in request.GET:
        return export_rows(request, import_runs.rows_of_runs(runs, titles), "imports")
    page = Paginator(runs, RUNS_SHOWN).get_page(number)
    context = {
        "form": form,
        "wanted": wanted,
        "q": q,
        "page": page,
        "runs": [(run, titles[run.kind]) for run in page.object_list],
        "sources": import_runs.sources(request.viewer),
    }
    return render(request, "imports/list.html", context, status=400 if form.errors or not is_right else 200)


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Which column is which."""
    run = _one(request, pk)
    if _is_busy(run.job) or run.state in DONE_WITH:
        return redirect("import-detail", pk=pk)
    try:
        found = imports.preview(run.kind, import_runs.path_of(run), sheet=import_runs.sheet_of(run))
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
        "also": _also(run),
        "other_sheets": _other_sheets(run),
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
    if not context["is_busy"] and run.state in ("planned", "recorded", "undone"):
        show, q = wanted.cleaned_data["show"], wanted.cleaned_data["q"]
        lines = _lines(run, show, q)
        if "export" in request.GET:
            return export_rows(request, import_runs.plan_rows(run, lines), f"plan-{run.pk}")
        context |= _plan(run, lines, show, q, wanted.cleaned_data["page"] or 1)
    return render(request, "imports/detail.html", context)


def _lines(run: ImportRun, show: str, q: str) -> QuerySet[ImportLine]:
    """The lines of a plan with this verdict, or with warnings, that hold these words."""
    lines = ImportLine.objects.filter(run=run, summary__icontains=q).order_by("line")
    if show == "warnings":
        return lines.filter(has_warning=True)
    return lines.filter(verdict=show) if show else lines


def _plan(run: ImportRun, lines: QuerySet[ImportLine], show: str, q: str, page: int) -> dict[str, Any]:
    """The lines wanted for, and the titles that need a person."""
    counts = run.counts
    shown = [
        (value, name, run.rows if not value else counts.get(value, 0))
        for value, name in VERDICTS
        if not value or counts.get(value) or value in ("new", "same", "changed", "rejected")
    ]
    titles = import_runs.titles_of(run) if run.state == "planned" else []
    members = import_runs.members_of(run) if run.state == "planned" else []
    kind_columns = {column.name: column.title or column.name for column in imports.KINDS[run.kind].columns}
    pages = Paginator(lines, PER_PAGE)
    if not q:  # counting a million takes longer than showing fifty
        pages.count = counts.get(show, 0) if show else run.rows
    shown_page = pages.get_page(page)
    return {
        "page": shown_page,
        "lines": [
            (line, name, [(kind_columns.get(column, column), *both) for column, *both in line.changes or ()])
            for line, name in import_runs.with_names(run, list(shown_page.object_list))
        ],
        "show": show,
        "q": q,
        "filters": shown,
        "titles": titles,
        "titles_named": titles[:TITLES_NAMED],
        "members": members,
        "members_named": members[:TITLES_NAMED],
        "also": _also(run) if run.state in ("planned", "recorded") else [],
        "other_sheets": _other_sheets(run) if run.state in ("planned", "recorded") else [],
        "to_record": counts.get("new", 0) + counts.get("changed", 0),
        "record_label": f"Record {_rows(counts)}",
        "recorded_label": _rows(counts),
    }


def _rows(counts: dict[str, Any]) -> str:
    """`8,412 new rows and 8 changes`."""
    new, changed = counts.get("new", 0), counts.get("changed", 0)
    parts = [count(new, "new row")] if new or not changed else []
    return " and ".join([*parts, count(changed, "change")] if changed else parts)


def _also(run: ImportRun) -> list[tuple[str, str]]:
    """What else the same file can be read as, by its header."""
    return [(kind, imports.KINDS[kind].title) for kind in run.counts.get("kinds", ()) if kind != run.kind]


def _other_sheets(run: ImportRun) -> list[str]:
    """The sheets of its workbook that this run does not read."""
    return [name for name in run.counts.get("sheets", ()) if name != import_runs.sheet_of(run)]


@requires(Right.IMPORT)
@require_POST
def import_also(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Read the same file as another kind, or another sheet of it, too."""
    run = _one(request, pk)
    kinds = [(kind, found.title) for kind, found in imports.KINDS.items()]
    form = AlsoForm(request.POST, kinds=kinds, sheets=run.counts.get("sheets", ()))
    if not form.is_valid() or not import_runs.path_of(run).exists():
        messages.warning(request, "Choose one of those offered.")
        return redirect("import-detail", pk=pk)
    try:
        values = form.cleaned_data
        also = import_runs.read_also(run, values["kind"], sheet=values["sheet"], by=request.user)
    except Unreadable as error:
        messages.warning(request, import_runs.told(error, run))
        return redirect("import-detail", pk=pk)
    return redirect("import-columns", pk=also.pk)


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_titles(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Say which course each title is, or that it counts toward nothing; then plan again."""
    run, wanted = _one(request, pk), PartForm(request.GET)
    if run.state != "planned" or _is_busy(run.job):
        return redirect("import-detail", pk=pk)
    every = import_runs.titles_of(run)
    if not wanted.is_valid():
        return render(request, "imports/titles.html", {"run": run, "wanted": wanted}, status=400)
    q = wanted.cleaned_data["q"].casefold()
    page = Paginator([title for title in every if q in title.title.casefold()], MOST_TITLES).get_page(
        wanted.cleaned_data["page"] or 1
    )
    form = TitlesForm(request.POST or None, titles=page.object_list)
    examples = import_runs.examples(run, list(page.object_list))
    if request.method == "POST" and form.is_valid():
        try:
            said = form.said()
            if said:
                import_runs.map_titles(run, said, by=request.user)
                import_runs.start_plan(run, by=request.user)
                return redirect("import-detail", pk=pk)
            form.add_error(None, "No title was mapped: choose a course, or “counts toward nothing”.")
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "run": run,
        "wanted": wanted,
        "form": form,
        "page": page,
        "count": len(every),
        "rows": [(*row, examples.get(row[0].number, [])) for row in form.rows],
    }
    return render(request, "imports/titles.html", context, status=400 if form.errors else 200)


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_members(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Say who each member is that was not found, beside the candidates; then plan again."""
    run = _one(request, pk)
    if run.state != "planned" or _is_busy(run.job):
        return redirect("import-detail", pk=pk)
    every = import_runs.members_of(run)
    among = request.viewer.officers().filter(agency=run.agency)
    offers = near_members.offers(every[:MOST_MEMBERS], among, date_format=import_runs.options_of(run).date_format)
    form = MembersForm(request.POST or None, offers=offers, agency=run.agency)
    if request.method == "POST" and form.is_valid():
        said = form.said()
        try:
            if said:
                import_runs.decide_members(run, said, by=request.user)
                return redirect("import-detail", pk=pk)
            form.add_error(None, "Nobody was chosen: choose a member, or “none of our members”.")
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "run": run,
        "form": form,
        "count": len(every),
        "more": max(0, len(every) - MOST_MEMBERS),
        "decided": sorted(import_runs.options_of(run).members.items()),
    }
    return render(request, "imports/members.html", context, status=400 if form.errors else 200)


@requires(Right.IMPORT)
@require_POST
def import_members_forget(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Forget who was chosen for cells of this run, and plan again: the choice is made anew."""
    return _started(request, pk, lambda run: import_runs.forget_members(run, by=request.user))


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_undo(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """What undoing a recorded import would do; then ask for exactly that."""
    run = _one(request, pk)
    if not run.can_be_undone or _is_busy(run.job):
        return redirect("import-detail", pk=pk)
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            import_runs.start_undo(run, digest=values["digest"], why=values["why"], by=request.user)
        except ValidationError as error:
            messages.warning(request, " ".join(error.messages))
        return redirect("import-detail", pk=pk)
    found = undo.look(run, by=request.user)
    if not form.is_bound:
        form = UndoForm(initial={"digest": found.digest()})
    context = {
        "run": run,
        "form": form,
        "found": found.as_json(),
        "does_something": found.does_something,
        "nothing": undo.NOTHING,
    }
    return render(request, "imports/undo.html", context, status=400 if form.errors else 200)


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
