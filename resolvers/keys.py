"""The keys of ID numbers: whether they are the right ones, and replacing them while the server works."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from models.errors import Unavailable
from resolvers.context import Resources
from storage import key_proofs, locks, resealing
from storage.resealing import SEALED
from storage.settings import SettingsError
from storage.timeouts import take_time

BATCH = 500
PATIENCE = 5  # seconds: a server starts without its database, too
AGAIN = 10

log = logging.getLogger(__name__)


async def require_own_keys(resources: Resources) -> None:
    """Raises: SettingsError, if the database was written with other keys."""
    async with resources.db.writing() as session:
        await locks.wait_for(session, locks.Turn.KEYS)
        await key_proofs.require_own_keys(session, resources.sealer)


async def look_at_keys(resources: Resources) -> bool:
    """Whether the database answered. Raises: SettingsError."""
    try:
        await asyncio.wait_for(require_own_keys(resources), PATIENCE)
    except (OSError, DBAPIError, Unavailable):  # TimeoutError among them
        log.warning("the database could not be asked whether it was written with these keys")
        return False
    return True


async def keep_looking(resources: Resources) -> str | None:
    """What is wrong with the keys, once the database answers; None if nothing is."""
    while True:
        await asyncio.sleep(AGAIN)
        try:
            if await look_at_keys(resources):
                return None
        except SettingsError as error:
            log.critical("%s", error)
            return str(error)


@dataclass
class Rotated:
    """What came of sealing anew. `remaining` counts what each old key still seals."""

    resealed: int = 0
    remaining: dict[str, int] = field(default_factory=dict)
    droppable: list[str] = field(default_factory=list)


async def rotate_keys(resources: Resources) -> Rotated:
    """Seals under the first key what others sealed, and makes indexes by the first key, in small transactions.

    Broken off, it goes on where it was: what is sealed anew is passed over. A key may be dropped when nothing is
    sealed with it any more.

    Raises:
        SettingsError: the database was written with other keys; nothing was changed.
    """
    await require_own_keys(resources)
    rotated = Rotated()
    for kind in SEALED:
        after: int | None = 0
        while after is not None:
            async with resources.db.writing() as session:
                await take_time(session)
                after, done = await resealing.reseal(session, kind, resources.sealer, after, BATCH)
            rotated.resealed += done
    async with resources.db.writing() as session:
        rotated.resealed += await resealing.reseal_second_factors(session, resources.sealer)
    async with resources.db.writing() as session:
        await take_time(session)
        counted = await resealing.remaining(session)
        counted.pop(resources.sealer.current_id, None)
        rotated.remaining = counted
        if not counted:  # else somebody still seals with an old one: a server with the settings of before
            rotated.droppable = await key_proofs.forget_all_but(session, resources.sealer)
    return rotated
