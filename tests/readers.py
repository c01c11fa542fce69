"""Somebody who reads an answer piece by piece, or stops reading."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect


class Reader:
    """Takes the head of an answer and the first rows of its table, and then no other."""

    def __init__(self, app: Starlette, asked: str, token: str) -> None:
        url = urlsplit(asked)
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": url.path,
            "raw_path": url.path.encode(),
            "root_path": "",
            "query_string": url.query.encode(),
            "headers": [(b"host", b"union.test"), (b"authorization", f"Bearer {token}".encode())],
            "server": ("union.test", 80),
            "client": ("127.0.0.1", 1),
        }
        self.app = app
        self.sent: list[dict[str, Any]] = []
        self._gone = asyncio.Event()
        self._begun = asyncio.Event()

    async def begin(self) -> None:
        """Returns when rows have come."""
        self._task = asyncio.create_task(self.app(self.scope, self._receive, self._send))
        async with asyncio.timeout(10):
            await self._begun.wait()

    async def leave(self) -> None:
        self._gone.set()
        await self.ended()

    async def ended(self) -> None:
        """Returns when the server has given up."""
        async with asyncio.timeout(10):
            with suppress(ClientDisconnect):
                await self._task

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if len(self.sent) > 3:
            self._begun.set()
            await asyncio.Event().wait()
