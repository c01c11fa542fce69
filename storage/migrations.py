"""Brings a database to the schema and the regions of this version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.regions import load_regions

MIGRATIONS = Path(__file__).parent.parent / "migrations"

# Any number, the same for all: two servers starting together migrate one after the other.
_ADVISORY_LOCK = 7_263_001


async def migrate(url: str, *, to: str = "head") -> str:
    """Runs every migration that is missing, then refreshes the regions; gives the revision it ends at."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            await connection.commit()
            revision = await connection.run_sync(_migrate, to)
            await connection.commit()
            if to == "head":
                await load_regions(connection)
                await connection.commit()
            return revision
    finally:
        await engine.dispose()


async def is_current(url: str) -> bool:
    """Whether every migration of this version has been run."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            at = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()
    return at == ScriptDirectory(str(MIGRATIONS)).get_current_head()


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
