"""统计: counts over a union and everything below it, from tallies that the database keeps (models/tally.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, case, func, literal_column, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models.kinds import UnionKind, UnionStatus
from models.registration import Registration
from models.tally import TOP, Tally
from models.union import TradeUnion
from storage import queue, scope

_BELOW: Final = ("grassroots", "higher_level", "pending", "approved", "rejected")


@dataclass(frozen=True)
class Statistics:
    """Counts over a union and everything below it."""

    unions: int
    grassroots: int
    higher_level: int
    pending: int
    approved: int
    rejected: int
    oldest_pending_at: datetime | None


async def by_ids(session: AsyncSession, ids: Sequence[int]) -> list[Statistics]:
    """One query for many unions that the viewer has been shown; answers in the order asked."""
    counts = of(TradeUnion).lateral("counts")
    rows = await session.execute(
        select(TradeUnion.id, *counts.c).join_from(TradeUnion, counts, true()).where(TradeUnion.id.in_(ids))
    )
    found = {union_id: Statistics(*numbers) for union_id, *numbers in rows}
    return [found[union_id] for union_id in ids]


def of(union: type[TradeUnion]) -> Select[Any]:
    """The statistics of the union in a row of `union`, in the order of Statistics: a row for a subquery of it."""
    below = _below(union).subquery("below")
    itself = {kind: _one_if(union.status == _word(UnionStatus.ACTIVE), union.kind == _word(kind)) for kind in UnionKind}
    grassroots = itself[UnionKind.GRASSROOTS] + below.c.grassroots
    higher_level = itself[UnionKind.HIGHER_LEVEL] + below.c.higher_level
    return (
        select(
            (grassroots + higher_level).label("unions"),
            grassroots.label("grassroots"),
            higher_level.label("higher_level"),
            below.c.pending,
            below.c.approved,
            below.c.rejected,
            oldest_pending_at(union).label("oldest_pending_at"),
        )
        .select_from(below)
        .correlate(union)
    )


def pending(union: type[TradeUnion]) -> ColumnElement[int]:
    """How many wait at and below the union in a row of `union`."""
    below = _below(union).subquery("below")
    return select(below.c.pending).scalar_subquery()


def children(union: type[TradeUnion], kind: UnionKind | None) -> ColumnElement[int]:
    """How many unions are directly below the union in a row of `union`."""
    columns = {UnionKind.GRASSROOTS: Tally.children_grassroots, UnionKind.HIGHER_LEVEL: Tally.children_higher_level}
    wanted = columns[kind] if kind else Tally.children_grassroots + Tally.children_higher_level
    return func.coalesce(select(wanted).where(Tally.union_id == union.id).correlate(union).scalar_subquery(), 0)


def oldest_pending_at(union: type[TradeUnion]) -> ColumnElement[datetime | None]:
    """Since when the longest waiting of them waits."""
    columns = (Registration.submitted_at, Registration.id)
    first = literal_column("1", Integer)
    oldest = queue.page(queue.below_one(union.id, depth_of(union)), first, of=[union], columns=columns).subquery(
        "oldest"
    )
    return select(oldest.c.submitted_at).scalar_subquery()


def depth_of(union: type[TradeUnion]) -> ColumnElement[int]:
    return func.nlevel(union.path, type_=Integer) - literal_column("1", Integer)


def _below(union: type[TradeUnion]) -> Select[Any]:
    """The sums over what is kept for the union: its own tally, or those of the top of the tree from it down."""
    own = select(Tally.__table__).where(depth_of(union) >= literal_column(str(TOP)), Tally.union_id == union.id)
    top = aliased(TradeUnion)
    # A part of the tree that few indexes hold, each of them named by these words.
    in_top = (func.nlevel(top.path) <= literal_column(str(TOP + 1)), top.kind == _word(UnionKind.HIGHER_LEVEL))
    added = (
        select(Tally.__table__)
        .join(top, top.id == Tally.union_id)
        .where(depth_of(union) < literal_column(str(TOP)), *in_top, scope.within(top.path, union.path))
    )
    kept = union_all(own.correlate(union), added.correlate(union)).subquery("kept")
    return select(*(func.coalesce(func.sum(kept.c[name]), 0).label(name) for name in _BELOW))


def _one_if(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return case((conditions[0] & conditions[1], literal_column("1", Integer)), else_=literal_column("0", Integer))


def _word(word: str) -> ColumnElement[Any]:
    return literal_column(f"'{word}'")
