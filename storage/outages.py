"""What PostgreSQL and its driver say when it cannot answer now, told apart from what is wrong with a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NoReturn

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from models.errors import Lack, RolledBack, Unavailable

# By SQLSTATE, the longest that fits: https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES: Final[Mapping[str, Lack]] = {
    "08": Lack.DATABASE,  # the connection
    "25P03": Lack.OPERATION,  # idle within a transaction
    "25P04": Lack.OPERATION,  # the transaction
    "40001": Lack.CONTENTION,  # serialization failure
    "40P01": Lack.CONTENTION,  # deadlock
    "53": Lack.RESOURCES,  # disk, memory, connections
    "55P03": Lack.LOCK,
    "57014": Lack.STATEMENT,
    "57P": Lack.DATABASE,  # shutting down, crashed, not up yet
    "58": Lack.RESOURCES,  # the system that it runs on
}
# asyncpg's own words for a connection that is lost, which have no SQLSTATE.
LOST: Final = (
    *(asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError),
    *(asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.IdleInTransactionSessionTimeoutError, OSError),
)


READ_ONLY: Final = "25006"  # to a writer: it has become a standby, or its disk takes nothing
ASKED: Final = (
    *(DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    ConnectionError,  # of the socket, which neither asyncpg nor SQLAlchemy wraps
)


@contextmanager
def connecting() -> Iterator[None]:
    """Whatever keeps us from a connection, the database is away: a refused one, a wrong password, a standby.

    Raises:
        Unavailable: DATABASE; CONNECTION, if each is in use.
    """
    try:
        yield
    except NoneFreeError as error:
        raise Unavailable(Lack.CONNECTION) from error
    except (DBAPIError, asyncpg.PostgresError, *LOST, TimeoutError, asyncpg.TargetServerAttributeNotMatched) as error:
        raise Unavailable(_lack_of(error) or Lack.DATABASE) from error


@contextmanager
def asking() -> Iterator[None]:
    """
    Raises:
        Unavailable: a deadline has passed, or the database has gone, or has no room left.
    """
    try:
        yield
    except ASKED as error:
        tell(error)


def tell(error: Exception) -> NoReturn:
    """Raises: Unavailable, if the error says that; else the error itself."""
    lack = _lack_of(error)
    if lack is None:
        raise error
    raise Unavailable(lack) from error


@contextmanager
def writing(is_committing: Callable[[], bool]) -> Iterator[None]:
    """The same of a transaction that writes. Once it is committing, nobody knows what a lost connection means.

    Raises:
        RolledBack: a deadlock, a serialization failure, or a connection that was lost before.
        Unavailable: as above.
    """
    try:
        yield
    except ASKED as error:
        lack = Lack.DATABASE if _state_of(error) == READ_ONLY else _lack_of(error)
        if lack is None:
            raise
        again = lack is Lack.CONTENTION or (lack is Lack.DATABASE and not is_committing())
        raise (RolledBack if again else Unavailable)(lack) from error


def is_lost(error: BaseException) -> bool:
    """Whether this is about the connection. asyncpg has one class for that and for our own mistakes."""
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, LOST)


def _lack_of(error: BaseException) -> Lack | None:
    """What gave out, if that is what the error is about."""
    state = _state_of(error)
    for length in (5, 3, 2):
        if state[:length] in _STATES:
            return _STATES[state[:length]]
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return Lack.DATABASE if lost or (not state and is_lost(_cause_of(error))) else None


def _state_of(error: BaseException) -> str:
    """The SQLSTATE, empty for what the driver says by itself."""
    return str(getattr(_cause_of(error), "sqlstate", None) or "")


def _cause_of(error: BaseException) -> BaseException:
    """asyncpg's own exception, which lies below SQLAlchemy's wrapping."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error
