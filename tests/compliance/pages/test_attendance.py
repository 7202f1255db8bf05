"""The pages on which a class is taught and finished: grid, make-ups, tests, finish, reopen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from roster.models import Access, Agency
from tests import factories as make
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown, csv_rows, xlsx_rows
from training import finish
from training.class_records import read
from training.models import (
    Attendance,
    ClassSession,
    ClassState,
    Completion,
    Course,
    CourseTest,
    Enrollment,
    Meeting,
    TestAttempt,
)

pytestmark = pytest.mark.django_db

MARKS = "People by blocks: p is present for the whole block, a is absent, a number is minutes, blank is not marked"
ATTEMPTS = "Attempts of everybody in the class, oldest first; the last one that stands decides"


@dataclass
class Taught:
    """A class of one day, a month ago, with Amara, Jonah and somebody from outside; nothing is marked."""

    session: ClassSession
    blocks: list[Meeting]
    exam: CourseTest
    amara: Enrollment
    jonah: Enrollment
    outside: Enrollment
    client: Client
    day: date

    def url(self, name: str) -> str:
        return reverse(f"class-{name}", args=[self.session.number])

    def marks(self, **texts: str) -> dict[str, str]:
        """The grid as sent: `amara0="p"` is Amara's first block."""
        found = {"seen": str(read(self.session).last_line), "act": "mark"}
        for name, seat in (("amara", self.amara), ("jonah", self.jonah), ("outside", self.outside)):
            for number, block in enumerate(self.blocks):
                found[f"m-{seat.pk}-{block.pk}"] = texts.get(f"{name}{number}", "")
        return found | {name: text for name, text in texts.items() if name in ("why", "fill", "seen")}

    def post(self, name: str, data: dict[str, Any]) -> Shown:
        return Shown(self.client.post(self.url(name), data, follow=True))


@pytest.fixture
def taught(cast: Cast) -> Taught:
    Course.objects.filter(pk=cast.basic.pk).update(min_attendance=90)
    cast.basic.refresh_from_db()
    exam = make.make_test(cast.basic)
    day = timezone.localdate() - timedelta(days=30)
    made = make.make_class("CIT-2026-02", cast.basic, days=[day])
    session = ClassSession.objects.get(pk=made.pk)
    seats = [
        make.make_seat(session, officer, **values)
        for officer, values in ((cast.amara, {}), (cast.jonah, {}), (None, {"outside_name": "Okafor, Ruth"}))
    ]
    blocks = list(session.meetings.order_by("starts_at"))
    return Taught(session, blocks, exam, seats[0], seats[1], seats[2], cast.client("academy"), day)


def lines() -> list[tuple[int, int]]:
    return list(Attendance.objects.order_by("pk").values_list("enrollment", "minutes"))


def test_the_grid_is_saved_as_it_was_typed(taught: Taught) -> None:
    page = taught.post("attendance", taught.marks(amara0="p", amara1="P ", jonah0="a", jonah1=" 100"))

    assert "4 marks saved." in page.words
    expected = [(taught.amara.pk, 240), (taught.amara.pk, 240), (taught.jonah.pk, 0), (taught.jonah.pk, 100)]
    assert sorted(lines()) == sorted(expected)
    rows = {row[0].split(",")[0]: row[1] for row in page.rows(MARKS)}
    assert rows == {
        "Whitfield": "100.00 % 8 h of 8 h",
        "Delacroix": "20.83 % 1 h 40 min of 8 h ▲ below 90 %",
        "Okafor": "not marked",
    }


def test_everybody_not_marked_in_a_block_was_present(taught: Taught) -> None:
    page = taught.post("attendance", taught.marks(jonah0="a", fill=str(taught.blocks[0].pk)))

    assert "3 marks saved." in page.words
    assert sorted(lines()) == sorted([(taught.amara.pk, 240), (taught.jonah.pk, 0), (taught.outside.pk, 240)])


