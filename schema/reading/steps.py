"""Reading step by step, for Strawberry's executor: what a mutation shows, introspection beside data, and whatever
does not compile. Each level of a query takes one statement for each kind of thing on it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, column, select, true, tuple_, values
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from models.errors import Code, Problem, Rejected
from resolvers.context import Context
from schema.reading.chosen import Chosen
from schema.reading.cursors import encode_cursor
from storage.reading import wire
from storage.reading.pages import Window
from storage.reading.reads import AnyOf, Column, Computed, Derived, Each, Listing, OfPage, Paged, Part, Related, Through
from storage.reading.rows import Eyes, Rows, Source, one_statement

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Ref:
    """A row that is being read, or the part of one that `parts` lead to."""

    source: Source
    key: Key
    parts: tuple[Part, ...] = ()

    @property
    def type_name(self) -> str:
        return self.source.name


@dataclass(frozen=True)
class DerivedRow:
    """What a statement made of a row, by the names of its columns."""

    names: tuple[str, ...]
    values: tuple[Any, ...]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[self.names.index(name)]
        except ValueError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class PageRef:
    """A page of a listing: its rows in order, and what tells where it stands."""

    paged: Paged
    parent: Ref | DerivedRow | None
    given: tuple[tuple[str, Any], ...]
    rows: list[Ref]
    cursors: list[str]
    has_next: bool


@dataclass(frozen=True)
class EdgeRef:
    node: Ref
    cursor: str


@dataclass(frozen=True)
class _Step:
    """One thing to be read of one row."""

    read: Any
    parent: Ref | DerivedRow | None
    given: tuple[tuple[str, Any], ...] = ()
    total: bool = False


_OF_PAGE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "nodes": lambda page: page.rows,
    "edges": lambda page: [EdgeRef(row, cursor) for row, cursor in zip(page.rows, page.cursors, strict=True)],
    "pageInfo": lambda page: page,
    "hasNextPage": lambda page: page.has_next,
    "hasPreviousPage": lambda page: dict(page.given)["after"] is not None,
    "startCursor": lambda page: next(iter(page.cursors), None),
    "endCursor": lambda page: next(reversed(page.cursors), None),
    "node": lambda edge: edge.node,
    "cursor": lambda edge: edge.cursor,
}


def _heard(loading: asyncio.Future[Any]) -> None:
    """Whoever waited for it may have been cancelled: asyncio would log what nobody retrieves."""
    if not loading.cancelled():
        loading.exception()


class Steps:
    """Made for one request, and again after each of its writes."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.loader: DataLoader[_Step, Any] = DataLoader(self._batch)

    async def _load(self, step: _Step) -> Any:
        # Several fields may wait for one step, and the executor cancels those that a null above has made needless.
        loading = asyncio.ensure_future(self.loader.load(step))
        loading.add_done_callback(_heard)
        return await asyncio.shield(loading)

    async def take(self, root: Any, chosen: Chosen) -> Any:
        """What a field shows of `root`: a value, a reference to another row, or a page of them.

        Raises:
            Rejected: NOT_FOUND, for an argument that leads to nothing in sight.
        """
        parent = root if isinstance(root, Ref) else None
        match chosen.read:
            case OfPage(name):
                return await self._of_page(root, name)
            case AnyOf() as any_of:
                return await self._any_of(any_of, chosen.given)
            case Through() as through:
                return await self._through(through, chosen.given)
            case Each(derived, related):
                rows = await self._load(_Step(derived, parent))
                found = await asyncio.gather(*(self._load(_Step(related, row)) for row in rows))
                return [one for several in found for one in several]
        if isinstance(root, DerivedRow):
            return await self._of_derived(root, chosen)
        return await self._loaded(parent, chosen)

    async def _of_derived(self, row: DerivedRow, chosen: Chosen) -> Any:
        """A field of a derived row, whose values have the names of its columns."""
        match chosen.read:
            case Column(expression):
                return expression(row, self.context.viewer)
            case Computed(inputs, value):
                return value(self.context, *inputs(row, self.context.viewer), **chosen.given)
        found = await self._load(_Step(chosen.read, row))
        return next(iter(found), None)

    async def _loaded(self, parent: Ref | None, chosen: Chosen) -> Any:
        read, given = chosen.read, chosen.given
        step = _Step(read, parent, () if isinstance(read, Computed) else _frozen(given))
        found = await self._load(step)
        match read:
            case Computed(_, value):
                return value(self.context, *found, **given)
            case Column():
                return found[0]
            case Part():
                return Ref(parent.source, parent.key, (*parent.parts, read)) if found[0] and parent else None
            case Related(_, _, None):
                return next(iter(found), None)
        return found

    async def _of_page(self, root: Any, name: str) -> Any:
        if name == "totalCount":
            return await self._load(_Step(root.paged, root.parent, root.given, total=True))
        return _OF_PAGE[name](root)

    async def _through(self, through: Through, given: Mapping[str, Any]) -> Any:
        by, rest = through.by, {name: value for name, value in given.items() if name != through.by}
        found = await self._load(_Step(through.related, None, ((by, given[by]),)))
        if not found:
            raise Rejected(Problem(Code.NOT_FOUND, (by,)))
        return await self._load(_Step(Paged(through.listing), found[0], _frozen(rest)))

    async def _any_of(self, any_of: AnyOf, given: Any) -> Any:
        found: dict[tuple[str, int], Ref] = {}
        wanted = list(zip(given["kinds"], given["keys"], strict=True))
        async with self.context.db.reading() as session:
            for name in dict.fromkeys(given["kinds"]):
                source = any_of.sources[name]
                rows = source.fresh()
                keys = [key for kind, key in wanted if kind == name]
                visible = source.visible(self.context.viewer, rows)
                for key in await session.scalars(select(rows.id).where(rows.id.in_(keys), *visible)):
                    found[name, key] = Ref(source, (key,))
        shown = [found.get(one) for one in wanted]
        return shown if any_of.many else shown[0]

    async def _batch(self, steps: list[_Step]) -> list[Any]:
        """The answers, in the order of the steps; one statement for all that can be read together."""
        groups: dict[Any, list[_Step]] = defaultdict(list)
        for step in steps:
            is_value = isinstance(step.read, Column | Computed | Part)
            of = step.parent.source if isinstance(step.parent, Ref) else step.parent and step.parent.names
            groups[of if is_value else (of, step.read, step.given, step.total)].append(step)
        found: dict[_Step, Any] = {}
        for together in groups.values():
            async with self.context.db.reading() as session:
                with one_statement():
                    found.update(await _Group(session, self.context.viewer, together).read())
        return [found[step] for step in steps]


