"""Tables as files: what a spreadsheet program gets, and what it must never run."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from compliance.exports import csv_response, xlsx_response

pytestmark = pytest.mark.django_db  # a response that is closed ends a request, which looks at the connection

ROWS: list[list[Any]] = [
    ["Officer", "Due", "Counted", "Percent"],
    ["=HYPERLINK(1)", date(2029, 8, 8), 3, Decimal("29.8")],
    ["Mbeki", None, 0, "n/a"],
]


def content(response: Any) -> bytes:
    parts: Iterable[bytes] = response.streaming_content
    whole = b"".join(parts)
    response.close()
    return whole


def test_csv_is_written_row_by_row() -> None:
    response = csv_response(ROWS, "deadlines")

    assert response["Content-Disposition"] == 'attachment; filename="deadlines.csv"'
    assert content(response).decode("utf-8-sig").splitlines() == [
        "Officer,Due,Counted,Percent",
        "'=HYPERLINK(1),2029-08-08,3,29.8",
        "Mbeki,,0,n/a",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_run_gets_an_apostrophe(text: str) -> None:
    """Commas, quotes and line ends do not hide it from the spreadsheet program."""
    sheet = openpyxl.load_workbook(io.BytesIO(content(xlsx_response([["Name"], [text]], "x")))).worksheets[0]

    assert content(csv_response([[text]], "x")).decode("utf-8-sig").lstrip('"').startswith("'" + text[0])
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value.startswith("'")


def test_numbers_are_not_text_and_negative_ones_stay_numbers() -> None:
    assert content(csv_response([[-3]], "x")).decode("utf-8-sig") == "-3\r\n"


def test_xlsx_keeps_dates_and_numbers_and_shows_the_header() -> None:
    book = openpyxl.load_workbook(io.BytesIO(content(xlsx_response(ROWS, "deadlines"))))
    sheet = book.worksheets[0]

    assert sheet.title == "deadlines"
    assert sheet.freeze_panes == "A2"
    assert [[cell.value for cell in row] for row in sheet.iter_rows()][1:] == [
        ["'=HYPERLINK(1)", sheet["B2"].value, 3, 29.8],
        ["Mbeki", None, 0, "n/a"],
    ]
    assert sheet["B2"].value.date() == date(2029, 8, 8)
    assert sheet["B2"].is_date
    assert sheet.column_dimensions["A"].width > len(ROWS[1][0])
