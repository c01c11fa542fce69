"""A tiny schema behind the endpoint, and ways to ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import httpx
import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from strawberry.exceptions import StrawberryInputCoercionError

from schema.faults import Schema
from schema.limits import DocumentLimits
from schema.transport import Endpoint

MODERN = "application/graphql-response+json"
LEGACY = "application/json"
JSON = {"content-type": "application/json"}


class DriverError(Exception):
    """What a driver's exception can look like: with a dict of its own called extensions."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.extensions = {"code": "LEAK"}


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Form:
    title: str = ""


@strawberry.type
class Query:
    @strawberry.field
    def name(self) -> str:
        return "广东省总工会"

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def double(self, number: int = 1) -> int:
        return 2 * number

    @strawberry.field
    def paint(self, colour: Colour) -> str:
        return str(colour.value)

    @strawberry.field
    def titled(self, form: Form) -> str:
        return form.title

    @strawberry.field
    def crash(self) -> str | None:
        raise RuntimeError("relation secret does not exist")

    @strawberry.field
    def crash_for_good(self) -> str:
        raise DriverError("secret")

    @strawberry.field
    def refuse(self) -> str | None:
        raise GraphQLError("Come back tomorrow.", extensions={"code": "CLOSED"})

    @strawberry.field
    def careless(self) -> str | None:
        raise GraphQLError("secret")

    @strawberry.field
    def misread(self) -> str | None:
        raise StrawberryInputCoercionError("That is no id.")

    @strawberry.field
    def unwritable(self) -> str:
        return "\ud800"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def count(self, info: strawberry.Info[Any, None]) -> int:
        info.context["count"] += 1
        return int(info.context["count"])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


SCHEMA = Schema(query=Query, mutation=Mutation, subscription=Subscription, extensions=[DocumentLimits])


def client(
    schema: strawberry.Schema = SCHEMA, context: dict[str, int] | None = None, **settings: Any
) -> httpx.AsyncClient:
    """A client of an endpoint; `context` counts how often one was opened."""
    given = {"count": 0, "opened": 0} if context is None else context

    @asynccontextmanager
    async def open_context(request: Request) -> AsyncIterator[dict[str, int]]:
        given["opened"] += 1
        yield given

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"request_id": "r-1"}
        await Endpoint(schema, open_context, **settings)(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def post(
    content: object, *, accept: str = LEGACY, headers: dict[str, str] | None = None, **settings: Any
) -> httpx.Response:
    async with client(**settings) as http:
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        return await http.post("/graphql", content=raw, headers={**JSON, "accept": accept, **(headers or {})})


async def ask(query: str, variables: object = None, **more: Any) -> httpx.Response:
    return await post({"query": query, "variables": variables}, **more)


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]
