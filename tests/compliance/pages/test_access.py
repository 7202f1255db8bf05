"""Who may open what: every address with every role, and what the page shows of the other district.

A table lists every address of the product; one that is missing from it fails here. Amara Whitfield and everything in
the table belong to Central; Jonah Delacroix belongs to Eastern, and so does the commander called `elsewhere`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.test.utils import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from compliance import course_rules, rule_changes
from compliance.class_papers import making
from compliance.models import ImportRun, IssuedReport, Job, MassAct, Requirement
from compliance.requirements_toml import export_toml
from roster.facts import Change
from roster.file_types import PAPERS
from roster.files import keep, keeping
from roster.merging import merge
from roster.models import Access
from tests.compliance.pages.cast import Cast
from tests.compliance.taught import keep_paper
from tests.factories import (
    complete,
    extend,
    make_class,
    make_course,
    make_equivalency,
    make_instructor,
    make_lesson_plan,
    make_officer,
    make_place,
    make_seat,
    make_test,
    make_topic,
    teach,
    waive,
)
from tests.uploads import sent
from training.calendar import make_feed
from training.certificates import issue
from training.corrections import propose_void
from training.models import Certificate, ClassSession, CompletionFile, Enrollment

pytestmark = pytest.mark.django_db

READERS = frozenset({"academy", "commander", "elsewhere", "chief", "compliance", "auditor", "admin"})
OF_CENTRAL = READERS - {"elsewhere"}
EVERYBODY = READERS | {"officer"}
RECORDERS = frozenset({"academy", "admin"})
FILE_READERS = frozenset({"academy", "chief", "compliance", "auditor", "admin"})
GRANTERS = frozenset({"academy", "compliance", "admin"})
ACT_READERS = frozenset({"academy", "chief", "compliance", "auditor", "admin"})
DECIDERS = frozenset({"academy", "compliance", "admin"})
ADMINS = frozenset({"admin"})
REPORT_READERS = frozenset({"chief", "compliance", "auditor", "admin"})
ISSUERS = frozenset({"compliance", "admin"})
ANYBODY = EVERYBODY | {"anonymous"}
ROLES = sorted(ANYBODY)


@dataclass(frozen=True)
class Address:
    """Who may GET and who may POST; `shows` must be on the page of everybody who may."""

    get: frozenset[str] = frozenset()
    post: frozenset[str] = frozenset()
    args: tuple[str, ...] = ()
    shows: str = ""
    #: the page is about this deployment and names members of every district to those who may
    names_all: bool = field(default=False)


#: Names in angle brackets are filled in from the cast.
ADDRESSES: dict[str, Address] = {
    "sign-in": Address(ANYBODY, ANYBODY),
    "sign-out": Address(frozenset(), ANYBODY),
    "health": Address(ANYBODY),
    "home": Address(EVERYBODY),
    "my": Address(frozenset({"officer"})),
    "coverage": Address(READERS, shows="Requirement refresher"),
    "deadline-list": Address(READERS),
    "goal-list": Address(READERS),
    "unit-detail": Address(OF_CENTRAL, args=("CEN",), shows="Central District"),
    "officer-list": Address(READERS),
    "officer-detail": Address(OF_CENTRAL | {"officer"}, args=("002918",), shows="Amara Whitfield"),
    "requirement-list": Address(READERS, shows="Requirement refresher"),
    "requirement-detail": Address(READERS, args=("refresher",), shows="Requirement refresher"),
    "requirement-files": Address(READERS, shows='code = "refresher"'),
    "requirement-file": Address(READERS, args=("refresher",), shows='code = "refresher"'),
    "requirement-add": Address(ISSUERS, ISSUERS, shows="Add a requirement"),
    "requirement-load": Address(ISSUERS, ISSUERS, shows="Load requirements from a file"),
    "requirement-preview": Address(ADMINS, ADMINS, args=("<preview>",), shows="Odd, though it can be saved"),
    "edition-add": Address(ISSUERS, ISSUERS, args=("refresher",), shows="Requirement refresher: add an edition"),
    "edition-change": Address(
        ISSUERS, ISSUERS, args=("refresher", "2015-01-01"), shows="change the edition of 1 Jan 2015"
    ),
    "edition-withdraw": Address(frozenset(), ISSUERS, args=("refresher", "2015-01-01")),
    "course-list": Address(READERS, shows="CIT basic course"),
    "course-add": Address(GRANTERS, GRANTERS, shows="Add a course"),
    "course-detail": Address(READERS, args=("CIT-40",), shows="CIT basic course"),
    "course-change": Address(GRANTERS, GRANTERS, args=("CIT-40",), shows="Change CIT basic course"),
    "topic-list": Address(READERS, GRANTERS, shows="Topics"),
    "topic-change": Address(GRANTERS, GRANTERS, args=("<topic>",), shows="Change De-escalation"),
    "class-list": Address(READERS, shows="CIT-2026-03"),
    "class-plan": Address(RECORDERS, RECORDERS, shows="Plan a class"),
    "class-detail": Address(READERS, args=("CIT-2026-03",), shows="CIT-2026-03"),
    "class-blocks": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Change the blocks"),
    "class-change": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Save the class"),
    "class-move": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Move the class"),
    "class-times": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Real times of CIT-2026-03"),
    "class-seats": Address(READERS, RECORDERS, args=("CIT-2026-03",), shows="Seats in CIT-2026-03"),
    "class-enrol": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Enrol people"),
    "class-suggestions": Address(RECORDERS, args=("CIT-2026-03",), shows="Who needs it most"),
    "staffing-settings": Address(ADMINS, ADMINS, shows="Members that stay"),
    "class-cancel": Address(RECORDERS, RECORDERS, args=("CIT-2026-03",), shows="Cancel the class"),
    "calendar": Address(EVERYBODY, shows="Classes of"),
    "calendar-feed": Address(EVERYBODY, EVERYBODY, shows="Private address"),
    "calendar-file": Address(ANYBODY, args=("<token>",), shows="BEGIN:VCALENDAR"),
    "instructor-list": Address(FILE_READERS, shows="Ruth Osei"),
    "instructor-add": Address(RECORDERS, RECORDERS, shows="Add an instructor"),
    "instructor-detail": Address(FILE_READERS, RECORDERS, args=("<instructor>",), shows="Ruth Osei"),
    "place-list": Address(FILE_READERS, shows="Academy, room 2"),
    "place-add": Address(RECORDERS, RECORDERS, shows="Add a place"),
    "place-detail": Address(FILE_READERS, RECORDERS, args=("<place>",), shows="Academy, room 2"),
    "class-attendance": Address(FILE_READERS, RECORDERS, args=("CIT-2026-03",), shows="Whitfield, Amara"),
    "class-tests": Address(FILE_READERS, RECORDERS, args=("CIT-2026-03",), shows="Whitfield, Amara"),
    "class-finish": Address(FILE_READERS, RECORDERS, args=("CIT-2026-03",), shows="Whitfield, Amara"),
    "class-reopen": Address(RECORDERS, RECORDERS, args=("CIT-2025-11",), shows="Reopen the class"),
    "class-papers": Address(FILE_READERS, RECORDERS, args=("CIT-2026-03",), shows="Missing from the class file"),
    "class-withdraw": Address(frozenset(), RECORDERS, args=("CIT-2026-03", "<scan>")),
    "class-paper-made": Address(frozenset({"academy"}), args=("CIT-2026-03", "<made>"), shows="made for academy"),
    "class-certify": Address(frozenset(), RECORDERS, args=("CIT-2026-03",)),
    "class-sign-in": Address(FILE_READERS, args=("CIT-2026-03",), shows="%PDF"),
    "class-roster": Address(FILE_READERS, args=("CIT-2026-03",), shows="%PDF"),
    "class-certificates": Address(FILE_READERS, args=("CIT-2026-03",), shows="%PDF"),
    "class-file": Address(FILE_READERS, args=("CIT-2026-03",), shows="%PDF"),
    "class-archive": Address(FILE_READERS, args=("CIT-2026-03",), shows="manifest.json"),
    "certificate-file": Address(OF_CENTRAL | {"officer"}, args=("PD-2026-0001",), shows="%PDF"),
    "certificate-check": Address(ANYBODY, shows="Check a certificate"),
    "certificate-verify": Address(ANYBODY, args=("<certificate>",), shows="CIT basic course"),
    "completion-list": Address(READERS, shows="CIT basic course"),
    "completion-log": Address(RECORDERS, RECORDERS, shows="Log completions"),
    "completion-detail": Address(OF_CENTRAL, args=("<entry>",), shows="Amara Whitfield"),
    "completion-evidence": Address(frozenset(), DECIDERS, args=("<entry>",)),
    "completion-certify": Address(frozenset(), RECORDERS, args=("<entry>",)),
    "completion-void": Address(RECORDERS, RECORDERS, args=("<entry>",), shows="Amara Whitfield"),
    "completion-correct": Address(RECORDERS, RECORDERS, args=("<entry>",), shows="Amara Whitfield"),
    "completion-files": Address(frozenset(), RECORDERS, args=("<entry>",)),
    "completion-pending": Address(DECIDERS, DECIDERS, shows="Pending evidence"),
    "duplicate-list": Address(DECIDERS, shows="Completions that look like one"),
    "duplicate-keep": Address(frozenset(), DECIDERS),
    "correction-list": Address(RECORDERS, shows="Whitfield, Amara"),
    "correction": Address(RECORDERS, RECORDERS, args=("<correction>",), shows="Amara Whitfield"),
    "my-report": Address(frozenset({"officer"}), frozenset({"officer"}), shows="Report a course you took"),
    "officer-hire": Address(RECORDERS, RECORDERS, shows="Hire a member"),
    "officer-transfer": Address(RECORDERS, RECORDERS, args=("002918",), shows="Transfer Amara Whitfield"),
    "officer-leave": Address(RECORDERS, RECORDERS, args=("002918",), shows="Leave of Amara Whitfield"),
    "officer-separate": Address(RECORDERS, RECORDERS, args=("002918",), shows="Separate Amara Whitfield"),
    "officer-history": Address(OF_CENTRAL, args=("002918",), shows="History of Amara Whitfield"),
    "officer-merge": Address(
        RECORDERS, RECORDERS, args=("002918",), shows="Merge a second record into Amara Whitfield"
    ),
    "merge-list": Address(RECORDERS, shows="Merges"),
    "merge-undo": Address(RECORDERS, RECORDERS, args=("<merge>",), shows="a record of its own again"),
    "officer-waive": Address(GRANTERS, GRANTERS, args=("002918",), shows="Waive a requirement for Amara Whitfield"),
    "officer-extend": Address(GRANTERS, GRANTERS, args=("002918",), shows="Extend a date of Amara Whitfield"),
    "officer-designate": Address(GRANTERS, GRANTERS, args=("002918",), shows="Designations of Amara Whitfield"),
    "officer-explain": Address(GRANTERS, GRANTERS, args=("002918",), shows="Explain a late item of Amara Whitfield"),
    "waiver-list": Address(READERS, shows="Waivers"),
    "waiver-void": Address(GRANTERS, GRANTERS, args=("<waiver>",), shows="Amara Whitfield"),
    "extension-list": Address(READERS, shows="Extensions"),
    "extension-void": Address(GRANTERS, GRANTERS, args=("<extension>",), shows="Amara Whitfield"),
    "mass-list": Address(ACT_READERS, shows="Mass extensions and waivers"),
    "mass-new": Address(GRANTERS, GRANTERS, shows="Grant to many"),
    "mass-detail": Address(ACT_READERS, args=("<act>",), shows="Mass extension until 30 Jun 2022"),
    "mass-record": Address(frozenset(), GRANTERS, args=("<act>",)),
    "mass-again": Address(frozenset(), GRANTERS, args=("<act>",)),
    "mass-discard": Address(frozenset(), GRANTERS, args=("<act>",)),
    "mass-end": Address(GRANTERS, GRANTERS, args=("<ended>",), shows="End the mass extension"),
    "equivalency-list": Address(READERS, shows="Equivalencies"),
    "equivalency-add": Address(GRANTERS, GRANTERS, shows="Add an equivalency"),
    "equivalency-end": Address(GRANTERS, GRANTERS, args=("<equivalency>",), shows="CIT refresher counts as"),
    "lesson-plan-list": Address(READERS, shows="Lesson plans"),
    "lesson-plan-add": Address(GRANTERS, GRANTERS, shows="Add a lesson plan"),
    "lesson-plan-detail": Address(READERS, GRANTERS, args=("<plan>",), shows="Lesson plan v2019"),
    "lesson-plan-end": Address(GRANTERS, GRANTERS, args=("<plan>",), shows="lesson plan v2019"),
    "course-rule": Address(
        frozenset({"academy", "admin"}), frozenset({"academy", "admin"}), args=("<look>",), shows="What changes"
    ),
    "trail-list": Address(frozenset({"compliance", "auditor", "admin"}), shows="Trail", names_all=True),
    "import-list": Address(RECORDERS, RECORDERS, shows="whitfield.csv"),
    "import-detail": Address(RECORDERS, args=("<run>",), shows="Import: whitfield.csv"),
    "import-columns": Address(RECORDERS, RECORDERS, args=("<run>",), shows="whitfield.csv"),
    "import-errors": Address(RECORDERS, args=("<run>",), shows="009999"),
    "import-plan": Address(frozenset(), RECORDERS, args=("<run>",)),
    "import-titles": Address(RECORDERS, RECORDERS, args=("<run>",), shows="whitfield.csv"),
    "title-list": Address(RECORDERS, shows="CRISIS MODULE 4"),
    "title-change": Address(RECORDERS, RECORDERS, args=("<title>",), shows="CRISIS MODULE 4"),
    "import-members": Address(RECORDERS, RECORDERS, args=("<run>",), shows="whitfield.csv"),
    "import-members-forget": Address(frozenset(), RECORDERS, args=("<run>",)),
    "import-also": Address(frozenset(), RECORDERS, args=("<run>",)),
    "import-undo": Address(RECORDERS, RECORDERS, args=("<loaded>",), shows="whitfield.csv"),
    "import-record": Address(frozenset(), RECORDERS, args=("<run>",)),
    "import-discard": Address(frozenset(), RECORDERS, args=("<run>",)),
    "job-detail": Address(RECORDERS, args=("<job>",), shows="Plan an import"),
    "report-list": Address(REPORT_READERS, ISSUERS, shows="AR-2026-0001"),
    "report-detail": Address(REPORT_READERS, args=("AR-2026-0001",), shows="AR-2026-0001: Requirement refresher"),
    "report-file": Address(REPORT_READERS, args=("AR-2026-0001", "AR-2026-0001-members.csv"), shows="002918"),
    "settings": Address(ADMINS, ADMINS, shows="Settings of Harbor City Police"),
    "file": Address(OF_CENTRAL | {"officer"}, args=("<file>",), shows="%PDF"),
    "user-list": Address(ADMINS, ADMINS, shows="elsewhere", names_all=True),
    "user-detail": Address(ADMINS, args=("<user>",), shows="Give a role"),
    "user-grant": Address(frozenset(), ADMINS, args=("<user>",)),
    "user-revoke": Address(frozenset(), ADMINS, args=("<user>", "<access>")),
    "user-active": Address(frozenset(), ADMINS, args=("<user>",)),
    "user-password": Address(frozenset(), ADMINS, args=("<user>",)),
    "password": Address(EVERYBODY, EVERYBODY, shows="Change your password"),
}

#: Who must never be named to whom, whatever the page.
UNSEEN = {
    "commander": ("Delacroix", "003377"),
    "elsewhere": ("Whitfield", "002918"),
    "officer": ("Delacroix", "003377"),
    "anonymous": ("Delacroix", "003377", "Whitfield", "002918"),
}


def names_in(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_in(pattern.url_patterns)
        else:
            yield str(pattern.name)


def issue_report(cast: Cast, media: Path) -> None:
    """A report with one file, as issuing leaves it."""
    content = b"employee_id,state\r\n002918,overdue\r\n"
    folder = media / "reports" / "AR-2026-0001"
    folder.mkdir(parents=True)
    (folder / "AR-2026-0001-members.csv").write_bytes(content)
    digest = sha256(content).hexdigest()
    IssuedReport.objects.create(
        number="AR-2026-0001",
        kind="accreditation",
        agency=cast.central.agency,
        requirement=Requirement.objects.get(code="refresher"),
        as_of=date(2026, 1, 31),
        known_at="2026-02-01T12:00Z",
        span_from=date(2025, 1, 1),
        span_to=date(2026, 1, 31),
        data_sha256=digest,
        totals={"current": 0, "in_grace": 0, "overdue": 1, "excused": 0, "ever": 0, "counted": 1, "percent": "0.0"},
        files=[{"name": "AR-2026-0001-members.csv", "sha256": digest, "size": len(content)}],
        issued_at="2026-02-01T12:00Z",
    )


def mass_extension(cast: Cast, state: str) -> MassAct:
    """A mass act with a line, as looking leaves it."""
    act = MassAct.objects.create(
        token=uuid4(),
        kind="extension",
        requirement=cast.requirement,
        on_day=date(2022, 5, 2),
        until_on=date(2022, 6, 30),
        approval="Memo 22-031",
        approver=cast.users["chief"],
        why="The academy was closed",
        state=state,
        counts={"granted": 1},
        digest="0" * 64,
        asked_by=cast.users["compliance"],
        change=Change.objects.latest("pk") if state == "recorded" else None,
    )
    act.lines.create(officer=cast.amara, unit=cast.central, verdict="granted", was="current", due_on=date(2022, 5, 3))
    return act


def certify(cast: Cast, session: ClassSession) -> Certificate:
    """PD-2026-0001 of Amara's entry course, and one of somebody from outside who passed the class."""
    seat = Enrollment.objects.create(
        session=session,
        outside_name="Petrov, Ivan",
        since=timezone.now(),
        outcome="passed",
        outcome_on=date(2026, 3, 2),
    )
    day = date(2026, 3, 2)
    first, _ = issue(session.agency, completions=[cast.entry], seats={seat: day}, issued_on=day, by=None)
    return first


