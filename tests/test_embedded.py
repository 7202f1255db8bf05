"""The embedded servers, with real binaries: every test has its own directory, so none meets the developer's servers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import environ
import kombu
import psycopg
import pytest
import redis

from config import embedded

CHECKOUT = Path(__file__).resolve().parent.parent
IS_ROOT = os.geteuid() == 0
ORDINARY = 1  # the uid of `daemon`; PostgreSQL asks for one that has a name

HOLD = """
import sys
from config import embedded
with embedded.running(**{arguments}):
    print("inside", flush=True)
    sys.stdin.read()
"""
COME_AND_GO = """
from config import embedded
home = embedded.data_dir()
for _ in range({times}):
    with embedded.running():
        assert embedded._Postgres(home)._query(embedded._socket_dir(home), "SELECT 7") == "7"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "var"
    with placed(directory, monkeypatch):
        yield directory


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of PostgreSQL with an empty database and nothing running: making them takes longer than most tests."""
    directory = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch, placed(directory / "var", patch):
        with embedded.running():
            pass
        (directory / "var" / "postgres").rename(directory / "postgres")
    yield directory / "postgres"
    shutil.rmtree(directory)


@pytest.fixture
def made(home: Path, cluster: Path) -> Path:
    """`home` as after its first start."""
    home.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", str(cluster), str(home / "postgres")], check=True)  # noqa: S603, S607 - own words
    return home


@contextlib.contextmanager
def placed(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the embedded servers into the directory; leave nothing of them behind."""
    monkeypatch.setenv("EMBEDDED_DIR", str(directory))
    try:
        yield
    finally:
        monkeypatch.undo()
        os.environ["EMBEDDED_DIR"] = str(directory)
        try:
            embedded.stop()
            if (directory / "sockets").exists():
                shutil.rmtree(recorded_sockets(directory), ignore_errors=True)
            shutil.rmtree(directory, ignore_errors=True)  # pytest keeps the last runs, and a cluster takes 60 MB
        finally:
            del os.environ["EMBEDDED_DIR"]


def recorded_sockets(directory: Path) -> Path:
    return Path((directory / "sockets").read_text().splitlines()[0])


def ask(sql: str) -> object:
    with psycopg.connect(embedded.conninfo()) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def is_running(directory: Path, server: str = "postgres") -> bool:
    return (embedded._Postgres(directory) if server == "postgres" else embedded._Redis(directory))._pid() is not None


