"""Calendar feeds: blocks of classes as the files that calendar programs subscribe to (RFC 5545).

A feed is read by a private address, without signing in. Who made the address sees in it what the calendar page shows
them; making another one stops the first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from icalendar import Calendar, Event

from roster import trail
from roster.facts import Via
from training.models import CalendarFeed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PRODUCT = "-//CIT Tracker//Classes//EN"
#: Bytes of chance in a private address: nobody guesses 256 bits.
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One block in a feed."""

    #: the same for as long as the block exists
    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str
    #: lines of text; blank = none
    description: str
    place: str
    #: blank where whoever reads the feed has no page about it
    url: str
    changed_at: datetime
    #: how often its class was changed
    sequence: int
    is_cancelled: bool


def feed(entries: Iterable[FeedEntry], *, name: str) -> bytes:
    """The file: UTF-8, lines folded at 75 bytes, all times in UTC so that no time zone has to be described."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        # Without a METHOD this is when the event was last changed (RFC 5545, 3.8.7.2): the same file until it is.
        event.add("dtstamp", entry.changed_at.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", entry.starts_at.astimezone(UTC))
        event.add("dtend", entry.ends_at.astimezone(UTC))
        event.add("summary", entry.summary)
        event.add("sequence", entry.sequence)
        event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
        for key, value in (("description", entry.description), ("location", entry.place), ("url", entry.url)):
            if value:
                event.add(key, value)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def feed_of(user: User) -> CalendarFeed | None:
    """The private address that this user has made."""
    return CalendarFeed.objects.filter(user=user).first()


def make_feed(user: User) -> CalendarFeed:
    """A private address for this user's calendar; one made before stops."""
    with transaction.atomic(), trail.acting(user, Via.PAGE):
        defaults = {"token": secrets.token_urlsafe(TOKEN_BYTES)}
        made, is_new = CalendarFeed.objects.update_or_create(user=user, defaults=defaults)
        _note(user, {} if is_new else {"private address": "made before"}, {"private address": "a new one"})
    return made


def remove_feed(user: User) -> None:
    """Stop the private address of this user."""
    with transaction.atomic(), trail.acting(user, Via.PAGE):
        stopped, _ = CalendarFeed.objects.filter(user=user).delete()
        if stopped:
            _note(user, {"private address": "made before"}, {"private address": "stopped"})


def _note(user: User, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """A line in the trail. The address itself is a secret and never in it."""
    trail.note(trail.What.CALENDAR, trail.Act.CHANGED, user.username, before=before, after=after)
