"""Mass extensions and waivers: looked at, recorded as one change, ended as one, safe to do again."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from compliance import mass
from compliance.models import Extension, Job, MassAct, Standing, Waiver
from compliance.standings import differences
from roster.models import Access, Officer
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows
from tests.factories import complete, extend, make_officer, waive
from tests.waiting_jobs import work

pytestmark = pytest.mark.django_db(transaction=True)

#: Amara's entry of 3 May 2019 carries to 3 May 2022; Jonah, hired in 2016 and untrained, is overdue since that year.
WANTED = {
    "kind": "extension",
    "requirement": "refresher",
    "on_day": "2022-05-03",
    "until_on": "2022-09-30",
    "why": "The academy was flooded",
    "approval": "Order 22-7",
}


def words(response: Any) -> str:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
    return text.replace("&#x27;", "'")


def ask(cast: Cast, role: str = "compliance", **values: Any) -> Any:
    data = {**WANTED, "token": uuid4(), "approver": cast.users["chief"].pk, **values}
    return cast.client(role).post(reverse("mass-new"), data)


def looked(cast: Cast, **values: Any) -> MassAct:
    """An act that was asked for and looked at."""
    assert ask(cast, **values).status_code == 302
    work()
    act = MassAct.objects.latest("pk")
    assert act.state == "looked"
    return act


def record(cast: Cast, act: MassAct, role: str = "compliance") -> Any:
    return cast.client(role).post(reverse("mass-record", args=[act.pk]), {"digest": act.digest}, follow=True)


@pytest.fixture
def eve(cast: Cast) -> Officer:
    """A third member, of Central, whose credit reaches to 2025."""
    eve = make_officer("004000", last_name="Eves", unit=cast.central)
    complete(eve, cast.basic, date(2022, 1, 10))
    return eve


def test_looking_names_who_is_granted_who_is_too_late_and_who_needs_none(cast: Cast, eve: Officer) -> None:
    act = looked(cast)

    page = Shown(cast.client("auditor").get(reverse("mass-detail", args=[act.pk])))

    assert page.rows("Members in the population on 3 May 2022") == [
        ["Delacroix, Jonah", "003377", "Eastern District", "▲ overdue", "31 Aug 2016", "–", "▲ too late"],
        ["Eves, Amara", "004000", "Central District", "✓ current", "10 Jan 2025", "–", "◌ needs none"],
        ["Whitfield, Amara", "002918", "Central District", "✓ current", "3 May 2022", "30 Sep 2022", "✓ granted"],
    ]
    assert "All 3 Granted 1 Too late 1 Needs none 1" in page.words
    assert Extension.objects.count() == 0


def test_recording_is_one_change_and_the_standings_follow(cast: Cast, eve: Officer) -> None:
    act = looked(cast)

    record(cast, act)
    work()

    act.refresh_from_db()
    extension = Extension.objects.get()
    assert (act.state, extension.officer, extension.recorded_in) == ("recorded", cast.amara, act.change)
    assert (extension.approver, extension.approval, extension.approved_on) == (
        cast.users["chief"], "Order 22-7", date(2022, 5, 3),
    )  # fmt: skip
    assert act.change is not None
    assert (act.change.by, act.change.why) == (cast.users["compliance"], "The academy was flooded")
    assert Standing.objects.filter(officer=cast.amara, due_on=date(2022, 9, 30), state="current").exists()
    assert differences() == {}
    listed = Shown(cast.client("chief").get(reverse("mass-list"))).rows("Mass extensions and waivers")
    assert listed[0][:5] == ["Extension", "Requirement refresher", "3 May 2022", "30 Sep 2022", "1"]
    assert listed[0][9] == "✓ recorded"


def test_a_form_sent_twice_asks_for_one_act(cast: Cast) -> None:
    token = uuid4()

    first, second = (ask(cast, token=token) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert (MassAct.objects.count(), Job.objects.count()) == (1, 1)


def test_recording_twice_records_once(cast: Cast) -> None:
    act = looked(cast)

    record(cast, act)
    again = record(cast, act)
    work()

    assert "This was asked for already." in words(again)
    assert Extension.objects.count() == 1


def test_a_job_done_again_changes_nothing(cast: Cast) -> None:
    act = looked(cast)
    record(cast, act)
    (job,) = work()
    Job.objects.filter(pk=job.pk).update(state="waiting", attempts=1)

    work()

    job.refresh_from_db()
    assert (job.state, Extension.objects.count()) == ("done", 1)


def test_what_changed_since_it_was_shown_is_looked_at_again(cast: Cast) -> None:
    act = looked(cast)
    complete(cast.amara, cast.refresher, date(2022, 2, 1))

    record(cast, act)
    (job,) = work()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", mass.CHANGED)
    work()

    act.refresh_from_db()
    assert (act.state, act.counts, Extension.objects.count()) == ("looked", {"needs_none": 1, "too_late": 1}, 0)
    assert mass.CHANGED in words(cast.client("compliance").get(reverse("mass-detail", args=[act.pk])))


def test_another_digest_than_the_one_shown_records_nothing(cast: Cast) -> None:
    act = looked(cast)

    response = cast.client("compliance").post(reverse("mass-record", args=[act.pk]), {"digest": "0" * 64}, follow=True)

    assert mass.CHANGED in words(response)
    assert Job.objects.filter(state="waiting").count() == 0


def test_ending_takes_back_what_still_stands_and_keeps_the_lines(cast: Cast) -> None:
    act = looked(cast, kind="waiver")
    record(cast, act)
    work()
    gone = Waiver.objects.get(officer=cast.jonah)
    cast.client("compliance").post(reverse("waiver-void", args=[gone.pk]), {"why": "Left on 1 May"})
    address = reverse("mass-end", args=[act.pk])
    asked = cast.client("academy").get(address)

    silent = cast.client("academy").post(address, {"why": " "})
    cast.client("academy").post(address, {"why": "The academy is open again"})
    cast.client("academy").post(address, {"why": "The academy is open again"})
    work()

    act.refresh_from_db()
    assert "End it for 1 member" in words(asked)
    assert silent.status_code == 400
    assert act.ended_in is not None
    assert (act.state, act.ended_in.by, act.ended_in.why) == (
        "ended", cast.users["academy"], "The academy is open again",
    )  # fmt: skip
    assert Waiver.objects.known().count() == 0
    assert Waiver.objects.filter(voided_in=act.ended_in).count() == 1
    assert not Standing.objects.filter(state="excused").exists()
    assert act.lines.count() == 2
    assert "Ended on" in words(cast.client("auditor").get(reverse("mass-detail", args=[act.pk])))
    assert cast.client("academy").get(address).status_code == 404


def test_ending_done_again_voids_once(cast: Cast) -> None:
    act = looked(cast, kind="waiver")
    record(cast, act)
    work()
    cast.client("academy").post(reverse("mass-end", args=[act.pk]), {"why": "Open again"})
    (job,) = work()
    Job.objects.filter(pk=job.pk).update(state="waiting", attempts=1)

    work()

    job.refresh_from_db()
    act.refresh_from_db()
    assert (job.state, act.state) == ("done", "ended")


def test_a_waiver_is_for_who_has_none(cast: Cast) -> None:
    waive(cast.amara, cast.requirement, date(2022, 1, 1), date(2022, 12, 31))
    waive(cast.jonah, cast.requirement, date(2022, 6, 1), date(2022, 6, 30))

    act = looked(cast, kind="waiver")

    verdicts = dict(act.lines.values_list("officer__last_name", "verdict"))
    assert verdicts == {"Whitfield": "needs_none", "Delacroix": "granted"}


def test_units_limit_whom_it_is_for(cast: Cast) -> None:
    inside, whole = looked(cast, units=[cast.eastern.pk]), looked(cast, units=[cast.bureau.pk])

    assert [line.officer for line in inside.lines.all()] == [cast.jonah]
    assert whole.lines.count() == 2


@pytest.mark.parametrize("role", ["compliance", "chief"])
def test_who_asked_or_approved_needs_another_approval(cast: Cast, role: str) -> None:
    Access.objects.create(user=cast.users[role], role="officer", officer=cast.amara)

    act = looked(cast)
    record(cast, act)
    work()

    assert dict(act.lines.values_list("officer__last_name", "verdict")) == {"Whitfield": "own", "Delacroix": "too_late"}
    assert Extension.objects.count() == 0


def test_who_is_in_an_act_does_not_record_it(cast: Cast) -> None:
    act = looked(cast)
    Access.objects.create(user=cast.users["academy"], role="officer", officer=cast.amara)

    response = record(cast, act, "academy")

    assert "You are Amara Whitfield, whom this is for." in words(response)
    assert Job.objects.filter(state="waiting").count() == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"on_day": "2226-01-01", "until_on": "2226-02-01"}, "The day of approval is in", id="future"),
        pytest.param({"until_on": "2022-05-02"}, "The last day is before the day it begins.", id="ends-first"),
        pytest.param({"until_on": "2062-05-02"}, "lies more than 10 years ahead", id="far"),
        pytest.param({"until_on": "2023-02-29"}, "Last day: write the day as", id="no-such-day"),
        pytest.param({"why": ""}, "Say why", id="no-reason"),
        pytest.param({"approver": ""}, "Say who approved it.", id="no-approver"),
        pytest.param({"units": ["0"]}, "Select a valid choice.", id="no-such-unit"),
        pytest.param({"kind": "gift"}, "Select a valid choice.", id="no-such-kind"),
    ],
)  # fmt: skip
def test_the_form_says_what_is_wrong(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    response = ask(cast, **values)

    assert response.status_code == 400
    assert sentence in words(response)
    assert MassAct.objects.count() == 0


def test_until_a_29_february(cast: Cast) -> None:
    act = looked(cast, until_on="2024-02-29")

    record(cast, act)
    work()

    assert Standing.objects.filter(officer=cast.amara, end_on=date(2024, 2, 29), state="current").exists()


def test_an_act_that_was_dropped_leaves_the_list(cast: Cast) -> None:
    act = looked(cast)
    client = cast.client("compliance")

    client.post(reverse("mass-discard", args=[act.pk]))

    assert client.get(reverse("mass-detail", args=[act.pk])).status_code == 404
    assert act.lines.count() == 0


def test_an_act_at_work_is_not_dropped(cast: Cast) -> None:
    act = looked(cast)
    record(cast, act)

    response = cast.client("compliance").post(reverse("mass-discard", args=[act.pk]), follow=True)

    assert "This act went on already, so it cannot be dropped." in words(response)


def test_after_a_job_that_failed_one_looks_again(cast: Cast) -> None:
    act = looked(cast)
    record(cast, act)
    Job.objects.filter(state="waiting").update(state="failed", error="The work stopped three times.")
    client = cast.client("compliance")

    page = client.get(reverse("mass-detail", args=[act.pk]))
    client.post(reverse("mass-again", args=[act.pk]))
    work()

    act.refresh_from_db()
    assert "The work stopped three times. Nothing of it was recorded." in words(page)
    assert act.state == "looked"


def test_progress_survives_a_reload(cast: Cast) -> None:
    ask(cast)
    act = MassAct.objects.get()

    page = cast.client("compliance").get(reverse("mass-detail", args=[act.pk]))
    other = cast.client("auditor").get(reverse("mass-detail", args=[act.pk]))

    assert act.job is not None
    assert reverse("job-detail", args=[act.job.key]) in page.content.decode()
    assert reverse("job-detail", args=[act.job.key]) not in other.content.decode()
    assert "Load the page again to see how far it is." in words(other)


def test_members_are_filtered_and_exported(cast: Cast) -> None:
    act = looked(cast)
    client, address = cast.client("chief"), reverse("mass-detail", args=[act.pk])

    rows = csv_rows(client.get(address, {"show": "too_late", "export": "csv"}))

    assert rows[0] == ["Officer", "Id", "Unit", "State on the day", "Date in force", "With it", "Verdict"]
    assert rows[1:] == [["Delacroix, Jonah", "003377", "Eastern District", "overdue", "2016-08-31", "", "too late"]]
    assert client.get(address, {"show": "rich"}).status_code == 400


# Session, user, access, units; the act; its units; lines counted; lines; whose job it is.
QUERIES = 9


def test_an_act_costs_the_same_for_one_and_for_thirty(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client("compliance")
    for _ in range(30):
        make_officer(unit=cast.eastern)
    one, thirty = looked(cast, units=[cast.central.pk]), looked(cast, units=[cast.eastern.pk])
    assert (one.lines.count(), thirty.lines.count()) == (1, 31)

    for act in (one, thirty):
        with django_assert_num_queries(QUERIES):
            client.get(reverse("mass-detail", args=[act.pk]))


# Session, user, access, units; requirements offered; rows counted; rows.
def test_the_list_costs_the_same_for_one_and_for_thirty(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client("chief")
    ask(cast)
    with django_assert_num_queries(7):
        client.get(reverse("mass-list"))
    for _ in range(30):
        ask(cast)
    with django_assert_num_queries(7):
        client.get(reverse("mass-list"))


def test_extensions_that_stand_are_not_granted_again(cast: Cast) -> None:
    extend(cast.amara, cast.requirement, date(2022, 9, 30), date(2022, 5, 3))

    act = looked(cast)

    assert act.counts == {"needs_none": 1, "too_late": 1}
