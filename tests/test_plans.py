"""How PostgreSQL reads: by the right index on every level of the tree, whether it plans for any union or for this one.

A tree of some thousand rows is enough: what would be read whole here would be read whole at any size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import pytest

from models.union import TradeUnion
from schema.ids import encode_id
from tests.paths import compiled
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


async def plan(world: World, mode: str, statement: str, parameters: Sequence[Any]) -> str:
    """The plan of a prepared statement, for whatever is bound or for this, and what of it was executed."""
    given = f"({', '.join(map(quoted, parameters))})" if parameters else ""
    async with world.owner.connect() as connection:
        await connection.exec_driver_sql(f"set local plan_cache_mode = {mode}")
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(f"prepare planned as {statement}")
        explained = f"explain (analyze, buffers off, timing off, summary off) execute planned{given}"
        try:
            return "\n".join(row[0] for row in await raw.fetch(explained))
        finally:
            await raw.execute("deallocate planned")


def quoted(value: object) -> str:
    if isinstance(value, list | tuple):
        return "'{" + ",".join(map(str, value)) + "}'"
    if isinstance(value, bytes):
        return rf"'\x{value.hex()}'"
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


async def plan_of(world: World, mode: str, client: Client, query: str, **variables: Any) -> str:
    """The plan of the one statement that answers a query."""
    with compiled(), world.asked() as found:
        await client.ask(query, **variables)
    *_who_asks, statement = found
    return await plan(world, mode, *statement)


def read_whole(plan: str) -> list[str]:
    """The large tables that the plan reads from one end to the other."""
    return [table for table in LARGE if re.search(rf"Seq Scan on {table}\b", plan)]


# ── the queue ────────────────────────────────────────────────────────────────────────────────

QUEUE: Final = """query($id: ID!, $after: String, $scope: TreeScope) { union(id: $id) {
    pendingReviews(first: 50, after: $after, scope: $scope) { nodes { id name } pageInfo { endCursor } } } }"""


def scans(plan: str, *, executed: bool) -> list[int]:
    """The depths whose queues the plan has scans of, begun or not."""
    found = re.findall(r"Index (?:Only )?Scan using ix_registration_queue_(\d+) on [^\n]*?(never executed)?\)?\n", plan)
    return sorted(int(depth) for depth, never in found if bool(never) is not executed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("depth", range(5))
async def test_a_queue_is_one_ordered_scan_of_its_depth(
    planted: World, everybody: Client, depth: int, mode: str
) -> None:
    """The statement does not know how deep the union lies: it has a scan for each depth, and begins one."""
    key = FIRST[OFFICES[depth]]
    page = (await everybody.ask(QUEUE, id=encode_id("Union", key)))["pendingReviews"]
    expected = await planted.sql(
        """select id from registration where status = 'PENDING' and :id = any(ancestors)
            order by submitted_at, id limit 50""",
        id=key,
    )
    assert [node["id"] for node in page["nodes"]] == [encode_id("Registration", key) for key in expected]
    assert len(expected) == 50
    for after in (None, page["pageInfo"]["endCursor"]):
        found = await plan_of(planted, mode, everybody, QUEUE, id=encode_id("Union", key), after=after)
        assert read_whole(found) == []
        assert scans(found, executed=True) == [depth], found
        assert len(scans(found, executed=False)) == 15
        assert "Merge Append" in found  # ordered by the indexes: the page is cut before anything is sorted


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", OFFICES)
async def test_the_queue_of_one_union_is_one_ordered_scan(
    planted: World, everybody: Client, level: str, mode: str
) -> None:
    found = await plan_of(planted, mode, everybody, QUEUE, id=encode_id("Union", FIRST[level]), scope="DIRECT")
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
    found = await plan_of(planted, mode, several, query)
    assert read_whole(found) == []
    assert scans(found, executed=True) == [2, 3, 4], found


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
        nodes { id applicant { realName } parent { name } parentPath } }""",
    "descendants": "union(id: $id) { descendants(first: 50) { nodes { id } } }",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", OFFICES)
@pytest.mark.parametrize("name", READS)
async def test_nothing_large_is_read_whole(planted: World, everybody: Client, name: str, level: str, mode: str) -> None:
    query = f"query($id: ID!) {{ {READS[name]} }}"
    found = await plan_of(planted, mode, everybody, query, id=encode_id("Union", FIRST[level]))
    assert read_whole(found) == [], found


@pytest.mark.parametrize("level", LEVELS)
async def test_statistics_at_this_size_are_exact(planted: World, everybody: Client, level: str) -> None:
    query = "query($id: ID!) { union(id: $id) { statistics { unions pending oldestPendingAt } } }"
    stated = (await everybody.ask(query, id=encode_id("Union", FIRST[level])))["statistics"]
    counts = """
        select (select count(*) from trade_union where :id = any(ancestors)),
               (select count(*) from registration where :id = any(ancestors) and status = 'PENDING'),
               (select to_json(min(submitted_at)) #>> '{}'
                  from registration where :id = any(ancestors) and status = 'PENDING')"""
    assert await planted.sql(counts, id=FIRST[level]) == [tuple(stated.values())]
