"""Uploads by the GraphQL multipart request specification."""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import strawberry
from starlette.datastructures import UploadFile
from starlette.requests import Request
from strawberry.schema.config import StrawberryConfig

from schema.faults import Schema
from schema.multipart import SCALARS
from schema.transport import Endpoint

OPENED: list[UploadFile] = []


@strawberry.input
class Album:
    pictures: list[UploadFile]


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str | None = None) -> str | None:
        return text


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def upload(self, file: UploadFile) -> str:
        OPENED.append(file)
        return f"{file.filename}: {(await file.read()).decode()}"

    @strawberry.mutation
    async def keep(self, album: Album) -> list[int]:
        return [len(await picture.read()) for picture in album.pictures]


SCHEMA = Schema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=dict(SCALARS)))
UPLOAD = b'{"query":"mutation($f: Upload!) { upload(file: $f) }","variables":{"f":null}}'
MAP = b'{"0":["variables.f"]}'

Part = tuple[str, bytes] | tuple[str, bytes, str]
PREFLIGHT = {"graphql-preflight": "1"}


def form(parts: Iterable[Part]) -> bytes:
    """A multipart body with the boundary `b`; a part of three has a file name."""
    chunks = []
    for name, content, *filename in parts:
        named = f'; filename="{filename[0]}"' if filename else ""
        chunks.append(f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content)
    return b"\r\n".join([*chunks, b"--b--\r\n"])


@asynccontextmanager
async def open_context(request: Request) -> AsyncIterator[None]:
    yield


