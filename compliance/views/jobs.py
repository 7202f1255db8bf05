"""Long work as people see it: how far it is, and what went wrong."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import course_rules, jobs, rule_changes
from compliance.class_papers import making
from compliance.models import ImportRun, Job, JobState
from roster.access import ViewerRequest, requires

#: What each kind of work is, for people.
TITLES = {
    "plan_import": "Plan an import",
    "record_import": "Record an import",
    "undo_import": "Undo an import",
    "rebuild": "Work the standings out again",
    "verify": "Check every standing against the facts",
    "snapshot": "Keep today's figures",
    "issue_report": "Issue a report",
    "make_class_paper": "Make a paper of a class",
    "known": "Work out what was known",
    "look_mass_act": "Look at a mass act",
    "record_mass_act": "Record a mass act",
    "end_mass_act": "End a mass act",
    "preview_course_rule": "Look at what a course counts as",
    "change_course_rule": "Put in force what a course counts as",
    "preview_rules": "Preview a change of the rules",
    "change_rules": "Put a change of the rules in force",
}


@requires()
@require_safe
def job_detail(request: ViewerRequest, key: UUID) -> HttpResponse:
    """For whoever asked for it, and administrators of what it is about. Asked by htmx, only the moving part."""
    job = get_object_or_404(jobs.visible(request.viewer), key=key)
    run = ImportRun.objects.filter(job=job).first()
    is_open = job.state in (JobState.WAITING, JobState.RUNNING)
    context = {
        "job": job,
        "title": TITLES.get(job.kind, job.kind.replace("_", " ").capitalize()),
        "is_open": is_open,
        "next": "" if is_open else _result_of(job, run),
    }
    template = "jobs/_progress.html" if request.headers.get("HX-Request") else "jobs/detail.html"
    response = render(request, template, context)
    if request.headers.get("HX-Request") and not is_open:
        response["HX-Refresh"] = "true"
    return response


def _result_of(job: Job, run: ImportRun | None) -> str:
    """The address of what the work that ended made, where it made something to look at."""
    if run is not None:
        return reverse("import-detail", args=[run.pk])
    if "act" in job.arguments:
        return reverse("mass-detail", args=[job.arguments["act"]])
    if job.kind == course_rules.PREVIEW:
        return reverse("course-rule", args=[job.key])
    if job.kind == course_rules.CHANGE and job.state == JobState.FAILED:
        return reverse("course-rule", args=[job.arguments["preview"]])
    if job.kind == course_rules.CHANGE:
        return reverse(course_rules.LISTS[job.result["kind"]])
    if job.kind == rule_changes.PREVIEW:
        return reverse("requirement-preview", args=[job.key])
    if job.kind == rule_changes.CHANGE and job.state == JobState.FAILED:
        return reverse("requirement-preview", args=[job.arguments["preview"]])
    if job.kind == rule_changes.CHANGE:
        code = job.result.get("requirement")
        return reverse("requirement-detail", args=[code]) if code else reverse("requirement-list")
    if job.kind == making.KIND:
        return reverse("class-paper-made", args=[job.result["number"], job.key]) if job.state == JobState.DONE else ""
    number = job.result.get("number") if job.kind == "issue_report" else None
    return reverse("report-detail", args=[number]) if number else ""
