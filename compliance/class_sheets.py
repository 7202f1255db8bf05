"""Attendance and tests of a class as pages and files show them: one row a person, one column a block or a test."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone

from roster.records import spoken
from training.class_records import SEATED, Cell, ClassRecord, day_of, length, made_up_on
from training.judging import count_minutes, percent, reaches, spoken_minutes
from training.models import Attendance, CourseTest, Enrollment, Meeting, SeatState, TestAttempt
from training.tests_taken import spoken_attempt

PRESENT, ABSENT = "p", "a"


def mark_text(line: Attendance | None, block: Meeting) -> str:
    """What a cell shows: p for the whole block, a for none of it, else minutes; blank where nobody marked it."""
    if line is None:
        return ""
    whole = length(block)
    if line.minutes >= whole:
        return PRESENT
    return str(line.minutes) if line.minutes else ABSENT


def cell_name(cell: Cell) -> str:
    """The name of a cell's field."""
    return f"m-{cell[0]}-{cell[1]}"


@dataclass(frozen=True, slots=True)
class Column:
    """A block as the head of a column."""

    block: Meeting
    day: str
    hours: str
    long: str
    #: nobody can be marked yet
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """One cell of the grid."""

    name: str
    text: str
    label: str
    #: who marked it when, and what was made up: the words behind the cell
    told: str
    #: what somebody put in it meanwhile, or what is wrong with what was typed
    note: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A person's row of the grid."""

    seat: Enrollment
    marks: list[Mark]
    #: `36 h of 40 h`
    attended: str
    share: Decimal | None
    #: below what the course asks for, even if every block not marked yet were attended
    is_short: bool
    #: blocks not marked
    unmarked: int
    made_up: str
    #: why nothing can be entered; blank where it can
    closed: str


@dataclass(frozen=True, slots=True)
class Grid:
    columns: list[Column]
    rows: list[Row]


def grid(
    record: ClassRecord,
    *,
    today: date,
    is_open: bool,
    own: Collection[int] = (),
    typed: Mapping[Cell, str] | None = None,
    notes: Mapping[Cell, str] | None = None,
) -> Grid:
    """The grid of people by blocks; `typed` are texts to show instead of what is recorded. No query."""
    typed, notes = typed or {}, notes or {}
    columns = [_column(block, today) for block in record.blocks]
    rows = []
    for seat in record.seats:
        closed = "" if is_open else " "
        if seat.state not in SEATED:
            closed = seat.get_state_display()
        elif seat.state == SeatState.NO_SHOW:
            closed = "did not come"
        elif seat.officer_id in own:
            closed = "your own seat"
        marks = []
        for column in columns:
            cell, line = (seat.pk, column.block.pk), record.marks.get((seat.pk, column.block.pk))
            marks.append(
                Mark(
                    name=cell_name(cell),
                    text=typed.get(cell, mark_text(line, column.block)),
                    label=f"{seat.name}, {column.long}",
                    told=_told(line),
                    note=notes.get(cell, ""),
                    is_open=not closed and not column.is_ahead,
                )
            )
        attended = count_minutes(record.terms, record.seat(seat))
        unmarked = [length(block) for block in record.blocks if (seat.pk, block.pk) not in record.marks]
        most = attended.minutes + sum(unmarked)
        rows.append(
            Row(
                seat=seat,
                marks=marks,
                attended=f"{spoken_minutes(attended.minutes)} of {spoken_minutes(record.terms.minutes)}",
                share=percent(attended.minutes, record.terms.minutes),
                is_short=not reaches(most, record.terms.minutes, record.terms.min_attendance),
                unmarked=len(unmarked),
                made_up=spoken_minutes(attended.made_up) if attended.made_up else "",
                closed=closed.strip(),
            )
        )
    return Grid(columns, rows)


def _column(block: Meeting, today: date) -> Column:
    starts, ends = timezone.localtime(block.starts_at), timezone.localtime(block.ends_at)
    hours = f"{starts:%H:%M}–{ends:%H:%M}"
    what = block.title or (block.topic.name if block.topic else "")
    long = f"{starts:%a} {spoken(day_of(block))} {hours}"
    return Column(
        block,
        f"{starts:%a} {starts.day} {starts:%b}",
        hours,
        f"{long}, {what}" if what else long,
        day_of(block) > today,
    )


def _told(line: Attendance | None) -> str:
    if line is None:
        return ""
    who = (line.entered_by.get_full_name() or line.entered_by.get_username()) if line.entered_by else "a command"
    why = f": {line.why}" if line.why else ""
    return f"{who}, {timezone.localtime(line.entered_at):%-d %b %Y %H:%M}{why}"


def grid_file(record: ClassRecord, *, today: date) -> list[list[object]]:
    """The grid as a file has it: minutes, blank where nobody marked a cell."""
    shown = grid(record, today=today, is_open=False)
    head: list[object] = [
        "Id",
        "Name",
        "Seat",
        *(column.long for column in shown.columns),
        "Made up",
        "Attendance, percent",
    ]
    rows: list[list[object]] = [head]
    for row in shown.rows:
        minutes = record.minutes.get(row.seat.pk, {})
        attended = count_minutes(record.terms, record.seat(row.seat))
        rows.append(
            [
                row.seat.officer.employee_id if row.seat.officer else row.seat.outside_id,
                row.seat.name,
                row.seat.get_state_display(),
                *(minutes.get(column.block.pk) for column in shown.columns),
                attended.made_up,
                row.share,
            ]
        )
    return rows