async def send(
    body: bytes | AsyncIterator[bytes],
    headers: dict[str, str] | None = None,
    content_type: str = "multipart/form-data; boundary=b",
    **settings: Any,
) -> httpx.Response:
    transport = httpx.ASGITransport(Endpoint(SCHEMA, open_context, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        extra = PREFLIGHT if headers is None else headers
        return await http.post("/graphql", content=body, headers={"content-type": content_type, **extra})


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


OPERATIONS: Part = ("operations", UPLOAD)
PLACES: Part = ("map", MAP)
FILE: Part = ("0", b"png", "a.png")


@pytest.mark.parametrize(
    "parts",
    [(OPERATIONS, PLACES, FILE), (FILE, PLACES, OPERATIONS), (PLACES, FILE, OPERATIONS), (OPERATIONS, FILE, PLACES)],
)
async def test_the_parts_come_in_any_order(parts: tuple[Part, ...]) -> None:
    OPENED.clear()
    response = await send(form(parts))
    assert (response.status_code, response.json()["data"]) == (200, {"upload": "a.png: png"})
    assert OPENED[0].file.closed


async def test_a_file_on_disk_is_closed_as_well() -> None:
    OPENED.clear()
    response = await send(form([OPERATIONS, PLACES, ("0", b"x" * 2**21, "a")]))
    assert response.status_code == 200
    assert OPENED[0].size == 2**21
    assert OPENED[0].file.closed


async def test_names_are_utf8() -> None:
    places = '{"照片":["variables.f"]}'.encode()
    response = await send(form([OPERATIONS, ("map", places), ("照片", "图".encode(), "照片.png")]))
    assert response.json()["data"] == {"upload": "照片.png: 图"}


async def test_one_file_may_go_to_several_places_and_into_lists() -> None:
    operations = b'{"query":"mutation($p: [Upload!]!) { keep(album: {pictures: $p}) }","variables":{"p":[null,null]}}'
    response = await send(form([("operations", operations), ("map", b'{"0":["variables.p.0","variables.p.1"]}'), FILE]))
    assert response.json()["data"] == {"keep": [3, 0]}


async def test_a_form_without_a_file_is_a_request_too() -> None:
    response = await send(form([("operations", b'{"query":"{ echo(text: \\"x\\") }"}'), ("map", b"{}")]))
    assert response.json()["data"] == {"echo": "x"}


@pytest.mark.parametrize(
    "headers", [{}, {"graphql-preflight": " "}, {"authorization": "Bearer "}, {"authorization": "Basic eDp5"}]
)
async def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    OPENED.clear()
    refused = await send(form([OPERATIONS, PLACES, FILE]), headers)
    assert outcome(refused) == (403, "CSRF_PREVENTION")
    assert OPENED == []


async def test_it_is_refused_unread() -> None:
    assert outcome(await send(b"x" * 5000, {}, max_body=1000, max_upload=1000)) == (403, "CSRF_PREVENTION")
    assert outcome(await send(b"x" * 5000, max_body=1000, max_upload=1000)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "headers", [{"graphql-preflight": "1"}, {"authorization": "Bearer t"}, {"authorization": "bearer  t"}]
)
async def test_a_header_that_no_form_can_send_lets_it_through(headers: dict[str, str]) -> None:
    assert (await send(form([OPERATIONS, PLACES, FILE]), headers)).status_code == 200


def operations(variables: object, query: str = "mutation($f: Upload!) { upload(file: $f) }") -> Part:
    return ("operations", orjson.dumps({"query": query, "variables": variables}))


MALFORMED: dict[str, list[Part]] = {
    "nothing": [],
    "no operations": [PLACES, FILE],
    "no map": [OPERATIONS, FILE],
    "no file": [OPERATIONS, PLACES],
    "two files": [OPERATIONS, PLACES, FILE, ("1", b"x", "b")],
    "the file twice": [OPERATIONS, PLACES, FILE, FILE],
    "operations twice": [OPERATIONS, OPERATIONS, FILE],
    "an unknown text": [OPERATIONS, PLACES, FILE, ("note", b"x")],
    "an unknown text for map": [OPERATIONS, ("note", b"x"), FILE],
    "the file as text": [OPERATIONS, PLACES, ("0", b"png")],
    "operations as a file": [("operations", UPLOAD, "o"), PLACES],
    "operations and a file called so": [OPERATIONS, PLACES, ("operations", UPLOAD, "o")],
    "a batch": [("operations", b"[" + UPLOAD + b"]"), PLACES, FILE],
    "operations that are no JSON": [("operations", b"{"), PLACES, FILE],
    "operations in Latin-1": [("operations", UPLOAD.replace(b"$f", b"$\xe9")), PLACES, FILE],
    "map in Latin-1": [OPERATIONS, ("map", b'{"0":["variables.f"],"\xe9":[]}'), FILE],
    "map a list": [OPERATIONS, ("map", b"[]"), FILE],
    "map without paths": [OPERATIONS, ("map", b'{"0":[]}'), FILE],
    "map with a string": [OPERATIONS, ("map", b'{"0":"variables.f"}'), FILE],
    "map with a number": [OPERATIONS, ("map", b'{"0":[0]}'), FILE],
    "map of another file": [OPERATIONS, ("map", b'{"1":["variables.f"]}'), FILE],
    "map of one file more": [OPERATIONS, ("map", b'{"0":["variables.f"],"1":["variables.f"]}'), FILE],
    "map too deep": [OPERATIONS, ("map", b'{"0":' + b"[" * 900 + b"]" * 900 + b"}"), FILE],
    "into the query": [OPERATIONS, ("map", b'{"0":["query"]}'), FILE],
    "in place of all variables": [operations(None), ("map", b'{"0":["variables"]}'), FILE],
    "into an operation of a batch": [OPERATIONS, ("map", b'{"0":["0.variables.f"]}'), FILE],
    "to no variable": [OPERATIONS, ("map", b'{"0":["variables.g"]}'), FILE],
    "through a null": [OPERATIONS, ("map", b'{"0":["variables.f.g"]}'), FILE],
    "no variables": [operations(None), PLACES, FILE],
    "where there is no null": [operations({"f": "x"}), PLACES, FILE],
    "twice to the same place": [OPERATIONS, ("map", b'{"0":["variables.f","variables.f"]}'), FILE],
    "beyond a list": [operations({"f": [None]}), ("map", b'{"0":["variables.f.1"]}'), FILE],
    "before a list": [operations({"f": [None]}), ("map", b'{"0":["variables.f.-1"]}'), FILE],
    "by a number in another spelling": [operations({"f": [None]}), ("map", '{"0":["variables.f.٠"]}'.encode()), FILE],
}


@pytest.mark.parametrize("parts", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_form_is_refused(parts: list[Part]) -> None:
    OPENED.clear()
    assert outcome(await send(form(parts))) == (400, "BAD_REQUEST")
    assert OPENED == []


NO_FORMS = [
    b"",
    b"nonsense",
    b"--b--\r\n",
    form([OPERATIONS, PLACES, FILE])[:-8],
    form([OPERATIONS, FILE, PLACES])[:-40],
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nX\r\n\r\n--b--\r\n",
]


@pytest.mark.parametrize("body", NO_FORMS)
async def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    assert outcome(await send(body)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("content_type", "refused"),
    [
        ("multipart/form-data", (400, "BAD_REQUEST")),
        ("multipart/form-data; boundary=", (400, "BAD_REQUEST")),
        ("multipart/form-data; boundary=" + "b" * 300, (400, "BAD_REQUEST")),
        ("multipart/form-data; boundary=b; charset=gbk", (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("multipart/mixed; boundary=b", (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
async def test_an_unusable_content_type_is_refused(content_type: str, refused: tuple[int, str]) -> None:
    assert outcome(await send(form([OPERATIONS, PLACES, FILE]), content_type=content_type)) == refused


async def test_each_part_has_its_limit() -> None:
    limits: dict[str, Any] = {"max_body": 200, "max_upload": 1000}
    assert (await send(form([OPERATIONS, PLACES, ("0", b"x" * 500, "a")]), **limits)).status_code == 200
    long = ("operations", UPLOAD + b" " * 200)
    assert outcome(await send(form([long, PLACES, FILE]), **limits)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_file_may_be_as_large_as_allowed_and_no_larger() -> None:
    limits: dict[str, Any] = {"max_body": 1000, "max_upload": 500}
    assert (await send(form([OPERATIONS, PLACES, ("0", b"x" * 500, "a")]), **limits)).status_code == 200
    assert outcome(await send(form([OPERATIONS, PLACES, ("0", b"x" * 501, "a")]), **limits)) == (
        413,
        "PAYLOAD_TOO_LARGE",
    )


async def test_a_file_that_is_too_large_is_not_read_to_its_end() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield form([OPERATIONS, PLACES])[: -len(b"--b--\r\n")]
        yield b'--b\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\n'
        while True:
            taken += 1
            yield b"x" * 100

    refused = await send(endless(), max_body=10_000, max_upload=1000)
    assert outcome(refused) == (413, "PAYLOAD_TOO_LARGE") and refused.headers["connection"] == "close"
    assert taken <= 11 + 100  # until it is too long, and so that the client may finish


async def test_a_file_fits_an_upload_and_nothing_else() -> None:
    query = "query($f: String) { echo(text: $f) }"
    assert outcome(await send(form([operations({"f": None}, query), PLACES, FILE]))) == (200, "BAD_USER_INPUT")


@pytest.mark.parametrize("value", [None, "x", 0, {}, [], {"filename": "a", "file": "x"}])
async def test_json_cannot_smuggle_a_file(value: object) -> None:
    content = operations({"f": value})[1]
    assert outcome(await send(content, content_type="application/json")) == (200, "BAD_USER_INPUT")


async def test_a_file_is_not_written_in_a_document() -> None:
    content = orjson.dumps({"query": 'mutation { upload(file: "x") }'})
    assert outcome(await send(content, content_type="application/json")) == (200, "GRAPHQL_VALIDATION_FAILED")


async def test_a_file_is_not_returned() -> None:
    @strawberry.type
    class Leaky:
        @strawberry.field
        def file(self) -> UploadFile | None:
            return OPENED[0]

    leaky = Schema(query=Leaky, config=StrawberryConfig(scalar_map=dict(SCALARS)))
    await send(form([OPERATIONS, PLACES, FILE]))
    result = await leaky.execute("{ file }")
    assert result.data == {"file": None}
    assert result.errors


async def test_no_damage_to_a_form_ends_in_a_fault() -> None:
    chance, whole = random.Random(1), form([OPERATIONS, PLACES, FILE])  # noqa: S311 -- a repeatable test
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 9)] = chance.choice([b"", b"\r\n", b"--b", b'"', b"\xff", b"{", b"\0"])
        assert (await send(bytes(body))).status_code < 500, bytes(body)
