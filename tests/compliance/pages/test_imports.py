"""Files: sent, mapped, planned, recorded exactly as shown; and files that are not what they say."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from compliance import import_runs, imports, jobs, tasks
from compliance.coverage import standings_on
from compliance.models import ImportLine, ImportRun, Job, Waiver
from compliance.standings import differences
from tests.compliance.pages.cast import Cast
from tests.factories import complete, make_agency, make_course, make_user
from training.models import Completion, Course, CourseAlias
from training.titles import title_key

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    "employee_id,course,completed_on,hours\n"
    "002918,CIT-REF-8,2024-06-21,8\n"
    "003377,CIT-40,2024-06-21,40\n"
    "002918,CIT-40,2019-05-03,\n"
    "009999,CIT-40,2024-06-21,\n"
    "002918,CIT-40,,\n"
    "003377,RESPONDING TO PEOPLE IN CRISIS – MODULE 4,2021-02-03,0.5\n"
)


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield tmp_path


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def send(client: Client, content: bytes | str, name: str = "training.csv", **values: Any) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(
        reverse("import-list"),
        {"kind": "completions", "agency": make_agency().pk, "file": SimpleUploadedFile(name, data), **values},
    )


def work() -> None:
    """What a worker does with the jobs that wait."""
    for job in Job.objects.filter(state="waiting"):
        jobs.run(str(job.key), tasks.HANDLERS)


def planned(client: Client, content: str = FILE, **values: Any) -> ImportRun:
    """A run whose plan was made."""
    assert send(client, content, **values).status_code == 302
    run = ImportRun.objects.latest("pk")
    own = {f"column-{place}": name for place, name in enumerate(("employee_id", "course", "completed_on", "hours"))}
    response = client.post(reverse("import-columns", args=[run.pk]), {**own, "unknown_course": "reject"})
    assert response.status_code == 302
    work()
    run.refresh_from_db()
    return run


def test_a_file_is_kept_under_a_random_name_for_this_program_alone(cast: Cast, media: Path) -> None:
    send(cast.client("academy"), FILE, name="../../etc/training.csv")

    run = ImportRun.objects.get()
    (path,) = [found for found in media.rglob("*") if found.is_file()]
    assert (run.file_name, path.name == run.file_name, path) == ("training.csv", False, import_runs.path_of(run))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(run.sha256) == 64


def test_the_plan_is_the_page(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)

    text = words(client.get(reverse("import-detail", args=[run.pk])))

    assert "All 6 New 2 Same 1 Changed 0 Rejected 3" in text
    assert "Record 2 new rows" in text
    assert "1 title needs a person" in text
    assert "4 002918 CIT-40 2019-05-03 Whitfield, Amara = same" in text
    assert "▲ rejected No member has this employee id." in text
    assert Completion.objects.count() == 1


def test_every_kind_of_record_can_be_sent(cast: Cast) -> None:
    page = cast.client("academy").get(reverse("import-list")).content.decode()

    offered = re.findall(r'<option value="([a-z_]+)"', page)

    assert [kind for kind in offered if kind in imports.KINDS] == list(imports.KINDS)


def test_waivers_are_sent_planned_and_recorded(cast: Cast) -> None:
    client = cast.client("academy")
    send(client, "employee_id,requirement,start_on,end_on\n002918,refresher,2022-05-04,2022-06-30\n", kind="waivers")
    run = ImportRun.objects.get()
    columns = {
        f"column-{place}": name for place, name in enumerate(("employee_id", "requirement", "start_on", "end_on"))
    }
    client.post(reverse("import-columns", args=[run.pk]), {**columns, "unknown_course": "reject"})
    work()
    run.refresh_from_db()

    client.post(reverse("import-record", args=[run.pk]), {"digest": run.plan_digest})
    work()

    assert Waiver.objects.get().officer == cast.amara
    assert list(standings_on(date(2022, 6, 30)).filter(officer=cast.amara).values_list("state", flat=True)) == [
        "excused"
    ]
    assert differences() == {}


def test_counts_are_filters(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)
    address = reverse("import-detail", args=[run.pk])

    rejected = client.get(address, {"show": "rejected"})
    wrong = client.get(address, {"show": "everything"})

    assert [line.line for line, *_ in rejected.context["lines"]] == [5, 6, 7]
    assert wrong.status_code == 400
    assert "show: there are no rows of this kind." in words(wrong)


def test_recording_records_exactly_the_plan_and_once(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)
    address, data = reverse("import-record", args=[run.pk]), {"digest": run.plan_digest}

    client.post(address, data)
    twice = client.post(address, data, follow=True)
    work()
    after = client.post(address, data, follow=True)

    run.refresh_from_db()
    assert run.state == "recorded"
    assert run.change is not None
    assert (run.change.by, run.change.via) == (cast.users["academy"], "import")
    assert Completion.objects.filter(recorded_in=run.change).count() == 2
    assert "This import is being worked on." in words(twice)
    assert "This import is recorded already." in words(after)
    assert "Recorded: 2 new rows. Standings are up to date." in words(after)


def test_recording_refuses_a_plan_that_would_do_something_else_by_now(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)
    complete(cast.jonah, cast.basic, Completion.objects.get().completed_on.replace(year=2024, month=6, day=21))

    client.post(reverse("import-record", args=[run.pk]), {"digest": run.plan_digest})
    work()
    text = words(client.get(reverse("import-detail", args=[run.pk])))
    client.post(reverse("import-plan", args=[run.pk]))
    work()
    again = words(client.get(reverse("import-detail", args=[run.pk])))

    assert "The records changed since this plan was made. Look at the new plan first." in text
    assert "Record 1 new row" not in text
    assert Completion.objects.filter(recorded_in__via="import").count() == 0
    assert "Record 1 new row" in again


def test_a_stale_page_cannot_record(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)

    text = words(client.post(reverse("import-record", args=[run.pk]), {"digest": "0" * 64}, follow=True))

    assert "The plan was made again since you opened this page." in text
    assert not Job.objects.filter(kind="record_import").exists()


def test_titles_are_mapped_by_a_person_and_remembered(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client, source="City HR")
    title = "RESPONDING TO PEOPLE IN CRISIS – MODULE 4"

    client.post(reverse("import-titles", args=[run.pk]), {"title-0": cast.refresher.code, "name-0": title})
    work()
    text = words(client.get(reverse("import-detail", args=[run.pk])))

    alias = CourseAlias.objects.get()
    assert (alias.title, alias.source, alias.course) == (title, "City HR", cast.refresher)
    assert "All 6 New 3 Same 1 Changed 0 Rejected 2" in text
    assert "needs a person" not in text


def test_a_title_may_count_toward_nothing(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)

    client.post(
        reverse("import-titles", args=[run.pk]),
        {"title-0": "nothing", "name-0": "RESPONDING TO PEOPLE IN CRISIS – MODULE 4"},
    )
    work()

    made = Course.objects.get(is_from_title=True)
    assert (made.title, made.kind) == ("RESPONDING TO PEOPLE IN CRISIS – MODULE 4", "other")
    run.refresh_from_db()
    assert run.counts["new"] == 3


def test_a_title_mapped_after_all_brings_what_was_recorded_under_it(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)
    title = "RESPONDING TO PEOPLE IN CRISIS – MODULE 4"
    made = make_course("MODULE-4", title=title, title_key=title_key(title), is_from_title=True, kind="other")
    complete(cast.amara, made, timezone.localdate())
    before = standings_on(timezone.localdate()).get(officer=cast.amara).state

    client.post(reverse("import-titles", args=[run.pk]), {"title-0": cast.refresher.code, "name-0": title})

    made.refresh_from_db()
    assert made.same_as == cast.refresher
    assert (before, standings_on(timezone.localdate()).get(officer=cast.amara).state) == ("overdue", "current")
    assert differences() == {}


def test_the_mapping_of_a_source_is_remembered(cast: Cast) -> None:
    client, theirs = cast.client("academy"), FILE.replace("employee_id,course", "Emp,Taught")
    columns = {"column-0": "employee_id", "column-1": "course", "column-2": "completed_on", "column-3": "hours"}
    send(client, theirs, source="City HR")
    first = ImportRun.objects.get()
    client.post(reverse("import-columns", args=[first.pk]), {**columns, "unknown_course": "reject"})
    work()

    send(client, theirs, source="City HR")
    second = ImportRun.objects.latest("pk")
    response = client.get(reverse("import-columns", args=[second.pk]))

    text = words(response)
    assert "mapping “City HR”, remembered from" in text
    assert "The very same file was sent on" in text
    assert [field.value() for field, _ in response.context["form"].columns] == list(columns.values())


def test_columns_are_mapped_once_each_and_all_that_is_needed(cast: Cast) -> None:
    client = cast.client("academy")
    send(client, FILE.replace("employee_id,course", "Emp,Taught"))
    address = reverse("import-columns", args=[ImportRun.objects.get().pk])

    twice = client.post(
        address,
        {
            "column-0": "hours",
            "column-1": "course",
            "column-2": "completed_on",
            "column-3": "hours",
            "unknown_course": "reject",
        },
    )
    missing = client.post(
        address, {"column-1": "course", "column-2": "completed_on", "column-3": "hours", "unknown_course": "reject"}
    )

    assert "“Emp” is read as this already. Choose one of the two." in words(twice)
    assert "The file has no column employee_id." in words(missing)
    assert Job.objects.count() == 0


def test_rejected_rows_come_back_to_be_mended(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)

    response = client.get(reverse("import-errors", args=[run.pk]))

    text = b"".join(response).decode("utf-8-sig")
    assert response["Content-Disposition"] == f'attachment; filename="rejected-{run.pk}.csv"'
    assert text.splitlines()[0] == "employee_id,course,completed_on,hours,line,column,value,reason"
    assert text.splitlines()[1].startswith("009999,CIT-40,2024-06-21,,5,employee_id,009999,No member")


def test_discarding_removes_the_file_and_keeps_the_line(cast: Cast, media: Path) -> None:
    client = cast.client("academy")
    run = planned(client)

    text = words(client.post(reverse("import-discard", args=[run.pk]), follow=True))
    again = client.post(reverse("import-discard", args=[run.pk]), follow=True)

    run.refresh_from_db()
    assert run.state == "discarded"
    assert "training.csv was discarded; nothing of it was recorded." in text
    assert again.status_code == 200
    assert [found for found in media.rglob("*") if found.is_file()] == []
    assert ImportLine.objects.count() == 0


def bomb() -> bytes:
    """A workbook whose sheet would unpack to 1.5 GB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(150):
                sheet.write(b"0" * 10_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("training.csv", b"", "The file is empty.", id="empty"),
        pytest.param("training.pdf", b"%PDF-1.7", "training.pdf is not a spreadsheet.", id="another-ending"),
        pytest.param("training.csv", b"%PDF-1.7 and so on", "training.csv is a PDF, not a table.", id="a-pdf-inside"),
        pytest.param("training.csv", b"MZ\x00\x01\x00binary", "training.csv is not a table", id="binary"),
        pytest.param("training.csv", b"<html><table>", "training.csv is a web page or XML", id="web-page"),
        pytest.param("training.xlsx", b"PK\x03\x04broken", "training.xlsx", id="broken-workbook"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(
    cast: Cast, media: Path, name: str, content: bytes, sentence: str
) -> None:
    response = send(cast.client("academy"), content, name=name)

    assert response.status_code == 400
    assert sentence in words(response)
    assert str(media) not in words(response)
    assert not ImportRun.objects.exists()
    assert [found for found in media.rglob("*") if found.is_file()] == []


def test_a_workbook_that_would_unpack_to_gigabytes_is_refused(cast: Cast, media: Path) -> None:
    response = send(cast.client("academy"), bomb(), name="training.xlsx")

    assert response.status_code == 400
    assert not ImportRun.objects.exists()


def test_a_file_over_the_limit_is_refused(cast: Cast, media: Path) -> None:
    with override_settings(UPLOAD_MAX_BYTES=1024 * 1024):
        response = send(cast.client("academy"), b"a,b\n" * 300_000)

    assert response.status_code == 400
    assert "The file is larger than 1 MB. Split it and send the parts." in words(response)
    assert not ImportRun.objects.exists()


def test_a_job_shows_its_progress_to_whoever_asked(cast: Cast) -> None:
    client = cast.client("academy")
    send(client, FILE)
    run = ImportRun.objects.get()
    own = {f"column-{place}": name for place, name in enumerate(("employee_id", "course", "completed_on", "hours"))}
    client.post(reverse("import-columns", args=[run.pk]), {**own, "unknown_course": "reject"})
    job = Job.objects.get()
    Job.objects.filter(pk=job.pk).update(state="running", done=3, total=6)
    address = reverse("job-detail", args=[job.key])

    page = words(client.get(address))
    part = client.get(address, headers={"HX-Request": "true"})
    Job.objects.filter(pk=job.pk).update(state="failed", error="The file has no rows.")
    failed = client.get(address, headers={"HX-Request": "true"})

    assert "At work : 3 of 6" in page
    assert (part.content.decode().lstrip()[:4], "HX-Refresh" in part) == ("<div", False)
    assert ("▲ failed The file has no rows." in words(failed), failed["HX-Refresh"]) == (True, "true")
    assert cast.client("compliance").get(address).status_code == 404
    assert cast.client("admin").get(address).status_code == 200


def test_an_administrator_of_one_agency_sees_its_jobs_only(cast: Cast) -> None:
    run = planned(cast.client("academy"))
    sheriff = make_agency("so", "County Sheriff")
    for username, agency in (("here", run.agency), ("there", sheriff)):
        cast.users[username] = make_user("admin", username, agency=agency)
    report = Job.objects.create(kind="issue_report", arguments={"agency": sheriff.pk})
    nightly = Job.objects.create(kind="verify")
    asked = Job.objects.create(kind="known", requested_by=cast.users["there"])
    assert run.job is not None

    def seen(username: str) -> list[bool]:
        client = cast.client(username)
        jobs = (run.job, report, nightly, asked)
        return [client.get(reverse("job-detail", args=[job.key])).status_code == 200 for job in jobs if job]

    assert seen("admin") == [True, True, True, True]
    assert seen("here") == [True, False, False, False]
    assert seen("there") == [False, True, False, True]


def test_runs_of_another_agency_are_not_there(cast: Cast) -> None:
    run = planned(cast.client("academy"))
    cast.users["sheriff"] = make_user("academy", "sheriff", agency=make_agency("so", "County Sheriff"))
    client = cast.client("sheriff")

    assert "training.csv" not in words(client.get(reverse("import-list")))
    for name in ("import-detail", "import-columns", "import-errors"):
        assert client.get(reverse(name, args=[run.pk])).status_code == 404
    for name in ("import-record", "import-discard", "import-plan", "import-titles"):
        assert client.post(reverse(name, args=[run.pk])).status_code == 404
    assert Path(settings.MEDIA_ROOT, run.stored_as).exists()


def test_the_plan_costs_the_same_queries_for_few_rows_and_many(cast: Cast, django_assert_num_queries: Any) -> None:
    client = cast.client("academy")
    few = planned(client)
    many = planned(client, FILE + "".join(f"002918,CIT-40,2020-01-{day:02},\n" for day in range(1, 31)))

    # session and user 2, access and tree 2, run 1, remembered 0, same file 1, count and lines 2, names 1, courses 1
    for run in (few, many):
        with django_assert_num_queries(10):
            client.get(reverse("import-detail", args=[run.pk]))


def test_a_file_of_thousands_of_columns_is_refused(cast: Cast, media: Path) -> None:
    response = send(cast.client("academy"), ",".join(f"c{number}" for number in range(1000)) + "\n")

    assert response.status_code == 400
    assert "training.csv has 1,000 columns; 300 fit" in words(response)
    assert [found for found in media.rglob("*") if found.is_file()] == []


def test_a_long_file_name_keeps_its_ending(cast: Cast) -> None:
    send(cast.client("academy"), FILE, name="n" * 240 + ".csv")

    assert ImportRun.objects.get().file_name == "n" * 196 + ".csv"
