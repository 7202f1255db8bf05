"""Files that people attach: scans, certificates, lesson plans. Kept outside the web root, read through an access check.

The bytes lie below MEDIA_ROOT under a random name. The row says what they were when they came: name, size, type as
their content shows it, and SHA-256. Neither is ever changed.

    with keeping(), recording(...) as recorder:        # a transaction; when it fails, no file is left behind
        stored = keep(upload, agency=agency, by=user, kinds=PAPERS)

A form that asks something before it records holds the files that were chosen meanwhile (`choose`, `chosen`): they are
its sender's alone, become stored files when it records (`take`), and are removed when it does not within a day.

Keep files before taking locks: a scanner may need its whole time. `open_file` hands out what was stored or nothing.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import secrets
import shlex
import signal
import subprocess
import tempfile
import time
import unicodedata
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

import pgtrigger
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import Error, models, transaction
from django.db.models import Sum
from django.utils import timezone

from roster.file_types import ENDINGS, Kind, Unfit, kind_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile

    from roster.models import Agency

logger = logging.getLogger(__name__)

FOLDER = "files"
LONGEST_NAME = 200
#: of a name's ending
LONGEST_ENDING = 10
NOT_HELD = "A file that you chose is not held any more. Choose it again."
#: A file without a row that is younger may belong to a transaction that has not committed; one that was chosen, to a
#: form that is still filled in.
ORPHAN_AGE = timedelta(days=1)
#: How stored files are called.
OWN_NAME = re.compile("[0-9a-f]{32}")
#: What scanners answer, as ClamAV's do: 0 clean, 1 infected; anything else is a failure.
CLEAN, INFECTED = 0, 1


class FileRefused(ValidationError):
    """A file is not kept; the message is a sentence for people."""


#: To be read after a file's name, of one that fails where it is to be stored.
NOT_STORED = (
    "could not be stored: the server's disk is full or cannot be written to. Nothing was recorded. Tell whoever runs"
    " this system, and send it again later."
)


class FileAltered(Exception):
    """What lies on the disk is not what was stored."""


class KeptFile(models.Model):
    """A file as it came."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: as its sender called it, without a path
    name = models.CharField(max_length=LONGEST_NAME)
    #: bytes
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    #: by content, never by name
    content_type = models.CharField(max_length=100)
    #: below MEDIA_ROOT
    stored_as = models.CharField(max_length=200, unique=True)
    #: what looked through it for viruses, and what it said; blank = nothing is set up
    scanned = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name

    @property
    def download_name(self) -> str:
        """Its name with an ending that fits its type: no `certificate.html` is handed out, whatever it was called."""
        endings = ENDINGS[Kind(self.content_type)]
        return self.name if self.name.lower().endswith(endings) else f"{self.name}{endings[0]}"


class StoredFile(KeptFile):
    """A file that belongs to something, which says who may read it."""

    agency = models.ForeignKey("roster.Agency", models.PROTECT, related_name="+")

    class Meta(KeptFile.Meta):
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)


class ChosenFile(KeptFile):
    """A file chosen for a form that has not recorded anything yet. Only who chose it sees it."""


#: Files stored inside the present `keeping`; None outside of one.
_kept: ContextVar[list[Path] | None] = ContextVar("kept", default=None)


@contextmanager
def keeping() -> Iterator[None]:
    """A transaction in which files may be kept: when it is rolled back, what was stored goes too."""
    outer = _kept.get()
    kept: list[Path] = []
    token = _kept.set(kept)
    try:
        with transaction.atomic():
            yield
    except BaseException:
        _discard(kept)
        raise
    else:
        _discard(kept)  # where the transaction was told to roll back
        if outer is not None:
            outer.extend(kept)
    finally:
        _kept.reset(token)


def _discard(paths: list[Path]) -> None:
    """Remove files that have no row: the rest was committed. What cannot be told or removed is left to the sweep."""
    with suppress(Error, OSError):
        with transaction.atomic():
            rows = _with_row(_place_of(path) for path in paths) if paths else set()
        for path in paths:
            if _place_of(path) not in rows:
                path.unlink(missing_ok=True)


def _with_row(places: Iterator[str]) -> set[str]:
    """Those of these that a row names. One query: a file that is just being taken has one row or the other."""
    asked = list(places)
    stored, waiting = (
        model.objects.filter(stored_as__in=asked).order_by().values_list("stored_as", flat=True)
        for model in (StoredFile, ChosenFile)
    )
    return set(stored.union(waiting))


def _place_of(path: Path) -> str:
    return f"{FOLDER}/{path.parent.name}/{path.name}"


def keep(upload: UploadedFile[bytes], *, agency: Agency, by: User | None, kinds: Collection[Kind]) -> StoredFile:
    """Store what somebody sent, inside `keeping()`.

    `FileRefused` with a sentence for what is too large, empty, of another type by its content, or infected; and for
    everything while a scanner is set up that does not answer, or the disk takes no more. One query.
    """
    return StoredFile.objects.create(agency=agency, **_received(upload, by, kinds))


