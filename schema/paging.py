"""Connections after the Relay specification, with keyset cursors."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

import orjson
import strawberry

from models.errors import Code, Problem
from models.treepath import TreePath
from schema.context import Info
from schema.errors import refused
from schema.fields import resolved
from storage.listing import Key, Listing, Page

LARGEST_PAGE: Final = 100
USUAL_PAGE: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

NodeType = TypeVar("NodeType")
Row = TypeVar("Row")


@strawberry.type(description="分页信息: where a page stands in its list (Relay).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow: ask again with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether there was something before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first node; null if it is empty.")
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last node; null if it is empty.")


@dataclass(frozen=True)
class EdgeRow:
    node: Any
    cursor: str


@dataclass(frozen=True)
class PageInfoRow:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def edges_of(root: Page[Any]) -> list[EdgeRow]:
    return [EdgeRow(row, encode_cursor(root.listing, row)) for row in root.rows]


def nodes_of(root: Page[Any]) -> list[Any]:
    return root.rows


def page_info_of(root: Page[Any]) -> PageInfoRow:
    cursors = [encode_cursor(root.listing, row) for row in (root.rows[:1] + root.rows[-1:])]
    start, end = cursors or (None, None)
    return PageInfoRow(root.has_next, root.has_previous, start, end)


async def total_count_of(root: Page[Any], info: Info) -> int:
    async with info.context.db.reading() as session:
        return await root.listing.count(session)


@strawberry.type(description="列表项: a node of a list with its cursor (Relay).")
class Edge(Generic[NodeType]):
    node: NodeType = strawberry.field(description="The thing itself.")
    cursor: str = strawberry.field(description="Where it stands in this list; give it as `after` to go on from it.")


@strawberry.type(description="列表的一页: a page of a list (Relay connection).")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = resolved(edges_of, "The page's nodes with their cursors.")
    nodes: list[NodeType] = resolved(nodes_of, "The page's nodes alone.")
    page_info: PageInfo = resolved(page_info_of, "Where the page stands in the list.")
    total_count: int = resolved(
        total_count_of,
        "总数: how many there are on all pages together. Counted only when asked for.",
    )


async def page_of(info: Info, listing: Listing[Row], first: int | None, after: str | None) -> Page[Row]:
    """One page of a listing.

    Raises:
        GraphQLError: INVALID, for a page outside 1 to 100 or a cursor that is not of this list.
    """
    if first is None:  # clients send null for a variable that they leave out
        first = USUAL_PAGE
    if not 1 <= first <= LARGEST_PAGE:
        raise refused(info, Problem(Code.INVALID, ("first",), "first", {"max": LARGEST_PAGE}))
    key = None if after is None else decode_cursor(listing, after)
    if after is not None and key is None:
        raise refused(info, Problem(Code.INVALID, ("after",), "cursor"))
    async with info.context.db.reading() as session:
        return await listing.page(session, first, key)


def encode_cursor(listing: Listing[Row], row: Row) -> str:
    """Opaque to clients: the list's name and the row's key, as base64url of JSON."""
    parts = [_plain(part) for part in listing.key(row)]
    return base64.urlsafe_b64encode(orjson.dumps([listing.name, *parts])).decode().rstrip("=")


def decode_cursor(listing: Listing[Any], cursor: str) -> Key | None:
    """The key in a cursor of this list, or None for anything else. A forged key shows nothing out of sight."""
    try:
        name, *parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = tuple(_rich(part) for part in parts)
    except (binascii.Error, ValueError, TypeError, OverflowError):
        return None
    return key if name == listing.name and listing.takes(key) else None


def _plain(part: int | datetime | TreePath) -> object:
    if isinstance(part, datetime):
        return {"us": (part - _EPOCH) // timedelta(microseconds=1)}
    return str(part) if isinstance(part, TreePath) else part


def _rich(part: object) -> int | datetime | TreePath:
    match part:
        case bool():
            raise TypeError("no key")
        case int() if abs(part) < 2**63:
            return part
        case {"us": int(microseconds)}:
            return _EPOCH + timedelta(microseconds=microseconds)
        case str():
            return TreePath.parse(part)
    raise TypeError("no key")
