"""Mass extensions and mass waivers: one act over a population, for an emergency that closes the academy.

An act is looked at first: a job judges every member of the population on the day and keeps a line for each. Recording
judges them again under the locks and goes on only if every line is still the same; all that is granted is one change.
Ending takes back whatever of it still stands, as another. Each job looks first at whether its work is done, so one that
a dead worker left behind is done again safely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from compliance import coverage, jobs, standings
from compliance.approval_imports import in_force_on
from compliance.gather import gather_members, gather_rules, known_facts
from compliance.models import Extension, Job, JobState, MassAct, MassLine, Waiver
from roster.access import own_members
from roster.facts import FactRefused, Via, recording
from roster.tree import UnitTree

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from roster.access import Viewer

State, Verdict, Kind = MassAct.State, MassLine.Verdict, MassAct.Kind

LOOK, RECORD, END = "look_mass_act", "record_mass_act", "end_mass_act"
CHANGED = "The records changed since this was looked at. It was looked at again: check it, then record."
MEANWHILE = "Somebody else went on with this act meanwhile. Look at it again."


class Line(NamedTuple):
    """What the act means for one member."""

    officer: int
    unit: int | None
    verdict: str
    was: str
    due_on: date | None


def visible(viewer: Viewer) -> QuerySet[MassAct]:
    """Acts on agencies that this user reads whole, without those that were discarded."""
    acts = MassAct.objects.exclude(state=State.DISCARDED).select_related(
        "requirement", "approver", "asked_by", "job", "change__by", "ended_in__by"
    )
    if viewer.agencies is None:
        return acts
    return acts.filter(agencies__isnull=False, agencies__contained_by=sorted(viewer.agencies))


# Ask


def ask(act: MassAct, units: Collection[int], *, by: User) -> MassAct:
    """Have an act looked at; the same form sent twice asks once. The act that is looked at."""
    with transaction.atomic():
        values = {
            field.attname: getattr(act, field.attname)
            for field in MassAct._meta.concrete_fields
            if field.name not in ("id", "token")
        }
        kept, is_new = MassAct.objects.get_or_create(token=act.token, defaults=values)
        if is_new:
            kept.units.set(units)
            kept.job = jobs.start(LOOK, {"act": kept.pk}, by=by)
            kept.save(update_fields=["job"])
    return kept


def record(act: MassAct, *, digest: str, by: User) -> bool:
    """Ask for exactly what was shown to be recorded; False where that was asked already."""
    return _go_on(act, State.LOOKED, State.RECORDING, RECORD, {"digest": digest}, by=by)


def end(act: MassAct, *, why: str, by: User) -> bool:
    """Ask for what the act granted to be taken back; False where that was asked already."""
    return _go_on(act, State.RECORDED, State.ENDING, END, {"why": why}, by=by)


def discard(act: MassAct) -> bool:
    """Drop an act that was not recorded; False where it went on already."""
    with transaction.atomic():
        gone = MassAct.objects.filter(pk=act.pk, state=State.LOOKED).update(state=State.DISCARDED)
        if gone:
            MassLine.objects.filter(act=act).delete()
    return bool(gone)


def again(act: MassAct, *, by: User) -> bool:
    """After a job that failed: looked at again, or back to what is recorded; False where none failed."""
    with transaction.atomic():
        locked = MassAct.objects.select_for_update(of=("self",)).select_related("job").get(pk=act.pk)
        if locked.job is None or locked.job.state != JobState.FAILED:
            return False
        if locked.state == State.ENDING:
            locked.state = State.RECORDED
        elif locked.state in (State.LOOKING, State.RECORDING):
            locked.state, locked.job = State.LOOKING, jobs.start(LOOK, {"act": act.pk}, by=by)
        else:
            return False
        locked.save(update_fields=["state", "job"])
    return True


def _go_on(act: MassAct, seen: str, following: str, kind: str, arguments: Mapping[str, Any], *, by: User) -> bool:
    """From one state to the next, with the job that does it; only one of two who ask at once does."""
    with transaction.atomic():
        if not MassAct.objects.filter(pk=act.pk, state=seen).update(state=following, problem=""):
            return False
        job = jobs.start(kind, {"act": act.pk, **arguments}, by=by)
        MassAct.objects.filter(pk=act.pk).update(job=job)
    return True


# Judge


def population(act: MassAct) -> list[tuple[int, int | None, str, date | None]]:
    """(officer, unit, state, due date) of whom the act is about, by id. Four queries."""
    rows = coverage.standings_on(act.on_day, requirement_ids=[act.requirement_id])
    if act.agencies is not None:
        rows = rows.filter(officer__agency__in=act.agencies)
    units = list(act.units.values_list("pk", flat=True))
    if units:
        rows = rows.filter(unit__in=UnitTree().below(units))
    return list(rows.order_by("officer_id").values_list("officer_id", "unit_id", "state", "due_on"))


def judge(act: MassAct, progress: standings.Progress | None = None) -> list[Line]:
    """What the act means for each member, in the order of ids. Extensions cost eight queries for a slice of members."""
    rows = population(act)
    own = own_members(act.asked_by) | own_members(act.approver)
    found: list[Line] = []
    decide = _decide_waivers if act.kind == Kind.WAIVER else _decide_extensions
    for start in range(0, len(rows), standings.SLICE):
        part = rows[start : start + standings.SLICE]
        decided = decide(act, [officer for officer, *_ in part])
        for officer, unit, was, _ in part:
            verdict, due_on = decided[officer]
            found.append(Line(officer, unit, Verdict.OWN.value if officer in own else verdict, was, due_on))
        if progress is not None:
            progress(len(found), len(rows))
    return found


def _decide_waivers(act: MassAct, ids: Sequence[int]) -> dict[int, tuple[str, date | None]]:
    """A waiver excuses whoever has none from the same day, and none that covers all its days."""
    has = {
        officer
        for officer, start_on, end_on in known_facts(Waiver, ids, None)
        .filter(requirement=act.requirement_id, start_on__lte=act.on_day)
        .values_list("officer_id", "start_on", "end_on")
        if start_on == act.on_day or end_on >= act.until_on
    }
    return {officer: ((Verdict.NEEDS_NONE if officer in has else Verdict.GRANTED).value, None) for officer in ids}


def _decide_extensions(act: MassAct, ids: Sequence[int]) -> dict[int, tuple[str, date | None]]:
    """An extension moves the date in force of whoever's had not passed, where it is earlier (rules.md 6)."""
    rules = gather_rules().for_requirements([act.requirement_id])
    editions = rules.editions.get(act.requirement_id, ())
    found = {}
    for officer, facts in gather_members(ids, rules).items():
        held = in_force_on(act.on_day, editions, facts)
        if held.has_passed or held.edition is None:
            verdict = Verdict.TOO_LATE
        elif held.due_on is None or act.until_on <= held.due_on:
            verdict = Verdict.NEEDS_NONE
        else:
            verdict = Verdict.GRANTED
        found[officer] = (verdict.value, held.due_on)
    return found


