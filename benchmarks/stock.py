"""The same schema through Strawberry's own view and executor: what it serves to whoever takes it as it comes.

`python -m uvicorn benchmarks.stock:app`, with the settings of the server in the environment.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from typing_extensions import override

from schema.build import build_schema
from schema.context import GraphContext
from server import open_resources
from storage.settings import load_settings
from web.asking import identify, resources_of


class Stock(GraphQL[GraphContext, None]):
    """Strawberry's view, with the context that the schema's resolvers want."""

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> GraphContext:
        assert isinstance(request, Request)
        request.state.request_id = ""
        context = GraphContext(resources_of(request))
        await identify(context, request)
        return context


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.resources = open_resources(load_settings(os.environ))
    yield
    await app.state.resources.db.close()


app = Starlette(lifespan=_lifespan)
app.mount("/graphql", Stock(build_schema(), graphql_ide=None))
