"""Lists narrowed down: by kind, depth, name, code, region, status and reach."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest

from models.union import TradeUnion
from tests.world import EMPLOYER, GRASSROOTS, Client, World, codes, credit_code, gid

CODE: Final = credit_code("89", 42)


async def names(client: Client, union: TradeUnion, page: str) -> list[str]:
    """The names on a page of a union's list."""
    found = await client.ask(
        f"query($id: ID!) {{ union(id: $id) {{ page: {page} {{ nodes {{ name }} }} }} }}", id=gid(union)
    )
    return [node["name"] for node in found["page"]["nodes"]]


async def tree(world: World) -> tuple[TradeUnion, Client]:
    """省 > 市 > 区 > 厂, and 铁路 beside 市."""
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province, region="440300", uscc=CODE)
    district = await world.union("南山区总工会", city, region="440305")
    await world.union("华强ABC电子厂工会", district, GRASSROOTS, region="440305")
    await world.union("铁路工会100%_\\", province, GRASSROOTS, region="440103")
    await world.sql(
        "update trade_union set former_names = '{宝安县总工会, 宝深区总工会}' where id = :id", id=district.id
    )
    return province, await world.administrator(province)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("children", ["深圳市总工会", "铁路工会100%_\\"]),
        ("children(kind: HIGHER_LEVEL)", ["深圳市总工会"]),
        ("children(kind: GRASSROOTS)", ["铁路工会100%_\\"]),
        ("children(kind: null)", ["深圳市总工会", "铁路工会100%_\\"]),
        ("descendants(kind: GRASSROOTS)", ["华强ABC电子厂工会", "铁路工会100%_\\"]),
        ("descendants(maxDepth: 1)", ["深圳市总工会", "铁路工会100%_\\"]),
        ("descendants(maxDepth: 2, kind: HIGHER_LEVEL)", ["深圳市总工会", "南山区总工会"]),
        ("descendants(maxDepth: 3, kind: GRASSROOTS)", ["华强ABC电子厂工会", "铁路工会100%_\\"]),
        ("descendants(maxDepth: 0)", []),
        ("descendants(maxDepth: -1)", []),
        ("descendants(maxDepth: -2147483648)", []),
        ("descendants(maxDepth: 2147483647, kind: HIGHER_LEVEL)", ["深圳市总工会", "南山区总工会"]),
    ],
)
async def test_a_subtree_is_narrowed_by_kind_and_depth(world: World, page: str, found: list[str]) -> None:
    province, governor = await tree(world)
    assert await names(governor, province, page) == found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 4),
        (" \u3000", 4),
        ("总工会", ["深圳市总工会", "南山区总工会"]),
        ("南 山", ["南山区总工会"]),
        ("abc", ["华强ABC电子厂工会"]),
        ("ＡＢＣ", ["华强ABC电子厂工会"]),
        ("宝安", ["南山区总工会"]),
        ("宝深区", ["南山区总工会"]),
        (CODE[:6], ["深圳市总工会"]),
        (CODE.lower(), ["深圳市总工会"]),
        (CODE[1:], []),
        ("%", ["铁路工会100%_\\"]),
        ("_", ["铁路工会100%_\\"]),
        ("\\", ["铁路工会100%_\\"]),
        ("'; drop table event; --", []),
        ("北京", []),
        ("工" * 200, []),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_a_search_finds_names_now_and_before_and_how_codes_start(
    world: World, search: str, found: list[str] | int
) -> None:
    province, governor = await tree(world)
    query = "query($id: ID!, $s: String) { union(id: $id) { descendants(search: $s) { nodes { name } totalCount } } }"
    page = (await governor.ask(query, id=gid(province), s=search))["descendants"]
    listed = [node["name"] for node in page["nodes"]]
    assert page["totalCount"] == len(listed)
    assert len(listed) == found if isinstance(found, int) else listed == found


