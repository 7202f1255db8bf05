"""Sign-in sheets: one for each block, or all of them in one file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from compliance.class_papers import gather
from compliance.reports import paper
from compliance.reports.paper import Data
from training.models import ClassSession, Enrollment, Meeting

TEMPLATE = Path(__file__).with_suffix(".typ")
#: Lines for people who come without a seat, and for corrections.
WALK_INS, CORRECTION_LINES = 6, 3


def sheets(session: ClassSession, *, block: int | None = None) -> bytes:
    """A PDF with the sheet of one block, by its number from 1, or of all. `LookupError` where there is none.

    A class without blocks has no sheet. Three queries.
    """
    blocks = gather.blocks_of(session)
    wanted = list(enumerate(blocks, start=1))
    if block is not None:
        wanted = [(number, each) for number, each in wanted if number == block]
    if not wanted:
        raise LookupError("There is no such block.")
    data = sheet_data(session, wanted, gather.expected(gather.seats_of(session)))
    return paper.render(TEMPLATE, data, issued_at=_begins(wanted))


def _begins(blocks: Sequence[tuple[int, Meeting]]) -> datetime:
    return blocks[0][1].starts_at


def sheet_data(session: ClassSession, blocks: Sequence[tuple[int, Meeting]], seats: Sequence[Enrollment]) -> Data:
    people = [gather.person_of(seat) for seat in seats]
    return {
        "title": f"Sign-in sheets of class {session.number}",
        "agency": session.agency.name,
        "number": session.number,
        "notice": gather.notice_of(session),
        "course": session.course.title,
        "lesson_plan": session.lesson_plan.version if session.lesson_plan else "",
        "blocks": [
            {
                "name": gather.block_name(number, block),
                "when": gather.span(block.starts_at, block.ends_at),
                "length": gather.length(gather.minutes_between(block.starts_at, block.ends_at)),
                "topic": block.topic.name if block.topic and block.title else "",
                "place": gather.place_of(session, block),
                "instructors": gather.instructors_of(block) or "none named yet",
            }
            for number, block in blocks
        ],
        "people": [{"id": person.id, "name": person.name, "agency": person.agency} for person in people],
        "walk_ins": WALK_INS,
        "correction_lines": CORRECTION_LINES,
    }
