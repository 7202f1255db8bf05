"""Finishing a class: attendance and tests become completions, standings follow, all in one transaction; and reopening.

A plan is made first, for the page: what each person's attendance and tests come to (`judging`) and what recording would
do. Who has one like it already (`duplicates`) is for a person to decide: both were taught, or this one is left out.
Finishing makes the plan again under the locks and refuses when it is no longer the one that was shown; sent twice,
or by two people at once, it records once. Reopening voids what the finish recorded, unless somebody corrected it since;
finishing again records anew, and each completion names the one it replaces.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from roster.access import own_members
from roster.facts import Recorder, Via, hold_rules, recording
from roster.models import Employment
from roster.records import correct, spoken
from training import duplicates
from training.certificates import issue_of_class, verified
from training.class_records import ClassRecord, EntryRefused, holding, over_on, planned_minutes, read
from training.judging import Judgement, Verdict, plain, reaches, spoken_minutes
from training.models import (
    ClassEvent,
    ClassSession,
    ClassState,
    Completion,
    Enrollment,
    Evidence,
    EvidenceDecision,
    Outcome,
    Result,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COLUMNS = (
    "officer_id",
    "course_id",
    "completed_on",
    "hours",
    "score",
    "attendance",
    "result",
    "evidence",
    "verified_on",
    "certificate_number",
    "lesson_plan",
    "class_number",
    "replaces_id",
)
#: What a seat says of a finished class, as it is while the class is open.
OUTCOME: dict[str, Any] = {
    "outcome": "",
    "outcome_why": "",
    "outcome_on": None,
    "outcome_score": None,
    "outcome_attendance": None,
}
ASK_FIRST = "Your agency asks for two people: ask for the class to be reopened, and somebody else accepts."
OWN = "This class gave you a completion, and nobody voids a completion of their own. Somebody else has to reopen it."
UNDECIDED = "Say of everybody who has a completion like this one whether both were taught:"
#: people that a sentence names
MOST_NAMED = 5
MEANWHILE = "Attendance, tests or the list of this class changed since you looked. Look at it again, then finish it."


class Act(StrEnum):
    """What finishing does for one person."""

    RECORD = "record"  # a completion
    SAME = "same"  # has this very completion already
    KEPT = "kept"  # what an earlier finish recorded was changed since, by correction or merge, and stands
    OUTSIDE = "outside"  # their record is kept elsewhere: an outcome, no completion
    REFUSED = "refused"  # passed, and yet nothing can be recorded
    LEFT_OUT = "left out"  # passed, and a person said that what is recorded already is this very class
    NOTHING = "nothing"  # did not pass


class Choice(StrEnum):
    """What a person says of somebody who has a completion like this one."""

    BOTH = "both"  # both were taught: this is another
    LEAVE = "leave"  # leave this one out: what is recorded stands for it


@dataclass(frozen=True, slots=True)
class Line:
    """One person: what the class comes to, and what finishing it would do."""

    seat: Enrollment
    judgement: Judgement
    act: Act
    #: why nothing is recorded
    why: tuple[str, ...] = ()
    #: what is odd, though it is recorded
    notes: tuple[str, ...] = ()
    #: the user's own: somebody else has to verify it
    is_own: bool = False
    #: the completion that stands already, of `same` and `kept`
    stands: Completion | None = None
    #: what an earlier finish recorded and reopening voided
    replaces: int | None = None
    #: of `record`: what they have like it; unless it is their own, a person says whether this is another
    twins: tuple[Completion, ...] = ()

    @property
    def is_asked(self) -> bool:
        return bool(self.twins) and not self.is_own

    @property
    def passed(self) -> bool:
        return self.judgement.verdict is Verdict.PASSED

    @property
    def evidence(self) -> Evidence:
        return Evidence.PENDING if self.is_own else Evidence.VERIFIED

    def told(self) -> tuple[object, ...]:
        """What a person saw of this line."""
        found = self.judgement
        return (
            self.seat.pk,
            self.seat.officer_id,  # a merge of two records may give the seat to another
            self.act.value,
            found.verdict.value,
            found.completed_on,
            found.score,
            found.attendance,
            self.why,
            self.notes,
            self.evidence.value,
            [twin.pk for twin in self.twins],
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What finishing the class would do, for everybody in it."""

    record: ClassRecord
    lines: Sequence[Line]
    #: why the class cannot be finished yet; blank where it can
    bar: str = ""

    @property
    def to_record(self) -> list[Line]:
        return [line for line in self.lines if line.act is Act.RECORD]

    @property
    def short(self) -> str:
        """A sentence where the class held less than its course has, since completions record the course's hours."""
        course, blocks = self.record.session.course, self.record.blocks
        hours = int((course.hours or 0) * 60)
        planned = sum(planned_minutes(block) for block in blocks)
        if not blocks or (planned >= hours and reaches(self.record.terms.minutes, hours, course.min_attendance)):
            return ""
        held = f"come to {spoken_minutes(planned)}"
        if planned >= hours:
            held = f"really took {spoken_minutes(self.record.terms.minutes)}"
        return (
            f"The blocks of this class {held}; the course has {spoken_minutes(hours)}, "
            "and so many hours each completion records."
        )

    @property
    def asked(self) -> list[Line]:
        """People of whom a person has to say whether this is another."""
        return [line for line in self.lines if line.is_asked]

    def decided(self, choices: Mapping[int, str]) -> Plan:
        """The plan once a person chose, by seat; `EntryRefused` where one is not said."""
        missing = [line for line in self.asked if line.seat.pk not in choices]
        if missing:
            names = "; ".join(line.seat.name for line in missing[:MOST_NAMED])
            raise EntryRefused(f"{UNDECIDED} {names.removesuffix('.')}.")
        left = {line.seat.pk for line in self.asked if choices[line.seat.pk] == Choice.LEAVE}
        return replace(self, lines=[_left_out(line) if line.seat.pk in left else line for line in self.lines])

    @property
    def digest(self) -> str:
        """Tells this plan from another."""
        session = self.record.session
        plan = session.lesson_plan_id, session.course_id, session.course.hours, session.number
        return hashlib.sha256(repr((plan, [line.told() for line in self.lines])).encode()).hexdigest()