@pytest.mark.parametrize(("search", "code"), [("x" * 201, "TOO_LONG"), ("深\0圳", "INVALID")], ids=["long", "nul"])
async def test_what_no_name_can_hold_is_no_search(world: World, search: str, code: str) -> None:
    province, governor = await tree(world)
    below = "query($id: ID!, $s: String) { union(id: $id) { descendants(search: $s) { nodes { id } } } }"
    directory = "query($s: String!) { unionDirectory(search: $s) { nodes { id } } }"
    for answer in (
        await governor.answer(below, id=gid(province), s=search),
        await governor.answer(directory, s=search),
    ):
        [error] = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == (code, "search")


# ── the directory ────────────────────────────────────────────────────────────────────────────

DIRECTORY: Final = "query($s: String!, $r: String) { unionDirectory(search: $s, regionCode: $r) { nodes { name } } }"


@pytest.mark.parametrize(
    ("search", "region", "found"),
    [
        ("总工会", None, ["广东省总工会", "深圳市总工会", "南山区总工会"]),
        ("总工会", "440000", ["广东省总工会", "深圳市总工会", "南山区总工会"]),
        ("总工会", "440300", ["深圳市总工会", "南山区总工会"]),
        ("总工会", "440305", ["南山区总工会"]),
        ("总工会", "440306", []),
        ("总工会", "110000", []),
        ("ABC", None, []),  # a grassroots union takes no children
        (CODE[:4], None, ["深圳市总工会"]),
        ("", "440305", ["南山区总工会"]),
    ],
)
async def test_anyone_signed_in_searches_the_directory(
    world: World, search: str, region: str | None, found: list[str]
) -> None:
    await tree(world)
    gone = await world.union("已撤销总工会", region="440300")
    await world.dissolve(gone)
    applicant = await world.person()
    page = await applicant.ask(DIRECTORY, s=search, r=region)
    assert [node["name"] for node in page["nodes"]] == found


async def test_a_cursor_of_the_directory_does_not_tell_where_a_union_is(world: World) -> None:
    hidden = await world.union("深圳市总工会", await world.union("广东省总工会"))
    page = await (await world.person()).ask(
        "query($s: String!) { unionDirectory(search: $s) { edges { cursor node { name } } } }", s="深圳"
    )
    [edge] = page["edges"]
    inside = base64.urlsafe_b64decode(edge["cursor"] + "==").decode()
    assert edge["node"]["name"] == hidden.name and str(hidden.path) not in inside


async def test_the_directory_wants_a_sign_in_and_a_region_code_that_can_be(world: World) -> None:
    await tree(world)
    [error] = (await world.stranger().answer(DIRECTORY, s="总工会"))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    applicant = await world.person()
    for wrong in ("", "44", "%", "440305\0", "四四"):
        [error] = (await applicant.answer(DIRECTORY, s="总工会", r=wrong))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("REGION_UNKNOWN", "regionCode")
    assert (await applicant.ask(DIRECTORY, s="总工会"))["nodes"]


# ── queues and histories ─────────────────────────────────────────────────────────────────────


async def waiting_everywhere(world: World) -> tuple[TradeUnion, TradeUnion, Client, Client]:
    """Registrations at a province, its city and the city's district; who is appointed to the first two."""
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    district = await world.union("南山区总工会", city)
    applicant = await world.person()
    for union, name in ((province, "省"), (city, "市"), (district, "区")):
        await applicant.registered(union, name=name)
    await applicant.withdraw(await applicant.registered(city, name="撤回"))
    return province, city, await world.administrator(province), await world.administrator(city)


