"""The last connections of a server that ends.

uvicorn closes its listening sockets with whoever has connected and was not accepted yet: they are reset. Then it closes
every connection on which nothing is being answered, with the request that may just be arriving on it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from array import array
from contextlib import suppress
from fcntl import ioctl
from termios import FIONREAD
from typing import Final

from uvicorn import Server

PAUSE: Final = 0.02
LONGEST: Final = 2.0  # seconds for those who have connected to send what they want


async def take_the_last(server: Server) -> None:
    """Accepts who has connected so far and nobody else; returns when all of them have asked, or after some seconds."""
    last = [one for listener in server.servers for each in listener.sockets for one in _waiting_at(each.fileno())]
    for listener in server.servers:
        listener.close()
    loop = asyncio.get_running_loop()
    for one in last:
        await loop.connect_accepted_socket(lambda: _protocol(server, loop), one)
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST):
            await asyncio.sleep(PAUSE)  # whom the loop has accepted just now becomes a connection
            while _is_somebody_asking(server):  # noqa: ASYNC110 - looked at, not told: uvicorn has no word for it
                await asyncio.sleep(PAUSE)


def _is_somebody_asking(server: Server) -> bool:
    """Whether a request may be on its way. Connections on which none is are closed."""
    asking = False
    for one in list(server.server_state.connections):
        cycle = getattr(one, "cycle", None)
        if cycle is None or (cycle.response_complete and _unread(one.transport)):
            asking = True
        elif cycle.response_complete:
            one.shutdown()
    return asking


def _unread(transport: asyncio.Transport) -> int:
    """How many bytes have come that nobody has read: a connection that is closed with some is reset."""
    left = array("i", [0])
    with suppress(OSError, ValueError):  # it is closed already
        ioctl(transport.get_extra_info("socket").fileno(), FIONREAD, left)
    return left[0]


def _waiting_at(descriptor: int) -> list[socket.socket]:
    """The connections that the kernel has made and nobody has accepted."""
    found = []
    with socket.socket(fileno=os.dup(descriptor)) as listener:
        listener.setblocking(False)  # noqa: FBT003 - its only argument
        with suppress(OSError):  # nobody waits any more, or there are too many
            while True:
                found.append(listener.accept()[0])
    return found


def _protocol(server: Server, loop: asyncio.AbstractEventLoop) -> asyncio.Protocol:
    """What uvicorn makes for each connection that it accepts."""
    kind = server.config.http_protocol_class
    made: asyncio.Protocol = kind(  # type: ignore[call-arg]
        config=server.config, server_state=server.server_state, app_state=server.lifespan.state, _loop=loop
    )
    return made
