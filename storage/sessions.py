"""Sign-ins: opening, renewing, listing and ending them; what one opens is in sign_ins.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import case, delete, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account, Session
from storage.sign_ins import hash_token, is_live

# For so long a network is known from which somebody has signed in.
FAMILIAR: Final = timedelta(days=90)


@dataclass(frozen=True)
class Opening:
    """How a sign-in is opened: from where, by what, and for how long."""

    lasting: timedelta
    idle: timedelta
    network: bytes | None = None
    program: str | None = None
    strong: bool = False


async def start(session: AsyncSession, account: Account, token: str, how: Opening) -> int:
    """A sign-in that this token opens from now on. Gives its id."""
    row = Session(
        account_id=account.id,
        token_hash=hash_token(token),
        expires_at=func.now() + how.lasting,
        idle_at=func.now() + how.idle,
        network=how.network,
        program=how.program,
        by_second_factor=how.strong,
    )
    session.add(row)
    await session.flush()
    return row.id


async def renew(session: AsyncSession, session_id: int, token: str, *, presented: str | None) -> None:
    """Another token for the sign-in. The one presented works for a minute more, whichever of the two it was.

    Without one, no other token opens anything from now on.
    """
    former: Any = null()
    if presented is not None:
        lost = Session.former_hash == hash_token(presented)
        former = case((lost, Session.former_hash), else_=Session.token_hash)
    await session.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(former_hash=former, token_hash=hash_token(token), renewed_at=func.now())
    )


async def strengthen(session: AsyncSession, session_id: int) -> None:
    """Notes that a second factor was shown."""
    await session.execute(update(Session).where(Session.id == session_id).values(by_second_factor=True))


async def live(session: AsyncSession, account_id: int) -> Sequence[Session]:
    """An account's sign-ins, the newest first."""
    found = await session.scalars(
        select(Session).where(Session.account_id == account_id, is_live(Session)).order_by(Session.id.desc())
    )
    return found.all()


async def end(session: AsyncSession, session_id: int, account_id: int) -> bool:
    """Whether this account had such a sign-in, which is over now."""
    ending = update(Session).where(Session.id == session_id, Session.account_id == account_id, is_live(Session))
    return await session.scalar(ending.values(ended_at=func.now()).returning(Session.id)) is not None


async def end_all(session: AsyncSession, account_id: int, *, but_for: int | None = None) -> int:
    """How many sign-ins of the account are over now."""
    ending = update(Session).where(Session.account_id == account_id, is_live(Session))
    if but_for is not None:
        ending = ending.where(Session.id != but_for)
    ended = await session.scalars(ending.values(ended_at=func.now()).returning(Session.id))
    return len(ended.all())


async def forget(session: AsyncSession, most: int) -> int:
    """Deletes some of the sign-ins that have been over for so long that no network is known by them; how many."""
    over = func.least(Session.ended_at, Session.expires_at, Session.idle_at) < func.now() - FAMILIAR
    found = select(Session.id).where(over).limit(most).with_for_update(skip_locked=True)
    gone = await session.scalars(delete(Session).where(Session.id.in_(found)).returning(Session.id))
    return len(gone.all())