@pytest.fixture
def world(cast: Cast, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the table's addresses are about."""
    complete(cast.jonah, cast.basic, date(2020, 1, 2))
    waive(cast.jonah, cast.requirement, date(2026, 1, 1), date(2026, 1, 31))
    extend(cast.jonah, cast.requirement, date(2024, 1, 31), date(2022, 1, 2))
    waiver = waive(cast.amara, cast.requirement, date(2026, 1, 1), date(2026, 1, 31))
    extension = extend(cast.amara, cast.requirement, date(2022, 6, 30), date(2022, 5, 2))
    academy = cast.users["academy"]
    job = Job.objects.create(kind="plan_import", requested_by=academy, state="done")
    (tmp_path / "imports").mkdir()
    (tmp_path / "imports" / "abc").write_text("employee_id,course,completed_on\n002918,CIT-40,2019-05-03\n")
    (tmp_path / "imports" / "abc.errors").write_text("employee_id,line\n009999,2\n")
    run = ImportRun.objects.create(
        agency=cast.central.agency,
        kind="completions",
        file_name="whitfield.csv",
        stored_as="imports/abc",
        state="planned",
        plan_digest="0" * 64,
        job=job,
        uploaded_by=academy,
    )
    title = make_course("MODULE-4", title="CRISIS MODULE 4", title_key="crisis module 4", is_from_title=True)
    loaded = ImportRun.objects.create(
        agency=cast.central.agency,
        kind="completions",
        file_name="whitfield.csv",
        stored_as="imports/abc",
        state="recorded",
        uploaded_by=academy,
    )
    equivalency = make_equivalency(cast.refresher, cast.basic, date(2024, 2, 29))
    plan = make_lesson_plan(cast.basic, "v2019", date(2019, 1, 1))
    topic = make_topic("De-escalation")
    merged, _ = merge(cast.amara, make_officer("000777", last_name="Amara-Second", unit=None), why="Twice", by=academy)
    place, instructor = make_place("Academy, room 2"), make_instructor("Ruth Osei")
    session = make_class("CIT-2026-03", cast.basic, place=place)
    teach(instructor, session.meetings.earliest("starts_at"))
    for member in (cast.amara, cast.jonah):
        make_seat(session, member)
    make_test(cast.basic)
    make_class("CIT-2025-11", cast.basic, state="finished")
    scan = keep_paper(session, "handout", in_folder=tmp_path)
    given = certify(cast, session)
    made = Job.objects.create(
        kind=making.KIND,
        requested_by=academy,
        state="done",
        arguments={"class": session.pk},
        result={"name": "class-file.pdf", "content_type": "application/pdf", "number": session.number},
    )
    (tmp_path / making.FOLDER).mkdir()
    (tmp_path / making.FOLDER / str(made.key)).write_text("made for academy")
    look = course_rules.start_preview(
        course_rules.DatedRule(equivalency), why="because", today=date(2026, 1, 31), by=academy
    )
    act, recorded = (mass_extension(cast, state) for state in ("looked", "recorded"))
    issue_report(cast, tmp_path)
    user = cast.users["chief"]
    document = export_toml(Requirement.objects.all()).replace('["CIT-40"]', "[]").replace('["CIT-REF-8"]', "[]")
    preview = rule_changes.start_preview(
        document, today=timezone.localdate(), by=cast.users["admin"], back="/requirements/load/"
    )
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        with keeping():
            paper = keep(sent(), agency=cast.central.agency, by=academy, kinds=PAPERS)
        CompletionFile.objects.create(completion=cast.entry, file=paper)
        yield {
            "<file>": str(paper.key),
            "<correction>": str(propose_void(cast.entry, why="Another member's", by=academy).pk),
            "<entry>": str(cast.entry.pk),
            "<waiver>": str(waiver.pk),
            "<extension>": str(extension.pk),
            "<equivalency>": str(equivalency.pk),
            "<plan>": str(plan.pk),
            "<topic>": str(topic.pk),
            "<merge>": str(merged.pk),
            "<token>": make_feed(academy).token,
            "<place>": str(place.pk),
            "<instructor>": str(instructor.pk),
            "<scan>": str(scan.pk),
            "<certificate>": given.token,
            "<made>": str(made.key),
            "<look>": str(look.key),
            "<act>": str(act.pk),
            "<ended>": str(recorded.pk),
            "<title>": str(title.pk),
            "<loaded>": str(loaded.pk),
            "<run>": str(run.pk),
            "<job>": str(job.key),
            "<user>": str(user.pk),
            "<preview>": str(preview.key),
            "<access>": str(Access.objects.get(user=user).pk),
        }


def url_of(name: str, world: dict[str, str]) -> str:
    return reverse(name, args=[world.get(part, part) for part in ADDRESSES[name].args])


def client_of(cast: Cast, role: str) -> Client:
    return Client() if role == "anonymous" else cast.client(role)


def text_of(response: Any) -> str:
    content = b"".join(response) if getattr(response, "streaming", False) else response.content
    return str(content.decode(errors="replace"))  # a PDF is no text, and says so in its first letters


def test_every_address_is_in_the_table() -> None:
    assert set(names_in(get_resolver().url_patterns)) == set(ADDRESSES)


@pytest.mark.parametrize("role", ROLES)
def test_get(cast: Cast, world: dict[str, str], role: str) -> None:
    wrong: list[tuple[str, int, str | None]] = []
    for name, address in ADDRESSES.items():
        client = client_of(cast, role)
        response = client.get(url_of(name, world))
        text = text_of(response)
        if role in address.get:
            # Somebody signed in is sent on from the sign-in page, and an officer from home to their own record.
            expected = (200, 302) if name in ("sign-in", "home", "my") else (200,)
            if response.status_code not in expected or address.shows not in text:
                wrong.append((name, response.status_code, address.shows))
        elif role == "anonymous":
            if (response.status_code, response.get("Location", "")[:9]) not in ((302, "/sign-in/"), (405, "")):
                wrong.append((name, response.status_code, response.get("Location")))
        elif response.status_code not in (404, 405) or "Whitfield" in text:
            wrong.append((name, response.status_code, "should not be there"))
        if not address.names_all:
            wrong += [(name, 0, unseen) for unseen in UNSEEN.get(role, ()) if unseen in text]

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_get_by_who_may_only_post_records_nothing(cast: Cast, world: dict[str, str], role: str) -> None:
    changes = Change.objects.count()

    for name, address in ADDRESSES.items():
        if not address.get:
            assert client_of(cast, role).get(url_of(name, world)).status_code in (302, 404, 405)

    assert Change.objects.count() == changes


@pytest.mark.parametrize("role", ROLES)
def test_post_by_who_may_not_changes_nothing(cast: Cast, world: dict[str, str], role: str) -> None:
    def everything() -> tuple[Any, ...]:
        runs = list(ImportRun.objects.order_by("pk").values_list("state", flat=True))
        access = list(Access.objects.order_by("pk").values_list("user", "role"))
        return (Change.objects.count(), Job.objects.count(), runs, access, cast.users["chief"].is_active)

    before, wrong = everything(), []
    data = {"why": "because", "decision": "verified", "digest": "0" * 64, "is_active": "false", "role": "admin"}
    for name, address in ADDRESSES.items():
        if role in address.post:
            continue
        response = client_of(cast, role).post(url_of(name, world), data)
        is_sent_away = role == "anonymous" and response.get("Location", "").startswith("/sign-in/")
        if response.status_code not in (404, 405) and not is_sent_away:
            wrong.append((name, response.status_code))

    cast.users["chief"].refresh_from_db()
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_post_by_who_may_is_answered(cast: Cast, world: dict[str, str], role: str) -> None:
    wrong = []
    for name, address in ADDRESSES.items():
        if role in address.post:
            response = client_of(cast, role).post(url_of(name, world), {})
            if response.status_code not in (200, 302, 400):
                wrong.append((name, response.status_code))

    assert wrong == []


@pytest.mark.parametrize("role", sorted(ADMINS | RECORDERS | GRANTERS))
def test_post_needs_the_forms_token(cast: Cast, world: dict[str, str], role: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users[role])

    for name, address in ADDRESSES.items():
        if role in address.post and name != "sign-in":
            assert client.post(url_of(name, world), {}).status_code == 403, name


@pytest.mark.parametrize("role", ["commander", "elsewhere"])
def test_a_commander_opens_nobody_of_another_district(cast: Cast, role: str) -> None:
    other, unit = (cast.jonah, "EAS") if role == "commander" else (cast.amara, "CEN")
    client = cast.client(role)

    assert client.get(reverse("officer-detail", args=[other.employee_id])).status_code == 404
    assert client.get(reverse("unit-detail", args=[unit])).status_code == 404
    assert client.get(reverse("completion-list"), {"unit": unit}).status_code == 400
    assert other.last_name not in text_of(client.get(reverse("completion-list"), {"export": "csv"}))
    assert other.last_name not in text_of(client.get(reverse("completion-list"), {"voided": "yes"}))


def test_an_officer_opens_only_the_own_record(cast: Cast) -> None:
    client = cast.client("officer")

    assert client.get(reverse("officer-detail", args=["002918"])).status_code == 200
    assert client.get(reverse("officer-detail", args=["003377"])).status_code == 404


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_the_explained_timeline_is_for_those_who_may_open_the_page(cast: Cast, role: str) -> None:
    response = cast.client(role).get(reverse("officer-detail", args=["002918"]), {"export": "csv"})

    if role in ADDRESSES["officer-detail"].get:
        assert "CIT basic course on 3 May 2019 + 36 months = 3 May 2022." in text_of(response)
    else:
        assert response.status_code == 404


def test_who_tries_the_product_out_is_told_in_its_own_words_what_is_not_there(cast: Cast) -> None:
    address = reverse("officer-detail", args=["003377"])

    with override_settings(DEBUG=True):
        debugged = cast.client("commander").get(address)

    assert debugged.status_code == 404
    assert "There is nothing here" in debugged.content.decode()
    assert "urlpatterns" not in debugged.content.decode()