async def test_a_queue_is_direct_or_of_all_below(world: World) -> None:
    province, city, governor, mayor = await waiting_everywhere(world)
    assert await names(governor, province, "pendingReviews") == ["省", "市", "区"]
    assert await names(governor, province, "pendingReviews(scope: DIRECT)") == ["省"]
    assert await names(governor, city, "pendingReviews") == ["市", "区"]
    assert await names(mayor, city, "pendingReviews(scope: DIRECT)") == ["市"]

    query = "query($u: ID, $s: TreeScope!) { pendingReviews(under: $u, scope: $s) { nodes { name } totalCount } }"

    async def queue(reader: Client, scope: str, under: TradeUnion | None = None) -> list[str]:
        page = await reader.ask(query, s=scope, u=gid(under) if under else None)
        assert page["totalCount"] == len(page["nodes"])
        return [node["name"] for node in page["nodes"]]

    assert await queue(governor, "SUBTREE") == ["省", "市", "区"]
    assert await queue(governor, "DIRECT") == ["省"]
    assert await queue(governor, "SUBTREE", city) == ["市", "区"]
    assert await queue(governor, "DIRECT", city) == ["市"]
    assert await queue(mayor, "SUBTREE") == ["市", "区"]
    assert await queue(world.stranger(), "SUBTREE") == []


async def test_a_queue_under_a_union_out_of_sight_is_not_found(world: World) -> None:
    province, _, _, mayor = await waiting_everywhere(world)
    query = "query($u: ID!) { pendingReviews(under: $u) { nodes { id } } }"
    for under, code in ((gid(province), "NOT_FOUND"), ("VW5pb246OTk5", "NOT_FOUND"), ("x", "INVALID")):
        [error] = (await mayor.answer(query, u=under))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == (code, "under")


async def test_ones_own_registrations_are_narrowed_by_status(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor = await world.administrator(city)
    names = ["待", "过", "不过", "撤"]
    pending, approved, rejected, withdrawn = [await applicant.registered(city, name=name) for name in names]
    assert codes(await mayor.review(approved)) == codes(await mayor.review(rejected, "REJECT", opinion="重拍")) == []
    await applicant.withdraw(withdrawn)
    query = "query($s: RegistrationStatus) { viewer { registrations(status: $s) { nodes { name } totalCount } } }"

    async def own(status: str | None) -> dict[str, Any]:
        page: dict[str, Any] = (await applicant.ask(query, s=status))["registrations"]
        return page

    for status, name in zip(("PENDING", "APPROVED", "REJECTED", "WITHDRAWN"), names, strict=True):
        assert await own(status) == {"nodes": [{"name": name}], "totalCount": 1}
    assert [node["name"] for node in (await own(None))["nodes"]] == names[::-1]
    assert pending


async def test_a_history_is_direct_or_of_all_below(world: World) -> None:
    province, city, governor, mayor = await waiting_everywhere(world)

    async def history(reader: Client, union: TradeUnion, scope: str) -> list[str]:
        query = f"query($id: ID!) {{ union(id: $id) {{ events(scope: {scope}) {{ nodes {{ summary }} }} }} }}"
        return [node["summary"] for node in (await reader.ask(query, id=gid(union)))["events"]["nodes"]]

    assert await history(governor, province, "DIRECT") == ["省提交登记"]
    at_city = ["撤回撤回登记", "撤回提交登记", "市提交登记"]
    assert await history(mayor, city, "DIRECT") == at_city
    assert await history(mayor, city, "SUBTREE") == [*at_city[:2], "区提交登记", at_city[2]]
    assert await history(governor, province, "SUBTREE") == [*at_city[:2], "区提交登记", at_city[2], "省提交登记"]


async def test_what_comes_between_two_pages_shifts_neither(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor = await world.administrator(city)
    for name in "一二三四":
        await applicant.registered(city, name=name, employer=EMPLOYER)
    history = """query($id: ID!, $after: String) { union(id: $id) { events(first: 2, after: $after) {
        nodes { summary } pageInfo { endCursor hasNextPage } } } }"""
    first = (await mayor.ask(history, id=gid(city)))["events"]
    await applicant.registered(city, name="五")
    second = (await mayor.ask(history, id=gid(city), after=first["pageInfo"]["endCursor"]))["events"]
    listed = [node["summary"] for node in [*first["nodes"], *second["nodes"]]]
    assert listed == ["四提交登记", "三提交登记", "二提交登记", "一提交登记"]
    assert not second["pageInfo"]["hasNextPage"]
