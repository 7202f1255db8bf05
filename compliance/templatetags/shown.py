"""How figures, states and dates are shown, in one place for all pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.core.paginator import Page
from django.template.context import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from compliance import coverage, goals, jobs, lifeline, sentences
from compliance.models import Edition, Goal, Job
from compliance.sentences import name_of
from roster.access import Right, Viewer
from roster.facts import Change

register = template.Library()

SIGNS = {"current": "✓", "in_grace": "▨", "overdue": "▲", "excused": "◌"}


@register.filter
def state_badge(state: str, words: str = "") -> SafeString:
    """A state with its sign and word; `words` replaces the word, as in `overdue 130 days`."""
    return format_html(
        '<span class="state state-{}"><span aria-hidden="true">{}</span> {}</span>',
        state,
        SIGNS[state],
        words or state.replace("_", " "),
    )


@register.filter
def time_left(job: Job) -> str:
    """`about 3 minutes left`; blank while nobody can say."""
    left = jobs.time_left(job, timezone.now())
    if left is None:
        return ""
    seconds = left.total_seconds()
    if seconds < 50:
        return "less than a minute left"
    if seconds < 90:
        return "about a minute left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes left"
    return f"about {round(seconds / 3600)} hours left"


@register.filter
def day(value: date | None) -> str:
    """`8 Aug 2029`; blank for none."""
    return sentences.day(value) if value else ""


@register.filter
def share(counts: coverage.Counts) -> SafeString:
    """`80.9 %` with `251 of 310` under it; small groups show the count first."""
    if counts.counted == 0:
        return format_html('<div class="share"><strong>n/a</strong><span>{}</span></div>', "nobody to count")
    percent, of = f"{counts.percent} %", f"{counts.current:,} of {counts.counted:,}"
    first, second = (of, percent) if counts.counted < 5 else (percent, of)
    return format_html('<div class="share"><strong>{}</strong><span>{}</span></div>', first, second)


@register.filter
def bar(counts: coverage.Counts) -> SafeString:
    """The shares of the states as a picture; whoever does not see it reads them beside it."""
    pieces = [(f"fill-{piece.state}", piece.x, piece.width) for piece in counts.pieces] or [("fill-none", 0, 100)]
    return format_html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}</svg>',
        format_html_join("", '<rect class="{}" x="{}" y="0" width="{}" height="8"></rect>', pieces),
    )


@register.filter
def group_share(group: goals.Share) -> SafeString:
    """The share of a goal's group as `share` shows one: of whom the goal counts, not of who is current."""
    of = f"{group.have:,} of {group.counted:,}"
    percent = f"{group.percent} %" if group.counted else group.percent
    first, second = (of, percent) if 0 < group.counted < 5 else (percent, of)
    return format_html('<div class="share"><strong>{}</strong><span>{}</span></div>', first, second)


@register.filter
def counted(number: int, one: str) -> str:
    """`1 member`, `1,204 members`."""
    return sentences.count(number, one)


@register.filter
def group_cell(group: goals.Group) -> SafeString:
    """A group in one line: `8 of 15` with its share, and whether it is met or how many it is short."""
    badge = state_badge("current", "met") if group.met else state_badge("overdue", group.short_words)
    share = f"{group.percent} %" if group.counted else group.percent
    return format_html(
        '<span class="group"><strong>{}</strong> <span class="quiet">{}</span> {}</span>',
        f"{group.have:,} of {group.counted:,}",
        share,
        badge,
    )


