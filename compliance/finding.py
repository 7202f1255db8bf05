"""Who is meant by what somebody pasted: ids, badges and names become members, or choices for a person.

A number or a full name that fits exactly one member finds that member. Leading zeros, case, punctuation, order and
accents do not matter. Everything else - two members who fit, one letter off, a last name alone, a former name - is
offered and never taken.

Cost: three queries for what fits and at most four more when a line is left over, whatever the number of lines. Names
come near when something equal is left of both once any one letter is dropped: no two are compared letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import models
from django.db.models import F, Func, Q, QuerySet

from roster.matching import SUFFIXES, fold
from roster.models import FormerDetail, Officer

#: More lines than this are a file, and files have their own page.
MOST_LINES = 500
MOST_CHOICES = 6

TITLES = frozenset(
    {"officer", "ofc", "off", "po", "sgt", "sergeant", "lt", "lieutenant", "det", "detective", "cpl", "corporal"}
    | {"capt", "captain", "dep", "deputy", "tpr", "trooper", "mr", "mrs", "ms"}
)
HEADERS = frozenset(
    {"id", "ids", "employee", "employeeid", "emp", "empid", "badge", "badges", "badgeno", "name", "names", "lastname"}
    | {"firstname", "last", "first", "officer", "officers", "member", "members", "no", "number", "post", "postid"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """One line as somebody pasted it, and who it is."""

    text: str
    officer: Officer | None = None
    #: what it was found by, for people: "by badge"
    by: str = ""
    #: members offered to a person, who may also take none
    choices: tuple[Officer, ...] = ()
    #: why a person is needed, or why the line was left out
    why: str = ""


@dataclass(slots=True)
class Line:
    """One member as pasted: words that look like numbers, and words that look like a name."""

    text: str
    numbers: list[str] = field(default_factory=list)
    #: (last, given) as written with a comma, or every word under last when there was none
    last: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


def id_key(text: str) -> str:
    """An id as ids are compared: letters and digits, no case, no leading zeros, no `.0` of a spreadsheet."""
    text = re.sub(r"\.0+$", "", text.strip())
    return fold(text).lstrip("0")


def name_key(text: str) -> str:
    """A name as names are compared: letters only, without accents and case."""
    return "".join(letter for letter in fold(text) if letter.isalpha())


def find(text: str, among: QuerySet[Officer]) -> list[Found]:
    """Each member named in the text, in its order, among these members."""
    return judge(list(read_lines(text)), among)


def line_of(number: str = "", last: str = "", given: str = "") -> Line:
    """A line that names a member by a number or by a name, as read from columns."""
    text = " ".join(filter(None, (number, last, given)))
    return Line(text, [number] if number else [], _words(last), _words(given))


def judge(lines: Sequence[Line], among: QuerySet[Officer]) -> list[Found]:
    """Who each line means, among these members."""
    fitting = _Fitting(among, lines)
    found = [fitting.judge(line) for line in lines]
    left = [index for index, entry in enumerate(found) if entry.officer is None and not entry.choices]
    if left:
        near = _Near(among, [lines[index] for index in left])
        offered = {index: near.to(lines[index]) for index in left}
        officers = among.select_related("agency").in_bulk({pk for pks in offered.values() for pk in pks})
        for index, pks in offered.items():
            choices = tuple(officers[pk] for pk in pks)
            why = "Nobody has exactly this. Did you mean:" if choices else "Nobody like this is within your reach."
            found[index] = Found(lines[index].text, choices=choices, why=why)
    return found


def read_lines(text: str) -> Iterator[Line]:
    """The members pasted: one a line, spreadsheet columns or not; several numbers in one line are several members."""
    for raw in text.replace("\r", "\n").split("\n"):
        shown = " ".join(raw.split())
        if not shown:
            continue
        cells = [cell.strip(" \"'\u201c\u201d") for cell in re.split(r"[\t;|]", raw)]
        cells = [cell for cell in cells if cell]
        if all(name_key(word) in HEADERS for cell in cells for word in re.split(r"[\s,]+", cell) if word):
            continue
        several = re.split(r"[\s,;]+", raw.strip(" ,;\t"))
        if "\t" not in raw and len(several) > 1 and all(_is_number(word) for word in several):
            yield from (Line(word, numbers=[word]) for word in several)
            continue
        yield _read_cells(shown, cells)


def _read_cells(shown: str, cells: Sequence[str]) -> Line:
    line = Line(shown)
    names: list[str] = []
    for cell in cells:
        words = [word for word in re.split(r"\s+", cell) if word]
        line.numbers.extend(word.strip(",") for word in words if _is_number(word.strip(",")))
        rest = " ".join(word for word in words if not any(letter.isdigit() for letter in word))
        if name_key(rest):
            names.append(rest.strip(" ,"))
    if names:
        # `Whitfield, Amara` and the two columns `Whitfield`, `Amara` say the same; further columns are something else.
        parts = [part for name in names for part in name.split(",") if name_key(part)]
        if len(parts) == 1:
            line.last = _words(parts[0])
        else:
            line.last, line.given = _words(parts[0]), _words(parts[1])
    return line


def _words(text: str) -> tuple[str, ...]:
    words = [name_key(word) for word in re.split(r"[\s.]+", text)]
    kept = [word for word in words if word and word not in SUFFIXES]
    while len(kept) > 1 and kept[0] in TITLES:
        kept = kept[1:]
    return tuple(kept)


def _is_number(word: str) -> bool:
    """Whether it looks like an id or badge: a digit in it, and not a date or a time."""
    return bool(re.fullmatch(r"#?[A-Za-z]{0,6}[-.]?\d[\dA-Za-z.-]*", word)) and not re.fullmatch(
        r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", word
    )


class KeyOf(Func):
    """An id column as `id_key` writes it, but for rare punctuation."""

    template = "ltrim(translate(lower(%(expressions)s), ' -./#', ''), '0')"
    output_field = models.CharField()


class NameKeyOf(Func):
    """A name column as `name_key` writes it, but for rare accents and signs."""

    template = (
        "translate(lower(%(expressions)s), 'áàâäãåéèêëíìîïóòôöõúùûüñçýÿšžčćđł -''’.',"
        " 'aaaaaaeeeeiiiiooooouuuuncyyszccdl')"
    )
    output_field = models.CharField()


class _Fitting:
    """The members whose numbers or names are in the lines. One query, two when a name is in them."""

    def __init__(self, among: QuerySet[Officer], lines: Sequence[Line]) -> None:
        numbers = {id_key(number) for line in lines for number in line.numbers} - {""}
        # A last name may be of several words, and the words may come in any order.
        names = {name for line in lines for name in _possible_last_names(line)}
        found = (
            among.select_related("agency")
            .alias(
                id_key=KeyOf(F("employee_id")),
                badge_key=KeyOf(F("badge")),
                post_key=KeyOf(F("post_id")),
                last_key=NameKeyOf(F("last_name")),
            )
            .filter(Q(id_key__in=numbers) | Q(badge_key__in=numbers) | Q(post_key__in=numbers) | Q(last_key__in=names))
        )
        self.by_number: dict[str, dict[Officer, str]] = {}
        self.by_last: dict[str, list[Officer]] = {}
        for officer in found if numbers or names else ():
            for number, by in (
                (officer.post_id, "by POST id"),
                (officer.badge, "by badge"),
                (officer.employee_id, "by id"),
            ):
                if id_key(number):
                    self.by_number.setdefault(id_key(number), {})[officer] = by
            self.by_last.setdefault(name_key(officer.last_name), []).append(officer)
        self.former: dict[str, list[Officer]] = {}
        words = {word for line in lines for word in (*line.last, *line.given)}
        if names:
            former = FormerDetail.objects.filter(officer__in=among, field="last_name").annotate(
                key=NameKeyOf(F("value"))
            )
            for detail in former.filter(key__in=names | words).select_related("officer__agency"):
                self.former.setdefault(name_key(detail.value), []).append(detail.officer)

    def judge(self, line: Line) -> Found:
        by_number = self._by_numbers(line)
        if by_number is not None:
            return by_number
        if line.last:
            return self._by_name(line)
        return Found(line.text)

    def _by_numbers(self, line: Line) -> Found | None:
        """By the first number that anybody has; the name beside it has to agree."""
        for number in line.numbers:
            holders = self.by_number.get(id_key(number), {})
            if not holders:
                continue
            officers = list(holders)
            if len(officers) > 1:
                exact = [officer for officer in officers if officer.employee_id.upper() == number.upper()]
                named = [officer for officer in officers if line.last and _agrees(officer, line)]
                if len(exact) == 1:
                    officers = exact
                elif len(named) == 1:
                    officers = named
                else:
                    return Found(
                        line.text, choices=tuple(officers[:MOST_CHOICES]), why="Several members have this number."
                    )
            officer = officers[0]
            if line.last and not _agrees(officer, line):
                also = [other for name in line.last for other in self.by_last.get(name, ())]
                choices = tuple(dict.fromkeys([officer, *also]))[:MOST_CHOICES]
                return Found(line.text, choices=choices, why="The number and the name do not belong together.")
            return Found(line.text, officer=officer, by=holders[officer])
        return None

    def _by_name(self, line: Line) -> Found:
        fitting: list[Officer] = []
        partly: list[Officer] = []
        for name in _possible_last_names(line):
            for officer in self.by_last.get(name, ()):
                if _is_whole_name(officer, line):
                    fitting.append(officer)
                elif _agrees(officer, line):
                    partly.append(officer)
        fitting, partly = list(dict.fromkeys(fitting)), list(dict.fromkeys(partly))
        if len(fitting) == 1:
            return Found(line.text, officer=fitting[0], by="by name")
        if fitting:
            return Found(line.text, choices=tuple(fitting[:MOST_CHOICES]), why="Several members have this name.")
        if partly:
            why = "Only a part of the name is given. Did you mean:"
            return Found(line.text, choices=tuple(partly[:MOST_CHOICES]), why=why)
        former = [other for name in (*line.last, *line.given) for other in self.former.get(name, ())]
        if former:
            return Found(line.text, choices=tuple(dict.fromkeys(former))[:MOST_CHOICES], why="A former name of:")
        return Found(line.text)


def _possible_last_names(line: Line) -> Iterator[str]:
    """What may be the last name: the part before the comma; without one, any run of words at either end."""
    if line.given:
        yield "".join(line.last)
        yield "".join(line.given)
        return
    for length in range(1, len(line.last) + 1):
        yield "".join(line.last[:length])
        yield "".join(line.last[-length:])


def _given_words(officer: Officer) -> list[str]:
    return [
        name_key(word) for word in re.split(r"[\s.-]+", f"{officer.first_name} {officer.middle_name}") if name_key(word)
    ]


def _is_whole_name(officer: Officer, line: Line) -> bool:
    """Whether the line gives the last name and the whole first name, and no middle name that differs."""
    for last, given in _readings(line):
        if last == name_key(officer.last_name) and given:
            first, middles = name_key(officer.first_name), [name_key(officer.middle_name)]
            if given[0] == first or "".join(given[:2]) == first:
                rest = given[1:] if given[0] == first else given[2:]
                if all(not middles[0] or middles[0].startswith(word) or word == middles[0][:1] for word in rest):
                    return True
    return False


def _agrees(officer: Officer, line: Line) -> bool:
    """Whether nothing in the line speaks against this member: the last name, and initials of the given ones."""
    names = _given_words(officer)
    for last, given in _readings(line):
        if last != name_key(officer.last_name):
            continue
        if not given or any(name.startswith(given[0]) or given[0].startswith(name) for name in names[:1]):
            return True
    return False


def _readings(line: Line) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(last name, given names) as the line may be read."""
    if line.given:
        yield "".join(line.last), line.given
        yield "".join(line.given), line.last
        return
    words = line.last
    for length in range(1, len(words) + 1):
        yield "".join(words[:length]), words[length:]
        yield "".join(words[-length:]), words[:-length]


