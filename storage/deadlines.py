"""One deadline for a whole operation, whatever it consists of. It cancels the statement that is running then.

Below it each step has its own: waiting for a connection, for a lock, for a statement (`Deadlines`), and a transaction
may not idle for longer than an operation may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

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


# When the operation ends that this task works for, by its event loop's clock.
_END: Final[ContextVar[float | None]] = ContextVar("end", default=None)


@asynccontextmanager
async def operation(seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
    """Gives what is inside so many seconds, and the tasks that it starts as well; None is for ever.

    Raises:
        Unavailable: OPERATION, time is up.
    """
    end = None if seconds is None else asyncio.get_running_loop().time() + seconds
    token = _END.set(end)
    try:
        async with asyncio.timeout_at(end) as deadline:
            yield deadline
    except TimeoutError:
        raise Unavailable(Lack.OPERATION) from None
    finally:
        _END.reset(token)


def no_longer(deadline: asyncio.Timeout) -> None:
    """The rest takes as long as it takes: the answer has begun."""
    if not deadline.expired():
        deadline.reschedule(None)
    _END.set(None)


@asynccontextmanager
async def what_is_left() -> AsyncIterator[None]:
    """The same deadline for a task that nobody cancels when it passes: the executor shields those that load.

    Raises:
        Unavailable: OPERATION, time is up.
    """
    try:
        async with asyncio.timeout_at(_END.get()):
            yield
    except TimeoutError:
        raise Unavailable(Lack.OPERATION) from None
