"""Addresses of this site as they leave it: on paper, and in the calendars of other programs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def public_address(request: HttpRequest, path: str) -> str:
    """A path with the address that the site has for everybody, or, where none is set, that of the host asked."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
