"""The class file: all that is kept of a class, as data, and as a PDF of it.

Who came, what was taught by whom and when, what was tested, what it came to, and every correction on a line of its own
with who, when and why. The same rows give the same bytes: the PDF is dated by the last entry, not by who asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db.models import Q

from compliance import sentences
from compliance.class_papers import certificates, gather, keeping, missing
from compliance.class_papers.gather import length, moment, span
from compliance.reports import paper
from compliance.reports.paper import Data
from roster.files import StoredFile
from roster.models import Assignment
from training import class_records, judging
from training.class_records import Asked, ClassRecord
from training.completions import differences
from training.models import (
    Attendance,
    Certificate,
    ClassEvent,
    ClassPaper,
    ClassSession,
    ClassState,
    Completion,
    Enrollment,
    Meeting,
    Qualification,
    TestAttempt,
)

TEMPLATE = Path(__file__).with_suffix(".typ")
#: Blocks side by side in the table of attendance.
BLOCKS_ABREAST = 10


@dataclass(frozen=True)
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
    #: what people of other classes made up in this one; the lines that hold
    guests: list[Attendance]
    #: stored file -> what is wrong with it, of those that are not as they came
    problems: dict[int, str]
    #: voided completions of the class, and by their ids what took their place
    voided: list[Completion]
    later: dict[int, Completion]
    lacks: list[missing.Item]
    #: when it was asked what is missing
    now: datetime

    @property
    def kept_papers(self) -> list[ClassPaper]:
        return [row for row in self.papers if row.withdrawn_at is None]

    @cached_property
    def names(self) -> dict[int, str]:
        """Seat -> the name by which lines tell it."""
        return gather.names_of(self.seats)

    @property
    def missing(self) -> list[str]:
        """What is missing, in sentences: of the class, and files that are kept and cannot be handed out any more."""
        return [*(item.sentence for item in self.lacks), *self.problems.values()]

    @property
    def is_settled(self) -> bool:
        """Whether what is missing can only change by an entry, not by the hour."""
        return self.session.state == ClassState.FINISHED

    @property
    def last_entry_at(self) -> datetime:
        """When anything of it was last entered: nothing in the file is later."""
        lines, attempts = self.record.lines, self.record.attempts
        moments: list[datetime | None] = [self.session.created_at]
        moments += [seat.since for seat in self.seats]
        moments += [line.entered_at for line in (*lines, *self.guests)] + [row.entered_at for row in attempts]
        moments += [event.at for event in self.events]
        moments += [at for row in self.papers for at in (row.file.uploaded_at, row.withdrawn_at)]
        moments += [row.voided_in.at for row in self.voided if row.voided_in is not None]
        if self.session.lesson_plan is not None and self.session.lesson_plan.file is not None:
            moments.append(self.session.lesson_plan.file.uploaded_at)
        if self.session.finished_in is not None:
            moments.append(self.session.finished_in.at)
        return max(at for at in moments if at is not None)


def read(session: ClassSession, *, now: datetime) -> ClassFile:
    """All of a class, in a fixed number of queries (30 at most) for any number of people; reads every kept file."""
    blocks, seats = gather.blocks_of(session), gather.seats_of(session)
    officers = [seat.officer for seat in seats if seat.officer is not None]
    begins = blocks[0].starts_at if blocks else session.created_at
    teachers = {row.instructor_id for block in blocks for row in block.teaching.all()}
    voided = list(
        Completion.objects.filter(
            certificates.earned_in(session),
            voided_in__isnull=False,
            officer__in=certificates.records_of([officer.pk for officer in officers]),
        )
        .select_related("officer", "course", "voided_in__by")
        .order_by("voided_in", "pk")
    )
    later = Completion.objects.filter(replaces__in=voided).select_related("course", "officer").order_by("pk")
    papers = list(session.papers.select_related("file__uploaded_by", "meeting", "withdrawn_by").order_by("pk"))
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
        papers=papers,
        certificates=certificates.of_class(seats),
        guests=_guests(session),
        problems=keeping.problems(session, papers)[0],
        voided=voided,
        later={row.replaces_id: row for row in later if row.replaces_id is not None},
        lacks=missing.items(session, blocks, seats, now=now),
        now=now,
    )


def _guests(session: ClassSession) -> list[Attendance]:
    """What people of other classes made up in the blocks of this one: the lines that hold, by name. One query."""
    rows = (
        Attendance.objects.filter(made_up_in__session=session)
        .exclude(enrollment__session=session)
        .select_related("enrollment__officer__agency", "enrollment__session", "entered_by")
    )
    latest = {(row.enrollment_id, row.meeting_id, row.made_up_in_id): row for row in rows.order_by("pk")}
    found = [row for row in latest.values() if row.minutes]
    return sorted(found, key=lambda row: (row.enrollment.name.casefold(), row.enrollment_id, row.pk))


def pdf(file: ClassFile) -> bytes:
    return paper.render(TEMPLATE, file_data(file), issued_at=file.last_entry_at)


def file_data(file: ClassFile) -> Data:
    """The class file as the template sets it."""
    session, plan = file.session, file.session.lesson_plan
    return {
        "title": f"Class file {session.number}",
        "notice": gather.notice_of(session),
        "agency": session.agency.name,
        "number": session.number,
        "course": session.course.title,
        "facts": _facts(file),
        "as_entered": moment(file.last_entry_at),
        "missing_on": moment(file.last_entry_at if file.is_settled else file.now),
        "missing": file.missing,
        "objectives": [line.strip() for line in plan.objectives.splitlines() if line.strip()] if plan else [],
        "plan": _plan(file),
        "blocks": _blocks(file),
        "instructors": _instructors(file),
        "attendees": [_attendee(row) for row in attendee_rows(file)],
        "grids": _grids(file),
        "make_ups": _make_ups(file),
        "guests": [_guest(line, file) for line in file.guests],
        "tests": [_test(each, file.record) for each in file.record.asked.tests],
        "attempts": attempts(file),
        "corrections": [line.as_data() for line in corrections(file)],
        "events": [_event(event) for event in file.events],
        "papers": [_paper(row, file) for row in file.kept_papers],
    }


# The class


def _facts(file: ClassFile) -> list[tuple[str, str]]:
    session, course, asked = file.session, file.session.course, file.record.asked
    told = [
        ("Course", ", ".join(filter(None, (f"{course.title} ({course.code})", gather.hours(asked.hours))))),
        ("Provider", course.provider),
        ("State approval", asked.state_approval),
        ("Days", gather.days_of(file.blocks)),
        ("Place", gather.place_of(session)),
        ("Host", session.agency.name),
        ("State", str(session.get_state_display())),
        ("Asked of everybody", _asked(asked)),
        ("Seats", f"{len(gather.expected(file.seats))} of {session.capacity}"),
        ("Note", session.note),
    ]
    return [(name, value) for name, value in told if value]


def _asked(asked: Asked) -> str:
    told = [
        f"attendance of {_percent(asked.min_attendance)}" if asked.min_attendance else "",
        f"a score of {_percent(asked.min_score)} in every test" if asked.min_score else "",
    ]
    return " and ".join(filter(None, told))


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
            "blocks": gather.runs(numbers),
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
                " ".join(filter(None, (seat.outcome_why or seat.why, _since(seat, file)))),
            )
        )
    return found


def _since(seat: Enrollment, file: ClassFile) -> str:
    """What became of the completion that the finish recorded, where it no longer says what the outcome says."""
    first = last = next((row for row in file.voided if row.pk == seat.completion_id), None)
    if first is None or last is None or not seat.outcome:
        return ""
    while last.pk in file.later:
        last = file.later[last.pk]
    if last.voided_in_id is not None:
        return "The completion was voided since: see Corrections."
    return "The completion was corrected since: see Corrections." if differences(first, last) else ""


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
        rows = [[file.names[seat.pk], *(_cell(record, seat, block) for block in part)] for seat in record.seats]
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
            "name": file.names[seat.pk],
            "block": names.get(line.meeting_id, ""),
            "minutes": str(line.minutes),
            "where": _made_up_where(line.made_up_in),
            "entered": _entered(line),
        }
        for seat in file.record.seats
        for line in file.record.made_up.get(seat.pk, ())
        if line.made_up_in is not None
    ]


def _guest(line: Attendance, file: ClassFile) -> dict[str, str]:
    person = gather.person_of(line.enrollment)
    numbers = {block.pk: number for number, block in enumerate(file.blocks, start=1)}
    return {
        "id": person.id,
        "name": person.name,
        "agency": person.agency,
        "class": line.enrollment.session.number,
        "block": str(numbers.get(line.made_up_in_id or 0, "")),
        "minutes": str(line.minutes),
        "entered": _entered(line),
    }


def _made_up_where(block: Meeting) -> str:
    return f"class {block.session.number}, {span(block.starts_at, block.ends_at)}"


def _test(test: judging.AskedTest, record: ClassRecord) -> str:
    return f"{test.name}: {_percent(record.asked.pass_mark(test))} passes"


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
    replaced = {each.replaces_id: each for each in file.record.attempts if each.replaces_id is not None}
    after = replaced.get(row.pk)
    result = "passed" if row.score >= file.record.pass_mark(row.test) else "failed"
    if row.is_struck or after is not None:
        result = "struck" if row.is_struck or (after is not None and after.is_struck) else "corrected"
    return {
        "name": file.names[row.enrollment_id],
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
    blocks = {block.pk: gather.block_name(number, block) for number, block in enumerate(file.blocks, start=1)}
    before: dict[tuple[int, int, int | None], Attendance] = {}
    for line in file.record.lines:
        key = (line.enrollment_id, line.meeting_id, line.made_up_in_id)
        was = before.get(key)
        before[key] = line
        if was is not None and was.minutes != line.minutes:
            made_up = f", made up in class {line.made_up_in.session.number}" if line.made_up_in else ""
            who, block = file.names[line.enrollment_id], blocks[line.meeting_id]
            what = f"{who}, {block}{made_up}: {was.minutes} → {line.minutes} min"
            yield Correction(line.entered_at, _who(line.entered_by), what, line.why)


def _of_tests(file: ClassFile) -> Iterable[Correction]:
    by_id = {row.pk: row for row in file.record.attempts}
    for row in file.record.attempts:
        if row.replaces_id is None:
            continue
        was = by_id[row.replaces_id]
        who, became = file.names[row.enrollment_id], "struck" if row.is_struck else _said(row)
        what = f"{who}, {row.test.name}: {_said(was)} → {became}"
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
        yield Correction(change.at, _who(change.by), f"{said} {_became(row, later)}", change.why)


def _became(row: Completion, later: Completion | None) -> str:
    """What became of a voided completion."""
    if later is None:
        return "voided"
    if changed := differences(row, later):
        return f"corrected: {changed}"
    if later.officer_id != row.officer_id:
        return f"carried from the record {row.officer.employee_id} to {later.officer.employee_id}"
    return "voided, and recorded again the same"


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
