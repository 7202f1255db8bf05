"""`manage.py demo` as a person runs it: in a checkout of its own, with its own servers, from start to end."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from pytest_django import Settings

from compliance.demo import sign_ins
from tests.checkouts import CHECKOUT, bare, copy_checkout, manage, manage_command
from tests.factories import make_agency, make_officer

TABLE = re.compile(r"^  (District \d|Elsewhere|All who must).* (\d+\.\d %|n/a) ", re.MULTILINE)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this checkout in somebody's private home; what runs in it at the end is stopped and removed."""
    home = tmp_path_factory.mktemp("demo") / "home"
    home.mkdir(mode=0o700)
    (home / "work").mkdir(mode=0o750)
    (home / ".config").mkdir(mode=0o700)
    directory = copy_checkout(home / "work" / "checkout")
    yield directory
    stop_servers(directory)
    if (directory / "var" / "sockets").exists():
        shutil.rmtree((directory / "var" / "sockets").read_text().splitlines()[0], ignore_errors=True)
    shutil.rmtree(directory)


def stop_servers(checkout: Path) -> None:
    code = "from config import embedded; embedded.stop()"
    subprocess.run([sys.executable, "-c", code], cwd=checkout, env=bare(), check=True)  # noqa: S603 - own words


@dataclass(frozen=True)
class Around:
    """What there is around a checkout: permissions of all that is outside, the names in its home, the accounts."""

    modes: dict[Path, tuple[int, int, int]]
    names: list[str]
    accounts: bytes


def around(checkout: Path) -> Around:
    home = checkout.parent.parent
    outside = (checkout.parent, home / ".config", Path(sys.prefix), Path(sys.executable).parent, CHECKOUT / "config")
    return Around(modes(*outside), sorted(path.name for path in home.iterdir()), Path("/etc/passwd").read_bytes())


