"""Signing in and out, and appointing."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account, Appointment
from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.identifiers import check_phone
from models.kinds import UnionStatus
from models.permissions import Action, Role
from resolvers.access import require, union_for
from resolvers.context import Context
from storage import accounts, events, sign_ins, unions
from storage.locks import Turn
from storage.sign_ins import Person

LONGEST_PASSWORD: Final = 200

_hasher: Final = PasswordHasher()  # argon2id with the library's parameters (RFC 9106, low-memory profile)
# A verification takes a core and 64 MiB for some 150 ms: one at a time leaves the others to answer everybody else.
_verifying: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password")


async def sign_in(ctx: Context, phone: str, password: str) -> tuple[str, Person]:
    """A new token (43 characters, 256 bits), and whose sign-in it opens.

    Raises:
        Rejected: CREDENTIALS_INVALID, alike for an unknown phone and a wrong password.
    """
    async with ctx.db.reading() as session:
        account = await accounts.by_phone(session, Problems().take((), check_phone, phone) or "")
    known = account.password_hash if account else None
    loop = asyncio.get_running_loop()
    matches = await loop.run_in_executor(_verifying, _matches, known, password[: LONGEST_PASSWORD + 1])
    if account is None or not matches:
        raise Rejected(Problem(Code.CREDENTIALS_INVALID))
    return await open_session(ctx, account, by_password=known)


async def open_session(ctx: Context, account: Account, by_password: str | None = None) -> tuple[str, Person]:
    """A token for someone who has proved who they are, by the password with this hash if one is given.

    Raises:
        Rejected: CREDENTIALS_INVALID, if the password was set anew since it was compared.
    """
    token = secrets.token_urlsafe(32)
    async with ctx.db.writing() as session:
        if by_password is not None and not await accounts.holds_password(session, account.id, by_password):
            raise Rejected(Problem(Code.CREDENTIALS_INVALID))
        opened = await accounts.open_session(session, account, token, timedelta(days=ctx.settings.session_days))
        found = await sign_ins.of(session, opened)
    assert found is not None
    ctx.signed_in, person = found
    return token, person


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex())


def _matches(known: str | None, password: str) -> bool:
    """Whether this is the password. Without one to compare to it takes as long to say no."""
    try:
        _hasher.verify(known or _nobodys_hash(), password)
    except VerificationError:
        return False
    return known is not None


def hash_password(password: str) -> str:
    """The argon2id hash of a new password.

    Raises:
        Rejected: INVALID, shorter than 8 or longer than 200 characters.
    """
    if not 8 <= len(password) <= LONGEST_PASSWORD:
        raise Rejected(Problem(Code.INVALID, ("password",), why="password_length"))
    return _hasher.hash(password)


async def myself(ctx: Context) -> Account | None:
    """Who is signed in, None if nobody is."""
    if ctx.signed_in is None:
        return None
    async with ctx.db.reading() as session:
        return await accounts.by_id(session, ctx.signed_in.account_id)


async def sign_out(ctx: Context) -> None:
    """Ends this sign-in; its token opens nothing from now on. Without one there is nothing to do."""
    if ctx.signed_in is None:
        return
    async with ctx.db.writing() as session:
        await accounts.end_session(session, ctx.signed_in.session_id)
    ctx.signed_in = None


async def appoint(ctx: Context, union_id: int, phone: str, role: Role) -> Appointment:
    """任命: the role at the union, for the account with this phone. Appointing twice is appointing once.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, PHONE_INVALID, WRONG_STATE at a dissolved union.
    """
    async with ctx.working() as work:
        union = await union_for(work, union_id, Action.APPOINT)
        problems = Problems()
        if union.status is UnionStatus.DISSOLVED:
            problems.note(Code.WRONG_STATE, "unionId", why="dissolved")
        account = await account_with(work.session, phone, problems)
        problems.raise_any()
        assert account is not None
        made, new = await accounts.appoint(work.session, account.id, union.id, role, work.account.id)
        if new:
            events.record(
                work.session,
                Happening.APPOINTED,
                by=work.account.id,
                at=union,
                name=account.real_name,
                account=str(account.id),
                role=role,
            )
        return made


async def account_with(session: AsyncSession, phone: str, problems: Problems, *, lock: bool = False) -> Account | None:
    """The account with this phone, or None with the problem noted at `phone`: it is no number, or nobody's."""
    number = problems.take(("phone",), check_phone, phone)
    if number is None:
        return None
    account = await accounts.by_phone(session, number, lock=lock)
    if account is None:
        problems.note(Code.NOT_FOUND, "phone", why="phone")
    return account


async def end_appointment(ctx: Context, appointment_id: int) -> None:
    """免职, or giving it up oneself. From the answer on, nothing is allowed by it any more.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN.
    """
    # One's own appointments are held while another's is ended: two who end each other would wait for ever.
    async with ctx.working(turn=Turn.ENDING_APPOINTMENTS) as work:
        ending = await accounts.appointment(work.session, work.viewer, appointment_id, lock=True)
        if ending is None:
            raise Rejected(Problem(Code.NOT_FOUND, ("appointmentId",)))
        union = await unions.by_id(work.session, ending.union_id)
        if ending.account_id != work.account.id:
            require(work, Action.APPOINT, union, "appointmentId")
        person = await accounts.by_id(work.session, ending.account_id)
        await accounts.end_appointment(work.session, ending)
        events.record(
            work.session,
            Happening.APPOINTMENT_ENDED,
            by=work.account.id,
            at=union,
            name=person.real_name,
            account=str(ending.account_id),
            role=ending.role,
        )
