"""What is measured, each act beside its floor: the least that the database asks for the same rows.

Every function here runs in a process of its own (`database.in_process`), and says what it took.

A floor writes the same rows into the same emptied table, with its keys, indexes and triggers, over the same connection
settings and with one commit; it reads the same facts as tuples. Only what the product decides is left out.
"""

from __future__ import annotations

import re
import resource
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance import coverage, imports, preview, requirements, standings
from compliance.class_papers import certificates
from compliance.gather import gather_rules
from compliance.models import Population, Requirement, Standing
from compliance.requirements_file import read_document
from compliance.requirements_toml import export_toml
from roster.facts import Via, recording
from roster.models import Agency, Officer, Unit
from roster.plans import ImportOptions, Verdict
from roster.tree import UnitTree
from tests.benchmarks import department
from tests.benchmarks.database import Measured, timed
from tests.factories import attend, make_class, make_seat, make_test
from training.certificates import issue_of_class
from training.models import ClassSession, Completion, Course, Enrollment, Evidence, TestAttempt

COMPLETION_COLUMNS = (
    "officer_id, course_id, completed_on, class_number, hours, score, attendance, result, evidence, verified_on,"
    " certificate_number, certificate_expires_on, lesson_plan, recorded_in_id"
)
#: what the rebuild reads of every member, in one pass over each table
FACTS = (
    "SELECT officer_id, start_on, end_on, category FROM roster_employment WHERE voided_in_id IS NULL",
    "SELECT officer_id, kind, start_on, end_on, unit_id, shift_id, rank_id FROM roster_assignment"
    " WHERE voided_in_id IS NULL AND kind <> 'secondary'",
    "SELECT officer_id, start_on, end_on, kind FROM roster_leave WHERE voided_in_id IS NULL",
    "SELECT officer_id, start_on, end_on, code, is_voluntary FROM roster_designation WHERE voided_in_id IS NULL",
    "SELECT officer_id, requirement_id, start_on, end_on FROM compliance_waiver WHERE voided_in_id IS NULL",
    "SELECT officer_id, requirement_id, until_on, approved_on FROM compliance_extension WHERE voided_in_id IS NULL",
    "SELECT completion_id, decision FROM training_evidencedecision WHERE voided_in_id IS NULL",
    "SELECT officer_id, id, course_id, completed_on, hours, score, attendance, result, evidence,"
    " certificate_expires_on, lesson_plan"
    " FROM training_completion WHERE voided_in_id IS NULL AND course_id = ANY(%(courses)s)",
)
READ_AT_A_TIME = 5_000
QUESTIONS = 21
PAGE_ROUNDS = 8
CLASSES = 5
CLASS_SIZE = 30
#: In one file; of a smaller department as many as it has members.
CERTIFICATES = 500


def fill(officers: int, file: Path) -> None:
    """The department and the file of its completions."""
    department.load_department(officers)
    department.write_completions(officers, file)


def import_completions(file: Path) -> Measured:
    empty(Completion._meta.db_table)

    def act() -> Mapping[str, Any]:
        options = ImportOptions()
        done = imports.record(
            "completions",
            file,
            options,
            today=department.LAST_DAY,
            agency=Agency.objects.get(code="bench"),
            by=None,
            why="benchmark",
        )
        return {"rows": done.plan.counts[Verdict.NEW], "of": done.plan.rows}

    return timed(act)


def copy_completions() -> Measured:
    """The floor of the import: the rows it left, formatted beforehand, sent by COPY."""
    blocks = _formatted(f"SELECT {COMPLETION_COLUMNS} FROM training_completion ORDER BY id")  # noqa: S608 - constants
    empty(Completion._meta.db_table)
    return timed(lambda: _send(blocks, f"training_completion ({COMPLETION_COLUMNS})"))


def rebuild_from_empty() -> Measured:
    empty(Standing._meta.db_table)
    return timed(lambda: {"rows": standings.rebuild()})


def rebuild_all_presets() -> Measured:
    """Every shipped requirement, those to be confirmed too, in place of the benchmark's own: stored and rebuilt."""
    empty(Standing._meta.db_table)
    empty(Requirement._meta.db_table)

    def act() -> Mapping[str, Any]:
        requirements.load_presets(requirements.presets(), today=department.AS_OF)
        return {"rows": Standing.objects.count(), "requirements": Requirement.objects.count()}

    return timed(act)


def load_own_requirements() -> None:
    """The benchmark's own requirements, in place of the presets."""
    for model in (Requirement, Population):
        empty(model._meta.db_table)
    department.load_requirements()


def preview_an_edition() -> Measured:
    """Who would change state if what is renewed every three years were renewed every two."""
    row = Requirement.objects.filter(code="refresher")
    file = tomllib.loads(export_toml(row))
    file["requirement"][0]["edition"][-1]["months"] = 24

    def act() -> Mapping[str, Any]:
        proposal = requirements.propose(read_document(file), today=department.AS_OF)
        answer = preview.preview(proposal, days=[department.AS_OF])
        moves = answer.of(row.get().pk, department.AS_OF)
        return {"members": answer.members, "changed": preview.changed(moves)}

    return timed(act)


