"""Signing in from a page of ours: the token stays in a cookie that no script can read."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.account import Account
from models.errors import Code, Problem, Rejected
from models.identifiers import show_phone
from resolvers import signing_in
from resolvers.accounts import myself
from resolvers.context import Context
from storage.sign_ins import Person
from web.asking import COOKIE, context_of, set_cookie
from web.bodies import small_body
from web.card_words import REFUSED

# A form of another site cannot send it: setting a header needs this server's leave (CORS), which is never given.
PREFLIGHT: Final = "graphql-preflight"
STATUSES: Final = {
    Code.CREDENTIALS_INVALID: 401,
    Code.SECOND_FACTOR_REQUIRED: 401,
    Code.SECOND_FACTOR_INVALID: 401,
    Code.RATE_LIMITED: 429,
}


def session_routes() -> list[BaseRoute]:
    """What `server` mounts."""
    return [
        Route("/session", sign_in, methods=["POST"]),
        Route("/session", show, methods=["GET"]),
        Route("/session", sign_out, methods=["DELETE"]),
    ]


async def sign_in(request: Request) -> Response:
    """`{"phone", "password", "code"}` → 200 with the account and the cookie; 401, 429 with why not; else 400.

    The code is for who has a second factor: without it, the refusal says SECOND_FACTOR_REQUIRED.
    """
    if not request.headers.get(PREFLIGHT):
        return _json({"errors": [{"code": "CSRF_PREVENTION", "message": "GraphQL-Preflight"}]}, 403)
    given = _credentials(await small_body(request))
    if given is None:
        return _json({"errors": [{"code": "BAD_REQUEST", "message": "phone, password"}]}, 400)
    context = await context_of(request)
    try:
        token, person = await signing_in.sign_in(context, *given)
    except Rejected as refusal:
        return _refused(context, refusal.problems[0])
    response = _json({"account": _shown(person)})
    set_cookie(response, context.settings, token)
    return response


async def show(request: Request) -> Response:
    """`{"account": …}` of who is signed in, null if nobody is. Once a day the cookie gets another token."""
    context = await context_of(request)
    if context.signed_in is not None and context.signed_in.worn and context.keep_token is not None:
        await signing_in.renew_session(context)
    person = await myself(context)
    return _json({"account": _shown(person) if person else None})


async def sign_out(request: Request) -> Response:
    """204, with the sign-in ended and the cookie gone."""
    if not request.headers.get(PREFLIGHT):
        return _json({"errors": [{"code": "CSRF_PREVENTION", "message": "GraphQL-Preflight"}]}, 403)
    await signing_in.sign_out(await context_of(request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _refused(context: Context, problem: Problem) -> Response:
    """429 for too many attempts, else 401."""
    words = REFUSED[context.locale][problem.code].format(**problem.params)
    return _json({"errors": [{"code": problem.code, "message": words}]}, STATUSES[problem.code])


def _credentials(body: bytes) -> tuple[str, str, str | None] | None:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(given, dict):
        return None
    phone, password, code = given.get("phone"), given.get("password"), given.get("code")
    if not (isinstance(phone, str) and isinstance(password, str) and isinstance(code, str | None)):
        return None
    return phone, password, code


def _shown(account: Person | Account) -> dict[str, str]:
    return {"realName": account.real_name, "phone": show_phone(account.phone)}


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
