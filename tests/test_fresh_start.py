"""A newcomer's first minutes: the mistakes a person makes, each one clear line."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.checkouts import bare, copy_checkout, manage, manage_command

DEPLOYED = {"SECRET_KEY": "not-secret-but-long-enough-" * 3, "ALLOWED_HOSTS": "records.example.gov"}


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        pytest.param(
            {}, "SECRET_KEY is not set. Set it, or set DEBUG=true on a development machine.", id="nothing-set"
        ),
        pytest.param(
            DEPLOYED, "DATABASE_URL is not set. Set it to a PostgreSQL database, or set DEBUG=true.", id="no-database"
        ),
        pytest.param(
            {**DEPLOYED, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/records", "PUBLIC_URL": "records.example.gov"},
            'PUBLIC_URL is "records.example.gov". Write it as https://records.example.gov, without a path.',
            id="public-address-without-scheme",
        ),
    ],
)
@pytest.mark.parametrize("command", ["migrate", "rebuild_standings"])
def test_a_missing_variable_is_one_line(tmp_path: Path, command: str, variables: dict[str, str], line: str) -> None:
    result = manage(copy_checkout(tmp_path / "checkout"), command, **variables)

    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{line}\n")


def test_traceback_shows_where_it_was_raised(tmp_path: Path) -> None:
    result = manage(copy_checkout(tmp_path / "checkout"), "migrate", "--traceback")

    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    result = manage(
        copy_checkout(tmp_path / "checkout"),
        *("rebuild_standings",),
        **DEPLOYED,
        DATABASE_URL="postgres://nobody:wrong@127.0.0.1:1/records",
    )

    assert result.returncode == 1
    assert result.stderr.startswith("The database does not answer: ")
    assert result.stderr.count("\n") == 1


def test_without_the_packages_it_says_what_to_run(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    command = [sys.executable, "-S", *manage_command(checkout, "migrate")[1:]]

    result = subprocess.run(command, env=bare(), capture_output=True, text=True, check=False)  # noqa: S603 - own words

    assert result.returncode == 1
    assert result.stderr.startswith("The project's packages are not installed in this Python. Run `uv sync`")


def test_a_terminated_command_stops_its_database(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    with subprocess.Popen(  # noqa: S603 - our own command
        manage_command(checkout, "shell", "-v", "0", "-c", "import time; print('inside', flush=True); time.sleep(60)"),
        env=bare(DEBUG="true"),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        pid = int((checkout / "var" / "postgres" / "postmaster.pid").read_text().splitlines()[0])

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 128 + signal.SIGTERM
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    shutil.rmtree((checkout / "var" / "sockets").read_text().splitlines()[0])
    shutil.rmtree(checkout)
