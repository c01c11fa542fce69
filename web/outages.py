"""What the pages answer when they cannot: 503, when to come again, and a code; and how long they may take."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import Unavailable
from storage.deadlines import operation

log = logging.getLogger(__name__)


class Outages:
    """For all but the GraphQL endpoint, which has a form of its own for this, and a deadline after its body.

    The deadline is for the head of an answer: a table or a photo goes out as slowly as its reader takes it.
    """

    def __init__(self, app: ASGIApp, *, seconds: float, sentence: Callable[[Request], str]) -> None:
        self.app = app
        self.seconds = seconds
        self.sentence = sentence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                deadline.start(None)  # the answer has begun
            await send(message)

        try:
            with operation(self.seconds) as deadline:
                await self.app(scope, receive, noted)
        except Unavailable as unavailable:
            if begun:
                raise
            log.warning("request %s: %s", request.state.request_id, unavailable)
            await self.answer(request)(scope, receive, send)

    def answer(self, request: Request) -> Response:
        sentence = self.sentence(request)
        headers = {"retry-after": str(random.randint(1, 3))}  # noqa: S311 - spreads, hides nothing
        if "text/html" in request.headers.get("accept", ""):
            return PlainTextResponse(f"{sentence}\n", 503, headers)
        told = {"errors": [{"code": "UNAVAILABLE", "message": sentence, "retryable": True}]}
        return Response(orjson.dumps(told), 503, headers, media_type="application/json")
