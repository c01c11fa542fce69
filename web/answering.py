"""The number of a request, by which its fault is found in the log; and what else every answer has."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answer_headers import said
from web.security_headers import SecurityHeaders

log = logging.getLogger(__name__)


class RequestIds:
    """Numbers each request: in its answer, in the log of its fault, and in the sentence that tells of it.

    `fault` says that sentence. And gives each answer all its headers: to pass a message on twice costs as much as to
    fill it.
    """

    def __init__(self, app: ASGIApp, *, security: SecurityHeaders, fault: Callable[[Request], str]) -> None:
        self.app = app
        self.security = security
        self.fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        begun = False

        async def numbered(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = [*message["headers"], (b"x-request-id", request_id.encode()), *said(state)]
                message["headers"] = [*own, *self.security.missing(own)]
            await send(message)

        try:
            await self.app(scope, receive, numbered)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception:
            if begun:
                raise  # half an answer must not look whole: the web server breaks it off
            log.exception("request %s failed", request_id)
            await PlainTextResponse(f"{self.fault(Request(scope))}\n", 500)(scope, receive, numbered)
