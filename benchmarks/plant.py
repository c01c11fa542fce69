"""Plants a tree of N unions with all that hangs on it, once: a database that holds it already is left as it is."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from benchmarks import people, rows
from benchmarks.bulk import bare, copy, settle
from benchmarks.database import Connection, connected, sealer
from benchmarks.stated import Row
from benchmarks.tree import Division, grow
from storage.migrations import MIGRATIONS, migrate

SEED: Final = 20260101
EDITION: Final = 1
"""To be counted up when these files plant something else than before."""

_DIVISIONS: Final = "select code, name, full_name, parent_code from region where not retired order by code"
_OWN: Final = """
create schema benchmark;
create table benchmark.planted (size bigint, edition text, at timestamptz default now());
create table benchmark.writer (reviewer_id bigint, applicant_id bigint, union_id bigint);
"""

Say = Callable[[str], None]


class PlantingError(Exception):
    """The database cannot be planted; says why in a sentence."""


class OutdatedError(PlantingError):
    """What it holds was planted here, of another size or by other migrations: nothing is lost with it."""


def edition() -> str:
    """What tells apart databases that these files, with these migrations, would leave different."""
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    return hashlib.sha256(b"".join([str(EDITION).encode(), *(file.read_bytes() for file in files)])).hexdigest()[:16]


async def plant(url: str, size: int, say: Say) -> bool:
    """Migrates the database and plants it; False if it had been planted with this size.

    Raises:
        OutdatedError, PlantingError: it holds something else.
    """
    async with connected(url) as connection:
        if await _is_planted(connection, size):
            return False
    await migrate(url)
    started = time.perf_counter()
    async with connected(url) as connection:
        await _plant(connection, size, say)
    say(f"planted {size:,} unions in {time.perf_counter() - started:.0f} s")
    return True


async def _is_planted(connection: Connection, size: int) -> bool:
    if await connection.fetchval("select to_regclass('benchmark.planted') is not null"):
        held = await connection.fetchrow("select size, edition from benchmark.planted")
        if held is not None and tuple(held) == (size, edition()):
            return True
        raise OutdatedError("The database holds a tree of another size or edition. Drop it, or name another.")
    there = await connection.fetchval("select to_regclass('trade_union') is not null")
    if there and await connection.fetchval("select exists (select from trade_union)"):
        raise PlantingError("The database holds a registry that was not planted here. Name an empty one.")
    return False


async def _plant(connection: Connection, size: int, say: Say) -> None:
    divisions = [Division(*row) for row in await connection.fetch(_DIVISIONS)]
    tree = grow(divisions, size, SEED)
    offices = people.appointed(tree)
    registry = rows.Registry(tree, sealer(), staff=len(offices), applicants=size // 10, seed=SEED)
    jobs: Sequence[tuple[str, Sequence[str], Iterable[Row]]] = (
        ("account", people.ACCOUNT, people.accounts(registry)),
        ("certificate", people.CERTIFICATE, people.certificates()),
        ("trade_union", rows.UNION, registry.unions()),
        ("appointment", people.APPOINTMENT, people.appointments(offices)),
        ("invite", people.INVITE, people.invites(tree)),
        ("registration", rows.REGISTRATION, registry.registrations()),
        ("submission", rows.SUBMISSION, registry.submissions()),
        ("review", rows.REVIEW, registry.reviews()),
    )
    tables = [table for table, _, _ in jobs]
    async with bare(connection, tables):
        for table, columns, made in jobs:
            started = time.perf_counter()
            await copy(connection, table, columns, made)
            say(f"  {table}: {time.perf_counter() - started:.1f} s")
        await connection.execute(_OWN)
        await copy(connection, "benchmark.writer", people.WRITER, people.writers(registry, offices))
        await connection.execute("insert into benchmark.planted values ($1, $2)", size, edition())
        started = time.perf_counter()
    say(f"  indexes and foreign keys: {time.perf_counter() - started:.1f} s")
    await settle(connection)