def plan(session: ClassSession, *, by: User | None, today: date) -> Plan:
    """What finishing would do now. At most thirteen queries, whatever the number of people; nothing is written."""
    record = read(session)
    seats = [seat for seat in record.seated if seat.officer_id is not None]
    officers = [seat.officer_id for seat in seats if seat.officer_id is not None]
    held = _held(session, officers)
    good = verified([each for has in held.values() for each in has if _is_of(each, session)])
    corrected = _corrected(officers, {seat.completion_id for seat in seats if seat.completion_id})
    employed = _employments(officers)
    own = own_members(by)
    lines = []
    for seat in record.seated:
        replaces = None if seat.completion_id in corrected else seat.completion_id
        line = Line(seat, record.judge(seat), Act.NOTHING, is_own=seat.officer_id in own, replaces=replaces)
        lines.append(_decided(line, session, held, good, corrected, employed, today))
    return Plan(record, _with_twins(lines, session), _bar(record, today))


def _with_twins(lines: Sequence[Line], session: ClassSession) -> list[Line]:
    """The lines, those that record with what the member has like it and nobody said is another. Two queries."""
    days = {
        line.seat.officer_id: line.judgement.completed_on
        for line in lines
        if line.act is Act.RECORD and line.seat.officer_id and line.judgement.completed_on
    }
    found = duplicates.near(days, session.course)
    kept = duplicates.kept_beside([line.replaces for line in lines if line.replaces and line.seat.officer_id in found])
    return [
        _with_own_twins(line, found.get(line.seat.officer_id or 0, ()), kept.get(line.replaces or 0, set()))
        if line.act is Act.RECORD
        else line
        for line in lines
    ]


