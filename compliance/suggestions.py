"""Who should have the free seats of a class: who needs it most, never taking a shift below its minimum.

`choose()` is PURE: frozen values in, a ranked list with its reasons out. `suggest()` gathers for it and says why.

The order: members who are overdue on the last day of the class, the longest first; then those in grace or current whose
date falls by 90 days after it, by date; then those in grace until later, members of units that are short of a goal
first, and by date. Among equal dates, too, members of units that are short of a goal come first. In each of the three
those come last who may have it already: a completion that would answer their need waits for a decision on its evidence.

A goal that counts the designated is helped by whoever can be designated once trained: members who neither hold the
designation nor are current.

A member is looked at when the course serves an edition in force on the last day of the class, and no seat in another
class that is not finished does so already; and the engine says it again of everybody who is suggested: with the
completion their answer is another one. Where hours are added up, a class that does not complete the sum serves too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import IntEnum

from django.db.models import Q

from compliance import coverage, engine, goals, log, working
from compliance.gather import Rules, Waiting, gather_members, gather_rules, pending_evidence
from compliance.models import Counted, Each, Goal, Requirement
from compliance.sentences import day as spoken
from compliance.working import Place
from roster.models import Agency, Designation, Officer, Shift, StaffingMinimum, open_on
from roster.tree import UnitTree
from training import seats
from training.models import ClassSession, ClassState, Enrollment, SeatState

#: Dates this many days after the class are soon.
SOON_DAYS = 90
#: Members asked of the engine beyond those wanted: for so many it may say that the course does nothing.
SPARE = 20
#: A goal with the unit and shift of its group.
GroupKey = tuple[int, int | None, int | None]


class Tier(IntEnum):
    """How urgent a need is."""

    OVERDUE = 0
    SOON = 1
    LATER = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What the course would do for a member: under which requirement, and by when it is needed."""

    tier: Tier
    due_on: date
    requirement: int
    state: str

    @property
    def order(self) -> tuple[Tier, date]:
        """The most urgent first."""
        return self.tier, self.due_on


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member who needs the course: where they work on each day of the class, in the order of the days."""

    officer: int
    need: Need
    places: tuple[Place, ...]
    #: keys of the goals' groups that a credit would help
    groups: tuple[GroupKey, ...] = ()
    #: a completion that would answer the need once its evidence is verified
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """How many a place keeps on a day once somebody is gone, and how many it has to keep."""

    place: Place
    day: date
    number: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Pick:
    """A member suggested. `group` is the goal's group they help, short of so many; `left` the day that keeps fewest."""

    candidate: Candidate
    group: GroupKey | None = None
    short: int = 0
    left: Left | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """A member left out because the place would fall below its minimum."""

    candidate: Candidate
    left: Left


@dataclass(frozen=True, slots=True)
class Situation:
    """Where everybody works on the days of the class, what has to stay, and what goals are short of."""

    days: tuple[date, ...]
    working: Mapping[tuple[date, Place], int]
    #: place -> its minimum; a place that is not in here keeps nobody
    minimums: Mapping[Place, int]
    #: group of a goal -> how many it is short of
    short: Mapping[GroupKey, int]
    #: place -> those whose minimum counts who works there: its own and of units above it; not in here = its own
    within: Mapping[Place, tuple[Place, ...]] = field(default_factory=dict)

    def added_up(self, each: Mapping[tuple[date, Place], int]) -> Counter[tuple[date, Place]]:
        """Members counted wherever a minimum counts them."""
        found: Counter[tuple[date, Place]] = Counter()
        for (day, place), number in each.items():
            for kept in self.within.get(place, (place,)):
                found[day, kept] += number
        return found


@dataclass(slots=True)
class Choice:
    """Who is suggested in order, and who was passed over before the list was full."""

    picked: list[Pick] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


# --- the choice, pure ------------------------------------------------------------------------------------------------


