"""Requirements and courses, to read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from compliance import lifeline, rule_changes, sentences
from compliance.asking import arrange, ask, export_rows
from compliance.filters import CourseForm, checked
from compliance.models import Edition, IssuedReport, Requirement
from compliance.requirements_toml import export_toml
from compliance.tables import CourseTable
from compliance.views.catalogue import may_change_courses
from compliance.views.reports import reports_within
from roster.access import Right, ViewerRequest, requires
from roster.models import Category
from training.models import Course

WHOLE = (
    Prefetch("editions", Edition.objects.select_related("population")),
    "editions__entry_courses",
    "editions__refresher_courses",
    "editions__recert_courses",
)

#: Reports that the page of a requirement shows, the newest first.
MOST_REPORTS = 20


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
    context = {"found": found, "may_change": request.viewer.may_change_rules()}
    return render(request, "requirements/list.html", context)


@requires(Right.READ_MEMBERS)
@require_safe
def requirement_detail(request: ViewerRequest, code: str) -> HttpResponseBase:
    """One requirement: its editions on a line of time, each restated, with its population and who relies on it."""
    viewer = request.viewer
    requirement = _requirement(code, "goals")
    editions = sorted(requirement.editions.all(), key=lambda row: row.effective_from)
    in_force = requirement.edition_on(viewer.today)
    used = rule_changes.report_use(editions)
    reports = reports_within(viewer).filter(requirement=requirement)[:MOST_REPORTS]
    ends = [_ends(row, following) for row, following in zip(editions, [*editions[1:], None], strict=True)]
    context = {
        "requirement": requirement,
        "picture_title": f"Editions of {requirement.title} over the years.",
        "picture": _picture(editions, ends, list(reports), viewer.today) if editions else None,
        "editions": [
            {
                "edition": row,
                "ends": end,
                "rule": sentences.rule(row),
                "is_in_force": row == in_force,
                "is_coming": row.effective_from > viewer.today,
                "asks": _asks(row),
                "used": used.get(row.pk, []),
            }
            for row, end in reversed(list(zip(editions, ends, strict=True)))
        ],
        "reports": reports if viewer.may(Right.READ_REPORTS) else [],
        "may_change": viewer.may_change_rules(),
        "coverage_url": f"{reverse('coverage')}?{urlencode({'requirement': requirement.code})}",
    }
    return render(request, "requirements/detail.html", context)


def _requirement(code: str, *related: str) -> Requirement:
    requirement = Requirement.objects.prefetch_related(*WHOLE, *related).filter(code=code).first()
    if requirement is None:
        raise Http404
    return requirement


def _ends(edition: Edition, following: Edition | None) -> date | None:
    """Its last day: its own, or the day before the next edition begins."""
    if edition.effective_to is None and following is not None:
        return following.effective_from - timedelta(days=1)
    return edition.effective_to


def _picture(
    editions: list[Edition], ends: list[date | None], reports: list[IssuedReport], today: date
) -> lifeline.Picture:
    """Editions, the populations they ask, and the reports that used them, over the years."""
    first = min(editions[0].effective_from, today) - timedelta(days=60)
    last = max(today, editions[-1].effective_from, ends[-1] or today) + timedelta(days=3 * 365)
    rules, who = [], []
    for row, end in zip(editions, ends, strict=True):
        is_over = end is not None and end < today
        kind = "past" if is_over else "coming" if row.effective_from > today else "assignment"
        days = lifeline.period(row.effective_from, end)
        renewed = sentences.renewal(row)
        rules.append(
            lifeline.Span(row.effective_from, end, kind, (renewed, renewed.split(",")[0]), f"{days}: {renewed}")
        )
        title = row.population.title
        who.append(lifeline.Span(row.effective_from, end, kind, (title, row.population.code), f"{days}: {title}"))
    points = [
        lifeline.Point(report.as_of, report.number, f"{report.number}, as of {report.as_of}") for report in reports
    ]
    lanes = [lifeline.Lane("Rule", rules), lifeline.Lane("Who must", who)]
    if points:
        lanes.append(lifeline.Lane("Issued reports", (), points))
    return lifeline.draw(lanes, first=first, last=last, today=today)


@requires(Right.READ_MEMBERS)
@require_safe
def requirement_file(request: ViewerRequest, code: str = "") -> HttpResponse:
    """One requirement or all of them as the file that loads them again."""
    found = Requirement.objects.all()
    if code:
        found = found.filter(code=_requirement(code).code)
    response = HttpResponse(export_toml(found), content_type="application/toml; charset=utf-8")
    name = slugify(code) or "requirements"
    response["Content-Disposition"] = f'attachment; filename="{name}.toml"'
    return response


def _asks(edition: Edition) -> list[tuple[str, str]]:
    """Who the population asks for, in words."""
    population = edition.population
    lists = (
        ("Categories", [str(Category(category).label) for category in population.categories]),
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
    context = {"table": table, "form": form, "may_change": may_change_courses(request.viewer)}
    return file or render(request, "courses.html", context)
