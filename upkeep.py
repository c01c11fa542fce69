"""The operator's commands that keep what is stored: in order, under its keys, backed up, and as it was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from console import (
    Result,
    bring_up_to_date,
    of_owner,
    plainly,
    progress_bar,
    refuse,
    run,
    say,
    with_database,
    with_resources,
)
from resolvers import backups, housekeeping, keys, record
from resolvers.context import Resources
from resolvers.housekeeping import alone
from storage.backups import Manifest
from storage.chain import Anchor, Broken, Fault
from storage.file_verification import damaged
from storage.settings import Settings
from storage.verification import differences


@click.command()
def sweep() -> None:
    """Delete photos that no form shows, files that no row names and sign-ins that are over, some time after."""
    say(**asdict(_alone(housekeeping.sweep)))


@click.command()
def erase() -> None:
    """Erase what rejected and withdrawn registrations stated, RETENTION_DAYS after the last that happened."""
    say(erased=_alone(housekeeping.erase))


def _alone(work: Callable[[Resources], Awaitable[Result]]) -> Result:
    """Does it unless somebody else keeps house."""

    async def working(resources: Resources) -> Result:
        async with alone(resources) as mine:
            if not mine:
                refuse("另一进程正在清理。 Another process is at it.")
            return await work(resources)

    return run(working)


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Seal every ID number with the first of ID_NUMBER_KEYS, and index it with the first of BLIND_INDEX_KEY.

    The server may work meanwhile, and whatever breaks this off, it can be run again. First restart every server with
    the new key in front and the old one behind it; `droppable` says what may go when this is done.
    """
    rotated = run(keys.rotate_keys, as_owner=True)
    say(**asdict(rotated))
    if rotated.remaining:
        refuse(
            "仍有服务器在用旧密钥，重启后请再运行。 A server still seals with an old key: restart it, run this again."
        )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Back up the database and the certificates to a new folder, while the server serves. Keys are not in it."""
    place = folder.resolve()
    with progress_bar(place.name) as progress:

        async def work(resources: Resources) -> Manifest:
            return await backups.back_up(resources, place, progress)

        made = run(work, as_owner=True)
    _tell(made)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put a backup into an empty database and DATA_DIR, under the keys that it was written with, and verify it."""
    with progress_bar(folder.name) as progress, plainly(), with_database(fresh=False) as settings:

        async def work() -> tuple[Manifest, list[str]]:
            async with with_resources(of_owner(settings)) as resources:
                manifest = await backups.restore(resources, folder, progress)
            await bring_up_to_date(settings)
            return manifest, await _faults(settings, manifest)

        manifest, wrong = asyncio.run(work())
        if wrong:
            refuse("\n".join([*wrong, "已恢复，但有不符。 Restored, but not all of it is as it should be."]))
    _tell(manifest)


def _tell(made: Manifest) -> None:
    unions, registrations = made.rows["trade_union"], made.rows["registration"]
    say(at=made.at, unions=unions, registrations=registrations, certificates=made.certificates, anchor=made.anchor)


async def _faults(settings: Settings, manifest: Manifest) -> list[str]:
    """Everything that is wrong with what was put back."""
    async with with_resources(of_owner(settings)) as resources:
        async with resources.db.standing_still() as session:
            found = (differences(session), damaged(session, resources.files))
            wrong = [f"{one.table} {one.id} {one.what}" for every in found async for one in every]
        await record.verify(resources, [manifest.end_of_record], lambda broken: wrong.append(_broken(broken)))
        return wrong


@click.group()
def audit() -> None:
    """The record of what happened: whether it is what was written, and how it ends."""


@audit.command("verify")
@click.option("--anchor", "anchors", multiple=True, help="What `audit anchor` printed, kept elsewhere since.")
def audit_verify(anchors: tuple[str, ...]) -> None:
    """Follow the chain of events, and report each link that is broken, the first one first."""
    kept = [Anchor.parse(spelled) or refuse(f"{spelled}: 不是锚点。 Not an anchor.") for spelled in anchors]

    def tell(broken: Broken) -> None:
        click.echo(_broken(broken), err=True)

    async def work(resources: Resources) -> record.Audited:
        return await record.verify(resources, kept, tell)

    end, waiting, found = run(work, as_owner=True)
    if found:
        refuse(f"记录有 {found} 处断裂。 Broken places: {found}.")
    say(links=end.position, waiting=waiting, broken=0, anchor=str(end))


@audit.command("anchor")
def audit_anchor() -> None:
    """Print how the chain of events ends, to be kept where the database's administrators cannot write."""
    end = run(record.anchor)
    say(links=end.position, anchor=str(end))


def _broken(found: Broken) -> str:
    zh, en = _BROKEN[found.fault]
    known = {"position": found.position, "event": found.event_id, "by": found.by}
    return f"{zh.format(**known)} {en.format(**known)}"


_BROKEN: Final = {
    Fault.CHANGED: ("第 {position} 环：事件 {event} 被改动。", "Link {position}: event {event} was changed."),
    Fault.REMOVED: ("事件 {event} 被删除。", "Event {event} was removed."),
    Fault.GAP: ("第 {position} 环之前缺环。", "Links before {position} were removed."),
    Fault.UNCHAINED: ("事件 {event} 不在链中。", "Event {event} is not in the chain."),
    Fault.STRANGER: ("事件 {event} 由 {by} 绕过服务器写入。", "Event {event} was written past the server, by {by}."),
    Fault.CUT_OFF: ("链在锚点 {position} 之前终止。", "The chain ends before the anchor at {position}."),
    Fault.KEYLESS: (
        "自第 {position} 环起，用密钥 {by} 生成的环无法核查：BLIND_INDEX_KEY 中没有该密钥。",
        "From link {position} on, those made with the key {by} cannot be verified: BLIND_INDEX_KEY lacks it.",
    ),
    Fault.MADE_ANEW: ("第 {position} 环与锚点不符。", "Link {position} is not the one of the anchor."),
}

COMMANDS = (sweep, erase, rotate_keys, backup, restore, audit)
