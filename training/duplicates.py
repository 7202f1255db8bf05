"""Completions that look like one: the same course within days, or the same certificate number.

Nothing is merged or left out by itself: a person keeps both, which is remembered, or voids one. Two results that differ
are two completions - failed on Monday, passed on Friday. What an agency takes for near is `Agency.near_days`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Upper

from roster.access import own_members
from roster.facts import FactRefused
from training.models import Completion, Course, KeptBoth, Result

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

#: The most days that an agency may set.
MOST_DAYS = 90
#: A number that more completions of an agency carry is one of a course or a class, not of a certificate.
MOST_OF_A_NUMBER = 5
#: Pairs that the list of those stored holds.
MOST_PAIRS = 1_000

OWN = "One of the two is your own completion. Somebody else has to decide."


@dataclass(frozen=True, slots=True)
class Twin:
    """A recorded completion that another looks like."""

    completion: Completion
    #: it has the same certificate number; else it is near in days
    by_number: bool = False


def _known() -> QuerySet[Any]:
    """Completions that stand, each with its course as mapped (`root`) and what its agency takes for near."""
    rows: QuerySet[Any] = Completion.objects.known().select_related("course", "officer")
    found: QuerySet[Any] = rows.annotate(
        root=Coalesce("course__same_as_id", "course_id"), near_days=F("officer__agency__near_days")
    )
    return found


def near(days: Mapping[int, date], course: Course) -> dict[int, list[Completion]]:
    """Member -> completions of this course within what the agency takes for near of that member's day, nearest first.

    Those of the same day are among them, whatever their result; of other days only what was passed. One query.
    """
    if not days:
        return {}
    around = timedelta(days=MOST_DAYS)
    rows = _known().filter(
        officer__in=days,
        root=course.same_as_id or course.pk,
        completed_on__range=(min(days.values()) - around, max(days.values()) + around),
    )
    found: dict[int, list[Completion]] = {}
    for row in rows.select_related("recorded_in__by").order_by("pk"):
        apart = _apart(row, days[row.officer_id])
        if apart == 0 or (apart <= row.near_days and row.result == Result.PASSED):
            found.setdefault(row.officer_id, []).append(row)
    for officer, of_member in found.items():
        of_member.sort(key=lambda row: _apart(row, days[officer]))
    return found


def _apart(row: Completion, on: date) -> int:
    return abs((row.completed_on - on).days)


def with_number(agency_ids: Collection[int], number: str) -> list[Completion]:
    """Completions of these agencies with this certificate number; none where too many carry it. One query."""
    if not number.strip():
        return []
    rows = _known().filter(officer__agency__in=agency_ids, certificate_number__iexact=number.strip())
    found = list(rows.order_by("pk")[: MOST_OF_A_NUMBER + 1])
    return found if len(found) <= MOST_OF_A_NUMBER else []


def undecided(completions: Iterable[Completion]) -> dict[int, list[Twin]]:
    """Completion -> those that look like it and of which nobody said that they are two. Three queries."""
    asked = {row.pk: row for row in completions}
    roots = {row.course.same_as_id or row.course_id for row in asked.values()}
    rows = list(_known().filter(officer__in={row.officer_id for row in asked.values()}, root__in=roots).order_by("pk"))
    same_number = _by_number(asked.values())
    kept = _kept(asked)
    by_pk = {row.pk: row for row in rows}
    found: dict[int, list[Twin]] = {}
    for pk in asked:
        one = by_pk.get(pk)
        if one is None:  # voided
            continue
        numbered = [other for other in same_number if other.pk != pk and _number(other) == _number(one)]
        alike = [Twin(other) for other in rows if other.pk != pk and _are_near(one, other)]
        near_ones = {twin.completion.pk for twin in alike}
        alike += [
            Twin(other, by_number=True)
            for other in numbered
            if other.pk not in near_ones and other.officer.agency_id == one.officer.agency_id
        ]
        if left := [twin for twin in alike if _pair(pk, twin.completion.pk) not in kept]:
            found[pk] = left
    return found


def _are_near(one: Any, other: Any) -> bool:
    """Of two rows of `_known`."""
    is_alike = (one.officer_id, one.root, one.result) == (other.officer_id, other.root, other.result)
    return is_alike and abs((one.completed_on - other.completed_on).days) <= one.near_days


def with_alike(rows: QuerySet[Completion]) -> QuerySet[Any]:
    """Each with `is_alike`: it looks like another by its days, and nobody said that they are two. No query more."""
    kept = KeptBoth.objects.filter(
        Q(first=OuterRef("pk"), second=OuterRef(OuterRef("pk")))
        | Q(first=OuterRef(OuterRef("pk")), second=OuterRef("pk"))
    )
    gap = ExpressionWrapper(F("near_days") * Value(timedelta(days=1)), output_field=DurationField())
    on = OuterRef("completed_on")
    others = (
        _known()
        .exclude(pk=OuterRef("pk"))
        .filter(
            ~Exists(kept),
            officer=OuterRef("officer"),
            result=OuterRef("result"),
            root=Coalesce(OuterRef("course__same_as_id"), OuterRef("course_id")),
            completed_on__gte=ExpressionWrapper(on - gap, output_field=DateTimeField()),
            completed_on__lte=ExpressionWrapper(on + gap, output_field=DateTimeField()),
        )
    )
    found: QuerySet[Any] = rows.annotate(is_alike=Exists(others))
    return found


def _number(row: Completion) -> str:
    return row.certificate_number.upper()


def _by_number(completions: Iterable[Completion]) -> list[Completion]:
    """Completions with the certificate number of one of these, but for numbers that too many carry. One query."""
    numbers = {_number(row) for row in completions} - {""}
    if not numbers:
        return []
    by_number: dict[tuple[int, str], list[Completion]] = {}
    for row in _known().annotate(number=Upper("certificate_number")).filter(number__in=numbers).order_by("pk"):
        by_number.setdefault((row.officer.agency_id, _number(row)), []).append(row)
    return [row for rows in by_number.values() if len(rows) <= MOST_OF_A_NUMBER for row in rows]


def kept_beside(ids: Collection[int]) -> dict[int, set[int]]:
    """Completion -> those of which somebody said that they are two. One query, none for nothing."""
    found: dict[int, set[int]] = {}
    for first, second in _kept(ids) if ids else ():
        found.setdefault(first, set()).add(second)
        found.setdefault(second, set()).add(first)
    return found


def _kept(ids: Collection[int]) -> set[tuple[int, int]]:
    rows = KeptBoth.objects.filter(first__in=ids) | KeptBoth.objects.filter(second__in=ids)
    return set(rows.values_list("first", "second"))


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def keep_both(one: Completion, other: Completion, *, by: User) -> bool:
    """Remember that two completions are two; whether nobody had said so. `FactRefused` for one's own record."""
    if {one.officer_id, other.officer_id} & own_members(by):
        raise FactRefused(OWN)
    return remember_both([(one.pk, other.pk)], by=by) > 0


