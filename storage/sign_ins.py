"""What a token opens: a sign-in (登录), and what its account may do.

Rights are read as one text, and remembered. A statement that reads for somebody compares that text with what it would
be now, in the state of the database that it reads: it finds nothing by rights that have changed since.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, LargeBinary, Select, Text, and_, bindparam, cast, func, select, text
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
# For so long nobody notes that a sign-in is used: a write for every request would cost more than the request.
UNNOTED_SECONDS: Final = 300


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
    # Whether they are less than the account's, since an administrator has not shown a second factor.
    held_back: bool = False

    @cached_property
    def bound(self) -> tuple[BoundEyes, dict[str, Any]]:
        """The viewer for a statement that is made once, with the values of its parameters but for the token's hash."""
        eyes, values = BoundEyes.of(self.viewer)
        return eyes, {**values, "rights": self.text}


class SignedIn(NamedTuple):
    """Rights as they were at a moment of the database's clock."""

    rights: Rights
    at: datetime
    # Whether its token is old enough to be replaced.
    worn: bool = False

    @property
    def held_back(self) -> bool:
        return self.rights.held_back

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


def is_live(of: Any) -> ColumnElement[bool]:
    """Whether a sign-in still opens something."""
    return and_(of.ended_at.is_(None), of.expires_at > func.now(), of.idle_at > func.now())


def _ago(interval: str) -> ColumnElement[Any]:
    return func.now() - text(f"interval '{interval}'")


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
        select(cast(func.json_build_array(Session.id, Session.account_id, granted, Session.by_second_factor), Text))
        .where(opened, is_live(Session))
        .scalar_subquery()
    )


_OPENED: Final = _rights(Session.token_hash == bindparam("token_hash", type_=LargeBinary))
_THIS: Final = Session.token_hash == bindparam("token_hash", type_=LargeBinary)
_BY_TOKEN: Final = Prepared(
    select(
        _OPENED,
        func.now(),
        select(Session.used_at < _ago("5 minutes")).where(_THIS).scalar_subquery(),
        select(Session.renewed_at < _ago("1 day")).where(_THIS).scalar_subquery(),
    )
)
# For a minute the former token is as good: the answer that told the new one may have been lost.
_BY_FORMER: Final = Prepared(
    select(Session.token_hash, Session.renewed_at > _ago("1 minute")).where(
        Session.former_hash == bindparam("token_hash", type_=LargeBinary), is_live(Session)
    )
)
_END: Final = "update session set ended_at = now() where former_hash = $1 and ended_at is null"
_NOTE: Final = (
    "update session set used_at = now(), idle_at = now() + $2::interval "
    "where token_hash = $1 and used_at < now() - interval '5 minutes'"
)


def while_held(statement: Select[Any]) -> Select[Any]:
    """The statement with a row only as long as a token still opens these rights, and with now() as its last column."""
    return statement.add_columns(func.now()).where(bindparam("rights", type_=Text) == _OPENED)


def _read(told: str, *, demanding: bool) -> Rights:
    """`demanding`: an administrator's rights are held back from who has not signed in with a second factor."""
    session_id, account_id, granted, strong = orjson.loads(told)
    grants = tuple(Grant(Role(role), TreePath.parse(path)) for role, path in granted or ())
    held_back = demanding and not strong and any(grant.role is Role.ADMINISTRATOR for grant in grants)
    return Rights(told, session_id, account_id, Viewer(account_id, () if held_back else grants), held_back)


class SignIns:
    """The sign-ins of one server, with what the last ones to ask were allowed."""

    def __init__(self, db: Database, *, idle: timedelta, demanding: bool) -> None:
        self._db = db
        self._idle = idle
        self.demanding = demanding
        self._known: OrderedDict[bytes, tuple[float, SignedIn]] = OrderedDict()

    async def by_token(self, token_hash: bytes) -> SignedIn | None:
        """The sign-in that this token opens now: one statement. None if it opens none.

        That it is used is noted, but for some minutes of the last time.
        """
        [(told, at, unnoted, worn)] = await self._db.ask(_BY_TOKEN, {"token_hash": token_hash})
        self._known.pop(token_hash, None)
        if told is None:
            return await self._by_former(token_hash)
        if unnoted:
            await self._db.counters.ask(_NOTE, [token_hash, self._idle])
        signed_in = SignedIn(_read(told, demanding=self.demanding), at, worn)
        self._known[token_hash] = (monotonic(), signed_in)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return signed_in

    async def _by_former(self, token_hash: bytes) -> SignedIn | None:
        """The sign-in that had this token until a moment ago. Later, two have had it, and one is a thief: it ends."""
        for current, fresh in await self._db.ask(_BY_FORMER, {"token_hash": token_hash}):
            if fresh:
                return await self.by_token(current)
            await self._db.counters.ask(_END, [token_hash])
        return None

    def remembered(self, token_hash: bytes) -> SignedIn | None:
        """What this token opened when last looked at, for statements that compare (`while_held`)."""
        looked_at, known = self._known.get(token_hash, (0.0, None))
        if known is None or monotonic() > looked_at + UNNOTED_SECONDS:
            return None
        self._known.move_to_end(token_hash)
        return known

    def forget(self) -> None:
        self._known.clear()


async def again(session: AsyncSession, session_id: int, *, demanding: bool) -> tuple[SignedIn, Person] | None:
    """The sign-in inside a transaction that will use its rights: they stay until it ends. None if it has ended.

    Whoever ends an appointment or a sign-in waits for this transaction, or is seen by it.
    """
    await session.execute(select(Session.id).where(Session.id == session_id).with_for_update(read=True))
    held = select(Appointment.id).join(Session, Session.account_id == Appointment.account_id)
    await session.execute(
        held.where(Session.id == session_id, Appointment.ended_at.is_(None)).with_for_update(read=True, of=Appointment)
    )
    return await of(session, session_id, demanding=demanding)


async def of(session: AsyncSession, session_id: int, *, demanding: bool) -> tuple[SignedIn, Person] | None:
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
    told, at, *person = found
    return SignedIn(_read(told, demanding=demanding), at), Person(*person)
