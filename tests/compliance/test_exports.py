"""Tables as files: cells that a spreadsheet would run, and what each kind of value becomes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from compliance.exports import csv_response, neutral, xlsx_response
from tests.compliance.pages.reading import csv_rows, xlsx_rows

pytestmark = pytest.mark.django_db  # a response that is closed ends a request, which looks at the connection

ROWS: list[list[Any]] = [
    ["Name", "Day", "Number"],
    ["=1+1", date(2026, 8, 8), 3],
    [None, None, Decimal("40.5")],
    ["O'Neil, Ann", "", 0],
]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", "", -1, None, date(2026, 1, 1)])
def test_anything_else_stays(value: object) -> None:
    assert neutral(value) == value


def test_csv_writes_days_as_the_standard_does_and_nothing_for_none() -> None:
    response = csv_response(ROWS, "people")

    assert csv_rows(response) == [
        ["Name", "Day", "Number"], ["'=1+1", "2026-08-08", "3"], ["", "", "40.5"], ["O'Neil, Ann", "", "0"],
    ]  # fmt: skip
    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'


def test_workbook_keeps_days_and_numbers_as_such() -> None:
    rows = xlsx_rows(xlsx_response(ROWS, "people"))

    assert rows == [
        ["Name", "Day", "Number"],
        ["'=1+1", datetime(2026, 8, 8), 3],  # noqa: DTZ001 - what the library reads a day as
        [None, None, 40.5],
        ["O'Neil, Ann", None, 0],
    ]
