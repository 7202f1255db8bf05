"""Officers: the list, and one member's page with the lifeline and the reason for every date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance import coverage, grants, known, lateness, lifeline, reasons, record_history, sentences, standings
from compliance.asking import Asked, arrange, ask, export_rows, in_one_transaction
from compliance.coming import coming
from compliance.filters import HistoryForm, OfficerForm, all_requirements, checked, chosen_requirement, chosen_unit
from compliance.gather import Rules, gather_rules, known_facts, pending_evidence
from compliance.models import Edition, Explanation, Extension, Requirement, Waiver
from compliance.tables import HistoryTable, OfficerTable
from compliance.templatetags.shown import duration
from roster.access import Right, ViewerRequest, requires
from roster.models import Assignment, AssignmentKind, Designation, Employment, Leave, Officer, Shift, Unit, open_on
from training.models import Completion, EvidenceDecision

YEARS_AHEAD = 3
#: Completions looked at for all periods together that a page explains at once: more take longer than a page may.
MOST_EXPLAINED = 5000


@requires(Right.READ_MEMBERS)
@require_safe
@in_one_transaction
def officer_list(request: ViewerRequest) -> HttpResponseBase:
    """The members within reach, with search and filters; at most eight queries at any size."""
    viewer = request.viewer
    asked = ask(request, today=viewer.today)
    known.be_ready(asked.known_at, asked.as_of)
    requirements = all_requirements()
    form = checked(OfficerForm(request.GET or None, requirements=requirements))
    requirement = chosen_requirement(request, requirements)
    officers = _filtered(request, viewer.officers(), asked, form.cleaned_data, requirement)
    table = OfficerTable(
        officers,
        asked=asked,
        viewer=viewer,
        empty_text="No member fits these filters. Take one away, or hire or import members first.",
    )
    table.caption = f"Members on {sentences.day(asked.as_of)}"
    file = arrange(request, table, "officers")
    context = {
        "asked": asked,
        "population": "everybody tracked" if form.cleaned_data.get("serving") == "all" else "employed on the day",
        "counts": "requirements each member is behind on",
        "form": form,
        "table": table,
    }
    return file or render(request, "officers/list.html", context)


def _filtered(
    request: ViewerRequest,
    officers: QuerySet[Officer],
    asked: Asked,
    values: dict[str, Any],
    requirement: Requirement | None,
) -> QuerySet[Officer]:
    day = asked.as_of
    if values.get("q"):
        officers = officers.search(values["q"])  # type: ignore[attr-defined] # its own queryset
    employed = known_facts_of(Employment, asked).filter(open_on(day), start_on__lte=day)
    if values.get("category"):
        employed = employed.filter(category=values["category"])
    if values.get("serving") != "all" or values.get("category"):
        officers = officers.filter(Exists(employed))
    home = known_facts_of(Assignment, asked).filter(open_on(day), kind=AssignmentKind.HOME, start_on__lte=day)
    unit = chosen_unit(request)
    if unit is not None:
        officers = officers.filter(Exists(home.filter(unit__in=request.viewer.tree.below([unit.pk]))))
    for name in ("shift", "rank"):
        if values.get(name):
            officers = officers.filter(Exists(home.filter(**{f"{name}__code": values[name]})))
    rows = coverage.standings_on(
        day, known_at=asked.known_at, requirement_ids=[requirement.pk] if requirement else None
    ).filter(officer=OuterRef("pk"))
    if values.get("state"):
        officers = officers.filter(Exists(rows.filter(state=values["state"])))
    per_officer = rows.order_by().values("officer")

    def number(state: str) -> Coalesce:
        counted = per_officer.filter(state=state).annotate(count=Count("pk")).values("count")
        return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

    return officers.annotate(
        unit_name=Subquery(home.values("unit__name")[:1]),
        shift_code=Subquery(home.values("shift__code")[:1]),
        rank_code=Subquery(home.values("rank__code")[:1]),
        overdue_count=number("overdue"),
        in_grace_count=number("in_grace"),
        next_due_on=Subquery(per_officer.filter(due_on__gte=day).annotate(due=Min("due_on")).values("due")),
    )


def known_facts_of(model: Any, asked: Asked) -> Any:
    """The facts of each member of an outer query, as known at the moment asked about."""
    return known_facts(model, OuterRef("pk"), asked.known_at)


@requires()
@require_safe
def officer_detail(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """One member, for those within whose reach they are."""
    return show_officer(request, request.viewer.officer(employee_id, request.GET.get("agency", "")))


def show_officer(request: ViewerRequest, officer: Officer) -> HttpResponseBase:
    """The page of one member, or every period with its reasons as a file. A fixed number of queries."""
    asked = ask(request, today=request.viewer.today)
    if request.GET.get("export"):
        return _timeline_file(request, officer, gather_record(officer, asked, explains_all=True))
    record = gather_record(officer, asked, explained=request.GET.get("requirement", ""))
    may_record = request.viewer.may(Right.RECORD)
    granted = grants.granted_to(officer, asked.known_at)
    context = {
        "asked": asked,
        "population": "of each requirement",
        "counts": "this member",
        "officer": officer,
        "record": record,
        "picture": record.picture(asked, granted),
        "picture_title": f"Lifeline of {officer.full_name}: assignments, leave, what was granted, classes, standings.",
        "may_record": may_record,
        "may_grant": request.viewer.may(Right.GRANT),
        "granted": granted,
        **_late(officer, record, asked),
        "is_own": officer.pk in request.viewer.own,
        "coming": coming(officer, request.viewer),
    }
    return render(request, "officers/detail.html", context)


def _timeline_file(request: ViewerRequest, officer: Officer, record: Record) -> HttpResponseBase:
    """Every period with its reasons; of the requirement that the address names, when it names one."""
    chosen = chosen_requirement(request, {line.requirement.code: line.requirement for line in record.lines})
    lines = [line for line in record.lines if chosen in (None, line.requirement)]
    name = f"timeline-{officer.employee_id}" + (f"-{chosen.code}" if chosen else "")
    return export_rows(request, explained_rows(lines), name)


def explained_rows(lines: Sequence[RequirementLine]) -> list[list[Any]]:
    """Every period of every requirement with its reasons, in order of time, below a header."""
    header = ["Requirement", "From", "To", "State", "Due", "Place", "Because"]
    rows: list[list[Any]] = [[*header, "Rule", "Counted", "Not counted", "Dates", "What would change it"]]
    for line in lines:
        for why in line.periods:
            row = why.row
            told = list(why.account.as_cells().values()) if why.account else []
            place = [
                line.requirement.title,
                row.start_on,
                row.end_on,
                row.state.replace("_", " "),
                row.due_on,
                why.place,
            ]
            rows.append([*place, why.because, *told])
    return rows


@dataclass
class Late:
    """A run of overdue days, with what was said to explain it."""

    title: str
    spell: lateness.Spell
    said: list[Explanation]

    @property
    def period(self) -> str:
        """As the form to explain it names it."""
        return f"{self.spell.requirement}-{self.spell.start_on}"


def _late(officer: Officer, record: Record, asked: Asked) -> dict[str, Any]:
    """Every run of overdue days that began by the day asked, newest first, and what was said of days that are none.

    A day that was explained can be overdue no more: a course was recorded since, or a rule changed. What was said stays
    to be read. One query.
    """
    said = lateness.explanations_of([officer.pk], asked.known_at).get(officer.pk, [])
    found = [
        Late(line.requirement.title, spell, lateness.said_of(spell, said))
        for line in record.lines
        for spell in lateness.spells_of([why.row for why in line.periods], asked.as_of)
    ]
    placed = {row.pk for late in found for row in late.said}
    return {
        "late": sorted(found, key=lambda late: late.spell.start_on, reverse=True),
        "late_no_more": [row for row in said if row.pk not in placed and row.late_from <= asked.as_of],
    }


@dataclass
class Why:
    """One standing as the page prints it."""

    row: standings.Row
    place: str
    because: str
    #: None where the facts changed while the page was made
    account: reasons.Account | None


@dataclass
class RequirementLine:
    """One requirement for one member: all periods, and the one that holds on the day."""

    requirement: Requirement
    periods: list[Why]
    now: Why | None
    since: date | None
    has_pending: bool
    edition: Edition | None
    overdue_days: int
    #: with the reasons of every period, not only of the one that holds on the day
    is_explained: bool = True

    @property
    def rules(self) -> list[reasons.Rule]:
        """Each rule that decides a period, the newest first."""
        accounts = [why.account for why in self.periods if why.account]
        return list(dict.fromkeys(rule for account in accounts for rule in account.rules))[::-1]

    @property
    def no_date(self) -> str:
        """What stands where a due date would."""
        if self.now is None or self.edition is None or self.now.row.state != "current":
            return "–"
        return "none while on leave" if sentences.waits_for_leave(self.edition) else "for good"

    @property
    def late_words(self) -> str:
        return f"overdue {duration(self.overdue_days)}"


@dataclass
class Record:
    """Everything the page of one member shows, as known at the moment asked about."""

    officer: Officer
    employments: list[Employment]
    assignments: list[Assignment]
    leaves: list[Leave]
    completions: list[Completion]
    history: list[dict[str, Any]]
    lines: list[RequirementLine]
    #: courses that some requirement lists
    listed: frozenset[int]
    #: the day asked about
    day: date

    @property
    def home(self) -> Assignment | None:
        """The home assignment on the day asked about."""
        return next((row for row in self.assignments if row.kind == AssignmentKind.HOME and self._covers(row)), None)

    @property
    def employment(self) -> Employment | None:
        """The employment on the day asked about, else the latest."""
        return next((row for row in self.employments if self._covers(row)), next(iter(self.employments), None))

    def _covers(self, row: Assignment | Employment) -> bool:
        return row.start_on <= self.day and (row.end_on is None or self.day <= row.end_on)

    @property
    def has_periods(self) -> bool:
        return any(line.periods for line in self.lines)

    def picture(self, asked: Asked, granted: grants.Granted) -> lifeline.Picture:
        """The lifeline, from the year they were hired to three years ahead."""
        starts = [row.start_on for row in self.employments] + [row.completed_on for row in self.completions]
        first = date(max(min([*starts, asked.as_of]).year, asked.as_of.year - 40), 1, 1)
        last = date(min(asked.as_of.year + YEARS_AHEAD, 9999), 12, 31)
        lanes = [
            lifeline.Lane("Assignment", [_assignment_span(row) for row in self.assignments if row.kind == "home"]),
            lifeline.Lane("Leave", [_leave_span(row) for row in self.leaves]),
        ]
        if granted.waivers:
            lanes.append(lifeline.Lane("Waivers", [_waiver_span(row) for row in granted.waivers]))
        if granted.extensions:
            lanes.append(lifeline.Lane("Extensions", [_extension_span(row) for row in granted.extensions]))
        taken = [self._class_point(row) for row in self.completions if row.result == "passed"]
        lanes.append(lifeline.Lane("Classes", points=taken))
        lanes += [lifeline.Lane(line.requirement.title, _merged(line.periods)) for line in self.lines if line.periods]
        return lifeline.draw(lanes, first=first, last=last, today=asked.as_of)

    def _class_point(self, row: Completion) -> lifeline.Point:
        course = row.course.same_as or row.course
        title = f"{course.title} on {sentences.day(row.completed_on)}"
        return lifeline.Point(row.completed_on, course.code, title, row.course_id in self.listed)


def _assignment_span(row: Assignment) -> lifeline.Span:
    label = f"{row.unit.name} · {row.shift.code}" if row.shift else row.unit.name
    return lifeline.Span(
        row.start_on,
        row.end_on,
        "assignment",
        (label, row.unit.name, row.unit.code),
        f"{label}, {lifeline.period(row.start_on, row.end_on)}",
    )


def _leave_span(row: Leave) -> lifeline.Span:
    text = f"{row.kind} leave, {lifeline.period(row.start_on, row.end_on)}"
    return lifeline.Span(row.start_on, row.end_on, "excused", (f"{row.kind} leave", row.kind), text)


def _waiver_span(row: Waiver) -> lifeline.Span:
    title = row.requirement.title
    text = f"Waiver of {title}, {lifeline.period(row.start_on, row.end_on)}"
    return lifeline.Span(row.start_on, row.end_on, "waiver", (f"waiver of {title}", title, "waiver"), text)


def _extension_span(row: Extension) -> lifeline.Span:
    """From the day it was approved through the new last day."""
    title, until = row.requirement.title, sentences.day(row.until_on)
    text = f"Extension of {title} until {until}, approved on {sentences.day(row.approved_on)}"
    return lifeline.Span(
        row.approved_on, row.until_on, "extension", (f"{title}, until {until}", f"until {until}"), text
    )


def _merged(periods: Sequence[Why]) -> list[lifeline.Span]:
    """Periods of one state that touch are one bar, whatever unit the member was in."""
    spans: list[lifeline.Span] = []
    for why in periods:
        row = why.row
        state = row.state.replace("_", " ")
        if spans and spans[-1].kind == row.state and spans[-1].end_on == row.start_on - timedelta(days=1):
            start = spans.pop().start_on
        else:
            start = row.start_on
        labels: tuple[str, ...] = (state,)
        if row.state == "overdue":
            labels = (f"overdue since {sentences.day(start)}", state)
        elif row.due_on:
            labels = (f"{state}, due {sentences.day(row.due_on)}", state)
        title = f"{labels[0]}, {lifeline.period(start, row.end_on)}"
        spans.append(lifeline.Span(start, row.end_on, row.state, labels, title))
    return spans


def gather_record(officer: Officer, asked: Asked, *, explained: str = "", explains_all: bool = False) -> Record:
    """Gather what is known of one member. About fifteen queries.

    The periods of a very long record are explained for the requirement of the code `explained` only, unless all are.
    """
    ids, known_at, rules = [officer.pk], asked.known_at, gather_rules()
    assignments = list(
        known_facts(Assignment, ids, known_at).select_related("unit", "shift", "rank").order_by("-start_on", "-pk")
    )
    completions = list(
        known_facts(Completion, ids, known_at)
        .select_related("course__same_as", "recorded_in__by")
        .order_by("-completed_on", "-pk")
    )
    decided = {row.completion_id: row for row in known_facts(EvidenceDecision, ids, known_at)}
    for completion in completions:
        decision = decided.get(completion.pk)
        completion.shown_evidence = decision.decision if decision else completion.evidence  # type: ignore[attr-defined] # for the template
    return Record(
        officer,
        employments=list(known_facts(Employment, ids, known_at).order_by("-start_on")),
        assignments=assignments,
        leaves=list(known_facts(Leave, ids, known_at).order_by("-start_on")),
        completions=completions,
        history=_history(officer, known_at),
        lines=_lines(officer, asked, rules, explained, None if explains_all else MOST_EXPLAINED),
        listed=frozenset(rules.courses),
        day=asked.as_of,
    )


def _lines(
    officer: Officer, asked: Asked, rules: Rules, explained: str, most_explained: int | None
) -> list[RequirementLine]:
    found = standings.lines([officer.pk], rules, known_at=asked.known_at)
    editions, bases = sentences.explanations(
        (row.edition for rows in found.values() for row in rows), (row.basis for rows in found.values() for row in rows)
    )
    pending = pending_evidence([officer.pk], rules, asked.as_of, known_at=asked.known_at)
    member = reasons.gather_member(officer.pk, rules, known_at=asked.known_at)
    units = {key: unit.name for key, unit in _units(found).items()}
    shifts: dict[int | None, str] = dict(Shift.every.values_list("pk", "code"))
    looked_at = sum(map(len, found.values())) * len(member.completions)
    explains_all = most_explained is None or looked_at <= most_explained
    lines = []
    for requirement in Requirement.objects.all():
        rows = found.get((officer.pk, requirement.pk), [])
        is_explained = explains_all or requirement.code == explained
        whys = [
            Why(
                row,
                " · ".join(filter(None, (units.get(row.unit), shifts.get(row.shift)))),
                because,
                member.account(requirement.pk, row, asked.as_of) if is_explained or row.holds_on(asked.as_of) else None,
            )
            for row, because in sentences.told(rows, editions, bases)
        ]
        answer = standings.on_day(rows, asked.as_of)
        row, since = answer or (None, None)
        late = (asked.as_of - row.due_on).days if row and row.state == "overdue" and row.due_on else 0
        lines.append(
            RequirementLine(
                requirement,
                whys,
                next((why for why in whys if why.row.holds_on(asked.as_of)), None),
                since,
                (officer.pk, requirement.pk) in pending,
                editions[row.edition] if row else None,
                late,
                is_explained,
            )
        )
    return lines


def _units(found: dict[tuple[int, int], list[standings.Row]]) -> dict[int | None, Any]:
    ids = {row.unit for rows in found.values() for row in rows if row.unit}
    return dict(Unit.every.in_bulk(ids))


def _history(officer: Officer, known_at: datetime | None) -> list[dict[str, Any]]:
    """Every fact ended, corrected or voided by then, newest first, with who, when and why. One query per kind."""
    by_then = {} if known_at is None else {"voided_in__at__lte": known_at}
    found = []
    for model in (Employment, Assignment, Leave, Designation, Waiver, Extension, Completion):
        voided = (
            model.objects.filter(officer=officer, voided_in__isnull=False, **by_then)
            .select_related("voided_in__by", "recorded_in__by")
            .prefetch_related("replaced_by")
        )
        if model is Completion:
            voided = voided.select_related("course")
        elif model is Assignment:
            voided = voided.select_related("unit")
        elif model in (Waiver, Extension):
            voided = voided.select_related("requirement")
        for fact in voided:
            act = record_history.act_of(fact, next(iter(fact.replaced_by.all()), None))
            change = fact.voided_in
            what = record_history.named(fact)
            found.append({"what": what, "act": act, "at": change.at, "by": change.by, "why": change.why})
    return sorted(found, key=lambda line: line["at"], reverse=True)


@requires(Right.READ_MEMBERS)
@require_safe
def officer_history(request: ViewerRequest, employee_id: str) -> HttpResponseBase:
    """Every line of a member's record: who wrote what, when, by which door and why."""
    officer = request.viewer.officer(employee_id, request.GET.get("agency", ""))
    asked = ask(request, today=request.viewer.today)
    form = checked(HistoryForm(request.GET or None))
    lines = record_history.lines(officer, known_at=asked.known_at)
    kind, act = form.cleaned_data.get("kind"), form.cleaned_data.get("act")
    shown = [line for line in lines if (not kind or line.kind == kind) and (not act or line.act == act)]
    table = HistoryTable(shown, empty_text="No line fits these filters.")
    file = arrange(request, table, f"history-{officer.employee_id}")
    context = {"officer": officer, "table": table, "form": form, "total": len(lines)}
    return file or render(request, "officers/history.html", context)
