"""Issuing: a number, a seal over the canonical data, files that are kept, and a row that never changes.

A report's files lie below MEDIA_ROOT/reports/NUMBER, readable by this program alone. They are made in a directory of
another name and moved there whole before the row commits, so there is never half a report: what has no row is no
report, and its number is not given again. One report is made at a time, whoever asks: setting type takes memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from compliance import engine, jobs
from compliance.models import Edition, IssuedReport, Job, Requirement
from compliance.reports import accreditation, accreditation_files, supersede
from compliance.reports.accreditation import Question
from compliance.reports.accreditation_files import Seal
from compliance.reports.paper import Data
from compliance.standings import Progress
from roster.facts import known_now
from roster.models import Agency, Unit

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FOLDER = "reports"
MANIFEST = "manifest.json"
ISSUE_LOCK = 4_127_020

#: Four years of proof must always be on hand (rules 1): the span when none is given.
SPAN_MONTHS = 48

KINDS = (accreditation.KIND,)


# The question


def default_span(as_of: date) -> tuple[date, date]:
    """The four years that end on the day."""
    if as_of.year <= SPAN_MONTHS // 12:
        return date.min, as_of
    return engine.plus_months(as_of, -SPAN_MONTHS) + timedelta(days=1), as_of


def wrong_span(as_of: date, span_from: date, span_to: date) -> tuple[str, str] | None:
    """(the part that is wrong, a sentence), or None. A report proves what was, so its span ends by the day."""
    if span_from > span_to:
        return "from", "The span begins after it ends."
    if span_to > as_of:
        return "to", "The span ends after the day reported. Choose a later day or an earlier end."
    return None


def known_by(asked: datetime | None) -> datetime:
    """The known-at of a report: the moment asked for, but never one to come, whose records could still change."""
    now = known_now()
    return now if asked is None or asked > now else asked


# The seal


def canonical(data: Data) -> bytes:
    """The one way to write the data down: UTF-8, keys in order, no spaces."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _next_number(prefix: str, year: int) -> str:
    """The number after the last one of the year; skips one whose files lie there without a row."""
    head = f"{prefix}-{year}-"
    last = IssuedReport.objects.filter(number__startswith=head).order_by("-pk").values_list("number", flat=True).first()
    place = int(last.removeprefix(head)) if last else 0
    while True:
        place += 1
        number = f"{head}{place:04d}"
        if not folder_of(number).exists():
            return number


def folder_of(number: str) -> Path:
    return Path(settings.MEDIA_ROOT) / FOLDER / number


def issue(
    question: Question, *, by: User | None, job: Job | None = None, progress: Progress | None = None
) -> IssuedReport:
    """Make, keep and number one report. Asked again by the same job it returns the report that stands."""
    data = accreditation.gather(question, progress=progress)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ISSUE_LOCK])
        made = None if job is None else IssuedReport.objects.filter(job=job).first()
        if made is not None:
            return made
        issued_at = timezone.now()
        number = _next_number(accreditation.PREFIX, timezone.localdate(issued_at).year)
        earlier = supersede.superseded_by_asking(question, data["kind"])
        data = {**data, "number": number, **_compared(question, data, earlier)}
        content = canonical(data)
        seal = Seal(number, hashlib.sha256(content).hexdigest(), issued_at)
        with _placed(number) as folder:
            files = _write_files(folder, content, data, seal)
        try:
            report = IssuedReport.objects.create(
                number=number,
                kind=data["kind"],
                agency=question.agency,
                requirement=question.requirement,
                unit=question.unit,
                supersedes=earlier,
                report_edition=data["report_edition"],
                as_of=question.as_of,
                known_at=question.known_at,
                span_from=question.span_from,
                span_to=question.span_to,
                data_sha256=seal.sha256,
                totals=data["totals"],
                files=files,
                job=job,
                issued_by=by,
                issued_at=issued_at,
            )
            report.editions.set(_editions(question, data))
        except BaseException:
            shutil.rmtree(folder_of(number))
            raise
    return report


def _compared(question: Question, data: Data, earlier: IssuedReport | None) -> Data:
    """What the data says of the report it supersedes, and of every member whose answer changed since."""
    if earlier is None:
        return {"report_edition": 1, "supersedes": None, "changes": []}
    found: Data = {"report_edition": earlier.report_edition + 1}
    try:
        before = data_of(earlier)
    except Altered:
        said = f"{earlier.number} is not kept as it was issued, so what changed since then cannot be listed."
        known = {"known_at": timezone.localtime(earlier.known_at).isoformat(timespec="microseconds")}
        return {
            **found,
            "supersedes": supersede.reference(earlier, known),
            "changes": [],
            "notes": [*data["notes"], said],
        }
    return {
        **found,
        "supersedes": supersede.reference(earlier, before),
        "changes": supersede.changes(before, data, question, known_at=earlier.known_at),
    }


def _editions(question: Question, data: Data) -> list[Edition]:
    begun = [edition["from"] for edition in data["editions"]]
    return list(question.requirement.editions.filter(effective_from__in=begun))


