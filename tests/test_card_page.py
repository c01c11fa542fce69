"""The card page: what a browser shows of an invite, in the reader's language, and nothing more."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from collections.abc import AsyncIterator

import httpx
import pytest
import zxingcpp
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request

from models.errors import Code, Problem, Rejected
from models.kinds import UnionKind
from models.locale import Locale, preferred
from web.card_page import STATUSES, CardView, card_routes, render_card, render_refusal
from web.card_words import REFUSALS, WORDS

LINK = "https://union.example.cn/i/A1b2C3d4E5f6G7h8I9j0K1?register"
CARD = CardView("深圳市总工会", UnionKind.HIGHER_LEVEL, "广东省深圳市", "广东省总工会", "0755-8210 3456", LINK)
BY_TOKEN = {code.value: code for code in Code}


async def open_card(request: Request, token: str) -> CardView:
    """The card for `card`; any other token is the code that it is refused with."""
    if token == "card":
        return CARD
    raise Rejected(Problem(BY_TOKEN[token], ("code",)))


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    app = httpx.ASGITransport(Starlette(routes=card_routes(open_card)))
    async with httpx.AsyncClient(transport=app, base_url="http://union.test") as client:
        yield client


def text_of(page: str) -> str:
    """What is read, without the markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_the_card_tells_whose_code_this_is(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/i/card")

    assert answer.status_code == 200
    read = text_of(answer.text)
    for word in ("工会名片", CARD.name, "基层以上工会", CARD.region, "上级工会 广东省总工会", "0755-8210 3456"):
        assert word in read
    assert 'href="tel:0755-82103456"' in answer.text


async def test_the_second_code_waits_for_a_tap(browser: httpx.AsyncClient) -> None:
    waiting = (await browser.get("/i/card")).text
    shown = (await browser.get("/i/card?register")).text

    assert '<details class="registration">' in waiting
    assert '<details class="registration" open>' in shown
    assert "工会组织登记" in text_of(waiting)
    expected = ("工会登记二维码", "用微信扫一扫", "打开小程序", "登录 ", "填写登记表")
    steps = [text_of(shown).find(step) for step in expected]
    assert -1 not in steps
    assert steps == sorted(steps)


def test_the_second_code_holds_the_link() -> None:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', render_card(CARD, Locale.ZH))
    assert found is not None
    image = Image.open(io.BytesIO(b64decode(found[1]))).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [LINK]


def test_what_a_union_leaves_out_is_left_out() -> None:
    page = render_card(CardView("广东省总工会", UnionKind.HIGHER_LEVEL, "广东省", None, None, LINK), Locale.ZH)
    assert "<dt>上级工会</dt>" not in page
    assert "联系电话" not in page
    assert "tel:" not in page


def test_a_name_is_text_not_markup() -> None:
    name = '<script>alert("工会")</script>'
    page = render_card(CardView(name, UnionKind.GRASSROOTS, name, name, name, LINK), Locale.EN)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5


@pytest.mark.parametrize("locale", Locale)
def test_a_page_runs_nothing_and_loads_nothing_from_elsewhere(locale: Locale) -> None:
    for page in (render_card(CARD, locale), *(render_refusal(reason, locale) for reason in STATUSES)):
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page)
        addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
        assert addresses
        assert all(re.match(r"data:|tel:|/static/", address) for address in addresses)
        assert f'<html lang="{locale}">' in page
        assert '<meta name="robots" content="noindex">' in page


@pytest.mark.parametrize("path", ["/i/card", "/i/NOT_FOUND", "/i/INVITE_EXPIRED"])
async def test_every_answer_is_private(browser: httpx.AsyncClient, path: str) -> None:
    headers = (await browser.get(path)).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; img-src data:; style-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        (Code.NOT_FOUND, 404, "没有找到这个二维码"),
        (Code.INVITE_EXPIRED, 410, "这个二维码已过期"),
        (Code.INVITE_EXHAUSTED, 410, "这个二维码的使用次数已用完"),
        (Code.INVITE_REVOKED, 410, "上级工会已停用这个二维码"),
        (Code.PARENT_DISSOLVED, 410, "分享这个二维码的工会已撤销"),
    ],
)
async def test_a_code_that_opens_nothing_says_why_and_what_to_do(
    browser: httpx.AsyncClient, code: Code, status: int, sentence: str
) -> None:
    answer = await browser.get(f"/i/{code}")
    assert answer.status_code == status
    assert sentence in text_of(answer.text)
    assert "向上级工会索取新的二维码" in answer.text
    assert "工会目录" in answer.text
    assert CARD.name not in answer.text


async def test_any_other_refusal_is_a_fault_not_a_page(browser: httpx.AsyncClient) -> None:
    with pytest.raises(Rejected):
        await browser.get(f"/i/{Code.CYCLE}")


async def test_the_style_is_our_own_and_may_be_kept(browser: httpx.AsyncClient) -> None:
    found = re.search(r'<link rel="stylesheet" href="([^"]+)"', (await browser.get("/i/card")).text)
    assert found is not None
    style = await browser.get(found[1])
    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["x-content-type-options"] == "nosniff"
    assert "url(" not in style.text
    assert "@import" not in style.text


# ── languages ────────────────────────────────────────────────────────────────────────────────


async def test_english_for_those_who_prefer_it(browser: httpx.AsyncClient) -> None:
    card = await browser.get("/i/card", headers={"accept-language": "en-GB,en;q=0.9,zh;q=0.5"})
    gone = await browser.get("/i/INVITE_EXPIRED", headers={"accept-language": "en"})
    assert "Register a union" in text_of(card.text)
    assert CARD.name in card.text
    assert "This code has expired" in text_of(gone.text)
    assert card.headers["vary"] == "accept-language"


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", Locale.ZH),
        ("*", Locale.ZH),
        ("fr", Locale.ZH),
        ("zh-CN,zh;q=0.9,en;q=0.8", Locale.ZH),
        ("en;q=0.8, zh-TW", Locale.ZH),
        ("en, zh", Locale.ZH),
        ("en", Locale.EN),
        ("EN-us", Locale.EN),
        ("fr, en;q=0.3, zh;q=0.1", Locale.EN),
        ("zh;q=0, en;q=0.1", Locale.EN),
        ("en;q=much", Locale.ZH),
        ("en;level=1", Locale.ZH),
        ("english", Locale.ZH),
    ],
)
def test_chinese_unless_english_is_preferred(header: str, locale: Locale) -> None:
    assert preferred(header) is locale


def test_both_languages_say_the_same_things() -> None:
    assert WORDS[Locale.ZH].keys() == WORDS[Locale.EN].keys()
    assert REFUSALS[Locale.ZH].keys() == REFUSALS[Locale.EN].keys() == STATUSES.keys()
