"""The calendar of classes by month and week, and the private address that calendar programs read it by."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from compliance import class_calendar
from compliance.asking import export_rows
from compliance.class_calendar import Item, Wanted, span_of, step
from compliance.filters import CalendarForm, checked
from compliance.public_address import public_address
from compliance.sentences import day
from roster.access import Right, ViewerRequest, requires, viewer_of
from training import calendar
from training.models import CalendarFeed, ClassSession

HEADER = ["Day", "Starts", "Ends", "Class", "Course", "Block", "Place", "Instructors", "State", "For you"]
#: How long a calendar program may keep a feed, in seconds.
FEED_AGE = 900


@requires()
@require_safe
def calendar_page(request: ViewerRequest) -> HttpResponseBase:
    """The classes of a month or of a week, as far as the viewer sees them."""
    viewer = request.viewer
    form = checked(CalendarForm(request.GET or None))
    values = form.cleaned_data
    asked, is_month = values.get("day") or viewer.today, values.get("view") != "week"
    first, last = span_of(asked, is_month=is_month)
    wanted = Wanted(*(values.get(name, "") for name in ("place", "course", "instructor")))
    found = class_calendar.items(viewer, first, last, wanted)
    if request.GET.get("export"):
        return export_rows(request, [HEADER, *map(_row, found)], "calendar")
    context = {
        "form": form,
        "is_month": is_month,
        "title": f"{asked:%B %Y}" if is_month else f"Week of {day(first)}",
        "weeks": class_calendar.weeks(found, first, last, month=asked.month if is_month else None),
        "today": viewer.today,
        "number": len({item.session.pk for item in found}),
        "links": _links(request, asked, is_month=is_month),
        "may_run": viewer.may(Right.RUN_CLASSES),
        "reads_all": viewer.may(Right.READ_MEMBERS),
    }
    return render(request, "classes/calendar.html", context)


def _links(request: HttpRequest, asked: date, *, is_month: bool) -> dict[str, str]:
    """Where the page goes from here, with its filters."""

    def link(on: date | None, view: str) -> str:
        names = ("place", "course", "instructor")
        query = {name: request.GET[name] for name in names if request.GET.get(name)}
        query |= {"view": view} if view == "week" else {}
        query |= {"day": on.isoformat()} if on else {}
        return f"{reverse('calendar')}?{urlencode(query)}"

    view = "month" if is_month else "week"
    return {
        "before": link(step(asked, -1, is_month=is_month), view),
        "after": link(step(asked, 1, is_month=is_month), view),
        "today": link(None, view),
        "month": link(asked, "month"),
        "week": link(asked, "week"),
    }


def _row(item: Item) -> list[Any]:
    meeting = item.meeting
    starts, ends = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    return [
        *(starts.date(), f"{starts:%H:%M}", f"{ends:%H:%M}", item.session.number, item.session.course.title),
        *(meeting.name, meeting.place.name if meeting.place else "", item.instructors),
        *(item.session.get_state_display(), item.part),
    ]


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed(request: ViewerRequest) -> HttpResponseBase:
    """The private address of one's own calendar: shown, made, renewed, stopped."""
    if request.method == "POST":
        if request.POST.get("act") == "remove":
            calendar.remove_feed(request.user)
            messages.success(request, "The private address is stopped.")
        else:
            calendar.make_feed(request.user)
            messages.success(request, "A private address is made. One made before has stopped.")
        return redirect("calendar-feed")
    made = calendar.feed_of(request.user)
    url = public_address(request, reverse("calendar-file", args=[made.token])) if made else ""
    return render(request, "classes/feed.html", {"made": made, "url": url, "viewer": request.viewer})


@login_not_required
@require_safe
def calendar_file(request: HttpRequest, token: str) -> HttpResponse:
    """A feed by its private address. Whoever may not sign in any more has none."""
    made = get_object_or_404(CalendarFeed.objects.select_related("user"), token=token)
    viewer = viewer_of(made.user, today=timezone.localdate())
    if not viewer.roles:
        raise Http404
    many = viewer.agencies is None or len(viewer.agencies) > 1

    def address_of(session: ClassSession) -> str:
        address = public_address(request, reverse("class-detail", args=[session.number]))
        return f"{address}?{urlencode({'agency': session.agency.code})}" if many else address

    content = calendar.feed(class_calendar.feed_entries(viewer, address_of), name="CIT Tracker classes")
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="classes.ics"'
    response["Cache-Control"] = f"private, max-age={FEED_AGE}"
    response["X-Robots-Tag"] = "noindex"
    etag = response["ETag"] = f'"{sha256(content).hexdigest()}"'
    return get_conditional_response(request, etag=etag, response=response) or response
