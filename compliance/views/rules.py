"""Requirements and courses, to read."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance import sentences
from compliance.asking import arrange, ask, export_rows
from compliance.filters import CourseForm, checked
from compliance.models import Edition, Requirement
from compliance.tables import CourseTable
from roster.access import Right, ViewerRequest, requires
from training.models import Course

WHOLE = (
    Prefetch("editions", Edition.objects.select_related("population")),
    "editions__entry_courses",
    "editions__refresher_courses",
    "editions__recert_courses",
)


@requires(Right.READ_MEMBERS)
@require_safe
def requirement_list(request: ViewerRequest) -> HttpResponseBase:
    """Every requirement with the rule in force, in one sentence."""
    today = request.viewer.today
    found: list[dict[str, Any]] = [
        {"requirement": requirement, "edition": edition, "rule": sentences.rule(edition) if edition else ""}
        for requirement in Requirement.objects.prefetch_related(*WHOLE)
        for edition in [requirement.edition_on(today)]
    ]
    if request.GET.get("export"):
        rows = [["Code", "Title", "Citations", "Rule"]]
        for item in found:
            requirement = item["requirement"]
            rows.append([requirement.code, requirement.title, "; ".join(requirement.citations), item["rule"]])
        return export_rows(request, rows, "requirements")
    return render(request, "requirements/list.html", {"found": found})


@requires(Right.READ_MEMBERS)
@require_safe
def requirement_detail(request: ViewerRequest, code: str) -> HttpResponseBase:
    """One requirement: its editions in order of time, each restated, with its population."""
    requirement = Requirement.objects.prefetch_related(*WHOLE, "goals").filter(code=code).first()
    if requirement is None:
        raise Http404
    editions = sorted(requirement.editions.all(), key=lambda row: row.effective_from)
    in_force = requirement.edition_on(request.viewer.today)
    context = {
        "requirement": requirement,
        "editions": [
            {"edition": row, "rule": sentences.rule(row), "is_in_force": row == in_force, "asks": _asks(row)}
            for row in reversed(editions)
        ],
        "coverage_url": f"{reverse('coverage')}?requirement={requirement.code}",
    }
    return render(request, "requirements/detail.html", context)


def _asks(edition: Edition) -> list[tuple[str, str]]:
    """Who the population asks for, in words."""
    population = edition.population
    lists = (
        ("Categories", population.categories),
        ("Functions of the home unit", population.functions),
        ("Units, with everything below", population.units),
        ("Ranks", population.ranks),
        ("Shifts", population.shifts),
    )
    asked = [(name, ", ".join(words)) for name, words in lists if words]
    if population.designations:
        held = "one taken up of one's own will" if population.voluntary_only else ""
        asked.append(("Designations", ", ".join([*population.designations, *([held] if held else [])])))
    if population.acting_counts and population.ranks:
        asked.append(("Acting ranks", "count while they last"))
    if population.min_service_months:
        asked.append(("Service", f"at least {sentences.count(population.min_service_months, 'month')}"))
    return asked or [("Everybody", "every member employed on the day")]


@requires(Right.READ_MEMBERS)
@require_safe
def course_list(request: ViewerRequest) -> HttpResponseBase:
    """The catalogue, with the titles that imports brought and nobody has mapped yet."""
    form = checked(CourseForm(request.GET or None))
    courses = Course.objects.select_related("same_as").annotate(
        taken_count=Count("completions", filter=Q(completions__voided_in=None))
    )
    text = form.cleaned_data.get("q", "")
    if text:
        courses = courses.filter(Q(code__icontains=text) | Q(title__icontains=text))
    if form.cleaned_data.get("show") == "unmapped":
        courses = courses.filter(is_from_title=True, same_as=None)
    table = CourseTable(
        courses,
        asked=ask(request, today=request.viewer.today),
        viewer=request.viewer,
        empty_text="No course fits these filters. Courses come from an import or with the shipped requirements.",
    )
    table.caption = CourseTable.Meta.caption
    file = arrange(request, table, "courses")
    return file or render(request, "courses.html", {"table": table, "form": form})
