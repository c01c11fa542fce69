"""Global ids: typed and opaque, one spelling each."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Code, Rejected
from models.union import TradeUnion
from schema.ids import decode_any_id, decode_id, encode_id
from tests.world import Client, World, gid

NODE: Final = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES: Final = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


def raw(text: str | bytes) -> str:
    """Any bytes spelled as an id is."""
    content = text if isinstance(text, bytes) else text.encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


GARBAGE: Final = {
    "empty": "",
    "plain": "Union:1",
    "number": "1",
    "leading-zero": raw("Union:01"),
    "zero": raw("Union:0"),
    "negative": raw("Union:-1"),
    "plus": raw("Union:+1"),
    "underscore": raw("Union:1_0"),
    "space": raw("Union: 1"),
    "arabic": raw("Union:١"),
    "lower-case": raw("union:1"),
    "upper-case": raw("UNION:1"),
    "no-key": raw("Union:"),
    "no-type": raw(":1"),
    "two": raw("Union:1:1"),
    "newline": raw("Union:1\n"),
    "nul": raw("Union:1\0"),
    "overflow": raw(f"Union:{2**63}"),
    "endless": raw(f"Union:{10**400}"),
    "no-text": raw(b"\xff\xfe"),
    "padded": base64.urlsafe_b64encode(b"Union:10").decode() + "=",
    "padded-rightly": base64.urlsafe_b64encode(b"Union:1000").decode() + "==",
    "inner-junk": raw("Union:1")[:4] + "\n" + raw("Union:1")[4:],
    "other-last-bits": raw("Union:10")[:-1] + "B",
    "standard-alphabet": "+/" + raw("Union:1"),
    "chinese": "工会",
    "unknown-type": raw("Session:1"),
    "made-up-type": raw("Query:1"),
    "long": "A" * 100_000,
}


@pytest.mark.parametrize("spelling", GARBAGE)
async def test_what_is_no_id_is_told_wherever_an_id_stands(world: World, spelling: str) -> None:
    union = await world.union("深圳市总工会")
    mayor, text = await world.administrator(union), GARBAGE[spelling]
    for query, argument in (
        (NODE, "id"),
        ("query($id: ID!) { union(id: $id) { id } }", "id"),
        ("query($id: ID!) { registration(id: $id) { id } }", "id"),
        ("query($id: ID!) { pendingReviews(under: $id) { nodes { id } } }", "under"),
        ("query($id: ID!) { nodes(ids: [$id]) { id } }", "ids"),
    ):
        [error] = (await mayor.answer(query, id=text))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID", argument)
    refused = await mayor.do("createInvite", "invite { id }", unionId=text)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID", ["unionId"])]
    assert (await mayor.ask(NODE, id=gid(union)))["id"] == gid(union)


async def test_an_id_of_another_type_is_told_as_such(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    for language, sentence in (
        ("zh-CN", "编号无效：此处需要 Union 的编号。"),
        ("en", "This is not the id of a Union."),
    ):
        mayor.language = language
        answer = await mayor.answer("query($id: ID!) { union(id: $id) { id } }", id=mayor.gid)
        [error] = answer["errors"]
        assert error["message"] == sentence and error["extensions"] == {"code": "INVALID", "argument": "id"}
        assert answer["data"] == {"union": None}


async def everything(world: World) -> tuple[Client, dict[str, str]]:
    """An administrator, and one thing of every type that they may see."""
    union = await world.union("深圳市总工会")
    mayor, applicant = await world.administrator(union), await world.person()
    certificate = await applicant.certificate()
    registration = await applicant.registered(union, certificateId=certificate)
    return mayor, {
        "Union": gid(union),
        "Registration": registration,
        "Invite": gid(await world.invite(union)),
        "Certificate": certificate,
        "Account": applicant.gid,
        "Appointment": encode_id("Appointment", 1),
        "Event": encode_id("Event", 1),
    }


async def test_everything_with_an_id_is_found_by_it_and_nothing_out_of_sight(world: World) -> None:
    mayor, things = await everything(world)
    outsider, stranger = await world.administrator(await world.union("广州市总工会")), world.stranger()
    for name, key in things.items():
        assert await mayor.ask(NODE, id=key) == {"__typename": name, "id": key}
        for nobody in (outsider, stranger):
            assert await nobody.ask(NODE, id=key) is None
        assert await mayor.ask(NODE, id=encode_id(name, 2**63 - 1)) is None


async def test_many_are_given_in_the_order_asked_and_null_where_there_is_none(world: World) -> None:
    mayor, things = await everything(world)
    missing = encode_id("Union", 999)
    asked = [*reversed(things.values()), missing, things["Union"], things["Union"]]
    found = await mayor.ask(NODES, ids=asked)
    assert [one and one["id"] for one in found] == [None if key == missing else key for key in asked]
    assert await mayor.ask(NODES, ids=[]) == []


async def test_at_most_a_hundred_are_asked_for_at_once(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    assert len(await mayor.ask(NODES, ids=[gid(union)] * 100)) == 100
    [error] = (await mayor.answer(NODES, ids=[gid(union)] * 101))["errors"]
    assert error["extensions"] == {"code": "INVALID", "argument": "ids"}
    assert error["message"] == "一次最多查询 100 个编号。"


async def test_one_id_that_is_none_refuses_them_all(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    answer: dict[str, Any] = await mayor.answer(NODES, ids=[gid(union), "x"])
    assert answer["data"] is None and len(answer["errors"]) == 1


async def test_a_union_is_found_by_its_place_by_those_who_see_it(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    mayor, outsider = await world.administrator(city), await world.person()
    at = "query($p: TreePath!) { unionAt(path: $p) { name } }"
    assert await mayor.ask(at, p=str(city.path)) == {"name": "深圳市总工会"}
    for nobody, path in ((mayor, province.path), (outsider, city.path), (mayor, "1.2.3"), (mayor, "z")):
        assert await nobody.ask(at, p=str(path)) is None


@pytest.mark.parametrize(
    "path", ["", "A", "1..2", "01", "1.", 1, None, ["1"], ".".join("1" * 18), "1\0", "1.*"], ids=repr
)
async def test_what_is_no_place_is_no_input(world: World, path: object) -> None:
    [error] = (await world.stranger().answer("query($p: TreePath!) { unionAt(path: $p) { name } }", p=path))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


# ── the spelling itself ──────────────────────────────────────────────────────────────────────


@given(st.sampled_from(["Union", "Registration", "Account", "Event"]), st.integers(1, 2**63 - 1))
def test_an_id_gives_its_type_and_key_back(name: str, key: int) -> None:
    text = encode_id(name, key)
    assert decode_any_id(text) == (name, key) and decode_id(text, name) == key
    assert "=" not in text and text.isascii()
    with pytest.raises(Rejected) as refused:
        decode_id(text, "Invite")
    assert [problem.code for problem in refused.value.problems] == [Code.INVALID]


@given(st.binary(max_size=30).map(raw) | st.text(max_size=30))
def test_only_what_was_given_out_is_taken_back(text: str) -> None:
    try:
        name, key = decode_any_id(text)
    except Rejected:
        return
    assert encode_id(name, key) == text


def test_a_row_is_named_by_its_graphql_type() -> None:
    assert gid(TradeUnion(id=1)) == "VW5pb246MQ"


@pytest.mark.parametrize("kind", ["Invite", "Event", "Union"])
async def test_of_a_thing_of_another_type_nothing_is_shown(world: World, path: None, kind: str) -> None:
    """The answer is an object without fields, as the specification has it."""
    union = await world.union("省")
    mayor = await world.administrator(union)
    made = await mayor.do("createInvite", "invite { id }", unionId=gid(union))
    other = {"Invite": made["invite"]["id"], "Event": encode_id("Event", 1), "Union": gid(union)}[kind]
    assert await mayor.ask("query($id: ID!) { node(id: $id) { ... on Account { id } } }", id=other) == {}
