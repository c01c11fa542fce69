"""The plans of searches: an index for every way to match, in the plan that is made once for all parameters."""

from __future__ import annotations

from typing import Final, NamedTuple

import pytest

from models.kinds import UnionKind
from schema.ids import encode_id
from tests.plans import conditions, generic_plan, scans
from tests.world import Client, World

INDEX: Final = "ix_trade_union_search"
# Below two cities of a province, thousands of factories of a few hundred names.
MANY: Final = """
    insert into trade_union (id, parent_id, path, kind, status, name, name_key, former_names, region_code, uscc,
        employer_name, employer_uscc, employer_address, employer_contact_phone)
    select n, 2 + n % 2, ('1.' || 2 + n % 2 || '.' || tree_label(n))::ltree, 'GRASSROOTS', 'ACTIVE', name, name, '{}',
        '440305', null, name, '91440300MA5' || lpad(n::text, 7, '0'), '路1号', '+8613800138000'
    from generate_series(101, 6100) n,
        lateral (select chr(19968 + n % 23) || chr(20000 + n % 19) || '电子' || n || '厂工会' as name) named
"""


# What is looked for is at 1, a province, or at 2, a city of it.
UNDER: Final = """query($id: ID!, $text: String, $kind: UnionKind, $depth: Int) { union(id: $id) {
    descendants(first: 50, search: $text, kind: $kind, maxDepth: $depth) { nodes { id } pageInfo { endCursor } } } }"""
DIRECTORY: Final = """query($text: String!, $region: String) {
    unionDirectory(first: 50, search: $text, regionCode: $region) { nodes { id } pageInfo { endCursor } } }"""


class Large(NamedTuple):
    """A province with two cities, who administers it, who administers both of them, and what waits at one."""

    world: World
    governor: Client
    mayor_of_both: Client
    waiting: str


@pytest.fixture(scope="module")
async def large(lasting_world: World) -> Large:
    world = lasting_world
    await world.sql("alter sequence trade_union_id_seq restart")
    province = await world.union("广东省总工会")
    cities = [await world.union(name, province) for name in ("深圳市总工会", "广州市总工会")]
    await world.sql(MANY)
    await world.sql("analyze trade_union")
    mayor, applicant = await world.person(), await world.person()
    for city in cities:
        await world.appoint(mayor, city)
    waiting = await applicant.registered(cities[0])
    return Large(world, await world.administrator(province), mayor, waiting)


async def plan_below(
    large: Large, text: str, key: int = 2, kind: UnionKind | None = None, depth: int | None = None
) -> list[str]:
    given = {"text": text, "kind": kind, "depth": depth}
    return await generic_plan(large.world, large.governor, UNDER, id=encode_id("Union", key), **given)


def read_whole(plan: list[str]) -> list[str]:
    return [scan for scan in scans(plan) if scan == "Seq Scan on trade_union"]


@pytest.mark.parametrize("key", [1, 2])
@pytest.mark.parametrize("text", ["电", "电子", "深圳市总工会", "81440305", "81440305MC12345674"])
async def test_pieces_and_place_are_one_lookup(large: Large, text: str, key: int) -> None:
    plan = await plan_below(large, text, key)
    assert read_whole(plan) == [], plan
    found = conditions(plan, INDEX)
    assert found, plan
    for condition in found:
        assert "union_search_keys" in condition and "trim_array" in condition, plan


@pytest.mark.parametrize("kind", [None, UnionKind.GRASSROOTS])
@pytest.mark.parametrize("text", ["工会", "公司", "81", "a"])
async def test_what_nearly_all_have_is_looked_for_in_the_order_of_the_tree(
    large: Large, text: str, kind: UnionKind | None
) -> None:
    plan = await plan_below(large, text, kind=kind)
    assert read_whole(plan) == [], plan
    assert not [line for line in plan if "Sort Key" in line and ".path" in line], (
        "it walks as the index lies, and stops"
    )


async def test_narrowed_searches_are_the_same_lookup(large: Large) -> None:
    plan = await plan_below(large, "工会", kind=UnionKind.HIGHER_LEVEL, depth=2)
    assert read_whole(plan) == [], plan
    assert all("@>" in condition and "&&" in condition for condition in conditions(plan, INDEX)), plan


@pytest.mark.parametrize("text", ["电子", "工会", "8144"])
@pytest.mark.parametrize("region", [None, "440300"])
async def test_the_directory_is_one_lookup_too(large: Large, text: str, region: str | None) -> None:
    plan = await generic_plan(large.world, large.governor, DIRECTORY, text=text, region=region)
    assert read_whole(plan) == [], plan
    assert INDEX in scans(plan)


@pytest.mark.parametrize("who", ["governor", "mayor_of_both"])
async def test_duplicates_are_looked_up_by_an_index_each(large: Large, who: str) -> None:
    query = "query($id: ID!) { registration(id: $id) { duplicateMatches { reasons union { name } } } }"
    plan = await generic_plan(large.world, getattr(large, who), query, id=large.waiting)
    lookups = {
        "uq_trade_union_uscc",
        "ix_trade_union_id_number_index",
        "ix_trade_union_employer_uscc",
        "ix_trade_union_region_code_employer_name",
        INDEX,
    }
    assert lookups <= scans(plan), plan
    assert "Seq Scan on trade_union" not in scans(plan) and "uq_trade_union_path" not in scans(plan), plan
