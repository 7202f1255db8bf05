"""The catalogue: a course with everything about it, changed by form; topics; what a lesson plan says."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Count, Max, Min, Sum
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance import course_rules
from compliance.asking import arrange
from compliance.class_access import classes
from compliance.forms.catalogue import (
    CourseEditForm,
    LessonPlanTextForm,
    TopicForm,
    WhyForm,
    edit_of,
    test_forms,
)
from compliance.models import Edition
from compliance.trail_tables import OwnTrailTable, own_trail
from roster.access import Right, Viewer, ViewerRequest, requires
from roster.facts import Via, changing_rules, sentence_for
from roster.file_types import LESSON_PLANS
from roster.files import keep, keeping
from roster.models import Agency
from roster.trail import What
from training import catalogue
from training.dated import save_dated
from training.models import ClassState, Completion, Course, LessonPlan, Topic

#: Classes of a course that its page shows: those to come, then the latest.
MOST_CLASSES = 10


def may_change_courses(viewer: Viewer) -> bool:
    """Courses are every agency's: who reads only some of them changes nothing about them. At most one query."""
    return viewer.may(Right.GRANT) and viewer.reads_every_agency()


def check_courses(request: ViewerRequest) -> None:
    """404 for who may not change courses."""
    if not may_change_courses(request.viewer):
        raise Http404


def _course(code: str) -> Course:
    rows = Course.objects.prefetch_related("prerequisites", "tests", "topics__topic").select_related("same_as")
    return get_object_or_404(rows, code__iexact=code)


@requires(Right.READ_MEMBERS)
@require_safe
def course_detail(request: ViewerRequest, code: str) -> HttpResponseBase:
    """A course: what it asks, what it teaches, what it counts as and for, and what was changed. 14 queries."""
    course = _course(code)
    viewer = request.viewer
    table = _changes(viewer, course.pk, What.COURSE)
    if table is not None and (file := arrange(request, table, f"changes-of-{course.code}")):
        return file
    held = (
        classes(viewer)
        .filter(course=course)
        .exclude(state=ClassState.CANCELLED)
        .annotate(first_at=Min("meetings__starts_at"), last_at=Max("meetings__ends_at"))
        .order_by("-first_at", "-pk")[:MOST_CLASSES]
    )
    own = Completion.objects.known().filter(course=course)
    if not viewer.reads_everything:
        own = own.filter(officer__in=viewer.officers())
    context = {
        "course": course,
        "topic_hours": sum((row.hours for row in course.topics.all()), start=0) or None,
        "tests": [test for test in course.tests.all() if not test.is_retired],
        "plans": course.lesson_plans.select_related("file").order_by("-start_on"),
        "counts_as": course.equivalencies.select_related("counts_as"),
        "counted_from": course.equivalents.select_related("course"),
        "asked_by": _asked_by(course),
        "held": held,
        "completions": own.aggregate(number=Count("pk"), last=Max("completed_on")),
        "may_change": may_change_courses(viewer),
        "may_run": viewer.may(Right.RUN_CLASSES),
        "table": table,
    }
    return render(request, "catalogue/course.html", context)


def _changes(viewer: Viewer, pk: int, what: What) -> OwnTrailTable | None:
    """What was changed about a course or a lesson plan, for whoever reads class files."""
    may_read = viewer.may(Right.READ_CLASS_FILES)
    return own_trail(pk, what, leave_out=("what", "subject")) if may_read else None


def _asked_by(course: Course) -> list[tuple[Edition, str]]:
    """The editions whose lists name the course, each with what it counts as there. Three queries."""
    found = [
        (edition, word)
        for name, word in (
            ("entry_of", "entry"),
            ("refresher_of", "refresher"),
            ("recert_of", "short recertification"),
        )
        for edition in getattr(course, name).select_related("requirement")
    ]
    return sorted(found, key=lambda row: (row[0].requirement.title, row[0].effective_from))


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def course_add(request: ViewerRequest) -> HttpResponseBase:
    """A new course of the catalogue."""
    return _edit(request, None)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def course_change(request: ViewerRequest, code: str) -> HttpResponseBase:
    """Change a course. What completions are judged by is previewed first."""
    return _edit(request, _course(code))


