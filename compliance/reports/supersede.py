"""One report in the place of another: the same question asked again with more known, and what changed in between.

The earlier report and its files stay as they are; that it is superseded follows from the later one, which names it. The
later one lists every member whose line in the report differs, and of each what was recorded and voided, by whom, and
why. It compares the data that was kept with the data found now, so nothing that changed the answer goes unlisted, and
nothing is listed that changed no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from compliance import sentences
from compliance.gather import gather_rules, listed_courses
from compliance.models import Extension, IssuedReport, Waiver
from compliance.reports.accreditation import Question
from compliance.reports.paper import Data
from compliance.standings import FACTS
from roster.facts import Change, Fact
from roster.models import Assignment, AssignmentKind, Designation, Employment, Leave, Officer
from training.models import Completion, EvidenceDecision

#: What a member's line says by words that may change without any answer changing.
WORDING = ("name", "unit_name", "because")
CHANGE_COLUMNS = ("employee_id", "name", "before", "after", "what_changed", "changed_at", "by", "via", "why")
#: of a member whose answer changed though nothing was recorded of them
UNEXPLAINED = "No record of this member changed: a course, a lesson plan, an equivalency or a unit did."


def superseded_by_asking(question: Question, kind: str) -> IssuedReport | None:
    """The latest report that answers the same question from less knowledge, unless another has its place. One query.

    One that was known no later is a copy and replaces nothing.
    """
    asked = IssuedReport.objects.filter(
        kind=kind,
        agency=question.agency,
        requirement=question.requirement,
        unit=question.unit,
        as_of=question.as_of,
        span_from=question.span_from,
        span_to=question.span_to,
        known_at__lt=question.known_at,
        superseded_by=None,
    )
    return asked.order_by("known_at", "pk").last()


def reference(report: IssuedReport, data: Data) -> dict[str, Any]:
    """How a report's data names the one whose place it takes."""
    return {
        "number": report.number,
        "report_edition": report.report_edition,
        "known_at": data["known_at"],
        "data_sha256": report.data_sha256,
        "totals": report.totals,
    }


def changes(before: Data, after: Data, question: Question, *, known_at: datetime) -> list[dict[str, Any]]:
    """Every member whose answer differs, by name, with what was recorded since `known_at` that bears on it.

    A few queries for each kind of fact, however many members.
    """
    old, new = _members(before), _members(after)
    differing = sorted(
        (key for key in old.keys() | new.keys() if _answer(old.get(key)) != _answer(new.get(key))),
        key=lambda key: ((new.get(key) or old[key])["name"], key),
    )
    recorded = _recorded(question, differing, known_at)
    return [
        {
            "employee_id": key,
            "name": (new.get(key) or old[key])["name"],
            "before": _told(old.get(key)),
            "after": _told(new.get(key)),
            "changes": recorded.get(key, []),
        }
        for key in differing
    ]


def _members(data: Data) -> dict[str, dict[str, Any]]:
    """Employee id -> the member's line with the late spells of the span; of one outside the population the spells."""
    found = {row["employee_id"]: {**row, "late": []} for row in data["members"]}
    for spell in data["exceptions"]["overdue_in_span"]:
        outside = {"employee_id": spell["employee_id"], "name": spell["name"], "late": []}
        found.setdefault(spell["employee_id"], outside)["late"].append(spell)
    return found


def _answer(line: Mapping[str, Any] | None) -> object:
    """What must be equal for a member to be unchanged."""
    if line is None:
        return None
    spells = [{key: value for key, value in spell.items() if key not in WORDING} for spell in line["late"]]
    return {**{key: value for key, value in line.items() if key not in WORDING}, "late": spells}


