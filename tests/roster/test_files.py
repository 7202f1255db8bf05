"""Files that are kept: what they are by content, where they lie, what a scanner said, and what is left of a failure."""

from __future__ import annotations

import hashlib
import os
import resource
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import Error, transaction
from django.test.utils import override_settings
from django.utils import timezone

from roster.file_types import LESSON_PLANS, PAPERS, Kind, Unfit, kind_of
from roster.files import (
    ORPHAN_AGE,
    ChosenFile,
    FileAltered,
    FileRefused,
    StoredFile,
    choose,
    clean_name,
    drop,
    keep,
    keeping,
    open_file,
    sweep,
    take,
)
from roster.models import Agency
from tests.factories import make_agency, make_user
from tests.uploads import PDF, archive, jpeg, office, png, png_part, sent

pytestmark = pytest.mark.django_db

PPTX = office(kind="presentationml", main="ppt/presentation.xml")
#: What every virus scanner takes for a virus, in two parts so that no scanner takes this file for one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield tmp_path


@pytest.fixture
def agency() -> Agency:
    return make_agency()


def on_disk(media: Path) -> list[Path]:
    return [path for path in (media / "files").rglob("*") if path.is_file()]


def stored(agency: Agency, content: bytes = PDF, name: str = "scan.pdf", **values: Any) -> StoredFile:
    with keeping():
        return keep(sent(content, name), agency=agency, by=None, **{"kinds": LESSON_PLANS, **values})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(PDF, Kind.PDF, id="pdf"),
        pytest.param(PDF + b"\r\n\0\0", Kind.PDF, id="pdf-with-filling"),
        pytest.param(png(2480, 3508), Kind.PNG, id="png"),
        pytest.param(jpeg(2480, 3508), Kind.JPEG, id="jpeg"),
        pytest.param(jpeg() + b"what cameras add", Kind.JPEG, id="jpeg-of-a-camera"),
        pytest.param(office(), Kind.DOCX, id="docx"),
        pytest.param(PPTX, Kind.PPTX, id="pptx"),
    ],
)
def test_a_file_is_what_its_content_is(content: bytes, kind: Kind) -> None:
    assert kind_of(content) is kind


def protected() -> bytes:
    """A document whose parts say that they are encrypted."""
    content = bytearray(office())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + place] |= 1
    return bytes(content)


def lying() -> bytes:
    """A document with a part that unpacks into more than it says."""
    content = office({"word/media/a.bin": b"\0" * 5_000_000})
    return content.replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


