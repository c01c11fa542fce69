"""What to ask for: unions of the planted tree that have what a workload needs, within a viewer's reach."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from typing import Final

from benchmarks.database import Connection
from benchmarks.workloads import Ask

MOST: Final = 100
"""Questions of one viewer in one workload."""

# `md5` shuffles, the same way each time. Of a union that W7 registers under, nothing is asked.
_PICKED: Final = f"and u.id not in (select union_id from benchmark.writer) order by md5(u.id::text) limit {MOST}"
_WITHIN: Final = "u.path >= $1::text::ltree and u.path < ($1 || '0')::ltree"
# A union whose first ten children are all higher-level ones.
_TEN: Final = f"""
u.kind = 'HIGHER_LEVEL' and {_WITHIN} and
(select kind from trade_union c where c.parent_id = u.id order by id offset 9 limit 1) = 'HIGHER_LEVEL'
"""


def _full(union: str, children: int) -> str:
    """Whether this union has so many children, without counting further."""
    return f"(select count(*) = {children} from (select from trade_union where parent_id = {union} limit {children}) x)"


def _first_ten(union: str, condition: str, name: str) -> str:
    first = f"(select id from trade_union where parent_id = {union} order by id limit 10)"
    return f"(select bool_and({condition}) from {first} {name})"


PICKS: Final[Mapping[str, str]] = {
    "W1": f"""
select i.token as code, nlevel(u.path) - 1 as depth from invite i join trade_union u on u.id = i.union_id
 where i.revoked_at is null and {_WITHIN} {_PICKED}""",
    "W2": f"""
select u.id, nlevel(u.path) - 1 as depth from trade_union u
 where u.kind = 'HIGHER_LEVEL' and {_WITHIN} and {_full("u.id", 51)} {_PICKED}""",
    "W3": f"""
select id, depth from (
  select u.id, nlevel(u.path) - 1 as depth,
         row_number() over (partition by nlevel(u.path) order by md5(u.id::text)) as place
    from (select subpath(p.path, 0, level) as path, count(*)
            from registration r join trade_union p on p.id = r.parent_id, generate_series(1, nlevel(p.path)) level
           where r.status = 'PENDING' group by 1 having count(*) > 50) busy
    join trade_union u on u.path = busy.path
   where {_WITHIN} and u.id not in (select union_id from benchmark.writer)) ranked
 where place <= 15""",
    "W4": f"""
select u.id, nlevel(u.path) - 1 as depth from trade_union u
 where u.kind = 'HIGHER_LEVEL' and nlevel(u.path) > 2 and {_WITHIN} {_PICKED}""",
    "W5": f"""
select u.id, nlevel(u.path) - 1 as depth from trade_union u where u.kind = 'GRASSROOTS' and {_WITHIN} {_PICKED}""",
    "W6": rf"""
select u.id, nlevel(u.path) - 1 as depth, said.search
  from trade_union u cross join lateral (
    select left(right(regexp_replace(b.employer_name, '(股份|集团|制造|科技|实业)?有限公司$|厂$', ''), 4), 2) as search
      from trade_union b where b.path >= u.path and b.path < (u.path::text || '0')::ltree and b.kind = 'GRASSROOTS'
     order by md5(b.id::text) limit 1) said
 where u.kind = 'HIGHER_LEVEL' and nlevel(u.path) = 3 and {_WITHIN}
   and (select count(*) from trade_union b where b.path >= u.path and b.path < (u.path::text || '0')::ltree
           and b.name_key like '%' || said.search || '%') between 1 and 20 {_PICKED}""",
    "W8": f"""
select u.id, nlevel(u.path) - 1 as depth from trade_union u
 where {_TEN} and {_first_ten("u.id", _full("c.id", 100), "c")} {_PICKED}""",
    "W9": f"""
select u.id, nlevel(u.path) - 1 as depth from trade_union u
 where {_TEN} and {_first_ten("u.id", _first_ten("c.id", _full("d.id", 10), "d"), "c")} {_PICKED}""",
}

# The administrators of the root and of the first province.
_VIEWERS: Final = """
select p.account_id, u.path::text as top from appointment p join trade_union u on u.id = p.union_id
 where p.account_id in (1, 2) order by p.account_id
"""
_OPEN: Final = """
insert into session (account_id, token_hash, expires_at)
select id, digest, now() + interval '30 days' from unnest($1::bigint[], $2::bytea[]) wanted (id, digest)
on conflict (token_hash) do update set expires_at = excluded.expires_at, ended_at = null
"""


async def pick(connection: Connection, name: str) -> list[Ask]:
    """The questions of a workload, those of its viewers in turns."""
    asked = []
    for account_id, top in await connection.fetch(_VIEWERS):
        token = await sign_in(connection, [account_id])
        rows = [dict(row) for row in await connection.fetch(PICKS[name], top)]
        assert rows, f"nothing to ask for in {name} below {top}"
        asked.append([Ask(token[0], depth=row.pop("depth"), keys=row) for row in rows])
    return [ask for ask in chain.from_iterable(zip_longest(*asked)) if ask is not None]


async def sign_in(connection: Connection, account_ids: Sequence[int]) -> list[str]:
    """Tokens that open these accounts; the same in each run."""
    tokens = [hashlib.sha256(f"benchmark session {account_id}".encode()).hexdigest() for account_id in account_ids]
    digests = [hashlib.sha256(token.encode()).digest() for token in tokens]
    await connection.execute(_OPEN, list(account_ids), digests)
    return tokens
