"""Invites: making, finding and using up codes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.invite import Invite
from models.kinds import InviteStatus
from models.permissions import Viewer
from models.union import TradeUnion
from storage import scope
from storage.listing import Listing


async def by_token(session: AsyncSession, token: str, *, lock: bool = False) -> Invite | None:
    """The invite that this token names, for whoever holds it."""
    statement = select(Invite).where(Invite.token == token)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def find(session: AsyncSession, viewer: Viewer, invite_id: int, *, lock: bool = False) -> Invite | None:
    """The invite, or None out of sight."""
    statement = select(Invite).where(Invite.id == invite_id, scope.invites(viewer))
    return await session.scalar(statement.with_for_update() if lock else statement)


async def by_ids(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Invite | None]:
    """One query for many ids; answers in the order asked, None where out of sight."""
    rows = await session.scalars(select(Invite).where(Invite.id.in_(ids), scope.invites(viewer)))
    found = {invite.id: invite for invite in rows}
    return [found.get(invite_id) for invite_id in ids]


def of_union(viewer: Viewer, union: TradeUnion) -> Listing[Invite]:
    """A union's codes, newest first."""
    statement = select(Invite).where(Invite.union_id == union.id, scope.invites(viewer))
    return Listing("invites", statement, [Invite.id], descending=True)


async def add(session: AsyncSession, invite: Invite) -> Invite:
    session.add(invite)
    await session.flush()
    await session.refresh(invite)
    return invite


async def use_up(session: AsyncSession, invite: Invite) -> bool:
    """Counts one registration; False if the code was closed meanwhile, and its status says how."""
    counted = await session.scalar(
        update(Invite)
        .where(Invite.id == invite.id, Invite.status == InviteStatus.OPEN)
        .values(uses=Invite.uses + 1)
        .returning(Invite.id)
    )
    if counted is None:
        await session.refresh(invite)
    return counted is not None


async def revoke(session: AsyncSession, invite: Invite) -> None:
    await session.execute(update(Invite).where(Invite.id == invite.id).values(revoked_at=func.now()))
    await session.refresh(invite)


async def newest_open(session: AsyncSession, union_id: int) -> Invite | None:
    """The code that a union would show now; for the operator."""
    return await session.scalar(
        select(Invite)
        .where(Invite.union_id == union_id, Invite.status == InviteStatus.OPEN)
        .order_by(Invite.id.desc())
        .limit(1)
    )
