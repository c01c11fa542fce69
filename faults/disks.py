"""Full disks: small file systems in memory, mounted where the photos or the database lie."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import orjson

from faults.promises import Findings, Measured, Skipped
from faults.reading import CARD
from faults.stand import Person, Stand, standing
from faults.submitting import client, upload

NO_ROOM: Final = {503, 507}
INVITE: Final = "mutation($input: CreateInviteInput!) { createInvite(input: $input) { errors { code } } }"


@contextmanager
def small(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of this size in place of the folder while the block runs.

    Raises:
        Skipped: only root may mount, and not even root everywhere.
    """
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        raise Skipped("only root may mount a small file system")
    words = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(folder)]
    made = subprocess.run(words, capture_output=True, check=False)
    if made.returncode:
        raise Skipped("a small file system cannot be mounted in this container")
    try:
        yield
    finally:
        subprocess.run([str(shutil.which("umount")), "--lazy", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """A file that leaves no room beside it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    return filler


def certificates_full(stand: Stand) -> Measured:
    """Uploads while the file system of the photos is full, and when it no longer is."""
    findings = Findings()
    folder = stand.data / "certificates"
    [(newest,)] = stand.ask("select coalesce(max(id), 0) from certificate")
    with small(folder, 4), stand.server(MIN_FREE_BYTES="1000000").running() as server:
        before = asyncio.run(_uploads(server.address, stand.applicants[0], 1))
        filler = fill(folder)
        full = asyncio.run(_uploads(server.address, stand.applicants[0], 20, first=100))
        read = asyncio.run(_read(stand, server.address))
        drafts = len(list((folder / "drafts").iterdir()))
        filler.unlink()
        after = asyncio.run(_uploads(server.address, stand.applicants[0], 1, first=200))
    findings.hold(before == after == Counter(taken=1), f"with room: {dict(before)}, {dict(after)}")
    findings.hold(set(full) == {"refused"}, f"without room: {dict(full)}")
    findings.hold(read == 200, f"a read was answered {read}")
    findings.hold(drafts == 0, f"{drafts} files half written")
    stand.ask("delete from certificate where id > :newest", newest=newest)  # their files are gone
    return findings.measured(
        f"{full['refused']} uploads refused with a code, reads answered, nothing half written, "
        "the next upload taken when there was room",
        refused=full["refused"],
    )


async def _uploads(address: str, person: Person, number: int, first: int = 0) -> Counter[str]:
    told: Counter[str] = Counter()
    async with client(address, person) as http:
        for one in range(first, first + number):
            answer = await http.post("/graphql", **upload(one))
            told[_outcome(answer, "uploadCertificate")] += 1
    return told


def _outcome(answer: httpx.Response, field: str) -> str:
    body = orjson.loads(answer.content)
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    if answer.status_code in NO_ROOM and codes and "INTERNAL" not in codes:
        return "refused"
    payload = (body.get("data") or {}).get(field)
    if payload is None:
        return f"{answer.status_code} {' '.join(codes)}"
    return "refused" if payload["errors"] else "taken"


async def _read(stand: Stand, address: str) -> int:
    async with client(address, stand.mayor) as http:
        answer = await http.post("/graphql", json={"query": CARD, "variables": {"id": stand.other}})
    return answer.status_code if "errors" not in answer.json() else 500


def database_full(stand: Stand) -> Measured:
    """The whole DATA_DIR on a file system of 300 MB that is filled up while ten clients write."""
    findings = Findings()
    folder = stand.data.parent / "full"
    folder.mkdir()
    with small(folder, 300), standing(folder) as other, other.server().running() as server:
        before = asyncio.run(_write(other, server.address, 20))
        filler = fill(folder)
        [(already,)] = other.ask("select count(*) from invite")
        full = asyncio.run(_write(other, server.address, 4000))
        [(written,)] = other.ask("select count(*) from invite")
        read = asyncio.run(_read(other, server.address))
        filler.unlink()
        after = asyncio.run(_write(other, server.address, 20))
        sound = other.command("verify")
    assert isinstance(already, int) and isinstance(written, int)
    findings.hold(before == after == Counter(taken=20), f"with room: {dict(before)}, {dict(after)}")
    findings.hold(set(full) <= {"refused", "taken"}, f"without room: {dict(full)}")
    findings.hold(full["refused"] > 0, "nothing was refused")
    findings.hold(read == 200, f"a read was answered {read}")
    findings.hold(written - already == full["taken"], f"{written - already} written, {full['taken']} acknowledged")
    findings.hold(sound.returncode == 0, f"verify afterwards: {sound.stderr[-300:]}")
    return findings.measured(
        f"{full['refused']} writes refused with a code ({full['taken']} still fitted), reads answered, "
        "all that was acknowledged is there, writes taken again when there was room",
        refused=full["refused"],
        taken=full["taken"],
    )


async def _write(stand: Stand, address: str, number: int) -> Counter[str]:
    """So many codes made by ten clients; they stop at the two hundredth refusal."""
    told: Counter[str] = Counter()
    asked = 0

    async def one(http: httpx.AsyncClient) -> None:
        nonlocal asked
        while asked < number and told["refused"] < 200:
            asked += 1
            wanted = {"query": INVITE, "variables": {"input": {"unionId": stand.city}}}
            answer = await http.post("/graphql", json=wanted)
            told[_outcome(answer, "createInvite")] += 1

    async with client(address, stand.mayor) as http:
        await asyncio.gather(*(one(http) for _ in range(10)))
    return told
