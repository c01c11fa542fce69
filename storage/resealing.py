"""Sealing under the current key what older ones sealed, while everybody goes on working."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import LargeBinary, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from models.registration import Submission
from models.union import TradeUnion
from storage.sealing import Sealer

SEALED: Final = (Submission, TradeUnion)
Sealed = type[Submission] | type[TradeUnion]


async def reseal(session: AsyncSession, kind: Sealed, sealer: Sealer, after: int, most: int) -> tuple[int | None, int]:
    """Looks at the next so many rows, and seals anew those of an older key, or with an older index.

    Gives where it came to, None after the last, and how many it sealed. Nobody else changes them meanwhile.
    """
    key = Submission.registration_id if kind is Submission else TradeUnion.id
    older = (
        true()
        if sealer.has_old_indexes
        else func.substr(kind.id_number_sealed, 1, len(sealer.prefix)) != cast(sealer.prefix, LargeBinary)
    )
    found = select(kind).where(key > after, kind.id_number_sealed.is_not(None), older).order_by(key)
    if kind is Submission:  # whole registrations: a key of two columns is not to be cut in the middle
        ahead = select(key).where(key > after, kind.id_number_sealed.is_not(None), older).order_by(key).limit(most)
        last = (await session.scalars(ahead)).all()
        found = found.where(key <= (last[-1] if last else after))
    else:
        found = found.limit(most)
    rows: Sequence[Any] = (await session.scalars(found.with_for_update(key_share=True))).all()
    done = sum(sealer.reseal(row) for row in rows)
    await session.flush()
    if not rows:
        return None, done
    return getattr(rows[-1], key.key), done


async def remaining(session: AsyncSession) -> dict[str, int]:
    """How many numbers each key seals, by its id."""
    counted: dict[str, int] = {}
    for kind in SEALED:
        length = func.get_byte(kind.id_number_sealed, 0)
        name = func.convert_from(func.substr(kind.id_number_sealed, 2, length), "UTF8")
        of_each = select(name, func.count()).where(kind.id_number_sealed.is_not(None)).group_by(name)
        for key_id, number in await session.execute(of_each):
            counted[key_id] = counted.get(key_id, 0) + number
    return counted
