"""W7: 64 writers register a union and approve it, over and over, each under a union of its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import orjson

from benchmarks import numbers
from benchmarks.client import AnswerError, Script, play, request_of
from benchmarks.database import Connection
from benchmarks.load import Contestant, Sample, summary
from benchmarks.picks import sign_in
from benchmarks.workloads import Workload
from schema.ids import encode_id

WRITING: Final = Workload("W7", "register and approve, 64 writers", "")
PAIRS: Final = 50
"""The most that one writer does in one round."""

REGISTER: Final = """
mutation Register($input: RegisterGrassrootsUnionInput!) {
  registerGrassrootsUnion(input: $input) { registration { id status } errors { code path } }
}
"""
APPROVE: Final = """
mutation Approve($input: ReviewRegistrationInput!) {
  reviewRegistration(input: $input) { registration { id status union { id } } errors { code path } }
}
"""
_WRITERS: Final = """
select w.reviewer_id, w.applicant_id, w.union_id, u.region_code
  from benchmark.writer w join trade_union u on u.id = w.union_id order by w.union_id
"""
# Photos that no registration shows yet; no file is behind them, and none is opened.
_CERTIFICATES: Final = """
with wanted as (select id, generate_series(1, $2::int) as number from unnest($1::bigint[]) id)
insert into certificate (uploaded_by, sha256, media_type, byte_size, width, height)
select id, encode(sha256(('load:' || id || ':' || number)::bytea), 'hex'), 'image/jpeg', 80000, 720, 1010 from wanted
returning uploaded_by, id
"""


@dataclass
class Writer:
    reviewer: str
    applicant: str
    union_id: int
    region: str
    certificates: list[int]


async def round_of(contestant: Contestant, connection: Connection, *, seconds: float) -> Sample:
    """One round: pairs a second, and how long a pair takes."""
    writers = await _ready(connection)
    # Above every number that was planted, and above those of earlier rounds: each made a registration, if no union.
    first = await connection.fetchval(
        "select size * 11 / 100 + (select max(id) from trade_union) + (select max(id) from registration)"
        "  from benchmark.planted"
    )
    fresh, latencies = count(int(first)), list[float]()
    busy, started = contestant.server.busy(), time.perf_counter()
    scripts = [_write(writer, contestant, fresh, started + seconds, latencies) for writer in writers]
    # As the mini-program does: what cannot be answered now is asked again, and its wait counts.
    await play(contestant.server.port, scripts, patience=seconds + 120, again=True)
    return summary(latencies, time.perf_counter() - started, contestant.server.busy() - busy)


async def _ready(connection: Connection) -> list[Writer]:
    rows = await connection.fetch(_WRITERS)
    reviewers = await sign_in(connection, [row["reviewer_id"] for row in rows])
    applicants = await sign_in(connection, [row["applicant_id"] for row in rows])
    photos: dict[int, list[int]] = {row["applicant_id"]: [] for row in rows}
    for uploaded_by, certificate_id in await connection.fetch(_CERTIFICATES, list(photos), PAIRS):
        photos[uploaded_by].append(certificate_id)
    return [
        Writer(reviewer, applicant, row["union_id"], row["region_code"], photos[row["applicant_id"]])
        for row, reviewer, applicant in zip(rows, reviewers, applicants, strict=True)
    ]


def _write(
    writer: Writer, contestant: Contestant, fresh: Iterator[int], deadline: float, latencies: list[float]
) -> Script:
    for certificate_id in writer.certificates:
        started = time.perf_counter()
        if started > deadline:
            return
        form = _form(writer, next(fresh), certificate_id)
        registered = _made((yield _ask(contestant, writer.applicant, REGISTER, form)), "registerGrassrootsUnion")
        verdict = {"registrationId": registered["id"], "round": 1, "decision": "APPROVE"}
        _made((yield _ask(contestant, writer.reviewer, APPROVE, verdict)), "reviewRegistration")
        latencies.append(time.perf_counter() - started)


def _ask(contestant: Contestant, token: str, document: str, given: dict[str, Any]) -> bytes:
    path = "/graphql/" if contestant.name == "stock" else "/graphql"
    return request_of(path, token, {"query": document, "variables": {"input": given}})


def _made(answer: bytes, field: str) -> dict[str, Any]:
    """Raises: AnswerError, if it was refused."""
    payload = orjson.loads(answer)["data"][field]
    if payload["registration"] is None:
        raise AnswerError(f"{field}: {payload['errors']}")
    registration: dict[str, Any] = payload["registration"]
    return registration


def _form(writer: Writer, number: int, certificate_id: int) -> dict[str, Any]:
    mark = hashlib.sha256(str(number).encode()).hexdigest()[:6]
    return {
        "parent": {"unionId": encode_id("Union", writer.union_id)},
        "name": f"新登记{number}{mark}工会委员会",
        "regionCode": writer.region,
        "uscc": numbers.credit_code("81", writer.region, number),
        "employer": {
            "name": f"新登记{number}{mark}",
            "uscc": numbers.credit_code("91", writer.region, number),
            "address": f"工业大道{number % 900}号",
            "contactName": "何敏",
            "contactPhone": "13800138000",
            "staffCount": 120,
        },
        "legalPersonIdNumber": numbers.id_number(writer.region, number % 390_000),
        "certificateId": encode_id("Certificate", certificate_id),
    }
