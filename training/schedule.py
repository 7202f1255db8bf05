"""The clock of classes: times of the agency's day as moments, and a course laid out over days. No query.

Moments are kept in UTC, so that the minutes between two of them are those that really pass, on days when the clock
changes too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from roster.records import spoken
from training.models import Instructor, Meeting, Place, Topic

ONE_DAY = timedelta(days=1)
#: The smallest step of a moment: what ends at midnight ended this much before the next day.
INSTANT = timedelta(microseconds=1)
#: A day of teaching where nobody asks for another.
MINUTES_A_DAY = 8 * 60
#: What a day of teaching is cut into when it is shared out.
STEP = 15
#: The longest block, and the longest day: what is longer is a slip of the keyboard.
LONGEST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Block:
    """A block as somebody wants it. `pk` is the stored block that it changes, None for one to add."""

    starts_at: datetime
    ends_at: datetime
    topic: Topic | None = None
    title: str = ""
    place: Place | None = None
    instructors: tuple[Instructor, ...] = ()
    pk: int | None = None

    @property
    def day(self) -> date:
        return timezone.localdate(self.starts_at)

    @property
    def name(self) -> str:
        return self.title or (self.topic.name if self.topic else "")

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


def block_of(meeting: Meeting) -> Block:
    """A stored block with its instructors; `teaching`, `topic` and `place` are fetched already."""
    return Block(
        meeting.starts_at,
        meeting.ends_at,
        meeting.topic,
        meeting.title,
        meeting.place,
        tuple(row.instructor for row in meeting.teaching.all()),
        meeting.pk,
    )


def last_day(ends_at: datetime) -> date:
    """The day on the agency's clock on which the last of it was: midnight itself belongs to the day that ends."""
    return timezone.localdate(ends_at.astimezone(UTC) - INSTANT)


def when(starts_at: datetime, ends_at: datetime) -> str:
    """`3 Mar 2026, 08:00 to 12:00`; a block over midnight says the day on which it ends."""
    first, last = timezone.localtime(starts_at), timezone.localtime(ends_at)
    over = f" on {last.day} {last:%b}" if last.date() != first.date() else ""
    return f"{spoken(first.date())}, {first:%H:%M} to {last:%H:%M}{over}"


def moment(day: date, at: time) -> datetime:
    """That time of the day on the agency's clock; of an hour that comes twice, the first.

    A time that the clock leaves out is a `ValidationError`.
    """
    wanted = datetime.combine(day, at)
    found = timezone.make_aware(wanted).astimezone(UTC)
    if timezone.make_naive(found) != wanted:
        raise ValidationError(f"The clock goes forward on {spoken(day)}: there is no {at:%H:%M} on that day.")
    return found


def span(day: date, starts: time, ends: time) -> tuple[datetime, datetime]:
    """A block that begins on that day; an end at or before the beginning is on the next. `ValidationError`."""
    starts_at = moment(day, starts)
    ends_at = moment(day if ends > starts else day + ONE_DAY, ends)
    if ends_at - starts_at > LONGEST:
        ends_before = ends <= starts
        raise ValidationError("The block ends before it begins." if ends_before else "A block has at most 12 hours.")
    return starts_at, ends_at


def moved(at: datetime, days: int) -> datetime:
    """The same time of the day so many calendar days later or earlier. `ValidationError` where the clock skips it."""
    local = timezone.localtime(at)
    return moment(local.date() + timedelta(days=days), local.time())


def near(at: time, planned: datetime) -> datetime:
    """The moment with that time of the day that is nearest to a planned one: how people tell what really happened."""
    local = timezone.localtime(planned)
    ahead = (_of_day(at) - _of_day(local.time()) + 12 * 60) % (24 * 60) - 12 * 60
    naive = local.replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=ahead)
    return moment(naive.date(), at)


def tightest(places: Iterable[Place | None]) -> Place | None:
    """Of the places that are used the one for the fewest people; None where nobody knows of any how many it holds."""
    known = [(place.capacity, place.name, place) for place in places if place and place.capacity is not None]
    return min(known, key=lambda row: row[:2])[2] if known else None


def too_small(places: Iterable[Place | None], people: int, said: str) -> list[str]:
    """`Room 2 holds 20 people; <said>.` where the tightest of the places used holds fewer than these people."""
    place = tightest(places)
    if place is None or place.capacity is None or place.capacity >= people:
        return []
    return [f"{place} holds {place.capacity} {'person' if place.capacity == 1 else 'people'}; {said}."]


