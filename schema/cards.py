"""工会名片: what someone may know of a union without seeing into the tree."""

from __future__ import annotations

import strawberry

from models.kinds import UnionKind
from schema.paging import Edge, PageInfo, of_page
from schema.reading.fields import column, global_id, one
from schema.regions import Region
from storage import phones, regions, unions
from storage.sources import REGION


@strawberry.type(description="工会名片: all that someone who only holds the code may know of the union.")
class UnionCard:
    id: strawberry.ID = global_id("Union", "工会编号: the union's global id.")
    name: str = column("name", "工会名称.")
    kind: UnionKind = column("kind", "工会类型.")
    region: Region = one(REGION, regions.stated, "所在行政区划.", told=True)
    parent_name: str | None = column(unions.parent_name, "上级工会名称; null at a root.")
    contact_phone: str | None = column(
        lambda card: phones.shown(card.contact_phone), "联系电话, if the union has made one public."
    )


@strawberry.type(description="名片列表的一页: a page of the directory. It is not counted: only searched.")
class UnionCardConnection:
    edges: list[Edge[UnionCard]] = of_page("edges", "The page's cards with cursors.")
    nodes: list[UnionCard] = of_page("nodes", "The page's cards alone.")
    page_info: PageInfo = of_page("pageInfo", "Where the page stands in the list.")
