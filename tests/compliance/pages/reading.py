"""Reading a page as a person would: the words of a table's rows, the cards, the links."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import openpyxl


def squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self._caption: list[str] | None = None
        self._cell: list[str] | None = None
        self._link: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "caption":
            self._caption = []
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", [])

    def handle_data(self, data: str) -> None:
        for place in (self._caption, self._cell, self._link[1] if self._link else None, self.text):
            if place is not None:
                place.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption" and self._caption is not None:
            self.tables[-1] = (squeeze("".join(self._caption)), self.tables[-1][1])
            self._caption = None
        elif tag in ("td", "th") and self._cell is not None:
            self.tables[-1][1][-1].append(squeeze(" ".join(self._cell)))
            self._cell = None
        elif tag == "a" and self._link is not None:
            self.links[squeeze("".join(self._link[1]))] = self._link[0]
            self._link = None


class Shown:
    """One page: `words`, `links` by their text, and `rows(caption)` without the header."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        reader = _Reader()
        reader.feed(re.sub(r"(?s)<(script|style|svg).*?</\1>", "", response.content.decode()))
        self.words = squeeze(" ".join(reader.text))
        self.links = reader.links
        self.tables = dict(reader.tables)

    def rows(self, caption: str) -> list[list[str]]:
        return self.tables[caption][1:]

    def header(self, caption: str) -> list[str]:
        return self.tables[caption][0]


def csv_rows(response: Any) -> list[list[str]]:
    """The rows of a CSV answer, header first; it begins with the mark that spreadsheets need."""
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def xlsx_rows(response: Any) -> list[list[Any]]:
    """The rows of the only sheet of a workbook answer, header first."""
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    response.close()
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def refusal(response: Any) -> tuple[int, str]:
    """The status and the sentence of a page that cannot be shown."""
    found = re.search(r"<h1>.*?</h1>\s*<p>(.*?)</p>", response.content.decode(), re.S)
    assert found is not None
    return response.status_code, squeeze(found[1]).replace("&quot;", '"').replace("&#x27;", "'")
