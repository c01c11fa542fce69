"""Connections that only read: a statement goes from its text to the driver with nothing between.

SQLAlchemy costs half a millisecond for each statement that it executes, which is more than most of these take; and
asyncpg's own pool resets a connection after each use, and hands the next one on in a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg

from models.errors import Lack, Unavailable
from storage.deadlines import Within
from storage.outages import ASKED, LOST, connecting, is_lost, tell

# A connection that is given up gets this long to tell PostgreSQL to stop.
GIVING_UP: Final = 1.0


def _none_free() -> Unavailable:
    return Unavailable(Lack.CONNECTION)


class Readers:
    """As many connections as are asked at once, up to a number; the one used last is used next.

    Apart from those that write, so that writers who wait for one another keep nobody from reading.
    """

    def __init__(self, to: Mapping[str, Any], size: int, patience: float, *, read_only: bool = True) -> None:
        """`patience` is how long to wait for one of them, in seconds."""
        # Statements are made to be planned once, for whatever is bound (tests/test_plans.py). By itself PostgreSQL
        # plans each of them five times anew on every connection, and large ones take it longer than they run.
        own = {
            "plan_cache_mode": "force_generic_plan",
            "default_transaction_read_only": "on" if read_only else "off",
        }
        settings = {**to["server_settings"], **own}
        self._to = {**to, "server_settings": settings}
        self._patience = patience
        self._room = asyncio.Semaphore(size)
        self._free: list[Any] = []

    async def ask(self, text: str, arguments: Sequence[Any]) -> list[Sequence[Any]]:
        """The statement's rows. Asked again on a new connection, if the one at hand was lost since its last use.

        Raises:
            Unavailable: a deadline has passed, or the database is away.
        """
        if self._room.locked():
            await self._wait()
        else:
            await self._room.acquire()
        try:
            while self._free:
                connection = self._free.pop()
                try:
                    return await self._fetch(connection, text, arguments)
                except LOST as error:
                    if not is_lost(error):
                        raise
            with connecting():
                connection = await self._connect()
            return await self._fetch(connection, text, arguments)
        except ASKED as error:
            tell(error)
        finally:
            self._room.release()

    async def _wait(self) -> None:
        """Raises: Unavailable, none has become free in time."""
        with Within(self._patience, _none_free):
            await self._room.acquire()

    async def _fetch(self, connection: Any, text: str, arguments: Sequence[Any]) -> list[Sequence[Any]]:
        try:
            rows: list[Sequence[Any]] = await connection.fetch(text, *arguments)
        except (asyncpg.PostgresError, asyncpg.DataError):
            self._keep(connection)
            raise
        except BaseException:  # cancelled, or broken off: what it is still busy with is stopped
            with suppress(Exception):  # what has happened matters, not how the parting went
                await connection.close(timeout=GIVING_UP)
            raise
        self._keep(connection)
        return rows

    def _keep(self, connection: Any) -> None:
        if not connection.is_closed():
            self._free.append(connection)

    async def _connect(self) -> Any:
        # A statement of any length stays prepared: a nested one is longer than asyncpg takes unasked.
        connection = await asyncpg.connect(**self._to, max_cacheable_statement_size=0)
        # The bytes of JSON as they are, and no object of it.
        await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
        return connection

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()