def _with_own_twins(line: Line, alike: Sequence[Completion], kept: Collection[int]) -> Line:
    twins = tuple(twin for twin in alike if twin.pk not in kept)
    notes = line.notes
    if twins and line.is_own:
        on = ", ".join(spoken(twin.completed_on) for twin in twins)
        notes = (*notes, f"Like what is recorded on {on}: whoever verifies it says whether it is another.")
    return replace(line, twins=twins, notes=notes)


def _left_out(line: Line) -> Line:
    on = ", ".join(spoken(twin.completed_on) for twin in line.twins)
    return replace(line, act=Act.LEFT_OUT, why=(f"Left out: what is recorded on {on} stands for it.",))


def _bar(record: ClassRecord, today: date) -> str:
    if record.session.state == ClassState.CANCELLED:
        return "This class was cancelled."
    if record.session.state == ClassState.FINISHED:
        return "This class is finished."
    if not record.blocks:
        return "The class has no blocks yet."
    last = max(over_on(block) for block in record.blocks)
    if last > today:
        return f"The last block ends on {spoken(last)}. Finish the class once it was held."
    return "" if record.seated else "Nobody has a seat in this class."


def _decided(
    line: Line,
    session: ClassSession,
    held: Mapping[int, Sequence[Completion]],
    good: Collection[int],
    corrected: Mapping[int, Completion],
    employed: Mapping[int, Sequence[tuple[date, date | None]]],
    today: date,
) -> Line:
    """The line with what finishing would do for this person, and why nothing is recorded where nothing is."""
    seat, completed_on = line.seat, line.judgement.completed_on
    stands = corrected.get(seat.completion_id or 0)
    if stands is not None and stands.pk != seat.completion_id:
        why = f"What an earlier finish recorded was changed since and stands: {spoken(stands.completed_on)}."
        return replace(line, act=Act.KEPT, why=(*line.judgement.why, why), stands=stands)
    has = held.get(seat.officer_id or 0, ())
    if completed_on is None:
        return replace(line, why=(*line.judgement.why, *_stands_all_the_same(has, session)))
    if seat.officer is None:
        return replace(line, act=Act.OUTSIDE, why=("Their record is kept elsewhere.",))
    same = next((each for each in has if _is_of(each, session) and each.completed_on == completed_on), None)
    if same is not None and same.result == Result.PASSED:
        odd = _odd_about(same, line.judgement, is_good=same.pk in good)
        return replace(line, act=Act.SAME, why=("Has this completion already.",), notes=odd, stands=same)
    if (refusal := _refusal(line, has, session, today)) is not None:
        return replace(line, act=Act.REFUSED, why=(refusal,))
    notes = list(line.judgement.notes)
    if not any(first <= completed_on <= (last or date.max) for first, last in employed.get(seat.officer.pk, ())):
        notes.append(f"Not employed on {spoken(completed_on)}.")
    if line.is_own:
        notes.append("This is your own: it counts once somebody else has verified it.")
    return replace(line, act=Act.RECORD, notes=tuple(notes))


def _stands_all_the_same(has: Sequence[Completion], session: ClassSession) -> list[str]:
    """A sentence for each completion of the class of somebody who does not pass it: a file may have brought it."""
    return [
        f"A completion of this class stands all the same, on {spoken(each.completed_on)}: void it if it is wrong."
        for each in has
        if _is_of(each, session) and not _is_of_another(each, session) and each.result == Result.PASSED
    ]


def _odd_about(same: Completion, found: Judgement, *, is_good: bool) -> tuple[str, ...]:
    """What a person should know of a completion that stands already: it may count for nothing, or say otherwise."""
    odd: list[str] = [] if is_good else ["Its evidence is not verified, so it does not count."]
    for name, has, is_now in (
        ("score", same.score, found.score),
        ("attendance", same.attendance, found.attendance),
    ):
        if has != is_now:
            odd.append(f"Its {name} is {_percent(has)}; the class comes to {_percent(is_now)}.")
    return tuple(odd)


