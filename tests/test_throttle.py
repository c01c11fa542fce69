"""Limits: never more permits than there are, whoever asks, by the database's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from models.limits import DEFAULTS, Limit, Limited, Limits, neighbourhood_of, network_of, read_limits
from storage import throttle as storage
from storage.throttle import Throttle
from tests.clock import pass_seconds
from tests.world import World

TEN = {**DEFAULTS, Limited.SEARCH: Limit(10, 100)}
THOUSAND = {**DEFAULTS, Limited.CARD: Limit(1000, 100_000)}


def worker(world: World, limits: Limits) -> Throttle:
    """One of several servers on the same database."""
    resources = world.resources
    return Throttle(resources.db.counters, resources.sealer.digest, limits)


@contextmanager
def asked(world: World) -> Iterator[list[str]]:
    with world.asked() as asked:
        yield (statements := [])
        statements += [text for text, _ in asked]


async def test_permits_are_given_until_there_are_none_and_come_back_one_by_one(world: World) -> None:
    mine = worker(world, TEN)
    left = [(await mine.take(Limited.SEARCH, "somebody")).left for _ in range(10)]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = await mine.take(Limited.SEARCH, "somebody")
    assert refused.wait is not None and 9 < refused.wait <= 10 and refused.left == 0
    assert (await mine.take(Limited.SEARCH, "somebody else")).wait is None
    assert (await mine.take(Limited.UPLOAD, "somebody")).wait is None

    await pass_seconds(world, 10)
    assert (await mine.take(Limited.SEARCH, "somebody")).wait is None
    assert (await mine.take(Limited.SEARCH, "somebody")).wait is not None
    await pass_seconds(world, 1000)
    assert (await mine.take(Limited.SEARCH, "somebody")).left == 9


async def test_asking_for_more_than_there_are_takes_none(world: World) -> None:
    mine = worker(world, TEN)
    await mine.take(Limited.SEARCH, "somebody", 8)
    refused = await mine.take(Limited.SEARCH, "somebody", 3)
    assert refused.wait is not None and refused.left == 2
    assert (await mine.take(Limited.SEARCH, "somebody", 2)).wait is None


async def test_what_is_given_back_can_be_taken_again(world: World) -> None:
    mine = worker(world, TEN)
    await mine.take(Limited.SEARCH, "somebody", 10)
    await mine.give_back(Limited.SEARCH, "somebody", 4)
    assert (await mine.take(Limited.SEARCH, "somebody", 4)).wait is None
    assert (await mine.take(Limited.SEARCH, "somebody")).wait is not None


@pytest.mark.parametrize("way", ["take", "spend"])
async def test_many_workers_at_once_give_out_no_more_than_there_are(world: World, way: str) -> None:
    workers = [worker(world, THOUSAND) for _ in range(3)]
    attempts = [getattr(one, way)(Limited.CARD, "somebody", 3) for one in workers for _ in range(150)]
    given = [spent for spent in await asyncio.gather(*attempts) if spent.wait is None]
    assert 3 * len(given) <= 1000
    assert 3 * len(given) > (990 if way == "take" else 850)


async def test_another_process_goes_on_where_one_ended(world: World) -> None:
    first = worker(world, TEN)
    await first.take(Limited.SEARCH, "somebody", 10)
    assert (await worker(world, TEN).take(Limited.SEARCH, "somebody")).wait is not None


async def test_what_is_in_hand_is_spent_without_a_statement(world: World) -> None:
    mine = worker(world, THOUSAND)
    with asked(world) as statements:
        left = [(await mine.spend(Limited.CARD, "somebody")).left for _ in range(100)]
    assert len(statements) == 2  # fifty at a time
    assert left == list(range(999, 899, -1))


async def test_a_refusal_is_remembered_until_it_is_over(world: World) -> None:
    mine = worker(world, TEN)
    assert mine.resting(Limited.SEARCH, "somebody") is None
    await mine.take(Limited.SEARCH, "somebody", 10)
    assert (await mine.spend(Limited.SEARCH, "somebody")).wait is not None
    with asked(world) as statements:
        again = [await mine.spend(Limited.SEARCH, "somebody") for _ in range(50)]
    assert statements == [] and all(spent.wait and spent.seconds <= 10 for spent in again)
    assert mine.resting(Limited.SEARCH, "somebody") is not None
    await pass_seconds(world, 10)
    mine.forget()
    assert (await mine.spend(Limited.SEARCH, "somebody")).wait is None


async def test_what_has_lain_in_hand_for_long_is_worth_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = worker(world, THOUSAND)
    await mine.spend(Limited.CARD, "somebody")
    later = monotonic() + storage.LEASE_SECONDS + 1
    monkeypatch.setattr(storage, "monotonic", lambda: later)
    with asked(world) as statements:
        spent = await mine.spend(Limited.CARD, "somebody")
    assert len(statements) == 1 and 890 <= spent.left < 950  # the rest of the first fifty is lost


async def test_a_narrower_limit_holds_for_what_was_used_under_a_wider_one(world: World) -> None:
    await worker(world, TEN).take(Limited.SEARCH, "somebody", 10)
    narrower = worker(world, {**TEN, Limited.SEARCH: Limit(2, 10)})
    assert (await narrower.take(Limited.SEARCH, "somebody")).wait is not None


async def test_nobody_fills_the_memory_with_addresses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "REMEMBERED", 5)
    mine = worker(world, TEN)
    for number in range(20):
        await mine.spend(Limited.SEARCH, str(number))
    assert len(mine._leases) == 5


async def test_what_is_full_again_is_swept_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = worker(world, TEN)
    for number in range(3):
        await mine.take(Limited.SEARCH, str(number))
    await pass_seconds(world, 20)
    await mine.take(Limited.SEARCH, "busy")
    monkeypatch.setattr(storage, "SWEEP_EVERY", 5)
    await mine.take(Limited.SEARCH, "another")
    assert await world.rows("throttle") == 2


async def test_the_table_names_nobody(world: World) -> None:
    mine = worker(world, TEN)
    await mine.take(Limited.SIGN_IN, "+8613800138000 network 203.0.113.7/32")
    [row] = await world.sql("select t::text from throttle t")
    assert "13800138000" not in row and "203.0.113" not in row
    [key] = await world.sql("select key from throttle")
    assert len(key) == 32
    other = Throttle(world.resources.db.counters, lambda *_: b"another key", TEN)
    assert other._key(Limited.SIGN_IN, "+8613800138000 network 203.0.113.7/32") != key


# ── whose attempts count together ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "network", "neighbourhood"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "unknown", "unknown"),
        ("1.2.3.4, 5.6.7.8", "unknown", "unknown"),
    ],
)
def test_networks(address: str, network: str, neighbourhood: str) -> None:
    assert (network_of(address), neighbourhood_of(address)) == (network, neighbourhood)


def test_limits_can_be_set() -> None:
    assert read_limits("") == DEFAULTS
    assert read_limits(" card=5/60, search=1/1 ,") == {
        **DEFAULTS,
        Limited.CARD: Limit(5, 60),
        Limited.SEARCH: Limit(1, 1),
    }
    assert {*DEFAULTS} == {*Limited}


@pytest.mark.parametrize(
    "text", ["card", "card=5", "card=0/60", "card=5/0", "cards=5/60", "card=5/60;search=1/1", "off"]
)
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="sign-in-network"):
        read_limits(text)
