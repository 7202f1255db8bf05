"""The class file: all that is kept of a class, as data, and as a PDF of it.

Who came, what was taught by whom and when, what was tested, what it came to, and every correction on a line of its own
with who, when and why. The same rows give the same bytes: the PDF is dated by the last entry, not by who asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import Q

from compliance import sentences
from compliance.class_papers import certificates, gather, missing
from compliance.class_papers.gather import length, moment, span
from compliance.reports import paper
from compliance.reports.paper import Data
from roster.files import StoredFile
from roster.models import Assignment
from training import class_records, judging
from training.class_records import ClassRecord
from training.completions import differences
from training.models import (
    Attendance,
    Certificate,
    ClassEvent,
    ClassPaper,
    ClassSession,
    Completion,
    Enrollment,
    Meeting,
    Qualification,
    TestAttempt,
)

TEMPLATE = Path(__file__).with_suffix(".typ")
#: Blocks side by side in the table of attendance.
BLOCKS_ABREAST = 10


@dataclass(frozen=True, slots=True)
class ClassFile:
    """Every row that the file of a class is made of. `read` makes one."""

    session: ClassSession
    record: ClassRecord
    #: with place, topic and instructors
    blocks: list[Meeting]
    seats: list[Enrollment]
    homes: dict[int, Assignment]
    qualifications: list[Qualification]
    events: list[ClassEvent]
    #: also those taken out of the file
    papers: list[ClassPaper]
    #: seat -> the certificate that holds
    certificates: dict[int, Certificate]
    #: voided completions of the class, and by their ids what took their place
    voided: list[Completion]
    later: dict[int, Completion]
    lacks: list[missing.Item]
    #: when it was asked what is missing
    now: datetime

    @property
    def kept_papers(self) -> list[ClassPaper]:
        return [row for row in self.papers if row.withdrawn_at is None]

    @property
    def last_entry_at(self) -> datetime:
        """When anything of it was last entered: nothing in the file is later."""
        lines, attempts = self.record.lines, self.record.attempts
        moments: list[datetime | None] = [self.session.created_at]
        moments += [seat.since for seat in self.seats]
        moments += [line.entered_at for line in lines] + [row.entered_at for row in attempts]
        moments += [event.at for event in self.events]
        moments += [at for row in self.papers for at in (row.file.uploaded_at, row.withdrawn_at)]
        moments += [row.voided_in.at for row in self.voided if row.voided_in is not None]
        if self.session.finished_in is not None:
            moments.append(self.session.finished_in.at)
        return max(at for at in moments if at is not None)


def read(session: ClassSession, *, now: datetime) -> ClassFile:
    """All of a class, in a fixed number of queries (28 at most), whatever the number of people."""
    blocks, seats = gather.blocks_of(session), gather.seats_of(session)
    officers = [seat.officer for seat in seats if seat.officer is not None]
    begins = blocks[0].starts_at if blocks else session.created_at
    teachers = {row.instructor_id for block in blocks for row in block.teaching.all()}
    voided = list(
        Completion.objects.filter(
            officer__in=officers, course=session.course_id, class_number__iexact=session.number, voided_in__isnull=False
        )
        .select_related("officer", "course", "voided_in__by")
        .order_by("voided_in", "pk")
    )
    later = Completion.objects.filter(replaces__in=voided).select_related("course").order_by("pk")
    return ClassFile(
        session=session,
        record=class_records.read(session),
        blocks=blocks,
        seats=seats,
        homes=gather.homes_on(gather.day_of(begins), officers),
        qualifications=list(
            Qualification.objects.filter(
                Q(course=None) | Q(course=session.course_id), instructor__in=teachers
            ).order_by("start_on", "pk")
        ),
        events=list(session.events.select_related("by").order_by("pk")),
        papers=list(session.papers.select_related("file__uploaded_by", "meeting", "withdrawn_by").order_by("pk")),
        certificates=certificates.of_class(seats),
        voided=voided,
        later={row.replaces_id: row for row in later if row.replaces_id is not None},
        lacks=missing.items(session, blocks, seats, now=now),
        now=now,
    )


def pdf(file: ClassFile) -> bytes:
    return paper.render(TEMPLATE, file_data(file), issued_at=file.last_entry_at)


def file_data(file: ClassFile) -> Data:
    """The class file as the template sets it."""
    session, plan = file.session, file.session.lesson_plan
    return {
        "title": f"Class file {session.number}",
        "agency": session.agency.name,
        "number": session.number,
        "course": session.course.title,
        "facts": _facts(file),
        "as_entered": moment(file.last_entry_at),
        "missing_on": moment(file.now),
        "missing": [item.sentence for item in file.lacks],
        "objectives": [line.strip() for line in plan.objectives.splitlines() if line.strip()] if plan else [],
        "plan": _plan(file),
        "blocks": _blocks(file),
        "instructors": _instructors(file),
        "attendees": [_attendee(row) for row in attendee_rows(file)],
        "grids": _grids(file),
        "make_ups": _make_ups(file),
        "tests": [_test(each, file.record) for each in file.record.tests],
        "attempts": attempts(file),
        "corrections": [line.as_data() for line in corrections(file)],
        "events": [_event(event) for event in file.events],
        "papers": [_paper(row, file) for row in file.kept_papers],
    }


# The class


def _facts(file: ClassFile) -> list[tuple[str, str]]:
    session, course = file.session, file.session.course
    told = [
        ("Course", ", ".join(filter(None, (f"{course.title} ({course.code})", gather.hours(course.hours))))),
        ("Provider", course.provider),
        ("State approval", course.state_approval),
        ("Days", gather.days_of(file.blocks)),
        ("Place", gather.place_of(session)),
        ("Host", session.agency.name),
        ("State", str(session.get_state_display())),
        ("Asked of everybody", _asked(session)),
        ("Seats", f"{len(gather.expected(file.seats))} of {session.capacity}"),
        ("Note", session.note),
    ]
    return [(name, value) for name, value in told if value]


def _asked(session: ClassSession) -> str:
    course = session.course
    asked = [
        f"attendance of {_percent(course.min_attendance)}" if course.min_attendance else "",
        f"a score of {_percent(course.min_score)} in every test" if course.min_score else "",
    ]
    return " and ".join(filter(None, asked))


def _plan(file: ClassFile) -> dict[str, str] | None:
    plan = file.session.lesson_plan
    if plan is None:
        return None
    ends = f" to {sentences.day(plan.end_on)}" if plan.end_on else ""
    approved = f"{plan.approved_by}{', ' if plan.approved_by and plan.approved_on else ''}"
    return {
        "version": plan.version,
        "in_force": f"from {sentences.day(plan.start_on)}{ends}",
        "approved": f"{approved}{sentences.day(plan.approved_on) if plan.approved_on else ''}",
        "file": plan.file.name if plan.file else "",
        "sha256": plan.file.sha256 if plan.file else "",
    }


def _blocks(file: ClassFile) -> list[Data]:
    return [
        {
            "name": gather.block_name(number, block),
            "topic": block.topic.name if block.topic else "",
            "planned": span(block.starts_at, block.ends_at),
            "minutes": length(class_records.planned_minutes(block)),
            "real": span(block.began_at, block.ended_at) if block.began_at and block.ended_at else "",
            "real_minutes": length(gather.minutes_between(block.began_at, block.ended_at))
            if block.began_at and block.ended_at
            else "",
            "place": gather.place_of(file.session, block) if block.place_id != file.session.place_id else "",
            "instructors": [
                {"name": str(row.instructor), **_doubt(row.instructor_id, block, file)} for row in block.teaching.all()
            ],
        }
        for number, block in enumerate(file.blocks, start=1)
    ]


def _doubt(instructor: int, block: Meeting, file: ClassFile) -> dict[str, Any]:
    """What to say of an instructor's qualification on the day of a block; blank where one was in force."""
    rows = [row for row in file.qualifications if row.instructor_id == instructor]
    day = class_records.day_of(block)
    if any(row.start_on <= day and (row.end_on is None or row.end_on >= day) for row in rows):
        return {"doubt": "", "is_lack": False}
    return {"doubt": "no qualification in force" if rows else "no qualification entered", "is_lack": bool(rows)}


