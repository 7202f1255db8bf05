"""Every question asked of standings: counts by unit, shift and rank, who is behind, what falls due.

All of them start from `standings_on`: the rows that hold on one day, as known at one moment. Known now they are the
stored rows. Known at an earlier moment the members touched since are judged by the engine again, and the answer is
put into a temporary table with the same columns, so that every question stays one query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Case, Count, Q, QuerySet, Value, When

from compliance import engine, known
from compliance.gather import gather_rules
from compliance.models import KnownStanding, Standing
from compliance.standings import COLUMNS, SLICE, copy_rows, rows_of, touched_since
from compliance.working import Place
from roster.access import Viewer
from roster.models import Officer, open_on
from roster.tree import UnitTree

#: What counts can be grouped by, and the column of each.
GROUPS: dict[str, tuple[str, ...]] = {
    "none": (),
    "unit": ("unit",),
    "shift": ("shift",),
    "unit_shift": ("unit", "shift"),
    "rank": ("rank",),
    "unit_shift_rank": ("unit", "shift", "rank"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar: a state, and where it lies from 0 to 100."""

    state: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Members of one group by state on a day. `ever`: with any counting credit up to that day, in any state."""

    unit: int | None = None
    shift: int | None = None
    rank: int | None = None
    current: int = 0
    in_grace: int = 0
    overdue: int = 0
    excused: int = 0
    ever: int = 0
    #: of `ever`, those who are counted: not the excused
    ever_counted: int = 0

    @property
    def counted(self) -> int:
        """The denominator: excused members are listed apart (rules 7)."""
        return self.current + self.in_grace + self.overdue

    @property
    def percent(self) -> str:
        return percent(self.current, self.counted)

    @property
    def pieces(self) -> list[Piece]:
        """The shares as pieces of a bar 100 wide."""
        found, x = [], 0.0
        for state in ("current", "in_grace", "overdue"):
            number = getattr(self, state)
            if number:
                width = round(100 * number / self.counted, 2)
                found.append(Piece(state, round(x, 2), width))
                x += width
        return found

    def __add__(self, other: Counts) -> Counts:
        """The two groups together, named as the first."""
        return Counts(
            self.unit,
            self.shift,
            self.rank,
            current=self.current + other.current,
            in_grace=self.in_grace + other.in_grace,
            overdue=self.overdue + other.overdue,
            excused=self.excused + other.excused,
            ever=self.ever + other.ever,
            ever_counted=self.ever_counted + other.ever_counted,
        )


def percent(have: int, counted: int) -> str:
    """A share truncated to one decimal, `29.8`; `n/a` for nobody (rules 7: 183 of 613 is 29.8, never 30)."""
    if counted == 0:
        return "n/a"
    tenths = have * 1000 // counted
    return f"{tenths // 10}.{tenths % 10}"


Standings = QuerySet[Standing] | QuerySet[KnownStanding]


def standings_on(
    as_of: date, *, known_at: datetime | None = None, requirement_ids: Collection[int] | None = None
) -> Standings:
    """The standings that hold on a day (of some requirements), with the fields of `Standing`.

    Known now: an indexed query. Known earlier: a few queries, and the engine for every member touched since unless a
    job has worked the answer out (see `known`); needs a transaction, since the temporary table lasts as long as it.
    """
    if known_at is None:
        rows = Standing.objects.filter(open_on(as_of), start_on__lte=as_of)
        return rows if requirement_ids is None else rows.filter(requirement__in=requirement_ids)
    rules = gather_rules()
    asked = rules if requirement_ids is None else rules.for_requirements(requirement_ids)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS known_standing")
        cursor.execute(
            "CREATE TEMPORARY TABLE known_standing (LIKE compliance_standing INCLUDING IDENTITY) ON COMMIT DROP"
        )
        cursor.execute(
            f"INSERT INTO known_standing ({COLUMNS}) SELECT {COLUMNS} FROM compliance_standing"  # noqa: S608 - constants
            " WHERE start_on <= %(day)s AND (end_on IS NULL OR end_on >= %(day)s)"
            " AND requirement_id = ANY(%(requirements)s)",
            {"day": as_of, "requirements": list(asked.editions)},
        )
        # Asked after the rows were read: whoever is recorded in between is then among the touched.
        touched = sorted(touched_since(known_at))
        cursor.execute("DELETE FROM known_standing WHERE officer_id = ANY(%s)", [touched])
    answer = known.find_answer(as_of, known_at, rules) if len(touched) > known.MOST_AT_ONCE else None
    if answer is not None:
        known.put_into("known_standing", answer, asked.editions)
        touched = sorted(known.missed_by(answer))
        KnownStanding.objects.filter(officer__in=touched).delete()
    for start in range(0, len(touched), SLICE):
        # Gathered first: a COPY holds the connection, so the rows cannot be read while it runs.
        judged = [
            row for row in rows_of(touched[start : start + SLICE], asked, known_at=known_at) if row.holds_on(as_of)
        ]
        copy_rows(judged, "known_standing")
    return KnownStanding.objects.all()


def _grouped(rows: Standings, columns: Sequence[str]) -> Any:
    """The columns with state and credit, and how many members have them."""
    return rows.order_by().values_list(*columns, "state", "has_credit").annotate(number=Count("*"))


def _tally(grouped: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], dict[str, int]]:
    """Values of the columns -> members by state, with `ever` and `ever_counted`. One query.

    The database counts members by state and credit, which the index answers alone, and the rest is added up here: a
    filtered count for each figure would make it read every row of a group seven times.
    """
    found: dict[tuple[Any, ...], dict[str, int]] = {}
    for *key, state, has_credit, number in grouped:
        figures = found.setdefault(tuple(key), {})
        figures[state] = figures.get(state, 0) + number
        if has_credit:
            figures["ever"] = figures.get("ever", 0) + number
            if state != engine.State.EXCUSED:
                figures["ever_counted"] = figures.get("ever_counted", 0) + number
    return found


def counts(rows: Standings, by: str = "unit", columns: Mapping[str, str] | None = None) -> list[Counts]:
    """Members by state in each group of `GROUPS[by]`. One query; a row for each group that has members.

    Ungrouped there is always one row. `columns` names the columns of groups that are not those of the home assignment.
    """
    groups = GROUPS[by]
    found = _tally(_grouped(rows, [(columns or {}).get(group, f"{group}_id") for group in groups]))
    if not groups:
        return [Counts(**found.get((), {}))]
    return [Counts(**dict(zip(groups, key, strict=True)), **figures) for key, figures in found.items()]


#: (requirement, unit) -> the unit's own members by state.
ByRequirement = dict[tuple[int, int | None], Counts]


def counts_by_requirement(rows: Standings) -> ByRequirement:
    """(requirement, unit) -> that unit's own members by state: the overview's one query."""
    found = _tally(_grouped(rows, ["requirement_id", "unit_id"]))
    return {(requirement, unit): Counts(unit=unit, **figures) for (requirement, unit), figures in found.items()}


def counts_by_place(
    stood: Iterable[tuple[int, int | None, int | None, int | None, str, bool, int]],
) -> dict[tuple[int, Place], Counts]:
    """(requirement, home unit and shift) -> members by state, those without a unit by their agency. No query.

    `stood` are the groups that `working.count_by_place` found.
    """
    return {
        (requirement, Place(unit, shift, agency)): Counts(unit=unit, shift=shift, **figures)
        for (requirement, unit, shift, agency), figures in _tally(stood).items()
    }


def counts_by_shift(rows: Standings, shift: str = "shift_id") -> dict[tuple[int, int | None], Counts]:
    """(requirement, shift) -> members by state. `shift` names the column. One query."""
    found = _tally(_grouped(rows, ["requirement_id", shift]))
    return {(requirement, shift): Counts(shift=shift, **figures) for (requirement, shift), figures in found.items()}


def total(parts: Iterable[Counts]) -> Counts:
    result = Counts()
    for part in parts:
        result = result + part
    return result


def total_of(parts: ByRequirement, requirement_id: int) -> Counts:
    """One requirement's members together, in whatever unit."""
    return total(part for (key, _), part in parts.items() if key == requirement_id)


