"""Transactions: short ones that read, and one a mutation that writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final

from asyncpg import PostgresError
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from models.errors import Code, Problem, Rejected
from storage.readers import Readers
from storage.reading.prepared import Prepared

# Checked before writing, and again by the database when two writers race; the loser is told the same.
_TOLD: Final[Mapping[str, Problem]] = {
    "uq_trade_union_parent_id_name_key": Problem(Code.NAME_TAKEN, ("name",)),
    "uq_trade_union_uscc": Problem(Code.USCC_TAKEN, ("uscc",)),
    "uq_account_phone": Problem(Code.INVALID, ("phone",), why="phone_taken"),
}

# Each statement takes a fraction of a millisecond.
COUNTERS: Final = 2


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

    def __init__(self, url: str, *, pool_size: int, statement_timeout: float) -> None:
        settings = {
            "application_name": "uniontree",
            "statement_timeout": str(int(statement_timeout * 1000)),
            "lock_timeout": str(int(statement_timeout * 500)),
            "idle_in_transaction_session_timeout": "30000",
            "jit": "off",  # plans here are short; compiling them costs more than running them
        }
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            hide_parameters=True,  # an error that is logged shows its statement, and nobody's phone number
            connect_args={
                "server_settings": settings,
            },
        )
        _, to = self.engine.dialect.create_connect_args(self.engine.url)
        self.readers = Readers({**to, "server_settings": settings}, pool_size)
        # For small writes that reading does on the side, so that it never waits for those who write.
        self.counters = Readers({**to, "server_settings": settings}, COUNTERS, read_only=False)
        event.listen(self.engine.sync_engine, "handle_error", _quote_nothing)
        event.listen(self.engine.sync_engine, "connect", _answer_when_it_is_on_disk)
        self._reader = self.engine.execution_options(postgresql_readonly=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A transaction that PostgreSQL itself keeps from writing."""
        async with AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction, committed if the block ends well and rolled back whole if it does not.

        Raises:
            Rejected: another writer was first with a name or a code that must be unique.
        """
        with clashes_told():
            async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
                yield session

    async def ask(self, statement: Prepared, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        """The rows that the statement gives, read as of one moment; JSON as the bytes that it came in."""
        return await self.readers.ask(statement.text, statement.arguments(values))

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[AsyncSession]:
        """One state of the whole database for as long as reading all of it takes; keeps nothing that is written."""
        still = self.engine.execution_options(isolation_level="REPEATABLE READ")
        async with AsyncSession(still, expire_on_commit=False, autoflush=False) as session:
            await session.execute(text("set local statement_timeout = 0"))
            yield session

    async def answers(self) -> bool:
        """Whether the database answers now."""
        async with self.engine.connect() as connection:
            return bool(await connection.scalar(text("select 1")))

    async def close(self) -> None:
        await self.readers.close()
        await self.counters.close()
        await self.engine.dispose()


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
