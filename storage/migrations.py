"""Brings a database to the schema and the regions of this version."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage.grants import grant
from storage.locks import Turn
from storage.regions import load_regions

MIGRATIONS = Path(__file__).parent.parent / "migrations"

_NOT_NOW = {"55P03", "40P01"}  # no lock in time; a deadlock
_ATTEMPTS = 5


async def migrate(url: str, *, server: str | None = None, to: str = "head") -> str:
    """Runs every migration that is missing, refreshes the regions and grants to the server's role what it needs.

    `url` is the owner's, `server` the name of the role; none means that the owner serves. Gives the last revision.

    Raises:
        sqlalchemy.exc.DBAPIError: a lock was not to be had in any of several attempts, or a migration failed.
    """
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            # Two servers that start together migrate one after the other.
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": Turn.MIGRATIONS.value})
            await connection.commit()
            revision = await _migrate_patiently(connection, to)
            if to == "head":
                await load_regions(connection)
                await connection.commit()
                if server is not None:
                    await connection.run_sync(grant, server)
                    await connection.commit()
            return revision
    finally:
        await engine.dispose()


async def _migrate_patiently(connection: AsyncConnection, to: str) -> str:
    """A migration that cannot have its lock gives way to those who wait behind it, and tries again."""
    for attempt in range(_ATTEMPTS):
        try:
            revision = await connection.run_sync(_migrate, to)
            await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            if getattr(error.orig, "sqlstate", None) not in _NOT_NOW or attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(1)
        else:
            return revision
    raise AssertionError("unreachable")


@cache
def _known() -> tuple[str | None, frozenset[str]]:
    """The last revision of this version, and all of them."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


def is_behind(revision: str) -> bool:
    """Whether a database at this revision lacks a migration of this version.

    One that it does not know is a later one: then the database has been migrated for the next version, and this
    one goes on answering until it is replaced.
    """
    head, known = _known()
    return revision != head and revision in {"base", *known}


def _migrate(connection: Connection, to: str) -> str:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    if to == "base":
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
    return MigrationContext.configure(connection).get_current_revision() or "base"
