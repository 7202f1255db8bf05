"""The accreditation report's files, made of its canonical data and nothing else: PDF, workbook and three tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils import timezone

from compliance import sentences
from compliance.exports import neutral, write_sheet
from compliance.reports.accreditation import TITLE
from compliance.reports.paper import Data, render
from compliance.reports.supersede import CHANGE_COLUMNS, change_rows

#: Members the PDF lists; above it, it has coverage and exceptions and names the spreadsheet for the rest.
MOST_ON_PAPER = 3000


# Tables: what CSV, XLSX and PDF have in common


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _course(credit: Mapping[str, str] | None) -> str:
    return credit["title"] if credit else ""


def _several(credits: Iterable[Mapping[str, str]]) -> str:
    return "; ".join(f"{credit['on']} {credit['title']}" for credit in credits)


COVERAGE_COLUMNS = ("unit", "name", "level", "counted", "current", "percent", "in_grace", "overdue", "excused", "ever")
MEMBER_COLUMNS = (
    "employee_id",
    "name",
    "unit",
    "unit_name",
    "shift",
    "rank",
    "state",
    "due_on",
    "since",
    "days_overdue",
    "last_credit_on",
    "last_credit",
    "credits_in_span",
    "late_days_in_span",
    "evidence_pending",
    "because",
)
EXCEPTION_COLUMNS = (
    "exception",
    "employee_id",
    "name",
    "unit",
    "unit_name",
    "shift",
    "rank",
    "due_on",
    "from",
    "to",
    "days",
    "last_credit_on",
    "last_credit",
    "explanation",
    "lateness_explained",
)


def coverage_rows(data: Data) -> Iterator[Sequence[Any]]:
    """Coverage by unit, the whole last; `percent` is a number, blank where there is nobody to count."""
    total = {"unit": "", "name": "All in this report", "depth": 0, **data["totals"]}
    for row in (*data["coverage"], total):
        share = None if row["percent"] == "n/a" else float(row["percent"])
        states = [row[name] for name in ("in_grace", "overdue", "excused", "ever")]
        yield [row["unit"], row["name"], row["depth"], row["counted"], row["current"], share, *states]


def member_rows(data: Data) -> Iterator[Sequence[Any]]:
    """Every member of the population on the day, exceptions first."""
    for row in data["members"]:
        credit = row["last_credit"]
        yield [
            row["employee_id"],
            row["name"],
            row["unit"],
            row["unit_name"],
            row["shift"],
            row["rank"],
            row["state"],
            _day(row["due_on"]),
            _day(row["since"]),
            row["days_overdue"],
            _day(credit and credit["on"]),
            _course(credit),
            _several(row["credits_in_span"]),
            row["late_days_in_span"],
            _several(row["evidence_pending"]),
            row["because"],
        ]


def _said(row: Mapping[str, Any]) -> str:
    """Why the date was missed, as people explained it; blank where nobody did."""
    return "; ".join(row.get("explained", ()))


def exception_rows(data: Data) -> Iterator[Sequence[Any]]:
    """Overdue on the day, overdue within the span, in grace, evidence pending: in this order, each with its why."""
    members = {row["employee_id"]: row for row in data["members"]}

    def listed(name: str, word: str) -> Iterator[Sequence[Any]]:
        for employee_id in data["exceptions"][name]:
            row = members[employee_id]
            credit = row["last_credit"]
            yield [
                word,
                *[row[key] for key in ("employee_id", "name", "unit", "unit_name", "shift", "rank")],
                _day(row["due_on"]),
                _day(row["since"]),
                None,
                row["days_overdue"],
                _day(credit and credit["on"]),
                _course(credit),
                f"Waits for verification: {_several(row['evidence_pending'])}."
                if name == "evidence_pending"
                else row["because"],
                _said(row) if name == "overdue" else "",
            ]

    yield from listed("overdue", "overdue")
    for row in data["exceptions"]["overdue_in_span"]:
        yield [
            "overdue within the span",
            *[row[key] for key in ("employee_id", "name", "unit", "unit_name", "shift", "rank")],
            _day(row["due_on"]),
            _day(row["from"]),
            _day(row["to"]),
            row["days"],
            None,
            "",
            row["ended"],
            _said(row),
        ]
    yield from listed("in_grace", "in grace")
    yield from listed("evidence_pending", "evidence pending")


@dataclass(frozen=True, slots=True)
class Seal:
    """What identifies a report on everything printed from its data; never part of the data."""

    number: str
    sha256: str
    issued_at: datetime


def population_of(data: Data) -> str:
    """Who is counted, by the edition in force on the day."""
    named = [edition["population"]["title"] for edition in data["editions"] if edition["on_the_day"]]
    return named[0] if named else "no edition in force"


def edition_of(data: Data) -> str:
    """The edition in force on the day, as `from 1 Jan 2015`."""
    found = [edition for edition in data["editions"] if edition["on_the_day"]]
    if not found:
        return "none in force"
    until = f" to {_shown(found[0]['to'])}" if found[0]["to"] else ""
    return f"from {_shown(found[0]['from'])}{until}"


def csv_files(data: Data, seal: Seal) -> Iterator[tuple[str, bytes]]:
    """Three clean tables, four where another report is superseded.

    A CSV has no page to carry a footer, so each row ends with what identifies the report.
    """
    identity = {
        "as_of": data["as_of"],
        "known_at": data["known_at"],
        "population": population_of(data),
        "edition": edition_of(data),
        "report": seal.number,
        "data_sha256": seal.sha256,
    }
    tables: list[tuple[str, Sequence[str], Iterable[Sequence[Any]]]] = [
        ("coverage", COVERAGE_COLUMNS, coverage_rows(data)),
        ("exceptions", EXCEPTION_COLUMNS, exception_rows(data)),
        ("members", MEMBER_COLUMNS, member_rows(data)),
    ]
    if data["supersedes"]:
        tables.append(("changes", CHANGE_COLUMNS, change_rows(data)))
    for name, columns, rows in tables:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow((*columns, *identity))
        for row in rows:
            writer.writerow([neutral("" if value is None else value) for value in (*row, *identity.values())])
        yield name, text.getvalue().encode("utf-8-sig")


# XLSX


def _headings(columns: Iterable[str]) -> list[str]:
    return [column.replace("_", " ").capitalize() for column in columns]


def xlsx(data: Data, seal: Seal, path: Path) -> None:
    """The workbook: Summary, Coverage, Exceptions, Members, each printed page with what identifies the report."""
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {"title": f"{TITLE} {seal.number}", "company": data["agency"]["name"], "created": seal.issued_at}
    )
    sheets: list[tuple[str, Iterable[Sequence[Any]]]] = [
        ("Summary", summary_rows(data, seal)),
        ("Coverage", (_headings(COVERAGE_COLUMNS), *coverage_rows(data))),
        ("Exceptions", (_headings(EXCEPTION_COLUMNS), *exception_rows(data))),
        ("Members", (_headings(MEMBER_COLUMNS), *member_rows(data))),
    ]
    if data["supersedes"]:
        sheets.append(("Changes", (_headings(CHANGE_COLUMNS), *change_rows(data))))
    for title, rows in sheets:
        write_sheet(book, title, rows)
        sheet = book.get_worksheet_by_name(title)
        sheet.set_landscape()
        sheet.set_paper(1)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        short = population_of(data)[:60].replace("&", "&&")
        sheet.set_header(f"&L{data['requirement']['title'][:60].replace('&', '&&')}: {title.lower()}&R{seal.number}")
        sheet.set_footer(
            f"&L&8As of {data['as_of']}, known at {data['known_at'][:19]}, {short}, edition {edition_of(data)}"
            f"\nSHA-256 {seal.sha256}&R&8&P of &N"
        )
    book.close()


def summary_rows(data: Data, seal: Seal) -> Iterator[Sequence[Any]]:
    """What the report is, in two columns; then coverage through the span."""
    totals = data["totals"]
    yield [TITLE, seal.number]
    if data["supersedes"]:
        yield ["Edition of the report", data["report_edition"]]
        yield ["Supersedes", data["supersedes"]["number"]]
        yield ["Members whose answer changed", len(data["changes"])]
    yield ["Agency", data["agency"]["name"]]
    yield ["Requirement", f"{data['requirement']['title']} ({data['requirement']['code']})"]
    yield ["Citations", "; ".join(data["requirement"]["citations"])]
    yield ["Unit", data["unit"]["name"] if data["unit"] else "Whole agency"]
    yield ["As of", _day(data["as_of"])]
    yield ["Known at", data["known_at"]]
    yield ["Span from", _day(data["span"]["from"])]
    yield ["Span to", _day(data["span"]["to"])]
    yield ["Population", population_of(data)]
    yield ["Edition", edition_of(data)]
    for edition in data["editions"]:
        yield [f"Rule from {_shown(edition['from'])}", edition["rule"]]
    for note in data["notes"]:
        yield ["Note", note]
    yield ["SHA-256 of the data", seal.sha256]
    yield ["Counted", totals["counted"]]
    yield ["Current", totals["current"]]
    yield ["Current, percent", "n/a" if totals["percent"] == "n/a" else float(totals["percent"])]
    yield ["In grace", totals["in_grace"]]
    yield ["Overdue", totals["overdue"]]
    yield ["Excused, listed apart", totals["excused"]]
    yield ["Any counting credit ever", totals["ever"]]
    yield []
    yield ["Through the span: day", "Counted", "Current", "Percent", "In grace", "Overdue", "Excused"]
    for row in data["through_the_span"]:
        share = "n/a" if row["percent"] == "n/a" else float(row["percent"])
        states = [row[name] for name in ("in_grace", "overdue", "excused")]
        yield [_day(row["day"]), row["counted"], row["current"], share, *states]


# PDF


def _shown(text: str | None) -> str:
    return sentences.day(date.fromisoformat(text)) if text else ""


def shown_moment(text: str) -> str:
    """`22 Nov 2026 02:31:07 EST`: to the second; the data and the manifest hold the microsecond."""
    moment = datetime.fromisoformat(text).astimezone(timezone.get_default_timezone())
    return f"{sentences.day(moment.date())} {moment:%H:%M:%S %Z}"


def pdf(data: Data, seal: Seal) -> bytes:
    """The pages to hand over: tagged PDF/UA-1. Lists more than `MOST_ON_PAPER` rows long end with where the rest is."""
    return render(Path(__file__).with_name("accreditation.typ"), printed(data, seal), issued_at=seal.issued_at)


def printed(data: Data, seal: Seal) -> Data:
    """The data as the pages show it: words for states, dates as people read them, and what fits on paper."""
    members = {row["employee_id"]: row for row in data["members"]}
    exceptions = data["exceptions"]
    left = MOST_ON_PAPER
    sections = []
    for name, heading, quiet in (
        ("overdue", f"Overdue on {_shown(data['as_of'])}", "Nobody was overdue on this day."),
        (
            "overdue_in_span",
            "Overdue earlier in the span",
            "Nobody else was overdue on any day of the span.",
        ),
        ("in_grace", "In grace", "Nobody was in grace."),
        ("evidence_pending", "Evidence pending", "No completion waits for verification."),
    ):
        rows = exceptions[name]
        shown = rows[:left]
        left -= len(shown)
        sections.append(
            {
                "name": name,
                "heading": heading,
                "count": len(rows),
                "quiet": quiet,
                "more": len(rows) - len(shown),
                "rows": [_printed_late(row) if name == "overdue_in_span" else _printed(members[row]) for row in shown],
            }
        )
    fits = len(data["members"]) <= MOST_ON_PAPER
    changed = list(change_rows(data))
    return {
        "number": seal.number,
        "sha256": seal.sha256,
        "issued_on": sentences.day(timezone.localdate(seal.issued_at)),
        "title": TITLE,
        "agency": data["agency"]["name"],
        "requirement": data["requirement"],
        "scope": data["unit"]["name"] if data["unit"] else "Whole agency",
        "as_of": _shown(data["as_of"]),
        "known_at": shown_moment(data["known_at"]),
        "known_at_exact": data["known_at"],
        "span": f"{_shown(data['span']['from'])} to {_shown(data['span']['to'])}",
        "report_edition": data["report_edition"],
        "supersedes": _superseded(data["supersedes"]),
        "changed_count": len(data["changes"]),
        "changed": [_printed_change(row) for row in changed[:MOST_ON_PAPER]],
        "changed_more": len(changed[MOST_ON_PAPER:]),
        "population": population_of(data),
        "edition": edition_of(data),
        "editions": [
            {"dates": _dates(edition), "population": edition["population"]["title"], "rule": edition["rule"]}
            for edition in data["editions"]
        ],
        "notes": data["notes"],
        "totals": data["totals"],
        "coverage": data["coverage"],
        "through": [row | {"day": _shown(row["day"])} for row in data["through_the_span"]],
        "sections": sections,
        "member_count": len(data["members"]),
        "members": [_printed(row) for row in data["members"]] if fits else None,
        "workbook": f"{seal.number}.xlsx",
        "datafile": f"{seal.number}.json",
    }


def _superseded(earlier: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    totals = earlier["totals"]
    share = "n/a" if totals["percent"] == "n/a" else f"{totals['percent']} %"
    known_at = shown_moment(earlier["known_at"])
    return {"number": earlier["number"], "known_at": known_at, "share": share, **totals}


def _printed_change(row: Sequence[Any]) -> dict[str, Any]:
    changed_at = shown_moment(row[5]) if row[5] else ""
    return {
        "id": row[0],
        "name": row[1],
        "before": row[2],
        "after": row[3],
        "what": row[4],
        "when": f"{changed_at}, {row[6]}, by {row[7]}" if changed_at else "",
        "why": row[8],
    }


def _dates(edition: Mapping[str, Any]) -> str:
    first = f"From {_shown(edition['from'])}"
    return f"{first} to {_shown(edition['to'])}" if edition["to"] else first


def _place(row: Mapping[str, Any]) -> str:
    return " · ".join(part for part in (row["unit_name"], row["shift"]) if part) or "no home assignment"


def _credit(credit: Mapping[str, str] | None) -> str:
    return f"{_shown(credit['on'])}, {credit['title']}" if credit else "none"


def _printed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["employee_id"],
        "name": row["name"],
        "place": _place(row),
        "state": row["state"],
        "due": _shown(row["due_on"]) or ("–" if row["state"] == "excused" else "no date"),
        "days": row["days_overdue"],
        "credit": _credit(row["last_credit"]),
        "pending": ", ".join(_credit(credit) for credit in row["evidence_pending"]),
        "because": row["because"],
        "explained": _said(row),
    }


def _printed_late(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["employee_id"],
        "name": row["name"],
        "place": _place(row),
        "from": _shown(row["from"]),
        "to": _shown(row["to"]),
        "days": row["days"],
        "ended": row["ended"],
        "explained": _said(row),
    }
