"""Whether each goal is met on a day, as a whole and in each group, and by how many it is short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from compliance import goals
from compliance.management.answering import AnswerCommand, Coded, find_agency, refuse_ambiguous
from compliance.models import Goal
from roster.models import Shift
from roster.tree import UnitTree


class Command(AnswerCommand):
    help = "Print how every goal stands on a day."
    columns = ("goal", "met", "percent", "needed", "have", "short", "groups")

    @transaction.atomic
    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        agency = find_agency(options["agency"])
        promised = list(Goal.objects.order_by("code"))
        found = goals.evaluate_all(promised, as_of=as_of, known_at=known_at, agency=agency)
        names = goals.Names(UnitTree(), {shift.pk: shift for shift in Shift.every.all()})
        for goal in promised:
            refuse_ambiguous(goal.code, (_where(goal, group, names) for group in found[goal.pk].groups))
        return [
            {"goal": goal.code, **_share(result), "groups": _groups(goal, result, names)}
            for goal in promised
            for result in [found[goal.pk]]
        ]

    def show_cell(self, value: object) -> str:
        """Groups in a line: `D1 nights short 1`; in a table or a CSV there is no room for more."""
        if isinstance(value, list):
            return "; ".join(map(_in_a_line, value))
        return super().show_cell(value)


def _where(goal: Goal, group: goals.Group, names: goals.Names) -> list[Coded | None]:
    """The unit and the shift that a group is told by."""
    rows: dict[str, Mapping[int, Coded]] = {"unit": names.tree.units, "shift": names.shifts}
    return [rows[key].get(getattr(group, key)) for key in goals.KEYS[goal.each]]


def _share(share: goals.GoalResult | goals.Group) -> dict[str, Any]:
    return {
        "met": share.met,
        "percent": share.percent,
        "needed": share.needed,
        "have": share.have,
        "short": share.short,
    }


def _groups(goal: Goal, result: goals.GoalResult, names: goals.Names) -> list[dict[str, Any]]:
    """Units as in the tree, shifts in their order, members without any of them last."""
    return [
        {
            **{key: names.code(key, getattr(group, key)) for key in goals.KEYS[goal.each]},
            **_share(group),
            "counted": group.counted,
        }
        for group in sorted(result.groups, key=names.place)
    ]


def _in_a_line(group: Mapping[str, Any]) -> str:
    where = " ".join(group[key] or f"no {key}" for key in ("unit", "shift") if key in group)
    said = f"short {group['short']}" if group["short"] else "met"
    return f"{where} {group['have']} of {group['counted']} {said}"
