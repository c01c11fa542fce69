"""`make faults`: every promise of docs/reliability.md, tried. Exit status 1 if one is broken."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from faults import clock, crowding, disks, ending, failover, killing, report, tampering
from faults.promises import Measured, Skipped
from faults.report import Row
from faults.stand import Stand, standing

Scenario = Callable[[Stand], Measured]

# In this order: the first ones leave registrations, the last ones damage.
SCENARIOS: Final[dict[str, tuple[str, str, Scenario]]] = {
    "server-killed": (
        "the server killed with SIGKILL at 20 random moments during 1,000 submissions from 40 clients that retry",
        "every acknowledged registration is there once, none twice, no orphan file after the sweeper",
        killing.server_killed,
    ),
    "database-killed": (
        "PostgreSQL killed with SIGKILL three times under the same load",
        "the same, and serving again ≤ 5 s after it is back",
        killing.database_killed,
    ),
    "primary-lost": (
        "a primary lost with a synchronous standby that is promoted by hand",
        "no acknowledged registration lost; clients only see retryable errors",
        failover.primary_lost,
    ),
    "locked-row": ("60 writers queueing on one locked row", "unrelated reads' p99 ≤ 500 ms", crowding.locked_row),
    "certificates-full": (
        "the disk of the certificates full",
        "coded refusals, reads go on, nothing half-written, recovers by itself",
        disks.certificates_full,
    ),
    "database-full": (
        "the database's disk full",
        "coded refusals, reads go on, nothing half-written, recovers by itself",
        disks.database_full,
    ),
    "ended": ("SIGTERM under load", "no request that was accepted fails; exit ≤ 20 s", ending.ended),
    "clock": ("the server's clock an hour off", "nothing changes: expiry is the database's", clock.shifted),
    "attacked": (
        "an attack document or body in each second while 32 clients read",
        "their p99 grows by at most 2 ×",
        crowding.attacked,
    ),
    "tampered": (
        "one event, one certificate's byte, one path changed behind the server's back",
        "found by `verify` and `audit verify`, named",
        tampering.tampered,
    ),
}


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(SCENARIOS)))
@click.option("--json", "summary", type=click.Path(path_type=Path), help="Where to write the figures as JSON.")
@click.option("--write", is_flag=True, help="Write the figures into docs/reliability.md.")
def main(names: Sequence[str], summary: Path | None, write: bool) -> None:  # noqa: FBT001 - click's way
    begun = time.monotonic()
    rows = []
    # Where PostgreSQL's own user may go, and short enough for a socket.
    with tempfile.TemporaryDirectory(prefix="uniontree-faults-") as folder, standing(Path(folder)) as stand:
        for name in names or SCENARIOS:
            rows.append(_played(name, stand))
            click.echo(report.line(rows[-1]))
            if rows[-1].is_broken and stand.log.exists():
                click.echo(stand.log.read_text()[-4000:], err=True)
    took = time.monotonic() - begun
    click.echo(f"{sum(row.is_broken for row in rows)} broken of {len(rows)}, in {took:.0f} s")
    if summary is not None:
        summary.write_text(report.as_json(rows, took))
    if write:
        report.write(rows)
    sys.exit(any(row.is_broken for row in rows))


def _played(name: str, stand: Stand) -> Row:
    fault, promise, scenario = SCENARIOS[name]
    begun = time.monotonic()
    try:
        measured: Measured | str = scenario(stand)
    except Skipped as why:
        measured = str(why)
    return Row(name, fault, promise, measured, time.monotonic() - begun)


if __name__ == "__main__":
    main()
