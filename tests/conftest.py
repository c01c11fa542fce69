"""One PostgreSQL for the run, one migrated database a worker, every table emptied after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from models.tables import metadata
from server import create_app
from storage.cluster import FORGETFUL, Cluster, running
from storage.migrations import migrate
from storage.settings import Settings, generate_secrets, load_settings
from tests.world import World

# Divisions stay: the migration of the database brought them.
EMPTIED = ", ".join(table.name for table in metadata.sorted_tables if table.name != "region")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Cluster]:
    """Shared by the workers: the last one to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with running(shared / "cluster", FORGETFUL) as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def database_url(cluster: Cluster, worker_id: str) -> str:
    """A database of this worker's own, made by running the migrations."""
    url = cluster.create_database(f"tests_{worker_id}")
    await migrate(url)
    return url


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data: Path = tmp_path_factory.mktemp("data")
    given = {"DATABASE_URL": database_url, "DATA_DIR": str(data), "PUBLIC_URL": "http://union.test"}
    return load_settings({**given, **generate_secrets()})


@pytest.fixture(scope="session")
async def served(settings: Settings) -> AsyncIterator[World]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield World(app)


@pytest.fixture
async def world(served: World) -> AsyncIterator[World]:
    """The server with an empty registry, and shorthands to plant and ask with."""
    yield served
    await _empty(served)


@pytest.fixture(scope="module")
async def lasting_world(served: World) -> AsyncIterator[World]:
    """The same for a module that plants once and asks many times; none of its tests takes `world`."""
    yield served
    await _empty(served)


async def _empty(served: World) -> None:
    async with served.resources.db.engine.begin() as connection:
        await connection.execute(text(f"truncate {EMPTIED} restart identity cascade"))
