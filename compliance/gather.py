"""From the database to the engine's input: a fixed number of queries, whatever the number of members."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from django.db.models import BigIntegerField, BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value

from compliance import engine
from compliance.models import Edition, Extension, Requirement, Waiver
from roster.facts import Fact
from roster.models import Assignment, AssignmentKind, Designation, Employment, Leave, Rank, Shift
from roster.tree import UnitTree
from training.models import Completion, Course, Equivalency, EvidenceDecision, LessonPlan
from training.titles import plan_key

#: The plan of a completion that names a version its course never had, though the course has others.
NEVER_IN_FORCE = engine.LessonPlan(date.max, date.min)


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that facts are judged by: today's requirements, courses and units."""

    #: requirement id -> its editions in order of time
    editions: dict[int, tuple[engine.Edition, ...]]
    #: course id -> the course its completions are of; only courses that some edition lists, itself or by an equivalency
    courses: dict[int, engine.Course]
    #: unit id -> its own function or its nearest parent's
    functions: dict[int, str]
    #: course id -> its lesson plans by version, as versions are compared; courses without any are left out
    lesson_plans: dict[int, dict[str, engine.LessonPlan]]

    def digest(self) -> str:
        """SHA-256 of everything in here: equal for equal rules, in whatever order they were read."""

        def plain(value: object) -> object:
            if isinstance(value, frozenset):
                return sorted(value)
            if is_dataclass(value) and not isinstance(value, type):
                return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
            if isinstance(value, dict):
                return {str(key): plain(item) for key, item in sorted(value.items())}
            return [plain(item) for item in value] if isinstance(value, tuple) else value

        return sha256(json.dumps(plain(self), sort_keys=True, default=str).encode()).hexdigest()

    def for_requirements(self, requirement_ids: Iterable[int]) -> Rules:
        """The same rules for some requirements only, with the courses that these can count."""
        wanted = set(requirement_ids)
        editions = {key: value for key, value in self.editions.items() if key in wanted}
        return replace(self, editions=editions, courses=_counting(editions, self.courses))

    def lesson_plan(self, course: int, version: str) -> engine.LessonPlan | None:
        """When the plan was in force that a completion of this course names; None where none is to be looked at.

        A course without any plan has nothing to hold a version against. One that has plans counts by them alone.
        """
        plans = self.lesson_plans.get(course)
        return plans.get(plan_key(version), NEVER_IN_FORCE) if plans and version else None


def listed_courses(edition: engine.Edition) -> frozenset[int]:
    """The courses that an edition takes for credit of any kind; short recertifications belong to one clock."""
    listed = edition.entry_courses | edition.refresher_courses
    return listed | edition.recert_courses if engine.clock_of(edition) is engine.Clock.CERTIFICATE else listed


def gather_rules(instead: Mapping[int, Sequence[Edition]] | None = None) -> Rules:
    """All editions with the codes of their populations resolved. Twelve queries.

    `instead` are editions by requirement as they would be: the rules are those that hold once they are stored. They
    know their population and courses already, and need not be stored.
    """
    tree = UnitTree()
    courses, lesson_plans = _courses()
    ranks, shifts = _codes(Rank), _codes(Shift)
    standing: dict[int, Sequence[Edition]] = {
        requirement.pk: list(requirement.editions.all())
        for requirement in Requirement.objects.prefetch_related(
            "editions__population", "editions__entry_courses", "editions__refresher_courses", "editions__recert_courses"
        )
    }
    editions: dict[int, tuple[engine.Edition, ...]] = {}
    for key, unordered in {**standing, **(instead or {})}.items():
        rows = sorted(unordered, key=lambda row: row.effective_from)
        editions[key] = tuple(
            _edition(row, following, tree, ranks, shifts) for row, following in zip_longest(rows, rows[1:])
        )
    counting = _counting(editions, courses)
    return Rules(
        editions=editions,
        courses=counting,
        functions={unit: tree.function_of(unit).lower() for unit in tree.units},
        lesson_plans={key: plans for key, plans in lesson_plans.items() if key in counting},
    )


