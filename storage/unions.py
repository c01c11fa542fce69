"""Reading and planting unions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models.kinds import UnionKind, UnionStatus
from models.permissions import Action, Viewer
from models.text import fold
from models.treepath import TreePath
from models.union import TradeUnion
from storage import scope, statistics
from storage.listing import Listing


@dataclass(frozen=True)
class Card:
    """工会名片: all that someone who only holds a code may know of a union. `id` is the union's."""

    id: int
    name: str
    kind: UnionKind
    region_code: str
    parent_name: str | None
    contact_phone: str | None
    # For this side of the API only: a card does not show where in the tree it is.
    path: TreePath


async def find(session: AsyncSession, viewer: Viewer, union_id: int, *, lock: bool = False) -> TradeUnion | None:
    """The union, or None out of sight. With `lock` it keeps its name and its place until the transaction ends."""
    statement = select(TradeUnion).where(TradeUnion.id == union_id, scope.unions(viewer))
    return await session.scalar(statement.with_for_update(read=True) if lock else statement)


async def by_id(session: AsyncSession, union_id: int) -> TradeUnion:
    """The union that a row the viewer was shown belongs to."""
    return await session.get_one(TradeUnion, union_id)


async def by_ids(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[TradeUnion | None]:
    """One query for many ids; answers in the order asked, None where out of sight."""
    rows = await session.scalars(select(TradeUnion).where(TradeUnion.id.in_(ids), scope.unions(viewer)))
    found = {union.id: union for union in rows}
    return [found.get(union_id) for union_id in ids]


async def at(session: AsyncSession, viewer: Viewer, path: TreePath) -> TradeUnion | None:
    """The union at this place, or None out of sight."""
    return await session.scalar(select(TradeUnion).where(TradeUnion.path == path, scope.unions(viewer)))


async def anywhere(session: AsyncSession, path: TreePath) -> TradeUnion | None:
    """The union at this place, for the operator, who stands outside of every scope."""
    return await session.scalar(select(TradeUnion).where(TradeUnion.path == path))


async def any_root(session: AsyncSession) -> TradeUnion | None:
    """The oldest root, or None while nothing has been planted; for the operator."""
    return await session.scalar(
        select(TradeUnion).where(TradeUnion.parent_id.is_(None)).order_by(TradeUnion.id).limit(1)
    )


async def roots(session: AsyncSession, viewer: Viewer) -> list[TradeUnion]:
    """The tops of what the viewer may see, in the order of the tree: nothing readable lies above them."""
    above = aliased(TradeUnion)
    hidden = ~exists(
        select(above.id).where(
            above.id == TradeUnion.parent_id, scope.reachable(viewer.grants, Action.READ, above.path)
        )
    )
    places = [grant.over for grant in viewer.grants]
    rows = await session.scalars(
        select(TradeUnion).where(TradeUnion.path.in_(places), scope.unions(viewer), hidden).order_by(TradeUnion.path)
    )
    return list(rows)


async def parent_to_be(session: AsyncSession, union_id: int) -> TradeUnion | None:
    """The union that a registration names, whoever asks, kept as it is until the transaction ends.

    Not scoped: any active higher-level union takes applications, from its code or from the
    directory. What is wrong with this one is told by models/form.py.
    """
    return await session.scalar(select(TradeUnion).where(TradeUnion.id == union_id).with_for_update(read=True))


async def cards(session: AsyncSession, ids: Sequence[int]) -> list[Card | None]:
    """One query for many cards; answers in the order asked."""
    rows = await session.execute(_cards().where(TradeUnion.id.in_(ids)))
    found = {row.id: Card(*row) for row in rows}
    return [found.get(union_id) for union_id in ids]


def _cards() -> Select[int, str, UnionKind, str, str, str | None, TreePath]:
    above = aliased(TradeUnion)
    return select(
        TradeUnion.id,
        TradeUnion.name,
        TradeUnion.kind,
        TradeUnion.region_code,
        above.name,
        TradeUnion.contact_phone,
        TradeUnion.path,
    ).outerjoin(above, above.id == TradeUnion.parent_id)


def children(viewer: Viewer, union: TradeUnion, kind: UnionKind | None) -> Listing[TradeUnion]:
    """The unions directly below, in the order in which they joined."""
    statement = select(TradeUnion).where(TradeUnion.parent_id == union.id, scope.unions(viewer), *_of_kind(kind))
    counted = select(statistics.children(TradeUnion, kind)).where(TradeUnion.id == union.id)
    return Listing("children", statement, [TradeUnion.id], counted=counted)


def descendants(
    viewer: Viewer, union: TradeUnion, kind: UnionKind | None, max_depth: int | None, search: str | None
) -> Listing[TradeUnion]:
    """Everything below, in the order of the tree; at most `max_depth` levels down."""
    statement = select(TradeUnion).where(
        scope.within(TradeUnion.path, union.path),
        TradeUnion.id != union.id,
        scope.unions(viewer),
        *_of_kind(kind),
        *_matching(search),
    )
    if max_depth is not None:
        statement = statement.where(func.nlevel(TradeUnion.path) <= union.depth + 1 + max_depth)
    return Listing("descendants", statement, [TradeUnion.path])


def directory(search: str, region_code: str | None) -> Listing[TradeUnion]:
    """工会目录: active higher-level unions, whoever asks: the way to a parent for those without a code."""
    statement = select(TradeUnion).where(
        TradeUnion.kind == UnionKind.HIGHER_LEVEL, TradeUnion.status == UnionStatus.ACTIVE, *_matching(search)
    )
    if region_code is not None:
        significant = region_code.removesuffix("00").removesuffix("00")
        statement = statement.where(TradeUnion.region_code.startswith(significant, autoescape=True))
    # By id and not by path: a cursor is in everybody's hands, and a card does not show where its union is.
    return Listing("directory", statement, [TradeUnion.id])


def _of_kind(kind: UnionKind | None) -> Iterable[ColumnElement[bool]]:
    return () if kind is None else (TradeUnion.kind == kind,)


def _matching(search: str | None) -> Iterable[ColumnElement[bool]]:
    """The name now or before contains it, or the credit code starts with it."""
    if not search or not fold(search):
        return ()
    former = func.array_to_string(TradeUnion.former_names, "\n")
    return (
        or_(
            TradeUnion.name_key.contains(fold(search), autoescape=True),
            former.contains(search, autoescape=True),
            TradeUnion.uscc.startswith(search.upper(), autoescape=True),
        ),
    )


async def name_taken(session: AsyncSession, parent_id: int | None, name: str) -> bool:
    """Whether a live union directly below this parent has that name already."""
    taken = exists().where(
        TradeUnion.parent_id.is_not_distinct_from(parent_id),
        TradeUnion.name_key == fold(name),
        TradeUnion.status == UnionStatus.ACTIVE,
    )
    return bool(await session.scalar(select(taken)))


async def uscc_taken(session: AsyncSession, uscc: str) -> bool:
    """Whether a live union, wherever it is, has that credit code already."""
    taken = exists().where(TradeUnion.uscc == uscc, TradeUnion.status == UnionStatus.ACTIVE)
    return bool(await session.scalar(select(taken)))


async def plant(session: AsyncSession, union: TradeUnion, parent: TradeUnion | None) -> TradeUnion:
    """Makes a node of it: gives it an id, and its place below the parent or as a root."""
    union.id = await session.scalar(text("select nextval(pg_get_serial_sequence('trade_union', 'id'))"))
    union.parent_id = parent.id if parent else None
    union.path = parent.path.child(union.id) if parent else TreePath.root(union.id)
    union.name_key = fold(union.name)
    session.add(union)
    return union
