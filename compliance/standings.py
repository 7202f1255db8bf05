"""Standings as rows: derived from the facts by the engine, written here and nowhere else.

`rebuild` brings the rows of some or all members up to date and writes only what differs; `differences` counts what
would be written and writes nothing. Both work in slices of members, so memory does not grow with the department.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction

from compliance import engine
from compliance.gather import Rules, gather_members, gather_rules
from compliance.models import Extension, Standing, Waiver
from roster.facts import Change, Fact, hold_rules, lock_officers
from roster.models import Assignment, Designation, Employment, Leave, Officer
from training.models import Completion, EvidenceDecision

#: Members judged at a time: enough to make queries rare, few enough to keep memory small.
SLICE = 1000
#: Rows sent at a time: few enough that sending them does not wait for the server.
COPIED_AT_A_TIME = 500

#: Every kind of fact that a standing follows from.
FACTS: tuple[type[Fact], ...] = (
    Employment,
    Assignment,
    Leave,
    Designation,
    Waiver,
    Extension,
    Completion,
    EvidenceDecision,
)

Progress = Callable[[int, int], object]


class Row(NamedTuple):
    """A standing as it is stored, without its id: a member, a requirement, and the fields of the engine's `Period`."""

    officer: int
    requirement: int
    start_on: date
    end_on: date | None
    state: str
    due_on: date | None
    edition: int
    unit: int | None
    shift: int | None
    rank: int | None
    basis: int | None
    has_credit: bool
    reason: str

    def holds_on(self, day: date) -> bool:
        return self.start_on <= day and (self.end_on is None or day <= self.end_on)


COLUMNS = (
    "officer_id, requirement_id, start_on, end_on, state, due_on, edition_id, unit_id, shift_id, rank_id,"
    " basis_id, has_credit, reason"
)


Timeline = tuple[int, int, tuple[engine.Period, ...]]


def timelines(
    officer_ids: Collection[int], rules: Rules, *, known_at: datetime | None = None, seen_on: date | None = None
) -> Iterator[Timeline]:
    """(officer, requirement, periods) of these members under all of the rules, from the facts. Eight queries.

    The facts are read before this returns, each timeline is worked out when it is asked for: into a COPY, say.
    `seen_on` leaves out what was taken or approved after that day: the line as it was to be expected then.
    """
    if not rules.editions:
        return iter(())
    members = gather_members(officer_ids, rules, known_at=known_at, seen_on=seen_on)
    return (
        (officer, requirement, engine.timeline(editions, facts))
        for officer, facts in members.items()
        for requirement, editions in rules.editions.items()
    )


def rows_of(
    officer_ids: Collection[int], rules: Rules, *, known_at: datetime | None = None, seen_on: date | None = None
) -> Iterator[Row]:
    """The standings of these members as they follow from the facts; read and worked out as `timelines` does."""
    return _rows(timelines(officer_ids, rules, known_at=known_at, seen_on=seen_on))


def _rows(lines: Iterable[Timeline]) -> Iterator[Row]:
    for officer, requirement, periods in lines:
        for period in periods:
            yield Row(officer, requirement, *period)


def rebuild(officer_ids: Collection[int] | None = None, *, progress: Progress | None = None) -> int:
    """Bring the standings of these members (None = all) up to date inside one transaction; rows written and removed.

    Locks the members' rows first, so that no fact recorded meanwhile is missed. Per slice: a lock, eight queries for
    the facts, one for the rows that stand, and a DELETE and a COPY where something differs.
    """
    changed = 0
    is_large = officer_ids is None or len(officer_ids) > SLICE
    with transaction.atomic(), _collecting_once_a_slice() if is_large else nullcontext():
        hold_rules(shared=True)
        if is_large:
            _do_not_compile()
        rules = gather_rules()
        for ids, done, total in slices(officer_ids):
            lock_officers(ids)
            changed += _write_differences(ids, rules)
            if is_large:
                gc.collect(0)
            if progress is not None:
                progress(done, total)
    return changed


@contextmanager
def _collecting_once_a_slice() -> Iterator[None]:
    """Keep Python from looking through the facts of a slice for garbage time and again, a quarter of a rebuild.

    The caller collects what was made since, after each slice: nearly all of it is garbage then.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _do_not_compile() -> None:
    """Keep PostgreSQL from compiling the queries of each slice anew, until the transaction ends.

    In tables that were just filled it takes them for far larger than they are, and compiling takes longer than they do.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")


def rebuild_by_slices(officer_ids: Collection[int] | None = None, *, progress: Progress | None = None) -> int:
    """As `rebuild`, but each slice commits by itself: for a rebuild that changes no rule, so that nobody waits long."""
    changed = 0
    for ids, done, total in slices(officer_ids):
        changed += rebuild(ids)
        if progress is not None:
            progress(done, total)
    return changed


