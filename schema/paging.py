"""Connections after the Relay specification, with keyset cursors."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from schema.reading.fields import read
from storage.reading.reads import OfPage

NodeType = TypeVar("NodeType")

First = Annotated[int | None, strawberry.argument(description="How many at most, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor to go on from.")]


def of_page(name: str, description: str) -> Any:
    return read(OfPage(name), description)


@strawberry.type(description="分页信息: where a page stands in its list (Relay).")
class PageInfo:
    has_next_page: bool = of_page("hasNextPage", "Whether more follow: ask again with `after: endCursor`.")
    has_previous_page: bool = of_page("hasPreviousPage", "Whether there was something before this page.")
    start_cursor: str | None = of_page("startCursor", "The cursor of the page's first node; null if it is empty.")
    end_cursor: str | None = of_page("endCursor", "The cursor of the page's last node; null if it is empty.")


@strawberry.type(description="列表项: a node of a list with its cursor (Relay).")
class Edge(Generic[NodeType]):
    node: NodeType = of_page("node", "The thing itself.")
    cursor: str = of_page("cursor", "Where it stands in this list; give it as `after` to go on from it.")


@strawberry.type(description="列表的一页: a page of a list (Relay connection).")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = of_page("edges", "The page's nodes with their cursors.")
    nodes: list[NodeType] = of_page("nodes", "The page's nodes alone.")
    page_info: PageInfo = of_page("pageInfo", "Where the page stands in the list.")
    total_count: int = of_page(
        "totalCount", "总数: how many there are on all pages together. Counted only when asked for."
    )