def _edit(request: ViewerRequest, course: Course | None) -> HttpResponseBase:
    check_courses(request)
    data = request.POST or None
    topics = list(Topic.objects.all())
    form = CourseEditForm(data, course=course, topics=topics)
    tests, reason = test_forms(data, course), WhyForm(data)
    if request.method == "POST" and all([form.is_valid(), tests.is_valid(), reason.is_valid()]):
        rule = course_rules.CourseRule(edit_of(form, tests))
        why = reason.cleaned_data["why"].strip()
        try:
            if course_rules.save_at_once(rule, why=why, by=request.user):
                messages.success(request, f"{form.cleaned_data['title']} is saved.")
                return redirect("course-detail", code=form.cleaned_data["code"])
            job = course_rules.start_preview(rule, why=why, today=request.viewer.today, by=request.user)
            return redirect("course-rule", key=job.key)
        except ValidationError as error:
            form.refuse(error)
    context = {"course": course, "form": form, "tests": tests, "reason": reason}
    has_errors = bool(form.errors or reason.errors or (data and not tests.is_valid()))
    return render(request, "catalogue/edit.html", context, status=400 if has_errors else 200)


@requires(Right.READ_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def topic_list(request: ViewerRequest) -> HttpResponseBase:
    """The topics that courses teach, with their hours in all; and a form for another."""
    return _topics(request, None)


@requires(Right.GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def topic_change(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Another name or place of a topic."""
    return _topics(request, get_object_or_404(Topic, pk=pk))


def _topics(request: ViewerRequest, topic: Topic | None) -> HttpResponseBase:
    may = may_change_courses(request.viewer)
    if (request.method == "POST" or topic is not None) and not may:
        raise Http404
    initial = None if topic is None else {"code": topic.code, "name": topic.name, "order": topic.order}
    form = TopicForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        row = form.row(topic)
        try:
            with changing_rules(by=request.user, via=Via.PAGE):
                catalogue.save_topic(row)
        except IntegrityError as error:
            form.refuse(ValidationError(sentence_for(error, Topic) or "There is a topic with this code."))
        else:
            messages.success(request, f"{row.name} is saved.")
            return redirect("topic-list")
    rows = Topic.objects.annotate(taught=Count("courses"), hours=Sum("courses__hours")).order_by("order", "name")
    context: dict[str, Any] = {"rows": rows, "form": form if may else None, "topic": topic, "may": may}
    return render(request, "catalogue/topics.html", context, status=400 if form.errors else 200)


@requires(Right.READ_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_plan_detail(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """A lesson plan: its days, objectives, approval; whoever may changes what nobody is judged by."""
    plan = get_object_or_404(LessonPlan.objects.select_related("course", "file"), pk=pk)
    may = may_change_courses(request.viewer)
    if request.method == "POST" and not may:
        raise Http404
    table = _changes(request.viewer, plan.pk, What.LESSON_PLAN)
    if table is not None and (file := arrange(request, table, f"changes-of-lesson-plan-{plan.pk}")):
        return file
    is_too_large = getattr(request, "is_upload_too_large", False)
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = LessonPlanTextForm(*sent, plan=plan, today=request.viewer.today, is_too_large=is_too_large)
    if request.method == "POST" and form.is_valid():
        try:
            _save_plan(request, form)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"Lesson plan {plan.version} is saved.")
            return redirect("lesson-plan-detail", pk=pk)
    taught = classes(request.viewer).filter(lesson_plan=plan).order_by("-pk")[:MOST_CLASSES]
    context = {"plan": plan, "form": form if may else None, "taught": taught, "table": table}
    return render(request, "catalogue/lesson_plan.html", context, status=400 if form.errors else 200)


def _save_plan(request: ViewerRequest, form: LessonPlanTextForm) -> None:
    """Save what the form says, with its file; the file belongs to the first of the agencies that the user reads."""
    upload = form.cleaned_data["file"]
    with keeping(), changing_rules(by=request.user, via=Via.PAGE, why="What the lesson plan says"):
        row = form.row()
        catalogue.refuse_to_rewrite(row, row.objectives, has_file=bool(upload))
        if upload:
            agencies = Agency.objects.order_by("pk")
            if request.viewer.agencies is not None:
                agencies = agencies.filter(pk__in=request.viewer.agencies)
            row.file = keep(upload, agency=agencies[0], by=request.user, kinds=LESSON_PLANS)
        save_dated(row)
