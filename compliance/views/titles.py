"""Titles that files brought: what each was said to be, and changing that later."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance import import_runs
from compliance.asking import arrange
from compliance.forms.imports import TitleForm, offered_as
from compliance.title_tables import NOTHING, TitleFilter, TitleTable, titles
from roster.access import Right, ViewerRequest, requires
from training.models import Course


@requires(Right.IMPORT)
@require_safe
def title_list(request: ViewerRequest) -> HttpResponseBase:
    """Every title that is no course of the catalogue."""
    found = TitleFilter(request.GET, titles())
    context: dict[str, Any] = {"filter": found}
    if not found.form.is_valid():
        return render(request, "imports/title_list.html", context, status=400)
    table = TitleTable(found.qs)
    file = arrange(request, table, "titles")
    return file or render(request, "imports/title_list.html", context | {"table": table})


@requires(Right.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def title_change(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Say anew which course a title is, or that it counts toward nothing."""
    title = get_object_or_404(titles(), pk=pk)
    form = TitleForm(request.POST or None, initial={"course": offered_as(title.same_as) if title.same_as else NOTHING})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data["course"]
        import_runs.change_title(title, said if isinstance(said, Course) else None, by=request.user)
        messages.success(request, f"{title.title}: {said.title if isinstance(said, Course) else NOTHING}.")
        return redirect("title-list")
    return render(
        request, "imports/title_change.html", {"form": form, "row": title}, status=400 if form.errors else 200
    )