def read_and_copy() -> Measured:
    """The floor of the rebuild: all the facts it reads, and its periods, formatted beforehand, sent by COPY."""
    blocks = _formatted(f"SELECT {standings.COLUMNS} FROM compliance_standing ORDER BY id")  # noqa: S608 - constants
    empty(Standing._meta.db_table)
    courses = list(gather_rules().courses)

    def act() -> Mapping[str, Any]:
        read = _read_facts(courses)
        return {"facts": read, **_send(blocks, f"compliance_standing ({standings.COLUMNS})")}

    return timed(act)


def rebuild_unchanged() -> Measured:
    return timed(lambda: {"rows": standings.rebuild()})


def read_unchanged() -> Measured:
    """The floor of a rebuild that changes nothing: the facts and the periods that stand, read."""
    courses = list(gather_rules().courses)

    def act() -> Mapping[str, Any]:
        return {
            "facts": _read_facts(courses),
            "rows": _read(f"SELECT id, {standings.COLUMNS} FROM compliance_standing"),  # noqa: S608 - constants
        }

    return timed(act)


def cover() -> dict[str, Any]:
    """Coverage by unit, rolled up, beside the bare GROUP BY; asked in turn, the median of each."""
    requirement = Requirement.objects.get(code="refresher").pk
    day = department.AS_OF
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE compliance_standing")

    def by_unit() -> None:
        rows = coverage.standings_on(day, requirement_ids=[requirement])
        coverage.roll_up(coverage.counts(rows, "unit"), UnitTree())

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT unit_id, state, has_credit, count(*) FROM compliance_standing"
                " WHERE requirement_id = %(requirement)s AND start_on <= %(day)s"
                " AND (end_on IS NULL OR end_on >= %(day)s) GROUP BY unit_id, state, has_credit",
                {"requirement": requirement, "day": day},
            )
            cursor.fetchall()

    ours, floor = in_turn(by_unit, bare)
    return {"seconds": ours, "floor": floor}


def log_classes() -> dict[str, float]:
    """Classes of 30 looked up, then recorded until their unit's page shows them: the median seconds of each."""
    # The classes follow one another day by day: only those of one day are taken for one.
    Agency.objects.update(near_days=0)
    client = _signed_in()
    looked_up: list[float] = []
    shown: list[float] = []
    unit, members = _members_of_one_unit()
    course = Course.objects.get(code=department.REFRESHER)
    for number in range(CLASSES):
        data = {
            "course": course.pk,
            "completed_on": timezone.localdate() - timedelta(number),
            "evidence": Evidence.VERIFIED.value,
            "people": "\n".join(members),
            "class_number": f"BENCHMARK-{number}",
        }
        start = time.perf_counter()
        page = client.post(reverse("completion-log"), {**data, "act": "look"})
        looked_up.append(time.perf_counter() - start)
        sealed = re.search(r'name="shown" value="([^"]+)"', page.content.decode())
        assert sealed is not None, "the members were not found"
        start = time.perf_counter()
        client.post(reverse("completion-log"), {**data, "act": "record", "shown": sealed[1]})
        page = client.get(reverse("unit-detail", args=[unit.code]), {"requirement": "refresher"})
        shown.append(time.perf_counter() - start)
        assert Completion.objects.filter(class_number=data["class_number"]).count() == len(members)
        assert _share_of(unit) in _words(page.content.decode()), "the page does not show the class"
    return {"looked up": median(looked_up[1:]), "shown": median(shown[1:])}


def finish_classes() -> dict[str, float]:
    """Forty-hour classes of 30 previewed, then finished until the pages of the class and of the unit show it.

    The median seconds of each. Everybody attended ten blocks and took a test; nothing of that is measured.
    """
    client = _signed_in()
    previewed: list[float] = []
    shown: list[float] = []
    unit, members = _members_of_one_unit()
    course = Course.objects.get(code=department.ENTRY)
    exam = make_test(course)
    officers = list(Officer.objects.filter(employee_id__in=members))
    for number in range(CLASSES):
        monday = timezone.localdate() - timedelta(10 + 7 * number)
        session = make_class(f"FINISH-{number}", course, days=[monday + timedelta(day) for day in range(5)])
        seats = [make_seat(session, officer) for officer in officers]
        for seat in seats:
            attend(seat)
        TestAttempt.objects.bulk_create(
            TestAttempt(enrollment=seat, test=exam, taken_on=monday + timedelta(4), score=80) for seat in seats
        )
        address = reverse("class-finish", args=[session.number])
        start = time.perf_counter()
        page = client.get(address)
        previewed.append(time.perf_counter() - start)
        sealed = re.search(r'name="shown" value="([^"]+)"', page.content.decode())
        assert sealed is not None, "the class cannot be finished"
        start = time.perf_counter()
        page = client.post(address, {"shown": sealed[1]}, follow=True)
        of_unit = client.get(reverse("unit-detail", args=[unit.code]), {"requirement": "refresher"})
        shown.append(time.perf_counter() - start)
        assert f"{len(members)} passed" in _words(page.content.decode()), "the page does not show the class"
        assert Completion.objects.filter(class_number=session.number).count() == len(members)
        assert _share_of(unit) in _words(of_unit.content.decode()), "the page of the unit does not show it"
    return {"previewed": median(previewed[1:]), "shown": median(shown[1:])}


