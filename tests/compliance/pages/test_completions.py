"""The list of completions, one completion, and what people decide about it."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance import asking
from compliance.models import Standing
from roster.facts import Via, recording
from roster.models import Access, Role
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_agency, make_officer, make_unit, make_user
from training.completions import bar_to_deciding, correct_completion
from training.models import Completion, EvidenceDecision

pytestmark = pytest.mark.django_db


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def state_of(cast: Cast) -> str:
    today = timezone.localdate()
    return Standing.objects.filter(officer=cast.amara, start_on__lte=today).latest("start_on").state


@pytest.fixture
def pending(cast: Cast) -> Completion:
    """A refresher of last month whose evidence waits, recorded by the academy."""
    with recording(by=cast.users["academy"], via=Via.PAGE, why="Sign-in sheet") as recorder:
        return recorder.record(
            Completion(
                officer=cast.amara,
                course=cast.refresher,
                completed_on=timezone.localdate(),
                evidence="pending",
                hours=8,
            )
        )


def test_list_shows_what_stands_newest_first(cast: Cast, pending: Completion) -> None:
    text = words(cast.client("academy").get(reverse("completion-list")))

    assert text.index("CIT refresher 8 passed ? pending") < text.index("3 May 2019 002918 Whitfield, Amara CIT basic")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param({"course": "CIT-40"}, 1, id="course"),
        pytest.param({"q": "whitfield"}, 2, id="member"),
        pytest.param({"q": "delacroix"}, 0, id="member-without-any"),
        pytest.param({"since": "2019-05-03", "until": "2019-05-03"}, 1, id="days-both-included"),
        pytest.param({"until": "2019-05-02"}, 0, id="day-before"),
        pytest.param({"evidence": "pending"}, 1, id="pending"),
        pytest.param({"evidence": "verified"}, 1, id="verified"),
        pytest.param({"unit": "PB"}, 2, id="unit-with-all-below"),
        pytest.param({"unit": "EAS"}, 0, id="another-unit"),
        pytest.param({"voided": "yes"}, 0, id="voided"),
    ],
)
def test_list_filters(cast: Cast, pending: Completion, query: dict[str, str], count: int) -> None:
    response = cast.client("academy").get(reverse("completion-list"), query)

    assert len(response.context["table"].rows) == count


def test_a_unit_that_two_agencies_have_asks_which(cast: Cast) -> None:
    sheriff = make_agency("so", "Bay County Sheriff")
    deputy = make_officer("77", last_name="Hart", unit=make_unit("cen", name="Central Precinct", agency=sheriff))
    complete(deputy, cast.basic, date(2020, 1, 2))
    client = cast.client("academy")

    asked = client.get(reverse("completion-list"), {"unit": "CEN", "course": "CIT-40"})
    page = Shown(asked)
    there = client.get(page.links["Bay County Sheriff"])

    assert asked.status_code == 300
    assert page.links["Harbor City Police"] == "/completions/?unit=CEN&course=CIT-40&agency=pd"
    assert [row.record.officer.last_name for row in there.context["table"].rows] == ["Hart"]
    cast.users["pd"] = make_user("academy", "pd", agency=cast.central.agency)
    ours = cast.client("pd").get(reverse("completion-list"), {"unit": "CEN"})
    assert [row.record.officer.last_name for row in ours.context["table"].rows] == ["Whitfield"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param({"course": "NONE"}, "Course: Select a valid choice.", id="no-such-course"),
        pytest.param({"unit": "NONE"}, "Unit today: Select a valid choice.", id="no-such-unit"),
        pytest.param({"since": "yesterday"}, "From: Enter a valid date.", id="no-day"),
        pytest.param({"evidence": "maybe"}, "Evidence: Select a valid choice.", id="no-such-evidence"),
        pytest.param({"sort": "secret"}, 'Sort: the table has no column "secret" to sort by.', id="no-such-column"),
        pytest.param({"page": "9"}, "Page: the list has 1 page.", id="past-the-end"),
        pytest.param({"export": "pdf"}, 'Export: "pdf" is not a format. Use csv or xlsx.', id="no-such-format"),
    ],
)
def test_list_says_what_is_wrong_with_its_address(cast: Cast, query: dict[str, str], sentence: str) -> None:
    response = cast.client("academy").get(reverse("completion-list"), query)

    assert response.status_code == 400
    assert sentence in words(response).replace("&quot;", '"').replace("&#x27;", "'")


def test_list_exports_every_row(cast: Cast) -> None:
    for _ in range(60):
        complete(make_officer(last_name="=cmd()"), cast.basic, date(2020, 1, 2))

    response = cast.client("academy").get(reverse("completion-list"), {"export": "csv"})

    rows = list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert len(rows) == 62
    assert rows[0][:4] == ["Completed", "Id", "Officer", "Course"]
    assert rows[1][2].startswith("'=cmd()")


def test_list_costs_the_same_queries_for_one_row_and_thirty(cast: Cast, django_assert_num_queries: Any) -> None:
    client = cast.client("academy")

    # session and user 2, access and tree 2, courses and units of the filters 2, count 1, rows 1
    with django_assert_num_queries(8):
        client.get(reverse("completion-list"))
    for _ in range(29):
        complete(make_officer(unit=cast.central), cast.basic, date(2020, 1, 2))
    with django_assert_num_queries(8):
        client.get(reverse("completion-list"))


def test_a_list_of_very_many_rows_is_counted_no_further_than_its_last_page(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_COUNTED", 50)
    for number in range(51):
        complete(cast.jonah, cast.refresher, date(2024, 1, 1) + timedelta(days=number))
    client, address = cast.client("academy"), reverse("completion-list")

    with CaptureQueriesContext(connection) as queries:
        page = Shown(client.get(address, {"per": "25"}))
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "training_completion" in query["sql"]]
    second = Shown(client.get(address, {"per": "25", "page": "2"}))
    third = client.get(address, {"per": "25", "page": "3"})
    fitting = Shown(client.get(address, {"per": "25", "until": "2024-02-18"}))
    exported: Any = client.get(address, {"export": "csv"})

    assert "1 to 25 of more than 50 rows" in page.words
    assert "26 to 50 of more than 50 rows" in second.words
    assert (third.status_code, "Page: the list has 2 pages of its first 50 rows." in Shown(third).words) == (400, True)
    assert "1 to 25 of 50 rows" in fitting.words
    assert len(b"".join(exported).splitlines()) == 1 + Completion.objects.known().count()
    assert [sql.count("LIMIT 51") for sql in counting] == [1]


def test_commander_sees_the_completions_of_members_here_today(cast: Cast) -> None:
    complete(cast.jonah, cast.basic, date(2020, 1, 2))

    here = words(cast.client("commander").get(reverse("completion-list")))
    there = words(cast.client("elsewhere").get(reverse("completion-list")))

    assert ("Whitfield" in here, "Delacroix" in here) == (True, False)
    assert ("Whitfield" in there, "Delacroix" in there) == (False, True)


def test_evidence_is_verified_by_somebody_else(cast: Cast, pending: Completion) -> None:
    address = reverse("completion-evidence", args=[pending.pk])

    own = cast.client("academy").post(address, {"decision": "verified"})
    before = state_of(cast)
    other = cast.client("compliance").post(address, {"decision": "verified", "note": "Sheet seen"}, follow=True)
    cast.client("compliance").post(address, {"decision": "verified", "note": "Sheet seen"})

    assert own.status_code == 400
    assert "You recorded this completion. Somebody else has to decide on its evidence." in words(own)
    assert (before, state_of(cast)) == ("overdue", "current")
    assert EvidenceDecision.objects.count() == 1
    text = words(other)
    assert f"✓ verified on {timezone.localdate():%-d %b %Y}: Sheet seen" in text
    assert "compliance page Evidence verified: Sheet seen" in text


def test_a_correction_by_another_hand_does_not_let_one_decide_on_ones_own_record(
    cast: Cast, pending: Completion
) -> None:
    recorder = pending.recorded_in.by
    assert recorder is not None
    corrected = correct_completion(pending, why="typing error", by=make_user("academy"), class_number="C-7")

    assert bar_to_deciding(corrected, recorder).startswith("You recorded this completion.")
    assert bar_to_deciding(corrected, make_user("compliance")) == ""


def test_nobody_decides_on_the_evidence_of_their_own_completion(cast: Cast, pending: Completion) -> None:
    Access.objects.create(user=cast.users["compliance"], role="officer", officer=pending.officer)

    response = cast.client("compliance").post(
        reverse("completion-evidence", args=[pending.pk]), {"decision": "verified"}
    )

    assert response.status_code == 400
    assert "This is your own completion. Somebody else has to decide on its evidence." in words(response)
    assert not EvidenceDecision.objects.exists()


def test_rejecting_evidence_needs_a_note_and_can_be_decided_anew(cast: Cast, pending: Completion) -> None:
    client, address = cast.client("compliance"), reverse("completion-evidence", args=[pending.pk])

    refused = client.post(address, {"decision": "rejected"})
    client.post(address, {"decision": "rejected", "note": "No signature"})
    rejected = state_of(cast)
    client.post(address, {"decision": "verified", "note": "Found the second sheet"})

    assert refused.status_code == 400
    assert "Say what the evidence does not show." in words(refused)
    assert (rejected, state_of(cast)) == ("overdue", "current")
    later = EvidenceDecision.objects.get(decision="verified")
    assert later.replaces == EvidenceDecision.objects.get(decision="rejected")


def test_void_needs_a_reason_and_erases_nothing(cast: Cast) -> None:
    client, address = cast.client("academy"), reverse("completion-void", args=[cast.entry.pk])

    refused = client.post(address, {"why": " "})
    response = client.post(address, {"why": "Another Whitfield"}, follow=True)
    again = client.post(address, {"why": "Another Whitfield"}, follow=True)

    assert refused.status_code == 400
    assert "Say why: the reason stays with the record." in words(refused)
    cast.entry.refresh_from_db()
    assert cast.entry.voided_in is not None
    assert (cast.entry.voided_in.by, cast.entry.voided_in.why) == (cast.users["academy"], "Another Whitfield")
    text = words(response)
    assert "This completion was voided on" in text
    assert "Voided Another Whitfield" in text
    assert "Recorded: CIT basic course on 3 May 2019" in text
    assert "This completion was voided already." in words(again)


def test_nobody_voids_or_corrects_what_is_on_record_of_themselves(cast: Cast) -> None:
    Access.objects.create(user=cast.users["academy"], role=Role.OFFICER, officer=cast.amara)
    client = cast.client("academy")
    later = {"course": cast.basic.pk, "completed_on": "2019-05-04", "result": "passed", "why": "Misread"}

    voided = client.post(reverse("completion-void", args=[cast.entry.pk]), {"why": "Another Whitfield"}, follow=True)
    corrected = client.post(reverse("completion-correct", args=[cast.entry.pk]), later)

    assert corrected.status_code == 400
    for response in (voided, corrected):
        assert "This is your own completion. Somebody else has to correct or void it." in words(response)
    assert (Completion.objects.count(), Completion.objects.known().count()) == (1, 1)


def test_void_says_what_it_changes_first(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, timezone.localdate())

    text = words(cast.client("academy").get(reverse("completion-void", args=[cast.entry.pk])))

    assert "Requirement refresher current → overdue" in text


def test_correct_records_another_that_replaces_it(cast: Cast) -> None:
    client, address = cast.client("academy"), reverse("completion-correct", args=[cast.entry.pk])
    data = {"course": cast.basic.pk, "completed_on": "2019-05-04", "result": "passed", "hours": "36"}

    refused = client.post(address, data)
    response = client.post(address, {**data, "why": "Make-up day"}, follow=True)
    again = client.post(address, {**data, "why": "Make-up day"}, follow=True)

    assert "Say why: the reason stays with the record." in words(refused)
    made = Completion.objects.get(replaces=cast.entry)
    assert (made.completed_on, made.hours, made.voided_in) == (date(2019, 5, 4), Decimal(36), None)
    text = words(response)
    assert "Corrected: completed on 3 May 2019 → 4 May 2019; hours blank → 36 Make-up day" in text
    assert "Voided" not in text
    assert Completion.objects.count() == 2
    assert "This line was corrected." in words(again)


@pytest.mark.parametrize(("decision", "state"), [("verified", "current"), ("rejected", "overdue")])
def test_correct_leaves_the_decision_on_the_evidence_as_it_is(cast: Cast, decision: str, state: str) -> None:
    completion = complete(cast.amara, cast.refresher, timezone.localdate(), evidence="verified", hours=8)
    evidence = {"decision": decision, "note": "Sheet seen"}
    cast.client("compliance").post(reverse("completion-evidence", args=[completion.pk]), evidence)
    data = {"course": cast.refresher.pk, "completed_on": completion.completed_on, "result": "passed", "hours": "8"}

    response = cast.client("academy").post(
        reverse("completion-correct", args=[completion.pk]),
        {**data, "class_number": "C-7", "why": "Left out"},
        follow=True,
    )

    made = Completion.objects.get(replaces=completion)
    (stands,) = EvidenceDecision.objects.known()
    assert (stands.completion, stands.decision, stands.replaces.completion) == (made, decision, completion)
    assert state_of(cast) == state
    assert words(response).count(f"Evidence {decision}: Sheet seen") == 1


def test_correct_refuses_no_change_and_the_future(cast: Cast) -> None:
    client, address = cast.client("academy"), reverse("completion-correct", args=[cast.entry.pk])
    same = {"course": cast.basic.pk, "completed_on": "2019-05-03", "result": "passed", "why": "None"}

    unchanged = client.post(address, same)
    future = client.post(address, {**same, "completed_on": "2999-01-01"})

    assert "Nothing is different yet." in words(unchanged)
    assert "The completion date is in the future." in words(future)


def test_correct_into_another_completion_is_refused(cast: Cast) -> None:
    complete(cast.amara, cast.basic, date(2020, 1, 2))

    response = cast.client("academy").post(
        reverse("completion-correct", args=[cast.entry.pk]),
        {"course": cast.basic.pk, "completed_on": "2020-01-02", "result": "passed", "why": "Wrong year"},
    )

    assert response.status_code == 400
    assert "This completion is recorded already." in words(response)
    cast.entry.refresh_from_db()
    assert cast.entry.voided_in is None
