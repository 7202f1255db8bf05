"""The whole benchmark: a quarter of the members and all of them, the table of figures, and what was missed."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from types import MappingProxyType

from tests.benchmarks import by_page, department, measures
from tests.benchmarks.database import Measured, fresh_database, in_process, migrated_database

#: No figure grows faster than this much more than the number of members does.
MOST_GROWTH = 1.2
MOST_TIMES_FLOOR = {
    "import of completions": 2.5,
    "rebuild from empty": 2.5,
    "rebuild of all presets": 3.0,
    "coverage by unit": 2.0,
}
#: The import by page is at least so many times faster than either of the two ways it is measured beside.
LEAST_TIMES_FASTER = 20
#: Rows it is measured on. The two ways take minutes for them: they are taken once, with all members only.
COMPARED_ROWS = 100_000
BY_PAGE = "import by page"
Act = Callable[[Path], Measured]
BESIDE: dict[str, Act] = {
    "the same rows by django-import-export": by_page.import_row_by_row,
    "the same in its bulk mode": by_page.import_in_bulk,
}
#: With four times the rows it holds at most so many times the memory.
MOST_TIMES_MEMORY = 1.5
MOST_SECONDS = {
    BY_PAGE: 12.5,  # that many times faster than 400 rows a second, which either way can be expected to do
    "class of 30, until its page shows it": 0.5,
    "finish a class of 30, until its pages show it": 0.5,
    "500 certificates in one PDF": 10.0,
}
MOST_QUERIES = 8
#: The lists; a unit and the coverage of one requirement show more than a list, with a number of queries of their own.
LIST_PAGES = frozenset({"/coverage/", "/officers/", "/deadlines/", "/completions/"})
MOST_REBUILD_MB = 1_500


@dataclass(frozen=True, slots=True)
class Found:
    """What one act took at one size; medians."""

    seconds: float
    #: the least it could take, in the same run
    floor: float | None = None
    peak_mb: float | None = None
    queries: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table, and the limits it misses, each as words."""

    name: str
    #: None where it is measured with all members only
    quarter: Found | None
    whole: Found
    #: how much faster than the number of members the time grew
    growth: float | None
    missed: tuple[str, ...]

    @property
    def times_floor(self) -> float | None:
        return self.whole.seconds / self.whole.floor if self.whole.floor else None


def benchmark(database: str, officers: int, *, times: int, json_file: Path | None) -> int:
    """Measure, print the table, and say whether every limit was reached: 0, or 1."""
    few = officers // 4
    with migrated_database(f"{database}_empty") as empty:
        quarter = _measure(database, empty, few, times, _compared_rows(few, officers))
        whole = _measure(database, empty, officers, times, _compared_rows(officers, officers), beside=BESIDE)
    figures = [_judged(name, quarter.get(name), found, _times(name, few, officers)) for name, found in whole.items()]
    figures = [_beside(figure, whole) if figure.name == BY_PAGE else figure for figure in figures]
    sys.stdout.write(_table(officers, few, figures))
    if json_file is not None:
        lines = [{**asdict(figure), "times_floor": figure.times_floor} for figure in figures]
        json_file.write_text(json.dumps({"officers": officers, "figures": lines}, indent=2) + "\n")
    return int(any(figure.missed for figure in figures))


