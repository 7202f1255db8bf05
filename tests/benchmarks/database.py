"""A database of the benchmark's own, and processes that work in it and nowhere else."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import django
import psycopg
from psycopg import sql


@dataclass(frozen=True, slots=True)
class Measured:
    """What an act said of itself, how long it took, and the most memory its process held, in MB."""

    seconds: float
    peak_mb: float
    said: Mapping[str, Any]


#: Every act has a process of its own, forked from one that has Django and what is measured loaded, and nothing else.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.benchmarks.loaded"])


@contextmanager
def migrated_database(name: str) -> Iterator[str]:
    """An empty, migrated database of this name on the configured server, to be copied; dropped at the end."""
    with fresh_database(name, "template1"):
        in_process(name, _migrate)
        yield name


@contextmanager
def fresh_database(name: str, template: str) -> Iterator[None]:
    """A database of this name on the configured server, a copy of the other; dropped at the end."""
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with _server() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {name}").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
    try:
        yield
    finally:
        with _server() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)").format(**names))


def in_process(database: str, act: Callable[..., Any], *arguments: Any) -> Any:
    """What `act` returns in a new process that is connected to this database: its memory is its own."""
    with ProcessPoolExecutor(max_workers=1, mp_context=_processes, initializer=work_in, initargs=(database,)) as pool:
        return pool.submit(act, *arguments).result()


def work_in(database: str | None = None) -> None:
    """Set Django up on this database (None = the configured one), without the query log that DEBUG brings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DEBUG", "true")
    from django.conf import settings  # noqa: PLC0415 - reads the variables set above

    if database is not None:
        settings.DATABASES["default"]["NAME"] = database
    settings.DEBUG = False
    settings.SECURE_SSL_REDIRECT = False
    django.setup()


def timed(act: Callable[[], Mapping[str, Any] | None]) -> Measured:
    """Run the act once, after a checkpoint, so that it does not pay for what was written before."""
    from django.db import connection  # noqa: PLC0415 - set up only now

    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    start = time.perf_counter()
    said = act() or {}
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(seconds, peak / (1024 * 1024 if sys.platform == "darwin" else 1024), said)


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the configured database, for commands about databases only."""
    from django.db import connections  # noqa: PLC0415 - set up only now

    wrapper = connections["default"]
    parameters = wrapper.get_connection_params()
    with psycopg.connect(**{**parameters, "cursor_factory": None, "context": None}, autocommit=True) as connection:
        yield connection


def _migrate() -> None:
    from django.core.management import call_command  # noqa: PLC0415 - set up only now

    call_command("migrate", verbosity=0)
