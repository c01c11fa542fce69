"""Pages of the served application: cards and GraphiQL, as browsers ask for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from tests.world import Client, World, gid
from web import graphiql_page
from web.graphiql_page import POLICY, graphiql_routes

PAST = datetime.now(UTC) - timedelta(hours=1)
FUTURE = datetime.now(UTC) + timedelta(hours=1)


async def get(client: Client, path: str, **headers: str) -> httpx.Response:
    async with client.http() as http:
        return await http.get(path, headers=headers)


# ── /i/<token> ───────────────────────────────────────────────────────────────────────────────


async def test_a_code_opens_the_card_of_its_union(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province, region="440300")
    code = await world.invite(city, expires_at=FUTURE, max_uses=1)

    page = await get(world.stranger(), f"/i/{code.token}")
    english = await get(world.stranger(), f"/i/{code.token}", **{"accept-language": "en"})

    assert page.status_code == english.status_code == 200
    for word in ("深圳市总工会", "广东省总工会", "广东省深圳市", "工会组织登记", "data:image/png;base64,"):
        assert word in page.text
    assert "Register a union" in english.text
    assert page.headers["cache-control"] == "no-store"
    assert str(city.path) not in page.text and gid(city) not in page.text  # where in the tree is not for everyone


async def test_opening_a_card_uses_nothing_up(world: World) -> None:
    code = await world.invite(await world.union("广东省总工会"), max_uses=1)
    before = await world.fingerprint()
    for _ in range(3):
        assert (await get(world.stranger(), f"/i/{code.token}?register")).status_code == 200
    assert await world.fingerprint() == before


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"expires_at": PAST}, "这个二维码已过期"),
        ({"max_uses": 2, "uses": 2}, "这个二维码的使用次数已用完"),
        ({"revoked_at": PAST}, "上级工会已停用这个二维码"),
    ],
    ids=["expired", "used up", "revoked"],
)
async def test_a_code_that_is_over_is_gone(world: World, limits: dict[str, object], sentence: str) -> None:
    code = await world.invite(await world.union("广东省总工会"), **limits)
    page = await get(world.stranger(), f"/i/{code.token}")
    assert page.status_code == 410
    assert sentence in page.text
    assert "广东省总工会" not in page.text


async def test_the_code_of_a_dissolved_union_is_gone(world: World) -> None:
    code = await world.invite(await world.union("广东省总工会"))
    async with world.owner.begin() as connection:
        await connection.execute(text("update trade_union set status = 'DISSOLVED', dissolved_at = now()"))
    page = await get(world.stranger(), f"/i/{code.token}")
    assert page.status_code == 410
    assert "分享这个二维码的工会已撤销" in page.text


@pytest.mark.parametrize("token", ["made-up", "A" * 22, "A" * 23, "a%00b", "%F0%9F%8D%B5", "x" * 4000])
async def test_a_made_up_code_opens_nothing(world: World, token: str) -> None:
    await world.invite(await world.union("广东省总工会"))
    page = await get(world.stranger(), f"/i/{token}")
    assert page.status_code == 404
    assert "没有找到这个二维码" in page.text


async def test_a_card_is_only_read(world: World) -> None:
    code = await world.invite(await world.union("广东省总工会"))
    async with world.stranger().http() as http:
        assert (await http.post(f"/i/{code.token}")).status_code == 405
        assert (await http.head(f"/i/{code.token}")).status_code == 200
        assert (await http.get("/i/")).status_code == 404


# ── GraphiQL ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where GraphiQL is built to; empty at first."""
    monkeypatch.setattr(graphiql_page, "DIST", tmp_path)
    return tmp_path


def browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://union.test")


async def test_before_it_is_built_graphiql_says_how(world: World, built: Path) -> None:
    page = await get(world.stranger(), "/graphiql")
    assert page.status_code == 503
    assert "make graphiql" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"] == POLICY


async def test_once_it_is_built_graphiql_is_there_without_a_restart(world: World, built: Path) -> None:
    assert (await get(world.stranger(), "/graphiql")).status_code == 503
    (built / "index.html").write_text("<title>GraphiQL</title>")
    page = await get(world.stranger(), "/graphiql")
    assert (page.status_code, page.text) == (200, "<title>GraphiQL</title>")
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-cache"


async def test_assets_may_be_kept_for_good(built: Path) -> None:
    async with browser(Starlette(routes=graphiql_routes())) as http:
        assert (await http.get("/graphiql/assets/main-1a2b.js")).status_code == 404
        (built / "assets").mkdir()
        (built / "assets" / "main-1a2b.js").write_text("let page")
        (built / "secret").write_text("secret")
        asset = await http.get("/graphiql/assets/main-1a2b.js")
        outside = await http.get("/graphiql/assets/%2e%2e/secret")
    assert (asset.status_code, asset.text) == (200, "let page")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["x-content-type-options"] == "nosniff"
    assert outside.status_code == 404


async def test_the_front_door_leads_to_graphiql(world: World) -> None:
    door = await get(world.stranger(), "/")
    assert (door.status_code, door.headers["location"]) == (307, "/graphiql")
