"""The examples of docs/rules.md are what the product answers: each is read from the page and put to it.

An example is loaded as an agency would load it - a requirements file, facts recorded - and every line that begins with
a day is compared with the standing of that day. The page explains how its lines read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.utils import timezone

from compliance import coverage, goals, requirements, standings
from compliance.gather import gather_rules
from compliance.models import Extension, Requirement, Waiver
from compliance.requirements_file import read
from roster.facts import Change, Fact, Via, recording
from roster.models import Assignment, Designation, Employment, Leave, Officer, Rank, Shift, Unit
from tests import factories as make
from training.models import Completion, Course

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"

#: The courses that examples name without saying what they are: code -> hours.
COURSES = {"CIT": 40, "REF": 8, "RECERT": 2}
#: The rule of an example as far as it says nothing else.
ASKED = {"entry_courses": '["CIT"]', "refresher_courses": '["REF"]'}
LONG_AGO = date(2000, 1, 1)


@dataclass
class Example:
    """A fenced block of the page: its language, the heading it stands under, and its lines."""

    heading: str
    language: str
    lines: list[str] = field(default_factory=list)


def examples(page: str) -> list[Example]:
    found: list[Example] = []
    heading, inside = "", False
    for line in page.splitlines():
        if line.startswith("```"):
            inside = not inside
            if inside:
                found.append(Example(heading, line.removeprefix("```")))
        elif inside:
            found[-1].lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def of_language(language: str) -> list[Any]:
    found = [example for example in examples(PAGE.read_text(encoding="utf-8")) if example.language == language]
    return [pytest.param(example, id=f"{place}-{example.heading}") for place, example in enumerate(found, start=1)]


# Facts of an example


def span(text: str) -> tuple[date, date | None]:
    """`2026-04-01..2027-01-31`, or `2026-04-01..` without an end."""
    first, _, last = text.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last) if last else None


def split(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """The plain words of a line, and those that are written `name=value`."""
    return [word for word in words if "=" not in word], dict(word.split("=", 1) for word in words if "=" in word)


class Told:
    """An example as it is told line by line, and then its answers."""

    def __init__(self, lines: list[str]) -> None:
        self.editions: list[tuple[str, dict[str, str], list[str]]] = [("2000-01-01", dict(ASKED), [])]
        self.facts: list[tuple[date, Fact, date | None]] = []
        self.answers: list[tuple[str, str]] = []
        self.officer = make.make_officer("1")
        self.is_dated = False
        #: lines that need the requirement to be loaded
        self.later: list[tuple[str, list[str]]] = []
        for code, hours in COURSES.items():
            make.make_course(code, hours=hours)
        for line in lines:
            word, _, rest = line.partition(" ")
            if re.match(r"\d{4}-", word):
                day, known, said = re.fullmatch(r"(\S+)(?: known (\S+))? +(.+)", line.strip()).groups()  # type: ignore[union-attr] # a line that reads otherwise is a defect of the page
                self.answers.append((f"{day} {known or ''}".strip(), said))
            elif line.strip():
                getattr(self, f"take_{word}")(rest.strip())

    def take_from(self, rest: str) -> None:
        if len(self.editions) == 1 and not self.editions[0][2] and self.editions[0][1] == ASKED:
            self.editions.clear()
        self.editions.append((rest, dict(ASKED), []))

    def take_rule(self, rest: str) -> None:
        for part in rest.split("; "):
            key, _, value = part.partition(" = ")
            self.editions[-1][1][key] = value

    def take_who(self, rest: str) -> None:
        self.editions[-1][2].extend(rest.split("; "))

    def take_course(self, rest: str) -> None:
        (code,), values = split(rest.split())
        numbers = {key: value if key == "mode" else float(value) for key, value in values.items()}
        make.make_course(code, **numbers)

    def take_unit(self, rest: str) -> None:
        (code,), values = split(rest.split())
        parent = Unit.objects.get(code=values["below"]) if "below" in values else None
        make.make_unit(code, parent=parent, function=values.get("function", ""))

    def take_plan(self, rest: str) -> None:
        code, version, days = rest.split()
        make.make_lesson_plan(Course.objects.get(code=code), version, *span(days))

    def take_equals(self, rest: str) -> None:
        code, counts_as, days = rest.split()
        make.make_equivalency(Course.objects.get(code=code), Course.objects.get(code=counts_as), *span(days))

    def take_employed(self, rest: str) -> None:
        (days, *category), _ = split(rest.split())
        start_on, end_on = span(days)
        category = category or ["sworn"]
        self.add(Employment(officer=self.officer, start_on=start_on, end_on=end_on, category=category[0]))

    def take_home(self, rest: str, kind: str = "home") -> None:
        (days, unit), values = split(rest.split())
        start_on, end_on = span(days)
        agency = make.make_agency()
        shift = Shift.objects.get_or_create(agency=agency, code=values["shift"])[0] if "shift" in values else None
        rank = Rank.objects.get_or_create(agency=agency, code=values["rank"])[0] if "rank" in values else None
        place = {"unit": Unit.objects.get(code=unit), "shift": shift, "rank": rank}
        self.add(Assignment(officer=self.officer, kind=kind, start_on=start_on, end_on=end_on, **place))

    def take_temporary(self, rest: str) -> None:
        self.take_home(rest, "temporary")

    def take_secondary(self, rest: str) -> None:
        self.take_home(rest, "secondary")

    def take_designated(self, rest: str) -> None:
        days, code, *voluntary = rest.split()
        start_on, end_on = span(days)
        self.add(
            Designation(officer=self.officer, start_on=start_on, end_on=end_on, code=code, is_voluntary=bool(voluntary))
        )

    def take_leave(self, rest: str) -> None:
        days, *kind = rest.split()
        start_on, end_on = span(days)
        self.add(Leave(officer=self.officer, start_on=start_on, end_on=end_on, kind=kind[0] if kind else "medical"))

    def take_done(self, rest: str) -> None:
        (day, code, *said), values = split(rest.split())
        given: dict[str, Any] = {}
        for name, column in (("hours", "hours"), ("score", "score"), ("attendance", "attendance")):
            if name in values:
                given[column] = float(values[name])
        if "expires" in values:
            given["certificate_expires_on"] = date.fromisoformat(values["expires"])
        if "plan" in values:
            given["lesson_plan"] = values["plan"]
        for word in said:
            given["result" if word in ("failed", "incomplete") else "evidence"] = word
        entered = date.fromisoformat(values["entered"]) if "entered" in values else LONG_AGO
        voided = date.fromisoformat(values["voided"]) if "voided" in values else None
        completion = Completion(
            officer=self.officer, course=Course.objects.get(code=code), completed_on=date.fromisoformat(day), **given
        )
        self.is_dated = self.is_dated or "entered" in values or "voided" in values
        self.add(completion, entered, voided)

    def take_waived(self, rest: str) -> None:
        self.later.append(("waived", rest.split()))

    def take_extended(self, rest: str) -> None:
        self.later.append(("extended", rest.split()))

    def add(self, fact: Fact, entered: date = LONG_AGO, voided: date | None = None) -> None:
        self.facts.append((entered, fact, voided))

    def tell(self) -> None:
        """Load the rule and record the facts."""
        lines = []
        for start, _, who in self.editions:
            lines += ["[[population]]", f'code = "members-{start}"', *who]
        lines += ["[[requirement]]", 'code = "rule"']
        for start, keys, _ in self.editions:
            lines += ["[[requirement.edition]]", f"effective_from = {start}", f'population = "members-{start}"']
            lines += [f"{key} = {value}" for key, value in keys.items()]
        requirements.load(read("\n".join(lines).encode()), today=date(2026, 1, 1))
        requirement = Requirement.objects.get()
        for word, rest in self.later:
            if word == "waived":
                start_on, end_on = span(rest[0])
                assert end_on is not None
                self.add(Waiver(officer=self.officer, requirement=requirement, start_on=start_on, end_on=end_on))
            else:
                until_on, approved_on = date.fromisoformat(rest[0]), date.fromisoformat(rest[2])
                self.add(
                    Extension(officer=self.officer, requirement=requirement, until_on=until_on, approved_on=approved_on)
                )
        with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
            recorder.void(list(self.officer.employments.all()))
            if not any(isinstance(fact, Employment) for _, fact, _ in self.facts):
                recorder.record(Employment(officer=self.officer, start_on=date(2010, 1, 1), category="sworn"))
            for entered, fact, _ in self.facts:
                if entered == LONG_AGO:
                    recorder.record(fact)
        self.record_at(LONG_AGO)
        for entered, fact, _ in self.facts:
            if entered != LONG_AGO:
                with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
                    recorder.record(fact)
                self.record_at(entered)
        for _, fact, voided in self.facts:
            if voided is not None:
                with recording(by=None, via=Via.COMMAND, why="test data") as recorder:
                    recorder.void([fact])
                self.record_at(voided)

    def record_at(self, day: date) -> None:
        """Put the last change at noon of that day, where the example says when things were recorded."""
        if self.is_dated:
            at = timezone.make_aware(datetime.combine(day, time(12)))
            with pgtrigger.ignore("roster.Change:fixed"):
                Change.objects.filter(pk=Change.objects.latest("pk").pk).update(at=at)

    def answer(self, asked: str) -> str:
        """The standing of a day, as the page writes it."""
        day, _, known = asked.partition(" ")
        moment = None
        if known:
            moment = timezone.make_aware(datetime.combine(date.fromisoformat(known), time.max))
        (line,) = standings.lines([self.officer.pk], gather_rules(), known_at=moment).values() or ([],)
        found = standings.on_day(line, date.fromisoformat(day))
        if found is None:
            return "not asked"
        row, _ = found
        state = str(row.state).replace("_", " ")
        if row.state == "excused":
            return state
        return f"{state}, due {row.due_on}" if row.due_on else f"{state}, no due date"


@pytest.mark.django_db
@pytest.mark.parametrize("example", of_language("example"))
def test_example_is_what_the_product_answers(example: Example) -> None:
    told = Told(example.lines)
    told.tell()

    assert [(asked, told.answer(asked)) for asked, _ in told.answers] == told.answers
    assert told.answers != []


@pytest.mark.django_db
def test_a_wrong_example_is_found_out() -> None:
    told = Told(['rule clock = "rolling"; months = 36', "done 2023-03-17 CIT", "2026-03-18  current, due 2026-03-17"])
    told.tell()

    assert told.answer("2026-03-18") == "overdue, due 2026-03-17"
    assert told.answers == [("2026-03-18", "current, due 2026-03-17")]
    assert Officer.objects.count() == 1


# Shares and goals


def lines_of(language: str) -> list[str]:
    found = examples(PAGE.read_text(encoding="utf-8"))
    return [line for example in found if example.language == language for line in example.lines]


@pytest.mark.parametrize("line", lines_of("shares"))
def test_share_is_cut_off_after_one_decimal(line: str) -> None:
    have, counted, printed = re.fullmatch(r"(\d+) of (\d+) +(\S+)(?: %)?", line).groups()  # type: ignore[union-attr] # a line that reads otherwise is a defect of the page

    assert coverage.percent(int(have), int(counted)) == printed


@pytest.mark.parametrize("line", lines_of("goals"))
def test_goal_needs_what_the_page_says(line: str) -> None:
    percent, counted, least, needed = re.fullmatch(
        r"([\d.]+) % of (\d+)(?:, at least (\d+))? +needs (\d+)", line
    ).groups()  # type: ignore[union-attr] # a line that reads otherwise is a defect of the page

    assert goals.needed_of(int(counted), Fraction(percent), int(least or 0)) == int(needed)


# The page as a whole


def test_every_rule_has_an_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", page, re.M)

    shown = {example.heading for example in examples(page)}
    assert [heading for heading in headings if heading not in shown] == []
    assert len(headings) == len(set(headings))


def test_the_page_explains_every_key_of_an_edition_and_a_population() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = [*requirements.PLAIN, *requirements.COURSE_LISTS, "functions", "units", "ranks", "shifts", "designations"]
    keys += ["voluntary_only", "min_service_months", "acting_counts", "categories"]

    assert [key for key in keys if f"`{key}`" not in page] == []
