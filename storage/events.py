"""Writing down what happened, and reading it again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from models.event import Event, Happening
from models.identifiers import without_numbers
from models.kinds import TreeScope
from models.registration import Registration
from models.union import TradeUnion
from storage import scope
from storage.reading.reads import Listing, Scan
from storage.reading.rows import Rows
from storage.sources import EVENT


def record(
    session: AsyncSession,
    action: Happening,
    *,
    by: int | None,
    at: TradeUnion | None,
    of: Registration | None = None,
    **details: str,
) -> None:
    """Adds an event to the transaction of what it tells of. No token in `details`; numbers in them are masked."""
    session.add(
        Event(
            action=action,
            actor_id=by,
            union_id=at.id if at else None,
            path=at.path if at else None,
            registration_id=of.id if of else None,
            details={name: without_numbers(detail) for name, detail in details.items()},
        )
    )


def _of_union(union: Rows, reach: TreeScope) -> list[Scan]:
    if reach is TreeScope.DIRECT:
        return [lambda event: event.union_id == union.id]
    return [lambda event: or_(event.union_id == union.id, scope.within(event.path, union.path))]


# What happened at a union, or at it and everything that was below it at the time; newest first.
OF_UNION: Final = Listing("events", EVENT, _of_union, lambda event, _: [event.id], descending=True)
