"""Undoing an import: everything is as before, what was built on since stays, and importing again gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test.utils import override_settings

from compliance import import_runs, undo
from compliance.models import ImportRun, Standing
from compliance.standings import differences
from roster.facts import Via, recording
from roster.models import Access, Assignment, Employment, Officer, Unit
from roster.plans import ImportOptions
from roster.records import correct
from tests.factories import make_agency, make_course, make_requirement, make_user
from tests.importing import shown
from tests.waiting_jobs import work
from training.models import Completion, EvidenceDecision

pytestmark = pytest.mark.django_db(transaction=True)

UNITS = "code,parent,function\nPB,,patrol\nCEN,PB,\n"
OFFICERS = (
    "employee_id,last_name,first_name,badge,hired_on\n"
    "001,Whitfield,Amara,77,2015-02-01\n"
    "002,Delacroix,Jonah,,2016-03-01\n"
)
HOMES = "employee_id,unit,shift,rank,start_on\n001,CEN,days,officer,2015-02-01\n002,CEN,nights,officer,2016-03-01\n"
COURSES = "code,title,kind,hours\nCIT-40,CIT basic,cit,40\n"
TITLES = "title,course,source\nCRISIS 40,CIT-40,HR\n"
#: a later export: somebody moved, and a class was shorter than it was said to be
MOVED = "employee_id,unit,shift,start_on\n001,PB,nights,2024-01-01\n"
SHORTER = "employee_id,course,completed_on,hours\n001,CIT-40,2019-05-03,36\n"
SHORTEST = "employee_id,course,completed_on,hours\n001,CIT-40,2019-05-03,32\n"
DONE = "employee_id,course,completed_on,hours\n001,CRISIS 40,2019-05-03,40\n002,ROLL CALL 7,2020-01-02,1\n"
FILES = [
    ("units", UNITS),
    ("officers", OFFICERS),
    ("assignments", HOMES),
    ("courses", COURSES),
    ("course_aliases", TITLES),
    ("completions", DONE),
]


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield tmp_path


@pytest.fixture
def academy() -> User:
    make_agency()
    return make_user("academy", "academy")


def sent(by: User, kind: str, text: str, **options: Any) -> ImportRun:
    """A file recorded by the way the pages take."""
    file = SimpleUploadedFile(f"{kind}.csv", text.encode())
    run = import_runs.keep(file, kind=kind, source="HR", agency=make_agency(), by=by)
    import_runs.start_plan(run, by=by, options=ImportOptions(source="HR", unknown_course="create", **options))
    work()
    run.refresh_from_db()
    import_runs.start_record(run, digest=run.plan_digest, by=by)
    work()
    run.refresh_from_db()
    assert run.state == "recorded"
    return run


def undone(run: ImportRun, by: User) -> ImportRun:
    import_runs.start_undo(run, digest=undo.look(run, by=by).digest(), why="The wrong file", by=by)
    work()
    run.refresh_from_db()
    assert run.state == "undone", run.job.error if run.job else ""
    return run


def answers() -> dict[str, list[Any]]:
    """What is known, told by what people know things by: ids of rows made again differ."""
    return {
        "members": list(Officer.objects.values_list("employee_id", "last_name", "first_name", "badge")),
        "homes": list(
            Assignment.objects.known()
            .order_by("officer__employee_id", "start_on")
            .values_list("officer__employee_id", "unit__code", "shift__code", "rank__code", "start_on", "end_on")
        ),
        "completions": list(
            Completion.objects.known()
            .order_by("officer__employee_id")
            .values_list("officer__employee_id", "course__code", "completed_on", "hours")
        ),
        "standings": sorted(
            map(
                str,
                Standing.objects.values_list(
                    "officer__employee_id", "requirement__code", "state", "start_on", "due_on", "unit__code"
                ),
            )
        ),
    }


def test_all_runs_undone_leave_everything_as_before_and_can_be_sent_again(academy: User) -> None:
    make_requirement(population={"functions": ["patrol"]})
    moments = [shown()]
    runs = []
    later = [("assignments", MOVED), ("completions", SHORTER), ("completions", SHORTEST)]
    for kind, text in [*FILES, *later]:
        runs.append(sent(academy, kind, text))
        moments.append(shown())
    first = answers()

    for run in reversed(runs):
        moments.pop()
        undone(run, academy)
        assert shown() == moments[-1], run.kind
        assert run.undone["left_count"] == 0
    assert differences() == {}

    for kind, text in [*FILES, *later]:
        sent(academy, kind, text)

    assert answers() == first
    assert differences() == {}


def test_what_a_run_ended_or_replaced_comes_back_and_follows_it(academy: User) -> None:
    for kind, text in FILES:
        sent(academy, kind, text)
    before = shown()
    home = sent(academy, "assignments", MOVED)
    hours = sent(academy, "completions", SHORTER)

    undone(hours, academy)
    undone(home, academy)

    assert shown() == before
    back = Completion.objects.known().get(officer__employee_id="001")
    assert back.replaces is not None
    assert back.replaces.recorded_in == hours.change
    assert (back.replaces.hours, back.hours) == (36, 40)
    ended = Assignment.objects.known().get(officer__employee_id="001")
    assert ended.replaces is not None
    assert (ended.end_on, ended.replaces.end_on) == (None, date(2023, 12, 31))


def test_a_run_with_completions_of_its_sender_is_undone_and_sent_again(academy: User) -> None:
    for kind, text in FILES[:-1]:
        sent(academy, kind, text)
    before = shown()
    Access.objects.create(user=academy, role="officer", officer=Officer.objects.get(employee_id="001"))

    for _ in range(2):
        run = sent(academy, "completions", DONE)
        told = list(run.lines.order_by("line").values_list("verdict", "has_warning"))
        stands = list(Completion.objects.known().order_by("officer__employee_id").values_list("evidence", flat=True))
        undone(run, academy)

        assert (told, stands) == ([("new", True), ("new", True)], ["pending", "verified"])
        assert shown() == before
    assert run.undone["left_count"] == 0


def test_what_a_run_says_of_whoever_undoes_it_waits_for_another(academy: User) -> None:
    for kind, text in FILES:
        sent(academy, kind, text)
    before = shown()
    run = sent(academy, "completions", SHORTER + "002,CIT-40,2021-05-03,40\n")
    member = make_user("academy")
    Access.objects.create(user=member, role="officer", officer=Officer.objects.get(employee_id="001"))

    undone(run, member)
    left, stands = run.undone["left"], shown()
    hours = list(Completion.objects.known().filter(officer__employee_id="001").values_list("hours", flat=True))
    undone(run, academy)

    assert left == [["001 Whitfield, Amara", undo.OWN]]
    assert hours == [36]
    assert stands != before
    assert shown() == before
    assert run.undone["left_count"] == 0


def test_runs_undone_in_any_order_leave_everything_as_before(academy: User) -> None:
    for kind, text in FILES:
        sent(academy, kind, text)
    before = shown()
    shorter = sent(academy, "completions", SHORTER)
    shortest = sent(academy, "completions", SHORTEST)

    undone(shorter, academy)
    between = Completion.objects.known().get(officer__employee_id="001").hours
    undone(shortest, academy)

    assert shorter.undone["left_count"] == 1
    assert (between, shortest.undone["returned"]) == (32, {"completions": 1})
    assert shown() == before
    assert differences() == {}


def test_what_stayed_is_undone_once_nothing_stands_on_it(academy: User) -> None:
    sent(academy, "units", UNITS)
    before = shown()
    officers = sent(academy, "officers", OFFICERS)
    homes = sent(academy, "assignments", "\n".join(HOMES.split("\n")[:2]))

    undone(officers, academy)
    stayed = [what for what, _ in officers.undone["left"]]
    undone(homes, academy)
    undone(officers, academy)

    assert stayed == ["001 Whitfield, Amara"]
    assert shown() == before
    assert officers.undone["withdrawn"] == {"officers": 2}
    assert (officers.undone["left_count"], len(officers.undone_changes)) == (0, 2)
    assert undo.look(officers).does_something is False


def test_a_decision_carried_over_by_a_run_comes_back_with_its_completion(academy: User) -> None:
    for kind, text in FILES[:4]:
        sent(academy, kind, text)
    pending = "employee_id,course,completed_on,hours,evidence\n001,CIT-40,2019-05-03,40,pending\n"
    sent(academy, "completions", pending)
    completion = Completion.objects.known().get()
    with recording(by=None, via=Via.PAGE, why="Seen") as recorder:
        recorder.record(
            EvidenceDecision(
                officer=completion.officer, completion=completion, decision="verified", decided_on=date(2019, 6, 1)
            )
        )
    before = shown()
    run = sent(academy, "completions", "employee_id,course,completed_on,hours\n001,CIT-40,2019-05-03,36\n")

    undone(run, academy)

    after = shown()
    assert [len(after[name]) for name in ("Completion", "EvidenceDecision")] == [1, 1]
    assert after["Completion"] == before["Completion"]
    assert EvidenceDecision.objects.known().get().completion == Completion.objects.known().get()


def test_details_that_a_run_changed_go_back(academy: User) -> None:
    sent(academy, "officers", OFFICERS)
    before = shown()
    run = sent(academy, "officers", "employee_id,last_name,first_name,badge\n001,Whitfield-Moss,Amara,78\n")
    assert Officer.objects.search("77").count() == 1

    undone(run, academy)

    assert shown() == before
    assert run.undone["set_back"] == {"officers": 1}


def test_what_was_corrected_or_decided_since_stays_and_is_named(academy: User) -> None:
    for kind, text in FILES[:-1]:
        sent(academy, kind, text)
    run = sent(academy, "completions", DONE)
    mine, other = Completion.objects.known().order_by("officer__employee_id")
    with recording(by=academy, via=Via.PAGE, why="By hand") as recorder:
        corrected = correct(recorder, mine, hours=38)
        decided = EvidenceDecision(
            officer=other.officer, completion=other, decision="rejected", decided_on=date(2020, 2, 1)
        )
        recorder.record(decided)

    undone(run, academy)

    assert set(Completion.objects.known()) == {corrected, other}
    assert EvidenceDecision.objects.known().get() == decided
    assert [what.split(" ", 1)[0] for what, _ in run.undone["left"][:2]] == ["001", "002"]
    assert [why for _, why in run.undone["left"]] == [
        "It was corrected or voided since: what stands now stays.",
        "A decision, a file or a certificate stands on it.",
        "Something else stands on it.",
    ]


def test_members_and_units_that_others_build_on_stay(academy: User) -> None:
    units, officers, homes = (sent(academy, kind, text) for kind, text in FILES[:3])

    looked = undo.look(officers), undo.look(units)
    undone(homes, academy)
    undone(officers, academy)
    undone(units, academy)

    assert [found.does_something for found in looked] == [False, False]
    assert [found.left_count for found in looked] == [2, 2]
    assert (Unit.objects.count(), Officer.objects.count(), Employment.objects.known().count()) == (0, 0, 0)
    assert (Unit.every.count(), Officer.every.count()) == (2, 2)


def test_a_return_that_the_record_refuses_by_now_leaves_that_member_alone(academy: User) -> None:
    for kind, text in FILES[:3]:
        sent(academy, kind, text)
    more = "employee_id,unit,start_on\n001,PB,2024-01-01\n002,PB,2024-01-01\n"
    run = sent(academy, "assignments", more)
    later = Assignment.objects.known().get(officer__employee_id="001", start_on=date(2024, 1, 1))
    with recording(by=academy, via=Via.PAGE, why="Moved on a day later") as recorder:
        moved = correct(recorder, later, start_on=date(2024, 1, 2))

    undone(run, academy)

    first = Assignment.objects.known().filter(officer__employee_id="001").order_by("start_on")
    assert [(one.start_on, one.end_on) for one in first] == [
        (date(2015, 2, 1), date(2023, 12, 31)),
        (date(2024, 1, 2), None),
    ]
    assert first[1] == moved
    assert Assignment.objects.known().get(officer__employee_id="002").end_on is None
    assert "cannot come back" in run.undone["left"][0][1]


def test_undoing_does_what_was_shown_or_says_that_something_changed(academy: User) -> None:
    for kind, text in FILES[:-1]:
        sent(academy, kind, text)
    run = sent(academy, "completions", DONE)
    digest = undo.look(run).digest()
    with recording(by=academy, via=Via.PAGE, why="By hand") as recorder:
        correct(recorder, Completion.objects.known().earliest("pk"), hours=38)

    job = import_runs.start_undo(run, digest=digest, why="", by=academy)
    work()

    assert job is not None
    job.refresh_from_db()
    run.refresh_from_db()
    assert (job.state, job.error, run.state) == ("failed", undo.MEANWHILE, "recorded")
    assert Completion.objects.known().count() == 2


def test_asking_twice_undoes_once(academy: User) -> None:
    run = sent(academy, "units", UNITS)
    digest = undo.look(run).digest()
    job = import_runs.start_undo(run, digest=digest, why="", by=academy)
    assert job is not None

    with pytest.raises(import_runs.Busy):
        import_runs.start_undo(run, digest=digest, why="", by=academy)
    work()
    again = undo.undo_import(job, lambda done, total: None)

    assert again == {"run": run.pk}
    assert import_runs.start_undo(run, digest=digest, why="", by=academy) is None
    assert Unit.objects.count() == 0


def test_a_worker_that_dies_half_way_leaves_nothing_half_done(academy: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = sent(academy, "officers", OFFICERS)
    before = shown()
    job = import_runs.start_undo(run, digest=undo.look(run).digest(), why="", by=academy)
    assert job is not None
    with monkeypatch.context() as patch:
        patch.setattr(ImportRun, "save", _killed)
        with pytest.raises(KeyboardInterrupt):
            undo.undo_import(job, lambda done, total: None)

    after = shown()
    work()

    run.refresh_from_db()
    assert after == before
    assert (run.state, Officer.objects.count()) == ("undone", 0)


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_what_was_known_then_stays_known(academy: User) -> None:
    make_course("CIT-40")
    runs = [sent(academy, kind, text) for kind, text in FILES[:3]]
    assert runs[1].change is not None
    then = runs[2].change.at if runs[2].change else None

    for run in reversed(runs):
        undone(run, academy)

    for model, number in ((Employment, 2), (Assignment, 2)):
        facts: models.QuerySet[Any] = model.objects.known(then)
        assert [fact.officer.employee_id for fact in facts.order_by("officer__employee_id")] == ["001", "002"][:number]
        assert model.objects.known().count() == 0


def test_a_title_that_a_run_mapped_goes_back_to_nothing(academy: User) -> None:
    make_requirement(entry=(make_course("CIT-40", title="CIT basic", title_key="cit basic"),))
    sent(academy, "officers", OFFICERS)
    sent(academy, "completions", DONE)
    before = shown()
    run = sent(academy, "course_aliases", "title,course\nCRISIS 40,CIT-40\n")
    mapped = Standing.objects.filter(officer__employee_id="001", state="current").count()

    undone(run, academy)

    assert mapped == 1
    assert shown() == before
    assert run.undone["withdrawn"] == {"mapped titles": 1}
    assert run.undone["set_back"] == {"courses": 1}
    assert differences() == {}


@pytest.mark.parametrize(
    ("kind", "made", "changed"),
    [
        pytest.param("units", "code,name\nX,Ex\n", "code,name,function\nX,Other,patrol\n", id="units"),
        pytest.param("courses", "code,title\nX,Ex\n", "code,title,hours,mode\nX,Other,8,online\n", id="courses"),
        pytest.param(
            "lesson_plans",
            "course,version,start_on\nCIT-40,v1,2019-01-01\n",
            "course,version,start_on,end_on\nCIT-40,v1,2019-02-01,2024-12-31\n",
            id="lesson-plans",
        ),
        pytest.param(
            "equivalencies",
            "course,counts_as,start_on\nCIT-40,REF-8,2019-01-01\n",
            "course,counts_as,start_on,end_on\nCIT-40,REF-8,2019-01-01,2024-12-31\n",
            id="equivalencies",
        ),
        pytest.param("leaves", "employee_id,kind,start_on\n9,sick,2024-01-01\n", "", id="leaves"),
        pytest.param("designations", "employee_id,code,start_on\n9,cit,2024-01-01\n", "", id="designations"),
        pytest.param(
            "waivers",
            "employee_id,requirement,start_on,end_on\n9,refresher,2024-01-01,2024-02-01\n",
            "employee_id,requirement,start_on,end_on\n9,refresher,2024-01-01,2024-03-01\n",
            id="waivers",
        ),
    ],
)
def test_every_kind_is_undone_made_or_changed(academy: User, kind: str, made: str, changed: str) -> None:
    course = make_course("CIT-40", title="CIT basic", title_key="cit basic")
    make_course("REF-8", title="Refresher", title_key="refresher")
    make_requirement("refresher", entry=(course,))
    sent(academy, "officers", "employee_id,last_name,first_name,hired_on\n9,Osei,Ruth,2015-01-01\n")
    moments, runs = [shown()], []
    for text in filter(None, (made, changed)):
        runs.append(sent(academy, kind, text))
        moments.append(shown())

    for run in reversed(runs):
        moments.pop()
        undone(run, academy)
        assert shown() == moments[-1]

    assert len(runs) == (2 if changed else 1)
    assert differences() == {}
