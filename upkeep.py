"""The operator's commands that keep what is stored in order: `python server.py sweep`, `erase`, `rotate-keys`."""

from __future__ import annotations

from dataclasses import asdict

import click

from console import refuse, run, say
from resolvers import housekeeping, keys
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


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Seal every ID number with the first of ID_NUMBER_KEYS, and index it with the first of BLIND_INDEX_KEY.

    The server may work meanwhile, and whatever breaks this off, it can be run again. First restart every server with
    the new key in front and the old one behind it; `droppable` says what may go when this is done.
    """
    rotated = run(keys.rotate_keys)
    say(**asdict(rotated))
    if rotated.remaining:
        refuse(
            "仍有服务器在用旧密钥，重启后请再运行。 A server still seals with an old key: restart it, run this again."
        )


COMMANDS = (sweep, erase, rotate_keys)
