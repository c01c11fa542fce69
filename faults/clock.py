"""A server whose clock is an hour off, by libfaketime; the database keeps its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from faults.promises import Findings, Measured, Skipped
from faults.stand import Person, Stand
from faults.submitting import client, upload

INVITE: Final = "query($code: String!) { invite(code: $code) { status } }"


def library() -> Path:
    """
    Raises:
        Skipped: libfaketime is not installed.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise Skipped("libfaketime is not here: apt install faketime")
    return found[0]


def shifted(stand: Stand) -> Measured:
    """What expires, asked of servers whose clocks are right, an hour ahead, and an hour behind."""
    preload = str(library())
    findings = Findings()
    _plant(stand)
    answers: dict[str, Mapping[str, Any]] = {}
    for name, offset in (("right", None), ("ahead", "+3600"), ("behind", "-3600")):
        faked = {"LD_PRELOAD": preload, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if offset else {}
        with stand.server(LINK_SECONDS="2", **faked).running() as server:
            answers[name] = asyncio.run(_asked(stand, server.address))
    for name in ("ahead", "behind"):
        changed = {what for what, told in answers["right"].items() if answers[name][what] != told}
        findings.hold(not changed, f"with a clock an hour {name} another answer for {', '.join(sorted(changed))}")
    findings.hold(answers["right"] == EXPECTED, f"with a clock that is right: {answers['right']}")
    return findings.measured(
        f"{len(EXPECTED)} questions about sign-ins, codes and links that expire or have expired: the same answers",
        questions=len(EXPECTED),
    )


EXPECTED: Final[Mapping[str, Any]] = {
    "a sign-in that ends in ten minutes": True,
    "a sign-in that ended ten minutes ago": False,
    "a code that ends in ten minutes": "OPEN",
    "a code that ended ten minutes ago": "EXPIRED",
    "a link of two seconds, at once": 200,
    "a link of two seconds, later": 404,
}


def _plant(stand: Stand) -> None:
    """Somebody whose sign-in has expired, somebody whose does soon, and such codes."""
    for person, minutes in zip(stand.applicants[-2:], (10, -10), strict=True):
        stand.ask(
            "update session set created_at = now() - interval '1 day', "
            "expires_at = now() + make_interval(mins => :minutes) where account_id = :id",
            minutes=minutes,
            id=person.account_id,
        )
        stand.ask(
            "insert into invite (token, union_id, uses, expires_at, created_at) "
            "values (:token, 2, 0, now() + make_interval(mins => :minutes), now() - interval '1 day')",
            token=_code(minutes),
            minutes=minutes,
        )


def _code(minutes: int) -> str:
    return ("AAAAAAAAAAAAAAAAAAAAAA" if minutes > 0 else "BBBBBBBBBBBBBBBBBBBBBA")[:22]


async def _asked(stand: Stand, address: str) -> dict[str, Any]:
    soon, past = stand.applicants[-2:]
    mayor = stand.applicants[0]
    async with client(address, mayor) as http:
        answer = await http.post("/graphql", **_upload())
        url = httpx.URL(answer.json()["data"]["uploadCertificate"]["certificate"]["url"])
    async with httpx.AsyncClient(base_url=address, trust_env=False) as anybody:
        at_once = (await anybody.get(url.raw_path.decode())).status_code
        time.sleep(3.1)  # noqa: ASYNC251 - nothing else goes on
        later = (await anybody.get(url.raw_path.decode())).status_code
        codes = [await _invite(anybody, minutes) for minutes in (10, -10)]
    signed_in = [await _signed_in(address, person) for person in (soon, past)]
    return dict(zip(EXPECTED, (*signed_in, *codes, at_once, later), strict=True))


def _upload() -> dict[str, Any]:
    request = upload(77)
    request["data"]["operations"] = request["data"]["operations"].replace("certificate { id }", "certificate { url }")
    return request


async def _invite(http: httpx.AsyncClient, minutes: int) -> str:
    asked = {"query": INVITE, "variables": {"code": _code(minutes)}}
    return str((await http.post("/graphql", json=asked)).json()["data"]["invite"]["status"])


async def _signed_in(address: str, person: Person) -> bool:
    async with client(address, person) as http:
        return (await http.get("/session")).json()["account"] is not None
