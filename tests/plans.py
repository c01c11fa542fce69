"""What PostgreSQL means to do with a statement, without doing it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from tests.paths import compiled
from tests.world import Client, World

SCANS: Final = re.compile(r"(Seq Scan|Index Scan|Index Only Scan|Bitmap Index Scan)(?: using (\S+))? on (\S+)")


async def generic_plan(world: World, client: Client, query: str, **variables: Any) -> list[str]:
    """The plan that a query's statement ends up with: made once, for whatever its parameters will be."""
    with compiled(), world.asked() as asked:
        await client.answer(query, **variables)
    statement, given = asked[-1]
    async with world.owner.begin() as connection:
        await connection.execute(text("set local plan_cache_mode = force_generic_plan"))
        # Tables of tests are small enough to be read whole: what is read whole even so, no index can find.
        await connection.execute(text("set local enable_seqscan = off"))
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(f"prepare planned as {statement}")
        values = f"({', '.join(['null'] * len(given))})" if given else ""
        rows = await driver.fetch(f"explain (costs off) execute planned{values}")
        await driver.execute("deallocate planned")
    return [row[0] for row in rows]


def scans(plan: Sequence[str]) -> set[str]:
    """How tables are read: names of indexes, and `Seq Scan on` a table."""
    found = [match.groups() for line in plan if (match := SCANS.search(line))]
    return {using or (f"{kind} on {on}" if kind == "Seq Scan" else on) for kind, using, on in found}


def conditions(plan: Sequence[str], index: str) -> list[str]:
    """The condition of each scan of an index."""
    at = [number for number, line in enumerate(plan) if re.search(rf"(using|on) {index}\b", line)]
    return [next(line.strip() for line in plan[number + 1 :] if "Cond:" in line) for number in at]
