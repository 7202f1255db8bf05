"""Copies of this checkout without what it made, for tests that run its commands as a newcomer does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
MADE = (
    ".git",
    ".venv",
    ".env",
    "var",
    "uv.lock",
    "static-collected",
    "*.pyc.*",  # being written; what is compiled comes along, so that not every copy compiles it again
    ".*_cache",
    ".hypothesis",
    "tests",
)


def copy_checkout(directory: Path) -> Path:
    """The files of this checkout as they are, committed or not."""
    shutil.copytree(CHECKOUT, directory, ignore=shutil.ignore_patterns(*MADE))
    return directory


def manage_command(checkout: Path, *arguments: str) -> list[str]:
    """`manage.py` of a copy, by this Python."""
    return [sys.executable, str(checkout / "manage.py"), *arguments]


def bare(**variables: str) -> dict[str, str]:
    """An environment that says nothing of this project, and a home nobody can write to."""
    return {"PATH": "/usr/bin:/bin", "HOME": "/proc/nowhere", "PYTHONDONTWRITEBYTECODE": "1", **variables}


def manage(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a copy to its end, from another directory."""
    return subprocess.run(  # noqa: S603 - our own command
        manage_command(checkout, *arguments),
        env=bare(**variables),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
