"""Request bodies are bounded while they are read; uvicorn itself takes any length."""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from schema.refusals import Refusal, Refused
from storage.deadlines import Within

# A form of a few kilobytes and a photo both arrive within wx.request's and wx.uploadFile's own 60 seconds.
SLOWEST_SECONDS: Final = 60
LINGER_SECONDS: Final = 2


def is_declared_larger(request: Request, limit: int) -> bool:
    """Whether the Content-Length says so. (One of thousands of digits is a ValueError for `int`.)"""
    declared = request.headers.get("content-length", "").lstrip("0")
    return declared.isdecimal() and (len(declared) > 18 or int(declared) > limit)


async def whole(limit: int, request: Request) -> bytes:
    """The body of a request, in time and of at most `limit` bytes.

    Raises:
        Refused: PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT.
        ClientDisconnect: it breaks off.
    """
    receive = within(limit, request)
    chunks, more = [], True
    async with in_time():
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
    return b"".join(chunks)


def within(limit: int, request: Request) -> Receive:
    """Receives the request's body, and raises PAYLOAD_TOO_LARGE as soon as it is seen to pass `limit` bytes.

    It does so at once if the Content-Length says so, unless the connection is closed with the answer.
    """
    too_large = f"at most {limit} bytes are taken"
    size = 0

    async def receive() -> Message:
        nonlocal size
        if size == 0 and is_declared_larger(request, limit):
            if "close" in request.headers.get("connection", "").lower():
                await linger(request.receive, limit)
            raise Refused(Refusal.PAYLOAD_TOO_LARGE, too_large)
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > limit:
            await linger(request.receive, limit)
            raise Refused(Refusal.PAYLOAD_TOO_LARGE, too_large, headers={"connection": "close"})
        return message

    return receive


async def linger(receive: Receive, limit: int) -> None:
    """Read on for a moment and throw away, up to `limit` bytes.

    A client may still be sending; if the connection closed under it, it would see a reset instead of the refusal.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while limit > 0:
                message = await receive()
                limit -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return


def in_time() -> Within:
    """Bounds how long a body may take to arrive.

    Raises:
        Refused: REQUEST_TIMEOUT.
    """
    return Within(SLOWEST_SECONDS, _too_slow)


def _too_slow() -> Refused:
    reason = f"a body takes at most {SLOWEST_SECONDS} seconds"
    return Refused(Refusal.REQUEST_TIMEOUT, reason, headers={"connection": "close"})
