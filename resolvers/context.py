"""What a use case works with: made once per request, and per command of the operator's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Rejected
from models.locale import Locale
from models.permissions import NOBODY, Viewer
from storage import sign_ins
from storage.database import Database
from storage.files import Files
from storage.locks import Turn, wait_for
from storage.sealing import Sealer
from storage.settings import Settings
from storage.sign_ins import Person, SignedIn, SignIns


@dataclass(frozen=True)
class Resources:
    """What lives as long as the server."""

    settings: Settings
    db: Database
    sign_ins: SignIns
    files: Files
    sealer: Sealer


@dataclass(frozen=True)
class Work:
    """One transaction of someone signed in, with the rights that they have in it."""

    session: AsyncSession
    account: Person
    viewer: Viewer


@dataclass
class Context:
    """Who asks, in which language, and what there is to answer with."""

    resources: Resources
    signed_in: SignedIn | None = None
    token_hash: bytes | None = None
    locale: Locale = Locale.ZH
    request_id: str = ""

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
    async def working(self, *, turn: Turn | None = None) -> AsyncIterator[Work]:
        """A transaction in which the viewer's rights hold until it ends; with `turn`, when it has come.

        Raises:
            Rejected: UNAUTHENTICATED, also if the sign-in has ended meanwhile.
        """
        if self.signed_in is None:
            raise Rejected(Problem(Code.UNAUTHENTICATED))
        async with self.db.writing() as session:
            if turn is not None:
                await wait_for(session, turn)
            # From here on these rights count, also for what is read of the answer.
            found = await sign_ins.again(session, self.signed_in.session_id)
            if found is None:
                self.signed_in = None
                raise Rejected(Problem(Code.UNAUTHENTICATED))
            self.signed_in, person = found
            yield Work(session, person, self.signed_in.viewer)
