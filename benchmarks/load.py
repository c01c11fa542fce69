"""Rounds of load: each contestant in its turn answers the same questions to the same number of clients."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import psutil

from benchmarks.client import AnswerError, Script, play, request_of
from benchmarks.servers import Server
from benchmarks.workloads import Ask, Workload

CLIENTS: Final = 32
COMPARED: Final = 20
"""How many answers of a workload are compared before it is timed."""

# How a contestant fails: an answer that is none, one that does not come, a server that is gone.
FAILURES: Final = (AnswerError, OSError)

# A contestant that is slow beyond this many times a round's length sits out the rounds that it has used up.
_OVERTIME: Final = 4


@dataclass(frozen=True)
class Sample:
    """One round of one contestant; times in milliseconds, and the processor's for an answer in microseconds."""

    rate: float
    p50: float
    p99: float
    processor: float = 0.0


@dataclass
class Contestant:
    """A server with the way in which it is asked, and what came of it."""

    server: Server
    # By workload and round.
    samples: dict[str, dict[int, Sample]] = field(default_factory=dict)
    # Why it was not measured, by workload: what it answered instead.
    failures: dict[str, str] = field(default_factory=dict)
    # Megabytes of memory, the most that was seen.
    resident: float = 0.0

    @property
    def name(self) -> str:
        return self.server.name

    def plays(self, workload: Workload) -> bool:
        """Whether it has that workload."""
        return True

    def fail(self, name: str, error: Exception) -> None:
        """Notes that it did not stand a workload; what it had done of it does not count."""
        self.failures[name] = str(error) or type(error).__name__
        self.samples.pop(name, None)

    def weigh(self) -> None:
        """Sees how much memory it holds."""
        with suppress(psutil.Error):
            self.resident = max(self.resident, self.server.resident())

    def path(self, workload: Workload) -> str:
        return {"limit": f"/{workload.name}", "stock": "/graphql/"}.get(self.name, "/graphql")

    def request(self, workload: Workload, ask: Ask) -> bytes:
        return request_of(self.path(workload), ask.token, {"query": workload.document, "variables": ask.variables})

    def plain(self, workload: Workload, answer: bytes) -> Any:
        """The answer as it is compared: without what is told about it, and of a cursor, only whether there is one."""
        return blurred({key: value for key, value in orjson.loads(answer).items() if key != "extensions"})


def blurred(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bool(item) if key == "endCursor" else blurred(item) for key, item in value.items()}
    return [blurred(item) for item in value] if isinstance(value, list) else value


async def compare(contestants: Sequence[Contestant], workload: Workload, asks: Sequence[Ask]) -> None:
    """Notes as a failure if somebody answers something else than the first one: it would not be doing the same."""
    asked = asks[:COMPARED]
    expected: list[Any] | None = None
    for contestant in contestants:
        given: list[bytes] = []
        try:
            await play(contestant.server.port, [once([contestant.request(workload, ask) for ask in asked], given)])
        except FAILURES as error:
            contestant.fail(workload.name, error)
            continue
        answers = [contestant.plain(workload, answer) for answer in given]
        expected = answers if expected is None else expected
        for ask, ought, answer in zip(asked, expected, answers, strict=True):
            if ought != answer:
                contestant.failures[workload.name] = f"differs for {ask.keys}: {ought} ≠ {answer}"


def once(requests: Sequence[bytes], answers: list[bytes]) -> Script:
    """Asks each once, and keeps what is answered."""
    for request in requests:
        answers.append((yield request))  # noqa: PERF401 - a list cannot be made of what is still to be answered


async def rounds(
    entries: Mapping[str, tuple[Contestant, Sequence[bytes]]], name: str, *, count: int, seconds: float
) -> None:
    """Plays `count` rounds of one workload; each contestant with its own requests, a different one first each time."""
    spent = dict.fromkeys(entries, 0.0)
    for number in range(-1, count):
        order = list(entries)
        turn = number % len(order)
        for key in order[turn:] + order[:turn]:
            contestant, requests = entries[key]
            if spent[key] > (number + 1 + _OVERTIME) * seconds or name in contestant.failures:
                continue
            started = time.perf_counter()
            # The round before the first fills caches, and does not count but for who is slow beyond waiting.
            sample = await _tried(contestant, name, requests, seconds if number >= 0 else seconds / 2)
            spent[key] += time.perf_counter() - started
            contestant.weigh()
            if sample is not None and (number >= 0 or spent[key] > _OVERTIME * seconds):
                contestant.samples.setdefault(name, {})[max(number, 0)] = sample


async def _tried(contestant: Contestant, name: str, requests: Sequence[bytes], seconds: float) -> Sample | None:
    """A round; None if the contestant does not stand it, which is noted."""
    try:
        return await measure(contestant.server, requests, seconds=seconds)
    except FAILURES as error:
        contestant.fail(name, error)
        return None


async def measure(server: Server, requests: Sequence[bytes], *, seconds: float) -> Sample:
    """What a server gives to so many clients that ask again as soon as they are answered."""
    latencies: list[float] = []
    gc.collect()
    gc.disable()
    try:
        busy, started = server.busy(), time.perf_counter()
        deadline = started + seconds
        step = max(1, len(requests) // CLIENTS)
        scripts = [_again(requests, client * step, deadline, latencies) for client in range(CLIENTS)]
        await play(server.port, scripts, patience=seconds + 180)
        took, busy = time.perf_counter() - started, server.busy() - busy
    finally:
        gc.enable()
    return summary(latencies, took, busy)


def summary(latencies: Sequence[float], took: float, busy: float) -> Sample:
    ordered = sorted(latencies)
    last = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    middle = statistics.median(ordered)
    return Sample(len(ordered) / took, middle * 1000, last * 1000, busy / len(ordered) * 1e6)


def _again(requests: Sequence[bytes], start: int, deadline: float, latencies: list[float]) -> Script:
    clock, place = time.perf_counter, start
    sent = clock()
    while sent < deadline:
        yield requests[place % len(requests)]
        answered = clock()
        latencies.append(answered - sent)
        place, sent = place + 1, answered


def run(work: Any) -> Any:
    """Runs a coroutine on the faster loop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