def choose(candidates: Iterable[Candidate], situation: Situation, wanted: int) -> Choice:
    """The first of those who need it most, as long as every place keeps its minimum on every day."""
    chooser = _Chooser(situation, wanted)
    urgent: list[Candidate] = []
    later: tuple[list[Candidate], list[Candidate]] = ([], [])
    for candidate in sorted(candidates, key=lambda one: _order(one, situation)):
        if candidate.need.tier is Tier.LATER:
            later[candidate.waiting is not None].append(candidate)
        else:
            urgent.append(candidate)
    for candidate in urgent:
        chooser.consider(candidate)
    for part in later:
        # A goal is reached once so many were taken: whoever comes after that waits for the others.
        rest = [candidate for candidate in part if not chooser.consider(candidate, only_if_short=True)]
        for candidate in rest:
            chooser.consider(candidate)
    return chooser.choice


def _order(candidate: Candidate, situation: Situation) -> tuple[int, bool, date, bool, int]:
    is_short = any(situation.short.get(group, 0) > 0 for group in candidate.groups)
    need = candidate.need
    return (need.tier, candidate.waiting is not None, need.due_on, not is_short, candidate.officer)


class _Chooser:
    """Takes members one by one, and keeps count of who stays and what goals still lack."""

    def __init__(self, situation: Situation, wanted: int) -> None:
        self._situation, self._wanted = situation, wanted
        self._working, self._short = situation.added_up(situation.working), dict(situation.short)
        self._known: dict[tuple[Place, ...], Counter[tuple[date, Place]]] = {}
        self.choice = Choice()

    def consider(self, candidate: Candidate, *, only_if_short: bool = False) -> bool:
        """Whether the member was dealt with: taken, or passed over because of a minimum."""
        if len(self.choice.picked) >= self._wanted:
            return True
        short = max(candidate.groups, key=lambda group: self._short.get(group, 0), default=None)
        number = self._short.get(short, 0) if short is not None else 0
        if only_if_short and number <= 0:
            return False
        left = self._least_left(candidate)
        if left is not None and left.number < left.minimum:
            self.choice.skipped.append(Skip(candidate, left))
            return True
        self._working.subtract(self._counted(candidate))
        for group in candidate.groups:
            self._short[group] = self._short.get(group, 0) - 1
        helped = short if number > 0 else None
        # What the group is short of is told as it stands today, whoever was taken before.
        lacking = self._situation.short[helped] if helped is not None else 0
        self.choice.picked.append(Pick(candidate, helped, lacking, left))
        return True

    def _counted(self, candidate: Candidate) -> Counter[tuple[date, Place]]:
        """Where minimums count a member, day by day: the same for all who work at the same places."""
        found = self._known.get(candidate.places)
        if found is None:
            where = zip(self._situation.days, candidate.places, strict=True)
            found = self._known[candidate.places] = self._situation.added_up(dict.fromkeys(where, 1))
        return found

    def _least_left(self, candidate: Candidate) -> Left | None:
        """The day on which a place is nearest to its minimum, or furthest below it; None where none is asked."""
        found: Left | None = None
        for day, place in self._counted(candidate):
            minimum = self._situation.minimums.get(place, 0)
            if minimum:
                left = Left(place, day, self._working[day, place] - 1, minimum)
                if found is None or left.number - left.minimum < found.number - found.minimum:
                    found = left
        return found


# --- gathered for it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A member with where they belong and why they are, or are not, suggested, in one sentence."""

    officer: Officer
    unit: str
    shift: str
    why: str
    #: `CIT-40 of 3 May 2026 awaits a decision`, and the completion; blank and None where nothing does
    waits: str = ""
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Suggested:
    """The answer for a class; `nothing` says why the course serves nobody, and is blank where it does."""

    picked: tuple[Suggestion, ...] = ()
    skipped: tuple[Suggestion, ...] = ()
    nothing: str = ""


def suggest(session: ClassSession, wanted: int, *, agencies: Collection[int] | None, today: date) -> Suggested:
    """Members of these agencies (None = all) who should have the next seats of a class, as known now.

    A fixed number of queries, about forty, whatever the number of members: three of them read as many rows as need the
    course, the others a few.
    """
    days = seats.days_of(seats.blocks(session))
    if not days:
        return Suggested(nothing="The class has no block yet: nobody can be asked to come on no day.")
    course = _what_it_gives(session, days[-1])
    if course is None or not course.served:
        return Suggested(nothing="No requirement in force on the last day of the class counts this course.")
    gathered = _Gathered(session, days, course, agencies, today)
    most = 2 * wanted + SPARE
    found = choose(gathered.candidates, gathered.situation, most)
    seen = [each.candidate for each in found.picked] + [each.candidate for each in found.skipped[: wanted + SPARE]]
    # The engine may find that what waits answers nothing: these members are as urgent as the others then.
    seen += sorted((each for each in gathered.candidates if each.waiting), key=lambda each: each.need.order)[:most]
    served = _served_members(course, {each.officer: each for each in seen}, gathered.adding)
    return gathered.told(choose(served, gathered.situation, wanted))


