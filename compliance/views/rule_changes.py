"""Changing the rules: an edition by form or a file, what it would change, and putting it in force."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from compliance import jobs, rule_changes, sentences
from compliance.asking import export_rows, parse_day
from compliance.coverage import Counts, total
from compliance.forms.requirements import (
    EditionForm,
    PreviewActForm,
    PreviewLinkForm,
    RulesFileForm,
    in_words,
    initial_of,
    initial_of_document,
)
from compliance.models import Edition, Job, Requirement
from compliance.preview import Move, Preview, Reading, by_unit, changed
from compliance.requirements_file import Refused
from compliance.views.rules import WHOLE
from roster.access import Right, ViewerRequest, requires
from roster.models import Officer
from roster.tree import UnitTree


def _check(request: ViewerRequest) -> None:
    """Requirements hold for every agency: who reads only some of them changes none."""
    if not request.viewer.may_change_rules():
        raise Http404


@requires(Right.CHANGE_RULES)
@require_http_methods(["GET", "HEAD", "POST"])
def requirement_add(request: ViewerRequest) -> HttpResponseBase:
    """A new requirement with its first edition."""
    return _edition_page(request, None, None, {"clock": "once"})


@requires(Right.CHANGE_RULES)
@require_http_methods(["GET", "HEAD", "POST"])
def edition_add(request: ViewerRequest, code: str) -> HttpResponseBase:
    """The next edition of a requirement, made from the last one."""
    requirement = _whole(code)
    latest = max(requirement.editions.all(), key=lambda row: row.effective_from, default=None)
    return _edition_page(request, requirement, None, initial_of(latest, as_new=True) if latest else {})


@requires(Right.CHANGE_RULES)
@require_http_methods(["GET", "HEAD", "POST"])
def edition_change(request: ViewerRequest, code: str, start: str) -> HttpResponseBase:
    """Change an edition that no issued report used; one that a report used says so instead."""
    requirement, edition = _edition(code, start)
    used = rule_changes.report_use([edition]).get(edition.pk, [])
    if used:
        _check(request)
        context = {"requirement": requirement, "edition": edition, "used": used, "rule": sentences.rule(edition)}
        return render(request, "requirements/closed.html", context, status=409 if request.method == "POST" else 200)
    return _edition_page(request, requirement, edition, initial_of(edition, as_new=False))


@requires(Right.CHANGE_RULES)
@require_POST
def edition_withdraw(request: ViewerRequest, code: str, start: str) -> HttpResponseBase:
    """Take back an edition that has not begun, once what that changes was previewed."""
    _check(request)
    _, edition = _edition(code, start)
    back = reverse("edition-change", args=[code, start])
    try:
        asked = rule_changes.start_withdrawal(edition, today=request.viewer.today, by=request.user, back=back)
    except Refused as error:
        messages.error(request, _said(error, edition.effective_from))
        return redirect(back)
    return redirect("requirement-preview", asked.key)


def _edition(code: str, start: str) -> tuple[Requirement, Edition]:
    requirement = _whole(code)
    edition = next((row for row in requirement.editions.all() if row.effective_from.isoformat() == start), None)
    if edition is None:
        raise Http404
    return requirement, edition


def _said(error: Refused, start: date | None = None) -> str:
    return " ".join(in_words(finding, start) for finding in error.findings)


def _whole(code: str) -> Requirement:
    return get_object_or_404(Requirement.objects.prefetch_related(*WHOLE), code=code)


def _edition_page(
    request: ViewerRequest, requirement: Requirement | None, edition: Edition | None, initial: dict[str, Any]
) -> HttpResponseBase:
    _check(request)
    today = request.viewer.today
    link = PreviewLinkForm(request.GET)
    if link.is_valid() and link.cleaned_data["preview"]:
        asked = _preview_job(request, link.cleaned_data["preview"])
        if asked.arguments["back"] == request.path:
            initial = initial_of_document(tomllib.loads(asked.arguments["content"]))
    form = EditionForm(request.POST or None, initial=initial, requirement=requirement, edition=edition, today=today)
    if request.method == "POST" and form.is_valid():
        asked = rule_changes.start_preview(
            form.content, today=today, by=request.user, back=request.path, withdrawal=form.withdrawal
        )
        return redirect("requirement-preview", asked.key)
    is_coming = edition is not None and edition.effective_from > today
    context = {"form": form, "requirement": requirement, "edition": edition, "is_coming": is_coming}
    return render(request, "requirements/edition.html", context, status=400 if form.errors else 200)


@requires(Right.CHANGE_RULES)
@require_http_methods(["GET", "HEAD", "POST"])
def requirement_load(request: ViewerRequest) -> HttpResponseBase:
    """A requirements file that somebody sends, previewed before it is loaded."""
    _check(request)
    today = request.viewer.today
    form = RulesFileForm(request.POST or None, request.FILES or None, today=today)
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"]
        asked = rule_changes.start_preview(content, today=today, by=request.user, back=request.path)
        return redirect("requirement-preview", asked.key)
    return render(request, "requirements/load.html", {"form": form}, status=400 if form.errors else 200)


def _preview_job(request: ViewerRequest, key: UUID) -> Job:
    return get_object_or_404(jobs.visible(request.viewer), key=key, kind=rule_changes.PREVIEW)


@requires(Right.CHANGE_RULES)
@require_http_methods(["GET", "HEAD", "POST"])
def requirement_preview(request: ViewerRequest, key: UUID) -> HttpResponseBase:
    """What a change of the rules would make of everybody, and the button that puts it in force."""
    _check(request)
    job = _preview_job(request, key)
    form = PreviewActForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _act(request, job, form.cleaned_data["act"], form.cleaned_data["on"])
    context: dict[str, Any] = {"job": job, "form": form, "is_open": job.state in ("waiting", "running")}
    if job.state == "done":
        found = rule_changes.preview_of(job)
        if request.GET.get("export"):
            return export_rows(request, _rows(job, found), "preview")
        context |= {
            "found": found,
            "warnings": [in_words(warning) if _is_of_form(job) else f"{warning}." for warning in found.warnings],
            "requirements": _effects(request, job, found),
            "problem": rule_changes.problem_of(job, today=request.viewer.today),
            "label": _label(job, found),
        }
    context["back"] = _back(job)
    return render(request, "requirements/preview.html", context, status=400 if form.errors else 200)


def _act(request: ViewerRequest, job: Job, act: str, on: date | None) -> HttpResponseBase:
    """Put the change in force, or preview it again."""
    today = request.viewer.today
    try:
        if act == "change":
            return redirect("job-detail", rule_changes.start_change(job, today=today, by=request.user).key)
        asked = job.arguments
        again = rule_changes.start_preview(
            asked["content"],
            today=today,
            by=request.user,
            on=on,
            back=asked["back"],
            withdrawal=rule_changes.withdrawal_of(job),
        )
        return redirect("requirement-preview", again.key)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except Refused as error:
        findings = " ".join(f"{finding}." for finding in error.findings)
        messages.error(request, _said(error) if _is_of_form(job) else findings)
    return redirect("requirement-preview", job.key)


def _is_of_form(job: Job) -> bool:
    """Made by a form, so that what is said of it names the form's fields and not a file's keys."""
    return bool(job.arguments["back"] != reverse("requirement-load"))


def _back(job: Job) -> str:
    """Where the change was made, filled in as it was; the requirement, where the edition is no longer there."""
    back: str = job.arguments["back"]
    withdrawal = rule_changes.withdrawal_of(job)
    if withdrawal is not None and "changed_by" in job.result:
        return reverse("requirement-detail", args=[withdrawal.requirement])
    is_filled_in = _is_of_form(job) and (withdrawal is None or withdrawal.to is not None)
    return f"{back}?preview={job.key}" if is_filled_in else back


def _label(job: Job, found: Preview) -> str:
    """What the button does: *Put this edition in force from 1 Jan 2027 (12 members change state)*."""
    about = job.result["requirements"]
    withdrawal = rule_changes.withdrawal_of(job)
    if withdrawal is not None:
        day = min(withdrawal.start, withdrawal.to or withdrawal.start)
        number = sum(changed(found.of(item["key"], day)) for item in about)
        act = f"Move this edition to {sentences.day(withdrawal.to)}" if withdrawal.to else "Withdraw this edition"
        return f"{act} ({_who_change(number)})"
    starts = [edition["from"] for item in about for edition in item["editions"]]
    if len(starts) == 1:
        start = parse_day(starts[0])
        day = max(start, found.days[0])
        number = sum(changed(found.of(item["key"], day)) for item in about)
        return f"Put this edition in force from {sentences.day(start)} ({_who_change(number)})"
    number = sum(changed(found.of(item["key"], found.days[0])) for item in about)
    what = sentences.count(len(starts), "edition") if starts else "this file"
    return f"Load {what} ({_who_change(number)} today)"


def _who_change(number: int) -> str:
    return f"{sentences.count(number, 'member')} {'changes' if number == 1 else 'change'} state"


@dataclass(frozen=True)
class UnitLine:
    name: str
    before: Counts
    after: Counts
    changed: int


@dataclass(frozen=True)
class MoveLine:
    """How many go from one state to another, with a few of them; a blank state is outside the population."""

    before: str
    after: str
    number: int
    named: list[Officer]

    @property
    def word(self) -> str:
        if not self.before:
            return "join"
        if not self.after:
            return "leave"
        return {"overdue": "newly overdue", "current": "newly current"}.get(self.after, "")


@dataclass(frozen=True)
class ReadingLine:
    reading: Reading
    is_chosen: bool
    counts: Counts
    changed: int


@dataclass(frozen=True)
class DayEffect:
    """One requirement on one day, before and after."""

    day: date
    is_today: bool
    before: Counts
    after: Counts
    changed: int
    redated: int
    moves: list[MoveLine]
    units: list[UnitLine]
    same_units: int
    readings: list[ReadingLine]


def _effects(request: ViewerRequest, job: Job, found: Preview) -> list[dict[str, Any]]:
    """Each requirement of the preview with its days. Two queries: the units, and the members named."""
    reach = request.viewer.officers()
    ids = {pk for named in found.sample.values() for pk in named}
    officers = {officer.pk: officer for officer in reach.filter(pk__in=ids)}
    return [
        {
            **item,
            **{
                name: [{**edition, "from": parse_day(edition["from"])} for edition in item.get(name, ())]
                for name in ("editions", "withdrawn")
            },
            "moved_from": parse_day(item["moved_from"]) if item.get("moved_from") else None,
            "days": [_day_effect(found, item["key"], day, request.viewer.tree, officers) for day in found.days],
        }
        for item in job.result["requirements"]
    ]


def _day_effect(found: Preview, key: int, day: date, tree: UnitTree, officers: dict[int, Officer]) -> DayEffect:
    moves = found.of(key, day)
    before, after = by_unit(moves, "before"), by_unit(moves, "after")
    flips = Counter({move: number for move, number in moves.items() if move.before != move.after})
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    for move, number in flips.items():
        pairs[move.before, move.after] += number
    moving = {move.unit for move in flips}
    readings = [
        ReadingLine(
            reading,
            place == 0,
            total(by_unit(counted, "after").values()),
            changed(counted),
        )
        for place, reading in enumerate(found.readings.get(key, ()))
        for counted in [found.of(key, day, reading.key if place else "")]
    ]
    return DayEffect(
        day,
        day == found.days[0],
        total(before.values()),
        total(after.values()),
        changed(moves),
        found.redated[key, day],
        [
            MoveLine(
                old or "",
                new or "",
                number,
                [officers[pk] for pk in found.sample.get((key, day, old, new), ()) if pk in officers],
            )
            for (old, new), number in pairs.most_common()
        ],
        [
            UnitLine(_unit_name(tree, unit), before.get(unit, Counts()), after.get(unit, Counts()), _of(flips, unit))
            for unit in _in_order(tree, moving)
        ],
        len((before.keys() | after.keys()) - moving),
        readings if any(line.changed for line in readings) else [],
    )


def _of(flips: Counter[Move], unit: int | None) -> int:
    return sum(number for move, number in flips.items() if move.unit == unit)


def _in_order(tree: UnitTree, units: set[int | None]) -> list[int | None]:
    """In the order of the tree, those without a unit last."""
    ordered: list[int | None] = [unit.pk for unit, _ in tree.walk() if unit.pk in units]
    return [*ordered, *(unit for unit in units if unit is None)]


def _unit_name(tree: UnitTree, unit: int | None) -> str:
    if unit is None:
        return "No home unit"
    found = tree.units.get(unit)
    return f"{found.name} ({found.code})" if found else "A unit that is gone"


def _rows(job: Job, found: Preview) -> list[list[Any]]:
    """Every unit's members by what becomes of them, for a file."""
    tree = UnitTree()
    titles = {item["key"]: item["code"] for item in job.result["requirements"]}
    rows: list[list[Any]] = [["Requirement", "Day", "Unit", "Before", "After", "Members"]]
    for move, number in found.moves.items():
        if not move.reading:
            unit = tree.units[move.unit].code if move.unit in tree.units else ""
            states = [(state or "not asked").replace("_", " ") for state in (move.before, move.after)]
            rows.append([titles[move.requirement], move.day, unit, *states, number])
    return [rows[0], *sorted(rows[1:], key=lambda row: [str(cell) for cell in row[:5]])]
