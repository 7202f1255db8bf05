"""Any sheet: what a file is, where its header stands, and what a cell says."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from roster.cells import (
    CellError,
    Days,
    check_date_format,
    neutralised,
    read_choice,
    read_id,
    read_name,
    read_number,
    read_text,
)
from roster.tabular import Column, Table, Unreadable, open_sheet, preview

COLUMNS = (
    Column("employee_id", "Employee id", is_required=True, also=("member no",)),
    Column("course", "Course", is_required=True),
    Column("completed_on", "Completed on", is_required=True, also=("date",)),
)
REQUIRED = ((("employee_id",),), (("course",),), (("completed_on",),))


def table_of(path: Path, **mapping: str) -> Table:
    return Table(open_sheet(path), COLUMNS, mapping=mapping, required=REQUIRED)


def rows_of(path: Path) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in table_of(path).rows()]


def write(tmp_path: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


PLAIN = [(2, ["00123", "CIT-40", "2024-05-01"]), (3, ["1234e567", "CIT’s", "2024-05-02"])]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            "employee_id,course,completed_on\n00123,CIT-40,2024-05-01\n1234e567,CIT’s,2024-05-02\n", id="utf-8"
        ),
        pytest.param(
            b"\xef\xbb\xbf"
            + "employee_id,course,completed_on\n00123,CIT-40,2024-05-01\n1234e567,CIT’s,2024-05-02".encode(),
            id="byte-order-mark-and-no-last-line-end",
        ),
        pytest.param(
            "employee_id,course,completed_on\r\n00123,CIT-40,2024-05-01\r\n1234e567,CIT’s,2024-05-02\r\n".encode(
                "cp1252"
            ),
            id="windows-1252",
        ),
        pytest.param(
            "employee_id;course;completed_on\n00123;CIT-40;2024-05-01\n1234e567;CIT’s;2024-05-02\n", id="semicolons"
        ),
        pytest.param(
            "employee_id\tcourse\tcompleted_on\n00123\tCIT-40\t2024-05-01\n1234e567\tCIT’s\t2024-05-02\n".encode(
                "utf-16"
            ),
            id="utf-16-and-tabs",
        ),
        pytest.param(
            "employee_id,course,completed_on\r00123,CIT-40,2024-05-01\r1234e567,CIT’s,2024-05-02\r", id="bare-returns"
        ),
        pytest.param(
            '"Employee ID", Course ,"Completed-On"\n00123,CIT-40,2024-05-01\n1234e567,CIT’s,2024-05-02,,\n',
            id="header-in-other-clothes-and-empty-cells-behind",
        ),
    ],
)
def test_rows_of_text(tmp_path: Path, content: bytes | str) -> None:
    assert rows_of(write(tmp_path, content)) == PLAIN


def test_rows_mix_of_utf_8_and_windows_1252(tmp_path: Path) -> None:
    content = b"employee_id,course,completed_on\n1,M\xe9thode,x\n" + "2,Méthode,x\n".encode()

    assert rows_of(write(tmp_path, content)) == [(2, ["1", "Méthode", "x"]), (3, ["2", "Méthode", "x"])]


def test_lines_are_counted_as_a_person_sees_them(tmp_path: Path) -> None:
    content = (
        "Training report\n\nPrinted 1 May 2024, page 1\n"
        'employee_id,course,completed_on\n\n1,CIT,x\n , ,\n2,"CIT\n40",y\n3,CIT,z\n4,CIT\n5,CIT,z,more\n'
    )

    rows = list(table_of(write(tmp_path, content)).rows())

    assert [(row.line, row.cells) for row in rows] == [
        (6, ["1", "CIT", "x"]),
        (8, ["2", "CIT\n40", "y"]),
        (10, ["3", "CIT", "z"]),
        (11, ["4", "CIT", ""]),
        (12, ["5", "CIT", "z"]),
    ]
    assert [row.problem for row in rows][-2:] == [
        "",
        "The line has 4 cells and the header 3. Text with a comma in it needs quotation marks.",
    ]


def test_a_quotation_mark_left_open_is_told_of_its_line(tmp_path: Path) -> None:
    content = 'employee_id,course,completed_on\n1,"CIT,x\n' + "2,CIT,x\n" * 30

    (row,) = table_of(write(tmp_path, content)).rows()

    assert (row.line, row.problem) == (2, "A quotation mark opens on this line and is not closed.")


def test_a_workbook_reads_as_a_person_sees_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Empty"
    hidden = book.create_sheet("Hidden")
    hidden.append(["employee_id", "course", "completed_on"])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("Data & more")
    sheet["B2"] = "Training report"
    sheet.merge_cells("B2:D2")
    for place, name in (("B4", "employee_id"), ("C4", "course"), ("D4", "completed_on")):
        sheet[place] = name
    rows: list[tuple[object, ...]] = [
        ("00123", "CIT-40", date(2024, 5, 1)),
        (13001.0, "CIT-40", datetime(2024, 5, 2, 14, 30)),  # noqa: DTZ001 - sheets know no zones
        (None, "CIT-40", 45123),
        ("=1+1", True, None),
    ]
    for number, values in enumerate(rows, start=5):
        for column, value in enumerate(values, start=2):
            sheet.cell(number, column).value = value
    sheet.merge_cells("B6:B7")
    path = tmp_path / "file.xlsx"
    book.save(path)

    assert rows_of(path) == [
        (5, ["00123", "CIT-40", "2024-05-01"]),
        (6, ["13001", "CIT-40", "2024-05-02T14:30:00"]),
        (7, ["13001", "CIT-40", "45123"]),
        (8, ["=1+1", "TRUE", ""]),
    ]


def far_cell(path: Path) -> None:
    """A tiny workbook whose two cells span a whole sheet."""
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "employee_id"
    book.worksheets[0]["XFD1048576"] = 1
    book.save(path)


def bomb(path: Path) -> None:
    """A workbook that unpacks into 300 MB of spaces."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(b" " * 1024 * 1024)


