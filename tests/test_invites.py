"""组织登记二维码: making codes, showing them, and taking them back."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import func

from models.permissions import Role
from schema.ids import decode_id
from server import create_app
from storage.settings import Settings
from tests.test_qr import drawn
from tests.world import GRASSROOTS, Client, World, codes, gid, told

INVITE = "invite { id token status uses maxUses expiresAt url }"


def read_back(uri: str) -> list[str]:
    """What a scanner reads from a picture in a data: URI."""
    kind, _, content = uri.partition(";base64,")
    picture = b64decode(content, validate=True)
    if kind == "data:image/svg+xml":
        image = drawn(picture.decode())
    else:
        assert kind == "data:image/png"
        image = Image.open(io.BytesIO(picture))
    return [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]


# ── making one ───────────────────────────────────────────────────────────────────────────────


async def test_a_code_is_open_at_once_and_for_as_long_as_its_limits_say(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    unlimited = (await mayor.do("createInvite", INVITE, unionId=gid(union)))["invite"]
    token = unlimited["token"]
    assert re.fullmatch(r"[0-9A-Za-z_-]{22}", token)
    assert unlimited == {
        "id": unlimited["id"],
        "token": token,
        "status": "OPEN",
        "uses": 0,
        "maxUses": None,
        "expiresAt": None,
        "url": f"http://union.test/i/{token}",
    }
    limited = await mayor.do(
        "createInvite", INVITE, unionId=gid(union), maxUses=1_000_000, expiresAt="2099-05-01T09:30:00+08:00"
    )
    assert limited["invite"]["maxUses"] == 1_000_000
    assert limited["invite"]["expiresAt"] == "2099-05-01T01:30:00+00:00"
    assert await world.sql("select action, actor_id, union_id, details from event order by id") == [
        ("invite.created", mayor.account_id, union.id, {"invite": str(decode_id(made["id"], "Invite"))})
        for made in (unlimited, limited["invite"])
    ]  # an event holds no token


@pytest.mark.parametrize(
    ("limits", "path", "sentence"),
    [
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt", "时间已过，请选择将来的时间。"),
        ({"expiresAt": "0001-01-01T00:00:00Z"}, "expiresAt", "时间已过，请选择将来的时间。"),
        ({"maxUses": 0}, "maxUses", "须在 1 至 1000000 之间。"),
        ({"maxUses": -1}, "maxUses", "须在 1 至 1000000 之间。"),
        ({"maxUses": 1_000_001}, "maxUses", "须在 1 至 1000000 之间。"),
        ({"idempotencyKey": ""}, "idempotencyKey", "幂等键须为 1 至 200 个可见 ASCII 字符。"),
    ],
    ids=["past", "long-past", "none", "negative", "too-many", "key"],
)
async def test_a_limit_lies_ahead(world: World, limits: dict[str, Any], path: str, sentence: str) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    before = await world.fingerprint()
    refused = await mayor.do("createInvite", INVITE, unionId=gid(union), **limits)
    assert refused == {"invite": None, "errors": [{"code": "INVALID", "path": [path], "message": sentence}]}
    assert await world.fingerprint() == before

    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert codes(await mayor.do("createInvite", INVITE, unionId=gid(union), expiresAt=soon, maxUses=1)) == []


async def test_everything_can_be_wrong_at_once(world: World) -> None:
    union = await world.union("某厂工会", kind=GRASSROOTS)
    officer = await world.administrator(union)
    wrong = {"expiresAt": "2020-01-01T00:00:00Z", "maxUses": 0, "idempotencyKey": ""}
    refused = await officer.do("createInvite", INVITE, unionId=gid(union), **wrong)
    invalid = {("INVALID", field) for field in wrong}
    assert told(refused) == {("PARENT_IS_GRASSROOTS", "unionId"), *invalid}
    assert await world.rows("invite") == 0


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("fraction", ["", ".25", ".0001", ".000001", ".999999"])
async def test_a_moment_is_told_with_as_many_digits_as_it_has(world: World, fraction: str) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    moment = f"2099-05-01T01:30:00{fraction}+00:00"
    made = await mayor.do("createInvite", "invite { expiresAt }", unionId=gid(union), expiresAt=moment)
    read = await mayor.ask("query($id: ID!) { union(id: $id) { invites { nodes { expiresAt } } } }", id=gid(union))
    assert made["invite"] == read["invites"]["nodes"][0] == {"expiresAt": moment}


@pytest.mark.parametrize(
    "moment",
    [
        "2099-05-01T09:30:00",  # of which clock?
        "2099-05-01",
        "tomorrow",
        "",
        4081239000,
        True,
        "2099-13-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",  # the year 10000
        "0001-01-01T00:00:00+14:00",
    ],
    ids=str,
)
async def test_a_moment_without_its_offset_or_that_is_none_is_no_input(world: World, moment: object) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    query = "mutation($i: CreateInviteInput!) { createInvite(input: $i) { errors { code } } }"
    before = await world.fingerprint()
    [error] = (await mayor.answer(query, i={"unionId": gid(union), "expiresAt": moment}))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT" and "RFC 3339" in error["message"]
    assert await world.fingerprint() == before
    assert codes(await mayor.ask(query, i={"unionId": gid(union), "expiresAt": "2099-05-01T09:30:00.5+08:00"})) == []


async def test_only_those_who_manage_a_union_share_its_codes(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    leaf, gone = await world.union("某厂工会", city, GRASSROOTS), await world.union("已撤销的工会", city)
    await world.dissolve(gone)
    governor, reviewer, analyst = await world.administrator(province), await world.person(), await world.person()
    await world.appoint(reviewer, city, Role.REVIEWER)
    await world.appoint(analyst, city, Role.ANALYST)
    outsider = await world.administrator(await world.union("广州市总工会", province))

    async def make(somebody: Client, union: str) -> set[tuple[str, str]]:
        return told(await somebody.do("createInvite", "invite { id }", unionId=union))

    before = await world.fingerprint()
    assert await make(reviewer, gid(city)) == await make(analyst, gid(city)) == {("FORBIDDEN", "unionId")}
    assert await make(outsider, gid(city)) == await make(governor, "VW5pb246OTk5") == {("NOT_FOUND", "unionId")}
    assert await make(world.stranger(), gid(city)) == {("UNAUTHENTICATED", "")}
    assert await make(governor, "Union:1") == {("INVALID", "unionId")}
    assert await make(governor, gid(leaf)) == {("PARENT_IS_GRASSROOTS", "unionId")}
    assert await make(governor, gid(gone)) == {("PARENT_DISSOLVED", "unionId")}
    assert await world.fingerprint() == before
    assert await make(governor, gid(city)) == set()


async def test_the_same_wish_under_the_same_key_is_one_code(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    wish = {"unionId": gid(union), "maxUses": 5, "expiresAt": "2099-01-01T00:00:00Z", "idempotencyKey": "k"}
    first = await mayor.do("createInvite", INVITE, **wish)
    before = await world.fingerprint()
    assert await mayor.do("createInvite", INVITE, **wish) == first
    for other in ({"maxUses": 6}, {"expiresAt": None}):
        refused = await mayor.do("createInvite", INVITE, **{**wish, **other})
        assert told(refused) == {("IDEMPOTENCY_CONFLICT", "idempotencyKey")}
    assert await world.fingerprint() == before
    assert codes(await mayor.do("createInvite", INVITE, **{**wish, "idempotencyKey": "another"})) == []


# ── taking one back ──────────────────────────────────────────────────────────────────────────


async def test_revoking_twice_is_revoking_once(world: World) -> None:
    union, applicant = await world.union("深圳市总工会"), await world.person()
    mayor, code = await world.administrator(union), await world.invite(union)
    for _ in range(2):
        revoked = await mayor.do("revokeInvite", "invite { status token }", inviteId=gid(code))
        assert revoked == {"invite": {"status": "REVOKED", "token": code.token}, "errors": []}
    assert await world.sql("select action from event") == ["invite.revoked"]
    assert codes(await applicant.register(code)) == ["INVITE_REVOKED"]


async def test_only_those_who_manage_a_union_take_its_codes_back(world: World) -> None:
    union, analyst = await world.union("深圳市总工会"), await world.person()
    await world.appoint(analyst, union, Role.ANALYST)
    mayor, outsider = await world.administrator(union), await world.administrator(await world.union("广州市总工会"))
    code = await world.invite(union)

    async def revoke(somebody: Client, invite: str) -> set[tuple[str, str]]:
        return told(await somebody.do("revokeInvite", "invite { id }", inviteId=invite))

    before = await world.fingerprint()
    assert await revoke(analyst, gid(code)) == {("FORBIDDEN", "inviteId")}
    assert await revoke(outsider, gid(code)) == {("NOT_FOUND", "inviteId")}
    assert await revoke(world.stranger(), gid(code)) == {("UNAUTHENTICATED", "")}
    assert await revoke(mayor, gid(union)) == {("INVALID", "inviteId")}
    assert await world.fingerprint() == before
    assert await revoke(mayor, gid(code)) == set()


# ── showing one ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({}, "OPEN"),
        ({"expires_at": func.now() + func.make_interval(0, 0, 0, 0, 0, 1), "max_uses": 1}, "OPEN"),
        ({"expires_at": func.now()}, "EXPIRED"),
        ({"max_uses": 1, "uses": 1}, "EXHAUSTED"),
        ({"expires_at": func.now(), "max_uses": 1, "uses": 1}, "EXPIRED"),
        ({"revoked_at": func.now(), "expires_at": func.now()}, "REVOKED"),
    ],
    ids=["open", "limited", "expired", "exhausted", "expired-first", "revoked-first"],
)
async def test_whoever_holds_a_code_reads_its_card_and_how_it_stands(
    world: World, limits: dict[str, Any], status: str
) -> None:
    """By the database's clock: what is written there as `now()` has passed by the next question."""
    union = await world.union("深圳市总工会", await world.union("广东省总工会"), region="440300")
    code = await world.invite(union, **limits)
    query = """query($c: String!) { invite(code: $c) { status
        card { id name kind parentName contactPhone region { name } } } }"""
    card = {
        "id": gid(union),
        "name": "深圳市总工会",
        "kind": "HIGHER_LEVEL",
        "parentName": "广东省总工会",
        "contactPhone": None,
        "region": {"name": "深圳市"},
    }
    url = f"http://union.test/i/{code.token}"
    for spelling in (code.token, f"i={code.token}", url, quote(url, safe=""), f"{url}/?from=x#top"):
        assert await world.stranger().ask(query, c=spelling) == {"status": status, "card": card}
    for wrong in ("A" * 22, "", f"{code.token}x", code.token.swapcase(), f"http://union.test/j/{code.token}"):
        assert await world.stranger().ask(query, c=wrong) is None


