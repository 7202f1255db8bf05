"""The trail: each act on a rule or a right leaves one line with who, when, which door and from what to what."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import requirements
from compliance.models import Extension
from compliance.requirements_file import Refused, read
from roster import rights, trail
from roster.facts import Via, changing_rules, recording
from roster.models import Access, TrailLine
from roster.trail import Act, What, note
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import extend, make_agency, make_course, make_officer, make_user, waive
from training.course_imports import map_title
from training.dated import save_dated
from training.models import Course, Equivalency, LessonPlan

pytestmark = pytest.mark.django_db

RULE = """
[[population]]
code = "sworn"
title = "Sworn"
categories = ["sworn"]

[[requirement]]
code = "annual"
title = "Annual hours"

[[requirement.edition]]
effective_from = 2025-01-01
population = "sworn"
entry_courses = ["CIT-40"]
clock = "rolling"
months = 36

[[goal]]
code = "most"
requirement = "annual"
target_percent = 80
"""


def lines(**wanted: Any) -> list[tuple[str, str, str, dict[str, str], dict[str, str]]]:
    found = TrailLine.objects.filter(**wanted).order_by("pk")
    return [(line.what, line.act, line.subject, line.before, line.after) for line in found]


def load(content: str) -> None:
    requirements.load(read(content.encode()), today=date(2026, 1, 1))


def test_a_rule_that_is_loaded_and_changed(cast: Cast) -> None:
    load(RULE)
    added = lines(act="added")
    load(RULE.replace("months = 36", "months = 24").replace("target_percent = 80", "target_percent = 90"))
    load(RULE.replace("months = 36", "months = 24").replace("target_percent = 80", "target_percent = 90"))

    assert [(what, subject) for what, _, subject, _, _ in added] == [
        ("population", "sworn"),
        ("requirement", "annual"),
        ("edition", "annual from 2025-01-01"),
        ("goal", "most"),
    ]
    edition = added[2][4]
    assert (edition["months"], edition["entry courses"], edition["population"]) == ("36", "CIT-40", "sworn")
    assert lines(act="changed") == [
        ("edition", "changed", "annual from 2025-01-01", {"months": "36"}, {"months": "24"}),
        ("goal", "changed", "most", {"target percent": "80"}, {"target percent": "90"}),
    ]


def test_a_course_that_an_edition_takes_on(cast: Cast) -> None:
    load(RULE)

    load(RULE.replace('["CIT-40"]', '["CIT-40", "CIT-REF-8"]'))

    assert lines(act="changed") == [
        (
            "edition",
            "changed",
            "annual from 2025-01-01",
            {"entry courses": "CIT-40"},
            {"entry courses": "CIT-40, CIT-REF-8"},
        )
    ]


def test_a_rule_that_is_refused_leaves_no_line(cast: Cast) -> None:
    with pytest.raises(Refused):
        load(RULE.replace('["CIT-40"]', '["NONE"]'))

    assert lines() == []


def test_a_waiver_that_is_granted_and_voided(cast: Cast) -> None:
    waiver = waive(cast.amara, cast.requirement, date(2024, 2, 29), date(2024, 12, 31))
    cast.client("compliance").post(reverse("waiver-void", args=[waiver.pk]), {"why": "Wrong member"})

    said = {"requirement": "refresher", "first day": "2024-02-29", "last day": "2024-12-31"}
    assert lines() == [
        ("waiver", "added", "Whitfield, Amara (002918), refresher", {}, said),
        ("waiver", "voided", "Whitfield, Amara (002918), refresher", said, {}),
    ]
    voided = TrailLine.objects.latest("pk")
    waiver.refresh_from_db()
    assert (voided.by, voided.via, voided.why) == (cast.users["compliance"], "page", "Wrong member")
    assert (voided.agency, voided.change) == (cast.central.agency, waiver.voided_in)


def test_a_grant_that_is_corrected_is_one_line(cast: Cast) -> None:
    extension = extend(cast.amara, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    with recording(by=None, via=Via.IMPORT, why="Import of extensions.csv") as recorder:
        recorder.void([extension])
        recorder.record(
            Extension(
                officer=cast.amara,
                requirement=cast.requirement,
                until_on=date(2022, 9, 30),
                approved_on=date(2022, 5, 3),
                approval="Memo 7",
                replaces=extension,
            )
        )

    assert lines()[1:] == [
        ("extension", "changed", "Whitfield, Amara (002918), refresher", {"approval reference": ""},
         {"approval reference": "Memo 7"}),
    ]  # fmt: skip


def test_grants_to_many_are_one_line_that_counts_them(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MOST_LINES", 2)
    officers = [make_officer(unit=cast.central) for _ in range(3)]
    columns = ("officer_id", "requirement_id", "start_on", "end_on", "approval")

    with recording(by=None, via=Via.COMMAND, why="flood") as recorder:
        rows = [(officer.pk, cast.requirement.pk, date(2026, 1, 1), date(2026, 1, 31), "O 7") for officer in officers]
        recorder.record_many(recorder_model(), columns, rows, [officer.pk for officer in officers])

    assert [(what, act, subject) for what, act, subject, _, _ in lines()] == [
        ("waiver", "added", "3 members, refresher")
    ]


def recorder_model() -> Any:
    from compliance.models import Waiver  # noqa: PLC0415 - what one test alone asks for

    return Waiver


def test_rights_that_are_given_and_taken(cast: Cast) -> None:
    client, user = cast.client("admin"), cast.users["chief"]

    client.post(reverse("user-grant", args=[user.pk]), {"role": "commander", "unit": cast.central.pk})
    row = Access.objects.get(user=user, role="commander")
    client.post(reverse("user-grant", args=[user.pk]), {"role": "commander", "unit": cast.central.pk})
    client.post(reverse("user-revoke", args=[user.pk, row.pk]))
    client.post(reverse("user-revoke", args=[user.pk, row.pk]))
    client.post(reverse("user-active", args=[user.pk]), {"is_active": "false"})
    client.post(reverse("user-active", args=[user.pk]), {"is_active": "false"})

    reach = {"role": "commander", "reaches": "Central District"}
    assert lines() == [
        ("role", "added", "chief", {}, reach),
        ("role", "removed", "chief", reach, {}),
        ("user", "changed", "chief", {"may sign in": "yes"}, {"may sign in": "no"}),
    ]
    assert set(TrailLine.objects.values_list("by__username", "via")) == {("admin", "page")}


def test_no_password_is_in_the_trail(cast: Cast) -> None:
    client, secret = cast.client("admin"), "a very secret horse"

    client.post(reverse("user-list"), {"username": "ruth", "password": secret})
    client.post(reverse("user-password", args=[cast.users["chief"].pk]), {"password": secret})

    assert lines() == [
        ("user", "added", "ruth", {}, {"may sign in": "yes"}),
        ("user", "changed", "chief", {"password": ""}, {"password": "a new temporary one"}),
    ]
    assert secret not in str(list(TrailLine.objects.values()))


def test_the_first_administrator(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import io  # noqa: PLC0415 - what this test alone asks for

    monkeypatch.setattr("sys.stdin", io.StringIO("a very secret horse\n"))

    call_command("add_administrator", "root", stderr=io.StringIO())

    assert [(what, act, subject) for what, act, subject, _, _ in lines(via="command")] == [
        ("user", "added", "root"),
        ("role", "added", "root"),
    ]


def test_titles_that_are_mapped(cast: Cast) -> None:
    made = make_course("OLD", title="Old title", title_key="old title", is_from_title=True)

    with changing_rules(by=cast.users["academy"], via=Via.PAGE, why="Titles of old.csv"):
        map_title("Old title", cast.basic, source="")
        map_title("Old title", cast.refresher, source="")

    made.refresh_from_db()
    assert made.same_as == cast.refresher
    assert lines() == [
        ("alias", "added", "Old title, any source", {}, {"course": "CIT-40"}),
        ("mapping", "changed", "Old title (OLD)", {"is": ""}, {"is": "CIT-40"}),
        ("alias", "changed", "Old title, any source", {"course": "CIT-40"}, {"course": "CIT-REF-8"}),
        ("mapping", "changed", "Old title (OLD)", {"is": "CIT-40"}, {"is": "CIT-REF-8"}),
    ]
    assert set(TrailLine.objects.values_list("by__username", "why")) == {("academy", "Titles of old.csv")}


def test_lesson_plans_and_equivalencies(cast: Cast) -> None:
    plan = LessonPlan(course=cast.basic, version="v2019", start_on=date(2019, 1, 1), end_on=date(2024, 2, 29))
    save_dated(plan)
    plan.end_on = date(2025, 12, 31)
    save_dated(plan)
    save_dated(Equivalency(course=cast.refresher, counts_as=cast.basic, start_on=date(2020, 1, 1)))

    assert [(what, act, subject, before) for what, act, subject, before, _ in lines()] == [
        ("lesson_plan", "added", "CIT-40 v2019", {}),
        ("lesson_plan", "changed", "CIT-40 v2019", {"last day": "2024-02-29"}),
        ("equivalency", "added", "CIT-REF-8 as CIT-40 from 2020-01-01", {}),
    ]


def test_what_is_rolled_back_leaves_no_line(cast: Cast) -> None:
    def map_and_fail() -> None:
        with changing_rules():
            map_title("Old title", Course.objects.get(code="CIT-40"), source="")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        map_and_fail()

    assert lines() == []


def test_a_line_is_neither_changed_nor_deleted(cast: Cast) -> None:
    note(What.GOAL, Act.ADDED, "most")

    for change in (TrailLine.objects.all().delete, lambda: TrailLine.objects.update(subject="other")):
        with pytest.raises(Error), transaction.atomic():
            change()
    assert [line[2] for line in lines()] == ["most"]


def test_the_page_tells_from_what_to_what(cast: Cast) -> None:
    load(RULE)
    load(RULE.replace("months = 36", "months = 24"))
    client = cast.client("auditor")

    rows = Shown(client.get(reverse("trail-list"), {"what": "edition"})).rows("Changes of rules, rights and settings")
    file = csv_rows(client.get(reverse("trail-list"), {"what": "edition", "export": "csv"}))

    assert rows[0][1:7] == ["–", "command", "edition", "annual from 2025-01-01", "changed", "months: 36 → 24"]
    assert len(rows) == 2
    assert file[0] == ["When", "Who", "Door", "What", "Of what", "Act", "From → to", "Why"]
    assert file[1][6] == "months: 36 → 24"


def test_the_page_is_filtered_by_its_address(cast: Cast) -> None:
    rights.set_active(cast.users["chief"], False, by=cast.users["admin"], via=Via.PAGE)
    note(What.GOAL, Act.ADDED, "most")
    client = cast.client("compliance")

    def subjects(**query: str) -> list[str]:
        return [row.record.subject for row in client.get(reverse("trail-list"), query).context["table"].rows]

    assert subjects() == ["most", "chief"]
    assert subjects(what="user") == ["chief"]
    assert subjects(who="admin") == ["chief"]
    assert subjects(q="mos") == ["most"]
    assert subjects(until="2020-02-29") == []
    assert subjects(since="2020-02-29", sort="at") == ["chief", "most"]
    assert client.get(reverse("trail-list"), {"since": "2023-02-29"}).status_code == 400
    assert client.get(reverse("trail-list"), {"what": "weather"}).status_code == 400


def test_an_agencys_compliance_reads_its_own_members_and_the_rules(cast: Cast) -> None:
    sheriff = make_agency("so", "Harbor County Sheriff")
    client = Client()
    client.force_login(make_user("compliance", "sheriff", agency=sheriff))
    waive(cast.amara, cast.requirement, date(2025, 1, 1), date(2025, 1, 31))
    waive(make_officer("77", agency=sheriff), cast.requirement, date(2025, 1, 1), date(2025, 1, 31))
    rights.set_active(cast.users["chief"], False, by=None, via=Via.PAGE)
    note(What.GOAL, Act.ADDED, "most")

    response = client.get(reverse("trail-list"))

    assert [row.record.what for row in response.context["table"].rows] == ["goal", "waiver"]
    assert "(002918)" not in response.content.decode()


@pytest.mark.parametrize("column", ["at", "by", "via", "what", "subject", "act", "why"])
def test_sorts_by_every_column(cast: Cast, column: str) -> None:
    note(What.GOAL, Act.ADDED, "most")

    for sort in (column, f"-{column}"):
        page = cast.client("admin").get(reverse("trail-list"), {"sort": sort})
        assert re.search("most", page.content.decode())


# Session, user, access, units; rows counted; rows.
def test_costs_the_same_for_one_and_for_thirty(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = cast.client("auditor")

    for number in (1, 30):
        for place in range(number):
            rights.set_active(cast.users["chief"], bool(place % 2), by=cast.users["admin"], via=Via.PAGE)
        with django_assert_num_queries(6):
            client.get(reverse("trail-list"))
