"""What the operator does to lose nothing: backing up, putting back, and holding the record to what was written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import click

from console import (
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
from resolvers import backups, record
from resolvers.context import Resources
from storage.backups import Manifest
from storage.chain import Anchor, Broken, Fault
from storage.settings import Settings
from storage.verification import differences


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
            wrong = [f"{one.table} {one.id} {one.what}" async for one in differences(session)]
        wrong += [_broken(one) async for one in record.verify(resources, [manifest.end_of_record])]
        return wrong + await backups.without_file(resources)


@click.group()
def audit() -> None:
    """The record of what happened: whether it is what was written, and how it ends."""


@audit.command("verify")
@click.option("--anchor", "anchors", multiple=True, help="What `audit anchor` printed, kept elsewhere since.")
def audit_verify(anchors: tuple[str, ...]) -> None:
    """Follow the chain of events, and report each link that is broken, the first one first."""
    kept = [Anchor.parse(spelled) or refuse(f"{spelled}: 不是锚点。 Not an anchor.") for spelled in anchors]

    async def work(resources: Resources) -> tuple[Anchor, int, int]:
        found = 0
        async for broken in record.verify(resources, kept):
            found += 1
            click.echo(_broken(broken), err=True)
        return *(await record.counted(resources)), found

    end, waiting, found = run(work, as_owner=True)
    if found:
        refuse(f"记录有 {found} 处断裂。 The record is broken in {found} places.")
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
    Fault.MADE_ANEW: ("第 {position} 环与锚点不符。", "Link {position} is not the one of the anchor."),
}
