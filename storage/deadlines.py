"""One deadline for a whole operation, whatever it consists of. It cancels the statement that is running then.

Below it each step has its own: waiting for a connection, for a lock, for a statement (`Deadlines`), and a transaction
may not idle for longer than an operation may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from models.errors import Lack, Unavailable


@dataclass(frozen=True)
class Deadlines:
    """How long each step may take, in seconds. For a lock it is half of what a statement has."""

    connection: float = 3
    statement: float = 5
    operation: float = 15

    @property
    def settings(self) -> dict[str, str]:
        """PostgreSQL's names for those that it keeps itself."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.statement / 2),
            "idle_in_transaction_session_timeout": _milliseconds(self.operation),
        }


def _milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


# How late a deadline may be noticed, in seconds.
TICK: Final = 0.05


class _Watch:
    """The deadlines of one event loop. All of them share a timer: most are met, and never cost one of their own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.running: dict[Within, None] = {}
        self.timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Once there is a deadline, and then every TICK until there is none."""
        now = self.loop.time()
        for deadline in [one for one in self.running if one.end <= now]:
            deadline.pass_by()
        self.timer = self.loop.call_later(TICK, self.look) if self.running else None


@lru_cache(maxsize=1)
def _watch_of(loop: asyncio.AbstractEventLoop) -> _Watch:
    return _Watch(loop)


class Within:
    """Cancels what is inside when its seconds are over, and raises what `late` makes instead.

    As `asyncio.timeout` does, without a timer and two coroutines for each, which reading would notice.
    """

    def __init__(self, seconds: float | None, late: Callable[[], Exception]) -> None:
        """None is for ever."""
        self.end = inf
        self.passed = False
        self._seconds = seconds
        self._late = late

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._watch = _watch_of(task.get_loop())
        self.last(self._seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._watch.running.pop(self, None)
        # Cancelled by somebody else as well, it stays cancelled.
        if self.passed and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise self._late() from error

    def last(self, seconds: float | None) -> None:
        """From now on there is so much time."""
        watch = self._watch
        if seconds is None:
            self.end = inf
            watch.running.pop(self, None)
            return
        self.end = watch.loop.time() + seconds
        watch.running[self] = None
        if watch.timer is None:
            watch.look()

    def pass_by(self) -> None:
        del self._watch.running[self]
        self.passed = True
        self._task.cancel()


def _time_is_up() -> Unavailable:
    return Unavailable(Lack.OPERATION)


class operation(Within):  # noqa: N801 - used as a word, as `asyncio.timeout` is
    """Gives what is inside so many seconds, and the tasks that it starts as well; None is for ever.

    Raises:
        Unavailable: OPERATION, time is up.
    """

    def __init__(self, seconds: float | None, late: Callable[[], Exception] = _time_is_up) -> None:
        """`late`: what is raised instead, until it starts."""
        super().__init__(seconds, late)

    @override
    def __enter__(self) -> Self:
        self._before = _CURRENT.set(self)
        return super().__enter__()

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _CURRENT.reset(self._before)
        super().__exit__(kind, error, trace)

    def start(self, seconds: float | None) -> None:
        """What had to be waited for is there: from now on it has so many seconds."""
        self._late = _time_is_up
        self.last(seconds)


# The one that this task works for.
_CURRENT: Final[ContextVar[operation | None]] = ContextVar("operation", default=None)


@asynccontextmanager
async def what_is_left() -> AsyncIterator[None]:
    """The same deadline for a task that nobody cancels when it passes: the executor shields those that load.

    Raises:
        Unavailable: OPERATION, time is up.
    """
    try:
        current = _CURRENT.get()
        async with asyncio.timeout_at(None if current is None or current.end == inf else current.end):
            yield
    except TimeoutError:
        raise Unavailable(Lack.OPERATION) from None
