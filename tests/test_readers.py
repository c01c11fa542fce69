"""Connections that only read: kept, lost, and never left busy."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from models.errors import Lack, Unavailable
from storage.deadlines import operation
from tests.world import World


async def test_a_connection_that_was_lost_meanwhile_is_replaced(world: World) -> None:
    """A restarted PostgreSQL has closed them all: whoever asks next does not notice."""
    readers = world.resources.db.readers
    assert await readers.ask("select 1", []) == [(1,)]
    async with world.resources.db.reading() as session:  # a role ends connections of its own alone
        await session.execute(text("select pg_terminate_backend(pid) from pg_stat_activity where query = 'select 1'"))
    assert await readers.ask("select 2", []) == [(2,)]


async def test_a_statement_that_fails_costs_no_connection(world: World) -> None:
    readers = world.resources.db.readers
    [before] = await readers.ask("select pg_backend_pid()", [])
    with pytest.raises(asyncpg.DivisionByZeroError):
        await readers.ask("select 1 / 0", [])
    assert await readers.ask("select pg_backend_pid()", []) == [before]


async def test_one_that_is_given_up_does_not_answer_the_next(world: World) -> None:
    readers = world.resources.db.readers
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await readers.ask("select pg_sleep(5), 'late'", [])
    assert await readers.ask("select 'now'", []) == [("now",)]


async def test_nothing_is_written_there(world: World) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await world.resources.db.readers.ask("delete from account", [])


async def test_more_at_once_than_there_are_connections_wait_for_one(world: World) -> None:
    size = world.resources.settings.pool_size
    answers = await asyncio.gather(
        *(world.resources.db.readers.ask("select $1::int", [number]) for number in range(3 * size))
    )
    assert [row[0] for [row] in answers] == list(range(3 * size))


async def test_time_is_up_though_the_database_does_not_let_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was switched off answers nothing, not even a request to stop."""

    async def stuck(connection: Any, **_: float) -> None:
        connection.terminate()  # as asyncpg does when it gives up
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "close", stuck)
        with pytest.raises(Unavailable) as told, operation(0.1):
            await world.resources.db.readers.ask("select pg_sleep(1)", [])
    assert told.value.lack is Lack.OPERATION
    assert await world.resources.db.readers.ask("select 'now'", []) == [("now",)]
