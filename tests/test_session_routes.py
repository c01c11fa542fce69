"""/session: signing in from a page of ours, with a cookie that no script can read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from resolvers.founding import create_account
from server import create_app
from tests.world import World
from web.asking import COOKIE

PREFLIGHT = {"graphql-preflight": "1"}
PHONE, PASSWORD = "13800138000", "correct horse"
RIGHT = {"phone": PHONE, "password": PASSWORD}


@pytest.fixture
async def registry(world: World) -> World:
    """With one account that has a password."""
    await create_account(world.resources, PHONE, "王芳", password=PASSWORD, verified=True)
    return world


@pytest.fixture
async def browser(registry: World) -> AsyncIterator[httpx.AsyncClient]:
    """Keeps cookies, and sends the header that our own pages send."""
    async with registry.stranger().http() as http:
        http.headers.update(PREFLIGHT)
        yield http


async def who(http: httpx.AsyncClient) -> object:
    """Who GraphQL takes us for."""
    answer = await http.post("/graphql", json={"query": "{ viewer { account { realName } } }"})
    return answer.json()["data"]["viewer"]


async def test_signing_in_and_out(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/session")).json() == {"account": None}
    assert await who(browser) is None

    signed_in = await browser.post("/session", json=RIGHT)
    assert (signed_in.status_code, signed_in.json()) == (200, {"account": {"realName": "王芳", "phone": PHONE}})
    assert (await browser.get("/session")).json() == signed_in.json()
    assert await who(browser) == {"account": {"realName": "王芳"}}

    token = browser.cookies[COOKIE]
    signed_out = await browser.delete("/session")
    assert (signed_out.status_code, signed_out.content) == (204, b"")
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, token)
    assert (await browser.get("/session")).json() == {"account": None}  # it has ended, not only been forgotten
    assert (await browser.delete("/session")).status_code == 204  # twice is once


async def test_the_cookie_is_out_of_reach(browser: httpx.AsyncClient, registry: World) -> None:
    header = (await browser.post("/session", json=RIGHT)).headers["set-cookie"]
    name, *attributes = header.split("; ")
    assert name.startswith(f"{COOKIE}=") and len(name) == len(COOKIE) + 1 + 43
    assert {one.lower() for one in attributes} == {"httponly", "samesite=strict", "path=/", "max-age=2592000"}


async def test_over_https_the_cookie_is_secure(registry: World) -> None:
    settings = registry.resources.settings.model_copy(update={"public_url": "https://union.test"})
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://union.test") as http,
    ):
        header = (await http.post("/session", json=RIGHT, headers=PREFLIGHT)).headers["set-cookie"]
    assert "; secure" in header.lower()


@pytest.mark.parametrize("phone", ["13800138000", "+8613800138000", "138 0013 8000", "0086 138 0013 8000"])
async def test_a_phone_is_the_same_however_it_is_written(browser: httpx.AsyncClient, phone: str) -> None:
    assert (await browser.post("/session", json={**RIGHT, "phone": phone})).status_code == 200


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh-CN", "手机号或密码错误。"), ("en", "The phone number or the password is wrong.")],
)
@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "correct hors"},
        {"password": ""},
        {"password": "x" * 3000},
        {"phone": "13800138001"},
        {"phone": "\0"},
    ],
    ids=["password", "empty", "long", "phone", "no phone"],
)
async def test_wrong_credentials_are_refused_alike(
    browser: httpx.AsyncClient, registry: World, wrong: dict[str, str], language: str, sentence: str
) -> None:
    before = await registry.fingerprint()
    refused = await browser.post("/session", json={**RIGHT, **wrong}, headers={"accept-language": language})
    assert refused.status_code == 401
    assert refused.json() == {"errors": [{"code": "CREDENTIALS_INVALID", "message": sentence}]}
    assert "set-cookie" not in refused.headers
    assert await registry.fingerprint() == before


async def test_an_account_without_a_password_cannot_be_guessed(browser: httpx.AsyncClient, registry: World) -> None:
    await registry.person(phone="+8613800138009")
    for password in ("", "None", "null"):
        refused = await browser.post("/session", json={"phone": "13800138009", "password": password})
        assert refused.status_code == 401


async def test_another_site_cannot_sign_anybody_in_or_out(registry: World) -> None:
    """A form cannot send the header; so without it nothing happens."""
    async with registry.stranger().http() as http:
        forged = await http.post("/session", json=RIGHT)
        assert (forged.status_code, forged.json()["errors"][0]["code"]) == (403, "CSRF_PREVENTION")
        assert "set-cookie" not in forged.headers
        assert await registry.rows("session") == 0

        await http.post("/session", json=RIGHT, headers=PREFLIGHT)
        assert (await http.delete("/session")).status_code == 403
        assert await who(http) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"13800138000"',
        b"{}",
        b'{"phone": "13800138000"}',
        b'{"phone": 13800138000, "password": "x"}',
        b'{"phone": "13800138000", "password": null}',
        b'{"phone": "13800138000", "password": ["x"]}',
        b'{"phone": "\xff", "password": "x"}',
        b"phone=13800138000&password=x",
        b"[" * 3000,
        b'{"phone": "13800138000", "password": "' + b"x" * 5000 + b'"}',
    ],
    ids=lambda body: f"{len(body)} {body[:20]!r}",
)
async def test_what_is_no_sign_in_is_a_bad_request(browser: httpx.AsyncClient, body: bytes) -> None:
    refused = await browser.post("/session", content=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "BAD_REQUEST")
    assert "set-cookie" not in refused.headers


async def test_answers_are_nobodys_to_keep(browser: httpx.AsyncClient) -> None:
    for answer in (
        await browser.get("/session"),
        await browser.post("/session", json=RIGHT),
        await browser.post("/session", content=b"{"),
        await browser.delete("/session"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await browser.put("/session")).status_code == 405


@pytest.mark.parametrize("cookie", ["", "guess", "x" * 3000, "é", '"'])
async def test_a_cookie_that_is_none_of_ours_opens_nothing(registry: World, cookie: str) -> None:
    async with registry.stranger().http() as http:
        sent = {b"cookie": f"{COOKIE}={cookie}".encode("latin-1")}
        answer = await http.get("/session", headers=sent)
    assert (answer.status_code, answer.json()) == (200, {"account": None})
