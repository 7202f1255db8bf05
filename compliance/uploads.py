"""Receiving files: what is larger than allowed is not kept, not even for a moment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Writes a file to disk as it comes, and stops at UPLOAD_MAX_BYTES; the request then says `is_upload_too_large`."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)
        if self._received > settings.UPLOAD_MAX_BYTES:
            self.file.close()
            self.request.is_upload_too_large = True  # type: ignore[union-attr] # read by UploadForm's view
            raise SkipFile
        super().receive_data_chunk(raw_data, start)
