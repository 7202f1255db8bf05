"""Goals: what share of a population was promised, of the whole and of each group, and whether it is reached on a day.

Members are counted by their home unit and shift (a `Place`). A goal's figures are those of its places added up: the
whole, each group, a commander's units. Whoever is available counts where they work; everybody else at home.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from compliance import coverage, engine, working
from compliance.models import Counted, Each, Goal, in_force_on
from compliance.working import Place
from roster.access import Viewer
from roster.models import Agency, Designation, Leave, Shift, open_on
from roster.tree import UnitTree

#: What a goal's groups are grouped by.
KEYS: dict[str, tuple[str, ...]] = {
    Each.NONE: (),
    Each.UNIT: ("unit",),
    Each.SHIFT: ("shift",),
    Each.UNIT_SHIFT: ("unit", "shift"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Members of a place under a goal: by state at home there; `have` the goal counts there, `own` of those at home."""

    counts: coverage.Counts = field(default_factory=coverage.Counts)
    have: int = 0
    own: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.counts + other.counts, self.have + other.have, self.own + other.own)


Places = Mapping[Place, Tally]


@dataclass(frozen=True, slots=True)
class Share:
    """How many a goal counts of how many, and how many it needs."""

    have: int
    needed: int
    counted: int
    excused: int

    @property
    def short(self) -> int:
        return max(0, self.needed - self.have)

    @property
    def short_words(self) -> str:
        return f"short {self.short}"

    @property
    def percent(self) -> str:
        """The share reached, truncated to one decimal; `n/a` for nobody."""
        return coverage.percent(self.have, self.counted)


@dataclass(frozen=True, slots=True)
class Group(Share):
    """A group of a goal. One in which nobody is counted is n/a, and needs no more than the least number in each."""

    unit: int | None = None
    shift: int | None = None

    @property
    def met(self) -> bool:
        return self.have >= self.needed


@dataclass(frozen=True, slots=True)
class GoalResult(Share):
    """How a goal stands: the whole reaches the share, and so does every group.

    With nobody to count it is not met: a claim about nobody cannot be made.
    """

    groups: tuple[Group, ...] = ()

    @property
    def met(self) -> bool:
        return self.counted > 0 and self.have >= self.needed and all(group.met for group in self.groups)

    @property
    def short(self) -> int:
        """The larger of what the whole is short of and what the groups together are: one member may help both."""
        return max(0, self.needed - self.have, sum(group.short for group in self.groups))

    @property
    def groups_met(self) -> int:
        return sum(group.met for group in self.groups)

    @property
    def elsewhere(self) -> int:
        """Members counted in the whole who work where no group is."""
        return self.have - sum(group.have for group in self.groups) if self.groups else 0


