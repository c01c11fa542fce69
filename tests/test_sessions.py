"""Sign-ins: they end by themselves, are renewed, listed, and ended by their owner."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx
import pytest

from schema.ids import encode_id
from storage import sign_ins
from tests.people import PASSWORD, PHONE, hash_quickly, known, sign_in, signed_in
from tests.world import Client, World, codes
from web.asking import COOKIE

VIEWER = "{ viewer { account { realName } } }"
LISTED = "{ viewer { sessions { id current program bySecondFactor createdAt usedAt expiresAt } } }"
RENEW = "mutation { renewSession { token errors { code } } }"


async def is_in(client: Client) -> bool:
    return await client.ask(VIEWER) is not None


def by(client: Client, token: str) -> Client:
    return dataclasses.replace(client, token=token)


@pytest.fixture
async def registry(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    hash_quickly(monkeypatch)
    await known(world)
    return world


# ── they end by themselves ───────────────────────────────────────────────────────────────────


async def test_what_nobody_uses_ends_and_what_is_used_goes_on(registry: World) -> None:
    used, unused = await signed_in(registry), await signed_in(registry)
    [idle] = await registry.sql("select distinct idle_at - created_at from session")
    assert idle.days == 7
    await registry.sql(
        "update session set used_at = used_at - interval '6 days', idle_at = idle_at - interval '6 days'"
    )
    assert await is_in(used)
    await registry.sql("update session set idle_at = idle_at - interval '2 days'")
    assert await is_in(used) and not await is_in(unused)
    assert codes(await unused.do("endSessions", "ended")) == ["UNAUTHENTICATED"]


async def test_the_use_is_noted_once_in_a_while(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = await signed_in(registry)
    with registry.counted() as statements:
        await is_in(mine)
    assert not [one for one in statements if one.startswith("update")]
    await registry.sql("update session set used_at = now() - interval '6 minutes', idle_at = now() + interval '1 hour'")
    for passed, expected in ((0, 0), (sign_ins.UNNOTED_SECONDS + 1, 1), (sign_ins.UNNOTED_SECONDS + 1, 0)):
        later = monotonic() + passed
        monkeypatch.setattr(sign_ins, "monotonic", lambda later=later: later)
        with registry.counted() as statements:
            await is_in(mine)
        assert len([one for one in statements if one.startswith("update")]) == expected
    assert await registry.sql("select idle_at > now() + interval '6 days' from session") == [True]


async def test_no_use_makes_it_last_longer_than_it_may(registry: World) -> None:
    mine = await signed_in(registry)
    await registry.sql("update session set expires_at = now(), used_at = now() - interval '1 hour'")
    assert not await is_in(mine)
    assert (await mine.ask(RENEW))["token"] is None


# ── renewing ─────────────────────────────────────────────────────────────────────────────────


async def test_a_renewed_sign_in_goes_on_by_another_token(registry: World) -> None:
    mine = await signed_in(registry)
    [until] = await registry.sql("select expires_at from session")
    renewed = await mine.ask(RENEW)
    assert renewed["errors"] == [] and renewed["token"] != mine.token
    assert await is_in(by(mine, renewed["token"]))
    assert await registry.sql("select expires_at from session") == [until]
    assert (await registry.stranger().ask(RENEW))["errors"] == [{"code": "UNAUTHENTICATED"}]


async def test_the_former_token_works_for_a_minute_for_the_answer_may_be_lost(registry: World) -> None:
    mine = await signed_in(registry)
    lost = (await mine.ask(RENEW))["token"]
    assert await is_in(mine)
    again = (await mine.ask(RENEW))["token"]
    assert await is_in(mine) and await is_in(by(mine, again)) and not await is_in(by(mine, lost))


async def test_whoever_comes_with_it_later_ends_the_sign_in(registry: World) -> None:
    mine, other = await signed_in(registry), await signed_in(registry)
    renewed = by(mine, (await mine.ask(RENEW))["token"])
    await registry.sql("update session set renewed_at = now() - interval '61 seconds'")
    assert await is_in(renewed)
    assert not await is_in(mine)  # the thief, or the owner after the thief
    assert not await is_in(renewed)
    assert await is_in(other)


# ── listing and ending ───────────────────────────────────────────────────────────────────────


async def test_ones_own_sign_ins_are_listed(registry: World, path: None) -> None:
    phone = await signed_in(registry)
    await registry.sql("update session set program = 'WeChat'")
    desk = await signed_in(registry)
    await registry.person("别人")
    listed = (await desk.ask(LISTED))["sessions"]
    assert [(one["id"], one["current"], one["program"], one["bySecondFactor"]) for one in listed] == [
        (encode_id("Session", 2), True, None, False),
        (encode_id("Session", 1), False, "WeChat", False),
    ]
    await phone.ask("mutation { signOut { errors { code } } }")
    assert len((await desk.ask(LISTED))["sessions"]) == 1


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 MicroMessenger/8.0.50 Safari/604.1", "WeChat"),
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome"),
        ("curl/8.5.0", "curl"),
        ("something of 陈伟's".encode().decode("latin-1"), None),
    ],
)
async def test_a_sign_in_says_what_kind_of_program_opened_it(registry: World, agent: str, program: str | None) -> None:
    async with registry.stranger().http() as http:
        sent = {"graphql-preflight": "1", "user-agent": agent.encode("latin-1")}
        await http.post("/session", json={"phone": PHONE, "password": PASSWORD}, headers=sent)  # type: ignore[arg-type]
    assert await registry.sql("select program from session") == [program]
    [row] = await registry.sql("select s::text from session s")
    assert "Mozilla" not in row and "127.0.0.1" not in row


async def test_one_is_ended_and_the_others_stay(registry: World) -> None:
    here, there, elsewhere = [await signed_in(registry) for _ in range(3)]
    ended = await here.do("endSession", "errors { code }", sessionId=encode_id("Session", 2))
    assert ended["errors"] == []
    assert [await is_in(one) for one in (here, there, elsewhere)] == [True, False, True]
    assert codes(await here.do("endSession", "errors { code }", sessionId=encode_id("Session", 2))) == ["NOT_FOUND"]
    assert codes(await here.do("endSession", "errors { code }", sessionId=encode_id("Session", 1))) == []
    assert not await is_in(here)


async def test_somebody_elses_does_not_exist(registry: World) -> None:
    mine = await signed_in(registry)
    thief = await registry.person("别人")
    before = await registry.fingerprint()
    for wrong, code in ((encode_id("Session", 1), "NOT_FOUND"), (encode_id("Union", 1), "INVALID"), ("x", "INVALID")):
        assert codes(await thief.do("endSession", "errors { code }", sessionId=wrong)) == [code]
    assert codes(await registry.stranger().do("endSession", "errors { code }", sessionId=encode_id("Session", 1))) == [
        "UNAUTHENTICATED"
    ]
    assert await registry.fingerprint() == before and await is_in(mine)


@pytest.mark.parametrize("this_too", [False, True])
async def test_all_are_ended_at_once(registry: World, *, this_too: bool) -> None:
    here, there, elsewhere = [await signed_in(registry) for _ in range(3)]
    bystander = await registry.person("别人")
    assert await here.do("endSessions", "ended", thisToo=this_too) == {"ended": 2 + this_too, "errors": []}
    assert [await is_in(one) for one in (here, there, elsewhere, bystander)] == [not this_too, False, False, True]


# ── another password ─────────────────────────────────────────────────────────────────────────


async def change(client: Client, current: str = PASSWORD, new: str = "another battery") -> dict[str, Any]:
    return await client.do(
        "changePassword", "token viewer { account { realName } }", currentPassword=current, newPassword=new
    )


async def test_another_password_ends_every_other_sign_in(registry: World) -> None:
    mine, thief, bystander = await signed_in(registry), await signed_in(registry), await registry.person("别人")
    changed = await change(mine)
    assert changed["errors"] == [] and changed["viewer"] == {"account": {"realName": "陈伟"}}
    assert isinstance(changed["token"], str) and await is_in(by(mine, changed["token"]))
    assert not await is_in(thief) and await is_in(bystander)
    assert not await is_in(mine)  # nor whoever has copied the token, who does not end the sign-in by trying it
    assert await is_in(by(mine, changed["token"]))
    assert codes(await sign_in(registry.stranger())) == ["CREDENTIALS_INVALID"]
    assert codes(await sign_in(registry.stranger(), password="another battery")) == []
    assert await registry.sql("select action, actor_id from event where actor_id is not null") == [
        ("account.passwordSet", 1)
    ]


@pytest.mark.parametrize(
    ("current", "new", "refusal"),
    [
        ("wrong", "another battery", ("CREDENTIALS_INVALID", ["currentPassword"])),
        (PASSWORD, "short", ("INVALID", ["newPassword"])),
        (PASSWORD, "x" * 201, ("INVALID", ["newPassword"])),
        *((PASSWORD, easy, ("INVALID", ["newPassword"])) for easy in (PASSWORD, "12345678", "zyxwvuts", " " * 8)),
        *((PASSWORD, easy, ("INVALID", ["newPassword"])) for easy in ("88888888", "abcabcabc", PHONE, f"a{PHONE}")),
    ],
)
async def test_a_password_that_is_refused_changes_nothing(
    registry: World, current: str, new: str, refusal: tuple[str, list[str]]
) -> None:
    mine, other = await signed_in(registry), await signed_in(registry)
    before = await registry.fingerprint()
    refused = await change(mine, current, new)
    [error] = refused["errors"]
    assert (error["code"], error["path"]) == refusal and refused["token"] is None
    assert await registry.fingerprint() == before
    assert await is_in(other)
    assert codes(await change(registry.stranger())) == ["UNAUTHENTICATED"]


async def test_a_thief_with_a_token_guesses_no_faster(registry: World) -> None:
    thief = await signed_in(registry)
    told = [codes(await change(thief, f"wrong {number}"))[0] for number in range(12)]
    assert told == ["CREDENTIALS_INVALID"] * 10 + ["RATE_LIMITED"] * 2
    assert codes(await sign_in(registry.stranger("203.0.113.7"))) == []  # the owner, elsewhere


# ── in a browser ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def browser(registry: World) -> AsyncIterator[httpx.AsyncClient]:
    async with registry.stranger().http() as http:
        http.headers["graphql-preflight"] = "1"
        await http.post("/session", json={"phone": PHONE, "password": PASSWORD})
        yield http


async def test_the_cookie_follows_another_password_and_no_script_sees_it(browser: httpx.AsyncClient) -> None:
    before = browser.cookies[COOKIE]
    query = """mutation($i: ChangePasswordInput!) { changePassword(input: $i) { token errors { code } } }"""
    wanted = {"currentPassword": PASSWORD, "newPassword": "another battery"}
    changed = await browser.post("/graphql", json={"query": query, "variables": {"i": wanted}})
    assert changed.json()["data"] == {"changePassword": {"token": None, "errors": []}}
    assert "httponly" in changed.headers["set-cookie"].lower()
    assert browser.cookies[COOKIE] != before
    assert (await browser.get("/session")).json()["account"] is not None


async def test_once_a_day_the_page_gets_another_cookie(browser: httpx.AsyncClient, registry: World) -> None:
    fresh = await browser.get("/session")
    assert "set-cookie" not in fresh.headers
    await registry.sql("update session set renewed_at = now() - interval '25 hours'")
    before = browser.cookies[COOKIE]
    worn = await browser.get("/session")
    assert worn.json() == fresh.json() and browser.cookies[COOKIE] != before
    assert "set-cookie" not in (await browser.get("/session")).headers
