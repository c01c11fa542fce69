"""Transactions: short ones that read, and one a mutation that writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final

from asyncpg import PostgresError, UndefinedTableError
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from models.errors import Code, Problem, Rejected
from storage import outages
from storage.deadlines import Deadlines, what_is_left
from storage.outages import asking, connecting
from storage.readers import Readers
from storage.reading.prepared import Prepared
from storage.timeouts import take_time

# Checked before writing, and again by the database when two writers race; the loser is told the same.
_TOLD: Final[Mapping[str, Problem]] = {
    "uq_trade_union_parent_id_name_key": Problem(Code.NAME_TAKEN, ("name",)),
    "uq_trade_union_uscc": Problem(Code.USCC_TAKEN, ("uscc",)),
    "uq_account_phone": Problem(Code.INVALID, ("phone",), why="phone_taken"),
}

# Each statement takes a fraction of a millisecond.
COUNTERS: Final = 2
# Seconds to make a connection, which a database on the other side of a country has done long before.
CONNECTING: Final = 5


@contextmanager
def clashes_told(*path: str) -> Iterator[None]:
    """Tells what another writer was first with; at this path, where the input has no field of its own for it.

    Raises:
        Rejected: a name or a code that must be unique is taken.
    """
    try:
        yield
    except IntegrityError as error:
        told = _TOLD.get(_constraint_of(error))
        if told is None:
            raise
        raise Rejected(replace(told, path=path or told.path)) from error


class Database:
    """The way to PostgreSQL.

    Sessions are short and belong to one task: siblings of a GraphQL query each open their own.
    """

    def __init__(self, url: str, *, pool_size: int, deadlines: Deadlines) -> None:
        settings = {
            "application_name": "uniontree",
            "timezone": "UTC",  # in which answers have their moments, written by the database as it writes JSON
            **deadlines.settings,
            # A statement whose client has gone is given up: nobody reads what it finds.
            "client_connection_check_interval": "1000",
            "jit": "off",  # plans here are short; compiling them costs more than running them
        }
        # Of several hosts in DATABASE_URL the one that takes writes; of one that does not, nothing is read either.
        to = {"target_session_attrs": "primary", "timeout": CONNECTING}
        self.engine = _engine(url, pool_size, deadlines, {**to, "server_settings": settings})
        reading = {**settings, "default_transaction_read_only": "on"}
        # Three pools: writers who wait for one another keep nobody from reading.
        self.read_engine = _engine(url, pool_size, deadlines, {**to, "server_settings": reading})
        _, address = self.engine.dialect.create_connect_args(self.engine.url)
        bare = {**address, **to, "server_settings": settings}
        self.readers = Readers(bare, pool_size, deadlines.connection)
        # For small writes that reading does on the side, so that it never waits for those who write.
        self.counters = Readers(bare, COUNTERS, deadlines.connection, read_only=False)
        self._reader = self.read_engine.execution_options(postgresql_readonly=True)
        event.listen(self.engine.sync_engine, "connect", _answer_when_it_is_on_disk)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A transaction that PostgreSQL itself keeps from writing.

        Raises:
            Unavailable: it cannot be had, or goes on for too long.
        """
        with asking():  # around the end of the session, too, which a lost connection makes fail
            async with what_is_left(), AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
                await _connected(session)
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction, committed if the block ends well and rolled back whole if it does not.

        Raises:
            Rejected: another writer was first with a name or a code that must be unique.
            RolledBack: a deadlock, a serialization failure, or a connection lost before the commit: do it all again.
            Unavailable: it cannot be had, or goes on for too long.
        """
        committing = False
        with clashes_told(), outages.writing(lambda: committing):
            async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
                await _connected(session)
                yield session
                committing = True

    async def ask(self, statement: Prepared, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        """The rows that the statement gives, read as of one moment; JSON as the bytes that it came in.

        Raises:
            Unavailable: a deadline has passed, or the database is away.
        """
        return await self.readers.ask(statement.text, statement.arguments(values))

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[AsyncSession]:
        """One state of the whole database for as long as reading all of it takes; keeps nothing that is written."""
        still = self.engine.execution_options(isolation_level="REPEATABLE READ")
        async with AsyncSession(still, expire_on_commit=False, autoflush=False) as session:
            await take_time(session)
            yield session

    async def revision(self) -> str:
        """The last migration that the database has seen, `base` before the first; it answers now.

        Raises:
            Unavailable: it does not.
        """
        try:
            rows = await self.readers.ask("select version_num::text from alembic_version", [])
        except UndefinedTableError:
            return "base"
        return str(rows[0][0]) if rows else "base"

    async def close(self) -> None:
        await self.readers.close()
        await self.counters.close()
        await self.engine.dispose()
        await self.read_engine.dispose()


def _engine(url: str, pool_size: int, deadlines: Deadlines, to: dict[str, Any]) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=deadlines.connection,
        hide_parameters=True,  # an error that is logged shows its statement, and nobody's phone number
        connect_args=to,
    )
    event.listen(engine.sync_engine, "handle_error", _quote_nothing)
    event.listen(engine.sync_engine, "checkout", _take_no_closed_one)
    return engine


async def _connected(session: AsyncSession) -> None:
    """Raises: Unavailable."""
    with connecting():
        await session.connection()


def _take_no_closed_one(connection: Any, _record: object, _proxy: object) -> None:
    """The pool makes a new one instead. A database that has gone says so: nothing needs to be asked."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _answer_when_it_is_on_disk(connection: DBAPIConnection, _record: object) -> None:
    """Whatever the database or the role is set to, a commit waits for the disk. A stricter setting stays."""
    cursor = connection.cursor()
    cursor.execute(
        "select set_config('synchronous_commit', 'on', false)"
        " where current_setting('synchronous_commit') in ('off', 'local')"
    )
    cursor.close()
    connection.commit()


def _quote_nothing(context: ExceptionContext) -> None:
    """Takes the DETAIL out of PostgreSQL's words before anybody logs them: it quotes the row or the key."""
    cause = context.original_exception.__cause__
    if isinstance(cause, PostgresError):
        cause.detail = None


def _constraint_of(error: IntegrityError) -> str:
    """The constraint's name, which asyncpg's exception carries below SQLAlchemy's wrapping."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return str(getattr(cause, "constraint_name", ""))
