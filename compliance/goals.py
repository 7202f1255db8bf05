"""Goals: what share of a population was promised, and whether it is reached on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from compliance import coverage
from compliance.models import Goal
from roster.models import Agency


@dataclass(frozen=True, slots=True)
class GoalResult:
    """How a goal stands. With nobody to count it is not met: a claim about nobody cannot be made."""

    met: bool
    have: int
    needed: int
    counted: int
    excused: int

    @property
    def short(self) -> int:
        return max(0, self.needed - self.have)

    @property
    def short_words(self) -> str:
        return f"short {self.short}"

    @property
    def percent(self) -> str:
        """The share reached, truncated to one decimal; `n/a` for nobody."""
        return coverage.percent(self.have, self.counted)


def needed_of(counted: int, target_percent: Fraction, min_count: int = 0) -> int:
    """The smallest count with `have * 100 >= target * counted` (rules 7) and `min_count`: 184 of 613 at 30 %."""
    share = target_percent * counted
    return max(-(-share.numerator // (share.denominator * 100)), min_count)


def evaluate(goal: Goal, *, as_of: date, known_at: datetime | None = None, agency: Agency | None = None) -> GoalResult:
    """How a goal stands on a day, in one agency or everywhere. One query when known now.

    The denominator is everybody in the population but the excused, as for coverage. `trained` counts those of them who
    were ever credited, `certified` those who are current.
    """
    rows = coverage.standings_on(as_of, known_at=known_at, requirement_ids=[goal.requirement_id])
    return of_rows(goal, rows if agency is None else rows.filter(officer__agency=agency))


def have_of(goal: Goal, counts: coverage.Counts) -> int:
    """Of these members, those a goal counts: `ever` holds the excused too, who are outside what is counted."""
    return counts.ever_counted if goal.counts == "trained" else counts.current


def of_rows(goal: Goal, rows: coverage.Standings) -> GoalResult:
    """How a goal stands among these standings: a unit's, say. Rows of other requirements must not be among them."""
    (counts,) = coverage.counts(rows, "none")
    return of_counts(goal, counts)


def of_counts(goal: Goal, counts: coverage.Counts) -> GoalResult:
    """How a goal stands among members already counted. No query."""
    have = have_of(goal, counts)
    needed = needed_of(counts.counted, Fraction(goal.target_percent), goal.min_count)
    met = counts.counted > 0 and have >= needed
    return GoalResult(met=met, have=have, needed=needed, counted=counts.counted, excused=counts.excused)


def exceptions(goal: Goal, rows: coverage.Standings) -> coverage.Standings:
    """The members who keep the goal from being whole: counted, and never credited (trained) or not current."""
    counted = rows.exclude(state="excused")
    return counted.filter(has_credit=False) if goal.counts == "trained" else counted.exclude(state="current")