def _instructors(file: ClassFile) -> list[Data]:
    taught: dict[int, list[int]] = {}
    known: dict[int, Any] = {}
    for number, block in enumerate(file.blocks, start=1):
        for row in block.teaching.all():
            taught.setdefault(row.instructor_id, []).append(number)
            known[row.instructor_id] = row.instructor
    return [
        {
            "name": str(known[key]),
            "employer": known[key].employer or (f"id {known[key].officer.employee_id}" if known[key].officer else ""),
            "blocks": ", ".join(map(str, numbers)),
            "qualifications": [_qualification(row) for row in file.qualifications if row.instructor_id == key],
        }
        for key, numbers in taught.items()
    ]


def _qualification(row: Qualification) -> str:
    since = f"{row.title}, from {sentences.day(row.start_on)}"
    return f"{since} to {sentences.day(row.end_on)}" if row.end_on else since


# The people

ATTENDEE_COLUMNS = (
    "employee_id",
    "name",
    "agency",
    "unit",
    "seat",
    "attendance",
    "score",
    "outcome",
    "completed_on",
    "certificate",
    "why",
)


def attendee_rows(file: ClassFile) -> list[tuple[str, ...]]:
    """Everybody on the list, as `roster.csv` and the class file name them; attendance and score in percent."""
    found: list[tuple[str, ...]] = []
    for seat in file.seats:
        person, home = gather.person_of(seat), file.homes.get(seat.officer_id or 0)
        certificate, attendance, score = file.certificates.get(seat.pk), seat.outcome_attendance, seat.outcome_score
        if not seat.outcome and seat.pk in file.record.minutes and seat.state in class_records.SEATED:
            judged = file.record.judge(seat)
            attendance, score = judged.attendance, judged.score
        found.append(
            (
                person.id,
                person.name,
                person.agency,
                " · ".join(str(part) for part in (home.unit, home.shift) if part) if home else "",
                str(seat.get_state_display()),
                f"{attendance:.2f}" if attendance is not None else "",
                judging.plain(score) if score is not None else "",
                str(seat.get_outcome_display()) if seat.outcome else "",
                seat.outcome_on.isoformat() if seat.outcome_on else "",
                certificate.number if certificate else "",
                seat.outcome_why or seat.why,
            )
        )
    return found


