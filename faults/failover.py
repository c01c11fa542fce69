"""A primary that is lost, and its synchronous standby that takes over, by the programs of the embedded PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from faults.promises import Findings, Measured
from faults.stand import Stand, planted
from faults.submitting import Submitters
from storage.cluster import NAME, SETTINGS, Cluster, running
from storage.postgres import PORT, Postgres
from storage.settings import generate_secrets, load_settings

SUBMISSIONS = 600


def primary_lost(stand: Stand) -> Measured:
    """SIGKILL of the primary under load; the standby is promoted by hand two seconds later."""
    findings = Findings()
    folder = stand.data.parent / "failover"
    with running(folder / "primary", {"synchronous_standby_names": "*", "synchronous_commit": "local"}) as primary:
        standby = _standby(primary.postgres, folder)
        try:
            return _lost(folder, primary, standby, findings)
        finally:
            if standby.is_alive():
                standby.run("pg_ctl", "stop", f"--pgdata={standby.data}", "--mode=immediate", "--silent")


def _standby(primary: Postgres, folder: Path) -> Postgres:
    """A copy of the primary that follows it. From here on the primary waits for it at each commit."""
    access = primary.data / "pg_hba.conf"
    access.write_text(access.read_text() + "local replication postgres peer map=owner\n")
    primary.psql("select pg_reload_conf();")
    standby = replace(primary, data=folder / "standby")
    where = (f"--host={primary.sockets}", f"--port={PORT}", "--username=postgres", f"--pgdata={standby.data}")
    standby.data.mkdir(mode=0o700)
    if primary.user is not None:
        os.chown(standby.data, primary.user.pw_uid, primary.user.pw_gid)
    primary.run("pg_basebackup", *where, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast")
    standby.start({**SETTINGS, "hot_standby": "on"})
    primary.psql("alter system set synchronous_commit = 'on'; select pg_reload_conf();")
    return standby


def _lost(folder: Path, primary: Cluster, standby: Postgres, findings: Findings) -> Measured:
    after = Cluster(standby, primary.passwords)
    both = "&".join(f"host={quote(str(one.sockets), safe='/')}:{PORT}" for one in (primary.postgres, standby))
    url = f"postgresql://{NAME}:{primary.passwords[NAME]}@/{NAME}?{both}"
    given = {**generate_secrets(), "DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
    settings = load_settings(given)
    there = asyncio.run(planted(folder / "data", settings, primary))
    with there.server(**given).running() as server:
        load = Submitters(there, server.address, SUBMISSIONS)
        back = asyncio.run(_taken_over(load, primary.postgres, standby))
        [(state,)] = replace(there, cluster=after).ask("select count(*) from pg_stat_replication")
    load.ledger.check(there, findings)
    findings.hold(state == 0, "the standby was not promoted")
    return findings.measured(
        f"{len(load.ledger.acknowledged)} acknowledged, each on the new primary; clients saw "
        f"{', '.join(sorted(load.ledger.again)) or 'nothing'} and asked again; "
        f"the next one was acknowledged {back:.1f} s after the promotion",
        acknowledged=len(load.ledger.acknowledged),
        sent_again=load.ledger.again.total(),
        seconds_back=round(back, 2),
    )


async def _taken_over(load: Submitters, primary: Postgres, standby: Postgres) -> float:
    """Seconds from the promotion to the next acknowledged submission."""
    playing = asyncio.create_task(load.run())
    while len(load.ledger.acknowledged) < load.wanted // 3 and not playing.done():  # noqa: ASYNC110 - looked at
        await asyncio.sleep(0.01)
    lock = (primary.data / "postmaster.pid").read_text().splitlines()
    os.kill(int(lock[0]), signal.SIGKILL)
    await asyncio.sleep(2)
    known = len(load.ledger.acknowledged)
    await asyncio.to_thread(standby.run, "pg_ctl", "promote", f"--pgdata={standby.data}", "--wait", "--silent")
    promoted = time.monotonic()
    while len(load.ledger.acknowledged) == known and not playing.done():  # noqa: ASYNC110 - looked at
        await asyncio.sleep(0.01)
    back = time.monotonic() - promoted
    await playing
    return back