Served = Mapping[int, tuple[engine.Edition, engine.Kind]]


@dataclass(frozen=True, slots=True)
class _Course:
    """The completion that the class would give, and what it counts as under each requirement it serves."""

    given: engine.Completion
    rules: Rules
    served: Served

    def asked_hours(self, requirement: int) -> float:
        """How many hours a requirement adds up, of which the class has some; 0 where it adds up none."""
        edition, _ = self.served[requirement]
        return edition.hours if engine.hours_of(self.given) else 0


def _what_it_gives(session: ClassSession, on: date) -> _Course | None:
    """A completion of the last day with full marks; None for a course that no requirement lists. Twelve queries."""
    rules = gather_rules()
    course = rules.courses.get(session.course_id)
    if course is None:
        return None
    plan = rules.lesson_plan(session.course_id, session.lesson_plan.version) if session.lesson_plan else None
    given = _full_marks(course, on, plan)
    served = _serves(given, rules)
    return _Course(given, rules.for_requirements(served), served)


def _full_marks(course: engine.Course, on: date, plan: engine.LessonPlan | None = None) -> engine.Completion:
    return engine.Completion(log.PROPOSED, course, on, score=100, attendance=100, lesson_plan=plan)


def _serves(given: engine.Completion, rules: Rules) -> Served:
    """Requirement -> its edition in force on the day of a completion, and what the completion counts as under it."""
    on, found = given.completed_on, {}
    for requirement, editions in rules.editions.items():
        for edition in editions:
            kind = engine.kind_of(edition, given)
            is_in_force = edition.effective_from <= on and (edition.effective_to is None or on <= edition.effective_to)
            if is_in_force and kind is not None and engine.shortfall(edition, given, kind) is None:
                found[requirement] = (edition, kind)
    return found


def _seated_elsewhere(session: ClassSession, course: _Course) -> set[tuple[int, int]]:
    """(member, requirement) for which a seat in another class that is not finished does the same. One query.

    Of hours that are added up, only a class with all of them does.
    """
    on, rules = course.given.completed_on, course.rules
    serving: dict[int, list[int]] = {}
    for key, each in rules.courses.items():
        given = _full_marks(each, on)
        served = _serves(given, rules).items()
        serving[key] = [one for one, (edition, _) in served if edition.hours <= engine.hours_of(given)]
    seats_held = (
        Enrollment.objects.filter(state=SeatState.ENROLLED, session__state=ClassState.PLANNED, officer__isnull=False)
        .exclude(session=session)
        .values_list("officer_id", "session__course_id")
    )
    return {(officer, one) for officer, key in seats_held if officer for one in serving.get(key, ())}


def _served_members(course: _Course, seen: Mapping[int, Candidate], adding: Collection[int]) -> list[Candidate]:
    """Those whose answer on the last day is another one with the completion, says the engine, and those `adding` hours.

    What waits stays with a candidate where it alone would do the same under the need, or adds hours. Eight queries.
    """
    on, editions = course.given.completed_on, course.rules.editions

    def answer(requirement: int, facts: engine.MemberFacts) -> tuple[str, date | None] | None:
        period = log.on_day(engine.timeline(editions[requirement], facts), on)
        return (period.state, period.due_on) if period else None

    def helps(requirement: int, facts: engine.MemberFacts, completions: Sequence[engine.Completion]) -> bool:
        after = answer(requirement, replace(facts, completions=completions))
        return after is not None and after[0] != engine.State.OVERDUE and after != answer(requirement, facts)

    found = []
    for officer, facts in gather_members(seen.keys(), course.rules).items():
        candidate, given = seen[officer], [*facts.completions, course.given]
        if officer not in adding and not any(helps(requirement, facts, given) for requirement in editions):
            continue
        need = candidate.need.requirement
        if candidate.waiting:
            waiting = candidate.waiting.completion
            verified = [
                replace(each, evidence=engine.Evidence.VERIFIED) if each.key == waiting else each
                for each in facts.completions
            ]
            hours = sum(engine.hours_of(each) for each in facts.completions if each.key == waiting)
            if not (hours if course.asked_hours(need) else helps(need, facts, verified)):
                candidate = replace(candidate, waiting=None)
        found.append(candidate)
    return found