def repeated_ods(path: Path) -> None:
    row = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="500">'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f'<table:table table:name="a">{row}x</table:table-cell></table:table-row>')


TOO_LARGE = "file.xlsx unpacks into more than any roster needs and was not opened. Send it as CSV."


@pytest.mark.parametrize(
    "make", [pytest.param(far_cell, id="far-cell"), pytest.param(bomb, id="bomb"), pytest.param(repeated_ods, id="ods")]
)
def test_what_would_not_fit_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "file.xlsx"
    make(path)

    with pytest.raises(Unreadable) as refused:
        table_of(path)

    assert str(refused.value) == TOO_LARGE


HEADER = b"employee_id,course,completed_on\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "file.csv is empty."),
        (b"\n \n", "The file has no rows."),
        (b"%PDF-1.7\n", "file.csv is a PDF, not a table. Send CSV, XLSX, XLS or ODS."),
        (b"\x00\x01\x02", "file.csv is not a table: it holds binary data. Send CSV, XLSX, XLS or ODS."),
        (b"<html><table>", "file.csv is a web page or XML, not a table. Save it as CSV or XLSX and send that."),
        (b"PK\x03\x04 and nothing", "file.csv is damaged or is no spreadsheet. Send CSV, XLSX, XLS or ODS."),
        (b"\xd0\xcf\x11\xe0 and nothing", "file.csv is damaged or is no spreadsheet. Send CSV, XLSX, XLS or ODS."),
        (
            b"name,place\nx,y\n",
            "The file has no column employee_id. Its header, line 1, reads: name, place.",
        ),
        (
            b"Report\nemployee_id,course\nx,y\n",
            "The file has no column completed_on. Its header, line 2, reads: employee_id, course.",
        ),
        (
            b"employee_id,course,course,completed_on\n",
            'The file has two columns "course". Rename or remove one.',
        ),
        (
            HEADER + b'1,"' + b"x" * 200_000,
            "file.csv cannot be read from line 2 on: a quotation mark there is not closed, or it is not a table.",
        ),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = write(tmp_path, content)

    with pytest.raises(Unreadable) as refused:
        list(table_of(path).rows())

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            {"member": "employee_id"},
            'The file has no column "member". Its header, line 1, reads: member_no, date, course.',
        ),
        (
            {"member_no": "employee"},
            '"member_no" cannot be read as "employee": there is no such column.'
            " There are: completed_on, course, employee_id.",
        ),
        (
            {"member_no": "employee_id", "date": "employee_id"},
            "Two columns are mapped to employee_id. Map one.",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(tmp_path: Path, mapping: dict[str, str], sentence: str) -> None:
    path = write(tmp_path, "member_no,date,course\n1,2,3\n")

    with pytest.raises(Unreadable) as refused:
        table_of(path, **mapping)

    assert str(refused.value) == sentence


def test_a_mapping_outweighs_a_header_of_our_name(tmp_path: Path) -> None:
    path = write(tmp_path, "Member No,course,title,completed_on,other\n1,A,B,C,D\n")

    table = table_of(path, **{"member no": "employee_id", "Title": "course"})

    assert table.places == {"employee_id": 0, "course": 2, "completed_on": 3}
    assert table.ignored == ["course", "other"]
    assert table.header_of("employee_id") == "Member No"


def test_no_such_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"^There is no file .*none\.csv\.$"):
        open_sheet(tmp_path / "none.csv")
    with pytest.raises(Unreadable, match=r" is a folder, not a file\.$"):
        open_sheet(tmp_path)


