"""`python server.py serve`: the web server, in one process or in several, on a socket that is taken already."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from typing import Any, Final

import uvicorn
from typing_extensions import override
from uvicorn.supervisors import Multiprocess

from server import create_app
from storage.settings import Settings
from web.connections import KEEP_ALIVE_SECONDS, MOST_AT_ONCE, Connection

GRACE: Final = 15  # seconds for what has been asked to be answered, once nothing more is taken


def serve_on(listener: socket.socket, settings: Settings, workers: int) -> None:
    """Serves until a signal ends it. Exits with status 1 if it cannot start.

    Each worker makes the application anew from the environment, which is told where the database is; `settings` has
    the embedded one filled in.
    """
    options: dict[str, Any] = {
        "log_level": settings.log_level,
        # The access log would hold codes and the proofs of links; the server's name helps only attackers.
        "access_log": False,
        "server_header": False,
        "http": Connection,
        "ws": "none",
        "limit_concurrency": MOST_AT_ONCE,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "proxy_headers": False,  # TRUSTED_PROXIES says whose are believed
        "timeout_graceful_shutdown": GRACE,
    }
    if workers == 1:
        server = uvicorn.Server(uvicorn.Config(create_app(settings), **options))
        with suppress(KeyboardInterrupt):  # raised again once the server has shut down
            server.run(sockets=[listener])
        if not server.started:
            sys.exit(1)
        return
    assert settings.database_url is not None
    os.environ["DATABASE_URL"] = settings.database_url
    listener.set_inheritable(True)
    config = uvicorn.Config("server:create_app", factory=True, workers=workers, **options)
    _Workers(config, sockets=[listener]).run()


class _Workers(Multiprocess):
    """Lets go of the socket when it tells the workers to end: nobody would accept who still connects to it."""

    @override
    def terminate_all(self) -> None:
        super().terminate_all()
        for one in self.sockets:
            one.close()
