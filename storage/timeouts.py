"""How long a statement may take is for those that people wait for. Some work takes as long as it takes."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def take_time(session: AsyncSession, *, idle: int = 0) -> None:
    """Until this transaction ends no statement of it is cut off; it may idle for so many seconds, 0 for ever."""
    await session.execute(text("set local statement_timeout = 0"))
    await session.execute(text(f"set local idle_in_transaction_session_timeout = '{idle}s'"))


async def wait_patiently(session: AsyncSession) -> None:
    """Until this transaction ends it waits for locks as long as others have them."""
    await session.execute(text("set local lock_timeout = 0"))
