"""How much an account may upload on a day, by the database's clock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Date, cast, delete, func, literal_column
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.upload_day import UploadDay

# The day as those who upload know it.
TODAY: Final = cast(func.timezone(literal_column("'Asia/Shanghai'"), func.now()), Date)
KEPT_DAYS: Final = 7


async def is_allowed(session: AsyncSession, account_id: int, size: int, *, most_files: int, most_bytes: int) -> bool:
    """Counts one more file of this size on today's account, unless that would be too much.

    One statement: of two uploads at once that both just fit, the second waits for the first and is refused.
    """
    if size > most_bytes:  # of the first file no conflict decides
        return False
    adding = insert(UploadDay).values(account_id=account_id, day=TODAY, files=1, bytes=size)
    counted = adding.on_conflict_do_update(
        index_elements=[UploadDay.account_id, UploadDay.day],
        set_={"files": UploadDay.files + 1, "bytes": UploadDay.bytes + size},
        where=(UploadDay.files < most_files) & (UploadDay.bytes <= most_bytes - size),
    )
    return await session.scalar(counted.returning(UploadDay.files)) is not None


async def forget(session: AsyncSession) -> None:
    """Clears away the counts of days that are over."""
    await session.execute(delete(UploadDay).where(UploadDay.day < TODAY - KEPT_DAYS))
