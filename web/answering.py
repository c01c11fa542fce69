"""What every answer has, whoever writes it: the number of its request, by which its fault is found in the log; what its
use case has to say; the security headers; and, of a server that ends, that its connection ends, too."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answer_headers import said
from web.draining import Drain
from web.security_headers import SecurityHeaders

log = logging.getLogger(__name__)


class Answering:
    """Numbers each request, and gives each answer its headers: all in one place, since to pass a message on twice costs
    as much as to fill it.

    `fault` is the sentence that tells of a fault.
    """

    def __init__(
        self, app: ASGIApp, *, security: SecurityHeaders, drain: Drain, fault: Callable[[Request], str]
    ) -> None:
        self.app = app
        self.security = security
        self.drain = drain
        self.fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # It names a request and opens nothing, so it may be guessed.
        request_id = f"{random.getrandbits(64):016x}"
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        begun = False

        async def whole(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = [*message["headers"], (b"x-request-id", request_id.encode()), *said(state)]
                # Asked when the answer begins: the next request on this connection may come when nobody reads it.
                if self.drain.begun:
                    own.append((b"connection", b"close"))
                message["headers"] = own + self.security.missing(own)
            await send(message)

        try:
            await self.app(scope, receive, whole)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception:
            if begun:
                raise  # half an answer must not look whole: the web server breaks it off
            log.exception("request %s failed", request_id)
            await PlainTextResponse(f"{self.fault(Request(scope))}\n", 500)(scope, receive, whole)
