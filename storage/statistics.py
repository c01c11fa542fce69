"""统计: counts over a union and everything below it, and since when the longest waiting registration waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, literal_column, select

from models.kinds import UnionKind, UnionStatus
from storage import queue, tallies
from storage.reading import wire
from storage.reading.rows import Eyes, Rows


def of(union: Rows, _eyes: Eyes | None = None) -> Select[Any]:
    """A union's statistics as one row; whoever sees the union sees them."""
    below = tallies.below(union).subquery("below")
    itself = {
        kind: _one_if(union.status == wire.word(UnionStatus.ACTIVE), union.kind == wire.word(kind))
        for kind in UnionKind
    }
    grassroots = itself[UnionKind.GRASSROOTS] + below.c.grassroots
    higher_level = itself[UnionKind.HIGHER_LEVEL] + below.c.higher_level
    return select(
        (grassroots + higher_level).label("unions"),
        grassroots.label("grassroots"),
        higher_level.label("higher_level"),
        below.c.pending,
        below.c.approved,
        below.c.rejected,
        queue.oldest(union).label("oldest_pending_at"),
    ).select_from(below)


def _one_if(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return case((conditions[0] & conditions[1], literal_column("1", Integer)), else_=literal_column("0", Integer))