def roll_up(own: Iterable[Counts], tree: UnitTree) -> dict[int | None, Counts]:
    """Unit -> its own members and everybody's below it; None -> members without a home assignment."""
    rolled: dict[int | None, Counts] = {}
    for part in own:
        if part.unit is None:
            rolled[None] = replace(rolled.get(None, Counts()) + part, unit=None)
            continue
        for unit in tree.above(part.unit):
            rolled[unit.pk] = rolled.get(unit.pk, Counts(unit=unit.pk)) + part
    return rolled


def in_units(rows: Standings, unit_ids: Collection[int] | None) -> Standings:
    """Only members whose home unit that day is one of these; None = everybody."""
    return rows if unit_ids is None else rows.filter(unit__in=unit_ids)


def reach_of(viewer: Viewer) -> Q | None:
    """The standings that a user may see: of members of their units that day, and of their agencies' without a unit.

    None = all of them.
    """
    if viewer.agencies is None:
        return None
    seen = Q(unit__in=viewer.visible_units())
    if viewer.agencies:
        members = Officer.every.filter(agency__in=viewer.agencies).values("pk")
        seen |= Q(unit=None, officer__in=members)
    return seen


def within(rows: Standings, reach: Q | None) -> Standings:
    """Only the standings that a reach holds; None = all."""
    return rows if reach is None else rows.filter(reach)


def in_reach(rows: Standings, viewer: Viewer) -> Standings:
    """Only what a user may see."""
    return within(rows, reach_of(viewer))


