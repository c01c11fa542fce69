"""Top-level errors: a client's mistake is told, a fault is masked and logged."""

import logging
from collections.abc import AsyncIterator
from typing import Never

import httpx
import pytest
from graphql import GraphQLError, GraphQLFormattedError
from starlette.requests import Request
from strawberry.extensions import SchemaExtension

from schema.faults import Schema, without_what_was_sent
from schema.limits import Limits
from schema.refusals import Refused
from schema.transport import Endpoint
from tests.over_http import LEGACY, MODERN, SCHEMA, Query, ask, codes, post

# ── requests that cannot be executed ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("answered", [(LEGACY, 200), (MODERN, 400)])
@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ('{ echo(text: "\\uD800") }', None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ double(number: true) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { double(number: $n) }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query($n: Int!) { double(number: $n) }", {"n": None}, "BAD_USER_INPUT"),
        ("query($n: Int!) { double(number: $n) }", {"n": 2**63}, "BAD_USER_INPUT"),
        ("query($t: String!) { echo(text: $t) }", {"t": [[[]]]}, "BAD_USER_INPUT"),
        ("query A { name } query B { name }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("fragment A on Query { name }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { ticks }", None, "BAD_REQUEST"),
        ("{ " * 17 + "}" * 17, None, "GRAPHQL_PARSE_FAILED"),
        ("{ a " * 17 + "}" * 17, None, "DOCUMENT_TOO_COMPLEX"),
    ],
)
async def test_what_cannot_be_executed_has_no_data(
    query: str, variables: object, code: str, answered: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    accept, status = answered
    response = await ask(query, variables, accept=accept)
    assert (response.status_code, codes(response), "data" in response.json()) == (status, [code], False)
    assert caplog.records == []  # a client's mistake is not our log's business


@pytest.mark.parametrize("name", ["C", ""])
async def test_an_operation_that_is_not_there(name: str) -> None:
    response = await post({"query": "query A { name }", "operationName": name}, accept=MODERN)
    assert (response.status_code, codes(response)) == (400, ["OPERATION_RESOLUTION_FAILURE"])


async def test_a_document_that_cannot_run_opens_no_context() -> None:
    context = {"opened": 0}
    await ask("{", context=context)
    await ask("query A { name } query B { name }", context=context)
    assert context == {"opened": 0}


async def test_a_schema_without_the_extension_is_held_to_the_limits_as_well() -> None:
    schema = Schema(query=Query)
    assert (await ask("{ name }", schema=schema)).json()["data"] == {"name": "广东省总工会"}
    assert codes(await ask("{ name echo }", schema=schema, limits=Limits(fields=1))) == ["DOCUMENT_TOO_COMPLEX"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ nane }", None),
        ("{ echo(txt: 1) }", None),
        ("{ paint(colour: REDD) }", None),
        ("{ titled(form: {titel: 1}) }", None),
        ("{ name @skp(if: true) }", None),
        ("query($f: Fom) { name }", None),
        ("query($c: Colour!) { paint(colour: $c) }", {"c": "REDD"}),
        ("query($f: Form!) { titled(form: $f) }", {"f": {"titel": "x"}}),
        ("{ __schema }", None),
        ("{ __schema { types { enumValue { name } } } }", None),
    ],
)
async def test_nobody_is_helped_to_guess(query: str, variables: object) -> None:
    messages = [error["message"] for error in (await ask(query, variables)).json()["errors"]]
    assert messages
    assert not any("Did you mean" in message for message in messages)


# ── errors while executing ───────────────────────────────────────────────────────────────────


async def test_a_fault_is_masked_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    response = await ask("{ name crash }", accept=MODERN)
    told = {"message": "系统出错，请稍后再试。", "extensions": {"code": "INTERNAL", "requestId": "r-1"}}
    assert response.status_code == 200
    assert response.json() == {
        "errors": [{**told, "locations": [{"line": 1, "column": 8}], "path": ["crash"]}],
        "data": {"name": "广东省总工会", "crash": None},
        "extensions": {"cost": {"requested": 2, "limit": 30_000}},
    }
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "request r-1 failed at ['crash']")
    assert record.exc_info
    assert isinstance(record.exc_info[1], RuntimeError)


