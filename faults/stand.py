"""What the scenarios are played on: a DATA_DIR with the embedded PostgreSQL, some people and two cities, and the server
as a process that can be killed."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import func, text

from models.account import Account
from models.kinds import UnionKind
from models.permissions import Role
from models.union import TradeUnion
from resolvers.context import Resources
from schema.ids import encode_id
from server import open_resources
from storage import accounts, sessions, unions
from storage.cluster import Cluster, running
from storage.migrations import migrate
from storage.sessions import Opening
from storage.settings import Settings, load_settings

ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 60
APPLICANTS: Final = 40
# A server that is killed takes the permits along that it had leased: after twenty times that is a day's.
GENEROUS: Final = "upload=1000000/60,registration=1000000/60"
FOR_A_DAY: Final = Opening(lasting=timedelta(days=1), idle=timedelta(days=1))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """`python server.py serve`, on a port of its own; started, ended and started again."""

    environ: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Returns when it is ready; the seconds that this took."""
        begun = time.monotonic()
        with self.log.open("ab") as out:
            environ = {**self.environ, "PORT": str(self.port), "LOG_LEVEL": "error"}
            words = [sys.executable, "server.py", "serve"]
            self.process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)
        while not self.is_ready():
            assert self.process.poll() is None, f"it ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() - begun < PATIENCE, f"it is not ready: {self.log.read_text()[-2000:]}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.address}/readyz", timeout=PATIENCE) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Its exit status after this signal, and the seconds until it had ended."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        return status, time.monotonic() - begun

    @contextmanager
    def running(self) -> Iterator[Server]:
        self.start()
        try:
            yield self
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait()


@dataclass(frozen=True)
class Person:
    account_id: int
    token: str


@dataclass
class Stand:
    """A registry with two cities; everybody's token is known."""

    data: Path
    settings: Settings
    cluster: Cluster
    city: str
    other: str
    mayor: Person
    applicants: list[Person]

    def server(self, **environ: str) -> Server:
        """The server under test, not started yet. Nothing of this process's environment is in its own but the path."""
        given = {"PATH": os.environ["PATH"], "DATA_DIR": str(self.data), "RATE_LIMITS": GENEROUS, **environ}
        return Server(given, self.log)

    @property
    def log(self) -> Path:
        return self.data.parent / "server.log"

    def ask(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Rows of the database, past the server."""
        return asyncio.run(self._ask(statement, values))

    async def _ask(self, statement: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        resources = open_resources(self.settings)
        try:
            async with resources.db.engine.begin() as connection:
                found = await connection.execute(text(statement), values)
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            await resources.db.close()

    def change(self, statement: str) -> None:
        """As a database administrator can: past triggers and foreign keys."""
        name = self.cluster.url().rpartition("/")[2].partition("?")[0]
        self.cluster.postgres.psql(f"\\connect {name}\nset session_replication_role = replica;\n{statement};\n")

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """One of the operator's commands."""
        environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(self.data), **settings}
        return subprocess.run(
            [sys.executable, "server.py", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    """A new stand in `folder`; its database runs as long as the block, whatever happens to the server."""
    data = folder / "data"
    settings = load_settings({"DATA_DIR": str(data)})
    with running(data) as cluster:
        settings = settings.model_copy(update={"database_url": cluster.owner_url()})
        yield asyncio.run(planted(data, settings, cluster))


async def planted(data: Path, settings: Settings, cluster: Cluster) -> Stand:
    """The stand, with its people and unions written into the database that the settings name."""
    assert settings.database_url is not None
    await migrate(settings.database_url)
    resources = open_resources(settings)
    try:
        province = await _union(resources, "广东省总工会", None)
        city = await _union(resources, "深圳市总工会", province)
        other = await _union(resources, "广州市总工会", province)
        for number in range(50):
            await _union(resources, f"第{number}区总工会", other)
        people = [await _person(resources, number) for number in range(APPLICANTS + 1)]
        async with resources.db.writing() as session:
            await accounts.appoint(session, people[0].account_id, province.id, Role.ADMINISTRATOR, None)
    finally:
        await resources.db.close()
    return Stand(
        *(data, settings, cluster),
        *(encode_id("Union", city.id), encode_id("Union", other.id)),
        *(people[0], people[1:]),
    )


async def _union(resources: Resources, name: str, under: TradeUnion | None) -> TradeUnion:
    async with resources.db.writing() as session:
        row = TradeUnion(kind=UnionKind.HIGHER_LEVEL, name=name, region_code="440000")
        await unions.plant(session, row, under)
    return row


async def _person(resources: Resources, number: int) -> Person:
    token = secrets.token_urlsafe(32)
    async with resources.db.writing() as session:
        account = Account(phone=f"+86139{number:08}", real_name="陈伟", real_name_verified_at=func.now())
        session.add(account)
        await session.flush()
        await sessions.start(session, account, token, FOR_A_DAY)
        return Person(account.id, token)