def modes(*directories: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode and owner of each directory and of all above it."""
    found = {}
    for directory in directories:
        for path in (directory, *directory.parents):
            status = path.stat()
            found[path] = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


@pytest.fixture(scope="module")
def before(checkout: Path) -> Around:
    """As it was before the first command."""
    return around(checkout)


@pytest.fixture(scope="module")
def first(checkout: Path, before: Around) -> subprocess.CompletedProcess[str]:
    """The first command, by somebody whose home can be written to; those that follow have none."""
    return manage(checkout, "demo", "--no-serve", "--officers", "120", HOME=str(checkout.parent.parent))


def processes_of(checkout: Path) -> list[str]:
    """What runs with this checkout as its working directory or in its command line, servers included."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((entry / "cwd").readlink())
        except OSError:
            continue
        if str(checkout) in words or where.startswith(str(checkout)):
            found.append(words)
    return found


def test_it_makes_the_department_and_stops(checkout: Path, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    assert len(TABLE.findall(first.stdout)) == 11
    assert "Making up 120 members" in first.stderr
    assert (checkout / ".env").read_text().startswith("DEBUG=true\nSECRET_KEY=")
    assert processes_of(checkout) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_root_below_a_private_home_changes_no_permission_outside_the_project(
    checkout: Path, before: Around, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0, first.stderr
    assert around(checkout) == before
    assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600


def test_again_it_finds_the_same_and_makes_nothing(checkout: Path, first: subprocess.CompletedProcess[str]) -> None:
    again = manage(checkout, "demo", "--no-serve", "--officers", "120")

    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert "is still there, with 120 members serving." in again.stderr
    assert "Making up" not in again.stderr
    assert manage(checkout, "rebuild_standings", "--verify").stdout == "0\n"


def test_another_size_is_said_not_to_be_made(checkout: Path, first: subprocess.CompletedProcess[str]) -> None:
    again = manage(checkout, "demo", "--no-serve", "--officers", "200")

    assert again.returncode == 0
    assert again.stdout == first.stdout
    assert "For one of 200, remove" in again.stderr


@contextlib.contextmanager
def serving(checkout: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The demo once it serves, and the port it printed; ended when the block ends."""
    with subprocess.Popen(  # noqa: S603 - our own command
        manage_command(checkout, "demo", "--port", "0"),
        env=bare(),
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = "".join(takewhile(lambda line: "Ctrl-C stops everything" not in line, process.stdout))
            address = r"^Open http://127\.0\.0\.1:(\d+)/ and sign in with the password demo-only as$"
            found = re.search(address, said, re.MULTILINE)
            assert found, said
            roles = "academy|commander|chief|compliance|auditor|officer|admin"
            assert re.findall(rf"^  ({roles}) ", said, re.MULTILINE) == roles.split("|")
            yield process, int(found[1])
        finally:
            process.terminate()


class Browser:
    """Requests with cookies, as much of a browser as signing in takes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """(status, where to go, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", path, urllib.parse.urlencode(fields), headers)
        response = connection.getresponse()
        for line in response.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        body = response.read().decode()
        connection.close()
        return response.status, response.headers.get("Location", ""), body

    def sign_in(self, username: str, password: str) -> int:
        _, _, page = self.ask("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        fields = {"csrfmiddlewaretoken": token[1], "username": username, "password": password}
        return self.ask("/sign-in/", fields)[0]


@pytest.mark.worker
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped_and_leaves_nothing_running(checkout: Path, number: signal.Signals) -> None:
    with serving(checkout) as (process, port):
        browser = Browser(port)
        assert browser.ask("/health/")[0] == 200
        assert browser.ask("/static/app.css")[0] == 200
        assert browser.sign_in("chief", "wrong") == 200
        assert browser.sign_in("chief", "demo-only") == 302
        status, _, page = browser.ask("/coverage/")
        assert status == 200
        assert "District 2, Old Town" in page
        running = " ".join(processes_of(checkout))
        assert all(words in running for words in ("gunicorn", "config.celery worker", "config.celery beat"))

        os.killpg(process.pid, number)

        assert process.wait(60) == (0 if number == signal.SIGINT else 128 + number)
        assert processes_of(checkout) == []
        with pytest.raises(ConnectionRefusedError):
            browser.ask("/health/")


@pytest.mark.worker
@pytest.mark.usefixtures("first")
def test_killed_outright_it_takes_its_children_along(checkout: Path) -> None:
    with serving(checkout) as (process, _):
        process.kill()
        process.wait()

        deadline = time.monotonic() + 30
        while any(" -m " in words for words in processes_of(checkout)):
            assert time.monotonic() < deadline, processes_of(checkout)
            time.sleep(0.2)
    stop_servers(checkout)  # they run on for whoever comes next


def test_a_port_in_use_is_one_sentence_before_any_work(tmp_path: Path) -> None:
    fresh = copy_checkout(tmp_path / "checkout")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = manage(fresh, "demo", "--port", str(port))

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"CommandError: Port {port} of 127.0.0.1 cannot be used (Address already in use)")
    assert result.stderr.count("\n") == 1
    assert not (fresh / "var" / "postgres").exists()


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        pytest.param(
            {"DATABASE_URL": "postgres://db/records"}, "DATABASE_URL is set without DEBUG=true", id="database"
        ),
        pytest.param({"SECRET_KEY": "x" * 60}, "SECRET_KEY is set without DEBUG=true", id="key"),
        pytest.param({"ALLOWED_HOSTS": "records.example.gov"}, "ALLOWED_HOSTS is set without DEBUG=true", id="hosts"),
        pytest.param({"SECRET_KEY": "x" * 60, "DEBUG": "false"}, "SECRET_KEY is set without DEBUG=true", id="off"),
        pytest.param({"DEBUG": "false"}, "DEBUG is off", id="debug-off"),
    ],
)
def test_a_deployment_is_refused(tmp_path: Path, variables: dict[str, str], what: str) -> None:
    fresh = copy_checkout(tmp_path / "checkout")

    result = manage(fresh, "demo", "--no-serve", **variables)

    assert result.returncode == 1
    assert result.stderr == f"The demo is for a development machine only, and here {what}: nothing was started.\n"
    assert not (fresh / ".env").exists()
    assert not (fresh / "var").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--officers", "3"], "--officers: 3 is not from 20 to 1,000,000.", id="too-few"),
        pytest.param(["--port", "70000"], "--port: 70000 is not from 0 to 65535.", id="port"),
    ],
)
def test_a_bad_argument_is_one_line(settings: Settings, arguments: list[str], sentence: str) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match=re.escape(sentence)) as caught:
        call_command("demo", "--no-serve", *arguments)

    assert caught.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["members", "an agency"])
def test_a_database_with_strangers_is_left_alone(settings: Settings, what: str) -> None:
    settings.DEBUG, settings.EMBEDDED_DATABASE, settings.EMBEDDED_REDIS = True, False, False
    if what == "members":
        make_officer()
    else:
        make_agency()

    with pytest.raises(CommandError, match=f"holds {what} that the demo did not make"):
        call_command("demo", "--no-serve")


@pytest.mark.django_db
def test_the_demo_password_opens_nothing_without_debug(settings: Settings) -> None:
    sign_ins.make_users()
    request = RequestFactory().post("/sign-in/")
    backend = sign_ins.Backend()

    settings.DEBUG = True
    assert backend.authenticate(request, username="chief", password="demo-only") is not None
    settings.DEBUG = False
    assert backend.authenticate(request, username="chief", password="demo-only") is None
    assert backend.authenticate(request, "chief", "demo-only") is None
