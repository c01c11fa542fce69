"""A client that costs little: it shares the machine with what it measures.

HTTP/1.1 kept alive over loopback, one request at a time a connection, the bytes of a request made
beforehand. A script says what is asked: a generator that yields requests and is sent their answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Final, cast

import orjson
from typing_extensions import override

Script = Generator[bytes, bytes, None]

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_RETRY_AFTER: Final = re.compile(rb"\r\nretry-after: (\d+)\r\n")


class AnswerError(Exception):
    """An answer that is none: another status than 200, or errors where data should be."""


def request_of(path: str, token: str, body: Mapping[str, object]) -> bytes:
    content = orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\naccept: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Client(asyncio.Protocol):
    """One connection that plays a script; `done` is called at its end, or with what went wrong."""

    def __init__(self, script: Script, done: Callable[[Exception | None], None], *, again: bool = False) -> None:
        """`again`: who is told 503 asks once more, when Retry-After says."""
        self._script = script
        self._done = done
        self._again = again
        self._request = b""
        self._wait: int | None = None
        self._received: list[bytes] = []
        self._size = 0
        # Where the body starts and where it ends; 0 as long as the head is not known.
        self._body = 0
        self._wanted = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._go_on(None)

    @override
    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._size += len(data)
        if not self._wanted:
            self._read_head()
        if self._wanted and self._size >= self._wanted:
            body = self._whole()[self._body :]
            self._received, self._size, self._wanted = [], 0, 0
            if self._wait is not None:
                asyncio.get_running_loop().call_later(self._wait, self._transport.write, self._request)
                self._wait = None
                return
            # Errors stand before the data or behind it, and end in a list.
            if body.startswith(b'{"data":{') and body.endswith(b"}}"):
                self._go_on(body)
            else:
                self._end(AnswerError(body[:500].decode(errors="replace")))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or AnswerError("the server closed the connection"))

    def _whole(self) -> bytes:
        return self._received[0] if len(self._received) == 1 else b"".join(self._received)

    def _read_head(self) -> None:
        received = self._whole()
        end = received.find(_END)
        if end < 0:
            return
        head = received[:end].lower()
        place = head.find(_LENGTH)
        if self._again and head.startswith(b"http/1.1 503") and (waiting := _RETRY_AFTER.search(head)):
            self._wait = int(waiting[1])
        elif place < 0 or not head.startswith(b"http/1.1 200"):
            self._end(AnswerError(received[:500].decode(errors="replace")))
            return
        self._body = end + len(_END)
        self._wanted = self._body + int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])

    def _go_on(self, answer: bytes | None) -> None:
        try:
            request = next(self._script) if answer is None else self._script.send(answer)
        except StopIteration:
            self._end(None)
        except Exception as error:  # noqa: BLE001 - the script's; told by whoever plays it
            self._end(error)
        else:
            self._request = request
            self._transport.write(request)

    def _end(self, error: Exception | None) -> None:
        done, self._done = self._done, lambda _: None
        self._transport.close()
        done(error)


async def play(port: int, scripts: list[Script], *, patience: float = 60, again: bool = False) -> None:
    """Plays every script at once, each over a connection of its own; `again` as of a Client.

    Raises:
        AnswerError: what the first that failed was answered; nobody goes on asking after that.
        TimeoutError: they have not ended after `patience` seconds.
        OSError: nobody listens.
    """
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = []
    open_ones: list[asyncio.BaseTransport] = []
    try:
        for script in scripts:
            end: asyncio.Future[None] = loop.create_future()
            ends.append(end)
            client = partial(Client, script, partial(_settle, end), again=again)
            open_ones.append((await loop.create_connection(client, "127.0.0.1", port))[0])
        async with asyncio.timeout(patience):
            await asyncio.gather(*ends)
    finally:
        for end in ends:
            end.cancel()
        for transport in open_ones:
            transport.close()


def _settle(end: asyncio.Future[None], error: Exception | None) -> None:
    if end.done():
        return
    if error is None:
        end.set_result(None)
    else:
        end.set_exception(error)
