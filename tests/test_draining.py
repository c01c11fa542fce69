"""The end of a server: said before it comes. And readiness: what a proxy is told beside it."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import create_app
from tests.world import World
from web import draining
from web.answering import Answering
from web.draining import Drain
from web.security_headers import SecurityHeaders


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """What a web server's own handler of SIGTERM was called with."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def answering(app: ASGIApp, drain: Drain) -> Answering:
    return Answering(app, security=SecurityHeaders(https=True), drain=drain, fault=lambda _: "")


async def ready(world: World) -> httpx.Response:
    async with world.stranger().http() as http:
        return await http.get("/readyz")


async def test_after_sigterm_requests_are_taken_for_a_while_and_each_closes_its_connection(
    world: World, ended: list[int]
) -> None:
    app = create_app(world.resources.settings.model_copy(update={"drain_seconds": 0.2}))
    async with app.router.lifespan_context(app):
        ending = World(app)
        before = await ready(ending)
        signal.raise_signal(signal.SIGTERM)
        meanwhile = await ready(ending)
        async with ending.stranger().http() as http:
            asked = await http.post("/graphql", json={"query": "{ __typename }"})
        assert ended == []
        async with asyncio.timeout(5):
            while not ended:  # noqa: ASYNC110 - set by a signal
                await asyncio.sleep(0.01)
    assert (before.status_code, before.headers.get("connection")) == (200, None)
    assert (meanwhile.status_code, meanwhile.text) == (503, "ending\n")
    assert asked.json()["data"] == {"__typename": "Query"} and asked.headers["connection"] == "close"
    assert ended == [signal.SIGTERM]


async def test_the_end_comes_though_the_last_cannot_be_taken(ended: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_server: object) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr(draining, "take_the_last", failing)
    monkeypatch.setattr(draining, "Server", object)  # whoever handles the signal
    async with Drain(0).watched(), asyncio.timeout(5):
        signal.raise_signal(signal.SIGTERM)
        while not ended:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_who_asks_twice_does_not_wait(ended: list[int]) -> None:
    async with Drain(60).watched():
        signal.raise_signal(signal.SIGTERM)
        assert ended == []
        signal.raise_signal(signal.SIGTERM)
        assert ended == [signal.SIGTERM]
    signal.raise_signal(signal.SIGTERM)
    assert len(ended) == 2  # and the web server has its signal back


async def test_a_worker_does_not_outlive_its_supervisor(ended: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def is_alive(self) -> bool:
            return False

    monkeypatch.setattr(multiprocessing, "parent_process", Gone)
    async with Drain(0).watched(), asyncio.timeout(5):
        while not ended:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_an_answer_that_was_under_way_closes_its_connection_too() -> None:
    drain = Drain(0)
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        drain.begun = True  # while it is being answered
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        sent.append(message)

    nothing: Any = None
    await answering(app, drain)({"type": "http"}, nothing, send)
    assert [(b"connection", b"close") in message["headers"] for message in sent] == [True]


async def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    nothing: Any = None
    await answering(app, Drain(0))({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("revision", "status", "said"),
    [("0001", 503, "migrations\n"), ("9999", 200, "ok\n")],
    ids=["behind", "migrated for the next version"],
)
async def test_a_server_is_ready_when_its_database_has_its_migrations(
    world: World, revision: str, status: int, said: str
) -> None:
    [now] = await world.sql("select version_num from alembic_version")
    change = "update alembic_version set version_num = :to"
    assert (await ready(world)).status_code == 200
    await world.sql(change, to=revision)
    try:
        answer = await ready(world)
    finally:
        await world.sql(change, to=now)
    assert (answer.status_code, answer.text) == (status, said)


async def test_a_database_without_any_migration_is_not_ready(world: World) -> None:
    await world.sql("alter table alembic_version rename to elsewhere")
    try:
        answer = await ready(world)
    finally:
        await world.sql("alter table elsewhere rename to alembic_version")
    assert (answer.status_code, answer.text) == (503, "migrations\n")
