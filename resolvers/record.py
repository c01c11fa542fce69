"""The record of what happened: kept chained while a server runs, and verified by the operator."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from models.errors import Unavailable
from resolvers.context import Resources
from storage import chain
from storage.chain import Anchor, Broken

# How often the log, which may be kept elsewhere, is told how the chain ends; in seconds.
TOLD: Final = 3600
# A server that ends chains for no longer than so many seconds.
PATIENCE: Final = 3

log = logging.getLogger(__name__)


async def chain_waiting(resources: Resources) -> int:
    """Chains every event that waits; gives how many."""
    total = 0
    while await chain.anything_waits(resources.db.readers):
        async with resources.db.writing() as session:
            chained = await chain.chain(session, resources.sealer)
        if not chained:  # another server is at it
            break
        total += chained
    return total


async def anchor(resources: Resources) -> Anchor:
    """How the chain ends, with all that was written until now."""
    await chain_waiting(resources)
    async with resources.db.reading() as session:
        return await chain.anchor(session)


async def verify(resources: Resources, anchors: list[Anchor]) -> AsyncIterator[Broken]:
    """Everything that is wrong with the record, the first broken link first."""
    async with resources.db.standing_still() as session:
        async for broken in chain.breaks(session, resources.sealer, anchors):
            yield broken


async def counted(resources: Resources) -> tuple[Anchor, int]:
    """How the chain ends, and how many events wait."""
    async with resources.db.reading() as session:
        return await chain.anchor(session), await chain.waiting(session)


@asynccontextmanager
async def kept_chained(resources: Resources) -> AsyncIterator[None]:
    """While the block runs, what is written is chained soon after, and the last of it at its end.

    Unless the settings leave it to another server.
    """
    pause = resources.settings.chain_seconds
    if not pause:
        yield
        return
    keeping = asyncio.create_task(_keep_chaining(resources, pause))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        with _left_waiting_if_it_fails():
            async with asyncio.timeout(PATIENCE):
                await chain_waiting(resources)


async def _keep_chaining(resources: Resources, pause: float) -> None:
    told, end = 0.0, Anchor(0, b"")
    while True:
        with _left_waiting_if_it_fails():
            await chain_waiting(resources)
            if time.monotonic() >= told + TOLD or not told:
                async with resources.db.reading() as session:
                    now = await chain.anchor(session)
                if now != end:
                    log.info("The record ends at %s.", now)
                told, end = time.monotonic(), now
        await asyncio.sleep(pause)


@contextmanager
def _left_waiting_if_it_fails() -> Iterator[None]:
    """What waits is chained when the database is back, or by the next server."""
    try:
        yield
    except (Unavailable, SQLAlchemyError, OSError) as error:  # a TimeoutError is an OSError
        log.warning("Events wait to be chained: %s.", type(error).__name__)
