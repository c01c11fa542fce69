"""Where each readable thing comes from, said once: for the compiler, and for the executor that reads step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select

from storage.reading.patches import Patch
from storage.reading.rows import Eyes, Rows, Source

Arguments = Mapping[str, Any]
# The condition by which an index leads to rows.
Scan = Callable[[Rows], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Column:
    """A value that the database gives as it is to be shown: an expression of a row, and of who looks at it."""

    expression: Callable[[Any, Eyes], ColumnElement[Any]]


@dataclass(frozen=True, eq=False)
class Computed:
    """What a small pure function makes of some columns: masked, signed, drawn, or put into words.

    `value` gets what the request is answered with, then the columns, then the field's arguments.
    """

    inputs: Callable[[Any, Eyes], Sequence[ColumnElement[Any]]]
    value: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Some columns of the same row that are shown as an object of their own, where `present` is true."""

    rows: Callable[[Any], Any]
    present: Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Related:
    """The row of another kind that `link` leads to; with `order`, all of them in it.

    `link` gets the rows it leads from (at the root of a query: the viewer's eyes) and those it leads to.
    The viewer's scope is a condition beside it, unless `told`: then the row that leads there tells of it,
    as a registration tells who applied.
    """

    source: Source
    link: Callable[..., ColumnElement[bool]]
    order: Callable[[Rows], Sequence[ColumnElement[Any]]] | None = None
    told: bool = False

    def conditions(self, parent: Any, rows: Rows, eyes: Eyes, given: Arguments) -> list[ColumnElement[bool]]:
        scoped = [] if self.told else self.source.visible(eyes, rows)
        return [self.link(parent, rows, **given), *scoped]


@dataclass(frozen=True, eq=False)
class Derived:
    """What a statement of its own makes of a row, as an object; with `order`, a list of them in the order of a column.

    The statement gets the row and who looks at it.
    """

    statement: Callable[[Any, Eyes], Select[Any]]
    order: str | None = None


@dataclass(frozen=True, eq=False)
class Each:
    """The one row that each of several derived ones leads to, in their order."""

    derived: Derived
    related: Related


@dataclass(frozen=True, eq=False)
class AnyOf:
    """Rows of several kinds by their global ids: what `node` and `nodes` look for."""

    sources: Mapping[str, Source]
    many: bool


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows in the order of an index, to be read page by page: after a key, not after a number of rows.

    OFFSET reads and throws away all that it skips; a key starts where the page starts. The last column of the
    order is unique. The listing's name is in its cursors, so that no other listing takes them.

    `scans` are the ways to the rows, by what they belong to and the field's arguments: a row is listed if one of
    them leads to it, and none is led to by two. Each is in the listing's order by an index of its own. `order` is
    of the rows and the same arguments. `count`
    is how many there are where that is known without walking them. `told` is as of Related.
    """

    name: str
    source: Source
    scans: Callable[..., Sequence[Scan]]
    order: Callable[[Rows, Arguments], Sequence[ColumnElement[Any]]]
    descending: bool = False
    told: bool = False
    count: Callable[..., ColumnElement[int] | None] | None = None


@dataclass(frozen=True)
class Paged:
    """A listing's pages, as a connection. Two of one listing are the same: plans are kept by what they read."""

    listing: Listing


@dataclass(frozen=True, eq=False)
class Through:
    """Pages of what hangs on another row, which the argument `by` leads to from the root; null if it leads nowhere."""

    related: Related
    by: str
    listing: Listing


@dataclass(frozen=True, eq=False)
class Constant:
    """A word that stands in the document already, `__typename`; or null, where the arguments lead nowhere."""

    word: str | None


@dataclass(frozen=True, eq=False)
class OfPage:
    """A part of a connection: its `edges`, `nodes`, `pageInfo` or `totalCount`; an edge's `node` or `cursor`;
    or one of the values of `pageInfo`. The name is GraphQL's."""

    name: str


Read = Column | Computed | Part | Related | Derived | Each | AnyOf | Paged | Through | Constant | OfPage


@dataclass
class Asked:
    """A field of a query as it is to be answered: fragments spread, like fields merged.

    `key` is its name in the answer; `given` its arguments, each a value that shapes the statement or a
    parameter; `kinds` what to show of rows of several kinds.
    """

    key: str
    read: Read
    below: list[Asked] = field(default_factory=list)
    given: Arguments = field(default_factory=dict)
    kinds: Mapping[str, list[Asked]] = field(default_factory=dict)
    # Of a computed value: what makes it of its columns, as the answer shows it (schema/reading/compiling.py).
    finish: Patch | None = None
