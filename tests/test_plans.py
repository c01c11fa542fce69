"""How PostgreSQL reads: by the right index on every level of the tree, whether it plans for any union or for this one.

A tree of some thousand rows is enough: what would be read whole here would be read whole at any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import Select, event, literal_column, select, true
from sqlalchemy.orm import aliased

from models.registration import Registration
from models.union import TradeUnion
from schema.ids import encode_id
from storage import queue, statistics
from tests.world import Client, World

# How many unions each level has. Ids go on from level to level, so the first of each is known.
LEVELS: Final = {"nation": 1, "province": 6, "city": 30, "county": 150, "street": 600, "factory": 4000}
FIRST: Final = dict(zip(LEVELS, (1, 2, 8, 38, 188, 788), strict=True))
OFFICES: Final = [level for level in LEVELS if level != "factory"]
LARGE: Final = ("trade_union", "registration", "submission", "tally")
MODES: Final = ("force_generic_plan", "force_custom_plan")

PLANT: Final = """
    insert into trade_union (id, parent_id, path, kind, status, name, name_key, former_names, region_code,
                             employer_name, employer_uscc, employer_address, employer_contact_phone)
    overriding system value
    select n, above.id, coalesce(above.path || tree_label(n), tree_label(n)::ltree), :kind, 'ACTIVE', n, n, '{}',
           '440300', employer, employer, employer, employer
      from generate_series(cast(:first as bigint), :last) n
      left join trade_union above on above.id = :above + (n - :first) % :parents,
           (select case when :kind = 'GRASSROOTS' then '厂' end as employer) stated
"""
# Sixty wait at the first union of each level but the lowest, and more at all streets; thousands have been decided.
APPLY: Final = """
    with made as (
        insert into registration (parent_id, parent_path, applicant_id, kind, status, round, submitted_at)
        select u.id, u.path, 1, 'GRASSROOTS', case when n <= 1500 then 'PENDING' else 'REJECTED' end, 1,
               now() - n * interval '1 minute'
          from generate_series(1, 5000) n
          join trade_union u
            on u.id = case when n <= 300 then (array[1, 2, 8, 38, 188])[n % 5 + 1] else 188 + n % 600 end
        returning id
    )
    insert into submission (registration_id, round, changed, name, region_code)
    select id, 1, '{}', id, '440300' from made