def start_python(
    code: str, prefix: Sequence[str] = (), python: str = sys.executable, **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - code written above
        [*prefix, python, "-P", "-c", code],
        env={"PYTHONDONTWRITEBYTECODE": "1", **os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def holder(arguments: Mapping[str, bool] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process inside ``running()`` until the block ends or it is killed."""
    with start_python(HOLD.format(arguments=dict(arguments or {}))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        yield process
        process.communicate()


def modes(directory: Path) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for path in [directory, *directory.parents, CHECKOUT / "config", *CHECKOUT.parents]:
        status = path.stat()
        found[path] = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


def test_running_answers_inside_and_stops_after_the_last(home: Path) -> None:
    with embedded.running():
        assert ask("SELECT upper('é') || current_setting('server_encoding') || current_database()") == "ÉUTF8records"
        assert ask("SELECT current_setting('listen_addresses') || current_setting('fsync')") == "on"
        assert is_running(home)

    assert not is_running(home)


def test_running_nested_stops_only_at_the_outer_end(made: Path) -> None:
    with embedded.running():
        with embedded.running():
            pass
        assert ask("SELECT 1") == 1

    assert not is_running(made)


def test_running_again_finds_the_data_and_a_dropped_database_returns(made: Path) -> None:
    with embedded.running(), psycopg.connect(embedded.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 41 AS answer")

    with embedded.running():
        assert ask("SELECT answer FROM kept") == 41
        with psycopg.connect(embedded.conninfo(), dbname="postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE records")
    with embedded.running():
        assert ask("SELECT to_regclass('kept')") is None


def test_urls_say_the_same_socket_to_every_reader(home: Path) -> None:
    database = environ.Env.db_url_config(embedded.database_url())

    sockets = recorded_sockets(home)
    assert database == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(sockets),
        "PORT": 5432,
        "NAME": "records",
        "USER": "records",
        "PASSWORD": "",
    }
    assert psycopg.conninfo.conninfo_to_dict(embedded.conninfo()) == {
        "host": str(sockets),
        "port": "5432",
        "dbname": "records",
        "user": "records",
    }
    assert embedded.redis_url() == f"unix://{sockets}/redis.sock"
    assert not (home / "postgres").exists()


def test_two_processes_share_one_server_and_the_first_to_leave_does_not_stop_it(made: Path) -> None:
    with holder() as first:
        with holder():
            first.communicate()
            assert first.returncode == 0
            assert ask("SELECT 1") == 1
        assert not is_running(made)


def test_processes_that_come_and_go_at_once_always_find_the_server(home: Path) -> None:
    processes = [start_python(COME_AND_GO.format(times=6)) for _ in range(6)]

    for process in processes:
        process.communicate()

    assert [process.returncode for process in processes] == [0] * 6
    assert not is_running(home)


def test_a_killed_holder_leaves_nothing_stuck(made: Path) -> None:
    with holder() as process:
        process.kill()
    assert is_running(made)

    with embedded.running():
        assert ask("SELECT 1") == 1

    assert not is_running(made)


@pytest.mark.parametrize("seconds", [0.2, 0.45, 0.7])
def test_a_starter_killed_midway_leaves_nothing_stuck(home: Path, seconds: float) -> None:
    with start_python(HOLD.format(arguments={})) as process:
        time.sleep(seconds)
        process.kill()

    with embedded.running():
        assert ask("SELECT 1") == 1

    assert not is_running(home)


def test_a_killed_server_recovers_with_its_data(made: Path) -> None:
    with embedded.running():
        with psycopg.connect(embedded.conninfo()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 41 AS answer")
            connection.execute("SET LOCAL synchronous_commit = on")
        pid = embedded._Postgres(made)._pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    with embedded.running():
        assert ask("SELECT answer FROM kept") == 41


def test_interrupt_in_the_terminal_does_not_reach_the_servers(made: Path) -> None:
    with holder({"redis": True}) as starter, embedded.running(redis=True):
        servers = [embedded._Postgres(made)._pid(), embedded._Redis(made)._pid()]

        os.killpg(starter.pid, signal.SIGINT)
        starter.wait()

        assert [embedded._Postgres(made)._pid(), embedded._Redis(made)._pid()] == servers
        assert ask("SELECT 1") == 1


def test_a_forked_child_that_ends_does_not_stop_the_server(made: Path) -> None:
    code = """
import os
from config import embedded
with embedded.running():
    child = os.fork()
    if child == 0:
        raise SystemExit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert embedded._Postgres(embedded.data_dir())._pid()
"""
    with start_python(code) as process:
        process.communicate()

    assert process.returncode == 0
    assert not is_running(made)


def test_a_pid_file_that_names_another_process_is_no_server(made: Path) -> None:
    with embedded.running(redis=True):
        postgres_pid_file = (made / "postgres" / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen([*embedded._as_server_user(), "sleep", "60"]) as stranger:  # noqa: S603 - own words
        postgres_pid_file[0] = str(stranger.pid)
        (made / "postgres" / "postmaster.pid").write_text("\n".join(postgres_pid_file) + "\n")
        (made / "redis" / "redis.pid").write_text(f"{stranger.pid}\n")

        with embedded.running(redis=True):
            assert ask("SELECT 1") == 1

        assert stranger.poll() is None
        stranger.kill()
    assert not is_running(made)


def test_a_moved_directory_works_while_the_server_runs_and_after(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "elsewhere" / "var"
    moved.parent.mkdir()
    with holder() as process:
        process.kill()
    pid = embedded._Postgres(made)._pid()

    made.rename(moved)

    with placed(moved, monkeypatch):
        with embedded.running():
            assert ask("SELECT 1") == 1
            assert embedded._Postgres(moved)._pid() == pid
        assert not is_running(moved)
        with embedded.running():
            assert ask("SELECT 1") == 1


def test_a_copied_directory_gets_servers_of_its_own(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    with embedded.running():
        original = recorded_sockets(made)
    subprocess.run(["cp", "-a", str(made), str(copy)], check=True)  # noqa: S603, S607 - own words
    with holder(), placed(copy, monkeypatch), embedded.running():
        assert recorded_sockets(copy) != original
        assert is_running(made)
        assert is_running(copy)


def test_a_deep_path_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["a rather long name for a directory"] * 12)
    with placed(deep, monkeypatch):
        with embedded.running(redis=True):
            assert ask("SELECT 1") == 1
            assert redis.Redis.from_url(embedded.redis_url()).ping()
        assert not is_running(deep)


def test_a_long_or_odd_tmpdir_is_passed_over(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / ("it's a very long name " * 5)
    odd.mkdir()
    monkeypatch.setenv("TMPDIR", str(odd))
    monkeypatch.setattr(tempfile, "tempdir", None)

    embedded.database_url()

    assert recorded_sockets(home).parent == Path("/tmp")  # noqa: S108 - where it must fall back to


def test_the_socket_directory_is_private_and_returns_under_its_name(home: Path) -> None:
    url = embedded.database_url()
    sockets = recorded_sockets(home)
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700

    sockets.rmdir()

    assert embedded.database_url() == url
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "planted",
    [
        "open",
        "link",
        pytest.param(
            "foreign", marks=pytest.mark.skipif(not IS_ROOT, reason="only root can make what belongs to others")
        ),
    ],
)
def test_a_planted_socket_directory_is_not_trusted(home: Path, tmp_path: Path, planted: str) -> None:
    embedded.database_url()
    sockets = recorded_sockets(home)
    sockets.rmdir()
    if planted == "link":
        (tmp_path / "trap").mkdir(mode=0o700)
        sockets.symlink_to(tmp_path / "trap")
    else:
        sockets.mkdir()
        sockets.chmod(0o755 if planted == "open" else 0o700)
    if planted == "foreign":
        os.chown(sockets, ORDINARY, ORDINARY)

    try:
        embedded.database_url()
        assert recorded_sockets(home) != sockets
    finally:
        sockets.unlink() if planted == "link" else sockets.rmdir()


def test_servers_that_lost_their_sockets_are_started_again(made: Path) -> None:
    with holder({"redis": True}) as process:
        process.kill()
    shutil.rmtree(recorded_sockets(made))

    with embedded.running(redis=True):
        assert ask("SELECT 1") == 1
        assert redis.Redis.from_url(embedded.redis_url()).ping()

    assert not is_running(made)
    assert not is_running(made, "redis")


@pytest.mark.parametrize("wheel", [False, True], ids=["from-path", "from-wheel"])
def test_redis_answers_on_its_socket(home: Path, monkeypatch: pytest.MonkeyPatch, wheel: bool) -> None:
    if wheel:
        monkeypatch.setenv("PATH", "")

    with embedded.running(postgres=False, redis=True):
        client = redis.Redis.from_url(embedded.redis_url())
        assert client.ping()
        assert client.config_get("save", "appendonly", "port", "maxmemory") == {
            "save": "",
            "appendonly": "no",
            "port": "0",
            "maxmemory": "0",
        }
        client.close()
        with kombu.Connection(embedded.broker_url()) as broker, broker.SimpleQueue("nudges") as queue:
            queue.put({"job": 1})
            assert queue.get(timeout=5).payload == {"job": 1}

    assert not is_running(home, "redis")
    assert not (home / "postgres").exists()


def test_stop_ends_both_and_running_starts_them_again(made: Path) -> None:
    with embedded.running(redis=True):
        embedded.stop()
        assert not is_running(made)
        assert not is_running(made, "redis")
        with embedded.running():
            assert ask("SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(made: Path) -> None:
    with embedded.running():
        pass
    with (made / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")

    with (
        pytest.raises(embedded.EmbeddedError, match=r'(?s)did not start\..*parameter "no_such_setting"'),
        embedded.running(),
    ):
        pass


def test_missing_programs_are_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(embedded.EmbeddedError, match=r"setpriv|is not installed"), embedded.running():
        pass
    with (
        pytest.raises(embedded.EmbeddedError, match="There is no Redis to start"),
        embedded.running(redis=True, postgres=False),
    ):
        pass


def checkout_of(directory: Path) -> Path:
    """A checkout of its own: just what reads or writes ``.env``."""
    shutil.copytree(CHECKOUT / "config", directory / "config", ignore=shutil.ignore_patterns("__pycache__", "static"))
    return directory


@pytest.mark.parametrize(
    ("variables", "is_written"),
    [
        pytest.param({}, True, id="fresh"),
        pytest.param({"DEBUG": "true", "SECRET_KEY": "x"}, True, id="development"),
        pytest.param({"SECRET_KEY": "x"}, False, id="deployment-key"),
        pytest.param({"SECRET_KEY": "x", "DEBUG": "false"}, False, id="deployment-debug-off"),
        pytest.param({"DEBUG": "0"}, False, id="debug-off"),
        pytest.param({"DATABASE_URL": "postgres://db/records"}, False, id="deployment-database"),
        pytest.param({"ALLOWED_HOSTS": "records.example.gov"}, False, id="deployment-hosts"),
    ],
)
def test_demo_never_turns_debug_on_in_a_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_written: bool
) -> None:
    for name in ("DEBUG", "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    checkout = checkout_of(tmp_path)
    code = "from config import embedded; embedded.prepare_demo(); embedded.prepare_demo()"

    with start_python(code, PYTHONPATH=str(checkout), **variables) as process:
        process.communicate()

    assert process.returncode == (0 if is_written else 1)
    assert (checkout / ".env").exists() == is_written
    if is_written:
        assert (checkout / ".env").read_text().startswith("DEBUG=true\nSECRET_KEY=")
        assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("command", "variables", "expected"),
    [
        pytest.param("migrate", {"DEBUG": "true"}, "True False", id="database"),
        pytest.param("runserver", {"DEBUG": "true"}, "True True", id="both"),
        pytest.param("collectstatic", {"DEBUG": "true"}, "False False", id="neither"),
        pytest.param("migrate", {"DEBUG": "true", "DATABASE_URL": "postgres://db/records"}, "False False", id="named"),
        pytest.param("migrate", {}, "False False", id="unconfigured"),
    ],
)
def test_a_command_gets_the_servers_it_needs(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("DEBUG", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    code = f"""
from config import embedded
with embedded.for_command({command!r}):
    home = embedded.data_dir()
    print(embedded._Postgres(home)._pid() is not None, embedded._Redis(home)._pid() is not None)
"""

    checkout = checkout_of(tmp_path)
    variables = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(checkout), **variables}
    with start_python(code, **variables) as process:
        said, _ = process.communicate()

    assert said == f"{expected}\n"
    assert not is_running(made)


@pytest.mark.skipif(not IS_ROOT, reason="only root needs another user for PostgreSQL")
def test_root_below_a_private_home_changes_no_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    directory = private / "checkout" / "var"
    directory.mkdir(parents=True, mode=0o700)
    before = modes(directory)

    with placed(directory, monkeypatch):
        with embedded.running(redis=True):
            assert ask("SELECT 1") == 1
            owner = (directory / "postgres").stat()
            assert (owner.st_uid, stat.S_IMODE(owner.st_mode)) == (embedded._server_user().uid, 0o700)
            assert recorded_sockets(directory).stat().st_uid == 0
        assert modes(directory) == before


@pytest.mark.skipif(not IS_ROOT, reason="the other tests run as an ordinary user already")
def test_root_without_the_installed_programs_open_to_others(tmp_path: Path, home: Path) -> None:
    """Neither the programs nor their libraries can be reached by ``nobody`` without the capability."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    packages = copy_servers(private)
    code = COME_AND_GO.format(times=1) + f"assert str(embedded._postgres_bin()).startswith({str(private)!r})"
    with start_python(code, PYTHONPATH=f"{CHECKOUT}:{packages}", python=outside_python()) as process:
        process.communicate()
    shutil.rmtree(packages)

    assert process.returncode == 0


@pytest.mark.skipif(not IS_ROOT, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_with_an_unwritable_home(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="project-") as made:
        project = Path(made)
        packages = copy_servers(project)
        shutil.copytree(CHECKOUT / "config", project / "config")
        for path in [project, *project.rglob("*")]:
            os.chown(path, ORDINARY, ORDINARY, follow_symlinks=False)
        code = COME_AND_GO.format(times=2) + "assert embedded.data_dir().parent.name.startswith('project-')"
        environment = {"EMBEDDED_DIR": "", "HOME": "/proc/nowhere", "PYTHONPATH": f"{project}:{packages}", "PWD": made}
        prefix = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]

        with start_python(code, prefix, outside_python(prefix), **environment) as process:
            process.communicate()

        assert process.returncode == 0
        assert (project / "var" / "postgres").stat().st_uid == ORDINARY
        assert not is_running(project / "var")
        shutil.rmtree(recorded_sockets(project / "var"))


def copy_servers(directory: Path) -> Path:
    """The installed server packages, copied to where one user can or cannot go."""
    packages = directory / "packages"
    bin_directory = embedded._postgres_bin()
    installed = bin_directory.parents[1]
    shutil.copytree(bin_directory.parent, packages / installed.name / "pginstall18", symlinks=True)
    shutil.copytree(installed.with_name(f"{installed.name}.libs"), packages / f"{installed.name}.libs", symlinks=True)
    (packages / installed.name / "__init__.py").touch()
    return packages


def outside_python(prefix: Sequence[str] = ()) -> str:
    """A Python that does not see this environment's packages, and that the user of the prefix can run."""
    for candidate in (Path(sys.executable).resolve(), Path("/usr/bin/python3"), Path("/usr/local/bin/python3")):
        command = [*prefix, str(candidate), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        with contextlib.suppress(OSError):
            if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0:  # noqa: S603 - own words
                return str(candidate)
    pytest.skip("no Python 3.11 that an ordinary user can run")
