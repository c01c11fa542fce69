"""The embedded database: kept, shared, taken over, and gone when nobody uses it."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from storage.cluster import NAME, SERVER, Cluster, ClusterError, quarter_of_memory, running
from tests.processes import postgres_in
from tests.sources import ROOT

# A killed process loses nothing by it; a power cut would.
QUICK = {"fsync": "off"}
HOLD = """
import sys, time, pathlib
from storage.cluster import running
with running(pathlib.Path(sys.argv[1]), {"fsync": "off"}):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests below start one after the other, for making it takes longest."""
    return tmp_path_factory.mktemp("embedded")


async def asked(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            done = await connection.execute(text(statement))
            return [tuple(row) for row in done.all()] if done.returns_rows else []
    finally:
        await engine.dispose()


def postmaster(cluster: Cluster) -> psutil.Process:
    return psutil.Process(int((cluster.postgres.data / "postmaster.pid").read_text().split()[0]))


@contextmanager
def another_process(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the cluster until it is told to go."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(data)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            yield holder
        finally:
            holder.kill()


@contextmanager
def renamed(folder: Path, name: str) -> Iterator[Path]:
    moved = folder.rename(folder.with_name(name))
    try:
        yield moved
    finally:
        moved.rename(folder)


@contextmanager
def another_program(user: pwd.struct_passwd | None) -> Iterator[subprocess.Popen[bytes]]:
    """A program of this user, or of ourselves, that has nothing to do with PostgreSQL."""
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", user=user.pw_uid if user else None) as program:
        try:
            yield program
        finally:
            program.kill()


async def test_a_second_start_keeps_what_the_first_one_wrote(data: Path) -> None:
    with running(data, QUICK) as first:
        await asked(first.owner_url(), "create table if not exists kept (word text)")
        await asked(first.owner_url(), "insert into kept values ('深圳市总工会')")
    assert postgres_in(data) == []
    with running(data, QUICK) as second:
        assert ("深圳市总工会",) in await asked(second.owner_url(), "select word from kept")
        assert second.owner_url() == first.owner_url()
    assert postgres_in(data) == []


async def test_each_role_has_a_password_and_no_power(data: Path) -> None:
    with running(data, QUICK) as cluster:
        for url, name in ((cluster.url(), SERVER), (cluster.owner_url(), NAME)):
            [[role, power, listens]] = await asked(
                url, "select current_user, usesuper, current_setting('listen_addresses') from pg_user"
                " where usename = current_user"
            )  # fmt: skip
            assert (role, power, listens) == (name, False, "")
            with pytest.raises(DBAPIError, match="password authentication failed"):
                await asked(url.replace(cluster.passwords[name], "guess"), "select 1")
            assert cluster.passwords[name] not in repr(cluster)
        [[locale]] = await asked(cluster.url(), "select datlocale from pg_database where datname = current_database()")
        assert locale == "C.UTF-8"
    for file in ("postgres.password", "postgres.server-password"):
        assert stat.S_IMODE((data / file).stat().st_mode) == 0o600


async def test_the_server_s_role_is_not_the_owner_s(data: Path) -> None:
    with running(data, QUICK) as cluster:
        assert cluster.passwords[NAME] != cluster.passwords[SERVER]
        await asked(cluster.owner_url(), "create table if not exists kept (word text)")
        for refused in ("drop table kept", "select * from kept", "set role uniontree", "create table mine (word text)"):
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                await asked(cluster.url(), refused)


async def test_a_folder_of_before_there_were_two_roles_gets_the_second(data: Path) -> None:
    with running(data, QUICK) as cluster:
        kept = cluster.owner_url()
        await asked(kept, "create table if not exists kept (word text)")
    (data / "postgres.server-password").unlink()
    with running(data, QUICK) as cluster:
        assert cluster.owner_url() == kept
        assert await asked(cluster.url(), "select 1") == [(1,)]
        assert len(await asked(kept, "select * from pg_tables where tablename = 'kept'")) == 1


async def test_an_answer_means_that_it_is_on_disk(data: Path) -> None:
    """Durable as it comes, whatever its files say; and a spoiled page is found out."""
    with running(data) as cluster:
        await asked(cluster.owner_url(), f"alter role {NAME} set synchronous_commit = off")
        cluster.postgres.psql("alter system set fsync = off; alter system set full_page_writes = off;")
    try:
        with running(data) as cluster:
            words = "fsync", "full_page_writes", "data_checksums"
            for word in words:
                assert await asked(cluster.url(), f"show {word}") == [("on",)], word
            assert await asked(cluster.url(), "show synchronous_commit") == [("on",)]
            await asked(cluster.owner_url(), f"alter role {NAME} reset synchronous_commit")
    finally:
        (data / "postgres" / "postgresql.auto.conf").write_text("")


@pytest.mark.parametrize(
    ("machine", "container", "wanted"),
    [
        (2**33, None, "2048MB"),
        (2**36, None, "4096MB"),
        (2**28, None, "128MB"),
        (2**33, "1073741824\n", "256MB"),
        (2**33, "max\n", "2048MB"),
    ],
)
def test_it_takes_a_quarter_of_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: int, container: str | None, wanted: str
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": machine // 4096, "SC_PAGE_SIZE": 4096}.__getitem__)
    limit = tmp_path / "memory.max"
    if container is not None:
        limit.write_text(container)
    assert quarter_of_memory([limit]) == wanted


async def test_which_the_database_then_has(data: Path) -> None:
    with running(data, QUICK) as cluster:
        [(found,)] = await asked(
            cluster.url(), "select setting::bigint / 128 || 'MB' from pg_settings where name = 'shared_buffers'"
        )
    assert found == quarter_of_memory()


async def test_the_last_one_to_leave_stops_it(data: Path) -> None:
    with running(data, QUICK) as outer:
        started = postmaster(outer)
        with another_process(data) as other:
            assert postmaster(outer) == started
            other.terminate()
            assert other.wait(10) == 0
        assert await asked(outer.url(), "select 1") == [(1,)]
        assert postmaster(outer) == started
    assert postgres_in(data) == []


async def test_what_a_killed_process_left_behind_is_taken_over(data: Path) -> None:
    with another_process(data) as killed:
        killed.kill()
    left = {process.pid for process in postgres_in(data)}
    assert left

    with running(data, QUICK) as cluster:
        assert postmaster(cluster).pid in left
        await asked(cluster.owner_url(), "create table if not exists acknowledged (word text)")
        # And if the database itself is killed, what it acknowledged is there at the next start.
        postmaster(cluster).send_signal(signal.SIGKILL)
        psutil.wait_procs(postgres_in(data), timeout=10)
    with running(data, QUICK) as cluster:
        assert await asked(cluster.owner_url(), "select count(*) from acknowledged") == [(0,)]
    assert postgres_in(data) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_that_ends_the_process_stops_the_database_too(data: Path, number: signal.Signals) -> None:
    with another_process(data) as ended:
        ended.send_signal(number)
        assert ended.wait(10) == 0
    assert postgres_in(data) == []


async def test_a_lock_that_names_a_stranger_is_no_hindrance(data: Path) -> None:
    """The number of a server that was killed, given to another program of the same user since."""
    with running(data, QUICK) as cluster:
        user = cluster.postgres.user
        locks = [cluster.postgres.data / "postmaster.pid", cluster.postgres.sockets / ".s.PGSQL.5432.lock"]
        kept = [(lock, lock.stat(), lock.read_text().splitlines()) for lock in locks]
    with another_program(user) as stranger:
        for lock, status, lines in kept:
            lock.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
            os.chown(lock, status.st_uid, status.st_gid)
        with running(data, QUICK) as cluster:
            assert await asked(cluster.url(), "select 1") == [(1,)]
        assert stranger.poll() is None


async def test_a_path_too_long_for_a_socket_is_none_for_a_database(data: Path) -> None:
    """A socket's path holds 103 bytes; and what a URL cannot hold is kept out of it."""
    with renamed(data, f"{data.name} 工会 {'x' * 60}") as odd:
        with running(odd, QUICK) as cluster:
            sockets = cluster.postgres.sockets
            assert not sockets.is_relative_to(odd) and stat.S_IMODE(sockets.stat().st_mode) == 0o700
            assert await asked(cluster.url(), "select 1") == [(1,)]
        assert not sockets.exists()


def test_a_database_that_does_not_start_has_the_last_word(data: Path) -> None:
    refused = pytest.raises(ClusterError, match=r'(?s)does not start.*invalid value for parameter "shared_buffers"')
    with refused, running(data, {"shared_buffers": "much"}):
        pass
    with running(data, QUICK):
        pass


def test_another_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(ClusterError, match=r"written by PostgreSQL 15; this is \d+, .* Dump it"), running(tmp_path):
        pass


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClusterError, match="files cannot be used"), running(tmp_path / "file" / "data"):
        pass


async def test_databases_are_made_copied_and_dropped(cluster: Cluster, worker_id: str) -> None:
    first, second = f"first_{worker_id}", f"second_{worker_id}"
    await asked(cluster.create_database(first), "create table kept (word text)")
    copy = cluster.create_database(second, template=first)
    assert await asked(copy, "select count(*) from kept") == [(0,)]
    for name in (first, second, "never_made"):
        cluster.drop_database(name)
    with pytest.raises(ClusterError, match=f'database "{first}" does not exist'):
        cluster.create_database(second, template=first)
