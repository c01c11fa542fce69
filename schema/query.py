"""The roots of reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import strawberry

from models.errors import Code, Problem, Rejected
from models.kinds import TreeScope
from models.region import check_region_code
from models.registration import Registration as RegistrationRow
from models.union import TradeUnion
from schema.accounts import AccountQueries, RegistrationConnection
from schema.cards import UnionCardConnection
from schema.context import Info
from schema.errors import argument, id_argument, refused
from schema.fields import resolved
from schema.ids import decode_any_id
from schema.invites import InviteQueries
from schema.node import Node
from schema.paging import LARGEST_PAGE, page_of
from schema.regions import RegionQueries
from schema.registrations import Registration
from schema.scalars import Place
from schema.unions import After, First, Reach, Union, check_search
from storage import accounts, certificates, events, invites, registrations, unions
from storage.listing import Page

Id = strawberry.ID

# How the things of each type are found by their keys, in the viewer's scope: one statement for many.
_FINDERS: Final[Mapping[str, Callable[..., Awaitable[Any]]]] = {
    "Union": unions.by_ids,
    "Registration": registrations.by_ids,
    "Invite": invites.by_ids,
    "Certificate": certificates.in_sight,
    "Account": accounts.in_sight,
    "Appointment": accounts.appointments_in_sight,
    "Event": events.in_sight,
}


async def _node(
    info: Info, id: Annotated[Id, strawberry.argument(description="编号: a global id of any type.")]
) -> Any:
    [found] = await _found(info, [argument(info, "id", _known, id)])
    return found


async def _nodes(
    info: Info, ids: Annotated[list[Id], strawberry.argument(description="编号: at most 100 global ids.")]
) -> list[Any]:
    if len(ids) > LARGEST_PAGE:
        raise refused(info, Problem(Code.INVALID, ("ids",), "too_many_ids", {"max": LARGEST_PAGE}))
    return await _found(info, [argument(info, "ids", _known, given) for given in ids])


async def _found(info: Info, wanted: list[tuple[str, int]]) -> list[Any]:
    """One query for each type among the ids; answers in the order asked, None where out of sight."""
    found: dict[tuple[str, int], Any] = {}
    async with info.context.db.reading() as session:
        for name in {name for name, _ in wanted}:
            keys = [key for of, key in wanted if of == name]
            rows = await _FINDERS[name](session, info.context.viewer, keys)
            found.update(((name, key), row) for key, row in zip(keys, rows, strict=True))
    return [found[known] for known in wanted]


def _known(given: str) -> tuple[str, int]:
    """Raises: Rejected, INVALID for an id of no type that there is."""
    name, key = decode_any_id(given)
    if name not in _FINDERS:
        raise Rejected(Problem(Code.INVALID, why="id"))
    return name, key


async def _union(info: Info, id: Annotated[Id, strawberry.argument(description="工会编号.")]) -> TradeUnion | None:
    return await info.context.load.union.load(id_argument(info, "id", id, "Union"))


async def _union_at(
    info: Info, path: Annotated[Place, strawberry.argument(description="路径: such as `1.2f.9k`.")]
) -> TradeUnion | None:
    async with info.context.db.reading() as session:
        return await unions.at(session, info.context.viewer, path)


async def _roots(info: Info) -> list[TradeUnion]:
    async with info.context.db.reading() as session:
        return await unions.roots(session, info.context.viewer)


async def _directory(
    info: Info,
    search: Annotated[str, strawberry.argument(description="查找: part of the name, or how the credit code starts.")],
    region_code: Annotated[
        str | None, strawberry.argument(description="行政区划代码: only in this division and those inside it.")
    ] = None,
    first: First = 20,
    after: After = None,
) -> Page[Any]:
    if info.context.signed_in is None:
        raise refused(info, Problem(Code.UNAUTHENTICATED))
    check_search(info, search)
    if region_code is not None:
        argument(info, "regionCode", check_region_code, region_code)
    page = await page_of(info, unions.directory(search, region_code), first, after)
    cards = await info.context.load.card.load_many([union.id for union in page.rows])
    return Page(page.listing, cards, page.has_next, page.has_previous)


async def _registration(
    info: Info, id: Annotated[Id, strawberry.argument(description="登记编号.")]
) -> RegistrationRow | None:
    return await info.context.load.registration.load(id_argument(info, "id", id, "Registration"))


async def _pending_reviews(
    info: Info,
    under: Annotated[
        Id | None, strawberry.argument(description="工会编号: under this union; under all one may see, if left out.")
    ] = None,
    scope: Reach = TreeScope.SUBTREE,
    first: First = 50,
    after: After = None,
) -> Page[Any]:
    top = None
    if under is not None:
        top = await info.context.load.union.load(id_argument(info, "under", under, "Union"))
        if top is None:
            raise refused(info, Problem(Code.NOT_FOUND, ("under",)))
    return await page_of(info, registrations.queue(info.context.viewer, top, scope), first, after)


@strawberry.type(description="查询.")
class Query(AccountQueries, InviteQueries, RegionQueries):
    node: Node | None = resolved(
        _node, "按编号查询 anything with an id; null if there is no such thing for the viewer."
    )
    nodes: list[Node | None] = resolved(_nodes, "按编号批量查询, in the order asked; null where `node` would be.")
    union: Union | None = resolved(_union, "工会, by id; null if there is no such union for the viewer.")
    union_at: Union | None = resolved(_union_at, "工会, by its place in the tree; null if the viewer sees none there.")
    roots: list[Union] = resolved(
        _roots, "顶层工会: the tops of what the viewer may see. Everything else hangs below them."
    )
    union_directory: UnionCardConnection = resolved(
        _directory,
        "工会目录: active higher-level unions one may register under, for who has no code. Needs a sign-in.",
    )
    registration: Registration | None = resolved(_registration, "登记, by id; null if there is none for the viewer.")
    pending_reviews: RegistrationConnection = resolved(
        _pending_reviews, "待审核登记: all that the viewer may see, the longest waiting first."
    )
