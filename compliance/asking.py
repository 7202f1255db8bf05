"""What a question carries: as of, known at, and how a table is sorted, paged and exported. Bad words get a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage, Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django_tables2 import RequestConfig, Table

from compliance.exports import FORMATS, csv_response, export, xlsx_response
from compliance.sentences import count
from roster.access import ViewerRequest

#: The furthest that a zone lies from UTC; PostgreSQL refuses more.
MOST_OFFSET = timedelta(hours=15)
#: Rows up to which a list that can be very long is counted, and has pages.
MOST_COUNTED = 100_000
PAGE_SIZES = (25, 50, 100, 200)
#: not 2026-W01-1 nor 20260131, which Python would take too
IS_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: a moment begins with a day
BEGINS_WITH_DAY = re.compile(IS_DAY.pattern + r"[T ]")
#: of a page; longer than any list
IS_NUMBER = re.compile(r"[0-9]{1,18}")
#: The days that can be asked about: every date reckoned from them, years ahead or a month back, is in the calendar.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9980, 12, 31)


def parse_day(text: str) -> date:
    """A day written `YYYY-MM-DD`; ValueError with a sentence."""
    try:
        if not IS_DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a date. Write it as YYYY-MM-DD.') from None


def parse_moment(text: str) -> datetime:
    """A moment; a bare date is the end of that day in the agency's time zone (rules 2). ValueError with a sentence."""
    try:
        if IS_DAY.fullmatch(text):
            following = date.fromisoformat(text) + timedelta(days=1)
            return timezone.make_aware(datetime.combine(following, time.min)) - timedelta(microseconds=1)
        if not BEGINS_WITH_DAY.match(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
        if abs(moment.utcoffset() or timedelta()) > MOST_OFFSET:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is not a moment. Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.') from None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


@dataclass(frozen=True)
class Asked:
    """The pair of clocks that a page answers for, and the rest of its address."""

    as_of: date
    #: None = now
    known_at: datetime | None
    known_at_text: str
    today: date
    query: QueryDict

    @property
    def is_today(self) -> bool:
        return self.as_of == self.today

    @property
    def clocks(self) -> dict[str, str]:
        """The two clocks as the address carries them; empty for today, known now."""
        found = {} if self.is_today else {"as_of": self.as_of.isoformat()}
        return {**found, "known_at": self.known_at_text} if self.known_at_text else found

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Everything else in the address, for the form that changes the clocks."""
        dropped = ("as_of", "known_at", "page", "export")
        return [(name, value) for name, values in self.query.lists() if name not in dropped for value in values]

    def link(self, url: str, **values: str | int | None) -> str:
        """An address that carries the clocks along; values that are blank are left out."""
        query = {**self.clocks, **{name: value for name, value in values.items() if value}}
        return f"{url}?{urlencode(query)}" if query else url


P = ParamSpec("P")


def in_one_transaction(
    view: Callable[Concatenate[ViewerRequest, P], HttpResponseBase],
) -> Callable[Concatenate[ViewerRequest, P], HttpResponseBase]:
    """For views that ask `coverage.standings_on`: known earlier, its answer is a table that a transaction holds."""

    @wraps(view)
    def asked(request: ViewerRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.GET.get("known_at"):
            return view(request, *args, **kwargs)
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return asked  # type: ignore[return-value] # wraps() hides that the types are the same


def ask(request: HttpRequest, *, today: date) -> Asked:
    """The clocks of a request; `BadRequest` with a sentence that names the field."""
    as_of, known_at = request.GET.get("as_of", "").strip(), request.GET.get("known_at", "").strip()
    return Asked(
        as_of=given(request, "as_of", _day_to_ask_about) if as_of else today,
        known_at=given(request, "known_at", parse_moment) if known_at else None,
        known_at_text=known_at,
        today=today,
        query=request.GET,
    )


def _day_to_ask_about(text: str) -> date:
    day = parse_day(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"choose a day from {FIRST_DAY.year} to {LAST_DAY.year}.")
    return day


def given(request: HttpRequest, name: str, parse: Any) -> Any:
    """One value of the address, parsed; `BadRequest` with the parser's sentence and the field's name."""
    try:
        return parse(request.GET[name].strip())
    except ValueError as error:
        raise BadRequest(f"{name.replace('_', ' ').capitalize()}: {error}") from None


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # generic in the stubs alone
    """Pages of a table of a queryset that may hold a million rows: counted no further than `MOST_COUNTED`.

    Rows after these are found by filters and by sorting the other way; an export has them all.
    """

    @cached_property
    def _counted(self) -> int:
        return int(self.object_list.data.data.order_by().values("pk")[: MOST_COUNTED + 1].count())  # type: ignore[attr-defined] # the rows of a table

    @cached_property
    def count(self) -> int:
        """Rows that have a page. One query that reads no more rows than these."""
        return min(self._counted, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        return self._counted > MOST_COUNTED


def arrange(request: HttpRequest, table: Table, name: str) -> HttpResponseBase | None:
    """Sort and page a table as the address asks, in the database; the file when it asks for an export.

    An unknown column, page size or format is a `BadRequest`; a page past the end too. `name` is the file's.
    """
    asked_sort = request.GET.get(table.prefixed_order_by_field, "")
    for alias in filter(None, asked_sort.split(",")):
        column = alias.removeprefix("-")
        if column not in table.columns.names() or not table.columns[column].orderable:
            raise BadRequest(f'Sort: the table has no column "{column}" to sort by.')
    form = _export_form(request)
    per = request.GET.get("per", str(PAGE_SIZES[1]))
    if per not in map(str, PAGE_SIZES):
        raise BadRequest(f"Rows a page: choose one of {', '.join(map(str, PAGE_SIZES))}.")
    if not IS_NUMBER.fullmatch(request.GET.get(table.prefixed_page_field, "1")):
        raise BadRequest("Page: write a whole number.")
    table.page_sizes, table.exports = PAGE_SIZES, True
    try:
        pages = {
            "per_page": int(per),
            "silent": False,
            "paginator_class": getattr(table, "paginator_class", Paginator),
        }
        RequestConfig(request, paginate=False if form else pages).configure(table)
    except EmptyPage:
        of_first = f" of its first {MOST_COUNTED:,} rows" if getattr(table.paginator, "has_more", False) else ""
        raise BadRequest(f"Page: the list has {count(table.paginator.num_pages, 'page')}{of_first}.") from None
    return export(table, name, form) if form else None


def export_rows(request: HttpRequest, rows: Iterable[Sequence[Any]], name: str) -> HttpResponseBase:
    """Rows with their header as the file that the address asks for; for tables that are no list of records."""
    return csv_response(rows, name) if _export_form(request) == "csv" else xlsx_response(rows, name)


def _export_form(request: HttpRequest) -> str:
    form = request.GET.get("export", "")
    if form and form not in FORMATS:
        raise BadRequest(f'Export: "{form}" is not a format. Use csv or xlsx.')
    return form
