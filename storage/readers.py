"""Connections that only read: a statement goes from its text to the driver with nothing between.

SQLAlchemy costs half a millisecond for each statement that it executes, which is more than most of these take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg


class Readers:
    """A pool of its own, so that writers that wait for one another keep nobody from reading.

    Connections are opened when they are first needed.
    """

    def __init__(self, to: Mapping[str, Any], size: int) -> None:
        settings = {**to["server_settings"], "default_transaction_read_only": "on"}
        self._pool = asyncpg.create_pool(
            **{**to, "server_settings": settings}, min_size=0, max_size=size, init=_prepare, reset=_leave
        )
        self._opening = asyncio.Lock()
        self._open = False

    async def ask(self, text: str, arguments: Sequence[Any]) -> list[Sequence[Any]]:
        """The statement's rows."""
        if not self._open:
            async with self._opening:
                await self._pool  # does nothing the second time
                self._open = True
        async with self._pool.acquire() as connection:
            rows: list[Sequence[Any]] = await connection.fetch(text, *arguments)
            return rows

    async def close(self) -> None:
        if self._open:
            await self._pool.close()


async def _prepare(connection: Any) -> None:
    # The bytes of JSON as they are, and no object of it.
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")


async def _leave(_connection: Any) -> None:
    """Nothing: a connection that only ever runs single statements has no state to be reset."""
