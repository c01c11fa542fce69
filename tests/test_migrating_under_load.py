"""Migrations run while the old server answers: whoever reads or writes meanwhile notices nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.cluster import SERVER, Cluster
from storage.database import Database
from storage.deadlines import Deadlines
from storage.migrations import migrate
from storage.verification import differences

# The last version of which it is not said that its migration stops the server.
OLD = "0003"
PLANTED = """
    insert into account (phone, real_name) values ('+8613800138000', '陈伟');
    insert into trade_union (parent_id, path, kind, status, name, name_key, former_names, region_code) values
        (null, '1', 'HIGHER_LEVEL', 'ACTIVE', '省', '省', '{}', '440000'),
        (1, '1.2', 'HIGHER_LEVEL', 'ACTIVE', '市', '市', '{}', '440300');
    insert into event (action, union_id, details) select 'union.founded', 2, '{}' from generate_series(1, 2000);
"""
# What a server of that version does, with its own timeouts.
SETTINGS = {"statement_timeout": "5000", "lock_timeout": "2500"}
REGISTER = """
    insert into registration (parent_id, parent_path, applicant_id, kind, status, round)
    values (2, '1.2', 1, 'GRASSROOTS', 'PENDING', 1)
"""
TELL = """
    insert into event (action, actor_id, union_id, path, registration_id, details)
    select 'registration.submitted', 1, 2, '1.2', max(id), '{"name": "厂"}' from registration
"""
WITHDRAW = "update registration set status = 'WITHDRAWN' where id = (select max(id) from registration)"
READ = """
    select (select count(*) from event where union_id = 2), (select sum(pending) from tally),
           (select count(*) from registration where ancestors[2] = 2 and status = 'PENDING')
"""


@pytest.fixture
async def older(cluster: Cluster, worker_id: str, database_url: str) -> AsyncIterator[str]:
    del database_url  # regions are loaded from there
    name = f"under_load_{worker_id}"
    url = cluster.create_database(name)
    await migrate(url, to=OLD)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "insert into region (code, name, full_name, retired) values"
            " ('440000', '广东省', '广东省', false), ('440300', '深圳市', '广东省深圳市', false)"
        )
        for statement in filter(str.strip, PLANTED.split(";")):
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    yield url
    cluster.drop_database(name)


class Load:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.ended = asyncio.Event()
        self.written = 0
        self.read = 0

    async def write(self) -> None:
        while not self.ended.is_set():
            async with self.engine.begin() as connection:
                await connection.exec_driver_sql(REGISTER)
                await connection.exec_driver_sql(TELL)
                await connection.exec_driver_sql(WITHDRAW)
            self.written += 1

    async def ask(self) -> None:
        while not self.ended.is_set():
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql(READ)
            self.read += 1


async def test_nobody_is_turned_away_while_a_database_is_brought_up_to_date(older: str) -> None:
    engine = create_async_engine(older, pool_size=6, connect_args={"server_settings": SETTINGS})
    load = Load(engine)
    async with asyncio.TaskGroup() as tasks:  # which any of them that fails ends
        for _ in range(3):
            tasks.create_task(load.write())
            tasks.create_task(load.ask())
        before = await _more_than(load, 0)
        await migrate(older, server=SERVER)
        after = await _more_than(load, load.written)
        load.ended.set()
    await engine.dispose()
    assert after > before > 0 and load.read > 0

    db = Database(older, pool_size=1, deadlines=Deadlines())
    async with db.standing_still() as session:
        assert await session.scalar(text("select count(*) from event")) == 2000 + load.written
        assert [one async for one in differences(session)] == []
        unnoted = "select count(*) from event where id not in (select event_id from event_waiting)"
        assert await session.scalar(text(unnoted)) == 0
    await db.close()


async def _more_than(load: Load, number: int) -> int:
    async with asyncio.timeout(30):
        while load.written <= number:  # noqa: ASYNC110 - what other tasks do
            await asyncio.sleep(0.01)
    return load.written


async def test_a_migration_that_gets_no_lock_gives_way_and_tries_again(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads events for longer than it waits; those who come after the migration need not wait for them."""
    engine = create_async_engine(older)
    pauses = count(1)
    reader = await engine.connect()
    await reader.exec_driver_sql("lock table event in share mode")

    async def pause(_seconds: float) -> None:
        async with engine.connect() as connection:  # between two attempts nobody is kept waiting
            await connection.exec_driver_sql("select count(*) from event")
        if next(pauses) == 1:
            await reader.rollback()

    monkeypatch.setattr("storage.migrations.asyncio.sleep", pause)
    assert await migrate(older, server=SERVER) > OLD
    assert next(pauses) > 1
    await reader.close()
    await engine.dispose()
