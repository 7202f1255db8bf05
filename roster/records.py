"""What a person records about a member by hand: hired, transferred, on leave, back, designated, separated.

Each act is one change. The member's row is locked before anything is read, so of two people at work on the same
member the second sees what the first did and is told. `FactRefused` carries a sentence for people. An act that was
recorded already, such as a form sent twice, records nothing and answers False.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q

from roster.facts import Fact, FactRefused, Recorder, Via, recording, sentence_for
from roster.models import (
    Agency,
    Assignment,
    AssignmentKind,
    Designation,
    Employment,
    Leave,
    Officer,
    Rank,
    Shift,
    Unit,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ONE_DAY = timedelta(days=1)
MEANWHILE = "Somebody else changed this member's record meanwhile. Look at it again before you record this."

AnyFact = TypeVar("AnyFact", bound=Fact)


def spoken(day: date) -> str:
    """`8 Aug 2029`."""
    return f"{day.day} {day:%b %Y}"


def following(fact: AnyFact, **changes: Any) -> AnyFact:
    """A fact that replaces this one: the same but for the changes, not recorded yet."""
    own = {"id", "recorded_in", "voided_in", "replaces"}
    values = {
        field.attname: getattr(fact, field.attname) for field in fact._meta.concrete_fields if field.name not in own
    }
    made = type(fact)(**values)
    made.replaces = fact
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def correct(recorder: Recorder, fact: AnyFact, **changes: Any) -> AnyFact:
    """Void a fact and record the one that replaces it."""
    recorder.void([fact])
    return recorder.record(following(fact, **changes))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a home assignment puts a member."""

    unit: Unit
    shift: Shift | None = None
    rank: Rank | None = None

    def is_that_of(self, assignment: Assignment) -> bool:
        return (assignment.unit_id, assignment.shift_id, assignment.rank_id) == (
            self.unit.pk,
            self.shift.pk if self.shift else None,
            self.rank.pk if self.rank else None,
        )


def homes_of(officer: Officer) -> list[Assignment]:
    """Home assignments as known now, in order of time. One query."""
    homes = Assignment.objects.known().filter(officer=officer, kind=AssignmentKind.HOME)
    return list(homes.select_related("unit", "shift", "rank").order_by("start_on"))


def open_home(officer: Officer) -> Assignment | None:
    """The home assignment without a last day, or the one that ends last."""
    homes = homes_of(officer)
    return homes[-1] if homes else None


def open_employment(officer: Officer) -> Employment | None:
    """The employment without a last day."""
    return Employment.objects.known().filter(officer=officer, end_on=None).first()


def open_leaves(officer: Officer) -> list[Leave]:
    """Leaves whose return has not been recorded."""
    return list(Leave.objects.known().filter(officer=officer, end_on=None).order_by("start_on"))


def hire(
    agency: Agency, details: dict[str, str], *, hired_on: date, category: str, place: Place | None, by: User | None
) -> Officer:
    """A new member, employed from that day, with a home assignment when a place is given."""
    with recording(by=by, via=Via.PAGE, why="Hired") as recorder:
        try:
            with transaction.atomic():
                officer = Officer.objects.create(agency=agency, **details)
        except IntegrityError as error:
            raise FactRefused(sentence_for(error, Officer) or "The member could not be recorded.") from error
        recorder.record(Employment(officer=officer, start_on=hired_on, category=category))
        if place is not None:
            recorder.record(_home(officer, place, hired_on))
    return officer


def rehire(officer: Officer, *, hired_on: date, category: str, place: Place | None, by: User | None) -> bool:
    """A member who comes back: another employment, and a home assignment when a place is given."""
    with recording(by=by, via=Via.PAGE, why="Rehired") as recorder:
        recorder.lock([officer.pk])
        same = Employment.objects.known().filter(officer=officer, start_on=hired_on, category=category)
        if same.exists():
            return False
        working = open_employment(officer)
        if working is not None:
            raise FactRefused(
                f"{officer.full_name} has been employed since {spoken(working.start_on)} without a last day. "
                "Record the separation first."
            )
        recorder.record(Employment(officer=officer, start_on=hired_on, category=category))
        if place is not None:
            for home in homes_of(officer):
                if home.end_on is None and home.start_on < hired_on:
                    correct(recorder, home, end_on=hired_on - ONE_DAY)
            recorder.record(_home(officer, place, hired_on))
    return True


def transfer(
    officer: Officer, place: Place, *, start_on: date, seen: int | None, by: User | None, why: str = ""
) -> bool:
    """End the home assignment the day before and record the next one.

    `seen` is the id of the home assignment that the person looked at (None = there was none): when another stands
    there now, somebody else was faster.
    """
    with recording(by=by, via=Via.PAGE, why=why or "Transferred") as recorder:
        recorder.lock([officer.pk])
        homes = homes_of(officer)
        last = homes[-1] if homes else None
        if last is not None and last.start_on == start_on and place.is_that_of(last):
            return False
        if (last.pk if last else None) != seen:
            raise FactRefused(MEANWHILE)
        if last is not None:
            if last.start_on >= start_on:
                raise FactRefused(
                    f"The home assignment to {last.unit} begins on {spoken(last.start_on)}. "
                    "Choose a later first day, or correct that assignment first."
                )
            if last.end_on is None and place.is_that_of(last):
                raise FactRefused(f"{officer.full_name} has this unit, shift and rank already. Change one of them.")
            if last.end_on is None or last.end_on >= start_on:
                correct(recorder, last, end_on=start_on - ONE_DAY)
        _refuse_closed_unit(place.unit, start_on)
        recorder.record(_home(officer, place, start_on))
    return True


