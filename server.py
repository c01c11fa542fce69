"""The composition root: settings → database → ASGI application. The command line is in commands.py."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from models.locale import preferred
from resolvers.beside import beside
from resolvers.context import Resources
from resolvers.housekeeping import keep_house
from resolvers.keys import keep_looking, look_at_keys
from resolvers.record import kept_chained
from schema import messages
from schema.build import build_schema
from schema.context import GraphContext
from schema.endpoint import ReadingEndpoint
from schema.ids import decode_id, encode_id
from schema.introspection import open_to
from schema.messages import say
from schema.negotiation import JSON
from schema.refusals import Refusal, Refused, sentence
from schema.transport import Endpoint
from schema.trusted import ManifestError, Trusted, read_manifest
from storage.database import Database
from storage.deadlines import Deadlines
from storage.files import Files
from storage.sealing import Sealer
from storage.settings import Settings, SettingsError, load_settings
from storage.sign_ins import SignIns
from storage.throttle import Throttle
from web.admission import Admission, host_in
from web.answering import Answering
from web.application import Application
from web.asking import identify, resources_of
from web.card_opening import open_card
from web.card_page import card_routes
from web.certificate_page import certificate_routes
from web.draining import Drain
from web.export_page import Speech, export_routes
from web.graphiql_page import graphiql_routes
from web.outages import Outages
from web.probes import probe_routes
from web.security_headers import SecurityHeaders
from web.session_routes import session_routes


def create_app(settings: Settings | None = None) -> Starlette:
    """The application: `python -m uvicorn --factory server:create_app`, with DATABASE_URL and its secrets given."""
    settings = settings or load_settings(os.environ)
    if settings.database_url is None:
        raise SettingsError("Set DATABASE_URL. `python server.py serve` brings a database of its own.")
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # a malformed form is its sender's affair
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)  # whatever LOG_LEVEL is: it would log rows as they are

    drain = Drain(settings.drain_seconds)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.resources = open_resources(settings)
        app.state.drain = drain
        try:
            working = app.state.resources
            async with drain.watched(), beside(keep_house(working)), keys_looked_at(app), kept_chained(working):
                yield
        finally:
            await app.state.resources.db.close()

    endpoint = graphql_endpoint(settings)
    return Application(
        graphql=endpoint,
        routes=[
            *probe_routes(),
            Route("/", lambda _: RedirectResponse("/graphiql")),
            *graphiql_routes(),
            *card_routes(open_card),
            *certificate_routes(),
            *session_routes(),
            *export_routes(speech()),
        ],
        around=around(settings, endpoint, drain),
        middleware=[Middleware(Outages, seconds=settings.operation_timeout, sentence=unavailable)],
        lifespan=lifespan,
    )


def behind(proxies: tuple[str, ...]) -> list[Middleware]:
    """Takes the client's address from X-Forwarded-For where a proxy that is trusted says it, and from nobody else."""
    return [Middleware(ProxyHeadersMiddleware, trusted_hosts=list(proxies))] if proxies else []


def around(settings: Settings, endpoint: Endpoint, drain: Drain) -> list[Middleware]:
    """What every request goes through, from the outside in."""

    def refuse(request: Request, code: str) -> Response:
        return endpoint.refuse(request, Refused(code, "Host and Origin are compared with PUBLIC_URL"), JSON)

    hosts = [host_in(settings.public_url), *settings.allowed_hosts]
    public = urlsplit(settings.public_url)
    origins = [f"{public.scheme}://{public.netloc}", *settings.allowed_origins]
    passed = [
        *behind(settings.trusted_proxies),
        Middleware(Answering, security=SecurityHeaders(https=public.scheme == "https"), drain=drain, fault=internal),
        Middleware(Admission, hosts=hosts, origins=origins, refuse=refuse),
    ]
    if settings.allowed_origins:
        # Without cookies: a page of another site asks with a token that it was given.
        headers = ["Authorization", "Content-Type", "GraphQL-Preflight", "Accept-Language"]
        listed = settings.allowed_origins
        passed.append(
            Middleware(CORSMiddleware, allow_origins=listed, allow_methods=["GET", "POST"], allow_headers=headers)
        )
    return passed


@asynccontextmanager
async def keys_looked_at(app: Starlette) -> AsyncIterator[None]:
    """Refuses to start with keys that the database was not written with; found out later, it is not ready.

    Raises:
        SettingsError: they are not.
    """
    app.state.keys = None
    if await look_at_keys(app.state.resources):
        yield
        return
    async with beside(keep_looking(app.state.resources)) as app.state.keys:
        yield


def open_resources(settings: Settings) -> Resources:
    """What lives as long as the server or a command. Nothing is connected to before it is asked."""
    assert settings.database_url is not None, "the embedded database's address is filled in by console.py"
    files = Files(settings.data_dir / "certificates", settings.min_free_bytes)
    files.prepare()
    keys = settings.id_number_keys.get_secret_value()
    index_key, *old = settings.blind_index_key.get_secret_value()
    db = Database(settings.database_url, pool_size=settings.pool_size, deadlines=deadlines_of(settings))
    sealer = Sealer(keys, current=next(iter(keys)), index_key=index_key, old_index_keys=old)
    sign_ins = SignIns(
        db,
        idle=timedelta(hours=settings.session_idle_hours),
        demanding=settings.administrators_need_second_factor,
    )
    throttle = Throttle(db.counters, sealer.digest, settings.rate_limits)
    return Resources(settings, db, sign_ins, files, sealer, throttle)


def deadlines_of(settings: Settings) -> Deadlines:
    return Deadlines(settings.pool_timeout, settings.statement_timeout, settings.operation_timeout)


def graphql_endpoint(settings: Settings) -> Endpoint:
    async def meet(request: Request, *, remembered: bool = False) -> GraphContext:
        context = GraphContext(resources_of(request))
        await identify(context, request, remembered=remembered)
        return context

    @asynccontextmanager
    async def open_context(request: Request) -> AsyncIterator[GraphContext]:
        yield await meet(request)

    def refusal(code: str, request: Request) -> str:
        return internal(request) if code == Refusal.INTERNAL else sentence(code, request)

    return ReadingEndpoint(
        build_schema(),
        open_context,
        meet=meet,
        max_upload=settings.max_certificate_bytes,
        refusal=refusal,
        introspection=open_to(settings.introspection),
        trusted=trusted_documents(settings),
        seconds=settings.operation_timeout,
    )


def trusted_documents(settings: Settings) -> Trusted:
    """Raises: SettingsError."""
    if settings.trusted_documents is None:
        if settings.trusted_documents_only:
            raise SettingsError("TRUSTED_DOCUMENTS_ONLY needs TRUSTED_DOCUMENTS, the manifest of them.")
        return Trusted()
    try:
        return read_manifest(settings.trusted_documents, only=settings.trusted_documents_only)
    except ManifestError as error:
        raise SettingsError(f"TRUSTED_DOCUMENTS: {error}") from None


def internal(request: Request) -> str:
    """What is told of a fault of ours: the number that its log entry has."""
    locale = preferred(request.headers.get("accept-language", ""))
    return say(locale, "INTERNAL", request_id=request.state.request_id)


def unavailable(request: Request) -> str:
    return sentence(Refusal.UNAVAILABLE, request)


def speech() -> Speech:
    """What a page takes from the schema, which it does not import."""
    return Speech(lambda text: decode_id(text, "Union"), lambda key: encode_id("Union", key), messages.sentence)


if __name__ == "__main__":
    import commands

    commands.main()
