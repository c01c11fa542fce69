"""Accounts, sign-ins and appointments."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from models.account import Account, Appointment, Session
from models.permissions import DECIDING, Grant, Role, Viewer
from models.union import TradeUnion
from storage import scope


@dataclass(frozen=True)
class SignedIn:
    """A live sign-in: whose, with which rights, as of the database's clock."""

    session_id: int
    account: Account
    viewer: Viewer
    at: datetime


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def sign_in_by_token(session: AsyncSession, token: str) -> SignedIn | None:
    """The sign-in that this token opens, with the account's rights: one statement. None if it opens none."""
    return await _signed_in(session, Session.token_hash == hash_token(token))


async def sign_in_again(session: AsyncSession, session_id: int) -> SignedIn | None:
    """The same, inside a transaction that will use the rights: they stay until it ends.

    Whoever ends an appointment or a sign-in waits for this transaction, or is seen by it.
    """
    await session.execute(select(Session.id).where(Session.id == session_id).with_for_update(read=True))
    held = select(Appointment.id).join(Session, Session.account_id == Appointment.account_id)
    await session.execute(
        held.where(Session.id == session_id, Appointment.ended_at.is_(None)).with_for_update(read=True, of=Appointment)
    )
    return await _signed_in(session, Session.id == session_id)


async def _signed_in(session: AsyncSession, whose: ColumnElement[bool]) -> SignedIn | None:
    rows = (
        await session.execute(
            select(Session.id, Account, Appointment.role, TradeUnion.path, func.now())
            .join(Account, Account.id == Session.account_id)
            .outerjoin(Appointment, (Appointment.account_id == Account.id) & Appointment.ended_at.is_(None))
            .outerjoin(TradeUnion, TradeUnion.id == Appointment.union_id)
            .where(whose, Session.ended_at.is_(None), Session.expires_at > func.now())
        )
    ).all()
    if not rows:
        return None
    session_id, account, _, _, now = rows[0]
    grants = tuple(Grant(role, path) for *_, role, path, _ in _appointed(rows))
    return SignedIn(session_id, account, Viewer(account.id, grants), now)


def _appointed(rows: Sequence[Row[Any, Any, Any, Any, Any]]) -> list[Row[Any, Any, Any, Any, Any]]:
    """Without the one row of somebody who holds no appointment, which the outer join leaves empty."""
    return [row for row in rows if row.role is not None]


async def viewer_of(session: AsyncSession, account_id: int) -> Viewer:
    """The rights that an account has now, signed in or not."""
    rows = await session.execute(
        select(Appointment.role, TradeUnion.path)
        .join(TradeUnion, TradeUnion.id == Appointment.union_id)
        .where(Appointment.account_id == account_id, Appointment.ended_at.is_(None))
    )
    return Viewer(account_id, tuple(Grant(role, path) for role, path in rows))


async def by_phone(session: AsyncSession, phone: str, *, lock: bool = False) -> Account | None:
    """The account with this number; with `lock`, nobody signs in to it until the transaction ends."""
    statement = select(Account).where(Account.phone == phone)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def holds_password(session: AsyncSession, account_id: int, password_hash: str) -> bool:
    """Whether this is the account's password still; it stays so until the transaction ends."""
    held = select(Account.id).where(Account.id == account_id, Account.password_hash == password_hash)
    return await session.scalar(held.with_for_update(read=True)) is not None


async def in_sight(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Account | None]:
    """One query for many people; in the order asked, None where out of sight."""
    rows = await session.scalars(select(Account).where(Account.id.in_(ids), scope.accounts(viewer)))
    found = {account.id: account for account in rows}
    return [found.get(account_id) for account_id in ids]


async def by_ids(session: AsyncSession, ids: Sequence[int]) -> list[Account | None]:
    """One query for many people named by rows that the viewer has been shown; in the order asked."""
    rows = await session.scalars(select(Account).where(Account.id.in_(ids)))
    found = {account.id: account for account in rows}
    return [found.get(account_id) for account_id in ids]