def _needs_credit(edition: engine.Edition, kind: engine.Kind) -> bool:
    """Whether a completion of this kind counts only for those who have a credit already (rules 5 and 6)."""
    if kind is engine.Kind.RECERTIFICATION:
        return True
    return (
        kind is engine.Kind.REFRESHER
        and bool(edition.entry_courses)
        and not edition.refresher_stands_alone
        and not edition.hours
    )


class _Gathered:
    """Everything that the choice asks, for one class."""

    def __init__(
        self,
        session: ClassSession,
        days: Sequence[date],
        course: _Course,
        agencies: Collection[int] | None,
        today: date,
    ) -> None:
        serving = course.served
        self._today, self._days, self._course = today, tuple(days), course
        self._tree = UnitTree()
        self._shifts = Shift.objects.in_bulk()
        self._titles = dict(Requirement.objects.filter(pk__in=serving).values_list("pk", "title"))
        self._promised = [goal for goal in goals.promised_on(today) if goal.requirement_id in serving]
        self._holders = self._who_holds()
        short = self._short()
        rows = self._rows(session, serving, agencies)
        in_class = seats.in_class(self._days)
        first, last = self._days[0], self._days[-1]
        moving = {row[0] for row in rows if row[6] > first}
        present = working.at_work(self._days, in_class=in_class, also=moving)
        seated = _seated_elsewhere(session, course)
        opened = seats.with_prerequisites(session.course, by=first)
        promised = {
            requirement: [goal for goal in self._promised if goal.requirement_id == requirement]
            for requirement in serving
        }
        adds_up = {key for key in serving if course.asked_hours(key)}
        #: members who need it under a requirement that adds up hours
        self.adding: set[int] = set()
        needs: dict[int, Need] = {}
        helped: dict[int, list[GroupKey]] = {}
        homes: dict[int, Place] = {}
        for officer, requirement, unit, shift, state, due_on, _, has_credit in rows:
            if (officer, requirement) in seated or (opened is not None and officer not in opened):
                continue
            need = Need(_tier(state, due_on, last), due_on, requirement, state)
            if officer not in needs or need.order < needs[officer].order:
                needs[officer] = need
            homes[officer] = Place(unit, shift)
            if requirement in adds_up:
                self.adding.add(officer)
            groups = helped.setdefault(officer, [])
            for goal in promised[requirement]:
                key = _group_of(goal, unit, shift)
                if key in short and self._would_count(goal, officer, state, has_credit):
                    groups.append(key)
        waiting = pending_evidence(needs.keys(), course.rules, last)
        self.candidates: list[Candidate] = []
        for officer, need in needs.items():
            places = tuple(self._places(officer, homes[officer], present))
            if len(places) == len(self._days):
                waits = waiting.get((officer, need.requirement))
                self.candidates.append(Candidate(officer, need, places, tuple(helped[officer]), waits))
        kept, within = minimums({place for _, place in present.counts}, self._tree)
        self.situation = Situation(self._days, present.counts, kept, short, within)

    def _rows(
        self,
        session: ClassSession,
        serving: Served,
        agencies: Collection[int] | None,
    ) -> list[tuple[int, int, int | None, int | None, str, date, date, bool]]:
        """Standings of those who need the course on the last day and are not on the list. One query."""
        last = self._days[-1]
        soon = Q(state=engine.State.CURRENT, due_on__lte=last + timedelta(days=SOON_DAYS))
        asking = [key for key, (edition, kind) in serving.items() if _needs_credit(edition, kind)]
        listed = Enrollment.objects.filter(session=session, officer__isnull=False).exclude(state=SeatState.WITHDRAWN)
        rows = (
            coverage.standings_on(last, requirement_ids=list(serving))
            .filter(Q(state__in=(engine.State.OVERDUE, engine.State.IN_GRACE)) | soon, due_on__isnull=False)
            .exclude(requirement__in=asking, has_credit=False)
            .exclude(officer__in=listed.values("officer"))
        )
        if agencies is not None:
            rows = rows.filter(officer__agency__in=agencies)
        named = ("officer_id", "requirement_id", "unit_id", "shift_id", "state", "due_on", "start_on", "has_credit")
        return list(rows.order_by().values_list(*named))

    def _places(self, officer: int, home: Place, present: working.AtWork) -> list[Place]:
        """Where a member works on each day; fewer than the days where they are away on one, or nowhere."""
        where = present.unusual.get(officer)
        if where is None:
            return [home] * len(self._days)
        return [place for place in where.values() if place is not None]

    def _who_holds(self) -> dict[int, set[int]]:
        """Goal -> members who hold today what it counts, for goals that count the designated. One query for these."""
        codes = goals.codes_of(self._promised, self._today)
        if not codes:
            return {}
        rows = Designation.objects.known().filter(open_on(self._today), start_on__lte=self._today)
        held = [(officer, code.lower()) for officer, code in rows.values_list("officer_id", "code")]
        found = {}
        for goal, said in codes.items():
            words = {code.strip().lower() for code in said}
            found[goal] = {officer for officer, code in held if not words or code in words}
        return found

    def _would_count(self, goal: Goal, officer: int, state: str, has_credit: bool) -> bool:
        """Whether a credit makes a goal count a member whom it does not count now, or opens the designation to them."""
        if goal.counts == Counted.TRAINED:
            return not has_credit
        return state != engine.State.CURRENT and officer not in self._holders.get(goal.pk, ())

    def _short(self) -> dict[GroupKey, int]:
        """The groups that are short today. A goal of the whole is asked of each unit as its part of the share."""
        rows = coverage.standings_on(self._today, requirement_ids={goal.requirement_id for goal in self._promised})
        counted = goals.tallies(self._promised, rows, as_of=self._today).places
        found: dict[GroupKey, int] = {}
        for goal in self._promised:
            if goal.each == Each.NONE:
                by_unit: dict[int, dict[Place, goals.Tally]] = {}
                for place, tally in counted[goal.pk].items():
                    if place.unit is not None:
                        by_unit.setdefault(place.unit, {})[place] = tally
                for unit, places in by_unit.items():
                    found[goal.pk, unit, None] = goals.short_in(goal, places, has_groups=False)
            else:
                for group in goals.groups_of(goal, counted[goal.pk]):
                    found[goal.pk, group.unit, group.shift] = group.short
        return {key: number for key, number in found.items() if number > 0}

    def told(self, choice: Choice) -> Suggested:
        """The choice in words. One query."""
        found: list[Pick | Skip] = [*choice.picked, *choice.skipped]
        officers = Officer.objects.select_related("agency").in_bulk([each.candidate.officer for each in found])

        def line(each: Pick | Skip) -> Suggestion:
            home = each.candidate.places[0]
            unit = self._tree.units[home.unit].name if home.unit else ""
            shift = self._shifts[home.shift].code if home.shift else ""
            waits = each.candidate.waiting
            return Suggestion(
                officers[each.candidate.officer],
                unit,
                shift,
                self._why(each),
                f"{waits.course} of {spoken(waits.completed_on)} awaits a decision" if waits else "",
                waits.completion if waits else None,
            )

        return Suggested(tuple(map(line, choice.picked)), tuple(map(line, choice.skipped)))

    def _why(self, each: Pick | Skip) -> str:
        """`Overdue since 3 Mar 2024; Central nights is 2 short of its goal; leaves 4 of at least 3 on ...`"""
        need = each.candidate.need
        parts = [self._needed(need)]
        if asked := self._course.asked_hours(need.requirement):
            parts.append(f"adds {engine.hours_of(self._course.given):g} of the {asked:g} hours asked")
        if isinstance(each, Skip):
            left = each.left
            place = self._named(left.place.unit, left.place.shift)
            parts.append(
                f"would leave {max(left.number, 0)} of at least {left.minimum} on {place} on {spoken(left.day)}"
            )
        else:
            if each.group is not None:
                goal, unit, shift = each.group
                designated = " of designated members" if goal in self._holders else ""
                parts.append(f"{self._named(unit, shift)} is {each.short} short of its goal{designated}")
            if each.left is not None:
                place = self._named(each.left.place.unit, each.left.place.shift)
                parts.append(f"leaves {each.left.number} of at least {each.left.minimum} on {place}")
        said = "; ".join(parts)
        return f"{said[0].upper()}{said[1:]}."

    def _needed(self, need: Need) -> str:
        under = f" ({self._titles[need.requirement]})" if len(self._titles) > 1 else ""
        if need.due_on < self._today:
            return f"overdue since {spoken(need.due_on + timedelta(days=1))}{under}"
        in_grace = "in grace, " if need.state == engine.State.IN_GRACE else ""
        before = ", before the class ends" if need.tier is Tier.OVERDUE else ""
        return f"{in_grace}due {spoken(need.due_on)}{before}{under}"

    def _named(self, unit: int | None, shift: int | None) -> str:
        return named(unit, shift, self._tree, self._shifts)