def _percent(value: Decimal | None) -> str:
    return "not given" if value is None else f"{plain(value)} %"


def _refusal(line: Line, has: Sequence[Completion], session: ClassSession, today: date) -> str | None:
    """Why the completion of somebody who passed cannot be recorded, or None."""
    officer, completed_on = line.seat.officer, line.judgement.completed_on
    assert officer is not None  # noqa: S101 - asked of members
    assert completed_on is not None  # noqa: S101 - asked of who passed
    if completed_on > today:
        return f"The last piece is on {spoken(completed_on)}, which is still to come."
    if officer.merged_into_id is not None:
        return "This record was merged into another. Give the seat to that member."
    for each in has:
        if _is_of(each, session) and not _is_of_another(each, session):
            otherwise = "" if each.result == Result.PASSED else f" with the result {each.get_result_display()}"
            return (
                f"A completion of this class stands on {spoken(each.completed_on)}{otherwise}. "
                "Correct or void that one first."
            )
        if each.completed_on == completed_on and not each.class_number:
            return (
                f"This course is recorded on {spoken(completed_on)} already, without a class number. "
                "Give that completion the number of this class, or void it."
            )
    return None


def _is_of(completion: Completion, session: ClassSession) -> bool:
    return completion.class_number.casefold() == session.number.casefold()


def _is_of_another(completion: Completion, session: ClassSession) -> bool:
    """Whether another class recorded it: that of another agency may have the same number."""
    seat: Enrollment | None = getattr(completion, "enrollment", None)
    return seat is not None and seat.session_id != session.pk


def _held(session: ClassSession, officers: Collection[int]) -> dict[int, list[Completion]]:
    """Member -> their standing completions of the course. One query."""
    found: dict[int, list[Completion]] = {}
    rows = Completion.objects.known().filter(officer__in=officers, course=session.course_id)
    for completion in rows.select_related("enrollment").order_by("pk"):
        found.setdefault(completion.officer_id, []).append(completion)
    return found


def _corrected(officers: Collection[int], of: Collection[int]) -> dict[int, Completion]:
    """Completion of an earlier finish -> the one that stands in its place by correction, or itself where it stands.

    Two queries, and one more for each further correction of one completion.
    """
    if not of:
        return {}
    standing = Completion.objects.known().filter(officer__in=officers)
    found = {completion.pk: completion for completion in standing.filter(pk__in=of)}
    ends = {completion.pk: completion for completion in standing.exclude(replaces=None)}
    before = {key: completion.replaces_id for key, completion in ends.items()}
    while open_ends := {key: origin for key, origin in before.items() if origin is not None}:
        found.update({origin: ends[key] for key, origin in open_ends.items() if origin in of})
        origins = dict(Completion.objects.filter(pk__in=open_ends.values()).values_list("pk", "replaces_id"))
        before = {key: origins[origin] for key, origin in open_ends.items()}
    return found


def _employments(officers: Collection[int]) -> dict[int, list[tuple[date, date | None]]]:
    """Member -> first and last days employed. One query."""
    found: dict[int, list[tuple[date, date | None]]] = {}
    rows = Employment.objects.known().filter(officer__in=officers)
    for officer, start_on, end_on in rows.values_list("officer_id", "start_on", "end_on"):
        found.setdefault(officer, []).append((start_on, end_on))
    return found


@dataclass(frozen=True, slots=True)
class Finished:
    """What finishing did."""

    recorded: int
    #: it was finished already: nothing was done
    already: bool = False


