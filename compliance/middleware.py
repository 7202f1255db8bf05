"""What every address has in common: what it may not hold, who may keep the answer, and answers worked out first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import page_not_found

from compliance import known

Respond = Callable[[HttpRequest], HttpResponse]


class Plain:
    """Refuses what the database cannot be asked for; no browser keeps a page of somebody signed in."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Who tries the product out, with DEBUG on, is told that a page is not there as everybody else is."""
        return page_not_found(request, exception) if isinstance(exception, Http404) else None

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: Sequence[object],
        named: Mapping[str, object],
    ) -> None:
        """A NUL character in the address: `BadRequest` with a sentence."""
        said = [text for name, values in request.GET.lists() for text in (name, *values)]
        if any("\0" in text for text in (request.path, *said)):
            raise BadRequest("The address holds a NUL character, which no record has. Take it out (it is written %00).")


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
