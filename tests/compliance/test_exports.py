"""Tables as files: what a spreadsheet program gets, what each kind of value becomes, and what must never run."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import django_tables2 as tables
import openpyxl
import pytest
from django.test import override_settings
from django_tables2 import Table
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import exports
from compliance.class_tables import ClassTable
from compliance.completion_tables import CompletionTable
from compliance.course_rule_tables import DatedTable, EquivalencyTable, LessonPlanTable
from compliance.evidence_tables import PairTable, PendingTable, ProposalTable
from compliance.exports import csv_response, neutral, values_of, xlsx_response
from compliance.grant_tables import ExtensionTable, GrantTable, MemberFactTable, WaiverTable
from compliance.mass_tables import MassLineTable, MassTable
from compliance.report_tables import ReportTable
from compliance.reports import issue
from compliance.reports.accreditation import Question
from compliance.seat_tables import SeatTable
from compliance.tables import (
    AskedTable,
    CourseTable,
    HistoryTable,
    OfficerTable,
    OverdueTable,
    StandingTable,
    UnitTable,
)
from compliance.teaching_tables import InstructorTable, PlaceTable
from compliance.title_tables import TitleTable
from compliance.trail_tables import OwnTrailTable, TrailTable
from compliance.views.merging import MergeTable
from roster.facts import known_now
from roster.models import Officer
from tests.compliance.pages.district import DAY, make_department
from tests.compliance.pages.reading import csv_rows, xlsx_rows
from tests.factories import (
    complete,
    extend,
    make_class,
    make_course,
    make_equivalency,
    make_instructor,
    make_lesson_plan,
    make_place,
    teach,
    waive,
)
from training.completions import decide_evidence
from training.models import Course, Qualification

pytestmark = pytest.mark.django_db  # a response that is closed ends a request, which looks at the connection

ROWS: list[list[Any]] = [
    ["Officer", "Due", "Counted", "Percent"],
    ["=HYPERLINK(1)", date(2029, 8, 8), 3, Decimal("29.8")],
    ["Mbeki", None, 0, "n/a"],
    [None, "", Decimal("40.5"), "O'Neil, Ann"],
]


def test_a_sheet_takes_no_row_more_than_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 4)

    whole = xlsx_response(ROWS, "list")
    with pytest.raises(exports.SheetFull, match=r"holds 3 rows and this list has more\. Take the CSV\.$"):
        xlsx_response([*ROWS, ["one more"]], "list")

    assert len(xlsx_rows(whole)) == 4
    whole.close()


def content(response: Any) -> bytes:
    parts: Iterable[bytes] = response.streaming_content
    whole = b"".join(parts)
    response.close()
    return whole


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", "", -1, None, date(2026, 1, 1)])
def test_anything_else_stays(value: object) -> None:
    assert neutral(value) == value


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_run_gets_an_apostrophe_in_both_files(text: str) -> None:
    """Commas, quotes and line ends do not hide it from the spreadsheet program."""
    sheet = openpyxl.load_workbook(io.BytesIO(content(xlsx_response([["Name"], [text]], "x")))).worksheets[0]

    assert content(csv_response([[text]], "x")).decode("utf-8-sig").lstrip('"').startswith("'" + text[0])
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value.startswith("'")


def test_numbers_are_not_text_and_negative_ones_stay_numbers() -> None:
    assert content(csv_response([[-3]], "x")).decode("utf-8-sig") == "-3\r\n"


def test_csv_writes_days_as_the_standard_does_and_nothing_for_none() -> None:
    response = csv_response(ROWS, "deadlines")

    assert response["Content-Disposition"] == 'attachment; filename="deadlines.csv"'
    assert content(response).decode("utf-8-sig").splitlines() == [
        "Officer,Due,Counted,Percent",
        "'=HYPERLINK(1),2029-08-08,3,29.8",
        "Mbeki,,0,n/a",
        ',,40.5,"O\'Neil, Ann"',
    ]


def test_csv_is_sent_as_its_rows_come() -> None:
    taken: list[int] = []

    def rows() -> Iterator[list[int]]:
        for number in range(10):
            taken.append(number)
            yield [number]

    response: Any = csv_response(rows(), "x")

    assert list(islice(response.streaming_content, 3)) == ["\ufeff".encode(), b"0\r\n", b"1\r\n"]
    assert taken == [0, 1]


def test_workbook_keeps_days_and_numbers_as_such_and_shows_the_header() -> None:
    whole = content(xlsx_response(ROWS, "deadlines"))
    sheet = openpyxl.load_workbook(io.BytesIO(whole)).worksheets[0]

    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["Officer", "Due", "Counted", "Percent"],
        ["'=HYPERLINK(1)", datetime(2029, 8, 8), 3, 29.8],  # noqa: DTZ001 - what the library reads a day as
        ["Mbeki", None, 0, "n/a"],
        [None, None, 40.5, "O'Neil, Ann"],
    ]
    assert sheet["B2"].is_date
    assert (sheet.title, sheet.freeze_panes) == ("deadlines", "A2")
    assert sheet.column_dimensions["A"].width > len(ROWS[1][0])


# What the library gives for the same table is the measure of every file.


def by_the_library(table: Table) -> list[list[Any]]:
    hidden = [column.name for column in table.columns if column.attrs.get("export") is False]
    return list(table.as_values(exclude_columns=hidden))


@pytest.fixture
def pages(tmp_path: Path) -> dict[type[Table], Table]:
    """The table of each list, as its page makes it, with rows that have and rows that lack what can be missing."""
    department = make_department()
    people = department.people
    unsure = complete(people["Frost"], department.course, date(2026, 6, 20), evidence="pending", hours=Decimal("38.50"))
    complete(people["Gray"], department.refresher, date(2026, 6, 21), class_number="26-114")
    complete(people["Gray"], make_course("OTHER", title="=Other", title_key="other", hours=None), date(2026, 6, 22))
    decide_evidence(
        unsure, decision="verified", decided_on=date(2026, 6, 25), note="", by=department.users["compliance"]
    )
    Officer.objects.filter(pk=people["Abbott"].pk).update(badge="+17", middle_name="J.", suffix="Jr.")
    for day in (1, 2, 3):
        waive(people["Frost"], department.requirement, date(2026, day, 1), date(2026, day, 20))
        extend(people["Gray"], department.requirement, date(2027, day, 1), date(2026, 6, day))
        make_lesson_plan(department.course, f"v{day}", date(2020 + day, 1, 1), date(2026, 1, 1) if day == 1 else None)
        other = make_course(f"STATE-{day}", title=f"=State {day}", title_key=f"=state {day}")
        make_equivalency(other, department.course, date(2020, 1, day), date(2026, 1, 1) if day == 1 else None)
        place = make_place(f"=Room {day}", capacity=20 if day == 1 else None)
        session = make_class(f"C-{day}", department.course, days=[DAY] if day < 3 else (), place=place)
        instructor = make_instructor(officer=people["Frost"]) if day == 1 else make_instructor(f"+Osei {day}")
        if day < 3:
            Qualification.objects.create(instructor=instructor, title="State", start_on=DAY, end_on=DAY)
            teach(instructor, session.meetings.earliest("starts_at"))
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        for unit in (None, department.central):
            issue.issue(
                Question(
                    requirement=department.requirement,
                    agency=department.bureau.agency,
                    unit=unit,
                    as_of=DAY,
                    span_from=date(2025, 1, 1),
                    span_to=DAY,
                    known_at=known_now(),
                ),
                by=department.users["compliance"] if unit else None,
            )
    client = department.client("admin")
    addresses = {
        StandingTable: "/deadlines/?within=3660",
        OfficerTable: "/officers/?serving=all",
        CourseTable: "/courses/",
        CompletionTable: "/completions/",
        ReportTable: "/reports/",
        UnitTable: "/units/CEN/",
        OverdueTable: "/deadlines/?show=overdue",
        WaiverTable: "/waivers/",
        ExtensionTable: "/extensions/",
        EquivalencyTable: "/equivalencies/",
        LessonPlanTable: "/lesson-plans/",
        ClassTable: "/classes/",
        InstructorTable: "/instructors/",
        PlaceTable: "/places/",
    }
    return {kind: client.get(address).context["table"] for kind, address in addresses.items()}


LISTS = (
    *(StandingTable, OfficerTable, CourseTable, CompletionTable, ReportTable, UnitTable, OverdueTable),
    *(WaiverTable, ExtensionTable, EquivalencyTable, LessonPlanTable),
    *(ClassTable, InstructorTable, PlaceTable),
)
#: Tables that others are made from, and those whose files their own pages' tests read.
ELSEWHERE = {
    *(AskedTable, DatedTable, MemberFactTable, GrantTable, MassTable, MassLineTable, TrailTable),
    *(SeatTable, MergeTable, HistoryTable, PendingTable, ProposalTable, PairTable, OwnTrailTable, TitleTable),
}


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_is_written_as_the_library_would(pages: dict[type[Table], Table], kind: type[Table]) -> None:
    rows = list(values_of(pages[kind]))

    assert rows == by_the_library(pages[kind])
    assert len(rows) > 2
    assert [[type(value) for value in row] for row in rows] == [
        [type(value) for value in row] for row in by_the_library(pages[kind])
    ]


def test_no_table_is_forgotten() -> None:
    def below(kind: type[Table]) -> Iterator[type[Table]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    ours = {kind for kind in below(Table) if kind.__module__.startswith(("compliance.", "training.", "roster."))}
    assert ours == ELSEWHERE | set(LISTS)


class EveryKind(tables.Table):  # type: ignore[misc] # the library has no types
    """One column for each way in which a column may get its value."""

    code = tables.Column()
    kind = tables.Column(verbose_name="Kind of course")
    chosen = tables.Column(accessor="kind")
    target = tables.Column(accessor="same_as__title", default="nothing")
    words = tables.Column(accessor="title__upper")
    nowhere = tables.Column(accessor="no__such__thing", empty_values=())
    missing = tables.Column(accessor="no_such_thing")
    whole = tables.Column(accessor="pk")
    from_value = tables.Column(accessor="hours")
    from_record = tables.Column(accessor="hours")
    from_both = tables.Column(accessor="hours")
    from_all = tables.Column(accessor="hours")
    from_any = tables.Column(accessor="hours")
    by_class = tables.BooleanColumn(accessor="is_from_title")
    by_template = tables.TemplateColumn("<b>{{ record.code }} {{ value }}</b>", accessor="hours")
    by_date = tables.DateColumn(accessor="first_on", format="j M Y")
    unseen = tables.Column(accessor="code", visible=False)
    left_out = tables.Column(accessor="code", exclude_from_export=True)
    kept_back = tables.Column(accessor="code", attrs={"export": False})

    class Meta:
        default = "–"

    def render_from_value(self, value: Decimal) -> str:
        return f"<b>{value}</b>"

    def value_from_value(self, value: Decimal) -> Decimal:
        return value * 2

    def render_from_record(self, record: Course) -> str:
        return f"{record.code}: {record.hours}"

    def value_from_both(self, record: Course, value: Decimal) -> tuple[str, Decimal]:
        return record.code, value

    def value_from_all(
        self,
        value: Decimal,
        record: Course,
        column: tables.Column,
        bound_column: tables.columns.BoundColumn,
        bound_row: tables.rows.BoundRow,
        table: Table,
    ) -> str:
        return f"{value} {record.code} {column.accessor} {bound_column.name} {bound_row.record.code} {table is self}"

    def value_from_any(self, **given: Any) -> list[str]:
        return sorted(given)


@pytest.fixture
def courses() -> type[Course]:
    cit = make_course("CIT-40")
    make_course("CIT-32", same_as=cit, hours=32)
    make_course("TALK", title="Roll call", title_key="roll call", kind="roll_call", hours=None)
    return Course


@pytest.mark.parametrize("is_list", [False, True], ids=["queryset", "list-of-mappings"])
def test_every_kind_of_column_is_written_as_the_library_would(courses: type[Course], is_list: bool) -> None:
    rows = courses.objects.order_by("-code").select_related("same_as")
    attributes = ("from_record", "from_both", "from_all")  # a mapping has none
    mappings = rows.values("code", "kind", "title", "hours", "pk")
    table = EveryKind(list(mappings), exclude=attributes) if is_list else EveryKind(rows)

    assert list(values_of(table)) == by_the_library(table)
    assert len(table.rows) == 3


def test_a_file_is_read_so_many_records_at_a_time_by_one_query(
    courses: type[Course], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(exports, "ROWS_READ", 2)
    table = EveryKind(courses.objects.order_by("code").select_related("same_as"))

    with django_assert_num_queries(1):
        rows = [row[0] for row in values_of(table)]

    assert rows == ["Code", "CIT-32", "CIT-40", "TALK"]
    assert table.data.data._result_cache is None  # nothing was kept


def test_both_files_of_a_page_hold_the_same(pages: dict[type[Table], Table]) -> None:
    table = pages[CourseTable]

    as_csv, as_xlsx = csv_rows(exports.export(table, "x", "csv")), xlsx_rows(exports.export(table, "x", "xlsx"))

    assert as_csv[0] == as_xlsx[0]
    assert [row[0] for row in as_csv] == [row[0] for row in as_xlsx]
    assert "'=Other" in [row[1] for row in as_csv]
