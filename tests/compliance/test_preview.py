"""A preview of a rule change: the same answer as loading it gives, with nothing written; and the file written back."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import coverage, requirements
from compliance.coverage import Counts
from compliance.models import Edition, Goal, Population, Requirement, Standing
from compliance.preview import Preview, by_unit, changed, preview
from compliance.requirements_file import read
from compliance.requirements_toml import export_toml
from roster.models import Unit
from tests import factories as make

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 21)
LATER = date(2028, 1, 1)

RULE = """
[[population]]
code = "sworn"
categories = ["sworn"]

[[requirement]]
code = "cit"

[[requirement.edition]]
effective_from = 2015-01-01
population = "sworn"
entry_courses = ["CIT-40"]
refresher_courses = ["CIT-REF-8"]
clock = "rolling"
months = 36
entry_grace_days = 90
"""


def proposed(content: str) -> requirements.Proposal:
    return requirements.propose(read(content.encode()), today=TODAY)


def stored(day: date) -> dict[int | None, Counts]:
    """Unit -> members by state, as the stored standings have it."""
    rows = coverage.standings_on(day).values_list("unit_id", "state")
    found: dict[int | None, Counts] = {}
    for (unit, state), number in Counter(rows).items():
        found[unit] = found.get(unit, Counts(unit=unit)) + Counts(**{state: number})
    return found


@pytest.fixture
def members() -> list[Unit]:
    """Twenty-four members of two units with a course or two each, on leave or not, some of them separated recruits."""
    random = Random(5)  # noqa: S311 - made-up data
    units = [make.make_unit(f"P{number}", function="patrol") for number in range(2)]
    entry, refresher = make.make_course("CIT-40"), make.make_course("CIT-REF-8", hours=8, kind="refresher")
    for number in range(24):
        hired_on = date(2014 + number % 10, 1 + number % 12, 1)
        category = "recruit" if number % 8 == 0 else "sworn"
        officer = make.make_officer(unit=units[number % 2], hired_on=hired_on, category=category)
        if number % 5:
            make.complete(officer, entry, hired_on + timedelta(random.randint(1, 900)))
        if number % 3:
            make.complete(officer, refresher, date(2023, 1, 1) + timedelta(random.randint(0, 1000)))
        if number % 6 == 0:
            make.take_leave(officer, date(2026, 3, 1), None if number % 12 else date(2026, 12, 31))
    return units


#: A rule to choose from, key by key, in the words of the file.
CHOICES: dict[str, tuple[str, ...]] = {
    "clock": (
        'clock = "once"',
        'clock = "rolling"\nmonths = 24',
        'clock = "rolling"\nmonths = 36\nearly = "keep_anchor"\nkeep_anchor_days = 90',
        'clock = "calendar"\nyears = 2',
        'clock = "cycle"\nmonths = 36\ncycle_start = 2020-07-01',
        'clock = "certificate"\nmonths = 30\nrecert_after_days = 90',
    ),
    "grace": ("", "entry_grace_days = 400", "entry_due_on = 2026-12-31"),
    "leave": ("", 'leave = "exclude"\nreturn_grace_days = 60', 'leave = "toll"'),
    "counts": ("", "min_block_hours = 10", "refresher_stands_alone = true", 'modes = ["online"]', "hours = 48"),
    "population": ('population = "sworn"', 'population = "recruits"'),
    "from": ("effective_from = 2015-01-01", "effective_from = 2025-06-01", "effective_from = 2027-03-01"),
}


def a_rule(random: Random) -> str:
    keys = "\n".join(random.choice(words) for words in CHOICES.values())
    others = '[[population]]\ncode = "recruits"\ncategories = ["recruit"]\nfunctions = ["patrol"]\n'
    lists = 'entry_courses = ["CIT-40"]\nrefresher_courses = ["CIT-REF-8"]\n'
    return f'{others}[[requirement]]\ncode = "cit"\n[[requirement.edition]]\n{lists}{keys}\n'


@pytest.mark.parametrize("seed", range(12))
def test_a_preview_is_what_loading_then_makes_of_it(members: list[Unit], seed: int) -> None:
    requirements.load(read(RULE.encode()), today=TODAY)
    rule = a_rule(Random(seed))  # noqa: S311 - made-up data
    key = Requirement.objects.get().pk
    before = {day: stored(day) for day in (TODAY, LATER)}
    rows = list(Standing.objects.order_by("pk").values())
    on_day = {day: set(states(day)) for day in (TODAY, LATER)}

    found = preview(proposed(rule), days=[TODAY, LATER])

    assert list(Standing.objects.order_by("pk").values()) == rows
    assert Edition.objects.count() == 1
    requirements.load(read(rule.encode()), today=TODAY)
    for day in (TODAY, LATER):
        moves = found.of(key, day)
        assert by_unit(moves, "before") == before[day]
        assert by_unit(moves, "after") == stored(day)
        assert changed(moves) == len({officer for officer, _ in on_day[day] ^ set(states(day))})


def states(day: date) -> list[tuple[int, str]]:
    return list(coverage.standings_on(day).values_list("officer_id", "state"))


def test_a_new_requirement_makes_everybody_join(members: list[Unit]) -> None:
    found = preview(proposed(RULE), days=[TODAY])

    (key,) = found.readings
    moves = found.of(key, TODAY)
    assert key < 0
    assert {move.before for move in moves} == {None}
    assert changed(moves) == 21
    assert not Requirement.objects.exists()
    assert not Population.objects.exists()


def test_a_population_not_in_force_yet_changes_every_requirement_that_uses_it(members: list[Unit]) -> None:
    later = RULE.replace("2015-01-01", "2027-01-01")
    requirements.load(read(later.encode()), today=TODAY)
    recruits = '[[population]]\ncode = "sworn"\ncategories = ["recruit"]\n'

    found = preview(proposed(recruits), days=[TODAY, LATER])

    key = Requirement.objects.get().pk
    requirements.load(read(recruits.encode()), today=TODAY)
    assert not found.of(key, TODAY)
    assert by_unit(found.of(key, LATER), "after") == stored(LATER)
    assert changed(found.of(key, LATER)) == 24


def test_the_same_rule_again_changes_nobody_and_judges_nobody(members: list[Unit]) -> None:
    requirements.load(read(RULE.encode()), today=TODAY)

    found = preview(proposed(RULE), days=[TODAY])

    assert found == Preview((TODAY,))


def test_every_three_years_is_counted_by_each_reading(members: list[Unit]) -> None:
    requirements.load(read(RULE.replace("months = 36", "months = 12").encode()), today=TODAY)

    found = preview(proposed(RULE), days=[TODAY])

    (key,) = found.readings
    readings = found.readings[key]
    assert [(reading.key, reading.title) for reading in readings] == [
        ("rolling", "36 months from the day"),
        ("calendar", "3 calendar years"),
        ("cycle", "windows of 36 months"),
    ]
    for reading, words in (
        ("calendar", 'clock = "calendar"\nyears = 3'),
        ("cycle", 'clock = "cycle"\nmonths = 36\ncycle_start = 2015-01-01'),
    ):
        rule = RULE.replace('clock = "rolling"\nmonths = 36', words)
        if reading == "cycle":
            rule = rule.replace("entry_grace_days = 90\n", "")
        as_read = preview(proposed(rule), days=[TODAY])
        assert by_unit(found.of(key, TODAY, reading), "after") == by_unit(as_read.of(key, TODAY), "after")


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param('clock = "once"', id="once"),
        pytest.param('clock = "rolling"\nmonths = 18', id="a-year-and-a-half"),
        pytest.param('clock = "certificate"\nmonths = 36', id="certificate"),
        pytest.param('hours = 8\nhours_model = "rolling"\nhours_window_months = 36', id="rolling-hours"),
    ],
)
def test_a_rule_with_one_meaning_has_one_reading(members: list[Unit], clock: str) -> None:
    found = preview(proposed(RULE.replace('clock = "rolling"\nmonths = 36', clock)), days=[TODAY])

    assert found.readings == {}
    assert found.moves


def test_a_preview_takes_as_many_queries_for_few_members_as_for_many(members: list[Unit]) -> None:
    requirements.load(read(RULE.encode()), today=TODAY)
    proposal = proposed(RULE.replace("months = 36", "months = 24"))

    with CaptureQueriesContext(connection) as many:
        preview(proposal, days=[TODAY, LATER])

    # Rules: 12. Members: their ids, then for a slice 1 for what is stored and 8 for the facts, in a savepoint (2).
    # Whether there are members at all: 1.
    assert len(many) == 25


def test_somebody_of_each_move_is_named(members: list[Unit]) -> None:
    requirements.load(read(RULE.encode()), today=TODAY)
    key = Requirement.objects.get().pk

    found = preview(proposed(RULE.replace("months = 36", "months = 6")), days=[TODAY])

    before = dict(states(TODAY))
    named = found.sample[key, TODAY, "current", "overdue"]
    assert 0 < len(named) <= 5
    assert {before[officer] for officer in named} == {"current"}


def rows() -> dict[str, Any]:
    """Everything that a requirements file holds, by its codes."""
    plain = ("id", "requirement_id", "population_id")
    lists = ("entry_courses", "refresher_courses", "recert_courses")
    return {
        "populations": sorted(
            ({k: v for k, v in row.items() if k != "id"} for row in Population.objects.values()), key=str
        ),
        "requirements": sorted(Requirement.objects.values_list("code", "title", "citations", "order")),
        "editions": [
            {
                "requirement": edition.requirement.code,
                "population": edition.population.code,
                **{key: value for key, value in vars(edition).items() if key not in plain and not key.startswith("_")},
                **{key: sorted(course.code for course in getattr(edition, key).all()) for key in lists},
            }
            for edition in Edition.objects.order_by("requirement__code", "effective_from")
        ],
        "goals": sorted(
            (
                {**{k: v for k, v in goal.items() if k not in ("id", "requirement_id")}}
                for goal in Goal.objects.values()
            ),
            key=str,
        ),
    }


def forget_requirements() -> None:
    lists = [getattr(Edition, field.name).through for field in Edition._meta.many_to_many]
    with connection.cursor() as cursor:
        for model in (Goal, *lists, Edition, Requirement, Population):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - the names of our own tables


@pytest.mark.parametrize("preset", requirements.presets())
def test_what_is_exported_loads_again_to_the_same_rows(preset: str) -> None:
    requirements.load_presets([preset], today=TODAY)
    before = rows()
    content = export_toml(Requirement.objects.all())
    forget_requirements()

    requirements.load(read(content.encode()), today=TODAY)

    assert before["editions"]
    assert rows() == before
    assert export_toml(Requirement.objects.all()) == content


@pytest.mark.parametrize(
    "title",
    [
        pytest.param('Says "every" \\ third year', id="quotes"),
        pytest.param("Línea 1, 2 \u2028 \u00a0", id="odd-spaces"),
        pytest.param("'''", id="apostrophes"),
    ],
)
def test_any_title_is_written_so_that_it_reads_the_same(title: str) -> None:
    requirement = make.make_requirement("cit", entry=(make.make_course("CIT-40"),))
    Requirement.objects.filter(pk=requirement.pk).update(title=title, citations=[title])

    (table, _), *_ = read(export_toml(Requirement.objects.all()).encode()).requirements

    assert (table.values["title"], table.values["citations"]) == (title.strip(), [title.strip()])


def test_one_requirement_is_exported_with_what_it_needs_and_no_more() -> None:
    course = make.make_course("CIT-40")
    one, other = make.make_requirement("one", entry=(course,)), make.make_requirement("two", entry=(course,))
    make.make_goal(one, code="first")
    make.make_goal(other, code="second")

    file = read(export_toml(Requirement.objects.filter(code="one")).encode())

    assert [table.values["code"] for table in file.populations] == ["one-population"]
    assert [table.values["code"] for table, _ in file.requirements] == ["one"]
    assert [table.values["code"] for table in file.goals] == ["first"]
    assert file.requirements[0][1][0].values == {
        "effective_from": date(2015, 1, 1),
        "population": "one-population",
        "entry_courses": ["CIT-40"],
        "clock": "rolling",
        "months": 36,
        "entry_grace_days": 180,
    }
