"""Web server, worker and scheduler of the demo as child processes, and their end.

Nothing that is started here outlives `serve`: its children are stopped on every way out, and when this process is
killed outright the kernel tells them to stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 15
SET_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


class ServingError(Exception):
    """The message is a sentence for people, with the end of the log of what failed."""


def reserve(port: int) -> socket.socket:
    """Bind the port before any work is done for it; 0 takes any free one. The web server is the one to listen."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind((HOST, port))
        reserved.set_inheritable(True)
    except OSError as error:
        reserved.close()
        raise ServingError(
            f"Port {port} of {HOST} cannot be used ({error.strerror}): "
            "end what listens there, or choose another with --port."
        ) from error
    return reserved


def serve(reserved: socket.socket, checkout: Path, directory: Path, *, ready: Callable[[], object]) -> None:
    """Serve until interrupted; `ready` is called once the site answers. Logs and the schedule go to `directory`."""
    port = reserved.getsockname()[1]
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "config.celery"]
    commands = {
        "web": [
            *(*python, "gunicorn", "config.wsgi:application", "--bind", f"fd://{reserved.fileno()}"),
            *("--threads", "8", "--timeout", "120", "--graceful-timeout", "3", "--no-control-socket"),
        ],
        "worker": [
            *celery,
            "worker",
            "--concurrency",
            "1",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
        ],
        "scheduler": [*celery, "beat", "--schedule", str(directory / "schedule"), "--loglevel", "WARNING"],
    }
    with _children(commands, checkout, directory, reserved) as children:
        _wait_for_answer(port, children, directory)
        ready()
        while True:
            _check(children, directory)
            time.sleep(0.5)


@contextlib.contextmanager
def _children(
    commands: Mapping[str, Sequence[str]], checkout: Path, directory: Path, reserved: socket.socket
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    children: dict[str, subprocess.Popen[bytes]] = {}
    environment = {key: value for key, value in os.environ.items() if key != "GUNICORN_CMD_ARGS"}
    try:
        for name, command in commands.items():
            with (directory / f"{name}.log").open("wb") as log:
                children[name] = subprocess.Popen(  # noqa: S603 - own words, no shell
                    command,
                    cwd=checkout,
                    env={**environment, "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[reserved.fileno()] if name == "web" else [],
                    start_new_session=True,  # Ctrl-C in the terminal reaches this process alone, which then stops them
                    preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
                )
        reserved.close()
        yield children
    finally:
        _stop(list(children.values()))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGTERM)


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all of them to stop, and end by force what has not after a while. Not to be interrupted."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):  # what it started itself is in its group
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_answer(port: int, children: Mapping[str, subprocess.Popen[bytes]], directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        _check(children, directory)
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        try:
            connection.request("GET", "/health/")
            connection.getresponse()
        except OSError:
            if time.monotonic() > deadline:
                raise ServingError(f"The web server does not answer. {_tail(directory, 'web')}") from None
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()


def _check(children: Mapping[str, subprocess.Popen[bytes]], directory: Path) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise ServingError(f"The {name} stopped by itself. {_tail(directory, name)}")


def _tail(directory: Path, name: str) -> str:
    log = directory / f"{name}.log"
    return "\n".join([f"The end of {log}:", *log.read_text(errors="replace").splitlines()[-15:]])