@pytest.mark.parametrize("header", ["Member No", "MEMBER NO.", "Member #", "Member#", "member. no"])
def test_preview_suggests_a_column_for_its_abbreviations(tmp_path: Path, header: str) -> None:
    path = write(tmp_path, f"{header},Course\n1,2\n")

    assert preview(path, COLUMNS).suggested == {header: "employee_id", "Course": "course"}


def test_preview_suggests_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "City of Harbor\nMember No.,Date,Course,Grade\n1,2,3,4\n5,6,7,8\n")
    path.write_text(path.read_text().replace("No.", "No"))

    shown = preview(path, COLUMNS, rows=1)

    assert shown.header_line == 2
    assert shown.headers == ["Member No", "Date", "Course", "Grade"]
    assert shown.rows == [["1", "2", "3", "4"]]
    assert shown.suggested == {"Member No": "employee_id", "Date": "completed_on", "Course": "course"}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("00123", "00123"),
        (" 00123 ", "00123"),
        ("13001.0", "13001"),
        ("1234e567", "1234e567"),
        ('="00123"', "00123"),
        ("'=5", "=5"),
        ("NULL", ""),
        ("N/A", ""),
        ("Na", "Na"),
        ("O’Brien", "O'Brien"),
        ("\u200bA\u00a01 ", "A 1"),
    ],
)
def test_an_id_reads_as_written(raw: str, value: str) -> None:
    assert read_id(raw) == value


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("1.3E+05", "A spreadsheet shortened this number. Send the whole id, as text."),
        ("=1+1", "The cell holds a formula. Send the value it stands for."),
        ("a\x07b", "The cell holds a control character. Type the value again."),
        ("a\ufffdb", "A character here is neither UTF-8 nor Windows-1252. Save the file as UTF-8."),
        ("x" * 41, "This is 41 characters long; 40 fit."),
    ],
)
def test_an_id_that_cannot_be_is_an_error(raw: str, sentence: str) -> None:
    with pytest.raises(CellError) as refused:
        read_id(raw)

    assert str(refused.value) == sentence


