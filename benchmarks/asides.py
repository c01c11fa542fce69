"""What a ratio of rates does not show: levels, the first sight of a document, and what a live count would cost.

One client, so that nothing waits. A statement is compared with a statement; what HTTP adds stands beside it.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import orjson

from benchmarks import servers
from benchmarks.client import Script, play, request_of
from benchmarks.database import Connection, connected
from benchmarks.load import Contestant, once
from benchmarks.report import Aside
from benchmarks.workloads import READS, W3, W4, W6, Ask, Workload

Asks = Mapping[str, Sequence[Ask]]
Item = TypeVar("Item")

_TIMES: Final = 40
_WARM: Final = 12
"""Requests before those that count: a prepared statement has its plan after five on each of few connections."""
_LONGEST: Final = 10
"""Seconds after which a figure is made of what has been answered."""

# Names beside the tables, so that a trigram index costs no write of theirs anything.
_TRIGRAMS: Final = """
create extension if not exists pg_trgm;
drop table if exists benchmark.name;
create table benchmark.name as select id, name_key from trade_union;
create index name_trigrams on benchmark.name using gin (name_key gin_trgm_ops);
analyze benchmark.name
"""
_BY_TRIGRAMS: Final = (
    "select id, name_key from benchmark.name where name_key like '%' || $1 || '%' order by id limit 21"
)
# There is one root.
_LIVE_COUNT: Final = """
select unions, grassroots, unions - grassroots as "higherLevel", pending, approved, rejected,
       to_json(oldest) #>> '{}' as "oldestPendingAt"
  from (select count(*) as unions, count(*) filter (where kind = 'GRASSROOTS') as grassroots
          from trade_union where status = 'ACTIVE') u,
       (select count(*) filter (where status = 'PENDING') as pending,
               count(*) filter (where status = 'APPROVED') as approved,
               count(*) filter (where status = 'REJECTED') as rejected,
               min(submitted_at) filter (where status = 'PENDING') as oldest
          from registration) r
