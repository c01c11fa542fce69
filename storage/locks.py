"""Advisory locks: what is done one at a time, whichever server does it."""

from __future__ import annotations

from enum import IntEnum, unique

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession


@unique
class Turn(IntEnum):
    """The numbers are any, but each another."""

    MIGRATIONS = 7_263_001
    ENDING_APPOINTMENTS = 7_263_002
    TREE_SURGERY = 7_263_003
    HOUSEKEEPING = 7_263_004
    SWEEPING = 7_263_005
    KEYS = 7_263_006
    CHAINING = 7_263_007


async def wait_for(session: AsyncSession, turn: Turn) -> None:
    """Returns when nobody else has this turn, and has it until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(turn.value)))


async def share(session: AsyncSession, turn: Turn) -> None:
    """The same, with others who share it: only who waits for a turn of their own is kept waiting."""
    await session.execute(select(func.pg_advisory_xact_lock_shared(turn.value)))


async def is_free(session: AsyncSession, turn: Turn) -> bool:
    """Whether nobody else has this turn; then it is had until the transaction ends."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(turn.value))))
