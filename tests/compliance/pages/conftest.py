from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.compliance.pages.cast import Cast
    from tests.compliance.pages.district import Department


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast that page tests share."""
    from tests.compliance.pages.cast import make_cast  # noqa: PLC0415 - models are loaded after this file

    return make_cast()


@pytest.fixture
def department(db: None) -> Department:
    """The small department whose every figure is known."""
    from tests.compliance.pages.district import make_department  # noqa: PLC0415 - models are loaded after this file

    return make_department()
