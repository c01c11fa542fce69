"""The end of a server that others still ask: first it says so, then it goes.

On SIGTERM `/readyz` says no, and every answer closes its connection, so that clients and proxies turn to another
server by themselves; new requests are still taken. After some time the web server goes on with what it does on
SIGTERM: it takes no more, and ends when the last request is answered.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

from uvicorn import Server

from web.listening import take_the_last

log = logging.getLogger(__name__)


class Drain:
    """Whether this process is about to end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun = False

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Meanwhile SIGTERM begins the end, and so does the death of the process that started this one as a worker."""
        before = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield  # there is no web server that would do the rest
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if self.begun:  # asked twice: at once
                before(number, frame)
                return
            self.begun = True
            loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(self._go(before, number))))

        signal.signal(signal.SIGTERM, begin)
        tasks = [asyncio.create_task(_when_orphaned())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            signal.signal(signal.SIGTERM, before)

    async def _go(self, end: Callable[[int, FrameType | None], object], number: int) -> None:
        """Waits, takes the last ones, and hands the signal on to the web server's own handler."""
        await asyncio.sleep(self.seconds)
        server = getattr(end, "__self__", None)
        try:
            if isinstance(server, Server):
                await take_the_last(server)
        except Exception:
            log.exception("those who had just connected were not taken")
        finally:
            end(number, None)


async def _when_orphaned() -> None:
    """Ends a worker whose supervisor was killed: nobody else would, and it holds the port."""
    parent = multiprocessing.parent_process()
    while parent is not None:
        await asyncio.sleep(1)
        if not parent.is_alive():
            signal.raise_signal(signal.SIGTERM)
            return
