"""Accounts and appointments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, false, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account, Appointment, Session
from models.permissions import DECIDING, Grant, Role, Viewer
from models.second_factor import SecondFactor
from models.union import TradeUnion
from storage import scope
from storage.sessions import FAMILIAR


async def viewer_of(session: AsyncSession, account_id: int) -> Viewer:
    """The rights that an account has now, signed in or not."""
    rows = await session.execute(
        select(Appointment.role, TradeUnion.path)
        .join(TradeUnion, TradeUnion.id == Appointment.union_id)
        .where(Appointment.account_id == account_id, Appointment.ended_at.is_(None))
    )
    return Viewer(account_id, tuple(Grant(role, path) for role, path in rows))


@dataclass(frozen=True)
class Claimed:
    """The account that somebody says is theirs, and whether they have been signed in to it from there."""

    account: Account | None
    device_known: bool
    network_known: bool
    second_factor: bool


async def claimed(session: AsyncSession, phone: str, token_hash: bytes | None, network: bytes) -> Claimed:
    """What there is to know before a password is compared: one statement, whether or not there is an account."""
    opened = select(Session.id).where(Session.account_id == Account.id)
    here = opened.where(Session.network == network, Session.created_at > func.now() - FAMILIAR)
    confirmed = select(SecondFactor.account_id).where(
        SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None)
    )
    device = exists(opened.where(Session.token_hash == token_hash)) if token_hash is not None else false()
    found = await session.execute(
        select(Account, device, exists(here), exists(confirmed)).where(Account.phone == phone)
    )
    row = found.one_or_none()
    return Claimed(*row) if row is not None else Claimed(None, False, False, False)  # noqa: FBT003


async def by_phone(session: AsyncSession, phone: str, *, lock: bool = False) -> Account | None:
    """The account with this number; with `lock`, nobody signs in to it until the transaction ends."""
    statement = select(Account).where(Account.phone == phone)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def holds_password(session: AsyncSession, account_id: int, password_hash: str) -> bool:
    """Whether this is the account's password still; it stays so until the transaction ends."""
    held = select(Account.id).where(Account.id == account_id, Account.password_hash == password_hash)
    return await session.scalar(held.with_for_update(read=True)) is not None


async def by_id(session: AsyncSession, account_id: int) -> Account:
    """The person that a row names."""
    return await session.get_one(Account, account_id)


async def appointment(
    session: AsyncSession, viewer: Viewer, appointment_id: int, *, lock: bool = False
) -> Appointment | None:
    """A live appointment, or None out of sight."""
    statement = select(Appointment).where(Appointment.id == appointment_id, scope.appointments(viewer))
    return await session.scalar(statement.with_for_update() if lock else statement)


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
