"""The database that migrations make: the whole of it, what the models say, and divisions with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy_utils import LtreeType

from models.tables import metadata
from storage.cluster import Cluster
from storage.migrations import migrate
from storage.regions import load_regions

# What a parent's path is follows from its id, so an index on the id alone finds its children.
NARROWER = {name: ["parent_id"] for name in ("fk_trade_union_parent", "fk_registration_parent")}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection whose work is rolled back."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def rows(connection: AsyncConnection, statement: str) -> list[Any]:
    return list((await connection.execute(text(statement))).all())


# ── up and down ──────────────────────────────────────────────────────────────────────────────

OBJECTS = """
    select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
    union all select proname from pg_proc where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
    order by 1
"""


async def test_up_from_nothing_down_to_nothing_and_up_again(cluster: Cluster, worker_id: str) -> None:
    url = cluster.create_database(f"updown_{worker_id}")
    try:
        up = await migrate(url)
        async with connected(url) as connection:
            made = await rows(connection, OBJECTS)

        down = await migrate(url, to="base")
        async with connected(url) as connection:
            left = await rows(connection, OBJECTS)

        assert await migrate(url) == up
        async with connected(url) as connection:
            again = await rows(connection, OBJECTS)
    finally:
        cluster.drop_database(f"updown_{worker_id}")

    assert down == "base"
    assert [name for (name,) in left] == ["alembic_version"]
    assert len(made) > 20
    assert again == made


async def test_a_second_run_changes_nothing(database_url: str) -> None:
    async with connected(database_url) as connection:
        before = await rows(connection, "select max(xmin::text::bigint), count(*) from region")
    revision = await migrate(database_url)
    async with connected(database_url) as connection:
        assert await rows(connection, "select version_num from alembic_version") == [(revision,)]
        assert await rows(connection, "select max(xmin::text::bigint), count(*) from region") == before


REGISTERED_BEFORE = """
    insert into account (phone, real_name) values ('+8613800138000', '陈伟');
    insert into trade_union (parent_id, path, kind, status, name, name_key, former_names, region_code) values
        (null, '1', 'HIGHER_LEVEL', 'ACTIVE', '省', '省', '{}', '440000'),
        (1, '1.2', 'HIGHER_LEVEL', 'ACTIVE', '市', '市', '{}', '440300');
    insert into registration (parent_id, applicant_id, kind, status, round) values (2, 1, 'GRASSROOTS', 'PENDING', 1);
"""
ANCESTORS = "select ancestors from registration union all select ancestors from trade_union where id = 2"


async def test_what_was_registered_before_gets_its_place(cluster: Cluster, worker_id: str) -> None:
    url = cluster.create_database(f"older_{worker_id}")
    try:
        await migrate(url, to="0001")
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await load_regions(connection)
            for statement in REGISTERED_BEFORE.split(";")[:-1]:
                await connection.execute(text(statement))
        await engine.dispose()
        await migrate(url)
        async with connected(url) as connection:
            assert await rows(connection, ANCESTORS) == [([1, 2],), ([1, 2],)]
    finally:
        cluster.drop_database(f"older_{worker_id}")


# ── migrations and models ────────────────────────────────────────────────────────────────────


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_autogenerate_finds_nothing_to_do(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ischema_names, "ltree", LtreeType)
    async with connected(database_url) as connection:
        assert await connection.run_sync(differences) == []


DEFINITIONS = """
    select 'column', table_name || '.' || column_name,
           concat_ws(' ', data_type, udt_name, character_maximum_length, is_nullable, column_default,
                     is_identity, generation_expression)
      from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'
    union all
    select 'index', indexname, indexdef from pg_indexes
     where schemaname = 'public' and tablename <> 'alembic_version'
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) from pg_constraint
     where connamespace = 'public'::regnamespace and conrelid <> 'alembic_version'::regclass and contype <> 't'
    order by 1, 2
"""


async def test_the_models_would_make_the_same_tables(cluster: Cluster, database_url: str, worker_id: str) -> None:
    """What autogenerate overlooks: an index's method, its included columns and its predicate, checks, defaults."""
    url = cluster.create_database(f"models_{worker_id}")
    try:
        await migrate(url)
        async with connected(url) as connection:
            await connection.run_sync(metadata.drop_all)
            await connection.run_sync(metadata.create_all)
            by_models = await rows(connection, DEFINITIONS)
    finally:
        cluster.drop_database(f"models_{worker_id}")
    async with connected(database_url) as connection:
        by_migrations = await rows(connection, DEFINITIONS)

    assert sorted(set(by_models) ^ set(by_migrations)) == []


FOREIGN_KEYS = """
    select c.conname, array_agg(a.attname::text order by k.place)
      from pg_constraint c
      cross join unnest(c.conkey) with ordinality k (number, place)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
     where c.contype = 'f'
     group by c.oid, c.conname
"""
INDEXES = """
    select c.conname, i.indexrelid, array_agg(a.attname::text order by k.place)
      from pg_constraint c
      join pg_index i on i.indrelid = c.conrelid and i.indpred is null
      cross join unnest(i.indkey) with ordinality k (number, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
     where c.contype = 'f' and k.place <= i.indnkeyatts
     group by c.oid, c.conname, i.indexrelid
"""


async def test_every_foreign_key_has_its_index(database_url: str) -> None:
    """Without one, deleting a row reads the whole table that refers to it."""
    async with connected(database_url) as connection:
        keys = {name: NARROWER.get(name, columns) for name, columns in await rows(connection, FOREIGN_KEYS)}
        leading = [(name, columns) for name, _, columns in await rows(connection, INDEXES)]
    assert len(keys) > 20
    indexed = {name for name, columns in leading if set(columns[: len(keys[name])]) == set(keys[name])}
    assert sorted(set(keys) - indexed) == []


# ── divisions ────────────────────────────────────────────────────────────────────────────────


async def test_divisions_are_there(database_url: str) -> None:
    async with connected(database_url) as connection:
        [(current,)] = await rows(connection, "select count(*) from region where not retired")
        cities = await rows(connection, "select code from region where parent_code = '440000' order by code")
        known = dict(
            await rows(
                connection,
                "select code, full_name from region where code in ('440000', '440305', '441900', '442000', '710000')",
            )
        )
        provinces = await rows(connection, "select code from region where parent_code is null")
    assert current > 3000
    assert len(cities) == 21
    assert ("441900",) in cities and ("442000",) in cities
    assert known == {
        "440000": "广东省",
        "440305": "广东省深圳市南山区",
        "441900": "广东省东莞市",
        "442000": "广东省中山市",
        "710000": "台湾省",
    }
    assert len(provinces) == 34


async def test_a_code_that_vanished_is_retired_and_one_that_changed_is_renamed(database_url: str) -> None:
    async with connected(database_url) as connection:
        await connection.execute(
            text(
                "insert into region (code, name, full_name, parent_code, retired)"
                " values ('449900', '旧市', '广东省旧市', '440000', false)"
            )
        )
        await connection.execute(text("update region set name = '旧名', retired = true where code = '440300'"))
        await load_regions(connection)
        found = await rows(connection, "select code, name, retired from region where code in ('449900', '440300')")
    assert sorted(found) == [("440300", "深圳市", False), ("449900", "旧市", True)]
