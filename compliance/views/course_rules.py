"""Equivalencies and lesson plans: listed, added, ended; previewed before they are put in force."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance import course_rules, jobs
from compliance.asking import arrange
from compliance.course_rule_tables import (
    DatedFilter,
    DatedTable,
    EquivalencyFilter,
    EquivalencyTable,
    LessonPlanFilter,
    LessonPlanTable,
)
from compliance.forms.course_rules import EquivalencyForm, LastDayForm, LessonPlanForm
from compliance.views.catalogue import check_courses, may_change_courses
from roster.access import Right, ViewerRequest, requires
from training.models import Equivalency, LessonPlan


@requires(Right.READ_MEMBERS)
@require_safe
def equivalency_list(request: ViewerRequest) -> HttpResponseBase:
    """Every equivalency, in force or not."""
    rows = Equivalency.objects.select_related("course", "counts_as")
    return _list(request, EquivalencyFilter(request.GET, rows), EquivalencyTable, "equivalencies")


@requires(Right.READ_MEMBERS)
@require_safe
def lesson_plan_list(request: ViewerRequest) -> HttpResponseBase:
    """Every lesson plan, in force or not."""
    rows = LessonPlan.objects.select_related("course")
    return _list(request, LessonPlanFilter(request.GET, rows), LessonPlanTable, "lesson plans")


def _list(request: ViewerRequest, found: DatedFilter, table_class: type[DatedTable], name: str) -> HttpResponseBase:
    may = may_change_courses(request.viewer)
    context: dict[str, Any] = {"filter": found, "name": name, "may": may}
    if not found.form.is_valid():
        return render(request, "course_rules/list.html", context, status=400)
    table = table_class(found.qs, exclude=() if may else ("act",))
    file = arrange(request, table, name.replace(" ", "-"))
    return file or render(request, "course_rules/list.html", context | {"table": table})


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def equivalency_add(request: ViewerRequest) -> HttpResponseBase:
    """A course that counts as another from a day on."""
    form = EquivalencyForm(request.POST or None, today=request.viewer.today)
    return _form(request, form, "Add an equivalency", "equivalency-list")


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_plan_add(request: ViewerRequest) -> HttpResponseBase:
    """A version of what a course teaches."""
    form = LessonPlanForm(request.POST or None, today=request.viewer.today)
    return _form(request, form, "Add a lesson plan", "lesson-plan-list")


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def equivalency_end(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Another last day of an equivalency."""
    row = get_object_or_404(Equivalency.objects.select_related("course", "counts_as"), pk=pk)
    form = LastDayForm(request.POST or None, row=row, today=request.viewer.today)
    what = f"{row.course.title} counts as {row.counts_as.title}"
    return _form(request, form, "Change the last day", "equivalency-list", what=what, row=row)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_plan_end(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Another last day of a lesson plan: a later one accepts it longer."""
    row = get_object_or_404(LessonPlan.objects.select_related("course"), pk=pk)
    form = LastDayForm(request.POST or None, row=row, today=request.viewer.today)
    what = f"{row.course.title}, lesson plan {row.version}"
    return _form(request, form, "Change the last day", "lesson-plan-list", what=what, row=row)


def _form(
    request: ViewerRequest,
    form: EquivalencyForm | LessonPlanForm | LastDayForm,
    title: str,
    back: str,
    **context: Any,
) -> HttpResponseBase:
    """Check, preview, and go to the preview."""
    check_courses(request)
    if request.method == "POST" and form.is_valid():
        try:
            rule = course_rules.DatedRule(form.row())
            why = form.cleaned_data["why"].strip()
            job = course_rules.start_preview(rule, why=why, today=request.viewer.today, by=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            return redirect("course-rule", key=job.key)
    context |= {"form": form, "title": title, "back": back}
    return render(request, "course_rules/form.html", context, status=400 if form.errors else 200)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def course_rule(request: ViewerRequest, key: UUID) -> HttpResponseBase:
    """What an equivalency or a lesson plan would change, and the button that puts it in force."""
    check_courses(request)
    job = get_object_or_404(jobs.visible(request.viewer), key=key, kind=course_rules.PREVIEW)
    if request.method == "POST":
        try:
            return redirect("job-detail", key=course_rules.start_change(job, by=request.user).key)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("course-rule", key=key)
    context = {
        "job": job,
        "is_open": job.state in ("waiting", "running"),
        "what": course_rules.named(job),
        "values": course_rules.proposed_days(job),
        "back": course_rules.LISTS[job.arguments["kind"]],
        "problem": course_rules.problem_of(job) if job.state == "done" else "",
        "changed": sum(number for *_, number in job.result.get("moves", ())),
    }
    return render(request, "course_rules/preview.html", context)