@dataclass(frozen=True, slots=True)
class Missed:
    """A block that a person missed in part or whole, with what was made up of it."""

    seat: Enrollment
    block: Meeting
    minutes: int
    made_up: list[Attendance]

    @property
    def left(self) -> int:
        return self.minutes - sum(line.minutes for line in self.made_up)

    @property
    def key(self) -> str:
        return f"{self.seat.pk}-{self.block.pk}"

    @property
    def words(self) -> str:
        return f"{self.seat.name}: {_column(self.block, date.max).long}, {spoken_minutes(self.left)} to make up"

    @property
    def when(self) -> str:
        return _column(self.block, date.max).long

    @property
    def missed(self) -> str:
        return spoken_minutes(self.minutes)

    @property
    def parts(self) -> list[tuple[Attendance, str]]:
        """Each make-up with its words."""
        return [(line, _told_make_up(line)) for line in self.made_up]


def _told_make_up(line: Attendance) -> str:
    number = line.made_up_in.session.number if line.made_up_in else ""
    return f"{spoken_minutes(line.minutes)} in class {number} on {spoken(made_up_on(line))}"


def missed(record: ClassRecord) -> list[Missed]:
    """What everybody who came missed, by person and block. No query."""
    found = []
    for seat in record.seated:
        minutes = record.minutes.get(seat.pk, {})
        if not any(minutes.values()) and seat.pk not in record.made_up:
            continue
        for block in record.blocks:
            made_up = [line for line in record.made_up.get(seat.pk, ()) if line.meeting_id == block.pk]
            short = length(block) - minutes.get(block.pk, length(block))
            if seat.state == SeatState.ENROLLED and (short > 0 or made_up):
                found.append(Missed(seat, block, max(short, 0), made_up))
    return found


@dataclass(frozen=True, slots=True)
class Tried:
    """A person and a test: the attempts, oldest first, and whether the last one that stands passes."""

    test: CourseTest
    #: (attempt, words, stands)
    attempts: list[tuple[TestAttempt, str, bool]]
    #: passed, failed or not taken
    came_to: str


@dataclass(frozen=True, slots=True)
class Taker:
    """A person with the attempts at each test, and the field for the next score."""

    seat: Enrollment
    tried: list[Tried]
    #: why nothing can be entered; blank where it can
    closed: str
    text: str
    note: str

    @property
    def name(self) -> str:
        return f"s-{self.seat.pk}"


def takers(
    record: ClassRecord, own: Collection[int], typed: Mapping[int, str], notes: Mapping[int, str]
) -> list[Taker]:
    """Everybody's attempts by test, corrected ones too; with what was typed, by seat. No query."""
    rows = []
    lines: dict[tuple[int, int], list[TestAttempt]] = {}
    for attempt in record.attempts:
        if not attempt.is_struck:
            lines.setdefault((attempt.enrollment_id, attempt.test_id), []).append(attempt)
    for seat in record.seats:
        standing = [written.attempt for written in record.standing.get(seat.pk, ())]
        tried = []
        for test in record.tests:
            told = [(each, _told_attempt(each), each in standing) for each in lines.get((seat.pk, test.pk), ())]
            tried.append(Tried(test, told, _came_to(record, test, standing)))
        closed = seat.get_state_display() if seat.state not in SEATED else ""
        closed = closed or ("your own seat" if seat.officer_id in own else "")
        rows.append(Taker(seat, tried, closed, typed.get(seat.pk, ""), notes.get(seat.pk, "")))
    return rows


def _came_to(record: ClassRecord, test: CourseTest, standing: list[TestAttempt]) -> str:
    last = [attempt for attempt in standing if attempt.test_id == test.pk][-1:]
    if not last:
        return "not taken"
    return "passed" if last[0].score >= record.pass_mark(test) else "failed"


def _told_attempt(attempt: TestAttempt) -> str:
    remedial = f", remedial training on {spoken(attempt.remedial_on)}" if attempt.remedial_on else ""
    return f"{spoken_attempt(attempt)}{remedial}"


def attempt_file(record: ClassRecord) -> list[list[object]]:
    """Every attempt as a file has it, with what became of it."""
    rows: list[list[object]] = [
        ["Id", "Name", "Test", "Taken on", "Score, percent", "Remedial training on", "Stands", "Why corrected"]
    ]
    replaced = {attempt.replaces_id for attempt in record.attempts}
    seats = {seat.pk: seat for seat in record.seats}
    for attempt in record.attempts:
        seat = seats[attempt.enrollment_id]
        stands = "no" if attempt.pk in replaced or attempt.is_struck else "yes"
        rows.append(
            [
                seat.officer.employee_id if seat.officer else seat.outside_id,
                seat.name,
                attempt.test.name,
                attempt.taken_on,
                attempt.score,
                attempt.remedial_on,
                stands,
                attempt.why,
            ]
        )
    return rows
