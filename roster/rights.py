"""Giving and taking away rights: the one place where roles and sign-ins change, and where the trail notes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from roster import trail
from roster.models import Access

if TYPE_CHECKING:
    from roster.facts import Via


def _agency_of(row: Access) -> int | None:
    """The agency that a role ends at; None where it reaches every agency."""
    if row.unit is not None:
        return row.unit.agency_id
    return row.officer.agency_id if row.officer is not None else row.agency_id


def _reach(row: Access) -> dict[str, str]:
    reach = row.unit or row.officer or row.agency
    return {"role": row.get_role_display(), "reaches": str(reach) if reach else "every agency"}


def add_user(user: User, *, by: User | None, via: Via) -> User:
    """Save somebody who may sign in; their password is set already. The trail holds no password."""
    with transaction.atomic(), trail.acting(by, via):
        user.save(force_insert=True)
        trail.note(trail.What.USER, trail.Act.ADDED, user.username, after={"may sign in": "yes"})
    return user


def give_role(row: Access, *, by: User | None, via: Via) -> Access:
    """Give a role; an IntegrityError where the user has it already, and nothing is written."""
    with transaction.atomic(), trail.acting(by, via):
        row.save(force_insert=True)
        after = _reach(row)
        trail.note(trail.What.ROLE, trail.Act.ADDED, row.user.username, after=after, agency_id=_agency_of(row))
    return row


def take_role(row: Access, *, by: User | None, via: Via) -> bool:
    """Take a role away; False where it was taken away already."""
    with transaction.atomic(), trail.acting(by, via):
        before, agency, username = _reach(row), _agency_of(row), row.user.username
        gone, _ = Access.objects.filter(pk=row.pk).delete()
        if gone:
            trail.note(trail.What.ROLE, trail.Act.REMOVED, username, before=before, agency_id=agency)
    return bool(gone)


def set_active(user: User, is_active: bool, *, by: User | None, via: Via) -> bool:
    """Let somebody sign in, or no longer; False where that is so already."""
    words = {True: "yes", False: "no"}
    with transaction.atomic(), trail.acting(by, via):
        changed = User.objects.filter(pk=user.pk).exclude(is_active=is_active).update(is_active=is_active)
        if changed:
            before, after = {"may sign in": words[not is_active]}, {"may sign in": words[is_active]}
            trail.note(trail.What.USER, trail.Act.CHANGED, user.username, before=before, after=after)
    return bool(changed)


def set_password(user: User, password: str, *, by: User | None, via: Via) -> None:
    """Give somebody a new temporary password. The trail says that, and nothing of the password."""
    with transaction.atomic(), trail.acting(by, via):
        user.set_password(password)
        user.save(update_fields=["password"])
        after = {"password": "a new temporary one"}
        trail.note(trail.What.USER, trail.Act.CHANGED, user.username, before={}, after=after)
