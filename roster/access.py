"""Who may see and do what. A check returns the object it guards, so no caller can forget it; no access is a 404."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from roster.models import Access, Agency, Assignment, AssignmentKind, Officer, Role, Unit, open_on
from roster.tree import UnitTree

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

P = ParamSpec("P")
#: Units named in the header.
MOST_NAMED = 3


class Right(StrEnum):
    """What a role may do besides reading what it sees."""

    READ_MEMBERS = "read members"  # lists of members and units, within reach
    RECORD = "record facts"
    DECIDE_EVIDENCE = "decide on evidence"
    GRANT = "grant waivers and extensions, say what counts as what, explain lateness"
    READ_ACTS = "read what was granted to many at once"
    IMPORT = "import files"
    RUN_CLASSES = "plan and run classes"
    READ_CLASS_FILES = "read class files with attendance and tests"
    READ_REPORTS = "read issued reports"
    ISSUE_REPORTS = "issue reports"
    CHANGE_RULES = "change requirements"
    READ_TRAIL = "read who changed rules and rights"
    ADMINISTER = "manage users and roles"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ACADEMY: frozenset(
        {
            Right.READ_MEMBERS,
            Right.RECORD,
            Right.DECIDE_EVIDENCE,
            Right.GRANT,
            Right.READ_ACTS,
            Right.IMPORT,
            Right.RUN_CLASSES,
            Right.READ_CLASS_FILES,
        }
    ),
    Role.COMMANDER: frozenset({Right.READ_MEMBERS}),
    Role.CHIEF: frozenset({Right.READ_MEMBERS, Right.READ_ACTS, Right.READ_REPORTS, Right.READ_CLASS_FILES}),
    Role.COMPLIANCE: frozenset(
        {
            Right.READ_MEMBERS,
            Right.DECIDE_EVIDENCE,
            Right.GRANT,
            Right.READ_ACTS,
            Right.READ_REPORTS,
            Right.ISSUE_REPORTS,
            Right.CHANGE_RULES,
            Right.READ_TRAIL,
            Right.READ_CLASS_FILES,
        }
    ),
    Role.AUDITOR: frozenset(
        {Right.READ_MEMBERS, Right.READ_ACTS, Right.READ_REPORTS, Right.READ_TRAIL, Right.READ_CLASS_FILES}
    ),
    Role.OFFICER: frozenset(),
    Role.ADMIN: frozenset(Right),
}

#: Roles that read every member of their agencies.
READS_ALL = frozenset({Role.ACADEMY, Role.CHIEF, Role.COMPLIANCE, Role.AUDITOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Viewer:
    """What one user sees and may do. Made once per request by `viewer_of`."""

    user: User
    roles: frozenset[Role]
    rights: frozenset[Right]
    #: agencies read whole; None = every agency
    agencies: frozenset[int] | None
    #: a commander's units with everything below them
    units: frozenset[int]
    #: whose own record an officer sees
    own: frozenset[int]
    tree: UnitTree
    today: date

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def reads_everything(self) -> bool:
        return self.agencies is None

    def may_change_rules(self) -> bool:
        """Requirements hold for every agency, so whoever changes them reads every agency. At most one query."""
        return self.may(Right.CHANGE_RULES) and self.reads_every_agency()

    def reads_every_agency(self) -> bool:
        """Whether no agency is out of reach. At most one query."""
        return self.agencies is None or not Agency.objects.exclude(pk__in=self.agencies).exists()

    @property
    def described(self) -> str:
        """`commander, Central District`, `commander, District 1, District 2 and 7 more`: for the header."""
        names = [self.tree.units[key].name for key in self.top_units()]
        rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED + 1 else ""
        named = names[:MOST_NAMED] if rest else names
        return ", ".join([*sorted(role.label for role in self.roles), *named]) + rest

    def top_units(self) -> list[int]:
        """A commander's units that lie below no other of theirs, in the order of the tree."""
        return [unit.pk for unit, _ in self.tree.walk() if unit.pk in self.units and unit.parent_id not in self.units]

    def visible_units(self) -> frozenset[int] | None:
        """Ids of the units whose figures and members are within reach; None = all of them."""
        if self.agencies is None:
            return None
        return self.units | {unit.pk for unit in self.tree.units.values() if unit.agency_id in self.agencies}

    def officers(self) -> QuerySet[Officer]:
        """The members whose page this user may open: own agencies, assigned to own units today, or oneself.

        A record that was merged into another is none of them.
        """
        return self._records().filter(merged_into=None)

    def _records(self) -> QuerySet[Officer]:
        if self.agencies is None:
            return Officer.objects.all()
        reach = Officer.objects.filter(agency__in=self.agencies) | Officer.objects.filter(pk__in=self.own)
        if self.units:
            here_today = Assignment.objects.known().filter(
                open_on(self.today),
                officer=OuterRef("pk"),
                kind=AssignmentKind.HOME,
                unit__in=self.units,
                start_on__lte=self.today,
            )
            reach = reach | Officer.objects.filter(Exists(here_today))
        return reach

    def openable(self, officers: Iterable[Officer]) -> set[int]:
        """Of these members, the ids of those whose page this user may open. At most one query, none in own agencies."""
        members = {officer.pk: officer.agency_id for officer in officers}
        if self.agencies is None:
            return set(members)
        found = {key for key, agency in members.items() if agency in self.agencies or key in self.own}
        rest = members.keys() - found
        if rest and self.units:
            found.update(self.officers().filter(pk__in=rest).values_list("pk", flat=True))
        return found

    def officer(self, employee_id: str, agency: str = "") -> Officer:
        """The member with this id, or 404; `AgencyNeeded` when several agencies have one.

        An id of a record that was merged is the member's whose record was kept.
        """
        found = self._records().select_related("agency", "merged_into__agency").filter(employee_id__iexact=employee_id)
        if agency:
            found = found.filter(agency__code__iexact=agency)
        officer = only_one(list(found[:10]))
        return officer if officer.merged_into is None else self._kept(officer.merged_into)

    def _kept(self, officer: Officer) -> Officer:
        """The record that was kept in a merge, where it is within reach too."""
        if officer.pk not in self.openable([officer]):
            raise Http404
        return officer

    def unit(self, code: str, agency: str = "") -> Unit:
        """The unit with this code, or 404; `AgencyNeeded` when several agencies have one."""
        visible = self.visible_units()
        found = [unit for unit in self.tree.with_code(code) if visible is None or unit.pk in visible]
        if agency:
            found = [unit for unit in found if unit.agency.code.lower() == agency.lower()]
        return only_one(found)


