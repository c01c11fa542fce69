"""What is wrong with the rows of an import as a whole: about one another, and about the tree.

Asked after storage/planting.py has placed them. What is wrong with a cell by itself was noted when it was read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem
from models.roll import Fault
from models.treepath import MAX_DEPTH

# Each finds (line, column, the line of the other row) of the rows that are refused with its problem.
_CHECKS: Final[tuple[tuple[Problem, str], ...]] = (
    (
        Problem(Code.INVALID, why="repeated", params={"line": 0}),
        """
        select line, 'ref', first from (
            select line, min(line) over (partition by ref) as first from incoming where ref is not null) row
         where line > first
        """,
    ),
    (
        Problem(Code.NOT_FOUND, why="parent_ref"),
        """
        select line, 'parent_ref', null from linked join incoming row using (line)
         where row.parent_ref is not null and linked.parent_line is null
        """,
    ),
    (
        Problem(Code.NOT_FOUND),
        """
        select line, 'parent_path', null from incoming row
         where row.parent_path is not null and not exists (
               select from trade_union place where place.path = row.parent_path::ltree)
        """,
    ),
    (
        Problem(Code.CYCLE, why="in_file"),
        "select line, 'parent_ref', null from linked where line not in (select line from placed)",
    ),
    (
        Problem(Code.INVALID, why="deepest"),
        f"select line, 'parent_ref', null from placed where depth > {MAX_DEPTH}",  # noqa: S608 - a constant
    ),
    (
        Problem(Code.PARENT_IS_GRASSROOTS),
        """
        select placed.line, 'parent_ref', null
          from linked placed join incoming above on above.line = placed.parent_line where above.kind = 'GRASSROOTS'
        union all
        select placed.line, 'parent_path', null from placed join trade_union above on above.id = placed.parent_id
         where placed.parent_line is null and above.kind = 'GRASSROOTS'
        """,
    ),
    (
        Problem(Code.PARENT_DISSOLVED),
        """
        select placed.line, 'parent_path', null from placed join trade_union above on above.id = placed.parent_id
         where placed.parent_line is null and above.status = 'DISSOLVED'
        """,
    ),
    (
        Problem(Code.REQUIRED, why="parent"),
        """
        select line, 'parent_ref', null from linked join incoming row using (line)
         where linked.parent_line is null and linked.parent_id is null and not linked.lost and row.kind = 'GRASSROOTS'
        """,
    ),
    (
        Problem(Code.USCC_TAKEN, why="in_file", params={"line": 0}),
        """
        select line, 'uscc', first from (
            select line, min(line) over (partition by uscc) as first from incoming where uscc is not null) row
         where line > first
        """,
    ),
    (
        Problem(Code.NAME_TAKEN, why="in_file", params={"line": 0}),
        """
        select line, 'name', first from (
            select line, min(line) over (
                       partition by placed.parent_id, case when placed.parent_id is null then placed.parent_line end,
                                    name_key) as first
              from placed join linked using (line)
             where name_key is not null and not linked.lost) row
         where line > first
        """,
    ),
    (
        Problem(Code.USCC_TAKEN),
        """
        select placed.line, 'uscc', null from placed join linked using (line)
          left join placed above on above.line = placed.parent_line
         where placed.coded_id is not null and placed.coded_id is distinct from placed.known_id
           and not linked.lost and above.lost is not true
        """,
    ),
    (
        Problem(Code.NAME_TAKEN),
        """
        select line, 'name', null from placed
         where named_id is not null and known_id is null and coded_id is null
        """,
    ),
    (
        Problem(Code.IDEMPOTENCY_CONFLICT, why="differs"),
        """
        select line, cell.name, null
          from placed join incoming row using (line) join trade_union found on found.id = placed.known_id
         cross join lateral (values
               ('name', row.name, found.name), ('kind', row.kind, found.kind),
               ('region_code', row.region_code, found.region_code),
               ('contact_phone', row.contact_phone, found.contact_phone),
               ('employer_name', row.employer_name, found.employer_name),
               ('employer_uscc', row.employer_uscc, found.employer_uscc),
               ('employer_address', row.employer_address, found.employer_address),
               ('employer_contact_name', row.employer_contact_name, found.employer_contact_name),
               ('employer_contact_phone', row.employer_contact_phone, found.employer_contact_phone),
               ('employer_staff_count', row.employer_staff_count::text, found.employer_staff_count::text)
           ) cell (name, given, held)
         where cell.given is distinct from cell.held and cell.given is not null
        """,
    ),
)


async def faults(session: AsyncSession) -> AsyncIterator[Fault]:
    """Every problem of every row, the first rows first; its column is the key of the column."""
    for problem, statement in _CHECKS:
        async for line, column, other in await session.stream(text(f"{statement} order by line")):
            yield Fault(line, column, _about(problem, other))


def _about(problem: Problem, other: int | None) -> Problem:
    params: Mapping[str, object] = problem.params if other is None else {"line": other}
    return Problem(problem.code, why=problem.why, params=params)