def finish(
    session: ClassSession, *, shown: str, by: User | None, today: date, choices: Mapping[int, str] | None = None
) -> Finished:
    """Record what `plan` showed; `shown` is its digest. Standings are up to date when it returns.

    `choices` is a `Choice` by seat, of those whom the plan asks about; that both were taught is remembered.
    `EntryRefused` where the class cannot be finished, one is not decided, or the plan is no longer the one that was
    shown. Finished already: nothing is done. Fifty-odd queries, whatever the number of people.
    """
    with recording(by=by, via=Via.PAGE, why=f"Class {session.number} finished") as recorder, holding(session) as held:
        if held.state == ClassState.FINISHED:
            return Finished(0, already=True)
        recorder.lock(_members(held))
        found = plan(held, by=by, today=today)
        if found.bar:
            raise EntryRefused(found.bar)
        if found.digest != shown:
            raise EntryRefused(MEANWHILE)
        found = found.decided(choices or {})
        recorded = _record(recorder, held, found.to_record, today, by)
        _close(found.lines, recorded)
        issue_of_class(held, issued_on=today, by=by)
        change = recorder.change_id
        asked = found.record.asked.plain()
        ClassSession.objects.filter(pk=held.pk).update(state=ClassState.FINISHED, finished_in=change, asked=asked)
        ClassEvent.objects.create(
            session=held, what=ClassEvent.What.FINISHED, told=summary(found.lines), change_id=change, by=by
        )
    return Finished(len(recorded))


def _members(session: ClassSession) -> list[int]:
    """The ids of the members on the list of a class, whoever left it too. One query."""
    ids = Enrollment.objects.filter(session=session).values_list("officer_id", flat=True)
    return [key for key in ids if key is not None]


def _record(
    recorder: Recorder, session: ClassSession, lines: Sequence[Line], today: date, by: User | None
) -> dict[int, int]:
    """Record a completion for each of these; member -> its id. Four queries, and a few for each decision carried on."""
    if not lines:
        return {}
    course, version = session.course, session.lesson_plan.version if session.lesson_plan else ""
    rows = [
        (
            line.seat.officer_id,
            course.pk,
            line.judgement.completed_on,
            course.hours,
            line.judgement.score,
            line.judgement.attendance,
            Result.PASSED.value,
            line.evidence.value,
            None if line.is_own else today,
            "",  # our own certificates are rows of their own; this is the number that somebody else gave
            version,
            session.number,
            line.replaces,
        )
        for line in lines
    ]
    officers = [line.seat.officer_id for line in lines if line.seat.officer_id is not None]
    recorder.record_many(Completion, COLUMNS, rows, officers)
    made = {each.officer_id: each for each in Completion.objects.filter(recorded_in=recorder.change)}
    replaced = {line.replaces: made[line.seat.officer_id] for line in lines if line.replaces and line.seat.officer_id}
    for decision in EvidenceDecision.objects.known().filter(completion__in=replaced):
        correct(recorder, decision, completion=replaced[decision.completion_id])
    if replaced:
        duplicates.carry_over({before: completion.pk for before, completion in replaced.items()})
    pairs = [(made[line.seat.officer_id].pk, twin.pk) for line in lines if line.is_asked for twin in line.twins]
    if pairs:
        duplicates.remember_both(pairs, by=by)
    return {officer: completion.pk for officer, completion in made.items()}


#: The outcome of many seats in one statement; Django's own is as long as there are seats and fields.
CLOSE = """
    UPDATE training_enrollment AS seat SET outcome = said.outcome, outcome_why = said.why, outcome_on = said.day,
        outcome_score = said.score, outcome_attendance = said.attendance, completion_id = said.completion
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::date[], %s::numeric[], %s::numeric[], %s::bigint[])
        AS said (id, outcome, why, day, score, attendance, completion)
    WHERE seat.id = said.id
"""


