"""Counts are exact at every commit, whoever writes: compared with counting anew (storage/verification.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from sqlalchemy import select, text, true

from models.treepath import TreePath
from models.union import TradeUnion
from storage import statistics, verification
from storage.sources import UNION
from storage.verification import Difference
from tests.world import EMPLOYER, GRASSROOTS, Client, World, codes, gid


async def differences(world: World) -> list[Difference]:
    async with world.operator.db.standing_still() as session:
        return [found async for found in verification.differences(session)]


async def stated(world: World, union: TradeUnion) -> Any:
    """The statistics as whoever asks for them reads them."""
    rows = UNION.fresh()
    each = statistics.of(rows).correlate(rows.main).lateral()
    async with world.resources.db.reading() as session:
        found = await session.execute(select(each).select_from(rows.main.join(each, true())).where(rows.id == union.id))
        return found.one()


async def numbers(world: World, union: TradeUnion) -> tuple[int, ...]:
    """Unions, grassroots, higher-level; pending, approved, rejected."""
    of = await stated(world, union)
    return (of.unions, of.grassroots, of.higher_level, of.pending, of.approved, of.rejected)


class Chain:
    """One union on each of five levels."""

    def __init__(self, *levels: TradeUnion) -> None:
        self.nation, self.province, self.city, self.county, self.street = self.levels = levels


@pytest.fixture
async def chain(world: World) -> AsyncIterator[Chain]:
    above, levels = None, list[TradeUnion]()
    for name in ("全国", "省", "市", "县", "街道"):
        above = await world.union(name, above)
        levels.append(above)
    yield Chain(*levels)
    assert await differences(world) == []


# ── what each level says ─────────────────────────────────────────────────────────────────────


async def test_every_level_counts_itself_and_all_below(world: World, chain: Chain) -> None:
    await world.union("厂", chain.street, GRASSROOTS)
    await world.union("省直属厂", chain.province, GRASSROOTS)
    found = [(await numbers(world, union))[:3] for union in chain.levels]
    assert found == [(7, 2, 5), (6, 2, 4), (4, 1, 3), (3, 1, 2), (2, 1, 1)]


@pytest.mark.parametrize("level", range(5))
async def test_a_registration_is_counted_from_its_level_up(world: World, chain: Chain, level: int) -> None:
    administrator, applicant = await world.administrator(chain.levels[level]), await world.person()
    one, two, three = [await applicant.registered(chain.levels[level], employer=EMPLOYER) for _ in range(3)]
    waiting = [(await numbers(world, union))[3:] for union in chain.levels]
    assert waiting == [(3, 0, 0)] * (level + 1) + [(0, 0, 0)] * (4 - level)

    await administrator.review(one)
    await administrator.review(two, "REJECT", opinion="重拍")
    await applicant.withdraw(three)
    decided = [(await numbers(world, union))[3:] for union in chain.levels]
    assert decided == [(0, 1, 1)] * (level + 1) + [(0, 0, 0)] * (4 - level)
    assert (await numbers(world, chain.nation))[:3] == (6, 1, 5)

    await applicant.resubmit(two, name="重新提交")
    assert [(await numbers(world, union))[3:] for union in chain.levels[: level + 1]] == [(1, 1, 0)] * (level + 1)


@pytest.mark.parametrize("level", range(5))
async def test_the_oldest_is_told_on_every_level(world: World, chain: Chain, level: int) -> None:
    applicant = await world.person()
    for _ in range(2):
        await applicant.registered(chain.levels[level])
    [oldest] = await world.sql("select min(submitted_at) from registration")
    told = [(await stated(world, union)).oldest_pending_at for union in chain.levels]
    assert told == [oldest] * (level + 1) + [None] * (4 - level)


async def test_a_dissolved_union_is_a_child_and_no_longer_active(world: World, chain: Chain) -> None:
    factory = await world.union("厂", chain.street, GRASSROOTS)
    await world.dissolve(factory)
    assert (await numbers(world, chain.nation))[:3] == (5, 0, 5)
    assert (await numbers(world, factory))[:3] == (0, 0, 0)
    administrator = await world.administrator(chain.street)
    query = "query($id: ID!) { union(id: $id) { children(kind: GRASSROOTS) { totalCount nodes { status } } } }"
    answer = await administrator.ask(query, id=gid(chain.street))
    assert answer == {"children": {"totalCount": 1, "nodes": [{"status": "DISSOLVED"}]}}


# ── whoever writes, in whatever way ──────────────────────────────────────────────────────────

MOVE: Final = """
    update trade_union set path = cast(:to as ltree) || subpath(path, nlevel(cast(:moved as ltree)) - 1),
           parent_id = case when path = cast(:moved as ltree) then cast(:parent as bigint) else parent_id end
     where subpath(path, 0, least(nlevel(cast(:moved as ltree)), nlevel(path))) = cast(:moved as ltree)
