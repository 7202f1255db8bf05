"""Requirements loaded from files in one transaction, previewed without loading, and the shipped presets."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.db import transaction

from compliance import coverage, engine, standings
from compliance.gather import gather_rules
from compliance.models import Counted, Each, Edition, Goal, Population, Requirement
from compliance.requirements_file import EDITION, File, Refused, Table, adds_up_rolling, read_document
from roster.facts import changing_rules
from roster.models import Designation, Officer, Rank, Shift, Unit
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
        if start == following:
            findings.append(f"{name}, edition {start}: effective_from: stands in the file more than once")
        elif end is not None and end >= following:
            findings.append(f"{name}, edition {start}: effective_to: overlaps the edition from {following}")
        elif end is not None and end + timedelta(days=1) < following:
            findings.append(f"{name}, edition {start}: effective_to: leaves a gap before the edition from {following}")


def load(file: File, *, today: date, progress: standings.Progress | None = None) -> Loaded:
    """Load a file and rebuild everybody's standings, in one transaction that nobody records facts beside.

    `Refused` where the file does not fit what is loaded; nothing is written then.
    """
    with changing_rules():
        loaded = _write(file, today=today)
        standings.rebuild(progress=progress)
        loaded.warnings += _unasked(loaded, today)
    return loaded


def _unasked(loaded: Loaded, today: date) -> list[str]:
    """As `_empty_populations`, by the standings that are stored."""
    stored = coverage.standings_on(today, requirement_ids=loaded.written).values_list("requirement_id", flat=True)
    return _empty_populations(set(stored.distinct()), loaded, today)


def _empty_populations(asked: Collection[int], loaded: Loaded, today: date) -> list[str]:
    """A warning for each population of an edition in force that has nobody in it, once there are members at all.

    `asked` are the requirements that somebody is asked today.
    """
    if not Officer.objects.exists():
        return []
    empty: dict[str, None] = {}
    for requirement in Requirement.objects.filter(pk__in=loaded.written).prefetch_related("editions__population"):
        edition = requirement.edition_on(today)
        if edition is not None and requirement.pk not in asked:
            empty[edition.population.code] = None
    return [f'population "{code}": nobody is in it today, {today}' for code in empty]


def _write(file: File, *, today: date) -> Loaded:
    findings: list[str] = []
    loaded = Loaded()
    for table in file.populations:
        _write_population(table, today, findings, loaded)
    populations = {row.code: row for row in Population.objects.all()}
    courses = {row.code.upper(): row for row in Course.objects.all()}
    known = Requirement.objects.count()
    for table, editions in file.requirements:
        values = table.values
        requirement, made = Requirement.objects.get_or_create(
            code=values["code"], defaults={"title": values.get("title", values["code"]), "order": known + 1}
        )
        known += made
        requirement.title = values.get("title", requirement.title)
        requirement.citations = values.get("citations", requirement.citations)
        requirement.save()
        loaded.requirements += 1
        loaded.written.append(requirement.pk)
        starts: dict[date, date | None] = dict(requirement.editions.values_list("effective_from", "effective_to"))
        starts.update({edition.values["effective_from"]: edition.values.get("effective_to") for edition in editions})
        twice = Counter(edition.values["effective_from"] for edition in editions)
        repeated = [(start, None) for start, times in twice.items() if times > 1]
        _check_sequence(table.name, [*starts.items(), *repeated], findings)
        if not starts:
            loaded.warnings.append(f"{table.name}: edition: has none, so nobody is asked")
        for edition in editions:
            _write_edition(requirement, edition, populations, courses, findings, loaded)
    for table in file.goals:
        _write_goal(table, findings, loaded)
    if findings:
        raise Refused(findings)
    return loaded


def _write_population(table: Table, today: date, findings: list[str], loaded: Loaded) -> None:
    """Make or change a population; one that an edition in force uses keeps its definition (rules 4)."""
    values = table.values
    units = {code.upper() for code in Unit.objects.values_list("code", flat=True)}
    findings.extend(
        f'{table.name}: units: there is no unit "{code}"'
        for code in values.get("units", ())
        if code.upper() not in units
    )
    for key, model in (("ranks", Rank), ("shifts", Shift)):
        words = {
            word.lower() for code, aliases in model.objects.values_list("code", "aliases") for word in (code, *aliases)
        }
        loaded.warnings.extend(
            f'{table.name}: {key}: nobody has held "{code}" yet'
            for code in values.get(key, ())
            if code.lower() not in words
        )
    loaded.warnings.extend(_never_held(f"{table.name}: designations", values.get("designations", ())))
    if values.get("voluntary_only") and not values.get("designations"):
        loaded.warnings.append(f"{table.name}: voluntary_only: asks nothing without designations")
    if values.get("acting_counts") and not values.get("ranks"):
        loaded.warnings.append(f"{table.name}: acting_counts: asks nothing without ranks")
    lists = ("categories", "functions", "units", "ranks", "shifts", "designations")
    others = {"min_service_months": 0, "voluntary_only": False, "acting_counts": False}
    definition: dict[str, Any] = {name: sorted(values.get(name, [])) for name in lists}
    definition |= {name: values.get(name, default) for name, default in others.items()}
    row = Population.objects.filter(code=values["code"]).first()
    if row is None:
        Population.objects.create(title=values.get("title", values["code"]), code=values["code"], **definition)
    else:
        stands: dict[str, Any] = {name: sorted(getattr(row, name)) for name in lists}
        stands |= {name: getattr(row, name) for name in others}
        if stands != definition and row.editions.filter(effective_from__lte=today).exists():
            changed = ", ".join(name for name in definition if definition[name] != stands[name])
            findings.append(
                f"{table.name}: {changed}: an edition in force uses this population; "
                "write a new population and a new edition that names it"
            )
            return
        Population.objects.filter(pk=row.pk).update(title=values.get("title", row.title), **definition)
    loaded.populations += 1


def _never_held(where: str, designations: Iterable[str]) -> list[str]:
    """A warning for each designation that nobody has held: likely written otherwise in the records. One query."""
    wanted = {code.lower(): code for code in designations}
    if not wanted:
        return []
    held = {code.lower() for code in Designation.objects.values_list("code", flat=True).distinct()}
    return [f'{where}: nobody has held "{code}" yet' for key, code in wanted.items() if key not in held]


#: The keys of an edition that are plain columns, with what an absent key means.
PLAIN: dict[str, Any] = {
    column.name: column.get_default()
    for column in Edition._meta.concrete_fields
    if column.name in EDITION and not column.is_relation
}


#: The keys of an edition that list courses.
COURSE_LISTS = ("entry_courses", "refresher_courses", "recert_courses")


def _write_edition(
    requirement: Requirement,
    table: Table,
    populations: Mapping[str, Population],
    courses: Mapping[str, Course],
    findings: list[str],
    loaded: Loaded,
) -> None:
    values = table.values
    population = populations.get(values["population"])
    if population is None:
        findings.append(f'{table.name}: population: there is no population "{values["population"]}"')
        return
    lists: dict[str, list[Course]] = {}
    for key in COURSE_LISTS:
        lists[key] = []
        for code in values.get(key, []):
            course = courses.get(code.upper())
            if course is None:
                findings.append(f'{table.name}: {key}: there is no course "{code}"')
            else:
                lists[key].append(course)
    if any(code.upper() not in courses for key in lists for code in values.get(key, [])):
        return
    if not lists["entry_courses"] and not lists["refresher_courses"]:
        loaded.warnings.append(f"{table.name}: entry_courses: no course counts, so nobody can meet it")
    loaded.warnings.extend(_oddities(table, lists))
    defaults = PLAIN
    if values.get("clock") == engine.Clock.CYCLE:
        defaults = {**PLAIN, "first_due": engine.FirstDue.WINDOW_END.value}
    wanted = {key: values.get(key, default) for key, default in defaults.items()}
    row = requirement.editions.filter(effective_from=values["effective_from"]).first()
    if row is not None and row.reports.exists() and _differs(row, wanted, population, lists):
        findings.append(f"{table.name}: effective_from: an issued report used this edition, so it cannot change")
        return
    row, _ = Edition.objects.update_or_create(
        requirement=requirement,
        effective_from=values["effective_from"],
        defaults={**wanted, "population": population},
    )
    for key in COURSE_LISTS:
        getattr(row, key).set(lists[key])
    loaded.editions += 1


def _oddities(table: Table, lists: Mapping[str, Sequence[Course]]) -> Iterator[str]:
    """What is odd about an edition, though it loads: courses listed that cannot count, keys that ask nothing."""
    values = table.values
    adds_up = bool(values.get("hours"))
    least = {} if adds_up else {"entry_courses": "min_hours", "refresher_courses": "refresher_min_hours"}
    for key in COURSE_LISTS:
        for course in lists[key]:
            for limit in ("min_block_hours", *([least[key]] if key in least else [])):
                if course.hours is not None and course.hours < values.get(limit, 0):
                    yield (
                        f"{table.name}: {key}: {course.code} has {float(course.hours):g} hours, below {limit}; "
                        "it counts only when a longer block is recorded"
                    )
            if values.get("modes") and course.mode not in values["modes"]:
                yield f"{table.name}: {key}: {course.code} is taught as {course.mode}, which modes leaves out"
    yield from (f"{table.name}: {key}: {why}" for key, why in _asks_nothing(values, lists))


def _asks_nothing(values: Mapping[str, Any], lists: Mapping[str, Sequence[Course]]) -> Iterator[tuple[str, str]]:
    """Keys that are given and cannot matter beside the others."""
    clock = values.get("clock", engine.Clock.ONCE)
    if values.get("hours"):
        if values.get("refresher_min_hours"):
            yield "refresher_min_hours", "does not apply beside hours, which adds up what the completions hold"
        if values.get("refresher_min_tenure_months"):
            yield "refresher_min_tenure_months", "does not apply beside hours"
    elif values.get("refresher_min_tenure_months") and not lists["entry_courses"]:
        yield "refresher_min_tenure_months", "asks nothing without entry_courses: tenure runs from the entry credit"
    if lists["recert_courses"] and (clock != engine.Clock.CERTIFICATE or adds_up_rolling(values)):
        yield "recert_courses", "count under a certificate clock only"
    elif lists["recert_courses"] and not values.get("recert_before_days") and not values.get("recert_after_days"):
        yield (
            "recert_courses",
            "count on the last day of the limit only: recert_before_days and recert_after_days are 0",
        )
    entry = set(lists["entry_courses"])
    for course in lists["recert_courses"]:
        if course in entry:
            yield "recert_courses", f"{course.code} is among entry_courses too, and counts as an entry course"
    if values.get("early") == engine.Early.KEEP_ANCHOR:
        if adds_up_rolling(values):
            yield "early", "does not apply to rolling hours"
        elif not values.get("keep_anchor_days"):
            yield "early", "keeps the anchor on the last day of the limit only: keep_anchor_days is 0"
    if values.get("leave") == engine.LeaveRule.TOLL and clock == engine.Clock.CYCLE:
        yield "leave", "moves no date under a cycle, and excuses nobody"


def _differs(
    row: Edition, wanted: Mapping[str, Any], population: Population, lists: Mapping[str, list[Course]]
) -> bool:
    plain = any(getattr(row, key) != value for key, value in wanted.items())
    return (
        plain
        or row.population_id != population.pk
        or any(set(getattr(row, key).all()) != set(courses) for key, courses in lists.items())
    )


def _write_goal(table: Table, findings: list[str], loaded: Loaded) -> None:
    values = table.values
    requirement = Requirement.objects.filter(code=values["requirement"]).first()
    if requirement is None:
        findings.append(f'{table.name}: requirement: there is no requirement "{values["requirement"]}"')
        return
    designation = values.get("designation", "")
    if values.get("counts") == Counted.DESIGNATED:
        loaded.warnings.extend(_never_held(f"{table.name}: designation", [designation]))
    elif designation:
        loaded.warnings.append(f"{table.name}: designation: asks nothing unless counts is designated")
    Goal.objects.update_or_create(
        code=values["code"],
        defaults={
            "title": values.get("title", values["code"]),
            "requirement": requirement,
            "counts": values.get("counts", Counted.CERTIFIED),
            "designation": values.get("designation", ""),
            "target_percent": values["target_percent"],
            "each": values.get("each", Each.NONE),
            "min_count": values.get("min_count", 0),
            "by": values.get("by"),
        },
    )
    loaded.goals += 1


@dataclass(frozen=True, slots=True)
class Flip:
    """A member whose state on the day would change; None is outside the population."""

    officer: int
    requirement: str
    unit: int | None
    before: str | None
    after: str | None


class _Rollback(Exception):
    pass


def preview(file: File, *, today: date) -> tuple[Loaded, list[Flip]]:
    """Who would change state today if the file were loaded. Loads nothing; judges every member once."""
    flips: list[Flip] = []
    loaded = Loaded()
    try:
        with transaction.atomic():
            with changing_rules():
                fields = ("officer_id", "requirement_id", "unit_id", "state")
                before = {
                    (officer, requirement): (unit, state)
                    for officer, requirement, unit, state in coverage.standings_on(today).values_list(*fields)
                }
                loaded = _write(file, today=today)
                after = dict(_states_on(today))
                loaded.warnings += _empty_populations({requirement for _, requirement in after}, loaded, today)
            codes = dict(Requirement.objects.values_list("pk", "code"))
            raise _Rollback
    except _Rollback:
        pass
    for key in sorted(before.keys() | after.keys()):
        old_unit, old = before.get(key, (None, None))
        new_unit, new = after.get(key, (None, None))
        if old != new:
            flips.append(Flip(key[0], codes[key[1]], new_unit if new else old_unit, old, new))
    return loaded, flips


def _states_on(today: date) -> Iterable[tuple[tuple[int, int], tuple[int | None, str]]]:
    rules = gather_rules()
    ids = list(Officer.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), standings.SLICE):
        for row in standings.rows_of(ids[start : start + standings.SLICE], rules):
            if row.holds_on(today):
                yield (row.officer, row.requirement), (row.unit, row.state)


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
            part = _write(read_document(shipped[code].file), today=today)
            loaded.populations += part.populations
            loaded.requirements += part.requirements
            loaded.editions += part.editions
            loaded.goals += part.goals
            loaded.warnings += part.warnings
            loaded.written += part.written
        standings.rebuild(progress=progress)
        loaded.warnings += _unasked(loaded, today)
    return loaded
