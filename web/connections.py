"""Connections that have to get on with it: uvicorn waits for ever for a request, and keeps headers of any length.

For `python server.py serve`, and for uvicorn as `--http web.connections:Connection`. A reverse proxy does the same, and
better, for the machine as a whole (docs/deploy/nginx.conf); this holds where there is none, and behind one that fails.
"""

from __future__ import annotations

import asyncio
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

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

    # None before the first request, which uvicorn does not say.
    cycle: RequestResponseCycle | None  # type: ignore[assignment]
    # By the event loop's clock. The timer may be earlier: it is set anew when it rings, not with each request.
    _deadline: float | None = None
    _timer: asyncio.TimerHandle | None = None
    # The head or the body of which more is to come, by what uvicorn makes of it: its `scope`, its `cycle`.
    _coming: object = None
    _head_bytes = 0

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
        before = self.cycle
        super().data_received(data)
        # Looked at after each chunk, not at each step of the parser: nearly every request comes in one.
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._take_head(data, is_first=cycle is before and (cycle is None or cycle is not self._coming))
        elif cycle.more_body:  # for good, if it is answered before its body ends
            if self._coming is not cycle:
                self._coming = cycle
                self._within(REQUEST_SECONDS)
        elif not cycle.response_complete:
            self._coming = self._deadline = None  # keep-alive bounds what comes after the answer
        elif self._deadline is None:  # but for empty lines, which end its waiting
            self._within(HEAD_SECONDS)

    def _take_head(self, data: bytes, *, is_first: bool) -> None:
        """More of a head has come; `is_first` if nothing of an earlier request came with it."""
        if self._coming is not self.scope:
            if self._coming is not None or self._deadline is None or not is_first:
                self._within(HEAD_SECONDS)
            self._coming, self._head_bytes = self.scope, 0 if is_first else -len(data)
        self._head_bytes += len(data)
        if self._head_bytes > LONGEST_HEAD:
            self._give_up("431 Request Header Fields Too Large")

    @property
    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _within(self, seconds: float) -> None:
        """From now on so much time is left."""
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
        if self._coming is not None and self._coming is self.cycle:
            self.transport.close()
        else:
            self._give_up("408 Request Timeout")

    def _give_up(self, status: str) -> None:
        """Answers, unless an answer to an earlier request is still on its way."""
        if self.transport.is_closing():
            return
        if not self._is_answering:
            self.transport.write(_REFUSAL.format(status).encode())
        self.transport.close()
