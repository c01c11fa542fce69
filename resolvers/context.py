"""What a use case works with: made once per request, and per command of the operator's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Rejected
from models.limits import Limited, Spent, network_of
from models.locale import Locale
from models.permissions import NOBODY, Viewer
from storage import sign_ins
from storage.database import Database
from storage.files import Files
from storage.locks import Turn, wait_for
from storage.sealing import Sealer
from storage.settings import Settings
from storage.sign_ins import Person, SignedIn, SignIns
from storage.throttle import Throttle


@dataclass(frozen=True)
class Resources:
    """What lives as long as the server."""

    settings: Settings
    db: Database
    sign_ins: SignIns
    files: Files
    sealer: Sealer
    throttle: Throttle


@dataclass(frozen=True)
class Work:
    """One transaction of someone signed in, with the rights that they have in it."""

    session: AsyncSession
    account: Person
    viewer: Viewer


class Origin(NamedTuple):
    """Where a request comes from, as far as it says so."""

    address: str
    token: str | None = None
    program: str | None = None


@dataclass
class Reply:
    """What goes into the header of an answer, whoever writes the answer."""

    # What was taken of limits, and how long to wait if it was too much.
    spent: list[Spent] = field(default_factory=list)
    retry_after: int = 0
    # Whether what is asked has been paid for.
    paid: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass
class Context:
    """Who asks, in which language, and what there is to answer with."""

    resources: Resources
    signed_in: SignedIn | None = None
    token_hash: bytes | None = None
    locale: Locale = Locale.ZH
    request_id: str = ""
    # None for the operator's commands, which no limit is for.
    origin: Origin | None = None
    reply: Reply = field(default_factory=Reply)
    # Puts another token into the cookie that the request's came in; None if it came otherwise.
    keep_token: Callable[[str], None] | None = None

    @property
    def viewer(self) -> Viewer:
        """The rights as they were last read: when the request began, or when it last wrote."""
        return self.signed_in.viewer if self.signed_in else NOBODY

    @property
    def settings(self) -> Settings:
        return self.resources.settings

    @property
    def db(self) -> Database:
        return self.resources.db

    @asynccontextmanager
    async def working(self, *, turn: Turn | None = None, own: bool = False) -> AsyncIterator[Work]:
        """A transaction in which the viewer's rights hold until it ends; with `turn`, when it has come.

        `own`: it is about the account itself, and needs no rights.

        Raises:
            Rejected: UNAUTHENTICATED, also if the sign-in has ended meanwhile; SECOND_FACTOR_REQUIRED, if its
                rights are held back.
        """
        if self.signed_in is None:
            raise Rejected(Problem(Code.UNAUTHENTICATED))
        async with self.db.writing() as session:
            if turn is not None:
                await wait_for(session, turn)
            # From here on these rights count, also for what is read of the answer.
            demanding = self.resources.sign_ins.demanding
            found = await sign_ins.again(session, self.signed_in.session_id, demanding=demanding)
            if found is None:
                self.signed_in = None
                raise Rejected(Problem(Code.UNAUTHENTICATED))
            self.signed_in, person = found
            if self.signed_in.held_back and not own:
                raise Rejected(Problem(Code.SECOND_FACTOR_REQUIRED, (), "administrator"))
            yield Work(session, person, self.signed_in.viewer)

    @property
    def network(self) -> str:
        """Whose attempts count together with those of this request (models/limits.py)."""
        return network_of(self.origin.address if self.origin else "")

    @property
    def whose(self) -> str:
        """Whose permits this request uses: the account's, or the network's if nobody is signed in."""
        return f"account {self.signed_in.account_id}" if self.signed_in else f"network {self.network}"

    async def spend(self, what: Limited, cost: int = 1, *, exactly: bool = False) -> None:
        """Takes permits of a limit, of the account or else of the network; `exactly`, by the same statement each time.

        Raises:
            Rejected: RATE_LIMITED.
        """
        if self.origin is not None:
            throttle = self.resources.throttle
            taking = throttle.take if exactly else throttle.spend
            self.settle(await taking(what, self.whose, cost))

    def settle(self, spent: Spent, *, told: bool = True) -> None:
        """Goes on if there were enough permits. What is not `told` is only how many are left.

        Raises:
            Rejected: RATE_LIMITED.
        """
        if told:
            self.reply.spent.append(spent)
        if spent.wait is not None:
            self.reply.retry_after = max(self.reply.retry_after, spent.seconds)
            raise Rejected(Problem(Code.RATE_LIMITED, (), "wait", {"seconds": spent.seconds}))
