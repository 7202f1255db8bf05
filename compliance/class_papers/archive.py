"""The class file as a ZIP: its PDF, tables, scans, lesson plan and certificates, and a manifest with their SHA-256.

It is written while it is sent: one scan after another passes through memory, never two. The same rows and files give
the same bytes: names follow from the rows, every entry bears the moment of the last entry, and nothing is compressed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from compliance.class_papers import certificates, class_file, gather
from compliance.class_papers.certificates import Address
from compliance.class_papers.class_file import ClassFile
from compliance.exports import neutral
from roster.files import StoredFile, open_file
from training.class_records import day_of, length, planned_minutes
from training.models import ClassPaper

MANIFEST = "manifest.json"
PIECE = 64 * 1024
#: Of the name that a file came with: more would not fit every file system.
LONGEST_NAME = 60

ATTENDANCE_COLUMNS = (
    "employee_id",
    "name",
    "agency",
    "block",
    "held_on",
    "planned_minutes",
    "minutes_that_count",
    "minutes",
    "made_up_in_class",
    "made_up_on",
)
BLOCK_COLUMNS = (
    "block",
    "title",
    "topic",
    "starts_at",
    "ends_at",
    "really_began_at",
    "really_ended_at",
    "place",
    "instructors",
)
CORRECTION_COLUMNS = ("at", "who", "what", "why")
TEST_COLUMNS = ("employee_id", "name", "agency", "test", "taken_on", "score", "result", "remedial_on")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its bytes, or the stored file that holds them."""

    name: str
    content: bytes | StoredFile
    #: what it is, for the manifest
    about: str

    def pieces(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        with open_file(self.content) as file:
            while piece := file.read(PIECE):
                yield piece


@dataclass(frozen=True, slots=True)
class Lost:
    """A stored file that is not as it came: it stays out, and the manifest says so."""

    name: str
    sha256: str
    problem: str


def entries(file: ClassFile, *, address: Address) -> tuple[list[Entry], list[Lost]]:
    """What the archive holds, in its order, and what it should hold and cannot. Sets two PDFs."""
    found = [
        Entry("class-file.pdf", class_file.pdf(file), "the class file, to read and print"),
        Entry("roster.csv", _csv(class_file.ATTENDEE_COLUMNS, class_file.attendee_rows(file)), "everybody on the list"),
        Entry("attendance.csv", _csv(ATTENDANCE_COLUMNS, rows_of_attendance(file)), "minutes by person and block"),
        Entry("tests.csv", _csv(TEST_COLUMNS, rows_of_tests(file)), "every attempt at every test"),
        Entry("blocks.csv", _csv(BLOCK_COLUMNS, rows_of_blocks(file)), "blocks as planned and as taught, and by whom"),
        Entry(
            "corrections.csv", _csv(CORRECTION_COLUMNS, rows_of_corrections(file)), "every correction on its own line"
        ),
    ]
    if file.certificates:
        rows = list(file.certificates.values())
        made = certificates.pdf(rows, {row.pk: file.session for row in rows}, address=address)
        found.append(Entry("certificates.pdf", made, "the certificates that hold"))
    plan, lost = file.session.lesson_plan, []
    kept = [(f"lesson-plan/{safe_name(plan.file.name)}", plan.file, "lesson plan")] if plan and plan.file else []
    for name, stored, about in (*kept, *_scans(file)):
        problem = file.problems.get(stored.pk, "")
        if problem:
            lost.append(Lost(name, stored.sha256, problem))
        else:
            found.append(Entry(name, stored, about))
    return found, lost


def _scans(file: ClassFile) -> Iterator[tuple[str, StoredFile, str]]:
    """The papers kept with the class; sign-in sheets by the number of their block."""
    numbers = {block.pk: number for number, block in enumerate(file.blocks, start=1)}
    for place, row in enumerate(file.kept_papers, start=1):
        if row.kind == ClassPaper.Kind.SIGN_IN:
            of_block = f"block-{numbers[row.meeting_id]:02d}-" if row.meeting_id in numbers else ""
            name = f"sign-in/{of_block}{place:02d}-{safe_name(row.file.name)}"
        else:
            name = f"papers/{place:02d}-{row.kind.replace('_', '-')}-{safe_name(row.file.name)}"
        yield name, row.file, str(row.get_kind_display())


def safe_name(name: str) -> str:
    """A name that every file system takes, with the ending of the one it came with: letters, figures, `-`, `_`, `.`."""
    name = re.split(r"[/\\]", name)[-1]
    stem, dot, ending = name.rpartition(".")
    ending = re.sub(r"[^A-Za-z0-9]", "", ending)[:8].lower() if dot else ""
    return f"{plain_name(stem)}.{ending}" if ending else plain_name(name)


def plain_name(text: str) -> str:
    """What is left of a text in letters, figures, `-` and `_`; `file` where that is nothing."""
    return re.sub(r"[^\w-]+", "-", text, flags=re.ASCII).strip("-_")[:LONGEST_NAME].strip("-_") or "file"


def stream(file: ClassFile, found: Sequence[Entry], lost: Sequence[Lost]) -> Iterator[bytes]:
    """The bytes of the archive, entry by entry; the manifest, which names all the others, comes last."""
    out = _Drain()
    described: list[dict[str, Any]] = []
    with zipfile.ZipFile(out, "w") as archive:
        for entry in found:
            digest, size = hashlib.sha256(), 0
            with archive.open(_info(entry.name, file.last_entry_at), "w") as target:
                for piece in entry.pieces():
                    digest.update(piece)
                    size += len(piece)
                    target.write(piece)
                    yield out.taken()
            described.append({"name": entry.name, "about": entry.about, "size": size, "sha256": digest.hexdigest()})
        archive.writestr(_info(MANIFEST, file.last_entry_at), _manifest(file, described, lost))
    yield out.taken()


def _info(name: str, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, timezone.localtime(at).timetuple()[:6])
    info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every machine
    return info


def _manifest(file: ClassFile, described: list[dict[str, Any]], lost: Sequence[Lost]) -> bytes:
    session = file.session
    said = {
        "class": session.number,
        "agency": {"code": session.agency.code, "name": session.agency.name},
        "course": {"code": session.course.code, "title": session.course.title},
        "state": session.state,
        "as_entered": timezone.localtime(file.last_entry_at).isoformat(),
        "missing": file.missing,
        "files": described,
        "lost": [{"name": row.name, "sha256": row.sha256, "problem": row.problem} for row in lost],
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()


class _Drain(io.RawIOBase):
    """What the archive writes into: keeps it until it is taken, and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held


# Tables


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([neutral(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()  # spreadsheets read UTF-8 only when told


def rows_of_attendance(file: ClassFile) -> Iterator[tuple[object, ...]]:
    """A row for everybody and every block, blank where it is not marked, and one for each make-up."""
    record = file.record
    people = {row.pk: gather.person_of(row) for row in record.seats}
    for seat in record.seats:
        person = people[seat.pk]
        who = (person.id, person.name, person.agency)
        made_up = record.made_up.get(seat.pk, ())
        for number, block in enumerate(record.blocks, start=1):
            held = (number, day_of(block).isoformat(), planned_minutes(block), length(block))
            mark = record.marks.get((seat.pk, block.pk))
            yield (*who, *held, mark.minutes if mark is not None else "", "", "")
            for line in made_up:
                if line.meeting_id == block.pk and line.made_up_in is not None:
                    where = (line.made_up_in.session.number, day_of(line.made_up_in).isoformat())
                    yield (*who, *held, line.minutes, *where)


def rows_of_blocks(file: ClassFile) -> Iterator[tuple[object, ...]]:
    """A row for each block; times on the clock of the agency, with what it differs from UTC by."""
    for number, block in enumerate(file.blocks, start=1):
        moments = (block.starts_at, block.ends_at, block.began_at, block.ended_at)
        told = (timezone.localtime(at).isoformat(timespec="minutes") if at is not None else "" for at in moments)
        topic = block.topic.name if block.topic is not None else ""
        yield (number, block.title, topic, *told, gather.place_of(file.session, block), gather.instructors_of(block))


def rows_of_corrections(file: ClassFile) -> Iterator[tuple[object, ...]]:
    for line in class_file.corrections(file):
        yield (timezone.localtime(line.at).isoformat(timespec="seconds"), line.who, line.what, line.why)


def rows_of_tests(file: ClassFile) -> Iterator[tuple[object, ...]]:
    by_seat = {seat.pk: gather.person_of(seat) for seat in file.seats}
    for row, said in zip(class_file.in_order(file), class_file.attempts(file), strict=True):
        person = by_seat[row.enrollment_id]
        told = (said["test"], said["taken_on"], said["score"], said["result"], said["remedial_on"])
        yield (person.id, person.name, person.agency, *told)