def _attendee(row: Sequence[str]) -> dict[str, str]:
    said = dict(zip(ATTENDEE_COLUMNS, row, strict=True))
    day = said["completed_on"]
    return {**said, "completed_on": sentences.day(date.fromisoformat(day)) if day else ""}


def _grids(file: ClassFile) -> list[Data]:
    """Minutes of everybody in every block, so many blocks abreast; what was made up stands behind a plus."""
    record, grids = file.record, []
    for first in range(0, len(record.blocks), BLOCKS_ABREAST):
        part = record.blocks[first : first + BLOCKS_ABREAST]
        heads = [
            {"name": str(first + place), "minutes": str(class_records.length(block))}
            for place, block in enumerate(part, start=1)
        ]
        rows = [[seat.name, *(_cell(record, seat, block) for block in part)] for seat in record.seats]
        grids.append({"heads": heads, "rows": rows})
    return grids


def _cell(record: ClassRecord, seat: Enrollment, block: Meeting) -> str:
    mark = record.marks.get((seat.pk, block.pk))
    made_up = sum(line.minutes for line in record.made_up.get(seat.pk, ()) if line.meeting_id == block.pk)
    said = str(mark.minutes) if mark is not None else "–"
    return f"{said} +{made_up}" if made_up else said


def _make_ups(file: ClassFile) -> list[dict[str, str]]:
    names = {block.pk: gather.block_name(number, block) for number, block in enumerate(file.blocks, start=1)}
    return [
        {
            "name": seat.name,
            "block": names.get(line.meeting_id, ""),
            "minutes": str(line.minutes),
            "where": _made_up_where(line.made_up_in),
            "entered": _entered(line),
        }
        for seat in file.record.seats
        for line in file.record.made_up.get(seat.pk, ())
        if line.made_up_in is not None
    ]


def _made_up_where(block: Meeting) -> str:
    return f"class {block.session.number}, {span(block.starts_at, block.ends_at)}"


def _test(test: Any, record: ClassRecord) -> str:
    asked = judging.AskedTest(test.pk, test.name, test.pass_mark)
    return f"{test.name}: {_percent(record.terms.pass_mark(asked))} passes"


def in_order(file: ClassFile) -> list[TestAttempt]:
    """Every attempt by name, test and day; those that were corrected or struck too."""
    names = {seat.pk: seat.name.casefold() for seat in file.seats}
    return sorted(
        file.record.attempts,
        key=lambda row: (names[row.enrollment_id], row.enrollment_id, row.test.name, row.taken_on, row.pk),
    )


def attempts(file: ClassFile) -> list[dict[str, str]]:
    """Every attempt, in that order, as it is told."""
    return [_attempt(row, file) for row in in_order(file)]


def _attempt(row: TestAttempt, file: ClassFile) -> dict[str, str]:
    """An attempt as it stands, or with what became of it."""
    names = {seat.pk: seat.name for seat in file.seats}
    replaced = {each.replaces_id: each for each in file.record.attempts if each.replaces_id is not None}
    after = replaced.get(row.pk)
    asked = judging.AskedTest(row.test_id, row.test.name, row.test.pass_mark)
    result = "passed" if file.record.terms.passes(asked, row.score) else "failed"
    if row.is_struck or after is not None:
        result = "struck" if row.is_struck or (after is not None and after.is_struck) else "corrected"
    return {
        "name": names[row.enrollment_id],
        "test": row.test.name,
        "taken": sentences.day(row.taken_on),
        "taken_on": row.taken_on.isoformat(),
        "score": judging.plain(row.score),
        "result": result,
        "remedial": sentences.day(row.remedial_on) if row.remedial_on else "",
        "remedial_on": row.remedial_on.isoformat() if row.remedial_on else "",
        "entered": _entered(row),
    }


