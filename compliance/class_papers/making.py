"""Papers as files: made at once for a class as most are, in a job for one so large that a page should not wait for it.

What a job made lies below MEDIA_ROOT/class-papers for a day, readable by this program alone, for whoever asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from compliance import jobs
from compliance.class_papers import archive, attendees, certificates, class_file, sign_in
from compliance.class_papers.archive import plain_name
from compliance.models import Job, JobState
from training.models import ClassSession

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KIND = "make_class_paper"
FOLDER = "class-papers"
#: People on the list of a class up to whom its papers are made while the page waits: some two seconds at most.
MOST_AT_ONCE = 150
#: How long what a job made is kept.
KEPT = timedelta(days=1)

PDF, ZIP = "application/pdf", "application/zip"


@dataclass(frozen=True, slots=True)
class Made:
    """A paper: how it is called, what it is, and its bytes in pieces."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which paper, and what it needs to know besides the class."""

    session: ClassSession
    paper: str
    #: of this site, as printed on certificates: `https://records.example.gov`
    site: str
    now: datetime

    def address(self, token: str) -> str:
        """The public address of a certificate; of none, the page that asks for its code."""
        return self.site + (reverse("certificate-verify", args=[token]) if token else reverse("certificate-check"))


def make(asked: Asked) -> Made:
    """A paper of a class. `LookupError` with a sentence where there is nothing to print."""
    return PAPERS[asked.paper](asked)


def named(session: ClassSession, what: str, content_type: str, pieces: Iterator[bytes]) -> Made:
    """`sign-in-CIT-2026-03.pdf`."""
    ending = "zip" if content_type == ZIP else "pdf"
    return Made(f"{what}-{plain_name(session.number)}.{ending}", content_type, pieces)


def _sign_in(asked: Asked) -> Made:
    return named(asked.session, "sign-in", PDF, iter([sign_in.sheets(asked.session)]))


def _roster(asked: Asked) -> Made:
    return named(asked.session, "roster", PDF, iter([attendees.roster(asked.session)]))


def _certificates(asked: Asked) -> Made:
    return named(
        asked.session, "certificates", PDF, iter([certificates.all_of_class(asked.session, address=asked.address)])
    )


def _class_file(asked: Asked) -> Made:
    return named(
        asked.session, "class-file", PDF, iter([class_file.pdf(class_file.read(asked.session, now=asked.now))])
    )


def _archive(asked: Asked) -> Made:
    file = class_file.read(asked.session, now=asked.now)
    found, lost = archive.entries(file, address=asked.address)
    return named(asked.session, "class-file", ZIP, archive.stream(file, found, lost))


#: Every paper by the name of its address.
PAPERS: dict[str, Callable[[Asked], Made]] = {
    "sign-in": _sign_in,
    "roster": _roster,
    "certificates": _certificates,
    "class-file": _class_file,
    "archive": _archive,
}


# In a job


def is_large(session: ClassSession) -> bool:
    """Whether its papers are made in a job. One query."""
    return session.enrollments.count() > MOST_AT_ONCE


def start(asked: Asked, *, by: User) -> Job:
    """The job that makes a paper: the one of the last minutes for the same state of the class, or a new one."""
    arguments = {"class": asked.session.pk, "paper": asked.paper, "site": asked.site, "state": _state(asked.session)}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [jobs.START_LOCK])
        recent = Job.objects.filter(kind=KIND, requested_by=by, arguments=arguments).exclude(state=JobState.FAILED)
        found = recent.filter(requested_at__gte=asked.now - timedelta(minutes=10)).order_by("-pk").first()
        return found or jobs.start(KIND, arguments, by=by)


def _state(session: ClassSession) -> list[Any]:
    """What tells one state of a class from another: the last row of each kind that its papers are made of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(id) FROM training_classevent WHERE session_id = %(class)s),"
            " (SELECT max(a.id) FROM training_attendance a JOIN training_enrollment e ON e.id = a.enrollment_id"
            " WHERE e.session_id = %(class)s),"
            " (SELECT max(t.id) FROM training_testattempt t JOIN training_enrollment e ON e.id = t.enrollment_id"
            " WHERE e.session_id = %(class)s),"
            " (SELECT max(since)::text FROM training_enrollment WHERE session_id = %(class)s),"
            " (SELECT max(id)::text || max(withdrawn_at)::text FROM training_classpaper WHERE session_id = %(class)s),"
            " (SELECT max(id) FROM training_certificate)",
            {"class": session.pk},
        )
        return list(cursor.fetchone())


def work(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: make the paper and keep it. Done again it writes the same file."""
    asked = job.arguments
    rows = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan__file", "finished_in")
    question = Asked(rows.get(pk=asked["class"]), asked["paper"], asked["site"], timezone.now())
    progress(0, 2)
    try:
        made = make(question)
    except LookupError as error:
        raise jobs.JobFailed(str(error.args[0])) from None
    progress(1, 2)
    path = path_of(job)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in made.pieces:
            file.write(piece)
    part.rename(path)
    progress(2, 2)
    return {"name": made.name, "content_type": made.content_type, "number": question.session.number}


def path_of(job: Job) -> Path:
    """Where what a job made is kept."""
    return Path(settings.MEDIA_ROOT) / FOLDER / str(job.key)


def forget_old(now: datetime) -> int:
    """Remove what jobs made more than a day ago; how many files."""
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    old = [path for path in folder.glob("*") if path.stat().st_mtime < (now - KEPT).timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


#: The kinds of job this module does.
HANDLERS: dict[str, jobs.Handler] = {KIND: work}
