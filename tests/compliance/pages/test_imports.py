"""Files: sent, mapped, planned, recorded exactly as shown; and files that are not what they say."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from compliance import import_runs, imports
from compliance.coverage import standings_on
from compliance.models import ImportLine, ImportRun, Job, Waiver
from compliance.standings import differences
from compliance.templatetags.shown import time_left
from roster.models import Access, Officer
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import csv_rows, xlsx_rows
from tests.factories import complete, make_agency, make_course, make_user
from tests.waiting_jobs import work
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
    assert "Recording takes of this plan exactly 2 new rows." in text
    assert "1 title needs a person" in text
    assert "4 002918 CIT-40 2019-05-03 Whitfield, Amara = same" in text
    assert "▲ rejected employee_id: No member has this employee id." in text
    assert Completion.objects.count() == 1


def test_the_plan_is_searched_and_exported_as_it_is_filtered(cast: Cast) -> None:
    client = cast.client("academy")
    address = reverse("import-detail", args=[planned(client).pk])

    page = words(client.get(address, {"q": "003377", "show": "new"}))
    every = csv_rows(client.get(address, {"export": "csv"}))
    some = xlsx_rows(client.get(address, {"export": "xlsx", "q": "003377", "show": "new"}))
    wrong = client.get(address, {"export": "pdf"})

    assert re.findall(r"(\d) 00\d{4} CIT", page) == ["3"]
    assert "Recording takes of this plan exactly 2 new rows, whatever part of it is shown here." in page
    assert every[0] == ["Line", "Row", "Member", "Plan", "Changes", "Warning", "Reason"]
    assert [(row[0], row[3]) for row in every[1:]] == [
        ("2", "new"), ("3", "new"), ("4", "same"), ("5", "rejected"), ("6", "rejected"), ("7", "rejected"),
    ]  # fmt: skip
    assert every[4][6] == "employee_id: No member has this employee id."
    assert [row[:4] for row in some[1:]] == [[3, "003377 CIT-40 2024-06-21", "Delacroix, Jonah", "new"]]
    assert wrong.status_code == 400


def test_the_files_sent_are_exported_as_they_are_searched(cast: Cast) -> None:
    client = cast.client("academy")
    for name in ("spring.csv", "autumn.csv"):
        send(client, FILE, name=name)

    rows = csv_rows(client.get(reverse("import-list"), {"export": "csv", "q": "spring"}))

    today = timezone.localdate().isoformat()
    assert rows == [
        ["File", "Source", "Holds", "Sent", "By", "Rows", "State"],
        ["spring.csv", "", "Completions", today, "academy", "0", "uploaded"],
    ]


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
    assert "Recorded of this plan: exactly 2 new rows." in words(after)


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

    assert "Recording would do something else by now: the records changed" in text
    assert "Record 1 new row" not in text
    assert Completion.objects.filter(recorded_in__via="import").count() == 0
    assert "Record 1 new row" in again


def test_a_plan_that_says_something_of_whoever_records_it_is_made_again_first(cast: Cast) -> None:
    client, another = cast.client("academy"), cast.client("admin")
    run = planned(client)
    officer = Officer.objects.get(employee_id=run.lines.earliest("line").summary.split()[0])
    Access.objects.create(user=cast.users["admin"], role="officer", officer=officer)

    another.post(reverse("import-record", args=[run.pk]), {"digest": run.plan_digest})
    work()
    text = words(another.get(reverse("import-detail", args=[run.pk])))

    assert "the records changed, or another person sends the file. Make the plan again and look at it." in text
    assert Completion.objects.filter(recorded_in__via="import").count() == 0


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


def test_files_sent_are_listed_by_the_page_and_found_by_name_or_source(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    client = cast.client("academy")
    agency, by = make_agency(), cast.users["academy"]
    send(client, FILE, name="first.csv", source="City HR")
    for number in range(2):
        ImportRun.objects.bulk_create(
            ImportRun(agency=agency, kind="units", file_name=f"units-{number}-{k}.csv", uploaded_by=by)
            for k in range(30)
        )

    first = client.get(reverse("import-list"))
    # session and user 2, access and tree 2, agency 1, count and files 2, sources 1
    with django_assert_num_queries(8):
        second = client.get(reverse("import-list"), {"page": 2})
    found = [client.get(reverse("import-list"), {"q": q}).context["runs"] for q in ("FIRST", "city", "units-1", "none")]

    assert "page 1 of 2" in words(first)
    assert "first.csv" not in words(first)
    assert "first.csv City HR" in words(second)
    assert [len(runs) for runs in found] == [1, 1, 30, 0]
    assert client.get(reverse("import-list"), {"page": "x"}).status_code == 400


def test_a_header_without_rows_says_that_there_is_nothing_to_record(cast: Cast) -> None:
    client = cast.client("academy")

    page = client.get(reverse("import-detail", args=[planned(client, FILE.split("\n")[0] + "\n").pk]))

    assert "The file has a header and no rows below it: there is nothing to record." in words(page)
    assert "All 0 New 0 Same 0 Changed 0 Rejected 0" in words(page)


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

    # session and user 2, access and tree 2, run 1, remembered 0, same file 1, lines 1, names 1
    for run in (few, many):
        with django_assert_num_queries(8):
            client.get(reverse("import-detail", args=[run.pk]))


def test_a_file_of_thousands_of_columns_is_refused(cast: Cast, media: Path) -> None:
    response = send(cast.client("academy"), ",".join(f"c{number}" for number in range(1000)) + "\n")

    assert response.status_code == 400
    assert "training.csv has 1,000 columns; 300 fit" in words(response)
    assert [found for found in media.rglob("*") if found.is_file()] == []


def test_a_long_file_name_keeps_its_ending(cast: Cast) -> None:
    send(cast.client("academy"), FILE, name="n" * 240 + ".csv")

    assert ImportRun.objects.get().file_name == "n" * 196 + ".csv"


def test_what_changed_rows_change_is_shown_column_by_column(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client, "employee_id,course,completed_on,hours\n002918,CIT-40,2019-05-03,36.5\n")

    page = client.get(reverse("import-detail", args=[run.pk]), {"show": "changed"})

    ((_, _, changes),) = page.context["lines"]
    assert changes == [("Hours", "", "36.50")]
    assert "~ changed Hours: blank → 36.50" in words(page)


def test_titles_have_a_page_with_counts_examples_and_search(cast: Cast) -> None:
    client = cast.client("academy")
    rows = [f"002918,TITLE {number:03},2021-02-{1 + number % 28:02},1" for number in range(120)]
    run = planned(
        client, "employee_id,course,completed_on,hours\n" + "\n".join([*rows, "003377,TITLE 007,2021-03-01,1\n"])
    )
    address = reverse("import-titles", args=[run.pk])

    first, second = client.get(address), client.get(address, {"page": 2})
    found = client.get(address, {"q": "title 11"})
    wrong = client.post(address, {"title-0": "CRISIS SOMETHING", "name-0": "TITLE 007"})

    assert [len(page.context["rows"]) for page in (first, second, found)] == [100, 20, 10]
    title, _, _, examples = first.context["rows"][0]
    assert (title.title, title.rows) == ("TITLE 007", 2)
    assert examples == ["line 9: 002918, TITLE 007, 2021-02-08, 1", "line 122: 003377, TITLE 007, 2021-03-01, 1"]
    assert wrong.status_code == 400
    assert "No course has this code or title." in words(wrong)


def test_a_page_of_titles_is_mapped_at_once(cast: Cast) -> None:
    client = cast.client("academy")
    rows = [f"002918,TITLE {number},2021-02-0{number},1\n" for number in range(1, 5)]
    run = planned(client, "employee_id,course,completed_on,hours\n" + "".join(rows))
    names = {f"name-{number}": f"TITLE {number + 1}" for number in range(4)}

    client.post(
        reverse("import-titles", args=[run.pk]),
        {**names, "title-2": "CIT refresher (CIT-REF-8)", "rest": "Counts toward nothing"},
    )
    work()

    run.refresh_from_db()
    assert run.counts["new"] == 4
    assert CourseAlias.objects.get().course == cast.refresher
    assert list(Course.objects.filter(is_from_title=True).order_by("title").values_list("title", flat=True)) == [
        "TITLE 1",
        "TITLE 2",
        "TITLE 4",
    ]


def test_near_matches_are_offered_side_by_side_and_decided_once(cast: Cast) -> None:
    client = cast.client("academy")
    text = "employee_id,course,completed_on,last_name,first_name\n" + "".join(
        f"002919,CIT-40,2020-01-0{day},Whitfield,Amara\n" for day in (1, 2)
    )
    send(client, text, source="City HR")
    run = ImportRun.objects.get()
    own = ("employee_id", "course", "completed_on", "last_name", "first_name")
    columns = {f"column-{place}": name for place, name in enumerate(own)} | {"unknown_course": "reject"}
    client.post(reverse("import-columns", args=[run.pk]), columns)
    work()
    address = reverse("import-members", args=[run.pk])

    page = client.get(address)
    (offer,) = (row[0] for row in page.context["form"].rows)
    text_of_page = words(page)
    client.post(address, {"who-0": "002918", "key-0": "002919"})
    work()
    run.refresh_from_db()

    assert (offer.member.key, offer.member.rows) == ("002919", 2)
    assert [(one.employee_id, one.differs) for one in offer.candidates] == [("002918", {"employee_id"})]
    assert offer.candidates[0].has["unit"] == "Central District"
    assert "≠ 002918" in text_of_page
    assert (run.counts["new"], run.counts["rejected"]) == (2, 0)

    send(client, text, source="City HR")
    again = ImportRun.objects.latest("pk")
    assert again.options["members"] == {"002919": "002918"}

    client.post(reverse("import-members-forget", args=[run.pk]))
    work()
    run.refresh_from_db()
    assert run.counts["rejected"] == 2


def test_a_member_may_be_none_of_ours_or_somebody_else(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client, "employee_id,course,completed_on,hours\n7,CIT-40,2020-01-01,\n8,CIT-40,2020-01-01,\n")
    address = reverse("import-members", args=[run.pk])

    wrong = client.post(address, {"key-0": "7", "other-0": "5555"})
    client.post(address, {"key-0": "7", "other-0": "003377", "key-1": "8", "who-1": "-"})
    work()

    run.refresh_from_db()
    assert "No member has this employee id." in words(wrong)
    assert run.options["members"] == {"7": "003377", "8": ""}
    assert (run.counts["new"], run.counts["rejected"]) == (1, 1)
    assert import_runs.members_of(run) == []


def test_a_file_says_by_its_header_what_it_holds_and_can_be_read_as_more(cast: Cast) -> None:
    client = cast.client("academy")
    roster = 'Emp. #,full_name,appt_date,command,assignment_date\n002918,"WHITFIELD, AMARA",1/2/2015,CEN,3/2/2023\n'

    send(client, roster, kind="")
    run = ImportRun.objects.get()
    page = client.get(reverse("import-columns", args=[run.pk]))
    client.post(reverse("import-also", args=[run.pk]), {"kind": "units"})
    also = ImportRun.objects.latest("pk")
    unknown = send(client, "a,b\n1,2\n", kind="")

    assert run.kind == "assignments"
    assert [kind for kind, _ in page.context["also"]] == ["officers", "units"]
    assert (also.kind, also.sha256, also.options["mapping"]) == ("units", run.sha256, {"command": "code"})
    assert import_runs.path_of(also).read_text() == import_runs.path_of(run).read_text()
    assert "Its columns do not tell what it holds." in words(unknown)


def workbook(*sheets: tuple[str, str]) -> bytes:
    """A workbook of these sheets, each given as CSV."""
    book = openpyxl.Workbook(write_only=True)
    for name, text in sheets:
        sheet = book.create_sheet(name)
        for line in text.splitlines():
            sheet.append(line.split(","))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_every_sheet_of_a_workbook_can_be_read_and_a_cover_is_passed_over(cast: Cast) -> None:
    client = cast.client("academy")
    header = "employee_id,course,completed_on\n"
    book = workbook(
        ("Cover", "Training,2026\n"),
        ("2024", f"{header}002918,CIT-REF-8,2024-06-21\n"),
        ("Nothing", ""),
        ("2025", f"{header}003377,CIT-40,2025-06-21\n"),
    )
    sent = send(client, book, name="training.xlsx", kind="", source="City")
    first = ImportRun.objects.latest("pk")

    columns = words(client.get(sent.url))
    client.post(reverse("import-also", args=[first.pk]), {"sheet": "2025"})
    second = ImportRun.objects.latest("pk")
    other = words(client.get(reverse("import-columns", args=[second.pk])))
    nowhere = client.post(reverse("import-also", args=[first.pk]), {"sheet": "Nothing"}, follow=True)
    for run in (first, second):
        import_runs.start_plan(run, by=cast.users["academy"], options=import_runs.options_of(run))
    work()

    assert "training.xlsx · sheet “2024” · Completions" in columns
    assert "It has 3 sheets; this is “2024”." in columns
    assert "Read the sheet “2025”, too" in columns
    assert ("sheet “2025”" in other, "The very same file" in other) == (True, False)
    assert "Choose one of those offered." in words(nowhere)
    lines = ImportLine.objects.order_by("run_id").values_list("verdict", "summary")
    assert list(lines) == [("new", "002918 CIT-REF-8 2024-06-21"), ("new", "003377 CIT-40 2025-06-21")]


def test_undoing_shows_first_what_it_would_do_and_does_that(cast: Cast) -> None:
    client = cast.client("academy")
    run = planned(client)
    client.post(reverse("import-record", args=[run.pk]), {"digest": run.plan_digest})
    work()
    address = reverse("import-undo", args=[run.pk])

    shown = client.get(address)
    blank = client.post(address, {"digest": shown.context["form"]["digest"].value(), "why": ""})
    client.post(address, {"digest": shown.context["form"]["digest"].value(), "why": "The file of another city"})
    work()
    after = client.get(reverse("import-detail", args=[run.pk]))

    run.refresh_from_db()
    assert "Completions that it recorded: voided 2" in words(shown)
    assert blank.status_code == 400
    assert (run.state, Completion.objects.known().count()) == ("undone", 1)
    assert run.undone_in is not None
    assert (run.undone_in.by, run.undone_in.why) == (cast.users["academy"], "The file of another city")
    assert "Recorded: 2 new rows; undone on" in words(after)
    assert "Recorded of this plan, before it was undone: exactly 2 new rows." in words(after)
    assert client.get(address).status_code == 302
    assert differences() == {}


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        pytest.param(500, 2, "", id="too-early"),
        pytest.param(10, 60, "", id="too-little"),
        pytest.param(500, 20, "less than a minute left", id="soon"),
        pytest.param(500, 60, "about a minute left", id="a-minute"),
        pytest.param(250, 60, "about 3 minutes left", id="at-the-rate-so-far"),
        pytest.param(100, 1200, "about 3 hours left", id="hours"),
    ],
)
def test_the_time_left_is_told_at_the_rate_so_far(done: int, seconds: int, said: str) -> None:
    started = timezone.now() - timedelta(seconds=seconds)

    assert time_left(Job(state="running", done=done, total=1000, started_at=started)) == said


def test_what_a_title_is_can_be_changed_later(cast: Cast) -> None:
    client, title = cast.client("academy"), "MODULE 4"
    made = make_course("MODULE-4", title=title, title_key=title_key(title), is_from_title=True, kind="other")
    complete(cast.amara, made, timezone.localdate())
    address = reverse("title-change", args=[made.pk])

    def now() -> tuple[str, list[str]]:
        state = standings_on(timezone.localdate()).get(officer=cast.amara).state
        table = client.get(reverse("title-list")).context["table"]
        return state, [row.get_cell_value("same_as") or "nothing" for row in table.rows]

    before = now()
    client.post(address, {"course": "CIT-REF-8"})
    mapped = now()
    client.post(address, {"course": "counts toward nothing"})

    assert before == ("overdue", ["nothing"])
    assert mapped == ("current", ["CIT refresher"])
    assert now() == before
    assert not CourseAlias.objects.exists()
    assert client.post(address, {"course": "no such course"}).status_code == 400
    assert differences() == {}


def test_the_list_of_titles_costs_the_same_queries_for_few_and_many(cast: Cast, django_assert_num_queries: Any) -> None:
    client = cast.client("academy")
    for number in range(30):
        make_course(f"T-{number}", title=f"T {number}", title_key=f"t {number}", is_from_title=True)

    # session and user 2, access and tree 2, count and rows 2
    for query in ({"q": "T 29"}, {}):
        with django_assert_num_queries(6):
            client.get(reverse("title-list"), query)
