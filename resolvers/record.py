"""The record of what happened: kept chained while a server runs, and verified by the operator."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf
from typing import Final, NamedTuple

from resolvers.beside import beside
from resolvers.context import Resources
from storage import chain
from storage.chain import Anchor, Broken

# How often the log, which may be kept elsewhere, is told how the chain ends; in seconds.
TOLD: Final = 3600
# A server that ends chains for no longer than so many seconds.
PATIENCE: Final = 3


class Audited(NamedTuple):
    """What one look at the record found: how it ends, how many events wait to be chained, how much is wrong."""

    end: Anchor
    waiting: int
    broken: int


log = logging.getLogger(__name__)


async def chain_waiting(resources: Resources) -> None:
    """Chains every event that waits."""
    while await chain.anything_waits(resources.db.readers):
        async with resources.db.writing() as session:
            chained = await chain.chain(session, resources.sealer)
        if not chained:  # another server is at it
            break


async def anchor(resources: Resources) -> Anchor:
    """How the chain ends, with all that was written until now; but for the last, while another server chains it."""
    await chain_waiting(resources)
    async with resources.db.reading() as session:
        return await chain.anchor(session)


async def verify(resources: Resources, anchors: list[Anchor], tell: Callable[[Broken], None]) -> Audited:
    """Tells everything that is wrong with the record, the first broken link first."""
    found = 0
    async with resources.db.standing_still() as session:
        async for broken in chain.breaks(session, resources.sealer, anchors):
            tell(broken)
            found += 1
        return Audited(await chain.anchor(session), await chain.waiting(session), found)


@asynccontextmanager
async def kept_chained(resources: Resources) -> AsyncIterator[None]:
    """While the block runs, what is written is chained soon after, and the last of it at its end.

    Unless the settings leave it to another server.
    """
    pause = resources.settings.chain_seconds
    if not pause:
        yield
        return
    try:
        async with beside(_keep_chaining(resources, pause)):
            yield
    finally:
        with _left_waiting_if_it_fails():
            async with asyncio.timeout(PATIENCE):
                await chain_waiting(resources)


async def _keep_chaining(resources: Resources, pause: float) -> None:
    told, end = -inf, Anchor(0, b"")
    while True:
        with _left_waiting_if_it_fails():
            await chain_waiting(resources)
            if time.monotonic() >= told + TOLD:
                async with resources.db.reading() as session:
                    now = await chain.anchor(session)
                if now != end:
                    log.info("The record ends at %s.", now)
                told, end = time.monotonic(), now
        await asyncio.sleep(pause)


@contextmanager
def _left_waiting_if_it_fails() -> Iterator[None]:
    """What waits is chained when the database is back, or migrated, or by the next server."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the next ones are to be chained
        log.warning("Events wait to be chained: %s.", type(error).__name__)
