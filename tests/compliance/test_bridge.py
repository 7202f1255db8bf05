"""Why coverage changed: what happened to each member between two days is told apart, and nothing is left out."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import coverage
from compliance.coverage import Bridge
from compliance.models import Requirement, Standing
from roster.access import viewer_of
from roster.models import Officer, Role, Unit
from tests import factories as make

pytestmark = pytest.mark.django_db

BEFORE, AFTER = date(2026, 5, 30), date(2026, 6, 30)
#: where rows of the first day end and those of the second begin
LAST, FIRST = date(2026, 6, 10), date(2026, 6, 11)


@dataclass(frozen=True)
class Place:
    """Where a member stood on a day; `unit` is a code, None = without a home assignment."""

    unit: str | None
    state: str
    has_credit: bool


CURRENT = Place("CEN", "current", True)
LATE = Place("CEN", "overdue", True)
UNTRAINED = Place("CEN", "in_grace", False)
EXCUSED = Place("CEN", "excused", True)
EXCUSED_UNTRAINED = Place("CEN", "excused", False)
ELSEWHERE = Place("EAS", "current", True)


@dataclass(frozen=True)
class Town:
    """Two districts and one requirement; standings are written as they are asked for, without facts."""

    requirement: Requirement
    units: Mapping[str, Unit]

    def stand(self, places: Mapping[Officer, tuple[Place | None, Place | None]]) -> None:
        """Members' places before and after; one place for both days is one row, as a rebuild would write it."""
        edition = self.requirement.editions.get()
        rows = []
        for officer, (old, new) in places.items():
            spans = [(old, date(2020, 1, 1), LAST), (new, FIRST, None)]
            for place, start_on, end_on in [(new, date(2020, 1, 1), None)] if old == new else spans:
                if place is not None:
                    rows.append(
                        Standing(
                            officer=officer,
                            requirement=self.requirement,
                            edition=edition,
                            unit=self.units[place.unit] if place.unit else None,
                            state=place.state,
                            has_credit=place.has_credit,
                            start_on=start_on,
                            end_on=end_on,
                            reason="",
                        )
                    )
        Standing.objects.all().delete()
        Standing.objects.bulk_create(rows)

    def bridge(self, reach: Q | None, known_at: datetime | None = None) -> Bridge:
        """As the page asks."""
        ids = [self.requirement.pk]
        with transaction.atomic():
            before = coverage.standings_on(BEFORE, known_at=known_at, requirement_ids=ids)
            before_places = coverage.places(before, reach, "places_before")
            after = coverage.standings_on(AFTER, known_at=known_at, requirement_ids=ids)
            return coverage.bridge(before_places, coverage.places(after, reach, "places_after"))

    def in_central(self) -> Q:
        return Q(unit__in=[self.units["CEN"].pk])


@pytest.fixture
def town() -> Town:
    units = {code: make.make_unit(code) for code in ("CEN", "EAS")}
    units["SO1"] = make.make_unit("SO1", agency=make.make_agency("so", "Bay County Sheriff"))
    return Town(make.make_requirement(), units)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(UNTRAINED, CURRENT, ["+1 newly trained"], id="first-credit"),
        pytest.param(LATE, CURRENT, ["+1 refreshed"], id="credit-again"),
        pytest.param(CURRENT, LATE, ["−1 ran out"], id="ran-out"),
        pytest.param(EXCUSED, CURRENT, ["+1 back from leave"], id="back-and-still-current"),
        pytest.param(EXCUSED, LATE, ["+1 back from leave"], id="back-and-late"),
        pytest.param(EXCUSED_UNTRAINED, UNTRAINED, ["+1 back from leave"], id="back-untrained"),
        pytest.param(EXCUSED_UNTRAINED, CURRENT, ["+1 newly trained"], id="first-credit-while-on-leave"),
        pytest.param(CURRENT, EXCUSED, ["−1 went on leave"], id="went-current"),
        pytest.param(LATE, EXCUSED, ["−1 went on leave"], id="went-late"),
        pytest.param(None, CURRENT, ["+1 joined the population"], id="joined"),
        pytest.param(CURRENT, None, ["−1 left the population"], id="left"),
        pytest.param(ELSEWHERE, CURRENT, ["+1 moved in"], id="moved-in"),
        pytest.param(CURRENT, ELSEWHERE, ["−1 moved out"], id="moved-out"),
        pytest.param(CURRENT, CURRENT, [], id="still-current"),
        pytest.param(EXCUSED, EXCUSED, [], id="still-on-leave"),
        pytest.param(ELSEWHERE, ELSEWHERE, [], id="never-here"),
        pytest.param(UNTRAINED, Place("CEN", "overdue", False), [], id="grace-ended-and-the-share-stays"),
    ],
)
def test_what_happened_between_two_days(town: Town, old: Place | None, new: Place | None, words: list[str]) -> None:
    town.stand({make.make_officer(): (old, new)})

    assert town.bridge(town.in_central()).words == words


