"""A real Celery worker and a real Redis for the tests that need them, each of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from config import embedded
from tests.two_writers import wait_until

#: A worker's start takes seconds; what takes this long hangs.
SECONDS = 30.0


class Broker:
    """A Redis of these tests alone, that can go and come back under the same address."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self.start()
        self.url = embedded.broker_url()
        self._client = redis.Redis.from_url(embedded.redis_url())

    def start(self) -> None:
        self._running.enter_context(embedded.running(postgres=False, redis=True))

    def stop(self) -> None:
        self._running.close()

    def wait_until_empty(self) -> None:
        """Every message was taken and acknowledged."""
        wait_until(lambda: not self._client.llen("celery") and not self._client.hlen("unacked"), "an empty queue")

    def forget(self) -> None:
        """Drop every message, those that a killed worker took with it too: they would come back hours later."""
        self._client.flushall()

    def close(self) -> None:
        self._client.close()
        self.stop()


@contextmanager
def running_broker(home: Path) -> Iterator[Broker]:
    """A Redis in this directory, where the application's queue is meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDED_DIR", str(home))
        broker = Broker()
        patch.setenv("CELERY_BROKER_URL", broker.url)
        try:
            yield broker
        finally:
            broker.close()


class Program:
    """A program of Celery's on the tests' database, in a process group of its own."""

    def __init__(self, log: Path, *words: str) -> None:
        self._log = log
        self._words = words
        self.start()

    def start(self) -> None:
        with self._log.open("w") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, *self._words],
                cwd=settings.BASE_DIR,
                env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "true", "REDIS_URL": embedded.broker_url()},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, words: str) -> bool:
        assert self._process.poll() is None, f"it ended: {self._log.read_text()}"
        return words in self._log.read_text()

    def kill(self) -> None:
        """End the process with its children, as a machine that loses its power does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class CeleryWorker(Program):
    def __init__(self, log: Path) -> None:
        options = ("--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO")
        super().__init__(log, "-m", "celery", "-A", "config.celery", "worker", *options)

    def start(self) -> None:
        super().start()
        wait_until(lambda: self.said(" ready."), "the worker", SECONDS)


def database_url() -> str:
    values = connection.settings_dict
    if values["HOST"].startswith("/"):
        return f"postgres://{values['USER']}@:{values['PORT']}/{values['HOST']}/{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