def _measure(
    database: str,
    empty: str,
    officers: int,
    times: int,
    compared_rows: int,
    *,
    beside: Mapping[str, Act] = MappingProxyType({}),
) -> dict[str, Found]:
    """Every figure at one size. An act and its floor take turns, each in a process of its own."""

    def run(act: Callable[..., Measured], *arguments: object) -> Measured:
        _tell(f"{officers:,} officers: {act.__name__.replace('_', ' ')}")
        measured: Measured = in_process(database, act, *arguments)
        return measured

    with tempfile.TemporaryDirectory() as directory, fresh_database(database, empty):
        file = Path(directory) / "completions.csv"
        _tell(f"{officers:,} officers: made up")
        in_process(database, measures.fill, officers, file)
        imported = [(run(measures.import_completions, file), run(measures.copy_completions)) for _ in range(times)]
        in_process(database, department.load_requirements)
        rebuilt = [(run(measures.rebuild_from_empty), run(measures.read_and_copy)) for _ in range(times)]
        unchanged = [(run(measures.rebuild_unchanged), run(measures.read_unchanged)) for _ in range(times)]
        _tell(f"{officers:,} officers: questions and pages")
        covered = in_process(database, measures.cover)
        pages = in_process(database, measures.open_pages)
        logged = in_process(database, measures.log_classes)
        finished = in_process(database, measures.finish_classes)
        previewed = run(measures.preview_an_edition)
        presets = [(run(measures.rebuild_all_presets), run(measures.read_and_copy))]  # minutes each: once
        in_process(database, measures.load_own_requirements)
        printed = run(measures.print_certificates)
        part = by_page.rows_of_some_members(file, compared_rows)
        sent = [run(by_page.import_by_page, part) for _ in range(times)]
        others = {name: run(act, part) for name, act in beside.items()}  # minutes each: once
    assert previewed.said["changed"] > 0, "the preview found nothing to change"
    for act, floor in (*imported, *rebuilt, *presets):
        assert act.said["rows"] == floor.said["rows"], "the floor wrote other rows"
    assert all(act.said["rows"] == 0 for act, _ in unchanged), "something changed"
    assert len({act.said["rows"] for act in (*sent, *others.values())}) == 1, "they recorded different rows"
    return {
        "import of completions": _middle(imported),
        "rebuild from empty": _middle(rebuilt),
        "rebuild, nothing changed": _middle(unchanged),
        "rebuild of all presets": _middle(presets),
        "preview of an edition": Found(previewed.seconds, peak_mb=previewed.peak_mb),
        "coverage by unit": Found(covered["seconds"], covered["floor"]),
        "class of 30, looked up": Found(logged["looked up"]),
        "class of 30, until its page shows it": Found(logged["shown"]),
        "finish a class of 30, previewed": Found(finished["previewed"]),
        "finish a class of 30, until its pages show it": Found(finished["shown"]),
        "500 certificates in one PDF": Found(printed.seconds, peak_mb=printed.peak_mb),
        BY_PAGE: Found(median(act.seconds for act in sent), peak_mb=max(act.peak_mb for act in sent)),
        **{name: Found(act.seconds, peak_mb=act.peak_mb) for name, act in others.items()},
        **{name: Found(page["seconds"], queries=int(page["queries"])) for name, page in pages.items()},
    }


def _compared_rows(size: int, officers: int) -> int:
    """Rows of the import by page: a quarter of them in the smaller department."""
    return min(COMPARED_ROWS, officers * department.COMPLETIONS_EACH) * size // officers


def _middle(runs: list[tuple[Measured, Measured]]) -> Found:
    return Found(
        median(act.seconds for act, _ in runs),
        median(floor.seconds for _, floor in runs),
        max(act.peak_mb for act, _ in runs),
    )


def _times(name: str, few: int, officers: int) -> float:
    """How many times more the figure is about in the larger of the two departments."""
    if name == BY_PAGE:
        return _compared_rows(officers, officers) / _compared_rows(few, officers)
    return officers / few


def _beside(figure: Figure, whole: Mapping[str, Found]) -> Figure:
    """The import by page, judged by what it is measured beside and by its memory."""
    missed = list(figure.missed)
    for name in BESIDE:
        faster = whole[name].seconds / figure.whole.seconds
        if faster < LEAST_TIMES_FASTER:
            missed.append(f"{faster:.1f} times faster than {name}, limit {LEAST_TIMES_FASTER}")
    before, peak = (figure.quarter.peak_mb if figure.quarter else None) or 0, figure.whole.peak_mb or 0
    if peak > MOST_TIMES_MEMORY * before:
        missed.append(f"{peak:.0f} MB at the peak, {before:.0f} MB with fewer rows")
    return replace(figure, missed=tuple(missed))


