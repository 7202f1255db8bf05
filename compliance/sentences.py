"""What the answers say to a person: the one place where a reason becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from compliance.engine import Reason, State
from compliance.models import Edition
from training.models import Completion


def day(value: date) -> str:
    """`8 Aug 2029`."""
    return f"{value.day} {value:%b %Y}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 member`, `1,204 members`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


class Explained(Protocol):
    """Anything that has a standing's fields by id: a stored standing, or a row straight from the engine."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def start_on(self) -> date: ...
    @property
    def due_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Basis:
    """The completion a standing rests on."""

    title: str
    completed_on: date


def because(standing: Explained, edition: Edition, basis: Basis | None) -> str:
    """Why a standing is what it is: *Current through 17 Mar 2026: CIT refresher on 17 Mar 2023, renewed every ...*.

    `edition` comes with its requirement. No query.
    """
    cited = f" ({', '.join(edition.requirement.citations)})" if edition.requirement.citations else ""
    due = day(standing.due_on) if standing.due_on else ""
    course = f"{basis.title} on {day(basis.completed_on)}" if basis else ""
    match standing.state, standing.reason:
        case State.EXCUSED, _:
            return f"Excused: on leave{cited}."
        case State.CURRENT, _ if not due:
            return f"Current for good: {course}{cited}."
        case State.CURRENT, _:
            return f"Current through {due}: {course}, {renewal(edition)}{cited}."
        case State.IN_GRACE, Reason.BACK_FROM_LEAVE:
            back = count(edition.return_grace_days, "day")
            return f"In grace until {due}: back from leave, {back} to complete a course that counts{cited}."
        case State.IN_GRACE, _ if basis:
            return f"In grace until {due}, the first deadline here; {course} no longer carries{cited}."
        case State.IN_GRACE, _:
            return f"In grace until {due}, the first deadline here; no course that counts yet{cited}."
        case _, Reason.BACK_FROM_LEAVE:
            since = _after(standing.due_on)
            return f"Overdue since {since}: no course that counts within the days back from leave{cited}."
        case _, Reason.CREDIT_RAN_OUT:
            return f"Overdue since {_after(standing.due_on)}: {course} carried through {due}{cited}."
        case _ if basis:
            return f"Overdue since {_after(standing.due_on)}: {course} no longer carries, first deadline {due}{cited}."
    return f"Overdue since {_after(standing.due_on)}: no course that counts by the first deadline, {due}{cited}."


def _after(due_on: date | None) -> str:
    return day(due_on + timedelta(days=1)) if due_on else "always"


def renewal(edition: Edition) -> str:
    """`renewed every 36 months`: how long a credit of this edition lasts."""
    if edition.clock == "rolling":
        return f"renewed every {count(edition.months, 'month')}"
    if edition.clock == "calendar":
        return f"renewed by the end of the {_ordinal(edition.years)} calendar year after it"
    return "good for ever"


def _ordinal(number: int) -> str:
    words = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return words.get(number, f"{number}th")


def explanations(
    editions: Iterable[int], completions: Iterable[int | None]
) -> tuple[Mapping[int, Edition], Mapping[int | None, Basis]]:
    """What `because` needs for many standings at once: editions by id, and bases by id. Two queries."""
    found = Edition.objects.select_related("requirement", "population").in_bulk(set(editions))
    bases: dict[int | None, Basis] = {
        key: Basis(mapped or title, completed_on)
        for key, title, mapped, completed_on in Completion.objects.filter(
            pk__in={key for key in completions if key is not None}
        ).values_list("pk", "course__title", "course__same_as__title", "completed_on")
    }
    return found, bases


def rule(edition: Edition) -> str:
    """The rule of an edition in one plain sentence, made from its parameters. Two queries unless prefetched."""
    entry = [course.title for course in edition.entry_courses.all()]
    refresher = [course.title for course in edition.refresher_courses.all()]
    parts = [f"{edition.population.title}:"]
    if entry and refresher and edition.clock != "once":
        opens = "" if edition.refresher_stands_alone else " after it"
        parts.append(f"{_either(entry)}, and{opens} {_either([*refresher, *entry])} {_every(edition)}")
    elif entry or refresher:
        parts.append(f"{_either([*entry, *refresher])} {_every(edition)}")
    else:
        parts.append(f"no course counts yet, {_every(edition)}")
    asked = _minimums(edition)
    if asked:
        parts.append(f"with {', '.join(asked)};")
    else:
        parts[-1] += ";"
    parts.append(_first_due(edition) + _leave(edition) + ".")
    return " ".join(parts)


def _either(titles: list[str]) -> str:
    unique = list(dict.fromkeys(titles))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def _every(edition: Edition) -> str:
    if edition.clock == "rolling":
        return f"every {count(edition.months, 'month')}"
    if edition.clock == "calendar":
        return "every calendar year" if edition.years == 1 else f"every {edition.years} calendar years"
    return "once"


def _minimums(edition: Edition) -> list[str]:
    asked = []
    if edition.min_hours:
        asked.append(f"at least {float(edition.min_hours):g} hours on entry")
    if edition.refresher_min_hours:
        asked.append(f"at least {float(edition.refresher_min_hours):g} hours to refresh")
    if edition.min_block_hours:
        asked.append(f"blocks of at least {float(edition.min_block_hours):g} hours")
    if edition.min_score:
        asked.append(f"a score of at least {float(edition.min_score):g}")
    if edition.min_attendance:
        asked.append(f"at least {float(edition.min_attendance):g} % attended")
    if edition.modes:
        asked.append(f"taught as {_either([mode.replace('_', ' ') for mode in edition.modes])}")
    return asked


def _first_due(edition: Edition) -> str:
    if edition.first_due == "year_end":
        text = "first due at the end of the year of joining"
    elif edition.first_due == "next_year_end":
        text = "first due at the end of the year after joining"
    elif edition.entry_grace_days:
        text = f"first due {count(edition.entry_grace_days, 'day')} after joining"
    else:
        text = "due on joining"
    return text + (f", not before {day(edition.entry_due_on)}" if edition.entry_due_on else "")


def _leave(edition: Edition) -> str:
    if edition.leave != "exclude":
        return ""
    kinds = f" ({_either([kind.replace('_', ' ') for kind in edition.leave_kinds])})" if edition.leave_kinds else ""
    length = f" of {count(edition.leave_min_days, 'day')} or more" if edition.leave_min_days else ""
    back = f", with {count(edition.return_grace_days, 'day')} to catch up after it" if edition.return_grace_days else ""
    return f"; leave{kinds}{length} is excused{back}"