async def test_the_pictures_hold_the_link_and_the_link_to_the_form(world: World) -> None:
    union = await world.union("深圳市总工会")
    code = await world.invite(union)
    shown = await world.stranger().ask(
        """query($c: String!) { invite(code: $c) { url qrCode svg: qrCode(format: SVG)
            registrationQrCode form: registrationQrCode(format: SVG) } }""",
        c=code.token,
    )
    url = f"http://union.test/i/{code.token}"
    assert shown["url"] == url
    assert read_back(shown["qrCode"]) == read_back(shown["svg"]) == [url]
    assert read_back(shown["registrationQrCode"]) == read_back(shown["form"]) == [f"{url}?register"]


async def test_the_app_is_told_which_page_to_open_once_it_is_configured(world: World, settings: Settings) -> None:
    code = await world.invite(await world.union("深圳市总工会"))
    query = "query($c: String!) { invite(code: $c) { launch { appId originalId path query scene } } }"
    known = {"query": f"i={code.token}", "scene": f"i={code.token}"}
    bare = {"appId": None, "originalId": None, "path": "pages/register/index"}
    assert await world.stranger().ask(query, c=code.token) == {"launch": {**bare, **known}}
    assert re.fullmatch(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}", known["scene"])

    wechat = {"wechat_app_id": "wx0123456789abcdef", "wechat_original_id": "gh_abc", "wechat_page": "pages/join"}
    app = create_app(settings.model_copy(update=wechat))
    async with app.router.lifespan_context(app):
        launch = await World(app).stranger().ask(query, c=code.token)
    configured = {"appId": "wx0123456789abcdef", "originalId": "gh_abc", "path": "pages/join"}
    assert launch == {"launch": {**configured, **known}}
