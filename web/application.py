"""Which way a request goes."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override


class Application(Starlette):
    """Pages by Starlette's router; /graphql, which nearly all requests are for, without its detours."""

    def __init__(
        self, *, graphql: ASGIApp, around: list[Middleware], middleware: list[Middleware], **pages: Any
    ) -> None:
        """`around` is for both, and `middleware` within it for the pages alone."""
        super().__init__(middleware=[*around, *middleware], **pages)
        self.graphql = graphql
        for one in reversed(around):
            self.graphql = one.cls(self.graphql, *one.args, **one.kwargs)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql":
            scope["app"] = self
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
