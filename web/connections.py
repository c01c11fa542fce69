"""Connections that have to get on with it: uvicorn waits for ever for a request, and keeps headers of any length.

For `python server.py serve`, and for uvicorn as `--http web.connections:Connection`. A reverse proxy does the same, and
better, for the machine as a whole (docs/deploy/nginx.conf); this holds where there is none, and behind one that fails.
"""

from __future__ import annotations

import asyncio
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10
# An upload has 60 seconds in the application, which answers; this is for bodies that nobody reads.
REQUEST_SECONDS: Final = 75
# A query in a link is 20,000 characters at most, of which any may be written as three.
LONGEST_HEAD: Final = 65_536
# Of connections, idle ones included, and of requests; who comes then is answered 503. A process has 1,024 files.
MOST_AT_ONCE: Final = 800
# Longer than a reverse proxy keeps a connection for the next request, so that it never sends one into a closing one.
KEEP_ALIVE_SECONDS: Final = 20

_REFUSAL: Final = "HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """Closed when a request's head takes longer than HEAD_SECONDS, or all of it longer than REQUEST_SECONDS."""

    # By the event loop's clock. The timer may be earlier: it is set anew when it rings, not with each request.
    _deadline: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _chunk = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        super().data_received(data)
        if self._deadline is None and not self._is_answering:  # empty lines between two requests
            self._within(HEAD_SECONDS)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_HEAD:
                self._give_up("431 Request Header Fields Too Large")

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._within(HEAD_SECONDS)

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._within(REQUEST_SECONDS)
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, -self._chunk  # most of which may have been the body
        self._within(None)
        super().on_message_complete()

    @property
    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _within(self, seconds: float | None) -> None:
        """From now on so much time is left; None for as long as it takes, which keep-alive bounds."""
        if seconds is None:
            self._deadline = None
            return
        self._deadline = self.loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        left = self._deadline - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
            return
        self._deadline = None
        if self._in_head:
            self._give_up("408 Request Timeout")
        else:
            self.transport.close()

    def _give_up(self, status: str) -> None:
        """Answers, unless an answer to an earlier request is still on its way."""
        if self.transport.is_closing():
            return
        if not self._is_answering:
            self.transport.write(_REFUSAL.format(status).encode())
        self.transport.close()
