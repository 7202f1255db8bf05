"""What one cell of somebody's sheet says: text, an id, a day, a number, one of several words.

Each reader takes the cell as text and returns the value, or "nothing given" (an empty text or None) for a blank one.
What cannot be right raises `CellError` with a sentence for people; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal, InvalidOperation

#: Words exports write where they have no value. "Na" is a name, so the case counts.
BLANK_WORDS = frozenset({"", "NULL", "null", "NA", "N/A", "n/a", "#N/A"})
#: What spreadsheets take for the start of a formula; our own exports put an apostrophe before it.
FORMULA_SIGNS = ("=", "+", "-", "@")

SENTINEL_DAYS = frozenset({date(1900, 1, 1), date(1950, 1, 1), date(9999, 12, 31)})
NO_END = date(9999, 12, 31)
EARLIEST_YEAR, LATEST_YEAR = 1930, 2100
SERIAL_ORIGIN = date(1899, 12, 30)

_QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"'})
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_TEXT_AS_FORMULA = re.compile(r'="([^"]*)"')
_TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + _TIME)
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})" + _TIME)
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}" + _TIME)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "x"})
_NO = frozenset({"no", "n", "false", "f", "0", "0.0"})
_NUMBER_ID = re.compile(r"(\d+)\.0+")
_SHORTENED_ID = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)


class CellError(ValueError):
    """What is wrong with a cell, as a sentence for people."""


def clean(raw: str) -> str:
    """The cell without stray spaces, invisible marks and our own apostrophe; blank words are empty."""
    text = " ".join(_INVISIBLE.sub("", raw).split())
    if text in BLANK_WORDS:
        return ""
    if text[0] == "'" and text[1:2] in FORMULA_SIGNS:
        return text[1:]
    if text[0] == "=":
        as_text = _TEXT_AS_FORMULA.fullmatch(text)
        if as_text is None:
            raise CellError("The cell holds a formula. Send the value it stands for.")
        return as_text[1].strip()
    if "\ufffd" in text:
        raise CellError("A character here is neither UTF-8 nor Windows-1252. Save the file as UTF-8.")
    if _CONTROL.search(text):
        raise CellError("The cell holds a control character. Type the value again.")
    return text


def neutralised(value: str) -> str:
    """The value as a spreadsheet may hold it: an apostrophe keeps it from being taken for a formula."""
    return f"'{value}" if value.startswith(FORMULA_SIGNS) else value


def straight_quotes(text: str) -> str:
    return text.translate(_QUOTES)


def read_text(raw: str, *, longest: int) -> str:
    """Text as written, within the length the record holds."""
    text = clean(raw)
    if len(text) > longest:
        raise CellError(f"This is {len(text)} characters long; {longest} fit.")
    return text


def read_name(raw: str, *, longest: int) -> str:
    """A name, code or number: as written, with straight quotes, so that two spellings are not two values."""
    return straight_quotes(read_text(raw, longest=longest))


def read_id(raw: str, *, longest: int = 40) -> str:
    """An employee or state id. `00123` keeps its zeros and `1234e567` its letter; `13001.0` is 13001."""
    text = read_name(raw, longest=longest)
    if number := _NUMBER_ID.fullmatch(text):
        return number[1]
    if _SHORTENED_ID.fullmatch(text):
        raise CellError("A spreadsheet shortened this number. Send the whole id, as text.")
    return text


def read_choice(raw: str, allowed: Collection[str]) -> str:
    """One of the words of a list; case, spaces and hyphens do not matter."""
    text = clean(raw)
    word = re.sub(r"[\s\-]+", "_", text).lower()
    if word and word not in allowed:
        raise CellError(f"This is none of {', '.join(allowed)}.")
    return word


def read_flag(raw: str) -> bool | None:
    """Yes or no, as sheets write them; None when blank."""
    word = clean(raw).lower()
    if not word:
        return None
    if word in _YES or word in _NO:
        return word in _YES
    raise CellError("This is neither yes nor no.")


def read_number(raw: str, *, highest: int) -> Decimal | None:
    """A number from 0 to `highest` with two decimals; more are cut off, so that nobody gains a pass by rounding."""
    text = clean(raw).removesuffix("%").rstrip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise CellError("This is not a number.") from None
    if not number.is_finite():
        raise CellError("This is not a number.")
    if not 0 <= number <= highest:
        raise CellError(f"This is not between 0 and {highest}.")
    # 2.9999999999999996 is how a spreadsheet says 3
    return number.quantize(Decimal("0.000001")).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def check_date_format(date_format: str) -> None:
    """`CellError` unless a day written in this format can be read again."""
    probe = datetime(2024, 11, 25)  # noqa: DTZ001 - only its date is read
    try:
        fits = datetime.strptime(probe.strftime(date_format), date_format).date() == probe.date()  # noqa: DTZ007 - the same
    except ValueError:
        fits = False
    if not fits:
        raise CellError(f'The date format "{date_format}" does not name day, month and year, as "%d.%m.%Y" does.')


class Days:
    """Reads days, and remembers the spellings it has met: a file holds few different ones."""

    def __init__(self, date_format: str = "") -> None:
        self._date_format = date_format
        self._known: dict[str, date | None] = {}

    def read(self, raw: str, *, is_end: bool = False) -> date | None:
        """The day, None when blank; in the column of a last day 9999-12-31 is blank too."""
        if raw in self._known:
            return self._known[raw]
        text = clean(raw)
        day = self._parse(text) if text else None
        if day is not None:
            if is_end and day == NO_END:
                return None
            if day in SENTINEL_DAYS:
                raise CellError(f"{day} stands for a missing date. Leave the cell blank, or give the true date.")
            if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
                raise CellError(f"The year {day.year} cannot be right.")
        self._known[raw] = day
        return day

    def _parse(self, text: str) -> date:
        if self._date_format:
            try:
                return datetime.strptime(text, self._date_format).date()  # noqa: DTZ007 - a calendar date
            except ValueError:
                pass
        if found := _ISO.fullmatch(text):
            year, month, day = found.groups()
        elif (found := _US.fullmatch(text)) and not self._date_format:
            month, day, year = found.groups()
        elif found := _SERIAL.fullmatch(text):
            return SERIAL_ORIGIN + timedelta(days=int(found[1]))
        elif _SHORT_YEAR.fullmatch(text):
            raise CellError("The year has two digits. Write all four, or say how dates are written (--date-format).")
        else:
            expected = self._date_format or "M/D/YYYY"
            raise CellError(f"This is not a date. Write YYYY-MM-DD or {expected}.")
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            raise CellError("There is no such day in the calendar.") from None
