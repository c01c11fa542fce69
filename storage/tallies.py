"""Counts that the database keeps (models/tally.py), read and added up."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, func, literal_column, select, union_all
from sqlalchemy.orm import aliased

from models.kinds import UnionKind
from models.tally import TOP, Tally
from models.union import TradeUnion
from storage import scope
from storage.reading import wire
from storage.reading.rows import Rows

_BELOW: Final = ("grassroots", "higher_level", "pending", "approved", "rejected")


def pending(union: Rows) -> ColumnElement[int]:
    """How many wait at and below a union."""
    counts = below(union).subquery("counts")
    return select(counts.c.pending).scalar_subquery()


def children(union: Rows, kind: UnionKind | None) -> ColumnElement[int]:
    """How many unions are directly below a union."""
    columns = {UnionKind.GRASSROOTS: Tally.children_grassroots, UnionKind.HIGHER_LEVEL: Tally.children_higher_level}
    wanted = columns[kind] if kind else Tally.children_grassroots + Tally.children_higher_level
    counted = select(wanted).where(Tally.union_id == union.id).correlate_except(Tally)
    return func.coalesce(counted.scalar_subquery(), 0)


def below(union: Rows) -> Select[Any]:
    """The sums over what is kept for the union: its own tally, or those of the top of the tree from it down."""
    depth = func.nlevel(union.path, type_=Integer) - literal_column("1", Integer)
    top_depth: ColumnElement[int] = literal_column(str(TOP), Integer)
    own = select(Tally.__table__).where(depth >= top_depth, Tally.union_id == union.id)
    top = aliased(TradeUnion)
    # A part of the tree that few indexes hold, each of them named by these words.
    in_top = (
        func.nlevel(top.path) <= literal_column(str(TOP + 1)),
        top.kind == wire.word(UnionKind.HIGHER_LEVEL),
    )
    added = (
        select(Tally.__table__)
        .join(top, top.id == Tally.union_id)
        .where(depth < top_depth, *in_top, scope.within(top.path, union.path))
    )
    kept = union_all(own.correlate_except(Tally), added.correlate_except(Tally, top)).subquery("kept")
    return select(*(func.coalesce(func.sum(kept.c[name]), 0).label(name) for name in _BELOW))
