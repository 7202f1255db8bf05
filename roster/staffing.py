"""How many members a unit and shift keeps while others are in class: the one place where that is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import transaction

from roster import trail
from roster.facts import Via
from roster.models import Agency, Shift, StaffingMinimum, Unit

if TYPE_CHECKING:
    from django.contrib.auth.models import User

STAYING = "members that stay"


def set_minimums(
    agency: Agency,
    least: int,
    kept: Mapping[int, int | None],
    added: tuple[Unit, Shift | None, int] | None = None,
    *,
    by: User | None,
) -> int:
    """Set an agency's minimum and those of its units and shifts, by id; None takes one away. Each is in the trail.

    What a person leaves as it was is not written, so that two people who change different lines keep both. The number
    of things changed.
    """
    with transaction.atomic(), trail.acting(by, Via.PAGE):
        locked = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
        changed = 0
        if least != locked.min_working:
            _note(trail.Act.CHANGED, str(agency), locked.min_working, least, agency)
            Agency.objects.filter(pk=agency.pk).update(min_working=least)
            changed += 1
        rows = StaffingMinimum.objects.filter(pk__in=kept, unit__agency=agency).select_related("unit", "shift")
        for row in rows:
            wanted = kept[row.pk]
            if wanted is None:
                _note(trail.Act.REMOVED, _named(row), row.minimum, None, agency)
                row.delete()
            elif wanted != row.minimum:
                _note(trail.Act.CHANGED, _named(row), row.minimum, wanted, agency)
                StaffingMinimum.objects.filter(pk=row.pk).update(minimum=wanted)
            changed += wanted != row.minimum
        if added is not None:
            unit, shift, minimum = added
            row, is_new = StaffingMinimum.objects.get_or_create(unit=unit, shift=shift, defaults={"minimum": minimum})
            if is_new:
                _note(trail.Act.ADDED, _named(row), None, minimum, agency)
            changed += is_new
    return changed


def _named(row: StaffingMinimum) -> str:
    return f"{row.unit}, {row.shift or 'each shift'}"


def _note(act: trail.Act, subject: str, before: int | None, after: int | None, agency: Agency) -> None:
    """`trail` leaves out a number 0 of something whole; here 0 says that nobody has to stay."""
    said = [{} if value is None else {STAYING: str(value) if value else "none"} for value in (before, after)]
    trail.note(trail.What.STAFFING, act, subject, before=said[0], after=said[1], agency_id=agency.pk)
