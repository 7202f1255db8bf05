"""Reading any sheet: CSV, XLSX, XLS or ODS, as people really send them.

`open_sheet` finds out what a file is by its bytes, not by its name. `Table` finds the header below banner lines, says
which column is which, and yields rows of plain text with the line number a person sees. A CSV file is read line by
line, so memory does not grow with it; a workbook is checked before it is unpacked.

What cannot be read at all raises `Unreadable` with one sentence. What is wrong with one row is that row's matter.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from roster.cells import straight_quotes
from roster.sheets import CsvSheet, Row, Sheet, Unreadable
from roster.workbooks import open_workbook

__all__ = ["Column", "Preview", "Row", "Sheet", "Table", "Unreadable", "open_sheet", "preview", "write_csv"]

#: How far down a header may stand, under banner lines.
HEADER_WITHIN = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column a kind of file may have: our name for it, and how it reads to people."""

    name: str
    title: str
    is_required: bool = False
    #: other headers that mean it; a page suggests them, an import never takes them unasked
    also: tuple[str, ...] = ()


def open_sheet(path: Path, name: str = "") -> Sheet:
    """The sheet of a file, whatever kind it is; `Unreadable` with a sentence where there is none.

    Of a workbook the one of that name, without a name the first that holds anything; text is one sheet.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except FileNotFoundError:
        raise Unreadable(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise Unreadable(f"{path} is a folder, not a file.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    if not head:
        raise Unreadable(f"{path.name} is empty.")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        return open_workbook(path, name)
    if head.startswith(b"%PDF"):
        raise Unreadable(f"{path.name} is a PDF, not a table. Send CSV, XLSX, XLS or ODS.")
    return CsvSheet(path)


def fold_header(header: str) -> str:
    """A header as headers are compared: case, spaces, hyphens and curly quotes do not matter."""
    words = straight_quotes(header).replace("\ufeff", "").replace("_", " ").replace("-", " ").casefold()
    return "_".join(words.split())


class Table:
    """A sheet whose header was found: which of our columns stands where, and the rows below it.

    `mapping` gives our name for their header. `required` are groups of columns; of each group one set must be there.
    """

    def __init__(
        self,
        sheet: Sheet,
        columns: Sequence[Column],
        *,
        mapping: Mapping[str, str] | None = None,
        required: Sequence[Sequence[tuple[str, ...]]] = (),
    ) -> None:
        self._sheet = sheet
        known = {column.name for column in columns}
        mapped = self._checked_mapping(mapping or {}, known)
        row = self._find_header(known, mapped)
        self.header_line = row.line
        #: about how many rows there are below it
        self.about = max(sheet.about - row.line, 0)
        #: the header as the file has it
        self.headers = [cell.strip() for cell in row.cells]
        while self.headers and not self.headers[-1]:
            self.headers.pop()
        self._check_mapped_headers(mapping or {})
        self.places = self._find_places(known, mapped)
        self.ignored = [
            header for place, header in enumerate(self.headers) if header and place not in self.places.values()
        ]
        for alternatives in required:
            if not any(all(name in self.places for name in names) for names in alternatives):
                wanted = ", nor ".join(" and ".join(names) for names in alternatives)
                raise Unreadable(
                    f"The file has no column {wanted}. Its header, line {self.header_line}, reads:"
                    f" {', '.join(self.headers)}."
                )

    def rows(self) -> Iterator[Row]:
        """The rows below the header, each with as many cells as the header has; blank lines are left out."""
        width, after = len(self.headers), self.header_line
        for row in self._sheet.rows():
            line, cells, problem = row
            if line <= after:
                continue
            if len(cells) == width:
                yield row
            elif len(cells) < width:
                yield Row(line, cells + [""] * (width - len(cells)), problem)
            elif "".join(cells[width:]).strip():
                problem = problem or (
                    f"The line has {len(cells)} cells and the header {width}."
                    " Text with a comma in it needs quotation marks."
                )
                yield Row(line, cells[:width], problem)
            else:
                yield Row(line, cells[:width], problem)

    def header_of(self, name: str) -> str:
        """Their header of our column: what errors name."""
        place = self.places.get(name)
        return name if place is None else self.headers[place]

    @staticmethod
    def _checked_mapping(mapping: Mapping[str, str], known: set[str]) -> dict[str, str]:
        for theirs, ours in mapping.items():
            if ours not in known:
                raise Unreadable(
                    f'"{theirs}" cannot be read as "{ours}": there is no such column. There are: '
                    f"{', '.join(sorted(known))}."
                )
        twice = {ours for ours in mapping.values() if list(mapping.values()).count(ours) > 1}
        if twice:
            raise Unreadable(f"Two columns are mapped to {min(twice)}. Map one.")
        return {fold_header(theirs): ours for theirs, ours in mapping.items()}

    def _find_header(self, known: set[str], mapped: Mapping[str, str]) -> Row:
        """The row among the first ones that names most columns; failing that, the first one of several cells."""
        rows = list(islice(self._sheet.rows(), HEADER_WITHIN))
        if not rows:
            raise Unreadable("The file has no rows.")

        def fit(row: Row) -> int:
            folded = {fold_header(cell) for cell in row.cells}
            return len(folded & known) + 2 * len(folded & mapped.keys())

        best = max(rows, key=fit)
        if fit(best):
            return best
        return next((row for row in rows if sum(bool(cell.strip()) for cell in row.cells) > 1), rows[0])

    def _check_mapped_headers(self, mapping: Mapping[str, str]) -> None:
        there = {fold_header(header) for header in self.headers}
        for theirs in mapping:
            if fold_header(theirs) not in there:
                raise Unreadable(
                    f'The file has no column "{theirs}". Its header, line {self.header_line}, reads:'
                    f" {', '.join(self.headers)}."
                )

    def _find_places(self, known: set[str], mapped: Mapping[str, str]) -> dict[str, int]:
        taken = set(mapped.values())
        places: dict[str, int] = {}
        for place, header in enumerate(self.headers):
            folded = fold_header(header)
            ours = mapped.get(folded) or (folded if folded in known and folded not in taken else None)
            if ours is None:
                continue
            if ours in places:
                raise Unreadable(f'The file has two columns "{header}". Rename or remove one.')
            places[ours] = place
        return places


def _fold_abbreviated(header: str) -> str:
    """`Emp. #` as `emp_no`: full stops do not matter, and # is a number. To suggest a column, not to read one."""
    return fold_header(header.replace(".", " ").replace("#", " no "))


