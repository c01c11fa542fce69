"""Bodies of requests: what is taken, how much of it, and for how long."""

import asyncio
from typing import Any, Never

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from schema import body as body_module
from schema.transport import Endpoint
from tests.over_http import JSON, LEGACY, MODERN, SCHEMA, codes, post

MALFORMED_BODIES = [
    *(b"", b"{", b"null", b"7", b'"{ name }"', b"[]", b'[{"query":"{ name }"}]', b"{}", b'{"qeury":"{ name }"}'),
    *(b'{"query":%s}' % value for value in (b"null", b"{}", b"[]", b"0", b"false", b'" "', b"NaN")),
    *(b'{"query":"{ name }","operationName":%s}' % value for value in (b"{}", b"[]", b"0", b"false")),
    *(b'{"query":"{ name }","variables":%s}' % value for value in (b'"x"', b"[]", b"0", b"false")),
    *(b'{"query":"{ name }","extensions":%s}' % value for value in (b'"x"', b"[]", b"0", b"false")),
    # not UTF-8
    *(b'{"query":"\xff"}', b'{"query":"\xed\xa0\x80"}', b'{"query":"\\ud800"}', b"\xef\xbb\xbf{}"),
    '{"query":"{ name }"}'.encode("utf-16"),
    b'{"query":"{ name }","variables":{"n":[%s]}}' % b",".join([b"[]"] * 25_001),
    # a document and the id of one
    *(b'{"documentId":%s}' % value for value in (b"1", b"[]", b"{}", b'"sha256:0","query":"{ name }"')),
    # too large for a double, or too deep
    *(b'{"query":"{ name }","variables":{"n":%s}}' % value for value in (b"9" * 5000, b"1e999", b"[" * 70 + b"]" * 70)),
    # a number that means nothing, or is longer than any that does
    *(b'{"query":"{ name }","variables":{"n":%s}}' % value for value in (b"0." + b"1" * 31, b"-" + b"9" * 32)),
    *(b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000),
]


@pytest.mark.parametrize("content", MALFORMED_BODIES)
@pytest.mark.parametrize("accept", [LEGACY, MODERN])
async def test_a_malformed_body_is_refused_and_opens_no_context(content: bytes, accept: str) -> None:
    context = {"opened": 0}
    refused = await post(content, accept=accept, context=context)
    assert (refused.status_code, codes(refused)) == (400, ["BAD_REQUEST"])
    assert refused.json().keys() == {"errors"}
    assert context == {"opened": 0}


async def test_as_deep_as_allowed_and_no_deeper() -> None:
    text = '{"query":"{ name }","variables":{"x":%s}}'
    assert (await post((text % ("[" * 62 + "]" * 62)).encode())).status_code == 200
    assert (await post((text % ("[" * 63 + "]" * 63)).encode())).status_code == 400


async def test_as_many_values_as_allowed() -> None:
    content = b'{"query":"{ name }","variables":{"n":[%s]}}' % b",".join([b"[]"] * 24_990)
    assert (await post(content)).status_code == 200


async def test_numbers_may_be_as_long_as_they_mean_something_and_texts_longer() -> None:
    text = '{"query":"{ name }","variables":{"n":%s}}'
    digits = "9" * 5000
    for value in ("-1.7976931348623157e+308", "0." + "1" * 30, f'"{digits}"', f'"\\"{digits}"', f'{{"{digits}":1}}'):
        assert (await post((text % value).encode())).status_code == 200
    assert (await post((text % f'"\\\\",{digits}').encode())).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": ""},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/graphql-response+json"},
        {"content-type": "application/json; charset=gbk"},
        {"content-encoding": "gzip"},
    ],
)
async def test_other_content_is_refused(headers: dict[str, str]) -> None:
    refused = await post({"query": "{ name }"}, headers=headers)
    assert (refused.status_code, codes(refused)) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


async def test_the_charset_may_be_named() -> None:
    response = await post({"query": "{ name }"}, headers={"content-type": 'Application/JSON; charset="UTF-8"'})
    assert response.status_code == 200


async def test_a_body_may_be_as_long_as_allowed_and_no_longer() -> None:
    content = orjson.dumps({"query": "{ name }"})
    assert (await post(content, max_body=len(content))).status_code == 200
    refused = await post(content, max_body=len(content) - 1)
    assert (refused.status_code, codes(refused)) == (413, ["PAYLOAD_TOO_LARGE"])


def no_context(request: Request) -> Never:
    raise AssertionError(f"{request.url} was to be refused before")


class Sending:
    """The receiving end of an endpoint, and what went through it."""

    def __init__(self, *messages: Message, endless: bool = False, stuck: bool = False) -> None:
        self.messages = list(messages)
        self.endless, self.stuck = endless, stuck
        self.taken = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if self.messages:
            self.taken += 1
            return self.messages.pop(0)
        if self.endless:
            self.taken += 1
            return {"type": "http.request", "body": b" " * 1000, "more_body": True}
        if self.stuck:
            await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def through(self, headers: dict[str, str], **settings: Any) -> tuple[int, dict[str, str], str]:
        """The status, the headers and the code of the refusal."""
        raw = [(name.encode(), value.encode()) for name, value in {**JSON, **headers}.items()]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": raw}
        await Endpoint(SCHEMA, no_context, **settings)(scope, self.receive, self.send)
        answered = {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}
        code = orjson.loads(self.sent[1]["body"])["errors"][0]["extensions"]["code"]
        return self.sent[0]["status"], answered, code


@pytest.mark.parametrize("declared", ["1001", "9" * 5000, "0001001"])
async def test_a_declared_length_beyond_the_limit_is_refused_unread(declared: str) -> None:
    sending = Sending(endless=True)
    status, _, code = await sending.through({"content-length": declared}, max_body=1000)
    assert (status, code, sending.taken) == (413, "PAYLOAD_TOO_LARGE", 0)


async def test_who_closes_after_the_answer_is_read_on_or_would_be_reset() -> None:
    sending = Sending(endless=True)
    closing = {"content-length": "10001", "connection": "close"}
    assert (await sending.through(closing, max_body=10_000))[2] == "PAYLOAD_TOO_LARGE"
    assert sending.taken == 10


async def test_an_endless_body_is_cut_off() -> None:
    sending = Sending(endless=True)
    status, headers, code = await sending.through({}, max_body=10_000)
    assert (status, code, headers["connection"]) == (413, "PAYLOAD_TOO_LARGE", "close")
    assert sending.taken == 21  # eleven until it is too long, and ten so that the client may finish


async def test_a_body_that_ends_a_little_late_is_read_to_its_end() -> None:
    chunk = {"type": "http.request", "body": b" " * 600, "more_body": True}
    sending = Sending(chunk, chunk, {**chunk, "more_body": False})
    assert (await sending.through({}, max_body=1000))[2] == "PAYLOAD_TOO_LARGE"
    assert (sending.taken, sending.messages) == (3, [])


async def test_nobody_is_waited_for_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "LINGER_SECONDS", 0.01)
    sending = Sending({"type": "http.request", "body": b" " * 600, "more_body": True}, stuck=True)
    assert (await sending.through({}, max_body=500))[2] == "PAYLOAD_TOO_LARGE"


async def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "SLOWEST_SECONDS", 0.01)
    status, headers, code = await Sending(stuck=True).through({})
    assert (status, code, headers["connection"]) == (408, "REQUEST_TIMEOUT", "close")


async def test_a_request_that_breaks_off_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    assert (await Sending().through({}))[2] == "BAD_REQUEST"
    assert caplog.records == []
