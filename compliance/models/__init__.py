"""What follows from the facts: requirements, standings, goals, snapshots, issued reports, and long work.

Three facts live here, since they are about a requirement: `Waiver`, `Extension` and `Explanation`.
"""

from compliance.models.approvals import Explanation, Extension, MassAct, MassLine, Waiver
from compliance.models.jobs import ImportedRow, ImportLine, ImportRun, IssuedReport, Job, JobState, ReturnedFact
from compliance.models.rules import Counted, Each, Edition, Goal, Population, Requirement, in_force_on
from compliance.models.standings import (
    CoverageSnapshot,
    GoalSnapshot,
    KnownAnswer,
    KnownAnswerRow,
    KnownStanding,
    Standing,
)

__all__ = [
    "Counted",
    "CoverageSnapshot",
    "Each",
    "Edition",
    "Explanation",
    "Extension",
    "Goal",
    "GoalSnapshot",
    "ImportLine",
    "ImportRun",
    "ImportedRow",
    "IssuedReport",
    "Job",
    "JobState",
    "KnownAnswer",
    "KnownAnswerRow",
    "KnownStanding",
    "MassAct",
    "MassLine",
    "Population",
    "Requirement",
    "ReturnedFact",
    "Standing",
    "Waiver",
    "in_force_on",
]