def named(unit: int | None, shift: int | None, tree: UnitTree, shifts: Mapping[int, Shift]) -> str:
    """`Central nights`."""
    words = [tree.units[unit].name] if unit else []
    return " ".join([*words, *([shifts[shift].code] if shift else [])]) or "the whole"


def minimums(places: Iterable[Place], tree: UnitTree) -> tuple[dict[Place, int], dict[Place, tuple[Place, ...]]]:
    """What has to stay, and for each of these places what counts who works there. Two queries.

    A unit with a minimum of its own, for the shift or else for each shift, counts everybody in it and below it. Where
    neither the unit nor one above it has any, the agency's holds for the unit and shift alone.
    """
    asked = {(row.unit_id, row.shift_id): row.minimum for row in StaffingMinimum.objects.all()}
    agencies = dict(Agency.objects.values_list("pk", "min_working"))
    least: dict[Place, int] = {}
    within: dict[Place, tuple[Place, ...]] = {}
    for place in places:
        found: dict[Place, int] = {}
        for unit in tree.above(place.unit) if place.unit is not None else ():
            said = asked.get((unit.pk, place.shift), asked.get((unit.pk, None)))
            if said is not None:
                found[Place(unit.pk, place.shift)] = said
        if not found and place.unit is not None:
            found[place] = agencies[tree.units[place.unit].agency_id]
        least |= found
        within[place] = tuple(found)
    return least, within


