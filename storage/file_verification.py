"""Whether the photos are what they were when they were taken: each is named by what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.certificate import Certificate
from storage.files import Files
from storage.verification import Difference

AT_ONCE: Final = 1000  # rows; the contents are read one by one


async def damaged(session: AsyncSession, files: Files) -> AsyncIterator[Difference]:
    """Every certificate whose file is missing or holds something else than it is named for. Erased ones have none."""
    statement = (
        select(Certificate.id, Certificate.sha256).where(Certificate.erased_at.is_(None)).order_by(Certificate.id)
    )
    async for key, sha256 in await session.stream(statement.execution_options(yield_per=AT_ONCE)):
        held = await files.digest(sha256)
        if held != sha256:
            yield Difference("certificate", key, "file", held, sha256)
