"""What the operator does to keep the registry: holding the record to what was written."""

from __future__ import annotations

from typing import Final

import click

from console import refuse, run, say
from resolvers import record
from resolvers.context import Resources
from storage.chain import Anchor, Broken, Fault


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