def digest_of(lines: Sequence[Line]) -> str:
    """SHA-256 of the lines: equal where everybody is told the same."""
    return sha256("\n".join(str(tuple(line)) for line in lines).encode()).hexdigest()


# Do


def look_job(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: judge everybody and keep the lines. Done again, it replaces what it kept."""
    act = MassAct.objects.select_related("asked_by", "approver").get(pk=job.arguments["act"])
    with standings.snapshot():
        lines = judge(act, progress)
    with transaction.atomic():
        if MassAct.objects.select_for_update().get(pk=act.pk).state != State.LOOKING:
            return {"act": act.pk}
        MassLine.objects.filter(act=act).delete()
        _copy_lines(act, lines)
        MassAct.objects.filter(pk=act.pk).update(
            state=State.LOOKED, digest=digest_of(lines), counts=dict(Counter(line.verdict for line in lines))
        )
    return {"act": act.pk}


def _copy_lines(act: MassAct, lines: Sequence[Line]) -> None:
    columns = "act_id, officer_id, unit_id, verdict, was, due_on"
    with connection.cursor() as cursor, cursor.copy(f"COPY compliance_massline ({columns}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row((act.pk, line.officer, line.unit, line.verdict, line.was, line.due_on))


def record_job(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: record what was shown, in one change; facts, standings and the act's state commit together."""
    act = MassAct.objects.select_related("asked_by", "approver").get(pk=job.arguments["act"])
    affected = list(act.lines.filter(verdict=Verdict.GRANTED).order_by("officer").values_list("officer_id", flat=True))
    half = _halves(progress, len(affected))
    try:
        with recording(by=job.requested_by, via=Via.PAGE, why=act.why, progress=half[1]) as recorder:
            locked = MassAct.objects.select_for_update().get(pk=act.pk)
            if locked.change_id is not None:
                return {"act": act.pk}
            if locked.state != State.RECORDING:
                raise jobs.JobFailed(MEANWHILE)
            recorder.lock(affected)
            lines = judge(act, half[0])
            if digest_of(lines) != job.arguments["digest"]:
                raise _Changed
            if affected:
                model, columns, row = _facts_of(act)
                recorder.record_many(model, columns, ((officer, *row) for officer in affected), affected)
            locked.state, locked.change = State.RECORDED, recorder.change
            locked.save(update_fields=["state", "change"])
    except (_Changed, FactRefused) as error:
        with transaction.atomic():
            again = jobs.start(LOOK, {"act": act.pk}, by=job.requested_by)
            MassAct.objects.filter(pk=act.pk, state=State.RECORDING).update(
                state=State.LOOKING, problem=CHANGED, job=again
            )
        raise jobs.JobFailed(CHANGED) from error
    return {"act": act.pk}


class _Changed(Exception):
    """What was judged is not what was shown."""


def _facts_of(act: MassAct) -> tuple[type[Waiver] | type[Extension], tuple[str, ...], tuple[object, ...]]:
    """The kind of fact, its columns and what they hold for everybody, the member's first left out."""
    shared = ("requirement_id", "approval", "approver_id")
    values = (act.requirement_id, act.approval, act.approver_id)
    if act.kind == Kind.WAIVER:
        return Waiver, ("officer_id", *shared, "start_on", "end_on"), (*values, act.on_day, act.until_on)
    return Extension, ("officer_id", *shared, "until_on", "approved_on"), (*values, act.until_on, act.on_day)


def _halves(progress: jobs.Progress, size: int) -> tuple[standings.Progress, standings.Progress]:
    """Progress of judging everybody, and of bringing the standings of those granted up to date after it."""
    judged = size

    def first(done: int, total: int) -> None:
        nonlocal judged
        judged = total
        progress(done, total + size)

    def second(done: int, total: int) -> None:
        progress(judged + done, judged + total)

    return first, second


def end_job(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: void what the act granted and still stands, in one change."""
    act = MassAct.objects.get(pk=job.arguments["act"])
    with recording(by=job.requested_by, via=Via.PAGE, why=job.arguments["why"], progress=progress) as recorder:
        locked = MassAct.objects.select_for_update().get(pk=act.pk)
        if locked.ended_in_id is not None:
            return {"act": act.pk}
        if locked.state != State.ENDING:
            raise jobs.JobFailed(MEANWHILE)
        recorder.lock(_granted(act).values_list("officer_id", flat=True))
        recorder.void(_granted(act))
        locked.state, locked.ended_in = State.ENDED, recorder.change
        locked.save(update_fields=["state", "ended_in"])
    return {"act": act.pk}


def _granted(act: MassAct) -> Any:
    """What the act recorded and still stands."""
    model: type[Waiver] | type[Extension] = Waiver if act.kind == Kind.WAIVER else Extension
    return model.objects.known().filter(recorded_in=act.change_id).order_by("officer_id")


def standing_count(act: MassAct) -> int:
    """How much of what the act granted still stands. One query."""
    return int(_granted(act).count()) if act.change_id else 0


#: The kinds of job this module does.
HANDLERS: dict[str, jobs.Handler] = {LOOK: look_job, RECORD: record_job, END: end_job}
