"""The application as a whole: numbered answers, faults that tell nothing, and a log without personal data."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.types import Message

from models.event import Happening
from resolvers import invites as codes
from resolvers.founding import create_account
from storage import accounts, certificates, invites
from storage.sign_ins import SignIns
from tests.world import EMPLOYER, World, gid

SECRET = "relation secret_table does not exist"
NUMBER = re.compile(r"[0-9a-f]{16}")
PREFLIGHT = {"graphql-preflight": "1"}


def browser(world: World, **headers: str) -> httpx.AsyncClient:
    """Sees the answer of a fault, as a real one would."""
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://union.test", headers=headers)


async def broken(*_: object, **__: object) -> None:
    raise RuntimeError(SECRET)


def broken_at_once(*_: object) -> None:
    raise RuntimeError(SECRET)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


# ── numbers and health ───────────────────────────────────────────────────────────────────────


async def test_every_answer_has_its_number(world: World) -> None:
    async with browser(world) as http:
        answers = [
            await http.get("/livez"),
            await http.get("/readyz"),
            await http.get("/"),
            await http.get("/nowhere"),
            await http.get("/i/made-up"),
            await http.get("/certificates/1"),
            await http.get("/static/card.css"),
            await http.get("/session"),
            await http.put("/session"),
            await http.post("/session"),
            await http.get("/graphiql"),
            await http.get("/graphql"),
            await http.post("/graphql", json={"query": "{ viewer { account { id } } }"}),
            await http.put("/graphql"),
        ]
    numbers = [answer.headers.get_list("x-request-id") for answer in answers]
    assert all(len(given) == 1 and NUMBER.fullmatch(given[0]) for given in numbers)
    assert len({given[0] for given in numbers}) == len(answers)


async def test_a_client_cannot_choose_its_number(world: World) -> None:
    async with browser(world) as http:
        answer = await http.get("/livez", headers={"x-request-id": "mine"})
    assert answer.headers["x-request-id"] != "mine"


async def test_a_server_without_its_database_lives_but_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(world) as http:
        assert [(await http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]
        monkeypatch.setattr(type(world.resources.db), "revision", broken)
        alive, ready = await http.get("/livez"), await http.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert SECRET not in ready.text


# ── faults ───────────────────────────────────────────────────────────────────────────────────


def told_and_logged(answer: httpx.Response, caplog: pytest.LogCaptureFixture) -> str:
    """The number of a fault that was masked, and logged once under that number."""
    number = answer.headers["x-request-id"]
    assert SECRET not in answer.text and "Traceback" not in answer.text and "RuntimeError" not in answer.text
    assert number in answer.text
    [logged] = errors(caplog)
    assert number in logged.getMessage()
    assert logged.exc_info is not None and SECRET in str(logged.exc_info[1])
    return number


PAGES = [("GET", "/i/AAAAAAAAAAAAAAAAAAAAAA"), ("GET", "/certificates/1"), ("POST", "/session")]


@pytest.mark.parametrize(
    ("language", "sentence"), [("zh-CN", "系统出错了"), ("en", "Something went wrong")], ids=["zh", "en"]
)
@pytest.mark.parametrize(("method", "path"), PAGES, ids=["card", "certificate", "session"])
async def test_a_fault_behind_a_page_is_masked_and_logged_once(  # noqa: PLR0917 - a product of two tables
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    language: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(invites, "by_token", broken)
    monkeypatch.setattr(certificates, "find", broken)
    monkeypatch.setattr(accounts, "claimed", broken)
    async with browser(world, **PREFLIGHT) as http:
        body = {"phone": "13800138000", "password": "correct horse"}
        answer = await http.request(method, path, json=body, headers={"accept-language": language})
    assert answer.status_code == 500
    assert sentence in answer.text
    assert answer.headers["cache-control"] == "no-store"
    told_and_logged(answer, caplog)
    assert "AAAAAAAA" not in caplog.text.replace(f"http://union.test{path}", "")  # a code opens a card: not for the log


async def test_a_fault_behind_a_field_is_masked_and_logged_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(codes, "token_in", broken_at_once)
    async with browser(world) as http:
        query = '{ invite(code: "AAAAAAAAAAAAAAAAAAAAAA") { token } }'
        answer = await http.post("/graphql", json={"query": query})
    number = told_and_logged(answer, caplog)
    [error] = answer.json()["errors"]
    assert answer.status_code == 200 and answer.json()["data"] == {"invite": None}
    assert error["extensions"] == {"code": "INTERNAL", "requestId": number}


async def test_a_fault_before_any_field_is_masked_and_logged_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = await world.person()
    monkeypatch.setattr(SignIns, "by_token", broken)
    async with browser(world, authorization=f"Bearer {person.token}") as http:
        answer = await http.post("/graphql", json={"query": "{ viewer { account { id } } }"})
    number = told_and_logged(answer, caplog)
    [error] = answer.json()["errors"]
    assert answer.status_code == 500 and "data" not in answer.json()
    assert error["extensions"] == {"code": "INTERNAL", "requestId": number}


async def test_a_fault_after_the_answer_began_ends_it(world: World) -> None:
    """An answer that stops half-way must not look whole: the server closes the connection."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            raise RuntimeError(SECRET)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/livez", "headers": [], "query_string": b""}
    with pytest.raises(RuntimeError):
        await world.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


