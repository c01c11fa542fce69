"""Reading a union and everything below it, however much that is: row by row through a cursor of the server's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.permissions import Action, Viewer
from models.region import Region
from models.union import TradeUnion
from storage import scope
from storage.timeouts import take_time

# Columns alone: a whole TradeUnion takes twice as long to make.
_SHOWN: Final = (
    TradeUnion.id,
    TradeUnion.parent_id,
    TradeUnion.name,
    TradeUnion.former_names,
    TradeUnion.kind,
    TradeUnion.status,
    TradeUnion.region_code,
    TradeUnion.uscc,
    TradeUnion.employer_name,
    TradeUnion.employer_uscc,
    TradeUnion.employer_address,
    TradeUnion.employer_contact_name,
    TradeUnion.employer_contact_phone,
    TradeUnion.employer_staff_count,
    TradeUnion.contact_phone,
    TradeUnion.id_number_sealed,
    TradeUnion.created_at,
    cast(TradeUnion.path, Text).label("place"),
)
# Few enough that the other requests of this process do not wait long for them.
_AT_ONCE: Final = 200
# Seconds that whoever downloads may stop reading, before the connection is needed for somebody else.
PATIENCE: Final = 60


def _of(viewer: Viewer, union: TradeUnion, *entities: Any) -> Select[Any]:
    """Of the subtree, what the viewer may export."""
    return select(*entities).where(
        scope.within(TradeUnion.path, union.path), scope.reachable(viewer.grants, Action.EXPORT)
    )


async def count(session: AsyncSession, viewer: Viewer, union: TradeUnion) -> int:
    """How many unions `each` gives."""
    await take_time(session)
    return (await session.scalar(_of(viewer, union, func.count()))) or 0


async def each(session: AsyncSession, viewer: Viewer, union: TradeUnion) -> AsyncIterator[Sequence[Row[Any]]]:
    """The union and everything below it in the order of the tree, some at a time, as they all were at one moment."""
    await take_time(session, idle=2 * PATIENCE)
    statement = _of(viewer, union, *_SHOWN).order_by(TradeUnion.path)
    found = await session.stream(statement, execution_options={"yield_per": _AT_ONCE})
    async for some in found.partitions():
        yield some


async def region_names(session: AsyncSession) -> dict[str, str]:
    """The full name of every division that there is or was, by its code."""
    found = await session.execute(select(Region.code, Region.full_name))
    return {row.code: row.full_name for row in found}
