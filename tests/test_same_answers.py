"""It is the same API: what one statement answers, Strawberry's executor answers word for word, and the other way round.

Documents are made up at random, the same ones in every run. DOCUMENTS=20000 asks more of them.
"""

from __future__ import annotations

import json
import os
import re
from random import Random
from typing import Any, Final

import pytest

from schema.build import build_schema
from schema.ids import encode_id
from schema.reading.answers import Answers
from schema.reading.cursors import encode_cursor
from tests.documents import Writer
from tests.matrix import NEVER, Tree, plant
from tests.oracle import EVERYBODY, Who
from tests.paths import SIGNED, step_by_step
from tests.world import Client, World, gid

MANY: Final = int(os.environ.get("DOCUMENTS", "320"))
ROUNDS: Final = 16
NUMBER: Final = re.compile(r"[0-9a-f]{16}")

SCHEMA: Final = build_schema()._schema


@pytest.fixture(scope="module")
async def tree(lasting_world: World) -> Tree:
    planted = await plant(lasting_world)
    await lasting_world.sql("update trade_union set former_names = '{旧名工会}' where id % 2 = 0")
    return planted


def pool_of(tree: Tree) -> dict[str, list[Any]]:
    """Arguments that lead somewhere, mostly, and some that cannot be."""
    unions = [gid(union) for union in tree.unions.values()]
    ids = [row.gid for row in tree.rows()]
    cursors = [
        encode_cursor(name, key)
        for name, key in (
            *(("children", (2,)), ("children", (36,)), ("invites", (3,)), ("events", (7,))),
            *(("own", (2,)), ("queue", (2**40, 1)), ("queue", (2**52, 1))),
        )
    ]
    return {
        "id": [*unions, *ids, encode_id("Union", NEVER), "x", ""],
        "ids": [[]],
        "under": [*unions, *unions, ids[-1]],
        "code": [invite.token for invite in tree.invites.values()] + ["x", "i=AAAAAAAAAAAAAAAAAAAAAA"],
        "path": [str(union.path) for union in tree.unions.values()] + ["zz.1"],
        "search": ["工", "工会", "self工会", "旧名", "", "%", "89", "x" * 300],
        "first": [1, 1, 2, 3, 50, 100, 0, 101],
        "after": [*cursors, *cursors, "x"],
        "maxDepth": [-1, 0, 1, 2, 2**31 - 1],
        "regionCode": ["440000", "440300", "x"],
        "parentCode": ["440000", "440300", "x"],
    }


def comparable(answer: dict[str, Any]) -> str:
    """The answer as text, its order of fields included, but for what is another each time."""
    for error in answer.get("errors", ()):
        if error["extensions"].pop("requestId", None):
            error["message"] = NUMBER.sub("", error["message"])
    return SIGNED.sub("", json.dumps(answer, ensure_ascii=False, indent=1))


async def both(client: Client, query: str, variables: dict[str, Any]) -> tuple[str, str]:
    """The answer of one statement, or of whoever answers in its place; and that of the executor."""
    one = comparable(await client.answer(query, **variables))
    with step_by_step():
        return one, comparable(await client.answer(query, **variables))


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_made_up_documents_are_answered_alike(tree: Tree, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random, pool = Random(number), pool_of(tree)  # noqa: S311 - the same documents every time
    compiled: list[bool] = []
    answer = Answers.answer

    async def noted(*given: Any) -> list[bytes] | None:
        data = await answer(*given)
        compiled.append(data is not None)
        return data

    monkeypatch.setattr(Answers, "answer", noted)
    for _ in range(MANY // ROUNDS):
        who: Who = random.choice(EVERYBODY)
        document = Writer(SCHEMA, pool, random).document()
        one, other = await both(tree.people[who], document.text, document.variables)
        assert one == other, f"{who}: {document.text}\n{document.variables}"
    assert sum(compiled) > len(compiled) / 5, "many of them should be answered by one statement"
