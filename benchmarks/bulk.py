"""Loading tables whole: indexes and foreign keys are taken off, and made again over the finished rows.

What they are is read from PostgreSQL's catalogue, so that a later migration's are among them. An index
made over sorted rows, and a foreign key checked by one join, take a small part of the time that both take
row by row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from benchmarks.database import Connection
from benchmarks.stated import Row

_MEMORY: Final = "set local maintenance_work_mem = '512MB'; set local synchronous_commit = off"
_FOREIGN_KEYS: Final = """
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as off,
       format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as on
  from pg_constraint
 where contype = 'f' and (conrelid = any($1::regclass[]) or confrelid = any($1::regclass[])) order by conname
"""
# A unique constraint's index goes and comes as the constraint. Primary keys stay: rows come in their order.
_INDEXES: Final = """
select case when c.conname is null then format('drop index %s', i.indexrelid::regclass)
            else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end as off,
       case when c.conname is null then pg_get_indexdef(i.indexrelid)
            else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname,
                        pg_get_constraintdef(c.oid)) end as on
  from pg_index i
  left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('u', 'x')
 where i.indrelid = any($1::regclass[]) and not i.indisprimary
 order by i.indexrelid
"""
_SEQUENCES: Final = """
select format('select setval(%L, (select max(%I) from %s))', pg_get_serial_sequence(attrelid::regclass::text, attname),
              attname, attrelid::regclass)
  from pg_attribute where attidentity <> '' and not attisdropped and attrelid = any($1::regclass[])
"""
_OURS: Final = "where schemaname in ('public', 'benchmark')"


@asynccontextmanager
async def bare(connection: Connection, tables: Sequence[str]) -> AsyncIterator[None]:
    """A transaction in which the tables have neither indexes nor foreign keys; they have them again at its end."""
    async with connection.transaction():
        await connection.execute(_MEMORY)
        keys = await connection.fetch(_FOREIGN_KEYS, tables)
        indexes = await connection.fetch(_INDEXES, tables)
        for one in [*keys, *indexes]:
            await connection.execute(one["off"])
        yield
        for one in [*indexes, *keys]:
            await connection.execute(one["on"])
        for (statement,) in await connection.fetch(_SEQUENCES, tables):
            await connection.execute(statement)


async def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Many rows, in their order. `table` may name its schema."""
    schema, _, name = table.rpartition(".")
    await connection.copy_records_to_table(name, schema_name=schema or None, columns=columns, records=rows)


async def settle(connection: Connection) -> None:
    """What autovacuum would come to in its own time: statistics, and pages known to be visible to all."""
    for (table,) in await connection.fetch("select format('%I.%I', schemaname, tablename) from pg_tables " + _OURS):
        await connection.execute(f"vacuum (analyze) {table}")
