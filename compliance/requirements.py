"""Requirements loaded from files in one transaction, and the shipped presets.

A file is first made a `Proposal`, with the rows as they would be; the same is previewed, or stored.
"""

from __future__ import annotations

import itertools
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.db.models import Max

from compliance import coverage, engine, standings
from compliance.models import Counted, Each, Edition, Goal, Population, Requirement
from compliance.requirements_file import (
    EDITION,
    File,
    Finding,
    Refused,
    Table,
    Term,
    adds_up_rolling,
    read_document,
    setting,
)
from roster.facts import changing_rules
from roster.models import Designation, Leave, Officer, Rank, Shift, Unit
from roster.trail import Act, What, note, note_saved, values_of
from training.models import Course
from training.titles import title_key

PRESETS = Path(__file__).parent / "presets"


@dataclass
class Loaded:
    """What loading did, and what is odd about the file though it loads."""

    populations: int = 0
    requirements: int = 0
    editions: int = 0
    goals: int = 0
    warnings: list[str] = field(default_factory=list)
    #: the ids of the requirements
    written: list[int] = field(default_factory=list)


def _check_sequence(name: str, editions: Iterable[tuple[date, date | None]], findings: list[str]) -> None:
    """Editions follow one another without a gap or an overlap; all but the last may leave out their last day."""
    ordered = sorted(editions)
    for (start, end), (following, _) in pairwise(ordered):
        where = f"{name}, edition {start}"
        if start == following:
            findings.append(Finding.of(where, "effective_from", "stands in the file more than once"))
        elif end is not None and end >= following:
            findings.append(Finding.of(where, "effective_to", f"overlaps the edition from {following}"))
        elif end is not None and end + timedelta(days=1) < following:
            findings.append(Finding.of(where, "effective_to", f"leaves a gap before the edition from {following}"))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An edition that has not begun, taken back; with `to` it begins on that day instead, as the file has it."""

    requirement: str
    start: date
    to: date | None = None


@dataclass
class Proposal:
    """What a file makes of the requirements: checked against what is stored, and not yet stored itself.

    The rows are the models' own, filled in; those that are new have a negative key until `store` gives them theirs.
    Editions know their courses, so they can be restated and judged by as though they were stored.
    """

    populations: list[Population] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    #: those the file holds, changed or not
    editions: list[Edition] = field(default_factory=list)
    #: of these, those that are new or ask something else than what is stored
    altered: list[Edition] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    #: editions that are taken back, and are no more once this is stored
    withdrawn: list[Edition] = field(default_factory=list)
    #: requirement id -> all its editions as they would be, in order of time: only where one of them would differ
    instead: dict[int, list[Edition]] = field(default_factory=dict)
    loaded: Loaded = field(default_factory=Loaded)


def load(file: File, *, today: date, progress: standings.Progress | None = None) -> Loaded:
    """Load a file and rebuild everybody's standings, in one transaction that nobody records facts beside.

    `Refused` where the file does not fit what is loaded; nothing is written then.
    """
    with changing_rules():
        loaded = store(propose(file, today=today))
        standings.rebuild(progress=progress)
        loaded.warnings += _unasked(loaded, today)
    return loaded


def _unasked(loaded: Loaded, today: date) -> list[str]:
    """As `empty_populations`, by the standings that are stored."""
    stored = coverage.standings_on(today, requirement_ids=loaded.written).values_list("requirement_id", flat=True)
    written = Requirement.objects.filter(pk__in=loaded.written).prefetch_related("editions__population")
    return empty_populations(set(stored.distinct()), written, today)


def empty_populations(asked: Collection[int], requirements: Iterable[Requirement], today: date) -> list[str]:
    """A warning for each population of an edition in force that has nobody in it, once there are members at all.

    `asked` are the requirements that somebody is asked today. One query unless editions are prefetched.
    """
    if not Officer.objects.exists():
        return []
    empty: dict[str, None] = {}
    for requirement in requirements:
        edition = requirement.edition_on(today)
        if edition is not None and requirement.pk not in asked:
            empty[edition.population.code] = None
    return [f'population "{code}": nobody is in it today, {today}' for code in empty]


def know_rows(row: Requirement | Edition, related: Mapping[str, Sequence[Any]]) -> None:
    """Let a row that may not be stored yet answer `.all()` by these rows, as a prefetch does."""
    vars(row)["_prefetched_objects_cache"] = {**getattr(row, "_prefetched_objects_cache", {}), **related}


#: Everything that a requirement is restated and judged by.
WHOLE = (
    "editions__population",
    *(f"editions__{key}" for key in ("entry_courses", "refresher_courses", "recert_courses")),
)


def propose(file: File, *, today: date, withdrawal: Withdrawal | None = None) -> Proposal:
    """What loading the file would make of the requirements; `Refused` where it does not fit. Writes nothing.

    With a withdrawal the file names its requirement; it holds the edition when that begins on another day. A fixed
    number of queries for the requirements and the courses, and three for each population of the file.
    """
    findings: list[str] = []
    proposal = Proposal()
    new_keys = itertools.count(-1, -1)
    populations = {row.code: row for row in Population.objects.all()}
    changed: set[str] = set()
    for table in file.populations:
        _propose_population(table, today, populations, changed, next(new_keys), findings, proposal)
    by_key = {row.pk: row for row in populations.values()}
    # a title that a person mapped is the course it was mapped to
    courses = {row.code.upper(): row.same_as or row for row in Course.objects.select_related("same_as")}
    reported = dict(
        Edition.objects.filter(reports__isnull=False).annotate(last=Max("reports__as_of")).values_list("pk", "last")
    )
    requirements = {row.code: row for row in Requirement.objects.prefetch_related(*WHOLE)}
    stands = {row.pk: sorted(row.editions.all(), key=attrgetter("effective_from")) for row in requirements.values()}
    for key, editions in stands.items():
        for edition in editions:
            edition.population = by_key[edition.population_id]
        if any(edition.population.code in changed for edition in editions):
            proposal.instead[key] = editions
    for table, given in file.requirements:
        values = table.values
        requirement = requirements.get(values["code"])
        if requirement is None:
            requirement = Requirement(
                pk=next(new_keys), code=values["code"], title=values["code"], order=len(requirements) + 1
            )
            requirements[requirement.code] = requirement
        requirement.title = values.get("title", requirement.title)
        requirement.citations = values.get("citations", requirement.citations)
        before = {row.effective_from: row for row in stands.get(requirement.pk, ())}
        moved = None
        if withdrawal is not None and withdrawal.requirement == requirement.code:
            findings.extend(_keep_from_withdrawing(table, withdrawal, before, reported, today))
            moved = _withdraw(requirement, withdrawal, before, proposal)
        starts: dict[date, date | None] = {start: row.effective_to for start, row in before.items()}
        starts.update({edition.values["effective_from"]: edition.values.get("effective_to") for edition in given})
        twice = Counter(edition.values["effective_from"] for edition in given)
        repeated = [(start, None) for start, times in twice.items() if times > 1]
        _check_sequence(table.name, [*starts.items(), *repeated], findings)
        if not starts:
            proposal.loaded.warnings.append(f"{table.name}: has no edition, so nobody is asked")
        after = dict(before)
        for edition_table in given:
            start = edition_table.values["effective_from"]
            row = before.get(start)
            proposed = _propose_edition(
                requirement, edition_table, populations, courses, row, next(new_keys), findings, proposal
            )
            if proposed is None:
                continue
            after[start] = proposed
            if row is not None and row.pk in reported and _differs(row, proposed):
                why = "an issued report used this edition, so it cannot change"
                findings.append(Finding.of(edition_table.name, "effective_from", why))
            if row is None or row is moved:
                findings.extend(_cut_short(edition_table, before, reported))
            if row is None or _differs(row, proposed):
                proposal.instead[requirement.pk] = []
                proposal.altered.append(proposed)
        rows = [after[start] for start in sorted(after)]
        know_rows(requirement, {"editions": rows})
        if requirement.pk in proposal.instead:
            proposal.instead[requirement.pk] = rows
        proposal.requirements.append(requirement)
        proposal.loaded.requirements += 1
        proposal.loaded.written.append(requirement.pk)
    for table in file.goals:
        _propose_goal(table, requirements, findings, proposal)
    if findings:
        raise Refused(findings)
    return proposal


def _keep_from_withdrawing(
    table: Table, withdrawal: Withdrawal, before: Mapping[date, Edition], reported: Mapping[int, date], today: date
) -> Iterator[Finding]:
    """Why an edition cannot be taken back or moved: what has decided a day, or stands in a report, stays as it was."""
    row = before.get(withdrawal.start)
    where = f"{table.name}, edition {withdrawal.to or withdrawal.start}"
    if row is None:
        yield Finding.of(where, "effective_from", "there is no edition from this day any more")
    elif row.effective_from <= today:
        yield Finding.of(where, "effective_from", "this edition has begun, so its first day stays")
    elif row.pk in reported:
        yield Finding.of(where, "effective_from", "an issued report used this edition, so it cannot change")
    elif withdrawal.to is not None and withdrawal.to <= today:
        why = f"an edition that has not begun can be moved to a day to come only; today is {today}"
        yield Finding.of(where, "effective_from", why)
    elif withdrawal.to in before and withdrawal.to != withdrawal.start:
        yield Finding.of(where, "effective_from", "there is an edition from this day; choose another day")


def _withdraw(
    requirement: Requirement, withdrawal: Withdrawal, before: dict[date, Edition], proposal: Proposal
) -> Edition | None:
    """Take an edition out of those that stand, or put it on its other day: then it is what is returned."""
    row = before.pop(withdrawal.start, None)
    if row is None:
        return None
    if withdrawal.to is not None:
        return before.setdefault(withdrawal.to, row)
    proposal.withdrawn.append(row)
    proposal.instead[requirement.pk] = []
    last = max((edition.effective_to or date.max for edition in before.values()), default=date.max)
    if last < row.effective_from:
        where = f'requirement "{requirement.code}", edition {row.effective_from}'
        proposal.loaded.warnings.append(Finding.of(where, "effective_from", f"nobody is asked after {last}"))
    return None


def _cut_short(table: Table, before: Mapping[date, Edition], reported: Mapping[int, date]) -> Iterator[Finding]:
    """A new edition may not begin on a day for which an issued report used the edition that it would end."""
    start = table.values["effective_from"]
    earlier = [row for begun, row in before.items() if begun < start]
    ended = max(earlier, key=attrgetter("effective_from"), default=None)
    if ended is not None and reported.get(ended.pk, date.min) >= start:
        last = reported[ended.pk]
        why = f"an issued report, as of {last}, used the edition that this one would end; begin after that day"
        yield Finding.of(table.name, "effective_from", why)


def store(proposal: Proposal) -> Loaded:
    """Write what was proposed; inside `changing_rules`."""
    for population in proposal.populations:
        _save(population, What.POPULATION, population.code)
    for requirement in proposal.requirements:
        _save(requirement, What.REQUIREMENT, requirement.code)
    for edition in proposal.withdrawn:
        note(What.EDITION, Act.REMOVED, _subject(edition), before=_values_of(edition, COURSE_LISTS))
        edition.delete()
    for edition in proposal.editions:
        lists = {key: list(getattr(edition, key).all()) for key in COURSE_LISTS}
        vars(edition).pop("_prefetched_objects_cache")  # what is stored answers from here on
        # What it names has its key by now.
        edition.requirement_id, edition.population_id = edition.requirement.pk, edition.population.pk
        _save(edition, What.EDITION, _subject(edition), lists)
    for goal in proposal.goals:
        goal.requirement_id = goal.requirement.pk
        _save(goal, What.GOAL, goal.code)
    proposal.loaded.written = [requirement.pk for requirement in proposal.requirements]
    return proposal.loaded


def _subject(edition: Edition) -> str:
    """An edition as people know it."""
    return f"{edition.requirement.code} from {edition.effective_from}"


def _save(
    row: Population | Requirement | Edition | Goal,
    what: What,
    subject: str,
    lists: Mapping[str, list[Course]] | None = None,
) -> None:
    """Save a row with the courses it lists, and note in the trail what that changes."""
    before = None
    if row.pk is not None and row.pk < 0:
        row.pk = None
    elif row.pk is not None:
        before = _values_of(type(row)._default_manager.get(pk=row.pk), lists or {})
    row.save()
    for key, listed in (lists or {}).items():
        getattr(row, key).set(listed)
    note_saved(what, subject, before, _values_of(row, lists or {}))


def _values_of(row: Any, lists: Collection[str]) -> dict[str, str]:
    """What a row says, its courses by code."""
    found = values_of(row)
    for key in lists:
        if codes := sorted(course.code for course in getattr(row, key).all()):
            found[key.replace("_", " ")] = ", ".join(codes)
    return found


def _propose_population(
    table: Table,
    today: date,
    populations: dict[str, Population],
    changed: set[str],
    new_key: int,
    findings: list[str],
    proposal: Proposal,
) -> None:
    """Make or change a population; one that an edition in force uses keeps its definition (rules 4)."""
    values = table.values
    units = {code.upper() for code in Unit.objects.values_list("code", flat=True)}
    findings.extend(
        Finding.of(table.name, "units", f'there is no unit "{code}"')
        for code in values.get("units", ())
        if code.upper() not in units
    )
    warnings = proposal.loaded.warnings
    for key, model in (("ranks", Rank), ("shifts", Shift)):
        words = {
            word.lower() for code, aliases in model.objects.values_list("code", "aliases") for word in (code, *aliases)
        }
        warnings.extend(
            Finding.of(table.name, key, f'nobody has held "{code}" yet')
            for code in values.get(key, ())
            if code.lower() not in words
        )
    warnings.extend(_never_held(table.name, "designations", values.get("designations", ())))
    for flag, asked in (("voluntary_only", "designations"), ("acting_counts", "ranks")):
        if values.get(flag) and not values.get(asked):
            warnings.append(Finding.of(table.name, flag, "asks nothing without ", Term(asked)))
    definition: dict[str, Any] = {name: sorted(values.get(name, [])) for name in POPULATION_LISTS}
    definition |= {name: values.get(name, default) for name, default in POPULATION_PLAIN.items()}
    row = populations.get(values["code"])
    if row is None:
        row = Population(pk=new_key, code=values["code"], title=values["code"])
    else:
        stands: dict[str, Any] = {name: sorted(getattr(row, name)) for name in POPULATION_LISTS}
        stands |= {name: getattr(row, name) for name in POPULATION_PLAIN}
        if stands != definition:
            if row.editions.filter(effective_from__lte=today).exists():
                differing = ", ".join(name for name in definition if definition[name] != stands[name])
                why = "an edition in force uses this population; write a new population and a new edition that names it"
                findings.append(Finding.of(table.name, differing, why))
                return
            changed.add(row.code)
    row.title = values.get("title", row.title)
    for name, value in definition.items():
        setattr(row, name, value)
    populations[row.code] = row
    proposal.populations.append(row)
    proposal.loaded.populations += 1


#: What a population asks: the lists of codes, and the rest with what an absent key means.
POPULATION_LISTS = ("categories", "functions", "units", "ranks", "shifts", "designations")
POPULATION_PLAIN: dict[str, Any] = {"min_service_months": 0, "voluntary_only": False, "acting_counts": False}


def _never_held(table: str, key: str, designations: Iterable[str]) -> list[Finding]:
    """A warning for each designation that nobody has held: likely written otherwise in the records. One query."""
    wanted = {code.lower(): code for code in designations}
    if not wanted:
        return []
    held = {code.lower() for code in Designation.objects.values_list("code", flat=True).distinct()}
    never = [code for lower, code in wanted.items() if lower not in held]
    return [Finding.of(table, key, f'nobody has held "{code}" yet') for code in never]


#: The keys of an edition that are plain columns, with what an absent key means.
PLAIN: dict[str, Any] = {
    column.name: column.get_default()
    for column in Edition._meta.concrete_fields
    if column.name in EDITION and not column.is_relation
}


#: The keys of an edition that list courses.
COURSE_LISTS = ("entry_courses", "refresher_courses", "recert_courses")


def _propose_edition(
    requirement: Requirement,
    table: Table,
    populations: Mapping[str, Population],
    courses: Mapping[str, Course],
    row: Edition | None,
    new_key: int,
    findings: list[str],
    proposal: Proposal,
) -> Edition | None:
    """The edition as the file has it; `row` is the one that stands from the same day. None where it cannot be made."""
    values = table.values
    population = populations.get(values["population"])
    if population is None:
        why = f'there is no population "{values["population"]}"'
        findings.append(Finding.of(table.name, "population", why))
        return None
    lists: dict[str, list[Course]] = {}
    missing = []
    for key in COURSE_LISTS:
        found = [courses.get(code.upper()) for code in values.get(key, [])]
        lists[key] = [course for course in found if course is not None]
        missing += [
            Finding.of(table.name, key, f'there is no course "{code}"')
            for code, course in zip(values.get(key, []), found, strict=True)
            if course is None
        ]
    if missing:
        findings.extend(missing)
        return None
    warnings = proposal.loaded.warnings
    if not lists["entry_courses"] and not lists["refresher_courses"]:
        warnings.append(Finding.of(table.name, "entry_courses", "no course counts, so nobody can meet it"))
    elif not any(_can_count(course, key, values) for key in _opening(values, lists) for course in lists[key]):
        warnings.append(Finding.of(table.name, "entry_courses", NONE_COUNTS))
    warnings.extend(_oddities(table, lists))
    defaults = PLAIN
    if values.get("clock") == engine.Clock.CYCLE:
        defaults = {**PLAIN, "first_due": engine.FirstDue.WINDOW_END.value}
    wanted = {key: values.get(key, default) for key, default in defaults.items()}
    edition = Edition(
        pk=new_key if row is None else row.pk,
        requirement=requirement,
        population=population,
        **wanted,
    )
    know_rows(edition, lists)
    proposal.editions.append(edition)
    proposal.loaded.editions += 1
    return edition


NONE_COUNTS = "every course that could open it is excluded below, so nobody can meet it as the catalogue stands"


def _opening(values: Mapping[str, Any], lists: Mapping[str, Sequence[Course]]) -> tuple[str, ...]:
    """The lists of which a first credit can come: refreshers count alone only where no entry course must be first."""
    needs_entry = lists["entry_courses"] and not values.get("refresher_stands_alone") and not values.get("hours")
    return ("entry_courses",) if needs_entry else ("entry_courses", "refresher_courses")


def _can_count(course: Course, key: str, values: Mapping[str, Any]) -> bool:
    """Whether a completion that says nothing of its own hours can count, by the list its course is in."""
    least = values.get("min_block_hours", 0)
    if not values.get("hours"):
        least = max(least, values.get("min_hours" if key == "entry_courses" else "refresher_min_hours", 0))
    is_long_enough = course.hours is None or course.hours >= least
    return is_long_enough and (not values.get("modes") or course.mode in values["modes"])


def _oddities(table: Table, lists: Mapping[str, Sequence[Course]]) -> Iterator[Finding]:
    """What is odd about an edition, though it loads: courses listed that cannot count, keys that ask nothing."""
    values = table.values
    adds_up = bool(values.get("hours"))
    least = {} if adds_up else {"entry_courses": "min_hours", "refresher_courses": "refresher_min_hours"}
    for key in COURSE_LISTS:
        for course in lists[key]:
            for limit in ("min_block_hours", *([least[key]] if key in least else [])):
                if course.hours is not None and course.hours < values.get(limit, 0):
                    has = f"{course.code} has {float(course.hours):g} hours, below "
                    longer = "; it counts only when a longer block is recorded"
                    yield Finding.of(table.name, key, has, Term(limit), longer)
            if values.get("modes") and course.mode not in values["modes"]:
                taught = f"{course.code} is taught as "
                mode, modes = Term("modes", course.mode), Term("modes")
                yield Finding.of(table.name, key, taught, mode, ", which ", modes, " leaves out")
    yield from (Finding.of(table.name, key, *why) for key, *why in _asks_nothing(values, lists))
    yield from _never_taken(table.name, values.get("leave_kinds", ()))


def _never_taken(table: str, kinds: Iterable[str]) -> list[Finding]:
    """A warning for each kind of leave that nobody has had: likely written otherwise in the records. One query."""
    wanted = {kind.lower(): kind for kind in kinds}
    if not wanted:
        return []
    taken = {kind.lower() for kind in Leave.objects.values_list("kind", flat=True).distinct()}
    never = [kind for lower, kind in wanted.items() if lower not in taken]
    return [Finding.of(table, "leave_kinds", f'nobody has had leave of the kind "{kind}" yet') for kind in never]


def _asks_nothing(values: Mapping[str, Any], lists: Mapping[str, Sequence[Course]]) -> Iterator[tuple[Any, ...]]:
    """Keys that are given and cannot matter beside the others: each with why."""
    clock = values.get("clock", engine.Clock.ONCE)
    hours, entry_courses = Term("hours"), Term("entry_courses")
    if values.get("hours"):
        if values.get("refresher_min_hours"):
            yield "refresher_min_hours", "does not apply beside ", hours, ", which adds up what the completions hold"
        if values.get("refresher_min_tenure_months"):
            yield "refresher_min_tenure_months", "does not apply beside ", hours
    elif values.get("refresher_min_tenure_months") and not lists["entry_courses"]:
        why = ": tenure runs from the entry credit"
        yield "refresher_min_tenure_months", "asks nothing without ", entry_courses, why
    if lists["recert_courses"] and (clock != engine.Clock.CERTIFICATE or adds_up_rolling(values)):
        yield "recert_courses", "count under ", setting("clock", engine.Clock.CERTIFICATE), " only"
    elif lists["recert_courses"] and not values.get("recert_before_days") and not values.get("recert_after_days"):
        before, after = Term("recert_before_days"), Term("recert_after_days")
        yield "recert_courses", "count on the last day of the limit only: ", before, " and ", after, " are 0"
    entry = set(lists["entry_courses"])
    for course in lists["recert_courses"]:
        if course in entry:
            yield "recert_courses", f"{course.code} is among ", entry_courses, " too, and counts as an entry course"
    if values.get("early") == engine.Early.KEEP_ANCHOR:
        if adds_up_rolling(values):
            yield "early", "does not apply to rolling hours"
        elif not values.get("keep_anchor_days"):
            yield "early", "keeps the anchor on the last day of the limit only: ", Term("keep_anchor_days"), " is 0"
    if values.get("leave") == engine.LeaveRule.TOLL and clock == engine.Clock.CYCLE:
        yield "leave", Term("leave", engine.LeaveRule.TOLL), " moves no date under a cycle, and excuses nobody"
    first_due = values.get("first_due", engine.FirstDue.GRACE)
    if values.get("entry_grace_days") and (clock == engine.Clock.CYCLE or first_due != engine.FirstDue.GRACE):
        yield "entry_grace_days", "asks nothing: the first deadline is the end of a window or a year"
    if values.get("return_grace_days") and values.get("leave") != engine.LeaveRule.EXCLUDE:
        yield "return_grace_days", "asks nothing without ", setting("leave", engine.LeaveRule.EXCLUDE)


def _differs(row: Edition, proposed: Edition) -> bool:
    return (
        any(getattr(row, key) != getattr(proposed, key) for key in PLAIN)
        or row.population_id != proposed.population_id
        or any(set(getattr(row, key).all()) != set(getattr(proposed, key).all()) for key in COURSE_LISTS)
    )


def _propose_goal(
    table: Table, requirements: Mapping[str, Requirement], findings: list[str], proposal: Proposal
) -> None:
    values = table.values
    requirement = requirements.get(values["requirement"])
    if requirement is None:
        why = f'there is no requirement "{values["requirement"]}"'
        findings.append(Finding.of(table.name, "requirement", why))
        return
    designation = values.get("designation", "")
    if values.get("counts") == Counted.DESIGNATED:
        proposal.loaded.warnings.extend(_never_held(table.name, "designation", [designation]))
    elif designation:
        why = "asks nothing unless counts is designated"
        proposal.loaded.warnings.append(Finding.of(table.name, "designation", why))
    goal = Goal.objects.filter(code=values["code"]).first() or Goal(code=values["code"])
    goal.requirement = requirement
    goal.title = values.get("title", values["code"])
    goal.counts = values.get("counts", Counted.CERTIFIED)
    goal.designation = designation
    goal.target_percent = values["target_percent"]
    goal.each = values.get("each", Each.NONE)
    goal.min_count = values.get("min_count", 0)
    goal.by = values.get("by")
    proposal.goals.append(goal)
    proposal.loaded.goals += 1


@dataclass(frozen=True, slots=True)
class Preset:
    """A shipped file. One that is not `is_on` needs confirming against the agency's own order, as its note says."""

    code: str
    title: str
    note: str
    is_on: bool
    file: Mapping[str, Any]
    #: those of the shipped courses that it names
    courses: Sequence[Mapping[str, Any]]