def _received(upload: UploadedFile[bytes], by: User | None, kinds: Collection[Kind]) -> dict[str, Any]:
    """Put what somebody sent on the disk, and say what it is: the fields of its row."""
    kept = _kept.get()
    if kept is None:
        raise RuntimeError("a file is kept inside keeping()")
    name = clean_name(upload.name or "")
    path = _new_path(name)
    kept.append(path)
    try:
        size, sha256 = _copy(upload, path, name)
        kind = _kind(path, name, kinds)
        scanned = _scan(path, name)
    except BaseException as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _not_stored(name, error) from error
        raise
    return {
        "name": name,
        "size": size,
        "sha256": sha256,
        "content_type": kind.value,
        "stored_as": _place_of(path),
        "scanned": scanned,
        "uploaded_by": by,
    }


def choose(upload: UploadedFile[bytes], *, by: User, kinds: Collection[Kind]) -> ChosenFile:
    """Hold what somebody chose for a form. Three queries in a transaction.

    `FileRefused` as `keep`, and for what is more than one person holds at a time.
    """
    with keeping():
        received = _received(upload, by, kinds)
        get_user_model().objects.select_for_update(no_key=True).get(pk=by.pk)  # one after the other, for the sum
        lately = ChosenFile.objects.filter(uploaded_by=by, uploaded_at__gt=timezone.now() - ORPHAN_AGE)
        held = lately.aggregate(held=Sum("size", default=0))["held"]
        if held + received["size"] > settings.CHOSEN_MAX_BYTES:
            raise FileRefused(
                f"{received['name']} was not kept: with it you would have chosen more than"
                f" {_in_mb(settings.CHOSEN_MAX_BYTES)} within a day in forms that recorded nothing. Record or untick"
                " some of those files, or choose it again a day later."
            )
        return ChosenFile.objects.create(**received)


def chosen(keys: Collection[uuid.UUID], *, by: User) -> list[KeptFile]:
    """Of these files those that this person chose, in the order they came; also those that a form took. Two queries."""
    found: list[KeptFile] = []
    for model in (StoredFile, ChosenFile):
        found += model.objects.filter(key__in=keys, uploaded_by=by)
    return sorted(found, key=lambda file: file.uploaded_at)


def take(keys: Collection[uuid.UUID], *, agency: Agency, by: User) -> list[StoredFile]:
    """Store what somebody chose, inside the transaction that records what it belongs to. Four queries.

    What a form took already is given again: one sheet may prove what two forms record. `FileRefused` where one of them
    is not held any more.
    """
    waiting = list(ChosenFile.objects.select_for_update().filter(key__in=keys, uploaded_by=by))
    ChosenFile.objects.filter(pk__in=[file.pk for file in waiting]).delete()
    StoredFile.objects.bulk_create(
        StoredFile(agency=agency, **{field.name: getattr(file, field.name) for field in KeptFile._meta.fields})
        for file in waiting
    )
    stored = list(StoredFile.objects.filter(key__in=keys, uploaded_by=by))
    if len(stored) < len(set(keys)):
        raise FileRefused(NOT_HELD)
    return stored


def drop(keys: Collection[uuid.UUID], *, by: User) -> None:
    """Remove what somebody chose and does not want any more; what a form took stays. Three queries, or none."""
    if not keys:
        return
    with transaction.atomic():
        waiting = list(ChosenFile.objects.select_for_update().filter(key__in=keys, uploaded_by=by))
        ChosenFile.objects.filter(pk__in=[file.pk for file in waiting]).delete()
        paths = [Path(settings.MEDIA_ROOT) / file.stored_as for file in waiting]
        transaction.on_commit(lambda: _discard(paths))


def clean_name(sent: str) -> str:
    """The name of a file without path, control and direction characters, at most 200 long."""
    last = sent.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(" " if letter.isspace() else letter for letter in last)
    plain = "".join(letter for letter in shown if unicodedata.category(letter)[0] != "C")
    name = " ".join(plain.split()).strip(". ") or "file"
    ending = PurePosixPath(name).suffix
    if len(ending) > LONGEST_ENDING:
        ending = ""
    return name[: LONGEST_NAME - len(ending)].removesuffix(ending) + ending


def limit_in_words() -> str:
    """`20 MB`: the most that a file may have."""
    return _in_mb(settings.FILE_MAX_BYTES)


def _in_mb(size: int) -> str:
    return f"{size / (1024 * 1024):.4g} MB"


def too_large(name: str) -> FileRefused:
    return FileRefused(
        f"{name} is larger than {limit_in_words()}. Save it smaller, or send its pages as several files."
    )


def _not_stored(name: str, error: OSError) -> FileRefused:
    """The refusal of a file that the disk does not take; why is for whoever runs the server."""
    logger.error("What was sent cannot be stored: %s", error)
    return FileRefused(f"{name} {NOT_STORED}")


def _new_path(name: str) -> Path:
    """A place of a random name for the file that came by this one."""
    place = secrets.token_hex(16)
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / place[:2]).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _not_stored(name, error) from error
    return folder / place[:2] / place


