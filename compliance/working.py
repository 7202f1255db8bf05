"""Who really works where on a day: home, temporary and secondary assignments, leave, and the designations held.

Standings know the home assignment alone. What is asked here is laid beside them as SQL over the facts as known, so that
every question stays one query, whatever the number of members: the population by home, the work by where it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from compliance import engine
from compliance.models import KnownStanding, Standing
from roster.models import Assignment, AssignmentKind, Designation, Employment, Leave, Officer, Shift, open_on
from roster.tree import UnitTree

Standings = QuerySet[Standing] | QuerySet[KnownStanding]

#: Members whom a page names of those who work elsewhere, or here from elsewhere.
MOST_NAMED = 50


class Place(NamedTuple):
    """A unit and a shift, each maybe none. `agency` is whose members those without a unit are; None with a unit."""

    unit: int | None
    shift: int | None
    agency: int | None = None


@dataclass(frozen=True, slots=True)
class _Sql:
    """A part of a query: its text and its parameters."""

    text: str
    params: tuple[Any, ...]


def _sql(rows: QuerySet[Any, Any]) -> _Sql:
    return _Sql(*rows.order_by().query.sql_with_params())


def _on(facts: Any, day: date, known_at: datetime | None) -> Any:
    """The facts of one kind that hold on a day, as known."""
    return facts.objects.known(known_at).filter(open_on(day), start_on__lte=day)


def _acting(day: date, known_at: datetime | None) -> _Sql:
    """Each member's temporary assignment in force: of several the one begun last."""
    found = _sql(
        _on(Assignment, day, known_at)
        .filter(kind=AssignmentKind.TEMPORARY)
        .values_list("officer_id", "unit_id", "shift_id", "start_on", "id")
    )
    return _Sql(
        f"SELECT DISTINCT ON (officer_id) * FROM ({found.text}) AS acting"  # noqa: S608 - the ORM's SQL
        " ORDER BY officer_id, start_on DESC, id DESC",
        found.params,
    )


def _away(day: date, known_at: datetime | None) -> _Sql:
    """Members on leave, of whatever kind and whatever an edition makes of it."""
    return _sql(_on(Leave, day, known_at).values_list("officer_id"))


