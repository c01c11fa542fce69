"""Connections that are slow, idle or without end, and those that are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from web import connections
from web.connections import Connection

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once at /now, else with the body."""
    body = b""
    while scope["path"] != "/now":
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(echo, port=0, http=Connection, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.001)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, Callable[[bytes], None]]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer.write
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that still comes, until the server closes."""
    async with asyncio.timeout(20):
        return await reader.read()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD])
async def test_a_head_that_does_not_come_is_not_waited_for(port: int, sent: bytes) -> None:
    async with connected(port) as (reader, write):
        write(sent)
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("impatient")
async def test_nor_is_one_that_comes_letter_by_letter(port: int) -> None:
    async with connected(port) as (reader, write):
        ended = asyncio.create_task(rest(reader))
        for number in range(1000):
            write(HEAD[:1] if number == 0 else b"x")
            await asyncio.sleep(0.01)
            if ended.done():
                break
        assert ended.done() and number < 500


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("path", [b"/", b"/now"])
async def test_nor_is_a_body_answered_or_not(port: int, path: bytes) -> None:
    async with connected(port) as (reader, write):
        write(HEAD.replace(b"/", path, 1) + b"\r\nab")
        said = await rest(reader)
        assert said.startswith(b"HTTP/1.1 200 ") is (path == b"/now")


@pytest.mark.usefixtures("impatient")
async def test_the_second_request_has_no_longer_than_the_first(port: int) -> None:
    async with connected(port) as (reader, write):
        write(HEAD + b"\r\nabcd")
        assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")
        write(b"GET /")
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("pieces", [[b"\r\nabcdGET /"], [b"\r\nab", b"cdGET /"], [b"\r\nabcd", b"GET /"]])
async def test_nor_has_one_that_begins_where_the_first_ends(port: int, pieces: list[bytes]) -> None:
    async with connected(port) as (reader, write):
        write(HEAD)
        for piece in pieces:
            await asyncio.sleep(0.01)
            write(piece)
        assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("impatient")
async def test_who_is_answered_early_and_ends_the_body_is_not_waited_for(port: int) -> None:
    async with connected(port) as (reader, write):
        write(HEAD.replace(b"/", b"/now", 1) + b"\r\nab")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        write(b"cd")
        assert await rest(reader) == b""


@pytest.mark.usefixtures("impatient")
async def test_empty_lines_are_no_request(port: int) -> None:
    async with connected(port) as (reader, write):
        write(HEAD + b"\r\nabcd")
        assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")
        write(b"\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("impatient")
async def test_who_has_asked_may_wait_before_asking_again(port: int) -> None:
    async with connected(port) as (reader, write):
        for _ in range(2):
            write(HEAD + b"\r\nabcd")
            assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("line", [b"x: " + b"a" * 70_000, b"x: a\r\n" * 12_000])
async def test_a_head_without_end_is_refused(port: int, line: bytes) -> None:
    async with connected(port) as (reader, write):
        write(HEAD + line)
        assert (await rest(reader)).startswith(b"HTTP/1.1 431 ")


async def test_a_long_head_and_a_long_body_are_taken(port: int) -> None:
    async with connected(port) as (reader, write):
        body = b"b" * 300_000
        write(b"POST / HTTP/1.1\r\nhost: a\r\nx: %s\r\ncontent-length: 300000\r\n\r\n%s" % (b"a" * 60_000, body))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(len(body)) == body
        write(HEAD + b"\r\nabcd" + HEAD + b"\r\nefgh")
        assert await reader.readuntil(b"abcd") and await reader.readuntil(b"efgh")
        write(HEAD + b"\r\nabcd" + HEAD + b"x: " + b"a" * 70_000)
        assert await reader.readuntil(b"abcd")
        write(b"a" * 70_000)
        assert (await rest(reader)).startswith(b"HTTP/1.1 431 ")
