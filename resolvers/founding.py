"""What the operator does from the command line: the first union, accounts, first appointments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func

from models.account import Account, Appointment, Session
from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.identifiers import check_phone
from models.invite import Invite
from models.kinds import UnionKind, UnionStatus
from models.permissions import Role
from models.region import check_region_code
from models.text import check_name
from models.treepath import TreePath
from models.union import TradeUnion
from resolvers.accounts import account_with
from resolvers.context import Resources
from resolvers.invites import new_token
from resolvers.passwords import hash_password
from storage import accounts, events, invites, regions, second_factors, sessions, unions


@dataclass(frozen=True)
class Founded:
    """A root of the tree, with a first code to share."""

    union: TradeUnion
    invite: Invite


async def found_root(resources: Resources, name: str, region_code: str, contact_phone: str | None = None) -> Founded:
    """A higher-level union that nothing lies above.

    Raises:
        Rejected: every problem at once, among them NAME_TAKEN if there is a root of that name.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        sound = problems.take(("name",), check_name, name)
        phone = problems.take(("contact-phone",), check_phone, contact_phone) if contact_phone else None
        code = problems.take(("region",), check_region_code, region_code)
        if code and await regions.current(session, code) is None:
            problems.note(Code.REGION_UNKNOWN, "region")
        if sound and await unions.name_taken(session, None, sound):
            problems.note(Code.NAME_TAKEN, "name")
        problems.raise_any()
        assert sound is not None
        union = TradeUnion(kind=UnionKind.HIGHER_LEVEL, name=sound, region_code=code, contact_phone=phone)
        await unions.plant(session, union, None)
        await session.flush()
        invite = await invites.add(session, Invite(token=new_token(), union_id=union.id))
        events.record(session, Happening.UNION_FOUNDED, by=None, at=union, name=union.name)
        events.record(session, Happening.INVITE_CREATED, by=None, at=union, invite=str(invite.id))
        return Founded(union, invite)


async def create_account(resources: Resources, phone: str, name: str, *, password: str, verified: bool) -> Account:
    """An account that signs in with a password; `verified` vouches for the real name.

    Raises:
        Rejected: every problem at once, among them that the phone has an account.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        number = problems.take(("phone",), check_phone, phone)
        real_name = problems.take(("name",), check_name, name)
        hashed = problems.take((), hash_password, password)
        if number and await accounts.by_phone(session, number) is not None:
            problems.note(Code.INVALID, "phone", why="phone_taken")
        problems.raise_any()
        assert number and real_name and hashed
        account = Account(phone=number, real_name=real_name, password_hash=hashed)
        if verified:
            account.real_name_verified_at = func.now()
        session.add(account)
        await session.flush()
        events.record(session, Happening.ACCOUNT_CREATED, by=None, at=None, name=real_name, account=str(account.id))
        return account


async def set_password(resources: Resources, phone: str, password: str) -> Account:
    """The account, which signs in with another password from now on; whoever is signed in to it is no longer.

    Raises:
        Rejected: PHONE_INVALID, NOT_FOUND for the phone, INVALID for the password.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        hashed = problems.take((), hash_password, password)
        account = await account_with(session, phone, problems, lock=True)
        problems.raise_any()
        assert account is not None
        account.password_hash = hashed
        await sessions.end_all(session, account.id)
        events.record(
            session, Happening.PASSWORD_SET, by=None, at=None, name=account.real_name, account=str(account.id)
        )
        return account


async def sessions_of(resources: Resources, phone: str) -> Sequence[Session]:
    """The sign-ins of the account with this phone, the newest first. Raises: Rejected, at the phone."""
    problems = Problems()
    async with resources.db.reading() as session:
        account = await account_with(session, phone, problems)
        problems.raise_any()
        assert account is not None
        return await sessions.live(session, account.id)


async def end_sessions(resources: Resources, phone: str, session_id: int | None) -> int:
    """How many sign-ins of the account are over: all, or the one with this number.

    Raises:
        Rejected: PHONE_INVALID, NOT_FOUND for the phone or the sign-in.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        account = await account_with(session, phone, problems, lock=True)
        problems.raise_any()
        assert account is not None
        if session_id is None:
            ended = await sessions.end_all(session, account.id)
        elif await sessions.end(session, session_id, account.id):
            ended = 1
        else:
            raise Rejected(Problem(Code.NOT_FOUND, ("session",)))
        if ended:
            name, whom = account.real_name, str(account.id)
            events.record(session, Happening.SIGNED_OUT, by=None, at=None, name=name, account=whom, ended=str(ended))
        return ended


async def remove_second_factor(resources: Resources, phone: str) -> Account:
    """The account, which signs in by its password alone from now on; whoever is signed in to it is no longer.

    Raises:
        Rejected: PHONE_INVALID, NOT_FOUND for the phone; WRONG_STATE without a second factor.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        account = await account_with(session, phone, problems, lock=True)
        problems.raise_any()
        assert account is not None
        if not await second_factors.remove(session, account.id):
            raise Rejected(Problem(Code.WRONG_STATE, ("phone",), "second_factor_off"))
        await sessions.end_all(session, account.id)
        name, whom = account.real_name, str(account.id)
        events.record(session, Happening.SECOND_FACTOR_OFF, by=None, at=None, name=name, account=whom)
        return account


async def appoint_by_operator(resources: Resources, phone: str, path: str, role: Role) -> Appointment:
    """The role at the union at this place: how a tree gets its first administrator.

    Raises:
        Rejected: PHONE_INVALID, NOT_FOUND for the phone or the union, WRONG_STATE if it is dissolved.
    """
    problems = Problems()
    async with resources.db.writing() as session:
        account = await account_with(session, phone, problems)
        place = _path(path)
        union = await unions.anywhere(session, place) if place else None
        if union is None:
            problems.note(Code.NOT_FOUND, "union")
        elif union.status is UnionStatus.DISSOLVED:
            problems.note(Code.WRONG_STATE, "union", why="dissolved")
        problems.raise_any()
        assert account is not None and union is not None
        made, new = await accounts.appoint(session, account.id, union.id, role, None)
        if new:
            name, whom = account.real_name, str(account.id)
            events.record(session, Happening.APPOINTED, by=None, at=union, name=name, account=whom, role=role)
        return made


def _path(text: str) -> TreePath | None:
    try:
        return TreePath.parse(text)
    except ValueError:
        return None