def test_text_keeps_its_quotes_and_a_name_does_not() -> None:
    assert read_text("TODAY’S  CITY ", longest=20) == "TODAY’S CITY"
    assert read_name("TODAY’S  CITY ", longest=20) == "TODAY'S CITY"


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a"])
def test_our_own_apostrophe_comes_off_again(value: str) -> None:
    assert neutralised(value) == f"'{value}"
    assert read_text(neutralised(value), longest=10) == value


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2024-05-01", date(2024, 5, 1)),
        ("2024-5-1", date(2024, 5, 1)),
        ("2024-05-01 00:00:00", date(2024, 5, 1)),
        ("2024-05-01T14:30:00Z", date(2024, 5, 1)),
        ("5/1/2024", date(2024, 5, 1)),
        ("05/01/2024 2:30 PM", date(2024, 5, 1)),
        ("45413", date(2024, 5, 1)),
        ("45413.6", date(2024, 5, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("", None),
        ("NULL", None),
    ],
)
def test_a_day_reads(raw: str, day: date | None) -> None:
    assert Days().read(raw) == day


NOT_A_DATE = "This is not a date. Write YYYY-MM-DD or M/D/YYYY."


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("1900-01-01", "1900-01-01 stands for a missing date. Leave the cell blank, or give the true date."),
        ("1/1/1950", "1950-01-01 stands for a missing date. Leave the cell blank, or give the true date."),
        ("9999-12-31", "9999-12-31 stands for a missing date. Leave the cell blank, or give the true date."),
        ("2024-02-30", "There is no such day in the calendar."),
        ("13/1/2024", "There is no such day in the calendar."),
        ("1/2/24", "The year has two digits. Write all four, or say how dates are written (--date-format)."),
        ("0202-05-01", "The year 202 cannot be right."),
        ("2999-12-31", "The year 2999 cannot be right."),
        ("May 1", NOT_A_DATE),
        ("20240501", NOT_A_DATE),
        ("123", NOT_A_DATE),
    ],
)
def test_a_day_that_cannot_be_is_an_error(raw: str, sentence: str) -> None:
    with pytest.raises(CellError) as refused:
        Days().read(raw)

    assert str(refused.value) == sentence


def test_the_last_day_of_all_time_is_no_end() -> None:
    days = Days()

    assert days.read("12/31/9999", is_end=True) is None
    with pytest.raises(CellError):
        days.read("12/31/9999")


def test_a_date_format_leaves_no_doubt() -> None:
    days = Days("%d/%m/%Y")

    assert days.read("1/5/2024") == date(2024, 5, 1)
    assert days.read("2024-05-01") == date(2024, 5, 1)
    with pytest.raises(CellError, match=r"^This is not a date\. Write YYYY-MM-DD or %d/%m/%Y\.$"):
        days.read("5/13/2024")
    assert Days("%m/%d/%y").read("5/1/24") == date(2024, 5, 1)


@pytest.mark.parametrize("date_format", ["", "%d", "%Y-%m", "%q", "day"])
def test_a_date_format_that_names_no_day_is_an_error(date_format: str) -> None:
    with pytest.raises(CellError):
        check_date_format(date_format)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("8", "8.00"),
        ("7.5", "7.50"),
        ("90 %", "90.00"),
        ("79.999", "79.99"),
        ("2.9999999999999996", "3.00"),
        ("0", "0.00"),
        ("100", "100.00"),
    ],
)
def test_a_number_reads(raw: str, number: str) -> None:
    assert read_number(raw, highest=100) == Decimal(number)
    assert str(read_number(raw, highest=100)) == number


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("eight", "This is not a number."),
        ("7,5", "This is not a number."),
        ("nan", "This is not a number."),
        ("-1", "This is not between 0 and 100."),
        ("100.01", "This is not between 0 and 100."),
        ("1e99999", "This is not between 0 and 100."),
    ],
)
def test_a_number_that_cannot_be_is_an_error(raw: str, sentence: str) -> None:
    with pytest.raises(CellError) as refused:
        read_number(raw, highest=100)

    assert str(refused.value) == sentence


def test_a_choice_reads_in_any_case() -> None:
    assert read_choice(" Roll-Call ", ["roll_call", "online"]) == "roll_call"
    assert read_choice("n/a", ["roll_call"]) == ""
    with pytest.raises(CellError, match=r"^This is none of roll_call, online\.$"):
        read_choice("radio", ["roll_call", "online"])