def due_within(rows: Standings, as_of: date, days: int) -> Standings:
    """Members whose due date comes within that many days of the day asked, soonest first; overdue ones are past it."""
    return rows.filter(due_on__gte=as_of, due_on__lte=engine.plus_days(as_of, days)).order_by(
        "due_on", "officer__last_name", "officer__first_name", "officer__employee_id", "requirement__order"
    )


def due_counts(rows: Standings, as_of: date, days: int) -> dict[tuple[int | None, int | None], int]:
    """(unit, shift) -> how many of its own members fall due within that many days. One query."""
    soon = rows.filter(due_on__gte=as_of, due_on__lte=engine.plus_days(as_of, days)).order_by()
    found = soon.values_list("unit_id", "shift_id").annotate(count=Count("*"))
    return {(unit, shift): count for unit, shift, count in found}


@dataclass(frozen=True, slots=True)
class Bridge:
    """Why coverage changed between two days: members by what happened to them."""

    refreshed: int = 0
    newly_trained: int = 0
    ran_out: int = 0
    #: excused on one of the days: nobody was trained and nothing ran out, but the share moves
    back_from_leave: int = 0
    went_on_leave: int = 0
    joined: int = 0
    left: int = 0
    #: in the population on both days, in these units on one of them
    moved_in: int = 0
    moved_out: int = 0
    #: of those counted on the first day, and how many of them there were: the share that it changed from
    current_before: int = 0
    counted_before: int = 0

    @property
    def words(self) -> list[str]:
        """`+14 refreshed`: what happened, more first; nothing that did not."""
        named = (
            (self.refreshed, "+", "refreshed"),
            (self.newly_trained, "+", "newly trained"),
            (self.ran_out, "−", "ran out"),
            (self.back_from_leave, "+", "back from leave"),
            (self.went_on_leave, "−", "went on leave"),
            (self.joined, "+", "joined the population"),
            (self.left, "−", "left the population"),
            (self.moved_in, "+", "moved in"),
            (self.moved_out, "−", "moved out"),
        )
        return [f"{sign}{number} {what}" for number, sign, what in named if number]


@dataclass(frozen=True, slots=True)
class Places:
    """Where everybody stood on a day, as SQL: officer_id, state, has_credit, and whether they are `here`."""

    sql: str
    params: tuple[Any, ...]


def places(rows: Standings, reach: Q | None, table: str) -> Places:
    """Where everybody stood under one requirement, and whether within a reach.

    No query when known now. Known earlier, the rows soon give way to those of another day, so they are kept in a
    temporary table of this name.
    """
    here = Value(True) if reach is None else Case(When(reach, then=Value(True)), default=Value(False))
    asked = rows.order_by().annotate(here=here).values_list("officer_id", "state", "has_credit", "here")
    found = Places(*asked.query.sql_with_params())
    if rows.model is Standing:
        return found
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {found.sql}", found.params)
    return Places(f"SELECT * FROM {table}", ())  # noqa: S608 - a constant of ours


_HERE_BOTH = "old.here AND new.here"
_LEAVE_ASIDE = f"{_HERE_BOTH} AND NOT (new.state = 'current' AND NOT old.has_credit)"
_WHO_STAYS = f"{_LEAVE_ASIDE} AND old.state <> 'excused' AND new.state <> 'excused'"
#: What makes a member one of each figure of a `Bridge`. Somebody who has no row on a day is neither here nor not.
_BRIDGE = {
    "newly_trained": f"{_HERE_BOTH} AND new.state = 'current' AND NOT old.has_credit",
    "back_from_leave": f"{_LEAVE_ASIDE} AND old.state = 'excused' AND new.state <> 'excused'",
    "went_on_leave": f"{_LEAVE_ASIDE} AND old.state <> 'excused' AND new.state = 'excused'",
    "refreshed": f"{_WHO_STAYS} AND old.state <> 'current' AND new.state = 'current'",
    "ran_out": f"{_WHO_STAYS} AND old.state = 'current' AND new.state <> 'current'",
    "moved_in": "new.here AND NOT old.here",
    "joined": "new.here AND old.officer_id IS NULL",
    "moved_out": "old.here AND NOT new.here",
    "left": "old.here AND new.officer_id IS NULL",
    "current_before": "old.here AND old.state = 'current'",
    "counted_before": "old.here AND old.state <> 'excused'",
}


def bridge(before: Places, after: Places) -> Bridge:
    """What happened between two days to those who were here on one of them. One query, one pass over both days.

    Refreshed: not current, then current, with credit before. Newly trained: the same without credit before. Ran out:
    current, then not. Back from leave and gone on leave: excused on one of the days, whatever the state on the other.
    Joined and left: in the population on one of the days only; moved: in other units on the other.
    """
    figures = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in _BRIDGE.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {figures} FROM ({before.sql}) AS old FULL JOIN ({after.sql}) AS new USING (officer_id)",  # noqa: S608 - conditions of ours and the ORM's SQL
            before.params + after.params,
        )
        return Bridge(**dict(zip(_BRIDGE, cursor.fetchone() or (), strict=True)))