def _counting(
    editions: Mapping[int, tuple[engine.Edition, ...]], courses: Mapping[int, engine.Course]
) -> dict[int, engine.Course]:
    """The courses that some edition lists, itself or by an equivalency."""
    listed = {key for line in editions.values() for edition in line for key in listed_courses(edition)}
    return {
        key: course
        for key, course in courses.items()
        if course.key in listed or any(other.counts_as in listed for other in course.equivalencies)
    }


def _courses() -> tuple[dict[int, engine.Course], dict[int, dict[str, engine.LessonPlan]]]:
    """Every course id with the course its completions are of, and with the lesson plans they can name.

    The course is the one itself, or the one a person mapped its title to. What was said of the title before that -
    equivalencies, lesson plans - still holds for what was recorded under it. Three queries.
    """
    rows = {row.pk: row for row in Course.every.all()}
    stands_for = {key: row.same_as_id or key for key, row in rows.items()}
    counts_as: dict[int, list[engine.Equivalency]] = {}
    for row in Equivalency.objects.order_by("pk"):
        made = engine.Equivalency(stands_for[row.counts_as_id], row.start_on, row.end_on)
        counts_as.setdefault(row.course_id, []).append(made)
    versions: dict[int, dict[str, engine.LessonPlan]] = {}
    for plan in LessonPlan.objects.order_by("pk"):
        of_course = versions.setdefault(plan.course_id, {})
        of_course[plan_key(plan.version)] = engine.LessonPlan(plan.start_on, plan.end_on)

    courses: dict[int, engine.Course] = {}
    lesson_plans: dict[int, dict[str, engine.LessonPlan]] = {}
    for key, itself in stands_for.items():
        taken_as = dict.fromkeys((itself, key))
        course = rows[itself]
        courses[key] = engine.Course(
            key=itself,
            hours=None if course.hours is None else float(course.hours),
            mode=course.mode,
            min_score=float(course.min_score),
            min_attendance=float(course.min_attendance),
            equivalencies=tuple(other for one in taken_as for other in counts_as.get(one, ())),
        )
        plans = {version: plan for one in taken_as for version, plan in versions.get(one, {}).items()}
        if plans:
            lesson_plans[key] = plans
    return courses, lesson_plans


def _codes(model: type[Rank] | type[Shift]) -> dict[str, set[int]]:
    """Code or alias, in lower case -> ids: several when several agencies use the word."""
    found: dict[str, set[int]] = {}
    for row in model.objects.all():
        for word in (row.code, *row.aliases):
            found.setdefault(word.strip().lower(), set()).add(row.pk)
    return found


def _resolved(asked: list[str], codes: dict[str, set[int]]) -> frozenset[int] | None:
    if not asked:
        return None
    return frozenset(key for code in asked for key in codes.get(code.strip().lower(), ()))


def _edition(
    row: Edition, following: Edition | None, tree: UnitTree, ranks: dict[str, set[int]], shifts: dict[str, set[int]]
) -> engine.Edition:
    population = row.population
    units = None
    if population.units:
        units = tree.below(unit.pk for code in population.units for unit in tree.with_code(code))
    ends = row.effective_to
    if ends is None and following is not None:
        ends = date.fromordinal(following.effective_from.toordinal() - 1)
    return engine.Edition(
        key=row.pk,
        effective_from=row.effective_from,
        effective_to=ends,
        population=engine.Population(
            categories=frozenset(population.categories) or None,
            functions=frozenset(word.lower() for word in population.functions) or None,
            units=units,
            ranks=_resolved(population.ranks, ranks),
            shifts=_resolved(population.shifts, shifts),
            min_service_months=population.min_service_months,
            designations=frozenset(code.strip().lower() for code in population.designations) or None,
            voluntary_only=population.voluntary_only,
            acting_counts=population.acting_counts,
        ),
        entry_courses=_keys(row.entry_courses.all()),
        refresher_courses=_keys(row.refresher_courses.all()),
        refresher_stands_alone=row.refresher_stands_alone,
        min_hours=float(row.min_hours),
        refresher_min_hours=float(row.refresher_min_hours),
        min_block_hours=float(row.min_block_hours),
        min_score=float(row.min_score),
        min_attendance=float(row.min_attendance),
        modes=frozenset(row.modes) or None,
        clock=engine.Clock(row.clock),
        months=row.months,
        years=row.years,
        first_due=engine.FirstDue(row.first_due),
        entry_grace_days=row.entry_grace_days,
        entry_due_on=row.entry_due_on,
        leave=engine.LeaveRule(row.leave),
        leave_kinds=frozenset(kind.lower() for kind in row.leave_kinds) or None,
        leave_min_days=row.leave_min_days,
        return_grace_days=row.return_grace_days,
        requirement=row.requirement_id,
        refresher_min_tenure_months=row.refresher_min_tenure_months,
        hours=float(row.hours),
        hours_model=engine.HoursModel(row.hours_model),
        hours_window_months=row.hours_window_months,
        cycle_start=row.cycle_start,
        recert_courses=_keys(row.recert_courses.all()),
        recert_before_days=row.recert_before_days,
        recert_after_days=row.recert_after_days,
        early=engine.Early(row.early),
        keep_anchor_days=row.keep_anchor_days,
        break_months=row.break_months,
    )