def print_certificates() -> Measured:
    """500 certificates of one class in one PDF, from the rows to the bytes; the peak is of program and typesetter."""
    officers = list(Officer.objects.filter(agency__code="bench").select_related("agency").order_by("pk")[:CERTIFICATES])
    course, agency, day = Course.objects.get(code=department.ENTRY), officers[0].agency, department.LAST_DAY
    session = make_class("BENCHMARK-CERTIFICATES", course, agency=agency, days=[day], capacity=CERTIFICATES)
    with recording(by=None, via=Via.COMMAND, why="benchmark") as recorder:
        values = {"course": course, "completed_on": day, "class_number": session.number}
        rows = [recorder.record(Completion(officer=officer, **values)) for officer in officers]
        Enrollment.objects.bulk_create(
            Enrollment(
                session=session,
                officer=row.officer,
                completion=row,
                since=timezone.now(),
                outcome="passed",
                outcome_on=day,
            )
            for row in rows
        )
        issue_of_class(session, issued_on=day, by=None)
    session = ClassSession.objects.select_related("agency", "course", "place", "lesson_plan").get(pk=session.pk)

    def act() -> Mapping[str, Any]:
        content = certificates.all_of_class(session, address=lambda token: f"https://records.example.gov/{token}")
        return {"rows": len(rows), "bytes": len(content)}

    measured = timed(act)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    typesetter = children / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return Measured(measured.seconds, measured.peak_mb + typesetter, measured.said)


def open_pages() -> dict[str, dict[str, float]]:
    """Page -> median seconds and the number of queries, those for session, user and access included."""
    client = _signed_in()
    unit, _ = _members_of_one_unit()
    pages = {
        "/coverage/": reverse("coverage"),
        "/coverage/?requirement=": f"{reverse('coverage')}?requirement=refresher",
        "/units/CODE/": reverse("unit-detail", args=[unit.code]),
        "/units/CODE/ of all": reverse("unit-detail", args=["DEPT"]),
        "/officers/": reverse("officer-list"),
        "/deadlines/": reverse("deadline-list"),
        "/completions/": reverse("completion-list"),
    }
    found: dict[str, dict[str, float]] = {}
    for name, address in pages.items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200, name
            asked = [query["sql"] for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))]
        (seconds,) = in_turn(partial(client.get, address), rounds=PAGE_ROUNDS)
        found[name] = {"seconds": seconds, "queries": len(asked)}
    return found


def in_turn(*acts: Callable[[], object], rounds: int = QUESTIONS) -> list[float]:
    """The median seconds of each act, asked in turn; the first round is not counted."""
    taken: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for act, seconds in zip(acts, taken, strict=True):
            start = time.perf_counter()
            act()
            seconds.append(time.perf_counter() - start)
    return [median(seconds[1:]) for seconds in taken]


def _signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="benchmark"))
    return client


def _members_of_one_unit() -> tuple[Unit, list[str]]:
    """A patrol unit and the employee ids of 30 of its members of today, or of as many as it has."""
    unit = Unit.objects.filter(function="patrol").order_by("code")[0]
    here = Standing.objects.filter(unit=unit, requirement__code="refresher", end_on=None)
    ids = here.order_by("officer").values_list("officer__employee_id", flat=True)
    return unit, list(ids[:CLASS_SIZE])


def _share_of(unit: Unit) -> str:
    """`251 of 310`, as the page of the unit has to show it."""
    today = coverage.standings_on(timezone.localdate()).filter(requirement__code="refresher", unit=unit)
    (counts,) = coverage.counts(today, "none")
    return f"{counts.current} of {counts.counted}"


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def empty(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'TRUNCATE "{table}" CASCADE')


def _formatted(query: str) -> list[bytes]:
    """The rows of a query as COPY sends them, in blocks of the size that the product sends."""
    blocks: list[bytes] = []
    block = bytearray()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        for line in copy:
            block += line
            if len(block) > 256 * 1024:
                blocks.append(bytes(block))
                block.clear()
    return [*blocks, bytes(block)]


def _send(blocks: list[bytes], into: str) -> Mapping[str, Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for block in blocks:
                copy.write(block)
        return {"rows": cursor.rowcount}


def _read_facts(courses: list[int]) -> int:
    return sum(_read(query, {"courses": courses}) for query in FACTS)


def _read(query: str, values: Mapping[str, Any] | None = None) -> int:
    """How many rows a query has: each is read as a tuple and let go."""
    count = 0
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(READ_AT_A_TIME):
            count += len(rows)
    return count
