"""Users, their roles and how far these reach; and everybody's own password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.forms.users import AccessForm, NewUserForm, OwnPasswordForm, PasswordResetForm
from roster import rights
from roster.access import Right, Viewer, ViewerRequest, requires, viewer_of
from roster.facts import Via, sentence_for
from roster.models import Access, Role


def _within_reach(viewer: Viewer) -> QuerySet[User]:
    """The users this administrator manages: of an agency's administrator, those whose roles end at that agency."""
    users = User.objects.order_by("username")
    if viewer.agencies is None:
        return users
    inside = (
        Q(agency__in=viewer.agencies) | Q(unit__agency__in=viewer.agencies) | Q(officer__agency__in=viewer.agencies)
    )
    outside = Access.objects.exclude(pk__in=Access.objects.filter(inside).values("pk"))
    return users.exclude(Exists(outside.filter(user=OuterRef("pk"))))


def _users(viewer: Viewer) -> list[User]:
    """Three queries."""
    roles = Access.objects.select_related("agency", "unit", "officer").order_by("role", "pk")
    return list(_within_reach(viewer).prefetch_related(Prefetch("access", roles)))


def _user(request: ViewerRequest, pk: int) -> User:
    return get_object_or_404(_within_reach(request.viewer), pk=pk)


@requires(Right.ADMINISTER)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def user_list(request: ViewerRequest) -> HttpResponseBase:
    """Everybody who may sign in, and a form for one more."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = rights.add_user(form.user(), by=request.user, via=Via.PAGE)
        except IntegrityError:
            form.add_error("username", "There is a user with this name already.")
        else:
            messages.success(
                request, f"{user.username} can sign in. Give them a role now: without one they see nothing."
            )
            return redirect("user-detail", pk=user.pk)
    context = {"users": _users(request.viewer), "form": form}
    return render(request, "users/list.html", context, status=400 if form.errors else 200)


@requires(Right.ADMINISTER)
@require_safe
def user_detail(request: ViewerRequest, pk: int) -> HttpResponse:
    user = _user(request, pk)
    return _detail(request, user, AccessForm(user=user, viewer=request.viewer), PasswordResetForm(user=user))


def _detail(request: ViewerRequest, user: User, form: AccessForm, reset: PasswordResetForm) -> HttpResponse:
    context = {
        "subject": user,
        "rows": Access.objects.filter(user=user).select_related("agency", "unit", "officer").order_by("role", "pk"),
        "form": form,
        "reset": reset,
        "is_self": user.pk == request.user.pk,
    }
    return render(request, "users/detail.html", context, status=400 if form.errors or reset.errors else 200)


@requires(Right.ADMINISTER)
@require_POST
def user_grant(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Give a role, and say how far it reaches."""
    user = _user(request, pk)
    form = AccessForm(request.POST, user=user, viewer=request.viewer)
    if form.is_valid():
        row = form.row()
        try:
            rights.give_role(row, by=request.user, via=Via.PAGE)
        except IntegrityError as error:
            form.refuse(ValidationError(sentence_for(error, Access) or "This role cannot be given."))
        else:
            messages.success(request, f"{user.username} is {row.get_role_display()} now.")
            return redirect("user-detail", pk=pk)
    return _detail(request, user, form, PasswordResetForm(user=user))


@requires(Right.ADMINISTER)
@require_POST
def user_revoke(request: ViewerRequest, pk: int, access: int) -> HttpResponseBase:
    """Take a role away; nobody takes away their own administrator role."""
    user = _user(request, pk)
    row = Access.objects.filter(user=user, pk=access).first()
    if row is None:
        messages.info(request, "This role was taken away already.")
    elif row.role == Role.ADMIN and pk == request.user.pk:
        messages.error(request, "You cannot take away your own administrator role. Another administrator can.")
    else:
        rights.take_role(row, by=request.user, via=Via.PAGE)
        messages.success(request, f"The role {row.get_role_display()} was taken away.")
    return redirect("user-detail", pk=pk)


@requires(Right.ADMINISTER)
@require_POST
def user_active(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Let somebody sign in, or no longer. Their name stays with what they recorded."""
    user = _user(request, pk)
    is_active = request.POST.get("is_active") == "true"
    if pk == request.user.pk:
        messages.error(request, "You cannot deactivate yourself. Another administrator can.")
    else:
        rights.set_active(user, is_active, by=request.user, via=Via.PAGE)
        messages.success(request, f"{user.username} {'may sign in again' if is_active else 'can no longer sign in'}.")
    return redirect("user-detail", pk=pk)


@requires(Right.ADMINISTER)
@sensitive_post_parameters("password")
@require_POST
def user_password(request: ViewerRequest, pk: int) -> HttpResponseBase:
    """Give somebody a new temporary password."""
    user = _user(request, pk)
    reset = PasswordResetForm(request.POST, user=user)
    if reset.is_valid():
        rights.set_password(user, reset.cleaned_data["password"], by=request.user, via=Via.PAGE)
        if user.pk == request.user.pk:
            update_session_auth_hash(request, user)
        messages.success(request, f"{user.username} has a new temporary password. Tell it them in person.")
        return redirect("user-detail", pk=pk)
    return _detail(request, user, AccessForm(user=user, viewer=request.viewer), reset)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponseBase:
    """Everybody changes their own password."""
    assert isinstance(request.user, User)  # noqa: S101 - LoginRequiredMiddleware turned others away
    # For the header alone: whoever has no role changes their password too.
    request.viewer = viewer_of(request.user, today=timezone.localdate())  # type: ignore[attr-defined] # as ViewerRequest
    form = OwnPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is changed.")
        return redirect("home")
    return render(request, "users/password.html", {"form": form}, status=400 if form.errors else 200)
