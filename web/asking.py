"""Who asks, as an HTTP request says it: for pages and for the GraphQL endpoint alike."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from models.locale import preferred
from resolvers.context import Context, Origin, Resources
from storage.settings import Settings
from storage.sign_ins import hash_token
from web.answer_headers import REPLY

COOKIE: Final = "uniontree_session"
LONGEST_TOKEN: Final = 200


def token_of(request: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer …`, else that of the cookie. A header that is none of ours counts as none."""
    header = request.headers.get("authorization")
    if header is None:
        return request.cookies.get(COOKIE)
    scheme, _, token = header.strip().partition(" ")
    token = token.lstrip(" ")
    known = scheme.lower() == "bearer" and 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()
    return token if known and " " not in token else None


async def identify(context: Context, request: Request, *, remembered: bool = False) -> None:
    """Fills in who asks, in which language, under which number; one statement if there is a token.

    `remembered` saves the statement, for whoever compares the rights with those of now (`sign_ins.while_held`).
    """
    headers, scope = request.headers, request.scope
    state, client = scope["state"], scope.get("client")
    token = token_of(request)
    context.locale = preferred(headers.get("accept-language", ""))
    context.request_id = state["request_id"]
    context.origin = Origin(client[0] if client else "", token, program_of(headers.get("user-agent", "")))
    context.reply = state.setdefault(REPLY, context.reply)
    if token is None:
        return
    known = context.resources.sign_ins
    context.token_hash = hash_token(token)
    context.signed_in = known.remembered(context.token_hash) if remembered else None
    context.signed_in = context.signed_in or await known.by_token(context.token_hash)
    if "authorization" not in headers:
        context.keep_token = partial(_keep_token, context)


def _keep_token(context: Context, token: str) -> None:
    """Has the answer put it into the cookie."""
    carrier = Response()
    set_cookie(carrier, context.settings, token)
    context.reply.headers += [header for header in carrier.raw_headers if header[0] == b"set-cookie"]


# What a program calls itself, as its owner would; the first that fits.
_PROGRAMS: Final = (
    ("MicroMessenger", "WeChat"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)


@lru_cache(maxsize=256)
def program_of(user_agent: str) -> str | None:
    """What asks, by a short name; None if it is none that is known. The whole header would tell a person apart."""
    return next((name for mark, name in _PROGRAMS if mark in user_agent), None)


async def context_of(request: Request) -> Context:
    """The context of a page's use case."""
    context = Context(resources_of(request))
    await identify(context, request)
    return context


def resources_of(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


def set_cookie(response: Response, settings: Settings, token: str) -> None:
    """Out of reach for scripts, and not sent along when another site asks."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_days * 86400,
        httponly=True,
        samesite="strict",
        secure=settings.public_url.startswith("https:"),
    )
