"""The rows behind what can be read, as they are called within one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Table


class Eyes(Protocol):
    """What decides which rows are seen: a viewer's own values, or the parameters that stand for them.

    `tops` are the places from which down everything may be read, none within another; `places` the ids of all
    unions that the viewer is appointed to read.
    """

    @property
    def account_id(self) -> Any: ...
    @property
    def tops(self) -> Sequence[Any]: ...
    @property
    def places(self) -> Any: ...


class Rows:
    """Some rows of a table in a statement: their columns by name."""

    def __init__(self, main: FromClause) -> None:
        self.main = main

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        try:
            return self.main.c[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def joined(self) -> FromClause:
        """What to select from, once everything has been asked for: the table, and what was looked up beside it."""
        return self.main

    @property
    def tables(self) -> Sequence[FromClause]:
        """What a statement within the one that selects these rows may refer to."""
        return [self.main]


# How many aliases of each source the statement that is being made has taken.
_taken: ContextVar[dict[Source, int] | None] = ContextVar("taken", default=None)


@contextmanager
def one_statement() -> Iterator[None]:
    """What is made meanwhile is one statement, and takes its aliases from those of others: to make an alias of a
    wide table takes SQLAlchemy longer than to use it."""
    token = _taken.set({})
    try:
        yield
    finally:
        _taken.reset(token)


@dataclass(frozen=True, eq=False)
class Source:
    """A kind of thing that can be read.

    `name` is its type's in global ids, `key` the columns that identify a row, and `seen` which of its rows a
    viewer may be shown, wherever they come from; None where everybody may be shown all.
    """

    name: str
    table: Table
    seen: Callable[[Eyes, Rows], ColumnElement[bool]] | None = None
    key: tuple[str, ...] = ("id",)
    rows: type[Rows] = Rows
    # What the table has been called in statements so far.
    aliases: list[FromClause] = field(default_factory=list, repr=False)

    def fresh(self) -> Rows:
        """Rows that no other part of the statement means."""
        taken = _taken.get()
        if taken is None:
            return self.rows(self.table.alias())
        number = taken[self] = taken.get(self, -1) + 1
        if number == len(self.aliases):
            self.aliases.append(self.table.alias())
        return self.rows(self.aliases[number])

    def keys(self, rows: Rows) -> list[ColumnElement[Any]]:
        return [getattr(rows, name) for name in self.key]

    def visible(self, eyes: Eyes, rows: Rows) -> list[ColumnElement[bool]]:
        """The viewer's scope, as a test of the rows that something else leads to.

        `is true` keeps PostgreSQL from taking the scope's range for the way to them: a plan that is made for all
        values cannot know that this range may be the whole tree.
        """
        return [] if self.seen is None else [self.seen(eyes, rows).is_(True)]
