"""Users, roles and passwords."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from roster.models import Access
from tests.compliance.pages.cast import Cast
from tests.factories import make_agency, make_user

pytestmark = pytest.mark.django_db


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("&#x27;", "'")


def test_list_names_everybody_with_role_and_reach(cast: Cast) -> None:
    text = words(cast.client("admin").get(reverse("user-list")))

    assert "8 users" in text
    assert "commander commander Central District" in text
    assert "officer officer Whitfield, Amara" in text
    assert "chief chief everything" in text


def test_create_a_user(cast: Cast) -> None:
    data = {"username": "rosa", "first_name": "Rosa", "password": "a long enough phrase"}
    client = cast.client("admin")

    weak = client.post(reverse("user-list"), {**data, "password": "short"})
    response = client.post(reverse("user-list"), data, follow=True)
    twice = client.post(reverse("user-list"), {**data, "username": "ROSA"})

    assert "This password is too short." in words(weak)
    assert "rosa can sign in. Give them a role now" in words(response)
    assert User.objects.get(username="rosa").check_password("a long enough phrase")
    assert "There is a user with this name already." in words(twice)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"role": "commander"}, "A commander needs a unit", id="commander-without-unit"),
        pytest.param(
            {"role": "officer"}, "The officer role needs the member whose record", id="officer-without-member"
        ),
        pytest.param({"role": "chief", "unit": "CEN"}, "Only a commander is tied to a unit.", id="chief-with-unit"),
        pytest.param({"role": "chief", "officer": "002918"}, "Only the officer role is tied", id="chief-with-member"),
        pytest.param({"role": "officer", "officer": "999"}, "No member has this employee id.", id="no-such-member"),
        pytest.param({"role": "academy"}, "The user has this role already.", id="twice"),
        pytest.param({"role": "king"}, "Select a valid choice.", id="no-such-role"),
    ],
)
def test_grant_says_what_is_wrong(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    if "unit" in values:
        values = {**values, "unit": cast.central.pk}

    response = cast.client("admin").post(reverse("user-grant", args=[cast.users["academy"].pk]), values)

    assert response.status_code == 400
    assert sentence in words(response)


def test_grant_and_revoke(cast: Cast) -> None:
    user, client = cast.users["academy"], cast.client("admin")

    client.post(reverse("user-grant", args=[user.pk]), {"role": "commander", "unit": cast.central.pk})
    row = Access.objects.get(user=user, role="commander")
    client.post(reverse("user-revoke", args=[user.pk, row.pk]))

    assert row.unit == cast.central
    assert list(Access.objects.filter(user=user).values_list("role", flat=True)) == ["academy"]


def test_nobody_removes_their_own_administrator_role(cast: Cast) -> None:
    admin = cast.users["admin"]
    row = Access.objects.get(user=admin)
    client = cast.client("admin")

    revoked = client.post(reverse("user-revoke", args=[admin.pk, row.pk]), follow=True)
    inactive = client.post(reverse("user-active", args=[admin.pk]), {"is_active": "false"}, follow=True)

    assert "You cannot take away your own administrator role." in words(revoked)
    assert "You cannot deactivate yourself." in words(inactive)
    admin.refresh_from_db()
    assert admin.is_active
    assert Access.objects.filter(pk=row.pk).exists()


def test_a_deactivated_user_is_signed_out(cast: Cast) -> None:
    academy = cast.client("academy")

    cast.client("admin").post(reverse("user-active", args=[cast.users["academy"].pk]), {"is_active": "false"})

    assert academy.get(reverse("completion-list")).status_code == 302


def test_an_agencys_administrator_manages_only_that_agency(cast: Cast) -> None:
    here, elsewhere = cast.central.agency, make_agency("so", "County Sheriff")
    cast.users["local"] = make_user("admin", "local", agency=here)
    theirs = make_user("chief", "sheriff", agency=elsewhere)
    mine = make_user("chief", "mine", agency=here)
    client = cast.client("local")

    text = words(client.get(reverse("user-list")))
    everywhere = client.post(reverse("user-grant", args=[mine.pk]), {"role": "admin"})

    assert ("mine" in text, "sheriff" in text) == (True, False)
    assert client.get(reverse("user-detail", args=[theirs.pk])).status_code == 404
    assert (
        client.post(reverse("user-password", args=[cast.users["admin"].pk]), {"password": "x" * 20}).status_code == 404
    )
    assert "Choose the agency: you administer only some of them." in words(everywhere)
    assert not Access.objects.filter(user=mine, role="admin").exists()


def test_password_is_changed_by_oneself_and_stays_signed_in(cast: Cast) -> None:
    client = cast.client("auditor")
    data = {
        "old_password": "correct horse battery",
        "new_password1": "another long phrase",
        "new_password2": "another long phrase",
    }

    wrong = client.post(reverse("password"), {**data, "old_password": "no"})
    client.post(reverse("password"), data)

    assert wrong.status_code == 400
    cast.users["auditor"].refresh_from_db()
    assert cast.users["auditor"].check_password("another long phrase")
    assert client.get(reverse("completion-list")).status_code == 200


def test_a_user_without_a_role_changes_the_password_too(cast: Cast) -> None:
    cast.users["nobody"] = User.objects.create_user("nobody", password="correct horse battery")

    assert "Change your password" in words(cast.client("nobody").get(reverse("password")))
    assert cast.client("nobody").get(reverse("completion-list")).status_code == 404


def test_list_costs_the_same_queries_for_eight_users_and_thirty(cast: Cast, django_assert_num_queries: Any) -> None:
    client = cast.client("admin")

    # session and user 2, access and tree 2, users 1, their roles 1
    with django_assert_num_queries(6):
        client.get(reverse("user-list"))
    for number in range(22):
        make_user("commander", f"more{number}", unit=cast.central)
    with django_assert_num_queries(6):
        client.get(reverse("user-list"))
