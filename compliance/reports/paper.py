"""Data to tagged PDF: one call of the typesetter. Data goes in as a JSON file, never pasted into the source."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import typst

Data: TypeAlias = dict[str, Any]

TEMPLATE, DATA, RESULT = "report.typ", "data.json", "report.pdf"
MOST_SECONDS = 600

#: Letters that the typesetter's own typefaces have for sure; others are tried before a report is set.
SURE = re.compile(r"[^\x20-\x7e\xa0-\u017f\u2010-\u2026·–—▲▨◌✓]")
TRIAL = '#for letter in json("letters.json") [#letter \\ ]'
NOT_SHOWN = re.compile(r'the text `?"(.+?)"`? could not be displayed')


class NotSet(Exception):
    """The typesetter failed; the message holds nothing of the data."""


def render(template: Path, data: Data, *, issued_at: datetime) -> bytes:
    """A PDF/UA-1 of `data` by a template that reads `data.json`. Only typefaces that come with the typesetter are used.

    What templates share lies beside them in files whose names start with `_`.

    Set in a process of its own, whose memory (half a gigabyte for 3,000 members) ends with it: the typesetter keeps
    what it made for the next time, and a worker lives long. A letter that the typefaces lack (of a name in another
    script) is printed by its code, as `[U+738B]`: the page says so, and the spreadsheet has it as recorded.
    """
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        shutil.copyfile(template, root / TEMPLATE)
        for shared in template.parent.glob("_*.typ"):
            shutil.copyfile(shared, root / shared.name)
        (root / DATA).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        moment = str(int(issued_at.timestamp()))
        # -P: this file's own directory is not searched for modules
        ended = subprocess.run(  # noqa: S603 - this program, on a directory made here
            [sys.executable, "-P", __file__, folder, moment],
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        if ended.returncode != 0:
            told = re.sub(r'"[^"]*"', '"…"', ended.stderr.strip().rpartition("\n")[2])
            raise NotSet(f"The typesetter ended with {ended.returncode}: {told[:300]}")
        return (root / RESULT).read_bytes()


def _set(root: Path, issued_at: int) -> None:
    """What the other process does: `data.json` and the template in, `report.pdf` out."""
    data = json.loads((root / DATA).read_text(encoding="utf-8"))
    missing = missing_letters("".join(_texts(data)))
    if missing:
        data = _without(data, {ord(letter): f"[U+{ord(letter):04X}]" for letter in missing})
    (root / DATA).write_text(json.dumps({**data, "has_codes": bool(missing)}, ensure_ascii=False), encoding="utf-8")
    (root / RESULT).write_bytes(_compile(root / TEMPLATE, issued_at=issued_at))


def _compile(source: Path, *, issued_at: int | None = None) -> bytes:
    made: bytes = typst.compile(
        str(source),
        root=str(source.parent),
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=issued_at,
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


if __name__ == "__main__":
    _set(Path(sys.argv[1]), int(sys.argv[2]))
