"""What a file is by its content: a PDF, a picture, a Word or PowerPoint document. Its name and its sender do not count.

A file that is one thing to one program and another to the next is nothing here: a picture that is an archive too, an
archive with something before it. So is one that was cut short, that is protected or holds macros, and one that would
unpack into more than any lesson plan needs.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum


class Kind(StrEnum):
    """Types of files that are kept; the value is what they are handed out as."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


#: Scans and certificates.
PAPERS = frozenset({Kind.PDF, Kind.PNG, Kind.JPEG})
#: What a course teaches from.
LESSON_PLANS = PAPERS | {Kind.DOCX, Kind.PPTX}

#: Endings of a name that fit a type; the first is put to a name that has none of them.
ENDINGS: dict[Kind, tuple[str, ...]] = {
    Kind.PDF: (".pdf",),
    Kind.PNG: (".png",),
    Kind.JPEG: (".jpg", ".jpeg"),
    Kind.DOCX: (".docx",),
    Kind.PPTX: (".pptx",),
}
#: The part of an Office archive that makes it what it is.
MAIN_PARTS = {Kind.DOCX: "word/document.xml", Kind.PPTX: "ppt/presentation.xml"}

#: Points of a picture: a letter page at 600 dpi has 34 million.
MOST_POINTS = 100_000_000
#: Bytes an Office document may unpack into, and how many times its own size above a harmless one.
MOST_UNPACKED = 250 * 1024 * 1024
HARMLESS = 20 * 1024 * 1024
MOST_TIMES = 100
MOST_PARTS = 10_000
_BLOCK = 256 * 1024

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_ZIP = b"PK\x03\x04"
#: What people send often and can easily save as something else, by how it begins.
KNOWN = (
    (re.compile(rb"....ftyp(hei[cx]|hev[cx]|mif1|msf1)", re.DOTALL), "is a HEIC picture, as some phones take them"),
    (re.compile(rb"II\*\0|MM\0\*"), "is a TIFF picture"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "is an Office document of the old kind, or has a password"),
)
#: How far into a file PDF readers look for its beginning, and back from its end for that.
_PDF_REACH = 1024
_ENCRYPTED = 0x1


class Unfit(ValueError):
    """Why content is not taken, to be read after the file's name: `is cut short`."""


def kind_of(content: bytes) -> Kind:
    """The type of a file; `Unfit` where it is none of those kept, or more than one thing at a time."""
    if content.startswith(b"%PDF-"):
        _check_pdf(content)
        kind = Kind.PDF
    elif content.startswith(_PNG):
        _check_points(*_png_size(content))
        kind = Kind.PNG
    elif content.startswith(_JPEG):
        _check_points(*_jpeg_size(content))
        kind = Kind.JPEG
    elif content.startswith(_ZIP):
        kind = _office_kind(content)
    else:
        raise Unfit(
            next((said for known, said in KNOWN if known.match(content)), "is of no type that can be kept here")
        )
    if kind is not Kind.PDF and b"%PDF-" in content[:_PDF_REACH]:
        raise Unfit("is two kinds of file at once")
    if kind in PAPERS and _is_archive(content):
        raise Unfit("is two kinds of file at once")
    return kind


def _check_pdf(content: bytes) -> None:
    end = content.rstrip(b"\0\r\n\t ")[-_PDF_REACH:]
    if b"startxref" not in end or b"%%EOF" not in end:
        raise Unfit("is cut short or is no PDF")


def _check_points(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise Unfit("is a damaged picture")
    if width * height > MOST_POINTS:
        raise Unfit("has more points than a picture of a paper needs; save it smaller")


def _png_size(content: bytes) -> tuple[int, int]:
    """Width and height; every part is there, whole, and nothing follows the last."""
    width = height = 0
    name = b""
    for place, (name, data, check, end) in enumerate(_png_parts(content)):
        if zlib.crc32(name + data) != check:
            raise Unfit("is a damaged picture")
        if place == 0:
            if name != b"IHDR" or len(data) != 13:
                raise Unfit("is a damaged picture")
            width, height = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        if name == b"IEND":
            if content[end:].strip(b"\0\r\n"):
                raise Unfit("holds more than a picture")
            return width, height
    raise Unfit("is cut short")


def _png_parts(content: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
    """(name, data, checksum, where it ends) of each part."""
    at = len(_PNG)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        end = at + 12 + length
        if end > len(content):
            return
        data = content[at + 8 : end - 4]
        yield content[at + 4 : at + 8], data, int.from_bytes(content[end - 4 : end]), end
        at = end


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height. What cameras put behind the picture may follow it."""
    at, size = 2, (0, 0)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4])
        if length < 2:
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 + length
        if marker == 0xDA:
            if content.find(b"\xff\xd9", at) < 0:
                raise Unfit("is cut short")
            return size
    raise Unfit("is a damaged picture")


def _is_archive(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return bool(archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False


def _office_kind(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _checked_office(archive, len(content))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise Unfit("is a damaged document") from None


def _checked_office(archive: zipfile.ZipFile, packed: int) -> Kind:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    total = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or total > MOST_UNPACKED or (total > HARMLESS and total > packed * MOST_TIMES):
        raise Unfit("unpacks into more than any document needs")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise Unfit("is protected; take the password away")
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        raise Unfit("is a damaged document")
    if len(names) != len(parts):  # two parts of one name: programs differ in which they read
        raise Unfit("is a damaged document")
    for kind, main in MAIN_PARTS.items():
        if main in names and "[Content_Types].xml" in names:
            types = archive.read("[Content_Types].xml")
            if f"{kind.value}.main+xml".encode() not in types:
                continue
            if b"macroEnabled" in types or any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Unfit("holds macros; save it without them")
            _read_through(archive, parts)
            return kind
    raise Unfit("is of no type that can be kept here")


def _read_through(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Every part to its end: one that unpacks into something else than it says is found out."""
    for part in parts:
        with archive.open(part) as member:
            block = member.read(_BLOCK)
            if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in block:
                raise Unfit("is a damaged document")
            while block:
                block = member.read(_BLOCK)
