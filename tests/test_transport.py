"""The endpoint over HTTP: what goes in, and the exact answer."""

from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from strawberry.extensions import SchemaExtension

from schema.faults import Schema
from schema.negotiation import answer_type
from schema.requests import QuickRequest
from tests.over_http import LEGACY, MODERN, Query, ask, client, codes, post

# ── answers ──────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_is_data_in_plain_utf8() -> None:
    response = await ask("{ name }")
    assert response.status_code == 200
    assert response.content.startswith('{"data":{"name":"广东省总工会"},'.encode())
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", LEGACY),
        ("*/*", LEGACY),
        ("application/*", LEGACY),
        (LEGACY, LEGACY),
        (MODERN, MODERN),
        ("Application/GraphQL-Response+JSON; charset=utf-8, application/json; charset=utf-8", MODERN),
        (f"{LEGACY}, {MODERN}", MODERN),
        (f"{LEGACY}, {MODERN};q=0.5", LEGACY),
        (f"{MODERN};q=0, */*", LEGACY),
        (f"{LEGACY}, */*", LEGACY),
        (f"{MODERN};q=much, {LEGACY};q=0.1", LEGACY),
        ("text/html, application/xhtml+xml, */*;q=0.8", LEGACY),
        (f"{MODERN}, application/graphql+json, {LEGACY}, text/event-stream, multipart/mixed", MODERN),  # urql
        (f"text/event-stream, {LEGACY}", LEGACY),
    ],
)
async def test_the_client_chooses_the_media_type(accept: str, answered: str) -> None:
    response = await ask("{ name }", accept=accept)
    assert (response.status_code, response.headers["content-type"]) == (200, f"{answered}; charset=utf-8")


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream", f"{LEGACY};q=0", "application/json;q=2"])
async def test_a_client_that_takes_no_json_is_told_so_in_json(accept: str) -> None:
    response = await ask("{ name }", accept=accept)
    assert (response.status_code, codes(response)) == (406, ["NOT_ACCEPTABLE"])


def test_without_an_accept_header_the_answer_is_json() -> None:
    assert answer_type(Headers({})) == LEGACY


async def test_lines_of_one_name_are_one_list() -> None:
    """RFC 9110, 5.3; what can have but one value has none that is known, then."""
    content = b'{"query": "{ name }"}'
    async with client() as http:
        ranges = [("content-type", LEGACY), ("accept", f"{LEGACY};q=0.5"), ("accept", MODERN)]
        assert (await http.post("/graphql", content=content, headers=ranges)).headers["content-type"].startswith(MODERN)
        types = [("content-type", LEGACY), ("content-type", LEGACY)]
        assert (await http.post("/graphql", content=content, headers=types)).status_code == 415


def test_many_lines_of_one_name_are_joined_once() -> None:
    """Each with each, these would take hours."""
    headers = QuickRequest({"type": "http", "headers": [(b"a", b"1")] * 200_000}).headers
    assert len(headers["a"]) == 3 * 200_000 - 2


async def test_variables_extensions_and_operation_name_are_taken() -> None:
    content = {
        "query": "query A { name } query B($text: String!) { echo(text: $text) }",
        "operationName": "B",
        "variables": {"text": "工会"},
        "extensions": {"some": "thing"},
        "unknown": "ignored",
    }
    assert (await post(content)).json()["data"] == {"echo": "工会"}


@pytest.mark.parametrize("absent", ["operationName", "variables", "extensions"])
async def test_null_is_absent(absent: str) -> None:
    assert (await post({"query": "{ name }", absent: None})).json()["data"] == {"name": "广东省总工会"}


async def test_extensions_of_the_schema_reach_the_answer() -> None:
    class Timed(SchemaExtension):
        def get_results(self) -> dict[str, Any]:
            return {"took": 1}

    response = await ask("{ name }", schema=Schema(query=Query, extensions=[Timed]))
    assert response.json()["extensions"]["took"] == 1


# ── GET ──────────────────────────────────────────────────────────────────────────────────────


async def get(query_string: str, accept: str = LEGACY) -> httpx.Response:
    async with client() as http:
        return await http.get(f"/graphql?{query_string}", headers={"accept": accept})


async def test_a_query_may_be_a_link() -> None:
    response = await get(
        'query=query($t:String!){echo(text:$t)}&variables={"t":"%E5%B7%A5"}&operationName=&extensions='
    )
    assert response.json()["data"] == {"echo": "工"}


@pytest.mark.parametrize("accept", [LEGACY, MODERN])
async def test_a_mutation_may_not(accept: str) -> None:
    refused = await get("query=mutation{count}", accept)
    assert (refused.status_code, refused.headers["allow"], codes(refused)) == (405, "POST", ["METHOD_NOT_ALLOWED"])
    assert (await ask("mutation { count }", accept=accept)).json()["data"] == {"count": 1}


MALFORMED_LINKS = [
    "",
    "query=",
    "query={name}&query={name}",
    "query=%ED%A0%80",
    "&".join("abc" * 20),
    "query={name}&variables=[",
    "query={name}&variables=[]",
    "query={name}&variables=null&extensions=1",
]


@pytest.mark.parametrize("query_string", MALFORMED_LINKS)
async def test_a_malformed_link_is_refused(query_string: str) -> None:
    refused = await get(query_string)
    assert (refused.status_code, codes(refused)) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"])
async def test_other_methods_are_refused(method: str) -> None:
    async with client() as http:
        refused = await http.request(method, "/graphql", json={"query": "{ name }"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    assert codes(refused) == ["METHOD_NOT_ALLOWED"]