def below_minimum(session: ClassSession, officer_ids: Collection[int]) -> list[str]:
    """The units and shifts that fall below their minimum while these members are in the class, in which they have
    seats: `Central nights keeps 1 of at least 3 on 3 Mar 2026`, of each the worst day, furthest below first. A dozen
    queries.
    """
    days = seats.days_of(seats.blocks(session))
    if not days or not officer_ids:
        return []
    others = {key: held for key, held in seats.in_class(days).items() if key not in officer_ids}
    present, tree = working.at_work(days, in_class=others, also=officer_ids), UnitTree()
    least, within = minimums({place for _, place in present.counts}, tree)
    where = Situation(tuple(days), present.counts, least, {}, within)
    left = where.added_up(where.working)
    away = Counter((day, place) for key in officer_ids for day, place in present.unusual[key].items() if place)
    gone = where.added_up(away)
    left.subtract(gone)
    worst: dict[Place, Left] = {}
    for day, place in sorted(gone, key=lambda each: each[0]):
        found = Left(place, day, left[day, place], least.get(place, 0))
        if found.number < found.minimum and (place not in worst or found.number < worst[place].number):
            worst[place] = found
    shifts = Shift.objects.in_bulk() if worst else {}
    told = [(each, named(each.place.unit, each.place.shift, tree, shifts)) for each in worst.values()]
    told.sort(key=lambda pair: (pair[0].number - pair[0].minimum, pair[1]))
    return [
        f"{name} keeps {max(each.number, 0)} of at least {each.minimum} on {spoken(each.day)}" for each, name in told
    ]


def _group_of(goal: Goal, unit: int | None, shift: int | None) -> GroupKey:
    """The group of a goal that members of a place are in; one of the whole is asked of each unit."""
    keys = goals.KEYS[goal.each] or ("unit",)
    return goal.pk, unit if "unit" in keys else None, shift if "shift" in keys else None


def _tier(state: str, due_on: date, last: date) -> Tier:
    if state == engine.State.OVERDUE:
        return Tier.OVERDUE
    return Tier.SOON if due_on <= last + timedelta(days=SOON_DAYS) else Tier.LATER
