"""The command that makes a deployment's first user."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_an_administrator_may_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough sentence\n"))

    call_command("add_administrator", "rivera", "--email", "rivera@example.gov")

    user = User.objects.get(username="rivera")
    assert user.check_password("a long enough sentence")
    access = user.access.get()
    assert access.role == "admin"
    assert access.agency is None


@pytest.mark.parametrize(
    ("username", "password", "sentence"),
    [
        pytest.param("rivera", "short", "This password is too short", id="short"),
        pytest.param("rivera", "demo-only", "This password is too short", id="the-demos"),
        pytest.param("two words", "a long enough sentence", "Enter a valid username", id="name"),
        pytest.param("TAKEN", "a long enough sentence", 'There is a user "TAKEN" already', id="taken"),
    ],
)
def test_what_is_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, username: str, password: str, sentence: str
) -> None:
    User.objects.create_user("taken")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))

    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("add_administrator", username)

    assert caught.value.returncode == 2
    assert User.objects.count() == 1
