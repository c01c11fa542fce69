"""登录、退出: a phone and a password open a sign-in, and its token is told once."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from typing import Any, Final

import pytest
from argon2.exceptions import VerificationError

from resolvers import passwords
from resolvers.founding import create_account, set_password
from tests.world import Client, World, codes

PHONE: Final = "13800138000"
PASSWORD: Final = "correct horse 电池"
VIEWER: Final = "{ viewer { account { realName phone realNameVerified } appointments { id } } }"


async def sign_in(client: Client, phone: str = PHONE, password: str = PASSWORD) -> dict[str, Any]:
    return await client.do("signIn", "token viewer { account { realName } }", phone=phone, password=password)


async def known(world: World) -> None:
    await create_account(world.resources, PHONE, "陈伟", password=PASSWORD, verified=True)


@pytest.mark.parametrize("spelling", [PHONE, "+86 138 0013 8000", "0086-138-0013-8000", "１３８００１３８０００"])
async def test_a_phone_and_its_password_open_a_sign_in(world: World, spelling: str) -> None:
    await known(world)
    signed_in = await sign_in(world.stranger(), spelling)
    assert signed_in["viewer"] == {"account": {"realName": "陈伟"}} and signed_in["errors"] == []
    mine = Client(world, 0, signed_in["token"])
    assert await mine.ask(VIEWER) == {
        "account": {"realName": "陈伟", "phone": PHONE, "realNameVerified": True},
        "appointments": [],
    }


async def test_a_password_set_anew_ends_the_sign_ins_under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await known(world)
    comparing, go_on = threading.Event(), threading.Event()
    compare = passwords._matches

    def slowly(hashed: str | None, password: str) -> bool:
        comparing.set()
        return go_on.wait(10) and compare(hashed, password)

    monkeypatch.setattr(passwords, "_matches", slowly)
    under_way = asyncio.create_task(sign_in(world.stranger()))
    await asyncio.to_thread(comparing.wait, 10)
    await set_password(world.resources, PHONE, "another battery")
    go_on.set()
    assert codes(await under_way) == ["CREDENTIALS_INVALID"] and await world.rows("session") == 0
    assert codes(await sign_in(world.stranger())) == ["CREDENTIALS_INVALID"]
    assert codes(await sign_in(world.stranger(), password="another battery")) == []


async def test_a_token_is_kept_as_its_hash_alone(world: World) -> None:
    await known(world)
    token = (await sign_in(world.stranger()))["token"]
    assert len(token) == 43
    [(row, kept)] = await world.sql("select s::text, token_hash from session s")
    assert token not in row and kept == hashlib.sha256(token.encode()).digest()
    [account] = await world.sql("select a::text from account a")
    assert PASSWORD not in account and "$argon2id$" in account


async def test_an_unknown_phone_and_a_wrong_password_are_told_alike(world: World) -> None:
    await known(world)
    await world.person(phone="+8613900139000")  # signs in through WeChat alone
    client, before = world.stranger(), await world.fingerprint()
    answers = [
        await sign_in(client, password="wrong"),
        await sign_in(client, password=PASSWORD + "\0"),
        await sign_in(client, phone="13700137000"),
        await sign_in(client, phone="13900139000"),
        await sign_in(client, phone="no phone"),
    ]
    refused = {"code": "CREDENTIALS_INVALID", "path": [], "message": "手机号或密码错误。"}
    assert answers == [{"token": None, "viewer": None, "errors": [refused]}] * len(answers)
    client.language = "en"
    english = {**refused, "message": "The phone number or the password is wrong."}
    assert (await sign_in(client, password=""))["errors"] == [english]
    assert await world.fingerprint() == before
    assert codes(await sign_in(client)) == []


async def test_only_the_whole_password_fits(world: World) -> None:
    await create_account(world.resources, PHONE, "陈伟", password="x" * 200, verified=False)
    assert codes(await sign_in(world.stranger(), password="x" * 201)) == ["CREDENTIALS_INVALID"]
    assert codes(await sign_in(world.stranger(), password="x" * 200)) == []


async def test_signing_out_ends_this_sign_in_and_no_other(world: World) -> None:
    await known(world)
    tokens = [(await sign_in(world.stranger()))["token"] for _ in range(2)]
    here, elsewhere = (Client(world, 0, token) for token in tokens)
    sign_out = "mutation { signOut { errors { code } } }"
    assert await here.ask(sign_out) == {"errors": []}
    assert await here.ask(VIEWER) is None
    assert codes(await here.do("createInvite", "invite { id }", unionId="VW5pb246MQ")) == ["UNAUTHENTICATED"]
    assert (await elsewhere.ask(VIEWER))["account"]["realName"] == "陈伟"

    before = await world.fingerprint()
    assert await here.ask(sign_out) == await world.stranger().ask(sign_out) == {"errors": []}
    assert await world.fingerprint() == before


async def test_after_signing_out_nothing_more_is_done_in_the_same_request(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    both = """mutation($i: CreateInviteInput!) { signOut { errors { code } }
        createInvite(input: $i) { invite { id } errors { code } } }"""
    done = await mayor.ask(both, i={"unionId": "VW5pb246MQ"})
    assert done["createInvite"] == {"invite": None, "errors": [{"code": "UNAUTHENTICATED"}]}
    assert await world.rows("invite") == 0


async def test_a_sign_in_lasts_until_its_time_has_passed(world: World) -> None:
    somebody = await world.person()
    assert await somebody.ask(VIEWER) is not None
    await world.sql("update session set expires_at = now()")
    assert await somebody.ask(VIEWER) is None
    assert codes(await somebody.do("createInvite", "invite { id }", unionId="VW5pb246MQ")) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("token", ["x", "é" * 43, "A" * 43, "A" * 10_000], ids=["short", "latin", "unknown", "long"])
async def test_a_token_that_opens_nothing_is_nobodys(world: World, token: str) -> None:
    await world.person()
    async with Client(world, 0, None).http() as http:
        header = f"Bearer {token}".encode("latin-1")
        answer = await http.post("/graphql", json={"query": VIEWER}, headers=[(b"authorization", header)])
    assert answer.json()["data"] == {"viewer": None}


async def test_it_takes_one_verification_whoever_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the time that an answer takes would tell which phones have accounts."""
    await known(world)
    await world.person(phone="+8613900139000")
    verified: list[str] = []

    class Hasher:
        def hash(self, password: str) -> str:
            return "$of nobody"

        def verify(self, kept: str, password: str) -> bool:
            verified.append(kept[:8])
            raise VerificationError

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    passwords._nobodys_hash.cache_clear()
    for phone in (PHONE, "13900139000", "13700137000", "no phone"):
        assert codes(await sign_in(world.stranger(), phone)) == ["CREDENTIALS_INVALID"]
    passwords._nobodys_hash.cache_clear()
    assert verified == ["$argon2i", *["$of nobo"] * 3]