def _close(lines: Sequence[Line], recorded: Mapping[int, int]) -> None:
    """Write what the class came to for each person. One query."""
    rows = []
    for line in lines:
        found, completion = line.judgement, line.seat.completion_id
        if line.act is Act.RECORD and line.seat.officer_id is not None:
            completion = recorded[line.seat.officer_id]
        elif line.stands is not None:
            completion = line.stands.pk
        why = _shortened(" ".join(line.why))
        verdict = Outcome(found.verdict.value).value
        rows.append((line.seat.pk, verdict, why, found.completed_on, found.score, found.attendance, completion))
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, [list(column) for column in zip(*rows, strict=True)])


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:299]}…"


def summary(lines: Sequence[Line]) -> str:
    """`28 passed, 1 failed, 1 did not come; 27 completions recorded`."""
    counts = Counter(Outcome(line.judgement.verdict.value) for line in lines)
    told = ", ".join(f"{counts[outcome]} {outcome.label}" for outcome in Outcome if counts[outcome])
    number = sum(line.act is Act.RECORD for line in lines)
    return f"{told}; {number} {'completion' if number == 1 else 'completions'} recorded"


@dataclass(frozen=True, slots=True)
class Undone:
    """What reopening does to what one person has of the class."""

    seat: Enrollment
    completion: Completion
    #: why it is left as it is; blank where it is voided
    left: str = ""


def what_reopening_undoes(session: ClassSession) -> list[Undone]:
    """Of everybody who has a completion of this class: whether reopening voids it. Four queries."""
    seats = Enrollment.objects.filter(session=session, completion__isnull=False).select_related(
        "officer", "completion__recorded_in__by", "completion__voided_in__by"
    )
    found = []
    listed = sorted(seats, key=lambda seat: (seat.name.casefold(), seat.pk))
    officers = [seat.officer_id for seat in listed if seat.officer_id is not None]
    corrected = _corrected(officers, [seat.completion_id for seat in listed if seat.completion_id])
    for seat in listed:
        completion = seat.completion
        if completion is not None and seat.outcome:
            found.append(Undone(seat, completion, _why_left(session, completion, corrected)))
    return found


def _why_left(session: ClassSession, completion: Completion, corrected: Mapping[int, Completion]) -> str:
    stands = corrected.get(completion.pk)
    if stands is None:
        return "Voided by hand already."
    if stands.pk != completion.pk:
        return f"Changed since: the completion of {spoken(stands.completed_on)} stays."
    if completion.recorded_in_id != session.finished_in_id:
        return "Not recorded by this finish: it stays."
    return ""


def asks_two(session: ClassSession) -> bool:
    """Whether an agency concerned asks for two people to void what the class recorded. One query at most."""
    return session.agency.asks_two or (
        Enrollment.objects.filter(session=session, completion__isnull=False, officer__agency__asks_two=True).exists()
    )


def reopening_asked(session: ClassSession) -> ClassEvent | None:
    """Who asked for the class to be reopened and why, until somebody answered. One query."""
    asking = (ClassEvent.What.ASKED, ClassEvent.What.DECLINED, ClassEvent.What.REOPENED)
    last = session.events.filter(what__in=asking).select_related("by").last()
    return last if last is not None and last.what == ClassEvent.What.ASKED else None


def ask_to_reopen(session: ClassSession, *, why: str, by: User) -> None:
    """Ask a second person to reopen a finished class. Nothing changes by it."""
    with holding(session) as held:
        if held.state != ClassState.FINISHED:
            raise EntryRefused("This class is open already.")
        if reopening_asked(held) is not None:
            raise EntryRefused("Somebody asked for this class to be reopened already.")
        ClassEvent.objects.create(session=held, what=ClassEvent.What.ASKED, why=why, by=by)


def decline_to_reopen(session: ClassSession, *, note: str, by: User) -> None:
    """Leave the class finished: whoever asked withdraws, anybody else refuses."""
    with holding(session) as held:
        asked = reopening_asked(held)
        if asked is None:
            raise EntryRefused("Nobody asks for this class to be reopened any more.")
        told = "withdrawn" if asked.by_id == by.pk else "refused"
        ClassEvent.objects.create(session=held, what=ClassEvent.What.DECLINED, told=told, why=note, by=by)


