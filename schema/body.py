"""Request bodies are bounded while they are read; uvicorn itself takes any length."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from schema.refusals import Refusal, Refused
from storage.deadlines import operation

# A form of a few kilobytes and a photo both arrive within wx.request's and wx.uploadFile's own 60 seconds.
SLOWEST_SECONDS: Final = 60
LINGER_SECONDS: Final = 2


def is_declared_larger(request: Request, limit: int) -> bool:
    """Whether the Content-Length says so. (One of thousands of digits is a ValueError for `int`.)"""
    declared = request.headers.get("content-length", "").lstrip("0")
    return declared.isdecimal() and (len(declared) > 18 or int(declared) > limit)


async def whole(limit: int, request: Request) -> bytes:
    """The body of a request, of at most `limit` bytes.

    Raises:
        Refused: PAYLOAD_TOO_LARGE.
        ClientDisconnect: it breaks off.
    """
    await refuse_declared(limit, request)
    body, more = await next_chunk(limit, 0, request)
    if not more:  # nearly always
        return body
    pieces, size = [body], len(body)
    while more:
        chunk, more = await next_chunk(limit, size, request)
        pieces.append(chunk)
        size += len(chunk)
    return b"".join(pieces)


async def chunks(limit: int, request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes, as soon as it does; at most `limit` bytes.

    Raises:
        Refused: PAYLOAD_TOO_LARGE.
        ClientDisconnect: it breaks off.
    """
    await refuse_declared(limit, request)
    size, more = 0, True
    while more:
        chunk, more = await next_chunk(limit, size, request)
        size += len(chunk)
        yield chunk


async def refuse_declared(limit: int, request: Request) -> None:
    """Raises: Refused, PAYLOAD_TOO_LARGE, if the Content-Length says more."""
    if is_declared_larger(request, limit):
        if "close" in request.headers.get("connection", "").lower():
            await linger(request.receive, limit)
        raise Refused(Refusal.PAYLOAD_TOO_LARGE, f"at most {limit} bytes are taken")


async def next_chunk(limit: int, size: int, request: Request) -> tuple[bytes, bool]:
    """What comes after the first `size` bytes of a body, and whether more does.

    Raises:
        Refused: PAYLOAD_TOO_LARGE, with this it has more than `limit` bytes.
        ClientDisconnect: it breaks off.
    """
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    chunk: bytes = message.get("body", b"")
    if size + len(chunk) > limit:
        await linger(request.receive, limit)
        closing = {"connection": "close"}
        raise Refused(Refusal.PAYLOAD_TOO_LARGE, f"at most {limit} bytes are taken", headers=closing)
    return chunk, message.get("more_body", False)


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


def in_time() -> operation:
    """Bounds how long a body may take to arrive; then the operation starts that it asks for.

    Raises:
        Refused: REQUEST_TIMEOUT.
    """
    return operation(SLOWEST_SECONDS, _too_slow)


def _too_slow() -> Refused:
    reason = f"a body takes at most {SLOWEST_SECONDS} seconds"
    return Refused(Refusal.REQUEST_TIMEOUT, reason, headers={"connection": "close"})
