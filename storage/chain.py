"""Events in a chain: each link is a keyed hash of the link before it and of its event, so that a change shows.

Links are made once events are committed, a few moments later, by one server at a time: no writer waits for another.
The key is the server's, so that whoever has the database alone cannot make a chain that fits; each link names its
key, which may be replaced by another for the links to come. What the end of the chain was can be kept elsewhere (an
anchor): only that shows that the end was cut off.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Text, cast, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.event import Event, EventLink, EventWaiting
from storage.locks import Turn, is_free
from storage.readers import Readers
from storage.sealing import Sealer

# Few enough that a pass takes milliseconds.
_AT_ONCE: Final = 500
_START: Final = bytes(32)

# All that an event says: a column that is added to it has to be added here, for the events from then on.
_SAID: Final = (
    Event.id,
    cast(func.extract("epoch", Event.at) * 1_000_000, BigInteger).label("at"),
    cast(Event.action, Text).label("action"),
    Event.actor_id,
    Event.union_id,
    cast(Event.path, Text).label("path"),
    Event.registration_id,
    Event.details,
)


@dataclass(frozen=True)
class Anchor:
    """How the chain ended at some time: what has this, notices if the end is cut off or made anew."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"

    @classmethod
    def parse(cls, spelled: str) -> Anchor | None:
        """None for what is not an anchor."""
        found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", spelled)
        return found and cls(int(found[1]), bytes.fromhex(found[2]))


class Fault(Enum):
    """What can be wrong with the record."""

    CHANGED = "changed"  # an event, or its link
    REMOVED = "removed"  # an event whose link is there, or that waited for one
    GAP = "gap"  # links, before the one at this position
    UNCHAINED = "unchained"  # an event without a link that does not wait for one either
    STRANGER = "stranger"  # written by somebody who may write everything
    CUT_OFF = "cut off"  # the chain ends before the anchor
    KEYLESS = "keyless"  # a link, and others behind it, made with a key that is not among those given
    MADE_ANEW = "made anew"  # at the anchor's position is another link


@dataclass(frozen=True)
class Broken:
    """A place where the record is not what was written."""

    fault: Fault
    position: int | None
    event_id: int | None
    by: str | None = None  # whom a stranger is called, which key is missing


async def anything_waits(readers: Readers) -> bool:
    """Whether there is something to chain. Asked each second, mostly in vain, so it is the cheapest of questions."""
    [row] = await readers.ask("select exists (select from event_waiting)", [])
    return bool(row[0])


async def chain(session: AsyncSession, sealer: Sealer) -> int:
    """Chains some of the events that wait, in the order of their numbers; 0 if there are none, or another is at it."""
    if not await is_free(session, Turn.CHAINING):
        return 0
    end = await anchor(session)
    waiting = select(*_SAID, EventWaiting.stranger).join(EventWaiting, EventWaiting.event_id == Event.id)
    rows = (await session.execute(waiting.order_by(EventWaiting.event_id).limit(_AT_ONCE))).all()
    position, before, key = end.position, end.hash, sealer.index_names[0]
    links: list[dict[str, Any]] = []
    for row in rows:
        position += 1
        before = _hash(sealer, key, before, position, row)
        made = {"position": position, "event_id": row.id, "stranger": row.stranger, "key": key, "hash": before}
        links.append(made)
    if links:
        await session.execute(insert(EventLink), links)
        await session.execute(delete(EventWaiting).where(EventWaiting.event_id.in_([row.id for row in rows])))
    return len(links)


async def anchor(session: AsyncSession) -> Anchor:
    """The end of the chain; of an empty one, its start."""
    last = select(EventLink.position, EventLink.hash).order_by(EventLink.position.desc()).limit(1)
    row = (await session.execute(last)).one_or_none()
    return Anchor(row.position, row.hash) if row else Anchor(0, _START)


async def keys(session: AsyncSession) -> list[str]:
    """The names of the keys that links were made with: without them these cannot be verified."""
    return sorted(await session.scalars(select(EventLink.key).distinct()))


async def waiting(session: AsyncSession) -> int:
    """How many events are not chained yet."""
    return await session.scalar(select(func.count()).select_from(EventWaiting)) or 0


async def breaks(session: AsyncSession, sealer: Sealer, anchors: list[Anchor]) -> AsyncIterator[Broken]:
    """Everything that is wrong with the record, the first broken link first; of what the session's snapshot shows."""
    links = select(EventLink.position, EventLink.event_id, EventLink.stranger, EventLink.key, EventLink.hash, *_SAID)
    links = links.outerjoin(Event, Event.id == EventLink.event_id).order_by(EventLink.position)
    end = Anchor(0, _START)
    kept = {one.position: {other.hash for other in anchors if other.position == one.position} for one in anchors}
    kept.pop(0, None)
    lacking: set[str] = set()
    async for row in await session.stream(links, execution_options={"yield_per": _AT_ONCE}):
        for fault in _faults(sealer, end, row):
            yield Broken(fault, row.position, row.event_id, row.stranger)
        if row.key not in {*sealer.index_names, *lacking}:
            lacking.add(row.key)
            yield Broken(Fault.KEYLESS, row.position, row.event_id, row.key)
        if kept.pop(row.position, {row.hash}) != {row.hash}:
            yield Broken(Fault.MADE_ANEW, row.position, row.event_id)
        end = Anchor(row.position, row.hash)
    for position in kept:
        yield Broken(Fault.CUT_OFF if position > end.position else Fault.GAP, position, None)
    async for broken in _loose(session):
        yield broken


def _faults(sealer: Sealer, before: Anchor, row: Any) -> Iterator[Fault]:
    """What is wrong with a link, after the one before it."""
    whole = row.position == before.position + 1
    if not whole:
        yield Fault.GAP
    if row.id is None:
        yield Fault.REMOVED
    # What came before a gap is not known, so the link behind it proves nothing.
    elif whole and row.key in sealer.index_names and row.hash != _hash(sealer, row.key, before.hash, row.position, row):
        yield Fault.CHANGED
    if row.stranger is not None:
        yield Fault.STRANGER


async def _loose(session: AsyncSession) -> AsyncIterator[Broken]:
    """What is wrong with events that no link holds."""
    linked = select(EventLink.position).where(EventLink.event_id == Event.id).exists()
    noted = select(EventWaiting.event_id).where(EventWaiting.event_id == Event.id).exists()
    for event_id in await session.scalars(select(Event.id).where(~linked, ~noted).order_by(Event.id)):
        yield Broken(Fault.UNCHAINED, None, event_id)
    waits = select(EventWaiting.event_id, EventWaiting.stranger, Event.id)
    waits = waits.outerjoin(Event, Event.id == EventWaiting.event_id).order_by(EventWaiting.event_id)
    for row in await session.execute(waits):
        if row.id is None:
            yield Broken(Fault.REMOVED, None, row.event_id)
        if row.stranger is not None:
            yield Broken(Fault.STRANGER, None, row.event_id, row.stranger)


def _hash(sealer: Sealer, key: str, before: bytes, position: int, row: Any) -> bytes:
    said = [position, row.stranger, *(getattr(row, column.key) for column in _SAID)]
    return sealer.digest_by(key, "event", before + orjson.dumps(said, option=orjson.OPT_SORT_KEYS))