def test_everybody_not_marked_was_present_in_every_block_held(taught: Taught) -> None:
    taught.post("attendance", taught.marks(jonah0="a", fill="0"))

    assert len(lines()) == 3 * len(taught.blocks)
    assert [minutes for _, minutes in lines()].count(0) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("x", "write p, a or minutes", id="a-word"),
        pytest.param("-5", "write p, a or minutes", id="negative"),
        pytest.param("2:30", "write p, a or minutes", id="hours"),
        pytest.param("٤٠", "write p, a or minutes", id="other-digits"),
        pytest.param("241", "the block has 240 minutes", id="longer-than-the-block"),
        pytest.param("99999", "write p, a or minutes", id="many-digits"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_cell_and_kept(taught: Taught, text: str, said: str) -> None:
    response = taught.client.post(taught.url("attendance"), taught.marks(amara0=text, jonah0="p"))

    page = Shown(response)
    assert page.status == 400
    assert said in page.words
    assert f'value="{text}"' in response.content.decode()
    assert lines() == []


def test_a_mark_cannot_become_blank(taught: Taught) -> None:
    taught.post("attendance", taught.marks(amara0="p"))

    page = taught.post("attendance", taught.marks())

    assert (page.status, "a mark cannot become blank: write a for absent" in page.words) == (400, True)


def test_a_later_change_asks_why(taught: Taught) -> None:
    taught.post("attendance", taught.marks(amara0="p"))

    asked = taught.post("attendance", taught.marks(amara0="a"))
    saved = taught.post("attendance", taught.marks(amara0="a", why="No signature"))

    assert (asked.status, "Say why the mark changes" in asked.words) == (400, True)
    assert "1 mark saved." in saved.words
    assert list(Attendance.objects.values_list("why", flat=True)) == ["", "No signature"]


def test_of_two_people_who_save_at_once_nothing_is_lost(taught: Taught) -> None:
    mine = taught.marks(amara0="a", jonah0="p")
    other = make.make_user("academy", "colleague")
    make.attend(taught.amara, 240, None, by=other)

    response = taught.client.post(taught.url("attendance"), mine)

    page = Shown(response)
    assert response.status_code == 409
    assert "colleague wrote 240 min meanwhile" in page.words
    assert lines() == [(taught.amara.pk, 240), (taught.jonah.pk, 240)]
    again = taught.marks(amara0="a", jonah0="p", why="Seen with my own eyes")
    assert "1 mark saved." in taught.post("attendance", again).words


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40])
def test_a_form_without_what_it_showed_is_refused(taught: Taught, seen: str) -> None:
    page = taught.post("attendance", taught.marks(amara0="p", seen=seen))

    assert page.status == 400
    assert lines() == []


def test_a_missed_block_is_made_up_and_taken_back(taught: Taught, cast: Cast) -> None:
    other = make.make_class("CIT-2026-03", cast.basic, days=[taught.day + timedelta(days=7)])
    taught.post("attendance", taught.marks(amara0="a", amara1="p"))
    block = other.meetings.order_by("starts_at")[0]
    chosen = {"makeup-missed": f"{taught.amara.pk}-{taught.blocks[0].pk}", "makeup-made_up_in": str(block.pk)}

    made = taught.post("attendance", {"act": "make_up", **chosen})
    again = taught.post("attendance", {"act": "make_up", **chosen})
    line = Attendance.objects.get(made_up_in=block)
    blank = taught.post("attendance", {"act": "take_back", "line": line.pk, "why": " "})
    back = taught.post("attendance", {"act": "take_back", "line": line.pk, "why": "Somebody else"})

    assert "240 minutes made up by Whitfield, Amara." in made.words
    assert "4 h in class CIT-2026-03 on" in made.words
    assert ["Record a make-up" in page.words for page in (made, back)] == [False, True]  # nothing more, and all of it
    assert again.status == 400
    assert (blank.status, "Say why: the reason stays with the make-up." in blank.words) == (400, True)
    assert "Make-up taken back." in back.words


@pytest.mark.parametrize(
    "data",
    [
        {"act": "make_up"},
        {"act": "make_up", "makeup-missed": "1-1", "makeup-made_up_in": "1"},
        {"act": "absent"},
        {"act": "absent", "absent-seat": "0"},
        {"act": "take_back", "line": "x", "why": "y"},
    ],
)
def test_forms_of_attendance_that_name_nothing_are_refused(taught: Taught, data: dict[str, str]) -> None:
    taught.post("attendance", taught.marks(amara0="a"))

    assert taught.client.post(taught.url("attendance"), data).status_code == 400
    assert Attendance.objects.count() == 1


