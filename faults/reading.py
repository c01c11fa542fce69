"""Somebody who reads while something goes on: how long each answer takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from benchmarks.client import Script, play, request_of
from faults.promises import percentile
from faults.stand import Stand

CARD: Final = "query($id: ID!) { union(id: $id) { id name region { fullName } parent { name } } }"
PAGE: Final = "query($id: ID!) { union(id: $id) { children(first: 20) { nodes { id name kind status } } } }"


class Readers:
    """So many who ask one after the other, until they are told to stop."""

    def __init__(self, stand: Stand, port: int, number: int) -> None:
        token = stand.mayor.token
        wanted: Mapping[str, object] = {"id": stand.other}
        self._requests = [request_of("/graphql", token, {"query": one, "variables": wanted}) for one in (CARD, PAGE)]
        self._port = port
        self._number = number
        self._ended = False
        self.seconds: list[float] = []

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Meanwhile they read. Raises: AnswerError, what one of them was told instead of an answer."""
        scripts: list[Script] = [self._script() for _ in range(self._number)]
        playing = asyncio.create_task(play(self._port, scripts, patience=120))
        try:
            yield
        finally:
            self._ended = True
            await playing

    def _script(self) -> Generator[bytes, bytes, None]:
        while not self._ended:
            for request in self._requests:
                begun = time.perf_counter()
                yield request
                self.seconds.append(time.perf_counter() - begun)

    def forget(self) -> None:
        """What was measured so far was to warm up."""
        self.seconds.clear()

    @property
    def p99(self) -> float:
        return percentile(self.seconds, 0.99)


async def p99_of(stand: Stand, port: int, number: int, seconds: float) -> float:
    """The 99th percentile of so many readers with nothing else going on."""
    readers = Readers(stand, port, number)
    async with readers.reading():
        await asyncio.sleep(1)
        readers.forget()
        await asyncio.sleep(seconds)
    return readers.p99
