"""The limit: an ASGI application that sends the JSON that PostgreSQL built, behind the same token check.

Nothing between a request and its statement that does not have to be there: no framework, no GraphQL, one
connection for both statements. The statements are what someone would write who knows the tables of today:
whoever changes the tables so that better ones are possible writes them. /W2 is W2.sql beside this file.

`python -m uvicorn benchmarks.limit.app:app`, with DATABASE_URL set.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import orjson
from starlette.types import Receive, Scope, Send

from benchmarks.database import Connection, connect

_HERE: Final = Path(__file__).parent
FUNCTIONS: Final = (_HERE / "functions.sql").read_text()
STATEMENTS: Final = {file.stem: file.read_text() for file in _HERE.glob("W*.sql")}

# As many as the server's own pool has.
CONNECTIONS: Final = 10

# Whose the token is and what they may read below, as storage/accounts.py asks it: every role may read. And how
# deep the union lies that is asked about, for the statements that have a text for each depth.
_SIGNED_IN: Final = """
select s.account_id, array_agg(u.path::text) filter (where u.path is not null) as tops,
       (select nlevel(path) from trade_union where id = $2) as level
  from session s join account a on a.id = s.account_id
  left join appointment p on p.account_id = s.account_id and p.ended_at is null
  left join trade_union u on u.id = p.union_id
 where s.token_hash = $1 and s.ended_at is null and s.expires_at > now()
 group by s.account_id
"""
_HEADERS: Final = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]


class Pool:
    """Connections to be borrowed, the latest used first. asyncpg's own pool resets one after each use."""

    def __init__(self) -> None:
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._asked: asyncio.Task[None] | None = None

    async def open(self) -> None:
        for _ in range(CONNECTIONS):
            connection = await connect(os.environ["DATABASE_URL"])
            # JSON as the bytes that it comes in.
            await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
            self._free.put_nowait(connection)

    async def close(self) -> None:
        while not self._free.empty():
            await self._free.get_nowait().close()

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[Connection]:
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)


_pool = Pool()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    variables = orjson.loads(await _body(receive))["variables"]
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    digest = hashlib.sha256(authorization.removeprefix(b"Bearer ")).digest()
    key = _key(variables["id"]) if "id" in variables else None
    async with _pool.borrowed() as connection:
        signed_in = await connection.fetchrow(_SIGNED_IN, digest, key)
        tops, level = (signed_in["tops"] or [], signed_in["level"]) if signed_in else ([], None)
        # W1 is for everybody, and W6 has words as well.
        given = [key, tops, *([variables["search"]] if "search" in variables else [])] if key else [variables["code"]]
        answer: bytes = await connection.fetchval(statement(scope["path"].removeprefix("/"), level), *given)
    await send({"type": "http.response.start", "status": 200, "headers": _with_length(len(answer) + 9)})
    await send({"type": "http.response.body", "body": b'{"data":' + answer + b"}"})


def _key(global_id: str) -> int:
    return int(base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4))[len("Union:") :])


@cache
def statement(name: str, level: int | None) -> str:
    """A workload's statement, for a union with so many unions down to it, itself included."""
    return STATEMENTS[name].replace("%level%", str(level or 1))


def _with_length(length: int) -> list[tuple[bytes, bytes]]:
    return [*_HEADERS, (b"content-length", str(length).encode())]


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await _pool.open()
    async with _pool.borrowed() as connection:
        await connection.execute(FUNCTIONS)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _pool.close()
    await send({"type": "lifespan.shutdown.complete"})