def test_a_line_of_another_class_is_not_taken_back_here(taught: Taught, cast: Cast) -> None:
    other = make.make_class("CIT-2026-03", cast.basic, days=[taught.day - timedelta(days=7)])
    seat = make.make_seat(other, cast.amara)
    line = Attendance.objects.create(
        enrollment=seat, meeting=other.meetings.all()[0], made_up_in=taught.blocks[0], minutes=5
    )

    response = taught.client.post(taught.url("attendance"), {"act": "take_back", "line": line.pk, "why": "x"})

    assert response.status_code == 404


def test_who_did_not_come_is_said_so(taught: Taught) -> None:
    said = taught.post("attendance", {"act": "absent", "absent-seat": taught.jonah.pk, "absent-why": "Sick"})
    back = taught.post("attendance", {"act": "came", "absent-seat": taught.jonah.pk})

    assert "Delacroix, Jonah is down as not having come." in said.words
    assert "Delacroix, Jonah is back on the list to be marked." in back.words


def test_attendance_is_a_file_too(taught: Taught) -> None:
    taught.post("attendance", taught.marks(amara0="a", amara1="100"))

    rows = csv_rows(taught.client.get(taught.url("attendance"), {"export": "csv"}))

    assert rows[0][:3] == ["Id", "Name", "Seat"]
    assert rows[0][-2:] == ["Made up", "Attendance, percent"]
    assert [row[:1] + row[3:] for row in rows[1:]] == [
        ["003377", "", "", "0", "0.00"],
        ["", "", "", "0", "0.00"],
        ["002918", "0", "100", "0", "20.83"],
    ]
    assert len(xlsx_rows(taught.client.get(taught.url("attendance"), {"export": "xlsx"}))) == 4


@pytest.mark.parametrize("role", ["chief", "compliance", "auditor"])
def test_who_may_only_read_finds_no_field(taught: Taught, cast: Cast, role: str) -> None:
    taught.post("attendance", taught.marks(amara0="p"))
    client = cast.client(role)

    for name in ("attendance", "tests", "finish"):
        response = client.get(taught.url(name))
        main = response.content.decode().partition("<main")[2]
        assert response.status_code == 200
        assert "<form" not in main
        assert client.post(taught.url(name), taught.marks(amara0="a")).status_code == 404
    assert client.get(taught.url("reopen")).status_code == 404
    assert lines() == [(taught.amara.pk, 240)]


def test_the_academy_of_another_agency_sees_nothing_of_it(taught: Taught) -> None:
    other = make.make_agency("county", "County Sheriff")
    client = Client()
    client.force_login(make.make_user("academy", "county", agency=other))

    for name in ("attendance", "tests", "finish", "reopen"):
        assert client.get(taught.url(name)).status_code == 404
        assert client.post(taught.url(name), {}).status_code == 404


# --- tests ------------------------------------------------------------------------------------------------------------


def scores(taught: Taught, taken_on: date | None = None, **texts: str) -> dict[str, str]:
    seats = {"amara": taught.amara, "jonah": taught.jonah, "outside": taught.outside}
    data = {f"s-{seat.pk}": texts.get(name, "") for name, seat in seats.items()}
    named = {name: text for name, text in texts.items() if name not in seats}
    return {
        "act": "scores",
        "seen": str(read(taught.session).last_attempt),
        "test": str(taught.exam.pk),
        "taken_on": str(taken_on or taught.day),
        **data,
        **named,
    }


def test_scores_of_a_test_are_saved_and_shown(taught: Taught) -> None:
    page = taught.post("tests", scores(taught, amara="82,5", jonah="60 %"))

    assert "2 attempts at Written exam saved." in page.words
    day = f"{taught.day.day} {taught.day:%b %Y}"
    shown = {row[0].split(",")[0]: row[-1] for row in page.rows(ATTEMPTS)}
    assert shown["Whitfield"].startswith(f"82.5 % on {day}")
    assert shown["Whitfield"].endswith("passed")
    assert shown["Delacroix"].endswith("failed")
    assert shown["Okafor"] == "not taken"


