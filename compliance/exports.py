"""Tables as files: every row that the page's filters leave, not only the page shown."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django_tables2 import Table

FORMATS = ("csv", "xlsx")
#: Columns of a sheet are as wide as the widest of so many rows, up to so many letters.
ROWS_MEASURED, WIDEST = 200, 60
#: What a spreadsheet would take for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe; our own import takes it off again."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def safe_name(name: str) -> str:
    """The name without what a header, a file system or a sheet's tab would not take."""
    return re.sub(r"[^\w.-]+", "-", name)


def export(table: Table, name: str, form: str) -> HttpResponseBase:
    """All rows of a table as a file to save. Rows come from the database as they are written."""
    hidden = [column.name for column in table.columns if column.attrs.get("export") is False]
    rows: Iterable[Sequence[Any]] = table.as_values(exclude_columns=hidden)
    if (asked := getattr(table, "asked", None)) is not None and asked.known_at is not None:
        rows = list(rows)  # they are read from a table that is gone when the response is sent
    return csv_response(rows, name) if form == "csv" else xlsx_response(rows, name)


class _Echo:
    def write(self, value: str) -> str:
        return value


def csv_response(rows: Iterable[Sequence[Any]], name: str) -> HttpResponseBase:
    writer = csv.writer(_Echo(), lineterminator="\r\n")

    def lines() -> Iterator[str]:
        yield "\ufeff"  # spreadsheets read UTF-8 only when told
        for row in rows:
            yield writer.writerow([neutral("" if value is None else value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{safe_name(name)}.csv")
    return response


def xlsx_response(rows: Iterable[Sequence[Any]], name: str) -> HttpResponseBase:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    write_sheet(book, safe_name(name)[:31], rows)
    book.close()
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{safe_name(name)}.xlsx")


def write_sheet(book: xlsxwriter.Workbook, title: str, rows: Iterable[Sequence[Any]]) -> None:
    """One sheet: the first row is the header, kept in view; dates stay dates; columns as wide as their first rows."""
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    widths: dict[int, int] = {}
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if place < ROWS_MEASURED:
                widths[column] = max(widths.get(column, 0), min(len(str(value)), WIDEST))
            if place == 0:
                sheet.write_string(0, column, str(value), bold)
            elif value is None or value == "":
                continue  # an empty cell, which a cell of no letters is not
            elif isinstance(value, bool):
                sheet.write_string(place, column, "yes" if value else "no")
            elif isinstance(value, date) and not isinstance(value, datetime):
                sheet.write_datetime(place, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a day, not a moment
            elif isinstance(value, int | float | Decimal):
                sheet.write_number(place, column, float(value))
            else:
                sheet.write_string(place, column, neutral(str(value)))
    for column, width in widths.items():  # the writer's own autofit needs all rows in memory
        sheet.set_column(column, column, width + 2)
