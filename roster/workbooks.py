"""Workbooks (XLSX, XLS, ODS): checked before they are unpacked, then read as text.

A small file can unpack into more than a machine holds, by compression or by one cell at the far end of a sheet. Both
are found by streaming through the archive first. The same pass finds formulas that were saved without their value:
they read as text that begins with `=`, which is an error of that cell instead of a silent blank.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

from roster.sheets import Row, Sheet, Unreadable

#: Bytes. A sheet of 1,000,000 rows and 12 columns unpacks into about 700 MB of XML.
MOST_UNPACKED = 1024**3
#: Repetitive sheets shrink 30 times; a bomb a thousand times.
MOST_TIMES = 200
#: Below this nothing can do harm.
HARMLESS = 32 * 1024**2
#: rows x columns, which the reader lays out in memory at once
MOST_CELLS = 40_000_000

_BLOCK = 1024 * 1024
_LONGEST_ROW = 16 * 1024 * 1024

_FAR_COLUMN = re.compile(rb"""r=["']([A-Z]{2,3})\d""")
_FAR_ROW = re.compile(rb"""r=["'][A-Z]{1,3}(\d{6,7})["']""")
_NO_VALUE = re.compile(
    rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>([^<]*)</(?:\w+:)?f>)'
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_SHEET_ENTRY = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_ODS_TAG = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)(\s[^>]*?)?(/?)>")
_ODS_TIMES = re.compile(rb'number-(?:rows|columns)-repeated="(\d+)"')

Formulas = dict[tuple[int, int], str]


class WorkbookSheet(Sheet):
    """A visible sheet of a workbook that holds anything: the one of that name, without a name the first.

    `formulas` are those without a value, by sheet.
    """

    def __init__(self, path: Path, formulas: dict[str, Formulas], name: str) -> None:
        try:
            sheets = _sheets(python_calamine.CalamineWorkbook.from_path(str(path)))
            self._sheet = _chosen(sheets, name, path)
            self._merged = _rows_merged(self._sheet)
        except python_calamine.PasswordError:
            raise Unreadable(f"{path.name} is protected by a password. Save it without one.") from None
        except (Unreadable, KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:  # noqa: BLE001, RUF100 - a panic inside the reader is no Exception
            raise _damaged(path) from None
        self._formulas = formulas.get(self._sheet.name, {})
        if len(sheets) > 1:
            self.name, self.names = self._sheet.name, tuple(sheet.name for sheet in sheets)
        self.about = self._sheet.total_height

    def rows(self) -> Iterator[Row]:
        first_column = (self._sheet.start or (0, 0))[1]
        above: dict[tuple[int, int], str] = {}
        for number, values in enumerate(self._sheet.iter_rows()):
            cells = [value if type(value) is str else _as_text(value) for value in values]
            if self._formulas or self._merged:
                self._complete(number, first_column, cells, above)
            if "".join(cells).strip():
                yield Row(number + 1, cells)

    def _complete(self, number: int, first_column: int, cells: list[str], above: dict[tuple[int, int], str]) -> None:
        """Put in formulas without a value, and repeat a merged cell in the rows it covers, in its first column."""
        for place in range(len(cells)):
            where = number, first_column + place
            if not cells[place] and where in self._formulas:
                cells[place] = self._formulas[where]
            top = self._merged.get(where)
            if top == number:
                above[where] = cells[place]
            elif top is not None:
                cells[place] = above.get((top, where[1]), "")


def open_workbook(path: Path, name: str = "") -> WorkbookSheet:
    """`Unreadable` with a sentence for what is damaged, protected, too large, or no workbook."""
    formulas: dict[str, Formulas] = {}
    try:
        if zipfile.is_zipfile(path):
            formulas = _check_archive(path)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise _damaged(path) from None
    return WorkbookSheet(path, formulas, name)


def _damaged(path: Path) -> Unreadable:
    return Unreadable(f"{path.name} is damaged or is no spreadsheet. Send CSV, XLSX, XLS or ODS.")


def _too_large(path: Path) -> Unreadable:
    return Unreadable(f"{path.name} unpacks into more than any roster needs and was not opened. Send it as CSV.")


def _sheets(workbook: python_calamine.CalamineWorkbook) -> list[python_calamine.CalamineSheet]:
    """The visible sheets that hold anything, in their order."""
    sheets = (
        workbook.get_sheet_by_name(metadata.name)
        for metadata in workbook.sheets_metadata
        if metadata.typ == python_calamine.SheetTypeEnum.WorkSheet
        and metadata.visible == python_calamine.SheetVisibleEnum.Visible
    )
    return [sheet for sheet in sheets if sheet.height]


def _chosen(sheets: list[python_calamine.CalamineSheet], name: str, path: Path) -> python_calamine.CalamineSheet:
    if not sheets:
        raise Unreadable(f"{path.name} has no sheet with anything on it.")
    for sheet in sheets:
        if name in ("", sheet.name):
            return sheet
    raise Unreadable(f"{path.name} has no sheet “{name}” with anything on it.")


def _rows_merged(sheet: python_calamine.CalamineSheet) -> dict[tuple[int, int], int]:
    """The first column of every cell merged over several rows, by row and column: the row its value stands in."""
    return {
        (row, left): top
        for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
        if bottom > top
        for row in range(top, bottom + 1)
    }


def _as_text(value: object) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)