@pytest.mark.parametrize("text", ["101", "-1", "x", "NaN", "1e3", "82.555", "Infinity"])
def test_what_is_no_percentage_is_refused_and_kept(taught: Taught, text: str) -> None:
    response = taught.client.post(taught.url("tests"), scores(taught, amara=text, jonah="80"))

    assert response.status_code == 400
    assert f'value="{text}"' in response.content.decode()
    assert TestAttempt.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Write a score for at least one person."),
        ({"amara": "80", "taken_on": "2100-01-01"}, "The day of the test is in the future."),
        ({"amara": "80", "taken_on": ""}, "Taken on: fill this in."),
        ({"amara": "80", "test": "0"}, "Select a valid choice."),
        ({"amara": "80", "seen": "x"}, "Enter a whole number."),
    ],
)
def test_scores_that_cannot_be_saved_say_why(taught: Taught, values: dict[str, str], said: str) -> None:
    values = dict(values)
    amara = values.pop("amara", "")
    page = taught.post("tests", {**scores(taught, amara=amara), **values})

    assert page.status == 400
    assert said in page.words or "seen" in values
    assert TestAttempt.objects.count() == 0


def test_a_re_test_asks_for_remedial_training(taught: Taught) -> None:
    taught.post("tests", scores(taught, amara="60"))
    later = taught.day + timedelta(days=5)

    asked = taught.post("tests", scores(taught, later, amara="82"))
    saved = taught.post("tests", scores(taught, later, amara="82", remedial_on=str(later)))

    assert (asked.status, "say on which day the remedial training was" in asked.words) == (400, True)
    assert "1 attempt at Written exam saved." in saved.words


def test_an_attempt_is_corrected_with_a_reason(taught: Taught) -> None:
    taught.post("tests", scores(taught, amara="60"))
    attempt = TestAttempt.objects.get()
    url = f"{taught.url('tests')}?correct={attempt.pk}"
    form = {"act": "correct", "correct": attempt.pk, "score": "85", "taken_on": str(taught.day), "remedial_on": ""}

    asked = Shown(taught.client.get(url))
    blank = taught.post("tests", form)
    same = taught.post("tests", {**form, "score": "60", "why": "x"})
    done = taught.post("tests", {**form, "why": "Read wrongly"})
    again = taught.client.post(taught.url("tests"), {**form, "why": "Read wrongly"})

    assert "Correct this attempt of Whitfield, Amara at Written exam" in asked.words
    assert (blank.status, same.status) == (400, 400)
    assert "Attempt corrected." in done.words
    assert again.status_code == 404
    assert [str(score) for score in TestAttempt.objects.order_by("pk").values_list("score", flat=True)] == [
        "60.00",
        "85.00",
    ]
    assert taught.client.get(url).status_code == 404


def test_tests_are_a_file_too(taught: Taught) -> None:
    taught.post("tests", scores(taught, amara="60"))

    rows = csv_rows(taught.client.get(taught.url("tests"), {"export": "csv"}))

    assert rows[1] == ["002918", "Whitfield, Amara", "Written exam", str(taught.day), "60.00", "", "yes", ""]


# --- finish and reopen ------------------------------------------------------------------------------------------------


@pytest.fixture
def tested(taught: Taught) -> Taught:
    """Amara passed, Jonah failed the exam, Ruth Okafor from outside passed."""
    for seat, score in ((taught.amara, 82), (taught.jonah, 60), (taught.outside, 90)):
        make.attend(seat)
        TestAttempt.objects.create(enrollment=seat, test=taught.exam, taken_on=taught.day, score=score)
    return taught


def shown_digest(taught: Taught) -> str:
    session = ClassSession.objects.get(pk=taught.session.pk)
    return finish.plan(session, by=User.objects.get(username="academy"), today=timezone.localdate()).digest


def test_the_preview_says_who_passes_and_what_changes(tested: Taught) -> None:
    page = Shown(tested.client.get(tested.url("finish")))

    passing = page.rows("Who passes, on which day, and what it changes today; nothing is recorded yet")
    day = f"{tested.day.day} {tested.day:%b %Y}"
    assert passing == [
        ["Okafor, Ruth", day, "90 %", "100.00 %", "Their record is kept elsewhere."],
        [
            "Whitfield, Amara 002918",
            day,
            "82 %",
            "100.00 %",
            "overdue → current Requirement refresher",
        ],
    ]
    assert page.rows("Who does not pass, and why") == [
        ["Delacroix, Jonah", "failed", "Written exam: 60 %, and 70 % passes."]
    ]
    assert Completion.objects.filter(class_number="CIT-2026-02").count() == 0


