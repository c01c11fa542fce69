"""Writing down what happened, and reading it again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.event import Event, Happening
from models.kinds import TreeScope
from models.permissions import Viewer
from models.registration import Registration
from models.union import TradeUnion
from storage import scope
from storage.listing import Listing


def record(
    session: AsyncSession,
    action: Happening,
    *,
    by: int | None,
    at: TradeUnion | None,
    of: Registration | None = None,
    **details: str,
) -> None:
    """Adds an event to the transaction of what it tells of. No ID number, phone or token in `details`."""
    session.add(
        Event(
            action=action,
            actor_id=by,
            union_id=at.id if at else None,
            path=at.path if at else None,
            registration_id=of.id if of else None,
            details=details,
        )
    )


async def in_sight(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Event | None]:
    """One query for many events; in the order asked, None where out of sight."""
    rows = await session.scalars(select(Event).where(Event.id.in_(ids), scope.events(viewer)))
    found = {event.id: event for event in rows}
    return [found.get(event_id) for event_id in ids]


def of_union(viewer: Viewer, union: TradeUnion, reach: TreeScope) -> Listing[Event]:
    """What happened at a union, or at it and everything that was below it at the time; newest first."""
    here = Event.union_id == union.id
    if reach is TreeScope.SUBTREE:
        here = or_(here, scope.within(Event.path, union.path))
    statement = select(Event).where(here, scope.events(viewer))
    return Listing("events", statement, [Event.id], descending=True)
