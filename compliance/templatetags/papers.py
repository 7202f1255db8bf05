"""Papers and certificates as pages show them: where an item is mended, and whether a certificate holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from compliance.class_papers.missing import Item
from compliance.templatetags.classes import class_address
from roster.models import Officer
from training.certificates import Validity, holding, validities, why_none
from training.models import Certificate, ClassSession, Completion

register = template.Library()

SIGNS = {
    Validity.VALID: ("current", "✓"),
    Validity.REPLACED: ("excused", "◌"),
    Validity.NOT_VALID: ("overdue", "▲"),
}


@register.inclusion_tag("certificates/_validity.html")
def validity_badge(validity: Validity | str) -> dict[str, str]:
    """Whether a certificate holds, with its sign and word."""
    state, sign = SIGNS[Validity(validity)]
    return {"state": state, "sign": sign, "word": str(validity)}


@register.inclusion_tag("officers/_certificates.html")
def officer_certificates(officer: Officer) -> dict[str, Any]:
    """The certificates issued to a member, newest first. At most five queries."""
    own = Q(completion__officer=officer) | Q(completion__officer__merged_into=officer)
    rows = Certificate.objects.filter(own).select_related("completion__course", "enrollment")
    found = list(rows.order_by("-completed_on", "-pk"))
    holds = validities(found) if found else {}
    return {"certificates": [(row, holds[row.pk]) for row in found]}


@register.inclusion_tag("completions/_certificate.html", takes_context=True)
def completion_certificate(context: Any, completion: Completion) -> dict[str, Any]:
    """The certificate of a completion, or why there can be none, or a button that issues one. At most six queries."""
    row = holding([completion]).get(completion.pk)
    return {
        "completion": completion,
        "certificate": row,
        "validity": validities([row])[row.pk] if row else None,
        "why_none": "" if row else why_none(completion),
        "may_issue": context["may_record"],
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def mend_url(context: Any, item: Item, session: ClassSession) -> str:
    """The page on which a missing item is mended."""
    if not item.is_of_class:
        return reverse(item.page, args=item.args)
    url = _with(class_address(item.page, session, context["request"]), item.query)
    return f"{url}#add" if item.page == "class-papers" else url


@register.simple_tag(takes_context=True)
def sheet_url(context: Any, session: ClassSession, number: int) -> str:
    """The sign-in sheet of one block."""
    return _with(class_address("class-sign-in", session, context["request"]), {"block": number})


def _with(url: str, query: Mapping[str, Any]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url