def differences(officer_ids: Collection[int] | None = None, *, progress: Progress | None = None) -> dict[int, int]:
    """Members whose stored standings are not what their facts say -> number of rows that differ. Writes nothing.

    Each slice is read in one snapshot, so a writer at work makes no false difference.
    """
    found: dict[int, int] = {}
    for ids, done, total in slices(officer_ids):
        with snapshot():
            stale, missing = _compare(_standing(ids), rows_of(ids, gather_rules()))
        for officer in (*(row.officer for row in stale.values()), *(row.officer for row in missing)):
            found[officer] = found.get(officer, 0) + 1
        if progress is not None:
            progress(done, total)
    return found


@contextmanager
def snapshot() -> Iterator[None]:
    """All queries inside see the database at one moment; inside another transaction, as that one sees it."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def slices(officer_ids: Collection[int] | None) -> Iterator[tuple[list[int], int, int]]:
    """(ids, members done with this slice, members in all), in the order of ids."""
    if officer_ids is None:
        officer_ids = list(Officer.every.order_by("pk").values_list("pk", flat=True))
    ids = sorted(set(officer_ids))
    for start in range(0, len(ids), SLICE):
        part = ids[start : start + SLICE]
        yield part, start + len(part), len(ids)


def _standing(officer_ids: Sequence[int]) -> dict[Row, int]:
    """The rows of these members that stand, with their ids. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {COLUMNS} FROM compliance_standing WHERE officer_id = ANY(%s)",  # noqa: S608 - constants
            [list(officer_ids)],
        )
        return {Row._make(values[1:]): values[0] for values in cursor.fetchall()}


def _compare(standing: dict[Row, int], rows: Iterable[Row]) -> tuple[dict[int, Row], list[Row]]:
    """(rows that stand but should not, by id; rows that should stand but do not)."""
    missing: list[Row] = []
    for row in rows:
        if row in standing:
            del standing[row]
        else:
            missing.append(row)
    return {key: row for row, key in standing.items()}, missing


def _write_differences(officer_ids: Sequence[int], rules: Rules) -> int:
    standing, rows = _standing(officer_ids), rows_of(officer_ids, rules)
    if not standing:
        # Nothing to compare with: the server stores rows while the next ones are worked out.
        return copy_rows(rows, Standing._meta.db_table)
    stale, missing = _compare(standing, rows)
    if stale:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM compliance_standing WHERE id = ANY(%s)", [list(stale)])
    if missing:
        copy_rows(missing, Standing._meta.db_table)
    return len(stale) + len(missing)


def copy_rows(rows: Iterable[Row], table: str, *, answer_id: int | None = None) -> int:
    """COPY standings into a table with the columns of `Standing`; `answer_id` where it has that column too. How many.

    Making the rows must not query: the COPY holds the connection. The lines are made here, since adapting every value
    one by one costs more than the engine does. Values are ids, dates and this product's own words: nothing in them
    needs escaping.
    """
    columns, ending = (COLUMNS, "\n") if answer_id is None else (f"{COLUMNS}, answer_id", f"\t{answer_id}\n")
    count = 0
    remaining = iter(rows)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        while block := list(islice(remaining, COPIED_AT_A_TIME)):
            copy.write("".join([_copy_text(row) + ending for row in block]))
            count += len(block)
    return count


def _copy_text(row: Row) -> str:
    return "\t".join(["\\N" if value is None else str(value) for value in row])


def touched_since(known_at: datetime) -> set[int]:
    """Members of whom a fact was recorded or voided after that moment: stored standings do not answer for them.

    One query per kind of fact.
    """
    later = list(Change.objects.filter(at__gt=known_at).values_list("pk", flat=True))
    touched: set[int] = set()
    if later:
        for model in FACTS:
            touched.update(model.objects.filter(recorded_in__in=later).values_list("officer_id", flat=True))
            touched.update(model.objects.filter(voided_in__in=later).values_list("officer_id", flat=True))
    return touched


def lines(
    officer_ids: Collection[int], rules: Rules, *, known_at: datetime | None = None
) -> dict[tuple[int, int], list[Row]]:
    """(officer, requirement) -> all rows in order of time, as known at that moment.

    Known now, the stored rows of these members in one query; known earlier, the engine's answer from the facts.
    """
    if known_at is not None:
        rows: Iterable[Row] = rows_of(officer_ids, rules, known_at=known_at)
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM compliance_standing"  # noqa: S608 - constants
                " WHERE officer_id = ANY(%s) AND requirement_id = ANY(%s)"
                " ORDER BY officer_id, requirement_id, start_on",
                [list(officer_ids), list(rules.editions)],
            )
            rows = [Row._make(values) for values in cursor.fetchall()]
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.officer, row.requirement), []).append(row)
    return found


def on_day(line: Sequence[Row], day: date) -> tuple[Row, date] | None:
    """The row that holds on a day and since when its state has held without a break; None outside membership."""
    since: date | None = None
    before: Row | None = None
    for row in line:
        goes_on = (
            before is not None
            and before.state == row.state
            and before.end_on is not None
            and before.end_on + timedelta(days=1) == row.start_on
        )
        since = since if goes_on and since is not None else row.start_on
        if row.holds_on(day):
            return row, since
        before = row
    return None
