"""Whether each goal is met on a day, and by how many it is short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from compliance import goals
from compliance.management.answering import AnswerCommand, find_agency
from compliance.models import Goal


class Command(AnswerCommand):
    help = "Print how every goal stands on a day."
    columns = ("goal", "met", "percent", "needed", "have", "short", "groups")

    @transaction.atomic
    def answer(self, as_of: date, known_at: datetime | None, options: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        found = []
        agency = find_agency(options["agency"])
        for goal in Goal.objects.order_by("code"):
            result = goals.evaluate(goal, as_of=as_of, known_at=known_at, agency=agency)
            found.append(
                {
                    "goal": goal.code,
                    "met": result.met,
                    "percent": result.percent,
                    "needed": result.needed,
                    "have": result.have,
                    "short": result.short,
                    "groups": [],
                }
            )
        return found
