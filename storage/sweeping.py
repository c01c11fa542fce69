"""What nothing refers to: rows of photos that no form shows, and files that no row names."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.certificate import Certificate
from models.registration import Submission
from models.union import TradeUnion
from storage import locks
from storage.files import Files

_SHOWN = (
    exists().where(Submission.certificate_id == Certificate.id),
    exists().where(TradeUnion.certificate_id == Certificate.id),
)


async def sweep_rows(session: AsyncSession, after: int, hours: int, most: int) -> tuple[int | None, int]:
    """Deletes, of the next so many rows, those that are older and shown nowhere.

    Gives where it came to, None after the last, and how many it deleted.
    """
    ahead = select(Certificate.id).where(Certificate.id > after).order_by(Certificate.id).limit(most)
    keys = (await session.scalars(ahead)).all()
    old = Certificate.uploaded_at < func.now() - func.make_interval(0, 0, 0, 0, hours)
    unused = (old, ~_SHOWN[0], ~_SHOWN[1])
    # Two statements: a form that is being submitted holds its photo's row, which is passed over; one that comes
    # now waits for ours, and one that came just before is seen by the second statement.
    held = select(Certificate.id).where(Certificate.id.in_(keys), *unused).with_for_update(skip_locked=True)
    found = (await session.scalars(held)).all()
    gone = await session.scalars(
        delete(Certificate).where(Certificate.id.in_(found), *unused).returning(Certificate.id)
    )
    return (keys[-1] if len(keys) == most else None), len(gone.all())


async def strays(session: AsyncSession, names: Collection[str]) -> set[str]:
    """The files among these that no row names."""
    named = await session.scalars(select(Certificate.sha256).where(Certificate.sha256.in_(names)))
    return set(names) - set(named)


async def sweep_files(session: AsyncSession, files: Files, names: Collection[str]) -> list[int]:
    """Deletes those that no row names; gives their sizes.

    Nobody writes a row meanwhile: who uploads the same photo now finds its file, or writes it again.
    """
    await locks.wait_for(session, locks.Turn.SWEEPING)
    sizes = [await files.remove(name) for name in await strays(session, names)]
    return [size for size in sizes if size is not None]