def _copy(upload: UploadedFile[bytes], path: Path, name: str) -> tuple[int, str]:
    """Copy what was sent, readable by this program alone; its size and SHA-256."""
    sha256, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in upload.chunks():
            size += len(chunk)
            if size > settings.FILE_MAX_BYTES:
                raise too_large(name)
            sha256.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if size == 0:
        raise FileRefused(f"{name} is empty. Choose the file again.")
    return size, sha256.hexdigest()


def _kind(path: Path, name: str, kinds: Collection[Kind]) -> Kind:
    try:
        kind = kind_of(path.read_bytes())
    except Unfit as unfit:
        raise FileRefused(f"{name} {unfit}. Send {in_words(kinds)}.") from None
    if kind not in kinds:
        raise FileRefused(f"{name} is {_a(kind)}. Send {in_words(kinds)}.")
    return kind


def in_words(kinds: Collection[Kind]) -> str:
    """`PDF, PNG or JPEG`."""
    names = [kind.name for kind in Kind if kind in kinds]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _a(kind: Kind) -> str:
    return f"a {kind.name}"


def _scan(path: Path, name: str) -> str:
    """What looked through a clean file and what it said; blank where nothing is set up. `FileRefused` otherwise."""
    if not settings.ANTIVIRUS_COMMAND.strip():
        return ""
    code: int | None
    try:
        command = _command(settings.ANTIVIRUS_COMMAND, path)
        code, said = _run(command)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        command, code, said = [settings.ANTIVIRUS_COMMAND], None, type(error).__name__
    if code == INFECTED:
        logger.warning("Upload refused, %s: %s", command[0], said)
        raise FileRefused(f"{name} did not pass the virus scan and was not kept.")
    if code != CLEAN:
        logger.error("The virus scan failed, %s, exit %s: %s", command[0], code, said)
        raise FileRefused(
            f"{name} could not be scanned for viruses, so it was not kept. Tell whoever runs this system, and send it"
            " again later."
        )
    first = "".join(letter for letter in said.strip().partition("\n")[0] if letter.isprintable())
    return f"{Path(command[0]).name}: {first.replace(str(path), name)}"[:200]


def _command(line: str, path: Path) -> list[str]:
    """The words of the setting with the file where it says, else at its end. ValueError where a quote is left open."""
    parts = shlex.split(line)
    command = [part.replace("{}", str(path)) for part in parts]
    return command if command != parts else [*command, str(path)]


def _run(command: list[str]) -> tuple[int, str]:
    """Exit code and output of a scanner; when its time is up it ends with everything it started."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - the command is a setting, and no shell reads it
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(settings.ANTIVIRUS_SECONDS)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        output.seek(0)
        return code, output.read(2_000).decode(errors="replace")


def open_file(stored: KeptFile) -> BinaryIO:
    """The bytes as they were stored, from memory; `FileAltered` when what lies on the disk is not that."""
    try:
        with (Path(settings.MEDIA_ROOT) / stored.stored_as).open("rb") as file:
            content = file.read(stored.size + 1)
    except OSError as error:
        raise _unreadable(stored) from error
    if len(content) != stored.size or hashlib.sha256(content).hexdigest() != stored.sha256:
        raise _altered(stored)
    return io.BytesIO(content)


def problem_of(stored: StoredFile, *, reads_all: bool = True) -> str:
    """What is wrong with the bytes of a stored file, as a sentence; blank where they are as they came.

    Without reading all of them: whether they are there, and as many as there were.
    """
    try:
        if reads_all:
            open_file(stored).close()
        elif (Path(settings.MEDIA_ROOT) / stored.stored_as).stat().st_size != stored.size:
            raise _altered(stored)
    except OSError:
        return str(_unreadable(stored))
    except FileAltered as error:
        return str(error)
    return ""


def _unreadable(stored: KeptFile) -> FileAltered:
    return FileAltered(f"{stored.name} cannot be read on the server any more.")


def _altered(stored: KeptFile) -> FileAltered:
    return FileAltered(f"{stored.name} is not the file that was stored.")


def sweep(older_than: timedelta = ORPHAN_AGE) -> int:
    """Remove files that no row names - those of a program that was killed -, and those chosen for a form that recorded
    nothing. How many. A query for a folder.

    Only what is named as `keep` names it and lies where `keep` puts it: nothing that a link leads to, nobody's notes.
    """
    oldest, removed = time.time() - older_than.total_seconds(), 0
    ChosenFile.objects.filter(uploaded_at__lt=timezone.now() - older_than).delete()
    for folder in (Path(settings.MEDIA_ROOT) / FOLDER).glob("[0-9a-f][0-9a-f]"):
        if folder.is_symlink():
            continue
        own = (path for path in folder.iterdir() if OWN_NAME.fullmatch(path.name) and not path.is_symlink())
        old = [path for path in own if path.is_file() and path.stat().st_mtime < oldest]
        rows = _with_row(_place_of(path) for path in old)
        for path in old:
            if _place_of(path) not in rows:
                path.unlink(missing_ok=True)
                removed += 1
    return removed
