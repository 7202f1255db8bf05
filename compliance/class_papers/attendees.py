"""The roster of a class on paper, with lines on which it is approved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compliance.class_papers import gather
from compliance.reports import paper
from compliance.reports.paper import Data
from roster.models import Assignment
from training.models import ClassSession, Enrollment, Meeting, SeatState

TEMPLATE = Path(__file__).with_suffix(".typ")


def roster(session: ClassSession) -> bytes:
    """A PDF. Four queries."""
    blocks, seats = gather.blocks_of(session), gather.seats_of(session)
    begins = blocks[0].starts_at if blocks else session.created_at
    officers = [seat.officer for seat in seats if seat.officer is not None]
    homes = gather.homes_on(gather.day_of(begins), officers)
    data = roster_data(session, blocks, seats, homes)
    return paper.render(TEMPLATE, data, issued_at=max([seat.since for seat in seats], default=session.created_at))


def roster_data(
    session: ClassSession, blocks: Sequence[Meeting], seats: Sequence[Enrollment], homes: dict[int, Assignment]
) -> Data:
    """Who has a seat, who waits in which order, and who withdrew."""
    waiting = sorted((seat for seat in seats if seat.state == SeatState.WAITLISTED), key=lambda seat: seat.since)
    withdrawn = [seat for seat in seats if seat.state == SeatState.WITHDRAWN]
    taken = gather.expected(seats)
    lists = [("Attendees", taken, "Nobody has a seat yet."), ("Waitlist, first come first", waiting, "")]
    lists.append(("Withdrawn", withdrawn, ""))
    return {
        "title": f"Roster of class {session.number}",
        "agency": session.agency.name,
        "number": session.number,
        "notice": gather.notice_of(session),
        "course": session.course.title,
        "hours": gather.hours(session.course.hours),
        "days": gather.days_of(blocks),
        "place": gather.place_of(session),
        "lesson_plan": session.lesson_plan.version if session.lesson_plan else "",
        "instructors": ", ".join(gather.all_instructors(blocks)),
        "seats": f"{len(taken)} of {session.capacity}",
        "as_entered": gather.moment(max([seat.since for seat in seats], default=session.created_at)),
        "lists": [
            {
                "heading": f"{heading}: {len(people)}",
                "quiet": quiet,
                "people": [_line(seat, homes) for seat in people],
            }
            for heading, people, quiet in lists
            if people or quiet
        ],
    }


def _line(seat: Enrollment, homes: dict[int, Assignment]) -> dict[str, str]:
    person, home = gather.person_of(seat), homes.get(seat.officer_id or 0)
    unit = " · ".join(str(part) for part in (home.unit, home.shift) if part) if home else ""
    said = str(seat.get_state_display())
    return {
        "id": person.id,
        "name": person.name,
        "agency": person.agency,
        "unit": unit,
        "seat": f"{said}: {seat.why}" if seat.why else said,
    }
