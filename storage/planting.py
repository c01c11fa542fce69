"""Planting many unions at once: rows are copied beside the tree, placed in it level by level, and inserted.

Each step is a table of the transaction's own: `incoming` has the rows, `linked` what they say about their
parents, `placed` where they go, `planted` what they become. storage/planting_checks.py asks them what is wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from models.roll import Entry
from models.union import TradeUnion

# How many unions one statement inserts: enough to be fast, few enough to show that it moves.
_AT_ONCE: Final = 20_000

# The rows as they were read, in the order of Entry's fields.
_INCOMING: Final = """
    create temporary table incoming (
        line integer not null, ref text, parent_ref text, parent_path text, name text, name_key text, kind text,
        region_code text, uscc text, contact_phone text, employer_name text, employer_uscc text,
        employer_address text, employer_contact_name text, employer_contact_phone text, employer_staff_count integer
    ) on commit drop
"""

_PLACE: Final = (
    "create unique index on incoming (line)",
    "analyze incoming",
    # Where each row says that it goes: parent_line is the row of its parent, if that is in the file; parent_id
    # the union above it, if that is in the tree. lost: neither can be said, for a parent is missing.
    # coded_id is the union that has the row's credit code, and coded_under the one above that.
    """
    create temporary table linked on commit drop as
    select row.line, row.name_key, row.uscc, above.line as parent_line,
           case when row.parent_ref is null then coalesce(place.id, cast(:under as bigint)) end as parent_id,
           (row.parent_ref is not null and above.line is null)
               or (row.parent_path is not null and place.id is null) as lost,
           coded.id as coded_id, coded.parent_id as coded_under
      from incoming row
      left join (select ref, min(line) as line from incoming where ref is not null group by ref) above
        on above.ref = row.parent_ref
      left join trade_union place on place.path = row.parent_path::ltree
      left join trade_union coded on coded.uscc = row.uscc and coded.status = 'ACTIVE'
    """,
    "create index on linked (parent_line)",
    "analyze linked",
    # From the tops down, for as long as there are rows below; a row that this does not reach hangs in a circle.
    # depth: how many unions will lie above. named_id is the union that has the row's name below the same parent,
    # known_id the one that the row describes: by its credit code, if that lies below the same parent, or, without
    # a code, by its name. A row that clashes with another union is lost, and with it what hangs below, so that one
    # fault is told once; below a row that is new nothing can be known.
    """
    create temporary table placed on commit drop as
    with recursive tree as (
        select top.line, top.parent_line, top.parent_id, top.coded_id, named.id as named_id, known.id as known_id,
               top.lost or (known.id is null and coalesce(top.coded_id, named.id) is not null) as lost,
               coalesce(nlevel(above.path), 0) as depth
          from linked top
          left join trade_union above on above.id = top.parent_id
          left join trade_union named on named.name_key = top.name_key and named.status = 'ACTIVE' and not top.lost
                and (named.parent_id = top.parent_id or (named.parent_id is null and top.parent_id is null))
         cross join lateral (
               select case when top.lost then null when top.uscc is null then named.id
                           when top.coded_under is not distinct from top.parent_id then top.coded_id end as id) known
         where top.parent_line is null
        union all
        select here.line, here.parent_line, tree.known_id, here.coded_id, named.id, known.id,
               tree.lost or (known.id is null and coalesce(here.coded_id, named.id) is not null), tree.depth + 1
          from tree
          join linked here on here.parent_line = tree.line
          left join trade_union named on named.name_key = here.name_key and named.status = 'ACTIVE'
                and named.parent_id = tree.known_id
         cross join lateral (
               select case when here.uscc is null then named.id
                           when here.coded_under = tree.known_id then here.coded_id end as id) known
    )
    select * from tree
    """,
    "create unique index on placed (line)",
    "analyze placed",
)

# Siblings are listed by id: the order of the file.
_NUMBER: Final = """
    create temporary table planted on commit drop as
    with recursive numbered as materialized (
        select line, parent_line, parent_id, row_number() over () as number,
               nextval(pg_get_serial_sequence('trade_union', 'id')) as id
          from (select * from placed where known_id is null order by depth, line) unknown
    ), tree as (
        select top.line, top.number, top.id, top.parent_id, coalesce(above.path, '') || tree_label(top.id) as path
          from numbered top left join trade_union above on above.id = top.parent_id
         where top.parent_line is null or top.parent_id is not null
        union all
        select below.line, below.number, below.id, tree.id, tree.path || tree_label(below.id)
          from tree join numbered below on below.parent_line = tree.line and below.parent_id is null
    )
    select * from tree
"""
_COLUMNS: Final = ", ".join(name for name in Entry._fields if name not in {"line", "ref", "parent_ref", "parent_path"})
_INSERT: Final = f"""
    insert into trade_union (id, parent_id, path, status, former_names, {_COLUMNS})
    select id, parent_id, path, 'ACTIVE', '{{}}', {_COLUMNS}
      from planted join incoming using (line)
     where number > :after and number <= :upto
     order by number
"""  # noqa: S608 - our own columns
_FOUND: Final = """
    insert into event (action, union_id, path, details)
    select 'union.founded', id, path, jsonb_build_object('name', name)
      from planted join incoming using (line)
     where number > :after and number <= :upto
     order by number
"""
# One event at each of few places, and with the count of that place: whoever sees one tree learns nothing of another.
_IMPORTED: Final = """
    insert into event (action, union_id, path, details)
    select 'union.imported', place.id, place.path,
           jsonb_build_object('created', grown.unions::text, 'sha256', cast(:sha256 as text))
      from (select coalesce(cast(:under as text)::ltree, subpath(path, 0, 1)) as path, count(*) as unions
              from planted group by 1) grown
      join trade_union place using (path)
     order by place.id
"""


async def copy(session: AsyncSession, entries: Iterable[Entry]) -> None:
    """Copies the rows beside the tree, as fast as they are read."""
    await session.execute(text(_INCOMING))
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    await driver.copy_records_to_table("incoming", records=entries, columns=Entry._fields)


async def place(session: AsyncSession, under: TradeUnion | None) -> None:
    """Finds where each row goes, and which of them the tree has already."""
    for statement in _PLACE:
        values = {"under": under.id if under else None} if ":under" in statement else {}
        await session.execute(text(statement), values)


async def counts(session: AsyncSession) -> tuple[int, int]:
    """How many rows are new to the tree, and how many it has already."""
    found = await session.execute(text("select count(*) - count(known_id), count(known_id) from placed"))
    new, known = found.one()
    return new, known


async def plant(session: AsyncSession, new: int) -> AsyncIterator[int]:
    """Makes unions of the rows that are new, each with the event of its founding; gives how many there are so far."""
    await session.execute(text(_NUMBER))
    for after in range(0, new, _AT_ONCE):
        some = {"after": after, "upto": after + _AT_ONCE}
        await session.execute(text(_INSERT), some)
        await session.execute(text(_FOUND), some)
        yield min(after + _AT_ONCE, new)
    # Now, and not at the commit after the counts are added up: who adds to the same counts would wait for it.
    await session.execute(text("set constraints fk_trade_union_parent immediate"))
    await session.execute(text("analyze trade_union"))  # or the next queries are planned for the tree of before


async def tell(session: AsyncSession, under: TradeUnion | None, sha256: str) -> None:
    """Writes down the import: at the union below which it was planted, or else at the root of each tree that grew."""
    await session.execute(text(_IMPORTED), {"under": str(under.path) if under else None, "sha256": sha256})