@register.filter
def duration(days: int) -> str:
    """Days up to 90, then months: `130 days` would be `4 months`."""
    return sentences.count(days, "day") if days <= 90 else sentences.count(days * 12 // 365, "month")


@register.filter
def rows_shown(count: int, page: Page[Any]) -> str:
    """`1 to 50 of 420 rows`; `1 to 50 of more than 100,000 rows` where nobody counted further."""
    if count == 0:
        return ""
    if count <= page.paginator.per_page:
        return sentences.count(count, "row")
    more = "more than " if getattr(page.paginator, "has_more", False) else ""
    return f"{page.start_index():,} to {page.end_index():,} of {more}{count:,} rows"


@register.filter
def period(start_on: date, end_on: date | None) -> str:
    """`4 Mar 2016 to 10 Dec 2024`, `since 4 Mar 2016`."""
    return lifeline.period(start_on, end_on)


@register.filter
def renewal(edition: Edition) -> str:
    """How long a credit lasts, in a few words."""
    return sentences.renewal(edition)


@register.filter
def goal_asks(goal: Goal) -> str:
    """What a goal asks, and which of the four facts it counts."""
    return f"{sentences.goal_asks(goal)} Counts: {goal.get_counts_display()}."


@register.filter
def add_float(value: float, number: float) -> float:
    """Coordinates of a picture: a little to the right or below."""
    return round(value + float(number), 1)


@register.filter
def person(user: User) -> str:
    """Who somebody is, by name."""
    return name_of(user)


@register.filter
def recorded(change: Change) -> str:
    """`3 May 2026, page, Ruth Osei: why`: when, by which door, who and why."""
    by = f", {name_of(change.by)}" if change.by else ""
    on = f"{sentences.day(timezone.localdate(change.at))}, " if change.at else ""
    return f"{on}{change.get_via_display()}{by}{f': {change.why}' if change.why else ''}"


@register.filter
def who_and_when(change: Change) -> str:
    """`Ruth Osei, 3 May 2026`."""
    who = [name_of(change.by)] if change.by else [str(change.get_via_display())]
    return ", ".join([*who, *([sentences.day(timezone.localdate(change.at))] if change.at else [])])


@register.filter
def may_record(viewer: Viewer) -> bool:
    return viewer.may(Right.RECORD)


@register.filter
def may_read(viewer: Viewer) -> bool:
    return viewer.may(Right.READ_MEMBERS)


@dataclass(frozen=True)
class Item:
    title: str
    url: str
    is_here: bool


#: Title, the name of its address, and the right it needs (None = every role).
NAVIGATION: tuple[tuple[str, str, Right | None], ...] = (
    ("Home", "home", None),
    ("Coverage", "coverage", Right.READ_MEMBERS),
    ("Officers", "officer-list", Right.READ_MEMBERS),
    ("Deadlines", "deadline-list", Right.READ_MEMBERS),
    ("Waivers", "waiver-list", Right.READ_MEMBERS),
    ("Goals", "goal-list", Right.READ_MEMBERS),
    ("Completions", "completion-list", Right.READ_MEMBERS),
    ("Courses", "course-list", Right.READ_MEMBERS),
    ("Classes", "class-list", Right.READ_MEMBERS),
    ("Import", "import-list", Right.IMPORT),
    ("Requirements", "requirement-list", Right.READ_MEMBERS),
    ("Reports", "report-list", Right.READ_REPORTS),
    ("Trail", "trail-list", Right.READ_TRAIL),
    ("Users", "user-list", Right.ADMINISTER),
)


#: Pages that have no place of their own in the header: the name of the one they stand under -> theirs.
BESIDE = {
    "user-list": ("settings", "staffing-settings"),
    "waiver-list": ("extension-list", "mass-list"),
    "course-list": ("equivalency-list", "lesson-plan-list", "topic-list"),
    "class-list": ("calendar", "instructor-list", "place-list"),
    "completion-list": ("correction-list",),
    "officer-list": ("merge-list",),
}


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[Item]:
    """What the header offers this user; nothing before the access check."""
    request = context.get("request")
    viewer: Viewer | None = getattr(request, "viewer", None)
    if request is None or viewer is None:
        return []
    items = []
    # Whoever reads members finds the calendar beside the classes; others have no other page of classes.
    own = () if viewer.may(Right.READ_MEMBERS) else (("Calendar", "calendar", None),)
    for title, name, right in (*NAVIGATION, *own):
        if right is None or viewer.may(right):
            url = reverse(name)
            starts = tuple(reverse(beside) for beside in (name, *BESIDE.get(name, ())))
            is_here = request.path == url or (name != "home" and request.path.startswith(starts))
            items.append(Item(title, url, is_here))
    return items
