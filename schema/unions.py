"""工会: the nodes of the tree and what hangs on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, and_, literal_column

from models.errors import Code, Problem, Rejected
from models.kinds import TreeScope, UnionKind, UnionStatus
from models.permissions import Action
from models.search import Search
from models.text import LINE_LENGTH
from models.treepath import TreePath
from schema.accounts import Appointment, RegistrationConnection
from schema.certificates import Certificate
from schema.context import GraphContext
from schema.events import Event
from schema.invites import Invite
from schema.node import Node
from schema.paging import After, Connection, First
from schema.particulars import Employer, EmployerRows, employer, masked_id_number, sealed, shared
from schema.reading.chosen import Chosen, Given
from schema.reading.cursors import window
from schema.reading.fields import column, computed, derived, global_id, many, one, paged
from schema.regions import Region
from schema.reveals import IdNumberReveal
from schema.scalars import Moment, Place
from storage import certificates, events, invites, queue, regions, reveals, scope, statistics, unions
from storage.reading.reads import Paged
from storage.reading.rows import Eyes, Rows
from storage.search import arguments_of
from storage.sources import APPOINTMENT, CERTIFICATE, REGION, UNION

Kind = Annotated[UnionKind | None, strawberry.argument(description="工会类型: only these; both if left out.")]
Reach = Annotated[TreeScope, strawberry.argument(description="范围: the union itself, or all below it too.")]
SearchText = Annotated[
    str | None,
    strawberry.argument(
        description="查找: part of the name, now or before; or how the credit code starts. One character will do. "
        "Of what thousands have, the best are listed."
    ),
]


@strawberry.type(description="统计: counts over a union and everything below it, as of the last committed write.")
class SubtreeStatistics:
    unions: int = column("unions", "工会数: active unions, this one included.")
    grassroots: int = column("grassroots", "基层工会数.")
    higher_level: int = column("higher_level", "基层以上工会数.")
    pending: int = column("pending", "待审核登记数.")
    approved: int = column("approved", "审核通过登记数.")
    rejected: int = column("rejected", "审核不通过登记数.")
    oldest_pending_at: Moment | None = column("oldest_pending_at", "最早待审核时间: since when the oldest waits.")


def _children(_context: GraphContext, first: First = 50, after: After = None, kind: Kind = None) -> Given:
    return {**window(unions.CHILDREN, first, after), "kind": kind}


def _descendants(
    _context: GraphContext,
    first: First = 50,
    after: After = None,
    kind: Kind = None,
    max_depth: Annotated[
        int | None, strawberry.argument(description="层数: how many levels down; 1 is the children, all if left out.")
    ] = None,
    search: SearchText = None,
) -> Given | Chosen:
    wanted, given = searched(search), {"kind": kind, "max_depth": max_depth}
    if wanted is None:
        return {**window(unions.DESCENDANTS, first, after), **given}
    page = window(unions.FOUND, first, after, stamp=wanted.stamp)
    return Chosen(Paged(unions.FOUND), {**page, **given, **arguments_of(wanted)})


def searched(text: str | None) -> Search | None:
    """What a text looks for; None if it is left out or blank.

    Raises:
        Rejected: TOO_LONG or INVALID, for what no name can hold.
    """
    if text is not None and (len(text) > LINE_LENGTH or "\0" in text):
        code = Code.INVALID if "\0" in text else Code.TOO_LONG
        why = "unseen_character" if code is Code.INVALID else None
        raise Rejected(Problem(code, ("search",), why, {"max": LINE_LENGTH}))
    return Search.of(text)


def _queue(_context: GraphContext, first: First = 50, after: After = None, scope: Reach = TreeScope.SUBTREE) -> Given:
    return {**window(queue.OF_UNION, first, after), "reach": scope}


def _invites(_context: GraphContext, first: First = 50, after: After = None) -> Given:
    return window(invites.OF_UNION, first, after)


def _events(_context: GraphContext, first: First = 50, after: After = None, scope: Reach = TreeScope.DIRECT) -> Given:
    return {**window(events.OF_UNION, first, after), "reach": scope}


def _reveals(_context: GraphContext, first: First = 50, after: After = None, scope: Reach = TreeScope.SUBTREE) -> Given:
    return {**window(reveals.OF_UNION, first, after), "reach": scope}


def _what_decides(union: Rows, eyes: Eyes) -> Sequence[ColumnElement[Any]]:
    able = scope.is_among(eyes, scope.deciders(union, literal_column("0")))
    return [union.path, union.kind, union.status, able]


def _viewer_can(context: GraphContext, path: str | TreePath, kind: str, status: str, *decides: bool) -> list[Action]:
    able = set(context.viewer.actions(TreePath.parse(str(path)))) - {Action.REVIEW}
    if status == UnionStatus.DISSOLVED:
        able &= {Action.READ, Action.EXPORT}
    if kind == UnionKind.GRASSROOTS:
        able.discard(Action.INVITE)  # it takes no children, so there is nothing to review either
    elif any(decides):
        able.add(Action.REVIEW)
    return [action for action in Action if action in able]


@strawberry.type(description="工会: a node of the tree. Seen by those appointed to it or to a union above it.")
class Union(Node):
    id: strawberry.ID = global_id("Union", "编号: the union's global id.")
    name: str = column("name", shared("name"))
    former_names: list[str] = column("former_names", "曾用名, latest last.")
    kind: UnionKind = column("kind", "工会类型.")
    status: UnionStatus = column("status", "工会状态.")
    path: Place = column("path", "路径: its place in the tree.")
    depth: int = column(unions.depth, "层级: how many unions lie above it; 0 for a root.")
    region: Region = one(REGION, regions.stated, shared("region"), told=True)
    uscc: str | None = column("uscc", shared("uscc"))
    employer: Employer | None = employer(lambda union: EmployerRows(union, union.path))
    legal_person_id_number: str | None = computed(
        lambda union, eyes: sealed(union, unions.seal_name(union), eyes), masked_id_number, shared("id_number")
    )
    certificate: Certificate | None = one(CERTIFICATE, certificates.stated, shared("certificate"), told=True)
    created_at: Moment = column("created_at", "入库时间: when it became a node of the tree.")
    parent: Union | None = one(
        UNION,
        lambda union, above: above.id == union.parent_id,
        "上级工会; null at a root, or where it lies above the viewer's reach.",
    )
    ancestors: list[Union] = many(
        UNION, unions.is_above, lambda above: [above.path], "各级上级工会: root first, as far up as the viewer may see."
    )
    children: UnionConnection = paged(unions.CHILDREN, _children, "直属下级工会, in the order in which they joined.")
    descendants: UnionConnection = paged(
        unions.DESCENDANTS,
        _descendants,
        "全部下级工会, in the order of the tree; of a search the best match first.",
    )
    statistics: SubtreeStatistics = derived(statistics.of, "统计, over the union and everything below it.")
    pending_reviews: RegistrationConnection = paged(queue.OF_UNION, _queue, "待审核登记: the longest waiting first.")
    appointments: list[Appointment] = many(
        APPOINTMENT,
        lambda union, held: and_(held.union_id == union.id, held.ended_at.is_(None)),
        lambda held: [held.id],
        "任职人员: who is appointed to this union now.",
        told=True,
    )
    invites: Connection[Invite] = paged(
        invites.OF_UNION, _invites, "组织登记二维码: the codes of this union, newest first."
    )
    events: Connection[Event] = paged(events.OF_UNION, _events, "操作记录, newest first.")
    id_number_reveals: Connection[IdNumberReveal] = paged(
        reveals.OF_UNION,
        _reveals,
        "身份证号码查看记录, newest first: who was shown an ID number here or below, when and why. For administrators "
        "of this union or of one above; others find it empty.",
    )
    viewer_can: list[Action] = computed(_what_decides, _viewer_can, "可进行的操作: what the viewer may do here.")


UnionConnection = Connection[Union]