# What happened to it


@dataclass(frozen=True, slots=True)
class Correction:
    """One line: what was entered before, what after, who, when and why."""

    at: datetime
    who: str
    what: str
    why: str

    def as_data(self) -> dict[str, str]:
        return {"at": moment(self.at), "who": self.who, "what": self.what, "why": self.why}


def corrections(file: ClassFile) -> list[Correction]:
    """Every correction of attendance, tests, completions and papers, in the order in which they were made."""
    found = [*_of_attendance(file), *_of_tests(file), *_of_completions(file), *_of_papers(file)]
    return sorted(found, key=lambda line: line.at)


def _of_attendance(file: ClassFile) -> Iterable[Correction]:
    names = {seat.pk: seat.name for seat in file.seats}
    blocks = {block.pk: gather.block_name(number, block) for number, block in enumerate(file.blocks, start=1)}
    before: dict[tuple[int, int, int | None], Attendance] = {}
    for line in file.record.lines:
        key = (line.enrollment_id, line.meeting_id, line.made_up_in_id)
        was = before.get(key)
        before[key] = line
        if was is not None and was.minutes != line.minutes:
            made_up = f", made up in class {line.made_up_in.session.number}" if line.made_up_in else ""
            what = (
                f"{names[line.enrollment_id]}, {blocks[line.meeting_id]}{made_up}: {was.minutes} → {line.minutes} min"
            )
            yield Correction(line.entered_at, _who(line.entered_by), what, line.why)


def _of_tests(file: ClassFile) -> Iterable[Correction]:
    names = {seat.pk: seat.name for seat in file.seats}
    by_id = {row.pk: row for row in file.record.attempts}
    for row in file.record.attempts:
        if row.replaces_id is None:
            continue
        was = by_id[row.replaces_id]
        what = (
            f"{names[row.enrollment_id]}, {row.test.name}: {_said(was)} → {'struck' if row.is_struck else _said(row)}"
        )
        yield Correction(row.entered_at, _who(row.entered_by), what, row.why)


def _said(row: TestAttempt) -> str:
    remedial = f", remedial training {sentences.day(row.remedial_on)}" if row.remedial_on else ""
    return f"{judging.plain(row.score)} % on {sentences.day(row.taken_on)}{remedial}"


def _of_completions(file: ClassFile) -> Iterable[Correction]:
    for row in file.voided:
        change, later = row.voided_in, file.later.get(row.pk)
        if change is None or change.at is None:
            continue
        said = f"Completion of {row.officer.listed_name} on {sentences.day(row.completed_on)}"
        became = f"corrected: {differences(row, later) or 'nothing'}" if later else "voided"
        yield Correction(change.at, _who(change.by), f"{said} {became}", change.why)


def _of_papers(file: ClassFile) -> Iterable[Correction]:
    for row in file.papers:
        if row.withdrawn_at is not None:
            what = f"Taken out of the file: {row.file.name} ({row.get_kind_display()})"
            yield Correction(row.withdrawn_at, _who(row.withdrawn_by), what, row.withdrawn_why)


def _event(event: ClassEvent) -> Data:
    return {
        "at": moment(event.at),
        "who": _who(event.by),
        # What happened to seats says of itself what it is, line by line.
        "what": "" if event.what == ClassEvent.What.SEATS else str(event.get_what_display()),
        "told": event.told.splitlines(),
        "why": event.why,
    }


def _paper(row: ClassPaper, file: ClassFile) -> dict[str, str]:
    numbers = {block.pk: number for number, block in enumerate(file.blocks, start=1)}
    of_block = f", block {numbers[row.meeting_id]}" if row.meeting_id in numbers else ""
    return {"kind": f"{row.get_kind_display()}{of_block}", "note": row.note, **_stored(row.file)}


def _stored(file: StoredFile) -> dict[str, str]:
    return {
        "name": file.name,
        "size": f"{file.size:,} bytes",
        "sha256": file.sha256,
        "uploaded": f"{moment(file.uploaded_at)}{_by(file.uploaded_by)}",
    }


def _entered(line: Attendance | TestAttempt) -> str:
    return f"{moment(line.entered_at)}{_by(line.entered_by)}"


def _who(user: Any) -> str:
    return sentences.name_of(user) if user is not None else "not a person"


def _by(user: Any) -> str:
    return f", {sentences.name_of(user)}" if user is not None else ""


def _percent(value: Decimal) -> str:
    return f"{judging.plain(value)} %"