def _judged(name: str, quarter: Found | None, whole: Found, times_members: float) -> Figure:
    missed: list[str] = []
    growth = whole.seconds / quarter.seconds / times_members if quarter else None
    if growth is not None and growth > MOST_GROWTH:
        missed.append(f"grows {growth:.2f} times linearly, limit {MOST_GROWTH}")
    if name in MOST_TIMES_FLOOR and whole.floor and whole.seconds > MOST_TIMES_FLOOR[name] * whole.floor:
        missed.append(f"{whole.seconds / whole.floor:.2f} times its floor, limit {MOST_TIMES_FLOOR[name]}")
    if whole.seconds > MOST_SECONDS.get(name, whole.seconds):
        missed.append(f"{whole.seconds:.2f} s, limit {MOST_SECONDS[name]} s")
    fewer = (quarter or whole).queries
    if fewer != whole.queries:
        missed.append(f"{fewer} queries with few members, {whole.queries} with all")
    if name in LIST_PAGES and max(fewer or 0, whole.queries or 0) > MOST_QUERIES:
        missed.append(f"{whole.queries} queries, limit {MOST_QUERIES}")
    if name == "rebuild from empty" and (whole.peak_mb or 0) > MOST_REBUILD_MB:
        missed.append(f"{whole.peak_mb:.0f} MB at the peak, limit {MOST_REBUILD_MB} MB")
    return Figure(name, quarter, whole, growth, tuple(missed))


def _table(officers: int, few: int, figures: list[Figure]) -> str:
    heads = ("", f"{few:,}", f"{officers:,}", "floor", "x floor", "growth", "peak", "queries", "limits")
    lines = [
        (
            figure.name,
            _seconds(figure.quarter.seconds if figure.quarter else None),
            _seconds(figure.whole.seconds),
            _seconds(figure.whole.floor),
            f"{figure.times_floor:.2f}" if figure.times_floor else "",
            f"{figure.growth:.2f}" if figure.growth is not None else "",
            f"{figure.whole.peak_mb:.0f} MB" if figure.whole.peak_mb else "",
            "" if figure.whole.queries is None else str(figure.whole.queries),
            f"MISSED: {'; '.join(figure.missed)}" if figure.missed else _limits(figure),
        )
        for figure in figures
    ]
    width = max(len(figure.name) for figure in figures)
    title = (
        f"{officers:,} officers, {officers * department.COMPLETIONS_EACH:,} completions, 6 requirements;"
        f" beside them {few:,} officers. Growth: 1.00 is linear."
    )
    aligned = [
        f"{name:{width}}{''.join(f'{cell:>10}' for cell in cells)}  {verdict}"
        for name, *cells, verdict in (heads, *lines)
    ]
    return "\n".join((title, "", *aligned, ""))


def _limits(figure: Figure) -> str:
    """The limits that a figure reached, in words; blank where it has none."""
    said = [] if figure.growth is None else [f"growth {MOST_GROWTH}"]
    if figure.name in MOST_TIMES_FLOOR:
        said.append(f"{MOST_TIMES_FLOOR[figure.name]} x floor")
    if figure.name in MOST_SECONDS:
        said.append(f"{MOST_SECONDS[figure.name]} s")
    if figure.name in LIST_PAGES:
        said.append(f"{MOST_QUERIES} queries")
    if figure.name == BY_PAGE:
        said.append(f"{LEAST_TIMES_FASTER} times faster than beside it, {MOST_TIMES_MEMORY} x memory")
    if figure.name == "rebuild from empty":
        said.append(f"{MOST_REBUILD_MB} MB")
    return f"reached: {', '.join(said)}" if said else ""


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _tell(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")
