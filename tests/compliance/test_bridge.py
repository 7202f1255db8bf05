"""Why coverage changed: what happened to each member between two days is told apart, and nothing is left out."""

from __future__ import annotations

import pytest

from compliance.coverage import Place, bridge

CENTRAL, EASTERN = 1, 2
CURRENT = Place(CENTRAL, "current", True)
LATE = Place(CENTRAL, "overdue", True)
UNTRAINED = Place(CENTRAL, "in_grace", False)
EXCUSED = Place(CENTRAL, "excused", True)
EXCUSED_UNTRAINED = Place(CENTRAL, "excused", False)
ELSEWHERE = Place(EASTERN, "current", True)


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
        pytest.param(UNTRAINED, Place(CENTRAL, "overdue", False), [], id="grace-ended-and-the-share-stays"),
    ],
)
def test_what_happened_between_two_days(old: Place | None, new: Place | None, words: list[str]) -> None:
    before = {7: old} if old else {}
    after = {7: new} if new else {}
    here = [{key for key, place in places.items() if place.unit == CENTRAL} for places in (before, after)]

    assert bridge(before, after, *here).words == words


def test_whatever_moves_the_share_is_named() -> None:
    """Each pair of places between which the counted or the current of a unit change has a word."""
    places = [None, CURRENT, LATE, UNTRAINED, EXCUSED, EXCUSED_UNTRAINED, ELSEWHERE]

    def figures(place: Place | None) -> tuple[bool, bool]:
        if place is None or place.unit != CENTRAL:
            return False, False
        return place.state != "excused", place.state == "current"

    for old in places:
        for new in places:
            if old and new and old.has_credit and not new.has_credit:
                continue  # credit is not lost
            before, after = ({7: place} if place else {} for place in (old, new))
            here = [{7} if place and place.unit == CENTRAL else set() for place in (old, new)]
            if figures(old) != figures(new):
                assert bridge(before, after, *here).words != [], (old, new)
