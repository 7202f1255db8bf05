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
def hold_day(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Let it be this day for the rest of the test, whenever the test runs; moments are the machine's."""
    own: Callable[..., date] = timezone.localdate

    def hold(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *moment: own(*moment) if moment else day)

    return hold


@pytest.fixture
def desk(tmp_path: Path, hold_day: Callable[[date], None]) -> Iterator[Desk]:
    """A desk on a day after everything that is sent in."""
    from tests.compliance.desk import SENT_ON, Desk  # noqa: PLC0415 - models, once Django is ready

    hold_day(SENT_ON)
    with override_settings(MEDIA_ROOT=str(tmp_path / "media")):
        yield Desk(tmp_path)