def needed_of(counted: int, target_percent: Fraction, min_count: int = 0) -> int:
    """The smallest count with `have * 100 >= target * counted` (rules 7) and `min_count`: 184 of 613 at 30 %."""
    share = target_percent * counted
    return max(-(-share.numerator // (share.denominator * 100)), min_count)


# --- counting -------------------------------------------------------------------------------------------------------


def promised_on(as_of: date) -> list[Goal]:
    """Every goal by code, with its requirement and the population that this asks on a day. One query.

    Each has `population_title` and `population_designations`, None where no edition is in force.
    """
    titles, designations = (
        in_force_on(as_of, "requirement", f"population__{name}") for name in ("title", "designations")
    )
    found = Goal.objects.order_by("code").select_related("requirement")
    return list(found.annotate(population_title=titles, population_designations=designations))


def codes_of(promised: Iterable[Goal], as_of: date) -> dict[int, list[str]]:
    """Goal -> the designations it counts, for those that count designations; none named = any.

    A goal that names none means those of the population in force on the day. One query where some goal names none,
    unless they come from `promised_on`.
    """
    asked = [goal for goal in promised if goal.counts == Counted.DESIGNATED]
    blank = [goal for goal in asked if not goal.designation.strip()]
    if not all(hasattr(goal, "population_designations") for goal in blank):
        of_day = in_force_on(as_of, "requirement", "population__designations")
        found = dict(Goal.objects.filter(pk__in=[goal.pk for goal in blank]).values_list("pk", of_day))
    else:
        found = {goal.pk: goal.population_designations for goal in blank}  # type: ignore[attr-defined] # annotated
    return {goal.pk: [goal.designation.strip()] if goal.designation.strip() else found[goal.pk] or [] for goal in asked}


@dataclass(frozen=True, slots=True)
class Tallied:
    """Each goal's members by place, and the shifts of these places."""

    places: dict[int, dict[Place, Tally]]
    shifts: dict[int, Shift]


def tallies(
    promised: Sequence[Goal],
    rows: coverage.Standings,
    *,
    as_of: date,
    known_at: datetime | None = None,
    codes: Mapping[int, Sequence[str]] | None = None,
) -> Tallied:
    """Each goal's members by place. `rows` are standings of the day as known, as `coverage.standings_on` gives them.

    One query, and that of `codes_of` without `codes`, whatever the number of goals, places and members.
    """
    if not promised:
        return Tallied({}, {})
    codes = codes_of(promised, as_of) if codes is None else codes
    held = [
        working.Held(goal.pk, goal.requirement_id, code.strip())
        for goal in promised
        if goal.pk in codes
        for code in codes[goal.pk] or [""]
    ]
    available = [goal for goal in promised if goal.counts == Counted.AVAILABLE]
    counted = working.count_by_place(
        rows,
        as_of=as_of,
        known_at=known_at,
        held=held,
        available_under={goal.requirement_id for goal in available},
    )
    found: dict[int, dict[Place, Tally]] = {goal.pk: {} for goal in promised}
    goals_of: dict[int, list[Goal]] = {}
    for goal in promised:
        goals_of.setdefault(goal.requirement_id, []).append(goal)
    for (requirement, place), counts in coverage.counts_by_place(counted.stood).items():
        for goal in goals_of.get(requirement, ()):
            found[goal.pk][place] = _at_home(counts, _have_of(goal, counts))
    for (key, place), number in counted.designated.items():
        found[key][place] += Tally(have=number, own=number)
    for goal in available:
        places = found[goal.pk]
        for (requirement, home, at), number in counted.available.items():
            if requirement == goal.requirement_id:
                places[home] += Tally(own=number)
                elsewhere = Tally(coverage.Counts(unit=at.unit, shift=at.shift))
                places[at] = places.get(at, elsewhere) + Tally(have=number)
    return Tallied(found, counted.shifts)


def of_parts(goal: Goal, parts: Iterable[coverage.Counts]) -> dict[Place, Tally]:
    """The same for a goal that counts the trained or the certified, from members already counted. No query."""
    return {Place(part.unit, part.shift): _at_home(part, _have_of(goal, part)) for part in parts}


def is_of_standings(goal: Goal) -> bool:
    """Whether standings alone say whom the goal counts."""
    return goal.counts in (Counted.TRAINED, Counted.CERTIFIED)


def _at_home(counts: coverage.Counts, have: int) -> Tally:
    return Tally(counts, have, have)


def _have_of(goal: Goal, counts: coverage.Counts) -> int:
    """Of these members, those a goal counts by their standings: `ever` holds the excused too, who are not counted."""
    return {Counted.TRAINED: counts.ever_counted, Counted.CERTIFIED: counts.current}.get(Counted(goal.counts), 0)


def within(places: Places, unit_ids: Collection[int] | None, agencies: Collection[int] | None = ()) -> Places:
    """The places of these units, and those without a unit of these agencies; None = all."""
    return {
        place: tally
        for place, tally in places.items()
        if (unit_ids is None or place.unit in unit_ids if place.unit else agencies is None or place.agency in agencies)
    }


def in_reach(places: Places, viewer: Viewer) -> Places:
    """The places whose figures a user may see."""
    return places if viewer.reads_everything else within(places, viewer.visible_units(), viewer.agencies)


def rolled_up(places: Places, tree: UnitTree) -> dict[int | None, dict[Place, Tally]]:
    """Unit -> its places and those of everything below it; None -> places without a unit."""
    found: dict[int | None, dict[Place, Tally]] = {}
    for place, tally in places.items():
        for key in [unit.pk for unit in tree.above(place.unit)] if place.unit else [None]:
            found.setdefault(key, {})[place] = tally
    return found


# --- judging --------------------------------------------------------------------------------------------------------


def total(places: Places) -> Tally:
    return _added(places.values())


def _added(tallies: Collection[Tally]) -> Tally:
    """The tallies together, in one step for all of them: a large department has thousands of places."""
    counts = [tally.counts for tally in tallies]
    whole = coverage.Counts(
        current=sum([part.current for part in counts]),
        in_grace=sum([part.in_grace for part in counts]),
        overdue=sum([part.overdue for part in counts]),
        excused=sum([part.excused for part in counts]),
        ever=sum([part.ever for part in counts]),
        ever_counted=sum([part.ever_counted for part in counts]),
    )
    return Tally(whole, sum([tally.have for tally in tallies]), sum([tally.own for tally in tallies]))


def groups_of(goal: Goal, places: Places) -> tuple[Group, ...]:
    """The groups a goal asks about that have members, the excused among them, in no order."""
    of_group: dict[tuple[int | None, ...], list[Tally]] = {}
    keys = KEYS[goal.each]
    for place, tally in places.items() if keys else ():
        of_group.setdefault(tuple([getattr(place, name) for name in keys]), []).append(tally)
    parts = {key: _added(tallies) for key, tallies in of_group.items()}
    target = Fraction(goal.target_percent)
    return tuple(
        Group(
            have=part.have,
            needed=needed_of(part.counts.counted, target, goal.min_count),
            counted=part.counts.counted,
            excused=part.counts.excused,
            **dict(zip(keys, key, strict=True)),
        )
        for key, part in parts.items()
        if part.counts.counted or part.counts.excused
    )


def result_of(goal: Goal, places: Places) -> GoalResult:
    """How a goal stands among the members of these places. No query."""
    whole = total(places)
    min_count = goal.min_count if goal.each == Each.NONE else 0
    return GoalResult(
        have=whole.have,
        needed=needed_of(whole.counts.counted, Fraction(goal.target_percent), min_count),
        counted=whole.counts.counted,
        excused=whole.counts.excused,
        groups=groups_of(goal, places),
    )


def short_in(goal: Goal, places: Places, *, has_groups: bool = True) -> int:
    """How many a part of the department is short of a goal's share, or of the goal's groups when it has such.

    `min_count` is asked of the goal's own groups only: a unit's part of a goal about the whole is its share.
    """
    part = total(places)
    groups = groups_of(goal, places) if has_groups and "unit" in KEYS[goal.each] else ()
    share = needed_of(part.counts.counted, Fraction(goal.target_percent)) - part.have
    return max(0, share, sum(group.short for group in groups))


class Names:
    """What groups are called, and the order they are listed in."""

    def __init__(self, tree: UnitTree, shifts: Mapping[int, Shift]) -> None:
        self.tree, self.shifts = tree, shifts
        self._places = {unit.pk: place for place, (unit, _) in enumerate(tree.walk())}

    def code(self, key: str, pk: int | None) -> str | None:
        """The code of a `unit` or a `shift`; None for those without one."""
        if pk is None:
            return None
        return self.tree.units[pk].code if key == "unit" else self.shifts[pk].code

    def unit(self, pk: int | None) -> str:
        return self.tree.units[pk].name if pk else "without a unit"

    def shift(self, pk: int | None) -> str:
        return self.shifts[pk].code if pk else "no shift"

    def place(self, group: Group) -> tuple[object, ...]:
        """Units as in the tree, shifts in their order, those without any of them last."""
        shift = self.shifts[group.shift] if group.shift else None
        return (
            group.unit is None,
            self._places[group.unit] if group.unit else 0,
            shift is None,
            (shift.order, shift.code) if shift else (),
        )


def evaluate_all(
    promised: Sequence[Goal], *, as_of: date, known_at: datetime | None = None, agency: Agency | None = None
) -> dict[int, GoalResult]:
    """Goal -> how it stands on a day, in one agency or everywhere. The queries of `tallies` when known now.

    The denominator is everybody in the population but the excused, as for coverage. `trained` counts those of them who
    were ever credited, `certified` those who are current, `designated` those who hold the designation, `available`
    those who are current, on no leave, and working in the group: see `working.count_by_place`.
    """
    ids = {goal.requirement_id for goal in promised}
    rows = coverage.standings_on(as_of, known_at=known_at, requirement_ids=ids)
    if agency is not None:
        rows = rows.filter(officer__agency=agency)
    found = tallies(promised, rows, as_of=as_of, known_at=known_at).places
    return {goal.pk: result_of(goal, found[goal.pk]) for goal in promised}


def evaluate(goal: Goal, *, as_of: date, known_at: datetime | None = None, agency: Agency | None = None) -> GoalResult:
    """How one goal stands on a day."""
    return evaluate_all([goal], as_of=as_of, known_at=known_at, agency=agency)[goal.pk]


def exceptions(
    goal: Goal,
    rows: coverage.Standings,
    *,
    as_of: date,
    known_at: datetime | None = None,
    codes: Sequence[str] = (),
) -> coverage.Standings:
    """The members who keep the goal from being whole: counted, and not among those it counts. `codes`: `codes_of`."""
    counted = rows.exclude(state=engine.State.EXCUSED)
    if goal.counts == Counted.TRAINED:
        return counted.filter(has_credit=False)
    if goal.counts == Counted.CERTIFIED:
        return counted.exclude(state=engine.State.CURRENT)
    if goal.counts == Counted.AVAILABLE:
        away = Leave.objects.known(known_at).filter(open_on(as_of), start_on__lte=as_of, officer=OuterRef("officer"))
        return counted.filter(~Q(state=engine.State.CURRENT) | Exists(away))
    held = Designation.objects.known(known_at).filter(open_on(as_of), start_on__lte=as_of, officer=OuterRef("officer"))
    if codes:
        held = held.annotate(word=Lower("code")).filter(word__in=[code.strip().lower() for code in codes])
    return counted.filter(~Exists(held))