def presets() -> dict[str, Preset]:
    """Every shipped preset by code."""
    found = {}
    catalogue = tomllib.loads((PRESETS / "courses.toml").read_text(encoding="utf-8"))["course"]
    for path in sorted(PRESETS.glob("*.toml")):
        if path.stem == "courses":
            continue
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        about = content.pop("preset")
        named = {
            course
            for requirement in content["requirement"]
            for edition in requirement["edition"]
            for key in COURSE_LISTS
            for course in edition.get(key, ())
        }
        courses = [course for course in catalogue if course["code"] in named]
        found[path.stem] = Preset(
            path.stem, about["title"], about.get("note", ""), about.get("on", True), content, courses
        )
    return found


def _add_courses(catalogue: Iterable[Mapping[str, Any]]) -> None:
    """Add the shipped courses that the catalogue lacks; one that an agency has is left as it is."""
    for values in catalogue:
        if not Course.objects.filter(code__iexact=values["code"]).exists():
            Course.objects.create(title_key=title_key(values["title"]), **values)


def load_presets(codes: Iterable[str], *, today: date, progress: standings.Progress | None = None) -> Loaded:
    """Load shipped presets by code, with the courses they name where the catalogue has none of that code.

    To name one that is off is to confirm it; its note is among the warnings.
    """
    shipped = presets()
    wanted = list(dict.fromkeys(codes))
    unknown = [code for code in wanted if code not in shipped]
    if unknown:
        raise Refused([f'There is no preset "{code}". Shipped: {", ".join(shipped)}.' for code in unknown])
    loaded = Loaded()
    with changing_rules():
        for code in wanted:
            if not shipped[code].is_on:
                loaded.warnings.append(f'preset "{code}": {shipped[code].note}')
            _add_courses(shipped[code].courses)
            part = store(propose(read_document(shipped[code].file), today=today))
            loaded.populations += part.populations
            loaded.requirements += part.requirements
            loaded.editions += part.editions
            loaded.goals += part.goals
            loaded.warnings += part.warnings
            loaded.written += part.written
        standings.rebuild(progress=progress)
        loaded.warnings += _unasked(loaded, today)
    return loaded
