"""Where rows come from: the `Sheet` every kind of file is read as, and CSV."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

#: A quoted cell that runs on over more lines than this has lost its closing quotation mark.
LONGEST_CELL_IN_LINES = 20
_FIRST_LINES = 40
_DELIMITERS = (",", ";", "\t")


class Unreadable(Exception):
    """Why nothing of a file, or of an import, can be taken: one sentence for people."""


class Row(NamedTuple):
    """A row: the line it begins on, its cells (as many as the header has), and what is wrong with it as a row."""

    line: int
    cells: list[str]
    problem: str = ""


class Sheet(ABC):
    """The rows of a file, from its first line on, blank ones left out. Can be read more than once."""

    #: about how many rows there are, for a progress bar
    about: int
    #: its name in a workbook of several, and theirs in their order; text has none
    name: str = ""
    names: tuple[str, ...] = ()

    @abstractmethod
    def rows(self) -> Iterator[Row]: ...


class CsvSheet(Sheet):
    """Text with a delimiter. Each line is UTF-8 or, failing that, Windows-1252: real files mix both."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            head = file.read(64 * 1024)
            count = head.count(b"\n")
            while block := file.read(1024 * 1024):
                count += block.count(b"\n")
        self.about = count
        self._encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        if not self._encoding and b"\x00" in head:
            raise Unreadable(f"{path.name} is not a table: it holds binary data. Send CSV, XLSX, XLS or ODS.")
        if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
            raise Unreadable(f"{path.name} is a web page or XML, not a table. Save it as CSV or XLSX and send that.")
        #: lines that end as old Macintosh programs ended them
        self._bare_returns = not self._encoding and b"\n" not in head and b"\r" in head
        self.delimiter = self._find_delimiter()

    def rows(self) -> Iterator[Row]:
        reader = csv.reader(self._lines(), delimiter=self.delimiter)
        before = 0
        try:
            for cells in reader:
                line, before = before + 1, reader.line_num
                if not "".join(cells).strip():
                    continue
                if before - line >= LONGEST_CELL_IN_LINES:
                    yield Row(line, cells, "A quotation mark opens on this line and is not closed.")
                else:
                    yield Row(line, cells)
        except csv.Error:
            raise Unreadable(
                f"{self._path.name} cannot be read from line {before + 1} on: a quotation mark there is not closed,"
                " or it is not a table."
            ) from None
        except UnicodeError:
            raise Unreadable(f"{self._path.name} is damaged after line {before}: it is not whole UTF-16.") from None

    def _lines(self) -> Iterator[str]:
        if self._encoding or self._bare_returns:
            newline = None if self._bare_returns else ""
            with self._path.open(encoding=self._encoding or "utf-8-sig", errors="replace", newline=newline) as text:
                yield from text
            return
        with self._path.open("rb") as file:
            first = file.readline()
            yield _decoded(first.removeprefix(b"\xef\xbb\xbf"))
            for raw in file:
                yield _decoded(raw)

    def _find_delimiter(self) -> str:
        """The one that most of the first lines hold; among equals the one they hold most of, first a comma."""
        lines = list(islice(self._lines(), _FIRST_LINES))

        def weight(delimiter: str) -> tuple[int, int]:
            counts = [line.count(delimiter) for line in lines]
            return sum(map(bool, counts)), max(counts, default=0)

        return max(_DELIMITERS, key=weight)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
