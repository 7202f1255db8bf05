"""Forms for users, their roles and passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from compliance.forms.fields import Styled, StyledForm
from roster.access import READS_ALL, Viewer
from roster.models import Access, Agency, Role, Unit


class OwnPasswordForm(Styled, PasswordChangeForm):
    """Everybody's own password."""


class NewUserForm(StyledForm):
    username = forms.CharField(label="User name", max_length=150, validators=[User.username_validator])
    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    email = forms.EmailField(label="Email", required=False)
    password = forms.CharField(
        label="Temporary password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 12 characters. They change it on their password page.",
    )

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("There is a user with this name already.")
        return username

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password"):
            user = User(**{name: values.get(name, "") for name in ("username", "first_name", "last_name", "email")})
            try:
                validate_password(values["password"], user)
            except ValidationError as error:
                self.add_error("password", error)
        return values

    def user(self) -> User:
        """Who is to sign in, not saved yet."""
        values = dict(self.cleaned_data)
        password = values.pop("password")
        user = User(**{**values, "email": User.objects.normalize_email(values["email"])})
        user.set_password(password)
        return user


class PasswordResetForm(StyledForm):
    password = forms.CharField(
        label="New temporary password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 12 characters.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"], self.user)
        return str(self.cleaned_data["password"])


class AccessForm(StyledForm):
    """One role and how far it reaches."""

    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *Role.choices])
    agency = forms.ModelChoiceField(
        Agency.objects.order_by("name"), label="Agency", required=False, empty_label="Every agency"
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        label="Unit",
        required=False,
        empty_label="None",
        help_text="For a commander: this unit and everything below it.",
    )
    officer = forms.CharField(
        label="Member's employee id",
        max_length=40,
        required=False,
        help_text="For the officer role: whose own record it opens.",
    )

    def __init__(self, *args: Any, user: User, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.viewer = user, viewer
        units, agencies = Unit.objects.order_by("name", "code"), Agency.objects.order_by("name")
        if viewer.agencies is not None:
            units, agencies = units.filter(agency__in=viewer.agencies), agencies.filter(pk__in=viewer.agencies)
            self.fields["agency"].empty_label = "Choose an agency"  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["unit"].queryset = units  # type: ignore[attr-defined] # the same
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined] # the same

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        role, unit, officer = values.get("role"), values.get("unit"), values.get("officer", "").strip()
        if role == Role.COMMANDER and not unit:
            self.add_error("unit", "A commander needs a unit: everything below it comes with it.")
        if role == Role.OFFICER and not officer:
            self.add_error("officer", "The officer role needs the member whose record it opens.")
        if role and role != Role.COMMANDER and unit:
            self.add_error("unit", "Only a commander is tied to a unit. Leave it out for this role.")
        if role and role != Role.OFFICER and officer:
            self.add_error("officer", "Only the officer role is tied to one member. Leave it out for this role.")
        if role in (Role.COMMANDER, Role.OFFICER) and values.get("agency"):
            self.add_error("agency", "The unit or member says the agency already. Leave it at every agency.")
        if self.viewer.agencies is not None and role in READS_ALL and not values.get("agency"):
            self.add_error("agency", "Choose the agency: you administer only some of them.")
        if officer and not self.errors:
            found = list(self.viewer.officers().filter(employee_id__iexact=officer)[:2])
            if not found:
                self.add_error("officer", "No member has this employee id.")
            elif len(found) > 1:
                self.add_error("officer", "Several agencies have a member with this id. Ask whoever runs the server.")
            else:
                values["member"] = found[0]
        return values

    def row(self) -> Access:
        values = self.cleaned_data
        return Access(
            user=self.user,
            role=values["role"],
            agency=values["agency"],
            unit=values["unit"],
            officer=values.get("member"),
        )