def test_whatever_moves_the_share_is_named(town: Town) -> None:
    """Each pair of places between which the counted or the current of a unit change has a word."""
    places = [None, CURRENT, LATE, UNTRAINED, EXCUSED, EXCUSED_UNTRAINED, ELSEWHERE]
    officer = make.make_officer()

    def figures(place: Place | None) -> tuple[bool, bool]:
        if place is None or place.unit != "CEN":
            return False, False
        return place.state != "excused", place.state == "current"

    for old in places:
        for new in places:
            if old and new and old.has_credit and not new.has_credit:
                continue  # credit is not lost
            town.stand({officer: (old, new)})
            if figures(old) != figures(new):
                assert town.bridge(town.in_central()).words != [], (old, new)


@pytest.mark.parametrize("is_known_earlier", [False, True], ids=["now", "known-earlier"])
@pytest.mark.parametrize("seed", range(4))
def test_the_bridge_is_what_each_member_did(town: Town, seed: int, is_known_earlier: bool) -> None:
    """Members at random, judged one by one by `slow_bridge`: for everybody, a unit, an agency, a commander."""
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    places = _scatter(dice, _members(200))
    town.stand(places)
    known_at = timezone.now() if is_known_earlier else None
    today = date(2026, 7, 1)
    chief = viewer_of(make.make_user(Role.CHIEF, agency=make.make_agency("so")), today=today)
    commander = viewer_of(make.make_user(Role.COMMANDER, unit=town.units["EAS"]), today=today)

    def ours(officer: Officer, place: Place) -> bool:
        return place.unit == "SO1" or (place.unit is None and officer.agency.code == "so")

    everybody = town.bridge(coverage.reach_of(viewer_of(make.make_user(Role.CHIEF), today=today)), known_at)
    assert everybody == slow_bridge(places, lambda officer, place: True)
    assert everybody.counted_before > 0
    assert town.bridge(town.in_central(), known_at) == slow_bridge(places, lambda officer, place: place.unit == "CEN")
    assert town.bridge(coverage.reach_of(chief), known_at) == slow_bridge(places, ours)
    assert town.bridge(coverage.reach_of(commander), known_at) == slow_bridge(
        places, lambda officer, place: place.unit == "EAS"
    )


def test_the_bridge_is_one_query(town: Town, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    town.stand(_scatter(random.Random(7), _members(30)))  # noqa: S311 - no secret hangs on it
    reach = town.in_central()
    before, after = (
        coverage.places(coverage.standings_on(day, requirement_ids=[town.requirement.pk]), reach, "unused")
        for day in (BEFORE, AFTER)
    )

    with django_assert_num_queries(1):
        coverage.bridge(before, after)


def _members(number: int) -> Sequence[Officer]:
    agencies = [make.make_agency(), make.make_agency("so")]
    return Officer.objects.bulk_create(
        Officer(agency=agencies[place % 2], employee_id=f"7{place:05d}", last_name="Ames", first_name="Ada")
        for place in range(number)
    )


def _scatter(dice: random.Random, officers: Collection[Officer]) -> dict[Officer, tuple[Place | None, Place | None]]:
    """Any places; a third of the members do not move between the days."""

    def throw() -> Place | None:
        if dice.random() < 0.15:
            return None
        state = dice.choice(["current", "in_grace", "overdue", "excused"])
        return Place(dice.choice(["CEN", "EAS", "SO1", None]), state, dice.random() < 0.6)

    found = {}
    for officer in officers:
        old = throw()
        found[officer] = old, old if dice.random() < 0.35 else throw()
    return found


def slow_bridge(
    places: Mapping[Officer, tuple[Place | None, Place | None]], is_here: Callable[[Officer, Place], bool]
) -> Bridge:
    """The same member by member."""
    found = Bridge()

    def add(name: str) -> None:
        nonlocal found
        found = replace(found, **{name: getattr(found, name) + 1})

    for officer, (old, new) in places.items():
        here_before, here_after = (place is not None and is_here(officer, place) for place in (old, new))
        what = _what_happened(old, new, here_before, here_after)
        if what is not None:
            add(what)
        if old is not None and here_before:
            if old.state == "current":
                add("current_before")
            if old.state != "excused":
                add("counted_before")
    return found


def _what_happened(old: Place | None, new: Place | None, here_before: bool, here_after: bool) -> str | None:
    if old and new and here_before and here_after:
        return _what_changed(old, new)
    if here_after:
        return "moved_in" if old else "joined"
    if here_before:
        return "moved_out" if new else "left"
    return None


def _what_changed(old: Place, new: Place) -> str | None:
    if new.state == "current" and not old.has_credit:
        return "newly_trained"
    if "excused" in (old.state, new.state):
        if old.state == new.state:
            return None
        return "back_from_leave" if old.state == "excused" else "went_on_leave"
    if old.state != "current" and new.state == "current":
        return "refreshed"
    return "ran_out" if old.state == "current" and new.state in ("in_grace", "overdue") else None
