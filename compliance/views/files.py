"""Handing out what was stored."""

from __future__ import annotations

import logging
from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.file_access import one_file
from roster.access import ViewerRequest, requires
from roster.files import FileAltered, open_file

logger = logging.getLogger(__name__)


@requires()
@require_safe
def file_download(request: ViewerRequest, key: UUID) -> HttpResponseBase:
    """A file as it was stored, to be saved and never shown in the page; or a page that says it is not the same."""
    stored = one_file(request.viewer, key)
    try:
        content = open_file(stored)
    except FileAltered as error:
        # not its name: files are often called after people
        logger.error("File %s, stored as %s, cannot be handed out", stored.key, stored.stored_as)
        return render(request, "altered.html", {"stored": stored, "sentence": str(error)}, status=409)
    return FileResponse(
        content,
        as_attachment=True,
        filename=stored.download_name,
        content_type=stored.content_type,
        # should a browser show it all the same, nothing in it runs and nothing is fetched
        headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"},
    )
