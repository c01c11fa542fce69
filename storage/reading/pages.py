"""Connections: the page of a listing that starts after a key, with what Relay wants to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, func, literal_column, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by

from storage.reading import wire
from storage.reading.patches import Patch, of_list, of_object
from storage.reading.reads import Arguments, Asked, Constant, Listing, OfPage
from storage.reading.rows import Eyes, Rows, Source

if TYPE_CHECKING:
    from storage.reading.statement import Builder, Shown


# Rows with the conditions that lead to them.
Scans = list[tuple[Rows, list[ColumnElement[bool]]]]
# Gives a statement leave to refer to what is outside of it.
Correlated = Callable[[Select[Any]], Select[Any]]


class Window:
    """Which page: `first` rows of a listing after the key `after`, or from its beginning."""

    def __init__(self, listing: Listing, parent: Any, given: Arguments, eyes: Eyes) -> None:
        self.listing = listing
        self.parent = parent
        self.eyes = eyes
        self.first: Any = given["first"]
        self.after: tuple[Any, ...] | None = given["after"]
        self.given = {name: value for name, value in given.items() if name not in {"first", "after"}}

    def matching(self) -> Scans:
        """For each of the listing's scans the rows that it leads to, and how, whatever the page."""
        listing, found = self.listing, []
        for scan in listing.scans(self.parent, **self.given):
            rows = listing.source.fresh()
            scoped = [] if listing.told else listing.source.visible(self.eyes, rows)
            found.append((rows, [scan(rows), *scoped]))
        return found

    def rows(self, limit: Any, correlated: Correlated) -> Rows:
        """The rows of the page, as a subquery that gives them in the listing's order."""
        scans = self.matching()
        if len(scans) == 1:
            [(rows, conditions)] = scans
            return self._subquery(correlated(self.cut(select(*rows.main.c).where(*conditions), rows, limit)))
        merged = self._merged(scans, limit, correlated)
        rows = self.listing.source.fresh()
        same = [getattr(rows, name) == merged.c[name] for name in self.listing.source.key]
        found = select(*rows.main.c).select_from(merged.join(rows.main, and_(*same)))
        return self._subquery(found.order_by(*self.ways(rows)))

    def _subquery(self, found: Select[Any]) -> Rows:
        return self.listing.source.rows(found.subquery())

    def _merged(self, scans: Scans, limit: Any, correlated: Correlated) -> FromClause:
        """The keys of the page's rows, merged from what each scan begins with."""
        parts = []
        for rows, conditions in scans or [(self.listing.source.fresh(), [false()])]:
            order = self.listing.order(rows, self.given)
            places = [column.label(f"place_{number}") for number, column in enumerate(order)]
            keys = [getattr(rows, name).label(name) for name in self.listing.source.key]
            parts.append(correlated(self.cut(select(*keys, *places).where(*conditions), rows, limit)))
        together = union_all(*parts).subquery()
        merged = [column for column in together.c if column.key.startswith("place_")]
        ways = [column.desc() if self.listing.descending else column.asc() for column in merged]
        return select(*together.c).order_by(*ways).limit(limit).subquery()

    def cut(self, found: Select[Any], rows: Rows, limit: Any) -> Select[Any]:
        """So many of the rows, after the key, in the listing's order."""
        if self.after is not None:
            here, there = tuple_(*self.listing.order(rows, self.given)), tuple_(*self.after)
            found = found.where(here < there if self.listing.descending else here > there)
        return found.order_by(*self.ways(rows)).limit(limit)

    def ways(self, rows: Rows) -> list[ColumnElement[Any]]:
        """The listing's order."""
        order = self.listing.order(rows, self.given)
        return [column.desc() if self.listing.descending else column.asc() for column in order]

    def total(self, correlated: Correlated) -> ColumnElement[int]:
        """How many rows all pages have together."""
        known = self.listing.count and self.listing.count(self.parent, **self.given)
        if known is not None:
            return known
        parts = [correlated(select(rows.id).where(*conditions)) for rows, conditions in self.matching()]
        counted = parts[0] if len(parts) == 1 else union_all(*parts or [_nothing(self.listing.source)])
        return select(func.count()).select_from(counted.subquery()).scalar_subquery()


def _nothing(source: Source) -> Select[Any]:
    return select(*source.table.c).where(false())


