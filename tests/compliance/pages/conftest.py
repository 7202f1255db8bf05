from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.compliance.pages.cast import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast that page tests share."""
    from tests.compliance.pages.cast import make_cast  # noqa: PLC0415 - models are loaded after this file

    return make_cast()
