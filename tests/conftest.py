"""The variables that tests run under, the servers they need, and fixtures that every test may ask for.

Without a DATABASE_URL the tests use the embedded PostgreSQL of this checkout; the test databases in it are their own.
Uploads and issued reports go to a directory that ends with the run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.test.utils import override_settings

# Set before Django reads its settings; pytest-django does so once this file is loaded.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "true")
os.environ.setdefault("TIME_ZONE", "America/New_York")

_held = ExitStack()

#: The files that take longest. They are begun first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "tests/e2e/test_every_page.py",
    "tests/test_demo.py",
    "tests/e2e/test_every_state.py",
    "tests/compliance/pages/test_access.py",
    "tests/benchmarks/test_benchmarks.py",
    "tests/compliance/test_engine_laws.py",
    "tests/e2e/test_import.py",
    "tests/e2e/test_class_journey.py",
    "tests/e2e/test_journeys.py",
    "tests/compliance/test_worker.py",
    "tests/e2e/test_live_work.py",
    "tests/test_embedded.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start what the run needs and keep it until the run ends; workers of xdist find it running."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["MEDIA_ROOT"] = _held.enter_context(tempfile.TemporaryDirectory(prefix="records-media-"))
    from django.conf import settings  # noqa: PLC0415 - reads the variables set above

    from config import embedded  # noqa: PLC0415 - the same

    if settings.EMBEDDED_DATABASE:
        _held.enter_context(embedded.running())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the others follow in their random order."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(LONGEST)))


def pytest_unconfigure(config: pytest.Config) -> None:
    _held.close()


@pytest.fixture(autouse=True, scope="session")
def _plain_settings() -> Iterator[None]:
    """Fast password hashes, and addresses without a certificate: nothing that tests ask about."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], SECURE_SSL_REDIRECT=False
    ):
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_emptying() -> Iterator[None]:
    """After a test that commits, delete the rows it left: Django's flush makes every file and permission anew.

    As the flush does, it waits for whoever still writes. Only a superuser may pass the triggers that guard facts, so
    with a lesser role it stays with the flush.
    """
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined] # Django's own, not in the stubs

    def empty(case: TransactionTestCase) -> None:
        if not delete_all_rows():
            flush(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


#: What the migrations made and the flush makes again.
KEPT = {"django_content_type", "auth_permission"}


def delete_all_rows() -> bool:
    """Empty every table of a model; False where the role may not, and nothing is deleted then."""
    names = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    tables = {name: connection.ops.quote_name(name) for name in sorted(names)}
    holds = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{name}' END" for name, table in tables.items())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            return False
        cursor.execute(f"LOCK TABLE {', '.join(tables.values())}")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"SELECT {holds}")
        for name in filter(None, cursor.fetchone()):
            cursor.execute(f"DELETE FROM {tables[name]}")  # noqa: S608 - names of our own tables
    return True
