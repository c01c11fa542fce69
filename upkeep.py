"""The operator's commands that keep what is stored in order: `python server.py sweep`, `erase`, `rotate-keys`."""

from __future__ import annotations

from dataclasses import asdict

import click

from console import refuse, run, say
from resolvers import housekeeping
from resolvers.context import Resources
from resolvers.housekeeping import Swept, alone


@click.command()
def sweep() -> None:
    """Delete photos that no form shows and files that no row names, some time after they came."""

    async def work(resources: Resources) -> Swept:
        async with alone(resources) as mine:
            if not mine:
                refuse("另一进程正在清理。 Another process is at it.")
            return await housekeeping.sweep(resources)

    say(**asdict(run(work)))


@click.command()
def erase() -> None:
    """Erase what rejected and withdrawn registrations stated, RETENTION_DAYS after the last that happened."""

    async def work(resources: Resources) -> int:
        async with alone(resources) as mine:
            if not mine:
                refuse("另一进程正在清理。 Another process is at it.")
            return await housekeeping.erase(resources)

    say(erased=run(work))


COMMANDS = (sweep, erase)
