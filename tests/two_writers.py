"""Work in other threads, each with a connection of its own, for tests of what happens at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.db import connection, transaction

T = TypeVar("T")

#: Nothing here takes long; what takes this long hangs.
SECONDS = 20.0


class Worker(Generic[T]):
    """A thread that does one thing over its own connection. `result()` waits for it and raises what it raised."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self.backend = 0
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._connected.wait(SECONDS):
            raise TimeoutError("no connection")

    def _run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.backend,) = cursor.fetchone()
            self._connected.set()
            self._results.append(self._work())
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._connected.set()
            connection.close()

    def result(self) -> T:
        self._thread.join(SECONDS)
        if self._thread.is_alive():
            raise TimeoutError("the other thread does not end")
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def wait_until_blocked(self) -> None:
        """Return once this thread waits for a lock in the database."""
        wait_until(lambda: self._is_blocked() or not self._thread.is_alive(), "the other thread to wait for a lock")
        assert self._thread.is_alive(), "the other thread ended instead of waiting"

    def _is_blocked(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [self.backend])
            return bool(cursor.fetchone() == (True,))


@contextmanager
def meanwhile(work: Callable[[], T]) -> Iterator[Worker[T]]:
    """Start the work in a thread, and let it end before the block does."""
    worker = Worker(work)
    yield worker
    worker.result()


@contextmanager
def holding(officer_id: int) -> Iterator[None]:
    """Until the block ends whoever writes about this member waits."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM roster_officer WHERE id = %s FOR UPDATE", [officer_id])
        yield


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Poll, with a deadline."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


class Gate:
    """Where a thread stops until the test lets it pass."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def stop_here(self) -> None:
        """In the thread: say that this point is reached and wait."""
        self._reached.set()
        if not self._open.wait(SECONDS):
            raise TimeoutError("nobody opened the gate")

    def wait_for_it(self) -> None:
        """In the test: return once the thread stands at this point."""
        if not self._reached.wait(SECONDS):
            raise TimeoutError("nobody came to the gate")

    def open(self) -> None:
        self._open.set()