async def test_a_fault_that_leaves_nothing_has_null_data() -> None:
    response = await ask("{ crashForGood }", accept=MODERN, headers={"accept-language": "en-GB"})
    assert (response.status_code, response.json()["data"], codes(response)) == (200, None, ["INTERNAL"])
    assert response.json()["errors"][0]["message"] == "Something went wrong; please try again later."


async def test_an_error_without_a_code_is_a_fault() -> None:
    response = await ask("{ careless }")
    assert codes(response) == ["INTERNAL"]
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ refuse }", None, "CLOSED"),
        ("{ misread }", None, "BAD_USER_INPUT"),
        ("query($n: Int = 1) { double(number: $n) }", {"n": None}, "BAD_USER_INPUT"),
    ],
)
async def test_a_mistake_found_while_executing_is_told(
    query: str, variables: object, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await ask(query, variables)
    assert codes(response) == [code]
    assert "data" in response.json()
    assert caplog.records == []


async def test_the_application_may_tell_errors_in_its_own_way() -> None:
    def present(error: GraphQLError, context: dict[str, int]) -> GraphQLFormattedError:
        return {"message": f"{type(error.original_error).__name__} after {context['opened']}"}

    assert (await ask("{ crash }", present=present)).json()["errors"] == [{"message": "RuntimeError after 1"}]


async def test_the_application_may_word_refusals_in_its_own_way() -> None:
    refused = await post(b"", refusal=lambda code, request: f"{code} by {request.method}")
    assert refused.json()["errors"][0]["message"] == "BAD_REQUEST by POST"


@pytest.mark.parametrize("accept", [LEGACY, MODERN])
async def test_an_answer_that_cannot_be_written_is_a_fault(accept: str, caplog: pytest.LogCaptureFixture) -> None:
    response = await ask("{ unwritable }", accept=accept)
    assert (response.status_code, codes(response)) == (500, ["INTERNAL"])
    assert response.json()["errors"][0]["extensions"]["requestId"] == "r-1"
    assert [record.getMessage() for record in caplog.records] == ["request r-1 failed"]


@pytest.mark.parametrize("accept", [LEGACY, MODERN])
async def test_a_broken_extension_is_a_fault(accept: str) -> None:
    class Broken(SchemaExtension):
        def on_validate(self) -> AsyncIterator[None]:
            raise RuntimeError("secret")

    response = await ask("{ name }", schema=Schema(query=Query, extensions=[Broken]), accept=accept)
    assert (response.status_code, codes(response), "secret" in response.text) == (500, ["INTERNAL"], False)


async def test_opening_the_context_may_refuse() -> None:
    def closed(request: Request) -> Never:
        raise Refused("INTERNAL", f"{request.method} while the database starts", status=503)

    app = Endpoint(SCHEMA, closed)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        refused = await http.post("/", json={"query": "{ name }"})
    assert (refused.status_code, codes(refused)) == (503, ["INTERNAL"])


@pytest.mark.parametrize(
    ("quoting", "told"),
    [
        (
            "Variable '$i' has invalid value: Expected … unknown field 'x', found: {'p': 'SECRET'}.",
            "unknown field 'x'.",
        ),
        ("Variable '$i' has invalid value at .phone: String cannot represent a non string value: 'SECRET'", "value."),
        ("Value 'SECRET' does not exist in 'Role' enum.", "This value does not exist in 'Role' enum."),
        ("Expected value of type 'Form' to be an object, found: 'SECRET'.", "to be an object."),
    ],
)
def test_what_was_sent_is_not_said_again(quoting: str, told: str) -> None:
    said = without_what_was_sent(quoting)
    assert said.endswith(told) and "SECRET" not in said