class _Group:
    """Steps that one statement answers."""

    def __init__(self, session: AsyncSession, eyes: Eyes, steps: Sequence[_Step]) -> None:
        self.session = session
        self.eyes = eyes
        self.steps = steps
        self.step = steps[0]
        start = self.step.parent
        self.source = start.source if isinstance(start, Ref) else None
        derived = [step.parent for step in steps if isinstance(step.parent, DerivedRow)]
        self.numbers = {row: number for number, row in enumerate(dict.fromkeys(derived))}
        # The rows that the steps lead from: of a table, or derived ones as they are; at the root of a query, who asks.
        self.rows: Any = self.source.fresh() if self.source else _listed(self.numbers) if derived else eyes
        self.raw = dict(self.step.given)
        self.given = {name: _parameter(value) for name, value in self.raw.items()}

    async def read(self) -> dict[_Step, Any]:
        if isinstance(self.step.read, Related):
            return await self.related(self.step.read)
        if isinstance(self.step.read, Paged):
            listing = self.step.read.listing
            return await (self.totals(listing) if self.step.total else self.pages(listing))
        if isinstance(self.step.read, Derived):
            return await self.derived(self.step.read)
        return await self.values()

    @property
    def parent(self) -> Any:
        """The rows, or the part of them that the steps lead from."""
        rows = self.rows
        for part in self.step.parent.parts if isinstance(self.step.parent, Ref) else ():
            rows = part.rows(rows)
        return rows

    def keys(self) -> list[ColumnElement[Any]]:
        if self.source is not None:
            return self.source.keys(self.rows)
        return [self.rows.row_number] if self.numbers else []

    def among(self, statement: Select[Any]) -> Select[Any]:
        """The statement, of the rows that are asked for alone."""
        if self.source is None:
            return statement
        keys = {self.key_of(step) for step in self.steps}
        columns = self.keys()
        one = len(columns) == 1
        asked = columns[0].in_([key[0] for key in keys]) if one else tuple_(*columns).in_(list(keys))
        return statement.where(asked)

    async def by_key(self, statement: Select[Any]) -> dict[Key, list[Any]]:
        """What the statement finds for each key: its columns after those of the key."""
        width = len(self.keys())
        found: dict[Key, list[Any]] = defaultdict(list)
        for row in await self.session.execute(self.among(statement)):
            found[tuple(row[:width])].append(tuple(row[width:]))
        return found

    def key_of(self, step: _Step) -> Key:
        if isinstance(step.parent, DerivedRow):
            return (self.numbers[step.parent],)
        return step.parent.key if step.parent else ()

    async def values(self) -> dict[_Step, Any]:
        asked: dict[tuple[Any, tuple[Part, ...]], slice] = {}
        columns: list[ColumnElement[Any]] = []
        for step in self.steps:
            assert isinstance(step.parent, Ref)
            way = (step.read, step.parent.parts)
            if way not in asked:
                rows = self.rows
                for part in step.parent.parts:
                    rows = part.rows(rows)
                made = _columns(step.read, rows, self.eyes)
                asked[way] = slice(len(columns), len(columns) + len(made))
                columns += made
        found = await self.by_key(select(*self.keys(), *columns).select_from(self.rows.joined))
        return {
            step: found[step.parent.key][0][asked[step.read, step.parent.parts]]
            for step in self.steps
            if isinstance(step.parent, Ref)
        }

    async def related(self, related: Related) -> dict[_Step, Any]:
        rows = related.source.fresh()
        conditions = related.conditions(self.parent, rows, self.eyes, self.given)
        statement = select(*related.source.keys(rows)).select_from(rows.joined).where(*conditions)
        if related.order is not None:
            statement = statement.order_by(*related.order(rows))
        found = await self.by_key(self.beside(statement))
        return {step: [Ref(related.source, key) for key in found.get(self.key_of(step), [])] for step in self.steps}

    async def pages(self, listing: Listing) -> dict[_Step, Any]:
        window = Window(listing, self.parent, self.given, self.eyes)
        rows = window.rows(window.first + 1, self.correlated)
        labelled = [column.label(f"order_{at}") for at, column in enumerate(listing.order(rows, window.given))]
        page = select(*listing.source.keys(rows), *labelled).order_by(*window.ways(rows))
        width = len(listing.source.key)
        pages = {}
        found = await self.by_key(self.beside(page.select_from(rows.joined)))
        for step in self.steps:
            several = found.get(self.key_of(step), [])
            shown = several[: self.raw["first"]]
            pages[step] = PageRef(
                step.read,
                step.parent,
                step.given,
                [Ref(listing.source, row[:width]) for row in shown],
                [encode_cursor(listing.name, row[width:]) for row in shown],
                len(several) > self.raw["first"],
            )
        return pages

    async def derived(self, derived: Derived) -> dict[_Step, Any]:
        made = self.correlated(derived.statement(self.parent, self.eyes)).subquery()
        statement = select(*made.c)
        if derived.order is not None:
            statement = statement.order_by(made.c[derived.order])
        found = await self.by_key(self.beside(statement))
        names = tuple(made.c.keys())
        answers: dict[_Step, Any] = {}
        for step in self.steps:
            rows = [DerivedRow(names, _hashable(values)) for values in found.get(self.key_of(step), [])]
            answers[step] = rows[0] if derived.order is None else rows
        return answers

    async def totals(self, listing: Listing) -> dict[_Step, Any]:
        total = Window(listing, self.parent, self.given, self.eyes).total(self.correlated)
        found = await self.by_key(self.beside(select(total.label("total"))))
        return {step: found[self.key_of(step)][0][0] for step in self.steps}

    def correlated(self, statement: Select[Any]) -> Select[Any]:
        return statement.correlate(*self.rows.tables) if self.keys() else statement

    def beside(self, statement: Select[Any]) -> Select[Any]:
        """The statement once for each row that the steps lead from, after its key."""
        if not self.keys():
            return statement
        each = self.correlated(statement).lateral()
        return select(*self.keys(), *each.c).select_from(self.rows.joined.join(each, true()))


