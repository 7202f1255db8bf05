"""Files that people attach: scans, certificates, lesson plans. Kept outside the web root, read through an access check.

The bytes lie below MEDIA_ROOT under a random name. The row says what they were when they came: name, size, type as
their content shows it, and SHA-256. Neither is ever changed.
"""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models


class StoredFile(models.Model):
    """A file as it came. What it belongs to says who may read it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey("roster.Agency", models.PROTECT, related_name="+")
    #: as its sender called it, without a path
    name = models.CharField(max_length=200)
    #: bytes
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    #: by content, never by name
    content_type = models.CharField(max_length=100)
    #: below MEDIA_ROOT
    stored_as = models.CharField(max_length=200, unique=True)
    #: what looked through it for viruses, and what it said; blank = nothing is set up
    scanned = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        triggers = (pgtrigger.Protect(name="keep", operation=pgtrigger.Delete | pgtrigger.Update),)

    def __str__(self) -> str:
        return self.name