@dataclass(frozen=True, slots=True)
class Preview:
    """The top of a file, for a person who says which column is which."""

    header_line: int
    headers: list[str]
    #: the first rows below the header, as text
    rows: list[list[str]]
    #: our column for their header, where one offers itself
    suggested: dict[str, str]


class _Top(Sheet):
    """The first rows of a sheet, kept: looked at again and again without opening the file."""

    def __init__(self, sheet: Sheet) -> None:
        self.about, self.name, self.names = sheet.about, sheet.name, sheet.names
        self._rows = list(islice(sheet.rows(), HEADER_WITHIN + 1))

    def rows(self) -> Iterator[Row]:
        return iter(self._rows)


def top_of(path: Path, name: str = "") -> Sheet:
    """The first rows of a file, as a sheet. `Unreadable` as `open_sheet`."""
    return _Top(open_sheet(path, name))


def preview(path: Path, columns: Sequence[Column], *, rows: int = 5, sheet: str = "") -> Preview:
    """Headers, first rows and a suggested mapping. `Unreadable` with a sentence where the file is no table."""
    return preview_of(open_sheet(path, sheet), columns, rows=rows)


def preview_of(sheet: Sheet, columns: Sequence[Column], *, rows: int = 5) -> Preview:
    """As `preview`, of a sheet that is open."""
    by_header = {fold_header(name): column.name for column in columns for name in (*column.also, column.title)}
    by_header |= {column.name: column.name for column in columns}
    # The suggestions help to find the header, but they are read as their own names only.
    table = Table(sheet, [Column(name, "") for name in by_header])
    suggested: dict[str, str] = {}
    for header in table.headers:
        ours = by_header.get(fold_header(header)) or by_header.get(_fold_abbreviated(header))
        if ours is not None and ours not in suggested.values():
            suggested[header] = ours
    return Preview(table.header_line, table.headers, [row.cells for row in islice(table.rows(), rows)], suggested)


def write_csv(out: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """CSV as our exports write it."""
    csv.writer(out, lineterminator="\n").writerows(rows)
