"""What the made-up department is: its members with their careers and training, in `places.py` and `classes.py`.

Alder Bay has a patrol bureau of nine districts with three shifts, two bureaus of specialists, a training division with
an academy class, and a communications center. A larger department gets more districts, in areas of nine. Ten years of
training end on the day asked for; the share of trained members grows over the first six.

The districts differ for reasons that their pages show:

    1  everything is done                            6  a wave of leave; some are back and not refreshed yet
    2  the refresher class of a spring was cancelled 7  specialists returned to patrol with MHFA and without CIT
    3  an academy class arrived and is in grace      8  part of a CIT class failed
    4  its night shift was not sent to CIT           9  is small: one member is eight percent
    5  a CIT class waits for its evidence

Everything is drawn from one seeded sequence, so the order of the statements below is part of the result.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count
from random import Random

from compliance.demo.classes import Classes, on_weekday
from compliance.demo.names import draw_name
from compliance.demo.places import Slot, area_of_districts, slots_of, units_of
from compliance.demo.rows import (
    DESIGNATION,
    SHIFTS,
    AssignmentRow,
    CompletionRow,
    Correction,
    Decision,
    Department,
    DesignationRow,
    EmploymentRow,
    LeaveRow,
    Member,
)
from compliance.engine import plus_months

FEWEST = 20
#: An academy class starts every so many days and lasts so many; the present one is so old.
COHORT_EVERY, COHORT_LASTS, COHORT_AGE = 147, 182, 105
PENDING_AGE = 35
RETURNED_AGE = 240


def make_department(officers: int = 420, seed: int = 1, *, today: date, transcripts: bool = True) -> Department:
    """A department with so many members serving on `today`, and an eighth of that number who left before.

    `transcripts` False leaves out the training that no requirement asks for: about 4 completions a member remain of
    some 30. Reads no clock and no database; about 1 s for 5,000 members.
    """
    if officers < FEWEST:
        raise ValueError(f"A made-up department has at least {FEWEST} members.")
    return _Maker(officers, seed, today, transcripts).make()


class _Maker:
    def __init__(self, officers: int, seed: int, today: date, transcripts: bool) -> None:
        self.rng = Random(f"{seed}")  # noqa: S311 - made-up data, and the same again is the point
        self.officers = officers
        self.today = today
        self.transcripts = transcripts
        self.begin = plus_months(today, -120)
        self.areas = max(1, round(officers / 1260))
        self.mounted_until = plus_months(self.begin, 54)
        self.corrections: list[Correction] = []
        self.decisions: list[Decision] = []
        self.entered_late: dict[str, str] = {}
        self.area_of = area_of_districts(self.areas)
        self.serials = count(100)
        self.classes = Classes(today, self.begin, self.area_of, ("INV", "SOD", "TRN", "COMM"))

    def make(self) -> Department:
        members = [self._member(slot) for slot in slots_of(self.officers, self.areas)]
        members += [self._former_member() for _ in range(self.officers // 8)]
        self._awkward(members)
        self._designate(members)
        self._number(members)
        units = units_of(self.areas, self.mounted_until)
        return Department(self.today, units, members, self.corrections, self.decisions, self.entered_late)

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    # --- careers ------------------------------------------------------------------------------------------------

    def _member(self, slot: Slot) -> Member:
        member = Member(*draw_name(self.rng), story=slot.story)
        if slot.category == "sworn":
            self._sworn_career(member, slot)
        elif slot.category == "recruit":
            start = self._cohort(0)
            member.employments.append(EmploymentRow(start, None, "recruit"))
            member.assignments.append(AssignmentRow("home", slot.unit, slot.shift, None, start))
        else:
            start = on_weekday(self.ago(self.rng.randint(60, 6500)), 0)
            member.employments.append(EmploymentRow(start, None, slot.category))
            member.assignments.append(AssignmentRow("home", slot.unit, slot.shift, None, start))
        self._leave(member)
        self._train(member)
        return member

    def _cohort(self, number: int) -> date:
        """The first day of an academy class: 0 is the present one, 1 the one before."""
        return on_weekday(self.ago(COHORT_AGE + COHORT_EVERY * number), 0)

    def _cohort_for(self, slot: Slot) -> int:
        draw = self.rng.randint
        if slot.story == "arrived":
            return 1
        if slot.story in ("pending", "failed"):
            return draw(3, 5)
        if slot.story == "untrained":
            return draw(4, 7)
        if slot.story in ("night", "spring", "back", "back_late"):
            return draw(12, 20)
        if slot.story == "returned":
            return draw(14, 22)
        years = {"sergeant": (16, 50), "lieutenant": (24, 58), "captain": (34, 62), "chief": (60, 66)}
        low, high = years.get(slot.rank or "", (4, 45))
        if slot.rank == "officer":
            return low + int(self.rng.betavariate(1.2, 1.9) * (high - low))
        return draw(low, high)

    def _sworn_career(self, member: Member, slot: Slot) -> None:
        rng = self.rng
        hired_on = self._cohort(self._cohort_for(slot))
        is_lateral = not slot.story and slot.rank == "officer" and rng.random() < 0.1
        sworn_on = hired_on
        if not is_lateral:
            sworn_on = hired_on + timedelta(days=COHORT_LASTS)
            member.employments.append(EmploymentRow(hired_on, sworn_on - timedelta(days=1), "recruit"))
            member.assignments.append(
                AssignmentRow("home", "ACAD", "days", None, hired_on, sworn_on - timedelta(days=1))
            )
        member.employments.append(EmploymentRow(sworn_on, None, "sworn"))
        starts = self._moves(slot, sworn_on)
        for at, start in enumerate(starts):
            is_last = at == len(starts) - 1
            end = None if is_last else starts[at + 1] - timedelta(days=1)
            if is_last:
                row = AssignmentRow("home", slot.unit, slot.shift, slot.rank, start, end)
            else:
                rank = "officer" if at < 2 or slot.rank != "captain" else "sergeant"
                row = AssignmentRow(
                    "home", self._earlier_unit(slot, starts[at + 1]), rng.choice(SHIFTS), rank, start, end
                )
            member.assignments.append(row)
        if is_lateral and sworn_on > self.begin and rng.random() < 0.6:
            taken = sworn_on - timedelta(days=rng.randint(200, 900))
            member.completions.append(
                CompletionRow(
                    "CIT-40", taken, certificate_number=f"OUT-{rng.randint(10_000, 99_999)}", score=rng.randint(75, 98)
                )
            )

    def _moves(self, slot: Slot, sworn_on: date) -> list[date]:
        """The first days of the home assignments, the present one last."""
        rng = self.rng
        if slot.story == "returned":
            return [sworn_on, self.ago(RETURNED_AGE)]
        if slot.story in ("arrived", "pending", "failed", "untrained", "night"):
            return [sworn_on]
        served = (self.today - sworn_on).days
        promotions = {"sergeant": 1, "lieutenant": 2, "captain": 3, "chief": 4}.get(slot.rank or "", 0)
        moves = promotions + (served > 900 and rng.random() < 0.6) + (served > 3000 and rng.random() < 0.4)
        if served < 500:
            return [sworn_on]
        return [
            sworn_on,
            *sorted(sworn_on + timedelta(days=day) for day in rng.sample(range(200, served - 200), moves)),
        ]

    def _earlier_unit(self, slot: Slot, left_on: date) -> str:
        if slot.story == "returned":
            return self.rng.choice(("INV-MAJ", "INV-PROP"))
        if slot.unit == "TRAF" and left_on <= self.mounted_until:
            return "MTD"
        if self.rng.random() < 0.12:
            return self.rng.choice(("INV-MAJ", "INV-PROP", "TRAF"))
        area = self.area_of.get(slot.unit, self.rng.randrange(self.areas))
        return f"D{area * 9 + self.rng.randint(1, 9)}"

    def _former_member(self) -> Member:
        rng = self.rng
        left_on = self.ago(rng.randint(30, 3500))
        years = rng.choice((2, 3, 4, 6, 9, 14, 20, 24, 25, 26, 27, 28))
        hired_on = on_weekday(left_on - timedelta(days=365 * years + rng.randint(0, 200)), 0)
        member = Member(*draw_name(rng), story="left")
        member.employments.append(EmploymentRow(hired_on, left_on, "sworn"))
        unit = f"D{rng.randint(1, 9 * self.areas)}"
        member.assignments.append(AssignmentRow("home", unit, rng.choice(SHIFTS), "officer", hired_on, left_on))
        self._train(member)
        return member

    def _leave(self, member: Member) -> None:
        rng = self.rng
        if member.story == "on_leave":
            kind = rng.choice(("military", "military", "military", "parental", "medical"))
            end = None if kind == "medical" else self.today + timedelta(days=rng.randint(50, 200))
            self._add_leave(member, kind, self.ago(rng.randint(40, 110)), end)
        elif member.story == "back":
            self._add_leave(member, "military", self.ago(240), self.ago(21))
        elif member.story == "back_late":
            self._add_leave(member, "military", self.ago(330), self.ago(101))
        elif member.story in ("", "done") and rng.random() < 0.13:
            first = member.employments[-1].start_on
            span = (self.today - max(first, self.begin)).days - 400
            if span > 0:
                start = max(first, self.begin) + timedelta(days=rng.randint(60, 60 + span))
                kind = rng.choice(("parental", "medical", "military", "medical"))
                self._add_leave(member, kind, start, start + timedelta(days=rng.randint(21, 190)))

    def _add_leave(self, member: Member, kind: str, start: date, end: date | None) -> None:
        member.leaves.append(LeaveRow(kind, start, end, f"HR-{start.year}-{self.rng.randint(100, 9999):04d}"))

    # --- training -----------------------------------------------------------------------------------------------

    def _train(self, member: Member) -> None:
        self._academy(member)
        self._entry(member)
        self._renew(member)
        if self.transcripts:
            self._ordinary(member)
        member.completions.sort(key=lambda row: (row.completed_on, row.course))

    def _add(self, member: Member, course: str, day: date, number: str, **values: object) -> CompletionRow:
        if values.get("evidence", "verified") == "verified":
            values.setdefault("verified_on", min(day + timedelta(days=self.rng.randint(1, 9)), self.today))
        row = CompletionRow(course, day, number, **values)  # type: ignore[arg-type] # the fields of the row
        member.completions.append(row)
        return row

    def _academy(self, member: Member) -> None:
        recruit = next((row for row in member.employments if row.category == "recruit"), None)
        if recruit is None or recruit.start_on < self.begin:
            return
        for course, after in (("REC-MH-12", 94), ("MHFA-PS", 148)):
            day = recruit.start_on + timedelta(days=after)
            if day <= self.today:
                self._add(member, course, day, f"ACAD-{recruit.start_on:%Y-%m}")

    def _entry(self, member: Member) -> None:
        """CIT for those who were in patrol, MHFA for the others, telecommunicators included."""
        rng = self.rng
        patrol_from = next((row.start_on for row in member.assignments if row.unit in self.area_of), None)
        if member.story in ("pending", "failed"):
            self._stalled_cit(member)
        elif member.story in ("arrived", "night", "returned", "untrained", "recruit"):
            pass
        elif patrol_from or member.story == "done":
            since = patrol_from or member.employments[-1].start_on
            if since < self.begin:
                wanted = self.begin + timedelta(days=30 + int(rng.betavariate(1.2, 2.2) * 2100))
            else:
                wanted = since + timedelta(days=rng.randint(5, 80))
            self._take_cit(member, wanted)
        if any(row.course in ("CIT-40", "MHFA-PS") and row.evidence == "verified" for row in member.completions):
            return
        if member.story in ("arrived", "recruit") or member.employments[-1].category == "civilian":
            return
        since = max(member.employments[0].start_on, self.begin)
        day = on_weekday(since + timedelta(days=rng.randint(30, 330)), 2)
        if day <= self.ago(5) and member.is_employed_on(day):
            course = (
                "TC-CRISIS-8" if member.employments[0].category == "telecommunicator" and rng.random() < 0.5 else ""
            )
            self._add(member, "MHFA-PS", day, f"MHFA-{day:%Y}-{(day.month + 2) // 3}")
            if course:
                self._add(member, course, day + timedelta(days=7), f"TC-{day:%Y}")

    def _take_cit(self, member: Member, wanted: date) -> None:
        if member.has("CIT-40"):
            return
        for day in self.classes.cit_days[bisect_left(self.classes.cit_days, wanted) :]:
            if member.is_employed_on(day) and not member.is_on_leave(day):
                home = member.home_on(day)
                number = self.classes.cit_number(day, home.unit if home else "")
                self._add(
                    member,
                    "CIT-40",
                    day,
                    number,
                    score=self.rng.randint(74, 99),
                    attendance=self.rng.choice((100, 100, 100, 95)),
                    certificate_number=f"{number}-{self.rng.randint(1, 99):02d}{next(self.serials)}",
                    lesson_plan="2017" if day.year < self.begin.year + 4 else "2021",
                )
                return

    def _stalled_cit(self, member: Member) -> None:
        """A CIT class that does not count: evidence still pending, or not passed."""
        home = member.assignments[-1]
        if member.story == "pending":
            day = on_weekday(self.ago(PENDING_AGE), 4)
            self._add(
                member, "CIT-40", day, f"CIT-{day:%Y-%m}-{home.unit}", evidence="pending", attendance=100, score=86
            )
            return
        day = self.classes.cit_days[-1]
        score = self.rng.randint(52, 69)
        result = "passed" if self.rng.random() < 0.3 else "failed"  # a score below the pass mark does not count either
        self._add(
            member, "CIT-40", day, self.classes.cit_number(day, home.unit), score=score, attendance=100, result=result
        )

    def _group_on(self, member: Member, day: date) -> str:
        home = member.home_on(day)
        unit = home.unit if home else "TRN"
        if unit in self.area_of:
            return unit
        if unit.startswith("INV"):
            return "INV"
        return {"CIU": "SOD", "TRAF": "SOD", "SOD": "SOD", "COMM": "COMM"}.get(unit, "TRN")

    def _renew(self, member: Member) -> None:
        """Refreshers from the first credit on, mostly in time; what the story forbids is left out."""
        credits = [
            row.completed_on
            for row in member.completions
            if row.course in ("CIT-40", "MHFA-PS") and row.evidence == "verified" and row.result == "passed"
        ]
        if not credits:
            return
        last_one = self._last_refresher(member)
        is_lax = member.story in ("", "left") and self.rng.random() < 0.05
        credited_on, entries = credits[0], sorted(credits[1:])
        while True:
            limit = plus_months(credited_on, 36)
            chosen = self._next_refresher(member, credited_on, limit)
            if chosen is None or (is_lax and limit >= self.ago(400)) or (last_one and chosen[0] >= last_one[0]):
                break
            while entries and entries[0] <= chosen[0]:
                credited_on = entries.pop(0)
            if plus_months(credited_on, 24) > chosen[0]:
                continue  # the other entry course came first and carries on
            self._refresh(member, *chosen)
            credited_on = chosen[0]
        if last_one:
            self._refresh(member, *last_one)

    def _next_refresher(self, member: Member, credited_on: date, limit: date) -> tuple[date, str] | None:
        group = self._group_on(member, min(limit, self.today))
        classes, days = self.classes.refreshers[group], self.classes.refresher_days[group]
        first = bisect_left(days, plus_months(credited_on, 29))
        after = bisect_left(days, limit + timedelta(days=1))
        in_time = classes[first:after]
        leap = [found for found in in_time if (found[0].month, found[0].day) == (2, 29)]
        is_late = member.story == "" and group[1:] != "1" and self.rng.random() < 0.03
        chosen = leap or ([self.rng.choice(in_time)] if in_time and not is_late else [])
        for found in [*chosen, *classes[after:]]:
            if found[0] > self.today:
                return None
            if member.is_employed_on(found[0]) and not member.is_on_leave(found[0]):
                return found
        return None

    def _last_refresher(self, member: Member) -> tuple[date, str] | None:
        """The refresher after which the stories of three districts let no other follow."""
        home = member.assignments[-1].unit
        if member.story == "spring":
            wanted = plus_months(self.classes.spring_off, -36)
            return min(self.classes.refreshers[home], key=lambda found: abs(found[0] - wanted))
        if member.story == "night":
            wanted = self.ago(46 * 30)
        elif member.story in ("back", "back_late"):
            leave = member.leaves[-1]
            wanted = plus_months(leave.start_on + timedelta(days=105), -36)
        else:
            return None
        return min(self.classes.refreshers[home], key=lambda found: abs(found[0] - wanted))

    def _refresh(self, member: Member, day: date, number: str) -> None:
        course = "CIT-REF-8" if number.rsplit("-", 1)[1] in self.area_of else "CIT-REF-4"
        self._add(member, course, day, number, score=self.rng.randint(80, 100) if course == "CIT-REF-8" else None)

    def _ordinary(self, member: Member) -> None:
        """What every transcript holds besides: firearms, first aid, legal updates, bulletins."""
        rng = self.rng
        is_sworn = any(row.category == "sworn" for row in member.employments)
        first = max(member.employments[0].start_on, self.begin)
        biennial = rng.randrange(2)
        for year in range(first.year, self.today.year + 1):
            taken: list[tuple[str, date]] = [("LEGAL-2", date(year, 1, 10) + timedelta(days=rng.randrange(60)))]
            spread = timedelta(days=rng.randrange(4) * 7)
            if is_sworn:
                taken.append(("FA-QUAL", on_weekday(date(year, 5, 20) + spread, 3)))
            if year % 2 == biennial:
                taken.append(("FAID-CPR", on_weekday(date(year, 10, 12) + spread, 0)))
            elif is_sworn:
                taken.append(("DEESC-8", on_weekday(date(year, 11, 9) + spread, 1)))
            if is_sworn and year >= self.today.year - 2:
                taken += [("RC-CRISIS", date(year, month, 15)) for month in (2, 8) if rng.random() < 0.8]
            for course, day in taken:
                if first <= day <= self.today and member.is_employed_on(day) and not member.is_on_leave(day):
                    self._take_ordinary(member, course, day)

    def _take_ordinary(self, member: Member, course: str, day: date) -> None:
        if course == "FAID-CPR":
            row = CompletionRow(course, day, f"FAID-{day:%Y-%j}", certificate_expires_on=plus_months(day, 24))
        elif course == "FA-QUAL":
            row = CompletionRow(course, day, f"FA-{day:%Y-%j}", score=self.rng.randint(80, 100))
        elif course == "DEESC-8":
            row = CompletionRow(course, day, f"DE-{day:%Y-%j}")
        else:
            row = CompletionRow(course, day)
        member.completions.append(row)

    # --- what real records hold besides -------------------------------------------------------------------------

    def _awkward(self, members: list[Member]) -> None:
        """Details, gaps, returns, corrections and decisions: a few of each, taken from members without a story."""
        plain = [m for m in members if m.story == "" and m.assignments[-1].unit in self.area_of]
        patrol = [m for m in plain if (self.today - m.employments[-1].start_on).days > 1500]
        patrol = [m for m in patrol if m.assignments[-1].rank == "officer" and m.has("CIT-40") and not m.leaves]
        patrol = [m for m in patrol if all(row.class_number for row in m.completions if row.course == "CIT-40")]
        inner = [m for m in members if m.story == "" and m.assignments[-1].unit.startswith("INV")]
        take = iter(patrol)
        self._details(take)
        self._gaps(take, inner)
        self._rehires(take)
        self._leaves_of_others(take)
        self._corrections(take)
        self._decisions(members)
        gone = [m for m in members if m.story == "left"]
        for member in gone[:2]:  # real exports leave the last unit of retired people open
            member.assignments[-1] = member.assignments[-1]._replace(end_on=None)
        for member in _next(take, 2):
            member.former = ("last_name", self.rng.choice(("Carmody", "Ostrander", "Vandermeer")))
        for one, other in _pairs(take):  # two people of one name
            other.last, other.first, other.middle, other.suffix = one.last, one.first, one.middle, one.suffix
        attended = sorted(
            {(row.completed_on, row.class_number) for m in members for row in m.completions if row.course == "CIT-40"}
        )
        for _, number in [held for held in attended if held[1] and self.ago(360) < held[0] < self.ago(100)][-1:]:
            self.entered_late[number] = "Paper sign-in sheet, found in the district and entered late"

    def _details(self, take: Iterable[Member]) -> None:
        for member in _next(take, 1):
            member.assignments.append(
                AssignmentRow("temporary", "TRN", "days", "officer", self.ago(40), self.today + timedelta(days=50))
            )
        for member in _next(take, 1):
            member.assignments.append(AssignmentRow("temporary", "D9", "nights", "sergeant", self.ago(20)))
        for member in _next(take, 6):
            member.assignments.append(
                AssignmentRow("secondary", "CIU", None, None, self.ago(self.rng.randint(100, 900)))
            )

    def _gaps(self, take: Iterable[Member], inner: list[Member]) -> None:
        """Members between two assignments, one who moves and one who retires soon."""
        for member in [*_next(take, 1), *inner[:2]]:
            member.assignments[-1] = member.assignments[-1]._replace(end_on=self.ago(25))
        for member in _next(take, 1):
            home = member.assignments[-1]
            moves_on = self.today + timedelta(days=21)
            member.assignments[-1] = home._replace(end_on=moves_on - timedelta(days=1))
            member.assignments.append(home._replace(unit="TRAF", shift="days", start_on=moves_on))
        for member in _next(take, 1):
            last_day = self.today + timedelta(days=40)
            member.employments[-1] = member.employments[-1]._replace(end_on=last_day)
            member.assignments[-1] = member.assignments[-1]._replace(end_on=last_day)

    def _rehires(self, take: Iterable[Member]) -> None:
        """Three who left and came back some months later."""
        returned = 0
        for member in take:
            sworn, home = member.employments[-1], member.assignments[-1]
            span = (self.today - max(sworn.start_on, home.start_on, self.begin)).days
            left_on = self.today - timedelta(days=span // 2)
            back_on = left_on + timedelta(days=self.rng.randint(120, 300))
            missed = [row for row in member.completions if left_on < row.completed_on < back_on]
            if span < 900 or any(row.course in ("CIT-40", "MHFA-PS") for row in missed):
                continue
            member.employments[-1:] = [sworn._replace(end_on=left_on), sworn._replace(start_on=back_on)]
            member.assignments[-1:] = [home._replace(end_on=left_on), home._replace(start_on=back_on)]
            member.completions[:] = [row for row in member.completions if row not in missed]
            returned += 1
            if returned == 3:
                return

    def _leaves_of_others(self, take: Iterable[Member]) -> None:
        for member in _next(take, 1):
            self._add_leave(member, "medical", self.ago(70), None)
        for member in _next(take, 1):
            self._add_leave(member, "parental", self.ago(30), self.today + timedelta(days=54))

    def _corrections(self, take: Iterable[Member]) -> None:
        for member in _next(take, 1):
            right = next(row for row in member.completions if row.course == "CIT-40")
            wrong = right._replace(completed_on=right.completed_on + timedelta(days=10), certificate_number="")
            self.corrections.append(
                Correction(
                    "The sign-in sheet has another date: the day and the month were exchanged",
                    ((member, wrong),),
                    ((member, right),),
                )
            )
        for member in _next(take, 1):
            done = next(row for row in member.completions if row.course == "CIT-40")
            twice = done._replace(class_number=f"{done.class_number}B", certificate_number="")
            self.corrections.append(Correction("Entered twice, under two class numbers", ((member, twice),)))
        for mistaken, meant in _pairs(take):
            entry = next(row for row in meant.completions if row.course == "CIT-40")
            row = CompletionRow("CIT-REF-8", min(entry.completed_on + timedelta(days=400), self.ago(14)))
            why = "Recorded for another member of a similar name"
            self.corrections.append(Correction(why, ((mistaken, row),), ((meant, row),)))

    def _decisions(self, members: list[Member]) -> None:
        """Evidence that was decided: outside certificates, one of them not enough, and part of a recent class."""
        for member in [m for m in members if m.story == "untrained"][:1]:
            day = self.ago(130)
            row = self._add(
                member, "CIT-40", day, "", evidence="pending", certificate_number="X-24-118", attendance=None
            )
            note = "The certificate is for a course of 24 hours"
            self.decisions.append(Decision(member, row, "rejected", self.ago(120), note))
        outside = [m for m in members if any(row.certificate_number.startswith("OUT-") for row in m.completions)]
        for member in outside[:6]:
            at = next(at for at, row in enumerate(member.completions) if row.certificate_number.startswith("OUT-"))
            row = member.completions[at]._replace(evidence="pending", verified_on=None)
            member.completions[at] = row
            decided_on = member.employments[-1].start_on + timedelta(days=12)
            self.decisions.append(Decision(member, row, "verified", decided_on, "Certificate seen"))
        missed = next((m for m in members if m.story == "untrained" and not m.has("CIT-40")), None)
        if missed is not None:
            day = self.classes.cit_days[-2]
            self._add(missed, "CIT-40", day, self.classes.cit_number(day, "D1"), attendance=80, result="incomplete")

    def _designate(self, members: list[Member]) -> None:
        """CIT officers: one in four of the trained officers of each watch of a district, nearly all of them volunteers.

        Being named follows the course by some weeks. No number is drawn, so nothing else changes by it.
        """
        watches: dict[tuple[str, str | None], list[Member]] = {}
        for member in members:
            home = member.home_on(self.today)
            if home and home.unit in self.area_of and home.rank == "officer" and member.is_employed_on(self.today):
                watches.setdefault((home.unit, home.shift), []).append(member)
        for watch in watches.values():
            for at, member in enumerate([member for member in watch if member.has("CIT-40")][::4]):
                taken = min(row.completed_on for row in member.completions if row.course == "CIT-40")
                named_on = min(taken + timedelta(days=45), self.today)
                member.designations.append(DesignationRow(DESIGNATION, named_on, None, at % 5 != 4))

    def _number(self, members: list[Member]) -> None:
        """Employee ids in the order of hiring, badges and addresses; leading zeros are part of an id."""
        members.sort(key=lambda member: (member.employments[0].start_on, member.last, member.first))
        badges = self.rng.sample(range(1000, 1000 + 4 * len(members)), len(members))
        number = 1040
        for member, badge in zip(members, badges, strict=True):
            number += self.rng.randint(2, 13)
            member.employee_id = f"{number:06d}"
            if any(row.category in ("sworn", "recruit") for row in member.employments):
                member.post_id = f"P{500_000 + number * 3}"
                member.badge = str(badge)
            member.email = f"{member.employee_id}@police.alderbay.example"


def _next(members: Iterable[Member], count: int) -> list[Member]:
    return [member for _, member in zip(range(count), members, strict=False)]  # takes no more than it gives


def _pairs(members: Iterable[Member]) -> list[tuple[Member, Member]]:
    """The next two members; nothing when there are fewer."""
    found = _next(members, 2)
    return [(found[0], found[1])] if len(found) == 2 else []