def _check_archive(path: Path) -> dict[str, Formulas]:
    """Stream through the archive once; the formulas without a value of each sheet. Refuses what would not fit."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        packed = max(1, path.stat().st_size)
        if total > MOST_UNPACKED or (total > HARMLESS and total > packed * MOST_TIMES):
            raise _too_large(path)
        names = {member.filename for member in members}
        if "xl/workbook.xml" in names:
            found = {}
            sheets = _sheet_names(archive)
            for name in sorted(names):
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    found[sheets.get(name, name)] = _check_xlsx_sheet(archive, name, path)
                elif name.endswith(".xml"):
                    _read_through(archive, name)
            return found
        if "content.xml" in names:
            _check_ods(archive, path)
            return {}
    raise _damaged(path)


def _read_through(archive: zipfile.ZipFile, name: str) -> None:
    """To the end, so that a member that unpacks into more than it says is found out."""
    with archive.open(name) as member:
        while member.read(_BLOCK):
            pass


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The name of the sheet that each member of an XLSX archive holds."""

    def attributes(pattern: re.Pattern[str], name: str) -> list[dict[str, str]]:
        try:
            text = archive.read(name).decode(errors="replace")
        except KeyError:
            return []
        return [dict(_ATTRIBUTE.findall(tag)) for tag in pattern.findall(text)]

    targets = {
        relation.get("Id"): "xl/" + relation.get("Target", "").removeprefix("/xl/")
        for relation in attributes(_RELATION, "xl/_rels/workbook.xml.rels")
    }
    return {
        targets.get(sheet.get("r:id"), ""): html.unescape(sheet.get("name", ""))
        for sheet in attributes(_SHEET_ENTRY, "xl/workbook.xml")
    }


def _blocks(archive: zipfile.ZipFile, name: str, last: bytes) -> Iterator[bytes]:
    """The member in pieces that end after `last`, so that no tag or row is cut."""
    rest = b""
    with archive.open(name) as member:
        while block := member.read(_BLOCK):
            rest += block
            cut = rest.rfind(last) + len(last)
            if cut < len(last):
                if len(rest) > _LONGEST_ROW:
                    raise ValueError("no row is that long")
                continue
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _check_xlsx_sheet(archive: zipfile.ZipFile, name: str, path: Path) -> Formulas:
    formulas: Formulas = {}
    width, height = 26, 99_999
    for block in _blocks(archive, name, b">" if archive.getinfo(name).file_size < _BLOCK else b"row>"):
        width = max(width, *map(_column_number, set(_FAR_COLUMN.findall(block))), 0)
        height = max(height, *map(int, _FAR_ROW.findall(block)), 0)
        if width * height > MOST_CELLS:
            raise _too_large(path)
        if b"<f" not in block and b":f" not in block:
            continue
        for column, row, formula in _NO_VALUE.findall(block):
            formulas[int(row) - 1, _column_number(column) - 1] = "=" + html.unescape(formula.decode(errors="replace"))
    return formulas


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_ods(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse a sheet whose cells, repeated as it says, would not fit."""
    rows = repeat = column = width = height = 0
    for block in _blocks(archive, "content.xml", b">"):
        for tag, attributes, is_empty in _ODS_TAG.findall(block):
            found = _ODS_TIMES.search(attributes)
            times = int(found[1]) if found else 1
            if tag == b"table":
                rows = repeat = width = height = 0
            elif tag == b"table-row":
                rows, repeat, column = rows + repeat, times, 0
            else:
                column += times
                if not is_empty:
                    width, height = max(width, column), rows + repeat
                    if width * height > MOST_CELLS:
                        raise _too_large(path)
    for name in archive.namelist():
        if name != "content.xml" and name.endswith(".xml"):
            _read_through(archive, name)
