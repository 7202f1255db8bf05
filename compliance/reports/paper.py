"""Data to tagged PDF: one call of the typesetter. Data goes in as a JSON file, never pasted into the source."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import typst

Data: TypeAlias = dict[str, Any]

#: Letters that the typesetter's own typefaces have for sure; others are tried before a report is set.
SURE = re.compile(r"[^\x20-\x7e\xa0-\u017f\u2010-\u2026·–—▲▨◌✓]")
TRIAL = '#for letter in json("letters.json") [#letter \\ ]'
NOT_SHOWN = re.compile(r'the text `?"(.+?)"`? could not be displayed')


def render(template: Path, data: Data, *, issued_at: datetime) -> bytes:
    """A PDF/UA-1 of `data` by a template that reads `data.json`. Only typefaces that come with the typesetter are used.

    A letter that they lack (of a name in another script) is printed by its code, as `[U+738B]`: the page says so,
    and the spreadsheet has it as recorded. Cost: 3,000 members in about two seconds and half a gigabyte.
    """
    missing = missing_letters("".join(_texts(data)))
    if missing:
        data = _without(data, {ord(letter): f"[U+{ord(letter):04X}]" for letter in missing})
    text = json.dumps({**data, "has_codes": bool(missing)}, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        shutil.copyfile(template, root / "report.typ")
        (root / "data.json").write_text(text, encoding="utf-8")
        return _compile(root / "report.typ", issued_at=issued_at)


def _compile(source: Path, *, issued_at: datetime | None = None) -> bytes:
    made: bytes = typst.compile(
        str(source),
        root=str(source.parent),
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=None if issued_at is None else int(issued_at.timestamp()),
    )
    return made


def _texts(value: Any) -> Iterator[str]:
    """Every text in the data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _without(value: Any, codes: dict[int, str]) -> Any:
    """The same data with these letters replaced."""
    if isinstance(value, str):
        return value.translate(codes)
    if isinstance(value, dict):
        return {key: _without(part, codes) for key, part in value.items()}
    return [_without(part, codes) for part in value] if isinstance(value, list) else value


def missing_letters(text: str) -> set[str]:
    """The letters of a text that no typeface at hand has; the typesetter itself is asked about unusual ones."""
    unsure = set(SURE.findall(text))
    missing: set[str] = {letter for letter in unsure if not letter.isprintable()}
    unsure -= missing
    with tempfile.TemporaryDirectory(prefix="letters-") as folder:
        root = Path(folder)
        head = '#set document(title: "Letters")\n#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))\n'
        (root / "trial.typ").write_text(head + TRIAL, encoding="utf-8")
        while unsure:
            (root / "letters.json").write_text(json.dumps(sorted(unsure)), encoding="utf-8")
            try:
                _compile(root / "trial.typ")
            except typst.TypstError as error:
                named = {letter for found in NOT_SHOWN.findall(str(error)) for letter in found} & unsure
                if not named:
                    raise
                missing |= named
                unsure -= named
            else:
                break
    return missing
