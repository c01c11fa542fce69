"""Reading and planting unions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, any_, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from models.kinds import UnionKind, UnionStatus
from models.permissions import Viewer
from models.text import fold
from models.treepath import TreePath
from models.union import TradeUnion
from storage import scope, search, tallies
from storage.reading.reads import Listing, Scan
from storage.reading.rows import Eyes, Rows
from storage.sources import CARD, UNION


@dataclass(frozen=True)
class Card:
    """工会名片: all that someone who only holds a code may know of a union. `id` is the union's."""

    id: int
    name: str
    kind: UnionKind
    region_code: str
    parent_name: str | None
    contact_phone: str | None


async def find(session: AsyncSession, viewer: Viewer, union_id: int, *, lock: bool = False) -> TradeUnion | None:
    """The union, or None out of sight. With `lock` it keeps its name and its place until the transaction ends."""
    statement = select(TradeUnion).where(TradeUnion.id == union_id, scope.unions(viewer))
    return await session.scalar(statement.with_for_update(read=True) if lock else statement)


async def by_id(session: AsyncSession, union_id: int) -> TradeUnion:
    """The union that a row the viewer was shown belongs to."""
    return await session.get_one(TradeUnion, union_id)


async def anywhere(session: AsyncSession, path: TreePath, *, lock: bool = False) -> TradeUnion | None:
    """The union at this place, for the operator, who stands outside of every scope; `lock` as in `find`."""
    statement = select(TradeUnion).where(TradeUnion.path == path)
    return await session.scalar(statement.with_for_update(read=True) if lock else statement)


async def any_root(session: AsyncSession) -> TradeUnion | None:
    """The oldest root, or None while nothing has been planted; for the operator."""
    return await session.scalar(
        select(TradeUnion).where(TradeUnion.parent_id.is_(None)).order_by(TradeUnion.id).limit(1)
    )


async def parent_to_be(session: AsyncSession, union_id: int) -> TradeUnion | None:
    """The union that a registration names, whoever asks, kept as it is until the transaction ends.

    Not scoped: any active higher-level union takes applications, from its code or from the
    directory. What is wrong with this one is told by models/form.py.
    """
    return await session.scalar(select(TradeUnion).where(TradeUnion.id == union_id).with_for_update(read=True))


async def card(session: AsyncSession, union_id: int) -> Card:
    """What the code of a union shows of it."""
    above = aliased(TradeUnion)
    stated = select(
        TradeUnion.id, TradeUnion.name, TradeUnion.kind, TradeUnion.region_code, above.name, TradeUnion.contact_phone
    )
    found = stated.outerjoin(above, above.id == TradeUnion.parent_id).where(TradeUnion.id == union_id)
    return Card(*(await session.execute(found)).one())


def depth(union: Rows) -> ColumnElement[int]:
    """How many unions lie above it."""
    return func.nlevel(union.path) - 1


def seal_name(union: Rows) -> ColumnElement[str]:
    """What binds a union's sealed number to it: TradeUnion.seal_name."""
    return func.concat("trade_union:", union.id)


def parent_name(card: Rows) -> ColumnElement[str]:
    above = UNION.fresh().main
    return select(above.c.name).where(above.c.id == card.parent_id).correlate_except(above).scalar_subquery()


def is_above(union: Rows, above: Rows) -> ColumnElement[bool]:
    """The unions on the way from the root to this one, without itself."""
    return and_(above.id == any_(union.ancestors), above.id != union.id)


def _directly_below(above: Rows, kind: UnionKind | None) -> list[Scan]:
    def scan(union: Rows) -> ColumnElement[bool]:
        below: ColumnElement[bool] = union.parent_id == above.id
        return below if kind is None else and_(below, union.kind == kind)

    return [scan]


def _below(above: Rows, kind: UnionKind | None, max_depth: Any) -> list[Scan]:
    return [lambda union: and_(*_inside(above, union, kind, max_depth))]


def _found_below(above: Rows, kind: UnionKind | None, max_depth: Any, **wanted: Any) -> list[Scan]:
    # Whoever sees the union sees all below it: the candidates need no scope of their own.
    where = search.below(above, kind, max_depth)
    return [lambda union: and_(*_inside(above, union, kind, max_depth), search.found(union, where, wanted))]


def _inside(above: Rows, union: Rows, kind: UnionKind | None, max_depth: Any) -> list[ColumnElement[bool]]:
    conditions = [scope.within(union.path, above.path), union.id != above.id]
    if kind is not None:
        conditions.append(union.kind == kind)
    if max_depth is not None:
        conditions.append(func.nlevel(union.path) <= func.nlevel(above.path) + max_depth)
    return conditions


def _taking_applications(_eyes: Eyes, region: Any) -> list[Scan]:
    where = search.parents(region)
    marked = [] if region is None else [where]
    return [lambda union: and_(_takes_applications(union), *(one for some in marked for one in some.having(union)))]


def _found_taking_applications(_eyes: Eyes, region: Any, **wanted: Any) -> list[Scan]:
    where = search.parents(region)
    return [lambda union: and_(_takes_applications(union), search.found(union, where, wanted))]


def _takes_applications(union: Rows) -> ColumnElement[bool]:
    return and_(union.kind == UnionKind.HIGHER_LEVEL, union.status == UnionStatus.ACTIVE)


# The unions directly below one, in the order in which they joined; and all below it, in the order of the tree.
CHILDREN: Final = Listing("children", UNION, _directly_below, lambda union, _: [union.id], count=tallies.children)
DESCENDANTS: Final = Listing("descendants", UNION, _below, lambda union, _: [union.path])
# Those that a search finds, the best match first.
FOUND: Final = Listing("found", UNION, _found_below, search.rank)

# 工会目录: active higher-level unions, whoever asks: the way to a parent for those without a code. By what a card
# shows, and by id, but not by path: a cursor is in everybody's hands, and a card does not show where its union is.
DIRECTORY: Final = Listing("directory", CARD, _taking_applications, lambda card, _: [card.id])
FOUND_IN_DIRECTORY: Final = Listing("found-in-directory", CARD, _found_taking_applications, search.rank)


def digits_of(region_code: str) -> str:
    """What the codes of a division and of all divisions inside it begin with: the province's two, the city's four."""
    return region_code.removesuffix("00").removesuffix("00")


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
