"""Whether what is derived says what it is derived from: every path, every tally, computed anew from the parents.

By statements that share nothing with those that keep these (migrations/), or the same mistake would be in both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Difference:
    """A value that is not what it should be. `computed` is None for what hangs on no root."""

    table: str
    id: int
    what: str
    stored: str | None
    computed: str | None


# The tree as the parents alone have it. On the database's disk: it is as long as the tree.
_TREE: Final = """
create temp table verified on commit drop as
with recursive verified (id, path, ancestors, kind, status) as (
    select id, tree_label(id)::ltree, array[id], kind, status from trade_union where parent_id is null
    union all
    select below.id, above.path || tree_label(below.id), above.ancestors || below.id, below.kind, below.status
      from verified above join trade_union below on below.parent_id = above.id
)
select * from verified
"""

_UNIONS: Final = """
select 'trade_union', id, what, stored, computed
  from trade_union left join verified using (id)
 cross join lateral (values
    ('path', trade_union.path::text, verified.path::text),
    ('ancestors', trade_union.ancestors::text, verified.ancestors::text)
 ) compared (what, stored, computed)
 where stored is distinct from computed
"""

_REGISTRATIONS: Final = """
select 'registration', registration.id, what, stored, computed
  from registration left join verified on verified.id = registration.parent_id
 cross join lateral (values
    ('parent_path', registration.parent_path::text, verified.path::text),
    ('ancestors', registration.ancestors::text, verified.ancestors::text)
 ) compared (what, stored, computed)
 where stored is distinct from computed
"""

# Each union is counted at the one above it, each registration at the one applied to; from the third level down
# at all that lie above as well.
_TALLIES: Final = """
with counted as (
    select trim_array(ancestors, 1) as place, kind, status = 'ACTIVE' as active, null as state, count(*) as number
      from verified group by 1, 2, 3
    union all
    select verified.ancestors, null, null, registration.status, count(*)
      from registration join verified on verified.id = registration.parent_id group by 1, registration.status
),
kept as (
    select place[level] as union_id, level = cardinality(place) as directly, kind, active, state, number
      from counted, generate_subscripts(place, 1) as level
     where level = cardinality(place) or level >= 3
),
summed as (
    select union_id,
           sum(number) filter (where directly and kind = 'GRASSROOTS') as children_grassroots,
           sum(number) filter (where directly and kind = 'HIGHER_LEVEL') as children_higher_level,
           sum(number) filter (where active and kind = 'GRASSROOTS') as grassroots,
           sum(number) filter (where active and kind = 'HIGHER_LEVEL') as higher_level,
           sum(number) filter (where state = 'PENDING') as pending,
           sum(number) filter (where state = 'APPROVED') as approved,
           sum(number) filter (where state = 'REJECTED') as rejected
      from kept group by union_id
)
select 'tally', union_id, what, coalesce(stored, 0)::text, coalesce(computed, 0)::text
  from tally full join summed using (union_id)
 cross join lateral (values
    ('children_grassroots', tally.children_grassroots, summed.children_grassroots),
    ('children_higher_level', tally.children_higher_level, summed.children_higher_level),
    ('grassroots', tally.grassroots, summed.grassroots),
    ('higher_level', tally.higher_level, summed.higher_level),
    ('pending', tally.pending, summed.pending),
    ('approved', tally.approved, summed.approved),
    ('rejected', tally.rejected, summed.rejected)
 ) compared (what, stored, computed)
 where coalesce(stored, 0) <> coalesce(computed, 0)
"""

# A transaction adds up its own before it ends, and none sees another's.
_LEFT_OVER: Final = "select 'tally_change', id, 'place', place::text, null from tally_change"

_SIZES: Final = """
select (select count(*) from trade_union), (select count(*) from registration), (select count(*) from tally)
"""


async def differences(session: AsyncSession) -> AsyncIterator[Difference]:
    """Every difference there is, a few at a time however many; of what the session's snapshot shows."""
    await session.execute(text(_TREE))
    await session.execute(text("analyze verified"))
    for compared in (_UNIONS, _REGISTRATIONS, _TALLIES, _LEFT_OVER):
        async for row in await session.stream(text(compared)):
            yield Difference(*row)


async def counted(session: AsyncSession) -> dict[str, int]:
    """How much there is to verify."""
    unions, registrations, tallies = (await session.execute(text(_SIZES))).one()
    return {"unions": unions, "registrations": registrations, "tallies": tallies}
