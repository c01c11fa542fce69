"""A query is compiled the first time that one like it is seen, and not again."""

from __future__ import annotations

from typing import Any

import pytest

from schema.reading.compiling import Compiler
from tests.world import World, gid

# Each with a name in its answer that no other test asks by: what is like it has not been seen.
ASKED = {
    "union": "query Asked($id: ID!) { unseen1: union(id: $id) { name children(first: 2) { nodes { id } } } }",
    "search": 'query Asked($id: ID!) { unseen2: union(id: $id) { descendants(search: "深圳") { nodes { id } } } }',
    "directory": 'query Asked { unseen3: unionDirectory(search: "深圳") { nodes { id } } }',
    "queue": "query Asked($id: ID!) { unseen4: pendingReviews(under: $id) { nodes { id } } }",
    "node": "query Asked($id: ID!) { unseen5: node(id: $id) { id } }",
}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each time that something is compiled."""
    times, plan = list[str](), Compiler.plan

    def counted(compiler: Compiler, *given: Any) -> Any:
        times.append("compiled")
        return plan(compiler, *given)

    monkeypatch.setattr(Compiler, "plan", counted)
    return times


@pytest.mark.parametrize("name", ASKED)
async def test_the_second_time_nothing_is_compiled(world: World, compiled: list[str], name: str) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    query = ASKED[name]
    variables = {"id": gid(city)} if "$id" in query else {}
    first = await mayor.ask(query, **variables)
    assert compiled == ["compiled"]
    assert await mayor.ask(query, **variables) == first
    assert compiled == ["compiled"]


async def test_what_asks_for_the_same_by_other_names_is_not_compiled_again(world: World, compiled: list[str]) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    await mayor.ask(
        "query One($id: ID!) { unseen6: union(id: $id) { id children(first: 2) { totalCount } } }", id=gid(city)
    )
    assert compiled == ["compiled"]
    other = """query Other($key: ID!, $most: Int) { unseen6: union(id: $key) { ...Some } }
        fragment Some on Union { id children(first: $most) { totalCount } }"""
    assert await mayor.ask(other, key=gid(city), most=7) == {"id": gid(city), "children": {"totalCount": 0}}
    assert compiled == ["compiled"]
    await mayor.ask(other.replace(" id ", " name "), key=gid(city), most=7)
    assert compiled == ["compiled"] * 2
