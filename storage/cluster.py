"""The embedded database, for a server that was given no DATABASE_URL: PostgreSQL in DATA_DIR/postgres.

- It listens on a local socket only. One role owns the database and migrates it, another serves and has the rights
  of storage/grants.py; each signs in with a password of its own (scram-sha-256). The superuser is the operating
  system's owner of the files and nobody else (peer).
- Any number of processes may share a DATA_DIR. Each holds a shared lock while it runs and the last one
  to leave stops the database; the kernel drops the lock of a process that was killed, so the database it
  left behind is found running and taken over.
"""

import fcntl
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from sqlalchemy import URL

from storage.postgres import PATIENCE, PORT, ClusterError, Postgres
from storage.unprivileged import UnreachableError, account

__all__ = ["FORGETFUL", "SETTINGS", "Cluster", "ClusterError", "running"]

NAME: Final = "uniontree"  # of the database and of the role that owns it
SERVER: Final = "uniontree_server"  # the role that serves
MIB: Final = 2**20
# Where a container finds its limit: the second and the first version of control groups.
CONTAINER: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def quarter_of_memory(container: Sequence[Path] = CONTAINER) -> str:
    """What PostgreSQL's manual advises for shared_buffers, from 128 MB to 4 GB; of a container's memory, if it is in
    one whose limit stands in such a file."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for file in container:
        with suppress(OSError, ValueError):  # there is none, or it says max
            memory = min(memory, int(file.read_text()))
    return f"{min(max(memory // 4, 128 * MIB), 4096 * MIB) // MIB}MB"


SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # three pools of POOL_SIZE for each worker, and whoever shares the DATA_DIR
    "shared_buffers": quarter_of_memory(),
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",  # a solid-state disk
    "jit": "off",  # compiles for longer than our statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # An answer means that it is on disk. Given here, they go before postgresql.conf and ALTER SYSTEM.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Errors are the application's to report; in the server's own log they would quote personal data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}
# For tests: what a power cut would lose is not worth waiting for.
FORGETFUL: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}

LOCALE: Final = "encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
PROVISION: Final = rf"""
select 'create role {NAME} login' where not exists (select from pg_roles where rolname = '{NAME}') \gexec
alter role {NAME} password :'owner';
select 'create role {SERVER} login' where not exists (select from pg_roles where rolname = '{SERVER}') \gexec
alter role {SERVER} password :'server';
select $$create database {NAME} owner {NAME} template template0 {LOCALE}$$
 where not exists (select from pg_database where datname = '{NAME}') \gexec
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL with the database `uniontree`, the role that owns it and the one that serves."""

    postgres: Postgres
    passwords: Mapping[str, str] = field(repr=False)

    def url(self, database: str = NAME, role: str = SERVER) -> str:
        """The SQLAlchemy URL of a database for the server's role, password included."""
        # The port is spelled out: left out, asyncpg would take it from PGPORT.
        where = {"host": str(self.postgres.sockets), "port": str(PORT)}
        password = self.passwords[role]
        url = URL.create("postgresql+asyncpg", username=role, password=password, database=database, query=where)
        return url.render_as_string(hide_password=False)

    def owner_url(self, database: str = NAME) -> str:
        """The same for the role that owns every database and all that is in it."""
        return self.url(database, NAME)

    def create_database(self, name: str, template: str = "template0") -> str:
        """A new database, a copy of `template`, to which nobody may be connected; its owner's URL comes back."""
        self.postgres.psql(f'create database "{name}" owner {NAME} template "{template}" {LOCALE};')
        return self.owner_url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database if it exists, and whoever is connected to it."""
        self.postgres.psql(f'drop database if exists "{name}" with (force);')


@contextmanager
def running(data_dir: Path, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """The cluster in `data_dir`, made if it is missing, started if it is not running.

    While it runs, SIGTERM and SIGHUP leave this block as SystemExit, so that the database is stopped.
    `settings` (postgresql.conf's names) go before SETTINGS; they count only if this call starts the cluster.

    Raises:
        ClusterError: it cannot be made or started.
    """
    with ExitStack() as leaving:
        leaving.enter_context(_leaving_on_signals())
        with _in_plain_words():
            folder = data_dir.resolve()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            postgres = Postgres(folder / "postgres", account(folder / "postgres"))
            turn = leaving.enter_context((folder / "postgres.turn").open("a")).fileno()
            users = leaving.enter_context((folder / "postgres.users").open("a")).fileno()
            leaving.callback(_leave, postgres, turn, users)
            with _alone(turn):
                fcntl.flock(users, fcntl.LOCK_SH)
                _start(postgres, {**SETTINGS, **(settings or {})})
                cluster = Cluster(postgres, _provision(postgres))
        yield cluster


def _leave(postgres: Postgres, turn: int, users: int) -> None:
    """Stops the cluster if nobody else uses it."""
    with _alone(turn):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postgres.stop()


@contextmanager
def _alone(turn: int) -> Iterator[None]:
    """One process at a time starts or stops the cluster."""
    fcntl.flock(turn, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)


@contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """Makes SystemExit of the signals that would end the process with no chance to stop the database."""

    def leave(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: stopping is under way
        raise SystemExit(0)

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)  # which a web server, once it runs, answers in its own way

    here = threading.current_thread() is threading.main_thread()  # elsewhere handlers cannot be set
    wanted = {signal.SIGTERM: leave, signal.SIGHUP: hang_up} if here else {}
    ours = {one: handler for one, handler in wanted.items() if signal.getsignal(one) == signal.SIG_DFL}
    for one, handler in ours.items():
        signal.signal(one, handler)
    try:
        yield
    finally:
        for one in ours:
            signal.signal(one, signal.SIG_DFL)


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Makes ClusterError of what is wrong with folders and users."""
    try:
        yield
    except UnreachableError as error:
        raise ClusterError(str(error)) from error
    except OSError as error:
        raise ClusterError(f"The database's files cannot be used: {error.strerror}: {error.filename}.") from error


def _start(postgres: Postgres, settings: Mapping[str, str]) -> None:
    """Leaves the cluster ready: made, started, taken over or waited for, as it needs."""
    postgres.make_reachable()
    if not postgres.data.exists():
        for file in _password_files(postgres).values():
            file.unlink(missing_ok=True)
        postgres.initialise(durable=settings.get("fsync") != "off")
    postgres.check_version()
    deadline = time.monotonic() + PATIENCE
    while not postgres.is_ready():
        if time.monotonic() > deadline:
            raise ClusterError(f"The database in {postgres.data} runs, but it is not ready after {PATIENCE} s.")
        if not postgres.is_alive() and not postgres.answers():
            postgres.start(settings)
        time.sleep(0.01)


def _provision(postgres: Postgres) -> Mapping[str, str]:
    """The passwords of our roles. Their files are written last: with both, roles and database are there."""
    files = _password_files(postgres)
    if all(file.exists() for file in files.values()):
        return {role: file.read_text() for role, file in files.items()}
    # A database of before it had two roles keeps its owner's password: another server may be using it.
    words = {role: file.read_text() if file.exists() else secrets.token_urlsafe(32) for role, file in files.items()}
    postgres.psql(rf"\set owner {words[NAME]}" + "\n" + rf"\set server {words[SERVER]}" + PROVISION)
    for role, file in files.items():
        draft = file.with_name(f"{file.name}.{os.getpid()}")  # a file that is there is whole
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(words[role])
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    return words


def _password_files(postgres: Postgres) -> Mapping[str, Path]:
    return {
        NAME: postgres.data.with_name("postgres.password"),
        SERVER: postgres.data.with_name("postgres.server-password"),
    }
