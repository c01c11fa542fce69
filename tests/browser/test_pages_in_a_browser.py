"""What people see: the card on a phone and GraphiQL on a desk, in a real browser, from our own origin alone."""

from __future__ import annotations

import io
import shutil
import threading
import time
from base64 import b32encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio.to_thread
import pytest
import uvicorn
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Page, Request, ViewportSize, async_playwright, expect

from models.permissions import Role
from models.totp import code_at
from resolvers.founding import appoint_by_operator, create_account
from server import create_app
from storage.settings import Settings
from tests.processes import free_port
from tests.world import World
from web.graphiql_page import DIST

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
DESK: Final[ViewportSize] = {"width": 1400, "height": 900}
PATIENCE: Final = 30_000  # milliseconds, on a machine that does much else

# A policy that refuses something says so in the page alone; the console of some versions stays silent.
TELL_OF_VIOLATIONS: Final = """
document.addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`))
"""
SECRET: Final = b"12345678901234567890"
ANSWER: Final = "() => __MONACO.editor.getModels().find(m => m.uri.path.endsWith('response.json')).getValue()"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium, chromium-browser or google-chrome on the PATH"),
]
built = pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="GraphiQL is not built: `make graphiql`")


@pytest.fixture(scope="module")
async def site(settings: Settings) -> AsyncIterator[str]:
    """The address of the application behind a real web server, with the database of the tests."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    app = create_app(settings.model_copy(update={"public_url": address, "port": port}))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    await anyio.to_thread.run_sync(_wait_for, server, thread)
    yield address
    server.should_exit = True
    await anyio.to_thread.run_sync(thread.join)


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        assert thread.is_alive(), "the server ended"
        time.sleep(0.02)


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@dataclass
class Tab:
    """A page, and everything about it that should not have happened."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def miss(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what a page that is left had still asked for
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def see(self, request: Request) -> None:
        address = request.url
        if not address.startswith((f"{self.site}/", "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {address}")


@asynccontextmanager
async def opened(browser: Browser, site: str, path: str, viewport: ViewportSize, language: str) -> AsyncIterator[Tab]:
    """The page at this path, on a screen of this size; at the end nothing may have been complained of."""
    context = await browser.new_context(
        viewport=viewport,
        has_touch=viewport is PHONE,
        is_mobile=viewport is PHONE,
        locale=language,
    )
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(TELL_OF_VIOLATIONS)
    page = await context.new_page()
    tab = Tab(page, site)
    page.on("console", tab.hear)
    page.on("pageerror", lambda error: tab.complaints.append(f"uncaught: {error}"))
    page.on("request", tab.see)
    page.on("requestfailed", tab.miss)
    page.on("websocket", lambda opened: tab.complaints.append(f"web socket: {opened.url}"))
    await page.goto(site + path)
    yield tab
    await context.close()
    assert tab.complaints == []


# ── the card ─────────────────────────────────────────────────────────────────────────────────


async def test_the_card_on_a_phone(world: World, site: str, chromium: Browser) -> None:
    province = await world.union("广东省总工会")
    code = await world.invite(await world.union("深圳市总工会", province, region="440300"))

    async with opened(chromium, site, f"/i/{code.token}", PHONE, "zh-CN") as tab:
        page = tab.page
        await expect(page.get_by_role("heading", name="深圳市总工会")).to_be_visible()
        for words in ("工会名片", "基层以上工会", "广东省总工会", "广东省深圳市"):
            await expect(page.get_by_text(words, exact=True)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # The style has come: without it the page is there, but as of 1995.
        assert await page.locator(".card").evaluate("card => getComputedStyle(card).borderRadius") != "0px"

        picture = page.get_by_role("img", name="工会登记二维码")
        await expect(picture).to_be_hidden()
        await page.get_by_text("工会组织登记", exact=True).tap()
        await expect(picture).to_be_visible()
        await expect(page.get_by_text("用微信扫一扫")).to_be_visible()
        photographed = Image.open(io.BytesIO(await picture.screenshot())).convert("L")
        assert [read.text for read in zxingcpp.read_barcodes(photographed)] == [f"{site}/i/{code.token}?register"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_the_card_in_english(world: World, site: str, chromium: Browser) -> None:
    code = await world.invite(await world.union("广东省总工会"))
    async with opened(chromium, site, f"/i/{code.token}?register", PHONE, "en-GB") as tab:
        await expect(tab.page.get_by_text("Register a union")).to_be_visible()
        await expect(tab.page.get_by_role("img", name="Registration QR code")).to_be_visible()


# ── GraphiQL ─────────────────────────────────────────────────────────────────────────────────


async def run(page: Page, example: str) -> None:
    """Presses ▶ and chooses one of the examples."""
    await page.locator(".graphiql-execute-button").click()
    await page.get_by_role("menuitem", name=example, exact=True).click()


async def answered(page: Page, words: str) -> None:
    """Waits until the answer holds these words."""
    await page.wait_for_function(f"words => ({ANSWER})().includes(words)", arg=words)


@built
async def test_graphiql_from_signing_in_to_an_answer(world: World, site: str, chromium: Browser) -> None:
    union = await world.union("广东省总工会")
    await world.union("深圳市总工会", union, region="440300")
    await create_account(world.resources, "13800138000", "王芳", password="correct horse", verified=True)
    await appoint_by_operator(world.resources, "13800138000", str(union.path), Role.ADMINISTRATOR)

    async with opened(chromium, site, "/graphiql", DESK, "zh-CN") as tab:
        page = tab.page
        await page.locator("#phone").fill("138 0013 8000")
        await page.locator("#password").fill("correct horse")
        await page.locator("#sign-in").click()
        await expect(page.locator("#who")).to_have_text("王芳")

        await run(page, "Me")
        await answered(page, '"realName": "王芳"')
        await run(page, "Roots")
        await answered(page, '"unions": 2')
        await run(page, "Tree")
        await answered(page, "深圳市总工会")

        await page.reload()
        await expect(page.locator("#who")).to_have_text("王芳")
        assert await page.evaluate("document.cookie") == ""  # out of reach for scripts
        kept = await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
        assert "correct horse" not in kept

        await page.locator("#sign-out").click()
        await expect(page.locator("#sign-in")).to_be_visible()
        await run(page, "Roots")
        await answered(page, '"roots": []')


@built
async def test_graphiql_asks_for_the_code_of_a_second_factor(world: World, site: str, chromium: Browser) -> None:
    await create_account(world.resources, "13800138000", "王芳", password="correct horse", verified=True)
    sealed = world.resources.sealer.sealed(b32encode(SECRET).decode(), "second_factor:1")
    await world.sql(
        "insert into second_factor (account_id, secret_sealed, confirmed_at) values (1, :s, now())", s=sealed
    )
    async with opened(chromium, site, "/graphiql", DESK, "zh-CN") as tab:
        page = tab.page
        await page.locator("#phone").fill("13800138000")
        await page.locator("#password").fill("correct horse")
        await expect(page.locator("#code")).to_have_count(0)
        await page.locator("#sign-in").click()
        await expect(page.locator("#refusal")).to_have_text("请输入身份验证器上的六位验证码。")
        [now] = await world.sql("select extract(epoch from now())::float8")
        await page.locator("#code").fill(code_at(SECRET, now))
        await page.locator("#sign-in").click()
        await expect(page.locator("#who")).to_have_text("王芳")
        tab.complaints = [told for told in tab.complaints if "401" not in told]


@built
async def test_graphiql_says_why_it_does_not_let_one_in(world: World, site: str, chromium: Browser) -> None:
    async with opened(chromium, site, "/graphiql", DESK, "en") as tab:
        await tab.page.locator("#phone").fill("13800138000")
        await tab.page.locator("#password").fill("a guess")
        await tab.page.locator("#sign-in").click()
        await expect(tab.page.locator("#refusal")).to_have_text("The phone number or the password is wrong.")
        await expect(tab.page.locator("#sign-in")).to_be_enabled()
        # The browser itself remarks on the status 401.
        tab.complaints = [told for told in tab.complaints if "401" not in told]
