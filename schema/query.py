"""The roots of reading."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models.errors import Code, Problem, Rejected
from models.kinds import TreeScope
from models.region import check_region_code
from models.treepath import TreePath
from schema.accounts import AccountQueries, RegistrationConnection
from schema.cards import UnionCardConnection
from schema.context import GraphContext
from schema.errors import at, id_at
from schema.ids import decode_any_id
from schema.invites import InviteQueries
from schema.node import Node
from schema.paging import After, First
from schema.reading.chosen import Chosen, Given
from schema.reading.cursors import LARGEST_PAGE, window
from schema.reading.fields import many, paged, read
from schema.regions import RegionQueries
from schema.registrations import Registration
from schema.scalars import Place
from schema.unions import Reach, Union, searched
from storage import queue, scope, unions
from storage.reading.reads import AnyOf, Paged, Related, Through
from storage.search import arguments_of
from storage.sources import NODES, REGISTRATION, UNION

Id = strawberry.ID

UNION_BY_ID = Related(UNION, lambda _, union, key: union.id == key)
QUEUE_OF = Through(Related(UNION, lambda _, union, under: union.id == under), "under", queue.OF_UNION)


def _node(
    _context: GraphContext, id: Annotated[Id, strawberry.argument(description="编号: a global id of any type.")]
) -> Given:
    return _known("id", [id])


def _nodes(
    _context: GraphContext, ids: Annotated[list[Id], strawberry.argument(description="编号: at most 100 global ids.")]
) -> Given:
    if len(ids) > LARGEST_PAGE:
        raise Rejected(Problem(Code.INVALID, ("ids",), "too_many_ids", {"max": LARGEST_PAGE}))
    return _known("ids", ids)


def _known(argument: str, ids: list[Id]) -> Given:
    """Raises: Rejected, INVALID for an id of no type that there is."""
    found = [at(argument, decode_any_id, given) for given in ids]
    if any(name not in NODES for name, _ in found):
        raise Rejected(Problem(Code.INVALID, (argument,), "id"))
    return {"kinds": [name for name, _ in found], "keys": [key for _, key in found]}


def _union(_context: GraphContext, id: Annotated[Id, strawberry.argument(description="工会编号.")]) -> Given:
    return {"key": id_at("id", id, "Union")}


def _union_at(
    _context: GraphContext, path: Annotated[Place, strawberry.argument(description="路径: such as `1.2f.9k`.")]
) -> dict[str, TreePath]:
    return {"path": path}


def _directory(
    context: GraphContext,
    search: Annotated[
        str, strawberry.argument(description="查找: part of the name, now or before; or how the credit code starts.")
    ],
    region_code: Annotated[
        str | None, strawberry.argument(description="行政区划代码: only in this division and those inside it.")
    ] = None,
    first: First = 20,
    after: After = None,
) -> Given | Chosen:
    if context.signed_in is None:
        raise Rejected(Problem(Code.UNAUTHENTICATED))
    wanted = searched(search)
    if region_code is not None:
        at("regionCode", check_region_code, region_code)
    region = None if region_code is None else unions.digits_of(region_code)
    if wanted is None:
        return {**window(unions.DIRECTORY, first, after), "region": region}
    page = window(unions.FOUND_IN_DIRECTORY, first, after, stamp=wanted.stamp)
    return Chosen(Paged(unions.FOUND_IN_DIRECTORY), {**page, "region": region, **arguments_of(wanted)})


def _registration(_context: GraphContext, id: Annotated[Id, strawberry.argument(description="登记编号.")]) -> Given:
    return {"key": id_at("id", id, "Registration")}


def _pending_reviews(
    _context: GraphContext,
    under: Annotated[
        Id | None, strawberry.argument(description="工会编号: under this union; under all one may see, if left out.")
    ] = None,
    scope: Reach = TreeScope.SUBTREE,
    first: First = 50,
    after: After = None,
) -> Given | Chosen:
    given: dict[str, Any] = {**window(queue.OF_VIEWER, first, after), "reach": scope}
    return given if under is None else Chosen(QUEUE_OF, {**given, "under": id_at("under", under, "Union")})


@strawberry.type(description="查询.")
class Query(AccountQueries, InviteQueries, RegionQueries):
    node: Node | None = read(
        AnyOf(NODES, many=False),
        "按编号查询 anything with an id; null if there is no such thing for the viewer.",
        _node,
    )
    nodes: list[Node | None] = read(
        AnyOf(NODES, many=True), "按编号批量查询, in the order asked; null where `node` would be.", _nodes
    )
    union: Union | None = read(UNION_BY_ID, "工会, by id; null if there is no such union for the viewer.", _union)
    union_at: Union | None = read(
        Related(UNION, lambda _, union, path: union.path == path),
        "工会, by its place in the tree; null if the viewer sees none there.",
        _union_at,
    )
    roots: list[Union] = many(
        UNION,
        scope.is_top,
        lambda union: [union.path],
        "顶层工会: the tops of what the viewer may see. Everything else hangs below them.",
    )
    union_directory: UnionCardConnection = paged(
        unions.DIRECTORY,
        _directory,
        "工会目录: active higher-level unions one may register under, for who has no code; the best match first. "
        "Needs a sign-in.",
    )
    registration: Registration | None = read(
        Related(REGISTRATION, lambda _, registration, key: registration.id == key),
        "登记, by id; null if there is none for the viewer.",
        _registration,
    )
    pending_reviews: RegistrationConnection = paged(
        queue.OF_VIEWER, _pending_reviews, "待审核登记: all that the viewer may see, the longest waiting first."
    )
