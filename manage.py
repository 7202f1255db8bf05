#!/usr/bin/env python
"""Run the project's commands; on a development machine the database comes with them.

What a person got wrong - a missing variable, a database that does not answer - is one clear line on standard error.
`--traceback` shows where it was raised.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from config import embedded

#: SQLSTATE of a table that is missing.
UNDEFINED_TABLE = "42P01"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        _run(sys.argv[1] if len(sys.argv) > 1 else "help")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read the output, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        sentence = None if "--traceback" in sys.argv else _sentence(error)
        if sentence is None:
            raise
        sys.stderr.write(f"{sentence}\n")
        sys.exit(1)


def _run(command: str) -> None:
    if command == "demo":
        embedded.prepare_demo()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings read the file made above

    with embedded.for_command(command):
        execute_from_command_line(sys.argv)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End by an exception, so that everything that was started is stopped; once, however often it is asked for."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _sentence(error: Exception) -> str | None:
    """What to tell a person, None for an error that is ours."""
    if isinstance(error, embedded.EmbeddedError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in ("django", "environ", "psycopg"):
        return "The project's packages are not installed in this Python. Run `uv sync`, then `uv run manage.py`."
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - Django may not be there
    from django.db import OperationalError, ProgrammingError  # noqa: PLC0415 - the same

    if isinstance(error, ImproperlyConfigured):
        return str(error)
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError) and sqlstate is None:
        return f"The database does not answer: {' '.join(str(error).split())}"
    if isinstance(error, ProgrammingError) and sqlstate == UNDEFINED_TABLE:
        return "The database has no tables, or only old ones. Run `manage.py migrate` first."
    return None


if __name__ == "__main__":
    main()
