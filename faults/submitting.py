"""Clients that submit as a mini-program does over a bad network: upload, register, and ask again until it is answered.

A ledger has what was acknowledged. It is held against the database afterwards.
"""

from __future__ import annotations

import asyncio
import io
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
from PIL import Image
from stdnum.cn import ric, uscc

from faults.promises import Findings
from faults.stand import Person, Stand

UPLOAD: Final = """mutation($file: Upload!) {
  uploadCertificate(file: $file) { certificate { id } errors { code } } }"""
REGISTER: Final = """mutation($input: RegisterHigherLevelUnionInput!) {
  registerHigherLevelUnion(input: $input) { registration { id } errors { code path } } }"""
GIVING_UP: Final = 600  # seconds after which a submission counts as one that nobody answers


@dataclass
class Ledger:
    """What the clients were told. `acknowledged` has the registration's id by its idempotency key."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    surprises: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)

    def check(self, stand: Stand, findings: Findings, already: int = 0) -> None:
        """Every acknowledged registration is there once, and nothing else is; `already` were there before."""
        [(rows,)] = stand.ask("select count(*) from registration")
        [(keys,)] = stand.ask("select count(*) from idempotency_key where subject_id <> 0")
        distinct = len(set(self.acknowledged.values()))
        findings.hold(not self.surprises, f"clients were told: {dict(self.surprises)}")
        findings.hold(distinct == len(self.acknowledged), "two submissions were answered with one registration")
        findings.hold(rows == distinct + already, f"{rows} registrations for {distinct + already} acknowledged")
        findings.hold(keys == rows, f"{keys} keys for {rows} registrations")


@dataclass
class Submitters:
    """As many clients as there are applicants share so many submissions."""

    stand: Stand
    address: str
    wanted: int
    first: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    taken: int = 0
    uploads: int = 0

    async def run(self) -> None:
        """Returns when each submission is acknowledged, or was answered as it should not be."""
        async with asyncio.TaskGroup() as group:
            for person in self.stand.applicants:
                group.create_task(self.submit_in_turn(person))

    async def submit_in_turn(self, person: Person) -> None:
        async with client(self.address, person) as http:
            while self.taken < self.wanted:
                self.taken += 1
                await self.submit(http, self.first + self.taken)

    async def submit(self, http: httpx.AsyncClient, number: int) -> None:
        key = str(uuid.uuid4())
        try:
            async with asyncio.timeout(GIVING_UP):
                photo = await self.answered(http, "uploadCertificate", **upload(number))
                if photo is None:
                    return
                self.uploads += 1
                wanted = {**form(number), "parent": {"unionId": self.stand.city}, "idempotencyKey": key}
                wanted["certificateId"] = photo["certificate"]["id"]
                body = {"query": REGISTER, "variables": {"input": wanted}}
                made = await self.answered(http, "registerHigherLevelUnion", json=body)
                if made is not None:
                    self.ledger.acknowledged[key] = made["registration"]["id"]
        except TimeoutError:
            self.ledger.surprises["no answer"] += 1

    async def answered(self, http: httpx.AsyncClient, field: str, **request: Any) -> dict[str, Any] | None:
        """The payload, asked for until there is one. None for an answer that is no reason to ask again."""
        while True:
            try:
                answer = await http.post("/graphql", **request)
            except httpx.TransportError as lost:
                self.ledger.again[type(lost).__name__] += 1
                await asyncio.sleep(random.uniform(0.3, 1.0))  # noqa: S311 - spreads, hides nothing
                continue
            told = orjson.loads(answer.content)
            codes = refusals(told, field)
            if answer.status_code == 200 and not codes:
                payload: dict[str, Any] = told["data"][field]
                return payload
            if not is_retryable(told):
                self.ledger.surprises[f"{answer.status_code} {' '.join(codes)}"] += 1
                return None
            self.ledger.again[codes[0]] += 1
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - as above; Retry-After is for the patient


def client(address: str, person: Person) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {person.token}"}
    return httpx.AsyncClient(base_url=address, headers=headers, timeout=30, trust_env=False)


def refusals(answer: Any, field: str) -> list[str]:
    """The codes of an answer, those of its payload included."""
    errors = answer.get("errors") or answer["data"][field]["errors"]
    return [str(error.get("code") or error["extensions"]["code"]) for error in errors]


def is_retryable(answer: Any) -> bool:
    return any(error.get("extensions", {}).get("retryable") for error in answer.get("errors") or ())


def upload(number: int) -> dict[str, Any]:
    """A multipart request, with another picture for each number."""
    operations = orjson.dumps({"query": UPLOAD, "variables": {"file": None}}).decode()
    return {
        "data": {"operations": operations, "map": '{"0": ["variables.file"]}'},
        "files": {"0": ("photo.png", picture(number))},
    }


def picture(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), (number % 256, number // 256 % 256, 99)).save(content, "PNG")
    return content.getvalue()


def form(number: int) -> dict[str, Any]:
    """A sound form, with numbers of its own."""
    code, person = f"89440100MC{number:07}", f"44052419{50 + number // 1000:02}0101{number % 1000:03}"
    return {
        "name": f"第{number}工会",
        "regionCode": "440305",
        "uscc": code + str(uscc.calc_check_digit(code)),
        "legalPersonIdNumber": person + str(ric.calc_check_digit(f"{person}0")),
    }