class _Near:
    """What comes near the lines that fitted nobody. At most three queries, whatever the number of lines."""

    def __init__(self, among: QuerySet[Officer], lines: Sequence[Line]) -> None:
        self._written: dict[str, list[int]] = {}
        self._ids: dict[str, list[int]] = {}
        self._names: dict[str, list[tuple[str, int]]] = {}
        self._shorter: dict[str, list[str]] = {}
        numbers = {number for line in lines for number in line.numbers}
        if numbers:
            self._load_numbers(among, numbers)
        wanted = {last for line in lines for last, _ in _readings(line) if len(last) > 2}
        if wanted:
            self._load_names(among, wanted)

    def _load_numbers(self, among: QuerySet[Officer], numbers: set[str]) -> None:
        keys = {variant for number in numbers for variant in one_off(id_key(number))}
        found = among.alias(id_key=KeyOf(F("employee_id")), badge_key=KeyOf(F("badge"))).filter(
            Q(id_key__in={key.lstrip("0") for key in keys}) | Q(badge_key__in=keys)
        )
        for pk, *held in found.values_list("pk", "employee_id", "badge"):
            for number in held:
                if number:
                    self._written.setdefault(fold(number), []).append(pk)
                    self._ids.setdefault(id_key(number), []).append(pk)

    def _load_names(self, among: QuerySet[Officer], wanted: set[str]) -> None:
        shorter_wanted = {shorter for last in wanted for shorter in without_one(last)}
        near: dict[str, str] = {}
        for last_name in among.order_by().values_list("last_name", flat=True).distinct():
            last = name_key(last_name)
            shorter_of = without_one(last)
            if not shorter_wanted.isdisjoint(shorter_of):
                near[last_name] = last
                for shorter in shorter_of:
                    self._shorter.setdefault(shorter, []).append(last)
        for pk, last_name, first_name in among.filter(last_name__in=list(near)).values_list(
            "pk", "last_name", "first_name"
        ):
            self._names.setdefault(near[last_name], []).append((first_name, pk))

    def to(self, line: Line) -> list[int]:
        """Members who come near, nearest first."""
        found: dict[int, None] = {}
        for number in line.numbers:
            # First as written, zeros and all: of two ids one slip away the one of the same shape is the likelier.
            for key, known in ((fold(number), self._written), (id_key(number), self._ids)):
                for variant in one_off(key):
                    found.update(dict.fromkeys(known.get(variant, ())))
        if not found:
            found.update(dict.fromkeys(self._by_name(line)))
        return list(found)[:MOST_CHOICES]

    def _by_name(self, line: Line) -> Iterator[int]:
        ranked: set[tuple[int, int]] = set()
        for last, given in _readings(line):
            for name in {name for shorter in without_one(last) for name in self._shorter.get(shorter, ())}:
                # A slip in the last name counts more than one in the first, and an initial less than a name.
                far = 0 if name == last else 4
                for first_name, pk in self._names[name]:
                    first = name_key(first_name)
                    if not given:
                        ranked.add((far + 3, pk))
                    elif first == given[0]:
                        ranked.add((far, pk))
                    elif first.startswith(given[0]) or given[0].startswith(first):
                        ranked.add((far + 1, pk))
                    elif one_apart(first, given[0]):
                        ranked.add((far + 2, pk))
        return (pk for _, pk in sorted(ranked))


def without_one(word: str) -> set[str]:
    """The word itself and what is left of it when one letter is dropped."""
    return {word, *(word[:index] + word[index + 1 :] for index in range(len(word)))}


def one_off(key: str, alphabet: str = "0123456789") -> Iterator[str]:
    """What one slip makes of an id: two neighbours swapped, one missing, a sign wrong, one too many."""
    for index in range(len(key) - 1):
        yield key[:index] + key[index + 1] + key[index] + key[index + 2 :]
    for index in range(len(key) + 1):
        yield from (key[:index] + letter + key[index:] for letter in alphabet)
    for index in range(len(key)):
        yield from (key[:index] + letter + key[index + 1 :] for letter in alphabet if letter != key[index])
    if len(key) > 2:
        yield from (key[:index] + key[index + 1 :] for index in range(len(key)))


def one_apart(one: str, other: str) -> bool:
    """Whether two words differ by about one letter."""
    return not without_one(one).isdisjoint(without_one(other))
