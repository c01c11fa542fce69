"""A query is compiled the first time that it is seen, and not again."""

from __future__ import annotations

from typing import Any

import pytest

from schema.reading.compiling import Compiler
from tests.world import World, gid

ASKED = {
    "union": "query($id: ID!) { union(id: $id) { name children(first: 2) { nodes { id } } } }",
    "search": 'query($id: ID!) { union(id: $id) { descendants(search: "深圳") { nodes { id } } } }',
    "directory": '{ unionDirectory(search: "深圳") { nodes { id } } }',
    "queue": "query($id: ID!) { pendingReviews(under: $id) { nodes { id } } }",
    "node": "query($id: ID!) { node(id: $id) { id } }",
}


@pytest.mark.parametrize("name", ASKED)
async def test_the_second_time_nothing_is_compiled(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    variables = {"id": gid(city)} if "$id" in ASKED[name] else {}
    query, compiled, plan = f"{ASKED[name]} # {name}, seen for the first time", list[str](), Compiler.plan

    def counted(compiler: Compiler, *given: Any) -> Any:
        compiled.append(name)
        return plan(compiler, *given)

    monkeypatch.setattr(Compiler, "plan", counted)
    first = await mayor.ask(query, **variables)
    assert compiled == [name]
    assert await mayor.ask(query, **variables) == first
    assert compiled == [name]
