"""What load balancers and process managers ask: whether the process is there, and whether to send it requests."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from storage.deadlines import operation
from storage.migrations import is_behind
from web.asking import resources_of


def probe_routes() -> list[BaseRoute]:
    return [Route("/livez", livez), Route("/readyz", readyz)]


async def livez(_request: Request) -> Response:
    """The process answers. Asks nothing of the database."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Whether to send requests here: the database answers, is migrated to this version, and nobody ends this server."""
    if request.app.state.drain.begun:
        return PlainTextResponse("ending\n", 503)
    try:
        with operation(2):
            revision = await resources_of(request).db.revision()
    except Exception:  # noqa: BLE001 - whatever it is, this server is not ready
        return PlainTextResponse("database\n", 503)
    if is_behind(revision):
        return PlainTextResponse("migrations\n", 503)
    looking = getattr(request.app.state, "keys", None)
    if looking is not None and looking.done() and looking.result():
        return PlainTextResponse("keys\n", 503)
    return PlainTextResponse("ok\n")
