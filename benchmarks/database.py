"""The database that is measured: its own, in the embedded cluster, or the one of BENCH_DATABASE_URL."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

import asyncpg
from sqlalchemy import make_url

from storage.cluster import Cluster, running
from storage.sealing import Sealer
from storage.settings import SECRETS, load_settings

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"  # a generic in its stubs alone

GIVEN: Final = "BENCH_DATABASE_URL"


def _key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(f"benchmark {name}".encode()).digest()).decode()


# Everything that is sealed here is made up, and has to open again in the next run: the keys are no secrets.
KEYS: Final = {name: f"bench:{_key(name)}" if name == "ID_NUMBER_KEYS" else _key(name) for name in SECRETS}


def sealer() -> Sealer:
    """Seals as a server with these KEYS does."""
    key_id, _, key = KEYS["ID_NUMBER_KEYS"].partition(":")
    return Sealer({key_id: base64.b64decode(key)}, key_id, base64.b64decode(KEYS["BLIND_INDEX_KEY"]))


@contextmanager
def cluster() -> Iterator[Cluster | None]:
    """The embedded cluster while the block runs; None if a database was given."""
    if GIVEN in os.environ:
        yield None
        return
    # Its secrets are made along with it, or no server would start in that folder any more.
    settings = load_settings({name: value for name, value in os.environ.items() if name != "DATABASE_URL"})
    with running(settings.data_dir) as embedded:
        yield embedded


def url_of(embedded: Cluster | None, size: int) -> str:
    """The SQLAlchemy URL of the database for a tree of this size, made if it is missing."""
    if embedded is None:
        return load_settings({**KEYS, "DATABASE_URL": os.environ[GIVEN]}).database_url or ""
    name = f"bench_{size}"
    try:
        asyncio.run(_knock(embedded.owner_url(name)))
    except asyncpg.InvalidCatalogNameError:
        return embedded.create_database(name)
    return embedded.owner_url(name)


async def _knock(url: str) -> None:
    await (await connect(url)).close()


async def connect(url: str) -> Connection:
    """A connection that takes ltree, which asyncpg does not know, as text; with the settings of the server's."""
    connection: Connection = await asyncpg.connect(**address(url), server_settings={"jit": "off", "timezone": "UTC"})
    if await connection.fetchval("select to_regtype('ltree') is not null"):
        await connection.set_type_codec(
            "ltree", encoder=lambda text: b"\1" + text.encode(), decoder=lambda raw: raw[1:].decode(), format="binary"
        )
    return connection


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection for as long as the block runs."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(url: str, script: str) -> None:
    """Runs statements that give nothing back."""
    async with connected(url) as connection:
        await connection.execute(script)


def address(url: str) -> dict[str, Any]:
    """What asyncpg calls the parts of a SQLAlchemy URL."""
    parts = make_url(url)
    query: Mapping[str, Any] = parts.query
    return {
        "host": parts.host or query.get("host"),
        "port": parts.port or int(query.get("port", 5432)),
        "user": parts.username,
        "password": parts.password,
        "database": parts.database,
    }
