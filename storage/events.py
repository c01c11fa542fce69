"""Writing down what happened, and reading it again."""

from __future__ import annotations

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


async def find(session: AsyncSession, viewer: Viewer, event_id: int) -> Event | None:
    """The event, or None out of sight."""
    return await session.scalar(select(Event).where(Event.id == event_id, scope.events(viewer)))


def of_union(viewer: Viewer, union: TradeUnion, reach: TreeScope) -> Listing[Event]:
    """What happened at a union, or at it and everything that was below it at the time; newest first."""
    here = Event.union_id == union.id
    if reach is TreeScope.SUBTREE:
        here = or_(here, scope.within(Event.path, union.path))
    statement = select(Event).where(here, scope.events(viewer))
    return Listing("events", statement, [Event.id], descending=True)
