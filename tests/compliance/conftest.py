"""Fixtures of what members must and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from django.test.utils import override_settings
from django.utils import timezone

from tests.compliance.desk import SENT_ON, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk on a day after everything that is sent in."""
    own: Callable[..., date] = timezone.localdate
    monkeypatch.setattr(timezone, "localdate", lambda *moment: own(*moment) if moment else SENT_ON)
    with override_settings(MEDIA_ROOT=str(tmp_path / "media")):
        yield Desk(tmp_path)
