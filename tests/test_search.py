"""查找: what a search finds, in which order, and that its pages hold together while the tree grows."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest

from models.text import fold
from models.union import TradeUnion
from storage import search
from tests.world import GRASSROOTS, Client, World, credit_code, gid

BELOW: Final = """query($id: ID!, $s: String, $first: Int, $after: String, $kind: UnionKind, $depth: Int) {
    union(id: $id) { descendants(search: $s, first: $first, after: $after, kind: $kind, maxDepth: $depth) {
        nodes { name } totalCount pageInfo { endCursor hasNextPage } } } }"""
DIRECTORY: Final = """query($s: String!, $first: Int, $after: String, $region: String) {
    unionDirectory(search: $s, first: $first, after: $after, regionCode: $region) {
        nodes { name } pageInfo { endCursor hasNextPage } } }"""


async def below(reader: Client, union: TradeUnion, text: str | None, **page: Any) -> list[str]:
    found = (await reader.ask(BELOW, id=gid(union), s=text, **page))["descendants"]
    return [node["name"] for node in found["nodes"]]


async def renamed(world: World, union: TradeUnion, *former: str) -> None:
    await world.sql("update trade_union set former_names = :former where id = :id", former=list(former), id=union.id)


async def test_the_best_match_comes_first(world: World) -> None:
    province = await world.union("广东省总工会")
    governor = await world.administrator(province)
    was = await world.union("前海集团工会", province)
    await renamed(world, was, "南山工会", "蛇口区总工会")
    for name in ("中共南山区委机关工会", "深圳南山工会", "南山区总工会", "南 山", "南山村工会"):
        await world.union(name, province)
    found = ["南 山", "南山村工会", "南山区总工会", "深圳南山工会", "中共南山区委机关工会", "前海集团工会"]
    assert await below(governor, province, "南山") == found
    assert await below(governor, province, "蛇口") == ["前海集团工会"]
    assert await below(governor, province, "会蛇") == [], "two former names are two"
    directory = await governor.ask(DIRECTORY, s="南山")
    assert [node["name"] for node in directory["nodes"]] == found


async def test_a_code_comes_before_a_name_that_holds_the_same_digits(world: World) -> None:
    province = await world.union("广东省总工会")
    governor = await world.administrator(province)
    await world.union("第8944厂工会", province)
    await world.union("名称很长很长很长的总工会", province, uscc=credit_code("89", 7))
    assert await below(governor, province, "8944") == ["名称很长很长很长的总工会", "第8944厂工会"]
    assert await below(governor, province, credit_code("89", 7).lower()) == ["名称很长很长很长的总工会"]
    for length in range(1, 19):
        assert "名称很长很长很长的总工会" in await below(governor, province, credit_code("89", 7)[:length]), length


ODD: Final = [
    "百分之100%工会",
    "下_划_线工会",
    "反\\斜\\杠工会",
    "引'号\"工会",
    "👷建筑工会",
    "㐂𠮷工会",
    "Ünïon No. 3",
    "ＡＢＣ工会",
]


async def test_every_part_of_every_name_is_found_and_nothing_else(world: World) -> None:
    """Compared with a search by hand, from one character up, whatever the characters are."""
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    names = [*ODD, "华强电子厂工会", "深圳华强有限公司工会委员会", "电子华强工会"]
    for name in names:
        await world.union(name, city)
    parts = {fold(name)[at : at + size] for name in names for size in (1, 2, 3, 5) for at in range(len(fold(name)))}
    for part in sorted(parts):
        expected = sorted(name for name in names if part in fold(name))
        assert sorted(await below(mayor, city, part)) == expected, part


@pytest.mark.parametrize(
    "text", ["x" * 200, "深" * 100, "%", "_", "\\", "'; --", "\u202e", "\ufffd", "﷽" * 200, "👷🏽‍♀️"]
)
async def test_whatever_is_looked_for_is_answered(world: World, text: str) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    await world.union("南山区总工会", city)
    assert await below(mayor, city, text) == []
    assert (await mayor.ask(DIRECTORY, s=text))["nodes"] == []


async def test_half_of_a_surrogate_pair_is_no_text(world: World) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    async with mayor.http() as http:
        body = orjson.dumps({"query": DIRECTORY, "variables": {"s": "half"}}).replace(b"half", b"\\ud83d")
        response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400


async def test_a_search_stays_on_its_ground(world: World) -> None:
    province = await world.union("广东省总工会")
    city, other = await world.union("深圳市总工会", province), await world.union("广州市总工会", province)
    district = await world.union("华强区总工会", city, region="440305")
    for under in (city, other, district):
        await world.union(f"华强{under.name[:2]}工会", under, GRASSROOTS, region="440305")
    governor, mayor = await world.administrator(province), await world.administrator(city)

    assert await below(governor, province, "华强") == ["华强区总工会", "华强深圳工会", "华强广州工会", "华强华强工会"]
    assert await below(mayor, city, "华强") == ["华强区总工会", "华强深圳工会", "华强华强工会"]
    assert await below(mayor, city, "深圳") == ["华强深圳工会"], "the union itself is not below itself"
    assert await below(mayor, district, "华强") == ["华强华强工会"]
    assert await mayor.ask(BELOW, id=gid(other), s="华强") is None
    assert await below(governor, province, "华强", kind="HIGHER_LEVEL") == ["华强区总工会"]
    assert await below(governor, province, "华强", kind="GRASSROOTS", depth=2) == ["华强深圳工会", "华强广州工会"]
    assert await below(governor, province, "华强", depth=2) == ["华强区总工会", "华强深圳工会", "华强广州工会"]
    assert await below(governor, province, "华强", depth=0) == await below(governor, province, "华强", depth=-9) == []
    assert len(await below(governor, province, "华强", depth=2**31 - 1)) == 4
    # What nearly every name has is looked for in another way: on the same ground.
    assert len(await below(governor, province, "工会")) == 6
    assert await below(governor, province, "工会", kind="HIGHER_LEVEL", depth=1) == ["深圳市总工会", "广州市总工会"]
    assert await below(mayor, city, "工会") == ["华强区总工会", "华强深圳工会", "华强华强工会"]
    found = await mayor.ask(DIRECTORY, s="工会", region="440305")
    assert [node["name"] for node in found["nodes"]] == ["华强区总工会"]


async def test_a_page_goes_on_where_the_last_one_ended_whatever_came_between(world: World) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    for name in ("南山一工会", "南山二工会", "东南山一工会", "东南山二工会"):
        await world.union(name, city)
    first = (await mayor.ask(BELOW, id=gid(city), s="南山", first=2))["descendants"]
    for name in ("南山", "东南山三工会", "很长很长的南山工会"):
        await world.union(name, city)
    after = first["pageInfo"]["endCursor"]
    second = (await mayor.ask(BELOW, id=gid(city), s="南山", first=9, after=after))["descendants"]
    listed = [node["name"] for page in (first, second) for node in page["nodes"]]
    assert listed == ["南山一工会", "南山二工会", "东南山一工会", "东南山二工会", "东南山三工会", "很长很长的南山工会"]


async def test_a_cursor_of_a_search_is_of_that_search_alone(world: World) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    await world.union("南山区总工会", city)
    cursor = (await mayor.ask(BELOW, id=gid(city), s="南山"))["descendants"]["pageInfo"]["endCursor"]
    [error] = (await mayor.answer(BELOW, id=gid(city), after=cursor))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID", "after")
    [error] = (await mayor.answer(BELOW, id=gid(city), s="总工会", after=cursor))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID", "after")
    assert await below(mayor, city, "南山", after=cursor) == await below(mayor, city, " 南 山", after=cursor) == []


async def test_of_what_too_many_have_the_best_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Higher-level unions and that very name are not crowded out; pages and count tell of the same ones."""
    monkeypatch.setattr(search, "CANDIDATES", 3)
    monkeypatch.setattr(search, "LOOKED_AT", 6)
    # A name of its own in the answer: the plans of others were made for the usual numbers.
    monkeypatch.setitem(globals(), "BELOW", BELOW.replace("nodes {", "ofFew: __typename nodes {"))
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    for number in range(6):
        await world.union(f"华强{number}厂工会", city, GRASSROOTS)
    await world.union("华强街道总工会", city)
    await world.union("华强", city, GRASSROOTS)

    found = (await mayor.ask(BELOW, id=gid(city), s="华强"))["descendants"]
    names = [node["name"] for node in found["nodes"]]
    # Which three of all are taken is as the index lies, the two that other ways lead to perhaps among them.
    factories = [f"华强{number}厂工会" for number in range(6)]
    assert (names[0], names[-1]) == ("华强", "华强街道总工会")
    assert names[1:-1] == [name for name in factories if name in names]
    assert 3 <= found["totalCount"] == len(names) <= 5
    seen: list[str] = []
    page: dict[str, Any] = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await mayor.ask(BELOW, id=gid(city), s="华强", first=2, after=after))["descendants"]
        seen += [node["name"] for node in page["nodes"]]
    assert seen == names
    common = await below(mayor, city, "工会")
    assert len(common) == 3 and set(common) <= set(factories)
