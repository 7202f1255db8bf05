"""What a page answers when the answer has to be worked out first."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from compliance import known

Respond = Callable[[HttpRequest], HttpResponse]


class Unfinished:
    """Turns `NotReady` into a page that shows how far the work is and asks again by itself."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called once the view's transaction has been rolled back, so that the job it starts stays."""
        if not isinstance(exception, known.NotReady) or not request.user.is_authenticated:
            return None
        job = known.start(exception.as_of, exception.known_at, by=request.user)
        response = render(request, "jobs/unfinished.html", {"job": job, "asked_for": exception}, status=202)
        response["Refresh"] = "3"
        return response
