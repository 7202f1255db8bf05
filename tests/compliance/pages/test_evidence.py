"""What waits for a decision, decided one by one or together; files; and what a member reports for themselves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test.utils import override_settings
from django.urls import reverse

from roster.facts import Via, recording
from roster.files import StoredFile
from roster.models import Access, Agency
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete, make_officer, make_user
from tests.uploads import PDF, jpeg, sent
from training.completions import correct_completion, files_of
from training.models import Completion, CompletionFile, EvidenceDecision, KeptBoth

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 2)


def wait(cast: Cast, by: str = "academy", **values: Any) -> Completion:
    """A refresher whose evidence waits."""
    said = {"officer": cast.amara, "course": cast.refresher, "completed_on": DAY, "evidence": "pending", **values}
    with recording(by=cast.users[by], via=Via.PAGE, why="Certificate") as recorder:
        return recorder.record(Completion(**said))


def report(cast: Cast, content: bytes = PDF, role: str = "officer", **values: Any) -> Any:
    data = {
        "officer": cast.amara.pk,
        "course": cast.refresher.pk,
        "completed_on": DAY.isoformat(),
        "provider": "State College",
        "certificate_number": "SC-4471",
        "certificate_expires_on": "2029-03-01",
        "paper": sent(content),
        **values,
    }
    return cast.client(role).post(reverse("my-report"), data, follow=True)


def decide(
    cast: Cast, *rows: Completion, role: str = "compliance", decision: str = "verified", note: str = ""
) -> Shown:
    data = {"chosen": [row.pk for row in rows], "decision": decision, "note": note}
    return Shown(cast.client(role).post(reverse("completion-pending"), data, follow=True))


# ---- the list


def test_the_list_says_what_waits_and_for_how_long(cast: Cast) -> None:
    report(cast)
    wait(cast, officer=cast.jonah, class_number="C-1")
    complete(cast.jonah, cast.basic, DAY)

    page = Shown(cast.client("compliance").get(reverse("completion-pending")))

    (first, second) = page.rows("Completions whose evidence waits for a decision")
    assert first[1:] == [
        "2 Mar 2026",
        "Whitfield, Amara",
        "002918",
        "CIT refresher",
        "State College, SC-4471, until 1 Mar 2029",
        "the member",
        "0 days",
        "certificate.pdf",
        "no",
    ]
    assert second[1:] == [
        "2 Mar 2026",
        "Delacroix, Jonah",
        "003377",
        "CIT refresher",
        "–",
        "academy",
        "0 days",
        "–",
        "no",
    ]


def test_an_empty_list_says_so(cast: Cast) -> None:
    page = Shown(cast.client("compliance").get(reverse("completion-pending")))

    assert "Nothing waits: the evidence of every completion is decided." in page.words


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param({}, 2, id="all"),
        pytest.param({"q": "jonah"}, 1, id="member"),
        pytest.param({"course": "CIT-REF-8"}, 2, id="course"),
        pytest.param({"course": "CIT-40"}, 0, id="another-course"),
        pytest.param({"reported": "yes"}, 1, id="reported"),
        pytest.param({"reported": "no"}, 1, id="not-reported"),
        pytest.param({"waiting": "7"}, 0, id="long"),
        pytest.param({"file": "yes"}, 1, id="with-file"),
        pytest.param({"file": "no"}, 1, id="without-file"),
    ],
)
def test_the_list_filters(cast: Cast, query: dict[str, str], count: int) -> None:
    report(cast)
    wait(cast, officer=cast.jonah)

    response = cast.client("compliance").get(reverse("completion-pending"), query)

    assert len(response.context["table"].rows) == count


def test_the_list_is_exported(cast: Cast) -> None:
    report(cast)

    text = b"".join(cast.client("compliance").get(reverse("completion-pending"), {"export": "csv"})).decode("utf-8-sig")

    header, line = text.splitlines()
    assert header == "Completed,Officer,Id,Course,Certificate,Recorded by,Waiting,Files,Looks like another"
    assert line.startswith('2026-03-02,"Whitfield, Amara",002918,CIT refresher,"State College, SC-4471, until ')
    assert line.endswith('1 Mar 2029",the member,0,yes,no')


def test_the_list_costs_the_same_queries_for_one_row_and_thirty(cast: Cast, django_assert_num_queries: Any) -> None:
    report(cast)
    client = cast.client("compliance")

    # session and user 2, access and tree 2, courses of the filter 1, count 1, rows 1, files 1
    with django_assert_num_queries(8):
        client.get(reverse("completion-pending"))
    for _ in range(29):
        wait(cast, officer=make_officer(unit=cast.central))
    with django_assert_num_queries(8):
        client.get(reverse("completion-pending"))


# ---- deciding several


def test_several_are_decided_at_once(cast: Cast) -> None:
    rows = [wait(cast), wait(cast, officer=cast.jonah), wait(cast, completed_on=date(2025, 1, 2))]

    page = decide(cast, rows[0], rows[1], note="Seen at the college")

    assert "2 completions verified. Standings are up to date." in page.words
    decisions = EvidenceDecision.objects.order_by("completion")
    assert [(row.completion, row.decision, row.note) for row in decisions] == [
        (rows[0], "verified", "Seen at the college"),
        (rows[1], "verified", "Seen at the college"),
    ]
    assert {row.recorded_in for row in decisions} == {decisions[0].recorded_in}
    assert decisions[0].recorded_in.by == cast.users["compliance"]


def own_through_a_role(cast: Cast) -> Completion:
    """Somebody of the academy is the member, too."""
    Access.objects.create(user=cast.users["compliance"], role="officer", officer=cast.amara)
    return wait(cast)


def recorded_by_the_decider(cast: Cast) -> Completion:
    return wait(cast, by="compliance")


def corrected_after_the_decider_recorded_it(cast: Cast) -> Completion:
    return correct_completion(wait(cast, by="compliance"), why="Hours", by=cast.users["academy"], hours=4)


def like_another(cast: Cast) -> Completion:
    complete(cast.amara, cast.refresher, DAY - timedelta(days=3))
    return wait(cast)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(own_through_a_role, "This is your own completion.", id="own"),
        pytest.param(recorded_by_the_decider, "You recorded this completion.", id="recorded"),
        pytest.param(corrected_after_the_decider_recorded_it, "You recorded this completion.", id="corrected"),
        pytest.param(like_another, "It looks like another completion. Open it and say whether it is.", id="alike"),
    ],
)
def test_what_somebody_may_not_decide_is_left_out_and_said(cast: Cast, make: Any, sentence: str) -> None:
    barred, free = make(cast), wait(cast, officer=cast.jonah)

    page = decide(cast, barred, free)

    assert "1 completion verified." in page.words
    assert f"Whitfield, Amara, CIT refresher: {sentence}" in page.words
    assert [row.completion for row in EvidenceDecision.objects.all()] == [free]


def test_what_looks_like_another_can_be_rejected_at_once(cast: Cast) -> None:
    row = like_another(cast)

    page = decide(cast, row, decision="rejected", note="The same class")

    assert "1 completion rejected." in page.words
    assert EvidenceDecision.objects.get().completion == row


def test_what_does_not_wait_any_more_is_said(cast: Cast) -> None:
    row = wait(cast)
    decide(cast, row)

    page = decide(cast, row, decision="rejected", note="No")

    assert "1 completion you chose did not wait any more." in page.words
    assert EvidenceDecision.objects.get().decision == "verified"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param({"decision": "verified"}, "Choose at least one completion of the list.", id="nothing-chosen"),
        pytest.param({"decision": "verified", "chosen": ["x"]}, "Choose rows of the list.", id="no-id"),
        pytest.param({"decision": "verified", "chosen": ["9" * 30]}, "Choose rows of the list.", id="no-such-id"),
        pytest.param({"chosen": ["1"]}, "Choose verified or rejected.", id="no-decision"),
        pytest.param({"decision": "rejected", "chosen": ["1"]}, "Say what the evidence does not show.", id="no-note"),
    ],
)
def test_a_decision_about_nothing_is_refused(cast: Cast, data: dict[str, Any], sentence: str) -> None:
    wait(cast)

    response = cast.client("compliance").post(reverse("completion-pending"), data)

    assert response.status_code == 400
    assert sentence in Shown(response).words


# ---- what members report


def test_a_member_reports_a_course_and_sees_that_it_waits(cast: Cast) -> None:
    page = Shown(report(cast))

    made = Completion.objects.get(course=cast.refresher)
    assert (made.officer, made.completed_on, made.evidence, made.verified_on) == (cast.amara, DAY, "pending", None)
    assert (made.provider, made.certificate_number) == ("State College", "SC-4471")
    assert (made.certificate_expires_on, made.recorded_in.by) == (date(2029, 3, 1), cast.users["officer"])
    (file,) = files_of([made.pk])[made.pk]
    assert (file.name, file.content_type, file.uploaded_by) == (
        "certificate.pdf",
        "application/pdf",
        cast.users["officer"],
    )
    assert "Reported. It counts once somebody else verified it; until then it is pending." in page.words
    assert "? pending CIT refresher, 2 Mar 2026 : somebody has to look at it before it counts" in page.words


def test_a_member_sees_why_a_report_was_rejected(cast: Cast) -> None:
    report(cast)
    decide(cast, Completion.objects.get(course=cast.refresher), decision="rejected", note="The page is cut off")

    page = Shown(cast.client("officer").get(reverse("my")))

    assert "▲ rejected CIT refresher, 2 Mar 2026: The page is cut off" in page.words


@pytest.mark.parametrize("evidence", ["verified", "rejected"])
def test_a_report_always_waits(cast: Cast, evidence: str) -> None:
    report(cast, evidence=evidence)

    assert Completion.objects.get(course=cast.refresher).evidence == "pending"


def test_a_member_reports_for_nobody_else(cast: Cast) -> None:
    response = report(cast, officer=cast.jonah.pk)

    assert response.status_code == 400
    assert not Completion.objects.filter(course=cast.refresher).exists()


def test_a_member_who_is_academy_staff_does_not_decide_about_the_own_report(cast: Cast) -> None:
    Access.objects.create(user=cast.users["academy"], role="officer", officer=cast.amara)
    report(cast, role="academy")
    made = Completion.objects.get(course=cast.refresher)

    page = decide(cast, made, role="academy")
    one = cast.client("academy").post(reverse("completion-evidence", args=[made.pk]), {"decision": "verified"})

    assert "This is your own completion. Somebody else has to decide on its evidence." in page.words
    assert (one.status_code, EvidenceDecision.objects.count()) == (400, 0)


@pytest.mark.parametrize(
    ("content", "values", "sentence"),
    [
        pytest.param(b"<html>", {}, "certificate.pdf is of no type that can be kept here.", id="html"),
        pytest.param(b"", {}, "certificate.pdf is empty.", id="empty"),
        pytest.param(PDF, {"paper": ""}, "Certificate: fill this in.", id="no-file"),
        pytest.param(PDF, {"completed_on": "2999-01-01"}, "The completion date is in the future.", id="future"),
        pytest.param(PDF, {"provider": ""}, "Given by: fill this in.", id="no-provider"),
        pytest.param(
            PDF,
            {"certificate_expires_on": "2026-03-01"},
            "The certificate runs out before its course was completed.",
            id="runs-out-first",
        ),
    ],
)
def test_a_report_that_cannot_be_is_refused(cast: Cast, content: bytes, values: dict[str, str], sentence: str) -> None:
    response = report(cast, content, **values)

    assert response.status_code == 400
    assert sentence in Shown(response).words
    assert (Completion.objects.filter(course=cast.refresher).count(), StoredFile.objects.count()) == (0, 0)


@override_settings(UPLOAD_MAX_BYTES=100)
def test_a_file_that_is_not_received_whole_is_said(cast: Cast) -> None:
    response = report(cast, PDF + b" " * 200)

    assert response.status_code == 400
    assert "The file is larger than 20 MB and was not received." in Shown(response).words


def test_a_report_like_another_is_asked_about_and_told_to_who_decides(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, DAY - timedelta(days=3), class_number="C-1")

    asked = Shown(first := report(cast))
    shown = first.context["form"]["is_another"].value()
    report(cast, is_another=shown)

    assert "Your record has this course on 27 Feb 2026 already (class C-1), 3 days before." in asked.words
    made = Completion.objects.get(course=cast.refresher, completed_on=DAY)
    page = Shown(cast.client("compliance").get(reverse("completion-detail", args=[made.pk])))
    assert "Looks like another CIT refresher, 27 Feb 2026 , class C-1." in page.words
    assert not KeptBoth.objects.exists()


def test_the_same_report_again_is_not_recorded(cast: Cast) -> None:
    report(cast)

    response = report(cast, jpeg())

    assert response.status_code == 400
    assert "It is not recorded twice." in Shown(response).words
    assert (Completion.objects.filter(course=cast.refresher).count(), StoredFile.objects.count()) == (1, 1)


def test_a_number_of_somebody_elses_certificate_names_nobody(cast: Cast) -> None:
    wait(cast, officer=cast.jonah, certificate_number="sc-4471")

    page = Shown(report(cast))

    assert "A certificate with this number is recorded already. Check the number." in page.words
    assert "Delacroix" not in page.words


def test_only_members_report(cast: Cast) -> None:
    assert cast.client("academy").get(reverse("my-report")).status_code == 404


# ---- files of what is recorded


def test_a_file_is_added_to_what_is_recorded_and_stays_with_its_corrections(cast: Cast) -> None:
    where = reverse("completion-files", args=[cast.entry.pk])

    page = Shown(cast.client("academy").post(where, {"papers": [sent(), sent(jpeg(), "page 2.jpg")]}, follow=True))
    made = correct_completion(cast.entry, why="Hours", by=cast.users["academy"], hours=36)
    later = Shown(cast.client("academy").get(reverse("completion-detail", args=[made.pk])))

    assert "2 files added." in page.words
    assert [row.file.name for row in CompletionFile.objects.order_by("pk")] == ["certificate.pdf", "page 2.jpg"]
    assert set(later.links) >= {"certificate.pdf", "page 2.jpg"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"<svg/>", "certificate.pdf is of no type that can be kept here.", id="svg"),
        pytest.param(None, "Files: fill this in.", id="none"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused(cast: Cast, content: bytes | None, sentence: str) -> None:
    where = reverse("completion-files", args=[cast.entry.pk])

    page = Shown(cast.client("academy").post(where, {"papers": sent(content)} if content else {}, follow=True))

    assert sentence in page.words
    assert not StoredFile.objects.exists()


def test_no_file_is_added_to_what_was_voided(cast: Cast) -> None:
    correct_completion(cast.entry, why="Hours", by=cast.users["academy"], hours=36)

    page = Shown(
        cast.client("academy").post(reverse("completion-files", args=[cast.entry.pk]), {"papers": sent()}, follow=True)
    )

    assert "Somebody else corrected or voided this completion meanwhile." in page.words
    assert not StoredFile.objects.exists()


# ---- evidence files and certificates from outside, when many are logged


def log(cast: Cast, people: str, papers: list[Any] | None = None, role: str = "academy", **values: Any) -> Any:
    """Look up, then record."""
    data = {
        "course": cast.refresher.pk,
        "completed_on": DAY.isoformat(),
        "evidence": "verified",
        "people": people,
        **values,
    }
    client = cast.client(role)
    looked = client.post(reverse("completion-log"), {**data, "act": "look"})
    shown = looked.context["form"].data.get("shown", "")
    return client.post(
        reverse("completion-log"), {**data, "act": "record", "shown": shown, "papers": papers or []}, follow=True
    )


def test_one_sheet_proves_many(cast: Cast) -> None:
    log(cast, "2918\n3377", [sent(name="sign-in.pdf")])

    (file,) = StoredFile.objects.all()
    made = Completion.objects.filter(course=cast.refresher).order_by("officer")
    assert [row.completion for row in CompletionFile.objects.order_by("completion__officer")] == list(made)
    assert {row.file for row in CompletionFile.objects.all()} == {file}
    assert (len(made), file.agency, file.uploaded_by) == (2, Agency.objects.get(), cast.users["academy"])


def test_a_file_that_is_refused_records_nothing(cast: Cast) -> None:
    response = log(cast, "2918", [sent(), sent(b"<html>", "page 2.pdf")])

    assert response.status_code == 400
    assert "page 2.pdf is of no type that can be kept here. Send PDF, PNG or JPEG." in Shown(response).words
    assert (Completion.objects.filter(course=cast.refresher).count(), StoredFile.objects.count()) == (0, 0)


def test_files_of_what_is_recorded_already_are_not_kept(cast: Cast) -> None:
    client, data = cast.client("academy"), {"course": cast.refresher.pk, "completed_on": DAY.isoformat()}
    data |= {"evidence": "verified", "people": "2918"}
    shown = client.post(reverse("completion-log"), {**data, "act": "look"}).context["form"].data["shown"]
    complete(cast.amara, cast.refresher, DAY)

    page = Shown(
        client.post(
            reverse("completion-log"), {**data, "act": "record", "shown": shown, "papers": [sent()]}, follow=True
        )
    )

    assert "1 member had this completion already; nothing was recorded twice." in page.words
    assert not StoredFile.objects.exists()


def test_a_certificate_from_outside_waits_for_another_person(cast: Cast) -> None:
    outside = {
        "provider": "State College",
        "certificate_number": "SC-1",
        "certificate_expires_on": "2029-03-01",
    }

    refused = cast.client("academy").post(
        reverse("completion-log"),
        {
            "course": cast.refresher.pk,
            "completed_on": DAY.isoformat(),
            "evidence": "verified",
            "people": "2918",
            **outside,
        },
    )
    log(cast, "2918", [sent()], evidence="pending", **outside)

    assert "A certificate from outside waits for another person: choose pending." in Shown(refused).words
    made = Completion.objects.get(course=cast.refresher)
    assert (made.provider, made.certificate_number, made.certificate_expires_on, made.evidence) == (
        "State College",
        "SC-1",
        date(2029, 3, 1),
        "pending",
    )
    assert "You recorded this completion." in decide(cast, made, role="academy").words
    assert "1 completion verified." in decide(cast, made).words


def test_a_certificate_number_belongs_to_one_member(cast: Cast) -> None:
    response = log(cast, "2918\n3377", evidence="pending", certificate_number="SC-1")

    assert response.status_code == 400
    assert "A certificate number belongs to one member. Log them one by one." in Shown(response).words
    assert not Completion.objects.filter(course=cast.refresher).exists()


def test_somebody_of_another_agency_decides_nothing_here(cast: Cast) -> None:
    row = wait(cast)
    elsewhere = Agency.objects.create(code="so", name="County Sheriff")
    cast.users["sheriff"] = make_user("academy", "sheriff", agency=elsewhere)

    page = decide(cast, row, role="sheriff")

    assert "1 completion you chose did not wait any more." in page.words
    assert not EvidenceDecision.objects.exists()
