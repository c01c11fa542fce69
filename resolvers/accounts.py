"""Appointing, and ending appointments."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account, Appointment
from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.identifiers import check_phone
from models.kinds import UnionStatus
from models.limits import Limited
from models.permissions import Action, Role
from resolvers.access import require, union_for
from resolvers.context import Context
from storage import accounts, events, unions
from storage.locks import Turn


async def myself(ctx: Context) -> Account | None:
    """Who is signed in, None if nobody is."""
    if ctx.signed_in is None:
        return None
    async with ctx.db.reading() as session:
        return await accounts.by_id(session, ctx.signed_in.account_id)


async def appoint(ctx: Context, union_id: int, phone: str, role: Role) -> Appointment:
    """任命: the role at the union, for the account with this phone. Appointing twice is appointing once.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, PHONE_INVALID, WRONG_STATE at a dissolved union,
            RATE_LIMITED.
    """
    if ctx.signed_in is not None:
        await ctx.spend(Limited.APPOINTMENT, exactly=True)
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