def twice() -> bytes:
    made = BytesIO(office())
    with zipfile.ZipFile(made, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("word/document.xml", b"<other/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda: b"<html><script>alert(1)</script>", "is of no type that can be kept here", id="html"),
        pytest.param(lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is of no type", id="svg"),
        pytest.param(lambda: EICAR, "is of no type", id="eicar"),
        pytest.param(
            lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "is a HEIC picture, as some phones take them",
            id="photo-of-a-phone",
        ),
        pytest.param(lambda: b"II*\0\x08\0\0\0", "is a TIFF picture", id="tiff-of-a-scanner"),
        pytest.param(
            lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504,
            "is an Office document of the old kind, or has a password",
            id="old-or-locked-document",
        ),
        pytest.param(lambda: b"MZ" + b"\0" * 90, "is of no type", id="program"),
        pytest.param(lambda: b"\n" + PDF, "is of no type", id="something-before-the-pdf"),
        pytest.param(lambda: b"%PDF-1.7\n<script>", "is cut short or is no PDF", id="html-that-begins-as-pdf"),
        pytest.param(lambda: PDF[:-8], "is cut short or is no PDF", id="half-a-pdf"),
        pytest.param(lambda: PDF + archive({"a": b"b"}), "two kinds of file", id="pdf-then-archive"),
        pytest.param(lambda: PDF[:-26] + archive({"a": b"b"}) + PDF[-26:], "two kinds of file", id="pdf-and-archive"),
        pytest.param(lambda: png() + archive({"a": b"b"}), "holds more than a picture", id="png-then-archive"),
        pytest.param(lambda: jpeg() + archive({"a": b"b"}), "two kinds of file", id="jpeg-and-archive"),
        pytest.param(lambda: jpeg()[:4] + b"\x00\x0c%PDF-1.7JF" + jpeg()[8:], "two kinds of", id="jpeg-and-pdf"),
        pytest.param(lambda: png()[:-12], "is cut short", id="half-a-png"),
        pytest.param(lambda: png()[:-3] + b"abc", "is a damaged picture", id="damaged-png"),
        pytest.param(lambda: png()[:8] + png_part(b"IEND", b""), "is a damaged picture", id="empty-png"),
        pytest.param(lambda: png(0, 5), "is a damaged picture", id="png-without-width"),
        pytest.param(lambda: png(60_000, 60_000), "has more points", id="huge-png"),
        pytest.param(lambda: jpeg(60_000, 60_000), "has more points", id="huge-jpeg"),
        pytest.param(lambda: jpeg()[:-2], "is cut short", id="half-a-jpeg"),
        pytest.param(lambda: b"\xff\xd8\xff\xd9", "is a damaged picture", id="empty-jpeg"),
        pytest.param(lambda: b"\xff\xd8\xff" * 400, "is a damaged picture", id="nonsense-jpeg"),
        pytest.param(lambda: archive({"a.txt": b"b"}), "is of no type", id="archive"),
        pytest.param(lambda: archive({"word/document.xml": b""}), "is of no type", id="no-word-document"),
        pytest.param(lambda: office(main="word/other.xml"), "is of no type", id="no-main-part"),
        pytest.param(lambda: office()[:-9], "is a damaged document", id="half-a-docx"),
        pytest.param(protected, "is protected; take the password away", id="protected"),
        pytest.param(lambda: office({"word/vbaProject.bin": b"x"}), "holds macros", id="macros"),
        pytest.param(lambda: office({"../../etc/x": b"x"}), "is a damaged document", id="path-upwards"),
        pytest.param(lambda: office({"/etc/x": b"x"}), "is a damaged document", id="path-from-the-root"),
        pytest.param(lambda: office({"word/a.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]>"}), "is a damaged", id="entities"),
        pytest.param(twice, "is a damaged document", id="a-part-twice"),
        pytest.param(lying, "is a damaged document", id="part-larger-than-it-says"),
        pytest.param(
            lambda: office({"word/media/a.bin": b"\0" * 30_000_000}),
            "unpacks into more than any document needs",
            id="bomb",
        ),
        pytest.param(
            lambda: archive({f"{number}": b"" for number in range(10_001)}), "unpacks into more", id="many-parts"
        ),
    ],
)
def test_hostile_content_is_refused(make: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(Unfit, match=sentence):
        kind_of(make())


def test_a_file_is_kept_as_it_came(media: Path, agency: Agency) -> None:
    made = stored(agency, PDF, "sign-in.pdf")

    (path,) = on_disk(media)
    assert (made.name, made.size, made.content_type) == ("sign-in.pdf", len(PDF), "application/pdf")
    assert made.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (media / made.stored_as, made.scanned) == (path, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "sign-in" not in made.stored_as
    assert open_file(made).read() == PDF


@pytest.mark.parametrize(
    ("content", "name", "kinds", "sentence"),
    [
        pytest.param(b"", "a.pdf", PAPERS, "a.pdf is empty. Choose the file again.", id="empty"),
        pytest.param(
            b"<html>", "a.pdf", PAPERS, "a.pdf is of no type that can be kept here. Send PDF, PNG or JPEG.", id="html"
        ),
        pytest.param(office(), "plan.pdf", PAPERS, "plan.pdf is a DOCX. Send PDF, PNG or JPEG.", id="not-here"),
        pytest.param(PDF, "a.pdf", {Kind.PNG}, "a.pdf is a PDF. Send PNG.", id="one-kind"),
        pytest.param(PDF + b" " * 2000, "a.pdf", PAPERS, "a.pdf is larger than 0.001907 MB.", id="too-large"),
    ],
)
def test_what_is_refused_leaves_nothing(
    media: Path, agency: Agency, content: bytes, name: str, kinds: frozenset[Kind], sentence: str
) -> None:
    with override_settings(FILE_MAX_BYTES=2000), pytest.raises(FileRefused) as refused:
        stored(agency, content, name, kinds=kinds)

    assert refused.value.message.startswith(sentence)
    assert (on_disk(media), StoredFile.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("sent_as", "name"),
    [
        ("scan.pdf", "scan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\scan.pdf", "scan.pdf"),
        ("a\x00b\r\nc.pdf", "ab c.pdf"),
        ("exe\u202efdp.js", "exefdp.js"),
        ("\ud800.pdf", "pdf"),
        ("  .hidden. ", "hidden"),
        ("", "file"),
        ("/", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 198),
        ("Zertifikat Süd, 2026 (1).pdf", "Zertifikat Süd, 2026 (1).pdf"),
    ],
)
def test_a_name_is_only_a_name(sent_as: str, name: str) -> None:
    assert clean_name(sent_as) == name


@pytest.mark.parametrize(
    ("name", "content", "handed_out"),
    [
        pytest.param("scan.PDF", PDF, "scan.PDF", id="fits"),
        pytest.param("certificate.html", PDF, "certificate.html.pdf", id="does-not"),
        pytest.param("photo.jpeg", jpeg(), "photo.jpeg", id="second-ending"),
        pytest.param("photo", jpeg(), "photo.jpg", id="none"),
    ],
)
def test_a_file_is_handed_out_by_a_name_of_its_type(
    media: Path, agency: Agency, name: str, content: bytes, handed_out: str
) -> None:
    assert stored(agency, content, name).download_name == handed_out


def fail_after_keeping(media: Path, agency: Agency) -> None:
    with keeping():
        keep(sent(), agency=agency, by=None, kinds=PAPERS)
        assert len(on_disk(media)) == 1
        raise ZeroDivisionError


def fail_outside_of_keeping(media: Path, agency: Agency) -> None:
    with keeping():
        with keeping():
            keep(sent(), agency=agency, by=None, kinds=PAPERS)
        assert len(on_disk(media)) == 1
        raise ZeroDivisionError


@pytest.mark.parametrize("fail", [fail_after_keeping, fail_outside_of_keeping])
def test_a_transaction_that_fails_leaves_no_file(
    media: Path, agency: Agency, fail: Callable[[Path, Agency], None]
) -> None:
    with pytest.raises(ZeroDivisionError):
        fail(media, agency)

    assert (on_disk(media), StoredFile.objects.count()) == ([], 0)


def test_a_refusal_that_is_answered_leaves_the_others(media: Path, agency: Agency) -> None:
    with keeping():
        kept = keep(sent(), agency=agency, by=None, kinds=PAPERS)
        with pytest.raises(FileRefused):
            keep(sent(b"<html>"), agency=agency, by=None, kinds=PAPERS)

    assert [path.name for path in on_disk(media)] == [Path(kept.stored_as).name]


def keep_and_fail_after_the_commit(agency: Agency) -> None:
    with keeping():
        keep(sent(), agency=agency, by=None, kinds=PAPERS)
        transaction.on_commit(lambda: Kind("no kind"))


@pytest.mark.django_db(transaction=True)
def test_a_failure_after_the_commit_takes_no_file(media: Path) -> None:
    agency = make_agency()

    with pytest.raises(ValueError, match="no kind"):
        keep_and_fail_after_the_commit(agency)

    assert open_file(StoredFile.objects.get()).read() == PDF


def test_keep_asks_for_a_transaction(media: Path, agency: Agency) -> None:
    with pytest.raises(RuntimeError, match="inside keeping"):
        keep(sent(), agency=agency, by=None, kinds=PAPERS)

    assert on_disk(media) == []


@pytest.mark.parametrize("change", ["altered", "longer", "shorter", "gone"])
def test_what_was_altered_on_the_disk_is_not_handed_out(media: Path, agency: Agency, change: str) -> None:
    made = stored(agency)
    path = media / made.stored_as

    match change:
        case "altered":
            path.write_bytes(PDF.replace(b"1.7", b"1.6"))
        case "longer":
            path.write_bytes(PDF + b"\n")
        case "shorter":
            path.write_bytes(PDF[:-1])
        case "gone":
            path.unlink()

    with pytest.raises(FileAltered):
        open_file(made)


def test_the_database_refuses_to_change_or_delete_a_file(media: Path, agency: Agency) -> None:
    stored(agency)

    for act in (lambda: StoredFile.objects.update(name="other"), StoredFile.objects.all().delete):
        with pytest.raises(Error), transaction.atomic():
            act()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond ten bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


SENTENCE = (
    "scan.pdf could not be stored: the server's disk is full or cannot be written to. Nothing was recorded. Tell"
    " whoever runs this system, and send it again later."
)


def test_a_full_disk_refuses_the_file_with_one_sentence_and_loses_nothing(media: Path, agency: Agency) -> None:
    earlier = stored(agency, PDF, "earlier.pdf")

    with full_disk(), pytest.raises(FileRefused) as refused:
        stored(agency)

    assert refused.value.messages == [SENTENCE]
    assert [path.name for path in on_disk(media)] == [Path(earlier.stored_as).name]
    assert open_file(stored(agency)).read() == PDF


def test_a_store_that_cannot_be_written_to_refuses_the_file_with_the_same_sentence(
    tmp_path: Path, agency: Agency
) -> None:
    (tmp_path / "files").write_bytes(b"no folder")

    with override_settings(MEDIA_ROOT=str(tmp_path)), pytest.raises(FileRefused) as refused:
        stored(agency)

    assert refused.value.messages == [SENTENCE]
    assert not StoredFile.objects.exists()


@pytest.fixture
def scanner(tmp_path: Path) -> Callable[[str], str]:
    """A command that does what its lines say, with the file as $1."""

    def write(lines: str) -> str:
        path = tmp_path / "scanner"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return str(path)

    return write


def test_a_scanner_finds_a_virus(media: Path, agency: Agency, scanner: Callable[[str], str]) -> None:
    command = scanner('if grep -q "EICAR-STANDARD" "$1"; then echo "$1: Eicar FOUND"; exit 1; fi; echo "$1: OK"')
    infected = PDF.replace(b"<<>>", EICAR, 1)

    with override_settings(ANTIVIRUS_COMMAND=command):
        clean = stored(agency, PDF, "clean.pdf")
        with pytest.raises(FileRefused) as refused:
            stored(agency, infected, "bad.pdf")

    assert refused.value.message == "bad.pdf did not pass the virus scan and was not kept."
    assert clean.scanned == "scanner: clean.pdf: OK"
    assert [path.name for path in on_disk(media)] == [Path(clean.stored_as).name]


def test_the_file_stands_where_the_command_says_and_no_shell_reads_it(
    media: Path, agency: Agency, scanner: Callable[[str], str], tmp_path: Path
) -> None:
    command = scanner('test "$1" = "--file" && test -f "$2" && test "$3" = "; touch x" && exit 0; exit 9')

    with override_settings(ANTIVIRUS_COMMAND=f"{command} --file {{}} '; touch x'"):
        made = stored(agency, PDF, "$(touch y).pdf")

    assert made.scanned == "scanner: "
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "scanner"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("exit 2", id="fails"),
        pytest.param("kill -9 $$", id="is-killed"),
        pytest.param("sleep 60 & wait", id="takes-too-long"),
        pytest.param(None, id="is-not-there"),
        pytest.param("'", id="is-no-command"),
    ],
)
def test_a_scanner_that_does_not_answer_refuses_the_file(
    media: Path, agency: Agency, scanner: Callable[[str], str], lines: str | None
) -> None:
    command = (f"{scanner('exit 0')} '" if lines == "'" else scanner(lines)) if lines else "/nowhere/scanner"
    started = time.monotonic()

    with (
        override_settings(ANTIVIRUS_COMMAND=command, ANTIVIRUS_SECONDS=0.3),
        pytest.raises(FileRefused, match="could not be scanned for viruses, so it was not kept"),
    ):
        stored(agency)

    assert on_disk(media) == []
    assert time.monotonic() - started < 10


def test_a_setting_of_spaces_is_no_scanner(media: Path, agency: Agency) -> None:
    with override_settings(ANTIVIRUS_COMMAND="  "):
        assert stored(agency).scanned == ""


def test_the_sweep_takes_old_files_without_a_row(media: Path, agency: Agency) -> None:
    kept, orphan, young = (stored(agency), *(media / "files" / "ab" / name for name in ("0" * 32, "1" * 32)))
    for path in (orphan, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left behind")
    long_ago = time.time() - 2 * 24 * 3600
    for path in (orphan, media / kept.stored_as):
        os.utime(path, (long_ago, long_ago))

    assert (sweep(), sweep()) == (1, 0)
    assert (orphan.exists(), young.exists(), open_file(kept).read()) == (False, True, PDF)


def test_the_sweep_takes_nothing_that_is_not_its_own(media: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / ("0" * 32)
    elsewhere.write_bytes(b"of another program")
    folder = media / "files" / "ab"
    folder.mkdir(parents=True)
    (media / "files" / "cd").symlink_to(elsewhere.parent)
    (folder / ("1" * 32)).symlink_to(elsewhere)
    (folder / "README").write_bytes(b"somebody's notes")
    for path in (elsewhere, folder / "README"):
        os.utime(path, (0, 0))

    assert sweep() == 0
    assert elsewhere.exists()
    assert (folder / "README").exists()


def test_the_sweep_of_an_empty_store_finds_nothing(media: Path) -> None:
    assert sweep() == 0


def test_one_person_holds_no_more_than_the_limit_of_files_chosen(media: Path, agency: Agency) -> None:
    by, another = make_user("academy"), make_user("academy")

    with override_settings(CHOSEN_MAX_BYTES=2 * len(PDF)):
        first, second = (choose(sent(PDF, name), by=by, kinds=LESSON_PLANS) for name in ("1.pdf", "2.pdf"))
        with pytest.raises(FileRefused) as refused:
            choose(sent(PDF, "3.pdf"), by=by, kinds=LESSON_PLANS)
        choose(sent(PDF, "theirs.pdf"), by=another, kinds=LESSON_PLANS)
        after_refusal = len(on_disk(media))
        take([first.key], agency=agency, by=by)
        choose(sent(PDF, "4.pdf"), by=by, kinds=LESSON_PLANS)
        drop([second.key], by=by)
        choose(sent(PDF, "5.pdf"), by=by, kinds=LESSON_PLANS)
        ChosenFile.objects.filter(name="4.pdf").update(uploaded_at=timezone.now() - ORPHAN_AGE)
        choose(sent(PDF, "6.pdf"), by=by, kinds=LESSON_PLANS)

    assert refused.value.messages == [
        f"3.pdf was not kept: with it you would have chosen more than {2 * len(PDF) / 1024 / 1024:.4g} MB within a day"
        " in forms that recorded nothing. Record or untick some of those files, or choose it again a day later."
    ]
    assert after_refusal == 3
    assert sorted(ChosenFile.objects.filter(uploaded_by=by).values_list("name", flat=True)) == [
        "4.pdf",
        "5.pdf",
        "6.pdf",
    ]