def _keys(courses: Iterable[Course]) -> frozenset[int]:
    return frozenset(course.pk for course in courses)


AnyFact = TypeVar("AnyFact", bound=Fact)


def _is_one_of(officer_ids: Collection[int]) -> Func:
    """`officer_id = ANY (array)`: one parameter, where `IN` takes one for every id, a third of the time of gathering.

    Unlike a join with the ids it is answered by an index also where the table has no statistics yet, after an import.
    """
    ids = Value(list(officer_ids))  # no field: it would look at every id of every query once more
    any_of_them = Func(ids, function="ANY", output_field=BigIntegerField())
    return Func(F("officer_id"), any_of_them, template="%(expressions)s", arg_joiner=" = ", output_field=BooleanField())


def known_facts(
    model: type[AnyFact], officer_ids: Collection[int] | OuterRef, known_at: datetime | None
) -> QuerySet[AnyFact]:
    """The facts of one kind of these members (or of an outer query's), as known at that moment (None = now)."""
    if isinstance(officer_ids, OuterRef):
        facts = model.objects.filter(officer=officer_ids)
    else:
        facts = model.objects.filter(_is_one_of(officer_ids))
    if known_at is None:
        return facts.filter(voided_in=None)
    # Two arms, so that each finds its own index: the rows that stand, and the few that were voided since.
    return facts.filter(
        Q(voided_in__isnull=True) | Q(voided_in__isnull=False, voided_in__at__gt=known_at),
        recorded_in__at__lte=known_at,
    )


