"""Invites: making, finding and using up codes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.invite import Invite, status_of
from models.kinds import InviteStatus
from models.permissions import Viewer
from storage import scope
from storage.reading.reads import Listing
from storage.reading.rows import Rows
from storage.sources import INVITE


async def by_token(session: AsyncSession, token: str, *, lock: bool = False) -> Invite | None:
    """The invite that this token names, for whoever holds it."""
    statement = select(Invite).where(Invite.token == token)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def find(session: AsyncSession, viewer: Viewer, invite_id: int, *, lock: bool = False) -> Invite | None:
    """The invite, or None out of sight."""
    statement = select(Invite).where(Invite.id == invite_id, scope.invites(viewer))
    return await session.scalar(statement.with_for_update() if lock else statement)


def status(invite: Rows) -> ColumnElement[InviteStatus]:
    """Whether the code can still be used, or the first reason why not."""
    return status_of(invite.revoked_at, invite.expires_at, invite.uses, invite.max_uses)


# A union's codes, newest first.
OF_UNION: Final = Listing(
    "invites",
    INVITE,
    lambda union: [lambda invite: invite.union_id == union.id],
    lambda invite, _: [invite.id],
    descending=True,
    told=True,
)


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
