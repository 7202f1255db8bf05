"""Tables as files: every row that the page's filters leave, not only the page shown."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.encoding import force_str
from django.utils.http import content_disposition_header
from django_tables2 import A, Column, Table
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow
from django_tables2.utils import signature

FORMATS = ("csv", "xlsx")
#: How many records are in memory at a time.
ROWS_READ = 2000
#: What a column's method may ask for by name.
ARGUMENTS = ("value", "record", "column", "bound_column", "bound_row", "table")
#: Rows of a sheet in any program, the header among them.
MOST_ROWS = 1_048_576
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
    rows: Iterable[Sequence[Any]] = values_of(table)
    if (asked := getattr(table, "asked", None)) is not None and asked.known_at is not None:
        rows = list(rows)  # they are read from a table that is gone when the response is sent
    return csv_response(rows, name) if form == "csv" else xlsx_response(rows, name)


def values_of(table: Table) -> Iterator[list[Any]]:
    """The header and the rows of a table as values: what the library's `as_values` gives, for files of any length.

    How a column gets its value is found out once, not for every cell, and records come so many at a time. Columns with
    the attribute `export=False` stay out.
    """
    columns = [
        column
        for column in table.columns.iterall()
        if not column.column.exclude_from_export and column.attrs.get("export") is not False
    ]
    yield [_plain(column.header) for column in columns]
    cells = [_cell_of(column, table) for column in columns]
    rows = table.data.data
    for record in rows.iterator(chunk_size=ROWS_READ) if isinstance(rows, QuerySet) else rows:
        yield [_plain(cell(record)) for cell in cells]


def _plain(value: Any) -> Any:
    return force_str(value, strings_only=True)


def _cell_of(bound: BoundColumn, table: Table) -> Callable[[Any], Any]:
    """A function from a record to the value of its cell; None for what the column takes as empty."""
    column, read = bound.column, _reader(A(bound.accessor), table.data.model)
    call: Callable[..., Any] = bound.value
    if getattr(call, "__func__", None) is Column.value:
        call = column.render  # all that a plain column's `value` does is to look at its arguments once more
    names, takes_all = signature(call)
    wanted = tuple(ARGUMENTS if takes_all else names)
    empty = column.empty_values

    if wanted == ("value",):

        def from_value(record: Any) -> Any:
            value = read(record)
            return None if value in empty else call(value=value)

        return from_value
    if wanted == ("record",):
        return lambda record: None if empty and read(record) in empty else call(record=record)

    def from_all(record: Any) -> Any:
        value = read(record)
        if value in empty:
            return None
        given = {"value": value, "record": record, "column": column, "bound_column": bound, "table": table}
        if "bound_row" in wanted:
            given["bound_row"] = BoundRow(record, table=table)
        return call(**given) if takes_all else call(**{name: given[name] for name in wanted})

    return from_all


def _reader(accessor: A, model: type[Model] | None) -> Callable[[Any], Any]:
    """A function from a record to what the accessor leads to: the words of a choice, None where it leads nowhere."""
    *path, last = accessor.bits or ("",)
    has_choices = bool(getattr(accessor.get_field(model), "choices", None)) if model else False

    def resolve(record: Any) -> Any:
        try:
            return accessor.resolve(record)
        except ValueError:  # the library's word for a path that leads nowhere
            return None

    def read(record: Any) -> Any:
        """Attributes of records, and nothing that has to be called: else the library finds the way."""
        found = record
        try:
            for name in path:
                found = getattr(found, name)
                if found is None:
                    return None
            words = getattr(found, f"get_{last}_display", None) if has_choices else None
            found = getattr(found, last) if words is None else words()
        except AttributeError:
            return resolve(record)
        return resolve(record) if callable(found) else found

    return read if model else resolve


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


class SheetFull(BadRequest):
    """More rows than a sheet holds; the message is for whoever asked for one."""


def xlsx_response(rows: Iterable[Sequence[Any]], name: str) -> HttpResponseBase:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(file, options) as book:
            write_sheet(book, safe_name(name)[:31], rows)
    except SheetFull:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{safe_name(name)}.xlsx")


def write_sheet(book: xlsxwriter.Workbook, title: str, rows: Iterable[Sequence[Any]]) -> None:
    """One sheet: the first row is the header, kept in view; dates stay dates; columns as wide as their first rows.

    `SheetFull` where the rows are more than a sheet holds.
    """
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    widths: dict[int, int] = {}
    for place, row in enumerate(rows):
        if place == MOST_ROWS:
            raise SheetFull(f"Export: a sheet holds {MOST_ROWS - 1:,} rows and this list has more. Take the CSV.")
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