class OfAgency(Protocol):
    """What an agency has under a code of its own: a member, a unit, a class."""

    @property
    def agency(self) -> Agency: ...


T = TypeVar("T", bound=OfAgency)


class AgencyNeeded(Exception):
    """A code or id exists in several agencies; `candidates` are the objects to choose from."""

    def __init__(self, candidates: Sequence[OfAgency]) -> None:
        super().__init__("Several agencies use this code. Say which agency.")
        self.candidates = candidates


def _ask_agency(request: HttpRequest, needed: AgencyNeeded) -> HttpResponse:
    """A page that offers the same address once for each agency that uses the code."""
    choices = []
    for candidate in needed.candidates:
        query = request.GET.copy()
        query["agency"] = candidate.agency.code
        choices.append((f"{request.path}?{query.urlencode()}", candidate))
    return render(request, "agency.html", {"choices": choices}, status=300)


def only_one(found: list[T]) -> T:
    """What an address names; 404 for nothing, `AgencyNeeded` for one in each of several agencies."""
    if not found:
        raise Http404
    if len(found) > 1:
        raise AgencyNeeded(found)
    return found[0]


class ViewerRequest(HttpRequest):
    """A request that passed the access check."""

    viewer: Viewer
    user: User


def viewer_of(user: User | AnonymousUser, *, today: date) -> Viewer:
    """What this user sees on this day. Two queries. An inactive or anonymous user sees nothing."""
    rows = list(Access.objects.filter(user=user)) if user.is_authenticated and user.is_active else []
    tree = UnitTree()
    reads_all = [row for row in rows if row.role in READS_ALL]
    everywhere = any(row.agency_id is None for row in reads_all)
    return Viewer(
        user=user,  # type: ignore[arg-type] # an anonymous user has no roles, so nothing asks more of it
        roles=frozenset(Role(row.role) for row in rows),
        rights=frozenset().union(*(RIGHTS[Role(row.role)] for row in rows)),
        agencies=None if everywhere else frozenset(row.agency_id for row in reads_all if row.agency_id),
        units=tree.below(row.unit_id for row in rows if row.role == Role.COMMANDER and row.unit_id),
        own=frozenset(row.officer_id for row in rows if row.role == Role.OFFICER and row.officer_id),
        tree=tree,
        today=today,
    )


def own_members(user: User | None) -> frozenset[int]:
    """The members that a user is, by whatever account: nobody approves for themselves. Two queries.

    Those whose record the officer's role opens for this account or another of the same e-mail address, and those who
    have that address themselves.
    """
    if user is None:
        return frozenset()
    accounts = Q(user=user) | Q(user__email__iexact=user.email) if user.email else Q(user=user)
    opened = Access.objects.filter(accounts, role=Role.OFFICER, officer__isnull=False).values_list("officer", flat=True)
    addressed = Officer.objects.filter(email__iexact=user.email) if user.email else Officer.objects.none()
    return frozenset(opened) | frozenset(addressed.values_list("pk", flat=True))


def requires(
    right: Right | None = None,
) -> Callable[
    [Callable[Concatenate[ViewerRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """A view for those who have the right (None = every signed-in user with a role); a 404 for everybody else."""

    def decorate(
        view: Callable[Concatenate[ViewerRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            viewer = viewer_of(request.user, today=timezone.localdate())
            if not viewer.roles or (right is not None and not viewer.may(right)):
                raise Http404
            request.viewer = viewer  # type: ignore[attr-defined] # what ViewerRequest declares
            try:
                return view(request, *args, **kwargs)  # type: ignore[arg-type] # it is a ViewerRequest now
            except AgencyNeeded as needed:
                return _ask_agency(request, needed)

        return checked  # type: ignore[return-value] # wraps() hides that only the request's type differs

    return decorate