def gather_members(
    officer_ids: Collection[int], rules: Rules, *, known_at: datetime | None = None, seen_on: date | None = None
) -> dict[int, engine.MemberFacts]:
    """The facts of these members that the rules can ask for. Eight queries; members without facts are there, empty.

    `seen_on` leaves out completions, and extensions approved, after that day.

    Memory grows with the members asked for: callers with a whole department ask in slices.
    """
    employments: dict[int, list[engine.Employment]] = {key: [] for key in officer_ids}
    ids = list(employments)
    assignments: dict[int, list[engine.Assignment]] = {key: [] for key in ids}
    acting: dict[int, list[engine.Assignment]] = {key: [] for key in ids}
    leaves: dict[int, list[engine.Leave]] = {key: [] for key in ids}
    completions: dict[int, list[engine.Completion]] = {key: [] for key in ids}
    designations: dict[int, list[engine.Designation]] = {key: [] for key in ids}
    waivers: dict[int, list[engine.Waiver]] = {key: [] for key in ids}
    extensions: dict[int, list[engine.Extension]] = {key: [] for key in ids}

    for officer, start_on, end_on, category in known_facts(Employment, ids, known_at).values_list(
        "officer_id", "start_on", "end_on", "category"
    ):
        employments[officer].append(engine.Employment(start_on, end_on, category))
    functions = rules.functions
    for officer, kind, start_on, end_on, unit, shift, rank in (
        known_facts(Assignment, ids, known_at)
        .exclude(kind=AssignmentKind.SECONDARY)
        .values_list("officer_id", "kind", "start_on", "end_on", "unit_id", "shift_id", "rank_id")
    ):
        rows = assignments if kind == AssignmentKind.HOME else acting
        rows[officer].append(engine.Assignment(start_on, end_on, unit, functions[unit], shift, rank))
    for officer, start_on, end_on, kind in known_facts(Leave, ids, known_at).values_list(
        "officer_id", "start_on", "end_on", "kind"
    ):
        leaves[officer].append(engine.Leave(start_on, end_on, kind.lower()))
    for officer, start_on, end_on, code, is_voluntary in known_facts(Designation, ids, known_at).values_list(
        "officer_id", "start_on", "end_on", "code", "is_voluntary"
    ):
        designations[officer].append(engine.Designation(start_on, end_on, code.lower(), is_voluntary))
    for officer, requirement, start_on, end_on in known_facts(Waiver, ids, known_at).values_list(
        "officer_id", "requirement_id", "start_on", "end_on"
    ):
        waivers[officer].append(engine.Waiver(requirement, start_on, end_on))
    for officer, requirement, until_on, approved_on in (
        known_facts(Extension, ids, known_at)
        .filter(approved_on__lte=seen_on or date.max)
        .values_list("officer_id", "requirement_id", "until_on", "approved_on")
    ):
        extensions[officer].append(engine.Extension(requirement, until_on, approved_on))
    decided = {
        completion: engine.Evidence(decision)
        for completion, decision in known_facts(EvidenceDecision, ids, known_at).values_list(
            "completion_id", "decision"
        )
    }
    evidences = {word.value: word for word in engine.Evidence}
    courses = rules.courses
    for officer, key, course, completed_on, hours, score, attendance, result, evidence, expires_on, version in (
        known_facts(Completion, ids, known_at)
        .filter(course__in=list(courses), completed_on__lte=seen_on or date.max)
        .values_list(
            "officer_id",
            "id",
            "course_id",
            "completed_on",
            "hours",
            "score",
            "attendance",
            "result",
            "evidence",
            "certificate_expires_on",
            "lesson_plan",
        )
    ):
        completions[officer].append(
            engine.Completion(
                key,
                courses[course],
                completed_on,
                None if hours is None else float(hours),
                None if score is None else float(score),
                None if attendance is None else float(attendance),
                result == "passed",
                decided.get(key) or evidences[evidence],
                expires_on,
                rules.lesson_plan(course, version) if version else None,
            )
        )
    return {
        key: engine.MemberFacts(
            employments[key],
            assignments[key],
            leaves[key],
            completions[key],
            designations[key],
            acting[key],
            waivers[key],
            extensions[key],
        )
        for key in ids
    }


class Waiting(NamedTuple):
    """A completion whose evidence nobody decided about."""

    completion: int
    #: its code
    course: str
    completed_on: date


def pending_evidence(
    officer_ids: Collection[int], rules: Rules, as_of: date, *, known_at: datetime | None = None
) -> dict[tuple[int, int], Waiting]:
    """(officer, requirement) -> the latest completion up to that day that would be looked at once it is verified.

    A flag beside the state, never part of it (rules 7). One query.
    """
    asking: dict[int, set[int]] = {}
    for requirement, editions in rules.editions.items():
        for edition in editions:
            if edition.effective_from <= as_of and (edition.effective_to is None or as_of <= edition.effective_to):
                for course in listed_courses(edition):
                    asking.setdefault(course, set()).add(requirement)
    decided = known_facts(EvidenceDecision, OuterRef("officer"), known_at).filter(completion=OuterRef("pk"))
    pending = known_facts(Completion, officer_ids, known_at).filter(
        ~Exists(decided),
        evidence="pending",
        result="passed",
        completed_on__lte=as_of,
        course__in=list(rules.courses),
    )
    rows = pending.order_by("completed_on", "pk").values_list(
        "officer_id", "course_id", "pk", "course__code", "completed_on"
    )
    return {
        (officer, requirement): Waiting(key, code, completed_on)
        for officer, course, key, code, completed_on in rows
        for taken in taken_as(rules.courses[course], completed_on)
        for requirement in asking.get(taken, ())
    }


def taken_as(course: engine.Course, completed_on: date) -> set[int]:
    """The courses a completion counts as: the one taken, and those it is equivalent to on that day (not chained)."""
    return {course.key} | {
        other.counts_as
        for other in course.equivalencies
        if other.start_on <= completed_on and (other.end_on is None or completed_on <= other.end_on)
    }
