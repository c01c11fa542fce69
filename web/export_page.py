"""A subtree as a table: GET /exports/unions?under=<the union's global id>&format=csv|xlsx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from models.errors import Code, Problem, Rejected
from models.locale import Locale
from resolvers.context import Context
from resolvers.exporting import Export, begin_export, exported
from storage.subtrees import PATIENCE
from web import csv_file, xlsx_file
from web.asking import context_of

STATUSES: Final[Mapping[Code, int]] = {
    Code.REQUIRED: 400,
    Code.INVALID: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.SECOND_FACTOR_REQUIRED: 403,
    Code.NOT_FOUND: 404,
    Code.RATE_LIMITED: 429,
}
_MEDIA: Final = {"csv": csv_file.MEDIA_TYPE, "xlsx": xlsx_file.MEDIA_TYPE}
_HEADERS: Final = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class Speech:
    """What this page cannot know by itself: how ids are spelled, and what a problem is in words."""

    read_id: Callable[[str], int]
    show_id: Callable[[int], str]
    sentence: Callable[[Locale, Problem], str]


def export_routes(speech: Speech) -> list[BaseRoute]:
    """What `server` mounts."""
    route = Route("/exports/unions", _Exports(speech).answer, methods=["GET"])
    route.methods = {"GET"}  # to ask for the head alone would be logged as an export
    return [route]


class _Exports:
    """The exports that are under way in this process. Each holds a connection for as long as it takes."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._under_way = 0

    async def answer(self, request: Request) -> Response:
        """200 with the table; what was wrong instead, as `{"errors": [{"code", "message"}]}`."""
        ctx = await context_of(request)
        try:
            union_id, kind = self._asked(request, ctx)
            with ExitStack() as until_done:
                self._enter(ctx, until_done)
                export = await begin_export(ctx, union_id, kind)
                return Download(self._bytes(ctx, export, kind), _described(export, kind), until_done.pop_all())
        except Rejected as refusal:
            told = [{"code": one.code, "message": self._speech.sentence(ctx.locale, one)} for one in refusal.problems]
            status = STATUSES[refusal.problems[0].code]
            return Response(orjson.dumps({"errors": told}), status, _HEADERS, media_type="application/json")

    def _enter(self, ctx: Context, until_done: ExitStack) -> None:
        """
        Raises:
            Rejected: RATE_LIMITED, the other requests need the rest of the connections.
        """
        if self._under_way >= max(1, ctx.settings.pool_size // 4):
            raise Rejected(Problem(Code.RATE_LIMITED, why="exports"))
        self._under_way += 1
        until_done.callback(self._leave)

    def _leave(self) -> None:
        self._under_way -= 1

    def _asked(self, request: Request, ctx: Context) -> tuple[int, str]:
        """
        Raises:
            Rejected: UNAUTHENTICATED before anything else; REQUIRED, INVALID.
        """
        if ctx.signed_in is None:
            raise Rejected(Problem(Code.UNAUTHENTICATED))
        kind = request.query_params.get("format", "csv")
        if kind not in _MEDIA:
            raise Rejected(Problem(Code.INVALID, ("format",), why="format"))
        under = request.query_params.get("under")
        if not under:
            raise Rejected(Problem(Code.REQUIRED, ("under",)))
        return self._speech.read_id(under), kind

    async def _bytes(self, ctx: Context, export: Export, kind: str) -> AsyncGenerator[bytes]:
        name = "工会" if ctx.locale is Locale.ZH else "Unions"
        file = csv_file.CsvFile() if kind == "csv" else xlsx_file.XlsxFile(name, export.rows)
        with closing(file):
            yield file.head()
            async with aclosing(exported(ctx, export, self._speech.show_id)) as pieces:
                async for rows in pieces:
                    yield file.rows(rows)
            yield file.tail()


def _described(export: Export, kind: str) -> dict[str, str]:
    """The headers: what it is, and what to call it."""
    name = quote(f"{export.union.name}.{kind}", safe="")
    disposition = f"attachment; filename=\"unions.{kind}\"; filename*=UTF-8''{name}"
    return {**_HEADERS, "content-type": _MEDIA[kind], "content-disposition": disposition}


class Download(StreamingResponse):
    """Goes out piece by piece, and is broken off when nobody takes the next one; then `until_done` is closed."""

    def __init__(self, pieces: AsyncGenerator[bytes], headers: Mapping[str, str], until_done: ExitStack) -> None:
        super().__init__(pieces, headers=headers)
        self._pieces = pieces
        self._until_done = until_done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._until_done:
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        async def send_soon(message: Message) -> None:
            try:
                async with asyncio.timeout(PATIENCE):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        # Closed here, whatever happens: its transaction must not wait for the garbage collector.
        async with aclosing(self._pieces):
            await super().stream_response(send_soon)
