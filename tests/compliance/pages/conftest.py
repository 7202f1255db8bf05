from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test.utils import override_settings

from tests.compliance.pages.cast import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    """The shared cast; passwords are hashed cheaply, since nobody guesses these."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield make_cast()
