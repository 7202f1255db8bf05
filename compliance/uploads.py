"""Receiving files: what is larger than allowed is not kept, not even for a moment."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler

logger = logging.getLogger(__name__)

NOT_RECEIVED = (
    "The file could not be received: the server's disk is full or cannot be written to. Nothing was recorded. Tell"
    " whoever runs this system, and send it again later."
)


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Writes a file to disk as it comes, and stops at UPLOAD_MAX_BYTES; the request then says `is_upload_too_large`.

    `BadRequest` with a sentence where the disk takes no more.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            raise _not_received(error) from error
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)
        if self._received > settings.UPLOAD_MAX_BYTES:
            self.file.close()
            self.request.is_upload_too_large = True  # type: ignore[union-attr] # read by UploadForm's view
            raise SkipFile
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            raise _not_received(error) from error


def _not_received(error: OSError) -> BadRequest:
    logger.error("What was sent cannot be received: %s", error)
    return BadRequest(NOT_RECEIVED)