async def test_a_request_that_breaks_off_is_nobodys_fault(world: World, caplog: pytest.LogCaptureFixture) -> None:
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    async def send(_message: Message) -> None:
        return

    headers = [(b"graphql-preflight", b"1")]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/session", "headers": headers, "query_string": b"",
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert errors(caplog) == []


# ── what the log does not hold ───────────────────────────────────────────────────────────────


@asynccontextmanager
async def away(world: World, table: str) -> AsyncIterator[None]:
    """While a table has another name, whoever reads it has a fault."""
    async with world.owner.begin() as connection:
        await connection.execute(text(f"alter table {table} rename to somewhere_else"))
    try:
        yield
    finally:
        async with world.owner.begin() as connection:
            await connection.execute(text(f"alter table somewhere_else rename to {table}"))


async def test_a_fault_of_the_database_shows_its_statement_but_no_values(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with away(world, "account"), browser(world, **PREFLIGHT) as http:
        answer = await http.post("/session", json={"phone": "13800138000", "password": "correct horse"})
    assert answer.status_code == 500
    [logged] = errors(caplog)
    said = caplog.handler.format(logged)
    assert "FROM account" in said
    assert "13800138000" not in said


async def test_a_row_that_the_database_refuses_is_not_quoted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """PostgreSQL's own words for it hold the whole row."""
    with pytest.raises(Exception, match="ck_trade_union_root") as refused:
        async with world.resources.db.writing() as session:
            await session.execute(
                text(
                    "insert into trade_union (id, path, kind, status, name, name_key, former_names, region_code, "
                    "contact_phone) overriding system value values (1, '2.1', 'HIGHER_LEVEL', 'ACTIVE', '某工会', "
                    "'某工会', '{}', '440000', '+8613800138000')"
                )
            )
    logging.getLogger("test").error("it failed", exc_info=refused.value)
    [logged] = errors(caplog)
    assert "Failing row" not in caplog.handler.format(logged)


async def test_nothing_personal_is_logged_from_the_first_scan_to_the_last_approval(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await create_account(world.resources, "13800138000", "王芳", password="correct horse", verified=True)
    city = await world.union("深圳市总工会", region="440300")
    code = await world.invite(city)
    administrator, applicant = await world.administrator(city), await world.person()
    number = "440524188001010014"
    async with browser(world, **PREFLIGHT) as http:
        assert (await http.get(f"/i/{code.token}")).status_code == 200
        signed_in = await http.post("/session", json={"phone": "13800138000", "password": "correct horse"})
        await http.post("/session", json={"phone": "13800138000", "password": "wrong horse"})
        await http.get("/session", headers={"authorization": f"Bearer {applicant.token}"})
    photo = (await applicant.upload())["certificate"]
    refused = await applicant.register(code, legalPersonIdNumber=f"{number[:-1]}5", certificateId=photo["id"])
    assert refused["errors"]
    registration = await applicant.registered(
        code, employer=EMPLOYER, legalPersonIdNumber=number, certificateId=photo["id"]
    )
    await applicant.answer("query($id: ID!) { registration(id: $id) { nothing } }", id=registration)
    revealed = await administrator.do("revealIdNumber", "idNumber", registrationId=registration, reason="核对证件")
    assert revealed["idNumber"] == number
    await administrator.review(registration)
    await administrator.do("createInvite", "invite { token }", unionId=gid(city))

    # The test's own client writes down where it goes.
    said = "\n".join(
        caplog.handler.format(record) for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    personal = {
        "id number": number[:-1],
        "account's phone": "13800138000",
        "applicant's phone": "+86139",
        "employer's phone": EMPLOYER["contactPhone"],
        "password": "correct horse",
        "wrong password": "wrong horse",
        "bearer token": applicant.token,
        "cookie": signed_in.cookies["uniontree_session"],
        "invite": code.token,
        "proof": photo["url"].rpartition("=")[2],
    }
    assert [what for what, value in personal.items() if str(value) in said] == []
    async with world.owner.connect() as connection:
        events = (await connection.execute(text("select action, details::text from event"))).all()
    assert {Happening.REGISTRATION_SUBMITTED, Happening.ID_NUMBER_REVEALED} <= {event.action for event in events}
    kept = "\n".join(event.details for event in events)
    assert [what for what, value in personal.items() if str(value) in kept] == []
