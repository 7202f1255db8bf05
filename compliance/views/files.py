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
        logger.error("File %s: %s", stored.key, error)
        return render(request, "altered.html", {"stored": stored, "sentence": str(error)}, status=409)
    return FileResponse(
        content,
        as_attachment=True,
        filename=stored.download_name,
        content_type=stored.content_type,
        headers={"X-Content-Type-Options": "nosniff"},
    )
