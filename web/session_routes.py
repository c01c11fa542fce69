"""Signing in from a page of ours: the token stays in a cookie that no script can read."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.account import Account
from models.errors import Rejected
from models.identifiers import show_phone
from resolvers import accounts
from storage.sign_ins import Person
from web.asking import COOKIE, context_of, set_cookie
from web.bodies import small_body
from web.card_words import CREDENTIALS_INVALID

# A form of another site cannot send it: setting a header needs this server's leave (CORS), which is never given.
PREFLIGHT: Final = "graphql-preflight"
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def session_routes() -> list[BaseRoute]:
    """What `server` mounts."""
    return [
        Route("/session", sign_in, methods=["POST"]),
        Route("/session", show, methods=["GET"]),
        Route("/session", sign_out, methods=["DELETE"]),
    ]


async def sign_in(request: Request) -> Response:
    """`{"phone", "password"}` → 200 with the account and the cookie; 401 with why not; 400 for anything else."""
    if not request.headers.get(PREFLIGHT):
        return _json({"errors": [{"code": "CSRF_PREVENTION", "message": "GraphQL-Preflight"}]}, 403)
    phone, password = _credentials(await small_body(request))
    if phone is None or password is None:
        return _json({"errors": [{"code": "BAD_REQUEST", "message": "phone, password"}]}, 400)
    context = await context_of(request)
    try:
        token, person = await accounts.sign_in(context, phone, password)
    except Rejected as refusal:
        code = refusal.problems[0].code
        return _json({"errors": [{"code": code, "message": CREDENTIALS_INVALID[context.locale]}]}, 401)
    response = _json({"account": _shown(person)})
    set_cookie(response, context.settings, token)
    return response


async def show(request: Request) -> Response:
    """`{"account": …}` of who is signed in, null if nobody is."""
    person = await accounts.myself(await context_of(request))
    return _json({"account": _shown(person) if person else None})


async def sign_out(request: Request) -> Response:
    """204, with the sign-in ended and the cookie gone."""
    if not request.headers.get(PREFLIGHT):
        return _json({"errors": [{"code": "CSRF_PREVENTION", "message": "GraphQL-Preflight"}]}, 403)
    await accounts.sign_out(await context_of(request))
    response = Response(status_code=204, headers=_HEADERS)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _credentials(body: bytes) -> tuple[str | None, str | None]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(given, dict):
        return None, None
    phone, password = given.get("phone"), given.get("password")
    return (phone, password) if isinstance(phone, str) and isinstance(password, str) else (None, None)


def _shown(account: Person | Account) -> dict[str, str]:
    return {"realName": account.real_name, "phone": show_phone(account.phone)}


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, _HEADERS, media_type="application/json")
