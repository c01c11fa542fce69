"""工会: the nodes of the tree and what hangs on them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models.account import Appointment as AppointmentRow
from models.errors import Code, Problem
from models.kinds import TreeScope, UnionKind, UnionStatus
from models.particulars import Employer as EmployerRow
from models.permissions import Action
from models.text import LINE_LENGTH
from models.union import TradeUnion
from schema.accounts import Appointment, RegistrationConnection
from schema.certificates import Certificate
from schema.context import Info
from schema.errors import refused
from schema.events import Event
from schema.fields import resolved
from schema.invites import Invite
from schema.node import Node, node_id
from schema.paging import Connection, page_of
from schema.particulars import Employer, certificate_of, employer_shown, masked_id_number, region_of, shared
from schema.regions import Region
from schema.scalars import Moment, Place
from storage import events, invites, registrations, unions
from storage.listing import Page
from storage.statistics import Statistics

First = Annotated[int | None, strawberry.argument(description="How many at most, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor to go on from.")]
Kind = Annotated[UnionKind | None, strawberry.argument(description="工会类型: only these; both if left out.")]
Reach = Annotated[TreeScope, strawberry.argument(description="范围: the union itself, or all below it too.")]
Search = Annotated[
    str | None, strawberry.argument(description="查找: part of the name, now or before; or how the credit code starts.")
]


@strawberry.type(description="统计: counts over a union and everything below it, as of the last committed write.")
class SubtreeStatistics:
    unions: int = strawberry.field(description="工会数: active unions, this one included.")
    grassroots: int = strawberry.field(description="基层工会数.")
    higher_level: int = strawberry.field(description="基层以上工会数.")
    pending: int = strawberry.field(description="待审核登记数.")
    approved: int = strawberry.field(description="审核通过登记数.")
    rejected: int = strawberry.field(description="审核不通过登记数.")
    oldest_pending_at: Moment | None = strawberry.field(description="最早待审核时间: since when the oldest waits.")


def _employer(root: TradeUnion, info: Info) -> EmployerRow | None:
    return employer_shown(root.employer, whole=info.context.viewer.may(Action.REVIEW, root.path))


async def _parent(root: TradeUnion, info: Info) -> TradeUnion | None:
    return await info.context.load.union.load(root.parent_id) if root.parent_id else None


async def _ancestors(root: TradeUnion, info: Info) -> list[TradeUnion]:
    above = await info.context.load.union.load_many(list(root.path.ids[:-1]))
    return [union for union in above if union is not None]


async def _children(
    root: TradeUnion, info: Info, first: First = 50, after: After = None, kind: Kind = None
) -> Page[Any]:
    return await page_of(info, unions.children(info.context.viewer, root, kind), first, after)


async def _descendants(  # noqa: PLR0913, PLR0917 - these are the field's arguments
    root: TradeUnion,
    info: Info,
    first: First = 50,
    after: After = None,
    kind: Kind = None,
    max_depth: Annotated[
        int | None, strawberry.argument(description="层数: how many levels down; 1 is the children, all if left out.")
    ] = None,
    search: Search = None,
) -> Page[Any]:
    check_search(info, search)
    return await page_of(info, unions.descendants(info.context.viewer, root, kind, max_depth, search), first, after)


def check_search(info: Info, search: str | None) -> None:
    """Raises: GraphQLError, for what no name can hold."""
    if search is not None and (len(search) > LINE_LENGTH or "\0" in search):
        code = Code.INVALID if "\0" in search else Code.TOO_LONG
        why = "unseen_character" if code is Code.INVALID else None
        raise refused(info, Problem(code, ("search",), why, {"max": LINE_LENGTH}))


async def _statistics(root: TradeUnion, info: Info) -> Statistics:
    return await info.context.load.statistics.load(root.id)


async def _pending_reviews(
    root: TradeUnion, info: Info, first: First = 50, after: After = None, scope: Reach = TreeScope.SUBTREE
) -> Page[Any]:
    return await page_of(info, registrations.queue(info.context.viewer, root, scope), first, after)


async def _appointments(root: TradeUnion, info: Info) -> list[AppointmentRow]:
    return await info.context.load.appointments_at.load(root.id)


async def _invites(root: TradeUnion, info: Info, first: First = 50, after: After = None) -> Page[Any]:
    return await page_of(info, invites.of_union(info.context.viewer, root), first, after)


async def _events(
    root: TradeUnion, info: Info, first: First = 50, after: After = None, scope: Reach = TreeScope.DIRECT
) -> Page[Any]:
    return await page_of(info, events.of_union(info.context.viewer, root, scope), first, after)


async def _viewer_can(root: TradeUnion, info: Info) -> list[Action]:
    viewer = info.context.viewer
    able = set(viewer.actions(root.path)) - {Action.REVIEW}
    if root.status is UnionStatus.DISSOLVED:
        able &= {Action.READ, Action.EXPORT}
    if root.kind is UnionKind.GRASSROOTS:
        able.discard(Action.INVITE)  # it takes no children, so there is nothing to review either
    elif viewer.account_id in await info.context.load.deciders.load((root.path, 0)):
        able.add(Action.REVIEW)
    return [action for action in Action if action in able]


@strawberry.type(description="工会: a node of the tree. Seen by those appointed to it or to a union above it.")
class Union(Node):
    id: strawberry.ID = node_id("Union", "编号: the union's global id.")
    name: str = strawberry.field(description=shared("name"))
    former_names: list[str] = strawberry.field(description="曾用名, latest last.")
    kind: UnionKind = strawberry.field(description="工会类型.")
    status: UnionStatus = strawberry.field(description="工会状态.")
    path: Place = strawberry.field(description="路径: its place in the tree.")
    depth: int = strawberry.field(description="层级: how many unions lie above it; 0 for a root.")
    region: Region = resolved(region_of, shared("region"))
    uscc: str | None = strawberry.field(description=shared("uscc"))
    employer: Employer | None = resolved(_employer, shared("employer"))
    legal_person_id_number: str | None = resolved(masked_id_number, shared("id_number"))
    certificate: Certificate | None = resolved(certificate_of, shared("certificate"))
    created_at: Moment = strawberry.field(description="入库时间: when it became a node of the tree.")
    parent: Union | None = resolved(_parent, "上级工会; null at a root, or where it lies above the viewer's reach.")
    ancestors: list[Union] = resolved(_ancestors, "各级上级工会: root first, as far up as the viewer may see.")
    children: UnionConnection = resolved(_children, "直属下级工会, in the order in which they joined.")
    descendants: UnionConnection = resolved(_descendants, "全部下级工会, in the order of the tree.")
    statistics: SubtreeStatistics = resolved(_statistics, "统计, over the union and everything below it.")
    pending_reviews: RegistrationConnection = resolved(_pending_reviews, "待审核登记: the longest waiting first.")
    appointments: list[Appointment] = resolved(_appointments, "任职人员: who is appointed to this union now.")
    invites: Connection[Invite] = resolved(_invites, "组织登记二维码: the codes of this union, newest first.")
    events: Connection[Event] = resolved(_events, "操作记录, newest first.")
    viewer_can: list[Action] = resolved(_viewer_can, "可进行的操作: what the viewer may do here.")

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        return isinstance(row, TradeUnion)


UnionConnection = Connection[Union]