"""


@dataclass(frozen=True)
class Told:
    """This server, which tells what its statements take, in `told`."""

    server: servers.Server
    told: Path

    async def p50(self, requests: Sequence[bytes]) -> float:
        """Milliseconds of the middle one of the costliest statements of each request."""
        counted = len(await _timed(self.server.port, requests))
        return statistics.median(map(float, self.told.read_text().splitlines()[-counted:]))


@asynccontextmanager
async def _telling(url: str, plans: str) -> AsyncIterator[Told]:
    with TemporaryDirectory() as folder, servers.running(*servers.told(url, Path(folder), plans)) as server:
        yield Told(server, Path(folder) / "told")


async def asides(ours: Contestant, url: str, asks: Asks) -> AsyncIterator[Aside]:
    """Once nobody writes any more: what they wrote has to be counted."""
    async with _telling(url, "force_generic_plan") as told:
        yield await _levels(ours, told, asks["W3"])
    async with connected(url) as connection, _telling(url, "auto") as told:
        for aside in await _top(ours, told, connection, asks["W4"][0].token):
            yield aside
        yield await _search(ours, told, connection, asks["W6"])
    yield await _first_sight(ours, asks)


async def _levels(ours: Contestant, told: Told, asks: Sequence[Ask]) -> Aside:
    """W3 under unions of every level, by plans that fit any of them."""
    by_depth: dict[int, list[bytes]] = defaultdict(list)
    for ask in asks:
        by_depth[ask.depth].append(ours.request(W3, ask))
    taken = {depth: await told.p50(_repeated(some)) for depth, some in sorted(by_depth.items())}
    how = "statement, p50 ms by depth: " + ", ".join(f"{depth} {took:.2f}" for depth, took in taken.items())
    return Aside("W3, slowest level ÷ fastest", max(taken.values()) / min(taken.values()), 2, how)


async def _top(ours: Contestant, told: Told, connection: Connection, token: str) -> list[Aside]:
    """Statistics over everything, which have to be equal to a count of everything."""
    top = await connection.fetchval("select id from trade_union where parent_id is null order by id limit 1")
    request = ours.request(W4, Ask(token, {"id": int(top)}))
    took, over_http = await told.p50([request] * _TIMES), await _p50(ours.server.port, [request] * _TIMES)
    count = statistics.median([await _statement(connection, _LIVE_COUNT) for _ in range(5)])
    answers: list[bytes] = []
    await play(ours.server.port, [once([request], answers)])
    shown = orjson.loads(answers[0])["data"]["union"]["statistics"]
    counted = dict(await connection.fetchrow(_LIVE_COUNT) or {})
    wrong = [f"{name} {shown[name]}, counted {counted[name]}" for name in counted if shown[name] != counted[name]]
    return [
        Aside("W4 at the top ÷ a live count", took / count, 1 / 300, _both(took, over_http, f"{count:.1f} ms")),
        Aside("W4 at the top, figures unequal to the count", len(wrong), 0, "; ".join(wrong) or "after all writing"),
    ]


async def _search(ours: Contestant, told: Told, connection: Connection, asks: Sequence[Ask]) -> Aside:
    await connection.execute(_TRIGRAMS)
    requests = _repeated([ours.request(W6, ask) for ask in asks])
    took, over_http = await told.p50(requests), await _p50(ours.server.port, requests)
    words = [ask.keys["search"] for ask in asks[:_TIMES]]
    top = statistics.median([await _statement(connection, _BY_TRIGRAMS, word) for word in words])
    return Aside("W6 in a city ÷ pg_trgm at the top", took / top, 1 / 10, _both(took, over_http, f"{top:.1f} ms"))


def _both(statement: float, over_http: float, other: str) -> str:
    return f"statement {statement:.2f} ms (over HTTP {over_http:.1f} ms), {other}"


async def _first_sight(ours: Contestant, asks: Asks) -> Aside:
    """The same questions in documents that have never been seen: the name of the operation is another one each time."""
    mark, ratios, told = time.time_ns(), list[float](), []
    for workload in READS:
        head = workload.document.split("(", 1)[0]

        def fresh(number: int, ask: Ask, workload: Workload = workload, head: str = head) -> bytes:
            document = workload.document.replace(head, f"{head}_{mark + number}")
            return request_of(ours.path(workload), ask.token, {"query": document, "variables": ask.variables})

        repeated = _repeated(asks[workload.name])
        cached = await _p50(ours.server.port, [ours.request(workload, ask) for ask in repeated])
        first = await _p50(ours.server.port, [fresh(number, ask) for number, ask in enumerate(repeated)], warm=0)
        ratios.append(first / cached)
        told.append(f"{workload.name} {ratios[-1]:.2f} ({first:.1f} ÷ {cached:.1f} ms)")
    return Aside("first sight of a document ÷ cached, the worst", max(ratios), 5, ", ".join(told))


def _repeated(some: Sequence[Item]) -> list[Item]:
    return list(islice(cycle(some), _TIMES))


async def _p50(port: int, requests: Sequence[bytes], *, warm: int = _WARM) -> float:
    """Milliseconds of the middle answer to one client."""
    return statistics.median(await _timed(port, requests, warm)) * 1000


async def _timed(port: int, requests: Sequence[bytes], warm: int = _WARM) -> list[float]:
    """Seconds of each answer after the first `warm`; of fewer where they take long."""
    latencies: list[float] = []
    deadline = time.perf_counter() + _LONGEST

    def one_by_one() -> Script:
        for request in [*requests[:warm], *requests]:
            sent = time.perf_counter()
            if sent > deadline and len(latencies) > warm:
                return
            yield request
            latencies.append(time.perf_counter() - sent)

    await play(port, [one_by_one()], patience=20 * _LONGEST)
    return latencies[warm:]


async def _statement(connection: Connection, statement: str, *arguments: object) -> float:
    """Milliseconds that a statement takes."""
    started = time.perf_counter()
    await connection.fetch(statement, *arguments)
    return (time.perf_counter() - started) * 1000
