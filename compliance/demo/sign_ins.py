"""The demo's users: one for each role, all with one public password that nobody can sign in with unless DEBUG is on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.http import HttpRequest

from roster import rights
from roster.facts import Via
from roster.models import Access, Agency, Officer, Role, Unit

PASSWORD = "demo-only"  # noqa: S105 - public, and refused unless DEBUG is on


class Backend(ModelBackend):
    """Django's own sign-in, but for the demo's password: that one opens nothing unless DEBUG is on."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> User | None:
        if PASSWORD in (*args, kwargs.get("password")) and not settings.DEBUG:
            return None
        return super().authenticate(request, *args, **kwargs)


def make_users() -> dict[str, User]:
    """One user for each role, named as it, without a role yet. Hashes the password once: it is the same for all."""
    password = make_password(PASSWORD)
    return {role: User.objects.create(username=role, password=password) for role in Role.values}


def give_roles(users: dict[str, User], agency: Agency, unit: Unit, officer: Officer) -> None:
    """Each user's role: the commander's reaches `unit`, the officer's own record is that of `officer`."""
    reach: dict[str, dict[str, Any]] = {
        Role.COMMANDER: {"unit": unit},
        Role.OFFICER: {"officer": officer},
        Role.ADMIN: {},
    }
    for role, user in users.items():
        row = Access(user=user, role=role, **reach.get(role, {"agency": agency}))
        rights.give_role(row, by=None, via=Via.COMMAND)
