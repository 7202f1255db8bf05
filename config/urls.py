"""Every address."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from compliance.views import system

urlpatterns = [
    path("sign-in/", LoginView.as_view(redirect_authenticated_user=True), name="sign-in"),
    path("sign-out/", login_not_required(LogoutView.as_view()), name="sign-out"),
    path("health/", system.health, name="health"),
    path("", include("compliance.urls")),
]

handler400 = "compliance.views.system.bad_request"
handler404 = "compliance.views.system.not_found"
