"""This server, telling how long the costliest statement of each request takes, without what HTTP and Python add to it.

`python -m uvicorn --factory benchmarks.told:create_app`, with the settings of the server in the environment; TOLD names
the file that gets a line a request, in milliseconds, and PLANS is PostgreSQL's plan_cache_mode.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import asyncpg
from asyncpg import connection, prepared_stmt
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import server

_taken: list[float] = []


def create_app() -> ASGIApp:
    for owner in (connection.Connection, prepared_stmt.PreparedStatement):
        for method in ("fetch", "fetchrow", "fetchval"):
            setattr(owner, method, _timed(getattr(owner, method)))
    asyncpg.connect = connection.connect = _planning(connection.connect)
    app, told = server.create_app(), Path(os.environ["TOLD"]).open("a", buffering=1)  # noqa: SIM115 - for its whole life

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.write(f"{max(_taken, default=0) * 1000}\n")
                _taken.clear()
            await send(message)

        await app(scope, receive, tell)

    return telling


def _timed(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return await method(*arguments, **named)
        finally:
            _taken.append(time.perf_counter() - started)

    return timed


def _planning(connect: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(connect)
    async def planning(*arguments: Any, **named: Any) -> Any:
        settings = {**(named.pop("server_settings", None) or {}), "plan_cache_mode": os.environ["PLANS"]}
        return await connect(*arguments, server_settings=settings, **named)

    return planning
