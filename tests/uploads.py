"""Files as people send them, made here byte by byte; and some that nobody should."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

from django.core.files.uploadedfile import SimpleUploadedFile

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n"


def png_part(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png(width: int = 1, height: int = 1) -> bytes:
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x00\x00\x00\x00"
    body = png_part(b"IHDR", header) + png_part(b"IDAT", zlib.compress(b"\0\0")) + png_part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg(width: int = 1, height: int = 1) -> bytes:
    frame = b"\xff\xc0\x00\x0b\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04JF" + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\x34\xff\xd9"


def archive(parts: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return made.getvalue()


def office(
    more: Mapping[str, bytes] | None = None, *, kind: str = "wordprocessingml", main: str = "word/document.xml"
) -> bytes:
    """A document as Word writes it, with `more` parts; `kind` and `main` make it one of PowerPoint."""
    word = "document" if kind == "wordprocessingml" else "presentation"
    types = f"<Types>application/vnd.openxmlformats-officedocument.{kind}.{word}.main+xml</Types>".encode()
    return archive({"[Content_Types].xml": types, main: b"<document/>", **(more or {})})


def sent(content: bytes = PDF, name: str = "certificate.pdf", says: str = "text/html") -> SimpleUploadedFile:
    """An upload that lies about its type."""
    return SimpleUploadedFile(name, content, content_type=says)
