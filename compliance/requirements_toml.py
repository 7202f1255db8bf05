"""Requirements written as the file that loads them again: what `requirements_file` reads, it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from compliance import engine
from compliance.models import Edition, Goal, Population, Requirement
from compliance.requirements import COURSE_LISTS, PLAIN, POPULATION_LISTS, POPULATION_PLAIN
from compliance.requirements_file import EDITION, GOAL


def export_toml(requirements: QuerySet[Requirement]) -> str:
    """These requirements with their editions, the populations they name and their goals. Seven queries.

    Keys that say what an absent key would are left out.
    """
    found = list(
        requirements.prefetch_related("goals", "editions__population", *(f"editions__{key}" for key in COURSE_LISTS))
    )
    populations = {edition.population.code: edition.population for row in found for edition in row.editions.all()}
    goals = [goal for row in found for goal in row.goals.all()]
    return to_toml(
        {
            "population": [population_table(populations[code]) for code in sorted(populations)],
            "requirement": [
                {**requirement_table(row), "edition": [edition_table(edition) for edition in row.editions.all()]}
                for row in found
            ],
            "goal": [goal_table(goal) for goal in sorted(goals, key=lambda goal: goal.code)],
        }
    )


def population_table(population: Population) -> dict[str, Any]:
    plain = {name: getattr(population, name) for name, default in POPULATION_PLAIN.items()}
    lists = {name: list(getattr(population, name)) for name in POPULATION_LISTS}
    asked = {name: value for name, value in {**lists, **plain}.items() if value}
    return {"code": population.code, "title": population.title, **asked}


def requirement_table(requirement: Requirement) -> dict[str, Any]:
    return {"code": requirement.code, "title": requirement.title, "citations": list(requirement.citations)}


def edition_table(edition: Edition) -> dict[str, Any]:
    """The keys of one edition, in the order of the format. No query when its courses are prefetched."""
    values: dict[str, Any] = {key: getattr(edition, key) for key in PLAIN}
    values |= {key: sorted(course.code for course in getattr(edition, key).all()) for key in COURSE_LISTS}
    defaults: dict[str, Any] = {**PLAIN, **{key: [] for key in COURSE_LISTS}}
    if edition.clock == engine.Clock.CYCLE:
        defaults["first_due"] = engine.FirstDue.WINDOW_END
    given = {key: value for key, value in values.items() if value != defaults[key]}
    given["population"] = edition.population.code
    return {key: given[key] for key in EDITION if key in given}


def goal_table(goal: Goal) -> dict[str, Any]:
    values = {key: getattr(goal, key) for key in GOAL if key != "requirement"}
    values["requirement"] = goal.requirement.code
    return {key: values[key] for key in GOAL if values[key] not in ("", None)}


def to_toml(document: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """A document of arrays of tables, one level of them nested, as the format has it."""
    parts = []
    for name, tables in document.items():
        for table in tables:
            nested = {key: value for key, value in table.items() if _is_tables(value)}
            parts.append(_table(name, {key: value for key, value in table.items() if key not in nested}))
            parts.extend(_table(f"{name}.{key}", inner) for key, value in nested.items() for inner in value)
    return "\n".join(parts)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"[[{name}]]", *(f"{key} = {_value(value)}" for key, value in values.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal() | float():
            return (
                str(int(value))
                if value == int(value)
                else format(value.normalize() if isinstance(value, Decimal) else value, "f")
            )
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(_value(item) for item in value)}]"
    # A basic string of TOML is one of JSON, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
