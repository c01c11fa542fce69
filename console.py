"""What the operator's commands have in common: what they work with, and how they tell what came of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NoReturn, TypeVar

import click
import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from models.errors import Problem, Rejected, Unavailable
from models.locale import Locale
from models.roll import Fault
from resolvers.context import Resources
from schema.messages import sentence
from server import open_resources
from storage.backups import BackupError
from storage.cluster import ClusterError, running
from storage.dumps import DumpError
from storage.grants import role_of
from storage.migrations import is_behind, migrate
from storage.settings import Settings, SettingsError, load_settings

# SQLSTATE: no connection, no such user, no such database, no right, no resources, going down.
FORBIDDEN: Final = "42501"
UNUSABLE: Final = ("08", "28", "3D", FORBIDDEN, "53", "57")

Result = TypeVar("Result")


def say(**result: object) -> None:
    click.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2, default=str).decode())


def refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def in_both_languages(problem: Problem) -> str:
    return f"{sentence(Locale.ZH, problem)} {sentence(Locale.EN, problem)}"


def told(fault: Fault) -> dict[str, object]:
    """What is wrong with a file, as an answer's JSON has it."""
    code, message = fault.problem.code, in_both_languages(fault.problem)
    return {"line": fault.line, "column": fault.column, "code": code, "message": message}


@contextmanager
def plainly() -> Iterator[None]:
    """Tells what can go wrong in sentences."""
    try:
        yield
    except (SettingsError, ClusterError, BackupError, DumpError) as error:
        refuse(str(error))
    except Rejected as refusal:
        refuse(
            "\n".join(
                f"{'.'.join(problem.path)}: {in_both_languages(problem)}".lstrip(": ") for problem in refusal.problems
            )
        )
    except Unavailable as unavailable:
        refuse(f"The database cannot be used: {_told_by(unavailable)}")
    except OSError as error:
        refuse(f"{error.filename or 'The database'} cannot be used: {error.strerror or error}")
    except DBAPIError as error:
        if not _is_unusable(error):
            raise
        whose = ". MIGRATION_DATABASE_URL says who may." if _state(error) == FORBIDDEN else ""
        refuse(f"The database cannot be used: {error.orig}{whose}")


def _told_by(unavailable: Unavailable) -> object:
    """What PostgreSQL or the system says, where it says something."""
    cause = unavailable.__cause__
    return (cause.orig if isinstance(cause, DBAPIError) else cause) or unavailable


def _is_unusable(error: DBAPIError) -> bool:
    """Whether it is the database's own state that stands in the way, and not a fault of ours."""
    return isinstance(error, OperationalError | InterfaceError) or _state(error).startswith(UNUSABLE)


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


@contextmanager
def with_database(*, fresh: bool = True) -> Iterator[Settings]:
    """The settings, with the embedded database running if there is no other; unless `fresh`, with no new secrets."""
    settings = load_settings(os.environ, fresh=fresh)
    if settings.database_url is not None:
        yield settings
        return
    with running(settings.data_dir) as cluster:
        yield settings.model_copy(update={"database_url": cluster.url(), "migration_database_url": cluster.owner_url()})


@asynccontextmanager
async def with_resources(settings: Settings) -> AsyncIterator[Resources]:
    resources = open_resources(settings)
    try:
        yield resources
    finally:
        await resources.db.close()


async def bring_up_to_date(settings: Settings) -> str:
    """Migrates with the owner's rights, and grants to the server's role; gives the revision."""
    assert settings.database_url is not None
    return await migrate(settings.owner_url, server=role_of(settings.database_url))


def of_owner(settings: Settings) -> Settings:
    """The same, signing in as the role that owns the schema."""
    return settings.model_copy(update={"database_url": settings.owner_url})


def run(work: Callable[[Resources], Awaitable[Result]], *, as_owner: bool = False) -> Result:
    """Does one command's work. The embedded database is brought up to date first; another one has to be.

    `as_owner`: with the rights of the role that owns the schema, for what reads or changes all of it.
    """

    async def working(settings: Settings, *, embedded: bool) -> Result:
        if embedded:
            click.echo(f"No DATABASE_URL: using the database in {settings.data_dir}.", err=True)
            await bring_up_to_date(settings)
        async with with_resources(of_owner(settings) if as_owner else settings) as resources:
            if is_behind(await resources.db.revision()):
                refuse("The database is not at this version: run `python server.py migrate` first.")
            return await work(resources)

    with plainly(), with_database() as settings:
        return asyncio.run(working(settings, embedded=load_settings(os.environ).database_url is None))


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Shows which share is done; on a terminal alone, and on standard error, so that an answer stays alone."""
    steps = 1000
    with click.progressbar(length=steps, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield lambda share: bar.update(max(0, int(share * steps) - bar.pos))
