"""Two records of one person: merged, listed, undone."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from compliance.asking import arrange
from compliance.completion_tables import NARROW
from compliance.forms.merging import AgreeForm, SecondForm
from compliance.grant_tables import WIDE
from compliance.sentences import count, name_of
from roster import merging
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.models import Merge, Officer


class MergeTable(tables.Table):  # type: ignore[misc] # django-tables2 has no types
    caption = "Merges"
    show_caption = True

    at = tables.DateTimeColumn(format="j M Y, H:i", verbose_name="When", attrs=NARROW)
    kept = tables.Column(accessor="kept__listed_name", order_by=("kept__last_name", "pk"), verbose_name="Kept")
    second = tables.Column(
        accessor="second__employee_id", order_by=("second__employee_id", "pk"), verbose_name="Second"
    )
    by = tables.Column(order_by=("by__username", "pk"), verbose_name="By", attrs=WIDE)
    why = tables.Column(verbose_name="Why", attrs=WIDE)
    state = tables.Column(accessor="undone_at", verbose_name="State", empty_values=())

    class Meta:
        default = "–"
        order_by = "-at"
        empty_text = "Nothing was merged. A member's page offers it: “Merge a second record”."

    def render_kept(self, record: Merge) -> SafeString:
        return format_html('<a href="{}">{}</a>', _page_of(record.kept), record.kept.listed_name)

    def value_kept(self, record: Merge) -> str:
        return f"{record.kept.employee_id} {record.kept.listed_name}"

    def render_by(self, record: Merge) -> str:
        return name_of(record.by) if record.by else "–"

    def render_state(self, record: Merge) -> SafeString | str:
        if record.undone_at is not None:
            return "undone"
        return format_html('stands · <a href="{}">Undo</a>', reverse("merge-undo", args=[record.pk]))

    def value_state(self, record: Merge) -> str:
        return "stands" if record.undone_at is None else "undone"


def visible(viewer: Viewer) -> Any:
    """Merges within the viewer's agencies."""
    rows = Merge.objects.select_related("kept__agency", "second__agency", "by")
    return rows if viewer.agencies is None else rows.filter(kept__agency__in=viewer.agencies)


def _page_of(officer: Officer) -> str:
    query = urlencode({"agency": officer.agency.code})
    return f"{reverse('officer-detail', args=[officer.employee_id])}?{query}"


@requires(Right.RECORD)
@require_safe
def merge_list(request: ViewerRequest) -> HttpResponseBase:
    """Every merge, the newest first."""
    table = MergeTable(visible(request.viewer))
    return arrange(request, table, "merges") or render(request, "merges/list.html", {"table": table})


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def officer_merge(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Choose the second record, see what goes over and what stays, and merge."""
    kept = request.viewer.officer(employee_id, request.GET.get("agency", ""))
    data = request.POST or (request.GET if "second" in request.GET else None)
    form = SecondForm(data, viewer=request.viewer, kept=kept)
    context: dict[str, Any] = {"kept": kept, "form": form}
    if not form.is_bound or not form.is_valid():
        return render(request, "merges/merge.html", context, status=400 if form.errors else 200)
    second: Officer = form.cleaned_data["second"]
    try:
        lines = merging.look(kept, second)
        stays = any(not line.moves for line in lines)
        agreed = AgreeForm(request.POST or None, stays=stays)
        if request.method == "POST" and agreed.is_valid():
            merging.merge(kept, second, why=agreed.cleaned_data["why"].strip(), by=request.user)
            went = count(sum(line.moves for line in lines), "fact")
            messages.success(request, f"{second.employee_id} is part of this record now; {went} went over.")
            return redirect(_page_of(kept))
    except ValidationError as error:
        form.refuse(error)
        return render(request, "merges/merge.html", context, status=400)
    context |= {"second": second, "lines": lines, "agreed": agreed, "stays": stays}
    return render(request, "merges/merge.html", context, status=400 if agreed.errors else 200)


@requires(Right.RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def merge_undo(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """See what comes back and what stays, and undo the merge."""
    made = get_object_or_404(visible(request.viewer), pk=pk)
    try:
        lines = merging.look_undone(made)
        stays = any(not line.moves for line in lines)
        form = AgreeForm(request.POST or None, stays=stays)
        if request.method == "POST" and form.is_valid():
            merging.undo(made, why=form.cleaned_data["why"].strip(), by=request.user)
            messages.success(request, f"{made.second.employee_id} is a record of its own again.")
            return redirect(
                f"{reverse('officer-detail', args=[made.second.employee_id])}?agency={made.kept.agency.code}"
            )
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("merge-list")
    context = {"made": made, "lines": lines, "stays": stays, "form": form}
    return render(request, "merges/undo.html", context, status=400 if form.errors else 200)
