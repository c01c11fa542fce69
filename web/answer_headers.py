"""What a use case has to say in the answer's header, whoever writes the answer.

What was taken of limits, as draft-ietf-httpapi-ratelimit-headers has it, and how long to wait; a cookie with another
token.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.limits import Spent
from resolvers.context import Reply

# Where web/asking.py leaves it in a request's state.
REPLY: Final = "reply"


class AnswerHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start" and REPLY in state:
                message["headers"] = [*message["headers"], *headers_of(state[REPLY])]
            await send(message)

        await self.app(scope, receive, telling)


def headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    told = limits_told(reply.spent) if reply.spent else []
    if reply.retry_after:
        told.append((b"retry-after", b"%d" % reply.retry_after))
    return told + reply.headers


def limits_told(spent: Iterable[Spent]) -> list[tuple[bytes, bytes]]:
    """Of each limit: q permits over w seconds; r are left, in t seconds all of them are there again."""
    latest = {one.what: one for one in spent}.values()
    policies = ", ".join(f'"{one.what}";q={one.limit.permits};w={one.limit.seconds}' for one in latest)
    states = ", ".join(f'"{one.what}";r={one.left};t={ceil(one.full_in)}' for one in latest)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", states.encode())]
