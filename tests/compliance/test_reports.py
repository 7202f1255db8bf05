"""The accreditation report: what it says, that it says it again, and that what is issued stays as it is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from compliance import coverage, jobs, standings, tasks
from compliance.models import Edition, IssuedReport, Job, Population, Requirement
from compliance.reports import accreditation_files, issue, supersede
from compliance.reports.accreditation import Question, gather
from compliance.reports.paper import missing_letters
from roster.facts import Via, known_now, recording
from roster.models import Agency, Assignment, Employment, Officer, Unit
from roster.tree import UnitTree
from tests.factories import (
    complete,
    make_agency,
    make_course,
    make_officer,
    make_requirement,
    make_shift,
    make_unit,
    make_user,
    take_leave,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 1, 31)


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=str(tmp_path / "media")):
        yield tmp_path / "media"


class Patrol:
    """A bureau of two districts under one rule: CIT once, refreshed every 36 months, leave excused."""

    def __init__(self) -> None:
        self.agency: Agency = make_agency()
        self.bureau: Unit = make_unit("PB", name="Patrol Bureau", function="patrol")
        self.central: Unit = make_unit("CEN", name="Central District", parent=self.bureau)
        self.eastern: Unit = make_unit("EAS", name="Eastern District", parent=self.bureau)
        self.basic = make_course("CIT-40", title="CIT basic course")
        self.refresher = make_course("CIT-REF-8", title="CIT refresher", hours=8, kind="refresher")
        self.days = make_shift()
        self.requirement: Requirement = make_requirement(
            "calea-refresher",
            entry=(self.basic,),
            refresher=(self.refresher,),
            population={"functions": ["patrol"]},
            leave="exclude",
            return_grace_days=60,
        )

    def member(self, employee_id: str, last_name: str, unit: Unit | None = None, **values: Any) -> Officer:
        place = unit or self.central
        return make_officer(employee_id, last_name=last_name, unit=place, shift=self.days, **values)

    def question(self, **values: Any) -> Question:
        asked = {
            "requirement": self.requirement,
            "agency": self.agency,
            "unit": None,
            "as_of": DAY,
            "span_from": date(2023, 2, 1),
            "span_to": DAY,
            **values,
        }
        asked.setdefault("known_at", known_now())
        return Question(**asked)

    def everybody(self) -> None:
        """One member for each line a report has."""
        current = self.member("001", "Arroyo", hired_on=date(2020, 1, 6))
        complete(current, self.basic, date(2020, 2, 3))
        complete(current, self.refresher, date(2023, 2, 2))
        overdue = self.member("002", "Bello", self.eastern, hired_on=date(2022, 3, 1))
        complete(overdue, self.basic, date(2022, 3, 17))
        late = self.member("003", "Castillo", hired_on=date(2021, 1, 4))
        complete(late, self.basic, date(2021, 1, 10))
        complete(late, self.refresher, date(2024, 6, 5))
        self.member("004", "Dorsey", hired_on=date(2025, 12, 1))
        excused = self.member("005", "Eriksen", self.eastern, hired_on=date(2023, 5, 1))
        complete(excused, self.basic, date(2023, 6, 1))
        take_leave(excused, date(2026, 1, 5))
        pending = self.member("006", "Fontaine", hired_on=date(2024, 9, 2))
        complete(pending, self.basic, date(2024, 9, 9))
        complete(pending, self.refresher, date(2026, 1, 12), evidence="pending")
        gone = make_officer("007", last_name="Garrity")
        with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
            recorder.record(
                Assignment(
                    officer=gone,
                    unit=self.central,
                    shift=self.days,
                    start_on=date(2016, 3, 4),
                    end_on=date(2023, 5, 31),
                )
            )


@pytest.fixture
def patrol() -> Patrol:
    return Patrol()


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["employee_id"] for row in rows]


# What it says


def test_totals_and_units_are_those_of_coverage(patrol: Patrol) -> None:
    patrol.everybody()

    data = gather(patrol.question())

    own = coverage.counts(coverage.standings_on(DAY, requirement_ids=[patrol.requirement.pk]))
    rolled = coverage.roll_up(own, UnitTree())
    assert data["totals"] == {
        "counted": 5,
        "current": 3,
        "in_grace": 1,
        "overdue": 1,
        "excused": 1,
        "percent": "60.0",
        "ever": 5,
    }
    assert [(row["unit"], row["depth"], row["counted"], row["current"]) for row in data["coverage"]] == [
        (unit.code, depth, rolled[unit.pk].counted, rolled[unit.pk].current)
        for unit, depth in ((patrol.bureau, 0), (patrol.central, 1), (patrol.eastern, 1))
    ]


def test_members_come_with_exceptions_first_and_what_they_rest_on(patrol: Patrol) -> None:
    patrol.everybody()

    members = gather(patrol.question())["members"]

    assert [(row["employee_id"], row["state"], row["due_on"]) for row in members] == [
        ("002", "overdue", "2025-03-17"),
        ("004", "in_grace", "2026-05-30"),
        ("005", "excused", None),
        ("001", "current", "2026-02-02"),
        ("003", "current", "2027-06-05"),
        ("006", "current", "2027-09-09"),
    ]
    assert members[0] == {
        "employee_id": "002",
        "name": "Bello, Amara",
        "unit": "EAS",
        "unit_name": "Eastern District",
        "shift": "days",
        "rank": None,
        "state": "overdue",
        "due_on": "2025-03-17",
        "since": "2025-03-18",
        "days_overdue": 320,
        "last_credit": {"on": "2022-03-17", "course": "CIT-40", "title": "CIT basic course"},
        "credits_in_span": [],
        "evidence_pending": [],
        "because": "Overdue since 18 Mar 2025: CIT basic course on 17 Mar 2022 carried through 17 Mar 2025"
        " (CALEA 41.2.7).",
        "late_days_in_span": 320,
        "explained": [],
    }
    assert members[2]["last_credit"]["on"] == "2023-06-01"
    assert members[3]["credits_in_span"] == [{"on": "2023-02-02", "course": "CIT-REF-8", "title": "CIT refresher"}]
    assert members[5]["evidence_pending"] == [{"on": "2026-01-12", "course": "CIT-REF-8", "title": "CIT refresher"}]


def test_a_short_recertification_outside_its_days_is_no_credit(patrol: Patrol) -> None:
    short = make_course("CIT-RE-2", title="Short renewal", hours=2, kind="refresher")
    rules: dict[str, Any] = {"clock": "certificate", "recert_before_days": 60, "recert_after_days": 90}
    requirement = make_requirement("certified", entry=(patrol.basic,), recert=(short,), **rules)
    member = patrol.member("001", "Arroyo", hired_on=date(2020, 1, 6))
    complete(member, patrol.basic, date(2023, 6, 1))
    complete(member, short, date(2024, 6, 3))

    (row,) = gather(patrol.question(requirement=requirement))["members"]

    assert row["due_on"] == "2026-06-01"
    assert row["last_credit"]["on"] == "2023-06-01"
    assert [credit["on"] for credit in row["credits_in_span"]] == ["2023-06-01"]


def test_late_within_the_span_is_listed_with_days_and_how_it_ended(patrol: Patrol) -> None:
    patrol.everybody()

    exceptions = gather(patrol.question())["exceptions"]

    assert exceptions["overdue"] == ["002"]
    assert [
        (row["employee_id"], row["from"], row["to"], row["days"], row["ended"]) for row in exceptions["overdue_in_span"]
    ] == [
        ("007", "2016-09-01", "2023-05-31", 120, "Left the population."),
        ("003", "2024-01-11", "2024-06-04", 146, "CIT refresher on 5 Jun 2024."),
    ]
    assert exceptions["in_grace"] == ["004"]
    assert exceptions["evidence_pending"] == ["006"]


@pytest.mark.parametrize(
    ("span_from", "span_to", "days"),
    [
        pytest.param(date(2024, 6, 4), DAY, 1, id="span-begins-on-the-last-late-day"),
        pytest.param(date(2024, 6, 5), DAY, None, id="span-begins-on-the-day-of-the-credit"),
        pytest.param(date(2023, 2, 1), date(2024, 1, 11), 1, id="span-ends-on-the-first-late-day"),
        pytest.param(date(2023, 2, 1), date(2024, 1, 10), None, id="span-ends-on-the-due-date"),
    ],
)
def test_span_includes_its_first_and_last_day(patrol: Patrol, span_from: date, span_to: date, days: int | None) -> None:
    late = patrol.member("003", "Castillo")
    complete(late, patrol.basic, date(2021, 1, 10))
    complete(late, patrol.refresher, date(2024, 6, 5))

    found = gather(patrol.question(span_from=span_from, span_to=span_to))["exceptions"]["overdue_in_span"]

    assert [row["days"] for row in found] == ([] if days is None else [days])


def test_what_happens_after_the_day_is_no_business_of_the_report(patrol: Patrol) -> None:
    overdue = patrol.member("002", "Bello")
    complete(overdue, patrol.basic, date(2022, 3, 17))
    complete(overdue, patrol.refresher, DAY + timedelta(days=9))

    data = gather(patrol.question())

    assert data["exceptions"]["overdue"] == ["002"]
    assert data["exceptions"]["overdue_in_span"] == []
    assert data["members"][0]["last_credit"]["on"] == "2022-03-17"


def test_a_unit_report_counts_its_own_days_of_a_member_who_moved(patrol: Patrol) -> None:
    moved = make_officer("010", last_name="Ito")
    with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
        recorder.record(
            Assignment(officer=moved, unit=patrol.eastern, start_on=date(2016, 3, 4), end_on=date(2024, 1, 20))
        )
        recorder.record(Assignment(officer=moved, unit=patrol.central, start_on=date(2024, 1, 21)))
    complete(moved, patrol.basic, date(2021, 1, 10))

    eastern = gather(patrol.question(unit=patrol.eastern))
    central = gather(patrol.question(unit=patrol.central))

    assert eastern["members"] == []
    assert eastern["totals"]["percent"] == "n/a"
    assert "Nobody was in the population on the day reported: coverage is n/a, never 100 %." in eastern["notes"]
    assert [
        (row["from"], row["to"], row["days"], row["ended"]) for row in eastern["exceptions"]["overdue_in_span"]
    ] == [("2024-01-11", "2024-01-20", 10, "Moved to a unit outside this report, still overdue.")]
    assert central["exceptions"]["overdue"] == ["010"]
    assert [row["unit"] for row in central["coverage"]] == ["CEN"]


def test_coverage_through_the_span_shows_each_year(patrol: Patrol) -> None:
    patrol.everybody()

    through = gather(patrol.question())["through_the_span"]

    assert [(row["day"], row["current"], row["counted"]) for row in through] == [
        ("2023-02-01", 3, 4),
        ("2023-12-31", 4, 4),
        ("2024-12-31", 5, 5),
        ("2025-12-31", 4, 6),
        ("2026-01-31", 3, 5),
    ]


def test_editions_of_the_span_are_restated_and_a_gap_is_told(patrol: Patrol) -> None:
    patrol.requirement.editions.update(effective_from=date(2024, 3, 1), effective_to=None)
    first = patrol.requirement.editions.get()
    second = Edition.objects.create(
        requirement=patrol.requirement,
        population=Population.objects.create(code="everybody", title="Everybody sworn", categories=["sworn"]),
        effective_from=date(2025, 7, 1),
        clock="rolling",
        months=24,
    )
    second.entry_courses.set([patrol.basic])

    data = gather(patrol.question())

    assert [(row["from"], row["to"], row["on_the_day"]) for row in data["editions"]] == [
        ("2024-03-01", "2025-06-30", False),
        ("2025-07-01", None, True),
    ]
    assert data["editions"][0]["population"]["functions"] == ["patrol"]
    assert data["editions"][0]["parameters"]["refresher_courses"] == ["CIT-REF-8"]
    assert data["editions"][1]["parameters"]["months"] == 24
    assert "No edition of this requirement was in force before 1 Mar 2024: nobody owed it then." in data["notes"]
    assert accreditation_files.population_of(data) == "Everybody sworn"
    assert accreditation_files.edition_of(data) == "from 1 Jul 2025"
    assert set(issue.issue(patrol.question(), by=None).editions.all()) == {first, second}


def test_a_day_after_known_at_is_told(patrol: Patrol) -> None:
    tomorrow = datetime.now(tz=UTC).date() + timedelta(days=2)

    notes = gather(patrol.question(as_of=tomorrow, span_to=tomorrow))["notes"]

    assert notes[0].startswith("The day reported lies after the moment of known at")


def test_members_of_other_agencies_are_not_in_it(patrol: Patrol) -> None:
    elsewhere = make_agency("sheriff", "Harbor County Sheriff")
    unit = make_unit("CEN", agency=elsewhere, function="patrol")
    make_officer("001", unit=unit, last_name="Other")
    patrol.member("001", "Arroyo")

    assert [row["name"] for row in gather(patrol.question())["members"]] == ["Arroyo, Amara"]


# That it says it again


def test_same_question_and_known_at_give_the_same_data_whatever_is_recorded_later(patrol: Patrol) -> None:
    patrol.everybody()
    question = patrol.question()
    before = issue.canonical(gather(question))

    later = patrol.member("099", "Zeller")
    complete(later, patrol.basic, date(2025, 5, 5))
    complete(Officer.objects.get(employee_id="002"), patrol.refresher, date(2025, 2, 2))
    with recording(by=None, via=Via.COMMAND, why="was not there") as recorder:
        recorder.void(list(Officer.objects.get(employee_id="003").completions.all()))
        recorder.void(list(Employment.objects.filter(officer__employee_id="006")))

    assert issue.canonical(gather(question)) == before
    assert issue.canonical(gather(patrol.question())) != before


def test_gather_costs_the_same_queries_for_one_member_and_for_thirty(patrol: Patrol) -> None:
    complete(patrol.member("001", "Arroyo"), patrol.basic, date(2024, 1, 1))
    question = patrol.question()
    with CaptureQueriesContext(connection) as one:
        gather(question)
    for number in range(2, 31):
        complete(patrol.member(f"{number:03}", f"Member{number}"), patrol.basic, date(2024, 1, number % 28 + 1))
    question = patrol.question()

    with CaptureQueriesContext(connection) as thirty:
        gather(question)

    # 1 savepoint and its release, 11 rules, 1 units, 3 words, 1 changes since, 1 ids; per slice: 1 lines, 1 officers,
    # 8 facts, 2 explanations, 1 what was said of late ones; 5 editions with their courses
    assert len(one) == len(thirty) == 37


def test_known_at_never_lies_ahead() -> None:
    ahead = datetime.now(tz=UTC) + timedelta(days=1)

    assert issue.known_by(ahead) < ahead
    assert issue.known_by(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("as_of", "first"),
    [
        pytest.param(date(2026, 1, 31), date(2022, 2, 1), id="month-end"),
        pytest.param(date(2024, 2, 29), date(2020, 3, 1), id="leap-day"),
        pytest.param(date(1, 1, 1), date(1, 1, 1), id="first-day-there-is"),
    ],
)
def test_default_span_is_four_years(as_of: date, first: date) -> None:
    assert issue.default_span(as_of) == (first, as_of)


# What is kept


def test_manifest_and_row_hold_the_hash_of_every_file(patrol: Patrol, media: Path) -> None:
    patrol.everybody()
    user = make_user("compliance")

    report = issue.issue(patrol.question(), by=user)

    folder = media / "reports" / report.number
    manifest = json.loads((folder / "manifest.json").read_text())
    n = report.number
    assert sorted(path.name for path in folder.iterdir()) == sorted(entry["name"] for entry in report.files)
    assert [entry["name"] for entry in manifest["files"]] == [
        f"{n}.pdf",
        f"{n}.xlsx",
        f"{n}-coverage.csv",
        f"{n}-exceptions.csv",
        f"{n}-members.csv",
        f"{n}.json",
    ]
    for entry in report.files:
        content = (folder / entry["name"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (entry["sha256"], entry["size"])
    assert manifest["files"] == report.files[:-1]
    assert manifest["data_sha256"] == report.data_sha256
    assert manifest["known_at"] == json.loads((folder / f"{n}.json").read_text())["known_at"]
    assert report.issued_by == user
    assert report.totals["percent"] == "60.0"


def test_the_hash_is_of_the_canonical_data_and_does_not_stand_in_it(patrol: Patrol, media: Path) -> None:
    patrol.everybody()

    report = issue.issue(patrol.question(), by=None)

    content = (media / "reports" / report.number / f"{report.number}.json").read_bytes()
    data = json.loads(content)
    assert hashlib.sha256(content).hexdigest() == report.data_sha256
    assert report.data_sha256.encode() not in content
    assert issue.canonical(data) == content
    assert data["number"] == report.number


def test_files_can_be_read_by_the_program_alone(patrol: Patrol, media: Path) -> None:
    report = issue.issue(patrol.question(), by=None)

    folder = media / "reports" / report.number
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_an_issued_report_cannot_be_changed_or_deleted(patrol: Patrol) -> None:
    report = issue.issue(patrol.question(), by=None)

    with pytest.raises(DatabaseError), transaction.atomic():
        IssuedReport.objects.filter(pk=report.pk).update(number="AR-1999-0001")
    with pytest.raises(DatabaseError), transaction.atomic():
        report.delete()


def test_numbers_follow_one_another_and_skip_files_that_have_no_row(patrol: Patrol, media: Path) -> None:
    first = issue.issue(patrol.question(), by=None)
    left_over = media / "reports" / f"{first.number[:-4]}0002"
    left_over.mkdir()
    (left_over / "kept").write_text("of a crash")

    second = issue.issue(patrol.question(), by=None)

    year = first.issued_at.astimezone(timezone.get_default_timezone()).year
    assert (first.number, second.number) == (f"AR-{year}-0001", f"AR-{year}-0003")
    assert (left_over / "kept").read_text() == "of a crash"


def test_a_crash_half_way_leaves_nothing(patrol: Patrol, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(accreditation_files, "xlsx", broken)
        with pytest.raises(OSError, match="disk full"):
            issue.issue(patrol.question(), by=None)

    assert list((media / "reports").iterdir()) == []
    assert not IssuedReport.objects.exists()
    assert issue.issue(patrol.question(), by=None).number.endswith("-0001")


def test_a_changed_or_lost_file_is_not_handed_out(patrol: Patrol, media: Path) -> None:
    report = issue.issue(patrol.question(), by=None)
    folder = media / "reports" / report.number
    with (folder / f"{report.number}.json").open("ab") as file:
        file.write(b" ")
    (folder / f"{report.number}.pdf").unlink()

    with pytest.raises(issue.Altered, match=r"\.json is not the file that was issued: its SHA-256 differs\."):
        issue.open_file(report, f"{report.number}.json")
    with pytest.raises(issue.Altered, match=r"\.pdf is not where it was kept\."):
        issue.open_file(report, f"{report.number}.pdf")
    with pytest.raises(KeyError):
        issue.open_file(report, "../../secret")
    with issue.open_file(report, "manifest.json") as file:
        assert file.read(1) == b"{"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_two_numbers(patrol: Patrol) -> None:
    question = patrol.question()
    numbers: list[str] = []

    def make() -> None:
        numbers.append(issue.issue(question, by=None).number)
        connection.close()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(number[-4:] for number in numbers) == ["0001", "0002"]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_runs_again_issues_once(patrol: Patrol) -> None:
    user = make_user("compliance")
    job = issue.start(patrol.question(), token="a", by=user)
    again = issue.start(patrol.question(), token="a", by=user)
    other = issue.start(patrol.question(as_of=date(2026, 1, 30), span_to=date(2026, 1, 30)), token="a", by=user)

    jobs.run(str(job.key), tasks.HANDLERS)
    Job.objects.filter(pk=job.pk).update(state="waiting")
    jobs.run(str(job.key), tasks.HANDLERS)

    assert (again.pk, other.pk != job.pk) == (job.pk, True)
    job.refresh_from_db()
    report = IssuedReport.objects.get()
    assert (job.state, job.result, report.job) == ("done", {"number": report.number}, job)
    assert report.known_at == datetime.fromisoformat(job.arguments["known_at"])


# One in the place of another


def line_of(report: IssuedReport, employee_id: str) -> dict[str, Any] | None:
    """What the report says changed of a member."""
    found = [row for row in issue.data_of(report)["changes"] if row["employee_id"] == employee_id]
    return found[0] if found else None


def test_the_same_question_known_later_supersedes_and_lists_what_changed_and_why(patrol: Patrol, media: Path) -> None:
    patrol.everybody()
    first = issue.issue(patrol.question(), by=None)
    handed_out = {path.name: path.read_bytes() for path in (media / "reports" / first.number).iterdir()}
    user = make_user("academy", "garcia")
    (taken,) = Officer.objects.get(employee_id="001").completions.filter(course=patrol.refresher)
    with recording(by=user, via=Via.PAGE, why="Not on the sign-in sheet") as recorder:
        recorder.void([taken])
    complete(Officer.objects.get(employee_id="003"), make_course("FA-QUAL", kind="in_service"), date(2026, 1, 5))

    second = issue.issue(patrol.question(), by=None)

    first.refresh_from_db()
    assert (second.supersedes, second.report_edition, first.superseded_by) == (first, 2, second)
    assert (first.supersedes, first.report_edition) == (None, 1)
    assert {path.name: path.read_bytes() for path in (media / "reports" / first.number).iterdir()} == handed_out
    data = issue.data_of(second)
    assert [row["employee_id"] for row in data["changes"]] == ["001"]
    change = data["changes"][0]["changes"].pop()
    assert data["changes"][0] == {
        "employee_id": "001",
        "name": "Arroyo, Amara",
        "before": {"state": "current", "due_on": "2026-02-02", "unit": "CEN", "late_days_in_span": 0},
        "after": {"state": "overdue", "due_on": "2023-02-03", "unit": "CEN", "late_days_in_span": 1093},
        "changes": [],
    }
    assert change.pop("at") is not None
    assert change == {
        "by": "garcia",
        "via": "page",
        "why": "Not on the sign-in sheet",
        "recorded": [],
        "voided": ["CIT refresher on 2 Feb 2023"],
    }
    assert data["supersedes"]["number"] == first.number
    assert data["supersedes"]["data_sha256"] == first.data_sha256
    manifest = json.loads((media / "reports" / second.number / "manifest.json").read_text())
    assert (manifest["report_edition"], manifest["supersedes"]) == (2, first.number)


def test_what_changed_stands_in_every_file_handed_out(patrol: Patrol) -> None:
    patrol.everybody()
    first = issue.issue(patrol.question(), by=None)
    complete(Officer.objects.get(employee_id="002"), patrol.refresher, date(2025, 3, 1))

    second = issue.issue(patrol.question(), by=None)

    was, now = "overdue, due 2025-03-17, EAS, 320 days late in the span", "current, due 2028-03-01, EAS"
    what = "Recorded: CIT refresher on 1 Mar 2025."
    (row,) = csv.DictReader(io.StringIO(kept(second, "-changes.csv").decode("utf-8-sig")))
    assert [row[key] for key in ("employee_id", "before", "after", "what_changed", "by", "via", "why", "report")] == [
        *("002", was, now, what, "command", "command", "test data", second.number)
    ]
    book = openpyxl.load_workbook(io.BytesIO(kept(second, ".xlsx")))
    assert [value for value, *_ in book["Summary"].iter_rows(min_row=2, max_row=4, values_only=True)] == [
        *("Edition of the report", "Supersedes", "Members whose answer changed")
    ]
    assert [cell.value for cell in book["Changes"][2]][:5] == ["002", "Bello, Amara", was, now, what]
    text = squeezed("\n".join(page.extract_text() for page in pages(second).pages))
    assert f"edition 2: it supersedes {first.number}" in text
    assert f"{first.number} answered the same question" in text
    assert "3 of 5 current (60.0 %)" in text
    assert "Why: test data" in text


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"as_of": date(2026, 1, 30), "span_to": date(2026, 1, 30)}, id="another-day"),
        pytest.param({"span_from": date(2023, 2, 2)}, id="another-span"),
        pytest.param({"unit": "eastern"}, id="a-unit"),
    ],
)
def test_another_question_supersedes_nothing(patrol: Patrol, other: dict[str, Any]) -> None:
    issue.issue(patrol.question(), by=None)

    second = issue.issue(patrol.question(**({"unit": patrol.eastern} if "unit" in other else other)), by=None)

    assert (second.supersedes, second.report_edition) == (None, 1)
    assert not any(entry["name"].endswith("-changes.csv") for entry in second.files)


def test_a_report_known_no_later_is_a_copy_and_supersedes_nothing(patrol: Patrol) -> None:
    question = patrol.question()
    issue.issue(question, by=None)

    assert issue.issue(question, by=None).supersedes is None


def test_editions_follow_one_another(patrol: Patrol) -> None:
    reports = [issue.issue(patrol.question(), by=None) for _ in range(3)]

    assert [report.report_edition for report in reports] == [1, 2, 3]
    assert [report.supersedes for report in reports] == [None, *reports[:2]]
    assert issue.data_of(reports[2])["changes"] == []


def test_members_who_came_and_went_are_listed_and_so_is_one_changed_by_no_record(patrol: Patrol) -> None:
    changed = patrol.member("001", "Arroyo")
    complete(changed, patrol.basic, date(2025, 3, 3), score=70)
    gone = patrol.member("002", "Bello", hired_on=date(2025, 12, 1))
    issue.issue(patrol.question(), by=None)
    patrol.member("003", "Castillo", hired_on=date(2025, 12, 1))
    with recording(by=None, via=Via.COMMAND, why="Never hired") as recorder:
        recorder.void(gone.employments.all())
    patrol.basic.min_score = 75
    patrol.basic.save()
    standings.rebuild()

    second = issue.issue(patrol.question(), by=None)

    rows = list(supersede.change_rows(issue.data_of(second)))
    assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
        (
            "001",
            "current, due 2028-03-03, CEN, 761 days late in the span",
            "overdue, due 2016-08-31, CEN, 1,096 days late in the span",
            supersede.UNEXPLAINED,
        ),
        ("002", "in grace, due 2026-05-30, CEN", "not in the report", "Voided: employed as sworn from 1 Dec 2025."),
        (
            "003",
            "not in the report",
            "in grace, due 2026-05-30, CEN",
            "Recorded: employed as sworn from 1 Dec 2025; home assignment to Central District from 1 Dec 2025.",
        ),
    ]


def test_a_report_whose_data_is_lost_is_superseded_with_a_note(patrol: Patrol, media: Path) -> None:
    first = issue.issue(patrol.question(), by=None)
    (media / "reports" / first.number / f"{first.number}.json").unlink()

    second = issue.issue(patrol.question(), by=None)

    data = issue.data_of(second)
    assert (second.supersedes, data["changes"]) == (first, [])
    assert data["notes"][-1] == (
        f"{first.number} is not kept as it was issued, so what changed since then cannot be listed."
    )


# The pages to hand over


def kept(report: IssuedReport, ending: str) -> bytes:
    with issue.open_file(report, report.number + ending) as file:
        return file.read()


def pages(report: IssuedReport) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(kept(report, ".pdf")))


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_pdf_is_tagged_and_says_what_it_is(patrol: Patrol) -> None:
    patrol.everybody()

    reader = pages(issue.issue(patrol.question(), by=None))

    root: Any = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]["/Type"] == "/StructTreeRoot"
    assert root["/Lang"] == "en-US"
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert reader.metadata is not None
    assert str(reader.metadata.title).endswith("Requirement calea-refresher")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_every_page_says_as_of_known_at_population_edition_number_and_hash(patrol: Patrol) -> None:
    for number in range(60):
        patrol.member(f"{number:04}", f"Officer{number:02}")

    report = issue.issue(patrol.question(), by=None)

    reader = pages(report)
    local = report.known_at.astimezone(timezone.get_default_timezone())
    assert len(reader.pages) > 2
    for place, page in enumerate(reader.pages, start=1):
        text = squeezed(page.extract_text())
        assert "As of 31 Jan 2026" in text
        assert f"known at {local.day} {local:%b %Y %H:%M:%S %Z}" in text
        assert "Population: Patrol · edition from 1 Jan 2015" in text
        assert report.number in text
        assert f"SHA-256 of the data {report.data_sha256}" in text
        assert f"Page {place} of {len(reader.pages)}" in text


def test_pdf_has_words_for_states_and_exceptions_before_members(patrol: Patrol) -> None:
    patrol.everybody()

    text = squeezed("\n".join(page.extract_text() for page in pages(issue.issue(patrol.question(), by=None)).pages))

    assert "60.0 % 3 of 5 members current on 31 Jan 2026" in text
    assert text.index("Coverage by unit") < text.index("Overdue on 31 Jan 2026: 1") < text.index("Members Every member")
    assert "002 Bello, Amara Eastern District · days 17 Mar 2025 320 17 Mar 2022, CIT basic course" in text
    assert "003 Castillo, Amara Central District · days 11 Jan 2024 4 Jun 2024 146 CIT refresher on 5 Jun 2024." in text
    assert "▲ overdue" in text
    assert "✓ current" in text


def test_pdf_of_nobody_says_n_a(patrol: Patrol) -> None:
    text = squeezed("\n".join(page.extract_text() for page in pages(issue.issue(patrol.question(), by=None)).pages))

    assert "n/a nobody to count" in text
    assert "100.0 %" not in text
    assert "Nobody was overdue on this day." in text
    assert "Nobody was in the population on 31 Jan 2026." in text


def test_a_large_department_is_told_where_the_rest_is(patrol: Patrol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accreditation_files, "MOST_ON_PAPER", 4)
    for number in range(6):
        patrol.member(f"{number:04}", f"Officer{number:02}")

    report = issue.issue(patrol.question(), by=None)

    text = squeezed("\n".join(page.extract_text() for page in pages(report).pages))
    assert "Overdue on 31 Jan 2026: 6" in text
    assert f"2 more stand in the spreadsheet {report.number}.xlsx, sheet Exceptions." in text
    assert "The population has 6 members: too many for paper." in text
    assert "Officer05" not in text


def test_names_are_set_as_they_are_written(patrol: Patrol) -> None:
    patrol.member("001", '#panic("x") *b* $1$ \\')
    patrol.member("002", "王小明")
    patrol.member("003", "Ünal-Łoś")
    patrol.member("004", "Bell\x07")
    patrol.member("005", "Иванова")

    text = squeezed("\n".join(page.extract_text() for page in pages(issue.issue(patrol.question(), by=None)).pages))

    assert '#panic("x") *b* $1$ \\, Amara' in text
    assert "[U+738B][U+5C0F][U+660E],Amara" in text.replace(" ", "")
    assert "Ünal-Łoś, Amara" in text
    assert "Bell[U+0007], Amara" in text
    assert "Иванова, Amara" in text
    assert "printed by their code" in text


def test_only_letters_without_a_typeface_are_missing() -> None:
    assert missing_letters("Zoë Ďurica O’Neil – Иван 王 😀") == {"王", "😀"}


# The tables


def test_csv_is_a_clean_table_whose_rows_say_where_they_are_from(patrol: Patrol) -> None:
    patrol.everybody()
    patrol.member("=1+1", "@Home")

    report = issue.issue(patrol.question(), by=None)

    text = kept(report, "-members.csv").decode("utf-8-sig")
    rows = {row["employee_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == 7
    assert rows["'=1+1"]["name"] == "'@Home, Amara"
    assert {key: rows["002"][key] for key in ("state", "due_on", "last_credit_on", "days_overdue", "as_of")} == {
        "state": "overdue",
        "due_on": "2025-03-17",
        "last_credit_on": "2022-03-17",
        "days_overdue": "320",
        "as_of": "2026-01-31",
    }
    assert {(row["report"], row["data_sha256"]) for row in rows.values()} == {(report.number, report.data_sha256)}


def test_exceptions_table_goes_from_overdue_to_pending(patrol: Patrol) -> None:
    patrol.everybody()

    report = issue.issue(patrol.question(), by=None)

    text = kept(report, "-exceptions.csv").decode("utf-8-sig")
    found = [(row["exception"], row["employee_id"], row["days"]) for row in csv.DictReader(io.StringIO(text))]
    assert found == [
        ("overdue", "002", "320"),
        ("overdue within the span", "007", "120"),
        ("overdue within the span", "003", "146"),
        ("in grace", "004", ""),
        ("evidence pending", "006", ""),
    ]


def test_workbook_has_frozen_headers_real_dates_and_neutral_cells(patrol: Patrol) -> None:
    patrol.everybody()
    patrol.member("=1+1", "@Home")

    report = issue.issue(patrol.question(), by=None)

    book = openpyxl.load_workbook(io.BytesIO(kept(report, ".xlsx")))
    assert book.sheetnames == ["Summary", "Coverage", "Exceptions", "Members"]
    members = book["Members"]
    assert [members.cell(1, column).value for column in (1, 2, 7, 8)] == ["Employee id", "Name", "State", "Due on"]
    assert {sheet.freeze_panes for sheet in book.worksheets} == {"A2"}
    assert {sheet.print_title_rows for sheet in book.worksheets} == {"$1:$1"}
    by_id = {row[0]: row for row in members.iter_rows(min_row=2, values_only=True)}
    assert by_id["002"][7] == datetime(2025, 3, 17)  # noqa: DTZ001 - a day: workbooks know no time zone
    assert by_id["'=1+1"][1] == "'@Home, Amara"
    coverage_rows = list(book["Coverage"].iter_rows(values_only=True))
    assert coverage_rows[-1][1:] == ("All in this report", 0, 6, 3, 50, 1, 2, 1, 5)
    summary = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True)}
    assert (summary["Accreditation report"], summary["SHA-256 of the data"]) == (report.number, report.data_sha256)
    for sheet in book.worksheets:
        assert sheet.oddFooter is not None
        assert sheet.oddHeader is not None
        assert report.data_sha256 in str(sheet.oddFooter.left.text)
        assert sheet.oddHeader.right.text == report.number


# The command


def run(*arguments: str) -> tuple[dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("issue_report", *arguments, stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_command_hands_out_the_files_and_prints_what_they_are(patrol: Patrol, tmp_path: Path) -> None:
    patrol.everybody()
    common = (
        "accreditation",
        "--requirement",
        "calea-refresher",
        "--as-of",
        "2026-01-31",
        "--out",
        str(tmp_path / "out"),
    )

    first, said = run(*common)
    second, _ = run(*common, "--from", "2025-01-01", "--to", "2025-12-31", "--unit", "cen", "--known-at", "2026-01-31")

    report = IssuedReport.objects.get(number=first["number"])
    assert (first["from"], first["to"], first["unit"]) == ("2022-02-01", "2026-01-31", None)
    assert (second["from"], second["to"], second["unit"]) == ("2025-01-01", "2025-12-31", "CEN")
    assert second["known_at"].startswith("2026-01-31T23:59:59.999999")
    assert second["totals"]["counted"] == 0
    assert said == f"Issued {report.number}: 3 of 5 current (60.0 %); 7 files in {tmp_path / 'out'}.\n"
    for printed, folder in ((first, tmp_path / "out"), (second, tmp_path / "out" / second["number"])):
        for entry in printed["files"]:
            assert hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["transcript"], 'There is no report "transcript". Reports: accreditation.', id="kind"),
        pytest.param(["accreditation", "--as-of", "31.1.2026"], "--as-of: ", id="as-of"),
        pytest.param(["accreditation", "--known-at", "yesterday"], "--known-at: ", id="known-at"),
        pytest.param(["accreditation", "--from", "2026-02-30"], "--from: ", id="from"),
        pytest.param(["accreditation", "--to", "9999-01-01"], "--to: The span ends after the day reported.", id="to"),
        pytest.param(
            ["accreditation", "--from", "2026-01-02", "--to", "2026-01-01"],
            "--from: The span begins after it ends.",
            id="span",
        ),
        pytest.param(["accreditation", "--unit", "NOPE"], '--unit: there is no unit "NOPE".', id="unit"),
        pytest.param(["accreditation", "--agency", "NOPE"], '--agency: there is no agency "NOPE".', id="agency"),
        pytest.param(
            ["accreditation", "--requirement", "nope"],
            '--requirement: there is no requirement "nope".',
            id="requirement",
        ),
    ],
)
def test_command_refuses_bad_arguments_with_one_line(
    patrol: Patrol, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    common = ["--out", str(tmp_path / "out")]
    if "--requirement" not in arguments:
        common += ["--requirement", "calea-refresher"]

    with pytest.raises(CommandError) as refused:
        run(*arguments, *common)

    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 2
    assert not IssuedReport.objects.exists()


def test_command_asks_which_agency(patrol: Patrol, tmp_path: Path) -> None:
    make_agency("sheriff", "Harbor County Sheriff")
    common = (
        "accreditation",
        "--requirement",
        "calea-refresher",
        "--as-of",
        "2026-01-31",
        "--out",
        str(tmp_path / "o"),
    )

    with pytest.raises(CommandError, match="--agency: there are several: pd, sheriff"):
        run(*common)
    printed, _ = run(*common, "--agency", "SHERIFF")

    assert printed["agency"] == "sheriff"


def test_command_takes_the_only_requirement_and_asks_which_of_several(patrol: Patrol, tmp_path: Path) -> None:
    common = ("accreditation", "--as-of", "2026-01-31", "--out", str(tmp_path / "o"))

    printed, _ = run(*common)
    make_requirement("annual")
    with pytest.raises(CommandError) as refused:
        run(*common)

    assert printed["requirement"] == "calea-refresher"
    assert (str(refused.value), refused.value.returncode) == (
        "--requirement: there are several: annual, calea-refresher. A report is about one; say which.",
        2,
    )


def test_command_refuses_a_file_as_directory_before_it_issues(patrol: Patrol, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="is not a directory"):
        run("accreditation", "--requirement", "calea-refresher", "--out", str(tmp_path / "file"))

    assert not IssuedReport.objects.exists()
