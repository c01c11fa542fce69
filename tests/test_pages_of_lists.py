"""Pages of every list: each row once, in order; cursors of this list alone; counted only when asked."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from zlib import crc32

import pytest

from models.union import TradeUnion
from schema.ids import encode_id
from tests.world import GRASSROOTS, HIGHER_LEVEL, Client, World, besides_permits, gid

ROWS: Final = 7


class Frame(NamedTuple):
    """Where a list is asked for, with `…` in place of its page, and its name with arguments of its own."""

    around: str
    field: str
    arguments: str = ""


LISTS: Final = {
    "children": Frame("union(id: $id) { … }", "children"),
    "descendants": Frame("union(id: $id) { … }", "descendants"),
    "found": Frame("union(id: $id) { … }", "descendants", 'search: "总工会", '),
    "union-queue": Frame("union(id: $id) { … }", "pendingReviews"),
    "invites": Frame("union(id: $id) { … }", "invites"),
    "events": Frame("union(id: $id) { … }", "events", "scope: SUBTREE, "),
    "queue": Frame("…", "pendingReviews"),
    "own": Frame("viewer { … }", "registrations"),
    "directory": Frame("…", "unionDirectory", 'search: "", '),
    "found-in-directory": Frame("…", "unionDirectory", 'search: "总工会", '),
}
COUNTED: Final = sorted(LISTS.keys() - {"directory", "found-in-directory"})
PAGE: Final = "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True)
class Planted:
    """A city with seven of everything, and what each list of it holds, in order."""

    world: World
    city: TradeUnion
    mayor: Client
    rows: dict[str, list[str]]

    async def answer(self, name: str, selection: str = PAGE, **page: Any) -> dict[str, Any]:
        """The whole answer to a question for a page; what is left out of `page` is left out of the query."""
        around, field, arguments = LISTS[name]
        types = {"first": "Int", "after": "String"}
        given = ", ".join(f"{argument}: ${argument}" for argument in page)
        called = f"({arguments}{given})" if arguments or given else ""
        inner = f"page: {field}{called} {{ {selection} }}"
        variables = [f"${argument}: {types[argument]}" for argument in page]
        if "$id" in around:
            variables.append("$id: ID!")
            page["id"] = gid(self.city)
        declared = f"({', '.join(variables)})" if variables else ""
        return await self.mayor.answer(f"query{declared} {{ {around.replace('…', inner)} }}", **page)

    async def page(self, name: str, selection: str = PAGE, **page: Any) -> dict[str, Any]:
        answer = await self.answer(name, selection, **page)
        assert "errors" not in answer, answer["errors"]
        found: dict[str, Any] = answer["data"]
        while "page" not in found:
            [found] = found.values()
        return dict(found["page"])

    async def refusal(self, name: str, **page: Any) -> tuple[str, str]:
        """The code of the one error, and the argument that it is about."""
        [error] = (await self.answer(name, **page))["errors"]
        return error["extensions"]["code"], error["extensions"]["argument"]


@pytest.fixture(scope="module")
async def planted(lasting_world: World) -> Planted:
    world = lasting_world
    await world.sql("select setval('trade_union_id_seq', 33)")  # so that labels grow from z to 10
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    children = [
        await world.union(f"第{number}区总工会", city, GRASSROOTS if number == 2 else HIGHER_LEVEL)
        for number in range(ROWS)
    ]
    below = [await world.union(f"第{number}街道总工会", children[0]) for number in range(2)]
    await world.administrator(await world.union("广州市总工会"))  # of which the directory alone tells
    invites = [await world.invite(city) for _ in range(ROWS)]
    registrations = [await mayor.registered(city) for _ in range(ROWS)]
    # Several at the same moment, as a batch would be: then the id decides.
    await world.sql("update registration set submitted_at = '2026-05-01 08:00:00.123457+08' where id in (3, 4, 5)")
    waiting = [registrations[number - 1] for number in (3, 4, 5, 1, 2, 6, 7)]
    events = [encode_id("Event", number) for number in await world.sql("select id from event order by id desc")]
    higher = await world.sql("select id, length(name) from trade_union where kind = 'HIGHER_LEVEL' order by id")
    shorter_first = sorted(higher, key=lambda row: row[1])
    return Planted(
        world,
        city,
        mayor,
        {
            "children": [gid(union) for union in children],
            "descendants": [gid(union) for union in sorted([*children, *below], key=lambda one: one.path.labels)],
            "found": [gid(union) for union in [*children, *below]],  # the longer names last
            "union-queue": waiting,
            "queue": waiting,
            "own": registrations[::-1],
            "invites": [gid(invite) for invite in invites[::-1]],
            "events": events,
            "directory": [encode_id("Union", key) for key, _ in higher],
            "found-in-directory": [encode_id("Union", key) for key, _ in shorter_first],
        },
    )


# ── walking ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("size", [1, 2, 3, ROWS, 100])
async def test_walking_all_pages_gives_every_row_once_and_in_order(planted: Planted, name: str, size: int) -> None:
    expected = planted.rows[name]
    assert len(expected) >= ROWS
    seen: list[str] = []
    page = await planted.page(name, first=size)
    while True:
        info, nodes = page["pageInfo"], [node["id"] for node in page["nodes"]]
        assert nodes == [edge["node"]["id"] for edge in page["edges"]] and 0 < len(nodes) <= size
        cursors = [edge["cursor"] for edge in page["edges"]]
        assert (info["startCursor"], info["endCursor"]) == (cursors[0], cursors[-1])
        assert info["hasPreviousPage"] == bool(seen)
        seen += nodes
        assert info["hasNextPage"] == (len(seen) < len(expected))
        if not info["hasNextPage"]:
            break
        page = await planted.page(name, first=size, after=info["endCursor"])
    assert seen == expected


@pytest.mark.parametrize("name", LISTS)
async def test_any_rows_cursor_leads_on_from_it(planted: Planted, name: str) -> None:
    edges = (await planted.page(name, first=100))["edges"]
    for place, edge in enumerate(edges):
        page = await planted.page(name, first=2, after=edge["cursor"])
        assert [node["id"] for node in page["nodes"]] == planted.rows[name][place + 1 : place + 3]
    last = await planted.page(name, first=2, after=edges[-1]["cursor"])
    assert last["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None}


@pytest.mark.parametrize("name", LISTS)
async def test_the_usual_page_needs_no_number(planted: Planted, name: str) -> None:
    for page in (await planted.page(name), await planted.page(name, first=None, after=None)):
        assert [node["id"] for node in page["nodes"]] == planted.rows[name]


# ── what is no page ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_holds_1_to_100(planted: Planted, name: str) -> None:
    for wrong in (0, -1, 101, 10_000, 2**31 - 1, -(2**31)):
        assert await planted.refusal(name, first=wrong) == ("INVALID", "first")
    for right in (1, 100):
        assert (await planted.page(name, first=right))["nodes"]


async def test_a_refused_page_is_told_in_the_readers_language(planted: Planted) -> None:
    for language, sentence in (("zh-CN", "每页数量须为 1 至 100。"), ("en", "A page holds 1 to 100.")):
        planted.mayor.language = language
        [error] = (await planted.answer("queue", first=0))["errors"]
        assert error["message"] == sentence
    planted.mayor.language = "zh-CN"


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(":".join(map(str, parts)).encode()).decode().rstrip("=")


MADE_UP: Final = {
    "empty": "",
    "text": "x",
    "chinese": "游标",
    "nul": "\0",
    "spaces": "    ",
    "long": "A" * 100_000,
    "null": base64.b64encode(b"null").decode(),
    "number": base64.b64encode(b"1").decode(),
    "object": base64.b64encode(b'{"name": 1}').decode(),
    "nested": base64.b64encode(b"[" * 2000).decode(),
    "nothing": cursor(),
    "json": base64.b64encode(b'["children",1]').decode(),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_that_was_made_up_leads_nowhere(planted: Planted, name: str) -> None:
    for made_up in MADE_UP.values():
        assert await planted.refusal(name, after=made_up) == ("INVALID", "after")


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_of_another_list_leads_nowhere(planted: Planted, name: str) -> None:
    for other in LISTS:
        page = await planted.page(other, first=1)
        # The queue of a union and the queue of all that one sees are one list.
        if other == name or {other, name} == {"queue", "union-queue"}:
            assert (await planted.page(name, after=page["pageInfo"]["endCursor"]))["nodes"]
        else:
            assert await planted.refusal(name, after=page["pageInfo"]["endCursor"]) == ("INVALID", "after")


KEYS: Final[list[list[str]]] = [
    [],
    [""],
    ["NULL"],
    ["1,5"],
    ["+1"],
    ["01"],
    ["-0"],
    [" 1"],
    ["1_0"],
    ["１"],
    ["1"],
    ["z.10"],
    ["Z.1"],
    [str(2**63)],
    [str(-(2**63))],
    [str(10**30)],
    ["1", "1"],
    ["1", str(2**63)],
    [str(2**62), "1"],
    ["1", "z"],
    ["z", "1"],
    ["1", "1", "1"],
    ["1", "z", "1"],
    [str(2**40), str(-(2**40)), str(2**62)],
]
SOUND: Final[dict[str, list[list[str]]]] = {
    "descendants": [["1"], ["z.10"]],
    "found": [["1", "1", "1"], [str(2**40), str(-(2**40)), str(2**62)]],
    "found-in-directory": [["1", "1", "1"], [str(2**40), str(-(2**40)), str(2**62)]],
    "queue": [["1", "1"]],
    "union-queue": [["1", "1"]],
}

# Cursors of a search say which.
STAMP: Final = str(crc32("总工会".encode()))
STAMPS: Final = {"found": [STAMP], "found-in-directory": [STAMP]}


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_with_a_key_of_another_kind_leads_nowhere(planted: Planted, name: str) -> None:
    start = (await planted.page(name, first=1))["pageInfo"]["startCursor"]
    listed, *_ = base64.urlsafe_b64decode(start + "=" * (-len(start) % 4)).decode().split(":")
    for key in KEYS:
        after = cursor(listed, *STAMPS.get(name, []), *key)
        if key in SOUND.get(name, [["1"]]):
            await planted.page(name, after=after)
        else:
            assert await planted.refusal(name, after=after) == ("INVALID", "after"), key


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_that_was_tampered_with_is_none_or_another(planted: Planted, name: str) -> None:
    start = (await planted.page(name, first=3))["pageInfo"]["endCursor"]
    for place, character in enumerate(start):
        other = "B" if character == "A" else "A"
        answer = await planted.answer(name, "nodes { id }", after=start[:place] + other + start[place + 1 :])
        if "errors" in answer:
            [error] = answer["errors"]
            assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID", "after")
        else:
            page = await planted.page(name, "nodes { id }", after=start[:place] + other + start[place + 1 :])
            assert {node["id"] for node in page["nodes"]} <= set(planted.rows[name])


async def test_a_forged_key_shows_nothing_that_is_out_of_sight(planted: Planted) -> None:
    """A cursor says where to go on, not what may be seen."""
    for key in (0, 1, -5, 2**62):
        shown = (await planted.page("children", after=cursor("children", key)))["nodes"]
        assert {node["id"] for node in shown} <= set(planted.rows["children"])
    everything = await planted.page("queue", after=cursor("queue", -(10**15), 0))
    assert [node["id"] for node in everything["nodes"]] == planted.rows["queue"]


# ── counting ─────────────────────────────────────────────────────────────────────────────────


def counts(statement: str) -> bool:
    return "count(" in statement or "tally" in statement


@pytest.mark.parametrize("name", COUNTED)
async def test_a_list_is_counted_only_when_asked(planted: Planted, name: str) -> None:
    await planted.page(name, "nodes { id }", first=2)  # from here on the rights are remembered
    with planted.world.counted() as plain:
        await planted.page(name, "nodes { id }", first=2)
    with planted.world.counted() as counted:
        page = await planted.page(name, "nodes { id } totalCount", first=2)
    assert page["totalCount"] == len(planted.rows[name]) and len(page["nodes"]) == 2
    plain, counted = besides_permits(plain), besides_permits(counted)
    assert len(counted) == len(plain) == 1  # what they ask for, with who asks
    # By the tally where one is kept, and by walking the list where none is.
    assert [counts(one) for one in plain] == [False]
    assert [counts(one) for one in counted] == [True]


@pytest.mark.parametrize("name", COUNTED)
async def test_the_count_is_of_all_pages_together(planted: Planted, name: str) -> None:
    start = (await planted.page(name, first=3))["pageInfo"]["endCursor"]
    rest = await planted.page(name, "nodes { id } totalCount", first=100, after=start)
    assert (len(rest["nodes"]), rest["totalCount"]) == (len(planted.rows[name]) - 3, len(planted.rows[name]))


async def test_the_directory_is_searched_and_not_counted(planted: Planted) -> None:
    [error] = (await planted.answer("directory", "totalCount"))["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
