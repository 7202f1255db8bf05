"""Fixtures of what members must and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test.utils import override_settings
from django.utils import timezone

if TYPE_CHECKING:
    from tests.compliance.desk import Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk on a day after everything that is sent in."""
    from tests.compliance.desk import SENT_ON, Desk  # noqa: PLC0415 - models, once Django is ready

    own: Callable[..., date] = timezone.localdate
    monkeypatch.setattr(timezone, "localdate", lambda *moment: own(*moment) if moment else SENT_ON)
    with override_settings(MEDIA_ROOT=str(tmp_path / "media")):
        yield Desk(tmp_path)
