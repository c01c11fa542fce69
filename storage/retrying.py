"""Work that lost to other work through no fault of its own is done again, whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from models.errors import RolledBack

RETRIES: Final = 3
SHORTEST: Final = 0.02  # seconds; the longest wait doubles each time

Result = TypeVar("Result")


async def whole(work: Callable[[], Awaitable[Result]]) -> Result:
    """What `work` gives, done again up to three times if it was rolled back: the wait is any up to twice the last.

    `work` has one transaction that writes: what it committed before would be there twice.

    Raises:
        RolledBack: the fourth time, too.
    """
    for attempt in range(RETRIES):
        try:
            return await work()
        except RolledBack:
            # Two that have met once meet again if they wait equally long.
            await asyncio.sleep(random.uniform(SHORTEST / 2, SHORTEST * 2**attempt))  # noqa: S311 - spreads, hides nothing
    return await work()
