"""What a token opens: a sign-in (登录), and what its account may do.

Rights are read as one text, and remembered. A statement that reads for somebody compares that text with what it would
be now, in the state of the database that it reads: it finds nothing by rights that have changed since.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, LargeBinary, Select, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account, Appointment, Session
from models.permissions import Grant, Role, Viewer
from models.treepath import TreePath
from models.union import TradeUnion
from storage.database import Database
from storage.reading.prepared import Prepared
from storage.scope import BoundEyes

# Those who have asked last; a thousand of them take about a megabyte.
REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    id: int
    phone: str
    real_name: str
    real_name_verified: bool


@dataclass(frozen=True)
class Rights:
    """A live sign-in and the rights of its account; `text` is how the database tells of them."""

    text: str
    session_id: int
    account_id: int
    viewer: Viewer

    @cached_property
    def bound(self) -> tuple[BoundEyes, dict[str, Any]]:
        """The viewer for a statement that is made once, with the values of its parameters but for the token's hash."""
        eyes, values = BoundEyes.of(self.viewer)
        return eyes, {**values, "rights": self.text}


@dataclass(frozen=True)
class SignedIn:
    """Rights as they were at a moment of the database's clock."""

    rights: Rights
    at: datetime

    @property
    def session_id(self) -> int:
        return self.rights.session_id

    @property
    def account_id(self) -> int:
        return self.rights.account_id

    @property
    def viewer(self) -> Viewer:
        return self.rights.viewer


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _rights(opened: ColumnElement[bool]) -> ColumnElement[Any]:
    """The text of the rights that this sign-in has now, null if it has ended."""
    grant = func.json_build_array(Appointment.role, cast(TradeUnion.path, Text))
    granted = (
        select(func.json_agg(aggregate_order_by(grant, Appointment.id)))
        .join(TradeUnion, TradeUnion.id == Appointment.union_id)
        .where(Appointment.account_id == Session.account_id, Appointment.ended_at.is_(None))
        .correlate(Session)
        .scalar_subquery()
    )
    return (
        select(cast(func.json_build_array(Session.id, Session.account_id, granted), Text))
        .where(opened, Session.ended_at.is_(None), Session.expires_at > func.now())
        .scalar_subquery()
    )


_OPENED: Final = _rights(Session.token_hash == bindparam("token_hash", type_=LargeBinary))
_BY_TOKEN: Final = Prepared(select(_OPENED, func.now()))


def while_held(statement: Select[Any]) -> Select[Any]:
    """The statement with a row only as long as a token still opens these rights, and with now() as its last column."""
    return statement.add_columns(func.now()).where(bindparam("rights", type_=Text) == _OPENED)


def _read(text: str) -> Rights:
    session_id, account_id, granted = orjson.loads(text)
    grants = tuple(Grant(Role(role), TreePath.parse(path)) for role, path in granted or ())
    return Rights(text, session_id, account_id, Viewer(account_id, grants))


class SignIns:
    """The sign-ins of one server, with what the last ones to ask were allowed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: OrderedDict[bytes, SignedIn] = OrderedDict()

    async def by_token(self, token_hash: bytes) -> SignedIn | None:
        """The sign-in that this token opens now: one statement. None if it opens none."""
        [(text, at)] = await self._db.ask(_BY_TOKEN, {"token_hash": token_hash})
        self._known.pop(token_hash, None)
        if text is None:
            return None
        signed_in = self._known[token_hash] = SignedIn(_read(text), at)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return signed_in

    def remembered(self, token_hash: bytes) -> SignedIn | None:
        """What this token opened when last looked at, for statements that compare (`while_held`)."""
        known = self._known.get(token_hash)
        if known is not None:
            self._known.move_to_end(token_hash)
        return known


async def again(session: AsyncSession, session_id: int) -> tuple[SignedIn, Person] | None:
    """The sign-in inside a transaction that will use its rights: they stay until it ends. None if it has ended.

    Whoever ends an appointment or a sign-in waits for this transaction, or is seen by it.
    """
    await session.execute(select(Session.id).where(Session.id == session_id).with_for_update(read=True))
    held = select(Appointment.id).join(Session, Session.account_id == Appointment.account_id)
    await session.execute(
        held.where(Session.id == session_id, Appointment.ended_at.is_(None)).with_for_update(read=True, of=Appointment)
    )
    return await of(session, session_id)


async def of(session: AsyncSession, session_id: int) -> tuple[SignedIn, Person] | None:
    """The sign-in as this transaction sees it, and whose it is."""
    verified = Account.real_name_verified_at.is_not(None)
    found = (
        await session.execute(
            select(
                _rights(Session.id == session_id), func.now(), Account.id, Account.phone, Account.real_name, verified
            )
            .join(Session, Session.account_id == Account.id)
            .where(Session.id == session_id)
        )
    ).one_or_none()
    if found is None or found[0] is None:
        return None
    text, at, *person = found
    return SignedIn(_read(text), at), Person(*person)