def reopen(session: ClassSession, *, why: str = "", by: User | None) -> bool:
    """Void what the finish recorded and let attendance and tests be changed; False where the class is open already.

    What somebody corrected since stays as it is. Where two people are asked for, another one asked first, and said why.
    `EntryRefused` for whoever would lose a completion by it: nobody voids what is on record of themselves.
    """
    with transaction.atomic():
        hold_rules(shared=True)  # locks in the order that everybody takes them
        with holding(session) as held:
            if held.state != ClassState.FINISHED:
                return False
            if by is not None and asks_two(held):
                asked = _asked_by_another(held, by)
                _reopen(held, asked.why, by, f"asked for by {_name(asked.by)}, accepted by {_name(by)}")
            elif by is not None and (bar := bar_to_reopening(held, by)):
                raise EntryRefused(bar)
            else:
                _reopen(held, why, by)
    return True


def bar_to_reopening(session: ClassSession, by: User) -> str:
    """Why this user may not reopen the class where one person is enough; blank where they may. Six queries at most."""
    return OWN if _gave(session, by) else ""


def _gave(session: ClassSession, by: User) -> bool:
    """Whether reopening the class voids a completion of a member that this user is. Six queries at most."""
    own = own_members(by)
    return bool(own) and any(each.seat.officer_id in own and not each.left for each in what_reopening_undoes(session))


def _asked_by_another(session: ClassSession, by: User) -> ClassEvent:
    """What somebody else asked and this one may accept; `EntryRefused` otherwise."""
    asked = reopening_asked(session)
    if asked is None:
        raise EntryRefused(ASK_FIRST)
    if bar := bar_to_accepting(session, asked, by):
        raise EntryRefused(bar)
    return asked


def bar_to_accepting(session: ClassSession, asked: ClassEvent, by: User) -> str:
    """Why this user may not accept that the class is reopened; blank where they may. Six queries at most."""
    if asked.by_id == by.pk:
        return "You asked for it. Somebody else has to accept."
    if _gave(session, by):
        return "A completion of your own would be voided. Somebody else has to accept."
    return ""


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.username) if user else "a command"


def _reopen(session: ClassSession, why: str, by: User | None, by_two: str = "") -> None:
    reason = f"{why} ({by_two})" if by_two else why
    with recording(by=by, via=Via.PAGE, why=f"Class {session.number} reopened: {reason}") as recorder:
        recorder.lock(_members(session))
        undone = what_reopening_undoes(session)
        recorder.void([each.completion for each in undone if not each.left])
        Enrollment.objects.filter(session=session).exclude(outcome="").update(**OUTCOME)
        ClassSession.objects.filter(pk=session.pk).update(state=ClassState.PLANNED, finished_in=None, asked=None)
        voided = sum(not each.left for each in undone)
        told = "; ".join(filter(None, [f"{voided} {'completion' if voided == 1 else 'completions'} voided", by_two]))
        ClassEvent.objects.create(
            session=session, what=ClassEvent.What.REOPENED, told=told, why=why, change_id=recorder.change_id, by=by
        )


def different_now(session: ClassSession, *, by: User | None, today: date) -> list[Line]:
    """People for whom finishing anew, with nothing changed, would come to something else than the finish did.

    The course may ask for more than it did then.
    """
    return [
        line
        for line in plan(session, by=by, today=today).lines
        if line.seat.outcome and _said(line.seat) != _judged(line.judgement)
    ]


def _said(seat: Enrollment) -> tuple[object, ...]:
    return seat.outcome, seat.outcome_on, seat.outcome_score, seat.outcome_attendance


def _judged(found: Judgement) -> tuple[object, ...]:
    return found.verdict.value, found.completed_on, found.score, found.attendance