"""


@pytest.fixture(scope="module")
async def planted(lasting_world: World) -> World:
    world, parents, above = lasting_world, 1, 0
    await world.person()
    for level, count in LEVELS.items():
        first, kind = FIRST[level], "GRASSROOTS" if level == "factory" else "HIGHER_LEVEL"
        values = {"first": first, "last": first + count - 1, "above": above, "parents": parents, "kind": kind}
        await world.sql(PLANT, **values)
        above, parents = first, count
    await world.sql(APPLY)
    await world.sql(f"analyze {', '.join(LARGE)}")
    return world


async def union_of(world: World, level: str) -> TradeUnion:
    async with world.resources.db.reading() as session:
        return await session.get_one(TradeUnion, FIRST[level])


@pytest.fixture(scope="module")
async def everybody(planted: World) -> Client:
    """Who sees the whole tree."""
    return await planted.administrator(await union_of(planted, "nation"))


@contextmanager
def sent(world: World) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """The statements sent meanwhile, with what was bound in them."""
    found: list[tuple[str, tuple[Any, ...]]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_rest: object) -> None:
        found.append((statement, parameters))

    engine = world.resources.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def plan(world: World, mode: str, statement: str, parameters: tuple[Any, ...]) -> str:
    """The plan of a prepared statement: for whatever is bound, or for this."""
    given = f"({', '.join(map(quoted, parameters))})" if parameters else ""
    async with world.resources.db.engine.connect() as connection:
        await connection.exec_driver_sql(f"set local plan_cache_mode = {mode}")
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(f"prepare planned as {statement}")
        try:
            return "\n".join(row[0] for row in await raw.fetch(f"explain execute planned{given}"))
        finally:
            await raw.execute("deallocate planned")


def quoted(value: object) -> str:
    if isinstance(value, list | tuple):
        return "'{" + ",".join(map(str, value)) + "}'"
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


async def plans(world: World, mode: str, client: Client, query: str, **variables: Any) -> list[str]:
    """The plans of everything that a query sends, but for the sign-in."""
    await client.ask(query, **variables)
    with sent(world) as found:
        await client.ask(query, **variables)
    return [
        await plan(world, mode, *one)
        for one in found
        if one[0].startswith("SELECT") and "session.token_hash" not in one[0]
    ]


def read_whole(plan: str) -> list[str]:
    """The large tables that the plan reads from one end to the other."""
    return [table for table in LARGE if re.search(rf"Seq Scan on {table}\b", plan)]


# ── the queue ────────────────────────────────────────────────────────────────────────────────

QUEUE: Final = """query($id: ID!, $after: String, $scope: TreeScope) { union(id: $id) {
    pendingReviews(first: 50, after: $after, scope: $scope) { nodes { id name } pageInfo { endCursor } } } }"""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("depth", range(5))
async def test_a_queue_is_one_ordered_scan_of_its_depth(
    planted: World, everybody: Client, depth: int, mode: str
) -> None:
    union = encode_id("Union", FIRST[OFFICES[depth]])
    page = (await everybody.ask(QUEUE, id=union))["pendingReviews"]
    assert len(page["nodes"]) == 50
    for after in (None, page["pageInfo"]["endCursor"]):
        *_, found = await plans(planted, mode, everybody, QUEUE, id=union, after=after)
        assert read_whole(found) == []
        assert f"Index Scan using ix_registration_queue_{depth} on registration" in found, found
        assert len(re.findall(r"on registration\b", found)) == 1
        # Ordered by the index: the page is cut before anything is sorted.
        assert found.index("Limit") < found.index("ix_registration_queue")
        assert "Sort" not in found[found.index("Limit") :]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", OFFICES)
async def test_the_queue_of_one_union_is_one_ordered_scan(
    planted: World, everybody: Client, level: str, mode: str
) -> None:
    union = encode_id("Union", FIRST[level])
    *_, found = await plans(planted, mode, everybody, QUEUE, id=union, scope="DIRECT")
    assert read_whole(found) == [] and "ix_registration_pending" in found


@pytest.mark.parametrize("mode", MODES)
async def test_a_queue_below_several_unions_is_merged_from_their_beginnings(planted: World, mode: str) -> None:
    several = await planted.person("李静")
    for number, level in enumerate(("city", "county", "street")):  # none within another
        async with planted.resources.db.reading() as session:
            union = await session.get_one(TradeUnion, FIRST[level] + number)
        await planted.appoint(several, union)
    query = "{ pendingReviews(first: 20) { nodes { id submittedAt parent { name } } totalCount } }"
    answer = await several.ask(query)
    waits = [node["submittedAt"] for node in answer["nodes"]]
    assert waits == sorted(waits) and len({node["id"] for node in answer["nodes"]}) == len(waits)
    found = await plans(planted, mode, several, query)
    assert [read_whole(one) for one in found] == [[]] * len(found)
    [merged] = [one for one in found if "ix_registration_queue" in one and "Merge Append" in one]
    used = re.findall(r"Index Scan using (\w+queue\w+)", merged)
    assert sorted(used) == [f"ix_registration_queue_{depth}" for depth in (2, 3, 4)], merged


def page_of_any() -> Select[Any]:
    """The oldest fifty below the union bound, whose depth nobody says."""
    union = aliased(TradeUnion, name="above")
    scans = queue.below_one(union.id, statistics.depth_of(union))
    columns = (Registration.id, Registration.submitted_at)
    waiting = queue.page(scans, literal_column("50"), of=[union], columns=columns).lateral("waiting")
    return select(waiting.c.id).select_from(union).join(waiting, true()).where(union.id == literal_column("$1::bigint"))


@pytest.mark.parametrize("mode", MODES)
async def test_a_statement_that_does_not_know_the_depth_begins_one_scan(planted: World, mode: str) -> None:
    statement = str(page_of_any().compile(planted.resources.db.engine))
    for depth, level in enumerate(OFFICES):
        found = await plan(planted, mode, statement, (FIRST[level],))
        assert read_whole(found) == []
        scans = re.findall(r"Index (?:Only )?Scan using ix_registration_queue_(\d+)", found)
        assert sorted(map(int, scans)) == list(range(16))
        assert found.count("One-Time Filter") == 16 and "Merge Append" in found
        async with planted.resources.db.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            rows = [row[0] for row in await raw.fetch(statement, FIRST[level])]
        expected = await planted.sql(
            """select id from registration where status = 'PENDING' and :id = any(ancestors)
                order by submitted_at, id limit 50""",
            id=FIRST[level],
        )
        assert rows == expected and len(rows) == 50, depth


# ── everything else ──────────────────────────────────────────────────────────────────────────

STATISTICS: Final = "statistics { unions grassroots higherLevel pending approved rejected oldestPendingAt }"
ROW: Final = "id name kind status path uscc createdAt region { name }"
READS: Final = {
    "children": f"union(id: $id) {{ children(first: 50) {{ nodes {{ {ROW} }} totalCount }} }}",
    "statistics": f"union(id: $id) {{ {STATISTICS} }}",
    "of the children": f"union(id: $id) {{ children(first: 50) {{ nodes {{ {STATISTICS} }} }} }}",
    "ancestors": "union(id: $id) { ancestors { id name } parent { id } }",
    "grandchildren": f"""union(id: $id) {{ children(first: 2) {{ nodes {{
        children(first: 10) {{ nodes {{ {ROW} }} }} }} }} }}""",
    "queue": """pendingReviews(under: $id, first: 50) { totalCount
        nodes { id applicant { realName } parent { name } parentPath possibleDuplicates { name } } }""",
    "descendants": "union(id: $id) { descendants(first: 50) { nodes { id } } }",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", OFFICES)
@pytest.mark.parametrize("name", READS)
async def test_nothing_large_is_read_whole(planted: World, everybody: Client, name: str, level: str, mode: str) -> None:
    query = f"query($id: ID!) {{ {READS[name]} }}"
    found = await plans(planted, mode, everybody, query, id=encode_id("Union", FIRST[level]))
    whole = [one for one in found if read_whole(one)]
    assert found and whole == [], "\n\n".join(whole)


@pytest.mark.parametrize("level", LEVELS)
async def test_statistics_at_this_size_are_exact(planted: World, level: str) -> None:
    async with planted.resources.db.reading() as session:
        [stated] = await statistics.by_ids(session, [FIRST[level]])
    counts = """
        select (select count(*) from trade_union where :id = any(ancestors)),
               (select count(*) from registration where :id = any(ancestors) and status = 'PENDING'),
               (select min(submitted_at) from registration where :id = any(ancestors) and status = 'PENDING')"""
    assert await planted.sql(counts, id=FIRST[level]) == [(stated.unions, stated.pending, stated.oldest_pending_at)]
