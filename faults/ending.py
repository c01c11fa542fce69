"""SIGTERM while everybody asks: who was taken is answered."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import Final

import httpx

from faults.promises import Findings, Measured
from faults.reading import CARD
from faults.stand import Person, Server, Stand
from faults.submitting import client, upload

CLIENTS: Final = 40
REFUSED: Final = (httpx.ConnectError, httpx.ConnectTimeout)


def ended(stand: Stand) -> Measured:
    """SIGTERM after three seconds of reads and uploads by 40 clients."""
    findings = Findings()
    with stand.server().running() as server:
        told, status, seconds = asyncio.run(_ended(stand, server))
    failed = {name: number for name, number in told.items() if name not in {"answered", "not taken"}}
    findings.hold(not failed, f"requests that were taken failed: {failed}")
    findings.hold(seconds <= 20, f"it took {seconds:.1f} s to end")
    findings.hold(status == 0, f"its exit status was {status}")
    return findings.measured(
        f"{told['answered']} requests answered, {sum(failed.values())} failed; ended after {seconds:.1f} s",
        answered=told["answered"],
        failed=sum(failed.values()),
        seconds=round(seconds, 1),
    )


async def _ended(stand: Stand, server: Server) -> tuple[Counter[str], int, float]:
    told: Counter[str] = Counter()
    asking = [asyncio.create_task(_ask(stand, server.address, person, told)) for person in stand.applicants[:CLIENTS]]
    await asyncio.sleep(3)
    status, seconds = await asyncio.to_thread(server.end, signal.SIGTERM)
    await asyncio.gather(*asking)
    return told, status, seconds


async def _ask(stand: Stand, address: str, person: Person, told: Counter[str]) -> None:
    """Reads and uploads in turn until nobody takes a connection any more."""
    number = person.account_id * 1000
    async with client(address, person) as http:
        while True:
            for request in ({"json": {"query": CARD, "variables": {"id": stand.city}}}, upload(number)):
                number += 1
                try:
                    answer = await http.post("/graphql", **request)
                except REFUSED:
                    told["not taken"] += 1
                    return
                except httpx.TransportError as error:
                    told[type(error).__name__] += 1
                    return
                told["answered" if answer.status_code == 200 else str(answer.status_code)] += 1
