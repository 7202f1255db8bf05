"""The first sign-in of a deployment: an administrator, who gives the others theirs on the page of users."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from compliance.management.answering import Error, PoliteCommand
from roster import rights
from roster.facts import Via
from roster.models import Access, Role


class Command(PoliteCommand):
    help = "Add a user who may do everything. Asks for the password, or reads it from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User(username=options["username"], email=options["email"])
        try:
            user.clean_fields(exclude=["password"])
        except ValidationError as error:
            raise Error(" ".join(error.messages)) from None
        if User.objects.filter(username__iexact=user.username).exists():
            raise Error(f'There is a user "{user.username}" already.')
        password = self._password()
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Error(" ".join(error.messages)) from None
        user.set_password(password)
        with transaction.atomic():
            rights.add_user(user, by=None, via=Via.COMMAND)
            rights.give_role(Access(user=user, role=Role.ADMIN), by=None, via=Via.COMMAND)
        self.stderr.write(f'"{user.username}" may sign in and do everything.')

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass("Password: ")
        if getpass("The same again: ") != password:
            raise Error("The two passwords differ.")
        return password
