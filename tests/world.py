"""Shorthands of the tests: people, unions, clients. They plant rows directly and ask over HTTP."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from itertools import count
from typing import Any, Final

import httpx
import orjson
import pytest
from PIL import Image
from sqlalchemy import event, func, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.applications import Starlette
from stdnum.cn import ric, uscc

from models.account import Account, Appointment
from models.invite import Invite
from models.kinds import UnionKind
from models.particulars import Employer
from models.permissions import Role
from models.union import TradeUnion
from resolvers.context import Resources
from resolvers.invites import new_token
from schema.ids import encode_id
from storage import accounts, invites, sessions, unions
from storage.database import Database
from storage.deadlines import Deadlines
from storage.readers import Readers
from storage.sessions import Opening

# A union to name by its id, a code, or a ParentInput as it is.
Parent = TradeUnion | Invite | dict[str, str]

FOR_A_DAY: Final = Opening(lasting=timedelta(days=1), idle=timedelta(days=1))

GRASSROOTS: Final = UnionKind.GRASSROOTS
HIGHER_LEVEL: Final = UnionKind.HIGHER_LEVEL

EMPLOYER: Final = {
    "name": "华强电子厂",
    "uscc": "91440300MA5ABCDE0E",
    "address": "深圳市福田区华强北路1号",
    "contactName": "何敏",
    "contactPhone": "13800138000",
    "staffCount": 120,
}


def credit_code(prefix: str, number: int) -> str:
    """A unified social credit code with a true check character."""
    stem = f"{prefix}440100MC1{number:06}"
    return stem + str(uscc.calc_check_digit(stem))


def id_number(number: int) -> str:
    """A resident ID number with a true check character."""
    stem = f"44052419{50 + number // 1000:02}0101{number % 1000:03}"
    return stem + str(ric.calc_check_digit(f"{stem}0"))


def picture(shade: int = 0) -> bytes:
    """A small PNG, another one for every shade."""
    content = io.BytesIO()
    Image.new("RGB", (40, 30), (shade % 256, shade // 256 % 256, 99)).save(content, "PNG")
    return content.getvalue()


def besides_permits(statements: Iterable[str]) -> list[str]:
    """The statements, but for those by which a worker refills its permits now and then, whatever it is asked for."""
    return [one for one in statements if "throttle" not in one]


class World:
    """A served, empty registry. The server has its own role; `owner` is whoever goes past it."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self._numbers = count(1)

    @property
    def resources(self) -> Resources:
        resources: Resources = self.app.state.resources
        return resources

    @cached_property
    def owner(self) -> AsyncEngine:
        # Some tests end every connection.
        return create_async_engine(self.resources.settings.owner_url, pool_pre_ping=True)

    @property
    def operator(self) -> Resources:
        """What a command works with that needs the rights of the schema's owner."""
        return replace(self.resources, db=self._operators)

    @cached_property
    def _operators(self) -> Database:
        settings = self.resources.settings
        return Database(settings.owner_url, pool_size=3, deadlines=Deadlines(statement=settings.statement_timeout))

    async def close(self) -> None:
        await self.owner.dispose()
        await self._operators.close()

    async def person(self, name: str = "陈伟", *, verified: bool = True, phone: str | None = None) -> Client:
        """Somebody with an account, signed in."""
        token = new_token()
        async with self.resources.db.writing() as session:
            account = Account(phone=phone or f"+86139{next(self._numbers):08}", real_name=name)
            if verified:
                account.real_name_verified_at = func.now()
            session.add(account)
            await session.flush()
            await sessions.start(session, account, token, FOR_A_DAY)
        return Client(self, account.id, token)

    async def elsewhere(self, person: Client) -> Client:
        """The same person, signed in on another device."""
        token = new_token()
        async with self.resources.db.writing() as session:
            account = await session.get_one(Account, person.account_id)
            await sessions.start(session, account, token, FOR_A_DAY)
        return Client(self, person.account_id, token)

    def stranger(self, address: str = "127.0.0.1") -> Client:
        """Somebody who has not signed in."""
        return Client(self, 0, None, address=address)

    async def union(
        self,
        name: str,
        under: TradeUnion | None = None,
        kind: UnionKind = HIGHER_LEVEL,
        region: str = "440000",
        uscc: str | None = None,
    ) -> TradeUnion:
        """A node of the tree."""
        async with self.resources.db.writing() as session:
            row = TradeUnion(kind=kind, name=name, region_code=region, uscc=uscc)
            if kind is GRASSROOTS:
                row.employer = Employer("厂", credit_code("91", 1), "路1号", None, "+8613800138000", None)
            await unions.plant(session, row, under)
        return row

    async def appoint(self, person: Client, union: TradeUnion, role: Role = Role.ADMINISTRATOR) -> Appointment:
        async with self.resources.db.writing() as session:
            made, _ = await accounts.appoint(session, person.account_id, union.id, role, None)
        return made

    async def administrator(self, union: TradeUnion, name: str = "王芳") -> Client:
        """A new person who administers the union."""
        person = await self.person(name)
        await self.appoint(person, union)
        return person

    async def invite(self, union: TradeUnion, **limits: Any) -> Invite:
        async with self.resources.db.writing() as session:
            return await invites.add(session, Invite(token=new_token(), union_id=union.id, **limits))

    async def dissolve(self, union: TradeUnion) -> None:
        await self.sql("update trade_union set status = 'DISSOLVED', dissolved_at = now() where id = :id", id=union.id)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """What a statement of the test's own gives, past the server: rows, or the values of a single column."""
        async with self.owner.begin() as connection:
            found = await connection.execute(text(statement), values)
            if not found.returns_rows:
                return []
            return list(found.scalars()) if len(found.keys()) == 1 else [tuple(row) for row in found]

    async def rows(self, table: str) -> int:
        """How many rows a table holds: what was written, and what was not."""
        async with self.owner.connect() as connection:
            found = await connection.exec_driver_sql(f"select count(*) from {table}")  # noqa: S608 - our own tables
            return int(found.scalar_one())

    async def fingerprint(self) -> str:
        """Equal before and after something that must leave the database as it was."""
        digest = hashlib.sha256()
        async with self.owner.connect() as connection:
            names = await connection.exec_driver_sql(
                # What is used up of limits is no change: a refused attempt counts.
                "select tablename from pg_tables where schemaname = 'public' "
                "and tablename not in ('region', 'throttle') order by 1"
            )
            for name in names.scalars().all():
                rows = await connection.exec_driver_sql(f"select t::text from {name} t order by 1")  # noqa: S608 - as above
                digest.update("\n".join([name, *rows.scalars().all()]).encode())
        return digest.hexdigest()

    @contextmanager
    def counted(self, by: AsyncEngine | None = None) -> Iterator[list[str]]:
        """The statements sent to PostgreSQL meanwhile."""
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        asked_of = [by] if by else [self.resources.db.engine, self.resources.db.read_engine]
        engines = [one.sync_engine for one in asked_of]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            with self.asked() as asked:
                yield sent
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
            sent += [text for text, _ in asked]

    @contextmanager
    def asked(self) -> Iterator[list[tuple[str, Sequence[Any]]]]:
        """The statements sent meanwhile by the readers, with what was bound in them."""
        found: list[tuple[str, Sequence[Any]]] = []
        ask = Readers.ask

        async def noted(readers: Readers, text: str, arguments: Sequence[Any]) -> list[Sequence[Any]]:
            found.append((text, arguments))
            return await ask(readers, text, arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Readers, "ask", noted)
            yield found

    def form(self, parent: Parent, certificate: str, **changes: Any) -> dict[str, Any]:
        """A sound form of a higher-level union, under a union by its id or by its code."""
        number = next(self._numbers)
        if isinstance(parent, dict):
            where = parent
        else:
            where = {"inviteCode": parent.token} if isinstance(parent, Invite) else {"unionId": gid(parent)}
        return {
            "parent": where,
            "name": f"第{number}工会",
            "regionCode": "440305",
            "uscc": credit_code("89", number),
            "legalPersonIdNumber": id_number(number),
            "certificateId": certificate,
            **changes,
        }