def test_a_class_is_finished_and_shows_what_it_came_to(tested: Taught) -> None:
    shown = shown_digest(tested)

    page = tested.post("finish", {"shown": shown})
    again = tested.post("finish", {"shown": shown})

    assert "Class finished: 1 completion recorded." in page.words
    assert "This class was finished already; nothing was recorded twice." in again.words
    came_to = {row[0]: (row[2], row[-1]) for row in page.rows("What each person came to")}
    day = f"{tested.day.day} {tested.day:%b %Y}"
    assert came_to == {
        "Okafor, Ruth": (day, "Their record is kept elsewhere."),
        "Whitfield, Amara": (day, "–"),
        "Delacroix, Jonah": ("–", "Written exam: 60 %, and 70 % passes."),
    }
    assert Completion.objects.filter(class_number="CIT-2026-02").count() == 1
    closed = Shown(tested.client.get(tested.url("attendance")))
    assert "Save attendance" not in closed.words


@pytest.mark.parametrize("shown", ["", "0" * 64, "x" * 65])
def test_a_class_is_not_finished_unseen(tested: Taught, shown: str) -> None:
    response = tested.client.post(tested.url("finish"), {"shown": shown})

    assert response.status_code in (400, 409)
    assert ClassSession.objects.get(pk=tested.session.pk).state == ClassState.PLANNED


def test_a_class_is_reopened_with_a_reason(tested: Taught) -> None:
    tested.post("finish", {"shown": shown_digest(tested)})

    before = Shown(tested.client.get(tested.url("reopen")))
    blank = tested.client.post(tested.url("reopen"), {"why": " "})
    page = tested.post("reopen", {"why": "The sheet of the second block turned up"})
    again = tested.client.get(tested.url("reopen"))

    assert "Voids 1 completion that the finish recorded" in before.words
    assert blank.status_code == 400
    assert "Class reopened." in page.words
    assert Completion.objects.known().filter(class_number="CIT-2026-02").count() == 0
    assert (again.status_code, again["Location"]) == (302, tested.url("finish"))


def test_whoever_the_class_gave_a_completion_is_told_why_they_cannot_reopen_it(tested: Taught, cast: Cast) -> None:
    tested.post("finish", {"shown": shown_digest(tested)})
    completion = Completion.objects.get(class_number="CIT-2026-02")
    Access.objects.create(user=cast.users["academy"], role="officer", officer=completion.officer)

    before = Shown(tested.client.get(tested.url("reopen")))
    answer = tested.client.post(tested.url("reopen"), {"why": "The sheet turned up"})

    said = "nobody voids a completion of their own. Somebody else has to reopen it."
    assert said in before.words
    assert "Reopen the class and void" not in before.words
    assert (answer.status_code, Shown(answer).words.count(said)) == (400, 1)
    assert Completion.objects.known().filter(pk=completion.pk).exists()


def test_where_two_are_asked_for_one_asks_and_another_accepts(tested: Taught, cast: Cast) -> None:
    Agency.objects.update(asks_two=True)
    tested.post("finish", {"shown": shown_digest(tested)})
    before = Shown(tested.client.get(tested.url("reopen")))

    page = tested.post("reopen", {"why": "The sheet turned up"})
    alone = tested.client.post(tested.url("reopen"), {"act": "accept"})
    waiting = Shown(cast.client("admin").get(reverse("correction-list")))
    theirs = Shown(cast.client("admin").get(tested.url("reopen")))
    answered = cast.client("admin").post(tested.url("reopen"), {"act": "accept"}, follow=True)

    assert "nothing changes until somebody else accepts it" in before.words
    assert "Asked for. Nothing changed yet: somebody else has to accept it." in page.words
    assert "asked on" in page.words
    assert (alone.status_code, "You asked for it. Somebody else has to accept." in Shown(alone).words) == (400, True)
    assert "CIT-2026-02" in waiting.links
    assert "The sheet turned up" in waiting.words
    assert "Accept: reopen the class and void 1 completion" in theirs.words
    assert "Class reopened." in Shown(answered).words
    assert Completion.objects.known().filter(class_number="CIT-2026-02").count() == 0
    assert "CIT-2026-02" not in Shown(cast.client("admin").get(reverse("correction-list"))).links