def _columns(read: Any, rows: Any, eyes: Eyes) -> list[ColumnElement[Any]]:
    match read:
        case Column(expression):
            return [expression(rows, eyes)]
        case Computed(inputs, _):
            return list(inputs(rows, eyes))
        case Part(_, present):
            return [present(rows)]
    raise AssertionError(read)


def _listed(rows: Mapping[DerivedRow, int]) -> Rows:
    """Derived rows as the rows of a statement, numbered, with what a link can be made of: their keys."""
    first = next(iter(rows))
    keys = [name for name, value in zip(first.names, first.values, strict=True) if isinstance(value, int)]
    columns = [column(name, BigInteger) for name in keys]
    data = [(number, *(getattr(row, name) for name in keys)) for row, number in rows.items()]
    return Rows(values(column("row_number", BigInteger), *columns, name="derived").data(data))


class _List(tuple[Any, ...]):
    """A list among the arguments, which a batch can be told by."""

    __slots__ = ()


def _hashable(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


def _parameter(value: Any) -> Any:
    """What shapes a statement as it is, everything else as a parameter."""
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, _List):
        return wire.parameter(list(value))
    if isinstance(value, tuple):
        return tuple(map(_parameter, value))
    return wire.parameter(value)


def _frozen(given: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((name, _List(value) if isinstance(value, list) else value) for name, value in given.items())