"""


@pytest.mark.parametrize("moved", ["county", "city", "province"])
async def test_a_subtree_moves_with_its_counts(world: World, chain: Chain, moved: str) -> None:
    """From below the top of the tree into it, out of it, and within it."""
    applicant = await world.person()
    await applicant.registered(chain.street)
    await applicant.registered(getattr(chain, moved))
    await world.union("厂", chain.street, GRASSROOTS)
    elsewhere = await world.union("另一全国")
    deeper = await world.union("另一市", await world.union("另一省", elsewhere))
    union, last = getattr(chain, moved), (await numbers(world, getattr(chain, moved)))
    place = union.path
    for to in (elsewhere, deeper, chain.nation):
        await world.sql(MOVE, to=str(to.path), moved=str(place), parent=to.id)
        place = to.path.child(union.id)
        assert await differences(world) == []
        assert await numbers(world, union) == last
    assert (await numbers(world, elsewhere))[:3] == (3, 0, 3)


async def test_rows_written_past_the_application_are_counted(world: World, chain: Chain) -> None:
    await world.union("厂", chain.street, GRASSROOTS)
    await (await world.person()).registered(chain.county)
    for statement in (
        "update trade_union set status = 'DISSOLVED', dissolved_at = now() where kind = 'GRASSROOTS'",
        "update registration set status = 'REJECTED'",
        "update registration set status = 'PENDING'",
        "update trade_union set name = name || '！'",
        "delete from trade_union where kind = 'GRASSROOTS'",
    ):
        await world.sql(statement)
        assert await differences(world) == [], statement
    assert await world.rows("tally_change") == 0


async def test_what_is_rolled_back_was_never_counted(world: World, chain: Chain) -> None:
    before = await numbers(world, chain.nation)
    delete = text("update trade_union set status = 'DISSOLVED', dissolved_at = now() where id = :id")
    async with world.owner.connect() as connection:
        await connection.execute(delete, {"id": chain.county.id})
        savepoint = await connection.begin_nested()
        await connection.execute(delete, {"id": chain.street.id})
        await savepoint.rollback()
        await connection.execute(text("set constraints all immediate"))
        await connection.execute(delete, {"id": chain.city.id})
        await connection.commit()
    after = await numbers(world, chain.nation)
    assert (before[0] - after[0], after[2]) == (2, 3)


async def test_a_union_that_is_taken_away_leaves_no_counts(world: World, chain: Chain) -> None:
    factory = await world.union("厂", chain.street, GRASSROOTS)
    await world.sql(
        "delete from trade_union where id in (:factory, :street)", factory=factory.id, street=chain.street.id
    )
    assert await world.sql("select count(*) from tally where union_id = :street", street=chain.street.id) == [0]


async def test_counting_anew_says_the_same(world: World, chain: Chain) -> None:
    await (await world.person()).registered(chain.street)
    kept = await world.sql("select * from tally where tally is distinct from row(union_id,0,0,0,0,0,0,0) order by 1")
    await world.sql("select recount_tallies()")
    assert await world.sql("select * from tally order by 1") == kept


# ── at once ──────────────────────────────────────────────────────────────────────────────────


DISSOLVE: Final = "update trade_union set status = 'DISSOLVED', dissolved_at = now() where kind = 'GRASSROOTS'"
RESTORE: Final = "update trade_union set status = 'ACTIVE', dissolved_at = null where kind = 'GRASSROOTS'"


async def test_writers_at_once_leave_exact_counts(world: World, chain: Chain) -> None:
    """Registering and deciding in every corner of a tree while unions are dissolved and restored."""
    streets = [chain.street, *[await world.union(f"街{n}", chain.county) for n in range(3)]]
    places = [*chain.levels, *streets[1:]]
    reviewer = await world.administrator(chain.nation)
    people = [await world.person() for _ in range(6)]

    async def write(applicant: Client, number: int) -> None:
        for step in range(4):
            place = places[(number + step * 3) % len(places)]
            registration = await applicant.registered(place, employer=EMPLOYER)
            decision: dict[str, Any] = {"opinion": "重拍"} if step % 2 else {}
            answer = await reviewer.review(registration, "REJECT" if step % 2 else "APPROVE", **decision)
            assert codes(answer) == []

    async def dissolve_and_restore() -> None:
        for step in range(12):
            await world.sql(RESTORE if step % 2 else DISSOLVE)

    async with asyncio.timeout(60):
        await asyncio.gather(*(write(person, n) for n, person in enumerate(people)), dissolve_and_restore())
    assert await differences(world) == []
    found = await numbers(world, chain.nation)
    assert found[3:] == (0, 12, 12)
    active = "select count(*) from trade_union where kind = 'GRASSROOTS' and status = 'ACTIVE'"
    assert [found[1]] == await world.sql(active)


DECIDE: Final = text(
    """update registration set status = 'REJECTED' where id in (
         select id from registration where parent_id = :street and id % 2 = :half order by id limit :most)"""
)


async def test_transactions_that_meet_in_other_orders_do_not_wait_for_each_other(world: World, chain: Chain) -> None:
    """Each counts at both streets, the one in one order and the other in the other, and neither is refused."""
    other = await world.union("另一街道", chain.county)
    applicant = await world.person()
    for street in (chain.street, other):
        for _ in range(10):
            await applicant.registered(street)

    async def decide(half: int, *streets: TradeUnion) -> None:
        for most in range(1, 6):
            async with world.owner.begin() as connection:
                for street in streets:
                    await connection.execute(DECIDE, {"street": street.id, "half": half, "most": most})
                    await asyncio.sleep(0.01)

    async with asyncio.timeout(30):
        await asyncio.gather(decide(0, chain.street, other), decide(1, other, chain.street))


# ── many at a time ───────────────────────────────────────────────────────────────────────────


async def test_a_bulk_load_is_counted_once(world: World, chain: Chain) -> None:
    path: TreePath = chain.street.path
    await world.sql(
        """insert into trade_union (id, parent_id, path, kind, status, name, name_key, former_names, region_code,
              employer_name, employer_uscc, employer_address, employer_contact_phone)
           overriding system value
           select n, :parent, (cast(:path as text) || '.' || tree_label(n))::ltree, 'GRASSROOTS', 'ACTIVE', '厂' || n,
                  '厂' || n, '{}', '440300', '厂', '914403', '路1号', '+8613800138000'
             from generate_series(1001, 3000) n""",
        parent=chain.street.id,
        path=str(path),
    )
    assert (await numbers(world, chain.nation))[:3] == (2005, 2000, 5)
    assert await differences(world) == []
