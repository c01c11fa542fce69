"""工会名片: what someone may know of a union without seeing into the tree."""

from __future__ import annotations

import strawberry

from models.identifiers import show_phone
from models.kinds import UnionKind
from models.region import Region as RegionRow
from schema.context import Info
from schema.fields import resolved
from schema.ids import encode_id
from schema.paging import Edge, PageInfo, edges_of, nodes_of, page_info_of
from schema.regions import Region
from storage.unions import Card


def _id(root: Card) -> str:
    return encode_id("Union", root.id)


def _contact_phone(root: Card) -> str | None:
    return show_phone(root.contact_phone) if root.contact_phone else None


async def region_of(root: Card, info: Info) -> RegionRow:
    return await info.context.load.region.load(root.region_code)


@strawberry.type(description="工会名片: all that someone who only holds the code may know of the union.")
class UnionCard:
    id: strawberry.ID = resolved(_id, "工会编号: the union's global id.")
    name: str = strawberry.field(description="工会名称.")
    kind: UnionKind = strawberry.field(description="工会类型.")
    region: Region = resolved(region_of, "所在行政区划.")
    parent_name: str | None = strawberry.field(description="上级工会名称; null at a root.")
    contact_phone: str | None = resolved(_contact_phone, "联系电话, if the union has made one public.")


@strawberry.type(description="名片列表的一页: a page of the directory. It is not counted: only searched.")
class UnionCardConnection:
    edges: list[Edge[UnionCard]] = resolved(edges_of, "The page's cards with cursors.")
    nodes: list[UnionCard] = resolved(nodes_of, "The page's cards alone.")
    page_info: PageInfo = resolved(page_info_of, "Where the page stands in the list.")
