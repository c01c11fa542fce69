"""Who may ask at all, and what every answer says to a browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from graphql import get_introspection_query
from starlette.responses import PlainTextResponse

from server import create_app
from storage.settings import Settings
from tests.world import World
from web.admission import Admission
from web.security_headers import HEADERS, SecurityHeaders

HOME = "https://unions.example.org"
QUERY = {"query": "{ __typename }"}


async def app(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("ok")(scope, receive, send)


ADMITTING = Admission(
    app,
    hosts=["Unions.example.org", "10.0.0.8", "[fd00::8]"],
    origins=[HOME, "https://dashboard.example.org:8443"],
    refuse=lambda _, code: PlainTextResponse(code, 418),
)


async def asked(path: str = "/graphql", **headers: str | list[str]) -> str:
    raw = [
        (name.encode(), value.encode())
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await ADMITTING(scope, None, send)  # type: ignore[arg-type]
    return str(sent[1]["body"].decode())


# ── hosts ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host",
    [
        *("unions.example.org", "UNIONS.example.org:443", "unions.example.org:8000", "10.0.0.8", "[fd00::8]:80"),
        *("localhost:8000", "127.0.0.1:8000", "[::1]:8000"),  # the machine's own names
    ],
)
async def test_a_known_host_is_answered(host: str) -> None:
    assert await asked(host=host) == "ok"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "", "unions.example.org.evil.example", "evil.example:unions.example.org", "10.0.0.80"),
        *("unions.example.org@evil.example", "unions.example.org,evil.example", "unions.example.org:80:80"),
        *("unions.example.org.", " unions.example.org", "unions.example.org\x00", "*", "[::1", "http://localhost"),
        *("unions.example.org:", "127.0.0.1.evil.example", "xn--unins-jua.example.org"),
    ],
)
async def test_any_other_host_is_not(host: str) -> None:
    assert await asked(host=host) == "MISDIRECTED_REQUEST"


async def test_a_request_has_one_host() -> None:
    assert await asked() == "MISDIRECTED_REQUEST"
    assert await asked(host=["unions.example.org", "unions.example.org"]) == "MISDIRECTED_REQUEST"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_asks_by_any_address(path: str) -> None:
    assert await asked(path, host="172.16.9.9:8000") == "ok"


# ── origins ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "origin",
    [
        *(HOME, "https://UNIONS.example.org", "https://dashboard.example.org:8443"),
        "http://10.0.0.8:9000",  # a page of the very host that is asked
    ],
)
async def test_pages_of_our_own_may_ask(origin: str) -> None:
    assert await asked(host="10.0.0.8:9000", origin=origin) == "ok"


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "", "file://", "http://10.0.0.8", "http://10.0.0.8:9001", "10.0.0.8:9000"),
        *(
            "http://unions.example.org",
            f"{HOME}.evil.example",
            f"{HOME}/",
            f"{HOME}:444",
            f"{HOME} https://evil.example",
        ),
        *("https://dashboard.example.org", "http://localhost:9000", "http://evil.example@10.0.0.8:9000"),
    ],
)
async def test_pages_of_other_sites_may_not(origin: str) -> None:
    assert await asked(host="10.0.0.8:9000", origin=origin) == "ORIGIN_NOT_ALLOWED"


async def test_a_request_has_one_origin() -> None:
    assert await asked(host="10.0.0.8", origin=[HOME, HOME]) == "ORIGIN_NOT_ALLOWED"


# ── as it is served ──────────────────────────────────────────────────────────────────────────


def browser(served: Any, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://union.test", headers=headers)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "MISDIRECTED_REQUEST"),
        ({"origin": "https://evil.example"}, 403, "ORIGIN_NOT_ALLOWED"),
    ],
)
async def test_a_refusal_is_an_answer_of_graphql(world: World, headers: dict[str, str], status: int, code: str) -> None:
    async with browser(world.app) as http:
        refused = await http.post("/graphql", json=QUERY, headers=headers)
        answered = await http.post("/graphql", json=QUERY, headers={"origin": "http://union.test"})
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (status, code)
    assert "data" not in refused.json() and refused.headers["x-request-id"]
    assert answered.json()["data"] == {"__typename": "Query"}


async def test_a_page_elsewhere_cannot_sign_in_or_out_or_export(world: World) -> None:
    before = await world.fingerprint()
    async with browser(world.app, origin="https://evil.example", **{"graphql-preflight": "1"}) as http:
        answers = [
            await http.post("/session", json={"phone": "13800000001", "password": "x"}),
            await http.delete("/session"),
            await http.get("/exports/unions?under=x"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert await world.fingerprint() == before


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


async def test_nobody_else_s_page_gets_leave_to_ask(world: World) -> None:
    async with browser(world.app, origin="https://evil.example") as http:
        answers = [
            await http.options("/graphql", headers=PREFLIGHT),
            await http.options("/session", headers=PREFLIGHT),
            await http.get("/graphql?query={__typename}"),
            await http.post("/graphql", json=QUERY),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert not any(name.startswith("access-control-") for answer in answers for name in answer.headers)


async def test_a_site_that_is_listed_gets_leave_without_cookies(world: World, settings: Settings) -> None:
    listed = "https://dashboard.example.org"
    served = create_app(settings.model_copy(update={"allowed_origins": (listed,)}))
    async with served.router.lifespan_context(served), browser(served, origin=listed) as http:
        preflight = await http.options("/graphql", headers=PREFLIGHT)
        answered = await http.post("/graphql", json=QUERY)
        other = await http.post("/graphql", json=QUERY, headers={"origin": "https://evil.example"})
    assert (preflight.status_code, answered.status_code, other.status_code) == (200, 200, 403)
    for answer in (preflight, answered):
        assert answer.headers["access-control-allow-origin"] == listed
        assert "access-control-allow-credentials" not in answer.headers


async def test_every_answer_says_how_a_browser_is_to_take_it(world: World) -> None:
    async with browser(world.app) as http:
        answers = [
            *[
                await http.get(path)
                for path in ("/", "/livez", "/nowhere", "/i/made-up", "/certificates/1", "/session")
            ],
            *[await http.get(path) for path in ("/static/card.css", "/graphiql", "/graphiql/assets/none", "/graphql")],
            await http.get("/exports/unions"),
            await http.put("/graphql"),
            await http.post("/graphql", json=QUERY),
            await http.post("/graphql", json=QUERY, headers={"host": "evil.example"}),
        ]
    for answer in answers:
        given = {name: answer.headers.get_list(name) for name in HEADERS}
        assert all(len(values) == 1 for values in given.values()), (answer.url, given)
        assert given["x-content-type-options"] == ["nosniff"] and given["referrer-policy"] == ["no-referrer"]
        policy = given["content-security-policy"][0]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy and "http" not in policy and "*" not in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy
        assert not {"server", "x-powered-by", "strict-transport-security"} & answer.headers.keys()


async def test_a_fault_says_it_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("web.session_routes.context_of", broken)
    async with browser(world.app) as http:
        http._transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
        answer = await http.get("/session")
    assert answer.status_code == 500 and HEADERS.keys() <= answer.headers.keys()


def test_https_alone_promises_to_stay_https() -> None:
    promise = (b"strict-transport-security", b"max-age=31536000")
    assert promise in SecurityHeaders(https=True).missing([])
    assert promise not in SecurityHeaders(https=False).missing([])


# ── the schema ───────────────────────────────────────────────────────────────────────────────

WHOLE = get_introspection_query(schema_description=True, input_value_deprecation=True)
PEEKS = [
    WHOLE,
    '{ __type(name: "Query") { name kind } }',
    '{ __type(name: "Query") { ... { fields { name } } } }',
    "{ roots { id } a: __schema { queryType { name } } }",
    "query A { ...f } fragment f on Query { ... { __schema { queryType { name } } } }",
    "{ __schema { nothing } }",
]


@pytest.mark.parametrize("query", PEEKS)
async def test_a_stranger_does_not_see_the_schema(world: World, query: str) -> None:
    refused = await world.stranger().answer(query)
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]
    assert "data" not in refused


async def test_who_is_signed_in_does(world: World) -> None:
    person = await world.person()
    answer = await person.answer(WHOLE)
    assert len(answer["data"]["__schema"]["types"]) > 50
    bare = '{ __typename __type(name: "Query") { name } }'
    assert (await world.stranger().answer(bare))["data"] == {"__typename": "Query", "__type": {"name": "Query"}}


@pytest.mark.parametrize(("allowed", "codes"), [("everybody", []), ("nobody", ["FORBIDDEN"])])
async def test_the_operator_may_decide_otherwise(
    world: World, settings: Settings, allowed: str, codes: list[str]
) -> None:
    served = create_app(settings.model_copy(update={"introspection": allowed}))
    async with served.router.lifespan_context(served):
        answer = await World(served).stranger().answer(WHOLE)
    assert [error["extensions"]["code"] for error in answer.get("errors", [])] == codes
    assert ("data" in answer) is (codes == [])


async def test_the_schema_is_not_walked_in_circles(world: World) -> None:
    person = await world.person()
    deep = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert [error["extensions"]["code"] for error in (await person.answer(deep))["errors"]] == [
        "GRAPHQL_VALIDATION_FAILED"
    ]
    often = "{ " + " ".join(f"s{n}: __schema {{ queryType {{ name }} }}" for n in range(3)) + " }"
    refused = await person.answer(often)
    assert refused["errors"][0]["extensions"]["limit"] == "cost"
