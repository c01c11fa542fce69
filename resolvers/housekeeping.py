"""What a server does by itself, and an operator by a command: sweeping what is unused, erasing what is over."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models.event import Happening
from resolvers.context import Resources
from storage import erasure, events, locks, sessions, sweeping, unions
from storage.timeouts import take_time, wait_patiently

BATCH = 500
HOUR = 3600

log = logging.getLogger(__name__)


@dataclass
class Swept:
    """What was deleted."""

    certificates: int = 0
    files: int = 0
    bytes: int = 0
    drafts: int = 0
    sign_ins: int = 0

    def note(self, sizes: list[int]) -> None:
        self.files += len(sizes)
        self.bytes += sum(sizes)


@asynccontextmanager
async def alone(resources: Resources) -> AsyncIterator[bool]:
    """Whether nobody else keeps house; then nobody does until this ends, however long it takes."""
    async with resources.db.writing() as session:
        await take_time(session)
        yield await locks.is_free(session, locks.Turn.HOUSEKEEPING)


@asynccontextmanager
async def nobody_sweeping(resources: Resources) -> AsyncIterator[None]:
    """Until this ends no file is deleted. Nobody keeps house either: who waited to delete would keep uploads waiting.

    A transaction of its own, so that a snapshot can be taken once the turn is had.
    """
    async with resources.db.writing() as session:
        await take_time(session)
        await wait_patiently(session)
        for turn in (locks.Turn.HOUSEKEEPING, locks.Turn.SWEEPING):
            await locks.share(session, turn)
        yield


async def sweep(resources: Resources) -> Swept:
    """Deletes photos that no form shows and files that no row names, `unused_hours` after they came; and old sign-ins.

    In small transactions, beside whoever uploads and submits; broken off, it has done what it has done.
    """
    swept, hours = Swept(), resources.settings.unused_hours
    after: int | None = 0
    while after is not None:
        async with resources.db.writing() as session:
            after, gone = await sweeping.sweep_rows(session, after, hours, BATCH)
        swept.certificates += gone
    async for names in resources.files.aged(hours * HOUR, BATCH):
        async with resources.db.reading() as session:
            found = await sweeping.strays(session, names)
        swept.note(await _sweep_files(resources, found))
    swept.drafts = resources.files.clear_drafts()
    swept.sign_ins = await _forget_sign_ins(resources)
    return swept


async def _forget_sign_ins(resources: Resources) -> int:
    total, gone = 0, BATCH
    while gone == BATCH:
        async with resources.db.writing() as session:
            gone = await sessions.forget(session, BATCH)
        total += gone
    return total


async def _sweep_files(resources: Resources, names: set[str]) -> list[int]:
    if not names:
        return []
    async with resources.db.writing() as session:
        return await sweeping.sweep_files(session, resources.files, names)


async def erase(resources: Resources) -> int:
    """Erases what was rejected or withdrawn and has rested for `retention_days`; gives how many registrations."""
    days, erased = resources.settings.retention_days, 0
    while days:
        async with resources.db.writing() as session:
            over = await erasure.due(session, days, BATCH)
            photos = await erasure.erase(session, over)
            for one in over:
                parent = await unions.by_id(session, one.parent_id)
                what = Happening.REGISTRATION_ERASED
                events.record(session, what, by=None, at=parent, of=one, name=one.current.name)
        await _sweep_files(resources, photos)
        erased += len(over)
        if len(over) < BATCH:
            break
    return erased


async def keep_house(resources: Resources) -> None:
    """Both, now and then, for as long as the server runs; of several servers and workers one at a time."""
    pause = resources.settings.housekeeping_hours * HOUR
    while pause:
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that workers do not come all at once
        try:
            async with alone(resources) as mine:
                if mine:
                    erased, swept = await erase(resources), await sweep(resources)
                    log.info("housekeeping: %s registrations erased, %s", erased, swept)
        except Exception:
            log.exception("housekeeping failed; it is tried again")
