"""One member's page: the picture, the words under it, and what was known and true on another day."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import standings
from roster.facts import Change, Via, recording
from roster.models import Access, Assignment
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import csv_rows, refusal, xlsx_rows
from tests.factories import complete, extend, make_course, make_officer, make_requirement, take_leave, waive

pytestmark = pytest.mark.django_db

URL = "/officers/002918/"
DAY = "2026-11-21"


def words(response: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def picture(response: Any) -> str:
    found = re.search(r'<svg class="lifeline".*?</svg>', response.content.decode(), flags=re.DOTALL)
    assert found
    return html.unescape(found[0])


def moment() -> str:
    at = Change.objects.latest("at").at
    assert at is not None
    return at.isoformat()


def void(fact: Any, why: str) -> None:
    with recording(by=None, via=Via.COMMAND, why=why) as recorder:
        recorder.void([fact])


def test_the_picture_has_a_lane_for_each_thing_and_names_every_period(cast: Cast) -> None:
    take_leave(cast.amara, date(2021, 1, 4), date(2021, 2, 3))
    complete(cast.amara, make_course("DRIVING", title="Driving", kind="other"), date(2020, 8, 1))

    svg = picture(cast.client("chief").get(URL, {"as_of": DAY}))

    assert re.findall(r'<text class="lane"[^>]*>(.*?)</text>', svg) == [
        "Assignment",
        "Leave",
        "Classes",
        "Requirement refresher",
    ]
    assert re.findall(r"<g><title>(.*?)</title><rect class=\"box box-(\w+)\"", svg) == [
        ("Central District · days, since 4 Mar 2016", "assignment"),
        ("medical leave, 4 Jan 2021 to 3 Feb 2021", "excused"),
        ("in grace, due 31 Aug 2016, 4 Mar 2016 to 31 Aug 2016", "in_grace"),
        ("overdue since 1 Sep 2016, 1 Sep 2016 to 2 May 2019", "overdue"),
        ("current, due 3 May 2022, 3 May 2019 to 3 May 2022", "current"),
        ("overdue since 4 May 2022, since 4 May 2022", "overdue"),
    ]
    assert re.findall(r'<g><title>(.*?)</title><circle class="dot"[^>]*r="([\d.]+)"', svg) == [
        ("Driving on 1 Aug 2020", "2.5"),
        ("CIT basic course on 3 May 2019", "6"),
    ]
    assert "overdue since 4 May 2022</text>" in svg
    assert 'class="today"' in svg
    assert "<script" not in svg
    assert "style=" not in svg


def test_what_was_granted_is_drawn_with_a_word_and_stands_in_the_table(cast: Cast) -> None:
    waive(cast.amara, cast.requirement, date(2020, 1, 1), date(2021, 12, 31))
    extend(cast.amara, cast.requirement, date(2022, 9, 30), date(2022, 4, 1))
    client = cast.client("chief")
    plain = client.get("/officers/003377/", {"as_of": DAY})

    response = client.get(URL, {"as_of": DAY})

    svg, text = picture(response), words(response)
    assert re.findall(r'<text class="lane"[^>]*>(.*?)</text>', svg)[1:5] == [
        "Leave", "Waivers", "Extensions", "Classes",
    ]  # fmt: skip
    assert re.findall(r"<g><title>(.*?)</title><rect class=\"box box-(waiver|extension)\"", svg) == [
        ("Waiver of Requirement refresher, 1 Jan 2020 to 31 Dec 2021", "waiver"),
        ("Extension of Requirement refresher until 30 Sep 2022, approved on 1 Apr 2022", "extension"),
    ]
    # In three lanes of two years and of half a year there is room for the shortest word, and for none.
    assert re.findall(r'in-(waiver|extension)" [^>]*>(.*?)</text>', svg) == [("waiver", "waiver")]
    assert "waiver extension, from the day it was approved Show as table" in text
    assert "Waiver of Requirement refresher 1 Jan 2020 to 31 Dec 2021" in text
    assert "Extension of Requirement refresher 1 Apr 2022 to 30 Sep 2022" in text
    assert "Waivers" not in picture(plain)
    assert "from the day it was approved" not in words(plain)


def test_the_table_says_what_the_picture_shows(cast: Cast) -> None:
    text = words(cast.client("chief").get(URL, {"as_of": DAY}))

    assert "Assignment since 4 Mar 2016 Central District · days" in text
    assert "Requirement refresher since 4 May 2022 ▲ overdue due 3 May 2022 · Central District · days" in text
    assert "Requirement refresher 3 May 2019 to 3 May 2022 ✓ current due 3 May 2022" in text


def test_the_standing_says_since_when_and_why(cast: Cast) -> None:
    text = words(cast.client("chief").get(URL, {"as_of": "2022-05-24"}))

    assert "Requirement refresher renewed every 36 months ▲ overdue 21 days 3 May 2022" in text
    assert "Overdue since 4 May 2022: CIT basic course on 3 May 2019 carried through 3 May 2022 (CALEA 41.2.7)." in text


@pytest.mark.parametrize(
    ("as_of", "shown"),
    [
        pytest.param("2022-05-03", "✓ current 3 May 2022", id="through-the-due-date"),
        pytest.param("2022-05-04", "▲ overdue 1 day 3 May 2022", id="the-day-after"),
        pytest.param("2022-08-01", "▲ overdue 90 days 3 May 2022", id="ninety-days"),
        pytest.param("2022-08-02", "▲ overdue 2 months 3 May 2022", id="then-months"),
    ],
)
def test_how_late_somebody_is(cast: Cast, as_of: str, shown: str) -> None:
    assert f"renewed every 36 months {shown}" in words(cast.client("chief").get(URL, {"as_of": as_of}))


def test_known_at_leaves_out_what_was_recorded_and_corrected_later(cast: Cast) -> None:
    before = moment()
    late = complete(cast.amara, cast.refresher, date(2022, 3, 1))
    between = moment()
    void(late, "Wrong member on the sheet")
    client = cast.client("chief")

    first, second, now = (
        words(client.get(URL, {"as_of": "2023-01-01", **asked}))
        for asked in ({"known_at": before}, {"known_at": between}, {})
    )

    assert "CIT refresher on 1 Mar 2022" not in first
    assert "▲ overdue 7 months" in first
    assert "Current through 1 Mar 2025: CIT refresher on 1 Mar 2022, renewed every 36 months" in second
    assert "voided" not in first + second
    assert "▲ overdue 7 months" in now
    assert re.search(r"CIT refresher, 1 Mar 2022: voided on \d+ \w+ \d+, Wrong member on the sheet", now)


def test_the_head_names_the_unit_of_the_day_asked_about(cast: Cast) -> None:
    home = cast.amara.assignments.get()
    with recording(by=None, via=Via.COMMAND, why="Transfer") as recorder:
        recorder.void([home])
        past = {"start_on": home.start_on, "end_on": date(2020, 12, 31), "replaces": home}
        recorder.record(Assignment(officer=cast.amara, unit=cast.central, shift=home.shift, **past))
        recorder.record(Assignment(officer=cast.amara, unit=cast.eastern, start_on=date(2021, 1, 1)))
    client = cast.client("chief")

    assert "Central District · days · sworn since 4 Mar 2016" in words(client.get(URL, {"as_of": "2020-12-31"}))
    now = words(client.get(URL, {"as_of": "2021-01-01"}))
    assert "Eastern District · sworn since 4 Mar 2016" in now
    assert "assignment Central District, since 4 Mar 2016: ended on" in now


def test_a_corrected_completion_is_not_called_voided(cast: Cast) -> None:
    with recording(by=cast.users["academy"], via=Via.PAGE, why="Date on the sheet") as recorder:
        recorder.void([cast.entry])
        fact = type(cast.entry)
        recorder.record(fact(officer=cast.amara, course=cast.basic, completed_on=date(2019, 5, 4), replaces=cast.entry))

    text = words(cast.client("chief").get(URL))

    assert re.search(r"CIT basic course, 3 May 2019: corrected on \d+ \w+ \d+ by academy, Date on the sheet", text)
    assert "voided" not in text.replace("Ended, corrected and voided", "")


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        ("academy", ["Transfer", "Record leave", "Separate", "Waive", "Extend", "Designate", "Log completion"]),
        ("commander", []),
        ("officer", []),
    ],
)
def test_acts_are_offered_to_those_who_may_record(cast: Cast, role: str, acts: list[str]) -> None:
    text = cast.client(role).get(URL).content.decode()

    assert re.findall(r'<a class="btn btn-[\w-]+" href="/(?:officers|completions)[^"]*">([^<]*)</a>', text) == acts


def test_whoever_is_outside_the_population_is_told_so(cast: Cast) -> None:
    make_officer("004411", last_name="Mbeki", first_name="Tomas", category="civilian")

    text = words(cast.client("chief").get("/officers/004411/"))

    assert "Requirement refresher not asked –" in text
    assert "No completion is recorded." in text


def test_my_page_is_the_own_record(cast: Cast) -> None:
    text = words(cast.client("officer").get("/my/"))

    assert "Amara Whitfield" in text
    assert "CIT basic course on 3 May 2019" in text


def test_my_page_lists_several_records(cast: Cast) -> None:
    second = make_officer("009001", last_name="Whitfield", first_name="Amara")
    Access.objects.create(user=cast.users["officer"], role="officer", officer=second)

    response = cast.client("officer").get("/my/")

    assert re.findall(r'<li><a href="(/officers/[^"]*)">', response.content.decode()) == [
        "/officers/002918/?agency=pd",
        "/officers/009001/?agency=pd",
    ]


def test_the_number_of_queries_does_not_grow_with_what_somebody_did(cast: Cast) -> None:
    client = cast.client("chief")
    client.get(URL)

    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for number in range(20):
        make_requirement(f"more-{number}", entry=(cast.basic,))
        complete(cast.amara, make_course(f"C{number}", title=f"Class {number}"), date(2020, 1, 1 + number))
    with CaptureQueriesContext(connection) as many:
        client.get(URL)

    assert len(many) == len(few)


def test_every_period_has_its_reasons(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, date(2018, 5, 1))

    text = words(cast.client("chief").get(URL, {"as_of": "2021-01-01"}))

    assert (
        "Every period of Requirement refresher As a file: CSV of Requirement refresher · XLSX of Requirement refresher "
        "Rule in force from 1 Jan 2015 on. "
        "Patrol: CIT basic course, and after it CIT refresher or CIT basic course every 36 months; "
        "first due 180 days after joining. since 4 May 2022 Overdue"
    ) in text
    rule = "Rule The one in force from 1 Jan 2015 on, above."
    assert (
        "since 4 May 2022 Overdue since 4 May 2022: CIT basic course on 3 May 2019 carried through 3 May 2022 "
        "(CALEA 41.2.7). Why since 4 May 2022 "
        "Counted CIT basic course on 3 May 2019: counts as an entry course; the date rests on it "
        "Not counted CIT refresher on 1 May 2018: taken before the first entry credit, 3 May 2019 "
        "Dates CIT basic course on 3 May 2019 + 36 months = 3 May 2022. "
        "What would change it CIT basic course or CIT refresher, completed on any day. "
        f"{rule}"
    ) in text
    assert (
        "4 Mar 2016 to 31 Aug 2016 In grace until 31 Aug 2016, the first deadline here; no course that counts yet "
        "(CALEA 41.2.7). Why 4 Mar 2016 to 31 Aug 2016 Dates Joined on 4 Mar 2016 + 180 days = 31 Aug 2016. "
        f"What would have changed it CIT basic course, completed by 31 Aug 2016. {rule}"
    ) in text
    assert "What would change it: CIT basic course or CIT refresher, completed by 3 May 2022." in text


def test_the_reasons_are_as_known_at_the_moment_asked(cast: Cast) -> None:
    before = moment()
    void(cast.entry, "Not on the sheet")
    client = cast.client("chief")

    then, now = (words(client.get(URL, {"as_of": "2021-01-01", **asked})) for asked in ({"known_at": before}, {}))

    assert "Counted CIT basic course on 3 May 2019: counts as an entry course; the date rests on it" in then
    assert "Not counted" not in then
    assert "Counted CIT basic course" not in now
    assert re.search(r"Not counted CIT basic course on 3 May 2019: voided on \d+ \w+ \d+: Not on the sheet", now)


def test_the_explained_timeline_is_a_file(cast: Cast) -> None:
    client = cast.client("commander")

    rows = csv_rows(client.get(URL, {"as_of": "2021-01-01", "export": "csv"}))
    book = xlsx_rows(client.get(URL, {"as_of": "2021-01-01", "export": "xlsx"}))

    assert rows[0] == [
        "Requirement", "From", "To", "State", "Due", "Place", "Because",
        "Rule", "Counted", "Not counted", "Dates", "What would change it",
    ]  # fmt: skip
    assert [row[1:5] for row in rows[1:]] == [
        ["2016-03-04", "2016-08-31", "in grace", "2016-08-31"],
        ["2016-09-01", "2019-05-02", "overdue", "2016-08-31"],
        ["2019-05-03", "2022-05-03", "current", "2022-05-03"],
        ["2022-05-04", "", "overdue", "2022-05-03"],
    ]
    assert rows[3][8:] == [
        "CIT basic course on 3 May 2019: counts as an entry course; the date rests on it",
        "",
        "CIT basic course on 3 May 2019 + 36 months = 3 May 2022.",
        "What would change it: CIT basic course or CIT refresher, completed by 3 May 2022.",
    ]
    assert [row[0] for row in book] == [row[0] for row in rows]


def test_the_explained_timeline_of_one_requirement_is_a_file(cast: Cast) -> None:
    make_requirement("other", entry=(cast.basic,), population={"categories": ["sworn"]})
    standings.rebuild()
    client = cast.client("commander")
    asked = {"as_of": "2021-01-01", "export": "csv"}

    every, one = client.get(URL, asked), client.get(URL, {**asked, "requirement": "other"})
    links = re.findall(r'href="(\?[^"]*export=csv[^"]*)"', client.get(URL, {"requirement": "other"}).content.decode())

    assert {row[0] for row in csv_rows(every)[1:]} == {"Requirement refresher", "Requirement other"}
    assert {row[0] for row in csv_rows(one)[1:]} == {"Requirement other"}
    assert one["Content-Disposition"] == 'attachment; filename="timeline-002918-other.csv"'
    assert [html.unescape(link) for link in links] == [
        "?export=csv", "?requirement=other&export=csv", "?requirement=refresher&export=csv",
    ]  # fmt: skip
    assert refusal(client.get(URL, {**asked, "requirement": "none"})) == (
        400, 'Requirement: there is no requirement "none".',
    )  # fmt: skip


def test_the_explained_timeline_joins_what_reads_the_same(cast: Cast) -> None:
    first = cast.requirement.editions.get()
    first.effective_to = date(2020, 12, 31)
    first.save()
    following = cast.requirement.editions.create(
        effective_from=date(2021, 1, 1), population=first.population, clock="rolling", months=36, entry_grace_days=180
    )
    following.entry_courses.set(first.entry_courses.all())
    standings.rebuild()
    client = cast.client("commander")

    rows = csv_rows(client.get(URL, {"as_of": "2022-01-01", "export": "csv"}))
    text = words(client.get(URL, {"as_of": "2022-01-01"}))

    assert [row[1:3] for row in rows[1:]] == [
        ["2016-03-04", "2016-08-31"], ["2016-09-01", "2019-05-02"], ["2019-05-03", "2022-05-03"], ["2022-05-04", ""],
    ]  # fmt: skip
    assert re.findall(r"In force from (.*?)\.", rows[3][7]) == ["1 Jan 2015 to 31 Dec 2020", "1 Jan 2021 on"]
    assert "Rule Those in force from 1 Jan 2015 to 31 Dec 2020 and from 1 Jan 2021 on, above." in text
    assert text.index("Rule in force from 1 Jan 2021 on.") < text.index("Rule in force from 1 Jan 2015 to 31 Dec 2020.")


def test_the_due_date_of_who_waits_for_a_leave_to_end(cast: Cast) -> None:
    cast.requirement.editions.update(leave="toll")
    standings.rebuild()
    take_leave(cast.amara, date(2021, 1, 4))

    text = words(cast.client("chief").get(URL, {"as_of": DAY}))

    assert "renewed every 36 months ✓ current none while on leave" in text


def test_the_explained_timeline_has_two_formats(cast: Cast) -> None:
    response = cast.client("commander").get(URL, {"export": "pdf"})

    assert refusal(response) == (400, 'Export: "pdf" is not a format. Use csv or xlsx.')
