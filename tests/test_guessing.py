"""Guessing passwords: slow for whoever guesses, and no way to keep the owner out."""

from __future__ import annotations

import asyncio
import dataclasses

import httpx
import pytest

from resolvers import passwords
from server import create_app
from tests.clock import pass_seconds
from tests.people import PASSWORD, PHONE, hash_quickly, known, limit, sign_in, signed_in
from tests.world import Client, World, codes

ATTACKER, OWNER = "198.51.100.1", "203.0.113.7"


@pytest.fixture
async def registry(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """With one account that has a password."""
    hash_quickly(monkeypatch)
    await known(world)
    return world


async def guesses(client: Client, count: int, phone: str = PHONE) -> list[str]:
    """The codes of so many wrong passwords."""
    return [codes(await sign_in(client, phone, f"wrong {number}"))[0] for number in range(count)]


async def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(registry: World) -> None:
    attacker = registry.stranger(ATTACKER)
    assert await guesses(attacker, 12) == ["CREDENTIALS_INVALID"] * 10 + ["RATE_LIMITED"] * 2
    before = await registry.fingerprint()
    refused = await sign_in(attacker)
    [error] = refused["errors"]
    assert refused["token"] is None and error["code"] == "RATE_LIMITED" and 80 < error["retryAfter"] <= 90
    assert error["message"] == f"操作过于频繁，请在 {error['retryAfter']} 秒后再试。"
    assert await registry.fingerprint() == before

    await pass_seconds(registry, 90)
    assert codes(await sign_in(attacker)) == []


async def test_elsewhere_the_owner_signs_in_as_ever(registry: World) -> None:
    await guesses(registry.stranger(ATTACKER), 15)
    assert codes(await sign_in(registry.stranger(OWNER))) == []


async def test_a_phone_without_an_account_is_limited_alike(registry: World) -> None:
    told = []
    for phone, address in ((PHONE, ATTACKER), ("13700137000", ATTACKER), ("no phone", ATTACKER)):
        client = registry.stranger(address)
        answers = [await sign_in(client, phone, "wrong") for _ in range(12)]
        told.append([{**error, "retryAfter": bool(error["retryAfter"])} for one in answers for error in one["errors"]])
    for one in told:
        for error in one:
            error["message"] = error["message"].translate({ord(digit): "#" for digit in "0123456789"})
    assert told[0] == told[1] == told[2] and told[0][-1]["code"] == "RATE_LIMITED"


async def test_it_takes_the_same_statements_whether_or_not_there_is_an_account(registry: World) -> None:
    asked = []
    for phone in (PHONE, "13700137000", "no phone"):
        with registry.counted() as statements:
            await sign_in(registry.stranger(), phone, "wrong")
        asked.append(sorted(statements))
    assert asked[0] == asked[1] == asked[2] and len(asked[0]) == 5


async def test_right_passwords_are_not_counted(registry: World) -> None:
    client = registry.stranger(ATTACKER)
    await guesses(client, 8)
    assert [codes(await sign_in(client)) for _ in range(12)] == [[]] * 12
    # Nor is the count begun anew by them: it would be for everybody who has an account of their own.
    assert await guesses(client, 3) == ["CREDENTIALS_INVALID"] * 2 + ["RATE_LIMITED"]


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(registry: World) -> None:
    attacker = registry.stranger(ATTACKER)
    answers = await asyncio.gather(*(sign_in(attacker, password=f"wrong {number}") for number in range(25)))
    told = [code for answer in answers for code in codes(answer)]
    assert sorted(told) == ["CREDENTIALS_INVALID"] * 10 + ["RATE_LIMITED"] * 15


async def test_an_ipv6_subnet_is_one_network(registry: World) -> None:
    clients = [registry.stranger(f"2001:db8:1:2::{number:x}") for number in range(12)]
    told = [codes(await sign_in(client, password="wrong"))[0] for client in clients]
    assert told == ["CREDENTIALS_INVALID"] * 10 + ["RATE_LIMITED"] * 2
    assert codes(await sign_in(registry.stranger("2001:db8:1:3::1"))) == []


async def test_trying_many_accounts_from_one_network_ends_soon(
    registry: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(registry, monkeypatch, sign_in_network=(5, 600))
    attacker = registry.stranger(ATTACKER)
    told = [codes(await sign_in(attacker, f"1370013700{number}", "wrong"))[0] for number in range(7)]
    assert told == ["CREDENTIALS_INVALID"] * 5 + ["RATE_LIMITED"] * 2
    assert codes(await sign_in(attacker)) == ["RATE_LIMITED"]
    assert codes(await sign_in(registry.stranger(OWNER))) == []


async def test_so_does_trying_them_from_one_neighbourhood(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in_neighbours=(5, 600))
    told = [
        codes(await sign_in(registry.stranger(f"198.51.100.{number}"), f"1370013700{number}", "wrong"))[0]
        for number in range(7)
    ]
    assert told == ["CREDENTIALS_INVALID"] * 5 + ["RATE_LIMITED"] * 2
    assert codes(await sign_in(registry.stranger("198.51.101.1"))) == []


async def test_a_botnet_keeps_the_owner_out_of_no_place_they_know(
    registry: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(registry, monkeypatch, sign_in_account=(5, 3600))
    at_home = registry.stranger(OWNER)
    phone = Client(registry, 0, (await sign_in(at_home))["token"])
    told = [codes(await sign_in(registry.stranger(f"10.{number}.0.1"), password="wrong"))[0] for number in range(7)]
    assert told == ["CREDENTIALS_INVALID"] * 5 + ["RATE_LIMITED"] * 2

    assert codes(await sign_in(registry.stranger("192.0.2.1"))) == ["RATE_LIMITED"]  # nobody knows this place
    assert codes(await sign_in(at_home)) == []
    elsewhere = dataclasses.replace(phone, address="192.0.2.1")
    assert codes(await sign_in(elsewhere)) == []  # a device that has been signed in to this account
    await elsewhere.ask("mutation { signOut { errors { code } } }")
    assert codes(await sign_in(elsewhere)) == []
    assert codes(await sign_in(elsewhere, password="wrong")) == ["CREDENTIALS_INVALID"]


async def test_a_device_of_another_account_is_a_stranger(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in_account=(2, 3600))
    await known(registry, "13700137000")
    thief = dataclasses.replace(await signed_in(registry, "13700137000"), address=ATTACKER)
    assert await guesses(thief, 3) == ["CREDENTIALS_INVALID"] * 2 + ["RATE_LIMITED"]


async def test_a_network_is_known_for_ninety_days(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in_account=(1, 3600))
    at_home = registry.stranger(OWNER)
    await sign_in(at_home)
    await sign_in(registry.stranger(ATTACKER), password="wrong")
    assert codes(await sign_in(at_home)) == []
    await registry.sql("update session set created_at = now() - interval '91 days'")
    assert codes(await sign_in(at_home)) == ["RATE_LIMITED"]


async def test_too_many_at_once_are_sent_away(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    assert codes(await sign_in(registry.stranger())) == ["RATE_LIMITED"]
    monkeypatch.undo()
    assert codes(await sign_in(registry.stranger())) == []
    assert passwords._waiting == []


# ── what the answer's header tells ───────────────────────────────────────────────────────────

SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { errors { code } } }"


async def post(http: httpx.AsyncClient, password: str, **headers: str) -> httpx.Response:
    asked = {"query": SIGN_IN, "variables": {"i": {"phone": PHONE, "password": password}}}
    return await http.post("/graphql", json=asked, headers=headers)


async def test_the_header_tells_how_many_are_left(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in=(2, 100))
    async with registry.stranger(ATTACKER).http() as http:
        answers = [await post(http, "wrong") for _ in range(3)]
    assert [one.headers["ratelimit-policy"] for one in answers] == ['"sign-in";q=2;w=100'] * 3
    assert [one.headers["ratelimit"] for one in answers] == [
        '"sign-in";r=1;t=50',
        '"sign-in";r=0;t=100',
        '"sign-in";r=0;t=100',
    ]
    assert [one.headers.get("retry-after") for one in answers] == [None, None, "50"]


async def test_what_others_have_used_up_is_not_told(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in_account=(1, 100))
    await sign_in(registry.stranger(ATTACKER), password="wrong")
    async with registry.stranger(OWNER).http() as http:
        answer = await post(http, "wrong")
    assert answer.headers["retry-after"] == "100" and "account" not in str(answer.headers)


async def test_the_page_is_told_by_its_status(registry: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(registry, monkeypatch, sign_in=(1, 100))
    async with registry.stranger().http() as http:
        http.headers["graphql-preflight"] = "1"
        answers = [await http.post("/session", json={"phone": PHONE, "password": "wrong"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [401, 429]
    assert answers[1].headers["retry-after"] == "100"
    assert answers[1].json() == {"errors": [{"code": "RATE_LIMITED", "message": "尝试次数过多，请在 100 秒后再试。"}]}


# ── whose address it is ──────────────────────────────────────────────────────────────────────


async def forwarded(world: World, trusted: str, peer: str, said: list[str]) -> list[str]:
    """The codes of wrong passwords whose X-Forwarded-For says this, by way of `peer`."""
    app = create_app(world.resources.settings.model_copy(update={"trusted_proxies": (trusted,) if trusted else ()}))
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://union.test") as http,
    ):
        answers = [await post(http, "wrong", **{"x-forwarded-for": address}) for address in said]
    return [one.json()["data"]["signIn"]["errors"][0]["code"] for one in answers]


ELEVEN = [f"192.0.2.{number}" for number in range(11)]


async def test_what_anybody_says_of_their_address_is_not_believed(registry: World) -> None:
    assert (await forwarded(registry, "", "127.0.0.1", ELEVEN))[-1] == "RATE_LIMITED"
    await registry.sql("delete from throttle")
    assert (await forwarded(registry, "10.0.0.0/8", "127.0.0.1", ELEVEN))[-1] == "RATE_LIMITED"


async def test_what_a_trusted_proxy_says_is(registry: World) -> None:
    assert await forwarded(registry, "127.0.0.1/32", "127.0.0.1", ELEVEN) == ["CREDENTIALS_INVALID"] * 11
    # What a client made up comes before what the proxy has added.
    made_up = [f"{address}, 198.51.100.9" for address in ELEVEN]
    assert (await forwarded(registry, "127.0.0.1/32", "127.0.0.1", made_up))[-1] == "RATE_LIMITED"


async def test_the_password_does_not_matter_to_the_header_of_who_is_let_in(registry: World) -> None:
    async with registry.stranger().http() as http:
        assert (await post(http, PASSWORD)).headers["ratelimit-policy"] == '"sign-in";q=10;w=900'
