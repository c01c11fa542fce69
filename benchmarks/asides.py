"""What a ratio of rates does not show: levels, the first sight of a document, and what a live count would cost.

One client, so that nothing waits; ours over HTTP, with all that a request costs, against bare statements.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import orjson

from benchmarks.client import Script, play, request_of
from benchmarks.database import Connection
from benchmarks.load import Contestant, DifferenceError, once
from benchmarks.report import Aside
from benchmarks.workloads import W2, W3, W4, W6, W8, Ask, Workload

_TIMES: Final = 40
# Names beside the tables, so that a trigram index costs no write of theirs anything.
_TRIGRAMS: Final = """
create extension if not exists pg_trgm;
create table if not exists benchmark.name as select id, name_key from trade_union;
create index if not exists name_trigrams on benchmark.name using gin (name_key gin_trgm_ops);
analyze benchmark.name
"""
_BY_TRIGRAMS: Final = (
    "select id, name_key from benchmark.name where name_key like '%' || $1 || '%' order by id limit 21"
)
# There is one root.
_LIVE_COUNT: Final = """
select unions, grassroots, unions - grassroots as "higherLevel", pending, approved, rejected
  from (select count(*) as unions, count(*) filter (where kind = 'GRASSROOTS') as grassroots
          from trade_union where status = 'ACTIVE') u,
       (select count(*) filter (where status = 'PENDING') as pending,
               count(*) filter (where status = 'APPROVED') as approved,
               count(*) filter (where status = 'REJECTED') as rejected
          from registration) r
"""


async def asides(ours: Contestant, connection: Connection, asks: dict[str, list[Ask]]) -> list[Aside]:
    return [
        await _levels(ours, asks["W3"]),
        await _top(ours, connection, asks["W4"][0].token),
        await _search(ours, connection, asks["W6"]),
        await _first_sight(ours, W2, asks["W2"]),
        await _first_sight(ours, W8, asks["W8"]),
    ]


async def _levels(ours: Contestant, asks: Sequence[Ask]) -> Aside:
    """W3 under unions of every level."""
    by_depth: dict[int, list[Ask]] = defaultdict(list)
    for ask in asks:
        by_depth[ask.depth].append(ask)
    taken = {depth: await _p50(ours, W3, some) for depth, some in sorted(by_depth.items())}
    how = "p50 ms by depth: " + ", ".join(f"{depth} {took:.1f}" for depth, took in taken.items())
    return Aside("W3, slowest level ÷ fastest", max(taken.values()) / min(taken.values()), 2, how)


async def _top(ours: Contestant, connection: Connection, token: str) -> Aside:
    """Statistics over everything, which have to be equal to a count of everything."""
    top = await connection.fetchval("select id from trade_union where parent_id is null order by id limit 1")
    ask = Ask(token, {"id": int(top)})
    took = await _p50(ours, W4, [ask])
    count = statistics.median([await _statement(connection, _LIVE_COUNT) for _ in range(3)])
    answers: list[bytes] = []
    await play(ours.server.port, [once([ours.request(W4, ask)], answers)])
    told = orjson.loads(answers[0])["data"]["union"]["statistics"]
    counted = dict(await connection.fetchrow(_LIVE_COUNT) or {})
    if {name: told[name] for name in counted} != counted:
        raise DifferenceError(f"W4 at the top: told {told}, counted {counted}")
    return Aside("W4 at the top ÷ a live count", took / count, 1 / 300, f"{took:.1f} ms, {count:.1f} ms")


async def _search(ours: Contestant, connection: Connection, asks: Sequence[Ask]) -> Aside:
    await connection.execute(_TRIGRAMS)
    took = await _p50(ours, W6, asks)
    words = [ask.keys["search"] for ask in asks[:_TIMES]]
    top = statistics.median([await _statement(connection, _BY_TRIGRAMS, word) for word in words])
    return Aside("W6 in a city ÷ pg_trgm at the top", took / top, 1 / 10, f"{took:.1f} ms, {top:.1f} ms")


async def _first_sight(ours: Contestant, workload: Workload, asks: Sequence[Ask]) -> Aside:
    """The same question in documents that differ by the name of their operation."""
    cached = await _p50(ours, workload, asks)
    head = workload.document.split("(", 1)[0]
    mark = time.time_ns()
    requests = [
        request_of(
            ours.path(workload),
            ask.token,
            {"query": workload.document.replace(head, f"{head}_{mark + number}"), "variables": ask.variables},
        )
        for number, ask in enumerate((list(asks) * _TIMES)[:_TIMES])
    ]
    first = await _timed(ours, requests)
    return Aside(f"{workload.name}, first sight ÷ cached", first / cached, 5, f"{first:.1f} ms, {cached:.1f} ms")


async def _p50(ours: Contestant, workload: Workload, asks: Sequence[Ask]) -> float:
    return await _timed(ours, [ours.request(workload, ask) for ask in (list(asks) * _TIMES)[:_TIMES]], warm=5)


async def _timed(ours: Contestant, requests: Sequence[bytes], *, warm: int = 0) -> float:
    """Milliseconds of the middle answer to one client."""
    latencies: list[float] = []

    def one_by_one() -> Script:
        for request in [*requests[:warm], *requests]:
            sent = time.perf_counter()
            yield request
            latencies.append(time.perf_counter() - sent)

    await play(ours.server.port, [one_by_one()])
    return statistics.median(latencies[warm:]) * 1000


async def _statement(connection: Connection, statement: str, *arguments: object) -> float:
    """Milliseconds that a statement takes."""
    started = time.perf_counter()
    await connection.fetch(statement, *arguments)
    return (time.perf_counter() - started) * 1000