#: Federal holidays of the United States (5 U.S.C. 6103) that are the same day of every year: (month, day).
SAME_DAY = {
    "New Year's Day": (1, 1),
    "Juneteenth": (6, 19),
    "Independence Day": (7, 4),
    "Veterans Day": (11, 11),
    "Christmas Day": (12, 25),
}
#: Those that are a certain weekday of their month: (month, weekday from Monday = 0, which of them; 0 = the last).
SAME_WEEKDAY = {
    "Martin Luther King, Jr. Day": (1, 0, 3),
    "Washington's Birthday": (2, 0, 3),
    "Memorial Day": (5, 0, 0),
    "Labor Day": (9, 0, 1),
    "Columbus Day": (10, 0, 2),
    "Thanksgiving Day": (11, 3, 4),
}


def holidays(first: date, last: date) -> dict[date, str]:
    """The federal holidays from the first to the last day; one on a weekend also on the Friday or Monday beside it."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 2):
        for name, (month, number) in SAME_DAY.items():
            day = date(year, month, number)
            found[day] = name
            if day.weekday() >= 5:
                found[day + ONE_DAY * (-1 if day.weekday() == 5 else 1)] = f"{name}, observed"
        for name, (month, weekday, which) in SAME_WEEKDAY.items():
            # The last of a month is the one before the first of the next.
            begins = date(year, month + (which == 0), 1)
            found[begins + timedelta(days=(weekday - begins.weekday()) % 7, weeks=which - 1)] = name
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a course is spread over days."""

    first_day: date
    #: None: as many as days of eight hours need
    days: int | None = None
    starts: time = time(8)
    lunch_at: time = time(12)
    #: 0 = none
    lunch_minutes: int = 60
    on_weekends: bool = False
    #: days on which nothing is taught
    without: Collection[date] = ()


def lay_out(
    parts: Sequence[tuple[Topic | None, int]],
    how: Layout,
    *,
    place: Place | None = None,
    instructors: tuple[Instructor, ...] = (),
) -> list[Block]:
    """Blocks of a course, topic after topic, day after day, cut at lunch and at the end of each day.

    `parts` are the topics with their minutes. `ValidationError` where the days asked for cannot hold them.
    """
    blocks: list[Block] = []
    rest = [(topic, minutes) for topic, minutes in parts if minutes > 0]
    day = how.first_day
    for a_day in _shares(sum(minutes for _, minutes in rest), how.days):
        while day in how.without or (day.weekday() >= 5 and not how.on_weekends):
            day += ONE_DAY
        for starts_at, minutes in _sessions(day, a_day, how):
            at, left = starts_at, minutes
            while left:
                topic, wanted = rest.pop(0)
                taken = min(left, wanted)
                ends_at = at + timedelta(minutes=taken)
                blocks.append(Block(at, ends_at, topic, place=place, instructors=instructors))
                if taken < wanted:
                    rest.insert(0, (topic, wanted - taken))
                at, left = ends_at, left - taken
        day += ONE_DAY
    return blocks


def _shares(total: int, days: int | None) -> list[int]:
    """The minutes of each day. Asked for a number of days, they are as even as quarters of an hour allow."""
    if days is None:
        return [min(MINUTES_A_DAY, total - done) for done in range(0, total, MINUTES_A_DAY)]
    steps, odd = divmod(total, STEP)
    each, more = divmod(steps, days)
    shares = [(each + (index < more)) * STEP for index in range(days)]
    shares[-1] += odd
    if timedelta(minutes=max(shares)) > LONGEST:
        raise ValidationError(
            f"{total / 60:g} hours in {days} {'day' if days == 1 else 'days'} are more than 12 hours a day."
        )
    return [share for share in shares if share]


def _sessions(day: date, minutes: int, how: Layout) -> Iterator[tuple[datetime, int]]:
    """The parts of a day before and after lunch: when each begins, and its minutes."""
    starts_at = moment(day, how.starts)
    before = (_of_day(how.lunch_at) - _of_day(how.starts)) % (24 * 60)
    if not how.lunch_minutes or not 0 < before < minutes:
        yield starts_at, minutes
        return
    yield starts_at, before
    yield starts_at + timedelta(minutes=before + how.lunch_minutes), minutes - before


def _of_day(at: time) -> int:
    return at.hour * 60 + at.minute