def connection(builder: Builder, parts: Sequence[Asked], window: Window) -> Shown:
    """A page as an object.

    Where nobody asks for cursors or whether more follow, its nodes are a plain list.
    """
    asked = {part.read.name for part in parts if isinstance(part.read, OfPage)}
    numbered = _Numbered(builder, window) if asked & {"edges", "pageInfo"} else None
    columns, patches = [], {}
    for part in parts:
        expression, patch = _part(builder, part, window, numbered)
        columns.append(expression.label(part.key))
        if patch is not None:
            patches[part.key] = patch
    found = select(*columns)
    if numbered is not None:
        found = found.select_from(numbered.rows.joined)
    return builder.row(found), of_object(patches)


def _part(builder: Builder, part: Asked, window: Window, numbered: _Numbered | None) -> Shown:
    if isinstance(part.read, Constant):
        return wire.word(part.read.word), None
    assert isinstance(part.read, OfPage)
    if part.read.name == "totalCount":
        return window.total(builder.correlated), None
    if numbered is None:
        return _nodes(builder, part, window)
    made: Shown = getattr(numbered, part.read.name)(part.below)
    return made


def _nodes(builder: Builder, part: Asked, window: Window) -> Shown:
    scans = window.matching()
    if len(scans) == 1:  # nothing to be merged: the rows are shown as they are found
        [(rows, conditions)] = scans
        columns, patch = builder.inside(rows).columns(part.below, rows)
        found = select(*columns).select_from(rows.joined).where(*conditions)
        return builder.list(window.cut(found, rows, window.first)), of_list(patch)
    rows = window.rows(window.first, builder.correlated)
    columns, patch = builder.inside(rows).columns(part.below, rows)
    return builder.list(select(*columns).select_from(rows.joined).order_by(*window.ways(rows))), of_list(patch)


class _Numbered:
    """The rows of a page, and one more if there is one, each with its number and how many they are."""

    def __init__(self, builder: Builder, window: Window) -> None:
        chosen = window.rows(window.first + 1, builder.correlated).main
        numbers = (func.row_number().over().label("page_number"), func.count().over().label("page_count"))
        self.rows = window.listing.source.rows(select(*chosen.c, *numbers).subquery())
        self.window = window
        self.builder = builder.inside(self.rows)
        self.number, self.count = self.rows.page_number, self.rows.page_count
        self.order = list(window.listing.order(self.rows, window.given))

    def nodes(self, below: Sequence[Asked]) -> Shown:
        columns, patch = self.builder.columns(below, self.rows)
        return self.listed(columns), of_list(patch)

    def edges(self, below: Sequence[Asked]) -> Shown:
        columns: list[ColumnElement[Any]] = []
        patches: dict[str, Patch] = {}
        for one in below:
            if isinstance(one.read, Constant):
                columns.append(wire.word(one.read.word).label(one.key))
            elif one.read.name == "cursor":  # type: ignore[union-attr]
                columns.append(self.cursor.label(one.key))
            else:
                inner, patch = self.builder.columns(one.below, self.rows)
                columns.append(self.builder.row(select(*inner)).label(one.key))
                if patch is not None:
                    patches[one.key] = patch
        return self.listed(columns), of_list(of_object(patches))

    def pageInfo(self, below: Sequence[Asked]) -> Shown:  # noqa: N802 - GraphQL's name
        values: list[ColumnElement[Any]] = []
        for one in below:
            value = wire.word(one.read.word) if isinstance(one.read, Constant) else self.info[one.read.name]  # type: ignore[union-attr]
            values += [wire.word(one.key), value]
        return func.json_build_object(*values), None

    @property
    def cursor(self) -> ColumnElement[str]:
        return wire.cursor(self.window.listing.name, self.order)

    @property
    def info(self) -> Mapping[str, ColumnElement[Any]]:
        last = func.least(self.window.first, self.count)
        return {
            "hasNextPage": func.count() > self.window.first,
            "hasPreviousPage": literal_column(str(self.window.after is not None)),
            "startCursor": func.max(self.cursor).filter(self.number == 1),
            "endCursor": func.max(self.cursor).filter(self.number == last),
        }

    def listed(self, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
        """The columns of each row that is shown as an object, in a list."""
        one = self.builder.correlated(select(*columns)).subquery()
        each = select(one.table_valued()).scalar_subquery()
        return func.coalesce(
            func.json_agg(aggregate_order_by(each, self.number)).filter(self.number <= self.window.first), wire.EMPTY
        )
