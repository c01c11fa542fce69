"""工会名片 as a page: what a browser shows of a 组织登记二维码, GET /i/<token>.

No script, nothing from anywhere else. The page holds what the card may tell and nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from models.errors import Code, Rejected
from models.kinds import UnionKind
from models.locale import Locale, preferred
from storage.qr import QrFormat, data_uri
from web.card_words import REFUSALS, WORDS
from web.graphiql_page import BuiltAssets

WEB: Final = Path(__file__).parent
STATIC: Final = WEB / "static"
STYLE: Final = STATIC / "card.css"

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; img-src data:; style-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address is the invite
    "cache-control": "no-store",  # a withdrawn code must stop working at once
    "vary": "accept-language",
}
STATUSES: Final = {
    Code.NOT_FOUND: 404,
    Code.INVITE_EXPIRED: 410,
    Code.INVITE_EXHAUSTED: 410,
    Code.INVITE_REVOKED: 410,
    Code.PARENT_DISSOLVED: 410,
    Code.RATE_LIMITED: 429,
}

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The style's address changes with the style, so that a browser may keep it.
_TEMPLATES.globals["style"] = f"/static/{STYLE.name}?v={hashlib.sha256(STYLE.read_bytes()).hexdigest()[:12]}"


@dataclass(frozen=True)
class CardView:
    """What the page shows. `registration_link` is what the 工会登记二维码 holds."""

    name: str
    kind: UnionKind
    region: str
    parent_name: str | None
    contact_phone: str | None
    registration_link: str


# Finds the card that a code opens, or raises Rejected with one of the codes in STATUSES.
OpenCard = Callable[[Request, str], Awaitable[CardView]]


def card_routes(open_card: OpenCard) -> list[BaseRoute]:
    """What `server` mounts."""

    async def card(request: Request) -> Response:
        """200 with the card, or why there is none; `?register` shows the 工会登记二维码 straight away."""
        locale = preferred(request.headers.get("accept-language", ""))
        try:
            found = await open_card(request, request.path_params["token"])
        except Rejected as refused:
            reason = refused.problems[0].code
            if reason not in STATUSES:
                raise
            return HTMLResponse(render_refusal(reason, locale), STATUSES[reason], HEADERS)
        page = render_card(found, locale, registering="register" in request.query_params)
        return HTMLResponse(page, headers=HEADERS)

    return [Mount("/static", BuiltAssets(directory=STATIC), name="static"), Route("/i/{token}", card, name="card")]


def render_card(card: CardView, locale: Locale, *, registering: bool = False) -> str:
    """The card as HTML. `registering`: with the 工会登记二维码 already in sight."""
    return _TEMPLATES.get_template("card.html").render(
        card=card,
        # PNG, because WeChat recognises a code under a long press in pictures, not reliably in drawings.
        code=data_uri(QrFormat.PNG, card.registration_link),
        locale=locale,
        registering=registering,
        words=WORDS[locale],
    )


def render_refusal(reason: Code, locale: Locale) -> str:
    """Why a code opens no card, and what to do instead, as HTML. `reason` is one of STATUSES."""
    sentence = REFUSALS[locale][reason]
    return _TEMPLATES.get_template("card_refusal.html").render(locale=locale, sentence=sentence, words=WORDS[locale])
