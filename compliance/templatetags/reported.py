"""What a member's own page says of evidence that is missing."""

from __future__ import annotations

from typing import Any

from django import template

from roster.models import Officer
from training.completions import unverified_of

register = template.Library()


@register.inclusion_tag("evidence/_own.html")
def own_evidence(officer: Officer) -> dict[str, Any]:
    """What waits or was rejected of a member's own, and the way to report a course. Two queries."""
    return {"unverified": unverified_of(officer.pk)}