async def open_session(session: AsyncSession, account: Account, token: str, lasting: timedelta) -> int:
    """A sign-in that this token opens from now on, by the database's clock; gives its id."""
    row = Session(account_id=account.id, token_hash=hash_token(token), expires_at=func.now() + lasting)
    session.add(row)
    await session.flush()
    return row.id


async def end_session(session: AsyncSession, session_id: int) -> None:
    await session.execute(
        update(Session).where(Session.id == session_id, Session.ended_at.is_(None)).values(ended_at=func.now())
    )


async def end_all_sessions(session: AsyncSession, account_id: int) -> None:
    await session.execute(
        update(Session).where(Session.account_id == account_id, Session.ended_at.is_(None)).values(ended_at=func.now())
    )


async def appointment(
    session: AsyncSession, viewer: Viewer, appointment_id: int, *, lock: bool = False
) -> Appointment | None:
    """A live appointment, or None out of sight."""
    statement = select(Appointment).where(Appointment.id == appointment_id, scope.appointments(viewer))
    return await session.scalar(statement.with_for_update() if lock else statement)


async def appointments_in_sight(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Appointment | None]:
    """One query for many live appointments; in the order asked, None where out of sight."""
    rows = await session.scalars(select(Appointment).where(Appointment.id.in_(ids), scope.appointments(viewer)))
    found = {appointment.id: appointment for appointment in rows}
    return [found.get(appointment_id) for appointment_id in ids]


async def appoint(
    session: AsyncSession, account_id: int, union_id: int, role: Role, by: int | None
) -> tuple[Appointment, bool]:
    """The appointment, and whether it is new: the same role at the same union is held once."""
    wanted = {"account_id": account_id, "union_id": union_id, "role": role}
    adding = insert(Appointment).values(**wanted, appointed_by=by).on_conflict_do_nothing().returning(Appointment)
    while True:
        held = await session.scalar(select(Appointment).filter_by(**wanted, ended_at=None))
        if held is not None:
            return held, False
        made = await session.scalar(adding)
        if made is not None:
            return made, True
        # Somebody else was first meanwhile: another look finds theirs.


async def end_appointment(session: AsyncSession, appointment: Appointment) -> None:
    await session.execute(update(Appointment).where(Appointment.id == appointment.id).values(ended_at=func.now()))


async def appointments_at(session: AsyncSession, union_ids: Sequence[int]) -> list[list[Appointment]]:
    """One query for the live appointments at many unions; in the order asked."""
    return await _grouped(session, Appointment.union_id, union_ids)


async def appointments_of(session: AsyncSession, account_ids: Sequence[int]) -> list[list[Appointment]]:
    """One query for the live appointments of many people; in the order asked."""
    return await _grouped(session, Appointment.account_id, account_ids)


async def _grouped(
    session: AsyncSession, by: InstrumentedAttribute[int], keys: Sequence[int]
) -> list[list[Appointment]]:
    rows = await session.scalars(
        select(Appointment).where(by.in_(keys), Appointment.ended_at.is_(None)).order_by(Appointment.id)
    )
    found: dict[int, list[Appointment]] = {key: [] for key in keys}
    for row in rows:
        found[getattr(row, by.key)].append(row)
    return [found[key] for key in keys]


async def deciding_at(session: AsyncSession, union_ids: Collection[int]) -> dict[int, set[int]]:
    """The accounts appointed at these unions in a role that decides, by union (see permissions.deciders)."""
    rows = await session.execute(
        select(Appointment.union_id, Appointment.account_id).where(
            Appointment.union_id.in_(union_ids), Appointment.role.in_(DECIDING), Appointment.ended_at.is_(None)
        )
    )
    found: dict[int, set[int]] = {}
    for union_id, account_id in rows:
        found.setdefault(union_id, set()).add(account_id)
    return found


async def now(session: AsyncSession) -> float:
    """The database's clock, in seconds since 1970: the only clock that decides."""
    return float(await session.scalar(select(func.extract("epoch", func.now()))) or 0)