def take_leave(
    officer: Officer, *, kind: str, start_on: date, end_on: date | None, approval: str, by: User | None
) -> bool:
    """A leave, with or without a last day."""
    with recording(by=by, via=Via.PAGE, why="Leave") as recorder:
        recorder.lock([officer.pk])
        leaves = list(Leave.objects.known().filter(officer=officer))
        for leave in leaves:
            if (leave.kind, leave.start_on, leave.end_on) == (kind, start_on, end_on):
                return False
            if leave.kind == kind and _overlap(leave.start_on, leave.end_on, start_on, end_on):
                until = f"through {spoken(leave.end_on)}" if leave.end_on else "without a last day"
                raise FactRefused(
                    f"There is {kind} leave from {spoken(leave.start_on)} {until} already. "
                    "Record the return from it first, or choose other days."
                )
        recorder.record(Leave(officer=officer, kind=kind, start_on=start_on, end_on=end_on, approval=approval))
    return True


def end_leave(leave: Leave, *, back_on: date, by: User | None) -> bool:
    """The return from a leave: its last day is the day before."""
    last_day = back_on - ONE_DAY
    with recording(by=by, via=Via.PAGE, why="Back from leave") as recorder:
        recorder.lock([leave.officer_id])
        if last_day < leave.start_on:
            raise FactRefused(f"The leave began on {spoken(leave.start_on)}: the day back must be later.")
        same = Leave.objects.known().filter(
            officer=leave.officer_id, kind=leave.kind, start_on=leave.start_on, end_on=last_day
        )
        if same.exists():
            return False
        correct(recorder, leave, end_on=last_day)
    return True


def designate(
    officer: Officer, *, code: str, start_on: date, end_on: date | None, is_voluntary: bool, by: User | None
) -> bool:
    """A designation, with or without a last day."""
    with recording(by=by, via=Via.PAGE, why="Designated") as recorder:
        recorder.lock([officer.pk])
        for held in Designation.objects.known().filter(officer=officer, code__iexact=code):
            if (held.start_on, held.end_on, held.is_voluntary) == (start_on, end_on, is_voluntary):
                return False
            if _overlap(held.start_on, held.end_on, start_on, end_on):
                until = f"through {spoken(held.end_on)}" if held.end_on else "without a last day"
                raise FactRefused(
                    f"{officer.full_name} holds {held.code} from {spoken(held.start_on)} {until} already. "
                    "End that first, or choose other days."
                )
        recorder.record(
            Designation(officer=officer, code=code, start_on=start_on, end_on=end_on, is_voluntary=is_voluntary)
        )
    return True


def end_designation(designation: Designation, *, last_day: date, by: User | None) -> bool:
    """The last day of a designation; what it was before stays in the record."""
    with recording(by=by, via=Via.PAGE, why="Designation ended") as recorder:
        recorder.lock([designation.officer_id])
        if last_day < designation.start_on:
            raise FactRefused(
                f"The designation began on {spoken(designation.start_on)}: the last day cannot be earlier."
            )
        same = Designation.objects.known().filter(
            officer=designation.officer_id,
            code=designation.code,
            start_on=designation.start_on,
            end_on=last_day,
        )
        if same.exists():
            return False
        correct(recorder, designation, end_on=last_day)
    return True


@dataclass(frozen=True, slots=True)
class Ending:
    """What a separation ends."""

    employment: Employment
    assignments: Sequence[Assignment]
    leaves: Sequence[Leave]


def what_separation_ends(officer: Officer) -> Ending | None:
    """The open employment with everything that is open beside it; None when the member is not employed."""
    employment = open_employment(officer)
    if employment is None:
        return None
    assignments = Assignment.objects.known().filter(officer=officer, end_on=None).select_related("unit", "shift")
    return Ending(employment, list(assignments.order_by("kind", "start_on")), open_leaves(officer))


def separate(officer: Officer, *, last_day: date, by: User | None, why: str = "") -> bool:
    """End the employment on that day, and with it every assignment and leave that would last longer."""
    with recording(by=by, via=Via.PAGE, why=why or "Separated") as recorder:
        recorder.lock([officer.pk])
        employment = open_employment(officer)
        if employment is None:
            if Employment.objects.known().filter(officer=officer, end_on=last_day).exists():
                return False
            raise FactRefused(f"{officer.full_name} is not employed any more.")
        if last_day < employment.start_on:
            raise FactRefused(f"The employment began on {spoken(employment.start_on)}: the last day cannot be earlier.")
        longer = Q(end_on=None) | Q(end_on__gt=last_day)
        ending: list[Assignment | Leave] = [
            *Assignment.objects.known().filter(longer, officer=officer).select_related("unit"),
            *Leave.objects.known().filter(longer, officer=officer),
        ]
        for fact in ending:
            if fact.start_on > last_day:
                what = f"The assignment to {fact.unit}" if isinstance(fact, Assignment) else "A leave"
                raise FactRefused(f"{what} begins on {spoken(fact.start_on)}, after the last day. Choose a later day.")
        correct(recorder, employment, end_on=last_day)
        for fact in ending:
            correct(recorder, fact, end_on=last_day)
    return True


def _home(officer: Officer, place: Place, start_on: date) -> Assignment:
    return Assignment(
        officer=officer,
        kind=AssignmentKind.HOME,
        unit=place.unit,
        shift=place.shift,
        rank=place.rank,
        start_on=start_on,
    )


def _refuse_closed_unit(unit: Unit, start_on: date) -> None:
    if unit.closed_on is not None and unit.closed_on < start_on:
        raise FactRefused(f"{unit} closed on {spoken(unit.closed_on)}. Choose a unit that is open on that day.")


def _overlap(start: date, end: date | None, other_start: date, other_end: date | None) -> bool:
    return start <= (other_end or date.max) and other_start <= (end or date.max)