@contextmanager
def _placed(number: str) -> Iterator[Path]:
    """A directory to write into that becomes the report's own, whole or not at all."""
    reports = Path(settings.MEDIA_ROOT) / FOLDER
    reports.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".making-", dir=reports))
    try:
        yield folder
        for path in (*folder.iterdir(), folder):
            _flush(path)
        folder.rename(reports / number)
        _flush(reports)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _flush(path: Path) -> None:
    """To the disk: a row must not outlive its files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _write_files(folder: Path, content: bytes, data: Data, seal: Seal) -> list[dict[str, Any]]:
    """Every file of the report and its manifest; what the row says of them."""
    number = seal.number
    _write(folder / f"{number}.pdf", accreditation_files.pdf(data, seal))
    accreditation_files.xlsx(data, seal, folder / f"{number}.xlsx")
    (folder / f"{number}.xlsx").chmod(0o600)
    tables = dict(accreditation_files.csv_files(data, seal))
    for name, table in tables.items():
        _write(folder / f"{number}-{name}.csv", table)
    _write(folder / f"{number}.json", content)
    names = (f"{number}.pdf", f"{number}.xlsx", *(f"{number}-{name}.csv" for name in tables), f"{number}.json")
    files = [_entry(folder / name) for name in names]
    _write(folder / MANIFEST, _manifest(data, seal, files))
    return [*files, _entry(folder / MANIFEST)]


def _entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"name": path.name, "sha256": _sha256(file), "size": path.stat().st_size}


def _sha256(file: BufferedReader) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(data: Data, seal: Seal, files: list[dict[str, Any]]) -> bytes:
    """What the report is and the SHA-256 of each of its files, for whoever receives them."""
    described = {
        "number": seal.number,
        "kind": data["kind"],
        "report_edition": data["report_edition"],
        "supersedes": data["supersedes"] and data["supersedes"]["number"],
        "agency": data["agency"],
        "requirement": data["requirement"]["code"],
        "unit": data["unit"] and data["unit"]["code"],
        "as_of": data["as_of"],
        "known_at": data["known_at"],
        "span": data["span"],
        "population": accreditation_files.population_of(data),
        "edition": accreditation_files.edition_of(data),
        "issued_at": seal.issued_at.astimezone(timezone.get_default_timezone()).isoformat(),
        "data_sha256": seal.sha256,
        "files": files,
    }
    return (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode()


# What is kept


class Altered(Exception):
    """A file is not what was issued; the message is a sentence."""


def open_file(report: IssuedReport, name: str) -> BufferedReader:
    """A file of the report, checked against the SHA-256 it was issued with. `KeyError` when it has no such file."""
    expected: str = {entry["name"]: entry["sha256"] for entry in report.files}[name]
    try:
        file = (folder_of(report.number) / name).open("rb")
    except OSError:
        raise Altered(f"{name} is not where it was kept.") from None
    if _sha256(file) != expected:
        file.close()
        raise Altered(f"{name} is not the file that was issued: its SHA-256 differs.")
    file.seek(0)
    return file


def data_of(report: IssuedReport) -> Data:
    """The canonical data of a report, checked against the SHA-256 it was issued with; else `Altered`."""
    with open_file(report, f"{report.number}.json") as file:
        data: Data = json.load(file)
    return data


def copy_to(report: IssuedReport, folder: Path) -> Path:
    """Hand the files out; into a folder named by the number when this one holds anything already. Where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        folder = folder / report.number
        folder.mkdir()
    for entry in report.files:
        with open_file(report, entry["name"]) as kept, (folder / entry["name"]).open("xb") as out:
            shutil.copyfileobj(kept, out)
    return folder


# In a job


def start(question: Question, *, token: str, by: User) -> Job:
    """Ask for a report in a job; the same question with the same token again is the same job."""
    asked = {
        "token": token,
        "requirement": question.requirement.pk,
        "agency": question.agency.pk,
        "unit": question.unit and question.unit.pk,
        "as_of": question.as_of.isoformat(),
        "from": question.span_from.isoformat(),
        "to": question.span_to.isoformat(),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [jobs.START_LOCK])
        sent = Job.objects.filter(kind="issue_report", requested_by=by, arguments__contains=asked).first()
        return sent or jobs.start("issue_report", {**asked, "known_at": question.known_at.isoformat()}, by=by)


def issue_report(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: issue the report that was asked for, once however often the job runs."""
    asked = job.arguments
    question = Question(
        requirement=Requirement.objects.get(pk=asked["requirement"]),
        agency=Agency.objects.get(pk=asked["agency"]),
        unit=Unit.objects.get(pk=asked["unit"]) if asked["unit"] else None,
        as_of=date.fromisoformat(asked["as_of"]),
        span_from=date.fromisoformat(asked["from"]),
        span_to=date.fromisoformat(asked["to"]),
        known_at=datetime.fromisoformat(asked["known_at"]),
    )
    report = issue(question, by=job.requested_by, job=job, progress=progress)
    return {"number": report.number}


#: The kinds of job this module does.
HANDLERS: dict[str, Callable[[Job, jobs.Progress], Mapping[str, Any] | None]] = {"issue_report": issue_report}
