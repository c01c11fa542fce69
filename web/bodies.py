"""Reading a small request body without being made to read a large one."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

LARGEST: Final = 4096
SLOWEST_SECONDS: Final = 10


async def small_body(request: Request) -> bytes:
    """The body, or nothing if it is larger or comes more slowly than any honest one."""
    body = b""
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    return b""
    except TimeoutError:
        return b""
    return body
