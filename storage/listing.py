"""Keyset pages: the rows after a key, in the order of an index, however deep into the list.

OFFSET reads and throws away all that it skips; a key starts where the page starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from models.treepath import TreePath

Row = TypeVar("Row")
Key = tuple[int | datetime | TreePath, ...]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a listing, at most as many as were asked for."""

    listing: Listing[Row]
    rows: list[Row]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """A scoped SELECT with the order in which it is paged; the last column of the order is unique."""

    name: str
    statement: Select[Row]
    order: Sequence[InstrumentedAttribute[Any]]
    descending: bool = False
    # Where something keeps count already.
    counted: Select[int] | None = None

    def key(self, row: Row) -> Key:
        """Where this row stands in the order."""
        return tuple(getattr(row, column.key) for column in self.order)

    def takes(self, key: Key) -> bool:
        """Whether this is a key of this order by the types of its parts."""
        parts = [column.type.python_type if column.key != "path" else TreePath for column in self.order]
        return len(key) == len(parts) and all(type(value) is part for value, part in zip(key, parts, strict=True))

    async def page(self, session: AsyncSession, first: int, after: Key | None) -> Page[Row]:
        """The `first` rows after `after`, and whether more follow: one statement."""
        rows = list(await session.scalars(self.beginning(first + 1, after)))
        return Page(self, rows[:first], len(rows) > first, after is not None)

    def beginning(self, first: int, after: Key | None) -> Select[Row]:
        """The `first` rows after `after`, in order."""
        statement = self.statement
        if after is not None:
            mark = tuple_(*self.order)
            statement = statement.where(mark < after if self.descending else mark > after)
        order = [column.desc() if self.descending else column.asc() for column in self.order]
        return statement.order_by(*order).limit(first)

    async def count(self, session: AsyncSession) -> int:
        """How many rows all pages have together."""
        live = select(func.count()).select_from(self.statement.with_only_columns(self.order[-1]).subquery())
        return (await session.scalar(live if self.counted is None else self.counted)) or 0
