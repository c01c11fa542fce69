"""One PostgreSQL for the run, one migrated database a worker, every table emptied after each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import text

from models.tables import metadata
from server import create_app
from storage.cluster import FORGETFUL, SERVER, Cluster, running
from storage.migrations import migrate
from storage.settings import Settings, generate_secrets, load_settings
from tests.paths import PATHS
from tests.world import World

# Divisions stay: the migration of the database brought them.
EMPTIED = [table for table in metadata.sorted_tables if table.name != "region"]
EMPTYING = "do $$ begin set local session_replication_role = replica; {} end $$".format(
    " ".join(
        [f"delete from {table.name};" for table in EMPTIED]  # noqa: S608 - our own tables
        + [f"perform setval('{table.name}_id_seq', 1, false);" for table in EMPTIED if "id" in table.c]
    )
)


# A busy machine makes examples slowly, which says nothing of what is tested.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


# Where the run's PostgreSQL and files live; the workers inherit it. Not in pytest's own folder: another
# run of root's closes that to everybody else, PostgreSQL included.
FOLDER = "UNIONTREE_TESTS"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="uniontree-tests-")
        os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ[FOLDER]  # tmp_path, too


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Shared by the workers: the last one to leave stops it."""
    with running(Path(os.environ[FOLDER]) / "cluster", FORGETFUL) as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def database_url(cluster: Cluster, worker_id: str) -> str:
    """A database of this worker's own, made by running the migrations; the address of its owner."""
    url = cluster.create_database(f"tests_{worker_id}")
    cluster.postgres.psql(
        # One worker at a time: it is a setting of the whole cluster.
        "select pg_advisory_lock(1); grant set on parameter session_replication_role to uniontree;"
        "grant pg_read_all_stats to uniontree;"  # who waits for whom
    )
    await migrate(url, server=SERVER)
    return url


@pytest.fixture(scope="session")
def settings(cluster: Cluster, database_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The server has its own role, as in life, and not the owner's rights."""
    data: Path = tmp_path_factory.mktemp("data")
    given = {
        "DATABASE_URL": cluster.url(f"tests_{worker_id}"),
        "MIGRATION_DATABASE_URL": database_url,
        "DATA_DIR": str(data),
        "PUBLIC_URL": "http://union.test",
        "CHAIN_SECONDS": "0",  # events are chained when a test says so
    }
    # What may take long here is the machine, which does much else.
    given |= {"POOL_TIMEOUT": "60", "STATEMENT_TIMEOUT": "60", "OPERATION_TIMEOUT": "120"}
    return load_settings({**given, **generate_secrets()})


@pytest.fixture(scope="session")
async def served(settings: Settings) -> AsyncIterator[World]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        served = World(app)
        await _empty(served)  # what a start leaves: proofs of its keys
        yield served
        await served.close()


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
    """As the superuser of a replica would: past the triggers that freeze rows, and past foreign keys.

    TRUNCATE makes new files of every table: it took ten times as long.
    """
    served.resources.throttle.forget()
    served.resources.sign_ins.forget()
    async with served.owner.begin() as connection:
        await connection.execute(text(EMPTYING))


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways to an answer."""
    with PATHS[request.param]():
        yield
