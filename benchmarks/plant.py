"""Plants a tree of N unions with all that hangs on it, once: a database that holds it already is left as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from benchmarks import people, rows
from benchmarks.bulk import bare, copy, settle
from benchmarks.database import Connection, connect, sealer
from benchmarks.stated import Row
from benchmarks.tree import Division, grow
from storage.migrations import migrate

SEED: Final = 20260101
EDITION: Final = 1
"""Another number plants anew what an earlier version of these files planted."""

_DIVISIONS: Final = "select code, name, full_name, parent_code from region where not retired order by code"
_OWN: Final = """
create schema benchmark;
create table benchmark.planted (size bigint, edition int, at timestamptz default now());
create table benchmark.writer (reviewer_id bigint, applicant_id bigint, union_id bigint);
"""

Say = Callable[[str], None]


class PlantingError(Exception):
    """The database cannot be planted; says why in a sentence."""


async def plant(url: str, size: int, say: Say) -> bool:
    """Migrates the database and plants it; False if it had been planted with this size.

    Raises:
        PlantingError: it holds something else.
    """
    await migrate(url)
    connection = await connect(url)
    try:
        if await _is_planted(connection, size):
            return False
        started = time.perf_counter()
        await _plant(connection, size, say)
        say(f"planted {size:,} unions in {time.perf_counter() - started:.0f} s")
        return True
    finally:
        await connection.close()


async def _is_planted(connection: Connection, size: int) -> bool:
    if await connection.fetchval("select to_regclass('benchmark.planted') is not null"):
        held = await connection.fetchrow("select size, edition from benchmark.planted")
        if held is not None and tuple(held) == (size, EDITION):
            return True
        raise PlantingError(f"The database holds another tree (size and edition: {held}). Drop it, or name another.")
    if await connection.fetchval("select exists (select from trade_union)"):
        raise PlantingError("The database holds unions that were not planted here. Name an empty one.")
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
        await connection.execute("insert into benchmark.planted values ($1, $2)", size, EDITION)
        started = time.perf_counter()
    say(f"  indexes and foreign keys: {time.perf_counter() - started:.1f} s")
    await settle(connection, tables)
