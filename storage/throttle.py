"""Limits that hold whichever worker is asked, by the database's clock.

GCRA: of a limit nothing is kept but when all of its permits will be there again. One statement takes permits.
Where many are taken, as by reading cards, a worker takes some at a time and gives them out itself (`spend`): they are
used up whether it gives them out or not, so all workers together never give out more than there are.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from models.limits import Limit, Limited, Limits, Spent
from storage.readers import Readers

# Of a limit's permits, this share is taken at a time; what is not given out for so long is not given out any more.
SHARE: Final = 20
LEASE_SECONDS: Final = 10
# Whoever has many addresses does not make this process remember all of them.
REMEMBERED: Final = 10_000
# How many statements go by between two sweeps, and how many rows one sweep takes.
SWEEP_EVERY: Final = 500
SWEEP_ROWS: Final = 5000

# $1 key, $2 seconds for each permit, $3 seconds for all, $4 how many, $5 how many at least.
_TAKE: Final = """
insert into throttle as held (key, full_at, granted)
values ($1, statement_timestamp() + make_interval(secs => $2::float8 * $4::integer), $4::integer)
on conflict (key) do update set (granted, full_at) = (
    select given, greatest(held.full_at, statement_timestamp()) + make_interval(secs => $2::float8 * given)
    from (
        select case when room >= $5::integer then least(room, $4::integer) else 0 end::integer as given
        from (
            select floor(($3::float8 - greatest(
                extract(epoch from held.full_at - statement_timestamp())::float8, 0)) / $2::float8 + 1e-6) as room
        ) as there
    ) as decided
)
returning granted, extract(epoch from full_at - statement_timestamp())::float8
"""
_GIVE_BACK: Final = (
    "update throttle set full_at = full_at - make_interval(secs => $2::float8 * $3::integer) where key = $1"
)
# By id, not by condition alone: a row that is just being used is left to its user.
_SWEEP: Final = """
delete from throttle where key in (
    select key from throttle where full_at < statement_timestamp() limit $1::integer for update skip locked)
"""

Digest = Callable[[str, bytes], bytes]


@dataclass
class _Lease:
    """Permits in hand, and what was told when they were taken."""

    left: int = 0
    until: float = 0
    # In the database; as it was when last asked.
    behind: int = 0
    full_at: float = 0
    refused_until: float = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Throttle:
    """The limits of one server or command. `digest` is keyed: what is kept names nobody."""

    def __init__(self, counters: Readers, digest: Digest, limits: Limits) -> None:
        self.limits = limits
        self._counters = counters
        self._digest = digest
        self._leases: OrderedDict[tuple[Limited, str], _Lease] = OrderedDict()
        self._asked = 0

    async def take(self, what: Limited, whose: str, cost: int = 1) -> Spent:
        """Exactly this many permits, or none; one statement."""
        limit = self.limits[what]
        cost = min(cost, limit.permits)
        granted, full_in = await self._ask(what, whose, limit, cost, cost)
        return _told(what, limit, granted, cost, full_in)

    async def give_back(self, what: Limited, whose: str, cost: int = 1) -> None:
        await self._counters.ask(_GIVE_BACK, [self._key(what, whose), self.limits[what].each, cost])

    async def spend(self, what: Limited, whose: str, cost: int = 1) -> Spent:
        """The same out of hand, as long as there is something in it, and without asking again what was just refused."""
        lease = self._lease(what, whose)
        found = self._at_hand(lease, what, cost)
        if found is not None:
            return found
        async with lease.asking:  # of many that find it empty, one asks
            return self._at_hand(lease, what, cost) or await self._refill(lease, what, whose, cost)

    def resting(self, what: Limited, whose: str) -> Spent | None:
        """The refusal, if this worker knows that there are no permits; asks nobody."""
        lease = self._leases.get((what, whose))
        now = monotonic()
        return _refused(lease, what, self.limits[what], now) if lease and now < lease.refused_until else None

    def forget(self) -> None:
        """Gives up what is in hand."""
        self._leases.clear()

    def _lease(self, what: Limited, whose: str) -> _Lease:
        key = (what, whose)
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = _Lease()
            if len(self._leases) > REMEMBERED:
                self._leases.popitem(last=False)
        else:
            self._leases.move_to_end(key)
        return lease

    def _at_hand(self, lease: _Lease, what: Limited, cost: int) -> Spent | None:
        now = monotonic()
        limit = self.limits[what]
        if now < lease.refused_until:
            return _refused(lease, what, limit, now)
        if lease.left < cost or now >= lease.until:
            return None
        lease.left -= cost
        return Spent(what, limit, lease.left + lease.behind, max(0.0, lease.full_at - now))

    async def _refill(self, lease: _Lease, what: Limited, whose: str, cost: int) -> Spent:
        limit = self.limits[what]
        cost = min(cost, limit.permits)
        wanted = max(cost, limit.permits // SHARE)
        granted, full_in = await self._ask(what, whose, limit, wanted, cost)
        now = monotonic()
        told = _told(what, limit, granted, cost, full_in)
        lease.behind, lease.full_at = told.left, now + full_in
        if told.wait is not None:
            lease.left, lease.refused_until = 0, now + told.wait
            return told
        lease.left, lease.until = granted - cost, now + LEASE_SECONDS
        return told._replace(left=told.left + lease.left)

    async def _ask(self, what: Limited, whose: str, limit: Limit, wanted: int, least: int) -> tuple[int, float]:
        self._asked += 1
        if self._asked % SWEEP_EVERY == 0:
            await self._counters.ask(_SWEEP, [SWEEP_ROWS])
        arguments = [self._key(what, whose), limit.each, float(limit.seconds), wanted, least]
        [(granted, full_in)] = await self._counters.ask(_TAKE, arguments)
        return granted, max(0.0, full_in)

    def _key(self, what: Limited, whose: str) -> bytes:
        return self._digest("throttle", f"{what}\0{whose}".encode())


def _told(what: Limited, limit: Limit, granted: int, cost: int, full_in: float) -> Spent:
    left = max(0, int((limit.seconds - full_in) / limit.each + 1e-6))
    wait = None if granted >= cost else max(0.0, full_in + cost * limit.each - limit.seconds)
    return Spent(what, limit, left, full_in, wait)


def _refused(lease: _Lease, what: Limited, limit: Limit, now: float) -> Spent:
    return Spent(what, limit, lease.behind, max(0.0, lease.full_at - now), lease.refused_until - now)