@pytest.mark.parametrize(
    ("role", "button", "told"),
    [
        pytest.param("academy", "Withdraw what you asked", "withdrawn", id="withdrawn"),
        pytest.param("admin", "Refuse: leave it finished", "refused", id="refused"),
    ],
)
def test_a_class_that_was_asked_for_stays_finished(
    tested: Taught, cast: Cast, role: str, button: str, told: str
) -> None:
    Agency.objects.update(asks_two=True)
    tested.post("finish", {"shown": shown_digest(tested)})
    tested.post("reopen", {"why": "x"})
    client = cast.client(role)

    offered = Shown(client.get(tested.url("reopen")))
    page = Shown(client.post(tested.url("reopen"), {"act": "refuse", "note": "Not our class"}, follow=True))
    again = Shown(client.post(tested.url("reopen"), {"act": "refuse", "note": ""}, follow=True))

    assert button in offered.words
    assert "The class stays finished." in page.words
    assert "Say why" in again.words  # the page that asks, since nobody asks any more
    assert tested.session.events.get(what="declined").told == told
    assert "Not our class" in Shown(client.get(reverse("class-detail", args=["CIT-2026-02"]))).words


def test_who_has_one_like_it_is_decided_on_the_page(tested: Taught, cast: Cast) -> None:
    course, day = tested.session.course, tested.day
    has = make.complete(cast.amara, course, day - timedelta(days=2), class_number="C-9")
    shown, name = shown_digest(tested), f"alike-{tested.amara.pk}"

    before = Shown(tested.client.get(tested.url("finish")))
    undecided = tested.client.post(tested.url("finish"), {"shown": shown})
    odd = tested.client.post(tested.url("finish"), {"shown": shown, name: "x", "rest": ""})
    page = tested.post("finish", {"shown": shown, name: "leave"})

    assert "1 has one like it already" in before.words
    assert "Recorded already" in before.words
    assert "class C-9, recorded" in before.words
    assert "record 0 completions and those you choose" in before.words
    assert before.links[f"{has.completed_on.day} {has.completed_on:%b %Y}"] == reverse(
        "completion-detail", args=[has.pk]
    )
    assert "Say of everybody who has a completion like this one" in Shown(undecided).words
    assert (undecided.status_code, odd.status_code) == (409, 409)
    assert "Class finished: 0 completions recorded." in page.words
    assert "Left out: what is recorded on" in page.words


def test_what_was_chosen_stays_when_somebody_is_missing(tested: Taught, cast: Cast) -> None:
    failed = TestAttempt.objects.get(enrollment=tested.jonah)
    TestAttempt.objects.create(
        enrollment=tested.jonah, test=tested.exam, taken_on=tested.day, score=90, replaces=failed
    )
    for officer in (cast.amara, cast.jonah):
        make.complete(officer, tested.session.course, tested.day - timedelta(days=1))
    shown, name = shown_digest(tested), f"alike-{tested.amara.pk}"

    page = tested.client.post(tested.url("finish"), {"shown": shown, name: "both"})
    done = tested.post("finish", {"shown": shown, name: "both", "rest": "leave"})

    assert "whether both were taught: Delacroix, Jonah." in Shown(page).words
    assert f'name="{name}" value="both" id="{name}-both" checked' in page.content.decode()
    assert "Class finished: 1 completion recorded." in done.words
    assert Completion.objects.get(class_number="CIT-2026-02").officer == cast.amara


def test_standings_of_members_out_of_reach_are_not_shown(tested: Taught) -> None:
    county = make.make_agency("county", "County Sheriff")
    pd = Agency.objects.get(code="pd")
    guest = make.make_seat(tested.session, make.make_officer("777", last_name="Guest", agency=county))
    make.attend(guest)
    TestAttempt.objects.create(enrollment=guest, test=tested.exam, taken_on=tested.day, score=90)
    client = Client()
    client.force_login(make.make_user("academy", "own", agency=pd))

    page = Shown(client.get(tested.url("finish")))

    passing = page.rows("Who passes, on which day, and what it changes today; nothing is recorded yet")
    assert [row[-1] for row in passing if row[0].startswith("Guest")] == [""]


@pytest.mark.parametrize("name", ["attendance", "tests", "finish"])
def test_a_page_asks_the_same_of_the_database_for_everybody(tested: Taught, name: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert tested.client.get(tested.url(name)).status_code == 200
        return len(found)

    few = queries()
    for number in range(10):
        seat = make.make_seat(tested.session, make.make_officer(last_name=f"More{number}"))
        make.attend(seat)
        TestAttempt.objects.create(enrollment=seat, test=tested.exam, taken_on=tested.day, score=90)

    assert queries() == few