def gid(row: object) -> str:
    """The global id of a row."""
    name = type(row).__name__.replace("TradeUnion", "Union")
    return encode_id(name, row.id)  # type: ignore[attr-defined]


@dataclass
class Client:
    """Somebody asking over HTTP."""

    world: World
    account_id: int
    token: str | None
    language: str = "zh-CN"
    address: str = "127.0.0.1"
    _shades: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def gid(self) -> str:
        return encode_id("Account", self.account_id)

    def http(self) -> httpx.AsyncClient:
        headers = {"accept-language": self.language}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        transport = httpx.ASGITransport(self.world.app, client=(self.address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://union.test", headers=headers)

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors and all."""
        async with self.http() as http:
            response = await http.post("/graphql", json={"query": query, "variables": variables})
        answer: dict[str, Any] = orjson.loads(response.content)
        return answer

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer that must have no errors; of a single root field, what it holds."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data = answer["data"]
        return next(iter(data.values())) if len(data) == 1 else data

    async def do(self, mutation: str, selection: str, **wanted: Any) -> dict[str, Any]:
        """The payload of a mutation with this input, its errors included."""
        name = mutation[0].upper() + mutation[1:]
        answer = f"{{ {selection} errors {{ code path message }} }}"
        query = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {answer} }}"
        payload: dict[str, Any] = await self.ask(query, input=wanted)
        return payload

    async def upload(self, content: bytes | None = None) -> dict[str, Any]:
        """The payload of an upload, as wx.uploadFile sends it."""
        query = """mutation($file: Upload!) { uploadCertificate(file: $file) {
            certificate { id mediaType width height byteSize sha256 url } errors { code path message } } }"""
        operations = orjson.dumps({"query": query, "variables": {"file": None}}).decode()
        async with self.http() as http:
            response = await http.post(
                "/graphql",
                data={"operations": operations, "map": '{"0": ["variables.file"]}'},
                files={"0": ("photo.png", content or picture(next(self._shades)))},
            )
        payload: dict[str, Any] = orjson.loads(response.content)["data"]["uploadCertificate"]
        return payload

    async def certificate(self) -> str:
        """The id of a new upload."""
        return str((await self.upload())["certificate"]["id"])

    async def register(self, parent: Parent, **changes: Any) -> dict[str, Any]:
        """The payload of registering a higher-level union, or a grassroots one if an employer is given."""
        certificate = changes.pop("certificateId", None) or await self.certificate()
        form = self.world.form(parent, certificate, **changes)
        mutation = "registerGrassrootsUnion" if "employer" in form else "registerHigherLevelUnion"
        return await self.do(mutation, "registration { id status statusLabel round name }", **form)

    async def registered(self, parent: Parent, **changes: Any) -> str:
        """The id of a registration that was received."""
        payload = await self.register(parent, **changes)
        assert payload["errors"] == [], payload
        return str(payload["registration"]["id"])

    async def resubmit(self, registration: str, **changes: Any) -> dict[str, Any]:
        """The payload of a resubmission that changes only this."""
        selection = "registration { id status round name }"
        return await self.do("resubmitRegistration", selection, registrationId=registration, **changes)

    async def withdraw(self, registration: str) -> dict[str, Any]:
        return await self.do("withdrawRegistration", "registration { id status }", registrationId=registration)

    async def review(self, registration: str, decision: str = "APPROVE", **wanted: Any) -> dict[str, Any]:
        """The payload of a decision on round 1, unless told otherwise."""
        return await self.do(
            "reviewRegistration",
            "registration { id status round union { id name path } }",
            registrationId=registration,
            decision=decision,
            **{"round": 1, **wanted},
        )


def codes(payload: Mapping[str, Any]) -> list[str]:
    """The codes of a payload's errors, in order."""
    return [error["code"] for error in payload["errors"]]


def told(payload: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Code and path of each of a payload's errors."""
    return {(error["code"], ".".join(error["path"])) for error in payload["errors"]}