def _told(line: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A member's answer as the list of changes shows it; None = in none of the report's lists."""
    if line is None:
        return None
    names = ("state", "due_on", "unit", "late_days_in_span")
    if "state" not in line:
        return {"state": None, "due_on": None, "unit": None, "late_days_in_span": sum(s["days"] for s in line["late"])}
    return {name: line[name] for name in names}


def _recorded(question: Question, employee_ids: Collection[str], known_at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Employee id -> the changes between the two moments, in order, with what each recorded and voided."""
    officers = Officer.objects.filter(agency=question.agency, employee_id__in=employee_ids)
    ids = dict(officers.values_list("pk", "employee_id"))
    found: dict[tuple[int, int], dict[str, list[str]]] = {}
    for verb, of_change in (("recorded", "recorded_in"), ("voided", "voided_in")):
        since = Q(**{f"{of_change}__at__gt": known_at, f"{of_change}__at__lte": question.known_at})
        for fact in _facts(question, list(ids), since):
            place = (fact.officer_id, getattr(fact, f"{of_change}_id"))
            found.setdefault(place, {"recorded": [], "voided": []})[verb].append(words_of(fact))
    rows = Change.objects.select_related("by").in_bulk({change for _, change in found})
    told: dict[str, list[dict[str, Any]]] = {}
    for (officer, key), facts in sorted(found.items(), key=lambda item: (item[0][0], rows[item[0][1]].at, item[0][1])):
        change = rows[key]
        at = change.at.astimezone(timezone.get_default_timezone()).isoformat() if change.at else None
        by = change.by.username if change.by else None
        told.setdefault(ids[officer], []).append({"at": at, "by": by, "via": change.via, "why": change.why, **facts})
    return told


def _facts(question: Question, officer_ids: Collection[int], since: Q) -> Iterator[Fact]:
    """The facts of these members that can bear on the requirement. One query per kind, and two for the rules."""
    counting = _counting_courses(question)
    bearing: dict[type[Fact], Q] = {
        Assignment: ~Q(kind=AssignmentKind.SECONDARY),
        Completion: Q(course__in=counting),
        EvidenceDecision: Q(completion__course__in=counting),
        Waiver: Q(requirement=question.requirement),
        Extension: Q(requirement=question.requirement),
    }
    related: dict[type[Fact], tuple[str, ...]] = {
        Assignment: ("unit",),
        Completion: ("course__same_as",),
        EvidenceDecision: ("completion__course__same_as",),
    }
    of_these = Q(officer__in=officer_ids)
    for model in FACTS:
        facts = model.objects.filter(since, of_these, bearing.get(model, Q())).order_by("pk")
        yield from facts.select_related(*related.get(model, ("officer",)))


def _counting_courses(question: Question) -> set[int]:
    rules = gather_rules()
    listed: set[int] = set()
    for edition in rules.editions[question.requirement.pk]:
        listed |= listed_courses(edition)
    return {
        key
        for key, course in rules.courses.items()
        if course.key in listed or any(other.counts_as in listed for other in course.equivalencies)
    }


def words_of(fact: Fact) -> str:
    """A fact in a few words, with its days; of leave neither kind nor reason."""
    match fact:
        case Completion():
            return _completion(fact)
        case EvidenceDecision():
            return f"evidence {fact.decision} for {_completion(fact.completion)}"
        case Employment():
            return f"employed as {fact.category.replace('_', ' ')} {_days(fact.start_on, fact.end_on)}"
        case Assignment():
            return f"{fact.kind} assignment to {fact.unit} {_days(fact.start_on, fact.end_on)}"
        case Leave():
            return f"leave {_days(fact.start_on, fact.end_on)}"
        case Designation():
            return f"designated {fact.code} {_days(fact.start_on, fact.end_on)}"
        case Waiver():
            return f"waived {_days(fact.start_on, fact.end_on)}"
        case Extension():
            approved = f"approved {sentences.day(fact.approved_on)}"
            return f"extended until {sentences.day(fact.until_on)}, {approved}"
    return str(fact)


def _completion(completion: Completion) -> str:
    course = completion.course.same_as or completion.course
    return f"{course.title} on {sentences.day(completion.completed_on)}"


def _days(start_on: Any, end_on: Any) -> str:
    return f"from {sentences.day(start_on)}" + (f" through {sentences.day(end_on)}" if end_on else "")


# In words


def answer_in_words(told: Mapping[str, Any] | None) -> str:
    """`overdue, due 2026-01-20, D1, 11 days late`: what a member's line said."""
    if told is None:
        return "not in the report"
    parts = [(told["state"] or "outside the population").replace("_", " ")]
    if told["due_on"]:
        parts.append(f"due {told['due_on']}")
    if told["unit"]:
        parts.append(told["unit"])
    if told["late_days_in_span"]:
        parts.append(f"{sentences.count(told['late_days_in_span'], 'day')} late in the span")
    return ", ".join(parts)


def change_in_words(change: Mapping[str, Any]) -> str:
    """`Voided: CIT refresher on 10 Oct 2025.`"""
    parts = (("Voided", change["voided"]), ("Recorded", change["recorded"]))
    return " ".join(f"{verb}: {'; '.join(facts)}." for verb, facts in parts if facts)


def change_rows(data: Data) -> Iterator[tuple[Any, ...]]:
    """A row for each change of each member, in the order of `CHANGE_COLUMNS`."""
    for member in data["changes"]:
        head = (
            member["employee_id"],
            member["name"],
            answer_in_words(member["before"]),
            answer_in_words(member["after"]),
        )
        for change in member["changes"]:
            by = change["by"] or "command"
            yield (*head, change_in_words(change), change["at"], by, change["via"], change["why"])
        if not member["changes"]:
            yield (*head, UNEXPLAINED, None, "", "", "")
