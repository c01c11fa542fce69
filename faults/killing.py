"""The server, and the database under it, killed while forty clients submit."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable

from faults.promises import Findings, Measured
from faults.stand import Stand
from faults.submitting import Submitters
from storage.cluster import ClusterError, running
from storage.files import SHA256

KILLS = 20
SUBMISSIONS = 1000
OF_THE_DATABASE = 3
LONGEST = 240  # seconds of killing: where a start takes long, fewer times than promised are tried, and told


def server_killed(stand: Stand) -> Measured:
    """SIGKILL at 20 random moments during 1,000 submissions from 40 clients that retry with their keys."""
    findings = Findings()
    already = _registrations(stand)
    with stand.server().running() as server:
        load = Submitters(stand, server.address, SUBMISSIONS)

        def kill() -> None:
            server.end(signal.SIGKILL)
            server.start()

        killed = asyncio.run(_meanwhile(load, KILLS, kill))
    load.ledger.check(stand, findings, already)
    swept, before, after = _sweep(stand)
    findings.hold(after == 0 or not swept, f"{after} orphan files after the sweeper")
    sweeper = f"{after} after the sweeper" if swept else "and no sweeper here"
    return findings.measured(
        f"killed {killed} times; {len(load.ledger.acknowledged)} acknowledged, each there once; "
        f"{load.ledger.again.total()} requests sent again; {before} orphan files, {sweeper}",
        kills=killed,
        acknowledged=len(load.ledger.acknowledged),
        sent_again=load.ledger.again.total(),
        orphans=before,
        orphans_after=after,
    )


def database_killed(stand: Stand) -> Measured:
    """SIGKILL of PostgreSQL under the same load; somebody starts it again after a second."""
    findings = Findings()
    already = _registrations(stand)
    back: list[float] = []
    with stand.server().running() as server:
        load = Submitters(stand, server.address, SUBMISSIONS // 2, first=SUBMISSIONS)

        def kill() -> None:
            _kill_postgres(stand)
            time.sleep(1)
            _start_postgres(stand)
            ready, before = time.monotonic(), len(load.ledger.acknowledged)
            while len(load.ledger.acknowledged) == before and time.monotonic() - ready < 30:
                time.sleep(0.01)
            back.append(time.monotonic() - ready)

        asyncio.run(_meanwhile(load, OF_THE_DATABASE, kill))
        findings.hold(server.is_ready(), "the server is not ready afterwards")
    load.ledger.check(stand, findings, already)
    findings.hold(max(back) <= 5, f"serving again only after {max(back):.1f} s")
    return findings.measured(
        f"{len(load.ledger.acknowledged)} acknowledged, each there once; "
        f"the next one at most {max(back):.1f} s after the database was back",
        kills=OF_THE_DATABASE,
        acknowledged=len(load.ledger.acknowledged),
        seconds_back=round(max(back), 2),
    )


def _registrations(stand: Stand) -> int:
    [(number,)] = stand.ask("select count(*) from registration")
    assert isinstance(number, int)
    return number


async def _meanwhile(load: Submitters, times: int, kill: Callable[[], None]) -> int:
    """Plays the load, and kills whenever it has come as far as a random number says; how often that was."""
    moments = sorted(random.sample(range(1, int(load.wanted * 0.95)), times))
    end, killed = time.monotonic() + LONGEST, 0
    playing = asyncio.create_task(load.run())
    for moment in moments:
        while len(load.ledger.acknowledged) < moment and not playing.done():  # noqa: ASYNC110 - looked at, not told
            await asyncio.sleep(0.002)
        if not playing.done() and time.monotonic() < end:
            await asyncio.to_thread(kill)
            killed += 1
    await playing
    return killed


def _kill_postgres(stand: Stand) -> None:
    lock = (stand.cluster.postgres.data / "postmaster.pid").read_text().splitlines()
    os.kill(int(lock[0]), signal.SIGKILL)


def _start_postgres(stand: Stand) -> None:
    """As an operator would, or systemd. The killed one's children take a moment to notice."""
    for _ in range(100):
        try:
            with running(stand.data):
                return
        except ClusterError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL does not come back")


def _sweep(stand: Stand) -> tuple[bool, int, int]:
    """Whether there is a sweeper, and how many files nothing refers to, before and after it."""
    before = _orphans(stand)
    swept = stand.command("sweep", "--help").returncode == 0
    if swept:
        stand.command("sweep", UNUSED_HOURS="0")
    return swept, before, _orphans(stand)


def _orphans(stand: Stand) -> int:
    known = {str(sha256) for (sha256,) in stand.ask("select sha256 from certificate")}
    files = (stand.data / "certificates").rglob("*")
    return sum(SHA256.fullmatch(file.name) is not None and file.name not in known for file in files)