def _fetch(parts: Mapping[str, _Sql], query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query over named parts, each of which is read only as far as the query needs it."""
    named = ", ".join(f"{name} AS NOT MATERIALIZED ({part.text})" for name, part in parts.items())
    given = [value for part in parts.values() for value in part.params]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {named} {query}", [*given, *params])
        return list(cursor.fetchall())


class Held(NamedTuple):
    """Who is asked for a designation: the standings of a requirement, for a goal, by one code; blank = any code."""

    goal: int
    requirement: int
    code: str


@dataclass(frozen=True, slots=True)
class ByPlace:
    """Members counted where they are at home, and what more was asked of them."""

    #: requirement, home unit, home shift, agency of those without a unit, state, whether ever credited, how many
    stood: list[tuple[int, int | None, int | None, int | None, str, bool, int]]
    #: (goal, home) -> members who are counted and hold one of the codes asked for
    designated: dict[tuple[int, Place], int]
    #: (requirement, home, where they work) -> members who are certified and on no leave
    available: dict[tuple[int, Place, Place], int]
    #: the shifts of all these places
    shifts: dict[int, Shift]


#: What an arm of the count gives, the last three columns with their types where it has nothing to say.
_STOOD = """
    SELECT 'stood' AS what, requirement_id AS key, unit_id, shift_id, NULL::bigint AS agency_id,
        NULL::bigint AS at_unit_id, NULL::bigint AS at_shift_id, state, has_credit, count(*) AS number
    FROM stood WHERE unit_id IS NOT NULL GROUP BY 2, 3, 4, 8, 9
    UNION ALL
    SELECT 'stood', s.requirement_id, NULL, s.shift_id, o.agency_id, NULL, NULL, s.state, s.has_credit, count(*)
    FROM stood s JOIN roster_officer o ON o.id = s.officer_id WHERE s.unit_id IS NULL GROUP BY 2, 4, 5, 8, 9"""
#: Whose members those without a unit are: asked only of them. A join, since a subquery for each row is reckoned so dear
#: that PostgreSQL compiles the query for longer than it runs.
_OF_AGENCY = "LEFT JOIN roster_officer o ON o.id = s.officer_id AND s.unit_id IS NULL"
_DESIGNATED = f"""
    SELECT 'designated', g.goal, s.unit_id, s.shift_id, o.agency_id, NULL, NULL, NULL, NULL,
        count(DISTINCT s.officer_id)
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS g (goal, requirement, code)
    JOIN stood s ON s.requirement_id = g.requirement AND s.state <> 'excused'
    JOIN held h ON h.officer_id = s.officer_id AND (g.code = '' OR lower(g.code) = lower(h.code))
    {_OF_AGENCY} GROUP BY 2, 3, 4, 5"""  # noqa: S608 - constants of ours
#: A temporary assignment in force says where a member works; one without a shift leaves the shift as at home.
_AVAILABLE = f"""
    SELECT 'available', s.requirement_id, s.unit_id, s.shift_id, o.agency_id,
        coalesce(a.unit_id, s.unit_id), coalesce(a.shift_id, s.shift_id), NULL, NULL, count(*)
    FROM stood s LEFT JOIN acting a ON a.officer_id = s.officer_id {_OF_AGENCY}
    WHERE s.requirement_id = ANY(%s) AND s.state = 'current'
        AND NOT EXISTS (SELECT 1 FROM away WHERE away.officer_id = s.officer_id)
    GROUP BY 2, 3, 4, 5, 6, 7"""  # noqa: S608 - constants of ours


def count_by_place(
    rows: Standings,
    *,
    as_of: date,
    known_at: datetime | None = None,
    held: Sequence[Held] = (),
    available_under: Collection[int] = (),
) -> ByPlace:
    """Members by home unit and shift: by state; those who hold a designation, for each goal that asks; and under some
    requirements those who are available, with where they work. One query, whatever is asked.
    """
    asked = (*("requirement_id", "unit_id", "shift_id", "state", "has_credit", "officer_id"),)
    parts = {"stood": _sql(rows.values_list(*asked))}
    arms, params = [_STOOD], list[Any]()
    if held:
        parts["held"] = _sql(_on(Designation, as_of, known_at).values_list("officer_id", "code"))
        arms.append(_DESIGNATED)
        params += [list(column) for column in zip(*held, strict=True)]
    if available_under:
        parts |= {"acting": _acting(as_of, known_at), "away": _away(as_of, known_at)}
        arms.append(_AVAILABLE)
        params.append(list(available_under))
    found = _fetch(
        parts,
        'SELECT g.*, home.code, home."order", there.code, there."order"'  # noqa: S608 - constants of ours
        f" FROM ({' UNION ALL '.join(arms)}) AS g"
        " LEFT JOIN roster_shift home ON home.id = g.shift_id LEFT JOIN roster_shift there ON there.id = g.at_shift_id",
        params,
    )
    answer = ByPlace([], {}, {}, {})
    for what, key, unit, shift, agency, at, on, state, has_credit, number, *names in found:
        home = Place(unit, shift, agency)
        if what == "stood":
            answer.stood.append((key, *home, state, has_credit, number))
        elif what == "designated":
            answer.designated[key, home] = number
        else:
            answer.available[key, home, Place(at, on, agency if at is None else None)] = number
        for pk, (code, order) in ((shift, names[:2]), (on, names[2:])):
            if pk is not None and pk not in answer.shifts:
                answer.shifts[pk] = Shift(pk=pk, code=code, order=order)
    return answer


# --- the days of a class ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtWork:
    """Who works where on some days, of everybody employed: leave, temporary assignments and classes taken off."""

    #: (day, place) -> members who work there
    counts: dict[tuple[date, Place], int]
    #: members who are not simply at home on all these days -> where they work on each, None = nowhere
    unusual: dict[int, dict[date, Place | None]]


def at_work(days: Sequence[date], *, in_class: Mapping[int, Collection[date]], also: Collection[int] = ()) -> AtWork:
    """Who works where on these days, as known now. Five queries, whatever the number of members.

    Home assignments are counted by the database, by the days they have in common with the employment; only members of
    whom something else is recorded on one of the days - or who are in `also` - are looked at one by one.
    """
    within = Q(Q(end_on=None) | Q(end_on__gte=days[0]), start_on__lte=days[-1])
    assigned = Assignment.objects.known().filter(within).order_by("start_on", "pk")
    homes, employed = assigned.filter(kind=AssignmentKind.HOME), Employment.objects.known().filter(within)
    acting = _spans(assigned.filter(kind=AssignmentKind.TEMPORARY), "unit_id", "shift_id")
    away = _spans(Leave.objects.known().filter(within))
    counts = _count_at_home(homes, employed, days)
    special = sorted({*acting, *away, *in_class, *also})
    at_home = _spans(homes.filter(officer__in=special), "unit_id", "shift_id")
    serving = _spans(employed.filter(officer__in=special))

    unusual: dict[int, dict[date, Place | None]] = {}
    for officer in special:
        where = unusual[officer] = {}
        for day in days:
            is_employed = bool(_on_day(serving, officer, day))
            home = _place(_on_day(at_home, officer, day)) if is_employed else None
            is_away = day in in_class.get(officer, ()) or bool(_on_day(away, officer, day))
            detail = _on_day(acting, officer, day) if is_employed else None
            where[day] = None if is_away else _place(detail, home) if detail else home
            for place, step in ((home, -1), (where[day], 1)):
                if place is not None:
                    counts[day, place] = counts.get((day, place), 0) + step
    return AtWork(counts, unusual)


def _spans(rows: Any, *values: str) -> dict[int, list[tuple[Any, ...]]]:
    """Member -> (first day, last day, values) of these facts, in their order. One query."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for officer, *span in rows.values_list("officer_id", "start_on", "end_on", *values):
        found.setdefault(officer, []).append(tuple(span))
    return found


def _on_day(spans: Mapping[int, Sequence[tuple[Any, ...]]], officer: int, day: date) -> tuple[Any, ...] | None:
    """What holds for a member on a day: of several the one begun last."""
    held = (span for span in reversed(spans.get(officer, ())) if span[0] <= day and (span[1] is None or day <= span[1]))
    return next(held, None)


def _place(assigned: tuple[Any, ...] | None, home: Place | None = None) -> Place | None:
    """The place of an assignment; a temporary one without a shift leaves the shift as at home."""
    if assigned is None:
        return None
    _, _, unit, shift = assigned
    return Place(unit, home.shift if shift is None and home else shift)


def _count_at_home(homes: Any, employed: Any, days: Sequence[date]) -> dict[tuple[date, Place], int]:
    """Members employed and at home in each place on each day, wherever they work. One query."""
    first, last = days[0], days[-1]
    parts = {
        "home": _sql(homes.values_list("officer_id", "unit_id", "shift_id", "start_on", "end_on")),
        "employed": _sql(employed.values_list("officer_id", "start_on", "end_on")),
    }
    query = """
        SELECT h.unit_id, h.shift_id, greatest(h.start_on, e.start_on, %s::date) AS first_on,
            least(coalesce(h.end_on, %s::date), coalesce(e.end_on, %s::date), %s::date) AS last_on, count(*)
        FROM home h JOIN employed e ON e.officer_id = h.officer_id GROUP BY 1, 2, 3, 4"""
    counts: dict[tuple[date, Place], int] = {}
    for unit, shift, start_on, end_on, number in _fetch(parts, query, (first, last, last, last)):
        for day in days:
            # Spans that have no day in common end before they begin.
            if start_on <= day <= end_on:
                counts[day, Place(unit, shift)] = counts.get((day, Place(unit, shift)), 0) + number
    return counts


# --- a unit's own view ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Presence:
    """Who works in a unit, with everything below it, on a day: members by what they are that day.

    A member on leave is counted as that alone, at home. `here` work here by a temporary assignment, `detailed` belong
    here and work elsewhere by one. Of `present` and `here`, `asked` are those whom the requirement counts, and
    `available` those of them who are current.
    """

    present: int = 0
    on_leave: int = 0
    detailed: int = 0
    here: int = 0
    asked: int = 0
    available: int = 0
    #: ids of the first of `detailed` and of `here`
    detailed_ids: tuple[int, ...] = ()
    here_ids: tuple[int, ...] = ()

    @property
    def working(self) -> int:
        return self.present + self.here


_NOBODY = _Sql("SELECT NULL::bigint AS officer_id, '' AS state WHERE false", ())


def presence(
    unit_ids: Collection[int], rows: Standings | None, *, as_of: date, known_at: datetime | None = None
) -> Presence:
    """Who works in these units on a day, and how many of them are current under one requirement's standings. One query.

    Everybody employed is there, whatever the requirement's population. Where a member is, is worked out once
    (MATERIALIZED) and not for each of the figures.
    """
    home = _on(Assignment, as_of, known_at).filter(kind=AssignmentKind.HOME)
    counted = None if rows is None else rows.exclude(state=engine.State.EXCUSED).values_list("officer_id", "state")
    parts = {
        "home": _sql(home.values_list("officer_id", "unit_id")),
        "employed": _sql(_on(Employment, as_of, known_at).values_list("officer_id")),
        "acting": _acting(as_of, known_at),
        "away": _away(as_of, known_at),
        "stood": _NOBODY if counted is None else _sql(counted),
    }
    units = list(unit_ids)
    found = _fetch(
        parts,
        """, seen AS MATERIALIZED (
            SELECT officer_id, coalesce(home.unit_id = ANY(%s), false) AS is_home,
                coalesce(acting.unit_id, home.unit_id) = ANY(%s) AS works_here,
                gone.officer_id IS NOT NULL AS is_away, stood.state
            FROM home FULL JOIN acting USING (officer_id) JOIN employed USING (officer_id)
            LEFT JOIN (SELECT DISTINCT officer_id FROM away) AS gone USING (officer_id)
            LEFT JOIN stood USING (officer_id)
            WHERE home.unit_id = ANY(%s) OR acting.unit_id = ANY(%s)
        )
        SELECT count(*) FILTER (WHERE is_home AND works_here AND NOT is_away),
            count(*) FILTER (WHERE is_home AND is_away),
            count(*) FILTER (WHERE is_home AND NOT works_here AND NOT is_away),
            count(*) FILTER (WHERE NOT is_home AND works_here AND NOT is_away),
            count(*) FILTER (WHERE works_here AND NOT is_away AND state IS NOT NULL),
            count(*) FILTER (WHERE works_here AND NOT is_away AND state = 'current'),
            (array_agg(officer_id ORDER BY officer_id) FILTER (WHERE is_home AND NOT works_here AND NOT is_away))[1:%s],
            (array_agg(officer_id ORDER BY officer_id) FILTER (WHERE NOT is_home AND works_here AND NOT is_away))[1:%s]
        FROM seen""",
        [units, units, units, units, MOST_NAMED, MOST_NAMED],
    )
    *numbers, detailed_ids, here_ids = found[0]
    names = ("present", "on_leave", "detailed", "here", "asked", "available")
    return Presence(
        **dict(zip(names, numbers, strict=True)),
        detailed_ids=tuple(detailed_ids or ()),
        here_ids=tuple(here_ids or ()),
    )


def secondary_members(unit_ids: Collection[int], *, as_of: date, known_at: datetime | None = None) -> list[Assignment]:
    """Secondary assignments to these units of members whose home is elsewhere, one a member: the one begun last.

    Each comes with its officer and unit, and with `home_unit_id`. One query.
    """
    home = _on(Assignment, as_of, known_at).filter(kind=AssignmentKind.HOME, officer=OuterRef("officer"))
    found = (
        _on(Assignment, as_of, known_at)
        .filter(kind=AssignmentKind.SECONDARY, unit__in=unit_ids)
        .annotate(home_unit_id=Subquery(home.values("unit")[:1]))
        .exclude(home_unit_id__in=unit_ids, home_unit_id__isnull=False)
        .select_related("officer", "unit", "shift")
        .order_by("officer_id", "-start_on", "-pk")
        .distinct("officer_id")
    )
    return list(found)


def seen_in(
    rows: Standings,
    unit_ids: Collection[int],
    secondary: Iterable[Assignment],
    *,
    as_of: date,
    known_at: datetime | None,
) -> Standings:
    """The standings of a unit's own view: of those at home in these units, and of the secondary members given.

    Each has `seen_unit_id` and `seen_shift_id`: the home ones, or those of the secondary assignment. No query.
    """
    members = [row.officer_id for row in secondary]
    if not members:
        return rows.filter(unit__in=unit_ids).annotate(seen_unit_id=F("unit_id"), seen_shift_id=F("shift_id"))
    latest = (
        _on(Assignment, as_of, known_at)
        .filter(kind=AssignmentKind.SECONDARY, unit__in=unit_ids, officer=OuterRef("officer"))
        .order_by("-start_on", "-pk")
    )
    key = BigIntegerField()
    unit, shift = (Subquery(latest.values(name)[:1], output_field=key) for name in ("unit", "shift"))
    at_home = Q(unit__in=unit_ids)
    return rows.filter(at_home | Q(officer__in=members)).annotate(
        seen_unit_id=Case(When(at_home, then=F("unit_id")), default=unit, output_field=key),
        seen_shift_id=Case(
            When(at_home, then=F("shift_id")),
            default=Coalesce(shift, F("shift_id"), output_field=key),
            output_field=key,
        ),
    )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A member whose home is not where they work or are seen, in the words of a unit's page."""

    officer: Officer
    what: str
    shift: str
    until: date | None


def elsewhere(
    shown: Presence,
    secondary: Iterable[Assignment],
    tree: UnitTree,
    *,
    as_of: date,
    known_at: datetime | None = None,
) -> list[Elsewhere]:
    """Those a presence names, and secondary members, by name. One query, or none where the presence names nobody."""
    homes = homes_of(secondary, tree)
    found = [_said(row, f"secondary, {homes[row.officer_id]}") for row in secondary]
    ids = {*shown.detailed_ids, *shown.here_ids}
    if ids:
        home = _on(Assignment, as_of, known_at).filter(kind=AssignmentKind.HOME, officer=OuterRef("officer"))
        rows = (
            _on(Assignment, as_of, known_at)
            .filter(kind=AssignmentKind.TEMPORARY, officer__in=ids)
            .annotate(home_unit_id=Subquery(home.values("unit")[:1]))
            .select_related("officer", "unit", "shift")
            .order_by("officer_id", "-start_on", "-pk")
            .distinct("officer_id")
        )
        here = set(shown.here_ids)
        found += [
            _said(row, f"here on temporary assignment, {_home(row, tree)}")
            if row.officer_id in here
            else _said(row, f"away on temporary assignment to {row.unit.name}")
            for row in rows
        ]
    return sorted(found, key=lambda one: (one.officer.last_name, one.officer.first_name, one.officer.employee_id))


def homes_of(assignments: Iterable[Assignment], tree: UnitTree) -> dict[int, str]:
    """Member -> `home: Central District`, of assignments with `home_unit_id`."""
    return {row.officer_id: _home(row, tree) for row in assignments}


def _said(row: Assignment, what: str) -> Elsewhere:
    return Elsewhere(row.officer, what, row.shift.code if row.shift else "", row.end_on)


def _home(row: Any, tree: UnitTree) -> str:
    """`home: Central District`, of an assignment with `home_unit_id`."""
    return f"home: {tree.units[row.home_unit_id].name}" if row.home_unit_id else "no home assignment"
