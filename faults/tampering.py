"""What somebody changes behind the server's back, with all the rights there are."""

from __future__ import annotations

import asyncio
import signal

from faults.crowding import INVITE
from faults.promises import Findings, Measured
from faults.stand import Stand
from faults.submitting import client, upload


def tampered(stand: Stand) -> Measured:
    """One path, one byte of a certificate and one event changed; who finds them, and by which name."""
    findings = Findings()
    found = []
    with stand.server().running() as server:
        asyncio.run(_leave_traces(stand, server.address))
        server.end(signal.SIGTERM)  # which chains the last events
    sound = stand.command("verify")
    findings.hold(sound.returncode == 0, f"verify, before anything was changed: {sound.stderr[-500:]}")

    stand.change("update trade_union set path = '1.2.4' where id = 4")
    photo = _change_a_byte(stand)
    verified = stand.command("verify")
    for named in ("trade_union 4 path", f"certificate {photo} file"):
        findings.hold(named in verified.stderr, f"verify does not name {named}")
        found.append(named)

    sound = stand.command("audit", "verify")
    findings.hold(sound.returncode == 0, f"audit verify, before an event was changed: {sound.stderr[-500:]}")
    [(event,)] = stand.ask("select max(id) - 1 from event")
    stand.change(f"update event set at = at + interval '1 minute' where id = {event}")  # noqa: S608 - our own number
    told = stand.command("audit", "verify")
    findings.hold(told.returncode != 0 and f" {event} " in told.stderr, f"audit verify does not find it: {told.stderr}")
    found.append(f"event {event}")
    return findings.measured(f"found and named: {', '.join(found)}", found=len(found))


async def _leave_traces(stand: Stand, address: str) -> None:
    """A photo and some events, whatever was played before."""
    async with client(address, stand.mayor) as http:
        (await http.post("/graphql", **upload(4711))).raise_for_status()
        for _ in range(3):
            wanted = {"query": INVITE, "variables": {"input": {"unionId": stand.city}}}
            (await http.post("/graphql", json=wanted)).raise_for_status()


def _change_a_byte(stand: Stand) -> int:
    """In the newest certificate's file; its id."""
    [(key, sha256)] = stand.ask("select id, sha256 from certificate order by id desc limit 1")
    assert isinstance(key, int)
    file = stand.data / "certificates" / str(sha256)[:2] / str(sha256)[2:4] / str(sha256)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return key
