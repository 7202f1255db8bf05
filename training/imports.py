"""Importing completions: up to a million rows, compared with what stands and written by COPY.

How rows are kept meanwhile, and what makes two of them the same, is in `completion_rows`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from operator import attrgetter, itemgetter

from django.db import connection
from django.db.models import Min, Model

from roster.cells import CellError, read_choice, read_id, read_number
from roster.facts import Recorder
from roster.imports import WHO_COLUMNS
from roster.matching import NoMember
from roster.models import Employment
from roster.plans import (
    LONGEST_SUMMARY,
    PROGRESS_EVERY,
    Differs,
    Fields,
    Import,
    Plan,
    PlanLine,
    UnknownMember,
    UnknownTitle,
    Who,
    summary_of,
)
from roster.tabular import Column, Row
from training import duplicates
from training.completion_rows import (
    CHANGED,
    COPIED,
    EVIDENCE,
    EXPIRES,
    GIVEN,
    NEW,
    OWN_CHANGE,
    REJECTED,
    SAME,
    SKIPPED,
    VERDICTS,
    Given,
    Key,
    Rows,
    Warnings,
    copy_text,
    differ,
    key_of,
    lesson_plans,
    stored_completions,
    unverified,
    with_defaults,
)
from training.course_finder import Courses, UnknownCourse
from training.models import Completion, Course, Evidence, EvidenceDecision, Result

#: Held by an import that may make courses, so that two of them do not make the same one.
TITLES_LOCK = 4_127_003
_EXAMPLES = 5
#: different cells remembered at a time: enough for files that repeat themselves, little for those that do not
_MOST_REMEMBERED = 100_000


class CompletionsImport(Import):
    """Completions, one for each member, course, day and class number."""

    kind = "completions"
    title = "Completions"
    finds_members = True
    columns = (
        *WHO_COLUMNS,
        Column(
            "course",
            "Course code or title",
            is_required=True,
            also=("course title", "course name", "class", "training", "title"),
        ),
        Column(
            "completed_on",
            "Completed on",
            is_required=True,
            also=("date", "completion date", "completed", "date completed", "class date"),
        ),
        Column("hours", "Hours", also=("hrs", "credit hours", "length")),
        Column("score", "Score, percent", also=("grade", "test score")),
        Column("attendance", "Attendance, percent"),
        Column("result", "Result (passed, failed, incomplete)", also=("status", "outcome")),
        Column("evidence", "Evidence (verified, pending, rejected)"),
        Column("verified_on", "Verified on", also=("verified", "verification date")),
        Column("certificate_number", "Certificate number", also=("certificate", "certificate no")),
        Column("certificate_expires_on", "Certificate expires on", also=("expires", "expiration date", "expiry")),
        Column("lesson_plan", "Lesson plan", also=("lesson plan version",)),
        Column("class_number", "Class number", also=("class no", "session", "class id", "session id")),
    )
    required = ((("course",),), (("completed_on",),))
    writes = (Course,)

    def prepare(self) -> None:
        if self.options.unknown_course == "create":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TITLES_LOCK])

    def rows_written(self) -> tuple[type[Model], ...]:
        return self.writes if self.options.unknown_course == "create" else ()

    # Gather: each different cell is read once, and a row is then a few look-ups.

    def gather(self) -> None:
        self._who = Who(self.table, self.agency, self.options)
        self._courses = Courses(self.options.source)
        self._rows = Rows.empty()
        self._summaries: dict[int, str] = {}
        self._by_key: dict[Key, int] = {}
        self._unknown: dict[str, list[int]] = {}
        self._find_places()
        # what cells were found to say, for cells that were right
        self._officers: dict[object, int] = {}
        self._titles: dict[str, int] = {}
        self._completed: dict[str, int] = {}
        self._numbers: dict[str, str] = {}
        self._known_given: dict[object, Given] = {}
        officers, titles, completed, numbers = self._officers, self._titles, self._completed, self._numbers
        known_given, who_cells, given_cells = self._known_given, self._who_cells, self._given_cells
        course_place, day_place, number_place = self._course_place, self._day_place, self._number_place
        for row in self.file_rows():
            cells = row.cells
            try:
                read = (
                    officers[who_cells(cells)],
                    titles[cells[course_place]],
                    completed[cells[day_place]],
                    "" if number_place is None else numbers[cells[number_place]],
                    known_given[given_cells(cells)],
                )
            except KeyError:
                careful = self._read(row)
                if careful is None:
                    continue
                read = careful
            self._add(row.line, *read)

    def _find_places(self) -> None:
        places = self.table.places
        self._course_place, self._day_place = places["course"], places["completed_on"]
        self._number_place = places.get("class_number")
        self._who_cells = cells_at(self._who.places)
        given = [places[name] for name in GIVEN if name in places]
        if "certificate_expires_on" in places:
            given.append(self._day_place)  # an expiry is right or wrong beside the day of the class
        self._given_cells = cells_at(given)
        readers: dict[str, Callable[[str], object]] = {
            "hours": partial(read_number, highest=9999),
            "score": partial(read_number, highest=100),
            "attendance": partial(read_number, highest=100),
            "result": partial(read_choice, allowed=Result.values),
            "evidence": partial(read_choice, allowed=Evidence.values),
            "verified_on": self._read_verified,
            "certificate_number": partial(read_id, longest=80),
            "certificate_expires_on": partial(self.days.read, is_end=True),
            "lesson_plan": partial(read_id, longest=80),
        }
        #: index in GIVEN, column, place, reader, and what cells of the column were found to say
        self._given_readers: list[tuple[int, str, int, Callable[[str], object], dict[str, str | None]]] = [
            (index, name, places[name], readers[name], {"": None}) for index, name in enumerate(GIVEN) if name in places
        ]

    def _read_verified(self, raw: str) -> date | None:
        day = self.days.read(raw)
        if day is not None and day > self.today:
            raise CellError(f"It cannot have been verified after today, {self.today}.")
        return day

    def broken(self, row: Row) -> None:
        self._leave_out(row, REJECTED)

    def _leave_out(self, row: Row, verdict: int, course: int = 0) -> None:
        self._summaries[self._rows.add(row.line, verdict, course=course)] = summary_of(row.cells)

    def _add(self, line: int, officer: int, course: int, day: int, number: str, given: Given) -> None:
        key = key_of(officer, course, day, number)
        first = self._by_key.setdefault(key, len(self._rows.line))
        place = self._rows.add(line, NEW, officer, course, day, number, given)
        if first == place:
            return
        differing = next(
            (name for name, *two in zip(GIVEN, given, self._rows.given[first], strict=True) if differ(*two)), None
        )
        if differing is None:
            self._rows.verdict[place] = SAME
            return
        self._rows.verdict[place] = REJECTED
        value = given[list(GIVEN).index(differing)] or ""
        self.reject(line, differing, value, f"Line {self._rows.line[first]} says otherwise of this completion.")

    def _read(self, row: Row) -> tuple[int, int, int, str, Given] | None:
        """Read a row that holds a cell not met before, or a wrong one; None where it is rejected or skipped."""
        fields = Fields(row.cells, self.table.places, self.days)
        officer = course = 0
        is_unknown = False
        try:
            officer = self._officers[self._who_cells(row.cells)] = self._who.find(row.cells, row.line)
        except NoMember as error:
            fields.errors.append((error.column, error.value, error.reason))
        try:
            course = self._read_course(fields, may_add=officer > 0)
        except UnknownCourse as unknown:
            is_unknown = True
            self._unknown.setdefault(str(unknown), []).append(row.line)
            if self.options.unknown_course == "reject":
                fields.wrong("course", "No course or alias has this title.")
        day = self._read_day(fields)
        number = self._read_number(fields)
        given = self._read_given(fields, row.cells, day)
        for column, value, reason in fields.errors:
            self.reject(row.line, column, value, reason)
        if fields.errors or is_unknown:
            self._leave_out(row, REJECTED if fields.errors else SKIPPED, course)
            return None
        return officer, course, day, number, given

    def _read_course(self, fields: Fields, *, may_add: bool) -> int:
        raw = fields.raw("course")
        title = fields.text("course", 1_000, is_required=True)
        if not title or raw in self._titles:
            return self._titles.get(raw, 0)
        try:
            try:
                course = self._courses.find(title)
            except UnknownCourse:
                if self.options.unknown_course != "create":
                    raise
                if not may_add:
                    return 0
                course = self._courses.add(title)
        except CellError as error:
            fields.wrong("course", str(error))
            return 0
        self._titles[raw] = course
        return course

    def _read_day(self, fields: Fields) -> int:
        day = fields.day("completed_on", is_required=True)
        if day is None:
            return 0
        if day > self.today:
            fields.wrong("completed_on", f"A completion cannot be after today, {self.today}.")
            return 0
        self._completed[fields.raw("completed_on")] = day.toordinal()
        return day.toordinal()

    def _read_number(self, fields: Fields) -> str:
        number = fields.id("class_number", longest=80)
        return self._numbers.setdefault(fields.raw("class_number"), number)

    def _read_given(self, fields: Fields, cells: list[str], day: int) -> Given:
        before = len(fields.errors)
        given: list[str | None] = [None] * len(GIVEN)
        for index, column, place, read, known in self._given_readers:
            raw = cells[place]
            if raw not in known:
                try:
                    value = read(raw)
                except CellError as error:
                    fields.wrong(column, str(error))
                    continue
                if len(known) >= _MOST_REMEMBERED:
                    known.clear()
                known[raw] = None if value is None or value == "" else str(value)
            given[index] = known[raw]
        expires_on = given[EXPIRES]
        if expires_on and day and expires_on < date.fromordinal(day).isoformat():
            reason = f"The certificate expires before the class was completed, on {date.fromordinal(day)}."
            fields.wrong("certificate_expires_on", reason)
        said = tuple(given)
        if len(fields.errors) == before and day:
            if len(self._known_given) >= _MOST_REMEMBERED:
                self._known_given.clear()
            self._known_given[self._given_cells(cells)] = said
        return said

    # Decide: the stored completions of these members stream past the rows of the file.

    def officer_ids(self) -> set[int]:
        return set(self._rows.officer) - {0}

    def unknown_members(self) -> list[UnknownMember]:
        return self._who.unknown()

    def decide(self) -> Plan:
        officers = list(self.officer_ids())
        own = self._own_places()
        #: the fact that a changed row replaces, and what the new one says; by row
        self._changed: dict[int, tuple[int, Given]] = {}
        #: what stands, of the same rows
        self._before: dict[int, Given] = {}
        for fact_id, officer, course, day, number, *values in stored_completions(officers):
            key = key_of(officer, self._courses.stands_for[course], day, number)
            place = self._by_key.get(key)
            if place is not None:
                self._compare(place, fact_id, tuple(values))
        del self._by_key
        waiting = self._kept_waiting(own)
        self._carried = {
            decision.completion_id: decision
            for decision in EvidenceDecision.objects.known().filter(
                completion__in=[fact_id for place, (fact_id, _) in self._changed.items() if self._keeps_evidence(place)]
            )
        }
        hired = Employment.objects.known().filter(officer__in=officers).values_list("officer").annotate(Min("start_on"))
        self._warnings = Warnings(
            self._rows,
            {officer: first.toordinal() for officer, first in hired},
            lesson_plans(self._courses.stands_for),
            tuple(map(self.table.header_of, ("completed_on", "lesson_plan", "evidence"))),
            waiting,
            self.today,
        )
        return Plan(
            kind=self.kind,
            rows=len(self._rows.line),
            counts=Counter({VERDICTS[code]: self._rows.verdict.count(code) for code in range(len(VERDICTS))}),
            errors=self.errors,
            warnings=self._warnings,
            ignored_columns=self.table.ignored,
            unknown_titles=self._unknown_titles(),
            lines=self._lines,
            actions=self._actions,
            unknown_members=self.unknown_members(),
        )

    def _compare(self, place: int, fact_id: int, stored: Given) -> None:
        """A row against a fact with its natural key. Two facts can have it once a title was mapped: one is enough."""
        given = self._rows.given[place]
        if not any(map(differ, given, stored)):
            self._rows.verdict[place] = SAME
            self._changed.pop(place, None)
        elif self._rows.verdict[place] != SAME and fact_id <= self._changed.get(place, (fact_id, ()))[0]:
            self._rows.verdict[place] = CHANGED
            merged = tuple([new if new is not None else old for new, old in zip(given, stored, strict=True)])
            self._changed[place] = (fact_id, merged)
            self._before[place] = stored

    def _own_places(self) -> list[int]:
        """Rows about the sender. That they say "verified" says nothing: nobody verifies what is on record of them."""
        rows = self._rows
        places = [place for place, officer in enumerate(rows.officer) if officer in self.own] if self.own else []
        for place in places:
            rows.given[place] = unverified(rows.given[place])
        return places

    def _kept_waiting(self, own: Sequence[int]) -> set[int]:
        """Of the sender's own rows those that wait for another person; what would change their record is rejected."""
        rows, waiting = self._rows, set()
        for place in own:
            if rows.verdict[place] == NEW and rows.given[place][EVIDENCE] is None:
                rows.given[place] = unverified(rows.given[place], says=Evidence.PENDING.value)
                waiting.add(place)
            elif rows.verdict[place] == CHANGED:
                rows.verdict[place] = REJECTED
                del self._changed[place]
                who = self._who.members.employee_ids[rows.officer[place]]
                self.reject(rows.line[place], "employee_id", who, OWN_CHANGE)
        if own:
            self.errors.sort(key=attrgetter("line"))
        return waiting

    def _keeps_evidence(self, place: int) -> bool:
        """A row that says nothing of the evidence leaves the decision on it as it is."""
        return self._rows.given[place][EVIDENCE] is None

    def _unknown_titles(self) -> list[UnknownTitle]:
        """Titles that were rejected or skipped, or that a course is to be made of."""
        found = {title: (len(lines), tuple(lines[:_EXAMPLES])) for title, lines in self._unknown.items()}
        if self._courses.new:
            counts: Counter[int] = Counter()
            examples: dict[int, list[int]] = defaultdict(list)
            for place, course in enumerate(self._rows.course):
                if course < 0:
                    counts[course] += 1
                    if len(examples[course]) < _EXAMPLES:
                        examples[course].append(self._rows.line[place])
            for number, count in counts.items():
                found[self._courses.new[number].title] = (count, tuple(examples[number]))
        return [UnknownTitle(title, *found[title]) for title in sorted(found)]

    def _lines(self) -> Iterator[PlanLine]:
        reasons: dict[int, list[str]] = defaultdict(list)
        for issue in self.errors:
            reasons[issue.line].append(issue.told)
        rows, warnings = self._rows, iter(self._warnings)
        coming = next(warnings, None)
        for place, line in enumerate(rows.line):
            said = reasons.get(line, [])
            has_warning = False
            while coming is not None and coming.line == line:
                said, has_warning = [*said, coming.reason], True
                coming = next(warnings, None)
            verdict, summary = VERDICTS[rows.verdict[place]], self._summary(place)
            yield PlanLine(line, verdict, summary, " ".join(said), has_warning, self._changes(place))

    def _changes(self, place: int) -> tuple[Differs, ...]:
        """What a changed row changes, column by column."""
        if self._rows.verdict[place] != CHANGED:
            return ()
        both = zip(GIVEN, self._before[place], self._changed[place][1], strict=True)
        return tuple((name, old or "", new or "") for name, old, new in both if old != new)

    def _summary(self, place: int) -> str:
        if place in self._summaries:
            return self._summaries[place]
        rows = self._rows
        who = self._who.members.employee_ids[rows.officer[place]]
        text = f"{who} {self._courses.words[rows.course[place]]} {date.fromordinal(rows.day[place])}"
        return f"{text} {rows.class_number[place]}".rstrip()[:LONGEST_SUMMARY]

    def _actions(self) -> Iterator[str]:
        for made in self._courses.new.values():
            yield f"{made.code} {made.title}"
        rows = self._rows
        for place, verdict in enumerate(rows.verdict):
            if verdict in (NEW, CHANGED):
                course = self._courses.codes[rows.course[place]]
                what = (rows.officer[place], course, rows.day[place], rows.class_number[place], rows.given[place])
                fact_id, merged = self._changed.get(place, (0, ()))
                carried = self._carried.get(fact_id)
                yield f"{what} for {fact_id} {merged} {carried.pk if carried else ''}"

    # Act: one COPY of text made here, since most rows repeat parts of others.

    def act(self, recorder: Recorder | None) -> set[int]:
        assert recorder is not None  # noqa: S101 - completions are facts
        self._make_courses()
        if self._changed:
            self._replace(recorder)
        new = [place for place, verdict in enumerate(self._rows.verdict) if verdict == NEW]
        if new:
            new.sort(key=self._rows.officer.__getitem__)  # the indexes are kept in this order
            officers = {self._rows.officer[place] for place in new}
            recorder.record_lines(Completion, COPIED, self._copy_lines(new), officers)
        return set()

    def _make_courses(self) -> None:
        """Make a course of every new title, also where the row was rejected for something else."""
        Course.objects.bulk_create(self._courses.new.values(), batch_size=1_000)

    def _course_id(self, number: int) -> int:
        return number if number > 0 else self._courses.new[number].pk

    def _copy_lines(self, places: Sequence[int]) -> Iterator[str]:
        rows = self._rows
        days: dict[int, str] = {}
        courses: dict[int, int] = {}
        texts: dict[Given, str] = {}
        for count, place in enumerate(places):
            if self.writing is not None and count % PROGRESS_EVERY == 0:
                self.writing(count, len(places))
            day, course, given = rows.day[place], rows.course[place], rows.given[place]
            if day not in days:
                days[day] = date.fromordinal(day).isoformat()
            if course not in courses:
                courses[course] = self._course_id(course)
            if given not in texts:
                if len(texts) >= _MOST_REMEMBERED:
                    texts.clear()
                texts[given] = "\t".join(map(copy_text, with_defaults(given)))
            number = rows.class_number[place]
            if number:
                number = copy_text(number)
            yield f"{rows.officer[place]}\t{courses[course]}\t{days[day]}\t{number}\t{texts[given]}"

    def _replace(self, recorder: Recorder) -> None:
        """Void the facts that changed rows replace, record the new ones, and carry decisions on their evidence over."""
        rows = self._rows
        recorder.void(
            Completion(pk=fact_id, officer_id=rows.officer[place]) for place, (fact_id, _) in self._changed.items()
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('training_completion', 'id')) FROM generate_series(1, %s)",
                [len(self._changed)],
            )
            ids = [pk for (pk,) in cursor.fetchall()]
        officers = {rows.officer[place] for place in self._changed}
        replaced = [fact_id for fact_id, _ in self._changed.values()]
        # A file does not say who gave a certificate: what is known of it stays.
        givers = dict(Completion.objects.filter(pk__in=replaced).exclude(provider="").values_list("pk", "provider"))
        recorder.record_many(
            Completion,
            ("id", "replaces_id", "provider", *COPIED),
            [
                (
                    pk,
                    fact_id,
                    givers.get(fact_id, ""),
                    rows.officer[place],
                    self._course_id(rows.course[place]),
                    date.fromordinal(rows.day[place]),
                    rows.class_number[place],
                    *merged,
                )
                for pk, (place, (fact_id, merged)) in zip(ids, self._changed.items(), strict=True)
            ],
            officers,
        )
        duplicates.carry_over(dict(zip(replaced, ids, strict=True)))
        carried = [
            (pk, self._carried[fact_id])
            for pk, (fact_id, _) in zip(ids, self._changed.values(), strict=True)
            if fact_id in self._carried
        ]
        if carried:
            recorder.void(decision for _, decision in carried)
            recorder.record_many(
                EvidenceDecision,
                ("officer_id", "completion_id", "decision", "decided_on", "note", "replaces_id"),
                [(old.officer_id, pk, old.decision, old.decided_on, old.note, old.pk) for pk, old in carried],
                {old.officer_id for _, old in carried},
            )


def cells_at(places: Sequence[int]) -> Callable[[list[str]], object]:
    """A function that takes these cells of a row, as something to look up by."""
    return itemgetter(*places) if places else lambda cells: ()