def remember_both(pairs: Iterable[tuple[int, int]], *, by: User | None) -> int:
    """Remember pairs that a person decided to keep; how many were new. Two queries."""
    wanted = {_pair(*pair) for pair in pairs}
    new = wanted - _kept({first for first, _ in wanted})
    KeptBoth.objects.bulk_create(
        [KeptBoth(first_id=first, second_id=second, by=by) for first, second in sorted(new)], ignore_conflicts=True
    )
    return len(new)


def carry_over(corrected: Mapping[int, int]) -> None:
    """What was decided about a completion holds for the one that corrects it; by ids, old -> new. Two queries."""
    rows = KeptBoth.objects.filter(first__in=corrected) | KeptBoth.objects.filter(second__in=corrected)
    made = {
        _pair(corrected.get(row.first_id, row.first_id), corrected.get(row.second_id, row.second_id)): row.by_id
        for row in rows.order_by("pk")
    }
    KeptBoth.objects.bulk_create(
        [KeptBoth(first_id=first, second_id=second, by_id=by) for (first, second), by in made.items()],
        ignore_conflicts=True,
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stored completions that look like one."""

    first: Completion
    second: Completion
    by_number: bool

    @property
    def apart(self) -> int:
        """Days between the two."""
        return abs((self.first.completed_on - self.second.completed_on).days)


_PAIRS = """
    WITH ours AS (
        SELECT c.id, c.officer_id, coalesce(k.same_as_id, c.course_id) AS root, c.completed_on, c.result,
               upper(c.certificate_number) AS number, o.agency_id, a.near_days
        FROM training_completion c
        JOIN training_course k ON k.id = c.course_id
        JOIN roster_officer o ON o.id = c.officer_id
        JOIN roster_agency a ON a.id = o.agency_id
        WHERE c.voided_in_id IS NULL AND c.completed_on >= %(since)s::date - %(most_days)s::int
          AND (%(agencies)s::bigint[] IS NULL OR o.agency_id = ANY(%(agencies)s))
          AND (%(officers)s::bigint[] IS NULL OR c.officer_id = ANY(%(officers)s))
          AND (%(course)s::bigint IS NULL OR coalesce(k.same_as_id, c.course_id) = %(course)s)
    ), close AS (
        SELECT id, lag(id) OVER days AS twin, completed_on, completed_on - lag(completed_on) OVER days AS apart,
               near_days
        FROM ours WINDOW days AS (PARTITION BY officer_id, root, result ORDER BY completed_on, id)
    ), numbered AS (
        SELECT ours.id, same.id AS twin, ours.completed_on, count(*) OVER (PARTITION BY ours.id) AS others
        FROM ours CROSS JOIN LATERAL (
            -- the limit makes each a look into the index, however many there are
            SELECT other.id FROM training_completion other
            JOIN roster_officer whose ON whose.id = other.officer_id AND whose.agency_id = ours.agency_id
            WHERE upper(other.certificate_number) = ours.number AND other.certificate_number <> ''
                  AND other.voided_in_id IS NULL AND other.id <> ours.id
            LIMIT %(most_of_a_number)s
        ) same
        WHERE ours.number <> ''
    ), pairs AS (
        SELECT id, twin, completed_on, false AS by_number FROM close WHERE apart <= near_days
        UNION ALL
        SELECT id, twin, completed_on, true FROM numbered WHERE others < %(most_of_a_number)s
    ), ordered AS (
        SELECT least(id, twin) AS first_id, greatest(id, twin) AS second_id, completed_on, by_number
        FROM pairs WHERE completed_on >= %(since)s
    )
    SELECT first_id, second_id, bool_and(by_number) FROM ordered
    WHERE NOT EXISTS (
        SELECT 1 FROM training_keptboth k WHERE k.first_id = ordered.first_id AND k.second_id = ordered.second_id
    )
    GROUP BY first_id, second_id ORDER BY max(completed_on) DESC, second_id DESC LIMIT %(most)s
"""


def stored_pairs(
    agency_ids: Collection[int] | None,
    *,
    since: date,
    officer_ids: Collection[int] | None = None,
    course: Course | None = None,
) -> list[Pair]:
    """What is stored and looks like one, the latest first, at most MOST_PAIRS; None asks for all. Two queries.

    One of each pair was completed on that day or later: the older the day, the longer it takes.
    """
    wanted = {
        "agencies": None if agency_ids is None else sorted(agency_ids),
        "officers": None if officer_ids is None else sorted(officer_ids),
        "course": None if course is None else course.same_as_id or course.pk,
        "since": since,
        "most_days": MOST_DAYS,
        "most_of_a_number": MOST_OF_A_NUMBER,
        "most": MOST_PAIRS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, wanted)
        found = cursor.fetchall()
    related = Completion.objects.select_related("course", "officer__agency", "recorded_in__by")
    rows = related.in_bulk({pk for pair in found for pk in pair[:2]})
    return [Pair(rows[first], rows[second], by_number) for first, second, by_number in found]


def is_undecided(one: Completion, other: Completion) -> bool:
    """Whether two completions look like one and nobody decided. Three queries at most."""
    return any(twin.completion.pk == other.pk for twin in undecided([one]).get(one.pk, ()))
