"""The photo of a certificate, GET /certificates/<number>: for those who may see it, or by a link that expires."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from resolvers.certificates import Link, open_certificate
from web.asking import context_of, resources_of

_HEADERS: Final = {
    "cache-control": "private, no-store",  # the right to see it can end at any time
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "content-disposition": "inline",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def certificate_routes() -> list[BaseRoute]:
    """What `server` mounts."""
    return [Route("/certificates/{number}", certificate, methods=["GET"], name="certificate")]


async def certificate(request: Request) -> Response:
    """The picture; 404 alike for one that does not exist, may not be seen, or whose link no longer works."""
    number = _number(request.path_params["number"])
    link = _link(request)
    if number is None or (link is None and request.query_params):
        return _absent()
    found = await open_certificate(await context_of(request), number, link)
    if found is None:
        return _absent()
    files = resources_of(request).files
    assert await files.exists(found.sha256), f"the file of certificate {number} is missing"
    path = files.path(found.sha256)
    return FileResponse(path, media_type=found.media_type, headers=_HEADERS)


def _link(request: Request) -> Link | None:
    """The link's proof, or None if the address holds none."""
    query = request.query_params
    account_id, expires = _number(query.get("for", "")), _number(query.get("expires", ""))
    if account_id is None or expires is None:
        return None
    return Link(account_id, expires, query.get("signature", ""))


def _number(text: str) -> int | None:
    """The number that the digits spell; None for anything else, and for more digits than there are rows."""
    return int(text) if len(text) <= 18 and text.isascii() and text.isdigit() else None


def _absent() -> Response:
    return Response("404\n", 404, _HEADERS, media_type="text/plain")
