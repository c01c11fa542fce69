"""Second factors and recovery codes. All functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.second_factor import RecoveryCode, SecondFactor


def confirmed(account: Any) -> ColumnElement[bool]:
    """Whether the account has one that counts."""
    return exists(
        select(SecondFactor.account_id).where(
            SecondFactor.account_id == account.id, SecondFactor.confirmed_at.is_not(None)
        )
    )


def recovery_codes_left(account: Any) -> ColumnElement[int]:
    """How many of its recovery codes have not been used."""
    unused = select(func.count()).where(RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None))
    return unused.scalar_subquery()


async def find(session: AsyncSession, account_id: int, *, lock: bool = False) -> SecondFactor | None:
    """The account's, confirmed or not; with `lock`, nobody shows a code of it until the transaction ends."""
    statement = select(SecondFactor).where(SecondFactor.account_id == account_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def propose(session: AsyncSession, account_id: int, sealed: bytes) -> bool:
    """Whether this secret waits for its confirmation now: in the place of one that waits, never of one that counts."""
    adding = insert(SecondFactor).values(account_id=account_id, secret_sealed=sealed)
    replacing = adding.on_conflict_do_update(
        index_elements=["account_id"],
        set_={"secret_sealed": sealed, "created_at": func.now(), "last_step": 0},
        where=SecondFactor.confirmed_at.is_(None),
    )
    return await session.scalar(replacing.returning(SecondFactor.account_id)) is not None


async def use_step(session: AsyncSession, account_id: int, step: int) -> bool:
    """Whether no code of this interval or a later one has been taken; none is from now on."""
    using = update(SecondFactor).where(SecondFactor.account_id == account_id, SecondFactor.last_step < step)
    return await session.scalar(using.values(last_step=step).returning(SecondFactor.account_id)) is not None


async def confirm(session: AsyncSession, account_id: int) -> None:
    await session.execute(
        update(SecondFactor).where(SecondFactor.account_id == account_id).values(confirmed_at=func.now())
    )


async def remove(session: AsyncSession, account_id: int) -> bool:
    """Whether there was one that counted."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    removing = delete(SecondFactor).where(SecondFactor.account_id == account_id)
    return await session.scalar(removing.returning(SecondFactor.confirmed_at)) is not None


async def set_recovery_codes(session: AsyncSession, account_id: int, hashes: Iterable[bytes]) -> None:
    """These and no others."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    session.add_all(RecoveryCode(account_id=account_id, code_hash=one) for one in hashes)


async def use_recovery_code(session: AsyncSession, account_id: int, hashes: Sequence[bytes]) -> bool:
    """Whether this was one that had not been used; it has been now."""
    using = update(RecoveryCode).where(
        RecoveryCode.account_id == account_id, RecoveryCode.code_hash.in_(hashes), RecoveryCode.used_at.is_(None)
    )
    return await session.scalar(using.values(used_at=func.now()).returning(RecoveryCode.account_id)) is not None
